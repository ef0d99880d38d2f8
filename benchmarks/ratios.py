"""The comparison of two series of figures: ratio, noise, verdict.

All results are ratios, because a machine that is busy for a while slows all runs of a round by
about the same factor. Increase and decrease count equally: 2 and 0.5 deviate from 1 equally.
"""

from __future__ import annotations

from dataclasses import dataclass
from statistics import median
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

#: The smallest deviation that counts: ratios between 1 / 1.05 and 1.05 are within the bound.
FLOOR = 0.05
#: Noise is this many times the median deviation of the base from itself. With random figures,
#: identical code exceeds its noise in 1 of 100 comparisons with seven rounds, in 3 with five, in 7
#: with three. A factor of 2 would make that 4 with seven rounds; with the largest deviation instead
#: of the median, one bad round would hide every difference.
TIMES_THE_MEDIAN = 3

WITHIN, ABOVE, BELOW = "within", "above", "below"


@dataclass(frozen=True)
class Compared:
    """One measurement of the base and the head, in the unit of its figures."""

    #: Medians.
    base: float
    head: float
    #: Median over the rounds of head / base; over 1 if the head has more.
    ratio: float
    #: Deviation of the ratio that chance alone explains: 0.08 means from 1 / 1.08 to 1.08.
    noise: float

    @property
    def bound(self) -> float:
        """The largest deviation that counts as equal."""
        return max(FLOOR, self.noise)

    @property
    def verdict(self) -> str:
        """`WITHIN` the bound; `ABOVE` or `BELOW` if the head is beyond it."""
        if deviation(self.ratio) <= self.bound:
            return WITHIN
        return ABOVE if self.ratio > 1 else BELOW


def compared(base: Sequence[float], head: Sequence[float], again: Sequence[float]) -> Compared:
    """Compare figures of the same rounds.

    Args:
        base: figures of the base, one per round, each over 0.
        head: figures of the head.
        again: figures of the base once more, taken after the head.

    Raises:
        ValueError: there is no round, the numbers of rounds differ, or a figure is not over 0.
    """
    if not base or min(*base, *head, *again) <= 0:
        raise ValueError("figures over 0 of at least one round are needed")
    return Compared(
        base=median(base),
        head=median(head),
        ratio=median(_pairwise(head, base)),
        noise=TIMES_THE_MEDIAN * median(deviation(r) for r in _pairwise(again, base)),
    )


def deviation(ratio: float) -> float:
    """The distance of a ratio from 1: 0.25 for 1.25, and for 0.8."""
    return max(ratio, 1 / ratio) - 1


def _pairwise(ones: Sequence[float], others: Sequence[float]) -> list[float]:
    return [one / other for one, other in zip(ones, others, strict=True)]
