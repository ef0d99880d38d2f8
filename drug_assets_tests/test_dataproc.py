"""Sessions at Google: asked for, reached through the tunnel, and ended in every case."""

from __future__ import annotations

import logging
import sys
from typing import TYPE_CHECKING, Any

import pytest

from drug_assets.engines import dataproc, sessions
from drug_assets.engines.sessions import SparkError, SparkUnavailableError
from drug_assets_tests.support.fake_dataproc import (
    TOKEN,
    FakeDataproc,
    running_dataproc,
    version_server,
)

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from drug_assets_tests.support.spark_server import SparkServer

pytestmark = [
    pytest.mark.slow,  # each test starts a service with TLS
    # A thread of Google's client opens each connection through the tunnel, and fails by itself
    # where the session ends meanwhile.
    pytest.mark.filterwarnings(
        r"ignore:Exception in thread .*\(forward_connection\):"
        "pytest.PytestUnhandledThreadExceptionWarning"
    ),
]

ADDRESS = "dataproc://drugs-production-1/europe-west1/drug-assets"
IMAGE = "europe-west1-docker.pkg.dev/drugs-production-1/drug-assets/drug-assets-executor:1.2.3"
LOCATION = "projects/drugs-production-1/locations/europe-west1"
#: The package of Google's client.
CLIENT = "google.cloud.dataproc_spark_connect"


@pytest.fixture(autouse=True)
def _installed() -> None:
    pytest.importorskip(CLIENT, reason="Google's client of Spark")


@pytest.fixture
def service(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeDataproc]:
    monkeypatch.setattr(dataproc, "_POLL_SECONDS", 0.05)
    with (
        version_server("4.0.1") as spark_port,
        running_dataproc(tmp_path, spark_port, monkeypatch) as running,
    ):
        yield running


def states(service: FakeDataproc) -> list[str]:
    return [made.state.name for made in service.sessions.values()]


def test_a_session_is_of_the_template_and_has_the_image_of_the_run(service: FakeDataproc) -> None:
    with dataproc.session(ADDRESS, IMAGE) as opened:
        ((name, made),) = service.sessions.items()
        assert opened.spark.version == "4.0.1"
        assert opened.is_open()
    (asked,) = [request for method, request in service.requests if method == "CreateSession"]
    assert asked.parent == LOCATION
    assert asked.request_id
    assert made.session_template == f"{LOCATION}/sessionTemplates/drug-assets"
    assert made.runtime_config.container_image == IMAGE
    assert not made.runtime_config.version  # the template says it
    assert "spark_connect_session" in made
    assert asked.session_id == name.rpartition("/")[2]
    page = "https://console.cloud.google.com/dataproc/interactive/europe-west1/"
    assert opened.ui == (
        f"{page}{asked.session_id}/sparkApplications/applications?project=drugs-production-1"
    )


def test_the_tunnel_is_logged_in(service: FakeDataproc) -> None:
    with dataproc.session(ADDRESS, IMAGE):
        pass
    assert set(service.tunnels) == {f"Bearer {TOKEN}"}


@pytest.mark.spark
def test_a_real_spark_works_behind_the_tunnel(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, spark_server: SparkServer
) -> None:
    def double(batches: Iterator[Any]) -> Iterator[Any]:
        import pyarrow as pa  # type: ignore[import-untyped]

        for batch in batches:
            yield pa.record_batch([pa.array([2 * n for n in batch["id"].to_pylist()])], ["id"])

    with (
        running_dataproc(tmp_path, spark_server.port, monkeypatch) as running,
        dataproc.session(ADDRESS, IMAGE) as opened,
    ):
        # The answer needs many messages of the tunnel.
        numbers = opened.spark.range(0, 100_000, 1, 2).mapInArrow(double, "id long")
        assert sorted(numbers.toArrow()["id"].to_pylist()) == list(range(0, 200_000, 2))
        assert states(running) == ["ACTIVE"]
    assert states(running) == ["TERMINATED"]


def test_a_session_ends_with_its_work(service: FakeDataproc) -> None:
    with dataproc.session(ADDRESS, IMAGE) as opened:
        assert states(service) == ["ACTIVE"]
    assert states(service) == ["TERMINATED"]
    assert service.methods == ["CreateSession", "TerminateSession"]
    assert opened.spark.is_stopped


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt, SystemExit])
def test_a_session_ends_with_a_run_that_fails_or_is_cancelled(
    service: FakeDataproc, error: type[BaseException]
) -> None:
    with pytest.raises(error), dataproc.session(ADDRESS, IMAGE):
        raise error
    assert states(service) == ["TERMINATED"]


def test_a_session_that_does_not_start_in_time_is_ended(
    service: FakeDataproc, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dataproc, "_START_SECONDS", 0.3)
    service.starts = False
    with pytest.raises(SparkUnavailableError, match="Dataproc opened no session"):
        dataproc.session(ADDRESS, IMAGE).__enter__()
    assert states(service) == ["TERMINATED"]


def test_a_session_that_is_being_started_is_ended_as_soon_as_google_lets_it(
    service: FakeDataproc, monkeypatch: pytest.MonkeyPatch
) -> None:
    grpc = pytest.importorskip("grpc")
    monkeypatch.setattr(dataproc, "_START_SECONDS", 0.3)
    service.starts = False
    service.refusals["TerminateSession"] = [(grpc.StatusCode.ABORTED, "in creation")]
    with pytest.raises(SparkUnavailableError, match="Dataproc opened no session"):
        dataproc.session(ADDRESS, IMAGE).__enter__()
    assert states(service) == ["TERMINATED"]
    assert service.methods.count("TerminateSession") == 2


@pytest.mark.parametrize(
    ("code", "error", "told"),
    [
        ("PERMISSION_DENIED", SparkError, "Grant roles/dataproc.serverlessEditor"),
        ("NOT_FOUND", SparkError, "Apply Terraform with spark.enabled"),
        ("INVALID_ARGUMENT", SparkError, "refuses the session: because"),
        ("RESOURCE_EXHAUSTED", SparkUnavailableError, "opened no session"),
    ],
)
def test_what_google_refuses_is_explained(
    service: FakeDataproc,
    monkeypatch: pytest.MonkeyPatch,
    code: str,
    error: type[SparkError],
    told: str,
) -> None:
    grpc = pytest.importorskip("grpc")
    monkeypatch.setattr(dataproc, "_RETRY_SECONDS", 0.1)
    service.refusals["CreateSession"] = [(grpc.StatusCode[code], "because")] * 9
    with pytest.raises(error, match=told) as raised:
        dataproc.session(ADDRESS, IMAGE).__enter__()
    assert isinstance(raised.value, SparkUnavailableError) == (error is SparkUnavailableError)
    assert service.sessions == {}


def test_a_busy_service_is_asked_again_for_the_same_session(service: FakeDataproc) -> None:
    grpc = pytest.importorskip("grpc")
    service.refusals["CreateSession"] = [(grpc.StatusCode.UNAVAILABLE, "busy")]
    with dataproc.session(ADDRESS, IMAGE):
        assert len(service.sessions) == 1
    ids = {made.request_id for method, made in service.requests if method == "CreateSession"}
    assert service.methods == ["CreateSession", "CreateSession", "TerminateSession"]
    assert len(ids) == 1


def test_a_session_that_google_has_ended_is_told_at_the_next_call(service: FakeDataproc) -> None:
    with dataproc.session(ADDRESS, IMAGE) as opened:
        (made,) = service.sessions.values()
        made.state = type(made.state).TERMINATED
        assert not opened.is_open()
        with pytest.raises(SparkUnavailableError, match="has ended"):
            opened.spark.sql("SELECT 1").collect()


def test_a_session_that_google_has_ended_is_opened_again(service: FakeDataproc) -> None:
    try:
        first = sessions.borrow_session(ADDRESS, IMAGE)
        assert sessions.borrow_session(ADDRESS, IMAGE) is first
        (made,) = service.sessions.values()
        made.state = type(made.state).TERMINATED
        second = sessions.borrow_session(ADDRESS, IMAGE)
        assert second is not first
        assert second.is_open()
    finally:
        sessions.close_session()
    assert states(service) == ["TERMINATED", "TERMINATED"]


def test_a_server_that_is_older_than_the_client_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with (
        version_server("3.5.1") as spark_port,
        running_dataproc(tmp_path, spark_port, monkeypatch) as running,
    ):
        with pytest.raises(SparkError, match=r"is 3\.5\.1, older than its client"):
            dataproc.session(ADDRESS, IMAGE).__enter__()
        assert states(running) == ["TERMINATED"]


def test_what_cannot_be_ended_is_logged(
    service: FakeDataproc, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    grpc = pytest.importorskip("grpc")
    monkeypatch.setattr(dataproc, "_RETRY_SECONDS", 0.1)
    with dataproc.session(ADDRESS, IMAGE):
        service.refusals["TerminateSession"] = [(grpc.StatusCode.UNAVAILABLE, "busy")] * 9
    assert "was not ended, Google will do it" in caplog.text


def test_googles_client_leaves_the_logs_of_the_process_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(tmp_path / "none.json"))
    # Only the first import sets up logs, and other tests have imported the client already.
    for name in [name for name in sys.modules if name.startswith(CLIENT)]:
        monkeypatch.delitem(sys.modules, name)
    root = logging.getLogger()
    monkeypatch.setattr(root, "handlers", [])
    before = root.level
    with pytest.raises(SparkError, match="Google login"):
        dataproc.session(ADDRESS, IMAGE).__enter__()
    assert f"{CLIENT}.session" in sys.modules
    assert (root.handlers, root.level) == ([], before)


@pytest.mark.parametrize(
    "address",
    [
        "dataproc://drugs-production-1/europe-west1",
        "dataproc:///europe-west1/drug-assets",
        "dataproc://drugs-production-1/europe-west1/drug-assets/more",
    ],
)
def test_an_address_names_project_region_and_template(address: str) -> None:
    with pytest.raises(SparkError, match="dataproc://PROJECT/REGION/TEMPLATE"):
        dataproc.session(address, IMAGE).__enter__()


@pytest.mark.parametrize("image", [None, ""])
def test_the_image_of_the_executors_is_named(image: Any) -> None:
    with pytest.raises(SparkError, match="DRUG_ASSETS_SPARK_IMAGE is not set"):
        dataproc.session(ADDRESS, image).__enter__()


def test_a_missing_login_is_explained(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(tmp_path / "none.json"))
    with pytest.raises(SparkError, match="gcloud auth application-default login"):
        dataproc.session(ADDRESS, IMAGE).__enter__()
