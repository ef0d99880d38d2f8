"""Bars of progress on a terminal: one of the run, and one of the step that works through files."""

from __future__ import annotations

import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

from rich.progress import BarColumn, Progress, ProgressColumn, Task, TextColumn
from rich.text import Text

from drug_assets.defs.progress import Watcher
from drug_assets.progress import Clock, Done, Interval, Report, Stopwatch
from drug_assets.wording import describe_seconds

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rich.console import Console

#: How often a bar moves: more often than that is work that nobody sees.
_EVERY_SECONDS = 0.25
#: Columns of a terminal that words need; bars get the others.
_WORDS_WIDTH = 76


class _Told(ProgressColumn):
    """What the field `tell` of a task, a function, says of it: more room than columns have."""

    def render(self, task: Task) -> Text:
        """The text of a task."""
        return Text(task.fields["tell"](task), no_wrap=True)


def _tell_run(task: Task) -> str:
    ended, steps = round(task.completed), round(task.total or 0)
    return f"{ended:,}/{steps:,} steps, {describe_seconds(task.elapsed or 0.0)}"


class Bars(Watcher):
    """The bars of a run; shown on a terminal only, and gone when the run ends."""

    def __init__(self, console: Console, clock: Clock = time.monotonic) -> None:
        self._clock = clock
        self._progress = Progress(
            TextColumn("{task.description}", markup=False),
            BarColumn(bar_width=max(5, min(30, console.width - _WORDS_WIDTH))),
            _Told(),
            console=console,
            get_time=clock,
            refresh_per_second=1 / _EVERY_SECONDS,
            transient=True,
            disable=not console.is_terminal,
        )

    @contextmanager
    def shown(self, steps: int) -> Iterator[None]:
        """Show the bar of a run until the block ends.

        Args:
            steps: how many steps it has.
        """
        self._run = self._progress.add_task("starting", total=steps, tell=_tell_run)
        with self._progress:
            yield

    @property
    def seconds(self) -> float:
        """How long the run has taken."""
        return self._progress.tasks[self._run].elapsed or 0.0

    def begin_step(self, step: str) -> None:
        """A step of the run begins."""
        self._progress.update(self._run, description=step)

    def end_step(self) -> None:
        """A step of the run has ended."""
        self._progress.advance(self._run)

    @contextmanager
    def watch(self, what: str) -> Iterator[Report]:
        """Show a bar of one step, until the block ends; see `Watcher.watch`."""
        stopwatch = Stopwatch(self._clock)
        interval = Interval(_EVERY_SECONDS, self._clock)
        task = self._progress.add_task(f"  {what}", total=None, visible=False)

        def show(done: Done) -> None:
            if done.files and not done.is_all and not interval.is_due():
                return
            files = f"{done.files:,}/{done.of_files:,} files"
            told = ", ".join(filter(None, [files, stopwatch.measure(done).describe()]))
            # Until the first file is done, nobody knows how far the step has come.
            total = max(done.of_bytes, 1) if done.files else None
            self._progress.update(
                task, completed=done.size_bytes, total=total, tell=lambda _: told, visible=True
            )

        try:
            yield show
        finally:
            self._progress.remove_task(task)
