"""Journals as records give them -> journals with one identity and one spelling (SPEC 2, "journal").

The identity of a journal is its NLM unique id where a source gives one, else its ISSN, else its
folded title. What means exactly one identity elsewhere in the data is resolved to it: an ISSN, a
title, an abbreviation. So the rows of a spreadsheet without ids, exports that give abbreviations,
and PubMed's own records get the same journal. What means several is resolved to none of them.

Three kinds of columns describe a journal:

- as written, in records: `records.GIVEN_JOURNAL`;
- clean: journal_text, folded_journal, folded_abbreviations, nlm_id, issns;
- resolved: journal_id (the identity) and journal (the spelling that is shown).

Journals have far fewer spellings than records. So each distinct combination of the columns as
written is resolved once, and all data here fits in memory.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from drug_assets import contracts
from drug_assets.cleaning.records import GIVEN_JOURNAL
from drug_assets.cleaning.text import clean_field, fold_text, split_values
from drug_assets.terms import SEPARATOR

if TYPE_CHECKING:
    from collections.abc import Iterable

#: NLM unique ids have seven digits, nine, or eight with an R; older ones begin with zeros.
_NLM_ID = r"^(?:NLM(?: ?ID)?[: ]*)?0*([1-9][0-9]{0,8})(?:\.0+)?([A-Z]?)$"
_NLM_ID_DIGITS = 7

#: An ISSN as a word of its field, its prefix (`ISSN`, `eISSN`) attached or not.
_ISSN_WORD = r"[0-9A-Z-]+"
_ISSN = r"^(?:[A-Z-]*ISSN[A-Z-]*)?([0-9]{4})-?([0-9]{3}[0-9X])$"
#: A field that holds one number, as a spreadsheet leaves an ISSN whose leading zeros it lost.
_ISSN_NUMBER = r"^([0-9]{4,6}[0-9X])(?:\.0+)?$"
_ISSN_DIGITS = 8
#: What stands in place of an ISSN; its check digit is right.
_NO_ISSN = "0000-0000"


def add_journal_identifiers(rows: pl.LazyFrame) -> pl.LazyFrame:
    """Add the clean columns of the journal.

    Args:
        rows: columns `GIVEN_JOURNAL`, and any other.

    Returns:
        The rows with journal_text (the cleaned title, or the first abbreviation if there is none),
        folded_journal (that, folded), folded_abbreviations (list), nlm_id (in its canonical form,
        null if it does not have the form of one) and issns (list, sorted).
    """
    # Each step needs the columns of the step before: nested expressions would take Polars seconds.
    cleaned = rows.with_columns(
        journal_text=clean_field(pl.col("given_journal")),
        nlm_id=clean_field(pl.col("given_nlm_id")),
        issns=clean_field(pl.col("given_issn")),
        abbreviations=split_values("given_journal_abbreviations"),
    ).with_columns(
        journal_text=pl.coalesce("journal_text", pl.col("abbreviations").list.first()),
        abbreviations=pl.col("abbreviations").list.join(SEPARATOR),
    )
    # Cleaned text has no line ends, so all columns are folded as the lines of one text.
    lines = ("journal_text", "nlm_id", "issns", "abbreviations")
    return (
        cleaned.with_columns(
            folded=pl.concat_str(pl.col(lines).fill_null(""), separator="\n").pipe(fold_text)
        )
        .with_columns(folded=pl.col("folded").str.split("\n"))
        .with_columns(
            folded_journal=pl.col("folded").list.get(0).replace("", None),
            folded_abbreviations=pl.col("folded").list.get(3).str.split(SEPARATOR),
            nlm_id=pl.col("folded").list.get(1).str.to_uppercase(),
            issns=pl.col("folded").list.get(2).str.to_uppercase(),
        )
        .with_columns(
            folded_journal=compare_name(pl.col("folded_journal")),
            folded_abbreviations=pl.col("folded_abbreviations").list.eval(
                compare_name(pl.element().filter(pl.element() != "")).unique()
            ),
            nlm_id=pl.concat_str(
                pl.col("nlm_id").str.extract(_NLM_ID, 1).str.zfill(_NLM_ID_DIGITS),
                pl.col("nlm_id").str.extract(_NLM_ID, 2),
            ),
            number=pl.col("issns").str.extract(_ISSN_NUMBER).str.zfill(_ISSN_DIGITS),
        )
        .with_columns(
            issns=pl.when(_has_check_digit(pl.col("number"))).then("number").otherwise("issns")
        )
        .with_columns(
            issns=pl.col("issns")
            .str.extract_all(_ISSN_WORD)
            .list.eval(
                pl.element().filter(pl.element().str.contains(_ISSN)).str.replace(_ISSN, "$1-$2")
            )
        )
        .with_columns(
            # `list.sort` takes ten times as long.
            issns=pl.col("issns").list.eval(
                pl.element().filter(pl.element() != _NO_ISSN).unique().sort()
            )
        )
        .drop("folded", "abbreviations", "number")
    )


def compare_name(folded: pl.Expr) -> pl.Expr:
    """A folded name as names are compared: without points after words, or signs at its end."""
    bare = folded.str.replace_all(r"\.+( |$)", "$1").str.strip_chars_end(" .,;:!?/&-*")
    # A name of punctuation alone is still a name.
    return pl.when(bare == "").then(folded).otherwise(bare)


def _has_check_digit(issn: pl.Expr) -> pl.Expr:
    """Whether the last digit of an ISSN follows from the others (ISO 3297)."""
    digits = issn.str.replace("-", "", literal=True)
    weighted = (
        digits.str.slice(place, 1).str.replace("X", "10", literal=True).cast(pl.Int64)
        * (_ISSN_DIGITS - place)
        for place in range(_ISSN_DIGITS)
    )
    return pl.sum_horizontal(weighted, ignore_nulls=False) % 11 == 0


def build_journals(records: Iterable[pl.LazyFrame]) -> pl.LazyFrame:
    """Build the table of journals from the records of all sources.

    Args:
        records: by source, the records that are not rejected: columns `GIVEN_JOURNAL`.

    Returns:
        The journals (`contracts.Journals`), sorted by key.
    """
    spelt = (
        pl.concat([rows.group_by(GIVEN_JOURNAL).len("records") for rows in records])
        .group_by(GIVEN_JOURNAL)
        .agg(pl.col("records").sum())
        .pipe(add_journal_identifiers)
        .drop(GIVEN_JOURNAL)
        .with_row_index("row")
        .collect()
    )
    issns = spelt.select("row", "nlm_id", issn="issns").explode("issn", empty_as_null=False)
    names = _list_names(spelt)
    issn_means = _resolve_issns(issns)
    # The identity that a row gives itself: its NLM id, else what its ISSNs mean.
    given = (
        spelt.select("row", "nlm_id")
        .join(_find_unambiguous(issns.join(issn_means, on="issn"), "row", "means"), "row", "left")
        .select("row", given=pl.coalesce("nlm_id", "means"))
    )
    names = names.join(given, on="row")
    name_means = _resolve_names(names)
    resolved = (
        spelt.join(given, on="row")
        .join(name_means, left_on="folded_journal", right_on="name", how="left")
        .with_columns(
            journal_id=pl.coalesce("given", "means", "folded_journal", pl.col("issns").list.first())
        )
        .filter(pl.col("journal_id").is_not_null())
    )
    own_titles = resolved.filter(
        pl.col("given").is_null(), pl.col("means").is_null(), pl.col("folded_journal").is_not_null()
    )
    known_names = pl.concat(
        [
            name_means,
            names.select("name", means="given").drop_nulls(),
            own_titles.select(name="folded_journal", means="journal_id"),
        ]
    )
    known_issns = pl.concat([issn_means, issns.select("issn", means="nlm_id").drop_nulls()])
    journals = (
        resolved.group_by("journal_id")
        .agg(records=pl.col("records").sum().cast(pl.Int64))
        .join(_list_by_journal(known_names, folded_names="name"), on="journal_id", how="left")
        .join(_list_by_journal(known_issns, issns="issn"), on="journal_id", how="left")
        .with_columns(pl.col("folded_names", "issns").fill_null([]))
        .join(_choose_spellings(resolved, names), on="journal_id", how="left")
        # A journal without a name is shown by its identifier.
        .with_columns(journal=pl.coalesce("journal", "journal_id"))
        .with_columns(
            # Answers show names. Where two journals have the same name, the identifier follows it.
            journal=pl.when(
                pl.len().over("journal") > 1,
                ~pl.col("folded_names").list.contains(pl.col("journal_id")),
            )
            .then(pl.format("{} ({})", "journal", "journal_id"))
            .otherwise("journal")
        )
        .sort("journal_id")
        .select(contracts.Journals.column_names())
    )
    return journals.lazy()


def add_journals(records: pl.LazyFrame, known: pl.LazyFrame) -> pl.LazyFrame:
    """Add journal_id and journal to records, null if they name no journal.

    Args:
        records: rows with the columns that `add_journal_identifiers` adds.
        known: the table that `build_journals` made from these and all other records.
    """
    rows = records.with_row_index("row").collect()
    table = known.collect()
    issn_means = _find_unambiguous(
        table.select("journal_id", issn="issns").explode("issn", empty_as_null=False),
        "issn",
        "journal_id",
    )
    # A name that several journals have is not resolved to any of them.
    name_means = _find_unambiguous(
        table.select("journal_id", name="folded_names").explode("name", empty_as_null=False),
        "name",
        "journal_id",
    )
    by_issns = _find_unambiguous(
        rows.select("row", issn="issns")
        .explode("issn", empty_as_null=False)
        .join(issn_means, on="issn"),
        "row",
        "journal_id",
    )
    return (
        rows.join(by_issns.rename({"journal_id": "by_issns"}), "row", "left")
        .join(
            name_means.rename({"journal_id": "by_name"}),
            left_on="folded_journal",
            right_on="name",
            how="left",
        )
        .with_columns(
            journal_id=pl.coalesce(
                "nlm_id", "by_issns", "by_name", "folded_journal", pl.col("issns").list.first()
            )
        )
        .join(table.select("journal_id", "journal"), on="journal_id", how="left")
        .sort("row")
        .drop("row", "by_issns", "by_name")
        .lazy()
    )


def _list_names(rows: pl.DataFrame) -> pl.DataFrame:
    """The names that each row gives a journal: row, name, title and whether it is a title.

    An abbreviation that is the title itself is no other name.
    """
    title = pl.col("folded_journal")
    titles = rows.select("row", name=title, title=title, is_title=True)
    abbreviations = rows.select(
        "row", name="folded_abbreviations", title=title, is_title=False
    ).explode("name", empty_as_null=False)
    return pl.concat([titles, abbreviations.filter(pl.col("name") != pl.col("title"))]).drop_nulls()


def _resolve_issns(given: pl.DataFrame) -> pl.DataFrame:
    """What each ISSN means: columns issn and means; ISSNs that mean nothing are left out.

    An ISSN means the one NLM id that rows give it with; with several, it means nothing. ISSNs that
    no row gives with an NLM id are one journal if rows give them together: they mean the one NLM id
    that other ISSNs of these rows mean, or else the smallest of them whose check digit is right. An
    ISSN whose check digit is wrong is no identity.

    Args:
        given: columns row, nlm_id and issn: one row per ISSN of a row.
    """
    identified = given.drop_nulls("nlm_id")
    known = _find_unambiguous(identified.rename({"nlm_id": "means"}), "issn", "means")
    without_id = given.filter(pl.col("nlm_id").is_null())
    unknown = without_id.join(identified, on="issn", how="anti").select("row", "issn")
    grouped = _group_issns(unknown)
    adjacent = (
        grouped.join(without_id.join(known, on="issn").select("row", "means"), on="row")
        .group_by("group")
        .agg(pl.col("means").unique())
    )
    right = pl.col("issn").filter(_has_check_digit(pl.col("issn")))
    of_groups = (
        grouped.select("issn", "group")
        .unique()
        .join(adjacent, on="group", how="left")
        .filter(pl.col("means").list.len().fill_null(0) <= 1)
        .with_columns(smallest=right.min().over("group"))
        .select("issn", means=pl.coalesce(pl.col("means").list.first(), "smallest"))
        .drop_nulls()
    )
    return pl.concat([known, of_groups])


def _group_issns(given: pl.DataFrame) -> pl.DataFrame:
    """Add `group` to rows with row and issn: the smallest ISSN that is linked to it by rows."""
    grouped = given.with_columns(group="issn")
    while True:
        # Each round, a group takes the smallest of the groups that its rows touch.
        merged = grouped.with_columns(pl.col("group").min().over("row")).with_columns(
            pl.col("group").min().over("issn")
        )
        if merged["group"].equals(grouped["group"]):
            return grouped
        grouped = merged


def _resolve_names(names: pl.DataFrame) -> pl.DataFrame:
    """What each name means: columns name and means; names that mean only themselves are left out.

    A name means the one identity that rows with an NLM id or ISSN give it; with several, it means
    nothing. A name that no such row gives means what the other names of its rows mean, if that is
    one identity. Else, an abbreviation means the one title that rows give it with, unless that is
    such an abbreviation itself.

    Args:
        names: columns row, name, title, is_title and given, the identity that the row gives.
    """
    identified = names.drop_nulls("given")
    known = _find_unambiguous(identified.rename({"given": "means"}), "name", "means")
    others = names.join(identified, on="name", how="anti").select(
        "row", "name", "title", "is_title"
    )
    beside = _find_unambiguous(
        others.join(names.join(known, on="name").select("row", "means"), on="row"), "name", "means"
    )
    abbreviations = _find_unambiguous(
        others.join(beside, on="name", how="anti").filter(~pl.col("is_title")), "name", "title"
    )
    shortened = (
        abbreviations.join(abbreviations, left_on="title", right_on="name", how="anti")
        .join(beside, left_on="title", right_on="name", how="left")
        .select("name", means=pl.coalesce("means", "title"))
    )
    return pl.concat([known, beside, shortened])


def _list_by_journal(pairs: pl.DataFrame, **listed: str) -> pl.DataFrame:
    """The values of a column by the journal that they mean, sorted: journal_id and the list."""
    ((name, column),) = listed.items()
    return pairs.group_by(journal_id="means").agg(pl.col(column).unique().sort().alias(name))


def _choose_spellings(resolved: pl.DataFrame, names: pl.DataFrame) -> pl.DataFrame:
    """The spelling that is shown of each journal: columns journal_id and journal.

    It is the most frequent one, but an abbreviation is shown only if there is no other name.
    """
    abbreviations = (
        names.filter(~pl.col("is_title"))
        .join(resolved.select("row", "journal_id"), on="row")
        .select("journal_id", folded_journal="name", is_abbreviation=True)
        .unique()
    )
    return (
        resolved.filter(pl.col("journal_text").is_not_null())
        .group_by("journal_id", "journal_text", "folded_journal")
        .agg(pl.col("records").sum())
        .join(abbreviations, on=["journal_id", "folded_journal"], how="left")
        .sort(
            "journal_id",
            pl.col("is_abbreviation").fill_null(value=False),
            "records",
            "journal_text",
            descending=[False, False, True, False],
        )
        .unique("journal_id", keep="first", maintain_order=True)
        .select("journal_id", journal="journal_text")
    )


def _find_unambiguous(pairs: pl.DataFrame, key: str, value: str) -> pl.DataFrame:
    """The keys with exactly one distinct value, and this value: columns `key` and `value`.

    Args:
        pairs: the two columns, and any other; rows with a null in one of the two are ignored.
        key: name of the column of keys.
        value: name of the column of values.
    """
    return (
        pairs.select(key, value)
        .drop_nulls()
        .group_by(key)
        .agg(pl.col(value).unique())
        .filter(pl.col(value).list.len() == 1)
        .with_columns(pl.col(value).list.first())
    )
