"""The page of a drug with many mentions, in a browser: readable, and with nothing left out."""

from __future__ import annotations

import csv
from collections import Counter
from datetime import date
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from drug_assets_tests.support import pages
from drug_assets_tests.support.raw import listed_drug, mention

if TYPE_CHECKING:
    from pathlib import Path

    from playwright.sync_api import Locator, Page

    from drug_assets_tests.support.browsers import Visitor
    from drug_assets_tests.support.raw import Row

MANY = 70
JOURNALS = 15
OTHERS = 30
YEARS = range(2001, 2011)


def of_journal(number: int) -> Row:
    return {"journal": f"Journal {number:02}", "journal_id": f"j{number:02}"}


def many_mentions() -> list[Row]:
    """One journal has many mentions of Alpha, each of the others one; all have the other drugs."""
    rows = [
        mention("Alpha", f"1{n:04}", date=date(YEARS[n % len(YEARS)], 5, 1 + n % 28))
        | {"date_precision": "day", "retracted": n < 3}
        | of_journal(0)
        for n in range(MANY)
    ]
    rows += [
        mention("Alpha", f"2{n:04}", date=date(2001, 1, 1), date_precision="year") | of_journal(n)
        for n in range(1, JOURNALS)
    ]
    rows += [
        mention(f"Other{n:02}", f"3{n:02}{journal:02}") | of_journal(journal)
        for n in range(OTHERS)
        for journal in range(JOURNALS)
        if (n + journal) % 3
    ]
    return rows


@pytest.fixture(scope="module")
def heavy(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The address of a page with these mentions."""
    names = ["Alpha", *(f"Other{n:02}" for n in range(OTHERS))]
    drugs = [listed_drug(name, drug_id=name.casefold()) for name in names]
    path: Path = tmp_path_factory.mktemp("heavy") / "explorer.html"
    written = pages.write({"drugs": drugs, "mentions": many_mentions()})
    path.write_text(written.html, encoding="utf-8")
    return path.as_uri()


@pytest.fixture
def page(heavy: str, visitor: Visitor) -> Page:
    """The page of the drug with many mentions."""
    shown = visitor.open(f"{heavy}#drug=alpha").page
    expect(shown.locator("ul.related > li").first).to_be_visible()
    return shown


def evidence(page: Page) -> Locator:
    return page.locator("ol.evidence > li")


def test_a_full_lane_has_a_cell_a_year_and_the_others_have_marks(page: Page) -> None:
    full = page.locator('#lanes li[data-journal="j00"]')
    assert full.locator("[data-mark]").count() == 0
    cells = {
        int(cell.get_attribute("data-year") or 0): int(cell.get_attribute("data-mentions") or 0)
        for cell in full.locator("[data-cell]").all()
    }
    assert cells == Counter(YEARS[n % len(YEARS)] for n in range(MANY))
    marks = page.locator('#lanes li[data-journal="j01"] [data-mark]')
    assert [mark.get_attribute("data-precision") for mark in marks.all()] == ["year"]


def test_more_journals_and_more_evidence_are_shown_when_asked_for(page: Page) -> None:
    lanes = page.locator("#lanes li[data-journal]")
    expect(lanes).to_have_count(10)
    page.get_by_role("button", name=f"Show {JOURNALS - 10} more journals").click()
    expect(lanes).to_have_count(JOURNALS)
    expect(evidence(page)).to_have_count(25)
    page.get_by_role("button", name="Show 59 more", exact=True).click()
    expect(evidence(page)).to_have_count(MANY + JOURNALS - 1)


def test_its_neighbourhood_has_shares_and_no_bundle(page: Page) -> None:
    graph = page.locator("[data-graph]")
    assert graph.locator("a.journal").count() == 12
    rest = graph.get_by_role("link", name="3 more journals: 4%")
    expect(rest).to_have_count(1)
    expect(graph.get_by_role("link", name="Journal 00: 70 mentions, 83%, since")).to_have_count(1)
    related = graph.locator("a.related").count()
    assert 0 < related <= 14
    assert related <= graph.locator("path.edge.related").count() <= 3 * related
    assert graph.locator("path.edge:not(.related)").count() == 12
    assert graph.locator(".when").all_text_contents() == ["since May 2001"] + ["since 2001"] * 11
    page.locator('#lanes li[data-journal="j07"] button').click()
    expect(graph.locator("a.publication")).to_have_count(1)


def test_years_are_chosen_with_a_stroke_of_the_pointer(page: Page) -> None:
    years = page.get_by_role("listbox", name="Years")
    place = years.bounding_box()
    assert place is not None
    height = place["y"] + 40
    page.mouse.move(place["x"] + place["width"] * 0.75, height)
    page.mouse.down()
    page.mouse.move(place["x"] + place["width"] * 0.99, height, steps=4)
    page.mouse.up()
    expect(page.get_by_role("button", name="Remove filter 2008–2010")).to_be_visible()
    expect(evidence(page)).to_have_count(21)
    faded = page.locator('#lanes li[data-journal="j00"] .cell.off')
    expect(faded).to_have_count(7)
    years.click(position={"x": 2, "y": 40})
    expect(page.get_by_role("button", name="Remove filter 2001", exact=True)).to_be_visible()
    expect(evidence(page)).to_have_count(7 + JOURNALS - 1)
    years.click(position={"x": 2, "y": 40})
    expect(page.get_by_role("button", name="Remove filter 2001", exact=True)).to_have_count(0)


def test_only_retracted_ones_are_shown_when_asked_for(page: Page) -> None:
    page.get_by_role("link", name="3 are in retracted publications.").click()
    expect(evidence(page)).to_have_count(3)
    expect(evidence(page).get_by_text("Retracted")).to_have_count(3)
    page.go_back()
    expect(evidence(page)).to_have_count(25)


def test_all_rows_are_saved_not_only_those_shown(page: Page, tmp_path: Path) -> None:
    with page.expect_download() as download:
        page.get_by_role("button", name="Save as CSV").first.click()
    download.value.save_as(tmp_path / "saved.csv")
    with (tmp_path / "saved.csv").open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    expected = [row["publication_id"] for row in many_mentions() if row["drug"] == "Alpha"]
    assert sorted(row["Id"] for row in rows) == sorted(expected)
    assert Counter(row["Date precision"] for row in rows) == {"day": MANY, "year": JOURNALS - 1}
    assert {row["Date"] for row in rows if row["Date precision"] == "year"} == {"2001-01-01"}


def test_the_journals_that_link_a_drug_are_named_when_asked_for(page: Page) -> None:
    first = page.locator("ul.related > li").first
    shared = int(first.get_attribute("data-shared") or 0)
    assert shared > 2
    first.locator("summary").click()
    expect(first.locator("a[data-journal]")).to_have_count(shared)
