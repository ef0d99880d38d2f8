"""Markers of tests: set from fixtures, and required of tests that start processes.

pyproject.toml describes each marker; the Makefile lists those that `make quick` excludes.
"""

from __future__ import annotations

import subprocess
import sys
from multiprocessing.process import BaseProcess
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterable

#: The fixtures of whole runs that tests of several modules share.
RUNS = frozenset({"sample_run", "small_run", "later_run"})
#: The marker of each test that uses one of these fixtures, directly or through others.
MARKER_OF_FIXTURE = {
    "gcs_emulator": "emulator",
    "bigquery_emulator": "emulator",
    "postgres_url": "processes",
    "browser": "browser",
    "spark_server": "spark",
    **dict.fromkeys(sorted(RUNS), "slow"),
}
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
        if item.config.getoption("loadgroup", default=False):
            _name_group(item)


def _name_group(item: pytest.Item) -> None:
    """Add the group to the id of a test, since pytest-xdist distributes tests by what follows "@".

    It does so itself, but in vain: pytest 9.2 no longer reads the attribute that pytest-xdist 3.8
    sets. A test in test_upstream.py fails when this works again.
    """
    group = item.get_closest_marker("xdist_group")
    assert group is not None
    item._id = type(item.id).parse(f"{item.nodeid}@{group.args[0]}")


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
        start, start_worker = subprocess.Popen.__init__, BaseProcess.start

        def guarded_start(process: subprocess.Popen[Any], *args: Any, **kwargs: Any) -> None:
            if not _asks_for_the_platform():
                self._require_marker()
            start(process, *args, **kwargs)

        def guarded_start_of_worker(process: BaseProcess) -> None:
            self._require_marker()
            start_worker(process)

        subprocess.Popen.__init__ = guarded_start  # type: ignore[method-assign, assignment]
        BaseProcess.start = guarded_start_of_worker  # type: ignore[method-assign, assignment]

    def _require_marker(self) -> None:
        test = self._running
        if test is not None and not any(map(test.get_closest_marker, STARTING)):
            raise UnmarkedError(f"{test.nodeid} starts a process: mark it `processes`")

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
