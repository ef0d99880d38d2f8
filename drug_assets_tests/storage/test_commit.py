"""The commit of a release: old or new, whole, and of one run, whoever releases meanwhile."""

from __future__ import annotations

import errno
import json
import os
import shutil
import threading
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from drug_assets.storage import staging
from drug_assets.storage.commit import Committed, LostRaceError, remove_unlisted_releases
from drug_assets.storage.google import bucket as gcs
from drug_assets.storage.objects import LocalFolder, ObjectStore, write_text
from drug_assets.storage.pointer import Pointer
from drug_assets.storage.releases import (
    NoReleaseError,
    Release,
    RollbackError,
    describe_releases,
    end_rollback,
    is_unchanged_since_release,
    list_releases,
    make_release_id,
    open_release,
    roll_back,
)
from drug_assets_tests.support import clouds
from drug_assets_tests.support.releasing import (
    FILES,
    RULES,
    Killed,
    Steps,
    content_of,
    make,
    release,
    seen,
    stage,
)

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from drug_assets_tests.support.emulators import GcsEmulator

pytestmark = pytest.mark.xdist_group("clouds")


@pytest.fixture(params=["folder", pytest.param("bucket", marks=pytest.mark.emulator)])
def new_store(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Callable[[], ObjectStore]:
    """Makes empty stores of one kind."""
    made = 0

    def folder() -> ObjectStore:
        nonlocal made
        made += 1
        return LocalFolder(tmp_path / f"store_{made}")

    if request.param == "folder":
        return folder
    emulator: GcsEmulator = request.getfixturevalue("gcs_emulator")
    clouds.reach(monkeypatch, emulator.url)
    clouds.wait_for_nothing(monkeypatch)
    return lambda: gcs.Bucket.at(f"gs://{clouds.new_bucket(emulator)}/store")


@pytest.fixture
def store(new_store: Callable[[], ObjectStore]) -> ObjectStore:
    return new_store()


# One run


def test_release_holds_what_was_staged_and_says_what_it_was_made_from(store: ObjectStore) -> None:
    made = make(store, "one")
    assert made.is_new
    found = open_release(store)
    assert found.id == made.release
    assert content_of(found) == "one"
    summary = found.read_summary()
    assert {name: summary[name] for name in ("landing", "rows", "rules")} == {
        "landing": {"files": 1, "fingerprint": "one"},
        "rows": {"mentions": 7},
        "rules": RULES,
    }
    assert sorted(summary["files"]) == sorted(FILES)
    assert [o.name for o in store.objects(staging.STAGING)] == []


def test_reader_keeps_the_release_that_it_opened(store: ObjectStore) -> None:
    make(store, "one")
    opened = open_release(store)
    make(store, "two")
    assert content_of(opened) == "one"
    assert seen(store) == "two"
    assert [content_of(r) for r in list_releases(store)] == ["two", "one"]


def test_same_files_are_the_same_bytes_whoever_releases_them(new_store: Any) -> None:
    first, second = new_store(), new_store()
    make(second, "another")
    for store in (first, second):
        make(store, "one")
    documents = {store.read(open_release(store).name("release.json")) for store in (first, second)}
    assert len(documents) == 1


def test_what_is_current_already_is_not_released_again(store: ObjectStore) -> None:
    made = make(store, "one")
    again = make(store, "one")
    assert (again.release, again.is_new) == (made.release, False)
    assert len(list_releases(store)) == 1


def test_damaged_release_is_replaced_by_the_same_content(store: ObjectStore) -> None:
    made = make(store, "one")
    store.delete(Release(store, made.release).name("b.json"))
    assert not Release(store, made.release).is_complete()
    again = make(store, "one")
    assert again.is_new
    assert seen(store) == "one"


def test_folder_stores_what_did_not_change_once(tmp_path: Path) -> None:
    store = LocalFolder(tmp_path)
    folders = [tmp_path / "releases" / make(store, content).release for content in ("one", "two")]
    inodes = {file: {(folder / file).stat().st_ino for folder in folders} for file in FILES}
    assert {file: len(found) for file, found in inodes.items()} == {
        "a.json": 2,
        "b.json": 2,
        "c.json": 1,
    }


def test_files_of_another_size_are_not_read_to_compare_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    read = []
    local_copy = LocalFolder.local_copy

    def note(folder: LocalFolder, name: str, version: str | None = None) -> Path:
        if name.startswith("releases/"):
            read.append(name.rpartition("/")[2])
        return local_copy(folder, name, version)

    store = LocalFolder(tmp_path)
    make(store, "one")
    monkeypatch.setattr(LocalFolder, "local_copy", note)
    make(store, "another")
    assert read == ["c.json"]


def test_damaged_bytes_are_not_taken_over_from_the_release_before(tmp_path: Path) -> None:
    store = LocalFolder(tmp_path)
    first = tmp_path / "releases" / make(store, "one").release / "c.json"
    first.write_text("alwayS")
    make(store, "two")
    assert seen(store) == "two"


# How many are kept


def test_only_the_newest_releases_are_kept(store: ObjectStore) -> None:
    made = [make(store, f"{n}", keep=3) for n in range(5)]
    assert [content_of(r) for r in list_releases(store)] == ["4", "3", "2"]
    assert [m.pruned for m in made] == [(), (), (), (made[0].release,), (made[1].release,)]
    names = {o.name.split("/")[1] for o in store.objects("releases/")}
    assert names == {m.release for m in made[2:]}


def test_base_of_a_run_in_progress_is_kept(store: ObjectStore) -> None:
    first = make(store, "0", keep=1)
    stage(store, "slow", "slow")
    make(store, "1", keep=1)
    make(store, "2", keep=1)
    assert [content_of(r) for r in list_releases(store)] == ["2", "0"]
    staging.discard(store, "slow")
    assert first.release in make(store, "3", keep=1).pruned
    assert [content_of(r) for r in list_releases(store)] == ["3"]


def test_ids_sort_by_time_even_if_the_clock_goes_back() -> None:
    now = datetime(2026, 1, 2, tzinfo=UTC)
    first = make_release_id(None, now)
    assert first.startswith("20260102T000000.000000Z-")
    later = make_release_id(first, now - timedelta(days=1))
    assert later > first
    assert later.startswith("20260102T000000.000001Z-")
    assert make_release_id(later, now + timedelta(days=1)) > later


# Going back


def test_rollback_shows_the_earlier_release_and_resume_the_newest(store: ObjectStore) -> None:
    first, second = make(store, "one"), make(store, "two")
    assert roll_back(store, first.release).left == second.release
    assert seen(store) == "one"
    assert [(r.release, r.state) for r in describe_releases(store)] == [
        (second.release, "rolled back"),
        (first.release, "current"),
    ]
    assert end_rollback(store) == Pointer(second.release)
    assert seen(store) == "two"


def test_rollback_twice_still_remembers_the_newest(store: ObjectStore) -> None:
    made = [make(store, f"{n}").release for n in range(3)]
    roll_back(store, made[1])
    roll_back(store, made[0])
    assert store.pointer() == Pointer(made[0], left=made[2])
    assert len(list_releases(store)) == 3


def test_run_releases_over_a_rollback(store: ObjectStore) -> None:
    first = make(store, "one")
    make(store, "two")
    roll_back(store, first.release)
    assert make(store, "three").is_new
    pointer = store.pointer()
    assert pointer is not None
    assert pointer.left is None
    assert [content_of(r) for r in list_releases(store)] == ["three", "two", "one"]


def test_rollback_that_makes_no_sense_is_refused(store: ObjectStore) -> None:
    with pytest.raises(NoReleaseError, match="there is no release 1"):
        roll_back(store, "1")
    with pytest.raises(RollbackError, match="was not rolled back"):
        end_rollback(store)
    first, second = make(store, "one"), make(store, "two")
    with pytest.raises(RollbackError, match="is the current release already"):
        roll_back(store, second.release)
    store.delete(Release(store, first.release).name("a.json"))
    with pytest.raises(RollbackError, match="is incomplete"):
        roll_back(store, first.release)
    assert seen(store) == "two"


def test_run_that_a_rollback_overtakes_releases_nothing(store: ObjectStore) -> None:
    first = make(store, "one")
    make(store, "two")
    stage(store, "slow", "slow")
    roll_back(store, first.release)
    with pytest.raises(LostRaceError, match=r"rolled back to .* while this run was working"):
        release(store, "slow", "slow")
    assert seen(store) == "one"


def test_unchanged_means_same_files_same_rules_and_nothing_missing(
    store: ObjectStore, tmp_path: Path
) -> None:
    from drug_assets.storage.kept.content_ids import ContentIds
    from drug_assets.storage.landed_files import compute_fingerprint

    zone = LocalFolder(tmp_path / "zone")
    write_text(zone, "pubmed.csv", "id,title\n")
    fingerprint = compute_fingerprint(ContentIds.of(zone, store))

    def unchanged(rules: str = RULES) -> bool:
        return is_unchanged_since_release(zone, store, rules)

    assert not unchanged()
    earlier = make(store, "earlier")
    assert not unchanged()
    made = make(store, fingerprint)
    assert unchanged()
    assert not unchanged("other rules")
    roll_back(store, earlier.release)
    assert unchanged(), "a run would make the release again that was left"
    end_rollback(store)
    write_text(store, Release(store, made.release).name("a.json"), "longer than before " * 9)
    assert not unchanged()
    store.delete(Release(store, made.release).name("a.json"))
    assert not unchanged()


@pytest.mark.parametrize("damage", ["", "[]", "{", "null", '{"files": {}}'])
def test_damaged_summary_counts_as_absent(store: ObjectStore, tmp_path: Path, damage: str) -> None:
    made = make(store, "one")
    write_text(store, Release(store, made.release).name("release.json"), damage)
    zone = LocalFolder(tmp_path / "zone")
    assert not is_unchanged_since_release(zone, store, RULES)
    assert make(store, "one").is_new
    assert seen(store) == "one"


# Two runs at once


def test_run_that_lost_to_the_same_content_ends_well(store: ObjectStore) -> None:
    make(store, "one")
    stage(store, "slow", "two")
    fast = make(store, "two")
    committed = release(store, "slow", "two", current=False)
    assert (committed.release, committed.is_new) == (fast.release, False)


def test_run_that_lost_and_is_newer_releases_over_the_winner(store: ObjectStore) -> None:
    make(store, "one")
    stage(store, "slow", "newest")
    make(store, "two")
    assert release(store, "slow", "newest", current=True).is_new
    assert [content_of(r) for r in list_releases(store)] == ["newest", "two", "one"]


def test_run_that_lost_and_is_outdated_leaves_nothing(store: ObjectStore) -> None:
    make(store, "one")
    stage(store, "slow", "outdated")
    make(store, "two")
    before = {o.name for o in store.objects("releases/")}
    with pytest.raises(LostRaceError, match="nothing of it was released"):
        release(store, "slow", "outdated", current=False)
    assert {o.name for o in store.objects("releases/")} == before
    assert seen(store) == "two"


def _count_steps(new_store: Callable[[], ObjectStore]) -> int:
    """How many steps a release over an earlier one takes."""
    store = new_store()
    make(store, "old")
    stage(store, "first", "first")
    steps: list[str] = []
    release(Steps(store, steps.append), "first", "first")
    assert len(steps) > 2 * len(FILES)
    return len(steps)


class Race:
    """Two releases: the first stops before a step until the other has ended, or waits for it."""

    def __init__(self, store: ObjectStore, stop: int) -> None:
        self.ended: dict[str, Committed | LostRaceError] = {}
        #: What a reader saw before each step of the first.
        self.views: set[str | None] = set()
        self._store = store
        self._first = Steps(store, self._before)
        self._stop = stop
        self._step = 0
        self._second = threading.Thread(target=self._release, args=(store, "second"))

    def run(self) -> None:
        self._release(self._first, "first")
        self._second.join()

    def _before(self, _: str) -> None:
        if self._step == self._stop:
            self._second.start()
            if not self._first.locked:  # else the other waits until this one has ended
                self._second.join()
        self._step += 1
        self.views.add(seen(self._store))

    def _release(self, store: Any, run: str) -> None:
        try:
            self.ended[run] = release(store, run, run, current=False)
        except LostRaceError as error:
            self.ended[run] = error


@pytest.mark.slow
def test_two_releases_at_once_never_mix_wherever_one_is_stopped(
    new_store: Callable[[], ObjectStore],
) -> None:
    """One run stops before each of its steps until the other has ended, or waits for it."""
    outcomes: set[str | None] = set()
    for stop in range(_count_steps(new_store)):
        store = new_store()
        make(store, "old")
        stage(store, "first", "first")
        stage(store, "second", "second")
        race = Race(store, stop)
        race.run()
        won = {run for run, end in race.ended.items() if isinstance(end, Committed)}
        assert len(won) == 1, f"stopped before step {stop}: {race.ended}"
        assert seen(store) == won.pop()
        assert race.views <= {"old", "first", "second"}
        assert len(list_releases(store)) == 2, "nothing of the loser is visible"
        outcomes.add(seen(store))
    assert outcomes == {"first", "second"}


@pytest.mark.slow
def test_release_that_is_killed_anywhere_leaves_the_old_or_the_new(
    new_store: Callable[[], ObjectStore],
) -> None:
    for stop in range(_count_steps(new_store)):
        store = new_store()
        make(store, "old")
        stage(store, "first", "first")
        step = 0

        def kill(_: str, stop: int = stop) -> None:
            nonlocal step
            step += 1
            if step > stop:
                raise Killed

        with pytest.raises(Killed):
            release(Steps(store, kill), "first", "first")
        assert seen(store) in {"old", "first"}
        make(store, "next")
        assert seen(store) == "next"
        if store.has_locks:
            kept = {r.id for r in list_releases(store)}
            assert {o.name.split("/")[1] for o in store.objects("releases/")} == kept


def test_folder_of_a_run_that_still_fills_it_is_left_alone_where_there_are_no_locks(
    new_store: Callable[[], ObjectStore],
) -> None:
    store = new_store()
    make(store, "old")
    unlisted = f"releases/{make_release_id(None)}/a.json"
    write_text(store, unlisted, "being filled")
    make(store, "new")
    assert any(o.name == unlisted for o in store.objects("releases/")) == (not store.has_locks)


@pytest.mark.parametrize("document", [False, True])
def test_folder_that_a_killed_run_left_never_becomes_a_release(
    tmp_path: Path, document: bool
) -> None:
    store = LocalFolder(tmp_path)
    make(store, "old")
    left_over = Release(store, make_release_id(None))
    write_text(store, left_over.name("a.json"), "half")
    if document:
        write_text(store, left_over.name("release.json"), "{}")

    def kill_after_the_swap(step: str) -> None:
        if step == "delete" and seen(store) == "new":
            raise Killed

    stage(store, "new", "new")
    # Also where the run that removes it is killed as soon as its own release is current.
    with pytest.raises(Killed):
        release(Steps(store, kill_after_the_swap), "new", "new", keep=1)
    assert left_over.id not in {r.id for r in list_releases(store)}


def test_release_that_finds_no_room_leaves_nothing(tmp_path: Path) -> None:
    store = LocalFolder(tmp_path)
    make(store, "old")
    stage(store, "new", "new")
    before = {o.name for o in store.objects("releases/")}
    copies = 0

    def full(step: str) -> None:
        nonlocal copies
        copies += step == "copy"
        if copies == 2:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with pytest.raises(OSError, match="No space left"):
        release(Steps(store, lambda step: full(step) if step != "delete" else None), "new", "new")
    assert {o.name for o in store.objects("releases/")} == before
    assert seen(store) == "old"


def test_releases_that_a_killed_run_did_not_remove_go_with_the_next_run(tmp_path: Path) -> None:
    store = LocalFolder(tmp_path)
    for content in ("0", "1", "2"):
        make(store, content, keep=2)
    stage(store, "3", "3")

    def kill_after_the_swap(step: str) -> None:
        if step == "delete":
            raise Killed

    with pytest.raises(Killed):
        release(Steps(store, kill_after_the_swap), "3", "3", keep=2)
    assert [content_of(r) for r in list_releases(store)] == ["3", "2", "1"]
    again = make(store, "3", keep=2)
    assert (again.is_new, len(again.pruned)) == (False, 1)
    assert [content_of(r) for r in list_releases(store)] == ["3", "2"]


def test_release_that_was_half_removed_is_none(tmp_path: Path) -> None:
    store = LocalFolder(tmp_path)
    for content in ("0", "1"):
        make(store, content, keep=2)
    stage(store, "2", "2")
    deleted: list[str] = []

    def kill_half_way(step: str) -> None:
        if step == "delete":
            deleted.append(step)
            if len(deleted) == 2:
                raise Killed

    with pytest.raises(Killed):
        release(Steps(store, kill_half_way), "2", "2", keep=2)
    remove_unlisted_releases(store, store.pointer())
    assert [content_of(r) for r in list_releases(store)] == ["2", "1"]


# Runs in progress


def test_run_reads_back_what_it_began_from(store: ObjectStore) -> None:
    first = make(store, "one")
    stage(store, "run", "two")
    beginning = staging.read_beginning(store, "run")
    assert beginning == staging.Beginning(Pointer(first.release), RULES, resumable=False)
    assert staging.read_beginning(store, "other") is None


def test_dead_runs_are_discarded_and_resumable_ones_a_week_later(tmp_path: Path) -> None:
    folder = tmp_path / "store"
    store = LocalFolder(folder)
    for run, resumable in (("alive", False), ("dead", False), ("failed", True)):
        staging.begin(store, run, staging.Beginning(None, RULES, resumable=resumable))
        write_text(store, f"{staging.folder_of_run(run)}a.json", "x")
    # As if the processes of two of them had ended: nobody holds a copy.
    for run in ("dead", "failed"):
        copy = tmp_path / run
        shutil.copytree(folder / ".staging" / run, copy)
        staging.discard(store, run)
        shutil.copytree(copy, folder / ".staging" / run)
    now = datetime.now(tz=UTC)
    assert staging.discard_dead_runs(store, now) == ["dead"]
    assert staging.discard_dead_runs(store, now + timedelta(days=6)) == []
    assert staging.discard_dead_runs(store, now + timedelta(days=8)) == ["failed"]
    assert {o.name.split("/")[1] for o in store.objects(staging.STAGING)} == {"alive"}


@pytest.mark.emulator
def test_run_counts_as_alive_for_a_day_where_nobody_can_tell(
    gcs_emulator: GcsEmulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    clouds.reach(monkeypatch, gcs_emulator.url)
    store = gcs.Bucket.at(f"gs://{clouds.new_bucket(gcs_emulator)}/store")
    stage(store, "run", "x")
    now = datetime.now(tz=UTC)
    assert staging.discard_dead_runs(store, now + timedelta(hours=23)) == []
    assert staging.discard_dead_runs(store, now + timedelta(hours=25)) == ["run"]


def test_damaged_note_of_a_run_counts_as_unknown(store: ObjectStore) -> None:
    stage(store, "run", "x")
    write_text(store, f"{staging.folder_of_run('run')}.run.json", json.dumps({"base": 7}))
    assert staging.read_beginning(store, "run") is None
