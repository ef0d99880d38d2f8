"""Previews: data that looks like Markdown stays data."""

from __future__ import annotations

import re
from datetime import date
from pathlib import Path

import dagster_webserver
import polars as pl
import pytest
from hypothesis import given, settings
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


def shown(rows: pl.DataFrame) -> list[str]:
    """The lines of the table in a preview of all of these rows."""
    return make_table(rows, rows.height).strip("\n").splitlines()[2:]


def window_of_markdown() -> str:
    """The code by which Dagster's page shows Markdown in metadata."""
    build = Path(dagster_webserver.__file__).parent / "webapp" / "build"
    texts = (script.read_text("utf-8") for script in build.rglob("*.js"))
    (text,) = [text for text in texts if "[Show Markdown]" in text]
    _, _, after = text.partition('case"MarkdownMetadataEntry":')
    return after[:200]


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
    lines = make_table(pl.DataFrame({"title": [title], "n": [1], "names": [[title, "x"]]}), 1)
    told, _, header, rule, row = lines.strip("\n").splitlines()
    assert told == "1 row:"
    assert header == "| title | n | names |"
    assert rule == "| --- | ---: | --- |"
    assert len(cells(row)) == 3
    assert all(map(is_one_code_span, cells(row))), row
    assert not re.search("[\x00-\x09\x0b-\x1f]", row)


@settings(max_examples=50)
@given(st.text(alphabet="a`|\\ ![]()<>*_\n\x1b", max_size=12))
def test_no_text_gets_out_of_its_cell(title: str) -> None:
    rows = pl.DataFrame({"a": [title], "b": ["x"], "c": [[{"by": title}]]})
    row = shown(rows)[-1]
    assert len(cells(row)) in {1, 2, 3}, "a column of blanks is not shown"
    assert all(map(is_one_code_span, cells(row))), row


def test_long_texts_are_cut_and_nothing_stays_blank() -> None:
    rows = pl.DataFrame({"title": ["x" * 61, None, "x" * 60], "n": [None, 2, 3]})
    assert shown(rows)[2:] == [
        f"| `{'x' * 60}…` |  |",
        "|  | `2` |",
        f"| `{'x' * 60}` | `3` |",
    ]


def test_values_are_written_as_people_write_them() -> None:
    rows = pl.DataFrame(
        {
            "yes": [True],
            "no": [False],
            "count": [1234567],
            "names": [["a", "b"]],
            "many": [[str(n) for n in range(7)]],
            "spans": [[{"start": 0, "end": 7, "by": None}, {"start": 9, "end": 1000, "by": "x"}]],
            "day": [date(2020, 1, 2)],
        }
    )
    assert [cell.strip() for cell in cells(shown(rows)[-1])] == [
        "`yes`",
        "`no`",
        "`1,234,567`",
        "`a, b`",
        "`0, 1, 2, 3, 4 and 2 more`",
        "`start 0, end 7; start 9, end 1,000, by x`",
        "`2020\N{NON-BREAKING HYPHEN}01\N{NON-BREAKING HYPHEN}02`",
    ]


def test_a_raw_row_is_shown_by_what_no_other_column_has() -> None:
    record = '{"source_row": 7, "id": "12", "title": null, "read_issues": [], "names": ["a", "b"]}'
    rows = pl.DataFrame({"source_row": [7, 8, 9], "record": [record, None, "{}"]})
    assert [cells(row)[1].strip() for row in shown(rows)[2:]] == ["`id 12, names a, b`", "", ""]


@pytest.mark.parametrize("text", ["{", "{7}", "[1]", "7", "null", '"x"', "{not JSON}"])
def test_text_that_is_no_object_of_json_is_shown_as_it_is(text: str) -> None:
    rows = pl.DataFrame({"n": [1, 2], "title": [text, '{"a": 1}']})
    assert cells(shown(rows)[2])[1].strip() == f"`{text}`"


def test_a_preview_leaves_out_what_says_nothing() -> None:
    rows = pl.DataFrame(
        {
            "drug_id": ["a"], "drug": ["A"], "publication_id": ["1"],
            "nothing": [None], "blank": [""], "none": [[]], "journal_id": [None],
        },
        schema_overrides={"nothing": pl.String, "none": pl.List(pl.String)},
    )  # fmt: skip
    assert shown(rows)[0] == "| drug | publication_id |"


def test_a_table_without_rows_says_so() -> None:
    assert make_table(pl.DataFrame(schema={"a": pl.String}), 0) == "No rows."


def test_a_date_is_shown_as_far_as_it_is_known() -> None:
    days = [date(2003, 2, 1)] * 4 + [None]
    precisions = ["day", "month", "season", "year", None]
    rows = pl.DataFrame({"n": range(5), "date": days, "date_precision": precisions})
    assert shown(rows)[0] == "| n | date |"
    known = [cells(row)[1].strip("` ") for row in shown(rows)[2:]]
    known = [day.replace("\N{NON-BREAKING HYPHEN}", "-") for day in known]
    assert known == ["2003-02-01", "2003-02", "2003-02 (season)", "2003", ""]


@pytest.mark.parametrize(
    ("rows", "of_rows", "told"),
    [(1, 1, "1 row:"), (2, 2, "2 rows:"), (2, 1000, "2 of 1,000 rows, evenly spread:")],
)
def test_a_preview_says_of_how_many_rows_it_is(rows: int, of_rows: int, told: str) -> None:
    preview = make_table(pl.DataFrame({"n": range(rows)}), of_rows)
    assert preview.splitlines()[:2] == [told, ""]


def test_a_preview_is_long_enough_for_a_window_of_its_own() -> None:
    for preview in (
        make_table(pl.DataFrame({"n": [1]}), 1),
        fence_lines("json", ["{"]),
        make_table(pl.DataFrame({"title": ["x" * 60] * 5, "journal": ["y" * 60] * 5}), 5),
    ):
        assert len(preview) >= 1000
    assert "length<1e3" in window_of_markdown(), "the size from which Dagster opens a window"


def test_lines_of_a_document_stay_in_their_block() -> None:
    block = fence_lines("json", ["{", "````", "x\x1b"])
    assert block.strip().splitlines() == ["`````json", "{", "````", r"x\x1b", "`````"]


def test_text_that_nests_too_deep_is_shown_as_it_is() -> None:
    assert cells(shown(pl.DataFrame({"title": ["[" * 100_000]}))[2])[0] == f"`{'[' * 60}…`"
