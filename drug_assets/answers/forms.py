"""Answers as JSON, for programs, and as CSV, for spreadsheets; each written piece by piece.

An answer of a million rows is never a text of its own: `json_lines` and `csv_lines` give its lines.
"""

from __future__ import annotations

import datetime as dt
import json
from typing import TYPE_CHECKING, Any, NamedTuple

import polars as pl

from drug_assets.exports.lines import guard_formulas
from drug_assets.wording import printable_json

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

#: Rows that are written at once.
_ROWS = 10_000
#: Between the texts of a list, in a cell.
_BETWEEN = "; "
_BYTE_ORDER_MARK = "\ufeff"
_LINE_END = "\r\n"


class Answer(NamedTuple):
    """An answer in the form that JSON and CSV are written from."""

    #: What holds for the answer as a whole.
    head: Mapping[str, Any]
    #: The name of the rows in JSON.
    name: str
    rows: pl.DataFrame

    def as_object(self) -> dict[str, Any]:
        """The answer as one object of JSON: the members of the head, then the list of rows."""
        document: dict[str, Any] = json.loads("\n".join(self.json_lines()))
        return document

    def json_lines(self) -> Iterator[str]:
        """The lines of the answer as JSON: one for the head, one for each row."""
        head = json.dumps(self.head, ensure_ascii=False, default=_encode)
        before = printable_json(head.removesuffix("}"))
        separator = ", " if self.head else ""
        yield f"{before}{separator}{json.dumps(self.name)}: ["
        last = self.rows.height - 1
        columns = pl.struct(pl.all()).struct.json_encode()
        for start, rows in enumerate(self.rows.iter_slices(_ROWS)):
            for number, line in enumerate(rows.select(columns).to_series(), start * _ROWS):
                yield printable_json(line) + ("" if number == last else ",")
        yield "]}"

    def csv_lines(self) -> Iterator[str]:
        """The lines of the rows as CSV for spreadsheets, with their ends.

        UTF-8 with a byte order mark. A text that a spreadsheet would take for a formula begins with
        an apostrophe. Texts of a list have semicolons between them; of spans, the words are shown.
        """
        text = self.rows.select(_as_cell(name, dtype) for name, dtype in self.rows.schema.items())
        yield _BYTE_ORDER_MARK + text.clear().write_csv(line_terminator=_LINE_END)
        for rows in text.iter_slices(_ROWS):
            yield rows.write_csv(include_header=False, line_terminator=_LINE_END)


def _as_cell(name: str, dtype: pl.DataType) -> pl.Expr:
    """A column as one of cells."""
    column = pl.col(name)
    if isinstance(dtype, pl.List):
        if isinstance(dtype.inner, pl.Struct):
            column = column.list.eval(pl.element().struct.field("text"))
        column = column.list.eval(pl.element().cast(pl.String)).list.join(_BETWEEN)
        return guard_formulas(column).alias(name)
    return guard_formulas(column).alias(name) if dtype == pl.String else column


def _encode(value: object) -> str:
    """A date as JSON has it.

    Raises:
        TypeError: the value is something else.
    """
    if isinstance(value, dt.date):
        return value.isoformat()
    raise TypeError(f"{type(value).__name__} has no form in JSON")
