"""Faults at every call of a small run: success or a clear failure, never a wrong or torn output.

The run is a small one of `Outputs` through a bucket or a dataset, behind a proxy that fails.
"""

from __future__ import annotations

import json
import re
from itertools import count
from typing import TYPE_CHECKING

import polars as pl
import pytest

from drug_assets import contracts
from drug_assets.storage.google import bucket as gcs
from drug_assets.storage.google import dataset as bigquery
from drug_assets.storage.google.dataset import Dataset
from drug_assets.storage.objects import StorageError
from drug_assets.storage.outputs import Outputs, discard_staged, finish_interrupted_releases
from drug_assets_tests.support import clouds
from drug_assets_tests.support.faulty_proxy import PASSING_FAULTS, FaultyProxy, faulty_proxy

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from drug_assets.storage.objects import ObjectStore
    from drug_assets_tests.support.emulators import BigQueryEmulator, GcsEmulator

pytestmark = pytest.mark.xdist_group("clouds")

OLD, NEW = 3, 5


def top_journal(journals: int) -> pl.LazyFrame:
    return pl.LazyFrame(
        [(f"{i}", f"Journal {i}", 1, ["aspirin"]) for i in range(journals)],
        schema=contracts.polars_schema(contracts.TopJournal),
        orient="row",
    )


def small_run(store: ObjectStore, journals: int, run: str) -> None:
    """Write a table, read it, write a document from it, release both."""
    finish_interrupted_releases(store)
    outputs = Outputs(store, run)
    outputs.write_table("top_journal", top_journal(journals))
    read = outputs.table("top_journal").collect()
    outputs.write_document("graph.json", [json.dumps(read["journal"].to_list())])
    outputs.release({"journals": journals})


def as_released(seen: dict[str, bytes], journals: int) -> dict[str, bool]:
    """Which outputs, as a reader of the bucket sees them, are those of a run, to the byte."""
    names = json.dumps([f"Journal {i}" for i in range(journals)])
    table = pl.read_parquet(seen["top_journal.parquet"])
    return {
        "top_journal.parquet": table.equals(top_journal(journals).collect()),
        "graph.json": seen.get("graph.json") == f"{names}\n".encode(),
        "release.json": seen.get("release.json") == b'{\n  "journals": %d\n}\n' % journals,
    }


def whole(seen: dict[str, bytes], held: int, journals: int) -> bool:
    """Every output is an old or a new one, and the new ones come in the order of a release."""
    old, new = as_released(seen, held), as_released(seen, journals)
    order = [new[name] for name in ("top_journal.parquet", "graph.json", "release.json")]
    return all(old[name] or new[name] for name in old) and order == sorted(order, reverse=True)


@pytest.fixture(scope="module")
def gcs_proxy(gcs_emulator: GcsEmulator) -> Iterator[FaultyProxy]:
    with faulty_proxy(gcs_emulator.url) as proxy:
        yield proxy


@pytest.fixture(scope="module")
def bigquery_proxy(bigquery_emulator: BigQueryEmulator) -> Iterator[FaultyProxy]:
    with faulty_proxy(bigquery_emulator.url) as proxy:
        yield proxy


@pytest.fixture(autouse=True)
def no_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    clouds.wait_for_nothing(monkeypatch)


@pytest.fixture
def few_tries(monkeypatch: pytest.MonkeyPatch) -> None:
    """An outage at each of many calls is given up after a few tries, not after some twenty."""
    for module in (gcs, bigquery):
        monkeypatch.setattr(module, "RETRY", module.RETRY.with_timeout(2.0))


@pytest.mark.parametrize("fault", PASSING_FAULTS)
def test_a_fault_that_passes_at_any_call_is_overcome(
    gcs_emulator: GcsEmulator, gcs_proxy: FaultyProxy, monkeypatch: pytest.MonkeyPatch, fault: str
) -> None:
    clouds.reach(monkeypatch, gcs_proxy.url)
    gcs_proxy.count_anew()
    bucket = clouds.new_bucket(gcs_emulator)
    store = gcs.Bucket.at(f"gs://{bucket}/store")
    for nth in count(1):
        gcs_proxy.count_anew(lambda n, nth=nth: fault if n == nth else None)  # type: ignore[misc]
        small_run(store, nth, f"run-{nth}")
        seen = clouds.contents(gcs_emulator, bucket, "store/")
        assert all(as_released(seen, nth).values()), (nth, gcs_proxy.requests[nth - 1])
        assert len(seen) == 3, (nth, sorted(seen))
        if nth > len(gcs_proxy.requests):
            break
    assert nth > 12


@pytest.mark.usefixtures("few_tries")
@pytest.mark.parametrize("fault", ["503", "reset", "403"])
def test_an_outage_from_any_call_on_fails_in_words_and_is_made_good_by_the_next_run(
    gcs_emulator: GcsEmulator, gcs_proxy: FaultyProxy, monkeypatch: pytest.MonkeyPatch, fault: str
) -> None:
    clouds.reach(monkeypatch, gcs_proxy.url)
    gcs_proxy.count_anew()
    bucket = clouds.new_bucket(gcs_emulator)
    store = gcs.Bucket.at(f"gs://{bucket}/store")
    small_run(store, OLD, "first")
    gcs_proxy.count_anew()
    small_run(store, NEW, "second")
    held, audits = NEW, []
    for nth in range(1, len(gcs_proxy.requests) + 1):
        run, journals = f"run-{nth}", 10 + nth
        gcs_proxy.count_anew(lambda n, nth=nth: fault if n >= nth else None)  # type: ignore[misc]
        with pytest.raises(StorageError, match=r"cannot be reached|may not be (read|written)"):
            small_run(store, journals, run)
        seen = clouds.contents(gcs_emulator, bucket, "store/")
        audits.append(f".staging/{run}/READY" in seen)
        assert whole(seen, held, journals) if audits[-1] else whole(seen, held, held), nth

        gcs_proxy.count_anew()
        finish_interrupted_releases(store)
        discard_staged(store, run)
        held = journals if audits[-1] else held
        seen = clouds.contents(gcs_emulator, bucket, "store/")
        assert all(as_released(seen, held).values()), nth
        assert len(seen) == 3, (nth, sorted(seen))
    assert set(audits) == {False, True}


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


@pytest.mark.parametrize("fault", PASSING_FAULTS)
def test_a_fault_at_any_call_of_a_load_is_overcome(
    bigquery_emulator: BigQueryEmulator,
    bigquery_proxy: FaultyProxy,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    fault: str,
) -> None:
    clouds.reach(monkeypatch, bigquery=bigquery_proxy.url)
    old, new = tmp_path / "old.parquet", tmp_path / "new.parquet"
    top_journal(OLD).sink_parquet(old)
    top_journal(NEW).sink_parquet(new)
    dataset = Dataset.at(bigquery_emulator.project, clouds.new_dataset())
    bigquery_proxy.count_anew()
    dataset.load("top_journal", new)
    calls = len(bigquery_proxy.requests)
    assert calls > 6
    for nth in range(1, calls + 1):
        dataset = Dataset.at(bigquery_emulator.project, clouds.new_dataset())
        bigquery_proxy.count_anew(lambda n, nth=nth: fault if n == nth else None)  # type: ignore[misc]
        dataset.load("top_journal", new)
        assert len(bigquery_proxy.requests) >= calls
        bigquery_proxy.count_anew()
        read = pl.read_parquet(dataset.local_copy("top_journal"))
        assert read.equals(top_journal(NEW).collect()), nth


@pytest.mark.usefixtures("few_tries")
def test_an_outage_from_any_call_of_a_load_on_leaves_the_table_whole(
    bigquery_emulator: BigQueryEmulator,
    bigquery_proxy: FaultyProxy,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    clouds.reach(monkeypatch, bigquery=bigquery_proxy.url)
    old, new = tmp_path / "old.parquet", tmp_path / "new.parquet"
    top_journal(OLD).sink_parquet(old)
    top_journal(NEW).sink_parquet(new)
    dataset = Dataset.at(bigquery_emulator.project, clouds.new_dataset())
    bigquery_proxy.count_anew()
    dataset.load("top_journal", old)
    bigquery_proxy.count_anew()
    dataset.load("top_journal", new)
    seen = set()
    for nth in range(1, len(bigquery_proxy.requests) + 1):
        bigquery_proxy.count_anew()
        dataset.load("top_journal", old)
        bigquery_proxy.count_anew(lambda n, nth=nth: "503" if n >= nth else None)  # type: ignore[misc]
        with pytest.raises(StorageError, match=r"top_journal cannot be reached"):
            dataset.load("top_journal", new)
        bigquery_proxy.count_anew()
        read = pl.read_parquet(dataset.local_copy("top_journal"))
        assert any(read.equals(top_journal(rows).collect()) for rows in (OLD, NEW)), nth
        seen.add(read.height)
    assert OLD in seen
