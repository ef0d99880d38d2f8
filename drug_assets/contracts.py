"""Every table, declared once: columns, types, keys, rules, descriptions (SPEC section 3).

Storage, asset checks, the Dagster column schema and the BigQuery tables are derived from these
classes. No transformation belongs here, and nothing that knows where a table is stored.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

import dataframely as dy
import polars as pl

if TYPE_CHECKING:
    from collections.abc import Mapping

Contract: TypeAlias = type[dy.Schema]

DATE_PRECISIONS = ("day", "month", "season", "year")
SOURCES = ("drugs", "pubmed", "clinical_trials")
PUBLICATION_SOURCES = ("pubmed", "clinical_trials")

#: Why a raw row went into another one.
MERGE_RULES = ("same_content", "merged_duplicate", "conflicting_duplicate", "same_drug")

#: What may stand in `issues`: the flags of SPEC section 2.
ISSUES = (
    "missing_id",
    "missing_date",
    "month_first_date",
    "unreadable_date",
    "missing_journal",
    "merged_duplicate",
    "conflicting_duplicate",
    "invalid_atc_code",
    "missing_code",
    "unsearchable_name",
    "stopped_name",
)


def _codes(description: str) -> dy.List:
    return dy.List(dy.String(nullable=False), nullable=False, description=description)


class RawRecord(dy.Schema):
    """What every raw row carries: where it stood, what else it held, how reading it went."""

    source_file = dy.String(
        primary_key=True, description="File below the landing zone, with forward slashes."
    )
    source_row = dy.Int64(
        primary_key=True, min=1, description="Record in that file, from 1, header not counted."
    )
    extra = dy.String(
        nullable=True,
        description="JSON of what the record held beyond the known fields; null if nothing.",
    )
    read_issues = _codes("What was odd about the record's form, such as `short_row` or `not_utf8`.")


class RawDrugs(RawRecord):
    """Drug lists exactly as they landed."""

    id = dy.String(nullable=True, description="The list's own identifier, where it has one.")
    atccode = dy.String(nullable=True, description="ATC code, as written.")
    drug = dy.String(nullable=True, description="Drug name, as written.")
    atc_name = dy.String(
        nullable=True, description="Name of an ATC group or substance, from the WHO's own table."
    )
    synonyms = dy.String(nullable=True, description="Other names, separated by bars.")


class RawPubmed(RawRecord):
    """PubMed records exactly as they landed."""

    id = dy.String(nullable=True, description="PubMed id, as written.")
    title = dy.String(nullable=True, description="Article title, as written.")
    date = dy.String(nullable=True, description="Publication date, as written.")
    journal = dy.String(nullable=True, description="Journal title, as written.")
    nlm_id = dy.String(nullable=True, description="NLM unique id of the journal.")
    issn = dy.String(nullable=True, description="ISSN of the journal.")
    version = dy.String(nullable=True, description="Version of the record, of its PubMed id.")
    citation_status = dy.String(
        nullable=True, description="Status in PubMed; `DeleteCitation` withdraws earlier records."
    )
    vernacular_title = dy.String(nullable=True, description="Title in its own language.")
    publication_types = dy.String(
        nullable=True, description="Publication types, separated by bars."
    )


class RawClinicalTrials(RawRecord):
    """Clinical trials exactly as they landed."""

    id = dy.String(nullable=True, description="Trial id, such as an NCT number, as written.")
    scientific_title = dy.String(nullable=True, description="Official title, as written.")
    date = dy.String(nullable=True, description="Start date, as written.")
    journal = dy.String(nullable=True, description="Journal title, as written.")
    nlm_id = dy.String(nullable=True, description="NLM unique id of the journal.")
    issn = dy.String(nullable=True, description="ISSN of the journal.")
    brief_title = dy.String(nullable=True, description="Brief title, as written.")
    status = dy.String(nullable=True, description="Overall recruitment status, as written.")
    phase = dy.String(nullable=True, description="Phases, separated by bars.")
    sponsor = dy.String(nullable=True, description="Lead sponsor, as written.")
    reference_pmids = dy.String(
        nullable=True, description="PubMed ids of its references, separated by bars."
    )


class LandedFiles(dy.Schema):
    """Every file of the landing zone: what it is, and how reading it went."""

    source_file = dy.String(
        primary_key=True, description="File below the landing zone, with forward slashes."
    )
    source = dy.String(nullable=True, description="Source it belongs to; null if to none.")
    format = dy.String(nullable=True, description="Format it was read as; null if not read.")
    size_bytes = dy.Int64(min=0, description="Size as it lies in the landing zone, in bytes.")
    sha256 = dy.String(regex="^[0-9a-f]{64}$", description="Hash of its bytes.")
    raw_rows = dy.Int64(min=0, description="Raw rows read from it.")
    problem = dy.String(nullable=True, description="Why it was not read; null if it was.")


class Drugs(dy.Schema):
    """The drug list, one row a drug."""

    drug_id = dy.String(
        primary_key=True, description="The list's own identifier, else the folded name."
    )
    drug = dy.String(min_length=1, description="Name, in its most frequent spelling.")
    names = _codes("Every spelling to search titles for: the name and its synonyms, sorted.")
    codes = _codes("Every code the list gives, sorted.")
    atc_codes = _codes("The codes that have the shape of an ATC code, sorted.")
    issues = _codes("Flags of SPEC section 2, sorted.")

    @dy.rule()
    def atc_codes_have_their_shape(cls) -> pl.Expr:  # noqa: N805
        """Level 1 to 5 of the WHO's Anatomical Therapeutic Chemical classification."""
        shaped = pl.element().str.contains(ATC_CODE)
        return pl.col("atc_codes").list.eval(shaped).list.all()


ATC_CODE = r"^[A-Z]([0-9]{2}([A-Z]([A-Z]([0-9]{2})?)?)?)?$"


class Journals(dy.Schema):
    """Journals named by any source, one row an identity."""

    journal_id = dy.String(
        primary_key=True,
        description="NLM unique id where a source gives one, else ISSN, else the folded name.",
    )
    journal = dy.String(min_length=1, description="Title in its most frequent spelling.")
    folded_names = _codes("The folded titles known for it, sorted.")
    issns = _codes("ISSNs known for it, sorted.")
    records = dy.Int64(min=1, description="Raw records that name it.")


class Publications(dy.Schema):
    """Columns of a cleaned source of publications."""

    publication_id = dy.String(
        primary_key=True, min_length=1, description="Id of the source, or a surrogate made from it."
    )
    title = dy.String(min_length=1, description="Cleaned title.")
    journal = dy.String(nullable=True, description="Journal, in its most frequent spelling.")
    journal_id = dy.String(nullable=True, description="Identity of the journal.")
    date = dy.Date(nullable=True, description="First day of what is known of the date.")
    date_precision = dy.String(
        nullable=True, description="What of the date is known: day, month, season or year."
    )
    date_text = dy.String(nullable=True, description="What stood in the date field, cleaned.")
    source_file = dy.String(description="File of the landing zone the record comes from.")
    source_row = dy.Int64(min=1, description="Record in that file, from 1, header not counted.")
    issues = _codes("Flags of SPEC section 2, sorted.")

    @dy.rule()
    def date_goes_with_its_precision(cls) -> pl.Expr:  # noqa: N805
        """A date has a precision out of the four; no date has none."""
        precision = pl.col("date_precision")
        known = precision.is_in(DATE_PRECISIONS).fill_null(value=False)
        return pl.when(pl.col("date").is_null()).then(precision.is_null()).otherwise(known)

    @dy.rule()
    def journal_goes_with_its_identity(cls) -> pl.Expr:  # noqa: N805
        """A journal has a name and an identity, or neither."""
        return pl.col("journal").is_null() == pl.col("journal_id").is_null()


class Pubmed(Publications):
    """PubMed articles, cleaned: one row an article."""

    vernacular_title = dy.String(nullable=True, description="Title in its own language.")
    publication_types = _codes("Publication types, as PubMed names them, in its order.")
    retracted = dy.Bool(description="Whether PubMed calls it a retracted publication.")


class ClinicalTrials(Publications):
    """Clinical trials, cleaned: one row a trial."""

    brief_title = dy.String(
        nullable=True, description="Brief title, where it differs from the title."
    )
    status = dy.String(nullable=True, description="Overall recruitment status.")
    phases = _codes("Phases, in the registry's order.")
    sponsor = dy.String(nullable=True, description="Lead sponsor.")
    reference_pmids = _codes("PubMed ids of the publications that the trial refers to.")


class RejectedRecords(dy.Schema):
    """Raw rows that could not be kept, whole, with the reasons."""

    source = dy.String(primary_key=True, description="drugs, pubmed or clinical_trials.")
    source_file = dy.String(primary_key=True, description="File of the landing zone.")
    source_row = dy.Int64(primary_key=True, min=1, description="Record in that file, from 1.")
    reasons = dy.List(
        dy.String(nullable=False), nullable=False, min_length=1, description="Why, sorted."
    )
    record = dy.String(min_length=2, description="The raw row as JSON.")

    @dy.rule()
    def source_is_known(cls) -> pl.Expr:  # noqa: N805
        """One of the three sources."""
        return pl.col("source").is_in(SOURCES)


class MergedRecords(dy.Schema):
    """Raw rows that went into another row of their source, with the rule that took them there."""

    source_file = dy.String(primary_key=True, description="File of the landing zone.")
    source_row = dy.Int64(primary_key=True, min=1, description="Record in that file, from 1.")
    merged_into = dy.String(
        min_length=1, description="drug_id or publication_id of the row that was kept."
    )
    rule = dy.String(description="Why: one of MERGE_RULES.")

    @dy.rule()
    def rule_is_known(cls) -> pl.Expr:  # noqa: N805
        """One of the rules of SPEC section 2."""
        return pl.col("rule").is_in(MERGE_RULES)


class MergedDrugs(MergedRecords):
    """Raw drug rows that name a drug another row names too."""


class MergedPubmed(MergedRecords):
    """Raw PubMed rows that went into another one."""


class MergedClinicalTrials(MergedRecords):
    """Raw clinical trial rows that went into another one."""


class Mentions(dy.Schema):
    """A drug named in the title of a publication: one row a drug and publication."""

    drug_id = dy.String(primary_key=True, description="Drug that is named.")
    source = dy.String(primary_key=True, description="pubmed or clinical_trials.")
    publication_id = dy.String(primary_key=True, description="Publication whose title names it.")
    drug = dy.String(description="Name of the drug.")
    title = dy.String(description="Title of the publication.")
    journal = dy.String(nullable=True, description="Journal of the publication.")
    journal_id = dy.String(nullable=True, description="Identity of the journal.")
    date = dy.Date(nullable=True, description="First day of what is known of the date.")
    date_precision = dy.String(
        nullable=True, description="What of the date is known: day, month, season or year."
    )
    spans = dy.List(
        dy.Struct(
            {
                "start": dy.Int64(nullable=False, min=0, description="First character, from 0."),
                "end": dy.Int64(nullable=False, min=1, description="One past the last character."),
                "text": dy.String(nullable=False, min_length=1, description="The title between."),
            },
            nullable=False,
        ),
        nullable=False,
        min_length=1,
        description="Every occurrence in the title, in characters, in order.",
    )
    ambiguous = dy.Bool(
        description="Whether every name found for it there is a name of other drugs, too."
    )

    @dy.rule()
    def source_is_known(cls) -> pl.Expr:  # noqa: N805
        """One of the two sources of publications."""
        return pl.col("source").is_in(PUBLICATION_SOURCES)


class JournalDrugs(dy.Schema):
    """A drug mentioned by a journal: one row a journal and drug."""

    journal_id = dy.String(primary_key=True, description="Identity of the journal.")
    drug_id = dy.String(primary_key=True, description="Drug it mentions.")
    journal = dy.String(description="Journal, in its most frequent spelling.")
    drug = dy.String(description="Name of the drug.")
    pubmed_mentions = dy.Int64(min=0, description="PubMed articles that name the drug.")
    clinical_trial_mentions = dy.Int64(min=0, description="Clinical trials that name the drug.")
    first_date = dy.Date(nullable=True, description="Earliest known date of these publications.")
    last_date = dy.Date(nullable=True, description="Latest known date of these publications.")

    @dy.rule()
    def mentioned_at_least_once(cls) -> pl.Expr:  # noqa: N805
        """A row stands for at least one mention."""
        return pl.col("pubmed_mentions") + pl.col("clinical_trial_mentions") >= 1

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
    drugs = _codes("Names of these drugs, sorted.")

    @dy.rule()
    def drugs_are_as_many_as_counted(cls) -> pl.Expr:  # noqa: N805
        """The list has as many names as the count says."""
        return pl.col("drugs").list.len() == pl.col("drug_count")


#: Every table by asset name, in the order of the data.
TABLES: Mapping[str, Contract] = {
    "landed_files": LandedFiles,
    "raw_drugs": RawDrugs,
    "raw_pubmed": RawPubmed,
    "raw_clinical_trials": RawClinicalTrials,
    "drugs": Drugs,
    "journals": Journals,
    "pubmed": Pubmed,
    "clinical_trials": ClinicalTrials,
    "rejected_records": RejectedRecords,
    "merged_drugs": MergedDrugs,
    "merged_pubmed": MergedPubmed,
    "merged_clinical_trials": MergedClinicalTrials,
    "mentions": Mentions,
    "journal_drugs": JournalDrugs,
    "top_journal": TopJournal,
}


def polars_schema(contract: Contract) -> pl.Schema:
    """Column names and Polars types of a contract, in order."""
    return pl.Schema({name: column.dtype for name, column in contract.columns().items()})
