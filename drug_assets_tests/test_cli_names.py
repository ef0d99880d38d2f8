"""`drug-assets names`: what is searched for of a drug, and why something is not."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from drug_assets.answers.finding import UnknownNameError
from drug_assets.answers.names import NamedDrug, find_named_drugs
from drug_assets.cleaning.drugs import clean_drugs
from drug_assets.cleaning.stop_list import StopList
from drug_assets.cli.names_report import as_lines
from drug_assets_tests.support import commands, runs
from drug_assets_tests.support.raw import drug_rows, make_records
from drug_assets_tests.support.registry import DRUGS
from drug_assets_tests.support.tables import TablesInMemory

if TYPE_CHECKING:
    from pathlib import Path

    from click.testing import Result

pytestmark = pytest.mark.usefixtures("no_settings_of_the_machine")

STOP_LIST = StopList.of(b"name,reason\ngold,the standard\n", "stops.csv")
ROWS = (
    {
        "source_file": "drugs_a.csv",
        "id": "DB00007",
        "drug": "Zetamol\u00ae",
        "atccode": "N02BE99",
        "synonyms": "Zeta cation|Gold|Shared",
        "brands": "Zetabrand",
        "cas": "50-78-2",
    },
    {"source_file": "drugs_b.csv", "drug": "Zetamol", "research_codes": "ZT-1234"},
    {"source_file": "drugs_b.csv", "drug": "Bethanide", "synonyms": "shared"},
)


@pytest.fixture(scope="module")
def tables() -> TablesInMemory:
    """The tables `drugs` and `drug_names`."""
    cleaned = clean_drugs(make_records(DRUGS, drug_rows(*ROWS)), STOP_LIST)
    return TablesInMemory(drugs=cleaned.kept.collect(), drug_names=cleaned.names.collect())


def find(asked: str, tables: TablesInMemory) -> list[NamedDrug]:
    return find_named_drugs(asked, tables)


@pytest.mark.parametrize(
    "asked",
    [
        *("zetamol", "ZETAMOL\u2122", "  zetamol ", "zeta", "Z\u00e8tabrand", "zt1234"),
        *("gold", "n02be99", "db00007", "50-78-2", "CAS:50-78-2"),
    ],
)
def test_a_drug_is_found_by_any_name_code_or_id(asked: str, tables: TablesInMemory) -> None:
    assert [drug.drug for drug in find(asked, tables)] == ["Zetamol"]


def test_its_names_are_shown_by_list_and_kind(tables: TablesInMemory) -> None:
    (drug,) = find("zetamol", tables)
    assert list(as_lines(drug)) == [
        "Zetamol (DB00007, N02BE99, cas:50-78-2, drugbank:DB00007): 8 names searched for",
        "  drugs_a.csv",
        "    preferred: Zetamol",
        "    synonym: Shared (also Bethanide); Zeta cation",
        "    brand: Zetabrand",
        "    variant: zeta",
        "    not searched for: Gold (synonym), the standard",
        "  drugs_b.csv",
        "    preferred: Zetamol",
        "    code: ZT-1234",
        "    variant: zt 1234; zt1234",
    ]


def test_its_names_as_json(tables: TablesInMemory) -> None:
    (drug,) = find("zetamol", tables)
    answer = json.loads(json.dumps(drug.as_object()))
    assert answer["drug_id"] == "DB00007"
    assert answer["names"][1] == {
        "name": "Gold",
        "kind": "synonym",
        "source_file": "drugs_a.csv",
        "searched": False,
        "reason": "the standard",
        "also": [],
    }


def test_all_drugs_of_a_name_are_shown(tables: TablesInMemory) -> None:
    assert [drug.drug for drug in find("SHARED", tables)] == ["Bethanide", "Zetamol"]


@pytest.mark.parametrize(
    ("asked", "close"),
    [("bethanid", ["Bethanide"]), ("zetamoll", ["Zetamol"]), ("qqqqqq", []), ("", [])],
)
def test_of_an_unknown_drug_close_spellings_are_shown(
    asked: str, close: list[str], tables: TablesInMemory
) -> None:
    with pytest.raises(UnknownNameError) as caught:
        find(asked, tables)
    assert caught.value.close_spellings[:1] == close
    hint = f"close spellings: {close[0]}" if close else "nor is any spelled like it"
    assert hint in str(caught.value)


# The command


def names(*arguments: str | Path) -> Result:
    return commands.asked("names", *arguments)


@pytest.mark.xdist_group("runs")
def test_a_release_is_asked(sample_run: runs.Run) -> None:
    result = names("Adrenaline", "--store", sample_run.store)
    assert result.exit_code == 0
    assert result.stdout.splitlines()[0] == "epinephrine (C01CA24): 2 names searched for"
    (answer,) = json.loads(names("Adrenaline", "--json", "--store", sample_run.store).stdout)
    assert answer["drug"] == "epinephrine"
    (release,) = sample_run.store.joinpath("releases").iterdir()
    assert names("ethanol", "--store", sample_run.store, "--release", release.name).exit_code == 0
    unknown = names("adrenalinne", "--store", sample_run.store)
    assert (unknown.exit_code, unknown.stdout) == (1, "")
    assert "close spellings: adrenaline" in unknown.stderr


def test_without_a_release_it_says_what_to_do(tmp_path: Path) -> None:
    result = names("ethanol", "--store", tmp_path)
    assert result.exit_code == 2
    assert "run `drug-assets run`" in result.stderr


@pytest.mark.xdist_group("runs")
def test_a_release_of_an_earlier_version_has_no_names(sample_run: runs.Run, tmp_path: Path) -> None:
    store = runs.copy(sample_run.store, tmp_path / "store")
    (runs.current(store) / "drug_names.parquet").unlink()
    result = names("ethanol", "--store", store)
    assert result.exit_code == 2
    assert "has no table drug_names: run `drug-assets run`" in result.stderr
