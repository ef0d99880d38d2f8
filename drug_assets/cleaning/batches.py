"""Lazy frames of rows that are made batch by batch, so that they may exceed memory."""

from __future__ import annotations

from typing import TYPE_CHECKING

from polars.io.plugins import register_io_source

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import polars as pl


def scan_batches(batches: Callable[[], Iterator[pl.DataFrame]], schema: pl.Schema) -> pl.LazyFrame:
    """The rows of batches, in their order; each is made when it is wanted.

    Args:
        batches: makes the batches, each time that the rows are read.
        schema: the columns of each batch.
    """

    def read_batches(
        with_columns: list[str] | None,
        predicate: pl.Expr | None,
        n_rows: int | None,
        _batch_size: int | None,
    ) -> Iterator[pl.DataFrame]:
        # Polars leaves all of this to the source, and does not look at it again.
        for batch in batches():
            wanted = batch if n_rows is None else batch.head(n_rows)
            if n_rows is not None:
                n_rows -= wanted.height
            if predicate is not None:
                wanted = wanted.filter(predicate)
            yield wanted.select(with_columns or schema.names())
            if n_rows == 0:
                return

    return register_io_source(read_batches, schema=schema)
