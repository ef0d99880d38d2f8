"""Stores of earlier versions: their outputs become the first release, whatever happens."""

from __future__ import annotations

import json
import shutil
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest

from drug_assets.storage.former import take_over
from drug_assets.storage.kept.whole import find_whole, result_of
from drug_assets.storage.objects import LocalFolder, write_text
from drug_assets.storage.releases import current_release, list_releases
from drug_assets_tests.support import runs
from drug_assets_tests.support.releasing import Killed, Steps

if TYPE_CHECKING:
    from pathlib import Path

DOCUMENTS = ("graph.json",)
#: What version 0.1.0 left: tables, documents, caches.
FORMER = {
    "raw_drugs.parquet": "raw drugs",
    "drugs.parquet": "drugs",
    "mentions.parquet": "mentions",
    "graph.json": "graph",
    "landing.json": '{"files": 1, "fingerprint": "f"}',
    ".parts/x.parquet": "part",
    ".by_file/pubmed/x.parquet": "part",
    ".content_ids.json": "{}",
}
SUMMARY = {
    "landing": {"files": 1, "fingerprint": "f"},
    "rows": {"raw_drugs": 1, "drugs": 1, "mentions": 1},
    "rules": "2-2",
}
OUTPUTS = {name: text for name, text in FORMER.items() if not name.startswith(".")}


@pytest.fixture
def store(tmp_path: Path) -> LocalFolder:
    return former(tmp_path / "store")


def former(folder: Path, **more: str) -> LocalFolder:
    store = LocalFolder(folder)
    for name, text in {**FORMER, "release.json": json.dumps(SUMMARY), **more}.items():
        write_text(store, name, text)
    return store


def outputs_of(store: LocalFolder) -> dict[str, str]:
    """The files of the current release besides `release.json`."""
    release = current_release(store)
    assert release is not None
    files = [o.name for o in store.objects(release.name())]
    texts = {name.removeprefix(release.name()): store.read(name).decode() for name in files}
    assert texts.pop("release.json")
    return texts


def names(store: LocalFolder) -> list[str]:
    """All that is in the store besides its releases."""
    found = (o.name for o in store.objects())
    return [n for n in found if not n.startswith(("releases/", "latest/")) and n != ".lock"]


def test_outputs_become_the_first_release_and_their_names_go(store: LocalFolder) -> None:
    write_text(store, "notes.txt", "of a person")
    write_text(store, ".kept/raw_drugs/x.parquet", "PAR1 part PAR1")
    for number, damaged in enumerate(("", "PAR1", "PAR1 part", "part PAR1")):
        write_text(store, f".kept/raw_drugs/{number}.parquet", damaged)
    taken = take_over(store, DOCUMENTS)
    release = current_release(store)
    assert release is not None
    assert (release.id, release.is_complete()) == (taken, True)
    summary = dict(release.read_summary())
    assert summary.pop("files").keys() == OUTPUTS.keys()
    assert summary == SUMMARY
    assert outputs_of(store) == OUTPUTS
    part, note = names(store)
    assert (result_of(part), note) == (".kept/raw_drugs/x.parquet", "notes.txt")
    assert find_whole(store, "raw_drugs", [".kept/raw_drugs/x.parquet"]).whole
    assert abs((datetime.now(tz=UTC) - release.released_at).total_seconds()) < 3600


def test_before_the_first_run_the_former_outputs_are_read(store: LocalFolder) -> None:
    release = current_release(store)
    assert release is not None
    assert store.read(release.name("graph.json")) == b"graph"
    assert release.read_summary()["rows"] == SUMMARY["rows"]


def test_nothing_is_taken_over_twice_or_from_an_empty_store(
    store: LocalFolder, tmp_path: Path
) -> None:
    assert take_over(LocalFolder(tmp_path / "new"), DOCUMENTS) is None
    assert take_over(store, DOCUMENTS) is not None
    assert take_over(store, DOCUMENTS) is None
    assert len(list_releases(store)) == 1


def test_release_that_was_cut_off_is_taken_over_whole(tmp_path: Path) -> None:
    """Some of its outputs have their final names already, the others wait."""
    waiting = {
        ".staging/run/READY": "release.json\n",
        ".staging/run/graph.json": "new graph",
        ".staging/run/release.json": json.dumps({**SUMMARY, "rules": "new"}),
        ".staging/run/.drugs.parquet.1.tmp": "half",
        ".staging/other/graph.json": "never checked",
    }
    store = former(tmp_path / "store", **waiting)
    assert take_over(store, DOCUMENTS) is not None
    assert outputs_of(store) == {**OUTPUTS, "graph.json": "new graph"}
    release = current_release(store)
    assert release is not None
    assert release.read_summary()["rules"] == "new"
    assert names(store) == [".staging/other/graph.json", ".staging/run/.drugs.parquet.1.tmp"]


@pytest.mark.slow
def test_killed_anywhere_the_next_run_completes_it(tmp_path: Path) -> None:
    stop = 0
    while True:
        store = former(tmp_path / f"store_{stop}")
        step = 0

        def kill(_: str, stop: int = stop) -> None:
            nonlocal step
            step += 1
            if step > stop:
                raise Killed

        try:
            steps: Any = Steps(store, kill)
            take_over(steps, DOCUMENTS)
        except Killed:
            release = current_release(store)
            assert release is not None
            assert store.read(release.name("graph.json")) == b"graph", "readers always find it"
        else:
            break
        take_over(store, DOCUMENTS)
        assert outputs_of(store) == OUTPUTS
        assert names(store) == []
        assert len(list_releases(store)) == 1
        stop += 1
    assert stop > 2 * len(OUTPUTS)


@pytest.mark.slow
def test_run_takes_a_former_store_over_and_says_so(small_run: runs.Run, tmp_path: Path) -> None:
    """Before there were releases, all files of one lay at the top of the store."""
    store = tmp_path / "store"
    runs.copy(runs.current(small_run.store), store)
    for folder in [path for path in store.iterdir() if path.is_dir()]:
        shutil.rmtree(folder)  # there were none then
    runs.copy(small_run.store / ".kept", store / ".kept")
    summary = json.loads((store / "release.json").read_text())
    before = {n: data for n, data in runs.outputs(small_run.store).items() if "/" not in n}
    (store / "release.json").write_text(json.dumps({k: summary[k] for k in SUMMARY}))
    kept = {path.name for path in (store / ".kept").rglob("*.parquet")}
    assert kept

    landing = runs.landing_zone(
        tmp_path / "landing", {**runs.SMALL, "pubmed_2.csv": "id,title\n9,x"}
    )
    run = runs.run(landing, store)
    assert run.succeeded, run.report
    first = list_releases(LocalFolder(store))[-1]
    found = {p.name: p.read_bytes() for p in (store / "releases" / first.id).iterdir()}
    assert found == {**before, "release.json": found["release.json"]}
    assert kept <= {path.name for path in (store / ".kept").rglob("*.parquet")}
    assert runs.left_over(store) == []
