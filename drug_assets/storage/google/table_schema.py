"""Contracts as BigQuery table declarations: schema fields, partitioning, clustering.

The load jobs of the pipeline and, as JSON, Terraform use the same declarations. These are plain
dictionaries in the form of BigQuery's REST API: no client, no connection, no Google import.
`make generated` writes the JSON that Terraform reads.

The table `releases`, which says of what release the other tables are, has no contract: only
BigQuery has it, and it is declared here.
"""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, TypedDict

import dataframely as dy

from drug_assets.sources.tables import TABLES

if TYPE_CHECKING:
    from collections.abc import Mapping

    from dataframely.columns import Column

    from drug_assets.contracts import Contract

#: The table whose open row (`replaced_at` is null) is the release that the other tables are of.
RELEASES = "releases"

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
    """One column, in the form of BigQuery's `TableFieldSchema`."""

    description: str
    fields: list[SchemaField]


class TableDeclaration(TypedDict):
    """One table, as Terraform creates it and a load job declares it."""

    description: str
    schema: list[SchemaField]
    partition_by_year: str | None
    clustering: list[str]


def make_schema_fields(contract: Contract) -> list[SchemaField]:
    """The columns of a contract as BigQuery fields, in order.

    Lists become REPEATED, lists of structs REPEATED RECORD; a column is REQUIRED exactly where the
    contract does not allow null. BigQuery does not distinguish a null list from an empty one, so a
    nullable list is refused.

    Raises:
        TypeError: a column has no such form; the message names it.
    """
    return [_field(name, column) for name, column in contract.columns().items()]


def declare_table(name: str) -> TableDeclaration:
    """The BigQuery declaration of a table of `sources.tables`."""
    table = TABLES[name]
    return {
        "description": (inspect.getdoc(table.contract) or "").partition("\n")[0],
        "schema": make_schema_fields(table.contract),
        # By year, not by month or day: publication dates span more than a century, a release
        # writes every partition of each table that changed, and a transaction may modify 100,000.
        "partition_by_year": table.partitioned_by,
        "clustering": list(table.clustering),
    }


def declare_published_tables() -> dict[str, TableDeclaration]:
    """The declarations of all tables with a contract, by name, in the order of the pipeline."""
    return {name: declare_table(name) for name, table in TABLES.items() if table.published}


def declare_releases() -> TableDeclaration:
    """The declaration of the table `releases`."""
    part = _describe_part_of_releases
    return {
        "description": (
            "Every release of this dataset's tables. The row whose replaced_at is null is the "
            "release that all of them are of now."
        ),
        "schema": [
            part(
                "release_id",
                "STRING",
                "Identity of the release: the name of its folder in the store. It sorts by time. "
                "Empty for what the tables held before the first release.",
            ),
            part(
                "released_at",
                "TIMESTAMP",
                "When the transaction began that made its rows visible, seconds later.",
            ),
            part(
                "replaced_at",
                "TIMESTAMP",
                "When the transaction began that made another release current; null for the "
                "current one.",
                "NULLABLE",
            ),
            {
                **part(
                    "tables",
                    "RECORD",
                    "The tables that the release is made of. A table whose checksum is that of "
                    "the release before kept its rows.",
                    "REPEATED",
                ),
                "fields": [
                    part("name", "STRING", "Name of the table."),
                    part("sha256", "STRING", "SHA-256 of the table's Parquet file in the store."),
                    part("row_count", "INT64", "Its number of rows."),
                ],
            },
        ],
        "partition_by_year": None,
        "clustering": ["release_id"],
    }


def declare_dataset() -> dict[str, TableDeclaration]:
    """The declarations of all tables in BigQuery, by name."""
    return {**declare_published_tables(), RELEASES: declare_releases()}


def _describe_part_of_releases(
    name: str, kind: str, description: str, mode: str = "REQUIRED"
) -> SchemaField:
    return {"name": name, "type": kind, "mode": mode, "description": description}


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
