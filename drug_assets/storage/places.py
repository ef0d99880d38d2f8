"""From the location a person names to the objects that lie there.

The only module that chooses between kinds of places; what each kind does is its own module's.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from drug_assets.storage.objects import LocalFolder, StorageError

if TYPE_CHECKING:
    from drug_assets.storage.objects import ObjectStore


def read_location(location: str) -> bytes:
    """The bytes of one object at a path or `gs://` URI.

    Raises:
        OSError: it cannot be read, or its place cannot be used.
    """
    folder, slash, name = location.rpartition("/")
    try:
        return open_store(folder or slash or ".").read(name)
    except StorageError as error:
        raise OSError(str(error)) from error


def open_store(location: str, *, must_exist: bool = False) -> ObjectStore:
    """The place a location names: a local folder, or `gs://bucket/prefix`."""
    if location.startswith("gs://"):
        try:
            from drug_assets.storage.gcs import Bucket
        except ModuleNotFoundError as error:
            raise StorageError(
                f"{location} needs Google's client: pip install 'drug_assets[gcp]'"
            ) from error

        return Bucket.at(location)
    if "://" in location:
        scheme = location.partition("://")[0]
        raise StorageError(
            f"{location}: {scheme}:// is not known; name a folder or gs://bucket/prefix"
        )
    return LocalFolder(Path(location).expanduser(), must_exist=must_exist)
