"""Answers as JSON and as CSV: what comes back, and what a spreadsheet must not run."""

from __future__ import annotations

import csv
import datetime as dt
import io
import json

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from drug_assets.answers import forms
from drug_assets.answers.forms import Answer
from drug_assets.exports.lines import guard_formulas
from drug_assets_tests.support import node

ROWS = pl.DataFrame(
    {
        "text": ["plain", None, 'with "quotes", a comma\nand lines', "=1+1"],
        "date": [dt.date(2003, 5, 12), None, None, None],
        "number": [1, -2, None, 4],
        "flag": [True, False, None, None],
        "list": [["a", "b"], [], ["=x"], ["c"]],
        "spans": [[{"start": 0, "text": "a"}, {"start": 4, "text": "b"}], [], [], []],
    },
    schema_overrides={"spans": pl.List(pl.Struct({"start": pl.Int64, "text": pl.String}))},
)


def cells(answer: Answer) -> list[list[str]]:
    text = "".join(answer.csv_lines())
    assert text.startswith("\ufeff")
    return list(csv.reader(io.StringIO(text.removeprefix("\ufeff"), newline=""), strict=True))


def test_json_comes_back_as_it_was(monkeypatch: pytest.MonkeyPatch) -> None:
    answer = Answer({"since": dt.date(2003, 1, 1), "asked": "é\u202e"}, "rows", ROWS)
    document = json.loads("\n".join(answer.json_lines()))
    assert document == {
        "since": "2003-01-01",
        "asked": "é\u202e",
        "rows": [
            {**row, "date": row["date"] and row["date"].isoformat()}
            for row in ROWS.iter_rows(named=True)
        ],
    }
    assert answer.as_object() == document
    monkeypatch.setattr(forms, "_ROWS", 3)
    assert Answer({}, "rows", ROWS).as_object()["rows"] == document["rows"]
    assert Answer({}, "rows", ROWS.clear()).as_object() == {"rows": []}


def test_json_holds_no_character_that_a_terminal_obeys() -> None:
    lines = list(
        Answer(
            {"asked": "\x9b\u202e"}, "rows", pl.DataFrame({"a": ["\x9b\u202e\x1b[2J"]})
        ).json_lines()
    )
    assert not set("".join(lines)) & set("\x9b\u202e\x1b")
    assert json.loads("".join(lines)) == {
        "asked": "\x9b\u202e",
        "rows": [{"a": "\x9b\u202e\x1b[2J"}],
    }


def test_csv_is_what_a_spreadsheet_reads(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = cells(Answer({}, "rows", ROWS))
    assert whole == [
        ["text", "date", "number", "flag", "list", "spans"],
        ["plain", "2003-05-12", "1", "true", "a; b", "a; b"],
        ["", "", "-2", "false", "", ""],
        ['with "quotes", a comma\nand lines', "", "", "", "'=x", ""],
        ["'=1+1", "", "4", "", "c", ""],
    ]
    monkeypatch.setattr(forms, "_ROWS", 1)
    assert cells(Answer({}, "rows", ROWS)) == whole
    assert cells(Answer({}, "rows", ROWS.clear())) == whole[:1]


@pytest.mark.parametrize(("kind", "guard"), [("formulas", "'"), ("texts", "")])
def test_no_text_is_a_formula(kind: str, guard: str) -> None:
    """The tests of the explorer read the same table, so both guard the same texts."""
    texts = node.read_table("formulas.json")[kind]
    assert texts
    guarded = pl.DataFrame({"a": texts}).select(guard_formulas(pl.col("a"))).to_series()
    assert guarded.to_list() == [f"{guard}{text}" for text in texts]


@pytest.mark.slow
@settings(max_examples=50)
@given(st.lists(st.text(), max_size=5))
def test_any_text_comes_back_from_both_forms(texts: list[str]) -> None:
    clean = [text.encode(errors="ignore").decode() for text in texts]
    answer = Answer({}, "rows", pl.DataFrame({"a": clean, "n": 1}, {"a": pl.String, "n": pl.Int64}))
    assert [row["a"] for row in answer.as_object()["rows"]] == clean
    shown = [row[0] for row in cells(answer)[1:]]
    assert [one.removeprefix("'") for one in shown] == [one.removeprefix("'") for one in clean]
