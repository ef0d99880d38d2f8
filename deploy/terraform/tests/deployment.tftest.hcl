# The whole deployment against a provider that creates nothing: what is there, who may do what.

mock_provider "google" {}

variables {
  project_id     = "drugs-production-1"
  project_number = "123456789012"
  image          = "europe-west1-docker.pkg.dev/drugs-production-1/drug-assets/drug-assets:0.1.0"
}

run "least_privilege" {
  command = apply

  variables {
    github = { repository = "example/drug-assets" }
  }

  assert {
    condition     = toset(keys(google_service_account.account)) == toset(["deployer", "events", "fetcher", "queries", "runner", "workflow"])
    error_message = "One account for each thing that acts, and none for Dagster where there is none."
  }

  assert {
    condition     = alltrue([for grant in google_project_iam_member.role : !can(regex("roles/(owner|editor|viewer)$|[aA]dmin", grant.role))])
    error_message = "No account gets a basic or an admin role on the project."
  }

  assert {
    condition = { for grant in google_project_iam_member.role : grant.role => grant.member... } == {
      "roles/bigquery.jobUser"       = ["serviceAccount:${google_service_account.account["queries"].email}", "serviceAccount:${google_service_account.account["runner"].email}"]
      "roles/eventarc.eventReceiver" = ["serviceAccount:${google_service_account.account["events"].email}"]
      "roles/logging.logWriter"      = ["serviceAccount:${google_service_account.account["workflow"].email}"]
      "roles/run.developer"          = ["serviceAccount:${google_service_account.account["deployer"].email}"]
      "roles/run.viewer"             = ["serviceAccount:${google_service_account.account["workflow"].email}"]
      "roles/workflows.invoker"      = ["serviceAccount:${google_service_account.account["events"].email}"]
      "roles/workflows.viewer"       = ["serviceAccount:${google_service_account.account["workflow"].email}"]
    }
    error_message = "Roles on the project: these, for these accounts, and no other."
  }

  assert {
    condition     = toset(keys(google_service_account_iam_member.deployer_acts_as)) == toset(["fetcher", "runner"])
    error_message = "The deployer acts as what it deploys, and as nothing else."
  }

  assert {
    condition     = output.run_workflow == "drug-assets-run" && output.dagster_url == null
    error_message = "Without Dagster, landed files start the workflow."
  }

  assert {
    condition     = output.jobs == "drug-assets-run drug-assets-fetch"
    error_message = "A release deploys both jobs."
  }

  assert {
    condition     = output.image == "europe-west1-docker.pkg.dev/drugs-production-1/drug-assets/drug-assets"
    error_message = "Releases push where the jobs pull."
  }
}

run "with_dagster" {
  command = apply

  variables {
    postgres_password = "correct horse battery staple"
    dagster           = { enabled = true, users = ["group:data@example.org"] }
  }

  assert {
    condition     = output.run_workflow == null && length(google_project_iam_member.storage_publishes) == 0
    error_message = "With Dagster, its sensors start runs: Eventarc must not start others beside them."
  }

  assert {
    condition     = output.jobs == "drug-assets-run drug-assets-fetch drug-assets-dagster-run"
    error_message = "Runs of Dagster are executions of a job of their own."
  }

  assert {
    condition     = contains(keys(google_service_account.account), "dagster") && !contains(keys(google_service_account.account), "deployer")
    error_message = "Dagster acts as its own account; without GitHub nobody deploys."
  }
}

run "refuses_an_image_that_moves" {
  command = plan

  variables {
    image = "europe-west1-docker.pkg.dev/drugs-production-1/drug-assets/drug-assets:latest"
  }

  expect_failures = [var.image]
}

run "refuses_a_multi_region" {
  command = plan

  variables {
    region = "EU"
  }

  expect_failures = [var.region]
}

run "refuses_an_unknown_secret" {
  command = plan

  variables {
    secrets_in_use = ["drug-assets-ncbi-key"]
  }

  expect_failures = [var.secrets_in_use]
}
