variable "project_id" {
  description = "Project of the logs and the topic."
  type        = string
}

variable "project_number" {
  description = "Number of the project."
  type        = string
}

variable "jobs" {
  description = "Names of the Cloud Run jobs whose logs are exported."
  type        = list(string)

  validation {
    condition     = length(var.jobs) > 0
    error_message = "Name one job at least."
  }
}

variable "services" {
  description = "Names of the Cloud Run services whose logs are exported."
  type        = list(string)
  default     = []
}
