r"""JSON in every shape records are sent in -> raw rows (SPEC 1).

An array of objects, a single object, one object a line (NDJSON) or objects one after another; also
with trailing commas. Text is kept as written: `9` is "9", `1.50` is "1.50". Bytes and encodings
belong to `decoding`, the meaning of a field to `cleaning`, the shape of a registry's own records to
`clinical_trials_gov`.

Read issues: `invalid_json` (all fields null, `extra` holds the text under `raw`), `not_an_object`
(`extra` holds it under `value`), `duplicate_key` (the first counts, the others stand in `extra`),
`invalid_unicode` (an escape such as `\ud800`, which is no character, became U+FFFD). From decoding:
`not_utf8`.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from json.encoder import encode_basestring
from operator import itemgetter
from typing import TYPE_CHECKING, TypeAlias

from drug_assets.formats import clinical_trials_gov, raw_rows
from drug_assets.formats.decoding import (
    MAX_RECORD_CHARS,
    FormatError,
    Text,
    has_surrogates,
    repaired,
    well_formed,
)
from drug_assets.sources import CLINICAL_TRIALS, SEPARATOR

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    import polars as pl

    from drug_assets.sources import Source

#: Where a source lists several values, raw rows hold them separated by bars.
_LISTS = frozenset({"synonyms", "phase", "reference_pmids", "publication_types"})
#: Layouts of keys that are remembered; a file of records has a handful.
_MAX_LAYOUTS = 1000

#: Files put one behind the other bring their byte order marks along.
_BETWEEN_RECORDS = re.compile(r"[ \t\n\r,\ufeff]*+")
_STRING = r'"[^"\\]*+(?:\\.[^"\\]*+)*+"'
_COMMAS = r",[ \t\n\r,]*+"
_KEPT_OR_TRAILING_COMMA = re.compile(rf"({_STRING}|{_COMMAS}(?![}}\]]))|{_COMMAS}", re.DOTALL)
#: What structures a damaged record. A string counts if it ends with its line and is followed as a
#: string can be: the end of a string whose quote was lost must not hide the record behind it.
_STRUCTURE = re.compile(
    r'"[^"\\\n\r]*+(?:\\.[^"\\\n\r]*+)*+"(?=[ \t\n\r]*+(?:[,:}\]]|\Z))|[{}\[\],:]'
)
#: How far before the end of the buffer an error can be that more text would cure: `-Infinity`, an
#: escaped pair.
_UNDECIDED_CHARS = 16


class _Number(str):
    """A number as written."""

    __slots__ = ()


#: The members of an object in their order, also those whose key came before.
_Members: TypeAlias = tuple[tuple[str, object], ...]
_TEXTS = frozenset({str, _Number, type(None)})

_decoder = json.JSONDecoder(
    object_pairs_hook=tuple,
    parse_float=_Number,
    parse_int=_Number,
    parse_constant=str,
    strict=False,  # a tab within a string harms nobody
)


def evident(head: str) -> bool:
    """Whether a text of unknown extension is JSON: it begins as an object or an array does."""
    return bool(re.match(r'\s*(?:\{\s*["}]|\[\s*(?:[\[{\]"\-0-9]|null|true|false))', head))


def plausible(head: str) -> bool:
    """Whether a text whose extension says so can be JSON: some line of it begins a record."""
    return bool(re.search(r"\A\s*\[|^[ \t]*+\{", head, re.MULTILINE))


def batches(source: Source, name: str, chunks: Iterable[bytes]) -> Iterator[pl.DataFrame]:
    """Batches of raw rows of a JSON file; a single empty one if it holds no record.

    A record that is not valid JSON becomes a row with its text, and reading goes on at the next.

    Args:
        source: Source the file belongs to.
        name: File below the landing zone.
        chunks: Its unpacked bytes.

    Raises:
        FormatError: The file ends inside an array or a record, or a record does not end.
    """
    document = _Document(name, Text(name, chunks), of_studies=source is CLINICAL_TRIALS)
    rows = _Rows(source, name)
    first = True
    for value in document.values():
        rows.add(value, document)
        if rows.full():
            yield rows.frame()
            first = False
    if first or rows.height:
        yield rows.frame()


class _Invalid(str):
    """The text of a record that is not valid JSON."""

    __slots__ = ()


class _Document:
    """The records of a JSON text, one after the other, with only a part of it in memory.

    A document `of_studies` may consist of pages: then the studies on them are the records.
    """

    def __init__(self, name: str, text: Text, *, of_studies: bool) -> None:
        self._name = name
        self._text = text
        self._blocks = iter(text)
        self._buffer = ""
        self._ended = False
        self._stray = False  # whether bytes that are not UTF-8 may stand in the buffer
        self._in_array = False
        self._of_studies = of_studies
        self._on_page = False  # whether the array is that of a page
        self.issues: tuple[str, ...] = ()
        # Position of the record in the buffer; line and byte of the file where the buffer begins.
        self._start = self._end = 0
        self._line, self._byte = 1, text.start

    def values(self) -> Iterator[object]:
        """The value of every record; `text()`, `length` and `issues` are of the current one.

        Raises:
            FormatError: The file ends inside an array or a record, or a record does not end.
        """
        while True:
            match = _BETWEEN_RECORDS.match(self._buffer, self._end)
            self._start = self._end = match.end() if match else self._end
            if self._start == len(self._buffer):
                if self._more():
                    continue
                if self._in_array:
                    raise self._cut("inside an array that is never closed")
                return
            opening = self._buffer[self._start]
            if opening == "{" and self._of_studies and self._opens_page():
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
                yield self._value()

    def _opens_page(self) -> bool:
        """Whether a page begins here; if so, reading goes on at the first of its studies."""
        if self._in_array:
            return False
        wanted = clinical_trials_gov.PAGE_HEAD_CHARS
        while len(self._buffer) - self._start < wanted and self._more():
            pass
        match = clinical_trials_gov.PAGE_START.match(self._buffer, self._start)
        if match:
            self._in_array = self._on_page = True
            self._end = match.end()
        return bool(match)

    def _close_page(self) -> None:
        """Go on behind the page whose studies have ended."""
        self._on_page = False
        self._start = self._end
        while True:
            rest = self._buffer[self._start :]
            members = rest.lstrip(" \t\n\r,")
            try:
                _, end = _decoder.raw_decode("{" + members)
            except json.JSONDecodeError as error:
                if not self._more():
                    raise self._cut("inside a page of studies that is never closed") from error
            else:
                self._end = self._start + len(rest) - len(members) + end - 1
                return

    def text(self) -> str:
        """The current record as it stands in the file."""
        return self._buffer[self._start : self._end]

    @property
    def length(self) -> int:
        """Characters of the current record."""
        return self._end - self._start

    def _value(self) -> object:
        while True:
            try:
                value, self._end = _decoder.raw_decode(self._buffer, self._start)
            except json.JSONDecodeError as error:
                unclosed = _is_unclosed(error, self._buffer)
                undecided = unclosed or error.pos >= len(self._buffer) - _UNDECIDED_CHARS
                if undecided and self._more():
                    continue
                return self._damaged(unclosed=unclosed)
            except RecursionError:
                return self._damaged(unclosed=False)
            if self._end == len(self._buffer) and self._more():
                continue  # `12` may go on as `123`
            if self._stray and has_surrogates(self.text()):
                text, issues = repaired(self.text())
                self.issues = tuple(issues)
                return _decoder.raw_decode(text)[0]
            return value

    def _damaged(self, *, unclosed: bool) -> object:
        """The record that does not decode, up to where the next one begins."""
        if unclosed and self._in_array:
            raise self._cut("inside a string")
        end = self._end_in_array() if self._in_array else self._end_in_stream()
        while end is None and self._more():
            end = self._end_in_array() if self._in_array else self._end_in_stream()
        if end is None:
            self._check_not_cut(unclosed=unclosed)
            end = len(self._buffer)
        self._end = end
        text, issues = repaired(self.text().rstrip(" \t\n\r,"))
        try:
            whole = _KEPT_OR_TRAILING_COMMA.sub(lambda match: match[1] or "", text)
            value = _decoder.decode(whole)
        except (json.JSONDecodeError, RecursionError):
            issues.append("invalid_json")
            value = _Invalid(text)
        self.issues = tuple(issues)
        return value

    def _end_in_array(self) -> int | None:
        return _element_end(self._buffer, self._start)

    def _end_in_stream(self) -> int | None:
        """Where the next record begins, a line that neither continues nor closes this one."""
        next_line = re.compile(rf"[\n\r](?=[ \t]{{0,{self._indent()}}}[^ \t\n\r}}\]])")
        match = next_line.search(self._buffer, self._start)
        return match.end() if match else None

    def _indent(self) -> int:
        """Blanks before the record, if it begins its line."""
        line_start = max(self._buffer.rfind(end, 0, self._start) for end in "\n\r") + 1
        margin = self._buffer[line_start : self._start]
        return len(margin) if margin.isspace() else 0

    def _check_not_cut(self, *, unclosed: bool) -> None:
        """The last record of a stream may be wrong, but it must not be half of one."""
        if self._in_array:
            raise self._cut("inside an array that is never closed")
        rest = self._buffer[self._start :]
        still_open = unclosed or _element_end(rest, 0) is None
        ended_line = rest.endswith(("\n", "\r")) and not re.search(r"[\n\r]", rest.rstrip())
        if still_open and (not ended_line or rest.strip() == "{"):
            raise self._cut("inside a record")

    def _more(self) -> bool:
        """Read on, at least as much as the current record has by now; False at the end."""
        if self._ended:
            return False
        begin = self._start - self._indent()
        passed, kept = self._buffer[:begin], self._buffer[begin:]
        self._line += passed.count("\n")
        self._byte += self._text.size(passed)
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

    def _cut(self, where: str) -> FormatError:
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


def _element_end(text: str, start: int) -> int | None:
    """Where a damaged element of an array ends: where it closes, or where the next one begins.

    None if the text ends before. An object that follows neither a colon nor an opening bracket
    cannot belong to the object it stands in: it is the next record.
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
    """Where the values of objects with the same keys in the same order go."""

    fields: Callable[[tuple[object, ...]], tuple[str | None, ...]]
    #: Key in `extra` and position of the values that are no field, or came again.
    beyond: list[tuple[str, int]]
    duplicates: bool


class _Rows:
    """Raw rows collected for a batch."""

    def __init__(self, source: Source, name: str) -> None:
        self._source = source
        self._name = name
        self._of_studies = source is CLINICAL_TRIALS
        self._fields = source.fields
        self._blank: tuple[str | None, ...] = (None,) * len(self._fields)
        self._layouts: dict[tuple[str, ...], _Layout] = {}
        self._first_row = 1
        self._clear()

    def _clear(self) -> None:
        # One record behind the other: rows of their own would keep the garbage collector busy.
        self._values: list[str | None] = []
        self.height = 0
        self._extra: dict[int, str] = {}
        self._issues: dict[int, tuple[str, ...]] = {}
        self._chars = 0

    def full(self) -> bool:
        return self.height >= raw_rows.BATCH_RECORDS or self._chars >= raw_rows.BATCH_CHARS

    def add(self, value: object, document: _Document) -> None:
        """One more row: the current value of the document."""
        issues = document.issues
        extra: str | None = None
        try:
            if isinstance(value, tuple):
                study = clinical_trials_gov.flat_record(value) if self._of_studies else None
                row, extra, duplicates = self._taken(study or value)
                issues = (*issues, "duplicate_key") if duplicates else issues
            elif value.__class__ is _Invalid:
                row, extra = self._blank, _object([("raw", str(value))])
            else:
                row, extra = self._blank, _object([("value", value)])
                issues = (*issues, "not_an_object")
        except RecursionError:
            row, extra = self._blank, _object([("raw", repaired(document.text())[0])])
            issues = (*issues, "invalid_json")
        if extra is not None:
            self._extra[self.height] = extra
        if issues:
            self._issues[self.height] = issues
        self._values += row
        self.height += 1
        self._chars += document.length

    def _taken(self, members: _Members) -> tuple[tuple[str | None, ...], str | None, bool]:
        """Texts of the fields, JSON of what is beyond them, and whether a key came twice."""
        if not members:
            return self._blank, None, False
        keys, values = zip(*members, strict=True)
        layout = self._layouts.get(keys) or self._layout(keys)
        row: tuple[str | None, ...] = layout.fields((*values, None))
        if not _TEXTS.issuperset(map(type, row)):
            row = tuple([self._field_text(column, value) for column, value in enumerate(row)])
        if not layout.beyond:
            return row, None, False
        return row, _object([(k, values[p]) for k, p in layout.beyond]), layout.duplicates

    def _layout(self, keys: tuple[str, ...]) -> _Layout:
        places: dict[str, int] = {}
        beyond: dict[str, int] = {}
        for position, key in enumerate(keys):
            field = self._source.field_of(key)
            if field is not None and field not in places:
                places[field] = position
            else:
                beyond[raw_rows.extra_key(beyond, key, position + 1)] = position
        layout = _Layout(
            # The value behind the last is the null of the fields that are absent.
            itemgetter(*(places.get(field, len(keys)) for field in self._fields)),
            list(beyond.items()),
            len(set(keys)) < len(keys) or any(self._source.field_of(key) for key in beyond),
        )
        if len(self._layouts) >= _MAX_LAYOUTS:
            self._layouts.clear()
        self._layouts[keys] = layout
        return layout

    def _field_text(self, column: int, value: object) -> str | None:
        if value is None or isinstance(value, str):
            return value
        if self._fields[column] in _LISTS and isinstance(value, list):
            texts = [item for item in value if isinstance(item, str)]
            if len(texts) == len(value):
                return SEPARATOR.join(texts)
        return _compact(value)

    def frame(self) -> pl.DataFrame:
        """The rows collected, which are then forgotten."""
        width = len(self._fields)
        batch = raw_rows.frame(
            self._source,
            self._name,
            self._first_row,
            self.height,
            {field: self._values[i::width] for i, field in enumerate(self._fields)},
            self._extra,
            self._issues,
            well_formed,
        )
        self._first_row += self.height
        self._clear()
        return batch


def _compact(value: object) -> str:
    """A value as JSON text without blanks, numbers as they were written."""
    if type(value) is str:
        return encode_basestring(value)
    if isinstance(value, _Number):
        return str(value)
    if isinstance(value, tuple):
        inner = [f"{encode_basestring(key)}:{_compact(member)}" for key, member in value]
        return "{" + ",".join(inner) + "}"
    if isinstance(value, list):
        return "[" + ",".join([_compact(item) for item in value]) + "]"
    return {None: "null", True: "true", False: "false"}[value]  # type: ignore[index]


def _object(members: Sequence[tuple[str, object]]) -> str:
    return raw_rows.json_object([(key, _compact(value)) for key, value in members])
