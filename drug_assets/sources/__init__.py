"""The sources of the landing zone: one module per source, discovered automatically (SPEC 1).

To add a source, add its contracts and a module with a `SOURCE`; there is no list of sources to
edit.

| module | holds |
| --- | --- |
| `source` | the base classes of sources |
| `tables` | every table by name: those of each source, and those of all sources together |
| any other | one source |
"""

from __future__ import annotations

import re
from functools import cache
from importlib import import_module
from itertools import chain
from operator import attrgetter
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from drug_assets.sources.source import DrugList, PublicationSource, Source, TrialSource

if TYPE_CHECKING:
    import polars as pl

__all__ = [
    "ALL",
    "DRUGS",
    "PUBLICATIONS",
    "TRIALS",
    "DrugList",
    "PublicationSource",
    "Source",
    "TrialSource",
]

_OTHER_MODULES = frozenset({"__init__", "source", "tables"})
#: What a name has beside what its owner gave it: the end of a packed file, the number of a download
#: that was repeated.
_PACKED_OR_COPIED = re.compile(r"(?:\.(?:gz|zip))+$| ?\([0-9]{1,3}\)(?=\.|$)")


def _discover() -> tuple[Source, ...]:
    # `pkgutil` imports a large part of the standard library, which slows the command line down.
    modules = {path.stem for path in Path(__file__).parent.glob("*.py")} - _OTHER_MODULES
    found = [import_module(f"{__name__}.{module}").SOURCE for module in modules]
    return tuple(sorted(found, key=attrgetter("order", "name")))


#: Every source, in the order in which people see them listed.
ALL = _discover()
#: The source of drugs.
(DRUGS,) = (source for source in ALL if isinstance(source, DrugList))
#: The sources of publications.
PUBLICATIONS = tuple(source for source in ALL if isinstance(source, PublicationSource))
#: Those of them that are sources of trials.
TRIALS = tuple(source for source in PUBLICATIONS if isinstance(source, TrialSource))


def rank_sources(names: pl.Expr) -> pl.Expr:
    """A UInt8 column: the places of sources of publications among `PUBLICATIONS`.

    Mentions of one day are listed in this order wherever they are listed (SPEC 6); those of a
    source that an earlier version had come last.

    Args:
        names: a String column, the names of sources.
    """
    import polars as pl

    # Not `replace_strict`: with it, Polars 2.1 holds the rows in memory.
    places = (
        pl.when(names == source.name).then(pl.lit(place, pl.UInt8))
        for place, source in enumerate(PUBLICATIONS)
    )
    return pl.coalesce(*places, pl.lit(len(PUBLICATIONS), pl.UInt8))


def source_of_file(path: str) -> Source | None:
    """The source of a landed file, by its name or else by a folder above it; None if none matches.

    The start of a name decides: `PubMed_2024.csv`, `clinical_trials/page1.json`. Case, blanks,
    hyphens, underscores and the plural of a whole word do not matter: `Clinical-Trial 1.csv`. If
    several sources match, the longest match wins. A file can also have the name that the owner of
    its data gave it: `desc2026.xml` (`Source.owners_files`).
    """
    parts = PurePosixPath(path).parts
    owned = _PACKED_OR_COPIED.sub("", parts[-1].casefold()) if parts else ""
    for source in ALL:
        if any(pattern.fullmatch(owned) for pattern in _owners_patterns(source)):
            return source
    for name in reversed(parts):
        matches = [
            (len(start), source)
            for source in ALL
            for start in source.file_names
            if _begins_like(start).match(name)
        ]
        if matches:
            return max(matches, key=lambda match: match[0])[1]
    return None


@cache
def _owners_patterns(source: Source) -> tuple[re.Pattern[str], ...]:
    from drug_assets.formats import FORMATS

    of_formats = (f.owners_files for f in FORMATS if f.name in source.formats)
    return tuple(map(re.compile, chain(source.owners_files, *of_formats)))


@cache
def _begins_like(start: str) -> re.Pattern[str]:
    """Matches the names of files that begin with `start`, whatever their spelling."""
    between = r"[\s_-]*"
    *letters, last = [re.escape(letter) for letter in re.sub(between, "", start)]
    # "drugs" is found in "drugstore.csv", too, but its singular only as a word: not in "drugbank".
    end = rf"(?:{between}s|(?![^\W\d_]))" if last in "sS" else between + last
    return re.compile(between + between.join(letters) + end, re.IGNORECASE)
