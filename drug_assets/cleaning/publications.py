"""Raw records of PubMed and of clinical trials to publications: one row a publication (SPEC 2).

Each raw row is kept, merged into a kept one, or rejected; which rows are duplicates of each other
is `duplicates`' business, what a journal is `journals`'.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, NamedTuple

import polars as pl

from drug_assets import contracts, sources
from drug_assets.cleaning import dates, duplicates, journals
from drug_assets.cleaning.delivery import with_position
from drug_assets.cleaning.text import cleaned, folded

if TYPE_CHECKING:
    from collections.abc import Mapping

    from drug_assets.sources import Source


class CleanedPublications(NamedTuple):
    """What cleaning a source of publications gives."""

    #: The publications, as `contracts.Publications`.
    kept: pl.LazyFrame
    #: Rows that went into a kept one, as `contracts.MergedRecords`.
    merged: pl.LazyFrame


def title_of(source: Source) -> pl.Expr:
    """The cleaned title of a raw row; null if it is blank."""
    return cleaned(pl.col("scientific_title" if source is sources.CLINICAL_TRIALS else "title"))


def rejected_publications(source: Source) -> pl.Expr:
    """Why a raw row cannot be kept: null, or `blank_title` (it can mention nothing)."""
    return pl.when(title_of(source).is_null()).then(pl.lit("blank_title"))


def journals_of(raw: Mapping[Source, pl.LazyFrame]) -> pl.LazyFrame:
    """The journals (`contracts.Journals`) named by the rows that are not rejected."""
    return journals.journals(
        journals.with_evidence(rows.filter(title_of(source).is_not_null()))
        for source, rows in raw.items()
    )


def cleaned_publications(
    source: Source, raw: pl.LazyFrame, known_journals: pl.LazyFrame
) -> CleanedPublications:
    """The publications of one source, sorted by key, and the rows merged into them.

    `raw` are all raw rows of the source, `known_journals` what `journals_of` made of all sources.
    """
    date = pl.col("parsed_date").struct
    records = (
        with_position(raw)
        .with_columns(
            title=title_of(source), id=cleaned(pl.col("id")), date_text=cleaned(pl.col("date"))
        )
        .filter(pl.col("title").is_not_null())
        .pipe(journals.with_evidence)
        .pipe(journals.with_journals, known_journals)
        .with_columns(parsed_date=dates.parsed(pl.col("date_text")))
        .with_columns(
            folded_title=folded(pl.col("title")),
            date=date.field("date"),
            date_precision=date.field("date_precision"),
            date_issue=date.field("issue"),
        )
        .select(
            "source_file",
            "source_row",
            "position",
            "id",
            "title",
            "folded_title",
            "date",
            "date_precision",
            "date_text",
            "date_issue",
            "journal",
            "journal_id",
            "folded_journal",
        )
    )
    surrogate = pl.struct("folded_title", "date", "folded_journal").map_batches(
        lambda rows: _surrogates(source.name, rows), return_dtype=pl.String
    )
    kept, merged = duplicates.resolved(records, surrogate)
    issues = pl.concat_list(
        pl.when(pl.col("id").is_null()).then(pl.lit("missing_id")),
        "date_issue",
        pl.when(pl.col("journal_id").is_null()).then(pl.lit("missing_journal")),
        "duplicate_issues",
    )
    kept = (
        kept.with_columns(issues=issues.list.drop_nulls().list.sort())
        .sort("publication_id")
        .select(contracts.Publications.column_names())
    )
    return CleanedPublications(kept=kept, merged=merged)


def _surrogates(source: str, rows: pl.Series) -> pl.Series:
    """`<source>:<16 hex of sha256 over folded title, ISO date and folded journal>`, one a row.

    Polars has no stable hash; only records without an id come here, once each.
    """
    text = pl.concat_str(
        pl.col("folded_title"),
        pl.col("date").dt.to_string("iso").fill_null(""),
        pl.col("folded_journal").fill_null(""),
        separator="\n",
    )
    texts = rows.struct.unnest().select(text).to_series()
    digests = [f"{source}:{hashlib.sha256(text.encode()).hexdigest()[:16]}" for text in texts]
    return pl.Series(digests, dtype=pl.String)
