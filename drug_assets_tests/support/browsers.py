"""A real browser for tests: which one, how it is started, and what its pages request and log.

Which page is opened and what it should show is for the tests to say.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from playwright.sync_api import Error, expect

from drug_assets_tests.support import runs
from drug_assets_tests.support.missing import missing

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from playwright.sync_api import (
        Browser,
        CDPSession,
        Page,
        Playwright,
        Request,
        ViewportSize,
    )

#: How long to wait for what takes milliseconds on an idle machine: only a test that fails waits.
PATIENCE = 60_000.0
#: How long a browser may take to start.
PATIENCE_TO_START = 300_000.0
#: What to do where no browser is found.
CURE = "no browser: apt-get install chromium, or set DRUG_ASSETS_TEST_BROWSER"
#: What npm installed for the explorer and its tests.
MODULES = runs.REPOSITORY / "explorer" / "node_modules"

_NAMES = (
    *("chromium", "chromium-browser", "google-chrome", "google-chrome-stable"),
    *("microsoft-edge", "microsoft-edge-stable"),
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
    "/Applications/Chromium.app/Contents/MacOS/Chromium",
    "/Applications/Microsoft Edge.app/Contents/MacOS/Microsoft Edge",
)
#: Unpacks the Chromium that npm installed, and the libraries that a bare image may lack.
_UNPACK = """
const {default: chromium, inflate} = await import("@sparticuz/chromium");
await chromium.executablePath();
await inflate(process.argv[1]);
"""
DESKTOP: ViewportSize = {"width": 1440, "height": 900}
PHONE: ViewportSize = {"width": 390, "height": 844}


def installed(
    environment: Mapping[str, str] = os.environ,
    which: Callable[[str], str | None] = shutil.which,
    modules: Path = MODULES,
) -> Path | None:
    """The browser that tests use, if there is one: the user's choice, the system's, or npm's.

    Args:
        environment: the variables.
        which: finds a program.
        modules: the folder of what npm installed.
    """
    if chosen := environment.get("DRUG_ASSETS_TEST_BROWSER"):
        return Path(which(chosen) or chosen)
    for name in _NAMES:
        if found := which(name):
            return Path(found)
    package = modules / "@sparticuz" / "chromium"
    return _unpacked(package) if package.is_dir() and sys.platform == "linux" else None


def _unpacked(package: Path) -> Path | None:
    """The Chromium of an npm package, unpacked beside it; of two processes at once, one does it."""
    target = package.parents[1] / ".chromium"
    if not target.exists():
        with tempfile.TemporaryDirectory(dir=package.parents[1], prefix=".chromium-") as folder:
            unpacked = Path(folder) / "unpacked"
            unpacked.mkdir()
            libraries = package / "bin" / "al2023.tar.br"
            node = shutil.which("node", path=str(Path(sys.executable).parent)) or "node"
            try:
                subprocess.run(
                    [node, "--input-type=module", "-e", _UNPACK, str(libraries)],
                    check=True,
                    capture_output=True,
                    cwd=package,
                    env=os.environ | {"TMPDIR": str(unpacked)},
                )
            except (OSError, subprocess.CalledProcessError):
                return None  # without Node, it is as if the package were not there
            try:
                unpacked.rename(target)
            except OSError:
                assert target.exists()  # another process was faster
    return target / "chromium"


def start(playwright: Playwright, program: Path) -> Browser:
    """A browser without windows.

    Raises:
        Error: it does not start.
    """
    libraries = program.parent / "al2023" / "lib"
    launch = playwright.chromium.launch
    try:
        return launch(executable_path=program, timeout=PATIENCE_TO_START)
    except Error:
        if not libraries.is_dir():
            raise
        with_libraries: dict[str, str | float | bool] = {
            **os.environ,
            "LD_LIBRARY_PATH": str(libraries),
        }
        return launch(executable_path=program, timeout=PATIENCE_TO_START, env=with_libraries)


@dataclass
class Opened:
    """A page in a fresh profile, with its requests and messages since it was opened."""

    page: Page
    session: CDPSession
    #: Addresses that anything on the page requested.
    requests: list[str] = field(default_factory=list)
    #: Of these, those that the page's policy refused, so that they were never sent.
    refused: list[str] = field(default_factory=list)
    #: Messages of the console, and errors that nothing caught.
    told: list[str] = field(default_factory=list)

    @property
    def sent(self) -> list[str]:
        """Addresses that were requested and not refused."""
        return [asked for asked in self.requests if asked not in self.refused]

    def note_failure(self, request: Request) -> None:
        """Note a request that the policy refused."""
        if request.failure == "csp":
            self.refused.append(request.url)

    def evaluate(self, expression: str) -> Any:
        """The value of a JavaScript expression, a promise awaited, as JSON carries it.

        The debugger evaluates it: Playwright's own way is closed by the page's policy.
        """
        asked = {
            "expression": expression,
            "awaitPromise": True,
            "returnByValue": True,
            "allowUnsafeEvalBlockedByCSP": False,
        }
        answer = self.session.send("Runtime.evaluate", asked)
        problem = answer.get("exceptionDetails")
        assert problem is None, problem
        return answer["result"].get("value")

    def axe(self) -> list[str]:
        """What axe-core finds wrong: the rule and the elements of each violation."""
        script = MODULES / "axe-core" / "axe.min.js"
        if not script.is_file():
            missing("axe-core is not installed: make explorer")
        if not self.evaluate("'axe' in window"):
            self.evaluate(script.read_text("utf-8") + "; 0")
        found = json.loads(self.evaluate("axe.run(document).then(r => JSON.stringify(r))"))
        assert found["passes"]
        return [
            f"{violation['id']} ({violation['impact']}): {node['html'][:200]}"
            for violation in found["violations"]
            for node in violation["nodes"]
        ]


class Visitor:
    """Opens pages, each in a fresh profile, and notes what each requests and logs.

    A page must request nothing outside its folder, and log nothing; `close` fails if one did,
    unless the test said that it checks that itself.
    """

    def __init__(self, browser: Browser) -> None:
        self._browser = browser
        self._opened: list[tuple[Opened, bool]] = []

    def open(self, address: str, *, quiet: bool = True, **profile: Any) -> Opened:
        """A page.

        Args:
            address: its address.
            quiet: whether it must not request anything outside its folder, or log anything.
            profile: how the profile differs from a desktop's, in English and light.
        """
        defaults = {"viewport": DESKTOP, "locale": "en-GB", "color_scheme": "light"}
        context = self._browser.new_context(**{**defaults, **profile})
        context.set_default_timeout(PATIENCE)
        page = context.new_page()
        opened = Opened(page, context.new_cdp_session(page))
        context.on("request", lambda request: opened.requests.append(request.url))
        context.on("requestfailed", opened.note_failure)
        context.on("console", lambda message: opened.told.append(message.text))
        context.on("weberror", lambda error: opened.told.append(str(error.error)))
        self._opened.append((opened, quiet))
        page.goto(address)
        return opened

    def close(self) -> None:
        """Close the pages.

        Raises:
            AssertionError: one that should be quiet was not.
        """
        faults: list[str] = []
        for opened, quiet in self._opened:
            if quiet:
                folder = opened.requests[0].partition("#")[0].rpartition("/")[0] + "/"
                faults += [r for r in opened.requests if not r.startswith((folder, "blob:"))]
                faults += opened.told
            opened.page.context.close()
        self._opened.clear()
        assert not faults, faults


def visiting(browser: Browser) -> Iterator[Visitor]:
    """A visitor for one test."""
    expect.set_options(timeout=PATIENCE)
    visitor = Visitor(browser)
    yield visitor
    visitor.close()
