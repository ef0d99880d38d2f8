"""The IO managers of this project: whole tables, tables kept file by file, and documents.

They write to the store through `storage.outputs` (whole, checked against the contract, released
together) and add the metadata that an asset's page in Dagster shows. Why not dagster-polars:
docs/decisions.md.
"""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import dagster as dg
import polars as pl

from drug_assets.defs.places import Place, Workers
from drug_assets.documents import DOCUMENTS
from drug_assets.sources.tables import TABLES
from drug_assets.storage.kept.by_file import Parts, Recipe, make_parts
from drug_assets.storage.objects import ObjectStore
from drug_assets.storage.outputs import Outputs, WrittenTable
from drug_assets.storage.releases import read_last_release

#: The last asset of a run: outputs stay staged until it is materialized.
RELEASE = dg.AssetKey("release")
_PREVIEW_ELEMENTS = 3
_PREVIEW_CHARACTERS = 500


Context = (
    dg.OutputContext | dg.InputContext | dg.AssetExecutionContext | dg.AssetCheckExecutionContext
)


def open_outputs(store: ObjectStore, context: Context) -> Outputs:
    """The outputs as the current run sees them: staged if the run will release them.

    A run that Dagster starts again after a failure continues with the outputs that the first one
    staged. Outside of a run (`Definitions.load_asset_value`) only released outputs are visible.
    """
    try:
        if isinstance(context, dg.AssetExecutionContext | dg.AssetCheckExecutionContext):
            step = context.op_execution_context.get_step_execution_context()
        else:
            step = context.step_context
    except dg.DagsterInvariantViolationError:
        return Outputs(store)
    ends_in_release = RELEASE in step.job_def.asset_layer.selected_asset_keys
    run = step.dagster_run
    return Outputs(store, (run.root_run_id or run.run_id) if ends_in_release else None)


def make_column_schema(table: str) -> dg.TableSchema:
    """The contract of a table as a Dagster column schema."""
    contract = TABLES[table].contract
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


class WholeTables(dg.ConfigurableIOManager):
    """Tables as Parquet files; lazy frames are sunk without being collected, and loaded lazily."""

    store: Place
    #: The `project.dataset` that published tables are loaded into; None without a warehouse.
    dataset: str | None = None

    def handle_output(self, context: dg.OutputContext, obj: pl.LazyFrame | pl.DataFrame) -> None:
        """Write a table, or raise if it breaks its contract."""
        table = context.asset_key.path[-1]
        outputs = open_outputs(self.store.open(), context)
        _report(context, outputs, table, outputs.write_table(table, obj.lazy()))
        if self.dataset and TABLES[table].published:
            context.add_output_metadata({"dagster/table_name": f"{self.dataset}.{table}"})

    def load_input(self, context: dg.InputContext) -> pl.LazyFrame:
        """The table that this run, or else the last release, made."""
        return open_outputs(self.store.open(), context).table(context.asset_key.path[-1])


class TablesByFile(dg.ConfigurableIOManager):
    """Tables kept file by file: takes a recipe and runs it for the files that are new.

    The parts are loaded as one table, like any other. An asset that makes its parts itself returns
    their list instead of a recipe.
    """

    store: Place
    engine: Workers

    def handle_output(self, context: dg.OutputContext, obj: Recipe | Parts) -> None:
        """Make the parts that do not exist yet, and write the list of all parts."""
        table = context.asset_key.path[-1]
        outputs = open_outputs(self.store.open(), context)
        if isinstance(obj, Recipe):
            input_parts = outputs.parts(obj.of)
            obj = make_parts(table, obj, input_parts, outputs.store, self.engine.open())
        _report(context, outputs, table, outputs.write_parts(obj))
        context.add_output_metadata({"files": len(obj.parts)})

    def load_input(self, context: dg.InputContext) -> pl.LazyFrame:
        """The table that this run, or else the last release, made."""
        return open_outputs(self.store.open(), context).table(context.asset_key.path[-1])


class Documents(dg.ConfigurableIOManager):
    """Text documents: written from lines, loaded as a local path."""

    store: Place

    def handle_output(self, context: dg.OutputContext, obj: Iterable[str]) -> None:
        """Write a document line by line."""
        document = DOCUMENTS[context.asset_key.path[-1]]
        outputs = open_outputs(self.store.open(), context)
        head: list[str] = []
        elements = 0

        def counted_lines() -> Iterator[str]:
            nonlocal elements
            for line in obj:
                if document.is_element(line):
                    elements += 1
                    if elements <= _PREVIEW_ELEMENTS:
                        head.append(line[:_PREVIEW_CHARACTERS])
                yield line

        size = outputs.write_document(document.file, counted_lines())
        preview = "\n".join([f"```{document.kind}", *head, "```"])
        metadata: dict[str, Any] = {
            "dagster/row_count": elements,
            "path": dg.MetadataValue.path(outputs.store.uri(document.file)),
            "size_bytes": dg.MetadataValue.int(size),
            "preview": dg.MetadataValue.md(preview),
        }
        if document.schema:
            metadata["schema"] = dg.MetadataValue.json(dict(document.schema()))
        context.add_output_metadata(metadata)

    def load_input(self, context: dg.InputContext) -> Path:
        """The path of a local file with the document."""
        document = DOCUMENTS[context.asset_key.path[-1]]
        return open_outputs(self.store.open(), context).path(document.file)


def _report(context: dg.OutputContext, outputs: Outputs, table: str, written: WrittenTable) -> None:
    before = read_last_release(outputs.store).get("rows", {}).get(table)
    context.add_output_metadata(
        {
            "dagster/row_count": written.rows,
            "dagster/column_schema": make_column_schema(table),
            "path": dg.MetadataValue.path(written.uri),
            "size_bytes": written.size_bytes,
            "preview": dg.MetadataValue.md(_to_markdown(written.head)),
            **({} if before is None else {"rows_before": before}),
        }
    )


def _to_markdown(rows: pl.DataFrame) -> str:
    """A few rows as a Markdown table, with long texts cut."""
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
