"""MEDLINE text -> raw rows: the same as from XML; lines out of shape cost nothing else."""

from __future__ import annotations

import gzip
from typing import TYPE_CHECKING

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from drug_assets.formats import FormatError, detect_format, medline
from drug_assets.formats import raw_rows as batching
from drug_assets_tests.support.articles import Article, articles, to_medline, to_xml
from drug_assets_tests.support.frames import fields, issues, raw_rows
from drug_assets_tests.support.pipeline import make_all
from drug_assets_tests.support.registry import DRUGS, PUBMED

if TYPE_CHECKING:
    from pathlib import Path

TWO = [Article(pmid="1", title="On aspirin"), Article(pmid="2", title="On caffeine")]


def read(text: str | bytes, name: str = "pubmed.nbib") -> pl.DataFrame:
    return raw_rows(name, text.encode() if isinstance(text, str) else text)


def test_fields_of_a_record() -> None:
    rows = read(
        "PMID- 31\nOWN - NLM\nSTAT- MEDLINE\nLR  - 20240603\nIS  - 1111-2222 (Electronic)\n"
        "IS  - 3333-444X (Linking)\nTI  - [On aspirin: a title that\n      goes on].\n"
        "TT  - Über Aspirin.\nDP  - 2020 Spring\nAB  - Not this,\n      nor that.\n"
        "SI  - ClinicalTrials.gov/NCT00000001\nSI  - GENBANK/AB000001\n"
        "SI  - ISRCTN/ISRCTN00000002\n"
        "PT  - Journal Article\nPT  - Retracted Publication\nDEP - 20191231\nTA  - Acta Tests\n"
        "JT  - Acta of tests\nJID - 0375267\nRIN - Acta. 2021;1(1):1. doi: 10.1/x.\n"
        "      PMID: 32\nCIN - Acta. 2022\nCRDT- 2018/01/01 06:00\nSO  - Acta. 2020\n"
    )
    assert rows.drop("source_file", "source_row", "extra", "read_issues").to_dicts() == [
        {
            "id": "31",
            "title": "[On aspirin: a title that goes on].",
            "date": None,
            "journal": "Acta of tests",
            "nlm_id": "0375267",
            "issn": "3333-444X|1111-2222",
            "version": None,
            "citation_status": "MEDLINE",
            "vernacular_title": "Über Aspirin.",
            "publication_types": "Journal Article|Retracted Publication",
            "print_date": "2020 Spring",
            "electronic_date": "2019-12-31",
            "date_revised": "2024-06-03",
            "journal_abbreviations": "Acta Tests",
            "corrections": "RetractionIn 32|CommentIn",
            "trial_ids": "NCT00000001|ISRCTN00000002",
        }
    ]


@pytest.mark.slow
@settings(max_examples=40, deadline=None)
@given(st.lists(articles(), min_size=1, max_size=6))
def test_articles_are_the_same_rows_as_in_xml(listed: list[Article]) -> None:
    ignored = ("source_file", "version")
    from_xml = raw_rows("pubmed.xml", to_xml(listed)).drop(ignored)
    assert read(to_medline(listed)).drop(ignored).equals(from_xml)


@pytest.mark.slow
def test_articles_are_the_same_publications_as_in_xml(tmp_path: Path) -> None:
    listed = [
        Article(pmid="1", title="On aspirin & caffeine", electronic=(2019, 12, 3)),
        Article(pmid="2", title="On aspirin, again", corrections=(("RetractionIn", "3"),)),
        Article(pmid="3", title="Retraction: on aspirin", corrections=(("RetractionOf", "2"),)),
        Article(pmid="4", title="On caffeine", printed=(2020,), trials=("NCT00000001",)),
        Article(pmid="5", title="On α<β", types=("Letter", "Retracted Publication")),
    ]
    made = {}
    for name, files in {
        "xml": {"pubmed.xml": to_xml(listed)},
        "medline": {"pubmed.nbib": to_medline(listed)},
        "both": {"pubmed.nbib": to_medline(listed), "pubmed.xml": to_xml(listed)},
    }.items():
        zone = tmp_path / name / "zone"
        zone.mkdir(parents=True)
        (zone / "drugs.csv").write_text("atccode,drug\nN02BA01,Aspirin\nN06BC01,Caffeine\n")
        for file, content in files.items():
            (zone / file).write_bytes(content)
        made[name] = make_all(zone, tmp_path / name / "store").tables
    for table in ("pubmed", "mentions", "top_journal"):
        from_xml, *others = (
            made[name][table].drop("source_file", "source_row", strict=False) for name in made
        )
        assert from_xml.height
        for other in others:
            assert other.equals(from_xml), table


@pytest.mark.parametrize(
    "name", ["pubmed.nbib", "pubmed.medline", "pubmed.txt", "pubmed.nbib.gz", "pubmed-aspirin-set"]
)
@pytest.mark.parametrize("before", ["", "\n", "\ufeff", "\ufeff\r\n\n"])
def test_the_format_is_told_by_name_or_content(name: str, before: str) -> None:
    data = before.encode() + to_medline(TWO)
    data = gzip.compress(data) if name.endswith(".gz") else data
    assert detect_format(PUBMED.record_shape(), name, data) == "medline"
    assert fields(read(data, name), "id", "title") == [("1", "On aspirin"), ("2", "On caffeine")]


@pytest.mark.parametrize("name", ["pubmed.csv", "pubmed.json", "pubmed.xml"])
def test_a_name_of_another_format_is_refused(name: str) -> None:
    with pytest.raises(FormatError, match="its content is medline"):
        read(to_medline(TWO), name)


@pytest.mark.parametrize("name", ["pubmed.nbib", "pubmed.txt"])
@pytest.mark.parametrize(
    ("content", "kind"),
    [
        ("TY  - JOUR\nTI  - On aspirin\nER  - \n", "RIS"),
        ("\n@article{one, title={On aspirin}}\n", "BibTeX"),
        ("%0 Journal Article\n%T On aspirin\n", "EndNote"),
    ],
)
def test_other_formats_of_citations_are_refused_by_name(name: str, content: str, kind: str) -> None:
    with pytest.raises(FormatError, match=f"{name}: .* its content is {kind}, which is not read"):
        read(content, name)


def test_medline_text_of_another_source_is_not_read() -> None:
    assert detect_format(DRUGS.record_shape(), "drugs.nbib", to_medline(TWO)) is None


def test_a_csv_file_that_names_pmids_is_no_medline_text() -> None:
    rows = read('PMID,title\n1,PMID- 7\n2,"PMID- 8"\n', "pubmed.txt")
    assert rows["id"].to_list() == ["1", "2"]


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("between", ["", "\n", "\n\n \t\n"])
def test_records_may_be_apart_or_not_and_lines_end_in_any_way(end: str, between: str) -> None:
    text = between.join(to_medline([article]).decode() for article in TWO)
    assert fields(read(text.replace("\n", end)), "id", "title", "journal") == [
        ("1", "On aspirin", "Journal of invented tests"),
        ("2", "On caffeine", "Journal of invented tests"),
    ]


def test_a_blank_line_after_each_line_changes_nothing() -> None:
    text = to_medline(TWO)
    assert read(text.replace(b"\n", b"\n\n")).equals(read(text))


def test_a_record_without_pmid_begins_after_a_blank_line() -> None:
    text = to_medline(TWO).replace(b"PMID- 2\n", b"")
    assert read(text)["id"].to_list() == ["1", None]
    assert read(text)["title"].to_list() == ["On aspirin", "On caffeine"]


@pytest.mark.parametrize("line", ["rubbish", "-", "ti - small", "%ERROR%", "TOOLONG- x", "1: "])
@pytest.mark.parametrize("at", [0, 1, 5, 9])
def test_a_line_of_rubbish_costs_nothing_else(line: str, at: int) -> None:
    lines = to_medline(TWO).decode().splitlines()
    rows = read("\n".join([*lines[:at], line, *lines[at:]]))
    kept = ("source_row", "id", "title", "journal", "print_date", "publication_types")
    assert fields(rows, *kept) == fields(read(to_medline(TWO)), *kept)
    assert issues(rows) == [["stray_line"], []]
    assert rows["extra"].to_list() == [f'{{"raw":"{line}"}}', None]


def test_bytes_that_are_not_utf_8_flag_their_record() -> None:
    rows = read(to_medline(TWO).replace(b"On aspirin", b"On m\xe9doc"))
    assert rows["title"].to_list() == ["On médoc", "On caffeine"]
    assert issues(rows) == [["not_utf8"], []]


def test_a_book_is_known_by_its_own_title() -> None:
    rows = read("PMID- 1\nBTI - Book of tests\nDP  - 2012\n\nPMID- 2\nTI  - Aspirin\nBTI - Book\n")
    assert rows["title"].to_list() == ["Book of tests", "Aspirin"]


def test_records_without_any_title_are_refused_by_their_tags() -> None:
    with pytest.raises(FormatError, match="no record has 'title': found 'OWN', 'PMID'"):
        read("PMID- 1\nOWN - NLM\n")


@pytest.mark.parametrize("content", [b"", b"\n \r\n", b"\xef\xbb\xbf"])
def test_an_empty_file_has_no_rows(content: bytes) -> None:
    assert read(content).height == 0


@pytest.mark.parametrize("size", [1, 2, 7, 100])
def test_the_size_of_chunks_makes_no_difference(size: int) -> None:
    data = to_medline(TWO).replace(b"\n", b"\r\n")
    chunks = [data[at : at + size] for at in range(0, len(data), size)]
    rows = pl.concat(medline.read_batches(PUBMED.record_shape(), "pubmed.nbib", chunks))
    assert rows.equals(read(data))


def test_batches_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(batching, "BATCH_RECORDS", 10)
    data = to_medline(Article(pmid=str(n)) for n in range(35))
    batches = list(medline.read_batches(PUBMED.record_shape(), "pubmed.nbib", [data]))
    assert [batch.height for batch in batches] == [10, 10, 10, 5]
    assert pl.concat(batches)["source_row"].to_list() == list(range(1, 36))


def test_a_record_or_line_without_end_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(medline, "MAX_RECORD_CHARS", 1000)
    text = to_medline(TWO[:1]).decode()
    with pytest.raises(FormatError, match=r"the record that begins on line 1 is longer than 1000"):
        read(text + "      more\n" * 200)
    chunks = [text.encode(), *[b"x" * 100] * 20]
    with pytest.raises(FormatError, match="a line is longer than 1000 characters"):
        list(medline.read_batches(PUBMED.record_shape(), "pubmed.nbib", chunks))


def test_an_error_of_a_service_among_records_refuses_the_file() -> None:
    error = '{"error":"API rate limit exceeded","api-key":"198.51.100.1"}'
    with pytest.raises(FormatError, match=r"line 3 is an error .* rate limit exceeded'"):
        read(f"PMID- 1\nTI  - a\n{error}\n\nPMID- 2\nTI  - b\n")
