locals {
  charted = { for metric, increase in local.increase : metric => replace(increase, "WINDOW", "$${__interval}") }

  # All jobs, not only those that run the pipeline, because pulls can fail too.
  of_jobs = "(resource.type=\"cloud_run_job\" AND resource.labels.job_name=(${join(" OR ", formatlist("\"%s\"", var.jobs))}))"

  charts = concat(
    [
      { title = "Runs that succeeded", query = local.charted["run_succeeded"] },
      {
        title = "Runs that failed, by outcome"
        query = "sum by (outcome) (${join(" or ", [
          for kind in keys(local.reporters) :
          "increase(logging_googleapis_com:user_drug_assets_run_failed{monitored_resource=\"${kind}\"}[$${__interval}])"
        ])})"
      },
    ],
    [
      for figure in ["rows_in", "rows_rejected", "mentions", "seconds"] :
      { title = local.figures[figure].description, query = local.charted["${figure}_sum"] }
    ],
    [
      {
        title = "Share of rejected rows"
        query = "(${local.charted["rows_rejected_sum"]}) / (${local.charted["rows_in_sum"]})"
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
              filter        = "(${join(" OR ", concat([local.of_jobs], [for kind, filter in local.reports : filter if kind != "cloud_run_job"]))}) AND severity>=WARNING"
              resourceNames = ["projects/${var.project_id}"]
            }
          }
        }],
      )
    }
  })
}
