variable "project_id" {
  description = "Project of service and database."
  type        = string
}

variable "project_number" {
  description = "Its number, which names the service agent of Identity-Aware Proxy."
  type        = string
}

variable "region" {
  description = "Region of service, database and run job."
  type        = string
}

variable "image" {
  description = "Image to begin with, by tag or digest."
  type        = string
}

variable "environment" {
  description = "The variables that every part of the pipeline gets."
  type        = map(string)
}

variable "secrets" {
  description = "Environment variables of the service that come from Secret Manager: variable => secret id, each with a value and readable by service_account."
  type        = map(string)
  default     = {}
}

variable "run_secrets" {
  description = "The same of runs: each readable by runner_service_account."
  type        = map(string)
  default     = {}
}

variable "service_account" {
  description = "E-mail of the account of webserver, daemon and code server."
  type        = string
}

variable "runner_service_account" {
  description = "E-mail of the account that runs run as: that of the job."
  type        = string
}

variable "users" {
  description = "Who opens the UI, through Identity-Aware Proxy: IAM members such as group:data@example.org."
  type        = set(string)
}

variable "database_tier" {
  description = "Machine of the database."
  type        = string
}

variable "postgres_password" {
  description = "Password of the database user. Kept in no state: it is passed on write-only."
  type        = string
  sensitive   = true

  validation {
    condition     = length(var.postgres_password) >= 16
    error_message = "The password of the database needs 16 characters or more."
  }
}

variable "postgres_password_version" {
  description = "Raise it by one to make Terraform pass on a new password."
  type        = number
}

variable "run" {
  description = "What each run gets."
  type = object({
    cpu             = string
    memory          = string
    timeout_seconds = number
  })
}

variable "deletion_protection" {
  description = "Whether Terraform refuses to delete database, service and job."
  type        = bool
}
