"""The real webserver and daemon: the job and "Materialize all", asked for as the UI does it."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import dagster as dg
import pytest

from drug_assets.defs.jobs import JOB
from drug_assets.documents import DOCUMENTS
from drug_assets.sources.tables import TABLES
from drug_assets_tests.support import runs
from drug_assets_tests.support.local_servers import PATIENCE_SECONDS
from drug_assets_tests.support.services import (
    PATIENT_DAGSTER,
    eventually,
    free_port,
    graphql,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = [pytest.mark.xdist_group("webserver"), pytest.mark.processes]

LOCATION = {"repositoryLocationName": "drug_assets", "repositoryName": "__repository__"}
ENDED = {"SUCCESS", "FAILURE", "CANCELED"}

ASSETS = """query { assetNodes { assetKey { path } jobNames isExecutable } }"""
LAUNCH = """
mutation ($params: ExecutionParams!) {
  launchPipelineExecution(executionParams: $params) {
    __typename
    ... on LaunchRunSuccess { run { runId } }
    ... on PythonError { message }
    ... on InvalidSubsetError { message }
    ... on RunConfigValidationInvalid { errors { message } }
  }
}
"""
STATUS = """
query ($run: ID!) {
  runOrError(runId: $run) {
    ... on Run { status assetMaterializations { assetKey { path } } }
  }
}
"""
CHECKS = """
query ($run: ID!) {
  logsForRun(runId: $run) {
    ... on EventConnection {
      events { ... on AssetCheckEvaluationEvent { evaluation { checkName success } } }
    }
  }
}
"""


@contextmanager
def running(folder: Path, *command: str, variables: dict[str, str]) -> Iterator[None]:
    """A process and all that it starts, until the block ends."""
    with (folder / f"{command[0]}.log").open("wb") as log:
        process = subprocess.Popen(
            [str(Path(sys.executable).with_name(command[0])), *command[1:]],
            cwd=runs.REPOSITORY,
            env=variables,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    try:
        yield
    finally:
        process.send_signal(signal.SIGINT)
        # A busy machine may be slow to end it; its code server ends with it, as a rule.
        with suppress(subprocess.TimeoutExpired):
            process.wait(60)
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait(PATIENCE_SECONDS)


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("webserver") / "store"


@pytest.fixture(scope="module")
def port(store: Path) -> Iterator[int]:
    """The port of a webserver with a daemon at its side, in a DAGSTER_HOME of their own."""
    folder = store.parent
    shutil.copyfile(runs.REPOSITORY / "deploy" / "dagster-local.yaml", folder / "dagster.yaml")
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("DRUG_ASSETS_", "DAGSTER_"))}
    variables = kept | {
        **PATIENT_DAGSTER,
        "DAGSTER_HOME": str(folder),
        "DAGSTER_DISABLE_TELEMETRY": "yes",
        "DRUG_ASSETS_LANDING": str(runs.landing_zone(folder / "landing")),
        "DRUG_ASSETS_STORE": str(store),
    }
    # Of two processes that make the same databases at once, one can fail: `dagster dev`, too, makes
    # them before it starts either.
    dg.DagsterInstance.from_config(str(folder)).dispose()
    number = free_port()
    workspace = ("-w", "workspace.yaml")
    serve = ("dagster-webserver", "-h", "127.0.0.1", "-p", str(number), *workspace)
    with (
        running(folder, *serve, variables=variables),
        running(folder, "dagster-daemon", "run", *workspace, variables=variables),
    ):

        def assets() -> list[Any]:
            try:
                found: list[Any] = graphql(number, ASSETS)["assetNodes"]
            except OSError:
                return []
            return found

        eventually(f"the webserver with its assets, see {folder}", assets)
        yield number


def launched(port: int, job: str, **selection: object) -> str:
    params = {"selector": LOCATION | {"pipelineName": job} | selection, "mode": "default"}
    answer = graphql(port, LAUNCH, params=params)["launchPipelineExecution"]
    assert answer["__typename"] == "LaunchRunSuccess", answer
    run: str = answer["run"]["runId"]
    return run


def ended(port: int, run: str) -> dict[str, Any]:
    def found() -> dict[str, Any] | None:
        now: dict[str, Any] = graphql(port, STATUS, run=run)["runOrError"]
        return now if now["status"] in ENDED else None

    answer: dict[str, Any] = eventually(f"the end of run {run}", found)
    return answer


def materialized(run: dict[str, Any]) -> set[str]:
    return {made["assetKey"]["path"][-1] for made in run["assetMaterializations"]}


def test_job_and_materialize_all_succeed(port: int, store: Path, small_run: runs.Run) -> None:
    of_the_job = {*TABLES, *DOCUMENTS, "release"}
    nodes = graphql(port, ASSETS)["assetNodes"]
    executable = [node["assetKey"] for node in nodes if node["isExecutable"]]
    everything = {key["path"][-1] for key in executable}
    assert {n["assetKey"]["path"][-1] for n in nodes if JOB in n["jobNames"]} == of_the_job

    job = launched(port, JOB)
    # What the button does in a fresh `dagster dev`: all assets, with the checks they have.
    everything_at_once = launched(port, "__ASSET_JOB", assetSelection=executable)
    for run, expected in ((job, of_the_job), (everything_at_once, everything)):
        found = ended(port, run)
        assert found["status"] == "SUCCESS"
        assert materialized(found) == expected
        events = graphql(port, CHECKS, run=run)["logsForRun"]["events"]
        checked = [event["evaluation"]["checkName"] for event in events if event]
        assert len(checked) > len(TABLES)
        assert runs.outputs(store) == runs.outputs(small_run.store)
        assert runs.left_over(store) == []
