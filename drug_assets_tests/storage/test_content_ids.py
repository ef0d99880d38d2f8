"""Files that lie as they lay are not read again; whatever was written again is."""

from __future__ import annotations

import json
import os
import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Self

import pytest

from drug_assets.storage.kept import content_ids
from drug_assets.storage.kept.content_ids import ContentIds
from drug_assets.storage.objects import LocalFolder, StoredObject
from drug_assets_tests.support import runs

if TYPE_CHECKING:
    from datetime import tzinfo
    from pathlib import Path


class Zone(LocalFolder):
    """A landing zone that notes which files are read."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.was_read: list[str] = []

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
        """Those of all files, remembered for the next time; `was_read` is of this time."""
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


def test_another_landing_zone_is_read(places: Places, tmp_path: Path) -> None:
    first = places.identities()
    places.landing.rename(tmp_path / "moved")
    places.zone = Zone(tmp_path / "moved")
    assert places.identities() == first
    assert sorted(places.zone.was_read) == ["a.csv", "b.csv"]


@pytest.mark.parametrize("damaged", ["", "{", "[]", '{"x": 1}', "null"])
def test_what_cannot_be_read_is_forgotten(places: Places, damaged: str) -> None:
    first = places.identities()
    (kept,) = (o.name for o in places.store.objects())
    whole = places.store.read(kept)
    (places.store.local_copy(kept)).write_text(damaged)
    assert places.identities() == first
    assert sorted(places.zone.was_read) == ["a.csv", "b.csv"]
    assert places.store.read(kept) == whole


def test_removed_files_are_forgotten(places: Places) -> None:
    places.identities()
    (places.landing / "a.csv").unlink()
    assert places.identities().keys() == {"b.csv"}
    assert b"a.csv" not in places.store.read(places.store.objects()[0].name)


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
def test_a_file_settles_in_two_seconds(
    places: Places, monkeypatch: pytest.MonkeyPatch, age: timedelta, *, remembered: bool
) -> None:
    (found, *_) = places.zone.objects()

    class Clock(datetime):
        """One that stands still."""

        @classmethod
        def now(cls, tz: tzinfo | None = None) -> Self:  # noqa: ARG003
            return cls.fromtimestamp(found.written_at.timestamp(), UTC) + age

    monkeypatch.setattr(content_ids, "datetime", Clock)
    ids = ContentIds.of(places.zone, places.store)
    ids.content_id(replace(found, written_at=Clock.now() - age))
    ids.remember(places.store)
    assert bool(places.store.objects()) == remembered
