"""Previews of tables and documents as Markdown, in which the data stays data.

A title can contain Markdown: an image that a browser would load, a link, a heading. So every text
is shown in a code span or block, and nothing in it is obeyed.
"""

import json
import re
from collections.abc import Iterable, Mapping, Sequence

import polars as pl

from drug_assets.wording import printable

_MOST_CHARACTERS = 60


def make_table(rows: pl.DataFrame) -> str:
    """A few rows as a Markdown table, with long texts cut."""
    lines = [rows.columns, ["---"] * rows.width]
    lines += [[_quote(_shorten(value)) for value in row] for row in rows.iter_rows()]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def fence_lines(kind: str, lines: Iterable[str]) -> str:
    """Lines of a document as a Markdown block.

    Args:
        kind: the language that they are in.
        lines: the lines.
    """
    text = "\n".join(map(printable, lines))
    fence = "`" * max(3, _longest_ticks(text) + 1)
    return f"{fence}{kind}\n{text}\n{fence}"


def _shorten(value: object) -> str:
    text = printable(" ".join(_write(value).split()))
    return text if len(text) <= _MOST_CHARACTERS else f"{text[:_MOST_CHARACTERS]}…"


def _write(value: object) -> str:
    """A value of a table as text; a list or struct as JSON."""
    if value is None:
        return ""
    if isinstance(value, Sequence | Mapping) and not isinstance(value, str):
        return json.dumps(value, ensure_ascii=False, default=str)
    return str(value)


def _quote(text: str) -> str:
    """A text as a code span in the cell of a table."""
    if not text:
        return ""
    ticks = "`" * (_longest_ticks(text) + 1)
    # A bar ends the cell even in a code span, unless an odd number of backslashes precedes it.
    text = re.sub(r"(\\*)\|", r"\1\1\\|", text)
    blank = " " if text.startswith("`") or text.endswith("`") else ""
    return f"{ticks}{blank}{text}{blank}{ticks}"


def _longest_ticks(text: str) -> int:
    return max(map(len, re.findall("`+", text)), default=0)
