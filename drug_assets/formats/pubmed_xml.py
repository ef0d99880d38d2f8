"""PubMed's XML (`PubmedArticleSet`: baseline, update files, efetch) -> raw rows (SPEC 1).

One row per article, per book article, and per PMID in `DeleteCitation`. Elements are those of the
NLM's PubMed DTD. Text is kept as written, without the tags of inline markup and MathML. The meaning
of versions, deletions and dates belongs to `cleaning`.

A file is parsed in pieces and each article is freed once it is read, so memory does not grow with
the file. External entities are never fetched; entity bombs and extreme depth are refused. These are
defaults of lxml; `huge_tree` stays off.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, TypeAlias

from lxml import etree

from drug_assets.formats import nlm, raw_rows
from drug_assets.formats.decoding import FormatError
from drug_assets.terms import SEPARATOR

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    import polars as pl

    from drug_assets.formats.record_shape import RecordShape

#: The element that withdraws records; also the `citation_status` of its rows.
DELETED = "DeleteCitation"

_ROOT = re.compile(r"<(?:PubmedArticleSet|PubmedBookArticleSet|PubmedArticle|DeleteCitation)[\s>/]")
_RECORDS = ("PubmedArticle", "PubmedBookArticle", DELETED)
_ROOTS = ("PubmedArticleSet", "PubmedBookArticleSet", *_RECORDS)

#: Options of all parsers. lxml's other defaults are safe.
_PARSER_OPTIONS: Any = {"remove_comments": True, "remove_pis": True, "no_network": True}
#: The usual start of a file, up to the first record. It has balanced quotes and declares no entity,
#: so it can be put before each piece.
_OPENING = re.compile(
    rb"""(?:\xef\xbb\xbf)?(?:<\?xml\ version="1\.0"(?:\ encoding="(?i:utf-8|us-ascii)")?\s*\?>\s*)?
    (?:<!DOCTYPE\s+PubmedArticleSet(?:\s+(?:PUBLIC\s+"[^"<>]*"|SYSTEM)\s+"[^"<>]*")?\s*>\s*)?
    <PubmedArticleSet\s*>""",
    re.VERBOSE,
)
_OPENING_BYTES = 4096
_ARTICLE_END = b"</PubmedArticle>"
_CLOSING = b"</PubmedArticleSet>"
#: The size at which parsing is fastest: a document then reuses memory of the one before that is
#: still in the processor's cache. A piece is longer only if it is a single article.
_PIECE_BYTES = 128 * 1024
_LONGEST_PIECE_BYTES = 16 * 1024**2

_NO_CONTENT = (None,) * 9

_Row: TypeAlias = tuple[str | None, ...]
_Fields: TypeAlias = dict[str, list[str | None]]


def is_evident(head: str) -> bool:
    """Whether the beginning of a text is certainly PubMed's XML."""
    return bool(_ROOT.search(head))


def is_plausible(head: str) -> bool:
    """Whether the beginning of a file named `.xml` can be PubMed's XML."""
    return head.lstrip("\ufeff \t\r\n").startswith("<")


def read_batches(shape: RecordShape, name: str, chunks: Iterable[bytes]) -> Iterator[pl.DataFrame]:
    """Read a file in batches of about `BATCH_RECORDS` raw rows.

    Args:
        shape: Shape of the records of its source.
        name: File below the landing zone.
        chunks: Its unpacked bytes; iterated a second time if parsing in pieces fails.

    Raises:
        FormatError: not well-formed, cut, hostile, or XML of another kind.
    """
    first_row, height = 1, 0
    fields: _Fields = {field: [] for field in nlm.FIELDS}
    for rows in _parse(name, chunks):
        # One list per column: keeping a tuple per row would slow down the garbage collector.
        for values, added in zip(fields.values(), zip(*rows, strict=True), strict=bool(rows)):
            values.extend(added)
        height += len(rows)
        if height >= raw_rows.BATCH_RECORDS:
            yield raw_rows.make_frame(shape, name, first_row, height, fields, repair=None)
            first_row, height = first_row + height, 0
            fields = {field: [] for field in nlm.FIELDS}
    if height or first_row == 1:
        yield raw_rows.make_frame(shape, name, first_row, height, fields, repair=None)


def _parse(name: str, chunks: Iterable[bytes]) -> Iterator[list[_Row]]:
    """The rows of each piece of the file.

    If the file cannot be parsed in pieces, it is read again as a whole, without the rows that were
    yielded already. Errors are reported then, with their position in the file.
    """
    yielded = 0
    try:
        for rows in _parse_in_pieces(chunks):
            yield rows
            yielded += len(rows)
    except _NotInPiecesError:
        for rows in _parse_by_feeding(name, chunks):
            yield rows[yielded:]
            yielded -= min(yielded, len(rows))


class _NotInPiecesError(Exception):
    """A file with a piece that is no XML document of its own; the whole file may be one."""


def _parse_in_pieces(chunks: Iterable[bytes]) -> Iterator[list[_Row]]:
    """The rows of a file that is a list of articles, piece by piece.

    Articles are children of one root. So several of them, between the opening of the file and the
    end tag of the root, are an XML document of their own. libxml2 parses a whole document in half
    the time that it takes to parse one fed in chunks.

    Raises:
        _NotInPiecesError: a piece cannot be parsed; the rows yielded before are valid.
    """
    remaining = iter(chunks)
    text = b"".join(_take_bytes(remaining, _OPENING_BYTES))
    found = _OPENING.match(text)
    if found is None:
        raise _NotInPiecesError
    opening, at, size = found.group(), found.end(), _PIECE_BYTES
    parser = etree.XMLParser(**_PARSER_OPTIONS)
    while True:
        if len(text) - at < size:
            text = b"".join([text[at:], *_take_bytes(remaining, size)])
            at = 0
        ended = len(text) < size
        last = text.rfind(_ARTICLE_END, at, at + size)
        if last < 0 and not ended:
            size *= 2
            if size > _LONGEST_PIECE_BYTES:
                raise _NotInPiecesError
            continue
        end = len(text) if ended else last + len(_ARTICLE_END)
        piece = (opening, memoryview(text)[at:end], b"" if ended else _CLOSING)
        try:
            root = etree.fromstring(b"".join(piece), parser)
        except etree.XMLSyntaxError as error:
            raise _NotInPiecesError from error
        yield _read_rows(root)
        if ended:
            return
        at, size = end, _PIECE_BYTES


def _take_bytes(remaining: Iterator[bytes], size: int) -> Iterator[bytes]:
    """Chunks of at least `size` bytes in total, fewer at the end of the file."""
    while size > 0 and (chunk := next(remaining, None)) is not None:
        yield chunk
        size -= len(chunk)


def _parse_by_feeding(name: str, chunks: Iterable[bytes]) -> Iterator[list[_Row]]:
    """The rows of the records that end in each chunk."""
    parser = etree.XMLPullParser(events=("end",), tag=_RECORDS, **_PARSER_OPTIONS)
    try:
        for chunk in chunks:
            parser.feed(chunk)
            yield _take_ended(parser)
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
    yield _take_ended(parser)


def _take_ended(parser: etree.XMLPullParser) -> list[_Row]:
    """The rows of the records that ended since the last call; frees the records."""
    rows: list[_Row] = []
    # Typed as Any, since the stubs do not know that an event "end" always holds an element.
    events: Any = parser.read_events()
    for _, record in events:
        rows += _read_rows(record)
        parent = record.getparent()
        if parent is not None:
            parent.remove(record)
    return rows


def _read_rows(element: Any) -> list[_Row]:
    """The rows of an element: one per article, one per deleted PMID, or those of its children."""
    tag = element.tag
    if tag == "PubmedArticle":
        return [_read_article(element)]
    if tag == "PubmedBookArticle":
        return [_read_book_article(element)]
    if tag == DELETED:
        return [_make_deletion(pmid) for pmid in element.iterchildren("PMID")]
    return [row for record in element.iterchildren() for row in _read_rows(record)]


def _read_article(article: Any) -> _Row:
    """The row of an article.

    Speed matters here, with millions of articles. So elements are sought only where the DTD puts
    them, and by iterating over all children, which is faster than searches by lxml.
    """
    for part in article:
        if part.tag == "MedlineCitation":
            return _read_citation(part)
    return (None,) * len(nlm.FIELDS)


def _read_citation(citation: Any) -> _Row:
    pmid = version = revised = nlm_id = abbreviation = linking_issn = corrections = None
    content: tuple[str | None, ...] = _NO_CONTENT
    for part in citation:
        tag = part.tag
        if tag == "PMID":
            pmid, version = part.text, part.get("Version")
        elif tag == "DateRevised":
            revised = _read_numeric_date(part)
        elif tag == "Article":
            content = _read_content(part)
        elif tag == "MedlineJournalInfo":
            nlm_id, abbreviation, linking_issn = _read_journal_info(part)
        elif tag == "CommentsCorrectionsList":
            corrections = _read_corrections(part)
    title, vernacular, *dates, journal, iso, issn, types, trials = content
    abbreviations = iso or abbreviation
    if iso and abbreviation and iso != abbreviation:
        abbreviations = f"{iso}{SEPARATOR}{abbreviation}"
    return (
        *(pmid, version, citation.get("Status"), title, vernacular, *dates, revised),
        # The linking ISSN covers both the print and the electronic ISSN.
        *(journal, abbreviations, nlm_id, linking_issn or issn, types, corrections, trials),
    )


def _read_journal_info(info: Any) -> tuple[str | None, ...]:
    nlm_id = abbreviation = linking_issn = None
    for known in info:
        tag = known.tag
        if tag == "NlmUniqueID":
            nlm_id = known.text
        elif tag == "MedlineTA":
            abbreviation = known.text
        elif tag == "ISSNLinking":
            linking_issn = known.text
    return nlm_id, abbreviation, linking_issn


def _read_corrections(corrections: Any) -> str | None:
    """Each kind, with the PubMed id of the other article if it is given."""
    found = []
    for correction in corrections.iterchildren("CommentsCorrections"):
        kind = correction.get("RefType")
        if kind and kind != nlm.CITES:
            pmid = correction.findtext("PMID")
            found.append(f"{kind} {pmid}" if pmid else kind)
    return nlm.join(found)


def _read_content(article: Any) -> tuple[str | None, ...]:
    title = vernacular = types = electronic = trials = None
    of_journal: tuple[str | None, ...] = (None,) * 4
    for part in article:
        tag = part.tag
        if tag == "Journal":
            of_journal = _read_journal(part)
        elif tag == "ArticleTitle":
            title = _read_text(part)
        elif tag == "VernacularTitle":
            vernacular = _read_text(part)
        elif tag == "PublicationTypeList":
            types = _join([kind.text or "" for kind in part])
        elif tag == "ArticleDate":
            electronic = electronic or _read_numeric_date(part)
        elif tag == "DataBankList":
            trials = _read_trial_ids(part)
    published, journal, abbreviation, issn = of_journal
    return title, vernacular, published, electronic, journal, abbreviation, issn, types, trials


def _read_journal(journal: Any) -> tuple[str | None, ...]:
    published = title = abbreviation = issn = None
    for part in journal:
        tag = part.tag
        if tag == "ISSN":
            issn = part.text
        elif tag == "JournalIssue":
            for known in part:
                if known.tag == "PubDate":
                    published = _read_date(known)
        elif tag == "Title":
            title = _read_text(part)
        elif tag == "ISOAbbreviation":
            abbreviation = part.text
    return published, title, abbreviation, issn


def _read_trial_ids(data_banks: Any) -> str | None:
    return nlm.join(
        number.text
        for bank in data_banks.iterchildren("DataBank")
        if nlm.registers_trials(bank.findtext("DataBankName"))
        for number in bank.iterfind("AccessionNumberList/AccessionNumber")
        if number.text
    )


def _read_book_article(article: Any) -> _Row:
    """The row of a book's chapter, or of the book if it has none. Few rows: not optimized."""
    pmid = article.find("BookDocument/PMID")
    texts = [
        None if (found := article.find(f"BookDocument/{path}")) is None else read(found)
        for path, read in (
            ("ArticleTitle", _read_text),
            ("Book/BookTitle", _read_text),
            ("VernacularTitle", _read_text),
            ("ContributionDate", _read_date),
            ("Book/PubDate", _read_date),
            ("DateRevised", _read_numeric_date),
        )
    ]
    chapter, book, vernacular, contributed, published, revised = texts
    types = [kind.text or "" for kind in article.iterfind("BookDocument/PublicationType")]
    id_and_version = (None, None) if pmid is None else (pmid.text, pmid.get("Version"))
    dates = (contributed or published, None, revised)
    no_journal = (None,) * 4
    titles = (chapter or book, vernacular)
    return (*id_and_version, None, *titles, *dates, *no_journal, _join(types), None, None)


def _join(types: list[str]) -> str | None:
    return SEPARATOR.join(types) or None


def _make_deletion(pmid: Any) -> _Row:
    return (pmid.text, pmid.get("Version"), DELETED, *(None,) * (len(nlm.FIELDS) - 3))


def _read_text(element: Any) -> str:
    """All text inside an element, as written, joined without separators."""
    return "".join(element.itertext()) if len(element) else element.text or ""


def _read_date(date: Any) -> str | None:
    """The parts of a date, in their order: `2000 Jan 15`, `2000 Spring`, `1998 Dec-1999 Jan`."""
    return " ".join([text.strip() for part in date if (text := part.text)]) or None


def _read_numeric_date(date: Any) -> str | None:
    """The parts of a numeric date: `2000-01-15`."""
    return "-".join([text.strip() for part in date if (text := part.text)]) or None
