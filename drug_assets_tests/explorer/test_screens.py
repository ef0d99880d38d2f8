"""The explorer on phones, on wide screens, and on paper."""

from __future__ import annotations

import io
import re
from typing import TYPE_CHECKING

import pypdf
import pytest
from playwright.sync_api import expect

from drug_assets_tests.explorer import expected
from drug_assets_tests.explorer.test_accessibility import VIEWS
from drug_assets_tests.explorer.views import address
from drug_assets_tests.support.browsers import PHONE

if TYPE_CHECKING:
    from drug_assets_tests.explorer.conftest import Open
    from drug_assets_tests.support.runs import Run

HEAVY = "acetylsalicylic acid"
#: Elements that reach beyond the right edge of the page.
_TOO_WIDE = """
({wide: document.scrollingElement.scrollWidth - innerWidth,
  beyond: [...document.querySelectorAll("main *, header *")].filter(node =>
    node.getBoundingClientRect().right > innerWidth + 1 && !node.closest(".scroll, .sr")
  ).slice(0, 3).map(node => node.outerHTML.slice(0, 120))})
"""


@pytest.mark.parametrize("width", [320, 390, 768, 1440])
@pytest.mark.parametrize("lang", ["en", "fr"])
def test_no_page_scrolls_sideways(explore: Open, width: int, lang: str) -> None:
    explorer = explore(viewport={"width": width, "height": 844})
    for view in VIEWS.values():
        explorer.go(f"{view}&lang={lang}")
        explorer.settle()
        told = explorer.opened.evaluate(_TOO_WIDE)
        assert told["wide"] <= 0, told


def test_a_phone_shows_search_since_when_and_evidence_within_three_screens(explore: Open) -> None:
    explorer = explore(address(drug=HEAVY), viewport=PHONE, has_touch=True, is_mobile=True)
    explorer.settle()
    tops = {}
    for name, part in {
        "search": explorer.search,
        "since when": explorer.lead,
        "evidence": explorer.rows.first,
    }.items():
        box = part.bounding_box()
        assert box is not None
        tops[name] = box["y"]
    assert tops["search"] < 120
    assert tops["since when"] < PHONE["height"]
    assert tops["evidence"] < 3 * PHONE["height"]


def test_what_is_pressed_on_a_phone_is_large_enough(explore: Open) -> None:
    """24 by 24 pixels at least (WCAG 2.2, 2.5.8), but for links within a text."""
    explorer = explore(address(drug=HEAVY), viewport=PHONE, has_touch=True, is_mobile=True)
    explorer.settle()
    small = []
    pressed = "button:visible, select:visible, input:not([type=checkbox]):visible, .check:visible"
    buttons = explorer.page.locator(pressed).all()
    assert buttons
    for button in buttons:
        box = button.bounding_box()
        if box and (box["height"] < 23.5 or box["width"] < 23.5):
            small.append((button.inner_text(), box))
    assert small == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_paper_holds_the_evidence_with_addresses_and_no_controls(
    sample_run: Run, explore: Open, scheme: str
) -> None:
    explorer = explore(address(drug=HEAVY), color_scheme=scheme)
    explorer.settle()
    mentions = expected.mentions_of(sample_run, HEAVY)
    document = pypdf.PdfReader(io.BytesIO(explorer.page.pdf(format="A4")))
    printed = "".join(page.extract_text() for page in document.pages)
    squeezed = re.sub(r"\s+", "", printed)
    for row in mentions.iter_rows(named=True):
        assert re.sub(r"\s+", "", row["title"]) in squeezed
        if re.fullmatch(r"\d{1,8}", row["publication_id"]):
            assert f"https://pubmed.ncbi.nlm.nih.gov/{row['publication_id']}/" in squeezed
    assert re.sub(r"\s+", "", expected.since_when(mentions)) in squeezed
    explorer.page.emulate_media(media="print")
    controls = "button, select, input, [role=search], .skip"
    shown = [c for c in explorer.page.locator(controls).all() if c.is_visible()]
    # The names of journals are buttons, which paper shows as text.
    assert shown
    assert all("pick" in (control.get_attribute("class") or "") for control in shown)


def test_paper_is_white(explore: Open) -> None:
    explorer = explore(address(drug=HEAVY), color_scheme="dark")
    explorer.settle()
    explorer.page.emulate_media(media="print")
    colour = explorer.opened.evaluate("getComputedStyle(document.body).backgroundColor")
    assert colour in ("rgb(255, 255, 255)", "rgba(0, 0, 0, 0)")
    ink = explorer.opened.evaluate("getComputedStyle(document.body).color")
    assert max(map(int, re.findall(r"\d+", ink)[:3])) < 100


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_colours_are_those_that_were_asked_for(explore: Open, scheme: str) -> None:
    explorer = explore(color_scheme=scheme)
    expect(explorer.heading).to_be_visible()
    colour = explorer.opened.evaluate("getComputedStyle(document.body).backgroundColor")
    brightness = sum(map(int, re.findall(r"\d+", colour)[:3])) / 3
    assert (brightness > 200) == (scheme == "light")


def test_letters_can_be_twice_as_large(explore: Open) -> None:
    """At 200 % (WCAG 1.4.4), which a desktop reaches by zoom: half as many pixels."""
    explorer = explore(address(drug=HEAVY), viewport={"width": 640, "height": 400})
    explorer.settle()
    assert explorer.opened.evaluate(_TOO_WIDE)["wide"] <= 0
    expect(explorer.lead).to_be_visible()
