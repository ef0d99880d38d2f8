output "metrics" {
  description = "Names of the log-based metrics."
  value       = sort(concat([for metric in google_logging_metric.event : metric.name], [for metric in google_logging_metric.figure : metric.name]))
}
