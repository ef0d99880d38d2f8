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
from dataclasses import dataclass, field
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
    """Names that titles are not searched for."""

    #: Folded names.
    names: frozenset[str] = frozenset()
    #: Folded names in which `?` stands for any one letter.
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
        patterns = frozenset(name for name in reasons if _ANY_LETTER in name)
        return cls(frozenset(reasons) - patterns, patterns, reasons)

    @property
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
        """Why each name of a column is on the list; null if it is not."""
        import polars as pl

        return name.map_batches(self._find_reasons, return_dtype=pl.String, is_elementwise=True)

    def _find_reasons(self, names: pl.Series) -> pl.Series:
        import polars as pl

        # Within one expression, each mention of a folded name would fold it again.
        folded = names.to_frame("name").select(fold_text(pl.col("name")))
        name = pl.col("name")
        by_name = {stopped: self._reason_of(stopped) for stopped in sorted(self.names)}
        reasons = [name.replace_strict(by_name, default=None, return_dtype=pl.String)]
        for pattern in sorted(self.patterns):
            regex = re.escape(pattern).replace(r"\?", r"\pL")
            matches = name.str.contains(f"^{regex}$")
            reasons.append(pl.when(matches).then(pl.lit(self._reason_of(pattern))))
        return folded.select(pl.coalesce(reasons)).to_series().alias(names.name)


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


def _parse_line(row: list[str], origin: str, line: int) -> tuple[str, str]:
    """The folded name of a line, and the reason."""
    parts = [part.strip() for part in row]
    if len(parts) != 2 or not all(parts):
        raise StopListError(
            origin,
            f"line {line} is {','.join(row)!r}: write a name and the reason why it is unsafe, "
            "name,reason; a comma within either needs quotes around it",
        )
    return fold_string(parts[0]), parts[1]
