from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from drug_assets_tests.support.raw import pubmed_rows
from drug_assets_tests.support.registry import PUBMED

if TYPE_CHECKING:
    from collections.abc import Callable

#: Types as PubMed names them, those with a comma or an apostrophe among them.
TYPES = (
    "Journal Article",
    "Review",
    "Clinical Trial, Phase III",
    "Randomized Controlled Trial, Veterinary",
    "Research Support, N.I.H., Extramural",
    "Research Support, Non-U.S. Gov't",
    "Research Support, U.S. Gov't, Non-P.H.S.",
    "Retracted Publication",
    "Retraction of Publication",
    "Published Erratum",
)


def _as_objects(types: list[str]) -> list[dict[str, str]]:
    return [{"UI": f"D{n:06}", "name": kind} for n, kind in enumerate(types)]


#: Ways to write a list of types, by who writes them so.
WRITTEN: dict[str, Callable[[list[str]], str]] = {
    "raw tables": "|".join,
    "PubMed's exports": "; ".join,
    "spreadsheets": ", ".join,
    "cells of several lines": "\n".join,
    "JSON": json.dumps,
    "Python": repr,
    "numpy": lambda types: "[" + " ".join(map(repr, types)) + "]",
    "numpy with commas": lambda types: f"array({types!r}, dtype=object)",
    "a dictionary of MeSH ids": lambda types: repr(
        {f"D{n:06}": kind for n, kind in enumerate(types)}
    ),
    "objects in JSON": lambda types: json.dumps(_as_objects(types)),
    "objects in Python": lambda types: repr(_as_objects(types)),
    "cells with tabs": "\t".join,
    "bullets": " • ".join,
    "slashes": " / ".join,
    "R": lambda types: f"c({', '.join(json.dumps(kind) for kind in types)})",
    "Java": lambda types: f"[{', '.join(types)}]",
    "pubmed_parser": lambda types: "; ".join(f"D016428:{kind}" for kind in types),
    "with blanks": lambda types: " | ".join(types) + " | ",
}


def cleaned(**fields: str | None) -> dict[str, object]:
    """A record of these raw fields."""
    row = {"id": "1", "title": "RETRACTED: On beta", **fields}
    return PUBMED.clean_records(pubmed_rows(row)).collect().row(0, named=True)


def retracted(**fields: str | None) -> object:
    return cleaned(**fields)["retracted"]


@pytest.mark.slow
@settings(max_examples=15, deadline=None)
@given(types=st.lists(st.sampled_from(TYPES), min_size=1, max_size=4, unique=True))
def test_types_are_the_same_however_their_list_is_written(types: list[str]) -> None:
    rows = [{"title": "T", "publication_types": write(types)} for write in WRITTEN.values()]
    records = PUBMED.clean_records(pubmed_rows(*rows)).collect()
    split = dict(zip(WRITTEN, records["publication_types"].to_list(), strict=True))
    assert split == dict.fromkeys(WRITTEN, types)
    assert set(records["retracted"]) == {"Retracted Publication" in types}


@pytest.mark.parametrize(
    "types",
    [
        "Retracted Publication",
        "retracted publication",
        "RETRACTED PUBLICATION",
        "research-article; retracted-article",
        "Article; Retracted",
        "D016441",
        "D016428;D016441",
        "D016441: Retracted Publication",
        "RetractedPublication",
        "Journal Article, Retracted Publication.",
    ],
)
def test_a_type_that_calls_the_publication_retracted_tells(types: str) -> None:
    assert retracted(publication_types=types) is True


@pytest.mark.parametrize(
    "types",
    [
        "Retraction of Publication",
        "Retraction of Publication|Published Erratum",
        "Letter on a Retracted Publication",
        "Unretracted Publication",
        "Journal Article",
        "D016440",
    ],
)
def test_other_types_do_not(types: str) -> None:
    assert retracted(publication_types=types) is False


@pytest.mark.parametrize(
    ("corrections", "expected"),
    [
        ("RetractionIn 123", True),
        ("ErratumIn 7|RetractionIn", True),
        ("RetractedandRepublishedIn 9", True),
        ("RetractionOf 5", False),
        ("ExpressionOfConcernIn 8|ErratumIn 7", False),
        ("PartialRetractionIn 8", False),
        ("RetractedandRepublishedFrom 9", False),
        ("CommentIn 3", False),
        ("ErratumIn 7; RetractionIn 8", True),
        ("Erratum in, Retraction in", True),
        ("Retraction in: Foo. 2020;5:3", True),
        ("Retraction of: Foo. 2020;5:3", False),
    ],
)
def test_a_correction_that_retracts_it_tells_without_a_type(
    corrections: str, expected: bool
) -> None:
    assert retracted(corrections=corrections) is expected
    assert retracted(corrections=corrections, publication_types="Journal Article") is expected


def test_corrections_and_expressions_of_concern_are_kept() -> None:
    given = "ErratumIn 7| ExpressionOfConcernIn 8 ||CommentIn"
    assert cleaned(corrections=given)["corrections"] == [
        "ErratumIn 7",
        "ExpressionOfConcernIn 8",
        "CommentIn",
    ]


@pytest.mark.parametrize("nothing", [None, "", " ", "|", "[]", "; "])
def test_where_nothing_is_said_nothing_is_known(nothing: str | None) -> None:
    record = cleaned(publication_types=nothing, corrections=nothing and nothing.strip("[];"))
    assert (record["retracted"], record["publication_types"]) == (None, [])
