locals {
  charts = concat(
    module.signals.charts,
    [
      { title = "Executions of jobs that failed", counted = "execution_failed", per = null, by = "job_name" },
      { title = "Workflows that failed", counted = "workflow_failed", per = null, by = "workflow_id" },
    ],
  )
}

resource "datadog_dashboard" "runs" {
  title       = "drug-assets (${var.project_id})"
  description = "Runs, failures and figures. Made by Terraform: deploy/terraform/datadog."
  layout_type = "ordered"

  dynamic "widget" {
    for_each = local.charts
    iterator = chart

    content {
      timeseries_definition {
        title = chart.value.title

        request {
          display_type = "bars"

          query {
            metric_query {
              data_source = "metrics"
              name        = "counted"
              query       = replace(local.sums[chart.value.counted], "{*}", chart.value.by == null ? "{*}" : "{*} by {${chart.value.by}}")
            }
          }

          dynamic "query" {
            for_each = chart.value.per == null ? [] : [chart.value.per]

            content {
              metric_query {
                data_source = "metrics"
                name        = "per"
                query       = local.sums[query.value]
              }
            }
          }

          formula {
            formula_expression = chart.value.per == null ? "counted" : "counted / per"
          }
        }
      }
    }
  }

  widget {
    list_stream_definition {
      title = "What went wrong"

      request {
        response_format = "event_list"

        query {
          data_source  = "logs_stream"
          query_string = "${local.of_project} @data.severity:(WARNING OR ERROR OR CRITICAL OR ALERT OR EMERGENCY)"
          indexes      = []
        }

        dynamic "columns" {
          for_each = { status_line = "auto", timestamp = "auto", content = "full" }

          content {
            field = columns.key
            width = columns.value
          }
        }
      }
    }
  }
}
