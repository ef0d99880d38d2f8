"""Mentions to the graph document and to the tables that summarize it (SPEC sections 3, 5 and 6).

The document is made one line a drug, some drugs at a time, so that memory follows the drug that is
mentioned most, not the document. What its answers are belongs to `questions`.
"""

from __future__ import annotations

from tempfile import SpooledTemporaryFile
from typing import TYPE_CHECKING

import polars as pl

from drug_assets import contracts

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

#: Mentions in memory while the document is written, give or take those of one drug.
MENTIONS_A_BATCH = 100_000
#: Lines kept in memory until all are made; beyond that they wait in a file.
SPOOL_BYTES = 64 * 2**20


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
    line too. Lines come without line ends. Where they are many they wait in a temporary file.
    """
    listed = (
        drugs.select("drug_id", "drug", "names", "atc_codes")
        .sort("drug", "drug_id")
        .with_row_index("line")
        .join(mentions.group_by("drug_id").len("mentions"), on="drug_id", how="left")
        # The table of mentions is sorted so: a batch of drugs lies together in it.
        .sort("drug_id")
        .with_columns(batch=pl.col("mentions").fill_null(0).cum_sum() // MENTIONS_A_BATCH)
        .collect()
    )
    lines = [(0, 0)] * listed.height
    with SpooledTemporaryFile(SPOOL_BYTES) as spool:
        for batch in listed.partition_by("batch", maintain_order=True):
            first, last = (pl.lit(batch["drug_id"][row]) for row in (0, -1))
            of_these = mentions.filter(pl.col("drug_id").is_between(first, last)).collect()
            for number, line in zip(batch["line"], _lines(batch, of_these), strict=True):
                lines[number] = (spool.tell(), spool.write(line.encode()))
        yield "["
        for number, (start, size) in enumerate(lines, start=1):
            spool.seek(start)
            yield spool.read(size).decode() + ("," if number < len(lines) else "")
        yield "]"


def _lines(drugs: pl.DataFrame, mentions: pl.DataFrame) -> pl.Series:
    """The JSON objects of these drugs, in their order.

    Each mention is encoded by itself: to join texts takes less than to gather nested columns.
    """
    encoded = (
        mentions.select(
            "drug_id",
            "journal_id",
            "journal",
            "title",
            "date_precision",
            date=pl.col("date").dt.to_string("iso"),
            type=pl.col("source").replace({"clinical_trials": "clinical_trial"}),
            id="publication_id",
            spans=pl.col("spans").list.eval(
                pl.concat_list(pl.element().struct.field("start"), pl.element().struct.field("end"))
            ),
        )
        .sort("drug_id", "date", "type", "id", nulls_last=True)
        .select(
            "drug_id",
            "journal_id",
            "journal",
            mention=_json("type", "id", "title", "journal", "date", "date_precision", "spans"),
            mention_of_journal=_json("date", "type", "id"),
        )
    )
    of_drug = encoded.group_by("drug_id", maintain_order=True).agg(
        mentions_json=pl.col("mention").str.join(",")
    )
    of_journal = (
        encoded.filter(pl.col("journal_id").is_not_null())
        .group_by("drug_id", "journal_id", maintain_order=True)
        .agg(pl.col("journal").first(), pl.col("mention_of_journal").str.join(","))
        .sort("drug_id", "journal", "journal_id")
        .select("drug_id", journal=_json_with(["journal"], mentions="mention_of_journal"))
        .group_by("drug_id", maintain_order=True)
        .agg(journals_json=pl.col("journal").str.join(","))
    )
    return (
        drugs.join(of_drug, on="drug_id", how="left", maintain_order="left")
        .join(of_journal, on="drug_id", how="left", maintain_order="left")
        .select(
            _json_with(
                ["drug_id", "drug", "names", "atc_codes"],
                mentions="mentions_json",
                journals="journals_json",
            )
        )
        .to_series()
    )


def _json(*columns: str) -> pl.Expr:
    """The columns as one JSON object a row."""
    return pl.struct(columns).struct.json_encode()


def _json_with(columns: Sequence[str], **arrays: str) -> pl.Expr:
    """The columns as one JSON object a row, then arrays whose elements are JSON already."""
    members = (
        pl.concat_str(pl.lit(f',"{name}":['), pl.col(column).fill_null(""), pl.lit("]"))
        for name, column in arrays.items()
    )
    return pl.concat_str(_json(*columns).str.strip_suffix("}"), *members, pl.lit("}"))
