"""Servers of this machine that tests and benchmarks start: waited for, stopped, their last words.

Each listens on free ports of 127.0.0.1. What it is a server of does not belong here, nor pytest,
which benchmarks do without.
"""

from __future__ import annotations

import socket
import subprocess
import time
import urllib.error
import urllib.request
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from pathlib import Path

HOST = "127.0.0.1"
#: How long to wait for what comes soon on an idle machine: on a busy one it takes many times that,
#: and nothing but a test that fails waits to the end.
PATIENCE_SECONDS = 600.0
_STARTS = 3
_LOG_TAIL = 4_000


class LocalServerError(Exception):
    """A server that is missing, did not start, or died, with its last words."""


@dataclass(frozen=True)
class LocalServer:
    """A running server."""

    name: str
    process: subprocess.Popen[bytes]
    #: The ports that were free for it.
    ports: tuple[int, ...]
    log: Path

    def failure(self, what: str) -> LocalServerError:
        """The error to raise when something of it fails."""
        said = self.log.read_text(errors="replace")[-_LOG_TAIL:]
        return LocalServerError(f"{self.name} {what}. It said last:\n{said}")


@contextmanager
def running(
    name: str,
    command: Callable[..., Sequence[str]],
    is_ready: Callable[..., bool],
    folder: Path,
    variables: Mapping[str, str],
    *,
    ports: int = 1,
) -> Iterator[LocalServer]:
    """A server that is ready, ended with the block.

    Args:
        name: its name in messages.
        command: the command that starts it, from its ports.
        is_ready: whether it answers, from its ports.
        folder: where it works and logs.
        variables: all variables of its environment.
        ports: how many ports it needs.

    Raises:
        LocalServerError: it does not start.
    """
    for attempt in range(1, _STARTS + 1):
        free = free_ports(ports)
        log = folder / f"{name.replace(' ', '-')}-{attempt}.log"
        with log.open("wb") as output:
            process = subprocess.Popen(
                command(*free),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                env=dict(variables),
                cwd=folder,
                start_new_session=True,
            )
        server = LocalServer(name, process, free, log)
        try:
            # A server that ends at once may have lost its port to another process: once more.
            if _became_ready(server, is_ready):
                yield server
                return
            if attempt == _STARTS:
                raise server.failure(f"ended {_STARTS} times at its start")
        finally:
            stop(process)


def answers(url: str) -> bool:
    """Whether something answers at an address."""
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(url, timeout=PATIENCE_SECONDS):
            return True
    except (urllib.error.URLError, OSError):
        return False


def listens(port: int) -> bool:
    """Whether something listens on a port."""
    with socket.socket() as probe:
        return probe.connect_ex((HOST, port)) == 0


def stop(process: subprocess.Popen[bytes]) -> None:
    """End a process by SIGTERM, by SIGKILL if that does not end it."""
    process.terminate()
    try:
        process.wait(PATIENCE_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _became_ready(server: LocalServer, is_ready: Callable[..., bool]) -> bool:
    """True when it answers, False when it ended before.

    Raises:
        LocalServerError: it does neither within the deadline.
    """
    deadline = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < deadline:
        if server.process.poll() is not None:
            return False
        if is_ready(*server.ports):
            return True
        time.sleep(0.05)
    raise server.failure(f"was not ready after {PATIENCE_SECONDS:.0f} s")


def free_ports(count: int) -> tuple[int, ...]:
    """Ports of loopback that nobody listens on."""
    with ExitStack() as held:
        probes = [held.enter_context(socket.socket()) for _ in range(count)]
        for probe in probes:
            probe.bind((HOST, 0))
        return tuple(int(probe.getsockname()[1]) for probe in probes)
