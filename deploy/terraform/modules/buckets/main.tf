# Landing zone and store. Both are private in two ways (uniform access, so no object ACL; public
# access prevented, whatever a policy says) and keep what is replaced: inputs for long, since nothing
# else has them; outputs for a few versions, since any can be computed again.

resource "google_storage_bucket" "landing" {
  name     = "${var.project_id}-drug-assets-landing"
  project  = var.project_id
  location = var.location

  uniform_bucket_level_access = true
  public_access_prevention    = "enforced"
  force_destroy               = false

  versioning {
    enabled = true
  }

  lifecycle_rule {
    action {
      type = "Delete"
    }
    condition {
      days_since_noncurrent_time = var.landing_versions_days
      with_state                 = "ARCHIVED"
    }
  }

  lifecycle_rule {
    action {
      type = "AbortIncompleteMultipartUpload"
    }
    condition {
      age = 7
    }
  }
}

resource "google_storage_bucket" "store" {
  name     = "${var.project_id}-drug-assets-store"
  project  = var.project_id
  location = var.location

  uniform_bucket_level_access = true
  public_access_prevention    = "enforced"
  force_destroy               = false

  versioning {
    enabled = true
  }

  lifecycle_rule {
    action {
      type = "Delete"
    }
    condition {
      num_newer_versions = var.store_versions
      with_state         = "ARCHIVED"
    }
  }

  lifecycle_rule {
    action {
      type = "AbortIncompleteMultipartUpload"
    }
    condition {
      age = 7
    }
  }
}

locals {
  # objectUser may create, replace and delete objects but, unlike objectAdmin, set no access.
  grants = merge(
    { for name, member in var.landing_readers : "landing reader ${name}" => {
      bucket = google_storage_bucket.landing.name, role = "roles/storage.objectViewer", member = member
    } },
    { for name, member in var.landing_writers : "landing writer ${name}" => {
      bucket = google_storage_bucket.landing.name, role = "roles/storage.objectUser", member = member
    } },
    { for name, member in var.store_readers : "store reader ${name}" => {
      bucket = google_storage_bucket.store.name, role = "roles/storage.objectViewer", member = member
    } },
    { for name, member in var.store_writers : "store writer ${name}" => {
      bucket = google_storage_bucket.store.name, role = "roles/storage.objectUser", member = member
    } },
  )
}

resource "google_storage_bucket_iam_member" "grant" {
  for_each = local.grants

  bucket = each.value.bucket
  role   = each.value.role
  member = each.value.member
}
