"""The JSON of services and tools that deliver PubMed's records, as declared paths (SPEC 1).

Keys that mean the same everywhere are aliases of the source; here are the layouts that nest a field
or use a key in a meaning of their own.
"""

from __future__ import annotations

from drug_assets.formats.json_shapes import DateParts, FirstLine, IfTrue, JsonShape, Split

_DATE = ("date-parts", DateParts())
_SOURCE = ("primary_location", "source")
_JOURNAL = ("journalInfo", "journal")
#: OpenAlex writes ids as addresses of pages.
_AFTER_ADDRESS = Split(r"\Ahttps?://\S*/")
_RETRACTED = "Retracted Publication"

#: E-utilities' esummary.
ESUMMARY = JsonShape(
    name="esummary",
    marks=(("uid",),),
    paths={
        "id": (("uid",),),
        "print_date": (("pubdate",),),
        "electronic_date": (("epubdate",),),
        "journal": (("fulljournalname",), ("source",)),
        "journal_abbreviations": (("source",),),
        "nlm_id": (("nlmuniqueid",),),
        "issn": (("issn",), ("essn",)),
        "publication_types": (("pubtype",),),
    },
)

#: Europe PMC, `resultType=core`; its other answers are flat.
EUROPE_PMC = JsonShape(
    name="Europe PMC",
    marks=((*_JOURNAL,), ("pubTypeList", "pubType")),
    paths={
        "print_date": (
            ("journalInfo", "dateOfPublication"),
            ("journalInfo", "printPublicationDate"),
            ("journalInfo", "yearOfPublication"),
            ("pubYear",),
        ),
        "electronic_date": (("electronicPublicationDate",), ("firstPublicationDate",)),
        "journal": ((*_JOURNAL, "title"),),
        "journal_abbreviations": (
            (*_JOURNAL, "isoabbreviation"),
            (*_JOURNAL, "medlineAbbreviation"),
        ),
        "nlm_id": ((*_JOURNAL, "nlmid"),),
        "issn": ((*_JOURNAL, "issn"), (*_JOURNAL, "essn")),
        "publication_types": (("pubTypeList", "pubType"),),
        "corrections": (("commentCorrectionList", "commentCorrection", "type"),),
        "date_revised": (("dateOfRevision",),),
    },
)

#: Works of OpenAlex.
OPENALEX = JsonShape(
    name="OpenAlex",
    marks=(("ids", "openalex"), _SOURCE, ("is_retracted",)),
    paths={
        "id": (("ids", "pmid", _AFTER_ADDRESS), ("pmid",), ("id",)),
        "title": (("title",), ("display_name",)),
        "date": (("publication_date",), ("publication_year",)),
        "journal": ((*_SOURCE, "display_name"), ("host_venue", "display_name")),
        "issn": ((*_SOURCE, "issn_l"), (*_SOURCE, "issn")),
        "publication_types": (("type",), ("is_retracted", IfTrue(_RETRACTED))),
    },
)

#: CSL JSON, which reference managers and NLM's citation exporter write, and Crossref.
CSL = JsonShape(
    name="CSL JSON",
    marks=(
        ("issued", "date-parts"),
        ("issued", "raw"),
        ("issued", "literal"),
        ("published-print", "date-parts"),
        ("published-online", "date-parts"),
    ),
    paths={
        "print_date": (
            ("published-print", *_DATE),
            ("issued", *_DATE),
            ("issued", "raw"),
            ("issued", "literal"),
        ),
        "electronic_date": (("published-online", *_DATE), ("epub-date", *_DATE)),
        "journal_abbreviations": (("container-title-short",), ("short-container-title",)),
    },
)

#: Records of pymed; its id is followed by those of the references, on further lines.
PYMED = JsonShape(
    name="pymed",
    marks=(("pubmed_id",),),
    paths={"id": (("pubmed_id", FirstLine()),)},
)

#: Records of pubmed_parser: types have their code before them, a deletion is a member.
PUBMED_PARSER = JsonShape(
    name="pubmed_parser",
    marks=(("delete",), ("medline_ta",), ("issn_linking",)),
    paths={
        "citation_status": (("delete", IfTrue("DeleteCitation")),),
        "publication_types": (
            ("publication_types", Split(r"[;|]", r"\A\s*+(?:[DQ][0-9]++:)?\s*+|\s+\Z")),
        ),
    },
)

SHAPES = (ESUMMARY, EUROPE_PMC, OPENALEX, CSL, PUBMED_PARSER, PYMED)
