"""Dagster as deployed: `deploy/dagster.yaml` on a real PostgreSQL, and the declared processes."""

from __future__ import annotations

import importlib.util
import json
import logging
import os
import re
import subprocess
import sys
import uuid
from contextlib import ExitStack
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, cast

import pytest
import sqlalchemy
import yaml
from dagster import DagsterEvent, DagsterEventType, DagsterInstance, DagsterRun, DagsterRunStatus
from dagster._core.code_pointer import ModuleCodePointer
from dagster._core.errors import DagsterInvalidConfigError
from dagster._core.origin import JobPythonOrigin, RepositoryPythonOrigin
from dagster._core.remote_origin import (
    RegisteredCodeLocationOrigin,
    RemoteJobOrigin,
    RemoteRepositoryOrigin,
)
from dagster._core.test_utils import create_run_for_test
from dagster._daemon.monitoring import run_monitoring

from drug_assets_tests.support.local_servers import PATIENCE_SECONDS
from drug_assets_tests.support.services import (
    DEPLOY,
    PATIENT_DAGSTER,
    eventually,
    free_port,
    graphql,
    require,
    running,
    running_postgres,
    two_namespaces,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from drug_assets_tests.support.emulators import GcsEmulator

if importlib.util.find_spec("dagster_postgres") is None:
    pytest.skip("dagster-postgres is not installed here", allow_module_level=True)

LOGGER = logging.getLogger(__name__)

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
def postgres() -> Iterator[Path]:
    with running_postgres() as folder:
        yield folder


@pytest.fixture
def postgres_url(postgres: Path) -> str:
    """A database of each test's own: what one test runs is not in another's queue."""
    name = f"dagster_{uuid.uuid4().hex}"
    # As Terraform writes it.
    url = "postgresql+psycopg2://dagster@/{}?host=" + str(postgres)
    engine = sqlalchemy.create_engine(url.format("postgres"), isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(sqlalchemy.text(f"CREATE DATABASE {name}"))
    engine.dispose()
    return url.format(name)


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


@pytest.fixture
def production_home(
    postgres_url: str,
    gcs_emulator: GcsEmulator,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Path:
    """A DAGSTER_HOME with `deploy/dagster.yaml` as it is, and the variables that it reads."""
    pytest.importorskip("dagster_contrib_gcp", reason="dagster-contrib-gcp is not installed here")
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric import rsa

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
    logs = f"dagster-logs-{uuid.uuid4().hex}"
    gcs_emulator.client().create_bucket(logs)
    for name, value in {
        "DAGSTER_POSTGRES_URL": postgres_url,
        "DAGSTER_COMPUTE_LOGS_BUCKET": logs,
        "DRUG_ASSETS_RUN_TIMEOUT_SECONDS": "3600",
        "GOOGLE_CLOUD_PROJECT": "some-project",
        "GOOGLE_CLOUD_REGION": "europe-west1",
        "GOOGLE_APPLICATION_CREDENTIALS": str(tmp_path / "key.json"),
        "STORAGE_EMULATOR_HOST": gcs_emulator.url,
    }.items():
        monkeypatch.setenv(name, value)
    return tmp_path


def test_every_part_of_the_production_instance_is_constructed(production_home: Path) -> None:
    with DagsterInstance.from_config(str(production_home)) as instance:
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
            "TimedRunLauncher",
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


class CloudRun:
    """Both clients of the launcher: an execution that is started runs until it is cancelled."""

    def __init__(self) -> None:
        self.started: list[Any] = []
        self.cancelled: list[str] = []

    def run_job(self, request: Any) -> SimpleNamespace:
        self.started.append(request)
        return SimpleNamespace(metadata=SimpleNamespace(name=f"{request.name}/executions/first"))

    def get_execution(self, **_: Any) -> SimpleNamespace:
        return SimpleNamespace(reconciling=True)

    def cancel_execution(self, request: Any) -> None:
        self.cancelled.append(request.name)


@pytest.mark.parametrize("seconds", [900, 86_400], ids=["shorter", "longer"])
def test_a_run_may_take_as_long_as_the_deployment_says(
    production_home: Path, monkeypatch: pytest.MonkeyPatch, seconds: int
) -> None:
    monkeypatch.setenv("DRUG_ASSETS_RUN_TIMEOUT_SECONDS", str(seconds))
    cloud_run = CloudRun()
    with DagsterInstance.from_config(str(production_home)) as instance:
        launcher: Any = instance.run_launcher
        launcher.jobs_client = launcher.executions_client = cloud_run
        # A run that is started again has the limit that it was first launched with.
        run = queued_run(instance, tags={"dagster/max_runtime": "7200"})

        instance.launch_run(run.run_id, cast("Any", None))

        (request,) = cloud_run.started
        assert request.overrides.timeout == timedelta(seconds=seconds)

        begun = DagsterEvent(DagsterEventType.RUN_START.value, run.job_name)
        instance.report_dagster_event(begun, run.run_id)
        record = instance.get_run_record_by_id(run.run_id)
        assert record
        assert record.start_time
        for passed, status in [
            (seconds - 1, DagsterRunStatus.STARTED),
            (seconds + 1, DagsterRunStatus.FAILURE),
        ]:
            now = record.start_time + passed
            monkeypatch.setattr(run_monitoring, "get_current_timestamp", lambda now=now: now)
            run_monitoring.monitor_started_run(instance, cast("Any", None), record, LOGGER)
            after = instance.get_run_by_id(run.run_id)
            assert after
            assert after.status == status
        assert cloud_run.cancelled == [f"{request.name}/executions/first"]


def test_without_a_time_out_dagster_does_not_start(
    production_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("DRUG_ASSETS_RUN_TIMEOUT_SECONDS")
    with (
        DagsterInstance.from_config(str(production_home)) as instance,
        pytest.raises(DagsterInvalidConfigError, match="DRUG_ASSETS_RUN_TIMEOUT_SECONDS"),
    ):
        _ = instance.run_launcher


def queued_run(instance: DagsterInstance, tags: dict[str, str]) -> DagsterRun:
    """A run of the deployed code location that no launcher has seen."""
    location = RegisteredCodeLocationOrigin("drug_assets")
    code = RepositoryPythonOrigin(
        executable_path=sys.executable,
        code_pointer=ModuleCodePointer("drug_assets.definitions", "defs"),
    )
    run: DagsterRun = create_run_for_test(
        instance,
        job_name="pipeline",
        tags=tags,
        remote_job_origin=RemoteJobOrigin(
            RemoteRepositoryOrigin(location, "__repository__"), "pipeline"
        ),
        job_code_origin=JobPythonOrigin("pipeline", code),
    )
    return run


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
        **PATIENT_DAGSTER,
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
        eventually("the code location to load", lambda: _loaded(web_port))

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
        )
        runs = _runs(web_port)
        assert runs[first]["endTime"] <= runs[second]["startTime"]


@pytest.mark.processes
def test_what_cloud_run_probes_answers_from_elsewhere(postgres_url: str, tmp_path: Path) -> None:
    (tmp_path / "dagster.yaml").write_text(yaml.safe_dump(local_settings()), "utf-8")
    own_programs = str(Path(sys.executable).parent)
    environment = {
        "PATH": own_programs + os.pathsep + os.environ["PATH"],
        "HOME": str(tmp_path),
        **PATIENT_DAGSTER,
        "DAGSTER_HOME": str(tmp_path),
        "DAGSTER_POSTGRES_URL": postgres_url,
        "DRUG_ASSETS_CODE_SERVER_HOST": "127.0.0.1",
        "DRUG_ASSETS_CODE_SERVER_PORT": "4000",
    }
    commands = {name: declared_command(name) for name in ("code-server", "webserver", "daemon")}

    def port(container: str) -> str:
        command = commands[container]
        return command[command.index("--port") + 1]

    with two_namespaces() as (beside_the_server, server, elsewhere), ExitStack() as stack:

        def succeeds(*command: str) -> bool:
            return subprocess.run(command, env=environment, check=False).returncode == 0

        def code_server_answers(host: str) -> bool:
            check = ["dagster", "api", "grpc-health-check", "--host", host]
            return succeeds(*elsewhere, *check, "--port", port("code-server"))

        def webserver_answers(host: str) -> bool:
            address = f"http://{host}:{port('webserver')}/server_info"
            check = f"import urllib.request; urllib.request.urlopen({address!r}, timeout=60)"
            return succeeds(*elsewhere, sys.executable, "-c", check)

        for name, command in commands.items():
            program = [*beside_the_server, *command]
            stack.enter_context(running(name, program, environment, tmp_path))
        eventually("the code server to answer", lambda: code_server_answers(server))
        eventually("the webserver to answer", lambda: webserver_answers(server))
        liveness = [*beside_the_server, "dagster-daemon", "liveness-check"]
        eventually("the daemon to be well", lambda: succeeds(*liveness))
        for answers in (code_server_answers, webserver_answers):
            assert not answers("127.0.0.1"), "the probe came from beside the server"
    left = subprocess.run(
        [beside_the_server[0], "netns", "list"], check=True, capture_output=True, text=True
    )
    assert beside_the_server[-1] not in left.stdout
    assert elsewhere[-1] not in left.stdout


def declared_command(container: str) -> list[str]:
    """The command of a container of Dagster's service, as Terraform declares it."""
    declared = (DEPLOY / "terraform" / "modules" / "dagster" / "main.tf").read_text("utf-8")
    found = re.search(rf'name += "{container}"\n +command += (\[.*\])\n', declared)
    assert found
    command: list[str] = json.loads(found[1])
    in_image, here = "/opt/dagster/workspace.yaml", str(DEPLOY / "workspace.yaml")
    return [here if word == in_image else word for word in command]


@pytest.mark.processes
@pytest.mark.parametrize(("program", "well"), [("exit 0", True), ("exit 1", False)])
def test_a_daemon_is_as_well_as_its_own_check_says(
    tmp_path: Path, program: str, well: bool
) -> None:
    assert _healthy(_with_a_daemon(tmp_path, program), "dagster-daemon", "run") == well


@pytest.mark.processes
def test_a_daemon_whose_check_does_not_end_in_time_is_not_well(tmp_path: Path) -> None:
    environment = _with_a_daemon(tmp_path, "exec sleep 3600")
    assert not _healthy(environment, "dagster-daemon", "run", seconds=0.2)


def _with_a_daemon(folder: Path, program: str) -> dict[str, str]:
    """An environment in which this shell program is Dagster's daemon."""
    daemon = folder / "dagster-daemon"
    daemon.write_text(f"#!/bin/sh\n{program}\n")
    daemon.chmod(0o755)
    return {"PATH": os.pathsep.join([str(folder), os.environ["PATH"]])}


def _healthy(environment: dict[str, str], *command: str, seconds: float = PATIENCE_SECONDS) -> bool:
    """What the image's health check says of a container that runs this command."""
    check = (
        f"import healthcheck, sys; healthcheck.TIMEOUT_SECONDS = {seconds}\n"
        "sys.exit(0 if healthcheck.healthy(sys.argv[1:]) else 1)"
    )
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
