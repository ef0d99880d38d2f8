"""Sessions of Spark: what an address means, and the one session that a process has open.

What is done in a session belongs to `spark`; how Google's service is asked for one to `dataproc`.
"""

from __future__ import annotations

import atexit
import re
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from drug_assets.errors import DrugAssetsError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

DATAPROC = "dataproc://"
#: Tries to reach a server at the beginning: with their waits, about a quarter of a minute. What is
#: open has the patience of Spark's client, ten minutes.
_FIRST_TRIES = 5
#: Tries to end what nobody waits for: they take a second.
LAST_TRIES = 3


class SparkError(DrugAssetsError):
    """Spark cannot be used, or gave up; the message explains what to do."""


class SparkUnavailableError(SparkError, ConnectionError):
    """Spark cannot be reached at the moment: the same call can succeed later."""


@dataclass(frozen=True)
class Opened:
    """An open session."""

    #: A session of Spark Connect (`pyspark.sql.connect.session.SparkSession`).
    spark: Any
    #: Address of the page on which people watch it, where the service gives one.
    ui: str | None = None
    #: Whether it is still open: a service can end a session that has nothing to do for long.
    is_open: Callable[[], bool] = lambda: True


#: The session of this process, by address and image; at most one.
_SESSIONS: dict[tuple[str, str | None], tuple[Opened, ExitStack]] = {}


def borrow_session(address: str, image: str | None = None) -> Opened:
    """The session of this process; opened the first time, and open until `close_session`.

    Args:
        address: where Spark is; see `open_session`.
        image: the image of its executors, where the service starts them.

    Raises:
        SparkError: Spark cannot be used.
    """
    key = (address, image)
    if key not in _SESSIONS or not _SESSIONS[key][0].is_open():
        close_session()
        stack = ExitStack()
        _SESSIONS[key] = (stack.enter_context(open_session(address, image)), stack)
    return _SESSIONS[key][0]


@atexit.register
def close_session() -> None:
    """End the session of this process, if there is one; what it was doing ends, too."""
    while _SESSIONS:
        _, (_, stack) = _SESSIONS.popitem()
        stack.close()


@contextmanager
def open_session(address: str, image: str | None = None) -> Iterator[Opened]:
    """A session of Spark, ended with the context.

    Args:
        address: `sc://HOST:PORT`, with parameters of Spark Connect such as `/;token=…;use_ssl=true`
            behind it, or `dataproc://PROJECT/REGION/TEMPLATE`.
        image: the image of the executors, where the service starts them.

    Raises:
        SparkError: Spark cannot be used.
    """
    if address.startswith(DATAPROC):
        from drug_assets.engines import dataproc

        with dataproc.session(address, image) as opened:
            yield opened
        return
    spark = _connect(address)
    try:
        yield Opened(spark)
    finally:
        _stop(spark)


def hide_secrets(address: str) -> str:
    """An address as it is shown: without parameters, since one can be a token."""
    return re.sub(r"/?;.*", "", address)


def _connect(address: str) -> Any:
    """A session of the Spark Connect server at an address."""
    try:
        from pyspark.errors import PySparkException
        from pyspark.sql.connect.session import SparkSession
    except ImportError as error:
        raise SparkError(
            f"Spark needs its client: pip install 'drug_assets[spark]' ({error})"
        ) from error
    from grpc import RpcError  # type: ignore[import-untyped]

    shown = hide_secrets(address)
    try:
        spark = SparkSession(address)
    except PySparkException as error:
        raise SparkError(
            f"{shown} is no address of a Spark Connect server: it should be sc://HOST:PORT"
        ) from error
    try:
        with few_tries(spark, _FIRST_TRIES):
            server = str(spark.version)
    except (PySparkException, RpcError) as error:
        _stop(spark)
        raise SparkUnavailableError(
            f"Spark at {shown} cannot be reached: {tell_error(error)}. Start its Connect server, "
            "or correct DRUG_ASSETS_SPARK"
        ) from error
    require_server(server, shown)
    return spark


def require_server(version: str, shown: str) -> None:
    """Raise unless a server is one that this client can use.

    Raises:
        SparkError: it is older than the client.
    """
    from pyspark import __version__ as client

    def release(text: str) -> tuple[int, ...]:
        return tuple(map(int, re.findall(r"\d+", text)[:2]))

    if release(version) < release(client):
        raise SparkError(
            f"Spark at {shown} is {version}, older than its client here ({client}): use a server "
            f"of {'.'.join(map(str, release(client)))} or newer"
        )


def tell_error(error: BaseException) -> str:
    """What an error of Spark or gRPC says, in a line."""
    details = getattr(error, "details", None)
    told = str(details() if callable(details) else error) or type(error).__name__
    lines = [line.strip() for line in told.splitlines() if line.strip()]
    return lines[0][:500].rstrip(".") if lines else type(error).__name__


@contextmanager
def few_tries(spark: Any, tries: int) -> Iterator[None]:
    """Within this block, a call of a session that fails is tried again so often at most.

    By itself, Spark's client tries for ten minutes.
    """
    from pyspark.sql.connect.client.retries import DefaultPolicy

    spark.client.set_retry_policies([DefaultPolicy(max_retries=tries)])
    try:
        yield
    finally:
        spark.client.set_retry_policies([DefaultPolicy()])


def close_client(spark: Any) -> None:
    """Close the connection of a session.

    If that is left to the end of the process, it waits for threads that are gone.
    """
    from pyspark.sql.connect.client import reattach

    # `close` waits for the threads of this pool, holding a lock that these need when they drop the
    # answers of a query that were not read to their end: it would wait for ever.
    answers = reattach.ExecutePlanResponseReattachableIterator
    pool, answers._release_thread_pool_instance = answers._release_thread_pool_instance, None  # noqa: SLF001
    if pool is not None:
        pool.shutdown(wait=False, cancel_futures=True)
    with suppress(Exception):  # nothing is left to do
        spark.client.close()


def _stop(spark: Any) -> None:
    """End a session; a server that is gone ends it by itself."""
    with suppress(Exception), few_tries(spark, LAST_TRIES):
        spark.client.release_session()
    close_client(spark)
