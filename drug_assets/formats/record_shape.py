"""The shape of a source's records: all that the reader of a file knows about its source.

Each source creates its own (`sources.Source.record_shape`). So the raw rows of a file depend on
nothing else that a source declares.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import cached_property
from itertools import chain
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

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
class PartValue:
    """A column of a part table that gives a field of the record."""

    #: The field.
    field: str
    #: The column, as `normalize_header` returns it.
    column: str
    #: Another column, on which it depends whether the value of a row is one of this field; None if
    #: it always is.
    where: str | None = None
    #: What that column then holds, in lower case.
    among: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class PartTable:
    """A table whose rows are parts of records: each adds to the record of its id.

    Its rows are no records of their own. Columns are spelt as `normalize_header` returns them.
    """

    #: The column that names the record.
    record_id: str
    #: A file is of this table if it has all of these columns, and no other that is required of a
    #: file of records.
    columns: tuple[str, ...]
    #: What it adds. There may be nothing: then its rows are only accounted for.
    values: tuple[PartValue, ...] = ()

    def assign(self, headers: Sequence[str]) -> AssignedColumns:
        """Assign the id of the record, and what the table adds, to fields; nothing else is one."""
        first: dict[str, int] = {}
        for position, header in enumerate(headers):
            first.setdefault(normalize_header(header), position)
        synonyms = {value.field: (first[value.column],) for value in self.values}
        if self.record_id in first:
            synonyms["id"] = (first[self.record_id],)
        assigned = set(chain(*synonyms.values()))
        beyond = (position for position in range(len(headers)) if position not in assigned)
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
    #: The tables whose rows are parts of records.
    part_tables: tuple[PartTable, ...] = ()

    def part_table(self, headers: Sequence[str]) -> PartTable | None:
        """The part table that has these headers: of several the one with most columns, or None."""
        if not self.part_tables:
            return None
        names = {normalize_header(header) for header in headers}
        of_records = {name for name in names if self.field_of(name) in self.required}
        fitting = (table for table in self.part_tables if of_records <= set(table.columns) <= names)
        return max(fitting, key=lambda table: len(table.columns), default=None)

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

        Its value may still stand in `extra`: beside another one of its field, or with what else a
        layout has there.
        """
        name = normalize_header(header)
        return self.field_of(name) is not None or name in self._beside_fields

    @cached_property
    def _beside_fields(self) -> frozenset[str]:
        paths = chain.from_iterable(chain(*shape.paths.values()) for shape in self.json_shapes)
        return frozenset(
            [*chain(*self.parts.values()), *(normalize_header(path[0]) for path in paths)]
        )

    @cached_property
    def _by_header(self) -> Mapping[str, str]:
        return {normalize_header(field): field for field in self.fields}


def normalize_header(header: str) -> str:
    """Normalize a header to compare it.

    Case is folded; blanks, underscores, hyphens and signs without width are removed, and so are
    quotes around it.
    """
    bare = _BETWEEN_WORDS.sub("", header).strip(_QUOTES)
    return bare.removeprefix(_MISREAD_BOM).strip(_QUOTES).casefold()
