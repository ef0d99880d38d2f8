"""The assets: what Dagster is told of them, and that they do what the functions beneath them do."""

import json
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import dagster as dg
import polars as pl
import pytest
from polars.testing import assert_frame_equal

from drug_assets import contracts, graph, mentions, sources
from drug_assets.cleaning import drugs, publications, rejected
from drug_assets.cli.in_process import JOB
from drug_assets.definitions import definitions
from drug_assets.defs import assets, jobs
from drug_assets.settings import Settings
from drug_assets.storage.io_managers import DOCUMENTS, RELEASE, column_schema
from drug_assets.storage.landing import read_landing_zone
from drug_assets.storage.objects import LocalFolder
from drug_assets_tests.support import runs
from drug_assets_tests.support.raw import records_of

pytestmark = pytest.mark.xdist_group("sample")

EVERYTHING = {*contracts.TABLES, *DOCUMENTS, "release"}
GROUPS = {
    "pulls": {"pubmed_pull", "clinical_trials_pull"},
    "raw": {"landed_files", "raw_drugs", "raw_pubmed", "raw_clinical_trials"},
    "clean": {
        *("drugs", "journals", "pubmed", "clinical_trials"),
        *("merged_drugs", "merged_pubmed", "merged_clinical_trials", "rejected_records"),
    },
    "published": {"mentions", "journal_drugs", "top_journal", "drug_graph", "release"},
}
SETTINGS: Mapping[str, Settings] = {
    "local": Settings(),
    "gcs": Settings("gcs", "gs://bucket/landing", "gs://bucket/store"),
    "bigquery": Settings("bigquery", "gs://bucket/landing", "gs://bucket/store", "project", "data"),
}


def specs(found: dg.Definitions) -> dict[str, dg.AssetSpec]:
    return {spec.key.to_user_string(): spec for spec in found.resolve_all_asset_specs()}


@pytest.fixture(scope="module")
def local() -> dict[str, dg.AssetSpec]:
    return specs(definitions(SETTINGS["local"]))


# What Dagster is told


def test_every_table_and_document_is_an_asset(local: dict[str, dg.AssetSpec]) -> None:
    assert set(local) == EVERYTHING | GROUPS["pulls"]


@pytest.mark.parametrize("asset", sorted(EVERYTHING | GROUPS["pulls"]))
def test_asset_is_described(local: dict[str, dg.AssetSpec], asset: str) -> None:
    spec = local[asset]
    assert spec.description
    assert spec.owners
    assert spec.kinds
    assert spec.tags["layer"] == spec.group_name


@pytest.mark.parametrize("group", GROUPS)
def test_groups_are_the_layers(local: dict[str, dg.AssetSpec], group: str) -> None:
    assert {name for name, spec in local.items() if spec.group_name == group} == GROUPS[group]


@pytest.mark.parametrize("asset", sorted(EVERYTHING - {"release"}))
def test_logic_that_makes_results_has_a_version(local: dict[str, dg.AssetSpec], asset: str) -> None:
    assert local[asset].code_version


@pytest.mark.parametrize("table", contracts.TABLES)
def test_table_shows_its_contract_before_it_is_made(
    local: dict[str, dg.AssetSpec], table: str
) -> None:
    assert local[table].metadata["dagster/column_schema"] == column_schema(table)
    assert local[table].description == contracts.TABLES[table].__doc__


def test_data_flows_one_way(local: dict[str, dg.AssetSpec]) -> None:
    layers = list(GROUPS)
    for spec in local.values():
        for dep in spec.deps:
            upstream = local[dep.asset_key.to_user_string()]
            assert layers.index(str(upstream.group_name)) <= layers.index(str(spec.group_name))


def test_release_comes_after_everything(local: dict[str, dg.AssetSpec]) -> None:
    assert {dep.asset_key.to_user_string() for dep in local["release"].deps} == (
        EVERYTHING - {"release"}
    )
    assert local["release"].key == RELEASE


def test_column_lineage_names_columns_that_there_are(store: Path) -> None:
    with dg.DagsterInstance.ephemeral() as instance:
        result = _job(store).execute_in_process(
            instance=instance, asset_selection=[dg.AssetKey("drugs"), dg.AssetKey("merged_drugs")]
        )
    [made] = [
        event.materialization
        for event in result.get_asset_materialization_events()
        if event.asset_key == dg.AssetKey("drugs")
    ]
    lineage: Any = made.metadata["dagster/column_lineage"].value
    for column, origins in lineage.deps_by_column.items():
        assert column in contracts.Drugs.column_names()
        for origin in origins:
            table = contracts.TABLES[origin.asset_key.to_user_string()]
            assert origin.column_name in table.column_names()


@pytest.mark.parametrize("environment", ["gcs", "bigquery"])
def test_only_resources_differ_between_environments(environment: str) -> None:
    pytest.importorskip("google.cloud.bigquery", reason="Google's clients are not installed")
    here, there = definitions(SETTINGS["local"]), definitions(SETTINGS[environment])
    assert specs(here) == specs(there)
    assert _checks(here) == _checks(there)
    assert [job.name for job in here.jobs or ()] == [job.name for job in there.jobs or ()]
    assert (here.resources or {}).keys() == (there.resources or {}).keys()


def _checks(found: dg.Definitions) -> dict[dg.AssetCheckKey, dg.AssetCheckSpec]:
    return {spec.key: spec for checks in found.asset_checks or () for spec in checks.check_specs}


def test_the_main_job_runs_all_assets_and_all_checks() -> None:
    found = definitions(SETTINGS["local"])
    selected = found.resolve_job_def(JOB).asset_layer
    assert jobs.drug_mentions.name == JOB
    assert {key.to_user_string() for key in selected.selected_asset_keys} == EVERYTHING
    assert set(selected.asset_graph.asset_check_keys) == set(_checks(found))


# What they do


@pytest.mark.parametrize("landing", [runs.SAMPLE])
def test_assets_give_what_the_functions_beneath_them_give(
    sample_run: runs.Run, landing: Path, tmp_path: Path
) -> None:
    landed = read_landing_zone(LocalFolder(landing), LocalFolder(tmp_path))
    raw = landed.raw
    cleaned = drugs.cleaned_drugs(raw["drugs"])
    by_itself = records_of(raw)
    publishing = {s: by_itself[s.name] for s in (sources.PUBMED, sources.CLINICAL_TRIALS)}
    journals = publications.journals_of(publishing)
    records = {
        source.name: publications.cleaned_publications(source, rows, journals)
        for source, rows in publishing.items()
    }
    named = {name: mentions.drugs_named(rows, cleaned.kept) for name, rows in by_itself.items()}
    kept = {name: made.kept for name, made in records.items()}
    found = mentions.mentions(kept, named, cleaned.kept)
    by_journal = graph.journal_drugs(found)
    expected = {
        "landed_files": landed.files.lazy(),
        **{f"raw_{name}": rows for name, rows in raw.items()},
        "drugs": cleaned.kept,
        "merged_drugs": cleaned.merged,
        "journals": journals,
        **{name: made.kept for name, made in records.items()},
        **{f"merged_{name}": made.merged for name, made in records.items()},
        "rejected_records": rejected.rejected_records(raw, by_itself),
        "mentions": found,
        "journal_drugs": by_journal,
        "top_journal": graph.top_journal(by_journal),
    }
    assert expected.keys() == contracts.TABLES.keys()
    for table, rows in expected.items():
        assert_frame_equal(sample_run.table(table), rows.collect())
    lines = graph.graph_document(cleaned.kept, found)
    document = (sample_run.store / "graph.json").read_text(encoding="utf-8")
    assert document.splitlines() == list(lines)


def test_assets_can_be_called_without_dagster(sample_run: runs.Run) -> None:
    by_journal = assets.journal_drugs(sample_run.table("mentions").lazy())
    assert isinstance(by_journal, pl.LazyFrame)
    top = assets.top_journal(by_journal)
    assert isinstance(top, pl.LazyFrame)
    assert_frame_equal(top.collect(), sample_run.table("top_journal"))


def _job(store: Path, landing: Path = runs.SAMPLE) -> dg.JobDefinition:
    settings = Settings.of({}, landing=str(landing), store=str(store))
    return definitions(settings).resolve_job_def(JOB)


@pytest.fixture
def store(sample_run: runs.Run, tmp_path: Path) -> Path:
    shutil.copytree(sample_run.store, tmp_path / "store")
    return tmp_path / "store"


def test_chosen_assets_are_made_from_what_was_released_and_written_at_once(
    store: Path, sample_run: runs.Run
) -> None:
    for name in ("journal_drugs", "top_journal"):
        (store / f"{name}.parquet").unlink()
    result = _job(store).execute_in_process(
        asset_selection=[dg.AssetKey("journal_drugs"), dg.AssetKey("top_journal")]
    )
    assert result.success
    assert runs.outputs(store) == runs.outputs(sample_run.store)
    assert runs.hidden(store) == []


def test_one_raw_table_can_be_made_alone(store: Path) -> None:
    before = runs.outputs(store)
    (store / "raw_pubmed.parquet").unlink()
    result = _job(store).execute_in_process(asset_selection=[dg.AssetKey("raw_pubmed")])
    made = {
        str(event.asset_key and event.asset_key.path[-1])
        for event in result.get_asset_materialization_events()
    }
    assert made == {"raw_pubmed"}
    assert runs.outputs(store) == before


def test_unreadable_file_fails_without_retries_and_keeps_every_raw_table(
    store: Path, tmp_path: Path
) -> None:
    before = runs.outputs(store)
    landing = runs.landing_zone(tmp_path / "landing", {"pubmed.json": b"\0\1\2"})
    result = _job(store, landing).execute_in_process(
        asset_selection=[dg.AssetKey("raw_pubmed"), dg.AssetKey("landed_files")],
        raise_on_error=False,
    )
    assert not result.success
    assert not [event for event in result.all_events if event.is_step_up_for_retry]
    [failure] = [event for event in result.all_events if event.is_step_failure]
    assert "pubmed.json" in str(failure.step_failure_data.user_failure_data)
    assert runs.outputs(store) == before


def test_value_of_an_asset_can_be_loaded_outside_of_a_run(sample_run: runs.Run) -> None:
    settings = Settings.of({}, landing="data", store=str(sample_run.store))
    with dg.DagsterInstance.ephemeral() as instance:
        found = definitions(settings)
        table: Any = found.load_asset_value("mentions", instance=instance)
        document: Any = found.load_asset_value("drug_graph", instance=instance)
    assert_frame_equal(table.collect(), sample_run.table("mentions"))
    assert document == sample_run.store / "graph.json"


def test_release_says_what_landed_and_how_many_rows_each_table_holds(
    sample_run: runs.Run,
) -> None:
    document = json.loads((sample_run.store / "release.json").read_text())
    assert document["rows"] == {t: sample_run.table(t).height for t in contracts.TABLES}
    assert document["landing"]["files"] == sample_run.table("landed_files").height
    assert runs.hidden(sample_run.store) == []


def test_every_output_of_the_store_is_known(sample_run: runs.Run) -> None:
    assert set(runs.outputs(sample_run.store)) == {
        *(f"{table}.parquet" for table in contracts.TABLES),
        *DOCUMENTS.values(),
        "landing.json",
        "release.json",
    }
