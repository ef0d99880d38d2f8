# Secrets without values: a person adds the values, so that neither Terraform's variables nor its
# state ever contain them:  printf %s "$VALUE" | gcloud secrets versions add NAME --data-file=-

variable "project_id" {
  description = "Project of the secrets."
  type        = string
}

variable "secrets" {
  description = "Secret id => who may read it: name for Terraform => IAM member."
  type        = map(map(string))
}

resource "google_secret_manager_secret" "secret" {
  for_each = var.secrets

  project   = var.project_id
  secret_id = each.key

  replication {
    auto {}
  }
}

locals {
  readers = merge([
    for secret, readers in var.secrets : {
      for reader, member in readers : "${secret} ${reader}" => { secret = secret, member = member }
    }
  ]...)
}

resource "google_secret_manager_secret_iam_member" "reader" {
  for_each = local.readers

  project   = var.project_id
  secret_id = google_secret_manager_secret.secret[each.value.secret].secret_id
  role      = "roles/secretmanager.secretAccessor"
  member    = each.value.member
}

output "ids" {
  description = "Ids of the secrets."
  value       = [for secret in google_secret_manager_secret.secret : secret.secret_id]
}

output "readers" {
  description = "The readers of each secret, as \"SECRET READER\"."
  value       = sort(keys(google_secret_manager_secret_iam_member.reader))
}
