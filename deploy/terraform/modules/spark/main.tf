# Executors for the heavy half of a run: the template of the sessions that a run opens at "Serverless
# for Apache Spark" (API: Dataproc), and the network that drivers and executors of a session share.
# Nothing runs, and nothing is billed, without a session. Which image executors have is not said here:
# a run brings that of its own release (DRUG_ASSETS_SPARK_IMAGE), so that both run the same code.

locals {
  own_network = var.subnetwork == null
  subnetwork  = local.own_network ? one(google_compute_subnetwork.executors[*].id) : var.subnetwork

  # The work is Python's: Java needs little of the 4 GiB for each core.
  properties = {
    "spark.driver.cores"                   = "4"
    "spark.executor.cores"                 = tostring(var.executor_cores)
    "spark.executor.memory"                = "${var.executor_cores}g"
    "spark.executor.memoryOverhead"        = "${3 * var.executor_cores}g"
    "spark.executor.instances"             = tostring(var.min_executors)
    "spark.dynamicAllocation.enabled"      = "true"
    "spark.dynamicAllocation.minExecutors" = tostring(var.min_executors)
    "spark.dynamicAllocation.maxExecutors" = tostring(var.max_executors)
  }
}

# What a session stages and logs. Without a bucket of ours, Google makes one that no destroy removes.
resource "google_storage_bucket" "staging" {
  name     = "${var.project_id}-drug-assets-spark"
  project  = var.project_id
  location = var.region

  uniform_bucket_level_access = true
  public_access_prevention    = "enforced"
  force_destroy               = true # nothing in it is needed after its session

  soft_delete_policy {
    retention_duration_seconds = 0
  }

  lifecycle_rule {
    action {
      type = "Delete"
    }
    condition {
      age = 14
    }
  }
}

resource "google_compute_network" "spark" {
  count = local.own_network ? 1 : 0

  project                 = var.project_id
  name                    = "drug-assets-spark"
  description             = "Drivers and executors of Spark sessions; nothing else."
  auto_create_subnetworks = false
}

# Nodes have no address outside. They reach Cloud Storage, the registry and the logs, and nothing of
# the internet.
resource "google_compute_subnetwork" "executors" {
  count = local.own_network ? 1 : 0

  project                  = var.project_id
  region                   = var.region
  name                     = "drug-assets-spark"
  network                  = google_compute_network.spark[0].id
  ip_cidr_range            = var.ip_range
  private_ip_google_access = true
}

# Google: a subnetwork of sessions "must allow internal communication on all ports".
resource "google_compute_firewall" "among_themselves" {
  count = local.own_network ? 1 : 0

  project            = var.project_id
  name               = "drug-assets-spark-internal"
  description        = "Drivers and executors of Spark sessions among themselves."
  network            = google_compute_network.spark[0].id
  direction          = "INGRESS"
  source_ranges      = [var.ip_range]
  destination_ranges = [var.ip_range]

  allow {
    protocol = "all"
  }
}

resource "google_dataproc_session_template" "executors" {
  project  = var.project_id
  location = var.region
  name     = "projects/${var.project_id}/locations/${var.region}/sessionTemplates/drug-assets"

  runtime_config {
    version    = var.runtime_version
    properties = local.properties
  }

  environment_config {
    execution_config {
      service_account = var.service_account
      subnetwork_uri  = local.subnetwork
      staging_bucket  = google_storage_bucket.staging.name
      # A run ends its session itself. These end what a killed run leaves behind.
      idle_ttl = "${var.idle_seconds}s"
      ttl      = "${var.max_seconds}s"

      authentication_config {
        user_workload_authentication_type = "SERVICE_ACCOUNT"
      }
    }
  }

  spark_connect_session {}

  depends_on = [google_compute_firewall.among_themselves]
}

# The runner opens sessions, whose executors act as their own account.
resource "google_service_account_iam_member" "acts_as" {
  for_each = var.users

  service_account_id = "projects/${var.project_id}/serviceAccounts/${var.service_account}"
  role               = "roles/iam.serviceAccountUser"
  member             = each.value
}
