# The state is in a bucket that must exist before everything else (docs/deployment.md):
#   terraform init -backend-config=bucket=YOUR-STATE-BUCKET -backend-config=prefix=drug-assets
terraform {
  required_version = ">= 1.11"

  required_providers {
    google = {
      source  = "hashicorp/google"
      version = "~> 8.7"
    }
  }

  backend "gcs" {}
}

provider "google" {
  project = var.project_id
  region  = var.region

  default_labels = {
    application = "drug-assets"
    managed-by  = "terraform"
  }
}
