"""The page, read again: its index, and which blocks are there. Their rows are not unpacked."""

from __future__ import annotations

import base64
import binascii
import gzip
import re
import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import msgspec

from drug_assets.errors import DrugAssetsError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

_BLOCK = re.compile(rb'<script type="text/plain" id="([a-z]+[0-9]*)">')
_END = b"</script>\n"


class NotAPageError(DrugAssetsError):
    """A file is no page of the explorer, or is damaged; the message says in what."""


@dataclass(frozen=True)
class ReadPage:
    """What a page holds."""

    index: Mapping[str, Any]
    #: Names of the blocks, and of files beside the page for those that are not in it.
    blocks: Mapping[str, str | None]


def read_page(page: Path) -> ReadPage:
    """Read the index of a page, and the names of its blocks.

    Raises:
        NotAPageError: it has no index that can be read, or a block has no end.
        OSError: reading the file fails.
    """
    index: Any = None
    blocks: dict[str, str | None] = {}
    with page.open("rb") as file:
        for line in file:
            begun = _BLOCK.match(line)
            if begun is None:
                continue
            name = begun[1].decode()
            if not line.endswith(_END):
                raise NotAPageError(f"block {name} has no end")
            if name == "index":
                index = _unpack(line[begun.end() : -len(_END)])
            else:
                blocks[name] = None
    if not isinstance(index, dict):
        raise NotAPageError("there is no index")
    if index.get("where"):
        folder = index["folder"]
        blocks |= {name: f"{folder}/s{shard}.js" for name, shard in index["where"].items()}
    return ReadPage(index, blocks)


def _unpack(packed: bytes) -> Any:
    """The index.

    Raises:
        NotAPageError: it is damaged.
    """
    try:
        return msgspec.json.decode(gzip.decompress(base64.b64decode(packed, validate=True)))
    except (binascii.Error, EOFError, OSError, zlib.error, msgspec.DecodeError) as error:
        raise NotAPageError(f"its index is damaged: {error}") from error
