"""Whole runs while something fails: each ends in words, and the next one makes everything right.

`make faults` tries every call; the other test runs try a few, drawn by a seed.
"""

from __future__ import annotations

import errno
import os
import random
import signal
import subprocess
import sys
from collections import Counter
from typing import TYPE_CHECKING

import pytest

from drug_assets.cli.in_process import run_everything
from drug_assets.settings import Settings, SettingsError
from drug_assets.storage.google import bucket as gcs
from drug_assets.storage.places import open_store
from drug_assets.storage.releases import open_release
from drug_assets_tests.support import clouds, runs
from drug_assets_tests.support.failing import failing
from drug_assets_tests.support.faulty_proxy import faulty_proxy
from drug_assets_tests.support.releasing import end_process

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from drug_assets_tests.support.emulators import GcsEmulator

EVERY_CALL = os.environ.get("DRUG_ASSETS_FAULTS") == "all"
_FEW = 2
_SEED = 11
#: A landing zone that differs from `runs.SMALL` in every source.
CHANGED = {
    **runs.SMALL,
    "drugs_2.csv": "atccode,drug\nN06BC01,CAFFEINE\n",
    "pubmed_2.csv": "id,title,date,journal\n4,Caffeine and ethanol,2021,Journal of Tests\n",
    "clinical_trials_2.csv": "id,scientific_title,date,journal\nNCT3,Caffeine,2021,\n,,,\n",
}
#: Runs the command line, and kills it before the nth call that touches the store.
_KILLED = """
import os, signal, sys
from pathlib import Path
from drug_assets_tests.support.failing import failing

nth, store = int(sys.argv[1]), Path(sys.argv[2])

def die(n):
    if n == nth:
        os.kill(os.getpid(), signal.SIGKILL)
    return False

with failing(store, 0, die):
    from drug_assets.cli import main
    main(sys.argv[3:])
"""


def draw(total: int) -> list[int]:
    """The numbers of the calls that fail: all of them, or a few."""
    numbers = range(1, total + 1)
    return [*numbers] if EVERY_CALL else sorted(random.Random(_SEED).sample(numbers, _FEW))  # noqa: S311 - no secret


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
        #: How the runs ended.
        self.outcomes: Counter[str] = Counter()

    def store(self) -> Path:
        """A copy of the store for one more run."""
        self._copies += 1
        return runs.copy(self.small.store, self.folder / f"store_{self._copies}")

    def run(self, store: Path) -> runs.Run:
        """Run as the command line does: a place that cannot be used is told, too."""
        try:
            return runs.run(self.landing, store)
        except SettingsError as error:
            return runs.Run(succeeded=False, report=str(error), store=store)

    def require_right(self, store: Path, nth: int) -> None:
        """The release is the old one or the new one, and the next run makes everything right."""
        found = runs.outputs(store)
        assert found in (self.old, self.new), f"torn after call {nth}"
        end_process(store)
        after = runs.run(self.landing, store)
        assert after.succeeded, after.report
        assert runs.outputs(store) == self.new
        assert runs.left_over(store) == []


@pytest.fixture(scope="module")
def trial(small_run: runs.Run, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Trial]:
    trial = Trial(small_run, tmp_path_factory.mktemp("faults"))
    yield trial
    runs_in_all = sum(trial.outcomes.values())
    sys.stdout.write(f"\n{runs_in_all} runs: {dict(trial.outcomes)}, 0 torn\n")


@pytest.mark.slow
@pytest.mark.parametrize("lasts", [False, True], ids=["once", "from then on"])
@pytest.mark.parametrize("fault", ["ENOSPC", "EIO"])
def test_disk_that_fails_in_a_run_ends_it_in_words(
    trial: Trial, fault: str, *, lasts: bool
) -> None:
    number = getattr(errno, fault)
    store = trial.store()
    with failing(store, number, lambda _: False) as disk:
        assert runs.run(trial.landing, store).succeeded
    for nth in draw(len(disk.calls)):
        store = trial.store()
        with failing(store, number, lambda n, nth=nth: n >= nth if lasts else n == nth):  # type: ignore[misc]
            ended = trial.run(store)
        trial.outcomes[f"{fault}: {'succeeded' if ended.succeeded else 'failed'}"] += 1
        assert "Traceback" not in ended.report
        assert (
            ended.succeeded or "Nothing was released" in ended.report or str(store) in ended.report
        )
        trial.require_right(store, nth)


@pytest.mark.slow
@pytest.mark.processes
def test_run_that_is_killed_at_any_call_leaves_a_whole_release(trial: Trial) -> None:
    store = trial.store()
    with failing(store, 0, lambda _: False) as disk:
        assert runs.run(trial.landing, store).succeeded
    for nth in draw(len(disk.calls)):
        store = trial.store()
        places = ["--landing", str(trial.landing), "--store", str(store)]
        ended = subprocess.run(
            [sys.executable, "-c", _KILLED, str(nth), str(store), "run", *places],
            cwd=runs.REPOSITORY,
            capture_output=True,
            text=True,
            check=False,
        )
        assert ended.returncode in {-signal.SIGKILL, 0}, ended.stderr
        trial.outcomes["killed" if ended.returncode else "ended before"] += 1
        trial.require_right(store, nth)


@pytest.mark.slow
@pytest.mark.xdist_group("clouds")
@pytest.mark.parametrize("lasts", [False, True], ids=["once", "from then on"])
@pytest.mark.parametrize("fault", ["403", "503"])
def test_bucket_that_fails_in_a_run_ends_it_in_words(
    trial: Trial,
    gcs_emulator: GcsEmulator,
    monkeypatch: pytest.MonkeyPatch,
    fault: str,
    *,
    lasts: bool,
) -> None:
    clouds.wait_for_nothing(monkeypatch)
    monkeypatch.setattr(gcs, "RETRY", gcs.RETRY.with_timeout(2.0))
    bucket = clouds.new_bucket(gcs_emulator)
    clouds.upload(gcs_emulator, trial.landing, bucket, "landing")
    small = runs.landing_zone(trial.folder / "small")
    clouds.upload(gcs_emulator, small, bucket, "small")
    with faulty_proxy(gcs_emulator.url) as proxy:
        clouds.reach(monkeypatch, proxy.url)

        def run(zone: str, store: str) -> bool:
            settings = Settings.of(
                {}, landing=f"gs://{bucket}/{zone}", store=f"gs://{bucket}/{store}"
            )
            return run_everything(settings, runs.console())

        def graph(store: str) -> bytes:
            place = open_store(f"gs://{bucket}/{store}")
            return place.read(open_release(place).name("graph.json"))

        assert run("small", "count")
        proxy.count_anew()
        assert run("landing", "count")
        for nth in draw(len(proxy.requests)):
            proxy.count_anew()
            store = f"store-{nth}"
            assert run("small", store)
            proxy.count_anew(
                lambda n, nth=nth: fault if (n >= nth if lasts else n == nth) else None  # type: ignore[misc]
            )
            try:
                succeeded = run("landing", store)
            except SettingsError:
                succeeded = False
            trial.outcomes[f"{fault}: {'succeeded' if succeeded else 'failed'}"] += 1
            proxy.count_anew()
            assert graph(store) in {trial.old["graph.json"], trial.new["graph.json"]}
            assert run("landing", store)
            assert graph(store) == trial.new["graph.json"]
