# Dagster's webserver, daemon and code server in one Cloud Run service of exactly one instance
# (there must be only one daemon), their PostgreSQL, and the job whose executions are the runs. All
# use the same image. deploy/dagster.yaml, which is in the image, holds Dagster's own settings.

locals {
  # deploy/dagster.yaml names this job for the code location.
  run_job = "drug-assets-dagster-run"

  accounts = {
    service = "serviceAccount:${var.service_account}"
    runner  = "serviceAccount:${var.runner_service_account}"
  }

  environment = merge(var.environment, {
    DAGSTER_HOME                    = "/opt/dagster"
    DAGSTER_COMPUTE_LOGS_BUCKET     = google_storage_bucket.logs.name
    GOOGLE_CLOUD_PROJECT            = var.project_id
    GOOGLE_CLOUD_REGION             = var.region
    DRUG_ASSETS_CODE_SERVER_HOST    = "127.0.0.1"
    DRUG_ASSETS_CODE_SERVER_PORT    = "4000"
    DRUG_ASSETS_RUN_TIMEOUT_SECONDS = tostring(var.run.timeout_seconds)
  })

  # Environment variable => secret id. The service and the runs both need the database's address.
  postgres_secret = { DAGSTER_POSTGRES_URL = google_secret_manager_secret.postgres_url.secret_id }
  secrets         = merge(var.secrets, local.postgres_secret)

  # The order matters: the first container receives the requests. Containers that Cloud Run probes
  # listen on every address, because probes come from outside the container and cannot reach its
  # loopback. From outside the service only the port of the first container can be reached.
  containers = [
    {
      name       = "webserver"
      command    = ["dagster-webserver", "--host", "0.0.0.0", "--port", "3000", "--workspace", "/opt/dagster/workspace.yaml"]
      port       = 3000
      depends_on = ["code-server"]
      cpu        = "1"
      memory     = "1Gi"
      probe      = "http"
    },
    {
      name       = "code-server"
      command    = ["dagster", "code-server", "start", "--host", "0.0.0.0", "--port", "4000", "--module-name", "drug_assets.definitions", "--location-name", "drug_assets"]
      port       = null
      depends_on = []
      cpu        = "1"
      memory     = "2Gi"
      probe      = "grpc"
    },
    {
      name       = "daemon"
      command    = ["dagster-daemon", "run", "--workspace", "/opt/dagster/workspace.yaml"]
      port       = null
      depends_on = ["code-server"]
      cpu        = "1"
      memory     = "1Gi"
      probe      = null
    },
  ]
}

resource "google_sql_database_instance" "dagster" {
  project             = var.project_id
  region              = var.region
  name                = "drug-assets-dagster"
  database_version    = "POSTGRES_16"
  deletion_protection = var.deletion_protection

  settings {
    tier                        = var.database_tier
    edition                     = "ENTERPRISE"
    availability_type           = "ZONAL"
    disk_autoresize             = true
    deletion_protection_enabled = var.deletion_protection
    # Only Google's connectors, which check IAM and encrypt, can connect; no network is authorized.
    connector_enforcement = "REQUIRED"

    ip_configuration {
      ipv4_enabled = true
      ssl_mode     = "ENCRYPTED_ONLY"
    }

    backup_configuration {
      enabled                        = true
      point_in_time_recovery_enabled = true
      start_time                     = "02:00"

      backup_retention_settings {
        retained_backups = 14
      }
    }
  }
}

resource "google_sql_database" "dagster" {
  project  = var.project_id
  instance = google_sql_database_instance.dagster.name
  name     = "dagster"

  # Deleted with its instance: PostgreSQL drops no database that Dagster is still connected to.
  deletion_policy = "ABANDON"
}

resource "google_sql_user" "dagster" {
  project             = var.project_id
  instance            = google_sql_database_instance.dagster.name
  name                = "dagster"
  password_wo         = var.postgres_password
  password_wo_version = var.postgres_password_version

  # Deleted with its instance: PostgreSQL drops no user that owns tables.
  deletion_policy = "ABANDON"
}

resource "google_secret_manager_secret" "postgres_url" {
  project   = var.project_id
  secret_id = "drug-assets-dagster-postgres-url"

  replication {
    auto {}
  }
}

resource "google_secret_manager_secret_version" "postgres_url" {
  secret = google_secret_manager_secret.postgres_url.id
  secret_data_wo = join("", [
    "postgresql+psycopg2://${google_sql_user.dagster.name}:${urlencode(var.postgres_password)}",
    "@/${google_sql_database.dagster.name}",
    "?host=/cloudsql/${google_sql_database_instance.dagster.connection_name}",
  ])
  secret_data_wo_version = var.postgres_password_version
}

resource "google_secret_manager_secret_iam_member" "postgres_url" {
  for_each = local.accounts

  project   = var.project_id
  secret_id = google_secret_manager_secret.postgres_url.secret_id
  role      = "roles/secretmanager.secretAccessor"
  member    = each.value
}

resource "google_project_iam_member" "database_client" {
  for_each = local.accounts

  project = var.project_id
  role    = "roles/cloudsql.client"
  member  = each.value
}

resource "google_storage_bucket" "logs" {
  name     = "${var.project_id}-drug-assets-dagster-logs"
  project  = var.project_id
  location = var.region

  uniform_bucket_level_access = true
  public_access_prevention    = "enforced"
  force_destroy               = true

  lifecycle_rule {
    action {
      type = "Delete"
    }
    condition {
      age = 90
    }
  }
}

resource "google_storage_bucket_iam_member" "logs" {
  for_each = local.accounts

  bucket = google_storage_bucket.logs.name
  role   = "roles/storage.objectUser"
  member = each.value
}

# Dagster's log manager checks at its start that the bucket exists, which objectUser does not
# permit.
resource "google_storage_bucket_iam_member" "logs_bucket" {
  for_each = local.accounts

  bucket = google_storage_bucket.logs.name
  role   = "roles/storage.legacyBucketReader"
  member = each.value
}

module "run_job" {
  source = "../cloud_run_job"

  project_id          = var.project_id
  region              = var.region
  name                = local.run_job
  image               = var.image
  command             = []
  service_account     = var.runner_service_account
  environment         = local.environment
  secrets             = merge(var.run_secrets, local.postgres_secret)
  cpu                 = var.run.cpu
  memory              = var.run.memory
  scratch_gib         = var.run.scratch_gib
  timeout_seconds     = var.run.timeout_seconds
  max_retries         = 0 # Dagster itself retries runs
  cloud_sql_instance  = google_sql_database_instance.dagster.connection_name
  starters            = { dagster = local.accounts.service }
  viewers             = { dagster = local.accounts.service } # it looks after the executions
  deployers           = var.deployers
  deletion_protection = var.deletion_protection

  # Cloud Run does not create a job whose secret has no value, or whose account may not read it.
  depends_on = [
    google_secret_manager_secret_version.postgres_url,
    google_secret_manager_secret_iam_member.postgres_url,
  ]
}

resource "google_cloud_run_v2_service" "dagster" {
  project             = var.project_id
  location            = var.region
  name                = "drug-assets-dagster"
  ingress             = "INGRESS_TRAFFIC_ALL"
  iap_enabled         = true
  deletion_protection = var.deletion_protection

  template {
    service_account       = var.service_account
    execution_environment = "EXECUTION_ENVIRONMENT_GEN2"

    scaling {
      min_instance_count = 1
      max_instance_count = 1
    }

    dynamic "containers" {
      for_each = local.containers
      content {
        name       = containers.value.name
        image      = var.image
        args       = containers.value.command
        depends_on = containers.value.depends_on

        resources {
          # The daemon needs its CPU between requests too.
          cpu_idle          = false
          startup_cpu_boost = true
          limits = {
            cpu    = containers.value.cpu
            memory = containers.value.memory
          }
        }

        dynamic "ports" {
          for_each = containers.value.port == null ? [] : [containers.value.port]
          content {
            container_port = ports.value
          }
        }

        dynamic "startup_probe" {
          for_each = containers.value.probe == "http" ? ["/server_info"] : []
          content {
            period_seconds    = 10
            timeout_seconds   = 5
            failure_threshold = 18
            http_get {
              path = startup_probe.value
              port = containers.value.port
            }
          }
        }

        dynamic "startup_probe" {
          for_each = containers.value.probe == "grpc" ? ["DagsterApi"] : []
          content {
            period_seconds    = 10
            timeout_seconds   = 5
            failure_threshold = 18
            grpc {
              port    = 4000
              service = startup_probe.value
            }
          }
        }

        dynamic "liveness_probe" {
          for_each = containers.value.probe == "http" ? ["/server_info"] : []
          content {
            period_seconds    = 30
            timeout_seconds   = 10
            failure_threshold = 4
            http_get {
              path = liveness_probe.value
              port = containers.value.port
            }
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
          for_each = local.secrets
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

        volume_mounts {
          name       = "cloudsql"
          mount_path = "/cloudsql"
        }
      }
    }

    volumes {
      name = "cloudsql"
      cloud_sql_instance {
        instances = [google_sql_database_instance.dagster.connection_name]
      }
    }
  }

  lifecycle {
    ignore_changes = [
      template[0].containers[0].image,
      template[0].containers[1].image,
      template[0].containers[2].image,
      client,
      client_version,
    ]
  }

  depends_on = [
    google_secret_manager_secret_version.postgres_url,
    google_secret_manager_secret_iam_member.postgres_url,
    google_project_iam_member.database_client,
    google_storage_bucket_iam_member.logs,
    google_storage_bucket_iam_member.logs_bucket,
  ]
}

resource "google_cloud_run_v2_service_iam_member" "deployer" {
  for_each = var.deployers

  project  = var.project_id
  location = var.region
  name     = google_cloud_run_v2_service.dagster.name
  role     = "roles/run.developer"
  member   = each.value
}

# Dagster's UI has no users or log-in of its own. Identity-Aware Proxy protects it: only the proxy
# may call the service.
resource "google_cloud_run_v2_service_iam_member" "proxy" {
  project  = var.project_id
  location = var.region
  name     = google_cloud_run_v2_service.dagster.name
  role     = "roles/run.invoker"
  member   = "serviceAccount:service-${var.project_number}@gcp-sa-iap.iam.gserviceaccount.com"
}

resource "google_iap_web_cloud_run_service_iam_member" "user" {
  for_each = var.users

  project                = var.project_id
  location               = var.region
  cloud_run_service_name = google_cloud_run_v2_service.dagster.name
  role                   = "roles/iap.httpsResourceAccessor"
  member                 = each.value
}
