"""A landing zone as the destination of `drug_assets.fetch`: a folder or a bucket alike.

What is fetched and how files are named belongs to `fetch`.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from drug_assets.fetch import LocalDestination
from drug_assets.storage.places import open_store

if TYPE_CHECKING:
    from drug_assets.fetch import Destination
    from drug_assets.storage.objects import ObjectStore


class StoreDestination:
    """Files are objects of a store, each put whole."""

    def __init__(self, store: ObjectStore) -> None:
        self._store = store

    def exists(self, name: str) -> bool:
        """Whether an object of that name is there."""
        return any(found.name == name for found in self._store.objects(name))

    def read(self, name: str) -> bytes:
        """The bytes of an object; `FileNotFoundError` if there is none."""
        return self._store.read(name)

    def write(self, name: str, data: bytes) -> None:
        """Put an object there whole, in place of one of the same name."""
        scratch = self._store.scratch(name)
        scratch.write_bytes(data)
        self._store.put(scratch, name)

    def delete(self, name: str) -> None:
        """Remove an object; one that is not there is no error."""
        self._store.delete(name)

    def names(self, prefix: str) -> list[str]:
        """Names that begin with `prefix`, sorted."""
        return [found.name for found in self._store.objects(prefix)]


def landing_destination(location: str) -> Destination:
    """Where pulls land: a local folder, or `gs://bucket/prefix`."""
    if "://" in location:
        return StoreDestination(open_store(location))
    return LocalDestination(Path(location).expanduser())
