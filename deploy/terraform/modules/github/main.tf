# Access for GitHub without a key: workflows identify themselves with a token that GitHub signs, and
# only a job of this repository in a GitHub environment can act as the account of this environment.
#
# Repository and owner are identified by the numbers in the token. The token also has their names,
# but somebody else can take a name that was given up. Its subject combines names, numbers and more,
# by rules that GitHub and each repository can change.

variable "project_id" {
  description = "Project of pool and deployer."
  type        = string
}

variable "repository_id" {
  description = "Number of the repository on GitHub."
  type        = string

  validation {
    condition     = can(regex("^[1-9][0-9]*$", var.repository_id))
    error_message = "repository_id is the number that `gh api repos/OWNER/NAME --jq .id` prints, not a name."
  }
}

variable "repository_owner_id" {
  description = "Number of the person or organization that owns the repository."
  type        = string

  validation {
    condition     = can(regex("^[1-9][0-9]*$", var.repository_owner_id))
    error_message = "repository_owner_id is the number that `gh api repos/OWNER/NAME --jq .owner.id` prints, not a name."
  }
}

variable "accounts" {
  description = "GitHub environment => resource name of the service account that its jobs may act as (google_service_account.name). Protect the environments with reviewers, and by tag or branch."
  type        = map(string)

  # The names become part of an expression, in which a quote would end the text.
  validation {
    condition     = alltrue([for environment in keys(var.accounts) : can(regex("^[A-Za-z0-9._-]+$", environment))])
    error_message = "An environment is a name of letters, digits, dots, dashes and underscores."
  }
}

resource "google_iam_workload_identity_pool" "github" {
  project                   = var.project_id
  workload_identity_pool_id = "github"
  display_name              = "GitHub Actions"
}

resource "google_iam_workload_identity_pool_provider" "github" {
  project                            = var.project_id
  workload_identity_pool_id          = google_iam_workload_identity_pool.github.workload_identity_pool_id
  workload_identity_pool_provider_id = "actions"
  display_name                       = "GitHub Actions"

  # Google accepts a subject of at most 127 bytes; GitHub's own can be longer.
  attribute_mapping = {
    "google.subject"                = "assertion.repository_id"
    "attribute.repository_id"       = "assertion.repository_id"
    "attribute.repository_owner_id" = "assertion.repository_owner_id"
    "attribute.environment"         = "assertion.environment"
    "attribute.place"               = "assertion.repository_id + '/' + assertion.environment"
  }

  # GitHub signs tokens for every repository: without this condition, any of them would be accepted.
  attribute_condition = join(" && ", [
    "assertion.repository_id == '${var.repository_id}'",
    "assertion.repository_owner_id == '${var.repository_owner_id}'",
    "assertion.environment in ['${join("', '", sort(keys(var.accounts)))}']",
  ])

  oidc {
    issuer_uri = "https://token.actions.githubusercontent.com"
  }
}

resource "google_service_account_iam_member" "job" {
  for_each = var.accounts

  service_account_id = each.value
  role               = "roles/iam.workloadIdentityUser"
  member             = "principalSet://iam.googleapis.com/${google_iam_workload_identity_pool.github.name}/attribute.place/${var.repository_id}/${each.key}"
}

moved {
  from = google_service_account_iam_member.deployer
  to   = google_service_account_iam_member.job["production"]
}

output "provider" {
  description = "Value of the GitHub variable GCP_WORKLOAD_IDENTITY_PROVIDER."
  value       = google_iam_workload_identity_pool_provider.github.name
}
