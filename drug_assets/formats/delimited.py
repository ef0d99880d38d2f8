"""Delimited text (RFC 4180 and what is sent under that name) -> raw rows (SPEC 1).

Separators, quotes, headers and the shape of rows belong here; bytes and encodings to `decoding`,
the meaning of a field to `cleaning`.

Read issues: `short_row`, `long_row`, `blank_row`; `stray_quote` (a quote inside a quoted field that
is not doubled, kept as text); `unclosed_quote` (a quoted field without a proper end: the quote is
taken as a character, and the record ends with its line). From decoding: `not_utf8`,
`invalid_unicode`.
"""

from __future__ import annotations

import csv
import io
import json
import re
import threading
from collections import deque
from contextlib import contextmanager
from typing import TYPE_CHECKING

from drug_assets.formats import raw_rows
from drug_assets.formats.decoding import MAX_RECORD_CHARS, FormatError, Text, repaired

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    import polars as pl

    from drug_assets.sources import Source

#: In order of preference where the header line leaves a choice.
SEPARATORS = (",", ";", "\t", "|")

_json = json.JSONEncoder(ensure_ascii=False, sort_keys=True, separators=(",", ":"))
_field_limit = threading.Lock()


def evident(head: str) -> bool:
    """Whether a text of unknown extension is delimited: two lines, split alike, headers filled."""
    lines = [line for line in head.splitlines()[:2] if line.strip()]
    for separator in SEPARATORS:
        headers, *rows = [line.split(separator) for line in lines] or [[]]
        if len(headers) > 1 and all(h.strip() for h in headers) and all(len(r) > 1 for r in rows):
            return True
    return False


def plausible(head: str) -> bool:  # noqa: ARG001
    """Whether a text whose extension says so can be delimited: any text can, its header decides."""
    return True


def batches(source: Source, name: str, chunks: Iterable[bytes]) -> Iterator[pl.DataFrame]:
    """Batches of raw rows of a delimited file; a single empty one if it holds no record.

    The first line that is not blank is the header. Its separator is the one that gives most of the
    source's fields. `source_row` counts records, so that a quoted field of several lines is one.
    A blank row's fields stay as they stand; what has no field of its own stands in `extra`.

    Args:
        source: Source the file belongs to.
        name: File below the landing zone.
        chunks: Its unpacked bytes.

    Raises:
        FormatError: No column, or not the required one, of the source; a record without end.
    """
    lines = _Lines(name, Text(name, chunks))
    header = lines.header()
    if header is None:
        yield raw_rows.frame(source, name, 1, 0, {}, {}, {}, repaired)
        return
    separator = _separator(source, header)
    records = _Records(lines, separator)
    headers, _ = records.batch(1)[0]
    columns = _Columns(source, name, separator, [repaired(header)[0] for header in headers])
    first_row = 1
    while batch := records.batch(raw_rows.BATCH_RECORDS):
        yield columns.frame(first_row, batch)
        first_row += len(batch)
    if first_row == 1:
        yield columns.frame(first_row, [])


def _separator(source: Source, line: str) -> str:
    def known(separator: str) -> tuple[int, int]:
        headers = line.replace('"', "").split(separator)
        fields = {source.field_of(header) for header in headers} - {None}
        return len(fields), len(headers) if not fields else 0

    return max(SEPARATORS, key=known)


class _Lines:
    """The physical lines of a file, their ends kept; a reader can hand some back."""

    def __init__(self, name: str, text: Text) -> None:
        self._name = name
        self._fresh = self._split(text)
        self._again: deque[str] = deque()
        #: Lines taken since the last record was complete, and their characters.
        self.held: list[str] = []
        self.held_chars = 0

    def header(self) -> str | None:
        """The first line that is not blank, without its end, still to be read; None if none is."""
        for line in self._fresh:
            if line.strip():
                self._again.append(line)
                return line.rstrip("\r\n")
        return None

    def __iter__(self) -> Iterator[str]:
        """Lines, until the file or the patience with an open quote ends."""
        while self.held_chars <= MAX_RECORD_CHARS:
            line = self._again.popleft() if self._again else next(self._fresh, None)
            if line is None:
                return
            self.held.append(line)
            self.held_chars += len(line)
            yield line

    def release(self) -> None:
        """The lines held are a complete record."""
        self.held.clear()
        self.held_chars = 0

    def first_held(self) -> str:
        """The first of the lines held, without its end; the others are to be read again."""
        first, *others = self.held
        self._again.extendleft(reversed(others))
        self.release()
        return first.rstrip("\r\n")

    def _split(self, text: Text) -> Iterator[str]:
        tail, number = "", 1
        for block in text:
            tail += block
            # A CR at the very end may be the first half of a CRLF.
            end = len(tail) - 1
            cut = max(tail.rfind("\n"), tail.rfind("\r", 0, end)) + 1
            if cut:
                # Only CR, LF and CRLF end a line: `splitlines` would also split at U+2028 and such.
                for line in io.StringIO(tail[:cut], newline=""):
                    number += 1
                    yield line
                tail = tail[cut:]
            if len(tail) > MAX_RECORD_CHARS:
                raise FormatError(
                    self._name,
                    f"line {number} is longer than {MAX_RECORD_CHARS} characters: not the "
                    "delimited text it claims. Land it as the format it is.",
                )
        yield from io.StringIO(tail, newline="")


class _Records:
    """Records of a delimited text: lists of fields, and the issues of the damaged ones."""

    def __init__(self, lines: _Lines, separator: str) -> None:
        self._lines = lines
        self._separator = separator
        self._width = 0
        end = rf"(?={re.escape(separator)}|\Z)"
        inner = rf'(?:[^"]++|""|"(?!["{re.escape(separator)}]|\Z))*+'
        self._closed = re.compile(rf'"((?:[^"]++|"")*+)"{end}')
        self._loosely_closed = re.compile(rf'"({inner})"{end}')

    def batch(self, records: int) -> list[tuple[list[str], list[str]]]:
        """Up to so many next records, as (fields, issues); empty at the end of the file."""
        found: list[tuple[list[str], list[str]]] = []
        lines, no_issues, chars = self._lines, list[str](), 0
        with _unlimited_fields():
            while len(found) < records and chars < raw_rows.BATCH_CHARS:
                # Strict: a quote that does not close as it should raises at once, instead of
                # swallowing the records behind it.
                reader = csv.reader(lines, delimiter=self._separator, strict=True)
                try:
                    for row in reader:
                        found.append((row, no_issues))
                        chars += lines.held_chars
                        lines.release()
                        if len(found) == records or chars >= raw_rows.BATCH_CHARS:
                            break
                    else:
                        break
                except csv.Error:
                    chars += len(lines.held[0])
                    found.append(self._damaged(lines.first_held()))
        if found and not self._width:
            self._width = len(found[0][0])
        return found

    def _damaged(self, line: str) -> tuple[list[str], list[str]]:
        """The record of a line whose quotes are not as they should be."""
        loosely = self._fields(line, self._loosely_closed)
        if loosely is not None and len(loosely) == self._width:
            return loosely, ["stray_quote"]
        return self._fields(line, self._closed, literal=True) or [line], ["unclosed_quote"]

    def _fields(
        self, line: str, quoted: re.Pattern[str], *, literal: bool = False
    ) -> list[str] | None:
        """Fields of a line; None if a quoted one does not close and may not be taken literally."""
        fields: list[str] = []
        position = 0
        while True:
            match = quoted.match(line, position)
            if match:
                fields.append(match[1].replace('""', '"'))
                end = match.end()
            elif literal or not line.startswith('"', position):
                end = line.find(self._separator, position)
                end = len(line) if end < 0 else end
                fields.append(line[position:end])
            else:
                return None
            if end == len(line):
                return fields
            position = end + 1


@contextmanager
def _unlimited_fields() -> Iterator[None]:
    """Lift the field size limit, which `csv` keeps for the whole process; `_Lines` has its own."""
    with _field_limit:
        before = csv.field_size_limit(2**31 - 1)
        try:
            yield
        finally:
            csv.field_size_limit(before)


class _Columns:
    """Where the columns of one file go: fields of the source, or `extra`."""

    def __init__(self, source: Source, name: str, separator: str, headers: list[str]) -> None:
        self._source = source
        self._name = name
        self._width = len(headers)
        self._position_of: dict[str, int] = {}
        self._extra: dict[int, str] = {}
        for position, header in enumerate(headers):
            field = source.field_of(header)
            if field is not None and field not in self._position_of:
                self._position_of[field] = position
            else:
                taken = self._extra.values()
                self._extra[position] = raw_rows.extra_key(taken, header, position + 1)
        if source.required not in self._position_of:
            found = ", ".join(repr(header[:60]) for header in headers[:20])
            raise FormatError(
                name,
                f"no column '{source.required}' in the header (its first line that is not blank, "
                f"separated by {separator!r}): found {found}; expected a file of {source.name} "
                f"with {', '.join(source.fields)}. Name the columns so, or land the file under "
                "the name of its source.",
            )

    def frame(self, first_row: int, records: list[tuple[list[str], list[str]]]) -> pl.DataFrame:
        """Raw rows of these records."""
        width = self._width
        issues: dict[int, list[str]] = {}
        extra: dict[int, str] = {}
        rows: list[list[str] | list[str | None]] = []
        for number, (row, damage) in enumerate(records):
            if len(row) == width and not damage and row[0] and not row[0].isspace():
                rows.append(row)
                continue
            # An empty line is one empty field, which `csv` leaves out.
            fields: list[str | None] = [*row] or [""]
            found = self._shape_issues(fields) + damage
            if found:
                issues[number] = found
            if len(fields) > width:
                extra[number] = self._beyond(fields)
            rows.append((fields + [None] * (width - len(fields)))[:width])
        if self._extra:
            for number, padded in enumerate(rows):
                if number not in extra and any(padded[p] is not None for p in self._extra):
                    extra[number] = self._beyond(padded)
        columns = list(zip(*rows, strict=True)) or [()] * width
        return raw_rows.frame(
            self._source,
            self._name,
            first_row,
            len(rows),
            {field: columns[position] for field, position in self._position_of.items()},
            extra,
            issues,
            repaired,
        )

    def _shape_issues(self, fields: list[str | None]) -> list[str]:
        if not any(field and not field.isspace() for field in fields):
            return ["blank_row"]
        if len(fields) < self._width:
            return ["short_row"]
        if len(fields) > self._width:
            return ["long_row"]
        return []

    def _beyond(self, fields: list[str] | list[str | None]) -> str:
        """JSON of the columns that are no field of the source, and of those without a header."""
        keys = dict(self._extra)
        for position in range(self._width, len(fields)):
            keys[position] = raw_rows.extra_key(keys.values(), "", position + 1)
        return _json.encode({key: fields[p] for p, key in keys.items() if fields[p] is not None})
