"""The shape of a source's records: all that the reader of a file knows about its source.

Each source creates its own (`sources.Source.record_shape`). So the raw rows of a file depend on
nothing else that a source declares.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import cached_property
from itertools import chain
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, TypeAlias

from drug_assets.terms import ReadIssue

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    import polars as pl

    from drug_assets.formats.json_shapes import JsonShape

#: Blanks and hyphens; soft hyphens, signs without width and byte order marks within a text.
_BETWEEN_WORDS = re.compile("[\\s_\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u2064\ufeff-]+")
_QUOTES = "\"'`´“”„‟«»‘’‚‛‹›"
#: The byte order mark of UTF-8, decoded as Windows-1252.
_MISREAD_BOM = "ï»¿"
#: The members of a JSON object in their order, including repeated keys.
Members: TypeAlias = tuple[tuple[str, object], ...]


@dataclass(frozen=True, slots=True)
class AssignedColumns:
    """Which columns of a table, or members of an object, hold which field; by position from 0."""

    #: By field, the positions of all columns that name it, the preferred one first. The value of a
    #: row is the first that holds something (`terms.is_missing`).
    synonyms: Mapping[str, tuple[int, ...]]
    #: By field that no column names, the positions of the columns that hold its parts, in order.
    parts: Mapping[str, tuple[int, ...]]
    #: All other positions: their values belong to `extra`.
    beyond: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Condition:
    """What a row of a known table holds in a column, if something is true of the row."""

    #: The column, as `normalize_header` returns it.
    column: str
    #: What it holds, in lower case; nothing is "".
    among: tuple[str, ...]
    #: False: it holds something else.
    holds: bool = True


@dataclass(frozen=True, slots=True)
class TableValue:
    """A column of a known table that gives a field of the record, or several values of one."""

    #: The field.
    field: str
    #: The column, as `normalize_header` returns it.
    column: str
    #: The rows whose value is one of this field: those of which all of this is true.
    when: tuple[Condition, ...] = ()
    #: The regular expression that the whole text must match: its groups, or all of it if it has
    #: none, are the values.
    pattern: str | None = None
    #: What stands before each of the values in the field, such as the scheme of an identifier.
    prefix: str = ""
    #: A column whose text stands behind the value in the field, after a slash.
    place: str | None = None


@dataclass(frozen=True, slots=True)
class Mark:
    """A read issue of the rows of a known table: of those of which all of this is true."""

    issue: ReadIssue
    when: tuple[Condition, ...] = ()


@dataclass(frozen=True, slots=True)
class KnownTable:
    """A table as its owner delivers it, whose columns mean what is declared here.

    A column of it that has the name of a field does not give this field by that. Columns are spelt
    as `normalize_header` returns them.
    """

    #: A file is of this table if its header has all of these columns, and no other that is required
    #: of a file of records. If it has no header, these are all of its columns, in their order.
    columns: tuple[str, ...]
    #: What it gives. There may be nothing: then its rows are only accounted for.
    values: tuple[TableValue, ...] = ()
    #: What its rows are, if they are not records of their own.
    marks: tuple[Mark, ...] = ()
    #: Of a table without a header: a word by which the name of a file tells that it is this table.
    file_word: str | None = None
    #: What separates its columns, if it has no header that shows it.
    separator: str = "\t"
    #: Whether its values can be quoted; if not, a quote is a character like any other.
    quoted: bool = True
    #: Whether bytes that are not UTF-8 are what its owner writes: Windows-1252, and nothing odd.
    windows_1252: bool = False
    #: The rows that say something: those of which all of this is true. The others are counted.
    speaks: tuple[Condition, ...] = ()
    #: Whether `extra` has all its other columns; if not, of a row with an issue it has what decided
    #: about it.
    keeps_others: bool = True

    def is_of_parts(self) -> bool:
        """Whether its rows are parts of the records of another table."""
        return any(mark.issue is ReadIssue.PART_OF_RECORD for mark in self.marks)

    def deciding_columns(self) -> tuple[str, ...]:
        """The columns that its conditions name."""
        return tuple(dict.fromkeys(condition.column for condition in self._conditions()))

    def deciding_words(self, column: str) -> frozenset[str]:
        """The words in one of these columns that its conditions name."""
        of_column = (each.among for each in self._conditions() if each.column == column)
        return frozenset(chain.from_iterable(of_column))

    def _conditions(self) -> Iterator[Condition]:
        of_values = chain.from_iterable(value.when for value in self.values)
        return chain(of_values, *(mark.when for mark in self.marks), self.speaks)

    def assign(self, headers: Sequence[str]) -> AssignedColumns:
        """Assign what the table gives to fields; nothing else is one."""
        first: dict[str, int] = {}
        for position, header in enumerate(headers):
            first.setdefault(normalize_header(header), position)
        given: dict[str, dict[int, None]] = {}
        for value in self.values:
            if value.column in first:
                given.setdefault(value.field, {})[first[value.column]] = None
        synonyms = {field: tuple(positions) for field, positions in given.items()}
        assigned = set(chain(*synonyms.values()))
        others = range(len(headers)) if self.keeps_others else ()
        beyond = (position for position in others if position not in assigned)
        return AssignedColumns(synonyms, {}, tuple(beyond))


@dataclass(frozen=True)
class RecordShape:
    """The fields of a source's records, and their spellings in files."""

    #: Name of the source, for messages.
    source: str
    #: Schema of its raw table, including the columns that all raw tables have.
    schema: pl.Schema
    #: The fields, in the order of their columns.
    fields: tuple[str, ...]
    #: A delimited file must have at least one of these fields.
    required: tuple[str, ...]
    #: From other spellings in headers and JSON keys, as `normalize_header` returns them, to fields.
    aliases: Mapping[str, str]
    #: The multi-valued fields.
    listed: frozenset[str]
    #: Names of the formats that the source delivers.
    formats: tuple[str, ...]
    #: The layouts of JSON that are not flat records; the first that fits a record is taken.
    json_shapes: tuple[JsonShape, ...] = ()
    #: Spellings (as `normalize_header` returns them) that are preferred to all others of a field.
    preferred: frozenset[str] = frozenset()
    #: By field, the spellings of the parts that it can be given in, in order: year, month, day.
    parts: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    #: By field, the regular expression that its values match, where that tells them from others.
    forms: Mapping[str, str] = field(default_factory=dict)
    #: The tables that are read as declared.
    known_tables: tuple[KnownTable, ...] = ()
    #: What files hold that are passed over, by words in their names.
    unread_files: Mapping[str, str] = field(default_factory=dict)

    def known_table(self, headers: Sequence[str]) -> KnownTable | None:
        """The known table with these headers: of several the one with most columns, or None."""
        if not self.known_tables:
            return None
        names = {normalize_header(header) for header in headers}
        of_records = {name for name in names if self.field_of(name) in self.required}
        fitting = (
            table
            for table in self.known_tables
            if not table.file_word and of_records <= set(table.columns) <= names
        )
        return max(fitting, key=lambda table: len(table.columns), default=None)

    def known_file(self, name: str) -> KnownTable | None:
        """The known table without a header that the name of a file tells, or None."""
        named = (table for table in self.known_tables if _has_word(name, table.file_word))
        return next(named, None)

    def unread_file(self, name: str) -> str | None:
        """What a file holds that is passed over for its name, or None."""
        holds = (what for word, what in self.unread_files.items() if _has_word(name, word))
        return next(holds, None)

    def assign(self, headers: Sequence[str]) -> AssignedColumns:
        """Assign the columns of a table, or the members of an object, to the fields.

        Several columns can name one field: a preferred spelling comes first, a name of a database's
        own (`_id`) last, else they keep their order. Columns with the same header are no synonyms:
        only the first of them counts. If no column names a field that can be given in parts, and
        its first part is there, its parts are assigned.
        """
        names = [normalize_header(header) for header in headers]
        internal = [header.lstrip().startswith("_") for header in headers]
        first: dict[str, int] = {}
        seen: set[tuple[str, bool]] = set()
        synonyms: dict[str, list[int]] = {}
        for position, name in enumerate(names):
            first.setdefault(name, position)
            named = self.field_of(name)
            if named is not None and (name, internal[position]) not in seen:
                seen.add((name, internal[position]))
                synonyms.setdefault(named, []).append(position)
        for positions in synonyms.values():
            positions.sort(
                key=lambda position: (internal[position], names[position] not in self.preferred)
            )
        parts = {
            field: tuple(first[part] for part in spelt if part in first)
            for field, spelt in self.parts.items()
            if field not in synonyms and spelt[0] in first
        }
        assigned = {*chain(*synonyms.values()), *chain(*parts.values())}
        return AssignedColumns(
            {field: tuple(positions) for field, positions in synonyms.items()},
            parts,
            tuple(position for position in range(len(names)) if position not in assigned),
        )

    def field_of(self, header: str) -> str | None:
        """The field that a header or JSON key names, or None if the source has no such field."""
        name = normalize_header(header)
        return self._by_header.get(name) or self.aliases.get(name)

    def knows(self, header: str) -> bool:
        """Whether a header or JSON key is one of a field, of a part of one, or of a layout of JSON.

        Its value may still stand in `extra`: beside another one of its field, with what else a
        layout has there, or because the layout is known to have no field there.
        """
        name = normalize_header(header)
        return self.field_of(name) is not None or name in self._beside_fields

    @cached_property
    def _beside_fields(self) -> frozenset[str]:
        of_shapes = [
            key
            for shape in self.json_shapes
            for key in (*shape.passed_over, *(path[0] for path in chain(*shape.paths.values())))
        ]
        return frozenset([*chain(*self.parts.values()), *map(normalize_header, of_shapes)])

    @cached_property
    def _by_header(self) -> Mapping[str, str]:
        return {normalize_header(field): field for field in self.fields}


def _has_word(name: str, word: str | None) -> bool:
    """Whether the name of a file has a word between characters that are no letters."""
    bare = PurePosixPath(name).name.casefold()
    return bool(word and re.search(rf"(?<![^\W\d_]){re.escape(word)}(?![^\W\d_])", bare))


def normalize_header(header: str) -> str:
    """Normalize a header to compare it.

    Case is folded; blanks, underscores, hyphens and signs without width are removed, and so are
    quotes around it.
    """
    bare = _BETWEEN_WORDS.sub("", header).strip(_QUOTES)
    return bare.removeprefix(_MISREAD_BOM).strip(_QUOTES).casefold()
