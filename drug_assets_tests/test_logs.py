"""Log lines as Cloud Logging takes them, the events of a run, and the failure webhook."""

from __future__ import annotations

import datetime as dt
import json
import logging
import re
import sys
from typing import TYPE_CHECKING, Any

import dagster as dg
import pytest

from drug_assets import cli, logs, notify
from drug_assets.cli.in_process import run_everything
from drug_assets.definitions import make_definitions
from drug_assets.defs import loggers, notifications
from drug_assets.settings import Settings
from drug_assets_tests.support import runs
from drug_assets_tests.support.webhook import Webhook

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(autouse=True)
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """On a busy machine, a webhook may take long to answer."""
    monkeypatch.setattr(notify, "_SECONDS", 600.0)


@pytest.fixture
def pauses() -> list[float]:
    return []


def test_a_record_is_one_line_with_severity_and_message() -> None:
    record = logging.makeLogRecord({"levelno": 30, "levelname": "WARNING", "msg": "two\nlines"})
    line = logs.CloudFormatter().format(record)
    assert "\n" not in line
    entry = json.loads(line)
    assert (entry["severity"], entry["message"]) == ("WARNING", "two\nlines")


@pytest.mark.parametrize(
    ("level", "severity"),
    [
        (logging.DEBUG, "DEBUG"),
        (logging.INFO, "INFO"),
        (logging.WARNING, "WARNING"),
        (logging.ERROR, "ERROR"),
        (logging.CRITICAL, "CRITICAL"),
    ],
)
def test_every_level_has_the_severity_of_its_name(level: int, severity: str) -> None:
    # A program may rename the levels: Cloud Logging knows only these.
    name = {logging.WARNING: "WARN", logging.CRITICAL: "FATAL"}.get(level, severity)
    record = logging.makeLogRecord({"levelno": level, "levelname": name, "msg": "x"})
    assert json.loads(logs.CloudFormatter().format(record))["severity"] == severity


def test_an_entry_has_the_fields_of_its_record_and_no_others() -> None:
    record = logging.makeLogRecord(
        {
            "levelname": "INFO",
            "name": "drug_assets.x",
            "msg": "%s of %d",
            "args": ("é", 2),
            "created": 1_770_000_000.5,
            "fields": {"rows": 3, "day": dt.date(2020, 1, 2)},
        }
    )
    line = logs.CloudFormatter().format(record)
    assert "é" in line
    assert json.loads(line) == {
        "severity": "INFO",
        "message": "é of 2",
        "time": "2026-02-02T02:40:00.500000+00:00",
        "logger": "drug_assets.x",
        "rows": 3,
        "day": "2020-01-02",
    }


def test_an_entry_names_run_job_step_and_asset_as_far_as_dagster_does() -> None:
    @dg.asset
    def fine() -> None:
        pass

    result = dg.materialize([fine])
    (event,) = result.get_asset_materialization_events()
    meta = {"run_id": "7", "job_name": "job", "step_key": None, "dagster_event": event}
    record = logging.makeLogRecord({"levelname": "INFO", "msg": "x", "dagster_meta": meta})
    entry = json.loads(logs.CloudFormatter().format(record))
    assert (entry["run_id"], entry["job"], entry["asset"]) == ("7", "job", "fine")
    assert entry.keys().isdisjoint({"step", "stack_trace", "@type"})


@pytest.mark.parametrize("as_json", [True, False])
def test_a_handler_writes_to_stderr_as_it_was_asked(
    as_json: bool, capsys: pytest.CaptureFixture[str]
) -> None:
    handler = logs.make_handler(as_json=as_json)
    record = {"name": "ours", "levelname": "INFO", "msg": "hello", "created": 0.0}
    handler.handle(logging.makeLogRecord(record))
    said = capsys.readouterr()
    assert said.out == ""
    if as_json:
        assert json.loads(said.err)["message"] == "hello"
    else:
        assert re.fullmatch(r"[\d:, -]+ INFO ours: hello\n", said.err)


@pytest.mark.parametrize(
    ("event", "severity"), [(logs.RUN_SUCCEEDED, "INFO"), (logs.RUN_FAILED, "ERROR")]
)
def test_an_event_is_a_line_on_stderr_with_its_figures(
    event: str, severity: str, capsys: pytest.CaptureFixture[str]
) -> None:
    logs.write_event(event, "100 % of it", rows_in=3)
    said = capsys.readouterr()
    assert (said.out, said.err.count("\n")) == ("", 1)
    entry = json.loads(said.err)
    assert (entry["event"], entry["severity"]) == (event, severity)
    assert (entry["message"], entry["rows_in"]) == ("100 % of it", 3)
    assert entry["logger"] == "drug_assets"
    # Error Reporting groups what has this type.
    assert ("@type" in entry) == (event == logs.RUN_FAILED)


def test_a_traceback_stays_in_its_entry_and_is_an_error_report() -> None:
    try:
        int("wrong")
    except ValueError:
        record = logging.makeLogRecord({"levelname": "ERROR", "exc_info": sys.exc_info()})
    entry = json.loads(logs.CloudFormatter().format(record))
    assert "ValueError: invalid literal" in entry["stack_trace"]
    assert entry["@type"].endswith("ReportedErrorEvent")


def test_a_failed_step_is_logged_with_run_step_and_traceback(
    capsys: pytest.CaptureFixture[str],
) -> None:
    @dg.op
    def breaks() -> None:
        raise ValueError("this broke")

    @dg.job(logger_defs={"console": loggers.make_console_logger(as_json=True)})
    def job() -> None:
        breaks()

    configured: dict[str, Any] = {"loggers": {"console": {}}}
    result = job.execute_in_process(raise_on_error=False, run_config=configured)
    entries = [json.loads(line) for line in capsys.readouterr().err.splitlines() if line[:1] == "{"]
    (failed,) = [e for e in entries if e.get("step") == "breaks" and e["severity"] == "ERROR"]
    assert failed["run_id"] == result.run_id
    assert failed["job"] == "job"
    assert "this broke" in failed["stack_trace"]


@pytest.mark.slow
def test_a_run_that_succeeded_tells_its_figures(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    files = {
        "drugs.csv": "atccode,drug\nN02BA01,aspirin\nN02BA01,\n",
        "pubmed.csv": "id,title,date,journal\n1,On aspirin,2020-01-01,J\n",
    }
    landing = runs.landing_zone(tmp_path / "landing", files)
    settings = Settings(landing=str(landing), store=str(tmp_path / "store"), log_format="json")
    assert run_everything(settings)
    told = [json.loads(e) for e in capsys.readouterr().err.splitlines() if '"event"' in e]
    (entry,) = told
    assert entry["event"] == logs.RUN_SUCCEEDED
    assert (entry["rows_in"], entry["rows_rejected"], entry["mentions"]) == (3, 1, 1)
    assert entry["seconds"] > 0


@pytest.mark.slow
def test_a_run_that_failed_tells_so_and_posts_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    files = {"pubmed.csv.gz": b"\x1f\x8b\x08\x00cut"}
    landing = runs.landing_zone(tmp_path / "landing", files)
    with Webhook() as webhook:
        settings = Settings(
            landing=str(landing),
            store=str(tmp_path / "store"),
            log_format="json",
            failure_webhook=webhook.url,
        )
        assert not run_everything(settings)
    said = capsys.readouterr()
    logged = [json.loads(e) for e in said.err.splitlines() if e[:1] == "{"]
    (entry,) = [e for e in logged if "event" in e]
    assert entry["event"] == logs.RUN_FAILED
    # Collected logs have the error of the step too.
    assert any("step" in e and e["severity"] == "ERROR" for e in logged)
    assert "pubmed.csv.gz" in entry["message"]
    assert entry["severity"] == "ERROR"
    (message,) = webhook.messages
    assert "pubmed.csv.gz" in message["text"]
    assert "token-of-ours" not in said.err + said.out


@pytest.mark.parametrize("options", [[], ["--only-if-changed"]], ids=["run", "only-if-changed"])
def test_a_landing_zone_that_cannot_be_read_is_told_as_a_failed_run(
    options: list[str],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("DRUG_ASSETS_LOG_FORMAT", "json")
    places = ["--landing", str(tmp_path / "not there"), "--store", str(tmp_path / "store")]
    with pytest.raises(SystemExit) as ended:
        cli.main(["run", *places, *options])
    assert ended.value.code == cli.USAGE
    told, said = capsys.readouterr().err.splitlines()
    entry = json.loads(told)
    assert (entry["event"], entry["severity"]) == (logs.RUN_FAILED, "ERROR")
    assert str(tmp_path / "not there") in entry["message"]
    assert said.startswith("drug-assets: ")


@pytest.mark.parametrize(
    ("variables", "events"),
    [
        ({"DRUG_ASSETS_ENV": "moon"}, 0),
        ({"DRUG_ASSETS_ENV": "moon", "DRUG_ASSETS_LOG_FORMAT": "json"}, 1),
        ({"DRUG_ASSETS_ENV": "moon", "CLOUD_RUN_JOB": "drug-assets-run"}, 1),
        ({"DRUG_ASSETS_LOG_FORMAT": "xml", "CLOUD_RUN_JOB": "drug-assets-run"}, 1),
        (
            {
                "DRUG_ASSETS_ENV": "moon",
                "CLOUD_RUN_JOB": "drug-assets-run",
                "DRUG_ASSETS_LOG_FORMAT": "text",
            },
            0,
        ),
    ],
)
def test_a_wrong_variable_is_told_as_a_failed_run_where_logs_are_collected(
    variables: dict[str, str],
    events: int,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(SystemExit) as ended:
        cli.main(["run"])
    assert ended.value.code == cli.USAGE
    *told, said = capsys.readouterr().err.splitlines()
    assert [json.loads(line)["event"] for line in told] == [logs.RUN_FAILED] * events
    assert next(iter(variables)) in said


def test_a_question_that_cannot_be_asked_is_no_failed_run(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CLOUD_RUN_JOB", "drug-assets-run")
    monkeypatch.setenv("DRUG_ASSETS_ENV", "moon")
    with pytest.raises(SystemExit) as ended:
        cli.main(["top-journal"])
    assert ended.value.code == cli.USAGE
    assert logs.RUN_FAILED not in capsys.readouterr().err


def test_a_webhook_is_asked_again_after_a_passing_fault(pauses: list[float]) -> None:
    with Webhook(503, 429) as webhook:
        notify.notify(webhook.url, {"text": "x"}, sleep=pauses.append)
    assert len(webhook.messages) == notify.TRIES
    assert len(pauses) == notify.TRIES - 1


def test_a_webhook_gets_the_message_as_it_is(pauses: list[float]) -> None:
    message = {"text": "é failed", "run_id": "7", "more": [1]}
    with Webhook() as webhook:
        notify.notify(webhook.url, message, sleep=pauses.append)
    assert (webhook.messages, pauses) == ([message], [])


def test_pauses_before_a_webhook_is_asked_again_double(pauses: list[float]) -> None:
    with (
        Webhook(500, 502, 503) as webhook,
        pytest.raises(notify.NotNotifiedError, match=r"the message: HTTP 503$"),
    ):
        notify.notify(webhook.url, {"text": "x"}, sleep=pauses.append)
    assert len(webhook.messages) == 3
    assert pauses == [2.0, 4.0]


@pytest.mark.parametrize("status", [408, 425, 429, 500, 599])
def test_a_status_that_may_pass_is_asked_again(status: int, pauses: list[float]) -> None:
    with Webhook(status) as webhook:
        notify.notify(webhook.url, {"text": "x"}, sleep=pauses.append)
    assert len(webhook.messages) == 2


@pytest.mark.parametrize("status", [301, 400, 403, 407, 426, 428, 430, 499])
def test_a_status_that_will_not_pass_is_told(status: int, pauses: list[float]) -> None:
    told = f"the failure webhook did not take the message: HTTP {status}"
    with Webhook(status) as webhook, pytest.raises(notify.NotNotifiedError) as raised:
        notify.notify(webhook.url, {"text": "x"}, sleep=pauses.append)
    assert str(raised.value) == told
    assert (len(webhook.messages), pauses) == (1, [])


@pytest.mark.parametrize(
    ("address", "reason"),
    [
        ("http://127.0.0.1:9/token", "ConnectError"),
        ("http://127.0.0.1:token", "InvalidURL"),
        ("token", "UnsupportedProtocol"),
    ],
)
def test_why_a_webhook_cannot_be_reached_is_told_by_kind(
    address: str, reason: str, pauses: list[float]
) -> None:
    with pytest.raises(notify.NotNotifiedError, match=f"the message: {reason}$"):
        notify.notify(address, {"text": "x"}, sleep=pauses.append)


def test_a_webhook_that_refuses_is_not_asked_again(pauses: list[float]) -> None:
    with Webhook(404) as webhook, pytest.raises(notify.NotNotifiedError, match="404") as raised:
        notify.notify(webhook.url, {"text": "x"}, sleep=pauses.append)
    assert len(webhook.messages) == 1
    assert "token-of-ours" not in str(raised.value)


def test_a_webhook_that_is_not_there_is_given_up_without_its_address(pauses: list[float]) -> None:
    with pytest.raises(notify.NotNotifiedError) as raised:
        notify.notify("http://127.0.0.1:9/token-of-ours", {"text": "x"}, sleep=pauses.append)
    assert "token-of-ours" not in str(raised.value)
    assert len(pauses) == notify.TRIES - 1


def test_cloud_run_gets_json_logs_unless_told_otherwise() -> None:
    assert Settings.of({}).log_format == "text"
    assert Settings.of({"CLOUD_RUN_JOB": "x"}).log_format == "json"
    chosen = {"CLOUD_RUN_JOB": "x", "DRUG_ASSETS_LOG_FORMAT": "text"}
    assert Settings.of(chosen).log_format == "text"


def test_the_code_location_watches_for_runs_that_end() -> None:
    sensors = {s.name: s for s in make_definitions(Settings()).sensors or []}
    for name in ("run_failed", "run_succeeded"):
        sensor = sensors[name]
        assert isinstance(sensor, dg.SensorDefinition)
        assert sensor.default_status == dg.DefaultSensorStatus.RUNNING


def test_dagster_tells_and_posts_a_run_of_its_own_that_failed(
    capsys: pytest.CaptureFixture[str],
) -> None:
    @dg.op
    def breaks() -> None:
        raise ValueError("this broke")

    @dg.job
    def job() -> None:
        breaks()

    with dg.DagsterInstance.ephemeral() as instance, Webhook() as webhook:
        for tags in ({}, {notifications.REPORTED: "yes"}):
            result = job.execute_in_process(instance=instance, raise_on_error=False, tags=tags)
            (event,) = [e for e in result.all_events if e.is_job_failure]
            context = dg.build_run_status_sensor_context(
                "run_failed", event, instance, result.dagster_run
            )
            notifications.make_failure_sensor(webhook.url)(context.for_run_failure())
            if not tags:
                told_run = result.run_id
    told = [json.loads(e) for e in capsys.readouterr().err.splitlines() if '"event"' in e]
    # A run with the tag has already told of its failure itself.
    assert [(e["event"], e["run_id"], e["job"]) for e in told] == [
        (logs.RUN_FAILED, told_run, "job")
    ]
    assert [message["run_id"] for message in webhook.messages] == [told_run]
    assert "breaks" in webhook.messages[0]["text"]
