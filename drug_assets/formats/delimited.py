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
import re
import threading
from contextlib import contextmanager
from json.encoder import encode_basestring
from typing import TYPE_CHECKING

from drug_assets.formats import raw_rows
from drug_assets.formats.decoding import MAX_RECORD_CHARS, FormatError, Text, repaired

if TYPE_CHECKING:
    import _csv
    from collections.abc import Iterable, Iterator

    import polars as pl

    from drug_assets.sources import Source

#: In order of preference where the header line leaves a choice.
SEPARATORS = (",", ";", "\t", "|")

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
    records = _Records(source, name, lines, _separator(source, header))
    first = True
    while records.read_batch() or first:
        yield records.frame()
        first = False


def _separator(source: Source, line: str) -> str:
    def known(separator: str) -> tuple[int, int]:
        headers = line.replace('"', "").split(separator)
        fields = {source.field_of(header) for header in headers} - {None}
        return len(fields), len(headers) if not fields else 0

    return max(SEPARATORS, key=known)


class _Lines:
    """The physical lines of a file, their ends kept, taken in block by block."""

    def __init__(self, name: str, text: Text) -> None:
        self._blocks = self._split(name, text)
        #: Lines that are taken in and no complete record yet.
        self.unread: list[str] = []
        #: Characters taken in so far.
        self.taken = 0

    def header(self) -> str | None:
        """The first line that is not blank, then the first unread; None if every line is blank."""
        while True:
            for number, line in enumerate(self.unread):
                if line.strip():
                    del self.unread[:number]
                    return line.rstrip("\r\n")
            self.unread.clear()
            if not self.more():
                return None

    def more(self) -> bool:
        """Take in at least as much again as is unread; False at the end of file or of patience."""
        wanted = sum(map(len, self.unread))
        if wanted > MAX_RECORD_CHARS:
            return False
        before = self.taken
        for block in self._blocks:
            # Only CR, LF and CRLF end a line: `splitlines` would also split at U+2028 and such.
            self.unread += io.StringIO(block, newline="")
            self.taken += len(block)
            if self.taken - before >= wanted:
                break
        return self.taken > before

    @staticmethod
    def _split(name: str, text: Text) -> Iterator[str]:
        """Blocks of whole lines."""
        tail, line_ends = "", 0
        for block in text:
            tail += block
            # A CR at the very end may be the first half of a CRLF.
            cut = max(tail.rfind("\n"), tail.rfind("\r", 0, len(tail) - 1)) + 1
            if cut:
                line_ends += tail.count("\n", 0, cut)
                yield tail[:cut]
                tail = tail[cut:]
            if len(tail) > MAX_RECORD_CHARS:
                raise FormatError(
                    name,
                    f"line {line_ends + 1} is longer than {MAX_RECORD_CHARS} characters: not the "
                    "delimited text it claims. Land it as the format it is.",
                )
        if tail:
            yield tail


class _Records:
    """The records of one file, and where their columns go: fields of the source, or `extra`."""

    def __init__(self, source: Source, name: str, lines: _Lines, separator: str) -> None:
        self._source = source
        self._name = name
        self._lines = lines
        self._separator = separator
        end = rf"(?={re.escape(separator)}|\Z)"
        stray = rf'"(?!["{re.escape(separator)}]|\Z)'
        self._closed = re.compile(rf'"((?:[^"]++|"")*+)"{end}')
        self._loosely_closed = re.compile(rf'"((?:[^"]++|""|{stray})*+)"{end}')
        headers = [repaired(header)[0] for header in self._header()]
        self._width = len(headers)
        self._position_of: dict[str, int] = {}
        self._beyond: dict[int, str] = {}
        taken: set[str] = set()
        for position, header in enumerate(headers):
            field = source.field_of(header)
            if field is not None and field not in self._position_of:
                self._position_of[field] = position
            else:
                self._beyond[position] = raw_rows.extra_key(taken, header, position + 1)
                taken.add(self._beyond[position])
        if self._position_of.keys().isdisjoint(source.required):
            found = ", ".join(repr(header[:60]) for header in headers[:20])
            required = " or ".join(map(repr, source.required))
            raise FormatError(
                name,
                f"no column {required} in the header (the first line that is not blank, "
                f"separated by {separator!r}): found {found}; expected a file of {source.name} "
                f"with {', '.join(source.fields)}. Name the columns so, or land the file under "
                "the name of its source.",
            )
        self._first_row = 1
        self._clear()

    def _clear(self) -> None:
        # One record behind the other: rows of their own would keep the garbage collector busy.
        self._values: list[str | None] = []
        self._extra: dict[int, str] = {}
        self._issues: dict[int, list[str]] = {}

    def _header(self) -> list[str]:
        while True:
            reader = self._reader()
            try:
                header = next(reader)
            except csv.Error:
                if reader.line_num == len(self._lines.unread) and self._lines.more():
                    continue
                line = self._lines.unread.pop(0).rstrip("\r\n")
                return self._fields(line, self._closed, literal=True) or [line]
            del self._lines.unread[: reader.line_num]
            return header

    def _reader(self) -> _csv.Reader:
        # Strict: a quote that does not close as it should raises at once, instead of swallowing
        # the records behind it.
        return csv.reader(self._lines.unread, delimiter=self._separator, strict=True)

    def read_batch(self) -> bool:
        """Read the next records, about as many as a batch has; False if there are none."""
        lines, values = self._lines, self._values
        enough = raw_rows.BATCH_RECORDS * self._width
        full_at = lines.taken + raw_rows.BATCH_CHARS
        with _unlimited_fields():
            while not values or (len(values) < enough and lines.taken < full_at):
                if not lines.unread and not lines.more():
                    break
                before = len(lines.unread)
                damaged_at = self._read_unread()
                if damaged_at == before and lines.more():
                    continue
                if damaged_at:
                    self._add_damaged(lines.unread.pop(0).rstrip("\r\n"))
        return bool(values)

    def _read_unread(self) -> int:
        """Read complete records; 0 if nothing is left, else the line at which the next one fails.

        That line counts from 1 over the lines unread before; the next record begins at the first
        of those unread after.
        """
        reader = self._reader()
        width, values = self._width, self._values
        complete = 0
        try:
            for row in reader:
                if len(row) == width and row[0].strip():
                    values += row
                else:
                    self._add_odd(row)
                complete = reader.line_num
        except csv.Error:
            failed_at = reader.line_num
        else:
            failed_at = 0
        del self._lines.unread[:complete]
        return failed_at

    def _add_odd(self, row: list[str], *damage: str) -> None:
        """Add a record that may be blank, short, long or damaged."""
        # An empty line is one empty field, which `csv` leaves out.
        row = row or [""]
        number = len(self._values) // self._width
        issues = list(damage)
        if not any(field.strip() for field in row):
            issues.append("blank_row")
        elif len(row) < self._width:
            issues.append("short_row")
        elif len(row) > self._width:
            issues.append("long_row")
        if issues:
            self._issues[number] = issues
        if len(row) > self._width:
            keys = dict(self._beyond)
            taken = set(keys.values())
            for position in range(self._width, len(row)):
                keys[position] = raw_rows.extra_key(taken, "", position + 1)
                taken.add(keys[position])
            members = [(key, encode_basestring(row[position])) for position, key in keys.items()]
            self._extra[number] = raw_rows.json_object(members)
        self._values += row[: self._width]
        self._values += [None] * (self._width - len(row))

    def _add_damaged(self, line: str) -> None:
        """Add the record of a line whose quotes are not as they should be."""
        loosely = self._fields(line, self._loosely_closed)
        if loosely is not None and len(loosely) == self._width:
            self._add_odd(loosely, "stray_quote")
        else:
            fields = self._fields(line, self._closed, literal=True)
            self._add_odd(fields or [line], "unclosed_quote")

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

    def frame(self) -> pl.DataFrame:
        """Raw rows of the records read, which are then forgotten."""
        height = len(self._values) // self._width
        columns = [self._values[position :: self._width] for position in range(self._width)]
        if self._beyond:
            self._add_beyond(columns)
        batch = raw_rows.frame(
            self._source,
            self._name,
            self._first_row,
            height,
            {field: columns[position] for field, position in self._position_of.items()},
            self._extra,
            self._issues,
            repaired,
        )
        self._first_row += height
        self._clear()
        return batch

    def _add_beyond(self, columns: list[list[str | None]]) -> None:
        keys = self._beyond.values()
        rows = zip(*(columns[position] for position in self._beyond), strict=True)
        for number, row in enumerate(rows):
            known = zip(keys, row, strict=True)
            members = [(key, encode_basestring(text)) for key, text in known if text is not None]
            if members and number not in self._extra:
                self._extra[number] = raw_rows.json_object(members)


@contextmanager
def _unlimited_fields() -> Iterator[None]:
    """Lift the field size limit, which `csv` keeps for the whole process; `_Lines` has its own."""
    with _field_limit:
        before = csv.field_size_limit(2**31 - 1)
        try:
            yield
        finally:
            csv.field_size_limit(before)
