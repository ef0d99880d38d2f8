"""Studies of ClinicalTrials.gov -> raw rows, in all layouts of its API and exports."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from drug_assets.formats import FormatError, json_document, json_records
from drug_assets_tests.support.frames import issues, raw_rows
from drug_assets_tests.support.registry import CLINICAL_TRIALS, PUBMED

REAL = Path(__file__).parents[3] / "shared" / "real_inputs" / "clinical_trials"
SHAPE = CLINICAL_TRIALS.record_shape()
FIELDS = [c for c in SHAPE.fields if c not in ("journal", "nlm_id", "issn")]


def study(number: int = 1, **modules: Any) -> dict[str, Any]:
    """One study as the API returns it, with members that are no fields."""
    protocol = {
        "identificationModule": {
            "nctId": f"NCT{number:08}",
            "organization": {"fullName": "Hospital of Tests", "class": "OTHER"},
            "briefTitle": f"Aspirin, part {number}",
            "officialTitle": f'A "Randomized" Trial of Aspirin, Part {number}',
        },
        "statusModule": {
            "overallStatus": "COMPLETED",
            "startDateStruct": {"date": "2005-11", "type": "ACTUAL"},
            "completionDateStruct": {"date": "2009-01-31"},
            "lastUpdatePostDateStruct": {"date": "2010-02-03", "type": "ESTIMATED"},
        },
        "sponsorCollaboratorsModule": {
            "leadSponsor": {"name": "University of Tests", "class": "OTHER"},
            "collaborators": [{"name": "Another"}],
        },
        "designModule": {"phases": ["PHASE1", "PHASE2"], "enrollmentInfo": {"count": 20}},
        "referencesModule": {
            "references": [
                {"pmid": "11", "type": "RESULT", "citation": "One."},
                {"type": "BACKGROUND", "citation": "A book."},
                {"pmid": "12", "type": "DERIVED", "citation": "Two."},
            ]
        },
        "outcomesModule": {"primaryOutcomes": [{"measure": "x" * 50}]},
    }
    return {
        "protocolSection": {k: v for k, v in {**protocol, **modules}.items() if v is not None},
        "derivedSection": {"miscInfoModule": {"versionHolder": "2025-01-01"}},
        "hasResults": False,
    }


def expected(number: int = 1, **fields: str | None) -> dict[str, str | None]:
    return {
        "id": f"NCT{number:08}",
        "scientific_title": f'A "Randomized" Trial of Aspirin, Part {number}',
        "date": "2005-11",
        "brief_title": f"Aspirin, part {number}",
        "status": "COMPLETED",
        "phase": "PHASE1|PHASE2",
        "sponsor": "University of Tests",
        "reference_pmids": "11|12",
        "result_pmids": "11",
        "derived_pmids": "12",
        "last_update": "2010-02-03",
        **fields,
    }


def read(text: str, name: str = "clinical_trials.json") -> pl.DataFrame:
    return raw_rows(name, text.encode(), CLINICAL_TRIALS)


def page(*studies: dict[str, Any], **members: Any) -> dict[str, Any]:
    return {"studies": list(studies), **members}


TWO = [study(1), study(2)]
PMIDS = ("reference_pmids", "result_pmids", "derived_pmids")


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("clinical_trials.json", json.dumps(TWO)),
        ("clinical_trials.json", json.dumps(TWO, indent=2)),
        ("clinical_trials.ndjson", "".join(json.dumps(s) + "\n" for s in TWO)),
        ("clinical_trials.json", json.dumps(page(*TWO, nextPageToken="NF0g5J"))),
        ("clinical_trials.json", json.dumps(page(*TWO, nextPageToken="a"), indent=1)),
        ("clinical_trials.json", json.dumps({"totalCount": 2, **page(*TWO)})),
        ("clinical_trials.json", json.dumps(page(*TWO, more={"studies": [1], "of": [{}]}))),
        ("clinical_trials.json", json.dumps(page(TWO[0])) + "\n" + json.dumps(page(TWO[1]))),
        ("clinical_trials.jsonl", json.dumps(page(TWO[0])) + "\n" + json.dumps(TWO[1])),
        ("clinical_trials.json", '{{ "studies" : [ {}, {}, ], }}'.format(*map(json.dumps, TWO))),
    ],
)
def test_studies_in_every_shape(name: str, text: str) -> None:
    rows = read(text, name)
    assert rows.select(FIELDS).to_dicts() == [expected(1), expected(2)]
    assert issues(rows) == [[], []]
    assert rows["journal"].null_count() == 2
    assert rows["extra"].null_count() == 2


def test_one_study_is_one_record() -> None:
    assert read(json.dumps(study(), indent=2)).select(FIELDS).to_dicts() == [expected()]


def test_what_a_study_lacks_is_null() -> None:
    lacking = study(designModule={}, referencesModule=None, statusModule={"startDateStruct": None})
    fields = dict.fromkeys(("date", "status", "last_update", "phase", *PMIDS))
    assert read(json.dumps(lacking)).select(FIELDS).to_dicts() == [expected(1, **fields)]


@pytest.mark.parametrize("odd", [None, 3, "text", [], [["x"]], {"references": {"x": 3}}])
def test_a_module_of_another_shape_loses_only_its_own_fields(odd: Any) -> None:
    rows = read(json.dumps(study(referencesModule=odd, statusModule=odd)))
    fields = dict.fromkeys(("date", "status", "last_update", *PMIDS))
    assert rows.select(FIELDS).to_dicts() == [expected(1, **fields)]


@pytest.mark.parametrize(
    "members",
    [
        "",
        '"totalCount":12,',
        '"a": -1.5e+3 , "b": true,\n"c": false,\t"d": null ,\r\n',
        '"a\\"b": "x\\\\", "studies ": "[", "c": "",',
        '"studies": "none", "a": "\\"studies\\": [",',
    ],
)
def test_any_counts_and_tokens_may_stand_before_the_studies(members: str) -> None:
    for blanks in ("", " ", "\n\t\r "):
        text = f'{{{blanks}{members}{blanks}"studies"{blanks}:{blanks}[{json.dumps(study())}]}}'
        assert read(text).select(FIELDS).to_dicts() == [expected()]


def test_what_comes_after_the_studies_of_a_page_is_skipped() -> None:
    for after in (
        "",
        ",",
        "\n , ",
        ' , "a": [1, {"studies": []}],\n"b": "]}"',
        ', "a": ",}",',
        ', "a": [1,],',
    ):
        text = f'{{"studies": [{json.dumps(study(1))}]{after}}}\n{json.dumps(study(2))}'
        assert read(text)["id"].to_list() == ["NCT00000001", "NCT00000002"], after


def test_a_page_with_trailing_commas_may_be_cut_into_blocks_at_any_place() -> None:
    data = (
        b'{"studies": [{"id": "1", "title": "a"},], "a": "x},", "b": {"c": ["]",],},}\n'
        b'{"id": "2"}\n'
    )
    for cut in range(1, len(data)):
        batches = json_records.read_batches(SHAPE, "clinical_trials.json", [data[:cut], data[cut:]])
        assert pl.concat(batches)["id"].to_list() == ["1", "2"], cut


def test_a_page_whose_rest_is_damaged_is_refused() -> None:
    with pytest.raises(FormatError, match="line 2, byte 39 of its text: a page of records is dam"):
        read('{"studies": [{"id": "1", "title": 1}],\n"a" 1}\n{"id": "2"}\n')
    for deep in ("[" * 100_000 + "]" * 100_000, "[" * 100_000, '{"a":' * 5_000 + "1" + "}" * 5_000):
        with pytest.raises(FormatError, match=r"^clinical_trials\.json: "):
            read('{"studies": [{"id": "1", "title": "a"}], "a": ' + deep + "}")


def test_a_page_without_studies_has_no_rows() -> None:
    assert read('{"studies": []}').height == 0
    assert read('{"totalCount": 0, "studies": [ ]}\n').height == 0


def test_a_flat_record_is_still_one() -> None:
    flat = {"id": "1", "scientific_title": "T", "brief_title": "B", "reference_pmids": ["3", 4]}
    rows = read(json.dumps(flat) + '\n{"id": "2", "studies": "none"}\n', "clinical_trials.jsonl")
    assert rows["id"].to_list() == ["1", "2"]
    assert rows["brief_title"].to_list() == ["B", None]
    assert rows["reference_pmids"].to_list() == ["3|4", None]
    assert rows["extra"].to_list() == [None, '{"studies":"none"}']


def test_studies_are_of_trials_alone() -> None:
    with pytest.raises(FormatError, match="no record has 'title': found 'studies'; expected"):
        raw_rows("pubmed.json", json.dumps(page(study())).encode(), PUBMED)


def test_a_damaged_study_does_not_take_the_page_along() -> None:
    text = json.dumps(page(*TWO)).replace('"nctId": "NCT00000001"', '"nctId" "NCT00000001"')
    rows = read(text)
    assert rows["id"].to_list() == [None, "NCT00000002"]
    assert issues(rows) == [["invalid_json"], []]


def test_a_page_may_be_longer_than_a_record(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(json_document, "MAX_RECORD_CHARS", 300_000)
    monkeypatch.setattr(json_document, "_DECIDING_CHARS", 20_000)
    studies = [study(number) for number in range(900)]
    text = json.dumps(page(*studies, nextPageToken="x"))
    assert len(text) > 3 * 300_000
    assert read(text)["id"].to_list() == [f"NCT{n:08}" for n in range(900)]


def test_a_page_cut_anywhere_is_refused_by_name() -> None:
    text = json.dumps(page({"protocolSection": {"a": [1, "x"]}}, nextPageToken="abc"))
    for end in range(1, len(text)):
        with pytest.raises(FormatError, match=r"^clinical_trials\.json: "):
            read(text[:end])


@settings(max_examples=40)
@given(st.lists(st.integers(1, 9), max_size=6), st.integers(1, 400), st.booleans())
def test_the_size_of_blocks_makes_no_difference(
    numbers: list[int], size: int, indented: bool
) -> None:
    text = json.dumps(page(*map(study, numbers), nextPageToken="é"), indent=indented or None)
    data = text.encode()
    chunks = (data[start : start + size] for start in range(0, len(data), size))
    rows = pl.concat(json_records.read_batches(SHAPE, "clinical_trials.json", chunks))
    assert rows["id"].to_list() == [f"NCT{n:08}" for n in numbers]


@pytest.mark.slow
def test_pages_one_after_the_other_may_be_cut_into_blocks_at_any_place() -> None:
    long = page(*map(study, range(1, 7)), nextPageToken="é")
    pages = [long, page(study(7)), study(8), page(study(9))]
    data = "\n".join(json.dumps(each, ensure_ascii=False) for each in pages).encode()
    beginnings = [place for place, byte in enumerate(data) if byte == ord("\n")]
    near = {begin + away for begin in beginnings for away in range(-30, 30)}
    for cut in sorted({*near, *range(1, len(data), 11)}):
        batches = json_records.read_batches(SHAPE, "clinical_trials.json", [data[:cut], data[cut:]])
        rows = pl.concat(batches)
        assert rows["id"].to_list() == [f"NCT{n:08}" for n in range(1, 10)], cut


def test_the_studies_of_a_page_may_begin_after_a_long_token() -> None:
    head = json.dumps({"token": "", "studies": []}).index("[") + 1
    text = json.dumps({"token": "x" * (4096 - head), "studies": TWO})
    assert text[4095] == "["
    blocks = [text[:4095].encode(), text[4095:].encode()]
    rows = pl.concat(json_records.read_batches(SHAPE, "clinical_trials.json", blocks))
    assert rows["id"].to_list() == ["NCT00000001", "NCT00000002"]


@pytest.mark.parametrize(
    ("text", "where"),
    [
        ('{"studies": [{"title":1}', "line 1, byte 24 of its text, inside an array that is never"),
        ('{"studies": [{"title":1}\n, \n', "line 3, byte 28 of its text, inside an array"),
        ('{"studies": [{"title":1}],\n"a": "é', "line 2, byte 35 of its text, inside a page of re"),
        ('{"studies": []}\n{"studies": []', "line 2, byte 30 of its text, inside a record"),
        ('{"studies": [{"title":1}],\n"a": 1,', "line 2, byte 34 of its text, inside a page of r"),
        ('{"a": 1, "stud', "line 1, byte 14 of its text, inside a record"),
    ],
)
def test_a_cut_page_is_refused_with_its_end(text: str, where: str) -> None:
    with pytest.raises(FormatError, match=f"cut: ends at {where}"):
        read(text)


CURRENT = (
    "NCT Number,Study Title,Study URL,Study Status,Conditions,Sponsor,Collaborators,Phases,"
    "Start Date\n"
    'NCT1,"Aspirin, Again",https://x.test,COMPLETED,Pain,Hospital,A|B,PHASE1|PHASE2,2018-09-20\n'
)
LEGACY = (
    "Rank,NCT Number,Title,Acronym,Status,Study Results,Conditions,Sponsor/Collaborators,Phases,"
    "Start Date,URL\n"
    '1,NCT1,"Aspirin, Again",,Completed,No,Pain,Hospital|A|B,Phase 1|Phase 2,'
    '"September 20, 2018",https://x.test\n'
)


def test_the_current_export() -> None:
    (row,) = read(CURRENT, "clinical_trials.csv").to_dicts()
    assert {field: row[field] for field in FIELDS} == expected(
        id="NCT1",
        scientific_title=None,
        brief_title="Aspirin, Again",
        date="2018-09-20",
        phase="PHASE1|PHASE2",
        sponsor="Hospital",
        last_update=None,
        reference_pmids=None,
        result_pmids=None,
        derived_pmids=None,
    )
    assert json.loads(row["extra"])["Collaborators"] == "A|B"


def test_the_legacy_export() -> None:
    (row,) = read(LEGACY, "clinical_trials.csv").to_dicts()
    assert {field: row[field] for field in FIELDS} == expected(
        id="NCT1",
        scientific_title="Aspirin, Again",
        brief_title=None,
        date="September 20, 2018",
        status="Completed",
        phase="Phase 1|Phase 2",
        sponsor="Hospital|A|B",
        last_update=None,
        reference_pmids=None,
        result_pmids=None,
        derived_pmids=None,
    )


@pytest.mark.skipif(not REAL.is_dir(), reason="shared/real_inputs/clinical_trials is not there")
def test_real_studies() -> None:
    paths = sorted(REAL.glob("*.json"))
    assert paths
    for path in paths:
        data = path.read_bytes()
        protocol = json.loads(data)["protocolSection"]
        (row,) = raw_rows(f"clinical_trials/{path.name}", data, CLINICAL_TRIALS).to_dicts()
        title = protocol["identificationModule"]
        assert (row["id"], row["brief_title"]) == (title["nctId"], title["briefTitle"])
        references = protocol.get("referencesModule", {}).get("references", [])
        pmids = [reference["pmid"] for reference in references if "pmid" in reference]
        assert row["reference_pmids"] == ("|".join(pmids) or None)
    exports = sorted(REAL.glob("*.csv"))
    assert exports
    for path in exports:
        rows = raw_rows(f"clinical_trials/{path.name}", path.read_bytes(), CLINICAL_TRIALS)
        assert rows.height
        assert rows.select("id", "brief_title", "status", "sponsor", "date").null_count().row(
            0
        ) == ((0,) * 5)
