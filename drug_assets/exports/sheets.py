"""CSV and XLSX, for spreadsheets, R and pandas.

Rules that spreadsheets have: what looks like a formula would be one, so no text is. Of a CSV they
guess the encoding, so it has a byte order mark. In a workbook a text has at most 32,767 characters,
a sheet 1,048,576 rows, and there is no day before March 1900 that all programs agree about.
"""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path
from shutil import copyfileobj
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import polars as pl

from drug_assets.exports import Written
from drug_assets.exports.lines import FORBIDDEN_IN_XML, guard_formulas
from drug_assets.exports.parts import PRECISIONS, Columns, Sheet
from drug_assets.periods import WRITTEN
from drug_assets.wording import count_of

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from drug_assets.exports import Of, Options, Tables, Target

_BYTE_ORDER_MARK = b"\xef\xbb\xbf"

#: Characters of a cell, as Excel counts them: those beyond the first plane are two.
MOST_CHARACTERS = 32_767
#: Rows of a sheet below its header.
MOST_ROWS = 1_048_575
#: The day that spreadsheets count from, and the first from which they count alike.
_DAY_ZERO = date(1899, 12, 30)
_FIRST_DAY = date(1900, 3, 1)
#: The formats by which a spreadsheet writes a date as far as it is known.
_DATE_FORMATS = {
    precision: "yyyy-mm-dd"[:characters] + (f'"{behind}"' if behind else "")
    for precision, (characters, behind) in WRITTEN.items()
}
_WIDTHS = {"title": 80, "journal": 30, "drug": 24, "spans": 16, "words": 20}
_WIDTH = 14


def write_csv(of: Of, tables: Tables, file: Target, options: Options) -> Written:
    """Write the rows of a sheet as CSV: UTF-8 with a byte order mark, CRLF.

    Args:
        of: what the rows are of.
        tables: what they are made from.
        file: what it is written to.
        options: the separator is used.
    """
    sheet = Sheet(of, tables)
    form: dict[str, Any] = {"separator": options.separator, "line_terminator": "\r\n"}
    file.write(_BYTE_ORDER_MARK)
    file.write(pl.DataFrame(schema=sheet.columns).write_csv(**form).encode())
    rows = 0
    guarded = guard_formulas(pl.col(pl.String))
    for batch in sheet.rows():
        text = batch.with_columns(guarded).write_csv(include_header=False, **form)
        file.write(text.encode())
        rows += batch.height
    return Written({"row": rows})


def write_xlsx(of: Of, tables: Tables, file: Target, options: Options) -> Written:
    """Write the rows of a sheet as a workbook: text is text, dates are dates, as far as known.

    Args:
        of: what the rows are of.
        tables: what they are made from.
        file: what it is written to.
        options: the scratch folder is used.
    """
    sheet = Sheet(of, tables)
    # A workbook is put together from several files. What is written to must not end in between.
    with TemporaryDirectory(dir=options.scratch) as folder:
        workbook = _Workbook(Path(folder), str(of), sheet.columns)
        for batch in sheet.rows():
            workbook.write(_prepare(batch))
        written = workbook.close()
        with workbook.path.open("rb") as whole:
            copyfileobj(whole, file)
    return written


def _prepare(batch: pl.DataFrame) -> pl.DataFrame:
    """The rows as cells: a date is a number of days, or a text if it is too early for that.

    Its precision goes with it: a struct of both.
    """
    dates = {
        name: pl.struct(
            days=pl.when(pl.col(name) >= _FIRST_DAY).then(
                (pl.col(name) - _DAY_ZERO).dt.total_days()
            ),
            text=_write_dates(name, precision),
            precision=precision,
        )
        for name, precision in PRECISIONS.items()
        if name in batch.columns
    }
    return batch.with_columns(pl.col(pl.String).str.replace_all(FORBIDDEN_IN_XML, ""), **dates)


def _write_dates(name: str, precision: str) -> pl.Expr:
    """A column of dates as text, each as far as it is known (`periods.show_date`)."""
    iso = pl.col(name).dt.to_string("iso")
    return pl.coalesce(
        pl.when(pl.col(precision) == word).then(iso.str.head(characters) + behind)
        for word, (characters, behind) in WRITTEN.items()
    )


class _Workbook:
    """A workbook that is written row by row, with further sheets where one is full."""

    def __init__(self, folder: Path, name: str, columns: Columns) -> None:
        import xlsxwriter  # type: ignore[import-untyped]

        #: Where it is, once it is closed.
        self.path = folder / "workbook.xlsx"
        self._book = xlsxwriter.Workbook(
            str(self.path),
            {
                "constant_memory": True,
                "tmpdir": str(folder),
                "strings_to_formulas": False,
                "strings_to_urls": False,
                "strings_to_numbers": False,
            },
        )
        self._book.use_zip64()  # where a sheet has more than 4 GB before it is packed
        # A workbook says when it was made. Its bytes must not.
        self._book.set_properties({"created": datetime(1980, 1, 1, tzinfo=UTC)})
        self._head = self._book.add_format({"bold": True})
        self._dates = {
            precision: self._book.add_format({"num_format": shown, "align": "left"})
            for precision, shown in _DATE_FORMATS.items()
        }
        self._name = name
        self._columns = columns
        self._sheets: list[Any] = []
        self._rows = 0
        self._rows_here = 0
        self._cut = 0
        self._add_sheet()

    def _add_sheet(self) -> None:
        number = len(self._sheets) + 1
        sheet = self._book.add_worksheet(self._name if number == 1 else f"{self._name} {number}")
        sheet.freeze_panes(1, 1)
        for place, name in enumerate(self._columns):
            sheet.set_column(place, place, _WIDTHS.get(name, _WIDTH))
            sheet.write_string(0, place, name, self._head)
        self._sheets.append(sheet)
        self._rows_here = 0
        writers: dict[type[pl.DataType], Callable[[int, int, Any], object]] = {
            pl.String: self._write_text,
            pl.Int64: sheet.write_number,
            pl.Boolean: sheet.write_boolean,
            pl.Date: self._write_date,
        }
        self._writers = [writers[kind] for kind in self._columns.values()]

    def write(self, rows: pl.DataFrame) -> None:
        """Write rows whose dates are structs."""
        for row in rows.iter_rows():
            if self._rows_here == MOST_ROWS:
                self._add_sheet()
            self._rows_here += 1
            self._write_row(row)
        self._rows += rows.height

    def _write_row(self, row: Sequence[Any]) -> None:
        for place, (value, write) in enumerate(zip(row, self._writers, strict=True)):
            if value is not None:
                write(self._rows_here, place, value)

    def _write_text(self, row: int, column: int, text: str) -> None:
        # No text of half as many characters is too long, whatever they are.
        if len(text) > MOST_CHARACTERS // 2:
            units = text.encode("utf-16-le")
            if len(units) > 2 * MOST_CHARACTERS:
                text = units[: 2 * MOST_CHARACTERS].decode("utf-16-le", "ignore")
                self._cut += 1
        self._sheets[-1].write_string(row, column, text)

    def _write_date(self, row: int, column: int, value: dict[str, Any]) -> None:
        if value["days"] is not None:
            self._sheets[-1].write_number(
                row, column, value["days"], self._dates[value["precision"]]
            )
        elif value["text"] is not None:
            self._sheets[-1].write_string(row, column, value["text"])

    def close(self) -> Written:
        """Finish the file, and tell what it holds.

        Raises:
            OSError: there is no room for it.
        """
        from xlsxwriter.exceptions import FileCreateError  # type: ignore[import-untyped]

        # Each sheet has its own filter, over the rows that it has.
        for number, sheet in enumerate(self._sheets, start=1):
            last = self._rows_here if number == len(self._sheets) else MOST_ROWS
            sheet.autofilter(0, 0, last, len(self._columns) - 1)
        try:
            self._book.close()
        except FileCreateError as error:  # it hides what the disk said
            raise error.args[0] from error
        notes = []
        if self._cut:
            notes.append(
                f"{count_of(self._cut, 'text')} longer than the {MOST_CHARACTERS:,} characters of "
                f"a cell {'was' if self._cut == 1 else 'were'} cut; Parquet and CSV have all of it"
            )
        if len(self._sheets) > 1:
            notes.append(f"{len(self._sheets)} sheets, since one holds {MOST_ROWS:,} rows")
        return Written({"row": self._rows}, tuple(notes))
