"""A graph document as the tables that it was made from, as far as it has them.

So a document whose tables are gone, or that somebody sent, can be compared like a release.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import polars as pl

from drug_assets import sources
from drug_assets.document.reading import read_drugs
from drug_assets.document.schema import DrugToCompare, ListedDrugToCompare

if TYPE_CHECKING:
    from drug_assets.document.reading import Graph

_MENTIONS = pl.Schema(
    {
        **dict.fromkeys(("drug_id", "source", "publication_id", "drug", "title"), pl.String()),
        **dict.fromkeys(("journal", "journal_id"), pl.String()),
        "date": pl.Date(),
        "date_precision": pl.String(),
    }
)
_DRUGS = pl.Schema({"drug_id": pl.String(), "drug": pl.String(), "names": pl.List(pl.String())})
#: Rows that are held as objects of Python, before they become a frame.
_BATCH_ROWS = 50_000

_Rows = list[tuple[Any, ...]]


def read_graph_as_tables(
    graph: Graph, names: Graph | None = None
) -> tuple[pl.LazyFrame, pl.LazyFrame]:
    """Read a graph document.

    Args:
        graph: the document.
        names: the document of names that belongs to it; None if there is none.

    Returns:
        The mentions, with the columns of `contracts.Mentions` that the document has (without
        retracted, spans and ambiguous), and the drugs: columns drug_id, drug and names. What a
        document of an earlier version does not tell is null.

    Raises:
        NotAGraphError: a line is not valid, or a file cannot be opened.
        OSError: reading fails.
    """
    of_type = {source.document_type: source.name for source in sources.PUBLICATIONS}
    mentions, drugs = _Frames(_MENTIONS), _Frames(_DRUGS)
    for drug in read_drugs(graph, DrugToCompare):
        drugs.add([(drug.drug_id, drug.drug, drug.names)])
        mentions.add(
            [
                (
                    *(drug.drug_id, of_type[each.type], each.id, drug.drug, each.title),
                    *(each.journal, each.journal_id, each.date, each.date_precision),
                )
                for each in drug.mentions
            ]
        )
    if names is not None:
        for listed in read_drugs(names, ListedDrugToCompare):
            drugs.add([(listed.drug_id, listed.drug, listed.names)])
    return mentions.join(), drugs.join()


class _Frames:
    """Rows, of which only the last ones are objects of Python."""

    def __init__(self, schema: pl.Schema) -> None:
        self._schema = schema
        self._frames: list[pl.DataFrame] = []
        self._rows: _Rows = []

    def add(self, rows: _Rows) -> None:
        self._rows += rows
        if len(self._rows) >= _BATCH_ROWS:
            self._flush()

    def _flush(self) -> None:
        self._frames.append(pl.DataFrame(self._rows, schema=self._schema, orient="row"))
        self._rows = []

    def join(self) -> pl.LazyFrame:
        self._flush()
        return pl.concat(self._frames).lazy()
