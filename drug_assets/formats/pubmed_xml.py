"""PubMed's XML (baseline, update files, efetch) -> raw rows (SPEC 1).

One row per article, per book article, and per PMID that is withdrawn. Elements are those of the
NLM's PubMed DTD, and of its MEDLINE DTD before 2017. Text is kept as written, without the tags of
inline markup and MathML. The meaning of versions, deletions and dates belongs to `cleaning`, the
structure of a file to `xml_records`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from drug_assets.formats import nlm, xml_records
from drug_assets.formats.xml_kind import XmlKind
from drug_assets.formats.xml_outline import Branch, Leaf, Outline
from drug_assets.terms import SEPARATOR

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    import polars as pl

    from drug_assets.formats.record_shape import RecordShape
    from drug_assets.formats.xml_kind import Row

#: The `citation_status` of the rows of withdrawn records.
DELETED = "DeleteCitation"
#: The elements that withdraw records.
_DELETIONS = ("DeleteCitation", "DeleteDocument")

_STATUS, _TITLE, _VERNACULAR = map(
    nlm.FIELDS.index, ("citation_status", "title", "vernacular_title")
)
_NO_ROW: Row = (None,) * len(nlm.FIELDS)


def is_evident(head: str) -> bool:
    """Whether the beginning of a text is certainly PubMed's XML."""
    return bool(KIND.root.search(head))


def is_plausible(head: str) -> bool:
    """Whether the beginning of a file named `.xml` can be PubMed's XML."""
    return head.lstrip("\ufeff \t\r\n").startswith("<")


def read_batches(shape: RecordShape, name: str, chunks: Iterable[bytes]) -> Iterator[pl.DataFrame]:
    """Read a file in batches of raw rows (`xml_records`).

    Args:
        shape: Shape of the records of its source.
        name: File below the landing zone.
        chunks: Its unpacked bytes; iterated again if parsing in pieces fails.

    Raises:
        FormatError: broken, cut, hostile, without a title in any record, or XML of another kind.
    """
    return xml_records.read_batches(KIND, shape, name, chunks)


def _has_title(row: Row) -> bool:
    """Whether a row has the element of a title, or withdraws a record and needs none."""
    return row[_TITLE] is not None or row[_VERNACULAR] is not None or row[_STATUS] == DELETED


def _read_article(article: Any) -> list[Row]:
    for part in article:
        if part.tag == "MedlineCitation":
            return _CITATION.read(part)
    return [_NO_ROW]


def _join_two(first: str | None, second: str | None) -> str | None:
    """Both texts of a multi-valued field, once if they are equal."""
    if first and second and first != second:
        return f"{first}{SEPARATOR}{second}"
    return first or second


def _read_corrections(corrections: Any) -> str | None:
    """Each kind, with the PubMed id of the other article if it is given."""
    found = []
    for correction in corrections.iterchildren("CommentsCorrections"):
        kind = correction.get("RefType")
        if kind and kind != nlm.CITES:
            pmid = correction.findtext("PMID")
            found.append(f"{kind} {pmid}" if pmid else kind)
    return nlm.join(found)


def _read_types(types: Any) -> str | None:
    return _join([kind.text or "" for kind in types])


def _read_trial_ids(data_banks: Any) -> str | None:
    return nlm.join(
        number.text
        for bank in data_banks.iterchildren("DataBank")
        if nlm.registers_trials(bank.findtext("DataBankName"))
        for number in bank.iterfind("AccessionNumberList/AccessionNumber")
        if number.text
    )


def _read_book_article(article: Any) -> list[Row]:
    for part in article:
        if part.tag == "BookDocument":
            return _read_book_document(part)
    return [_NO_ROW]


def _read_book_document(document: Any) -> list[Row]:
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


def _read_deletions(deletion: Any) -> list[Row]:
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


def _get_text(element: Any) -> str | None:
    text: str | None = element.text
    return text


def _make_row(values: Sequence[str | None]) -> Row:
    """The row of a citation, from the values of `_CITATION`."""
    status, pmid, version, revised, *content = values
    issn, published, journal, iso, title, vernacular, types, electronic, trials, *rest = content
    nlm_id, abbreviation, linking_issn, corrections = rest
    abbreviations, issns = _join_two(iso, abbreviation), _join_two(linking_issn, issn)
    return (
        *(pmid, version, status, title, vernacular, published, electronic, revised),
        *(journal, abbreviations, nlm_id, issns, types, corrections, trials),
    )


#: What is read of a citation. Elements are sought only where the DTD puts them.
_CITATION = Outline(
    "MedlineCitation",
    Branch(
        {
            "PMID": Leaf(_get_text, "Version"),
            "DateRevised": Leaf(_read_numeric_date, is_text=False),
            "Article": Branch(
                {
                    "Journal": Branch(
                        {
                            "ISSN": Leaf(_get_text),
                            "JournalIssue": Branch(
                                {"PubDate": Leaf(_read_date, is_text=False)}, adds=True
                            ),
                            "Title": Leaf(_read_text),
                            "ISOAbbreviation": Leaf(_get_text),
                        }
                    ),
                    "ArticleTitle": Leaf(_read_text),
                    "VernacularTitle": Leaf(_read_text),
                    "PublicationTypeList": Leaf(_read_types, is_text=False),
                    "ArticleDate": Leaf(_read_numeric_date, is_text=False, first=True),
                    "DataBankList": Leaf(_read_trial_ids, is_text=False),
                }
            ),
            "MedlineJournalInfo": Branch(
                {
                    "NlmUniqueID": Leaf(_get_text),
                    "MedlineTA": Leaf(_get_text),
                    "ISSNLinking": Leaf(_get_text),
                }
            ),
            "CommentsCorrectionsList": Leaf(_read_corrections, is_text=False),
        },
        "Status",
    ),
    _make_row,
)

KIND = XmlKind(
    owner="PubMed",
    fields=nlm.FIELDS,
    sets=("PubmedArticleSet", "PubmedBookArticleSet", "MedlineCitationSet", "BookDocumentSet"),
    records={
        "PubmedArticle": _read_article,
        "PubmedBookArticle": _read_book_article,
        "MedlineCitation": _CITATION.read,
        "BookDocument": _read_book_document,
        **dict.fromkeys(_DELETIONS, _read_deletions),
    },
    within={"PubmedArticle": "MedlineCitation", "PubmedBookArticle": "BookDocument"},
    outlines={_CITATION.name: _CITATION},
    is_named=_has_title,
    cuts={
        set_: (mark, len(mark))
        for set_, mark in (
            ("PubmedArticleSet", b"</PubmedArticle>"),
            ("PubmedBookArticleSet", b"</PubmedBookArticle>"),
            ("MedlineCitationSet", b"</MedlineCitation>"),
        )
    },
)
