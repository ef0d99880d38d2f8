"""The accuracy of drug lists, and what each list and each rule adds to it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl
import pytest

from drug_assets.accuracy import measuring
from drug_assets.accuracy.gold import Gold, GoldError
from drug_assets.cleaning.name_variants import RULES
from drug_assets.cleaning.stop_list import StopList
from drug_assets.terms import SpanOrigin
from drug_assets_tests.support.raw import drug_rows
from drug_assets_tests.support.registry import DRUGS

if TYPE_CHECKING:
    from collections.abc import Iterable

    from drug_assets.accuracy.measuring import Accuracy

pytestmark = pytest.mark.slow

TITLES = [
    "Sulphasalazine and zetamol",
    "On lead and betazide in zetamol poisoning",
    "A follow-up of beta acid",
    "The fate of aspirin² and zeta mol",
    "Nothing at all",
]
GOLD = Gold(TITLES, [{(0, 14), (19, 26)}, {(12, 20), (24, 31)}, {(15, 24)}, {(12, 19)}, set()])
STOPPED = StopList(frozenset({"lead"}))


def records(name: str, *rows: str) -> pl.DataFrame:
    """The records of a list; a row is a name and its synonyms, separated by bars."""
    parts = [row.partition("|") for row in rows]
    raw = drug_rows(
        *({"source_file": name, "drug": drug, "synonyms": others} for drug, _, others in parts)
    )
    return DRUGS.clean_records(raw).collect()


def found_texts(names: Iterable[str]) -> list[str]:
    frame = pl.DataFrame({"drug_id": list(names), "name": list(names)})
    spans = measuring.find_spans(TITLES, frame)
    return [t[a:b] for t, found in zip(TITLES, spans, strict=True) for a, b in sorted(found)]


LISTS = {
    "ours.csv": records("ours.csv", "Zetamol", "Lead"),
    "theirs.csv": records("theirs.csv", "Sulfasalazine", "Betazide|zetamol", "Aspirin", "zeta mol"),
}


@pytest.fixture(scope="module")
def of_two_lists() -> Accuracy:
    return measuring.measure(GOLD, LISTS, STOPPED)


def test_every_figure_of_two_lists(of_two_lists: Accuracy) -> None:
    a = of_two_lists
    assert (a.titles, a.spans) == (5, 6)
    # Sulphasalazine is made of Sulfasalazine, lead is stopped, beta acid is missing.
    assert (a.scores.precision.value, a.scores.recall.value) == (5 / 6, 5 / 6)
    assert a.scores.closed_list.value == 1
    assert a.listed_names == 6
    assert (a.as_listed.precision.value, a.as_listed.recall.value) == (4 / 6, 4 / 6)
    assert [(each.kind, each.texts) for each in a.mistakes] == [
        ("not_listed", {"beta acid": 1}),
        ("listed", {"zeta mol": 1}),
    ]


def test_what_each_list_adds(of_two_lists: Accuracy) -> None:
    ours, theirs = of_two_lists.lists
    assert (ours.name, theirs.name) == ("ours.csv", "theirs.csv")
    assert (ours.names, ours.alone.recall.value) == (1, 2 / 6)
    # All that ours finds, theirs has, too.
    assert ours.gain.value == 0
    assert theirs.without == ours.alone
    assert theirs.gain.value is not None
    assert theirs.gain.value > 0


def test_what_the_stop_list_and_each_rule_add(of_two_lists: Accuracy) -> None:
    parts = {part.name: part for part in of_two_lists.rules}
    assert list(parts) == [measuring.STOP_LIST, *RULES]
    assert parts[measuring.STOP_LIST].without.precision.value == 5 / 7
    assert parts["older_spelling"].alone.recall.value == 5 / 6
    assert parts["older_spelling"].without.recall.value == 4 / 6
    assert parts["in_one"].gain.value == 0


def test_what_each_rule_that_needs_no_name_adds() -> None:
    titles = ["Zetamol (ZTM) and Ca2+", "ZX123 (zetamol)", "Zetamol (ZL)"]
    gold = Gold(titles, [{(0, 7), (9, 12), (18, 22)}, {(0, 5), (7, 14)}, {(0, 7)}])
    lists = {"ours.csv": records("ours.csv", "Zetamol", "Calcium")}
    a = measuring.measure(gold, lists, STOPPED)
    figures = {
        part.name: (part.alone.found, part.alone.precision.value, part.alone.recall.value)
        for part in a.mention_rules
    }
    assert figures == {
        "abbreviation": (5, 4 / 5, 4 / 6),
        "in_brackets": (3, 1.0, 3 / 6),
        "before_brackets": (4, 1.0, 4 / 6),
        "ion": (4, 1.0, 4 / 6),
    }
    for part in a.mention_rules:
        gain = part.gain
        assert part.without == a.scores
        assert None not in (gain.value, gain.low, gain.high, part.alone.f1.value, a.scores.f1.value)
        assert gain.value == pytest.approx((part.alone.f1.value or 0) - (a.scores.f1.value or 0))
        assert (gain.low or 0) <= (gain.value or 0) <= (gain.high or 0)
    asked = measuring.measure(gold, lists, STOPPED, None, [SpanOrigin.ION, SpanOrigin.ABBREVIATION])
    assert (asked.scores.found, asked.scores.recall.value) == (6, 5 / 6)
    assert asked.mention_rules == a.mention_rules
    assert [(each.kind, each.texts) for each in asked.mistakes][-1] == ("by_rule", {"ZL": 1})


def test_a_list_may_be_called_like_a_rule() -> None:
    lists = dict(zip(["in_one", measuring.STOP_LIST], LISTS.values(), strict=True))
    a = measuring.measure(GOLD, lists, STOPPED)
    assert [part.names for part in a.lists] == [1, 6]
    assert a.rules[0].names == 5


def test_of_one_list_nothing_is_left_out() -> None:
    a = measuring.measure(GOLD, {"ours.csv": LISTS["ours.csv"]}, STOPPED)
    assert a.lists == []
    assert a.scores.recall.value == 2 / 6


def test_names_that_cannot_occur_are_left_out_of_the_search_alone() -> None:
    """The search finds the same without them, whichever signs names and titles have."""
    names = ["aspirin2", "aspirin", "follow-up", "zeta-mol", "lead acetate", "beta acid", "(zeta)"]
    a = measuring.measure(
        Gold(TITLES, [{(0, 1)}, *[set[tuple[int, int]]()] * 4]),
        {"l": records("l", *names)},
        StopList(),
    )
    assert a.scores.found == len(found_texts(names)) == 3
    assert a.listed_names == len(names)


def test_lists_without_a_drug_are_told() -> None:
    nothing = records("empty.csv", "")
    with pytest.raises(GoldError, match=r"no drug list names a drug: empty\.csv"):
        measuring.measure(GOLD, {"empty.csv": nothing}, STOPPED)
