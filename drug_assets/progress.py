"""How far a step has come that works through landed files, and how people are told (SPEC 8).

Code that works through files keeps a `Count` and is given a `Report`, which is called with each
change. Where it is shown belongs to `defs` (the log of a run) and `cli` (a terminal).
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

from drug_assets.wording import count_of, describe_seconds

#: Seconds since any moment.
Clock = Callable[[], float]


@dataclass(frozen=True)
class Done:
    """How much of its work a step has done."""

    files: int
    of_files: int
    #: Of the bytes that the step reads: files differ in size, so these tell how much is left.
    size_bytes: int
    of_bytes: int
    #: Rows of the files that are done.
    rows: int

    @property
    def is_all(self) -> bool:
        """Whether nothing is left to do."""
        return self.files >= self.of_files


Report = Callable[[Done], None]


def ignore(_: Done) -> None:
    """A report that tells nobody."""


class Count:
    """What a step has done so far; each change is reported."""

    def __init__(self, report: Report, *, of_files: int, of_bytes: int) -> None:
        self._report = report
        self._done = Done(0, of_files, 0, of_bytes, 0)
        if of_files:
            report(self._done)

    def add(self, *, files: int, size_bytes: int, rows: int) -> None:
        """Count what was done.

        Args:
            files: number of files.
            size_bytes: their size, as it is in the size of all.
            rows: their rows.
        """
        done = self._done
        self._done = Done(
            done.files + files,
            done.of_files,
            done.size_bytes + size_bytes,
            done.of_bytes,
            done.rows + rows,
        )
        self._report(self._done)


class Speed(NamedTuple):
    """How fast a step works."""

    seconds: float
    #: None before anything is done.
    rows_per_second: float | None
    #: None before anything is done.
    seconds_left: float | None

    def describe(self) -> str:
        """The speed in words: `1,200 rows/s, 2 min 5 s left`; "" before anything is done."""
        told = []
        if self.rows_per_second is not None:
            told.append(f"{self.rows_per_second:,.0f} rows/s")
        if self.seconds_left is not None:
            told.append(f"{describe_seconds(self.seconds_left)} left")
        return ", ".join(told)


class Stopwatch:
    """Measures the speed of a step, from now on."""

    def __init__(self, clock: Clock = time.monotonic) -> None:
        self._clock = clock
        self._start = clock()

    def measure(self, done: Done) -> Speed:
        """The speed so far; what is left is taken to be as fast, byte by byte."""
        seconds = self._clock() - self._start
        if not done.files or seconds <= 0:
            return Speed(seconds, None, None)
        left = done.of_bytes - done.size_bytes
        return Speed(
            seconds,
            done.rows / seconds,
            seconds * left / done.size_bytes if done.size_bytes else None,
        )


class Interval:
    """Says at most once in some seconds that something is due."""

    def __init__(self, seconds: float, clock: Clock = time.monotonic) -> None:
        self._seconds = seconds
        self._clock = clock
        self._next = clock() + seconds

    def is_due(self) -> bool:
        """Whether the seconds have passed since this was last true."""
        now = self._clock()
        if now < self._next:
            return False
        self._next = now + self._seconds
        return True


class Lines:
    """A report as lines of a log: one in some seconds, and one at the end if there were others."""

    def __init__(
        self,
        tell: Callable[[str], object],
        what: str,
        every_seconds: float,
        clock: Clock = time.monotonic,
    ) -> None:
        """Begin to measure.

        Args:
            tell: takes a line.
            what: what is made, such as the name of a table; lines begin with it.
            every_seconds: how often there is a line; what takes less time has none.
            clock: the clock.
        """
        self._tell = tell
        self._what = what
        self._stopwatch = Stopwatch(clock)
        self._interval = Interval(every_seconds, clock)
        self._has_told = False

    def __call__(self, done: Done) -> None:
        """Tell a line, if it is time to."""
        rows = count_of(done.rows, "row")
        if not done.is_all and self._interval.is_due():
            told = [f"{done.files:,} of {count_of(done.of_files, 'file')}", rows]
            told.append(self._stopwatch.measure(done).describe())
            self._tell(f"{self._what}: {', '.join(filter(None, told))}")
            self._has_told = True
        elif done.is_all and self._has_told:
            took = describe_seconds(self._stopwatch.measure(done).seconds)
            files = count_of(done.of_files, "file")
            self._tell(f"{self._what}: all {files}, {rows}, in {took}")
