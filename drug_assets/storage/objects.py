"""Stores of named objects: list, read and replace objects in one place.

`LocalFolder` stores them in a local folder, `google.bucket` in a bucket. Every store replaces an
object in one step: a reader finds the old bytes or the new ones, never a mix, even after a crash.
A store also has one pointer, which it replaces only if nobody else did (`pointer`).
"""

from __future__ import annotations

import errno
import os
import re
import stat
import time
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from drug_assets.errors import DrugAssetsError
from drug_assets.storage import pointer as pointers

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager

    from drug_assets.storage.pointer import Pointer

_STALE_SECONDS = 24 * 3600
#: A file that changed less than this ago could change again within the same tick of the file
#: system's clock (two seconds on FAT), and its times would stay the same.
_TICK = timedelta(seconds=2)
#: A path that `scratch` returned.
_SCRATCH = re.compile(r"\..+\.[0-9a-f]{12}\.tmp")
#: Errors of a file system without hard links, or with no more of them for this file.
_NO_HARD_LINKS = (errno.EPERM, errno.ENOTSUP, errno.EOPNOTSUPP, errno.EMLINK, errno.EXDEV)


class StorageError(DrugAssetsError):
    """A place cannot be used; the message explains what a person can do."""


class UnavailableError(StorageError):
    """A place cannot be used at the moment: the same call can succeed later."""


class ChangedObjectError(UnavailableError):
    """An object was written again between listing and reading it."""

    def __init__(self, uri: str) -> None:
        super().__init__(f"{uri} was written again while it was being read: run again")


class ConflictError(StorageError):
    """Another run published in between; nothing of this one became visible."""


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
    #: When it last changed at all, in UTC, if the store knows: an old file that was copied here
    #: was written long ago, and changed just now.
    changed_at: datetime | None = None

    @property
    def state(self) -> str:
        """Its size and version: if it is settled, these differ once its bytes differ."""
        return f"{self.size_bytes}-{self.version}"

    @property
    def is_numbered(self) -> bool:
        """Whether its store gives each write another version, and does not tell them by the time.

        Such a store lists the identity of the bytes, too.
        """
        return self.content is not None

    def is_settled(self, now: datetime | None = None) -> bool:
        """Whether any later change will change `state`, too.

        Args:
            now: the current time; read from the clock if not given.
        """
        if self.is_numbered:
            return True
        changed_at = max(self.written_at, self.changed_at or self.written_at)
        return (now or datetime.now(tz=UTC)) - changed_at > _TICK


class ObjectStore(Protocol):
    """Named objects in one place. Names use forward slashes."""

    #: Whether `lock` and `hold` keep other processes out.
    has_locks: bool

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
        then used without a request. A place that makes copies drops them when the next step of a
        run begins (`copies`).

        Raises:
            FileNotFoundError: there is no such object.
        """
        ...

    def local_footer(self, found: StoredObject) -> Path:
        """A local file with the footer of a Parquet file, its metadata, for reading only.

        Its rows may be missing: to count them, or to read what was noted of them, takes no copy.

        Raises:
            FileNotFoundError: there is no such object.
        """
        ...

    def borrow(self, name: str, version: str) -> AbstractContextManager[Path]:
        """A local file with the bytes of a listed version, for as long as the context lasts.

        Unlike `local_copy`, it leaves nothing behind: what is read once needs no room afterwards.

        Raises:
            FileNotFoundError: there is no such object.
            ChangedObjectError: the object has another version by now. Where that can only be seen
                at the end, it is raised in place of what the caller raised.
        """
        ...

    def scratch(self, name: str) -> Path:
        """A new local path: the content of an object is written here, then passed to `put`."""
        ...

    def discard_scratch(self) -> list[str]:
        """Remove what killed processes left of `scratch`; return the names.

        Only for a caller that holds the lock, while no process may be writing.
        """
        ...

    def put(self, finished: Path, name: str) -> None:
        """Store a finished local file as an object in one step; the local file is removed."""
        ...

    def copy(self, name: str, new_name: str) -> None:
        """Give an object a second name that does not exist yet, without new bytes if possible.

        Raises:
            FileNotFoundError: there is no such object.
        """
        ...

    def delete(self, name: str) -> None:
        """Remove an object; do nothing if it does not exist."""
        ...

    def pointer(self) -> Pointer | None:
        """Which release is current; None before the first.

        Raises:
            DamagedPointerError: the pointer does not name a release.
        """
        ...

    def swap_pointer(self, expected: Pointer | None, new: Pointer) -> bool:
        """Replace the pointer in one step if it is still the expected one; return whether it was.

        `releases` is not compared.
        """
        ...

    def lock(self) -> AbstractContextManager[None]:
        """Wait until no other process holds the store's lock, then hold it.

        A place that cannot lock lets everybody in: `swap_pointer` alone must be safe there.
        """
        ...

    def hold(self, name: str) -> None:
        """Mark an object as in use by this process; it is made if it does not exist."""
        ...

    def is_held(self, name: str) -> bool | None:
        """Whether a living process holds an object; None without locks, where nobody knows."""
        ...


#: By URI, the state in which this process identified an object, and its identity.
_IDENTIFIED: dict[str, tuple[str, str]] = {}


def identify(store: ObjectStore, found: StoredObject) -> str:
    """`ObjectStore.content_id`, which is not computed again for an object that did not change.

    Raises:
        OSError: the object cannot be read.
    """
    uri = store.uri(found.name)
    state, content = _IDENTIFIED.get(uri, ("", ""))
    if state != found.state:
        is_settled = found.is_settled()  # asked before it is read
        content = store.content_id(found)
        if is_settled:
            _IDENTIFIED[uri] = (found.state, content)
    return content


def write_text(store: ObjectStore, name: str, text: str) -> None:
    """Store a short text as an object, in one step.

    Args:
        store: the store.
        name: name of the object.
        text: its content.
    """
    scratch = store.scratch(name)
    try:
        scratch.write_text(text, encoding="utf-8")
        store.put(scratch, name)
    finally:
        scratch.unlink(missing_ok=True)


class LocalFolder:
    """A store whose objects are the files below a folder."""

    has_locks = True

    def __init__(self, folder: Path, *, must_exist: bool = False) -> None:
        """Use a folder. Listing a missing folder is an error with `must_exist`, else empty."""
        self._folder = folder
        self._must_exist = must_exist

    def __reduce__(self) -> tuple[Callable[..., LocalFolder], tuple[Path]]:
        """Pickle the whole path: another process can stand in another folder."""
        opened = partial(LocalFolder, must_exist=self._must_exist)
        return opened, (self._folder.absolute(),)

    def uri(self, name: str = "") -> str:
        """The path of an object; without a name, that of the folder."""
        return str(self._folder / name) if name else str(self._folder)

    def objects(self, prefix: str = "") -> list[StoredObject]:
        """All files below the folder whose relative path starts with `prefix`; follows links.

        What cannot be opened is listed, too (a link to nothing, a pipe, a folder below the first
        one that may not be read): an attempt to read it fails with an error that says what it is.

        Raises:
            StorageError: the path is not a folder, or may not be read, or the folder must exist and
                is missing.
        """
        if not self._folder.is_dir():
            if self._folder.exists():
                raise StorageError(f"{self._folder} is not a folder")
            if self._must_exist:
                raise StorageError(f"there is no folder {self._folder}")
        found = []
        folder, _, start = prefix.rpartition("/")
        # Texts: to make an object of each path takes longer than to list it.
        top = f"{self._folder}/".replace("//", "/")
        for path in _files(f"{top}{folder}", start):
            relative = path.removeprefix(top)
            try:
                status = _status(path)
            except FileNotFoundError:
                continue
            found.append(
                StoredObject(
                    relative,
                    status.st_size,
                    _version(status),
                    written_at=datetime.fromtimestamp(status.st_mtime, tz=UTC),
                    changed_at=datetime.fromtimestamp(status.st_ctime, tz=UTC),
                )
            )
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
        """SHA-256 of the file's bytes.

        Raises:
            OSError: it is no file that can be read; `strerror` says what it is.
        """
        import hashlib  # here, as questions on the command line need none of it

        with self.local_copy(found.name).open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()

    def local_copy(self, name: str, version: str | None = None) -> Path:  # noqa: ARG002
        """The file itself, whatever its version.

        Raises:
            FileNotFoundError: there is no such file; `strerror` says what there is instead.
        """
        path = self._folder / name
        problem = _why_not_a_file(path)
        if problem is not None:
            raise FileNotFoundError(errno.ENOENT, problem, str(path))
        return path

    def local_footer(self, found: StoredObject) -> Path:
        """The file itself, whatever its version."""
        return self.local_copy(found.name)

    @contextmanager
    def borrow(self, name: str, version: str) -> Iterator[Path]:
        """The file itself.

        Raises:
            FileNotFoundError: there is no such file; `strerror` says what there is instead.
            ChangedObjectError: it was written again since it was listed.
        """
        path = self.local_copy(name)
        try:
            yield path
        finally:
            if not path.exists() or _version(path.stat()) != version:
                raise ChangedObjectError(self.uri(name))

    def scratch(self, name: str) -> Path:
        """A hidden path in the object's folder: a rename within one file system is atomic.

        Raises:
            StorageError: the folder cannot be made, or may not be written to.
        """
        target = self._folder / name
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            is_dangling = self._folder.is_symlink() and not self._folder.exists()
            why = "it is a link to nothing" if is_dangling else error.strerror
            raise StorageError(f"{self._folder} cannot be made: {why}") from error
        effective = os.access in os.supports_effective_ids
        if not os.access(target.parent, os.W_OK | os.X_OK, effective_ids=effective):
            raise StorageError(f"{target.parent} may not be written to")
        begins = f".{target.name}."
        with suppress(PermissionError), os.scandir(target.parent) as entries:
            for entry in entries:
                if entry.name.startswith(begins) and _SCRATCH.fullmatch(entry.name):
                    _remove_if_stale(Path(entry.path))
        return target.with_name(f".{target.name}.{os.urandom(6).hex()}.tmp")

    def discard_scratch(self) -> list[str]:
        """Remove the scratch of writers that were killed, and empty folders; follow no links."""
        removed = []
        for folder, folders, files in os.walk(self._folder, topdown=False):
            # A link to a folder is listed as one.
            for name in [*folders, *files]:
                path = Path(folder, name)
                if _SCRATCH.fullmatch(name) and (path.is_symlink() or not path.is_dir()):
                    path.unlink(missing_ok=True)
                    removed.append(path.relative_to(self._folder).as_posix())
            if Path(folder) != self._folder:
                with suppress(OSError):  # it is not empty
                    Path(folder).rmdir()
        return removed

    def put(self, finished: Path, name: str) -> None:
        """Flush the file to disk and rename it."""
        target = self._folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        with finished.open("rb+") as file:
            os.fsync(file.fileno())
        finished.replace(target)
        _flush_folder(target.parent)

    def copy(self, name: str, new_name: str) -> None:
        """Link a file to another name; where the file system has no such links, copy it.

        Files are never written in place, so both names keep their bytes whatever happens to one.
        """
        source, target = self._folder / name, self._folder / new_name
        target.parent.mkdir(parents=True, exist_ok=True)
        try:
            target.hardlink_to(source)
        except OSError as error:
            if error.errno not in _NO_HARD_LINKS:
                raise
            import shutil

            scratch = self.scratch(new_name)
            try:
                shutil.copyfile(source, scratch)
                self.put(scratch, new_name)
            finally:
                scratch.unlink(missing_ok=True)
        _flush_folder(target.parent)

    def delete(self, name: str) -> None:
        """Remove a file, and the folders above it that are then empty."""
        path = self._folder / name
        pointers.drop_file(path)
        path.unlink(missing_ok=True)
        for parent in path.parents:
            if parent == self._folder:
                break
            try:
                parent.rmdir()
            except OSError:  # it is not empty, or another process removed it
                break

    def pointer(self) -> Pointer | None:
        """The release that the link `latest` leads to, or that `latest.json` names."""
        return pointers.read_pointer(self._folder)

    def swap_pointer(self, expected: Pointer | None, new: Pointer) -> bool:
        """Replace the link, under the folder's lock."""
        with self.lock():
            if self.pointer() != expected:
                return False
            pointers.write_pointer(self._folder, new)
            _flush_folder(self._folder)
        return True

    def lock(self) -> AbstractContextManager[None]:
        """Hold the kernel's lock on the hidden file `.lock`."""
        return pointers.lock_folder(self._folder)

    def hold(self, name: str) -> None:
        """Hold a shared lock of the kernel on a file until it is deleted or the process ends."""
        pointers.hold_file(self._folder / name)

    def is_held(self, name: str) -> bool:
        """Whether any process holds the file."""
        return pointers.is_file_held(self._folder / name)


def _remove_if_stale(scratch: Path) -> None:
    """Remove what a writer that was killed left; a newer file may belong to a running writer."""
    with suppress(FileNotFoundError):
        if time.time() - scratch.stat().st_mtime > _STALE_SECONDS:
            scratch.unlink()


def _files(folder: str, start: str, above: frozenset[str] = frozenset()) -> Iterator[str]:
    """All files below a folder, and what is neither a file nor a folder that can be entered.

    A link to one of the folders above it is not followed.

    Args:
        folder: the folder.
        start: prefix of the names in that folder; other entries are skipped.
        above: the resolved paths of the folders above.

    Raises:
        StorageError: the folder may not be read.
    """
    real = os.path.realpath(folder)
    try:
        with os.scandir(folder) as entries:
            found = [entry for entry in entries if entry.name.startswith(start)]
    except (FileNotFoundError, NotADirectoryError):
        return
    except OSError as error:
        if above:  # whoever asked knows whether it matters
            yield folder
            return
        raise StorageError(f"{Path(folder)} may not be read: {error.strerror}") from error
    for entry in sorted(found, key=lambda entry: entry.name):
        if not _is_folder(entry):
            yield entry.path
        elif os.path.realpath(entry.path) not in above | {real}:
            yield from _files(entry.path, "", above | {real})


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:  # a link to itself, or into a folder that may not be entered
        return False


def _status(path: str) -> os.stat_result:
    """The status of what a path leads to; that of a link itself if it leads nowhere."""
    try:
        return os.stat(path)  # noqa: PTH116
    except OSError:
        return os.lstat(path)


#: Kinds of entries of a folder that are never opened: to read one can wait for ever.
_NO_FILES = (
    (stat.S_ISDIR, "a folder that may not be read"),
    (stat.S_ISFIFO, "a pipe (FIFO)"),
    (stat.S_ISSOCK, "a socket"),
    (stat.S_ISBLK, "a device"),
    (stat.S_ISCHR, "a device"),
)


def _why_not_a_file(path: Path) -> str | None:
    """What a path leads to, if that is not a file; None if it is one."""
    try:
        mode = path.stat().st_mode
    except OSError as error:
        if error.errno == errno.ELOOP:
            return "a link to itself"
        if error.errno == errno.EACCES:
            return "no permission to read it"
        return "a link to nothing" if path.is_symlink() else "no such file"
    return next((kind for is_kind, kind in _NO_FILES if is_kind(mode)), None)


def _version(status: os.stat_result) -> str:
    return f"{status.st_mtime_ns}-{status.st_ctime_ns}-{status.st_ino}"


def _flush_folder(folder: Path) -> None:
    """Flush a folder to disk, so that a rename in it survives a power cut."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
