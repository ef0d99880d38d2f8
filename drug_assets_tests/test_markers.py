"""Every test carries the markers that its kind asks for, and the fast loop leaves them all out."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib

import pytest

from drug_assets_tests.support import markers, runs

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


@pytest.mark.parametrize("fixture", markers.MARKER_OF_FIXTURE)
def test_whoever_asks_for_an_emulator_or_a_server_is_marked(
    request: pytest.FixtureRequest, fixture: str
) -> None:
    asking = [t for t in request.session.items if fixture in getattr(t, "fixturenames", ())]
    unmarked = [
        t.nodeid for t in asking if not t.get_closest_marker(markers.MARKER_OF_FIXTURE[fixture])
    ]
    assert unmarked == []


def test_a_test_without_a_marker_starts_no_process() -> None:
    with pytest.raises(markers.UnmarkedError, match="mark it `processes`"):
        subprocess.run([sys.executable, "-c", ""], check=False)


@pytest.mark.processes
def test_a_test_with_the_marker_may() -> None:
    assert subprocess.run([sys.executable, "-c", ""], check=False).returncode == 0
