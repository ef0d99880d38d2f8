"""What is told of runs that Dagster's daemon sees end: log events, and a webhook for failures.

Runs of `drug-assets run` tell of themselves; they carry `TOLD`.
"""

import dagster as dg

from drug_assets import logs, notify
from drug_assets.defs.jobs import drug_mentions

#: Tag of runs whose end was told by the process that ran them.
TOLD = "drug_assets/told"


def on_failure(webhook: str | None) -> dg.SensorDefinition:
    """Tells of failed runs; with a webhook, people too."""

    @dg.run_failure_sensor(
        name="run_failed",
        monitored_jobs=[drug_mentions],
        default_status=dg.DefaultSensorStatus.RUNNING,
        description="Logs a failed run for alerts, and posts it to a webhook if there is one.",
    )
    def run_failed(context: dg.RunFailureSensorContext) -> None:
        run = context.dagster_run
        if TOLD in run.tags:
            return
        text = f"{run.job_name} failed: {context.failure_event.message}"
        logs.tell(logs.RUN_FAILED, text, run_id=run.run_id, job=run.job_name)
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
    """The figures of a run, for metrics and for the alert that no run succeeds any more."""
    run = context.dagster_run
    if TOLD in run.tags:
        return
    record = context.instance.get_run_record_by_id(run.run_id)
    started = record.start_time if record and record.start_time else 0.0
    ended = record.end_time if record and record.end_time else started
    rows = rows_of(context.instance, run.run_id)
    logs.tell(
        logs.RUN_SUCCEEDED,
        f"{run.job_name} succeeded",
        run_id=run.run_id,
        job=run.job_name,
        **figures(rows, ended - started),
    )


def rows_of(instance: dg.DagsterInstance, run_id: str) -> dict[str, int]:
    """Rows of each table that a run made."""
    rows = {}
    for entry in instance.all_logs(run_id, of_type=dg.DagsterEventType.ASSET_MATERIALIZATION):
        made = entry.asset_materialization
        count = made.metadata.get("dagster/row_count") if made else None
        if made and isinstance(count, dg.IntMetadataValue) and count.value is not None:
            rows[made.asset_key.path[-1]] = count.value
    return rows


def figures(rows: dict[str, int], seconds: float) -> dict[str, int | float]:
    """What is measured of a run: rows in, rejected, mentions, seconds."""
    return {
        "rows_in": sum(count for table, count in rows.items() if table.startswith("raw_")),
        "rows_rejected": rows.get("rejected_records", 0),
        "mentions": rows.get("mentions", 0),
        "seconds": round(seconds, 1),
    }
