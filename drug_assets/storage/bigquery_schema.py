"""Contracts as BigQuery declares tables: schema fields, partitioning, clustering.

One derivation serves both sides: the load jobs of the pipeline and, as JSON, Terraform. Plain
dictionaries in the shape of BigQuery's REST API; no client, nothing that opens a connection, no
Google import. The JSON that Terraform reads is written by

    python -m drug_assets.storage.bigquery_schema > deploy/terraform/modules/bigquery/tables.json
"""

from __future__ import annotations

import inspect
import json
import sys
from typing import TYPE_CHECKING, TypedDict

import dataframely as dy

from drug_assets.contracts import TABLES

if TYPE_CHECKING:
    from collections.abc import Mapping

    from dataframely.columns import Column

    from drug_assets.contracts import Contract

#: Tables of the pipeline's inside: they stay in the store as Parquet and are not loaded.
UNPUBLISHED = frozenset({"landed_files", "raw_drugs", "raw_pubmed", "raw_clinical_trials"})

#: Date column that tables are partitioned by, where they have one. By month: dates of
#: publications span more than a century, and a job may touch 4,000 partitions at most.
PARTITION_COLUMN = "date"

#: What people filter and join by, most selective question first (at most four, BigQuery's limit).
CLUSTERING: Mapping[str, tuple[str, ...]] = {
    "drugs": ("drug_id",),
    "journals": ("journal_id",),
    "pubmed": ("journal_id", "publication_id"),
    "clinical_trials": ("journal_id", "publication_id"),
    "mentions": ("drug_id", "journal_id"),
    "journal_drugs": ("journal_id", "drug_id"),
}

_TYPES: Mapping[type[Column], str] = {
    dy.String: "STRING",
    dy.Int64: "INT64",
    dy.Date: "DATE",
    dy.Bool: "BOOL",
    dy.Float64: "FLOAT64",
}


class _RequiredKeys(TypedDict):
    name: str
    type: str
    mode: str


class SchemaField(_RequiredKeys, total=False):
    """One column, as BigQuery's `TableFieldSchema` spells it."""

    description: str
    fields: list[SchemaField]


class TableDeclaration(TypedDict):
    """One table: what Terraform creates and a load job states."""

    description: str
    schema: list[SchemaField]
    partition_by_month: str | None
    clustering: list[str]


def schema_fields(contract: Contract) -> list[SchemaField]:
    """The columns of a contract as BigQuery fields, in order.

    Lists become REPEATED, lists of structs REPEATED RECORD; a column is REQUIRED exactly where the
    contract does not allow null. BigQuery holds an empty list and a null list as the same thing, so
    a nullable list is refused.

    Raises:
        TypeError: a column that has no such form, by name.
    """
    return [_field(name, column) for name, column in contract.columns().items()]


def partition_column(contract: Contract) -> str | None:
    """The date column that a table is partitioned by, month by month; none for a table without."""
    column = contract.columns().get(PARTITION_COLUMN)
    return PARTITION_COLUMN if isinstance(column, dy.Date) else None


def table_declaration(name: str) -> TableDeclaration:
    """All that BigQuery is told of a table of `contracts.TABLES`."""
    contract = TABLES[name]
    return {
        "description": (inspect.getdoc(contract) or "").partition("\n")[0],
        "schema": schema_fields(contract),
        "partition_by_month": partition_column(contract),
        "clustering": list(CLUSTERING.get(name, contract.primary_key()[:4])),
    }


def published_tables() -> dict[str, TableDeclaration]:
    """Every table that lies in BigQuery, by name, in the order of the data."""
    return {name: table_declaration(name) for name in TABLES if name not in UNPUBLISHED}


def _field(name: str, column: Column) -> SchemaField:
    if isinstance(column, dy.List):
        if column.nullable:
            raise TypeError(f"{name}: a nullable list cannot be told from an empty one in BigQuery")
        if isinstance(column.inner, dy.List):
            raise TypeError(f"{name}: BigQuery has no list of lists")
        field: SchemaField = {**_field(name, column.inner), "mode": "REPEATED"}
    elif isinstance(column, dy.Struct):
        fields = [_field(inner, declared) for inner, declared in column.inner.items()]
        field = {"name": name, "type": "RECORD", "mode": _mode(column), "fields": fields}
    elif type(column) in _TYPES:
        field = {"name": name, "type": _TYPES[type(column)], "mode": _mode(column)}
    else:
        raise TypeError(f"{name}: {type(column).__name__} has no BigQuery type here; add it")
    if column.description:
        field["description"] = column.description
    return field


def _mode(column: Column) -> str:
    return "NULLABLE" if column.nullable else "REQUIRED"


if __name__ == "__main__":
    json.dump(published_tables(), sys.stdout, indent=2, ensure_ascii=False)
    sys.stdout.write("\n")
