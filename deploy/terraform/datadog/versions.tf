# A configuration of its own, so that a deployment without Datadog needs neither its provider nor its
# keys. The keys come from DD_API_KEY and DD_APP_KEY, and are in no state (docs/deployment.md):
#   terraform init -backend-config=bucket=YOUR-STATE-BUCKET -backend-config=prefix=drug-assets-datadog
terraform {
  required_version = ">= 1.11"

  required_providers {
    datadog = {
      source  = "DataDog/datadog"
      version = "~> 4.25"
    }
  }

  backend "gcs" {}
}

provider "datadog" {
  api_url = "https://api.${var.site}/"
}
