# The current release for people who read it: `drug-assets serve` as a Cloud Run service that only
# reads the store. It uses the image of the job, and no instance runs while nobody asks.

locals {
  # Volume => where it is mounted.
  volumes = var.scratch_gib == 0 ? {} : { scratch = "/scratch" }

  # Cloud Run says by PORT, which it sets itself, where it sends requests and probes. They come from
  # outside the container, whose loopback they do not reach.
  command = ["drug-assets", "serve", "--host", "0.0.0.0"]

  environment = merge(
    { DRUG_ASSETS_STORE = var.store },
    # Files of the release are copied there, as far as somebody asks for them: /tmp is memory.
    var.scratch_gib == 0 ? {} : { TMPDIR = local.volumes.scratch },
  )

  # Answers without a release and without the store. /health, which needs both, would end every
  # instance while the store cannot be reached, and let no service begin before the first run.
  probe = "/alive"

  behind_proxy = var.access == "iap"
}

resource "google_cloud_run_v2_service" "readers" {
  project             = var.project_id
  location            = var.region
  name                = "drug-assets-readers"
  ingress             = "INGRESS_TRAFFIC_ALL"
  deletion_protection = var.deletion_protection

  # Exactly one of the two: Identity-Aware Proxy asks who somebody is, or nobody does.
  iap_enabled          = local.behind_proxy
  invoker_iam_disabled = !local.behind_proxy

  template {
    service_account                  = var.service_account
    execution_environment            = "EXECUTION_ENVIRONMENT_GEN2"
    timeout                          = "${var.timeout_seconds}s"
    max_instance_request_concurrency = var.concurrency

    scaling {
      min_instance_count = 0
      max_instance_count = var.max_instances
    }

    containers {
      image = var.image
      args  = local.command

      ports {
        container_port = 8080
      }

      resources {
        # Billed while it answers.
        cpu_idle          = true
        startup_cpu_boost = true
        limits = {
          cpu    = var.cpu
          memory = var.memory
        }
      }

      # Often, because somebody waits; for long, because a busy start takes long.
      startup_probe {
        period_seconds    = 2
        timeout_seconds   = 2
        failure_threshold = 90
        http_get {
          path = local.probe
        }
      }

      liveness_probe {
        period_seconds    = 30
        timeout_seconds   = 10
        failure_threshold = 4
        http_get {
          path = local.probe
        }
      }

      dynamic "env" {
        for_each = local.environment
        content {
          name  = env.key
          value = env.value
        }
      }

      dynamic "volume_mounts" {
        for_each = local.volumes
        content {
          name       = volume_mounts.key
          mount_path = volume_mounts.value
        }
      }
    }

    dynamic "volumes" {
      for_each = local.volumes
      content {
        name = volumes.key
        empty_dir {
          medium     = "DISK"
          size_limit = "${var.scratch_gib}Gi"
        }
      }
    }
  }

  lifecycle {
    # A release deploys its image by digest; the next apply must not restore the first one.
    ignore_changes = [template[0].containers[0].image, client, client_version]
  }
}

resource "google_cloud_run_v2_service_iam_member" "deployer" {
  for_each = var.deployers

  project  = var.project_id
  location = var.region
  name     = google_cloud_run_v2_service.readers.name
  role     = "roles/run.developer"
  member   = each.value
}

# Behind the proxy, only the proxy may call the service.
resource "google_cloud_run_v2_service_iam_member" "proxy" {
  count = local.behind_proxy ? 1 : 0

  project  = var.project_id
  location = var.region
  name     = google_cloud_run_v2_service.readers.name
  role     = "roles/run.invoker"
  member   = "serviceAccount:service-${var.project_number}@gcp-sa-iap.iam.gserviceaccount.com"
}

resource "google_iap_web_cloud_run_service_iam_member" "user" {
  for_each = local.behind_proxy ? var.users : []

  project                = var.project_id
  location               = var.region
  cloud_run_service_name = google_cloud_run_v2_service.readers.name
  role                   = "roles/iap.httpsResourceAccessor"
  member                 = each.value
}
