"""Raw rows -> records: each row cleaned by itself, independently of all other rows (SPEC 2).

So the records of a landed file depend on that file alone, and are made once per file. Cleaning that
needs the rows of other files (duplicates, withdrawals, the spelling of journals) belongs to
`publications` and `drugs`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from drug_assets import contracts
from drug_assets.cleaning import dates
from drug_assets.cleaning.identifiers import read_references, read_xrefs
from drug_assets.cleaning.name_marks import without_marks
from drug_assets.cleaning.text import clean_field, fold_text, split_values
from drug_assets.terms import (
    ATC_CODE,
    ATC_CODES_FORM,
    ATC_LEVELS,
    REJECTING_ISSUES,
    IdentifierScheme,
    ReadIssue,
    RejectReason,
)

if TYPE_CHECKING:
    from drug_assets.sources import PublicationSource, Source

#: Fields of a raw row that identify its journal.
_JOURNAL_FIELDS = ("journal", "nlm_id", "issn", "journal_abbreviations")
#: Columns of a record that hold these fields as written. Few combinations differ, so `journals`
#: cleans each combination once, for all records together.
GIVEN_JOURNAL = tuple(f"given_{field}" for field in _JOURNAL_FIELDS)
#: Fields of a raw row of a drug list that hold several texts.
_LISTS_OF_DRUGS = (
    *("synonyms", "brands", "research_codes", "forms"),
    *("products", "moiety_in", "mapped_to", "tree_numbers"),
)
#: An ATC code and, behind a blank, a name.
_NAMED_CLASS = ATC_CODE.removesuffix("$") + r" \S"
#: Codes of ATC levels 1 to 4 are shorter: groups, not substances.
_ATC_SUBSTANCE_CHARS = ATC_LEVELS[-1]


def clean_publication_records(source: PublicationSource, raw: pl.LazyFrame) -> pl.LazyFrame:
    """Clean the raw rows of a source of publications.

    Args:
        source: the source; it defines the title and the source's own columns.
        raw: rows of its raw contract.

    Returns:
        One row per raw row, in the same order, of its contract of records.
    """
    referred = {each.column: source.referred_ids(each) for each in source.references}
    own = {**source.own_columns(), **referred}
    version, title_issue = source.version(), source.title_issue()
    reason, is_part = _reason(source), pl.lit(value=False)
    if source.has_parts():
        is_part = pl.col("read_issues").list.contains(ReadIssue.PART_OF_RECORD)
        reason = pl.when(is_part).then(_reason_of_part()).otherwise(reason)
    fields = raw.collect_schema().names()
    given_journal = {
        given: pl.col(field) if field in fields else pl.lit(None, dtype=pl.String)
        for given, field in zip(GIVEN_JOURNAL, _JOURNAL_FIELDS, strict=True)
    }
    records = (
        raw.with_columns(
            id_text=clean_field(pl.col("id")),
            **{field: clean_field(pl.col(field)) for field in source.title_fields},
        )
        .with_columns(
            title=source.title(),
            title_issue=pl.lit(None, dtype=pl.String) if title_issue is None else title_issue,
        )
        .with_columns(**own, **_read_ids(source))
        .with_columns(folded_title=fold_text(pl.col("title")))
        .pipe(_read_dates, source)
        .with_columns(
            version=pl.lit(1, dtype=pl.Int64) if version is None else version,
            is_part=is_part,
            reason=reason,
            **given_journal,
        )
    )
    return records.select(source.contracts().records.column_names())


def _read_dates(rows: pl.LazyFrame, source: PublicationSource) -> pl.LazyFrame:
    """Add the dates of raw rows: the one that counts, each of its fields, and the revision.

    `date` is the first of the source's date fields that can be read; if none can, it is null, and
    its text and its issue are those of the first field that holds a text.
    """
    fields, revision = source.date_fields, source.revision_field
    text = {field: pl.col(f"text_of_{field}") for field in fields}
    date, precision, issue = (
        {field: pl.col(f"read_{field}").struct.field(part) for field in fields}
        for part in ("date", "date_precision", "issue")
    )
    readable = {field: date[field].is_not_null() for field in fields}
    date_issue = issue[fields[-1]]
    for counts in ({field: text[field].is_not_null() for field in fields}, readable):
        for field in reversed(fields):
            date_issue = pl.when(counts[field]).then(issue[field]).otherwise(date_issue)
    by_themselves = {
        name: part[field]
        for field in fields
        if field != "date"
        for name, part in ((field, date), (f"{field}_precision", precision))
    }
    revised = (
        pl.lit(None, dtype=pl.Date)
        if revision is None
        else dates.parse_dates(clean_field(pl.col(revision))).struct.field("date")
    )
    return (
        rows.with_columns(
            revised=revised, **{f"text_of_{field}": clean_field(pl.col(field)) for field in fields}
        )
        .with_columns(**{f"read_{field}": dates.parse_dates(text[field]) for field in fields})
        .with_columns(
            date=pl.coalesce(date.values()),
            date_precision=pl.coalesce(precision.values()),
            date_issue=date_issue,
            date_text=pl.coalesce(
                *(pl.when(readable[field]).then(text[field]) for field in fields), *text.values()
            ),
            **by_themselves,
        )
    )


def _read_ids(source: Source) -> dict[str, pl.Expr]:
    """The columns id and id_text, from `id_text`, the cleaned text of the id."""
    text = pl.col("id_text")
    own = source.read_id(text)
    return {"id": own, "id_text": pl.when(own.is_null()).then(text)}


def _reason(source: PublicationSource) -> pl.Expr:
    """Why a row cannot be kept, as far as the row alone shows; else null."""
    withdraws = source.withdraws()
    reasons = [] if withdraws is None else [pl.when(withdraws).then(pl.lit(RejectReason.DELETION))]
    blank = pl.when(pl.col("title").is_null()).then(pl.lit(RejectReason.BLANK_TITLE))
    return pl.coalesce(_rejecting_issue(), *reasons, blank)


def _reason_of_part() -> pl.Expr:
    """Why a part of a record cannot be kept, as far as the row alone shows; else null."""
    names_none = pl.when(pl.col("id").is_null()).then(pl.lit(RejectReason.NO_RECORD_OF_ITS_ID))
    return pl.coalesce(_rejecting_issue(), names_none)


def _rejecting_issue() -> pl.Expr:
    """The first read issue because of which a row cannot be kept; null if it has none.

    It precedes all other reasons: what the fields of such a row hold, or lack, says nothing.
    """
    return (
        pl.col("read_issues").list.filter(pl.element().is_in(list(REJECTING_ISSUES))).list.first()
    )


def clean_drug_records(source: Source, raw: pl.LazyFrame) -> pl.LazyFrame:
    """Clean the raw rows of drug lists (`contracts.RawDrugs`) to `contracts.DrugRecords`.

    A row of the WHO's own table that names a group of ATC level 1 to 4 is an `atc_group`. In other
    lists a drug may have the code of a group.
    """
    code = clean_field(pl.col("atccode")).str.to_uppercase()
    is_class = code.str.contains(ATC_CODE)
    group = is_class & (code.str.len_chars() < _ATC_SUBSTANCE_CHARS)
    listed, class_name = clean_field(pl.col("drug")), clean_field(pl.col("atc_name"))
    rows = raw.with_columns(
        id_text=clean_field(pl.col("id")),
        listed=listed,
        drug=pl.coalesce(listed, class_name),
        class_names=_read_class_names(pl.when(is_class).then(code + " " + class_name)),
        group=group,
        codes=split_values("atccode", ATC_CODES_FORM),
        **{name: split_values(name) for name in _LISTS_OF_DRUGS},
        xrefs=read_xrefs({scheme: scheme.value for scheme in IdentifierScheme}, "id"),
        form_of=read_references("form_of"),
    )
    # No substance is a form of itself, as ChEMBL says of each that has no other parent.
    # Nor is it a form that has its own name: EMA gives the active substance beside the INN.
    only_form = fold_text(pl.col("forms").list.get(0, null_on_oob=True))
    is_itself = (pl.col("forms").list.len() == 1) & (only_form == fold_text(pl.col("drug")))
    rows = rows.with_columns(
        form_of=pl.col("form_of").list.set_difference("xrefs"),
        forms=pl.when(is_itself.fill_null(value=False)).then([]).otherwise("forms"),
    )
    is_part = pl.col("read_issues").list.contains(ReadIssue.PART_OF_RECORD)
    adds_to_none = (pl.col("xrefs").list.len() == 0) & (pl.col("products").list.len() == 0)
    return (
        rows.with_columns(**_read_ids(source))
        .select(
            "source_file",
            "source_row",
            pl.coalesce(
                _rejecting_issue(),
                pl.when(is_part & adds_to_none)
                .then(pl.lit(RejectReason.NAMES_NO_DRUG))
                .when(~is_part & pl.col("drug").is_null())
                .then(pl.lit(RejectReason.BLANK_NAME))
                .when(pl.col("listed").is_null() & pl.col("group"))
                .then(pl.lit(RejectReason.ATC_GROUP)),
            ).alias("reason"),
            "id",
            "id_text",
            "drug",
            fold_text(without_marks(pl.col("drug"))).alias("folded_name"),
            "codes",
            *_LISTS_OF_DRUGS,
            "xrefs",
            "form_of",
            "class_names",
            is_part.alias("is_part"),
        )
        .select(contracts.DrugRecords.column_names())
    )


def _read_class_names(of_its_code: pl.Expr) -> pl.Expr:
    """The names of ATC classes that a row gives, each behind the code of the class.

    Args:
        of_its_code: such a text for the only code of the row; null where its name is not given.
    """
    # One step for both, and for nulls: each step over lists costs.
    named = pl.element().filter(pl.element().str.contains(_NAMED_CLASS))
    return pl.concat_list(split_values("class_names"), of_its_code).list.eval(named)
