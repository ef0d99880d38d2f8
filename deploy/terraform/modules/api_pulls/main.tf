# A message on the topic requests a pull; the schedules publish such messages, and so may the
# publishers. Eventarc has its own subscription, which starts the workflow, and hands a message over
# as soon as the workflow has begun: a pull that fails is told by the alert on failed runs. The
# subscription below starts nothing. It keeps every request for a week, so that a person can read
# the one of a failed pull and publish it again.

resource "google_pubsub_topic" "pulls" {
  project                    = var.project_id
  name                       = "drug-assets-pulls"
  message_retention_duration = "604800s"
}

resource "google_pubsub_topic_iam_member" "publisher" {
  for_each = var.publishers

  project = var.project_id
  topic   = google_pubsub_topic.pulls.name
  role    = "roles/pubsub.publisher"
  member  = each.value
}

resource "google_pubsub_subscription" "requests" {
  project                    = var.project_id
  name                       = "drug-assets-pulls"
  topic                      = google_pubsub_topic.pulls.id
  ack_deadline_seconds       = 600
  message_retention_duration = "604800s"
  retain_acked_messages      = true

  # Never expires, even if nobody reads it.
  expiration_policy {
    ttl = ""
  }
}

resource "google_pubsub_subscription_iam_member" "subscriber" {
  for_each = var.subscribers

  project      = var.project_id
  subscription = google_pubsub_subscription.requests.name
  role         = "roles/pubsub.subscriber"
  member       = each.value
}

resource "google_workflows_workflow" "fetch" {
  project             = var.project_id
  region              = var.region
  name                = "drug-assets-fetch"
  description         = "Runs the fetch job for each published request."
  service_account     = var.workflow_service_account
  call_log_level      = "LOG_ERRORS_ONLY"
  source_contents     = file("${path.module}/fetch.yaml")
  deletion_protection = var.deletion_protection

  user_env_vars = {
    JOB         = var.job
    JOB_SECONDS = tostring(var.job_seconds)
  }
}

resource "google_eventarc_trigger" "requested" {
  project         = var.project_id
  location        = var.region
  name            = "drug-assets-pull-requested"
  service_account = var.event_service_account

  matching_criteria {
    attribute = "type"
    value     = "google.cloud.pubsub.topic.v1.messagePublished"
  }

  transport {
    pubsub {
      topic = google_pubsub_topic.pulls.id
    }
  }

  destination {
    workflow = google_workflows_workflow.fetch.id
  }
}

resource "google_cloud_scheduler_job" "pull" {
  for_each = var.pulls

  project     = var.project_id
  region      = var.region
  name        = "drug-assets-pull-${each.key}"
  description = "Asks for ${each.value.message.source}: ${substr(each.value.message.query, 0, 200)}"
  schedule    = each.value.schedule
  time_zone   = var.time_zone

  pubsub_target {
    topic_name = google_pubsub_topic.pulls.id
    data       = base64encode(jsonencode({ for field, value in each.value.message : field => value if value != null }))
  }

  retry_config {
    retry_count = 3
  }
}
