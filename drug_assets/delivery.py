"""Delivery: the names of landed files, and the order of their records (SPEC 1 and 2).

"Later delivery wins" needs one order that does not depend on how files are listed: files in natural
order of their names, then rows. `sources.source_of_file` assigns a file to its source; `formats`
reads its content.
"""

from __future__ import annotations

import re
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    import polars as pl

#: A file that says that others were written.
_MARKER = re.compile(r"_(?:success|started_\d+|committed_\d+)$")


def is_documentation(path: str) -> bool:
    """Whether a file is documentation, hidden, or a marker of the program that wrote the others.

    Such files are ignored: `README*`, `*.md`, names with a leading dot (a folder with one hides all
    files below it), and Spark's `_SUCCESS`, `_started_*` and `_committed_*`.
    """
    parts = PurePosixPath(path).parts
    name = parts[-1].casefold()
    hidden = any(part.startswith(".") for part in parts)
    return hidden or name.startswith("readme") or name.endswith(".md") or bool(_MARKER.match(name))


def natural_key(path: str) -> tuple[tuple[int, int, str], ...]:
    """A sort key for the order of delivery: `pubmed_2.csv` before `pubmed_10.csv`.

    PubMed numbers its update files in this way. Runs of digits compare as numbers, all other text
    case-folded. Names that are equal under these rules compare as written.
    """
    parts = re.split(r"([0-9]+)", path)
    # `re.split` puts the digits at odd indexes. `isdigit` would also be true of "²".
    key = [
        (1, int(part), "") if index % 2 else (0, 0, part.casefold())
        for index, part in enumerate(parts)
        if part
    ]
    return (*key, (-1, 0, path))


def find_starts(rows: pl.LazyFrame) -> dict[str, int]:
    """How many rows were delivered before the first one of each file, in the order of delivery.

    Args:
        rows: columns source_file and source_row. The last row of a file that is there ends it.
    """
    import polars as pl  # here, as the names of files are looked at before Polars is needed

    last_rows = rows.group_by("source_file").agg(pl.col("source_row").max()).collect()
    starts, delivered = {}, 0
    for file, last_row in sorted(last_rows.iter_rows(), key=lambda row: natural_key(row[0])):
        starts[file] = delivered
        delivered += last_row
    return starts


def add_position(rows: pl.LazyFrame, starts: Mapping[str, int] | None = None) -> pl.LazyFrame:
    """Add `position` (Int64): the position of each row in the order of delivery, from 1.

    Args:
        rows: columns source_file and source_row, and any other. Where rows of a file are missing,
            the positions have gaps.
        starts: what `find_starts` returns for these rows, or for more of them.
    """
    import polars as pl

    starts = find_starts(rows) if starts is None else starts
    start = look_up_files(starts, pl.Int64())
    return rows.with_columns(position=start + pl.col("source_row"))


def look_up_files(numbers: Mapping[str, int], dtype: pl.DataType) -> pl.Expr:
    """The number of the file of each row.

    Args:
        numbers: the number of each file.
        dtype: the type of the numbers.
    """
    import polars as pl

    def look_up(files: pl.Series) -> pl.Series:
        if files.is_empty():
            return pl.Series(dtype=dtype)
        # Rows come file by file: a look-up per row takes twice as long.
        if (files == files[0]).all(ignore_nulls=False):
            return pl.repeat(numbers[files[0]], len(files), dtype=dtype, eager=True)
        return files.replace_strict(numbers, return_dtype=dtype)

    # By itself, `replace_strict` would hold all columns of all rows in memory.
    return pl.col("source_file").map_batches(look_up, return_dtype=dtype, is_elementwise=True)
