output "workflow" {
  description = "Name of the workflow that starts runs, also by hand: gcloud workflows run NAME."
  value       = google_workflows_workflow.run.name
}
