"""The IO managers: what they write and load, and what an asset's page shows of it."""

import json
import os
from pathlib import Path
from typing import Any

import dagster as dg
import polars as pl
import pytest

from drug_assets import contracts
from drug_assets.defs.io_managers import Documents, WholeTables, make_column_schema, open_outputs
from drug_assets.defs.places import Place
from drug_assets.sources.tables import TABLES
from drug_assets.storage.contract_gate import ContractBrokenError

ROWS = pl.LazyFrame(
    [
        {"journal_id": "a", "journal": "A | B\nC", "drug_count": 2, "drugs": ["x", "y"]},
        {"journal_id": "b", "journal": "Ünïcode", "drug_count": 2, "drugs": ["x", "z"]},
    ],
    schema=contracts.polars_schema(contracts.TopJournal),
)
LINES = ["[", '{"drug": "x"},', '{"drug": "y"}', "]"]


@pytest.fixture
def store(tmp_path: Path) -> Path:
    return tmp_path / "store"


@pytest.fixture
def tables(store: Path) -> WholeTables:
    return WholeTables(store=Place(location=str(store)))


@pytest.fixture
def documents(store: Path) -> Documents:
    return Documents(store=Place(location=str(store)))


def output(asset: str) -> dg.OutputContext:
    return dg.build_output_context(asset_key=dg.AssetKey(asset))


def loaded(manager: dg.ConfigurableIOManager, asset: str) -> Any:
    return manager.load_input(dg.build_input_context(asset_key=dg.AssetKey(asset)))


def shown(context: dg.OutputContext) -> dict[str, Any]:
    """What an asset's page shows."""
    return {name: value.value for name, value in context.get_logged_metadata().items()}


def test_lazy_table_goes_in_and_comes_out_lazily(tables: WholeTables, store: Path) -> None:
    tables.handle_output(output("top_journal"), ROWS)
    rows = loaded(tables, "top_journal")
    assert isinstance(rows, pl.LazyFrame)
    assert rows.collect().equals(ROWS.collect())
    assert [path.name for path in store.iterdir()] == ["top_journal.parquet"]


def test_table_in_memory_is_written_too(tables: WholeTables) -> None:
    tables.handle_output(output("top_journal"), ROWS.collect())
    assert loaded(tables, "top_journal").collect().equals(ROWS.collect())


def test_page_of_a_table_shows_path_rows_schema_size_and_preview(
    tables: WholeTables, store: Path
) -> None:
    context = output("top_journal")
    tables.handle_output(context, ROWS)
    metadata = shown(context)
    file = store / "top_journal.parquet"
    assert metadata["dagster/row_count"] == 2
    assert metadata["dagster/column_schema"] == make_column_schema("top_journal")
    assert metadata["path"] == str(file)
    assert metadata["size_bytes"] == file.stat().st_size
    header, _, first, second = metadata["preview"].splitlines()
    columns = [cell.strip() for cell in header.strip("|").split("|")]
    assert columns == contracts.TopJournal.column_names()
    assert r"A \| B C" in first
    assert "Ünïcode" in second


def test_table_that_breaks_its_contract_is_refused_and_the_old_one_stays(
    tables: WholeTables,
) -> None:
    tables.handle_output(output("top_journal"), ROWS)
    with pytest.raises(ContractBrokenError, match="drugs_are_as_many_as_counted"):
        tables.handle_output(
            output("top_journal"), ROWS.with_columns(drug_count=pl.lit(7, pl.Int64))
        )
    assert loaded(tables, "top_journal").collect().equals(ROWS.collect())


def test_table_that_was_never_made_is_no_file(tables: WholeTables) -> None:
    with pytest.raises(FileNotFoundError):
        loaded(tables, "top_journal")


def test_document_goes_in_by_lines_and_comes_out_as_a_path(documents: Documents) -> None:
    documents.handle_output(output("drug_graph"), iter(LINES))
    path = loaded(documents, "drug_graph")
    assert path.name == "graph.json"
    assert path.read_text() == "".join(f"{line}\n" for line in LINES)


def test_page_of_a_document_shows_path_elements_schema_size_and_preview(
    documents: Documents, store: Path
) -> None:
    context = output("drug_graph")
    documents.handle_output(context, iter(LINES))
    metadata = shown(context)
    assert metadata["dagster/row_count"] == 2
    assert metadata["path"] == str(store / "graph.json")
    assert metadata["size_bytes"] == (store / "graph.json").stat().st_size
    assert metadata["schema"]["type"] == "array"
    assert metadata["preview"].splitlines() == ["```json", *LINES[1:3], "```"]


@pytest.mark.parametrize("table", TABLES)
def test_column_schema_says_what_the_contract_says(table: str) -> None:
    contract = TABLES[table].contract
    schema = make_column_schema(table)
    assert [column.name for column in schema.columns] == contract.column_names()
    keys = {c.name for c in schema.columns if "primary key" in c.constraints.other}
    assert keys == set(contract.primary_key())
    for column in schema.columns:
        assert column.description
        assert column.type == str(contract.columns()[column.name].dtype)
        assert column.constraints.nullable == contract.columns()[column.name].nullable


# Through Dagster


@dg.asset(io_manager_key="tables")
def top_journal() -> pl.LazyFrame:
    return ROWS


@dg.asset(io_manager_key="documents", dagster_type=dg.Any)
def drug_graph(top_journal: pl.LazyFrame) -> dg.Output[Any]:
    journals = top_journal.collect()["journal"]
    return dg.Output(iter(["[", json.dumps(journals[1]), "]"]))


@dg.asset(deps=[drug_graph])
def release(context: dg.AssetExecutionContext, store: Place) -> dg.MaterializeResult[None]:
    if (Path(store.location) / "FAIL").exists():
        raise ValueError("not today")
    names = open_outputs(store.open(), context).release("done")
    return dg.MaterializeResult(metadata={"released": names})


ASSETS = [top_journal, drug_graph, release]


def resources_of(store: str) -> dict[str, Any]:
    place = Place(location=store)
    return {
        "tables": WholeTables(store=place),
        "documents": Documents(store=place),
        "store": place,
    }


def test_materialized_assets_are_written_loaded_and_described(store: Path) -> None:
    result = dg.materialize(
        [top_journal, drug_graph], resources=resources_of(str(store)), raise_on_error=False
    )
    assert result.success
    assert json.loads((store / "graph.json").read_text()) == ["Ünïcode"]
    [made] = result.asset_materializations_for_node("top_journal")
    assert made.metadata["dagster/row_count"].value == 2
    assert made.metadata["path"].value == str(store / "top_journal.parquet")


def test_released_table_is_shown_where_it_lies(store: Path) -> None:
    result = dg.materialize(ASSETS, resources=resources_of(str(store)))
    [made] = result.asset_materializations_for_node("top_journal")
    assert Path(str(made.metadata["path"].value)).is_file()
    assert sorted(path.name for path in store.iterdir()) == [
        "graph.json",
        "release.json",
        "top_journal.parquet",
    ]


def job_with_release() -> dg.JobDefinition:
    """The assets above as a job that Dagster can load anew, as it does to start a run again."""
    definitions = dg.Definitions(
        assets=ASSETS,
        jobs=[dg.define_asset_job("everything")],
        resources=resources_of(os.environ["STORE"]),
        executor=dg.in_process_executor,
    )
    return definitions.resolve_job_def("everything")


@pytest.mark.slow
def test_run_taken_up_from_its_failure_goes_on_with_what_was_staged(
    store: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STORE", str(store))
    store.mkdir()
    (store / "FAIL").touch()
    job = dg.reconstructable(job_with_release)
    with dg.DagsterInstance.local_temp(str(tmp_path)) as instance:
        failed = dg.execute_job(job, instance)
        assert not failed.success
        staged = store / ".staging" / failed.run_id
        assert sorted(p.name for p in staged.iterdir()) == ["graph.json", "top_journal.parquet"]
        assert sorted(p.name for p in store.iterdir()) == [".staging", "FAIL"]
        (store / "FAIL").unlink()
        again = dg.execute_job(
            job,
            instance,
            reexecution_options=dg.ReexecutionOptions.from_failure(failed.run_id, instance),
        )
        assert again.success
        steps = {event.step_key for event in again.all_events if event.is_step_success}
    assert steps == {"release"}
    assert sorted(path.name for path in store.iterdir()) == [
        "graph.json",
        "release.json",
        "top_journal.parquet",
    ]
