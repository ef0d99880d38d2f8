"""All drugs and all journals, with what is known of each."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest

from drug_assets.answers import DRUG_ORDERS, JOURNAL_ORDERS
from drug_assets.answers.overviews import list_drugs, list_journals
from drug_assets.graph import count_journal_drugs
from drug_assets_tests.answers.test_mentions import HEART, NOWHERE, mention
from drug_assets_tests.support.tables import TablesInMemory, rows_of

MENTIONS = [
    mention("B", "1", "2003-01-01", "year"),
    mention("B", "2", "2003-01-01", retracted=True, **HEART),
    mention("B", "3", "2004-06-01", "month", **NOWHERE, ambiguous=True),
    mention("B", "NCT1", None, source="clinical_trials", **HEART),
    mention("c", "1", "2001-04-01", "season"),
    mention("D", "1", None, **HEART),
    mention("D", "2", None, **HEART),
]


def tables(listed: list[dict[str, Any]] = MENTIONS) -> TablesInMemory:
    """Tables with these mentions; their drugs and journals are not yet sorted in any way."""
    drugs = [
        {"drug_id": name.casefold(), "drug": name, "names": [name, "x"], "atc_codes": ["N02"]}
        for name in ("D", "c", "A", "B")
    ]
    journals = [
        {"journal_id": name.casefold(), "journal": name, "issns": ["0000-0019"], "records": 9}
        for name in ("Skin", "Heart", "Pain")
    ]
    mentions = rows_of("mentions", listed)
    return TablesInMemory(
        mentions=mentions,
        journal_drugs=count_journal_drugs(mentions.lazy()).collect(),
        drugs=rows_of("drugs", drugs),
        journals=rows_of("journals", journals),
    )


def test_of_each_drug_it_is_told_how_often_where_and_since_when() -> None:
    answer = list_drugs(tables())
    assert (answer.total, answer.mentioned) == (4, 3)
    rows = {row["drug"]: row for row in answer.rows.iter_rows(named=True)}
    assert rows["B"] == {
        "drug_id": "b",
        "drug": "B",
        "atc_codes": ["N02"],
        "names": 2,
        "mentions": 4,
        "pubmed_mentions": 3,
        "clinical_trial_mentions": 1,
        "journals": 2,
        # Of two dates that begin with the same day, the more precise one is the first.
        "first_date": dt.date(2003, 1, 1),
        "first_date_precision": "day",
        "latest_date": dt.date(2004, 6, 1),
        "latest_date_precision": "month",
        "retracted_mentions": 1,
        "ambiguous_mentions": 1,
    }
    assert (rows["D"]["first_date"], rows["D"]["latest_date_precision"]) == (None, None)
    assert {column: value for column, value in rows["A"].items() if value == 0} == dict.fromkeys(
        (
            "mentions",
            "pubmed_mentions",
            "clinical_trial_mentions",
            "journals",
            "retracted_mentions",
            "ambiguous_mentions",
        ),
        0,
    )


def test_of_each_journal_it_is_told_how_many_drugs_it_mentions() -> None:
    answer = list_journals(tables())
    assert (answer.total, answer.mentioned) == (3, 2)
    rows = {row["journal"]: row for row in answer.rows.iter_rows(named=True)}
    assert rows["Pain"] == {
        "journal_id": "pain",
        "journal": "Pain",
        "issns": ["0000-0019"],
        "records": 9,
        "drugs": 2,
        "mentions": 2,
        "pubmed_mentions": 2,
        "clinical_trial_mentions": 0,
        "first_date": dt.date(2001, 4, 1),
        "first_date_precision": "season",
        "latest_date": dt.date(2003, 1, 1),
        "latest_date_precision": "year",
        "retracted_mentions": 0,
    }
    assert (rows["Skin"]["drugs"], rows["Skin"]["first_date"]) == (0, None)


@pytest.mark.parametrize(
    ("order", "drugs"),
    [
        ("mentions", ["B", "D", "c", "A"]),
        ("journals", ["B", "c", "D", "A"]),
        ("first", ["c", "B", "A", "D"]),
        ("latest", ["B", "c", "A", "D"]),
        ("name", ["A", "B", "c", "D"]),
    ],
)
def test_drugs_are_sorted_as_asked_for_and_ties_by_name(order: str, drugs: list[str]) -> None:
    assert order in DRUG_ORDERS
    assert list_drugs(tables(), order).rows["drug"].to_list() == drugs
    few = list_drugs(tables(), order, limit=2)
    assert (few.rows["drug"].to_list(), few.total) == (drugs[:2], 4)


#: Mentions as journal, drug and year; each way to sort their journals gives another order.
IN_JOURNALS = [
    *(("Heart", "A", year) for year in (2003, 2004, 2005, 2005)),
    *(("Pain", "A", 2001), ("Pain", "B", 2006)),
    *(("Skin", "A", 2002), ("Skin", "B", 2004), ("Skin", "c", 2004)),
]


@pytest.mark.parametrize(
    ("order", "journals"),
    [
        ("drugs", ["Skin", "Pain", "Heart"]),
        ("mentions", ["Heart", "Skin", "Pain"]),
        ("first", ["Pain", "Skin", "Heart"]),
        ("latest", ["Pain", "Heart", "Skin"]),
        ("name", ["Heart", "Pain", "Skin"]),
    ],
)
def test_journals_are_sorted_as_asked_for(order: str, journals: list[str]) -> None:
    assert order in JOURNAL_ORDERS
    listed = [
        mention(drug, f"{number}", f"{year}-01-01", journal=name, journal_id=name.casefold())
        for number, (name, drug, year) in enumerate(IN_JOURNALS)
    ]
    assert list_journals(tables(listed), order).rows["journal"].to_list() == journals
