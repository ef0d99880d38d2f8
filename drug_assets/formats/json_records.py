r"""JSON records in any layout -> raw rows (SPEC 1).

An array of objects, a single object, one object per line (NDJSON) or objects one after another;
also with trailing commas. Text is kept as written: `9` is "9", `1.50` is "1.50". Bytes and
encodings belong to `decoding`, the meaning of a field to `cleaning`, the layout of a registry's own
JSON to the `JsonShape` of its source.

Read issues: `invalid_json` (all fields null, `extra` holds the text under `raw`), `not_an_object`
(`extra` holds the value under `value`), `duplicate_key` (the first counts, `extra` holds the
others), `invalid_unicode` (an escape such as `\ud800`, which is no character, became U+FFFD). From
decoding: `not_utf8`.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from json.encoder import encode_basestring
from operator import itemgetter
from typing import TYPE_CHECKING

from drug_assets.formats import raw_rows
from drug_assets.formats.decoding import (
    MAX_RECORD_CHARS,
    FormatError,
    Text,
    has_surrogates,
    repair,
    replace_surrogates,
)
from drug_assets.terms import SEPARATOR, ReadIssue

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    import polars as pl

    from drug_assets.formats.record_shape import JsonShape, Members, RecordShape

#: Layouts of keys that are cached; the records of a file usually have few different ones.
_MAX_LAYOUTS = 1000

#: Concatenated files may have byte order marks between records.
_BETWEEN_RECORDS = re.compile(r"[ \t\n\r,\ufeff]*+")
_STRING = r'"[^"\\]*+(?:\\.[^"\\]*+)*+"'
_COMMAS = r",[ \t\n\r,]*+"
_KEPT_OR_TRAILING_COMMA = re.compile(rf"({_STRING}|{_COMMAS}(?![}}\]]))|{_COMMAS}", re.DOTALL)
#: The tokens that structure a damaged record. A string counts only if it ends on its line and a
#: valid token follows. Otherwise a string whose quote is missing would hide the next record.
_STRUCTURE = re.compile(
    r'"[^"\\\n\r]*+(?:\\.[^"\\\n\r]*+)*+"(?=[ \t\n\r]*+(?:[,:}\]]|\Z))|[{}\[\],:]'
)
#: An error this close to the end of the buffer may disappear with more text: `-Infinity`, an
#: escaped surrogate pair.
_UNDECIDED_CHARS = 16


class _Number(str):
    """The text of a number, as written."""

    __slots__ = ()


_TEXTS = frozenset({str, _Number, type(None)})

_decoder = json.JSONDecoder(
    object_pairs_hook=tuple,
    parse_float=_Number,
    parse_int=_Number,
    parse_constant=str,
    strict=False,  # control characters such as tabs are allowed in strings
)


def is_evident(head: str) -> bool:
    """Whether a text of unknown extension is JSON: it begins like an object or an array."""
    return bool(re.match(r'\s*(?:\{\s*["}]|\[\s*(?:[\[{\]"\-0-9]|null|true|false))', head))


def is_plausible(head: str) -> bool:
    """Whether a text with a matching extension can be JSON: one of its lines begins a record."""
    return bool(re.search(r"\A\s*\[|^[ \t]*+\{", head, re.MULTILINE))


def read_batches(shape: RecordShape, name: str, chunks: Iterable[bytes]) -> Iterator[pl.DataFrame]:
    """Read a JSON file in batches of raw rows; one empty batch if it has no records.

    A record that is not valid JSON becomes a row with its text; reading continues with the next.

    Args:
        shape: Shape of the records of its source.
        name: File below the landing zone.
        chunks: Its unpacked bytes.

    Raises:
        FormatError: The file ends inside an array or a record, or a record does not end.
    """
    document = _Document(name, Text(name, chunks), shape.json_shape)
    rows = _Rows(shape, name)
    first = True
    for value in document.read_values():
        rows.add(value, document)
        if rows.full():
            yield rows.take_frame()
            first = False
    if first or rows.height:
        yield rows.take_frame()


class _Invalid(str):
    """The text of a record that is not valid JSON."""

    __slots__ = ()


class _Document:
    """The records of a JSON text, one after the other, with only a part of the text in memory.

    If the source delivers pages of records, the records on the pages are returned.
    """

    def __init__(self, name: str, text: Text, json_shape: JsonShape | None) -> None:
        self._name = name
        self._text = text
        self._blocks = iter(text)
        self._buffer = ""
        self._ended = False
        self._stray = False  # whether bytes that are not UTF-8 may stand in the buffer
        self._in_array = False
        self._json_shape = json_shape
        self._on_page = False  # whether the array is that of a page
        self.issues: tuple[str, ...] = ()
        # Start and end of the record in the buffer; line and byte of the file where the buffer
        # begins.
        self._start = self._end = 0
        self._line, self._byte = 1, text.start

    def read_values(self) -> Iterator[object]:
        """The value of each record; `text()`, `length` and `issues` describe the current record.

        Raises:
            FormatError: The file ends inside an array or a record, or a record does not end.
        """
        while True:
            match = _BETWEEN_RECORDS.match(self._buffer, self._end)
            self._start = self._end = match.end() if match else self._end
            if self._start == len(self._buffer):
                if self._read_more():
                    continue
                if self._in_array:
                    raise self._cut_error("inside an array that is never closed")
                return
            opening = self._buffer[self._start]
            if opening == "{" and self._opens_page():
                continue
            if opening == "[" and not self._in_array:
                self._in_array = True
                self._end += 1
            elif opening == "]" and self._in_array:
                self._in_array = False
                self._end += 1
                if self._on_page:
                    self._close_page()
            else:
                self.issues = ()
                yield self._read_value()

    def _opens_page(self) -> bool:
        """Whether a page begins here; if so, move to its first record."""
        if self._json_shape is None or self._in_array:
            return False
        head_chars = self._json_shape.page_head_chars
        while len(self._buffer) - self._start < head_chars and self._read_more():
            pass
        match = self._json_shape.page_start.match(self._buffer, self._start)
        if match:
            self._in_array = self._on_page = True
            self._end = match.end()
        return bool(match)

    def _close_page(self) -> None:
        """Skip the rest of a page, after its records."""
        self._on_page = False
        self._start = self._end
        while True:
            rest = self._buffer[self._start :]
            members = rest.lstrip(" \t\n\r,")
            end = _find_object_end("{" + members)
            if end is not None:
                self._end = self._start + len(rest) - len(members) + end - 1
                return
            if not self._read_more():
                raise self._cut_error("inside a page of records that is never closed")

    def text(self) -> str:
        """The text of the current record, as written."""
        return self._buffer[self._start : self._end]

    @property
    def length(self) -> int:
        """The number of characters of the current record."""
        return self._end - self._start

    def _read_value(self) -> object:
        while True:
            try:
                value, self._end = _decoder.raw_decode(self._buffer, self._start)
            except json.JSONDecodeError as error:
                unclosed = _is_unclosed(error, self._buffer)
                undecided = unclosed or error.pos >= len(self._buffer) - _UNDECIDED_CHARS
                if undecided and self._read_more():
                    continue
                return self._skip_damaged(unclosed=unclosed)
            except RecursionError:
                return self._skip_damaged(unclosed=False)
            if self._end == len(self._buffer) and self._read_more():
                continue  # `12` may be the beginning of `123`
            if self._stray and has_surrogates(self.text()):
                text, issues = repair(self.text())
                self.issues = tuple(issues)
                return _decoder.raw_decode(text)[0]
            return value

    def _skip_damaged(self, *, unclosed: bool) -> object:
        """Return the damaged record, repaired if possible, and move to the next one."""
        if unclosed and self._in_array:
            raise self._cut_error("inside a string")
        end = self._find_end_in_array() if self._in_array else self._find_end_in_stream()
        while end is None and self._read_more():
            end = self._find_end_in_array() if self._in_array else self._find_end_in_stream()
        if end is None:
            self._check_not_cut(unclosed=unclosed)
            end = len(self._buffer)
        self._end = end
        text, issues = repair(self.text().rstrip(" \t\n\r,"))
        try:
            value = _decoder.decode(_remove_trailing_commas(text))
        except (json.JSONDecodeError, RecursionError):
            issues.append(ReadIssue.INVALID_JSON)
            value = _Invalid(text)
        self.issues = tuple(issues)
        return value

    def _find_end_in_array(self) -> int | None:
        return _find_element_end(self._buffer, self._start)

    def _find_end_in_stream(self) -> int | None:
        """The start of the next record: a line that neither continues nor closes this one."""
        next_line = re.compile(rf"[\n\r](?=[ \t]{{0,{self._indent()}}}[^ \t\n\r}}\]])")
        match = next_line.search(self._buffer, self._start)
        return match.end() if match else None

    def _indent(self) -> int:
        """The number of blanks before the record, if it is the first text of its line."""
        line_start = max(self._buffer.rfind(end, 0, self._start) for end in "\n\r") + 1
        margin = self._buffer[line_start : self._start]
        return len(margin) if margin.isspace() else 0

    def _check_not_cut(self, *, unclosed: bool) -> None:
        """Raise if the last record of a stream is incomplete; it may be invalid."""
        if self._in_array:
            raise self._cut_error("inside an array that is never closed")
        rest = self._buffer[self._start :]
        still_open = unclosed or _find_element_end(rest, 0) is None
        ended_line = rest.endswith(("\n", "\r")) and not re.search(r"[\n\r]", rest.rstrip())
        if still_open and (not ended_line or rest.strip() == "{"):
            raise self._cut_error("inside a record")

    def _read_more(self) -> bool:
        """Read at least as much text as the buffer has of the current record; False at the end."""
        if self._ended:
            return False
        begin = self._start - self._indent()
        done, kept = self._buffer[:begin], self._buffer[begin:]
        self._line += done.count("\n")
        self._byte += self._text.size(done)
        self._start, self._end = self._start - begin, self._end - begin
        if len(kept) > MAX_RECORD_CHARS:
            raise FormatError(
                self._name,
                f"the record at line {self._line}, byte {self._byte} is longer than "
                f"{MAX_RECORD_CHARS} characters. Correct it, or land it in smaller records.",
            )
        parts, added = [kept], 0
        while added == 0 or added < len(kept):
            block = next(self._blocks, None)
            if block is None:
                self._ended = True
                break
            parts.append(block)
            added += len(block)
        self._buffer = "".join(parts)
        self._stray = has_surrogates(self._buffer)
        return added > 0

    def _cut_error(self, where: str) -> FormatError:
        line = self._line + self._buffer.count("\n")
        byte = self._byte + self._text.size(self._buffer)
        return FormatError(
            self._name,
            f"cut: ends at line {line}, byte {byte} of its text, {where}. Land it again, whole.",
        )


def _is_unclosed(error: json.JSONDecodeError, text: str) -> bool:
    """Whether the text ends inside a string, or inside an escape of one."""
    in_escape = error.msg.startswith("Invalid") and '"' not in text[error.pos :]
    return in_escape or error.msg.startswith("Unterminated string")


def _remove_trailing_commas(text: str) -> str:
    return _KEPT_OR_TRAILING_COMMA.sub(lambda match: match[1] or "", text)


def _find_object_end(text: str) -> int | None:
    """The end of the object at the start of a text; it may have trailing commas.

    None if the text ends before, or holds no valid object.
    """
    try:
        return _decoder.raw_decode(text)[1]
    except (json.JSONDecodeError, RecursionError):
        end = _find_element_end(text, 0)
    try:
        _decoder.decode(_remove_trailing_commas(text[:end]))
    except (json.JSONDecodeError, RecursionError):
        return None
    return end


def _find_element_end(text: str, start: int) -> int | None:
    """The end of a damaged element of an array: its closing bracket, or the start of the next one.

    None if the text ends before. An object inside an object that follows neither a colon nor an
    opening bracket cannot be a part of it: it is the next record.
    """
    enclosing: list[str] = []
    depth = {"{": 0, "[": 0}
    before = ""
    for match in _STRUCTURE.finditer(text, start):
        sign, position = match[0], match.start()
        if sign in depth:
            misplaced = enclosing[-1] == "{" and before != ":" if enclosing else position > start
            if sign == "{" and misplaced and position > start:
                return position
            enclosing.append(sign)
            depth[sign] += 1
        elif sign in "}]":
            opening = "{" if sign == "}" else "["
            while depth[opening] and enclosing:
                closed = enclosing.pop()
                depth[closed] -= 1
                if closed == opening:
                    break
            else:
                if sign == "]" and position > start:
                    return position
                before = sign
                continue
            if not enclosing:
                return match.end()
        elif sign == "," and not enclosing and position > start:
            return position
        before = sign
    return None


@dataclass(frozen=True, slots=True)
class _Layout:
    """The assignment of values to fields and `extra`, for objects with the same keys in order."""

    #: From the values of an object, followed by a null, to the values of the fields.
    fields: Callable[[tuple[object, ...]], tuple[str | None, ...]]
    #: For each value of an unknown or repeated key: its key in `extra` and its index.
    beyond: list[tuple[str, int]]
    #: Whether a key is repeated.
    duplicates: bool


class _Rows:
    """Collects raw rows for a batch."""

    def __init__(self, shape: RecordShape, name: str) -> None:
        self._shape = shape
        self._name = name
        self._fields = shape.fields
        self._blank: tuple[str | None, ...] = (None,) * len(self._fields)
        self._layouts: dict[tuple[str, ...], _Layout] = {}
        self._first_row = 1
        self._clear()

    def _clear(self) -> None:
        # One flat list of all values: a list per row would slow down the garbage collector.
        self._values: list[str | None] = []
        self.height = 0
        self._extra: dict[int, str] = {}
        self._issues: dict[int, tuple[str, ...]] = {}
        self._chars = 0

    def full(self) -> bool:
        """Whether the batch is complete."""
        return self.height >= raw_rows.BATCH_RECORDS or self._chars >= raw_rows.BATCH_CHARS

    def add(self, value: object, document: _Document) -> None:
        """Add the row of the current value of the document."""
        issues = document.issues
        extra: str | None = None
        try:
            if isinstance(value, tuple):
                json_shape = self._shape.json_shape
                flat = json_shape.flat_record(value) if json_shape else None
                row, extra, duplicates = self._take(flat or value)
                issues = (*issues, ReadIssue.DUPLICATE_KEY) if duplicates else issues
            elif value.__class__ is _Invalid:
                row, extra = self._blank, _to_json_object([("raw", str(value))])
            else:
                row, extra = self._blank, _to_json_object([("value", value)])
                issues = (*issues, ReadIssue.NOT_AN_OBJECT)
        except RecursionError:
            row, extra = self._blank, _to_json_object([("raw", repair(document.text())[0])])
            issues = (*issues, ReadIssue.INVALID_JSON)
        if extra is not None:
            self._extra[self.height] = extra
        if issues:
            self._issues[self.height] = issues
        self._values += row
        self.height += 1
        self._chars += document.length

    def _take(self, members: Members) -> tuple[tuple[str | None, ...], str | None, bool]:
        """The texts of the fields, the JSON of all other members, and whether a key is repeated."""
        if not members:
            return self._blank, None, False
        keys, values = zip(*members, strict=True)
        layout = self._layouts.get(keys) or self._learn_layout(keys)
        row: tuple[str | None, ...] = layout.fields((*values, None))
        if not _TEXTS.issuperset(map(type, row)):
            row = tuple([self._to_field_text(column, value) for column, value in enumerate(row)])
        if not layout.beyond:
            return row, None, False
        return row, _to_json_object([(k, values[i]) for k, i in layout.beyond]), layout.duplicates

    def _learn_layout(self, keys: tuple[str, ...]) -> _Layout:
        """The layout of objects with these keys, also added to the cache."""
        index_of: dict[str, int] = {}
        beyond: dict[str, int] = {}
        for index, key in enumerate(keys):
            field = self._shape.field_of(key)
            if field is not None and field not in index_of:
                index_of[field] = index
            else:
                beyond[raw_rows.make_extra_key(beyond, key, index + 1)] = index
        layout = _Layout(
            # Absent fields get the null that `_take` adds after the last value.
            itemgetter(*(index_of.get(field, len(keys)) for field in self._fields)),
            list(beyond.items()),
            len(set(keys)) < len(keys) or any(self._shape.field_of(key) for key in beyond),
        )
        if len(self._layouts) >= _MAX_LAYOUTS:
            self._layouts.clear()
        self._layouts[keys] = layout
        return layout

    def _to_field_text(self, column: int, value: object) -> str | None:
        """The text of a field; the texts of a list are joined if the field is multi-valued."""
        if value is None or isinstance(value, str):
            return value
        if self._fields[column] in self._shape.listed and isinstance(value, list):
            texts = [item for item in value if isinstance(item, str)]
            if len(texts) == len(value):
                return SEPARATOR.join(texts)
        return _to_json(value)

    def take_frame(self) -> pl.DataFrame:
        """Return the rows collected so far, and forget them."""
        width = len(self._fields)
        batch = raw_rows.make_frame(
            self._shape,
            self._name,
            self._first_row,
            self.height,
            {field: self._values[i::width] for i, field in enumerate(self._fields)},
            self._extra,
            self._issues,
            replace_surrogates,
        )
        self._first_row += self.height
        self._clear()
        return batch


def _to_json(value: object) -> str:
    """A value as JSON text without blanks, numbers as written."""
    if type(value) is str:
        return encode_basestring(value)
    if isinstance(value, _Number):
        return str(value)
    if isinstance(value, tuple):
        inner = [f"{encode_basestring(key)}:{_to_json(member)}" for key, member in value]
        return "{" + ",".join(inner) + "}"
    if isinstance(value, list):
        return "[" + ",".join([_to_json(item) for item in value]) + "]"
    return {None: "null", True: "true", False: "false"}[value]  # type: ignore[index]


def _to_json_object(members: Sequence[tuple[str, object]]) -> str:
    return raw_rows.to_json_object([(key, _to_json(value)) for key, value in members])
