"""The bytes of a landed file -> raw rows, for all formats (SPEC 1).

One module per format; this one detects the format. No paths, no environment, no storage: a file is
its name (for messages and `source_file`), its bytes, and the shape of its source's records. The
meaning of fields belongs to `cleaning`.

A format is a module with `is_evident(head)`, `is_plausible(head)` and `read_batches(shape, name,
chunks)`, listed in `FORMATS`. Each source declares the formats that it delivers.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from drug_assets.formats import (
    decoding,
    delimited,
    drugbank_xml,
    ictrp_xml,
    json_records,
    medline,
    mesh_xml,
    pubmed_xml,
)
from drug_assets.formats.decoding import FormatError
from drug_assets.formats.record_shape import RecordShape

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    import polars as pl

    from drug_assets.formats.decoding import Packed

__all__ = [
    "FORMATS",
    "Format",
    "FormatError",
    "RecordShape",
    "detect_format",
    "find_cure",
    "read",
]

#: A file may hold so many rows, and further ones for each of its bytes as they landed. A record
#: takes a byte at least, and also of a packed file several, unless its records repeat each other.
FREE_ROWS = 100_000
MAX_ROWS_PER_BYTE = 1

_HEAD_BYTES = 64 * 1024

_BINARY_MAGIC = (
    *(b"PK\x03\x04", b"PK\x05\x06", b"PAR1", b"%PDF-", b"SQLite format 3", b"\xd0\xcf\x11\xe0"),
    *(b"BZh", b"\xfd7zXZ", b"\x28\xb5\x2f\xfd", b"7z\xbc\xaf", b"Obj\x01", b"ORC", b"ARROW1"),
    *(b"\x89PNG", b"\xff\xd8\xff", b"GIF8", b"Rar!", decoding.GZIP_MAGIC),
)
#: How packed contents begin that are not unpacked, such as gzip within gzip.
_PACKED = {"gzip once more": decoding.GZIP_MAGIC, "zip": b"PK\x03\x04", "bzip2": b"BZh"}
_CONTROL = re.compile(r"[\x00-\x08\x0e-\x1f]")
#: The extension that says only that a file holds text: what it evidently is counts.
_ANY_TEXT = ".txt"
#: Texts that are not read, with their beginning.
_UNREAD = {
    "RIS": re.compile(r"\s*TY {0,2}- "),
    "BibTeX": re.compile(r"\s*@\w+\s*\{"),
    "EndNote": re.compile(r"\s*%0 "),
}
#: What to do with files of formats that are not read, by extension.
_CURES = {
    **dict.fromkeys((".xlsx", ".xls", ".xlsb", ".ods"), "save the table as CSV"),
    **dict.fromkeys((".zip", ".7z", ".tar", ".tgz", ".rar"), "unpack it"),
    **dict.fromkeys((".parquet", ".feather", ".arrow", ".avro", ".orc"), "write it as NDJSON"),
}
_MARKUP = re.compile(r"\s*<(?:\?xml|!|[a-z])", re.IGNORECASE)


@dataclass(frozen=True)
class Format:
    """A format that can be read."""

    name: str
    extensions: frozenset[str]
    #: Whether the beginning of a text is certainly of this format, under any file name.
    is_evident: Callable[[str], bool]
    #: Whether it can be of this format, in a file with its extension.
    is_plausible: Callable[[str], bool]
    #: (shape of records, file name, chunks of unpacked bytes) -> batches of raw rows.
    read_batches: Callable[[RecordShape, str, Iterable[bytes]], Iterator[pl.DataFrame]]
    #: Whether it is XML. A text that is markup is read as no other format.
    markup: bool = False
    #: The names of files as their owners give them, if they tell the source: regular expressions of
    #: whole names in lower case, without `.gz` (`Source.owners_files`).
    owners_files: tuple[str, ...] = ()


#: All formats that can be read, the easiest to recognize first.
FORMATS = (
    Format(
        "json",
        frozenset({".json", ".ndjson", ".jsonl"}),
        json_records.is_evident,
        json_records.is_plausible,
        json_records.read_batches,
    ),
    Format(
        "medline",
        frozenset({".nbib", ".medline"}),
        medline.is_evident,
        medline.is_plausible,
        medline.read_batches,
    ),
    Format(
        "csv",
        frozenset({".csv", ".tsv", ".txt", ".rrf"}),
        delimited.is_evident,
        delimited.is_plausible,
        delimited.read_batches,
    ),
    Format(
        "pubmed_xml",
        frozenset({".xml"}),
        pubmed_xml.is_evident,
        pubmed_xml.is_plausible,
        pubmed_xml.read_batches,
        markup=True,
    ),
    Format(
        "mesh_xml",
        frozenset({".xml"}),
        mesh_xml.is_evident,
        mesh_xml.is_plausible,
        mesh_xml.read_batches,
        markup=True,
        owners_files=mesh_xml.OWNERS_FILES,
    ),
    Format(
        "drugbank_xml",
        frozenset({".xml"}),
        drugbank_xml.is_evident,
        drugbank_xml.is_plausible,
        drugbank_xml.read_batches,
        markup=True,
        owners_files=drugbank_xml.OWNERS_FILES,
    ),
    Format(
        "ictrp_xml",
        frozenset({".xml"}),
        ictrp_xml.is_evident,
        ictrp_xml.is_plausible,
        ictrp_xml.read_batches,
        markup=True,
    ),
)


def detect_format(shape: RecordShape, name: str, packed: Packed) -> str | None:
    """Detect the format of a landed file by extension and content, also inside gzip.

    Only as many bytes are taken as unpack to 64 KiB.

    Args:
        shape: Shape of the records of its source.
        name: File below the landing zone.
        packed: Its bytes, still packed (`decoding.Packed`); they may be cut after 64 KiB.

    Returns:
        The name of one of `FORMATS`, or None if the file has no format that its source delivers.

    Raises:
        FormatError: The content contradicts the extension, or the gzip is damaged.
    """
    found = _detect_format(_list_formats(shape), name, packed)
    return found.name if found else None


def read(
    shape: RecordShape, name: str, packed: Packed, size_bytes: int | None = None
) -> Iterator[pl.DataFrame]:
    """Read the raw rows of a landed file, in batches with the columns of the source's raw table.

    `source_row` numbers the records of the file from 1. A file without records yields one empty
    batch. An error may be raised after some batches: then the caller must discard them.

    Args:
        shape: Shape of the records of its source.
        name: File below the landing zone, with forward slashes: `source_file`.
        packed: The bytes of the whole file, still packed: all at once, or a function that opens
            their chunks (`decoding.Packed`). Some formats are read more than once if they are
            damaged, so it may be called several times.
        size_bytes: The number of these bytes; without it, a file may hold any number of rows.

    Raises:
        FormatError: The file cannot be read; the message names it, the place and the remedy.
    """
    readable = _list_formats(shape)
    found = _detect_format(readable, name, packed)
    if found is None:
        known = ", ".join(sorted({extension for f in readable for extension in f.extensions}))
        raise FormatError(
            name,
            "a format that is not read, by its extension and its first bytes. "
            f"Land it as one of {known}, packed with gzip or not.",
        )
    batches = found.read_batches(shape, name, decoding.Unpacked(name, packed))
    if size_bytes is None:
        yield from batches
    else:
        yield from _limit_rows(name, size_bytes, batches)


def _limit_rows(
    name: str, size_bytes: int, batches: Iterator[pl.DataFrame]
) -> Iterator[pl.DataFrame]:
    """The same batches.

    Raises:
        FormatError: They have more rows than a file of this size may hold.
    """
    most = FREE_ROWS + MAX_ROWS_PER_BYTE * size_bytes
    rows = 0
    for batch in batches:
        rows += batch.height
        if rows > most:
            raise FormatError(
                name,
                f"holds more than {most} records in {size_bytes} packed bytes: more than any "
                "delivery does. Land the file that was meant.",
            )
        yield batch


def _list_formats(shape: RecordShape) -> list[Format]:
    """The formats that the source delivers."""
    return [f for f in FORMATS if f.name in shape.formats]


def _detect_format(readable: list[Format], name: str, packed: Packed) -> Format | None:
    extension = _extension(name)
    of_extension = [f for f in readable if extension in f.extensions]
    claimed = next(iter(of_extension), None)
    content = _unpack_head(name, packed)
    if not content:
        return claimed
    if _is_binary(content):
        if claimed and _is_unmarked_utf_16(content):
            raise FormatError(
                name,
                "text in UTF-16 without a byte order mark, seen from byte 0 on. "
                "Save it as UTF-8 and land it again.",
            )
        packed_with = next(
            (kind for kind, start in _PACKED.items() if content.startswith(start)), ""
        )
        seen = f"is binary, packed with {packed_with}" if packed_with else "is binary"
        found = None
    else:
        text = decoding.decode_head(content)
        if not text.strip():
            return claimed
        markup = bool(_MARKUP.match(text))
        # Kinds of XML share their extension.
        claimed = next((f for f in of_extension if f.is_evident(text)), claimed)
        matching = (
            f
            for f in readable
            if f.markup is markup and (f.is_plausible if f is claimed else f.is_evident)(text)
        )
        found = next(matching, None)
        unread = next((kind for kind, start in _UNREAD.items() if start.match(text)), None)
        if unread:
            seen = f"is {unread}, which is not read: export it as CSV, or in the format PubMed"
            found = None
        elif found:
            seen = f"is {found.name}"
        else:
            seen = "is markup (XML or HTML)" if markup else "holds no record of that format"
    if claimed and found is not claimed and not (found and extension == _ANY_TEXT):
        cure = "Give it the extension of what it holds, or land" if found else "Land"
        raise FormatError(
            name,
            f"not the format it claims: named {extension}, but from byte 0 on its content {seen}. "
            f"{cure} the file that was meant.",
        )
    return found


def find_cure(name: str) -> str | None:
    """What to do with a file whose format is not read, as far as its extension tells."""
    return _CURES.get(_extension(name))


def _extension(name: str) -> str:
    path = PurePosixPath(name.casefold())
    return PurePosixPath(path.stem).suffix if path.suffix == ".gz" else path.suffix


def _unpack_head(name: str, packed: Packed) -> bytes:
    """Unpack the first bytes as far as possible; that the rest is missing is no error."""
    content = bytearray()
    try:
        for chunk in decoding.unpack(name, packed):
            content += chunk
            if len(content) >= _HEAD_BYTES:
                break
    except FormatError:
        if not content:
            raise
    return bytes(content[:_HEAD_BYTES])


def _is_unmarked_utf_16(content: bytes) -> bool:
    """Whether bytes are text whose every character, mostly, has a byte that is zero."""
    for encoding, zeros in (("utf-16-le", content[1::2]), ("utf-16-be", content[::2])):
        if zeros.count(0) > len(zeros) / 2:
            text = content.decode(encoding, "replace")
            return len(_CONTROL.findall(text)) < len(text) / 100
    return False


def _is_binary(content: bytes) -> bool:
    """Whether bytes are not text: a known signature, or too many control characters."""
    if content.startswith(_BINARY_MAGIC):
        return True
    text = decoding.decode_head(content)
    controls = len(_CONTROL.findall(text)) / max(len(text), 1)
    stray = len(decoding.SURROGATE.findall(text)) / max(len(text), 1)
    return controls > 0.1 or (controls > 0.02 and stray > 0.2)
