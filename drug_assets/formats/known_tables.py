"""The rows of known tables -> the fields that they give, as declared (`record_shape.KnownTable`).

Reading the rows of a file belongs to `delimited`; which tables are known, to the modules that
declare them.
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

from drug_assets.formats import decoding
from drug_assets.formats.record_shape import normalize_header
from drug_assets.terms import REJECTING_ISSUES, SEPARATOR, ReadIssue, is_missing

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence

    from drug_assets.formats.record_shape import Condition, KnownTable, TableValue

#: The texts of a batch of rows, by column.
_Columns: TypeAlias = "Sequence[Sequence[str | None]]"
#: So many characters can stand around a header that comes again.
_MOST_AROUND = 24
_REJECTING = frozenset(map(str, REJECTING_ISSUES))


class _Value(NamedTuple):
    """A column that gives a field its text."""

    value: TableValue
    position: int
    #: The kinds of rows of which it does: what is true of each.
    kinds: tuple[tuple[Condition, ...], ...]


class _Decision(NamedTuple):
    """What is true of all rows that hold the same in the columns that decide."""

    #: By value of the table, whether it is one of its field.
    holds: tuple[bool, ...]
    #: The read issues that depend on these columns.
    issues: tuple[str, ...]
    #: Whether they say something.
    speaks: bool


class KnownRows:
    """Places what the rows of a known table hold in fields.

    Args:
        table: the table.
        headers: the columns of the file, as `normalize_header` returns them.
        listed: the multi-valued fields.
    """

    def __init__(self, table: KnownTable, headers: Sequence[str], listed: Collection[str]) -> None:
        self._table = table
        self._headers = headers
        self._listed = listed
        first = {header: position for position, header in reversed(list(enumerate(headers)))}
        # A column gives a field its text once, however many kinds of rows this holds for.
        alternatives: dict[TableValue, list[tuple[Condition, ...]]] = {}
        for value in table.values:
            if value.column in first:
                alternatives.setdefault(replace(value, when=()), []).append(value.when)
        self._values = [
            _Value(value, first[value.column], tuple(kinds))
            for value, kinds in alternatives.items()
        ]
        self._deciding = {
            column: first[column] for column in table.deciding_columns() if column in first
        }
        #: By column that decides, the words that something depends on.
        self._words = {column: table.deciding_words(column) for column in self._deciding}
        #: By these words in a row, or null for any other text, what is true of it.
        self._decisions: dict[tuple[str | None, ...], _Decision] = {}
        self._patterns = {
            value.pattern: re.compile(value.pattern, re.DOTALL)
            for value in table.values
            if value.pattern is not None
        }

    def place(
        self,
        columns: _Columns,
        fields: dict[str, list[str | None]],
        unused: dict[int, list[int]],
        issues: dict[int, list[str]],
    ) -> None:
        """Give each field what the rows of a batch hold for it, and each row its read issues.

        Args:
            columns: the texts of the file.
            fields: the texts of the fields; those that the table gives are added.
            unused: by row, the positions of the texts that belong to `extra`; those that no field
                takes are added, if the table keeps them.
            issues: by row, its read issues; those that the table declares are added.
        """
        decisions = self._decide(columns)
        given: dict[str, list[list[str | None]]] = {}
        # By position, whether a field takes the text of each row; None if it takes all.
        taken: dict[int, list[bool] | None] = {}
        for number, (value, position, kinds) in enumerate(self._values):
            texts = list(columns[position])
            if value.place is not None:
                places = columns[self._headers.index(value.place)]
                texts = [f"{t}/{place}" for t, place in zip(texts, places, strict=True)]
            if all(kinds):
                holds = [decision.holds[number] for decision in decisions]
                texts = [text if held else None for text, held in zip(texts, holds, strict=True)]
                before = taken.setdefault(position, [False] * len(holds))
                if before is not None:
                    taken[position] = [a or b for a, b in zip(before, holds, strict=True)]
            else:
                taken[position] = None
            given.setdefault(value.field, []).append(self._read_all(value, texts))
        for field, lists in given.items():
            combine = _join if field in self._listed else _choose
            alone = len(lists) == 1
            fields[field] = lists[0] if alone else [combine(t) for t in zip(*lists, strict=True)]
        marked = self._mark(decisions, issues)
        if not self._table.keeps_others:
            for row in marked:
                unused.setdefault(row, []).extend(self._deciding.values())
            return
        for position, rows in taken.items():
            for row in (row for row, held in enumerate(rows or ()) if not held):
                unused.setdefault(row, []).append(position)

    def speaking(self, columns: _Columns) -> list[bool]:
        """Whether each row is one of those that say something."""
        return [decision.speaks for decision in self._decide(columns)]

    def _decide(self, columns: _Columns) -> list[_Decision]:
        """What is true of each row."""
        known = self._decisions
        if not self._deciding:
            return [known.setdefault((), self._learn(()))] * len(columns[0])
        held = []
        for column, position in self._deciding.items():
            words = self._words[column]
            bare = {text: (text or "").strip().lower() for text in set(columns[position])}
            meant = {text: word if word in words else None for text, word in bare.items()}
            held.append([meant[text] for text in columns[position]])
        keys = list(zip(*held, strict=True))
        for key in set(keys) - known.keys():
            known[key] = self._learn(key)
        return [known[key] for key in keys]

    def _learn(self, key: tuple[str | None, ...]) -> _Decision:
        """What is true of a row that holds these of the words that decide."""
        held = dict(zip(self._deciding, key, strict=True))
        return _Decision(
            tuple(
                any(_all_true(conditions, held) for conditions in value.kinds)
                for value in self._values
            ),
            tuple(
                str(mark.issue)
                for mark in self._table.marks
                if mark.when and _all_true(mark.when, held)
            ),
            _all_true(self._table.speaks, held),
        )

    def _mark(self, decisions: Iterable[_Decision], issues: dict[int, list[str]]) -> list[int]:
        """Add the read issues that the table declares.

        What a row holds says nothing if it has been rejected for its form.

        Returns:
            The rows with issues that depend on what they hold.
        """
        of_all = tuple(str(mark.issue) for mark in self._table.marks if not mark.when)
        marked = []
        for row, decision in enumerate(decisions):
            added = of_all
            if decision.issues and _REJECTING.isdisjoint(issues.get(row, ())):
                added = (*of_all, *decision.issues)
                marked.append(row)
            if added:
                issues.setdefault(row, []).extend(added)
        return marked

    def _read_all(self, value: TableValue, texts: list[str | None]) -> list[str | None]:
        """What texts are in a field."""
        if value.pattern is None and not value.prefix:
            return texts
        pattern = None if value.pattern is None else self._patterns[value.pattern]
        return [None if is_missing(text) else _read(value, pattern, text) for text in texts]

    def repair(self, text: str) -> tuple[str, list[str]]:
        """The same as `decoding.repair`; what the owner of the table writes is no issue."""
        repaired, issues = decoding.repair(text)
        if self._table.windows_1252:
            issues = [issue for issue in issues if issue != ReadIssue.NOT_UTF8]
        return repaired, issues

    def find_like_header(self, columns: _Columns) -> list[int]:
        """The rows whose text in a column that the table names is the name of the column."""
        names = set(self._table.columns)
        position = next(n for n, header in enumerate(self._headers) if header in names)
        header = self._headers[position]
        most = len(header) + _MOST_AROUND
        return [
            row
            for row, text in enumerate(columns[position])
            # Most texts are told apart without being normalized.
            if text
            and len(text) < most
            and header[-1] in text.casefold()
            and normalize_header(text) == header
        ]


def _all_true(conditions: Iterable[Condition], held: Mapping[str, str | None]) -> bool:
    """Whether all conditions are true; a column that the file does not have holds nothing."""
    return all((held.get(each.column, "") in each.among) is each.holds for each in conditions)


def _read(value: TableValue, pattern: re.Pattern[str] | None, text: str | None) -> str | None:
    """What a text is in a field."""
    found: list[str | None] = [text]
    if pattern is not None:
        match = pattern.fullmatch((text or "").strip())
        found = [] if match is None else [*match.groups()] if pattern.groups else [match[0]]
    return SEPARATOR.join(f"{value.prefix}{each.strip()}" for each in found if each) or None


def _join(texts: Iterable[str | None]) -> str | None:
    """All texts that hold something."""
    return SEPARATOR.join(text for text in texts if text and not is_missing(text)) or None


def _choose(texts: Iterable[str | None]) -> str | None:
    """The first text that holds something."""
    return next((text for text in texts if not is_missing(text)), None)
