locals {
  # All jobs, not only those that run the pipeline, because pulls can fail too.
  of_jobs = "(resource.type=\"cloud_run_job\" AND resource.labels.job_name=(${join(" OR ", formatlist("\"%s\"", var.jobs))}))"

  charts = concat(
    [
      for chart in module.signals.charts : {
        title = chart.title
        query = (
          chart.by != null ? "sum by (${chart.by}) (${join(" or ", local.increases[chart.counted])})" :
          chart.per != null ? "(${local.counted[chart.counted]}) / (${local.counted[chart.per]})" :
          local.counted[chart.counted]
        )
      }
    ],
    [{
      title = "Executions of jobs, by result"
      query = "sum by (job_name, result) (increase(run_googleapis_com:job_completed_execution_count{monitored_resource=\"cloud_run_job\", job_name=~\"${join("|", var.jobs)}\"}[WINDOW]))"
    }],
  )
}

resource "google_monitoring_dashboard" "runs" {
  project = var.project_id

  dashboard_json = jsonencode({
    displayName = "drug-assets"
    mosaicLayout = {
      columns = 48
      tiles = concat(
        [
          for position, chart in local.charts : {
            xPos   = position % 2 * 24
            yPos   = floor(position / 2) * 12
            width  = 24
            height = 12
            widget = {
              title = chart.title
              xyChart = {
                dataSets = [{
                  plotType        = "STACKED_BAR"
                  timeSeriesQuery = { prometheusQuery = replace(chart.query, "WINDOW", "$${__interval}") }
                }]
              }
            }
          }
        ],
        [{
          xPos   = 0
          yPos   = ceil(length(local.charts) / 2) * 12
          width  = 48
          height = 16
          widget = {
            title = "What went wrong"
            logsPanel = {
              filter        = "(${join(" OR ", concat([local.of_jobs], [for kind, filter in local.reports : filter if kind != "cloud_run_job"]))}) AND severity>=WARNING"
              resourceNames = ["projects/${var.project_id}"]
            }
          }
        }],
      )
    }
  })
}
