from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from drug_assets import contracts, sources
from drug_assets.cleaning.drugs import clean_drugs
from drug_assets.cleaning.mesh_trees import MeshTrees
from drug_assets.cleaning.rejected import collect_rejected
from drug_assets.terms import REJECTING_ISSUES
from drug_assets_tests.support.raw import (
    Row,
    drug_rows,
    drug_tables,
    held_to,
    key,
    publication_tables,
    pubmed_rows,
    raw_rows,
    records_of,
    trial_rows,
)
from drug_assets_tests.support.registry import CLINICAL_TRIALS, PUBMED


def rejected(**raw: Any) -> list[Row]:
    table = collect_rejected(raw, records_of(raw))
    return held_to(contracts.RejectedRecords, table).to_dicts()


def test_the_reason_is_kept() -> None:
    found = rejected(
        pubmed=pubmed_rows({"title": "\t"}),
        drugs=drug_rows({"drug": "Alpha"}, {"atccode": "A04AD"}),
        clinical_trials=trial_rows({"title": "Beta"}, {"title": None}),
    )
    assert [(r["source"], *key(r), r["reasons"]) for r in found] == [
        ("clinical_trials", "clinical_trials.csv", 2, ["blank_title"]),
        ("drugs", "drugs.csv", 2, ["blank_name"]),
        ("pubmed", "pubmed.csv", 1, ["blank_title"]),
    ]


def test_a_record_of_mesh_is_rejected_by_other_rows() -> None:
    descriptor = {"drug": "Alpha", "mesh": "D900001", "tree_numbers": "D12.1"}
    mapped = {"drug": "Beta", "mesh": "C900001", "mapped_to": "D900001"}
    raw = {"drugs": drug_rows(descriptor, mapped)}
    records = records_of(raw)
    assert [r["reasons"] for r in rejected(**raw)] == [["out_of_trees"], ["out_of_trees"]]
    kept, merged, _ = clean_drugs(records["drugs"])
    assert kept.collect().is_empty()
    assert merged.collect().is_empty()
    trees = MeshTrees.of("D12")
    assert collect_rejected(raw, records, trees).collect().is_empty()
    kept, _, _ = clean_drugs(records["drugs"], trees=trees)
    assert kept.collect()["drug"].to_list() == ["Alpha", "Beta"]


def test_the_whole_raw_row_is_kept_as_it_was_read() -> None:
    raw = {
        "id": " 1\x00\u2028",
        "title": ' \t"\\xc3\\x28'.replace('"', ""),
        "date": '5"\n\\',
        "journal": "Ni\\xc3\\xb1o é",
        "extra": '{"a": [1]}',
        "read_issues": ["not_utf8", "short_row"],
    }
    (record,) = rejected(pubmed=pubmed_rows(raw))
    columns = contracts.RawPubmed.column_names()
    expected = {**dict.fromkeys(columns), **raw, "source_file": "pubmed.csv", "source_row": 1}
    assert json.loads(record["record"]) == expected


@pytest.mark.parametrize("issue", REJECTING_ISSUES)
def test_a_row_that_could_not_be_read_says_only_so(issue: str) -> None:
    """What its fields lack, or what they hold in the wrong places, is no reason of its own."""
    odd = {"read_issues": sorted([str(issue), "not_utf8"])}
    found = rejected(
        drugs=drug_rows(odd, {**odd, "atccode": "A04AD", "atc_name": "Group"}),
        pubmed=pubmed_rows(odd, {**odd, "title": "T", "citation_status": "DeleteCitation"}),
        clinical_trials=trial_rows(odd),
    )
    assert [r["reasons"] for r in found] == [[issue]] * 5


def test_another_odd_form_is_no_reason() -> None:
    assert [r["reasons"] for r in rejected(drugs=drug_rows({"read_issues": ["short_row"]}))] == [
        ["blank_name"]
    ]


def test_a_row_that_has_a_title_or_name_can_be_rejected_for_its_form() -> None:
    odd: list[Row] = [
        {"read_issues": ["not_utf8", "repeated_header"]},
        {"read_issues": ["misaligned_row"]},
    ]
    found = rejected(
        drugs=drug_rows(*({"drug": "Alpha", **row} for row in odd)),
        pubmed=pubmed_rows(*({"title": "Beta", **row} for row in odd)),
    )
    assert [r["reasons"] for r in found] == [
        ["repeated_header"],
        ["misaligned_row"],
        ["repeated_header"],
        ["misaligned_row"],
    ]


def test_a_row_that_can_be_kept_is_not_rejected_for_its_form() -> None:
    assert rejected(pubmed=pubmed_rows({"title": "Beta", "read_issues": ["short_row"]})) == []


def test_nothing_landed() -> None:
    empty = {source.name: raw_rows(source) for source in sources.ALL}
    assert rejected(**empty) == []


@pytest.mark.slow
@settings(max_examples=6, deadline=None)
@given(
    drug_tables(),
    publication_tables(PUBMED),
    publication_tables(CLINICAL_TRIALS),
    st.randoms(use_true_random=False),
)
def test_the_order_of_rows_does_not_matter(
    drugs: list[Row], pubmed: list[Row], trials: list[Row], random: Any
) -> None:
    rows = dict(zip(sources.ALL, (drugs, pubmed, trials), strict=True))
    tables = {s.name: raw_rows(s, *r) for s, r in rows.items()}
    shuffled = [(s.name, raw_rows(s, *random.sample(r, len(r)))) for s, r in reversed(rows.items())]
    found = rejected(**tables)
    assert rejected(**dict(shuffled)) == found
    assert found == sorted(found, key=lambda r: (r["source"], *key(r)))
