output "monitors" {
  description = "Query of each monitor."
  value       = local.queries
}

output "metrics" {
  description = "Names of the metrics that are made of logs."
  value       = sort(concat([for count in datadog_logs_metric.count : count.name], [for figure in datadog_logs_metric.figure : figure.name]))
}
