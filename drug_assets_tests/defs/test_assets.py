"""The assets: what Dagster is told of them, and that they do what the functions beneath them do."""

import json
import logging
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import dagster as dg
import polars as pl
import pytest
from polars.testing import assert_frame_equal

from drug_assets import graph, mentions, news, references, sources
from drug_assets.cleaning import drugs, publications, rejected
from drug_assets.definitions import make_definitions
from drug_assets.defs import assets, jobs, locations
from drug_assets.defs.io_managers import make_column_schema
from drug_assets.defs.jobs import JOB
from drug_assets.defs.workplace import RELEASE
from drug_assets.document.writing import write_lines
from drug_assets.documents import DOCUMENTS
from drug_assets.engines.local import LocalMachine
from drug_assets.exports import of_release
from drug_assets.mentions import Vocabulary
from drug_assets.settings import Settings
from drug_assets.sources.tables import TABLES, list_columns
from drug_assets.storage.landing import read_landing_zone
from drug_assets.storage.objects import LocalFolder
from drug_assets.storage.outputs import table_file
from drug_assets.storage.staging import WORKSPACE
from drug_assets_tests.support import runs

pytestmark = pytest.mark.xdist_group("runs")

MADE = {*TABLES, *DOCUMENTS, "release"}
GROUPS = {
    "pulls": {"pubmed_pull", "clinical_trials_pull"},
    "raw": {"landing_zone", "landed_files", "raw_drugs", "raw_pubmed", "raw_clinical_trials"},
    "clean": {
        *("drugs_records", "pubmed_records", "clinical_trials_records"),
        *("drugs", "drug_names", "journals", "pubmed", "clinical_trials"),
        *("merged_drugs", "merged_pubmed", "merged_clinical_trials", "rejected_records"),
        "trial_publications",
    },
    "mentions": {"pubmed_drugs_named", "clinical_trials_drugs_named", "mentions"},
    "published": {
        *("journal_drugs", "top_journal", "atc_classes", "new_mentions", "changed_names"),
        *("drug_graph", "unmentioned_drugs", "explorer", "exports", "release"),
    },
}
SETTINGS: Mapping[str, Settings] = {
    "local": Settings(),
    "bucket": Settings(landing="gs://bucket/landing", store="gs://bucket/store"),
    "bigquery": Settings("bigquery", "gs://bucket/landing", "gs://bucket/store", "project", "data"),
}


def specs(found: dg.Definitions) -> dict[str, dg.AssetSpec]:
    return {spec.key.to_user_string(): spec for spec in found.resolve_all_asset_specs()}


@pytest.fixture(scope="module")
def local() -> dict[str, dg.AssetSpec]:
    return specs(make_definitions(SETTINGS["local"]))


# What Dagster is told


def test_every_table_and_document_is_an_asset(local: dict[str, dg.AssetSpec]) -> None:
    assert set(local) == MADE | GROUPS["pulls"] | {"landing_zone"}


@pytest.mark.parametrize("asset", sorted(MADE | GROUPS["pulls"] | {"landing_zone"}))
def test_asset_is_described(local: dict[str, dg.AssetSpec], asset: str) -> None:
    spec = local[asset]
    assert spec.description
    assert spec.owners
    assert spec.kinds


@pytest.mark.parametrize("group", GROUPS)
def test_groups_are_the_layers(local: dict[str, dg.AssetSpec], group: str) -> None:
    assert {name for name, spec in local.items() if spec.group_name == group} == GROUPS[group]


@pytest.mark.parametrize("asset", sorted(MADE - {"release"}))
def test_logic_that_makes_results_has_a_version(local: dict[str, dg.AssetSpec], asset: str) -> None:
    assert local[asset].code_version


@pytest.mark.parametrize("table", TABLES)
def test_table_shows_its_contract_before_it_is_made(
    local: dict[str, dg.AssetSpec], table: str
) -> None:
    assert local[table].metadata["dagster/column_schema"] == make_column_schema(table)
    contract = TABLES[table].contract.__doc__ or ""
    assert (local[table].description or "").split("\n\n")[0] == contract.split("\n\n")[0]


@pytest.mark.parametrize("asset", ["mentions", "drug_graph", "release"])
def test_assets_that_people_come_for_have_a_paragraph(
    local: dict[str, dg.AssetSpec], asset: str
) -> None:
    first, *more = (local[asset].description or "").split("\n\n")
    assert first.endswith(".")
    assert sum(map(len, more)) > 300


def test_data_flows_one_way(local: dict[str, dg.AssetSpec]) -> None:
    layers = list(GROUPS)
    for spec in local.values():
        for dep in spec.deps:
            upstream = local[dep.asset_key.to_user_string()]
            assert layers.index(str(upstream.group_name)) <= layers.index(str(spec.group_name))


def test_release_comes_after_everything() -> None:
    graph = make_definitions(SETTINGS["local"]).resolve_asset_graph()
    before = graph.get_ancestor_asset_keys(RELEASE)
    assert {key.to_user_string() for key in before} >= MADE - {"release"}


def test_the_landing_zone_stands_between_the_pulls_and_the_raw_tables(
    local: dict[str, dg.AssetSpec],
) -> None:
    of_pulls = {dep.asset_key.to_user_string() for dep in local["landing_zone"].deps}
    assert of_pulls == GROUPS["pulls"]
    for name in GROUPS["raw"] - {"landing_zone"}:
        assert [dep.asset_key.to_user_string() for dep in local[name].deps] == ["landing_zone"]


def test_column_lineage_names_assets_and_columns_that_there_are(
    local: dict[str, dg.AssetSpec],
) -> None:
    told = 0
    for name, spec in local.items():
        lineage: Any = spec.metadata.get("dagster/column_lineage")
        for column, origins in lineage.deps_by_column.items() if lineage else ():
            assert column in list_columns(name)
            for origin in origins:
                assert origin.column_name in list_columns(origin.asset_key.to_user_string())
                told += 1
    assert told > len(TABLES)


@pytest.mark.parametrize("table", [name for name, table in TABLES.items() if table.published])
def test_every_column_of_a_published_table_says_where_it_comes_from(
    local: dict[str, dg.AssetSpec], table: str
) -> None:
    lineage: Any = local[table].metadata["dagster/column_lineage"]
    assert set(lineage.deps_by_column) == {*list_columns(table)}
    assert all(lineage.deps_by_column.values())


def test_columns_come_from_assets_upstream_alone(local: dict[str, dg.AssetSpec]) -> None:
    graph = make_definitions(SETTINGS["local"]).resolve_asset_graph()
    for name, spec in local.items():
        lineage: Any = spec.metadata.get("dagster/column_lineage")
        upstream = graph.get_ancestor_asset_keys(dg.AssetKey(name)) if lineage else set()
        for origins in lineage.deps_by_column.values() if lineage else ():
            assert {origin.asset_key for origin in origins} <= upstream, name


def test_definitions_show_where_an_asset_is_stored(tmp_path: Path) -> None:
    """Known before any run, and absolute: an asset's page shows no other place."""
    settings = Settings.of({}, landing="data", store=os.path.relpath(tmp_path / "a store"))
    shown = {
        name: {key: str(spec.metadata[key]) for key in locations.KEYS & spec.metadata.keys()}
        for name, spec in specs(make_definitions(settings)).items()
    }
    latest = (tmp_path / "a store" / "latest").as_uri()
    assert shown["mentions"] == {
        "dagster/uri": f"{latest}/mentions.parquet",
        "dagster/storage_kind": "parquet",
    }
    assert shown["raw_pubmed"]["dagster/uri"] == f"{latest}/raw_pubmed.parts.json"
    assert shown["drug_graph"] == {
        "dagster/uri": f"{latest}/graph.json",
        "dagster/storage_kind": "json",
    }
    assert shown["release"]["dagster/uri"] == f"{latest}/release.json"
    assert shown["landing_zone"] == shown["pubmed_pull"] == {}


def test_definitions_show_the_table_in_the_warehouse() -> None:
    settings = SETTINGS["bigquery"]
    dataset = f"{settings.bigquery_project}.{settings.bigquery_dataset}"
    assert locations.locate("mentions", settings) == {
        "dagster/table_name": f"{dataset}.mentions",
        "dagster/storage_kind": "bigquery",
    }
    assert locations.locate("landed_files", settings) == {"dagster/storage_kind": "parquet"}
    assert locations.locate("drug_graph", settings) == {"dagster/storage_kind": "json"}


@pytest.mark.slow
def test_shown_places_are_those_of_the_files(sample_run: runs.Run) -> None:
    settings = Settings.of({}, landing="data", store=str(sample_run.store))
    shown = {
        name: str(spec.metadata["dagster/uri"])
        for name, spec in specs(make_definitions(settings)).items()
        if "dagster/uri" in spec.metadata
    }
    assert shown.keys() == MADE
    for name, uri in shown.items():
        assert Path(uri.removeprefix("file://")).is_file(), name


@pytest.mark.parametrize(
    ("table", "column", "origins"),
    [
        ("drugs", "drug", {"raw_drugs.drug", "raw_drugs.atc_name"}),
        ("drugs", "drug_id", {"raw_drugs.id", "raw_drugs.drug"}),
        ("pubmed", "title", {"raw_pubmed.title", "raw_pubmed.vernacular_title"}),
        ("pubmed", "journal", {"journals.journal"}),
        (
            "clinical_trials",
            "title",
            {"raw_clinical_trials.scientific_title", "raw_clinical_trials.brief_title"},
        ),
        ("clinical_trials", "date_text", {"raw_clinical_trials.date"}),
        ("mentions", "drug", {"drugs.drug"}),
        ("mentions", "journal_id", {"pubmed.journal_id", "clinical_trials.journal_id"}),
        ("mentions", "spans", {"pubmed_drugs_named.spans", "clinical_trials_drugs_named.spans"}),
        (
            "mentions",
            "title",
            {"pubmed.title", "clinical_trials.title", "clinical_trials.brief_title"},
        ),
        ("journal_drugs", "pubmed_mentions", {"mentions.source"}),
        ("journal_drugs", "last_date", {"mentions.date"}),
        ("top_journal", "drug_count", {"journal_drugs.drug_id"}),
        ("top_journal", "drugs", {"journal_drugs.drug"}),
        ("atc_classes", "name", {"drugs_records.class_names"}),
        ("atc_classes", "journals", {"drugs.atc_codes", "mentions.journal_id"}),
        ("new_mentions", "date_before", {"mentions.date"}),
        ("changed_names", "name", {"drugs.names", "drugs.drug"}),
    ],
)
def test_a_column_says_from_which_columns_it_comes(
    local: dict[str, dg.AssetSpec], table: str, column: str, origins: set[str]
) -> None:
    lineage: Any = local[table].metadata["dagster/column_lineage"]
    found = lineage.deps_by_column[column]
    assert {f"{dep.asset_key.to_user_string()}.{dep.column_name}" for dep in found} == origins


@pytest.mark.slow
@pytest.mark.parametrize("environment", ["bucket", "bigquery"])
def test_only_resources_differ_between_environments(environment: str) -> None:
    pytest.importorskip("google.cloud.bigquery", reason="Google's clients are not installed")
    here, there = make_definitions(SETTINGS["local"]), make_definitions(SETTINGS[environment])
    assert _without_locations(here) == _without_locations(there)
    assert _checks(here) == _checks(there)
    assert [job.name for job in here.jobs or ()] == [job.name for job in there.jobs or ()]
    assert (here.resources or {}).keys() == (there.resources or {}).keys()


def _without_locations(found: dg.Definitions) -> dict[str, dg.AssetSpec]:
    return {
        name: spec.replace_attributes(
            metadata={k: v for k, v in spec.metadata.items() if k not in locations.KEYS}
        )
        for name, spec in specs(found).items()
    }


def _checks(found: dg.Definitions) -> dict[dg.AssetCheckKey, dg.AssetCheckSpec]:
    return {spec.key: spec for checks in found.asset_checks or () for spec in checks.check_specs}


def test_the_main_job_runs_all_assets_and_all_checks() -> None:
    found = make_definitions(SETTINGS["local"])
    selected = found.resolve_job_def(JOB).asset_layer
    assert jobs.drug_mentions.name == JOB
    assert {key.to_user_string() for key in selected.selected_asset_keys} == MADE
    assert set(selected.asset_graph.asset_check_keys) == set(_checks(found))


# What they do


@pytest.mark.slow
def test_assets_give_what_the_functions_beneath_them_give(
    sample_run: runs.Run, tmp_path: Path
) -> None:
    store = LocalFolder(tmp_path)
    landed = read_landing_zone(LocalFolder(runs.SAMPLE), store, LocalMachine())
    raw = {source: parts.rows(store) for source, parts in landed.raw.items()}
    records = {source.name: source.clean_records(raw[source.name]) for source in sources.ALL}
    cleaned = drugs.clean_drugs(records["drugs"])
    journals = publications.collect_journals(records[s.name] for s in sources.PUBLICATIONS)
    made = {
        source.name: publications.clean_publications(source, records[source.name], journals)
        for source in sources.PUBLICATIONS
    }
    vocabulary = Vocabulary.of(mentions.list_searched_names(cleaned.kept).collect())
    titles = {source.name: source.titles for source in sources.PUBLICATIONS}
    named = {
        source: mentions.find_drugs_named(records[source], vocabulary, of_source)
        for source, of_source in titles.items()
    }
    kept = {name: of_source.kept for name, of_source in made.items()}
    merged = {name: of_source.merged for name, of_source in made.items()}
    found = mentions.join_mentions(kept, named, cleaned.kept, titles, merged)
    belonging = references.find_trial_publications(kept)
    by_journal = graph.count_journal_drugs(found)
    expected = {
        "landed_files": landed.files.lazy(),
        **{f"raw_{name}": rows for name, rows in raw.items()},
        **{f"{name}_records": rows for name, rows in records.items()},
        "drugs": cleaned.kept,
        "drug_names": cleaned.names,
        "merged_drugs": cleaned.merged,
        "journals": journals,
        **kept,
        **{f"merged_{name}": of_source.merged for name, of_source in made.items()},
        "rejected_records": rejected.collect_rejected(raw, records),
        **{f"{name}_drugs_named": rows for name, rows in named.items()},
        "trial_publications": belonging,
        "mentions": found,
        "journal_drugs": by_journal,
        "top_journal": graph.find_top_journals(by_journal),
        "atc_classes": graph.count_atc_classes(cleaned.kept, found, records["drugs"]),
        "new_mentions": news.find_new_mentions(None, news.State.of(found, cleaned.kept)),
        "changed_names": news.find_changed_names(None, news.State.of(found, cleaned.kept)),
    }
    assert expected.keys() == TABLES.keys()
    made_by_file = {f"{name}_drugs_named" for name in named}
    for table, rows in expected.items():
        # These are made file by file, so their rows come in another order.
        order = TABLES[table].contract.primary_key() if table in made_by_file else []
        found_rows, expected_rows = sample_run.table(table), rows.collect()
        if order:
            found_rows, expected_rows = found_rows.sort(order), expected_rows.sort(order)
        assert_frame_equal(found_rows, expected_rows)
    document = sample_run.graph.read_bytes()
    assert document.splitlines() == list(write_lines(cleaned.kept, found, belonging))


def test_assets_can_be_called_without_dagster(sample_run: runs.Run) -> None:
    by_journal = assets.journal_drugs(sample_run.table("mentions").lazy())
    assert isinstance(by_journal, pl.LazyFrame)
    top = assets.top_journal(by_journal)
    assert isinstance(top, pl.LazyFrame)
    assert_frame_equal(top.collect(), sample_run.table("top_journal"))


def _job(store: Path, landing: Path = runs.SAMPLE) -> dg.JobDefinition:
    settings = Settings.of({}, landing=str(landing), store=str(store))
    return make_definitions(settings).resolve_job_def(JOB)


@pytest.fixture
def store(sample_run: runs.Run, tmp_path: Path) -> Path:
    runs.copy(sample_run.store, tmp_path / "store")
    return tmp_path / "store"


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


@pytest.mark.slow
def test_value_of_an_asset_can_be_loaded_outside_of_a_run(sample_run: runs.Run) -> None:
    settings = Settings.of({}, landing="data", store=str(sample_run.store))
    with dg.DagsterInstance.ephemeral() as instance:
        found = make_definitions(settings)
        table: Any = found.load_asset_value("mentions", instance=instance)
        document: Any = found.load_asset_value("drug_graph", instance=instance)
    assert_frame_equal(table.collect(), sample_run.table("mentions"))
    assert document == runs.current(sample_run.store) / "graph.json"


def test_release_says_what_landed_and_how_many_rows_each_table_holds(
    sample_run: runs.Run,
) -> None:
    document = json.loads((sample_run.store / "latest" / "release.json").read_text())
    assert document["rows"] == {t: sample_run.table(t).height for t in TABLES}
    assert document["landing"]["files"] == sample_run.table("landed_files").height
    assert runs.left_over(sample_run.store) == []


@pytest.mark.slow
def test_a_run_tells_what_it_put_right_before_and_what_it_released(tmp_path: Path) -> None:
    landing, store = runs.landing_zone(tmp_path / "landing"), tmp_path / "store"
    runs.landing_zone(store, {".staging/gone/graph.json": "x"})
    with dg.DagsterInstance.ephemeral() as instance:
        result = _job(store, landing).execute_in_process(instance=instance)
        warnings = [
            entry.user_message
            for entry in instance.all_logs(result.run_id)
            if entry.level == logging.WARNING and entry.step_key == "read_landing_zone"
        ]
    assert warnings == ["removed what run gone staged and never released"]
    made = {
        event.asset_key.path[-1]: event.step_materialization_data.materialization.metadata
        for event in result.get_asset_materialization_events()
        if event.asset_key
    }
    assert made.keys() == MADE
    for table in TABLES:
        assert made[table]["dagster/row_count"].value == runs.table(store, table).height
    assert made["release"]["release"].value == runs.current(store).name
    assert made["release"]["path"].value == str(runs.current(store))
    assert made["release"]["explorer"].value == str(runs.current(store) / "explorer.html")
    assert Path(str(made["explorer"]["path"].value)).samefile(runs.current(store) / "explorer.html")
    assert not [asset for asset, shown in made.items() if "link" in shown]
    # Nothing of it is left to be put right by the next run.
    assert runs.left_over(store) == []


@pytest.mark.slow
@pytest.mark.parametrize("address", ["http://drugs.test:8000", "https://drugs.test/now/"])
def test_pages_link_to_the_explorer_where_it_is_served(address: str, tmp_path: Path) -> None:
    settings = Settings.of(
        {"DRUG_ASSETS_SERVED_AT": address},
        landing=str(runs.landing_zone(tmp_path / "landing")),
        store=str(tmp_path / "store"),
    )
    result = make_definitions(settings).resolve_job_def(JOB).execute_in_process()
    links = {
        event.asset_key.path[-1]: shown["link"]
        for event in result.get_asset_materialization_events()
        if event.asset_key
        and "link" in (shown := event.step_materialization_data.materialization.metadata)
    }
    place = address.rstrip("/")
    assert links["release"] == links["explorer"] == dg.UrlMetadataValue(f"{place}/explorer.html")
    assert links["drug_graph"] == dg.UrlMetadataValue(f"{place}/graph.json")


def test_a_stop_list_that_cannot_be_read_fails_the_drugs_without_retries(
    store: Path, tmp_path: Path
) -> None:
    settings = Settings.of({}, landing=str(runs.SAMPLE), store=str(store), stop_list="nowhere.csv")
    job = make_definitions(settings).resolve_job_def(JOB)
    tables = [dg.AssetKey("drugs"), dg.AssetKey("merged_drugs")]
    result = job.execute_in_process(asset_selection=tables, raise_on_error=False)
    (failure,) = [event for event in result.all_events if event.is_step_failure]
    assert "nowhere.csv: cannot be read" in str(failure.step_failure_data.user_failure_data)
    assert not [event for event in result.all_events if event.is_step_up_for_retry]


@pytest.mark.slow
@pytest.mark.parametrize("table", ["pubmed_records", "clinical_trials_drugs_named"])
def test_one_table_of_several_that_are_kept_by_file_can_be_made_alone(
    store: Path, table: str
) -> None:
    before = runs.outputs(store)
    result = _job(store).execute_in_process(asset_selection=[dg.AssetKey(table)])
    made = [event.asset_key for event in result.get_asset_materialization_events()]
    assert made == [dg.AssetKey(table)]
    assert (store / WORKSPACE / table_file(table)).read_bytes() == before[table_file(table)]
    assert runs.outputs(store) == before


def test_every_output_of_the_store_is_known(sample_run: runs.Run) -> None:
    assert set(runs.outputs(sample_run.store)) == {
        *map(table_file, TABLES),
        *(document.file for document in DOCUMENTS.values()),
        *(f"{of_release.FOLDER}/{name}" for name in of_release.DEFAULT_FILES),
        "landing.json",
        "release.json",
    }
