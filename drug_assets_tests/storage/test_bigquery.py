"""Tables in BigQuery: every value comes back, and tables are replaced whole or not at all."""

from __future__ import annotations

from contextlib import closing
from datetime import date
from typing import TYPE_CHECKING, Any

import dataframely as dy
import polars as pl
import pyarrow.parquet as pq  # type: ignore[import-untyped]
import pytest
from google.api_core import exceptions as api
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from drug_assets import contracts
from drug_assets.sources.tables import TABLES
from drug_assets.storage.google import jobs, tables
from drug_assets.storage.google.dataset import Dataset
from drug_assets.storage.google.table_schema import declare_published_tables
from drug_assets.storage.objects import StorageError
from drug_assets_tests.support import clouds
from drug_assets_tests.support.faulty_proxy import faulty_proxy
from drug_assets_tests.support.published import (
    PUBLISHED,
    parquet,
    publish_table,
    published,
    read_table,
    top_journal,
)

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from google.cloud import bigquery

    from drug_assets_tests.support.emulators import BigQueryEmulator

pytestmark = pytest.mark.xdist_group("clouds")


@pytest.fixture
def dataset(bigquery_emulator: BigQueryEmulator, monkeypatch: pytest.MonkeyPatch) -> Dataset:
    """A dataset that does not exist yet."""
    clouds.reach(monkeypatch, bigquery=bigquery_emulator.url)
    clouds.wait_for_nothing(monkeypatch)
    return Dataset.at(bigquery_emulator.project, clouds.new_dataset())


@pytest.fixture
def client(bigquery_emulator: BigQueryEmulator) -> Iterator[bigquery.Client]:
    """A client of the service, to look at tables with."""
    with closing(bigquery_emulator.client()) as client:
        yield client


def value_of(column: dy.Column) -> st.SearchStrategy[Any]:
    """What a column can hold by its type; rules of a contract do not matter here."""
    values: st.SearchStrategy[Any]
    if isinstance(column, dy.List):
        values = st.lists(value_of(column.inner), max_size=3)
    elif isinstance(column, dy.Struct):
        values = st.fixed_dictionaries({k: value_of(v) for k, v in column.inner.items()})
    elif isinstance(column, dy.Int64):
        values = st.integers(-(2**63), 2**63 - 1)
    elif isinstance(column, dy.Date):
        values = st.dates(date(1781, 1, 1), date(2100, 12, 31))
    elif isinstance(column, dy.Bool):
        values = st.booleans()
    else:
        assert isinstance(column, dy.String), column
        values = st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=8)
    return st.none() | values if column.nullable else values


@st.composite
def rows_of(draw: st.DrawFn, contract: contracts.Contract) -> pl.DataFrame:
    columns = contract.columns()
    key = contract.primary_key()
    drawn = draw(
        st.lists(
            st.fixed_dictionaries({name: value_of(column) for name, column in columns.items()}),
            max_size=4,
            unique_by=lambda row: tuple(row[name] for name in key),
        )
    )
    return pl.DataFrame(drawn, schema=contracts.polars_schema(contract))


@pytest.mark.parametrize("table", PUBLISHED)
@settings(
    max_examples=5,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(data=st.data())
def test_every_value_and_null_comes_back(
    dataset: Dataset, tmp_path_factory: pytest.TempPathFactory, table: str, data: st.DataObject
) -> None:
    contract = TABLES[table].contract
    rows = data.draw(rows_of(contract))
    publish_table(dataset, table, parquet(tmp_path_factory.mktemp("rows"), rows))
    read = read_table(dataset, table)
    assert read.schema == contracts.polars_schema(contract)
    assert read.equals(rows.sort(contract.primary_key()))


def test_tables_are_partitioned_clustered_described_and_labelled(
    dataset: Dataset, client: bigquery.Client, tmp_path: Path
) -> None:
    for table, declared in declare_published_tables().items():
        empty = TABLES[table].contract.create_empty()
        for _ in ("made", "replaced"):
            publish_table(dataset, table, parquet(tmp_path, empty))
            found = client.get_table(dataset.name(table))
            assert found.num_rows == 0
            assert found.description == declared["description"]
            assert found.labels == tables.LABELS
            assert found.clustering_fields == declared["clustering"]
            assert undescribed(found.schema) == []
            modes = {field.name: field.mode for field in found.schema}
            assert modes == {field["name"]: field["mode"] for field in declared["schema"]}
            if declared["partition_by_year"]:
                assert found.time_partitioning.field == "date"
                assert found.time_partitioning.type_ == "YEAR"
            else:
                assert found.time_partitioning is None
    assert client.get_dataset(dataset.name("x").split(".")[1]).labels == tables.LABELS


def undescribed(fields: list[bigquery.SchemaField] | tuple[bigquery.SchemaField, ...]) -> list[str]:
    """Names of columns without description, at any depth."""
    return [f.name for f in fields if not f.description] + [
        name for f in fields for name in undescribed(f.fields)
    ]


def test_mentions_are_partitioned_by_year_and_clustered_by_drug_and_journal(
    dataset: Dataset, client: bigquery.Client, tmp_path: Path
) -> None:
    publish_table(dataset, "mentions", parquet(tmp_path, contracts.Mentions.create_empty()))
    found = client.get_table(dataset.name("mentions"))
    assert (found.time_partitioning.type_, found.time_partitioning.field) == ("YEAR", "date")
    assert found.clustering_fields == ["drug_id", "journal_id"]


def test_labels_that_others_gave_stay_and_descriptions_follow_the_contract(
    dataset: Dataset, client: bigquery.Client, tmp_path: Path
) -> None:
    path = parquet(tmp_path, top_journal(1))
    publish_table(dataset, "top_journal", path)
    table = client.get_table(dataset.name("top_journal"))
    table.labels = {"managed-by": "terraform", "team": "literature"}
    table.description = "of an earlier version"
    client.update_table(table, ["labels", "description"])
    publish_table(dataset, "top_journal", path)
    table = client.get_table(dataset.name("top_journal"))
    assert table.labels == {
        "application": "drug-assets",
        "managed-by": "terraform",
        "team": "literature",
    }
    assert table.description == declare_published_tables()["top_journal"]["description"]


def test_a_dataset_is_made_where_the_settings_say(
    bigquery_emulator: BigQueryEmulator,
    client: bigquery.Client,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    clouds.reach(monkeypatch, bigquery=bigquery_emulator.url)
    name, path = clouds.new_dataset(), parquet(tmp_path, top_journal(1))
    publish_table(Dataset.at(bigquery_emulator.project, name, "EU"), "top_journal", path)
    assert client.get_dataset(name).location == "EU"
    elsewhere = Dataset.at(bigquery_emulator.project, name, "europe-west1")
    with pytest.raises(
        StorageError, match=r"lies in EU, but DRUG_ASSETS_BIGQUERY_LOCATION is europe-west1"
    ):
        publish_table(elsewhere, "top_journal", path)


def test_a_load_that_fails_leaves_the_last_good_table(
    dataset: Dataset,
    bigquery_emulator: BigQueryEmulator,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    publish_table(dataset, "top_journal", parquet(tmp_path, top_journal(3)))
    with faulty_proxy(bigquery_emulator.url) as proxy:
        clouds.reach(monkeypatch, bigquery=proxy.url)
        through = Dataset.at(bigquery_emulator.project, dataset.name("x").split(".")[1])
        proxy.fault = lambda n: "400" if "/upload/" in proxy.requests[n - 1] else None
        with pytest.raises(StorageError, match=r"top_journal.*injected"):
            publish_table(through, "top_journal", parquet(tmp_path, top_journal(5)))
        with pytest.raises(StorageError, match=r"drugs.*injected"):
            publish_table(through, "drugs", parquet(tmp_path, contracts.Drugs.create_empty()))
    assert read_table(dataset, "top_journal").equals(top_journal(3))
    with pytest.raises(api.NotFound):
        read_table(dataset, "drugs")


def test_the_file_to_load_says_what_is_never_null(
    dataset: Dataset, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """The service, not the emulator, refuses an optional column for a REQUIRED one."""
    nullable = {}

    def look(self: jobs.Jobs, path: Path, table: str, config: object) -> None:
        nullable.update({field.name: field.nullable for field in pq.read_schema(path)})

    monkeypatch.setattr(jobs.Jobs, "load", look)
    publish_table(dataset, "mentions", parquet(tmp_path, contracts.Mentions.create_empty()))
    columns = contracts.Mentions.columns()
    assert nullable == {name: column.nullable for name, column in columns.items()}


def test_a_file_of_another_contract_is_refused(dataset: Dataset, tmp_path: Path) -> None:
    path = parquet(tmp_path, top_journal(1).drop("drugs"))
    with pytest.raises(StorageError, match=r"another version of its contract"):
        publish_table(dataset, "top_journal", path)


def test_a_missing_permission_names_the_roles(
    dataset: Dataset,
    bigquery_emulator: BigQueryEmulator,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    path = parquet(tmp_path, top_journal(1))
    publish_table(dataset, "top_journal", path)
    with faulty_proxy(bigquery_emulator.url) as proxy:
        clouds.reach(monkeypatch, bigquery=proxy.url)
        refused = Dataset.at(bigquery_emulator.project, dataset.name("x").split(".")[1])
        proxy.fault = lambda _: "403"
        with pytest.raises(StorageError, match=r"roles/bigquery\.dataEditor.*bigquery\.jobUser"):
            refused.publish("r2", "another", {"top_journal": published(path)})
        with pytest.raises(StorageError, match=r"releases may not be read.*bigquery\.dataViewer"):
            refused.current_release()


def test_a_missing_login_says_how_to_log_in(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.delenv("BIGQUERY_EMULATOR_HOST", raising=False)
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(tmp_path / "nobody.json"))
    with pytest.raises(StorageError, match=r"gcloud auth application-default login"):
        Dataset.at("some-project", "some_dataset")
