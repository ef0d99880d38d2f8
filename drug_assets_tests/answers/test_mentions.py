"""The mentions of a drug: which are listed, in which order, and what is counted."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any

import pytest
from polars.io.plugins import register_io_source

from drug_assets.answers.finding import UnknownNameError
from drug_assets.answers.mentions import COLUMNS, Counted, MentionsOfDrugs, list_mentions
from drug_assets.answers.overviews import list_drugs, list_journals
from drug_assets.periods import Period
from drug_assets_tests.support.tables import TablesInMemory, rows_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    import polars as pl


def mention(
    drug: str, id_: str, date: str | None, precision: str | None = "day", **further: Any
) -> dict[str, Any]:
    """A mention of a drug, in the journal Pain by PubMed unless further columns say otherwise."""
    return {
        "drug_id": drug.casefold(),
        "drug": drug,
        "source": "pubmed",
        "publication_id": id_,
        "title": f"{drug} in title {id_}",
        "journal": "Pain",
        "journal_id": "pain",
        "date": date and dt.date.fromisoformat(date),
        "date_precision": date and precision,
        "spans": [{"start": 0, "end": len(drug), "text": drug, "by": "name"}],
        "ambiguous": False,
        **further,
    }


HEART = {"journal": "Heart", "journal_id": "heart"}
NOWHERE = {"journal": None, "journal_id": None}
MENTIONS = [
    mention("A", "1", "2003-05-12"),
    mention("A", "2", "2003-01-01", "year", **HEART),
    mention("A", "3", "2004-06-01", "month", **NOWHERE),
    mention("A", "4", None, **HEART),
    mention("A", "NCT1", "2003-05-12", source="clinical_trials", **HEART),
    mention("A", "0", "2003-05-12", retracted=True),
    mention("B", "1", "2003-05-12"),
]


def tables() -> TablesInMemory:
    names = [
        {"drug_id": i, "name": name, "source_file": "d.csv", "searched": True}
        for i, name in (("a", "A"), ("b", "B"), ("c", "C"), ("a", "ab"), ("b", "ab"))
    ]
    drugs = [{"drug_id": name.casefold(), "drug": name} for name in "ABC"]
    journals = [
        {"journal_id": name.casefold(), "journal": name, "folded_names": [name.casefold()]}
        for name in ("Heart", "Pain", "Skin")
    ]
    return TablesInMemory(
        mentions=rows_of("mentions", MENTIONS),
        drugs=rows_of("drugs", drugs),
        drug_names=rows_of("drug_names", names),
        journals=rows_of("journals", journals),
    )


def ids(answer: MentionsOfDrugs) -> list[str]:
    return answer.rows["publication_id"].to_list()


def test_all_mentions_are_listed_the_newest_first_and_those_without_a_date_last() -> None:
    answer = list_mentions("a", tables())
    assert ids(answer) == ["3", "0", "1", "NCT1", "2", "4"]
    assert answer.counted == Counted(6)
    assert answer.journal_count == 2
    assert answer.rows.columns == list(COLUMNS)


def test_a_drug_without_mentions_has_none() -> None:
    answer = list_mentions("c", tables())
    assert (ids(answer), answer.counted, answer.journal_count) == ([], Counted(0), 0)


def test_drugs_that_share_a_name_are_listed_together() -> None:
    answer = list_mentions("AB", tables())
    assert answer.found.is_ambiguous
    rows = answer.rows.select("publication_id", "drug").rows()
    assert rows[1:4] == [("0", "A"), ("1", "A"), ("1", "B")]
    assert answer.counted == Counted(7)


@pytest.mark.parametrize(
    ("since", "until", "listed", "counted"),
    [
        ("2003-05-12", None, ["3", "0", "1", "NCT1", "2"], Counted(5, 1, 0, 1)),
        ("2003-05-13", "2004-05", ["2"], Counted(1, 1, 4, 1)),
        (None, "2003", ["0", "1", "NCT1", "2"], Counted(4, 0, 1, 1)),
        ("2005", None, [], Counted(0, 0, 5, 1)),
    ],
)
def test_of_a_period_only_what_may_lie_in_it_counts(
    since: str | None, until: str | None, listed: list[str], counted: Counted
) -> None:
    answer = list_mentions("a", tables(), period=Period.parse(since, until))
    assert (ids(answer), answer.counted) == (listed, counted)


def test_a_journal_and_a_source_leave_out_the_others() -> None:
    answer = list_mentions("a", tables(), journal="HEART")
    assert (ids(answer), answer.counted, answer.journal_count) == (
        ["NCT1", "2", "4"],
        Counted(3),
        1,
    )
    answer = list_mentions("a", tables(), journal="heart", source="pubmed")
    assert ids(answer) == ["2", "4"]
    answer = list_mentions("a", tables(), journal="heart", period=Period.parse("2003-05"))
    assert (ids(answer), answer.counted) == (["NCT1", "2"], Counted(2, 1, 0, 1))
    assert ids(list_mentions("a", tables(), journal="skin")) == []
    with pytest.raises(UnknownNameError, match="close spellings: Heart"):
        list_mentions("a", tables(), journal="heartt")


def test_few_are_listed_and_all_are_counted() -> None:
    answer = list_mentions("a", tables(), limit=2)
    assert (ids(answer), answer.counted) == (["3", "0"], Counted(6))


def test_the_answer_as_json_names_what_was_understood() -> None:
    period = Period.parse("2003", "2003")
    answer = list_mentions("a", tables(), period=period, journal="pain", limit=1)
    document = answer.as_answer().as_object()
    (row,) = document.pop("rows")
    assert document == {
        "asked": "a",
        "understood_as": "name",
        "drugs": [{"drug_id": "a", "drug": "A"}],
        "since": "2003-01-01",
        "until": "2003-12-31",
        "source": None,
        "in_journals": [{"journal_id": "pain", "journal": "Pain"}],
        "mentions": 2,
        "open_mentions": 0,
        "outside_mentions": 0,
        "undated_mentions": 0,
        "journals": 1,
    }
    assert list(row) == list(COLUMNS)
    assert (row["date"], row["retracted"]) == ("2003-05-12", True)
    assert row["spans"] == [{"start": 0, "end": 1, "text": "A", "by": "name"}]


class Recording(TablesInMemory):
    """Tables that note what is read of the mentions: the columns, and whether rows are chosen."""

    def __init__(self, **tables: pl.DataFrame) -> None:
        super().__init__(**tables)
        self.read: list[tuple[set[str], bool]] = []

    def table(self, name: str) -> pl.LazyFrame:
        """The rows of a table; of mentions, as a scan that may be told what to leave out."""
        rows = super().table(name)
        if name != "mentions":
            return rows
        whole = rows.collect()

        def scan(
            with_columns: list[str] | None, predicate: pl.Expr | None, *_: Any
        ) -> Iterator[pl.DataFrame]:
            columns = with_columns or whole.columns
            self.read.append((set(columns), predicate is not None))
            chosen = whole if predicate is None else whole.filter(predicate)
            yield chosen.select(columns)

        return register_io_source(scan, schema=whole.schema)


def test_titles_are_read_only_of_the_mentions_that_are_listed() -> None:
    names = ("drugs", "drug_names", "journals", "mentions")
    recording = Recording(**{name: tables().table(name).collect() for name in names})
    answer = list_mentions("a", recording, period=Period.parse("2003"), journal="heart", limit=1)
    assert ids(answer) == ["NCT1"]
    assert [chosen for _, chosen in recording.read] == [True, True]
    counted, listed = (columns for columns, _ in recording.read)
    assert "title" not in counted
    assert "title" in listed


def test_of_all_mentions_no_title_and_no_span_is_read() -> None:
    for of_all in (list_drugs, list_journals):
        recording = Recording(mentions=rows_of("mentions", MENTIONS))
        of_all(recording)
        ((columns, _),) = recording.read
        assert not columns & {"title", "spans"}
