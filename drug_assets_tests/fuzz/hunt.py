"""Look for inputs of which something does not hold, and make them small.

Which inputs there are, and what must hold, belongs to `targets`.
"""

from __future__ import annotations

import hashlib
import multiprocessing
import os
import shutil
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

from drug_assets_tests.fuzz import targets
from drug_assets_tests.fuzz.seeds import MAKERS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from drug_assets_tests.fuzz.seeds import Landed

FAILURES = Path(__file__).parent / "failures"
#: Files of one landing zone.
ZONE_FILES = 30
#: A reader that takes longer hangs: inputs are small.
_HANGS_SECONDS = 20.0
#: Attempts to make a failure smaller.
_MOST_ATTEMPTS = 400


class HangError(Exception):
    """A reader takes too long."""


def hunt(seconds: float, folder: Path = FAILURES) -> tuple[int, list[Path]]:
    """Try inputs on all cores.

    Args:
        seconds: how long.
        folder: where the inputs are put of which something does not hold.

    Returns:
        The number of inputs tried, and the files of those that failed.
    """
    start = time.time_ns()
    context = multiprocessing.get_context("spawn")
    workers = os.cpu_count() or 1
    with context.Pool(workers) as pool:
        tasks = [(start + number, workers, seconds, folder) for number in range(workers)]
        results = pool.starmap(_hunt_alone, tasks)
    return sum(tried for tried, _ in results), sorted({p for _, paths in results for p in paths})


def _hunt_alone(first_seed: int, step: int, seconds: float, folder: Path) -> tuple[int, list[Path]]:
    end = time.monotonic() + seconds
    tried = 0
    failed: list[Path] = []
    for seed in _count(first_seed, step):
        if time.monotonic() > end:
            break
        files = [
            targets.make_input(name, seed * ZONE_FILES + n) for n in range(8) for name in MAKERS
        ]
        tried += len(files)
        whole = [file for file in files if not _fails_alone(file, folder, failed)]
        if _fails(lambda: _check_path(whole)):  # noqa: B023 - called at once
            failed += [_keep("path", file, folder) for file in _narrow(whole)]
    return tried, failed


def _count(first: int, step: int) -> Iterator[int]:
    while True:
        yield first
        first += step


def _fails_alone(file: Landed, folder: Path, failed: list[Path]) -> bool:
    """Whether the reader of a file fails; then the file is kept, as small as it can be made."""
    name, data = file

    def fails(smaller: bytes) -> bool:
        return _fails(lambda: _check_in_time(name, smaller))

    if not fails(data):
        return False
    failed.append(_keep("reader", (name, shrink(data, fails)), folder))
    return True


def _check_in_time(name: str, data: bytes) -> None:
    begin = time.process_time()
    targets.check_reader(name, data)
    targets.check_memory(name, data)
    targets.check_work(name, data)
    if time.process_time() - begin > _HANGS_SECONDS:
        raise HangError


def _check_path(files: list[Landed]) -> None:
    folder = Path(tempfile.mkdtemp(prefix="drug-assets-fuzz-"))
    try:
        targets.check_path(files, folder)
    finally:
        shutil.rmtree(folder)


def _narrow(files: list[Landed]) -> list[Landed]:
    """Files that fail together, without those that can be left out."""
    for file in list(files):
        others = [other for other in files if other is not file]
        if _fails(lambda: _check_path(others)):  # noqa: B023 - called at once
            files = others
    return files


def _fails(check: Callable[[], object]) -> bool:
    try:
        check()
    except (KeyboardInterrupt, SystemExit):
        raise
    except BaseException:  # noqa: BLE001 - whatever it is, it is what we look for
        return True
    return False


def shrink(data: bytes, fails: Callable[[bytes], bool]) -> bytes:
    """Bytes that fail, too, and from which no piece could be taken away.

    Args:
        data: bytes that fail.
        fails: whether bytes fail.
    """
    size = len(data)
    attempts = 0
    while size:
        at = 0
        while at < len(data) and attempts < _MOST_ATTEMPTS:
            smaller = data[:at] + data[at + size :]
            attempts += 1
            if smaller != data and fails(smaller):
                data = smaller
            else:
                at += size
        size //= 2
    return data


def _keep(target: str, file: Landed, folder: Path) -> Path:
    name, data = file
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{target}-{hashlib.sha256(data).hexdigest()[:8]}-{name}"
    path.write_bytes(data)
    return path
