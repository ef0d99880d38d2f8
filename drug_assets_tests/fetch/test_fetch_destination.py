"""A folder as a destination: whole files, prefixes, nothing left behind."""

from __future__ import annotations

import errno
import os
from typing import TYPE_CHECKING

import pytest

from drug_assets import sources
from drug_assets.fetch import Destination, LocalDestination

if TYPE_CHECKING:
    from pathlib import Path


def contents(place: LocalDestination) -> list[str]:
    return [path.name for path in sorted(place.folder.iterdir())]


@pytest.fixture
def folder(tmp_path: Path) -> LocalDestination:
    return LocalDestination(tmp_path / "landing")


def test_what_is_written_is_read_listed_and_deleted(folder: LocalDestination) -> None:
    place: Destination = folder
    place.write("a/b/c.txt", b"1")
    place.write("a/b/c.txt", b"2")
    assert place.exists("a/b/c.txt")
    assert place.read("a/b/c.txt") == b"2"
    assert place.names("") == ["a/b/c.txt"]
    place.delete("a/b/c.txt")
    place.delete("a/b/c.txt")
    assert not place.exists("a/b/c.txt")
    with pytest.raises(FileNotFoundError):
        place.read("a/b/c.txt")


def test_a_prefix_is_a_text_not_a_folder(folder: LocalDestination) -> None:
    for name in ["x_1", "x_2", "x/3", "y", ".x/x_4"]:
        folder.write(name, b"")
    assert folder.names("x_") == ["x_1", "x_2"]
    assert folder.names("x") == ["x/3", "x_1", "x_2"]
    assert folder.names(".x/") == [".x/x_4"]
    assert folder.names("no/such/folder") == []


def test_a_folder_is_not_a_file(folder: LocalDestination) -> None:
    folder.write("a/b", b"")
    assert not folder.exists("a")


def test_a_write_that_fails_leaves_the_old_file_and_nothing_else(
    folder: LocalDestination, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder.write("a", b"old")

    def full_disk(_: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full_disk)
    with pytest.raises(OSError, match="No space"):
        folder.write("a", b"new")
    assert folder.read("a") == b"old"
    assert contents(folder) == ["a"]


def test_a_file_half_written_is_none_of_the_landing_zones_business(
    folder: LocalDestination, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[str] = []
    real = os.fsync

    def look(descriptor: int) -> None:
        seen.extend(contents(folder))
        real(descriptor)

    monkeypatch.setattr(os, "fsync", look)
    folder.write("pubmed_1.xml.gz", b"x")
    partial, whole = seen
    assert sources.is_documentation(partial)
    assert whole == "pubmed_1.xml.gz"


def test_landed_files_are_as_readable_as_others(folder: LocalDestination) -> None:
    folder.write("a", b"")
    plain = folder.folder / "plain"
    plain.touch()
    assert (folder.folder / "a").stat().st_mode == plain.stat().st_mode
