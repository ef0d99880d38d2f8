"""Records -> publications: one row per publication of a source (SPEC 2).

Each raw row is kept, merged into a kept one, or rejected. Cleaning a single row belongs to
`records`, finding duplicates to `duplicates`, resolving journals to `journals`.
"""

from __future__ import annotations

import hashlib
from operator import itemgetter
from typing import TYPE_CHECKING, NamedTuple

import polars as pl

from drug_assets.cleaning import dates, duplicates, journals, parts
from drug_assets.cleaning.records import GIVEN_JOURNAL
from drug_assets.delivery import add_position
from drug_assets.terms import Issue, RejectReason

if TYPE_CHECKING:
    from collections.abc import Iterable

    from drug_assets.sources import PublicationSource


class CleanedPublications(NamedTuple):
    """The results of `clean_publications`."""

    #: The publications, as `contracts.Publications`.
    kept: pl.LazyFrame
    #: Rows that were merged into a kept one, as `contracts.MergedRecords`.
    merged: pl.LazyFrame


#: Publications are sorted by key if the source has at most this many records.
SORTED_ROWS = 5_000_000


def mark_withdrawn(records: pl.LazyFrame) -> pl.LazyFrame:
    """Add `position` to all records of a source, and mark those that a newer deletion withdrew.

    A deletion has no date of its own, so it is as new as the newest revision in its file. If no
    record of the file gives one, the order of delivery decides. A record without a revision is
    older than any that has one. The version does not matter: all of an id is withdrawn.

    Args:
        records: rows with the columns of `contracts.CleanedRecord`, id and revised.

    Returns:
        The records with `position`. The `reason` of a record is `deleted` if a newer deletion
        withdrew its id; else it stays as it is, null for a record to keep.
    """
    rows = add_position(records)
    reason = pl.col("reason")
    deletions = (
        rows.filter(reason == RejectReason.DELETION)
        .select("id", "source_file", "position")
        .collect()
    )
    if deletions.is_empty():
        return rows
    files = deletions["source_file"].unique().implode()
    newest = (
        rows.filter(pl.col("source_file").is_in(files))
        .group_by("source_file")
        .agg(file_revised=pl.col("revised").max())
        .collect()
    )
    position, file_revised = pl.col("position"), pl.col("file_revised")
    last_deletions = (
        deletions.join(newest, on="source_file")
        .group_by("id")
        .agg(
            # The last deletion by delivery alone; the newest by date, and of those the last.
            undated_at=position.filter(file_revised.is_null()).max(),
            deleted_on=file_revised.max(),
            dated_at=position.filter(file_revised == file_revised.max()).max(),
        )
    )
    revised, deleted_on = pl.col("revised"), pl.col("deleted_on")
    withdrawn = (
        (position < pl.col("undated_at"))
        | (revised.is_null() & deleted_on.is_not_null())
        | (revised < deleted_on)
        | ((revised == deleted_on) & (position < pl.col("dated_at")))
    )
    return (
        rows.join(last_deletions.lazy(), on="id", how="left", maintain_order="left")
        .with_columns(
            reason=pl.when(reason.ne_missing(RejectReason.DELETION), withdrawn)
            .then(pl.lit(RejectReason.DELETED))
            .otherwise(reason)
        )
        .drop("undated_at", "deleted_on", "dated_at")
    )


def mark_rejected(records: pl.LazyFrame) -> pl.LazyFrame:
    """Add `position` to all records of a source, and mark those that cannot be kept.

    Args:
        records: as those of `mark_withdrawn`; if the source has parts of records, of its contract
            of records.

    Returns:
        The result of `mark_withdrawn`, where the reason of parts without their record is
        `no_record_of_its_id`.
    """
    return parts.mark_without_record(mark_withdrawn(records))


def collect_journals(records: Iterable[pl.LazyFrame]) -> pl.LazyFrame:
    """Collect the journals (`contracts.Journals`) of all records that are not rejected.

    Args:
        records: the records of each source (`contracts.PublicationRecords`).
    """
    return journals.build_journals(
        parts.split(mark_withdrawn(rows).filter(pl.col("reason").is_null())).whole.select(
            GIVEN_JOURNAL
        )
        for rows in records
    )


def clean_publications(
    source: PublicationSource, records: pl.LazyFrame, known_journals: pl.LazyFrame
) -> CleanedPublications:
    """Clean the records of one source to one row per publication.

    Args:
        source: the source.
        records: all its records, of its contract of records; read several times.
        known_journals: the table that `collect_journals` made from the records of all sources.

    Returns:
        `kept`, with the columns of the source's own contract, and `merged`. Each is sorted by key;
        but `kept` stays in the order of delivery if there are more than `SORTED_ROWS` records.
    """
    not_rejected, added = parts.split(
        mark_rejected(records).filter(pl.col("reason").is_null()).drop("reason")
    )
    resolved = _resolve_journals(records, known_journals).collect()
    order = _choose_order(not_rejected)
    in_order = order == "position" and _come_in_order(not_rejected)
    surrogate = pl.struct("id", "folded_title", "date", "folded_journal").map_batches(
        lambda rows: _make_surrogate_ids(source.name, rows),
        return_dtype=pl.String,
        is_elementwise=True,  # or all rows would be in memory
    )
    kept, merged = duplicates.resolve_duplicates(
        not_rejected,
        lambda rows: _add_journals(rows, resolved),
        surrogate,
        titles=source.titles,
        date_fields=source.date_fields,
        following=source.merged_columns(),
        in_order=in_order,
    )
    if added is not None:
        kept = parts.add_to_publications(kept, added, source)
        merged = pl.concat([merged, parts.list_merged(added)])
        if order == "publication_id":
            merged = merged.sort("source_file", "source_row")
    columns = source.contracts().cleaned.column_names()
    kept = kept.with_columns(issues=_issues())
    if not in_order:
        kept = kept.sort(order)
    return CleanedPublications(kept=kept.select(columns), merged=merged)


def _resolve_journals(records: pl.LazyFrame, known_journals: pl.LazyFrame) -> pl.LazyFrame:
    """The journal of each distinct combination of `GIVEN_JOURNAL`.

    Columns `GIVEN_JOURNAL`, journal, journal_id and folded_journal.
    """
    return (
        records.select(GIVEN_JOURNAL)
        .unique()
        .pipe(journals.add_journal_identifiers)
        .pipe(journals.add_journals, known_journals)
        .select(*GIVEN_JOURNAL, "journal", "journal_id", "folded_journal")
    )


def _add_journals(records: pl.LazyFrame, resolved: pl.DataFrame) -> pl.LazyFrame:
    """Replace `GIVEN_JOURNAL` by journal, journal_id and folded_journal.

    Args:
        records: the records.
        resolved: the journal of each combination that they have (`_resolve_journals`).
    """
    given = pl.struct(GIVEN_JOURNAL)
    in_order = resolved.with_columns(hash=given.hash()).sort("hash")
    hashes = in_order["hash"]
    journals_given = in_order.select(
        given=pl.struct(pl.exclude(*GIVEN_JOURNAL, "hash"))
    ).to_series()
    if hashes.n_unique() < hashes.len():  # no two combinations have had the same one yet
        return records.join(
            resolved.lazy(), on=GIVEN_JOURNAL, how="left", nulls_equal=True, maintain_order="left"
        ).drop(GIVEN_JOURNAL)
    # A join would copy all other columns, too, and takes twice as long.
    found = given.map_batches(
        lambda rows: journals_given.gather(hashes.search_sorted(rows.hash())),
        return_dtype=journals_given.dtype,
        is_elementwise=True,
    )
    return records.with_columns(given=found).drop(GIVEN_JOURNAL).unnest("given")


def _issues() -> pl.Expr:
    """The issues of a publication, sorted."""
    date_issue, without_id = pl.col("date_issue"), pl.col("id").is_null()
    issues = [
        (Issue.CONFLICTING_DUPLICATE, pl.col("conflicting_duplicate")),
        (Issue.MERGED_DUPLICATE, pl.col("merged_duplicate")),
        *((issue, date_issue == issue) for issue in dates.ISSUES),
        (Issue.INVALID_ID, without_id & pl.col("id_text").is_not_null() & ~pl.col("id_shared")),
        (Issue.MISSING_ID, without_id & pl.col("id_text").is_null()),
        (Issue.MISSING_JOURNAL, pl.col("journal_id").is_null()),
        (Issue.SHARED_ID, pl.col("id_shared")),
        (Issue.VERNACULAR_TITLE, pl.col("title_issue") == Issue.VERNACULAR_TITLE),
    ]
    # Joining and splitting text is ten times as fast as sorting a list and dropping its nulls.
    text = pl.concat_str(
        (pl.when(holds).then(pl.lit(issue)) for issue, holds in sorted(issues, key=itemgetter(0))),
        separator=" ",
        ignore_nulls=True,
    )
    return text.str.extract_all(r"\S+")


def _choose_order(records: pl.LazyFrame) -> str:
    """The column to sort by: the key if the sort fits in memory, else the position."""
    few = records.select(pl.len()).collect().item() <= SORTED_ROWS
    return "publication_id" if few else "position"


def _come_in_order(records: pl.LazyFrame) -> bool:
    """Whether records come in the order of their positions, as kept files of records do."""
    follows = (pl.col("position") > pl.col("position").shift()).all()
    come: bool = records.select(follows).collect(engine="streaming").item()
    return come


def _make_surrogate_ids(source: str, rows: pl.Series) -> pl.Series:
    """`<source>:<16 hex of sha256 over folded title, ISO date and folded journal>`, one per row.

    Null for a row that has an id. Python computes each hash, since Polars has no stable one.
    """
    missing = rows.struct.field("id").is_null()
    texts = (
        rows.filter(missing)
        .struct.unnest()
        .select(
            pl.concat_str(
                # Polars may ask for rejected rows, too, before it leaves them out.
                pl.col("folded_title").fill_null(""),
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
