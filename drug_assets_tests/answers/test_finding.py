"""Which drugs and journals a person means."""

from __future__ import annotations

import polars as pl
import pytest

from drug_assets.answers.finding import UnknownNameError, find_drugs, find_journals
from drug_assets_tests.support.tables import TablesInMemory, rows_of


def tables() -> TablesInMemory:
    drugs = [
        ("DB1", "ASPIRIN", ["N02BA01", "B01AC06"], ["cas:50-78-2"], ["acetylsalicylic acid"]),
        ("2", "Bethanide", ["N02BB99"], [], ["Shared", "Zetamol"]),
        ("3", "Zetamol", ["N02BA99"], [], ["shared"]),
        ("4", "Gold\u00ae", [], [], ["N02BA"]),
    ]
    return TablesInMemory(
        drugs=rows_of(
            "drugs",
            [
                {"drug_id": i, "drug": drug, "codes": c, "atc_codes": c, "xrefs": x}
                for i, drug, c, x, _ in drugs
            ],
        ),
        drug_names=rows_of(
            "drug_names",
            [
                {"drug_id": i, "name": name, "source_file": "drugs.csv", "searched": True}
                for i, drug, _, _, names in drugs
                for name in (drug, *names)
            ],
        ),
        journals=rows_of(
            "journals",
            [
                {
                    "journal_id": "0255562",
                    "journal": "The Lancet",
                    "folded_names": ["lancet", "the lancet"],
                    "issns": ["0140-6736"],
                },
                {"journal_id": "pain", "journal": "Pain", "folded_names": ["pain"]},
                {"journal_id": "9", "journal": "PAIN", "folded_names": ["pain"]},
            ],
        ),
    )


@pytest.mark.parametrize(
    ("asked", "drugs", "by"),
    [
        ("aspirin", ["ASPIRIN"], "name"),
        (" Acetylsalicylic  ACID ", ["ASPIRIN"], "synonym"),
        *((asked, ["ASPIRIN"], "synonym") for asked in ("db1", "50-78-2", "CAS:50-78-2")),
        # What is shown goes before the name of another drug, and the code of a class before both.
        ("zetamol", ["Zetamol"], "name"),
        ("gold", ["Gold\u00ae"], "name"),
        ("n02ba", ["ASPIRIN", "Zetamol"], "class"),
        ("B01AC06", ["ASPIRIN"], "class"),
        ("N02", ["ASPIRIN", "Bethanide", "Zetamol"], "class"),
        ("SHARED", ["Bethanide", "Zetamol"], "synonym"),
    ],
)
def test_a_drug_is_meant_by_its_name_then_by_its_class_then_by_any_other(
    asked: str, drugs: list[str], by: str
) -> None:
    found = find_drugs(asked, tables())
    assert [drug.drug for drug in found.drugs] == drugs
    assert (found.asked, found.by) == (asked, by)
    assert found.is_ambiguous == (asked == "SHARED")
    ids = pl.DataFrame({"drug_id": ["DB1", "2", "3", "4", "5"]})
    kept = ids.filter(found.has_drug(pl.col("drug_id")))["drug_id"].to_list()
    assert sorted(kept) == sorted(drug.drug_id for drug in found.drugs)


@pytest.mark.parametrize(
    ("asked", "hint"),
    [("asprin", "close spellings: ASPIRIN"), ("", "nor is any"), ("C10", "nor is any")],
)
def test_of_an_unknown_drug_close_spellings_are_told(asked: str, hint: str) -> None:
    with pytest.raises(UnknownNameError, match=hint) as caught:
        find_drugs(asked, tables())
    assert caught.value.asked == asked


@pytest.mark.parametrize(
    ("asked", "ids"),
    [
        *((asked, ["0255562"]) for asked in ("the LANCET.", "Lancet", "0140-6736", "01406736")),
        ("0255562", ["0255562"]),
        ("Pain", ["9", "pain"]),
    ],
)
def test_a_journal_is_meant_by_any_name_or_id(asked: str, ids: list[str]) -> None:
    assert [journal.journal_id for journal in find_journals(asked, tables())] == ids


def test_of_an_unknown_journal_close_spellings_are_told() -> None:
    with pytest.raises(UnknownNameError, match=r"'lanset'; close spellings: The Lancet"):
        find_journals("lanset", tables())
