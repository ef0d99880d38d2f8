"""Stores of named objects: list, read and replace objects in one place.

`LocalFolder` stores them in a local folder, `google.bucket` in a bucket. Every store replaces an
object in one step: a reader finds the old bytes or the new ones, never a mix, even after a crash.
"""

from __future__ import annotations

import errno
import os
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Protocol

from drug_assets.errors import DrugAssetsError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_STALE_SECONDS = 24 * 3600


class StorageError(DrugAssetsError):
    """A place cannot be used; the message explains what a person can do."""


class ChangedObjectError(StorageError):
    """An object was written again between listing and reading it."""

    def __init__(self, uri: str) -> None:
        super().__init__(f"{uri} was written again while it was being read: run again")


@dataclass(frozen=True, order=True)
class StoredObject:
    """An object as its store lists it."""

    name: str
    size_bytes: int
    #: Changes whenever the object is written again, even with the same bytes.
    version: str
    #: When it was written, in UTC.
    written_at: datetime
    #: Identity of its bytes, if the store lists one.
    content: str | None = None


class ObjectStore(Protocol):
    """Named objects in one place. Names use forward slashes."""

    def uri(self, name: str = "") -> str:
        """The location of an object, as people write it; without a name, that of the place."""
        ...

    def objects(self, prefix: str = "") -> list[StoredObject]:
        """All objects whose name starts with `prefix`, sorted by name.

        Raises:
            StorageError: the place does not exist or may not be read.
        """
        ...

    def read(self, name: str, version: str | None = None) -> bytes:
        """The bytes of an object. If `version` is given, they are of this listed version.

        Raises:
            FileNotFoundError: there is no such object.
            ChangedObjectError: the object has another version by now.
        """
        ...

    def content_id(self, found: StoredObject) -> str:
        """An identity of the object's bytes: different bytes have different identities."""
        ...

    def local_copy(self, name: str, version: str | None = None) -> Path:
        """A local file with the object's bytes, for reading only.

        If `version` is given, the file is of this listed version. A copy that exists locally is
        then used without a request.

        Raises:
            FileNotFoundError: there is no such object.
        """
        ...

    def scratch(self, name: str) -> Path:
        """A new local path: the content of an object is written here, then passed to `put`."""
        ...

    def put(self, finished: Path, name: str) -> None:
        """Store a finished local file as an object in one step; the local file is removed."""
        ...

    def move(self, name: str, new_name: str) -> None:
        """Rename an object; an existing object of the new name is replaced."""
        ...

    def delete(self, name: str) -> None:
        """Remove an object; do nothing if it does not exist."""
        ...


class LocalFolder:
    """A store whose objects are the files below a folder."""

    def __init__(self, folder: Path, *, must_exist: bool = False) -> None:
        """Use a folder. Listing a missing folder is an error with `must_exist`, else empty."""
        self._folder = folder
        self._must_exist = must_exist

    def uri(self, name: str = "") -> str:
        """The path of an object; without a name, that of the folder."""
        return str(self._folder / name) if name else str(self._folder)

    def objects(self, prefix: str = "") -> list[StoredObject]:
        """All files below the folder whose relative path starts with `prefix`; follows links.

        Raises:
            StorageError: the path is not a folder, or the folder must exist and is missing.
        """
        if not self._folder.is_dir():
            if self._folder.exists():
                raise StorageError(f"{self._folder} is not a folder")
            if self._must_exist:
                raise StorageError(f"there is no folder {self._folder}")
        found = []
        folder, _, start = prefix.rpartition("/")
        for path in _files(self._folder / folder, start):
            relative = path.relative_to(self._folder).as_posix()
            try:
                # A broken link is listed, too: reading it fails with an error that names it.
                stat = path.stat() if path.exists() else path.lstat()
            except FileNotFoundError:
                continue
            written_at = datetime.fromtimestamp(stat.st_mtime, tz=UTC)
            found.append(StoredObject(relative, stat.st_size, _version(stat), written_at))
        return sorted(found)

    def read(self, name: str, version: str | None = None) -> bytes:
        """The bytes of a file.

        Raises:
            FileNotFoundError: there is no such file.
            ChangedObjectError: it was written again since it was listed.
        """
        with (self._folder / name).open("rb") as file:
            data = file.read()
            if version is not None and _version(os.fstat(file.fileno())) != version:
                raise ChangedObjectError(self.uri(name))
        return data

    def content_id(self, found: StoredObject) -> str:
        """SHA-256 of the file's bytes."""
        import hashlib  # here, as questions on the command line need none of it

        with self.local_copy(found.name).open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()

    def local_copy(self, name: str, version: str | None = None) -> Path:  # noqa: ARG002
        """The file itself, whatever its version.

        Raises:
            FileNotFoundError: there is no such file.
        """
        path = self._folder / name
        if not path.is_file():
            raise FileNotFoundError(errno.ENOENT, "no such file", str(path))
        return path

    def scratch(self, name: str) -> Path:
        """A hidden path in the object's folder: a rename within one file system is atomic.

        Raises:
            StorageError: the folder cannot be made, or may not be written to.
        """
        target = self._folder / name
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise StorageError(f"{self._folder} cannot be made: {error.strerror}") from error
        effective = os.access in os.supports_effective_ids
        if not os.access(target.parent, os.W_OK | os.X_OK, effective_ids=effective):
            raise StorageError(f"{target.parent} may not be written to")
        for stale in target.parent.glob(f".{target.name}.*.tmp"):
            # Left by a writer that was killed. A newer file may belong to a running writer.
            if time.time() - stale.stat().st_mtime > _STALE_SECONDS:
                stale.unlink(missing_ok=True)
        return target.with_name(f".{target.name}.{os.urandom(6).hex()}.tmp")

    def put(self, finished: Path, name: str) -> None:
        """Flush the file to disk and rename it."""
        target = self._folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        with finished.open("rb+") as file:
            os.fsync(file.fileno())
        finished.replace(target)
        _flush_folder(target.parent)

    def move(self, name: str, new_name: str) -> None:
        """Rename a file."""
        target = self._folder / new_name
        target.parent.mkdir(parents=True, exist_ok=True)
        (self._folder / name).replace(target)
        _flush_folder(target.parent)

    def delete(self, name: str) -> None:
        """Remove a file, and the folders above it that are then empty."""
        path = self._folder / name
        path.unlink(missing_ok=True)
        for parent in path.parents:
            if parent == self._folder or not parent.is_dir() or any(parent.iterdir()):
                break
            parent.rmdir()


def _files(folder: Path, start: str, above: frozenset[Path] = frozenset()) -> Iterator[Path]:
    """All files below a folder. A link to one of the folders above it is not followed.

    Args:
        folder: the folder.
        start: prefix of the names in that folder; other entries are skipped.
        above: the resolved paths of the folders above.

    Raises:
        StorageError: a folder may not be read.
    """
    real = folder.resolve()
    try:
        with os.scandir(folder) as entries:
            found = [entry for entry in entries if entry.name.startswith(start)]
    except (FileNotFoundError, NotADirectoryError):
        return
    except PermissionError as error:
        raise StorageError(f"{folder} may not be read") from error
    for entry in sorted(found, key=lambda entry: entry.name):
        path = folder / entry.name
        if not entry.is_dir():
            yield path
        elif path.resolve() not in above | {real}:
            yield from _files(path, "", above | {real})


def _version(stat: os.stat_result) -> str:
    return f"{stat.st_mtime_ns}-{stat.st_ctime_ns}-{stat.st_ino}"


def _flush_folder(folder: Path) -> None:
    """Flush a folder to disk, so that a rename in it survives a power cut."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
