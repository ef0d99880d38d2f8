output "name" {
  description = "Name of the job."
  value       = google_cloud_run_v2_job.job.name
}

output "grants" {
  description = "Who has which role on the job, as \"NAME ROLE\"."
  value = sort(concat(
    [for name, grant in google_cloud_run_v2_job_iam_member.starter : "${name} ${grant.role}"],
    [for name, grant in google_cloud_run_v2_job_iam_member.viewer : "${name} ${grant.role}"],
    [for name, grant in google_cloud_run_v2_job_iam_member.deployer : "${name} ${grant.role}"],
  ))
}

output "environment" {
  description = "Environment variables of executions that are not secret."
  value       = local.environment
}

output "variables" {
  description = "Names of the environment variables of executions."
  value       = sort([for variable in google_cloud_run_v2_job.job.template[0].template[0].containers[0].env : variable.name])
}
