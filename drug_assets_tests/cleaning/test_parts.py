"""Rows of part tables: they add to the publication of their id, or are rejected."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from drug_assets import contracts
from drug_assets.cleaning import parts
from drug_assets.cleaning.publications import (
    clean_publications,
    collect_journals,
    mark_rejected,
    mark_withdrawn,
)
from drug_assets.references import find_trial_publications
from drug_assets.terms import ReadIssue
from drug_assets_tests.support.pipeline import make_all
from drug_assets_tests.support.raw import Row, held_to, key, make_records, pubmed_rows, trial_rows
from drug_assets_tests.support.registry import CLINICAL_TRIALS, PUBMED

if TYPE_CHECKING:
    from pathlib import Path

#: Tables of AACT, by the name of their file.
AACT = {
    "studies": """\
nct_id|nlm_download_date_description|start_date|brief_title|official_title|overall_status|source
NCT00000001||2010-01-01|Aspirin, in brief|On aspirin in hearts|COMPLETED|Alpha
NCT00000002||2011-02-01|Ibuprofen, in brief||RECRUITING|Beta
""",
    "study_references": """\
id|nct_id|pmid|reference_type|citation
11|NCT00000001|31|RESULT|"A ""first"" | citation"
12|NCT00000001|30|BACKGROUND|Another
13|NCT00000001||BACKGROUND|A book
14|NCT00000002|32|derived|A third
15|NCT00000009|33|DERIVED|Of a trial that is not there
""",
    "sponsors": """\
id|nct_id|agency_class|lead_or_collaborator|name
21|NCT00000001|INDUSTRY|collaborator|Helpers Ltd
22|NCT00000001|OTHER|lead|Alpha University
""",
    "conditions": "id|nct_id|name|downcase_name\n31|NCT00000002|Pain|pain\n",
    "outcomes": "id|nct_id|outcome_type|title\n41|NCT00000001|PRIMARY|Level of ibuprofen\n",
    "mesh_terms": "id|qualifier|tree_number|mesh_term\n51|A|A01|Pain\n",
}
FOLDER = "clinical_trials_aact"


def part(identifier: str | None, file: str = "parts.txt", **fields: Any) -> Row:
    issues = [ReadIssue.PART_OF_RECORD, *fields.pop("read_issues", [])]
    return {"id": identifier, "source_file": file, "read_issues": issues, **fields}


def trial(identifier: str, title: str = "On beta", **fields: Any) -> Row:
    return {"id": identifier, "title": title, "date": "2020", **fields}


def cleaned(*rows: Row) -> tuple[dict[str, Row], dict[tuple[str, int], str]]:
    """The publications by id, and the rules of merged rows."""
    records = make_records(CLINICAL_TRIALS, trial_rows(*rows))
    known = collect_journals([records]).collect().lazy()
    kept, merged = clean_publications(CLINICAL_TRIALS, records, known)
    publications = held_to(contracts.ClinicalTrials, kept).to_dicts()
    rules = {key(row): row["rule"] for row in held_to(contracts.MergedRecords, merged).to_dicts()}
    rejected = mark_rejected(records).filter(pl.col("reason").is_not_null()).collect().height
    assert len(rows) == len(publications) + len(rules) + rejected
    return {row["publication_id"]: row for row in publications}, rules


def reasons(*rows: Row) -> list[str | None]:
    records = make_records(CLINICAL_TRIALS, trial_rows(*rows))
    return mark_rejected(records).collect()["reason"].to_list()


def test_parts_add_lists_and_fill_gaps() -> None:
    kept, rules = cleaned(
        trial("NCT00000001", status="DONE", reference_pmids="9|2"),
        part("nct 00000001", reference_pmids="3"),
        part("NCT00000001", reference_pmids="2", result_pmids="2", sponsor="Alpha"),
        part("NCT00000001", status="OPEN"),
    )
    publication = kept["NCT00000001"]
    assert publication["reference_pmids"] == ["9", "2", "3"]
    assert publication["result_pmids"] == ["2"]
    assert (publication["sponsor"], publication["status"]) == ("Alpha", "DONE")
    assert publication["issues"] == ["missing_journal"]
    assert set(rules.values()) == {"part_of_record"}
    assert len(rules) == 3


def test_a_part_changes_neither_title_nor_date_whatever_it_gives() -> None:
    kept, _ = cleaned(
        trial("NCT00000001", date=None),
        part("NCT00000001", title="On gamma", brief_title="Gamma", date="2021", last_update="2030"),
    )
    publication = kept["NCT00000001"]
    assert (publication["title"], publication["brief_title"]) == ("On beta", None)
    assert publication["date"] is None


def test_the_last_file_with_a_value_counts_for_a_text() -> None:
    kept, _ = cleaned(
        trial("NCT00000001"),
        part("NCT00000001", "b_10.txt", sponsor="New"),
        part("NCT00000001", "b_9.txt", sponsor="Old"),
        part("NCT00000001", "b_11.txt"),
    )
    assert kept["NCT00000001"]["sponsor"] == "New"


def test_a_part_without_its_record_is_rejected() -> None:
    dangling = "no_record_of_its_id"
    assert reasons(trial("NCT00000001"), part("NCT00000001"), part("NCT00000002"), part(None)) == [
        *(None, None),
        *(dangling, dangling),
    ]
    assert reasons(part("NCT00000001")) == [dangling]
    assert reasons(trial("NCT00000001", title=" "), part("NCT00000001")) == [
        "blank_title",
        dangling,
    ]


def test_a_part_of_a_shared_id_is_rejected_as_it_belongs_to_none_of_its_rows() -> None:
    shared = (trial("NCT00000001"), trial("NCT00000001", "On gamma"))
    assert reasons(*shared, part("NCT00000001")) == [None, None, "no_record_of_its_id"]
    another = trial("NCT00000001", source_file="z.csv")
    assert reasons(*shared, another, part("NCT00000001")) == [None] * 4
    kept, rules = cleaned(*shared, another, part("NCT00000001", sponsor="Alpha"))
    assert kept["NCT00000001"]["sponsor"] == "Alpha"
    assert rules["parts.txt", 1] == "part_of_record"


def test_a_damaged_part_is_rejected_for_its_damage() -> None:
    rows = (trial("NCT00000001"), part("NCT00000001", read_issues=["misaligned_row"]))
    assert reasons(*rows) == [None, "misaligned_row"]


def test_parts_go_to_the_publication_of_several_records() -> None:
    kept, rules = cleaned(
        trial("NCT00000001", source_file="a.csv", sponsor="Alpha", last_update="2020-01-01"),
        trial("NCT00000001", "On gamma", source_file="b.csv"),
        trial("NCT00000002", "On delta", journal="J"),
        {"title": "On delta", "date": "2020", "source_file": "c.csv"},
        part("NCT00000001", sponsor="Beta", phase="P1"),
        part("NCT00000002", sponsor="Beta"),
    )
    assert {i: row["sponsor"] for i, row in kept.items()} == {
        "NCT00000001": "Alpha",
        "NCT00000002": "Beta",
    }
    assert kept["NCT00000001"]["phases"] == ["P1"]
    assert sorted(rules.values()) == [
        *("conflicting_duplicate", "merged_duplicate"),
        *("part_of_record", "part_of_record"),
    ]


def test_a_source_without_parts_is_not_looked_through() -> None:
    records = PUBMED.clean_records(pubmed_rows({"id": "1", "title": "On beta"}))
    marked = mark_withdrawn(records)
    assert parts.split(marked) == (marked, None)
    assert parts.mark_without_record(marked) is marked


IDS = st.sampled_from([f"NCT0000000{n}" for n in range(1, 4)])
PARTS = st.lists(
    st.tuples(
        IDS,
        st.sampled_from(["a.txt", "b.txt"]),
        st.none() | st.sampled_from(["1", "2", "3"]),
        st.none() | st.sampled_from(["Alpha", "Beta"]),
    ),
    max_size=12,
)


@pytest.mark.slow
@settings(max_examples=25, deadline=None)
@given(st.sets(IDS), PARTS, st.randoms(use_true_random=False))
def test_each_part_adds_to_its_publication_whatever_the_order(
    trials: set[str], given_parts: list[tuple[str, str, str | None, str | None]], random: Any
) -> None:
    rows = [trial(i, f"On {i}", source_file="trials.csv") for i in sorted(trials)] + [
        part(i, file, reference_pmids=pmid, sponsor=sponsor)
        for i, file, pmid, sponsor in given_parts
    ]
    kept, rules = cleaned(*rows)
    again, _ = cleaned(*random.sample(rows, len(rows)))
    assert set(kept) == trials
    assert len(rules) == sum(i in trials for i, *_ in given_parts)
    for identifier, row in kept.items():
        own = [each for each in given_parts if each[0] == identifier]
        assert row["reference_pmids"] == sorted({pmid for _, _, pmid, _ in own if pmid})
        names = [(file, name) for _, file, _, name in own if name]
        last = max((file for file, _ in names), default=None)
        assert row["sponsor"] == min((n for file, n in names if file == last), default=None)
        of_row = {"source_row": None}
        assert {**row, **of_row} == {**again[identifier], **of_row}


@pytest.mark.slow
def test_the_tables_of_aact_are_one_row_per_trial(tmp_path: Path) -> None:
    landing = tmp_path / "landing"
    (landing / FOLDER).mkdir(parents=True)
    for name, text in AACT.items():
        (landing / FOLDER / f"{name}.txt").write_text(text)
    (landing / "drugs.csv").write_text("drug\nASPIRIN\nIBUPROFEN\n")
    (landing / "pubmed.csv").write_text("id,title\n31,Results of a trial\n")
    made = make_all(landing, tmp_path / "store")
    first, second = made.rows("clinical_trials")
    assert (first["publication_id"], first["title"]) == ("NCT00000001", "On aspirin in hearts")
    assert (first["sponsor"], first["status"]) == ("Alpha University", "COMPLETED")
    assert (first["reference_pmids"], first["result_pmids"]) == (["30", "31"], ["31"])
    assert (second["title"], second["sponsor"]) == ("Ibuprofen, in brief", None)
    assert second["derived_pmids"] == ["32"]
    merged = {key(row): row["rule"] for row in made.rows("merged_clinical_trials")}
    assert set(merged.values()) == {"part_of_record"}
    assert len(merged) == 8
    rejected = {key(row): row["reasons"] for row in made.rows("rejected_records")}
    assert rejected == {
        (f"{FOLDER}/mesh_terms.txt", 1): ["no_record_of_its_id"],
        (f"{FOLDER}/study_references.txt", 5): ["no_record_of_its_id"],
    }
    # The title of an outcome is not that of a trial.
    found = {(row["drug"], row["publication_id"]) for row in made.rows("mentions")}
    assert found == {("ASPIRIN", "NCT00000001"), ("IBUPROFEN", "NCT00000002")}
    ties = find_ties(made.tables)
    assert ties == {
        ("NCT00000001", "30", "background"),
        ("NCT00000001", "31", "result"),
        ("NCT00000002", "32", "derived"),
    }
    unread = {row["source_file"]: row["unread_fields"] for row in made.rows("landed_files")}
    assert set(map(len, unread.values())) == {0}


def find_ties(tables: dict[str, pl.DataFrame]) -> set[tuple[str, str, str]]:
    found = find_trial_publications(
        {name: tables[name].lazy() for name in ("pubmed", "clinical_trials")}
    )
    return set(found.select("trial_id", "publication_id", "kind").collect().rows())
