"""Every test carries the markers that its kind asks for, and the fast loop leaves them all out."""

from __future__ import annotations

import multiprocessing
import os
import re
import subprocess
import sys
import tomllib
from collections import defaultdict
from functools import cache
from typing import TYPE_CHECKING

import pytest

from drug_assets_tests.support import markers, runs

if TYPE_CHECKING:
    from pathlib import Path

PROJECT = tomllib.loads((runs.REPOSITORY / "pyproject.toml").read_text("utf-8"))
DECLARED = dict(
    declared.split(": ", maxsplit=1)
    for declared in PROJECT["tool"]["pytest"]["ini_options"]["markers"]
)
MAKEFILE = (runs.REPOSITORY / "Makefile").read_text("utf-8")


def test_every_marker_is_declared_with_its_meaning() -> None:
    assert set(DECLARED) >= {*markers.MARKER_OF_FIXTURE.values(), *markers.STARTING}
    assert all(DECLARED.values())


def test_the_fast_loop_leaves_out_every_marker() -> None:
    (chosen,) = re.findall(r"^QUICK := not \((.*)\)$", MAKEFILE, re.MULTILINE)
    assert chosen.split(" or ") == list(DECLARED)


@cache
def all_tests() -> str:
    folder = runs.REPOSITORY / "drug_assets_tests"
    return "".join(path.read_text("utf-8") for path in folder.rglob("*.py"))


@pytest.mark.parametrize("fixture", markers.MARKER_OF_FIXTURE)
def test_whoever_asks_for_an_emulator_a_server_or_a_whole_run_is_marked(
    request: pytest.FixtureRequest, fixture: str
) -> None:
    asking = [t for t in request.session.items if fixture in getattr(t, "fixturenames", ())]
    unmarked = [
        t.nodeid for t in asking if not t.get_closest_marker(markers.MARKER_OF_FIXTURE[fixture])
    ]
    assert unmarked == []
    # No test asks for a fixture that is named otherwise, nor where only some tests were chosen.
    assert re.search(rf"^@pytest\.fixture.*\ndef {fixture}\(", all_tests(), re.MULTILINE)


def test_a_test_without_a_marker_starts_no_process() -> None:
    refused = pytest.raises(markers.UnmarkedError, match="mark it `processes`")
    with refused:
        subprocess.run([sys.executable, "-c", ""], check=False)
    with refused:
        multiprocessing.Process(target=print).start()


@pytest.mark.processes
def test_a_test_with_the_marker_may() -> None:
    assert subprocess.run([sys.executable, "-c", ""], check=False).returncode == 0


@pytest.mark.processes
def test_the_tests_of_a_group_run_in_one_process(tmp_path: Path) -> None:
    """Modules are told apart, and share a process if they share a whole run."""
    plugin = "from drug_assets_tests.support import markers\n"
    plugin += "def pytest_collection_modifyitems(items):\n    markers.mark(items)\n"
    (tmp_path / "conftest.py").write_text(plugin)
    each = "import pytest\n\n@pytest.mark.parametrize('n', range(20))\ndef test_it(n): pass\n"
    for name in ("test_a", "test_b", "test_c"):
        (tmp_path / f"{name}.py").write_text(each)
    run = "\n@pytest.fixture\ndef sample_run(): pass\n\ndef test_run(sample_run): pass\n"
    for name in ("test_c", "test_d"):
        (tmp_path / f"{name}.py").write_text(each + run)
    told = subprocess.run(
        [sys.executable, "-m", "pytest", "-v", "-n", "3", "--dist", "loadgroup"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(runs.REPOSITORY)},
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    processes = defaultdict(set)
    for process, group in re.findall(r"\[(gw\d)\] .*PASSED .*@(\S+)", told):
        processes[group].add(process)
    assert set(processes) == {"test_a.py", "test_b.py", "test_c.py", "test_d.py", "runs"}
    assert all(len(used) == 1 for used in processes.values()), processes
