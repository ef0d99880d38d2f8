"""A run of the main job in this process, with progress and a closing report (SPEC 8).

`defs` declares the job; this module starts it and prints the result for people.
"""

from __future__ import annotations

import os
import uuid
from collections import Counter
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import dagster as dg
from polars.exceptions import PolarsError
from rich import box
from rich.console import Console
from rich.table import Table

from drug_assets import explorer, logs, notify, sources
from drug_assets.answers import in_brief
from drug_assets.cli.progress import Bars
from drug_assets.cli.unkept import make_unkept_instance
from drug_assets.definitions import make_definitions
from drug_assets.defs.checks import (
    EQUALS_MENTIONS,
    EVERY_FIELD_IS_READ,
    EVERY_FILE_IS_READ,
    EVERY_ROW_IS_SOUND,
    NOTHING_LOST,
    REJECTED_SHARE,
)
from drug_assets.defs.failures import FailureReader
from drug_assets.defs.jobs import JOB
from drug_assets.defs.notifications import REPORTED, collect_figures, read_unexpected
from drug_assets.defs.release import WHAT_IS_NEW
from drug_assets.defs.workplace import ALLOW_EMPTY, RELEASE
from drug_assets.errors import DrugAssetsError
from drug_assets.settings import Settings, SettingsError
from drug_assets.storage.objects import StorageError
from drug_assets.storage.places import open_store
from drug_assets.storage.released import ReleasedTables
from drug_assets.storage.releases import RELEASE_DOCUMENT, open_release
from drug_assets.storage.staging import discard
from drug_assets.storage.temporary import make_process_folder
from drug_assets.wording import count_of, describe_retractions, printable, shorten

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from drug_assets.document.questions import Evidence


#: What the report tells of files: by check, the words before its figures.
_OF_FILES = {
    EVERY_FILE_IS_READ: "not read",
    EVERY_ROW_IS_SOUND: "odd rows",
    EVERY_FIELD_IS_READ: "columns not read",
}
#: Limit on the files that the report tells of, for each check.
_MOST_FILES = 10
#: Width of the report where the output is not a terminal.
_FILE_COLUMNS = 200


@dataclass
class RunReport:
    """The results of a run, gathered from its events.

    Attributes:
        rows: rows of each table that was materialized.
        rejected: rejected rows of each source.
        reasons: rows by reject reason, of each source.
        unexpected: rejected rows but for expected ones; None if they were not counted.
        journals: journals that mention a drug; None if they were not counted.
        retracted_mentions: mentions of retracted publications.
        checks_passed: number of checks that passed.
        failed_checks: name, description and whether it blocks, of each check that did not pass.
        failures: cause of each failed step.
        what_is_new: what is new in the release that was made.
        of_files: what is told of files, by check and file: why one was not read, how many of its
            rows were odd, which of its columns were not read.
        seconds: duration of the run.
    """

    rows: dict[str, int] = field(default_factory=dict)
    rejected: dict[str, int] = field(default_factory=dict)
    reasons: dict[str, Counter[str]] = field(default_factory=dict)
    unexpected: int | None = None
    journals: int | None = None
    retracted_mentions: int = 0
    checks_passed: int = 0
    failed_checks: list[tuple[str, str, bool]] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)
    what_is_new: str = ""
    of_files: dict[str, dict[str, str]] = field(default_factory=dict)
    seconds: float = 0.0
    _reader: FailureReader = field(default_factory=FailureReader)

    @property
    def outcome(self) -> str:
        """What ended a run that failed, one of `logs.OUTCOMES`."""
        return self._reader.outcome

    def add(self, event: dg.DagsterEvent) -> None:
        """Record one event of the run."""
        if event.is_step_materialization:
            materialization = event.step_materialization_data.materialization
            rows = materialization.metadata.get("dagster/row_count")
            if isinstance(rows, dg.IntMetadataValue) and rows.value is not None:
                self.rows[materialization.asset_key.path[-1]] = rows.value
            told = materialization.metadata.get(WHAT_IS_NEW)
            if materialization.asset_key == RELEASE and isinstance(told, dg.TextMetadataValue):
                self.what_is_new = told.value or ""
        elif event.event_type_value == "ASSET_CHECK_EVALUATION":
            self._add_check(event.asset_check_evaluation_data)
        known = len(self._reader.causes)
        self._reader.add(event)
        self.failures += self._reader.causes[known:]

    def _add_check(self, check: Any) -> None:
        name = f"{check.asset_key.path[-1]}: {check.check_name}"
        if check.passed:
            self.checks_passed += 1
        else:
            stops = bool(check.blocking) and check.severity is dg.AssetCheckSeverity.ERROR
            self.failed_checks.append((name, check.description or "", stops))
        if check.check_name in _OF_FILES:
            told = {file: str(figure.value) for file, figure in check.metadata.items()}
            self.of_files[check.check_name] = told
        if check.check_name == EQUALS_MENTIONS and "journals" in check.metadata:
            self.journals = int(check.metadata["journals"].value)
            self.retracted_mentions = int(check.metadata["retracted_mentions"].value)
        if check.check_name == NOTHING_LOST and "rejected" in check.metadata:
            self.rejected[check.asset_key.path[-1]] = int(check.metadata["rejected"].value)
        if check.check_name == REJECTED_SHARE:
            self.unexpected = read_unexpected(check)
            for figure, count in check.metadata.items():
                source, _, reason = figure.partition(".")
                if reason:
                    self.reasons.setdefault(source, Counter())[reason] = int(count.value)


def run_everything(
    settings: Settings, console: Console | None = None, *, allow_empty: Sequence[str] = ()
) -> bool:
    """Run the main job in this process and print a report; return whether all of it succeeded.

    Args:
        settings: the settings.
        console: where the report is printed; stdout if not given.
        allow_empty: names of sources that may have lost all their rows.

    Raises:
        SettingsError: the landing zone, the store or DAGSTER_HOME cannot be used.
    """
    console = console or _console()
    try:
        open_store(settings.landing, must_exist=True).objects()
        store = open_store(settings.store)
        store.objects()
        store.scratch(RELEASE_DOCUMENT)  # raises if the store may not be written to
    except (StorageError, OSError) as error:
        raise SettingsError(str(error)) from error
    bars = Bars(Console(stderr=True))
    job = make_definitions(settings, watcher=bars).resolve_job_def(JOB)
    # People read the report instead of logs; collected logs get every step and its errors.
    level = "INFO" if settings.log_format == "json" else "CRITICAL"
    report = RunReport()
    allowed = {ALLOW_EMPTY: " ".join(allow_empty)} if allow_empty else {}
    with _open_instance() as instance:
        run_id = str(uuid.uuid4())
        with bars.shown(steps=len(job.graph.node_dict)):

            def follow(event: dg.EventLogEntry) -> None:
                if event.dagster_event is None:
                    return
                report.add(event.dagster_event)
                if event.dagster_event.is_step_start:
                    bars.begin_step(event.dagster_event.step_key or "")
                if event.dagster_event.is_step_success or event.dagster_event.is_step_failure:
                    bars.end_step()

            instance.add_event_listener(run_id, follow)
            result = job.execute_in_process(
                run_id=run_id,
                instance=instance,
                raise_on_error=False,
                run_config={"loggers": {"console": {"config": {"log_level": level}}}},
                tags={REPORTED: "yes", **allowed},
            )
            report.seconds = bars.seconds
        if instance.is_ephemeral:
            # A run without a kept instance cannot be retried. The next run tries again.
            with suppress(StorageError, OSError):
                discard(store, run_id)
    _print_report(console, report, settings, succeeded=result.success)
    _notify(report, settings, run_id, succeeded=result.success)
    return result.success


def _notify(report: RunReport, settings: Settings, run_id: str, *, succeeded: bool) -> None:
    """Log the event that alerts and metrics read, and post a failure to the webhook."""
    figures = collect_figures(report.rows, report.seconds, report.unexpected)
    if succeeded:
        if settings.log_format == "json":
            text = f"{JOB} succeeded"
            logs.write_event(logs.RUN_SUCCEEDED, text, run_id=run_id, job=JOB, **figures)
        return
    reader = FailureReader(
        causes=report.failures,
        checks=[f"{name}: {found}" for name, found, blocking in report.failed_checks if blocking],
    )
    text = reader.describe(JOB)
    if settings.log_format == "json":
        outcome = report.outcome
        logs.write_event(logs.RUN_FAILED, text, run_id=run_id, job=JOB, outcome=outcome, **figures)
    if settings.failure_webhook:
        try:
            notify.notify(settings.failure_webhook, {"text": text, "run_id": run_id, "job": JOB})
        except notify.NotNotifiedError as error:
            Console(stderr=True).print(str(error), style="yellow", markup=False)


def _open_instance() -> dg.DagsterInstance:
    """The instance of DAGSTER_HOME, so that the UI shows the run; without it, an ephemeral one."""
    home = os.environ.get("DAGSTER_HOME")
    if not home:
        # In this process's own folder, which the next run removes if this one is killed.
        return make_unkept_instance(make_process_folder())
    if not Path(home).expanduser().is_dir():
        raise SettingsError(
            f"DAGSTER_HOME is {home}, and there is no such folder: make it, or unset the variable"
        )
    try:
        return dg.DagsterInstance.get()
    except dg.DagsterError as error:
        raise SettingsError(f"DAGSTER_HOME is {home}: {error}") from error


def _console() -> Console:
    """The console of the report; in a file, lines are not wrapped to the width of a terminal."""
    console = Console(soft_wrap=True)
    return console if console.is_terminal else Console(soft_wrap=True, width=_FILE_COLUMNS)


def _print(console: Console, text: str, style: str | None = None) -> None:
    """Print a text that may hold names and titles: nothing in it is obeyed."""
    console.print(printable(text, lines=True), style=style, markup=False, highlight=style is None)


def _print_report(
    console: Console, report: RunReport, settings: Settings, *, succeeded: bool
) -> None:
    rows = report.rows
    names = [source.name for source in sources.ALL]
    if all(f"raw_{source}" in rows and source in rows for source in names):
        table = Table("source", "rows in", "kept", "merged", "rejected", box=box.SIMPLE_HEAD)
        for source in names:
            reasons = sorted(report.reasons.get(source, Counter()).items())
            why = ", ".join(f"{count:,} {reason}" for reason, count in reasons)
            table.add_row(
                source,
                f"{rows[f'raw_{source}']:,}",
                f"{rows[source]:,}",
                f"{rows.get(f'merged_{source}', 0):,}",
                f"{report.rejected.get(source, 0):,}" + (f" ({why})" if why else ""),
            )
        console.print(table)
    if "mentions" in rows:
        told = count_of(rows["mentions"], "mention")
        if report.journals is not None:
            told += f" in {count_of(report.journals, 'journal')}"
        if report.retracted_mentions:
            told += f", {report.retracted_mentions:,} of them of retracted publications"
        console.print(told)
    _print_of_files(console, report.of_files)
    failed = len(report.failed_checks)
    console.print(f"{count_of(report.checks_passed, 'check')} passed, {failed} did not")
    for name, description, blocking in report.failed_checks:
        kind, style = ("failed", "red") if blocking else ("warning", "yellow")
        _print(console, f"  {kind}: {name}: {description}", style)
    if succeeded:
        with _tell_unreadable(console):
            _print_answers(console, settings)
        if report.what_is_new:
            _print(console, f"What is new: {report.what_is_new}")
        with _tell_unreadable(console):
            _print_places(console, settings)
    else:
        for failure in report.failures:
            _print(console, failure, "red")
        console.print(
            "Nothing was released: the outputs of the last good run stand as they were.",
            style="red",
        )
    console.print(f"{'Done' if succeeded else 'Failed'} after {report.seconds:.1f} s")


@contextmanager
def _tell_unreadable(console: Console) -> Iterator[None]:
    """Print why the release cannot be read: it was made, so the run did not fail."""
    try:
        yield
    except (DrugAssetsError, OSError, PolarsError) as error:
        _print(console, f"The release was made, but cannot be read just now: {error}", "yellow")


def _print_places(console: Console, settings: Settings) -> None:
    """Print where the outputs of the current release are, and where people see them."""
    _print(console, f"Outputs in {_name_places(settings)}")
    if settings.served_at:
        _print(console, f"Shown at {settings.served_at.rstrip('/')}/{explorer.FILE}")


def _name_places(settings: Settings) -> str:
    """Where the outputs of the current release are."""
    release = open_release(open_store(settings.store))
    place = release.store.uri(release.name())
    if settings.environment != "bigquery":
        return place
    dataset = f"{settings.bigquery_project}.{settings.bigquery_dataset}"
    return f"{place}, and the published tables in BigQuery's {dataset}"


def _print_of_files(console: Console, figures: Mapping[str, Mapping[str, str]]) -> None:
    """Print what checks tell of files, by check and file."""
    for check, kind in _OF_FILES.items():
        of_files = [f"{file}: {told}" for file, told in figures.get(check, {}).items()]
        for told in of_files[:_MOST_FILES]:
            _print(console, f"{kind}: {told}", "yellow")
        if len(of_files) > _MOST_FILES:
            more = count_of(len(of_files) - _MOST_FILES, "file")
            _print(console, f"{kind}: {more} more, see landed_files", "yellow")


def _print_answers(console: Console, settings: Settings) -> None:
    """Print the first lines of both answers."""
    tables = ReleasedTables(open_release(open_store(settings.store)))
    top = in_brief.find_top_journals(tables)
    if top is not None:
        drugs = count_of(top.drug_count, "drug")
        told = f"Top journal, with {drugs}: {'; '.join(top.journals)}{_told_after(top.evidence)}"
        console.print(printable(told), markup=False, highlight=False)
        answer = in_brief.find_related_drugs(tables, top.drug)
        related = shorten(answer.related) or "none"
        told = f"Drugs related to {answer.drug}: {related}{_told_after(answer.evidence)}"
        console.print(printable(told), markup=False, highlight=False)


def _told_after(evidence: Evidence) -> str:
    """What follows an answer that rests on retracted publications."""
    told = describe_retractions(*evidence)
    return f" ({told})" if told else ""
