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
  description = "Dataset of TRANSACTIONS and PRODUCT_NOMENCLATURE; null leaves out the functions that read them."
  type        = string
  default     = null
}

variable "sql_directory" {
  description = "Folder of the statements: views, functions, table_functions, function_views. Their placeholders are project, dataset, sales_dataset."
  type        = string
}

variable "writers" {
  description = "Who may load the tables: name for Terraform => IAM member."
  type        = map(string)
}

variable "readers" {
  description = "Who may query the tables: name for Terraform => IAM member."
  type        = map(string)
  default     = {}
}

variable "query_service_account" {
  description = "E-mail of the service account of scheduled queries."
  type        = string
}

variable "scheduled_queries" {
  description = "Scheduled queries, each of which replaces a table of its own: table => schedule in BigQuery's syntax, and query. Placeholders in a query are project, dataset, sales_dataset."
  type = map(object({
    schedule = string
    query    = string
  }))
  default = {}
}

variable "deletion_protection" {
  description = "Whether Terraform refuses to delete tables, and a dataset that has tables."
  type        = bool
}
