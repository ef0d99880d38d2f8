"""Ratios, noise and verdicts, of figures that are made up."""

from __future__ import annotations

import pytest

from benchmarks import ratios
from benchmarks.ratios import ABOVE, BELOW, WITHIN, compared


def test_the_ratio_is_the_median_of_those_of_each_round() -> None:
    # A round in which everything was three times as slow changes nothing.
    found = compared(base=[10, 30, 10], head=[12, 36, 13], again=[10, 30, 10])
    assert found.ratio == pytest.approx(1.2)
    assert (found.base, found.head) == (10, 13)


def test_the_ratio_need_not_be_that_of_the_medians() -> None:
    found = compared(base=[1, 2, 9], head=[3, 2, 9], again=[1, 2, 9])
    assert found.head / found.base == 1.5
    assert found.ratio == 1
    found = compared(base=[1, 5, 6], head=[5, 6, 1], again=[1, 5, 6])
    assert found.head / found.base == 1
    assert found.ratio == 1.2


@pytest.mark.parametrize(("ratio", "far"), [(1, 0), (1.25, 0.25), (0.8, 0.25), (2, 1), (0.5, 1)])
def test_up_and_down_deviate_alike(ratio: float, far: float) -> None:
    assert ratios.deviation(ratio) == pytest.approx(far)


def test_noise_is_three_times_the_median_deviation_of_the_base_from_itself() -> None:
    found = compared(base=[100] * 5, head=[100] * 5, again=[100, 102, 103, 100 / 1.04, 300])
    assert found.noise == pytest.approx(3 * 0.03)


def test_a_base_that_is_always_slower_at_its_second_turn_is_noisy() -> None:
    assert compared(base=[10] * 3, head=[10] * 3, again=[11] * 3).noise == pytest.approx(0.3)


def test_one_bad_round_is_no_noise() -> None:
    assert compared(base=[10] * 7, head=[10] * 7, again=[10] * 6 + [100]).noise == 0


@pytest.mark.parametrize(
    ("head", "verdict"),
    [
        (100, WITHIN),
        (104.9, WITHIN),
        (105.1, ABOVE),
        (200, ABOVE),
        (100 / 1.049, WITHIN),
        (100 / 1.051, BELOW),
        (50, BELOW),
    ],
)
def test_without_noise_the_bound_is_five_per_cent(head: float, verdict: str) -> None:
    found = compared(base=[100], head=[head], again=[100])
    assert found.bound == 0.05
    assert found.verdict == verdict


@pytest.mark.parametrize(
    ("head", "verdict"),
    [(129, WITHIN), (131, ABOVE), (100 / 1.29, WITHIN), (100 / 1.31, BELOW)],
)
def test_noise_beyond_that_is_the_bound(head: float, verdict: str) -> None:
    found = compared(base=[100] * 3, head=[head] * 3, again=[100, 110, 120])
    assert found.bound == found.noise == pytest.approx(0.3)
    assert found.verdict == verdict


@pytest.mark.parametrize(
    ("base", "head", "again"),
    [
        ([], [], []),
        ([1, 1], [1], [1, 1]),
        ([1, 1], [1, 1], [1]),
        ([0], [1], [1]),
        ([1], [0], [1]),
        ([1], [1], [0]),
    ],
)
def test_figures_that_make_no_ratios_are_refused(
    base: list[float], head: list[float], again: list[float]
) -> None:
    with pytest.raises(ValueError, match=r"over 0|shorter|longer"):
        compared(base, head, again)
