"""PubMed's XML -> raw rows: complete titles, all forms of dates, hostile files refused."""

from __future__ import annotations

import gzip
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias, Union
from unittest import mock
from xml.sax.saxutils import escape

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from lxml import etree

from drug_assets import formats
from drug_assets.formats import FormatError, detect_format, nlm, pubmed_xml, xml_records
from drug_assets.formats import raw_rows as batching
from drug_assets_tests.support.frames import fields, raw_rows
from drug_assets_tests.support.registry import CLINICAL_TRIALS, DRUGS, PUBMED

if TYPE_CHECKING:
    from collections.abc import Iterator

    from drug_assets.sources import Source


Tree: TypeAlias = Union[str, "list[Tree]"]

KIND = pubmed_xml.KIND
REAL = Path(__file__).parents[3] / "shared" / "real_inputs" / "pubmed_xml"
DOCTYPE = (
    '<!DOCTYPE PubmedArticleSet PUBLIC "-//NLM//DTD PubMedArticle, 1st January 2025//EN" '
    '"https://dtd.nlm.nih.gov/ncbi/pubmed/out/pubmed_250101.dtd">'
)
MATHML = 'xmlns:mml="http://www.w3.org/1998/Math/MathML"'


def article(
    title: str = "<ArticleTitle>On aspirin.</ArticleTitle>",
    *,
    pmid: str = '<PMID Version="1">7</PMID>',
    journal: str = "<Title>Journal of Tests</Title>",
    pub_date: str = "<Year>2020</Year>",
    after: str = "",
    info: str = "",
    corrections: str = '<CommentsCorrections RefType="Cites"><PMID>99</PMID></CommentsCorrections>',
) -> str:
    """One article, in the order of the NLM's DTD."""
    return (
        f'<PubmedArticle><MedlineCitation Status="MEDLINE" Owner="NLM">{pmid}'
        "<DateCompleted><Year>1999</Year></DateCompleted><Article>"
        f"<Journal>{journal.replace('<Title>', f'{issue(pub_date)}<Title>')}</Journal>"
        f"{title}<Abstract><AbstractText>Not <i>this</i>.</AbstractText></Abstract>{after}"
        f"</Article><MedlineJournalInfo>{info}</MedlineJournalInfo>"
        f"<CommentsCorrectionsList>{corrections}</CommentsCorrectionsList></MedlineCitation>"
        "<PubmedData><ArticleIdList><ArticleId>98</ArticleId></ArticleIdList></PubmedData>"
        "</PubmedArticle>"
    )


def issue(pub_date: str) -> str:
    return f"<JournalIssue><Volume>1</Volume><PubDate>{pub_date}</PubDate></JournalIssue>"


def document(*records: str) -> bytes:
    lines = '<?xml version="1.0" encoding="UTF-8"?>', DOCTYPE, "<PubmedArticleSet>", *records
    return "\n".join([*lines, "</PubmedArticleSet>"]).encode()


def _cut(data: bytes, size: int) -> list[bytes]:
    return [data[start : start + size] for start in range(0, len(data), size)]


def read(*records: str) -> pl.DataFrame:
    return raw_rows("pubmed.xml", document(*records))


@pytest.mark.parametrize(
    ("markup", "text"),
    [
        ("Plain title.", "Plain title."),
        ("Of <i>E. coli</i> and rats", "Of E. coli and rats"),
        ("<i>In vitro</i>", "In vitro"),
        ("Ca<sup>2+</sup>, CO<sub>2</sub>-rich", "Ca2+, CO2-rich"),
        ("a<b>b<i>c</i>d</b>e<u>f</u>", "abcdef"),
        ("<sup>18</sup>F-<sub><i>x</i></sub> end ", "18F-x end "),
        ("&#x3b1;&#946;&amp;&lt;i&gt; &#8211; caf\u00e9 &quot;x&quot;", 'αβ&<i> – café "x"'),
        ("<![CDATA[<sub> & so on]]>", "<sub> & so on"),
        ("one<!-- not text -->two<?nor this?>three", "onetwothree"),
        (f"K<mml:math {MATHML}><mml:mo>=</mml:mo><mml:mn>5</mml:mn></mml:math> nM", "K=5 nM"),
        ("two\n  lines", "two\n  lines"),
        ("[Aspirin in mice].", "[Aspirin in mice]."),
        ("[Not Available].", "[Not Available]."),
        ("", ""),
    ],
)
def test_a_title_is_its_text(markup: str, text: str) -> None:
    rows = read(article(f"<ArticleTitle>{markup}</ArticleTitle>"))
    assert rows["title"].to_list() == [text]


@pytest.mark.slow
@settings(max_examples=60)
@given(
    st.recursive(
        # XML allows no noncharacters and few control characters.
        st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs", "Cn"]), max_size=6),
        lambda inner: st.lists(inner, max_size=4),
        max_leaves=12,
    )
)
def test_no_character_of_a_title_is_lost_or_glued(tree: Tree) -> None:
    def markup(node: Tree) -> str:
        if isinstance(node, str):
            return escape(node)
        return f"<sub>{''.join(map(markup, node))}</sub>"

    def leaves(node: Tree) -> str:
        return node if isinstance(node, str) else "".join(map(leaves, node))

    title = f"<ArticleTitle>{markup(tree)}</ArticleTitle>"
    assert read(article(title))["title"].to_list() == [leaves(tree)]


def test_fields_of_an_article() -> None:
    rows = read(
        article(
            pmid='<PMID Version="2">31</PMID><DateRevised><Year>2024</Year><Month>06</Month>'
            "<Day>03</Day></DateRevised>",
            journal='<ISSN IssnType="Print">1111-2222</ISSN><Title>Acta of Tests</Title>'
            "<ISOAbbreviation>Acta Tests</ISOAbbreviation>",
            after="<VernacularTitle>Über <i>Aspirin</i>.</VernacularTitle><PublicationTypeList>"
            '<PublicationType UI="D016428">Journal Article</PublicationType>'
            '<PublicationType UI="D016441">Retracted Publication</PublicationType>'
            "</PublicationTypeList><ArticleDate><Year>2019</Year><Month>12</Month></ArticleDate>",
            info="<MedlineTA>Acta Tests (Paris)</MedlineTA><NlmUniqueID>0375267</NlmUniqueID>",
            corrections='<CommentsCorrections RefType="RetractionIn"><RefSource>Acta</RefSource>'
            '<PMID Version="1">32</PMID></CommentsCorrections>',
        )
    )
    assert rows.drop("source_file", "source_row", "read_issues").to_dicts() == [
        {
            "extra": None,
            "id": "31",
            "title": "On aspirin.",
            "date": None,
            "journal": "Acta of Tests",
            "nlm_id": "0375267",
            "issn": "1111-2222",
            "version": "2",
            "citation_status": "MEDLINE",
            "vernacular_title": "Über Aspirin.",
            "publication_types": "Journal Article|Retracted Publication",
            "print_date": "2020",
            "electronic_date": "2019-12",
            "date_revised": "2024-06-03",
            "journal_abbreviations": "Acta Tests|Acta Tests (Paris)",
            "corrections": "RetractionIn 32",
            "trial_ids": None,
        }
    ]


@pytest.mark.parametrize(
    ("iso", "medline", "known"),
    [
        ("Acta Tests", "Acta Tests", "Acta Tests"),
        ("Acta Tests", "", "Acta Tests"),
        ("", "Acta Tests", "Acta Tests"),
        ("Acta", "Tests", "Acta|Tests"),
        ("", "", None),
    ],
)
def test_abbreviations_of_a_journal_stand_once(iso: str, medline: str, known: str | None) -> None:
    rows = read(
        article(
            journal=f"<Title>Acta of Tests</Title><ISOAbbreviation>{iso}</ISOAbbreviation>",
            info=f"<MedlineTA>{medline}</MedlineTA>",
        )
    )
    assert rows["journal_abbreviations"].to_list() == [known]


def test_corrections_are_told_by_kind_and_article() -> None:
    kinds = [("RetractionOf", 1), ("ErratumIn", 2), ("Cites", 3), ("CommentIn", None)]
    corrections = "".join(
        f'<CommentsCorrections RefType="{kind}"><RefSource>Acta</RefSource>'
        f"{f'<PMID>{pmid}</PMID>' if pmid else ''}</CommentsCorrections>"
        for kind, pmid in [*kinds, kinds[0]]
    )
    rows = read(article(corrections=corrections))
    assert rows["corrections"].to_list() == ["RetractionOf 1|ErratumIn 2|CommentIn"]


def test_ids_of_trials_come_from_the_registries_among_the_data_banks() -> None:
    banks = {
        "ClinicalTrials.gov": ["NCT00000001", "NCT00000002"],
        "GENBANK": ["AB000001"],
        " isrctn ": ["ISRCTN00000003", ""],
        "UMIN-CTR": [],
    }
    lists = "".join(
        f"<DataBank><DataBankName>{name}</DataBankName><AccessionNumberList>"
        f"{''.join(f'<AccessionNumber>{number}</AccessionNumber>' for number in numbers)}"
        "</AccessionNumberList></DataBank>"
        for name, numbers in banks.items()
    )
    rows = read(article(after=f"<DataBankList>{lists}</DataBankList>"))
    assert rows["trial_ids"].to_list() == ["NCT00000001|NCT00000002|ISRCTN00000003"]


def test_every_field_but_the_chosen_date_is_read() -> None:
    assert {*nlm.FIELDS, "date"} == {*PUBMED.record_shape().fields}


def test_what_an_article_lacks_is_null() -> None:
    row, _ = read(
        "<PubmedArticle><MedlineCitation><PMID>5</PMID><Article/></MedlineCitation></PubmedArticle>",
        article(),
    ).to_dicts()
    known = {name for name, value in row.items() if value is not None}
    assert known == {"source_file", "source_row", "read_issues", "id"}


_ROW = ("id", "version", "citation_status", "title", "vernacular_title")
_ROW_MORE = ("print_date", "journal", "nlm_id", "issn", "publication_types")


@pytest.mark.parametrize(
    ("inner", "known"),
    [
        ("", {}),
        ("<PubmedData><PMID>1</PMID></PubmedData>", {}),
        ("<MedlineCitation/>", {}),
        ('<MedlineCitation Status="MEDLINE"/>', {"citation_status": "MEDLINE"}),
        ("<MedlineCitation><PMID/></MedlineCitation>", {}),
        (
            (
                "<MedlineCitation><MedlineJournalInfo><NlmUniqueID>3</NlmUniqueID><ISSNLinking>4"
                "</ISSNLinking></MedlineJournalInfo><Article><ArticleTitle>T</ArticleTitle></Article>"
                '<PMID Version="2">1</PMID></MedlineCitation>'
            ),
            {"id": "1", "version": "2", "title": "T", "nlm_id": "3", "issn": "4"},
        ),
        (
            (
                "<MedlineCitation><PMID>1</PMID><MedlineJournalInfo><NlmUniqueID>3</NlmUniqueID>"
                "</MedlineJournalInfo><Article><ArticleTitle>T</ArticleTitle></Article>"
                "</MedlineCitation>"
            ),
            {"id": "1", "title": "T", "nlm_id": "3"},
        ),
        (
            (
                "<MedlineCitation><Article><ArticleTitle>T</ArticleTitle></Article>"
                "<MedlineJournalInfo><ISSNLinking>4</ISSNLinking></MedlineJournalInfo>"
                "<PMID>1</PMID></MedlineCitation>"
            ),
            {"id": "1", "title": "T", "issn": "4"},
        ),
        (
            (
                "<MedlineCitation><Article><Journal><Title>J</Title></Journal><PublicationTypeList/>"
                "</Article></MedlineCitation>"
            ),
            {"journal": "J"},
        ),
        (
            (
                "<MedlineCitation><Article><PublicationTypeList><PublicationType/><PublicationType>R"
                "</PublicationType></PublicationTypeList></Article></MedlineCitation>"
            ),
            {"publication_types": "|R"},
        ),
    ],
)
def test_what_is_there_of_an_article_is_read_in_any_order(
    inner: str, known: dict[str, str]
) -> None:
    rows = read(f"<PubmedArticle>{inner}</PubmedArticle>", article()).head(1)
    found = zip((*_ROW, *_ROW_MORE), *fields(rows, *_ROW, *_ROW_MORE), strict=True)
    assert {name: value for name, value in found if value is not None} == known


@pytest.mark.parametrize(
    ("dates", "text"),
    [
        ("<ArticleDate><Year> 2019 </Year><Month/><Day>3</Day></ArticleDate>", "2019-3"),
        (
            (
                "<ArticleDate><Year>2019</Year></ArticleDate><ArticleDate><Year>2018</Year>"
                "</ArticleDate>"
            ),
            "2019",
        ),
        ("<ArticleDate/><ArticleDate><Year>2018</Year></ArticleDate>", "2018"),
        ("<ArticleDate/>", None),
    ],
)
def test_the_first_electronic_date_with_a_part_counts(dates: str, text: str | None) -> None:
    rows = read(article(after=dates))
    assert fields(rows, "date", "print_date", "electronic_date") == [(None, "2020", text)]


@pytest.mark.parametrize("aside", ["<!-- 1999 -->", "<?by hand?>"])
def test_what_is_no_text_counts_nowhere(aside: str) -> None:
    types = "<PublicationTypeList>{}<PublicationType>Letter</PublicationType></PublicationTypeList>"
    electronic = "<ArticleDate>{}<Year>2019</Year>{}</ArticleDate>"
    rows = read(
        aside,
        article(pub_date=f"{aside}<Year>20{aside}20</Year>", after=types.format(aside)),
        article(after=electronic.format(aside, aside)),
    )
    assert fields(rows, "print_date", "electronic_date") == [("2020", None), ("2020", "2019")]
    assert rows["publication_types"].to_list() == ["Letter", None]


@pytest.mark.parametrize(
    ("linking", "issns"),
    [("3333-444X", "3333-444X|1111-2222"), ("1111-2222", "1111-2222"), ("", "1111-2222")],
)
def test_the_linking_issn_stands_before_the_other(linking: str, issns: str) -> None:
    rows = read(
        article(
            journal="<ISSN>1111-2222</ISSN><Title>Acta of Tests</Title>",
            info=f"<ISSNLinking>{linking}</ISSNLinking>",
        )
    )
    assert rows["issn"].to_list() == [issns]


@pytest.mark.parametrize(
    ("pub_date", "text"),
    [
        ("<Year>2020</Year>", "2020"),
        ("<Year>2020</Year><Month>Jan</Month>", "2020 Jan"),
        ("<Year>2020</Year><Month>02</Month><Day>05</Day>", "2020 02 05"),
        ("\n<Year>2020</Year>\n <Month>Jan</Month>\n <Day>15</Day>\n", "2020 Jan 15"),
        ("<Year>2000</Year><Season>Spring</Season>", "2000 Spring"),
        ("<MedlineDate>1998 Dec-1999 Jan</MedlineDate>", "1998 Dec-1999 Jan"),
        ("<MedlineDate>2000 Spring</MedlineDate>", "2000 Spring"),
        ("<MedlineDate>2022 Jan-Feb</MedlineDate>", "2022 Jan-Feb"),
        ("", None),
    ],
)
def test_every_form_of_publication_date(pub_date: str, text: str | None) -> None:
    assert read(article(pub_date=pub_date))["print_date"].to_list() == [text]


def test_a_book_article_is_known_by_its_own_title_or_the_books() -> None:
    book = (
        "<PubmedBookArticle><BookDocument><PMID Version='1'>{}</PMID>"
        "<Book><Publisher><PublisherName>P</PublisherName></Publisher>"
        "<BookTitle book='b'>Book of <i>Tests</i></BookTitle>"
        "<PubDate><Year>2012</Year></PubDate></Book>{}</BookDocument></PubmedBookArticle>"
    )
    chapter = (
        "<ArticleTitle>Aspirin</ArticleTitle><PublicationType UI='D016454'>Review</PublicationType>"
        "<ContributionDate><Year>2013</Year><Month>Mar</Month></ContributionDate>"
    )
    rows = read(book.format(1, chapter), book.format(2, ""))
    names = ("id", "version", "title", "print_date", "publication_types", "journal")
    assert fields(rows, *names) == [
        ("1", "1", "Aspirin", "2013 Mar", "Review", None),
        ("2", "1", "Book of Tests", "2012", None, None),
    ]


def test_deleted_citations_are_rows_of_their_own() -> None:
    deletion = (
        '<DeleteCitation><PMID Version="1">8</PMID>\n<PMID Version="2">9</PMID></DeleteCitation>'
    )
    rows = read(article(), deletion)
    assert fields(rows, "id", "version", "citation_status", "title") == [
        ("7", "1", "MEDLINE", "On aspirin."),
        ("8", "1", "DeleteCitation", None),
        ("9", "2", "DeleteCitation", None),
    ]


def test_a_set_may_be_empty_or_a_single_article() -> None:
    assert read().height == 0
    assert raw_rows("pubmed.xml", article().encode())["id"].to_list() == ["7"]


@pytest.mark.parametrize("name", ["pubmed24n0001.xml.gz", "pubmed/efetch.fcgi", "PubMed.XML"])
def test_the_format_is_told_by_name_or_content(name: str) -> None:
    data = document(article())
    data = gzip.compress(data) if name.endswith(".gz") else data
    assert detect_format(PUBMED.record_shape(), name, data) == "pubmed_xml"
    assert raw_rows(name, data)["title"].to_list() == ["On aspirin."]


@pytest.mark.parametrize("before", ["", "\ufeff", "\n", " \r\n\t", "\ufeff\n"])
def test_white_space_may_stand_before_the_root(before: str) -> None:
    data = f"{before}<PubmedArticleSet>{article()}</PubmedArticleSet>".encode()
    assert detect_format(PUBMED.record_shape(), "pubmed.xml", data) == "pubmed_xml"
    assert raw_rows("pubmed.xml", data)["title"].to_list() == ["On aspirin."]


@pytest.mark.parametrize(
    ("head", "known"),
    [
        ("<PubmedArticleSet>", True),
        ("<!-- of today -->\n<PubmedArticleSet>", True),
        ("<PubmedArticleSet/>", True),
        ("<PubmedBookArticleSet>", True),
        ("<PubmedArticle>", True),
        ("<DeleteCitation >", True),
        ("<PubmedArticles>", False),
        ("<Other>", False),
        ("PubmedArticleSet", False),
    ],
)
def test_a_root_of_pubmed_tells_the_format_of_a_file_of_no_known_name(
    head: str, known: bool
) -> None:
    found = detect_format(PUBMED.record_shape(), "pubmed.of_today", head.encode())
    assert found == ("pubmed_xml" if known else None)


@pytest.mark.parametrize("source", [DRUGS, CLINICAL_TRIALS])
def test_xml_of_another_source_is_refused(source: Source) -> None:
    name = f"{source.name}.xml"
    with pytest.raises(FormatError, match=f"{name}: not the format it claims"):
        raw_rows(name, document(article()), source)
    assert detect_format(source.record_shape(), source.name, document(article())) is None


def test_encodings_that_the_declaration_names() -> None:
    text = '<?xml version="1.0" encoding="{}"?><PubmedArticleSet>{}</PubmedArticleSet>'
    latin = text.format("ISO-8859-1", article("<ArticleTitle>Médoc</ArticleTitle>"))
    assert raw_rows("pubmed.xml", latin.encode("latin-1"))["title"].to_list() == ["Médoc"]
    wide = text.format("UTF-16", article("<ArticleTitle>Médoc</ArticleTitle>"))
    assert raw_rows("pubmed.xml", wide.encode("utf-16"))["title"].to_list() == ["Médoc"]


WHOLE = document(article(), article(pmid="<PMID>8</PMID>"))


@pytest.mark.slow
def test_a_file_cut_anywhere_is_refused_by_name() -> None:
    for end in range(len(WHOLE)):
        with pytest.raises(FormatError, match=r"^pubmed_x\.xml: "):
            list(formats.read(PUBMED.record_shape(), "pubmed_x.xml", WHOLE[:end]))


def test_what_is_not_well_formed_is_refused_with_its_place_if_nothing_can_be_read() -> None:
    damaged = WHOLE.replace(b"</Journal>", b"</Jornal>")
    with pytest.raises(FormatError, match=r"^pubmed\.xml: not well-formed.* line \d+, column \d+"):
        raw_rows("pubmed.xml", damaged)


def test_other_xml_is_refused_by_its_root() -> None:
    with pytest.raises(FormatError, match=r"^pubmed\.xml: XML, but not PubMed's.* html.* line 2"):
        raw_rows("pubmed.xml", b"<?xml version='1.0'?>\n<html><PubmedArticle/></html>")


def _bomb() -> bytes:
    entities = '<!ENTITY e0 "boom">' + "".join(
        f'<!ENTITY e{n} "{f"&e{n - 1};" * 10}">' for n in range(1, 10)
    )
    title = "<ArticleTitle>&e9;</ArticleTitle>"
    return (
        f"<!DOCTYPE x [{entities}]><PubmedArticleSet>{article(title)}</PubmedArticleSet>".encode()
    )


def _external(place: str) -> bytes:
    title = "<ArticleTitle>&x;</ArticleTitle>"
    start = f'<!DOCTYPE x [<!ENTITY x SYSTEM "{place}">]>'
    return f"{start}<PubmedArticleSet>{article(title)}</PubmedArticleSet>".encode()


@pytest.mark.parametrize(
    "hostile",
    [
        pytest.param(_bomb(), id="entity bomb"),
        pytest.param(_external("http://127.0.0.1:9/x"), id="entity of the network"),
        pytest.param(_external(Path(__file__).as_uri()), id="entity of a file"),
        pytest.param(
            document(article(f"<ArticleTitle>{'<i>' * 260}x{'</i>' * 260}</ArticleTitle>")),
            id="absurd depth",
        ),
        pytest.param(
            document(article("<ArticleTitle>caf&eacute;</ArticleTitle>")), id="unknown entity"
        ),
    ],
)
def test_hostile_files_are_refused(hostile: bytes) -> None:
    with pytest.raises(FormatError, match=r"^pubmed\.xml: not well-formed XML, or hostile"):
        raw_rows("pubmed.xml", hostile)


@pytest.mark.parametrize("size", [1, 7, 100])
def test_the_size_of_chunks_makes_no_difference(size: int) -> None:
    data = document(
        article("<ArticleTitle>α<sub>β</sub>γ</ArticleTitle>"),
        article(),
        "<DeleteCitation><PMID>1</PMID></DeleteCitation>",
    )
    rows = pl.concat(pubmed_xml.read_batches(PUBMED.record_shape(), "pubmed.xml", _cut(data, size)))
    assert rows.equals(raw_rows("pubmed.xml", data))


def test_batches_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(batching, "BATCH_RECORDS", 10)
    monkeypatch.setattr(xml_records, "_USUAL_BYTES", 1000)
    data = document(*(article(pmid=f"<PMID>{n}</PMID>") for n in range(35)))
    batches = list(pubmed_xml.read_batches(PUBMED.record_shape(), "pubmed.xml", _cut(data, 1000)))
    assert all(0 < batch.height < 20 for batch in batches)
    assert pl.concat(batches)["id"].to_list() == [str(n) for n in range(35)]


def test_batches_of_long_records_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(xml_records, "_BATCH_BYTES", 50_000)
    monkeypatch.setattr(xml_records, "_USUAL_BYTES", 1000)
    long = "<ArticleTitle>" + "x" * 10_000 + "</ArticleTitle>"
    data = document(*(article(long, pmid=f"<PMID>{n}</PMID>") for n in range(20)))
    for damage in (b"", b"&"):
        damaged = data.replace(
            b"</PubmedArticleSet>", b"<PubmedArticle>%b</PubmedArticle>" % damage
        )
        chunks = _cut(damaged + b"</PubmedArticleSet>", 1000)
        batches = list(pubmed_xml.read_batches(PUBMED.record_shape(), "pubmed.xml", chunks))
        assert all(0 < batch.height < 10 for batch in batches)
        assert pl.concat(batches)["id"].to_list() == [*map(str, range(20)), None]


def test_a_file_of_usual_size_is_one_batch() -> None:
    for count in (0, 1, 300):
        data = document(*[article()] * count)
        batches = pubmed_xml.read_batches(PUBMED.record_shape(), "pubmed.xml", [data])
        assert [batch.height for batch in batches] == [count]


# A file is read in pieces if possible; the result must be the same as without pieces.


def _read_or_refused(chunks: list[bytes], *, whole: bool) -> list[Any]:
    """All rows of a file and what is odd about them, or the message of its error."""

    def refuse_pieces(*_: object) -> Iterator[list[Any]]:
        raise xml_records._NotInPiecesError
        yield []

    in_pieces = refuse_pieces if whole else xml_records._parse_in_pieces
    odd: dict[int, Any] = {}
    with mock.patch.object(xml_records, "_parse_in_pieces", in_pieces):
        try:
            rows = [
                row for rows in xml_records._parse(KIND, "pubmed.xml", chunks, odd) for row in rows
            ]
        except FormatError as error:
            return [str(error)]
    return [*rows, odd] if odd else rows


@pytest.fixture
def in_small_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    for size in ("_PIECE_BYTES", "_USUAL_BYTES"):
        monkeypatch.setattr(xml_records, size, 1500)
    monkeypatch.setattr(xml_records, "_OPENING_BYTES", 300)
    monkeypatch.setattr(xml_records, "_LONGEST_PIECE_BYTES", 6000)


_ARTICLES = [
    article(f"<ArticleTitle>On <i>aspirin</i> {n}.</ArticleTitle>", pmid=f"<PMID>{n}</PMID>")
    for n in range(9)
]
_SETS = {
    "a line each": document(*_ARTICLES),
    "one line": document("".join(_ARTICLES)),
    "with all else": document(
        *_ARTICLES[:4],
        "<PubmedBookArticle><BookDocument><PMID>50</PMID></BookDocument></PubmedBookArticle>",
        "<!-- </PubmedArticle> -->",
        *_ARTICLES[4:],
        "<DeleteCitation><PMID>1</PMID><PMID>2</PMID></DeleteCitation>",
    ),
    "two documents": document(*_ARTICLES[:4]) + b"\n" + document(*_ARTICLES[4:]),
    "a single article after a set": document(*_ARTICLES[:-1]) + _ARTICLES[-1].encode(),
    "citations alone": document(*(_ARTICLES))
    .replace(b"<PubmedArticle>", b"")
    .replace(b"</PubmedArticle>", b"")
    .replace(b"PubmedArticleSet", b"MedlineCitationSet")
    .replace(
        b"<PubmedData><ArticleIdList><ArticleId>98</ArticleId></ArticleIdList></PubmedData>", b""
    ),
    "its own entity": document(*_ARTICLES)
    .replace(b'250101.dtd">', b'250101.dtd" [<!ENTITY o "0">]>')
    .replace(b"aspirin</i> 8", b"aspirin</i> &o;"),
    "another declaration": document(*_ARTICLES).replace(b"UTF-8", b"ISO-8859-1"),
    "no declaration": document(*_ARTICLES).partition(b"\n")[2],
    "a long article": document(
        *_ARTICLES[:3], article(f"<ArticleTitle>{'long ' * 2000}</ArticleTitle>"), *_ARTICLES[3:]
    ),
}


@pytest.mark.parametrize("data", _SETS.values(), ids=_SETS.keys())
@pytest.mark.usefixtures("in_small_pieces")
def test_pieces_give_the_rows_of_the_whole(data: bytes) -> None:
    rows = _read_or_refused(_cut(data, 700), whole=False)
    assert rows == _read_or_refused([data], whole=True)
    assert len(rows) >= len(_ARTICLES)


@pytest.mark.slow
@settings(
    max_examples=100,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
    deadline=None,
)
@given(
    data=st.sampled_from(list(_SETS.values())),
    place=st.floats(0, 1, exclude_max=True),
    cut_out=st.integers(0, 30),
    put_in=st.sampled_from(
        [b"", b"<", b">", b"&", b"</i>", b"]]>", b"\xff", b"\n\n", b"<!--", b"</PubmedArticle>"]
    ),
)
@pytest.mark.usefixtures("in_small_pieces")
def test_pieces_tell_what_is_wrong_as_the_whole_does(
    data: bytes, place: float, cut_out: int, put_in: bytes
) -> None:
    at = int(place * len(data))
    damaged = data[:at] + put_in + data[at + cut_out :]
    assert _read_or_refused(_cut(damaged, 700), whole=False) == _read_or_refused(
        _cut(damaged, 700), whole=True
    )


_SYSTEM = '<!DOCTYPE PubmedArticleSet SYSTEM "pubmed_250101.dtd">'


@pytest.mark.parametrize("mark", ["", "\ufeff"])
@pytest.mark.parametrize(
    "declaration",
    [
        "",
        '<?xml version="1.0"?>',
        '<?xml version="1.0" ?>\n',
        '<?xml version="1.0" encoding="utf-8"?>\r\n',
        '<?xml version="1.0" encoding="UTF-8" ?>\n\n',
        '<?xml version="1.0" encoding="US-ASCII"?>\n',
    ],
)
@pytest.mark.parametrize(
    "doctype",
    [
        "",
        DOCTYPE,
        f"{DOCTYPE}\n",
        DOCTYPE.replace(" ", "\n  "),
        f"{_SYSTEM}\r\n",
        "<!DOCTYPE PubmedArticleSet >",
        "<!DOCTYPE PubmedArticleSet>\n",
    ],
)
@pytest.mark.parametrize(
    "root", ["<PubmedArticleSet>", "<PubmedArticleSet\n>\n", '<PubmedArticleSet v = "1">']
)
def test_a_file_with_a_usual_beginning_is_read_in_pieces(
    mark: str, declaration: str, doctype: str, root: str
) -> None:
    text = f"{mark}{declaration}{doctype}{root}{_ARTICLES[0]}\n{_ARTICLES[1]}</PubmedArticleSet>\n"
    pieces = list(xml_records._parse_in_pieces(KIND, [text.encode()]))
    assert [row[0] for rows in pieces for row in rows] == ["0", "1"]


@pytest.mark.parametrize(
    "beginning",
    [
        '<?xml version="1.1"?><PubmedArticleSet>',
        '<?xml version="1.0" encoding="ISO-8859-1"?><PubmedArticleSet>',
        '<!DOCTYPE PubmedArticleSet [<!ENTITY o "0">]><PubmedArticleSet>',
        '<!DOCTYPE PubmedArticleSet SYSTEM "a" "b"><PubmedArticleSet>',
        "<!-- made by hand --><PubmedArticleSet>",
        "<PubmedBookArticleSet>",
    ],
)
def test_a_file_with_another_beginning_is_not_read_in_pieces(beginning: str) -> None:
    text = f"{beginning}{_ARTICLES[0]}</PubmedArticleSet>"
    with pytest.raises(xml_records._NotInPiecesError):
        list(xml_records._parse_in_pieces(KIND, [text.encode()]))


@pytest.mark.parametrize("layout", ["a line each", "one line", "no declaration"])
@pytest.mark.usefixtures("in_small_pieces")
def test_a_list_of_articles_is_read_in_pieces_to_its_end(layout: str) -> None:
    data = _SETS[layout]
    pieces = [rows for rows in xml_records._parse_in_pieces(KIND, _cut(data, 700)) if rows]
    assert len(pieces) > 3
    assert [row for rows in pieces for row in rows] == _read_or_refused([data], whole=True)


@pytest.mark.usefixtures("in_small_pieces")
def test_a_piece_is_as_long_as_its_only_article_up_to_a_limit() -> None:
    long, longer = (article(f"<ArticleTitle>{'x' * n}</ArticleTitle>") for n in (4000, 7000))
    pieces = xml_records._parse_in_pieces(
        KIND, _cut(document(_ARTICLES[0], long, _ARTICLES[1]), 700)
    )
    assert [row[0] for rows in pieces for row in rows] == ["0", "7", "1"]
    with pytest.raises(xml_records._NotInPiecesError):
        list(
            xml_records._parse_in_pieces(
                KIND, _cut(document(_ARTICLES[0], longer, _ARTICLES[1]), 700)
            )
        )


def _titles(path: Path) -> Iterator[str | None]:
    """The title of each row of a file, found by searches of lxml."""
    data = path.read_bytes()
    root = etree.fromstring(gzip.decompress(data) if path.suffix == ".gz" else data)
    for record in root.iter("PubmedArticle", "PubmedBookArticle", "DeleteCitation"):
        if record.tag == "DeleteCitation":
            yield from [None] * len(record.findall("PMID"))
            continue
        path_to_title = "MedlineCitation/Article/ArticleTitle"
        if record.tag == "PubmedBookArticle":
            path_to_title = "BookDocument/ArticleTitle"
        found = record.find(path_to_title)
        if found is None:
            found = record.find("BookDocument/Book/BookTitle")
        yield None if found is None else "".join(map(str, found.itertext()))


@pytest.mark.slow
@pytest.mark.skipif(not REAL.is_dir(), reason="shared/real_inputs/pubmed_xml is not there")
def test_titles_of_real_files_are_what_lxml_says() -> None:
    paths = sorted(REAL.glob("*.xml*"))
    assert paths
    for path in paths:
        rows = raw_rows(f"pubmed/{path.name}", path.read_bytes())
        assert rows["title"].to_list() == list(_titles(path)), path.name


@pytest.mark.parametrize(
    ("markup", "refused"),
    [
        ("<u:other/>", "its root is u:other, on line 1, not PubmedArticleSet"),
        ("<PubmedArticleSet><u:other/></PubmedArticleSet>", "u:other on line 1 is no record"),
    ],
)
def test_a_prefix_that_nothing_declares_is_named(markup: str, refused: str) -> None:
    with pytest.raises(FormatError) as error:
        raw_rows("pubmed.xml", markup.encode())
    assert refused in str(error.value)
