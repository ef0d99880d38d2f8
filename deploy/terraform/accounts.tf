# One service account per component, with only the roles it needs. Roles on a single resource (a
# bucket, a job, a service, a dataset, a secret) are granted beside that resource; the roles here can
# only be granted on a project.
locals {
  accounts = merge(
    {
      runner   = "Runs the pipeline: reads the landing zone, writes store and warehouse."
      fetcher  = "Pulls from APIs: writes the landing zone."
      workflow = "Starts the jobs and waits for them."
      events   = "Starts the workflows: Eventarc and the scheduler act as it."
      queries  = "Runs scheduled queries."
    },
    var.github == null ? {} : {
      deployer = "Deploys releases from GitHub."
      lander   = "Lands what is committed under data/ on GitHub."
    },
    var.dagster.enabled ? { dagster = "Runs Dagster's webserver, daemon and code server." } : {},
    var.readers.enabled ? { readers = "Serves the current release to people: reads the store." } : {},
    var.spark.enabled ? { executors = "Runs Spark's executors: reads the landing zone, writes the store." } : {},
  )

  email  = { for name, account in google_service_account.account : name => account.email }
  member = { for name, account in google_service_account.account : name => "serviceAccount:${account.email}" }

  project_roles = merge({
    # A query or load job belongs to a project; roles on the dataset decide which data it may use.
    "runner loads"  = { account = "runner", role = "roles/bigquery.jobUser" }
    "queries query" = { account = "queries", role = "roles/bigquery.jobUser" }
    # To list the other executions of the workflow, and for its own log. Google has neither role on
    # a single workflow.
    "workflow looks" = { account = "workflow", role = "roles/workflows.viewer" }
    "workflow logs"  = { account = "workflow", role = "roles/logging.logWriter" }
    # This role exists only on projects, so it covers both workflows of this project.
    "events receive" = { account = "events", role = "roles/eventarc.eventReceiver" }
    "events invoke"  = { account = "events", role = "roles/workflows.invoker" }
    },
    var.spark.enabled ? {
      # Google gives none of the two on a single template. The first lets nodes of a session work, the
      # second lets the runner open a session, connect to it, and end it.
      "executors work"       = { account = "executors", role = "roles/dataproc.worker" }
      "runner open sessions" = { account = "runner", role = "roles/dataproc.serverlessEditor" }
    } : {},
  )

  # The deployer sets the image of the jobs and the services that run as these accounts.
  deployed_accounts = var.github == null ? {} : {
    for name in ["runner", "fetcher", "dagster", "readers"] : name => name if contains(keys(local.accounts), name)
  }
  deployers = var.github == null ? {} : { deployer = local.member["deployer"] }
}

resource "google_service_account" "account" {
  for_each = local.accounts

  project      = var.project_id
  account_id   = "drug-assets-${each.key}"
  display_name = "drug-assets ${each.key}"
  description  = each.value

  depends_on = [google_project_service.api]
}

resource "google_project_iam_member" "role" {
  for_each = local.project_roles

  project = var.project_id
  role    = each.value.role
  member  = local.member[each.value.account]
}

# Cloud Storage's own service agent publishes the events of a bucket, which Eventarc delivers.
resource "google_project_iam_member" "storage_publishes" {
  count = local.runs_on_landing ? 1 : 0

  project = var.project_id
  role    = "roles/pubsub.publisher"
  member  = "serviceAccount:service-${var.project_number}@gs-project-accounts.iam.gserviceaccount.com"
}

resource "google_service_account_iam_member" "deployer_acts_as" {
  for_each = local.deployed_accounts

  service_account_id = google_service_account.account[each.key].name
  role               = "roles/iam.serviceAccountUser"
  member             = local.member["deployer"]
}
