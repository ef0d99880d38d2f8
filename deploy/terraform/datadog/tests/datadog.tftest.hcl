# Alerts and charts in Datadog, against a provider that creates nothing.

mock_provider "datadog" {}

variables {
  site             = "datadoghq.eu"
  project_id       = "drugs-production-1"
  run_jobs         = ["drug-assets-run", "drug-assets-dagster-run"]
  run_services     = ["drug-assets-dagster"]
  jobs             = ["drug-assets-run", "drug-assets-fetch", "drug-assets-dagster-run"]
  no_success_hours = 12
  rejected_share   = 0.05
  runbook          = "https://example.org/operations.md"
  notified         = ["@data@example.org"]
}

run "alerts" {
  command = plan

  assert {
    condition = { for name, monitor in datadog_monitor.alert : name => "${monitor.type}: ${monitor.query}" } == {
      execution_failed = "log alert: logs(\"@data.logName:projects/drugs-production-1/* @data.protoPayload.serviceName:run.googleapis.com @data.resource.labels.job_name:(drug-assets-run OR drug-assets-fetch OR drug-assets-dagster-run)\").index(\"*\").rollup(\"count\").last(\"15m\") > 0"
      no_success       = "log alert: logs(\"@data.logName:projects/drugs-production-1/* (@data.resource.labels.job_name:(drug-assets-run OR drug-assets-dagster-run) OR @data.resource.labels.service_name:(drug-assets-dagster)) @data.jsonPayload.event:run_succeeded\").index(\"*\").rollup(\"count\").last(\"13h\") < 1"
      rejected_share   = "query alert: sum(last_1h):sum:drug_assets.drugs_production_1.rows_rejected{*}.as_count() / sum:drug_assets.drugs_production_1.rows_in{*}.as_count() > 0.05"
      rolled_back      = "log alert: logs(\"@data.logName:projects/drugs-production-1/* (@data.resource.labels.job_name:(drug-assets-run OR drug-assets-dagster-run) OR @data.resource.labels.service_name:(drug-assets-dagster)) @data.jsonPayload.event:rolled_back\").index(\"*\").rollup(\"count\").last(\"15m\") > 0"
      run_failed       = "log alert: logs(\"@data.logName:projects/drugs-production-1/* (@data.resource.labels.job_name:(drug-assets-run OR drug-assets-dagster-run) OR @data.resource.labels.service_name:(drug-assets-dagster)) @data.jsonPayload.event:run_failed\").index(\"*\").rollup(\"count\").last(\"15m\") > 0"
      workflow_failed  = "log alert: logs(\"@data.logName:projects/drugs-production-1/* @data.resource.labels.workflow_id:drug-assets-* @data.jsonPayload.state:FAILED\").index(\"*\").rollup(\"count\").last(\"15m\") > 0"
    }
    error_message = "The alerts are those of Cloud Monitoring: a failure by run, job or workflow, a rollback, too long without a success, too large a share."
  }

  assert {
    condition     = alltrue([for monitor in datadog_monitor.alert : endswith(monitor.query, " ${monitor.monitor_thresholds[0].critical}")])
    error_message = "A monitor's threshold is that of its query: Datadog refuses any other."
  }

  assert {
    condition     = alltrue([for monitor in datadog_monitor.alert : can(regex("https://example.org/operations.md#[a-z-]+\n\n@data@example.org$", monitor.message))])
    error_message = "Each says what to do, and tells it those who are notified."
  }

  assert {
    condition     = alltrue([for monitor in datadog_monitor.alert : monitor.on_missing_data == "default" if monitor.type == "log alert"])
    error_message = "No log entry counts as 0, so that no success raises its alert."
  }
}

run "metrics" {
  command = plan

  assert {
    condition = output.metrics == tolist([
      for name in ["execution_failed", "mentions", "rolled_back", "rows_in", "rows_rejected", "run_failed", "run_succeeded", "seconds", "workflow_failed"] :
      "drug_assets.drugs_production_1.${name}"
    ])
    error_message = "Each deployment has metrics of its own: their names are shared by an account of Datadog."
  }

  assert {
    condition = alltrue([
      for name, metric in datadog_logs_metric.figure :
      metric.compute[0].aggregation_type == "distribution" && metric.compute[0].path == "@data.jsonPayload.${name}" && endswith(metric.filter[0].query, "@data.jsonPayload.event:run_succeeded")
    ])
    error_message = "Figures come from the field of their name, of runs that succeeded."
  }

  assert {
    condition     = { for name, metric in datadog_logs_metric.count : name => one([for group in metric.group_by : "${group.tag_name} ${group.path}"]) if length(metric.group_by) > 0 } == { execution_failed = "job_name @data.resource.labels.job_name", run_failed = "outcome @data.jsonPayload.outcome", workflow_failed = "workflow_id @data.resource.labels.workflow_id" }
    error_message = "Failures are counted by what failed, and how."
  }
}

run "dashboard" {
  command = plan

  assert {
    condition     = length(datadog_dashboard.runs.widget) == 10 && length(datadog_dashboard.runs.widget[9].list_stream_definition) == 1
    error_message = "Nine charts and the log."
  }

  assert {
    condition     = [for query in datadog_dashboard.runs.widget[1].timeseries_definition[0].request[0].query : query.metric_query[0].query] == ["sum:drug_assets.drugs_production_1.run_failed{*} by {outcome}.as_count()"]
    error_message = "Failed runs are shown by outcome."
  }

  assert {
    condition     = one(datadog_dashboard.runs.widget[6].timeseries_definition[0].request[0].formula).formula_expression == "counted / per" && [for query in datadog_dashboard.runs.widget[6].timeseries_definition[0].request[0].query : query.metric_query[0].name] == ["counted", "per"]
    error_message = "The share is rejected rows divided by rows read."
  }
}

run "without_dagster" {
  command = plan

  variables {
    run_jobs     = ["drug-assets-run"]
    run_services = []
  }

  assert {
    condition     = !strcontains(datadog_monitor.alert["run_failed"].query, "service_name")
    error_message = "Without Dagster, no search names its service."
  }
}

run "refuses_an_address_as_site" {
  command = plan

  variables {
    site = "app.datadoghq.eu"
  }

  expect_failures = [var.site]
}
