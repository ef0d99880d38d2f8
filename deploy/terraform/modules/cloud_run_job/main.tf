locals {
  # Volume => where it is mounted.
  volumes = merge(
    var.scratch_gib == 0 ? {} : { scratch = "/scratch" },
    var.cloud_sql_instance == null ? {} : { cloudsql = "/cloudsql" },
  )

  environment = merge(var.environment, var.scratch_gib == 0 ? {} : { TMPDIR = local.volumes.scratch })
}

resource "google_cloud_run_v2_job" "job" {
  project             = var.project_id
  location            = var.region
  name                = var.name
  deletion_protection = var.deletion_protection

  template {
    parallelism = 1
    task_count  = 1

    template {
      service_account       = var.service_account
      timeout               = "${var.timeout_seconds}s"
      max_retries           = var.max_retries
      execution_environment = "EXECUTION_ENVIRONMENT_GEN2"

      containers {
        image = var.image
        args  = var.command

        resources {
          limits = {
            cpu    = var.cpu
            memory = var.memory
          }
        }

        dynamic "env" {
          for_each = local.environment
          content {
            name  = env.key
            value = env.value
          }
        }

        dynamic "env" {
          for_each = var.secrets
          content {
            name = env.key
            value_source {
              secret_key_ref {
                secret  = env.value
                version = "latest"
              }
            }
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
        for_each = var.scratch_gib == 0 ? [] : ["scratch"]
        content {
          name = volumes.value
          empty_dir {
            medium     = "DISK"
            size_limit = "${var.scratch_gib}Gi"
          }
        }
      }

      dynamic "volumes" {
        for_each = var.cloud_sql_instance == null ? [] : ["cloudsql"]
        content {
          name = volumes.value
          cloud_sql_instance {
            instances = [var.cloud_sql_instance]
          }
        }
      }
    }
  }

  lifecycle {
    # A release deploys its image by digest; the next apply must not restore the first one.
    ignore_changes = [template[0].template[0].containers[0].image, client, client_version]
  }
}

# Roles on this job and its executions alone: on the project they would hold for every job and
# service, and let who deploys make new ones.
resource "google_cloud_run_v2_job_iam_member" "viewer" {
  for_each = var.viewers

  project  = var.project_id
  location = var.region
  name     = google_cloud_run_v2_job.job.name
  role     = "roles/run.viewer"
  member   = each.value
}

resource "google_cloud_run_v2_job_iam_member" "deployer" {
  for_each = var.deployers

  project  = var.project_id
  location = var.region
  name     = google_cloud_run_v2_job.job.name
  role     = "roles/run.developer"
  member   = each.value
}

resource "google_cloud_run_v2_job_iam_member" "starter" {
  for_each = var.starters

  project  = var.project_id
  location = var.region
  name     = google_cloud_run_v2_job.job.name
  role     = "roles/run.jobsExecutorWithOverrides"
  member   = each.value
}
