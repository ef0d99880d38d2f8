"""The report of a run: what is told of its rows, checks and failures, to people and to alerts."""

from __future__ import annotations

import io
import json
from collections import Counter
from typing import TYPE_CHECKING

import dagster as dg
import pytest
from dagster_shared.error import SerializableErrorInfo
from rich.console import Console

from drug_assets.cli import in_process
from drug_assets.cli.in_process import RunReport
from drug_assets.defs import failures
from drug_assets.settings import Settings
from drug_assets_tests.support.webhook import Webhook

if TYPE_CHECKING:
    from pathlib import Path

    from drug_assets_tests.support.runs import Run

ROWS = {
    "raw_drugs": 1200,
    "drugs": 1100,
    "merged_drugs": 90,
    "raw_pubmed": 3,
    "pubmed": 2,
    "raw_clinical_trials": 0,
    "clinical_trials": 0,
}


def told(report: RunReport, store: Path, *, succeeded: bool = False) -> list[str]:
    """The lines of a report, without the blanks that set its table."""
    text = io.StringIO()
    console = Console(file=text, width=200, soft_wrap=True)
    settings = Settings.of({}, landing=str(store / "zone"), store=str(store / "store"))
    in_process._print_report(console, report, settings, succeeded=succeeded)
    return [" ".join(line.split()) for line in text.getvalue().splitlines() if line.strip(" ─")]


NOTHING = "Nothing was released: the outputs of the last good run stand as they were."


def test_a_run_that_made_nothing_says_so(tmp_path: Path) -> None:
    report = RunReport(failures=["read: [cut] at byte 3"], seconds=1.26)
    assert told(report, tmp_path) == [
        "0 checks passed, 0 did not",
        "read: [cut] at byte 3",
        NOTHING,
        "Failed after 1.3 s",
    ]


def test_rows_are_told_by_source_with_the_reasons_of_those_rejected(tmp_path: Path) -> None:
    reasons = {"drugs": Counter({"blank_name": 8, "atc_group": 2})}
    report = RunReport(rows=ROWS, rejected={"drugs": 1010, "pubmed": 1}, reasons=reasons)
    assert told(report, tmp_path)[:4] == [
        "source rows in kept merged rejected",
        "drugs 1,200 1,100 90 1,010 (2 atc_group, 8 blank_name)",
        "pubmed 3 2 0 1",
        "clinical_trials 0 0 0 0",
    ]


@pytest.mark.parametrize("missing", ["raw_pubmed", "drugs"])
def test_rows_are_not_told_before_every_source_is_clean(tmp_path: Path, missing: str) -> None:
    rows = {table: count for table, count in ROWS.items() if table != missing}
    assert told(RunReport(rows=rows), tmp_path)[0] == "0 checks passed, 0 did not"


def test_mentions_checks_and_files_are_told(tmp_path: Path) -> None:
    report = RunReport(
        rows={"mentions": 1000, "journals": 2},
        journals=1,
        checks_passed=1,
        failed_checks=[("a: [one]", "broken", True), ("b: two", "odd", False)],
        of_files={
            "every_field_is_read": {f"{n}.csv": "DOI, [x]" for n in range(12)},
            "every_row_is_sound": {"x.csv": "3 long_row"},
            "every_file_is_read": {"x [1].csv": "belongs to [no] source"},
        },
    )
    assert told(report, tmp_path)[:17] == [
        "1,000 mentions in 1 journal",
        "not read: x [1].csv: belongs to [no] source",
        "odd rows: x.csv: 3 long_row",
        *(f"columns not read: {n}.csv: DOI, [x]" for n in range(10)),
        "columns not read: 2 files more, see landed_files",
        "1 check passed, 2 did not",
        "failed: a: [one]: broken",
        "warning: b: two: odd",
    ]


def test_mentions_are_told_without_journals_that_nobody_counted(tmp_path: Path) -> None:
    assert told(RunReport(rows={"mentions": 1}), tmp_path)[0] == "1 mention"


def test_mentions_of_retracted_publications_are_told(tmp_path: Path) -> None:
    report = RunReport(rows={"mentions": 9}, journals=2, retracted_mentions=3)
    line = "9 mentions in 2 journals, 3 of them of retracted publications"
    assert told(report, tmp_path)[0] == line


def _error(message: str, cls_name: str = "ValueError", cause: object = None) -> object:
    return SerializableErrorInfo(message, [], cls_name, cause)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("error", "cause"),
    [
        (_error("ValueError: cut: at byte 3\n"), "cut: at byte 3"),
        (_error("drug_assets.errors.FormatError: f.csv: cut\n"), "f.csv: cut"),
        (_error("no class here: x"), "no class here: x"),
        (_error("ValueError\n"), "ValueError"),
        (_error("ValueError: \n"), "ValueError:"),
        (_error("A: outer", cause=_error("B: middle", cause=_error("C: inner"))), "inner"),
        (
            _error("A: x", dg.DagsterExecutionInterruptedError.__name__, _error("B: y")),
            "interrupted",
        ),
    ],
)
def test_the_innermost_cause_of_a_failure_is_told(error: object, cause: str) -> None:
    assert failures.find_cause(error) == cause


FAILED = RunReport(
    rows={"raw_drugs": 2, "raw_pubmed": 3, "rejected_records": 1, "mentions": 4},
    failures=["read: cut", "clean: odd"],
    failed_checks=[("a: one", "broken", True), ("b: two", "odd", False)],
    seconds=1.26,
)
TEXT = "drug_mentions failed: read: cut; clean: odd; a: one: broken"
FIGURES = {"rows_in": 5, "rows_rejected": 1, "mentions": 4, "seconds": 1.3}


@pytest.mark.parametrize("log_format", ["text", "json"])
def test_a_failure_is_posted_and_logged_for_alerts(
    log_format: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with Webhook() as webhook:
        settings = Settings(log_format=log_format, failure_webhook=webhook.url)
        in_process._notify(FAILED, settings, "7", succeeded=False)
    assert webhook.messages == [{"text": TEXT, "run_id": "7", "job": "drug_mentions"}]
    events = [json.loads(line) for line in capsys.readouterr().err.splitlines()]
    assert len(events) == (log_format == "json")
    for event in events:
        assert (event["event"], event["message"], event["run_id"]) == ("run_failed", TEXT, "7")
        assert event["job"] == "drug_mentions"
        assert event.items() >= FIGURES.items()


@pytest.mark.parametrize("log_format", ["text", "json"])
def test_a_success_is_logged_for_alerts_and_posted_to_nobody(
    log_format: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with Webhook() as webhook:
        settings = Settings(log_format=log_format, failure_webhook=webhook.url)
        in_process._notify(RunReport(rows=FAILED.rows), settings, "7", succeeded=True)
    assert webhook.messages == []
    events = [json.loads(line) for line in capsys.readouterr().err.splitlines()]
    assert len(events) == (log_format == "json")
    for event in events:
        assert (event["event"], event["message"]) == ("run_succeeded", "drug_mentions succeeded")
        assert (event["run_id"], event["job"], event["seconds"]) == ("7", "drug_mentions", 0)


def test_a_webhook_that_does_not_take_the_failure_is_told(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with Webhook(404) as webhook:
        settings = Settings(failure_webhook=webhook.url)
        in_process._notify(FAILED, settings, "7", succeeded=False)
    said = " ".join(capsys.readouterr().err.split())
    assert said == "the failure webhook did not take the message: HTTP 404"


@pytest.mark.slow
@pytest.mark.parametrize(
    ("variables", "shown"),
    [
        ({}, []),
        (
            {"DRUG_ASSETS_SERVED_AT": "https://drugs.test/results/"},
            ["Shown at https://drugs.test/results/explorer.html"],
        ),
    ],
)
def test_people_are_told_where_the_outputs_are_served(
    small_run: Run, variables: dict[str, str], shown: list[str]
) -> None:
    text = io.StringIO()
    console = Console(file=text, width=200, soft_wrap=True)
    settings = Settings.of(variables, store=str(small_run.store))
    in_process._print_report(console, RunReport(), settings, succeeded=True)
    lines = text.getvalue().splitlines()
    assert [line for line in lines if line.startswith("Shown at")] == shown
