"""Precision, recall, F1 and their intervals agree with their definitions."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from drug_assets.accuracy.gold import Gold, Span, Spans
from drug_assets.accuracy.scores import Figure, Scores, count_titles, score

TITLES = ["On beta acid and gold.", "Sulphasalazine, alpha", "Nothing"]
GOLD = Gold(TITLES, [{(3, 12)}, {(0, 14), (16, 21)}, set()])


def scores_of(gold: Gold, found: Spans, names: frozenset[str] = frozenset()) -> Scores:
    return score({"all": count_titles(gold, found, names)}, against="all")["all"][0]


def test_by_overlap_and_exact() -> None:
    found = [{(3, 7), (17, 21)}, {(0, 14)}, {(0, 7)}]
    s = scores_of(GOLD, found, frozenset({"sulphasalazine", "alpha"}))
    assert (s.precision.value, s.recall.value) == (2 / 4, 2 / 3)
    assert (s.exact_precision.value, s.exact_recall.value) == (1 / 4, 1 / 3)
    assert s.f1.value == pytest.approx(4 / 7)
    assert s.exact_f1.value == pytest.approx(2 / 7)
    assert (s.closed_list.value, s.closed_hit, s.closed, s.found) == (1 / 2, 1, 2, 4)


def test_one_found_span_may_overlap_several() -> None:
    s = scores_of(GOLD, [set(), {(0, 21)}, set()])
    assert (s.precision.value, s.recall.value, s.exact_recall.value) == (1, 2 / 3, 0)


def test_what_is_a_share_of_nothing_is_undefined() -> None:
    s = scores_of(GOLD, [set(), set(), set()])
    assert s.precision == s.closed_list == Figure(None, None, None)
    assert (s.recall.value, s.f1.value) == (0, 0)


SPANS = st.sets(st.sampled_from([(0, 2), (1, 3), (4, 6)]))


@pytest.mark.slow
@settings(max_examples=10, deadline=None)
@given(st.lists(st.tuples(SPANS, SPANS), min_size=2, max_size=8))
def test_intervals_are_within_0_and_1_and_do_not_change(
    pairs: list[tuple[set[Span], set[Span]]],
) -> None:
    gold = Gold(["abcdef"] * len(pairs), [marked for marked, _ in pairs])
    found = [spans for _, spans in pairs]
    s = scores_of(gold, found)
    assert s == scores_of(gold, found)
    assert (s.precision.value is None) == (s.found == 0)
    assert (s.recall.value is None) == (gold.count_spans() == 0)
    for figure in (s.precision, s.recall, s.f1, s.exact_f1):
        if figure.value is not None:
            assert figure.low is not None
            assert figure.high is not None
            assert 0 <= figure.low <= figure.high <= 1


def test_an_interval_is_as_wide_as_theory_has_it() -> None:
    """Half of 400 spans, one per title, are found: the standard deviation is 0.5 / 20."""
    gold = Gold(["a"] * 400, [{(0, 1)}] * 400)
    recall = scores_of(gold, [{(0, 1)}, set()] * 200).recall
    assert recall.value == 0.5
    assert recall.low == pytest.approx(0.5 - 1.96 * 0.025, abs=0.01)
    assert recall.high == pytest.approx(0.5 + 1.96 * 0.025, abs=0.01)


@pytest.mark.slow
def test_a_difference_sees_the_same_draws() -> None:
    """One more span that is found helps in each draw with its title, and hurts in none."""
    gold = Gold(["a"] * 50, [{(0, 1)}] * 50)
    found: Spans = [{(0, 1)}, set()] * 25
    less: Spans = [set(), set(), *found[2:]]
    counts = {"all": count_titles(gold, found, ()), "less": count_titles(gold, less, ())}
    scored = score(counts, against="all")
    assert scored["all"][1] == Figure(0, 0, 0)
    gain = scored["less"][1]
    assert gain.value is not None
    assert gain.low == 0
    assert gain.value > 0
    assert gain.high is not None
    assert gain.high < 0.1
