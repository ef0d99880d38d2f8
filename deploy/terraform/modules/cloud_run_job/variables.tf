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
  description = "First image of the job, by tag or digest. Releases change it, and Terraform does not change it back."
  type        = string
}

variable "command" {
  description = "The complete command, because the image has no entry point. Empty if each execution passes its own."
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
  description = "Memory, such as \"4Gi\". Without scratch_gib, temporary files count against it: /tmp is memory on Cloud Run."
  type        = string
}

variable "scratch_gib" {
  description = "GiB of disk for temporary files, 10 at least; 0 for none. More than 10 needs a quota: Cloud Run gives an instance 10 GB, and a project 100 GB in a region."
  type        = number
  default     = 0

  validation {
    condition     = var.scratch_gib == 0 || var.scratch_gib >= 10 && floor(var.scratch_gib) == var.scratch_gib
    error_message = "scratch_gib is a whole number of GiB, 10 at least, as Cloud Run has no smaller disk; 0 for none."
  }
}

variable "timeout_seconds" {
  description = "Time limit of one attempt."
  type        = number

  validation {
    condition     = var.timeout_seconds >= 60 && var.timeout_seconds <= 604800 && floor(var.timeout_seconds) == var.timeout_seconds
    error_message = "timeout_seconds is a whole number between a minute and Cloud Run's limit of seven days."
  }
}

variable "max_retries" {
  description = "Number of attempts after a failed first one."
  type        = number
}

variable "cloud_sql_instance" {
  description = "Connection name of a Cloud SQL instance to reach under /cloudsql; null for none."
  type        = string
  default     = null
}

variable "starters" {
  description = "Who may start executions, also with other arguments: name for Terraform => IAM member."
  type        = map(string)
  default     = {}
}

variable "viewers" {
  description = "Who may see the job and how its executions end: name for Terraform => IAM member."
  type        = map(string)
  default     = {}
}

variable "deployers" {
  description = "Who may change the image of the job: name for Terraform => IAM member."
  type        = map(string)
  default     = {}
}

variable "deletion_protection" {
  description = "Whether Terraform refuses to delete the job."
  type        = bool
}
