"""bqemulator, started with a repair; runs in its own environment, not in the tests'.

Version 1.4.0 gives DuckDB the fields of a RECORD without quotes, so that no table can have one
whose name is a keyword of DuckDB, as `end` in the spans of mentions. BigQuery can.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bqemulator.storage import type_map  # type: ignore[import-not-found]

if TYPE_CHECKING:
    from collections.abc import Callable

columns_of: Callable[[list[dict[str, Any]]], list[tuple[str, str]]] = (
    type_map.bq_schema_to_duckdb_columns
)


def columns_with_quoted_fields(fields: list[dict[str, Any]]) -> list[tuple[str, str]]:
    """DuckDB names and types; it is called again for the fields of each RECORD."""
    return columns_of([{**field, "fields": quoted(field.get("fields") or [])} for field in fields])


def quoted(fields: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The same fields, their names in quotes."""
    return [{**field, "name": '"' + field["name"] + '"'} for field in fields]


if __name__ == "__main__":
    # Before the modules that import the function by name.
    type_map.bq_schema_to_duckdb_columns = columns_with_quoted_fields
    from bqemulator.cli import main  # type: ignore[import-not-found]

    main()
