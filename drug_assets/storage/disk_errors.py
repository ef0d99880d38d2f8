"""What an error of the local disk means, and what a person can do.

No space, a disk that can only be read, too many open files, and the like.

Errors of places that are no local disk belong to the stores themselves.
"""

from __future__ import annotations

import errno
import re
from pathlib import Path
from typing import TYPE_CHECKING

from drug_assets.storage.objects import StorageError

if TYPE_CHECKING:
    from collections.abc import Iterator

_MEANINGS = {
    errno.ENOSPC: "no space is left in {place}: make room and run again",
    errno.EDQUOT: "the quota of {place} is used up: make room and run again",
    errno.EROFS: "{place} can only be read: mount it for writing and run again",
    errno.EIO: "the disk of {place} reports an error: check it and run again",
    errno.EMFILE: "too many files are open: increase the limit (`ulimit -n`) and run again",
    errno.ENFILE: "too many files are open on this machine: close some and run again",
}
#: How libraries in Rust tell the error of the system that they met.
_OF_SYSTEM = re.compile(r"\(os error (\d+)\)")


def explain_disk_error(error: BaseException, place: str) -> StorageError | None:
    """What an error says about the disk that it happened on; None if it says nothing.

    Args:
        error: any error. The errors that caused it count, and libraries may tell the disk's error
            as part of a text.
        place: the folder that was in use, if the error names no file.
    """
    for each in _chain(error):
        number, path = None, None
        if isinstance(each, OSError):
            number, path = each.errno, each.filename
        elif found := _OF_SYSTEM.search(str(each)):
            number = int(found[1])
        if number in _MEANINGS:
            folder = str(Path(path).parent) if isinstance(path, str) else place
            return StorageError(_MEANINGS[number].format(place=folder))
    return None


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    """An error, and those that it was raised from or while they were handled."""
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        yield error
        error = error.__cause__ or error.__context__
