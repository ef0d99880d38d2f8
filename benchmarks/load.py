"""Measures how busy the machine is, by the kernel's counters; no benchmark is run here.

Without /proc only the load average is known, and the machine counts as neither idle nor busy.
"""

from __future__ import annotations

import os
import resource
import time
from dataclasses import dataclass
from pathlib import Path

_PROC = Path("/proc")
_TICKS_PER_SECOND = os.sysconf("SC_CLK_TCK")
#: A machine is idle if at most this share of its processor time is in use.
IDLE_SHARE = 0.1
#: Cores that a process must use to be listed.
_LISTED_FROM = 0.05
#: The most processes that are listed.
_LISTED = 5


@dataclass(frozen=True)
class Load:
    """The load of the machine during an observation, in cores: 1.5 is one core and a half."""

    up_seconds: float | None
    averages: tuple[float, float, float]
    cores: int
    #: Cores used by all processes, and cores that the host of a virtual machine withheld.
    busy: float | None
    stolen: float | None
    #: Names and cores of the busiest processes, the busiest first.
    processes: tuple[tuple[str, float], ...]

    @property
    def is_idle(self) -> bool | None:
        """Whether the machine was idle; None if that is unknown."""
        if self.busy is None or self.stolen is None:
            return None
        return self.busy + self.stolen <= IDLE_SHARE * self.cores

    def describe(self) -> str:
        """The load as one line of text."""
        parts = [] if self.up_seconds is None else [f"up {self.up_seconds / 3600:,.1f} hours"]
        parts.append("load average " + " ".join(f"{average:.2f}" for average in self.averages))
        parts.append(f"{self.cores} cores")
        if self.busy is not None and self.stolen is not None:
            parts.append(f"{self.busy:.1f} of them busy, {self.stolen:.1f} kept by the host")
        parts += [f"{name} takes {cores:.1f}" for name, cores in self.processes]
        return ", ".join(parts)


def look(seconds: float = 2.0) -> Load:
    """Observe the machine for some seconds, during which this process only waits."""
    before, processes_before = _ticks(), _ticks_of_processes()
    started = time.perf_counter()
    time.sleep(seconds)
    waited = (time.perf_counter() - started) * _TICKS_PER_SECOND
    after, processes = _ticks(), _ticks_of_processes()
    busy, stolen = None, None
    if before and after:
        busy, stolen = ((b - a) / waited for a, b in zip(before, after, strict=True))
    cores = {
        pid: (ticks - processes_before[pid][1]) / waited
        for pid, (_, ticks) in processes.items()
        if pid in processes_before
    }
    busiest = sorted(cores, key=lambda pid: -cores[pid])[:_LISTED]
    uptime = _PROC / "uptime"
    return Load(
        up_seconds=float(uptime.read_text().split()[0]) if uptime.exists() else None,
        averages=os.getloadavg(),
        cores=os.cpu_count() or 1,
        busy=busy,
        stolen=stolen,
        processes=tuple((processes[p][0], cores[p]) for p in busiest if cores[p] >= _LISTED_FROM),
    )


class Others:
    """Measures, from its creation on, the processor time that other processes use.

    Other processes are all but this one and its children.
    """

    def __init__(self) -> None:
        self._started, self._ticks, self._own = time.perf_counter(), _ticks(), _own_seconds()

    def cores(self) -> float | None:
        """Their average use in cores, with what the host withheld; None if that is unknown."""
        now = _ticks()
        if not self._ticks or not now:
            return None
        seconds = (sum(now) - sum(self._ticks)) / _TICKS_PER_SECOND - (_own_seconds() - self._own)
        return max(seconds, 0.0) / (time.perf_counter() - self._started)


def _own_seconds() -> float:
    who = (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    return sum(used.ru_utime + used.ru_stime for used in map(resource.getrusage, who))


def _ticks() -> tuple[int, int] | None:
    """The busy ticks of all processors, and the ticks that the host withheld."""
    stat = _PROC / "stat"
    if not stat.exists():
        return None
    fields = [int(field) for field in stat.read_text().split("\n", 1)[0].split()[1:]]
    user, nice, system, _idle, _waiting, interrupts, soft_interrupts, stolen = fields[:8]
    return user + nice + system + interrupts + soft_interrupts, stolen


def _ticks_of_processes() -> dict[int, tuple[str, int]]:
    """Name and ticks of every process, by its id."""
    found = {}
    for entry in _PROC.iterdir() if (_PROC / "stat").exists() else ():
        if not entry.name.isdigit():
            continue
        try:
            stat = (entry / "stat").read_text()
        except (OSError, UnicodeDecodeError):
            continue  # the process has just ended
        head, _, tail = stat.rpartition(")")
        fields = tail.split()
        found[int(entry.name)] = (head.partition("(")[2], int(fields[11]) + int(fields[12]))
    return found
