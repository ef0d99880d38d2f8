output "landing" {
  description = "Name of the landing bucket."
  value       = google_storage_bucket.landing.name
}

output "store" {
  description = "Name of the store bucket."
  value       = google_storage_bucket.store.name
}
