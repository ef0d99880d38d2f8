"""The table of ATC classes: which there are, their names, and what is counted for each."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from drug_assets import graph
from drug_assets.sources.tables import TABLES
from drug_assets.terms import ATC_LEVELS
from drug_assets_tests.support.raw import (
    Row,
    drug_rows,
    held_to,
    listed_drug,
    mention,
    records_of,
    table,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

LANCET = {"journal": "Lancet", "journal_id": "lancet"}
NATURE = {"journal": "Nature", "journal_id": "nature"}


def classes(
    drugs: Iterable[Row] = (), mentions: Iterable[Row] = (), listed: Iterable[Row] = ()
) -> dict[str, Row]:
    """The table, by class; `listed` are raw rows of drug lists."""
    records = records_of({"drugs": drug_rows(*listed)})["drugs"]
    found = graph.count_atc_classes(table("drugs", *drugs), table("mentions", *mentions), records)
    rows = held_to(TABLES["atc_classes"].contract, found).to_dicts()
    assert [row["class"] for row in rows] == sorted(row["class"] for row in rows)
    return {row["class"]: row for row in rows}


def of_who(code: str, name: str, **fields: object) -> Row:
    """A row of the WHO's table."""
    return {"atccode": code, "atc_name": name, **fields}


def counts(row: Row) -> tuple[int, int, int]:
    return row["drugs"], row["mentions"], row["journals"]


def test_a_drug_is_of_the_classes_of_its_codes_and_of_all_above() -> None:
    found = classes([listed_drug("Alpha", atc_codes=["A04AD", "B01AC06"])])
    assert [(row["level"], code, row["parent"]) for code, row in found.items()] == [
        (1, "A", None),
        (2, "A04", "A"),
        (3, "A04A", "A04"),
        (4, "A04AD", "A04A"),
        (1, "B", None),
        (2, "B01", "B"),
        (3, "B01A", "B01"),
        (4, "B01AC", "B01A"),
        (5, "B01AC06", "B01AC"),
    ]
    assert {counts(row) for row in found.values()} == {(1, 0, 0)}
    assert {row["name"] for row in found.values()} == {None}


def test_a_class_that_a_list_names_is_there_with_all_above_it() -> None:
    found = classes(listed=[of_who("n02ba", "Salicylic acid and derivatives")])
    assert {code: row["name"] for code, row in found.items()} == {
        "N": None,
        "N02": None,
        "N02B": None,
        "N02BA": "Salicylic acid and derivatives",
    }
    assert {counts(row) for row in found.values()} == {(0, 0, 0)}


def test_without_codes_and_names_there_are_none() -> None:
    assert classes([listed_drug("Alpha")], [mention("Alpha")], [{"drug": "Alpha"}]) == {}


@pytest.mark.parametrize(
    ("names", "shown"),
    [
        (["Beta", "Alpha", "Beta"], "Beta"),
        (["Beta", "Alpha"], "Alpha"),
        (["b", "B"], "B"),
        ([" Beta ", "Alpha", "Beta"], "Beta"),
    ],
)
def test_of_several_spellings_the_most_frequent_counts(names: Sequence[str], shown: str) -> None:
    assert classes(listed=[of_who("A", name) for name in names])["A"]["name"] == shown


def test_a_row_that_is_rejected_for_its_form_names_nothing() -> None:
    listed = [of_who("A", "Alpha", read_issues=["misaligned_row"]), of_who("B", "Beta")]
    assert list(classes(listed=listed)) == ["B"]


def test_the_name_of_a_drug_is_not_that_of_its_class() -> None:
    drugs = [listed_drug("Alpha", atc_codes=["A04AD"])]
    listed = [{"drug": "Alpha", "atccode": "A04AD"}, of_who("A04AD", "Group")]
    assert classes(drugs, listed=listed)["A04AD"]["name"] == "Group"
    assert classes(drugs, listed=listed[:1])["A04AD"]["name"] is None


def test_a_drug_counts_once_in_a_class_however_many_codes_of_it_it_has() -> None:
    drugs = [
        listed_drug("Alpha", atc_codes=["N02BA01", "N02BA51"]),
        listed_drug("Beta", atc_codes=["N02BE01"]),
    ]
    mentions = [
        mention("Alpha", "1", **LANCET),
        mention("Alpha", "2", **LANCET),
        mention("Alpha", "2", "clinical_trials", **NATURE),
        mention("Beta", "2", **LANCET),
        mention("Beta", "3"),
    ]
    found = classes(drugs, mentions)
    assert counts(found["N02B"]) == (2, 5, 2)
    assert counts(found["N02BA"]) == counts(found["N02BA51"]) == (1, 3, 2)
    assert counts(found["N02BE01"]) == (1, 2, 1)


CODES = ("A", "A04", "A04A", "A04AD", "A04AD01", "A04AD02", "B01AC06", "N02BA01", "N02BE01")


def is_of(drug: Row, code: str) -> bool:
    return any(held.startswith(code) for held in drug["atc_codes"])


@settings(max_examples=60, deadline=None)
@pytest.mark.slow
@given(
    codes=st.lists(st.lists(st.sampled_from(CODES), unique=True, max_size=4), max_size=5),
    mentioned=st.lists(
        st.tuples(
            st.integers(0, 4), st.integers(0, 3), st.sampled_from(["lancet", "nature", None])
        ),
        unique_by=lambda m: m[:2],
    ),
    named=st.lists(st.tuples(st.sampled_from(CODES), st.sampled_from(["x", "y"]))),
)
def test_the_table_is_what_its_words_say(
    codes: list[list[str]],
    mentioned: list[tuple[int, int, str | None]],
    named: list[tuple[str, str]],
) -> None:
    drugs = [listed_drug(f"Drug {n}", atc_codes=sorted(held)) for n, held in enumerate(codes)]
    mentions = [
        mention(f"Drug {drug}", str(publication), journal=journal, journal_id=journal)
        for drug, publication, journal in mentioned
        if drug < len(drugs)
    ]
    found = classes(drugs, mentions, [of_who(code, name) for code, name in named])
    given_codes = {*(code for held in codes for code in held), *(code for code, _ in named)}
    assert found.keys() == {
        code[:length] for code in given_codes for length in ATC_LEVELS if len(code) >= length
    }
    for code, row in found.items():
        of_class = {drug["drug_id"] for drug in drugs if is_of(drug, code)}
        theirs = [m for m in mentions if m["drug_id"] in of_class]
        journals = {m["journal_id"] for m in theirs} - {None}
        assert counts(row) == (len(of_class), len(theirs), len(journals))
        names = sorted(name for other, name in named if other == code)
        assert row["name"] == max(names, key=names.count, default=None)
