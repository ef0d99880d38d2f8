"""Cleaned and published tables in a BigQuery dataset, behind the interface of an object store.

`TablesInBigQuery` is a store in which the final name of such a table (`mentions.parquet`) stands
for a table of the dataset: putting or moving an object to this name loads the table, and reading
the name reads the table. All other names, also those of staged tables, are objects of an underlying
store. So runs, releases and their repair need no code for BigQuery.

One load job replaces a table with the rows of one Parquet file; BigQuery completes it or changes
nothing. Schema, partitions and clustering come from `table_schema`. Views and routines belong to
`warehouse_sql`.
"""

from __future__ import annotations

import secrets
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

import polars as pl
import requests
from google.api_core import exceptions as api
from google.cloud import bigquery
from google.cloud.bigquery.retry import DEFAULT_RETRY

from drug_assets import contracts
from drug_assets.sources.tables import TABLES
from drug_assets.storage.google.client import (
    TIMEOUT,
    bigquery_client,
    explain_errors,
    make_process_folder,
    name_account,
)
from drug_assets.storage.google.table_schema import TableDeclaration, declare_table
from drug_assets.storage.objects import ChangedObjectError, ObjectStore, StorageError, StoredObject

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

#: For 429, 5xx, time-outs, broken connections, and jobs that fail for reasons of the service.
RETRY = DEFAULT_RETRY.with_delay(initial=0.5, maximum=20.0, multiplier=2.0).with_timeout(180.0)
#: Seconds that a load job may take.
LOAD_SECONDS = 3600.0
#: Labels of the datasets and tables that this package creates; other labels on them are kept.
LABELS = {"application": "drug-assets", "managed-by": "drug-assets"}

#: HTTP codes for an upload session or a table that no longer exists.
_GONE = (404, 410)
_SNAPSHOTS = 3
_SECONDS = TIMEOUT[1]
_SUFFIX = ".parquet"


class Dataset:
    """The cleaned and published tables in one dataset."""

    def __init__(
        self, client: bigquery.Client, project: str, name: str, location: str | None = None
    ) -> None:
        """Use a dataset; if it is missing, loading a table creates it in the location."""
        self._client = client
        self._reference = bigquery.DatasetReference(project, name)
        self._location = location

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
        reference = self._reference
        return Dataset.at, (reference.project, reference.dataset_id, self._location)

    def name(self, table: str) -> str:
        """The full name of a table: `project.dataset.table`."""
        return f"{self._reference.project}.{self._reference.dataset_id}.{table}"

    def load(self, table: str, parquet: Path) -> None:
        """Replace a table with the rows of a Parquet file.

        Raises:
            StorageError: the table was not replaced; the message gives the reason.
        """
        declared = declare_table(table)
        found = pl.read_parquet_schema(parquet)
        if dict(found) != dict(contracts.polars_schema(TABLES[table].contract)):
            raise StorageError(
                f"{self.name(table)} was not loaded: the file for it was written under another "
                f"version of its contract, with columns {', '.join(found)}. Remove `.staging/` "
                "from the store and run again"
            )
        to_load = make_process_folder() / f"{secrets.token_hex(8)}{_SUFFIX}"
        # The contract's Arrow schema marks the columns that are never null: BigQuery refuses a file
        # with a nullable column where the table has a REQUIRED one.
        pl.scan_parquet(parquet, glob=False).sink_parquet(
            to_load, arrow_schema=TABLES[table].contract, maintain_order=True
        )
        try:
            with self._explain_errors(table, writing=True):
                location = self._ensure_dataset()
                created = self._create_if_missing(table, declared)
                try:
                    RETRY(self._load_once)(table, declared, to_load, location)
                except BaseException:
                    if created:  # readers would take it for a table whose result is empty
                        self.drop(table)
                    raise
                # Another client changed the table, or a response was lost: each retry reads the
                # table again and updates only what still differs.
                RETRY.with_predicate(_is_stale)(self._describe)(table, declared)
        finally:
            to_load.unlink()

    def local_copy(self, table: str) -> Path:
        """A Parquet file with a consistent snapshot of a table's rows, sorted by its key.

        Raises:
            FileNotFoundError: there is no such table.
            ChangedObjectError: the table was replaced during each of several attempts to read it.
        """
        contract = TABLES[table].contract
        unsorted, copy = (
            make_process_folder() / f"{secrets.token_hex(8)}{_SUFFIX}" for _ in range(2)
        )
        try:
            for _ in range(_SNAPSHOTS):
                with self._explain_errors(table, writing=False):
                    before = self._table(table)
                    rows = self._read(before, contract, unsorted)
                    after = self._table(table)
                # If the table was replaced meanwhile, the pages may mix old rows and new ones.
                if rows == before.num_rows and _state(after) == _state(before):
                    pl.scan_parquet(unsorted, glob=False).sort(contract.primary_key()).sink_parquet(
                        copy
                    )
                    return copy
        finally:
            unsorted.unlink(missing_ok=True)
        raise ChangedObjectError(self.name(table))

    def drop(self, table: str) -> None:
        """Remove a table; do nothing if it does not exist."""
        with self._explain_errors(table, writing=True):
            self._client.delete_table(
                self.name(table), not_found_ok=True, timeout=_SECONDS, retry=RETRY
            )

    def _table(self, table: str) -> bigquery.Table:
        return self._client.get_table(self.name(table), timeout=_SECONDS, retry=RETRY)

    def _ensure_dataset(self) -> str | None:
        """Create the dataset if it is missing; return its location.

        Raises:
            StorageError: the dataset exists in another location than the settings give.
        """
        new = bigquery.Dataset(self._reference)
        new.labels = LABELS
        new.description = "Which drug is named by which publication of which journal, and when."
        if self._location:
            new.location = self._location
        try:
            found = self._client.get_dataset(self._reference, timeout=_SECONDS, retry=RETRY)
        except api.NotFound:
            found = self._client.create_dataset(new, exists_ok=True, timeout=_SECONDS, retry=RETRY)
        if self._location and found.location and found.location.lower() != self._location.lower():
            raise StorageError(
                f"the BigQuery dataset {found.project}.{found.dataset_id} lies in "
                f"{found.location}, but DRUG_ASSETS_BIGQUERY_LOCATION is {self._location}: "
                "unset it, or name another dataset"
            )
        location: str | None = found.location
        return location

    def _create_if_missing(self, table: str, declared: TableDeclaration) -> bool:
        """Create a table without rows if it is missing; return whether it was missing."""
        try:
            self._table(table)
        except api.NotFound:
            missing = bigquery.Table(self.name(table), schema=_schema(declared))
            missing.description = declared["description"]
            missing.labels = LABELS
            missing.clustering_fields = declared["clustering"]
            missing.time_partitioning = _partitioning(declared)
            self._client.create_table(missing, exists_ok=True, timeout=_SECONDS, retry=RETRY)
            return True
        return False

    def _load_once(
        self, table: str, declared: TableDeclaration, parquet: Path, location: str | None
    ) -> None:
        job_id = f"drug_assets_{table}_{secrets.token_hex(8)}"
        with parquet.open("rb") as file:
            try:
                job = self._client.load_table_from_file(
                    file,
                    self.name(table),
                    job_id=job_id,
                    project=self._client.project,
                    location=location,
                    job_config=_load_config(table, declared),
                    timeout=TIMEOUT,
                )
            except (api.GoogleAPICallError, requests.RequestException, ConnectionError) as error:
                # The job may have started although the response was lost: then wait for it.
                started = self._find_load_job(job_id, location)
                if started is None and getattr(error, "code", None) in _GONE:
                    # The table exists, so the upload session is gone: raise a retryable error.
                    raise ConnectionError(f"the upload was lost: {error}") from error
                if started is None:
                    raise
                job = started
        deadline, wait = time.monotonic() + LOAD_SECONDS, 0.05
        while not job.done(retry=RETRY, timeout=_SECONDS):
            if time.monotonic() > deadline:
                raise StorageError(f"load job {job_id} is not done after {LOAD_SECONDS:.0f} s")
            time.sleep(wait)
            wait = min(2 * wait, 5.0)
        job.result(retry=None, timeout=_SECONDS)

    def _find_load_job(self, job_id: str, location: str | None) -> bigquery.LoadJob | None:
        try:
            job = self._client.get_job(job_id, location=location, timeout=_SECONDS, retry=RETRY)
        except api.GoogleAPICallError:
            return None
        return job if isinstance(job, bigquery.LoadJob) else None

    def _describe(self, table: str, declared: TableDeclaration) -> None:
        """Set the labels and descriptions of a table, which a load job leaves out."""
        found = self._table(table)
        labels = {**LABELS, **(found.labels or {})}
        schema = _schema(declared)
        different = []
        if found.labels != labels:
            found.labels = labels
            different.append("labels")
        if found.description != declared["description"]:
            found.description = declared["description"]
            different.append("description")
        if found.schema != schema:
            found.schema = schema
            different.append("schema")
        if different:
            self._client.update_table(found, different, timeout=_SECONDS, retry=RETRY)

    def _read(self, table: bigquery.Table, contract: contracts.Contract, path: Path) -> int:
        """Write the rows of a table to a Parquet file in the contract's types; return the count.

        Rows are read page by page through the REST API, which bills no scanned bytes.
        """
        import pyarrow.parquet as pq  # type: ignore[import-untyped]

        schema = contracts.polars_schema(contract)
        rows = 0
        with pq.ParquetWriter(path, pl.DataFrame(schema=schema).to_arrow().schema) as writer:
            pages = self._client.list_rows(table, timeout=_SECONDS, retry=RETRY)
            for page in pages.to_arrow_iterable():
                frame = pl.DataFrame(page).cast(schema).select(schema.names())
                rows += frame.height
                writer.write_table(frame.to_arrow())
        return rows

    @contextmanager
    def _explain_errors(self, table: str, *, writing: bool) -> Iterator[None]:
        """Replace errors of the service with errors that explain what a person can do."""
        dataset = f"{self._reference.project}.{self._reference.dataset_id}"
        try:
            with explain_errors(f"BigQuery table {self.name(table)}"):
                yield
        except api.NotFound as error:
            if not writing:
                raise FileNotFoundError(self.name(table)) from error
            raise StorageError(
                f"there is no project {self._reference.project} that this login can use, or no "
                f"dataset {dataset} in that location: set DRUG_ASSETS_BIGQUERY_PROJECT, _DATASET "
                f"and _LOCATION. The service says: {error.message}"
            ) from error
        except (api.Forbidden, api.Unauthorized) as error:
            role = "roles/bigquery.dataEditor" if writing else "roles/bigquery.dataViewer"
            load = (
                f", and roles/bigquery.jobUser on the project {self._client.project}"
                if writing
                else ""
            )
            raise StorageError(
                f"{self.name(table)} may not be {'written' if writing else 'read'} by "
                f"{name_account(self._client)}: grant {role} on the dataset {dataset}{load} (to "
                "create the dataset, roles/bigquery.user on the project). "
                f"The service says: {error.message}"
            ) from error


class TablesInBigQuery:
    """A store whose cleaned and published tables are in BigQuery; see the module's docstring."""

    def __init__(self, objects: ObjectStore, dataset: Dataset) -> None:
        """Use a dataset for the tables, and another store for everything else."""
        self._objects = objects
        self._dataset = dataset

    def uri(self, name: str = "") -> str:
        """The location of an object; `project.dataset.table` for a table."""
        table = _table_of(name)
        return self._dataset.name(table) if table else self._objects.uri(name)

    def objects(self, prefix: str = "") -> list[StoredObject]:
        """The objects of the underlying store; tables of the dataset are not listed."""
        return [o for o in self._objects.objects(prefix) if _table_of(o.name) is None]

    def read(self, name: str, version: str | None = None) -> bytes:
        """The bytes of an object; for a table, those of a Parquet file with its rows."""
        if _table_of(name):
            return self.local_copy(name).read_bytes()
        return self._objects.read(name, version)

    def content_id(self, found: StoredObject) -> str:
        """An identity of the object's bytes."""
        return self._objects.content_id(found)

    def local_copy(self, name: str, version: str | None = None) -> Path:
        """A local file with the object's bytes; for a table, a Parquet file with its rows."""
        table = _table_of(name)
        return self._dataset.local_copy(table) if table else self._objects.local_copy(name, version)

    def scratch(self, name: str) -> Path:
        """A new local path; see `ObjectStore.scratch`."""
        return self._objects.scratch(name)

    def put(self, finished: Path, name: str) -> None:
        """Store a finished local file as an object, or load it into a table."""
        table = _table_of(name)
        if table is None:
            self._objects.put(finished, name)
            return
        self._dataset.load(table, finished)
        finished.unlink()

    def move(self, name: str, new_name: str) -> None:
        """Rename an object; if the new name is a table's, load the table and delete the object.

        If interrupted in between, it can be repeated.
        """
        table = _table_of(new_name)
        if table is None:
            self._objects.move(name, new_name)
            return
        self._dataset.load(table, self._objects.local_copy(name))
        self._objects.delete(name)

    def delete(self, name: str) -> None:
        """Remove an object or a table; do nothing if it does not exist."""
        table = _table_of(name)
        if table is None:
            self._objects.delete(name)
        else:
            self._dataset.drop(table)


def _table_of(name: str) -> str | None:
    """The table of the dataset that an object's name stands for; None for other objects."""
    table = name.removesuffix(_SUFFIX)
    published = name.endswith(_SUFFIX) and table in TABLES and TABLES[table].published
    return table if published else None


def _schema(declared: TableDeclaration) -> list[bigquery.SchemaField]:
    return [bigquery.SchemaField.from_api_repr(dict(field)) for field in declared["schema"]]


def _partitioning(declared: TableDeclaration) -> bigquery.TimePartitioning | None:
    field = declared["partition_by_month"]
    month = bigquery.TimePartitioningType.MONTH
    return bigquery.TimePartitioning(type_=month, field=field) if field else None


def _load_config(table: str, declared: TableDeclaration) -> bigquery.LoadJobConfig:
    """The configuration of a load job: everything that the job replaces.

    The table's description is left out: a job fails if it gives another one than the table has.
    """
    parquet = bigquery.ParquetOptions()  # type: ignore[no-untyped-call]
    parquet.enable_list_inference = True
    config = bigquery.LoadJobConfig(
        source_format=bigquery.SourceFormat.PARQUET,
        schema=_schema(declared),
        parquet_options=parquet,
        clustering_fields=declared["clustering"],
        create_disposition=bigquery.CreateDisposition.CREATE_NEVER,
        write_disposition=bigquery.WriteDisposition.WRITE_TRUNCATE,
    )
    if declared["partition_by_month"]:
        config.time_partitioning = _partitioning(declared)
    config.labels = {**LABELS, "table": table}
    return config


def _is_stale(error: BaseException) -> bool:
    return isinstance(error, api.PreconditionFailed)


def _state(table: bigquery.Table) -> tuple[object, ...]:
    """Values that change when a table is replaced."""
    return table.etag, table.modified, table.num_rows
