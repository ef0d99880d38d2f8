"""How anything is measured: each time in a process of its own, time and memory seen from outside.

A measurement is a function of this package that takes what JSON can say and returns its figures.
It runs in a fresh interpreter, so that nothing that another one imported, cached or left in memory
counts. What is measured belongs to the modules beside this one.
"""

from __future__ import annotations

import importlib
import json
import os
import resource
import signal
import subprocess
import sys
import threading
import time
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

#: Figures of one measurement, by name.
Figures = dict[str, Any]

_PROC = Path("/proc")
_SAMPLE_SECONDS = 0.05
_ROOT = Path(__file__).parents[1]
_TIME_LIMIT = 3600.0
_PAGE = os.sysconf("SC_PAGE_SIZE")
_MIB = 2**20


class NotInstalledError(Exception):
    """A peer that is not there to be measured."""


def peer(module: str) -> Any:
    """A peer's module.

    Raises:
        NotInstalledError: it is not installed.
    """
    try:
        return importlib.import_module(module)
    except ModuleNotFoundError as error:
        raise NotInstalledError(module) from error


@dataclass
class Stopwatch:
    """What a block took."""

    seconds: float = 0.0
    #: Of all threads of this process and of children that ended.
    cpu_seconds: float = 0.0

    def figures(self) -> Figures:
        """As figures."""
        return {"seconds": self.seconds, "cpu_seconds": self.cpu_seconds}


@contextmanager
def timed() -> Iterator[Stopwatch]:
    """Time a block."""
    watch = Stopwatch()
    wall, cpu = time.perf_counter(), _cpu_seconds()
    yield watch
    watch.seconds, watch.cpu_seconds = time.perf_counter() - wall, _cpu_seconds() - cpu


def _cpu_seconds() -> float:
    ended = os.times()
    return time.process_time() + ended.children_user + ended.children_system


@dataclass(frozen=True)
class Observed:
    """A command that ended."""

    exit_code: int
    output: str
    errors: str
    seconds: float
    #: The most memory of all its processes together, and of any single one: what is resident,
    #: pages of mapped files and shared ones included, so more than it needs of its own.
    peak_mib: float
    peak_mib_a_process: float


def observed(
    command: Sequence[str], *, environment: Mapping[str, str] | None = None, input_text: str = ""
) -> Observed:
    """Run a command and watch it; its processes are those of its session."""
    started = time.perf_counter()
    process = subprocess.Popen(
        command,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=_ROOT,
        env={**os.environ, **(environment or {})},
        start_new_session=True,
    )
    watch = _MemoryWatch(process.pid)
    watch.start()
    try:
        output, errors = process.communicate(input_text, timeout=_TIME_LIMIT)
    except BaseException:
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
        raise
    finally:
        watch.stop()
    seconds = time.perf_counter() - started
    return Observed(
        process.returncode, output, errors, seconds, watch.together / _MIB, watch.single / _MIB
    )


class _MemoryWatch(threading.Thread):
    """Samples the resident memory of a session's processes; zeros where there is no /proc."""

    def __init__(self, session: int) -> None:
        super().__init__(daemon=True)
        self._session = session
        self._ended = threading.Event()
        self.together = 0
        self.single = 0

    def run(self) -> None:
        while not self._ended.wait(_SAMPLE_SECONDS):
            sizes = list(_resident_bytes(self._session))
            self.together = max(self.together, sum(sizes))
            self.single = max(self.single, *sizes, 0)

    def stop(self) -> None:
        self._ended.set()
        self.join()


def _resident_bytes(session: int) -> Iterator[int]:
    for entry in os.scandir(_PROC) if _PROC.is_dir() else ():
        if not entry.name.isdigit():
            continue
        try:
            stat = Path(entry.path, "stat").read_text()
        except (OSError, UnicodeDecodeError):
            continue  # it has just ended
        # The name stands in brackets and may hold anything; fields count from behind it.
        fields = stat.rpartition(")")[2].split()
        if int(fields[3]) == session:
            yield int(fields[21]) * _PAGE


def measured(function: str, **arguments: Any) -> Figures:
    """The figures of a measurement (`module.function`), made in a fresh process.

    With `peak_mib` and `peak_mib_a_process` of it and its children; with `not_installed` and
    nothing else if that peer is missing.

    Raises:
        RuntimeError: it failed.
    """
    code = "from benchmarks import measuring; measuring.main()"
    command = [sys.executable, "-c", code, function]
    seen = observed(command, input_text=json.dumps(arguments))
    if seen.exit_code:
        raise RuntimeError(f"{function} {_shown(arguments)} failed:\n{seen.errors[-4000:]}")
    figures: Figures = json.loads(seen.output.splitlines()[-1])
    if "not_installed" in figures:
        return figures
    # The kernel's own peak of the main process misses nothing between samples.
    single = max(seen.peak_mib_a_process, figures.pop("own_peak_mib"))
    return figures | {
        "peak_mib": max(seen.peak_mib, single),
        "peak_mib_a_process": single,
    }


def _shown(arguments: Mapping[str, Any]) -> str:
    return ", ".join(f"{name}={str(value)[:60]}" for name, value in arguments.items())


def interleaved(tasks: Mapping[str, Mapping[str, Any]], rounds: int) -> dict[str, Figures]:
    """Figures of several measurements, medians of rounds in which each is made once, in turn.

    So that whatever else the machine does in between befalls all of them alike.

    Args:
        tasks: by name, `function` and its arguments.
        rounds: how often.
    """
    runs: dict[str, list[Figures]] = {name: [] for name in tasks}
    for number in range(rounds):
        for name, task in tasks.items():
            tell(f"{name} ({number + 1} of {rounds})")
            runs[name].append(measured(**task))
    return {name: _medians(figures) for name, figures in runs.items()}


def _medians(runs: Iterable[Figures]) -> Figures:
    """Numbers that differ from run to run become their median; all else is the last run's."""
    listed = list(runs)
    middle = {
        name: median(run[name] for run in listed)
        for name, value in listed[-1].items()
        if isinstance(value, float)
    }
    return listed[-1] | middle | {"runs": len(listed)}


def tell(text: str) -> None:
    """Say what goes on."""
    print(f"{time.strftime('%H:%M:%S')} {text}", file=sys.stderr, flush=True)


def _own_peak_mib() -> float:
    """The most memory this process ever had, by the kernel's count, in MiB."""
    status = _PROC / "self" / "status"
    if status.exists():
        # `ru_maxrss` would count what the process was before it became this program.
        (line,) = (li for li in status.read_text().splitlines() if li.startswith("VmHWM"))
        return int(line.split()[1]) / 1024
    bytes_a_unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * bytes_a_unit / _MIB


def figures_of(function: str, arguments: Mapping[str, Any]) -> Figures:
    """The figures of a measurement, made in this process."""
    module, _, name = function.rpartition(".")
    measure = getattr(importlib.import_module(f"benchmarks.{module}"), name)
    try:
        figures: Figures = measure(**arguments)
    except NotInstalledError as error:
        return {"not_installed": str(error)}
    return figures


def main() -> None:
    """Make the measurement that the command line names and standard input describes."""
    figures = figures_of(sys.argv[1], json.load(sys.stdin))
    print(json.dumps(figures | {"own_peak_mib": _own_peak_mib()}))
