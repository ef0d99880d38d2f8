"""This machine as an engine: work runs in this process, or in one process per core."""

from __future__ import annotations

import multiprocessing
import os
from collections import deque
from concurrent.futures import Future, ProcessPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

_Task = TypeVar("_Task")
_Result = TypeVar("_Result")

#: Below these limits, starting processes takes longer than they save.
WORTH_BYTES = 32 * 1024**2
_WORTH_PROCESSES = 2


@dataclass(frozen=True)
class LocalMachine:
    """Runs tasks on the cores of this machine."""

    #: Work on fewer bytes than this runs in this process.
    worth_bytes: int = WORTH_BYTES

    @property
    def watched_at(self) -> str | None:
        """None: there is no page."""
        return None

    def leaves(self, size_bytes: int) -> bool:  # noqa: ARG002
        """False: no work does."""
        return False

    def run(
        self,
        function: Callable[[_Task], _Result],
        tasks: Sequence[_Task],
        *,
        size_bytes: int,
        fills_cores: bool,
    ) -> Iterator[_Result]:
        """Run a function once per task; see `Engine.run`.

        Python code runs in one process per core: threads would wait for each other.
        """
        workers = min(os.cpu_count() or 1, len(tasks))
        if fills_cores or workers < _WORTH_PROCESSES or size_bytes < self.worth_bytes:
            yield from map(function, tasks)
            return
        # Spawned, not forked: a fork of a process with threads can hang for ever.
        with ProcessPoolExecutor(workers, multiprocessing.get_context("spawn")) as pool:
            pending: deque[Future[_Result]] = deque()
            for task in tasks:
                if len(pending) == 2 * workers:  # limits the results in memory
                    yield pending.popleft().result()
                pending.append(pool.submit(function, task))
            while pending:
                yield pending.popleft().result()
