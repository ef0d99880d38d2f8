"""The same graph in every environment: whole runs against the emulators."""

from __future__ import annotations

import io
import subprocess
import sys
from contextlib import closing
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import dagster as dg
import pytest
from click.testing import CliRunner
from google.api_core import exceptions as api
from rich.console import Console

from drug_assets import audit
from drug_assets.cleaning.mesh_trees import MeshTrees
from drug_assets.cleaning.stop_list import read_stop_list
from drug_assets.cli import main
from drug_assets.cli.in_process import run_everything
from drug_assets.definitions import make_definitions
from drug_assets.defs.jobs import JOB
from drug_assets.settings import Settings
from drug_assets.sources.tables import TABLES
from drug_assets.storage import copies
from drug_assets.storage.google import bucket as gcs
from drug_assets.storage.google import dataset as datasets
from drug_assets.storage.google import jobs, layout
from drug_assets.storage.google import tables as tables_of_google
from drug_assets.storage.google.dataset import Dataset
from drug_assets.storage.google.table_schema import declare_published_tables
from drug_assets.storage.outputs import Outputs, table_file
from drug_assets.storage.places import open_store, read_location
from drug_assets.storage.releases import is_unchanged_since_release, open_release
from drug_assets.versions import compute_rules_version
from drug_assets_tests.support import clouds, runs
from drug_assets_tests.support.faulty_proxy import PASSING_FAULTS, faulty_proxy
from drug_assets_tests.support.published import drop_table, read_table

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import polars as pl

    from drug_assets_tests.support.emulators import BigQueryEmulator, GcsEmulator

pytestmark = pytest.mark.xdist_group("environments")

#: Documents that depend on the kind of landing zone: a bucket identifies contents by another hash
#: than a folder. So the names of parts differ, too; `assert_same_parts` compares what they hold.
OF_THE_ZONE = {
    *("landing.json", "release.json"),
    *(table_file(name) for name, table in TABLES.items() if table.by_file),
}


@dataclass(frozen=True)
class Cloud:
    """One deployment on the emulators."""

    gcs: GcsEmulator
    bucket: str
    settings: Settings

    def run(self) -> tuple[bool, str]:
        """Run everything, as `drug-assets run` does; return its success and its output."""
        told = io.StringIO()
        succeeded = run_everything(self.settings, Console(file=told, width=200, soft_wrap=True))
        return succeeded, told.getvalue()

    def stored(self) -> dict[str, bytes]:
        """The files of the current release, by name."""
        prefix = open_release(open_store(self.settings.store)).name()
        stored = clouds.contents(self.gcs, self.bucket, "store/")
        return {n.removeprefix(prefix): d for n, d in stored.items() if n.startswith(prefix)}

    def left_over(self) -> list[str]:
        """What is in the store besides releases, kept parts and the workspace."""
        stored = clouds.contents(self.gcs, self.bucket, "store/")
        expected = (".kept/", ".workspace/", "releases/", "latest.json")
        return [name for name in stored if not name.startswith(expected)]

    @property
    def dataset(self) -> Dataset:
        """The dataset of the settings."""
        assert self.settings.bigquery_project
        assert self.settings.bigquery_dataset
        return Dataset.at(self.settings.bigquery_project, self.settings.bigquery_dataset)

    def tables(self) -> dict[str, pl.DataFrame]:
        """What a reader of the dataset sees."""
        found: dict[str, pl.DataFrame] = {}
        if self.settings.environment != "bigquery":
            return found
        for table in TABLES:
            try:
                found[table] = read_table(self.dataset, table)
            except api.NotFound:
                continue
        return found


def assert_same_parts(location: str, expected: runs.Run) -> None:
    """The tables that are kept file by file have the same rows in two stores."""
    outputs = Outputs.current(open_store(location))
    for name, table in TABLES.items():
        if table.by_file:
            assert outputs.table(name).collect().equals(expected.table(name)), name


@pytest.fixture(scope="module", autouse=True)
def reached(gcs_emulator: GcsEmulator, bigquery_emulator: BigQueryEmulator) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as variables:
        clouds.reach(variables, gcs_emulator.url, bigquery_emulator.url)
        yield


def new_cloud(gcs: GcsEmulator, environment: str, bigquery: BigQueryEmulator) -> Cloud:
    """A deployment with an empty bucket, and a dataset that does not exist."""
    bucket = clouds.new_bucket(gcs)
    variables = {
        "DRUG_ASSETS_ENV": environment,
        "DRUG_ASSETS_LANDING": f"gs://{bucket}/landing",
        "DRUG_ASSETS_STORE": f"gs://{bucket}/store",
        "DRUG_ASSETS_BIGQUERY_PROJECT": bigquery.project,
        "DRUG_ASSETS_BIGQUERY_DATASET": clouds.new_dataset(),
    }
    return Cloud(gcs, bucket, Settings.of(variables))


def after_a_run(cloud: Cloud, landed: Path) -> Cloud:
    """The deployment, once it has run on the files of a folder."""
    clouds.upload(cloud.gcs, landed, cloud.bucket, "landing")
    succeeded, report = cloud.run()
    assert succeeded, report
    return cloud


@pytest.fixture(scope="module")
def on_gcs(gcs_emulator: GcsEmulator, bigquery_emulator: BigQueryEmulator) -> Cloud:
    """A run on the sample, in a bucket: no test may release anything after it."""
    return after_a_run(new_cloud(gcs_emulator, "local", bigquery_emulator), runs.SAMPLE)


@pytest.fixture(scope="module")
def on_bigquery(gcs_emulator: GcsEmulator, bigquery_emulator: BigQueryEmulator) -> Cloud:
    """A run on the sample, in the environment `bigquery`: no test may release after it."""
    return after_a_run(new_cloud(gcs_emulator, "bigquery", bigquery_emulator), runs.SAMPLE)


def test_gcs_gives_what_a_local_run_gives(on_gcs: Cloud, sample_run: runs.Run) -> None:
    local, stored = runs.outputs(sample_run.store), on_gcs.stored()
    assert stored.keys() == local.keys()
    assert [n for n in local if n not in OF_THE_ZONE and stored[n] != local[n]] == []
    assert_same_parts(on_gcs.settings.store, sample_run)
    assert on_gcs.left_over() == []


def test_bigquery_gives_what_a_local_run_gives(on_bigquery: Cloud, sample_run: runs.Run) -> None:
    tables = on_bigquery.tables()
    assert tables.keys() == declare_published_tables().keys()
    for table, rows in tables.items():
        expected = sample_run.table(table).sort(TABLES[table].contract.primary_key())
        assert rows.equals(expected), table


def test_with_bigquery_the_bucket_holds_every_table_and_document_of_the_same_release(
    on_bigquery: Cloud, sample_run: runs.Run
) -> None:
    local, stored = runs.outputs(sample_run.store), on_bigquery.stored()
    assert stored.keys() == local.keys()
    assert {f"{table}.parquet" for table in on_bigquery.tables()} < stored.keys()
    assert [n for n in stored if n not in OF_THE_ZONE and stored[n] != local[n]] == []
    assert_same_parts(on_bigquery.settings.store, sample_run)
    assert on_bigquery.left_over() == []
    release = open_release(open_store(on_bigquery.settings.store))
    assert on_bigquery.dataset.current_release() == release.id
    assert on_bigquery.dataset.altered_tables() == []


def test_each_step_begins_without_the_copies_of_the_one_before(
    gcs_emulator: GcsEmulator,
    bigquery_emulator: BigQueryEmulator,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    begun: dict[str, list[Path]] = {}
    of_steps_before: list[Path] = []
    begin_step = copies.begin_step

    def begin(step: str) -> None:
        name = step.partition(" ")[2]
        if begun and name not in begun:
            of_steps_before.extend(copies.make_folder().iterdir())
        begin_step(step)
        begun.setdefault(name, list(copies.make_folder().iterdir()))

    monkeypatch.setattr(copies, "begin_step", begin)
    monkeypatch.setattr(copies, "_SMALL_BYTES", 0)
    (tmp_path / "drugs.csv").write_text("atccode,drug\nA01AD,ALPHAMINE\n")
    (tmp_path / "pubmed.csv").write_text(
        "id,title,date,journal\n1,Alphamine in mice,01/01/2020,Tests\n"
    )
    cloud = after_a_run(new_cloud(gcs_emulator, "local", bigquery_emulator), tmp_path)
    steps = make_definitions(cloud.settings).resolve_job_def(JOB).graph.node_dict
    assert begun.keys() == steps.keys()
    assert of_steps_before
    assert [step for step, left in begun.items() if left] == []


def test_the_release_tells_whether_the_landing_zone_changed_since(on_gcs: Cloud) -> None:
    zone, store = open_store(on_gcs.settings.landing), open_store(on_gcs.settings.store)
    digests = read_stop_list(None, read_location).digest, MeshTrees.of().digest
    rules = compute_rules_version(*digests, **on_gcs.settings.choices)
    assert is_unchanged_since_release(zone, store, rules)
    assert not is_unchanged_since_release(zone, store, "other rules")
    drugs = zone.read("drugs.csv")
    for data, unchanged in ((drugs + b" ", False), (drugs, True)):
        clouds.put(on_gcs.gcs, zone.uri("drugs.csv"), data)
        assert is_unchanged_since_release(zone, store, rules) == unchanged


def test_a_bucket_as_landing_zone_goes_with_a_local_store(
    on_gcs: Cloud, small_run: runs.Run, tmp_path: Path
) -> None:
    small = runs.landing_zone(tmp_path / "landing")
    clouds.upload(on_gcs.gcs, small, on_gcs.bucket, "small")
    landing, store = f"gs://{on_gcs.bucket}/small", tmp_path / "store"
    mixed = replace(on_gcs, settings=replace(on_gcs.settings, landing=landing, store=str(store)))
    succeeded, report = mixed.run()
    assert succeeded, report
    stored, local = runs.outputs(store), runs.outputs(small_run.store)
    assert stored.keys() == local.keys()
    assert [n for n in local if n not in OF_THE_ZONE and stored[n] != local[n]] == []
    assert_same_parts(str(store), small_run)


@pytest.mark.parametrize("environment", ["gcs", "bigquery"])
def test_a_blocking_check_that_fails_leaves_all_that_readers_see(
    request: pytest.FixtureRequest,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    environment: str,
) -> None:
    cloud: Cloud = request.getfixturevalue(f"on_{environment}")
    stored, tables, release = cloud.stored(), cloud.tables(), cloud.dataset.current_release()
    clouds.upload(cloud.gcs, runs.landing_zone(tmp_path / "landing"), cloud.bucket, "other")
    other = replace(cloud.settings, landing=f"gs://{cloud.bucket}/other")
    broken = audit.Finding(passed=False, summary="broken on purpose")
    monkeypatch.setattr(audit, "document_is_valid", lambda _: broken)
    succeeded, report = replace(cloud, settings=other).run()
    assert not succeeded
    assert "broken on purpose" in report
    assert cloud.stored() == stored
    assert cloud.dataset.current_release() == release
    seen = cloud.tables()
    assert seen.keys() == tables.keys()
    assert all(seen[table].equals(rows) for table, rows in tables.items())
    assert cloud.left_over() == []


def test_a_run_of_one_asset_alone_leaves_bigquery_and_the_release_as_they_are(
    on_bigquery: Cloud, bigquery_emulator: BigQueryEmulator
) -> None:
    with closing(bigquery_emulator.client()) as client:

        def look() -> list[tuple[str, str]]:
            dataset = on_bigquery.dataset.name("x").split(".")[1]
            names = sorted(table.table_id for table in client.list_tables(dataset))
            return [(n, client.get_table(on_bigquery.dataset.name(n)).etag) for n in names]

        before, stored = look(), on_bigquery.stored()
        result = (
            make_definitions(on_bigquery.settings)
            .resolve_job_def(JOB)
            .execute_in_process(asset_selection=[dg.AssetKey("top_journal")])
        )
        assert look() == before
    assert on_bigquery.stored() == stored
    (made,) = result.asset_materializations_for_node("top_journal")
    assert made.metadata["dagster/table_name"].value == on_bigquery.dataset.name("top_journal")


def test_only_if_changed_a_run_brings_back_what_the_dataset_lost(
    gcs_emulator: GcsEmulator,
    bigquery_emulator: BigQueryEmulator,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    """The store is a folder here, since BigQuery works with any kind of store."""
    cloud = new_cloud(gcs_emulator, "bigquery", bigquery_emulator)
    variables = {
        "DRUG_ASSETS_ENV": "bigquery",
        "DRUG_ASSETS_LANDING": str(runs.landing_zone(tmp_path / "landing")),
        "DRUG_ASSETS_STORE": str(tmp_path / "store"),
        "DRUG_ASSETS_BIGQUERY_PROJECT": bigquery_emulator.project,
        "DRUG_ASSETS_BIGQUERY_DATASET": str(cloud.settings.bigquery_dataset),
    }
    for name, value in variables.items():
        monkeypatch.setenv(name, value)

    def run() -> str:
        result = CliRunner().invoke(main, ["run", "--only-if-changed"])
        assert result.exit_code == 0, result.output
        return result.output

    report = run()
    assert f"Outputs in {tmp_path}" in report
    dataset = f"{bigquery_emulator.project}.{cloud.settings.bigquery_dataset}"
    assert f"and the published tables in BigQuery's {dataset}\n" in report
    assert "Nothing changed" in run()
    before = cloud.tables()
    drop_table(cloud.dataset, "top_journal")
    assert "Outputs in" in run()
    assert cloud.tables()["top_journal"].equals(before["top_journal"])
    assert "Nothing changed" in run()
    first = cloud.dataset.current_release()
    monkeypatch.setenv("DRUG_ASSETS_ENV", "local")
    runs.landing_zone(tmp_path / "landing", {"drugs.csv": runs.SMALL["drugs.csv"] + "X,CAFFEINE\n"})
    assert "Outputs in" in run()
    assert cloud.dataset.current_release() == first
    assert "Nothing changed" in run()
    monkeypatch.setenv("DRUG_ASSETS_ENV", "bigquery")
    assert "Outputs in" in run()
    assert cloud.dataset.current_release() == open_release(open_store(str(tmp_path / "store"))).id
    assert cloud.tables()["drugs"].height == before["drugs"].height + 1
    rolled = CliRunner().invoke(main, ["rollback", str(first)])
    assert rolled.exit_code == 0, rolled.output
    assert cloud.dataset.current_release() == first
    assert "Nothing changed" in run()
    assert CliRunner().invoke(main, ["rollback", "--resume"]).exit_code == 0
    assert cloud.tables()["drugs"].height == before["drugs"].height + 1


def test_faults_that_pass_do_not_show(
    gcs_emulator: GcsEmulator,
    bigquery_emulator: BigQueryEmulator,
    small_run: runs.Run,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    """Every few calls of a whole run fail, each time in another way."""
    for module in (gcs, datasets, jobs, layout, tables_of_google):
        monkeypatch.setattr(module, "RETRY", module.RETRY.with_delay(initial=0.01))
    landing = runs.landing_zone(tmp_path / "landing")
    cloud = new_cloud(gcs_emulator, "bigquery", bigquery_emulator)
    with (
        faulty_proxy(gcs_emulator.url) as storage,
        faulty_proxy(bigquery_emulator.url) as warehouse,
        monkeypatch.context() as through,
    ):
        for proxy, every in ((storage, 7), (warehouse, 9)):
            proxy.fault = lambda n, every=every: (  # type: ignore[misc]
                None if n % every else PASSING_FAULTS[n // every % len(PASSING_FAULTS)]
            )
        clouds.reach(through, storage.url, warehouse.url)
        after_a_run(cloud, landing)
        assert min(len(storage.requests), len(warehouse.requests)) > 50
    assert cloud.stored()["graph.json"] == small_run.graph.read_bytes()
    tables = cloud.tables()
    assert tables.keys() == declare_published_tables().keys()
    for table, rows in tables.items():
        expected = small_run.table(table).sort(TABLES[table].contract.primary_key())
        assert rows.equals(expected), table


def test_a_local_run_imports_no_google_module(tmp_path: Path) -> None:
    script = (
        "import sys\n"
        "from drug_assets.cli.in_process import run_everything\n"
        "from drug_assets.settings import Settings\n"
        f"landing, store = {str(runs.landing_zone(tmp_path / 'landing'))!r}, "
        f"{str(tmp_path / 'store')!r}\n"
        "assert run_everything(Settings.of({}, landing=landing, store=store))\n"
        "assert not {'google', 'dagster_gcp'} & {name.split('.')[0] for name in sys.modules}\n"
    )
    ended = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=False
    )
    assert ended.returncode == 0, ended.stderr
