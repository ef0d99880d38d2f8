"""A client that is slow, or means harm, costs the others nothing; addresses; the command."""

from __future__ import annotations

import re
import signal
import socket
import subprocess
import sys
import time
from contextlib import suppress
from typing import TYPE_CHECKING

import httpx
import pytest

from drug_assets.serving.current import CurrentRelease
from drug_assets.serving.patience import PatientProtocol
from drug_assets.serving.server import AddressError, Server, is_loopback
from drug_assets.storage.objects import LocalFolder, StorageError
from drug_assets_tests.support import runs
from drug_assets_tests.support.commands import asked, in_background
from drug_assets_tests.support.serving import running

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("small")]

SERVE = (sys.executable, "-m", "drug_assets.cli", "serve")
#: How long a test waits for what must happen.
GENEROUS = 60.0
#: Longer than a test waits for anything.
NEVER = 10 * GENEROUS


@pytest.fixture
def limits(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """Limits that a test need not wait long for, and few connections."""
    monkeypatch.setattr(PatientProtocol, "request_seconds", 0.3)
    monkeypatch.setattr(PatientProtocol, "take_seconds", 0.3)
    monkeypatch.setattr(PatientProtocol, "most_connections", 8)
    return monkeypatch


@pytest.fixture
def server(small_run: runs.Run) -> Iterator[Server]:
    with running(small_run.store) as opened:
        yield opened


def connect(server: Server) -> socket.socket:
    connection = socket.create_connection(("127.0.0.1", server.port), timeout=GENEROUS)
    connection.settimeout(GENEROUS)
    return connection


def is_answered(server: Server) -> bool:
    """Whether a client is answered.

    Where limits are short, a busy machine can hold the client up for longer: ask again.
    """
    try:
        response = httpx.get(f"http://127.0.0.1:{server.port}/health", timeout=GENEROUS)
    except httpx.TransportError:
        return False
    return response.status_code == 200


def wait_until(happened: Callable[[], bool]) -> None:
    deadline = time.monotonic() + GENEROUS
    while not happened():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def wait_until_closed(connection: socket.socket) -> None:
    """Wait until the other side has closed a connection.

    Raises:
        TimeoutError: it has not within `GENEROUS` seconds.
    """
    with suppress(ConnectionError):
        while connection.recv(65536):
            pass


@pytest.mark.parametrize("sent", [b"", b"GET /health HTTP/1.1\r\n", b"GET /hea"])
def test_a_request_that_does_not_arrive_is_given_up(
    limits: pytest.MonkeyPatch, server: Server, sent: bytes
) -> None:
    with connect(server) as slow:
        with suppress(ConnectionError):  # it can be given up before it sends anything
            slow.sendall(sent)
        wait_until(lambda: is_answered(server))
        wait_until_closed(slow)
    wait_until(lambda: not PatientProtocol._waiting)


def test_a_client_that_sends_letter_by_letter_is_given_up(
    limits: pytest.MonkeyPatch, server: Server
) -> None:
    with connect(server) as slow:

        def is_refused() -> bool:
            try:
                slow.sendall(b"G")
            except ConnectionError:
                return True
            return False

        wait_until(is_refused)


def test_so_is_one_after_its_first_answer(limits: pytest.MonkeyPatch, server: Server) -> None:
    limits.setattr(PatientProtocol, "request_seconds", NEVER)
    with connect(server) as slow:
        wait_until(lambda: bool(PatientProtocol._waiting))
        # The first request has any time, the next one little.
        limits.setattr(PatientProtocol, "request_seconds", 0.3)
        slow.sendall(b"GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n")
        assert slow.recv(65536).startswith(b"HTTP/1.1 200")
        with suppress(ConnectionError):  # it can be given up before it sends anything
            slow.sendall(b"GET /he")
        wait_until_closed(slow)


def test_one_that_takes_nothing_is_given_up(
    limits: pytest.MonkeyPatch, small_run: runs.Run, tmp_path: Path
) -> None:
    limits.setattr(PatientProtocol, "request_seconds", NEVER)
    store = runs.copy(small_run.store, tmp_path / "store")
    # More than the buffers of both ends hold.
    (runs.current(store) / "graph.json").write_bytes(b"x" * 64 * 1024**2)
    with running(store) as server, connect(server) as slow:
        slow.sendall(b"GET /graph.json HTTP/1.1\r\nHost: localhost\r\n\r\n")
        assert slow.recv(8) == b"HTTP/1.1"
        assert is_answered(server)
        wait_until(lambda: not server._server.server_state.connections)


def test_many_that_wait_shut_nobody_out(limits: pytest.MonkeyPatch, server: Server) -> None:
    limits.setattr(PatientProtocol, "request_seconds", NEVER)
    waiting = [connect(server) for _ in range(30)]
    try:
        assert is_answered(server)
        # The ones that waited longest made room.
        wait_until_closed(waiting[0])
        assert len(server._server.server_state.connections) <= 9
    finally:
        for connection in waiting:
            connection.close()


def test_many_that_take_slowly_shut_nobody_out(
    limits: pytest.MonkeyPatch, small_run: runs.Run, tmp_path: Path
) -> None:
    # As if each took something now and then: none is given up for taking nothing.
    limits.setattr(PatientProtocol, "request_seconds", NEVER)
    limits.setattr(PatientProtocol, "take_seconds", NEVER)
    store = runs.copy(small_run.store, tmp_path / "store")
    (runs.current(store) / "graph.json").write_bytes(b"x" * 64 * 1024**2)

    def list_held_up() -> list[bool]:
        return [each._taking is not None for each in list(PatientProtocol._answering)]

    with running(store) as server:
        taking = [connect(server) for _ in range(8)]
        try:
            for connection in taking:
                connection.sendall(b"GET /graph.json HTTP/1.1\r\nHost: localhost\r\n\r\n")
                assert connection.recv(8) == b"HTTP/1.1"
            wait_until(lambda: list_held_up() == [True] * 8)
            limits.setattr(PatientProtocol, "take_seconds", 0.0)
            assert is_answered(server)
            # The one that was answered longest made room.
            wait_until(lambda: len(PatientProtocol._answering) < 8)
        finally:
            for connection in taking:
                connection.close()


@pytest.mark.parametrize(
    "sent",
    [
        b"\x00\xff\x16\x03\x01",
        b"GET / HTTP/9.9\r\n\r\n",
        b"GET /" + b"a" * 100_000 + b" HTTP/1.1\r\n\r\n",
        b"GET / HTTP/1.1\r\n" + b"X: " + b"a" * 100_000,
        b"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\nContent-Length: x\r\n\r\n",
        b"POST /api/drugs HTTP/1.1\r\nHost: localhost\r\nContent-Length: 99999999999\r\n\r\nabc",
        b"GET /%00%ff%c0%af HTTP/1.1\r\nHost: localhost\r\n\r\n",
        b"GET /api/mentions?drug=%ff%fe%00 HTTP/1.1\r\nHost: localhost\r\n\r\n",
        b"GET /explorer.html HTTP/1.1\r\nHost: localhost\r\nRange: bytes=9-1,5-,-\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n",
    ],
)
@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_what_is_no_request_harms_nobody(
    limits: pytest.MonkeyPatch, server: Server, sent: bytes
) -> None:
    answer = b""
    with connect(server) as hostile, suppress(ConnectionError):  # it can be cut off
        hostile.sendall(sent)
        answer = hostile.recv(65536)
    assert not answer.startswith(b"HTTP/1.1 500")
    wait_until(lambda: is_answered(server))


def test_the_limits_are_those_that_are_told() -> None:
    told = " ".join((runs.REPOSITORY / "docs" / "SPEC.md").read_text(encoding="utf-8").split())
    assert f"has not arrived after {PatientProtocol.request_seconds:g} s is given up" in told
    assert f"takes nothing for {PatientProtocol.take_seconds:g} s;" in told
    assert f"of more than {PatientProtocol.most_connections} connections," in told


@pytest.mark.parametrize(
    ("host", "is_own"),
    [
        ("127.0.0.1", True),
        ("127.8.8.8", True),
        ("::1", True),
        ("localhost", True),
        ("0.0.0.0", False),  # noqa: S104 - nothing listens
        ("::", False),
        ("drugs.example", False),
    ],
)
def test_whether_an_address_is_of_this_machine_alone(host: str, is_own: bool) -> None:
    assert is_loopback(host) is is_own


@pytest.mark.parametrize("name", ["a*b", "drugs.example:80", "a b", "", "http://x"])
def test_what_is_no_name_of_a_host_is_refused(small_run: runs.Run, name: str) -> None:
    current = CurrentRelease(LocalFolder(small_run.store))
    with pytest.raises(AddressError, match="is no name of a host"):
        Server(current, "127.0.0.1", 0, [name])


def test_it_is_found_where_it_says(small_run: runs.Run) -> None:
    with running(small_run.store) as server:
        assert server.url == f"http://localhost:{server.port}/"
        assert httpx.get(f"{server.url}health", timeout=GENEROUS).status_code == 200


def test_an_address_in_use_is_told(small_run: runs.Run) -> None:
    current = CurrentRelease(LocalFolder(small_run.store))
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        with pytest.raises(AddressError, match=f"127.0.0.1:{port} cannot be listened on"):
            Server(current, "127.0.0.1", port)


@pytest.mark.processes
@pytest.mark.parametrize(
    ("command", "number"),
    [([*SERVE], signal.SIGINT), (in_background(*SERVE), signal.SIGTERM)],
    ids=["on a terminal", "in the background"],
)
def test_the_command_serves_until_it_is_interrupted(
    small_run: runs.Run, command: list[str], number: int
) -> None:
    with subprocess.Popen(
        [*command, "--port", "0", "--store", str(small_run.store)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        told = process.stdout.readline()
        found = re.fullmatch(
            r"Serving release (\S+) of (.+) at (http://localhost:\d+/) until Ctrl-C\n", told
        )
        assert found, told
        response = httpx.get(f"{found[3]}health", timeout=GENEROUS)
        assert response.json() == {"status": "ok", "release": found[1]}
        process.send_signal(number)
        _, errors = process.communicate(timeout=GENEROUS)
    assert errors == ""
    assert process.returncode == 0


@pytest.mark.processes
def test_the_command_says_why_it_cannot_serve(small_run: runs.Run) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = str(other.getsockname()[1])
        done = subprocess.run(
            [*SERVE, "--port", port, "--store", str(small_run.store)],
            capture_output=True,
            text=True,
            check=False,
        )
    assert done.returncode == 2
    assert done.stderr.startswith(f"drug-assets: 127.0.0.1:{port} cannot be listened on")


def test_the_port_can_be_given_by_a_variable(
    small_run: runs.Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Server, "run", lambda _: None)
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = str(other.getsockname()[1])
    monkeypatch.setenv("PORT", port)
    done = asked("serve", "--store", small_run.store)
    assert done.stdout.endswith(f"at http://localhost:{port}/ until Ctrl-C\n")


def test_a_store_that_cannot_be_read_yet_is_told_and_waited_for(
    small_run: runs.Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_: object) -> None:
        raise StorageError("gs://store may not be read by readers@example.org")

    monkeypatch.setattr(Server, "run", lambda _: None)
    monkeypatch.setattr(LocalFolder, "pointer", refuse)
    done = asked("serve", "--port", "0", "--store", small_run.store)
    assert done.exit_code == 0
    assert done.stderr == "drug-assets: gs://store may not be read by readers@example.org\n"
    assert done.stdout.startswith("Serving the current release, as soon as it can be read, of ")
