"""What differs between two states of the tables, and how it is counted."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from drug_assets import news
from drug_assets.news import State
from drug_assets.sources.tables import TABLES
from drug_assets_tests.support import news as reference
from drug_assets_tests.support.raw import held_to

if TYPE_CHECKING:
    from collections.abc import Iterable

Row = dict[str, Any]

DAY = dt.date(2020, 5, 1)
_MENTIONS = {
    **dict.fromkeys(("drug_id", "source", "publication_id", "drug", "title"), pl.String()),
    **dict.fromkeys(("journal", "journal_id"), pl.String()),
    "date": pl.Date(),
    "date_precision": pl.String(),
}
_DRUGS = {"drug_id": pl.String(), "drug": pl.String(), "names": pl.List(pl.String())}


def mention(of: str, publication: str, by: str | None = "Lancet", **other: Any) -> Row:
    return {
        "drug_id": of,
        "source": "pubmed",
        "publication_id": publication,
        "drug": of.upper(),
        "title": f"On {of}",
        "journal": by,
        "journal_id": by and by.casefold(),
        "date": DAY,
        "date_precision": "day",
        **other,
    }


def drug(drug_id: str, *names: str) -> Row:
    return {"drug_id": drug_id, "drug": drug_id.upper(), "names": [drug_id.upper(), *names]}


def state(mentions: Iterable[Row], *drugs: Row) -> State:
    mentions = list(mentions)
    listed = drugs or [drug(id_) for id_ in sorted({row["drug_id"] for row in mentions})]
    return State.of(
        pl.LazyFrame(mentions, schema=_MENTIONS), pl.LazyFrame(list(listed), schema=_DRUGS)
    )


def new_mentions(before: State | None, now: State) -> list[Row]:
    found = news.find_new_mentions(before, now)
    return held_to(TABLES["new_mentions"].contract, found).to_dicts()


def changed_names(before: State | None, now: State) -> list[Row]:
    found = news.find_changed_names(before, now)
    return held_to(TABLES["changed_names"].contract, found).to_dicts()


def summary(before: State | None, now: State, most: int = news.MOST) -> news.News:
    return news.summarize(
        news.find_new_mentions(before, now),
        news.find_changed_names(before, now),
        rules_changed=False,
        most=most,
    )


ONE = [mention("aspirin", "1")]


def test_without_a_state_before_nothing_is_new() -> None:
    assert new_mentions(None, state(ONE)) == []
    assert changed_names(None, state(ONE)) == []
    assert summary(None, state(ONE)).is_empty


def test_the_same_state_has_nothing_new() -> None:
    assert summary(state(ONE), state(ONE)).is_empty


def test_mention_that_only_the_new_state_has_was_added() -> None:
    [found] = new_mentions(state(ONE), state([*ONE, mention("aspirin", "2")]))
    assert (found["publication_id"], found["change"]) == ("2", "added")
    assert not found["first_in_journal"], "the journal mentioned the drug before"
    assert not found["drug_added"]


def test_mention_that_only_the_old_state_has_is_gone() -> None:
    [found] = new_mentions(state([*ONE, mention("aspirin", "2")]), state(ONE))
    assert (found["publication_id"], found["change"]) == ("2", "gone")
    assert found["title"] == "On aspirin", "as it was"


def test_mentions_of_a_drug_that_left_the_list_are_not_gone_but_no_longer_searched() -> None:
    before = state([*ONE, mention("ethanol", "2")])
    [found] = new_mentions(before, state(ONE))
    assert (found["drug_id"], found["change"]) == ("ethanol", "no_longer_searched")
    told = summary(before, state(ONE))
    assert (told.gone, told.no_longer_searched) == (0, 1)
    assert told.drugs_dropped == (1, ("ETHANOL",))


@pytest.mark.parametrize(
    ("change", "changed"),
    [
        ({"title": "On aspirin, corrected"}, ["title"]),
        ({"date": dt.date(2020, 5, 2)}, ["date"]),
        ({"date": None, "date_precision": None}, ["date"]),
        ({"date_precision": "month"}, ["date"]),
        ({"journal": "JAMA", "journal_id": "jama"}, ["journal"]),
        ({"journal": None, "journal_id": None}, ["journal"]),
        ({"journal": "JAMA", "journal_id": "jama", "title": "x"}, ["journal", "title"]),
    ],
)
def test_mention_of_another_journal_date_or_title_changed(change: Row, changed: list[str]) -> None:
    [found] = new_mentions(state(ONE), state([mention("aspirin", "1", **change)]))
    assert (found["change"], found["changed"]) == ("changed", changed)
    was = [found[f"{c}_before"] for c in ("title", "journal", "date", "date_precision")]
    assert was == ["On aspirin", "Lancet", DAY, "day"]
    assert not found["first_in_journal"], "it is no new mention"


@pytest.mark.parametrize(
    "change",
    [{"journal": "The Lancet"}, {"journal_id": "0140-6736"}, {"drug": "Aspirin"}],
    ids=["spelling", "identity", "name of the drug"],
)
def test_another_spelling_or_identity_is_no_news(change: Row) -> None:
    assert new_mentions(state(ONE), state([mention("aspirin", "1", **change)])) == []


def test_first_mention_of_a_drug_in_a_journal_is_the_earliest_of_those_added() -> None:
    added = [
        mention("aspirin", "2", "JAMA", date=None, date_precision=None),
        mention("aspirin", "3", "JAMA"),
        mention("aspirin", "4", "JAMA", date=dt.date(2019, 1, 1), date_precision="year"),
        mention("aspirin", "5", None),
    ]
    now = state([*ONE, *added])
    found = new_mentions(state(ONE), now)
    assert [row["publication_id"] for row in found if row["first_in_journal"]] == ["4"]
    told = summary(state(ONE), now)
    assert (told.added, told.first_in_journal) == (4, 1)
    [first] = told.firsts
    assert (first.drug, first.journal, first.date) == ("ASPIRIN", "JAMA", dt.date(2019, 1, 1))


def test_journal_whose_identity_became_known_has_no_first_mention() -> None:
    """The mention that was there says that the journal mentioned the drug."""
    known = mention("aspirin", "1", journal_id="0140-6736")
    more = mention("aspirin", "2", journal_id="0140-6736")
    found = new_mentions(state(ONE), state([known, more]))
    assert [(row["publication_id"], row["first_in_journal"]) for row in found] == [("2", False)]


def test_drugs_and_names_that_came_and_went() -> None:
    before = state(ONE, drug("aspirin", "ASA"), drug("ethanol", "alcohol"))
    now = state(ONE, drug("aspirin", "acetylsalicylic acid"), drug("codeine", "methylmorphine"))
    assert [tuple(row.values()) for row in changed_names(before, now)] == [
        ("aspirin", "ASA", "dropped", False, "ASPIRIN"),
        ("aspirin", "acetylsalicylic acid", "added", False, "ASPIRIN"),
        ("codeine", "CODEINE", "added", True, "CODEINE"),
        ("codeine", "methylmorphine", "added", True, "CODEINE"),
        ("ethanol", "ETHANOL", "dropped", True, "ETHANOL"),
        ("ethanol", "alcohol", "dropped", True, "ETHANOL"),
    ]
    told = summary(before, now)
    assert told.drugs_added == (1, ("CODEINE",))
    assert told.drugs_dropped == (1, ("ETHANOL",))
    assert told.names_added == (1, ("acetylsalicylic acid (ASPIRIN)",))
    assert told.names_dropped == (1, ("ASA (ASPIRIN)",))


@pytest.mark.parametrize("named", ["aspirin", "ASPIRIN"])
def test_drug_that_got_another_id_is_the_same_drug(named: str) -> None:
    """A vocabulary that lands gives drugs identifiers, which their own list does not have."""
    known = {"drug_id": "D001241", "drug": "Acetylsalicylic acid", "names": [named]}
    mentions = [mention("D001241", "1", title="On aspirin"), mention("D001241", "2")]
    [found] = new_mentions(state(ONE), state(mentions, known))
    assert (found["publication_id"], found["change"]) == ("2", "added")
    assert not found["first_in_journal"]
    assert not found["drug_added"]
    told = summary(state(ONE), state(mentions, known))
    assert (told.drugs_added.total, told.drugs_dropped.total) == (0, 0)


def test_drug_that_went_into_another_one_is_searched_for_as_before() -> None:
    """Its mentions are those of the other drug now, and one publication mentions that once."""
    chloroquine = [mention("chloroquine", "1"), mention("chloroquine", "2")]
    before = state([*chloroquine, mention("chloroquine phosphate", "2", title="x")])
    now = state(chloroquine, drug("chloroquine", "Chloroquine Phosphate"))
    assert new_mentions(before, now) == []
    assert changed_names(before, now) == []


def test_drug_whose_name_several_have_now_left_the_list() -> None:
    now = state([], drug("a", "ASPIRIN"), drug("b", "ASPIRIN"))
    [found] = new_mentions(state(ONE), now)
    assert found["change"] == "no_longer_searched"


def test_mentions_of_drugs_that_came_on_the_list_are_told_apart() -> None:
    now = state([*ONE, mention("aspirin", "2"), mention("ethanol", "2")])
    told = summary(state(ONE), now)
    assert (told.added, told.added_of_new_drugs) == (2, 1)


def test_name_in_another_case_is_the_same_name() -> None:
    before = state(ONE, {"drug_id": "aspirin", "drug": "ASPIRIN", "names": ["ASPIRIN", "Asa"]})
    now = state(ONE, {"drug_id": "aspirin", "drug": "Aspirin", "names": ["aspirin", "ASA"]})
    assert changed_names(before, now) == []


def test_drug_without_a_name_to_search_for_is_on_the_list() -> None:
    nameless = {"drug_id": "x", "drug": "X", "names": []}
    told = summary(state(ONE), state(ONE, drug("aspirin"), nameless))
    assert told.drugs_added == (1, ("X",))


def test_only_so_many_names_and_firsts_are_told_the_newest_first() -> None:
    days = [dt.date(2020, 1, day) for day in (1, 3, 2)]
    added = [mention("aspirin", f"2{d.day}", f"J{d.day}", date=d) for d in days]
    drugs = [drug(name) for name in ("aspirin", "c", "b", "d")]
    told = summary(state(ONE), state([*ONE, *added], *drugs), most=2)
    assert (told.first_in_journal, [first.journal for first in told.firsts]) == (3, ["J3", "J2"])
    assert told.drugs_added == (3, ("B", "C"))


def test_tables_of_earlier_versions_are_compared_as_far_as_they_go() -> None:
    """A mention without a journal and a date, and drugs without names."""
    mentions = pl.LazyFrame([mention("aspirin", "1")], schema=_MENTIONS)
    before = State.of(
        mentions.drop("journal", "journal_id", "date", "date_precision"),
        pl.LazyFrame([drug("aspirin")], schema=_DRUGS).drop("names"),
    )
    [found] = new_mentions(before, state(ONE))
    assert found["changed"] == ["journal", "date"]
    with pytest.raises(pl.exceptions.ColumnNotFoundError):
        State.of(mentions.drop("drug_id"), pl.LazyFrame(schema=_DRUGS))


def _listed(drug_id: str) -> st.SearchStrategy[Row]:
    names = st.lists(st.sampled_from("xyzA"), unique=True)
    return names.map(lambda names: drug(drug_id, *names))


_IDS = st.sampled_from(["a", "b", "c"])
_LISTED = st.lists(_IDS, unique=True).flatmap(lambda ids: st.tuples(*map(_listed, ids)))
_FOUND = st.builds(
    mention,
    _IDS,
    st.sampled_from(["1", "2", "10"]),
    st.sampled_from([None, "J", "K"]),
    source=st.sampled_from(["pubmed", "clinical_trials"]),
    title=st.sampled_from(["t", "u"]),
    date=st.sampled_from([None, DAY, dt.date(1950, 1, 1)]),
)


@st.composite
def _states(draw: st.DrawFn) -> tuple[list[Row], list[Row]]:
    """The mentions and drugs of a state: mentions are of drugs on the list, each key is there once.

    Journals have several spellings and identities.
    """
    drugs = list(draw(_LISTED))
    listed = {row["drug_id"] for row in drugs}
    found = draw(st.lists(_FOUND, max_size=12))
    for row in found:
        if row["journal_id"] is not None:
            row["journal_id"] = draw(st.sampled_from([row["journal_id"], "1234-5678"]))
        row["date_precision"] = row["date"] and draw(st.sampled_from(["day", "year"]))
    by_key = {tuple(row[k] for k in reference.KEY): row for row in found}
    return [row for row in by_key.values() if row["drug_id"] in listed], drugs


@pytest.mark.slow
@given(before=_states(), now=_states())
@settings(max_examples=100)
def test_what_is_new_is_what_sets_of_python_say(
    before: tuple[list[Row], list[Row]], now: tuple[list[Row], list[Row]]
) -> None:
    old, new = (State.of(*_frames(*each)) for each in (before, now))
    assert new_mentions(old, new) == reference.find_new_mentions(*before, *now)
    assert changed_names(old, new) == reference.find_changed_names(before[1], now[1])


def _frames(mentions: list[Row], drugs: list[Row]) -> tuple[pl.LazyFrame, pl.LazyFrame]:
    return pl.LazyFrame(mentions, schema=_MENTIONS), pl.LazyFrame(drugs, schema=_DRUGS)
