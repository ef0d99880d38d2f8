"""A file of XML -> raw rows, for every kind of XML that holds records (SPEC 1).

A file is parsed in pieces and each record is freed once it is read, so memory does not grow with
the file. A file that cannot be parsed in pieces is parsed as one document, and one that is not
well-formed record by record (`xml_documents`). External entities are never fetched; entity bombs
and extreme depth are refused. These are defaults of lxml; `huge_tree` stays off. What the elements
of a record mean belongs to the module of its format.
"""

from __future__ import annotations

from itertools import islice
from json.encoder import encode_basestring
from typing import TYPE_CHECKING, Any, TypeAlias

from lxml import etree

from drug_assets.formats import raw_rows
from drug_assets.formats.decoding import FormatError, decode_head
from drug_assets.formats.service_errors import find_in_markup
from drug_assets.formats.xml_documents import (
    CannotSplitError,
    refuse_element,
    refuse_text,
    split_records,
)
from drug_assets.formats.xml_kind import PARSER_OPTIONS, READ_ISSUE

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    import polars as pl

    from drug_assets.formats.record_shape import RecordShape
    from drug_assets.formats.xml_kind import Row, XmlKind
    from drug_assets.formats.xml_outline import Outline
    from drug_assets.formats.xml_usual import UsualRecords

_OPENING_BYTES = 4096
#: The size at which parsing is fastest: a document then reuses memory of the one before that is
#: still in the processor's cache. A piece is longer only if it is a single record.
_PIECE_BYTES = 128 * 1024
#: The size at which usual records are read fastest: each step over all of a piece has a fixed cost.
_USUAL_BYTES = 3 * 1024 * 1024
#: What a shorter file takes to parse is less than to import what reads usual records.
_SHORT_BYTES = 1024 * 1024
_LONGEST_PIECE_BYTES = 16 * 1024**2
#: If more records of a piece, and more than half of them, are not usual, it is parsed at once: to
#: parse each alone takes longer. If that is so of more pieces, and of more than half of them, it is
#: no longer tried.
_FEW = 4
#: A batch ends after as many bytes: more than `BATCH_RECORDS` articles take, unless they are huge.
_BATCH_BYTES = 256 * 1024**2
#: Texts between records that are not blank.
_STRAY_TEXTS: Any = etree.XPath("text()[normalize-space()]")
#: As many characters of a damaged record are kept.
_DAMAGED_CHARS = 10_000
#: The elements at the beginning of a file that a message may name.
_NAMED_ELEMENTS = 60

#: The read issues and the extra of rows that have any, by number in the file from 1.
_Odd: TypeAlias = "dict[int, tuple[Sequence[str], str | None]]"


def read_batches(
    kind: XmlKind, shape: RecordShape, name: str, chunks: Iterable[bytes]
) -> Iterator[pl.DataFrame]:
    """Read a file in batches of about `BATCH_RECORDS` raw rows, or of `_BATCH_BYTES` of the file.

    Args:
        kind: The kind of XML that it is.
        shape: Shape of the records of its source.
        name: File below the landing zone.
        chunks: Its unpacked bytes; iterated again if parsing in pieces fails.

    Raises:
        FormatError: broken, cut, hostile, without a name in any record, or XML of another kind.
    """
    counted = _CountedChunks(chunks)
    first_row, height, size, named = 1, 0, 0, False
    fields: dict[str, list[str | None]] = {field: [] for field in kind.fields}
    odd: _Odd = {}

    def take_frame() -> pl.DataFrame:
        numbers = [number for number in odd if number < first_row + height]
        taken = {number - first_row: odd.pop(number) for number in numbers}
        extra = {index: text for index, (_, text) in taken.items() if text is not None}
        found = enumerate(fields.pop(READ_ISSUE, ()))
        issues: dict[int, Sequence[str]] = {index: (issue,) for index, issue in found if issue}
        for index, (added, _) in taken.items():
            issues[index] = (*issues.get(index, ()), *added)
        return raw_rows.make_frame(shape, name, first_row, height, fields, extra, issues, None)

    for rows in _parse(kind, name, counted, odd):
        named = named or any(map(kind.is_named, rows))
        # One list per column: keeping a tuple per row would slow down the garbage collector.
        for values, added in zip(fields.values(), zip(*rows, strict=True), strict=bool(rows)):
            values.extend(added)
        height += len(rows)
        if height >= raw_rows.BATCH_RECORDS or (height and counted.size - size > _BATCH_BYTES):
            yield take_frame()
            first_row, height, size = first_row + height, 0, counted.size
            fields = {field: [] for field in kind.fields}
    if not named and (height or first_row > 1):
        raise raw_rows.no_record_error(shape, name, _name_elements(chunks))
    if height or first_row == 1:
        yield take_frame()


class _CountedChunks:
    """Chunks that can be iterated several times, and the number of bytes that were taken."""

    def __init__(self, chunks: Iterable[bytes]) -> None:
        self._chunks = chunks
        self.size = 0

    def __iter__(self) -> Iterator[bytes]:
        for chunk in self._chunks:
            self.size += len(chunk)
            yield chunk


def _name_elements(chunks: Iterable[bytes]) -> list[str]:
    """The names of the first elements of a file."""
    parser = etree.XMLPullParser(events=("start",), recover=True, **PARSER_OPTIONS)
    parser.feed(next(iter(chunks), b""))
    events: Any = parser.read_events()
    found = islice(events, _NAMED_ELEMENTS)
    return [_local_name(element) for _, element in found]


def _local_name(element: Any) -> str:
    """The name of an element without its namespace; with its prefix if that is not declared."""
    return str(element.tag).rpartition("}")[2]


def _parse(kind: XmlKind, name: str, chunks: Iterable[bytes], odd: _Odd) -> Iterator[list[Row]]:
    """The rows of each piece of the file.

    If the file cannot be parsed in pieces, it is read again as a whole, and if it is not one
    well-formed document, record by record; each time without the rows that were yielded already.

    Args:
        kind: The kind of XML that it is.
        name: File below the landing zone.
        chunks: Its unpacked bytes.
        odd: Gets the read issues and the extra of rows that have any, before they are yielded.
    """
    yielded = 0
    try:
        for rows in _parse_in_pieces(kind, chunks):
            yielded += len(rows)
            yield rows
    except _NotInPiecesError:
        pass
    else:
        return
    try:
        for rows in _drop_first(yielded, _parse_by_feeding(kind, name, chunks)):
            yielded += len(rows)
            yield rows
    except _NotWellFormedError as error:
        damage = error
    else:
        return
    yield from _drop_first(yielded, _parse_by_record(kind, name, chunks, damage, odd))


def _drop_first(count: int, pieces: Iterator[list[Row]]) -> Iterator[list[Row]]:
    """The same pieces without their first rows."""
    for rows in pieces:
        yield rows[count:] if count else rows
        count -= min(count, len(rows))


class _NotInPiecesError(Exception):
    """A file with a piece that is no XML document of its own; the whole file may be one."""


class _NotWellFormedError(FormatError):
    """A file that is not one well-formed document; its records may be."""


def _parse_in_pieces(kind: XmlKind, chunks: Iterable[bytes]) -> Iterator[list[Row]]:
    """The rows of a file that is a list of records, piece by piece.

    Records are children of one root. So several of them, between the opening of the file and the
    end tag of the root, are an XML document of their own. libxml2 parses a whole document in half
    the time that it takes to parse one fed in chunks.

    Raises:
        _NotInPiecesError: a piece cannot be parsed, or holds something else than records; the rows
            yielded before are valid.
    """
    remaining = iter(chunks)
    text = b"".join(_take_bytes(remaining, _OPENING_BYTES))
    found = kind.opening.match(text)
    if found is None:
        raise _NotInPiecesError
    at = found.end()
    mark, before = kind.cuts[found["set"].decode()]
    try:
        reader = _PieceReader(kind, found["opening"], found["set"])
    except etree.XMLSyntaxError as error:
        raise _NotInPiecesError from error
    size = reader.piece_bytes()
    while True:
        if len(text) - at < size:
            text = b"".join([text[at:], *_take_bytes(remaining, size)])
            at = 0
        ended = len(text) < size
        last = text.rfind(mark, at + 1, at + size)
        if last < 0 and not ended:
            size *= 2
            if size > _LONGEST_PIECE_BYTES:
                raise _NotInPiecesError
            continue
        end = len(text) if ended else last + before
        try:
            yield reader.read(memoryview(text)[at:end], last=ended)
        except etree.XMLSyntaxError as error:
            raise _NotInPiecesError from error
        if ended:
            return
        at, size = end, reader.piece_bytes()


class _PieceReader:
    """Reads pieces of a set, each of whole records.

    Args:
        kind: The kind of XML that it is of.
        opening: The file up to the first record.
        name: The element of the set.

    Raises:
        XMLSyntaxError: the opening is not well-formed.
    """

    def __init__(self, kind: XmlKind, opening: bytes, name: bytes) -> None:
        self._kind = kind
        self._opening = opening
        self._closing = b"</" + name + b">"
        self._parser = etree.XMLParser(**PARSER_OPTIONS)
        self._mark = kind.cuts[name.decode()][0]
        # In a namespace of its own, its tag is another one.
        tag = etree.fromstring(opening + self._closing, self._parser).tag
        self._outline = _find_outline(kind, self._mark) if tag == name.decode() else None
        self._usual: UsualRecords | None = None
        self._pieces = self._strange = 0

    def piece_bytes(self) -> int:
        """The size that the next piece should have."""
        return _PIECE_BYTES if self._outline is None else _USUAL_BYTES

    def read(self, piece: memoryview, *, last: bool) -> list[Row]:
        """The rows of a piece.

        Args:
            piece: Its bytes.
            last: Whether the piece ends the file; then it holds the end tag of the set.

        Raises:
            XMLSyntaxError: the piece is no document of its own.
            _NotInPiecesError: it holds something else than records.
        """
        is_short = last and not self._pieces and len(piece) < _SHORT_BYTES
        if self._outline is None or is_short:
            return self._parse(piece, last)
        if self._usual is None:
            self._usual = _make_usual(*self._outline)
        found = self._usual.read(self._opening, piece, self._closing, last=last)
        self._pieces += 1
        alone = sum(isinstance(record, bytes) for record in found or ())
        if found is None or alone > max(_FEW, len(found) // 2):
            self._strange += 1
            if self._strange > max(_FEW, self._pieces // 2):
                self._outline = None
            return self._parse(piece, last)
        rows: list[Row] = []
        for record in found:
            if isinstance(record, bytes):
                rows += self._parse(record, last=False)
            else:
                rows.append(record)
        return rows

    def _parse(self, piece: bytes | memoryview, last: bool) -> list[Row]:
        markup = b"".join((self._opening, piece, b"" if last else self._closing))
        return _read_set(self._kind, etree.fromstring(markup, self._parser))


def _find_outline(kind: XmlKind, mark: bytes) -> tuple[Outline, str | None] | None:
    """The outline of the records that end with a mark, and what they stand in; None without one."""
    ends = next((record for record in kind.records if mark == f"</{record}>".encode()), "")
    if ends in kind.outlines:
        return kind.outlines[ends], None
    outline = kind.outlines.get(kind.within.get(ends, ""))
    return None if outline is None else (outline, ends)


def _make_usual(outline: Outline, around: str | None) -> UsualRecords:
    """What reads usual records; imported only where it is used, as numpy takes long to import."""
    from drug_assets.formats.xml_usual import UsualRecords

    return UsualRecords(outline, around)


def _read_set(kind: XmlKind, root: Any) -> list[Row]:
    """The rows of a set of records.

    Raises:
        _NotInPiecesError: it holds something else.
    """
    if root.tag not in kind.tags or _STRAY_TEXTS(root):
        raise _NotInPiecesError
    readers = kind.readers
    rows: list[Row] = []
    for record in root:
        read = readers.get(record.tag)
        if read is None:
            raise _NotInPiecesError
        rows += read(record)
    return rows


def _take_bytes(remaining: Iterator[bytes], size: int) -> Iterator[bytes]:
    """Chunks of at least `size` bytes in total, fewer at the end of the file."""
    while size > 0 and (chunk := next(remaining, None)) is not None:
        yield chunk
        size -= len(chunk)


def _parse_by_feeding(kind: XmlKind, name: str, chunks: Iterable[bytes]) -> Iterator[list[Row]]:
    """The rows of the records that end in each chunk.

    Raises:
        _NotWellFormedError: it is not one well-formed document.
        FormatError: its root is of another kind, or holds something else than records.
    """
    _refuse_other_root(kind, name, chunks)
    parser = etree.XMLPullParser(events=("start", "end"), tag=kind.tags, **PARSER_OPTIONS)
    root: Any = None
    strange: FormatError | None = None
    try:
        for chunk in chunks:
            parser.feed(chunk)
            # lxml raises some errors, such as an unknown entity, only at the end of the file.
            errors: Any = parser.feed_error_log.filter_from_errors()
            if errors:
                raise _refuse_damage(name, errors[0].line, errors[0].column, errors[0].message)
            rows: list[Row] = []
            # Typed as Any, since the stubs do not know that these events always hold an element.
            events: Any = parser.read_events()
            for event, element in events:
                if event == "start":
                    root = element if root is None else root
                else:
                    rows += _take_record(kind, element, root)
            yield rows
            if strange is not None:
                raise strange
            # An element may go on in the next chunk, with the words that the message needs.
            in_set = root is not None and root.tag not in kind.readers
            strange = _find_strange(kind, name, root) if in_set else None
        root = parser.close()
    except etree.XMLSyntaxError as error:
        raise _refuse_damage(name, *error.position, error.msg) from error
    if strange is not None:
        raise strange


def _refuse_damage(name: str, line: int, column: int, message: str | None) -> _NotWellFormedError:
    return _NotWellFormedError(
        name,
        f"not well-formed XML, or hostile: line {line}, column {column}: {message}. "
        "Land the file again, whole.",
    )


def _take_record(kind: XmlKind, element: Any, root: Any) -> list[Row]:
    """The rows of an element that ended; a record is freed."""
    read = kind.readers.get(element.tag)
    in_set = root.tag not in kind.readers and element.getparent() is root
    if read is None or not (in_set or element is root):
        return []
    rows = read(element)
    if in_set and not (element.tail or "").strip():
        root.remove(element)
    return rows


def _find_strange(kind: XmlKind, name: str, root: Any) -> FormatError | None:
    """The error of a set that holds something else than records, None if it does not."""
    for element in root:
        if element.tag not in kind.readers:
            markup = etree.tostring(element, encoding="unicode", with_tail=False)
            tag = _local_name(element)
            return refuse_element(kind, name, tag, markup, element.sourceline)
    texts = _STRAY_TEXTS(root)
    return refuse_text(name, texts[0], root.sourceline) if texts else None


def _refuse_other_root(kind: XmlKind, name: str, chunks: Iterable[bytes]) -> None:
    """Refuse XML of another kind before it is in memory whole.

    Raises:
        FormatError: the root is none of its kind.
    """
    parser = etree.XMLPullParser(events=("start",), **PARSER_OPTIONS)
    for chunk in chunks:
        broken = False
        try:
            parser.feed(chunk)
        except etree.XMLSyntaxError:
            broken = True
        events: Any = parser.read_events()
        for _, root in events:
            if root.tag in kind.tags:
                return
            tag = _local_name(root)
            told = find_in_markup(decode_head(chunk))
            says = f" It holds an error of the service that it is from: {told!r}." if told else ""
            strange = " of another namespace" if tag in kind.sets else ""
            cure = kind.refused.get(tag, f"Land what {kind.owner} delivers.")
            raise FormatError(
                name,
                f"XML, but not {kind.owner}'s: its root is {tag}{strange}, on line "
                f"{root.sourceline}, not {kind.sets[0]}.{says} {cure}",
            )
        if broken:
            return


def _parse_by_record(
    kind: XmlKind, name: str, chunks: Iterable[bytes], damage: _NotWellFormedError, odd: _Odd
) -> Iterator[list[Row]]:
    """The rows of a file that is not one well-formed document, record by record.

    Raises:
        FormatError: its structure is broken, it is hostile, or no record can be read.
    """
    no_row: Row = (None,) * len(kind.fields)
    number, readable = 1, False
    try:
        for record in split_records(kind, name, chunks):
            rows, extra = [no_row], None
            if record.element is not None:
                readable = True
                rows = kind.readers[record.element.tag](record.element)
            else:
                raw = encode_basestring(record.text[:_DAMAGED_CHARS])
                extra = raw_rows.to_json_object([("raw", raw)])
            if record.issues:
                odd.update(dict.fromkeys(range(number, number + len(rows)), (record.issues, extra)))
            number += len(rows)
            yield rows
    except CannotSplitError:
        raise damage from None
    if number > 1 and not readable:
        raise damage
