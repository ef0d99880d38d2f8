"""Writing `graph.json` of many mentions: time, memory and size."""

from __future__ import annotations

from pathlib import Path

import polars as pl

from benchmarks.measuring import Figures, timed
from benchmarks.mentions import names_of
from drug_assets import contracts
from drug_assets.document.writing import write_lines
from drug_assets.sources.tables import TABLES

_BATCH = 500_000
_JOURNALS = 12_000
_NO_TIES = TABLES["trial_publications"].contract.create_empty(lazy=True)


def made_tables(folder: str, mentions: int, names_file: str, names: int) -> Figures:
    """Write the tables drugs and mentions, by their contracts, with this many mentions."""
    listed = names_of(names_file, names)
    target = Path(folder)
    target.mkdir(parents=True, exist_ok=True)
    drugs = pl.DataFrame({"drug_id": listed}).select(
        "drug_id",
        drug=pl.col("drug_id").str.to_uppercase(),
        names=pl.concat_list("drug_id"),
        codes=pl.lit([], dtype=pl.List(pl.String)),
        atc_codes=pl.lit([], dtype=pl.List(pl.String)),
        issues=pl.lit([], dtype=pl.List(pl.String)),
    )
    drugs.sort("drug_id").write_parquet(target / "drugs.parquet")
    for stale in target.glob("mentions-*.parquet"):
        stale.unlink()
    for start in range(0, mentions, _BATCH):
        rows = range(start, min(start + _BATCH, mentions))
        _mentions(listed, rows).write_parquet(target / f"mentions-{start:010}.parquet")
    parts = pl.scan_parquet(sorted(target.glob("mentions-*.parquet")))
    parts.sort("drug_id", "source", "publication_id").sink_parquet(target / "mentions.parquet")
    return {"mentions": mentions}


def _mentions(names: list[str], rows: range) -> pl.DataFrame:
    """One publication per mention; the n-th drug is about 1 / n times as frequent as the first."""
    row = pl.int_range(rows.start, rows.stop, eager=True)
    # A step that shares no factor with the length of a list visits all of its elements.
    share = ((row * 7_919) % 1_000_003).cast(pl.Float64) / 1_000_003
    drug = pl.Series(names).gather((len(names) ** share).floor().cast(pl.UInt32) - 1)
    journal = pl.format("Journal {}", (pl.col("row") * 104_729) % _JOURNALS)
    return (
        pl.DataFrame({"row": row, "drug_id": drug})
        .select(
            "drug_id",
            source=pl.when(pl.col("row") % 20 == 0)
            .then(pl.lit("clinical_trials"))
            .otherwise(pl.lit("pubmed")),
            publication_id=pl.col("row").cast(pl.String),
            drug=pl.col("drug_id").str.to_uppercase(),
            title=pl.format(
                "{} in the treatment of an illness that has a long name in {} of patients "
                "of {} hospitals.",
                "drug_id",
                pl.col("row") % 97,
                pl.col("row") % 11,
            ),
            journal=journal,
            journal_id=journal.str.to_lowercase(),
            date=(pl.col("row") % 18_000).cast(pl.Int32).cast(pl.Date),
            date_precision=pl.lit("day"),
            # Every twentieth is of a trial, which cannot be retracted.
            retracted=pl.when(pl.col("row") % 20 != 0).then(pl.col("row") % 997 == 0),
            spans=pl.concat_list(
                pl.struct(
                    start=pl.lit(0, dtype=pl.Int64),
                    end=pl.col("drug_id").str.len_chars().cast(pl.Int64),
                    text=pl.col("drug_id"),
                    by=pl.lit("name"),
                )
            ),
            ambiguous=pl.lit(value=False),
        )
        .select(contracts.Mentions.column_names())
    )


def written(folder: str) -> Figures:
    """`document.writing.write_lines`, from Parquet tables to a file."""
    source = Path(folder)
    document = source / "graph.json"
    drugs = pl.scan_parquet(source / "drugs.parquet")
    mentions = pl.scan_parquet(source / "mentions.parquet")
    with timed() as watch, document.open("wb") as file:
        for line in write_lines(drugs, mentions, _NO_TIES):
            file.write(line)
            file.write(b"\n")
    return watch.figures() | {"megabytes": document.stat().st_size / 1e6}
