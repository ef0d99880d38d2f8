"""How reading and cleaning went, as far as the page tells of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import polars as pl

from drug_assets import sources
from drug_assets.cleaning.rejected import count_by_reason

if TYPE_CHECKING:
    from collections.abc import Mapping

#: Files that were not read, which the page names at most.
_MOST_FILES = 20

#: The tables that `summarize_run` reads.
TABLES = (
    "landed_files",
    "rejected_records",
    *(name for source in sources.ALL for name in (source.name, f"merged_{source.name}")),
)


def summarize_run(tables: Mapping[str, pl.LazyFrame]) -> dict[str, Any]:
    """Count rows by source and what became of them, and name files that were not read.

    Args:
        tables: those of `TABLES`, by name.

    Returns:
        What the index of the page holds as `quality`.
    """
    files = tables["landed_files"]
    read = dict(
        files.drop_nulls("source").group_by("source").agg(pl.col("raw_rows").sum()).collect().rows()
    )
    reasons: dict[str, dict[str, int]] = {source.name: {} for source in sources.ALL}
    for source, reason, count in count_by_reason(tables["rejected_records"]).rows():
        reasons[source][reason] = count
    problem = pl.col("problem")
    unread = (
        files.filter(problem.is_not_null()).select("source_file", "problem").sort("source_file")
    ).collect()
    return {
        "sources": [
            {
                "source": source.name,
                "read": read.get(source.name, 0),
                "kept": _count_rows(tables[source.name]),
                "merged": _count_rows(tables[f"merged_{source.name}"]),
                "rejected": sum(reasons[source.name].values()),
                "reasons": reasons[source.name],
            }
            for source in sources.ALL
        ],
        "files": _count_rows(files),
        "unread": [{"file": file, "problem": why} for file, why in unread.head(_MOST_FILES).rows()],
        "unread_files": unread.height,
    }


def _count_rows(rows: pl.LazyFrame) -> int:
    count: int = rows.select(pl.len()).collect().item()
    return count
