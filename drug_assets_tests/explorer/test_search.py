"""The search of the explorer: by every name, code and journal, and by the keyboard alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

if TYPE_CHECKING:
    from drug_assets_tests.explorer.conftest import Open
    from drug_assets_tests.support.runs import Run


@pytest.mark.parametrize(
    ("typed", "found", "by"),
    [
        ("asp", "acetylsalicylic acid", "aspirin"),
        ("ASPIRINE", "acetylsalicylic acid", "aspirine"),
        ("n02ba01", "acetylsalicylic acid", "N02BA01"),
        ("acetaminophen", "paracetamol", "acetaminophen"),
        ("CAFÉINE", "caffeine", "caféine"),
        ("betaméthasone", "betamethasone", None),
        ("epinéphrine", "epinephrine", None),
        ("paracetmol", "paracetamol", None),
        ("vitamin b3", "nicotinic acid", "vitamin B3"),
        ("quinine", "quinine", None),
        ("invented therap", "Journal of Invented Therapeutics", None),
    ],
    ids=[
        *("synonym", "case", "code", "other name", "accents", "accent too many", "accent missing"),
        *("misspelled", "ambiguous", "never mentioned", "journal"),
    ],
)
def test_what_is_typed_leads_to_what_is_meant(
    explore: Open, typed: str, found: str, by: str | None
) -> None:
    explorer = explore()
    explorer.search.fill(typed)
    hit = explorer.page.get_by_role("option").filter(has_text=found).first
    expect(hit).to_be_visible()
    if by:
        expect(hit).to_contain_text(f"= {by}")
    hit.click()
    expect(explorer.heading).to_have_text(found)


def test_a_class_is_found_by_its_code(sample_run: Run, explore: Open) -> None:
    explorer = explore()
    explorer.search.fill("N02BA")
    hit = explorer.page.get_by_role("option").filter(has_text="Class").first
    expect(hit).to_contain_text("N02BA")
    hit.click()
    expect(explorer.heading).to_contain_text("N02BA")
    expect(explorer.page.locator("main")).to_contain_text("acetylsalicylic acid")


def test_the_best_hit_is_first(explore: Open) -> None:
    """A name that is what was typed comes before one that only begins with it."""
    explorer = explore()
    first = explorer.page.get_by_role("option").first
    for typed, found in (
        ("asp", "= aspirin"),
        ("insulin", "insulin (human)"),
        ("nicotin", "nicotin"),
        ("N02BA01", "= N02BA01"),
        ("ibuprofen", "ibuprofen"),
    ):
        explorer.search.fill(typed)
        expect(first).to_contain_text(found)
        expect(first).to_have_attribute("aria-selected", "true")


def test_keys_alone_search(explore: Open) -> None:
    explorer = explore()
    keys = explorer.page.keyboard
    expect(explorer.search).to_be_visible()
    keys.press("/")
    expect(explorer.search).to_be_focused()
    expect(explorer.search).to_have_value("")
    keys.type("in")
    options = explorer.page.get_by_role("option")
    expect(options.nth(1)).to_be_visible()
    keys.press("ArrowDown")
    expect(options.nth(1)).to_have_attribute("aria-selected", "true")
    chosen = options.nth(1).get_attribute("id")
    expect(explorer.search).to_have_attribute("aria-activedescendant", str(chosen))
    keys.press("ArrowUp")
    expect(options.nth(0)).to_have_attribute("aria-selected", "true")
    keys.press("Escape")
    expect(options).to_have_count(0)
    explorer.search.fill("asp")
    expect(options.first).to_contain_text("= aspirin")
    keys.press("Enter")
    expect(explorer.heading).to_have_text("acetylsalicylic acid")
    expect(explorer.page.locator("main")).to_be_focused()


def test_close_spellings_are_said_to_be_close(explore: Open) -> None:
    explorer = explore()
    explorer.search.fill("paracetmol")
    expect(explorer.page.get_by_text("Spelled alike")).to_be_visible()
    explorer.search.fill("qqqqqqqq")
    expect(explorer.page.get_by_text("Nothing is named “qqqqqqqq”.")).to_be_visible()
    expect(explorer.page.get_by_role("option")).to_have_count(0)


def test_a_slash_in_a_field_is_a_slash(explore: Open) -> None:
    explorer = explore()
    explorer.search.fill("amoxicillin")
    explorer.page.keyboard.type("/")
    expect(explorer.search).to_have_value("amoxicillin/")
