"""Helpers for the wording of messages. The text of a message belongs to the code that writes it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

#: Characters that a terminal obeys instead of showing them, or that turn round what comes after
#: them: controls (C0, DEL, C1), ends of lines and paragraphs, directions; and halves of characters.
_UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ufeff\ud800-\udfff]")
#: The same, but for the ends of lines and tabs.
_UNPRINTABLE_IN_LINES = re.compile(rf"(?![\n\t]){_UNPRINTABLE.pattern}")
#: Units of time in seconds, each with the next smaller one.
_DURATIONS = ((86400, "d", 3600, "h"), (3600, "h", 60, "min"), (60, "min", 1, "s"))


def shorten(names: Sequence[str], separator: str = ", ", most: int = 10) -> str:
    """The first names, and the number of the others: a large drug list has thousands.

    Args:
        names: the names.
        separator: what stands between them.
        most: how many are shown.
    """
    beyond = len(names) - most
    return separator.join(names[:most]) + (f" and {beyond:,} more" if beyond > 0 else "")


def printable(text: str, *, lines: bool = False) -> str:
    r"""A text whose every character can be shown: others are written as `\x1b` or `\u202e`.

    Args:
        text: any text, such as the name of a file or a title.
        lines: whether the text may have several lines and tabs, which then stay.
    """
    return (_UNPRINTABLE_IN_LINES if lines else _UNPRINTABLE).sub(_escape, text)


def printable_json(document: str) -> str:
    """A JSON document whose every character can be shown, and that means the same."""
    return _UNPRINTABLE_IN_LINES.sub(lambda found: f"\\u{ord(found[0]):04x}", document)


def _escape(match: re.Match[str]) -> str:
    code = ord(match[0])
    return f"\\x{code:02x}" if code <= 0xFF else f"\\u{code:04x}"


def code_span(text: str) -> str:
    """A text as a code span of Markdown, in which nothing is obeyed; "" stays "".

    Args:
        text: a text of one line, such as `printable` returns.
    """
    if not text:
        return ""
    ticks = "`" * (longest_ticks(text) + 1)
    blank = " " if text.startswith("`") or text.endswith("`") else ""
    return f"{ticks}{blank}{text}{blank}{ticks}"


def longest_ticks(text: str) -> int:
    """The number of backticks in the longest row of them."""
    return max(map(len, re.findall("`+", text)), default=0)


def count_of(number: int, noun: str) -> str:
    """A number with its noun: `1 file`, `1,200 files`."""
    return f"{number:,} {noun}" + ("" if number == 1 else "s")


def describe_more(total: int, listed: int, noun: str) -> str:
    """How many more there are than are listed, and how to see them; "" if these are all.

    Args:
        total: how many there are.
        listed: how many are listed.
        noun: what they are.
    """
    more = total - listed
    return f"and {count_of(more, f'more {noun}')} (--limit 0 lists all)" if more > 0 else ""


def describe_period(open_: int, outside: int, undated: int) -> str:
    """What a period counts and leaves out.

    Args:
        open_: mentions that count, though they may lie outside, as far as their date is known.
        outside: mentions that surely lie outside.
        undated: mentions without a date.
    """
    return (
        f"{open_:,} may lie outside, as far as their date is known; left out: {outside:,} outside, "
        f"{undated:,} without a date"
    )


def describe_retractions(
    mentions: int, retracted: int, unknown: int, *, excluded: bool = False
) -> str:
    """What a reader must know of the retracted publications behind an answer; "" if nothing.

    Args:
        mentions: the mentions that the answer counts.
        retracted: of these, those of retracted publications.
        unknown: of these, those of which it is not known.
        excluded: whether mentions of retracted publications were left out.
    """
    of_mentions = f"of {count_of(mentions, 'mention')}"
    if excluded:
        return f"retracted ones left out, not known whether retracted: {unknown:,} {of_mentions}"
    return f"retracted: {retracted:,} {of_mentions}" if retracted else ""


def describe_seconds(seconds: float) -> str:
    """A duration in its two largest units: `5 s`, `2 min 5 s`, `1 h 0 min`, `3 d 2 h`."""
    left = round(seconds)
    for size, unit, part_size, part in _DURATIONS:
        if left >= size:
            return f"{left // size:,} {unit} {left % size // part_size} {part}"
    return f"{left} s"
