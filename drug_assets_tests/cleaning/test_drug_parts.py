"""Rows of drug lists that add to a substance, or to the substance of a product."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from drug_assets.cleaning.drug_parts import place_parts
from drug_assets.cleaning.drugs import clean_drugs
from drug_assets.cleaning.rejected import collect_rejected
from drug_assets_tests.support.raw import drug_rows, pubmed_rows, records_of
from drug_assets_tests.support.registry import DRUGS, PUBMED

if TYPE_CHECKING:
    from collections.abc import Mapping

    import polars as pl

_PART = ["part_of_record"]


def _part(**fields: Any) -> dict[str, Any]:
    return {"read_issues": _PART, **fields}


def _place(*rows: Mapping[str, Any]) -> pl.DataFrame:
    return place_parts(DRUGS.clean_records(drug_rows(*rows))).collect()


def _told(rows: pl.DataFrame) -> list[tuple[str | None, str | None]]:
    return rows.select("folded_name", "reason").rows()


def test_a_part_adds_to_the_substance_of_its_identifier() -> None:
    rows = _place(
        _part(rxcui="7", synonyms="Zorbanum"),
        {"drug": "zorbane", "rxcui": "7"},
        _part(rxcui="8", synonyms="no one"),
        _part(synonyms="of nothing"),
    )
    assert _told(rows) == [
        ("zorbane", None),
        ("zorbane", None),
        (None, "names_no_drug"),
        (None, "names_no_drug"),
    ]
    assert rows["drug"].to_list() == [None, "zorbane", None, None]
    assert "is_part" not in rows.columns


def test_a_brand_is_that_of_the_one_substance_of_its_product() -> None:
    rows = _place(
        {"drug": "zorbane", "rxcui": "7"},
        {"drug": "quaxin", "rxcui": "8"},
        _part(brands="Zorbex", products="rxcui:10"),
        _part(brands="Zorbduo", products="rxcui:11"),
        _part(brands="Zorbnone", products="rxcui:12"),
        # Relations: which substances are in which products.
        _part(rxcui="7", products="rxcui:10"),
        _part(rxcui="7", products="rxcui:11"),
        _part(rxcui="8", products="rxcui:11"),
        _part(rxcui="99", products="rxcui:12"),
        # Nor is it that of the one of several that a list names.
        _part(brands="Zorbmore", products="rxcui:13"),
        _part(rxcui="7|99", products="rxcui:13"),
    )
    assert _told(rows)[2:-2] == [
        ("zorbane", None),
        (None, "names_no_drug"),
        (None, "names_no_drug"),
        ("zorbane", None),
        ("zorbane", None),
        ("quaxin", None),
        (None, "names_no_drug"),
    ]
    assert _told(rows)[-2] == (None, "names_no_drug")


def test_a_substance_at_the_place_of_what_acts_is_a_form_of_it() -> None:
    rows = _place(
        {"drug": "zorbane sodium", "bdpm": "00001", "products": "bdpm:1/1"},
        {"drug": "zorbane", "bdpm": "00002", "moiety_in": "bdpm:1/1"},
        _part(brands="Zorbex", products="bdpm:1"),
        # Two act at one place: neither is what the other is a form of.
        {"drug": "zorb extract", "bdpm": "00003", "products": "bdpm:2/1"},
        {"drug": "zorbin", "bdpm": "00004", "moiety_in": "bdpm:2/1"},
        {"drug": "zorbol", "bdpm": "00005", "moiety_in": "bdpm:2/1"},
        _part(brands="Zorbplant", products="bdpm:2"),
        # Two places, one substance.
        {"drug": "quaxin", "bdpm": "00006", "products": "bdpm:3/1|bdpm:3/2"},
        _part(atccode="A01AA01", products="bdpm:3"),
    )
    assert rows["form_of"].to_list() == [["bdpm:00002"], *[[]] * 8]
    assert _told(rows)[2] == ("zorbane", None)
    assert _told(rows)[6] == (None, "names_no_drug")
    assert _told(rows)[8] == ("quaxin", None)


def test_a_part_adds_nothing_to_what_is_no_drug() -> None:
    rows = _place(
        {"drug": "Zorba zorbensis", "unii": "AB12345678", "read_issues": ["not_a_drug"]},
        _part(unii="AB12345678", synonyms="zorbweed"),
    )
    assert _told(rows) == [("zorba zorbensis", "not_a_drug"), (None, "names_no_drug")]


def test_rows_of_other_sources_stay_as_they_are() -> None:
    records = PUBMED.clean_records(pubmed_rows({"id": "1", "title": "On zorbane"}))
    assert place_parts(records) is records


def test_names_of_parts_reach_their_drug_and_every_row_is_accounted_for() -> None:
    raw = drug_rows(
        {"drug": "zorbane", "rxcui": "7", "id": "7"},
        _part(rxcui="7", synonyms="Zorbanum"),
        _part(rxcui="9", synonyms="Quaxanum"),
        {"read_issues": ["not_for_use"]},
    )
    records = records_of({"drugs": raw})
    kept, merged, _ = (frame.collect() for frame in clean_drugs(records["drugs"]))
    rejected = collect_rejected({"drugs": raw}, records).collect()
    assert kept["drug"].to_list() == ["zorbane"]
    assert {"zorbane", "Zorbanum"} <= set(kept["names"][0])
    assert merged["source_row"].to_list() == [2]
    assert rejected.select("source_row", "reasons").rows() == [
        (3, ["names_no_drug"]),
        (4, ["not_for_use"]),
    ]


@pytest.mark.slow
@settings(max_examples=60, deadline=None)
@given(st.data())
def test_the_order_of_rows_changes_nothing(data: st.DataObject) -> None:
    key = st.sampled_from(["1", "2", "3"])
    row = st.one_of(
        st.builds(lambda n, x, p: {"drug": n, "rxcui": x, "products": f"p:{p}/1"}, key, key, key),
        st.builds(
            lambda n, p: {"drug": f"m{n}", "bdpm": "00001", "moiety_in": f"p:{p}/1"}, key, key
        ),
        st.builds(lambda x: _part(rxcui=x), key),
        st.builds(lambda p: _part(products=f"p:{p}"), key),
        st.builds(lambda x, p: _part(rxcui=x, products=f"p:{p}"), key, key),
    )
    rows = data.draw(st.lists(row, max_size=8))
    numbered = [{**each, "source_row": n} for n, each in enumerate(rows, start=1)]
    shuffled = data.draw(st.permutations(numbered))
    first, second = (_place(*listed).sort("source_row") for listed in (numbered, shuffled))
    assert first.select("drug", "reason", "form_of").equals(
        second.select("drug", "reason", "form_of")
    )
