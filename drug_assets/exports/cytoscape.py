"""Cytoscape's JSON (.cyjs), for Cytoscape and Cytoscape.js; networkx reads it, too.

Ids are texts. `name` is what Cytoscape shows, `interaction` what it calls the kind of an edge, and
`value` what networkx takes for the node.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from drug_assets.exports.json_graph import KIND, Layout, write_graph

if TYPE_CHECKING:
    from drug_assets.exports import Of, Options, Tables, Target, Written

_PROGRAM = (
    '"format_version": "1.0", "generated_by": "drug_assets", "target_cytoscapejs_version": "~3"'
)


def write(of: Of, tables: Tables, file: Target, options: Options) -> Written:  # noqa: ARG001
    """Write a graph as Cytoscape's JSON.

    Args:
        of: which graph.
        tables: what it is made from.
        file: what it is written to.
        options: of no meaning here.
    """
    layout = Layout(
        before=f'{{{_PROGRAM}, {KIND},\n"data": {{"name": "{of}", "shared_name": "{of}"}},\n'
        '"elements": {"nodes": [',
        between='], "edges": [',
        behind="]}}",
        node={"id": "id", "value": "id", "name": "label"},
        edge={
            "id": "id",
            "key": "id",
            "source": "source",
            "target": "target",
            "interaction": "kind",
        },
        around=('{"data": ', "}"),
    )
    return write_graph(of, tables, file, layout)
