"""Look for files that fail a check, and make them smaller.

Making the files and checking them belongs to `targets`. A file that fails is kept at once, so that
it is not lost, and then made smaller while there is time.
"""

from __future__ import annotations

import hashlib
import itertools
import math
import multiprocessing
import os
import shutil
import signal
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from drug_assets_tests.fuzz import targets
from drug_assets_tests.fuzz.seeds import MAKERS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from drug_assets_tests.fuzz.seeds import Landed

FAILURES = Path(__file__).parent / "failures"
#: Files of each format in one landing zone.
_FILES_OF_FORMAT = 8
#: Processor time after which a reader counts as hanging: inputs are small.
HANGS_SECONDS = 20.0
#: Limit on the attempts to make a failure smaller.
_MOST_ATTEMPTS = 400


class HangError(Exception):
    """A reader takes too long."""


def hunt(seconds: float, folder: Path = FAILURES) -> tuple[int, dict[Path, str]]:
    """Try inputs on all cores.

    Args:
        seconds: how long.
        folder: where the inputs that fail are put.

    Returns:
        The number of inputs tried, and the files of those that failed, with what failed.
    """
    start = time.time_ns()
    context = multiprocessing.get_context("spawn")
    workers = os.cpu_count() or 1
    with context.Pool(workers) as pool:
        tasks = [(start + number, workers, seconds, folder) for number in range(workers)]
        results = pool.starmap(_hunt_alone, tasks)
    return sum(tried for tried, _ in results), {
        p: w for _, kept in results for p, w in kept.items()
    }


def _hunt_alone(
    first_seed: int, step: int, seconds: float, folder: Path
) -> tuple[int, dict[Path, str]]:
    end = time.monotonic() + seconds
    tried = 0
    failed: dict[Path, str] = {}
    for seed in itertools.count(first_seed, step):
        whole = []
        for number, name in itertools.product(range(_FILES_OF_FORMAT), MAKERS):
            if time.monotonic() > end:
                break
            tried += 1
            file = targets.make_input(name, seed * _FILES_OF_FORMAT + number)
            found = find_in_reader(file, folder, end)
            failed |= found
            if not found:
                whole.append(file)
        if time.monotonic() > end:
            break
        failed |= find_on_path(whole, folder, end)
    return tried, failed


def find_in_reader(file: Landed, folder: Path, end: float) -> dict[Path, str]:
    """Try a reader.

    Args:
        file: what it reads.
        folder: where the file is kept if it fails, as small as it can be made.
        end: when to stop making it smaller, on the monotonic clock.

    Returns:
        The file that is kept, with what failed; empty if nothing did.
    """
    name, data = file

    def find_failure(smaller: bytes) -> str | None:
        return _find_failure(lambda: _check_in_time(name, smaller))

    why = find_failure(data)
    if why is None:
        return {}
    path = _keep("reader", file, folder)
    smaller = shrink(data, lambda part: find_failure(part) is not None, end)
    if smaller != data:
        path.unlink()
        path = _keep("reader", (name, smaller), folder)
    return {path: find_failure(smaller) or why}


def find_on_path(files: list[Landed], folder: Path, end: float) -> dict[Path, str]:
    """Try the whole path behind the readers, in the same way.

    Returns:
        The files that are kept because they fail together, with what failed.
    """
    why = _find_failure(lambda: _check_path(files))
    if why is None:
        return {}
    kept = {_keep("path", file, folder): file for file in files}
    needed = _narrow(files, end)
    for path, file in kept.items():
        if file not in needed:
            path.unlink()
    return {path: why for path, file in kept.items() if file in needed}


def _check_in_time(name: str, data: bytes) -> None:
    with _limit_time():
        targets.check_reader(name, data)
        targets.check_memory(name, data)
        targets.check_work(name, data)


@contextmanager
def _limit_time() -> Iterator[None]:
    """Raise `HangError` in what takes too much processor time."""

    def stop(number: int, frame: object) -> None:
        raise HangError

    before = signal.signal(signal.SIGPROF, stop)
    signal.setitimer(signal.ITIMER_PROF, HANGS_SECONDS)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.signal(signal.SIGPROF, before)


def _check_path(files: list[Landed]) -> None:
    folder = Path(tempfile.mkdtemp(prefix="drug-assets-fuzz-"))
    try:
        targets.check_path(files, folder)
    finally:
        shutil.rmtree(folder)


def _narrow(files: list[Landed], end: float) -> list[Landed]:
    """Files that fail together, without those that can be left out, as far as there is time."""
    for file in list(files):
        if time.monotonic() > end:
            break
        others = [other for other in files if other is not file]
        if _find_failure(lambda: _check_path(others)):  # noqa: B023 - called at once
            files = others
    return files


def _find_failure(check: Callable[[], object]) -> str | None:
    """What fails, in a line; None if nothing does."""
    try:
        check()
    except (KeyboardInterrupt, SystemExit):
        raise
    except BaseException as error:  # noqa: BLE001 - whatever it is, it is what we look for
        return " ".join(f"{type(error).__name__}: {error}".split())[:200]
    return None


def shrink(data: bytes, fails: Callable[[bytes], bool], end: float = math.inf) -> bytes:
    """Bytes that fail, too, and from which no piece could be taken away.

    Args:
        data: bytes that fail.
        fails: whether bytes fail.
        end: when to stop, on the monotonic clock.
    """
    size = len(data)
    attempts = 0
    while size:
        at = 0
        while at < len(data) and attempts < _MOST_ATTEMPTS and time.monotonic() < end:
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
