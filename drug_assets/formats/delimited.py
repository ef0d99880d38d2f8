"""Delimited text (RFC 4180, and files that deviate from it) -> raw rows (SPEC 1).

Separators, quotes, headers and the shape of rows belong here; bytes and encodings to `decoding`,
the meaning of a field to `cleaning`.

Read issues: `short_row`, `long_row`, `blank_row`; `stray_quote` (a quote inside a quoted field that
is not doubled, kept as text); `unclosed_quote` (a quoted field without a proper end: the quote is
read as a character, and the record ends with its line). From decoding: `not_utf8`,
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
from drug_assets.formats.decoding import MAX_RECORD_CHARS, FormatError, Text, repair
from drug_assets.terms import ReadIssue

if TYPE_CHECKING:
    import _csv
    from collections.abc import Iterable, Iterator

    import polars as pl

    from drug_assets.formats.record_shape import RecordShape

#: In order of preference, for header lines that several separators fit equally well.
SEPARATORS = (",", ";", "\t", "|")

_field_limit = threading.Lock()


def is_evident(head: str) -> bool:
    """Whether a text of unknown extension is delimited.

    True if some separator splits each of its first two lines, and no header is blank.
    """
    lines = [line for line in head.splitlines()[:2] if line.strip()]
    for separator in SEPARATORS:
        headers, *rows = [line.split(separator) for line in lines] or [[]]
        if len(headers) > 1 and all(h.strip() for h in headers) and all(len(r) > 1 for r in rows):
            return True
    return False


def is_plausible(head: str) -> bool:  # noqa: ARG001
    """Whether a text with a matching extension can be delimited: any can; the header decides."""
    return True


def read_batches(shape: RecordShape, name: str, chunks: Iterable[bytes]) -> Iterator[pl.DataFrame]:
    """Read a delimited file in batches of raw rows; one empty batch if it has no records.

    The first line that is not blank is the header. The separator is the one that yields most fields
    of the source. `source_row` counts records, not lines: a quoted field may span several lines.
    The fields of a blank row are kept as written. Values of unknown columns are kept in `extra`.

    Args:
        shape: Shape of the records of its source.
        name: File below the landing zone.
        chunks: Its unpacked bytes.

    Raises:
        FormatError: The header has none of the columns that the source requires, or a record does
            not end.
    """
    lines = _Lines(name, Text(name, chunks))
    header = lines.header()
    if header is None:
        yield raw_rows.make_frame(shape, name, 1, 0, {}, {}, {}, repair)
        return
    records = _Records(shape, name, lines, _detect_separator(shape, header))
    first = True
    while records.read_batch() or first:
        yield records.take_frame()
        first = False


def _detect_separator(shape: RecordShape, line: str) -> str:
    """The separator that yields most fields of the source, or most columns if none is known."""

    def count_known(separator: str) -> tuple[int, int]:
        headers = line.replace('"', "").split(separator)
        fields = {shape.field_of(header) for header in headers} - {None}
        return len(fields), len(headers) if not fields else 0

    return max(SEPARATORS, key=count_known)


class _Lines:
    """The physical lines of a file, with their line ends, read block by block."""

    def __init__(self, name: str, text: Text) -> None:
        self._blocks = self._split(name, text)
        #: Lines that were read from the file, but not yet parsed as records.
        self.unparsed: list[str] = []
        #: Characters read from the file so far.
        self.chars_read = 0

    def header(self) -> str | None:
        """Drop blank lines and return the first other line, unparsed; None if all are blank."""
        while True:
            for number, line in enumerate(self.unparsed):
                if line.strip():
                    del self.unparsed[:number]
                    return line.rstrip("\r\n")
            self.unparsed.clear()
            if not self.read_more():
                return None

    def read_more(self) -> bool:
        """Read at least as many characters as are unparsed.

        False at the end of the file, or if more than `MAX_RECORD_CHARS` are unparsed.
        """
        unparsed_chars = sum(map(len, self.unparsed))
        if unparsed_chars > MAX_RECORD_CHARS:
            return False
        before = self.chars_read
        for block in self._blocks:
            # Only CR, LF and CRLF end a line; `splitlines` would also split at U+2028 and others.
            self.unparsed += io.StringIO(block, newline="")
            self.chars_read += len(block)
            if self.chars_read - before >= unparsed_chars:
                break
        return self.chars_read > before

    @staticmethod
    def _split(name: str, text: Text) -> Iterator[str]:
        """Blocks of whole lines."""
        tail, line_ends = "", 0
        for block in text:
            tail += block
            # A CR at the end of the block may be the first half of a CRLF.
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
    """The records of one file, with each column assigned to a field of the source or to `extra`."""

    def __init__(self, shape: RecordShape, name: str, lines: _Lines, separator: str) -> None:
        self._shape = shape
        self._name = name
        self._lines = lines
        self._separator = separator
        end = rf"(?={re.escape(separator)}|\Z)"
        stray = rf'"(?!["{re.escape(separator)}]|\Z)'
        self._closed = re.compile(rf'"((?:[^"]++|"")*+)"{end}')
        self._loosely_closed = re.compile(rf'"((?:[^"]++|""|{stray})*+)"{end}')
        headers = [repair(header)[0] for header in self._read_header()]
        self._width = len(headers)
        self._position_of: dict[str, int] = {}
        self._beyond: dict[int, str] = {}
        taken: set[str] = set()
        for position, header in enumerate(headers):
            field = shape.field_of(header)
            if field is not None and field not in self._position_of:
                self._position_of[field] = position
            else:
                self._beyond[position] = raw_rows.make_extra_key(taken, header, position + 1)
                taken.add(self._beyond[position])
        if self._position_of.keys().isdisjoint(shape.required):
            found = ", ".join(repr(header[:60]) for header in headers[:20])
            required = " or ".join(map(repr, shape.required))
            raise FormatError(
                name,
                f"no column {required} in the header (the first line that is not blank, "
                f"separated by {separator!r}): found {found}; expected a file of {shape.source} "
                f"with {', '.join(shape.fields)}. Name the columns so, or land the file under "
                "the name of its source.",
            )
        self._first_row = 1
        self._clear()

    def _clear(self) -> None:
        # One flat list of all values: a list per row would slow down the garbage collector.
        self._values: list[str | None] = []
        self._extra: dict[int, str] = {}
        self._issues: dict[int, list[str]] = {}

    def _read_header(self) -> list[str]:
        while True:
            reader = self._make_reader()
            try:
                header = next(reader)
            except csv.Error:
                if reader.line_num == len(self._lines.unparsed) and self._lines.read_more():
                    continue
                line = self._lines.unparsed.pop(0).rstrip("\r\n")
                return self._read_fields(line, self._closed, literal=True) or [line]
            del self._lines.unparsed[: reader.line_num]
            return header

    def _make_reader(self) -> _csv.Reader:
        # Strict: a quote that is not closed properly raises at once. Otherwise the field would
        # include the records after it.
        return csv.reader(self._lines.unparsed, delimiter=self._separator, strict=True)

    def read_batch(self) -> bool:
        """Read the next records, about one batch; False if there are none."""
        lines, values = self._lines, self._values
        max_values = raw_rows.BATCH_RECORDS * self._width
        max_chars_read = lines.chars_read + raw_rows.BATCH_CHARS
        with _lift_field_limit():
            while not values or (len(values) < max_values and lines.chars_read < max_chars_read):
                if not lines.unparsed and not lines.read_more():
                    break
                before = len(lines.unparsed)
                failed_at = self._parse_records()
                if failed_at == before and lines.read_more():
                    continue
                if failed_at:
                    self._add_damaged(lines.unparsed.pop(0).rstrip("\r\n"))
        return bool(values)

    def _parse_records(self) -> int:
        """Parse the unparsed lines up to the first record that fails, which stays unparsed.

        Returns:
            0 if no record fails; else the line of the failure, from 1, among the lines that were
            unparsed before the call.
        """
        reader = self._make_reader()
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
        del self._lines.unparsed[:complete]
        return failed_at

    def _add_odd(self, row: list[str], *damage: str) -> None:
        """Add a record that may be blank, short, long or damaged."""
        # For an empty line `csv` returns no field, but it is a record with one empty field.
        row = row or [""]
        number = len(self._values) // self._width
        issues = list(damage)
        if not any(field.strip() for field in row):
            issues.append(ReadIssue.BLANK_ROW)
        elif len(row) < self._width:
            issues.append(ReadIssue.SHORT_ROW)
        elif len(row) > self._width:
            issues.append(ReadIssue.LONG_ROW)
        if issues:
            self._issues[number] = issues
        if len(row) > self._width:
            keys = dict(self._beyond)
            taken = set(keys.values())
            for position in range(self._width, len(row)):
                keys[position] = raw_rows.make_extra_key(taken, "", position + 1)
                taken.add(keys[position])
            members = [(key, encode_basestring(row[position])) for position, key in keys.items()]
            self._extra[number] = raw_rows.to_json_object(members)
        self._values += row[: self._width]
        self._values += [None] * (self._width - len(row))

    def _add_damaged(self, line: str) -> None:
        """Add the record of a line with damaged quotes."""
        loosely = self._read_fields(line, self._loosely_closed)
        if loosely is not None and len(loosely) == self._width:
            self._add_odd(loosely, ReadIssue.STRAY_QUOTE)
        else:
            fields = self._read_fields(line, self._closed, literal=True)
            self._add_odd(fields or [line], ReadIssue.UNCLOSED_QUOTE)

    def _read_fields(
        self, line: str, quoted: re.Pattern[str], *, literal: bool = False
    ) -> list[str] | None:
        """Split a line into fields.

        Args:
            line: the line, without its end.
            quoted: the pattern of a quoted field.
            literal: whether a field that begins with a quote, but does not match, is kept as text.

        Returns:
            The fields; None if a quoted field does not match and is not kept as text.
        """
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

    def take_frame(self) -> pl.DataFrame:
        """Return the raw rows of the records read so far, and forget the records."""
        height = len(self._values) // self._width
        columns = [self._values[position :: self._width] for position in range(self._width)]
        if self._beyond:
            self._add_beyond(columns)
        batch = raw_rows.make_frame(
            self._shape,
            self._name,
            self._first_row,
            height,
            {field: columns[position] for field, position in self._position_of.items()},
            self._extra,
            self._issues,
            repair,
        )
        self._first_row += height
        self._clear()
        return batch

    def _add_beyond(self, columns: list[list[str | None]]) -> None:
        """Add the values of unknown columns to `extra`."""
        keys = self._beyond.values()
        rows = zip(*(columns[position] for position in self._beyond), strict=True)
        for number, row in enumerate(rows):
            known = zip(keys, row, strict=True)
            members = [(key, encode_basestring(text)) for key, text in known if text is not None]
            if members and number not in self._extra:
                self._extra[number] = raw_rows.to_json_object(members)


@contextmanager
def _lift_field_limit() -> Iterator[None]:
    """Lift the field size limit of `csv`, a global of the process; `_Lines` limits records."""
    with _field_limit:
        before = csv.field_size_limit(2**31 - 1)
        try:
            yield
        finally:
            csv.field_size_limit(before)
