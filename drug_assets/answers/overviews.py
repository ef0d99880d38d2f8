"""The drugs and the journals of a release, with what is known of each: who, where, since when.

Titles and spans are not read: of ten million mentions, a few narrow columns are.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import polars as pl

from drug_assets import sources
from drug_assets.answers.forms import Answer
from drug_assets.cleaning.text import fold_text
from drug_assets.periods import code_of_column, read_code_column

if TYPE_CHECKING:
    from collections.abc import Mapping

    from drug_assets.answers import Tables

#: By name, what the drugs, and the journals, can be sorted by: columns, and whether descending.
_ORDERS: Mapping[str, Mapping[str, bool]] = {
    "mentions": {"mentions": True},
    "journals": {"journals": True},
    "drugs": {"drugs": True},
    "first": {"first_date": False},
    "latest": {"latest_date": True},
    "name": {},
}


class Overview(NamedTuple):
    """All drugs, or all journals."""

    #: How many there are.
    total: int
    #: How many of them have mentions.
    mentioned: int
    #: Those that were asked for, in the order that was asked for.
    rows: pl.DataFrame

    def as_answer(self) -> Answer:
        """The answer in the form that JSON and CSV are written from."""
        return Answer({"total": self.total, "mentioned": self.mentioned}, "rows", self.rows)


def list_drugs(tables: Tables, order: str = "mentions", limit: int | None = None) -> Overview:
    """List the drugs of a release.

    Args:
        tables: the tables of the release.
        order: one of `DRUG_ORDERS`; ties are sorted by name.
        limit: how many are listed.

    Returns:
        Rows with drug_id, drug, atc_codes, names (their number), mentions, the mentions by each
        source, journals (their number), first_date and latest_date (each with its precision),
        retracted_mentions, ambiguous_mentions.
    """
    figures = _count(tables, "drug_id", ambiguous_mentions=pl.col("ambiguous").sum()).join(
        _count_pairs(tables, "drug_id", "journals"), on="drug_id", how="left"
    )
    drugs = tables.table("drugs").select(
        "drug_id", "drug", "atc_codes", names=pl.col("names").list.len()
    )
    columns = ("drug_id", "drug", "atc_codes", "names", *_COUNTS, "journals", *_DATES)
    listed = _join(drugs, figures, "drug_id").select(
        *columns, "retracted_mentions", "ambiguous_mentions"
    )
    return _order(listed, order, "drug", limit)


def list_journals(tables: Tables, order: str = "drugs", limit: int | None = None) -> Overview:
    """List the journals of a release.

    Args:
        tables: the tables of the release.
        order: one of `JOURNAL_ORDERS`; ties are sorted by name.
        limit: how many are listed.

    Returns:
        Rows with journal_id, journal, issns, records (that name it), drugs (their number),
        mentions, the mentions by each source, first_date and latest_date (each with its precision),
        retracted_mentions.
    """
    figures = _count(tables, "journal_id").join(
        _count_pairs(tables, "journal_id", "drugs"), on="journal_id", how="left"
    )
    journals = tables.table("journals").select("journal_id", "journal", "issns", "records")
    columns = ("journal_id", "journal", "issns", "records", "drugs", *_COUNTS, *_DATES)
    listed = _join(journals, figures, "journal_id").select(*columns, "retracted_mentions")
    return _order(listed, order, "journal", limit)


_COUNTS = ("mentions", *(f"{source.document_type}_mentions" for source in sources.PUBLICATIONS))
_DATES = ("first_date", "first_date_precision", "latest_date", "latest_date_precision")


def _count_pairs(tables: Tables, key: str, name: str) -> pl.LazyFrame:
    """In how many journals each drug is mentioned, or how many drugs each journal mentions."""
    # There are far fewer pairs of them than mentions.
    return tables.table("journal_drugs").group_by(key).agg(pl.len().alias(name))


def _count(tables: Tables, key: str, **further: pl.Expr) -> pl.LazyFrame:
    """The figures of the mentions of each drug, or of each journal."""
    # Dates of one day differ in precision: of the first, the most precise one counts.
    code = code_of_column(pl.col("date"), pl.col("date_precision"))
    by_source = {
        f"{source.document_type}_mentions": (pl.col("source") == source.name).sum()
        for source in sources.PUBLICATIONS
    }
    figures = (
        tables.table("mentions")
        .drop_nulls(key)
        .group_by(key)
        .agg(
            mentions=pl.len(),
            retracted_mentions=pl.col("retracted").sum(),
            first=code.min(),
            latest=code.max(),
            **by_source,
            **further,
        )
    )
    dates = {name: read_code_column(pl.col(name)) for name in ("first", "latest")}
    return figures.with_columns(
        column
        for name, (date, precision) in dates.items()
        for column in (date.alias(f"{name}_date"), precision.alias(f"{name}_date_precision"))
    )


def _join(listed: pl.LazyFrame, figures: pl.LazyFrame, key: str) -> pl.LazyFrame:
    """What is listed, with its figures; what nothing mentions has none."""
    joined = listed.join(figures, on=key, how="left")
    counts = pl.selectors.exclude(_DATES, "first", "latest") & pl.selectors.integer()
    return joined.with_columns(counts.fill_null(0))


def _order(listed: pl.LazyFrame, order: str, name: str, limit: int | None) -> Overview:
    # So that memory follows the drugs or the journals, not the mentions.
    rows = listed.collect(engine="streaming")
    by = _ORDERS[order]
    folded = fold_text(pl.col(name))
    ordered = rows.sort(
        *map(pl.col, by),
        folded,
        pl.nth(0),
        descending=[*by.values(), False, False],
        nulls_last=True,
    )
    mentioned = int((rows["mentions"] > 0).sum())
    return Overview(rows.height, mentioned, ordered if limit is None else ordered.head(limit))
