# What is watched, whoever watches it: events, figures, alerts and charts. The modules monitoring
# (Cloud Monitoring) and datadog turn each into a query of their own.
#
# Events and figures are those of the JSON line that reports the end of a run: event run_succeeded,
# with rows_in, rows_rejected, mentions and seconds; or event run_failed, with the outcome (empty,
# lost_race, refused, failed). A rollback writes rolled_back. If a run dies without such a line
# (memory, time-out), Cloud Run's own count of failed executions shows it.

locals {
  events = {
    run_succeeded = "Runs that ended well, and those that found nothing new."
    run_failed    = "Runs that failed (a step or a blocking check) or could not begin."
    rolled_back   = "Rollbacks: another release than the newest became the current one, or the newest again."
  }

  figures = {
    rows_in       = { unit = "1", description = "Raw rows that a run read." }
    rows_rejected = { unit = "1", description = "Raw rows that a run rejected, apart from those that sound deliveries have many of." }
    mentions      = { unit = "1", description = "Mentions that a run found." }
    seconds       = { unit = "s", description = "Time that a run took." }
  }

  failed = "A run, a pull, or what starts them failed; the last good outputs stay as they were. What to do: ${var.runbook}#a-run-failed"

  # An alert looks back some minutes, at what it counts: an event, a figure, execution_failed (of a
  # Cloud Run job) or workflow_failed; if per is given, at the one divided by the other. It fires
  # above a number, or without one if there was none at all, and this has lasted some minutes.
  #
  # A failure has three signals: the event of a run, Cloud Run's own, and that of a workflow. Each
  # looks back a quarter of an hour, because counts can arrive some minutes late.
  alerts = {
    run_failed = {
      title     = "a run failed"
      condition = "A run, or Dagster of a run, said that it failed"
      severity  = "ERROR"
      counted   = "run_failed"
      per       = null
      above     = 0
      minutes   = 15
      lasting   = 0
      text      = local.failed
    }
    execution_failed = {
      title     = "an execution of a job failed"
      condition = "An execution of a job failed"
      severity  = "ERROR"
      counted   = "execution_failed"
      per       = null
      above     = 0
      minutes   = 15
      lasting   = 0
      text      = local.failed
    }
    workflow_failed = {
      title     = "a workflow failed"
      condition = "A workflow that starts a job failed"
      severity  = "ERROR"
      counted   = "workflow_failed"
      per       = null
      above     = 0
      minutes   = 15
      lasting   = 0
      text      = local.failed
    }
    rolled_back = {
      title     = "the store was rolled back"
      condition = "A rollback changed which release is current"
      severity  = "WARNING"
      counted   = "rolled_back"
      per       = null
      above     = 0
      minutes   = 15
      lasting   = 0
      text      = "Readers may see an earlier release, until the landing zone or the rules change. What to do: ${var.runbook}#go-back-to-an-earlier-release"
    }
    no_success = {
      title     = "no run succeeded in ${var.no_success_hours} hours"
      condition = "No run succeeded in ${var.no_success_hours} hours"
      severity  = "WARNING"
      counted   = "run_succeeded"
      per       = null
      above     = null
      minutes   = var.no_success_hours * 60
      # Gives a new deployment an hour for its first run, and lets a daily run end an hour later
      # than on the day before.
      lasting = 60
      text    = "Outputs may be older than they should be. What to do: ${var.runbook}#no-run-succeeded"
    }
    rejected_share = {
      title     = "more than ${var.rejected_share * 100} % of rows rejected"
      condition = "Share of rejected rows"
      severity  = "WARNING"
      counted   = "rows_rejected"
      per       = "rows_in"
      above     = var.rejected_share
      minutes   = 60
      lasting   = 0
      text      = "A source may have changed its form; the rows stand in rejected_records with their reasons. What to do: ${var.runbook}#too-many-rows-rejected"
    }
  }

  charts = concat(
    [
      { title = "Runs that succeeded", counted = "run_succeeded", per = null, by = null },
      { title = "Runs that failed, by outcome", counted = "run_failed", per = null, by = "outcome" },
    ],
    [
      for figure in ["rows_in", "rows_rejected", "mentions", "seconds"] :
      { title = local.figures[figure].description, counted = figure, per = null, by = null }
    ],
    [{ title = "Share of rejected rows", counted = "rows_rejected", per = "rows_in", by = null }],
  )
}
