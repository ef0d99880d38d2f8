"""Both questions in brief: the tables give the same answers as the graph document."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from drug_assets.answers import in_brief
from drug_assets.document import questions
from drug_assets.document.writing import write_lines
from drug_assets.graph import count_journal_drugs, find_top_journals
from drug_assets_tests.answers.test_mentions import HEART, NOWHERE, mention
from drug_assets_tests.support.tables import TablesInMemory, rows_of

if TYPE_CHECKING:
    from pathlib import Path


#: Two names differ in marks alone: these drugs are asked for together.
DRUGS = {"a": "Zinc", "b": "Zinc™", "c": "ácid", "d": "beta", "e": "Unnamed"}
JOURNALS: list[dict[str, Any]] = [{}, HEART, NOWHERE, {"journal": "Skin", "journal_id": "skin"}]

mentions = st.lists(
    st.tuples(
        st.sampled_from(sorted(DRUGS)[:-1]),
        st.integers(0, 6),
        st.sampled_from(["pubmed", "clinical_trials"]),
        st.sampled_from([True, False, None]),
    ),
    unique_by=lambda one: one[:3],
)


@pytest.mark.slow
@settings(max_examples=60, deadline=None)
@given(mentions)
def test_the_answers_are_those_of_the_graph_document(
    tmp_path_factory: pytest.TempPathFactory, of_drugs: list[tuple[str, int, str, bool | None]]
) -> None:
    rows = [
        mention(
            DRUGS[drug],
            str(number),
            "2003-05-12",
            source=source,
            retracted=retracted if source == "pubmed" else None,
            **{"drug_id": drug, **JOURNALS[number % len(JOURNALS)]},
        )
        for drug, number, source, retracted in of_drugs
    ]
    found = rows_of("mentions", rows).sort("drug_id", "source", "publication_id")
    drugs = rows_of(
        "drugs", [{"drug_id": id_, "drug": drug, "names": [drug]} for id_, drug in DRUGS.items()]
    )
    pairs = count_journal_drugs(found.lazy()).collect()
    tables = TablesInMemory(
        mentions=found,
        drugs=drugs,
        journal_drugs=pairs,
        top_journal=find_top_journals(pairs.lazy()).collect(),
    )
    ties = rows_of("trial_publications", []).lazy()
    graph: Path = tmp_path_factory.mktemp("graph") / "graph.json"
    graph.write_bytes(b"\n".join(write_lines(drugs.lazy(), found.lazy(), ties)))
    index = questions.Index(graph)
    assert in_brief.count_journals(tables) == index.count_journals()
    expected = index.top_journals()
    top = in_brief.find_top_journals(tables)
    assert (top is None) is (not expected)
    if top is None:
        return
    assert top.journals == [answer.journal for answer in expected]
    assert (top.drug_count, top.drug) == (expected[0].drug_count, expected[0].drugs[0])
    assert top.evidence == questions.add_evidence(answer.evidence for answer in expected)
    answer = index.related_drugs(top.drug)
    assert in_brief.find_related_drugs(tables, top.drug) == (
        answer.drug,
        [related.drug for related in answer.related],
        answer.evidence,
    )
