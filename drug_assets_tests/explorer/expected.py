"""What the explorer must show, as the tables of a release and the commands tell it.

Nothing here knows the page: neither its blocks nor its elements.
"""

from __future__ import annotations

from calendar import month_name
from typing import TYPE_CHECKING, Any, NamedTuple

import polars as pl

from drug_assets import sources
from drug_assets.terms import DatePrecision

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import date

    from drug_assets_tests.support.runs import Run

#: The position of each source of publications in the registry.
_SOURCES = {source.name: number for number, source in enumerate(sources.PUBLICATIONS)}
_TRIALS = [source.name for source in sources.TRIALS]
TYPE_OF_SOURCE = {source.name: source.document_type for source in sources.PUBLICATIONS}


class Drug(NamedTuple):
    """A drug that titles mention, with its mentions as `in_order` sorts them."""

    id: str
    name: str
    mentions: pl.DataFrame


def drugs(run: Run) -> Iterator[Drug]:
    """Every drug that a title mentions."""
    by_drug = run.table("mentions").partition_by("drug_id", "drug", as_dict=True)
    assert by_drug  # so that tests of every drug are tests of some
    for (drug_id, name), mentions in by_drug.items():
        yield Drug(str(drug_id), str(name), in_order(mentions))


def mentions_of(run: Run, drug_id: str) -> pl.DataFrame:
    """The mentions of one drug, as `in_order` sorts them."""
    mentions = run.table("mentions").filter(drug_id=drug_id)
    assert not mentions.is_empty()
    return in_order(mentions)


def in_order(mentions: pl.DataFrame) -> pl.DataFrame:
    """Mentions in the order of the page: the latest first, those without a date last."""
    number = pl.col("source").replace_strict(_SOURCES, return_dtype=pl.Int64)
    return mentions.with_columns(
        type=pl.col("source").replace_strict(TYPE_OF_SOURCE, return_dtype=pl.String),
        trial=pl.col("source").is_in(_TRIALS),
        year=pl.col("date").dt.year(),
    ).sort(
        [-pl.col("date").dt.epoch("d"), number, "publication_id"],
        nulls_last=True,
        maintain_order=True,
    )


def since_when(mentions: pl.DataFrame) -> str:
    """The first line of a drug's page."""
    journals = mentions["journal_id"].n_unique() - (mentions["journal_id"].null_count() > 0)
    trials = int(mentions["trial"].sum())
    articles = mentions.height - trials
    who = (
        f"{_count(journals, 'journal')} {'mentions' if journals == 1 else 'mention'} it"
        if journals
        else "No journal is given for its mentions"
    )
    ranks = {str(precision): rank for rank, precision in enumerate(DatePrecision)}
    dated = (
        mentions.drop_nulls("date")
        .with_columns(rank=pl.col("date_precision").replace_strict(ranks, return_dtype=pl.Int64))
        .sort("date", "rank")
        .select("date", "date_precision")
        .rows()
    )
    since = f" since {month(*dated[0])}" if dated else ""
    latest = f"Latest: {month(*dated[-1])}." if dated else "None of them has a date."
    return f"{who}{since}: {_count(articles, 'article')}, {_count(trials, 'trial')}. {latest}"


def month(day: date, precision: str) -> str:
    """Month and year of a date, as far as they are known."""
    if precision == DatePrecision.YEAR:
        return str(day.year)
    season = " (season)" if precision == DatePrecision.SEASON else ""
    return f"{month_name[day.month]} {day.year}{season}"


def marked(mentions: pl.DataFrame) -> list[dict[str, Any]]:
    """What the row of each mention shows as evidence: id, type, title, marked words, journal."""
    return [
        {
            "id": row["publication_id"],
            "type": row["type"],
            "title": row["title"],
            "marks": [row["title"][span["start"] : span["end"]] for span in row["spans"]],
            "journal": row["journal_id"],
        }
        for row in mentions.iter_rows(named=True)
    ]


def lanes(mentions: pl.DataFrame) -> dict[str, list[tuple[str, str]]]:
    """The dates of the mentions in each journal, sorted, each with its precision."""
    by_journal: dict[str, list[tuple[str, str]]] = {}
    for row in mentions.drop_nulls("journal_id").iter_rows(named=True):
        marks = by_journal.setdefault(row["journal_id"], [])
        if row["date"] is not None:
            marks.append((row["date"].isoformat(), row["date_precision"]))
    return {journal: sorted(marks) for journal, marks in by_journal.items()}


def _count(number: int, what: str) -> str:
    return f"{number:,} {what}{'' if number == 1 else 's'}"
