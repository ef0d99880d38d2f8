"""Delimited text (RFC 4180, and files that deviate from it) -> raw rows (SPEC 1).

Separators, quotes, headers and the shape of rows belong here; bytes and encodings to `decoding`,
the meaning of a field to `cleaning`.

Read issues: `short_row`, `long_row`, `blank_row`; `joined_row`, `misaligned_row` (`long_rows`);
`repeated_header`; those of known tables (`known_tables`); `stray_quote` (a quote inside a quoted
field that is not doubled, kept as text);
`unclosed_quote` (a quoted field without a proper end: the quote is read as a character, and the
record ends with its line). From decoding: `not_utf8`, `invalid_unicode`.

So a damaged line changes no other one, but for this: a quote that it leaves open takes in the lines
up to one on which a quote closes it, if all of them together are one record as RFC 4180 has it and
no sound record begins on the second of them. Backslashes (`backslashes`) are read one way in all of
a file.
"""

from __future__ import annotations

import csv
import io
import re
import threading
from contextlib import contextmanager
from dataclasses import dataclass, replace
from itertools import chain, takewhile
from json.encoder import encode_basestring
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

from drug_assets.formats import raw_rows
from drug_assets.formats.backslashes import Backslashes
from drug_assets.formats.decoding import MAX_RECORD_CHARS, FormatError, Text, repair
from drug_assets.formats.known_tables import KnownRows
from drug_assets.formats.long_rows import Columns
from drug_assets.formats.record_shape import normalize_header
from drug_assets.formats.service_errors import find_in_line, redact
from drug_assets.terms import ReadIssue, is_missing

if TYPE_CHECKING:
    import _csv
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    import polars as pl

    from drug_assets.formats.record_shape import KnownTable, RecordShape

#: In order of preference, for header lines that several separators fit equally well.
SEPARATORS = (",", ";", "\t", "|")

#: Byte order marks and other signs without width, also one that was decoded wrongly.
_BEFORE_HEADER = re.compile("^(?:[\u200b-\u200f\u2060\ufeff]|ï»¿)+")
#: A first line with which Excel is told the separator.
_SEPARATOR_LINE = re.compile(r'\s*"?sep=([^\w\s"\']|\t)"?\1*\s*', re.IGNORECASE)
#: A line of these characters is blank, where a header is looked for.
_NOTHING = " \t\r\n\f\v\xa0\"'" + "".join(SEPARATORS)
#: A year, a month, a day.
_DATE_PART = re.compile(r"[12][0-9]{3}|[0-9]{1,2}|[^\W\d_]{3,9}\.?")
#: So many lines show whether a column of row names stands first.
_ROWS_LOOKED_AT = 20
#: Short rows may lack so many values, and further ones for each that the file has. Otherwise a file
#: of a long header and blank rows would take the product of both.
FREE_MISSING = 1_000_000
MAX_MISSING_PER_VALUE = 10
#: Bytes of quotes, blanks and signs around a header that is repeated within the data.
_MOST_AROUND = 24
#: So many lines, such as a title and a date, can stand before the header of a known table.
_LINES_BEFORE_HEADER = 20

#: The values of some records, by column.
_Values: TypeAlias = list[list[str | None]]

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

    The first line that is not blank is the header; Excel's `sep=;` may stand before it, and before
    that of a known table (`KnownTable`) up to 20 lines of anything. The separator is the one named
    there, or that yields most fields of the source. `source_row` counts records, not lines: a
    quoted field may span several lines. The fields of a blank row are kept as written. Values of
    unknown columns are kept in `extra`, and so are those of columns that name the same field as the
    one that was used. A known table is read as it is declared; its name tells one that has no
    header.

    Args:
        shape: Shape of the records of its source.
        name: File below the landing zone.
        chunks: Its unpacked bytes.

    Raises:
        FormatError: The header has none of the columns that the source requires and is not that of
            a known table, a known table without a header has another number of columns, a record
            does not end, another header has its columns in another order, short rows lack far more
            values than there are, or a service tells of an error in place of a record.
    """
    lines = _Lines(name, Text(name, chunks))
    header = lines.header()
    if header is None:
        yield raw_rows.make_frame(shape, name, 1, 0, {}, {}, {}, repair)
        return
    table = shape.known_file(name)
    if table is not None:
        dialect = _Dialect(table.separator, is_quoted=False)
        headers = _headers_of_known_file(table, name, header)
        records = _Records(shape, name, lines, dialect, (table, headers))
    else:
        header = _pass_to_known_header(shape, lines, header)
        records = _Records(shape, name, lines, _Dialect.of(shape, header, lines.separator))
    first = True
    while records.read_batch() or first:
        yield records.take_frame()
        first = False
    if records.passed_over:
        yield records.take_passed_over()


def _headers_of_known_file(table: KnownTable, name: str, first: str) -> list[str]:
    """The columns of a known table without a header; the last may have no name.

    Args:
        table: the table.
        name: the name of the file.
        first: its first line.

    Raises:
        FormatError: the line has another number of values.
    """
    expected, cells = len(table.columns), first.split(table.separator)
    if len(cells) == expected:
        return list(table.columns)
    if len(cells) == expected + 1 and not cells[-1].strip():
        return [*table.columns, ""]
    raise FormatError(
        name,
        f"named as a table of {expected} columns without a header, but its first line has "
        f"{len(cells)} values, separated by {table.separator!r}. Land it as its owner delivers it, "
        "or give it another name.",
    )


def _pass_to_known_header(shape: RecordShape, lines: _Lines, first: str) -> str:
    """Go over the lines before the header of a known table, if it is not the first line.

    Args:
        shape: the shape of the records of the source.
        lines: the lines of the file, of which none is parsed.
        first: the first of them that is not blank.

    Returns:
        The header.
    """
    if not any(not table.file_word for table in shape.known_tables):
        return first
    for number, line in enumerate(lines.look_ahead(_LINES_BEFORE_HEADER)):
        for separator in SEPARATORS:
            headers = [header.strip(' "\r\n') for header in line.split(separator)]
            is_of_records = any(shape.field_of(header) in shape.required for header in headers)
            if shape.known_table(headers) or (number == 0 and is_of_records):
                lines.drop(number)
                return line.rstrip("\r\n")
    return first


@dataclass(frozen=True)
class _Dialect:
    """How a file separates and quotes its fields."""

    separator: str
    quote: str = '"'
    #: Whether values can be quoted; if not, a quote is a character like any other.
    is_quoted: bool = True
    #: Whether blanks follow the separators.
    is_spaced: bool = False
    #: Whether quotes come after such a blank.
    quotes_spaced: bool = False

    @classmethod
    def of(cls, shape: RecordShape, header: str, separator: str | None) -> _Dialect:
        """The dialect that the header shows.

        Args:
            shape: the shape of the records of the source.
            header: the header line.
            separator: the separator that the file itself names, if it does.
        """
        if separator is None or separator not in header:
            separator = _detect_separator(shape, header)
        cells = header.split(separator)
        quote = "'" if all(re.fullmatch(r"\s*'.*'\s*", cell) for cell in cells) else '"'
        spaced = [cell for cell in cells[1:] if cell[:1].isspace() and cell.strip()]
        quoted = [cell for cell in spaced if cell.lstrip().startswith(quote)]
        return cls(separator, quote, is_spaced=bool(spaced), quotes_spaced=bool(quoted))

    def make_reader(self, lines: Iterable[str]) -> _csv.Reader:
        """A reader of lines.

        It is strict: a quote that is not closed properly raises at once. Otherwise the field would
        include the records after it.
        """
        return csv.reader(
            lines,
            delimiter=self.separator,
            quotechar=self.quote,
            skipinitialspace=self.quotes_spaced,
            quoting=csv.QUOTE_MINIMAL if self.is_quoted else csv.QUOTE_NONE,
            strict=True,
        )


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
        #: Lines that were read from the file; those from `position` on are not yet parsed.
        self._lines: list[str] = []
        self._position = 0
        #: Characters read from the file so far.
        self.chars_read = 0
        #: The separator that the file names in its first line, for Excel.
        self.separator: str | None = None

    def header(self) -> str | None:
        """Drop lines before the header and return it, unparsed; None if there is none."""
        while True:
            while self._position < len(self._lines):
                line = self._lines[self._position]
                line = self._lines[self._position] = _BEFORE_HEADER.sub("", line)
                named = _SEPARATOR_LINE.fullmatch(line.rstrip("\r\n"))
                if named and self.separator is None:
                    self.separator = named[1]
                elif line.strip(_NOTHING):
                    return line.rstrip("\r\n")
                self._position += 1
            if not self.read_more():
                return None

    def mark_escapes(self, backslashes: Backslashes) -> None:
        """Mark the escapes in all lines that are not yet parsed."""
        unparsed = "".join(self._lines[self._position :])
        self.chars_read -= len(unparsed)
        self._lines, self._position = [], 0
        self._blocks = backslashes.mark(chain([unparsed] if unparsed else [], self._blocks))

    def unparsed(self) -> Iterable[str]:
        """The lines that were read, but not yet parsed."""
        if not self._position:
            return self._lines
        return map(self._lines.__getitem__, range(self._position, len(self._lines)))

    def count(self) -> int:
        """The number of these lines."""
        return len(self._lines) - self._position

    def peek(self, start: int, end: int) -> list[str]:
        """Some of these lines, counted from 0."""
        return self._lines[self._position + start : self._position + end]

    def look_ahead(self, count: int) -> Iterator[str]:
        """The first of these lines, read as they are asked for: the same however blocks are cut."""
        for number in range(count):
            if number >= self.count() and not self.read_more():
                return
            yield from self.peek(number, number + 1)

    def drop(self, count: int) -> None:
        """Forget the first of these lines, as they are parsed."""
        self._position += count
        if self._position >= len(self._lines):
            self._lines, self._position = [], 0

    def read_more(self) -> bool:
        """Read at least as many characters as are unparsed.

        False at the end of the file, or if more than `MAX_RECORD_CHARS` are unparsed.
        """
        # Not at each call of `drop`: that would move the lines behind each damaged one.
        del self._lines[: self._position]
        self._position = 0
        unparsed_chars = sum(map(len, self._lines))
        if unparsed_chars > MAX_RECORD_CHARS:
            return False
        before = self.chars_read
        for block in self._blocks:
            # Only CR, LF and CRLF end a line; `splitlines` would also split at U+2028 and others.
            self._lines += io.StringIO(block, newline="")
            self.chars_read += len(block)
            if self.chars_read - before >= unparsed_chars:
                break
        return self.chars_read > before

    @staticmethod
    def _split(name: str, text: Text) -> Iterator[str]:
        """Blocks of whole lines."""
        tail: list[str] = []
        tail_chars, line_ends = 0, 0
        for block in text:
            # A CR at the end of the block may be the first half of a CRLF.
            if tail and tail[-1][-1:] == "\r":
                tail_chars -= len(tail[-1])
                block = tail.pop() + block  # noqa: PLW2901
            cut = max(block.rfind("\n"), block.rfind("\r", 0, len(block) - 1)) + 1
            if cut:
                whole = "".join([*tail, block[:cut]])
                line_ends += whole.count("\n")
                yield whole
                tail, tail_chars = [], 0
            tail.append(block[cut:])
            tail_chars += len(tail[-1])
            if tail_chars > MAX_RECORD_CHARS:
                raise FormatError(
                    name,
                    f"line {line_ends + 1} is longer than {MAX_RECORD_CHARS} characters: not the "
                    "delimited text it claims. Land it as the format it is.",
                )
        if tail and any(tail):
            yield "".join(tail)


class _Failure(NamedTuple):
    """Where records stop being parsed."""

    #: The number of lines from the first of the record to the failure; 0 if none fails.
    lines: int
    #: Whether further lines could change that.
    at_end: bool = False
    #: Whether the record is sound if there are no further lines.
    is_sound_at_end: bool = False


class _Records:
    """The records of one file, with each column assigned to a field of the source or to `extra`."""

    def __init__(
        self,
        shape: RecordShape,
        name: str,
        lines: _Lines,
        dialect: _Dialect,
        known: tuple[KnownTable, list[str]] | None = None,
    ) -> None:
        """Read the header, if there is one.

        Args:
            shape: the shape of the records of the source.
            name: the name of the file.
            lines: its lines, of which none is parsed.
            dialect: how it separates and quotes its fields.
            known: the table that it is, and its columns, if it has no header.
        """
        self._shape = shape
        self._name = name
        self._lines = lines
        self._dialect = dialect
        quote, apart = dialect.quote, re.escape(dialect.separator)
        end = rf"(?={apart}|\Z)"
        stray = rf"{quote}(?![{quote}{apart}]|\Z)"
        self._closed = re.compile(rf"{quote}((?:[^{quote}]++|{quote}{quote})*+){quote}{end}")
        self._loosely_closed = re.compile(
            rf"{quote}((?:[^{quote}]++|{quote}{quote}|{stray})*+){quote}{end}"
        )
        quoted = rf"{quote}(?:[^{quote}]++|{quote}{quote})*+{quote}"
        field = rf"(?:{quoted}|[^{quote}{apart}\r\n]*+)"
        self._sound = re.compile(rf"{field}(?:{apart}{field})*+[\r\n]*")
        if known is None:
            headers = [repair(header)[0] for header in self._read_header()]
            table = shape.known_table(headers)
            if table is not None and not table.quoted:
                self._dialect = dialect = replace(dialect, is_quoted=False)
            if self._has_row_names(headers):
                headers = ["", *headers]
        else:
            table, headers = known
        self._width = len(headers)
        self._headers = [normalize_header(header) for header in headers]
        self._named_columns = sum(map(bool, self._headers))
        #: What a header consists of apart from signs, and how long it can be where it is repeated.
        self._letters = sorted({re.sub(r"[\W_]+", "", header) for header in self._headers} - {""})
        self._most_header_bytes = (
            max(len(header.encode()) for header in self._headers) + _MOST_AROUND
        )
        self._table = table
        #: How many rows of a known table said nothing.
        self.passed_over = 0
        self._columns = (table or shape).assign(headers)
        self._known = None if table is None else KnownRows(table, self._headers, shape.listed)
        self._keys: dict[int, str] = {}
        taken: set[str] = set()
        fields = {positions[0] for positions in self._columns.synonyms.values()}
        names = [header[: raw_rows.MAX_NAME_CHARS] for header in headers]
        for position, text in enumerate(names):
            if position not in fields:
                self._keys[position] = raw_rows.make_extra_key(taken, text, position + 1)
                taken.add(self._keys[position])
        for position in sorted(fields):
            self._keys[position] = raw_rows.make_extra_key(taken, names[position], position + 1)
        if table is None and self._columns.synonyms.keys().isdisjoint(shape.required):
            # What is no header may be the words of a service, with a key in them.
            found = ", ".join(repr(redact(header[:60])) for header in headers[:20])
            required = " or ".join(map(repr, shape.required))
            parted = (
                f"separated by {dialect.separator!r}"
                if len(headers) > 1
                else "which holds no comma, semicolon, tab or bar to separate columns"
            )
            raise FormatError(
                name,
                f"no column {required} in the header (the first line that is not blank, {parted}): "
                f"found {found}; expected a file of {shape.source} with "
                f"{', '.join(shape.fields)}. Name the columns so, or land the file under the name "
                "of its source.",
            )
        self._long_rows = self._describe_columns()
        self._backslashes = Backslashes(dialect.separator, self._width)
        if quote == '"' and dialect.is_quoted:
            lines.mark_escapes(self._backslashes)
        #: How many of the next lines stand within quotes that never close, if the first one does.
        self._hopeless = 0
        self._first_row = 1
        #: Values that the rows of earlier batches lack.
        self._missing_before = 0
        self._clear()

    def _has_row_names(self, headers: Sequence[str]) -> bool:
        """Whether a column of row names without a header stands first, as R writes it.

        Each of the next rows has one value more than the header, begins with a number that grows,
        and what follows has the forms of the columns.
        """
        columns = self._shape.assign(headers)
        forms = {
            position: re.compile(form)
            for field, form in self._shape.forms.items()
            for position in columns.synonyms.get(field, ())
        }
        before = 0
        try:
            for row in self._dialect.make_reader(self._lines.look_ahead(_ROWS_LOOKED_AT)):
                name, *values = row or [""]
                if not row:
                    continue
                if len(values) != len(headers) or not re.fullmatch("[0-9]{1,9}", name):
                    return False
                fits = all(
                    is_missing(values[position]) or form.fullmatch(values[position].strip())
                    for position, form in forms.items()
                )
                if int(name) <= before or not values[-1].strip() or not fits:
                    return False
                before = int(name)
        except csv.Error:
            pass  # the end of what was looked at, or a damaged row
        return before > 0

    def _describe_columns(self) -> Columns:
        """What is known of the columns, to put long rows together."""
        forms: list[re.Pattern[str] | None] = [None] * self._width
        for field, positions in self._columns.synonyms.items():
            if form := self._shape.forms.get(field):
                for position in positions:
                    forms[position] = re.compile(form)
        for positions in self._columns.parts.values():
            for position in positions:
                forms[position] = _DATE_PART
        last = [
            f for f, positions in self._columns.synonyms.items() if self._width - 1 in positions
        ]
        return Columns(
            self._dialect.separator,
            forms,
            self._dialect.is_spaced,
            bool(last) and last[0] in self._shape.required,
        )

    def _clear(self) -> None:
        # One flat list of all values: a list per row would slow down the garbage collector.
        self._values: list[str | None] = []
        self._extra: dict[int, list[tuple[str, str]]] = {}
        self._issues: dict[int, list[str]] = {}
        #: Values that the rows lack.
        self._missing = 0

    def _is_full(self) -> bool:
        """Whether the batch is complete; what rows lack takes memory, too."""
        most = raw_rows.BATCH_RECORDS
        return len(self._values) >= most * self._width or self._missing >= most

    def _read_header(self) -> list[str]:
        while True:
            reader = self._dialect.make_reader(self._lines.unparsed())
            try:
                header = next(reader)
            except csv.Error:
                if reader.line_num == self._lines.count() and self._lines.read_more():
                    continue
                line = self._lines.peek(0, 1)[0].rstrip("\r\n")
                self._lines.drop(1)
                return self._read_fields(line, self._closed, literal=True) or [line]
            self._lines.drop(reader.line_num)
            return header

    def read_batch(self) -> bool:
        """Read the next records, about one batch; False if there are none.

        Each line is looked at a bounded number of times. A record whose quotes do not close is
        known only where that shows, perhaps at the end of the file; then its first line is a
        damaged record. Each line between stands within the same quotes if a record that begins
        before it is still open there, so that no such record needs to be read that far again.
        """
        lines, values = self._lines, self._values
        max_chars_read = lines.chars_read + raw_rows.BATCH_CHARS
        ended = False
        with _lift_field_limit():
            while not values or (not self._is_full() and lines.chars_read < max_chars_read):
                if self._hopeless:
                    self._read_hopeless()
                    continue
                if not lines.count() and not lines.read_more():
                    break
                failure = self._parse_records(ended=ended)
                ended = failure.at_end and not lines.read_more()
                is_final = ended or not failure.at_end
                if failure.lines and is_final and not failure.is_sound_at_end:
                    ended = False
                    self._add_damaged()
                    self._hopeless = max(0, min(failure.lines - 2, lines.count()))
        return bool(values)

    def _parse_records(self, *, ended: bool) -> _Failure:
        """Parse the unparsed lines up to the first record that fails, which stays unparsed.

        Args:
            ended: whether there are no further lines.
        """
        lines, width, values = self._lines, self._width, self._values
        reader = self._dialect.make_reader(lines.unparsed())
        rows: Iterable[list[str]] = reader
        if self._backslashes.escape:
            read = self._backslashes.read
            rows = ([read(value) for value in row] for row in reader)
        quote, most_missing = self._dialect.quote, raw_rows.BATCH_RECORDS
        complete = failed_at = 0
        sound: bool | None = False
        try:
            for row in rows:
                end = reader.line_num
                is_one = end - complete < 2 or (len(row) == width and quote not in "".join(row))
                if is_one and len(row) == width and row[0].strip():
                    values += row
                    complete = end
                    continue
                sound = is_one or self._is_sound(complete, end, ended, fits=len(row) == width)
                if not sound:
                    failed_at = end
                    break
                self._add_odd(row, lines.peek(complete, end))
                complete = end
                if self._missing >= most_missing:
                    break
        except csv.Error:
            sound, failed_at = False, reader.line_num
        at_end = bool(failed_at) and (sound is None or failed_at == lines.count())
        lines.drop(complete)
        return _Failure(max(failed_at - complete, 0), at_end, sound is None)

    def _is_sound(self, start: int, end: int, ended: bool, *, fits: bool) -> bool | None:
        """Whether a record of several lines is one, and not a quote that happens to be closed.

        It is quoted as RFC 4180 says, and if it has another number of values than the header has
        columns, no record with that number begins on its second line.

        Args:
            start: its first line, among the unparsed ones.
            end: the line behind it.
            ended: whether there are no further lines than the unparsed ones.
            fits: whether it has as many values as the header has columns.

        Returns:
            None if it is sound unless the lines that follow show the contrary.
        """
        if not self._sound.fullmatch("".join(self._lines.peek(start, end))):
            return False
        if fits:
            return True
        last = end + (end - start) + 3
        other = self._dialect.make_reader(self._lines.peek(start + 1, last))
        try:
            return len(next(other)) != self._width
        except (csv.Error, StopIteration):
            return True if ended or last <= self._lines.count() else None

    def _read_hopeless(self) -> None:
        """Read one line that stands within quotes that never close, if a record is open there."""
        self._hopeless -= 1
        (line,) = self._lines.peek(0, 1)
        try:
            row = next(self._dialect.make_reader([line]))
        except csv.Error:
            self._add_damaged()
            return
        row = [self._backslashes.read(value) for value in row]
        self._lines.drop(1)
        if len(row) == self._width and row[0].strip():
            self._values += row
        else:
            self._add_odd(row, [line])

    def _add_odd(self, row: list[str], lines: Sequence[str], *damage: str) -> None:
        """Add a record that may be blank, short, long or damaged.

        Args:
            row: its values.
            lines: its lines.
            damage: the read issues that are known.
        """
        # For an empty line `csv` returns no field, but it is a record with one empty field.
        row = row or [""]
        cells = len(row)
        number = len(self._values) // self._width
        self._check_no_error(lines, self._first_row + number)
        issues = list(damage)
        surplus: list[str] = []
        if not any(field.strip() for field in row):
            issues.append(ReadIssue.BLANK_ROW)
            row, surplus = row[: self._width], row[self._width :]
        elif len(row) < self._width:
            issues.append(ReadIssue.SHORT_ROW)
        elif len(row) > self._width:
            joined = self._long_rows.join(row)
            if joined is None:
                issues.append(ReadIssue.MISALIGNED_ROW)
                text = self._backslashes.restore("".join(lines)).rstrip("\r\n")
                self._extra[number] = [("raw", text)]
                row = []
            else:
                row, surplus, is_joined = joined
                if is_joined:
                    issues.append(ReadIssue.JOINED_ROW)
                if surplus:
                    issues.append(ReadIssue.LONG_ROW)
        if issues:
            self._issues[number] = issues
        if surplus:
            taken = set(self._keys.values())
            members = self._extra.setdefault(number, [])
            for position, value in enumerate(surplus, start=self._width + 1):
                key = raw_rows.make_extra_key(taken, "", position)
                taken.add(key)
                members.append((key, value))
        self._values += row
        self._values += [None] * (self._width - len(row))
        self._count_missing(self._width - cells)

    def _count_missing(self, count: int) -> None:
        """Count the values that the last row lacks.

        Raises:
            FormatError: Those that rows lack are far more than those that they have.
        """
        if count <= 0:
            return
        self._missing += count
        missing = self._missing_before + self._missing
        if missing <= FREE_MISSING:
            return
        rows = self._first_row - 1 + len(self._values) // self._width
        if missing > FREE_MISSING + MAX_MISSING_PER_VALUE * (rows * self._width - missing):
            raise FormatError(
                self._name,
                f"the first {rows} records lack {missing} values: the header has {self._width} "
                "columns, they have few. Land a table with the columns that it has.",
            )

    def _check_no_error(self, lines: Sequence[str], source_row: int) -> None:
        """Refuse a file in which a service tells of an error in place of a record."""
        if not lines or lines[0].lstrip()[:1] not in ("{", "<"):
            return
        told = find_in_line(repair(self._backslashes.restore("".join(lines)))[0])
        if told:
            raise FormatError(
                self._name,
                f"record {source_row} is an error of the service that it is from: {told!r}. Ask "
                "the service again, and land what it answers then.",
            )

    def _add_damaged(self) -> None:
        """Add the record of the next line, whose quotes are damaged."""
        lines = self._lines.peek(0, 1)
        self._lines.drop(1)
        line = lines[0].rstrip("\r\n")
        loosely = self._read_fields(line, self._loosely_closed)
        if loosely is not None and len(loosely) == self._width:
            row, issue = loosely, ReadIssue.STRAY_QUOTE
        else:
            row = self._read_fields(line, self._closed, literal=True) or [line]
            issue = ReadIssue.UNCLOSED_QUOTE
        self._add_odd([self._backslashes.read(value) for value in row], lines, issue)

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
        quote = self._dialect.quote
        fields: list[str] = []
        position = 0
        while True:
            match = quoted.match(line, position)
            if match:
                fields.append(match[1].replace(quote * 2, quote))
                end = match.end()
            elif literal or not line.startswith(quote, position):
                end = line.find(self._dialect.separator, position)
                end = len(line) if end < 0 else end
                fields.append(line[position:end])
            else:
                return None
            if end == len(line):
                return fields
            position = end + 1

    def take_frame(self) -> pl.DataFrame:
        """Return the raw rows of the records read so far, and forget the records."""
        self._pass_over_silent_rows()
        height = len(self._values) // self._width
        columns = [self._values[position :: self._width] for position in range(self._width)]
        unused: dict[int, list[int]] = {}
        fields: dict[str, list[str | None]] = {}
        if self._known is not None:
            self._known.place(columns, fields, unused, self._issues)
        else:
            for field, positions in self._columns.synonyms.items():
                alone = len(positions) == 1
                fields[field] = (
                    columns[positions[0]] if alone else self._choose(columns, positions, unused)
                )
            for field, positions in self._columns.parts.items():
                fields[field] = self._put_together(columns, positions, unused)
        extra = self._make_extra(columns, unused)
        batch = self._make_frame(height, fields, extra)
        repeated = self._find_repeated_headers(batch, columns)
        if repeated:
            for row in repeated:
                self._issues.setdefault(row, []).append(ReadIssue.REPEATED_HEADER)
            batch = self._make_frame(height, fields, extra)
        self._first_row += height
        self._missing_before += self._missing
        self._clear()
        return batch

    def _pass_over_silent_rows(self) -> None:
        """Forget the rows of a known table that say nothing, and count them; odd ones stay."""
        if self._table is None or self._known is None or not self._table.speaks:
            return
        columns = [self._values[position :: self._width] for position in range(self._width)]
        speaking = self._known.speaking(columns)
        kept = [row for row, speaks in enumerate(speaking) if speaks or row in self._issues]
        self.passed_over += len(speaking) - len(kept)
        self._values = [column[row] for row in kept for column in columns]
        self._issues = {
            new: self._issues[row] for new, row in enumerate(kept) if row in self._issues
        }
        self._extra = {new: self._extra[row] for new, row in enumerate(kept) if row in self._extra}

    def take_passed_over(self) -> pl.DataFrame:
        """Return the one row that stands for all rows that were passed over."""
        extra = {0: raw_rows.to_json_object([("rows", encode_basestring(str(self.passed_over)))])}
        self._issues = {0: [ReadIssue.PASSED_OVER]}
        return self._make_frame(1, {}, extra)

    def _make_frame(
        self, height: int, fields: Mapping[str, Sequence[str | None]], extra: Mapping[int, str]
    ) -> pl.DataFrame:
        return raw_rows.make_frame(
            *(self._shape, self._name, self._first_row, height, fields, extra, self._issues),
            repair if self._known is None else self._known.repair,
        )

    def _choose(
        self,
        columns: list[list[str | None]],
        positions: Sequence[int],
        unused: dict[int, list[int]],
    ) -> list[str | None]:
        """By record, the first value that holds something; the others are noted as unused."""
        chosen = []
        for row, texts in enumerate(zip(*(columns[p] for p in positions), strict=True)):
            first = next((i for i, text in enumerate(texts) if not is_missing(text)), 0)
            chosen.append(texts[first])
            unused.setdefault(row, []).extend(
                position for i, position in enumerate(positions) if i != first
            )
        return chosen

    def _put_together(
        self,
        columns: list[list[str | None]],
        positions: Sequence[int],
        unused: dict[int, list[int]],
    ) -> list[str | None]:
        """By record, the parts of a date up to the first missing one; others are unused."""
        dates: list[str | None] = []
        for row, texts in enumerate(zip(*(columns[p] for p in positions), strict=True)):
            parts = [text for text in takewhile(lambda text: not is_missing(text), texts) if text]
            dates.append("-".join(part.strip() for part in parts) or None)
            rest = [p for p, text in zip(positions, texts, strict=True) if text and text.strip()]
            if rest := rest[len(parts) :]:
                unused.setdefault(row, []).extend(rest)
        return dates

    def _make_extra(self, columns: _Values, unused: Mapping[int, Sequence[int]]) -> dict[int, str]:
        """By record, the JSON of the values of unknown columns, of unused ones, and of surplus."""
        extra: dict[int, str] = {}
        beyond = self._columns.beyond
        if beyond:
            keys = [self._keys[position] for position in beyond]
            for row, texts in enumerate(zip(*[columns[p] for p in beyond], strict=True)):
                known = zip(keys, texts, strict=True)
                members = [
                    (key, encode_basestring(text)) for key, text in known if text is not None
                ]
                if members:
                    extra[row] = raw_rows.to_json_object(members)
        for row in self._extra.keys() | unused.keys():
            positions = (*beyond, *unused.get(row, ()))
            values = [(self._keys[position], columns[position][row]) for position in positions]
            members = [
                (key, encode_basestring(text))
                for key, text in (*values, *self._extra.get(row, ()))
                if text is not None
            ]
            if members:
                extra[row] = raw_rows.to_json_object(members)
        return extra

    def _find_repeated_headers(self, batch: pl.DataFrame, columns: _Values) -> list[int]:
        """The rows that are the header once more, whatever its case, blanks and quotes.

        Only a few rows have so short a text in a required field, so this costs nearly nothing.

        Args:
            batch: the rows.
            columns: the values of all columns.

        Raises:
            FormatError: a header has the same columns in another order, so that those of the rows
                after it are not known.
        """
        if self._known is not None:
            rows = self._known.find_like_header(columns)
        else:
            named = (field for field in self._shape.required if field in self._columns.synonyms)
            texts = batch[next(named)]
            short = (texts.str.len_bytes() < self._most_header_bytes).arg_true()
            # No pattern of all headers: that of a table of 60 columns is too large to be compiled.
            bare = texts.gather(short).str.replace_all(r"[^\p{L}\p{N}]+", "").str.to_lowercase()
            rows = short.filter(bare.is_in(self._letters)).to_list()
        width = self._width
        repeated = []
        for row in rows:
            values = self._values[row * width : (row + 1) * width]
            if width - values.count(None) < self._named_columns:
                continue
            headers = [normalize_header(value or "") for value in values]
            if headers == self._headers:
                repeated.append(row)
            elif sorted(headers) == sorted(self._headers):
                raise FormatError(
                    self._name,
                    f"record {self._first_row + row} is another header, with the columns in "
                    "another order. Land what follows it in a file of its own.",
                )
        return repeated


@contextmanager
def _lift_field_limit() -> Iterator[None]:
    """Lift the field size limit of `csv`, a global of the process; `_Lines` limits records."""
    with _field_limit:
        before = csv.field_size_limit(2**31 - 1)
        try:
            yield
        finally:
            csv.field_size_limit(before)
