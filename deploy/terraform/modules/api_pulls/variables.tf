variable "project_id" {
  description = "Project of topic, workflow and schedules."
  type        = string
}

variable "region" {
  description = "Region of workflow, trigger, schedules and job."
  type        = string
}

variable "pulls" {
  description = "Scheduled pulls: name => cron line and the message that requests the pull."
  type = map(object({
    schedule = string
    message = object({
      source    = string
      query     = string
      page_size = optional(number)
      date_type = optional(string)
    })
  }))
  default = {}

  validation {
    condition     = alltrue([for pull in var.pulls : contains(["pubmed", "clinical_trials"], pull.message.source)])
    error_message = "The source of a pull is pubmed or clinical_trials."
  }

  validation {
    condition     = alltrue([for pull in var.pulls : trimspace(pull.message.query) != ""])
    error_message = "A pull needs a query that is not blank."
  }
}

variable "time_zone" {
  description = "Time zone of the schedules."
  type        = string
}

variable "job" {
  description = "Name of the Cloud Run job that pulls."
  type        = string
}

variable "job_seconds" {
  description = "Time limit of an execution of the job, including its retries."
  type        = number
}

variable "workflow_service_account" {
  description = "E-mail of the service account of the workflow, which may start the job."
  type        = string
}

variable "event_service_account" {
  description = "E-mail of the account with which Eventarc starts the workflow."
  type        = string
}

variable "publishers" {
  description = "Who else may request a pull: name for Terraform => IAM member."
  type        = map(string)
  default     = {}
}

variable "subscribers" {
  description = "Who may read requests from the subscription: name for Terraform => IAM member."
  type        = map(string)
  default     = {}
}

variable "deletion_protection" {
  description = "Whether Terraform refuses to delete the workflow."
  type        = bool
}
