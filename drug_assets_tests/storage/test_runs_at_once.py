"""Runs at once on one store, in processes of their own: none removes what another one needs."""

from __future__ import annotations

import select
import subprocess
import sys
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING

import pytest

from drug_assets.storage import outputs, staging
from drug_assets.storage.kept.by_file import discard_unlisted
from drug_assets.storage.objects import LocalFolder
from drug_assets.storage.outputs import evict_unused_parts
from drug_assets_tests.support import runs
from drug_assets_tests.support.forks import forks
from drug_assets_tests.support.news import require_right_news

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator
    from pathlib import Path

pytestmark = pytest.mark.processes

#: A run, as far as parts are concerned: it begins, reads the landing zone, reads the parts that it
#: made, and at its end removes those that nobody needs. It prints how far it is, and where a test
#: may stop it, it waits for a line.
_RUN = """
import sys
from pathlib import Path

from drug_assets.engines.local import LocalMachine
from drug_assets.storage import staging
from drug_assets.storage.landing import read_landing_zone
from drug_assets.storage.objects import LocalFolder
from drug_assets.storage.outputs import evict_unused_parts

run, landing, folder = sys.argv[1:]
store = LocalFolder(Path(folder))
say = lambda *words: print(*words, flush=True)
say("started")
sys.stdin.readline()
staging.begin(store, run, staging.Beginning(None, "rules", resumable=False))
say("begun")
landed = read_landing_zone(LocalFolder(Path(landing)), store, LocalMachine(), say)
say("read")
sys.stdin.readline()
say(sum(parts.rows(store).collect().height for parts in landed.raw.values()))
staging.discard(store, run)
say(evict_unused_parts(store))
"""


class Run:
    """A run in a process of its own."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process

    def says(self) -> str:
        """The next line that it prints, once it does."""
        assert self._process.stdout is not None
        return self._process.stdout.readline().strip()

    def is_silent(self, seconds: float) -> bool:
        """Whether it prints nothing for some seconds, beyond what was read."""
        assert self._process.stdout is not None
        return not select.select([self._process.stdout], [], [], seconds)[0]

    def go_on(self) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write("\n")
        self._process.stdin.flush()

    def has_ended(self) -> bool:
        return self._process.wait() == 0

    def kill(self) -> None:
        self._process.kill()
        self._process.wait()


@contextmanager
def begun(name: str, landing: Path, store: Path) -> Iterator[Run]:
    with subprocess.Popen(
        [sys.executable, "-c", _RUN, name, str(landing), str(store)],
        cwd=runs.REPOSITORY,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        run = Run(process)
        assert run.says() == "started"
        yield run


@pytest.fixture
def landings(tmp_path: Path) -> tuple[Path, Path]:
    """Two states of a landing zone, none of whose files have the same content."""
    other = {name: text + text.splitlines(keepends=True)[-1] for name, text in runs.SMALL.items()}
    return (
        runs.landing_zone(tmp_path / "a"),
        runs.landing_zone(tmp_path / "b", other),
    )


def kept(store: Path) -> set[str]:
    return {path.name for path in (store / ".kept").rglob("*.parquet")}


def test_run_that_ends_leaves_the_parts_of_another_one_alone(
    landings: tuple[Path, Path], tmp_path: Path
) -> None:
    store = tmp_path / "store"
    with begun("a", landings[0], store) as slow, begun("b", landings[1], store) as fast:
        slow.go_on()
        assert [slow.says(), slow.says()] == ["begun", "read"]
        of_slow = kept(store)
        fast.go_on()
        assert [fast.says(), fast.says()] == ["begun", "read"]
        fast.go_on()
        assert [fast.says(), fast.says()] == ["11", "0"], "eleven rows read, nothing removed"
        assert fast.has_ended()
        assert of_slow < kept(store)
        slow.go_on()
        assert [slow.says(), slow.says()] == ["8", "6"], "nothing was released: all parts go"
    assert kept(store) == set()


def test_killed_run_keeps_nobody_from_removing_parts(
    landings: tuple[Path, Path], tmp_path: Path
) -> None:
    store = tmp_path / "store"
    with begun("a", landings[0], store) as killed, begun("b", landings[1], store) as other:
        killed.go_on()
        assert [killed.says(), killed.says()] == ["begun", "read"]
        killed.kill()
        other.go_on()
        assert [other.says(), other.says()] == ["begun", "read"]
        other.go_on()
        assert [other.says(), other.says()] == ["11", "6"]


def test_run_that_begins_between_the_check_and_the_removal_waits_for_its_end(
    landings: tuple[Path, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = tmp_path / "store"
    with ExitStack() as stack:
        first = stack.enter_context(begun("a", landings[0], store))
        first.go_on()
        assert [first.says(), first.says()] == ["begun", "read"]
        first.kill()
        second = stack.enter_context(begun("b", landings[0], store))
        seen_at_removal = []

        def removed_late(place: LocalFolder, listed: Collection[str]) -> int:
            second.go_on()  # it begins, and waits for the lock
            assert second.is_silent(0.5)
            seen_at_removal.append([s.run for s in staging.list_staged_runs(place)])
            return discard_unlisted(place, listed)

        monkeypatch.setattr(outputs, "discard_unlisted", removed_late)
        assert evict_unused_parts(LocalFolder(store)) == 3
        assert seen_at_removal == [["a"]], "the second run has not begun"
        assert [second.says(), second.says()] == ["begun", "read"]
        second.go_on()
        assert second.says() == "8"


@pytest.mark.slow
def test_five_whole_runs_at_once_of_two_landing_zones_all_succeed(
    landings: tuple[Path, Path], tmp_path: Path
) -> None:
    store = tmp_path / "store"
    right = [runs.run(landing, tmp_path / f"right_{landing.name}") for landing in landings]
    with forks(tmp_path / "processes") as processes:
        pids = [
            processes.start("run", "--landing", landings[number % 2], "--store", store)
            for number in range(5)
        ]
        for pid in pids:
            ended = processes.wait(pid)
            assert ended.status == 0, ended.output
        wanted = [runs.without_news(runs.outputs(run.store)) for run in right]
        assert runs.without_news(runs.outputs(store)) in wanted
        assert processes.run(landings[1], store).status == 0
    assert runs.without_news(runs.outputs(store)) == wanted[1]
    require_right_news(LocalFolder(store))
    expected = {result for run in right for result in kept(run.store)}
    assert {name.partition("-")[0] for name in kept(store)} == {
        name.partition("-")[0] for name in expected
    }
