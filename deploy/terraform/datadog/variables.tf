variable "site" {
  description = "Datadog's site, such as datadoghq.eu or us5.datadoghq.com."
  type        = string

  validation {
    condition     = can(regex("^([a-z]+[0-9]+[.])?(datadoghq[.](com|eu)|ddog-gov[.]com)$", var.site))
    error_message = "The site is the domain of Datadog's address without app, such as datadoghq.eu."
  }
}

# What follows is the output datadog of deploy/terraform.

variable "project_id" {
  description = "Google Cloud project whose logs are watched."
  type        = string
}

variable "run_jobs" {
  description = "Names of the Cloud Run jobs that run the pipeline: their logs report the end of each run."
  type        = list(string)

  validation {
    condition     = length(var.run_jobs) > 0
    error_message = "Name one job at least: alerts on no job would never fire."
  }
}

variable "run_services" {
  description = "Names of the Cloud Run services that report the runs that they started: Dagster's, if there is one."
  type        = list(string)
  default     = []
}

variable "jobs" {
  description = "Names of all Cloud Run jobs: a failed execution of any of them raises an alert."
  type        = list(string)
}

variable "no_success_hours" {
  description = "Hours without a successful run after which an alert is raised, 1 to 24."
  type        = number
}

variable "rejected_share" {
  description = "Share of rejected rows, 0 to 1, above which an alert is raised."
  type        = number
}

variable "runbook" {
  description = "Address of docs/operations.md, which each alert links to."
  type        = string
}

variable "notified" {
  description = "Who is notified, in Datadog's form: @name@example.org, @slack-channel."
  type        = list(string)
  default     = []
}
