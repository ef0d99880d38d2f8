# The repository of images. Tags are immutable, so that every version that ever ran can be found
# again. Images without a tag are deleted after two weeks, but the newest twenty are always kept.

variable "project_id" {
  description = "Project that owns the repository."
  type        = string
}

variable "location" {
  description = "Region of the repository: that of the jobs that use its images."
  type        = string
}

variable "writers" {
  description = "Who may push images: name for Terraform => IAM member."
  type        = map(string)
  default     = {}
}

variable "readers" {
  description = "Who else may pull images: name for Terraform => IAM member. Cloud Run needs no grant."
  type        = map(string)
  default     = {}
}

resource "google_artifact_registry_repository" "images" {
  project       = var.project_id
  location      = var.location
  repository_id = "drug-assets"
  description   = "Images of drug-assets: job, webserver, daemon and code server in one; executors of Spark in another."
  format        = "DOCKER"

  docker_config {
    immutable_tags = true
  }

  cleanup_policies {
    id     = "delete-untagged"
    action = "DELETE"
    condition {
      tag_state  = "UNTAGGED"
      older_than = "1209600s"
    }
  }

  cleanup_policies {
    id     = "keep-newest"
    action = "KEEP"
    most_recent_versions {
      keep_count = 20
    }
  }
}

resource "google_artifact_registry_repository_iam_member" "writer" {
  for_each = var.writers

  project    = var.project_id
  location   = var.location
  repository = google_artifact_registry_repository.images.name
  role       = "roles/artifactregistry.writer"
  member     = each.value
}

resource "google_artifact_registry_repository_iam_member" "reader" {
  for_each = var.readers

  project    = var.project_id
  location   = var.location
  repository = google_artifact_registry_repository.images.name
  role       = "roles/artifactregistry.reader"
  member     = each.value
}

output "image" {
  description = "Name of the image, without a tag."
  value       = "${var.location}-docker.pkg.dev/${var.project_id}/${google_artifact_registry_repository.images.repository_id}/drug-assets"
}

output "executor_image" {
  description = "Name of the image of Spark's executors, without a tag."
  value       = "${var.location}-docker.pkg.dev/${var.project_id}/${google_artifact_registry_repository.images.repository_id}/drug-assets-executor"
}

output "readers" {
  description = "Names of those who may pull images besides Cloud Run."
  value       = sort(keys(google_artifact_registry_repository_iam_member.reader))
}
