# Landing zone and store: private, and with the versions of replaced objects.

mock_provider "google" {}

variables {
  project_id = "drugs-production-1"
  location   = "europe-west1"
}

run "buckets" {
  command = apply

  module {
    source = "./modules/buckets"
  }

  variables {
    landing_readers = { runner = "serviceAccount:runner" }
    landing_writers = { fetcher = "serviceAccount:fetcher" }
    landing_lookups = { lander = "serviceAccount:lander" }
    store_writers   = { runner = "serviceAccount:runner" }
  }

  assert {
    condition = alltrue([
      for bucket in [google_storage_bucket.landing, google_storage_bucket.store] :
      bucket.uniform_bucket_level_access && bucket.public_access_prevention == "enforced" && !bucket.force_destroy
    ])
    error_message = "Buckets are private and are not deleted with what is in them."
  }

  assert {
    condition = alltrue([
      for bucket in [google_storage_bucket.landing, google_storage_bucket.store] :
      bucket.versioning[0].enabled && alltrue([
        for rule in bucket.lifecycle_rule : rule.condition[0].with_state == "ARCHIVED" if rule.action[0].type == "Delete"
      ])
    ])
    error_message = "Buckets keep versions; only versions that were replaced are ever deleted by age."
  }

  assert {
    condition = alltrue([
      for bucket in [google_storage_bucket.landing, google_storage_bucket.store] :
      alltrue([for rule in bucket.lifecycle_rule : coalesce(rule.condition[0].days_since_noncurrent_time, 0) > 0 if rule.action[0].type == "Delete"])
    ])
    error_message = "Versions go by age: a name that is used once never has newer versions."
  }

  assert {
    condition     = google_storage_bucket.store.soft_delete_policy[0].retention_duration_seconds == 0
    error_message = "Outputs that were deleted are kept once, as versions."
  }

  assert {
    condition = { for name, grant in google_storage_bucket_iam_member.grant : name => "${grant.bucket} ${grant.role} ${grant.member}" } == {
      "landing lookup lander"  = "drugs-production-1-drug-assets-landing roles/storage.legacyBucketReader serviceAccount:lander"
      "landing reader runner"  = "drugs-production-1-drug-assets-landing roles/storage.objectViewer serviceAccount:runner"
      "landing writer fetcher" = "drugs-production-1-drug-assets-landing roles/storage.objectUser serviceAccount:fetcher"
      "store writer runner"    = "drugs-production-1-drug-assets-store roles/storage.objectUser serviceAccount:runner"
    }
    error_message = "The runner reads the landing zone and writes the store; the fetcher writes the landing zone."
  }
}
