"""How tables are laid out: columns, partitions, clustering as declared, without losing rows.

Missing tables are created. BigQuery cannot give a table other partitions, so such a table is
replaced: by a new one with the same rows, under a lock, since two runs that replace a table at once
could bring back old rows. Rows of a new release belong to `dataset`.
"""

from __future__ import annotations

import secrets
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from google.api_core import exceptions as api
from google.cloud import bigquery

from drug_assets.storage.google.jobs import CALL_SECONDS, RETRY, Jobs
from drug_assets.storage.google.publication import write_rows
from drug_assets.storage.google.table_schema import declare_table
from drug_assets.storage.google.tables import (
    LABELS,
    Tables,
    correct,
    partitioning,
    schema_fields,
)
from drug_assets.storage.objects import ConflictError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from drug_assets.storage.google.table_schema import TableDeclaration

#: Prefix of the tables aside, which hold rows until they are published.
ASIDE = "_loading_"
#: After which the service removes a table aside that a killed run left behind.
ASIDE_KEPT = timedelta(days=1)
#: The table whose existence says that a run is replacing tables.
LOCK = "_changing_layout"

_LOCK_KEPT = timedelta(hours=1)
#: A table is deleted only this long before the lock expires, or earlier.
_LOCK_SPARE = timedelta(minutes=30)
#: Names of the REST API, and of the older SQL dialect, for the types that are declared here.
_TYPES = {"INTEGER": "INT64", "FLOAT": "FLOAT64", "BOOLEAN": "BOOL", "STRUCT": "RECORD"}


def lay_out(tables: Tables, jobs: Jobs, found: Mapping[str, bigquery.Table | None]) -> None:
    """Create missing tables, give the others the declared layout and descriptions.

    Rows are those of the release before, so readers of it see what they saw.

    Args:
        tables: the tables of the dataset.
        jobs: runs the copies.
        found: the tables as they were found.

    Raises:
        ConflictError: another run is changing the layout of tables.
    """
    missing = [table for table, existing in found.items() if existing is None]
    for table in missing:
        with tables.explain_errors(table, writing=True):
            tables.create_if_missing(table, declare_table(table))
    others = [
        table
        for table, existing in found.items()
        if existing is not None and not is_laid_out(existing, declare_table(table))
    ]
    if others:
        with _hold_lock(tables) as until:
            for table in others:
                with tables.explain_errors(table, writing=True):
                    _swap(tables, jobs, table, until)
    elif missing and tables.find(LOCK) is not None:
        # What was missing may be a table in the middle of a swap, whose rows are yet to come.
        raise _conflict(tables)
    for table, existing in found.items():
        declared = declare_table(table)
        if existing is not None and table not in others and correct(existing, declared, {}):
            with tables.explain_errors(table, writing=True):
                tables.describe(table, declared)


def _swap(tables: Tables, jobs: Jobs, table: str, until: datetime) -> None:
    """Replace a table by one of the declared layout, with the same rows if they fit.

    BigQuery does not change the partitions of a table that exists. Between the deletion and
    the end of the copy, queries fail: none sees an empty table.

    Args:
        tables: the tables of the dataset.
        jobs: runs the copies.
        table: name of the table.
        until: when the lock expires.

    Raises:
        ConflictError: it took so long that the lock could expire.
    """
    found, declared = tables.get(table), declare_table(table)
    if is_laid_out(found, declared):  # another run did it before this one got the lock
        return
    made = tables.declared(f"{ASIDE}{table}_{secrets.token_hex(6)}", declared)
    made.expires = (datetime.now(tz=UTC) + ASIDE_KEPT).replace(microsecond=0)
    try:
        tables.create(made)
        kept, new = find_kept_columns(found, declared), tables.name(made.table_id)
        if kept:
            jobs.query(f"TRUNCATE TABLE `{new}`;\n{write_rows(new, tables.name(table), kept)};")
        if datetime.now(tz=UTC) > until - _LOCK_SPARE:
            raise _conflict(tables)
        tables.client.delete_table(found, not_found_ok=True, timeout=CALL_SECONDS, retry=RETRY)
        jobs.copy(new, tables.name(table))
    finally:
        tables.discard(made.table_id)
    copied = tables.get(table)
    if copied.expires == made.expires and copied.expires is not None:
        copied.expires = None  # that of the table aside
        tables.client.update_table(copied, ["expires"], timeout=CALL_SECONDS, retry=RETRY)
    tables.describe(table, declared, found.labels)


@contextmanager
def _hold_lock(tables: Tables) -> Iterator[datetime]:
    """Hold the lock for changes of layout; the service removes it if its owner is killed.

    Yields when it expires.

    Raises:
        ConflictError: another run holds it.
    """
    owner = secrets.token_hex(6)
    lock = bigquery.Table(tables.name(LOCK), schema=[bigquery.SchemaField("owner", "STRING")])
    lock.description = "A run is changing the layout of tables. It vanishes by itself."
    lock.labels = {**LABELS, "owner": owner}
    until = datetime.now(tz=UTC) + _LOCK_KEPT
    lock.expires = until
    with tables.explain_errors(LOCK, writing=True):
        try:
            tables.client.create_table(lock, timeout=CALL_SECONDS, retry=RETRY)
        except api.Conflict as error:
            # Our own, if the answer to its creation was lost.
            held = tables.find(LOCK)
            if held is None or (held.labels or {}).get("owner") != owner:
                raise _conflict(tables) from error
    try:
        yield until
    finally:
        tables.discard(LOCK)


def _conflict(tables: Tables) -> ConflictError:
    return ConflictError(
        f"another run is changing the layout of the tables of {tables.dataset}: "
        "run again. If none is running, it was killed: remove its table "
        f"{LOCK}, which otherwise vanishes within an hour"
    )


def is_laid_out(found: bigquery.Table, declared: TableDeclaration) -> bool:
    """Whether a table has the columns, partitions and clustering of its declaration."""
    return (
        [_shape(field) for field in found.schema]
        == [_shape(field) for field in schema_fields(declared)]
        and _partitions(found.time_partitioning) == _partitions(partitioning(declared))
        and list(found.clustering_fields or []) == declared["clustering"]
    )


def find_kept_columns(found: bigquery.Table, declared: TableDeclaration) -> list[str]:
    """The columns with which a table's rows fit another layout; none if they do not fit."""
    before = {field.name: _shape(field) for field in found.schema}
    fields = schema_fields(declared)
    fits = all(
        before[field.name] == _shape(field) if field.name in before else field.mode != "REQUIRED"
        for field in fields
    )
    return [field.name for field in fields if field.name in before] if fits else []


def _partitions(found: bigquery.TimePartitioning | None) -> tuple[str, str] | None:
    return (found.type_, found.field) if found else None


def _shape(field: bigquery.SchemaField) -> tuple[object, ...]:
    """What tells whether the values of two columns are the same: no description."""
    kind = _TYPES.get(field.field_type, field.field_type)
    return field.name, kind, field.mode, tuple(_shape(inner) for inner in field.fields)
