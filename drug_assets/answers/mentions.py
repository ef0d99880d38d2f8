"""The mentions of drugs: which publications name them, where, and since when (SPEC 6)."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import polars as pl

from drug_assets import sources
from drug_assets.answers.finding import find_drugs, find_journals
from drug_assets.answers.forms import Answer
from drug_assets.periods import COUNTED, Period, Placed

if TYPE_CHECKING:
    from drug_assets.answers import Tables
    from drug_assets.answers.finding import Found, FoundJournal

#: The columns of an answer: those of the table, in the order in which people read them.
COLUMNS = (
    *("drug_id", "drug", "source", "publication_id", "title", "journal", "journal_id"),
    *("date", "date_precision", "retracted", "ambiguous", "spans"),
)


class Counted(NamedTuple):
    """How many of the mentions that were asked for count, and how many do not."""

    mentions: int
    #: Of these, those of which it is not known whether they lie in the period.
    open_mentions: int = 0
    #: Those that surely do not lie in it.
    outside_mentions: int = 0
    #: Those without a date, which are left out if a period is given.
    undated_mentions: int = 0


class MentionsOfDrugs(NamedTuple):
    """The mentions of some drugs."""

    found: Found
    #: What was asked for besides; None where nothing was.
    period: Period | None
    source: str | None
    journals: list[FoundJournal] | None
    counted: Counted
    #: Different journals among the mentions that count.
    journal_count: int
    #: The mentions that count (`COLUMNS`), the newest first; as many as were asked for.
    rows: pl.DataFrame

    def as_answer(self) -> Answer:
        """The answer in the form that JSON and CSV are written from."""
        return Answer(
            {
                **self.found.as_object(),
                "since": self.period and self.period.since,
                "until": self.period and self.period.until,
                "source": self.source,
                "in_journals": self.journals and [journal._asdict() for journal in self.journals],
                **self.counted._asdict(),
                "journals": self.journal_count,
            },
            "rows",
            self.rows,
        )


def list_mentions(
    asked: str,
    tables: Tables,
    *,
    period: Period | None = None,
    journal: str | None = None,
    source: str | None = None,
    limit: int | None = None,
) -> MentionsOfDrugs:
    """List the mentions of a drug, the newest first; those without a date come last.

    Args:
        asked: any name, code or id of a drug, or the code of an ATC class.
        tables: the tables of a release.
        period: only the mentions that do not surely lie outside it, and have a date.
        journal: only those of publications of this journal: any name or id of it.
        source: only those of publications of this source: its name.
        limit: how many are listed; all are counted.

    Raises:
        UnknownNameError: there is no such drug or journal.
    """
    found = find_drugs(asked, tables)
    journals = None if journal is None else find_journals(journal, tables)
    wanted = tables.table("mentions").filter(found.has_drug(pl.col("drug_id")))
    if source is not None:
        wanted = wanted.filter(pl.col("source") == source)
    if journals is not None:
        wanted = wanted.filter(pl.col("journal_id").is_in([j.journal_id for j in journals]))
    placed = pl.lit(Placed.INSIDE.value)
    if period is not None:
        placed = period.place_column(pl.col("date"), pl.col("date_precision"))
    figures = (
        wanted.select("journal_id", placed=placed)
        .group_by("placed")
        .agg(pl.len(), pl.col("journal_id").unique())
        .collect()
    )
    number = {str(placed): int(count) for placed, count, _ in figures.rows()}
    counts = pl.col("placed").is_in([placed.value for placed in COUNTED])
    in_journals = figures.filter(counts)["journal_id"].explode().drop_nulls().n_unique()
    if period is not None:
        wanted = wanted.filter(period.counts_column(pl.col("date"), pl.col("date_precision")))
    ordered = wanted.select(*COLUMNS).sort(
        pl.col("date"),
        sources.rank_sources(pl.col("source")),
        *("publication_id", "drug", "drug_id"),
        descending=[True, False, False, False, False],
        nulls_last=True,
    )
    rows = ordered if limit is None else ordered.head(limit)
    return MentionsOfDrugs(
        found,
        period,
        source,
        journals,
        Counted(
            sum(number.get(placed, 0) for placed in COUNTED),
            number.get(Placed.OPEN, 0),
            number.get(Placed.OUTSIDE, 0),
            number.get(Placed.UNDATED, 0),
        ),
        in_journals,
        rows.collect(),
    )
