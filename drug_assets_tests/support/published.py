"""Rows for published tables, and their publication to a dataset without a store."""

from __future__ import annotations

import hashlib
import secrets
from datetime import date
from typing import TYPE_CHECKING, Any

import polars as pl

from drug_assets import contracts
from drug_assets.sources.tables import TABLES
from drug_assets.storage.google.publication import PublishedTable
from drug_assets.storage.kept.by_file import count_rows

if TYPE_CHECKING:
    from pathlib import Path

    from drug_assets.storage.google.dataset import Dataset

PUBLISHED = sorted(name for name, table in TABLES.items() if table.published)


def rows_of(table: str, rows: int) -> pl.DataFrame:
    """As many rows as asked for, as the types of a table's contract want them."""
    columns = contracts.polars_schema(TABLES[table].contract)
    values = {pl.String: "text {}", pl.Int64: 1, pl.Boolean: False, pl.Date: date(1990, 1, 1)}
    made: dict[str, list[Any]] = {}
    for name, kind in columns.items():
        value = values.get(type(kind), [])
        made[name] = [value.format(i) if isinstance(value, str) else value for i in range(rows)]
    return pl.DataFrame(made, schema=columns)


def top_journal(journals: int) -> pl.DataFrame:
    """As many rows as asked for, as their contract wants them."""
    drugs = ["aspirin", "éthanol"]
    return rows_of("top_journal", journals).with_columns(
        pl.Series("journal_id", [f"{i:04}" for i in range(journals)], pl.String),
        drug_count=pl.lit(len(drugs), pl.Int64),
        drugs=pl.concat_list(map(pl.lit, drugs)),
        mentions=pl.lit(len(drugs), pl.Int64),
    )


def parquet(folder: Path, frame: pl.DataFrame) -> Path:
    """A Parquet file of its own with these rows."""
    path = folder / f"{secrets.token_hex(6)}.parquet"
    frame.write_parquet(path)
    return path


def published(path: Path) -> PublishedTable:
    """A table of a release whose rows lie in a file."""
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    return PublishedTable(lambda: path, digest, count_rows(path))


def publish_table(dataset: Dataset, table: str, path: Path) -> list[str]:
    """Publish a release of one table over what a dataset holds; return what was replaced."""
    release = secrets.token_hex(6)
    return dataset.publish(release, dataset.current_release(), {table: published(path)})


def read_table(dataset: Dataset, table: str) -> pl.DataFrame:
    """The rows of a table in a dataset, sorted by key, in the types of its contract."""
    contract = TABLES[table].contract
    schema = contracts.polars_schema(contract)
    rows = dataset._tables.client.list_rows(dataset.name(table)).to_arrow(
        create_bqstorage_client=False
    )
    return pl.DataFrame(rows).cast(schema).select(schema.names()).sort(contract.primary_key())


def drop_table(dataset: Dataset, table: str) -> None:
    """Remove a table, as somebody with access to the dataset can."""
    dataset._tables.client.delete_table(dataset.name(table))
