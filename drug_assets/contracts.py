"""Every table, declared once: columns, types, keys, rules, descriptions (SPEC, "Tables").

Storage, asset checks, the column schema in Dagster, the BigQuery tables and `docs/tables.md` are
derived from these classes. `sources` declares which classes belong to a source, `sources.tables`
the name of each table. No transformation belongs here, and no code that knows where a table is
stored. Descriptions are written for people who read the tables.
"""

from __future__ import annotations

from typing import TypeAlias

import dataframely as dy
import polars as pl

from drug_assets.terms import (
    ATC_CODE,
    ATC_LEVELS,
    DatePrecision,
    IdentifierScheme,
    Issue,
    ListChange,
    MentionChange,
    MergeRule,
    NameKind,
    ReadIssue,
    ReferenceSide,
    RejectReason,
    SpanOrigin,
    Term,
    TrialPublicationKind,
)

Contract: TypeAlias = type[dy.Schema]


def polars_schema(contract: Contract) -> pl.Schema:
    """The column names and Polars types of a contract, in order."""
    return pl.Schema({name: column.dtype for name, column in contract.columns().items()})


def _texts(description: str, *, min_length: int = 0) -> dy.List:
    return dy.List(
        dy.String(nullable=False), nullable=False, min_length=min_length, description=description
    )


def _precision(of: str) -> dy.String:
    return dy.String(
        nullable=True, description=f"How much of the {of} is known. {DatePrecision.listed()}."
    )


def _all_among(column: str, terms: type[Term]) -> pl.Expr:
    """Whether every item of a list column is one of the terms."""
    return pl.col(column).list.eval(pl.element().is_in(list(terms))).list.all()


class RecordKey(dy.Schema):
    """The file and row of a record: the key of every table with one row per landed record."""

    source_file = dy.String(
        primary_key=True, description="File below the landing zone, with forward slashes."
    )
    source_row = dy.Int64(
        primary_key=True, min=1, description="Record in that file, from 1, header not counted."
    )


# Raw tables: the landed records as text, unchanged.


class RawRecord(RecordKey):
    """The columns of every raw row: its file and row, its unknown fields, its read issues."""

    extra = dy.String(
        nullable=True,
        description="JSON of what the record held beyond the known fields; null if nothing.",
    )
    read_issues = _texts(f"What was odd about the form of the record. {ReadIssue.listed()}.")

    @dy.rule()
    def read_issues_are_known(cls) -> pl.Expr:  # noqa: N805
        """Each is one of `terms.ReadIssue`."""
        return _all_among("read_issues", ReadIssue)


class RawDrugs(RawRecord):
    """Drug lists exactly as they landed."""

    id = dy.String(nullable=True, description="The list's own identifier, where it has one.")
    atccode = dy.String(nullable=True, description="ATC code, as written.")
    drug = dy.String(nullable=True, description="Drug name, as written.")
    atc_name = dy.String(
        nullable=True, description="Name of an ATC group or substance, from the WHO's own table."
    )
    synonyms = dy.String(nullable=True, description="Other names, separated by bars.")
    brands = dy.String(nullable=True, description="Names of products, separated by bars.")
    research_codes = dy.String(
        nullable=True, description="Codes of research and companies, separated by bars."
    )
    forms = dy.String(
        nullable=True,
        description="Names of its salts, esters, hydrates and isomers, separated by bars.",
    )
    drugbank = dy.String(nullable=True, description="Its accession numbers in DrugBank.")
    unii = dy.String(nullable=True, description="Its UNIIs, as written.")
    chembl = dy.String(nullable=True, description="Its ids in ChEMBL, as written.")
    mesh = dy.String(nullable=True, description="Its unique ids in MeSH, as written.")
    rxcui = dy.String(nullable=True, description="Its concept identifiers in RxNorm, as written.")
    bdpm = dy.String(nullable=True, description="Its codes in the French BDPM, as written.")
    cas = dy.String(nullable=True, description="Its CAS registry numbers, as written.")
    inchikey = dy.String(nullable=True, description="InChIKeys of its structure, as written.")
    form_of = dy.String(
        nullable=True,
        description="Identifiers of the substances that it is a salt, ester, hydrate or isomer of, "
        "separated by bars: the scheme, a colon and the identifier.",
    )
    products = dy.String(
        nullable=True,
        description="Products that it is in, or whose names and codes the row gives, separated by "
        "bars: the scheme, a colon, the product, and a slash and the place of the substance in it.",
    )
    moiety_in = dy.String(
        nullable=True,
        description="The same, where it is what acts, and another substance is the form of it.",
    )
    mapped_to = dy.String(
        nullable=True,
        description="Unique ids of the descriptors that a supplementary record of MeSH maps to, "
        "separated by bars.",
    )
    tree_numbers = dy.String(
        nullable=True, description="Tree numbers of a descriptor of MeSH, separated by bars."
    )
    class_names = dy.String(
        nullable=True,
        description="Names of classes above its ATC codes, separated by bars: the code, a blank "
        "and the name.",
    )


class RawPublications(RawRecord):
    """Publications exactly as they landed."""

    id = dy.String(nullable=True, description="Id, as written.")
    title = dy.String(nullable=True, description="Title, as written.")
    date = dy.String(nullable=True, description="Publication date, as written.")
    journal = dy.String(nullable=True, description="Journal title, as written.")
    nlm_id = dy.String(nullable=True, description="NLM unique id of the journal.")
    issn = dy.String(nullable=True, description="ISSNs of the journal, as written.")


class RawPubmed(RawPublications):
    """PubMed records exactly as they landed."""

    version = dy.String(nullable=True, description="Version of the record within its PubMed id.")
    citation_status = dy.String(
        nullable=True,
        description="Status in PubMed. `DeleteCitation`, or `true` as pubmed_parser writes it, "
        "withdraws earlier records.",
    )
    vernacular_title = dy.String(nullable=True, description="Title in its own language.")
    publication_types = dy.String(
        nullable=True, description="Publication types, separated by bars."
    )
    print_date = dy.String(nullable=True, description="Date of the journal's issue, as written.")
    electronic_date = dy.String(
        nullable=True, description="Date of the electronic publication, as written."
    )
    date_revised = dy.String(
        nullable=True, description="Date of the last revision of the record, as written."
    )
    journal_abbreviations = dy.String(
        nullable=True, description="Abbreviated titles of the journal, separated by bars."
    )
    corrections = dy.String(
        nullable=True,
        description="Retractions, corrections and comments that the record is linked to, separated "
        "by bars: the kind, such as `RetractionIn`, and the PubMed id where one is given.",
    )
    trial_ids = dy.String(
        nullable=True, description="Ids of clinical trials that it reports on, separated by bars."
    )


class RawClinicalTrials(RawRecord):
    """Clinical trials exactly as they landed."""

    id = dy.String(nullable=True, description="Trial id, such as an NCT number, as written.")
    scientific_title = dy.String(nullable=True, description="Official title, as written.")
    date = dy.String(nullable=True, description="Start date, as written.")
    journal = dy.String(nullable=True, description="Journal title, as written.")
    nlm_id = dy.String(nullable=True, description="NLM unique id of the journal.")
    issn = dy.String(nullable=True, description="ISSNs of the journal, as written.")
    brief_title = dy.String(nullable=True, description="Brief title, as written.")
    status = dy.String(nullable=True, description="Overall recruitment status, as written.")
    phase = dy.String(nullable=True, description="Phases, separated by bars.")
    sponsor = dy.String(nullable=True, description="Lead sponsor, as written.")
    reference_pmids = dy.String(
        nullable=True, description="PubMed ids of its references, separated by bars."
    )
    result_pmids = dy.String(
        nullable=True,
        description="PubMed ids of the references that report its results, separated by bars.",
    )
    derived_pmids = dy.String(
        nullable=True,
        description="PubMed ids of the references that name its id, separated by bars.",
    )
    last_update = dy.String(
        nullable=True, description="Date of the last update of the record, as written."
    )


class LandedFiles(dy.Schema):
    """Every file of the landing zone: what it is, and how reading it went."""

    source_file = dy.String(
        primary_key=True, description="File below the landing zone, with forward slashes."
    )
    source = dy.String(nullable=True, description="Source it belongs to; null if to none.")
    format = dy.String(nullable=True, description="Format it was read as; null if not read.")
    size_bytes = dy.Int64(min=0, description="Size as it lies in the landing zone, in bytes.")
    sha256 = dy.String(
        nullable=True,
        regex="^[0-9a-f]{64}$",
        description="Hash of its bytes; null if it cannot be opened.",
    )
    raw_rows = dy.Int64(min=0, description="Raw rows read from it.")
    read_issues = dy.List(
        dy.Struct(
            {
                "issue": dy.String(nullable=False, description="What was odd about their form."),
                "rows": dy.Int64(nullable=False, min=1, description="Raw rows with this issue."),
            },
            nullable=False,
        ),
        nullable=False,
        description="How many of its raw rows have which read issue, sorted.",
    )
    unread_fields = _texts(
        "Its columns or keys of names that are not known, as written, in their order; at most 50, "
        "and those that a sample of its records shows."
    )
    problem = dy.String(nullable=True, description="Why it was not read; null if it was.")


def _retracted(publication: str) -> dy.Bool:
    return dy.Bool(
        nullable=True,
        description=f"Whether {publication} was retracted; null if no record says.",
    )


# Records: each raw row cleaned by itself, independently of all other rows.


class CleanedRecord(RecordKey):
    """The columns of every record."""

    reason = dy.String(
        nullable=True,
        description=f"Why the row cannot be kept, as far as the row alone shows; else null. "
        f"{RejectReason.listed()}.",
    )

    @dy.rule()
    def reason_is_known(cls) -> pl.Expr:  # noqa: N805
        """One of `terms.RejectReason`, or null."""
        return pl.col("reason").is_in(list(RejectReason)).fill_null(value=True)


class PartialRecords(dy.Schema):
    """The column of records of sources that have tables of parts."""

    is_part = dy.Bool(
        description="Whether the row is none of its own, but adds to the record of its id."
    )


class DrugRecords(CleanedRecord, PartialRecords):
    """Rows of drug lists, each cleaned by itself."""

    id = dy.String(nullable=True, description="The list's own identifier, cleaned.")
    id_text = dy.String(
        nullable=True, description="What stood in the place of the id, if it is not the id."
    )
    drug = dy.String(nullable=True, description="Name, cleaned; null if it is blank.")
    folded_name = dy.String(nullable=True, description="Name, as names are compared.")
    codes = _texts("Codes, cleaned, in their order.")
    synonyms = _texts("Other names, cleaned, in their order.")
    brands = _texts("Names of products, cleaned, in their order.")
    research_codes = _texts("Codes of research and companies, cleaned, in their order.")
    forms = _texts("Names of its salts, esters, hydrates and isomers, cleaned, in their order.")
    xrefs = _texts(f"Its identifiers, as `scheme:identifier`, sorted. {IdentifierScheme.listed()}.")
    form_of = _texts("Identifiers of the substances that it is a form of, as in `xrefs`.")
    products = _texts("Products that it is in, or whose names and codes it gives.")
    moiety_in = _texts("The same, where it is what acts, and another substance is its form.")
    mapped_to = _texts("The descriptors that a supplementary record of MeSH maps to.")
    tree_numbers = _texts("Tree numbers of a descriptor of MeSH.")
    class_names = _texts("Names of ATC classes that the row gives: the code, a blank, the name.")


class PublicationRecords(CleanedRecord):
    """Rows of a source of publications, each cleaned by itself."""

    id = dy.String(
        nullable=True, description="Id in one form; null if it is missing or cannot be an id."
    )
    id_text = dy.String(
        nullable=True, description="What stood in the place of the id, if it is not the id."
    )
    title = dy.String(nullable=True, description="Title, cleaned; null if it is blank.")
    folded_title = dy.String(nullable=True, description="Title, as titles are compared.")
    title_issue = dy.String(
        nullable=True, description="Issue of the title, if it has one: a word of column `issues`."
    )
    date_text = dy.String(nullable=True, description="What stood in the date field, cleaned.")
    date = dy.Date(nullable=True, description="First day of what is known of the date.")
    date_precision = _precision("date")
    date_issue = dy.String(
        nullable=True, description="Issue of the date, if it has one: a word of column `issues`."
    )
    version = dy.Int64(
        min=1, description="Version of the record within its id; 1 if none is given."
    )
    revised = dy.Date(
        nullable=True, description="Day of the last revision of the record, as it says itself."
    )
    given_journal = dy.String(nullable=True, description="Journal title, as written.")
    given_nlm_id = dy.String(nullable=True, description="NLM unique id of the journal, as written.")
    given_issn = dy.String(nullable=True, description="ISSNs of the journal, as written.")
    given_journal_abbreviations = dy.String(
        nullable=True, description="Abbreviated titles of the journal, separated by bars."
    )


class PubmedColumns(dy.Schema):
    """Columns that only PubMed has."""

    print_date = dy.Date(
        nullable=True, description="First day of what is known of the date of the journal's issue."
    )
    print_date_precision = _precision("print date")
    electronic_date = dy.Date(
        nullable=True,
        description="First day of what is known of the date of the electronic publication.",
    )
    electronic_date_precision = _precision("electronic date")

    vernacular_title = dy.String(nullable=True, description="Title in its own language.")
    publication_types = _texts("Publication types, as PubMed names them, in its order.")
    corrections = _texts(
        "Retractions, corrections and comments that it is linked to: the kind, as PubMed names it, "
        "and the PubMed id where one is given."
    )
    retracted = _retracted("it")
    trial_ids = _texts("Ids of the trials that its record or its title names, in its order.")


class ClinicalTrialsColumns(dy.Schema):
    """Columns that only clinical trials have."""

    brief_title = dy.String(
        nullable=True,
        description="Brief title. Null if the official one is the same; if there is no official "
        "one, it is the title, too.",
    )
    status = dy.String(nullable=True, description="Overall recruitment status.")
    phases = _texts("Phases, in the registry's order.")
    sponsor = dy.String(nullable=True, description="Lead sponsor.")
    reference_pmids = _texts("PubMed ids of the publications that the trial refers to.")
    result_pmids = _texts("PubMed ids of those that report its results, as the trial says.")
    derived_pmids = _texts("PubMed ids of those in which the registry found its id.")


class PubmedRecords(PublicationRecords, PubmedColumns):
    """PubMed records, each cleaned by itself."""


class ClinicalTrialsRecords(PublicationRecords, ClinicalTrialsColumns, PartialRecords):
    """Clinical trial records, each cleaned by itself."""


# Clean tables: those that depend on all rows of a source, or of all sources.


class Flagged(dy.Schema):
    """The issues of a cleaned row."""

    issues = _texts(f"What a reader should know of it, sorted. {Issue.listed()}.")

    @dy.rule()
    def issues_are_known(cls) -> pl.Expr:  # noqa: N805
        """Each is one of `terms.Issue`."""
        return _all_among("issues", Issue)


class DrugColumns(dy.Schema):
    """Columns of a drug."""

    drug_id = dy.String(
        primary_key=True,
        description="The list's own identifier, else the folded name. Of several, one of no known "
        f"scheme, else the first of {', '.join(IdentifierScheme)}; of those the smallest.",
    )
    drug = dy.String(min_length=1, description="Name, in its most frequent spelling.")
    names = _texts("Every spelling that titles are searched for, sorted.")
    codes = _texts("Every code the list gives, sorted.")
    atc_codes = _texts("The codes that have the shape of an ATC code, sorted.")
    forms = _texts(
        "Those of its names that are names of salts, esters, hydrates or isomers of it, sorted."
    )
    xrefs = _texts(
        f"Every identifier that lists give it or its forms, as `scheme:identifier`, sorted. "
        f"{IdentifierScheme.listed()}."
    )

    @dy.rule()
    def atc_codes_have_their_shape(cls) -> pl.Expr:  # noqa: N805
        """Level 1 to 5 of the WHO's Anatomical Therapeutic Chemical classification."""
        shaped = pl.element().str.contains(ATC_CODE)
        return pl.col("atc_codes").list.eval(shaped).list.all()


class Drugs(DrugColumns, Flagged):
    """The drug list, one row per drug."""

    id_text = dy.String(
        nullable=True, description="What stood in the place of the id, if it is not the id."
    )


class DrugNames(dy.Schema):
    """The names of drugs: one row per drug, name and the list that gives it."""

    drug_id = dy.String(primary_key=True, description="Drug that it is a name of.")
    name = dy.String(primary_key=True, min_length=1, description="Name, without marks.")
    source_file = dy.String(
        primary_key=True,
        description="File of the list that gives it; of a variant, the name that it is made from.",
    )
    kind = dy.String(description=f"What it is, of several the first. {NameKind.listed()}.")
    searched = dy.Bool(description="Whether titles are searched for it.")
    reason = dy.String(
        nullable=True, description="Why they are not, as the stop list or a rule says."
    )

    @dy.rule()
    def kind_is_known(cls) -> pl.Expr:  # noqa: N805
        """One of `terms.NameKind`."""
        return pl.col("kind").is_in(list(NameKind))

    @dy.rule()
    def what_is_not_searched_has_a_reason(cls) -> pl.Expr:  # noqa: N805
        """And nothing else has one."""
        return pl.col("searched") == pl.col("reason").is_null()


class Journals(dy.Schema):
    """Journals that any source names, one row per identity."""

    journal_id = dy.String(
        primary_key=True,
        description="NLM unique id where a source gives one, else ISSN, else the folded name.",
    )
    journal = dy.String(
        min_length=1,
        description="Title in its most frequent spelling; an abbreviation if it has no title.",
    )
    folded_names = _texts(
        "The folded titles and abbreviations known for it, sorted. One that no other journal has "
        "means this journal wherever it stands alone."
    )
    issns = _texts("ISSNs known for it, sorted. They mean it in the same way.")
    records = dy.Int64(
        min=1,
        description="Raw records that name it: those that were kept, and those merged into others.",
    )


class PublicationColumns(dy.Schema):
    """Columns of every publication."""

    publication_id = dy.String(
        primary_key=True, min_length=1, description="Id of the source, or a hash in its place."
    )
    id_text = dy.String(
        nullable=True, description="What stood in the place of the id, if it is not the id."
    )
    title = dy.String(min_length=1, description="Title, cleaned.")
    journal = dy.String(nullable=True, description="Journal, in its most frequent spelling.")
    journal_id = dy.String(nullable=True, description="Identity of the journal.")
    date = dy.Date(nullable=True, description="First day of what is known of the date.")
    date_precision = _precision("date")
    date_text = dy.String(nullable=True, description="What stood in the date field, cleaned.")
    source_file = dy.String(description="File of the landing zone the record comes from.")
    source_row = dy.Int64(min=1, description="Record in that file, from 1, header not counted.")

    @dy.rule()
    def date_goes_with_its_precision(cls) -> pl.Expr:  # noqa: N805
        """A date has a precision, one of `terms.DatePrecision`; no date has none."""
        precision = pl.col("date_precision")
        known = precision.is_in(list(DatePrecision)).fill_null(value=False)
        return pl.when(pl.col("date").is_null()).then(precision.is_null()).otherwise(known)

    @dy.rule()
    def journal_goes_with_its_identity(cls) -> pl.Expr:  # noqa: N805
        """A journal has a name and an identity, or neither."""
        return pl.col("journal").is_null() == pl.col("journal_id").is_null()


class Publications(PublicationColumns, Flagged):
    """Publications, cleaned: one row per publication."""


class Pubmed(Publications, PubmedColumns):
    """PubMed articles, cleaned: one row per article."""


class ClinicalTrials(Publications, ClinicalTrialsColumns):
    """Clinical trials, cleaned: one row per trial."""


class RejectedRecords(dy.Schema):
    """Raw rows that could not be kept, whole, with the reasons."""

    source = dy.String(primary_key=True, description="Source of the row.")
    source_file = dy.String(primary_key=True, description="File of the landing zone.")
    source_row = dy.Int64(primary_key=True, min=1, description="Record in that file, from 1.")
    reasons = _texts(f"Why, sorted. {RejectReason.listed()}.", min_length=1)
    record = dy.String(min_length=2, description="The raw row as JSON.")

    @dy.rule()
    def reasons_are_known(cls) -> pl.Expr:  # noqa: N805
        """Each is one of `terms.RejectReason`."""
        return _all_among("reasons", RejectReason)


class MergedRecords(dy.Schema):
    """Raw rows that went into another row of their source, with the rule that took them there."""

    source_file = dy.String(primary_key=True, description="File of the landing zone.")
    source_row = dy.Int64(primary_key=True, min=1, description="Record in that file, from 1.")
    merged_into = dy.String(
        min_length=1, description="drug_id or publication_id of the row that was kept."
    )
    rule = dy.String(description=f"Why. {MergeRule.listed()}.")

    @dy.rule()
    def rule_is_known(cls) -> pl.Expr:  # noqa: N805
        """One of `terms.MergeRule`."""
        return pl.col("rule").is_in(list(MergeRule))


# References between trials and publications.


class TrialPublications(dy.Schema):
    """The publications that belong to a trial: one row per trial and publication."""

    trial_id = dy.String(primary_key=True, min_length=1, description="publication_id of the trial.")
    publication_id = dy.String(
        primary_key=True, min_length=1, description="publication_id of the publication."
    )
    trial_source = dy.String(primary_key=True, description="Source of the trial.")
    source = dy.String(primary_key=True, description="Source of the publication.")
    kind = dy.String(description=f"How it belongs to the trial. {TrialPublicationKind.listed()}.")
    given_by = dy.String(description=f"Which names the other. {ReferenceSide.listed()}.")
    trial_in_store = dy.Bool(description="Whether the trial is in the table of its source.")
    publication_in_store = dy.Bool(
        description="Whether the publication is in the table of its source."
    )
    title = dy.String(nullable=True, description="Title of the publication, if it is there.")
    journal = dy.String(nullable=True, description="Journal of the publication.")
    journal_id = dy.String(nullable=True, description="Identity of the journal.")
    date = dy.Date(nullable=True, description="First day of what is known of its date.")
    date_precision = _precision("date")
    retracted = _retracted("the publication")

    @dy.rule()
    def kind_is_known(cls) -> pl.Expr:  # noqa: N805
        """One of `terms.TrialPublicationKind`."""
        return pl.col("kind").is_in(list(TrialPublicationKind))

    @dy.rule()
    def given_by_goes_with_its_kind(cls) -> pl.Expr:  # noqa: N805
        """One of `terms.ReferenceSide`; `named` is what the publication alone gives."""
        named = pl.col("kind") == TrialPublicationKind.NAMED
        by_publication = pl.col("given_by") == ReferenceSide.PUBLICATION
        return pl.col("given_by").is_in(list(ReferenceSide)) & (named == by_publication)

    @dy.rule()
    def who_gives_it_is_in_the_store(cls) -> pl.Expr:  # noqa: N805
        """A reference has a record that gives it."""
        trial, publication = pl.col("trial_in_store"), pl.col("publication_in_store")
        by_trial = pl.when(pl.col("given_by") == ReferenceSide.PUBLICATION).then(True)
        by_publication = pl.when(pl.col("given_by") == ReferenceSide.TRIAL).then(True)
        return by_trial.otherwise(trial) & by_publication.otherwise(publication)

    @dy.rule()
    def only_what_is_in_the_store_is_described(cls) -> pl.Expr:  # noqa: N805
        """The publication has a title if it is in its table; else nothing is known of it."""
        described = pl.col("journal", "journal_id", "date", "retracted")
        known = pl.any_horizontal(described.is_not_null())
        there = pl.col("publication_in_store")
        return (pl.col("title").is_not_null() == there) & (there | ~known)


# Mentions, and the tables that summarize them.


def _spans() -> dy.List:
    return dy.List(
        dy.Struct(
            {
                "start": dy.Int64(nullable=False, min=0, description="First character, from 0."),
                "end": dy.Int64(nullable=False, min=1, description="One past the last character."),
                "text": dy.String(nullable=False, min_length=1, description="The title between."),
                "by": dy.String(
                    nullable=False,
                    check={"is_known": lambda by: by.is_in(list(SpanOrigin))},
                    description=f"By what it was found. {SpanOrigin.listed()}.",
                ),
            },
            nullable=False,
        ),
        nullable=False,
        min_length=1,
        description="Every occurrence in the title, in characters, in order.",
    )


def _ambiguous() -> dy.Bool:
    return dy.Bool(
        description="Whether every name found for the drug is also a name of another drug."
    )


class DrugsNamed(RecordKey):
    """Drugs that the titles of a source's records name: one row per record and drug."""

    drug_id = dy.String(primary_key=True, description="Drug that is named.")
    named_in = dy.String(description="Column of the record whose title names it.")
    spans = _spans()
    ambiguous = _ambiguous()


class Mentions(dy.Schema):
    """A drug named in the title of a publication: one row per drug and publication."""

    drug_id = dy.String(primary_key=True, description="Drug that is named.")
    source = dy.String(primary_key=True, description="Source of the publication.")
    publication_id = dy.String(primary_key=True, description="Publication whose title names it.")
    drug = dy.String(description="Name of the drug.")
    title = dy.String(description="Title that names it.")
    journal = dy.String(nullable=True, description="Journal of the publication.")
    journal_id = dy.String(nullable=True, description="Identity of the journal.")
    date = dy.Date(nullable=True, description="First day of what is known of the date.")
    date_precision = _precision("date")
    retracted = _retracted("the publication")
    spans = _spans()
    ambiguous = _ambiguous()


class JournalAndDrug(dy.Schema):
    """A journal and a drug that it mentions."""

    journal_id = dy.String(primary_key=True, description="Identity of the journal.")
    drug_id = dy.String(primary_key=True, description="Drug it mentions.")
    journal = dy.String(description="Journal, in its most frequent spelling.")
    drug = dy.String(description="Name of the drug.")


class FirstAndLastDate(dy.Schema):
    """The dates of the first and the last of some publications."""

    first_date = dy.Date(nullable=True, description="Earliest known date of these publications.")
    last_date = dy.Date(nullable=True, description="Latest known date of these publications.")

    @dy.rule()
    def first_date_is_not_after_last(cls) -> pl.Expr:  # noqa: N805
        """Both dates are known or neither, in order."""
        first, last = pl.col("first_date"), pl.col("last_date")
        in_order = (first <= last).fill_null(value=False)
        return pl.when(first.is_null()).then(last.is_null()).otherwise(in_order)


class TopJournal(dy.Schema):
    """The journals that mention the most different drugs: all that tie."""

    journal_id = dy.String(primary_key=True, description="Identity of the journal.")
    journal = dy.String(description="Journal, in its most frequent spelling.")
    drug_count = dy.Int64(min=1, description="Different drugs it mentions.")
    drugs = _texts("Names of these drugs, sorted.")
    mentions = dy.Int64(min=1, description="Mentions of these drugs that were counted.")
    retracted_mentions = dy.Int64(
        min=0, description="Of these mentions, those of retracted publications."
    )
    unknown_mentions = dy.Int64(
        min=0,
        description="Of these mentions, those of publications of which no record says whether they "
        "were retracted.",
    )

    @dy.rule()
    def drugs_are_as_many_as_counted(cls) -> pl.Expr:  # noqa: N805
        """The list has as many names as the count says."""
        return pl.col("drugs").list.len() == pl.col("drug_count")


class AtcClasses(dy.Schema):
    """Classes of the WHO's ATC that a drug has or a list names, with all classes above them."""

    # The name is a word of Python.
    class_ = dy.String(
        alias="class", primary_key=True, regex=ATC_CODE, description="ATC code, in capitals."
    )
    level = dy.Int64(
        min=1,
        max=len(ATC_LEVELS),
        description="From 1, anatomical main groups, to 5, substances.",
    )
    name = dy.String(
        nullable=True,
        min_length=1,
        description="Name, in its most frequent spelling; null if no list gives one.",
    )
    parent = dy.String(nullable=True, description="Class above it; null for those of level 1.")
    drugs = dy.Int64(min=0, description="Drugs that have its code, or that of a class below it.")
    mentions = dy.Int64(
        min=0,
        description="Mentions of these drugs: one for each drug that a publication's title names.",
    )
    journals = dy.Int64(min=0, description="Different journals that mention any of them.")

    @dy.rule()
    def level_and_parent_follow_from_the_code(cls) -> pl.Expr:  # noqa: N805
        """The code has the length of its level, and begins with its parent."""
        code, level = pl.col("class"), pl.col("level")
        above = dict(zip(range(2, len(ATC_LEVELS) + 1), ATC_LEVELS, strict=False))
        parent = code.str.head(level.replace_strict(above, default=None))
        lengths = dict(enumerate(ATC_LEVELS, start=1))
        is_its_length = code.str.len_chars() == level.replace_strict(lengths, default=None)
        return is_its_length & pl.col("parent").eq_missing(parent)

    @dy.rule()
    def mentions_are_of_drugs(cls) -> pl.Expr:  # noqa: N805
        """Without drugs there are no mentions, and no more journals than mentions."""
        mentions = pl.col("mentions")
        return ((pl.col("drugs") > 0) | (mentions == 0)) & (pl.col("journals") <= mentions)


# What is new: a release beside the one before.

#: What a mention that both releases have can differ in.
MENTION_PARTS = ("journal", "date", "title")


class NewMentions(dy.Schema):
    """Mentions that the release before does not have, has otherwise, or has alone."""

    drug_id = dy.String(primary_key=True, description="Drug that is named.")
    source = dy.String(primary_key=True, description="Source of the publication.")
    publication_id = dy.String(primary_key=True, description="Publication whose title names it.")
    change = dy.String(
        description=f"How it differs from the release before. {MentionChange.listed()}."
    )
    first_in_journal = dy.Bool(
        description="Whether it is the first mention of the drug in the journal: the earliest of "
        "those that were added, if the release before has none."
    )
    drug_added = dy.Bool(description="Whether the drug was not on the list before.")
    drug = dy.String(description="Name of the drug.")
    title = dy.String(description="Title that names it; of a mention that went, as it was.")
    journal = dy.String(nullable=True, description="Journal of the publication, in the same way.")
    journal_id = dy.String(nullable=True, description="Identity of the journal.")
    date = dy.Date(nullable=True, description="First day of what is known of the date.")
    date_precision = _precision("date")
    changed = _texts("Of one that changed: journal, date, title, those that are other ones.")
    title_before = dy.String(nullable=True, description="Of one that changed, the former title.")
    journal_before = dy.String(
        nullable=True, description="Of one that changed, the former journal."
    )
    date_before = dy.Date(nullable=True, description="Of one that changed, the former date.")
    date_precision_before = _precision("former date")

    @dy.rule()
    def change_is_known(cls) -> pl.Expr:  # noqa: N805
        """One of `terms.MentionChange`."""
        return pl.col("change").is_in(list(MentionChange))

    @dy.rule()
    def first_ones_were_added(cls) -> pl.Expr:  # noqa: N805
        """A first mention in a journal was added, and has a journal."""
        added = (pl.col("change") == MentionChange.ADDED) & pl.col("journal_id").is_not_null()
        return ~pl.col("first_in_journal") | added

    @dy.rule()
    def what_changed_is_said(cls) -> pl.Expr:  # noqa: N805
        """Of a mention that changed, and of no other, at least one part is another one."""
        is_changed = pl.col("change") == MentionChange.CHANGED
        known = pl.col("changed").list.eval(pl.element().is_in(MENTION_PARTS)).list.all()
        return known & (is_changed == (pl.col("changed").list.len() > 0))


class ChangedNames(dy.Schema):
    """Names of drugs that came on the list, or left it, since the release before."""

    drug_id = dy.String(primary_key=True, description="Drug that it is a name of.")
    name = dy.String(
        primary_key=True,
        min_length=1,
        description="Name that titles are searched for, or under which the drug is shown.",
    )
    change = dy.String(description=f"What became of it. {ListChange.listed()}.")
    of_drug = dy.Bool(
        description="Whether the drug itself came on the list, or left it, with all its names."
    )
    drug = dy.String(description="Name under which the drug is shown.")

    @dy.rule()
    def change_is_known(cls) -> pl.Expr:  # noqa: N805
        """One of `terms.ListChange`."""
        return pl.col("change").is_in(list(ListChange))
