"""Read whole documents: whether each line is as it is declared, and what it counts.

Long documents are read by several processes, so this module imports no Polars.
"""

from __future__ import annotations

from itertools import chain
from typing import TYPE_CHECKING, NamedTuple

from drug_assets.document.reading import NotAGraphError, divide, read_drugs
from drug_assets.document.schema import Drug, ListedDrug

if TYPE_CHECKING:
    from pathlib import Path

    from drug_assets.document.reading import Graph
    from drug_assets.engines import Engine

#: About the size of the sections of a document that are read at the same time: several for each
#: core, since lines differ in size.
SECTION_BYTES = 16 * 1024**2


class ReadDocument(NamedTuple):
    """The result of reading a graph document, or a document of names."""

    #: The first error in the document; None if it is valid.
    problem: str | None
    #: Per drug before the first error: drug_id, number of mentions, number of journal mentions,
    #: number of ties between trials and publications at its mentions.
    counts: list[tuple[str, int, int, int]]


def read_graph(
    document: Path, engine: Engine | None = None, section_bytes: int = SECTION_BYTES
) -> ReadDocument:
    """Read a graph document and check each line against `document.schema`.

    Args:
        document: the document.
        engine: reads the sections of a long document at the same time; None for none.
        section_bytes: about the size of a section.

    Raises:
        OSError: reading the file fails.
    """
    if engine is not None and (sections := divide(document, section_bytes)):
        size_bytes = document.stat().st_size
        read = list(engine.run(_read_graph, sections, size_bytes=size_bytes, fills_cores=False))
        if all(section.problem is None for section in read):
            return ReadDocument(None, list(chain.from_iterable(each.counts for each in read)))
    # Only who reads the whole document knows the number of its first line that is not valid.
    return _read_graph(document)


def _read_graph(document: Graph) -> ReadDocument:
    counts: list[tuple[str, int, int, int]] = []
    try:
        for drug in read_drugs(document, Drug):
            in_journals = sum([len(journal.mentions) for journal in drug.journals])
            tied = sum([len(m.publications) + len(m.trials) for m in drug.mentions])
            counts.append((drug.drug_id, len(drug.mentions), in_journals, tied))
    except NotAGraphError as error:
        return ReadDocument(str(error), counts)
    return ReadDocument(None, counts)


def read_names(document: Path) -> ReadDocument:
    """Read a document of names and check each line against `document.schema`.

    Raises:
        OSError: reading the file fails.
    """
    counts: list[tuple[str, int, int, int]] = []
    try:
        counts.extend((drug.drug_id, 0, 0, 0) for drug in read_drugs(document, ListedDrug))
    except NotAGraphError as error:
        return ReadDocument(str(error), counts)
    return ReadDocument(None, counts)
