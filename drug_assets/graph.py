"""Mentions to the graph document and to the tables that summarize it (SPEC sections 3, 5 and 6).

The document is made one line a drug, some drugs at a time, so that memory follows the drug that is
mentioned most, not the document. What its answers are belongs to `questions`.
"""

from __future__ import annotations

from tempfile import TemporaryFile
from typing import TYPE_CHECKING

import polars as pl

from drug_assets import contracts

if TYPE_CHECKING:
    from collections.abc import Iterator

#: Mentions in memory while the document is written, give or take those of one drug.
MENTIONS_A_BATCH = 100_000


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
    line too. Lines come without line ends. They wait in a temporary file until all are made.
    """
    listed = (
        drugs.select("drug_id", "drug", "names", "atc_codes")
        .sort("drug", "drug_id")
        .with_row_index("line")
        .join(mentions.group_by("drug_id").len("count"), on="drug_id", how="left")
        # The table of mentions is sorted so: a batch of drugs lies together in it.
        .sort("drug_id")
        .with_columns(batch=pl.col("count").fill_null(0).cum_sum() // MENTIONS_A_BATCH)
        .collect()
    )
    sizes: list[int] = []
    with TemporaryFile() as file:
        for batch in listed.partition_by("batch", maintain_order=True):
            first, last = (pl.lit(batch["drug_id"][row]) for row in (0, -1))
            of_these = mentions.filter(pl.col("drug_id").is_between(first, last))
            lines = _lines(batch, of_these)
            sizes.extend(lines.str.len_bytes())
            file.writelines(lines.cast(pl.Binary))
        places = (
            listed.select("line", size=pl.Series(sizes, dtype=pl.Int64))
            .with_columns(start=pl.col("size").cum_sum() - pl.col("size"))
            .sort("line")
        )
        yield "["
        for number, start, size in zip(*places["line", "start", "size"], strict=True):
            file.seek(start)
            yield file.read(size).decode() + ("," if number < places.height - 1 else "")
        yield "]"


def _lines(drugs: pl.DataFrame, mentions: pl.LazyFrame) -> pl.Series:
    """The JSON objects of these drugs, in their order.

    Rows are sorted and grouped by a number, which takes a fraction of what a text does.
    """
    start, end = (pl.element().struct.field(name) for name in ("start", "end"))
    numbered = (
        mentions.select(
            "drug_id",
            "journal_id",
            "journal",
            "title",
            "date_precision",
            date=pl.col("date").dt.to_string("iso"),
            type=pl.col("source").replace({"clinical_trials": "clinical_trial"}),
            id="publication_id",
            spans=pl.col("spans").list.eval(pl.concat_arr(start, end)),
        )
        .collect()
        .join(drugs.select("drug_id", "line"), on="drug_id", how="left", maintain_order="left")
        .sort("line", "date", "type", "id", nulls_last=True)
    )
    of_drug = numbered.group_by("line", maintain_order=True).agg(
        mentions=pl.struct("type", "id", "title", "journal", "date", "date_precision", "spans")
    )
    follows_another = (
        pl.col(key).ne_missing(pl.col(key).shift()) for key in ("line", "journal_id")
    )
    of_journal = (
        numbered.filter(pl.col("journal_id").is_not_null())
        .select("line", "journal", "journal_id", "date", "type", "id")
        .sort("line", "journal", "journal_id", maintain_order=True)
        # Sorted, and said to be: so rows are grouped without looking for equal ones.
        .group_by(
            pl.any_horizontal(follows_another).cum_sum().set_sorted().alias("journal_of_drug"),
            maintain_order=True,
        )
        .agg(pl.col("line", "journal").first(), mentions=pl.struct("date", "type", "id"))
        .group_by(pl.col("line").set_sorted(), maintain_order=True)
        .agg(journals=pl.struct("journal", "mentions"))
    )
    return (
        drugs.join(of_drug, on="line", how="left", maintain_order="left")
        .join(of_journal, on="line", how="left", maintain_order="left")
        .select(
            pl.struct(
                "drug_id",
                "drug",
                "names",
                "atc_codes",
                pl.col("mentions", "journals").fill_null([]),
            ).struct.json_encode()
        )
        .to_series()
    )
