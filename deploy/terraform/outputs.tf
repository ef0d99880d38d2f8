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

output "jobs" {
  description = "Cloud Run jobs that a release deploys; value of the GitHub variable GCP_JOBS."
  value       = join(" ", concat([module.run_job.name, module.fetch_job.name], module.dagster[*].run_job))
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
