"""Backslash escapes of quotes: read where a file uses them, characters where it does not."""

from __future__ import annotations

import json
from itertools import pairwise
from typing import TYPE_CHECKING

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from drug_assets.formats import backslashes, delimited
from drug_assets_tests.support.frames import fields, issues, raw_rows
from drug_assets_tests.support.registry import PUBMED

if TYPE_CHECKING:
    from collections.abc import Sequence

ESCAPED = r"""id,title,date
1,"Effects of \"aspirin\" on sleep",2020
2,"The \"SUNRISE\", a trial",2020
3,plain,2020
4,"what is \"metformin\"",2020
"""


def test_are_escapes_where_a_file_uses_them() -> None:
    more = r"""5,"C:\\temp \xc3\xb1 \n",2020
6,C:\\a,2020
"""
    rows = raw_rows("f.csv", (ESCAPED + more).encode())
    assert fields(rows, "title", "date") == [
        ('Effects of "aspirin" on sleep', "2020"),
        ('The "SUNRISE", a trial', "2020"),
        ("plain", "2020"),
        ('what is "metformin"', "2020"),
        (r"C:\temp \xc3\xb1 \n", "2020"),
        (r"C:\\a", "2020"),
    ]
    assert issues(rows) == [[]] * 6


def test_are_characters_where_a_file_doubles_quotes() -> None:
    text = r"""id,title,date
1,"a ""b"" \",2020
2,"c\\","2020"
3,"d "" e",2020
"""
    rows = raw_rows("f.csv", text.encode())
    assert rows["title"].to_list() == ['a "b" \\', r"c\\", 'd " e']
    assert issues(rows) == [[]] * 3


def test_are_characters_though_one_line_escapes() -> None:
    text = r'''id,title,date
1,"a \",2020
2,"b ""c""",2020
3,"d \"e\" f",2020
'''
    rows = raw_rows("f.csv", text.encode())
    assert rows["title"].to_list() == ["a \\", 'b "c"', r"d \"e\" f"]
    assert issues(rows) == [[], [], ["stray_quote"]]


def test_are_escapes_in_values_of_several_lines() -> None:
    text = 'id,title\n1,"a \\"b\\"\nc \\\\ \\"d\\""\n2,"e\n\\"f"\n'
    rows = raw_rows("f.csv", text.encode())
    assert rows["title"].to_list() == ['a "b"\nc \\ "d"', 'e\n"f']
    assert issues(rows) == [[], []]


def test_stay_in_the_text_of_rejected_rows() -> None:
    line = r'5,"a \"b\"","c\\",d,e'
    rows = raw_rows("f.csv", f"{ESCAPED}{line}\n".encode())
    assert json.loads(rows["extra"].to_list()[-1]) == {"raw": line}


@pytest.mark.slow
@settings(max_examples=60)
@given(st.lists(st.text('ab\\"\n,;é', max_size=6), min_size=1, max_size=6), st.integers(1, 40))
def test_are_read_back_as_they_are_written(titles: list[str], chunk: int) -> None:
    def quote(text: str) -> str:
        return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'

    lines = [f"{i},{quote(title)},2020\n" for i, title in enumerate(titles)]
    data = (ESCAPED * 4 + "".join(lines)).encode()
    chunks = [data[start : start + chunk] for start in range(0, len(data), chunk)]
    (rows,) = delimited.read_batches(PUBMED.record_shape(), "f.csv", chunks)
    assert rows["title"].to_list()[-len(titles) :] == titles


def test_are_decided_by_what_is_read_ahead(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(backslashes, "LOOK_AHEAD_CHARS", 64)
    text = 'id,title\n1,"a\\\\"\n' + "2,b\n" * 20 + '3,"c \\"d\\" e"\n4,"f\\\\"\n'
    chunks = [text[start : start + 16].encode() for start in range(0, len(text), 16)]
    (rows,) = delimited.read_batches(PUBMED.record_shape(), "f.csv", chunks)
    assert rows["title"].to_list() == [r"a\\", *["b"] * 20, 'c "d" e', "f\\"]


def test_escape_separators_and_line_ends_in_a_file_without_quotes() -> None:
    text = "id\ttitle\tdate\n1\ta\\\tb\t2020\n2\tc\\\nd\\\\\t\\N\n3\te\\f\t2021\n"
    rows = raw_rows("f.tsv", text.encode())
    assert fields(rows, "id", "title", "date") == [
        ("1", "a\tb", "2020"),
        ("2", "c\nd\\", "\\N"),
        ("3", "e\\f", "2021"),
    ]
    assert issues(rows) == [[]] * 3


def test_are_characters_before_separators_that_separate() -> None:
    rows = raw_rows("f.csv", b"id,title,date\n1,C:\\,2020\n2,D:\\,2021\n3,E:\\\n")
    assert rows["title"].to_list() == ["C:\\", "D:\\", "E:\\"]


@settings(max_examples=60)
@given(st.lists(st.text("ab\\\n,é", max_size=6), min_size=1, max_size=6), st.integers(1, 40))
def test_without_quotes_are_read_back_as_they_are_written(titles: list[str], chunk: int) -> None:
    titles = ["x,y", *titles]
    escaped = ["".join("\\" * (c in "\\,\n") + c for c in title) for title in titles]
    lines = [f"{n},{title},2020\n" for n, title in enumerate(escaped)]
    data = "".join(["id,title,date\n", *lines]).encode()
    chunks = (data[i : i + chunk] for i in range(0, len(data), chunk))
    batches = delimited.read_batches(PUBMED.record_shape(), "f.csv", chunks)
    assert [title for batch in batches for title in batch["title"]] == titles


def _titles(data: bytes, cuts: Sequence[int]) -> list[str | None]:
    places = [0, *(cut for cut in cuts if cut < len(data)), len(data)]
    chunks = [data[start:end] for start, end in pairwise(places)]
    batches = delimited.read_batches(PUBMED.record_shape(), "f.csv", chunks)
    return pl.concat(batches)["title"].to_list()


@pytest.mark.parametrize("look_ahead", [1, 30, backslashes.LOOK_AHEAD_CHARS])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    lines=st.lists(
        st.sampled_from(
            [
                *(r'1,"a \"b\" c",d', r'2,"a ""b"" c",d', r'3,"a \\",d', r"4,a\,b,c", r"5,a\,b"),
                *(
                    r'6,"a\,b","c',
                    r'7,"a,b",c',
                    "8,a\\",
                    r'9,"a \"b',
                    r'10,a "b" \"c\",d',
                    "",
                    "11",
                ),
            ]
        ),
        max_size=8,
    ),
    cuts=st.lists(st.integers(15, 200), unique=True, max_size=8).map(sorted),
)
def test_are_the_same_whatever_the_chunks(
    lines: list[str],
    cuts: list[int],
    end: str,
    look_ahead: int,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(backslashes, "LOOK_AHEAD_CHARS", look_ahead)
    data = end.join(["id,title,date", *lines]).encode()
    assert _titles(data, cuts) == _titles(data, [])


def test_are_escapes_though_some_lines_have_quotes() -> None:
    text = 'id,title,date\n1,the "x",2020\n2,a\\, b,2021\n3,"c\\\\",2022\n'
    rows = raw_rows("f.csv", text.encode())
    assert rows["title"].to_list() == ['the "x"', "a, b", "c\\"]


def test_are_characters_in_a_file_that_quotes_separators() -> None:
    text = 'id,title,date\n1,"a, b",2020\n2,C:\\,2021\n3,c\\,d,2022\n'
    rows = raw_rows("f.csv", text.encode())
    assert rows["title"].to_list() == ["a, b", "C:\\", "c\\,d"]
