"""Long rows: joined if that is possible in one way only, else rejected whole."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from drug_assets.formats import long_rows
from drug_assets_tests.support.frames import fields, issues, raw_rows
from drug_assets_tests.support.registry import CLINICAL_TRIALS, DRUGS, PUBMED

HEADER = "id,title,date,journal"


@pytest.mark.parametrize(
    ("header", "line", "expected"),
    [
        (
            HEADER,
            "1,Aspirin, ibuprofen and sleep,2020-01-01,J",
            ("1", "Aspirin, ibuprofen and sleep", "2020-01-01", "J"),
        ),
        (
            HEADER,
            "1,Aspirin,ibuprofen,caffeine,2020-01-01,J",
            ("1", "Aspirin,ibuprofen,caffeine", "2020-01-01", "J"),
        ),
        (
            HEADER,
            "1,In 2019, 2020, and now,2020-01-01,J",
            ("1", "In 2019, 2020, and now", "2020-01-01", "J"),
        ),
        (HEADER, "1,Aspirin,September 20, 2018,J", ("1", "Aspirin", "September 20, 2018", "J")),
        (
            HEADER,
            "1,Aspirin,2020,Journal of Care, Invented",
            ("1", "Aspirin", "2020", "Journal of Care, Invented"),
        ),
        (HEADER, "1,Aspirin,ibuprofen,2020,", ("1", "Aspirin,ibuprofen", "2020", "")),
        (HEADER, ",Aspirin,ibuprofen,NA,J", ("", "Aspirin,ibuprofen", "NA", "J")),
        (
            "id,title,journal,date",
            "1,Aspirin, ibuprofen,J,2020",
            ("1", "Aspirin, ibuprofen", "J", "2020"),
        ),
        (
            "id,title,journal,issn",
            "1,Aspirin, ibuprofen,J,1234-5678",
            ("1", "Aspirin, ibuprofen", "J", "1234-5678"),
        ),
        ("date,issn,title", "2020,,Aspirin,ibuprofen", ("2020", "", "Aspirin,ibuprofen")),
        (HEADER, "1, Aspirin,ibuprofen,2020,J", ("1", " Aspirin,ibuprofen", "2020", "J")),
        ("title", "Aspirin,ibuprofen", ("Aspirin,ibuprofen",)),
    ],
)
def test_a_value_with_separators_is_put_together(
    header: str, line: str, expected: tuple[str, ...]
) -> None:
    rows = raw_rows("f.csv", f"{header}\n{line}\n".encode())
    assert fields(rows, *header.split(",")) == [expected]
    assert issues(rows) == [["joined_row"]]


@pytest.mark.parametrize(
    ("header", "line"),
    [
        # Two places for the date, or none.
        (HEADER, "1,In 2019,2020,2021-01-01,J"),
        (HEADER, "1,Aspirin,ibuprofen,soon,J"),
        (HEADER, "1,Aspirin,September 20,2018,J"),
        # Nothing tells the title from the journal.
        ("id,title,journal", "1,Aspirin,ibuprofen,J"),
        ("title,journal", "Aspirin,ibuprofen,J"),
        (HEADER, "1," + "a," * 40 + "2020,J"),
    ],
)
def test_a_row_that_cannot_be_put_together_is_kept_as_text(header: str, line: str) -> None:
    columns = header.split(",")
    sound = ",".join(['"b"'] * len(columns))
    rows = raw_rows("f.csv", f"{header}\n{line}\n{sound}\n".encode())
    assert issues(rows) == [["misaligned_row"], []]
    assert fields(rows, *columns) == [(None,) * len(columns), ("b",) * len(columns)]
    assert json.loads(rows["extra"][0]) == {"raw": line}


@pytest.mark.parametrize(
    ("line", "extra"),
    [
        ("1,Aspirin,2020,J,,", {"#5": "", "#6": ""}),
        ("1,Aspirin,sometime,J, ,", {"#5": " ", "#6": ""}),
        ("1,Aspirin,2020,J,erratum expected", {"#5": "erratum expected"}),
        ("1,Aspirin,,,,", {"#5": "", "#6": ""}),
    ],
)
def test_surplus_behind_columns_that_did_not_slip_is_extra(
    line: str, extra: dict[str, str]
) -> None:
    rows = raw_rows("f.csv", f"{HEADER}\n{line}\n".encode())
    assert fields(rows, *HEADER.split(",")) == [tuple(line.split(",")[:4])]
    assert json.loads(rows["extra"][0]) == extra
    assert issues(rows) == [["long_row"]]


def test_a_title_is_joined_beside_surplus() -> None:
    rows = raw_rows("f.csv", f"{HEADER}\n1,Aspirin, and sleep,2020,J,note,\n".encode())
    assert fields(rows, *HEADER.split(",")) == [("1", "Aspirin, and sleep", "2020", "J")]
    assert json.loads(rows["extra"][0]) == {"#5": "note", "#6": ""}
    assert issues(rows) == [["joined_row", "long_row"]]


def test_blanks_prove_nothing_where_they_follow_every_separator() -> None:
    text = "id, title, journal\n1, Aspirin, sleep, J\n2, a, b\n"
    assert issues(raw_rows("f.csv", text.encode())) == [["misaligned_row"], []]


@pytest.mark.parametrize(
    ("header", "line", "drug"),
    [
        ("atccode,drug", "A10AC01,INSULIN, ISOPHANE", "INSULIN, ISOPHANE"),
        ("atccode,drug", "A10AC01,INSULIN,ISOPHANE", "INSULIN,ISOPHANE"),
        ("drug,atccode", "INSULIN,ISOPHANE,A10AC01", "INSULIN,ISOPHANE"),
        ("id,drug", "INV11,3,3',4',5-INVENTOL", "3,3',4',5-INVENTOL"),
        ("drug,class", "INSULIN, ISOPHANE,hormone", "INSULIN, ISOPHANE"),
        ("drug,class", "INSULIN,ISOPHANE,hormone", None),
        ("drug,id", "VITAMIN,B12,DB01", None),
    ],
)
def test_a_drug_is_never_named_by_a_piece(header: str, line: str, drug: str | None) -> None:
    rows = raw_rows("f.csv", f"{header}\n{line}\n".encode(), DRUGS)
    assert rows["drug"].to_list() == [drug]
    assert issues(rows) == [["joined_row" if drug else "misaligned_row"]]


def test_trials_are_put_together_by_their_fields() -> None:
    text = "NCT Number;Study Title;Study Status;Start Date\nNCT90000001;A; or B;COMPLETED;2020-01\n"
    rows = raw_rows("f.csv", text.encode(), CLINICAL_TRIALS)
    assert fields(rows, "id", "brief_title", "status", "date") == [
        ("NCT90000001", "A; or B", "COMPLETED", "2020-01")
    ]


WORDS = st.text("abc é", min_size=1, max_size=6).filter(str.strip)


@pytest.mark.slow
@settings(max_examples=100)
@given(
    st.lists(WORDS, min_size=1, max_size=long_rows.MAX_SURPLUS // 2),
    st.lists(WORDS, min_size=1, max_size=3),
    st.integers(1, 99_999_999),
)
def test_an_unquoted_title_is_whole_or_no_title_at_all(
    title: list[str], journal: list[str], pmid: int
) -> None:
    line = ",".join([str(pmid), *title, "2020-01-01", *journal])
    rows = raw_rows("f.csv", f"{HEADER}\n{line}\n".encode())
    (found,) = fields(rows, "id", "title", "date")
    assert found in ((str(pmid), ",".join(title), "2020-01-01"), (None, None, None))
    if len(journal) == 1:
        assert found[1] is not None


@pytest.mark.slow
@settings(max_examples=60)
@given(st.text("a1 ,2020-", max_size=40))
def test_no_text_of_a_long_row_is_lost(line: str) -> None:
    rows = raw_rows("f.csv", f"{HEADER}\n{line}\n".encode(), PUBMED)
    kept = "".join(str(value or "") for value in fields(rows, *HEADER.split(","))[0])
    for extra in filter(None, rows["extra"]):
        kept += "".join(json.loads(extra).values())
    assert sorted(kept.replace(",", "")) == sorted(line.replace(",", ""))
