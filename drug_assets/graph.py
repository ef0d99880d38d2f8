"""Mentions -> tables that summarize them (SPEC 3 and 6). The graph document is in `document`."""

from __future__ import annotations

import polars as pl

from drug_assets.sources.tables import (
    list_columns,
    name_mention_counts,
    name_retraction_counts,
)


def count_journal_drugs(mentions: pl.LazyFrame) -> pl.LazyFrame:
    """Count the mentions of each drug in each journal, with first and last date.

    Args:
        mentions: table as `contracts.Mentions`.

    Returns:
        The table `journal_drugs`: one row per journal and drug. Mentions without a journal are not
        counted.
    """
    retracted = pl.col("retracted")
    counted = {
        column: pl.col("source") == source for source, column in name_mention_counts().items()
    }
    for source, (of_retracted, of_unknown) in name_retraction_counts().items():
        from_source = pl.col("source") == source
        counted[of_retracted] = from_source & retracted.fill_null(value=False)
        counted[of_unknown] = from_source & retracted.is_null()
    counts = {column: found.sum().cast(pl.Int64) for column, found in counted.items()}
    return (
        mentions.filter(pl.col("journal_id").is_not_null())
        .group_by("journal_id", "drug_id")
        .agg(
            journal=pl.col("journal").first(),
            drug=pl.col("drug").first(),
            **counts,
            first_date=pl.col("date").min(),
            last_date=pl.col("date").max(),
        )
        .sort("journal_id", "drug_id")
        .select(list_columns("journal_drugs"))
    )


def find_top_journals(journal_drugs: pl.LazyFrame) -> pl.LazyFrame:
    """Find the journals that mention the most different drugs, ties included.

    Args:
        journal_drugs: table `journal_drugs`.

    Returns:
        The table `top_journal` (`contracts.TopJournal`), sorted by journal and journal_id.
    """
    by_retraction = name_retraction_counts().values()
    counts = {
        "mentions": list(name_mention_counts().values()),
        "retracted_mentions": [retracted for retracted, _ in by_retraction],
        "unknown_mentions": [unknown for _, unknown in by_retraction],
    }
    return (
        journal_drugs.group_by("journal_id")
        .agg(
            journal=pl.col("journal").first(),
            drug_count=pl.len().cast(pl.Int64),
            drugs=pl.col("drug").sort(),
            **{name: pl.sum_horizontal(columns).sum() for name, columns in counts.items()},
        )
        .filter(pl.col("drug_count") == pl.col("drug_count").max())
        .sort("journal", "journal_id")
        .select(list_columns("top_journal"))
    )
