"""Node-link JSON, as networkx (`node_link_graph`) and D3 read it.

The members are those that networkx writes: `nodes`, `edges`, and of an edge its `key`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from drug_assets.exports.json_graph import KIND, Layout, write_graph

if TYPE_CHECKING:
    from drug_assets.exports import Of, Options, Tables, Target, Written


def write(of: Of, tables: Tables, file: Target, options: Options) -> Written:  # noqa: ARG001
    """Write a graph as node-link JSON.

    Args:
        of: which graph.
        tables: what it is made from.
        file: what it is written to.
        options: of no meaning here.
    """
    layout = Layout(
        before=f'{{{KIND}, "graph": {{"name": "{of}"}},\n"nodes": [',
        between='],\n"edges": [',
        behind="]}",
        node={"id": "id", "label": "label"},
        edge={"key": "id", "source": "source", "target": "target"},
    )
    return write_graph(of, tables, file, layout)
