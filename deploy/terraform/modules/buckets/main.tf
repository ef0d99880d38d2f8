# Landing zone and store. Two settings keep both private: uniform access (no ACLs on objects) and
# public access prevention (which overrides any policy). Both keep what was replaced or deleted, by
# age: landed files for long, because there is no other copy; outputs for a few days, because they
# can be computed again and the last releases are kept as such.

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

  # Versions are what can be restored. Soft delete would keep, and bill, each of them once more.
  soft_delete_policy {
    retention_duration_seconds = 0
  }

  lifecycle_rule {
    action {
      type = "Delete"
    }
    condition {
      # By age, never by number: nearly every name in the store is used once (what a run stages, what
      # is kept by file, a release), so nothing newer ever takes its place.
      days_since_noncurrent_time = var.store_versions_days
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

locals {
  # objectUser may create, replace and delete objects but, unlike objectAdmin, not change access.
  grants = merge(
    { for name, member in var.landing_lookups : "landing lookup ${name}" => {
      bucket = google_storage_bucket.landing.name, role = "roles/storage.legacyBucketReader", member = member
    } },
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
