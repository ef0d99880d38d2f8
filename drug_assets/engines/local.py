"""This machine as an engine: work runs in this process, or in one process per core."""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys
from collections import deque
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, NoReturn, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

_Task = TypeVar("_Task")
_Result = TypeVar("_Result")

#: Below these limits, starting processes takes longer than they save.
WORTH_BYTES = 32 * 1024**2
_WORTH_PROCESSES = 2
#: What a process that SIGTERM ended exits with.
_TERMINATED = 128 + signal.SIGTERM
#: How many heaps the threads of a worker share; a setting of glibc, for processes that start. By
#: default each new thread may take another one, and what one thread freed stays in its heap.
_MALLOC_ARENAS = ("MALLOC_ARENA_MAX", "2")


@dataclass(frozen=True)
class LocalMachine:
    """Runs tasks on the cores of this machine."""

    #: Work on fewer bytes than this runs in this process.
    worth_bytes: int = WORTH_BYTES

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
        with _pool(workers) as pool:
            pending: deque[Future[_Result]] = deque()
            for task in tasks:
                if len(pending) == 2 * workers:  # limits the results in memory
                    yield _wait_for(pending.popleft())
                pending.append(pool.submit(_do, function, task))
            while pending:
                yield _wait_for(pending.popleft())


@contextmanager
def _pool(workers: int) -> Iterator[ProcessPoolExecutor]:
    """Processes that run tasks; a task that failed lets the others end, an interrupt does not."""
    others = multiprocessing.active_children()
    # Spawned, not forked: a fork of a process with threads can hang for ever.
    spawn = multiprocessing.get_context("spawn")
    with (
        _set_unless_set(*_MALLOC_ARENAS),
        ProcessPoolExecutor(workers, spawn, initializer=_end_in_order_on_sigterm) as pool,
    ):
        try:
            yield pool
        except Exception:
            raise
        except BaseException:  # of Python and of Dagster; or the results are wanted no more
            pool.shutdown(wait=False, cancel_futures=True)
            for process in multiprocessing.active_children():
                if process not in others:
                    process.terminate()
            raise


@contextmanager
def _set_unless_set(name: str, value: str) -> Iterator[None]:
    """Set a variable of the environment for processes that start meanwhile."""
    if name in os.environ:
        yield
        return
    os.environ[name] = value
    try:
        yield
    finally:
        os.environ.pop(name, None)


class _Terminated:
    """In a worker: whether it was sent SIGTERM."""

    yet = False


def _end_in_order_on_sigterm() -> None:
    """In a worker: give up the task on SIGTERM, and remove what is temporary."""

    def end(*_: object) -> NoReturn:
        _Terminated.yet = True
        sys.exit(_TERMINATED)

    signal.signal(signal.SIGTERM, end)


def _do(function: Callable[[_Task], _Result], task: _Task) -> _Result:
    """In a worker: do a task, unless it was sent SIGTERM: a few more tasks are on their way."""
    if _Terminated.yet:
        sys.exit(_TERMINATED)
    return function(task)


def _wait_for(done: Future[_Result]) -> _Result:
    """The result of a task.

    Raises:
        BrokenProcessPool: somebody else ended the worker.
    """
    try:
        return done.result()
    except SystemExit as error:
        raise BrokenProcessPool("a process of this run was terminated") from error
