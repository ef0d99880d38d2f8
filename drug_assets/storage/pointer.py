"""The pointer of a store: the one thing that says which release is current.

Each kind of place keeps it in its own way, and replaces it in one step if it still is what a run
expects: a bucket in the object `latest.json`, a folder in the link `latest`, or in the file
`latest.json` where the file system has no links. What a release is belongs to `releases`.
"""

from __future__ import annotations

import errno
import os
import re
import threading
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from drug_assets.errors import DrugAssetsError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

#: The prefix of the objects of all releases.
RELEASES = "releases/"
#: The pointer of a bucket, and of a folder without links.
POINTER_DOCUMENT = "latest.json"
#: The pointer of a folder.
LINK = "latest"
_LOCK = ".lock"
_ID = r"[0-9]{8}T[0-9]{6}\.[0-9]{6}Z-[0-9a-f]{6}"
#: A link to a release, or a way to it through the release that was left for it.
_TARGET = re.compile(rf"{RELEASES}(?:(?P<left>{_ID})/\.\./)?(?P<release>{_ID})")
#: Errors of a file system that has no links.
_NO_LINKS = (errno.EPERM, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS)


class DamagedPointerError(DrugAssetsError):
    """The pointer of a store does not name a release."""

    def __init__(self, uri: str) -> None:
        super().__init__(
            f"{uri} does not name a release: remove it, and a run makes everything again; or point "
            "it at a folder of `releases/`"
        )


@dataclass(frozen=True)
class Pointer:
    """Which release of a store is current."""

    release: str
    #: After a rollback, the newest release, which was left for this one.
    left: str | None = None
    #: All releases that were ever current and are still kept, the oldest first.
    releases: tuple[str, ...] = field(default=(), compare=False)

    @property
    def newest(self) -> str:
        """The newest release, whether or not a rollback left it."""
        return self.left or self.release

    def to_document(self) -> str:
        """The pointer as the text of `latest.json`."""
        import json  # questions about a folder need none of it

        document = {"release": self.release, "left": self.left, "releases": self.releases}
        return json.dumps(document, indent=2) + "\n"

    @classmethod
    def of_document(cls, document: bytes, uri: str) -> Pointer:
        """The pointer in a text that `to_document` made.

        Raises:
            DamagedPointerError: the text names no release.
        """
        import json

        try:
            values = json.loads(document)
            named = cls(values["release"], values["left"], tuple(values["releases"]))
            ids = [named.newest, named.release, *named.releases]
            if all(re.fullmatch(_ID, release) for release in ids):
                return named
        except (ValueError, TypeError, KeyError):
            pass
        raise DamagedPointerError(uri)


def read_pointer(folder: Path) -> Pointer | None:
    """The pointer of a folder; None before its first release.

    Raises:
        DamagedPointerError: there is one, and it does not name a release.
    """
    link = folder / LINK
    try:
        target = _TARGET.fullmatch(link.readlink().as_posix())
    except (FileNotFoundError, NotADirectoryError):
        return _read_document(folder / POINTER_DOCUMENT)
    except OSError:  # it is no link
        raise DamagedPointerError(str(link)) from None
    if target is None:
        raise DamagedPointerError(str(link))
    pointer = Pointer(target["release"], target["left"])
    try:
        found = sorted(entry.name for entry in os.scandir(folder / RELEASES))
    except FileNotFoundError:
        found = []
    # Ids sort by time, and a run that has not released yet holds the lock: what is newer than the
    # newest release was never one.
    kept = tuple(id_ for id_ in found if re.fullmatch(_ID, id_) and id_ <= pointer.newest)
    return Pointer(pointer.release, pointer.left, kept)


def _read_document(path: Path) -> Pointer | None:
    try:
        return Pointer.of_document(path.read_bytes(), str(path))
    except (FileNotFoundError, NotADirectoryError):
        return None


def write_pointer(folder: Path, pointer: Pointer) -> None:
    """Replace the pointer of a folder in one step; the caller holds the folder's lock."""
    for stale in folder.glob(f".{LINK}.*.tmp"):
        stale.unlink(missing_ok=True)  # of a process that was killed: nobody else holds the lock
    back = f"{pointer.left}/../" if pointer.left else ""
    scratch = folder / f".{LINK}.{os.urandom(6).hex()}.tmp"
    target = folder / LINK
    try:
        try:
            scratch.symlink_to(f"{RELEASES}{back}{pointer.release}")
        except OSError as error:
            if error.errno not in _NO_LINKS:
                raise
            target = folder / POINTER_DOCUMENT
            with scratch.open("w", encoding="utf-8") as file:
                file.write(pointer.to_document())
                file.flush()
                os.fsync(file.fileno())
        scratch.replace(target)
    finally:
        scratch.unlink(missing_ok=True)
    if target.name == LINK:  # a folder that was copied to a file system with links
        (folder / POINTER_DOCUMENT).unlink(missing_ok=True)


class _Lock:
    """A lock of this process on a folder: reentrant, and shared by its threads one at a time."""

    def __init__(self) -> None:
        self.of_threads = threading.RLock()
        self.depth = 0
        self.descriptor = -1


_LOCKS: dict[str, _Lock] = {}


@contextmanager
def lock_folder(folder: Path) -> Iterator[None]:
    """Hold the lock of a folder, for which others wait; the kernel drops it with the process."""
    import fcntl

    folder.mkdir(parents=True, exist_ok=True)
    lock = _LOCKS.setdefault(str(folder.resolve()), _Lock())
    with lock.of_threads:
        if lock.depth == 0:
            lock.descriptor = os.open(folder / _LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
            try:
                fcntl.flock(lock.descriptor, fcntl.LOCK_EX)
            except BaseException:
                os.close(lock.descriptor)
                raise
        lock.depth += 1
        try:
            yield
        finally:
            lock.depth -= 1
            if lock.depth == 0:
                os.close(lock.descriptor)


#: The descriptors of the files that this process holds, by path.
_HELD: dict[str, int] = {}


def hold_file(path: Path) -> None:
    """Mark a file as in use by this process, until it is removed or the process ends."""
    import fcntl

    key = str(path.resolve())
    if key in _HELD and path.exists():
        return
    drop_file(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
    fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    _HELD[key] = descriptor


def drop_file(path: Path) -> None:
    """Undo `hold_file`."""
    descriptor = _HELD.pop(str(path.resolve()), None)
    if descriptor is not None:
        os.close(descriptor)


def is_file_held(path: Path) -> bool:
    """Whether a process that still lives holds a file."""
    import fcntl

    if str(path.resolve()) in _HELD:
        return True
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CLOEXEC)
    except FileNotFoundError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(descriptor)
    return False
