"""Sensors that report the end of a run: a log event for each, and a webhook call for failures.

Dagster's daemon evaluates them. Runs of `drug-assets run` report their own end and carry the tag
`REPORTED`, so they are left out here.
"""

import dagster as dg

from drug_assets import logs, notify
from drug_assets.defs.jobs import drug_mentions

#: Tag of runs whose end is reported by the process that runs them.
REPORTED = "drug_assets/reported"


def make_failure_sensor(webhook: str | None) -> dg.SensorDefinition:
    """The sensor that logs failed runs, and posts them to a webhook if there is one."""

    @dg.run_failure_sensor(
        name="run_failed",
        monitored_jobs=[drug_mentions],
        default_status=dg.DefaultSensorStatus.RUNNING,
        description="Logs a failed run for alerts, and posts it to a webhook if there is one.",
    )
    def run_failed(context: dg.RunFailureSensorContext) -> None:
        run = context.dagster_run
        if REPORTED in run.tags:
            return
        text = f"{run.job_name} failed: {context.failure_event.message}"
        logs.write_event(logs.RUN_FAILED, text, run_id=run.run_id, job=run.job_name)
        if webhook:
            try:
                notify.notify(webhook, {"text": text, "run_id": run.run_id, "job": run.job_name})
            except notify.NotNotifiedError as error:
                context.log.warning(str(error))

    return run_failed


@dg.run_status_sensor(
    run_status=dg.DagsterRunStatus.SUCCESS,
    monitored_jobs=[drug_mentions],
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Logs the figures of a run that succeeded.",
)
def run_succeeded(context: dg.RunStatusSensorContext) -> None:
    """Log the figures of a run, for metrics and for the alert that no run has succeeded lately."""
    run = context.dagster_run
    if REPORTED in run.tags:
        return
    record = context.instance.get_run_record_by_id(run.run_id)
    started = record.start_time if record and record.start_time else 0.0
    ended = record.end_time if record and record.end_time else started
    rows = collect_rows(context.instance, run.run_id)
    logs.write_event(
        logs.RUN_SUCCEEDED,
        f"{run.job_name} succeeded",
        run_id=run.run_id,
        job=run.job_name,
        **collect_figures(rows, ended - started),
    )


def collect_rows(instance: dg.DagsterInstance, run_id: str) -> dict[str, int]:
    """The row count of each table that a run materialized."""
    rows = {}
    for entry in instance.all_logs(run_id, of_type=dg.DagsterEventType.ASSET_MATERIALIZATION):
        event = entry.asset_materialization
        count = event.metadata.get("dagster/row_count") if event else None
        if event and isinstance(count, dg.IntMetadataValue) and count.value is not None:
            rows[event.asset_key.path[-1]] = count.value
    return rows


def collect_figures(rows: dict[str, int], seconds: float) -> dict[str, int | float]:
    """The figures of a run for metrics: raw rows read, rows rejected, mentions, seconds."""
    return {
        "rows_in": sum(count for table, count in rows.items() if table.startswith("raw_")),
        "rows_rejected": rows.get("rejected_records", 0),
        "mentions": rows.get("mentions", 0),
        "seconds": round(seconds, 1),
    }
