"""Whole runs while something fails: each ends with a message, and the next one succeeds.

`make faults` tries every call; without it, a few are tried, drawn by a seed.
"""

from __future__ import annotations

import errno
import hashlib
import os
import random
import re
import shutil
import signal
from typing import TYPE_CHECKING, Any

import pytest

from drug_assets.cli import in_process
from drug_assets.cli.in_process import run_everything
from drug_assets.defs import failures
from drug_assets.settings import Settings, SettingsError
from drug_assets.storage.google import bucket as gcs
from drug_assets.storage.places import open_store
from drug_assets.storage.releases import open_release
from drug_assets_tests.support import clouds, runs
from drug_assets_tests.support.failing import Disk, failing
from drug_assets_tests.support.faulty_proxy import faulty_proxy
from drug_assets_tests.support.forks import SYSTEM, Death, Forks, forks
from drug_assets_tests.support.releasing import end_process

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from drug_assets_tests.support.emulators import GcsEmulator

EVERY_CALL = os.environ.get("DRUG_ASSETS_FAULTS") == "all"
_SEED = 11
#: How many calls are tried where not all are.
DRAWN = 40 if EVERY_CALL else 2
#: Each test is divided, so that all cores have work.
SHARES = 16 if EVERY_CALL else 1
#: The property of a test's report that says how a run ended.
OUTCOME = "outcome"
#: A landing zone that differs from `runs.SMALL` in every source.
CHANGED = {
    **runs.SMALL,
    "drugs_2.csv": "atccode,drug\nN06BC01,CAFFEINE\n",
    "pubmed_2.csv": "id,title,date,journal\n4,Caffeine and ethanol,2021,Journal of Tests\n",
    "clinical_trials_2.csv": "id,scientific_title,date,journal\nNCT3,Caffeine,2021,\n,,,\n",
}
#: What differs between two runs that do the same: ids of runs and releases, names of scratch files.
_RANDOM = re.compile(r"[0-9a-f]{8}-[0-9a-f-]{27}|\d{8}T[\d.]+Z?[-\w]*|\.[0-9a-f]{12,}\b")

shared = pytest.mark.parametrize("share", range(SHARES))


def choose(calls: Sequence[int], share: int, *, every: bool = True) -> Sequence[int]:
    """The numbers of the calls that fail, or before which a run is killed.

    Args:
        calls: the numbers that there are.
        share: which of `SHARES`.
        every: whether `make faults` tries all of them; else some are drawn by the seed.
    """
    assert calls
    if EVERY_CALL and every:
        return calls[share::SHARES]
    drawn = random.Random(_SEED).sample(calls, min(DRAWN, len(calls)))  # noqa: S311 - no secret
    return sorted(drawn)[share::SHARES]


class Trial:
    """A store with a good release, and a landing zone that changed since."""

    def __init__(self, small: runs.Run, folder: Path) -> None:
        self.small = small
        self._copies = 0
        self.folder = folder
        self.landing = runs.landing_zone(folder / "landing", CHANGED)
        # It follows the same release as all others, which decides what is new in it.
        right = runs.run(self.landing, runs.copy(small.store, folder / "right"))
        assert right.succeeded, right.report
        self.old, self.new = runs.outputs(small.store), runs.outputs(right.store)
        self._recovered: set[str] = set()

    def store(self) -> Path:
        """A copy of the store for one more run."""
        self._copies += 1
        return runs.copy(self.small.store, self.folder / f"store_{self._copies}")

    def calls(self) -> Disk:
        """The calls of a run in which none fails."""
        store = self.store()
        with failing(store, 0, lambda _: False) as disk:
            assert runs.run(self.landing, store).succeeded
        return disk

    def run(self, store: Path) -> runs.Run:
        """Run as the command line does, which also reports a place that cannot be used."""
        try:
            return runs.run(self.landing, store)
        except SettingsError as error:
            return runs.Run(succeeded=False, report=str(error), store=store)

    def require_right(self, store: Path, nth: int) -> None:
        """The release is the old one or the new one, and the next run makes everything right.

        Many calls that fail leave the same files: the next run is tried once on each state.
        """
        found = runs.outputs(store)
        assert found in (self.old, self.new), f"torn after call {nth}"
        end_process(store)
        state = _state(store)
        if state not in self._recovered:
            after = runs.run(self.landing, store)
            assert after.succeeded, after.report
            assert runs.outputs(store) == self.new
            assert runs.left_over(store) == []
            self._recovered.add(state)
        shutil.rmtree(store)


def _state(store: Path) -> str:
    """A digest of what lies in a store: names, links, contents, but for what is random in them."""
    digest = hashlib.sha256()
    for path in sorted(store.rglob("*")):
        name = _RANDOM.sub("*", path.relative_to(store).as_posix())
        if path.is_symlink():
            content = _RANDOM.sub("*", str(path.readlink())).encode()
        elif path.suffix == ".json":  # it may hold times
            content = str(path.stat().st_size).encode()
        else:
            content = path.read_bytes() if path.is_file() else b"folder"
        digest.update(f"{name}\0{len(content)}\0".encode() + content)
    return digest.hexdigest()


@pytest.fixture(scope="module")
def trial(small_run: runs.Run, tmp_path_factory: pytest.TempPathFactory) -> Trial:
    return Trial(small_run, tmp_path_factory.mktemp("faults"))


@pytest.fixture(scope="module")
def processes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Forks]:
    with forks(tmp_path_factory.mktemp("processes")) as made:
        yield made


@pytest.mark.slow
@shared
@pytest.mark.parametrize("lasts", [False, True], ids=["once", "from then on"])
@pytest.mark.parametrize("fault", ["ENOSPC", "EIO"])
def test_disk_that_fails_in_a_run_ends_it_in_words(
    trial: Trial,
    record_property: Callable[[str, object], None],
    fault: str,
    share: int,
    *,
    lasts: bool,
) -> None:
    number = getattr(errno, fault)
    total = len(trial.calls().calls)
    every = fault == "ENOSPC" and not lasts
    struck = 0
    for nth in choose(range(1, total + 1), share, every=every):
        store = trial.store()
        with failing(
            store,
            number,
            lambda n, nth=nth: n >= nth if lasts else n == nth,  # type: ignore[misc]
        ) as disk:
            ended = trial.run(store)
        struck += len(disk.calls) >= nth
        assert "Traceback" not in ended.report
        assert (
            ended.succeeded or "Nothing was released" in ended.report or str(store) in ended.report
        )
        trial.require_right(store, nth)
        how = "from a call on" if lasts else "once"
        result = "succeeded" if ended.succeeded else "failed in words"
        record_property(OUTCOME, f"{fault} {how}: {result}")
    assert struck, "no run came to the call that fails"


@pytest.mark.slow
def test_disk_that_fails_after_the_release_does_not_fail_the_run(
    trial: Trial, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = trial.store()
    print_report = in_process._print_report
    fails = False
    with failing(store, errno.EIO, lambda _: fails) as disk:

        def print_while_it_fails(*arguments: Any, **further: Any) -> None:
            nonlocal fails
            fails = True
            disk.calls.clear()
            print_report(*arguments, **further)
            fails = False

        monkeypatch.setattr(in_process, "_print_report", print_while_it_fails)
        ended = trial.run(store)
    assert disk.calls
    assert ended.succeeded
    # Neither the answers nor the place of the outputs can be told.
    assert ended.report.count("The release was made, but cannot be read just now: ") == 2
    trial.require_right(store, 0)


@pytest.mark.slow
@pytest.mark.processes
@shared
def test_run_that_is_killed_at_any_call_leaves_a_whole_release(
    trial: Trial,
    processes: Forks,
    record_property: Callable[[str, object], None],
    share: int,
) -> None:
    # A kill before a call that only reads leaves the same as one before the next change.
    killed = 0
    for nth in choose(trial.calls().changes, share):
        store = trial.store()
        ended = processes.run(trial.landing, store, Death(SYSTEM, nth))
        assert ended.status in {-signal.SIGKILL, 0}, ended.output
        killed += ended.status != 0
        trial.require_right(store, nth)
        record_property(OUTCOME, "kill: killed" if ended.status else "kill: ended before")
    assert killed, "every run ended before the call at which it is killed"


class CloudTrial:
    """The same in a bucket: a store with a good release, and a landing zone that changed since."""

    def __init__(self, gcs: GcsEmulator, small: Path, landing: Path) -> None:
        self.gcs = gcs
        self.bucket = clouds.new_bucket(gcs)
        clouds.upload(gcs, small, self.bucket, "small")
        clouds.upload(gcs, landing, self.bucket, "landing")
        with pytest.MonkeyPatch.context() as variables, faulty_proxy(gcs.url) as proxy:
            clouds.reach(variables, proxy.url)
            assert self.run("small", "old")
            clouds.copy(gcs, self.bucket, "old", "count")
            proxy.count_anew()
            assert self.run("landing", "count")
            #: How many requests a run makes if none of them fails.
            self.requests = len(proxy.requests)
        self._recovered: set[str] = set()

    def run(self, zone: str, store: str) -> bool:
        """Whether a run succeeds."""
        place = f"gs://{self.bucket}"
        settings = Settings.of({}, landing=f"{place}/{zone}", store=f"{place}/{store}")
        try:
            return run_everything(settings, runs.console())
        except SettingsError:
            return False

    def require_right(self, store: str, trial: Trial) -> None:
        """As `Trial.require_right`, of a store in the bucket."""
        assert self.graph(store) in {trial.old["graph.json"], trial.new["graph.json"]}
        files = self.gcs.root / self.bucket / store
        state = _state(files)
        if state not in self._recovered:
            assert self.run("landing", store)
            assert self.graph(store) == trial.new["graph.json"]
            self._recovered.add(state)
        shutil.rmtree(files)

    def graph(self, store: str) -> bytes:
        """The graph document of the current release."""
        place = open_store(f"gs://{self.bucket}/{store}")
        return place.read(open_release(place).name("graph.json"))


@pytest.fixture(scope="module")
def cloud_trial(
    trial: Trial, gcs_emulator: GcsEmulator, tmp_path_factory: pytest.TempPathFactory
) -> CloudTrial:
    small = runs.landing_zone(tmp_path_factory.mktemp("small"))
    return CloudTrial(gcs_emulator, small, trial.landing)


@pytest.mark.slow
def test_run_asks_a_bucket_for_nothing_that_it_knows(cloud_trial: CloudTrial) -> None:
    # Each request takes the service some 30 milliseconds, and most wait for the one before.
    assert cloud_trial.requests <= 410


@pytest.mark.slow
@shared
@pytest.mark.parametrize("lasts", [False, True], ids=["once", "from then on"])
@pytest.mark.parametrize("fault", ["403", "503"])
def test_bucket_that_fails_in_a_run_ends_it_in_words(
    trial: Trial,
    cloud_trial: CloudTrial,
    monkeypatch: pytest.MonkeyPatch,
    record_property: Callable[[str, object], None],
    fault: str,
    share: int,
    *,
    lasts: bool,
) -> None:
    clouds.wait_for_nothing(monkeypatch)
    monkeypatch.setattr(gcs, "RETRY", gcs.RETRY.with_timeout(2.0))
    monkeypatch.setattr(failures, "_RETRIES", failures._RETRIES._replace(delay=0, jitter=None))
    struck = 0
    with faulty_proxy(cloud_trial.gcs.url) as proxy:
        clouds.reach(monkeypatch, proxy.url)
        for nth in choose(range(1, cloud_trial.requests + 1), share, every=not lasts):
            store = f"{fault}-{lasts}-{nth}"
            clouds.copy(cloud_trial.gcs, cloud_trial.bucket, "old", store)
            proxy.count_anew(
                lambda n, nth=nth: fault if (n >= nth if lasts else n == nth) else None  # type: ignore[misc]
            )
            succeeded = cloud_trial.run("landing", store)
            struck += len(proxy.requests) >= nth
            proxy.count_anew()
            cloud_trial.require_right(store, trial)
            how = "from a request on" if lasts else "once"
            result = "succeeded" if succeeded else "failed in words"
            record_property(OUTCOME, f"{fault} {how}: {result}")
    assert struck, "no run came to the request that fails"
