"""Landed files that did not change are not read again; whatever was written again is."""

from __future__ import annotations

import errno
import itertools
import json
import os
import shutil
import subprocess
import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from drug_assets.storage.kept.content_ids import ContentIds
from drug_assets.storage.objects import LocalFolder, StoredObject
from drug_assets_tests.support import runs

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


class Zone(LocalFolder):
    """A landing zone that records which files are read, and whose files are not new."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.was_read: list[str] = []
        #: How long ago every file was changed for the last time.
        self.changed_before = timedelta(minutes=1)

    def objects(self, prefix: str = "") -> list[StoredObject]:
        changed_at = datetime.now(tz=UTC) - self.changed_before
        return [replace(found, changed_at=changed_at) for found in super().objects(prefix)]

    def content_id(self, found: StoredObject) -> str:
        self.was_read.append(found.name)
        return super().content_id(found)


class Places:
    def __init__(self, folder: Path) -> None:
        self.landing = folder / "landing"
        self.zone = Zone(self.landing)
        self.store = LocalFolder(folder / "store")
        runs.landing_zone(self.landing, {"a.csv": "one", "b.csv": "two"})
        for path in self.landing.iterdir():
            settle(path)

    def identities(self) -> dict[str, str]:
        """The identities of all files, which are remembered; `was_read` is of this call."""
        self.zone.was_read.clear()
        ids = ContentIds.of(self.zone, self.store)
        found = {o.name: ids.content_id(o) for o in self.zone.objects()}
        ids.remember(self.store)
        return found


def settle(path: Path, seconds_ago: float = 60) -> None:
    """As if it had been written a while ago."""
    before = time.time() - seconds_ago
    os.utime(path, (before, before))


@pytest.fixture
def places(tmp_path: Path) -> Places:
    return Places(tmp_path)


def test_a_file_that_lies_as_it_lay_is_not_read_again(places: Places) -> None:
    first = places.identities()
    assert sorted(places.zone.was_read) == ["a.csv", "b.csv"]
    assert places.identities() == first
    assert places.zone.was_read == []


def test_a_file_written_again_is_read_even_if_size_and_time_are_the_same(places: Places) -> None:
    path = places.landing / "a.csv"
    times = path.stat().st_mtime_ns
    first = places.identities()
    path.write_text("eno")
    os.utime(path, ns=(times, times))
    second = places.identities()
    assert places.zone.was_read == ["a.csv"]
    assert second["a.csv"] != first["a.csv"]
    assert second["b.csv"] == first["b.csv"]


def test_a_file_that_took_the_place_of_another_is_read(places: Places) -> None:
    first = places.identities()
    (places.landing / "a.csv").replace(places.landing / "b.csv")
    assert places.identities() == {"b.csv": first["a.csv"]}
    assert places.zone.was_read == ["b.csv"]


def test_a_file_written_a_moment_ago_is_not_remembered(places: Places) -> None:
    (places.landing / "a.csv").write_text("new")
    # However long this takes: by a clock that is ahead, the moment is not even over.
    settle(places.landing / "a.csv", seconds_ago=-600)
    places.identities()
    places.identities()
    assert places.zone.was_read == ["a.csv"]


def test_an_old_file_that_was_changed_a_moment_ago_is_not_remembered(places: Places) -> None:
    # As `cp -p`, `rsync -t` and `tar` leave it: the time of writing is that of the original.
    # By a clock that is ahead, so that it stays a moment ago however long this takes.
    places.zone.changed_before = timedelta(minutes=-10)
    places.identities()
    places.identities()
    assert sorted(places.zone.was_read) == ["a.csv", "b.csv"]
    places.zone.changed_before = timedelta(seconds=3)
    places.identities()
    places.identities()
    assert places.zone.was_read == []


def test_folder_tells_when_a_file_was_changed_at_all(tmp_path: Path) -> None:
    before = datetime.now(tz=UTC)
    (tmp_path / "a.csv").write_text("x")
    settle(tmp_path / "a.csv", seconds_ago=3_600)
    [found] = LocalFolder(tmp_path).objects()
    assert not found.is_settled(before)
    assert found.is_settled(datetime.now(tz=UTC) + timedelta(seconds=3))


@pytest.fixture
def coarse_times(tmp_path: Path) -> Iterator[Path]:
    """A file system whose times are whole seconds."""
    if os.geteuid() != 0 or shutil.which("mkfs.ext4") is None:
        pytest.skip("needs root and mkfs.ext4")
    image, folder = tmp_path / "image", tmp_path / "mounted"
    with image.open("wb") as file:
        file.truncate(8 * 2**20)
    subprocess.run(["mkfs.ext4", "-q", "-I", "128", image], check=True, capture_output=True)
    folder.mkdir()
    mounted = subprocess.run(
        ["mount", "-o", "loop", image, folder], check=False, text=True, capture_output=True
    )
    if mounted.returncode != 0:
        pytest.skip(f"no loop device: {mounted.stderr}")
    try:
        yield folder
    finally:
        subprocess.run(["umount", folder], check=True)


@pytest.mark.processes
def test_edit_within_the_second_is_noticed_where_times_are_whole_seconds(
    coarse_times: Path, tmp_path: Path
) -> None:
    zone, store = LocalFolder(coarse_times), LocalFolder(tmp_path / "store")
    path = coarse_times / "pubmed.csv"
    path.write_text("000")
    settle(path, seconds_ago=3_600)
    written = path.stat().st_mtime_ns
    texts = (f"{number:03}" for number in itertools.count(1))

    def identify_after_an_edit() -> tuple[str, str]:
        path.write_text(next(texts))
        os.utime(path, ns=(written, written))
        [found] = zone.objects()
        ids = ContentIds.of(zone, store)
        identified = found.state, ids.content_id(found)
        ids.remember(store)
        return identified

    # Seldom, or on a busy machine, a second ends between two edits.
    pairs = ((identify_after_an_edit(), identify_after_an_edit()) for _ in range(60))
    content, other = next((a, b) for (state, a), (same_state, b) in pairs if state == same_state)
    assert content != other


def test_another_landing_zone_is_read(places: Places, tmp_path: Path) -> None:
    first = places.identities()
    places.landing.rename(tmp_path / "moved")
    places.zone = Zone(tmp_path / "moved")
    assert places.identities() == first
    assert sorted(places.zone.was_read) == ["a.csv", "b.csv"]


@pytest.mark.parametrize("damaged", ["", "{", "[]", '{"x": 1}', "null"])
def test_what_cannot_be_read_is_forgotten(places: Places, damaged: str) -> None:
    first = places.identities()
    [kept] = (o.name for o in places.store.objects())
    whole = places.store.read(kept)
    (places.store.local_copy(kept)).write_text(damaged)
    told: list[str] = []
    ContentIds.of(places.zone, places.store, told.append)
    assert told == (
        []
        if damaged == '{"x": 1}'
        else [f"{places.store.uri(kept)} is damaged: all landed files are hashed again"]
    )
    assert places.identities() == first
    assert sorted(places.zone.was_read) == ["a.csv", "b.csv"]
    assert places.store.read(kept) == whole


def test_removed_files_are_forgotten(places: Places) -> None:
    places.identities()
    (places.landing / "a.csv").unlink()
    assert places.identities().keys() == {"b.csv"}
    assert b"a.csv" not in places.store.read(places.store.objects()[0].name)


def test_memory_that_finds_no_room_leaves_nothing(
    places: Places, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(LocalFolder, "put", full)
    with pytest.raises(OSError, match="No space left"):
        places.identities()
    assert places.store.objects() == []


def test_what_is_remembered_is_written_again_only_if_it_differs(places: Places) -> None:
    places.identities()
    (kept,) = places.store.objects()
    places.identities()
    assert places.store.objects() == [kept]
    places.landing.joinpath("b.csv").unlink()
    places.identities()
    assert places.store.objects()[0].version != kept.version


def test_the_landing_zone_and_the_names_are_remembered_in_any_script(tmp_path: Path) -> None:
    places = Places(tmp_path)
    runs.landing_zone(places.landing, {"été/β.csv": "x"})
    settle(places.landing / "été" / "β.csv")
    first = places.identities()
    remembered = json.loads(places.store.read(".kept/content_ids.json"))
    assert list(remembered) == [str(places.landing)]
    assert list(remembered[str(places.landing)]) == ["a.csv", "b.csv", "été/β.csv"]
    assert places.identities() == first
    assert places.zone.was_read == []


def test_identities_that_a_place_lists_are_not_remembered(places: Places) -> None:
    ids = ContentIds.of(places.zone, places.store)
    (found, *_) = places.zone.objects()
    listed = replace(found, content="md5:x")
    ids.content_id(listed)
    ids.remember(places.store)
    assert places.store.objects() == []


@pytest.mark.parametrize(
    ("age", "remembered"),
    [(timedelta(seconds=2), False), (timedelta(seconds=2, microseconds=1), True)],
)
def test_a_file_settles_in_two_seconds(age: timedelta, *, remembered: bool) -> None:
    changed = datetime(2026, 1, 2, tzinfo=UTC)
    earlier = changed - timedelta(days=1)
    for written_at, changed_at in ((changed, None), (changed, earlier), (earlier, changed)):
        found = StoredObject("a.csv", 1, "1", written_at, changed_at=changed_at)
        assert found.is_settled(changed + age) == remembered
