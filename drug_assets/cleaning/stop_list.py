"""Names that are not safe to search titles for: too short, or words of the language (SPEC 4).

A stop list is a CSV file with the columns `name` and `reason`, one name per line; in a name, `?`
stands for any one letter. The project's own list is `stop_list.csv` beside this module. Names are
compared folded. Collecting the names of a drug belongs to `drugs`, reading the bytes at a location
to `storage`.
"""

from __future__ import annotations

import csv
import hashlib
import io
import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from drug_assets.cleaning.text import fold_string, fold_text
from drug_assets.errors import DrugAssetsError

if TYPE_CHECKING:
    from collections.abc import Callable

    import polars as pl

#: Path of the project's own list.
OWN = Path(__file__).with_suffix(".csv")
_ANY_LETTER = "?"


class StopListError(DrugAssetsError):
    """A stop list that cannot be used; the message names the file, the line and the remedy."""

    def __init__(self, origin: str, problem: str) -> None:
        super().__init__(origin, problem)
        self.origin = origin
        self.problem = problem

    def __str__(self) -> str:
        return f"the stop list {self.origin}: {self.problem}"


@dataclass(frozen=True)
class StopList:
    """Names that titles are not searched for."""

    #: Folded names.
    names: frozenset[str] = frozenset()
    #: Folded names in which `?` stands for any one letter.
    patterns: frozenset[str] = frozenset()

    @classmethod
    def of(cls, data: bytes, origin: str) -> StopList:
        """Parse a CSV file.

        Args:
            data: The file's bytes, UTF-8.
            origin: Location of the file, for messages.

        Raises:
            StopListError: not UTF-8, other columns, or a line without a name or a reason.
        """
        rows = csv.reader(io.StringIO(_decode(data, origin), newline=""), strict=True)
        try:
            header = [column.strip().casefold() for column in next(rows, [])]
            if header != ["name", "reason"]:
                raise StopListError(
                    origin,
                    f"line 1 is {','.join(header)!r}: it must name the columns, name,reason",
                )
            names = [
                _parse_name(row, origin, rows.line_num) for row in rows if any(map(str.strip, row))
            ]
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
        """A hash that is equal for lists that stop the same names."""
        return hashlib.sha256("\n".join(sorted(self.names | self.patterns)).encode()).hexdigest()

    def stops(self, name: pl.Expr) -> pl.Expr:
        """Whether each name of a column is on the list."""
        folded_name = fold_text(name)
        stopped = folded_name.is_in(sorted(self.names))
        if self.patterns:
            regexes = (re.escape(p).replace(r"\?", r"\pL") for p in sorted(self.patterns))
            stopped |= folded_name.str.contains(f"^(?:{'|'.join(regexes)})$")
        return stopped


def read_stop_list(location: str | None, read: Callable[[str], bytes]) -> StopList:
    """Read the stop list at a location.

    Args:
        location: path or URI of the list; None for the project's own list.
        read: returns the bytes at a location, or raises OSError.

    Raises:
        StopListError: the list is missing or cannot be used; the message says where and why.
    """
    origin = location or str(OWN)
    try:
        data = read(origin)
    except OSError as error:
        raise StopListError(
            origin,
            f"cannot be read ({error.strerror or error}). Set DRUG_ASSETS_STOP_LIST to a CSV file "
            "with the columns name,reason, or unset it: then the project's own list is used.",
        ) from error
    return StopList.of(data, origin)


def _decode(data: bytes, origin: str) -> str:
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise StopListError(origin, f"line {line} is not UTF-8: save the file as UTF-8") from error


def _parse_name(row: list[str], origin: str, line: int) -> str:
    """The folded name of a line."""
    parts = [part.strip() for part in row]
    if len(parts) != 2 or not all(parts):
        raise StopListError(
            origin,
            f"line {line} is {','.join(row)!r}: write a name and the reason why it is unsafe, "
            "name,reason; a comma within either needs quotes around it",
        )
    return fold_string(parts[0])
