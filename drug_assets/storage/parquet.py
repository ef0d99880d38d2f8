"""Writing Parquet files."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path

    import polars as pl


def write_parquet(rows: pl.LazyFrame, path: Path, **options: Any) -> None:
    """Compute rows and write them to a file, in their order.

    Polars makes the file of a path on another thread, also after it has raised the error of rows
    that cannot be computed; so the file is made here, and who removes it removes it for good.

    Args:
        rows: the rows.
        path: the file.
        options: as of `polars.LazyFrame.sink_parquet`.
    """
    with path.open("wb") as file:
        rows.sink_parquet(file, maintain_order=True, **options)
