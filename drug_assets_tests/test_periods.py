"""Periods: what a text means, and where dates of each precision lie, as a slow reference says."""

from __future__ import annotations

import datetime as dt
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from drug_assets.periods import (
    COUNTED,
    Period,
    PeriodError,
    Placed,
    code_of,
    code_of_column,
    read_code,
    read_code_column,
    show_date,
    span_of,
    span_of_column,
)
from drug_assets.terms import DatePrecision
from drug_assets_tests.support import node


def day(text: str) -> dt.date:
    return dt.date.fromisoformat(text)


@pytest.mark.parametrize(
    ("since", "until", "period"),
    [
        ("2003-05-12", None, Period(day("2003-05-12"))),
        ("2003-05", "2003-05", Period(day("2003-05-01"), day("2003-05-31"))),
        (" 2004 ", "2004", Period(day("2004-01-01"), day("2004-12-31"))),
        (None, "2004-2", Period(None, day("2004-02-29"))),
        ("2003-5-1", "2003-05-01", Period(day("2003-05-01"), day("2003-05-01"))),
        (None, None, None),
    ],
)
def test_a_day_a_month_or_a_year_begins_and_ends_a_period(
    since: str | None, until: str | None, period: Period | None
) -> None:
    assert Period.parse(since, until) == period


@pytest.mark.parametrize("text", ["", "03", "2003-13", "2003-02-30", "May 2003", "0000", "2003-"])
def test_what_is_no_date_is_told(text: str) -> None:
    with pytest.raises(PeriodError, match=r"since .* is no day"):
        Period.parse(since=text)
    with pytest.raises(PeriodError, match=r"until .* is no day"):
        Period.parse(until=text)


def test_a_period_that_ends_before_it_begins_is_none() -> None:
    with pytest.raises(PeriodError, match=r"ends \(2003\) before it begins \(2004\)"):
        Period.parse("2004", "2003")


@pytest.mark.parametrize(
    ("date", "precision", "first", "last"),
    [
        ("2003-05-12", "day", "2003-05-12", "2003-05-12"),
        ("2004-02-01", "month", "2004-02-01", "2004-02-29"),
        ("2003-04-01", "season", "2003-01-01", "2003-12-31"),
        ("2003-12-01", "season", "2003-01-01", "2004-03-31"),
        ("2003-01-01", "year", "2003-01-01", "2003-12-31"),
        ("2003-06-07", None, "2003-01-01", "2003-12-31"),
    ],
)
def test_the_days_that_a_date_can_be(
    date: str, precision: str | None, first: str, last: str
) -> None:
    assert span_of(day(date), precision) == (day(first), day(last))


@pytest.mark.parametrize(
    ("date", "precision", "placed"),
    [
        # From 12 May 2003 on, until 2 June 2003.
        ("2003-05-11", "day", Placed.OUTSIDE),
        ("2003-05-12", "day", Placed.INSIDE),
        ("2003-06-02", "day", Placed.INSIDE),
        ("2003-06-03", "day", Placed.OUTSIDE),
        ("2003-04-01", "month", Placed.OUTSIDE),
        ("2003-05-01", "month", Placed.OPEN),
        ("2003-06-01", "month", Placed.OPEN),
        ("2003-07-01", "month", Placed.OUTSIDE),
        ("2002-12-01", "season", Placed.OUTSIDE),
        ("2003-10-01", "season", Placed.OPEN),
        ("2003-01-01", "year", Placed.OPEN),
        ("2002-01-01", "year", Placed.OUTSIDE),
        ("2004-01-01", "year", Placed.OUTSIDE),
        (None, None, Placed.UNDATED),
    ],
)
def test_at_its_ends_the_precision_of_a_date_decides(
    date: str | None, precision: str | None, placed: Placed
) -> None:
    period = Period(day("2003-05-12"), day("2003-06-02"))
    assert period.place(date and day(date), precision) == placed  # type: ignore[arg-type]


@pytest.mark.parametrize("case", node.read_table("years.json"), ids=str)
def test_a_mention_counts_in_years_as_the_explorer_shows_it(case: dict[str, Any]) -> None:
    """The explorer's own tests read the same table."""
    since, until = (None if case[end] is None else str(case[end]) for end in ("from", "to"))
    date = case["date"] and day(case["date"])
    period = Period.parse(since, until)
    placed = Placed.INSIDE if period is None else period.place(date, case["precision"])
    assert (placed in COUNTED, placed is Placed.OPEN) == (case["counts"], case["open"])


@pytest.mark.parametrize("case", node.read_table("written-dates.json"), ids=str)
def test_a_date_is_written_as_the_explorer_writes_it(case: dict[str, str]) -> None:
    """The explorer's own tests read the same table."""
    assert show_date(day(case["date"]), case["precision"]) == case["written"]


CALENDAR = {
    year: [dt.date(year, 1, 1) + dt.timedelta(days=days) for days in range(366 - bool(year % 4))]
    for year in range(1999, 2005)
}
DATES = st.dates(dt.date(1999, 1, 1), dt.date(2003, 12, 31))
ENDS = st.none() | DATES


@st.composite
def known_dates(draw: st.DrawFn) -> tuple[dt.date | None, str | None]:
    """A date with its precision, as cleaning makes them; or none."""
    if draw(st.integers(0, 9)) == 0:
        return None, None
    date, precision = draw(DATES), draw(st.sampled_from(DatePrecision))
    if precision == DatePrecision.YEAR:
        date = date.replace(month=1, day=1)
    elif precision == DatePrecision.SEASON:
        date = date.replace(month=draw(st.sampled_from([1, 4, 7, 10, 12])), day=1)
    elif precision == DatePrecision.MONTH:
        date = date.replace(day=1)
    return date, precision.value


def possible_days(date: dt.date, precision: str) -> set[dt.date]:
    """All days that a date can be, one by one."""
    if precision == "day":
        return {date}
    if precision == "month":
        return {one for one in CALENDAR[date.year] if one.month == date.month}
    days = set(CALENDAR[date.year])
    if precision == "season" and date.month == 12:
        days |= {one for one in CALENDAR[date.year + 1] if one.month <= 3}
    return days


def place_slowly(period: Period, date: dt.date | None, precision: str | None) -> Placed:
    if date is None or precision is None:
        return Placed.UNDATED
    inside = [
        (period.since is None or period.since <= one)
        and (period.until is None or one <= period.until)
        for one in possible_days(date, precision)
    ]
    if all(inside):
        return Placed.INSIDE
    return Placed.OPEN if any(inside) else Placed.OUTSIDE


@pytest.mark.slow
@settings(max_examples=50)
@given(ENDS, ENDS, st.lists(known_dates(), min_size=1, max_size=20))
def test_dates_lie_where_a_look_at_every_day_says(
    since: dt.date | None,
    until: dt.date | None,
    known: list[tuple[dt.date | None, str | None]],
) -> None:
    if since and until and since > until:
        since, until = until, since
    period = Period(since, until)
    expected = [place_slowly(period, *one) for one in known]
    assert [period.place(*one) for one in known] == expected
    dates = pl.DataFrame(known, {"date": pl.Date, "precision": pl.String}, orient="row")
    columns = pl.col("date"), pl.col("precision")
    placed = dates.select(
        period.place_column(*columns).alias("placed"), counts=period.counts_column(*columns)
    )
    assert placed["placed"].to_list() == expected
    assert placed["counts"].to_list() == [one in COUNTED for one in expected]
    firsts, lasts = (dates.select(end).to_series().to_list() for end in span_of_column(*columns))
    spans = [(None, None) if date is None else span_of(date, p) for date, p in known]
    assert list(zip(firsts, lasts, strict=True)) == spans


@pytest.mark.parametrize(
    ("date", "precision", "shown"),
    [
        ("2003-05-12", "day", "2003-05-12"),
        ("2003-05-01", "month", "2003-05"),
        ("2003-04-01", "season", "2003-04 (season)"),
        ("2003-01-01", "year", "2003"),
        (None, None, ""),
    ],
)
def test_a_date_is_shown_as_far_as_it_is_known(
    date: str | None, precision: str | None, shown: str
) -> None:
    assert show_date(date and day(date), precision) == shown  # type: ignore[arg-type]
    assert str(Period(day("2003-05-12"), day("2004-01-01"))) == "since 2003-05-12 until 2004-01-01"


@settings(max_examples=50)
@given(st.lists(known_dates(), min_size=1, max_size=20))
def test_date_and_precision_are_one_number_and_come_back(
    dates: list[tuple[dt.date | None, str | None]],
) -> None:
    known = [found for found in dates if found[0] is not None]
    assert [read_code(code) for found in dates if (code := code_of(*found)) is not None] == known
    frame = pl.DataFrame(
        dates, schema={"date": pl.Date, "precision": pl.String}, orient="row"
    ).with_columns(code=code_of_column(pl.col("date"), pl.col("precision")))
    assert frame.schema["code"] == pl.Int32
    assert frame["code"].to_list() == [code_of(*found) for found in dates]
    date, precision = read_code_column(pl.col("code"))
    assert frame.select(date=date, precision=precision).rows() == dates


def test_dates_as_numbers_sort_by_day_then_the_most_precise_first() -> None:
    in_order = [
        (day(text), precision)
        for text in ("0001-01-01", "1969-12-31", "1970-01-01", "9999-12-31")
        for precision in DatePrecision
    ]
    codes = [code_of(*known) for known in in_order]
    assert codes == sorted(codes, key=lambda code: code or 0)
    assert len({*codes}) == len(codes)
    assert code_of(day("1970-01-02"), DatePrecision.SEASON) == 6
    assert code_of(None, "day") is code_of(day("1970-01-01"), None) is None
    frame = pl.DataFrame({"date": [day("1970-01-01"), None], "precision": [None, "day"]})
    found = frame.select(code=code_of_column(pl.col("date"), pl.col("precision")))["code"]
    assert found.to_list() == [None, None]
