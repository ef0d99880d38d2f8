output "events" {
  description = "Event => what it says."
  value       = local.events
}

output "figures" {
  description = "Figure of a run => its unit and what it says."
  value       = local.figures
}

output "alerts" {
  description = "Alert => what it counts, when it fires, and what it tells."
  value       = local.alerts
}

output "charts" {
  description = "Charts of the dashboard, in order: what each counts, and by what it is divided or grouped."
  value       = local.charts
}
