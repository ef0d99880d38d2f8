"""One landed file's bytes -> raw rows, whatever format it came in (SPEC 1).

A module a format; this one tells which it is. No paths, no environment, no storage: a file is its
name (for messages and `source_file`) and its bytes. What fields mean belongs to `cleaning`.

A format is a module with `evident(head)`, `plausible(head)` and `batches(source, name, chunks)`;
listing it in `FORMATS` plugs it in. One that only one source delivers says so there: for the other
sources it is a format that is not read.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from drug_assets import contracts, sources
from drug_assets.formats import decoding, delimited, json_records, pubmed_xml
from drug_assets.formats.decoding import FormatError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    import polars as pl

    from drug_assets.sources import Source

__all__ = ["FORMATS", "PARSER_VERSION", "Format", "FormatError", "format_of", "read"]

#: To be raised whenever the same bytes give other raw rows than before.
PARSER_VERSION = "2"

_HEAD_BYTES = 64 * 1024

_BINARY_MAGIC = (
    *(b"PK\x03\x04", b"PK\x05\x06", b"PAR1", b"%PDF-", b"SQLite format 3", b"\xd0\xcf\x11\xe0"),
    *(b"BZh", b"\xfd7zXZ", b"\x28\xb5\x2f\xfd", b"7z\xbc\xaf", b"Obj\x01", b"ORC", b"ARROW1"),
    *(b"\x89PNG", b"\xff\xd8\xff", b"GIF8", b"Rar!", decoding.GZIP_MAGIC),
)
_CONTROL = re.compile(r"[\x00-\x08\x0e-\x1f]")
_MARKUP = re.compile(r"\s*<(?:\?xml|!|[a-z])", re.IGNORECASE)


@dataclass(frozen=True)
class Format:
    """A format that is read."""

    name: str
    extensions: frozenset[str]
    #: Whether the beginning of a text is surely of this format, whatever the file's name.
    evident: Callable[[str], bool]
    #: Whether it can be, the file's name saying so.
    plausible: Callable[[str], bool]
    #: (source, file name, chunks of unpacked bytes) -> batches of raw rows.
    batches: Callable[[Source, str, Iterable[bytes]], Iterator[pl.DataFrame]]
    #: Whether it is XML: markup is taken for no other format, whatever its lines look like.
    markup: bool = False
    #: Names of the sources that deliver it.
    of_sources: frozenset[str] = frozenset(contracts.SOURCES)


#: Every format that is read, the one that is easiest to recognize first.
FORMATS = (
    Format(
        "json",
        frozenset({".json", ".ndjson", ".jsonl"}),
        json_records.evident,
        json_records.plausible,
        json_records.batches,
    ),
    Format(
        "csv",
        frozenset({".csv", ".tsv", ".txt"}),
        delimited.evident,
        delimited.plausible,
        delimited.batches,
    ),
    Format(
        "pubmed_xml",
        frozenset({".xml"}),
        pubmed_xml.evident,
        pubmed_xml.plausible,
        pubmed_xml.batches,
        markup=True,
        of_sources=frozenset({sources.PUBMED.name}),
    ),
)


def format_of(name: str, head: bytes) -> str | None:
    """The format of a landed file, told by extension and content, gzip undone.

    Args:
        name: File below the landing zone; it says which source the file belongs to.
        head: Its first bytes as it lies there, 64 KiB or all of it.

    Returns:
        The name of one of `FORMATS`, or None if the file is of none that its source delivers.

    Raises:
        FormatError: The content is not what the extension claims, or damaged gzip.
    """
    found = _format_of(_formats_of(sources.source_of(name)), name, head)
    return found.name if found else None


def read(source: Source, name: str, data: bytes) -> Iterator[pl.DataFrame]:
    """Raw rows of a landed file, in batches with the columns of the source's contract.

    `source_row` numbers the records of the file from 1. A file without records gives one empty
    batch. An error may come after batches were given: then none of them counts.

    Args:
        source: Source the file belongs to.
        name: File below the landing zone, with forward slashes: `source_file`.
        data: The whole file as it lies there.

    Raises:
        FormatError: The file cannot be read; the message names it, the place and the cure.
    """
    readable = _formats_of(source)
    found = _format_of(readable, name, data[:_HEAD_BYTES])
    if found is None:
        known = ", ".join(sorted(extension for f in readable for extension in f.extensions))
        raise FormatError(
            name,
            "a format that is not read, by its extension and its first bytes. "
            f"Land it as one of {known}, packed with gzip or not.",
        )
    yield from found.batches(source, name, decoding.Unpacked(name, data))


def _formats_of(source: Source | None) -> list[Format]:
    """The formats a source delivers; all of them if the source is not known."""
    return [f for f in FORMATS if source is None or source.name in f.of_sources]


def _format_of(readable: list[Format], name: str, head: bytes) -> Format | None:
    extension = _extension(name)
    claimed = next((f for f in readable if extension in f.extensions), None)
    content = _unpacked_head(name, head)
    if not content:
        return claimed
    if _is_binary(content):
        seen, found = "is binary", None
    else:
        text = decoding.decoded_head(content)
        if not text.strip():
            return claimed
        markup = bool(_MARKUP.match(text))
        told = (
            f
            for f in readable
            if f.markup is markup and (f.plausible if f is claimed else f.evident)(text)
        )
        found = next(told, None)
        if found:
            seen = f"is {found.name}"
        else:
            seen = "is markup (XML or HTML)" if markup else "holds no record of that format"
    if claimed and found is not claimed:
        raise FormatError(
            name,
            f"not the format it claims: named {extension}, but from byte 0 on its content {seen}. "
            "Give it the extension of what it holds, or land the file that was meant.",
        )
    return found


def _extension(name: str) -> str:
    path = PurePosixPath(name.casefold())
    return PurePosixPath(path.stem).suffix if path.suffix == ".gz" else path.suffix


def _unpacked_head(name: str, head: bytes) -> bytes:
    """The first bytes, unpacked as far as they go: that they are cut is not the file's fault."""
    content = b""
    try:
        for chunk in decoding.unpacked(name, head):
            content += chunk
            if len(content) >= _HEAD_BYTES:
                break
    except FormatError:
        if not content:
            raise
    return content[:_HEAD_BYTES]


def _is_binary(content: bytes) -> bool:
    """Whether bytes are no text: a known signature, or control characters as no text has them."""
    if content.startswith(_BINARY_MAGIC):
        return True
    text = decoding.decoded_head(content)
    controls = len(_CONTROL.findall(text)) / max(len(text), 1)
    stray = len(decoding.SURROGATE.findall(text)) / max(len(text), 1)
    return controls > 0.1 or (controls > 0.02 and stray > 0.2)
