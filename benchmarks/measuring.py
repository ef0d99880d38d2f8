"""Runs each measurement in its own process, and observes time and memory from outside.

A measurement is a function of this package with JSON values as arguments; it returns figures. It
runs in a new interpreter, so that imports, caches or memory of another measurement do not count.
The measurements themselves are in the modules beside this one.
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

    from benchmarks.checkouts import Checkout

#: The figures of one measurement, by name.
Figures = dict[str, Any]

_PROC = Path("/proc")
_SAMPLE_SECONDS = 0.05
_ROOT = Path(__file__).parents[1]
_TIME_LIMIT = 3600.0
_PAGE = os.sysconf("SC_PAGE_SIZE")
_MIB = 2**20
#: Runs a measurement of this folder, also where the code that is measured is another checkout's,
#: with measurements of its own: what is measured must be the same.
_MEASURE = """
import importlib.util, sys
folder = sys.argv.pop(1)
spec = importlib.util.spec_from_file_location(
    "benchmarks", folder + "/__init__.py", submodule_search_locations=[folder]
)
sys.modules["benchmarks"] = importlib.util.module_from_spec(spec)
spec.loader.exec_module(sys.modules["benchmarks"])
from benchmarks import measuring
measuring.main()
"""


class NotInstalledError(Exception):
    """A library to compare with is not installed."""


def peer(module: str) -> Any:
    """Import the module of a library to compare with.

    Raises:
        NotInstalledError: it is not installed.
    """
    try:
        return importlib.import_module(module)
    except ModuleNotFoundError as error:
        raise NotInstalledError(module) from error


@dataclass
class Stopwatch:
    """The time that a block of code took."""

    seconds: float = 0.0
    #: Processor time of all threads of this process, and of children that ended.
    cpu_seconds: float = 0.0

    def figures(self) -> Figures:
        """The times as figures."""
        return {"seconds": self.seconds, "cpu_seconds": self.cpu_seconds}


@contextmanager
def timed() -> Iterator[Stopwatch]:
    """Time a block of code."""
    watch = Stopwatch()
    wall, cpu = time.perf_counter(), _cpu_seconds()
    yield watch
    watch.seconds, watch.cpu_seconds = time.perf_counter() - wall, _cpu_seconds() - cpu


def _cpu_seconds() -> float:
    ended = os.times()
    return time.process_time() + ended.children_user + ended.children_system


@dataclass(frozen=True)
class Observed:
    """The result of a command that ended."""

    exit_code: int
    output: str
    errors: str
    seconds: float
    #: Processor time of the command and of all its processes that were waited for.
    cpu_seconds: float
    #: Peak resident memory of all its processes together, and of the largest one. Pages of mapped
    #: files and shared pages are included, so it is more than the private memory.
    peak_mib: float
    peak_mib_per_process: float


def observed(
    command: Sequence[str],
    *,
    environment: Mapping[str, str | None] | None = None,
    folder: Path = _ROOT,
    input_text: str = "",
) -> Observed:
    """Run a command and observe it; all processes of its session count as its own.

    Args:
        command: program and arguments.
        environment: variables in addition to those of this process; None removes a variable.
        folder: the working directory.
        input_text: its standard input.
    """
    added = environment or {}
    inherited = {name: value for name, value in os.environ.items() if name not in added}
    cpu, started = _cpu_seconds_of_children(), time.perf_counter()
    process = subprocess.Popen(
        command,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=folder,
        env=inherited | {name: value for name, value in added.items() if value is not None},
        start_new_session=True,
    )
    watch = _MemoryWatch(process.pid)
    watch.start()
    try:
        output, errors = process.communicate(input_text, timeout=_TIME_LIMIT)
        seconds = time.perf_counter() - started
    except BaseException:
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
        raise
    finally:
        watch.stop()
    return Observed(
        exit_code=process.returncode,
        output=output,
        errors=errors,
        seconds=seconds,
        cpu_seconds=_cpu_seconds_of_children() - cpu,
        peak_mib=watch.together / _MIB,
        peak_mib_per_process=watch.single / _MIB,
    )


def _cpu_seconds_of_children() -> float:
    """Processor time of all descendants of this process that have been waited for."""
    ended = resource.getrusage(resource.RUSAGE_CHILDREN)
    return ended.ru_utime + ended.ru_stime


class _MemoryWatch(threading.Thread):
    """Samples the resident memory of the processes of a session; 0 on systems without /proc."""

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
            continue  # the process has just ended
        # The name is in brackets and may contain anything; the other fields come after it.
        fields = stat.rpartition(")")[2].split()
        if int(fields[3]) == session:
            yield int(fields[21]) * _PAGE


def measured(function: str, checkout: Checkout | None = None, **arguments: Any) -> Figures:
    """Run a measurement (`module.function`) in a new process and return its figures.

    `peak_mib` and `peak_mib_per_process` of the process and its children are added. If a library is
    missing, the only figure is `not_installed`, with its name.

    Args:
        function: the measurement, always as it is here.
        checkout: whose code it measures; this one's if not given.
        **arguments: those of the function.

    Raises:
        RuntimeError: the measurement failed.
    """
    python, environment, folder = sys.executable, None, _ROOT
    if checkout:
        python, folder = str(checkout.python), checkout.tree
        environment = checkout.environment()
    seen = observed(
        [python, "-c", _MEASURE, str(Path(__file__).parent), function],
        environment=environment,
        folder=folder,
        input_text=json.dumps(arguments),
    )
    if seen.exit_code:
        whose = f" of {checkout.label}" if checkout else ""
        raise RuntimeError(f"{function} {_join(arguments)}{whose} failed:\n{seen.errors[-4000:]}")
    figures: Figures = json.loads(seen.output.splitlines()[-1])
    if "not_installed" in figures:
        return figures
    # The kernel's own peak of the main process also covers the time between samples.
    single = max(seen.peak_mib_per_process, figures.pop("own_peak_mib"))
    return figures | {
        "peak_mib": max(seen.peak_mib, single),
        "peak_mib_per_process": single,
    }


def _join(arguments: Mapping[str, Any]) -> str:
    return ", ".join(f"{name}={str(value)[:60]}" for name, value in arguments.items())


def interleaved(tasks: Mapping[str, Mapping[str, Any]], rounds: int) -> dict[str, Figures]:
    """Run several measurements in rounds, each once per round, and return their median figures.

    Taking turns spreads the effect of other work on the machine evenly over all of them.

    Args:
        tasks: `function`, `checkout` and arguments of `measured`, by the name of the measurement.
        rounds: number of rounds.
    """
    runs: dict[str, list[Figures]] = {name: [] for name in tasks}
    for number in range(rounds):
        for name, task in tasks.items():
            print_status(f"{name} ({number + 1} of {rounds})")
            runs[name].append(measured(**task))
    return {name: medians(figures) for name, figures in runs.items()}


def medians(runs: Iterable[Figures]) -> Figures:
    """The median of each floating point figure; other figures are those of the last run."""
    listed = list(runs)
    middle = {
        name: median(run[name] for run in listed)
        for name, value in listed[-1].items()
        if isinstance(value, float)
    }
    return listed[-1] | middle | {"runs": len(listed)}


def print_status(text: str) -> None:
    """Print a line of progress on stderr."""
    print(f"{time.strftime('%H:%M:%S')} {text}", file=sys.stderr, flush=True)


def _own_peak_mib() -> float:
    """The peak resident memory of this process in MiB, as the kernel recorded it."""
    status = _PROC / "self" / "status"
    if status.exists():
        # `ru_maxrss` would include the memory of the process before it executed this program.
        (line,) = (li for li in status.read_text().splitlines() if li.startswith("VmHWM"))
        return int(line.split()[1]) / 1024
    bytes_per_unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * bytes_per_unit / _MIB


def figures_of(function: str, arguments: Mapping[str, Any]) -> Figures:
    """Run a measurement in this process and return its figures."""
    module, _, name = function.rpartition(".")
    measure = getattr(importlib.import_module(f"benchmarks.{module}"), name)
    try:
        figures: Figures = measure(**arguments)
    except NotInstalledError as error:
        return {"not_installed": str(error)}
    return figures


def main() -> None:
    """Run the measurement that the command line names; standard input has its arguments."""
    figures = figures_of(sys.argv[1], json.load(sys.stdin))
    print(json.dumps(figures | {"own_peak_mib": _own_peak_mib()}))
