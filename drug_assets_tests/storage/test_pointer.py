"""The pointer of a store: replaced in one step, and only if nobody else did."""

from __future__ import annotations

import errno
import multiprocessing
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from drug_assets.storage import pointer as pointers
from drug_assets.storage.google import bucket as gcs
from drug_assets.storage.objects import LocalFolder, ObjectStore
from drug_assets.storage.pointer import DamagedPointerError, Pointer
from drug_assets_tests.support import clouds

if TYPE_CHECKING:
    from collections.abc import Callable

    from drug_assets_tests.support.emulators import GcsEmulator

pytestmark = pytest.mark.xdist_group("clouds")

ONE, TWO, THREE = (f"2026010{day}T000000.000000Z-00000{day}" for day in (1, 2, 3))


def without_links(monkeypatch: pytest.MonkeyPatch) -> None:
    """Refuse links, as file systems such as exFAT do."""

    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(Path, "symlink_to", refuse)
    monkeypatch.setattr(Path, "hardlink_to", refuse)


@pytest.fixture(
    params=["folder", "folder without links", pytest.param("bucket", marks=pytest.mark.emulator)]
)
def store(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> ObjectStore:
    if request.param == "bucket":
        emulator: GcsEmulator = request.getfixturevalue("gcs_emulator")
        clouds.reach(monkeypatch, emulator.url)
        clouds.wait_for_nothing(monkeypatch)
        return gcs.Bucket.at(f"gs://{clouds.new_bucket(emulator)}/store")
    if request.param != "folder":
        without_links(monkeypatch)
    return LocalFolder(tmp_path / "store")


def put(store: ObjectStore, name: str, text: str) -> None:
    scratch = store.scratch(name)
    scratch.write_text(text)
    store.put(scratch, name)


def test_there_is_no_pointer_before_the_first_release(store: ObjectStore) -> None:
    assert store.pointer() is None


def test_pointer_reads_back_as_it_was_written(store: ObjectStore) -> None:
    put(store, f"releases/{ONE}/a", "1")
    put(store, f"releases/{TWO}/a", "2")
    first, back = Pointer(ONE, None, (ONE,)), Pointer(ONE, TWO, (ONE, TWO))
    for expected, new in [(None, first), (first, Pointer(TWO)), (Pointer(TWO), back)]:
        assert store.swap_pointer(expected, new)
        assert store.pointer() == new
    found = store.pointer()
    assert found is not None
    assert (found.releases, found.newest) == ((ONE, TWO), TWO)


def test_pointer_is_not_replaced_if_another_run_did(store: ObjectStore) -> None:
    assert store.swap_pointer(None, Pointer(ONE))
    assert not store.swap_pointer(None, Pointer(TWO))
    assert not store.swap_pointer(Pointer(TWO), Pointer(THREE))
    assert not store.swap_pointer(Pointer(ONE, left=TWO), Pointer(THREE))
    assert store.pointer() == Pointer(ONE)


def test_copy_keeps_its_bytes_when_the_first_name_goes_or_gets_others(store: ObjectStore) -> None:
    put(store, "a", "one")
    store.copy("a", "releases/x/a")
    put(store, "a", "two")
    assert store.read("releases/x/a") == b"one"
    store.delete("a")
    assert store.read("releases/x/a") == b"one"
    with pytest.raises(FileNotFoundError):
        store.copy("missing", "b")


# A folder


@pytest.mark.parametrize("method", ["replace", "open"])
def test_pointer_that_finds_no_room_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, method: str
) -> None:
    if method == "open":
        without_links(monkeypatch)
    opened = Path.open

    def full(path: Path, *arguments: str, **options: str) -> Any:
        if options.get("mode") == "rb":  # whether there is one is asked first
            return opened(path, "rb")
        if method == "open":
            opened(path, "w").close()
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    folder = LocalFolder(tmp_path)
    with monkeypatch.context() as patched:
        patched.setattr(Path, method, full)
        with pytest.raises(OSError, match="No space left"):
            folder.swap_pointer(None, Pointer(ONE))
    assert [path.name for path in tmp_path.iterdir()] == [".lock"]
    assert folder.pointer() is None


def test_link_leads_to_the_release_also_after_a_rollback(tmp_path: Path) -> None:
    folder = LocalFolder(tmp_path)
    for release in (ONE, TWO):
        put(folder, f"releases/{release}/a", release)
    assert folder.swap_pointer(None, Pointer(TWO))
    assert (tmp_path / "latest" / "a").read_text() == TWO
    assert folder.swap_pointer(Pointer(TWO), Pointer(ONE, left=TWO))
    assert (tmp_path / "latest" / "a").read_text() == ONE


def test_folder_newer_than_the_newest_release_never_was_one(tmp_path: Path) -> None:
    folder = LocalFolder(tmp_path)
    for release in (ONE, TWO, THREE, "something"):
        put(folder, f"releases/{release}/a", release)
    folder.swap_pointer(None, Pointer(TWO))
    found = folder.pointer()
    assert found is not None
    assert found.releases == (ONE, TWO)


@pytest.mark.parametrize("damage", ["folder", "elsewhere", "file"])
def test_pointer_that_names_no_release_is_an_error_with_a_cure(tmp_path: Path, damage: str) -> None:
    link = tmp_path / "latest"
    if damage == "folder":
        link.mkdir()
    elif damage == "elsewhere":
        link.symlink_to("releases/../elsewhere")
    else:
        link.write_text("?")
    with pytest.raises(DamagedPointerError, match=r"latest does not name a release: remove it"):
        LocalFolder(tmp_path).pointer()


@pytest.mark.parametrize("document", ["", "[]", "{}", '{"release": "x", "left": null}', "\xff"])
def test_document_that_names_no_release_is_an_error(tmp_path: Path, document: str) -> None:
    (tmp_path / "latest.json").write_text(document, encoding="latin-1")
    with pytest.raises(DamagedPointerError, match=r"latest\.json does not name"):
        LocalFolder(tmp_path).pointer()


def test_link_replaces_the_document_of_a_folder_that_moved(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = LocalFolder(tmp_path)
    with monkeypatch.context() as patch:
        without_links(patch)
        assert folder.swap_pointer(None, Pointer(ONE))
    assert [path.name for path in tmp_path.glob("latest*")] == ["latest.json"]
    assert folder.swap_pointer(Pointer(ONE), Pointer(TWO))
    assert [path.name for path in tmp_path.glob("latest*")] == ["latest"]
    assert folder.pointer() == Pointer(TWO)


# Locks


def _hold_lock(folder: Path, answer: Callable[[str], None], until: Path) -> None:
    store = LocalFolder(folder)
    with store.lock():
        store.hold("in_use")
        answer("locked")
        while not until.exists():
            os.sched_yield()
        os.kill(os.getpid(), 9)


@pytest.mark.processes
def test_killed_process_loses_its_locks_by_itself(tmp_path: Path) -> None:
    context = multiprocessing.get_context("spawn")
    queue = context.SimpleQueue()
    until = tmp_path / "until"
    store = LocalFolder(tmp_path / "store")
    other = context.Process(target=_hold_lock, args=(tmp_path / "store", queue.put, until))
    other.start()
    assert queue.get() == "locked"
    assert store.is_held("in_use") is True
    until.touch()
    with store.lock():  # waits for the other, which is killed
        other.join()
    assert store.is_held("in_use") is False


def test_lock_is_reentrant_and_held_objects_are_dropped_with_them(tmp_path: Path) -> None:
    store = LocalFolder(tmp_path)
    with store.lock(), store.lock():
        store.hold("x")
        store.hold("x")
    assert store.is_held("x") is True
    store.delete("x")
    assert store.is_held("x") is False
    assert str(tmp_path / "x") not in pointers._HELD
