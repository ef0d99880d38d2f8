"""What is new since the release before, in the explorer: a panel, a filter, marks."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from drug_assets_tests.explorer.views import address
from drug_assets_tests.support import runs

if TYPE_CHECKING:
    from drug_assets_tests.explorer.conftest import Open
    from drug_assets_tests.support.runs import Run

LATER = (
    "id,title,date,journal\n"
    "11,Aspirin in the evening,2021-05-06,Letters of Tests\n"
    "12,Ethanol again,2021-05-07,Journal of Tests\n"
)


@pytest.fixture(scope="module")
def later_run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """A run after another one, with one more file."""
    folder = tmp_path_factory.mktemp("news")
    landing = runs.landing_zone(folder / "landing")
    assert runs.run(landing, folder / "store").succeeded
    runs.landing_zone(landing, {"pubmed_later.csv": LATER})
    run = runs.run(landing, folder / "store")
    assert run.succeeded, run.report
    return run


def test_a_first_release_says_that_there_is_nothing_to_compare_with(explore: Open) -> None:
    main = explore().page.locator("main")
    expect(main).to_contain_text("There is no release before this one to compare with.")


def test_the_panel_says_what_is_new(later_run: Run, explore: Open) -> None:
    explorer = explore(of=later_run)
    panel = explorer.page.locator("section.card").filter(has_text="2 mentions added")
    expect(panel).to_contain_text("1 first mention of a drug in a journal")
    expect(panel).to_contain_text("ETHANOL")


def test_new_mentions_are_marked_and_filtered(later_run: Run, explore: Open) -> None:
    explorer = explore(address(drug="aspirin"), of=later_run)
    expect(explorer.rows).to_have_count(3)
    new = explorer.rows.filter(has_text="Aspirin in the evening")
    expect(new.get_by_text("New", exact=True)).to_be_visible()
    old = explorer.rows.filter(has_text="Aspirin or paracetamol?")
    expect(old).to_have_count(1)
    expect(old.get_by_text("New", exact=True)).to_have_count(0)
    explorer.page.get_by_role("button", name="New 1").click()
    expect(explorer.rows).to_have_count(1)
    assert "new=1" in explorer.page.url
    addressed = explore("#" + explorer.page.url.partition("#")[2], of=later_run)
    expect(addressed.rows).to_have_count(1)


def test_the_first_mention_of_a_drug_in_a_journal_is_marked(later_run: Run, explore: Open) -> None:
    """Ethanol was named by another journal before; aspirin by a trial of the same one."""
    explorer = explore(address(drug="ethanol"), of=later_run)
    new = explorer.rows.filter(has_text="Ethanol again")
    expect(new.get_by_text("First in this journal")).to_be_visible()
    explorer = explore(address(drug="aspirin"), of=later_run)
    expect(explorer.rows).to_have_count(3)
    expect(explorer.page.get_by_text("First in this journal")).to_have_count(0)
