# The logs of the jobs and services as JSON on a topic, for whoever watches them elsewhere. Who reads
# the topic makes a subscription of its own; what it cannot deliver is kept for a week.
#
# Besides what the jobs and services write, the topic gets what only Google's own logs say: that an
# execution of a job failed (an audit entry of Cloud Run), and that a workflow failed. Audit entries
# of other calls stay out: they name people.

locals {
  # Names come to a filter as a list; without one, nothing is of that kind.
  kinds = {
    cloud_run_job      = { label = "job_name", names = var.jobs }
    cloud_run_revision = { label = "service_name", names = var.services }
  }
  sources = [
    for kind, of in local.kinds :
    "(resource.type=\"${kind}\" AND resource.labels.${of.label}=(${join(" OR ", formatlist("\"%s\"", of.names))}))"
    if length(of.names) > 0
  ]

  filter = join(" OR ", [
    "(logName:\"/logs/run.googleapis.com%2F\" AND (${join(" OR ", local.sources)}))",
    "(log_id(\"cloudaudit.googleapis.com/system_event\") AND ${local.sources[0]} AND protoPayload.methodName=\"/Jobs.RunJob\" AND severity>=ERROR)",
    "(log_id(\"workflows.googleapis.com/executions_system\") AND resource.labels.workflow_id=~\"^drug-assets-\" AND jsonPayload.state=\"FAILED\")",
  ])
}

resource "google_pubsub_topic" "logs" {
  project = var.project_id
  name    = "drug-assets-logs"
}

resource "google_logging_project_sink" "logs" {
  project                = var.project_id
  name                   = "drug-assets-logs"
  description            = "Logs of drug-assets, for a service that watches them."
  destination            = "pubsub.googleapis.com/${google_pubsub_topic.logs.id}"
  filter                 = local.filter
  unique_writer_identity = true
}

resource "google_pubsub_topic_iam_member" "sink" {
  project = var.project_id
  topic   = google_pubsub_topic.logs.name
  role    = "roles/pubsub.publisher"
  member  = google_logging_project_sink.logs.writer_identity
}

resource "google_pubsub_topic" "dead_letters" {
  project = var.project_id
  name    = "drug-assets-logs-dead-letters"
}

# Without a subscription, a topic drops what is published to it.
resource "google_pubsub_subscription" "dead_letters" {
  project                    = var.project_id
  name                       = "drug-assets-logs-dead-letters"
  topic                      = google_pubsub_topic.dead_letters.id
  message_retention_duration = "604800s"

  # Never expires, even if nobody reads it.
  expiration_policy {
    ttl = ""
  }
}

# Pub/Sub's own service agent moves what could not be delivered.
resource "google_pubsub_topic_iam_member" "dead_letters" {
  project = var.project_id
  topic   = google_pubsub_topic.dead_letters.name
  role    = "roles/pubsub.publisher"
  member  = "serviceAccount:service-${var.project_number}@gcp-sa-pubsub.iam.gserviceaccount.com"
}
