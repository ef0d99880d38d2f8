output "name" {
  description = "Name of the job."
  value       = google_cloud_run_v2_job.job.name
}

output "variables" {
  description = "Names of the environment variables of executions."
  value       = sort([for variable in google_cloud_run_v2_job.job.template[0].template[0].containers[0].env : variable.name])
}
