"""Markers of tests: set from fixtures, and required of tests that start processes.

pyproject.toml describes each marker; the Makefile lists those that `make quick` excludes.
"""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterable

#: The marker of each test that uses one of these fixtures, directly or through others.
MARKER_OF_FIXTURE = {
    "gcs_emulator": "emulator",
    "bigquery_emulator": "emulator",
    "postgres_url": "processes",
    "browser": "browser",
    "spark_server": "spark",
}
#: The fixtures of whole runs that tests of several modules share.
RUNS = frozenset({"sample_run", "small_run", "later_run"})
#: The tests that may start processes.
STARTING = ("emulator", "browser", "processes", "spark", "upstream")


class UnmarkedError(Exception):
    """A test without a required marker."""


def mark(items: Iterable[pytest.Item]) -> None:
    """Give each test the markers of its fixtures, and a group.

    The tests of a group run in one process (`--dist loadgroup`): those of a module, and all tests
    for which the same whole run is made.
    """
    for item in items:
        fixtures = getattr(item, "fixturenames", ())
        for name in {MARKER_OF_FIXTURE[f] for f in fixtures if f in MARKER_OF_FIXTURE}:
            item.add_marker(name)
        if item.get_closest_marker("xdist_group") is None:
            shared = not RUNS.isdisjoint(fixtures)
            group = "runs" if shared else str(item.path.relative_to(item.config.rootpath))
            item.add_marker(pytest.mark.xdist_group(group))


def _asks_for_the_platform() -> bool:
    """Whether Python's `platform` starts the process: it does so once, whichever test is first."""
    frame = sys._getframe(1)
    while frame is not None:
        if frame.f_globals.get("__name__") == "platform":
            return True
        frame = frame.f_back  # type: ignore[assignment]
    return False


class ProcessGuard:
    """Fails tests that start a process without a marker, since processes make `make quick` slow."""

    def __init__(self) -> None:
        self._running: pytest.Item | None = None
        start = subprocess.Popen.__init__

        def guarded_start(process: subprocess.Popen[Any], *args: Any, **kwargs: Any) -> None:
            test = self._running
            unmarked = test is not None and not any(map(test.get_closest_marker, STARTING))
            if test is not None and unmarked and not _asks_for_the_platform():
                raise UnmarkedError(f"{test.nodeid} starts a process: mark it `processes`")
            start(process, *args, **kwargs)

        subprocess.Popen.__init__ = guarded_start  # type: ignore[method-assign, assignment]

    @pytest.hookimpl
    def pytest_runtest_logstart(self) -> None:
        """No test is running."""
        self._running = None

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_setup(self, item: pytest.Item) -> None:
        """Note the test that is running."""
        self._running = item

    @pytest.hookimpl
    def pytest_runtest_logfinish(self) -> None:
        """The test and its teardown have ended."""
        self._running = None
