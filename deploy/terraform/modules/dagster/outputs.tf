output "service" {
  description = "Name of the Cloud Run service."
  value       = google_cloud_run_v2_service.dagster.name
}

output "run_job" {
  description = "Name of the job that each run is an execution of."
  value       = module.run_job.name
}

output "url" {
  description = "Address of the UI."
  value       = google_cloud_run_v2_service.dagster.uri
}

output "run_variables" {
  description = "Names of the environment variables that runs get."
  value       = module.run_job.variables
}
