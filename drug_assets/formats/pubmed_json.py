"""The JSON of services and tools that deliver PubMed's records, as declared paths (SPEC 1).

Keys that mean the same everywhere are aliases of the source; here are the layouts that nest a field
or use a key in a meaning of their own. Each also lists the members that it is known to have, and
that hold nothing for us. What tells that an article was retracted is never among them.
"""

from __future__ import annotations

from drug_assets.formats.json_shapes import (
    DateParts,
    First,
    FirstLine,
    Having,
    IfTrue,
    JsonShape,
    Split,
)

_DATE = ("date-parts", DateParts())
_SOURCE = ("primary_location", "source")
_JOURNAL = ("journalInfo", "journal")
_ATTRIBUTES = "attributes"
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
    no_fields="""
        articleids attributes authors availablefromurl bookname booktitle chapter doccontriblist
        docdate doctype edition elocationid history issue lang lastauthor locationlabel medium pages
        pmcrefcount publisherlocation publishername pubstatus recordstatus references reportnumber
        sortfirstauthor sortpubdate sorttitle srccontriblist srcdate volume
    """,
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
    no_fields="""
        abstractText affiliation authMan authorIdList authorList authorString bookid
        bookOrReportDetails chemicalList citedByCount dataLinksTagsList dateOfCompletion
        dateOfCreation dbCrossReferenceList doi embargoDate epmcAuthMan firstIndexDate
        fullTextIdList fullTextReceivedDate fullTextUrlList grantsList hasBook hasData
        hasDbCrossReferences hasEvaluations hasLabsLinks hasPDF hasReferences hasSuppl
        hasTextMinedTerms hasTMAccessionNumbers inEPMC inPMC investigatorList isOpenAccess issue
        journalVolume keywordList language license manuscriptId meshHeadingList nihAuthMan pageInfo
        patentDetails pmcid publicationStatus pubModel subsetList tmAccessionTypeList versionList
    """,
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
    no_fields="""
        abstract_inverted_index abstract_inverted_index_v3 alternate_host_venues apc_list apc_paid
        authors_count authorships awards best_oa_location biblio citation_normalized_percentile
        cited_by_api_url cited_by_count cited_by_percentile_year concepts content_url content_urls
        corresponding_author_ids corresponding_institution_ids countries_distinct_count
        counts_by_year created_date datasets doi fulltext fulltext_origin funders fwci grants
        has_content has_fulltext indexed_in institution_assertions institutions_distinct_count
        is_paratext is_xpac keywords language locations locations_count mesh ngrams_url open_access
        primary_topic referenced_works referenced_works_count related_works relevance_score
        sustainable_development_goals topics type_crossref updated_date versions
    """,
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
        "trial_ids": (("clinical-trial-number", "clinical-trial-number"),),
    },
    no_fields="""
        abstract accepted accessed alternative-id approved archive article-number assertion author
        citation-key content-created content-domain content-updated created deposited DOI editor
        funder indexed institution is-referenced-by-count isbn-type issn-type issue journal-issue
        keyword language license link member note number-of-pages original-title page PMCID posted
        prefix published published-other publisher publisher-location publisher-place reference
        reference-count references-count relation resource score short-title shortTitle source
        subject subtitle title-short translator type URL volume
    """,
)

#: Works of CORE, whose own id is a number that could be one of PubMed.
CORE = JsonShape(
    name="CORE",
    marks=(("yearPublished",), ("dataProviders",), ("pubmedId",)),
    paths={
        "id": (("pubmedId",),),
        "date": (("publishedDate",), ("yearPublished",)),
        "journal": (("journals", First(), "title"),),
        "issn": (("journals", "identifiers"),),
    },
    no_fields="""
        abstract acceptedDate arxivId authors citationCount contributors createdDate dataProvider
        dataProviders depositedDate documentType doi downloadUrl fieldOfStudy fullText id
        identifiers language links magId oaiIds outputs publisher references setSpecs
        sourceFulltextUrls tags updatedDate
    """,
)

#: DataCite's records; their ids are DOIs.
DATACITE = JsonShape(
    name="DataCite",
    marks=((_ATTRIBUTES, "titles"),),
    paths={
        "id": (
            (
                *(_ATTRIBUTES, "alternateIdentifiers", Having("alternateIdentifierType", "PMID")),
                "alternateIdentifier",
            ),
            (
                *(_ATTRIBUTES, "relatedIdentifiers", Having("relationType", "IsIdenticalTo")),
                *(Having("relatedIdentifierType", "PMID"), "relatedIdentifier"),
            ),
        ),
        "title": ((_ATTRIBUTES, "titles", First(), "title"),),
        "date": (
            (_ATTRIBUTES, "dates", Having("dateType", "Issued"), "date"),
            (_ATTRIBUTES, "published"),
            (_ATTRIBUTES, "publicationYear"),
        ),
        "journal": ((_ATTRIBUTES, "container", "title"),),
        "issn": ((_ATTRIBUTES, "container", Having("identifierType", "ISSN"), "identifier"),),
        "publication_types": ((_ATTRIBUTES, "types", "resourceTypeGeneral"),),
    },
    no_fields="id relationships type",
)

#: Papers of the Semantic Scholar Graph API.
SEMANTIC_SCHOLAR = JsonShape(
    name="Semantic Scholar",
    marks=(("paperId",),),
    paths={
        "id": (("externalIds", "PubMed"),),
        "date": (("publicationDate",), ("year",)),
        "journal": (("journal", "name"), ("publicationVenue", "name"), ("venue",)),
        "issn": (("publicationVenue", "issn"), ("publicationVenue", "alternate_issns")),
        "publication_types": (("publicationTypes",),),
    },
    no_fields="""
        abstract authors citationCount citations citationStyles corpusId embedding externalIds
        fieldsOfStudy influentialCitationCount isOpenAccess matchScore openAccessPdf paperId
        referenceCount references s2FieldsOfStudy textAvailability tldr url
    """,
)

#: Entries of the Scopus Search API, whose keys are aliases of the source.
SCOPUS = JsonShape(
    name="Scopus",
    marks=(("dc:title",),),
    no_fields="""
        @_fa affiliation article-number author author-count citedby-count dc:creator dc:description
        dc:identifier eid freetoread freetoreadLabel fund-acr fund-no fund-sponsor link openaccess
        openaccessFlag orcid pii prism:aggregationType prism:coverDisplayDate prism:doi prism:isbn
        prism:issueIdentifier prism:pageRange prism:url prism:volume source-id subtype
    """,
)

#: Records of pymed; its id is followed by those of the references, on further lines.
PYMED = JsonShape(
    name="pymed",
    marks=(("pubmed_id",),),
    paths={"id": (("pubmed_id", FirstLine()),)},
    no_fields="""
        abstract authors conclusions copyrights doi keywords methods results xml
    """,
)

#: Records of pubmed_parser: types have their code before them.
PUBMED_PARSER = JsonShape(
    name="pubmed_parser",
    marks=(("delete",), ("medline_ta",), ("issn_linking",)),
    paths={
        "publication_types": (
            ("publication_types", Split(r"[;|]", r"\A\s*+(?:[DQ][0-9]++:)?\s*+|\s+\Z")),
        ),
    },
    no_fields="""
        abstract affiliations authors chemical_list country doi grant_ids issue keywords languages
        mesh_terms other_id pages pmc references volume
    """,
)

SHAPES = (
    *(ESUMMARY, EUROPE_PMC, OPENALEX, CSL, SEMANTIC_SCHOLAR, CORE, DATACITE),
    *(SCOPUS, PUBMED_PARSER, PYMED),
)
