"""Engines: the same results in the same order, wherever the work is done."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from time import sleep
from typing import TYPE_CHECKING

import pytest

from drug_assets.engines.local import WORTH_BYTES, LocalMachine
from drug_assets_tests.support import runs
from drug_assets_tests.support.commands import in_background
from drug_assets_tests.support.local_servers import PATIENCE_SECONDS
from drug_assets_tests.support.services import eventually

if TYPE_CHECKING:
    from collections.abc import Iterator

CORES = 3
#: Values of `worth_bytes`: processes share any work with the first, none of this work with the
#: second.
SHARED_OR_NOT = [pytest.param(0, marks=pytest.mark.processes), WORTH_BYTES]
#: More tasks than are handed out at once, so that results are awaited while tasks are left.
TASKS = list(range(3 * CORES + 2))


def square(number: int) -> int:
    return number * number


def process_of(_task: int) -> int:
    return os.getpid()


def arenas(_task: int) -> str | None:
    return os.environ.get("MALLOC_ARENA_MAX")


def inverse(number: int) -> float:
    return 1 / number


def meet_the_others(place: tuple[str, int]) -> int:
    """Wait until as many tasks as there are cores run at the same time."""
    folder, number = Path(place[0]), place[1]
    (folder / str(number)).touch()
    eventually(f"a task on each core beside {number}", lambda: len([*folder.iterdir()]) >= CORES)
    return number


class Handed(list[int]):
    """Tasks, and how many of them were handed out so far."""

    handed_out = 0

    def __iter__(self) -> Iterator[int]:
        for task in super().__iter__():
            self.handed_out += 1
            yield task


@pytest.fixture(autouse=True)
def cores(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "cpu_count", lambda: CORES)


@pytest.mark.processes
@pytest.mark.parametrize(("given", "expected"), [(None, "2"), ("7", "7")])
def test_threads_of_a_worker_share_heaps_unless_told_otherwise(
    given: str | None, expected: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("MALLOC_ARENA_MAX", raising=False)
    if given is not None:
        monkeypatch.setenv("MALLOC_ARENA_MAX", given)
    found = LocalMachine(0).run(arenas, [1, 2], size_bytes=1, fills_cores=False)
    assert list(found) == [expected] * 2
    assert os.environ.get("MALLOC_ARENA_MAX") == given


@pytest.mark.parametrize("tasks", [[], [3], TASKS])
@pytest.mark.parametrize("worth_bytes", SHARED_OR_NOT)
def test_results_come_in_the_order_of_the_tasks(tasks: list[int], worth_bytes: int) -> None:
    engine = LocalMachine(worth_bytes)
    found = engine.run(square, tasks, size_bytes=1, fills_cores=False)
    assert list(found) == [square(task) for task in tasks]


@pytest.mark.parametrize(
    ("size_bytes", "fills_cores", "tasks", "processes"),
    [
        pytest.param(100, False, TASKS, CORES, id="worth it", marks=pytest.mark.processes),
        pytest.param(101, False, TASKS, CORES, id="more than that", marks=pytest.mark.processes),
        pytest.param(100, False, TASKS[:2], CORES, id="a task a core", marks=pytest.mark.processes),
        pytest.param(99, False, TASKS, 0, id="small"),
        pytest.param(100, True, TASKS, 0, id="fills the cores"),
        pytest.param(100, False, TASKS[:1], 0, id="one task"),
    ],
)
def test_work_that_is_worth_it_is_done_by_a_process_a_core(
    size_bytes: int, tasks: list[int], processes: int, *, fills_cores: bool
) -> None:
    engine = LocalMachine(worth_bytes=100)
    run = engine.run(process_of, tasks, size_bytes=size_bytes, fills_cores=fills_cores)
    found = set(run)
    assert (os.getpid() in found) == (processes == 0)
    assert len(found) <= max(processes, 1)


@pytest.mark.processes
def test_each_core_has_a_task_at_the_same_time(tmp_path: Path) -> None:
    tasks = [(str(tmp_path), number) for number in range(CORES)]
    run = LocalMachine(0).run(meet_the_others, tasks, size_bytes=1, fills_cores=False)
    assert list(run) == list(range(CORES))


def test_the_only_core_there_is_does_it_all(monkeypatch: pytest.MonkeyPatch) -> None:
    for count in (1, None):
        monkeypatch.setattr(os, "cpu_count", lambda count=count: count)
        run = LocalMachine(0).run(process_of, TASKS, size_bytes=1, fills_cores=False)
        assert set(run) == {os.getpid()}


@pytest.mark.processes
def test_by_default_small_work_stays_and_large_work_is_shared() -> None:
    engine, limit = LocalMachine(), 32 * 1024**2
    for size_bytes, stays in ((limit - 1, True), (limit, False)):
        run = engine.run(process_of, TASKS, size_bytes=size_bytes, fills_cores=False)
        assert (set(run) == {os.getpid()}) == stays


@pytest.mark.processes
def test_no_more_results_wait_in_memory_than_two_a_process() -> None:
    tasks = Handed(TASKS)
    run = LocalMachine(0).run(square, tasks, size_bytes=1, fills_cores=False)
    for taken, result in enumerate(run, start=1):
        assert result == square(taken - 1)
        assert tasks.handed_out <= taken + 2 * CORES
    assert tasks.handed_out == len(TASKS)


@pytest.mark.parametrize("worth_bytes", SHARED_OR_NOT)
def test_what_a_task_raises_is_raised_in_its_place(worth_bytes: int) -> None:
    tasks = [1, 2, 0, *range(4, 12)]
    run = LocalMachine(worth_bytes).run(inverse, tasks, size_bytes=1, fills_cores=False)
    assert [next(run), next(run)] == [1, 0.5]
    with pytest.raises(ZeroDivisionError):
        next(run)


def work_for_ever(folder: str) -> None:
    """Leave a file named after the process while it works."""
    mark = Path(folder) / str(os.getpid())
    mark.touch()
    try:
        while True:
            sleep(1)
    finally:
        mark.unlink()


@pytest.mark.processes
def test_terminated_process_ends_its_workers_which_leave_nothing(tmp_path: Path) -> None:
    """Even where SIGINT is ignored, as in a shell's background; and no further task is begun."""
    code = (
        "import os, sys\n"
        "from drug_assets.cli.ending import interrupted_by_sigterm\n"
        "from drug_assets.engines.local import LocalMachine\n"
        "from drug_assets_tests.test_engines import work_for_ever\n"
        "if __name__ == '__main__':\n"
        f"    os.cpu_count = lambda: {CORES}\n"
        "    with interrupted_by_sigterm():\n"
        "        tasks = sys.argv[1:] * 9\n"
        "        list(LocalMachine(0).run(work_for_ever, tasks, size_bytes=1, fills_cores=False))\n"
    )
    program = tmp_path / "program.py"
    program.write_text(code)
    marks = tmp_path / "marks"
    marks.mkdir()
    command = in_background(sys.executable, program, marks)
    # The tests are not installed as a package.
    environment = {**os.environ, "PYTHONPATH": str(runs.REPOSITORY)}
    with subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, text=True) as process:
        try:
            eventually("a task in each worker", lambda: len([*marks.iterdir()]) == CORES)
            pids = [int(mark.name) for mark in marks.iterdir()]
            process.terminate()
            _, errors = process.communicate(timeout=PATIENCE_SECONDS)
        finally:
            process.kill()
    assert errors.endswith("\nKeyboardInterrupt\n"), "and nothing of a worker"
    assert errors.count("Traceback") == 1
    assert [*marks.iterdir()] == []
    for pid in pids:
        with pytest.raises(ProcessLookupError):
            os.kill(pid, 0)
