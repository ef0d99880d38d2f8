"""Raw records of PubMed and of clinical trials to publications: one row a publication (SPEC 2).

Each raw row is kept, merged into a kept one, or rejected; which rows are duplicates of each other
is `duplicates`' business, what a journal is `journals`'.
"""

from __future__ import annotations

import hashlib
from operator import itemgetter
from typing import TYPE_CHECKING, NamedTuple

import polars as pl

from drug_assets import contracts, sources
from drug_assets.cleaning import dates, duplicates, journals
from drug_assets.cleaning.delivery import with_position
from drug_assets.cleaning.text import cleaned, folded
from drug_assets.sources import DELETED, SEPARATOR

if TYPE_CHECKING:
    from collections.abc import Mapping

    from drug_assets.sources import Source


class CleanedPublications(NamedTuple):
    """What cleaning a source of publications gives."""

    #: The publications, as `contracts.Publications`.
    kept: pl.LazyFrame
    #: Rows that went into a kept one, as `contracts.MergedRecords`.
    merged: pl.LazyFrame


#: Up to so many records a source is sorted by key.
SORTED_ROWS = 5_000_000
#: What a record says of its journal is kept as written under these names: few of them differ, so
#: they are cleaned once each.
_GIVEN = {f"given_{column}": column for column in journals.GIVEN}
_NAMED = {column: pl.col(given) for given, column in _GIVEN.items()}
#: What PubMed writes where a title is missing.
_NO_TITLE = "[Not Available]."
_RETRACTED = "Retracted Publication"


def title_of(source: Source) -> pl.Expr:
    """The cleaned title of a raw row; null if it is blank.

    A trial without official title is known by its brief one.
    """
    if source is sources.CLINICAL_TRIALS:
        return pl.coalesce(cleaned(pl.col("scientific_title")), cleaned(pl.col("brief_title")))
    return cleaned(pl.col("title")).replace(_NO_TITLE, None)


def cleaned_rows(source: Source, raw: pl.LazyFrame) -> pl.LazyFrame:
    """Every raw row of a source cleaned by itself: no other row makes a difference to it.

    So it need be done only once for each landed file. What takes other rows (duplicates, deletions,
    how a journal is spelt) is done with those of all files: the records.

    Columns: source_file, source_row; id, title, folded_title, date_text, date, date_precision;
    `reason` (why it cannot be kept: `blank_title`, it can mention nothing; `deletion`, it only
    withdraws another one; else null), date_issue, version (Int64); what it says of its journal, as
    written (given_journal, given_nlm_id, given_issn); and the columns that only the source has.
    """
    date = pl.col("parsed_date").struct
    own = _own_columns(source)
    return (
        raw.with_columns(
            id=cleaned(pl.col("id")), title=title_of(source), date_text=cleaned(pl.col("date"))
        )
        .with_columns(**own)
        .with_columns(
            folded_title=folded(pl.col("title")), parsed_date=dates.parsed(pl.col("date_text"))
        )
        .select(
            "source_file",
            "source_row",
            "id",
            "title",
            "folded_title",
            "date_text",
            date.field("date"),
            date.field("date_precision"),
            date.field("issue").alias("date_issue"),
            *own,
            reason=_reason(source),
            **{given: pl.col(column) for given, column in _GIVEN.items()},
        )
    )


def _reason(source: Source) -> pl.Expr:
    """Why a row cannot be kept, as far as it says so itself."""
    blank = pl.when(pl.col("title").is_null()).then(pl.lit("blank_title"))
    if source is not sources.PUBMED:
        return blank
    deletes = pl.col("citation_status").eq_missing(DELETED)
    return pl.when(deletes).then(pl.lit("deletion")).otherwise(blank)


def with_reason(source: Source, records: pl.LazyFrame) -> pl.LazyFrame:
    """All records of a source with their `position`, and whether another one withdrew them.

    `reason` says why a record cannot be kept: what `cleaned_rows` said, or `deleted` (PubMed
    withdrew it after it was delivered), else null.
    """
    rows = with_position(records)
    if source is not sources.PUBMED:
        return rows
    reason = pl.col("reason")
    deletions = (
        rows.filter(reason == "deletion").group_by("id").agg(deleted_at=pl.col("position").max())
    )
    return (
        rows.join(deletions, on="id", how="left", maintain_order="left")
        .with_columns(
            reason=pl.when(reason.ne_missing("deletion"), pl.col("position") < pl.col("deleted_at"))
            .then(pl.lit("deleted"))
            .otherwise(reason)
        )
        .drop("deleted_at")
    )


def journals_of(records: Mapping[Source, pl.LazyFrame]) -> pl.LazyFrame:
    """The journals (`contracts.Journals`) named by the records that are not rejected."""
    return journals.journals(
        with_reason(source, rows).filter(pl.col("reason").is_null()).select(**_NAMED)
        for source, rows in records.items()
    )


def cleaned_publications(
    source: Source, records: pl.LazyFrame, known_journals: pl.LazyFrame
) -> CleanedPublications:
    """The publications of one source, and the rows merged into them, each sorted by key.

    A source of more than `SORTED_ROWS` records is left in order of delivery.

    Args:
        source: the source.
        records: what `cleaned_rows` made of all its raw rows; read several times.
        known_journals: what `journals_of` made of all sources.

    Returns:
        `kept` with the columns of the source's own contract, and `merged`.
    """
    candidates = (
        with_reason(source, records)
        .filter(pl.col("reason").is_null())
        # A later version of a record wins over whatever was delivered before or after it.
        .with_columns(position=pl.col("position") + pl.col("version") * 2**56)
        .drop("reason", "version")
    )
    of_given = _journals_of_given(records, known_journals).collect().lazy()
    surrogate = pl.struct("id", "folded_title", "date", "folded_journal").map_batches(
        lambda rows: _surrogates(source.name, rows), return_dtype=pl.String
    )
    kept, merged = duplicates.resolved(
        candidates, lambda some: _with_journals(some, of_given), surrogate
    )
    columns = contracts.TABLES[source.name].column_names()
    kept = kept.with_columns(issues=_issues()).sort(_order(candidates)).select(columns)
    return CleanedPublications(kept=kept, merged=merged)


def _journals_of_given(records: pl.LazyFrame, known_journals: pl.LazyFrame) -> pl.LazyFrame:
    """The journal of each combination of what records say of theirs."""
    return (
        records.select(_GIVEN.keys())
        .unique()
        .with_columns(**_NAMED)
        .pipe(journals.with_evidence)
        .pipe(journals.with_journals, known_journals)
        .select(*_GIVEN, "journal", "journal_id", "folded_journal")
    )


def _with_journals(records: pl.LazyFrame, of_given: pl.LazyFrame) -> pl.LazyFrame:
    """Records with journal, journal_id and folded_journal instead of what they say of it."""
    return records.join(
        of_given, on=list(_GIVEN), how="left", nulls_equal=True, maintain_order="left"
    ).drop(_GIVEN)


def _issues() -> pl.Expr:
    """The flags of a record, sorted."""
    date_issue = pl.col("date_issue")
    flags = [
        ("conflicting_duplicate", pl.col("conflicting_duplicate")),
        ("merged_duplicate", pl.col("merged_duplicate")),
        *((issue, date_issue == issue) for issue in dates.ISSUES),
        ("missing_id", pl.col("id").is_null()),
        ("missing_journal", pl.col("journal_id").is_null()),
    ]
    # Lists are sorted and emptied of nulls row by row, which takes ten times as long as text does.
    text = pl.concat_str(
        (pl.when(holds).then(pl.lit(flag)) for flag, holds in sorted(flags, key=itemgetter(0))),
        separator=" ",
        ignore_nulls=True,
    )
    return text.str.extract_all(r"\S+")


def _order(records: pl.LazyFrame) -> str:
    """The column to sort by: the key where that fits in memory, else the order of delivery."""
    few = records.select(pl.len()).collect().item() <= SORTED_ROWS
    return "publication_id" if few else "position"


def _own_columns(source: Source) -> dict[str, pl.Expr]:
    """The columns that only this source has."""
    if source is sources.PUBMED:
        types = _listed("publication_types")
        return {
            "version": pl.col("version").str.to_integer(strict=False).fill_null(0).clip(0, 99),
            "vernacular_title": cleaned(pl.col("vernacular_title")),
            "publication_types": types,
            "retracted": types.list.contains(_RETRACTED),
        }
    brief = cleaned(pl.col("brief_title"))
    return {
        "version": pl.lit(0, dtype=pl.Int64),
        "brief_title": pl.when(brief != pl.col("title")).then(brief),
        "status": cleaned(pl.col("status")),
        "phases": _listed("phase"),
        # The registry's legacy export puts the collaborators behind the lead sponsor.
        "sponsor": cleaned(pl.col("sponsor").str.split(SEPARATOR).list.first()),
        "reference_pmids": _listed("reference_pmids").list.unique(maintain_order=True),
    }


def _listed(column: str) -> pl.Expr:
    """The values of a field that can have several, separated by bars."""
    parts = pl.col(column).fill_null("").str.split(SEPARATOR)
    trimmed = parts.list.eval(pl.element().str.strip_chars())
    return trimmed.list.eval(pl.element().filter(pl.element() != ""))


def _surrogates(source: str, rows: pl.Series) -> pl.Series:
    """`<source>:<16 hex of sha256 over folded title, ISO date and folded journal>`, one a row.

    Null for a row that has an id: Polars has no stable hash, so Python makes each one.
    """
    missing = rows.struct.field("id").is_null()
    texts = (
        rows.filter(missing)
        .struct.unnest()
        .select(
            pl.concat_str(
                pl.col("folded_title"),
                pl.col("date").dt.to_string("iso").fill_null(""),
                pl.col("folded_journal").fill_null(""),
                separator="\n",
            )
        )
        .to_series()
    )
    digests = [f"{source}:{hashlib.sha256(text.encode()).hexdigest()[:16]}" for text in texts]
    nothing = pl.repeat(None, len(rows), dtype=pl.String, eager=True)
    return nothing.scatter(missing.arg_true(), pl.Series(digests, dtype=pl.String))
