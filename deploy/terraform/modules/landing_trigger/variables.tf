variable "project_id" {
  description = "Project of workflow and trigger."
  type        = string
}

variable "region" {
  description = "Region of bucket, workflow, trigger and job."
  type        = string
}

variable "bucket" {
  description = "Landing bucket whose new objects start a run."
  type        = string
}

variable "job" {
  description = "Name of the Cloud Run job to start."
  type        = string
}

variable "job_seconds" {
  description = "Time limit of an execution of the job, including its retries."
  type        = number
}

variable "settle_seconds" {
  description = "Seconds to wait after a file landed, so that one delivery causes one run."
  type        = number
  default     = 60

  validation {
    condition     = var.settle_seconds >= 10
    error_message = "Below 10 s two executions may not yet see each other and run at once."
  }
}

variable "workflow_service_account" {
  description = "E-mail of the service account of the workflow, which may start the job."
  type        = string
}

variable "event_service_account" {
  description = "E-mail of the account with which Eventarc and the scheduler start the workflow."
  type        = string
}

variable "schedule" {
  description = "Cron line of the runs that start even if nothing landed; null for none."
  type        = string
}

variable "time_zone" {
  description = "Time zone of the schedule."
  type        = string
}

variable "deletion_protection" {
  description = "Whether Terraform refuses to delete the workflow."
  type        = bool
}
