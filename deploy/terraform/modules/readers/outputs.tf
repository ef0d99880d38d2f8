output "service" {
  description = "Name of the Cloud Run service."
  value       = google_cloud_run_v2_service.readers.name
}

output "url" {
  description = "Address of the service."
  value       = google_cloud_run_v2_service.readers.uri
}
