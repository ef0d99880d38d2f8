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


def rejected_records(raw: Mapping[str, pl.LazyFrame]) -> pl.LazyFrame:
    """The rejected rows of every source (`contracts.RejectedRecords`), sorted by key.

    `raw` maps the name of a source to its raw rows.
    """
    parts = [
        _with_reason(name, rows)
        .filter(pl.col("reason").is_not_null())
        .select(
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


def _with_reason(source: str, rows: pl.LazyFrame) -> pl.LazyFrame:
    if source == sources.DRUGS.name:
        return rows.with_columns(reason=rejected_drugs())
    (publications,) = (s for s in sources.ALL if s.name == source)
    return with_reason(publications, rows)
