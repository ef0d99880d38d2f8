"""Journal names to journals: one identity, one spelling (SPEC section 2, "journal").

A journal is its NLM unique id where a source gives one, else its ISSN, else its folded name. A name
or ISSN that stands for exactly one better identity elsewhere in the data is taken for that journal,
so that a spreadsheet without ids and PubMed's own records meet.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from drug_assets import contracts
from drug_assets.cleaning.text import cleaned, folded

if TYPE_CHECKING:
    from collections.abc import Iterable

#: What a record says of its journal, cleaned; each may be null.
EVIDENCE = ("nlm_id", "issn", "folded_journal")
#: What a raw row says of its journal. Few of these differ, so they are cleaned once each.
GIVEN = ("journal", "nlm_id", "issn")
_ISSN = r"^([0-9]{4})-?([0-9]{3}[0-9X])$"


def with_evidence(raw: pl.LazyFrame) -> pl.LazyFrame:
    """Raw publication rows with `journal_text` (cleaned name) and the `EVIDENCE` columns."""
    issn = pl.col("issn")
    folded_name = pl.col("folded_journal")
    bare = folded_name.str.strip_chars_end(" .,;:!?/&-–—*")
    # Step by step, so that nothing is cleaned or folded twice.
    return (
        raw.with_columns(
            journal_text=cleaned(pl.col("journal")),
            nlm_id=cleaned(pl.col("nlm_id")),
            issn=cleaned(issn).str.to_uppercase(),
        )
        .with_columns(
            folded_journal=folded(pl.col("journal_text")),
            issn=pl.when(issn.str.contains(_ISSN)).then(issn.str.replace(_ISSN, "$1-$2")),
        )
        # A name of punctuation alone is still a name.
        .with_columns(folded_journal=pl.when(bare == "").then(folded_name).otherwise(bare))
    )


def journals(records: Iterable[pl.LazyFrame]) -> pl.LazyFrame:
    """All journals (`contracts.Journals`) that the records of all sources name, sorted by key.

    `records` are raw rows that are kept.
    """
    # Spellings are few beside records: from here on everything fits in memory.
    named = (
        pl.concat([r.group_by(GIVEN).len("records") for r in records])
        .pipe(with_evidence)
        .group_by("journal_text", *EVIDENCE)
        .agg(pl.col("records").sum())
        .filter(pl.any_horizontal(pl.col(*EVIDENCE).is_not_null()))
        .collect()
        .lazy()
    )
    issn_to_id = _unambiguous(
        named.filter(pl.col("issn").is_not_null()).select("issn", pl.col("nlm_id")), "issn"
    )
    identified = named.join(issn_to_id, on="issn", how="left").with_columns(
        strong=pl.coalesce("nlm_id", "nlm_id_of_issn", "issn")
    )
    name_to_id = _unambiguous(
        identified.filter(pl.col("folded_journal").is_not_null()).select(
            "folded_journal", pl.col("strong")
        ),
        "folded_journal",
    )
    resolved = identified.join(name_to_id, on="folded_journal", how="left").with_columns(
        journal_id=pl.coalesce("strong", "strong_of_folded_journal", "folded_journal")
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
        # A journal that is given by its identifier alone is shown by it.
        .with_columns(journal=pl.coalesce("journal", "journal_id"))
        .with_columns(
            # Two journals of one title are told apart by their identifiers: answers show titles.
            journal=pl.when((pl.len().over("journal") > 1) & identified_by_id)
            .then(pl.format("{} ({})", "journal", "journal_id"))
            .otherwise("journal")
        )
        .sort("journal_id")
        .select(contracts.Journals.column_names())
    )


def with_journals(records: pl.LazyFrame, known: pl.LazyFrame) -> pl.LazyFrame:
    """Records that hold the `EVIDENCE` columns, with `journal_id` and `journal`, null if unknown.

    `known` is the table that `journals` made of these and other records.
    """
    by_issn = _unambiguous(
        known.select("issns", "journal_id")
        .explode("issns", empty_as_null=False)
        .rename({"issns": "issn"}),
        "issn",
    )
    by_name = (
        known.select("folded_names", "journal_id")
        .explode("folded_names", empty_as_null=False)
        # A name of several journals stands for none of them, but for itself.
        .rename({"folded_names": "folded_journal"})
    )
    by_name = _unambiguous(by_name, "folded_journal")
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
            known.select("journal_id", pl.col("journal").alias("journal_shown")),
            on="journal_id",
            how="left",
            maintain_order="left",
        )
        .drop("journal", "journal_id_of_issn", "journal_id_of_folded_journal", strict=False)
        .rename({"journal_shown": "journal"})
    )


def _unambiguous(pairs: pl.LazyFrame, key: str) -> pl.LazyFrame:
    """For each `key` with exactly one non-null partner: that partner, as `<partner>_of_<key>`."""
    (partner,) = (c for c in pairs.collect_schema().names() if c != key)
    return (
        pairs.drop_nulls()
        .group_by(key)
        .agg(pl.col(partner).unique())
        .filter(pl.col(partner).list.len() == 1)
        .select(key, pl.col(partner).list.first().alias(f"{partner}_of_{key}"))
    )
