"""Node-link JSON, as networkx (`node_link_graph`) and D3 read it.

The members are those that networkx writes: `nodes`, `edges`, and of an edge its `key`, since the
graph counts as one that may have several edges between two nodes. What is missing is left out.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from drug_assets.exports import Written
from drug_assets.exports.lines import LineFile, to_json_object
from drug_assets.exports.parts import Graph, present

if TYPE_CHECKING:
    import polars as pl

    from drug_assets.exports import Of, Tables, Target


def write(of: Of, tables: Tables, file: Target, *, separator: str) -> Written:  # noqa: ARG001
    """Write a graph as node-link JSON.

    Args:
        of: which graph.
        tables: what it is made from.
        file: what it is written to.
        separator: of no meaning here.
    """
    graph, lines = Graph(of, tables), LineFile(file)
    node = {"id": "id", "label": "label"}
    edge = {"key": "id", "source": "source", "target": "target"}
    lines.write(
        f'{{"directed": true, "multigraph": true, "graph": {{"name": "{of}"}},\n"nodes": [\n'
    )
    nodes = lines.write_lines(
        (_write_objects(b, node | present(graph.node_columns, b)) for b in graph.nodes()), ",\n"
    )
    lines.write('],\n"edges": [\n')
    edges = lines.write_lines(
        (_write_objects(b, edge | present(graph.edge_columns, b)) for b in graph.edges()), ",\n"
    )
    lines.write("]}\n")
    return Written({"node": nodes, "edge": edges})


def _write_objects(batch: pl.DataFrame, members: dict[str, str]) -> pl.Series:
    return batch.select(to_json_object(members)).to_series()
