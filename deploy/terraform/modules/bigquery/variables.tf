variable "project_id" {
  description = "Project of the datasets."
  type        = string
}

variable "location" {
  description = "Location of the datasets, such as EU or europe-west1; it cannot change later."
  type        = string
}

variable "dataset" {
  description = "Dataset of the pipeline's tables, views and functions."
  type        = string
}

variable "sales_dataset" {
  description = "Dataset with TRANSACTIONS and PRODUCT_NOMENCLATURE, for the functions that read sales; null leaves them out."
  type        = string
  default     = null
}

variable "sql_directory" {
  description = "Folder with the statements: views, functions, table_functions. References in them: project, dataset, sales_dataset."
  type        = string
}

variable "writers" {
  description = "Who loads the tables: name for Terraform => IAM member."
  type        = map(string)
}

variable "readers" {
  description = "Who queries: name for Terraform => IAM member."
  type        = map(string)
  default     = {}
}

variable "query_service_account" {
  description = "E-mail of the account that scheduled queries run as."
  type        = string
}

variable "scheduled_queries" {
  description = "Queries by schedule, each into a table of its own that it replaces: table => schedule as BigQuery writes it, and query. References in a query: project, dataset, sales_dataset."
  type = map(object({
    schedule = string
    query    = string
  }))
  default = {}
}

variable "deletion_protection" {
  description = "Whether Terraform refuses to delete tables, and the dataset while it has any."
  type        = bool
}
