"""Sessions of Google's Serverless for Apache Spark, whose API is Dataproc.

A session is made of a template (`deploy/terraform/modules/spark`), which says all but the image:
runtime, executors, account, network. Google's client tunnels Spark Connect to it. What is done in a
session does not belong here.
"""

from __future__ import annotations

import logging
import os
import re
import uuid
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING, Any

from drug_assets.engines.sessions import (
    Opened,
    SparkError,
    SparkUnavailableError,
    close_client,
    require_server,
    tell_error,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

#: Google gives a driver ten minutes to start, and says why it did not.
_START_SECONDS = 900.0
_POLL_SECONDS = 5.0
#: For calls that a busy or restarting service refuses.
_RETRY_SECONDS = 60.0
_ENDPOINT = "Spark Connect Server"
_CONSOLE = "https://console.cloud.google.com/dataproc/interactive"

_LOGGER = logging.getLogger(__name__)


@dataclass(frozen=True)
class _Template:
    """A session template."""

    project: str
    region: str
    name: str

    @classmethod
    def of(cls, address: str) -> _Template:
        parts = re.fullmatch(r"dataproc://([^/\s]+)/([^/\s]+)/([^/\s]+)/?", address)
        if parts is None:
            raise SparkError(
                f"{address} is no session template: it should be dataproc://PROJECT/REGION/TEMPLATE"
            )
        return cls(*parts.groups())

    @property
    def location(self) -> str:
        return f"projects/{self.project}/locations/{self.region}"


@contextmanager
def session(address: str, image: str | None) -> Iterator[Opened]:
    """A new session; it, and what it is doing, ends with the context.

    It takes a minute or two to start. A process that is killed ends nothing: then Google ends the
    session, after the times in its template.

    Args:
        address: the session template, as `dataproc://PROJECT/REGION/TEMPLATE`.
        image: the image of drivers and executors, with the code of this process.

    Raises:
        SparkError: the session cannot be opened; the message explains what to do.
        SparkUnavailableError: Google did not open it now.
    """
    template = _Template.of(address)
    if not image:
        raise SparkError(
            "DRUG_ASSETS_SPARK_IMAGE is not set: it names the image of the executors, with the "
            "same code. The image of a job that is built with --build-arg EXECUTOR_IMAGE=… sets it"
        )
    client = _make_client(template)
    name = f"{template.location}/sessions/{_make_id()}"
    spark = None
    try:
        spark = _connect(client, _start(client, template, name, image))
        yield Opened(spark, _page(template, name), partial(_is_active, client, name))
    finally:
        # Before the channel is closed: nothing is to wait for an answer of what is gone.
        _terminate(client, name)
        if spark is not None:
            close_client(spark)


def _make_client(template: _Template) -> Any:
    """A client of Dataproc in the region of a template."""
    try:
        _channel_builder()  # whether it is here, too
        from google.auth.exceptions import GoogleAuthError
        from google.cloud.dataproc_v1 import SessionControllerClient
    except ImportError as error:
        raise SparkError(
            "sessions at Google need its client: pip install 'drug_assets[spark,dataproc]', then "
            f"pip install --no-deps dataproc-spark-connect ({error})"
        ) from error
    # The variable is that of Google's own client.
    endpoint = os.environ.get(
        "GOOGLE_CLOUD_DATAPROC_API_ENDPOINT", f"{template.region}-dataproc.googleapis.com"
    )
    try:
        return SessionControllerClient(client_options={"api_endpoint": endpoint})
    except GoogleAuthError as error:
        raise SparkError(
            "Dataproc needs a Google login: run `gcloud auth application-default login`, or name a "
            f"service account's key file in GOOGLE_APPLICATION_CREDENTIALS. It failed with: {error}"
        ) from error


def _make_id() -> str:
    return f"drug-assets-{datetime.now(UTC):%Y%m%d-%H%M%S}-{uuid.uuid4().hex[:8]}"


def _page(template: _Template, name: str) -> str:
    """The page of Google's console with Spark's UI of a session."""
    return (
        f"{_CONSOLE}/{template.region}/{name.rpartition('/')[2]}/sparkApplications/applications"
        f"?project={template.project}"
    )


def _start(client: Any, template: _Template, name: str, image: str) -> Any:
    """A session that has started."""
    from google.api_core import exceptions as api
    from google.api_core.future.polling import POLLING_PREDICATE
    from google.api_core.retry import Retry, if_transient_error
    from google.cloud import dataproc_v1

    asked = dataproc_v1.Session(
        name=name,
        session_template=f"{template.location}/sessionTemplates/{template.name}",
        spark_connect_session=dataproc_v1.SparkConnectConfig(),
        runtime_config=dataproc_v1.RuntimeConfig(container_image=image),
        labels={"started-by": "drug-assets"},
    )
    request = dataproc_v1.CreateSessionRequest(
        parent=template.location,
        session_id=name.rpartition("/")[2],
        session=asked,
        request_id=str(uuid.uuid4()),  # a call that is repeated makes no second session
    )
    retry = Retry(if_transient_error, timeout=_RETRY_SECONDS)
    try:
        starting = client.create_session(request, retry=retry)
        polling = Retry(
            POLLING_PREDICATE, initial=_POLL_SECONDS, maximum=_POLL_SECONDS, timeout=_START_SECONDS
        )
        started = starting.result(timeout=_START_SECONDS, polling=polling)
    except api.Forbidden as error:
        raise SparkError(
            f"a session in {template.location} cannot be opened: {error.message}. Grant "
            "roles/dataproc.serverlessEditor on the project, and roles/iam.serviceAccountUser on "
            "the account of the executors"
        ) from error
    except api.NotFound as error:
        raise SparkError(
            f"the session template {asked.session_template} is not there: {error.message}. Apply "
            "Terraform with spark.enabled, or correct DRUG_ASSETS_SPARK"
        ) from error
    except api.InvalidArgument as error:
        raise SparkError(f"Dataproc refuses the session: {error.message}") from error
    except (api.GoogleAPIError, TimeoutError) as error:
        raise SparkUnavailableError(
            f"Dataproc opened no session, its log says more ({_page(template, name)}): {error}"
        ) from error
    if _ENDPOINT not in started.runtime_info.endpoints:
        raise SparkUnavailableError(f"the session {name} has no address of Spark Connect")
    return started


def _connect(client: Any, started: Any) -> Any:
    """A session of Spark Connect through Google's tunnel to a session that has started."""
    from grpc import RpcError  # type: ignore[import-untyped]
    from pyspark.errors import PySparkException
    from pyspark.sql.connect.session import SparkSession

    def check_active() -> bool:
        if not _is_active(client, started.name):
            raise SparkUnavailableError(
                f"the session {started.name} has ended. Google ends one after the times in its "
                "template; run again"
            )
        return True

    builder = _channel_builder()(
        f"{started.runtime_info.endpoints[_ENDPOINT]}/;session_id={started.uuid};use_ssl=true",
        is_active_callback=check_active,
    )
    spark = SparkSession(builder)
    try:
        require_server(str(spark.version), started.name)
    except (PySparkException, RpcError) as error:
        close_client(spark)
        raise SparkUnavailableError(
            f"Spark in the session {started.name} cannot be reached: {tell_error(error)}"
        ) from error
    except SparkError:
        close_client(spark)
        raise
    return spark


def _channel_builder() -> Any:
    """Google's builder of channels, whose import sets up the logs of the whole process."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    try:
        from google.cloud.dataproc_spark_connect.client import DataprocChannelBuilder
    finally:
        root.handlers[:] = handlers
        root.setLevel(level)
    return DataprocChannelBuilder


def _is_active(client: Any, name: str) -> bool:
    """Whether a session is open; one that cannot be asked for counts as open."""
    from google.api_core import exceptions as api
    from google.cloud.dataproc_v1 import Session

    try:
        state = client.get_session(name=name).state
    except api.NotFound:
        return False
    except api.GoogleAPIError:
        return True
    return state in (Session.State.CREATING, Session.State.ACTIVE)


def _terminate(client: Any, name: str) -> None:
    """End a session, if there is one; what fails here, the times in the template end."""
    from google.api_core import exceptions as api
    from google.api_core.retry import Retry, if_exception_type, if_transient_error

    def can_succeed(error: Exception) -> bool:
        # Aborted: it is still being started.
        return if_transient_error(error) or if_exception_type(api.Aborted)(error)

    try:
        client.terminate_session(name=name, retry=Retry(can_succeed, timeout=_RETRY_SECONDS))
    except (api.NotFound, api.Forbidden, api.FailedPrecondition):
        pass  # it was refused, or is ending
    except api.GoogleAPIError as error:
        _LOGGER.warning("The session %s was not ended, Google will do it: %s", name, error)
