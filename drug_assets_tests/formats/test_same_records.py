"""The same records in any format give the same publications, and rubbish costs no other record."""

from __future__ import annotations

import csv
import datetime as dt
import io
import json
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from drug_assets.cleaning.publications import clean_publications, collect_journals
from drug_assets.contracts import RawRecord
from drug_assets_tests.support.articles import Article, articles, to_medline, to_xml, to_xml_record
from drug_assets_tests.support.drugbank import Drug, drugs, to_drugbank_xml
from drug_assets_tests.support.frames import raw_rows
from drug_assets_tests.support.mesh import Record, descriptors, to_mesh_xml
from drug_assets_tests.support.registry import DRUGS, PUBMED

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    import polars as pl

    Rows = Sequence[Mapping[str, str | None]]

#: Where a record stands in its file differs; MEDLINE text has no version.
_OF_FILES = ("source_file", "source_row", "version")


def _to_delimited(rows: Rows, **dialect: str) -> bytes:
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, list(rows[0]), **dialect)  # type: ignore[arg-type]
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue().encode()


def _to_lines(rows: Rows) -> bytes:
    return "\n".join(map(json.dumps, rows)).encode()


#: By the name of a file, how flat records are written.
FLAT: dict[str, Callable[[Rows], bytes]] = {
    "pubmed.csv": _to_delimited,
    "pubmed.tsv": lambda rows: _to_delimited(rows, delimiter="\t", lineterminator="\n"),
    "pubmed.txt": lambda rows: _to_delimited(rows, delimiter=";").decode().encode("utf-16"),
    "pubmed.json": lambda rows: json.dumps(rows).encode(),
    "pubmed.ndjson": _to_lines,
    "pubmed_page.json": lambda rows: json.dumps({"count": 1, "data": {"items": rows}}).encode(),
    "pubmed_members.json": lambda rows: json.dumps(dict(enumerate(rows))).encode(),
}


def _publications(raw: pl.DataFrame) -> list[pl.DataFrame]:
    records = PUBMED.clean_records(raw.lazy())
    cleaned = clean_publications(PUBMED, records, collect_journals([records]))
    return [
        table.collect().drop(_OF_FILES, strict=False) for table in (cleaned.kept, cleaned.merged)
    ]


@pytest.mark.slow
@settings(max_examples=10, deadline=None)
@given(st.lists(articles(), min_size=1, max_size=5))
def test_any_format_gives_the_same_publications(listed: list[Article]) -> None:
    from_xml = raw_rows("pubmed.xml", to_xml(listed))
    rows = from_xml.drop(RawRecord.column_names()).to_dicts()
    expected = _publications(from_xml)
    read = {name: write(rows) for name, write in FLAT.items()}
    read["pubmed.nbib"] = to_medline(listed)
    read["pubmed_set.xml"] = to_xml(listed, "MedlineCitationSet")
    for name, data in read.items():
        for table, wanted in zip(_publications(raw_rows(name, data)), expected, strict=True):
            assert table.equals(wanted), name


_XML_OF_MONTH_13 = to_xml([Article(printed=(2020, 1), electronic=(2019, 12, 20))])
#: An article that was printed in month 13 of 2020, after a day of 2019 that exists.
MONTH_13 = {
    "pubmed.xml": _XML_OF_MONTH_13.replace(b"<Month>Jan</Month>", b"<Month>13</Month>"),
    "pubmed.nbib": b"PMID- 1\nTI  - On aspirin\nDP  - 2020 13\nDEP - 20191220\n",
    "pubmed.csv": b"pmid,title,print_date,electronic_date\n1,On aspirin,2020-13,2019-12-20\n",
    "pubmed_easy.csv": b"pmid,title,year,month,day\n1,On aspirin,2020,13,\n",
    "pubmed_esummary.json": b'[{"uid": "1", "title": "On aspirin", "pubdate": "2020 13", '
    b'"epubdate": "2019 Dec 20"}]',
    "pubmed_csl.json": b'[{"PMID": "1", "title": "On aspirin", "issued": {"date-parts": '
    b'[[2020, 13]]}, "epub-date": {"date-parts": [[2019, 12, 20]]}}]',
}


@pytest.mark.parametrize("name", MONTH_13)
def test_the_year_of_a_month_that_does_not_exist_counts_in_any_format(name: str) -> None:
    (kept, _) = _publications(raw_rows(name, MONTH_13[name]))
    dates = kept.select("date", "date_precision", "issues").rows()
    assert [(day, precision) for day, precision, _ in dates] == [(dt.date(2020, 1, 1), "year")]
    assert "partly_read_date" in dates[0][2]


@pytest.mark.slow
@settings(max_examples=10, deadline=None)
@given(st.lists(drugs(), min_size=1, max_size=4), st.lists(descriptors(), min_size=1, max_size=4))
def test_any_format_gives_the_same_drugs(listed: list[Drug], described: list[Record]) -> None:
    compared = 0
    for xml in (to_drugbank_xml(listed), to_mesh_xml(described)):
        raw = raw_rows("drugs.xml", xml, DRUGS)
        # Only the XML says that a row is no drug.
        raw = raw.filter(raw["read_issues"].list.len() == 0)
        rows = raw.drop(RawRecord.column_names()).to_dicts()
        expected = _drug_records(raw)
        for name, write in FLAT.items() if rows else ():
            flat = raw_rows(name.replace("pubmed", "drugs"), write(rows), DRUGS)
            assert _drug_records(flat).equals(expected), name
            compared += 1
    assert compared


def _drug_records(raw: pl.DataFrame) -> pl.DataFrame:
    return DRUGS.clean_records(raw.lazy()).collect().drop(_OF_FILES, strict=False)


#: Lines that are no record, by the suffix of the files that they are put into. A bracket that no
#: line closes is not among them: a file with one is refused.
RUBBISH = {
    "csv": ["%%%", '"', 'a"b,"c', ",,,,,,,,,,,,,,,,,,,,,,,,,", "\x00\x1f", "�", "a\\", "'"],
    "ndjson": ["%%%", '{"id":', '{"x" 1}', '"a', "nul", "\x00", "{}"],
    "nbib": ["%%%", "PM ID- 3", "\x00", '"', "{"],
}


def _write_lines(suffix: str, listed: list[Article]) -> list[bytes]:
    """The lines, or groups of lines, of a file: what belongs to no record stands in the first."""
    if suffix == "nbib":
        return [b"", *(to_medline([article]) + b"\n" for article in listed)]
    rows = [{"id": article.pmid, "title": article.title, "date": "2020"} for article in listed]
    if suffix == "csv":
        return [line + b"\n" for line in _to_delimited(rows).splitlines()]
    return [b"", *(json.dumps(row).encode() + b"\n" for row in rows)]


@pytest.mark.slow
@pytest.mark.parametrize("suffix", RUBBISH)
@settings(max_examples=30, deadline=None)
@given(data=st.data())
def test_a_line_of_rubbish_changes_no_other_record(suffix: str, data: st.DataObject) -> None:
    listed = [Article(pmid=str(n), title=f'On "aspirin", {n}') for n in range(1, 5)]
    pieces = _write_lines(suffix, listed)
    rubbish = data.draw(st.sampled_from(RUBBISH[suffix])).encode() + b"\n"
    place = data.draw(st.integers(2 if suffix == "nbib" else 1, len(pieces)))
    rows = raw_rows(f"pubmed.{suffix}", b"".join([*pieces[:place], rubbish, *pieces[place:]]))
    kept = rows.filter(rows["title"].is_in([article.title for article in listed]))
    assert kept["title"].to_list() == [article.title for article in listed]
    assert kept["id"].to_list() == [article.pmid for article in listed]


@pytest.mark.slow
@settings(max_examples=30, deadline=None)
@given(st.integers(0, 4), st.sampled_from(["&", "<", "&x;", "\x01", "</i>", "\udc80", "<a b=>"]))
def test_damage_of_a_record_of_xml_changes_no_other_one(place: int, damage: str) -> None:
    records = [to_xml_record(Article(pmid=str(n), title=f"On aspirin {n}")) for n in range(1, 5)]
    damaged = to_xml_record(Article(pmid="9", title="On @")).replace(
        b"@", damage.encode(errors="surrogateescape")
    )
    document = b"".join([*records[:place], damaged, *records[place:]])
    rows = raw_rows("pubmed.xml", b"<PubmedArticleSet>" + document + b"</PubmedArticleSet>")
    kept = rows.filter(rows["id"] != "9")
    assert kept["title"].to_list() == [f"On aspirin {n}" for n in range(1, 5)]
    assert rows.height == 5
