"""Where landed files go: five methods, and their local implementation.

What the files hold or are named is not known here. Other places (a bucket) implement the same
protocol where their client lives, in `storage`.
"""

from __future__ import annotations

import os
import secrets
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


class Destination(Protocol):
    """A place for whole files by name; names are relative, with `/` between folders.

    Writing is whole or not at all, also when the process dies: nobody ever sees half a file.
    """

    def exists(self, name: str) -> bool:
        """Whether a file of that name is there."""
        ...

    def read(self, name: str) -> bytes:
        """The bytes of a file; `FileNotFoundError` if there is none."""
        ...

    def write(self, name: str, data: bytes) -> None:
        """Put a file there whole, in place of one of the same name."""
        ...

    def delete(self, name: str) -> None:
        """Remove a file; one that is not there is no error."""
        ...

    def names(self, prefix: str) -> list[str]:
        """Names that begin with `prefix` (a text, not a folder), sorted, at any depth."""
        ...


class LocalDestination:
    """A folder, made when the first file comes."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def exists(self, name: str) -> bool:
        """Whether a file of that name is there."""
        return (self.folder / name).is_file()

    def read(self, name: str) -> bytes:
        """The bytes of a file; `FileNotFoundError` if there is none."""
        return (self.folder / name).read_bytes()

    def write(self, name: str, data: bytes) -> None:
        """Write beside the final name, force to disk, rename: the old file or the new, whole.

        The temporary name begins with a dot, so the landing zone takes no notice of it, also when
        a killed process leaves it behind; it is new each time, so two writers never share it.
        """
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        partial = path.with_name(f".{path.name}.{secrets.token_hex(4)}.partial")
        try:
            with partial.open("xb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            partial.replace(path)
        finally:
            partial.unlink(missing_ok=True)
        _sync_folder(path.parent)

    def delete(self, name: str) -> None:
        """Remove a file; one that is not there is no error."""
        (self.folder / name).unlink(missing_ok=True)

    def names(self, prefix: str) -> list[str]:
        """Names that begin with `prefix`, sorted, at any depth; looks into no other folder."""
        return sorted(self._names(self.folder / prefix.rpartition("/")[0], prefix))

    def _names(self, folder: Path, prefix: str) -> Iterator[str]:
        if not folder.is_dir():
            return
        for entry in folder.iterdir():
            name = entry.relative_to(self.folder).as_posix()
            if name.startswith(prefix):
                if entry.is_dir():
                    yield from self._names(entry, prefix)
                else:
                    yield name


def _sync_folder(folder: Path) -> None:
    """Make the rename itself survive a power cut; systems that cannot open a folder skip it."""
    if not hasattr(os, "O_DIRECTORY"):
        return
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
