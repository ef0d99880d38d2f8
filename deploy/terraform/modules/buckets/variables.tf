variable "project_id" {
  description = "Project that owns the buckets; its id begins their names, which are unique world-wide."
  type        = string
}

variable "location" {
  description = "Region of the buckets. The Eventarc trigger has to lie in the landing bucket's region."
  type        = string
}

variable "landing_readers" {
  description = "Who reads landed files: name for Terraform => IAM member."
  type        = map(string)
}

variable "landing_writers" {
  description = "Who lands files from APIs, with the progress it resumes from: name => IAM member."
  type        = map(string)
}

variable "store_readers" {
  description = "Who reads outputs: name => IAM member."
  type        = map(string)
  default     = {}
}

variable "store_writers" {
  description = "Who replaces outputs: name => IAM member."
  type        = map(string)
}

variable "landing_versions_days" {
  description = "Days that a replaced or deleted landed file can still be brought back."
  type        = number
  default     = 365
}

variable "store_versions" {
  description = "Replaced versions of each output that are kept."
  type        = number
  default     = 10
}
