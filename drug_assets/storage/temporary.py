"""Temporary folders of processes, below TMPDIR: made once per process, removed with it.

A process that is killed leaves its folder; the next run removes it, and so does the next process
that needs a folder. It is known to be left over because nobody holds the lock on a file in it.
"""

from __future__ import annotations

import atexit
import os
import shutil
import tempfile
import time
from contextlib import suppress
from functools import cache
from pathlib import Path

from drug_assets.storage.pointer import hold_file, is_file_held

_PREFIX = "drug-assets-"
#: The name until the process holds its folder. It does so at once; a folder that still has this
#: name after an hour is of a process that was killed before.
_STARTING = f"{_PREFIX}starting-"
_STARTED_SECONDS = 3600
#: The file that a process holds in its folder. A folder without it may be somebody's own.
_ALIVE = ".drug-assets-alive"


@cache
def make_process_folder() -> Path:
    """The temporary folder of this process; removed when the process ends."""
    remove_folders_of_dead_processes()
    made = Path(tempfile.mkdtemp(prefix=_STARTING))
    with suppress(OSError):  # a file system without locks: nothing of it is ever removed
        hold_file(made / _ALIVE)
    # It gets its name when the lock is held: no other process can take it for left over.
    folder = made.rename(made.with_name(f"{_PREFIX}{made.name.removeprefix(_STARTING)}"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder


def remove_folders_of_dead_processes() -> list[Path]:
    """Remove the temporary folders of processes that were killed; return these folders."""
    removed = []
    folders: list[os.DirEntry[str]] = []
    # Where a user may make folders, and not see those of others, each process needs its own still.
    with suppress(PermissionError), os.scandir(tempfile.gettempdir()) as entries:
        folders += (e for e in entries if e.name.startswith(_PREFIX))
    for entry in folders:
        try:
            if entry.is_dir(follow_symlinks=False) and _is_left_over(Path(entry.path)):
                shutil.rmtree(entry.path)
                removed.append(Path(entry.path))
        except OSError:  # of another user, or another process removed it
            continue
    return removed


def _is_left_over(folder: Path) -> bool:
    alive, status = folder / _ALIVE, folder.stat()
    if status.st_uid != os.geteuid():
        return False
    is_starting = folder.name.startswith(_STARTING)
    if is_starting and time.time() - status.st_mtime < _STARTED_SECONDS:
        return False
    if alive.exists():
        return not is_file_held(alive)
    return is_starting and not any(folder.iterdir())
