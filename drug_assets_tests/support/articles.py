"""Invented articles in each of PubMed's formats: XML, and MEDLINE text."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING
from xml.sax.saxutils import escape

from hypothesis import strategies as st

if TYPE_CHECKING:
    from collections.abc import Iterable

_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_DOCTYPE = (
    '<!DOCTYPE {root} PUBLIC "-//NLM//DTD PubMedArticle, 1st January 2025//EN" '
    '"https://dtd.nlm.nih.gov/ncbi/pubmed/out/pubmed_250101.dtd">'
)
#: Tags of MEDLINE text for kinds of corrections.
_CORRECTION_TAGS = {
    "RetractionIn": "RIN",
    "RetractionOf": "ROF",
    "ErratumIn": "EIN",
    "CommentOn": "CON",
}
_LINE_CHARS = 80


@dataclass(frozen=True)
class Article:
    """One article. Dates are (year, month, day), as far as they are known."""

    pmid: str = "1"
    title: str = "On aspirin"
    printed: tuple[int, ...] = (2020, 1, 15)
    electronic: tuple[int, int, int] | None = None
    revised: tuple[int, int, int] | None = None
    journal: str = "Journal of invented tests"
    abbreviation: str = "J Invent Tests"
    nlm_id: str = "9900001"
    issn: str = "1234-5679"
    types: tuple[str, ...] = ("Journal Article",)
    #: Kind, and PubMed id if it is known.
    corrections: tuple[tuple[str, str | None], ...] = ()
    trials: tuple[str, ...] = ()


def articles() -> st.SearchStrategy[Article]:
    """Articles with any of the fields that both formats have."""
    words = st.lists(st.sampled_from(["aspirin", "caffeine", "α<β", "in", "p&q", "(mice)"]))
    ids = st.integers(1, 99_999_999).map(str)
    days = st.tuples(st.integers(1950, 2024), st.integers(1, 12), st.integers(1, 28))
    return st.builds(
        Article,
        pmid=ids,
        title=words.map(lambda words: f"On {' '.join(words)}.".replace(" .", ".")),
        printed=st.builds(lambda day, known: day[:known], days, st.integers(1, 3)),
        electronic=st.none() | days,
        revised=st.none() | days,
        journal=st.sampled_from(["Journal of invented tests", "Acta of tests & trials"]),
        abbreviation=st.sampled_from(["J Invent Tests", "Acta Tests"]),
        types=st.lists(st.sampled_from(["Journal Article", "Letter"]), min_size=1, unique=True).map(
            tuple
        ),
        corrections=st.dictionaries(
            st.sampled_from(list(_CORRECTION_TAGS)), st.none() | ids, max_size=2
        ).map(lambda found: tuple(found.items())),
        trials=st.lists(
            st.integers(0, 99_999_999).map("NCT{:08}".format), max_size=2, unique=True
        ).map(tuple),
    )


def to_xml(listed: Iterable[Article], root: str = "PubmedArticleSet") -> bytes:
    """A document of articles, as the NLM delivers it; root `MedlineCitationSet` as before 2017."""
    citations_only = root == "MedlineCitationSet"
    lines = [
        b'<?xml version="1.0" encoding="utf-8"?>',
        _DOCTYPE.format(root=root).encode(),
        f"<{root}>".encode(),
        *(to_xml_record(article, citation_only=citations_only) for article in listed),
        f"</{root}>\n".encode(),
    ]
    return b"\n".join(lines)


def to_xml_record(article: Article, *, citation_only: bool = False) -> bytes:
    """The element of one article, on one line."""
    texts = {
        "printed": "".join(
            f"<{part}>{_MONTHS[value - 1] if part == 'Month' else value}</{part}>"
            for part, value in zip(("Year", "Month", "Day"), article.printed, strict=False)
        ),
        "electronic": _to_xml_date("ArticleDate", article.electronic),
        "revised": _to_xml_date("DateRevised", article.revised),
        "types": "".join(f"<PublicationType>{kind}</PublicationType>" for kind in article.types),
        "corrections": "".join(
            f'<CommentsCorrections RefType="{kind}"><RefSource>Acta. 2021</RefSource>'
            f"{f'<PMID>{pmid}</PMID>' if pmid else ''}</CommentsCorrections>"
            for kind, pmid in article.corrections
        ),
        "trials": "".join(f"<AccessionNumber>{one}</AccessionNumber>" for one in article.trials),
    }
    citation = (
        f'<MedlineCitation Status="MEDLINE" Owner="NLM"><PMID Version="1">{article.pmid}</PMID>'
        f"{texts['revised']}<Article><Journal><ISSN>{article.issn}</ISSN><JournalIssue><PubDate>"
        f"{texts['printed']}</PubDate></JournalIssue><Title>{escape(article.journal)}</Title>"
        f"<ISOAbbreviation>{article.abbreviation}</ISOAbbreviation></Journal>"
        f"<ArticleTitle>{escape(article.title)}</ArticleTitle>"
        "<DataBankList><DataBank><DataBankName>ClinicalTrials.gov</DataBankName>"
        f"<AccessionNumberList>{texts['trials']}</AccessionNumberList></DataBank></DataBankList>"
        f"<PublicationTypeList>{texts['types']}</PublicationTypeList>{texts['electronic']}"
        f"</Article><MedlineJournalInfo><MedlineTA>{article.abbreviation}</MedlineTA>"
        f"<NlmUniqueID>{article.nlm_id}</NlmUniqueID></MedlineJournalInfo>"
        f"<CommentsCorrectionsList>{texts['corrections']}</CommentsCorrectionsList>"
        "</MedlineCitation>"
    )
    data = "<PubmedData><PublicationStatus>ppublish</PublicationStatus></PubmedData>"
    whole = citation if citation_only else f"<PubmedArticle>{citation}{data}</PubmedArticle>"
    return whole.encode()


def _to_xml_date(element: str, date: tuple[int, int, int] | None) -> str:
    if date is None:
        return ""
    year, month, day = date
    parts = f"<Year>{year}</Year><Month>{month:02}</Month><Day>{day:02}</Day>"
    return f"<{element}>{parts}</{element}>"


def to_medline(listed: Iterable[Article]) -> bytes:
    """MEDLINE text of articles, as PubMed exports it."""
    return "\n".join(_to_medline_record(article) for article in listed).encode()


def _to_medline_record(article: Article) -> str:
    fields = [
        ("PMID", article.pmid),
        ("OWN", "NLM"),
        ("STAT", "MEDLINE"),
        *([("LR", "{}{:02}{:02}".format(*article.revised))] if article.revised else []),
        ("IS", f"{article.issn} (Print)"),
        ("TI", article.title),
        ("DP", _to_medline_date(article.printed)),
        ("AB", f"An abstract on {article.title}"),
        *(("SI", f"ClinicalTrials.gov/{trial}") for trial in article.trials),
        *(("PT", kind) for kind in article.types),
        *([("DEP", "{}{:02}{:02}".format(*article.electronic))] if article.electronic else []),
        ("TA", article.abbreviation),
        ("JT", article.journal),
        ("JID", article.nlm_id),
        *(
            (_CORRECTION_TAGS[kind], f"Acta. 2021.{f' PMID: {pmid}' if pmid else ''}")
            for kind, pmid in article.corrections
        ),
    ]
    return "".join(_fold(f"{tag:4}- {value}") + "\n" for tag, value in fields)


def _to_medline_date(date: tuple[int, ...]) -> str:
    year, *month_and_day = date
    names = [_MONTHS[month_and_day[0] - 1]] if month_and_day else []
    return " ".join([str(year), *names, *map(str, month_and_day[1:])])


def _fold(line: str) -> str:
    """The line, folded where it is too long; further lines are indented."""
    lines = [""]
    for word in line.split(" "):
        if len(lines[-1]) + len(word) > _LINE_CHARS and lines[-1].strip():
            lines.append("     ")
        lines[-1] += f" {word}" if lines[-1] else word
    return "\n".join(lines)
