"""The service for readers: its command in its environment, as Terraform gives them, on a bucket.

A proxy in front of the emulator permits what the service's account may do, and nothing else.
"""

from __future__ import annotations

import os
import re
import secrets
import signal
import sys
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from drug_assets.storage.google.bucket import Bucket
from drug_assets.storage.pointer import Pointer
from drug_assets_tests.support import clouds, runs
from drug_assets_tests.support.faulty_proxy import FaultyProxy, faulty_proxy
from drug_assets_tests.support.local_servers import PATIENCE_SECONDS
from drug_assets_tests.support.services import eventually, free_port, running
from drug_assets_tests.support.terraform import copy_configuration, evaluate, make_checker

if TYPE_CHECKING:
    from collections.abc import Iterator

    from drug_assets_tests.support.emulators import GcsEmulator

pytestmark = pytest.mark.processes

SERVICE = "module.readers[0].google_cloud_run_v2_service.readers"
PROJECT = f"drugs-{secrets.token_hex(6)}"


@dataclass(frozen=True)
class Declared:
    """The service as it would be deployed."""

    command: list[str]
    environment: dict[str, str]
    probe: str
    #: The roles of its account, by bucket.
    roles: dict[str, set[str]]
    #: Where the disk is mounted.
    scratch: str


@pytest.fixture(scope="module")
def declared(tmp_path_factory: pytest.TempPathFactory) -> Declared:
    variables = {
        "project_id": PROJECT,
        "project_number": "123456789012",
        "image": "europe-west1-docker.pkg.dev/drugs/drug-assets/drug-assets:0.1.0",
        "readers": {"enabled": True},
    }
    checker = make_checker(tmp_path_factory.mktemp("checker"))
    configuration = copy_configuration(tmp_path_factory.mktemp("configuration"))
    resources = evaluate(checker, configuration, variables)
    template = resources[SERVICE]["template"][0]
    (container,) = template["containers"]
    (mounted,) = container["volume_mounts"]
    (probe,) = {
        container[kind][0]["http_get"][0]["path"] for kind in ("startup_probe", "liveness_probe")
    }
    member = f"serviceAccount:{template['service_account']}"
    roles: dict[str, set[str]] = {}
    for values in resources.values():
        if values.get("member") == member:
            roles.setdefault(str(values.get("bucket")), set()).add(values["role"])
    return Declared(
        container["args"],
        {variable["name"]: variable["value"] for variable in container["env"]},
        probe,
        roles,
        mounted["mount_path"],
    )


class Deployed:
    """The service, started with what its account may do."""

    def __init__(self, declared: Declared, proxy: FaultyProxy, folder: Path) -> None:
        self._declared, self._proxy, self._folder = declared, proxy, folder
        self.scratch = folder / "scratch"
        self.bucket = declared.environment["DRUG_ASSETS_STORE"].removeprefix("gs://")
        self.may_read = True
        proxy.fault = self._judge

    def _judge(self, _: int) -> str | None:
        """403, but for what roles/storage.objectViewer permits: objects, not the bucket itself."""
        asked = rf"GET (/download)?/storage/v1/b/{self.bucket}/o([/?].*)?"
        permitted = self.may_read and re.fullmatch(asked, self._proxy.requests[-1])
        return None if permitted else "403"

    @contextmanager
    def running(self) -> Iterator[httpx.Client]:
        self.scratch.mkdir()
        port = str(free_port())
        environment = {
            name: value.replace(self._declared.scratch, str(self.scratch))
            for name, value in self._declared.environment.items()
        }
        programs = Path(sys.executable).parent
        environment |= {
            "PATH": os.pathsep.join([str(programs), os.environ["PATH"]]),
            "HOME": str(self._folder),
            # What Cloud Run sets.
            "PORT": port,
            "K_SERVICE": "drug-assets-readers",
            # Instead of Google.
            "STORAGE_EMULATOR_HOST": self._proxy.url,
        }
        with (
            running("readers", self._declared.command, environment, self._folder) as process,
            httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=PATIENCE_SECONDS) as client,
        ):
            eventually("the probe", lambda: self._is_well(client) or process.poll() is not None)
            yield client
            process.send_signal(signal.SIGTERM)
            assert process.wait(PATIENCE_SECONDS) in {0, -signal.SIGTERM}, self.said

    def _is_well(self, client: httpx.Client) -> bool:
        try:
            return client.get(self._declared.probe).status_code == 200
        except httpx.TransportError:
            return False

    @property
    def said(self) -> str:
        return (self._folder / "readers.log").read_text("utf-8")


@pytest.fixture
def deployed(declared: Declared, gcs_emulator: GcsEmulator, tmp_path: Path) -> Iterator[Deployed]:
    with ExitStack() as stack:
        proxy = stack.enter_context(faulty_proxy(gcs_emulator.url))
        service = Deployed(declared, proxy, tmp_path)
        bucket = gcs_emulator.client().create_bucket(service.bucket)
        stack.callback(bucket.delete, force=True)
        yield service


def release(
    run: runs.Run, gcs_emulator: GcsEmulator, bucket: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Put the release of a run into a bucket, past the proxy."""
    with monkeypatch.context() as patch:
        clouds.reach(patch, gcs_emulator.url)
        clouds.upload(gcs_emulator, run.store / "releases", bucket, "releases")
        name = runs.current(run.store).name
        assert Bucket.at(f"gs://{bucket}").swap_pointer(None, Pointer(name, None, (name,)))


def test_it_may_read_the_store_and_nothing_else(declared: Declared) -> None:
    assert declared.roles == {f"{PROJECT}-drug-assets-store": {"roles/storage.objectViewer"}}


def test_it_is_well_before_the_first_release_and_serves_it_then(
    deployed: Deployed,
    small_run: runs.Run,
    gcs_emulator: GcsEmulator,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with deployed.running() as client:
        assert client.get("/health").status_code == 503

        release(small_run, gcs_emulator, deployed.bucket, monkeypatch)

        health = eventually("the release", lambda: served(client))
        assert health["release"] == runs.current(small_run.store).name
        assert client.get("/", follow_redirects=True).status_code == 200
        assert client.get("/graph.json").content == small_run.graph.read_bytes()
        assert client.get("/api/drugs").json()["total"] == 3
        # What was copied of the release lies on the disk.
        assert any(path.is_file() for path in deployed.scratch.rglob("*"))


def test_it_waits_for_the_right_to_read(
    deployed: Deployed,
    small_run: runs.Run,
    gcs_emulator: GcsEmulator,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    release(small_run, gcs_emulator, deployed.bucket, monkeypatch)
    deployed.may_read = False
    with deployed.running() as client:
        refused = client.get("/health")
        assert refused.status_code == 503
        assert "grant roles/storage.objectViewer" in refused.json()["error"]
        assert "grant roles/storage.objectViewer" in deployed.said

        deployed.may_read = True

        assert client.get("/health").status_code == 200


def served(client: httpx.Client) -> dict[str, Any] | None:
    """What `/health` says, once there is a release."""
    answer = client.get("/health")
    told: dict[str, Any] = answer.json()
    return told if answer.status_code == 200 else None
