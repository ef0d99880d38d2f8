"""PubMed: XML of the NLM, CSV exports of its website, and spreadsheets made from it."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from drug_assets.sources.source import Links, PublicationSource, Reference, SourceContracts
from drug_assets.terms import DATE_FORM, TrialPublicationKind

if TYPE_CHECKING:
    from collections.abc import Mapping

    import polars as pl

    from drug_assets.fetch import PublicService
    from drug_assets.formats.json_shapes import JsonShape


class Pubmed(PublicationSource):
    """Articles, with numbered versions of records, and records that withdraw others."""

    name = "pubmed"
    order = 2
    publications = "PubMed articles"
    document_type = "pubmed"
    links = Links("PubMed", "^[0-9]{1,8}$", "https://pubmed.ncbi.nlm.nih.gov/{id}/")
    can_be_retracted = True
    #: If the title is missing, it is the title in the article's own language.
    title_fields = ("title", "vernacular_title")
    required = ("title",)
    aliases: ClassVar[Mapping[str, str]] = {
        "pmid": "id",
        # CSV exports of PubMed's website.
        "journal/book": "journal",
        "publicationyear": "date",
        # JSON and CSV of Europe PMC.
        "journaltitle": "journal",
        "journalissn": "issn",
        "firstpublicationdate": "date",
        "pubyear": "date",
        "pubtype": "publication_types",
        # esummary, pymed, pubmed_parser.
        "uid": "id",
        "pubmedid": "id",
        "publicationdate": "date",
        "pubdate": "date",
        "fulljournalname": "journal",
        "nlmuniqueid": "nlm_id",
        "essn": "issn",
        "issnlinking": "issn",
        "medlineta": "journal_abbreviations",
        "delete": "citation_status",
        # easyPubMed.
        "jabbrv": "journal_abbreviations",
        # CSL JSON and Crossref.
        "containertitle": "journal",
        # CSV of Scopus, Dimensions, Lens and Zotero.
        "sourcetitle": "journal",
        "publicationtitle": "journal",
        "datepublished": "date",
        "issns": "issn",
        "journalabbreviation": "journal_abbreviations",
        # Scopus's API, and tables made from it.
        "dc:title": "title",
        "prism:publicationname": "journal",
        "publicationname": "journal",
        "prism:coverdate": "date",
        "coverdate": "date",
        "prism:issn": "issn",
        "prism:eissn": "issn",
        "eissn": "issn",
        "subtypedescription": "publication_types",
    }
    preferred = frozenset(
        {"pmid", "pubmedid", "firstpublicationdate", "publicationdate", "datepublished"}
    )
    # CSV exports of PubMed's website.
    ignored = frozenset(
        {"authors", "citation", "firstauthor", "createdate", "pmcid", "nihmsid", "doi"}
    )
    #: As easyPubMed writes them.
    parts: ClassVar[Mapping[str, tuple[str, ...]]] = {"date": ("year", "month", "day")}
    forms: ClassVar[Mapping[str, str]] = {
        **PublicationSource.forms,
        "version": "[0-9]{1,3}",
        "print_date": DATE_FORM,
        "electronic_date": DATE_FORM,
        "date_revised": DATE_FORM,
    }
    listed = frozenset(
        {"issn", "publication_types", "journal_abbreviations", "corrections", "trial_ids"}
    )
    formats = ("json", "csv", "pubmed_xml", "medline")
    date_fields = ("print_date", "electronic_date", "date")
    revision_field = "date_revised"
    pulled_from = "PubMed"
    #: Its ids have no blank.
    id_separators = r"[;,\s()\[\]\"']+"
    references = (Reference("trial_ids", "clinical_trials", TrialPublicationKind.NAMED),)

    def contracts(self) -> SourceContracts:
        """Its contracts."""
        from drug_assets import contracts

        return SourceContracts(contracts.RawPubmed, contracts.PubmedRecords, contracts.Pubmed)

    def referred_sources(self) -> tuple[PublicationSource, ...]:
        """Trials, whose ids data bank lists and titles name."""
        from drug_assets.sources.clinical_trials import SOURCE as CLINICAL_TRIALS

        return (CLINICAL_TRIALS,)

    def json_shapes(self) -> tuple[JsonShape, ...]:
        """The layouts of services and tools that deliver its records."""
        from drug_assets.formats.pubmed_json import SHAPES

        return SHAPES

    def title_issue(self) -> pl.Expr:
        """Whether the title is the vernacular one."""
        import polars as pl

        from drug_assets.terms import Issue

        stands_in = pl.col("title").is_null() & pl.col("vernacular_title").is_not_null()
        return pl.when(stands_in).then(pl.lit(Issue.VERNACULAR_TITLE))

    def read_id(self, text: pl.Expr) -> pl.Expr:
        """PubMed ids are one to eight digits."""
        from drug_assets.cleaning.ids import read_pubmed_id

        return read_pubmed_id(text)

    def version(self) -> pl.Expr:
        """The version of a record (Int64): PubMed counts from 1; 1 if it is missing or invalid."""
        import polars as pl

        return pl.col("version").str.to_integer(strict=False).fill_null(1).clip(lower_bound=1)

    def withdraws(self) -> pl.Expr:
        """The rows of `DeleteCitation`; pubmed_parser writes `delete: true`, in JSON and tables."""
        import polars as pl

        from drug_assets.formats.pubmed_xml import DELETED

        status = pl.col("citation_status").str.strip_chars().str.to_lowercase()
        return status.is_in([DELETED.lower(), "true"]).fill_null(value=False)

    def own_columns(self) -> Mapping[str, pl.Expr]:
        """The columns of `contracts.PubmedColumns`."""
        import polars as pl

        from drug_assets.cleaning.corrections import (
            is_retracted,
            split_corrections,
            split_publication_types,
        )

        types, corrections = pl.col("publication_types"), pl.col("corrections")
        return {
            "publication_types": split_publication_types(types),
            "corrections": split_corrections(corrections),
            "retracted": is_retracted(types, corrections),
        }

    def merged_columns(self) -> Mapping[str, pl.Expr]:
        """Whether it was retracted: a record may give the types, another one the corrections."""
        import polars as pl

        from drug_assets.cleaning.corrections import lists_tell_retracted

        return {
            "retracted": lists_tell_retracted(pl.col("publication_types"), pl.col("corrections"))
        }

    def service(self) -> PublicService:
        """NCBI's E-utilities."""
        from drug_assets.fetch.pubmed import SERVICE

        return SERVICE


SOURCE = Pubmed()
