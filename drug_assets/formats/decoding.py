"""The bytes of a landed file -> unpacked bytes -> text (SPEC 1).

Gzip and character encodings belong here, and `FormatError`, which all formats raise. The structure
of the text (separators, records, fields) belongs to the module of its format.
"""

from __future__ import annotations

import codecs
import re
import zlib
from collections import deque
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar

from isal import isal_zlib

from drug_assets.errors import DrugAssetsError
from drug_assets.terms import ReadIssue

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

#: A file that unpacks to more bytes is refused as a gzip bomb: no source delivers such a file.
MAX_UNPACKED_BYTES = 4 * 1024**3
#: So is one that unpacks to more bytes for each packed one, beyond those that any file may. Text of
#: records packs 5 to 20 times, and 100 times where most of its columns are empty; gzip can 1,000.
MAX_BYTES_PER_PACKED_BYTE = 250
FREE_UNPACKED_BYTES = 64 * 1024**2
#: A record with more characters is an error: its end was not recognized.
MAX_RECORD_CHARS = 16 * 1024**2

#: The packed bytes of a file: all of them, or a function that returns them in chunks, from the
#: first one on each time that it is called.
Packed: TypeAlias = "bytes | Callable[[], Iterable[bytes]]"

GZIP_MAGIC = b"\x1f\x8b"
#: Where the flags of a member stand, and those of them that must not be set.
_FLAGS_AT, _UNKNOWN_FLAGS = 3, 0xE0

_Item = TypeVar("_Item")

_CHUNK_BYTES = 256 * 1024
#: Together as long as a piece that `xml_records` reads at once, so that the next one is unpacked
#: meanwhile.
_CHUNKS_AHEAD = 12
_PACKED_SLICE_BYTES = 256 * 1024
_FIRST_SLICE_BYTES = 1024

SURROGATE = re.compile("[\ud800-\udfff]")
_ESCAPED_BYTE = re.compile("[\udc80-\udcff]")
#: Replaces one half of a UTF-16 pair without the other; `surrogateescape` never produces it.
_LONE_SURROGATE = "\udc00"
_REPLACEMENT = "\ufffd"


def _windows_1252(byte: int) -> str:
    """The character of a byte; the five bytes that are undefined become C1 controls."""
    try:
        return bytes([byte]).decode("cp1252")
    except UnicodeDecodeError:
        return chr(byte)


_FROM_ESCAPED = {0xDC00 + byte: _windows_1252(byte) for byte in range(0x80, 0x100)}


class FormatError(DrugAssetsError):
    """A landed file that cannot be read; the message names the file, the problem and the remedy.

    Args:
        name: File below the landing zone.
        problem: The problem, its byte or line, and the remedy.
    """

    def __init__(self, name: str, problem: str) -> None:
        super().__init__(name, problem)
        self.name = name
        self.problem = problem

    def __str__(self) -> str:
        return f"{self.name}: {self.problem}"


def unpack(name: str, packed: Packed) -> Iterator[bytes]:
    """Unpack the bytes of a file, in chunks of bounded size.

    Bytes that begin like gzip are unpacked, whatever the name of the file; others are returned as
    they are.

    Args:
        name: File below the landing zone, for messages.
        packed: Its packed bytes.

    Raises:
        FormatError: Cut or damaged gzip, a `.gz` file that is not gzip, or one that unpacks to
            more than `MAX_UNPACKED_BYTES`, or than `MAX_BYTES_PER_PACKED_BYTE` allows.
    """
    data = _PackedBytes(packed)
    if data.starts_like_gzip():
        yield from _inflate(name, packed, data)
        return
    if name.casefold().endswith(".gz"):
        raise FormatError(
            name,
            "not the format it claims: named .gz, but its bytes do not begin, at byte 0, as gzip "
            "does (1f 8b). Land it whole, or without .gz if it is not packed.",
        )
    while piece := data.view(_CHUNK_BYTES):
        yield bytes(piece)
        data.skip(len(piece))


@dataclass(frozen=True)
class Unpacked:
    """The unpacked chunks of a file; can be iterated more than once."""

    name: str
    packed: Packed

    def __iter__(self) -> Iterator[bytes]:
        """The chunks of `unpack`, read ahead (`read_ahead`)."""
        return read_ahead(unpack(self.name, self.packed))


def read_ahead(produced: Iterator[_Item], ahead: int = _CHUNKS_AHEAD) -> Iterator[_Item]:
    """Yield the same items, while a thread produces the next ones.

    Args:
        produced: the items.
        ahead: how many of them wait at most.
    """
    pool = ThreadPoolExecutor(1)
    try:
        pending = deque(pool.submit(next, produced, None) for _ in range(ahead))
        while (item := pending.popleft().result()) is not None:
            pending.append(pool.submit(next, produced, None))
            yield item
    finally:
        # Not waited for: what is left of a reader that failed can be collected by that very thread.
        pool.shutdown(wait=False, cancel_futures=True)


class _PackedBytes:
    """The packed bytes of a file, from which pieces are taken in their order."""

    def __init__(self, packed: Packed) -> None:
        self._chunks = iter((packed,) if isinstance(packed, bytes) else packed())
        self._rest = memoryview(b"")
        #: The number of bytes that were skipped.
        self.offset = 0

    def view(self, size: int) -> memoryview:
        """The next bytes, at most `size`; none only at the end of the file."""
        while not self._rest:
            chunk = next(self._chunks, None)
            if chunk is None:
                break
            self._rest = memoryview(chunk)
        return self._rest[:size]

    def skip(self, size: int) -> None:
        """Go on by `size` bytes, at most those of the last view."""
        self._rest = self._rest[size:]
        self.offset += size

    def starts_like_gzip(self) -> bool:
        """Whether the next bytes begin a member of gzip."""
        return self._head(len(GZIP_MAGIC)) == GZIP_MAGIC

    def has_unknown_flags(self) -> bool:
        """Whether the next member of gzip has flags that mean nothing (RFC 1952)."""
        return any(flags & _UNKNOWN_FLAGS for flags in self._head(_FLAGS_AT + 1)[_FLAGS_AT:])

    def _head(self, size: int) -> memoryview:
        """The next bytes; fewer than `size` only at the end of the file."""
        while len(self._rest) < size:
            chunk = next(self._chunks, None)
            if chunk is None:
                break
            self._rest = memoryview(bytes(self._rest) + chunk)
        return self._rest[:size]


def _inflate(name: str, packed: Packed, data: _PackedBytes) -> Iterator[bytes]:
    """The unpacked chunks, by ISA-L, which is twice as fast as zlib.

    What ISA-L does not unpack to its end, zlib unpacks from the first byte on again, so zlib alone
    decides what is damaged, and where.
    """
    yielded = 0
    try:
        for chunk in _inflate_by(isal_zlib.decompressobj, name, data):
            yielded += len(chunk)
            yield chunk
    except (FormatError, isal_zlib.error):  # type: ignore[misc]  # the stubs call it no class
        pass
    else:
        return
    for chunk in _inflate_by(zlib.decompressobj, name, _PackedBytes(packed)):
        if yielded < len(chunk):
            yield chunk[yielded:]
        yielded -= min(yielded, len(chunk))


def _inflate_by(start: Callable[..., Any], name: str, data: _PackedBytes) -> Iterator[bytes]:
    """The unpacked chunks of all members of gzip.

    Args:
        start: Makes the object that unpacks a member, as `zlib.decompressobj` does.
        name: File below the landing zone, for messages.
        data: Its packed bytes.

    Raises:
        FormatError: See `unpack`.
        isal_zlib.error: ISA-L finds damage.
    """
    total = 0
    while data.starts_like_gzip():
        if data.has_unknown_flags():  # ISA-L does not look at them
            raise FormatError(
                name,
                f"damaged gzip at byte {data.offset + _FLAGS_AT} (unknown header flags set). "
                "Land it again.",
            )
        inflater = start(wbits=31)
        # zlib copies what follows a member, so small members are given small slices.
        size = _FIRST_SLICE_BYTES
        while not inflater.eof:
            piece = data.view(size)
            size = min(2 * size, _PACKED_SLICE_BYTES)
            # Only zlib can, and is asked where the damage is.
            before = inflater.copy() if hasattr(inflater, "copy") else None
            try:
                chunk = inflater.decompress(piece, _CHUNK_BYTES)
            except zlib.error as error:
                byte = data.offset + _count_valid_bytes(before, piece)
                raise FormatError(
                    name, f"damaged gzip at byte {byte} ({error}). Land it again."
                ) from error
            # At its end, zlib gives what follows the member as its tail, too.
            left = inflater.unused_data if inflater.eof else inflater.unconsumed_tail
            taken = len(piece) - len(left)
            data.skip(taken)
            total += len(chunk)
            most = FREE_UNPACKED_BYTES + MAX_BYTES_PER_PACKED_BYTE * data.offset
            if total > min(most, MAX_UNPACKED_BYTES):
                raise FormatError(
                    name,
                    f"unpacks to more than {min(most, MAX_UNPACKED_BYTES)} bytes (reached at byte "
                    f"{data.offset} of its packed bytes): more than records do. Land the file that "
                    "was meant, or land it in smaller files.",
                )
            if chunk:
                yield chunk
            elif not taken and not inflater.eof:
                raise FormatError(
                    name,
                    f"cut gzip: the file ends at byte {data.offset}, before its gzip data do. "
                    "Land it again, whole.",
                )
    # Zero padding after the last member, as on tapes, is harmless. Other bytes must not be dropped.
    end = data.offset
    while piece := data.view(_CHUNK_BYTES):
        if bytes(piece).strip(b"\0"):
            raise FormatError(
                name, f"damaged gzip: what stands from byte {end} on is not gzip. Land it again."
            )
        data.skip(len(piece))


def _count_valid_bytes(inflater: Any, piece: memoryview) -> int:
    """The number of bytes of a piece before the first that does not inflate."""
    for position in range(len(piece)):
        try:
            inflater.decompress(piece[position : position + 1])
        except zlib.error:
            return position
    return len(piece)


class Text:
    """The text of a file in blocks: UTF-8, or UTF-16 if its byte order mark indicates that.

    A byte that is not UTF-8 stays in the text as a lone surrogate (PEP 383), half a UTF-16 pair as
    another one. So the reader of the format knows which record contains it and can `repair` it.

    Args:
        name: File below the landing zone, for messages.
        chunks: Its unpacked bytes.
    """

    def __init__(self, name: str, chunks: Iterable[bytes]) -> None:
        self._name = name
        self._chunks = iter(chunks)
        head = b""
        while len(head) < len(codecs.BOM_UTF8):
            chunk = next(self._chunks, None)
            if chunk is None:
                break
            head += chunk
        self.encoding, mark = _detect_encoding(head)
        #: The byte at which the text begins, after the byte order mark.
        self.start = len(mark)
        self._head = head[len(mark) :]

    def __iter__(self) -> Iterator[str]:
        """The blocks of text; none is empty.

        Raises:
            FormatError: UTF-16 that ends inside a character.
        """
        pending, byte = self._head, self.start
        for chunk in self._chunks:
            block, used = _decode(pending, self.encoding, final=False)
            if block:
                yield block
            byte += used
            pending = pending[used:] + chunk
        try:
            block, _ = _decode(pending, self.encoding, final=True)
        except UnicodeDecodeError as error:
            raise FormatError(
                self._name,
                f"ends inside a UTF-16 character at byte {byte + error.start} of its text. "
                "Land it again, whole.",
            ) from error
        if block:
            yield block

    def size(self, text: str) -> int:
        """The number of bytes that a piece of this text takes in the unpacked file."""
        errors = "surrogateescape" if self.encoding == "utf-8" else "surrogatepass"
        return len(text.encode(self.encoding, errors))


def _detect_encoding(head: bytes) -> tuple[str, bytes]:
    """The encoding that the first bytes indicate, and their byte order mark."""
    for encoding, mark in (
        ("utf-8", codecs.BOM_UTF8),
        ("utf-16-le", codecs.BOM_UTF16_LE),
        ("utf-16-be", codecs.BOM_UTF16_BE),
    ):
        if head.startswith(mark):
            return encoding, mark
    return "utf-8", b""


def _decode(data: bytes, encoding: str, *, final: bool) -> tuple[str, int]:
    """The text of bytes without an incomplete last character, and the number of bytes used."""
    if encoding == "utf-8":
        return codecs.utf_8_decode(data, "surrogateescape", final)
    decode = codecs.utf_16_le_decode if encoding == "utf-16-le" else codecs.utf_16_be_decode
    text, used = decode(data, "surrogatepass", final)
    return SURROGATE.sub(_LONE_SURROGATE, text), used


def decode_head(data: bytes) -> str:
    """Decode the first bytes of a file: no byte order mark, no incomplete last character."""
    encoding, mark = _detect_encoding(data)
    return _decode(data[len(mark) :], encoding, final=False)[0]


def has_surrogates(text: str) -> bool:
    """Whether a text contains a lone surrogate; ten times as fast as a regular expression."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return True
    return False


def repair(text: str) -> tuple[str, list[str]]:
    """In a text of `Text`, decode the bytes that are not UTF-8 as Windows-1252.

    The five bytes that Windows-1252 leaves undefined become the C1 control of the same number.

    Returns:
        The text, and its read issues: `not_utf8`; `invalid_unicode` where half a UTF-16 pair became
        U+FFFD.
    """
    if not _ESCAPED_BYTE.search(text):
        return replace_surrogates(text)
    text, issues = replace_surrogates(text.translate(_FROM_ESCAPED))
    return text, [ReadIssue.NOT_UTF8, *issues]


def replace_surrogates(text: str) -> tuple[str, list[str]]:
    """Replace lone surrogates by U+FFFD; the issue is `invalid_unicode` if there were any."""
    if not SURROGATE.search(text):
        return text, []
    return SURROGATE.sub(_REPLACEMENT, text), [ReadIssue.INVALID_UNICODE]
