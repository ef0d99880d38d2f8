"""The places of Google Cloud: a bucket behind `GCSResource`.

Imported only where such a place is chosen, because Google's modules take seconds to import. How
objects and tables are stored there belongs to `storage.google`.
"""

from dagster_gcp import GCSResource

from drug_assets.defs.places import Place
from drug_assets.storage.google.bucket import Bucket
from drug_assets.storage.google.client import storage_client
from drug_assets.storage.objects import ObjectStore


class BucketPlace(Place):
    """`gs://bucket/prefix`, through the client of Dagster's own resource."""

    gcs: GCSResource

    def open(self) -> ObjectStore:
        """The store of the objects below the location."""
        return Bucket.at(self.location, storage_client(self.gcs.get_client))
