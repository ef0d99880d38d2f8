"""PubMed's XML (`PubmedArticleSet`: baseline, update files, efetch) -> raw rows (SPEC 1).

One row an article, a book article, or a PMID of `DeleteCitation`. Elements are those of the NLM's
PubMed DTD. Text is kept as it stands, inline markup and MathML flattened; what versions, deletions
and dates mean belongs to `cleaning`.

A file is parsed in pieces and no article is kept longer than it takes to read it, so memory does
not grow with the file. Entities of other files are never fetched, entity bombs and absurd depth are
refused: these are lxml's defaults, `huge_tree` stays off.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, TypeAlias

from lxml import etree

from drug_assets.formats import raw_rows
from drug_assets.formats.decoding import FormatError
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

#: What every parser is told; the rest of lxml's defaults is safe as it is.
_PARSING: Any = {"remove_comments": True, "remove_pis": True, "no_network": True}
#: The usual start of a file, up to the first record. Its quotes are paired and it declares no
#: entity, so that it means the same before every piece.
_OPENING = re.compile(
    rb"""(?:\xef\xbb\xbf)?(?:<\?xml\ version="1\.0"(?:\ encoding="(?i:utf-8|us-ascii)")?\s*\?>\s*)?
    (?:<!DOCTYPE\s+PubmedArticleSet(?:\s+(?:PUBLIC\s+"[^"<>]*"|SYSTEM)\s+"[^"<>]*")?\s*>\s*)?
    <PubmedArticleSet\s*>""",
    re.VERBOSE,
)
_OPENING_BYTES = 4096
_ARTICLE_END = b"</PubmedArticle>"
_CLOSING = b"</PubmedArticleSet>"
#: Of this size, documents are parsed the fastest: what one leaves in the caches serves the next. A
#: piece is longer only if its one article is.
_PIECE_BYTES = 128 * 1024
_LONGEST_PIECE_BYTES = 16 * 1024**2

_NO_CONTENT = (None,) * 6

_Row: TypeAlias = tuple[str | None, ...]
_Fields: TypeAlias = dict[str, list[str | None]]


def evident(head: str) -> bool:
    """Whether the beginning of a text is surely PubMed's XML."""
    return bool(_ROOT.search(head))


def plausible(head: str) -> bool:
    """Whether it can be, the file being named `.xml`."""
    return head.lstrip("\ufeff \t\r\n").startswith("<")


def batches(source: Source, name: str, chunks: Iterable[bytes]) -> Iterator[pl.DataFrame]:
    """Raw rows of one file, about `BATCH_RECORDS` at a time.

    Args:
        source: Source the file belongs to.
        name: File below the landing zone.
        chunks: Its unpacked bytes; gone through again where that is needed.

    Raises:
        FormatError: not well-formed, cut, hostile, or XML of another kind.
    """
    first_row, height = 1, 0
    fields: _Fields = {field: [] for field in _FIELDS}
    for rows in _parsed(name, chunks):
        # By column: rows that are kept would be gone through by the garbage collector, many times.
        for values, further in zip(fields.values(), zip(*rows, strict=True), strict=bool(rows)):
            values.extend(further)
        height += len(rows)
        if height >= raw_rows.BATCH_RECORDS:
            yield raw_rows.frame(source, name, first_row, height, fields, repair=None)
            first_row, height = first_row + height, 0
            fields = {field: [] for field in _FIELDS}
    if height or first_row == 1:
        yield raw_rows.frame(source, name, first_row, height, fields, repair=None)


def _parsed(name: str, chunks: Iterable[bytes]) -> Iterator[list[_Row]]:
    """The rows that each piece of the file completes.

    A file that does not come apart into pieces is read again as a whole, and what is wrong with it,
    and where, is told then.
    """
    given = 0
    try:
        for rows in _in_pieces(chunks):
            yield rows
            given += len(rows)
    except _NotInPiecesError:
        for rows in _fed(name, chunks):
            yield rows[given:]
            given -= min(given, len(rows))


class _NotInPiecesError(Exception):
    """A file of which some part is no document, though the whole may be one."""


def _in_pieces(chunks: Iterable[bytes]) -> Iterator[list[_Row]]:
    """The rows of a file that consists of whole articles, some at a time.

    Articles stand side by side in one root. So a run of them, between the file's opening and the
    root's end, is a document of its own, and libxml2 parses a document that it is given whole in
    half the time that it takes to be fed one.

    Raises:
        _NotInPiecesError: it does not come apart so; what was given until then is right.
    """
    unread = iter(chunks)
    text = b"".join(_next_bytes(unread, _OPENING_BYTES))
    found = _OPENING.match(text)
    if found is None:
        raise _NotInPiecesError
    opening, at, wanted = found.group(), found.end(), _PIECE_BYTES
    parser = etree.XMLParser(**_PARSING)
    while True:
        if len(text) - at < wanted:
            text = b"".join([text[at:], *_next_bytes(unread, wanted)])
            at = 0
        ended = len(text) < wanted
        last = text.rfind(_ARTICLE_END, at, at + wanted)
        if last < 0 and not ended:
            wanted *= 2
            if wanted > _LONGEST_PIECE_BYTES:
                raise _NotInPiecesError
            continue
        end = len(text) if ended else last + len(_ARTICLE_END)
        piece = (opening, memoryview(text)[at:end], b"" if ended else _CLOSING)
        try:
            root = etree.fromstring(b"".join(piece), parser)
        except etree.XMLSyntaxError as error:
            raise _NotInPiecesError from error
        yield _rows(root)
        if ended:
            return
        at, wanted = end, _PIECE_BYTES


def _next_bytes(unread: Iterator[bytes], wanted: int) -> Iterator[bytes]:
    """Chunks of at least so many bytes together, fewer where the file ends."""
    while wanted > 0 and (chunk := next(unread, None)) is not None:
        yield chunk
        wanted -= len(chunk)


def _fed(name: str, chunks: Iterable[bytes]) -> Iterator[list[_Row]]:
    """The rows that each chunk completes."""
    parser = etree.XMLPullParser(events=("end",), tag=_RECORDS, **_PARSING)
    try:
        for chunk in chunks:
            parser.feed(chunk)
            yield _ended(parser)
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
    yield _ended(parser)


def _ended(parser: etree.XMLPullParser) -> list[_Row]:
    """The rows of the records read since the last call, which are then let go."""
    rows: list[_Row] = []
    # The stubs give what events of every kind hold; those of an element's end hold the element.
    ends: Any = parser.read_events()
    for _, record in ends:
        rows += _rows(record)
        parent = record.getparent()
        if parent is not None:
            parent.remove(record)
    return rows


def _rows(element: Any) -> list[_Row]:
    """The rows of an element: one of an article, one a deletion, those of what holds records."""
    tag = element.tag
    if tag == "PubmedArticle":
        return [_article(element)]
    if tag == "PubmedBookArticle":
        return [_book_article(element)]
    if tag == DELETED:
        return [_deleted(pmid) for pmid in element.iterchildren("PMID")]
    return [row for record in element.iterchildren() for row in _rows(record)]


def _article(article: Any) -> _Row:
    """Looks only where the DTD puts things: each look costs, and there are millions of articles.

    For the same reason it goes through all that stands there: to have lxml pick costs more.
    """
    pmid = version = nlm_id = linking_issn = None
    content: tuple[str | None, ...] = _NO_CONTENT
    citation = next((part for part in article if part.tag == "MedlineCitation"), None)
    if citation is None:
        return (None,) * len(_FIELDS)
    status = citation.get("Status")
    for part in citation:
        tag = part.tag
        if tag == "PMID":
            pmid, version = part.text, part.get("Version")
        elif tag == "Article":
            content = _content(part)
        elif tag == "MedlineJournalInfo":
            nlm_id, linking_issn = _of_journal_info(part)
            if pmid and content is not _NO_CONTENT:
                # What follows (headings, comments) can be long, and holds nothing of ours.
                break
    title, vernacular, date, journal, issn, types = content
    # The linking ISSN stands for the print and the electronic one together.
    issn = linking_issn or issn
    return pmid, version, status, title, vernacular, date, journal, nlm_id, issn, types


def _of_journal_info(info: Any) -> tuple[str | None, str | None]:
    nlm_id = linking_issn = None
    for known in info:
        tag = known.tag
        if tag == "NlmUniqueID":
            nlm_id = known.text
        elif tag == "ISSNLinking":
            linking_issn = known.text
    return nlm_id, linking_issn


def _content(article: Any) -> tuple[str | None, ...]:
    title = vernacular = types = electronic = None
    of_journal: tuple[str | None, ...] = (None,) * 3
    for part in article:
        tag = part.tag
        if tag == "Journal":
            of_journal = _of_journal(part)
        elif tag == "ArticleTitle":
            title = _text(part)
        elif tag == "VernacularTitle":
            vernacular = _text(part)
        elif tag == "PublicationTypeList":
            types = _joined([kind.text or "" for kind in part])
        elif tag == "ArticleDate":
            electronic = electronic or _numbers(part)
    published, journal, issn = of_journal
    return title, vernacular, electronic or published, journal, issn, types


def _of_journal(journal: Any) -> tuple[str | None, ...]:
    published = title = issn = None
    for part in journal:
        tag = part.tag
        if tag == "ISSN":
            issn = part.text
        elif tag == "JournalIssue":
            for known in part:
                if known.tag == "PubDate":
                    published = _date(known)
        elif tag == "Title":
            title = _text(part)
    return published, title, issn


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


def _date(date: Any) -> str | None:
    """The parts in their order: `2000 Jan 15`, `2000 Spring`, `1998 Dec-1999 Jan`."""
    return " ".join([part.text.strip() for part in date if part.text]) or None


def _numbers(date: Any) -> str | None:
    """`2000-01-15`."""
    return "-".join([part.text.strip() for part in date if part.text]) or None
