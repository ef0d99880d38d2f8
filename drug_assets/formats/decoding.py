"""A landed file's bytes -> unpacked bytes -> text, whatever was done to them on the way (SPEC 1).

Gzip and character encodings belong here, and `FormatError`, which every format raises. What the
text means (separators, records, fields) belongs to the module of its format.
"""

from __future__ import annotations

import codecs
import re
import zlib
from collections import deque
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

#: A file that unpacks to more than this is refused: no source delivers one, a bomb does. Bytes.
MAX_UNPACKED_BYTES = 4 * 1024**3
#: A record longer than this is no record: something swallowed its end. Characters.
MAX_RECORD_CHARS = 16 * 1024**2

GZIP_MAGIC = b"\x1f\x8b"

_CHUNK_BYTES = 256 * 1024
_CHUNKS_AHEAD = 4
_PACKED_SLICE_BYTES = 256 * 1024

SURROGATE = re.compile("[\ud800-\udfff]")
_ESCAPED_BYTE = re.compile("[\udc80-\udcff]")
#: Stands for a half of a UTF-16 pair without the other; outside what `surrogateescape` produces.
_LONE_SURROGATE = "\udc00"
_REPLACEMENT = "\ufffd"


def _windows_1252(byte: int) -> str:
    """The character of a byte; the five that Windows-1252 leaves undefined are C1 controls."""
    try:
        return bytes([byte]).decode("cp1252")
    except UnicodeDecodeError:
        return chr(byte)


_FROM_ESCAPED = {0xDC00 + byte: _windows_1252(byte) for byte in range(0x80, 0x100)}


class FormatError(Exception):
    """A landed file that cannot be read: which file, what is wrong, where, and what would cure it.

    Args:
        name: File below the landing zone.
        problem: What is wrong, at which byte or line, and the cure.
    """

    def __init__(self, name: str, problem: str) -> None:
        super().__init__(name, problem)
        self.name = name
        self.problem = problem

    def __str__(self) -> str:
        return f"{self.name}: {self.problem}"


def unpacked(name: str, data: bytes) -> Iterator[bytes]:
    """The file's bytes in chunks of bounded size, gzip undone wherever its magic number stands.

    Raises:
        FormatError: Cut or damaged gzip, a `.gz` that is none, or more than `MAX_UNPACKED_BYTES`.
    """
    if data[:2] == GZIP_MAGIC:
        yield from _inflated(name, data)
        return
    if name.casefold().endswith(".gz"):
        raise FormatError(
            name,
            f"not the format it claims: named .gz, but its {len(data)} bytes do not begin, at "
            "byte 0, as gzip does (1f 8b). Land it whole, or without .gz if it is not packed.",
        )
    for start in range(0, len(data), _CHUNK_BYTES):
        yield data[start : start + _CHUNK_BYTES]


@dataclass(frozen=True)
class Unpacked:
    """What `unpacked` gives of a file, as often as it is gone through."""

    name: str
    data: bytes

    def __iter__(self) -> Iterator[bytes]:
        """The chunks; while one is used, a thread makes the next ones."""
        return ahead(unpacked(self.name, self.data))


def ahead(chunks: Iterator[bytes]) -> Iterator[bytes]:
    """The same chunks; while one is used, a thread makes the next ones."""
    with ThreadPoolExecutor(1) as pool:
        made = deque(pool.submit(next, chunks, None) for _ in range(_CHUNKS_AHEAD))
        while (chunk := made.popleft().result()) is not None:
            made.append(pool.submit(next, chunks, None))
            yield chunk


def _inflated(name: str, data: bytes) -> Iterator[bytes]:
    packed = memoryview(data)
    offset = total = 0
    while data[offset : offset + 2] == GZIP_MAGIC:
        inflater = zlib.decompressobj(wbits=31)
        while not inflater.eof:
            piece = packed[offset : offset + _PACKED_SLICE_BYTES]
            before = inflater.copy()
            try:
                chunk = inflater.decompress(piece, _CHUNK_BYTES)
            except zlib.error as error:
                byte = offset + _sound_bytes(before, piece)
                raise FormatError(
                    name, f"damaged gzip at byte {byte} of {len(data)} ({error}). Land it again."
                ) from error
            offset += len(piece) - len(inflater.unconsumed_tail) - len(inflater.unused_data)
            total += len(chunk)
            if total > MAX_UNPACKED_BYTES:
                raise FormatError(
                    name,
                    f"unpacks to more than {MAX_UNPACKED_BYTES} bytes (reached at byte {offset} of "
                    f"{len(data)} packed bytes). Land it in smaller files.",
                )
            if chunk:
                yield chunk
            elif not piece and not inflater.eof:
                raise FormatError(
                    name,
                    f"cut gzip: the file ends at byte {len(data)}, before its gzip data do. "
                    "Land it again, whole.",
                )
    # Tape-style zero padding after the last member is harmless, anything else is not ours to drop.
    if data[offset:].strip(b"\0"):
        raise FormatError(
            name, f"damaged gzip: what stands from byte {offset} on is not gzip. Land it again."
        )


def _sound_bytes(inflater: zlib._Decompress, piece: memoryview) -> int:
    """How many bytes of a piece inflate before the one that does not."""
    for position in range(len(piece)):
        try:
            inflater.decompress(piece[position : position + 1])
        except zlib.error:
            return position
    return len(piece)


class Text:
    """The text of a file in blocks: UTF-8, or the UTF-16 that its byte order mark announces.

    A byte that is not UTF-8 stays in the text as a lone surrogate (PEP 383), half a UTF-16 pair as
    another, so that the reader of the format can tell, with `repaired`, which record it stands in.

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
        self.encoding, mark = _encoding(head)
        #: Where the text begins, in bytes: behind the byte order mark.
        self.start = len(mark)
        self._head = head[len(mark) :]

    def __iter__(self) -> Iterator[str]:
        """Blocks of text; none is empty.

        Raises:
            FormatError: UTF-16 that ends inside a character.
        """
        pending, byte = self._head, self.start
        for chunk in self._chunks:
            block, used = _decoded(pending, self.encoding, final=False)
            if block:
                yield block
            byte += used
            pending = pending[used:] + chunk
        try:
            block, _ = _decoded(pending, self.encoding, final=True)
        except UnicodeDecodeError as error:
            raise FormatError(
                self._name,
                f"ends inside a UTF-16 character at byte {byte + error.start} of its text. "
                "Land it again, whole.",
            ) from error
        if block:
            yield block

    def size(self, text: str) -> int:
        """How many bytes of the file a text of it takes."""
        errors = "surrogateescape" if self.encoding == "utf-8" else "surrogatepass"
        return len(text.encode(self.encoding, errors))


def _encoding(head: bytes) -> tuple[str, bytes]:
    """The encoding that the first bytes announce, and the byte order mark that does."""
    for encoding, mark in (
        ("utf-8", codecs.BOM_UTF8),
        ("utf-16-le", codecs.BOM_UTF16_LE),
        ("utf-16-be", codecs.BOM_UTF16_BE),
    ):
        if head.startswith(mark):
            return encoding, mark
    return "utf-8", b""


def _decoded(data: bytes, encoding: str, *, final: bool) -> tuple[str, int]:
    """The text of the bytes, without a character still to be completed, and the bytes it took."""
    if encoding == "utf-8":
        return codecs.utf_8_decode(data, "surrogateescape", final)
    decode = codecs.utf_16_le_decode if encoding == "utf-16-le" else codecs.utf_16_be_decode
    text, used = decode(data, "surrogatepass", final)
    return SURROGATE.sub(_LONE_SURROGATE, text), used


def decoded_head(data: bytes) -> str:
    """The text of a file's first bytes, without its byte order mark, cut at a whole character."""
    encoding, mark = _encoding(data)
    return _decoded(data[len(mark) :], encoding, final=False)[0]


def has_surrogates(text: str) -> bool:
    """Whether a text, which may be long, holds any; a search by pattern takes ten times as long."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return True
    return False


def repaired(text: str) -> tuple[str, list[str]]:
    """A text of `Text` with each stray byte as Windows-1252, and the read issues that this makes.

    The five bytes that Windows-1252 leaves undefined become the C1 control of the same number.
    Issues: `not_utf8`; `invalid_unicode` where half a UTF-16 pair became U+FFFD.
    """
    if not _ESCAPED_BYTE.search(text):
        return well_formed(text)
    text, issues = well_formed(text.translate(_FROM_ESCAPED))
    return text, ["not_utf8", *issues]


def well_formed(text: str) -> tuple[str, list[str]]:
    """A text with each lone surrogate as U+FFFD, and the issue `invalid_unicode` if it had one."""
    if not SURROGATE.search(text):
        return text, []
    return SURROGATE.sub(_REPLACEMENT, text), ["invalid_unicode"]
