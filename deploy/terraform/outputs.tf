output "landing" {
  description = "Location of the landing zone."
  value       = "gs://${module.buckets.landing}"
}

output "store" {
  description = "Location of the store; `latest.json` in it names the current release."
  value       = "gs://${module.buckets.store}"
}

output "image" {
  description = "Name of the image, without a tag; value of the GitHub variable GCP_IMAGE."
  value       = module.registry.image
}

output "executor_image" {
  description = "Name of the image of Spark's executors, without a tag; value of the GitHub variable GCP_EXECUTOR_IMAGE. Null without Spark."
  value       = var.spark.enabled ? module.registry.executor_image : null
}

output "run_workflow" {
  description = "Workflow that starts runs, also by hand; null if Dagster starts them."
  value       = one(module.landing_trigger[*].workflow)
}

output "pull_topic" {
  description = "Topic for requests to pull."
  value       = module.api_pulls.topic
}

output "dataset" {
  description = "BigQuery dataset."
  value       = module.bigquery.dataset
}

output "dagster_url" {
  description = "Address of Dagster's UI; null without Dagster."
  value       = one(module.dagster[*].url)
}

output "readers_url" {
  description = "Address of the service for readers; null without it."
  value       = one(module.readers[*].url)
}

output "spark" {
  description = "Address of the sessions of Spark: DRUG_ASSETS_SPARK of the jobs; null without Spark."
  value       = one(module.spark[*].address)
}

output "jobs" {
  description = "Cloud Run jobs that a release deploys; value of the GitHub variable GCP_JOBS."
  value       = join(" ", local.all_jobs)
}

output "deployer" {
  description = "Value of the GitHub variable GCP_DEPLOYER; null without GitHub."
  value       = var.github == null ? null : local.email["deployer"]
}

output "lander" {
  description = "Value of the GitHub variable GCP_LANDER; null without GitHub."
  value       = var.github == null ? null : local.email["lander"]
}

output "workload_identity_provider" {
  description = "Value of the GitHub variable GCP_WORKLOAD_IDENTITY_PROVIDER; null without GitHub."
  value       = one(module.github[*].provider)
}

output "datadog" {
  description = "Variables of the configuration datadog/, apart from its site; null if Datadog does not watch."
  value = !contains(var.monitoring, "datadog") ? null : {
    project_id       = var.project_id
    run_jobs         = local.run_jobs
    run_services     = module.dagster[*].service
    jobs             = local.all_jobs
    no_success_hours = var.alerts.no_success_hours
    rejected_share   = var.alerts.rejected_share
    runbook          = var.alerts.runbook
    notified         = formatlist("@%s", var.alerts.emails)
  }
}
