"""The contracts of tables: rows that keep them, and changes that break them."""

from __future__ import annotations

from datetime import date
from typing import Any

import dataframely as dy
import polars as pl
import pytest

from drug_assets import contracts, sources
from drug_assets.sources.tables import TABLES
from drug_assets.terms import (
    DatePrecision,
    Issue,
    ListChange,
    MentionChange,
    MergeRule,
    NameKind,
    ReadIssue,
    ReferenceSide,
    RejectReason,
    Term,
    TrialPublicationKind,
)

Row = dict[str, Any]

DATED = {"date": date(2020, 1, 1), "date_precision": "day"}
IN_LANCET = {"journal": "Lancet", "journal_id": "lancet"}
UNDESCRIBED = dict.fromkeys(
    ("title", "journal", "journal_id", "date", "date_precision", "retracted")
)
SPAN = {"start": 0, "end": 4, "text": "Beta", "by": "name"}

#: A valid row per table.
GOOD: dict[str, Row] = {
    "landed_files": {
        "source_file": "drugs.csv",
        "source": "drugs",
        "format": "csv",
        "size_bytes": 0,
        "sha256": "0a" * 32,
        "raw_rows": 0,
        "read_issues": [{"issue": "blank_row", "rows": 1}],
        "unread_fields": ["Pages"],
        "problem": None,
    },
    **{
        f"raw_{source.name}": {"source_file": "f.csv", "source_row": 1, "read_issues": []}
        for source in sources.ALL
    },
    "drugs_records": {
        "source_file": "f.csv",
        "source_row": 1,
        "codes": ["x"],
        "synonyms": [],
        "brands": [],
        "research_codes": [],
        "forms": [],
        "xrefs": ["unii:A"],
        "form_of": [],
        "products": [],
        "moiety_in": [],
        "mapped_to": [],
        "tree_numbers": [],
        "class_names": ["A04A ANTIEMETICS"],
        "is_part": False,
    },
    "pubmed_records": {
        "source_file": "f.csv",
        "source_row": 1,
        "version": 1,
        "publication_types": [],
        "corrections": [],
        "retracted": False,
        "trial_ids": [],
    },
    "clinical_trials_records": {
        "source_file": "f.csv",
        "source_row": 1,
        "version": 1,
        "is_part": False,
        "phases": [],
        **{column: [] for column in ("reference_pmids", "result_pmids", "derived_pmids")},
    },
    "drugs": {
        "drug_id": "beta",
        "drug": "Beta",
        "names": ["Beta"],
        "codes": ["x", "A04AD"],
        "atc_codes": ["A04AD", "A", "A04", "A04A", "A04AD01"],
        "forms": [],
        "xrefs": ["cas:50-78-2"],
        "issues": [],
    },
    "drug_names": {
        "drug_id": "beta",
        "name": "Beta",
        "source_file": "drugs.csv",
        "kind": "preferred",
        "searched": True,
    },
    "journals": {
        "journal_id": "lancet",
        "journal": "Lancet",
        "folded_names": [],
        "issns": [],
        "records": 1,
    },
    "pubmed": {
        "publication_id": "1",
        "title": "Beta",
        **IN_LANCET,
        **DATED,
        "source_file": "f.csv",
        "source_row": 1,
        "issues": [],
        "publication_types": [],
        "corrections": [],
        "retracted": False,
        "trial_ids": [],
    },
    "clinical_trials": {
        "publication_id": "1",
        "title": "Beta",
        **IN_LANCET,
        **DATED,
        "source_file": "f.csv",
        "source_row": 1,
        "issues": [],
        "phases": [],
        **{column: [] for column in ("reference_pmids", "result_pmids", "derived_pmids")},
    },
    "rejected_records": {
        "source": "drugs",
        "source_file": "f.csv",
        "source_row": 1,
        "reasons": ["blank_name"],
        "record": "{}",
    },
    **{
        f"merged_{source.name}": {
            "source_file": "f.csv",
            "source_row": 1,
            "merged_into": "1",
            "rule": "same_content",
        }
        for source in sources.ALL
    },
    "trial_publications": {
        "trial_id": "NCT1",
        "publication_id": "1",
        "trial_source": "clinical_trials",
        "source": "pubmed",
        "kind": "result",
        "given_by": "trial",
        "trial_in_store": True,
        "publication_in_store": True,
        "title": "Beta",
        **IN_LANCET,
        "date": DATED["date"],
        "date_precision": DATED["date_precision"],
        "retracted": True,
    },
    **{
        f"{source.name}_drugs_named": {
            "source_file": "f.csv",
            "source_row": 1,
            "drug_id": "beta",
            "named_in": "title",
            "spans": [SPAN],
            "ambiguous": False,
        }
        for source in sources.PUBLICATIONS
    },
    "mentions": {
        "drug_id": "beta",
        "source": "pubmed",
        "publication_id": "1",
        "drug": "Beta",
        "title": "Beta",
        **IN_LANCET,
        **DATED,
        "spans": [SPAN],
        "ambiguous": False,
    },
    "journal_drugs": {
        "journal_id": "lancet",
        "drug_id": "beta",
        "journal": "Lancet",
        "drug": "Beta",
        "pubmed_mentions": 1,
        "clinical_trial_mentions": 0,
        "retracted_pubmed_mentions": 0,
        "unknown_pubmed_mentions": 0,
        "first_date": date(2020, 1, 1),
        "last_date": date(2020, 1, 1),
    },
    "top_journal": {
        "journal_id": "lancet",
        "journal": "Lancet",
        "drug_count": 2,
        "drugs": ["Alpha", "Beta"],
        "mentions": 2,
        "retracted_mentions": 0,
        "unknown_mentions": 0,
    },
    "atc_classes": {
        "class": "A04A",
        "level": 3,
        "name": "ANTIEMETICS",
        "parent": "A04",
        "drugs": 2,
        "mentions": 3,
        "journals": 2,
    },
    "new_mentions": {
        "drug_id": "a",
        "source": "pubmed",
        "publication_id": "1",
        "change": "changed",
        "first_in_journal": False,
        "drug_added": False,
        "drug": "A",
        "title": "On A",
        "journal": "Lancet",
        "journal_id": "lancet",
        "date": date(2020, 1, 1),
        "date_precision": "day",
        "changed": ["title"],
        "title_before": "Of A",
        "journal_before": "Lancet",
        "date_before": date(2020, 1, 1),
        "date_precision_before": "day",
    },
    "changed_names": {
        "drug_id": "a",
        "name": "A",
        "change": "added",
        "of_drug": True,
        "drug": "A",
    },
}

#: Changes of that row that the contract allows.
ALSO_GOOD = [
    *(("raw_drugs", {"read_issues": [issue.value]}) for issue in ReadIssue),
    *(("pubmed_records", {"reason": reason.value}) for reason in RejectReason),
    ("drugs", {"names": [], "codes": [], "atc_codes": [], "forms": [], "xrefs": []}),
    *(("clinical_trials", {"issues": [issue.value]}) for issue in Issue),
    *(("clinical_trials", {"date_precision": precision.value}) for precision in DatePrecision),
    *(("rejected_records", {"reasons": [reason.value]}) for reason in RejectReason),
    *(("merged_drugs", {"rule": rule.value}) for rule in MergeRule),
    *(("drug_names", {"kind": kind.value}) for kind in NameKind),
    ("drug_names", {"searched": False, "reason": "no letter"}),
    ("pubmed", {"date": None, "date_precision": None, "date_text": "soon"}),
    ("clinical_trials", {"journal": None, "journal_id": None}),
    ("mentions", {"journal": None, "journal_id": None, "date": None, "date_precision": None}),
    *(
        ("trial_publications", {"kind": kind.value, "given_by": "both"})
        for kind in TrialPublicationKind
        if kind != "named"
    ),
    ("trial_publications", {"kind": "named", "given_by": "publication"}),
    ("trial_publications", {"publication_in_store": False, **UNDESCRIBED}),
    ("trial_publications", {"kind": "named", "given_by": "publication", "trial_in_store": False}),
    ("journal_drugs", {"first_date": None, "last_date": None}),
    ("journal_drugs", {"last_date": date(2020, 1, 2)}),
    ("journal_drugs", {"pubmed_mentions": 0, "clinical_trial_mentions": 1}),
    ("top_journal", {"drug_count": 1, "drugs": ["Alpha"]}),
    ("atc_classes", {"class": "A", "level": 1, "parent": None}),
    ("atc_classes", {"class": "A04AD01", "level": 5, "parent": "A04AD"}),
    ("atc_classes", {"name": None, "mentions": 0, "journals": 0}),
    ("atc_classes", {"drugs": 0, "mentions": 0, "journals": 0}),
    ("atc_classes", {"journals": 3}),
    *(
        ("new_mentions", {"change": change.value, "changed": []})
        for change in MentionChange
        if change is not MentionChange.CHANGED
    ),
    ("new_mentions", {"change": "added", "changed": [], "first_in_journal": True}),
    ("new_mentions", {"changed": [*contracts.MENTION_PARTS]}),
    *(("changed_names", {"change": change.value}) for change in ListChange),
    *(("mentions", {"retracted": retracted}) for retracted in (True, False, None)),
    *(("pubmed", {"retracted": retracted}) for retracted in (True, None)),
    ("journal_drugs", {"pubmed_mentions": 3, "retracted_pubmed_mentions": 2}),
    ("journal_drugs", {"unknown_pubmed_mentions": 1}),
    ("mentions", {"spans": [SPAN, {"start": 1, "end": 2, "text": "e", "by": "ion"}]}),
    ("mentions", {"spans": [{"start": 0, "end": 1, "text": "B", "by": "name"}], "ambiguous": True}),
]

#: The shortest and smallest that each column may hold.
ALSO_GOOD += [
    ("drugs", {"drug": "B"}),
    ("journals", {"journal": "L"}),
    ("pubmed", {"title": "B", "publication_id": "1"}),
    ("clinical_trials", {"title": "B", "publication_id": "1"}),
    ("merged_drugs", {"merged_into": "1"}),
]

#: Changes that break the contract.
BAD = [
    ("landed_files", {"sha256": "0A" * 32}),
    ("landed_files", {"sha256": "0g" * 32}),
    ("landed_files", {"sha256": "0" * 63}),
    ("landed_files", {"sha256": "0" * 65}),
    ("landed_files", {"size_bytes": -1}),
    ("landed_files", {"raw_rows": -1}),
    ("landed_files", {"read_issues": [{"issue": "blank_row", "rows": 0}]}),
    ("landed_files", {"read_issues": [{"issue": None, "rows": 1}]}),
    ("raw_pubmed", {"source_row": 0}),
    ("raw_drugs", {"source_file": None}),
    ("raw_clinical_trials", {"read_issues": None}),
    ("raw_clinical_trials", {"read_issues": ["blank_row", "odd_row"]}),
    ("drugs_records", {"reason": "odd"}),
    ("pubmed_records", {"version": 0}),
    ("clinical_trials_records", {"phases": [None]}),
    ("drugs", {"drug": ""}),
    ("drugs", {"drug_id": None}),
    ("drugs", {"names": ["Beta", None]}),
    ("drugs", {"atc_codes": ["A04AD", "A4"]}),
    ("drugs", {"issues": ["odd"]}),
    ("journals", {"records": 0}),
    ("journals", {"journal": ""}),
    ("clinical_trials", {"title": ""}),
    ("clinical_trials", {"publication_id": ""}),
    ("pubmed", {"title": ""}),
    ("pubmed", {"publication_id": ""}),
    ("pubmed", {"date": None}),
    ("pubmed", {"date_precision": None}),
    ("pubmed", {"date_precision": "decade"}),
    ("pubmed", {"date": None, "date_precision": "decade"}),
    ("pubmed", {"issues": ["missing_id", "odd"]}),
    ("clinical_trials", {"journal": None}),
    ("clinical_trials", {"journal_id": None}),
    ("rejected_records", {"source": "trials"}),
    ("rejected_records", {"reasons": []}),
    ("rejected_records", {"reasons": ["odd"]}),
    ("rejected_records", {"record": ""}),
    ("rejected_records", {"record": "{"}),
    ("rejected_records", {"reasons": ["blank_name", "odd"]}),
    ("merged_pubmed", {"rule": "similar"}),
    ("merged_drugs", {"merged_into": ""}),
    ("drug_names", {"kind": "odd"}),
    ("drug_names", {"name": ""}),
    ("drug_names", {"searched": False}),
    ("drug_names", {"reason": "no letter"}),
    ("pubmed_drugs_named", {"spans": []}),
    ("clinical_trials_drugs_named", {"named_in": None}),
    ("trial_publications", {"kind": "other"}),
    ("trial_publications", {"given_by": "other"}),
    ("trial_publications", {"given_by": "publication"}),
    ("trial_publications", {"kind": "named"}),
    ("trial_publications", {"trial_in_store": False}),
    ("trial_publications", {"given_by": "both", "publication_in_store": False, **UNDESCRIBED}),
    ("trial_publications", {"publication_in_store": False}),
    ("trial_publications", UNDESCRIBED),
    ("mentions", {"source": "drugs"}),
    ("mentions", {"spans": []}),
    ("mentions", {"ambiguous": None}),
    ("mentions", {"spans": [{**SPAN, "start": -1}]}),
    ("mentions", {"spans": [{**SPAN, "text": ""}]}),
    ("mentions", {"spans": [{**SPAN, "end": 0}]}),
    ("mentions", {"spans": [SPAN, {**SPAN, "start": None}]}),
    ("mentions", {"spans": [SPAN, {**SPAN, "text": None}]}),
    ("mentions", {"spans": [SPAN, None]}),
    ("mentions", {"spans": [{**SPAN, "end": None}]}),
    ("mentions", {"spans": [{**SPAN, "by": None}]}),
    ("mentions", {"spans": [{**SPAN, "by": "guess"}]}),
    ("journal_drugs", {"pubmed_mentions": 0}),
    ("journal_drugs", {"pubmed_mentions": 2, "clinical_trial_mentions": -1}),
    ("journal_drugs", {"first_date": date(2020, 1, 2)}),
    ("journal_drugs", {"first_date": None}),
    ("journal_drugs", {"last_date": None}),
    ("journal_drugs", {"pubmed_mentions": -1, "clinical_trial_mentions": 2}),
    ("journal_drugs", {"pubmed_mentions": 1, "clinical_trial_mentions": -1}),
    ("journal_drugs", {"retracted_pubmed_mentions": 2}),
    ("journal_drugs", {"retracted_pubmed_mentions": 1, "unknown_pubmed_mentions": 1}),
    ("journal_drugs", {"unknown_pubmed_mentions": -1}),
    ("top_journal", {"retracted_mentions": -1}),
    ("top_journal", {"mentions": 0}),
    ("top_journal", {"drug_count": 3}),
    ("top_journal", {"drug_count": 1}),
    ("top_journal", {"drug_count": 0, "drugs": []}),
    ("atc_classes", {"class": "A04a"}),
    ("atc_classes", {"class": "A044"}),
    ("atc_classes", {"level": 4}),
    ("atc_classes", {"level": 0}),
    ("atc_classes", {"level": 6}),
    ("atc_classes", {"name": ""}),
    ("atc_classes", {"parent": None}),
    ("atc_classes", {"parent": "A"}),
    ("atc_classes", {"parent": "B04"}),
    ("atc_classes", {"class": "A", "level": 1, "parent": ""}),
    ("atc_classes", {"class": "A", "level": 1, "parent": "A"}),
    ("atc_classes", {"drugs": 0}),
    ("atc_classes", {"journals": 4}),
    *(("atc_classes", {count: -1}) for count in ("drugs", "mentions", "journals")),
    ("new_mentions", {"source": "nowhere"}),
    ("new_mentions", {"change": "lost"}),
    ("new_mentions", {"change": "added"}),
    ("new_mentions", {"changed": []}),
    ("new_mentions", {"changed": ["retracted"]}),
    ("new_mentions", {"first_in_journal": True}),
    (
        "new_mentions",
        {"change": "added", "changed": [], "first_in_journal": True, "journal_id": None},
    ),
    ("changed_names", {"change": "lost"}),
    ("changed_names", {"name": ""}),
]


def kept(table: str, *rows: Row) -> bool:
    contract = TABLES[table].contract
    frame = pl.DataFrame(rows, schema=contracts.polars_schema(contract))
    return contract.is_valid(frame)


def test_the_examples_are_of_every_table() -> None:
    assert list(GOOD) == list(TABLES)


@pytest.mark.parametrize("table", GOOD)
def test_a_good_row_keeps_the_contract(table: str) -> None:
    assert kept(table, GOOD[table])


@pytest.mark.parametrize("table", GOOD)
def test_a_key_stands_once(table: str) -> None:
    assert not kept(table, GOOD[table], GOOD[table])


@pytest.mark.parametrize(("table", "change"), ALSO_GOOD)
def test_what_may_be_missing(table: str, change: Row) -> None:
    assert kept(table, {**GOOD[table], **change})


@pytest.mark.parametrize(("table", "change"), BAD)
def test_a_bad_row_breaks_the_contract(table: str, change: Row) -> None:
    assert not kept(table, {**GOOD[table], **change})


COLUMNS = [(table, column) for table in GOOD for column in TABLES[table].contract.columns()]


@pytest.mark.parametrize(("table", "column"), [c for c in COLUMNS if c[1] == "source_row"])
def test_rows_count_from_one(table: str, column: str) -> None:
    assert kept(table, {**GOOD[table], column: 1})
    assert not kept(table, {**GOOD[table], column: 0})


LISTS = [(t, c) for t, c in COLUMNS if isinstance(TABLES[t].contract.columns()[c], dy.List)]


@pytest.mark.parametrize(("table", "column"), LISTS)
def test_a_list_is_there_and_has_no_gaps(table: str, column: str) -> None:
    good = GOOD[table]
    assert not kept(table, {**good, column: None})
    assert not kept(table, {**good, column: [*good[column], None]})


@pytest.mark.parametrize(
    ("table", "key"),
    [
        ("raw_pubmed", ["source_file", "source_row"]),
        ("pubmed_records", ["source_file", "source_row"]),
        ("drugs", ["drug_id"]),
        ("clinical_trials", ["publication_id"]),
        ("rejected_records", ["source", "source_file", "source_row"]),
        ("pubmed_drugs_named", ["source_file", "source_row", "drug_id"]),
        ("mentions", ["drug_id", "source", "publication_id"]),
        ("journal_drugs", ["journal_id", "drug_id"]),
        ("top_journal", ["journal_id"]),
        ("atc_classes", ["class"]),
        ("new_mentions", ["drug_id", "source", "publication_id"]),
        ("changed_names", ["drug_id", "name"]),
    ],
)
def test_keys(table: str, key: list[str]) -> None:
    assert TABLES[table].contract.primary_key() == key


@pytest.mark.parametrize("table", GOOD)
def test_every_column_is_described(table: str) -> None:
    contract = TABLES[table].contract
    assert contract.__doc__
    assert [name for name, c in contract.columns().items() if not c.description] == []


@pytest.mark.parametrize(
    "terms", [terms for terms in Term.__subclasses__() if terms.__module__ == Term.__module__]
)
def test_every_term_has_a_meaning_and_is_listed_with_it(terms: type[Term]) -> None:
    for term in terms:
        assert term.meaning
        assert f"`{term.value}`: {term.meaning}" in terms.listed()


@pytest.mark.parametrize(
    ("table", "column", "terms"),
    [
        ("raw_drugs", "read_issues", ReadIssue),
        ("pubmed_records", "reason", RejectReason),
        ("drugs", "issues", Issue),
        ("pubmed", "issues", Issue),
        ("pubmed", "date_precision", DatePrecision),
        ("rejected_records", "reasons", RejectReason),
        ("merged_drugs", "rule", MergeRule),
        ("drug_names", "kind", NameKind),
        ("trial_publications", "kind", TrialPublicationKind),
        ("trial_publications", "given_by", ReferenceSide),
        ("mentions", "date_precision", DatePrecision),
    ],
)
def test_a_column_of_terms_tells_them(table: str, column: str, terms: type[Term]) -> None:
    assert terms.listed() in (TABLES[table].contract.columns()[column].description or "")


@pytest.mark.parametrize("table", ["rejected_records", "mentions"])
def test_a_table_of_all_sources_names_them(table: str) -> None:
    described = TABLES[table].contract.columns()["source"].description or ""
    of_publications = [source.name for source in sources.PUBLICATIONS]
    names = of_publications if table == "mentions" else [source.name for source in sources.ALL]
    assert described.endswith(f"One of {', '.join(names)}.")
