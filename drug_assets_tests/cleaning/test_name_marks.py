"""Marks that drug lists add to names, and that are no part of them."""

from __future__ import annotations

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from drug_assets.cleaning.name_marks import string_without_marks, without_marks

NAMES = st.lists(
    st.sampled_from([*"aB \t*®,.()[]-1", "USP", "INN", " [USAN:INN]", ", Ph. Eur.", "(TM)"]),
    max_size=8,
).map("".join)


def bare(*names: str) -> list[str]:
    frame = pl.DataFrame({"n": names}, schema={"n": pl.String})
    return frame.select(without_marks(pl.col("n")))["n"].to_list()


@pytest.mark.parametrize(
    "name",
    [
        *("Alpha®", "Alpha™", "Alpha ©", "Alpha*", "*Alpha", "Alpha†", "Alpha ‡", "Alpha°"),
        *("Alpha .", "Alpha.", "Alpha (USP)", "Alpha [INN]", "Alpha, USAN", "Alpha (BAN, JAN)"),
        *("Alpha (Ph. Eur.)", "Alpha, Ph.Eur.", "Alpha (JP17/USP/INN)", "Alpha [USAN:INN]"),
        *("Alpha (rINN)", "Alpha* (USP).", "Alpha(TM)", "Alpha® (USP), BP"),
        *("Alpha (®)", "Alpha (SM)", "Alpha…", "Alpha [INN-French]", "Alpha (prop. INN)"),
        *("Alpha (USP28)", "Alpha (BP 2020)", "Alpha (Ph. Eur. 9)", "Alpha (EP)", "Alpha [DCIT]"),
    ],
)
def test_marks_are_no_part_of_a_name(name: str) -> None:
    assert bare(name) == ["Alpha"]
    assert string_without_marks(name) == "Alpha"


def test_a_mark_within_a_name_is_none_either() -> None:
    assert bare("Alpha® Vaccine") == ["Alpha Vaccine"]


@pytest.mark.parametrize(
    "name",
    [
        *(
            "HLA-B*57",
            "(R)-alpha",
            "Alpha (R)",
            "Vitamin (C)",
            "Alpha, sulfate",
            "Alpha 5 mg, tablet",
        ),
        *("USP", "Banana", "alpha (inn)", "Alpha USP unit", "1.5-alpha", "*", "®", "."),
    ],
)
def test_what_belongs_to_a_name_stays(name: str) -> None:
    assert bare(name) == [name]
    assert string_without_marks(name) == name


@given(NAMES)
def test_a_string_loses_the_marks_that_a_column_loses(name: str) -> None:
    name = " ".join(name.split())
    assert bare(name) == [string_without_marks(name)]


@given(NAMES, st.sampled_from("aZ09"))
def test_a_letter_or_digit_at_the_start_stays(name: str, start: str) -> None:
    # Questions do not look at names that begin with another letter or digit.
    assert string_without_marks(start + name.rstrip()).startswith(start)
