"""The browser of these tests: one a process, and pages in fresh profiles."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Browser, Playwright

    from drug_assets_tests.support.browsers import Visitor


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

    program = browsers.installed()
    if program is None:
        browsers.missing(browsers.CURE)
    started = browsers.start(playwright, program)
    yield started
    started.close()


@pytest.fixture
def visitor(browser: Browser) -> Iterator[Visitor]:
    """Opens pages, and fails the test if one asked for anything but itself, or told anything."""
    from drug_assets_tests.support import browsers

    yield from browsers.visiting(browser)
