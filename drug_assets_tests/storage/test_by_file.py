"""What is made of a landed file is made once, and gives what making it anew would."""

from __future__ import annotations

from types import ModuleType
from typing import TYPE_CHECKING

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from drug_assets import contracts
from drug_assets.storage import by_file
from drug_assets.storage.by_file import ByFile, code_version
from drug_assets.storage.objects import LocalFolder

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

LARGE = {"pubmed_2.xml": [3, 1, 2], "pubmed_10.xml": [5, 4, 7]}
SMALL = {"pubmed_1.csv": [9]}
SCHEMA = {"source_file": pl.String, "number": pl.Int64}


@pytest.fixture(autouse=True)
def _few_rows_are_worth_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(by_file, "WORTH_ROWS", 3)


class Making:
    """Makes odd numbers tenfold, and notes of which files."""

    def __init__(self, store: Path) -> None:
        self.store = LocalFolder(store)
        self.of_files: list[str] = []
        self.times = 0

    def made(
        self, files: Mapping[str, list[int]], content: str = "0", version: str = "1"
    ) -> pl.DataFrame:
        self.of_files.clear()
        rows = pl.LazyFrame(
            [(file, number) for file, numbers in files.items() for number in numbers],
            schema=SCHEMA,
            orient="row",
        )
        landed = ByFile(self.store, "pubmed", {f: (content, len(n)) for f, n in files.items()})
        return landed.made("tens", version, rows, self.make).collect()

    def make(self, rows: pl.LazyFrame) -> pl.LazyFrame:
        self.times += 1
        self.of_files += (
            rows.select("source_file").unique().collect()["source_file"].sort().to_list()
        )
        odd = pl.col("number") % 2 == 1
        return rows.filter(odd).with_columns(pl.col("number") * 10)

    def kept(self) -> list[str]:
        return [found.name for found in self.store.objects()]


@pytest.fixture
def making(tmp_path: Path) -> Making:
    return Making(tmp_path / "store")


def expected(files: Mapping[str, list[int]]) -> pl.DataFrame:
    tens = [(file, n * 10) for file, numbers in files.items() for n in numbers if n % 2]
    return pl.DataFrame(tens, schema=SCHEMA, orient="row")


def test_it_is_made_once_a_file(making: Making) -> None:
    assert_frame_equal(making.made(LARGE), expected(LARGE))
    assert making.of_files == sorted(LARGE)
    assert_frame_equal(making.made(LARGE), expected(LARGE))
    assert making.times == 1


def test_a_new_file_costs_only_itself(making: Making) -> None:
    making.made(LARGE)
    more = {**LARGE, "pubmed_11.xml": [11, 12, 13]}
    assert_frame_equal(making.made(more), expected(more))
    assert making.of_files == ["pubmed_11.xml"]


def test_small_files_are_made_anew_and_come_last(making: Making) -> None:
    for _ in range(2):
        assert_frame_equal(making.made({**SMALL, **LARGE}), expected({**LARGE, **SMALL}))
        assert "pubmed_1.csv" in making.of_files
    assert len(making.kept()) == len(LARGE)


def test_small_files_can_be_set_aside(making: Making) -> None:
    aside: list[pl.DataFrame] = []

    def set_aside(rows: pl.LazyFrame) -> pl.LazyFrame:
        aside.append(rows.collect())
        return aside[-1].lazy()

    rows = pl.LazyFrame({"source_file": "pubmed_1.csv", "number": [9]})
    landed = ByFile(making.store, "pubmed", {"pubmed_1.csv": ("0", 1)})
    made = landed.made("tens", "1", rows, making.make, set_aside)
    assert_frame_equal(made.collect(), aside[0])


def test_a_file_that_gives_nothing_is_remembered_as_such(making: Making) -> None:
    nothing = {"pubmed_3.xml": [2, 4, 6]}
    for of_files in (["pubmed_3.xml"], []):
        assert making.made(nothing).is_empty()
        assert making.of_files == of_files


@pytest.mark.parametrize("change", [{"content": "1"}, {"version": "2"}])
def test_other_content_or_another_version_is_made_anew(
    making: Making, change: dict[str, str]
) -> None:
    making.made(LARGE)
    before = making.kept()
    assert_frame_equal(making.made(LARGE, **change), expected(LARGE))
    assert making.of_files == sorted(LARGE)
    assert not set(before) & set(making.kept())
    assert len(making.kept()) == len(LARGE)


def test_what_was_made_of_a_file_that_is_gone_goes_too(making: Making) -> None:
    making.made(LARGE)
    left = {"pubmed_2.xml": LARGE["pubmed_2.xml"]}
    assert_frame_equal(making.made(left), expected(left))
    assert len(making.kept()) == 1


def test_nothing_landed(making: Making) -> None:
    assert_frame_equal(making.made({}), expected({}))
    assert making.kept() == []


def test_files_that_were_not_read_have_nothing_made_of_them(tmp_path: Path) -> None:
    landed = pl.LazyFrame(
        [
            ("pubmed.xml", "pubmed", "pubmed_xml", 1, "0" * 64, 3, None),
            ("pubmed.png", "pubmed", None, 1, "0" * 64, 0, "not read"),
            ("drugs.csv", "drugs", "csv", 1, "0" * 64, 3, None),
        ],
        schema=contracts.polars_schema(contracts.LandedFiles),
        orient="row",
    )
    found = ByFile.of(LocalFolder(tmp_path), "pubmed", landed)
    assert found.files == {"pubmed.xml": ("0" * 64, 3)}


def test_code_has_another_version_when_any_of_its_files_changes(tmp_path: Path) -> None:
    for name in ("__init__.py", "part.py"):
        (tmp_path / name).write_text("a = 1\n")
    package = ModuleType("package")
    package.__file__ = str(tmp_path / "__init__.py")
    first = code_version(package)
    assert code_version(package) == first
    (tmp_path / "part.py").write_text("a = 2\n")
    assert code_version(package) != first
