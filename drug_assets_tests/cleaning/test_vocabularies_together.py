"""All vocabularies of one substance in one landing zone: one drug, every row accounted for."""

from __future__ import annotations

import json
from itertools import permutations

import polars as pl
import pytest

from drug_assets.cleaning.drugs import clean_drugs
from drug_assets.cleaning.rejected import collect_rejected
from drug_assets_tests.support.frames import raw_rows
from drug_assets_tests.support.registry import DRUGS

_UNII_HEADER = "UNII\tDisplay Name\tRN\tRXCUI\tNCBI\tINCHIKEY\tINGREDIENT_TYPE\n"


def _conso(rxcui: str, sab: str, tty: str, text: str) -> str:
    return "|".join([rxcui, "ENG", *[""] * 9, sab, tty, "", text, "", "N", "", "\n"])


def _relation(first: str, second: str, rela: str) -> str:
    return "|".join([first, "", "", "", second, "", "", rela, "", "", "RXNORM", *[""] * 5, "\n"])


_MEDICINE = {
    "category": "Human",
    "name_of_medicine": "Zorbeuro",
    "international_non_proprietary_name_common_name": "Zorbane",
    "active_substance": "zorbane",
    "atc_code_human": "A01AA01",
}
FILES = {
    "UNII_Records_1Oct2026.txt": _UNII_HEADER
    + "AB12345678\tZORBANE\t50-78-2\t7\t\t\tINGREDIENT SUBSTANCE\n"
    + "AB12345679\tZORBA ZORBENSIS\t\t\t4242\t\tINGREDIENT SUBSTANCE\n",
    "UNII_Names_1Oct2026.txt": "Name\tTYPE\tUNII\tDisplay Name\n"
    "ZB-1234\tcd\tAB12345678\tZORBANE\n"
    "ZORBANUM [HPUS]\tcn\tAB12345678\tZORBANE\n"
    "ZORBWEED\tcn\tAB12345679\tZORBA ZORBENSIS\n",
    "RXNCONSO.RRF": _conso("7", "RXNORM", "IN", "zorbane")
    + _conso("8", "RXNORM", "PIN", "zorbane sodium")
    + _conso("10", "RXNORM", "BN", "Zorbex")
    + _conso("11", "RXNORM", "BN", "Zorbduo")
    + _conso("12", "RXNORM", "IN", "quaxin")
    + _conso("7", "VANDF", "IN", "ZORBANE HCL")
    + _conso("7", "MMX", "IN", "of a licensed source"),
    "RXNREL.RRF": _relation("7", "10", "tradename_of")
    + _relation("7", "8", "form_of")
    + _relation("7", "11", "tradename_of")
    + _relation("12", "11", "tradename_of")
    + _relation("1", "2", "isa"),
    "drugs/chembl.json": json.dumps(
        {
            "molecules": [
                {
                    "molecule_chembl_id": "CHEMBL9",
                    "pref_name": "ZORBANE",
                    "molecule_synonyms": [],
                    "molecule_hierarchy": {"parent_chembl_id": "CHEMBL9"},
                }
            ]
        }
    ),
    "medicines-output-medicines_json-report_en.json": json.dumps({"data": [_MEDICINE]}),
    "CIS_bdpm.txt": "1\tZORBAFRANCE 5 mg, comprimé" + "\t" * 10 + "\n",
    "CIS_COMPO_bdpm.txt": "1\tcomprimé\t00009\tZORBANE SODIQUE\t6 mg\tun\tSA\t1\n"
    "1\tcomprimé\t00008\tZORBANE\t5 mg\tun\tFT\t1\n",
}


def _raw(names: tuple[str, ...]) -> pl.LazyFrame:
    return pl.concat(raw_rows(name, FILES[name].encode(), DRUGS) for name in names).lazy()


@pytest.mark.slow
def test_all_vocabularies_of_a_substance_are_one_drug() -> None:
    raw = _raw(tuple(FILES))
    records = DRUGS.clean_records(raw)
    kept, merged, names = (frame.collect() for frame in clean_drugs(records))
    rejected = collect_rejected({"drugs": raw}, {"drugs": records}).collect()
    assert sorted(kept["drug"]) == ["Zorbane", "quaxin"]
    drug = kept.filter(pl.col("drug") == "Zorbane").row(0, named=True)
    assert drug["xrefs"] == [
        *("bdpm:00008", "bdpm:00009", "cas:50-78-2", "chembl:CHEMBL9", "rxcui:7", "rxcui:8"),
        "unii:AB12345678",
    ]
    assert drug["forms"] == ["ZORBANE SODIQUE", "zorbane sodium"]
    assert drug["drug_id"] == "AB12345678"
    assert {"ZORBANUM", "ZORBANE HCL"} <= set(drug["names"])
    assert not {"ZORBWEED", "of a licensed source"} & set(drug["names"])
    told = names.filter(pl.col("drug_id") == "AB12345678", pl.col("kind") != "variant")
    assert set(told.select("name", "source_file", "kind").rows()) == {
        ("ZB-1234", "UNII_Names_1Oct2026.txt", "code"),
        ("ZORBAFRANCE", "CIS_bdpm.txt", "brand"),
        ("ZORBANE", "CIS_COMPO_bdpm.txt", "preferred"),
        ("ZORBANE", "UNII_Records_1Oct2026.txt", "preferred"),
        ("ZORBANE", "drugs/chembl.json", "preferred"),
        ("ZORBANE HCL", "RXNCONSO.RRF", "synonym"),
        ("ZORBANE SODIQUE", "CIS_COMPO_bdpm.txt", "form"),
        ("ZORBANUM", "UNII_Names_1Oct2026.txt", "synonym"),
        ("Zorbane", "medicines-output-medicines_json-report_en.json", "preferred"),
        ("Zorbeuro", "medicines-output-medicines_json-report_en.json", "brand"),
        ("Zorbex", "RXNCONSO.RRF", "brand"),
        ("zorbane", "RXNCONSO.RRF", "preferred"),
        ("zorbane sodium", "RXNCONSO.RRF", "form"),
    }
    assert kept.height + merged.height + rejected.height == raw.collect().height
    by_reason = rejected.explode("reasons").group_by("reasons").len().sort("reasons").rows()
    assert by_reason == [
        ("names_no_drug", 2),
        ("not_a_drug", 1),
        ("not_for_use", 1),
        ("passed_over", 1),
    ]


@pytest.mark.slow
def test_the_order_of_vocabularies_changes_nothing() -> None:
    def told(names: tuple[str, ...]) -> pl.DataFrame:
        kept, _, _ = clean_drugs(DRUGS.clean_records(_raw(names)))
        return kept.collect()

    few = ("UNII_Names_1Oct2026.txt", "RXNCONSO.RRF", "RXNREL.RRF", "CIS_COMPO_bdpm.txt")
    expected = told(few)
    assert not expected.is_empty()
    for order in list(permutations(few))[7::7]:
        assert told(order).equals(expected), order
