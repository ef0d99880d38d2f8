"""Dates as people, registries and PubMed write them -> date and precision (SPEC 2).

Two operations, made of Polars expressions only: `parse_dates`, on a column of cleaned text, and
`agree`, on two columns of dates. Cleaning the text does not belong here, nor does the handling of
missing or unreadable dates.

A form is a regular expression with named groups. No text matches two forms, except the last one,
which counts only if no other matches: it finds the year in odd texts. PubMed's own forms are those
of its `PubDate` and `MedlineDate` elements: year, month or season, day, and ranges of them.
"""

from __future__ import annotations

from typing import TypeAlias

import polars as pl

from drug_assets.cleaning.text import blank_raised, fold_text
from drug_assets.terms import DatePrecision, Issue

_Months: TypeAlias = dict[str, int]

#: English and French, full and abbreviated, folded. The dot of an abbreviation is a separator.
_MONTHS: _Months = {
    name: month
    for month, names in enumerate(
        (
            "january janvier janv jan",
            "february fevrier fevr febr feb fev",
            "march mars mar",
            "april avril avr apr",
            "may mai",
            "june juin jun",
            "july juillet juil jul",
            "august aout aug",
            "september septembre sept sep",
            "october octobre oct",
            "november novembre nov",
            "december decembre dec",
        ),
        start=1,
    )
    for name in names.split()
}

#: The month that stands for a season, as the National Library of Medicine sorts PubMed (PubMed
#: Help, "Publication date": winter is January, spring April, summer July, fall October). So the
#: winter of a year is its first quarter, not the December at its end.
_SEASONS: _Months = {
    "winter": 1,
    "hiver": 1,
    "spring": 4,
    "printemps": 4,
    "summer": 7,
    "ete": 7,
    "autumn": 10,
    "automne": 10,
    "fall": 10,
    "christmas": 12,
    "noel": 12,
}
_WINTER = ["winter", "hiver"]
_DECEMBER = 12

#: Months in the numbered parts of a year: quarter, trimester, semester. MEDLINE has a "4th
#: Trimest", so its trimesters are three months long, like French ones.
_MONTHS_PER_PART: _Months = {"q": 3, "t": 3, "s": 6}

#: Punctuation, folded, around a date that does not change its meaning. Not the hyphen: "-2020" is a
#: different year.
_AROUND = " .,;:!()[]{}\"'«»*|"

_YEAR = "[12][0-9]{3}"
_NUMBER = "[0-9]{1,2}"
_WORD = "(?:" + "|".join([*_MONTHS, *_SEASONS]) + ")"
_MONTH = "(?:" + "|".join(_MONTHS) + ")"
_ORDINAL = "(?: ?er|st|nd|rd|th|d)?"
_DAY = f"(?:0?[1-9]|[12][0-9]|3[01]){_ORDINAL}"
#: A day and a year need a separator; otherwise "Jan 12020" would be read as 1 January 2020.
_APART = "[ ,./-]{1,3}"
_MAYBE_APART = "[ ,./-]{0,3}"
_TO = r"(?:\.? ?[-/&] ?|\.? (?:to|and|au|et|a) )"
_LEAD = "(?:(?:le|the|on|in|en) )?"
_TIME = (
    "(?:[t ](?:[01]?[0-9]|2[0-4]):[0-5][0-9](?::[0-6][0-9](?:[.,][0-9]+)?)?(?: ?[ap]m)?)?"
    "(?: ?(?:z|utc|gmt|[+-][0-9]{2}:?[0-9]{2}))?"
)
#: A numbered part of a year: "2d quart", "1er trimestre", "1st-2nd Quarter", "Q1".
_PART_ORDINAL = "(?:st|nde?|rd|th|d|er|re|i?e(?:me)?)?"
_PART = (
    rf"(?:(?-u:\b)(?P<number>[1-4]){_PART_ORDINAL}(?:{_TO}[2-4]{_PART_ORDINAL})? ?"
    "(?P<part>q(?:uart(?:er)?|tr)|trim(?:est(?:re|er)?)?|sem(?:est(?:re|er)?)?)"
    "|[qt](?P<quarter>[1-4]))"
)
_ISO_SEPARATOR = " ?[-/.] ?| "
_SEPARATOR = " ?[-/.] ?"

#: The form of texts that are read in part.
_PARTLY_READ = "partly_read"
#: Between the months of a range that is no form: "Jul-Aug/Sep".
_BETWEEN = "[ ,./&-]+"

_FORMS = {
    # 2020, 2020-01, 2020-01-15, 2020-01-15T08:00:00Z, 1999-2000, in 2020
    "year_first_numbers": rf"^{_LEAD}(?P<year>{_YEAR})(?:{_TO}(?P<last_year>{_YEAR})|"
    rf"(?P<separator>{_ISO_SEPARATOR})(?P<month>{_NUMBER})"
    rf"(?:(?P<second_separator>{_ISO_SEPARATOR})(?P<day>{_NUMBER}){_TIME})?)?$",
    # 20200115, ISO 8601 without hyphens, as MEDLINE text has it; 202001 could also be a day
    "compact": rf"^(?P<year>{_YEAR})(?P<month>[0-9]{{2}})(?P<day>[0-9]{{2}})$",
    # 15/01/2020, 01/2020
    "year_last_numbers": rf"^(?:(?P<day>{_NUMBER})(?P<separator>{_SEPARATOR}))?"
    rf"(?P<month>{_NUMBER})(?P<second_separator>{_SEPARATOR})(?P<year>{_YEAR}){_TIME}$",
    # 2000 Jan, 2000 Jan 15, 2000 Spring-Summer, 1998 Dec-1999 Jan, 2000 Nov 27-Dec 4,
    # 2000 Jan 1-15, 1974-1975 Winter, 2022 Jan-Feb 01
    "year_first_words": rf"^(?P<year>{_YEAR})(?:{_TO}(?P<last_year>{_YEAR}))?{_MAYBE_APART}"
    rf"(?P<word>{_WORD})(?:{_MAYBE_APART}(?P<day>{_NUMBER}){_ORDINAL})?"
    rf"(?:{_TO}(?:(?:(?P<end_year>{_YEAR}){_MAYBE_APART})?{_WORD}(?:{_MAYBE_APART}{_DAY})?|{_DAY}))?$",
    # January 2020, September 20, 2018, Spring-Summer 2000, Dec 1998-Jan 1999, Nov 27-Dec 4, 2000,
    # Winter 1974-1975
    "word_first": rf"^{_LEAD}(?P<word>{_WORD})(?:{_MAYBE_APART}(?P<day>{_NUMBER}){_ORDINAL}"
    rf"(?:{_TO}(?:{_MONTH}{_MAYBE_APART})?{_DAY})?{_APART}|(?:{_TO}{_WORD})?{_MAYBE_APART})"
    rf"(?P<year>{_YEAR})"
    rf"(?:{_TO}(?:{_WORD}{_MAYBE_APART}(?:{_DAY}{_APART})?)?(?P<last_year>{_YEAR}))?$",
    # 27 avril 2020, 1er janvier 2020, 1st of May 2020, 1-15 January 2000, 27 Nov-4 Dec 2000
    "day_first": rf"^{_LEAD}(?P<day>{_NUMBER}){_ORDINAL}(?:{_TO}{_DAY})?{_MAYBE_APART}(?:of |de )?"
    rf"(?P<word>{_MONTH})(?:{_TO}{_DAY}{_MAYBE_APART}{_MONTH})?{_MAYBE_APART}(?P<year>{_YEAR})"
    rf"(?:{_TO}{_DAY}{_MAYBE_APART}{_MONTH}{_MAYBE_APART}(?P<last_year>{_YEAR}))?$",
    # 2000 1st Quarter, 1978 2d Quart, 1961 4th Trimest, 2000 Q1
    "year_first_part": rf"^(?P<year>{_YEAR}){_MAYBE_APART}{_PART}$",
    # 1st quarter 2000, 2e semestre 1962, Q1 2000
    "part_first": rf"^{_LEAD}{_PART}{_APART}(?P<year>{_YEAR})$",
    # 1978 Easter, 1966 Jan-Feb-Mar, 1990 Nov Suppl, 2007-, Trinity 1972. The year is certain if it
    # is the only number, no letter is next to it, and it is neither negative nor a decade
    # ("1990's"); the month or season, if it follows the year, or if only months precede the year.
    _PARTLY_READ: rf"^(?:(?P<first_word>{_MONTH})(?:{_BETWEEN}{_MONTH})*{_BETWEEN}|"
    rf"[^0-9]*[^0-9a-z-])?(?P<year>{_YEAR})(?:[ ./-]{{1,3}}(?P<word>{_WORD})"
    rf"(?:[^0-9a-z'][^0-9]*)?|[^0-9a-z'][^0-9]*)?$",
}
_PARSED = pl.Struct({"date": pl.Date, "date_precision": pl.String, "issue": pl.String})
#: The issues that `parse_dates` can return.
ISSUES = (
    *(Issue.MISSING_DATE, Issue.MONTH_FIRST_DATE),
    *(Issue.PARTLY_READ_DATE, Issue.UNREADABLE_DATE),
)
_NUMBER_FORMS = ("year_first_numbers", "compact", "year_last_numbers")
_SEPARATED_FORMS = ("year_first_numbers", "year_last_numbers")
_WORD_FORMS = ("year_first_words", "word_first", "day_first")
_PART_FORMS = ("year_first_part", "part_first")


def parse_dates(text: pl.Expr) -> pl.Expr:
    """Parse a column of dates.

    Numbers are read day first. They are read month first, with an issue, only where the second
    number cannot be a month and the first can. A range counts as its first part. A winter that
    spans two years starts in December of the first. Years are 1000 to 2999, in four ASCII digits.
    A text of no known form whose only number is a year is read in part: the year, and the month or
    season next to it. So is a date whose month or day does not exist: the year, if it stands apart.
    A range whose years run backwards and any other text are unreadable.

    Args:
        text: A String column, cleaned.

    Returns:
        A Struct of `date` (Date: the first day of the known period), `date_precision` (`day`,
        `month`, `season` or `year`; a quarter, trimester or half of a year is a `season`) and
        `issue`: `missing_date` (null or blank text), `unreadable_date`, `partly_read_date`,
        `month_first_date`, or null. Date and precision are null exactly where the date is missing
        or unreadable.
    """
    return text.map_batches(_parse_distinct, return_dtype=_PARSED, is_elementwise=True)


def _parse_distinct(text: pl.Series) -> pl.Series:
    """Parse each distinct text once: millions of records have few distinct dates."""
    if text.null_count() == len(text):
        # Most formats give a few of the fields of dates only.
        missing = {"date": None, "date_precision": None, "issue": Issue.MISSING_DATE.value}
        return pl.Series([missing], dtype=_PARSED).new_from_index(0, len(text))
    distinct = text.unique().to_frame("text")
    return (
        text.to_frame("text")
        .join(
            distinct.with_columns(parsed=_parse(distinct)),
            on="text",
            how="left",
            nulls_equal=True,
            maintain_order="left",
        )
        .get_column("parsed")
    )


def _parse(texts: pl.DataFrame) -> pl.Series:
    text, bare = pl.col("text"), pl.col("bare")
    # Step by step: to plan one nested expression takes Polars longer than to parse a file's dates.
    return (
        texts.select(
            missing=text.str.strip_chars().fill_null("") == "",
            # A raised digit leads to a footnote, and is no digit of the date.
            bare=fold_text(blank_raised(text)).str.strip_chars(_AROUND),
        )
        .with_columns(bare.str.extract_groups(form).alias(name) for name, form in _FORMS.items())
        .with_columns(**_parts())
        .with_columns(**_numbers())
        .with_columns(**_first_day())
        .select(parsed=_result())
        .to_series()
    )


def _group(name: str, *forms: str) -> pl.Expr:
    """The text of a named group, in the form that matches."""
    return pl.coalesce(pl.col(form).struct.field(name) for form in forms)


def _parts() -> dict[str, pl.Expr]:
    """The parts of the date as written, from the form that matches."""
    with_range = ("year_first_numbers", "year_first_words", "word_first", "day_first")
    # Where a text has a range of years and the year of an end, the range runs to the earlier one.
    last_year = pl.min_horizontal(
        _group("last_year", *with_range).cast(pl.Int32),
        _group("end_year", "year_first_words").cast(pl.Int32),
    )
    separators = [_group(name, *_SEPARATED_FORMS) for name in ("separator", "second_separator")]
    whole_forms = [form for form in _FORMS if form != _PARTLY_READ]
    return {
        "year": _group("year", *_FORMS).cast(pl.Int32),
        "partly_read": _group("year", *whole_forms).is_null(),
        "last_year": last_year,
        "word": pl.coalesce(
            _group("word", *_WORD_FORMS),
            _group("first_word", _PARTLY_READ),
            _group("word", _PARTLY_READ),
        ),
        "month": _group("month", *_NUMBER_FORMS).cast(pl.Int32),
        "day": _group("day", *_NUMBER_FORMS, *_WORD_FORMS).cast(pl.Int32),
        "part": _group("part", *_PART_FORMS).str.head(1),
        "number": pl.coalesce(_group("number", *_PART_FORMS), _group("quarter", *_PART_FORMS)).cast(
            pl.Int32
        ),
        "day_before_month": _group("day", "year_last_numbers").is_not_null(),
        "mixed_separators": (separators[0] != separators[1]).fill_null(value=False),
    }


def _numbers() -> dict[str, pl.Expr]:
    """Day and month as numbers; a word, season or numbered part counts as its first month."""
    day, month, word, number = (pl.col(name) for name in ("day", "month", "word", "number"))
    month_first = pl.col("day_before_month") & (month > _DECEMBER) & day.is_between(1, _DECEMBER)
    months_per_part = pl.col("part").replace_strict(
        _MONTHS_PER_PART, default=_MONTHS_PER_PART["q"], return_dtype=pl.Int32
    )
    spans_years = word.is_in(_WINTER) & (pl.col("last_year") == pl.col("year") + 1)
    return {
        "month_first": month_first.fill_null(value=False),
        "season": word.is_in(list(_SEASONS)).fill_null(value=False) | number.is_not_null(),
        "day": pl.when(month_first).then(month).otherwise(day),
        "month": pl.when(month_first)
        .then(day)
        .when(spans_years)
        .then(pl.lit(_DECEMBER))
        .otherwise(
            pl.coalesce(
                month,
                word.replace_strict(_MONTHS | _SEASONS, default=None, return_dtype=pl.Int32),
                (number - 1) * months_per_part + 1,
            )
        ),
    }


def _first_day() -> dict[str, pl.Expr]:
    """The first day of the known period, null if not even its year is known; and the precision.

    If the month or the day does not exist, it is not known which of the two is wrong, so the year
    alone counts. In eight digits that are no date, the first four need not be a year.
    """
    year, month, day, season = (pl.col(name) for name in ("year", "month", "day", "season"))
    # `pl.date` fails for a day that does not exist, so it gets the first day of valid months only.
    valid_month = pl.when(month.fill_null(1).is_between(1, _DECEMBER)).then(month.fill_null(1))
    first = pl.date(year, valid_month, 1)
    exists = (
        day.fill_null(1).is_between(1, first.dt.month_end().dt.day())
        & ~(season & day.is_not_null())
    ).fill_null(value=False)
    is_year_certain = (
        ~pl.col("mixed_separators")
        & (pl.col("last_year") >= year).fill_null(value=True)
        & (exists | _group("year", "compact").is_null())
    )
    known = pl.when(exists).then(first + pl.duration(days=day.fill_null(1) - 1))
    return {
        "date": pl.when(is_year_certain).then(pl.coalesce(known, pl.date(year, 1, 1))),
        "partly_read": pl.col("partly_read") | ~exists,
        "precision": pl.when(~exists)
        .then(pl.lit(DatePrecision.YEAR))
        .when(season)
        .then(pl.lit(DatePrecision.SEASON))
        .when(day.is_not_null())
        .then(pl.lit(DatePrecision.DAY))
        .when(month.is_not_null())
        .then(pl.lit(DatePrecision.MONTH))
        .otherwise(pl.lit(DatePrecision.YEAR)),
    }


def _result() -> pl.Expr:
    date = pl.col("date")
    return pl.struct(
        date,
        pl.when(date.is_not_null()).then(pl.col("precision")).alias("date_precision"),
        pl.when(pl.col("missing"))
        .then(pl.lit(Issue.MISSING_DATE))
        .when(date.is_null())
        .then(pl.lit(Issue.UNREADABLE_DATE))
        .when(pl.col("partly_read"))
        .then(pl.lit(Issue.PARTLY_READ_DATE))
        .when(pl.col("month_first"))
        .then(pl.lit(Issue.MONTH_FIRST_DATE))
        .alias("issue"),
    )


def agree(one: pl.Expr, other: pl.Expr) -> pl.Expr:
    """Whether two dates do not contradict each other: they are equal as far as both are known.

    Of two seasons or two months, both must be the same. A season is compared with a month or a day
    by its year alone, since its months depend on the country.

    Args:
        one: A Struct of `date` and `precision`, as `parse_dates` returns them.
        other: A Struct of the same fields.

    Returns:
        A Boolean column, null where a date is missing.
    """
    first, second = one.struct.field("date"), other.struct.field("date")
    precisions = [date.struct.field("precision") for date in (one, other)]
    by_year = pl.any_horizontal(
        precision.is_in([DatePrecision.SEASON, DatePrecision.YEAR]) for precision in precisions
    )
    return (
        pl.when(precisions[0] == precisions[1])
        .then(first == second)
        .when(by_year)
        .then(first.dt.year() == second.dt.year())
        .otherwise(first.dt.truncate("1mo") == second.dt.truncate("1mo"))
    )
