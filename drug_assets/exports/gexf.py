"""GEXF, for Gephi and its time line.

Rules that readers have: dates are attributes of type string, and once more the `start` of a node or
edge, in a graph whose mode is dynamic. Of a date of which only the year or month is known, that is
its first day; `date_precision` says so. What is missing is left out.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from drug_assets.exports import Written
from drug_assets.exports.lines import LineFile, around, join_texts, to_xml
from drug_assets.exports.parts import Columns, Graph, present

if TYPE_CHECKING:
    from drug_assets.exports import Of, Options, Tables, Target

_HEAD = """<?xml version="1.0" encoding="UTF-8"?>
<gexf xmlns="http://gexf.net/1.3" version="1.3">
<graph defaultedgetype="directed" mode="dynamic" timeformat="date" timerepresentation="interval">
"""
_TYPES: dict[type[pl.DataType], str] = {pl.Int64: "integer", pl.Boolean: "boolean"}
#: The columns that hold the day on which a node or edge is first there.
_STARTS = ("date", "first_date")
#: An attribute that GEXF itself knows.
_WEIGHT = "weight"


def write(of: Of, tables: Tables, file: Target, options: Options) -> Written:  # noqa: ARG001
    """Write a graph as GEXF.

    Args:
        of: which graph.
        tables: what it is made from.
        file: what it is written to.
        options: of no meaning here.
    """
    graph, lines = Graph(of, tables), LineFile(file)
    lines.write(_HEAD)
    lines.write(_declare("node", graph.node_columns) + _declare("edge", graph.edge_columns))
    lines.write("<nodes>\n")
    nodes = lines.write_lines(
        batch.select(_element("node", ("id", "label"), graph.node_columns, batch)).to_series()
        for batch in graph.nodes()
    )
    lines.write("</nodes>\n<edges>\n")
    edges = lines.write_lines(
        batch.select(
            _element("edge", ("id", "source", "target", _WEIGHT), graph.edge_columns, batch)
        ).to_series()
        for batch in graph.edges()
    )
    lines.write("</edges>\n</graph>\n</gexf>\n")
    return Written({"node": nodes, "edge": edges})


def _declare(of: str, columns: Columns) -> str:
    declared = "".join(
        f'<attribute id="{name}" title="{name}" type="{_TYPES.get(kind, "string")}"/>\n'
        for name, kind in columns.items()
        if name != _WEIGHT
    )
    return f'<attributes class="{of}" mode="static">\n{declared}</attributes>\n'


def _element(
    of: str, attributes: tuple[str, ...], columns: Columns, batch: pl.DataFrame
) -> pl.Expr:
    """A node or an edge.

    Args:
        of: which of both.
        attributes: the columns that GEXF itself knows.
        columns: the others.
        batch: the nodes or edges; it need not have all columns.
    """
    starts = [name for name in _STARTS if name in batch.columns]
    return join_texts(
        f"<{of}",
        *(around(f' {n}="', to_xml(n), '"') for n in attributes if n in batch.columns),
        *(around(' start="', to_xml(name), '"') for name in starts),
        "><attvalues>",
        *(
            around(f'<attvalue for="{name}" value="', to_xml(name), '"/>')
            for name in present(columns, batch)
            if name != _WEIGHT
        ),
        f"</attvalues></{of}>",
    )
