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

from drug_assets.defs.failures import explain_failures
from drug_assets.defs.places import Workers
from drug_assets.defs.previews import fence_lines, make_table
from drug_assets.defs.progress import ProgressLog
from drug_assets.defs.workplace import Workplace, full_path
from drug_assets.documents import DOCUMENTS
from drug_assets.sources.tables import TABLES
from drug_assets.storage.kept.by_file import Parts, Recipe, make_parts
from drug_assets.storage.outputs import WrittenTable
from drug_assets.storage.pieces import Pieces

_PREVIEW_ELEMENTS = 3
_PREVIEW_CHARACTERS = 500


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
    """Tables as Parquet files; lazy frames are sunk without being collected, and loaded lazily.

    Of a table in pieces, those of the release before are taken over.
    """

    workplace: Workplace

    def handle_output(
        self, context: dg.OutputContext, obj: pl.LazyFrame | pl.DataFrame | Pieces
    ) -> None:
        """Write a table, or raise if it breaks its contract."""
        table = context.asset_key.path[-1]
        with explain_failures(context, self.workplace):
            outputs = self.workplace.open(context)
            if isinstance(obj, Pieces):
                written = outputs.write_pieces(table, obj)
            else:
                written = outputs.write_table(table, obj.lazy())
            _report(context, table, written)
            self.workplace.note_output(context, outputs)
        name = self.workplace.warehouse.name(table)
        if name and TABLES[table].published:
            context.add_output_metadata({"dagster/table_name": name})

    def load_input(self, context: dg.InputContext) -> pl.LazyFrame:
        """The table as this run sees it; see `Workplace.open`."""
        with explain_failures(context, self.workplace):
            return self.workplace.open(context).table(context.asset_key.path[-1])


class TablesByFile(dg.ConfigurableIOManager):
    """Tables kept file by file: takes a recipe and runs it for the files that are new.

    The parts are loaded as one table, like any other. An asset that makes its parts itself returns
    their list instead of a recipe.
    """

    workplace: Workplace
    engine: Workers
    progress: ProgressLog

    def handle_output(self, context: dg.OutputContext, obj: Recipe | Parts) -> None:
        """Make the parts that do not exist yet, and write the list of all parts."""
        table = context.asset_key.path[-1]
        with explain_failures(context, self.workplace):
            outputs = self.workplace.open(context)
            if isinstance(obj, Recipe):
                input_parts = outputs.parts(obj.of)
                with self.progress.follow(context, table) as report:
                    obj = make_parts(
                        table,
                        obj,
                        input_parts,
                        outputs.store,
                        self.engine.open(context.log.info),
                        context.log.warning,
                        report,
                    )
            _report(context, table, outputs.write_parts(obj))
            self.workplace.note_output(context, outputs)
        context.add_output_metadata({"files": len(obj.parts)})

    def load_input(self, context: dg.InputContext) -> pl.LazyFrame:
        """The table as this run sees it; see `Workplace.open`."""
        with explain_failures(context, self.workplace):
            return self.workplace.open(context).table(context.asset_key.path[-1])


class Documents(dg.ConfigurableIOManager):
    """Text documents: written from lines, loaded as a local path."""

    workplace: Workplace

    def handle_output(self, context: dg.OutputContext, obj: Iterable[str | bytes]) -> None:
        """Write a document line by line."""
        document = DOCUMENTS[context.asset_key.path[-1]]
        is_element = document.is_element
        head: list[str] = []
        elements = 0

        def counted_lines() -> Iterator[str | bytes]:
            nonlocal elements
            for line in obj:
                if is_element and is_element(line):
                    elements += 1
                    if elements <= _PREVIEW_ELEMENTS:
                        text = line if isinstance(line, str) else line.decode()
                        head.append(text[:_PREVIEW_CHARACTERS])
                yield line

        with explain_failures(context, self.workplace):
            outputs = self.workplace.open(context)
            if document.folder is not None:
                outputs.discard_folder(document.folder)
            size = outputs.write_document(document.file, counted_lines())
            self.workplace.note_output(context, outputs)
        metadata: dict[str, Any] = {
            **_path(outputs.lasting_uri(document.file)),
            **self.workplace.link(document.file),
            "size_bytes": dg.MetadataValue.int(size),
        }
        if is_element:
            metadata["dagster/row_count"] = elements
            metadata["preview"] = dg.MetadataValue.md(fence_lines(document.kind, head))
        if document.folder is not None:
            beside = outputs.list_folder(document.folder)
            metadata["files_beside"] = len(beside)
            metadata["size_bytes_beside"] = sum(found.size_bytes for found in beside)
        if document.schema:
            metadata["schema"] = dg.MetadataValue.json(dict(document.schema()))
        context.add_output_metadata(metadata)

    def load_input(self, context: dg.InputContext) -> Path:
        """The path of a local file with the document."""
        document = DOCUMENTS[context.asset_key.path[-1]]
        with explain_failures(context, self.workplace):
            return self.workplace.open(context).path(document.file)


def _report(context: dg.OutputContext, table: str, written: WrittenTable) -> None:
    context.add_output_metadata(
        {
            "preview": dg.MetadataValue.md(make_table(written.sample, written.rows)),
            "dagster/row_count": written.rows,
            "dagster/column_schema": make_column_schema(table),
            **_path(written.uri),
            "size_bytes": written.size_bytes,
            **written.figures,
        }
    )


def _path(uri: str | None) -> dict[str, dg.PathMetadataValue]:
    return {} if uri is None else {"path": full_path(uri)}
