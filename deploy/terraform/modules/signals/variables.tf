variable "no_success_hours" {
  description = "Hours without a successful run after which an alert is raised."
  type        = number

  validation {
    condition     = var.no_success_hours >= 1 && var.no_success_hours <= 24
    error_message = "An alert looks back 1 to 24 hours (Cloud Monitoring's limit is 25)."
  }
}

variable "rejected_share" {
  description = "Share of rejected rows, 0 to 1, above which an alert is raised."
  type        = number

  validation {
    condition     = var.rejected_share > 0 && var.rejected_share < 1
    error_message = "The share lies between 0 and 1: 0.05 is a row in twenty."
  }
}

variable "runbook" {
  description = "Address of docs/operations.md, which each alert links to."
  type        = string
}
