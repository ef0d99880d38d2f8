"""Questions about ATC classes: how a class is told from a drug, and what is counted."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from drug_assets.document import questions
from drug_assets.document.questions import (
    Evidence,
    RelatedDrugs,
    UnknownClassError,
    UnknownDrugError,
    related_drugs,
    top_journals,
)
from drug_assets.document.writing import write_lines, write_names
from drug_assets_tests.support.raw import Row, listed_drug, mention, table, trial_publication

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from drug_assets.document.questions import Names
    from drug_assets.document.reading import Graph

PAIN = {"journal": "Pain", "journal_id": "pain"}
HEART = {"journal": "Heart", "journal_id": "heart"}
BLOOD = {"journal": "Blood", "journal_id": "blood"}

ASPIRIN = listed_drug("ASPIRIN", atc_codes=["B01AC06", "N02BA01"])
PARACETAMOL = listed_drug("PARACETAMOL", atc_codes=["N02BE01"])
CODEINE = listed_drug("CODEINE", atc_codes=["N02AA59", "R05DA04"])
WARFARIN = listed_drug("WARFARIN", atc_codes=["B01AA03"])
ZINC = listed_drug("ZINC", atc_codes=["A12CB"])
DRUGS = [ASPIRIN, PARACETAMOL, CODEINE, WARFARIN, ZINC]
MENTIONS = [
    mention("ASPIRIN", "1", **PAIN),
    mention("PARACETAMOL", "1", **PAIN),
    mention("CODEINE", "1", **PAIN),
    mention("ASPIRIN", "2", **HEART, retracted=True),
    mention("WARFARIN", "3", **HEART),
    mention("PARACETAMOL", "4", "clinical_trials", **HEART),
    mention("WARFARIN", "5", **BLOOD),
]


def opened(lines: Sequence[str]) -> Callable[[], io.BytesIO]:
    return lambda: io.BytesIO("".join(f"{line}\n" for line in lines).encode())


def documents(
    drugs: Sequence[Row] = DRUGS,
    mentions: Sequence[Row] = MENTIONS,
    ties: Sequence[Row] = (),
    graph_drugs: int | None = None,
) -> tuple[Graph, Names]:
    """A graph document, and what finds the document of names."""
    tables = table("drugs", *drugs), table("mentions", *mentions)
    graph = write_lines(*tables, table("trial_publications", *ties), graph_drugs)
    names = opened([line.decode() for line in write_names(*tables, graph_drugs)])
    return opened([line.decode() for line in graph]), lambda: names


GRAPH, NAMES = documents()


def linked(asked: str, graph: Graph = GRAPH, **options: Any) -> list[tuple[str, list[str]]]:
    return [(r.drug, r.journals) for r in related_drugs(graph, asked, **options).related]


def tops(code: str, graph: Graph = GRAPH, **options: Any) -> list[tuple[str, list[str]]]:
    return [(t.journal, t.drugs) for t in top_journals(graph, atc_class=code, **options)]


# Related drugs


def test_drugs_related_to_a_class_are_those_of_its_drugs_without_themselves() -> None:
    assert linked("N02B") == [("CODEINE", ["Pain"]), ("WARFARIN", ["Heart"])]
    assert linked("N02") == [("WARFARIN", ["Heart"])]
    assert linked("B01") == [("CODEINE", ["Pain"]), ("PARACETAMOL", ["Pain"])]
    assert linked("N02BA01") == linked("ASPIRIN")


def test_the_answer_names_the_class_and_its_drugs_that_are_mentioned() -> None:
    answer = related_drugs(GRAPH, "N02B")
    assert (answer.drug, answer.of_class) == ("N02B", ["ASPIRIN", "PARACETAMOL"])
    # In Heart, paracetamol is mentioned by a trial only.
    assert answer.evidence == Evidence(5, 1, 4)
    assert related_drugs(GRAPH, "ASPIRIN").of_class is None


@pytest.mark.parametrize("asked", ["n02b", " N02B ", "Ｎ０２Ｂ"])
def test_a_code_is_found_in_any_case(asked: str) -> None:
    assert related_drugs(GRAPH, asked) == related_drugs(GRAPH, "N02B")
    assert top_journals(GRAPH, atc_class=asked) == top_journals(GRAPH, atc_class="N02B")


def test_options_are_those_of_a_drug() -> None:
    assert linked("N02B", exclude_trial_journals=True) == [("CODEINE", ["Pain"])]
    assert linked("N02B", exclude_retracted=True) == [("CODEINE", ["Pain"])]


@pytest.mark.parametrize("limit", [None, 1])
def test_a_name_of_its_own_goes_before_a_code_and_a_code_before_a_synonym(
    limit: int | None,
) -> None:
    named = listed_drug("N02B", drug_id="x")
    synonym = listed_drug("OTHER", names=["N02B", "OTHER", "A99"])
    graph, names = documents([*DRUGS, synonym], graph_drugs=limit)
    assert related_drugs(graph, "n02b", names=names).of_class == ["ASPIRIN", "PARACETAMOL"]
    assert related_drugs(graph, "a99", names=names).drug == "OTHER"
    graph, names = documents([*DRUGS, synonym, named], graph_drugs=limit)
    for asked in ("N02B", "n02b"):
        answer = related_drugs(graph, asked, names=names)
        assert answer == RelatedDrugs("N02B", [], Evidence(0, 0, 0))
    # The drug of that name does not hide the class from a question about classes.
    assert tops("N02B", graph, names=names) == tops("N02B")


@pytest.mark.parametrize("limit", [None, 1])
def test_a_class_whose_drugs_nobody_mentions_has_an_empty_answer(limit: int | None) -> None:
    graph, names = documents(graph_drugs=limit)
    for code in ("A12CB", "A12", "A"):
        nothing = RelatedDrugs(code, [], Evidence(0, 0, 0), [])
        assert related_drugs(graph, code, names=names) == nothing
        assert top_journals(graph, names=names, atc_class=code) == []


@pytest.mark.parametrize("limit", [None, 1])
@pytest.mark.parametrize(
    ("asked", "close"),
    [
        ("N02C", ["N02A", "N02B", "N02", "N02AA", "N02BA"]),
        ("N02BE99", ["N02BE01", "N02BE", "N02BA01", "N02BA", "N02B"]),
        ("A03", ["A12", "A12C", "A", "A12CB"]),
        ("Z01", []),
    ],
)
def test_a_class_that_no_drug_is_of_is_an_error_with_close_codes(
    limit: int | None, asked: str, close: list[str]
) -> None:
    graph, names = documents(graph_drugs=limit)
    with pytest.raises(UnknownClassError) as of_class:
        top_journals(graph, names=names, atc_class=asked)
    assert (of_class.value.code, of_class.value.close_codes) == (asked, close)
    hint = f"close codes: {', '.join(close)}" if close else "no code begins like it"
    assert str(of_class.value) == f"no drug of the graph is of the ATC class {asked!r}; {hint}"
    with pytest.raises(UnknownDrugError) as of_drug:
        related_drugs(graph, asked, names=names)
    assert (of_drug.value.close_codes, of_drug.value.close_spellings) == (close, [])
    assert str(of_drug.value) == (
        f"no drug of the graph is named {asked!r}, and none is of that ATC class; {hint}; "
        "nor is any spelled like it"
    )


def test_a_name_like_a_code_has_close_spellings_too() -> None:
    graph, _ = documents([listed_drug("B12A", atc_codes=["B01"])], [])
    with pytest.raises(UnknownDrugError) as raised:
        related_drugs(graph, "B12")
    assert (raised.value.close_codes, raised.value.close_spellings) == (["B01", "B"], ["B12A"])
    assert str(raised.value).endswith("close codes: B01, B; close spellings: B12A")


@pytest.mark.parametrize("asked", ["", "ASPIRIN", "N02BA0", "N2", "N02BA01 N02BE01", "0"])
def test_what_has_not_the_form_of_a_code_is_no_class(asked: str) -> None:
    with pytest.raises(UnknownClassError) as raised:
        top_journals(GRAPH, atc_class=asked)
    assert raised.value.close_codes == []


def test_a_name_that_is_no_code_has_no_close_codes() -> None:
    with pytest.raises(UnknownDrugError) as raised:
        related_drugs(GRAPH, "N02BA0")
    assert (raised.value.close_codes, "ATC" in str(raised.value)) == ([], False)


def test_the_document_of_names_is_not_opened_for_a_class_of_the_graph() -> None:
    def never() -> None:
        pytest.fail("the document of names was looked for")

    assert top_journals(GRAPH, names=never, atc_class="N02B")


# Top journal


def test_only_drugs_of_the_class_count() -> None:
    both = ["ASPIRIN", "PARACETAMOL"]
    assert tops("N02B") == [("Heart", both), ("Pain", both)]
    assert tops("N02") == [("Pain", ["ASPIRIN", "CODEINE", "PARACETAMOL"])]
    assert tops("B01A") == [("Heart", ["ASPIRIN", "WARFARIN"])]
    assert tops("B01AA") == [("Blood", ["WARFARIN"]), ("Heart", ["WARFARIN"])]
    (top,) = top_journals(GRAPH, atc_class="N02")
    assert (top.atc_class, top.evidence) == ("N02", Evidence(3, 0, 3))
    assert {top.atc_class for top in top_journals(GRAPH)} == {None}
    assert tops("B01A", exclude_retracted=True) == [
        ("Blood", ["WARFARIN"]),
        ("Heart", ["WARFARIN"]),
        ("Pain", ["ASPIRIN"]),
    ]


def test_results_of_trials_count_for_a_class() -> None:
    trial = mention("PARACETAMOL", "NCT1", "clinical_trials", retracted=None)
    tie = trial_publication("NCT1", "6", **BLOOD)
    graph, _ = documents(mentions=[*MENTIONS, trial], ties=[tie])
    (top,) = top_journals(
        graph, atc_class="N02BE", with_trial_results=True, exclude_retracted=True
    )[:1]
    assert (top.journal, top.via) == ("Blood", {"PARACETAMOL": ["NCT1"]})
    assert ("WARFARIN", ["Blood", "Heart"]) in linked("N02B", graph, with_trial_results=True)
    assert ("WARFARIN", ["Heart"]) in linked("N02B", graph)


# Against the tables

CODES = ("A", "A04AD", "A04AD01", "B01AC06", "N02BA01", "N02BE01", "N02B")
ASKED = ("A", "A04AD", "N", "N02B", "N02BA", "B01AC06")


@pytest.mark.slow
@settings(max_examples=60, deadline=None)
@given(
    codes=st.lists(
        st.lists(st.sampled_from(CODES), unique=True, max_size=3), min_size=1, max_size=6
    ),
    mentioned=st.lists(
        st.tuples(
            st.integers(0, 5),
            st.integers(0, 4),
            st.sampled_from(["pubmed", "pubmed", "clinical_trials"]),
            st.sampled_from(["Pain", "Heart", "Blood", None]),
        ),
        unique_by=lambda m: m[:3],
        max_size=14,
    ),
    asked=st.sampled_from(ASKED),
    limit=st.sampled_from([None, 2]),
    exclude=st.booleans(),
)
def test_answers_are_those_of_the_tables(
    codes: list[list[str]],
    mentioned: list[tuple[int, int, str, str | None]],
    asked: str,
    limit: int | None,
    exclude: bool,
) -> None:
    drugs = [listed_drug(f"DRUG {n}", atc_codes=sorted(held)) for n, held in enumerate(codes)]
    mentions = [
        mention(
            f"DRUG {drug}",
            str(publication),
            source,
            journal=journal,
            journal_id=journal and journal.lower(),
        )
        for drug, publication, source, journal in mentioned
        if drug < len(drugs)
    ]
    graph, names = documents(drugs, mentions, graph_drugs=limit)
    index = questions.Index(graph, names)
    listed, found = table("drugs", *drugs).collect(), table("mentions", *mentions).collect()
    begins = pl.element().str.starts_with(asked)
    of_class = listed.filter(pl.col("atc_codes").list.eval(begins).list.any())["drug"].to_list()
    if not of_class:
        with pytest.raises(UnknownClassError):
            index.top_journals(asked)
        with pytest.raises(UnknownDrugError):
            index.related_drugs(asked)
        return
    # A class stands for all its drugs together, and they are not among the answers.
    answer = index.related_drugs(asked, exclude_trial_journals=exclude)
    is_of_class, in_journal = pl.col("drug").is_in(of_class), pl.col("journal").is_not_null()
    pubmed = found.filter(in_journal & (pl.col("source") == "pubmed"))
    trials = found.filter(is_of_class & (pl.col("source") == "clinical_trials"))
    theirs = pubmed.filter(is_of_class)
    journals = set(theirs["journal"]) - (set(trials["journal"]) if exclude else set())
    others = pubmed.filter(~is_of_class & pl.col("journal").is_in(journals))
    linking = others.group_by("drug").agg(pl.col("journal").unique().sort()).sort("drug")
    ranked = sorted(linking.rows(), key=lambda row: -len(row[1]))
    assert [(r.drug, r.journals) for r in answer.related] == ranked
    assert answer.of_class == sorted({*theirs["drug"]})
    if not exclude:
        union: dict[str, set[str]] = {}
        for drug in of_class:
            for related in index.related_drugs(drug).related:
                if related.drug not in of_class:
                    union.setdefault(related.drug, set()).update(related.journals)
        assert {drug: sorted(union[drug]) for drug in sorted(union)} == dict(linking.rows())
    counted = (
        found.filter(is_of_class & in_journal)
        .group_by("journal")
        .agg(pl.col("drug").unique().sort(), mentions=pl.len())
        .filter((count := pl.col("drug").list.len()) == count.max())
        .sort("journal")
    )
    assert [(t.journal, t.drugs, t.mentions) for t in index.top_journals(asked)] == counted.rows()
