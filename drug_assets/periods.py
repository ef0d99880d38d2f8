"""Periods that questions are asked about, and which dates lie in them (SPEC 6).

A date is known to the day, the month, the season or the year (`terms.DatePrecision`), so it can be
sure that it lies in a period, sure that it does not, or neither. The rule stands here once, for
single dates and for columns. Polars is imported only for columns: questions do without it.
"""

from __future__ import annotations

import datetime as dt
import re
from calendar import monthrange
from enum import StrEnum
from typing import TYPE_CHECKING, NamedTuple

from drug_assets.errors import DrugAssetsError
from drug_assets.terms import DatePrecision

if TYPE_CHECKING:
    from collections.abc import Mapping

    import polars as pl

_DAY = re.compile(r"([0-9]{4})(?:-([0-9]{1,2})(?:-([0-9]{1,2}))?)?")
_DECEMBER = 12
#: A season that is dated December, the winter of two years, is over after so many months.
_WINTER_MONTHS = 4
#: From the most precise to the least.
_PRECISIONS = tuple(DatePrecision)
_DAY_ZERO = dt.date(1970, 1, 1)
#: How a date is written as far as it is known: by precision, how many characters of its ISO form,
#: and what stands behind them. It is the only such rule; `explorer/src/dates.ts` has it, too.
WRITTEN: Mapping[str, tuple[int, str]] = {
    DatePrecision.DAY.value: (10, ""),
    DatePrecision.MONTH.value: (7, ""),
    DatePrecision.SEASON.value: (7, " (season)"),
    DatePrecision.YEAR.value: (4, ""),
}


class PeriodError(DrugAssetsError):
    """What was given is no period; the message says what one looks like."""


class Placed(StrEnum):
    """Where a date lies, seen from a period."""

    #: It surely lies in it.
    INSIDE = "inside"
    #: It may lie in it, as far as it is known.
    OPEN = "open"
    #: It surely does not.
    OUTSIDE = "outside"
    UNDATED = "undated"


#: Of these, a mention counts.
COUNTED = (Placed.INSIDE, Placed.OPEN)


class Period(NamedTuple):
    """A period of days; both ends belong to it, and each can be open."""

    since: dt.date | None = None
    until: dt.date | None = None

    @classmethod
    def parse(cls, since: str | None = None, until: str | None = None) -> Period | None:
        """The period between two texts; None if neither is given.

        Each is a day (`2003-05-12`), a month (`2003-05`) or a year (`2003`): the period begins with
        its first day, or ends with its last.

        Raises:
            PeriodError: a text is no date, or the period ends before it begins.
        """
        if since is None and until is None:
            return None
        period = cls(
            None if since is None else _read(since, "since")[0],
            None if until is None else _read(until, "until")[1],
        )
        if period.since and period.until and period.since > period.until:
            raise PeriodError(f"the period ends ({until}) before it begins ({since})")
        return period

    def place(self, date: dt.date | None, precision: str | None) -> Placed:
        """Where a date lies, as far as it is known.

        Args:
            date: the first day of what is known.
            precision: one of `terms.DatePrecision`; of a date without one, only the year is known.
        """
        if date is None:
            return Placed.UNDATED
        first, last = span_of(date, precision)
        if (self.since and last < self.since) or (self.until and first > self.until):
            return Placed.OUTSIDE
        if (self.since and first < self.since) or (self.until and last > self.until):
            return Placed.OPEN
        return Placed.INSIDE

    def place_column(self, date: pl.Expr, precision: pl.Expr) -> pl.Expr:
        """A String column: where each date lies, as `place` says.

        Args:
            date: a Date column, the first day of what is known.
            precision: a String column.
        """
        import polars as pl

        first, last = span_of_column(date, precision)
        never = pl.lit(value=False)
        outside, open_ = [never], [never]
        if self.since is not None:
            outside.append(last < self.since)
            open_.append(first < self.since)
        if self.until is not None:
            outside.append(first > self.until)
            open_.append(last > self.until)
        return (
            pl.when(date.is_null())
            .then(pl.lit(Placed.UNDATED.value))
            .when(pl.any_horizontal(outside))
            .then(pl.lit(Placed.OUTSIDE.value))
            .when(pl.any_horizontal(open_))
            .then(pl.lit(Placed.OPEN.value))
            .otherwise(pl.lit(Placed.INSIDE.value))
        )

    def counts_column(self, date: pl.Expr, precision: pl.Expr) -> pl.Expr:
        """A Boolean column, never null: whether a mention of each date counts.

        It counts unless it surely lies outside the period; without a date it does not count.

        Args:
            date: a Date column, the first day of what is known.
            precision: a String column.
        """
        return self.place_column(date, precision).is_in([placed.value for placed in COUNTED])

    def __str__(self) -> str:
        """The period for people, such as "since 2003-05-01 until 2004-12-31"."""
        ends = (("since", self.since), ("until", self.until))
        return " ".join(f"{word} {day}" for word, day in ends if day is not None)


def span_of(date: dt.date, precision: str | None) -> tuple[dt.date, dt.date]:
    """The first and the last day that a date can be.

    The months of a season depend on the country, so it can be any day of its year; one that is
    dated December is the winter of two years, or Christmas, and can be in the next March, too.

    Args:
        date: the first day of what is known.
        precision: one of `terms.DatePrecision`; of a date without one, only the year is known.
    """
    if precision == DatePrecision.DAY:
        return date, date
    if precision == DatePrecision.MONTH:
        return date, date.replace(day=monthrange(date.year, date.month)[1])
    first, last = date.replace(month=1, day=1), date.replace(month=12, day=31)
    if precision == DatePrecision.SEASON and date.month == _DECEMBER and date.year < dt.MAXYEAR:
        last = dt.date(date.year + 1, _WINTER_MONTHS - 1, 31)
    return first, last


def span_of_column(date: pl.Expr, precision: pl.Expr) -> tuple[pl.Expr, pl.Expr]:
    """Two Date columns: the first and the last day that each date can be, as `span_of` says."""
    import polars as pl

    is_day, is_month = precision == DatePrecision.DAY, precision == DatePrecision.MONTH
    is_winter = (precision == DatePrecision.SEASON) & (date.dt.month() == _DECEMBER)
    year = date.dt.truncate("1y")
    first = pl.when(is_day | is_month).then(date).otherwise(year)
    end = (
        pl.when(is_winter)
        .then(date.dt.truncate("1mo").dt.offset_by(f"{_WINTER_MONTHS}mo"))
        .otherwise(year.dt.offset_by("1y"))
        .dt.offset_by("-1d")
    )
    last = pl.when(is_day).then(date).when(is_month).then(date.dt.month_end()).otherwise(end)
    return first, last


def code_of(date: dt.date | None, precision: str | None) -> int | None:
    """A date and its precision as one number; None if either is not known.

    It is the days since 1970 times four, and the place of the precision among
    `terms.DatePrecision`: of dates of one day, that of which more is known has the lower number.

    Raises:
        ValueError: the precision is none.
    """
    if date is None or precision is None:
        return None
    return (date - _DAY_ZERO).days * len(_PRECISIONS) + _PRECISIONS.index(precision)


def code_of_column(date: pl.Expr, precision: pl.Expr) -> pl.Expr:
    """An Int32 column: date and precision as one number, as `code_of` says; null if there is none.

    Args:
        date: a Date column, the first day of what is known.
        precision: a String column.
    """
    import polars as pl

    # Not `replace_strict`: with it, Polars 2.1 holds the rows in memory.
    place = pl.coalesce(
        pl.when(precision == word.value).then(pl.lit(place, pl.Int32))
        for place, word in enumerate(_PRECISIONS)
    )
    return date.to_physical() * len(_PRECISIONS) + place


def read_code(code: int) -> tuple[dt.date, DatePrecision]:
    """The date and the precision that `code_of` made one number of."""
    days, place = divmod(code, len(_PRECISIONS))
    return _DAY_ZERO + dt.timedelta(days), _PRECISIONS[place]


def read_code_column(code: pl.Expr) -> tuple[pl.Expr, pl.Expr]:
    """A Date and a String column: date and precision of each number, as `read_code` says."""
    import polars as pl

    words = {place: word.value for place, word in enumerate(_PRECISIONS)}
    days = (code // len(_PRECISIONS)).cast(pl.Int32)
    precision = code % len(_PRECISIONS)
    return days.cast(pl.Date), precision.replace_strict(words, default=None, return_dtype=pl.String)


def show_date(date: dt.date | None, precision: str | None) -> str:
    """A date as far as it is known: `2003-02-14`, `2003-04 (season)`, `2003`; "" for none.

    Args:
        date: the first day of what is known.
        precision: one of `terms.DatePrecision`; of a date without one, only the year is known.
    """
    if date is None:
        return ""
    characters, behind = WRITTEN[precision or DatePrecision.YEAR.value]
    return date.isoformat()[:characters] + behind


def _read(text: str, option: str) -> tuple[dt.date, dt.date]:
    """The first and the last day of what a text says.

    Raises:
        PeriodError: it is no date.
    """
    found = _DAY.fullmatch(text.strip())
    if found is not None:
        year, month, day = (int(part) if part else None for part in found.groups())
        try:
            first = dt.date(year or 0, month or 1, day or 1)
        except ValueError:
            pass
        else:
            precision = DatePrecision.DAY if day else DatePrecision.MONTH
            return span_of(first, precision if month else DatePrecision.YEAR)
    raise PeriodError(
        f"{option} {text!r} is no day (2003-05-12), month (2003-05) or year (2003) of the calendar"
    )
