variable "project_id" {
  description = "Project of service and database."
  type        = string
}

variable "project_number" {
  description = "Number of the project; it is part of the name of Identity-Aware Proxy's service agent."
  type        = string
}

variable "region" {
  description = "Region of service, database and run job."
  type        = string
}

variable "image" {
  description = "First image of service and job, by tag or digest."
  type        = string
}

variable "environment" {
  description = "Environment variables of all containers and runs."
  type        = map(string)
}

variable "secrets" {
  description = "Environment variables of the service that come from Secret Manager: variable => secret id, each with a value and readable by service_account."
  type        = map(string)
  default     = {}
}

variable "run_secrets" {
  description = "The same for runs; each readable by runner_service_account."
  type        = map(string)
  default     = {}
}

variable "service_account" {
  description = "E-mail of the account of webserver, daemon and code server."
  type        = string
}

variable "runner_service_account" {
  description = "E-mail of the service account of runs."
  type        = string
}

variable "users" {
  description = "Who may open the UI, through Identity-Aware Proxy: IAM members such as group:data@example.org."
  type        = set(string)
}

variable "database_tier" {
  description = "Machine type of the database."
  type        = string
}

variable "postgres_password" {
  description = "Password of the database user. It is passed on write-only, so that no state contains it."
  type        = string
  sensitive   = true

  validation {
    condition     = length(var.postgres_password) >= 16
    error_message = "The password of the database needs 16 characters or more."
  }
}

variable "postgres_password_version" {
  description = "Version of the password; increase it by one to make Terraform set a new password."
  type        = number
}

variable "run" {
  description = "Resources and time limit of each run."
  type = object({
    cpu             = string
    memory          = string
    scratch_gib     = number
    timeout_seconds = number
  })
}

variable "deployers" {
  description = "Who may change the image of service and job: name for Terraform => IAM member."
  type        = map(string)
  default     = {}
}

variable "deletion_protection" {
  description = "Whether Terraform refuses to delete database, service and job."
  type        = bool
}
