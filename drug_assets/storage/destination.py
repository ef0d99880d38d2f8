"""A landing zone as the destination of `drug_assets.fetch`, in any kind of place.

`fetch` decides which data is fetched and how files are named.
"""

from __future__ import annotations

import shutil
from contextlib import contextmanager
from typing import TYPE_CHECKING

from drug_assets.storage.places import open_store

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from drug_assets.storage.objects import ObjectStore


class StoreDestination:
    """A destination that stores each file as one object."""

    def __init__(self, store: ObjectStore) -> None:
        self._store = store

    def read(self, name: str) -> bytes:
        """The bytes of an object.

        Raises:
            FileNotFoundError: there is no such object.
        """
        return self._store.read(name)

    def write(self, name: str, data: bytes) -> None:
        """Write an object in one step; an existing object of the same name is replaced."""
        with self._writing(name) as scratch:
            scratch.write_bytes(data)

    def write_file(self, name: str, path: Path) -> None:
        """Write an object with the bytes of a local file, in one step."""
        with self._writing(name) as scratch:
            shutil.copyfile(path, scratch)

    @contextmanager
    def _writing(self, name: str) -> Iterator[Path]:
        """A scratch file, which becomes the object at the end."""
        scratch = self._store.scratch(name)
        try:
            yield scratch
            self._store.put(scratch, name)
        finally:
            scratch.unlink(missing_ok=True)

    def delete(self, name: str) -> None:
        """Remove an object; do nothing if it does not exist."""
        self._store.delete(name)

    def names(self, prefix: str) -> list[str]:
        """The names of all objects that start with `prefix`, sorted."""
        return [found.name for found in self._store.objects(prefix)]


def landing_destination(location: str) -> StoreDestination:
    """The destination of pulls into the landing zone at a location."""
    return StoreDestination(open_store(location))
