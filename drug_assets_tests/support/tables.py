"""Tables of a release that a test makes itself: what `answers.Tables` asks for, in memory."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import polars as pl

from drug_assets.contracts import polars_schema
from drug_assets.sources.tables import TABLES

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping


class TablesInMemory:
    """Tables as a release has them; those that were not given are empty."""

    def __init__(self, **tables: pl.DataFrame) -> None:
        self._tables = tables

    def table(self, name: str) -> pl.LazyFrame:
        """The rows of a table."""
        if name in self._tables:
            return self._tables[name].lazy()
        return pl.LazyFrame(schema=polars_schema(TABLES[name].contract))

    @contextmanager
    def rows_of_file(self, name: str, source_file: str) -> Iterator[pl.LazyFrame]:
        """The rows of a table that follow from one landed file."""
        yield self.table(name).filter(pl.col("source_file") == source_file)


def rows_of(name: str, rows: Iterable[Mapping[str, Any]]) -> pl.DataFrame:
    """A table of these rows; columns that a row does not give are null, or empty lists."""
    schema = polars_schema(TABLES[name].contract)
    lists = {column for column, dtype in schema.items() if isinstance(dtype, pl.List)}
    return pl.DataFrame(
        [
            {column: row.get(column, [] if column in lists else None) for column in schema}
            for row in rows
        ],
        schema=schema,
    )
