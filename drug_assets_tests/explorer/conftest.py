"""The browser of these tests: one per process, and each page in a fresh profile."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

import pytest

from drug_assets.explorer import FILE
from drug_assets_tests.support import runs

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Browser, Playwright

    from drug_assets_tests.explorer.views import Explorer
    from drug_assets_tests.support.browsers import Visitor
    from drug_assets_tests.support.runs import Run


class Open(Protocol):
    """Opens the explorer."""

    def __call__(self, view: str = "", *, of: Run | None = None, **profile: Any) -> Explorer:
        """Open a view in a fresh profile.

        Args:
            view: the part of the address that names it; home if it is empty.
            of: the run whose release is shown; by default that of the sample.
            profile: as in `Visitor.open`.
        """


# Not of the session: while Playwright runs, no other test of the process could run an event loop.
@pytest.fixture(scope="package")
def playwright() -> Iterator[Playwright]:
    """What drives a browser."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as driver:
        yield driver


@pytest.fixture(scope="package")
def browser(playwright: Playwright) -> Iterator[Browser]:
    """A real browser; without one the test is skipped by name, or fails in CI."""
    from drug_assets_tests.support import browsers
    from drug_assets_tests.support.missing import missing

    program = browsers.installed()
    if program is None:
        missing(browsers.CURE)
    started = browsers.start(playwright, program)
    yield started
    started.close()


@pytest.fixture
def visitor(browser: Browser) -> Iterator[Visitor]:
    """Opens pages, and fails the test if one requests anything but itself, or logs anything."""
    from drug_assets_tests.support import browsers

    yield from browsers.visiting(browser)


@pytest.fixture
def explore(sample_run: Run, visitor: Visitor) -> Open:
    """Opens the explorer of the sample, or of another run."""
    from drug_assets_tests.explorer.views import Explorer

    def open_explorer(view: str = "", *, of: Run | None = None, **profile: Any) -> Explorer:
        path = runs.current((of or sample_run).store) / FILE
        return Explorer(visitor.open(path.as_uri() + view, **profile))

    return open_explorer
