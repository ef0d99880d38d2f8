"""Raw records of PubMed and of clinical trials to publications: one row a publication (SPEC 2).

Each raw row is kept, merged into a kept one, or rejected; which rows are duplicates of each other
is `duplicates`' business, what a journal is `journals`'.
"""

from __future__ import annotations

import hashlib
from operator import itemgetter
from typing import TYPE_CHECKING, NamedTuple

import polars as pl
import polars.selectors as cs

from drug_assets import contracts, sources
from drug_assets.cleaning import dates, duplicates, journals
from drug_assets.cleaning.delivery import with_position
from drug_assets.cleaning.text import cleaned, folded
from drug_assets.sources import DELETED, SEPARATOR

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from drug_assets.sources import Source


class CleanedPublications(NamedTuple):
    """What cleaning a source of publications gives."""

    #: The publications, as `contracts.Publications`.
    kept: pl.LazyFrame
    #: Rows that went into a kept one, as `contracts.MergedRecords`.
    merged: pl.LazyFrame


#: Up to so many records a source is sorted by key.
SORTED_ROWS = 5_000_000
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


def with_reason(source: Source, raw: pl.LazyFrame) -> pl.LazyFrame:
    """Raw rows with `position`, `clean_id`, `clean_title` and `reason`.

    `reason` says why a row cannot be kept: `blank_title` (it can mention nothing), `deletion` (it
    only withdraws another one), `deleted` (PubMed withdrew it after it was delivered), else null.
    """
    rows = with_position(raw).with_columns(
        clean_id=cleaned(pl.col("id")), clean_title=title_of(source)
    )
    blank = pl.when(pl.col("clean_title").is_null()).then(pl.lit("blank_title"))
    if source is not sources.PUBMED:
        return rows.with_columns(reason=blank)
    deletes = pl.col("citation_status").eq_missing(DELETED)
    deletions = rows.filter(deletes).group_by("clean_id").agg(deleted_at=pl.col("position").max())
    return rows.join(deletions, on="clean_id", how="left", maintain_order="left").with_columns(
        reason=pl.when(deletes)
        .then(pl.lit("deletion"))
        .when(pl.col("position") < pl.col("deleted_at"))
        .then(pl.lit("deleted"))
        .otherwise(blank)
    )


def journals_of(raw: Mapping[Source, pl.LazyFrame]) -> pl.LazyFrame:
    """The journals (`contracts.Journals`) named by the rows that are not rejected."""
    return journals.journals(
        with_reason(source, rows).filter(pl.col("reason").is_null()) for source, rows in raw.items()
    )


def cleaned_publications(
    source: Source,
    raw: pl.LazyFrame,
    known_journals: pl.LazyFrame,
    set_aside: Callable[[pl.LazyFrame], pl.LazyFrame] | None = None,
) -> CleanedPublications:
    """The publications of one source, and the rows merged into them, each sorted by key.

    A source of more than `SORTED_ROWS` records is left in order of delivery.

    Args:
        source: the source.
        raw: all its raw rows.
        known_journals: what `journals_of` made of all sources.
        set_aside: makes the cleaned records something that can be read several times without being
            made again, such as a file; in memory if not given.

    Returns:
        `kept` with the columns of the source's own contract, and `merged`.
    """
    contract = contracts.TABLES[source.name]
    date = pl.col("parsed_date").struct
    records = (
        with_reason(source, raw)
        .filter(pl.col("reason").is_null())
        .with_columns(id="clean_id", title="clean_title", date_text=cleaned(pl.col("date")))
        .rename({column: f"given_{column}" for column in journals.GIVEN})
        .join(
            _journals_of_given(raw, known_journals),
            on=[f"given_{column}" for column in journals.GIVEN],
            how="left",
            nulls_equal=True,
            maintain_order="left",
        )
        .with_columns(**_own_columns(source))
        .with_columns(parsed_date=dates.parsed(pl.col("date_text")))
        .with_columns(
            folded_title=folded(pl.col("title")),
            date=date.field("date"),
            date_precision=date.field("date_precision"),
            date_issue=date.field("issue"),
        )
        .select(
            *(c for c in contract.column_names() if c not in ("publication_id", "issues")),
            "id",
            "position",
            "folded_title",
            "date_issue",
            "folded_journal",
        )
    )
    surrogate = pl.struct("id", "folded_title", "date", "folded_journal").map_batches(
        lambda rows: _surrogates(source.name, rows), return_dtype=pl.String
    )
    records = set_aside(records) if set_aside else records.collect().lazy()
    kept, merged = duplicates.resolved(records, surrogate)
    kept = kept.with_columns(issues=_issues()).sort(_order(records)).select(contract.column_names())
    return CleanedPublications(kept=kept, merged=merged)


def _journals_of_given(raw: pl.LazyFrame, known_journals: pl.LazyFrame) -> pl.LazyFrame:
    """The journal of each combination of `journals.GIVEN` in the raw rows, kept as `given_*`."""
    return (
        raw.select(journals.GIVEN)
        .unique()
        .with_columns(pl.col(journals.GIVEN).name.prefix("given_"))
        .pipe(journals.with_evidence)
        .pipe(journals.with_journals, known_journals)
        .select(cs.starts_with("given_"), "journal", "journal_id", "folded_journal")
    )


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
            # A later version of a record wins over whatever was delivered before or after it.
            "position": pl.col("position")
            + pl.col("version").str.to_integer(strict=False).fill_null(0).clip(0, 99) * 2**56,
            "vernacular_title": cleaned(pl.col("vernacular_title")),
            "publication_types": types,
            "retracted": types.list.contains(_RETRACTED),
        }
    brief = cleaned(pl.col("brief_title"))
    return {
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
