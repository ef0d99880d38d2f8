"""What is ambiguous is said to be: whose name it is, whether a mention is of the chosen years."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from drug_assets_tests.explorer.views import address
from drug_assets_tests.support import pages
from drug_assets_tests.support.raw import listed_drug, mention

if TYPE_CHECKING:
    from pathlib import Path

    from drug_assets_tests.explorer.views import Explorer
    from drug_assets_tests.support.browsers import Visitor

DRUGS = {
    "alpha": ("Alpha", ["Alpha", "shared"], ["V03AB"]),
    "beta": ("Beta", ["Beta", "Shared®"], ["V03AB"]),
    "gamma": ("Gamma", ["Gamma", "SHARED"], []),
}


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The address of a page of drugs of which several share a name, or a code."""
    drugs = [
        listed_drug(name, drug_id=id_) | {"names": names, "codes": codes, "atc_codes": codes}
        for id_, (name, names, codes) in DRUGS.items()
    ]
    winter = {"date": date(2003, 12, 1), "date_precision": "season"}
    mentions = [
        mention("Alpha", "1", journal="Acta", journal_id="acta") | winter,
        mention("Alpha", "2", date=date(2004, 5, 1)) | {"date_precision": "day"},
        mention("Alpha", "3", date=date(2001, 1, 1)) | {"date_precision": "year"},
        mention("Beta", "1"),
    ]
    path: Path = tmp_path_factory.mktemp("shared") / "explorer.html"
    written = pages.write({"drugs": drugs, "mentions": mentions})
    path.write_text(written.html, encoding="utf-8")
    return path.as_uri()


@pytest.fixture
def explorer(page: str, visitor: Visitor) -> Explorer:
    from drug_assets_tests.explorer.views import Explorer

    return Explorer(visitor.open(page))


@pytest.mark.parametrize("asked", ["shared", "ＳＨＡＲＥＤ™", "alpha"])
def test_the_page_of_a_drug_names_those_that_share_a_name(explorer: Explorer, asked: str) -> None:
    explorer.go(address(drug=asked))
    expect(explorer.heading).to_have_text("Alpha")
    told = explorer.page.locator("[data-shared]")
    expect(told).to_have_text("“shared” is also a name of Beta, Gamma")
    told.get_by_role("link", name="Gamma").click()
    expect(explorer.heading).to_have_text("Gamma")
    expect(told).to_have_text("“SHARED” is also a name of Alpha, Beta")


def test_a_search_by_the_name_leads_to_each_of_them(explorer: Explorer) -> None:
    explorer.search.fill("shared")
    for name in ("Alpha", "Beta", "Gamma"):
        expect(explorer.page.get_by_role("option", name=name)).to_be_visible()
    explorer.search.press("Enter")
    expect(explorer.page.locator("[data-shared]")).to_contain_text("is also a name of")


def test_the_others_of_a_code_are_named_if_it_was_asked_for(explorer: Explorer) -> None:
    explorer.go(address(drug="v03ab"))
    expect(explorer.heading).to_have_text("Alpha")
    told = explorer.page.locator("[data-shared=v03ab]")
    expect(told).to_have_text("“v03ab” is also a code of Beta")
    explorer.go(address(drug="alpha", lang="fr"))
    expect(explorer.page.locator("[data-shared]")).to_have_text(
        "«\u00a0shared\u00a0» est aussi un nom de Beta, Gamma"
    )


@pytest.mark.parametrize(
    ("years", "rows", "told"),
    [
        ({"from": "2004"}, 2, True),
        ({"to": "2003"}, 2, True),
        ({"from": "2003", "to": "2004"}, 2, False),
        ({"from": "2001", "to": "2001"}, 1, False),
        ({}, 3, False),
    ],
)
def test_it_is_said_how_many_only_may_lie_in_the_years(
    explorer: Explorer, years: dict[str, str], rows: int, *, told: bool
) -> None:
    explorer.go(address(drug="alpha", **years))
    expect(explorer.rows).to_have_count(rows)
    said = explorer.page.get_by_text("1 mention may lie outside: a winter is in two years.")
    expect(said).to_have_count(int(told))
