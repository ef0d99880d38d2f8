"""Delivery: what is documentation, and the one order of all records."""

from __future__ import annotations

import polars as pl
import pytest

from drug_assets.delivery import add_position, is_documentation, natural_key


def _positions(*rows: tuple[str, int]) -> list[int]:
    frame = pl.LazyFrame(rows, schema=["source_file", "source_row"], orient="row")
    return add_position(frame).collect()["position"].to_list()


def test_rows_of_one_file_count_from_one() -> None:
    assert _positions(("a", 1), ("a", 2), ("a", 3)) == [1, 2, 3]


def test_files_count_on_in_natural_order_whatever_the_order_of_rows() -> None:
    rows = [("p_10", 2), ("p_9", 1), ("p_10", 1), ("p_9", 2), ("P_1", 1)]
    assert _positions(*rows) == [5, 2, 4, 3, 1]


def test_missing_rows_leave_gaps() -> None:
    assert _positions(("a", 2), ("a", 5), ("b", 3)) == [2, 5, 8]


def test_other_columns_and_the_order_of_rows_stay() -> None:
    rows = pl.LazyFrame({"source_file": ["b", "a"], "source_row": [1, 4], "title": ["x", "y"]})
    found = add_position(rows).collect()
    assert found.rows() == [("b", 1, "x", 5), ("a", 4, "y", 4)]
    assert found.schema["position"] == pl.Int64


def test_rows_that_come_file_by_file_or_mixed_in_one_batch_have_the_same_positions() -> None:
    by_file = [(file, row) for file in ("a", "b") for row in range(1, 4)]
    positions = {row: position for position, row in enumerate(by_file, 1)}
    for rows in (by_file, by_file[::-1], by_file[::2] + by_file[1::2]):
        assert _positions(*rows) == [positions[row] for row in rows]
        frames = [pl.LazyFrame([row], ["source_file", "source_row"], orient="row") for row in rows]
        found = add_position(pl.concat(frames)).collect(engine="streaming")
        assert found["position"].to_list() == [positions[row] for row in rows]


def test_no_rows_have_no_positions() -> None:
    assert _positions() == []


@pytest.mark.parametrize(
    "names",
    [
        ["p1.csv", "p2.csv", "p10.csv", "px.csv"],
        ["p1", "p1.csv", "p1a"],
        ["a", "2", "10"],
        ["A1", "a1", "B1"],
        ["p01", "p1", "p02", "p2"],
        ["a10/9", "a/9x", "a/10", "b"],
        ["pubmed24n1219.xml", "pubmed24n1220.xml", "pubmed25n0001.xml"],
    ],
)
def test_the_order_of_delivery(names: list[str]) -> None:
    listed = names[::-1]
    listed.sort(key=natural_key)
    assert listed == names


@pytest.mark.parametrize(
    ("path", "is_one"),
    [
        ("readme", True),
        ("README_first.csv", True),
        ("drugs/Readme.csv", True),
        ("notes.md", True),
        ("a/.b/c.csv", True),
        ("pubmed.csv/_SUCCESS", True),
        ("pubmed.csv/_committed_4711", True),
        ("pubmed.csv/_started_4711", True),
        ("pubmed.csv/_success.csv", False),
        ("a_success", False),
        ("readme/drugs.csv", False),
        ("notes.md/drugs.csv", False),
        ("drugs.mdx", False),
        ("mdrugs", False),
        ("a.b/drugs.csv", False),
    ],
)
def test_documentation_is_told_by_the_name_and_hidden_files_by_the_path(
    path: str, is_one: bool
) -> None:
    assert is_documentation(path) is is_one
