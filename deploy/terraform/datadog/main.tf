# The alerts and charts of the module signals, as queries of Datadog over the logs that the module
# log_export sends. Datadog shows an entry of Cloud Logging as the attribute `data`.

module "signals" {
  source = "../modules/signals"

  no_success_hours = var.no_success_hours
  rejected_share   = var.rejected_share
  runbook          = var.runbook
}

locals {
  # One account of Datadog may watch several deployments.
  of_project = "@data.logName:projects/${var.project_id}/*"
  prefix     = "drug_assets.${replace(var.project_id, "-", "_")}"

  of_run = join(" OR ", concat(
    ["@data.resource.labels.job_name:(${join(" OR ", var.run_jobs)})"],
    [for names in [var.run_services] : "@data.resource.labels.service_name:(${join(" OR ", names)})" if length(names) > 0],
  ))

  # What is counted => the search for its log entries, and the attribute that groups them.
  counted = merge(
    {
      for event in keys(module.signals.events) : event => {
        search = "${local.of_project} (${local.of_run}) @data.jsonPayload.event:${event}"
        group  = event == "run_failed" ? { outcome = "@data.jsonPayload.outcome" } : {}
      }
    },
    {
      # Of Cloud Run's audit entries, only those of failed executions are exported.
      execution_failed = {
        search = "${local.of_project} @data.protoPayload.serviceName:run.googleapis.com @data.resource.labels.job_name:(${join(" OR ", var.jobs)})"
        group  = { job_name = "@data.resource.labels.job_name" }
      }
      workflow_failed = {
        search = "${local.of_project} @data.resource.labels.workflow_id:drug-assets-* @data.jsonPayload.state:FAILED"
        group  = { workflow_id = "@data.resource.labels.workflow_id" }
      }
    },
  )

  # An alert counts log entries, because Datadog takes a count of none as 0, but a metric without
  # points as unknown. Figures are values of a metric: a log search would need a facet for each.
  alerts = {
    for name, alert in module.signals.alerts : name => merge(alert, {
      type = alert.per == null ? "log alert" : "query alert"
      # Nothing for an hour of what was counted over a day is nothing for 25 hours.
      window = (
        (alert.minutes + alert.lasting) % 60 == 0 ? "${(alert.minutes + alert.lasting) / 60}h" : "${alert.minutes + alert.lasting}m"
      )
      compared  = alert.above == null ? "<" : ">"
      threshold = alert.above == null ? 1 : alert.above
    })
  }
  queries = {
    for name, alert in local.alerts : name => (
      alert.per == null
      ? "logs(\"${local.counted[alert.counted].search}\").index(\"*\").rollup(\"count\").last(\"${alert.window}\") ${alert.compared} ${alert.threshold}"
      : "sum(last_${alert.window}):${local.sums[alert.counted]} / ${local.sums[alert.per]} ${alert.compared} ${alert.threshold}"
    )
  }
  sums = {
    for metric in concat([for count in datadog_logs_metric.count : count.name], [for figure in datadog_logs_metric.figure : figure.name]) :
    trimprefix(metric, "${local.prefix}.") => "sum:${metric}{*}.as_count()"
  }
}

resource "datadog_logs_metric" "count" {
  for_each = local.counted

  name = "${local.prefix}.${each.key}"

  compute {
    aggregation_type = "count"
  }

  filter {
    query = each.value.search
  }

  dynamic "group_by" {
    for_each = each.value.group
    content {
      tag_name = group_by.key
      path     = group_by.value
    }
  }
}

resource "datadog_logs_metric" "figure" {
  for_each = module.signals.figures

  name = "${local.prefix}.${each.key}"

  compute {
    aggregation_type = "distribution"
    path             = "@data.jsonPayload.${each.key}"
  }

  filter {
    query = local.counted["run_succeeded"].search
  }
}

resource "datadog_monitor" "alert" {
  for_each = local.alerts

  name                = "drug-assets (${var.project_id}): ${each.value.title}"
  type                = each.value.type
  query               = local.queries[each.key]
  message             = join("\n\n", compact([each.value.text, join(" ", var.notified)]))
  priority            = each.value.severity == "ERROR" ? "2" : "3"
  on_missing_data     = each.value.type == "log alert" ? "default" : null
  enable_logs_sample  = each.value.type == "log alert" ? true : null
  require_full_window = false
  include_tags        = false
  tags                = ["application:drug-assets", "project:${var.project_id}"]

  monitor_thresholds {
    critical = tostring(each.value.threshold)
  }
}
