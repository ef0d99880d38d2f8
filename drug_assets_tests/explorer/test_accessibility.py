"""The explorer for everyone: axe finds nothing, the keyboard suffices, the focus is seen."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest
from playwright.sync_api import expect

from drug_assets_tests.explorer.views import Explorer, address
from drug_assets_tests.support.browsers import DESKTOP, PHONE

if TYPE_CHECKING:
    from drug_assets_tests.explorer.conftest import Open
    from drug_assets_tests.support.runs import Run

HEAVY = "acetylsalicylic acid"
VIEWS = {
    "home": "#",
    "journals": address(list="journals"),
    "classes": address(list="classes"),
    "drug": address(drug=HEAVY),
    "filtered drug": address(drug="digoxin", type="pubmed", reading="no-trials"),
    "drug never mentioned": address(drug="quinine"),
    "journal": address(journal="Journal of Invented Therapeutics"),
    "class": address(**{"class": "N02BA"}),
    "unknown": address(drug="paracetmol"),
}
SCREENS = {"desktop": DESKTOP, "phone": PHONE}
#: The element that has the focus: its name, and whether it is seen to have it.
_FOCUS = """
(() => {
  const node = document.activeElement, style = getComputedStyle(node);
  return {
    tag: node.localName, id: node.id,
    label: (node.getAttribute("aria-label") ?? node.textContent).trim(),
    seen: style.outlineStyle !== "none" && parseFloat(style.outlineWidth) > 0
      || style.boxShadow !== "none",
  };
})()
"""
_MOVING = """
[...document.querySelectorAll("*")].filter(node => {
  const style = getComputedStyle(node);
  return [style.transitionDuration, style.animationDuration].join(", ").split(", ")
    .some(time => parseFloat(time) > 0.001);
}).length
"""


def focused(explorer: Explorer) -> dict[str, Any]:
    told: dict[str, Any] = explorer.opened.evaluate(_FOCUS)
    return told


@pytest.mark.parametrize("screen", SCREENS)
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_no_violation(explore: Open, screen: str, scheme: str) -> None:
    explorer = explore(viewport=SCREENS[screen], color_scheme=scheme)
    found = {}
    for name, view in VIEWS.items():
        explorer.go(view)
        explorer.settle()
        found[name] = explorer.opened.axe()
    assert [fault for faults in found.values() for fault in faults] == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_no_violation_while_something_is_open(explore: Open, scheme: str) -> None:
    explorer = explore(address(drug=HEAVY), color_scheme=scheme)
    explorer.settle()
    for details in explorer.page.locator("main details summary").all():
        details.click()
    explorer.search.fill("in")
    expect(explorer.page.get_by_role("option").first).to_be_visible()
    assert explorer.opened.axe() == []
    explorer.search.fill("paracetmol")
    expect(explorer.page.get_by_text("Spelled alike")).to_be_visible()
    assert explorer.opened.axe() == []


def test_keys_alone_search_filter_go_back_and_save(sample_run: Run, explore: Open) -> None:
    explorer = explore()
    expect(explorer.search).to_be_visible()
    keys = explorer.page.keyboard
    keys.press("/")
    keys.type("asp")
    expect(explorer.page.get_by_role("option").first).to_contain_text("aspirin")
    keys.press("Enter")
    explorer.settle()
    expect(explorer.page.locator("main")).to_be_focused()
    journals = set(sample_run.table("mentions").drop_nulls("journal")["journal"])
    all_of_them = explorer.rows.count()
    for _ in range(10):
        keys.press("Tab")
        if focused(explorer)["tag"] == "button" and focused(explorer)["label"] in journals:
            break
    else:
        pytest.fail("no journal within ten tabs")
    journal = focused(explorer)["label"]
    keys.press("Enter")
    expect(explorer.chip(journal)).to_be_visible()
    expect(explorer.rows).not_to_have_count(all_of_them)
    explorer.page.go_back()
    expect(explorer.rows).to_have_count(all_of_them)
    for _ in range(60):
        keys.press("Tab")
        if focused(explorer)["label"] == "Save as CSV":
            break
    with explorer.page.expect_download() as download:
        keys.press("Enter")
    assert download.value.suggested_filename.endswith(".csv")


def test_keys_alone_choose_years(explore: Open) -> None:
    explorer = explore(address(drug=HEAVY))
    explorer.settle()
    keys = explorer.page.keyboard
    years = explorer.page.get_by_role("listbox", name="Years")
    years.focus()
    keys.press("ArrowRight")
    keys.press("Enter")
    chip = explorer.page.get_by_role("button", name="Remove filter 2")
    expect(chip).to_be_visible()
    expect(explorer.page).to_have_url(re.compile("from=.*to="))
    years.focus()
    keys.press("Escape")
    expect(chip).to_have_count(0)


def test_each_new_page_has_the_focus_and_a_title(explore: Open) -> None:
    explorer = explore()
    expect(explorer.heading).to_be_visible()
    main = explorer.page.locator("main")
    titles = {explorer.page.title()}
    for name in ("digoxin", "acetylsalicylic acid"):
        main.get_by_role("link", name=name, exact=True).first.focus()
        explorer.page.keyboard.press("Enter")
        expect(explorer.heading).to_have_text(name)
        expect(main).to_be_focused()
        expect(explorer.page).to_have_title(re.compile(re.escape(name)))
        titles.add(explorer.page.title())
        explorer.settle()
        explorer.page.go_back()
        expect(explorer.heading).not_to_have_text(name)
    assert len(titles) == 3


def test_the_first_tab_skips_to_the_content(explore: Open) -> None:
    explorer = explore(address(drug=HEAVY))
    explorer.settle()
    explorer.page.keyboard.press("Tab")
    expect(explorer.page.get_by_role("link", name="Skip to content")).to_be_focused()
    explorer.page.keyboard.press("Enter")
    expect(explorer.page.locator("main")).to_be_focused()
    expect(explorer.heading).to_have_text(HEAVY)


@pytest.mark.parametrize("view", ["home", "drug", "journal"])
def test_whatever_has_the_focus_has_a_name_and_is_seen_to_have_it(explore: Open, view: str) -> None:
    explorer = explore(VIEWS[view])
    explorer.settle()
    seen = 0
    for _ in range(400):
        explorer.page.keyboard.press("Tab")
        told = focused(explorer)
        if told["tag"] == "body":
            break
        seen += 1
        assert told["seen"], told
        assert told["label"] or told["tag"] in ("input", "select"), told
    assert seen > 10


def test_nothing_moves_for_those_who_do_not_want_it(explore: Open) -> None:
    explorer = explore(address(drug=HEAVY), reduced_motion="reduce")
    explorer.settle()
    assert explorer.opened.evaluate(_MOVING) == 0
    # No element moves by itself, so one is made to.
    explorer.opened.evaluate("document.querySelector('main').style.transition = 'opacity 1s'")
    assert explorer.opened.evaluate(_MOVING) == 0
    explorer.page.emulate_media(reduced_motion="no-preference")
    assert explorer.opened.evaluate(_MOVING) == 1


def test_lists_can_be_sorted_and_say_how_they_are(explore: Open) -> None:
    explorer = explore()
    headers = explorer.page.locator("th[aria-sort]")
    expect(headers.first).to_be_visible()
    sorted_by = explorer.page.locator("th[aria-sort='descending'], th[aria-sort='ascending']")
    expect(sorted_by).to_have_count(1)
    explorer.page.get_by_role("columnheader").get_by_text("Drug", exact=True).first.click()
    expect(explorer.page.get_by_role("columnheader", name="Drug").first).to_have_attribute(
        "aria-sort", "ascending"
    )
