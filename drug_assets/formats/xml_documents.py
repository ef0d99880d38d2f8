"""A file of XML that is not one well-formed document -> its records (SPEC 1).

It holds several documents one behind the other, or records that are damaged. So only its structure
is followed here: declarations, comments, the tags of sets, and where each record begins and ends.
Each record is then parsed as a document of its own, and damage costs no other record. Rows are made
by `xml_records`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from lxml import etree

from drug_assets.formats.decoding import MAX_RECORD_CHARS, FormatError, Text, repair
from drug_assets.formats.service_errors import find_in_markup, redact
from drug_assets.formats.xml_kind import PARSER_OPTIONS
from drug_assets.terms import ReadIssue

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from drug_assets.formats.xml_kind import XmlKind

#: As many bytes of a text between records are looked at for a message.
_PEEKED_BYTES = 800
_SHOWN_NAME_CHARS = 100

_BLANK = re.compile(rb"(?:[\x00-\x20]|\xef\xbb\xbf)*+")
_NAME = re.compile(rb"</?([A-Za-z_][\w.:-]*)")
#: How markup begins, and how it then ends.
_MARKUP = {b"<!--": re.compile(rb"-->"), b"<?": re.compile(rb"\?>"), b"<": re.compile(rb">")}
_DECLARED = re.compile(rb"""<\?xml\s[^>]*?encoding\s*=\s*["']([\w.-]+)["']""")
#: The encodings in which tags are ASCII; all others are not split. A declaration that can be read
#: as ASCII is not in UTF-16, whatever it says: some tools write that into files of UTF-8.
_UTF_8 = "utf-8"
_ENCODINGS = {
    **dict.fromkeys((_UTF_8, "us-ascii", "utf-16"), _UTF_8),
    "iso-8859-1": "latin-1",
    "windows-1252": "cp1252",
}
#: How a file in UTF-16 begins that has no byte order mark.
_WIDE = (b"<\0", b"\0<")

#: The characters that XML forbids, and references to characters.
_FORBIDDEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]+")
_REFERENCE = re.compile(r"&#(?:x([0-9a-fA-F]+)|([0-9]+));")
_LONGEST_REFERENCE = 9
_READ_BYTES = 256 * 1024
#: `xmlParserErrors.XML_ERR_RESOURCE_LIMIT`: entity bombs, extreme depth, huge texts.
_HOSTILE = 114


@dataclass(frozen=True)
class SplitRecord:
    """One record of a file, parsed alone."""

    #: The element of the record; None if it cannot be mended.
    element: Any
    #: The read issues of its rows.
    issues: Sequence[str]
    #: Its text, as far as it is UTF-8.
    text: str


class _HostileRecordError(Exception):
    """A record that is made to exhaust a parser."""


class CannotSplitError(Exception):
    """A file that is no list of documents, or is in another encoding or declares entities."""


def split_records(kind: XmlKind, name: str, chunks: Iterable[bytes]) -> Iterator[SplitRecord]:
    """The records of a file, each parsed alone.

    Args:
        kind: The kind of XML that it is.
        name: File below the landing zone, for messages.
        chunks: Its unpacked bytes.

    Raises:
        CannotSplitError: it holds no document, its encoding is not one of those in which tags are
            ASCII, or it declares entities.
        FormatError: its structure is broken, or it is hostile.
    """
    splitter = _Splitter(kind, name, chunks)
    while splitter.go_on():
        record = splitter.take_markup()
        if record is not None:
            yield record


class _Splitter:
    """Follows the structure of a file, one tag, comment or record after the other."""

    def __init__(self, kind: XmlKind, name: str, chunks: Iterable[bytes]) -> None:
        self._kind = kind
        self._name = name
        text = Text(name, chunks)
        #: Whether it is UTF-16, whatever its declarations say; it is followed as UTF-8.
        self._wide = text.encoding != _UTF_8
        if self._wide:
            chunks = (block.encode(_UTF_8, "surrogatepass") for block in text)
        self._window = _Window(name, chunks)
        if any(map(self._window.starts_with, _WIDE)):
            raise CannotSplitError
        self._parser = etree.XMLParser(**PARSER_OPTIONS)
        self._encoding = _UTF_8
        self._line = 1
        #: The start tag of the set that is open, its name and its line.
        self._opened: tuple[bytes, bytes, int] | None = None
        #: The line of a declaration or document type whose document did not begin yet.
        self._announced: int | None = None
        self._holds_documents = False

    def go_on(self) -> bool:
        """Go on to the next markup; False at the end of the file."""
        if self._window.skip_blanks():
            self._line = self._window.line()
            return True
        self._refuse_open_set()
        if self._announced is not None:
            raise _refuse_cut(self._name, self._announced)
        if not self._holds_documents:
            raise CannotSplitError
        return False

    def take_markup(self) -> SplitRecord | None:
        """Take the next markup; returns the record that it is, if it is one."""
        start = next(filter(self._window.starts_with, _MARKUP), None)
        if start is None:
            raise refuse_text(self._name, self._show_next(), self._line)
        markup = self._window.take_through(_MARKUP[start])
        if markup is None:
            self._refuse_open_set()
            raise _refuse_cut(self._name, self._line)
        if markup.startswith((b"<?xml ", b"<!DOCTYPE")):
            self._read_prolog(markup)
        elif not markup.startswith((b"<!", b"<?")):
            return self._read_tag(markup)
        return None

    def _read_prolog(self, markup: bytes) -> None:
        """A declaration or document type: here a document begins."""
        self._refuse_open_set()
        self._announced = self._announced or self._line
        if b"[" in markup:
            raise CannotSplitError
        if markup.startswith(b"<?") and not self._wide:
            declared = _DECLARED.match(markup)
            encoding = _ENCODINGS.get(declared[1].lower().decode() if declared else _UTF_8)
            if encoding is None:
                raise CannotSplitError
            self._encoding = encoding

    def _read_tag(self, tag: bytes) -> SplitRecord | None:
        found = _NAME.match(tag)
        element = found[1] if found else b""
        if tag.startswith(b"</"):
            if self._opened is None or element != self._opened[1]:
                raise _refuse_tag(self._name, tag, self._line)
            self._opened, self._encoding = None, _UTF_8
            return None
        self._announced, self._holds_documents = None, True
        end = self._kind.record_ends.get(element)
        if end is not None:
            return self._take_record(tag, end)
        if element not in self._kind.set_names:
            markup = tag.decode(self._encoding, "replace") + self._show_next()
            raise refuse_element(self._kind, self._name, element.decode(), markup, self._line)
        self._refuse_open_set()
        if not tag.endswith(b"/>"):
            self._opened = tag, element, self._line
        return None

    def _take_record(self, tag: bytes, end: re.Pattern[bytes]) -> SplitRecord:
        rest = b"" if tag.endswith(b"/>") else self._window.take_record(end)
        if rest is None:
            raise _refuse_cut(self._name, self._line)
        around = (self._opened[0], b"</" + self._opened[1] + b">") if self._opened else (b"", b"")
        damaged = "surrogatepass" if self._wide else "surrogateescape"
        text = (tag + rest).decode(self._encoding, damaged)
        try:
            return _parse_record(self._kind, text, around, self._parser)
        except _HostileRecordError as error:
            raise FormatError(
                self._name,
                f"not well-formed XML, or hostile: the record on line {self._line}: {error}. "
                "Land the file again, whole.",
            ) from error

    def _refuse_open_set(self) -> None:
        if self._opened is not None:
            raise _refuse_cut(self._name, self._opened[2])

    def _show_next(self) -> str:
        return self._window.peek().decode(self._encoding, "replace")


class _Window:
    """The bytes of a file from a place on that moves; it reads on as needed."""

    def __init__(self, name: str, chunks: Iterable[bytes]) -> None:
        self._name = name
        self._chunks = iter(chunks)
        self._text = b""
        self._at = 0
        self._counted = 0
        self._lines = 1

    def line(self) -> int:
        """The line of the place, from 1."""
        self._lines += self._text.count(b"\n", self._counted, self._at)
        self._counted = self._at
        return self._lines

    def skip_blanks(self) -> bool:
        """Go on to what is not blank; False if that is the end of the file."""
        while True:
            found = _BLANK.match(self._text, self._at)
            self._at = found.end() if found else self._at
            if self._at < len(self._text) - len(b"\xef\xbb") or not self._read_more():
                return self._at < len(self._text)

    def starts_with(self, start: bytes) -> bool:
        """Whether the next bytes are these."""
        while len(self._text) - self._at < len(start) and self._read_more():
            pass
        return self._text.startswith(start, self._at)

    def peek(self) -> bytes:
        """Some of the next bytes."""
        while len(self._text) - self._at < _PEEKED_BYTES and self._read_more():
            pass
        return self._text[self._at : self._at + _PEEKED_BYTES]

    def take_through(self, end: re.Pattern[bytes]) -> bytes | None:
        """Take the bytes up to the end of a match; None if there is none."""
        found = self._search(end)
        return None if found is None else self._take(found.end())

    def take_record(self, end: re.Pattern[bytes]) -> bytes | None:
        """Take the rest of a record after its start tag; None if it has no end of its own."""
        depth, searched = 1, 0
        while depth:
            found = self._search(end, searched)
            if found is None or found.lastgroup is None:
                return None
            depth += 1 if found.lastgroup == "nested" else -1
            # Relative to the place, as it moves where more is read.
            searched = found.end() - self._at
        return self._take(self._at + searched)

    def _take(self, end: int) -> bytes:
        start, self._at = self._at, end
        return self._text[start:end]

    def _search(self, pattern: re.Pattern[bytes], after: int = 0) -> re.Match[bytes] | None:
        while True:
            found = pattern.search(self._text, self._at + after)
            if found is not None or not self._read_more():
                return found

    def _read_more(self) -> bool:
        """Read at least as many bytes as are left; False at the end of the file."""
        self.line()
        rest = self._text[self._at :]
        if len(rest) > MAX_RECORD_CHARS:
            raise FormatError(
                self._name,
                f"a record or tag that begins on line {self._lines} is longer than "
                f"{MAX_RECORD_CHARS} bytes: it is damaged, or hostile. Land the file again, whole.",
            )
        pieces, size = [rest], 0
        while size < max(len(rest), _READ_BYTES):
            chunk = next(self._chunks, None)
            if chunk is None:
                break
            pieces.append(chunk)
            size += len(chunk)
        self._text = b"".join(pieces)
        self._at = self._counted = 0
        return size > 0


def _parse_record(
    kind: XmlKind, damaged: str, around: tuple[bytes, bytes], parser: etree.XMLParser
) -> SplitRecord:
    """Parse a record between the tags of its set, if need be after mending its characters.

    Args:
        kind: The kind of XML that it is of.
        damaged: Its text; bytes that are not UTF-8 are lone surrogates, as in `decoding.Text`.
        around: The start tag and the end tag of its set.
        parser: A parser that may be used again.

    Raises:
        _HostileRecordError: it is made to exhaust a parser.
    """
    opening, closing = around

    def parse(markup: bytes) -> Any:
        try:
            root = etree.fromstring(opening + markup + closing, parser)
        except etree.XMLSyntaxError as error:
            # The stubs do not know `code`.
            code: Any = getattr(error, "code", None)
            if code == _HOSTILE:
                raise _HostileRecordError(error.msg) from error
            return None
        record: Any = root[0] if opening else root
        # In a document of its own, it can be in another namespace.
        return record if record.tag in kind.readers else None

    text, found = repair(damaged)
    issues: list[str] = list(found)
    element = parse(text.encode())
    if element is None:
        mended = _REFERENCE.sub(_drop_forbidden, _FORBIDDEN.sub("", text))
        if mended != text:
            issues.append(ReadIssue.CONTROL_CHARACTER)
            element = parse(mended.encode())
    if element is None:
        issues.append(ReadIssue.DAMAGED_RECORD)
    return SplitRecord(element, issues, text)


def _drop_forbidden(reference: re.Match[str]) -> str:
    """The reference if XML allows its character, else nothing."""
    digits = reference[1] or reference[2]
    code = int(digits, 16 if reference[1] else 10) if len(digits) <= _LONGEST_REFERENCE else -1
    allowed = code in (0x9, 0xA, 0xD) or 0x20 <= code <= 0x10FFFF
    forbidden = 0xD800 <= code <= 0xDFFF or code in (0xFFFE, 0xFFFF)
    return reference[0] if allowed and not forbidden else ""


def refuse_element(kind: XmlKind, name: str, element: str, markup: str, line: int) -> FormatError:
    """The error of an element that is neither a record nor a set of records.

    Args:
        kind: The kind of XML that the file is.
        name: File below the landing zone.
        element: The name of the element.
        markup: What is known of its text, from its start tag on.
        line: Its line.
    """
    told = find_in_markup(markup)
    if told is not None:
        return FormatError(
            name,
            f"holds an error of the service that it is from, on line {line}: {told!r}. Fetch it "
            "again, and land it then.",
        )
    return FormatError(
        name,
        f"XML, but not {kind.owner}'s alone: {element[:_SHOWN_NAME_CHARS]} on line {line} is no "
        f"record and no set of records. Land what {kind.owner} delivers.",
    )


def refuse_text(name: str, text: str, line: int) -> FormatError:
    """The error of a text that stands between records.

    Args:
        name: File below the landing zone.
        text: What is known of the text.
        line: Its line.
    """
    return FormatError(
        name,
        f"a text stands between its records, on line {line}: {redact(text)!r}. If it is the error "
        "of a service, fetch the file again; else land it without that text.",
    )


def _refuse_cut(name: str, line: int) -> FormatError:
    return FormatError(
        name,
        f"not well-formed XML: what begins on line {line} does not end. The file is cut or its "
        "tags are damaged: land it again, whole.",
    )


def _refuse_tag(name: str, tag: bytes, line: int) -> FormatError:
    shown = redact(tag.decode("utf-8", "replace"))
    return FormatError(
        name,
        f"not well-formed XML: {shown} on line {line} ends nothing that is open. Land the file "
        "again, whole.",
    )
