"""A BigQuery dataset as the warehouse of a store: it holds the published tables of one release."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from drug_assets.sources.tables import TABLES
from drug_assets.storage.google.publication import PublishedTable
from drug_assets.storage.objects import StorageError

if TYPE_CHECKING:
    from drug_assets.storage.google.dataset import Dataset
    from drug_assets.storage.releases import Release


@dataclass(frozen=True)
class DatasetWarehouse:
    """Publishes releases to a dataset; see `storage.commit.Warehouse`."""

    dataset: Dataset

    def publish(self, release: Release, base: str | None) -> None:
        """Make the published tables of a release current, all in one transaction.

        Raises:
            ConflictError: the dataset holds another release than the base.
            StorageError: nothing was published; the message gives the reason.
        """
        summary = release.read_summary()
        files = {name: f"{name}.parquet" for name, table in TABLES.items() if table.published}
        # Without one of them, the dataset would show that table of another release.
        if missing := [name for name, file in files.items() if file not in summary["files"]]:
            raise StorageError(
                f"release {release.id} holds no {', no '.join(missing)}, since an earlier version "
                f"made it: it cannot be published to {self.dataset.name('')[:-1]}. Choose another "
                "release, or run `drug-assets run`"
            )
        tables = {
            name: PublishedTable(
                partial(release.store.local_copy, release.name(file)),
                summary["files"][file]["sha256"],
                summary["rows"][name],
            )
            for name, file in files.items()
        }
        self.dataset.publish(release.id, base, tables)

    def current_release(self) -> str | None:
        """The id of the release that the dataset holds."""
        return self.dataset.current_release()

    def is_complete(self) -> bool:
        """Whether every table has the size with which it was published."""
        return not self.dataset.altered_tables()
