"""GraphML, for networkx, igraph, Gephi and yEd.

Rules that readers have: the types of attributes are string, int, double and boolean; dates are
strings. What is missing is left out. igraph reads a missing boolean as false, so truth is a string,
too; and it passes over a key of nodes and edges together, so each has its own.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from drug_assets.exports import Written
from drug_assets.exports.lines import LineFile, around, join_texts, to_xml
from drug_assets.exports.parts import Columns, Graph, present

if TYPE_CHECKING:
    from collections.abc import Iterable

    from drug_assets.exports import Of, Options, Tables, Target

_HEAD = """<?xml version="1.0" encoding="UTF-8"?>
<graphml xmlns="http://graphml.graphdrawing.org/xmlns" \
xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" \
xsi:schemaLocation="http://graphml.graphdrawing.org/xmlns \
http://graphml.graphdrawing.org/xmlns/1.0/graphml.xsd">
"""


def write(of: Of, tables: Tables, file: Target, options: Options) -> Written:  # noqa: ARG001
    """Write a graph as GraphML.

    Args:
        of: which graph.
        tables: what it is made from.
        file: what it is written to.
        options: of no meaning here.
    """
    graph, lines = Graph(of, tables), LineFile(file)
    node_columns: Columns = {"label": pl.String, **graph.node_columns}
    lines.write(_HEAD)
    lines.write(_declare("node", node_columns) + _declare("edge", graph.edge_columns))
    lines.write(f'<graph id="{of}" edgedefault="directed">\n')
    nodes = lines.write_lines(
        batch.select(
            join_texts(
                around('<node id="', to_xml("id"), '">'),
                *_data("node", present(node_columns, batch)),
                "</node>",
            )
        ).to_series()
        for batch in graph.nodes()
    )
    ends = [around(f' {name}="', to_xml(name), '"') for name in ("id", "source", "target")]
    edges = lines.write_lines(
        batch.select(
            join_texts(
                "<edge", *ends, ">", *_data("edge", present(graph.edge_columns, batch)), "</edge>"
            )
        ).to_series()
        for batch in graph.edges()
    )
    lines.write("</graph>\n</graphml>\n")
    return Written({"node": nodes, "edge": edges})


def _declare(of: str, columns: Columns) -> str:
    """The keys of the attributes of nodes or edges, a line each."""
    return "".join(
        f'<key id="{of}_{name}" for="{of}" attr.name="{name}" '
        f'attr.type="{"int" if kind is pl.Int64 else "string"}"/>\n'
        for name, kind in columns.items()
    )


def _data(of: str, names: Iterable[str]) -> list[pl.Expr]:
    """The attributes of nodes or edges, each as an element, or null."""
    return [around(f'<data key="{of}_{name}">', to_xml(name), "</data>") for name in names]
