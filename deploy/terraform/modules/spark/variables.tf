variable "project_id" {
  description = "Project of sessions, network and bucket."
  type        = string
}

variable "region" {
  description = "Region of the sessions: that of landing zone, store and registry."
  type        = string
}

variable "service_account" {
  description = "E-mail of the service account that executors run as."
  type        = string
}

variable "users" {
  description = "Who may open sessions that act as this account: name for Terraform => IAM member."
  type        = map(string)
}

variable "runtime_version" {
  description = "Google's runtime: 3.0 has Spark 4.0, as the client in the image."
  type        = string

  # The client refuses older ones, and Spark Connect promises nothing to a newer client.
  validation {
    condition     = can(regex("^3[.][0-9]+$", var.runtime_version))
    error_message = "runtime_version is a runtime with Spark 4, such as 3.0; Google takes no third number."
  }
}

variable "subnetwork" {
  description = "Name or URI of a subnetwork of the region with Private Google Access whose firewall lets nodes reach each other on all ports; null makes a network of its own."
  type        = string
}

variable "ip_range" {
  description = "Addresses of the subnetwork that is made: one for each driver and executor."
  type        = string

  validation {
    condition     = can(cidrnetmask(var.ip_range)) && try(tonumber(split("/", var.ip_range)[1]) <= 28, false)
    error_message = "ip_range is a range such as 10.77.0.0/22, of 16 addresses at least."
  }
}

variable "executor_cores" {
  description = "Cores of an executor: 4, 8 or 16."
  type        = number

  validation {
    condition     = contains([4, 8, 16], var.executor_cores)
    error_message = "Google's executors have 4, 8 or 16 cores."
  }
}

variable "min_executors" {
  description = "Executors that a session starts with, 2 at least."
  type        = number

  validation {
    condition     = var.min_executors >= 2 && floor(var.min_executors) == var.min_executors
    error_message = "Google starts no session with fewer than 2 executors."
  }
}

variable "max_executors" {
  description = "Executors at most, which limits what an hour of a session can cost."
  type        = number

  validation {
    condition     = var.max_executors >= var.min_executors && var.max_executors <= 2000 && floor(var.max_executors) == var.max_executors
    error_message = "max_executors is a whole number from min_executors to 2000."
  }
}

variable "idle_seconds" {
  description = "After so many seconds without work, Google ends a session: 600 (its least) to 1209600."
  type        = number

  validation {
    condition     = var.idle_seconds >= 600 && var.idle_seconds <= 1209600 && floor(var.idle_seconds) == var.idle_seconds
    error_message = "idle_seconds is a whole number from 600 to 1209600, the limits of Google."
  }
}

variable "max_seconds" {
  description = "After so many seconds, Google ends a session whatever it does: as long as a run may take, 600 at least."
  type        = number

  validation {
    condition     = var.max_seconds >= 600 && var.max_seconds <= 1209600 && floor(var.max_seconds) == var.max_seconds
    error_message = "max_seconds is a whole number from 600 to 1209600, the limits of Google."
  }
}
