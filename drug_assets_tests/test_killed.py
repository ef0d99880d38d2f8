"""Runs that are killed: readers see the old release or the new one, and the next run tidies up.

Real processes of `drug-assets run`, killed with SIGKILL before or half-way into calls that change
the store, or after a time. The calls are drawn by a seed, so every run of these tests kills at the
same ones. DRUG_ASSETS_KILLS sets how many runs are killed.
"""

from __future__ import annotations

import gzip
import hashlib
import json
import os
import random
import signal
import time
from typing import TYPE_CHECKING

import pytest

from drug_assets.sources.tables import TABLES
from drug_assets.storage.kept.whole import result_of
from drug_assets.storage.objects import LocalFolder
from drug_assets.storage.outputs import Outputs
from drug_assets.storage.pointer import read_pointer
from drug_assets.storage.releases import list_releases
from drug_assets_tests.support import runs
from drug_assets_tests.support.forks import METHODS, Death, Forks, forks

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = [pytest.mark.xdist_group("killed"), pytest.mark.processes]

KILLS = int(os.environ.get("DRUG_ASSETS_KILLS", "14"))
#: One kill in this many comes after a time instead of at a call.
EVERY = 7


@pytest.fixture(scope="module")
def processes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Forks]:
    with forks(tmp_path_factory.mktemp("processes")) as made:
        yield made


@pytest.fixture(scope="module")
def changed(small_run: runs.Run, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, runs.Run]:
    """A landing zone that differs from `runs.SMALL` in every source, and a good run of it.

    The run follows one of `runs.SMALL`, which decides what is new in it.
    """
    folder = tmp_path_factory.mktemp("changed")
    more = {
        "drugs_2.csv": "atccode,drug\nN06BC01,CAFFEINE\n",
        "pubmed_2.csv": "id,title,date,journal\n4,Caffeine and ethanol,2021,Journal of Tests\n",
        "clinical_trials_2.csv": "id,scientific_title,date,journal\nNCT3,Caffeine,2021,\n,,,\n",
    }
    landing = runs.landing_zone(folder / "landing", {**runs.SMALL, **more})
    return landing, runs.run(landing, runs.copy(small_run.store, folder / "store"))


def require_whole(release: Path) -> None:
    """Fail unless every file of a release holds the bytes that `release.json` notes."""
    notes = json.loads((release / "release.json").read_text("utf-8"))["files"]
    files = {p.relative_to(release).as_posix() for p in release.rglob("*") if p.is_file()}
    assert files == {*notes, "release.json"}
    for name, note in notes.items():
        data = (release / name).read_bytes()
        assert note == {"size_bytes": len(data), "sha256": hashlib.sha256(data).hexdigest()}, name


def require_tidy(store: Path) -> None:
    """Fail unless a store holds its releases, the parts that they list, and nothing else."""
    folder = LocalFolder(store)
    releases = list_releases(folder)
    expected = {".lock"}
    listed: set[str] = set()
    for release in releases:
        require_whole(store / release.name())
        expected |= {release.name(name) for name in runs.outputs(store)}
        outputs = Outputs(folder, release=release)
        for name in (name for name, table in TABLES.items() if table.by_file):
            listed |= outputs.parts(name).names()
    # The link `latest` is not followed.
    names = [p.relative_to(store).as_posix() for p in store.rglob("*") if p.is_file()]
    kept = [name for name in names if result_of(name)]
    assert sorted(map(str, map(result_of, kept))) == sorted(listed)
    memory = {n for n in names if n.endswith((".verified.json", "/content_ids.json"))}
    assert {*names} - {*kept} - memory == expected
    entries = {path.name for path in store.iterdir()}
    assert entries - {".workspace"} == {".lock", ".kept", "releases", "latest"}
    assert {path.name for path in (store / "releases").iterdir()} == {r.id for r in releases}


def draw(calls: dict[str, int], seed: random.Random, number: int) -> Death:
    """Where the n-th run dies: every method in turn, before and half-way into a call."""
    method = METHODS[number % len(METHODS)]
    # Every method equally often: few calls make the release, and readers see only those.
    return Death(method, seed.randint(1, calls[method]), half=number // len(METHODS) % 2 == 1)


def test_readers_see_whole_releases_whenever_runs_are_killed_and_the_next_run_tidies_up(
    small_run: runs.Run, changed: tuple[Path, runs.Run], processes: Forks, tmp_path: Path
) -> None:
    seed = random.Random(20261127)  # noqa: S311
    store = runs.copy(small_run.store, tmp_path / "store")
    calls = processes.count_calls(changed[0], runs.copy(small_run.store, tmp_path / "counted"))
    assert all(calls[method] for method in METHODS), calls
    small = runs.landing_zone(tmp_path / "small")
    again = runs.run(small, runs.copy(changed[1].store, tmp_path / "small_again"))
    # What is new depends on the release before, and each landing zone follows the other.
    right = {small: runs.outputs(again.store), changed[0]: runs.outputs(changed[1].store)}
    first = runs.outputs(small_run.store)
    assert runs.without_news(first) == runs.without_news(right[small])
    duration = 1.0
    outcomes = {"killed": 0, "ended": 0}
    for number in range(KILLS):
        # Each run would release what is not current.
        landing = small if runs.outputs(store) == right[changed[0]] else changed[0]
        if number % EVERY == EVERY - 1:
            begun = time.monotonic()
            pid = processes.start("run", "--landing", landing, "--store", store)
            time.sleep(seed.uniform(0, 1.2 * duration))
            os.kill(pid, signal.SIGKILL)
            ended = processes.wait(pid)
            duration = max(duration, time.monotonic() - begun)
        else:
            ended = processes.run(landing, store, draw(calls, seed, number))
        outcomes["killed" if ended.status == -signal.SIGKILL else "ended"] += 1
        assert ended.status in {0, -signal.SIGKILL}, ended.output
        require_whole(runs.current(store))
        assert runs.outputs(store) in (*right.values(), first)
    # Fewer calls may be left to a run that finds much of its work done.
    assert outcomes["killed"] > KILLS * 2 / 3, outcomes

    landing = small if runs.outputs(store) == right[changed[0]] else changed[0]
    last = processes.run(landing, store)
    assert last.status == 0, last.output
    assert runs.outputs(store) == right[landing]
    require_tidy(store)
    folders = [p.name for p in processes.temporary.iterdir() if p.name.startswith("drug")]
    assert len(folders) == 1, "only that of the last run: a fork ends without removing it"


def test_first_run_that_is_killed_leaves_no_release_or_a_whole_one(
    small_run: runs.Run, processes: Forks, tmp_path: Path
) -> None:
    landing = runs.landing_zone(tmp_path / "landing")
    for number, death in enumerate(
        [Death("scratch", 1), Death("copy", 9), Death("swap_pointer", 1, half=True)]
    ):
        store = tmp_path / f"store_{number}"
        assert processes.run(landing, store, death).status == -signal.SIGKILL
        assert read_pointer(store) is None
        ended = processes.run(landing, store)
        assert ended.status == 0, ended.output
        assert runs.outputs(store) == runs.outputs(small_run.store)
        require_tidy(store)


def test_cut_gzip_exits_with_1_names_the_file_and_leaves_all_outputs(
    small_run: runs.Run, processes: Forks, tmp_path: Path
) -> None:
    store = runs.copy(small_run.store, tmp_path / "store")
    whole = gzip.compress(runs.SMALL["pubmed.csv"].encode() * 200)
    files: dict[str, str | bytes] = {**runs.SMALL, "pubmed_2.csv.gz": whole[: len(whole) // 2]}
    landing = runs.landing_zone(tmp_path / "landing", files)
    ended = processes.run(landing, store)
    assert ended.status == 1
    assert "pubmed_2.csv.gz: " in ended.output
    assert "Traceback" not in ended.output
    assert runs.outputs(store) == runs.outputs(small_run.store)
