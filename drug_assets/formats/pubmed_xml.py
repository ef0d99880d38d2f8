"""PubMed's XML (`PubmedArticleSet`: baseline, update files, efetch) -> raw rows (SPEC 1).

One row an article, a book article, or a PMID of `DeleteCitation`. Elements are those of the NLM's
PubMed DTD. Text is kept as it stands, inline markup and MathML flattened; what versions, deletions
and dates mean belongs to `cleaning`.

The parser is fed a chunk at a time and keeps no article longer than it takes to read it, so memory
does not grow with the file. Entities of other files are never fetched, entity bombs and absurd
depth are refused: these are lxml's defaults, `huge_tree` stays off.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, TypeAlias

from lxml import etree

from drug_assets.formats import raw_rows
from drug_assets.formats.decoding import FormatError, well_formed
from drug_assets.sources import DELETED, SEPARATOR

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    import polars as pl

    from drug_assets.sources import Source

_ROOT = re.compile(r"<(?:PubmedArticleSet|PubmedBookArticleSet|PubmedArticle|DeleteCitation)[\s>/]")
_RECORDS = ("PubmedArticle", "PubmedBookArticle", DELETED)
_ROOTS = ("PubmedArticleSet", "PubmedBookArticleSet", *_RECORDS)
_FIELDS = (
    "id",
    "version",
    "citation_status",
    "title",
    "vernacular_title",
    "date",
    "journal",
    "nlm_id",
    "issn",
    "publication_types",
)

_Row: TypeAlias = tuple[str | None, ...]


def evident(head: str) -> bool:
    """Whether the beginning of a text is surely PubMed's XML."""
    return bool(_ROOT.search(head))


def plausible(head: str) -> bool:
    """Whether it can be, the file being named `.xml`."""
    return head.lstrip("\ufeff \t\r\n").startswith("<")


def batches(source: Source, name: str, chunks: Iterable[bytes]) -> Iterator[pl.DataFrame]:
    """Raw rows of one file, about `BATCH_RECORDS` at a time.

    Raises:
        FormatError: not well-formed, cut, hostile, or XML of another kind.
    """
    first_row = 1
    rows: list[_Row] = []
    for records in _parsed(name, chunks):
        rows += records
        if len(rows) >= raw_rows.BATCH_RECORDS:
            yield _frame(source, name, first_row, rows)
            first_row += len(rows)
            rows = []
    if rows or first_row == 1:
        yield _frame(source, name, first_row, rows)


def _frame(source: Source, name: str, first_row: int, rows: list[_Row]) -> pl.DataFrame:
    columns = zip(*rows, strict=True) if rows else ((),) * len(_FIELDS)
    fields = dict(zip(_FIELDS, columns, strict=True))
    return raw_rows.frame(source, name, first_row, len(rows), fields, {}, {}, well_formed)


def _parsed(name: str, chunks: Iterable[bytes]) -> Iterator[list[_Row]]:
    """The rows that each chunk completes."""
    parser = etree.XMLPullParser(
        events=("end",), tag=_RECORDS, remove_comments=True, remove_pis=True, no_network=True
    )
    try:
        for chunk in chunks:
            parser.feed(chunk)
            yield _rows(parser)
        root = parser.close()
    except etree.XMLSyntaxError as error:
        line, column = error.position
        raise FormatError(
            name,
            f"not well-formed XML, or hostile: line {line}, column {column}: {error.msg}. "
            "Land the file again, whole.",
        ) from error
    if root.tag not in _ROOTS:
        raise FormatError(
            name,
            f"XML, but not PubMed's: its root is {root.tag}, on line {root.sourceline}, not "
            "PubmedArticleSet. Land what PubMed delivers.",
        )
    yield _rows(parser)


def _rows(parser: etree.XMLPullParser) -> list[_Row]:
    """The rows of the elements read since the last call, which are then let go."""
    rows: list[_Row] = []
    # The stubs give what events of every kind hold; those of an element's end hold the element.
    ends: Any = parser.read_events()
    for _, element in ends:
        tag = element.tag
        if tag == "PubmedArticle":
            rows.append(_article(element))
        elif tag == DELETED:
            rows += map(_deleted, element.iterchildren("PMID"))
        else:
            rows.append(_book_article(element))
        parent = element.getparent()
        if parent is not None:
            parent.remove(element)
    return rows


def _article(article: Any) -> _Row:
    """Looks only where the DTD puts things: each look costs, and there are millions of articles."""
    pmid = status = version = nlm_id = linking_issn = None
    content: tuple[str | None, ...] = (None,) * 6
    for citation in article.iterchildren("MedlineCitation"):
        status = citation.get("Status")
        for part in citation.iterchildren("PMID", "Article", "MedlineJournalInfo"):
            match part.tag:
                case "PMID":
                    pmid, version = part.text, part.get("Version")
                case "Article":
                    content = _content(part)
                case _:
                    for known in part.iterchildren("NlmUniqueID", "ISSNLinking"):
                        if known.tag == "NlmUniqueID":
                            nlm_id = known.text
                        else:
                            linking_issn = known.text
    title, vernacular, date, journal, issn, types = content
    # The linking ISSN stands for the print and the electronic one together.
    issn = linking_issn or issn
    return pmid, version, status, title, vernacular, date, journal, nlm_id, issn, types


def _content(article: Any) -> tuple[str | None, ...]:
    title = vernacular = journal = issn = types = published = electronic = None
    for part in article.iterchildren(
        "Journal", "ArticleTitle", "VernacularTitle", "PublicationTypeList", "ArticleDate"
    ):
        match part.tag:
            case "Journal":
                for known in part.iterchildren("ISSN", "JournalIssue", "Title"):
                    match known.tag:
                        case "ISSN":
                            issn = known.text
                        case "JournalIssue":
                            published = _pub_date(known)
                        case _:
                            journal = _text(known)
            case "ArticleTitle":
                title = _text(part)
            case "VernacularTitle":
                vernacular = _text(part)
            case "PublicationTypeList":
                types = _joined([kind.text or "" for kind in part])
            case _:
                electronic = electronic or _numbers(part)
    return title, vernacular, electronic or published, journal, issn, types


def _book_article(article: Any) -> _Row:
    """A chapter of a book, or the book itself where it has no chapters. Few: no need of speed."""
    pmid = article.find("BookDocument/PMID")
    texts = [
        None if (found := article.find(f"BookDocument/{path}")) is None else read(found)
        for path, read in (
            ("ArticleTitle", _text),
            ("Book/BookTitle", _text),
            ("VernacularTitle", _text),
            ("ContributionDate", _date),
            ("Book/PubDate", _date),
        )
    ]
    chapter, book, vernacular, contributed, published = texts
    types = [kind.text or "" for kind in article.iterfind("BookDocument/PublicationType")]
    known = None if pmid is None else pmid.text, None if pmid is None else pmid.get("Version")
    dated = contributed or published
    no_journal = (None, None, None)
    return (*known, None, chapter or book, vernacular, dated, *no_journal, _joined(types))


def _joined(types: list[str]) -> str | None:
    return SEPARATOR.join(types) or None


def _deleted(pmid: Any) -> _Row:
    return (pmid.text, pmid.get("Version"), DELETED, *(None,) * (len(_FIELDS) - 3))


def _text(element: Any) -> str:
    """All text below an element, as it stands: nothing lost, nothing glued, nothing added."""
    return "".join(element.itertext()) if len(element) else element.text or ""


def _pub_date(issue: Any) -> str | None:
    for date in issue.iterchildren("PubDate"):
        return _date(date)
    return None


def _date(date: Any) -> str | None:
    """The parts in their order: `2000 Jan 15`, `2000 Spring`, `1998 Dec-1999 Jan`."""
    return " ".join(part.text.strip() for part in date if part.text) or None


def _numbers(date: Any) -> str | None:
    """`2000-01-15`."""
    return "-".join(part.text.strip() for part in date if part.text) or None
