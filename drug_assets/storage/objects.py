"""Named objects in one place, a local folder here, a bucket in `gcs`: listed, read, put whole.

Whatever the place, an object is only ever replaced by a finished one: a reader or a crash meets the
old bytes or the new ones, never half of them.
"""

from __future__ import annotations

import errno
import hashlib
import os
import secrets
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_STALE_SECONDS = 24 * 3600


class StorageError(Exception):
    """A place that cannot be used, with what a person can do about it."""


class ChangedObjectError(StorageError):
    """An object that was written again between listing and reading it."""

    def __init__(self, uri: str) -> None:
        super().__init__(f"{uri} was written again while it was being read: run again")


@dataclass(frozen=True, order=True)
class StoredObject:
    """An object as it is listed."""

    name: str
    size_bytes: int
    #: Differs whenever the object was written again; says nothing about its bytes.
    version: str
    #: When it was written, in UTC.
    written_at: datetime
    #: Identity of its bytes, where the place lists it.
    content: str | None = None


class ObjectStore(Protocol):
    """A place of named objects. Names use forward slashes."""

    def uri(self, name: str = "") -> str:
        """Where the object lies, for people."""
        ...

    def objects(self, prefix: str = "") -> list[StoredObject]:
        """All objects whose name starts so, sorted by name.

        Raises:
            StorageError: the place does not exist or may not be read.
        """
        ...

    def read(self, name: str, version: str | None = None) -> bytes:
        """The bytes of an object, of the version that was listed if one is given.

        Raises:
            FileNotFoundError: there is no such object.
            ChangedObjectError: it is of another version by now.
        """
        ...

    def content_id(self, found: StoredObject) -> str:
        """An identity of the object's bytes: other bytes have another one."""
        ...

    def local_copy(self, name: str, version: str | None = None) -> Path:
        """A local file with the object's bytes, to be read only.

        Of the version that was listed if one is given: then nobody is asked for a copy that is
        here already.

        Raises:
            FileNotFoundError: there is no such object.
        """
        ...

    def scratch(self, name: str) -> Path:
        """A fresh local path to write what `put` will make the object."""
        ...

    def put(self, finished: Path, name: str) -> None:
        """Make a finished local file the object, whole; the file is used up."""
        ...

    def move(self, name: str, new_name: str) -> None:
        """Rename an object, replacing the one that has the new name."""
        ...

    def delete(self, name: str) -> None:
        """Remove an object; one that is not there is no error."""
        ...


class LocalFolder:
    """Objects are the files below a folder."""

    def __init__(self, folder: Path, *, must_exist: bool = False) -> None:
        """Use a folder; `must_exist` makes listing a missing one an error instead of empty."""
        self._folder = folder
        self._must_exist = must_exist

    def uri(self, name: str = "") -> str:
        """The path of an object."""
        return str(self._folder / name) if name else str(self._folder)

    def objects(self, prefix: str = "") -> list[StoredObject]:
        """All files below the folder whose relative path starts so; links are followed."""
        if not self._folder.is_dir():
            if self._folder.exists():
                raise StorageError(f"{self._folder} is not a folder")
            if self._must_exist:
                raise StorageError(f"there is no folder {self._folder}")
        found = []
        for path in _files(self._folder / prefix.rpartition("/")[0]):
            relative = path.relative_to(self._folder).as_posix()
            if not relative.startswith(prefix):
                continue
            try:
                # A link to nothing is there, too: it fails when it is read, by its name.
                stat = path.stat() if path.exists() else path.lstat()
            except FileNotFoundError:
                continue
            written_at = datetime.fromtimestamp(stat.st_mtime, tz=UTC)
            found.append(StoredObject(relative, stat.st_size, _version(stat), written_at))
        return sorted(found)

    def read(self, name: str, version: str | None = None) -> bytes:
        """The bytes of a file."""
        with (self._folder / name).open("rb") as file:
            data = file.read()
            if version is not None and _version(os.fstat(file.fileno())) != version:
                raise ChangedObjectError(self.uri(name))
        return data

    def content_id(self, found: StoredObject) -> str:
        """SHA-256 of the file's bytes."""
        with self.local_copy(found.name).open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()

    def local_copy(self, name: str, version: str | None = None) -> Path:  # noqa: ARG002
        """The file itself, of whatever version."""
        path = self._folder / name
        if not path.is_file():
            raise FileNotFoundError(errno.ENOENT, "no file, or a link to nothing", str(path))
        return path

    def scratch(self, name: str) -> Path:
        """A hidden path beside the object: a rename within one file system is atomic."""
        target = self._folder / name
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise StorageError(f"{self._folder} cannot be made: {error.strerror}") from error
        effective = os.access in os.supports_effective_ids
        if not os.access(target.parent, os.W_OK | os.X_OK, effective_ids=effective):
            raise StorageError(f"{target.parent} may not be written to")
        for stale in target.parent.glob(f".{target.name}.*.tmp"):
            # Left by a writer that was killed; a younger one may still be at work.
            if time.time() - stale.stat().st_mtime > _STALE_SECONDS:
                stale.unlink(missing_ok=True)
        return target.with_name(f".{target.name}.{secrets.token_hex(6)}.tmp")

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
        """Remove a file, and the folders that it leaves empty."""
        path = self._folder / name
        path.unlink(missing_ok=True)
        for parent in path.parents:
            if parent == self._folder or not parent.is_dir() or any(parent.iterdir()):
                break
            parent.rmdir()


def _files(folder: Path, above: frozenset[Path] = frozenset()) -> Iterator[Path]:
    """Everything below a folder that is no folder; a link back to one above leads nowhere.

    Raises:
        StorageError: a folder may not be read.
    """
    real = folder.resolve()
    try:
        entries = sorted(os.scandir(folder), key=lambda entry: entry.name)
    except (FileNotFoundError, NotADirectoryError):
        return
    except PermissionError as error:
        raise StorageError(f"{folder} may not be read") from error
    for entry in entries:
        path = folder / entry.name
        if not entry.is_dir():
            yield path
        elif path.resolve() not in above | {real}:
            yield from _files(path, above | {real})


def _version(stat: os.stat_result) -> str:
    return f"{stat.st_mtime_ns}-{stat.st_ctime_ns}-{stat.st_ino}"


def _flush_folder(folder: Path) -> None:
    """Make a rename survive a power cut."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
