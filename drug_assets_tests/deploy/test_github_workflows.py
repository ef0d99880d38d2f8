"""GitHub's workflows: pinned, with least permissions, and clean under zizmor.

The commands of a release are run, against a registry and jobs that are files.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from drug_assets_tests.support import known_commands, release_programs
from drug_assets_tests.support.repositories import git
from drug_assets_tests.support.services import DEPLOY, ROOT, require

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
        if (workflow.name, name) in {("release.yml", "deploy"), ("pipeline.yml", "land")}:
            allowed["id-token"] = "write"
        assert job["permissions"] == allowed
        assert job["timeout-minutes"] <= 60


@pytest.mark.processes
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


@pytest.mark.parametrize("workflow", WORKFLOWS, ids=lambda path: path.name)
def test_commands_and_options_are_ones_that_their_programs_know(workflow: Path) -> None:
    known = known_commands.load()
    used = list(known_commands.typed(known_commands.commands_of(workflow)))
    assert used
    assert [
        wrong
        for program, words in used
        if (wrong := known_commands.wrong_use(program, words, known))
    ] == []


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


def test_releases_run_in_the_environment_that_google_lets_in() -> None:
    declared = (DEPLOY / "terraform" / "variables.tf").read_text("utf-8")
    defaults = re.findall(
        r'^    environment += optional\(string, "(\w+)"\)', declared, re.MULTILINE
    )
    release = loaded(ROOT / ".github" / "workflows" / "release.yml")
    assert [release["jobs"]["deploy"]["environment"]] == defaults


def test_data_land_from_an_environment_of_their_own() -> None:
    declared = (DEPLOY / "terraform" / "variables.tf").read_text("utf-8")
    (default,) = re.findall(r'landing_environment += optional\(string, "(\w+)"\)', declared)
    jobs = loaded(ROOT / ".github" / "workflows" / "pipeline.yml")["jobs"]
    assert jobs["land"]["environment"] == default
    conditions = {name: job["if"] for name, job in jobs.items()}
    assert conditions == {"land": "vars.GCP_LANDING != ''", "run": "vars.GCP_LANDING == ''"}


@pytest.mark.processes
def test_a_push_lands_what_it_changed_and_removes_what_it_deleted(tmp_path: Path) -> None:
    checkout, programs = tmp_path / "checkout", tmp_path / "bin"
    (checkout / "data" / "drugs").mkdir(parents=True)
    programs.mkdir()
    gcloud = programs / "gcloud"
    gcloud.write_text(f'#!/bin/sh\nprintf "%s\\n" "$*" >> {tmp_path / "asked"}\n', "utf-8")
    gcloud.chmod(0o755)
    git(checkout, "init", "--quiet")
    plain = ["drugs/é.csv", 'pubmed "1".csv', "pubmed 1.csv", "pubmed\\1.csv", "pubmed\t1.csv"]
    patterns = ["*", "100%?\n.csv", "pubmed#1", "pubmed[1].csv"]
    for name in (*plain, *patterns, "drugs.csv", "pubmed1.csv"):
        (checkout / "data" / name).write_text("title\n", "utf-8")
    git(checkout, "add", "--all")
    git(checkout, "commit", "--quiet", "--message", "Before")
    before = git(checkout, "rev-parse", "HEAD").strip()
    (checkout / "data" / "drugs" / "é.csv").rename(checkout / "data" / "drugs_2.csv")
    for name in (*plain[1:], *patterns):
        (checkout / "data" / name).unlink()
    git(checkout, "add", "--all")
    git(checkout, "commit", "--quiet", "--message", "After")

    steps = loaded(ROOT / ".github" / "workflows" / "pipeline.yml")["jobs"]["land"]["steps"]
    said = ""
    for pushed_from in (before, "0" * 40):
        environment = {
            **os.environ,
            "PATH": f"{programs}:{os.environ['PATH']}",
            "LANDING": "landing",
            "BEFORE": pushed_from,
            "GITHUB_SHA": git(checkout, "rev-parse", "HEAD").strip(),
            "GITHUB_STEP_SUMMARY": str(tmp_path / "summary"),
        }
        for step in steps:
            if "run" in step:
                command = ["bash", "-e", "-c", step["run"]]
                done = subprocess.run(
                    command, cwd=checkout, env=environment, check=True, stdout=subprocess.PIPE
                )
                said += done.stdout.decode()

    asked = (tmp_path / "asked").read_text("utf-8").splitlines()
    landed = "storage rsync --recursive --checksums-only data gs://landing"
    assert asked[0] == asked[-1] == landed
    assert sorted(asked[1:-1]) == sorted(f"storage rm gs://landing/{name}" for name in plain)
    # gcloud would read these names as patterns, and remove other files.
    warned = re.findall(r"^::warning::data/(.*) stays in gs://landing: ", said, re.MULTILINE)
    assert warned == ["*", "100%25?%0A.csv", "pubmed#1", "pubmed[1].csv"]


@pytest.mark.processes
def test_a_release_needs_the_providers_that_terraform_uses(tmp_path: Path) -> None:
    steps = loaded(ROOT / ".github" / "workflows" / "release.yml")["jobs"]["gate"]["steps"]
    (command,) = (step["run"] for step in steps if "providers" in step.get("name", ""))

    def ends_with() -> tuple[int, str]:
        done = subprocess.run(
            ["bash", "-e", "-c", command], cwd=tmp_path, check=False, capture_output=True, text=True
        )
        return done.returncode, done.stdout

    git(tmp_path, "init", "--quiet")
    for folder in ("deploy/terraform", "deploy/terraform/datadog"):
        status, told = ends_with()
        assert status == 1
        assert f"::error::{folder}/.terraform.lock.hcl is not committed: run make providers" in told
        (tmp_path / folder).mkdir(parents=True)
        (tmp_path / folder / ".terraform.lock.hcl").write_text("", "utf-8")
        assert ends_with() == (status, told)  # Git must know it, too
        git(tmp_path, "add", "--all")
    assert ends_with() == (0, "")
    makefile = (ROOT / "Makefile").read_text("utf-8")
    for folder in ("deploy/terraform", "deploy/terraform/datadog"):
        assert re.search(rf"^providers:\n.* {folder}[ ;]", makefile, re.MULTILINE)


class Release:
    """Attempts to release version 0.1.1, by the commands of release.yml."""

    variables = {  # noqa: RUF012
        "vars.GCP_IMAGE": "europe-west1-docker.pkg.dev/some-project/drug-assets/drug-assets",
        "vars.GCP_JOBS": "drug-assets-run drug-assets-fetch",
        "vars.GCP_REGION": "europe-west1",
        "vars.GCP_DAGSTER_SERVICE": "drug-assets-dagster",
        "vars.GCP_READERS_SERVICE": "drug-assets-readers",
        "vars.GCP_DATASET": "drug_assets",
    }

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.place = folder / "state.json"
        self.state = release_programs.NOTHING
        for program in ("docker", "gcloud"):
            source = Path(release_programs.__file__).read_text("utf-8")
            (folder / program).write_text(f"#!{sys.executable}\n{source}", "utf-8")
            (folder / program).chmod(0o755)

    @property
    def state(self) -> dict[str, Any]:
        state: dict[str, Any] = json.loads(self.place.read_text("utf-8"))
        return state

    @state.setter
    def state(self, state: dict[str, Any]) -> None:
        self.place.write_text(json.dumps(state), "utf-8")

    def attempt(self, revision: str, *refusing: str) -> str:
        """What an attempt wrote, up to its first step that failed; its last line is its end."""
        self.state = self.state | {"refusing": refusing, "images": {}}
        job = loaded(ROOT / ".github" / "workflows" / "release.yml")["jobs"]["deploy"]
        known = dict(self.variables)
        written = ""
        for step in job["steps"]:
            if "run" not in step or ("if" in step and not value(step["if"], known)):
                continue
            output = self.folder / "output"
            output.write_text("", "utf-8")
            given = {
                name: re.sub(r"\$\{\{ (.*?) \}\}", lambda found: str(value(found[1], known)), text)
                for name, text in {**job["env"], **step.get("env", {})}.items()
            }
            done = subprocess.run(
                ["bash", "-e", "-c", step["run"]],
                env=given
                | {
                    "PATH": f"{self.folder}{os.pathsep}{os.environ['PATH']}",
                    "RELEASE_STATE": str(self.place),
                    "GITHUB_OUTPUT": str(output),
                    "GITHUB_STEP_SUMMARY": os.devnull,
                    "GITHUB_REF_NAME": "v0.1.1",
                    "GITHUB_SHA": revision,
                },
                cwd=self.folder,
                check=False,
                text=True,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
            )
            written += done.stdout
            if done.returncode != 0:
                return f"{written}failed at: {step['name']}"
            for line in output.read_text("utf-8").splitlines():
                name, _, said = line.partition("=")
                known[f"steps.{step['id']}.outputs.{name}"] = said
        return f"{written}released"


def value(expression: str, known: dict[str, str]) -> str | bool:
    """What GitHub makes of an expression, of the few kinds that release.yml holds."""
    found = re.fullmatch(r"(\S+)(?: (==|!=|\|\|) (\S+))?", expression)
    assert found, expression
    left, right = (
        word[1:-1] if word.startswith("'") else known.get(word, "")
        for word in (found[1], found[3] or "''")
    )
    if found[2] == "==":
        return left == right
    if found[2] == "!=":
        return left != right
    return left or right


@pytest.fixture
def release(tmp_path: Path) -> Release:
    return Release(tmp_path)


IMAGE = Release.variables["vars.GCP_IMAGE"]
EXECUTOR = f"{IMAGE}-executor"
DEPLOYED = ("drug-assets-run", "drug-assets-fetch", "drug-assets-dagster", "drug-assets-readers")


@pytest.mark.processes
def test_a_release_deploys_what_it_pushed_by_digest(release: Release) -> None:
    assert release.attempt("first-commit").endswith("released")
    pushed = release.state["tags"][IMAGE]["0.1.1"]
    assert release.state["images"] == dict.fromkeys(DEPLOYED, f"{IMAGE}@{pushed}")
    assert list(release.state["tags"]) == [IMAGE]
    assert release.state["executors"] == {pushed: ""}


@pytest.mark.processes
def test_a_release_with_spark_names_its_executors_by_digest(release: Release) -> None:
    release.variables = Release.variables | {"vars.GCP_EXECUTOR_IMAGE": EXECUTOR}
    assert release.attempt("first-commit").endswith("released")
    tags = release.state["tags"]
    executor, job = tags[EXECUTOR]["0.1.1"], tags[IMAGE]["0.1.1"]
    assert release.state["executors"] == {executor: None, job: f"{EXECUTOR}@{executor}"}
    assert release.state["images"] == dict.fromkeys(DEPLOYED, f"{IMAGE}@{job}")


@pytest.mark.processes
@pytest.mark.parametrize("failing", [f"docker push {IMAGE}:", "gcloud run jobs update"])
def test_a_release_with_spark_can_be_run_again(release: Release, failing: str) -> None:
    release.variables = Release.variables | {"vars.GCP_EXECUTOR_IMAGE": EXECUTOR}
    assert "failed at: " in release.attempt("first-commit", failing)
    executor = release.state["tags"][EXECUTOR]["0.1.1"]

    assert release.attempt("first-commit").endswith("released")
    tags = release.state["tags"]
    assert tags[EXECUTOR] == {"0.1.1": executor}
    assert release.state["executors"][tags[IMAGE]["0.1.1"]] == f"{EXECUTOR}@{executor}"


@pytest.mark.processes
def test_executors_of_another_commit_are_not_released(release: Release) -> None:
    release.variables = Release.variables | {"vars.GCP_EXECUTOR_IMAGE": EXECUTOR}
    release.attempt("first-commit", f"docker push {IMAGE}:")
    written = release.attempt("second-commit")
    assert f"{EXECUTOR}:0.1.1 was built from first-commit, not from second-commit" in written
    assert "failed at: Look for" in written


@pytest.mark.processes
def test_a_release_describes_the_views_with_the_image_that_it_deployed(
    release: Release, monkeypatch: pytest.MonkeyPatch
) -> None:
    release.attempt("first-commit")
    ((job, image, program, *command),) = release.state["executed"]
    assert (job, image) == ("drug-assets-run", release.state["images"]["drug-assets-run"])
    assert program == "drug-assets"
    assert command == ["deploy-sql", "--descriptions"]
    # Without a dataset there are no views.
    monkeypatch.delitem(Release.variables, "vars.GCP_DATASET")
    release.state = release_programs.NOTHING
    assert release.attempt("first-commit").endswith("released")
    assert release.state["executed"] == []


@pytest.mark.processes
@pytest.mark.parametrize(
    "failing",
    ["gcloud run jobs update drug-assets-fetch", "gcloud run services update drug-assets-readers"],
)
def test_a_release_whose_deployment_failed_can_be_run_again(release: Release, failing: str) -> None:
    # Other tags that contain 0.1.1, match it as a pattern, or look like it.
    others = {tag: f"sha256:{tag}" for tag in ("0.1.10", "10.1.1", "0.1.1-rc", "0.1.01", "0x1x1")}
    release.state = release.state | {"tags": {IMAGE: others}}

    assert "failed at: Deploy" in release.attempt("first-commit", failing)
    pushed = release.state["tags"][IMAGE]["0.1.1"]

    assert release.attempt("first-commit").endswith("released")
    assert release.state["tags"] == {IMAGE: others | {"0.1.1": pushed}}
    assert release.state["images"] == dict.fromkeys(DEPLOYED, f"{IMAGE}@{pushed}")


@pytest.mark.processes
def test_a_release_that_failed_before_its_push_builds_again(release: Release) -> None:
    assert "failed at: Push" in release.attempt("first-commit", "docker push")
    assert release.attempt("first-commit").endswith("released")
    assert release.state["builds"] == 2


@pytest.mark.processes
def test_a_version_that_is_pushed_is_not_released_from_another_commit(release: Release) -> None:
    release.attempt("first-commit")

    written = release.attempt("second-commit")

    assert "0.1.1 was built from first-commit, not from second-commit" in written
    assert "failed at: Look for" in written
    assert release.state["images"] == {}


@pytest.mark.processes
def test_a_registry_that_does_not_answer_is_not_an_empty_one(release: Release) -> None:
    assert "failed at: Look for" in release.attempt("first-commit", "gcloud artifacts")
    assert release.state["builds"] == 0
