"""Pictures of the documents, and the explorer of `data/` itself: `make pictures` makes them.

Beside each picture is a note with the hash of what it shows. A test compares the notes with what is
there now, so that no picture shows what was: pixels differ from machine to machine, data do not.
"""

from __future__ import annotations

import base64
import gzip
import hashlib
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from docs.generate import ROOT, picture
from drug_assets.explorer import FILE
from drug_assets_tests.support import browsers
from drug_assets_tests.support.services import eventually, free_port, graphql, running

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from playwright.sync_api import Browser, FloatRect

IMAGES = ROOT / "docs" / "images"
#: The explorer of `data/`, as a release has it.
EXPLORER = ROOT / "docs" / FILE
#: The drug whose lanes are shown.
DRUG = "acetylsalicylic acid"

_BLOCK = re.compile(r'(?<=<script type="text/plain" id=)"(\w+)">([\w+/=]*)(?=</script>)')
#: Space around the asset graph.
_MARGIN = 24


def unpacked(page: str) -> str:
    """A page of the explorer with its data readable: how they are packed depends on the machine."""

    def readable(block: re.Match[str]) -> str:
        return f'"{block[1]}">{gzip.decompress(base64.b64decode(block[2])).decode()}'

    return _BLOCK.sub(readable, page)


def shown_by_explorer() -> str:
    """What the pictures of the explorer show."""
    return unpacked(EXPLORER.read_text(encoding="utf-8"))


#: What each picture shows.
SHOWN: Mapping[str, Callable[[], str]] = {
    "explorer": shown_by_explorer,
    "lanes": shown_by_explorer,
    "assets": picture,
}


def note(name: str) -> str:
    """What the note beside a picture says."""
    return f"{hashlib.sha256(SHOWN[name]().encode()).hexdigest()}  what {name}.png shows\n"


def take_pictures() -> None:
    """Run everything on `data/`, and take a picture of each result."""
    from playwright.sync_api import sync_playwright

    program = browsers.installed()
    if program is None:
        raise SystemExit(browsers.CURE)
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        variables = _variables(folder)
        shutil.copy(ROOT / "deploy" / "dagster-local.yaml", folder / "dagster.yaml")
        subprocess.run([_program("drug-assets"), "run"], check=True, cwd=ROOT, env=variables)  # noqa: S603
        shutil.copy(folder / "store" / "latest" / FILE, EXPLORER)
        IMAGES.mkdir(exist_ok=True)
        with sync_playwright() as playwright:
            browser = browsers.start(playwright, program)
            _take_explorer(browser)
            port = free_port()
            serve = ["-h", "127.0.0.1", "-p", str(port), "-w", str(ROOT / "workspace.yaml")]
            command = [_program("dagster-webserver"), *serve]
            with running("webserver", command, variables, folder):
                _take_assets(browser, port)
            browser.close()
    for name in SHOWN:
        (IMAGES / f"{name}.txt").write_text(note(name), encoding="utf-8")


def _variables(folder: Path) -> dict[str, str]:
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("DRUG_ASSETS_", "DAGSTER_"))}
    return kept | {
        "DAGSTER_HOME": str(folder),
        "DAGSTER_DISABLE_TELEMETRY": "yes",
        "DRUG_ASSETS_LANDING": str(ROOT / "data"),
        "DRUG_ASSETS_STORE": str(folder / "store"),
        "PYTHONPATH": str(ROOT),
    }


def _program(name: str) -> str:
    return str(Path(sys.executable).with_name(name))


def _take_explorer(browser: Browser) -> None:
    page = browser.new_context(viewport={"width": 1200, "height": 860}, locale="en-GB").new_page()
    page.goto(EXPLORER.as_uri())
    page.get_by_role("combobox").wait_for()
    page.screenshot(path=IMAGES / "explorer.png")
    page.goto(f"{EXPLORER.as_uri()}#drug={DRUG}")
    page.locator("ul.related > li").first.wait_for()
    page.screenshot(path=IMAGES / "lanes.png")


def _take_assets(browser: Browser, port: int) -> None:
    """The lineage of the mentions, in Dagster's own user interface, with the groups unfolded."""

    def answers() -> bool:
        try:
            return bool(graphql(port, "query { assetNodes { id } }")["assetNodes"])
        except OSError:
            return False

    eventually("the webserver", answers)
    page = browser.new_context(viewport={"width": 2000, "height": 1900}, locale="en-GB").new_page()
    page.set_default_timeout(browsers.PATIENCE_TO_START)
    lineage = "view=lineage&lineageScope=neighbors&lineageDepth=5"
    page.goto(f"http://127.0.0.1:{port}/assets/mentions?{lineage}")
    nodes = page.locator("foreignObject")
    nodes.get_by_text("release", exact=True).wait_for()
    page.wait_for_timeout(3_000)  # what is materialized is asked for once the graph is drawn
    page.add_style_tag(content="* { background-image: none !important }")  # a grid of dots
    boxes = [box for node in nodes.all() if (box := node.bounding_box())]
    left, top = (min(box[side] for box in boxes) - _MARGIN for side in ("x", "y"))
    right = max(box["x"] + box["width"] for box in boxes) + _MARGIN
    bottom = max(box["y"] + box["height"] for box in boxes) + _MARGIN
    clip: FloatRect = {"x": left, "y": top, "width": right - left, "height": bottom - top}
    page.screenshot(path=IMAGES / "assets.png", clip=clip)


if __name__ == "__main__":
    take_pictures()
