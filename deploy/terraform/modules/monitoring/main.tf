# Metrics read the JSON line that tells the end of a run: event run_succeeded, with rows_in,
# rows_rejected, mentions and seconds; or event run_failed. The job tells of its own runs, Dagster's
# service of those that it started, so each metric has two kinds of resource. Where a run dies without
# a word (memory, time-out), Cloud Run's own count of failed executions tells.

locals {
  # Kind of resource => the log lines of those who tell of runs.
  tellers = merge(
    { cloud_run_job = "resource.labels.job_name=(${join(" OR ", formatlist("\"%s\"", var.run_jobs))})" },
    length(var.run_services) == 0 ? {} : {
      cloud_run_revision = "resource.labels.service_name=(${join(" OR ", formatlist("\"%s\"", var.run_services))})"
    },
  )
  tells  = { for kind, names in local.tellers : kind => "(resource.type=\"${kind}\" AND ${names})" }
  of_run = "(${join(" OR ", values(local.tells))})"

  # PromQL wants one kind of resource for each selector; a kind that never told of a run counts as 0.
  increase = {
    for metric in concat(
      [for event in google_logging_metric.event : event.name],
      [for figure in google_logging_metric.figure : "${figure.name}_sum"],
      ) : trimprefix(metric, "drug_assets_") => join(" + ", [
        for kind in keys(local.tellers) :
        "(sum(increase(logging_googleapis_com:user_${metric}{monitored_resource=\"${kind}\"}[WINDOW])) or vector(0))"
    ])
  }

  figures = {
    rows_in       = { unit = "1", description = "Raw rows that a run read." }
    rows_rejected = { unit = "1", description = "Raw rows that a run rejected." }
    mentions      = { unit = "1", description = "Mentions that a run found." }
    seconds       = { unit = "s", description = "Time that a run took." }
  }

  one_of_the_jobs = "monitoring.regex.full_match(\"${join("|", var.jobs)}\")"
  channels        = [for channel in google_monitoring_notification_channel.email : channel.id]
}

resource "google_logging_metric" "event" {
  for_each = {
    run_succeeded = "Runs that ended well, and those that found nothing new."
    run_failed    = "Runs that failed (a step or a blocking check) or could not begin."
  }

  project     = var.project_id
  name        = "drug_assets_${each.key}"
  description = each.value
  filter      = "${local.of_run} AND jsonPayload.event=\"${each.key}\""

  metric_descriptor {
    metric_kind = "DELTA"
    value_type  = "INT64"
    unit        = "1"
  }
}

resource "google_logging_metric" "figure" {
  for_each = local.figures

  project         = var.project_id
  name            = "drug_assets_${each.key}"
  description     = each.value.description
  filter          = "${local.of_run} AND jsonPayload.event=\"run_succeeded\""
  value_extractor = "EXTRACT(jsonPayload.${each.key})"

  metric_descriptor {
    metric_kind = "DELTA"
    value_type  = "DISTRIBUTION"
    unit        = each.value.unit
  }

  bucket_options {
    exponential_buckets {
      scale              = 1
      growth_factor      = 2
      num_finite_buckets = 40
    }
  }
}

resource "google_monitoring_notification_channel" "email" {
  for_each = var.emails

  project      = var.project_id
  display_name = "drug-assets: ${each.value}"
  type         = "email"

  labels = {
    email_address = each.value
  }
}

resource "google_monitoring_alert_policy" "run_failed" {
  project               = var.project_id
  display_name          = "drug-assets: a run failed"
  combiner              = "OR"
  severity              = "ERROR"
  notification_channels = local.channels

  # A condition takes one kind of resource.
  dynamic "conditions" {
    for_each = toset(keys(local.tellers))
    content {
      display_name = conditions.value == "cloud_run_job" ? "A run said that it failed" : "Dagster said that a run failed"
      condition_threshold {
        filter          = "resource.type = \"${conditions.value}\" AND metric.type = \"logging.googleapis.com/user/${google_logging_metric.event["run_failed"].name}\""
        comparison      = "COMPARISON_GT"
        threshold_value = 0
        duration        = "0s"

        aggregations {
          alignment_period     = "300s"
          per_series_aligner   = "ALIGN_DELTA"
          cross_series_reducer = "REDUCE_SUM"
        }
      }
    }
  }

  conditions {
    display_name = "An execution of a job failed"
    condition_threshold {
      filter          = "resource.type = \"cloud_run_job\" AND resource.labels.job_name = ${local.one_of_the_jobs} AND metric.type = \"run.googleapis.com/job/completed_execution_count\" AND metric.labels.result = \"failed\""
      comparison      = "COMPARISON_GT"
      threshold_value = 0
      duration        = "0s"

      aggregations {
        alignment_period     = "300s"
        per_series_aligner   = "ALIGN_DELTA"
        cross_series_reducer = "REDUCE_SUM"
        group_by_fields      = ["resource.label.job_name"]
      }
    }
  }

  conditions {
    display_name = "A workflow that starts a job failed"
    condition_threshold {
      filter          = "resource.type = \"workflows.googleapis.com/Workflow\" AND resource.labels.workflow_id = monitoring.regex.full_match(\"drug-assets-.*\") AND metric.type = \"workflows.googleapis.com/finished_execution_count\" AND metric.labels.status = \"FAILED\""
      comparison      = "COMPARISON_GT"
      threshold_value = 0
      duration        = "0s"

      aggregations {
        alignment_period     = "300s"
        per_series_aligner   = "ALIGN_DELTA"
        cross_series_reducer = "REDUCE_SUM"
        group_by_fields      = ["resource.label.workflow_id"]
      }
    }
  }

  documentation {
    mime_type = "text/markdown"
    content   = "A run, a pull, or what starts them failed; the last good outputs stay as they were. What to do: ${var.runbook}#a-run-failed"
  }
}

resource "google_monitoring_alert_policy" "no_success" {
  project               = var.project_id
  display_name          = "drug-assets: no run succeeded in ${var.no_success_hours} hours"
  combiner              = "OR"
  severity              = "WARNING"
  notification_channels = local.channels

  conditions {
    display_name = "No run succeeded in ${var.no_success_hours} hours"
    condition_prometheus_query_language {
      # No log line is no data, which counts as 0: silence is just what this is about.
      query = "${replace(local.increase["run_succeeded"], "WINDOW", "${var.no_success_hours}h")} == 0"
      # A new deployment has an hour for its first run, and a daily run may end an hour later than
      # the day before.
      duration                  = "3600s"
      evaluation_interval       = "300s"
      disable_metric_validation = true
    }
  }

  documentation {
    mime_type = "text/markdown"
    content   = "Outputs may be older than they should be. What to do: ${var.runbook}#no-run-succeeded"
  }
}

resource "google_monitoring_alert_policy" "rejected_share" {
  project               = var.project_id
  display_name          = "drug-assets: more than ${var.rejected_share * 100} % of rows rejected"
  combiner              = "OR"
  severity              = "WARNING"
  notification_channels = local.channels

  conditions {
    display_name = "Share of rejected rows"
    condition_prometheus_query_language {
      # Without any row read this is 0 / 0, which is above nothing.
      query               = "(${replace(local.increase["rows_rejected_sum"], "WINDOW", "1h")}) / (${replace(local.increase["rows_in_sum"], "WINDOW", "1h")}) > ${var.rejected_share}"
      duration            = "0s"
      evaluation_interval = "300s"
      # The metric is there only once a run has logged its first figures.
      disable_metric_validation = true
    }
  }

  documentation {
    mime_type = "text/markdown"
    content   = "A source may have changed its form; the rows stand in rejected_records with their reasons. What to do: ${var.runbook}#too-many-rows-rejected"
  }
}
