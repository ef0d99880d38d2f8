"""What a publication is made of: the table `releases` and the transaction.

A publication makes the tables of a release current. Its statements are written here and its
questions answered without a call; `dataset` asks the service and runs them.

**Why `releases` is updated, not only appended to.** BigQuery isolates transactions by snapshots and
cancels one only if another *mutates* (updates or deletes) rows of the same table; two that only
append both commit. So each publication closes the open row before it adds its own: of two at once,
the service cancels one, even if they change different tables. There is always a row to close,
since a row without id stands for what the tables held before the first release.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from pathlib import Path

_NOTED = "ARRAY<STRUCT<name STRING, sha256 STRING, row_count INT64>>"
_CONFLICT = "drug-assets: another release became current"
#: What BigQuery says of a transaction, or of a single statement, that lost to another one.
_CONFLICTS = (_CONFLICT, "due to concurrent update")


class PublishedTable(NamedTuple):
    """A table of a release, to be published."""

    #: Returns a local file with its rows; called only if the table changed.
    open: Callable[[], Path]
    #: SHA-256 of the released Parquet file, in hexadecimal digits.
    sha256: str
    rows: int


class NotedTable(NamedTuple):
    """What `releases` notes of a table."""

    sha256: str
    rows: int


class OpenRelease(NamedTuple):
    """The release that the tables are of now."""

    #: None before the first release.
    release: str | None
    tables: Mapping[str, NotedTable]
    #: Whether `releases` has a row that a publication can close.
    has_row: bool


def find_open_release(rows: Iterable[Mapping[str, object]]) -> OpenRelease:
    """Find the open release among the rows of `releases`."""
    opened = [row for row in rows if row["replaced_at"] is None]
    # Two first publications at once may leave two rows without id; they are closed together.
    last = max(opened, key=lambda row: str(row["release_id"]), default=None)
    if last is None or not last["release_id"]:
        return OpenRelease(None, {}, has_row=last is not None)
    listed: Sequence[Mapping[str, object]] = last["tables"]  # type: ignore[assignment]
    noted = {
        str(table["name"]): NotedTable(str(table["sha256"]), int(str(table["row_count"])))
        for table in listed
    }
    return OpenRelease(str(last["release_id"]), noted, has_row=True)


def write_first_row(releases: str) -> str:
    """The statement that adds the row without id, for a publication to close."""
    return (
        f"INSERT INTO `{releases}` (release_id, released_at) "  # noqa: S608 - our own names
        "SELECT '', CURRENT_TIMESTAMP() FROM (SELECT 1) "
        f"WHERE NOT EXISTS (SELECT 1 FROM `{releases}` WHERE replaced_at IS NULL);"
    )


def write_publication(
    releases: str,
    release: str,
    before: str | None,
    changes: Mapping[str, tuple[str, Sequence[str]]],
    tables: Mapping[str, NotedTable],
) -> str:
    """The statements that make a release current, as one transaction.

    If one of them fails, the service rolls back all of them.

    Args:
        releases: full name of the table of releases.
        release: id of the release.
        before: id of the release that is current until then, if any.
        changes: by the full name of each table that changes: the table that holds its new rows,
            and its columns.
        tables: all tables of the release, by name, as `releases` notes them.
    """
    noted = ", ".join(
        f"({_literal(name)}, {_literal(table.sha256)}, {table.rows})"
        for name, table in tables.items()
    )
    open_release = f"(SELECT MAX(release_id) FROM `{releases}` WHERE replaced_at IS NULL)"  # noqa: S608
    lost = f"IFNULL({open_release}, '') != {_literal(before or '')}"
    add = f"INSERT INTO `{releases}` (release_id, released_at, tables)"
    statements = [
        "BEGIN TRANSACTION",
        f"IF {lost} THEN SELECT ERROR({_literal(_CONFLICT)}); END IF",
        f"UPDATE `{releases}` SET replaced_at = CURRENT_TIMESTAMP() WHERE replaced_at IS NULL",  # noqa: S608
        f"{add} VALUES ({_literal(release)}, CURRENT_TIMESTAMP(), {_NOTED}[{noted}])",
    ]
    for table, (source, columns) in changes.items():
        statements += [f"TRUNCATE TABLE `{table}`", write_rows(table, source, columns)]
    return ";\n".join([*statements, "COMMIT TRANSACTION", ""])


def write_rows(table: str, source: str, columns: Sequence[str]) -> str:
    """The statement that adds the rows of another table, without a semicolon.

    Args:
        table: full name of the table.
        source: full name of the other one.
        columns: the columns to fill.
    """
    named = ", ".join(f"`{column}`" for column in columns)
    return f"INSERT INTO `{table}` ({named}) SELECT {named} FROM `{source}`"  # noqa: S608


def is_conflict(error: Exception) -> bool:
    """Whether a publication failed because another one came first."""
    return any(said in str(error) for said in _CONFLICTS)


def _literal(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace("'", "\\'").replace("\n", "\\n")
    return f"'{escaped}'"
