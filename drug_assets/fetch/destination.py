"""The interface of the place that a pull writes its files to.

It does not depend on the names or contents of the files. `storage.destination` implements it for
every kind of location.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from pathlib import Path


class Destination(Protocol):
    """A place that stores whole files by name; names are relative, with `/` between folders.

    A write is atomic, also if the process dies: no reader ever sees half a file.
    """

    def read(self, name: str) -> bytes:
        """The bytes of a file; raise `FileNotFoundError` if there is none."""
        ...

    def write(self, name: str, data: bytes) -> None:
        """Write a whole file, replacing one of the same name."""
        ...

    def write_file(self, name: str, path: Path) -> None:
        """Write a whole file with the bytes of a local one, which stays and is never in memory."""
        ...

    def delete(self, name: str) -> None:
        """Remove a file; a missing one is no error."""
        ...

    def names(self, prefix: str) -> list[str]:
        """The names that begin with `prefix` (a text, not a folder), sorted, at any depth."""
        ...
