"""Blocks -> the page: one file, or the same page with its data in files beside it.

The page opens from a disk, where a browser lets it read no file: data is inert text of base64, and
files beside it are scripts that hand their blocks over. Nothing is requested from anywhere, and the
page's policy forbids it. The index and the script come first, so that the page is drawn while the
rest of it is still being read.
"""

from __future__ import annotations

import base64
import hashlib
from html import escape
from itertools import groupby
from tempfile import TemporaryFile
from typing import TYPE_CHECKING, NamedTuple, Protocol

import msgspec
import polars as pl
from zlib_ng import zlib_ng

from drug_assets.explorer import FOLDER, built
from drug_assets.explorer.first_view import write_first_view
from drug_assets.explorer.pack import pack
from drug_assets.threads import map_ahead

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from typing import IO

    from drug_assets.explorer.pack import Block
    from drug_assets.news import News

#: A page with more bytes of data has them in files beside it: mails and disks have limits.
MOST_BYTES = 100_000_000
#: About the size of a file beside the page.
SHARD_BYTES = 2_000_000
#: Titles take a fortieth more bytes than by level 6, in three fifths of its time. By its level 6,
#: zlib itself takes six times as long.
_LEVEL = 3
#: The bits of a window, and that a header of gzip precedes it.
_GZIP = 31
#: Blocks that wait to be packed, at most: those of two batches of mentions.
_PENDING = 200
#: The kinds of blocks in the order of the page: small ones first, and of which little is read last.
_KINDS = "npfx"

TITLE = "Drug mentions"


class Beside(Protocol):
    """What puts a file beside the page."""

    def __call__(self, name: str, lines: Iterable[str], /) -> object:
        """Put a file of these lines, without line ends, under a name with its folder."""


class _Spooled(NamedTuple):
    """A block in the temporary file, packed, as base64."""

    name: str
    start: int
    size: int


def write_page(
    *,
    beside: Beside,
    news: News | None = None,
    most_bytes: int = MOST_BYTES,
    shard_bytes: int = SHARD_BYTES,
    **tables: pl.LazyFrame,
) -> Iterator[str]:
    """The lines of the page of a run.

    Args:
        beside: puts files beside the page, if it would have too many bytes.
        news: what is new; None if there is nothing to compare with.
        most_bytes: of data, in the page.
        shard_bytes: about how many bytes a file beside it has.
        tables: those of `pack.TABLES`, by name.

    Returns:
        Lines without line ends; some are long.
    """
    packed = pack(tables, news)
    with TemporaryFile() as file:
        spooled = sorted(_spool(packed.blocks(), file), key=_place)
        where: dict[str, int] | None = None
        if sum(block.size for block in spooled) > most_bytes:
            where = {}
            for number, shard in enumerate(_shards(spooled, shard_bytes)):
                where |= {block.name: number for block in shard}
                beside(f"{FOLDER}/s{number}.js", _write_shard(shard, file))
        index = {**packed.index, "where": where, "folder": FOLDER}
        yield from _begin(in_shards=where is not None)
        yield f'<div id="app">{write_first_view(packed.index)}</div>'
        yield "<noscript><p>The rest of this page needs a browser that runs scripts.</p></noscript>"
        yield _data("index", _pack(msgspec.json.encode(index)))
        yield f"<script>{_inline(built.read_script(), 'script')}</script>"
        if where is None:
            for block in spooled:
                yield _data(block.name, _read(block, file))
        yield "</body></html>"


def _begin(*, in_shards: bool) -> Iterator[str]:
    """The beginning of the page; `in_shards` if its script loads further ones, of its folder."""
    script = _inline(built.read_script(), "script")
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    policy = "; ".join(
        [
            "default-src 'none'",
            # What the script of this hash loads is trusted, too: from a disk there is no origin.
            f"script-src 'sha256-{digest}'" + (" 'strict-dynamic'" if in_shards else ""),
            "style-src 'unsafe-inline'",
            "img-src data: blob:",
            "require-trusted-types-for 'script'",
            "trusted-types shards",
            "base-uri 'none'",
            "form-action 'none'",
        ]
    )
    yield "<!doctype html>"
    yield '<html lang="en"><head><meta charset="utf-8">'
    yield f'<meta http-equiv="Content-Security-Policy" content="{policy}">'
    yield '<meta name="viewport" content="width=device-width,initial-scale=1">'
    yield '<meta name="color-scheme" content="light dark">'
    yield '<meta name="referrer" content="no-referrer">'
    yield f"<title>{escape(TITLE)}</title>"
    yield f"<style>{_inline(built.read_style(), 'style')}</style></head><body>"


def _inline(text: str, element: str) -> str:
    """The text of a script or style, without the end of its line, which no hash forgives.

    Raises:
        ValueError: it would end its element, or hide the end of it.
    """
    if f"</{element}" in text.lower() or "<!--" in text:
        raise ValueError(f"the built {element} contains its own end: build it again")
    return text.strip()


def _data(name: str, packed: bytes) -> str:
    return f'<script type="text/plain" id="{name}">{packed.decode("ascii")}</script>'


def _pack(data: bytes) -> bytes:
    """A block as the page holds it: base64."""
    return base64.b64encode(zlib_ng.compress(data, _LEVEL, _GZIP))


def _spool(blocks: Iterable[Block], file: IO[bytes]) -> Iterator[_Spooled]:
    """Encode and pack blocks, on all cores, while next ones are made; write them to a file."""

    def pack_block(block: Block) -> tuple[str, bytes]:
        return block.name, _pack(block.encode())

    start = 0
    for name, packed in map_ahead(pack_block, blocks, pl.thread_pool_size(), _PENDING):
        file.write(packed)
        yield _Spooled(name, start, len(packed))
        start += len(packed)


def _place(block: _Spooled) -> int:
    return _KINDS.index(block.name[0])


def _read(block: _Spooled, file: IO[bytes]) -> bytes:
    file.seek(block.start)
    return file.read(block.size)


def _shards(blocks: Iterable[_Spooled], most: int) -> Iterator[list[_Spooled]]:
    """Blocks, as they are put into files."""
    end = 0

    def number(block: _Spooled) -> int:
        nonlocal end
        end += block.size
        return (end - block.size) // most

    return (list(shard) for _, shard in groupby(blocks, number))


def _write_shard(blocks: Iterable[_Spooled], file: IO[bytes]) -> Iterator[str]:
    """The one line of a file beside the page: a call with its blocks; base64 needs no escape."""
    members = (b'"%b": "%b"' % (block.name.encode(), _read(block, file)) for block in blocks)
    yield (b"explorerShard({%b})" % b", ".join(members)).decode("ascii")
