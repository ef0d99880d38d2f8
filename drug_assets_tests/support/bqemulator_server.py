"""bqemulator, started with three repairs; runs in its own environment, not in the tests'.

Version 1.4.0 gives DuckDB the fields of a RECORD without quotes, so that no table can have one
whose name is a keyword of DuckDB, as `end` in the spans of mentions. BigQuery can.

It rolls back the tables that a transaction inserted into, updated or deleted from, not those that
it truncated. BigQuery does.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from bqemulator.catalog import generate_etag  # type: ignore[import-not-found]
from bqemulator.scripting import interpreter  # type: ignore[import-not-found]
from bqemulator.storage import type_map  # type: ignore[import-not-found]

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

columns_of: Callable[[list[dict[str, Any]]], list[tuple[str, str]]] = (
    type_map.bq_schema_to_duckdb_columns
)


def columns_with_quoted_fields(fields: list[dict[str, Any]]) -> list[tuple[str, str]]:
    """DuckDB names and types; it is called again for the fields of each RECORD."""
    return columns_of([{**field, "fields": quoted(field.get("fields") or [])} for field in fields])


def quoted(fields: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The same fields, their names in quotes."""
    return [{**field, "name": '"' + field["name"] + '"'} for field in fields]


targets_of: Callable[[str, str], list[str]] = interpreter._dml_targets
run_script: Callable[[Any, str], Awaitable[Any]] = interpreter.ScriptInterpreter.run

_NAME = r"`([^`]+)\.([^`.]+)\.([^`.]+)`"
_TRUNCATE = re.compile(rf"\s*TRUNCATE\s+TABLE\s+{_NAME}\s*;?\s*", re.IGNORECASE)
_CHANGE = re.compile(
    rf"\b(?:TRUNCATE\s+TABLE|INSERT\s+INTO|DELETE\s+FROM|UPDATE)\s+{_NAME}", re.IGNORECASE
)


def changed_or_truncated_by(statement: str, project: str) -> list[str]:
    """The tables, as DuckDB names them, to restore if the transaction is rolled back."""
    if truncated := _TRUNCATE.fullmatch(statement):
        owner, dataset, table = truncated.groups()
        return [f'"{owner}__{dataset}"."{table}"']
    return targets_of(statement, project)


async def run_and_count(self: Any, source: str) -> Any:
    """Run a script; then say of each table that it changed how many rows it has."""
    result = await run_script(self, source)
    for owner, dataset, table in set(_CHANGE.findall(source)):
        known = self._ctx.catalog.get_table(owner, dataset, table)
        if known is not None:
            query = f'SELECT COUNT(*) FROM "{owner}__{dataset}"."{table}"'  # noqa: S608
            rows = self._ctx.engine.execute(query).fetchone()[0]
            now = self._ctx.clock.now()
            counted = {
                "num_rows": rows,
                "last_modified_time": now,
                "etag": generate_etag(owner, dataset, table, str(now)),
            }
            self._ctx.catalog.update_table(known.model_copy(update=counted))
    return result


if __name__ == "__main__":
    # Before the modules that import the function by name.
    type_map.bq_schema_to_duckdb_columns = columns_with_quoted_fields
    interpreter._dml_targets = changed_or_truncated_by
    interpreter.ScriptInterpreter.run = run_and_count
    from bqemulator.cli import main  # type: ignore[import-not-found]

    main()
