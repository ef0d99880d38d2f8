"""Found and marked spans -> precision, recall and F1, each with an interval.

By overlap, a found span is right if it shares a character with a marked one, and a marked span is
found if it shares one with a found span. Exact spans agree in both ends. The closed list is the
share found of those marked spans that are spelt exactly as a name that is searched for: less than 1
is a defect, not a gap of the list.

The intervals are bootstrapped by titles: as many titles as there are, drawn from them with
replacement, 1,000 times; the interval holds the figures of the middle 95 % of these draws. Titles
are drawn, not spans, because the spans of one title are not independent, which an exact formula
would need; and F1 has no such formula. The seeds are fixed: the same titles have the same
intervals.
All that is measured on the same titles sees the same draws, so the difference of two figures has an
interval, too, far narrower than theirs.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import polars as pl

from drug_assets.cleaning.text import fold_string

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from drug_assets.accuracy.gold import Gold, Span, Spans

_DRAWS = 1000
#: The shares of the draws below and above the interval.
_BELOW, _ABOVE = 0.025, 0.975

#: What is counted in each title. `right` are found spans by overlap, `hit` marked ones.
_COUNTS = ("found", "marked", "right", "hit", "exact", "closed", "closed_hit")


def _ratio(part: str, whole: str) -> pl.Expr:
    """A share; null of nothing."""
    return pl.when(pl.col(whole) > 0).then(pl.col(part) / pl.col(whole))


def _harmonic_mean(right: str, hit: str) -> pl.Expr:
    """F1 of right / found and hit / marked; null only if nothing is found and nothing marked."""
    product = 2 * pl.col(right) * pl.col(hit)
    weights = pl.col(right) * pl.col("marked") + pl.col(hit) * pl.col("found")
    there_are_spans = pl.col("found") + pl.col("marked") > 0
    return pl.when(weights > 0).then(product / weights).when(there_are_spans).then(0.0)


#: The figures, computed from sums of the counts.
_FIGURES: Mapping[str, pl.Expr] = {
    "precision": _ratio("right", "found"),
    "recall": _ratio("hit", "marked"),
    "f1": _harmonic_mean("right", "hit"),
    "exact_precision": _ratio("exact", "found"),
    "exact_recall": _ratio("exact", "marked"),
    "exact_f1": _harmonic_mean("exact", "exact"),
    "closed_list": _ratio("closed_hit", "closed"),
}


@dataclass(frozen=True)
class Figure:
    """A figure with the interval that holds it in 95 of 100 draws; None where it is undefined."""

    value: float | None
    low: float | None
    high: float | None


@dataclass(frozen=True)
class Scores:
    """The comparison of found with marked spans."""

    precision: Figure
    recall: Figure
    f1: Figure
    exact_precision: Figure
    exact_recall: Figure
    exact_f1: Figure
    closed_list: Figure
    #: Number of spans that were found.
    found: int
    #: Number of marked spans that are spelt as a name, and how many of them were found.
    closed: int
    closed_hit: int


def overlaps(span: Span, others: Collection[Span]) -> bool:
    """Whether a span shares a character with any other."""
    return any(span[0] < end and start < span[1] for start, end in others)


def count_titles(gold: Gold, found: Spans, folded_names: Collection[str]) -> pl.DataFrame:
    """Compare found with marked spans, title by title.

    Args:
        gold: titles and marked spans.
        found: the spans found in each title.
        folded_names: the names that were searched for, folded.

    Returns:
        One row per title: found, marked; right and hit (found and marked spans that overlap);
        exact; closed and closed_hit (marked spans that are spelt as a name; of these, those found).
    """
    rows = []
    for title, marked, of_found in zip(gold.titles, gold.spans, found, strict=True):
        hit = {span for span in marked if overlaps(span, of_found)}
        closed = {
            (start, end) for start, end in marked if fold_string(title[start:end]) in folded_names
        }
        right = sum(overlaps(span, marked) for span in of_found)
        exact = len(marked & of_found)
        counts = (len(of_found), len(marked), right, len(hit), exact)
        rows.append((*counts, len(closed), len(closed & hit)))
    return pl.DataFrame(rows, schema=dict.fromkeys(_COUNTS, pl.Int64), orient="row")


def score(settings: Mapping[str, pl.DataFrame], against: str) -> dict[str, tuple[Scores, Figure]]:
    """Compute the figures of several settings on the same titles.

    Args:
        settings: by name, the table of counts of each setting (`count_titles`).
        against: the setting that the others are compared with.

    Returns:
        By setting, its figures, and the difference of F1 of `against` less its own.
    """
    wide = pl.concat(
        [
            counts.select(pl.all().name.prefix(f"{number} "))
            for number, counts in enumerate(settings.values())
        ],
        how="horizontal",
    )
    drawn = pl.concat(
        wide.sample(fraction=1.0, with_replacement=True, seed=seed).sum() for seed in range(_DRAWS)
    )
    total, draws = (_figures(sums, settings) for sums in (wide.sum(), drawn))
    scored = {}
    for name, counts in settings.items():
        figures = {each: _figure(total[name][each], draws[name][each]) for each in _FIGURES}
        sums = {count: int(counts[count].sum()) for count in ("found", "closed", "closed_hit")}
        gain = _figure(*(of[against]["f1"] - of[name]["f1"] for of in (total, draws)))
        scored[name] = (Scores(**figures, **sums), gain)  # type: ignore[arg-type]
    return scored


def _figures(sums: pl.DataFrame, settings: Collection[str]) -> dict[str, pl.DataFrame]:
    """By setting, the figures of each row of sums."""
    return {
        name: sums.select(pl.col(f"{number} {count}").alias(count) for count in _COUNTS).select(
            **_FIGURES
        )
        for number, name in enumerate(settings)
    }


def _figure(total: pl.Series, draws: pl.Series) -> Figure:
    value = total.item()
    if value is None:
        return Figure(None, None, None)
    low, high = (draws.quantile(share, "linear") for share in (_BELOW, _ABOVE))
    return Figure(value, low, high)
