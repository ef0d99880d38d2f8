"""The measurement of many names: its drug list, its commands, and what it says of the figures."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import polars as pl
import pytest

from benchmarks import many_names, measuring, synthetic
from benchmarks.many_names import Sizes, describe, measure, write_list

if TYPE_CHECKING:
    from pathlib import Path

TINY = Sizes(names=12, few_names=4, titles=50, rounds=2)


def figures(seconds: float) -> measuring.Figures:
    return {"seconds": seconds, "cpu_seconds": seconds / 2, "peak_mib": 10.0}


def test_the_list_has_each_name_once_and_four_for_a_drug(tmp_path: Path) -> None:
    names = synthetic.drug_names(10)
    write_list(tmp_path / "drugs.csv", names)
    rows = pl.read_csv(tmp_path / "drugs.csv", infer_schema=False)
    assert rows.columns == ["id", "drug", "synonyms", "unii"]
    spelled = [[drug, *synonyms.split("|")] for drug, synonyms in rows["drug", "synonyms"].rows()]
    assert [name for of_drug in spelled for name in of_drug] == list(names)
    assert [len(of_drug) for of_drug in spelled] == [4, 4, 2]
    assert rows["unii"].to_list() == [None, "0000000001", "0000000002"]


@pytest.mark.parametrize(
    ("run", "search", "judged"),
    [(3.0, 2.0, ["met", "met"]), (5.0, 2.0, ["not met", "met"]), (3.0, 2.1, ["met", "not met"])],
)
def test_figures_are_held_to_their_limits(run: float, search: float, judged: list[str]) -> None:
    runs = {"without": [figures(1.0)] * 3, "with": [figures(9.0), *[figures(1.0 + run)] * 2]}
    told = describe(
        Sizes(), runs, {"few": figures(1.0), "many": figures(search)}, {"unknown": [figures(1.5)]}
    )
    table, _, cost, slowdown = told.rsplit("\n", 3)
    assert "| run on data/ without the names | 1.00 | 0.50 | 10 |" in table
    assert "| related-drugs: unknown | 1.50 | 0.75 | 10 |" in table
    assert cost.startswith(f"250,000 names cost a run {run:.1f} s more ({run / 2:.1f} s of")
    assert slowdown.startswith(f"The search takes {search:.2f} times as long as with 20,000 names")
    assert [line.rpartition(": ")[2] for line in (cost, slowdown)] == [f"{j}." for j in judged]


@pytest.mark.slow
def test_what_is_compared_takes_turns(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    commands: list[list[str]] = []

    def observed(command: list[str], **_: Any) -> measuring.Observed:
        commands.append(command[3:])
        unknown = many_names._UNKNOWN in command
        return measuring.Observed(int(unknown), "", "", 1.0, 1.0, 1.0, 1.0)

    def measured(function: str, **arguments: Any) -> measuring.Figures:
        found = measuring.figures_of(function, json.loads(json.dumps(arguments)))
        return found | {"peak_mib": 1.0, "peak_mib_per_process": 1.0}

    monkeypatch.setattr(many_names, "observed", observed)
    monkeypatch.setattr(measuring, "measured", measured)
    told = measure(tmp_path, TINY)
    assert "12 names cost a run 0.0 s more" in told
    runs = [command[2] for command in commands if command[0] == "run"]
    assert runs == [str(tmp_path / kind / "zone") for kind in ("without", "with") * 2]
    asked = [command[1] for command in commands if command[0] == "related-drugs"]
    assert asked == ["aspirin", synthetic.drug_names(12)[-1], many_names._UNKNOWN] * 2
    assert (tmp_path / "with" / "zone" / "drugs_many.csv").is_file()
    assert not (tmp_path / "without" / "zone" / "drugs_many.csv").exists()


def test_a_command_that_fails_ends_the_measurement(monkeypatch: pytest.MonkeyPatch) -> None:
    failed = measuring.Observed(1, "told", "wrong", 1.0, 1.0, 1.0, 1.0)
    monkeypatch.setattr(many_names, "observed", lambda *_, **__: failed)
    with pytest.raises(RuntimeError, match=r"drug-assets run ended with 1:\ntoldwrong"):
        many_names._observe("run")
