"""Trials and their publications: ties from both sides, and what becomes of them in a whole run."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from drug_assets import sources
from drug_assets.references import find_trial_publications
from drug_assets.sources.tables import TABLES
from drug_assets.terms import TRIAL_ID, TRIAL_ID_SIGN, TrialPublicationKind
from drug_assets_tests.support import runs
from drug_assets_tests.support.commands import as_object, told
from drug_assets_tests.support.raw import Row, held_to, pubmed_rows, table, trial_rows
from drug_assets_tests.support.registry import CLINICAL_TRIALS, PUBMED

if TYPE_CHECKING:
    from pathlib import Path

    from drug_assets.sources import PublicationSource

CONTRACT = TABLES["trial_publications"].contract
REFERENCES = {"result": "result_pmids", "derived": "derived_pmids", "background": "reference_pmids"}


def article(publication_id: str, *trial_ids: str) -> Row:
    """A row of `pubmed`."""
    title = f"On {publication_id}"
    return {"publication_id": publication_id, "title": title, "trial_ids": [*trial_ids]}


def trial(publication_id: str, **pmids: list[str]) -> Row:
    """A row of `clinical_trials`, with lists of references by kind."""
    lists = {column: pmids.get(kind, []) for kind, column in REFERENCES.items()}
    # All that a trial refers to is among its references.
    every = [pmid for listed in pmids.values() for pmid in listed]
    lists["reference_pmids"] = list(dict.fromkeys(every))
    return {"publication_id": publication_id, "title": f"On {publication_id}", **lists}


def tied(trials: list[Row], articles: list[Row]) -> list[Row]:
    found = find_trial_publications(
        {"clinical_trials": table("clinical_trials", *trials), "pubmed": table("pubmed", *articles)}
    )
    return held_to(CONTRACT, found).to_dicts()


def in_brief(rows: list[Row]) -> list[tuple[Any, ...]]:
    return [
        (
            *(row["trial_id"], row["publication_id"], row["kind"], row["given_by"]),
            *(row["trial_in_store"], row["publication_in_store"]),
        )
        for row in rows
    ]


def test_the_registry_tells_results_from_background() -> None:
    trials = [trial("NCT1", result=["1"], derived=["2"], background=["3"])]
    found = tied(trials, [article("1"), article("2"), article("3")])
    assert in_brief(found) == [
        ("NCT1", "1", "result", "trial", True, True),
        ("NCT1", "2", "derived", "trial", True, True),
        ("NCT1", "3", "background", "trial", True, True),
    ]


def test_a_publication_of_several_kinds_has_the_first() -> None:
    trials = [trial("NCT1", result=["1"], derived=["1", "2"], background=["1", "2"])]
    found = in_brief(tied(trials, [article("1", "NCT1"), article("2")]))
    assert [row[1:4] for row in found] == [("1", "result", "both"), ("2", "derived", "trial")]


def test_a_publication_that_names_a_trial_ties_back() -> None:
    found = tied([trial("NCT1")], [article("1", "NCT1", "NCT1")])
    assert in_brief(found) == [("NCT1", "1", "named", "publication", True, True)]


def test_references_that_lead_out_of_the_store_are_kept_and_marked() -> None:
    found = tied([trial("NCT1", result=["8"])], [article("1", "NCT9")])
    assert in_brief(found) == [
        ("NCT1", "8", "result", "trial", True, False),
        ("NCT9", "1", "named", "publication", False, True),
    ]
    assert [row["title"] for row in found] == [None, "On 1"]


def test_the_publication_is_described_as_its_table_does() -> None:
    known = {"journal": "Heart", "journal_id": "heart", "retracted": True}
    (row,) = tied([trial("NCT1", result=["1"])], [{**article("1"), **known}])
    assert {name: row[name] for name in known} == known


def test_without_references_there_is_nothing() -> None:
    assert tied([trial("NCT1")], [article("1")]) == tied([], []) == []


IDS = st.lists(st.sampled_from("123"), max_size=3)
TRIALS = st.lists(
    st.builds(
        trial,
        st.sampled_from(["NCT1", "NCT2"]),
        result=IDS,
        derived=IDS,
        background=IDS,
    ),
    max_size=2,
    unique_by=lambda row: row["publication_id"],
)
ARTICLES = st.lists(
    st.builds(
        lambda key, ids: article(key, *ids),
        st.sampled_from("123"),
        st.lists(st.sampled_from(["NCT1", "NCT2", "NCT3"]), max_size=3),
    ),
    max_size=3,
    unique_by=lambda row: row["publication_id"],
)


@pytest.mark.slow
@settings(max_examples=50, deadline=None)
@given(TRIALS, ARTICLES, st.randoms(use_true_random=False))
def test_ties_are_those_of_a_plain_reference_in_any_order(
    trials: list[Row], articles: list[Row], random: Any
) -> None:
    kinds: dict[tuple[str, str], list[str]] = {}
    for row in trials:
        for kind, column in REFERENCES.items():
            for pmid in row[column]:
                kinds.setdefault((row["publication_id"], pmid), []).append(kind)
    named = {(trial_id, row["publication_id"]) for row in articles for trial_id in row["trial_ids"]}
    trial_ids = {row["publication_id"] for row in trials}
    pmids = {row["publication_id"] for row in articles}
    expected = [
        (
            *pair,
            next((k.value for k in TrialPublicationKind if k in kinds.get(pair, ())), "named"),
            "publication" if pair not in kinds else "both" if pair in named else "trial",
            pair[0] in trial_ids,
            pair[1] in pmids,
        )
        for pair in sorted({*kinds, *named})
    ]
    shuffled = random.sample(trials, len(trials)), random.sample(articles, len(articles))
    assert in_brief(tied(*shuffled)) == expected


# The ids of records


@pytest.mark.parametrize(
    "text",
    [
        *("NCT01234567", "ISRCTN12345678", "ACTRN12605000123606", "DRKS00012345", "UMIN000012345"),
        *("EUCTR2004-001234-12-DE", "2012-001234-12", "2022-500024-30-00", "ChiCTR2000029308"),
        *("ChiCTR-TRC-08000049", "CTRI/2014/05/004629", "IRCT20151226025699N1", "jRCTs031180345"),
        *(
            "KCT0001234",
            "NTR1234",
            "PACTR201402000722115",
            "RBR-7t7b4c",
            "PER-013-11",
            "TCTR20150212001",
        ),
        *("RPCEC00000123", "SLCTR/2012/003", "JapicCTI-132054", "LBCTR2019020220", "nct01234567"),
    ],
)
def test_ids_of_every_registry_are_told_in_a_title(text: str) -> None:
    raw = pubmed_rows({"title": f"A trial ({text}): results, 2012."}, {"title": f"x{text} is none"})
    records = PUBMED.clean_records(raw).collect()
    canonical = pl.select(CLINICAL_TRIALS.canonical_id(pl.lit(text))).item()
    assert records["trial_ids"].to_list() == [[canonical], []]


@pytest.mark.parametrize(
    "title", ["12345678", "2012-2013", "NCT 12", "NCT012345678", "phase 2b-3", "CTRI", "", None]
)
def test_other_numbers_are_no_ids(title: str | None) -> None:
    records = PUBMED.clean_records(pubmed_rows({"title": title})).collect()
    assert records["trial_ids"].to_list() == [[]]


@pytest.mark.slow
@given(st.from_regex(re.compile(TRIAL_ID, re.ASCII), fullmatch=True))
@settings(max_examples=100)
def test_whatever_is_a_trial_id_has_the_sign_of_one(text: str) -> None:
    assert re.search(TRIAL_ID_SIGN, text)


def test_ids_of_the_record_come_before_those_of_the_title_each_once() -> None:
    row = {"title": "On NCT00000002 and nct00000001", "trial_ids": "NCT00000003| NCT00000001 ||"}
    records = PUBMED.clean_records(pubmed_rows(row)).collect()
    (ids,) = records["trial_ids"].to_list()
    assert ids == ["NCT00000003", "NCT00000001", "NCT00000002"]


def test_references_of_a_trial_are_listed_by_kind() -> None:
    rows = {"title": "On", "reference_pmids": "1|2 |1|", "result_pmids": "2", "derived_pmids": None}
    records = CLINICAL_TRIALS.clean_records(trial_rows(rows)).collect()
    found = records.select("reference_pmids", "result_pmids", "derived_pmids").row(0)
    assert found == (["1", "2"], ["2"], [])


@pytest.mark.parametrize(
    "listed", ["1|2", "1; 2", "1,2", "1 2", "1\n2", "[1, 2]", "['1', '2']", "PMID: 1; PMID: 2.0"]
)
def test_pubmed_ids_may_be_listed_in_any_way(listed: str) -> None:
    records = CLINICAL_TRIALS.clean_records(trial_rows({"title": "On", "result_pmids": listed}))
    assert records.collect()["result_pmids"].to_list() == [["1", "2"]]


@pytest.mark.parametrize(
    "listed", ["{}|{}", "{}; {}", "{},{}", "{}\n{}", "['{}', '{}']", '["{}","{}"]']
)
def test_ids_of_trials_may_be_listed_in_any_way(listed: str) -> None:
    ids = ["NCT00000001", "2010-012345-12"]
    written = listed.format("nct 00000001", "EudraCT 2010-012345-12")
    records = PUBMED.clean_records(pubmed_rows({"title": "On", "trial_ids": written})).collect()
    assert records["trial_ids"].to_list() == [ids]


@pytest.mark.parametrize("source", sources.PUBLICATIONS, ids=lambda source: source.name)
def test_references_lead_from_trials_to_publications_or_back(source: PublicationSource) -> None:
    names = {each.name: each for each in sources.PUBLICATIONS}
    for reference in source.references:
        other = names[reference.to]
        assert (source in sources.TRIALS) != (other in sources.TRIALS)
        assert (reference.kind == "named") == (other in sources.TRIALS)
        own = source.contracts()
        for contract in (own.raw, own.records, own.cleaned):
            assert reference.column in contract.column_names()


def test_the_pattern_of_ids_has_no_groups_that_capture() -> None:
    assert re.compile(TRIAL_ID).groups == 0


# A whole run


LANDED = {
    "drugs.csv": "atccode,drug\nA01AD05,ASPIRIN\nN02BE01,PARACETAMOL\n",
    "pubmed.csv": (
        "id,title,date,journal,trial_ids\n"
        "1,Results of the HEARTY study,2021-03-01,Heart,\n"
        "2,Paracetamol in pain (NCT00000001),2020-01-01,Pain,\n"
        "3,Methods of the HEARTY study,2018-01-01,Methods,NCT00000001|NCT00000009\n"
        "4,Aspirin in hearts,2010-01-01,Blood,\n"
    ),
    "clinical_trials.csv": (
        "id,scientific_title,date,reference_pmids,result_pmids\n"
        "NCT00000001,Aspirin in the HEARTY study,2019-01-01,1|4|77,1\n"
        "NCT00000002,A trial of nothing,2019-01-01,,\n"
    ),
}


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> runs.Run:
    folder: Path = tmp_path_factory.mktemp("ties")
    ended = runs.run(runs.landing_zone(folder / "landing", LANDED), folder / "store")
    assert ended.succeeded, ended.report
    return ended


@pytest.mark.slow
def test_a_run_ties_a_trial_to_its_publications(run: runs.Run) -> None:
    assert in_brief(run.table("trial_publications").to_dicts()) == [
        ("NCT00000001", "1", "result", "trial", True, True),
        ("NCT00000001", "2", "named", "publication", True, True),
        ("NCT00000001", "3", "named", "publication", True, True),
        ("NCT00000001", "4", "background", "trial", True, True),
        ("NCT00000001", "77", "background", "trial", True, False),
        ("NCT00000009", "3", "named", "publication", False, True),
    ]
    assert "few_dangle: 2 of 6 references lead out of the store" in run.report


@pytest.mark.slow
def test_a_run_answers_with_the_results_of_trials(run: runs.Run) -> None:
    graph = ("--graph", run.graph)
    assert told("top-journal", *graph)[0].startswith("Blood: 1 drug")
    lines = told("top-journal", "--with-trial-results", *graph)
    assert lines == [
        "Blood: 1 drug (ASPIRIN)",
        "Heart: 1 drug (ASPIRIN via NCT00000001)",
        "Pain: 1 drug (PARACETAMOL)",
    ]
    flags = ("--with-trial-results", *graph)
    answers = as_object("top-journal", *flags)
    assert [answer["via"] for answer in answers] == [{}, {"ASPIRIN": ["NCT00000001"]}, {}]
    assert not any("via" in answer for answer in as_object("top-journal", *graph))
    assert as_object("related-drugs", "aspirin", *flags)["related"] == []


@pytest.mark.slow
def test_a_run_shows_the_ties_in_the_graph(run: runs.Run) -> None:
    drugs = {drug["drug"]: drug for drug in json.loads(run.graph.read_text())}
    of_trial = {m["type"]: m for m in drugs["ASPIRIN"]["mentions"]}["clinical_trial"]
    assert [(p["id"], p["kind"], p["journal"]) for p in of_trial["publications"]] == [
        *(("1", "result", "Heart"), ("2", "named", "Pain")),
        *(("3", "named", "Methods"), ("4", "background", "Blood")),
    ]
    (of_article,) = drugs["PARACETAMOL"]["mentions"]
    assert of_article["trials"] == [
        {"type": "clinical_trial", "id": "NCT00000001", "kind": "named"}
    ]
