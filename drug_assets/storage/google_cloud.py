"""Dagster resources for Google Cloud: a bucket behind `GCSResource`, a store with BigQuery tables.

Imported by the environments that use them only: Google's modules take seconds. What lies in the
bucket and the dataset, and how, belongs to `gcs` and `bigquery`.
"""

import os

from dagster_gcp import GCSResource
from google.cloud import storage  # type: ignore[attr-defined, import-untyped, unused-ignore]

from drug_assets.storage.bigquery import Dataset, TablesInBigQuery
from drug_assets.storage.gcs import Bucket, explained
from drug_assets.storage.io_managers import Place
from drug_assets.storage.objects import ObjectStore

#: One client a process: it holds the connections and the login, and each step opens its places.
_CLIENTS: dict[tuple[type[GCSResource], str | None, str | None], storage.Client] = {}


class BucketPlace(Place):
    """`gs://bucket/prefix`, through the client of Dagster's own resource."""

    gcs: GCSResource

    def open(self) -> ObjectStore:
        """The objects that lie there."""
        key = (type(self.gcs), self.gcs.project, os.environ.get("STORAGE_EMULATOR_HOST"))
        if key not in _CLIENTS:
            with explained(self.location):
                _CLIENTS[key] = self.gcs.get_client()
        return Bucket.at(self.location, _CLIENTS[key])


class WarehouseStore(Place):
    """A store whose cleaned and published tables lie in a BigQuery dataset."""

    objects: Place
    project: str
    dataset: str
    dataset_location: str | None = None

    def open(self) -> ObjectStore:
        """The objects and the tables."""
        dataset = Dataset.at(self.project, self.dataset, self.dataset_location)
        return TablesInBigQuery(self.objects.open(), dataset)
