"""The explorer's page, read again: its blocks as Python values."""

from __future__ import annotations

import base64
import gzip
import json
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from drug_assets.documents import EXPLORER
from drug_assets.explorer.page import write_page
from drug_assets_tests.support.raw import table

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from drug_assets.news import News

_BLOCK = re.compile(r'<script type="text/plain" id="(\w+)">([A-Za-z0-9+/=]*)</script>')
_SHARD = re.compile(r"explorerShard\((.*)\)\n?")


@dataclass(frozen=True)
class Page:
    """A page that was written, and the files beside it."""

    html: str
    #: Texts of the files, by name with the folder.
    beside: Mapping[str, str] = field(default_factory=dict)

    @property
    def index(self) -> dict[str, Any]:
        """The index."""
        found: dict[str, Any] = self.blocks()["index"]
        return found

    def packed(self) -> dict[str, str]:
        """Every block as it is written, by name."""
        found = dict(_BLOCK.findall(self.html))
        for name, text in self.beside.items():
            shard = _SHARD.fullmatch(text)
            assert shard, name
            found |= json.loads(shard[1])
        return found

    def blocks(self) -> dict[str, Any]:
        """Every block, by name."""
        return {
            name: json.loads(gzip.decompress(base64.b64decode(packed)))
            for name, packed in self.packed().items()
        }

    def mentions(self) -> list[dict[str, Any]]:
        """Every mention, in order, with its drug; put together from facts and texts."""
        blocks = self.blocks()
        index = blocks["index"]
        counts = zip(*index["drugs"]["by"], strict=True)
        drugs = [
            drug
            for drug, by in zip(index["drugs"]["id"], counts, strict=True)
            for _ in range(sum(by))
        ]
        columns: dict[str, list[Any]] = {
            key: [] for key in ("d", "t", "j", "f", "i", "title", "s", "k")
        }
        for kind, size in (("f", index["facts"]), ("x", index["texts"])):
            names = sorted(
                (n for n in blocks if re.fullmatch(rf"{kind}\d+", n)), key=lambda n: int(n[1:])
            )
            assert names == [f"{kind}{number}" for number in range(len(names))]
            for name in names:
                block = blocks[name]
                assert name == names[-1] or all(len(column) == size for column in block.values())
                for key, column in block.items():
                    columns["title" if (kind, key) == ("x", "t") else key] += column
        columns["drug"] = drugs
        return [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]


def write(
    rows: Mapping[str, Iterable[Mapping[str, Any]]], news: News | None = None, **limits: int
) -> Page:
    """The page of some rows, by table; tables that are not given are empty.

    Args:
        rows: the rows of each table.
        news: what is new, as `summarize` returns it.
        limits: as `explorer.page.write_page` takes them.
    """
    given: dict[str, Any] = {
        **{name: table(name, *rows.get(name, ())) for name in EXPLORER.tables},
        **limits,
    }
    beside: dict[str, str] = {}

    def put(name: str, lines: Iterable[str]) -> None:
        beside[name] = "".join(f"{line}\n" for line in lines)

    lines = write_page(beside=put, news=news, **given)
    html = "".join(f"{line}\n" for line in lines)
    return Page(html, beside)
