variable "project_id" {
  description = "Project of the job."
  type        = string
}

variable "region" {
  description = "Region of the job."
  type        = string
}

variable "name" {
  description = "Name of the job."
  type        = string
}

variable "image" {
  description = "Image to begin with, by tag or digest. Releases change it; Terraform leaves it then."
  type        = string
}

variable "command" {
  description = "The whole command, since the image has no entry point. Empty: given with each execution."
  type        = list(string)
}

variable "service_account" {
  description = "E-mail of the service account that the job runs as."
  type        = string
}

variable "environment" {
  description = "Environment variables."
  type        = map(string)
  default     = {}
}

variable "secrets" {
  description = "Environment variables that come from Secret Manager: variable => secret id. The newest version is read at each execution."
  type        = map(string)
  default     = {}
}

variable "cpu" {
  description = "CPUs, such as \"2\"."
  type        = string
}

variable "memory" {
  description = "Memory, such as \"4Gi\". Temporary files count against it: /tmp is memory on Cloud Run."
  type        = string
}

variable "timeout_seconds" {
  description = "Longest that one attempt may take."
  type        = number

  validation {
    condition     = var.timeout_seconds >= 60 && var.timeout_seconds <= 604800
    error_message = "timeout_seconds has to lie between a minute and Cloud Run's limit of seven days."
  }
}

variable "max_retries" {
  description = "Attempts after a failed one."
  type        = number
}

variable "cloud_sql_instance" {
  description = "Connection name of a Cloud SQL instance to reach under /cloudsql; null for none."
  type        = string
  default     = null
}

variable "starters" {
  description = "Who may start executions, with other arguments too: name for Terraform => IAM member."
  type        = map(string)
  default     = {}
}

variable "deletion_protection" {
  description = "Whether Terraform refuses to delete the job."
  type        = bool
}
