"""Opening the explorer's page in a browser: how soon there is something to see, and in what memory.

The page is opened from disk, in a fresh profile, by a browser that is found as tests find it
(`drug_assets_tests.support.browsers`). Times are the browser's own: of its marks and events.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import polars as pl

from benchmarks.measuring import Figures, NotInstalledError, peer
from drug_assets.documents import EXPLORER

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

    from drug_assets_tests.support.browsers import Opened

_MIB = 2**20
#: Waits for a mark of the page; the time is in seconds, since the page was opened.
_MARKED = """
new Promise(done => {
  const look = () => {
    const marks = performance.getEntriesByName(NAME).filter(mark => mark.startTime >= SINCE);
    if (marks.length) done(marks.at(-1).startTime / 1000); else setTimeout(look, 5);
  };
  look();
})
"""
#: From a key to what is drawn because of it, in milliseconds; what takes under 16 is not told.
_WATCH_KEYS = """
globalThis.keys = [];
new PerformanceObserver(seen => globalThis.keys.push(...seen.getEntries()
  .filter(({name}) => name === "keydown" || name === "input").map(({duration}) => duration))
).observe({type: "event", durationThreshold: 16});
"""


def opened(folder: str) -> Figures:
    """Open the page of some tables, type the name of a drug, and open the drug of most mentions.

    Args:
        folder: where `explorer.made_tables` and `explorer.written` wrote.

    Returns:
        Seconds: `painted` (the first view), `searchable`, `evidence` and `related` (both from the
        moment that the drug is chosen), `keystroke` (the slowest). MiB of the renderer once all is
        read, and with `_of_drug` once the drug is shown: `resident`, `proportional` (of what
        several processes share, each counts its part), `private` (what no other process has).
        `heap_mib` of it are JavaScript's.

    Raises:
        NotInstalledError: Playwright or a browser is not installed.
    """
    driver = peer("playwright.sync_api")
    from drug_assets_tests.support import browsers

    program = browsers.installed()
    if program is None:
        raise NotInstalledError("browser")
    heaviest = _heaviest_drug(Path(folder))
    address = (Path(folder) / EXPLORER.file).resolve().as_uri()
    with driver.sync_playwright() as playwright:
        browser = browsers.start(playwright, program)
        page = browser.new_context(viewport=browsers.DESKTOP, locale="en-GB").new_page()
        view = browsers.Opened(page, page.context.new_cdp_session(page))
        figures = _renderer_memory(browser, "_of_nothing")
        page.goto(address, wait_until="commit")
        figures["painted"] = _marked(view, "painted")
        figures["searchable"] = _marked(view, "searchable")
        page.wait_for_load_state("load")
        figures["parsed"] = (
            float(
                view.evaluate("performance.timing.domComplete - performance.timing.navigationStart")
            )
            / 1000
        )
        figures |= _renderer_memory(browser, "")
        figures["keystroke"] = _slowest_key(page, view, heaviest)
        chosen = view.evaluate(
            f"(location.hash = {json.dumps(_address_of(heaviest))}, performance.now())"
        )
        for name in ("evidence", "related"):
            figures[name] = _marked(view, name, since=chosen) - chosen / 1000
        figures |= _renderer_memory(browser, "_of_drug")
        figures["heap_mib"] = view.session.send("Runtime.getHeapUsage")["usedSize"] / _MIB
        browser.close()
    return figures


def _heaviest_drug(folder: Path) -> str:
    counts = pl.scan_parquet(folder / "mentions.parquet").group_by("drug_id").len()
    found: str = counts.sort("len", "drug_id").last().collect().item(0, "drug_id")
    return found


def _address_of(drug_id: str) -> str:
    return f"#drug={quote(drug_id, safe='')}"


def _marked(view: Opened, name: str, since: float = 0) -> float:
    asked = _MARKED.replace("NAME", json.dumps(name)).replace("SINCE", str(since))
    return float(view.evaluate(asked))


def _slowest_key(page: Page, view: Opened, text: str) -> float:
    """Type a text into the search field, letter by letter, and a word that nothing is named."""
    view.evaluate(_WATCH_KEYS)
    for typed in (text[:8], "zzxqv"):
        page.get_by_role("combobox").first.fill("")
        page.get_by_role("combobox").first.press_sequentially(typed, delay=100)
    page.get_by_role("combobox").first.fill("")
    page.keyboard.press("Escape")
    page.wait_for_timeout(300)  # events are told some time after they ended
    slow: list[float] = view.evaluate("globalThis.keys")
    return max(slow, default=16.0) / 1000


def _renderer_memory(browser: Browser, when: str) -> Figures:
    """The memory of the largest renderer, as three figures in MiB: see `opened`."""
    told: dict[str, Any] = browser.new_browser_cdp_session().send("SystemInfo.getProcessInfo")
    pids = [process["id"] for process in told["processInfo"] if process["type"] == "renderer"]
    largest = max(map(_memory, pids), key=lambda memory: memory["proportional"])
    return {f"{name}{when}": size / _MIB for name, size in largest.items()}


def _memory(pid: int) -> dict[str, int]:
    """Bytes of a process: resident, its share of them, and those that no other process has."""
    of_kernel: dict[str, int] = {}
    for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()[1:]:
        name, _, size = line.partition(":")
        of_kernel[name] = int(size.split()[0]) * 1024
    return {
        "resident": of_kernel["Rss"],
        "proportional": of_kernel["Pss"],
        "private": of_kernel["Private_Clean"] + of_kernel["Private_Dirty"],
    }
