"""Named objects in a local folder: listed, read, put whole."""

from __future__ import annotations

import errno
import os
import re
import shutil
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from drug_assets.storage.objects import (
    ChangedObjectError,
    LocalFolder,
    StorageError,
    StoredObject,
)
from drug_assets.storage.places import open_store

if TYPE_CHECKING:
    from collections.abc import Iterator

_NOBODY = 65534


@pytest.fixture
def folder(tmp_path: Path) -> LocalFolder:
    return LocalFolder(tmp_path)


def put(folder: LocalFolder, name: str, content: str) -> None:
    scratch = folder.scratch(name)
    scratch.write_text(content)
    folder.put(scratch, name)


def names(folder: LocalFolder, prefix: str = "") -> list[str]:
    return [found.name for found in folder.objects(prefix)]


def listed(folder: LocalFolder, name: str) -> StoredObject:
    [found] = [found for found in folder.objects() if found.name == name]
    return found


def test_objects_are_listed_by_name_below_a_prefix(folder: LocalFolder) -> None:
    for name in ("b/2", "b/10", "b2", "a", "b/c/d"):
        put(folder, name, "x")
    assert names(folder) == ["a", "b/10", "b/2", "b/c/d", "b2"]
    assert names(folder, "b/") == ["b/10", "b/2", "b/c/d"]
    assert names(folder, "b/c") == ["b/c/d"]
    assert names(folder, "b") == ["b/10", "b/2", "b/c/d", "b2"]
    assert names(folder, "nothing/") == []


def test_listing_tells_size_and_time(folder: LocalFolder, tmp_path: Path) -> None:
    put(folder, "a", "été")
    os.utime(tmp_path / "a", (86_400, 86_400))
    found = listed(folder, "a")
    assert (found.size_bytes, found.written_at.isoformat()) == (5, "1970-01-02T00:00:00+00:00")


def test_names_with_spaces_accents_and_patterns_are_names(folder: LocalFolder) -> None:
    for name in ("été 1.csv", "[a]*?.csv", "a\nb", "100%#.csv"):
        put(folder, name, name)
    assert sorted(names(folder)) == sorted(["été 1.csv", "[a]*?.csv", "a\nb", "100%#.csv"])
    assert folder.read("[a]*?.csv").decode() == "[a]*?.csv"


def test_links_are_followed_and_loops_are_not(folder: LocalFolder, tmp_path: Path) -> None:
    put(folder, "a/real", "x")
    (tmp_path / "b").symlink_to("a")
    (tmp_path / "file").symlink_to("a/real")
    (tmp_path / "a" / "up").symlink_to("..")
    (tmp_path / "a" / "self").symlink_to(".")
    assert names(folder) == ["a/real", "b/real", "file"]


def test_links_that_lead_to_each_other_end(folder: LocalFolder, tmp_path: Path) -> None:
    for name, other in (("a", "b"), ("b", "a")):
        put(folder, f"{name}/of_{name}", "x")
        (tmp_path / name / "other").symlink_to(tmp_path / other)
    assert names(folder) == ["a/of_a", "a/other/of_b", "b/of_b", "b/other/of_a"]


def test_link_to_nothing_is_listed_and_cannot_be_read(folder: LocalFolder, tmp_path: Path) -> None:
    (tmp_path / "gone").symlink_to("nowhere")
    found = listed(folder, "gone")
    with pytest.raises(FileNotFoundError):
        folder.content_id(found)
    with pytest.raises(FileNotFoundError):
        folder.read("gone")


def test_pipe_is_listed_and_nobody_waits_for_it(folder: LocalFolder, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(FileNotFoundError):
        folder.content_id(listed(folder, "pipe"))


def test_missing_folder_is_empty_unless_it_must_exist(tmp_path: Path) -> None:
    assert LocalFolder(tmp_path / "no").objects() == []
    with pytest.raises(StorageError, match="there is no folder"):
        LocalFolder(tmp_path / "no", must_exist=True).objects()


def test_file_is_no_folder(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(StorageError, match="is not a folder"):
        LocalFolder(tmp_path / "file").objects()
    with pytest.raises(StorageError, match="cannot be made"):
        LocalFolder(tmp_path / "file").scratch("a")


@pytest.fixture
def of_somebody_without_rights() -> Iterator[Path]:
    """A folder of a user without privileges, whom this process becomes: root may read all."""
    folder = Path(tempfile.mkdtemp())
    user = os.geteuid()
    if user == 0:
        os.chown(folder, _NOBODY, _NOBODY)
        os.seteuid(_NOBODY)
    try:
        yield folder
    finally:
        (folder / "closed").chmod(0o700)
        os.seteuid(user)
        shutil.rmtree(folder)


def test_folder_without_permission_is_named(of_somebody_without_rights: Path) -> None:
    (of_somebody_without_rights / "closed").mkdir(mode=0o000)
    folder = LocalFolder(of_somebody_without_rights)
    with pytest.raises(StorageError, match="closed may not be read: Permission denied"):
        folder.objects("closed/")
    with pytest.raises(StorageError, match="closed may not be written to"):
        folder.scratch("closed/a")


def test_folder_below_without_permission_is_listed_and_cannot_be_read(
    of_somebody_without_rights: Path,
) -> None:
    (of_somebody_without_rights / "closed").mkdir(mode=0o000)
    (of_somebody_without_rights / "file").touch()
    folder = LocalFolder(of_somebody_without_rights)
    assert names(folder) == ["closed", "file"]
    with pytest.raises(FileNotFoundError, match="a folder that may not be read"):
        folder.content_id(listed(folder, "closed"))


def test_link_into_a_folder_that_may_not_be_entered_is_listed(
    of_somebody_without_rights: Path,
) -> None:
    (of_somebody_without_rights / "closed").mkdir(mode=0o000)
    (of_somebody_without_rights / "link").symlink_to("closed/file")
    folder = LocalFolder(of_somebody_without_rights)
    assert names(folder) == ["closed", "link"]
    with pytest.raises(FileNotFoundError, match="no permission to read it"):
        folder.content_id(listed(folder, "link"))


def test_link_to_itself_is_listed_and_cannot_be_read(folder: LocalFolder, tmp_path: Path) -> None:
    (tmp_path / "self").symlink_to("self")
    with pytest.raises(FileNotFoundError, match="a link to itself"):
        folder.content_id(listed(folder, "self"))


def test_scratch_of_killed_writers_goes_wherever_it_lies(
    folder: LocalFolder, tmp_path: Path
) -> None:
    put(folder, "a/b/kept", "x")
    put(folder, ".hidden.tmp", "x")
    (tmp_path / "outside").mkdir()
    outside = LocalFolder(tmp_path / "outside").scratch("x")
    outside.touch()
    store = LocalFolder(tmp_path / "a")
    (tmp_path / "a" / "link").symlink_to("../outside")
    (tmp_path / "a" / ".latest.0123456789ab.tmp").symlink_to("b")
    (tmp_path / "a" / "empty" / "too").mkdir(parents=True)
    store.scratch("b/c").write_text("half of it")
    assert [name.rpartition(".")[2] for name in store.discard_scratch()] == ["tmp", "tmp"]
    assert names(folder) == [
        ".hidden.tmp",
        "a/b/kept",
        "a/link/" + outside.name,
        "outside/" + outside.name,
    ]
    assert store.discard_scratch() == []
    assert not (tmp_path / "a" / "empty").exists()


def test_content_id_is_of_the_bytes_alone(folder: LocalFolder, tmp_path: Path) -> None:
    put(folder, "a", "x")
    put(folder, "b", "x")
    put(folder, "c", "y")
    os.utime(tmp_path / "b", (1, 1))
    a, b, c = (folder.content_id(listed(folder, name)) for name in "abc")
    assert a == b != c


def test_version_differs_when_written_again_with_the_same_bytes(folder: LocalFolder) -> None:
    put(folder, "a", "x")
    before = listed(folder, "a").version
    put(folder, "a", "x")
    assert listed(folder, "a").version != before


def test_object_written_again_since_it_was_listed_is_not_read(folder: LocalFolder) -> None:
    put(folder, "a", "x")
    before = listed(folder, "a").version
    put(folder, "a", "y")
    with pytest.raises(ChangedObjectError, match="run again"):
        folder.read("a", before)
    assert folder.read("a", listed(folder, "a").version) == b"y"


def test_a_borrowed_object_is_of_the_listed_version_to_the_end(folder: LocalFolder) -> None:
    put(folder, "a", "x")
    version = listed(folder, "a").version
    with folder.borrow("a", version) as path:
        assert path.read_bytes() == b"x"
    with pytest.raises(ChangedObjectError, match="run again"), folder.borrow("a", version):
        put(folder, "a", "y")
    with pytest.raises(ChangedObjectError), folder.borrow("a", version):
        folder.delete("a")
    with pytest.raises(FileNotFoundError), folder.borrow("a", version):
        pass


def test_reader_keeps_the_old_bytes_while_an_object_is_replaced(
    folder: LocalFolder, tmp_path: Path
) -> None:
    put(folder, "a", "old")
    with (tmp_path / "a").open() as reader:
        scratch = folder.scratch("a")
        scratch.write_text("new, and longer")
        assert folder.read("a") == b"old"
        folder.put(scratch, "a")
        assert folder.read("a") == b"new, and longer"
        assert reader.read() == "old"
    assert names(folder) == ["a"]


def test_scratch_paths_are_fresh_hidden_and_on_the_same_disk(
    folder: LocalFolder, tmp_path: Path
) -> None:
    first, second = folder.scratch("below/a"), folder.scratch("below/a")
    assert first != second
    assert first.parent == tmp_path / "below"
    assert first.name.startswith(".")
    assert not first.exists()


def test_what_is_put_or_moved_is_flushed_to_disk_with_its_folder(
    folder: LocalFolder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A power cut after a release must not undo it."""
    flush, flushed = os.fsync, []

    def noted(descriptor: int) -> None:
        flushed.append(os.fstat(descriptor).st_ino)
        flush(descriptor)

    monkeypatch.setattr(os, "fsync", noted)
    put(folder, "x/a", "1")
    file, its_folder = (path.stat().st_ino for path in (tmp_path / "x" / "a", tmp_path / "x"))
    assert flushed == [file, its_folder]
    folder.copy("x/a", "b")
    assert flushed == [file, its_folder, tmp_path.stat().st_ino]


@pytest.mark.parametrize(
    ("age", "kept"), [(24 * 3600, True), (24 * 3600 + 1, False)], ids=["a day", "more"]
)
def test_scratch_of_more_than_a_day_is_stale(
    folder: LocalFolder, monkeypatch: pytest.MonkeyPatch, age: int, *, kept: bool
) -> None:
    left = folder.scratch("a")
    left.touch()
    os.utime(left, (1_000_000_000,) * 2)
    monkeypatch.setattr(time, "time", lambda: 1_000_000_000.0 + age)
    folder.scratch("a")
    assert left.exists() == kept
    assert re.fullmatch(r"\.a\.[0-9a-f]{12}\.tmp", left.name)


def test_errors_name_the_place(folder: LocalFolder, tmp_path: Path) -> None:
    put(folder, "a", "x")
    version = listed(folder, "a").version
    put(folder, "a", "y")
    with pytest.raises(ChangedObjectError) as changed:
        folder.read("a", version)
    expected = f"{tmp_path / 'a'} was written again while it was being read: run again"
    assert str(changed.value) == expected
    with pytest.raises(FileNotFoundError) as missing:
        folder.local_copy("b")
    assert (missing.value.filename, missing.value.errno) == (str(tmp_path / "b"), errno.ENOENT)
    for name, told in (("no", "there is no folder {}"), ("a", "{} is not a folder")):
        with pytest.raises(StorageError) as refused:
            LocalFolder(tmp_path / name, must_exist=True).objects()
        assert str(refused.value) == told.format(tmp_path / name)


def test_stale_scratch_goes_and_a_writer_at_work_is_left_alone(folder: LocalFolder) -> None:
    stale, at_work, of_another = (folder.scratch(name) for name in ("a", "a", "b"))
    for path in (stale, at_work, of_another):
        path.touch()
    two_days_ago = time.time() - 2 * 24 * 3600
    os.utime(stale, (two_days_ago, two_days_ago))
    folder.scratch("a")
    assert not stale.exists()
    assert at_work.exists()
    assert of_another.exists()


def test_copy_never_replaces(folder: LocalFolder) -> None:
    put(folder, "staged/a", "new")
    put(folder, "a", "old")
    with pytest.raises(FileExistsError):
        folder.copy("staged/a", "a")
    assert folder.read("a") == b"old"


def test_delete_takes_empty_folders_along_but_not_the_store(
    folder: LocalFolder, tmp_path: Path
) -> None:
    put(folder, "x/y/a", "a")
    put(folder, "x/b", "b")
    folder.delete("x/y/a")
    assert names(folder) == ["x/b"]
    assert not (tmp_path / "x" / "y").exists()
    folder.delete("x/b")
    folder.delete("x/b")
    assert list(tmp_path.iterdir()) == []


def test_local_copy_is_the_file_or_an_error(folder: LocalFolder, tmp_path: Path) -> None:
    put(folder, "a", "x")
    assert folder.local_copy("a") == tmp_path / "a"
    with pytest.raises(FileNotFoundError):
        folder.local_copy("b")


def test_open_store_expands_the_home_folder(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    assert open_store("~/x").uri() == str(tmp_path / "x")


@pytest.mark.parametrize("location", ["s3://bucket/x", "hdfs://data"])
def test_open_store_refuses_what_it_does_not_know(location: str) -> None:
    with pytest.raises(StorageError, match="name a folder or gs://"):
        open_store(location)


def test_a_folder_that_goes_while_it_is_listed_is_no_error(
    folder: LocalFolder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(folder, "a/1", "x")
    put(folder, "b/2", "x")
    scandir = os.scandir

    def removing(path: str) -> object:
        if path == str(tmp_path / "a"):
            shutil.rmtree(path)
        return scandir(path)

    monkeypatch.setattr(os, "scandir", removing)
    assert names(folder) == ["b/2"]
