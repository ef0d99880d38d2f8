"""`drug-assets explore`: the page is opened, or the command says where it lies."""

from __future__ import annotations

import os
import subprocess
import sys
import webbrowser
from typing import TYPE_CHECKING

import pytest

from drug_assets.storage.objects import LocalFolder
from drug_assets.storage.releases import describe_releases
from drug_assets_tests.support import commands, runs

if TYPE_CHECKING:
    from pathlib import Path

    from click.testing import Result

pytestmark = pytest.mark.xdist_group("runs")


def explore(*arguments: str | Path) -> Result:
    return commands.asked("explore", *arguments)


class Browser(webbrowser.BaseBrowser):
    """A browser that opens nothing, and remembers what it was asked for."""

    def __init__(self, *, works: bool = True) -> None:
        super().__init__()
        self.opened: list[str] = []
        self._works = works

    def open(self, url: str, new: int = 0, autoraise: bool = True) -> bool:  # noqa: ARG002
        self.opened.append(url)
        return self._works


@pytest.fixture
def browser(monkeypatch: pytest.MonkeyPatch) -> Browser:
    found = Browser()
    monkeypatch.setattr(webbrowser, "get", lambda: found)
    return found


@pytest.fixture
def page(sample_run: runs.Run) -> Path:
    return (sample_run.store / "latest" / "explorer.html").absolute()


def test_the_current_page_is_opened_under_a_name_that_lasts(
    sample_run: runs.Run, page: Path, browser: Browser
) -> None:
    result = explore("--store", sample_run.store)
    assert (result.exit_code, result.output) == (0, f"Opened {page}\n")
    assert browser.opened == [page.as_uri()]


def test_the_page_of_the_sample_is_small_enough_for_a_mail(page: Path) -> None:
    assert page.stat().st_size < 200_000


def test_the_page_of_a_release_is_opened(
    sample_run: runs.Run, page: Path, browser: Browser
) -> None:
    (release,) = describe_releases(LocalFolder(sample_run.store))
    result = explore("--store", sample_run.store, "--release", release.release)
    assert result.output == f"Opened {page.resolve()}\n"
    assert browser.opened == [page.resolve().as_uri()]


def no_browser() -> webbrowser.BaseBrowser:
    raise webbrowser.Error("could not locate runnable browser")


@pytest.mark.parametrize(
    "found",
    [no_browser, lambda: Browser(works=False), lambda: webbrowser.GenericBrowser("lynx")],
    ids=["none", "one that does not start", "one of a terminal"],
)
def test_without_a_browser_the_command_says_where_the_page_lies(
    sample_run: runs.Run, page: Path, monkeypatch: pytest.MonkeyPatch, found: object
) -> None:
    monkeypatch.delenv("BROWSER", raising=False)
    monkeypatch.setattr(webbrowser, "get", found)
    result = explore("--store", sample_run.store)
    assert result.exit_code == 0
    assert result.output == f"The explorer is {page}: open it in a browser.\n"


@pytest.mark.processes
def test_the_browser_of_the_user_is_asked(sample_run: runs.Run, page: Path, tmp_path: Path) -> None:
    asked = tmp_path / "asked"
    script = tmp_path / "browser"
    script.write_text(f'#!/bin/sh\nprintf %s "$1" > {asked}\n', encoding="utf-8")
    script.chmod(0o755)
    ended = subprocess.run(
        [sys.executable, "-m", "drug_assets.cli", "explore", "--store", sample_run.store],
        env={**os.environ, "BROWSER": f"{script} %s"},
        cwd=runs.REPOSITORY,
        capture_output=True,
        text=True,
        check=True,
    )
    assert ended.stdout == f"Opened {page}\n"
    assert asked.read_text() == page.as_uri()


def test_a_release_of_an_earlier_version_has_no_explorer(
    sample_run: runs.Run, browser: Browser, tmp_path: Path
) -> None:
    store = runs.copy(sample_run.store, tmp_path / "store")
    (runs.current(store) / "explorer.html").unlink()
    result = explore("--store", store)
    assert result.exit_code == 1
    assert "explorer.html: an earlier version made this release. Run `drug-assets run`" in (
        result.output
    )
    assert not browser.opened


def test_a_store_without_a_release_says_so(tmp_path: Path, browser: Browser) -> None:
    result = explore("--store", tmp_path)
    assert result.exit_code == 1
    assert "there is no release" in result.output
    assert not browser.opened
