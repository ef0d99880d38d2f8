# The metrics read the JSON line that reports the end of a run (module signals). The job reports its
# own runs, Dagster's service the runs that it started, so each metric covers two kinds of resource.

module "signals" {
  source = "../signals"

  no_success_hours = var.no_success_hours
  rejected_share   = var.rejected_share
  runbook          = var.runbook
}

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

  # PromQL takes one kind of resource per selector.
  increases = {
    for metric in concat(
      [for event in google_logging_metric.event : event.name],
      [for figure in google_logging_metric.figure : "${figure.name}_sum"],
      ) : trimsuffix(trimprefix(metric, "drug_assets_"), "_sum") => [
      for kind in keys(local.reporters) :
      "increase(logging_googleapis_com:user_${metric}{monitored_resource=\"${kind}\"}[WINDOW])"
    ]
  }

  # What an alert or a chart counts => its query; a kind of resource without any report counts as 0.
  counted = merge(
    { for name, increases in local.increases : name => join(" + ", formatlist("(sum(%s) or vector(0))", increases)) },
    {
      execution_failed = "sum by (job_name) (increase(run_googleapis_com:job_completed_execution_count{monitored_resource=\"cloud_run_job\", job_name=~\"${join("|", var.jobs)}\", result=\"failed\"}[WINDOW]))"
      workflow_failed  = "sum by (workflow_id) (increase(workflows_googleapis_com:finished_execution_count{monitored_resource=\"workflows.googleapis.com/Workflow\", workflow_id=~\"drug-assets-.*\", status=\"FAILED\"}[WINDOW]))"
    },
  )

  # A share of no row at all is 0 / 0, which is above no threshold.
  valued = {
    for name, alert in module.signals.alerts :
    name => alert.per == null ? local.counted[alert.counted] : "(${local.counted[alert.counted]}) / (${local.counted[alert.per]})"
  }

  channels = [for channel in google_monitoring_notification_channel.email : channel.id]
}

resource "google_logging_metric" "event" {
  for_each = module.signals.events

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
  for_each = module.signals.figures

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

resource "google_monitoring_alert_policy" "alert" {
  for_each = module.signals.alerts

  project               = var.project_id
  display_name          = "drug-assets: ${each.value.title}"
  combiner              = "OR"
  severity              = each.value.severity
  notification_channels = local.channels

  conditions {
    display_name = each.value.condition
    condition_prometheus_query_language {
      # Without log lines there is no data, which counts as 0: no success raises its alert.
      query = format(
        "%s %s",
        replace(local.valued[each.key], "WINDOW", each.value.minutes % 60 == 0 ? "${each.value.minutes / 60}h" : "${each.value.minutes}m"),
        each.value.above == null ? "== 0" : "> ${each.value.above}",
      )
      duration                  = "${each.value.lasting * 60}s"
      evaluation_interval       = each.value.minutes < 60 ? "60s" : "300s"
      disable_metric_validation = true
    }
  }

  documentation {
    mime_type = "text/markdown"
    content   = each.value.text
  }
}

# Earlier versions declared each alert by itself.
moved {
  from = google_monitoring_alert_policy.failed["run"]
  to   = google_monitoring_alert_policy.alert["run_failed"]
}

moved {
  from = google_monitoring_alert_policy.failed["execution"]
  to   = google_monitoring_alert_policy.alert["execution_failed"]
}

moved {
  from = google_monitoring_alert_policy.failed["workflow"]
  to   = google_monitoring_alert_policy.alert["workflow_failed"]
}

moved {
  from = google_monitoring_alert_policy.rolled_back
  to   = google_monitoring_alert_policy.alert["rolled_back"]
}

moved {
  from = google_monitoring_alert_policy.no_success
  to   = google_monitoring_alert_policy.alert["no_success"]
}

moved {
  from = google_monitoring_alert_policy.rejected_share
  to   = google_monitoring_alert_policy.alert["rejected_share"]
}
