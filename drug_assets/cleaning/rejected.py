"""Raw rows that cannot be kept, whole, with the reasons (SPEC section 2: nothing is lost)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from drug_assets import contracts, sources
from drug_assets.cleaning.drugs import rejected_drugs
from drug_assets.cleaning.publications import with_reason

if TYPE_CHECKING:
    from collections.abc import Mapping

#: Oddities of form that explain why nothing could be read from a row.
_UNREADABLE = ("blank_row", "invalid_json", "not_an_object")


def rejected_records(
    raw: Mapping[str, pl.LazyFrame], records: Mapping[str, pl.LazyFrame]
) -> pl.LazyFrame:
    """The rejected rows of every source (`contracts.RejectedRecords`), sorted by key.

    Args:
        raw: raw rows by the name of their source.
        records: what `publications.cleaned_rows` made of those of publications.
    """
    parts = [
        _with_reason(name, rows, records).select(
            "source_file",
            "source_row",
            source=pl.lit(name),
            reasons=pl.concat_list(
                pl.col("read_issues").list.set_intersection(list(_UNREADABLE)), "reason"
            ).list.sort(),
            record=pl.struct(rows.collect_schema().names()).struct.json_encode(),
        )
        for name, rows in raw.items()
    ]
    columns = contracts.RejectedRecords.column_names()
    return pl.concat([part.select(columns) for part in parts]).sort(
        "source", "source_file", "source_row"
    )


def _with_reason(
    name: str, rows: pl.LazyFrame, records: Mapping[str, pl.LazyFrame]
) -> pl.LazyFrame:
    """The raw rows that are rejected, with the `reason`."""
    rejected = pl.col("reason").is_not_null()
    if name == sources.DRUGS.name:
        return rows.with_columns(reason=rejected_drugs()).filter(rejected)
    (source,) = (s for s in sources.ALL if s.name == name)
    key = ("source_file", "source_row")
    reasons = with_reason(source, records[name]).filter(rejected).select(*key, "reason")
    return rows.join(reasons, on=key)
