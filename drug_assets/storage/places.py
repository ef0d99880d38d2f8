"""Open the store at a location: a local path, or a URI such as `gs://bucket/prefix`.

The scheme of a location selects the kind of place; only this module reads it. Other packages can
add a scheme with an entry point of the group `drug_assets.storages`: its name is the scheme, and it
refers to a function that takes a location and returns a store.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from drug_assets.storage.objects import LocalFolder, StorageError

if TYPE_CHECKING:
    from collections.abc import Callable

    from drug_assets.storage.commit import Warehouse
    from drug_assets.storage.objects import ObjectStore

ENTRY_POINTS = "drug_assets.storages"


def scheme_of(location: str) -> str | None:
    """The scheme of a location, such as `gs`; None for a local path."""
    scheme, separator, _ = location.partition("://")
    return scheme if separator else None


def open_store(location: str, *, must_exist: bool = False) -> ObjectStore:
    """Open the store at a location.

    Args:
        location: a folder, or a URI such as `gs://bucket/prefix`.
        must_exist: whether listing a missing folder is an error; else it is empty.

    Raises:
        StorageError: the scheme is not known, a library for it is not installed, or the location
            names no place of its kind.
    """
    scheme = scheme_of(location)
    if scheme is None:
        return LocalFolder(Path(location).expanduser(), must_exist=must_exist)
    opener = _open_bucket if scheme == "gs" else _find_plugin(scheme)
    if opener is None:
        raise StorageError(
            f"{location}: {scheme}:// is not known; name a folder or gs://bucket/prefix"
        )
    return opener(location)


def open_object(location: str) -> tuple[ObjectStore, str]:
    """Open the store that holds one object.

    Args:
        location: path or URI of the object.

    Returns:
        The store, and the name of the object in it.

    Raises:
        StorageError: the place cannot be opened.
    """
    scheme, separator, path = location.rpartition("://")
    folder, slash, name = path.rpartition("/")
    return open_store(f"{scheme}{separator}{folder or slash}" or "."), name


def read_location(location: str) -> bytes:
    """The bytes of the object at a path or a URI.

    Raises:
        OSError: the object cannot be read, or its place cannot be used.
    """
    try:
        store, name = open_object(location)
        return store.read(name)
    except StorageError as error:
        raise OSError(str(error)) from error


def open_warehouse(
    project: str | None, dataset: str | None, location: str | None = None
) -> Warehouse | None:
    """Open a BigQuery dataset as the warehouse of a store; None if no dataset is named.

    Args:
        project: the project of the dataset.
        dataset: its name.
        location: where it is, or is to be created; Google's default if not given.

    Raises:
        StorageError: Google's client is not installed, or there is no Google login.
    """
    if project is None or dataset is None:
        return None
    try:
        from drug_assets.storage.google.dataset import Dataset
        from drug_assets.storage.google.warehouse import DatasetWarehouse
    except ModuleNotFoundError as error:
        raise StorageError(
            f"BigQuery needs Google's client: pip install 'drug_assets[gcp]' ({error})"
        ) from error
    return DatasetWarehouse(Dataset.at(project, dataset, location))


def _open_bucket(location: str) -> ObjectStore:
    try:
        from drug_assets.storage.google.bucket import Bucket
    except ModuleNotFoundError as error:
        raise StorageError(
            f"{location} needs Google's client: pip install 'drug_assets[gcp]'"
        ) from error

    return Bucket.at(location)


def _find_plugin(scheme: str) -> Callable[[str], ObjectStore] | None:
    from importlib.metadata import entry_points

    found = list(entry_points(group=ENTRY_POINTS, name=scheme))
    if not found:
        return None
    opener: Callable[[str], ObjectStore] = found[0].load()
    return opener
