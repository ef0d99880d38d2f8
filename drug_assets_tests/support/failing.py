"""A local disk that fails: the nth call that touches a folder raises an error of the system.

Files are opened, written, flushed, linked, renamed, listed and removed through a few functions of
Python; those are replaced while a test runs.
"""

from __future__ import annotations

import errno
import os
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

#: What a disk says when it fails.
FAULTS = {
    "no space": errno.ENOSPC,
    "I/O error": errno.EIO,
    "permission": errno.EACCES,
    "read only": errno.EROFS,
}
#: The functions, each with the place where it is looked up.
_CALLS: tuple[tuple[Any, str], ...] = (
    (os, "open"),
    (os, "fsync"),
    (os, "scandir"),
    (os, "link"),
    (os, "symlink"),
    (os, "replace"),
    (os, "unlink"),
    (os, "rmdir"),
    (os, "mkdir"),
    (Path, "open"),
)


class Disk:
    """Counts the calls that touch a folder, and lets some of them fail."""

    def __init__(self, folder: Path, fault: int, fails: Callable[[int], bool]) -> None:
        """Fail the calls whose number `fails` accepts; the first has the number 1."""
        self.calls: list[str] = []
        #: The numbers of the calls that may change something.
        self.changes: list[int] = []
        self._folder = os.fspath(folder)
        self._fault = fault
        self._fails = fails

    def touch(self, name: str, arguments: tuple[Any, ...]) -> None:
        if name != "fsync" and not self._is_inside(arguments):
            return
        self.calls.append(name)
        if _changes(name, arguments):
            self.changes.append(len(self.calls))
        if self._fails(len(self.calls)):
            raise OSError(self._fault, os.strerror(self._fault), self._folder)

    def _is_inside(self, arguments: tuple[Any, ...]) -> bool:
        paths = [os.fspath(a) for a in arguments if isinstance(a, str | os.PathLike)]
        return any(isinstance(path, str) and path.startswith(self._folder) for path in paths)


def _changes(name: str, arguments: tuple[Any, ...]) -> bool:
    """Whether a call may change something: it does not only list, or open to read."""
    if name != "open":
        return name != "scandir"
    how = arguments[1] if len(arguments) > 1 else "r"
    if isinstance(how, str):
        return how not in {"r", "rb"}
    return bool(how & (os.O_WRONLY | os.O_RDWR | os.O_CREAT))


@contextmanager
def failing(folder: Path, fault: int, fails: Callable[[int], bool]) -> Iterator[Disk]:
    """While this lasts, some calls that touch a folder fail.

    Args:
        folder: the folder.
        fault: the number of the error that they raise.
        fails: whether the nth call fails; the first has the number 1.
    """
    disk = Disk(folder, fault, fails)
    originals = [(place, name, getattr(place, name)) for place, name in _CALLS]

    def replace(name: str, original: Callable[..., Any]) -> Callable[..., Any]:
        def call(*arguments: Any, **named: Any) -> Any:
            disk.touch(name, arguments)
            return original(*arguments, **named)

        return call

    try:
        for place, name, original in originals:
            setattr(place, name, replace(name, original))
        yield disk
    finally:
        for place, name, original in originals:
            setattr(place, name, original)
