"""Names that are not safe to search titles for: too short, or words of the language (SPEC 4).

A list is a CSV with the columns `name` and `reason`, one name a line; in a name, `?` stands for any
one letter. The project's own is `drug_assets/stop_list.csv`. Names are compared folded. What makes
the names of a drug belongs to `drugs`, where the file lies to `storage`.
"""

from __future__ import annotations

import csv
import hashlib
import io
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from drug_assets.cleaning.text import fold_text, folded

if TYPE_CHECKING:
    import polars as pl

_ANY_LETTER = "?"


class StopListError(Exception):
    """A stop list that cannot be used: which file, which line, what would be right."""

    def __init__(self, origin: str, problem: str) -> None:
        super().__init__(origin, problem)
        self.origin = origin
        self.problem = problem

    def __str__(self) -> str:
        return f"the stop list {self.origin}: {self.problem}"


@dataclass(frozen=True)
class StopList:
    """Names that are left out of what titles are searched for."""

    #: Folded.
    names: frozenset[str] = frozenset()
    #: Folded names in which `?` stands for any one letter.
    patterns: frozenset[str] = frozenset()

    @classmethod
    def of(cls, data: bytes, origin: str) -> StopList:
        """The list that a CSV file holds.

        Args:
            data: The file's bytes, UTF-8.
            origin: Where the file lies, for messages.

        Raises:
            StopListError: not UTF-8, other columns, or a line without a name or a reason.
        """
        rows = csv.reader(io.StringIO(_decoded(data, origin), newline=""), strict=True)
        try:
            header = [column.strip().casefold() for column in next(rows, [])]
            if header != ["name", "reason"]:
                raise StopListError(
                    origin,
                    f"line 1 is {','.join(header)!r}: it must name the columns, name,reason",
                )
            names = [_name(row, origin, rows.line_num) for row in rows if any(map(str.strip, row))]
        except csv.Error as error:
            raise StopListError(
                origin,
                f"line {rows.line_num} is no CSV ({error}): write name,reason, with a name or a "
                'reason that holds a comma in "quotes"',
            ) from error
        patterns = frozenset(name for name in names if _ANY_LETTER in name)
        return cls(frozenset(names) - patterns, patterns)

    @property
    def digest(self) -> str:
        """Equal for lists that stop the same names."""
        return hashlib.sha256("\n".join(sorted(self.names | self.patterns)).encode()).hexdigest()

    def stops(self, name: pl.Expr) -> pl.Expr:
        """Whether each name of a column is on the list."""
        folded_name = folded(name)
        stopped = folded_name.is_in(sorted(self.names))
        if self.patterns:
            letters = (re.escape(p).replace(r"\?", r"\pL") for p in sorted(self.patterns))
            stopped |= folded_name.str.contains(f"^(?:{'|'.join(letters)})$")
        return stopped


def _decoded(data: bytes, origin: str) -> str:
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise StopListError(origin, f"line {line} is not UTF-8: save the file as UTF-8") from error


def _name(row: list[str], origin: str, line: int) -> str:
    parts = [part.strip() for part in row]
    if len(parts) != 2 or not all(parts):
        raise StopListError(
            origin,
            f"line {line} is {','.join(row)!r}: write a name and the reason why it is unsafe, "
            "name,reason; a comma within either needs quotes around it",
        )
    return fold_text(parts[0])
