"""`drug-assets accuracy`: the lists that count, what is printed, errors and exit codes."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from drug_assets_tests.support import commands

if TYPE_CHECKING:
    from pathlib import Path

    from click.testing import Result

GOLD = [
    {"title": "Zetamol and \u001b[1m betazide", "spans": [[0, 7], [12, 25]]},
    {"title": "On zetamols", "spans": [[3, 11]]},
    {"title": "Gammide twice: gammide", "spans": [[0, 7]]},
]


@pytest.fixture(autouse=True)
def landed(tmp_path: Path, no_settings_of_the_machine: None) -> None:
    """The test stands in a folder with titles, a landing zone, and a list beside it."""
    (tmp_path / "gold.jsonl").write_text("\n".join(map(json.dumps, GOLD)))
    zone = tmp_path / "data"
    (zone / "drugs").mkdir(parents=True)
    (zone / "drugs" / "ours.csv").write_text("drug\nZetamol\n")
    (zone / "drugs_more.json").write_text('[{"drug": "Gammide"}]')
    (zone / "drugs_scan.pdf").write_bytes(b"%PDF-1.7")
    (zone / "RXNSAT.RRF").write_text("a table|of RxNorm|without names|\n")
    (zone / "pubmed.csv").write_text("not,read\n")
    (tmp_path / "other.csv").write_text("drug,synonyms\nBeta,betazide\n")


def accuracy(*arguments: str) -> Result:
    return commands.asked("accuracy", *arguments)


@pytest.mark.slow
def test_the_lists_that_landed_count() -> None:
    result = accuracy("gold.jsonl")
    assert result.exit_code == 0
    lines = result.stdout.splitlines()
    assert lines[0] == "3 titles with 4 marked spans; 2 names of 2 drugs, 2 of them as listed"
    by_overlap = next(line for line in lines if line.startswith("  by overlap"))
    assert by_overlap.split()[2] == ".667"
    assert any(line.startswith("  drugs/ours.csv") for line in lines)
    assert any(line.startswith("  drugs_more.json") for line in lines)
    assert "closed list: 1.000, 2 of 2 marked spans spelt as a name that is searched for" in lines
    assert "      1  plural (plural of a listed name): zetamols" in lines
    assert "      1  listed (any other listed name): gammide" in lines
    # What is marked in a title is shown, and never obeyed.
    assert "\x1b" not in result.stdout
    assert "\\x1b[1m betazide" in result.stdout


@pytest.mark.slow
def test_named_lists_count_instead_as_json() -> None:
    result = accuracy("gold.jsonl", "--list", "other.csv", "--list", "other.csv", "--json")
    answer = json.loads(result.stdout)
    assert (answer["names"], answer["drugs"], answer["lists"]) == (2, 1, [])
    assert answer["scores"]["precision"] == {"value": 1.0, "low": 1.0, "high": 1.0}
    assert answer["scores"]["recall"]["value"] == 0.25
    assert {
        "mistake": "inexact",
        "kind": "shorter",
        "meaning": "the marked span is longer",
        "count": 1,
        "texts": {"betazide → \x1b[1m betazide": 1},
    } in answer["mistakes"]
    assert answer["rules"][0]["name"] == "stop list"


@pytest.mark.slow
def test_another_stop_list_can_be_set(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "stop.csv").write_text("name,reason\nzetamol,a test\n")
    monkeypatch.setenv("DRUG_ASSETS_STOP_LIST", "stop.csv")
    answer = json.loads(accuracy("gold.jsonl", "--json").stdout)
    assert ("stopped", 1) in [(each["kind"], each["count"]) for each in answer["mistakes"]]


@pytest.mark.slow
def test_other_trees_of_mesh_can_be_set(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    rows = ["drug,mesh,tree_numbers", "Zetamol,D000001,D02.1", "Gammide,D000002,D27.1"]
    (tmp_path / "mesh.csv").write_text("\n".join(rows))
    arguments = ("gold.jsonl", "--list", "mesh.csv", "--json")
    assert json.loads(accuracy(*arguments).stdout)["drugs"] == 1
    monkeypatch.setenv("DRUG_ASSETS_MESH_TREES", "D02 D27")
    assert json.loads(accuracy(*arguments).stdout)["drugs"] == 2


@pytest.mark.parametrize(
    ("arguments", "code", "told"),
    [
        (["none.jsonl"], 2, "there is no file"),
        (["data"], 2, "there is no file"),
        (["gold.jsonl", "--list", "none.csv"], 2, "there is no file"),
        (["gold.jsonl", "--list", "other.csv", "--landing", "data"], 2, "leave out --landing"),
        (["gold.jsonl", "--landing", "nowhere"], 2, "there is no folder"),
        (["gold.jsonl", "--landing", "empty"], 2, "has no drug list: land one, or name lists"),
        (["gold.jsonl", "--list", "gold.jsonl"], 1, "gold.jsonl: no record has 'drug'"),
        (["other.csv"], 1, "other.csv: line 1 is no title with spans"),
        (["gold.jsonl", "--list", "blank.csv"], 1, "no drug list names a drug: blank.csv"),
    ],
)
def test_what_cannot_be_used_is_told(
    arguments: list[str], code: int, told: str, tmp_path: Path
) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "blank.csv").write_text("drug\n,\n")
    result = accuracy(*arguments)
    assert (result.exit_code, result.stdout) == (code, "")
    assert told in result.stderr
    assert result.stderr.startswith("drug-assets: ")
    assert len(result.stderr.splitlines()) == 1


def test_a_stop_list_that_cannot_be_read_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DRUG_ASSETS_STOP_LIST", "none.csv")
    result = accuracy("gold.jsonl")
    assert result.exit_code == 1
    assert "the stop list none.csv: cannot be read" in result.stderr
