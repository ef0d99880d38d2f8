"""Journals as records give them -> journals with one identity and one spelling (SPEC 2, "journal").

The identity of a journal is its NLM unique id where a source gives one, else its ISSN, else its
folded name. A name that has exactly one NLM id or ISSN elsewhere in the data, or an ISSN that has
exactly one NLM id, is resolved to it. So the rows of a spreadsheet without ids and PubMed's own
records get the same journal.

Three kinds of columns describe a journal:

- as written, in records: given_journal, given_nlm_id, given_issn (`records.GIVEN_JOURNAL`);
- clean: journal_text, folded_journal, nlm_id, issn;
- resolved: journal_id (the identity) and journal (the spelling that is shown).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from drug_assets import contracts
from drug_assets.cleaning.records import GIVEN_JOURNAL
from drug_assets.cleaning.text import clean_field, fold_text

if TYPE_CHECKING:
    from collections.abc import Iterable

#: The clean columns that can identify the journal of a record; each may be null.
_IDENTIFIERS = ("nlm_id", "issn", "folded_journal")
_ISSN = r"^([0-9]{4})-?([0-9]{3}[0-9X])$"


def add_journal_identifiers(rows: pl.LazyFrame) -> pl.LazyFrame:
    """Add the clean columns of the journal.

    Args:
        rows: columns `GIVEN_JOURNAL`, and any other.

    Returns:
        The rows with journal_text (the cleaned name), folded_journal (the folded name, without
        punctuation at its end), nlm_id and issn (null if it does not have the form of an ISSN).
    """
    issn = pl.col("issn")
    folded_name = pl.col("folded_journal")
    bare = folded_name.str.strip_chars_end(" .,;:!?/&-–—*")
    # Several steps, so that no column is cleaned or folded twice.
    return (
        rows.with_columns(
            journal_text=clean_field(pl.col("given_journal")),
            nlm_id=clean_field(pl.col("given_nlm_id")),
            issn=clean_field(pl.col("given_issn")).str.to_uppercase(),
        )
        .with_columns(
            folded_journal=fold_text(pl.col("journal_text")),
            issn=pl.when(issn.str.contains(_ISSN)).then(issn.str.replace(_ISSN, "$1-$2")),
        )
        # A name of punctuation alone is still a name.
        .with_columns(folded_journal=pl.when(bare == "").then(folded_name).otherwise(bare))
    )


def build_journals(records: Iterable[pl.LazyFrame]) -> pl.LazyFrame:
    """Build the table of journals from the records of all sources.

    Args:
        records: by source, the records that are not rejected: columns `GIVEN_JOURNAL`.

    Returns:
        The journals (`contracts.Journals`), sorted by key.
    """
    # Journals have far fewer spellings than records: from here on all data fits in memory.
    spelt = (
        pl.concat([rows.group_by(GIVEN_JOURNAL).len("records") for rows in records])
        .pipe(add_journal_identifiers)
        .group_by("journal_text", *_IDENTIFIERS)
        .agg(pl.col("records").sum())
        .filter(pl.any_horizontal(pl.col(*_IDENTIFIERS).is_not_null()))
        .collect()
        .lazy()
    )
    issn_to_id = _find_unambiguous(
        spelt.filter(pl.col("issn").is_not_null()).select("issn", pl.col("nlm_id")), "issn"
    )
    identified = spelt.join(issn_to_id, on="issn", how="left").with_columns(
        nlm_id_or_issn=pl.coalesce("nlm_id", "nlm_id_of_issn", "issn")
    )
    name_to_id = _find_unambiguous(
        identified.filter(pl.col("folded_journal").is_not_null()).select(
            "folded_journal", "nlm_id_or_issn"
        ),
        "folded_journal",
    )
    resolved = identified.join(name_to_id, on="folded_journal", how="left").with_columns(
        journal_id=pl.coalesce(
            "nlm_id_or_issn", "nlm_id_or_issn_of_folded_journal", "folded_journal"
        )
    )
    spelling = (
        resolved.filter(pl.col("journal_text").is_not_null())
        .group_by("journal_id", "journal_text")
        .agg(pl.col("records").sum())
        .sort("journal_id", "records", "journal_text", descending=[False, True, False])
        .unique("journal_id", keep="first", maintain_order=True)
        .select("journal_id", journal="journal_text")
    )
    identified_by_id = ~pl.col("folded_names").list.contains(pl.col("journal_id"))
    return (
        resolved.group_by("journal_id")
        .agg(
            folded_names=pl.col("folded_journal").drop_nulls().unique().sort(),
            issns=pl.col("issn").drop_nulls().unique().sort(),
            records=pl.col("records").sum().cast(pl.Int64),
        )
        .join(spelling, on="journal_id", how="left")
        # A journal without a name is shown by its identifier.
        .with_columns(journal=pl.coalesce("journal", "journal_id"))
        .with_columns(
            # Answers show names. Where two journals have the same name, the identifier follows it.
            journal=pl.when((pl.len().over("journal") > 1) & identified_by_id)
            .then(pl.format("{} ({})", "journal", "journal_id"))
            .otherwise("journal")
        )
        .sort("journal_id")
        .select(contracts.Journals.column_names())
    )


def add_journals(records: pl.LazyFrame, known: pl.LazyFrame) -> pl.LazyFrame:
    """Add journal_id and journal to records, null if they name no journal.

    Args:
        records: rows with the columns that `add_journal_identifiers` adds.
        known: the table that `build_journals` made from these and all other records.
    """
    by_issn = _find_unambiguous(
        known.select("issns", "journal_id")
        .explode("issns", empty_as_null=False)
        .rename({"issns": "issn"}),
        "issn",
    )
    by_name = (
        known.select("folded_names", "journal_id")
        .explode("folded_names", empty_as_null=False)
        # A name that several journals have is not resolved to any of them.
        .rename({"folded_names": "folded_journal"})
    )
    by_name = _find_unambiguous(by_name, "folded_journal")
    return (
        records.join(by_issn, on="issn", how="left", maintain_order="left")
        .join(by_name, on="folded_journal", how="left", maintain_order="left")
        .with_columns(
            journal_id=pl.coalesce(
                "nlm_id",
                "journal_id_of_issn",
                "issn",
                "journal_id_of_folded_journal",
                "folded_journal",
            )
        )
        .join(
            known.select("journal_id", "journal"),
            on="journal_id",
            how="left",
            maintain_order="left",
        )
        .drop("journal_id_of_issn", "journal_id_of_folded_journal")
    )


def _find_unambiguous(pairs: pl.LazyFrame, key: str) -> pl.LazyFrame:
    """The keys with exactly one distinct value, and this value as column VALUE_of_KEY.

    Args:
        pairs: column `key` and one other, the value; rows with a null are ignored.
        key: name of the column of keys.
    """
    (value,) = (c for c in pairs.collect_schema().names() if c != key)
    return (
        pairs.drop_nulls()
        .group_by(key)
        .agg(pl.col(value).unique())
        .filter(pl.col(value).list.len() == 1)
        .select(key, pl.col(value).list.first().alias(f"{value}_of_{key}"))
    )
