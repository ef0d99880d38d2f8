"""The local copies of objects that this process holds, for the step of a run that reads them.

Stores of buckets keep them here (`google.bucket`), and only this module removes one. A step that
begins drops those of the step before it, as one process runs one step at a time: a reader that
needs an object again copies it again. So temporary files follow what one step reads and writes, not
what a run does. Some small copies stay, as most of what it costs to make them again is the request.
Outside of a run, copies stay until the process ends, or whoever asked for one says that nobody
needs it any more.
"""

from __future__ import annotations

from contextlib import suppress
from functools import cache
from typing import TYPE_CHECKING

from drug_assets.storage.temporary import make_process_folder

if TYPE_CHECKING:
    from pathlib import Path

#: Copies below this size stay for the steps after, as long as there is room for them in all.
_SMALL_BYTES = 64 * 1024
_STAYING_BYTES = 32 * 1024**2
#: The step whose copies there are; at most one.
_STEPS: list[str] = []


@cache
def make_folder() -> Path:
    """The folder of the copies."""
    folder = make_process_folder() / "copies"
    folder.mkdir(exist_ok=True)
    return folder


def begin_step(step: str) -> None:
    """Drop the copies of the step before, unless this step has begun already.

    Args:
        step: the run and the key of the step.
    """
    if step not in _STEPS:
        _STEPS[:] = [step]
        _drop(_SMALL_BYTES, _STAYING_BYTES)


def discard(path: Path) -> None:
    """Remove a copy; a file that is none, as it lies in a store on this machine, stays."""
    if _has_folder() and make_folder() in path.parents:
        path.unlink(missing_ok=True)


def drop() -> None:
    """Remove all copies; what cannot be removed goes when the process ends."""
    _drop(0, 0)


def _drop(small_bytes: int, staying_bytes: int) -> None:
    """Remove copies, but for some small ones.

    Args:
        small_bytes: the size below which a copy stays; 0: none stays, an empty one neither.
        staying_bytes: how much may stay in all.
    """
    if not _has_folder():
        return
    with suppress(OSError):
        for copy in make_folder().iterdir():
            size_bytes = copy.stat().st_size
            if size_bytes < small_bytes and size_bytes <= staying_bytes:
                staying_bytes -= size_bytes
            else:
                copy.unlink(missing_ok=True)


def _has_folder() -> bool:
    """Whether there is a folder; where all stores are folders, there is none, also at the end."""
    return make_folder.cache_info().currsize > 0
