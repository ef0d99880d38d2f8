"""One run of everything in this process, with progress and a closing report (SPEC section 8).

What is run belongs to `defs`; this module starts it and tells a person how it went.
"""

from __future__ import annotations

import os
import uuid
from collections import Counter
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import dagster as dg
from rich import box
from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
)
from rich.table import Table

from drug_assets import contracts, logs, notify, questions
from drug_assets.definitions import definitions
from drug_assets.defs.checks import counted
from drug_assets.defs.notifications import TOLD, figures
from drug_assets.storage.objects import StorageError
from drug_assets.storage.outputs import discard_staged, release_is_pending
from drug_assets.storage.places import open_store

if TYPE_CHECKING:
    from collections.abc import Iterator

    from drug_assets.settings import Settings

JOB = "drug_mentions"
_FILE_COLUMNS = 200
_NAMES_SHOWN = 10


class ConfigurationError(Exception):
    """The run cannot start as configured."""


@dataclass
class RunReport:
    """What a run did, gathered from its events."""

    rows: dict[str, int] = field(default_factory=dict)
    rejected: dict[str, int] = field(default_factory=dict)
    reasons: dict[str, Counter[str]] = field(default_factory=dict)
    checks_passed: int = 0
    failed_checks: list[tuple[str, str, bool]] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)
    unread: dict[str, str] = field(default_factory=dict)
    seconds: float = 0.0

    def add(self, event: dg.DagsterEvent) -> None:
        """Take in one event of the run."""
        if event.is_step_materialization:
            made = event.step_materialization_data.materialization
            rows = made.metadata.get("dagster/row_count")
            if isinstance(rows, dg.IntMetadataValue) and rows.value is not None:
                self.rows[made.asset_key.path[-1]] = rows.value
        elif event.event_type_value == "ASSET_CHECK_EVALUATION":
            self._add_check(event.asset_check_evaluation_data)
        elif event.is_step_failure:
            self.failures.append(f"{event.step_key}: {_cause(event.step_failure_data.error)}")
        elif event.is_job_failure and not self.failures:
            error = event.job_failure_data.error
            self.failures.append(_cause(error) if error else str(event.message))

    def _add_check(self, check: Any) -> None:
        name = f"{check.asset_key.path[-1]}: {check.check_name}"
        if check.passed:
            self.checks_passed += 1
        else:
            self.failed_checks.append((name, check.description or "", check.blocking or False))
        if check.check_name == "every_file_is_read":
            self.unread = {file: str(why.value) for file, why in check.metadata.items()}
        if check.check_name == "nothing_lost":
            self.rejected[check.asset_key.path[-1]] = int(check.metadata["rejected"].value)
        if check.check_name == "rejected_share":
            for figure, count in check.metadata.items():
                source, _, reason = figure.partition(".")
                if reason:
                    self.reasons.setdefault(source, Counter())[reason] = int(count.value)


def run_everything(settings: Settings, console: Console | None = None) -> bool:
    """Run the main job in this process and print how it went; whether all of it succeeded.

    Raises:
        ConfigurationError: the landing zone, the store or DAGSTER_HOME cannot be used.
    """
    console = console or _console()
    try:
        open_store(settings.landing, must_exist=True).objects()
        store = open_store(settings.store)
        store.objects()
        store.scratch("release.json")  # says so if the store may not be written to
    except StorageError as error:
        raise ConfigurationError(str(error)) from error
    job = definitions(settings).resolve_job_def(JOB)
    # People read the report; where logs are collected, steps and their errors belong there.
    level = "INFO" if settings.log_format == "json" else "CRITICAL"
    report = RunReport()
    with _instance() as instance:
        run_id = str(uuid.uuid4())
        steps = len(job.graph.node_dict)
        with _progress(steps) as (progress, task):

            def follow(event: dg.EventLogEntry) -> None:
                if event.dagster_event is None:
                    return
                report.add(event.dagster_event)
                if event.dagster_event.is_step_start:
                    progress.update(task, description=event.dagster_event.step_key)
                if event.dagster_event.is_step_success or event.dagster_event.is_step_failure:
                    progress.advance(task)

            instance.add_event_listener(run_id, follow)
            result = job.execute_in_process(
                run_id=run_id,
                instance=instance,
                raise_on_error=False,
                run_config={"loggers": {"console": {"config": {"log_level": level}}}},
                tags={TOLD: "yes"},
            )
            report.seconds = progress.tasks[task].elapsed or 0.0
        if instance.is_ephemeral:
            discard_staged(store, run_id)  # nobody can take this run up again
    _print_report(console, report, settings, succeeded=result.success)
    _tell(report, settings, run_id, succeeded=result.success)
    return result.success


def _tell(report: RunReport, settings: Settings, run_id: str, *, succeeded: bool) -> None:
    """What alerts and metrics go by, and the webhook for failures."""
    told = figures(report.rows, report.seconds)
    if succeeded:
        if settings.log_format == "json":
            logs.tell(logs.RUN_SUCCEEDED, f"{JOB} succeeded", run_id=run_id, job=JOB, **told)
        return
    failed = [name for name, _, blocking in report.failed_checks if blocking]
    text = f"{JOB} failed: " + "; ".join([*report.failures, *failed])
    if settings.log_format == "json":
        logs.tell(logs.RUN_FAILED, text, run_id=run_id, job=JOB, **told)
    if settings.failure_webhook:
        try:
            notify.notify(settings.failure_webhook, {"text": text, "run_id": run_id, "job": JOB})
        except notify.NotNotifiedError as error:
            Console(stderr=True).print(str(error), style="yellow", markup=False)


def _instance() -> dg.DagsterInstance:
    """The instance of DAGSTER_HOME, so that the run is seen in the UI, else a passing one."""
    home = os.environ.get("DAGSTER_HOME")
    if not home:
        return dg.DagsterInstance.ephemeral()
    if not Path(home).expanduser().is_dir():
        raise ConfigurationError(
            f"DAGSTER_HOME is {home}, and there is no such folder: make it, or unset the variable"
        )
    try:
        return dg.DagsterInstance.get()
    except dg.DagsterError as error:
        raise ConfigurationError(f"DAGSTER_HOME is {home}: {error}") from error


@contextmanager
def _progress(steps: int) -> Iterator[tuple[Progress, TaskID]]:
    """A progress bar on stderr; where that is no terminal, nothing but the end is shown."""
    console = Console(stderr=True)
    with Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        console=console,
        transient=True,
    ) as progress:
        yield progress, progress.add_task("starting", total=steps)


def _console() -> Console:
    """Where the report goes; written to a file, its lines are not cut to a terminal's width."""
    console = Console(soft_wrap=True)
    return console if console.is_terminal else Console(soft_wrap=True, width=_FILE_COLUMNS)


def _cause(error: Any) -> str:
    """The message of an error's innermost cause: what the person needs to read."""
    if error.cls_name == dg.DagsterExecutionInterruptedError.__name__:
        return "interrupted"
    while error.cause is not None:
        error = error.cause
    name, _, message = str(error.message).strip().partition(": ")
    # "module.SomeError: message" is how Dagster keeps it.
    return message if message and " " not in name else str(error.message).strip()


def _print_report(
    console: Console, report: RunReport, settings: Settings, *, succeeded: bool
) -> None:
    rows = report.rows
    if all(f"raw_{source}" in rows and source in rows for source in contracts.SOURCES):
        table = Table("source", "rows in", "kept", "merged", "rejected", box=box.SIMPLE_HEAD)
        for source in contracts.SOURCES:
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
        mentions = counted(rows["mentions"], "mention")
        console.print(f"{mentions} in {counted(rows['journals'], 'journal')}")
    for file, problem in report.unread.items():
        console.print(f"not read: {file}: {problem}", style="yellow", markup=False)
    failed = len(report.failed_checks)
    console.print(f"{counted(report.checks_passed, 'check')} passed, {failed} did not")
    for name, description, blocking in report.failed_checks:
        kind, style = ("failed", "red") if blocking else ("warning", "yellow")
        console.print(f"  {kind}: {name}: {description}", style=style, markup=False)
    if succeeded:
        _print_answers(console, settings)
        console.print(f"Outputs in {settings.store}", markup=False)
    else:
        for failure in report.failures:
            console.print(failure, style="red", markup=False)
        console.print(
            "The release was cut off half way: the next run carries it through."
            if release_is_pending(open_store(settings.store))
            else "Nothing was released: the outputs of the last good run stand as they were.",
            style="red",
        )
    console.print(f"{'Done' if succeeded else 'Failed'} after {report.seconds:.1f} s")


def _print_answers(console: Console, settings: Settings) -> None:
    """The head of both answers."""
    index = questions.Index(open_store(settings.store).local_copy("graph.json"))
    top = index.top_journals()
    if top:
        names = "; ".join(answer.journal for answer in top)
        drugs = counted(top[0].drug_count, "drug")
        console.print(f"Top journal, with {drugs}: {names}", markup=False, highlight=False)
        answer = index.related_drugs(top[0].drugs[0])
        related = _shortened([related.drug for related in answer.related])
        console.print(f"Drugs related to {answer.drug}: {related}", markup=False, highlight=False)


def _shortened(names: list[str]) -> str:
    """The first names, and how many more there are: of a large formulary they are thousands."""
    beyond = len(names) - _NAMES_SHOWN
    return (
        ", ".join(names[:_NAMES_SHOWN]) + (f" and {beyond:,} more" if beyond > 0 else "") or "none"
    )
