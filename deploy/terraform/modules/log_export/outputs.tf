output "topic" {
  description = "Name of the topic."
  value       = google_pubsub_topic.logs.name
}

output "dead_letter_topic" {
  description = "Name of the topic for what a subscription could not deliver."
  value       = google_pubsub_topic.dead_letters.name
}
