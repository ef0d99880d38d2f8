"""Contracts as BigQuery table declarations: schema fields, partitioning, clustering.

The load jobs of the pipeline and, as JSON, Terraform use the same declarations. These are plain
dictionaries in the form of BigQuery's REST API: no client, no connection, no Google import.
`make generated` writes the JSON that Terraform reads.
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
    partition_by_month: str | None
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
        # By month, not by day: publication dates span more than a century, and a job may touch
        # 4,000 partitions at most.
        "partition_by_month": table.partitioned_by,
        "clustering": list(table.clustering),
    }


def declare_published_tables() -> dict[str, TableDeclaration]:
    """The declarations of all tables in BigQuery, by name, in the order of the pipeline."""
    return {name: declare_table(name) for name, table in TABLES.items() if table.published}


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
