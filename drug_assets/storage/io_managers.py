"""Dagster IO managers of our own: Parquet tables and text documents in the store.

They write through `outputs` (whole, checked against the contract, released together) and report
what an asset's page should show. Why not dagster-polars: docs/decisions.md.
"""

from __future__ import annotations

import json
from importlib import resources
from typing import TYPE_CHECKING, Any

import dagster as dg
import polars as pl

from drug_assets import contracts
from drug_assets.storage.objects import ObjectStore
from drug_assets.storage.outputs import Outputs, last_release
from drug_assets.storage.places import open_store

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from drug_assets.storage.outputs import WrittenTable

#: The asset that ends a run: what the run made is staged until it is materialized.
RELEASE = dg.AssetKey("release")
DOCUMENTS = {"drug_graph": "graph.json"}
#: The JSON Schema of each document, a file of the package.
SCHEMAS = {"graph.json": "graph.schema.json"}
_PREVIEW_ELEMENTS = 3
_PREVIEW_CHARACTERS = 500


class Place(dg.ConfigurableResource[ObjectStore]):
    """A landing zone or a store: a folder, or `gs://bucket/prefix`."""

    location: str
    must_exist: bool = False

    def open(self) -> ObjectStore:
        """The objects that lie there."""
        return open_store(self.location, must_exist=self.must_exist)


def outputs_of(
    store: ObjectStore, context: dg.OutputContext | dg.InputContext | dg.AssetExecutionContext
) -> Outputs:
    """The outputs as the current run sees them: staged if the run will release them.

    Runs that are started again from a failure go on with what the first one staged. Outside of a
    run (`Definitions.load_asset_value`) there is only what was released.
    """
    try:
        if isinstance(context, dg.AssetExecutionContext):
            step = context.op_execution_context.get_step_execution_context()
        else:
            step = context.step_context
    except dg.DagsterInvariantViolationError:
        return Outputs(store)
    ends_in_release = RELEASE in step.job_def.asset_layer.selected_asset_keys
    run = step.dagster_run
    return Outputs(store, (run.root_run_id or run.run_id) if ends_in_release else None)


def column_schema(table: str) -> dg.TableSchema:
    """The contract of a table as Dagster shows it."""
    contract = contracts.TABLES[table]
    keys = set(contract.primary_key())
    return dg.TableSchema(
        columns=[
            dg.TableColumn(
                name,
                str(column.dtype),
                description=column.description,
                constraints=dg.TableColumnConstraints(
                    nullable=column.nullable,
                    unique=keys == {name},
                    other=["primary key"] if name in keys else [],
                ),
            )
            for name, column in contract.columns().items()
        ],
        constraints=dg.TableConstraints(
            other=[f"primary key: {', '.join(contract.primary_key())}"]
        ),
    )


class ParquetTables(dg.ConfigurableIOManager):
    """Tables as Parquet files; lazy frames are sunk without being collected, and loaded lazily."""

    store: Place
    #: `project.dataset` where the tables end up, if that is a warehouse.
    dataset: str | None = None

    def handle_output(self, context: dg.OutputContext, obj: pl.LazyFrame | pl.DataFrame) -> None:
        """Write a table; refuse one that breaks its contract."""
        table = context.asset_key.path[-1]
        outputs = outputs_of(self.store.open(), context)
        before = last_release(outputs.store).get("rows", {}).get(table)
        written = outputs.write_table(table, obj.lazy())
        context.add_output_metadata(_metadata(table, written, before))
        if self.dataset:
            context.add_output_metadata({"dagster/table_name": f"{self.dataset}.{table}"})

    def load_input(self, context: dg.InputContext) -> pl.LazyFrame:
        """The table that this run, or else the last release, made."""
        table = context.asset_key.path[-1]
        return outputs_of(self.store.open(), context).table(table)


class Documents(dg.ConfigurableIOManager):
    """JSON arrays as text files, an element a line: lines go in, a local path comes out."""

    store: Place

    def handle_output(self, context: dg.OutputContext, obj: Iterable[str]) -> None:
        """Write a document line by line."""
        name = DOCUMENTS[context.asset_key.path[-1]]
        outputs = outputs_of(self.store.open(), context)
        head: list[str] = []
        elements = 0

        def watched() -> Iterator[str]:
            nonlocal elements
            for line in obj:
                if line not in ("[", "]"):
                    elements += 1
                    if elements <= _PREVIEW_ELEMENTS:
                        head.append(line[:_PREVIEW_CHARACTERS])
                yield line

        size = outputs.write_document(name, watched())
        schema = resources.files("drug_assets").joinpath(SCHEMAS[name]).read_text(encoding="utf-8")
        context.add_output_metadata(
            {
                "dagster/row_count": elements,
                "path": dg.MetadataValue.path(outputs.store.uri(name)),
                "size_bytes": dg.MetadataValue.int(size),
                "schema": dg.MetadataValue.json(json.loads(schema)),
                "preview": dg.MetadataValue.md("\n".join(["```json", *head, "```"])),
            }
        )

    def load_input(self, context: dg.InputContext) -> Path:
        """A local file with the document."""
        name = DOCUMENTS[context.asset_key.path[-1]]
        return outputs_of(self.store.open(), context).path(name)


def _metadata(table: str, written: WrittenTable, rows_before: int | None) -> dict[str, Any]:
    return {
        "dagster/row_count": written.rows,
        "dagster/column_schema": column_schema(table),
        "path": dg.MetadataValue.path(written.uri),
        "size_bytes": written.size_bytes,
        "preview": dg.MetadataValue.md(_markdown(written.head)),
        **({} if rows_before is None else {"rows_before": rows_before}),
    }


def _markdown(rows: pl.DataFrame) -> str:
    """A Markdown table of a few rows, long texts cut."""
    text = pl.col(pl.String).str.replace_all(r"\s+", " ").str.replace_all("|", r"\|", literal=True)
    with pl.Config(
        tbl_formatting="MARKDOWN",
        tbl_hide_dataframe_shape=True,
        tbl_hide_column_data_types=True,
        tbl_cols=-1,
        fmt_str_lengths=60,
        tbl_width_chars=10_000,
    ):
        return str(rows.with_columns(text))
