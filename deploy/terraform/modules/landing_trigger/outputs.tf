output "workflow" {
  description = "Name of the workflow that starts runs, by hand too: gcloud workflows run NAME."
  value       = google_workflows_workflow.run.name
}
