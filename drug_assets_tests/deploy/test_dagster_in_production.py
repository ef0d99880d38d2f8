"""`deploy/dagster.yaml` on a real PostgreSQL: it loads whole, and runs wait for each other."""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from drug_assets_tests.support.services import (
    DEPLOY,
    eventually,
    free_port,
    graphql,
    require,
    running,
    running_postgres,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from drug_assets_tests.support.emulators import GcsEmulator

if importlib.util.find_spec("dagster_postgres") is None:
    pytest.skip("dagster-postgres is not installed here", allow_module_level=True)

#: A code location whose run holds on until the test lets it go.
GATED_DEFINITIONS = """
import pathlib, time
import dagster as dg

@dg.op
def wait_for_gate():
    gate = pathlib.Path(__file__).with_name("gate")
    while not gate.exists():
        time.sleep(0.1)

@dg.job(executor_def=dg.in_process_executor)
def gated():
    wait_for_gate()

defs = dg.Definitions(jobs=[gated])
"""

LAUNCH = """
mutation ($selector: JobOrPipelineSelector!) {
  launchRun(executionParams: {selector: $selector}) {
    __typename
    ... on LaunchRunSuccess { run { runId } }
    ... on PythonError { message stack }
  }
}
"""
RUNS = "{ runsOrError { ... on Runs { results { runId status startTime endTime } } } }"
LOCATIONS = """
{ workspaceOrError { ... on Workspace { locationEntries {
  name loadStatus locationOrLoadError { __typename }
} } } }
"""
DAEMONS = "{ instance { daemonHealth { allDaemonStatuses { daemonType healthy required } } } }"
SELECTOR = {
    "repositoryLocationName": "drug_assets",
    "repositoryName": "__repository__",
    "jobName": "gated",
}


@pytest.fixture(scope="module")
def postgres_url() -> Iterator[str]:
    with running_postgres() as url:
        yield url


def production_settings() -> dict[str, Any]:
    settings: dict[str, Any] = yaml.safe_load((DEPLOY / "dagster.yaml").read_text("utf-8"))
    return settings


def local_settings() -> dict[str, Any]:
    """Production, but runs are processes here and their logs files here: no Google in between."""
    return production_settings() | {
        "run_launcher": {"module": "dagster", "class": "DefaultRunLauncher"},
        "compute_logs": {
            "module": "dagster._core.storage.local_compute_log_manager",
            "class": "LocalComputeLogManager",
            "config": {"base_dir": {"env": "DAGSTER_HOME"}},
        },
    }


def test_every_part_of_the_production_instance_is_constructed(
    postgres_url: str,
    gcs_emulator: GcsEmulator,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    pytest.importorskip("dagster_contrib_gcp", reason="dagster-contrib-gcp is not installed here")
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric import rsa
    from dagster import DagsterInstance

    key = rsa.generate_private_key(public_exponent=65537, key_size=2048).private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    credentials = {
        "type": "service_account",
        "project_id": "some-project",
        "private_key": key.decode(),
        "client_email": "dagster@some-project.iam.gserviceaccount.com",
        "token_uri": "http://127.0.0.1:9/token",
    }
    (tmp_path / "key.json").write_text(json.dumps(credentials), "utf-8")
    (tmp_path / "dagster.yaml").write_bytes((DEPLOY / "dagster.yaml").read_bytes())
    gcs_emulator.client().create_bucket("dagster-logs")
    for name, value in {
        "DAGSTER_POSTGRES_URL": postgres_url,
        "DAGSTER_COMPUTE_LOGS_BUCKET": "dagster-logs",
        "GOOGLE_CLOUD_PROJECT": "some-project",
        "GOOGLE_CLOUD_REGION": "europe-west1",
        "GOOGLE_APPLICATION_CREDENTIALS": str(tmp_path / "key.json"),
        "STORAGE_EMULATOR_HOST": gcs_emulator.url,
    }.items():
        monkeypatch.setenv(name, value)

    with DagsterInstance.from_config(str(tmp_path)) as instance:
        launcher = instance.run_launcher
        parts = {
            type(part).__name__
            for part in (
                instance.run_storage,
                instance.event_log_storage,
                instance.schedule_storage,
                instance.run_coordinator,
                launcher,
                instance.compute_log_manager,
            )
        }
        assert parts == {
            "PostgresRunStorage",
            "PostgresEventLogStorage",
            "PostgresScheduleStorage",
            "QueuedRunCoordinator",
            "CloudRunRunLauncher",
            "GCSComputeLogManager",
        }
        assert launcher.fully_qualified_job_name("drug_assets") == (  # type: ignore[attr-defined]
            "projects/some-project/locations/europe-west1/jobs/drug-assets-dagster-run"
        )
        queue = instance.get_concurrency_config().run_queue_config
        assert queue is not None
        assert queue.max_concurrent_runs == 1
        assert instance.run_retries_enabled
        assert instance.run_monitoring_enabled
        assert not instance.telemetry_enabled
        assert not instance.nux_enabled


def test_a_second_run_waits_its_turn(postgres_url: str, tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir()
    (home / "dagster.yaml").write_text(yaml.safe_dump(local_settings()), "utf-8")
    (tmp_path / "gated.py").write_text(GATED_DEFINITIONS, "utf-8")
    code_port, web_port = free_port(), free_port()
    own_programs = str(Path(sys.executable).parent)
    environment = {
        "PATH": own_programs + os.pathsep + os.environ["PATH"],
        "HOME": str(tmp_path),
        "PYTHONPATH": str(tmp_path),
        "DAGSTER_HOME": str(home),
        "DAGSTER_POSTGRES_URL": postgres_url,
        "DRUG_ASSETS_CODE_SERVER_HOST": "127.0.0.1",
        "DRUG_ASSETS_CODE_SERVER_PORT": str(code_port),
    }
    dagster = require("dagster", own_programs)
    webserver = require("dagster-webserver", own_programs)
    daemon = require("dagster-daemon", own_programs)
    here = "127.0.0.1"
    workspace = ["-w", str(DEPLOY / "workspace.yaml")]
    code_server = [dagster, "code-server", "start", "-m", "gated", "-h", here, "-p", str(code_port)]

    with (
        running("code-server", code_server, environment, tmp_path),
        running(
            "webserver",
            [webserver, *workspace, "-h", here, "-p", str(web_port)],
            environment,
            tmp_path,
        ),
        running("daemon", [daemon, "run", *workspace], environment, tmp_path),
    ):
        eventually("the code location to load", lambda: _loaded(web_port), 120)

        first, second = (_launched(web_port) for _ in range(2))

        eventually("the first run to start", lambda: _runs(web_port)[first]["status"] == "STARTED")
        eventually("every daemon to be healthy", lambda: _daemons_are_healthy(web_port))
        assert _runs(web_port)[second]["status"] == "QUEUED"

        assert _healthy(environment, "dagster-webserver", "-p", str(web_port))
        assert _healthy(environment, "dagster-daemon", "run")
        assert _healthy(environment, "dagster", "code-server", "start", "-p", str(code_port))
        nobody = str(free_port())
        assert not _healthy(environment, "dagster-webserver", f"--port={nobody}")
        assert not _healthy(environment, "dagster", "code-server", "start", "--port", nobody)

        (tmp_path / "gate").touch()
        eventually(
            "both runs to succeed",
            lambda: {run["status"] for run in _runs(web_port).values()} == {"SUCCESS"},
            120,
        )
        runs = _runs(web_port)
        assert runs[first]["endTime"] <= runs[second]["startTime"]


def _healthy(environment: dict[str, str], *command: str) -> bool:
    """What the image's health check says of a container that runs this command."""
    check = "import healthcheck, sys; sys.exit(0 if healthcheck.healthy(sys.argv[1:]) else 1)"
    done = subprocess.run(
        [sys.executable, "-c", check, *command],
        env=environment | {"PYTHONPATH": str(DEPLOY)},
        check=False,
    )
    return done.returncode == 0


def _loaded(port: int) -> bool:
    try:
        entries = graphql(port, LOCATIONS)["workspaceOrError"]["locationEntries"]
    except OSError:
        return False
    return [(e["name"], (e["locationOrLoadError"] or {}).get("__typename")) for e in entries] == [
        ("drug_assets", "RepositoryLocation")
    ]


def _launched(port: int) -> str:
    answer = graphql(port, LAUNCH, selector=SELECTOR)["launchRun"]
    assert answer["__typename"] == "LaunchRunSuccess", answer
    return str(answer["run"]["runId"])


def _runs(port: int) -> dict[str, dict[str, Any]]:
    return {run["runId"]: run for run in graphql(port, RUNS)["runsOrError"]["results"]}


def _daemons_are_healthy(port: int) -> bool:
    statuses = graphql(port, DAEMONS)["instance"]["daemonHealth"]["allDaemonStatuses"]
    required = [status for status in statuses if status["required"]]
    return bool(required) and all(status["healthy"] for status in required)
