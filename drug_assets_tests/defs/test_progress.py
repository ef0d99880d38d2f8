"""Progress in the log of a run, and to whoever watches beside it."""

from __future__ import annotations

import json
from contextlib import contextmanager
from typing import TYPE_CHECKING

import dagster as dg
import pytest

from drug_assets.definitions import make_definitions
from drug_assets.defs.jobs import JOB
from drug_assets.defs.progress import ProgressLog, Watcher
from drug_assets.settings import Settings
from drug_assets_tests.support import runs

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from drug_assets.progress import Done, Report


class Watching(Watcher):
    """Notes what it is shown."""

    def __init__(self) -> None:
        self.seen: list[tuple[str, int, int, int]] = []
        self.ended: list[str] = []

    @contextmanager
    def watch(self, what: str) -> Iterator[Report]:
        def note(done: Done) -> None:
            self.seen.append((what, done.files, done.of_files, done.rows))

        yield note
        self.ended.append(what)


@pytest.fixture
def zone(tmp_path: Path) -> Path:
    return runs.landing_zone(tmp_path / "landing")


def read(zone: Path, store: Path, progress: ProgressLog, **variables: str) -> list[str]:
    """Read the landing zone; return what the event log then says of progress."""
    settings = Settings.of(variables, landing=str(zone), store=str(store))
    job = make_definitions(settings, {"progress": progress}).resolve_job_def(JOB)
    with dg.DagsterInstance.ephemeral() as instance:
        result = job.execute_in_process(
            asset_selection=[dg.AssetKey("landed_files")], instance=instance
        )
        entries = [e for e in instance.all_logs(result.run_id) if e.dagster_event is None]
        return [e.user_message for e in entries if e.step_key == "read_landing_zone"]


@pytest.mark.slow
def test_lines_are_in_the_event_log(zone: Path, tmp_path: Path) -> None:
    log = ProgressLog(every_seconds=0, watcher=None)
    lines = read(zone, tmp_path / "store", log)
    begun, first, second, all_done = lines
    assert begun == "landing_zone: 0 of 3 files, 0 rows"
    assert first.startswith("landing_zone: 1 of 3 files, ")
    assert second.startswith("landing_zone: 2 of 3 files, ")
    assert " rows/s, " in second
    assert all_done.startswith("landing_zone: all 3 files, 8 rows, in ")
    assert read(zone, tmp_path / "store", log) == [], "all of it is known"
    seldom = ProgressLog(every_seconds=3600, watcher=None)
    assert read(zone, tmp_path / "other", seldom) == [], "nothing took an hour"


@pytest.mark.slow
def test_lines_are_among_collected_logs(
    zone: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    log = ProgressLog(every_seconds=0, watcher=None)
    lines = read(zone, tmp_path / "store", log, DRUG_ASSETS_LOG_FORMAT="json")
    collected = [json.loads(line) for line in capfd.readouterr().err.splitlines()]
    messages = [entry["message"].rpartition(" - ")[2] for entry in collected]
    assert [message for message in messages if message in lines] == lines
    (first,) = [entry for entry in collected if entry["message"].endswith(lines[0])]
    assert (first["severity"], first["step"]) == ("INFO", "read_landing_zone")


@pytest.mark.slow
def test_whoever_watches_sees_every_step_that_works_through_files(
    zone: Path, tmp_path: Path
) -> None:
    watching = Watching()
    settings = Settings.of({}, landing=str(zone), store=str(tmp_path / "store"))
    job = make_definitions(settings, watcher=watching).resolve_job_def(JOB)
    assert job.execute_in_process().success
    ends = [seen for seen in watching.seen if seen[1] == seen[2]]
    assert ends == [
        ("landing_zone", 3, 3, 8),
        ("drugs_records", 1, 1, 3),
        ("pubmed_records", 1, 1, 3),
        ("clinical_trials_records", 1, 1, 2),
        ("pubmed_drugs_named", 1, 1, 3),
        ("clinical_trials_drugs_named", 1, 1, 2),
    ]
    assert watching.ended == [what for what, *_ in ends]
