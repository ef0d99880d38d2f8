"""A graph as JSON: an object with the list of its nodes, then that of its edges, a line each.

What the members of nodes and edges are called, and where the lists are, belongs to the formats. The
graph counts as one that may have several edges between two nodes. What is missing is left out.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from drug_assets.exports import Written
from drug_assets.exports.lines import LineFile, around, to_json_object
from drug_assets.exports.parts import Graph, present

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    import polars as pl

    from drug_assets.exports import Of, Tables, Target
    from drug_assets.exports.parts import Columns

#: The members that say what kind of graph it is.
KIND = '"directed": true, "multigraph": true'


class Layout(NamedTuple):
    """How a format writes the graph."""

    #: What stands before the nodes, between them and the edges, and behind the edges; the first two
    #: end with the bracket of the list.
    before: str
    between: str
    behind: str
    #: The columns of the first members of a node, and of an edge, by their names; further columns
    #: are members of their own names.
    node: Mapping[str, str]
    edge: Mapping[str, str]
    #: What stands around the object of a node or an edge.
    around: tuple[str, str] = ("", "")


def write_graph(of: Of, tables: Tables, file: Target, layout: Layout) -> Written:
    """Write a graph as JSON.

    Args:
        of: which graph.
        tables: what it is made from.
        file: what it is written to.
        layout: how the format writes it.
    """
    graph, lines = Graph(of, tables), LineFile(file)

    def write(
        batches: Iterable[pl.DataFrame], first: Mapping[str, str], columns: Columns
    ) -> Iterator[pl.Series]:
        before, behind = layout.around
        for batch in batches:
            written = to_json_object({**first, **present(columns, batch)})
            yield batch.select(around(before, written, behind)).to_series()

    lines.write(f"{layout.before}\n")
    nodes = lines.write_lines(write(graph.nodes(), layout.node, graph.node_columns), ",\n")
    lines.write(f"{layout.between}\n")
    edges = lines.write_lines(write(graph.edges(), layout.edge, graph.edge_columns), ",\n")
    lines.write(f"{layout.behind}\n")
    return Written({"node": nodes, "edge": edges})
