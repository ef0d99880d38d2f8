"""Cleaned and published tables in a BigQuery dataset.

`Dataset.publish` makes the tables of a release current, all in one transaction (`publication`). The
new rows of each table that changed are loaded into a table aside first, so that the transaction
only moves rows within BigQuery. The table `releases` says what release the tables are of.

Schema, partitions and clustering come from `table_schema`, jobs are run by `jobs`. Views and
routines belong to `warehouse_sql`.
"""

from __future__ import annotations

import secrets
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import polars as pl
from google.api_core import exceptions as api
from google.cloud import bigquery

from drug_assets import contracts
from drug_assets.sources.tables import TABLES
from drug_assets.storage.google.client import bigquery_client
from drug_assets.storage.google.jobs import CALL_SECONDS, RETRY, Jobs
from drug_assets.storage.google.layout import ASIDE, ASIDE_KEPT, is_laid_out, lay_out
from drug_assets.storage.google.publication import (
    NotedTable,
    OpenRelease,
    PublishedTable,
    find_open_release,
    is_conflict,
    write_first_row,
    write_publication,
)
from drug_assets.storage.google.table_schema import (
    RELEASES,
    TableDeclaration,
    declare_releases,
    declare_table,
)
from drug_assets.storage.google.tables import Tables, partitioning, schema_fields
from drug_assets.storage.objects import ConflictError, StorageError
from drug_assets.storage.parquet import write_parquet
from drug_assets.storage.temporary import make_process_folder

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

_SUFFIX = ".parquet"


class Dataset:
    """The cleaned and published tables in one dataset."""

    def __init__(
        self, client: bigquery.Client, project: str, name: str, location: str | None = None
    ) -> None:
        """Use a dataset; if it is missing, loading a table creates it in the location."""
        self._tables = Tables(client, project, name, location)

    @classmethod
    def at(cls, project: str, name: str, location: str | None = None) -> Dataset:
        """The dataset of that name, with the login of the machine.

        Args:
            project: project of the dataset.
            name: name of the dataset.
            location: its location, or where to create it; Google's default if not given.

        Raises:
            StorageError: there is no Google login.
        """
        return cls(bigquery_client(project), project, name, location)

    def __reduce__(self) -> tuple[Callable[..., Dataset], tuple[str, str, str | None]]:
        """Pickle only the names: another process opens the dataset with its own client."""
        reference = self._tables.reference
        return Dataset.at, (reference.project, reference.dataset_id, self._tables.location)

    def name(self, table: str) -> str:
        """The full name of a table: `project.dataset.table`."""
        return self._tables.name(table)

    def publish(
        self, release: str, base: str | None, tables: Mapping[str, PublishedTable]
    ) -> list[str]:
        """Make the tables of a release current, all in one transaction.

        Until it commits, readers see the release before; a failure leaves that one current. Tables
        that did not change are left alone. Publishing the current release again does nothing.

        Args:
            release: id of the release.
            base: id of the release that this one began from; None for the first one.
            tables: the tables of the release, by name.

        Returns:
            The names of the tables whose rows were replaced.

        Raises:
            ConflictError: another run published in between: the current release is neither this
                one nor its base. A dataset without a release has no such run.
            StorageError: nothing was published; the message gives the reason.
        """
        with self._tables.explain_errors(RELEASES, writing=True):
            jobs = self._tables.jobs()
            self._tables.create_if_missing(RELEASES, declare_releases())
            before = self._open_release()
            if not before.has_row:
                jobs.query(write_first_row(self.name(RELEASES)))
        if before.release == release:
            return []
        if before.release not in (None, base):
            raise self._conflict(base)
        found = {table: self._tables.find(table) for table in tables}
        changed = [
            table
            for table, published in tables.items()
            if not _is_published(
                found[table], before.tables.get(table), published, declare_table(table)
            )
        ]
        aside = {table: f"{ASIDE}{table}_{secrets.token_hex(6)}" for table in changed}
        try:
            for table in changed:
                self._load_aside(jobs, table, tables[table].open(), aside[table])
            lay_out(self._tables, jobs, found)
            self._commit(
                jobs,
                release,
                base,
                write_publication(
                    self.name(RELEASES),
                    release,
                    before.release,
                    {
                        self.name(table): (self.name(aside[table]), _columns(table))
                        for table in changed
                    },
                    {
                        table: NotedTable(published.sha256, published.rows)
                        for table, published in tables.items()
                    },
                ),
            )
        finally:
            for left in aside.values():
                self._tables.discard(left)
        return changed

    def current_release(self) -> str | None:
        """The id of the release that the tables are of; None if nothing was published here.

        Raises:
            StorageError: the dataset may not be read.
        """
        try:
            with self._tables.explain_errors(RELEASES, writing=False):
                return self._open_release().release
        except FileNotFoundError:
            return None

    def altered_tables(self) -> list[str]:
        """The tables of the current release that are missing, or of another size than published.

        Raises:
            StorageError: the dataset may not be read.
        """
        try:
            with self._tables.explain_errors(RELEASES, writing=False):
                noted = self._open_release().tables
        except FileNotFoundError:
            return []
        return [t for t in noted if not _is_as_noted(self._tables.find(t), noted[t])]

    def _open_release(self) -> OpenRelease:
        rows = self._tables.client.list_rows(
            self._tables.get(RELEASES), timeout=CALL_SECONDS, retry=RETRY
        )
        return find_open_release(dict(row.items()) for row in rows)

    @contextmanager
    def _file_to_load(self, table: str, parquet: Path) -> Iterator[Path]:
        """A temporary copy of a table's file that says which columns are never null.

        BigQuery refuses a file with a nullable column where the table has a REQUIRED one.

        Raises:
            StorageError: the file has other columns than the contract.
        """
        contract = TABLES[table].contract
        found = pl.read_parquet_schema(parquet)
        if dict(found) != dict(contracts.polars_schema(contract)):
            raise StorageError(
                f"{self.name(table)} was not loaded: the file for it was written under another "
                f"version of its contract, with columns {', '.join(found)}. Run again, so that "
                "this version writes it"
            )
        to_load = make_process_folder() / f"{secrets.token_hex(8)}{_SUFFIX}"
        try:
            write_parquet(pl.scan_parquet(parquet, glob=False), to_load, arrow_schema=contract)
            yield to_load
        finally:
            to_load.unlink(missing_ok=True)

    def _load_aside(self, jobs: Jobs, table: str, parquet: Path, aside: str) -> None:
        """Load the new rows of a table into a table aside.

        Args:
            jobs: runs the load.
            table: name of the table.
            parquet: its new rows.
            aside: name of the table aside.
        """
        # Without partitions: it is read whole, once.
        declared: TableDeclaration = {
            **declare_table(table),
            "description": f"Rows of {table}, about to be published.",
            "partition_by_year": None,
            "clustering": [],
        }
        with (
            self._tables.explain_errors(table, writing=True),
            self._file_to_load(table, parquet) as file,
        ):
            made = self._tables.declared(aside, declared)
            made.expires = datetime.now(tz=UTC) + ASIDE_KEPT
            self._tables.create(made)
            jobs.load(file, self.name(aside), _load_config(table, declared))

    def _commit(self, jobs: Jobs, release: str, base: str | None, statements: str) -> None:
        """Run the transaction of a publication.

        Args:
            jobs: runs it.
            release: id of the release that it makes current.
            base: id of the release that this one began from.
            statements: the transaction.

        Raises:
            ConflictError: another run published first.
        """
        try:
            with self._tables.explain_errors(RELEASES, writing=True):
                try:
                    jobs.query(statements)
                except api.GoogleAPICallError as error:
                    if is_conflict(error):
                        raise self._conflict(base) from error
                    raise
        except StorageError:
            # Whatever the answers were, `releases` says whether the transaction committed.
            current = None
            with suppress(StorageError):
                current = self.current_release()
            if current != release:
                raise

    def _conflict(self, base: str | None) -> ConflictError:
        current = None
        with suppress(StorageError):
            current = self.current_release()
        return ConflictError(
            f"the BigQuery dataset {self._tables.dataset} holds release {current or 'unknown'}, "
            f"but this run began from {base or 'none'}: another run published in between, run "
            "again. If the same message comes back, another store publishes there: name another "
            f"dataset, or remove its table {RELEASES} to have its tables taken over"
        )


def _load_config(table: str, declared: TableDeclaration) -> bigquery.LoadJobConfig:
    """The configuration of a load job: everything that the job replaces.

    The table's description is left out: a job fails if it gives another one than the table has.
    """
    parquet = bigquery.ParquetOptions()  # type: ignore[no-untyped-call]
    parquet.enable_list_inference = True
    config = bigquery.LoadJobConfig(
        source_format=bigquery.SourceFormat.PARQUET,
        schema=schema_fields(declared),
        parquet_options=parquet,
        clustering_fields=declared["clustering"] or None,
        create_disposition=bigquery.CreateDisposition.CREATE_NEVER,
        write_disposition=bigquery.WriteDisposition.WRITE_TRUNCATE,
    )
    if declared["partition_by_year"]:
        config.time_partitioning = partitioning(declared)
    config.labels = {"table": table}
    return config


def _is_as_noted(found: bigquery.Table | None, noted: NotedTable | None) -> bool:
    """Whether a table exists, and has as many rows as `releases` notes of it."""
    return found is not None and noted is not None and found.num_rows == noted.rows


def _is_published(
    found: bigquery.Table | None,
    noted: NotedTable | None,
    published: PublishedTable,
    declared: TableDeclaration,
) -> bool:
    """Whether a table holds the rows of a release already.

    Args:
        found: the table as it was found.
        noted: what `releases` notes of it.
        published: what the release has of it.
        declared: its declaration.
    """
    if found is None or noted is None or not _is_as_noted(found, noted):
        return False
    return noted.sha256 == published.sha256 and is_laid_out(found, declared)


def _columns(table: str) -> list[str]:
    return list(TABLES[table].contract.columns())
