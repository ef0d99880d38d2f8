"""Dates: every form is read correctly, and no other text is read as a date."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

import polars as pl
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from drug_assets.cleaning.dates import parse_dates

if TYPE_CHECKING:
    from collections.abc import Callable

Reading = tuple[dt.date | None, str | None, str | None]

ENGLISH = "January February March April May June July August September October November December"
FRENCH = "janvier février mars avril mai juin juillet août septembre octobre novembre décembre"
MEDLINE = "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec"
FRENCH_SHORT = "janv. févr. mars avr. mai juin juil. août sept. oct. nov. déc."


def readings(*texts: str | None) -> list[Reading]:
    frame = pl.DataFrame({"text": texts}, schema={"text": pl.String})
    rows = frame.select(parse_dates(pl.col("text"))).to_series().struct.unnest()
    assert rows.schema == {"date": pl.Date, "date_precision": pl.String, "issue": pl.String}
    return rows.rows()


def reading(text: str | None) -> Reading:
    return readings(text)[0]


def day(text: str) -> dt.date:
    return dt.date.fromisoformat(text)


DAYS = {
    "2020-01-15": "2020-01-15",
    "2020/01/15": "2020-01-15",
    "2020.1.5": "2020-01-05",
    "2020 01 15": "2020-01-15",
    "2020-01-01T00:00:00Z": "2020-01-01",
    "2020-01-01t23:59": "2020-01-01",
    "2020-01-01 10:00:00.000+02:00": "2020-01-01",
    "2020‑01–15": "2020-01-15",
    "27/04/2020": "2020-04-27",
    "5-6-2020": "2020-06-05",
    "05.06.2020": "2020-06-05",
    "1 / 2 / 2020": "2020-02-01",
    "01/02/2020 00:00": "2020-02-01",
    "1 January 2020": "2020-01-01",
    "1er janvier 2020": "2020-01-01",
    "1 er janvier 2020": "2020-01-01",
    "1st January 2020": "2020-01-01",
    "2nd of May 2020": "2020-05-02",
    "27 avril 2020": "2020-04-27",
    "le 3 mars 2021": "2021-03-03",
    "31 MAI 2020": "2020-05-31",
    "15-Jan-2020": "2020-01-15",
    "15JAN2020": "2020-01-15",
    "2dec2020": "2020-12-02",
    "September 20, 2018": "2018-09-20",
    "Jan. 5th, 2020": "2020-01-05",
    "2000 Jan 15": "2000-01-15",
    "2000 Jan 1-15": "2000-01-01",
    "2000 Dec 23- 30": "2000-12-23",
    "2000 Nov 27-Dec 4": "2000-11-27",
    "1995 Dec 14-1996 Jan 11": "1995-12-14",
    "27 Nov-4 Dec 2000": "2000-11-27",
    "27 Dec 2000-4 Jan 2001": "2000-12-27",
    "Nov 27-Dec 4, 2000": "2000-11-27",
    "Dec 27, 2000 - Jan 4, 2001": "2000-12-27",
    "January 1-15, 2000": "2000-01-01",
    "1-15 January 2000": "2000-01-01",
    "29 February 2000": "2000-02-29",
    "“2020-01-15”.": "2020-01-15",
}
MONTHS = {
    "2020-01": "2020-01-01",
    "2020 12": "2020-12-01",
    "01/2020": "2020-01-01",
    "September 2022": "2022-09-01",
    "janv. 2020": "2020-01-01",
    "en mars 2021": "2021-03-01",
    "FEVRIER 2020": "2020-02-01",
    "FÉVRIER 2020": "2020-02-01",
    "aout 2020": "2020-08-01",
    "Sept 2020": "2020-09-01",
    "Jan, 2020": "2020-01-01",
    "2000 Jan": "2000-01-01",
    "2022 Jan-Feb": "2022-01-01",
    "2022 Jan/Feb": "2022-01-01",
    "2022 Jan-Feb 01": "2022-01-01",
    "2000 Dec-Jan": "2000-12-01",
    "1998 Dec-1999 Jan": "1998-12-01",
    "Jan-Feb 2022": "2022-01-01",
    "janv.-févr. 2022": "2022-01-01",
    "janvier et février 2022": "2022-01-01",
    "Dec 1998-Jan 1999": "1998-12-01",
    "(Jan 2020)": "2020-01-01",
}
SEASONS = {
    "2000 Winter": "2000-01-01",
    "2000 Spring": "2000-04-01",
    "2000 Summer": "2000-07-01",
    "2000 Autumn": "2000-10-01",
    "2000 Fall": "2000-10-01",
    "2000 Spring-Summer": "2000-04-01",
    "Spring 2000": "2000-04-01",
    "spring/summer 2000": "2000-04-01",
    "hiver 2000": "2000-01-01",
    "printemps 2000": "2000-04-01",
    "Été 2003": "2003-07-01",
    "ete 2003": "2003-07-01",
    "automne 2000": "2000-10-01",
    "1962 Christmas": "1962-12-01",
    "1974-1975 Winter": "1974-12-01",
    "1981-1982 Winter-Spring": "1981-12-01",
    "Winter 1974/1975": "1974-12-01",
    "2000 1st Quarter": "2000-01-01",
    "1978 2d Quart": "1978-04-01",
    "2000 Q3": "2000-07-01",
    "Q4 2000": "2000-10-01",
    "3e trimestre 2001": "2001-07-01",
    "1961 4th Trimest": "1961-10-01",
    "1962 2rd Semest": "1962-07-01",
    "1st-2nd Quarter 2000": "2000-01-01",
}
YEARS = {
    "2020": "2020-01-01",
    "1781": "1781-01-01",
    "1999-2000": "1999-01-01",
    "1999/2000": "1999-01-01",
    "2020.": "2020-01-01",
    "[2020]": "2020-01-01",
}
FORMS = [
    pytest.param(text, (day(date), precision, None), id=text)
    for precision, forms in {"day": DAYS, "month": MONTHS, "season": SEASONS, "year": YEARS}.items()
    for text, date in forms.items()
]


@pytest.mark.parametrize(("text", "expected"), FORMS)
def test_a_form_reads_as_the_first_day_of_what_it_says(text: str, expected: Reading) -> None:
    assert reading(text) == expected


@pytest.mark.parametrize(
    ("text", "date"),
    [
        ("02/25/2020", "2020-02-25"),
        ("12-31-1999", "1999-12-31"),
        ("2.29.2020", "2020-02-29"),
    ],
)
def test_month_first_is_read_and_flagged_where_day_first_is_no_date(text: str, date: str) -> None:
    assert reading(text) == (day(date), "day", "month_first_date")


def test_day_first_wins_where_both_are_dates() -> None:
    assert reading("05/06/2020") == (dt.date(2020, 6, 5), "day", None)


@pytest.mark.parametrize("text", [None, "", " ", "\t"])
def test_blank_is_missing(text: str | None) -> None:
    assert reading(text) == (None, None, "missing_date")


@pytest.mark.parametrize(
    "text",
    [
        # days that do not exist
        "30/02/2020",
        "31/04/2020",
        "02/30/2020",
        "13/13/2020",
        "2020-13-01",
        "2020-25-02",
        "2020-13",
        "13/2020",
        "00/00/0000",
        "2020-00-00",
        "2020-01-00",
        "29 February 1900",
        "2000 Feb 30",
        "0 January 2020",
        "32 January 2020",
        "2000 Jan 1-45",
        "2000 5th Quarter",
        "2000 3rd Semester",
        "2000 Winter 5",
        "2020-01-01T25:00:00",
        # years out of range, or with other than four digits
        "0000",
        "0999",
        "3000",
        "3000-01-01",
        "999",
        "20201",
        "12020",
        "202",
        "12/12/20",
        "20/05/06",
        "Jan 20201",
        "Jan 12020",
        "jan12020",
        "20001st quarter",
        "-2020",
        # ranges that run backwards
        "2000-1999",
        "1999 Dec-1998 Jan",
        "Dec 1999-Jan 1998",
        # mixed separators
        "2020-01/02",
        "01/02-2020",
        # no dates
        "1999 Foo",
        "Foo 1999",
        "May",
        "2020?",
        "2020-",
        "N/A",
        "-",
        ".",
        "٢٠٢٠",
        "2020-01-0²",
        "12 of 2020",
        "volume 12, 2020",
        "2020-01-15 and more",
    ],
)
def test_what_is_no_date_is_unreadable(text: str) -> None:
    assert reading(text) == (None, None, "unreadable_date")


@pytest.mark.slow
def test_rows_do_not_disturb_each_other() -> None:
    texts = [*DAYS, None, "02/25/2020", *SEASONS, "30/02/2020", *YEARS, "", *MONTHS]
    assert readings(*texts) == [reading(text) for text in texts]
    assert readings() == []


def test_lazy_and_streaming_frames_read_the_same() -> None:
    texts = [*DAYS, *MONTHS, *SEASONS, *YEARS, "02/25/2020", "nothing", None]
    lazy = pl.LazyFrame({"text": texts}).select(parsed=parse_dates(pl.col("text")))
    assert lazy.collect_schema() == lazy.collect().schema
    assert lazy.collect(engine="streaming").to_series().struct.unnest().rows() == readings(*texts)


def names(line: str) -> list[str]:
    return line.split()


@pytest.mark.slow
@settings(max_examples=60)
@given(
    date=st.dates(dt.date(1700, 1, 1), dt.date(2100, 12, 31)),
    respell=st.sampled_from([str, str.upper, str.lower, str.title]),
)
@example(date=dt.date(2000, 2, 29), respell=str)
@example(date=dt.date(1900, 12, 31), respell=str)
def test_every_day_reads_back_from_every_form(date: dt.date, respell: Callable[[str], str]) -> None:
    y, m, d = f"{date.year}", f"{date.month:02}", f"{date.day:02}"
    english, french, medline, short = (
        names(line)[date.month - 1] for line in (ENGLISH, FRENCH, MEDLINE, FRENCH_SHORT)
    )
    days = [
        f"{y}-{m}-{d}",
        f"{y}/{m}/{d}",
        f"{y}.{m}.{d}",
        f"{y}-{m}-{d}T12:30:00Z",
        f"{d}/{m}/{y}",
        f"{date.day}/{date.month}/{y}",
        f"{d}-{m}-{y}",
        f"{d}.{m}.{y}",
        *(f"{date.day} {name} {y}" for name in (english, french, medline, short)),
        *(f"{name} {date.day}, {y}" for name in (english, medline)),
        f"le {d} {french} {y}",
        f"{y} {medline} {date.day}",
        f"{y} {medline} {d}-{date.year + 1} Jan 1",
    ]
    months = [
        f"{y}-{m}",
        f"{m}/{y}",
        *(f"{name} {y}" for name in (english, french, medline, short)),
        f"{y} {medline}",
        f"{y} {medline}-Dec",
        f"{y} {medline}-{date.year + 1} Jan",
    ]
    first = date.replace(day=1)
    years = [y, f"{y}-{date.year + 1}"]
    assert readings(*map(respell, days)) == [(date, "day", None)] * len(days)
    assert readings(*map(respell, months)) == [(first, "month", None)] * len(months)
    assert readings(*years) == [(first.replace(month=1), "year", None)] * len(years)


PIECES = st.sampled_from(
    [
        *names(ENGLISH),
        *names(FRENCH_SHORT),
        *("Winter", "été", "Quarter", "1st", "Q", "to", "le", " ", " ", "-", "/", ".", ",", "T"),
        *("1", "2", "9", "12", "13", "29", "30", "31", "32", "00", "0", "1999", "2000", "2999"),
    ]
)
#: Cleaned text has no control characters.
CHARACTERS = st.characters(exclude_categories=["Cc", "Cs"])
TEXTS = st.none() | st.text(CHARACTERS, max_size=20) | st.lists(PIECES).map("".join)


@pytest.mark.slow
@settings(max_examples=60)
@given(st.lists(TEXTS, min_size=5, max_size=50))
def test_any_text_has_a_date_or_is_missing_or_unreadable(texts: list[str | None]) -> None:
    for text, (date, precision, issue) in zip(texts, readings(*texts), strict=True):
        assert (date is None) == (issue in {"missing_date", "unreadable_date"})
        assert (date is None) == (precision is None)
        assert (issue == "missing_date") == (not (text or "").strip())
        if date is not None:
            assert f"{date.year}" in (text or "")
            assert date.day == 1 or precision == "day"


@settings(max_examples=5)
@given(year=st.integers(1000, 2999))
@example(year=1900)
@example(year=2000)
def test_numbers_are_a_date_only_if_a_calendar_has_it(year: int) -> None:
    def in_calendar(month: int, day_of_month: int) -> dt.date | None:
        try:
            return dt.date(year, month, day_of_month)
        except ValueError:
            return None

    pairs = [(a, b) for a in range(40) for b in range(40)]
    for (month, day_of_month), (date, _, _) in zip(
        pairs, readings(*(f"{year}-{m}-{d}" for m, d in pairs)), strict=True
    ):
        assert date == in_calendar(month, day_of_month)
    for (first, second), (date, _, issue) in zip(
        pairs, readings(*(f"{a}/{b}/{year}" for a, b in pairs)), strict=True
    ):
        day_first, month_first = in_calendar(second, first), in_calendar(first, second)
        assert date == (day_first or month_first)
        flagged = day_first is None and month_first is not None
        assert (issue == "month_first_date") == flagged
