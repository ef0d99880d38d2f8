"""GitHub's workflows: pinned, with least permissions, and clean under zizmor."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from drug_assets_tests.support.services import ROOT, require

WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))


def loaded(workflow: Path) -> dict[str, Any]:
    document: dict[str, Any] = yaml.safe_load(workflow.read_text("utf-8"))
    return document


def test_the_three_workflows_are_there() -> None:
    assert [path.name for path in WORKFLOWS] == ["ci.yml", "pipeline.yml", "release.yml"]


@pytest.mark.parametrize("workflow", WORKFLOWS, ids=lambda path: path.name)
def test_actions_are_pinned_by_commit_and_say_their_version(workflow: Path) -> None:
    used = re.findall(r"uses: (.*)", workflow.read_text("utf-8"))
    assert used
    for line in used:
        assert re.fullmatch(r"[\w.-]+/[\w./-]+@[0-9a-f]{40} # v[\d.]+", line), line


def test_an_action_has_one_commit_everywhere() -> None:
    pins = {
        tuple(line.split("@"))
        for workflow in WORKFLOWS
        for line in re.findall(r"uses: (.*)", workflow.read_text("utf-8"))
    }
    assert len({action for action, _ in pins}) == len(pins)


@pytest.mark.parametrize("workflow", WORKFLOWS, ids=lambda path: path.name)
def test_nothing_is_permitted_but_what_a_job_names(workflow: Path) -> None:
    document = loaded(workflow)
    assert document["permissions"] == {}
    for name, job in document["jobs"].items():
        allowed = {"contents": "read"}
        if (workflow.name, name) == ("release.yml", "deploy"):
            allowed["id-token"] = "write"
        assert job["permissions"] == allowed
        assert job["timeout-minutes"] <= 60


@pytest.mark.parametrize("workflow", WORKFLOWS, ids=lambda path: path.name)
def test_zizmor_finds_nothing(workflow: Path) -> None:
    zizmor = require("zizmor", str(Path(sys.executable).parent))
    done = subprocess.run(
        [zizmor, "--offline", "--no-progress", "--persona", "pedantic", workflow],
        check=False,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout


def test_landed_data_on_main_starts_the_pipeline() -> None:
    # YAML 1.1 reads the key `on` as true.
    started_by = loaded(ROOT / ".github" / "workflows" / "pipeline.yml")[True]  # type: ignore[index]
    assert started_by["push"] == {"branches": ["main"], "paths": ["data/**"]}


@pytest.mark.parametrize("workflow", ["ci.yml", "release.yml"])
def test_the_gate_skips_no_test_that_needs_postgresql(workflow: str) -> None:
    steps = loaded(ROOT / ".github" / "workflows" / workflow)["jobs"]["gate"]["steps"]
    commands = [step.get("run", "") for step in steps]
    installs = [
        n for n, command in enumerate(commands) if re.search(r"install .*\bpostgresql\b", command)
    ]
    gates = [n for n, command in enumerate(commands) if ".ci/run" in command]
    assert len(installs) == len(gates) == 1
    assert installs < gates
