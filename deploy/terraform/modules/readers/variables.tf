variable "project_id" {
  description = "Project of the service."
  type        = string
}

variable "project_number" {
  description = "Number of the project; it is part of the name of Identity-Aware Proxy's service agent."
  type        = string
}

variable "region" {
  description = "Region of the service: that of the store."
  type        = string
}

variable "image" {
  description = "First image of the service, by tag or digest. Releases change it, and Terraform does not change it back."
  type        = string
}

variable "store" {
  description = "Location of the store, such as gs://bucket."
  type        = string
}

variable "service_account" {
  description = "E-mail of the service account that the service runs as; it may read the store."
  type        = string
}

variable "access" {
  description = "iap: only users, through Identity-Aware Proxy. public: everybody, without a log-in."
  type        = string

  validation {
    condition     = contains(["iap", "public"], var.access)
    error_message = "access is iap or public."
  }
}

variable "users" {
  description = "Who may read, with access iap: IAM members such as group:data@example.org."
  type        = set(string)

  validation {
    condition     = var.access == "iap" || length(var.users) == 0
    error_message = "With access public everybody reads: leave users out, or set access to iap."
  }
}

variable "cpu" {
  description = "CPUs of an instance, such as \"1\"."
  type        = string
}

variable "memory" {
  description = "Memory of an instance, such as \"2Gi\"."
  type        = string
}

variable "scratch_gib" {
  description = "GiB of disk of an instance for the files of a release, 10 at least. More than 10 needs a quota. With 0 they count as memory, for a region without disks."
  type        = number

  validation {
    condition     = var.scratch_gib == 0 || var.scratch_gib >= 10 && floor(var.scratch_gib) == var.scratch_gib
    error_message = "scratch_gib is 0 or a whole number of GiB, 10 at least: Cloud Run has no smaller disk."
  }
}

variable "max_instances" {
  description = "Instances at most, which limits what the service can cost."
  type        = number

  validation {
    condition     = var.max_instances >= 1 && floor(var.max_instances) == var.max_instances
    error_message = "max_instances is a whole number from 1."
  }
}

variable "concurrency" {
  description = "Requests at most that an instance answers at the same time."
  type        = number

  validation {
    condition     = var.concurrency >= 1 && var.concurrency <= 256 && floor(var.concurrency) == var.concurrency
    error_message = "concurrency is a whole number from 1 to 256: the server holds 512 connections."
  }
}

variable "timeout_seconds" {
  description = "Time limit of one answer, also of a large file to a slow client."
  type        = number

  validation {
    condition     = var.timeout_seconds >= 10 && var.timeout_seconds <= 3600 && floor(var.timeout_seconds) == var.timeout_seconds
    error_message = "timeout_seconds is a whole number from 10 to 3600, Cloud Run's limit."
  }
}

variable "deployers" {
  description = "Who may change the image of the service: name for Terraform => IAM member."
  type        = map(string)
  default     = {}
}

variable "deletion_protection" {
  description = "Whether Terraform refuses to delete the service."
  type        = bool
}
