output "service" {
  description = "Name of the Cloud Run service."
  value       = google_cloud_run_v2_service.dagster.name
}

output "run_job" {
  description = "Name of the job whose executions are the runs."
  value       = module.run_job.name
}

output "run_grants" {
  description = "Who has which role on the job of runs, as \"NAME ROLE\"."
  value       = module.run_job.grants
}

output "url" {
  description = "Address of the UI."
  value       = google_cloud_run_v2_service.dagster.uri
}

output "run_variables" {
  description = "Names of the environment variables of runs."
  value       = module.run_job.variables
}
