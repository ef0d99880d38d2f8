"""Data that a page could mistake for code or markup: nothing runs, and marks are right."""

from __future__ import annotations

import csv
import io
import re
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from drug_assets_tests.explorer import expected
from drug_assets_tests.explorer.views import address
from drug_assets_tests.support import runs

if TYPE_CHECKING:
    from collections.abc import Sequence

    from drug_assets_tests.explorer.conftest import Open
    from drug_assets_tests.support.runs import Run

RUN = "window.ran=1"
#: Texts that are code, markup or odd; each begins titles that name drugs, and names a journal.
TEXTS = (
    f"</script><script>{RUN}</script>",
    "</SCRIPT ><!-- ",
    "<!--<script>",
    "--> ]]>",
    f'<img src=x onerror="{RUN}">',
    f"<svg onload={RUN}>",
    f"javascript:{RUN}",
    f"${{{RUN}}} {{{{{RUN}}}}}",
    "=1+1",
    "\u2028line\u2029paragraph",
    "\u202eright to left\u202c \u200fmark\u200e",
    "\U0001f48a\U0001f469\u200d\U0001f52c pills \U0001d4d0",
    "e\u0301 combining a\u030a",
    "&lt;b&gt; &amp;amp; &#x27;",
    "'\"`\\",
    "%3Cscript%3E?&#=+",
    "x" * 40_000,
)
#: Names of drugs; titles mention each.
NAMES = ("aspirin", "<b>bold</b>", "javascript:alert", "naïve acid", "constructor", "__proto__")


def as_csv(header: str, rows: Sequence[tuple[str, ...]]) -> str:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(header.split(","))
    writer.writerows(rows)
    return text.getvalue()


@pytest.fixture(scope="module")
def hostile_run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """A run on such data."""
    folder = tmp_path_factory.mktemp("hostile")
    articles = [
        (str(number), f"{text} with {name} beside {name.upper()}", "2020-01-02", text[:200])
        for number, (text, name) in enumerate((text, name) for text in TEXTS for name in NAMES)
    ]
    trials = [
        (id_, f"A trial of aspirin, {id_}", "2021", "Journal of Tests")
        for id_ in (f"javascript:{RUN}", '"><img src=x>', "NCT00000002/../..", "NCT00000001")
    ]
    files = {
        "drugs.csv": as_csv("atccode,drug", [(f"A0{n}AA0{n}", d) for n, d in enumerate(NAMES, 1)]),
        "pubmed.csv": as_csv("id,title,date,journal", articles),
        "clinical_trials.csv": as_csv("id,scientific_title,date,journal", trials),
    }
    return runs.run(runs.landing_zone(folder / "landing", files), folder / "store")


def test_hostile_data_are_text_and_marks_are_right(hostile_run: Run, explore: Open) -> None:
    drugs = list(expected.drugs(hostile_run))
    assert {drug.id for drug in drugs} >= {"aspirin", "__proto__", "constructor"}
    explorer = explore(of=hostile_run)
    for drug in drugs:
        explorer.show_drug(drug.id, drug.name)
        assert explorer.evidence(drug.mentions.height) == expected.marked(drug.mentions)
        expect(explorer.page.locator("ul.related > li").first).to_be_visible()
    assert explorer.page.locator("main img, main script, main b b, main iframe").count() == 0
    assert explorer.opened.evaluate("window.ran ?? null") is None


def test_pages_of_hostile_journals_open(hostile_run: Run, explore: Open) -> None:
    explorer = explore(of=hostile_run)
    journals = hostile_run.table("mentions").select("journal_id", "journal").unique().drop_nulls()
    assert journals.height >= len(TEXTS) // 2
    for journal_id, journal in journals.iter_rows():
        explorer.go(address(journal=journal_id))
        expect(explorer.heading).to_have_text(" ".join(journal.split()))
        expect(explorer.page.locator("main")).to_contain_text("aspirin")
    assert explorer.opened.evaluate("window.ran ?? null") is None


def test_hostile_texts_are_searched_as_text(hostile_run: Run, explore: Open) -> None:
    explorer = explore(of=hostile_run)
    for text in (*TEXTS[:-1], *NAMES, ".*", "(", "[", "\\"):
        explorer.search.fill(text)
        expect(
            explorer.page.get_by_role("option").first.or_(
                explorer.page.get_by_text("Nothing is named")
            )
        ).to_be_visible()
    assert explorer.opened.evaluate("window.ran ?? null") is None


def test_ids_that_are_no_ids_are_no_links(hostile_run: Run, explore: Open) -> None:
    explorer = explore(address(drug="aspirin", type="clinical_trial"), of=hostile_run)
    trials = hostile_run.table("mentions").filter(source="clinical_trials")
    expect(explorer.rows).to_have_count(trials.height)
    hrefs = {
        str(link.get_attribute("href"))
        for link in explorer.page.locator("main a[href]:not([href^='#'])").all()
    }
    assert "https://clinicaltrials.gov/study/NCT00000001" in hrefs
    trial = re.compile(r"https://clinicaltrials\.gov/study/NCT[0-9]{8}")
    assert all(map(trial.fullmatch, hrefs)), hrefs


def test_long_texts_do_not_widen_the_page(hostile_run: Run, explore: Open) -> None:
    for viewport in ({"width": 390, "height": 844}, {"width": 1440, "height": 900}):
        explorer = explore(address(drug="aspirin"), of=hostile_run, viewport=viewport)
        expect(explorer.rows.first).to_be_visible()
        wide = explorer.opened.evaluate("document.scrollingElement.scrollWidth - innerWidth")
        assert wide <= 0
