"""Records that are read from their bytes: the rows, issues and messages are those of libxml2."""

from __future__ import annotations

import gzip
from random import Random
from typing import TYPE_CHECKING, Any
from unittest import mock

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from drug_assets import formats
from drug_assets.formats import FormatError, xml_records, xml_usual
from drug_assets_tests.fuzz.mutations import mutate
from drug_assets_tests.fuzz.seeds import MAKERS, TOKENS
from drug_assets_tests.support.registry import PUBMED

if TYPE_CHECKING:
    from collections.abc import Iterator

#: What may stand in an element: texts and markup, also markup that is not well-formed there.
TEXTS = (
    *("", "Aspirin", " ", "\n", "é", "𝐚", "&amp;", "&lt;i&gt;", "&#945;", "&#0;", "&amp", "& b"),
    *("a > b", "]]>", "]] >", "\r\n", "\x01", "\ufffe", "\ufeff", '"', "&undeclared;", "\t"),
    *("<!-- c -->", "<!-- </PubmedArticle> -->", "<![CDATA[<i>]]>", "<?p i?>", "<", "</", "<1/>"),
    *("<i>x</i>", "<i>x<b>y</b></i>", "<i><i>z</i></i>", "<i/>", "<i>x</b>", "</i>", "<i>"),
    *("<mml:m>x</mml:m>", '<i xmlns="u">x</i>', "<i x='1'/>", '<i a="1" a="2"/>', '<i a="<"/>'),
    *(
        '<i a="1" b="2" c="3"/>',
        '<i a="1" b="2" a="3"/>',
        "<i  />",
        "<i\n>x</i>",
        '<i a="x&#9;y"/>',
    ),
    *(
        "<a><b><c><d><e><f><g><h/></g></f></e></d></c></b></a>",
        "<PMID>8</PMID>",
        "<Title>T</Title>",
    ),
    *("a /> b", "<i a=\"'\" b='/>'>x</i>", "<i a='>'/>", '<i xml:id="1 2"/>', "xml", "<a>" * 252),
    "<a>" * 252 + "</a>" * 252,
    *("<Article/>", "<Year>2020</Year>", "<Year>2019</Year><Month/>", "<MedlineCitation/>"),
)
#: The elements that the reader looks at, where they belong and where they do not, and others.
NAMES = (
    *("PMID", "DateRevised", "Article", "Journal", "ISSN", "JournalIssue", "PubDate", "Title"),
    *("ISOAbbreviation", "ArticleTitle", "VernacularTitle", "PublicationTypeList", "ArticleDate"),
    *("DataBankList", "MedlineJournalInfo", "NlmUniqueID", "MedlineTA", "ISSNLinking"),
    *("CommentsCorrectionsList", "Abstract", "AuthorList", "PublicationType", "Articles", "i"),
)
ATTRIBUTES = (
    "",
    ' Version="2"',
    ' Status="MEDLINE"',
    ' a="1" Status="x" b="é"',
    " a='1'",
    ' x="1"',
    ' Version="2>" Status=">"',
    """ a="'" Version='>'""",
    ' Version="2/>"',
    "\n",
)
SHAPES = {
    "PMID": "7",
    "ArticleTitle": "On aspirin.",
    "PubDate": "<Year>2020</Year>",
    "JournalIssue": "<Volume>1</Volume><PubDate><Year>2020</Year><Month>Jan</Month></PubDate>",
    "CommentsCorrectionsList": '<CommentsCorrections RefType="ErratumIn"><PMID>5</PMID>'
    "</CommentsCorrections>",
    "DataBankList": "<DataBank><DataBankName>isrctn</DataBankName><AccessionNumberList>"
    "<AccessionNumber>ISRCTN1</AccessionNumber></AccessionNumberList></DataBank>",
}


@st.composite
def elements(draw: st.DrawFn, name: str | None = None, depth: int = 0) -> str:
    """An element, in most cases as the reader knows it."""
    name = name or draw(st.sampled_from(NAMES))
    attributes = draw(st.sampled_from(ATTRIBUTES)) if draw(st.integers(0, 3)) == 0 else ""
    if name in SHAPES and draw(st.booleans()):
        inner = SHAPES[name]
    elif depth < 3 and draw(st.integers(0, 2)):
        inner = "".join(draw(st.lists(elements(depth=depth + 1), max_size=3)))
    else:
        inner = draw(st.sampled_from(TEXTS))
    if draw(st.integers(0, 15)) == 0:
        return f"<{name}{attributes}/>"
    return f"<{name}{attributes}>{inner}</{name}>"


@st.composite
def articles(draw: st.DrawFn) -> str:
    """An article whose parts stand in any order, any number of times."""
    journal = draw(st.lists(elements() | elements("Title") | elements("JournalIssue"), max_size=3))
    parts = draw(st.lists(elements() | elements("ArticleTitle"), max_size=3))
    parts.insert(draw(st.integers(0, len(parts))), f"<Journal>{''.join(journal)}</Journal>")
    around = draw(st.lists(elements() | elements("PMID"), max_size=3))
    around.insert(draw(st.integers(0, len(around))), f"<Article>{''.join(parts)}</Article>")
    status = draw(st.sampled_from(ATTRIBUTES))
    blank = draw(st.sampled_from(["", "\n", " \t", "", "", draw(st.sampled_from(TEXTS))]))
    rest = draw(st.sampled_from(["", "", "<PubmedData><A><B>x</B></A></PubmedData>"]))
    citation = f"<MedlineCitation{status}>{blank.join(around)}</MedlineCitation>"
    return f"<PubmedArticle>{blank}{citation}{rest}{blank}</PubmedArticle>{blank}"


def read(data: bytes, chunk: int, *, usual: bool, piece: int = 1) -> tuple[pl.DataFrame | str, int]:
    """The rows of a file, or why it is refused; and how many rows were read from bytes."""

    def chunks() -> Iterator[bytes]:
        return (data[at : at + chunk] for at in range(0, len(data), chunk))

    read_usual = xml_usual.UsualRecords.read
    counted = 0

    def count(self: Any, *given: Any, last: bool) -> Any:
        nonlocal counted
        found = read_usual(self, *given, last=last) if usual else None
        counted += sum(not isinstance(record, bytes) for record in found or ())
        return found

    with (
        mock.patch.object(xml_records, "_PIECE_BYTES", piece),
        mock.patch.object(xml_records, "_USUAL_BYTES", piece),
        mock.patch.object(xml_usual.UsualRecords, "read", count),
    ):
        try:
            batches = list(formats.read(PUBMED.record_shape(), "pubmed.xml", chunks))
        except FormatError as error:
            return str(error), counted
    return pl.concat(batches), counted


def assert_same(data: bytes, chunk: int = 2**20, piece: int = 1) -> int:
    """Read a file in both ways; returns how many rows were read from bytes."""
    found, counted = read(data, chunk, usual=True, piece=piece)
    expected, _ = read(data, chunk, usual=False, piece=piece)
    if isinstance(found, str) or isinstance(expected, str):
        assert found == expected
    else:
        assert found.equals(expected)
    return counted


def document(*records: str, head: str = '<?xml version="1.0" encoding="utf-8"?>\n') -> bytes:
    inner = "".join(records)
    return f"{head}<PubmedArticleSet>{inner}</PubmedArticleSet>\n".encode(
        "utf-8", "surrogateescape"
    )


PLAIN = (
    '<PubmedArticle><MedlineCitation Status="MEDLINE" Owner="NLM"><PMID Version="1">7</PMID>'
    "<Article><Journal><Title>Acta</Title></Journal><ArticleTitle>On aspirin.</ArticleTitle>"
    "<Abstract><AbstractText>No.</AbstractText></Abstract></Article></MedlineCitation>"
    "</PubmedArticle>"
)


def citation(inner: str) -> str:
    return f"<PubmedArticle><MedlineCitation>{inner}</MedlineCitation></PubmedArticle>"


@pytest.mark.slow
@settings(max_examples=100)
@given(
    st.lists(articles(), min_size=1, max_size=4),
    st.sampled_from([2**20, 61, 7]),
    st.sampled_from([1, 1000]),
)
def test_rows_issues_and_messages_are_those_of_libxml2(
    records: list[str], chunk: int, piece: int
) -> None:
    assert_same(document(PLAIN, *records, PLAIN), chunk, piece)


@pytest.mark.slow
def test_the_same_holds_of_damaged_files() -> None:
    counted = 0
    for seed in range(400):
        random = Random(f"usual {seed}")  # noqa: S311 - the same numbers each time, no secret
        make = MAKERS["pubmed_xml"]
        data = make(random)[1]
        damaged = mutate(random, data, make(random)[1], TOKENS["pubmed_xml"])
        if damaged[:2] == b"\x1f\x8b":
            continue
        counted += assert_same(damaged, random.choice([2**20, 97]))
    assert counted > 50


@pytest.mark.parametrize("text", TEXTS)
@pytest.mark.parametrize("name", ["ArticleTitle", "PubDate", "Abstract", "PMID"])
def test_any_text_or_markup_may_stand_in_an_element(name: str, text: str) -> None:
    inner = f"<{name}>{text}</{name}>"
    odd = citation(f"<PMID>1</PMID><Article><ArticleTitle>T</ArticleTitle>{inner}</Article>{inner}")
    assert_same(document(PLAIN, odd, PLAIN))


@pytest.mark.parametrize(
    ("record", "usual"),
    [
        (PLAIN, True),
        (PLAIN.replace(">", ">\n "), True),
        (PLAIN.replace("No.", "a &lt; b<sup>2<i>x</i></sup> é"), True),
        (PLAIN.replace("On aspirin.", "On <i>E. coli</i> &amp; é"), True),
        (PLAIN.replace("</Article>", "<ArticleTitle>Two</ArticleTitle></Article>"), False),
        (PLAIN.replace("No.", "<!-- c -->"), False),
        (PLAIN.replace("No.", "<![CDATA[c]]>"), False),
        (PLAIN.replace("No.", "&#945;"), True),
        (PLAIN.replace("No.", "a > b"), True),
        (PLAIN.replace("No.", "a /> b"), True),
        (PLAIN.replace("No.", '<i a="x/>y">z</i>'), True),
        (PLAIN.replace("No.", "<a>" * 100 + "</a>" * 100), True),
        (PLAIN.replace("No.", "<a>" * 200 + "</a>" * 200), False),
        (PLAIN.replace('Version="1"', "Version='1>'"), False),
        (PLAIN.replace("No.", "<mml:m/>"), False),
        (PLAIN.replace("<AbstractText>", '<AbstractText a="1" a="2">'), False),
        (PLAIN.replace("<AbstractText>", '<AbstractText xmlns="u">'), False),
        (PLAIN.replace("Owner", "Status"), False),
        (PLAIN.replace("<PubmedArticle>", "<PubmedArticle a='1'>"), True),
        (PLAIN.replace("</AbstractText>", "</Abstracttext>"), False),
    ],
)
def test_which_records_are_usual(record: str, usual: bool) -> None:
    assert assert_same(document(PLAIN, record)) == 1 + usual


@pytest.mark.parametrize("pad", ["", "a"])
@pytest.mark.parametrize(
    ("text", "usual"),
    [('<i xml:a="1"/>', False), ("xml", False), ("xm ml", True), ("xmxlml", True)],
)
def test_what_begins_with_xml_is_found_at_even_and_odd_places(
    pad: str, text: str, usual: bool
) -> None:
    record = PLAIN.replace("No.", pad + text)
    two_records = len(PLAIN + record) + 1
    assert assert_same(document(PLAIN, record, PLAIN), piece=two_records) == 2 + usual


@pytest.mark.parametrize(
    "head",
    [
        '<?xml version="1.0" encoding="us-ascii"?>',
        '<?xml version="1.0" encoding="latin-1"?>',
        "\ufeff",
        '<!DOCTYPE PubmedArticleSet [<!ENTITY e "x">]>',
    ],
)
@pytest.mark.parametrize("text", ["no", "é", "\udce9", "&e;"])
def test_encodings_and_declarations_decide_as_before(head: str, text: str) -> None:
    assert_same(document(PLAIN, PLAIN.replace("No.", text), PLAIN, head=head))


def test_a_set_in_a_namespace_is_refused_as_before() -> None:
    data = document(PLAIN, PLAIN)
    for declared in (b' xmlns="u"', b' xmlns:u="u"', b' u:a="1"', b' a="1" a="2"'):
        assert_same(data.replace(b"<PubmedArticleSet", b"<PubmedArticleSet" + declared))


@pytest.mark.slow
def test_what_stands_between_records_is_not_passed_over() -> None:
    for between in (
        "text",
        "<Stray/>",
        "<!-- c -->",
        "<DeleteCitation><PMID>1</PMID></DeleteCitation>",
    ):
        for records in ([between, PLAIN], [PLAIN, between], [PLAIN, between, PLAIN]):
            assert_same(document(PLAIN, *records))


@pytest.mark.parametrize("piece", [1, 1000, 2**20])
@pytest.mark.parametrize("rest", ["", "\n", "<", PLAIN[:-1]])
def test_a_set_that_does_not_end_is_refused_wherever_it_is_cut(rest: str, piece: int) -> None:
    data = document(PLAIN, PLAIN, PLAIN).removesuffix(b"</PubmedArticleSet>\n") + rest.encode()
    assert_same(data, piece=piece)
    found, _ = read(data, 2**20, usual=True, piece=piece)
    assert "does not end" in str(found)


def test_two_values_of_a_record_are_not_those_of_two_records() -> None:
    long = PLAIN.replace("No.", "No. " * len(PLAIN))
    none = PLAIN.replace("<Title>Acta</Title>", "")
    two = PLAIN.replace("<Title>Acta</Title>", "<Title>Acta</Title><Title>Lancet</Title>")
    assert assert_same(document(long, none, two), piece=len(long) + 1) == 2


@pytest.mark.parametrize("end", ["</PubmedArticleSet >", "</PubmedArticleSet>"])
@pytest.mark.parametrize(
    "behind", ["", "<!-- </PubmedArticleSet> -->", "<?p </PubmedArticleSet>?>"]
)
@pytest.mark.parametrize("piece", [1, 2**20])
def test_the_end_of_the_set_is_its_own(end: str, behind: str, piece: int) -> None:
    odd = PLAIN.replace("No.", "<PubmedArticleSet></PubmedArticleSet>")
    data = f"<PubmedArticleSet>{PLAIN}{odd}{end}{behind}".encode()
    assert_same(data, piece=piece)
    assert_same(data.replace(b"<PubmedArticleSet></PubmedArticleSet></A", b"</A"), piece=piece)


def test_sets_of_citations_are_read_from_bytes_too() -> None:
    inner = PLAIN.removeprefix("<PubmedArticle>").removesuffix("</PubmedArticle>")
    data = f"<MedlineCitationSet>{inner * 3}</MedlineCitationSet>".encode()
    assert assert_same(data) == 3


def test_short_files_are_left_to_libxml2() -> None:
    assert len(document(PLAIN)) < xml_records._SHORT_BYTES
    with mock.patch.object(xml_records, "_make_usual", side_effect=AssertionError):
        rows = list(
            formats.read(PUBMED.record_shape(), "pubmed.xml", gzip.compress(document(PLAIN)))
        )
    assert rows[0]["title"].to_list() == ["On aspirin."]


def test_a_longer_file_of_one_piece_is_read_from_bytes() -> None:
    data = document(PLAIN, PLAIN)
    with mock.patch.object(xml_records, "_SHORT_BYTES", len(data) // 2):
        assert assert_same(data, piece=2 * len(data)) == 2
        assert assert_same(data[:-20], piece=2 * len(data)) == 0


def test_a_file_of_other_records_is_left_to_libxml2() -> None:
    odd = PLAIN.replace("No.", "<!-- c -->")
    six = 6 * len(PLAIN)
    assert assert_same(document(*[PLAIN] * 6, odd, *[PLAIN] * 30), piece=six) >= 30
    assert assert_same(document(*[PLAIN] * 6, *[odd] * 60, *[PLAIN] * 30), piece=six) <= 6


def test_what_the_outline_does_not_name_is_passed_over() -> None:
    rest = citation("<Unread><PMID>9</PMID></Unread><PMID>1</PMID><Article><Unread/></Article>")
    rows, counted = read(document(PLAIN, PLAIN, rest), 2**20, usual=True)
    assert isinstance(rows, pl.DataFrame)
    assert counted == 3
    assert rows["id"].to_list() == ["7", "7", "1"]
