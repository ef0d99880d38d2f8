"""Graphs, opened by the libraries that people read them with."""

from __future__ import annotations

import io
import json
import warnings
from typing import TYPE_CHECKING, Any

import igraph  # type: ignore[import-untyped]
import networkx
import openpyxl
import polars as pl
import pytest
from hypothesis import given
from hypothesis import settings as examples
from hypothesis import strategies as st

from drug_assets.exports import FORMATS, Of, Request
from drug_assets.exports.parts import Graph
from drug_assets_tests.exports import made
from drug_assets_tests.exports.made import export, strip

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from drug_assets.exports import Tables

    Network = networkx.Graph[Any]

GRAPHS = ("graphml", "gexf", "cytoscape", "node-link")
BOTH = [made.tables, made.hostile]


def read(name: str, data: bytes) -> Network:
    """A graph as networkx reads it."""
    ending = name.partition(".")[2]
    if ending == "graphml":
        return networkx.read_graphml(io.BytesIO(data))
    if ending == "gexf":
        return networkx.read_gexf(io.BytesIO(data))
    if ending == "cyjs":
        return networkx.cytoscape_graph(json.loads(data))
    return networkx.node_link_graph(json.loads(data), edges="edges")


def file_of(of: Of, written: str) -> str:
    return str(Request(of, FORMATS[written]))


def expected(of: Of, tables: Tables) -> tuple[dict[str, dict[str, Any]], list[dict[str, Any]]]:
    """The nodes by id, and the edges, without what is missing."""
    graph = Graph(of, tables)

    def rows(batches: Any) -> list[dict[str, Any]]:
        return [
            {k: v.isoformat() if hasattr(v, "isoformat") else v for k, v in row.items()}
            for batch in batches
            for row in batch.to_dicts()
        ]

    nodes = [{k: v for k, v in n.items() if v is not None} for n in rows(graph.nodes())]
    edges = [{k: v for k, v in e.items() if v is not None} for e in rows(graph.edges())]
    return {node.pop("id"): node for node in nodes}, edges


def plain(value: Any) -> Any:
    """A value as XML holds it."""
    return strip(value) if isinstance(value, str) else value


@pytest.mark.parametrize("of", Of)
@pytest.mark.parametrize("written", GRAPHS)
@pytest.mark.parametrize("make", BOTH)
def test_networkx_reads_what_the_tables_hold(
    of: Of, written: str, make: Callable[[], Tables]
) -> None:
    tables = make()
    name = file_of(of, written)
    graph = read(name, export(name, tables))
    nodes, edges = expected(of, tables)
    in_xml = written in {"graphml", "gexf"}
    clean = plain if in_xml else lambda value: value
    assert set(graph) == set(nodes)
    for node, found in graph.nodes(data=True):
        own = {"label": "name"} if written == "cytoscape" else {}
        for column, value in nodes[node].items():
            seen = found[own.get(column, column)]
            assert seen == (as_text(clean(value)) if written == "graphml" else clean(value))
    found_edges = {(s, t): data for s, t, data in graph.edges(data=True)}
    assert len(found_edges) == graph.number_of_edges() == len(edges)
    for edge in edges:
        found = found_edges[edge.pop("source"), edge.pop("target")]
        edge.pop("id")
        for column, value in edge.items():
            assert found[column] == (
                as_text(clean(value)) if written == "graphml" else clean(value)
            )


def as_text(value: Any) -> Any:
    """A boolean as GraphML holds it: igraph would read a missing one as false."""
    return str(value).lower() if isinstance(value, bool) else value


@pytest.mark.parametrize("make", BOTH)
@pytest.mark.parametrize("of", Of)
def test_igraph_reads_graphml_without_a_warning(
    of: Of, make: Callable[[], Tables], tmp_path: Path
) -> None:
    tables = make()
    path = tmp_path / "graph.graphml"
    path.write_bytes(export(f"{of}.graphml", tables))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        graph = igraph.Graph.Read_GraphML(str(path))
    nodes, edges = expected(of, tables)
    assert (graph.vcount(), graph.ecount()) == (len(nodes), len(edges))
    date = "date" if of is Of.MENTIONS else "first_date"
    # A missing text is an empty one for igraph. It takes the id of an edge from its source.
    seen = sorted((edge.source_vertex["label"], edge[date]) for edge in graph.es)
    labels = {node: strip(data["label"]) for node, data in nodes.items()}
    assert seen == sorted((labels[edge["source"]], edge.get(date, "")) for edge in edges)
    assert graph.is_directed()


def test_counts_and_dates_are_those_of_the_tables() -> None:
    tables = made.tables()
    graph = read("mentions.graphml", export("mentions.graphml", tables))
    mentions = tables.mentions.collect()
    kinds = [data["kind"] for _, data in graph.nodes(data=True)]
    assert kinds.count("drug") == mentions["drug_id"].n_unique() == 2
    assert kinds.count("journal") == mentions["journal_id"].drop_nulls().n_unique() == 2
    assert kinds.count("pubmed") + kinds.count("clinical_trial") == 4
    edges = [data for *_, data in graph.edges(data=True)]
    mentioned = [edge.get("date") for edge in edges if edge["kind"] == "mentioned_in"]
    assert sorted(filter(None, mentioned)) == sorted(
        mentions["date"].drop_nulls().dt.to_string("iso")
    )
    assert len(mentioned) == mentions.height
    assert sum(edge["kind"] == "published_in" for edge in edges) == 3


def test_the_graph_of_journals_counts_mentions_and_has_first_and_last_dates() -> None:
    graph = read("journals.json", export("journals.json"))
    edge = graph.get_edge_data("drug:alphazine", "journal:journal of tests")
    (found,) = edge.values()
    assert found == {
        "kind": "mentioned_in",
        "weight": 2,
        "pubmed_mentions": 2,
        "clinical_trial_mentions": 0,
        "retracted_pubmed_mentions": 1,
        "unknown_pubmed_mentions": 0,
        "first_date": "2003-01-01",
        "first_precision": "year",
        "last_date": "2020-05-17",
        "last_precision": "day",
    }


def test_of_dates_of_one_day_the_one_with_more_known_is_the_first() -> None:
    day = made.mention("Alphazine", "1")["date"].replace(day=1)
    tables = made.tables(
        [
            made.mention("Alphazine", "1", date=day, date_precision="month"),
            made.mention("Alphazine", "2", date=day, date_precision="day"),
        ]
    )
    graph = read("journals.json", export("journals.json", tables))
    ((*_, edge),) = graph.edges(data=True)
    assert (edge["first_precision"], edge["last_precision"]) == ("day", "month")


@pytest.mark.parametrize("written", GRAPHS)
def test_ids_of_edges_are_unique_whatever_ids_the_tables_have(written: str) -> None:
    ids = ("1", "1 -> pubmed:2", "hex:31", "1\x01", "1\x02")
    tables = made.tables(
        made.mention(drug, publication, journal_id=f"j{publication}")
        for drug in ("a", "a -> pubmed:1", "a\x01", "A\x02")
        for publication in ids
    )
    name = file_of(Of.MENTIONS, written)
    graph = read(name, export(name, tables))
    data = export("mentions.json", tables)
    keys = [edge["key"] for edge in json.loads(data)["edges"]]
    assert len(set(keys)) == len(keys) == graph.number_of_edges() == 4 * len(ids) + len(ids)
    assert graph.number_of_nodes() == 4 + 2 * len(ids)


def test_what_is_missing_is_left_out() -> None:
    for name in ("mentions.json", "mentions.cyjs", "mentions.graphml", "mentions.gexf"):
        data = export(name).decode()
        assert "null" not in data
        assert '=""' not in data
        assert "></data>" not in data


def test_gephi_finds_the_day_on_which_each_part_of_the_graph_is_first_there() -> None:
    graph = read("mentions.gexf", export("mentions.gexf"))
    assert graph.nodes["drug:alphazine"]["start"] == "2003-01-01"
    assert graph.edges["drug:alphazine", "pubmed:1"]["start"] == "2020-05-17"
    assert "start" not in graph.nodes["pubmed:3"]
    assert b'mode="dynamic" timeformat="date"' in export("mentions.gexf")
    weighted = read("journals.gexf", export("journals.gexf"))
    assert weighted.edges["drug:alphazine", "journal:journal of tests"]["weight"] == 2


def test_an_edge_has_the_title_that_its_spans_are_of_if_its_node_shows_another() -> None:
    tables = made.tables(
        [
            made.mention("Alphazine", "T1", source=made.TRIAL, title="Alphazine in rats"),
            made.mention("Betanol", "T1", source=made.TRIAL, title="Betanol, briefly"),
        ]
    )
    graph = read("mentions.json", export("mentions.json", tables))
    assert graph.nodes["clinical_trial:T1"]["label"] == "Alphazine in rats"
    titles = {source: data.get("title") for source, *_, data in graph.edges(data=True)}
    assert titles["drug:alphazine"] is None
    assert titles["drug:betanol"] == "Betanol, briefly"


def test_a_mention_tells_its_words_its_spans_and_the_rules_that_found_it() -> None:
    spans = [
        {"start": 0, "end": 9, "text": "Alphazine", "by": "name"},
        {"start": 11, "end": 14, "text": "ALP", "by": "abbreviation"},
        {"start": 20, "end": 23, "text": "ALP", "by": "abbreviation"},
    ]
    tables = made.tables([made.mention("Alphazine", "1", spans=spans)])
    graph = read("mentions.graphml", export("mentions.graphml", tables))
    edge = graph.edges["drug:alphazine", "pubmed:1"]
    assert edge["words"] == "Alphazine; ALP"
    assert json.loads(edge["spans"]) == [[0, 9], [11, 14], [20, 23]]
    assert edge["rules"] == "abbreviation"


@pytest.mark.parametrize("of", Of)
@pytest.mark.parametrize("written", FORMATS)
def test_nothing_to_write_is_a_file_without_rows(of: Of, written: str) -> None:
    name = file_of(of, written)
    data = export(name, made.tables([]))
    if written in GRAPHS:
        graph = read(name, data)
        assert (graph.number_of_nodes(), graph.number_of_edges()) == (0, 0)
    elif written == "csv":
        assert data.count(b"\n") == 1
    else:
        (sheet,) = openpyxl.load_workbook(io.BytesIO(data))
        assert sheet.max_row == 1


@pytest.mark.parametrize("of", Of)
def test_batches_change_nothing_but_the_order_of_publications(
    of: Of, monkeypatch: pytest.MonkeyPatch
) -> None:
    tables = made.tables(
        made.mention(f"Drug {number % 7}", f"{number % 23}", journal_id=f"j{number % 3}")
        for number in range(7 * 23)
    )
    whole, sheet = expected(of, tables), export(f"{of}.csv", tables)
    monkeypatch.setattr("drug_assets.exports.parts.BATCH_MENTIONS", 10)
    nodes, edges = expected(of, tables)
    assert nodes == whole[0]
    assert sorted(e["id"] for e in edges) == sorted(e["id"] for e in whole[1])
    assert export(f"{of}.csv", tables) == sheet


@pytest.mark.parametrize("written", FORMATS)
def test_the_bytes_follow_from_the_tables_alone(written: str, monkeypatch: Any) -> None:
    import time

    name = file_of(Of.MENTIONS, written)
    first = export(name, made.hostile())
    real = time.time
    monkeypatch.setattr(time, "time", lambda: real() + 86_400 * 400)
    shuffled = made.hostile()
    again = shuffled._replace(drugs=shuffled.drugs.reverse())
    assert export(name, again) == first


words = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=20)


@pytest.mark.slow
@examples(max_examples=15)
@given(st.lists(st.tuples(words, words, words), min_size=1, max_size=12, unique_by=lambda t: t[1]))
def test_any_text_comes_back_from_every_format(rows: list[tuple[str, str, str]]) -> None:
    tables = made.tables(
        made.mention("Alphazine", publication, title=title, journal=journal, journal_id=journal)
        for title, publication, journal in rows
    )
    titles = sorted(title for title, _, _ in rows)
    for written, label in zip(GRAPHS, ("label", "label", "name", "label"), strict=True):
        name = file_of(Of.MENTIONS, written)
        graph = read(name, export(name, tables))
        found = [d.get(label, "") for _, d in graph.nodes(data=True) if d["kind"] == "pubmed"]
        in_xml = written in {"graphml", "gexf"}
        assert sorted(found) == (sorted(map(strip, titles)) if in_xml else titles)
        assert graph.number_of_edges() == 2 * len(rows)


def test_packed_files_unpack_to_the_same_and_have_no_time() -> None:
    import gzip

    packed = export("mentions.graphml.gz")
    assert gzip.decompress(packed) == export("mentions.graphml")
    assert packed[4:8] == b"\0\0\0\0"
    assert export("mentions.graphml.gz") == packed


def test_dates_and_truths_of_a_frame_have_the_declared_types() -> None:
    keys = ("id", "label", "source", "target")
    for of in Of:
        graph = Graph(of, made.tables())
        for batches, columns in (
            (graph.nodes(), graph.node_columns),
            (graph.edges(), graph.edge_columns),
        ):
            for batch in batches:
                given = {n: t for n, t in batch.schema.items() if n not in keys}
                assert given == pl.Schema({name: columns[name] for name in given})
