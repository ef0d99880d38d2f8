# Copy to terraform.tfvars and fill in; every variable is described in variables.tf.
# No secret belongs here: the database's password comes from TF_VAR_postgres_password; the values of
# the others are added to Secret Manager by hand.

project_id     = "drugs-production-1"
project_number = "123456789012"
region         = "europe-west1"
image          = "europe-west1-docker.pkg.dev/drugs-production-1/drug-assets/drug-assets:0.1.0"

warehouse = {
  location = "EU"
  # readers = { analysts = "group:analysts@example.org" } # Google refuses members that do not exist
}

job = {
  cpu    = "2"
  memory = "4Gi"
}

pulls = {
  trials = {
    schedule = "0 3 * * 1"
    message  = { source = "clinical_trials", query = "betamethasone OR diphenhydramine" }
  }
  articles = {
    schedule = "0 4 * * 1"
    message  = { source = "pubmed", query = "betamethasone[Title] OR diphenhydramine[Title]" }
  }
}

ncbi_email = "data-team@example.org"

# Whoever has these numbers may deploy, so they are yours: gh api repos/OWNER/NAME --jq '.id, .owner.id'
# github = {
#   repository_id       = "123456789"
#   repository_owner_id = "1234567"
# }

alerts = {
  emails         = ["data-team@example.org"]
  rejected_share = 0.05
}

# The results for people who read them; docs/deployment.md says what iap needs.
# readers = {
#   enabled = true
#   access  = "iap" # or "public": everybody, without a log-in
#   users   = ["group:readers@example.org"]
# }

# Datadog in the place of Cloud Monitoring, or beside it; docs/deployment.md has the other steps.
# monitoring = ["google", "datadog"]

# Dagster's UI, daemon and queue; docs/deployment.md lists the costs.
# dagster = {
#   enabled = true
#   users   = ["group:data-team@example.org"]
#   # Pulls as Dagster assets, in place of `pulls` above:
#   # pubmed_query          = "betamethasone[Title] OR diphenhydramine[Title]"
#   # clinical_trials_query = "betamethasone OR diphenhydramine"
# }
