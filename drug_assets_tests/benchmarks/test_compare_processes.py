"""HEAD compared with itself, for real: both checkouts run, and nothing is left of them.

How long either takes is not looked at.
"""

from __future__ import annotations

import os
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from benchmarks import compare
from drug_assets_tests.support import repositories, runs

pytestmark = [pytest.mark.slow, pytest.mark.processes]


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    if not (runs.REPOSITORY / ".git").exists():
        pytest.skip("this is no repository of Git")
    folder = tmp_path / "clone"
    # The end of the history is enough, and all there is where that was cloned so itself.
    origin = runs.REPOSITORY.as_uri()
    repositories.git(tmp_path, "clone", "--quiet", "--depth=1", origin, str(folder))
    return folder


@pytest.mark.skipif(
    os.environ.get("DRUG_ASSETS_TEST_ALL") != "1",
    reason="HEAD is compared with itself where DRUG_ASSETS_TEST_ALL=1 asks for it",
)
def test_head_is_compared_with_itself(clone: Path, tmp_path: Path) -> None:
    python = Path(sys.executable)
    plan = replace(compare.PLANS["tiny"], records={"csv": 60})
    comparison = compare.compare(
        plan,
        "HEAD",
        clone,
        data=tmp_path / "made",
        environments=tmp_path / "compared",
        base_python=python,
        head_python=python,
    )
    assert comparison.base == comparison.head
    assert comparison.differing == ()
    assert comparison.taken
    for sides in comparison.taken.values():
        for figures in sides.values():
            assert {len(row) for row in figures.values()} == {1}
            assert figures["seconds"][0] > 0
            assert figures["cpu_seconds"][0] > 0
    document = compare.markdown(comparison)
    assert all(f"| {name} | wall | " in document for name in comparison.taken)
    assert repositories.git(clone, "worktree", "list").count("\n") == 1
    assert repositories.git(clone, "status", "--porcelain") == ""
