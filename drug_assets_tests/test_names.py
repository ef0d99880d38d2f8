"""The document of names: which drugs it holds, and how questions use it (SPEC 5 and 6)."""

from __future__ import annotations

import io
import json
from difflib import get_close_matches
from importlib import resources
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from drug_assets.document import questions, schema, writing
from drug_assets.document.questions import UnknownDrugError, related_drugs
from drug_assets.document.reading import NotAGraphError, read_drugs
from drug_assets.document.writing import write_lines, write_names
from drug_assets_tests.support.raw import Row, listed_drug, mention, table

if TYPE_CHECKING:
    from collections.abc import Callable

    from drug_assets.document.questions import RelatedDrugs

NO_TIES = table("trial_publications")
PAIN = {"journal": "Pain", "journal_id": "pain"}
ALPHA = listed_drug("Alpha", names=["Alpha", "a-1"], atc_codes=["A04AD"])
BETA, GAMMA, ETA = (listed_drug(name) for name in ("Beta", "Gamma", "Éta"))


def lines_of(
    drugs: list[Row], mentions: list[Row], graph_drugs: int
) -> tuple[list[str], list[str]]:
    """The lines of the graph document and of the document of names."""
    tables = table("drugs", *drugs), table("mentions", *mentions)
    graph = write_lines(*tables, NO_TIES, graph_drugs=graph_drugs)
    names = write_names(*tables, graph_drugs=graph_drugs)
    return [line.decode() for line in graph], [line.decode() for line in names]


def documents(
    drugs: list[Row], mentions: list[Row], graph_drugs: int
) -> tuple[list[Row], list[Row]]:
    """The graph document and the document of names, parsed."""
    graph, names = ("\n".join(lines) for lines in lines_of(drugs, mentions, graph_drugs))
    return json.loads(graph), json.loads(names)


def opened(lines: list[str]) -> Callable[[], io.BytesIO]:
    return lambda: io.BytesIO("".join(f"{line}\n" for line in lines).encode())


# What it holds


def test_a_list_within_the_limit_is_whole_in_the_graph() -> None:
    graph, names = documents([ALPHA, BETA, GAMMA], [mention("Beta")], graph_drugs=3)
    assert [drug["drug"] for drug in graph] == ["Alpha", "Beta", "Gamma"]
    assert names == []


def test_of_a_longer_list_only_what_titles_name_is_in_the_graph() -> None:
    graph, names = documents([GAMMA, ALPHA, BETA], [mention("Beta")], graph_drugs=2)
    assert [drug["drug"] for drug in graph] == ["Beta"]
    assert names == [
        {"drug_id": "alpha", "drug": "Alpha", "names": ["Alpha", "a-1"], "atc_codes": ["A04AD"]},
        {"drug_id": "gamma", "drug": "Gamma", "names": ["Gamma"], "atc_codes": []},
    ]


def test_titles_that_name_more_drugs_than_the_limit_leave_none_out() -> None:
    graph, names = documents([ALPHA, BETA], [mention("Alpha"), mention("Beta")], graph_drugs=1)
    assert ([drug["drug"] for drug in graph], names) == (["Alpha", "Beta"], [])


def test_each_drug_has_a_line_and_no_batch_shows(monkeypatch: pytest.MonkeyPatch) -> None:
    _, whole = lines_of([ALPHA, BETA, GAMMA, ETA], [], graph_drugs=1)
    assert (whole[0], whole[-1], len(whole)) == ("[", "]", 6)
    for rows in (1, 2, 3):
        monkeypatch.setattr(writing, "BATCH_NAMES", rows)
        assert lines_of([ALPHA, BETA, GAMMA, ETA], [], graph_drugs=1)[1] == whole
    read = list(read_drugs(opened(whole), schema.ListedDrug))
    assert [drug.drug for drug in read] == ["Alpha", "Beta", "Gamma", "Éta"]


def test_both_documents_are_well_formed_where_nothing_is_in_them() -> None:
    assert lines_of([], [], graph_drugs=1) == (["[", "]"], ["[", "]"])
    graph, names = lines_of([ALPHA, BETA], [], graph_drugs=1)
    assert (graph, len(names)) == (["[", "]"], 4)


@pytest.mark.parametrize("member", schema.ListedDrug.__struct_fields__)
def test_every_member_is_wanted(member: str) -> None:
    _, (drug, _) = documents([ALPHA, BETA], [], graph_drugs=1)
    del drug[member]
    with pytest.raises(NotAGraphError) as raised:
        list(read_drugs(opened(["[", json.dumps(drug), "]"]), schema.ListedDrug))
    told = str(raised.value)
    assert told.startswith("the document of names is not a document of names: line 2: ")
    assert f"`{member}`" in told


def test_no_other_member_is_allowed() -> None:
    _, (drug, _) = documents([ALPHA, BETA], [], graph_drugs=1)
    changed = json.dumps({**drug, "mentions": [], "journals": []})
    with pytest.raises(NotAGraphError, match="unknown field"):
        list(read_drugs(opened(["[", changed, "]"]), schema.ListedDrug))


def test_the_schema_for_readers_elsewhere_is_that_of_the_declaration() -> None:
    written = resources.files("drug_assets.document").joinpath("names.schema.json")
    declared = schema.names_json_schema()
    assert written.read_text("utf-8") == json.dumps(declared, indent=2, ensure_ascii=False) + "\n"
    (of_drug,) = declared["$defs"].values()
    assert [*of_drug["properties"]] == of_drug["required"]
    assert of_drug["additionalProperties"] is False


# How questions use it


def test_a_drug_that_is_only_there_is_known_and_not_mentioned() -> None:
    graph, names = lines_of([ALPHA, BETA], [mention("Beta", **PAIN)], graph_drugs=1)
    for name in ("Alpha", "ALPHA", " a-1", "alpha®"):
        answer = related_drugs(opened(graph), name, names=lambda: opened(names))
        assert answer == questions.RelatedDrugs("Alpha", [], questions.Evidence(0, 0, 0))


@pytest.mark.parametrize("without", [None, lambda: None])
def test_without_it_the_drug_is_unknown(without: Callable[[], None] | None) -> None:
    graph, _ = lines_of([ALPHA, BETA], [mention("Beta", **PAIN)], graph_drugs=1)
    with pytest.raises(UnknownDrugError):
        related_drugs(opened(graph), "Alpha", names=without)


def test_it_is_not_opened_for_a_drug_of_the_graph() -> None:
    def never() -> None:
        pytest.fail("the document of names was looked for")

    graph, _ = lines_of([ALPHA, BETA], [mention("Beta", **PAIN)], graph_drugs=1)
    assert related_drugs(opened(graph), "beta", names=never).drug == "Beta"
    assert questions.Index(opened(graph), never).top_journals()[0].drugs == ["Beta"]


def test_close_spellings_come_from_both_documents() -> None:
    drugs = [listed_drug(name) for name in ("Cortisone", "Cortisol", "Cortisene", "Zinc")]
    graph, names = lines_of(drugs, [mention("Cortisone", **PAIN)], graph_drugs=1)
    with pytest.raises(UnknownDrugError) as raised:
        related_drugs(opened(graph), "cortison", names=lambda: opened(names))
    assert raised.value.close_spellings == ["Cortisone", "Cortisol", "Cortisene"]


def test_a_damaged_document_is_told_with_its_line() -> None:
    graph, names = lines_of([ALPHA, BETA], [mention("Beta", **PAIN)], graph_drugs=1)
    names[1] = names[1].replace('"drug":', '"dru":')
    with pytest.raises(NotAGraphError, match="line 2: expected a drug of the document of names"):
        related_drugs(opened(graph), "zzz", names=lambda: opened(names))


WORDS = st.lists(st.text("abé", min_size=1, max_size=4), min_size=1, max_size=3)
LISTS = st.lists(WORDS, min_size=1, max_size=6, unique_by=lambda words: words[0])


@pytest.mark.slow
@settings(max_examples=60, deadline=None)
@given(
    LISTS, st.lists(st.integers(0, 5), max_size=3), st.integers(1, 6), st.text("abé", min_size=1)
)
def test_answers_do_not_depend_on_the_limit(
    listed: list[list[str]], mentioned: list[int], graph_drugs: int, asked: str
) -> None:
    names = [word for words in listed for word in words]
    drugs = [
        listed_drug(words[0], drug_id=f"D{n}", names=sorted({*words}))
        for n, words in enumerate(listed)
    ]
    mentions = [
        mention(listed[n % len(listed)][0], str(number), drug_id=f"D{n % len(listed)}", **PAIN)
        for number, n in enumerate(mentioned)
    ]

    def answers(limit: int) -> list[RelatedDrugs | list[str]]:
        graph, left_out = lines_of(drugs, mentions, limit)
        index = questions.Index(opened(graph), lambda: opened(left_out))
        return [answer(index, name) for name in (asked, *names)]

    def answer(index: questions.Index, name: str) -> RelatedDrugs | list[str]:
        try:
            return index.related_drugs(name)
        except UnknownDrugError as error:
            return [spelling.casefold() for spelling in error.close_spellings]

    assert answers(graph_drugs) == answers(len(drugs))


@settings(max_examples=60, deadline=None)
@given(st.lists(st.text("abcd", min_size=1, max_size=8), max_size=40), st.text("abcd", min_size=1))
def test_spellings_are_compared_in_batches_as_at_once(spellings: list[str], asked: str) -> None:
    at_once = get_close_matches(asked, dict.fromkeys(spellings), questions.CLOSE_SPELLINGS)
    for rows in (1, 3, 100):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(questions, "_BATCH_SPELLINGS", rows)
            pairs: Any = ((spelling, spelling) for spelling in spellings)
            assert questions._find_close_spellings(asked, pairs) == at_once
