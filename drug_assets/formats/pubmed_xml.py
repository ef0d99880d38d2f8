"""PubMed's XML (baseline, update files, efetch) -> raw rows (SPEC 1).

One row per article, per book article, and per PMID that is withdrawn. Elements are those of the
NLM's PubMed DTD, and of its MEDLINE DTD before 2017. Text is kept as written, without the tags of
inline markup and MathML. The meaning of versions, deletions and dates belongs to `cleaning`.

A file is parsed in pieces and each article is freed once it is read, so memory does not grow with
the file. A file that cannot be parsed in pieces is parsed as one document, and one that is not
well-formed record by record (`pubmed_documents`). External entities are never fetched; entity bombs
and extreme depth are refused. These are defaults of lxml; `huge_tree` stays off.
"""

from __future__ import annotations

import re
from itertools import islice
from json.encoder import encode_basestring
from typing import TYPE_CHECKING, Any, TypeAlias

from lxml import etree

from drug_assets.formats import nlm, raw_rows
from drug_assets.formats.decoding import FormatError, decode_head
from drug_assets.formats.pubmed_documents import (
    DELETIONS,
    PARSER_OPTIONS,
    RECORDS,
    SETS,
    CannotSplitError,
    refuse_element,
    refuse_text,
    split_records,
)
from drug_assets.formats.service_errors import find_in_markup
from drug_assets.terms import SEPARATOR

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    import polars as pl

    from drug_assets.formats.record_shape import RecordShape

#: The `citation_status` of the rows of withdrawn records.
DELETED = "DeleteCitation"

_ROOT = re.compile(rf"<(?:{'|'.join((*SETS, *RECORDS))})(?=[\s>/])")

#: The usual start of a file, up to the first record. It has balanced quotes and declares no entity,
#: so it can be put before each piece.
_OPENING = re.compile(
    rb"""(?:\xef\xbb\xbf|\s)*(?P<opening>
    (?:<\?xml\ version="1\.0"(?:\ encoding="(?i:utf-8|us-ascii)")?\s*\?>\s*)?
    (?:<!DOCTYPE\s+\w+(?:\s+(?:PUBLIC\s+"[^"<>]*"|SYSTEM)\s+"[^"<>]*")?\s*>\s*)?
    <(?P<set>PubmedArticleSet|PubmedBookArticleSet|MedlineCitationSet)\s*>)""",
    re.VERBOSE,
)
_OPENING_BYTES = 4096
#: The end tag of the records of a set.
_RECORD_ENDS = {
    b"PubmedArticleSet": b"</PubmedArticle>",
    b"PubmedBookArticleSet": b"</PubmedBookArticle>",
    b"MedlineCitationSet": b"</MedlineCitation>",
}
#: The size at which parsing is fastest: a document then reuses memory of the one before that is
#: still in the processor's cache. A piece is longer only if it is a single article.
_PIECE_BYTES = 128 * 1024
_LONGEST_PIECE_BYTES = 16 * 1024**2
#: A batch ends after as many bytes: more than `BATCH_RECORDS` articles take, unless they are huge.
_BATCH_BYTES = 256 * 1024**2
#: Texts between records that are not blank.
_STRAY_TEXTS: Any = etree.XPath("text()[normalize-space()]")
#: As many characters of a damaged record are kept.
_DAMAGED_CHARS = 10_000
#: The elements at the beginning of a file that a message may name.
_NAMED_ELEMENTS = 60

_NO_CONTENT = (None,) * 9
_STATUS, _TITLE, _VERNACULAR = map(
    nlm.FIELDS.index, ("citation_status", "title", "vernacular_title")
)

_Row: TypeAlias = tuple[str | None, ...]
_Fields: TypeAlias = dict[str, list[str | None]]
_NO_ROW: _Row = (None,) * len(nlm.FIELDS)

#: The read issues and the extra of rows that have any, by number in the file from 1.
_Odd: TypeAlias = "dict[int, tuple[Sequence[str], str | None]]"


def is_evident(head: str) -> bool:
    """Whether the beginning of a text is certainly PubMed's XML."""
    return bool(_ROOT.search(head))


def is_plausible(head: str) -> bool:
    """Whether the beginning of a file named `.xml` can be PubMed's XML."""
    return head.lstrip("\ufeff \t\r\n").startswith("<")


def read_batches(shape: RecordShape, name: str, chunks: Iterable[bytes]) -> Iterator[pl.DataFrame]:
    """Read a file in batches of about `BATCH_RECORDS` raw rows, or of `_BATCH_BYTES` of the file.

    Args:
        shape: Shape of the records of its source.
        name: File below the landing zone.
        chunks: Its unpacked bytes; iterated again if parsing in pieces fails.

    Raises:
        FormatError: broken, cut, hostile, without a title in any record, or XML of another kind.
    """
    counted = _CountedChunks(chunks)
    first_row, height, size, titled = 1, 0, 0, False
    fields: _Fields = {field: [] for field in nlm.FIELDS}
    odd: _Odd = {}

    def take_frame() -> pl.DataFrame:
        numbers = [number for number in odd if number < first_row + height]
        taken = {number - first_row: odd.pop(number) for number in numbers}
        extra = {index: text for index, (_, text) in taken.items() if text is not None}
        issues = {index: found for index, (found, _) in taken.items()}
        return raw_rows.make_frame(shape, name, first_row, height, fields, extra, issues, None)

    for rows in _parse(name, counted, odd):
        titled = titled or any(map(_has_title, rows))
        # One list per column: keeping a tuple per row would slow down the garbage collector.
        for values, added in zip(fields.values(), zip(*rows, strict=True), strict=bool(rows)):
            values.extend(added)
        height += len(rows)
        if height >= raw_rows.BATCH_RECORDS or (height and counted.size - size > _BATCH_BYTES):
            yield take_frame()
            first_row, height, size = first_row + height, 0, counted.size
            fields = {field: [] for field in nlm.FIELDS}
    if not titled and (height or first_row > 1):
        raise raw_rows.no_record_error(shape, name, _name_elements(chunks))
    if height or first_row == 1:
        yield take_frame()


class _CountedChunks:
    """Chunks that can be iterated several times, and the number of bytes that were taken."""

    def __init__(self, chunks: Iterable[bytes]) -> None:
        self._chunks = chunks
        self.size = 0

    def __iter__(self) -> Iterator[bytes]:
        for chunk in self._chunks:
            self.size += len(chunk)
            yield chunk


def _has_title(row: _Row) -> bool:
    """Whether a row has the element of a title, or withdraws a record and needs none."""
    return row[_TITLE] is not None or row[_VERNACULAR] is not None or row[_STATUS] == DELETED


def _name_elements(chunks: Iterable[bytes]) -> list[str]:
    """The names of the first elements of a file."""
    parser = etree.XMLPullParser(events=("start",), recover=True, **PARSER_OPTIONS)
    parser.feed(next(iter(chunks), b""))
    events: Any = parser.read_events()
    return [element.tag for _, element in islice(events, _NAMED_ELEMENTS)]


def _parse(name: str, chunks: Iterable[bytes], odd: _Odd) -> Iterator[list[_Row]]:
    """The rows of each piece of the file.

    If the file cannot be parsed in pieces, it is read again as a whole, and if it is not one
    well-formed document, record by record; each time without the rows that were yielded already.

    Args:
        name: File below the landing zone.
        chunks: Its unpacked bytes.
        odd: Gets the read issues and the extra of rows that have any, before they are yielded.
    """
    yielded = 0
    try:
        for rows in _parse_in_pieces(chunks):
            yielded += len(rows)
            yield rows
    except _NotInPiecesError:
        pass
    else:
        return
    try:
        for rows in _drop_first(yielded, _parse_by_feeding(name, chunks)):
            yielded += len(rows)
            yield rows
    except _NotWellFormedError as error:
        damage = error
    else:
        return
    yield from _drop_first(yielded, _parse_by_record(name, chunks, damage, odd))


def _drop_first(count: int, pieces: Iterator[list[_Row]]) -> Iterator[list[_Row]]:
    """The same pieces without their first rows."""
    for rows in pieces:
        yield rows[count:] if count else rows
        count -= min(count, len(rows))


class _NotInPiecesError(Exception):
    """A file with a piece that is no XML document of its own; the whole file may be one."""


class _NotWellFormedError(FormatError):
    """A file that is not one well-formed document; its records may be."""


def _parse_in_pieces(chunks: Iterable[bytes]) -> Iterator[list[_Row]]:
    """The rows of a file that is a list of articles, piece by piece.

    Articles are children of one root. So several of them, between the opening of the file and the
    end tag of the root, are an XML document of their own. libxml2 parses a whole document in half
    the time that it takes to parse one fed in chunks.

    Raises:
        _NotInPiecesError: a piece cannot be parsed, or holds something else than records; the rows
            yielded before are valid.
    """
    remaining = iter(chunks)
    text = b"".join(_take_bytes(remaining, _OPENING_BYTES))
    found = _OPENING.match(text)
    if found is None:
        raise _NotInPiecesError
    opening, at, size = found["opening"], found.end(), _PIECE_BYTES
    record_end, closing = _RECORD_ENDS[found["set"]], b"</" + found["set"] + b">"
    parser = etree.XMLParser(**PARSER_OPTIONS)
    while True:
        if len(text) - at < size:
            text = b"".join([text[at:], *_take_bytes(remaining, size)])
            at = 0
        ended = len(text) < size
        last = text.rfind(record_end, at, at + size)
        if last < 0 and not ended:
            size *= 2
            if size > _LONGEST_PIECE_BYTES:
                raise _NotInPiecesError
            continue
        end = len(text) if ended else last + len(record_end)
        piece = (opening, memoryview(text)[at:end], b"" if ended else closing)
        try:
            root = etree.fromstring(b"".join(piece), parser)
        except etree.XMLSyntaxError as error:
            raise _NotInPiecesError from error
        yield _read_set(root)
        if ended:
            return
        at, size = end, _PIECE_BYTES


def _read_set(root: Any) -> list[_Row]:
    """The rows of a set of records.

    Raises:
        _NotInPiecesError: it holds something else.
    """
    if _STRAY_TEXTS(root):
        raise _NotInPiecesError
    rows: list[_Row] = []
    for record in root:
        read = _READERS.get(record.tag)
        if read is None:
            raise _NotInPiecesError
        rows += read(record)
    return rows


def _take_bytes(remaining: Iterator[bytes], size: int) -> Iterator[bytes]:
    """Chunks of at least `size` bytes in total, fewer at the end of the file."""
    while size > 0 and (chunk := next(remaining, None)) is not None:
        yield chunk
        size -= len(chunk)


def _parse_by_feeding(name: str, chunks: Iterable[bytes]) -> Iterator[list[_Row]]:
    """The rows of the records that end in each chunk.

    Raises:
        _NotWellFormedError: it is not one well-formed document.
        FormatError: its root is not PubMed's, or holds something else than records.
    """
    _refuse_other_root(name, chunks)
    tags = (*SETS, *RECORDS)
    parser = etree.XMLPullParser(events=("start", "end"), tag=tags, **PARSER_OPTIONS)
    root: Any = None
    strange: FormatError | None = None
    try:
        for chunk in chunks:
            parser.feed(chunk)
            # lxml raises some errors, such as an unknown entity, only at the end of the file.
            errors: Any = parser.feed_error_log.filter_from_errors()
            if errors:
                raise _refuse_damage(name, errors[0].line, errors[0].column, errors[0].message)
            rows: list[_Row] = []
            # Typed as Any, since the stubs do not know that these events always hold an element.
            events: Any = parser.read_events()
            for event, element in events:
                if event == "start":
                    root = element if root is None else root
                else:
                    rows += _take_record(element, root)
            yield rows
            if strange is not None:
                raise strange
            # An element may go on in the next chunk, with the words that the message needs.
            strange = None if root is None or root.tag in _READERS else _find_strange(name, root)
        root = parser.close()
    except etree.XMLSyntaxError as error:
        raise _refuse_damage(name, *error.position, error.msg) from error
    if strange is not None:
        raise strange


def _refuse_damage(name: str, line: int, column: int, message: str | None) -> _NotWellFormedError:
    return _NotWellFormedError(
        name,
        f"not well-formed XML, or hostile: line {line}, column {column}: {message}. "
        "Land the file again, whole.",
    )


def _take_record(element: Any, root: Any) -> list[_Row]:
    """The rows of an element that ended; a record is freed."""
    read = _READERS.get(element.tag)
    in_set = root.tag not in _READERS and element.getparent() is root
    if read is None or not (in_set or element is root):
        return []
    rows = read(element)
    if in_set and not (element.tail or "").strip():
        root.remove(element)
    return rows


def _find_strange(name: str, root: Any) -> FormatError | None:
    """The error of a set that holds something else than records, None if it does not."""
    for element in root:
        if element.tag not in _READERS:
            markup = etree.tostring(element, encoding="unicode", with_tail=False)
            return refuse_element(name, element.tag, markup, element.sourceline)
    texts = _STRAY_TEXTS(root)
    return refuse_text(name, texts[0], root.sourceline) if texts else None


def _refuse_other_root(name: str, chunks: Iterable[bytes]) -> None:
    """Refuse XML of another kind before it is in memory whole.

    Raises:
        FormatError: the root is not one of PubMed.
    """
    parser = etree.XMLPullParser(events=("start",), **PARSER_OPTIONS)
    for chunk in chunks:
        try:
            parser.feed(chunk)
        except etree.XMLSyntaxError:
            return
        events: Any = parser.read_events()
        for _, root in events:
            if root.tag in SETS or root.tag in RECORDS:
                return
            told = find_in_markup(decode_head(chunk))
            says = f" It holds an error of the service that it is from: {told!r}." if told else ""
            raise FormatError(
                name,
                f"XML, but not PubMed's: its root is {root.tag}, on line {root.sourceline}, not "
                f"PubmedArticleSet.{says} Land what PubMed delivers.",
            )


def _parse_by_record(
    name: str, chunks: Iterable[bytes], damage: _NotWellFormedError, odd: _Odd
) -> Iterator[list[_Row]]:
    """The rows of a file that is not one well-formed document, record by record.

    Raises:
        FormatError: its structure is broken, it is hostile, or no record can be read.
    """
    number, readable = 1, False
    try:
        for record in split_records(name, chunks):
            rows, extra = [_NO_ROW], None
            if record.element is not None:
                readable = True
                rows = _READERS[record.element.tag](record.element)
            else:
                raw = encode_basestring(record.text[:_DAMAGED_CHARS])
                extra = raw_rows.to_json_object([("raw", raw)])
            if record.issues:
                odd.update(dict.fromkeys(range(number, number + len(rows)), (record.issues, extra)))
            number += len(rows)
            yield rows
    except CannotSplitError:
        raise damage from None
    if number > 1 and not readable:
        raise damage


def _read_article(article: Any) -> list[_Row]:
    """The row of an article.

    Speed matters here, with millions of articles. So elements are sought only where the DTD puts
    them, and by iterating over all children, which is faster than searches by lxml.
    """
    for part in article:
        if part.tag == "MedlineCitation":
            return _read_citation(part)
    return [_NO_ROW]


def _read_citation(citation: Any) -> list[_Row]:
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
    abbreviations, issns = _join_two(iso, abbreviation), _join_two(linking_issn, issn)
    row = (
        *(pmid, version, citation.get("Status"), title, vernacular, *dates, revised),
        *(journal, abbreviations, nlm_id, issns, types, corrections, trials),
    )
    return [row]


def _join_two(first: str | None, second: str | None) -> str | None:
    """Both texts of a multi-valued field, once if they are equal."""
    if first and second and first != second:
        return f"{first}{SEPARATOR}{second}"
    return first or second


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


def _read_book_article(article: Any) -> list[_Row]:
    for part in article:
        if part.tag == "BookDocument":
            return _read_book_document(part)
    return [_NO_ROW]


def _read_book_document(document: Any) -> list[_Row]:
    """The row of a book's chapter, or of the book if it has none. Few rows: not optimized."""
    pmid = document.find("PMID")
    texts = [
        None if (found := document.find(path)) is None else read(found)
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
    types = [kind.text or "" for kind in document.iterfind("PublicationType")]
    id_and_version = (None, None) if pmid is None else (pmid.text, pmid.get("Version"))
    dates = (contributed or published, None, revised)
    no_journal = (None,) * 4
    titles = (chapter or book, vernacular)
    return [(*id_and_version, None, *titles, *dates, *no_journal, _join(types), None, None)]


def _join(types: list[str]) -> str | None:
    return SEPARATOR.join(types) or None


def _read_deletions(deletion: Any) -> list[_Row]:
    """The rows of an element that withdraws records: one per PMID."""
    nothing = (None,) * (len(nlm.FIELDS) - 3)
    pmids = deletion.iterchildren("PMID")
    return [(pmid.text, pmid.get("Version"), DELETED, *nothing) for pmid in pmids]


def _read_text(element: Any) -> str:
    """All text inside an element, as written, joined without separators."""
    return "".join(element.itertext()) if len(element) else element.text or ""


def _read_date(date: Any) -> str | None:
    """The parts of a date, in their order: `2000 Jan 15`, `2000 Spring`, `1998 Dec-1999 Jan`."""
    return " ".join([text.strip() for part in date if (text := part.text)]) or None


def _read_numeric_date(date: Any) -> str | None:
    """The parts of a numeric date: `2000-01-15`."""
    return "-".join([text.strip() for part in date if (text := part.text)]) or None


#: How the rows of each kind of record are read.
_READERS = {
    "PubmedArticle": _read_article,
    "PubmedBookArticle": _read_book_article,
    "MedlineCitation": _read_citation,
    "BookDocument": _read_book_document,
    **dict.fromkeys(DELETIONS, _read_deletions),
}
