"""CSV and XLSX, opened as spreadsheets open them."""

from __future__ import annotations

import csv
import errno
import gc
import io
import zipfile
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

import openpyxl
import pytest
import xlsxwriter  # type: ignore[import-untyped]
from hypothesis import given
from hypothesis import settings as examples
from hypothesis import strategies as st
from openpyxl.utils.escape import unescape

from drug_assets.exports import Of, Request, sheets
from drug_assets.exports.parts import Sheet
from drug_assets_tests.exports import made
from drug_assets_tests.exports.made import export, strip

if TYPE_CHECKING:
    from pathlib import Path

    from drug_assets.exports import Tables, Written


def read_csv(data: bytes, separator: str = ",") -> list[dict[str, str]]:
    text = data.decode("utf-8-sig")
    return list(csv.DictReader(io.StringIO(text, newline=""), delimiter=separator))


def write_xlsx(
    tables: Tables, of: Of = Of.MENTIONS, scratch: Path | None = None
) -> tuple[openpyxl.Workbook, Written]:
    file = io.BytesIO()
    written = Request.parse(f"{of}.xlsx").write(tables, file, scratch)
    return openpyxl.load_workbook(file), written


def cells(sheet: Any) -> list[dict[str, Any]]:
    """The cells below the header, by its names."""
    head, *rows = sheet.iter_rows()
    names = [cell.value for cell in head]
    return [dict(zip(names, row, strict=True)) for row in rows]


def rows_of(tables: Tables, of: Of = Of.MENTIONS) -> list[dict[str, Any]]:
    return [row for batch in Sheet(of, tables).rows() for row in batch.to_dicts()]


def test_rows_come_by_drug_the_newest_first_and_undated_last() -> None:
    assert [(r["drug"], r["date"]) for r in read_csv(export("mentions.csv"))] == [
        ("Alphazine", "2020-05-17"),
        ("Alphazine", "2020-05-17"),
        ("Alphazine", "2003-01-01"),
        ("Betanol", "2020-05-17"),
        ("Betanol", ""),
    ]


@pytest.mark.parametrize("of", Of)
def test_csv_has_the_rows_and_columns_of_the_tables(of: Of) -> None:
    data = export(f"{of}.csv")
    assert data.startswith(b"\xef\xbb\xbfdrug,")
    assert data.count(b"\r\n") == data.count(b"\n") == len(rows_of(made.tables(), of)) + 1

    def shown(value: Any) -> str:
        return str(value).lower() if isinstance(value, bool) else str(value or "")

    expected = rows_of(made.tables(), of)
    assert read_csv(data) == [
        {
            name: "0" if value == 0 and of is Of.JOURNALS else shown(value)
            for name, value in r.items()
        }
        for r in expected
    ]


def test_a_publication_has_the_address_of_its_page_if_its_id_is_one_of_that_site() -> None:
    tables = made.tables(
        [
            made.mention("Alphazine", "12345678"),
            made.mention("Alphazine", "pubmed:00ff"),
            made.mention("Alphazine", "NCT01234567", source=made.TRIAL),
            made.mention("Alphazine", "NCT01234567"),
            made.mention("Alphazine", "ISRCTN1\n", source=made.TRIAL),
        ]
    )
    links = {(r["type"], r["publication_id"]): r["link"] for r in rows_of(tables)}
    assert {key: link for key, link in links.items() if link} == {
        ("pubmed", "12345678"): "https://pubmed.ncbi.nlm.nih.gov/12345678/",
        ("clinical_trial", "NCT01234567"): "https://clinicaltrials.gov/study/NCT01234567",
    }


def test_no_cell_of_a_csv_is_a_formula_and_nothing_else_changes() -> None:
    tables = made.hostile()
    for found, row in zip(read_csv(export("mentions.csv", tables)), rows_of(tables), strict=True):
        for column in ("title", "words", "drug", "journal_id"):
            assert found[column] in {row[column], f"'{row[column]}"}
            assert found[column].lstrip()[:1] not in tuple("=+-@|%\t\r")
            assert found[column][:1] not in "\t\r"
            is_guarded = found[column] != row[column]
            assert is_guarded == (row[column].lstrip()[:1] in tuple("=+-@|%"))


def test_csv_can_have_the_separator_that_a_french_excel_expects() -> None:
    file = io.BytesIO()
    request = Request.parse("mentions.csv")
    Request(request.of, request.format, separator=";").write(made.hostile(), file)
    found = read_csv(file.getvalue(), ";")
    assert [row["publication_id"] for row in found] == [
        row["publication_id"] for row in read_csv(export("mentions.csv", made.hostile()))
    ]


@pytest.mark.parametrize("of", Of)
def test_a_workbook_has_the_rows_of_the_tables(of: Of) -> None:
    book, written = write_xlsx(made.tables(), of)
    assert book.sheetnames == [of]
    expected = rows_of(made.tables(), of)
    assert written == ({"row": len(expected)}, ())
    for found, row in zip(cells(book[of]), expected, strict=True):
        for name, value in row.items():
            seen = found[name].value
            assert (seen.date() if isinstance(seen, datetime) else seen) == value


def test_every_text_of_a_workbook_is_text() -> None:
    tables = made.hostile()
    book, _ = write_xlsx(tables)
    for found, row in zip(cells(book["mentions"]), rows_of(tables), strict=True):
        for column in ("drug", "title", "words", "publication_id", "journal", "journal_id"):
            assert found[column].data_type == "s"
            # Line ends of any kind are one kind in XML.
            assert normal(found[column].value) == strip(row[column]).replace("\r", "\n")
            assert found[column].hyperlink is None


def normal(text: str) -> str:
    """A text as Excel shows it: it reads `_x000D_` as a character, and `_x005F_` as `_`."""
    return unescape(text).replace("\r\n", "\n").replace("\r", "\n")


def test_a_date_shows_what_is_known_of_it() -> None:
    known = {
        "day": "yyyy-mm-dd",
        "month": "yyyy-mm",
        "season": 'yyyy-mm" (season)"',
        "year": "yyyy",
    }
    tables = made.tables(
        made.mention("Alphazine", f"{number}", date=date(2003, 4, 1), date_precision=precision)
        for number, precision in enumerate(known)
    )
    book, _ = write_xlsx(tables)
    rows = cells(book["mentions"])
    assert {row["date_precision"].value: row["date"].number_format for row in rows} == known
    for row in rows:
        assert row["date"].is_date
        assert row["date"].value == datetime(2003, 4, 1)  # noqa: DTZ001 - so is it in the file


@pytest.mark.parametrize(
    ("precision", "shown"),
    [
        ("day", "1899-07-09"),
        ("month", "1899-07"),
        ("season", "1899-07 (season)"),
        ("year", "1899"),
    ],
)
def test_a_date_that_spreadsheets_do_not_have_is_a_text(precision: str, shown: str) -> None:
    tables = made.tables(
        [made.mention("Alphazine", "1", date=date(1899, 7, 9), date_precision=precision)]
    )
    (found,) = cells(write_xlsx(tables)[0]["mentions"])
    assert found["date"].value == shown


@pytest.mark.parametrize("character", ["x", "𝔘"])
def test_a_text_that_is_too_long_for_a_cell_is_cut_and_that_is_said(character: str) -> None:
    title = character * 40_000
    book, written = write_xlsx(made.tables([made.mention("Alphazine", "1", title=title)]))
    (found,) = cells(book["mentions"])
    units = len(found["title"].value.encode("utf-16-le")) // 2
    assert sheets.MOST_CHARACTERS - 1 <= units <= sheets.MOST_CHARACTERS
    assert title.startswith(found["title"].value)
    (note,) = written.notes
    assert note.startswith("1 text longer than the 32,767 characters of a cell was cut")


def test_rows_beyond_those_of_a_sheet_go_to_further_ones(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sheets, "MOST_ROWS", 2)
    book, written = write_xlsx(made.tables())
    assert book.sheetnames == ["mentions", "mentions 2", "mentions 3"]
    assert [book[name].max_row - 1 for name in book.sheetnames] == [2, 2, 1]
    assert [row["publication_id"].value for s in book for row in cells(s)] == [
        row["publication_id"] for row in rows_of(made.tables())
    ]
    assert all(
        book[name].auto_filter.ref == f"A1:O{book[name].max_row}" for name in book.sheetnames
    )
    assert written == ({"row": 5}, ("3 sheets, since one holds 2 rows",))


@pytest.mark.slow  # looks for garbage among all objects
@pytest.mark.filterwarnings("ignore:Exception ignored in. <_io.FileIO")  # XlsxWriter's own files
def test_a_full_disk_is_told_as_one_and_nothing_is_left_of_a_workbook(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, "no space")

    with monkeypatch.context() as full:
        full.setattr(xlsxwriter.workbook, "ZipFile", refuse)
        with pytest.raises(OSError, match="no space") as told:
            write_xlsx(made.tables(), scratch=tmp_path)
    assert told.value.errno == errno.ENOSPC
    del told
    gc.collect()
    assert list(tmp_path.iterdir()) == []


def test_a_workbook_has_no_time() -> None:
    data = io.BytesIO(export("mentions.xlsx"))
    with zipfile.ZipFile(data) as packed:
        assert {info.date_time[0] for info in packed.infolist()} == {1980}
    assert openpyxl.load_workbook(data).properties.created == datetime(1980, 1, 1)  # noqa: DTZ001


texts = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=30)


@pytest.mark.slow
@examples(max_examples=15)
@given(st.lists(texts, min_size=1, max_size=40))
def test_any_text_comes_back(titles: list[str]) -> None:
    tables = made.tables(
        made.mention("Alphazine", f"{number:03}", title=title)
        for number, title in enumerate(titles)
    )
    rows = {row["publication_id"]: row["title"] for row in read_csv(export("mentions.csv", tables))}
    guarded = [rows[f"{number:03}"] for number in range(len(titles))]
    assert [each.removeprefix("'") for each in guarded] == [t.removeprefix("'") for t in titles]
    found = {
        row["publication_id"].value: normal(row["title"].value or "")
        for row in cells(write_xlsx(tables)[0]["mentions"])
    }
    assert found == {
        f"{number:03}": strip(title).replace("\r\n", "\n").replace("\r", "\n")
        for number, title in enumerate(titles)
    }
