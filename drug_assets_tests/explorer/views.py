"""The explorer as tests use it: opens its views and reads what they show.

What they should show is for `expected` and the tests to say.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import quote

from playwright.sync_api import expect

if TYPE_CHECKING:
    from playwright.sync_api import Locator, Page

    from drug_assets_tests.support.browsers import Opened

_EVIDENCE = """
[...document.querySelectorAll("ol.evidence > li")].map(row => ({
  id: row.dataset.id,
  type: row.dataset.type,
  title: row.querySelector(".title").textContent,
  marks: [...row.querySelectorAll(".title mark")].map(mark => mark.textContent),
  journal: new URLSearchParams(
    (row.querySelector(".source a[href^='#']")?.hash ?? "").slice(1)).get("journal"),
}))
"""
_LANES = """
[...document.querySelectorAll("li[data-journal]")].filter(lane => lane.closest("#lanes"))
  .map(lane => [lane.dataset.journal, [...lane.querySelectorAll("[data-mark]")].map(mark => [
    mark.dataset.date, mark.dataset.precision, "hollow" in mark.dataset,
    parseFloat(mark.getAttribute("x"))])])
"""
_RELATED = """
[...document.querySelectorAll("ul.related > li")].map(row => [row.dataset.drug,
  [...row.querySelectorAll("[data-journal]")].map(link => link.dataset.journal),
  row.textContent.match(/([\\d.]+) × chance/)[1]])
"""


class Related(NamedTuple):
    """A drug that is related to the one of the page."""

    drug_id: str
    #: Ids of the journals that link them, sorted.
    journals: list[str]
    #: How much more often they are linked than by chance, as it is written.
    lift: float


def address(**said: str) -> str:
    """The part of an address that names a view."""
    return "#" + "&".join(f"{name}={quote(value, safe='')}" for name, value in said.items())


class Explorer:
    """A page of the explorer in a browser."""

    def __init__(self, opened: Opened) -> None:
        self.opened = opened
        self.page: Page = opened.page
        self.search = self.page.get_by_role("search").get_by_role("combobox")
        self.rows = self.page.locator("ol.evidence > li")
        self.heading = self.page.get_by_role("heading", level=1)
        self.lead = self.page.locator("p.lead")

    def go(self, view: str) -> None:
        """Open a view of the same page, as a link to it does."""
        expect(self.search).to_be_visible()  # the script has begun
        self.opened.evaluate(f"location.hash = {json.dumps(view)}")

    def show_drug(self, drug_id: str, name: str, **said: str) -> None:
        """Open the page of a drug, and wait for its name."""
        self.go(address(drug=drug_id, **said))
        expect(self.heading).to_have_text(name)

    def settle(self) -> None:
        """Wait until the whole view is shown."""
        expect(self.heading).to_be_visible()
        if "drug=" in self.page.url and re.search(r"\d", self.lead.inner_text()):
            expect(self.rows.first).to_be_visible()
            expect(self.page.locator("ul.related > li").first).to_be_visible()

    def evidence(self, count: int) -> list[dict[str, Any]]:
        """Every row of evidence, once there are as many as there should be."""
        more = self.page.locator("ol.evidence ~ button.more")
        expect(self.rows.first).to_be_visible()
        while more.is_visible():
            shown = self.rows.count()
            more.click()
            expect(self.rows).not_to_have_count(shown)
        expect(self.rows).to_have_count(count)
        rows: list[dict[str, Any]] = self.opened.evaluate(_EVIDENCE)
        return rows

    def lanes(self) -> list[tuple[str, list[tuple[str, str, bool, float]]]]:
        """Each journal in the order of the lanes, with its marks: date, precision, hollow, x."""
        expect(self.page.locator("#lanes li[data-journal]").first).to_be_visible()
        read = self.opened.evaluate(_LANES)
        return [(journal, [tuple(mark) for mark in marks]) for journal, marks in read]

    def related(self, count: int) -> list[Related]:
        """The related drugs in their order, once there are as many as there should be."""
        rows = self.page.locator("ul.related > li")
        expect(rows).to_have_count(count)
        read = self.opened.evaluate(_RELATED)
        return [Related(drug, sorted(journals), float(lift)) for drug, journals, lift in read]

    def chip(self, text: str) -> Locator:
        """The button that removes a filter."""
        return self.page.get_by_role("button", name=f"Remove filter {text}")

    def choose_type(self, label: str) -> None:
        """Filter the evidence by a type of publications."""
        group = self.page.get_by_role("group", name="Type")
        group.get_by_role("button", name=re.compile(rf"^{label}\b")).click()
