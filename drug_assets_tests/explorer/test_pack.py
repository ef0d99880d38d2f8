"""The blocks of the explorer: what they hold equals the tables."""

from __future__ import annotations

from drug_assets_tests.support.pages import write
from drug_assets_tests.support.raw import listed_drug, mention


def test_a_page_holds_every_mention_of_every_drug_in_its_order() -> None:
    drugs = [listed_drug(name) for name in ("Beta", "alpha", "Gamma")]
    mentions = [
        mention("Beta", "1", date=None),
        mention("Beta", "2"),
        mention("alpha", "NCT1", "clinical_trials"),
    ]
    page = write({"drugs": drugs, "mentions": mentions})
    index = page.index
    assert index["drugs"]["name"] == ["alpha", "Beta"]
    assert (index["mentioned"], index["unmentioned"], index["total"]) == (2, 1, 3)
    assert [(row["drug"], row["i"]) for row in page.mentions()] == [
        ("alpha", "NCT1"),
        ("beta", "1"),
        ("beta", "2"),
    ]
    assert page.blocks()["names"]["other"]["name"] == ["Gamma"]
