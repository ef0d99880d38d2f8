"""What tests have the executors of Spark do; imported there, so it imports no library of tests."""

from __future__ import annotations

import os
import signal
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from time import sleep
from typing import TYPE_CHECKING, Any

import polars as pl

from drug_assets.storage.objects import LocalFolder

if TYPE_CHECKING:
    from collections.abc import Callable


class OddError(Exception):
    """Takes other arguments than it passes on."""

    def __init__(self, first: str, second: str) -> None:
        super().__init__(f"{first} and {second}")
        self.second = second


class UnpicklableError(Exception):
    """Holds what no other process can be given."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.held = lambda: message


def square(number: int) -> int:
    return number * number


def surroundings(_task: int) -> dict[str, str | int | None]:
    """What the process of a worker finds around it."""
    return {
        "process": os.getpid(),
        "threads": pl.thread_pool_size(),
        "mark": os.environ.get("STORAGE_EMULATOR_HOST"),
    }


def fail(kind: str) -> int:
    if kind == "odd":
        raise OddError("one", "another")
    if kind == "missing file":
        raise FileNotFoundError(2, "No such file", "/of/an/executor")
    if kind == "no pickle":
        raise UnpicklableError("holds a lambda")
    if kind == "text":
        b"\xff".decode()
    return len(kind)


def break_contract(rows: pl.LazyFrame) -> pl.LazyFrame:
    """Rows of which one column is of another type."""
    return rows.with_columns(source_row=pl.lit("a word"))


def wait(folder: str) -> int:
    """Note in a folder that it has begun, and wait to be stopped; or return or raise at once."""
    if folder == "return":
        return 0
    if folder == "raise":
        raise ValueError("as asked")
    Path(folder, str(os.getpid())).touch()
    for _ in range(6000):
        sleep(0.1)
    return 0


def die(_task: Any) -> None:
    """Kill the executor that this process works for."""
    # The process of Python is a child of the daemon of an executor, a process of Java.
    status = Path(f"/proc/{os.getppid()}/stat").read_text(encoding="ascii")
    os.kill(int(status.rpartition(")")[2].split()[1]), signal.SIGKILL)
    sleep(30)


@dataclass(frozen=True)
class DyingOnce:
    """A function whose executor dies at the end of the task that is done first."""

    function: Callable[[Any], Any]
    folder: str

    def __call__(self, task: Any) -> Any:
        result = self.function(task)
        with suppress(FileExistsError):
            Path(self.folder, "died").touch(exist_ok=False)
            die(task)
        return result


class OwnDisk(LocalFolder):
    """A folder of which another machine sees one of its own instead, of the same path."""

    def __reduce__(self) -> tuple[Callable[..., LocalFolder], tuple[Path]]:
        return LocalFolder, (Path(f"{self.uri()}-of-another-machine"),)
