"""Tables that are read as declared, whatever they hold."""

from __future__ import annotations

from dataclasses import replace

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from drug_assets.formats import delimited
from drug_assets.formats.record_shape import Condition, KnownTable, Mark, RecordShape, TableValue
from drug_assets.terms import ReadIssue
from drug_assets_tests.support.frames import fields, issues
from drug_assets_tests.support.registry import DRUGS

_GOOD, _BRAND = Condition("kind", ("good", "fine")), Condition("kind", ("brand",))
_TABLE = KnownTable(
    ("code", "kind", "text", "use"),
    (
        TableValue("id", "code", (_GOOD,)),
        TableValue("drug", "text", (_GOOD,)),
        TableValue("brands", "text", (_BRAND,), r"(\w+)(?: or (\w+))?"),
        TableValue("products", "code", (_BRAND,), prefix="x:", place="use"),
        TableValue("synonyms", "text", (_GOOD,)),
        TableValue("synonyms", "use", (_GOOD,)),
    ),
    (Mark(ReadIssue.NOT_A_DRUG, (replace(_GOOD, holds=False), replace(_BRAND, holds=False))),),
    file_word="known",
    separator="|",
    keeps_others=False,
)


def _shape(table: KnownTable = _TABLE) -> RecordShape:
    return replace(DRUGS.record_shape(), known_tables=(table,))


def _read(text: str, table: KnownTable = _TABLE, chunk_chars: int = 10**6) -> pl.DataFrame:
    chunks = [text[at : at + chunk_chars].encode() for at in range(0, len(text), chunk_chars)]
    return pl.concat(delimited.read_batches(_shape(table), "x/known 1.txt", chunks))


def test_a_value_is_that_of_its_pattern_prefix_and_place() -> None:
    rows = _read("1|brand|Zorbex or Zorbin|a\n2|BRAND|Zorb-1|b\n3| fine |zorbane|c\n")
    assert fields(rows, "id", "drug", "brands", "products", "synonyms") == [
        (None, None, "Zorbex|Zorbin", "x:1/a", None),
        (None, None, None, "x:2/b", None),
        ("3", "zorbane", None, None, "zorbane|c"),
    ]


def test_a_row_that_is_out_of_form_is_not_judged_by_what_it_holds() -> None:
    rows = _read("1|good|zorbane|\n\n|||\n1|x|y|z|a|b\n2|other\n")
    assert issues(rows) == [
        [],
        ["blank_row"],
        ["blank_row"],
        ["misaligned_row"],
        ["not_a_drug", "short_row"],
    ]


def test_a_quote_is_a_character_where_nothing_is_quoted() -> None:
    rows = _read('1|good|"zorb"|\n2|good|5"-zorb|"\n')
    assert fields(rows, "drug") == [('"zorb"',), ('5"-zorb',)]
    assert issues(rows) == [[], []]


@pytest.mark.parametrize("name", ["known.txt", "a/KNOWN (1).rrf.gz", "my_known-2.txt"])
def test_a_file_is_known_by_a_word_of_its_name(name: str) -> None:
    assert _shape().known_file(name) is _TABLE
    assert _shape().known_file("known/x.txt") is None
    assert _shape().known_file("unknown.txt") is None


_CELLS = st.sampled_from(["", " ", "good", "Fine", "brand", "x", "zorb or y", "NA", "é", '"', "7"])


@pytest.mark.slow
@settings(max_examples=80, deadline=None)
@given(st.lists(st.tuples(*[_CELLS] * 4), min_size=1, max_size=6), st.integers(1, 30))
def test_any_rows_give_what_is_declared_in_any_chunks(
    rows: list[tuple[str, str, str, str]], chunk_chars: int
) -> None:
    text = "".join("|".join(row) + "\n" for row in rows)
    # Lines before the first one that holds something are no rows.
    while rows and not "".join(rows[0]).strip(' "'):
        rows = rows[1:]
    read = _read(text, chunk_chars=chunk_chars)
    assert read.equals(_read(text))
    assert read.height == len(rows)
    for (code, kind, what, _), told in zip(rows, read.iter_rows(named=True), strict=True):
        good = kind.strip().lower() in ("good", "fine")
        blank = "blank_row" in told["read_issues"]
        assert told["id"] == (code if good else None)
        assert told["drug"] == (what if good else None)
        unknown = not good and kind.strip().lower() != "brand" and not blank
        assert ("not_a_drug" in told["read_issues"]) == unknown


@pytest.mark.slow
@settings(max_examples=60, deadline=None)
@given(st.lists(st.sampled_from(["good", "brand", "x"]), min_size=1, max_size=9), st.integers(1, 9))
def test_rows_that_say_nothing_are_counted(kinds: list[str], chunk_chars: int) -> None:
    table = replace(_TABLE, speaks=(_GOOD,))
    text = "".join(f"{n}|{kind}|text|\n" for n, kind in enumerate(kinds))
    read = _read(text, table, chunk_chars)
    silent = sum(kind != "good" for kind in kinds)
    speaking = [str(n) for n, kind in enumerate(kinds) if kind == "good"]
    assert read["id"].drop_nulls().to_list() == speaking
    assert read["source_row"].to_list() == list(range(1, read.height + 1))
    told = [f'{{"rows":"{silent}"}}'] if silent else []
    assert read["extra"].drop_nulls().to_list() == told
    assert read.height == len(speaking) + len(told)
