"""Dagster resources for Google Cloud: a bucket behind `GCSResource`, a store with BigQuery tables.

Imported by the environments that use them only: Google's modules take seconds. What lies in the
bucket and the dataset, and how, belongs to `gcs` and `bigquery`.
"""

from dagster_gcp import GCSResource
from google.cloud import storage  # type: ignore[attr-defined, import-untyped, unused-ignore]
from pydantic import PrivateAttr

from drug_assets.storage.bigquery import Dataset, TablesInBigQuery
from drug_assets.storage.gcs import Bucket, explained
from drug_assets.storage.io_managers import Place
from drug_assets.storage.objects import ObjectStore


class BucketPlace(Place):
    """`gs://bucket/prefix`, through the client of Dagster's own resource."""

    gcs: GCSResource
    # One a resource: it holds the connections and the login.
    _client: storage.Client | None = PrivateAttr(default=None)

    def open(self) -> ObjectStore:
        """The objects that lie there."""
        if self._client is None:
            with explained(self.location):
                self._client = self.gcs.get_client()
        return Bucket.at(self.location, self._client)


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
