"""Processes of `drug-assets` that start at once, and end where a test wants them to.

A server process imports everything once and forks a child per command, so a run takes a second
instead of four. A child can kill itself with SIGKILL at a call of a method of `LocalFolder`: before
the call, or half-way into it; or before a call to the system that touches the folder.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections import Counter
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from drug_assets_tests.support import runs
from drug_assets_tests.support.failing import failing

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

#: The methods that change something on the disk.
METHODS = ("scratch", "put", "copy", "delete", "swap_pointer")
#: Instead of a method: a call to the system that touches the folder of the store (`failing`).
SYSTEM = "system"


@dataclass(frozen=True)
class Death:
    """Where a process kills itself."""

    #: One of `METHODS`, or `SYSTEM`.
    method: str
    #: In the n-th call of the method, counted from 1, of a store.
    call: int
    #: Whether the call has done half of its work.
    half: bool = False


@dataclass(frozen=True)
class Ended:
    """A process that ended."""

    #: Its exit status; negative: the signal that killed it.
    status: int
    output: str


class Forks:
    """Starts and awaits processes."""

    def __init__(self, server: subprocess.Popen[str], folder: Path) -> None:
        self._server = server
        self._folder = folder
        self._outputs: dict[int, Path] = {}
        #: TMPDIR of all processes.
        self.temporary = folder / "tmp"
        self.temporary.mkdir()

    def start(
        self, *arguments: str | Path, death: Death | None = None, calls: Path | None = None
    ) -> int:
        """Start `drug-assets` with arguments; return the process id.

        Args:
            arguments: the arguments.
            death: where the process kills itself, in calls of the store that --store names.
            calls: a file for the number of calls of each method.
        """
        output = self._folder / f"{len(self._outputs)}.out"
        words = [str(argument) for argument in arguments]
        pid: int = self._ask(
            start=words,
            output=str(output),
            temporary=str(self.temporary),
            store=words[words.index("--store") + 1],
            death=asdict(death) if death else None,
            calls=str(calls) if calls else None,
        )
        self._outputs[pid] = output
        return pid

    def wait(self, pid: int) -> Ended:
        """Wait for a process to end."""
        return Ended(self._ask(wait=pid), self._outputs[pid].read_text("utf-8"))

    def run(self, landing: Path, store: Path, death: Death | None = None) -> Ended:
        """Run everything, to the end or to the death of the process."""
        return self.wait(self.start("run", "--landing", landing, "--store", store, death=death))

    def count_calls(self, landing: Path, store: Path) -> dict[str, int]:
        """How often a run calls each of `METHODS`."""
        calls = self._folder / "calls.json"
        ended = self.wait(self.start("run", "--landing", landing, "--store", store, calls=calls))
        assert ended.status == 0, ended.output
        counted: dict[str, int] = json.loads(calls.read_text("utf-8"))
        return counted

    def _ask(self, **command: Any) -> Any:
        assert self._server.stdin is not None
        assert self._server.stdout is not None
        self._server.stdin.write(json.dumps(command) + "\n")
        self._server.stdin.flush()
        return json.loads(self._server.stdout.readline())


@contextmanager
def forks(folder: Path) -> Iterator[Forks]:
    """Start a server; its files go into a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    variables = {k: v for k, v in os.environ.items() if not k.startswith(("DRUG_", "DAGSTER_"))}
    with subprocess.Popen(
        [sys.executable, "-m", __name__],
        cwd=runs.REPOSITORY,
        env=variables | {"DAGSTER_DISABLE_TELEMETRY": "yes"},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as server:
        try:
            yield Forks(server, folder)
        finally:
            assert server.stdin is not None
            server.stdin.close()


def _serve() -> None:
    import drug_assets.cli.in_process  # noqa: F401  (so that no child needs to)
    from drug_assets.definitions import make_definitions
    from drug_assets.settings import Settings

    make_definitions(Settings.of({}))  # computes the versions of all code
    for line in sys.stdin:
        command = json.loads(line)
        if "wait" in command:
            _, status = os.waitpid(command["wait"], 0)
            answer = os.waitstatus_to_exitcode(status)
        else:
            answer = os.fork()
            if answer == 0:
                _become_a_run(command)
        print(json.dumps(answer), flush=True)  # noqa: T201


def _become_a_run(command: dict[str, Any]) -> None:
    from drug_assets.cli import main

    output = os.open(command["output"], os.O_CREAT | os.O_WRONLY | os.O_TRUNC)
    for stream in (1, 2):
        os.dup2(output, stream)
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.environ["TMPDIR"] = command["temporary"]
    death = Death(**command["death"]) if command["death"] else None
    count = _make_mortal(command["store"], death)
    status = 1
    try:
        with _dying_at_the_system(command["store"], death):
            main(command["start"])
    except SystemExit as exited:
        status = int(exited.code or 0)
    finally:
        if command["calls"]:
            Path(command["calls"]).write_text(json.dumps(count), "utf-8")
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status)


@contextmanager
def _dying_at_the_system(store: str, death: Death | None) -> Iterator[None]:
    """Die before a call to the system that touches a store."""
    if death is None or death.method != SYSTEM:
        yield
        return

    def die(call: int) -> bool:
        if call == death.call:
            os.kill(os.getpid(), signal.SIGKILL)
        return False

    with failing(Path(store), 0, die):
        yield


def _make_mortal(store: str, death: Death | None) -> Counter[str]:
    """Count calls of a store's methods, and die in one of them."""
    from drug_assets.storage.objects import LocalFolder

    count: Counter[str] = Counter()

    def mortal(method: str) -> Callable[..., Any]:
        done = getattr(LocalFolder, method)

        def call(self: LocalFolder, *arguments: Any) -> Any:
            if self.uri() == store:
                count[method] += 1
                if death and (death.method, death.call) == (method, count[method]):
                    if death.half:
                        _half(method, self, done, *arguments)
                    os.kill(os.getpid(), signal.SIGKILL)
            return done(self, *arguments)

        return call

    for method in METHODS:
        setattr(LocalFolder, method, mortal(method))
    return count


def _half(method: str, folder: Any, done: Callable[..., Any], *arguments: Any) -> None:
    """Do half of what a method does."""
    path = Path(folder.uri())
    if method == "scratch":
        done(folder, *arguments).write_bytes(b"PAR1 half of")
    elif method == "put":  # a place is ready, and the file still has its hidden name
        (path / arguments[1]).parent.mkdir(parents=True, exist_ok=True)
    elif method == "copy":  # the file has its new name, the folder may not be on the disk
        done(folder, *arguments)
    elif method == "delete":  # the folder above stays, however empty
        (path / arguments[0]).unlink(missing_ok=True)
    else:
        (path / f".latest.{os.urandom(6).hex()}.tmp").symlink_to(f"releases/{arguments[1].release}")


if __name__ == "__main__":
    _serve()
