"""The exports that are part of a release, and the list of them (`exports.json`).

Which these are, the settings say (`DRUG_ASSETS_EXPORTS`). Where they are put does not belong here.
"""

from __future__ import annotations

import json
from functools import partial
from typing import TYPE_CHECKING

import polars as pl

from drug_assets.exports import BY_DEFAULT, NONE, Tables, parse_requests

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from drug_assets.exports import Request, Target, Written

#: The list of them, and the folder that they are in.
FILE = "exports.json"
FOLDER = "exports"
#: What a release has if nobody says which: up to so many mentions, so that a large one has none.
DEFAULT_FILES = ("journals.graphml", "mentions.xlsx")
MOST_BY_DEFAULT = 100_000


def write_files(
    drugs: pl.LazyFrame,
    mentions: pl.LazyFrame,
    exports: str = BY_DEFAULT,
    *,
    beside: Callable[[str, Callable[[Target], object]], object],
    scratch: Path | None = None,
) -> Iterator[str]:
    """Write the exports of a release, and list them.

    Args:
        drugs: rows of `contracts.Drugs`.
        mentions: rows of `contracts.Mentions`.
        exports: names of the files, with blanks between them, or a word for those by default or
            for none.
        beside: writes a file: takes its name, and what writes its content.
        scratch: a folder for temporary files, as `Request.write` takes it.

    Returns:
        Lines of a JSON array without line ends, with one object per file: its name (`file`), what
        it is `of`, its `format`, what it holds (`nodes` and `edges`, or `rows`), and `notes`.
    """
    tables = Tables(mentions, drugs)
    requests = parse_requests(_choose(exports, mentions))
    yield "["
    for number, request in enumerate(requests, start=1):
        told: list[Written] = []
        name = f"{FOLDER}/{request}"
        beside(name, partial(_write, request, tables, told, scratch))
        counts = {f"{noun}s": count for noun, count in told[0].counts.items()}
        listed = {
            "file": name,
            "of": request.of,
            "format": request.format.name,
            **counts,
            "notes": told[0].notes,
        }
        yield json.dumps(listed, ensure_ascii=False) + ("," if number < len(requests) else "")
    yield "]"


def _choose(exports: str, mentions: pl.LazyFrame) -> Sequence[str]:
    """The names of the files."""
    if exports == NONE:
        return ()
    if exports != BY_DEFAULT:
        return exports.split()
    is_small = mentions.select(pl.len() <= MOST_BY_DEFAULT).collect().item()
    return DEFAULT_FILES if is_small else ()


def _write(
    request: Request, tables: Tables, told: list[Written], scratch: Path | None, file: Target
) -> None:
    told.append(request.write(tables, file, scratch))
