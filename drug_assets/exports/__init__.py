"""Exports: tables of a release -> files for other tools, such as Gephi, Cytoscape, R or Excel.

What is written, and how each format is written, is declared here once; commands and assets name a
file (`Request`) and pass tables. Where files are put does not belong here. Neither Polars nor a
format is imported before something is written, so that a command line starts at once.

| module | holds |
| --- | --- |
| `of_release` | the files that a release has, and the list of them |
| `parts` | mentions -> nodes and edges, or rows, in batches |
| `lines` | a batch -> text: what XML, JSON and spreadsheets want of values |
| `json_graph` | nodes and edges -> one object of JSON, for both formats that are JSON |
| `graphml`, `gexf`, `cytoscape`, `node_link`, `sheets` | one kind of file each: parts -> bytes |

Every file is written in batches, so memory follows a batch, not the file; and its bytes follow from
the tables alone: no time, no version, no order but that of the tables.
"""

from __future__ import annotations

import gzip
from dataclasses import dataclass
from enum import StrEnum
from importlib import import_module
from typing import TYPE_CHECKING, NamedTuple, Protocol

from drug_assets.errors import DrugAssetsError

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    import polars as pl

#: The end of the name of a file that is packed with gzip.
PACKED = ".gz"
#: The words for the exports of a release that nobody named, and for none.
BY_DEFAULT, NONE = "default", "none"
#: With more mentions than this, a file of text that is not packed is a gigabyte.
MANY_MENTIONS = 1_000_000
_PACKED_LEVEL = 6


class ExportError(DrugAssetsError):
    """What is asked for cannot be written; the message says what can."""


class Of(StrEnum):
    """What a file is of."""

    #: Drugs, the publications that mention them, and their journals.
    MENTIONS = "mentions"
    #: Drugs and the journals that mention them, with counts and dates: small, whatever the size.
    JOURNALS = "journals"


class Tables(NamedTuple):
    """What files are made from."""

    #: Rows of `contracts.Mentions`, all of them or some.
    mentions: pl.LazyFrame
    #: Rows of `contracts.Drugs`: those that the mentions name, and any others.
    drugs: pl.LazyFrame


class Written(NamedTuple):
    """What a file holds."""

    #: By noun ("node", "row"), the number of these.
    counts: dict[str, int]
    #: What a reader of the file should know of it.
    notes: tuple[str, ...] = ()


class Target(Protocol):
    """What a file is written to: bytes, from the first to the last."""

    def write(self, data: bytes, /) -> object:
        """Write bytes behind those that were written."""
        ...

    def flush(self) -> object:
        """Hand on what was written."""
        ...


class Options(NamedTuple):
    """What some formats need besides tables and target."""

    #: Between the values of a line, where the format has such lines.
    separator: str = ","
    #: Where a format lays what it puts a file together from; None for the folder of the system.
    scratch: Path | None = None


class _Write(Protocol):
    def __call__(self, of: Of, tables: Tables, file: Target, options: Options, /) -> Written: ...


@dataclass(frozen=True)
class Format:
    """A format of files."""

    #: The word for it on the command line.
    name: str
    #: The end of the names of its files.
    ending: str
    #: What it is for, for people.
    purpose: str
    #: The module that writes it, and the function in it.
    module: str
    function: str = "write"
    #: Whether a file can be packed; one that is packed already need not.
    can_be_packed: bool = True

    def write(self, of: Of, tables: Tables, file: Target, options: Options) -> Written:
        """Write a file of this format.

        Args:
            of: what it is of.
            tables: what it is made from.
            file: what it is written to.
            options: what the format may need.
        """
        write: _Write = getattr(import_module(f"{__name__}.{self.module}"), self.function)
        return write(of, tables, file, options)


#: Every format, by its name.
FORMATS = {
    written.name: written
    for written in (
        Format("graphml", ".graphml", "networkx, igraph (R, Python), Gephi, yEd", "graphml"),
        Format("gexf", ".gexf", "Gephi, with its time line", "gexf"),
        Format("cytoscape", ".cyjs", "Cytoscape, Cytoscape.js", "cytoscape"),
        Format("node-link", ".json", "networkx, D3", "node_link"),
        Format("csv", ".csv", "R, pandas, any spreadsheet", "sheets", "write_csv"),
        Format(
            *("xlsx", ".xlsx", "Excel, LibreOffice", "sheets", "write_xlsx"), can_be_packed=False
        ),
    )
}


@dataclass(frozen=True)
class Request:
    """A file to write. As text it is the name of the file: `journals.graphml.gz`."""

    of: Of
    format: Format
    #: Whether it is packed with gzip.
    packed: bool = False
    #: Between the values of a line, where the format has such lines.
    separator: str = ","

    def __post_init__(self) -> None:
        """Refuse what cannot be.

        Raises:
            ExportError: files of this format are not packed.
        """
        if self.packed and not self.format.can_be_packed:
            raise ExportError(f"{self.format.ending} is packed already: leave out {PACKED}")

    def __str__(self) -> str:
        return f"{self.of}{self.format.ending}{PACKED if self.packed else ''}"

    @classmethod
    def parse(cls, name: str) -> Request:
        """The request that the name of a file stands for.

        Raises:
            ExportError: it is no such name; the message says which there are.
        """
        bare = name.removesuffix(PACKED)
        by_name = {f"{of}{known.ending}": (of, known) for of in Of for known in FORMATS.values()}
        if bare not in by_name:
            raise ExportError(
                f"{name!r} names no file; there are {', '.join(by_name)}, each also with {PACKED} "
                "unless it is packed already"
            )
        return cls(*by_name[bare], packed=name != bare)

    def write(self, tables: Tables, file: Target, scratch: Path | None = None) -> Written:
        """Write the file.

        Args:
            tables: what it is made from.
            file: what it is written to.
            scratch: a folder for temporary files, in which nothing stays. A process that is killed
                leaves them: so it should be one that somebody tidies up.
        """
        options = Options(self.separator, scratch)
        if not self.packed:
            return self.format.write(self.of, tables, file, options)
        # Neither the time nor a name: the bytes follow from what is packed.
        with gzip.GzipFile("", "wb", _PACKED_LEVEL, file, mtime=0) as packed:
            return self.format.write(self.of, tables, packed, options)


def parse_requests(names: Iterable[str]) -> list[Request]:
    """The files that names stand for, each once, in the order of formats.

    Raises:
        ExportError: one is no such name.
    """
    asked = {str(request): request for request in map(Request.parse, names)}
    ranks = {name: rank for rank, name in enumerate(FORMATS)}
    return sorted(asked.values(), key=lambda r: (r.of, ranks[r.format.name], r.packed))


def normalize_choice(text: str) -> str:
    """What people choose as the exports of a release, in one form.

    Args:
        text: names of files with blanks or commas between them, `BY_DEFAULT`, or `NONE`.

    Raises:
        ExportError: it is none of these.
    """
    words = text.replace(",", " ").split()
    if words in ([BY_DEFAULT], [NONE]):
        return words[0]
    try:
        return " ".join(map(str, parse_requests(words)))
    except ExportError as error:
        raise ExportError(f"{error}; or {BY_DEFAULT}, or {NONE}") from error
