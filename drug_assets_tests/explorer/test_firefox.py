"""The explorer in Firefox, where there is one: driven by its own protocol, WebDriver BiDi."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest
from websockets.sync.client import connect

from drug_assets.document import questions
from drug_assets.explorer import FILE
from drug_assets_tests.explorer import expected
from drug_assets_tests.support import runs
from drug_assets_tests.support.local_servers import PATIENCE_SECONDS
from drug_assets_tests.support.services import eventually

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from websockets.sync.client import ClientConnection

    from drug_assets_tests.support.runs import Run

pytestmark = pytest.mark.browser

#: They keep Firefox itself from reaching other hosts: its proxy is not there.
PREFERENCES = (
    ("network.proxy.type", 1),
    ("network.proxy.http", "127.0.0.1"),
    ("network.proxy.http_port", 9),
    ("network.proxy.ssl", "127.0.0.1"),
    ("network.proxy.ssl_port", 9),
    ("intl.accept_languages", "en"),
    ("intl.locale.requested", "en-US"),
)
DRUG = "acetylsalicylic acid"
_EVIDENCE = """
[...document.querySelectorAll("ol.evidence > li")].map(row => ({
  id: row.dataset.id,
  marks: [...row.querySelectorAll(".title mark")].map(mark => mark.textContent)}))
"""


class Firefox:
    """One tab, with its requests and the messages of its console."""

    def __init__(self, connection: ClientConnection) -> None:
        self._connection = connection
        self._asked = 0
        self.requests: list[str] = []
        self.told: list[str] = []
        self.send("session.new", capabilities={})
        events = ["network.beforeRequestSent", "log.entryAdded"]
        self.send("session.subscribe", events=events)
        self._tab = self.send("browsingContext.create", type="tab")["context"]

    def send(self, method: str, **parameters: Any) -> dict[str, Any]:
        """The answer to a command; events that come before it are noted."""
        self._asked += 1
        command = {"id": self._asked, "method": method, "params": parameters}
        self._connection.send(json.dumps(command))
        while True:
            told = json.loads(self._connection.recv(timeout=PATIENCE_SECONDS))
            if told.get("method") == "network.beforeRequestSent":
                self.requests.append(told["params"]["request"]["url"])
            elif told.get("method") == "log.entryAdded":
                self.told.append(told["params"]["text"])
            elif told.get("id") == self._asked:
                assert told["type"] == "success", told
                result: dict[str, Any] = told["result"]
                return result

    def open(self, address: str) -> None:
        """Open a page, and wait until it has loaded."""
        self.send("browsingContext.navigate", context=self._tab, url=address, wait="complete")

    def evaluate(self, expression: str) -> Any:
        """The value of an expression, as JSON carries it."""
        found = self.send(
            "script.evaluate",
            expression=f"JSON.stringify({expression})",
            target={"context": self._tab, "sandbox": "tests"},
            awaitPromise=True,
        )
        assert found["type"] == "success", found
        return json.loads(found["result"]["value"])

    def click(self, selector: str) -> None:
        """Click the first element of a selector, with a pointer."""
        place = self.evaluate(
            f"(e => (e.scrollIntoView({{block: 'center'}}), e.getBoundingClientRect()))"
            f"(document.querySelector({json.dumps(selector)}))"
        )
        middle = {
            axis: int(place[axis] + place[size] / 2)
            for axis, size in (("x", "width"), ("y", "height"))
        }
        move = {"type": "pointerMove", "duration": 0, **middle}
        buttons = ({"type": kind, "button": 0} for kind in ("pointerDown", "pointerUp"))
        self._perform({"type": "pointer", "id": "mouse", "actions": [move, *buttons]})

    def type(self, text: str) -> None:
        """Type a text where the focus is."""
        keys = [{"type": kind, "value": c} for c in text for kind in ("keyDown", "keyUp")]
        self._perform({"type": "key", "id": "keyboard", "actions": keys})

    def _perform(self, actions: dict[str, Any]) -> None:
        self.send("input.performActions", context=self._tab, actions=[actions])

    def eventually(self, expression: str) -> Any:
        """The first value that is not false."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not (found := self.evaluate(expression)):
            assert time.monotonic() < deadline, expression
            time.sleep(0.1)
        return found


@contextmanager
def running_firefox(folder: Path) -> Iterator[Firefox]:
    """A Firefox with a profile of its own; the test is skipped, by name, where there is none."""
    program = shutil.which("firefox-esr") or shutil.which("firefox")
    if program is None:
        pytest.skip("firefox is not installed here")
    command = [program, "--headless", "--no-remote", "--remote-debugging-port", "0"]
    lines = [f"user_pref({json.dumps(name)}, {json.dumps(set_)});" for name, set_ in PREFERENCES]
    (folder / "user.js").write_text("\n".join(lines), encoding="utf-8")
    log = folder / "log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [*command, "--profile", str(folder)], stdout=output, stderr=output
        )
    try:
        address = eventually(
            f"Firefox, see {log}", lambda: re.findall(r"ws://\S+", log.read_text("utf-8"))
        )[0]
        with connect(f"{address}/session", max_size=None) as connection:
            yield Firefox(connection)
    finally:
        process.terminate()
        process.wait(PATIENCE_SECONDS)


#: The texts of some elements.
_TEXTS = "[...document.querySelectorAll(WHERE)].map(link => link.textContent)"


def test_three_questions_are_answered_by_clicks(sample_run: Run, tmp_path: Path) -> None:
    """Which journals write about digoxin, since when, and what else do they write about?"""
    drug = next(drug for drug in expected.drugs(sample_run) if drug.name == "digoxin")
    journals = drug.mentions.drop_nulls("journal_id")
    answer = questions.related_drugs(sample_run.graph, "digoxin")
    page = (runs.current(sample_run.store) / FILE).as_uri()
    with running_firefox(tmp_path) as firefox:
        firefox.open(page)
        firefox.eventually("!!document.querySelector('[role=combobox]')")
        firefox.click("[role=combobox]")
        firefox.type("digox")
        firefox.eventually("!!document.querySelector('[role=option]')")
        firefox.click("[role=option]")
        firefox.eventually("document.querySelector('h1')?.textContent === 'digoxin'")
        # Which journals: each has a lane. Since when: the first line.
        lanes = firefox.eventually(_TEXTS.replace("WHERE", "'#lanes button.pick'"))
        assert sorted(lanes) == sorted(journals["journal"].unique())
        told = firefox.evaluate("document.querySelector('p.lead').textContent")
        assert told == expected.since_when(drug.mentions)
        # What else they write about: the related drugs, and the page of a journal.
        firefox.eventually("!!document.querySelector('ul.related > li')")
        related = firefox.evaluate(
            "[...document.querySelectorAll('ul.related > li')].map(row => row.dataset.drug)"
        )
        ids = dict(sample_run.table("drugs").select("drug", "drug_id").iter_rows())
        assert related == [ids[each.drug] for each in answer.related][: len(related)]
        firefox.click("#lanes button.pick")
        of_lane = journals.filter(journal=lanes[0]).height
        rows = "document.querySelectorAll('ol.evidence > li').length"
        firefox.eventually(f"{rows} === {of_lane}")
        firefox.click("ol.evidence .source a[href^='#']")
        firefox.eventually(f"document.querySelector('h1')?.textContent === {json.dumps(lanes[0])}")
        of_journal = sample_run.table("mentions").filter(journal=lanes[0])
        written = firefox.eventually(_TEXTS.replace("WHERE", "'table.list tbody th a'"))
        assert sorted(written) == sorted(of_journal["drug"].unique())
        firefox.click("table.list tbody th a")
        firefox.eventually("!!document.querySelector('p.lead')")
        assert firefox.evaluate("document.querySelector('h1').textContent") in written
        assert firefox.told == []


def test_firefox_opens_it_searches_and_shows_the_evidence(sample_run: Run, tmp_path: Path) -> None:
    mentions = expected.mentions_of(sample_run, DRUG)
    page = (runs.current(sample_run.store) / FILE).as_uri()
    with running_firefox(tmp_path) as firefox:
        firefox.open(page)
        text = firefox.eventually(
            "document.querySelector('[role=combobox]') && document.querySelector('main').innerText"
        )
        assert f"{sample_run.table('mentions').height} mentions" in text
        firefox.open(f"{page}#drug=aspirin")
        found = firefox.eventually(
            "document.querySelector('ul.related > li') && document.querySelector('p.lead')"
            ".textContent"
        )
        assert found == expected.since_when(mentions)
        assert firefox.evaluate("document.title").startswith(DRUG)
        assert firefox.evaluate(_EVIDENCE) == [
            {"id": row["id"], "marks": row["marks"]} for row in expected.marked(mentions)
        ]
        # Firefox lists fonts of its own, too, whose addresses hold their data.
        asked = {address for address in firefox.requests if not address.startswith("data:")}
        assert asked <= {page, f"{page}#drug=aspirin"}
        assert firefox.told == []
