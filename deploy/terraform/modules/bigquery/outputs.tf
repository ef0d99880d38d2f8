output "dataset" {
  description = "Id of the dataset."
  value       = google_bigquery_dataset.dataset.dataset_id
}

output "tables" {
  description = "Names of the tables, without views."
  value       = sort(keys(google_bigquery_table.table))
}
