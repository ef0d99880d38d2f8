output "address" {
  description = "Value of DRUG_ASSETS_SPARK: the template of the sessions."
  value       = "dataproc://${var.project_id}/${var.region}/${basename(google_dataproc_session_template.executors.name)}"
}

output "max_seconds" {
  description = "After so many seconds a session ends, whatever it does."
  value       = var.max_seconds
}
