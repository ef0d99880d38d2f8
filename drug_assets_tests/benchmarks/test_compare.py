"""A comparison from two checkouts to its table, with a `drug-assets` that only writes down its use.

That two checkouts of this project can be compared is for `test_compare_processes`.
"""

from __future__ import annotations

import json
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest

from benchmarks import compare, load
from drug_assets_tests.support import repositories

if TYPE_CHECKING:
    from pathlib import Path

TINY = compare.PLANS["tiny"]

#: Writes down whose code it runs, what for, and what it finds; answers what the code says.
COMMAND = """
import json, os, sys
from pathlib import Path
import drug_assets

landing, store = (Path(os.environ[f"DRUG_ASSETS_{name}"]) for name in ("LANDING", "STORE"))
with Path(__file__).with_name("uses.jsonl").open("a") as uses:
    use = {
        "code": drug_assets.CODE,
        "arguments": sys.argv[1:],
        "landing": sorted(path.name for path in landing.iterdir()),
        "names": len((landing / "drugs.csv").read_text().splitlines()),
        "store": store.name,
        "new": not store.exists(),
        "stop_list": os.environ.get("DRUG_ASSETS_STOP_LIST"),
    }
    print(json.dumps(use), file=uses)
store.mkdir(exist_ok=True)
print(drug_assets.ANSWER)
sys.exit(drug_assets.EXIT_CODE)
"""
CODE = "CODE, ANSWER, EXIT_CODE = {!r}, {!r}, {}\n"


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    files = {
        "drug_assets/__init__.py": CODE.format("base", "as ever", 0),
        "data/drugs.csv": "atccode,drug\n",
    }
    return repositories.repository(tmp_path / "repository", files)


@pytest.fixture
def python(tmp_path: Path) -> Path:
    return repositories.lent_python(tmp_path / "lent", COMMAND)


@pytest.fixture(autouse=True)
def short_looks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compare, "look", partial(load.look, seconds=0))


def edit(repository: Path, answer: str = "as ever", exit_code: int = 0) -> None:
    code = CODE.format("head", answer, exit_code)
    (repository / "drug_assets" / "__init__.py").write_text(code)


def compared(
    repository: Path, python: Path, tmp_path: Path, plan: compare.Plan = TINY
) -> compare.Comparison:
    return compare.compare(
        plan,
        "HEAD",
        repository,
        data=tmp_path / "made",
        environments=tmp_path / "compared",
        base_python=python,
        head_python=python,
    )


@pytest.mark.processes
@pytest.mark.slow
def test_all_three_take_turns_in_each_measurement_of_each_round(
    repository: Path, python: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DRUG_ASSETS_STOP_LIST", "of whoever asks")
    edit(repository)
    comparison = compared(repository, python, tmp_path, replace(TINY, rounds=2))

    told = python.with_name("uses.jsonl").read_text(encoding="utf-8").splitlines()
    uses = [json.loads(line) for line in told]
    warming, measured = uses[:4], uses[4:]
    assert [use["code"] for use in warming] == ["base", "base", "head", "head"]
    assert len(measured) == 2 * 3 * len(comparison.taken)
    assert {use["stop_list"] for use in uses} == {None}
    turns = [measured[at : at + 3] for at in range(0, len(measured), 3)]
    for turn in turns:
        assert [use["code"] for use in turn] == ["base", "head", "base"]
        assert len({use["store"] for use in turn}) == 3
        # All else is the same for all three.
        assert len({json.dumps(use | {"code": "", "store": ""}) for use in turn}) == 1
    firsts = [turn[0] for turn in turns]
    a_round = len(comparison.taken)
    assert firsts[:a_round] == firsts[a_round:]
    seen = dict(zip(comparison.taken, firsts[:a_round], strict=True))
    assert {name for name, use in seen.items() if use["new"]} == {
        "data/: cold",
        "60 records of CSV: cold",
        "60 records of XML: cold",
    }
    assert seen["data/: nothing changed"]["arguments"] == ["run", "--only-if-changed"]
    of_csv, of_xml = (
        {name.partition(": ")[2]: use for name, use in seen.items() if f"of {kind}:" in name}
        for kind in ("CSV", "XML")
    )
    assert list(of_csv) == [
        "cold",
        "top-journal",
        "related-drugs",
        "one more file",
        "one more name",
    ]
    assert list(of_xml) == ["cold", "one more file"]
    assert of_csv["top-journal"]["arguments"] == ["top-journal", "--json"]
    for of_it in (of_csv, of_xml):
        assert len(of_it["cold"]["landing"]) == 4
        assert len(of_it["one more file"]["landing"]) == 5
        assert of_it["one more file"]["names"] == of_it["cold"]["names"] == 21
    assert of_csv["one more name"]["landing"] == of_csv["one more file"]["landing"]
    assert of_csv["one more name"]["names"] == 22


@pytest.mark.processes
def test_what_was_measured_is_written_as_a_table_and_as_figures(
    repository: Path, python: Path, tmp_path: Path
) -> None:
    comparison = compared(repository, python, tmp_path)
    document = compare.write(comparison, tmp_path / "results" / "table.md")
    assert (tmp_path / "results" / "table.md").read_text(encoding="utf-8") == document
    figures = json.loads((tmp_path / "results" / "table.json").read_text(encoding="utf-8"))
    assert figures["taken"]
    for name, sides in figures["taken"].items():
        assert list(sides) == ["base", "head", "base again"]
        assert all(len(row) == 1 for side in sides.values() for row in side.values())
        assert f"| {name} | wall | " in document
    assert "Both answer questions alike." in document
    # Landing zones stay for the next time; what ran does not.
    assert [path.name for path in (tmp_path / "made").glob("*/compared-*")] == []
    assert len(list((tmp_path / "made").glob("*/csv-60-3/zone/*"))) == 4


@pytest.mark.processes
def test_answers_that_differ_are_told(repository: Path, python: Path, tmp_path: Path) -> None:
    edit(repository, answer="as never before")
    comparison = compared(repository, python, tmp_path, replace(TINY, records={"csv": 60}))
    assert comparison.differing == (
        "60 records of CSV: top-journal",
        "60 records of CSV: related-drugs",
    )
    assert f"**Both answer differently**: {comparison.differing[0]}; " in compare.markdown(
        comparison
    )


@pytest.mark.processes
def test_a_command_that_fails_says_whose_and_why(
    repository: Path, python: Path, tmp_path: Path
) -> None:
    edit(repository, answer="no such luck", exit_code=1)
    with pytest.raises(RuntimeError, match=r"run of .*not committed failed:\nno such luck"):
        compared(repository, python, tmp_path)
    assert repositories.git(repository, "worktree", "list").count("\n") == 1


IDLE = load.Load(None, (0, 0, 0), 2, 0.0, 0.0, ())


def made_up(seconds: dict[str, list[float]], peak: dict[str, list[float]]) -> compare.Comparison:
    taken = {
        "a run": {
            side: {"seconds": seconds[side], "cpu_seconds": [0.0] * 3, "peak_mib": peak[side]}
            for side in seconds
        }
    }
    return compare.Comparison(
        replace(TINY, rounds=3), "`abc`", "`def`", taken, (), IDLE, IDLE, 0.15
    )


def test_a_table_says_what_the_figures_say() -> None:
    same: list[float] = [100, 100, 100]
    document = compare.markdown(
        made_up(
            {"base": [10, 20, 10], "head": [12, 24, 12], "base again": [10.1, 20, 10.1]},
            {"base": same, "head": [80, 80, 80], "base again": same},
        )
    )
    assert "| a run | wall | 10.00 s | 12.00 s | 1.20 | 3.0% | **slower** |" in document
    assert "| a run | peak memory | 100 MiB | 80 MiB | 0.80 | 0.0% | **less** |" in document
    assert "processor |" not in document  # it could not be seen
    assert "2 of 2 beyond their bound" in document
    assert "others took 0.15 cores" in document


def test_what_is_within_its_bound_is_said_to_be_that() -> None:
    same: list[float] = [100, 100, 100]
    document = compare.markdown(
        made_up(
            {"base": same, "head": [120, 120, 120], "base again": [110, 110, 110]},
            {"base": same, "head": [104, 104, 104], "base again": same},
        )
    )
    assert "| 1.20 | 30.0% | within |" in document
    assert "| 1.04 | 0.0% | within |" in document
    assert "0 of 2 beyond their bound" in document


@pytest.mark.parametrize(
    ("figures", "warned"),
    [
        ({}, False),
        ({"others": None}, False),
        ({"others": 0.25}, True),
        ({"before": replace(IDLE, busy=1.5)}, True),
        ({"after": replace(IDLE, stolen=1.5)}, True),
        ({"after": replace(IDLE, busy=None)}, False),
    ],
)
def test_a_machine_that_was_not_idle_is_warned_of(figures: dict[str, Any], warned: bool) -> None:
    same = {side: [1.0] * 3 for side in ("base", "head", "base again")}
    document = compare.markdown(replace(made_up(same, same), **figures))
    assert ("**The machine is not idle" in document) == warned
