"""Raw rows that cannot be kept, unchanged, with the reasons (SPEC 2: nothing is lost)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from drug_assets.cleaning.drug_parts import place_parts
from drug_assets.cleaning.mesh_trees import MeshTrees, mark_out_of_trees
from drug_assets.cleaning.publications import mark_rejected
from drug_assets.terms import REJECTING_ISSUES, RejectReason

if TYPE_CHECKING:
    from collections.abc import Mapping

_ROW = ("source_file", "source_row")


def collect_rejected(
    raw: Mapping[str, pl.LazyFrame],
    records: Mapping[str, pl.LazyFrame],
    trees: MeshTrees | None = None,
) -> pl.LazyFrame:
    """Collect the rejected rows of all sources (`contracts.RejectedRecords`), sorted by key.

    Args:
        raw: by source, its raw rows.
        records: by source, its records (`contracts.CleanedRecord`).
        trees: the trees of MeSH whose records are drugs; the project's own choice if not given.
    """
    trees = trees or MeshTrees.of()
    of_sources = []
    for source, rows in raw.items():
        marked = mark_rejected(place_parts(mark_out_of_trees(records[source], trees)))
        rejected = marked.filter(pl.col("reason").is_not_null()).select(*_ROW, "reason").collect()
        # Not `list.set_intersection`: with a literal, Polars 2.1 panics on a frame of two chunks
        # whose filter empties the first.
        rejecting = pl.element().is_in(list(REJECTING_ISSUES))
        odd = pl.col("read_issues").list.filter(rejecting)
        of_sources.append(
            _read_rows(rows, rejected).select(
                pl.lit(source).alias("source"),
                *_ROW,
                # `list.sort` takes ten times as long.
                reasons=pl.concat_list(odd, "reason").list.eval(pl.element().unique().sort()),
                record=pl.struct(rows.collect_schema().names()).struct.json_encode(),
            )
        )
    return pl.concat(of_sources).sort("source", *_ROW)


def _read_rows(rows: pl.LazyFrame, rejected: pl.DataFrame) -> pl.LazyFrame:
    """The raw rows that are rejected, with their reason."""
    # Polars applies this filter before it reads the other columns, so few rows are read in vain.
    may_be = [pl.col(column).is_in(rejected[column].unique().implode()) for column in _ROW]
    return rows.filter(may_be).join(rejected.lazy(), on=_ROW)


def count_by_reason(rejected: pl.LazyFrame) -> pl.DataFrame:
    """Count rejected rows by source and reason, sorted.

    A row counts once (`first_reason`), so the counts add up to the rows.

    Args:
        rejected: columns source and reasons.

    Returns:
        Columns source, reason and rows.
    """
    by_reason = rejected.group_by("source", first_reason().alias("reason")).len("rows")
    return by_reason.sort("source", "reason").collect()


def first_reason() -> pl.Expr:
    """The reason that a rejected row counts for: the first in the order of `terms.RejectReason`.

    A blank row has no title because it is blank. It is an expression over column `reasons`.
    """
    return pl.coalesce(
        pl.when(pl.col("reasons").list.contains(reason)).then(pl.lit(str(reason)))
        for reason in RejectReason
    )
