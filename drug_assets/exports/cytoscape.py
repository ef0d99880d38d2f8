"""Cytoscape's JSON (.cyjs), for Cytoscape and Cytoscape.js; networkx reads it, too.

Ids are texts. `name` is what Cytoscape shows, `interaction` what it calls the kind of an edge, and
`value` what networkx takes for the node. What is missing is left out.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from drug_assets.exports import Written
from drug_assets.exports.lines import LineFile, around, to_json_object
from drug_assets.exports.parts import Graph, present

if TYPE_CHECKING:
    import polars as pl

    from drug_assets.exports import Of, Tables, Target


def write(of: Of, tables: Tables, file: Target, *, separator: str) -> Written:  # noqa: ARG001
    """Write a graph as Cytoscape's JSON.

    Args:
        of: which graph.
        tables: what it is made from.
        file: what it is written to.
        separator: of no meaning here.
    """
    graph, lines = Graph(of, tables), LineFile(file)
    node = {"id": "id", "value": "id", "name": "label"}
    edge = {"id": "id", "key": "id", "source": "source", "target": "target", "interaction": "kind"}
    lines.write(
        '{"format_version": "1.0", "generated_by": "drug_assets", '
        '"target_cytoscapejs_version": "~3", "directed": true, "multigraph": true,\n'
        f'"data": {{"name": "{of}", "shared_name": "{of}"}},\n"elements": {{"nodes": [\n'
    )
    nodes = lines.write_lines(
        (_write_objects(b, node | present(graph.node_columns, b)) for b in graph.nodes()), ",\n"
    )
    lines.write('], "edges": [\n')
    edges = lines.write_lines(
        (_write_objects(b, edge | present(graph.edge_columns, b)) for b in graph.edges()), ",\n"
    )
    lines.write("]}}\n")
    return Written({"node": nodes, "edge": edges})


def _write_objects(batch: pl.DataFrame, members: dict[str, str]) -> pl.Series:
    return batch.select(around('{"data": ', to_json_object(members), "}")).to_series()
