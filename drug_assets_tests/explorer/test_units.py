"""What the sources of the explorer's page compute without a browser, and the files it saves."""

from __future__ import annotations

import re
from datetime import datetime
from typing import TYPE_CHECKING

import openpyxl
import pytest
from openpyxl.worksheet.worksheet import Worksheet

from drug_assets.terms import SpanOrigin, TrialPublicationKind
from drug_assets_tests.support import node

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

TESTS = sorted(path.name for path in (node.EXPLORER / "tests").glob("*.test.ts"))
#: The first ones of `tests/hostile.ts`.
TEXTS = [
    "=1+1",
    "  @SUM(A1)",
    "-308 TNF",
    '+cmd|" /C calc"!A0',
    'quotes " and; semicolons, commas',
]


@pytest.fixture(scope="module")
def opened(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], list[Worksheet]]:
    """Opens a file that the page's code wrote; returns its sheets."""
    folder: Path = tmp_path_factory.mktemp("sheets")
    node.run("tests/write-sheets.ts", str(folder))

    def open_file(name: str) -> list[Worksheet]:
        book = openpyxl.load_workbook(folder / f"{name}.xlsx")
        return [sheet for sheet in book.worksheets if isinstance(sheet, Worksheet)]

    return open_file


@pytest.mark.parametrize("language", ["en", "fr"])
@pytest.mark.parametrize(
    ("block", "terms"),
    [("kinds", set(TrialPublicationKind)), ("by", set(SpanOrigin) - {SpanOrigin.NAME})],
)
def test_every_term_that_the_page_of_a_drug_shows_has_words(
    language: str, block: str, terms: set[str]
) -> None:
    source = (node.EXPLORER / f"src/words-drug-{language}.ts").read_text(encoding="utf-8")
    (said,) = re.findall(rf"^    {block}: {{$(.*?)^    }}", source, re.MULTILINE | re.DOTALL)
    assert set(re.findall(r"^      (\w+):", said, re.MULTILINE)) == set(map(str, terms))


@pytest.mark.processes
def test_units() -> None:
    node.run("--test", *(f"tests/{name}" for name in TESTS))


@pytest.mark.processes
def test_texts_in_a_saved_file_are_texts_whatever_they_begin_with(
    opened: Callable[[str], list[Worksheet]],
) -> None:
    (sheet,) = opened("hostile")
    assert [cell.value for cell in sheet[1]] == ["Text", "Number", "=Date"]
    texts = [row[0] for row in sheet.iter_rows(min_row=2, max_row=11)]
    assert [cell.value for cell in texts[: len(TEXTS)]] == TEXTS
    assert {cell.data_type for cell in texts} <= {"s", "inlineStr"}
    assert texts[6].value == "0012"
    assert texts[8].value == "é 💊"
    assert sheet.column_dimensions["A"].width == 40


@pytest.mark.processes
def test_dates_in_a_saved_file_are_dates_that_show_what_is_known(
    opened: Callable[[str], list[Worksheet]],
) -> None:
    (sheet,) = opened("hostile")
    dates = [sheet.cell(row, 3) for row in range(12, 16)]
    assert [cell.value for cell in dates] == [
        datetime(2022, 8, 8),  # noqa: DTZ001
        datetime(2003, 7, 1),  # noqa: DTZ001
        datetime(2003, 1, 1),  # noqa: DTZ001
        "1899-12-31",  # before what spreadsheets count
    ]
    assert [cell.number_format for cell in dates[:3]] == ["yyyy\\-mm\\-dd", "yyyy\\-mm", "yyyy"]
    assert sheet.cell(12, 2).value == 1.5


@pytest.mark.processes
def test_a_text_longer_than_a_cell_holds_is_cut_and_counted(
    opened: Callable[[str], list[Worksheet]], tmp_path: Path
) -> None:
    (sheet,) = opened("long")
    text = sheet["A2"].value
    assert isinstance(text, str)
    # Counted as spreadsheets do; the character on the edge is left out, not cut in two.
    assert len(text.encode("utf-16-le")) // 2 == 32_766
    assert text.endswith("a…")
    assert sheet["A3"].value == "short"
    assert "long 1" in node.run("tests/write-sheets.ts", str(tmp_path))


@pytest.mark.processes
def test_rows_that_one_sheet_does_not_hold_go_to_further_ones(
    opened: Callable[[str], list[Worksheet]],
) -> None:
    sheets = opened("many")
    assert [sheet.title for sheet in sheets] == ["Many", "Many 2", "Many 3"]
    rows = [[row[0].value for row in sheet.iter_rows()] for sheet in sheets]
    assert rows == [["Number", 0, 1, 2, 3], ["Number", 4, 5, 6, 7], ["Number", 8, 9]]
    assert [sheet.max_row for sheet in opened("full")] == [5]
    assert [sheet.max_row for sheet in opened("empty")] == [1]
