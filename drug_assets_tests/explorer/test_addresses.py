"""Every view of the explorer has an address, which opens it in a fresh profile."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from drug_assets_tests.explorer.views import address

if TYPE_CHECKING:
    from drug_assets_tests.explorer.conftest import Open
    from drug_assets_tests.support.runs import Run


def journal_of(run: Run) -> tuple[str, str]:
    """Id and name of a journal that mentions a drug."""
    row = run.table("mentions").drop_nulls("journal_id").sort("journal_id").row(0, named=True)
    return row["journal_id"], row["journal"]


@pytest.mark.parametrize(
    ("said", "heading"),
    [
        ({"drug": "acetylsalicylic acid"}, "acetylsalicylic acid"),
        ({"drug": "aspirin"}, "acetylsalicylic acid"),
        ({"drug": "ASPIRINE"}, "acetylsalicylic acid"),
        ({"drug": "N02BA01"}, "acetylsalicylic acid"),
        ({"drug": "enalapril"}, "Enalapril®"),
        ({"drug": "quinine"}, "quinine"),
        ({"journal": "Journal of Invented Therapeutics"}, "Journal of Invented Therapeutics"),
    ],
    ids=["id", "synonym", "case", "code", "shown name", "never mentioned", "journal's name"],
)
def test_an_address_alone_opens_a_view(explore: Open, said: dict[str, str], heading: str) -> None:
    expect(explore(address(**said)).heading).to_have_text(heading)


def test_a_journal_and_a_class_have_addresses(sample_run: Run, explore: Open) -> None:
    journal_id, journal = journal_of(sample_run)
    expect(explore(address(journal=journal_id)).heading).to_have_text(journal)
    of_class = explore(address(**{"class": "N02BA"}))
    expect(of_class.heading).to_contain_text("N02BA")
    expect(of_class.page.locator("main")).to_contain_text("acetylsalicylic acid")


def test_filters_language_and_reading_are_in_the_address(sample_run: Run, explore: Open) -> None:
    explorer = explore(address(drug="aspirin", type="pubmed", reading="no-trials", lang="fr"))
    expect(explorer.heading).to_have_text("acetylsalicylic acid")
    expect(explorer.page.locator("html")).to_have_attribute("lang", "fr")
    expect(explorer.page.get_by_role("checkbox")).to_be_checked()
    expect(explorer.rows.first).to_be_visible()
    types = [row.get_attribute("data-type") for row in explorer.rows.all()]
    assert set(types) == {"pubmed"}


def test_an_address_shows_what_clicks_lead_to(explore: Open) -> None:
    clicked = explore()
    clicked.page.locator("main").get_by_role("link", name="digoxin", exact=True).first.click()
    expect(clicked.heading).to_have_text("digoxin")
    clicked.choose_type("Articles")
    expect(clicked.chip("Articles")).to_be_visible()
    clicked.page.get_by_role("checkbox").check()
    expect(clicked.page).to_have_url(re.compile("reading=no-trials"))
    expect(clicked.page.locator("ul.related > li").first).to_be_visible()
    addressed = explore("#" + clicked.page.url.partition("#")[2])
    shown = clicked.page.locator("main").inner_text()
    expect(addressed.page.locator("main")).to_have_text(shown, use_inner_text=True)


def test_an_unknown_drug_is_offered_close_names(explore: Open) -> None:
    explorer = explore(address(drug="paracetmol"))
    expect(explorer.heading).to_have_text("Not in this data")
    expect(explorer.page.locator("main")).to_contain_text("paracetmol")
    explorer.page.locator("main").get_by_role("link", name="paracetamol").first.click()
    expect(explorer.heading).to_have_text("paracetamol")


@pytest.mark.parametrize("kind", ["drug", "journal", "class", "in", "q"])
def test_an_address_is_text_whatever_it_says(explore: Open, kind: str) -> None:
    said = {"drug": "aspirin", kind: '<img src=x onerror="window.ran=1">'}
    explorer = explore(address(**said))
    expect(explorer.heading).to_be_visible()
    assert explorer.page.locator("img").count() == 0
    assert explorer.opened.evaluate("window.ran ?? null") is None


@pytest.mark.parametrize("view", ["#", "#drug=", "#from=abc&to=", "#%", "#%E0%A4%A", "#drug=%00"])
def test_a_damaged_address_opens_some_view(explore: Open, view: str) -> None:
    expect(explore(view).heading).to_be_visible()
