"""What a further list changes in the mentions that are found (SPEC 2, "a further list")."""

from __future__ import annotations

from itertools import combinations
from typing import Any, NamedTuple

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from drug_assets.cleaning import drugs as drug_cleaning
from drug_assets.cleaning.drug_forms import list_names_of_forms, merge_forms
from drug_assets.cleaning.drug_joins import join_rows
from drug_assets.delivery import add_position
from drug_assets.mentions import Vocabulary, find_mentions, list_searched_names
from drug_assets_tests.support.raw import Row, drug_rows, make_records
from drug_assets_tests.support.registry import DRUGS

#: Names: some are parts of others, some are forms of others, some have others as variants.
NAMES = ("alpha", "beta", "gamma", "alpha sulfate", "beta gamma", "lithium ion", "lithium", "b 12")
TITLES = [f"On {one} {other} in rats" for one in NAMES for other in (*NAMES, "mice")]


class Cleaned(NamedTuple):
    """What was made of some rows."""

    #: By folded name of a row, the id of the drug that it went into.
    drug_of: dict[str, str]
    #: By title and start and end of a span, the drugs that it names.
    named: dict[tuple[str, int, int], set[str]]
    #: Whether a join was refused.
    refused: bool


def clean(rows: list[Row]) -> Cleaned:
    records = make_records(DRUGS, drug_rows(*rows))
    kept = drug_cleaning.clean_drugs(records).kept
    titles = pl.LazyFrame({"title": TITLES})
    found = find_mentions(titles, Vocabulary.of(list_searched_names(kept).collect()))
    named: dict[tuple[str, int, int], set[str]] = {}
    for title, drug_id, spans in found.select("title", "drug_id", "spans").rows():
        for span in spans:
            named.setdefault((title, span["start"], span["end"]), set()).add(drug_id)
    joined = join_rows(add_position(records.drop("is_part")).sort("position").collect())
    merged = merge_forms(joined, list_names_of_forms(joined))
    ids = drug_cleaning._identify(merged).select("component", "drug_id")
    drug_of = merged.join(ids, on="component").select("folded_name", "drug_id").unique()
    issues = kept.collect()["issues"].explode().to_list()
    return Cleaned(dict(drug_of.rows()), named, "refused_join" in issues)


def lists() -> st.SearchStrategy[list[Row]]:
    """Rows of a list; every row has an id."""
    fields = {
        "id": st.sampled_from(["CHEMBL1", "CHEMBL2", "CHEMBL3", "p", "q"]),
        "drug": st.sampled_from(NAMES),
        "synonyms": st.sampled_from([None, None, *NAMES]),
        "forms": st.sampled_from([None, None, *NAMES]),
        "cas": st.sampled_from([None, None, "50-78-2", "103-90-2"]),
        "form_of": st.sampled_from([None, None, "chembl:CHEMBL1", "cas:50-78-2"]),
    }
    return st.lists(st.fixed_dictionaries(fields), max_size=4, unique_by=lambda row: row["id"])


def overlaps(span: tuple[str, int, int], other: tuple[str, int, int]) -> bool:
    return span[0] == other[0] and span[1] < other[2] and other[1] < span[2]


@pytest.mark.slow
@settings(max_examples=30, deadline=None)
@given(lists(), lists())
def test_a_further_list_takes_no_mention_away_and_moves_none(
    one: list[Row], further: list[Row]
) -> None:
    first = [{**row, "source_file": "one.csv"} for row in one]
    before = clean(first)
    after = clean([*first, *({**row, "source_file": "two.csv"} for row in further)])
    together = [
        pair
        for pair in combinations(before.drug_of, 2)
        if before.drug_of[pair[0]] == before.drug_of[pair[1]]
    ]
    apart = [pair for pair in together if after.drug_of[pair[0]] != after.drug_of[pair[1]]]
    if after.refused or apart:
        # Only a refused join parts drugs.
        assert after.refused
        return
    became: dict[str, str] = {drug: after.drug_of[name] for name, drug in before.drug_of.items()}
    for span, drugs in before.named.items():
        now = after.named.get(span)
        if now is None:
            # A name of the further list that is longer, or begins earlier, stands there.
            covering = [other for other in after.named if overlaps(span, other)]
            assert [other for other in covering if other not in before.named]
        else:
            assert {became[drug] for drug in drugs} <= now


@pytest.mark.slow
@settings(max_examples=15, deadline=None)
@given(lists(), lists(), st.randoms(use_true_random=False))
def test_the_order_of_lists_changes_nothing(one: list[Row], other: list[Row], random: Any) -> None:
    first, second = random.sample(["a.csv", "b.csv"], 2)
    rows = [{**row, "source_file": first} for row in one]
    rows += [{**row, "source_file": second} for row in other]
    again = [{**row, "source_file": "a.csv"} for row in one]
    again += [{**row, "source_file": "b.csv"} for row in other]
    assert clean(random.sample(rows, len(rows))) == clean(again)


@pytest.mark.slow
@settings(max_examples=15, deadline=None)
@given(lists(), lists(), st.lists(st.booleans(), min_size=8, max_size=8))
def test_the_same_list_twice_changes_no_drug(
    one: list[Row], other: list[Row], has_id: list[bool]
) -> None:
    rows = [
        {**row, "source_file": file, "id": row["id"] if has else None}
        for (file, row), has in zip(
            [("one.csv", row) for row in one] + [("other.csv", row) for row in other],
            has_id,
            strict=False,
        )
    ]
    again = [{**row, "source_file": "z.csv"} for row in rows if row["source_file"] == "one.csv"]

    def drugs(*rows: Row) -> list[Row]:
        records = make_records(DRUGS, drug_rows(*rows))
        return drug_cleaning.clean_drugs(records).kept.collect().to_dicts()

    assert drugs(*rows, *again) == drugs(*rows)
