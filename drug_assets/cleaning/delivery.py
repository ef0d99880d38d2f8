"""The order in which records were delivered: files in natural order of their names, then rows.

"Later delivery wins" (SPEC section 2) needs one order, whatever the order files were listed in.
"""

from __future__ import annotations

import polars as pl

from drug_assets.sources import natural_key


def with_position(raw: pl.LazyFrame) -> pl.LazyFrame:
    """Raw rows with `position` (Int64): their place in the order of delivery.

    Positions grow with file and row; they are not consecutive.
    """
    files = raw.select(pl.col("source_file").unique()).collect()["source_file"].to_list()
    ranks = {name: rank for rank, name in enumerate(sorted(files, key=natural_key))}
    rank = pl.col("source_file").replace_strict(ranks, return_dtype=pl.Int64)
    return raw.with_columns(position=rank * 2**40 + pl.col("source_row"))
