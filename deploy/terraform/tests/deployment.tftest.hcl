# The whole deployment against a provider that creates nothing: its resources and its grants.

mock_provider "google" {}

variables {
  project_id     = "drugs-production-1"
  project_number = "123456789012"
  image          = "europe-west1-docker.pkg.dev/drugs-production-1/drug-assets/drug-assets:0.1.0"
}

run "least_privilege" {
  command = apply

  variables {
    github = { repository_id = 123456789, repository_owner_id = 1234567 }
  }

  assert {
    condition     = toset(keys(google_service_account.account)) == toset(["deployer", "events", "fetcher", "lander", "queries", "runner", "workflow"])
    error_message = "One account per component, and none for Dagster if it is not enabled."
  }

  assert {
    condition     = alltrue([for grant in google_project_iam_member.role : !can(regex("roles/(owner|editor|viewer)$|[aA]dmin", grant.role))])
    error_message = "No account gets a basic or an admin role on the project."
  }

  assert {
    condition = { for grant in google_project_iam_member.role : grant.role => grant.member... } == {
      "roles/bigquery.jobUser"       = ["serviceAccount:${google_service_account.account["queries"].email}", "serviceAccount:${google_service_account.account["runner"].email}"]
      "roles/eventarc.eventReceiver" = ["serviceAccount:${google_service_account.account["events"].email}"]
      "roles/logging.logWriter"      = ["serviceAccount:${google_service_account.account["workflow"].email}"]
      "roles/workflows.invoker"      = ["serviceAccount:${google_service_account.account["events"].email}"]
      "roles/workflows.viewer"       = ["serviceAccount:${google_service_account.account["workflow"].email}"]
    }
    error_message = "The accounts have exactly these roles on the project, none of Cloud Run's among them."
  }

  assert {
    condition = alltrue([
      for grants in [module.run_job.grants, module.fetch_job.grants] :
      grants == tolist(["deployer roles/run.developer", "workflow roles/run.jobsExecutorWithOverrides", "workflow roles/run.viewer"])
    ])
    error_message = "The workflow starts the two jobs and waits for them, the deployer changes their image: by roles on each job."
  }

  assert {
    condition     = toset(keys(google_service_account_iam_member.deployer_acts_as)) == toset(["fetcher", "runner"])
    error_message = "The deployer may act only as the accounts of the jobs that it deploys."
  }

  assert {
    condition     = module.buckets.grants == tolist(["landing lookup lander", "landing reader runner", "landing writer fetcher", "landing writer lander", "store writer runner"]) && module.secrets.readers == tolist(["drug-assets-failure-webhook runner", "drug-assets-ncbi-api-key fetcher"])
    error_message = "The runner reads the landing zone and writes the store, the fetcher and the lander write the landing zone; each reads its own secret."
  }

  assert {
    condition     = contains(keys(google_project_service.api), "cloudresourcemanager.googleapis.com")
    error_message = "Roles on the project are granted through the Resource Manager."
  }

  assert {
    condition     = toset(module.run_job.variables) == toset(["DRUG_ASSETS_BIGQUERY_DATASET", "DRUG_ASSETS_BIGQUERY_LOCATION", "DRUG_ASSETS_BIGQUERY_PROJECT", "DRUG_ASSETS_ENV", "DRUG_ASSETS_LANDING", "DRUG_ASSETS_STORE", "TMPDIR"]) && local.pipeline_environment.DRUG_ASSETS_ENV == "bigquery"
    error_message = "A run gets its landing zone, its store, and the dataset that it loads."
  }

  assert {
    condition     = module.fetch_job.variables == tolist(["DRUG_ASSETS_LANDING", "TMPDIR"])
    error_message = "A pull gets only its landing zone."
  }

  assert {
    condition     = output.run_workflow == "drug-assets-run" && output.dagster_url == null
    error_message = "Without Dagster, landed files start the workflow."
  }

  assert {
    condition     = output.jobs == "drug-assets-run drug-assets-fetch"
    error_message = "A release deploys both jobs."
  }

  assert {
    condition     = output.image == "europe-west1-docker.pkg.dev/drugs-production-1/drug-assets/drug-assets"
    error_message = "Releases push where the jobs pull."
  }
}

run "without_github" {
  command = apply

  assert {
    condition     = module.run_job.grants == tolist(["workflow roles/run.jobsExecutorWithOverrides", "workflow roles/run.viewer"])
    error_message = "Without GitHub nobody deploys."
  }

  assert {
    condition     = output.readers_url == null && !contains(keys(google_service_account.account), "readers") && !contains(keys(google_project_service.api), "iap.googleapis.com") && !contains(module.run_job.variables, "DRUG_ASSETS_SERVED_AT")
    error_message = "Nothing is served to readers unless it is asked for."
  }
}

run "with_readers" {
  command = apply

  variables {
    readers = { enabled = true, users = ["group:readers@example.org"] }
    github  = { repository_id = 123456789, repository_owner_id = 1234567 }
  }

  assert {
    condition     = [for grant in module.buckets.grants : grant if endswith(grant, " readers")] == ["store reader readers"]
    error_message = "The account of the service reads the store, and nothing of the landing zone."
  }

  assert {
    condition     = length([for grant in google_project_iam_member.role : grant if grant.member == "serviceAccount:${google_service_account.account["readers"].email}"]) == 0 && length([for reader in module.secrets.readers : reader if endswith(reader, " readers")]) == 0
    error_message = "It has no role on the project, so none in BigQuery, and no secret."
  }

  assert {
    condition     = google_service_account.account["readers"].email != google_service_account.account["runner"].email && contains(keys(google_service_account_iam_member.deployer_acts_as), "readers")
    error_message = "It is an account of its own, which releases may deploy as."
  }

  assert {
    condition     = output.readers_url != null && module.run_job.environment.DRUG_ASSETS_SERVED_AT == "https://drug-assets-readers-123456789012.europe-west1.run.app"
    error_message = "Runs link to the service."
  }

  assert {
    condition     = contains(keys(google_project_service.api), "iap.googleapis.com") && !contains(keys(google_project_service.api), "sqladmin.googleapis.com")
    error_message = "Identity-Aware Proxy is called, and no database."
  }
}

run "without_spark" {
  command = apply

  assert {
    condition     = !var.spark.enabled && length(module.spark) == 0 && output.spark == null && output.executor_image == null && length(module.registry.readers) == 0
    error_message = "Spark is off unless it is asked for."
  }

  assert {
    condition     = !contains(keys(google_service_account.account), "executors") && length(setintersection(["compute.googleapis.com", "dataproc.googleapis.com"], keys(google_project_service.api))) == 0 && length([for grant in google_project_iam_member.role : grant.role if startswith(grant.role, "roles/dataproc.")]) == 0 && length(setintersection(["DRUG_ASSETS_ENGINE", "DRUG_ASSETS_SPARK"], module.run_job.variables)) == 0
    error_message = "Without Spark there is no account for it, no API, no role, and runs use their own machine."
  }
}

run "with_spark" {
  command = apply

  variables {
    spark = { enabled = true }
    job   = { timeout_seconds = 7200 }
  }

  assert {
    condition     = module.run_job.environment.DRUG_ASSETS_ENGINE == "spark" && module.run_job.environment.DRUG_ASSETS_SPARK == "dataproc://drugs-production-1/europe-west1/drug-assets" && output.spark == module.run_job.environment.DRUG_ASSETS_SPARK
    error_message = "Runs open sessions of the template."
  }

  assert {
    condition     = module.fetch_job.variables == tolist(["DRUG_ASSETS_LANDING", "TMPDIR"])
    error_message = "Pulls know nothing of Spark."
  }

  assert {
    condition     = [for grant in module.buckets.grants : grant if endswith(grant, " executors")] == ["landing reader executors", "store writer executors"]
    error_message = "Executors read the landing zone and write the store."
  }

  assert {
    condition = { for grant in google_project_iam_member.role : grant.role => grant.member... if startswith(grant.role, "roles/dataproc.") } == {
      "roles/dataproc.serverlessEditor" = ["serviceAccount:${google_service_account.account["runner"].email}"]
      "roles/dataproc.worker"           = ["serviceAccount:${google_service_account.account["executors"].email}"]
    }
    error_message = "The runner opens sessions, executors work in them."
  }

  assert {
    condition     = length([for grant in google_project_iam_member.role : grant if grant.member == "serviceAccount:${google_service_account.account["executors"].email}"]) == 1 && length([for reader in module.secrets.readers : reader if endswith(reader, " executors")]) == 0
    error_message = "Executors have no further role on the project, so none in BigQuery, and no secret."
  }

  assert {
    condition     = module.registry.readers == tolist(["executors", "nodes"]) && output.executor_image == "europe-west1-docker.pkg.dev/drugs-production-1/drug-assets/drug-assets-executor"
    error_message = "Executors pull their image where releases push it."
  }

  assert {
    condition     = contains(keys(google_project_service.api), "compute.googleapis.com") && contains(keys(google_project_service.api), "dataproc.googleapis.com")
    error_message = "Sessions need Dataproc, their network needs Compute Engine."
  }

  assert {
    condition     = module.spark[0].max_seconds == 7200
    error_message = "No session outlives the run that opened it."
  }
}

run "with_spark_and_dagster" {
  command = apply

  variables {
    postgres_password = "correct horse battery staple"
    dagster           = { enabled = true }
    spark             = { enabled = true }
  }

  assert {
    condition     = length(setsubtract(["DRUG_ASSETS_ENGINE", "DRUG_ASSETS_SPARK"], module.dagster[0].run_variables)) == 0
    error_message = "Runs of Dagster open sessions, too."
  }
}

run "sales_of_this_year" {
  command = plan

  assert {
    condition     = local.sales_period == "DATE_TRUNC(CURRENT_DATE('Europe/Paris'), YEAR), CURRENT_DATE('Europe/Paris')"
    error_message = "The scheduled sales queries are about the current year so far."
  }
}

run "sales_of_a_period" {
  command = plan

  variables {
    warehouse = { sales_dataset = "sales", sales_from = "2025-07-01", sales_to = "2026-06-30" }
  }

  assert {
    condition     = local.sales_period == "DATE '2025-07-01', DATE '2026-06-30'"
    error_message = "Their period can be given."
  }
}

run "sales_refuse_what_is_no_day" {
  command = plan

  variables {
    warehouse = { sales_from = "2026-02-31" }
  }

  expect_failures = [var.warehouse]
}

run "sales_refuse_a_last_day_without_a_first" {
  command = plan

  variables {
    warehouse = { sales_to = "2026-06-30" }
  }

  expect_failures = [var.warehouse]
}

run "sales_refuse_a_last_day_before_the_first" {
  command = plan

  variables {
    warehouse = { sales_from = "2026-06-30", sales_to = "2026-06-29" }
  }

  expect_failures = [var.warehouse]
}

run "sales_of_one_day" {
  command = plan

  variables {
    warehouse = { sales_from = "2026-06-30", sales_to = "2026-06-30" }
  }

  assert {
    condition     = local.sales_period == "DATE '2026-06-30', DATE '2026-06-30'"
    error_message = "A day is a period."
  }
}

run "github_refuses_one_environment_for_both" {
  command = plan

  variables {
    github = { repository_id = 123456789, repository_owner_id = 1234567, landing_environment = "production" }
  }

  expect_failures = [var.github]
}

run "without_bigquery" {
  command = apply

  variables {
    load_bigquery = false
  }

  assert {
    condition     = module.run_job.variables == tolist(["DRUG_ASSETS_LANDING", "DRUG_ASSETS_STORE", "TMPDIR"])
    error_message = "Without BigQuery, a run gets only its locations."
  }
}

run "with_dagster" {
  command = apply

  variables {
    postgres_password = "correct horse battery staple"
    dagster           = { enabled = true, users = ["group:data@example.org"] }
    readers           = { enabled = true }
    github            = { repository_id = 123456789, repository_owner_id = 1234567 }
  }

  assert {
    condition     = module.dagster[0].run_grants == tolist(["dagster roles/run.jobsExecutorWithOverrides", "dagster roles/run.viewer", "deployer roles/run.developer"]) && length([for grant in google_project_iam_member.role : grant.role if startswith(grant.role, "roles/run.")]) == 0
    error_message = "Dagster starts its runs and looks after them, the deployer changes their image: by roles on the job."
  }

  assert {
    condition     = contains(module.dagster[0].run_variables, "DRUG_ASSETS_SERVED_AT")
    error_message = "Dagster's pages link to the service for readers."
  }

  assert {
    condition     = output.run_workflow == null && length(google_project_iam_member.storage_publishes) == 0
    error_message = "With Dagster, its sensors start runs: Eventarc must not start others beside them."
  }

  assert {
    condition     = !contains(module.dagster[0].run_variables, "DRUG_ASSETS_PUBMED_QUERY") && !contains(module.buckets.grants, "landing writer runner") && !contains(module.secrets.readers, "drug-assets-ncbi-api-key runner")
    error_message = "Without a query, Dagster does not pull, and its runs may not write the landing zone."
  }

  assert {
    condition     = output.jobs == "drug-assets-run drug-assets-fetch drug-assets-dagster-run"
    error_message = "Runs of Dagster are executions of a job of their own."
  }

  assert {
    condition     = toset(keys(google_service_account_iam_member.deployer_acts_as)) == toset(["dagster", "fetcher", "readers", "runner"])
    error_message = "Dagster acts as its own account, which releases may deploy as."
  }
}

run "with_dagster_secrets_and_pulls" {
  command = apply

  variables {
    postgres_password = "correct horse battery staple"
    secrets_in_use    = ["drug-assets-ncbi-api-key", "drug-assets-failure-webhook"]
    ncbi_email        = "data@example.org"
    dagster           = { enabled = true, pubmed_query = "aspirin[Title]" }
  }

  assert {
    condition     = length(setsubtract(["DRUG_ASSETS_PUBMED_QUERY", "NCBI_EMAIL", "NCBI_API_KEY", "DRUG_ASSETS_FAILURE_WEBHOOK", "DAGSTER_POSTGRES_URL"], module.dagster[0].run_variables)) == 0 && !contains(module.dagster[0].run_variables, "DRUG_ASSETS_CLINICAL_TRIALS_QUERY")
    error_message = "A run that pulls gets its query, the address and key for NCBI, and the webhook; it gets no variable for a query that is not set."
  }

  assert {
    condition     = contains(module.fetch_job.variables, "NCBI_EMAIL") && contains(module.fetch_job.variables, "NCBI_API_KEY")
    error_message = "The fetch job identifies its caller to NCBI."
  }

  assert {
    condition     = module.buckets.grants == tolist(["landing reader dagster", "landing reader runner", "landing writer fetcher", "landing writer runner", "store reader dagster", "store writer runner"])
    error_message = "With a query, runs of Dagster may land files."
  }

  assert {
    condition     = module.secrets.readers == tolist(["drug-assets-failure-webhook dagster", "drug-assets-failure-webhook runner", "drug-assets-ncbi-api-key fetcher", "drug-assets-ncbi-api-key runner"])
    error_message = "Exactly the accounts that get a secret may read it."
  }
}

run "refuses_a_blank_query" {
  command = plan

  variables {
    dagster = { enabled = true, pubmed_query = " " }
  }

  expect_failures = [var.dagster]
}

run "refuses_an_image_that_moves" {
  command = plan

  variables {
    image = "europe-west1-docker.pkg.dev/drugs-production-1/drug-assets/drug-assets:latest"
  }

  expect_failures = [var.image]
}

run "refuses_a_multi_region" {
  command = plan

  variables {
    region = "EU"
  }

  expect_failures = [var.region]
}

run "refuses_an_unknown_secret" {
  command = plan

  variables {
    secrets_in_use = ["drug-assets-ncbi-key"]
  }

  expect_failures = [var.secrets_in_use]
}

run "with_datadog" {
  command = apply

  variables {
    monitoring        = ["datadog"]
    postgres_password = "correct horse battery staple"
    dagster           = { enabled = true }
    alerts            = { emails = ["data@example.org"], no_success_hours = 12 }
  }

  assert {
    condition     = length(module.monitoring) == 0 && length(module.log_export) == 1
    error_message = "Datadog in place of Cloud Monitoring."
  }

  assert {
    condition = jsonencode(output.datadog) == jsonencode({
      project_id       = "drugs-production-1"
      run_jobs         = ["drug-assets-run", "drug-assets-dagster-run"]
      run_services     = ["drug-assets-dagster"]
      jobs             = ["drug-assets-run", "drug-assets-fetch", "drug-assets-dagster-run"]
      no_success_hours = 12
      rejected_share   = 0.05
      runbook          = "docs/operations.md"
      notified         = ["@data@example.org"]
    })
    error_message = "Datadog is told what to watch."
  }
}

run "google_watches_by_default" {
  command = plan

  assert {
    condition     = length(module.monitoring) == 1 && length(module.log_export) == 0 && output.datadog == null
    error_message = "Without Datadog, no log leaves."
  }
}

run "somebody_watches" {
  command = plan

  variables {
    monitoring = []
  }

  expect_failures = [var.monitoring]
}

run "only_known_services_watch" {
  command = plan

  variables {
    monitoring = ["google", "newrelic"]
  }

  expect_failures = [var.monitoring]
}
