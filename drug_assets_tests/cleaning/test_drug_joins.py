from __future__ import annotations

from collections import defaultdict
from random import Random
from typing import TYPE_CHECKING, Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from drug_assets import contracts
from drug_assets.cleaning.drug_joins import label_chains
from drug_assets.cleaning.drugs import clean_drugs
from drug_assets.terms import IdentifierScheme
from drug_assets_tests.support.grouping import group
from drug_assets_tests.support.raw import Row, drug_rows, held_to, make_records
from drug_assets_tests.support.registry import DRUGS

if TYPE_CHECKING:
    from collections.abc import Iterable

pytestmark = pytest.mark.slow

#: Two identifiers of every scheme.
X, Y = "R16CO5Y76E", "362O9ITL9D"
IDENTIFIERS = {
    IdentifierScheme.DRUGBANK: ("DB90001", "DB90002"),
    IdentifierScheme.UNII: (X, Y),
    IdentifierScheme.CHEMBL: ("CHEMBL1", "CHEMBL2"),
    IdentifierScheme.MESH: ("D900001", "C900002"),
    IdentifierScheme.RXCUI: ("11", "22"),
    IdentifierScheme.BDPM: ("00001", "00002"),
    IdentifierScheme.CAS: ("50-78-2", "103-90-2"),
    IdentifierScheme.INCHIKEY: ("AAAAAAAAAAAAAA-BBBBBBBBBB-N", "CCCCCCCCCCCCCC-BBBBBBBBBB-N"),
}


def drugs(*rows: Row) -> list[Row]:
    """The drugs that the rows name; each row without a file gets a file of its own."""
    files = [{"source_file": f"{n}.csv"} | row for n, row in enumerate(rows)]
    kept, _, _ = clean_drugs(make_records(DRUGS, drug_rows(*files)))
    return held_to(contracts.Drugs, kept).to_dicts()


def names(*rows: Row) -> list[list[str]]:
    """The names of each drug."""
    return [drug["names"] for drug in drugs(*rows)]


def refused(*rows: Row) -> list[str]:
    """The names of the drugs with refused joins."""
    return [drug["drug"] for drug in drugs(*rows) if "refused_join" in drug["issues"]]


@pytest.mark.parametrize("scheme", IdentifierScheme)
class TestIdentifiersOfEveryScheme:
    def test_the_same_identifier_is_one_drug(self, scheme: IdentifierScheme) -> None:
        one, _ = IDENTIFIERS[scheme]
        (drug,) = drugs({"drug": "Alpha", scheme: one}, {"drug": "Beta", scheme: one.lower()})
        assert drug["names"] == ["Alpha", "Beta"]
        assert drug["xrefs"] == [f"{scheme}:{one}"]
        assert drug["issues"] == ["missing_code"]

    def test_other_identifiers_are_other_drugs(self, scheme: IdentifierScheme) -> None:
        one, other = IDENTIFIERS[scheme]
        assert len(drugs({"drug": "Alpha", scheme: one}, {"drug": "Beta", scheme: other})) == 2

    def test_one_identifier_of_several_is_enough(self, scheme: IdentifierScheme) -> None:
        one, other = IDENTIFIERS[scheme]
        rows = {"drug": "Alpha", scheme: f"{one}|{other}"}, {"drug": "Beta", scheme: other}
        assert names(*rows) == [["Alpha", "Beta"]]

    def test_others_of_a_scheme_tell_two_drugs(self, scheme: IdentifierScheme) -> None:
        """The join is refused, and both drugs have the issue that says so."""
        one, other = IDENTIFIERS[scheme]
        by = "unii" if scheme is not IdentifierScheme.UNII else "cas"
        shared = next(pair[0] for each, pair in IDENTIFIERS.items() if each == by)
        rows = (
            {"drug": "Alpha", by: shared, scheme: one},
            {"drug": "Beta", by: shared, scheme: other},
        )
        assert len(drugs(*rows)) == 2
        assert refused(*rows) == ["Alpha", "Beta"]


class TestRefusedJoins:
    def test_two_ids_of_a_list_stay_two_drugs(self) -> None:
        own = {"source_file": "own.csv"}
        rows = (
            {**own, "id": "1", "drug": "Alpha", "unii": X},
            {**own, "id": "2", "drug": "Beta", "unii": X},
        )
        assert [drug["drug_id"] for drug in drugs(*rows)] == ["1", "2"]
        assert refused(*rows) == ["Alpha", "Beta"]

    @pytest.mark.parametrize(
        ("third", "ids"),
        [("99", ["1", "2"]), ("11", ["alpha", "2"]), ("21", ["alpha", "beta"])],
    )
    def test_nor_do_the_ids_of_another_list(self, third: str, ids: list[str]) -> None:
        rows = [
            {"source_file": f"{file}.csv", "id": number, "drug": name, "atccode": "A04AD01"}
            for file, numbers in (("own", "12"), ("third", third))
            for number, name in zip(numbers, ("Alpha", "Beta"), strict=True)
        ]
        found = {drug["drug"]: drug for drug in drugs(*rows)}
        assert [found[name]["drug_id"] for name in ("Alpha", "Beta")] == ids
        assert all("shared_id" in drug["issues"] for drug in found.values())
        # Nor does an identifier, since the ids still tell two.
        assert len(drugs(*({**row, "unii": X} for row in rows))) == 2

    def test_nor_does_a_third_list_connect_them(self) -> None:
        own = {"source_file": "own.csv"}
        rows = (
            {**own, "id": "1", "drug": "Alpha", "unii": X},
            {**own, "id": "2", "drug": "Beta", "cas": "50-78-2"},
            {"id": "z", "drug": "Gamma", "unii": X, "cas": "50-78-2"},
        )
        # The earlier scheme decides: Gamma is Alpha, so what it has of Beta means two.
        assert names(*rows) == [["Alpha", "Gamma"], ["Beta"]]
        assert refused(*rows) == ["Alpha", "Beta"]

    def test_identifiers_of_one_scheme_that_connect_two_connect_none(self) -> None:
        own = {"source_file": "own.csv"}
        rows = (
            {**own, "id": "1", "drug": "Alpha", "unii": X},
            {**own, "id": "2", "drug": "Beta", "unii": Y},
            {"drug": "Gamma", "unii": f"{X}|{Y}"},
        )
        assert names(*rows) == [["Alpha"], ["Beta"], ["Gamma"]]
        assert refused(*rows) == ["Alpha", "Beta", "Gamma"]

    def test_rows_without_ids_of_one_list_are_one_by_an_identifier(self) -> None:
        own = {"source_file": "own.csv"}
        rows = {**own, "drug": "Alpha", "unii": X}, {**own, "drug": "Beta", "unii": X}
        assert names(*rows) == [["Alpha", "Beta"]]

    def test_rows_of_one_name_are_one_whatever_their_identifiers(self) -> None:
        assert names({"drug": "Alpha", "unii": X}, {"drug": "alpha", "unii": Y}) == [
            ["Alpha", "alpha"]
        ]

    def test_a_drug_that_has_both_identifiers_makes_them_one(self) -> None:
        rows = (
            {"drug": "Alpha", "cas": "50-78-2", "unii": X},
            {"drug": "Beta", "cas": "50-78-2", "unii": Y},
            {"drug": "Gamma", "cas": "50-78-2", "unii": f"{X}|{Y}"},
        )
        assert names(*rows) == [["Alpha", "Beta", "Gamma"]]

    def test_a_synonym_does_not_join_what_identifiers_tell_apart(self) -> None:
        rows = (
            {"id": "7", "drug": "Alpha", "synonyms": "Beta", "unii": X},
            {"drug": "Beta", "unii": Y},
        )
        assert names(*rows) == [["Alpha", "Beta"], ["Beta"]]
        assert names(*rows[:1], {"drug": "Beta"}) == [["Alpha", "Beta"]]


def test_a_plural_is_the_same_drug_only_by_an_identifier() -> None:
    plural = {"drug": "Alphacillins", "cas": "50-78-2"}
    assert len(drugs(plural, {"drug": "Alphacillin"})) == 2
    assert len(drugs(plural, {"drug": "Alphacillin", "cas": "103-90-2"})) == 2
    assert len(drugs(plural, {"drug": "Alphacillin", "cas": "50-78-2"})) == 1


class TestIds:
    """Which of several ids becomes the `drug_id`."""

    def of(self, *rows: Row) -> list[str]:
        return [drug["drug_id"] for drug in drugs(*rows)]

    def test_an_id_of_no_scheme_comes_first(self) -> None:
        rows = {"id": "DB90001", "drug": "Alpha"}, {"id": "own7", "drug": "alpha"}
        assert self.of(*rows) == self.of(*rows[::-1]) == ["own7"]

    @pytest.mark.parametrize("earlier", range(len(IdentifierScheme) - 1))
    def test_of_several_schemes_the_first(self, earlier: int) -> None:
        one, other = list(IdentifierScheme)[earlier : earlier + 2]
        first, second = IDENTIFIERS[one][0], IDENTIFIERS[other][0]
        rows = (
            {"id": second, other: second, "drug": "Alpha"},
            {"id": first, one: first, "drug": "Alpha"},
        )
        assert self.of(*rows) == [first]

    def test_an_identifier_that_is_no_id_of_a_list_names_no_drug(self) -> None:
        assert self.of({"drug": "Alpha", "unii": X}) == ["alpha"]

    def test_a_name_can_be_the_id_of_another_drug(self) -> None:
        rows = (
            {"source_file": "own.csv", "id": "1", "drug": "Alpha"},
            {"source_file": "own.csv", "id": "2", "drug": "Beta"},
            {"id": "1", "drug": "Beta"},
            {"id": "alpha", "drug": "Gamma"},
        )
        assert self.of(*rows) == ["2", "alpha", "name:alpha"]

    def test_a_number_is_the_same_id_only_in_its_scheme(self) -> None:
        rows = {"id": "11", "drug": "Alpha"}, {"id": "11", "rxcui": "11", "drug": "Beta"}
        assert self.of(*rows) == ["11", "rxcui:11"]
        assert self.of(rows[1]) == ["11"]
        assert self.of(rows[1], {"id": "11", "rxcui": "11", "drug": "Gamma"}) == ["11"]


# --- properties ------------------------------------------------------------------------------


def values(rows: list[Row], drug: Iterable[int], column: str) -> set[Any]:
    """What the rows of a drug have in a column."""
    return {rows[n][column] for n in drug if rows[n][column]}


def is_several(rows: list[Row], members: Iterable[frozenset[int]]) -> bool:
    """Whether lists tell some drugs apart."""
    told: defaultdict[str, set[tuple[frozenset[int], Any]]] = defaultdict(set)
    for drug in members:
        for n in drug:
            if rows[n]["id"]:
                told[rows[n]["source_file"]].add((drug, rows[n]["id"]))
        for scheme in ("unii", "cas"):
            told[scheme] |= {(drug, value) for value in values(rows, drug, scheme)}
    return any(len(group({drug for drug, _ in each}, each)) > 1 for each in told.values())


def joined_by(
    rows: list[Row], found: set[frozenset[int]], links: list[tuple[frozenset[int], Any]]
) -> set[frozenset[int]]:
    """The drugs, joined where they share a value and no list tells them apart."""
    of_value = {value: {drug for drug, other in links if other == value} for _, value in links}
    sound = [link for link in links if not is_several(rows, of_value[link[1]])]
    joined = set(found)
    for part in group(found, sound):
        if not is_several(rows, part):
            joined = (joined - part) | {frozenset().union(*part)}
    return joined


def joined(rows: list[Row]) -> list[set[str]]:
    """The names of each drug, by the rules as SPEC states them."""
    names = [row["drug"] for row in rows]
    found = {frozenset(part) for part in group(range(len(rows)), enumerate(names))}
    links = [(drug, rows[n]["id"] or names[n]) for drug in found for n in drug]
    found = joined_by(rows, found, links)
    for scheme in ("unii", "cas"):
        links = [(drug, value) for drug in found for value in values(rows, drug, scheme)]
        found = joined_by(rows, found, links)
    return [{names[n] for n in drug} for drug in found]


def identified_rows() -> st.SearchStrategy[list[Row]]:
    """Rows of few names and identifiers in three files; no two rows of a file share an id."""
    fields = {
        "source_file": st.sampled_from(["a.csv", "b.csv", "c.csv"]),
        "drug": st.sampled_from(["alpha", "beta", "gamma", "delta", "epsilon"]),
        "id": st.sampled_from([None, None, "p", "q", "r", "s"]),
        "unii": st.sampled_from([None, None, X, Y]),
        "cas": st.sampled_from([None, "50-78-2", "103-90-2"]),
    }
    return st.lists(
        st.fixed_dictionaries(fields),
        max_size=8,
        unique_by=lambda row: (row["source_file"], row["id"]) if row["id"] else id(row),
    )


@pytest.mark.slow
@settings(max_examples=60, deadline=None)
@given(identified_rows())
def test_rows_are_joined_as_one_by_one(rows: list[Row]) -> None:
    found = [set(drug["names"]) for drug in drugs(*rows)]
    assert sorted(map(sorted, found)) == sorted(map(sorted, joined(rows)))


@pytest.mark.slow
@settings(max_examples=30, deadline=None)
@given(identified_rows(), st.randoms(use_true_random=False))
def test_the_order_of_rows_and_the_names_of_files_make_no_difference(
    rows: list[Row], random: Any
) -> None:
    renamed = dict(zip("abc", random.sample("abc", 3), strict=True))
    others = [{**row, "source_file": renamed[row["source_file"][0]]} for row in rows]
    assert drugs(*random.sample(others, len(others))) == drugs(*rows)


@pytest.mark.slow
@settings(max_examples=30, deadline=None)
@given(identified_rows())
def test_the_same_list_twice_changes_no_drug(rows: list[Row]) -> None:
    again = [{**row, "source_file": "z.csv"} for row in rows if row["source_file"] == "a.csv"]
    assert drugs(*rows, *again) == drugs(*rows)


@pytest.mark.parametrize("order", ["rising", "falling", "any"])
def test_a_long_chain_has_one_label(order: str) -> None:
    ordered = list(range(100_000))
    if order == "any":
        Random(1).shuffle(ordered)  # noqa: S311 - no secret
    elif order == "falling":
        ordered.reverse()
    chain = pl.DataFrame({"left": [n // 2 for n in ordered], "right": [-n // 2 for n in ordered]})
    assert label_chains(chain, ["left"], ["right"]).unique().to_list() == [0]
    assert label_chains(chain, ["left"], ["left"]).n_unique() == 50_000
