"""From a mention back to the landed rows: names, the kept row, those merged into it."""

from __future__ import annotations

import pytest

from drug_assets.answers.finding import UnknownNameError
from drug_assets.answers.tracing import NoMentionError, TracedName, trace_mention
from drug_assets_tests.answers.test_mentions import mention
from drug_assets_tests.support.tables import TablesInMemory, rows_of

A_TITLE = "Zeta\u00ae (ZTM) or zeta"
SPANS = [
    {"start": 0, "end": 4, "text": "Zeta", "by": "name"},
    {"start": 7, "end": 10, "text": "ZTM", "by": "abbreviation"},
    {"start": 15, "end": 19, "text": "zeta", "by": "name"},
]


def tables() -> TablesInMemory:
    names = [
        {"drug_id": i, "name": name, "kind": kind, "source_file": file, "searched": searched}
        for i, name, kind, file, searched in (
            ("a", "ZETA", "synonym", "drugs.csv", True),
            ("a", "Zeta", "brand", "more.csv", True),
            ("a", "A", "preferred", "drugs.csv", True),
            ("b", "B", "preferred", "drugs.csv", True),
            ("b", "zeta", "synonym", "drugs.csv", False),
        )
    ]
    kept = {"publication_id": "7", "title": A_TITLE, "date_text": "2003", "source_row": 2}
    landed = [("p1.csv", 10), ("p2.csv", 20)]
    raw = [
        ("p1.csv", 1, "07", None),
        ("p1.csv", 2, "x", "other"),
        ("p2.csv", 1, "7", "Zeta"),
        ("p2.csv", 2, "7", A_TITLE),
    ]
    merged = [
        ("p2.csv", 1, "7", "conflicting_duplicate"),
        ("p1.csv", 1, "7", "part_of_record"),
        ("p1.csv", 2, "8", "same_content"),
    ]
    places = ("source_file", "source_row")
    return TablesInMemory(
        drugs=rows_of("drugs", [{"drug_id": i.casefold(), "drug": i} for i in "AB"]),
        drug_names=rows_of("drug_names", names),
        mentions=rows_of("mentions", [mention("A", "7", "2003-01-01", spans=SPANS)]),
        pubmed=rows_of("pubmed", [{**kept, "source_file": "p2.csv", "issues": ["shared_id"]}]),
        merged_pubmed=rows_of(
            "merged_pubmed",
            [dict(zip((*places, "merged_into", "rule"), row, strict=True)) for row in merged],
        ),
        landed_files=rows_of(
            "landed_files",
            [{"source_file": file, "size_bytes": size, "raw_rows": 2} for file, size in landed],
        ),
        raw_pubmed=rows_of(
            "raw_pubmed", [dict(zip((*places, "id", "title"), row, strict=True)) for row in raw]
        ),
    )


def test_a_mention_leads_to_the_kept_row_and_to_those_merged_into_it() -> None:
    trace = trace_mention("zeta", "pubmed", "7", tables())
    assert [(r.source_file, r.source_row, r.became, r.size_bytes) for r in trace.rows] == [
        ("p2.csv", 2, "kept", 20),
        ("p1.csv", 1, "part_of_record", 10),
        ("p2.csv", 1, "conflicting_duplicate", 20),
    ]
    # What a row does not hold is left out.
    assert [row.record for row in trace.rows] == [
        {"id": "7", "title": A_TITLE},
        {"id": "07"},
        {"id": "7", "title": "Zeta"},
    ]
    assert (trace.title, trace.date_text, trace.issues) == (A_TITLE, "2003", ["shared_id"])


def test_its_words_lead_to_the_lists_that_have_them() -> None:
    (drug,) = trace_mention("a", "pubmed", "7", tables()).drugs
    assert drug.names == [
        TracedName("Zeta", "name", "ZETA", "synonym", "drugs.csv"),
        TracedName("Zeta", "name", "Zeta", "brand", "more.csv"),
        TracedName("ZTM", "abbreviation"),
        TracedName("zeta", "name", "ZETA", "synonym", "drugs.csv"),
        TracedName("zeta", "name", "Zeta", "brand", "more.csv"),
    ]


@pytest.mark.parametrize("asked", ["PMID: 7", "007", "https://pubmed.ncbi.nlm.nih.gov/7/"])
def test_an_id_is_understood_in_any_form(asked: str) -> None:
    assert trace_mention("a", "pubmed", asked, tables()).publication_id == "7"


@pytest.mark.parametrize(
    ("drug", "id_", "message"),
    [
        ("B", "7", "title of 7 of pubmed does not name 'B'; it names A"),
        ("A", "8", "pubmed has no publication '8'"),
        ("A", "", "pubmed has no publication ''"),
    ],
)
def test_what_is_no_mention_is_told(drug: str, id_: str, message: str) -> None:
    with pytest.raises(NoMentionError, match=message):
        trace_mention(drug, "pubmed", id_, tables())
    with pytest.raises(UnknownNameError):
        trace_mention("C", "pubmed", "7", tables())


def test_the_answer_as_json_holds_records_as_texts() -> None:
    document = trace_mention("zeta", "pubmed", "7", tables()).as_answer().as_object()
    assert document["understood_as"] == "synonym"
    assert (document["source"], document["publication_id"]) == ("pubmed", "7")
    assert document["drugs"][0]["names"][2] == {
        "text": "ZTM",
        "by": "abbreviation",
        "name": None,
        "kind": None,
        "source_file": None,
    }
    assert document["rows"][1]["record"] == '{"id": "07"}'
