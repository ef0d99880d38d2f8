"""A batch of rows -> text, as XML, JSON and spreadsheets want it, made by expressions.

Which lines a file has belongs to the module of its format.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from drug_assets.exports import Target

#: Lines that are one text in memory.
_LINES_AT_ONCE = 5_000
#: The characters that no XML 1.0 document may hold, not even as a reference.
FORBIDDEN_IN_XML = r"[^\t\n\r\x{20}-\x{D7FF}\x{E000}-\x{FFFD}\x{10000}-\x{10FFFF}]"
#: What stands for something else in XML, or would be changed by a reader: one that finds a line
#: end or a tab in an attribute takes it for a blank.
_ESCAPED = {
    "&": "&amp;",
    "<": "&lt;",
    ">": "&gt;",
    '"': "&quot;",
    "\t": "&#9;",
    "\n": "&#10;",
    "\r": "&#13;",
}
#: What a spreadsheet takes for a formula or a command (SPEC 12), also in `explorer/src/csv.ts`.
#: Blanks are those of Unicode and the byte order mark.
_FORMULA = r"^[\s\x{FEFF}]*[=+\-@|%＝＋－＠｜％\t\r]"


def guard_formulas(text: pl.Expr) -> pl.Expr:
    """Text columns in which no text is a formula for a spreadsheet: these get an apostrophe."""
    return text.str.replace(_FORMULA, "'${0}")


def to_xml(column: str) -> pl.Expr:
    """The values of a column as text in XML: between tags, or between double quotes."""
    text = pl.col(column).cast(pl.String)
    return text.str.replace_all(FORBIDDEN_IN_XML, "").str.replace_many(_ESCAPED)


def join_texts(*parts: pl.Expr | str) -> pl.Expr:
    """The parts one behind the other; a part that is null is left out."""
    given = [pl.lit(part) if isinstance(part, str) else part for part in parts]
    return pl.concat_str(given, ignore_nulls=True)


def around(before: str, value: pl.Expr, after: str) -> pl.Expr:
    """A value between two texts; null if it is null.

    Args:
        before: the text before it.
        value: texts, or null.
        after: the text behind it.
    """
    return pl.concat_str(pl.lit(before), value, pl.lit(after))


def to_json_object(columns: Mapping[str, str]) -> pl.Expr:
    """JSON objects, without the members that are null.

    Args:
        columns: the column of each member, by its name; that of the first is never null.
    """
    written = pl.struct(pl.col(column).alias(name) for name, column in columns.items())
    # Within a text of JSON, the quotes of a name would be escaped: only members are found.
    missing = [f',"{name}":null' for name in columns]
    return written.struct.json_encode().str.replace_many(missing, [""] * len(missing))


class LineFile:
    """A text file, UTF-8, that is written in batches of lines."""

    def __init__(self, file: Target) -> None:
        self._file = file

    def write(self, text: str) -> None:
        """Write a text as it is."""
        self._file.write(text.encode())

    def write_lines(self, batches: Iterable[pl.Series], between: str = "\n") -> int:
        """Write texts, each on a line of its own; return how many there are.

        Args:
            batches: the texts.
            between: what stands between two texts. It ends with a line end, as does the last text.
        """
        written = 0
        for batch in batches:
            for lines in batch.to_frame().iter_slices(_LINES_AT_ONCE):
                text = lines.to_series().str.join(between).item()
                self.write(between + text if written else text)
                written += lines.height
        if written:
            self.write("\n")
        return written
