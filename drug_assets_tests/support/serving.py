"""A server of a store in a thread of this process, on a port of its own, and a client of it."""

from __future__ import annotations

import threading
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import httpx

from drug_assets.serving.current import CurrentRelease
from drug_assets.serving.server import Server
from drug_assets.storage.objects import LocalFolder

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

#: Long: only a test that fails waits to the end, and a busy machine is no fault.
_PATIENCE = 600.0


class Clock:
    """A clock that stands still until it is set forward."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def __call__(self) -> float:
        return self.seconds


@contextmanager
def running(store: Path, clock: Clock | None = None, **options: Any) -> Iterator[Server]:
    """A server of a store, as `drug-assets serve` runs it."""
    server = Server(CurrentRelease(LocalFolder(store), clock or Clock()), "127.0.0.1", 0, **options)
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        deadline = time.monotonic() + _PATIENCE
        while not server._server.started:
            assert thread.is_alive()
            assert time.monotonic() < deadline
            time.sleep(0.005)
        yield server
    finally:
        server.stop()
        thread.join(_PATIENCE)
        assert not thread.is_alive()


@contextmanager
def client_of(store: Path, clock: Clock | None = None, **options: Any) -> Iterator[httpx.Client]:
    """A client of a server of a store."""
    with (
        running(store, clock, **options) as server,
        httpx.Client(
            base_url=f"http://127.0.0.1:{server.port}", timeout=_PATIENCE, follow_redirects=True
        ) as client,
    ):
        yield client
