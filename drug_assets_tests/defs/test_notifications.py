"""What is told of runs that Dagster's daemon started, and how runs log."""

import json
from collections.abc import Iterator
from typing import Any

import dagster as dg
import pytest

from drug_assets import logs
from drug_assets.defs import loggers, notifications
from drug_assets_tests.support.webhook import Webhook


@dg.asset
def mentions() -> dg.MaterializeResult[None]:
    return dg.MaterializeResult(metadata={"dagster/row_count": dg.MetadataValue.int(3)})


@dg.asset
def release() -> None:
    pass


@dg.asset
def without_rows() -> dg.MaterializeResult[None]:
    return dg.MaterializeResult(metadata={"dagster/row_count": "many"})


@dg.multi_asset(outs={name: dg.AssetOut() for name in ("raw_a", "raw_b", "rejected_records")})
def raw() -> Iterator[dg.Output[None]]:
    for name, rows in (("raw_a", 5), ("raw_b", 6), ("rejected_records", 2)):
        yield dg.Output(None, output_name=name, metadata={"dagster/row_count": rows})


@dg.op
def breaks() -> None:
    raise ValueError("this broke")


@dg.job
def breaking() -> None:
    breaks()


@dg.op
def says(context: dg.OpExecutionContext) -> None:
    context.log.info("as always")
    context.log.warning("mind the gap")


@dg.job(logger_defs={"console": loggers.make_console_logger(as_json=False)})
def saying() -> None:
    says()


def told(capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    """The events that were written."""
    return [json.loads(e) for e in capsys.readouterr().err.splitlines() if '"event"' in e]


def test_the_figures_of_a_run_that_succeeded_are_told(
    capsys: pytest.CaptureFixture[str],
) -> None:
    sensor: Any = notifications.run_succeeded
    runs = []
    with dg.DagsterInstance.ephemeral() as instance:
        for tags in ({}, {notifications.REPORTED: "yes"}):
            result = dg.materialize(
                [mentions, without_rows, raw, release], instance=instance, tags=tags
            )
            (event,) = [e for e in result.all_events if e.event_type_value == "PIPELINE_SUCCESS"]
            run: Any = instance.get_run_by_id(result.run_id)
            sensor(dg.build_run_status_sensor_context("run_succeeded", event, instance, run))
            runs.append(run)
        rows = notifications.collect_rows(instance, runs[0].run_id)
    assert rows == {"mentions": 3, "raw_a": 5, "raw_b": 6, "rejected_records": 2}
    (entry,) = told(capsys)  # the tagged run reported its own end
    name = runs[0].job_name
    assert (entry["event"], entry["message"]) == (logs.RUN_SUCCEEDED, f"{name} succeeded")
    assert (entry["run_id"], entry["job"]) == (runs[0].run_id, name)
    assert (entry["rows_in"], entry["rows_rejected"], entry["mentions"]) == (11, 2, 3)
    assert 0 <= entry["seconds"] < 100_000, "a duration, not a point in time"


@pytest.mark.parametrize(
    ("rows", "figures"),
    [
        ({}, {"rows_in": 0, "rows_rejected": 0, "mentions": 0}),
        (
            {"raw_a": 1, "raw_b": 2, "a_raw_": 4, "mentions": 8, "rejected_records": 16},
            {"rows_in": 3, "rows_rejected": 16, "mentions": 8},
        ),
    ],
)
def test_figures_of_a_run_are_of_raw_rows_rejected_rows_and_mentions(
    rows: dict[str, int], figures: dict[str, int]
) -> None:
    assert notifications.collect_figures(rows, 1.26, None) == {**figures, "seconds": 1.3}
    fewer = notifications.collect_figures(rows, 1.26, 1)
    assert fewer == {**figures, "rows_rejected": 1, "seconds": 1.3}


@pytest.mark.slow
def test_rows_that_sound_deliveries_reject_raise_no_alert(
    capsys: pytest.CaptureFixture[str],
) -> None:
    @dg.asset_check(asset="rejected_records", name="rejected_share")
    def check() -> dg.AssetCheckResult:
        return dg.AssetCheckResult(passed=True, metadata={"rejected": 2, "unexpected": 1})

    sensor: Any = notifications.run_succeeded
    with dg.DagsterInstance.ephemeral() as instance:
        result = dg.materialize([mentions, raw, release, check], instance=instance)
        (event,) = [e for e in result.all_events if e.event_type_value == "PIPELINE_SUCCESS"]
        run: Any = instance.get_run_by_id(result.run_id)
        sensor(dg.build_run_status_sensor_context("run_succeeded", event, instance, run))
    (entry,) = told(capsys)
    assert (entry["rows_in"], entry["rows_rejected"]) == (11, 1)


@pytest.mark.slow
@pytest.mark.parametrize("status", [200, 404, None])
def test_a_run_that_failed_is_told_whether_or_not_the_webhook_takes_it(
    status: int | None, capsys: pytest.CaptureFixture[str]
) -> None:
    with dg.DagsterInstance.ephemeral() as instance:
        result = breaking.execute_in_process(instance=instance, raise_on_error=False)
        (event,) = [e for e in result.all_events if e.is_job_failure]
        run: Any = instance.get_run_by_id(result.run_id)
        context = dg.build_run_status_sensor_context("run_failed", event, instance, run)
        text = "breaking failed: breaks: this broke"
        messages: list[Any] = []
        if status is None:
            notifications.make_failure_sensor(None)(context.for_run_failure())
        else:
            with Webhook(status) as webhook:
                notifications.make_failure_sensor(webhook.url)(context.for_run_failure())
            messages = webhook.messages
    said = capsys.readouterr().err
    (entry,) = [json.loads(line) for line in said.splitlines() if '"event"' in line]
    assert (entry["event"], entry["severity"]) == (logs.RUN_FAILED, "ERROR")
    expected = {"text": text, "run_id": run.run_id, "job": "breaking"}
    assert {"text": entry["message"], "run_id": entry["run_id"], "job": entry["job"]} == expected
    assert messages == ([] if status is None else [expected])
    assert ("HTTP 404" in said) == (status == 404)


@pytest.mark.slow
@pytest.mark.parametrize("level", [None, "INFO", "WARNING"])
def test_runs_log_from_a_level_on_and_once(
    level: str | None, capsys: pytest.CaptureFixture[str]
) -> None:
    config = {"log_level": level} if level else {}
    run_config: dict[str, Any] = {"loggers": {"console": {"config": config}}}
    for _ in range(2):
        saying.execute_in_process(run_config=run_config)
        said = capsys.readouterr().err
        assert said.count("as always") == (0 if level == "WARNING" else 1)
        assert said.count("mind the gap") == 1
