locals {
  user_metric = "logging_googleapis_com:user_drug_assets"

  figure_charts = [
    for figure in ["rows_in", "rows_rejected", "mentions", "seconds"] : {
      title = local.figures[figure].description
      query = "sum(increase(${local.user_metric}_${figure}_sum{monitored_resource=\"cloud_run_job\"}[$${__interval}]))"
    }
  ]

  charts = concat(
    [
      {
        title = "Runs that succeeded"
        query = "sum(increase(${local.user_metric}_run_succeeded{monitored_resource=\"cloud_run_job\"}[$${__interval}]))"
      },
      {
        title = "Runs that failed"
        query = "sum(increase(${local.user_metric}_run_failed{monitored_resource=\"cloud_run_job\"}[$${__interval}]))"
      },
    ],
    local.figure_charts,
    [
      {
        title = "Share of rejected rows"
        query = "sum(increase(${local.user_metric}_rows_rejected_sum[$${__interval}])) / sum(increase(${local.user_metric}_rows_in_sum[$${__interval}]))"
      },
      {
        title = "Executions of jobs, by result"
        query = "sum by (job_name, result) (increase(run_googleapis_com:job_completed_execution_count{monitored_resource=\"cloud_run_job\", job_name=~\"${join("|", var.jobs)}\"}[$${__interval}]))"
      },
    ],
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
                  timeSeriesQuery = { prometheusQuery = chart.query }
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
              filter        = "resource.type=\"cloud_run_job\" AND resource.labels.job_name=(${join(" OR ", formatlist("\"%s\"", var.jobs))}) AND severity>=WARNING"
              resourceNames = ["projects/${var.project_id}"]
            }
          }
        }],
      )
    }
  })
}
