resource "google_workflows_workflow" "run" {
  project             = var.project_id
  region              = var.region
  name                = "drug-assets-run"
  description         = "Starts the pipeline when files have landed, one execution at a time."
  service_account     = var.workflow_service_account
  call_log_level      = "LOG_ERRORS_ONLY"
  source_contents     = file("${path.module}/run.yaml")
  deletion_protection = var.deletion_protection

  user_env_vars = {
    JOB            = var.job
    JOB_SECONDS    = tostring(var.job_seconds)
    SETTLE_SECONDS = tostring(var.settle_seconds)
  }
}

resource "google_eventarc_trigger" "landed" {
  project         = var.project_id
  location        = var.region
  name            = "drug-assets-landed"
  service_account = var.event_service_account

  matching_criteria {
    attribute = "type"
    value     = "google.cloud.storage.object.v1.finalized"
  }

  matching_criteria {
    attribute = "bucket"
    value     = var.bucket
  }

  destination {
    workflow = google_workflows_workflow.run.id
  }
}

resource "google_cloud_scheduler_job" "run" {
  count = var.schedule == null ? 0 : 1

  project     = var.project_id
  region      = var.region
  name        = "drug-assets-run"
  description = "Runs the pipeline even if nothing landed; through the workflow, so never at the same time as another run."
  schedule    = var.schedule
  time_zone   = var.time_zone

  http_target {
    http_method = "POST"
    uri         = "https://workflowexecutions.googleapis.com/v1/${google_workflows_workflow.run.id}/executions"
    body        = base64encode(jsonencode({ argument = jsonencode({ type = "schedule" }) }))

    headers = {
      "Content-Type" = "application/json"
    }

    oauth_token {
      service_account_email = var.event_service_account
    }
  }

  retry_config {
    retry_count = 3
  }
}
