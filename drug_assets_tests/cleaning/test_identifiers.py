"""Identifiers of substances: one form for each scheme, and nothing that only looks like one."""

from __future__ import annotations

import pytest

from drug_assets.contracts import RawDrugs
from drug_assets.terms import IdentifierScheme
from drug_assets_tests.support.raw import drug_rows
from drug_assets_tests.support.registry import DRUGS


def xrefs(**fields: str) -> list[str]:
    """The references of one row of a drug list."""
    return record(**fields)["xrefs"]


def record(**fields: str) -> dict[str, list[str]]:
    raw = drug_rows({"drug": "Alpha", **fields})
    (found,) = DRUGS.clean_records(raw).collect().to_dicts()
    return found


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"unii": "r16co5y76e"}, ["unii:R16CO5Y76E"]),
        ({"unii": "UNII: R16CO5Y76E"}, ["unii:R16CO5Y76E"]),
        ({"cas": "50-78-2"}, ["cas:50-78-2"]),
        ({"cas": "CAS:50-78-2|7732-18-5"}, ["cas:50-78-2", "cas:7732-18-5"]),
        ({"rxcui": "1191.0, 1192"}, ["rxcui:1191", "rxcui:1192"]),
        ({"mesh": "MESH:D001241"}, ["mesh:D001241"]),
        ({"mesh": "C000012345"}, ["mesh:C000012345"]),
        (
            {"inchikey": "InChIKey=BSYNRYMUTXBXSQ-UHFFFAOYSA-N"},
            ["inchikey:BSYNRYMUTXBXSQ-UHFFFAOYSA-N"],
        ),
        ({"drugbank": "db00945 DB00946"}, ["drugbank:DB00945", "drugbank:DB00946"]),
        ({"id": "DB00945"}, ["drugbank:DB00945"]),
        ({"id": "CHEMBL25", "chembl": "CHEMBL25"}, ["chembl:CHEMBL25"]),
        # What does not have the form of its scheme identifies nothing.
        ({"cas": "50-78-3"}, []),
        ({"cas": "0", "unii": "none", "rxcui": "1E+07", "mesh": "X1"}, []),
        ({"id": "D001241"}, []),
    ],
)
def test_an_identifier_has_one_form(fields: dict[str, str], expected: list[str]) -> None:
    assert xrefs(**fields) == expected


def test_every_scheme_is_read_from_a_field_of_its_own() -> None:
    assert set(IdentifierScheme) <= set(RawDrugs.column_names())


@pytest.mark.parametrize("digit", range(10))
def test_one_check_digit_in_ten_makes_a_cas_number(digit: int) -> None:
    assert xrefs(cas=f"7732-18-{digit}") == (["cas:7732-18-5"] if digit == 5 else [])


def test_references_to_other_substances_name_their_scheme() -> None:
    found = record(form_of="mesh:d001241|UNII:R16CO5Y76E|D001242|cas:50-78-3")
    assert found["form_of"] == ["mesh:D001241", "unii:R16CO5Y76E"]
