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
    "20200115": "2020-01-15",
    "on 2020-01-15": "2020-01-15",
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
    "in 2021": "2021-01-01",
    "en 2021": "2021-01-01",
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
        # what does not exist, where the year does not stand apart
        "00/00/0000",
        "0000-00-00",
        "20200230",
        "20201301",
        "2000 Jan 1-45",
        "2000 5th Quarter",
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
        "May",
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


#: Edge cases of forms, by what they are about: texts, and the first day of the period they name.
EDGES = {
    "a numbered part needs no ordinal": {
        "2000 1 Quarter": "2000-01-01",
        "1 quarter 2000": "2000-01-01",
        "1quarter 2000": "2000-01-01",
        "3 trimestre 2001": "2001-07-01",
        "2-3 quarter 2000": "2000-04-01",
    },
    "every ordinal of a part": {
        "1st quarter 2000": "2000-01-01",
        "2nd quarter 2000": "2000-04-01",
        "2nde trimestre 2000": "2000-04-01",
        "2d quarter 2000": "2000-04-01",
        "3rd quarter 2000": "2000-07-01",
        "4th quarter 2000": "2000-10-01",
        "1er trimestre 2000": "2000-01-01",
        "1re trimestre 2000": "2000-01-01",
        "2e trimestre 2000": "2000-04-01",
        "2ème trimestre 2000": "2000-04-01",
        "2ième trimestre 2000": "2000-04-01",
        "2ie trimestre 2000": "2000-04-01",
    },
    "every word for a part, in full and abbreviated": {
        "2nd quart 2000": "2000-04-01",
        "2nd quarter 2000": "2000-04-01",
        "2nd qtr 2000": "2000-04-01",
        "2nd trim 2000": "2000-04-01",
        "2nd trimest 2000": "2000-04-01",
        "2nd trimestre 2000": "2000-04-01",
        "2nd trimester 2000": "2000-04-01",
        "1st sem 2000": "2000-01-01",
        "2nd sem 2000": "2000-07-01",
        "2nd semest 2000": "2000-07-01",
        "2nd semestre 2000": "2000-07-01",
        "2nd semester 2000": "2000-07-01",
        "Q1 2000": "2000-01-01",
        "Q4 2000": "2000-10-01",
        "T2 2000": "2000-04-01",
        "2000 t3": "2000-07-01",
    },
    "a range of parts, and what stands around a part": {
        "1st to 4th quarter 2000": "2000-01-01",
        "1er au 2e trimestre 2000": "2000-01-01",
        "the 2nd quarter 2000": "2000-04-01",
        "in Q2 2000": "2000-04-01",
        "Q2/2000": "2000-04-01",
        "Q2 - 2000": "2000-04-01",
        "2000Q2": "2000-04-01",
        "2000 - Q2": "2000-04-01",
    },
    "every time of day, with every zone": {
        "2020-02-03T0:00": "2020-02-03",
        "2020-02-03T9:59": "2020-02-03",
        "2020-02-03T19:00": "2020-02-03",
        "2020-02-03T24:00": "2020-02-03",
        "2020-02-03T23:59:60": "2020-02-03",
        "2020-02-03T10:00:00,5": "2020-02-03",
        "2020-02-03T10:00:00.123456Z": "2020-02-03",
        "2020-02-03 10:00 am": "2020-02-03",
        "2020-02-03 10:00pm": "2020-02-03",
        "2020-02-03 10:00:00 pm UTC": "2020-02-03",
        "2020-02-03Z": "2020-02-03",
        "2020-02-03 utc": "2020-02-03",
        "2020-02-03 GMT": "2020-02-03",
        "2020-02-03T10:00+0200": "2020-02-03",
        "2020-02-03T10:00-05:00": "2020-02-03",
        "03/02/2020T10:00Z": "2020-02-03",
        "03/02/2020 GMT": "2020-02-03",
    },
    "every separator of numbers": {
        "2020 - 02 - 03": "2020-02-03",
        "2020 / 02": "2020-02-01",
        "2020 . 2 . 3": "2020-02-03",
        "2020-2": "2020-02-01",
        "3 . 2 . 2020": "2020-02-03",
        "2 - 2020": "2020-02-01",
    },
    "every word between the ends of a range": {
        "1999 to 2000": "1999-01-01",
        "1999 and 2000": "1999-01-01",
        "1999 au 2000": "1999-01-01",
        "1999 et 2000": "1999-01-01",
        "1999 à 2000": "1999-01-01",
        "1999 & 2000": "1999-01-01",
        "1999&2000": "1999-01-01",
        "1999 - 2000": "1999-01-01",
        "1999. - 2000": "1999-01-01",
        "Feb. to Mar. 2022": "2022-02-01",
        "Feb.-Mar. 2022": "2022-02-01",
        "févr. à mars 2022": "2022-02-01",
    },
    "every word before a date": {
        "le 3 mars 2021": "2021-03-03",
        "the 3 March 2021": "2021-03-03",
        "on 3 March 2021": "2021-03-03",
        "in March 2021": "2021-03-01",
        "en mars 2021": "2021-03-01",
        "on March 3, 2021": "2021-03-03",
        "3 of March 2021": "2021-03-03",
        "3 de mars 2021": "2021-03-03",
    },
    "every ordinal of a day": {
        "1st May 2020": "2020-05-01",
        "2nd May 2020": "2020-05-02",
        "2d May 2020": "2020-05-02",
        "3rd May 2020": "2020-05-03",
        "4th May 2020": "2020-05-04",
        "1er May 2020": "2020-05-01",
        "2020 May 15th": "2020-05-15",
        "May 5th 2020": "2020-05-05",
    },
    "the last day of a range is any day there is": {
        **{f"2000 Feb 3-{end}": "2000-02-03" for end in ("4", "04", "10", "19", "20", "29")},
        **{f"2000 Feb 3-{end}": "2000-02-03" for end in ("30", "31", "15th")},
        "2000 Feb 3-Mar": "2000-02-03",
        "2000 Feb - Mar 3": "2000-02-01",
        "1999 Dec 15-2000 Jan": "1999-12-15",
        "1998 Dec-1999Jan 2": "1998-12-01",
        "3 to 15 February 2000": "2000-02-03",
        "3/15 February 2000": "2000-02-03",
        "Feb 3-15 2000": "2000-02-03",
        "Feb 3-Mar 2, 2000": "2000-02-03",
        "Dec 2020-2021": "2020-12-01",
        "Dec 2020-Jan 2021": "2020-12-01",
        "Dec 5, 2020-Jan 3 2021": "2020-12-05",
    },
    "what stands between the parts of a date": {
        "2000Feb3": "2000-02-03",
        "2000-Feb-03": "2000-02-03",
        "2000/Feb": "2000-02-01",
        "2000 , Feb": "2000-02-01",
        "Feb2000": "2000-02-01",
        "Feb 3.2000": "2000-02-03",
        "Feb 3/2000": "2000-02-03",
        "Feb 3-2000": "2000-02-03",
        "Feb 3 , 2000": "2000-02-03",
        "3February2000": "2000-02-03",
        "3 - February - 2000": "2000-02-03",
    },
    "the first and the last year": {"1000": "1000-01-01", "2999": "2999-01-01"},
    "a winter of two years is that of the first December": {
        "1974-1975 hiver": "1974-12-01",
        "hiver 1974/1975": "1974-12-01",
        "1974-1974 Winter": "1974-01-01",
        "1974-1976 Winter": "1974-01-01",
        "1974-1975 Spring": "1974-04-01",
        "1974-1975 Fall": "1974-10-01",
        "1974-1975 Jan": "1974-01-01",
        "1974-1975 Winter-1976 Spring": "1974-12-01",
    },
    "every season": {
        "winter 2000": "2000-01-01",
        "hiver 2000": "2000-01-01",
        "spring 2000": "2000-04-01",
        "printemps 2000": "2000-04-01",
        "summer 2000": "2000-07-01",
        "été 2000": "2000-07-01",
        "autumn 2000": "2000-10-01",
        "automne 2000": "2000-10-01",
        "fall 2000": "2000-10-01",
        "christmas 2000": "2000-12-01",
        "Noël 2000": "2000-12-01",
    },
}


@pytest.mark.parametrize("kind", EDGES)
def test_the_edges_of_a_form_are_read(kind: str) -> None:
    texts = EDGES[kind]
    read = {text: str(date) for text, (date, _, _) in zip(texts, readings(*texts), strict=True)}
    assert read == texts


SPELLINGS_OF_MONTHS = [
    "january janvier janv jan",
    "february février févr febr feb fév",
    "march mars mar",
    "april avril avr apr",
    "may mai",
    "june juin jun",
    "july juillet juil jul",
    "august août aug",
    "september septembre sept sep",
    "october octobre oct",
    "november novembre nov",
    "december décembre dec déc",
]


@pytest.mark.parametrize("month", range(1, 13))
def test_every_spelling_of_a_month(month: int) -> None:
    spellings = SPELLINGS_OF_MONTHS[month - 1].split()
    expected = [(dt.date(2020, month, 1), "month", None)] * len(spellings)
    assert readings(*(f"{name} 2020" for name in spellings)) == expected
    assert readings(*(f"2020 {name}." for name in spellings)) == expected


@pytest.mark.parametrize("sign", " .,;:!()[]{}\"'`´«»“”‘’*|")
def test_signs_around_a_date_do_not_count(sign: str) -> None:
    for text in (f"{sign}2020-01-15", f"2020-01-15{sign}", f"{sign}{sign}2020-01-15{sign}{sign}"):
        assert reading(text) == (dt.date(2020, 1, 15), "day", None)


@pytest.mark.parametrize("sign", "#~+/_-?=<>x2é")
def test_other_signs_around_a_date_do(sign: str) -> None:
    for text in (f"{sign}2020-01-15", f"2020-01-15{sign}"):
        assert reading(text) == (None, None, "unreadable_date")


@pytest.mark.parametrize("dash", "-‐‑‒–—−")
def test_every_dash_is_a_hyphen(dash: str) -> None:
    assert reading(f"2020{dash}01{dash}15") == (dt.date(2020, 1, 15), "day", None)
    assert reading(f"Jan{dash}Feb 2020") == (dt.date(2020, 1, 1), "month", None)


#: Texts that are nearly of a form, by what is wrong with them.
NEARLY = {
    "no such part of a year": ["Q0 2000", "Q5 2000", "T0 2000", "T5 2000", "5th quarter 2000"],
    "no such word for a part": ["1st q 2000", "1st qt 2000", "S1 2000", "1st trimes 2000"],
    "a part that does not end there": ["Q12000", "2000 Q12", "1st quarters 2000", "1st seme 2000"],
    "a year with more to it": ["12000 Q1", "in 2000 Q1", "Q1 20001", "12000 Jan", "x2000-01"],
    "a part without a number": ["2000 quarter 1"],
    "no range of parts": ["1st-5th quarter 2000", "2nd-1st quarter 2000", "1-2-3 quarter 2000"],
    "too much between a part and a year": ["Q1 - . 2000", "2000 - . Q1", "2nd quarter of 2000"],
    "an ordinal apart": ["4 th quarter 2000", "1 st May 2020", "1  er mai 2020"],
    "no hour": ["2020-01-01T10", "2020-01-01T29:00", "2020-01-01T30:00", "2020-01-01T100:00"],
    "no minute": ["2020-01-01T10:60", "2020-01-01T10:0", "2020-01-01T:00"],
    "no second": ["2020-01-01T10:00:70", "2020-01-01T10:00:5", "2020-01-01T10:00:00.x"],
    "no zone": ["2020-01-01T10:00+2:00", "2020-01-01T10:00+02:0", "2020-01-01 EST"],
    "no half of a day": ["2020-01-01 10:00 xm", "2020-01-01 10:00 a", "2020-01-01 am"],
    "an hour of no day": ["2020-01T10:00", "2020T10:00", "January 2020 10:00"],
    "a day apart from its hour": ["2020-01-01  10:00", "2020-01-01/10:00"],
    "numbers that are too long": ["2020-001", "2020-01-015", "001/01/2020", "1/001/2020"],
    "numbers that stand together": ["20200230", "202001", "01 02 2020", "01 2020"],
    "too many numbers": ["2020-1-1-1", "1/1/1/2020", "2000 Jan 150", "2000 Jan 1-15-20"],
    "two separators": ["2020--01", "2020-01--15", "01//02/2020", "1999..2000"],
    "no range of years": ["1999to2000", "1999 or 2000", "1999, 2000", "1999  - 2000", "1999-200"],
    "no word before a date": ["at 3 March 2021", "le le 3 mars 2021", "le3 mars 2021"],
    "no last day of a range": ["2000 Jan 1-32", "2000 Jan 1-0", "2000 Jan 1-00", "2000 Jan 1-40"],
    "no last day in another month": ["2000 Jan 31-Feb 32", "Jan 1-Feb 0, 2000"],
    "no last day in another year": ["Jan 5, 2020-Feb 32, 2021", "27 Dec 2000-32 Jan 2001"],
    "a range without an end": ["2000 Jan-2001", "2000 Jan 15 Feb"],
    "a range of three": ["1-15-20 January 2000", "1999-2000-2001"],
    "a range that runs backwards": [
        "27 Dec 2001-4 Jan 2000",
        "2001-2000 Winter",
        "Winter 2001-2000",
        "2000-2001 Winter-1999 Spring",
    ],
    "a day before a season": ["15 Spring 2000"],
    "too much between words": ["Jan 5 ., 2020", "Jan 5 - , 2020"],
    "too little between numbers": ["Jan 52020", "15Jan 12020", "Jan 5 2020-20210"],
}


@pytest.mark.parametrize("wrong", NEARLY)
def test_what_is_nearly_a_form_is_unreadable(wrong: str) -> None:
    texts = NEARLY[wrong]
    read = {text: date for text, (date, _, _) in zip(texts, readings(*texts), strict=True)}
    assert read == dict.fromkeys(texts)


#: Texts of no form, by what is certain of them: the first day and the precision. Where only the
#: year is certain, it is the one in the text.
IN_PART = {
    ("1978-01-01", "year"): ["1978 Easter", "1972 Trinity", "2001 Mid-Winter", "2007-", "2020?"],
    ("1999-01-01", "year"): ["Foo 1999", "c. 1999", "1999 Foo", "Nov Suppl 1999", "1999 Mayday"],
    ("1990-11-01", "month"): [
        "1990 Nov Suppl",
        "1990 Nov-",
        "1990/Nov-Dec-Jan",
        "Nov-Dec-Jan 1990",
    ],
    ("1985-07-01", "month"): ["1985 Jul-Aug/Sep", "Jul 1985-Aug", "July, August 1985 (Suppl)"],
    ("2000-04-01", "season"): ["2000 Spring Suppl", "2000 Spring-Summer-Fall", "The 2000 spring."],
}


@pytest.mark.parametrize(("first_day", "precision"), IN_PART)
def test_what_is_certain_in_an_odd_text_is_read(first_day: str, precision: str) -> None:
    for text, (date, found, issue) in zip(
        IN_PART[first_day, precision], readings(*IN_PART[first_day, precision]), strict=True
    ):
        year = dt.date(int("".join(filter(str.isdigit, text))), 1, 1)
        expected = year if precision == "year" else day(first_day)
        assert (text, date, found, issue) == (text, expected, precision, "partly_read_date")


#: Dates of which the month or the day does not exist.
NOT_IN_CALENDAR = {
    2020: [
        *("30/02/2020", "31/04/2020", "02/30/2020", "13/13/2020", "2020-13-01", "2020-25-02"),
        *("2020-13", "2020 13", "13/2020", "2020-00-00", "2020-01-00", "0 January 2020"),
        *("32 January 2020", "2020 Feb 30", "30 Feb-2 Mar 2020", "2020-02-30T10:00Z"),
    ],
    1900: ["29 February 1900", "1900 Feb 29", "29.02.1900"],
    2000: [
        "2000 Winter 5",
        "2000 Spring 15",
        "Spring 15, 2000",
        "Fall 1-2, 2000",
        "2000 3rd Semester",
    ],
}


@pytest.mark.parametrize("year", NOT_IN_CALENDAR)
def test_of_a_date_that_does_not_exist_the_year_is_read(year: int) -> None:
    texts = NOT_IN_CALENDAR[year]
    expected = (dt.date(year, 1, 1), "year", "partly_read_date")
    assert dict(zip(texts, readings(*texts), strict=True)) == dict.fromkeys(texts, expected)


@pytest.mark.parametrize(
    "text",
    [
        *("the 1990s", "1990's", "c1990", "-1990", "1990th", "no. 12, 1990", "1990 Suppl 2"),
        *("19900", "3000 Easter", "0999 Easter", "1990 Easter 1991", "1990 Easter 30"),
    ],
)
def test_no_year_is_taken_where_it_is_not_certain(text: str) -> None:
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


@pytest.mark.slow
@settings(max_examples=5)
@given(year=st.integers(1000, 2999))
@example(year=1900)
@example(year=2000)
def test_numbers_are_a_day_only_if_a_calendar_has_it(year: int) -> None:
    def in_calendar(month: int, day_of_month: int) -> dt.date | None:
        try:
            return dt.date(year, month, day_of_month)
        except ValueError:
            return None

    pairs = [(a, b) for a in range(40) for b in range(40)]
    of_year = (dt.date(year, 1, 1), "year", "partly_read_date")
    for (month, day_of_month), found in zip(
        pairs, readings(*(f"{year}-{m}-{d}" for m, d in pairs)), strict=True
    ):
        date = in_calendar(month, day_of_month)
        assert found == ((date, "day", None) if date else of_year)
    for (first, second), found in zip(
        pairs, readings(*(f"{a}/{b}/{year}" for a, b in pairs)), strict=True
    ):
        day_first, month_first = in_calendar(second, first), in_calendar(first, second)
        issue = None if day_first else "month_first_date"
        date = day_first or month_first
        assert found == ((date, "day", issue) if date else of_year)
