# Each module on its own: its resources and their arguments.

mock_provider "google" {}

variables {
  project_id          = "drugs-production-1"
  project_number      = "123456789012"
  region              = "europe-west1"
  location            = "europe-west1"
  image               = "europe-west1-docker.pkg.dev/drugs-production-1/drug-assets/drug-assets:0.1.0"
  time_zone           = "Europe/Paris"
  deletion_protection = true

  workflow_service_account = "workflow@drugs-production-1.iam.gserviceaccount.com"
  event_service_account    = "events@drugs-production-1.iam.gserviceaccount.com"
}

run "registry" {
  command = plan

  module {
    source = "./modules/registry"
  }

  assert {
    condition     = google_artifact_registry_repository.images.docker_config[0].immutable_tags && length(google_artifact_registry_repository.images.cleanup_policies) == 2
    error_message = "Tags are immutable, and old images are deleted."
  }
}

run "job" {
  command = plan

  module {
    source = "./modules/cloud_run_job"
  }

  variables {
    name            = "drug-assets-run"
    command         = ["drug-assets", "run", "--only-if-changed"]
    service_account = "runner@drugs-production-1.iam.gserviceaccount.com"
    environment     = { DRUG_ASSETS_ENV = "bigquery" }
    secrets         = { NCBI_API_KEY = "drug-assets-ncbi-api-key" }
    cpu             = "2"
    memory          = "4Gi"
    scratch_gib     = 20
    timeout_seconds = 3600
    max_retries     = 1
    starters        = { workflow = "serviceAccount:workflow" }
    viewers         = { workflow = "serviceAccount:workflow" }
    deployers       = { deployer = "serviceAccount:deployer" }
  }

  assert {
    condition     = google_cloud_run_v2_job.job.template[0].template[0].timeout == "3600s" && google_cloud_run_v2_job.job.template[0].template[0].max_retries == 1
    error_message = "Time-out and retries reach the job."
  }

  assert {
    condition     = google_cloud_run_v2_job.job.template[0].task_count == 1 && google_cloud_run_v2_job.job.template[0].parallelism == 1
    error_message = "One task: two would write the same tables at once."
  }

  assert {
    condition     = google_cloud_run_v2_job.job.template[0].template[0].containers[0].resources[0].limits == tomap({ cpu = "2", memory = "4Gi" })
    error_message = "CPU and memory reach the container."
  }

  assert {
    condition = {
      for variable in google_cloud_run_v2_job.job.template[0].template[0].containers[0].env :
      variable.name => try(variable.value_source[0].secret_key_ref[0].secret, variable.value)
    } == { DRUG_ASSETS_ENV = "bigquery", NCBI_API_KEY = "drug-assets-ncbi-api-key", TMPDIR = "/scratch" }
    error_message = "Plain values are plain; secrets are references, never values."
  }

  assert {
    condition     = google_cloud_run_v2_job.job.template[0].template[0].volumes[0].empty_dir[0].medium == "DISK" && google_cloud_run_v2_job.job.template[0].template[0].volumes[0].empty_dir[0].size_limit == "20Gi" && google_cloud_run_v2_job.job.template[0].template[0].containers[0].volume_mounts[0].mount_path == "/scratch"
    error_message = "Temporary files lie on a disk."
  }

  assert {
    condition     = google_cloud_run_v2_job_iam_member.starter["workflow"].role == "roles/run.jobsExecutorWithOverrides"
    error_message = "A starter may run this job, and not change it."
  }

  assert {
    condition = [
      for grant in concat(values(google_cloud_run_v2_job_iam_member.viewer), values(google_cloud_run_v2_job_iam_member.deployer)) :
      "${grant.name} ${grant.member} ${grant.role}"
    ] == ["drug-assets-run serviceAccount:workflow roles/run.viewer", "drug-assets-run serviceAccount:deployer roles/run.developer"]
    error_message = "Who waits for this job, and who deploys it, may do so with this job alone."
  }
}

run "job_refuses_a_disk_that_cloud_run_does_not_have" {
  command = plan

  module {
    source = "./modules/cloud_run_job"
  }

  variables {
    name            = "drug-assets-run"
    command         = []
    service_account = "runner@drugs-production-1.iam.gserviceaccount.com"
    environment     = {}
    cpu             = "2"
    memory          = "4Gi"
    scratch_gib     = 9
    timeout_seconds = 3600
    max_retries     = 1
  }

  expect_failures = [var.scratch_gib]
}

run "job_refuses_half_a_second" {
  command = plan

  module {
    source = "./modules/cloud_run_job"
  }

  variables {
    name            = "drug-assets-run"
    command         = []
    service_account = "runner@drugs-production-1.iam.gserviceaccount.com"
    environment     = {}
    cpu             = "2"
    memory          = "4Gi"
    timeout_seconds = 3600.5
    max_retries     = 1
  }

  expect_failures = [var.timeout_seconds]
}

run "landing_trigger" {
  command = apply

  module {
    source = "./modules/landing_trigger"
  }

  variables {
    bucket      = "drugs-production-1-drug-assets-landing"
    job         = "drug-assets-run"
    job_seconds = 8400
    schedule    = "0 5 * * *"
  }

  assert {
    condition = { for criterion in google_eventarc_trigger.landed.matching_criteria : criterion.attribute => criterion.value } == {
      type   = "google.cloud.storage.object.v1.finalized"
      bucket = "drugs-production-1-drug-assets-landing"
    }
    error_message = "New objects of the landing bucket are the events."
  }

  assert {
    condition     = google_eventarc_trigger.landed.destination[0].workflow == google_workflows_workflow.run.id && google_eventarc_trigger.landed.location == "europe-west1"
    error_message = "Eventarc starts the workflow, from the region of the bucket."
  }

  assert {
    condition     = google_workflows_workflow.run.user_env_vars == tomap({ JOB = "drug-assets-run", JOB_SECONDS = "8400", SETTLE_SECONDS = "60" })
    error_message = "The workflow knows its job and how long to wait for it."
  }

  assert {
    condition     = endswith(google_cloud_scheduler_job.run[0].http_target[0].uri, "${google_workflows_workflow.run.id}/executions")
    error_message = "The schedule goes through the workflow: no two runs at once."
  }
}

run "api_pulls" {
  command = apply

  module {
    source = "./modules/api_pulls"
  }

  variables {
    job         = "drug-assets-fetch"
    job_seconds = 66600
    pulls = {
      trials = { schedule = "0 3 * * 1", message = { source = "clinical_trials", query = "aspirin" } }
    }
  }

  assert {
    condition     = jsondecode(base64decode(google_cloud_scheduler_job.pull["trials"].pubsub_target[0].data)) == { source = "clinical_trials", query = "aspirin" }
    error_message = "The message has exactly the requested fields: the job would refuse unknown or empty ones."
  }

  assert {
    condition     = google_eventarc_trigger.requested.transport[0].pubsub[0].topic == google_pubsub_topic.pulls.id && google_eventarc_trigger.requested.destination[0].workflow == google_workflows_workflow.fetch.id
    error_message = "A message starts the fetch workflow."
  }

  assert {
    condition     = google_pubsub_subscription.requests.retain_acked_messages && google_pubsub_subscription.requests.message_retention_duration == "604800s" && google_pubsub_subscription.requests.expiration_policy[0].ttl == ""
    error_message = "A person can read every request of the last week, and the subscription never expires."
  }
}

run "api_pulls_refuse_an_unknown_source" {
  command = plan

  module {
    source = "./modules/api_pulls"
  }

  variables {
    job         = "drug-assets-fetch"
    job_seconds = 66600
    pulls = {
      trials = { schedule = "0 3 * * 1", message = { source = "clinical-trials", query = "aspirin" } }
    }
  }

  expect_failures = [var.pulls]
}

run "bigquery" {
  command = plan

  module {
    source = "./modules/bigquery"
  }

  variables {
    location              = "EU"
    dataset               = "drug_assets"
    sales_dataset         = "sales"
    sql_directory         = "../../drug_assets/warehouse_sql"
    writers               = { runner = "serviceAccount:runner" }
    query_service_account = "queries@drugs-production-1.iam.gserviceaccount.com"
    scheduled_queries = {
      sales_revenue = { schedule = "every day 04:00", query = "SELECT * FROM `{project}.{dataset}.revenue_per_day`(NULL, NULL)" }
    }
  }

  assert {
    condition     = toset(keys(google_bigquery_table.table)) == toset(keys(jsondecode(file("modules/bigquery/tables.json"))))
    error_message = "One table for each contract that is published, and the table of releases."
  }

  assert {
    condition     = google_bigquery_table.table["mentions"].time_partitioning[0].type == "YEAR" && google_bigquery_table.table["mentions"].time_partitioning[0].field == "date" && google_bigquery_table.table["mentions"].clustering == tolist(["drug_id", "journal_id"])
    error_message = "Mentions are partitioned by year and clustered by drug and journal."
  }

  assert {
    condition     = length(google_bigquery_table.table["drugs"].time_partitioning) == 0
    error_message = "A table without date has no partitions."
  }

  assert {
    condition = one([
      for field in jsondecode(google_bigquery_table.table["mentions"].schema) : field.type == "RECORD" && field.mode == "REPEATED" && [for part in field.fields : part.name] == ["start", "end", "text", "by"]
      if field.name == "spans"
    ])
    error_message = "Spans are a repeated record."
  }

  assert {
    condition     = length(google_bigquery_table.view) == length(fileset("../../drug_assets/warehouse_sql/views", "*.sql")) && length(google_bigquery_table.view) > 0
    error_message = "One view for each statement."
  }

  assert {
    condition     = length(google_bigquery_table.function_view) == length(fileset("../../drug_assets/warehouse_sql/function_views", "*.sql")) && length(google_bigquery_table.function_view) > 0
    error_message = "One view of table functions for each statement."
  }

  assert {
    condition     = alltrue([for view in merge(google_bigquery_table.view, google_bigquery_table.function_view) : startswith(view.view[0].query, "SELECT") || startswith(view.view[0].query, "WITH") || startswith(view.view[0].query, "--")])
    error_message = "A view's query begins after AS."
  }

  assert {
    condition     = length(google_bigquery_routine.table_function) == length(fileset("../../drug_assets/warehouse_sql/table_functions", "*.sql")) && length(google_bigquery_routine.function) == length(fileset("../../drug_assets/warehouse_sql/functions", "*.sql"))
    error_message = "One routine for each statement."
  }

  assert {
    condition     = [for argument in google_bigquery_routine.table_function["revenue_per_day"].arguments : "${argument.name} ${jsondecode(argument.data_type).typeKind}"] == ["date_from DATE", "date_to DATE"]
    error_message = "Arguments are those of the statement, in order."
  }

  assert {
    condition     = { for argument in google_bigquery_routine.table_function["drugs_in_same_journals"].arguments : argument.name => jsondecode(argument.data_type) } == { drug_name = { typeKind = "STRING" }, exclude_trial_journals = { typeKind = "BOOL" }, exclude_retracted = { typeKind = "BOOL" }, with_trial_results = { typeKind = "BOOL" } }
    error_message = "Arguments have the types of the statement."
  }

  assert {
    condition = [
      for column in jsondecode(google_bigquery_routine.table_function["drugs_in_same_journals"].return_table_type).columns :
      "${column.name} ${try(column.type.arrayElementType.typeKind, "")} ${column.type.typeKind}" if contains(["drug", "journals"], column.name)
    ] == ["drug  STRING", "journals STRING ARRAY"]
    error_message = "Columns have the types of the statement."
  }

  assert {
    condition = alltrue([
      for name, routine in google_bigquery_routine.table_function : length(jsondecode(routine.return_table_type).columns) > 1
      if strcontains(file("../../drug_assets/warehouse_sql/table_functions/${name}.sql"), "\nRETURNS TABLE<")
    ]) && jsondecode(google_bigquery_routine.table_function["revenue_per_day"].return_table_type) == { columns = [{ name = "date", type = { typeKind = "DATE" } }, { name = "ventes", type = { typeKind = "NUMERIC" } }] }
    error_message = "A table function has the columns that its statement declares."
  }

  assert {
    condition     = alltrue([for routine in google_bigquery_routine.function : jsondecode(routine.return_type).typeKind == "STRING"])
    error_message = "A function returns the type of the statement."
  }

  assert {
    condition     = strcontains(google_bigquery_table.view["sales_lines"].view[0].query, "`drugs-production-1.sales.TRANSACTIONS`") && strcontains(google_bigquery_routine.table_function["revenue_per_day"].definition_body, "`drugs-production-1.drug_assets.sales_lines`") && !strcontains(google_bigquery_routine.table_function["revenue_per_day"].definition_body, "CREATE")
    error_message = "A body is the query alone, with its references filled."
  }

  assert {
    condition     = google_bigquery_data_transfer_config.scheduled_query["sales_revenue"].params.query == "SELECT * FROM `drugs-production-1.drug_assets.revenue_per_day`(NULL, NULL)"
    error_message = "References of scheduled queries are filled."
  }
}

run "bigquery_without_sales" {
  command = plan

  module {
    source = "./modules/bigquery"
  }

  variables {
    location              = "EU"
    dataset               = "drug_assets"
    sql_directory         = "../../drug_assets/warehouse_sql"
    writers               = {}
    query_service_account = "queries@drugs-production-1.iam.gserviceaccount.com"
    scheduled_queries = {
      sales_revenue = { schedule = "every day 04:00", query = "SELECT * FROM `{project}.{sales_dataset}.TRANSACTIONS`" }
    }
  }

  assert {
    condition = (
      setsubtract(toset([for path in fileset("../../drug_assets/warehouse_sql", "{views,function_views,table_functions}/*.sql") : trimsuffix(basename(path), ".sql")]), toset(concat(keys(google_bigquery_routine.table_function), keys(google_bigquery_table.view), keys(google_bigquery_table.function_view))))
      == toset(["sales_lines", "rejected_sales", "revenue_per_day", "furniture_and_decoration_per_client"])
      && length(google_bigquery_data_transfer_config.scheduled_query) == 0
    )
    error_message = "Without a sales dataset exactly the objects that read it are left out."
  }
}

run "dagster" {
  command = plan

  module {
    source = "./modules/dagster"
  }

  variables {
    environment               = { DRUG_ASSETS_ENV = "bigquery" }
    service_account           = "dagster@drugs-production-1.iam.gserviceaccount.com"
    runner_service_account    = "runner@drugs-production-1.iam.gserviceaccount.com"
    secrets                   = { DRUG_ASSETS_FAILURE_WEBHOOK = "drug-assets-failure-webhook" }
    run_secrets               = { NCBI_API_KEY = "drug-assets-ncbi-api-key" }
    users                     = ["group:data@example.org"]
    database_tier             = "db-g1-small"
    postgres_password         = "correct horse battery staple"
    postgres_password_version = 1
    run                       = { cpu = "2", memory = "4Gi", scratch_gib = 10, timeout_seconds = 5400 }
    deployers                 = { deployer = "serviceAccount:deployer" }
  }

  assert {
    condition     = "${google_cloud_run_v2_service_iam_member.deployer["deployer"].name} ${google_cloud_run_v2_service_iam_member.deployer["deployer"].role}" == "drug-assets-dagster roles/run.developer"
    error_message = "Releases deploy the service by a role on it alone."
  }

  assert {
    condition     = [for container in google_cloud_run_v2_service.dagster.template[0].containers : container.name] == ["webserver", "code-server", "daemon"]
    error_message = "Webserver, code server and daemon run side by side."
  }

  assert {
    condition = {
      for container in google_cloud_run_v2_service.dagster.template[0].containers :
      container.name => [container.args[index(container.args, "--host") + 1], tonumber(container.args[index(container.args, "--port") + 1])]
      if length(container.startup_probe) > 0 || length(container.liveness_probe) > 0
      } == {
      for container in google_cloud_run_v2_service.dagster.template[0].containers :
      container.name => ["0.0.0.0", one(distinct([
        for probe in concat(container.startup_probe, container.liveness_probe) : concat(probe.http_get, probe.grpc)[0].port
      ]))]
      if container.name != "daemon"
    }
    error_message = "Webserver and code server listen where they are probed, on every address; the daemon does not listen."
  }

  assert {
    condition     = google_cloud_run_v2_service.dagster.template[0].scaling[0].min_instance_count == 1 && google_cloud_run_v2_service.dagster.template[0].scaling[0].max_instance_count == 1
    error_message = "Exactly one instance: two daemons would launch each run twice."
  }

  assert {
    condition     = alltrue([for container in google_cloud_run_v2_service.dagster.template[0].containers : container.resources[0].cpu_idle == false])
    error_message = "The daemon works between requests."
  }

  assert {
    condition     = google_cloud_run_v2_service.dagster.iap_enabled && toset(keys(google_iap_web_cloud_run_service_iam_member.user)) == toset(["group:data@example.org"])
    error_message = "Only the given users may open the UI."
  }

  assert {
    condition     = google_sql_database_instance.dagster.settings[0].connector_enforcement == "REQUIRED" && length(google_sql_database_instance.dagster.settings[0].ip_configuration[0].authorized_networks) == 0
    error_message = "The database can be reached only through Google's connectors."
  }

  assert {
    condition     = google_sql_user.dagster.deletion_policy == "ABANDON" && google_sql_database.dagster.deletion_policy == "ABANDON"
    error_message = "User and database go with their instance: PostgreSQL drops neither while they are in use."
  }

  assert {
    condition = [
      for container in google_cloud_run_v2_service.dagster.template[0].containers :
      { for variable in container.env : variable.name => variable.value_source[0].secret_key_ref[0].secret if length(variable.value_source) > 0 }
      ] == [
      for container in ["webserver", "code-server", "daemon"] :
      { DAGSTER_POSTGRES_URL = "drug-assets-dagster-postgres-url", DRUG_ASSETS_FAILURE_WEBHOOK = "drug-assets-failure-webhook" }
    ]
    error_message = "The service reads the database's address and the webhook, which it posts failed runs to, as secrets."
  }

  assert {
    condition     = google_sql_database_instance.dagster.deletion_protection && google_sql_database_instance.dagster.settings[0].backup_configuration[0].point_in_time_recovery_enabled
    error_message = "The database is backed up and not deleted by mistake."
  }

  assert {
    condition = [
      for container in google_cloud_run_v2_service.dagster.template[0].containers :
      [for variable in container.env : variable.value if variable.name == yamldecode(file("../dagster.yaml")).run_launcher.config.run_timeout.env]
    ] == [["5400"], ["5400"], ["5400"]] && contains(output.run_variables, yamldecode(file("../dagster.yaml")).run_launcher.config.run_timeout.env)
    error_message = "The time-out of the job reaches the variable that dagster.yaml reads, in the service and in runs."
  }

  assert {
    condition     = output.run_job == yamldecode(file("../dagster.yaml")).run_launcher.config.job_name_by_code_location.drug_assets
    error_message = "The job is the one that dagster.yaml names."
  }
}

run "dagster_refuses_a_short_password" {
  command = plan

  module {
    source = "./modules/dagster"
  }

  variables {
    environment               = {}
    service_account           = "dagster@drugs-production-1.iam.gserviceaccount.com"
    runner_service_account    = "runner@drugs-production-1.iam.gserviceaccount.com"
    users                     = []
    database_tier             = "db-g1-small"
    postgres_password         = "dagster"
    postgres_password_version = 1
    run                       = { cpu = "2", memory = "4Gi", scratch_gib = 10, timeout_seconds = 3600 }
  }

  expect_failures = [var.postgres_password]
}

run "readers" {
  command = plan

  module {
    source = "./modules/readers"
  }

  variables {
    store           = "gs://drugs-production-1-drug-assets-store"
    service_account = "readers@drugs-production-1.iam.gserviceaccount.com"
    access          = "iap"
    users           = ["group:readers@example.org"]
    cpu             = "1"
    memory          = "2Gi"
    scratch_gib     = 20
    max_instances   = 2
    concurrency     = 40
    timeout_seconds = 600
    deployers       = { deployer = "serviceAccount:deployer" }
  }

  assert {
    condition     = google_cloud_run_v2_service.readers.template[0].containers[0].args == tolist(["drug-assets", "serve", "--host", "0.0.0.0"]) && google_cloud_run_v2_service.readers.template[0].containers[0].ports[0].container_port == 8080
    error_message = "It listens on every address; the port is told by PORT, which Cloud Run sets to that of the container."
  }

  assert {
    condition     = { for variable in google_cloud_run_v2_service.readers.template[0].containers[0].env : variable.name => variable.value } == { DRUG_ASSETS_STORE = "gs://drugs-production-1-drug-assets-store", TMPDIR = "/scratch" }
    error_message = "It knows the store, and neither the landing zone nor the dataset."
  }

  assert {
    condition     = google_cloud_run_v2_service.readers.template[0].volumes[0].empty_dir[0].medium == "DISK" && google_cloud_run_v2_service.readers.template[0].volumes[0].empty_dir[0].size_limit == "20Gi" && google_cloud_run_v2_service.readers.template[0].containers[0].volume_mounts[0].mount_path == "/scratch"
    error_message = "Copies of files lie on a disk."
  }

  assert {
    condition     = google_cloud_run_v2_service.readers.template[0].scaling[0].min_instance_count == 0 && google_cloud_run_v2_service.readers.template[0].scaling[0].max_instance_count == 2 && google_cloud_run_v2_service.readers.template[0].containers[0].resources[0].cpu_idle
    error_message = "While nobody asks, nothing runs and nothing is billed."
  }

  assert {
    condition     = google_cloud_run_v2_service.readers.template[0].max_instance_request_concurrency == 40 && google_cloud_run_v2_service.readers.template[0].timeout == "600s" && google_cloud_run_v2_service.readers.template[0].containers[0].resources[0].limits == tomap({ cpu = "1", memory = "2Gi" })
    error_message = "Limits reach the service."
  }

  assert {
    condition     = [for probe in concat(google_cloud_run_v2_service.readers.template[0].containers[0].startup_probe, google_cloud_run_v2_service.readers.template[0].containers[0].liveness_probe) : probe.http_get[0].path] == ["/alive", "/alive"]
    error_message = "Both probes ask what needs neither a release nor the store."
  }

  assert {
    condition     = google_cloud_run_v2_service.readers.template[0].containers[0].startup_probe[0].period_seconds * google_cloud_run_v2_service.readers.template[0].containers[0].startup_probe[0].failure_threshold <= 240
    error_message = "Cloud Run waits 240 seconds at most."
  }

  assert {
    condition     = google_cloud_run_v2_service.readers.iap_enabled && !google_cloud_run_v2_service.readers.invoker_iam_disabled && google_cloud_run_v2_service_iam_member.proxy[0].member == "serviceAccount:service-123456789012@gcp-sa-iap.iam.gserviceaccount.com" && toset(keys(google_iap_web_cloud_run_service_iam_member.user)) == toset(["group:readers@example.org"])
    error_message = "Only the given users may read, and only the proxy may call the service."
  }

  assert {
    condition     = "${google_cloud_run_v2_service_iam_member.deployer["deployer"].name} ${google_cloud_run_v2_service_iam_member.deployer["deployer"].role}" == "drug-assets-readers roles/run.developer"
    error_message = "Releases deploy this service by a role on it alone."
  }
}

run "readers_in_public" {
  command = plan

  module {
    source = "./modules/readers"
  }

  variables {
    store           = "gs://drugs-production-1-drug-assets-store"
    service_account = "readers@drugs-production-1.iam.gserviceaccount.com"
    access          = "public"
    users           = []
    cpu             = "1"
    memory          = "2Gi"
    scratch_gib     = 10
    max_instances   = 1
    concurrency     = 40
    timeout_seconds = 600
  }

  assert {
    condition     = google_cloud_run_v2_service.readers.invoker_iam_disabled && !google_cloud_run_v2_service.readers.iap_enabled && length(google_cloud_run_v2_service_iam_member.proxy) == 0 && length(google_iap_web_cloud_run_service_iam_member.user) == 0
    error_message = "Everybody may read, and no proxy is in between."
  }
}

run "readers_without_a_disk" {
  command = plan

  module {
    source = "./modules/readers"
  }

  variables {
    store           = "gs://drugs-production-1-drug-assets-store"
    service_account = "readers@drugs-production-1.iam.gserviceaccount.com"
    access          = "public"
    users           = []
    cpu             = "1"
    memory          = "2Gi"
    scratch_gib     = 0
    max_instances   = 1
    concurrency     = 40
    timeout_seconds = 600
  }

  assert {
    condition     = length(google_cloud_run_v2_service.readers.template[0].volumes) == 0 && length(google_cloud_run_v2_service.readers.template[0].containers[0].volume_mounts) == 0 && [for variable in google_cloud_run_v2_service.readers.template[0].containers[0].env : variable.name] == ["DRUG_ASSETS_STORE"]
    error_message = "In a region without disks, copies of files lie in memory."
  }
}

run "readers_refuse_users_whom_nobody_asks_for" {
  command = plan

  module {
    source = "./modules/readers"
  }

  variables {
    store           = "gs://drugs-production-1-drug-assets-store"
    service_account = "readers@drugs-production-1.iam.gserviceaccount.com"
    access          = "public"
    users           = ["group:readers@example.org"]
    cpu             = "1"
    memory          = "2Gi"
    scratch_gib     = 10
    max_instances   = 1
    concurrency     = 40
    timeout_seconds = 600
  }

  expect_failures = [var.users]
}

run "readers_refuse_limits_beyond_those_of_server_and_cloud_run" {
  command = plan

  module {
    source = "./modules/readers"
  }

  variables {
    store           = "gs://drugs-production-1-drug-assets-store"
    service_account = "readers@drugs-production-1.iam.gserviceaccount.com"
    access          = "everybody"
    users           = []
    cpu             = "1"
    memory          = "2Gi"
    scratch_gib     = 9
    max_instances   = 0
    concurrency     = 1000
    timeout_seconds = 7200
  }

  expect_failures = [var.access, var.scratch_gib, var.max_instances, var.concurrency, var.timeout_seconds]
}

run "spark" {
  command = apply

  module {
    source = "./modules/spark"
  }

  variables {
    service_account = "executors@drugs-production-1.iam.gserviceaccount.com"
    users           = { runner = "serviceAccount:runner" }
    runtime_version = "3.0"
    subnetwork      = null
    ip_range        = "10.77.0.0/22"
    executor_cores  = 8
    min_executors   = 2
    max_executors   = 20
    idle_seconds    = 600
    max_seconds     = 3600
  }

  assert {
    condition     = google_dataproc_session_template.executors.name == "projects/drugs-production-1/locations/europe-west1/sessionTemplates/drug-assets" && output.address == "dataproc://drugs-production-1/europe-west1/drug-assets" && length(google_dataproc_session_template.executors.spark_connect_session) == 1
    error_message = "Sessions of the template speak Spark Connect, and runs are told its address."
  }

  assert {
    condition     = google_dataproc_session_template.executors.runtime_config[0].version == "3.0"
    error_message = "The runtime has the Spark of the client."
  }

  assert {
    condition = google_dataproc_session_template.executors.runtime_config[0].properties == tomap({
      "spark.driver.cores"                   = "4"
      "spark.dynamicAllocation.enabled"      = "true"
      "spark.dynamicAllocation.maxExecutors" = "20"
      "spark.dynamicAllocation.minExecutors" = "2"
      "spark.executor.cores"                 = "8"
      "spark.executor.instances"             = "2"
      "spark.executor.memory"                = "8g"
      "spark.executor.memoryOverhead"        = "24g"
    })
    error_message = "Executors are as many and as large as asked for; most of their memory is Python's."
  }

  assert {
    condition = [
      for config in google_dataproc_session_template.executors.environment_config[0].execution_config :
      "${config.service_account} ${config.authentication_config[0].user_workload_authentication_type} ${config.idle_ttl} ${config.ttl} ${config.staging_bucket}"
    ] == ["executors@drugs-production-1.iam.gserviceaccount.com SERVICE_ACCOUNT 600s 3600s drugs-production-1-drug-assets-spark"]
    error_message = "Executors act as their own account, and Google ends what a killed run leaves behind."
  }

  assert {
    condition     = google_compute_subnetwork.executors[0].private_ip_google_access && google_dataproc_session_template.executors.environment_config[0].execution_config[0].subnetwork_uri == google_compute_subnetwork.executors[0].id && !google_compute_network.spark[0].auto_create_subnetworks
    error_message = "Nodes reach Google's services without an address outside, in a network of their own."
  }

  assert {
    condition     = google_compute_firewall.among_themselves[0].direction == "INGRESS" && google_compute_firewall.among_themselves[0].source_ranges == tolist(["10.77.0.0/22"]) && google_compute_firewall.among_themselves[0].destination_ranges == tolist(["10.77.0.0/22"]) && [for rule in google_compute_firewall.among_themselves[0].allow : rule.protocol] == ["all"]
    error_message = "Only nodes reach nodes."
  }

  assert {
    condition     = google_storage_bucket.staging.force_destroy && google_storage_bucket.staging.public_access_prevention == "enforced" && google_storage_bucket.staging.uniform_bucket_level_access && google_storage_bucket.staging.lifecycle_rule[0].condition[0].age == 14
    error_message = "What sessions stage is private, goes by age, and is in the way of no teardown."
  }

  assert {
    condition     = "${google_service_account_iam_member.acts_as["runner"].service_account_id} ${google_service_account_iam_member.acts_as["runner"].role}" == "projects/drugs-production-1/serviceAccounts/executors@drugs-production-1.iam.gserviceaccount.com roles/iam.serviceAccountUser"
    error_message = "The runner may act as this account alone."
  }
}

run "spark_in_a_network_of_yours" {
  command = plan

  module {
    source = "./modules/spark"
  }

  variables {
    service_account = "executors@drugs-production-1.iam.gserviceaccount.com"
    users           = {}
    runtime_version = "3.0"
    subnetwork      = "yours"
    ip_range        = "10.77.0.0/22"
    executor_cores  = 4
    min_executors   = 2
    max_executors   = 8
    idle_seconds    = 600
    max_seconds     = 3600
  }

  assert {
    condition     = length(google_compute_network.spark) + length(google_compute_subnetwork.executors) + length(google_compute_firewall.among_themselves) == 0 && google_dataproc_session_template.executors.environment_config[0].execution_config[0].subnetwork_uri == "yours"
    error_message = "A subnetwork that is named is used as it is."
  }
}

run "spark_refuses_what_google_refuses" {
  command = plan

  module {
    source = "./modules/spark"
  }

  variables {
    service_account = "executors@drugs-production-1.iam.gserviceaccount.com"
    users           = {}
    runtime_version = "2.3"
    subnetwork      = null
    ip_range        = "10.77.0.0/30"
    executor_cores  = 6
    min_executors   = 3
    max_executors   = 2
    idle_seconds    = 60
    max_seconds     = 60
  }

  expect_failures = [
    var.runtime_version, var.ip_range, var.executor_cores, var.max_executors, var.idle_seconds, var.max_seconds,
  ]
}

run "spark_refuses_a_single_executor" {
  command = plan

  module {
    source = "./modules/spark"
  }

  variables {
    service_account = "executors@drugs-production-1.iam.gserviceaccount.com"
    users           = {}
    runtime_version = "3.0"
    subnetwork      = null
    ip_range        = "10.77.0.0/22"
    executor_cores  = 4
    min_executors   = 1
    max_executors   = 8
    idle_seconds    = 600
    max_seconds     = 3600
  }

  expect_failures = [var.min_executors]
}

run "github" {
  command = apply

  module {
    source = "./modules/github"
  }

  variables {
    repository_id       = "123456789"
    repository_owner_id = "1234567"
    accounts = {
      production = "projects/drugs-production-1/serviceAccounts/deployer@drugs-production-1.iam.gserviceaccount.com"
      landing    = "projects/drugs-production-1/serviceAccounts/lander@drugs-production-1.iam.gserviceaccount.com"
    }
  }

  assert {
    condition     = google_iam_workload_identity_pool_provider.github.attribute_condition == "assertion.repository_id == '123456789' && assertion.repository_owner_id == '1234567' && assertion.environment in ['landing', 'production']"
    error_message = "Only jobs of this repository, of this owner, in one of the environments are accepted."
  }

  assert {
    condition = {
      for environment, grant in google_service_account_iam_member.job : environment => "${grant.service_account_id} ${grant.member}"
      } == {
      production = "projects/drugs-production-1/serviceAccounts/deployer@drugs-production-1.iam.gserviceaccount.com principalSet://iam.googleapis.com/${google_iam_workload_identity_pool.github.name}/attribute.place/123456789/production"
      landing    = "projects/drugs-production-1/serviceAccounts/lander@drugs-production-1.iam.gserviceaccount.com principalSet://iam.googleapis.com/${google_iam_workload_identity_pool.github.name}/attribute.place/123456789/landing"
    }
    error_message = "A job may act as the account of its own environment alone, by the number of the repository."
  }

  assert {
    condition     = google_iam_workload_identity_pool_provider.github.attribute_mapping["attribute.place"] == "assertion.repository_id + '/' + assertion.environment"
    error_message = "The grants are by number of the repository and by environment."
  }

  # Another claim, such as GitHub's subject or a name, would fail here.
  assert {
    condition = toset(flatten(regexall("assertion\\.(\\w+)", join(" ", concat(
      values(google_iam_workload_identity_pool_provider.github.attribute_mapping),
      [google_iam_workload_identity_pool_provider.github.attribute_condition],
    ))))) == toset(["environment", "repository_id", "repository_owner_id"])
    error_message = "Only two numbers and the environment are read as claims."
  }
}

run "github_refuses_names" {
  command = plan

  module {
    source = "./modules/github"
  }

  variables {
    repository_id       = "example/drug-assets"
    repository_owner_id = "example"
    accounts            = { "production' || '1' == '1" = "projects/drugs-production-1/serviceAccounts/deployer@drugs-production-1.iam.gserviceaccount.com" }
  }

  expect_failures = [var.repository_id, var.repository_owner_id, var.accounts]
}

run "secrets" {
  command = plan

  module {
    source = "./modules/secrets"
  }

  variables {
    secrets = { drug-assets-ncbi-api-key = { fetcher = "serviceAccount:fetcher" } }
  }

  assert {
    condition     = { for name, grant in google_secret_manager_secret_iam_member.reader : name => grant.role } == { "drug-assets-ncbi-api-key fetcher" = "roles/secretmanager.secretAccessor" }
    error_message = "Only the named readers may read a secret, and they get no other role."
  }
}

run "monitoring" {
  command = plan

  module {
    source = "./modules/monitoring"
  }

  variables {
    run_jobs         = ["drug-assets-run", "drug-assets-dagster-run"]
    run_services     = ["drug-assets-dagster"]
    jobs             = ["drug-assets-run", "drug-assets-fetch", "drug-assets-dagster-run"]
    emails           = ["data@example.org"]
    no_success_hours = 12
    rejected_share   = 0.05
    runbook          = "https://example.org/operations.md"
  }

  assert {
    condition     = output.metrics == tolist(["drug_assets_mentions", "drug_assets_rolled_back", "drug_assets_rows_in", "drug_assets_rows_rejected", "drug_assets_run_failed", "drug_assets_run_succeeded", "drug_assets_seconds"])
    error_message = "Seven metrics: three events, four figures."
  }

  assert {
    condition     = google_logging_metric.event["run_failed"].label_extractors == tomap({ outcome = "EXTRACT(jsonPayload.outcome)" }) && [for label in google_logging_metric.event["run_failed"].metric_descriptor[0].labels : label.key] == ["outcome"] && length(google_logging_metric.event["run_succeeded"].metric_descriptor[0].labels) == 0
    error_message = "Failed runs are counted by outcome."
  }

  assert {
    condition     = strcontains(google_monitoring_alert_policy.alert["rolled_back"].conditions[0].condition_prometheus_query_language[0].query, "user_drug_assets_rolled_back{") && endswith(google_monitoring_alert_policy.alert["rolled_back"].documentation[0].content, "https://example.org/operations.md#go-back-to-an-earlier-release")
    error_message = "A rollback is told, with what to do."
  }

  assert {
    condition     = google_logging_metric.event["run_failed"].filter == "((resource.type=\"cloud_run_job\" AND resource.labels.job_name=(\"drug-assets-run\" OR \"drug-assets-dagster-run\")) OR (resource.type=\"cloud_run_revision\" AND resource.labels.service_name=(\"drug-assets-dagster\"))) AND jsonPayload.event=\"run_failed\""
    error_message = "The metric counts the event of these jobs and of Dagster's service."
  }

  assert {
    condition     = length(distinct([for metric in concat(values(google_logging_metric.event), values(google_logging_metric.figure)) : split(" AND jsonPayload", metric.filter)[0]])) == 1
    error_message = "All six metrics read the lines of the same jobs and services."
  }

  assert {
    condition     = google_logging_metric.figure["rows_rejected"].value_extractor == "EXTRACT(jsonPayload.rows_rejected)"
    error_message = "Figures come from the field of their name."
  }

  assert {
    condition     = google_monitoring_alert_policy.alert["no_success"].conditions[0].condition_prometheus_query_language[0].query == "(sum(increase(logging_googleapis_com:user_drug_assets_run_succeeded{monitored_resource=\"cloud_run_job\"}[12h])) or vector(0)) + (sum(increase(logging_googleapis_com:user_drug_assets_run_succeeded{monitored_resource=\"cloud_run_revision\"}[12h])) or vector(0)) == 0"
    error_message = "Twelve hours without a success of job or service raise the alert, also if nothing was logged."
  }

  assert {
    condition     = google_monitoring_alert_policy.alert["no_success"].conditions[0].condition_prometheus_query_language[0].duration == "3600s"
    error_message = "A run that ends an hour later than the day before raises nothing."
  }

  assert {
    condition     = google_monitoring_alert_policy.alert["rejected_share"].conditions[0].condition_prometheus_query_language[0].query == "((sum(increase(logging_googleapis_com:user_drug_assets_rows_rejected_sum{monitored_resource=\"cloud_run_job\"}[1h])) or vector(0)) + (sum(increase(logging_googleapis_com:user_drug_assets_rows_rejected_sum{monitored_resource=\"cloud_run_revision\"}[1h])) or vector(0))) / ((sum(increase(logging_googleapis_com:user_drug_assets_rows_in_sum{monitored_resource=\"cloud_run_job\"}[1h])) or vector(0)) + (sum(increase(logging_googleapis_com:user_drug_assets_rows_in_sum{monitored_resource=\"cloud_run_revision\"}[1h])) or vector(0))) > 0.05"
    error_message = "The share is rejected rows divided by rows read, compared with the threshold."
  }

  assert {
    condition = { for signal, policy in google_monitoring_alert_policy.alert : signal => policy.conditions[0].condition_prometheus_query_language[0].query if endswith(signal, "_failed") } == {
      run_failed       = "(sum(increase(logging_googleapis_com:user_drug_assets_run_failed{monitored_resource=\"cloud_run_job\"}[15m])) or vector(0)) + (sum(increase(logging_googleapis_com:user_drug_assets_run_failed{monitored_resource=\"cloud_run_revision\"}[15m])) or vector(0)) > 0"
      execution_failed = "sum by (job_name) (increase(run_googleapis_com:job_completed_execution_count{monitored_resource=\"cloud_run_job\", job_name=~\"drug-assets-run|drug-assets-fetch|drug-assets-dagster-run\", result=\"failed\"}[15m])) > 0"
      workflow_failed  = "sum by (workflow_id) (increase(workflows_googleapis_com:finished_execution_count{monitored_resource=\"workflows.googleapis.com/Workflow\", workflow_id=~\"drug-assets-.*\", status=\"FAILED\"}[15m])) > 0"
    }
    error_message = "A failure is reported by the run or Dagster's service, by Cloud Run, or by the workflow."
  }

  assert {
    condition = alltrue([
      for policy in google_monitoring_alert_policy.alert :
      [for condition in policy.conditions : condition.condition_prometheus_query_language[0].disable_metric_validation] == [true]
    ])
    error_message = "No alert requires its metric to exist, and one with a query has no other condition: Cloud Monitoring refuses both."
  }

  assert {
    condition     = length(jsondecode(google_monitoring_dashboard.runs.dashboard_json).mosaicLayout.tiles) == 9
    error_message = "Eight charts and the log."
  }

  assert {
    condition = alltrue([
      for tile in jsondecode(google_monitoring_dashboard.runs.dashboard_json).mosaicLayout.tiles :
      !strcontains(tile.widget.xyChart.dataSets[0].timeSeriesQuery.prometheusQuery, "WINDOW") && strcontains(tile.widget.xyChart.dataSets[0].timeSeriesQuery.prometheusQuery, "[$${__interval}]")
      if can(tile.widget.xyChart)
    ])
    error_message = "Charts count over the interval shown."
  }

  assert {
    condition = one([
      for tile in jsondecode(google_monitoring_dashboard.runs.dashboard_json).mosaicLayout.tiles : tile.widget.logsPanel.filter if can(tile.widget.logsPanel)
    ]) == "((resource.type=\"cloud_run_job\" AND resource.labels.job_name=(\"drug-assets-run\" OR \"drug-assets-fetch\" OR \"drug-assets-dagster-run\")) OR (resource.type=\"cloud_run_revision\" AND resource.labels.service_name=(\"drug-assets-dagster\"))) AND severity>=WARNING"
    error_message = "The log panel shows the warnings of every job and service."
  }
}

run "monitoring_without_dagster" {
  command = plan

  module {
    source = "./modules/monitoring"
  }

  variables {
    run_jobs         = ["drug-assets-run"]
    jobs             = ["drug-assets-run", "drug-assets-fetch"]
    emails           = []
    no_success_hours = 24
    rejected_share   = 0.05
    runbook          = "https://example.org/operations.md"
  }

  assert {
    condition     = google_logging_metric.event["run_failed"].filter == "((resource.type=\"cloud_run_job\" AND resource.labels.job_name=(\"drug-assets-run\"))) AND jsonPayload.event=\"run_failed\"" && !strcontains(google_monitoring_alert_policy.alert["run_failed"].conditions[0].condition_prometheus_query_language[0].query, "cloud_run_revision")
    error_message = "Without Dagster, no filter or query names its service."
  }

  assert {
    condition     = google_monitoring_alert_policy.alert["no_success"].conditions[0].condition_prometheus_query_language[0].query == "(sum(increase(logging_googleapis_com:user_drug_assets_run_succeeded{monitored_resource=\"cloud_run_job\"}[24h])) or vector(0)) == 0"
    error_message = "A day without a success raises the alert."
  }
}

run "signals" {
  command = plan

  module {
    source = "./modules/signals"
  }

  variables {
    no_success_hours = 24
    rejected_share   = 0.05
    runbook          = "https://example.org/operations.md"
  }

  assert {
    condition     = alltrue([for alert in output.alerts : alltrue([for counted in compact([alert.counted, alert.per]) : contains(concat(keys(output.events), keys(output.figures), ["execution_failed", "workflow_failed"]), counted)])])
    error_message = "Alerts count events, figures, and what Google says of jobs and workflows."
  }

  assert {
    condition     = alltrue([for chart in output.charts : alltrue([for counted in compact([chart.counted, chart.per]) : contains(concat(keys(output.events), keys(output.figures)), counted)])])
    error_message = "Charts count events and figures."
  }
}

run "signals_refuse_more_than_a_day" {
  command = plan

  module {
    source = "./modules/signals"
  }

  variables {
    no_success_hours = 48
    rejected_share   = 0.05
    runbook          = "https://example.org/operations.md"
  }

  expect_failures = [var.no_success_hours]
}

run "log_export" {
  command = apply

  module {
    source = "./modules/log_export"
  }

  variables {
    jobs     = ["drug-assets-run", "drug-assets-fetch"]
    services = ["drug-assets-dagster"]
  }

  assert {
    condition = google_logging_project_sink.logs.filter == join(" OR ", [
      "(logName:\"/logs/run.googleapis.com%2F\" AND ((resource.type=\"cloud_run_job\" AND resource.labels.job_name=(\"drug-assets-run\" OR \"drug-assets-fetch\")) OR (resource.type=\"cloud_run_revision\" AND resource.labels.service_name=(\"drug-assets-dagster\"))))",
      "(log_id(\"cloudaudit.googleapis.com/system_event\") AND (resource.type=\"cloud_run_job\" AND resource.labels.job_name=(\"drug-assets-run\" OR \"drug-assets-fetch\")) AND protoPayload.methodName=\"/Jobs.RunJob\" AND severity>=ERROR)",
      "(log_id(\"workflows.googleapis.com/executions_system\") AND resource.labels.workflow_id=~\"^drug-assets-\" AND jsonPayload.state=\"FAILED\")",
    ])
    error_message = "The logs of these jobs and services leave, with failed executions and workflows, and no other audit entry."
  }

  assert {
    condition     = google_logging_project_sink.logs.unique_writer_identity && google_logging_project_sink.logs.destination == "pubsub.googleapis.com/${google_pubsub_topic.logs.id}"
    error_message = "The sink writes to the topic as an account of its own."
  }

  assert {
    condition     = google_pubsub_topic_iam_member.sink.member == google_logging_project_sink.logs.writer_identity && google_pubsub_topic_iam_member.sink.role == "roles/pubsub.publisher" && google_pubsub_topic_iam_member.sink.topic == "drug-assets-logs"
    error_message = "The sink may publish to this topic."
  }

  assert {
    condition     = google_pubsub_topic_iam_member.dead_letters.member == "serviceAccount:service-123456789012@gcp-sa-pubsub.iam.gserviceaccount.com" && google_pubsub_topic_iam_member.dead_letters.topic == google_pubsub_topic.dead_letters.name && google_pubsub_subscription.dead_letters.topic == google_pubsub_topic.dead_letters.id
    error_message = "Pub/Sub may publish dead letters, and they are kept."
  }
}

run "log_export_without_services" {
  command = plan

  module {
    source = "./modules/log_export"
  }

  variables {
    jobs = ["drug-assets-run"]
  }

  assert {
    condition     = !strcontains(google_logging_project_sink.logs.filter, "cloud_run_revision") && !strcontains(google_logging_project_sink.logs.filter, "()")
    error_message = "Without a service, the filter names none."
  }
}
