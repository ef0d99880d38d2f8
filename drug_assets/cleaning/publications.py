"""Records -> publications: one row per publication of a source (SPEC 2).

Each raw row is kept, merged into a kept one, or rejected. Cleaning a single row belongs to
`records`, finding duplicates to `duplicates`, resolving journals to `journals`.
"""

from __future__ import annotations

import hashlib
import sys
from dataclasses import dataclass
from operator import itemgetter
from typing import TYPE_CHECKING, NamedTuple

import polars as pl

from drug_assets.cleaning import dates, duplicates, journals, parts
from drug_assets.cleaning.records import GIVEN_JOURNAL
from drug_assets.delivery import add_position, find_starts, look_up_files
from drug_assets.terms import Issue, RejectReason

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from drug_assets.sources import PublicationSource


class CleanedPublications(NamedTuple):
    """The results of `clean_publications`."""

    #: The publications, as `contracts.Publications`.
    kept: pl.LazyFrame
    #: Rows that were merged into a kept one, as `contracts.MergedRecords`.
    merged: pl.LazyFrame


#: Publications are sorted by key if the source has at most this many records.
SORTED_ROWS = 5_000_000
#: A piece of publications has the files of so many records at least, but for the last one.
PIECE_ROWS = 64 * 1024


def mark_withdrawn(records: pl.LazyFrame, starts: Mapping[str, int] | None = None) -> pl.LazyFrame:
    """Add `position` to all records of a source, and mark those that a newer deletion withdrew.

    A deletion has no date of its own, so it is as new as the newest revision in its file. If no
    record of the file gives one, the order of delivery decides. A record without a revision is
    older than any that has one. The version does not matter: all of an id is withdrawn.

    Args:
        records: rows with the columns of `contracts.CleanedRecord`, id and revised.
        starts: see `add_position`.

    Returns:
        The records with `position`. The `reason` of a record is `deleted` if a newer deletion
        withdrew its id; else it stays as it is, null for a record to keep.
    """
    rows = add_position(records, starts)
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


def mark_rejected(records: pl.LazyFrame, starts: Mapping[str, int] | None = None) -> pl.LazyFrame:
    """Add `position` to all records of a source, and mark those that cannot be kept.

    Args:
        records: as those of `mark_withdrawn`; if the source has parts of records, of its contract
            of records.
        starts: see `add_position`.

    Returns:
        The result of `mark_withdrawn`, where the reason of parts without their record is
        `no_record_of_its_id`.
    """
    return parts.mark_without_record(mark_withdrawn(records, starts))


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


@dataclass(frozen=True)
class Piece:
    """The publications of some files, which follow each other in the order of delivery."""

    files: tuple[str, ...]
    #: A digest of all that they depend on besides the records of these files and the code: what the
    #: records of other files decide.
    decided: str
    #: Makes them, with the columns of the source's own contract, from the records of these files.
    make: Callable[[pl.LazyFrame], pl.LazyFrame]


@dataclass(frozen=True)
class Decisions:
    """What all records of a source decide together about its publications."""

    _source: PublicationSource
    _records: pl.LazyFrame
    #: See `find_starts`.
    _starts: Mapping[str, int]
    #: See `_group_files`.
    _groups: Sequence[_Group]
    _duplicates: duplicates.Duplicates
    #: See `_resolve_journals`.
    _journals: pl.DataFrame
    #: The column that publications are sorted by, and whether the records come in its order.
    _order: str
    _in_order: bool

    @classmethod
    def of(
        cls, source: PublicationSource, records: pl.LazyFrame, known_journals: pl.LazyFrame
    ) -> Decisions:
        """Decide.

        Args:
            source: the source.
            records: as those of `clean_publications`: rows as `contracts.CleanedRecord`.
            known_journals: as those of `clean_publications`: rows as `contracts.Journals`.
        """
        starts = find_starts(records)
        groups = _group_files(starts)
        not_rejected, _ = _split_kept(records, starts)
        resolved = _resolve_journals(records, known_journals, groups).collect()
        surrogate = pl.struct("id", "folded_title", "date", "folded_journal").map_batches(
            lambda rows: _make_surrogate_ids(source.name, rows),
            return_dtype=pl.String,
            is_elementwise=True,  # or all rows would be in memory
        )
        found = duplicates.Duplicates.find(
            not_rejected,
            _adder_of_journals(resolved),
            surrogate,
            titles=source.titles,
            date_fields=source.date_fields,
            following=source.merged_columns(),
        )
        # Sorted by key if the sort fits in memory.
        order = "publication_id" if found.records <= SORTED_ROWS else "position"
        in_order = order == "position" and found.in_order
        return cls(source, records, starts, groups, found, resolved, order, in_order)

    def clean(self) -> CleanedPublications:
        """Make the publications of all records, see `clean_publications`."""
        not_rejected, added = _split_kept(self._records, self._starts)
        kept = self._duplicates.keep(not_rejected, in_order=self._in_order)
        merged = self._duplicates.merged.lazy()
        if added is not None:
            kept = parts.add_to_publications(kept, added, self._source)
            merged = pl.concat([merged, parts.list_merged(added)])
            if self._order == "publication_id":
                merged = merged.sort("source_file", "source_row")
        kept = kept.with_columns(issues=_issues())
        if not self._in_order:
            kept = kept.sort(self._order)
        return CleanedPublications(kept=kept.select(self._columns()), merged=merged)

    def divide(self) -> tuple[Piece, ...]:
        """Divide the publications into pieces, whose rows one after the other are those of `clean`.

        Returns:
            The pieces; none if the publications are few, or do not come file by file.
        """
        if not self._in_order or parts.may_have(self._records):
            return ()
        journals_given = _digest_journals(self._journals)
        withdrawn = _list_withdrawn(self._records, self._starts)
        return tuple(
            self._make_piece(group, journals_given.get(number, ""), withdrawn)
            for number, group in enumerate(self._groups)
        )

    def _make_piece(self, group: _Group, journals_given: str, withdrawn: pl.Series) -> Piece:
        found = self._duplicates.between(group.first, group.last)
        gone = withdrawn.filter(withdrawn.is_between(group.first, group.last))
        starts = {file: self._starts[file] for file in group.files}
        columns = self._columns()

        def make(records: pl.LazyFrame) -> pl.LazyFrame:
            rows = add_position(records, starts).filter(
                pl.col("reason").is_null(), ~pl.col("position").is_in(gone.implode())
            )
            kept = found.keep(rows.drop("reason"), in_order=True)
            return kept.with_columns(issues=_issues()).select(columns)

        place = pl.col("position") - group.first
        decided = [
            journals_given,
            *(
                pl.LazyFrame({"position": positions}).select(place).pipe(_digest)
                for positions in (gone, found.candidates.sort())
            ),
            found.kept.lazy().with_columns(issues=_issues()).select(place, *columns).pipe(_digest),
        ]
        return Piece(group.files, hashlib.sha256(" ".join(decided).encode()).hexdigest(), make)

    def _columns(self) -> list[str]:
        return self._source.contracts().cleaned.column_names()


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
    return Decisions.of(source, records, known_journals).clean()


def _split_kept(records: pl.LazyFrame, starts: Mapping[str, int]) -> parts.Split:
    """The records that are not rejected, with `position` and without `reason`, and their parts."""
    kept = mark_rejected(records, starts).filter(pl.col("reason").is_null())
    return parts.split(kept.drop("reason"))


class _Group(NamedTuple):
    """Files that follow each other."""

    files: tuple[str, ...]
    #: The positions of their records are from `first` to `last`.
    first: int
    last: int


def _group_files(starts: Mapping[str, int]) -> list[_Group]:
    """Group files from the first on: each group but the last has `PIECE_ROWS` records or more.

    A file that comes behind all others changes the last group at most.

    Args:
        starts: see `find_starts`.
    """
    groups: list[_Group] = []
    files: list[str] = []
    first = 1
    ends = [*starts.values(), sys.maxsize][1:]
    for file, end in zip(starts, ends, strict=True):
        files.append(file)
        if end - first + 1 >= PIECE_ROWS:
            groups.append(_Group(tuple(files), first, end))
            files, first = [], end + 1
    return groups


def _list_withdrawn(records: pl.LazyFrame, starts: Mapping[str, int]) -> pl.Series:
    """The positions of the records that `mark_withdrawn` gives a reason."""
    given = records.with_columns(given="reason")
    marked = mark_withdrawn(given, starts).filter(
        pl.col("reason").is_not_null(), pl.col("given").is_null()
    )
    return marked.select("position").collect(engine="streaming").to_series()


def _digest_journals(resolved: pl.DataFrame) -> dict[int, str]:
    """A digest of the journals that the records of each group of files are given.

    Args:
        resolved: as `_resolve_journals` returns them.
    """
    rows = _write_rows(resolved.lazy().drop("groups"))
    digests = [hashlib.sha256(row.encode()).hexdigest() for row in rows]
    of_groups = (
        resolved.select(group="groups", digest=pl.Series(digests, dtype=pl.String))
        .explode("group")
        .group_by("group")
        .agg(pl.col("digest").sort().str.join(" "))
    )
    return {n: hashlib.sha256(text.encode()).hexdigest() for n, text in of_groups.iter_rows()}


def _digest(rows: pl.LazyFrame) -> str:
    """A digest of rows, in their order; the same on every machine."""
    text: str = _write_rows(rows).str.join("\n").item()
    return hashlib.sha256(text.encode()).hexdigest()


def _write_rows(rows: pl.LazyFrame) -> pl.Series:
    """Each row as JSON."""
    return rows.select(pl.struct(pl.all()).struct.json_encode()).collect().to_series()


def _resolve_journals(
    records: pl.LazyFrame, known_journals: pl.LazyFrame, groups: Sequence[_Group]
) -> pl.LazyFrame:
    """The journal of each distinct combination of `GIVEN_JOURNAL`.

    Args:
        records: the records.
        known_journals: as those of `clean_publications`.
        groups: the groups of their files.

    Returns:
        Columns `GIVEN_JOURNAL`, journal, journal_id, folded_journal, and groups: the places of the
        groups that have such records.
    """
    of_file = {file: n for n, group in enumerate(groups) for file in group.files}
    group = look_up_files(of_file, pl.UInt32())
    given = records.group_by(GIVEN_JOURNAL).agg(groups=group.unique())
    return (
        given.collect(engine="streaming")
        .lazy()
        .pipe(journals.add_journal_identifiers)
        .pipe(journals.add_journals, known_journals)
        .select(*GIVEN_JOURNAL, "journal", "journal_id", "folded_journal", "groups")
    )


def _adder_of_journals(resolved: pl.DataFrame) -> Callable[[pl.LazyFrame], pl.LazyFrame]:
    """What replaces `GIVEN_JOURNAL` of records by journal, journal_id and folded_journal.

    Args:
        resolved: the journal of each combination that they have (`_resolve_journals`).
    """
    given = pl.struct(GIVEN_JOURNAL)
    resolved = resolved.drop("groups")
    in_order = resolved.with_columns(hash=given.hash()).sort("hash")
    hashes = in_order["hash"]
    journals_given = in_order.select(
        given=pl.struct(pl.exclude(*GIVEN_JOURNAL, "hash"))
    ).to_series()
    if hashes.n_unique() < hashes.len():  # no two combinations have had the same one yet
        return lambda records: records.join(
            resolved.lazy(), on=GIVEN_JOURNAL, how="left", nulls_equal=True, maintain_order="left"
        ).drop(GIVEN_JOURNAL)
    # A join would copy all other columns, too, and takes twice as long.
    found = given.map_batches(
        lambda rows: journals_given.gather(hashes.search_sorted(rows.hash())),
        return_dtype=journals_given.dtype,
        is_elementwise=True,
    )
    return lambda records: records.with_columns(given=found).drop(GIVEN_JOURNAL).unnest("given")


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
