"""Names that are not safe to search titles for: too short, or words of the language (SPEC 4).

A stop list is a CSV file with the columns `name` and `reason`, one name per line. In a name, `?`
stands for any one letter, and `*` behind a blank at its end for one further word, or none: so
`aspergillus *` stops all species. The reason `allowed` lets titles be searched for a name that
another line or a rule would stop. The project's own list is `stop_list.csv` beside this module.
Names are compared folded, a hyphen and a blank are one. Rules for kinds of names belong to
`drug_names`, reading the bytes at a location to `storage`.
"""

from __future__ import annotations

import csv
import hashlib
import io
import re
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from drug_assets.cleaning.text import fold_string, fold_text
from drug_assets.errors import DrugAssetsError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    import polars as pl

#: Path of the project's own list.
OWN = Path(__file__).with_suffix(".csv")
_ANY_LETTER = "?"
_ANY_WORD = " *"
#: The reason of names that are searched for, whatever else is said of them.
ALLOWED = "allowed"
_UNKNOWN = "on the stop list"


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
    """Names that titles are not searched for, and names that they are, whatever a rule says."""

    #: Folded names with blanks for hyphens, as all names here.
    names: frozenset[str] = frozenset()
    #: Names with `?` for any one letter, or with ` *` at the end for one further word or none.
    patterns: frozenset[str] = frozenset()
    #: The reasons by folded name; of others it is unknown.
    reasons: Mapping[str, str] = field(default_factory=dict, compare=False, repr=False)

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
            reasons = dict(
                _parse_line(row, origin, rows.line_num) for row in rows if any(map(str.strip, row))
            )
        except csv.Error as error:
            raise StopListError(
                origin,
                f"line {rows.line_num} is no CSV ({error}): write name,reason, with a name or a "
                'reason that holds a comma in "quotes"',
            ) from error
        patterns = frozenset(
            name for name in reasons if _ANY_LETTER in name or name.endswith(_ANY_WORD)
        )
        return cls(frozenset(reasons) - patterns, patterns, reasons)

    @cached_property
    def digest(self) -> str:
        """A hash that is equal for lists that stop the same names for the same reasons."""
        lines = (f"{name},{self._reason_of(name)}" for name in sorted(self.names | self.patterns))
        return hashlib.sha256("\n".join(lines).encode()).hexdigest()

    def _reason_of(self, name: str) -> str:
        return self.reasons.get(name, _UNKNOWN)

    def stops(self, name: pl.Expr) -> pl.Expr:
        """Whether each name of a column is on the list."""
        return self.reason(name).is_not_null()

    def reason(self, name: pl.Expr) -> pl.Expr:
        """Why each name of a column is not searched for; null if the list does not say so."""
        return self._verdict(name).replace(ALLOWED, None)

    def allows(self, name: pl.Expr) -> pl.Expr:
        """Whether the list says of each name of a column that it is searched for."""
        lines = frozenset(line for line, reason in self.reasons.items() if reason == ALLOWED)
        allowed = StopList(self.names & lines, self.patterns & lines, self.reasons)
        return allowed._verdict(name).is_not_null()

    def _verdict(self, name: pl.Expr) -> pl.Expr:
        """The reason of the line that decides: that of the name itself, else of a pattern.

        Of several patterns, one that allows a name decides.
        """
        import polars as pl

        plain = fold_text(name).str.replace_all("-", " ", literal=True)
        by_name = {line: self._reason_of(line) for line in sorted(self.names)}
        # One pattern for all lines of a reason: the search in a long list of names takes as long.
        by_reason: dict[str, list[str]] = {}
        for line in sorted(self.patterns):
            by_reason.setdefault(self._reason_of(line), []).append(_as_regex(line))
        return pl.coalesce(
            plain.replace_strict(by_name, default=None, return_dtype=pl.String),
            *(
                pl.when(plain.str.contains(f"^(?:{'|'.join(regexes)})$")).then(pl.lit(reason))
                for reason, regexes in sorted(
                    by_reason.items(), key=lambda each: each[0] != ALLOWED
                )
            ),
        )


def _as_regex(line: str) -> str:
    name = line.removesuffix(_ANY_WORD)
    regex = re.escape(name).replace(r"\?", r"\pL")
    return regex if name == line else rf"{regex}(?: \S+)?"


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
    return _parse(data, origin)


@lru_cache(maxsize=1)  # a run reads its list several times
def _parse(data: bytes, origin: str) -> StopList:
    return StopList.of(data, origin)


def _decode(data: bytes, origin: str) -> str:
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise StopListError(origin, f"line {line} is not UTF-8: save the file as UTF-8") from error


def _parse_line(row: list[str], origin: str, line: int) -> tuple[str, str]:
    """The folded name of a line, and the reason."""
    parts = [part.strip() for part in row]
    if len(parts) != 2 or not all(parts):
        raise StopListError(
            origin,
            f"line {line} is {','.join(row)!r}: write a name and the reason why it is unsafe, "
            "name,reason; a comma within either needs quotes around it",
        )
    return fold_string(parts[0]).replace("-", " "), parts[1]
