"""Faults at every call of a small run: success or a clear failure, never a wrong or torn output.

The run is a small one through a bucket behind a proxy that fails; those of BigQuery are in
`test_publication` and `test_published_releases`.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import TYPE_CHECKING

import pytest

from drug_assets.storage import staging
from drug_assets.storage.google import bucket as gcs
from drug_assets.storage.objects import StorageError
from drug_assets.storage.releases import list_releases
from drug_assets_tests.support import clouds
from drug_assets_tests.support.faulty_proxy import PASSING_FAULTS, FaultyProxy, faulty_proxy
from drug_assets_tests.support.releasing import make, seen

if TYPE_CHECKING:
    from collections.abc import Iterator

    from drug_assets_tests.support.emulators import GcsEmulator

pytestmark = pytest.mark.xdist_group("clouds")


@pytest.fixture(scope="module")
def gcs_proxy(gcs_emulator: GcsEmulator) -> Iterator[FaultyProxy]:
    with faulty_proxy(gcs_emulator.url) as proxy:
        yield proxy


@pytest.fixture(autouse=True)
def no_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    clouds.wait_for_nothing(monkeypatch)


@pytest.fixture
def few_tries(monkeypatch: pytest.MonkeyPatch) -> None:
    """An outage at each of many calls is given up after a few tries, not after some twenty."""
    monkeypatch.setattr(gcs, "RETRY", gcs.RETRY.with_timeout(2.0))


@pytest.mark.parametrize("fault", PASSING_FAULTS)
def test_a_fault_that_passes_at_any_call_is_overcome(
    gcs_emulator: GcsEmulator, gcs_proxy: FaultyProxy, monkeypatch: pytest.MonkeyPatch, fault: str
) -> None:
    clouds.reach(monkeypatch, gcs_proxy.url)
    store = gcs.Bucket.at(f"gs://{clouds.new_bucket(gcs_emulator)}/store")
    for nth in count(1):
        gcs_proxy.count_anew(lambda n, nth=nth: fault if n == nth else None)  # type: ignore[misc]
        made = make(store, f"run-{nth}", keep=2)
        calls = len(gcs_proxy.requests)
        gcs_proxy.count_anew()
        assert made.is_new
        assert seen(store) == f"run-{nth}"
        assert len(list_releases(store)) == min(nth, 2)
        assert [o.name for o in store.objects(staging.STAGING)] == []
        if nth > calls:
            break
    assert nth > 20


@pytest.mark.usefixtures("few_tries")
@pytest.mark.parametrize("fault", ["503", "reset", "403"])
def test_an_outage_from_any_call_on_fails_in_words_and_is_made_good_by_the_next_run(
    gcs_emulator: GcsEmulator, gcs_proxy: FaultyProxy, monkeypatch: pytest.MonkeyPatch, fault: str
) -> None:
    clouds.reach(monkeypatch, gcs_proxy.url)
    gcs_proxy.count_anew()
    store = gcs.Bucket.at(f"gs://{clouds.new_bucket(gcs_emulator)}/store")
    for content in ("old", "older", "oldest"):
        make(store, content, keep=3)
    gcs_proxy.count_anew()
    make(store, "next", keep=3)
    held, views = "next", set()
    for nth in range(1, len(gcs_proxy.requests) + 1):
        content = f"run-{nth}"
        gcs_proxy.count_anew(lambda n, nth=nth: fault if n >= nth else None)  # type: ignore[misc]
        with pytest.raises(StorageError, match=r"cannot be reached|may not be (read|written)"):
            make(store, content, keep=3)
        gcs_proxy.count_anew()
        found = seen(store)
        assert found in {held, content}, nth
        views.add(found == content)
        held = f"after-{nth}"
        staging.discard_dead_runs(store, datetime.now(tz=UTC) + timedelta(days=2))
        assert make(store, held, keep=3).is_new
        assert seen(store) == held
    assert views == {False, True}


@pytest.mark.usefixtures("few_tries")
def test_an_upload_that_breaks_off_leaves_the_old_object(
    gcs_emulator: GcsEmulator, gcs_proxy: FaultyProxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also one that is large enough to go up in parts."""
    clouds.reach(monkeypatch, gcs_proxy.url)
    gcs_proxy.count_anew()
    bucket = clouds.new_bucket(gcs_emulator)
    store = gcs.Bucket.at(f"gs://{bucket}")
    for size in (10, 9 << 20):
        for data, fault in ((b"a", None), (b"b", "reset")):
            scratch = store.scratch("object")
            scratch.write_bytes(data * size)
            if fault is None:
                gcs_proxy.count_anew()
                store.put(scratch, "object")
            else:
                uploads = re.compile(r"PUT |uploadType=multipart")
                gcs_proxy.count_anew(
                    lambda n: "reset" if uploads.search(gcs_proxy.requests[n - 1]) else None  # noqa: B023
                )
                with pytest.raises(StorageError, match=r"cannot be reached"):
                    store.put(scratch, "object")
        gcs_proxy.count_anew()
        assert store.read("object") == b"a" * size
