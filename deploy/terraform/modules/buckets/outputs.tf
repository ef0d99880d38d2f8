output "landing" {
  description = "Name of the landing bucket."
  value       = google_storage_bucket.landing.name
}

output "store" {
  description = "Name of the store bucket."
  value       = google_storage_bucket.store.name
}

output "grants" {
  description = "Names of the grants on the buckets, as Terraform knows them."
  value       = sort(keys(google_storage_bucket_iam_member.grant))
}
