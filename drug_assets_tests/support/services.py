"""The real parts that the deployment tests run on loopback: PostgreSQL, Dagster's processes.

Where loopback is what is tested, two network namespaces that reach each other and nothing else.

What is asserted of them does not belong here.
"""

from __future__ import annotations

import json
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
import urllib.request
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from drug_assets_tests.support.local_servers import PATIENCE_SECONDS, free_ports, stop

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

ROOT = Path(__file__).parents[2]
DEPLOY = ROOT / "deploy"

#: Variables by which Dagster's processes wait for each other as long.
PATIENT_DAGSTER = {
    f"DAGSTER_{kind}GRPC_TIMEOUT_SECONDS": f"{PATIENCE_SECONDS:.0f}"
    for kind in ("", "REPOSITORY_", "SCHEDULE_", "SENSOR_")
}


def require(program: str, *folders: str) -> str:
    """Path of a program; the test that asks is skipped, naming it, where it is not installed."""
    found = shutil.which(program, path=os.pathsep.join([os.environ["PATH"], *folders]))
    if found is None:
        pytest.skip(f"{program} is not installed here")
    return found


def free_port() -> int:
    """A port of loopback that nobody listens on."""
    return free_ports(1)[0]


def eventually(what: str, ask: Callable[[], Any], seconds: float = PATIENCE_SECONDS) -> Any:
    """The first answer that is not false; an `AssertionError` that says what never came."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if answer := ask():
            return answer
        time.sleep(0.2)
    raise AssertionError(f"{what}: not within {seconds:.0f} s")


@contextmanager
def running_postgres() -> Iterator[Path]:
    """A PostgreSQL of this test's own; yields the folder of its socket, like Cloud SQL's.

    The server refuses to run as root, so under root it runs as Debian's `postgres` user.
    """
    newest_first = sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    initdb = Path(require("initdb", *map(str, newest_first))).resolve()
    owner: dict[str, Any] = {}
    folder = Path(tempfile.mkdtemp(prefix="drug-assets-postgres-"))
    if os.geteuid() == 0:
        account = pwd.getpwnam("postgres")
        owner = {"user": account.pw_uid, "group": account.pw_gid, "extra_groups": []}
        os.chown(folder, account.pw_uid, account.pw_gid)
    folder.chmod(0o755)
    cluster, log = folder / "cluster", folder / "log"
    try:
        subprocess.run(
            [initdb, "--pgdata", cluster, "--auth", "trust", "--username", "dagster", "--no-sync"],
            check=True,
            capture_output=True,
            cwd=folder,
            **owner,
        )
        settings = {
            "listen_addresses": "",
            "unix_socket_directories": folder,
            "fsync": "off",
        }
        options = [word for name, value in settings.items() for word in ("-c", f"{name}={value}")]
        with log.open("wb") as output:
            server = subprocess.Popen(
                [initdb.with_name("postgres"), "-D", cluster, *options],
                stdout=output,
                stderr=output,
                cwd=folder,
                **owner,
            )
        try:
            ready = [str(initdb.with_name("pg_isready")), "-h", str(folder)]
            eventually(
                f"PostgreSQL ready, see {log}",
                lambda: subprocess.run(ready, check=False, capture_output=True).returncode == 0,
            )
            yield folder
        finally:
            server.send_signal(signal.SIGINT)  # PostgreSQL's fast shutdown
            server.wait(PATIENCE_SECONDS)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def running(
    name: str, command: Sequence[str], environment: Mapping[str, str], folder: Path
) -> Iterator[subprocess.Popen[bytes]]:
    """A process with its output in `folder/name.log`, stopped as Cloud Run does: SIGTERM."""
    with (folder / f"{name}.log").open("wb") as log:
        process = subprocess.Popen(
            command, env=dict(environment), cwd=folder, stdout=log, stderr=log
        )
    try:
        yield process
    finally:
        stop(process)


@contextmanager
def two_namespaces() -> Iterator[tuple[list[str], str, list[str]]]:
    """Two network namespaces, each with a loopback of its own, on the two ends of one cable.

    Yields what to put before a command that runs in the first, the address that the second reaches
    the first by, and what to put before a command of the second. There is no way out of either, and
    what still runs in them at the end is killed: a namespace stays as long as a process is in it.
    """
    ip = require("ip", "/usr/sbin", "/sbin")
    if os.geteuid() != 0:
        pytest.skip("network namespaces are made by root alone")
    first, second = (f"drug-assets-{os.getpid()}-{end}" for end in ("first", "second"))
    # These addresses are reserved for examples.
    addresses = {first: "192.0.2.1", second: "192.0.2.2"}
    try:
        made = subprocess.run(
            [ip, "netns", "add", first], check=False, capture_output=True, text=True
        )
        if made.returncode != 0:
            pytest.skip(f"network namespaces may not be made here: {made.stderr.strip()}")
        cable = ["link", "add", "cable", "netns", first, "type", "veth"]
        for words in (
            ["netns", "add", second],
            [*cable, "peer", "name", "cable", "netns", second],
            *(
                ["-netns", name, *then]
                for name, address in addresses.items()
                for then in (
                    ["address", "add", f"{address}/30", "dev", "cable"],
                    ["link", "set", "cable", "up"],
                    ["link", "set", "lo", "up"],
                )
            ),
        ):
            subprocess.run([ip, *words], check=True, capture_output=True)
        within = [[ip, "netns", "exec", name] for name in addresses]
        yield within[0], addresses[first], within[1]
    finally:
        for name in addresses:  # the cable goes with its ends
            within_it = subprocess.run(
                [ip, "netns", "pids", name], check=False, capture_output=True, text=True
            )
            for pid in map(int, within_it.stdout.split()):
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            subprocess.run([ip, "netns", "delete", name], check=False, capture_output=True)


def graphql(port: int, query: str, **variables: object) -> dict[str, Any]:
    """The data that Dagster's webserver answers.

    Raises:
        AssertionError: it answers errors.
        OSError: it does not answer.
    """
    body = json.dumps({"query": query, "variables": variables}).encode()
    request = urllib.request.Request(
        f"http://127.0.0.1:{port}/graphql", body, {"Content-Type": "application/json"}
    )
    with urllib.request.urlopen(request, timeout=PATIENCE_SECONDS) as answer:  # noqa: S310
        reply = json.load(answer)
    assert "errors" not in reply, reply["errors"]
    data: dict[str, Any] = reply["data"]
    return data
