from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import pytest

from drug_assets import contracts
from drug_assets.cleaning.drug_names import EVERYDAY_WORD, SHORT_CODE
from drug_assets.cleaning.drugs import clean_drugs
from drug_assets.cleaning.stop_list import StopList
from drug_assets_tests.support.raw import Row, drug_rows, held_to, make_records
from drug_assets_tests.support.registry import DRUGS

if TYPE_CHECKING:
    from collections.abc import Mapping

    import polars as pl

STOP_LIST = StopList.of(b"name,reason\n??,two letters\ngold,the standard\n", "stops.csv")


def tables(*rows: Row) -> Mapping[str, pl.DataFrame]:
    """The drugs and their names."""
    cleaned = clean_drugs(make_records(DRUGS, drug_rows(*rows)), STOP_LIST)
    return {
        "drugs": held_to(contracts.Drugs, cleaned.kept),
        "names": held_to(contracts.DrugNames, cleaned.names),
    }


def names(*rows: Row) -> list[tuple[str, str]]:
    """The names and their kinds."""
    return tables(*rows)["names"].select("name", "kind").rows()


def test_every_name_has_its_kind() -> None:
    row = {
        "drug": "Alpha®",
        "synonyms": "Uno | Alpha hydrochloride",
        "brands": "Alfabrand",
        "research_codes": "AB-123",
        "forms": "Alphafon",
    }
    assert [(name, kind) for name, kind in names(row) if kind != "variant"] == [
        ("AB-123", "code"),
        ("Alfabrand", "brand"),
        ("Alpha", "preferred"),
        ("Alpha hydrochloride", "form"),
        ("Alphafon", "form"),
        ("Uno", "synonym"),
    ]
    variants = [(name, kind) for name, kind in names(row) if kind == "variant"]
    assert variants == [("ab 123", "variant"), ("ab123", "variant")]


@pytest.mark.parametrize("field", ["synonyms", "brands", "research_codes", "forms"])
def test_names_of_every_kind_are_searched_for(field: str) -> None:
    (drug,) = tables({"drug": "Alpha", field: "Primo|Gold|AB|12"})["drugs"].to_dicts()
    assert drug["names"] == ["Alpha", "Primo"]
    assert drug["issues"] == ["missing_code", "stopped_name", "unsearchable_name"]


def test_what_is_not_searched_for_has_its_reason() -> None:
    rows = tables({"drug": "Alpha", "brands": "Gold|AB|12"})["names"]
    assert rows.select("name", "searched", "reason").rows() == [
        ("12", False, "no letter"),
        ("AB", False, "two letters"),
        ("Alpha", True, None),
        ("Gold", False, "the standard"),
    ]


def test_so_has_a_variant() -> None:
    rows = tables({"drug": "Gold cation"})
    assert rows["names"].select("name", "kind", "reason").rows() == [
        ("Gold cation", "preferred", None),
        ("gold", "variant", "the standard"),
    ]
    # The list does not give it.
    assert rows["drugs"]["issues"].to_list() == [["missing_code"]]


def test_of_several_kinds_the_first_counts() -> None:
    row = {"drug": "Alpha", "synonyms": "Alpha|Uno", "brands": "Uno", "forms": "Uno|Alpha"}
    assert names(row) == [("Alpha", "preferred"), ("Uno", "synonym")]


def test_each_list_that_gives_a_name_has_a_row() -> None:
    rows = tables(
        {"source_file": "a.csv", "drug": "Alpha", "synonyms": "Uno"},
        {"source_file": "b.csv", "drug": "Alpha"},
        {"source_file": "b.csv", "drug": "alpha", "brands": "Uno"},
    )["names"]
    assert rows.select("name", "source_file", "kind").rows() == [
        ("Alpha", "a.csv", "preferred"),
        ("Alpha", "b.csv", "preferred"),
        ("Uno", "a.csv", "synonym"),
        ("Uno", "b.csv", "brand"),
        ("alpha", "b.csv", "preferred"),
    ]


def test_a_name_of_the_drug_itself_in_one_list_is_no_form_of_it() -> None:
    rows = (
        {"source_file": "a.csv", "drug": "Alpha", "forms": "Uno|Duo"},
        {"source_file": "b.csv", "drug": "Alpha", "synonyms": "UNO"},
    )
    (drug,) = tables(*rows)["drugs"].to_dicts()
    assert drug["forms"] == ["Duo"]


def test_a_variant_of_the_name_of_a_form_is_one_of_a_form() -> None:
    (drug,) = tables({"drug": "Alpha", "forms": "Alpha-12|Alpha sulfate"})["drugs"].to_dicts()
    assert drug["forms"] == ["Alpha sulfate", "Alpha-12", "alpha 12", "alpha sulphate", "alpha12"]
    assert drug["names"] == ["Alpha", *drug["forms"]]


def test_forms_that_are_not_searched_for_are_not_among_them() -> None:
    (drug,) = tables({"drug": "Alpha", "forms": "Gold|Uno"})["drugs"].to_dicts()
    assert (drug["names"], drug["forms"]) == (["Alpha", "Uno"], ["Uno"])


class TestVariantsOfSeveralLists:
    """A further list takes no name away, and gives none to another drug alone."""

    def of(self, *rows: Row) -> dict[str, list[str]]:
        drugs = tables(*rows)["drugs"]
        return dict(drugs.select("drug", "names").rows())

    CATION: ClassVar[Row] = {"source_file": "a.csv", "id": "1", "drug": "Lithium cation"}

    def test_a_variant_that_another_list_has_as_another_drug_stays(self) -> None:
        other = {"id": "2", "drug": "Lithium"}
        found = self.of(self.CATION, {**other, "source_file": "b.csv"})
        assert found == {"Lithium cation": ["Lithium cation", "lithium"], "Lithium": ["Lithium"]}
        # In one list it is the other drug.
        found = self.of(self.CATION, {**other, "source_file": "a.csv"})
        assert found == {"Lithium cation": ["Lithium cation"], "Lithium": ["Lithium"]}

    def test_so_does_one_that_another_list_makes_of_another_drug(self) -> None:
        other = {"id": "2", "drug": "Lithium ion"}
        found = self.of(self.CATION, {**other, "source_file": "b.csv"})
        assert found == {
            "Lithium cation": ["Lithium cation", "lithium"],
            "Lithium ion": ["Lithium ion", "lithium"],
        }
        found = self.of(self.CATION, {**other, "source_file": "a.csv"})
        assert found == {"Lithium cation": ["Lithium cation"], "Lithium ion": ["Lithium ion"]}


def reasons(stop_list: bytes, row: Row) -> dict[str, str | None]:
    """By name, why titles are not searched for it."""
    stops = StopList.of(b"name,reason\n" + stop_list, "stops.csv")
    cleaned = clean_drugs(make_records(DRUGS, drug_rows(row)), stops)
    return dict(held_to(contracts.DrugNames, cleaned.names).select("name", "reason").rows())


def test_short_codes_are_not_searched_for() -> None:
    found = reasons(b"", {"drug": "Alpha", "research_codes": "AB-1|ABCD|AB-12|ABCDE"})
    assert {name for name, why in found.items() if why == SHORT_CODE} == {"AB-1", "ABCD", "ab12"}
    # As a synonym, each is searched for.
    found = reasons(b"", {"drug": "Alpha", "synonyms": "ABCD", "research_codes": "ABCD"})
    assert found == {"Alpha": None, "ABCD": None}


@pytest.mark.parametrize("field", ["brands", "research_codes"])
def test_everyday_words_are_not_searched_for_as_brands_or_codes(field: str) -> None:
    row = {"drug": "Alpha", field: "Vanish|ADVANCE|Advance Forte|Zetabrand"}
    found = reasons(b"", row)
    assert {name for name, why in found.items() if why == EVERYDAY_WORD} == {"Vanish", "ADVANCE"}
    assert reasons(b"", {"drug": "Vanish", "synonyms": "Advance"}).keys() == {"Vanish", "Advance"}
    assert not any(reasons(b"", {"drug": "Vanish", "synonyms": "Advance"}).values())


def test_a_stop_list_can_allow_what_a_rule_stops() -> None:
    row = {"drug": "Alpha", "brands": "Vanish|Gold", "research_codes": "ABCD"}
    found = reasons(b"vanish,allowed\n????,allowed\n", row)
    assert found == {"Alpha": None, "Vanish": None, "Gold": None, "ABCD": None}


def test_a_variant_of_unsafe_names_alone_is_not_searched_for() -> None:
    row = {"drug": "Alpha", "synonyms": "IKN-12"}
    unsafe = reasons(b"ikn-12,made by the body\n", row)
    assert unsafe["ikn12"] == "made by the body"
    assert reasons(b"ikn-12,a test\nikn12,allowed\n", row)["ikn12"] is None
    # Without the stop list, the name and its variants are searched for.
    assert set(reasons(b"", row).values()) == {None}
