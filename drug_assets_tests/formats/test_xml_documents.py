"""PubMed's XML that is several documents, or damaged: each record is read, or rejected alone."""

from __future__ import annotations

import gzip
import itertools
import json
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from drug_assets.formats import FormatError, pubmed_xml, xml_documents, xml_records
from drug_assets_tests.support.articles import Article, articles, to_xml, to_xml_record
from drug_assets_tests.support.frames import fields, issues, raw_rows

if TYPE_CHECKING:
    import polars as pl

ARTICLES = [Article(pmid=str(n), title=f"On aspirin, part {n}") for n in range(1, 6)]
RECORDS = [to_xml_record(article) for article in ARTICLES]
OPENING, CLOSING = to_xml([]).split(b"<PubmedArticleSet>\n")
OPENING += b"<PubmedArticleSet>\n"


def document(*records: bytes) -> bytes:
    return OPENING + b"\n".join(records) + b"\n" + CLOSING


def read(data: bytes) -> pl.DataFrame:
    return raw_rows("pubmed.xml", data)


def with_damage(damage: bytes, at: int = 2) -> bytes:
    """A document of all records, with some bytes put into the title of one."""
    damaged = RECORDS[at].replace(b"aspirin", b"aspi" + damage + b"rin")
    return document(*RECORDS[:at], damaged, *RECORDS[at + 1 :])


WHOLE = read(document(*RECORDS))


@pytest.mark.parametrize("between", ["", "\n", "\r\n\r\n", "\ufeff", "\n\ufeff", "\0\x1a"])
def test_documents_one_behind_the_other_are_one_file(between: str) -> None:
    parts = (document(*RECORDS[:2]), document(), document(*RECORDS[2:]))
    assert read(between.encode().join(parts)).equals(WHOLE)


def test_packed_documents_one_behind_the_other_are_one_file() -> None:
    packed = gzip.compress(document(*RECORDS[:2])) + gzip.compress(document(*RECORDS[2:]))
    assert read(packed).equals(WHOLE)


@pytest.mark.parametrize("before", ["\n", "\r\n \t", "\ufeff\n"])
def test_blank_lines_may_stand_before_the_declaration(before: str) -> None:
    data = before.encode() + document(*RECORDS)
    assert read(data).equals(WHOLE)
    pieces = xml_records._parse_in_pieces(pubmed_xml.KIND, [data])
    assert sum(map(len, pieces)) == len(RECORDS)


@pytest.mark.slow
@settings(max_examples=40, deadline=None)
@given(st.lists(articles(), max_size=8), st.lists(st.integers(0, 8), max_size=4), st.data())
def test_a_set_may_be_cut_into_documents_and_members(
    listed: list[Article], cuts: list[int], data: st.DataObject
) -> None:
    whole = raw_rows("pubmed.xml", to_xml(listed))
    places = [0, *sorted(min(cut, len(listed)) for cut in cuts), len(listed)]
    parts = [listed[start:end] for start, end in itertools.pairwise(places)]
    pieces = []
    for part in parts:
        root = data.draw(st.sampled_from(["PubmedArticleSet", "MedlineCitationSet"]))
        pieces.append(to_xml(part, root=root))
    assert raw_rows("pubmed.xml", b"".join(pieces)).equals(whole)
    assert raw_rows("pubmed.xml", b"".join(map(gzip.compress, pieces))).equals(whole)


def test_records_may_be_documents_of_their_own() -> None:
    assert read(b"\n".join(RECORDS)).equals(WHOLE)


@pytest.mark.parametrize(
    ("damage", "title", "issue"),
    [
        (b"\xe9", "On aspiérin, part 3", "not_utf8"),
        (b"\x80\x81", "On aspi€\x81rin, part 3", "not_utf8"),
        (b"\x01\x0b", "On aspirin, part 3", "control_character"),
        (b"\0", "On aspirin, part 3", "control_character"),
        ("\uffff".encode(), "On aspirin, part 3", "control_character"),
        (
            b"&#0;&#x1F;&#31;&#xFFFE;&#xD800;&#99999999999;",
            "On aspirin, part 3",
            "control_character",
        ),
    ],
)
def test_a_bad_character_is_mended(damage: bytes, title: str, issue: str) -> None:
    rows = read(with_damage(damage))
    expected = WHOLE["title"].to_list()
    expected[2] = title
    assert rows["title"].to_list() == expected
    assert issues(rows) == [[], [], [issue], [], []]


def test_a_character_that_xml_allows_is_no_damage_beside_one_that_it_forbids() -> None:
    rows = read(with_damage(b"&#946;&#x9;&#x1F600;\x02"))
    assert rows["title"].to_list()[2] == "On aspiβ\t\U0001f600rin, part 3"


@pytest.mark.parametrize(
    "damage", [b"&", b"<", b"</i>", b"<i>", b"&eacute;", b"]]>", b"<!--", b"a='<'", b"\xe9&"]
)
def test_what_cannot_be_mended_costs_its_own_record(damage: bytes) -> None:
    rows = read(with_damage(damage))
    others = [0, 1, 3, 4]
    assert rows[others].equals(WHOLE[others])
    assert fields(rows, "id", "title")[2] == (None, None)
    assert "damaged_record" in issues(rows)[2]
    assert "On aspi" in json.loads(rows["extra"][2])["raw"]


def test_the_text_of_a_damaged_record_is_kept_up_to_a_limit() -> None:
    rows = read(with_damage(b"&" + b"x" * 50_000))
    assert 9_000 < len(rows["extra"][2]) < 11_000


@pytest.mark.slow
@settings(max_examples=60, deadline=None)
@given(
    at=st.integers(0, 4),
    place=st.floats(0, 1, exclude_max=True),
    damage=st.binary(min_size=1, max_size=8).filter(lambda damage: not {*b"</>"} & {*damage}),
)
def test_damage_within_a_record_never_changes_another(at: int, place: float, damage: bytes) -> None:
    record = RECORDS[at]
    start, end = record.index(b"<MedlineCitation"), record.index(b"</MedlineCitation>")
    where = start + int(place * (end - start))
    damaged = record[:where] + damage + record[where:]
    rows = read(document(*RECORDS[:at], damaged, *RECORDS[at + 1 :]))
    others = [n for n in range(5) if n != at]
    assert rows.height == 5
    assert rows[others].equals(WHOLE[others])


@pytest.mark.parametrize(
    ("broken", "told"),
    [
        (document(*RECORDS).replace(b"</PubmedArticle>", b"", 1), "what begins on line 4 does not"),
        (document(*RECORDS).replace(CLOSING, b""), "what begins on line 3 does not end"),
        (
            document(*RECORDS) + b"</PubmedArticleSet>",
            "ArticleSet> on line 10 ends nothing",
        ),
        (document(*RECORDS) + b"\n<!-- end", "what begins on line 11 does not end"),
        (document(*RECORDS) + OPENING, "what begins on line 12 does not end"),
        (document(*RECORDS) + OPENING[:90], "what begins on line 11 does not end"),
        (document(RECORDS[0]) + b"\nrate limit", "a text stands between its records, on line 7"),
        (document(RECORDS[0], b"<Article/>"), "Article on line 5 is no record"),
        (document(b"rate limit", RECORDS[0]), "a text stands between its records, on line 3"),
        (document(RECORDS[0], b"Out &#38; about"), "records, on line 3: 'Out & about'"),
    ],
)
def test_a_broken_structure_is_refused_with_its_line(broken: bytes, told: str) -> None:
    with pytest.raises(FormatError) as refused:
        read(broken)
    assert str(refused.value).startswith("pubmed.xml: ")
    assert told in str(refused.value)


@pytest.mark.parametrize(
    "page",
    [
        document(b"<ERROR>Out of order, api_key=secret of https://ask.test/x?y=1</ERROR>"),
        document(
            *RECORDS, b"<ERROR>Out of order, api_key=secret of https://ask.test/x?y=1</ERROR>"
        ),
        document(b"<ERROR>Out of order, api_key=secret of https://ask.test/x?y=1</ERROR>").replace(
            CLOSING, b""
        ),
        b"<eFetchResult>\n<ERROR>Out of order, api_key=secret of https://ask.test/x?y=1</ERROR></eFetchResult>",
    ],
)
def test_the_error_of_a_service_refuses_its_page(page: bytes) -> None:
    with pytest.raises(FormatError, match=r"^pubmed\.xml: .*'Out of order, api_key=") as refused:
        read(page)
    assert "secret" not in str(refused.value)
    assert "ask.test" not in str(refused.value)


def test_records_without_any_title_are_refused_by_their_elements() -> None:
    record = b"<PubmedArticle><MedlineCitation><PMID>1</PMID></MedlineCitation></PubmedArticle>"
    with pytest.raises(FormatError, match=r"no record has 'title': found .*'MedlineCitation'"):
        read(document(record))
    assert read(document(record, RECORDS[0])).height == 2
    assert read(document(b"<DeleteCitation><PMID>1</PMID></DeleteCitation>")).height == 1


def test_entities_of_its_own_are_refused_in_a_damaged_file() -> None:
    declared = document(*RECORDS).replace(b'.dtd">', b'.dtd" [<!ENTITY o "0">]>', 1)
    assert read(declared).equals(WHOLE)
    with pytest.raises(FormatError, match="not well-formed XML, or hostile: line"):
        read(declared.replace(b"aspirin", b"aspi&rin", 1))


def test_an_absurd_depth_is_refused_in_a_damaged_file() -> None:
    deep = with_damage(b"&").replace(b"part 5", b"<i>" * 300 + b"</i>" * 300)
    with pytest.raises(FormatError, match=r"hostile: the record on line 8: Excessive depth"):
        read(deep)


def _latin(text: bytes) -> bytes:
    return text.replace(b"utf-8", b"ISO-8859-1").replace(b"aspirin", b"m\xe9doc")


def test_documents_may_have_different_encodings() -> None:
    titles = read(_latin(document(RECORDS[0])) + document(RECORDS[1]))["title"].to_list()
    assert titles == ["On médoc, part 1", "On aspirin, part 2"]


@pytest.mark.parametrize("declared", [b"utf-8", b"utf-16"])
@pytest.mark.parametrize("half", ["", "\ud800"])
def test_a_file_in_utf_16_is_mended_too(declared: bytes, half: str) -> None:
    parts = (with_damage(b"&#0;").replace(b"utf-8", declared), document(*RECORDS[:1]))
    text = "".join(part.decode() for part in parts).replace("part 5", f"part 5{half}")
    rows = read(text.encode("utf-16", "surrogatepass"))
    assert rows["id"].to_list() == ["1", "2", "3", "4", "5", "1"]
    assert rows["title"][4] == f"On aspirin, part 5{half and chr(0xFFFD)}"
    assert issues(rows)[2] == ["control_character"]
    assert issues(rows)[4] == (["invalid_unicode"] if half else [])


def test_damage_in_an_encoding_that_is_not_followed_is_refused() -> None:
    damaged = with_damage(b"&").replace(b"utf-8", b"EBCDIC-CP-BE")
    for data in (damaged, with_damage(b"&").decode().encode("utf-16-le")):
        with pytest.raises(FormatError, match=r"^pubmed\.xml: "):
            read(data)


def test_the_size_of_chunks_makes_no_difference() -> None:
    data = b"\xef\xbb\xbf" + with_damage(b"\xe9&#0;") + b"\n\xef\xbb\xbf" + document(*RECORDS)
    whole = [record.text for record in xml_documents.split_records(pubmed_xml.KIND, "f", [data])]
    for size in (1, 2, 7, 1000):
        chunks = [data[at : at + size] for at in range(0, len(data), size)]
        assert [r.text for r in xml_documents.split_records(pubmed_xml.KIND, "f", chunks)] == whole


def test_a_record_without_end_is_refused_before_it_fills_the_memory(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(xml_documents, "MAX_RECORD_CHARS", 10_000)
    with pytest.raises(FormatError, match="a record or tag that begins on line 6 is longer than"):
        read(with_damage(b"&" + b"x" * 1_000_000))


@pytest.mark.parametrize(
    ("declared", "encoding"), [("windows-1252", "cp1252"), ("UTF-16", "utf-8"), ("utf-8", "utf-8")]
)
def test_a_bad_byte_costs_no_record_whatever_the_declaration(declared: str, encoding: str) -> None:
    records = b"".join(
        f"<MedlineCitation><PMID>{n}</PMID><Article><ArticleTitle>é{n}</ArticleTitle></Article>"
        "</MedlineCitation>".encode(encoding)
        for n in (1, 2)
    ).replace(b"2</Art", b"2\x81</Art", 1)
    head = f'<?xml version="1.0" encoding="{declared}"?>'.encode()
    rows = read(head + b"<MedlineCitationSet>" + records + b"</MedlineCitationSet>")
    assert rows["title"].to_list() == ["é1", "é2\x81"]
    assert issues(rows) == [[], ["not_utf8"]]
