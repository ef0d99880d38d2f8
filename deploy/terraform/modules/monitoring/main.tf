# The metrics read the JSON line that reports the end of a run: event run_succeeded, with rows_in,
# rows_rejected, mentions and seconds; or event run_failed, with the outcome (empty, lost_race,
# refused, failed). A rollback writes rolled_back. The job reports its own runs, Dagster's
# service the runs that it started, so each metric covers two kinds of resource. If a run dies
# without such a line (memory, time-out), Cloud Run's own count of failed executions shows it.

locals {
  # Kind of resource => log filter for the names of the resources that report runs.
  reporters = merge(
    { cloud_run_job = "resource.labels.job_name=(${join(" OR ", formatlist("\"%s\"", var.run_jobs))})" },
    length(var.run_services) == 0 ? {} : {
      cloud_run_revision = "resource.labels.service_name=(${join(" OR ", formatlist("\"%s\"", var.run_services))})"
    },
  )
  reports = { for kind, names in local.reporters : kind => "(resource.type=\"${kind}\" AND ${names})" }
  of_run  = "(${join(" OR ", values(local.reports))})"

  # PromQL takes one kind of resource per selector; a kind without any report counts as 0.
  increase = {
    for metric in concat(
      [for event in google_logging_metric.event : event.name],
      [for figure in google_logging_metric.figure : "${figure.name}_sum"],
      ) : trimprefix(metric, "drug_assets_") => join(" + ", [
        for kind in keys(local.reporters) :
        "(sum(increase(logging_googleapis_com:user_${metric}{monitored_resource=\"${kind}\"}[WINDOW])) or vector(0))"
    ])
  }

  figures = {
    rows_in       = { unit = "1", description = "Raw rows that a run read." }
    rows_rejected = { unit = "1", description = "Raw rows that a run rejected, apart from those that sound deliveries have many of." }
    mentions      = { unit = "1", description = "Mentions that a run found." }
    seconds       = { unit = "s", description = "Time that a run took." }
  }

  # The three signals of a failure: the event of a run (from the job or Dagster's service), Cloud
  # Run's count, and the count of workflows. Each looks back a quarter of an hour, because counts
  # can arrive some minutes late.
  failures = {
    run = {
      display_name = "a run failed"
      condition    = "A run, or Dagster of a run, said that it failed"
      query        = "${replace(local.increase["run_failed"], "WINDOW", "15m")} > 0"
    }
    execution = {
      display_name = "an execution of a job failed"
      condition    = "An execution of a job failed"
      query        = "sum by (job_name) (increase(run_googleapis_com:job_completed_execution_count{monitored_resource=\"cloud_run_job\", job_name=~\"${join("|", var.jobs)}\", result=\"failed\"}[15m])) > 0"
    }
    workflow = {
      display_name = "a workflow failed"
      condition    = "A workflow that starts a job failed"
      query        = "sum by (workflow_id) (increase(workflows_googleapis_com:finished_execution_count{monitored_resource=\"workflows.googleapis.com/Workflow\", workflow_id=~\"drug-assets-.*\", status=\"FAILED\"}[15m])) > 0"
    }
  }

  channels = [for channel in google_monitoring_notification_channel.email : channel.id]
}

resource "google_logging_metric" "event" {
  for_each = {
    run_succeeded = "Runs that ended well, and those that found nothing new."
    run_failed    = "Runs that failed (a step or a blocking check) or could not begin."
    rolled_back   = "Rollbacks: another release than the newest became the current one, or the newest again."
  }

  project     = var.project_id
  name        = "drug_assets_${each.key}"
  description = each.value
  filter      = "${local.of_run} AND jsonPayload.event=\"${each.key}\""

  # Why a run failed, so that an alert of your own can leave out lost races, for example.
  label_extractors = each.key == "run_failed" ? { outcome = "EXTRACT(jsonPayload.outcome)" } : {}

  metric_descriptor {
    metric_kind = "DELTA"
    value_type  = "INT64"
    unit        = "1"

    dynamic "labels" {
      for_each = each.key == "run_failed" ? ["outcome"] : []
      content {
        key         = labels.value
        value_type  = "STRING"
        description = "empty, lost_race, refused or failed."
      }
    }
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

# When the alerts are created, their metrics may not exist yet: the log-based ones are created a
# moment before, and Google creates its own with their first point. Cloud Monitoring refuses a
# filter on an unknown metric, but accepts a query on it with disable_metric_validation. A policy
# with a query cannot have a second condition.

resource "google_monitoring_alert_policy" "failed" {
  for_each = local.failures

  project               = var.project_id
  display_name          = "drug-assets: ${each.value.display_name}"
  combiner              = "OR"
  severity              = "ERROR"
  notification_channels = local.channels

  conditions {
    display_name = each.value.condition
    condition_prometheus_query_language {
      query                     = each.value.query
      duration                  = "0s"
      evaluation_interval       = "60s"
      disable_metric_validation = true
    }
  }

  documentation {
    mime_type = "text/markdown"
    content   = "A run, a pull, or what starts them failed; the last good outputs stay as they were. What to do: ${var.runbook}#a-run-failed"
  }
}

resource "google_monitoring_alert_policy" "rolled_back" {
  project               = var.project_id
  display_name          = "drug-assets: the store was rolled back"
  combiner              = "OR"
  severity              = "WARNING"
  notification_channels = local.channels

  conditions {
    display_name = "A rollback changed which release is current"
    condition_prometheus_query_language {
      query                     = "${replace(local.increase["rolled_back"], "WINDOW", "15m")} > 0"
      duration                  = "0s"
      evaluation_interval       = "60s"
      disable_metric_validation = true
    }
  }

  documentation {
    mime_type = "text/markdown"
    content   = "Readers may see an earlier release, until the landing zone or the rules change. What to do: ${var.runbook}#go-back-to-an-earlier-release"
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
      # Without log lines there is no data, which counts as 0 and so raises the alert.
      query = "${replace(local.increase["run_succeeded"], "WINDOW", "${var.no_success_hours}h")} == 0"
      # Gives a new deployment an hour for its first run, and lets a daily run end an hour later
      # than on the day before.
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
      # If no row was read this is 0 / 0, which is above no threshold.
      query                     = "(${replace(local.increase["rows_rejected_sum"], "WINDOW", "1h")}) / (${replace(local.increase["rows_in_sum"], "WINDOW", "1h")}) > ${var.rejected_share}"
      duration                  = "0s"
      evaluation_interval       = "300s"
      disable_metric_validation = true
    }
  }

  documentation {
    mime_type = "text/markdown"
    content   = "A source may have changed its form; the rows stand in rejected_records with their reasons. What to do: ${var.runbook}#too-many-rows-rejected"
  }
}
