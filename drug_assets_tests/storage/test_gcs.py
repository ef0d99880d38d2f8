"""A bucket as a store: whole objects, exact versions, and errors that say what to do."""

from __future__ import annotations

import gzip
import secrets
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from drug_assets.storage.google import bucket as gcs
from drug_assets.storage.objects import ChangedObjectError, StorageError
from drug_assets.storage.places import open_store
from drug_assets_tests.support import clouds
from drug_assets_tests.support.faulty_proxy import DAMAGED, faulty_proxy

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from drug_assets.storage.google.bucket import Bucket
    from drug_assets_tests.support.emulators import GcsEmulator

pytestmark = pytest.mark.xdist_group("clouds")

MEBIBYTE = 1 << 20


@pytest.fixture
def bucket(gcs_emulator: GcsEmulator, monkeypatch: pytest.MonkeyPatch) -> Bucket:
    """An empty place in a bucket."""
    clouds.reach(monkeypatch, gcs_emulator.url)
    clouds.wait_for_nothing(monkeypatch)
    return gcs.Bucket.at(f"gs://{clouds.new_bucket(gcs_emulator)}/zone")


def put(bucket: Bucket, name: str, data: bytes) -> None:
    scratch = bucket.scratch(name)
    scratch.write_bytes(data)
    bucket.put(scratch, name)


NAMES = st.lists(
    st.text(
        st.characters(exclude_categories=["C", "Zl", "Zp"], exclude_characters="/."), min_size=1
    ),
    min_size=1,
    max_size=3,
).map("/".join)


@settings(
    max_examples=25,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(name=NAMES.filter(lambda name: len(name.encode()) < 200), data=st.binary(max_size=100))
def test_what_is_put_is_read_whatever_its_name(bucket: Bucket, name: str, data: bytes) -> None:
    # The emulator's objects are files: `a` and `a/b` cannot both be. The service has no such rule.
    name = f"{secrets.token_hex(8)}/{name}"
    put(bucket, name, data)
    found = next(o for o in bucket.objects() if o.name == name)
    assert found.size_bytes == len(data)
    assert bucket.read(name) == bucket.read(name, found.version) == data
    assert bucket.local_copy(name).read_bytes() == data


def test_objects_are_those_below_the_prefix_sorted(
    bucket: Bucket, gcs_emulator: GcsEmulator
) -> None:
    for outside in (f"{bucket.uri()}file.csv", bucket.uri("../elsewhere").replace("zone/../", "")):
        clouds.put(gcs_emulator, outside, b"outside")
    for name in ("b/2.csv", "a.csv", "b/10.csv"):
        put(bucket, name, b"inside")
    assert [o.name for o in bucket.objects()] == ["a.csv", "b/10.csv", "b/2.csv"]
    assert [o.name for o in bucket.objects("b/1")] == ["b/10.csv"]


def test_the_folders_of_the_console_are_no_files(bucket: Bucket, gcs_emulator: GcsEmulator) -> None:
    clouds.put(gcs_emulator, f"{bucket.uri()}/pubmed_folder/", b"")
    put(bucket, "a.csv", b"")
    assert [o.name for o in bucket.objects()] == ["a.csv"]


def test_a_new_version_has_another_version_and_the_same_bytes_the_same_identity(
    bucket: Bucket,
) -> None:
    versions, identities = [], []
    tick = timedelta(seconds=1)
    for data in (b"one", b"two", b"one"):
        before = datetime.now(tz=UTC)
        put(bucket, "a.csv", data)
        (found,) = bucket.objects()
        versions.append(found.version)
        identities.append(bucket.content_id(found))
        assert before - tick <= found.written_at <= datetime.now(tz=UTC) + tick
    assert len(set(versions)) == 3
    assert identities[0] == identities[2] != identities[1]


def test_the_listed_version_is_read_or_none(bucket: Bucket) -> None:
    put(bucket, "a.csv", b"old")
    (listed,) = bucket.objects()
    put(bucket, "a.csv", b"new")
    with pytest.raises(ChangedObjectError, match=r"a\.csv was written again"):
        bucket.read("a.csv", listed.version)


def test_a_borrowed_object_is_of_the_listed_version_and_leaves_nothing_here(
    bucket: Bucket,
) -> None:
    put(bucket, "a.csv", b"old")
    (listed,) = bucket.objects()
    with bucket.borrow("a.csv", listed.version) as path:
        assert path.read_bytes() == b"old"
    assert not path.exists()
    put(bucket, "a.csv", b"new")
    with (
        pytest.raises(ChangedObjectError, match=r"a\.csv was written again"),
        bucket.borrow("a.csv", listed.version),
    ):
        pass


def test_a_local_copy_follows_the_object(bucket: Bucket) -> None:
    put(bucket, "a.parquet", b"old")
    old = bucket.local_copy("a.parquet")
    put(bucket, "a.parquet", b"new")
    assert bucket.local_copy("a.parquet").read_bytes() == b"new"
    assert old.read_bytes() == b"old", "a lazy frame may still read it"


def test_a_local_copy_of_a_listed_version_is_that_version(bucket: Bucket) -> None:
    put(bucket, "a.parquet", b"old")
    (listed,) = bucket.objects("a.parquet")
    copy = bucket.local_copy("a.parquet", listed.version)
    assert copy.read_bytes() == b"old"
    bucket.delete("a.parquet")
    # Without a request: it was here.
    assert bucket.local_copy("a.parquet", listed.version) == copy
    with pytest.raises(FileNotFoundError):
        bucket.local_copy("a.parquet", "1")


def test_what_was_put_or_copied_before_is_not_downloaded(
    bucket: Bucket, gcs_emulator: GcsEmulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    with faulty_proxy(gcs_emulator.url) as proxy:
        clouds.reach(monkeypatch, proxy.url)
        through = gcs.Bucket.at(bucket.uri())
        put(through, "put", b"1")
        clouds.put(gcs_emulator, bucket.uri("landed"), b"2")
        for _ in range(3):
            through.local_copy("put")
            through.local_copy("landed")
        downloads = [r for r in proxy.requests if "alt=media" in r]
    assert len(downloads) == 1
    assert "landed" in downloads[0]


def test_a_large_object_goes_up_in_a_session_that_can_be_resumed(
    bucket: Bucket, gcs_emulator: GcsEmulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = b"0123456789abcdef" * (9 * MEBIBYTE // 16)
    with faulty_proxy(gcs_emulator.url) as proxy:
        clouds.reach(monkeypatch, proxy.url)
        put(gcs.Bucket.at(bucket.uri()), "large", data)
        assert any("uploadType=resumable" in request for request in proxy.requests)
    assert bucket.read("large") == data


def test_an_object_stored_compressed_is_read_as_it_is_stored(
    bucket: Bucket, gcs_emulator: GcsEmulator
) -> None:
    clouds.put(gcs_emulator, bucket.uri("a.csv"), gzip.compress(b"id,title", mtime=0), "gzip")
    (found,) = bucket.objects()
    assert len(bucket.read("a.csv")) == found.size_bytes
    assert gzip.decompress(bucket.local_copy("a.csv").read_bytes()) == b"id,title"


def test_what_is_not_there(bucket: Bucket) -> None:
    for action in (bucket.read, bucket.local_copy, lambda name: bucket.copy(name, "target")):
        with pytest.raises(FileNotFoundError, match=r"zone/nothing"):
            action("nothing")
    bucket.delete("nothing")
    assert bucket.objects() == []


def test_damaged_bytes_are_not_handed_over(
    bucket: Bucket, gcs_emulator: GcsEmulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    clouds.put(gcs_emulator, bucket.uri("b.csv"), b"id,title")
    with faulty_proxy(gcs_emulator.url) as proxy:
        clouds.reach(monkeypatch, proxy.url)
        through = gcs.Bucket.at(bucket.uri())
        proxy.fault = lambda n: DAMAGED if "alt=media" in proxy.requests[n - 1] else None
        for action in (through.read, through.local_copy):
            with pytest.raises(StorageError, match=r"b\.csv arrived damaged"):
                action("b.csv")
        proxy.count_anew()
        assert through.local_copy("b.csv").read_bytes() == b"id,title"


def test_a_missing_bucket_is_named_with_what_creates_it(
    gcs_emulator: GcsEmulator, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    clouds.reach(monkeypatch, gcs_emulator.url)
    missing = open_store("gs://no-such-bucket/zone")
    finished = tmp_path / "finished"
    finished.write_bytes(b"data")
    with pytest.raises(
        StorageError, match=r"no bucket no-such-bucket.*buckets create gs://no-such"
    ):
        missing.objects()
    with pytest.raises(StorageError, match=r"no bucket no-such-bucket"):
        missing.put(finished, "a.csv")


def test_a_missing_permission_names_the_role(
    bucket: Bucket, gcs_emulator: GcsEmulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    with faulty_proxy(gcs_emulator.url) as proxy:
        clouds.reach(monkeypatch, proxy.url)
        refused = gcs.Bucket.at(bucket.uri())
        proxy.fault = lambda _: "403"
        reading: list[Callable[[], Any]] = [
            refused.objects,
            partial(refused.read, "a"),
            partial(refused.local_copy, "a"),
        ]
        writing: list[Callable[[], Any]] = [
            partial(put, refused, "a", b""),
            partial(refused.copy, "a", "b"),
            partial(refused.delete, "a"),
        ]
        for role, actions in (("objectViewer", reading), ("objectUser", writing)):
            for action in actions:
                with pytest.raises(StorageError, match=rf"grant roles/storage\.{role} with"):
                    action()


def test_a_login_that_is_refused_says_how_to_log_in(
    bucket: Bucket, gcs_emulator: GcsEmulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    with faulty_proxy(gcs_emulator.url) as proxy:
        clouds.reach(monkeypatch, proxy.url)
        refused = gcs.Bucket.at(bucket.uri())
        proxy.fault = lambda _: "401"
        with pytest.raises(StorageError, match=r"gcloud auth application-default login"):
            refused.objects()


def test_a_missing_login_says_how_to_log_in(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.delenv("STORAGE_EMULATOR_HOST", raising=False)
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(tmp_path / "nobody.json"))
    with pytest.raises(StorageError, match=r"gcloud auth application-default login"):
        open_store("gs://some-bucket/zone")


@pytest.mark.parametrize("location", ["gs://", "gs:///zone"])
def test_a_location_without_a_bucket_is_refused(location: str) -> None:
    with pytest.raises(StorageError, match=r"names no bucket: it should be gs://bucket/prefix"):
        open_store(location)


def test_an_outage_ends_in_words(
    bucket: Bucket, gcs_emulator: GcsEmulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    with faulty_proxy(gcs_emulator.url) as proxy:
        clouds.reach(monkeypatch, proxy.url)
        away = gcs.Bucket.at(bucket.uri())
        for fault in ("503", "reset"):
            proxy.count_anew(lambda _, fault=fault: fault)  # type: ignore[misc]
            with pytest.raises(StorageError, match=r"cannot be reached.*after all retries"):
                away.objects()
            assert len(proxy.requests) > 1
