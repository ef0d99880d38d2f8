"""What people are told of a run that failed: each row of the runbook, through a whole run.

The report on the terminal, the event `run_failed` and the webhook say the same: the product's own
message, with the asset or the check that failed.
"""

from __future__ import annotations

import errno
import hashlib
import io
import json
import os
import re
import signal
import socket
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import dagster as dg
import polars as pl
import pytest
from click.testing import CliRunner
from google.cloud import bigquery
from rich.console import Console

from drug_assets import audit, graph, logs, mentions
from drug_assets.cli import main
from drug_assets.cli.in_process import run_everything
from drug_assets.defs import failures
from drug_assets.settings import Settings
from drug_assets.storage import landing as landing_module
from drug_assets.storage.google import layout
from drug_assets.storage.objects import LocalFolder
from drug_assets.storage.outputs import Outputs
from drug_assets.storage.releases import list_releases, roll_back
from drug_assets_tests.support import clouds, runs
from drug_assets_tests.support.faulty_proxy import DAMAGED, FaultyProxy, faulty_proxy
from drug_assets_tests.support.webhook import Webhook

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager

    from drug_assets_tests.support.emulators import BigQueryEmulator, GcsEmulator

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("clouds")]

RUNBOOK = (runs.REPOSITORY / "docs" / "operations.md").read_text(encoding="utf-8")


def rows_of_runbook() -> list[str]:
    """The messages in the first column of the table *A run failed*."""
    section = RUNBOOK.split("\n## A run failed\n")[1].split("\nAny other error")[0]
    cells = [line.split(" | ")[0] for line in section.splitlines() if line.startswith("| ")]
    return [message for cell in cells[2:] for message in re.findall("`([^`]+)`", cell)]


@dataclass
class Place:
    """A landing zone, and a store with a release of it."""

    landing: Path
    store: Path

    def fail(
        self, capsys: pytest.CaptureFixture[str], store: str | None = None, **variables: str
    ) -> Failed:
        """Run everything, which fails; return what is said of that, the same everywhere.

        Args:
            capsys: holds the log.
            store: another store.
            variables: further settings.
        """
        told = io.StringIO()
        console = Console(file=told, width=400, soft_wrap=True)
        capsys.readouterr()
        with Webhook() as webhook:
            variables |= {
                "DRUG_ASSETS_LOG_FORMAT": "json",
                "DRUG_ASSETS_FAILURE_WEBHOOK": webhook.url,
            }
            settings = Settings.of(
                variables, landing=str(self.landing), store=store or str(self.store)
            )
            assert not run_everything(settings, console)
        lines = capsys.readouterr().err.splitlines()
        (event,) = [json.loads(line) for line in lines if '"event"' in line]
        assert event["event"] == logs.RUN_FAILED
        (message,) = webhook.messages
        assert message["text"] == event["message"]
        report = told.getvalue()
        for line in event["message"].splitlines():
            # The event has all causes in one text, the report each on lines of its own.
            for cause in line.removeprefix("drug_mentions failed: ").split("; "):
                assert cause in report
        assert "Traceback" not in report
        return Failed(event["message"], event["outcome"], report, "\n".join(lines))


@dataclass
class Failed:
    message: str
    outcome: str
    report: str
    log: str

    def shows(self, row: str) -> bool:
        """Whether the message is the one of a row of the runbook."""
        return shows_row(self.message, row)


def shows_row(told: str, row: str) -> bool:
    """Whether a row of the runbook is about what was told."""
    assert row in rows_of_runbook()
    pattern = ".*".join(map(re.escape, row.split("…")))
    return bool(re.search(pattern, " ".join(told.split()), re.DOTALL))


SHOWN: set[str] = set()


def shows(*rows: str) -> Callable[[Any], Any]:
    """Note that a test shows rows of the runbook."""
    SHOWN.update(rows)
    return pytest.mark.parametrize("row", [*rows])


@pytest.fixture
def place(small_run: runs.Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Place:
    monkeypatch.setattr(failures, "_RETRIES", dg.RetryPolicy(max_retries=3))
    store = runs.copy(small_run.store, tmp_path / "store")
    return Place(runs.landing_zone(tmp_path / "landing"), store)


@contextmanager
def meanwhile(monkeypatch: pytest.MonkeyPatch, act: Callable[[], None]) -> Iterator[None]:
    """Have something happen once while a run looks for mentions."""
    found, left = mentions.join_mentions, [act]

    def join(*arguments: Any) -> pl.LazyFrame:
        if left:
            left.pop()()
        return found(*arguments)

    with monkeypatch.context() as patch:
        patch.setattr(mentions, "join_mentions", join)
        yield


# Landed files


@shows("… of the landing zone cannot be read")
def test_file_that_cannot_be_read_is_named_with_the_place_of_its_problem(
    place: Place, row: str, capsys: pytest.CaptureFixture[str]
) -> None:
    (place.landing / "pubmed_2.csv.gz").write_bytes(b"\x1f\x8b\x08\x00cut")
    failed = place.fail(capsys)
    assert failed.shows(row)
    assert (
        "read_landing_zone (landed_files, raw_clinical_trials, raw_drugs, raw_pubmed): 1 file"
        in (failed.message)
    )
    assert re.search(r"pubmed_2\.csv\.gz: .*byte \d+", failed.message)
    assert failed.outcome == logs.FAILED
    assert "retry" not in failed.log.casefold(), "what lies there lies there a second later, too"


def _pipe(path: Path) -> None:
    os.mkfifo(path)


def _socket(path: Path) -> None:
    # Closed at once: its name stays.
    with socket.socket(socket.AF_UNIX) as made:
        here = Path.cwd()
        os.chdir(path.parent)  # the path of a socket has a hundred bytes at most
        try:
            made.bind(path.name)
        finally:
            os.chdir(here)


def _link(path: Path) -> None:
    path.symlink_to("nowhere")


@pytest.mark.parametrize(
    ("make", "kind"),
    [
        (_pipe, "a pipe (FIFO)"),
        (_socket, "a socket"),
        (_link, "a link to nothing"),
    ],
)
def test_what_is_no_file_is_told_as_what_it_is(
    place: Place, make: Callable[[Path], None], kind: str, capsys: pytest.CaptureFixture[str]
) -> None:
    make(place.landing / "pubmed_odd.csv")
    assert f"pubmed_odd.csv: cannot be opened: {kind}" in place.fail(capsys).message


def test_control_characters_of_names_reach_neither_terminal_nor_logs(
    place: Place, capsys: pytest.CaptureFixture[str]
) -> None:
    (place.landing / "pubmed\x1b[31m\u009b2J\u202e.csv.gz").write_bytes(b"\x1f\x8b\x08\x00cut")
    (place.landing / "odd\x1b]0;x\x07.csv").write_text("a,b\n")
    failed = place.fail(capsys)
    assert r"pubmed\x1b[31m\x9b2J\u202e.csv.gz" in failed.message
    for told in (failed.report, failed.log, failed.message):
        assert not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f\u202e]", told)


def test_control_characters_of_a_file_that_is_passed_over_are_escaped(
    tmp_path: Path,
) -> None:
    files = {**runs.SMALL, "odd\x1b]0;x\x07.csv": "a,b\n"}
    run = runs.run(runs.landing_zone(tmp_path / "landing", files), tmp_path / "store")
    assert run.succeeded
    assert r"not read: odd\x1b]0;x\x07.csv: belongs to no source" in run.report
    assert not re.search("[\x00-\x09\x0b-\x1f]", run.report)


@shows("… was written again while it was being read")
def test_file_that_changes_all_the_time_is_told_after_retries(
    place: Place, row: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    (place.landing / "pubmed_new.csv").write_text(runs.SMALL["pubmed.csv"])
    borrow, tries = LocalFolder.borrow, []

    def changed(store: LocalFolder, name: str, version: str) -> AbstractContextManager[Path]:
        if name == "pubmed_new.csv":
            tries.append(name)
            (place.landing / name).touch()
        return borrow(store, name, version)

    monkeypatch.setattr(LocalFolder, "borrow", changed)
    assert place.fail(capsys).shows(row)
    assert len(tries) == 4


# The disk


@shows("no space is left in …")
@pytest.mark.parametrize(
    "table", ["landing.json", "mentions.parquet", "graph.json", "release.json"]
)
def test_full_disk_is_told_as_full_and_is_not_tried_again(
    place: Place,
    row: str,
    table: str,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Polars and Python both write to a disk without room: to `/dev/full`."""
    scratch, tries = LocalFolder.scratch, []

    def full(store: LocalFolder, name: str) -> Path:
        path = scratch(store, name)
        if name.endswith(table):
            tries.append(name)
            path.symlink_to("/dev/full")
        return path

    monkeypatch.setattr(LocalFolder, "scratch", full)
    runs.landing_zone(place.landing, {"pubmed_new.csv": "id,title\n9,Aspirin once more\n"})
    before = runs.outputs(place.store)
    failed = place.fail(capsys)
    assert failed.shows(row)
    assert str(place.store) in failed.message
    assert "File out of specification" not in failed.message
    # A run first tries `release.json`, to see whether it may write.
    assert len([name for name in tries if name != "release.json"]) == 1
    assert runs.outputs(place.store) == before


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (OSError(errno.EROFS, "read-only"), "can only be read: mount it for writing"),
        (OSError(errno.EDQUOT, "quota"), "the quota of "),
        (OSError(errno.EIO, "error"), "reports an error: check it"),
        (OSError(errno.EMFILE, "files"), "ulimit -n"),
        (RecursionError("too deep"), "too deep"),
    ],
)
def test_what_cannot_pass_is_not_tried_again(
    place: Place,
    error: Exception,
    told: str,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    tries = []

    def fail(*_: object) -> None:
        tries.append(error)
        raise error

    monkeypatch.setattr(landing_module, "read_landing_zone", fail)
    assert told in place.fail(capsys).message
    assert len(tries) == 1


def test_network_that_is_gone_for_a_moment_is_tried_again(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    read, tries = landing_module.read_landing_zone, []

    def fail_twice(*arguments: Any) -> Any:
        tries.append(arguments)
        if len(tries) < 3:
            raise ConnectionResetError("reset by peer")
        return read(*arguments)

    monkeypatch.setattr(landing_module, "read_landing_zone", fail_twice)
    assert runs.run(place.landing, place.store).succeeded
    assert len(tries) == 3


# Rules and checks


@shows("… was not written: it breaks …")
def test_table_that_breaks_its_contract_is_named_with_the_row(
    place: Place, row: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    found = graph.count_journal_drugs
    negative = pl.lit(-1, pl.Int64).alias("pubmed_mentions")
    monkeypatch.setattr(
        graph, "count_journal_drugs", lambda mentions: found(mentions).with_columns(negative)
    )
    failed = place.fail(capsys)
    assert failed.shows(row)
    assert failed.message.startswith(
        "drug_mentions failed: journal_drugs: journal_drugs was not written: it breaks "
    )


#: The function of `audit` behind each blocking check.
CHECKS = {
    "contract": "contract_kept",
    "nothing_lost": "nothing_lost",
    "spans_spell_their_drug": "spans_spell_their_drug",
    "ids_exist": "ids_exist",
    "references_agree": "references_agree",
    "every_publication_was_searched": "every_publication_was_searched",
    "valid_document": "document_is_valid",
    "equals_mentions": "graph_equals_mentions",
    "equals_tables": "page_equals_tables",
}


@shows(*CHECKS)
def test_blocking_check_is_told_with_its_asset_and_what_it_found(
    place: Place, row: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    found = audit.Finding(passed=False, summary="3 rows are wrong")
    monkeypatch.setattr(audit, CHECKS[row], lambda *_, **__: found)
    monkeypatch.setattr(Outputs, "keeps_contract", lambda *_: False)  # else nothing is looked at
    failed = place.fail(capsys)
    assert failed.shows(row)
    first = failed.message.removeprefix("drug_mentions failed: ").split("; ")[0]
    assert re.fullmatch(rf"[a-z_]+: {row}: 3 rows are wrong", first)


@shows("no row of …", "there is no drug to look for")
def test_source_that_lost_everything_is_told_with_the_cure(
    place: Place, row: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    if row.startswith("no row"):
        (place.landing / "pubmed.csv").unlink()
    else:
        (place.landing / "drugs.csv").write_text("atccode,drug\nA01AD05,\n")
    before = runs.outputs(place.store)
    failed = place.fail(capsys)
    assert failed.shows(row)
    assert "`drug-assets run --allow-empty" in failed.message
    assert failed.outcome == logs.EMPTY
    assert runs.outputs(place.store) == before


@shows("interrupted")
@pytest.mark.parametrize("module", ["landing", "mentions"])
def test_interrupted_run_says_so_and_goes_on_with_nothing(
    place: Place,
    row: str,
    module: str,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    at = {"landing": (landing_module, "read_landing_zone"), "mentions": (mentions, "join_mentions")}
    found, times = getattr(*at[module]), []

    def interrupt(*arguments: Any) -> Any:
        times.append(module)
        os.kill(os.getpid(), signal.SIGINT)
        return found(*arguments)

    monkeypatch.setattr(*at[module], interrupt)
    assert place.fail(capsys).shows(row)
    assert len(times) == 1


# Other runs


@shows("… another run released … meanwhile")
def test_run_that_lost_a_race_says_which_release_was_faster(
    place: Place, row: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def other() -> None:
        new = {"pubmed_new.csv": "id,title\n9,Aspirin once more\n"}
        assert runs.run(runs.landing_zone(place.landing, new), place.store).succeeded

    (place.landing / "pubmed.csv").write_text(runs.SMALL["pubmed.csv"] + "8,Ethanol,2020,J\n")
    with meanwhile(monkeypatch, other):
        failed = place.fail(capsys)
    assert failed.shows(row)
    assert failed.message.startswith("drug_mentions failed: release: another run released ")
    assert failed.outcome == logs.LOST_RACE
    assert runs.table(place.store, "pubmed").height == 4, "what the other released"


@shows("the store was rolled back to … while this run was working")
def test_run_that_a_rollback_overtook_says_so(
    place: Place, row: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    (place.landing / "pubmed.csv").write_text(runs.SMALL["pubmed.csv"] + "8,Ethanol,2020,J\n")
    assert runs.run(place.landing, place.store).succeeded
    (place.landing / "pubmed.csv").write_text(runs.SMALL["pubmed.csv"] + "9,Ethanol,2020,J\n")
    first = list_releases(LocalFolder(place.store))[-1].id

    def back() -> None:
        roll_back(LocalFolder(place.store), first)

    with meanwhile(monkeypatch, back):
        failed = place.fail(capsys)
    assert failed.shows(row)
    assert first in failed.message
    assert failed.outcome == logs.LOST_RACE


# What was damaged


@shows("… does not name a release")
def test_pointer_that_somebody_changed_is_told_with_the_cure(
    place: Place, row: str, capsys: pytest.CaptureFixture[str]
) -> None:
    (place.store / "latest").unlink()
    (place.store / "latest").write_text("not a link")
    failed = place.fail(capsys)
    assert failed.shows(row)
    assert str(place.store / "latest") in failed.message
    assert "remove it, and a run makes everything again" in failed.message


def _lose_rows(store: Path) -> None:
    for part in (store / ".kept" / "pubmed_records").iterdir():
        part.unlink()


def _damage_list(store: Path) -> None:
    (listed,) = (store / ".staging").rglob("pubmed_records.parts.json")
    listed.write_text("[")


@shows("… missing or damaged in …", "the list of parts of … is damaged")
def test_kept_rows_that_are_damaged_in_a_run_are_told_with_the_cure(
    place: Place, row: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    damage = _lose_rows if row.startswith("…") else _damage_list
    before = runs.outputs(place.store)
    with meanwhile(monkeypatch, lambda: damage(place.store)):
        failed = place.fail(capsys)
    assert failed.shows(row)
    assert "run `drug-assets run`" in failed.message
    assert runs.outputs(place.store) == before
    assert runs.run(place.landing, place.store).succeeded


# BigQuery


@dataclass
class Published(Place):
    """A place that publishes to a dataset which does not exist yet."""

    variables: dict[str, str]
    client: bigquery.Client

    @property
    def dataset(self) -> str:
        """Its full name."""
        return (
            self.variables["DRUG_ASSETS_BIGQUERY_PROJECT"]
            + "."
            + self.variables["DRUG_ASSETS_BIGQUERY_DATASET"]
        )

    def run(self) -> None:
        """Release and publish."""
        assert runs.run(self.landing, self.store, **self.variables).succeeded

    def ask(self, *words: str) -> str:
        """The output of a command that fails."""
        words += ("--store", str(self.store))
        result = CliRunner(env=self.variables).invoke(main, [*words])
        assert result.exit_code == 1, result.output
        return result.output


@pytest.fixture
def published(
    place: Place, bigquery_emulator: BigQueryEmulator, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Published]:
    clouds.reach(monkeypatch, bigquery=bigquery_emulator.url)
    clouds.wait_for_nothing(monkeypatch)
    variables = {
        "DRUG_ASSETS_ENV": "bigquery",
        "DRUG_ASSETS_BIGQUERY_PROJECT": bigquery_emulator.project,
        "DRUG_ASSETS_BIGQUERY_DATASET": clouds.new_dataset(),
    }
    with closing(bigquery_emulator.client()) as client:
        yield Published(place.landing, place.store, variables, client)


@shows("there is no project …")
def test_project_that_nobody_knows_is_told(
    published: Published,
    bigquery_emulator: BigQueryEmulator,
    row: str,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with faulty_proxy(bigquery_emulator.url) as proxy:
        clouds.reach(monkeypatch, bigquery=proxy.url)
        proxy.count_anew(lambda _: "404")
        failed = published.fail(capsys, **published.variables)
    assert failed.shows(row)
    assert "DRUG_ASSETS_BIGQUERY_PROJECT" in failed.message


@shows("the BigQuery dataset … holds release …, but this run began from …")
def test_dataset_of_another_store_is_told(
    published: Published, row: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    other = runs.run(published.landing, tmp_path / "other", **published.variables)
    assert other.succeeded, other.report
    runs.landing_zone(published.landing, {"pubmed_new.csv": "id,title\n9,Aspirin once more\n"})
    before = runs.outputs(published.store)
    failed = published.fail(capsys, **published.variables)
    assert failed.shows(row)
    assert runs.outputs(published.store) == before


@shows("another run is changing the layout of the tables …")
def test_layout_that_another_run_changes_is_told(
    published: Published, row: str, capsys: pytest.CaptureFixture[str]
) -> None:
    published.run()
    name = f"{published.dataset}.top_journal"
    published.client.delete_table(name)
    column = bigquery.SchemaField("journal", "STRING")
    published.client.create_table(bigquery.Table(name, [column]))
    published.client.create_table(bigquery.Table(f"{published.dataset}.{layout.LOCK}", [column]))
    runs.landing_zone(published.landing, {"pubmed_new.csv": "id,title\n9,Aspirin once more\n"})
    assert published.fail(capsys, **published.variables).shows(row)


@shows("… lies in …, but DRUG_ASSETS_BIGQUERY_LOCATION is …")
def test_dataset_in_another_location_is_told(
    published: Published, row: str, capsys: pytest.CaptureFixture[str]
) -> None:
    made = bigquery.Dataset(published.dataset)
    made.location = "EU"
    published.client.create_dataset(made)
    elsewhere = {"DRUG_ASSETS_BIGQUERY_LOCATION": "europe-west1"}
    assert published.fail(capsys, **published.variables, **elsewhere).shows(row)


@shows(
    "release … holds no …, since an earlier version made it",
    "… written under another version of its contract",
)
def test_rollback_to_a_release_that_cannot_be_published_says_why(
    published: Published, row: str
) -> None:
    """Another image made it: a table is missing, or has other columns."""
    published.run()
    first = runs.current(published.store)
    runs.landing_zone(published.landing, {"pubmed_new.csv": "id,title\n9,Aspirin once more\n"})
    published.run()
    summary = json.loads((first / "release.json").read_text("utf-8"))
    file = first / "top_journal.parquet"
    if row.startswith("release"):
        del summary["files"][file.name]
        file.unlink()
    else:
        rows = pl.read_parquet(file).drop("drugs")
        file.unlink()  # it may be linked to that of the other release
        rows.write_parquet(file)
        digest = hashlib.sha256(file.read_bytes()).hexdigest()
        summary["files"][file.name] = {"size_bytes": file.stat().st_size, "sha256": digest}
    (first / "release.json").write_text(json.dumps(summary), "utf-8")
    current = runs.current(published.store)
    told = published.ask("rollback", first.name)
    assert shows_row(told, row), told
    assert runs.current(published.store) == current


# Google Cloud Storage


@pytest.fixture
def proxy(gcs_emulator: GcsEmulator, monkeypatch: pytest.MonkeyPatch) -> Iterator[FaultyProxy]:
    with faulty_proxy(gcs_emulator.url) as proxy:
        clouds.reach(monkeypatch, proxy.url)
        clouds.wait_for_nothing(monkeypatch)
        yield proxy


def _fails(proxy: FaultyProxy, pattern: str, fault: str) -> Callable[[int], str | None]:
    return lambda number: fault if re.match(pattern, proxy.requests[number - 1]) else None


UPLOADS, DOWNLOADS = r"(POST|PUT) .*/upload/", r"GET .*(/download/|alt=media)"


#: Rows of the runbook, each with the requests that fail, and how they fail.
REFUSALS = [
    ("… may not be written by …", UPLOADS, "403"),
    ("… may not be read by …", DOWNLOADS, "403"),
    ("… cannot be reached or refuses the call, after all retries", UPLOADS, "503"),
    ("… cannot be reached or refuses the call, after all retries", DOWNLOADS, "reset"),
    ("… arrived damaged", DOWNLOADS, DAMAGED),
    ("there is no bucket …", UPLOADS, "404"),
]
SHOWN |= {row for row, *_ in REFUSALS}


@pytest.mark.parametrize(("row", "pattern", "fault"), REFUSALS)
def test_bucket_that_refuses_is_told_with_the_role_or_the_bucket(
    place: Place,
    gcs_emulator: GcsEmulator,
    proxy: FaultyProxy,
    row: str,
    pattern: str,
    fault: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    bucket = clouds.new_bucket(gcs_emulator)
    proxy.count_anew(_fails(proxy, pattern, fault))
    failed = place.fail(capsys, f"gs://{bucket}/store")
    assert failed.shows(row), failed.message
    if fault == "403":
        assert "roles/storage." in failed.message
    assert bucket in failed.message


#: Kinds of what is no file, shown above and in `storage/test_landing.py`.
NO_FILES = {"a pipe", "a link to nothing", "a folder that may not be read"}
#: Shown on a Spark, in `test_spark.py`.
SHOWN_ON_SPARK = {
    "Spark at … cannot be reached",
    "the connection to Spark at … was lost",
    "the executors of Spark at … have other code of …",
    "the executors of Spark at … have … instead of …",
    "the executors of Spark at … have no …",
    "the executors of Spark at … do not have the package …",
    "… is not seen by the machines that the work was given to",
    "Spark at … gave up",
}
#: Shown through the run-status sensor, in `defs/test_reported_runs.py`.
SHOWN_BY_SENSOR = {"nothing was released: …"}


def test_every_row_of_the_runbook_is_shown_by_a_test() -> None:
    assert set(rows_of_runbook()) == SHOWN | SHOWN_ON_SPARK | SHOWN_BY_SENSOR | NO_FILES
