"""Previews: data that looks like Markdown stays data."""

from __future__ import annotations

import re

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from drug_assets.defs.previews import fence_lines, make_table

HOSTILE = [
    "![x](http://127.0.0.1:9/pixel.png)",
    "[click](javascript:alert(1))",
    "<img src=http://127.0.0.1:9/x onerror=alert(1)>",
    "https://example.org and www.example.org and a@example.org",
    "` ![x](http://127.0.0.1:9/a) `",
    "``` ![x](y) ```",
    "a | b \\| ![x](http://127.0.0.1:9/b)",
    "\\` ![x](y)",
    "# heading *bold* ~~gone~~ &lt;",
    "two\nlines\x1b[31m",
]


def cells(line: str) -> list[str]:
    """The cells of a row, as GitHub's grammar of tables splits them."""
    inner = line.removeprefix("| ").removesuffix(" |")
    found, cell, position = [], "", 0
    while position < len(inner):
        if inner[position] == "\\" and inner[position + 1 : position + 2] in {"\\", "|"}:
            cell += inner[position : position + 2]
            position += 2
            continue
        if inner[position] == "|":
            found.append(cell)
            cell = ""
        else:
            cell += inner[position]
        position += 1
    return [*found, cell]


def is_one_code_span(cell: str) -> bool:
    """Whether all of a cell is one code span, in which nothing is obeyed."""
    cell = cell.strip()
    ticks = re.match("`+", cell)
    if ticks is None:
        return cell == ""
    runs = re.findall("`+", cell)
    return len(runs) >= 2 and runs[0] == runs[-1] and runs.count(runs[0]) == 2


@pytest.mark.parametrize("title", HOSTILE)
def test_text_of_a_table_is_a_code_span(title: str) -> None:
    lines = make_table(pl.DataFrame({"title": [title], "n": [1], "names": [[title, "x"]]}))
    header, rule, row = lines.splitlines()
    assert header == "| title | n | names |"
    assert rule == "| --- | --- | --- |"
    assert len(cells(row)) == 3
    assert all(map(is_one_code_span, cells(row))), row
    assert not re.search("[\x00-\x09\x0b-\x1f]", row)


@given(st.text(alphabet="a`|\\ ![]()<>*_\n\x1b", max_size=12))
def test_no_text_gets_out_of_its_cell(title: str) -> None:
    row = make_table(pl.DataFrame({"a": [title], "b": ["x"]})).splitlines()[-1]
    assert len(cells(row)) == 2
    assert all(map(is_one_code_span, cells(row))), row


def test_long_texts_are_cut_and_nothing_stays_blank() -> None:
    rows = pl.DataFrame({"title": ["x" * 61, None, "x" * 60], "n": [None, 2, 3]})
    assert make_table(rows).splitlines()[2:] == [
        f"| `{'x' * 60}…` |  |",
        "|  | `2` |",
        f"| `{'x' * 60}` | `3` |",
    ]


def test_lines_of_a_document_stay_in_their_block() -> None:
    shown = fence_lines("json", ["{", "````", "x\x1b"])
    assert shown.splitlines() == ["`````json", "{", "````", r"x\x1b", "`````"]
