"""Markers of tests: set from fixtures, and required of tests that start processes.

pyproject.toml describes each marker; the Makefile lists those that `make quick` excludes.
"""

from __future__ import annotations

import platform
import subprocess
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
}
#: The tests that may start processes.
STARTING = ("emulator", "browser", "processes", "upstream")


#: What `platform.architecture` starts, which Dagster calls when it is first imported: that may be
#: in any test.
ASKED_OF_IMPORTS = ["file", "-b"]


def _command(args: Any = (), *_: Any, **__: Any) -> list[Any]:
    """The command of a process that is started with these arguments."""
    return list(args) if isinstance(args, (list, tuple)) else [args]


class UnmarkedError(Exception):
    """A test without a required marker."""


def mark(items: Iterable[pytest.Item]) -> None:
    """Give each test the markers of its fixtures."""
    for item in items:
        fixtures = getattr(item, "fixturenames", ())
        for name in {MARKER_OF_FIXTURE[f] for f in fixtures if f in MARKER_OF_FIXTURE}:
            item.add_marker(name)


class ProcessGuard:
    """Fails tests that start a process without a marker, since processes make `make quick` slow."""

    def __init__(self) -> None:
        self._running: pytest.Item | None = None
        platform.processor()  # starts `uname` once per process, whichever test asks first
        start = subprocess.Popen.__init__

        def guarded_start(process: subprocess.Popen[Any], *args: Any, **kwargs: Any) -> None:
            test = self._running if _command(*args, **kwargs)[:2] != ASKED_OF_IMPORTS else None
            if test is not None and not any(map(test.get_closest_marker, STARTING)):
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
