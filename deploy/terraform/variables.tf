variable "project_id" {
  description = "Google Cloud project; one per deployment."
  type        = string

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{4,28}[a-z0-9]$", var.project_id))
    error_message = "project_id is the id, such as drugs-production-1, not the project's display name or number."
  }
}

variable "project_number" {
  description = "Number of the project: gcloud projects describe PROJECT_ID --format='value(projectNumber)'."
  type        = string

  validation {
    condition     = can(regex("^[0-9]{6,}$", var.project_number))
    error_message = "project_number is the number, not the id."
  }
}

variable "region" {
  description = "Region of everything except the warehouse: buckets, jobs, workflows and triggers must be in the same region."
  type        = string
  default     = "europe-west1"

  validation {
    condition     = can(regex("^[a-z]+-[a-z]+[0-9]+$", var.region))
    error_message = "A region such as europe-west1; a trigger on a multi-region bucket could not start a job of one region."
  }
}

variable "image" {
  description = "First image of the jobs and the service, with tag or digest. Releases replace it."
  type        = string

  validation {
    condition     = can(regex("(:[A-Za-z0-9._-]+|@sha256:[0-9a-f]{64})$", var.image)) && !endswith(var.image, ":latest")
    error_message = "Name the image with its tag or digest, and not latest: a deployment should say what it runs."
  }
}

variable "warehouse" {
  description = "BigQuery: location (cannot change later), dataset, its readers (name => IAM member), and the dataset of TRANSACTIONS and PRODUCT_NOMENCLATURE for the sales functions, if there is one, with the first and last day (2026-01-31) of their scheduled queries; without them, the current year so far."
  type = object({
    location      = optional(string, "EU")
    dataset       = optional(string, "drug_assets")
    readers       = optional(map(string), {})
    sales_dataset = optional(string)
    sales_from    = optional(string)
    sales_to      = optional(string)
  })
  default = {}

  # The days become part of a query, in which a quote would end the text.
  validation {
    condition     = alltrue([for day in [var.warehouse.sales_from, var.warehouse.sales_to] : day == null || can(regex("^[0-9]{4}-[0-9]{2}-[0-9]{2}$", day)) && can(timeadd("${day}T00:00:00Z", "0s"))])
    error_message = "warehouse.sales_from and warehouse.sales_to are days such as 2026-01-31."
  }

  # The first of January would pass a last day that is given alone, and empty the tables.
  validation {
    condition     = var.warehouse.sales_to == null ? true : var.warehouse.sales_from == null ? false : try(timecmp("${var.warehouse.sales_from}T00:00:00Z", "${var.warehouse.sales_to}T00:00:00Z") <= 0, true)
    error_message = "warehouse.sales_to needs a warehouse.sales_from that is not after it."
  }
}

variable "load_bigquery" {
  description = "Whether the job also loads BigQuery (DRUG_ASSETS_ENV=bigquery), or only writes the store."
  type        = bool
  default     = true
}

variable "job" {
  description = "Resources and limits of one run of the pipeline. Temporary files lie on a disk of scratch_gib, 10 at least; with 0 they count as memory. More than 10 needs a quota."
  type = object({
    cpu             = optional(string, "2")
    memory          = optional(string, "4Gi")
    scratch_gib     = optional(number, 10)
    timeout_seconds = optional(number, 3600)
    max_retries     = optional(number, 1)
  })
  default = {}
}

variable "schedule" {
  description = "Cron line of the runs that start even if nothing landed; null for none. Twice a day by default, so that one late or failed run does not raise the alert of alerts.no_success_hours."
  type        = string
  default     = "0 5,17 * * *"
}

variable "time_zone" {
  description = "Time zone of all schedules but those of the sales queries, which BigQuery starts at 04:00 UTC."
  type        = string
  default     = "Europe/Paris"
}

variable "pulls" {
  description = "Scheduled pulls from ClinicalTrials.gov and PubMed: name => cron line and message."
  type = map(object({
    schedule = string
    message = object({
      source    = string
      query     = string
      page_size = optional(number)
      date_type = optional(string)
    })
  }))
  default = {}
}

variable "pull_requesters" {
  description = "Who else may request a pull by publishing a message: name => IAM member."
  type        = map(string)
  default     = {}
}

variable "ncbi_email" {
  description = "Address that NCBI writes to before it blocks a caller with too many requests to PubMed; sent with each request. Null for none."
  type        = string
  default     = null

  validation {
    condition     = var.ncbi_email == null || can(regex("^[^@ ]+@[^@ ]+[.][^@ ]+$", var.ncbi_email))
    error_message = "ncbi_email is one e-mail address."
  }
}

variable "secrets_in_use" {
  description = "Secrets that have a value and are passed to the jobs: drug-assets-ncbi-api-key, drug-assets-failure-webhook. Terraform creates them empty; a job that reads a secret without a value does not start."
  type        = set(string)
  default     = []

  validation {
    condition     = length(setsubtract(var.secrets_in_use, ["drug-assets-ncbi-api-key", "drug-assets-failure-webhook"])) == 0
    error_message = "The secrets are drug-assets-ncbi-api-key and drug-assets-failure-webhook."
  }
}

variable "dagster" {
  description = "Dagster's UI, daemon and queue as a service with its own PostgreSQL. With it, Dagster's sensors and schedules start runs; without it, landed files do through Eventarc. Never both: each prevents only its own runs from overlapping. The two queries are those of Dagster's own pulls (schedule nightly_pulls); without a query these pulls are off, and only the variable pulls requests pulls."
  type = object({
    enabled                   = optional(bool, false)
    users                     = optional(set(string), [])
    pubmed_query              = optional(string)
    clinical_trials_query     = optional(string)
    database_tier             = optional(string, "db-g1-small")
    postgres_password_version = optional(number, 1)
  })
  default = {}

  validation {
    condition     = alltrue([for query in [var.dagster.pubmed_query, var.dagster.clinical_trials_query] : try(trimspace(query) != "", true)])
    error_message = "A query of Dagster's pulls is not blank: leave it out to switch the pull off."
  }
}

variable "readers" {
  description = "The current release for people who read it, as a service that only reads the store and costs nothing while nobody asks: access iap (users, IAM members such as group:data@example.org, log in with Google) or public (everybody, without a log-in). memory and scratch_gib as large as the release needs (docs/deployment.md); with scratch_gib 0, copies of files count as memory."
  type = object({
    enabled         = optional(bool, false)
    access          = optional(string, "iap")
    users           = optional(set(string), [])
    cpu             = optional(string, "1")
    memory          = optional(string, "2Gi")
    scratch_gib     = optional(number, 10)
    max_instances   = optional(number, 2)
    concurrency     = optional(number, 40)
    timeout_seconds = optional(number, 600)
  })
  default = {}
}

variable "spark" {
  description = "Executors for the heavy half of runs: each run that needs them opens a session at Serverless for Apache Spark, with min_executors to max_executors of executor_cores cores (4, 8 or 16), and ends it. subnetwork is one of yours; without it a network is made, with the addresses ip_range. docs/spark.md says when it is worth its price."
  type = object({
    enabled         = optional(bool, false)
    executor_cores  = optional(number, 4)
    min_executors   = optional(number, 2)
    max_executors   = optional(number, 8)
    idle_seconds    = optional(number, 1800)
    runtime_version = optional(string, "3.0")
    subnetwork      = optional(string)
    ip_range        = optional(string, "10.77.0.0/22")
  })
  default = {}
}

variable "postgres_password" {
  description = "Password of Dagster's database, 16 characters or more: set TF_VAR_postgres_password, never write it to a file. Required with dagster.enabled."
  type        = string
  sensitive   = true
  default     = null
}

variable "github" {
  description = "GitHub repository and owner (both by number: gh api repos/OWNER/NAME --jq '.id, .owner.id') and GitHub environments: from environment releases deploy, from landing_environment what is committed under data/ is landed; null for none."
  type = object({
    repository_id       = string
    repository_owner_id = string
    environment         = optional(string, "production")
    landing_environment = optional(string, "landing")
  })
  default = null

  validation {
    condition     = var.github == null ? true : var.github.environment != var.github.landing_environment
    error_message = "Who lands data must not be able to deploy: name two environments."
  }
}

variable "monitoring" {
  description = "Who watches the logs and raises the alerts: google (Cloud Monitoring), datadog, or both. With datadog, the logs also go to a topic; datadog/ has its alerts and dashboard."
  type        = set(string)
  default     = ["google"]

  validation {
    condition     = length(var.monitoring) > 0 && length(setsubtract(var.monitoring, ["google", "datadog"])) == 0
    error_message = "monitoring is a list of google, datadog or both: without either, nobody is told that a run failed."
  }
}

variable "alerts" {
  description = "Who is notified, and when."
  type = object({
    emails           = optional(set(string), [])
    no_success_hours = optional(number, 24)
    rejected_share   = optional(number, 0.05)
    runbook          = optional(string, "docs/operations.md")
  })
  default = {}
}

variable "deletion_protection" {
  description = "Whether Terraform refuses to delete resources that hold data or run. Set to false and apply before a teardown."
  type        = bool
  default     = true
}
