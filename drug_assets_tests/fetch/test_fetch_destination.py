"""A folder as a destination: whole files, prefixes, nothing left behind."""

from __future__ import annotations

import errno
import os
from typing import TYPE_CHECKING

import pytest

from drug_assets.delivery import is_documentation
from drug_assets_tests.support.loopback_services import LocalDestination

if TYPE_CHECKING:
    from pathlib import Path

    from drug_assets.fetch import Destination


@pytest.fixture
def landing(tmp_path: Path) -> Path:
    return tmp_path / "landing"


@pytest.fixture
def folder(landing: Path) -> Destination:
    return LocalDestination(landing)


def contents(landing: Path) -> list[str]:
    return [path.name for path in sorted(landing.iterdir())]


def test_what_is_written_is_read_listed_and_deleted(folder: Destination) -> None:
    folder.write("a/b/c.txt", b"1")
    folder.write("a/b/c.txt", b"2")
    assert folder.read("a/b/c.txt") == b"2"
    assert folder.names("") == ["a/b/c.txt"]
    folder.delete("a/b/c.txt")
    folder.delete("a/b/c.txt")
    assert folder.names("") == []
    with pytest.raises(FileNotFoundError):
        folder.read("a/b/c.txt")


def test_a_prefix_is_a_text_not_a_folder(folder: Destination) -> None:
    for name in ["x_1", "x_2", "x/3", "y", ".x/x_4"]:
        folder.write(name, b"")
    assert folder.names("x_") == ["x_1", "x_2"]
    assert folder.names("x") == ["x/3", "x_1", "x_2"]
    assert folder.names(".x/") == [".x/x_4"]
    assert folder.names("no/such/folder") == []


def test_a_folder_is_not_a_file(folder: Destination) -> None:
    folder.write("a/b", b"")
    with pytest.raises(IsADirectoryError):
        folder.read("a")


def test_a_write_that_fails_leaves_the_old_file_and_nothing_else(
    folder: Destination, landing: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder.write("a", b"old")

    def full_disk(_: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full_disk)
    with pytest.raises(OSError, match="No space"):
        folder.write("a", b"new")
    assert folder.read("a") == b"old"
    assert contents(landing) == ["a"]


def test_a_file_half_written_is_none_of_the_landing_zones_business(
    folder: Destination, landing: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[str] = []
    real = os.fsync

    def look(descriptor: int) -> None:
        seen.extend(contents(landing))
        real(descriptor)

    monkeypatch.setattr(os, "fsync", look)
    folder.write("pubmed_1.xml.gz", b"x")
    partial, whole = seen
    assert is_documentation(partial)
    assert whole == "pubmed_1.xml.gz"


def test_landed_files_are_as_readable_as_others(folder: Destination, landing: Path) -> None:
    folder.write("a", b"")
    plain = landing / "plain"
    plain.touch()
    assert (landing / "a").stat().st_mode == plain.stat().st_mode
