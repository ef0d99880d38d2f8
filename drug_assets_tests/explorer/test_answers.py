"""The top journals and related drugs of the explorer are those of the commands."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from drug_assets.document import RELATED_ORDERS, questions
from drug_assets_tests.explorer import expected

if TYPE_CHECKING:
    from drug_assets_tests.explorer.conftest import Open
    from drug_assets_tests.support.runs import Run


def ids(run: Run, table: str, name: str) -> dict[str, str]:
    """Ids by shown name."""
    return dict(run.table(table).select(name, f"{name}_id").unique().iter_rows())


def test_the_top_journals_are_those_of_the_command(sample_run: Run, explore: Open) -> None:
    answers = questions.top_journals(sample_run.graph)
    explorer = explore()
    top = explorer.page.locator("[data-top]")
    expect(top.locator("a")).to_have_count(len(answers))
    shown = [link.inner_text() for link in top.locator("a[href*='journal=']").all()]
    assert sorted(shown) == sorted(answer.journal for answer in answers)
    told = f"{answers[0].drug_count} different drugs each"
    expect(explorer.page.locator("main")).to_contain_text(told)


@pytest.mark.parametrize("order", RELATED_ORDERS)
@pytest.mark.parametrize("without_trials", [False, True], ids=["all", "without trial journals"])
def test_related_drugs_are_those_of_the_command_for_every_drug(
    sample_run: Run, explore: Open, without_trials: bool, order: str
) -> None:
    """The drugs in the same order, the journals that link them, and how much above chance."""
    explorer = explore()
    said = {"reading": "no-trials"} if without_trials else {}
    said |= {} if order == RELATED_ORDERS[0] else {"sort": order}
    drug_ids = ids(sample_run, "drugs", "drug")
    journal_ids = ids(sample_run, "mentions", "journal")
    for drug in expected.drugs(sample_run):
        answer = questions.related_drugs(
            sample_run.graph, drug.name, exclude_trial_journals=without_trials, order=order
        )
        explorer.show_drug(drug.id, drug.name, **said)
        expect(explorer.rows).to_have_count(drug.mentions.height)
        shown = explorer.related(len(answer.related))
        assert [(related.drug_id, related.journals) for related in shown] == [
            (drug_ids[related.drug], sorted(journal_ids[journal] for journal in related.journals))
            for related in answer.related
        ]
        assert [related.lift for related in shown] == pytest.approx(
            [related.lift for related in answer.related], abs=0.051
        )
