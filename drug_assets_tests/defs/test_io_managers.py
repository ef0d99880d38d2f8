"""The IO managers: what they write and load, and what an asset's page shows of it."""

from pathlib import Path
from typing import Any

import dagster as dg
import polars as pl
import pytest

from drug_assets import contracts
from drug_assets.defs.io_managers import (
    Documents,
    TablesByFile,
    WholeTables,
    make_column_schema,
)
from drug_assets.defs.mesh_trees import ChosenTrees
from drug_assets.defs.places import Place, WarehousePlace, Workers
from drug_assets.defs.progress import ProgressLog
from drug_assets.defs.stop_list import StopListFile
from drug_assets.defs.workplace import Workplace
from drug_assets.documents import DOCUMENTS
from drug_assets.settings import Settings
from drug_assets.sources.tables import TABLES
from drug_assets.storage.contract_gate import ContractBrokenError
from drug_assets.storage.kept.by_file import Part, Parts, Recipe, write_part
from drug_assets.storage.objects import LocalFolder
from drug_assets.storage.outputs import Outputs
from drug_assets.storage.releases import Release
from drug_assets_tests.support.raw import raw_rows
from drug_assets_tests.support.registry import DRUGS

MENTIONS = {"mentions": 9, "retracted_mentions": 0, "unknown_mentions": 0}
ROWS = pl.LazyFrame(
    [
        {
            "journal_id": "a",
            "journal": "A | B\nC",
            "drug_count": 2,
            "drugs": ["x", "y"],
            **MENTIONS,
        },
        {"journal_id": "b", "journal": "Ünïcode", "drug_count": 2, "drugs": ["x", "z"], **MENTIONS},
    ],
    schema=contracts.polars_schema(contracts.TopJournal),
)
LINES = ["[", '{"drug": "x"},', '{"drug": "y"}', "]"]


@pytest.fixture
def store(tmp_path: Path) -> Path:
    return tmp_path / "store"


class Here(Workplace):
    """A workplace that writes and reads at the top of its store."""

    def open(self, context: object) -> Outputs:  # noqa: ARG002
        store = self.store.open()
        return Outputs(store, "", base=Release(store, ""))


@pytest.fixture
def workplace(store: Path) -> Here:
    place = Place(location=str(store))
    return Here(
        store=place,
        landing_zone=place,
        stop_list=StopListFile(),
        mesh_trees=ChosenTrees(),
        warehouse=WarehousePlace(),
        keep_releases=10,
        choices=Settings().choices,
    )


@pytest.fixture
def tables(workplace: Here) -> WholeTables:
    return WholeTables(workplace=workplace)


@pytest.fixture
def documents(workplace: Here) -> Documents:
    return Documents(workplace=workplace)


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
    assert metadata["path"] == str(store / "latest" / file.name)
    assert metadata["size_bytes"] == file.stat().st_size
    told, _, header, _, first, second = metadata["preview"].strip().splitlines()
    assert told == "2 rows:"
    columns = [cell.strip() for cell in header.strip("|").split("|")]
    assert columns == [name for name in contracts.TopJournal.column_names() if name != "journal_id"]
    assert metadata["drugs"] == 2
    assert r"`A \| B C`" in first
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
    assert metadata["path"] == str(store / "latest" / "graph.json")
    assert metadata["size_bytes"] == (store / "graph.json").stat().st_size
    assert metadata["schema"]["type"] == "array"
    assert metadata["preview"].strip().splitlines() == ["```json", *LINES[1:3], "```"]


def test_preview_of_a_table_shows_five_rows_evenly_spread(tables: WholeTables) -> None:
    context = output("top_journal")
    rows = [
        {"journal_id": str(n), "journal": f"J{n}", "drug_count": 1, "drugs": ["x"], **MENTIONS}
        for n in range(9)
    ]
    tables.handle_output(context, pl.DataFrame(rows, schema=ROWS.collect_schema()))
    told, _, _, _, *shown_rows = shown(context)["preview"].strip().splitlines()
    assert told == "5 of 9 rows, evenly spread:"
    names = [row.split("|")[1].strip(" `") for row in shown_rows]
    assert names == ["J0", "J2", "J4", "J6", "J8"]
    assert shown(context)["dagster/row_count"] == 9


@pytest.mark.parametrize(
    ("dataset", "table", "name"),
    [
        ("data", "top_journal", "project.data.top_journal"),
        ("data", "landed_files", None),
        (None, "top_journal", None),
    ],
)
def test_a_table_of_a_warehouse_is_shown_by_its_name_there(
    workplace: Here, dataset: str | None, table: str, name: str | None
) -> None:
    there = dataset and WarehousePlace(project="project", dataset=dataset)
    manager = WholeTables(
        workplace=workplace.model_copy(update={"warehouse": there or WarehousePlace()})
    )
    context = output(table)
    rows = pl.DataFrame(schema=contracts.polars_schema(TABLES[table].contract))
    manager.handle_output(context, rows)
    assert shown(context).get("dagster/table_name") == name


def _half(raw: pl.LazyFrame) -> pl.LazyFrame:
    """Records of the raw rows with an odd number."""
    return DRUGS.clean_records(raw.filter(pl.col("source_row") % 2 == 1))


def test_a_table_kept_by_file_is_made_from_a_recipe_or_from_its_parts(
    store: Path, workplace: Here
) -> None:
    progress = ProgressLog(watcher=None)
    manager = TablesByFile(workplace=workplace, engine=Workers(), progress=progress)
    folder, parts = LocalFolder(store), []
    for file, drugs in {"drugs_2.csv": 2, "drugs_10.csv": 3}.items():
        rows = raw_rows(DRUGS, *({"source_file": file, "drug": f"d{n}"} for n in range(drugs)))
        write_part(folder, f".kept/raw_drugs/{file}.parquet", "raw_drugs", rows, file)
        parts.append(Part(file, f".kept/raw_drugs/{file}.parquet"))
    context = output("raw_drugs")
    manager.handle_output(context, Parts("raw_drugs", tuple(parts)))
    assert (shown(context)["files"], shown(context)["dagster/row_count"]) == (2, 5)
    sizes = [path.stat().st_size for path in (store / ".kept" / "raw_drugs").iterdir()]
    assert shown(context)["size_bytes"] == sum(sizes)
    assert shown(context)["path"] == str(store / "latest" / "raw_drugs.parts.json")

    context = output("drugs_records")
    manager.handle_output(context, Recipe(of="raw_drugs", make=_half))
    assert (shown(context)["files"], shown(context)["dagster/row_count"]) == (2, 3)
    assert shown(context)["dagster/column_schema"] == make_column_schema("drugs_records")
    rows = loaded(manager, "drugs_records")
    assert isinstance(rows, pl.LazyFrame)
    assert rows.collect()["source_file"].to_list() == ["drugs_2.csv", *["drugs_10.csv"] * 2]


def test_preview_of_a_document_shows_three_elements_cut_where_they_are_long(
    documents: Documents,
) -> None:
    context = output("drug_graph")
    lines = ["[", *(f'{{"drug": "{n}{"x" * 600 * n}"}},' for n in range(5)), "]"]
    documents.handle_output(context, iter(lines))
    assert shown(context)["dagster/row_count"] == 5
    expected = [line[:500] for line in lines[1:4]]
    assert shown(context)["preview"].strip().splitlines() == ["```json", *expected, "```"]
    assert shown(context)["schema"] == DOCUMENTS["drug_graph"].schema()  # type: ignore[misc]


@pytest.mark.parametrize("table", TABLES)
def test_key_of_a_table_is_shown_and_is_unique_where_it_is_one_column(table: str) -> None:
    schema, key = make_column_schema(table), TABLES[table].contract.primary_key()
    assert schema.constraints is not None
    assert schema.constraints.other == [f"primary key: {', '.join(key)}"]
    unique = [column.name for column in schema.columns if column.constraints.unique]
    assert unique == (key if len(key) == 1 else [])
    for column in schema.columns:
        assert column.description == TABLES[table].contract.columns()[column.name].description


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
