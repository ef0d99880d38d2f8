"""How many questions a second are answered over HTTP: `python -m benchmarks.serving`.

`drug-assets serve` on a store, and a bare Starlette route that gives the same bytes, each in a
process of its own on loopback, take turns. A client asks over several connections that it keeps
open, one question behind the other. So does one that asks a different question each time, which
must be computed. Also a section of `make bench`.
"""

from __future__ import annotations

import argparse
import asyncio
import shutil
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING

from benchmarks.load import look
from benchmarks.measuring import Figures, observed, print_status
from benchmarks.report import serving_table
from benchmarks.whole_run import command_line, without_home

if TYPE_CHECKING:
    from collections.abc import Iterator

_ROOT = Path(__file__).parents[1]
_DRUG = "digoxin"
_CONNECTIONS = 8
BARE = "a bare route with the same bytes"
ASKED = "the question"
NEVER_ASKED = "a question that was never asked"

_BARE = """
import socket, sys, uvicorn
from starlette.applications import Starlette
from starlette.responses import Response
from starlette.routing import Route
body = sys.stdin.buffer.read()
async def answer(_):
    return Response(body, media_type="application/json")
listening = socket.create_server(("127.0.0.1", 0))
print(f"at http://localhost:{listening.getsockname()[1]}/", flush=True)
app = Starlette(routes=[Route("/api/mentions", answer)])
config = uvicorn.Config(app, http="h11", ws="none", log_level="warning", access_log=False)
uvicorn.Server(config).run(sockets=[listening])
"""


@contextmanager
def _serving(command: list[str], body: bytes = b"") -> Iterator[int]:
    """A server in a process of its own; gives its port."""
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdin
        assert process.stdout
        process.stdin.write(body)
        process.stdin.close()
        told = process.stdout.readline().decode()
        try:
            yield int(told.rpartition("localhost:")[2].partition("/")[0])
        finally:
            process.terminate()


async def _ask(port: int, targets: list[str], connections: int) -> float:
    """Ask for each target once; return the requests a second."""
    waiting = iter(targets)

    async def ask() -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        for target in waiting:
            writer.write(f"GET {target} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
            head = await reader.readuntil(b"\r\n\r\n")
            assert head.startswith(b"HTTP/1.1 200"), head
            length = head.lower().partition(b"content-length: ")[2].partition(b"\r")[0]
            await reader.readexactly(int(length))
        writer.close()

    started = time.perf_counter()
    await asyncio.gather(*(ask() for _ in range(connections)))
    return len(targets) / (time.perf_counter() - started)


def measured_serving(
    folder: Path, requests: int, rounds: int, connections: int = _CONNECTIONS
) -> Figures:
    """Measure the server on a store of `data/`, which is made in a folder.

    Args:
        folder: where the store is made.
        requests: how often each question is asked in a round.
        rounds: rounds, of which the medians are returned.
        connections: over so many connections at once.

    Returns:
        `bytes` of an answer, `connections`, and `rates`: requests a second, by what is asked for.
    """
    shutil.rmtree(folder, ignore_errors=True)
    store = str(folder / "store")
    places = ("--landing", str(_ROOT / "data"), "--store", store)
    made = observed(command_line("run", *places), environment=without_home())
    if made.exit_code:
        raise RuntimeError(f"drug-assets run failed:\n{made.output[-4000:]}{made.errors[-4000:]}")
    return asked_of(store, _DRUG, requests, rounds, connections)


def asked_of(store: str, drug: str, requests: int, rounds: int, connections: int) -> Figures:
    """Measure the server on a store; see `measured_serving`.

    Args:
        store: the store.
        drug: the drug that is asked for.
        requests: how often each question is asked in a round.
        rounds: rounds, of which the medians are returned.
        connections: over so many connections at once.
    """
    target = f"/api/mentions?drug={drug}"
    told: dict[str, list[float]] = {}
    with _serving(command_line("serve", "--store", store, "--port", "0")) as port:
        body = asyncio.run(_fetch(port, target))
        with _serving([sys.executable, "-c", _BARE], body) as bare:
            for round_ in range(rounds):
                print_status(f"serving ({round_ + 1} of {rounds})")
                # No two ask for the same number of rows.
                every = [f"{target}&limit={1 + n + 40 * round_}" for n in range(40)]
                for name, where, targets in (
                    (BARE, bare, [target] * requests),
                    (ASKED, port, [target] * requests),
                    (NEVER_ASKED, port, every),
                ):
                    rate = asyncio.run(_ask(where, targets, connections))
                    told.setdefault(name, []).append(rate)
    rates = {name: median(rates) for name, rates in told.items()}
    return {"bytes": len(body), "connections": connections, "rates": rates}


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--store", default="output", help="a store with a release of data/")
    parser.add_argument("--drug", default=_DRUG)
    parser.add_argument("--requests", type=int, default=3000)
    parser.add_argument("--connections", type=int, default=_CONNECTIONS)
    parser.add_argument("--rounds", type=int, default=5)
    asked = parser.parse_args()
    figures = asked_of(asked.store, asked.drug, asked.requests, asked.rounds, asked.connections)
    print(look().describe())
    print(serving_table(figures))


async def _fetch(port: int, target: str) -> bytes:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(f"GET {target} HTTP/1.0\r\nHost: localhost\r\n\r\n".encode())
    answer = await reader.read()
    writer.close()
    return answer.partition(b"\r\n\r\n")[2]


if __name__ == "__main__":
    main()
