"""Tables of a dataset as BigQuery keeps them: found, created, described, removed.

Errors of the service become errors that explain what a person can do. What rows the tables hold
belongs to `dataset`.
"""

from __future__ import annotations

from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

from google.api_core import exceptions as api
from google.cloud import bigquery

from drug_assets.storage.google.client import explain_errors, name_account
from drug_assets.storage.google.jobs import CALL_SECONDS, RETRY, Jobs
from drug_assets.storage.objects import StorageError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from drug_assets.storage.google.table_schema import TableDeclaration

#: Labels of the datasets and tables that this package creates; other labels on them are kept.
LABELS = {"application": "drug-assets", "managed-by": "drug-assets"}


class Tables:
    """The tables of one dataset."""

    def __init__(
        self, client: bigquery.Client, project: str, dataset: str, location: str | None
    ) -> None:
        """Use a dataset; if it is missing, `jobs` creates it in the location.

        Args:
            client: the client.
            project: project of the dataset.
            dataset: name of the dataset.
            location: its location, or where to create it; Google's default if not given.
        """
        self.client = client
        self.reference = bigquery.DatasetReference(project, dataset)
        self.location = location

    @property
    def dataset(self) -> str:
        """The full name of the dataset: `project.dataset`."""
        return f"{self.reference.project}.{self.reference.dataset_id}"

    def name(self, table: str) -> str:
        """The full name of a table: `project.dataset.table`."""
        return f"{self.dataset}.{table}"

    def jobs(self) -> Jobs:
        """Create the dataset if it is missing; jobs run in its location."""
        return Jobs(self.client, self._ensure_dataset(), LABELS)

    def find(self, table: str) -> bigquery.Table | None:
        """A table; None if it does not exist."""
        try:
            with self.explain_errors(table, writing=False):
                return self.get(table)
        except FileNotFoundError:
            return None

    def discard(self, table: str) -> None:
        """Remove a table that expires by itself: a failure to do so is none of the publication."""
        with suppress(Exception):
            self.client.delete_table(
                self.name(table),
                not_found_ok=True,
                timeout=CALL_SECONDS,
                retry=None,  # type: ignore[arg-type]
            )

    def get(self, table: str) -> bigquery.Table:
        """A table; Google's `NotFound` if it does not exist."""
        return self.client.get_table(self.name(table), timeout=CALL_SECONDS, retry=RETRY)

    def _ensure_dataset(self) -> str | None:
        """Create the dataset if it is missing; return its location.

        Raises:
            StorageError: the dataset exists in another location than the settings give.
        """
        new = bigquery.Dataset(self.reference)
        new.labels = LABELS
        new.description = "Which drug is named by which publication of which journal, and when."
        if self.location:
            new.location = self.location
        try:
            found = self.client.get_dataset(self.reference, timeout=CALL_SECONDS, retry=RETRY)
        except api.NotFound:
            found = self.client.create_dataset(
                new, exists_ok=True, timeout=CALL_SECONDS, retry=RETRY
            )
        if self.location and found.location and found.location.lower() != self.location.lower():
            raise StorageError(
                f"the BigQuery dataset {found.project}.{found.dataset_id} lies in "
                f"{found.location}, but DRUG_ASSETS_BIGQUERY_LOCATION is {self.location}: "
                "unset it, or name another dataset"
            )
        location: str | None = found.location
        return location

    def create_if_missing(self, table: str, declared: TableDeclaration) -> bool:
        """Create a table without rows if it is missing; return whether it was missing."""
        try:
            self.get(table)
        except api.NotFound:
            self.create(self.declared(table, declared))
            return True
        return False

    def create(self, table: bigquery.Table) -> None:
        """Create a table; do nothing if its name is taken."""
        self.client.create_table(table, exists_ok=True, timeout=CALL_SECONDS, retry=RETRY)

    def declared(self, table: str, declared: TableDeclaration) -> bigquery.Table:
        """A table as its declaration wants it, not yet created."""
        made = bigquery.Table(self.name(table), schema=schema_fields(declared))
        made.description = declared["description"]
        made.labels = LABELS
        made.clustering_fields = declared["clustering"] or None
        made.time_partitioning = partitioning(declared)
        return made

    def describe(
        self, table: str, declared: TableDeclaration, labels: Mapping[str, str] | None = None
    ) -> None:
        """Set the labels and descriptions of a table, which jobs leave out.

        Args:
            table: name of the table.
            declared: its declaration.
            labels: labels to add to those that it has.
        """

        def update() -> None:
            found = self.get(table)
            if different := correct(found, declared, labels or {}):
                self.client.update_table(found, different, timeout=CALL_SECONDS, retry=RETRY)

        # Another client changed the table, or a response was lost: each retry reads the table
        # again and updates only what still differs.
        RETRY.with_predicate(_is_stale)(update)()

    @contextmanager
    def explain_errors(self, table: str, *, writing: bool) -> Iterator[None]:
        """Replace errors of the service with errors that explain what a person can do.

        Raises:
            FileNotFoundError: when reading, there is no such table.
            StorageError: anything else that is missing, refused or out of reach.
        """
        dataset = self.dataset
        try:
            with explain_errors(f"BigQuery table {self.name(table)}"):
                yield
        except api.NotFound as error:
            if not writing:
                raise FileNotFoundError(self.name(table)) from error
            raise StorageError(
                f"there is no project {self.reference.project} that this login can use, or no "
                f"dataset {dataset} in that location: set DRUG_ASSETS_BIGQUERY_PROJECT, _DATASET "
                f"and _LOCATION. The service says: {error.message}"
            ) from error
        except (api.Forbidden, api.Unauthorized) as error:
            role = "roles/bigquery.dataEditor" if writing else "roles/bigquery.dataViewer"
            load = (
                f", and roles/bigquery.jobUser on the project {self.client.project}"
                if writing
                else ""
            )
            raise StorageError(
                f"{self.name(table)} may not be {'written' if writing else 'read'} by "
                f"{name_account(self.client)}: grant {role} on the dataset {dataset}{load} (to "
                "create the dataset, roles/bigquery.user on the project). "
                f"The service says: {error.message}"
            ) from error


def schema_fields(declared: TableDeclaration) -> list[bigquery.SchemaField]:
    """The declared columns as the client takes them."""
    return [bigquery.SchemaField.from_api_repr(dict(field)) for field in declared["schema"]]


def partitioning(declared: TableDeclaration) -> bigquery.TimePartitioning | None:
    """The declared partitions as the client takes them."""
    field = declared["partition_by_year"]
    year = bigquery.TimePartitioningType.YEAR
    return bigquery.TimePartitioning(type_=year, field=field) if field else None


def correct(
    found: bigquery.Table, declared: TableDeclaration, labels: Mapping[str, str]
) -> list[str]:
    """Set the labels and descriptions of a table in memory; return what differed.

    Args:
        found: the table.
        declared: its declaration.
        labels: labels to add to those that it has.
    """
    wanted = {**LABELS, **labels, **(found.labels or {})}
    schema = schema_fields(declared)
    different = []
    if found.labels != wanted:
        found.labels = wanted
        different.append("labels")
    if found.description != declared["description"]:
        found.description = declared["description"]
        different.append("description")
    if found.schema != schema:
        found.schema = schema
        different.append("schema")
    return different


def _is_stale(error: BaseException) -> bool:
    return isinstance(error, api.PreconditionFailed)
