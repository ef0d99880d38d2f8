# From a landed file to tables that people query:
#
#   landing bucket --Eventarc--> workflow --Cloud Run Admin API--> job --> store bucket, BigQuery
#   schedule --> Pub/Sub topic --Eventarc--> workflow --> fetch job --> landing bucket
#
# With dagster.enabled, Dagster's sensors, schedules and queue replace the first line.

locals {
  runs_on_landing = !var.dagster.enabled

  # The longest time of an execution with its retries, including ten minutes to start each attempt.
  run_seconds   = (var.job.timeout_seconds + 600) * (var.job.max_retries + 1)
  fetch_timeout = 21600

  pipeline_environment = merge(
    {
      DRUG_ASSETS_LANDING = "gs://${module.buckets.landing}"
      DRUG_ASSETS_STORE   = "gs://${module.buckets.store}"
    },
    var.load_bigquery ? {
      DRUG_ASSETS_ENV               = "bigquery"
      DRUG_ASSETS_BIGQUERY_PROJECT  = var.project_id
      DRUG_ASSETS_BIGQUERY_DATASET  = module.bigquery.dataset
      DRUG_ASSETS_BIGQUERY_LOCATION = var.warehouse.location
    } : {},
    var.spark.enabled ? {
      DRUG_ASSETS_ENGINE = "spark"
      DRUG_ASSETS_SPARK  = one(module.spark[*].address)
    } : {},
    # Where links of Dagster lead to. The address that Cloud Run gives a service of this name, so that
    # the jobs do not wait for the service, or fail with it.
    var.readers.enabled ? { DRUG_ASSETS_SERVED_AT = "https://drug-assets-readers-${var.project_number}.${var.region}.run.app" } : {},
  )

  # Queries of Dagster's own pulls: variable => query. Runs that pull use the same job and account
  # as other runs, so the runner may write to the landing zone and read NCBI's key only if there is
  # a query.
  dagster_queries = {
    for variable, query in {
      DRUG_ASSETS_PUBMED_QUERY          = var.dagster.pubmed_query
      DRUG_ASSETS_CLINICAL_TRIALS_QUERY = var.dagster.clinical_trials_query
    } : variable => query if var.dagster.enabled && query != null
  }
  dagster_pulls = length(local.dagster_queries) > 0

  ncbi_environment = var.ncbi_email == null ? {} : { NCBI_EMAIL = var.ncbi_email }

  # First and last day of the scheduled sales queries, as arguments of their functions.
  today = "CURRENT_DATE('${var.time_zone}')"
  sales_period = join(", ", [
    var.warehouse.sales_from == null ? "DATE_TRUNC(${local.today}, YEAR)" : "DATE '${var.warehouse.sales_from}'",
    var.warehouse.sales_to == null ? local.today : "DATE '${var.warehouse.sales_to}'",
  ])

  # The jobs that report runs, and all jobs.
  run_jobs = concat([module.run_job.name], module.dagster[*].run_job)
  all_jobs = concat([module.run_job.name, module.fetch_job.name], module.dagster[*].run_job)

  # Environment variable => secret, for the secrets that already have a value.
  run_secrets = {
    for variable, secret in { DRUG_ASSETS_FAILURE_WEBHOOK = "drug-assets-failure-webhook" } :
    variable => secret if contains(var.secrets_in_use, secret)
  }
  fetch_secrets = {
    for variable, secret in { NCBI_API_KEY = "drug-assets-ncbi-api-key" } :
    variable => secret if contains(var.secrets_in_use, secret)
  }
}

module "buckets" {
  source = "./modules/buckets"

  project_id = var.project_id
  location   = var.region

  landing_readers = merge(
    { runner = local.member["runner"] },
    var.dagster.enabled ? { dagster = local.member["dagster"] } : {},
    var.spark.enabled ? { executors = local.member["executors"] } : {},
  )
  landing_writers = merge(
    { fetcher = local.member["fetcher"] },
    local.dagster_pulls ? { runner = local.member["runner"] } : {},
    var.github == null ? {} : { lander = local.member["lander"] },
  )
  # objectUser permits all that rsync does, but not its question whether the bucket is there.
  landing_lookups = var.github == null ? {} : { lander = local.member["lander"] }
  store_readers = merge(
    var.dagster.enabled ? { dagster = local.member["dagster"] } : {},
    var.readers.enabled ? { readers = local.member["readers"] } : {},
  )
  store_writers = merge(
    { runner = local.member["runner"] },
    var.spark.enabled ? { executors = local.member["executors"] } : {},
  )

  depends_on = [google_project_service.api]
}

module "registry" {
  source = "./modules/registry"

  project_id = var.project_id
  location   = var.region
  writers    = var.github == null ? {} : { deployer = local.member["deployer"] }
  # The nodes of a session pull the image of its executors; Google does not say whether they do so as
  # the account of the session or as their own agent.
  readers = !var.spark.enabled ? {} : {
    executors = local.member["executors"]
    nodes     = "serviceAccount:service-${var.project_number}@gcp-sa-dataprocrmnode.iam.gserviceaccount.com"
  }

  depends_on = [google_project_service.api]
}

module "secrets" {
  source = "./modules/secrets"

  project_id = var.project_id
  secrets = {
    drug-assets-ncbi-api-key = merge(
      { fetcher = local.member["fetcher"] },
      local.dagster_pulls ? { runner = local.member["runner"] } : {},
    )
    drug-assets-failure-webhook = merge(
      { runner = local.member["runner"] },
      var.dagster.enabled ? { dagster = local.member["dagster"] } : {},
    )
  }

  depends_on = [google_project_service.api]
}

module "bigquery" {
  source = "./modules/bigquery"

  project_id            = var.project_id
  location              = var.warehouse.location
  dataset               = var.warehouse.dataset
  sales_dataset         = var.warehouse.sales_dataset
  sql_directory         = "${path.root}/../../drug_assets/warehouse_sql"
  writers               = { runner = local.member["runner"] }
  readers               = var.warehouse.readers
  query_service_account = local.email["queries"]
  deletion_protection   = var.deletion_protection

  scheduled_queries = {
    sales_revenue_per_day = {
      schedule = "every day 04:00"
      query    = "SELECT * FROM `{project}.{dataset}.revenue_per_day`(${local.sales_period}) -- reads {sales_dataset}"
    }
    sales_furniture_and_decoration_per_client = {
      schedule = "every day 04:00"
      query    = "SELECT * FROM `{project}.{dataset}.furniture_and_decoration_per_client`(${local.sales_period}) -- reads {sales_dataset}"
    }
  }

  depends_on = [google_project_service.api]
}

module "run_job" {
  source = "./modules/cloud_run_job"

  project_id          = var.project_id
  region              = var.region
  name                = "drug-assets-run"
  image               = var.image
  command             = ["drug-assets", "run", "--only-if-changed"]
  service_account     = local.email["runner"]
  environment         = local.pipeline_environment
  secrets             = local.run_secrets
  cpu                 = var.job.cpu
  memory              = var.job.memory
  scratch_gib         = var.job.scratch_gib
  timeout_seconds     = var.job.timeout_seconds
  max_retries         = var.job.max_retries
  starters            = { workflow = local.member["workflow"] }
  viewers             = { workflow = local.member["workflow"] } # it waits for the end of executions
  deployers           = local.deployers
  deletion_protection = var.deletion_protection

  depends_on = [module.secrets]
}

module "fetch_job" {
  source = "./modules/cloud_run_job"

  project_id      = var.project_id
  region          = var.region
  name            = "drug-assets-fetch"
  image           = var.image
  command         = ["drug-assets", "fetch", "--help"]
  service_account = local.email["fetcher"]
  environment = merge(local.ncbi_environment, {
    DRUG_ASSETS_LANDING = "gs://${module.buckets.landing}"
  })
  secrets         = local.fetch_secrets
  cpu             = "1"
  memory          = "1Gi"
  scratch_gib     = var.job.scratch_gib
  timeout_seconds = local.fetch_timeout
  # Cloud Run would try again whatever the reason, also what can never succeed; what passes is tried
  # again within a pull, and the same request resumes it.
  max_retries         = 0
  starters            = { workflow = local.member["workflow"] }
  viewers             = { workflow = local.member["workflow"] } # it waits for the end of executions
  deployers           = local.deployers
  deletion_protection = var.deletion_protection

  depends_on = [module.secrets]
}

module "landing_trigger" {
  source = "./modules/landing_trigger"
  count  = local.runs_on_landing ? 1 : 0

  project_id               = var.project_id
  region                   = var.region
  bucket                   = module.buckets.landing
  job                      = module.run_job.name
  job_seconds              = local.run_seconds
  workflow_service_account = local.email["workflow"]
  event_service_account    = local.email["events"]
  schedule                 = var.schedule
  time_zone                = var.time_zone
  deletion_protection      = var.deletion_protection

  depends_on = [google_project_iam_member.role, google_project_iam_member.storage_publishes]
}

module "api_pulls" {
  source = "./modules/api_pulls"

  project_id               = var.project_id
  region                   = var.region
  pulls                    = var.pulls
  time_zone                = var.time_zone
  job                      = module.fetch_job.name
  job_seconds              = local.fetch_timeout + 600
  workflow_service_account = local.email["workflow"]
  event_service_account    = local.email["events"]
  publishers               = var.pull_requesters
  deletion_protection      = var.deletion_protection

  depends_on = [google_project_iam_member.role]
}

module "dagster" {
  source = "./modules/dagster"
  count  = var.dagster.enabled ? 1 : 0

  project_id                = var.project_id
  project_number            = var.project_number
  region                    = var.region
  image                     = var.image
  environment               = merge(local.pipeline_environment, local.dagster_queries, local.dagster_pulls ? local.ncbi_environment : {})
  secrets                   = local.run_secrets
  run_secrets               = merge(local.run_secrets, local.dagster_pulls ? local.fetch_secrets : {})
  service_account           = local.email["dagster"]
  runner_service_account    = local.email["runner"]
  users                     = var.dagster.users
  database_tier             = var.dagster.database_tier
  postgres_password         = var.postgres_password
  postgres_password_version = var.dagster.postgres_password_version
  run                       = var.job
  deployers                 = local.deployers
  deletion_protection       = var.deletion_protection

  depends_on = [google_project_service.api, module.secrets]
}

module "readers" {
  source = "./modules/readers"
  count  = var.readers.enabled ? 1 : 0

  project_id          = var.project_id
  project_number      = var.project_number
  region              = var.region
  image               = var.image
  store               = "gs://${module.buckets.store}"
  service_account     = local.email["readers"]
  access              = var.readers.access
  users               = var.readers.users
  cpu                 = var.readers.cpu
  memory              = var.readers.memory
  scratch_gib         = var.readers.scratch_gib
  max_instances       = var.readers.max_instances
  concurrency         = var.readers.concurrency
  timeout_seconds     = var.readers.timeout_seconds
  deployers           = local.deployers
  deletion_protection = var.deletion_protection

  depends_on = [google_project_service.api, module.buckets]
}

module "spark" {
  source = "./modules/spark"
  count  = var.spark.enabled ? 1 : 0

  project_id      = var.project_id
  region          = var.region
  service_account = local.email["executors"]
  users           = { runner = local.member["runner"] }
  runtime_version = var.spark.runtime_version
  subnetwork      = var.spark.subnetwork
  ip_range        = var.spark.ip_range
  executor_cores  = var.spark.executor_cores
  min_executors   = var.spark.min_executors
  max_executors   = var.spark.max_executors
  idle_seconds    = var.spark.idle_seconds
  # No session outlives the execution that opened it, however that ends.
  max_seconds = max(600, var.job.timeout_seconds)

  depends_on = [google_project_service.api]
}

module "github" {
  source = "./modules/github"
  count  = var.github == null ? 0 : 1

  project_id          = var.project_id
  repository_id       = var.github.repository_id
  repository_owner_id = var.github.repository_owner_id
  accounts = {
    (var.github.environment)         = google_service_account.account["deployer"].name
    (var.github.landing_environment) = google_service_account.account["lander"].name
  }
}

# Alerts, charts and metrics of Cloud Monitoring; or the logs for Datadog, whose alerts and charts are
# a configuration of their own: datadog/.
module "monitoring" {
  source = "./modules/monitoring"
  count  = contains(var.monitoring, "google") ? 1 : 0

  project_id       = var.project_id
  run_jobs         = local.run_jobs
  run_services     = module.dagster[*].service
  jobs             = local.all_jobs
  emails           = var.alerts.emails
  no_success_hours = var.alerts.no_success_hours
  rejected_share   = var.alerts.rejected_share
  runbook          = var.alerts.runbook

  depends_on = [google_project_service.api]
}

moved {
  from = module.monitoring
  to   = module.monitoring[0]
}

module "log_export" {
  source = "./modules/log_export"
  count  = contains(var.monitoring, "datadog") ? 1 : 0

  project_id     = var.project_id
  project_number = var.project_number
  jobs           = local.all_jobs
  services       = concat(module.dagster[*].service, module.readers[*].service)

  depends_on = [google_project_service.api]
}
