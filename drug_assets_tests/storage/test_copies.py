"""Local copies of a bucket's objects: for the step that reads them, and no longer."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl
import pytest

from drug_assets.storage import copies
from drug_assets.storage.google.bucket import Bucket
from drug_assets.storage.kept.by_file import count_rows
from drug_assets_tests.support import clouds
from drug_assets_tests.support.faulty_proxy import faulty_proxy

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from drug_assets_tests.support.emulators import GcsEmulator

pytestmark = pytest.mark.xdist_group("clouds")

LARGE = bytes(copies._SMALL_BYTES)


@pytest.fixture
def bucket(gcs_emulator: GcsEmulator, monkeypatch: pytest.MonkeyPatch) -> Bucket:
    clouds.reach(monkeypatch, gcs_emulator.url)
    return Bucket.at(f"gs://{clouds.new_bucket(gcs_emulator)}/store")


@pytest.fixture(autouse=True)
def between_runs() -> Iterator[None]:
    copies.drop()
    copies.begin_step("before")
    yield
    copies.drop()


def here() -> list[Path]:
    return list(copies.make_folder().iterdir())


def put(bucket: Bucket, name: str, data: bytes) -> None:
    scratch = bucket.scratch(name)
    scratch.write_bytes(data)
    bucket.put(scratch, name)


def put_parquet(bucket: Bucket, name: str, rows: int, rows_per_group: int) -> None:
    scratch = bucket.scratch(name)
    frame = pl.DataFrame({"row": range(rows), "text": [f"text {row}" for row in range(rows)]})
    frame.write_parquet(scratch, row_group_size=rows_per_group, metadata={"noted": "yes"})
    bucket.put(scratch, name)


def test_who_copies_nothing_makes_no_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = tmp_path / "own.csv"
    own.write_bytes(b"rows")
    copies.make_folder.cache_clear()
    # At the end of a process, its folder is gone, and no other one would be removed.
    monkeypatch.setattr(copies, "make_process_folder", lambda: tmp_path / "gone")
    copies.discard(own)
    copies.drop()
    assert [entry.name for entry in tmp_path.iterdir()] == ["own.csv"]


def test_a_step_keeps_its_copies_to_its_end(bucket: Bucket) -> None:
    put(bucket, "a.csv", b"rows")
    copies.begin_step("run 1")
    first = bucket.local_copy("a.csv")
    copies.begin_step("run 1")
    assert first.exists()
    assert bucket.local_copy("a.csv") == first


def test_the_next_step_drops_them_and_copies_again_what_it_reads(bucket: Bucket) -> None:
    copies.begin_step("run 1")
    put(bucket, "written.csv", LARGE)
    copy = bucket.local_copy("written.csv")
    copies.begin_step("run 2")
    assert not copy.exists()
    assert here() == []
    assert bucket.local_copy("written.csv").read_bytes() == LARGE
    assert len(here()) == 1


def test_small_ones_stay_as_long_as_there_is_room(
    bucket: Bucket, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(copies, "_STAYING_BYTES", 10)
    for name in ("a.csv", "b.csv", "c.csv"):
        put(bucket, name, b"rows")
    put(bucket, "large.csv", LARGE)
    copies.begin_step("run 1")
    assert [copy.read_bytes() for copy in here()] == [b"rows", b"rows"]


def test_an_empty_one_goes_with_the_others(bucket: Bucket) -> None:
    put(bucket, "a.csv", b"")
    assert bucket.local_copy("a.csv").stat().st_size == 0
    copies.drop()
    assert here() == []


def test_one_copy_may_go_before_and_only_a_copy(bucket: Bucket, tmp_path: Path) -> None:
    put(bucket, "a.csv", b"a")
    put(bucket, "b.csv", b"b")
    own = tmp_path / "a.csv"
    own.write_bytes(b"a")
    copies.discard(bucket.local_copy("a.csv"))
    copies.discard(own)
    assert here() == [bucket.local_copy("b.csv")]
    assert own.exists()


def test_a_path_to_write_to_is_no_copy(bucket: Bucket) -> None:
    copies.begin_step("run 1")
    scratch = bucket.scratch("a.csv")
    scratch.write_bytes(b"rows")
    copies.begin_step("run 2")
    assert scratch.read_bytes() == b"rows"
    scratch.unlink()


@pytest.mark.parametrize(("rows", "rows_per_group"), [(1, 10), (100_000, 200)])
def test_a_footer_is_read_without_the_rows(
    bucket: Bucket,
    gcs_emulator: GcsEmulator,
    monkeypatch: pytest.MonkeyPatch,
    rows: int,
    rows_per_group: int,
) -> None:
    """Of a small file, and of one whose footer is larger than what is read at first."""
    put_parquet(bucket, "a.parquet", rows, rows_per_group)
    copies.drop()
    (found,) = bucket.objects()
    with faulty_proxy(gcs_emulator.url) as proxy:
        clouds.reach(monkeypatch, proxy.url)
        through = Bucket.at(bucket.uri())
        footer = through.local_footer(found)
        assert through.local_footer(found) == footer
        downloads = [request for request in proxy.requests if "alt=media" in request]
    assert len(downloads) == (1 if rows == 1 else 2)
    assert count_rows(footer) == rows
    assert pl.read_parquet_metadata(footer)["noted"] == "yes"
    assert footer.stat().st_size == found.size_bytes
    if rows > 1:
        assert footer.stat().st_blocks * 512 < found.size_bytes
    whole = bucket.local_copy(found.name, found.version)
    assert pl.read_parquet(whole).height == rows
    assert bucket.local_footer(found) == whole


def test_the_footer_of_what_is_gone_is_not_found(bucket: Bucket) -> None:
    put(bucket, "a.parquet", b"PAR1 and so on")
    (found,) = bucket.objects()
    copies.drop()
    bucket.delete(found.name)
    with pytest.raises(FileNotFoundError):
        bucket.local_footer(found)
