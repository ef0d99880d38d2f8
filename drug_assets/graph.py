"""Mentions to the graph document and to the tables that summarize it (SPEC sections 3, 5 and 6).

The document is made one line a drug, so that no more than a few drugs stand in memory at a time.
What its answers are belongs to `questions`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from drug_assets import contracts

if TYPE_CHECKING:
    from collections.abc import Iterator

#: Mentions in memory while the document is written, give or take those of one drug.
MENTIONS_A_BATCH = 200_000
_IN_ORDER = ("date", "type", "id")


def journal_drugs(mentions: pl.LazyFrame) -> pl.LazyFrame:
    """Which journal mentions which drug how often and since when (`contracts.JournalDrugs`)."""
    of_source = pl.col("source")
    return (
        mentions.filter(pl.col("journal_id").is_not_null())
        .group_by("journal_id", "drug_id")
        .agg(
            journal=pl.col("journal").first(),
            drug=pl.col("drug").first(),
            pubmed_mentions=(of_source == "pubmed").sum().cast(pl.Int64),
            clinical_trial_mentions=(of_source == "clinical_trials").sum().cast(pl.Int64),
            first_date=pl.col("date").min(),
            last_date=pl.col("date").max(),
        )
        .sort("journal_id", "drug_id")
        .select(contracts.JournalDrugs.column_names())
    )


def top_journal(journal_drugs: pl.LazyFrame) -> pl.LazyFrame:
    """The journals that mention the most different drugs, all that tie (`contracts.TopJournal`)."""
    return (
        journal_drugs.group_by("journal_id")
        .agg(
            journal=pl.col("journal").first(),
            drug_count=pl.len().cast(pl.Int64),
            drugs=pl.col("drug").sort(),
        )
        .filter(pl.col("drug_count") == pl.col("drug_count").max())
        .sort("journal", "journal_id")
        .select(contracts.TopJournal.column_names())
    )


def graph_document(drugs: pl.LazyFrame, mentions: pl.LazyFrame) -> Iterator[str]:
    """The lines of `graph.json`: a JSON array with one line a drug, sorted by name.

    `drugs` is `contracts.Drugs`, `mentions` is `contracts.Mentions`; a drug without mention has its
    line too. Lines come without line ends.
    """
    listed = drugs.select("drug_id", "drug", "names", "atc_codes").sort("drug", "drug_id").collect()
    counts = mentions.group_by("drug_id").len().collect()
    yield "["
    batches = (
        listed.select("drug_id")
        .join(counts, on="drug_id", how="left", maintain_order="left")
        .with_columns(batch=pl.col("len").fill_null(0).cum_sum() // MENTIONS_A_BATCH)
        .partition_by("batch", maintain_order=True)
    )
    left = listed.height
    for batch in batches:
        some = listed.join(batch.select("drug_id"), on="drug_id", how="semi", maintain_order="left")
        of_these = mentions.join(batch.lazy().select("drug_id"), on="drug_id", how="semi").collect()
        for line in _lines(some, of_these):
            left -= 1
            yield line + ("," if left else "")
    yield "]"


def _lines(drugs: pl.DataFrame, mentions: pl.DataFrame) -> pl.Series:
    """The JSON objects of these drugs, in their order."""
    published = mentions.select(
        "drug_id",
        "journal_id",
        "journal",
        "title",
        "date",
        "date_precision",
        type=pl.col("source").replace({"clinical_trials": "clinical_trial"}),
        id="publication_id",
        spans=pl.col("spans").list.eval(
            pl.concat_list(pl.element().struct.field("start"), pl.element().struct.field("end"))
        ),
    ).sort("drug_id", *_IN_ORDER, nulls_last=True)
    date = pl.col("date").dt.to_string("iso")
    of_drug = published.group_by("drug_id", maintain_order=True).agg(
        mentions=pl.struct("type", "id", "title", "journal", date, "date_precision", "spans")
    )
    of_journal = (
        published.filter(pl.col("journal_id").is_not_null())
        .group_by("drug_id", "journal_id", maintain_order=True)
        .agg(pl.col("journal").first(), mentions=pl.struct(date, "type", "id"))
        .sort("drug_id", "journal", "journal_id")
        .group_by("drug_id", maintain_order=True)
        .agg(journals=pl.struct("journal", "mentions"))
    )
    return (
        drugs.join(of_drug, on="drug_id", how="left", maintain_order="left")
        .join(of_journal, on="drug_id", how="left", maintain_order="left")
        .with_columns(pl.col("mentions", "journals").fill_null([]))
        .select(
            pl.struct(
                "drug_id", "drug", "names", "atc_codes", "mentions", "journals"
            ).struct.json_encode()
        )
        .to_series()
    )
