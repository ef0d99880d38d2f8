"""Kept objects are verified once, and again when they have changed."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from drug_assets.storage import objects
from drug_assets.storage.google import bucket as gcs
from drug_assets.storage.kept import whole
from drug_assets.storage.kept.whole import find_whole, heal, name_object, result_of
from drug_assets.storage.objects import LocalFolder, StoredObject, write_text
from drug_assets_tests.support import clouds

if TYPE_CHECKING:
    from pathlib import Path

    from drug_assets_tests.support.emulators import GcsEmulator

RESULTS = [f".kept/raw_drugs/{name}.parquet" for name in "ab"]
MEMORY = ".kept/raw_drugs.verified.json"


class Store(LocalFolder):
    """A store that records what is read, and whose files have not changed for a while."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.was_read: list[str | None] = []
        self.changed_before = timedelta(minutes=1)

    def objects(self, prefix: str = "") -> list[StoredObject]:
        at = datetime.now(tz=UTC) - self.changed_before
        return [replace(o, written_at=at, changed_at=at) for o in super().objects(prefix)]

    def local_copy(self, name: str, version: str | None = None) -> Path:
        self.was_read.append(result_of(name))
        return super().local_copy(name, version)


@pytest.fixture
def store(tmp_path: Path) -> Store:
    made = Store(tmp_path)
    for result in RESULTS:
        scratch = made.scratch(result)
        scratch.write_text(f"the rows of {result}")
        made.put(scratch, name_object(result, scratch))
    return made


@pytest.fixture(autouse=True)
def new_process(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(whole, "_SEEN", {})


def read_by_the_next_process(store: Store, monkeypatch: pytest.MonkeyPatch) -> list[str | None]:
    monkeypatch.setattr(whole, "_SEEN", {})
    store.was_read.clear()
    assert heal(store, "raw_drugs", RESULTS, pytest.fail).whole.keys() == set(RESULTS)
    return sorted(store.was_read, key=str)


def test_process_verifies_what_it_reads_once(store: Store) -> None:
    for _ in range(2):
        assert find_whole(store, "raw_drugs", RESULTS).whole.keys() == set(RESULTS)
    assert sorted(map(str, store.was_read)) == RESULTS


def test_only_what_is_asked_for_is_verified(store: Store) -> None:
    assert find_whole(store, "raw_drugs", RESULTS[:1]).whole.keys() == set(RESULTS[:1])
    assert store.was_read == RESULTS[:1]


def test_later_processes_verify_only_what_changed(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert read_by_the_next_process(store, monkeypatch) == RESULTS
    assert read_by_the_next_process(store, monkeypatch) == []
    [path] = (tmp_path / ".kept/raw_drugs").glob("b-*.parquet")
    path.write_bytes(path.read_bytes())
    assert read_by_the_next_process(store, monkeypatch) == RESULTS[1:]


def test_what_changed_a_moment_ago_is_verified_again(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    # By a clock that is ahead, so that it stays a moment ago however long this takes.
    store.changed_before = timedelta(minutes=-10)
    for _ in range(2):
        assert read_by_the_next_process(store, monkeypatch) == RESULTS


@pytest.mark.parametrize("damage", [None, "", "[]", "{", "null", '{"x": 1}'])
def test_without_the_memory_all_is_verified_again(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, damage: str | None
) -> None:
    heal(store, "raw_drugs", RESULTS, pytest.fail)
    whole_memory = (tmp_path / MEMORY).read_bytes()
    if damage is None:
        (tmp_path / MEMORY).unlink()
    else:
        (tmp_path / MEMORY).write_text(damage)
    monkeypatch.setattr(whole, "_SEEN", {})
    store.was_read.clear()
    told: list[str] = []
    heal(store, "raw_drugs", RESULTS, told.append)
    assert sorted(map(str, store.was_read)) == RESULTS
    assert (tmp_path / MEMORY).read_bytes() == whole_memory
    is_told = damage in {"", "[]", "{", "null"}
    assert told == [f"{tmp_path / MEMORY} is damaged: what it lists is verified again"] * is_told


def test_reader_writes_and_removes_nothing(store: Store, tmp_path: Path) -> None:
    [path] = (tmp_path / ".kept/raw_drugs").glob("b-*.parquet")
    path.write_text("x")
    before = sorted(tmp_path.rglob("*"))
    found = find_whole(store, "raw_drugs", RESULTS)
    assert found.whole.keys() == set(RESULTS[:1])
    assert [damaged.name for damaged in found.damaged] == [path.relative_to(tmp_path).as_posix()]
    assert sorted(tmp_path.rglob("*")) == before


def test_object_without_a_checksum_holds_no_result() -> None:
    assert result_of(f".kept/raw_drugs/{'a' * 32}.parquet") is None
    assert result_of(f".kept/raw_drugs/a-{'0' * 32}.parquet") == ".kept/raw_drugs/a.parquet"


@pytest.mark.emulator
@pytest.mark.xdist_group("clouds")
def test_bucket_is_asked_for_an_object_once_per_generation(
    gcs_emulator: GcsEmulator, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    clouds.reach(monkeypatch, gcs_emulator.url)
    clouds.wait_for_nothing(monkeypatch)
    bucket = gcs.Bucket.at(f"gs://{clouds.new_bucket(gcs_emulator)}/store")
    asked: list[str | None] = []
    local_copy = gcs.Bucket.local_copy

    def asked_for(self: gcs.Bucket, name: str, version: str | None = None) -> Path:
        asked.append(result_of(name))
        return local_copy(self, name, version)

    monkeypatch.setattr(gcs.Bucket, "local_copy", asked_for)
    names = {}
    for result in RESULTS:
        scratch = bucket.scratch(result)
        scratch.write_text(f"the rows of {result}")
        names[result] = name_object(result, scratch)
        bucket.put(scratch, names[result])
    monkeypatch.setattr(objects, "_TICK", timedelta(0))  # as if they had lain there for a while
    for expected in (RESULTS, []):
        monkeypatch.setattr(whole, "_SEEN", {})
        asked.clear()
        assert heal(bucket, "raw_drugs", RESULTS, pytest.fail).whole.keys() == set(RESULTS)
        assert sorted(map(str, asked)) == expected
    write_text(bucket, names[RESULTS[0]], "other bytes")
    told: list[str] = []
    assert heal(bucket, "raw_drugs", RESULTS, told.append).whole.keys() == set(RESULTS[1:])
    assert told == [
        f"{bucket.uri(names[RESULTS[0]])} is damaged: it was removed, and is made again"
    ]
    assert names[RESULTS[0]] not in {found.name for found in bucket.objects(".kept/")}
