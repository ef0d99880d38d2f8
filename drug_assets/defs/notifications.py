"""Sensors that report the end of a run: a log event for each, and a webhook call for failures.

Dagster's daemon evaluates them, for every run that was to release: of a job, or of assets that a
person chose. Runs of `drug-assets run` report their own end and carry the tag `REPORTED`, so they
are left out here.
"""

import dagster as dg

from drug_assets import logs, notify
from drug_assets.defs.checks import REJECTED_SHARE
from drug_assets.defs.failures import FailureReader
from drug_assets.defs.release import ROWS
from drug_assets.defs.workplace import RELEASE
from drug_assets.wording import count_of

#: Tag of runs whose end is reported by the process that runs them.
REPORTED = "drug_assets/reported"


#: The job of the runs that people start by choosing assets.
_CHOSEN_ASSETS = "__ASSET_JOB"


def make_failure_sensor(webhook: str | None) -> dg.SensorDefinition:
    """The sensor that logs failed runs, and posts them to a webhook if there is one."""

    @dg.run_failure_sensor(
        name="run_failed",
        default_status=dg.DefaultSensorStatus.RUNNING,
        description=(
            "Logs why a run that was to release failed, for alerts, and posts it to a webhook if "
            "there is one."
        ),
    )
    def run_failed(context: dg.RunFailureSensorContext) -> dg.SkipReason | None:
        run = context.dagster_run
        if not _is_told(context.instance, run):
            return dg.SkipReason(_NOT_TOLD)
        reader = FailureReader.of_run(context.instance, run.run_id)
        if not reader.causes and not reader.checks:
            # No step failed: its worker died, or it never started.
            reader.causes.append(context.failure_event.message or "no reason is known")
        text = reader.describe(_name(context.instance, run))
        logs.write_event(
            logs.RUN_FAILED, text, run_id=run.run_id, job=run.job_name, outcome=reader.outcome
        )
        if webhook:
            try:
                notify.notify(webhook, {"text": text, "run_id": run.run_id, "job": run.job_name})
            except notify.NotNotifiedError as error:
                context.log.warning(str(error))
        return None

    return run_failed


@dg.run_status_sensor(
    run_status=dg.DagsterRunStatus.SUCCESS,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Logs the figures of a run that released.",
)
def run_succeeded(context: dg.RunStatusSensorContext) -> dg.SkipReason | None:
    """Log the figures of a run, for metrics and for the alert that no run has succeeded lately."""
    run = context.dagster_run
    if not _is_told(context.instance, run):
        return dg.SkipReason(_NOT_TOLD)
    record = context.instance.get_run_record_by_id(run.run_id)
    started = record.start_time if record and record.start_time else 0.0
    ended = record.end_time if record and record.end_time else started
    rows = collect_rows(context.instance, run.run_id)
    unexpected = collect_unexpected(context.instance, run.run_id)
    logs.write_event(
        logs.RUN_SUCCEEDED,
        f"{_name(context.instance, run)} succeeded",
        run_id=run.run_id,
        job=run.job_name,
        **collect_figures(rows, ended - started, unexpected),
    )
    return None


_NOT_TOLD = "the run does not release, or reports its own end"


def _is_told(instance: dg.DagsterInstance, run: dg.DagsterRun) -> bool:
    """Whether the sensors report a run: whatever its job, if it was to release."""
    if REPORTED in run.tags:
        return False
    planned = _planned_assets(instance, run.run_id)
    return not planned or RELEASE in planned


def _planned_assets(instance: dg.DagsterInstance, run_id: str) -> set[dg.AssetKey]:
    """The assets that a run was to make."""
    planned = instance.all_logs(run_id, of_type=dg.DagsterEventType.ASSET_MATERIALIZATION_PLANNED)
    events = [entry.dagster_event for entry in planned if entry.dagster_event]
    return {event.asset_key for event in events if event.asset_key}


def _name(instance: dg.DagsterInstance, run: dg.DagsterRun) -> str:
    """What messages call a run: its job, or how many assets a person chose."""
    if run.job_name != _CHOSEN_ASSETS:
        return run.job_name
    chosen = len(_planned_assets(instance, run.run_id))
    return f"the materialization of {count_of(chosen, 'chosen asset')}"


def collect_rows(instance: dg.DagsterInstance, run_id: str) -> dict[str, int]:
    """The row count of each table that a run materialized or released."""
    rows: dict[str, int] = {}
    for entry in instance.all_logs(run_id, of_type=dg.DagsterEventType.ASSET_MATERIALIZATION):
        event = entry.asset_materialization
        if event is None:
            continue
        count = event.metadata.get("dagster/row_count")
        if isinstance(count, dg.IntMetadataValue) and count.value is not None:
            rows[event.asset_key.path[-1]] = count.value
        # A run of chosen assets releases tables that others made.
        released = event.metadata.get(ROWS)
        if event.asset_key == RELEASE and isinstance(released, dg.JsonMetadataValue):
            rows |= {str(table): int(number) for table, number in dict(released.data or {}).items()}
    return rows


def collect_unexpected(instance: dg.DagsterInstance, run_id: str) -> int | None:
    """The rejected rows of a run but for expected ones; None if the run did not check them."""
    found = None
    for entry in instance.all_logs(run_id, of_type=dg.DagsterEventType.ASSET_CHECK_EVALUATION):
        if entry.dagster_event is None:
            continue
        check = entry.dagster_event.asset_check_evaluation_data
        if check.check_name == REJECTED_SHARE:
            found = read_unexpected(check)
    return found


def read_unexpected(check: dg.AssetCheckEvaluation) -> int | None:
    """The figure of the check of rejected rows that leaves out expected ones."""
    figure = check.metadata.get("unexpected")
    return figure.value if isinstance(figure, dg.IntMetadataValue) else None


def collect_figures(
    rows: dict[str, int], seconds: float, unexpected: int | None
) -> dict[str, int | float]:
    """The figures of a run for metrics: raw rows read, rows rejected, mentions, seconds.

    Args:
        rows: the row count of each table.
        seconds: how long the run took.
        unexpected: the rejected rows but for those that sound deliveries have many of
            (`terms.EXPECTED_REASONS`), which are no reason for an alert; all count if it is None.
    """
    return {
        "rows_in": sum(count for table, count in rows.items() if table.startswith("raw_")),
        "rows_rejected": rows.get("rejected_records", 0) if unexpected is None else unexpected,
        "mentions": rows.get("mentions", 0),
        "seconds": round(seconds, 1),
    }
