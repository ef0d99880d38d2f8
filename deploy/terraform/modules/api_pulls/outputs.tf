output "topic" {
  description = "Topic to publish requests to: gcloud pubsub topics publish TOPIC --message='{\"source\": …, \"query\": …}'."
  value       = google_pubsub_topic.pulls.name
}

output "workflow" {
  description = "Name of the workflow that runs the fetch job."
  value       = google_workflows_workflow.fetch.name
}
