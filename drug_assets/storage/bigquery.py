"""Cleaned and published tables in a BigQuery dataset, behind the same store as everything else.

`TablesInBigQuery` is a store in which the final name of such a table (`mentions.parquet`) is the
table of the dataset: what is put or moved there is loaded, what is read there is read from it. All
other names, staged tables among them, are objects of the store below. So runs, releases and their
repair know nothing of BigQuery.

A table is replaced by one load job of one Parquet file, which BigQuery carries out whole or not at
all. Schema, partitions and clustering are those of `bigquery_schema`. Views and routines belong to
`sql`.
"""

from __future__ import annotations

import os
import secrets
import time
from contextlib import contextmanager
from functools import cache
from typing import TYPE_CHECKING

import polars as pl
import requests
from google.api_core import exceptions as api
from google.auth.credentials import AnonymousCredentials
from google.cloud import bigquery
from google.cloud.bigquery.retry import DEFAULT_RETRY

from drug_assets import contracts
from drug_assets.storage.bigquery_schema import UNPUBLISHED, TableDeclaration, table_declaration
from drug_assets.storage.gcs import TIMEOUT, explained, process_folder, who
from drug_assets.storage.objects import ChangedObjectError, ObjectStore, StorageError, StoredObject

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

#: On 429, 5xx, time-outs, broken connections, and jobs that fail for reasons of the service.
RETRY = DEFAULT_RETRY.with_delay(initial=0.5, maximum=20.0, multiplier=2.0).with_timeout(180.0)
#: Seconds that a load job may take.
LOAD_SECONDS = 3600.0
#: What tables and datasets that we create carry; labels that are there already stay.
LABELS = {"application": "drug-assets", "managed-by": "drug-assets"}

_NOT_THERE = (404, 410)
_SNAPSHOTS = 3
_SECONDS = TIMEOUT[1]
_SUFFIX = ".parquet"


class Dataset:
    """The tables of the contracts in one dataset."""

    def __init__(
        self, client: bigquery.Client, project: str, name: str, location: str | None = None
    ) -> None:
        """Use a dataset; it is made in the location when the first table is loaded."""
        self._client = client
        self._reference = bigquery.DatasetReference(project, name)
        self._location = location

    @classmethod
    def at(cls, project: str, name: str, location: str | None = None) -> Dataset:
        """The dataset of that name, with the login of the machine.

        Raises:
            StorageError: nobody is logged in.
        """
        return cls(client_of(project), project, name, location)

    def name(self, table: str) -> str:
        """The full name of a table: `project.dataset.table`."""
        return f"{self._reference.project}.{self._reference.dataset_id}.{table}"

    def load(self, table: str, parquet: Path) -> None:
        """Replace a table by the rows of a Parquet file, or leave it as it is.

        Raises:
            StorageError: it was left as it is, and why.
        """
        declared = table_declaration(table)
        found = pl.read_parquet_schema(parquet)
        if dict(found) != dict(contracts.polars_schema(contracts.TABLES[table])):
            raise StorageError(
                f"{self.name(table)} was not loaded: the file for it was written under another "
                f"version of its contract, with columns {', '.join(found)}. Remove `.staging/` "
                "from the store and run again"
            )
        to_load = process_folder() / f"{secrets.token_hex(8)}{_SUFFIX}"
        # The contract tells which columns are never null: BigQuery refuses a file that says less
        # of a REQUIRED column than the table does.
        pl.scan_parquet(parquet, glob=False).sink_parquet(
            to_load, arrow_schema=contracts.TABLES[table], maintain_order=True
        )
        try:
            with self._explained(table, writing=True):
                location = self._ensured_location()
                made = self._make(table, declared)
                try:
                    RETRY(self._load_once)(table, declared, to_load, location)
                except BaseException:
                    if made:  # nobody should take it for a table that is empty
                        self.drop(table)
                    raise
                # Somebody else's change, or a lost answer: look again, change what still differs.
                RETRY.with_predicate(_is_stale)(self._describe)(table, declared)
        finally:
            to_load.unlink()

    def local_copy(self, table: str) -> Path:
        """A Parquet file with the rows of a table as they are at one moment, sorted by its key.

        Raises:
            FileNotFoundError: there is no such table.
            ChangedObjectError: it was replaced again and again while it was read.
        """
        contract = contracts.TABLES[table]
        unsorted, copy = (process_folder() / f"{secrets.token_hex(8)}{_SUFFIX}" for _ in range(2))
        try:
            for _ in range(_SNAPSHOTS):
                with self._explained(table, writing=False):
                    before = self._table(table)
                    rows = self._read(before, contract, unsorted)
                    after = self._table(table)
                # The pages of one reading can be of two tables if it was replaced meanwhile.
                if rows == before.num_rows and _state(after) == _state(before):
                    pl.scan_parquet(unsorted, glob=False).sort(contract.primary_key()).sink_parquet(
                        copy
                    )
                    return copy
        finally:
            unsorted.unlink(missing_ok=True)
        raise ChangedObjectError(self.name(table))

    def drop(self, table: str) -> None:
        """Remove a table; one that is not there is no error."""
        with self._explained(table, writing=True):
            self._client.delete_table(
                self.name(table), not_found_ok=True, timeout=_SECONDS, retry=RETRY
            )

    def _table(self, table: str) -> bigquery.Table:
        return self._client.get_table(self.name(table), timeout=_SECONDS, retry=RETRY)

    def _ensured_location(self) -> str | None:
        """Where the dataset lies; it is made if it is missing.

        Raises:
            StorageError: it lies somewhere else than the settings say.
        """
        wanted = bigquery.Dataset(self._reference)
        wanted.labels = LABELS
        wanted.description = "Which drug is named by which publication of which journal, and when."
        if self._location:
            wanted.location = self._location
        try:
            found = self._client.get_dataset(self._reference, timeout=_SECONDS, retry=RETRY)
        except api.NotFound:
            found = self._client.create_dataset(
                wanted, exists_ok=True, timeout=_SECONDS, retry=RETRY
            )
        if self._location and found.location and found.location.lower() != self._location.lower():
            raise StorageError(
                f"the BigQuery dataset {found.project}.{found.dataset_id} lies in "
                f"{found.location}, but DRUG_ASSETS_BIGQUERY_LOCATION is {self._location}: "
                "unset it, or name another dataset"
            )
        lies_in: str | None = found.location
        return lies_in

    def _make(self, table: str, declared: TableDeclaration) -> bool:
        """Create a table that is missing, without rows; whether it was."""
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
                # The answer may have been lost, not the job: what was started is waited for.
                started = self._started(job_id, location)
                if started is None and getattr(error, "code", None) in _NOT_THERE:
                    # The table is there, so it is the upload's session that is not: once more.
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

    def _started(self, job_id: str, location: str | None) -> bigquery.LoadJob | None:
        try:
            job = self._client.get_job(job_id, location=location, timeout=_SECONDS, retry=RETRY)
        except api.GoogleAPICallError:
            return None
        return job if isinstance(job, bigquery.LoadJob) else None

    def _describe(self, table: str, declared: TableDeclaration) -> None:
        """Give the table the labels and descriptions that a load job leaves out."""
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
        """Write the rows of a table in the contract's types; how many there are.

        A page of rows at a time, through the REST API: it costs no bytes scanned.
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
    def _explained(self, table: str, *, writing: bool) -> Iterator[None]:
        """Turn what the service refuses into what a person can do about it."""
        dataset = f"{self._reference.project}.{self._reference.dataset_id}"
        try:
            with explained(f"BigQuery table {self.name(table)}"):
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
                f"{who(self._client)}: grant {role} on the dataset {dataset}{load} (to create the "
                "dataset, roles/bigquery.user on the project). "
                f"The service says: {error.message}"
            ) from error


class TablesInBigQuery:
    """A store whose cleaned and published tables lie in BigQuery; see the module's docstring."""

    def __init__(self, objects: ObjectStore, dataset: Dataset) -> None:
        """Use a dataset for the tables and another store for all the rest."""
        self._objects = objects
        self._dataset = dataset

    def uri(self, name: str = "") -> str:
        """Where the object lies; `project.dataset.table` for a table."""
        table = _table_of(name)
        return self._dataset.name(table) if table else self._objects.uri(name)

    def objects(self, prefix: str = "") -> list[StoredObject]:
        """The objects of the store below; the tables of the dataset are not among them."""
        return [o for o in self._objects.objects(prefix) if _table_of(o.name) is None]

    def read(self, name: str, version: str | None = None) -> bytes:
        """The bytes of an object; for a table, of the Parquet file that is made of it."""
        if _table_of(name):
            return self.local_copy(name).read_bytes()
        return self._objects.read(name, version)

    def content_id(self, found: StoredObject) -> str:
        """An identity of the object's bytes."""
        return self._objects.content_id(found)

    def local_copy(self, name: str, version: str | None = None) -> Path:
        """A local file with the object's bytes; for a table, a Parquet file of its rows."""
        table = _table_of(name)
        return self._dataset.local_copy(table) if table else self._objects.local_copy(name, version)

    def scratch(self, name: str) -> Path:
        """A fresh local path to write what `put` will make the object."""
        return self._objects.scratch(name)

    def put(self, finished: Path, name: str) -> None:
        """Make a finished local file the object, or load it as the table."""
        table = _table_of(name)
        if table is None:
            self._objects.put(finished, name)
            return
        self._dataset.load(table, finished)
        finished.unlink()

    def move(self, name: str, new_name: str) -> None:
        """Rename an object; towards a table, load it and then remove the object.

        Cut off in between, it can be done again.
        """
        table = _table_of(new_name)
        if table is None:
            self._objects.move(name, new_name)
            return
        self._dataset.load(table, self._objects.local_copy(name))
        self._objects.delete(name)

    def delete(self, name: str) -> None:
        """Remove an object or a table; one that is not there is no error."""
        table = _table_of(name)
        if table is None:
            self._objects.delete(name)
        else:
            self._dataset.drop(table)


def _table_of(name: str) -> str | None:
    """The table of the dataset that an object's name stands for."""
    table = name.removesuffix(_SUFFIX)
    published = name.endswith(_SUFFIX) and table in contracts.TABLES and table not in UNPUBLISHED
    return table if published else None


def client_of(project: str) -> bigquery.Client:
    """The client that speaks for a project, to an emulator where a variable names one.

    Raises:
        StorageError: nobody is logged in.
    """
    with explained(f"BigQuery in project {project}"):
        return _client(project, os.environ.get("BIGQUERY_EMULATOR_HOST"))


@cache
def _client(project: str, emulator: str | None) -> bigquery.Client:
    """One client a process; the emulator's asks nobody for credentials."""
    if emulator:
        anonymous = AnonymousCredentials()  # type: ignore[no-untyped-call]
        return bigquery.Client(project=project, credentials=anonymous)
    return bigquery.Client(project=project)


def _schema(declared: TableDeclaration) -> list[bigquery.SchemaField]:
    return [bigquery.SchemaField.from_api_repr(dict(field)) for field in declared["schema"]]


def _partitioning(declared: TableDeclaration) -> bigquery.TimePartitioning | None:
    field = declared["partition_by_month"]
    month = bigquery.TimePartitioningType.MONTH
    return bigquery.TimePartitioning(type_=month, field=field) if field else None


def _load_config(table: str, declared: TableDeclaration) -> bigquery.LoadJobConfig:
    """What a load job is told: all that it replaces.

    Not the description of the table: a job fails that gives another one than the table has.
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
    """Differs once a table was replaced."""
    return table.etag, table.modified, table.num_rows
