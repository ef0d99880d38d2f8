"""Previews of tables and documents as Markdown, in which the data stays data.

A title can contain Markdown: an image that a browser would load, a link, a heading. So every text
is shown in a code span or block, and nothing in it is obeyed.

A page of Dagster is narrow, and lists all columns above the preview. So a preview shows what people
read: not the identity of what is named beside it, a date as far as it is known in one column, and
no column that holds nothing in all rows shown.
"""

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import Any

import polars as pl

from drug_assets.periods import show_date
from drug_assets.wording import (
    code_span,
    count_of,
    longest_ticks,
    printable,
    shorten,
)

#: Dagster shows shorter Markdown beside its name, where all but the first columns of a table are
#: cut off, and longer one in a window of its own.
_LEAST_CHARACTERS_OF_WINDOW = 1000
_MOST_CHARACTERS = 60
_MOST_ITEMS = 5
#: What the names of columns end with that say how much of a date is known, and which thing it is
#: that another column names.
_PRECISION, _IDENTITY = "_precision", "_id"


def make_table(rows: pl.DataFrame, of_rows: int) -> str:
    """A few rows as a Markdown table, with long texts cut, below a line that says how many.

    Args:
        rows: the rows; those of a table that are shown are evenly spread.
        of_rows: the number of rows of the table.
    """
    if rows.is_empty():
        return "No rows."
    shown = {column: cells for column, cells in _write_columns(rows) if any(cells)}
    lines = [list(shown), ["---:" if rows[name].dtype.is_numeric() else "---" for name in shown]]
    lines += [list(map(_quote, cells)) for cells in zip(*shown.values(), strict=True)]
    few = f"{rows.height} of {count_of(of_rows, 'row')}, evenly spread"
    told = few if rows.height < of_rows else count_of(of_rows, "row")
    table = "\n".join([f"{told}:", "", *(f"| {' | '.join(line)} |" for line in lines)])
    return _in_window(table)


def _write_columns(rows: pl.DataFrame) -> Iterable[tuple[str, list[str]]]:
    """The columns to show, each with its cells."""
    columns = set(rows.columns)
    for name in rows.columns:
        if name.endswith(_PRECISION) and name.removesuffix(_PRECISION) in columns:
            continue
        if name.endswith(_IDENTITY) and name.removesuffix(_IDENTITY) in columns:
            continue
        values: Iterable[Any] = rows[name].to_list()
        if f"{name}{_PRECISION}" in columns:
            values = map(_date_as_known, values, rows[f"{name}{_PRECISION}"].to_list())
        elif (objects := _read_objects(values)) is not None:
            values = ({k: v for k, v in each.items() if k not in columns} for each in objects)
        yield name, list(map(_shorten, values))


def _date_as_known(day: date | None, precision: str | None) -> str | None:
    return _unbroken(show_date(day, precision)) or None


def _unbroken(day: str) -> str:
    """A date that a narrow column does not break at its hyphens."""
    return day.replace("-", "\N{NON-BREAKING HYPHEN}")


def _read_objects(values: Iterable[Any]) -> list[Mapping[str, Any]] | None:
    """The values of a column of JSON objects, such as a whole raw row; None for other columns."""
    objects: list[Mapping[str, Any]] = []
    for value in values:
        try:
            read = {} if value is None else json.loads(value)
        except (TypeError, ValueError, RecursionError):
            return None
        if not isinstance(read, dict):
            return None
        objects.append(read)
    return objects


def fence_lines(kind: str, lines: Iterable[str]) -> str:
    """Lines of a document as a Markdown block.

    Args:
        kind: the language that they are in.
        lines: the lines.
    """
    text = "\n".join(map(printable, lines))
    fence = "`" * max(3, longest_ticks(text) + 1)
    return _in_window(f"{fence}{kind}\n{text}\n{fence}")


def _in_window(markdown: str) -> str:
    """Markdown that Dagster shows in a window; line ends at its end show nothing."""
    return markdown + "\n" * (_LEAST_CHARACTERS_OF_WINDOW - len(markdown))


def _shorten(value: object) -> str:
    text = printable(" ".join(_write(value).split()))
    return text if len(text) <= _MOST_CHARACTERS else f"{text[:_MOST_CHARACTERS]}…"


def _write(value: object) -> str:
    """A value of a table as people write it."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, date):
        return _unbroken(value.isoformat())
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, Mapping):
        told = ((str(name), _write(each)) for name, each in value.items())
        return ", ".join(f"{name} {text}" for name, text in told if text)
    if isinstance(value, Sequence) and not isinstance(value, str):
        separator = "; " if any(isinstance(each, Mapping) for each in value) else ", "
        return shorten(list(map(_write, value)), separator, _MOST_ITEMS)
    return str(value)


def _quote(text: str) -> str:
    """A text as a code span in the cell of a table."""
    # A bar ends the cell even in a code span, unless an odd number of backslashes precedes it.
    return code_span(re.sub(r"(\\*)\|", r"\1\1\\|", text))
