variable "project_id" {
  description = "Project that owns the buckets; its id is the prefix of their names, which must be globally unique."
  type        = string
}

variable "location" {
  description = "Region of the buckets. The Eventarc trigger must be in the region of the landing bucket."
  type        = string
}

variable "landing_readers" {
  description = "Who may read landed files: name for Terraform => IAM member."
  type        = map(string)
}

variable "landing_writers" {
  description = "Who may land files from APIs, and store the progress of pulls beside them: name => IAM member."
  type        = map(string)
}

variable "landing_lookups" {
  description = "Who may also look the landing bucket up, which gcloud storage rsync does first: name => IAM member."
  type        = map(string)
  default     = {}
}

variable "store_readers" {
  description = "Who may read outputs: name => IAM member."
  type        = map(string)
  default     = {}
}

variable "store_writers" {
  description = "Who may write outputs: name => IAM member."
  type        = map(string)
}

variable "landing_versions_days" {
  description = "Days for which a replaced or deleted landed file can be restored."
  type        = number
  default     = 365
}

variable "store_versions_days" {
  description = "Days for which a replaced or deleted output can be restored."
  type        = number
  default     = 7
}
