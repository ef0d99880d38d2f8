"""The explorer's page of many mentions: made tables, what making the page costs, and opening it.

`python -m benchmarks.explorer FOLDER --drugs 1000 --mentions 100000` makes a page to look at, and
opens it in a browser; `explorer_opened` says what is measured there.
"""

from __future__ import annotations

import argparse
import os
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl

from benchmarks import measuring, synthetic
from benchmarks.measuring import Figures, timed
from drug_assets import contracts, graph, sources
from drug_assets.documents import EXPLORER
from drug_assets.explorer.page import write_page
from drug_assets.sources.tables import TABLES

if TYPE_CHECKING:
    from collections.abc import Iterable

#: Drugs and mentions of the pages that are measured; the last in the full plan alone.
SIZES = ((7, 21), (1_000, 100_000), (20_000, 1_000_000), (20_000, 10_000_000))
#: Rows made at once.
_BATCH = 250_000
_JOURNALS = 5_000
_DAYS = 18_000
#: Streams of random numbers; `synthetic` uses those below.
_DRUG, _JOURNAL, _DATE, _PRECISION, _PLACE, _TIE = range(50, 56)


def made_tables(folder: str, drugs: int, mentions: int) -> Figures:
    """Write the tables that the page is made from, by their contracts, with this many mentions."""
    target = Path(folder)
    target.mkdir(parents=True, exist_ok=True)
    names = synthetic.drug_names(drugs)
    listed = _drugs(names)
    empty = {name: TABLES[name].contract.create_empty() for name in EXPLORER.tables}
    parts = target / "parts"
    parts.mkdir(exist_ok=True)
    for stale in parts.iterdir():
        stale.unlink()
    for start in range(0, mentions, _BATCH):
        rows = range(start, min(start + _BATCH, mentions))
        _mentions(names, rows).write_parquet(parts / f"{start:010}.parquet")
    found = pl.scan_parquet(parts / "*.parquet").sort("drug_id", "source", "publication_id")
    found.sink_parquet(target / "mentions.parquet", maintain_order=True)
    found = pl.scan_parquet(target / "mentions.parquet")
    records = TABLES["drugs_records"].contract.create_empty(lazy=True)
    tables = {
        **empty,
        "drugs": listed,
        "trial_publications": _trial_publications(found).collect(),
        "atc_classes": graph.count_atc_classes(listed.lazy(), found, records).collect(),
    }
    del tables["mentions"]
    for name, rows_of_table in tables.items():
        rows_of_table.write_parquet(target / f"{name}.parquet")
    return {"drugs": drugs, "mentions": mentions}


def written(folder: str) -> Figures:
    """`explorer.page.write_page`, from Parquet tables to files."""
    source = Path(folder)
    tables: dict[str, Any] = {
        name: pl.scan_parquet(source / f"{name}.parquet") for name in EXPLORER.tables
    }
    with timed() as watch:
        beside = write_explorer(source, tables)
    sizes = [path.stat().st_size for path in (source / EXPLORER.file, *beside)]
    return watch.figures() | {
        "megabytes": sum(sizes) / 1e6,
        "page_megabytes": sizes[0] / 1e6,
        "files_beside": len(beside),
    }


def measured_opening(folder: str, rounds: int) -> Figures:
    """The medians of opening the page of a folder this often, each time in a new browser."""
    task = {"function": "explorer_opened.opened", "folder": folder}
    return measuring.interleaved({"opening": task}, rounds)["opening"]


def write_explorer(target: Path, tables: dict[str, Any]) -> list[Path]:
    """Write the page of some tables to a folder; return the files beside it."""
    beside: list[Path] = []

    def write(name: str, lines: Iterable[str]) -> Path:
        path = target / name
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("w", encoding="utf-8", newline="\n") as file:
            file.writelines(f"{line}\n" for line in lines)
        return path

    def put(name: str, lines: Iterable[str]) -> None:
        beside.append(write(name, lines))

    for stale in target.glob(f"{EXPLORER.folder}/*"):
        stale.unlink()
    write(EXPLORER.file, write_page(beside=put, **tables))
    return beside


def _drugs(names: tuple[str, ...]) -> pl.DataFrame:
    """The drug list: the n-th drug has some ATC code, and a second spelling."""
    number = pl.int_range(pl.len())
    letters = "ABCDGHJLMNPRSV"
    place = number % (len(letters) * 8 * 20 * 20)
    code = pl.format(
        "{}{}{}{}{}",
        pl.lit(pl.Series([list(letters)])).list.get(place % len(letters)),
        (place // len(letters) % 8 + 1).cast(pl.String).str.zfill(2),
        pl.lit(pl.Series([list(letters)])).list.get(place // 7 % len(letters)),
        pl.lit(pl.Series([list(letters)])).list.get(place // 97 % len(letters)),
        (number % 20 + 1).cast(pl.String).str.zfill(2),
    )
    no_texts = pl.lit([], dtype=pl.List(pl.String))
    name = pl.col("drug_id")
    return (
        pl.DataFrame({"drug_id": sorted(set(names))})
        .with_columns(code=code)
        .select(
            "drug_id",
            drug=name,
            names=pl.concat_list(name, name.str.to_titlecase() + " acetate").list.sort(),
            codes=pl.concat_list("code"),
            atc_codes=pl.concat_list("code"),
            forms=no_texts,
            xrefs=no_texts,
            issues=no_texts,
            id_text=pl.lit(None, dtype=pl.String),
        )
        .select(contracts.Drugs.column_names())
    )


def _mentions(names: tuple[str, ...], rows: range) -> pl.DataFrame:
    """Mentions by number: the n-th drug is about 1 / n times as frequent as the first.

    Three of four mentions have a publication of their own, the others that of the row before.
    """
    row = pl.int_range(rows.start, rows.stop, dtype=pl.UInt64, eager=True)
    of_publication = row - (row % 4 == 3).cast(pl.UInt64)
    uniform, zipf = synthetic.uniform, synthetic.zipf
    # A second drug of a publication is another one than the first.
    drawn = zipf(of_publication, _DRUG, len(names)) + (row % 4 == 3).cast(pl.UInt32)
    is_trial = pl.col("publication") % 20 == 0
    precision = pl.Series(["day"] * 6 + ["month"] * 2 + ["season", "year"])
    at = 4 + pl.col("title").str.slice(4).str.find(" ", literal=True).fill_null(0)
    head = pl.col("title").str.head(at)
    start = head.str.len_chars().cast(pl.Int64) + 1
    journal = (uniform(of_publication, _JOURNAL) ** 2 * _JOURNALS).cast(pl.Int64)
    return (
        pl.DataFrame(
            {
                "publication": of_publication.cast(pl.Int64),
                "drug_id": pl.Series(names).gather(drawn % len(names)),
                "title": synthetic.titles(names, rows)["title"],
                "number": journal,
                "date": (uniform(of_publication, _DATE) * _DAYS).cast(pl.Int32).cast(pl.Date),
                "date_precision": precision.gather(
                    (uniform(of_publication, _PRECISION) * precision.len()).cast(pl.UInt32)
                ),
                "undated": uniform(of_publication, _PLACE) < 0.02,
            }
        )
        .with_columns(
            source=pl.when(is_trial).then(pl.lit("clinical_trials")).otherwise(pl.lit("pubmed")),
            publication_id=pl.when(is_trial)
            .then(pl.format("NCT{}", pl.col("publication").cast(pl.String).str.zfill(8)))
            .otherwise((pl.col("publication") + 1).cast(pl.String)),
            journal=pl.when(pl.col("number") % 50 != 0).then(
                pl.format("Journal of Invented Matters {}", "number")
            ),
            title=pl.format("{} {}{}", head, "drug_id", pl.col("title").str.slice(at)),
            spans=pl.concat_list(
                pl.struct(
                    start=start,
                    end=start + pl.col("drug_id").str.len_chars().cast(pl.Int64),
                    text="drug_id",
                    by=pl.lit("name"),
                )
            ),
            **{
                column: pl.when(~pl.col("undated")).then(column)
                for column in ("date", "date_precision")
            },
        )
        .with_columns(
            drug="drug_id",
            journal_id=pl.col("journal").str.to_lowercase(),
            retracted=pl.when(~is_trial).then(pl.col("publication") % 997 == 0),
            ambiguous=pl.col("publication") % 211 == 0,
        )
        .select(contracts.Mentions.column_names())
        .unique(["drug_id", "source", "publication_id"], keep="first", maintain_order=True)
    )


def _trial_publications(mentions: pl.LazyFrame) -> pl.LazyFrame:
    """Of every third trial the article of the row after it reports results."""
    (trials,) = (source.name for source in sources.TRIALS)
    articles = mentions.filter(pl.col("source") != trials).unique("publication_id")
    of_trials = mentions.filter(pl.col("source") == trials).unique("publication_id")
    number = pl.col("publication_id").str.strip_prefix("NCT").cast(pl.Int64)
    return (
        of_trials.filter(number % 3 == 0)
        .select(trial_id="publication_id", publication_id=(number + 2).cast(pl.String))
        .join(articles, on="publication_id")
        .with_columns(
            trial_source=pl.lit(trials),
            kind=pl.lit("result"),
            given_by=pl.lit("trial"),
            trial_in_store=pl.lit(value=True),
            publication_in_store=pl.lit(value=True),
        )
        .select(contracts.TrialPublications.column_names())
        .sort("trial_id", "publication_id")
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", help="where the tables and the page are written")
    parser.add_argument("--drugs", type=int, default=SIZES[1][0])
    parser.add_argument("--mentions", type=int, default=SIZES[1][1])
    parser.add_argument("--rounds", type=int, default=3, help="how often the page is opened")
    given = parser.parse_args()
    for step in (
        partial(made_tables, given.folder, given.drugs, given.mentions),
        partial(written, given.folder),
        partial(measured_opening, given.folder, given.rounds),
    ):
        print(step(), f"load {os.getloadavg()[0]:.1f}")


if __name__ == "__main__":
    main()
