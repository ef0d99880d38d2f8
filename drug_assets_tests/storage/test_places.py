"""Locations: which store opens each, and which object each names."""

from __future__ import annotations

import sys
from importlib import metadata
from typing import TYPE_CHECKING

import pytest

from drug_assets.storage.destination import landing_destination
from drug_assets.storage.objects import LocalFolder, StorageError
from drug_assets.storage.places import open_object, open_store, read_location, scheme_of

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize(
    ("location", "scheme"),
    [
        ("data", None),
        ("/data/x", None),
        ("gs://bucket/x", "gs"),
        ("shelf://a://b", "shelf"),
        ("C:/data", None),
        ("a:b//c", None),
        ("://x", ""),
    ],
)
def test_what_stands_before_colon_and_slashes_is_the_scheme(
    location: str, scheme: str | None
) -> None:
    assert scheme_of(location) == scheme


@pytest.mark.parametrize(
    ("location", "folder", "name"),
    [
        ("graph.json", ".", "graph.json"),
        ("./graph.json", ".", "graph.json"),
        ("a/b/graph.json", "a/b", "graph.json"),
        ("/graph.json", "/", "graph.json"),
        ("/a/graph.json", "/a", "graph.json"),
        ("a/", "a", ""),
    ],
)
def test_the_last_part_of_a_path_is_the_object(location: str, folder: str, name: str) -> None:
    store, found = open_object(location)
    assert (store.uri(), found) == (folder, name)


class Shelf(LocalFolder):
    """A place of another package; it remembers by which location it was opened."""

    opened: str


def open_shelf(location: str) -> Shelf:
    store = Shelf(folder=_root[0])
    store.opened = location
    return store


_root: list[Path] = []


@pytest.fixture
def shelves(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An installed package that opens `shelf://`."""
    installed = tmp_path / "installed" / "shelf-1.0.dist-info"
    installed.mkdir(parents=True)
    (installed / "METADATA").write_text("Metadata-Version: 2.1\nName: shelf\nVersion: 1.0\n")
    (installed / "entry_points.txt").write_text(
        f"[drug_assets.storages]\nshelf = {__name__}:open_shelf\n"
    )
    monkeypatch.syspath_prepend(str(installed.parent))
    assert metadata.entry_points(group="drug_assets.storages", name="shelf")
    _root[:] = [tmp_path / "shelf"]
    return tmp_path / "shelf"


def test_another_package_opens_its_own_scheme(shelves: Path) -> None:
    store = open_store("shelf://rack/board")
    assert (type(store).__name__, getattr(store, "opened", None)) == ("Shelf", "shelf://rack/board")
    inner, name = open_object("shelf://rack/board/graph.json")
    assert (getattr(inner, "opened", None), name) == ("shelf://rack/board", "graph.json")
    shelves.mkdir()
    (shelves / "graph.json").write_bytes(b"[]")
    assert read_location("shelf://rack/graph.json") == b"[]"


def test_an_unknown_scheme_is_refused_with_those_that_are_known() -> None:
    with pytest.raises(StorageError) as raised:
        open_store("moon://crater/x")
    assert str(raised.value) == (
        "moon://crater/x: moon:// is not known; name a folder or gs://bucket/prefix"
    )
    with pytest.raises(OSError, match=r"moon:// is not known; name a folder or gs://bucket/prefix"):
        read_location("moon://crater/x")


def test_what_is_not_there_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        read_location(str(tmp_path / "nothing.csv"))


def test_a_missing_folder_is_an_error_only_where_it_must_exist(tmp_path: Path) -> None:
    missing = str(tmp_path / "no")
    assert open_store(missing).objects() == []
    with pytest.raises(StorageError, match="there is no folder"):
        open_store(missing, must_exist=True).objects()


def test_without_googles_client_a_bucket_is_refused_with_the_cure(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, "drug_assets.storage.google.bucket", None)
    with pytest.raises(StorageError) as raised:
        open_store("gs://bucket/x")
    expected = "gs://bucket/x needs Google's client: pip install 'drug_assets[gcp]'"
    assert str(raised.value) == expected


# A landing zone as the destination of pulls


def test_files_that_a_pull_lands_are_whole_replaced_listed_and_removed(tmp_path: Path) -> None:
    destination = landing_destination(str(tmp_path / "zone"))
    for name, data in (("b/2.json", b"2"), ("b/1.json", b"old"), ("b/1.json", b"1"), ("a", b"")):
        destination.write(name, data)
    assert destination.names("b/") == ["b/1.json", "b/2.json"]
    assert destination.names("") == ["a", "b/1.json", "b/2.json"]
    assert destination.read("b/1.json") == b"1"
    destination.delete("b/1.json")
    destination.delete("b/1.json")
    assert destination.names("b/") == ["b/2.json"]
    with pytest.raises(FileNotFoundError):
        destination.read("b/1.json")


def test_a_file_that_cannot_be_landed_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise StorageError("full")

    monkeypatch.setattr(LocalFolder, "put", refuse)
    with pytest.raises(StorageError, match="full"):
        landing_destination(str(tmp_path)).write("a", b"1")
    assert list(tmp_path.iterdir()) == []
