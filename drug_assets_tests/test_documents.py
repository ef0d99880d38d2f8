"""The documents that a run writes: how each is made, and which of its lines are elements."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from drug_assets.documents import DOCUMENTS, EXPLORER, EXPORTS, GRAPH, NAMES, Document
from drug_assets.settings import Settings
from drug_assets.sources.tables import TABLES
from drug_assets_tests.support.raw import Row, listed_drug, mention, table

if TYPE_CHECKING:
    from collections.abc import Mapping


def test_every_document_is_found_by_its_name() -> None:
    assert DOCUMENTS == {
        "drug_graph": GRAPH,
        "unmentioned_drugs": NAMES,
        "explorer": EXPLORER,
        "exports": EXPORTS,
    }


def lines_of(document: Document, rows: Mapping[str, list[Row]], **choices: int) -> list[bytes]:
    tables = {name: table(name, *rows.get(name, ())) for name in document.tables}
    lines = document.lines(**tables, **choices)
    return [line.encode() if isinstance(line, str) else line for line in lines]


@pytest.mark.parametrize("document", DOCUMENTS.values(), ids=DOCUMENTS)
def test_what_decides_a_document_is_a_setting_that_counts_for_the_rules(document: Document) -> None:
    assert {*document.choices} <= {*Settings().choices}


def test_graph_and_names_hold_every_drug_once() -> None:
    drugs = [listed_drug(name) for name in ("Beta", "Gamma", "Delta")]
    rows = {"drugs": drugs, "mentions": [mention("Beta")]}

    def held(document: Document, graph_drugs: int) -> list[str]:
        lines = lines_of(document, rows, graph_drugs=graph_drugs)
        return [drug["drug"] for drug in json.loads(b"".join(lines))]

    assert (held(GRAPH, 3), held(NAMES, 3)) == (["Beta", "Delta", "Gamma"], [])
    assert (held(GRAPH, 2), held(NAMES, 2)) == (["Beta"], ["Delta", "Gamma"])


def test_the_names_are_json_with_a_schema_under_the_name_of_the_specification() -> None:
    assert (NAMES.file, NAMES.kind) == ("names.json", "json")
    assert NAMES.schema is not None
    assert NAMES.schema()["type"] == "array"


def test_the_graph_is_made_of_the_tables_that_it_names() -> None:
    assert set(GRAPH.tables) <= set(TABLES)
    rows = {"drugs": [listed_drug("Beta")], "mentions": [mention("Beta")]}
    (beta,) = json.loads(b"".join(lines_of(GRAPH, rows)))
    assert (beta["drug"], len(beta["mentions"])) == ("Beta", 1)


def test_only_drugs_are_elements_of_the_graph() -> None:
    drugs = [listed_drug("Beta"), listed_drug("Gamma")]
    lines = lines_of(GRAPH, {"drugs": drugs})
    is_element = GRAPH.is_element
    assert is_element is not None
    elements = [line for line in lines if is_element(line)]
    assert [json.loads(line.rstrip(b","))["drug"] for line in elements] == ["Beta", "Gamma"]
    assert len(lines) == 4


def test_the_graph_is_json_with_a_schema_under_the_name_of_the_specification() -> None:
    assert (GRAPH.file, GRAPH.kind) == ("graph.json", "json")
    assert GRAPH.schema is not None
    assert GRAPH.schema()["type"] == "array"
