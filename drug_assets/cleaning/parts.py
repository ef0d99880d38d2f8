"""Parts of records: rows of tables that add to the publication of their id (SPEC 2).

They have no title, so they are no records of their own: they make no publication, contradict none
and do not decide which record is newest. Which tables hold them is declared by their source, and
what each column means is read in `formats`. A source without such tables pays nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import polars as pl

from drug_assets import contracts
from drug_assets.cleaning.duplicates import list_own_ids
from drug_assets.terms import MergeRule, RejectReason

if TYPE_CHECKING:
    from drug_assets.sources import PublicationSource

#: The column of records that tells them from parts.
_IS_PART = "is_part"


class Split(NamedTuple):
    """Records, and the parts among them."""

    #: The records that are no parts.
    whole: pl.LazyFrame
    #: The parts; None if there are none.
    parts: pl.LazyFrame | None


def split(records: pl.LazyFrame) -> Split:
    """Split records into whole ones and parts, both without the column that tells them apart."""
    if not may_have(records):
        return Split(records, None)
    is_part = pl.col(_IS_PART)
    whole = records.filter(~is_part).drop(_IS_PART)
    parts = records.filter(is_part).drop(_IS_PART)
    return Split(whole, parts if _has_rows(parts) else None)


def may_have(records: pl.LazyFrame) -> bool:
    """Whether there can be parts among records."""
    return _IS_PART in records.collect_schema()


def _has_rows(rows: pl.LazyFrame) -> bool:
    return bool(rows.select(pl.len()).collect().item())


def mark_without_record(records: pl.LazyFrame) -> pl.LazyFrame:
    """Give a reason to parts whose id is that of no publication.

    Args:
        records: the result of `publications.mark_withdrawn`.

    Returns:
        The records, in their order.
    """
    not_rejected = records.filter(pl.col("reason").is_null())
    whole, parts = split(not_rejected)
    if parts is None:
        return records
    own = list_own_ids(whole).collect().lazy().with_columns(has_record=True)
    dangles = pl.col("reason").is_null() & pl.col(_IS_PART) & pl.col("has_record").is_null()
    return (
        records.join(own, on="id", how="left", maintain_order="left")
        .with_columns(
            reason=pl.when(dangles)
            .then(pl.lit(RejectReason.NO_RECORD_OF_ITS_ID))
            .otherwise("reason")
        )
        .drop("has_record")
    )


def add_to_publications(
    kept: pl.LazyFrame, parts: pl.LazyFrame, source: PublicationSource
) -> pl.LazyFrame:
    """Add what parts say to the columns that only their source has, but for titles.

    A list gets the values of all parts behind its own, sorted. Another column that is null gets the
    value of the last file that gives one, of several in one file the first in their order. So the
    order of rows does not matter.

    Args:
        kept: publications, with publication_id.
        parts: the parts of their records, with `position`; each has the id of a publication.
        source: the source.

    Returns:
        The publications, in their order.
    """
    schema = parts.collect_schema()
    common = {*contracts.PublicationRecords.column_names(), *source.titles}
    own = [
        name
        for name in source.contracts().cleaned.column_names()
        if name in schema and name not in common
    ]
    lists = [name for name in own if isinstance(schema[name], pl.List)]
    texts = [name for name in own if name not in lists]
    speaks = (*(pl.col(name).list.len() > 0 for name in lists), pl.col(texts).is_not_null())
    delivered = pl.col("position") - pl.col("source_row")
    given = (
        parts.filter(pl.any_horizontal(speaks))
        .group_by(publication_id="id")
        .agg(
            *(pl.col(name).explode().drop_nulls().unique().sort() for name in lists),
            *(
                pl.col(name).sort_by(delivered, name, descending=[True, False]).drop_nulls().first()
                for name in texts
            ),
        )
    )
    return (
        kept.join(given, on="publication_id", how="left", suffix="_given", maintain_order="left")
        .with_columns(
            *(
                pl.concat_list(name, pl.col(f"{name}_given").fill_null([])).list.unique(
                    maintain_order=True
                )
                for name in lists
            ),
            *(pl.coalesce(name, f"{name}_given") for name in texts),
        )
        .drop(f"{name}_given" for name in own)
    )


def list_merged(parts: pl.LazyFrame) -> pl.LazyFrame:
    """The parts as rows that were merged (`contracts.MergedRecords`)."""
    return parts.select(
        "source_file",
        "source_row",
        merged_into="id",
        rule=pl.lit(MergeRule.PART_OF_RECORD.value),
    )
