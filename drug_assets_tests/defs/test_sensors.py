"""The sensor of the landing zone, on a folder and on a bucket alike."""

from __future__ import annotations

import os
import re
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import dagster as dg
import pytest

from drug_assets.definitions import make_definitions
from drug_assets.defs.mesh_trees import ChosenTrees
from drug_assets.defs.places import Place, WarehousePlace
from drug_assets.defs.resources import choose_sensor_status, make_resources
from drug_assets.defs.sensors import Seen, make_landing_zone_sensor
from drug_assets.defs.stop_list import StopListFile
from drug_assets.defs.workplace import ALLOW_EMPTY, Workplace
from drug_assets.settings import Settings
from drug_assets_tests.support import clouds, runs

if TYPE_CHECKING:
    from collections.abc import Iterable

    from drug_assets_tests.support.emulators import GcsEmulator

pytestmark = pytest.mark.xdist_group("clouds")

NOW = datetime(2026, 1, 1, 12, tzinfo=UTC)
SENSOR = make_landing_zone_sensor(dg.DefaultSensorStatus.STOPPED)
#: Longer cursors do not fit where Dagster keeps them; each tick writes them again.
CURSOR_LENGTH = 300


class Folder:
    """A landing zone that is a folder."""

    def __init__(self, folder: Path) -> None:
        self.place = Place(location=str(folder), must_exist=True)
        self._folder = folder
        folder.mkdir()

    def land(self, names: Iterable[str], at: datetime = NOW) -> None:
        for name in names:
            path = self._folder / name
            path.parent.mkdir(exist_ok=True)
            # Replaced as a careful sender does: another file of the same name.
            path.with_name(".partial").write_bytes(b"landed")
            path.with_name(".partial").rename(path)
            os.utime(path, (at.timestamp(), at.timestamp()))

    def remove(self, name: str) -> None:
        (self._folder / name).unlink()


class Bucket:
    """A landing zone that is a bucket."""

    def __init__(self, gcs: GcsEmulator) -> None:
        self._bucket = clouds.new_bucket(gcs)
        self.place = Place(location=f"gs://{self._bucket}/zone")
        self._gcs = gcs
        self._generation = 1_000

    def land(self, names: Iterable[str], at: datetime = NOW) -> None:
        self._generation += 1
        names = [f"zone/{name}" for name in names]
        clouds.land(self._gcs, self._bucket, names, at, self._generation)

    def remove(self, name: str) -> None:
        clouds.remove(self._gcs, self._bucket, f"zone/{name}")


@pytest.fixture(params=["folder", pytest.param("bucket", marks=pytest.mark.emulator)])
def zone(
    request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> Folder | Bucket:
    if request.param == "folder":
        return Folder(tmp_path / "zone")
    emulator: GcsEmulator = request.getfixturevalue("gcs_emulator")
    clouds.reach(monkeypatch, emulator.url)
    return Bucket(emulator)


@cache
def make_instance() -> dg.DagsterInstance:
    """One instance for all ticks: they leave nothing in it, and making one takes longer."""
    return dg.DagsterInstance.ephemeral()


def evaluated(zone: Place, cursor: str | None = None, store: Path | None = None) -> object:
    """What one tick returns; without a store, nothing was released yet."""
    nowhere = Path(__file__).parent / "no store"
    workplace = Workplace(
        store=Place(location=str(store or nowhere)),
        landing_zone=zone,
        stop_list=StopListFile(),
        mesh_trees=ChosenTrees(),
        warehouse=WarehousePlace(),
        keep_releases=10,
        choices=Settings().choices,
    )
    resources = {"landing_zone": zone, "workplace": workplace}
    with dg.build_sensor_context(make_instance(), cursor, resources=resources) as context:
        return SENSOR(context)


class Watch:
    """Ticks of the sensor, one after the other, as the daemon makes them."""

    def __init__(self, zone: Folder | Bucket) -> None:
        self._place = zone.place
        self.cursor: str | None = None
        self.run_keys: list[str] = []
        self.tags: dict[str, str] = {}

    def tick(self, *, kept: bool = True) -> str | None:
        """The key of the run that the tick asks for, None if it skips; `kept` keeps its cursor."""
        result = evaluated(self._place, self.cursor)
        if isinstance(result, dg.SkipReason):
            self.skipped = result.skip_message or ""
            return None
        assert isinstance(result, dg.SensorResult)
        (request,) = result.run_requests or []
        assert request.run_key
        assert result.cursor
        assert len(result.cursor) < CURSOR_LENGTH
        if kept:
            self.cursor = result.cursor
            self.run_keys.append(request.run_key)
        self.tags = {key.removeprefix("drug_assets/"): tag for key, tag in request.tags.items()}
        return request.run_key


def test_one_run_for_all_that_is_there_and_none_while_nothing_changes(
    zone: Folder | Bucket,
) -> None:
    watch = Watch(zone)
    zone.land(["drugs.csv", "pubmed.csv", "clinical_trials/page.json"])
    assert watch.tick()
    assert watch.tags["files"] == "3"
    assert watch.tick() is None
    assert watch.skipped == "nothing changed: 3 files as before"


def test_an_empty_zone_says_so(zone: Folder | Bucket) -> None:
    watch = Watch(zone)
    if isinstance(zone, Bucket):
        zone.land(["README.md"])
    assert watch.tick() is None
    assert watch.skipped == "nothing changed: there are no files"


def test_a_new_file_starts_one_run_that_names_it(zone: Folder | Bucket) -> None:
    watch = Watch(zone)
    zone.land(["drugs.csv"])
    watch.tick()
    zone.land(["pubmed_1.csv", "pubmed_2.csv"], NOW + timedelta(seconds=1))
    assert watch.tick()
    assert watch.tags == {"files": "3", "new_or_changed": "pubmed_1.csv, pubmed_2.csv"}
    assert watch.tick() is None


def test_an_overwritten_file_starts_one_run_even_with_the_same_bytes(
    zone: Folder | Bucket,
) -> None:
    watch = Watch(zone)
    zone.land(["drugs.csv", "pubmed.csv"])
    watch.tick()
    zone.land(["pubmed.csv"], NOW + timedelta(seconds=1))
    assert watch.tick()
    assert watch.tags["new_or_changed"] == "pubmed.csv"
    assert watch.tags["earlier_files"] == "1 of 2 removed or replaced"
    assert watch.tick() is None
    assert len(set(watch.run_keys)) == 2


def test_a_removed_file_starts_one_run(zone: Folder | Bucket) -> None:
    watch = Watch(zone)
    zone.land(["drugs.csv", "pubmed.csv"])
    watch.tick()
    zone.remove("pubmed.csv")
    assert watch.tick()
    assert watch.tags == {"files": "1", "earlier_files": "1 of 2 removed or replaced"}
    assert watch.tick() is None


def landed_over_three_days(zone: Folder | Bucket) -> Watch:
    """A zone that was seen with three files, each a day older than the one before."""
    for age, name in enumerate(("pubmed_new.csv", "pubmed_mid.csv", "pubmed_old.csv")):
        zone.land([name], NOW - timedelta(days=age))
    watch = Watch(zone)
    watch.tick()
    return watch


DAY = timedelta(days=1)


@pytest.mark.parametrize(
    ("landed", "gone", "tags"),
    [
        ({"late": -DAY / 2}, [], {"earlier_files": "landed late"}),
        ({"late": -DAY * 9}, ["pubmed_mid.csv"], {"earlier_files": "landed late"}),
        (
            {"late": -DAY * 9},
            ["pubmed_mid.csv", "pubmed_old.csv"],
            {"earlier_files": "1 of 3 removed or replaced"},
        ),
        ({}, ["pubmed_new.csv"], {"earlier_files": "1 of 3 removed or replaced"}),
        ({"next": DAY}, [], {"new_or_changed": "drugs_next.csv"}),
        (
            {"next": DAY, "last": DAY * 2},
            [],
            {"new_or_changed": "drugs_last.csv, drugs_next.csv"},
        ),
        (
            {"next": DAY, "late": -DAY},
            ["pubmed_old.csv", "pubmed_new.csv"],
            {
                "new_or_changed": "drugs_next.csv",
                "earlier_files": "1 of 3 removed or replaced",
            },
        ),
        (
            {"next": DAY, "late": -DAY},
            ["pubmed_old.csv"],
            {"new_or_changed": "drugs_next.csv", "earlier_files": "landed late"},
        ),
    ],
    ids=[
        "late", "late for one that is gone", "late for two that are gone", "the newest is gone",
        "new", "two new", "new, late and two gone", "new, late and gone",
    ],
)  # fmt: skip
def test_a_run_is_told_what_is_new_what_was_late_and_what_is_gone(
    zone: Folder | Bucket, landed: dict[str, timedelta], gone: list[str], tags: dict[str, str]
) -> None:
    watch = landed_over_three_days(zone)
    for name, after in landed.items():
        zone.land([f"drugs_{name}.csv"], NOW + after)
    for name in gone:
        zone.remove(name)
    assert watch.tick()
    assert watch.tags == {"files": str(3 + len(landed) - len(gone)), **tags}
    assert watch.tick() is None


def test_files_that_were_written_again_are_new_and_missing_among_the_earlier(
    zone: Folder | Bucket,
) -> None:
    watch = landed_over_three_days(zone)
    zone.land(["pubmed_old.csv", "pubmed_mid.csv"], NOW + DAY)
    assert watch.tick()
    assert watch.tags == {
        "files": "3",
        "new_or_changed": "pubmed_mid.csv, pubmed_old.csv",
        "earlier_files": "2 of 3 removed or replaced",
    }


@pytest.mark.parametrize(
    ("files", "shown"),
    [
        (5, "drugs_0.csv, drugs_1.csv, drugs_2.csv, drugs_3.csv, drugs_4.csv"),
        (6, "drugs_0.csv, drugs_1.csv, drugs_2.csv, drugs_3.csv, drugs_4.csv and 1 more"),
    ],
)
def test_five_names_are_shown_and_the_rest_is_counted(
    zone: Folder | Bucket, files: int, shown: str
) -> None:
    names = [f"drugs_{number}.csv" for number in range(files)]
    zone.land([*names, *(f"un{name}" for name in names)])
    watch = Watch(zone)
    watch.tick()
    ignored = shown.replace("drugs", "undrugs")
    assert watch.tags == {"files": str(files), "new_or_changed": shown, "ignored": ignored}
    watch.tick()
    expected = f"nothing changed: {files} files as before; ignored, of no source: {ignored}"
    assert watch.skipped == expected


def test_runs_are_counted_in_their_keys(zone: Folder | Bucket) -> None:
    zone.land(["drugs.csv"])
    watch = Watch(zone)
    watch.tick()
    zone.land(["pubmed.csv"], NOW + DAY)
    watch.tick()
    assert [key.rpartition("-")[0] for key in watch.run_keys] == ["1-1", "2-2"]
    assert all(len(key.rpartition("-")[2]) == 32 for key in watch.run_keys)


def test_a_zone_that_returns_to_an_earlier_set_starts_a_run_each_time(
    zone: Folder | Bucket,
) -> None:
    """Dagster starts one run per key, for ever: with the key of the earlier set, none."""
    watch = Watch(zone)
    zone.land(["drugs.csv"])
    watch.tick()
    for _ in range(2):
        zone.land(["pubmed.csv"], NOW + timedelta(seconds=1))
        watch.tick()
        zone.remove("pubmed.csv")
        watch.tick()
    assert len(set(watch.run_keys)) == len(watch.run_keys) == 5


def test_a_file_that_was_written_before_the_watermark_is_not_missed(zone: Folder | Bucket) -> None:
    """Uploads end in another order than they began; copies keep their time."""
    watch = Watch(zone)
    zone.land(["pubmed_2.csv"])
    watch.tick()
    zone.land(["pubmed_1.csv"], NOW - timedelta(days=1))
    assert watch.tick()
    assert watch.tags == {"files": "2", "earlier_files": "landed late"}
    assert watch.tick() is None


@pytest.mark.parametrize("name", ["a/pubmed.csv", "z/pubmed.csv"])
def test_a_file_of_the_same_moment_as_the_watermark_is_not_missed(
    zone: Folder | Bucket, name: str
) -> None:
    """Whether its name comes before or after the one that set the watermark."""
    watch = Watch(zone)
    zone.land(["m/pubmed.csv"])
    watch.tick()
    zone.land([name])
    assert watch.tick()
    assert watch.tick() is None


@pytest.mark.slow
def test_a_thousand_files_are_one_run(zone: Folder | Bucket) -> None:
    watch = Watch(zone)
    zone.land([f"pubmed_{i}.csv" for i in range(1000)])
    assert watch.tick()
    assert watch.tags["new_or_changed"].endswith("and 995 more")
    assert watch.tick() is None
    assert watch.skipped == "nothing changed: 1,000 files as before"


@pytest.mark.slow
def test_a_tick_evaluated_again_asks_for_the_same_run(zone: Folder | Bucket) -> None:
    """The daemon died after the run was launched, before the cursor was kept."""
    watch = Watch(zone)
    zone.land(["drugs.csv"])
    first = watch.tick(kept=False)
    assert watch.tick(kept=False) == first
    watch.tick()
    zone.land(["pubmed.csv"], NOW + timedelta(seconds=1))
    second = watch.tick(kept=False)
    assert watch.tick(kept=False) == second != first
    zone.land(["clinical_trials.csv"], NOW + timedelta(seconds=2))
    assert watch.tick() not in {None, first, second}, "what landed since would be left out"


def test_files_of_no_source_start_nothing_and_are_named(zone: Folder | Bucket) -> None:
    watch = Watch(zone)
    zone.land(["invoice.pdf", "README.md"])
    assert watch.tick() is None
    assert watch.skipped == (
        "nothing changed: there are no files; ignored, of no source: invoice.pdf"
    )
    zone.land(["drugs.csv"], NOW + timedelta(seconds=1))
    assert watch.tick()
    assert watch.tags["ignored"] == "invoice.pdf"
    zone.land(["letter.pdf"], NOW + timedelta(seconds=2))
    assert watch.tick() is None
    assert re.search(r"1 file as before; ignored, .*invoice\.pdf, letter\.pdf", watch.skipped)


@pytest.mark.slow
def test_the_first_tick_asks_for_no_run_of_what_was_released(small_run: runs.Run) -> None:
    """`drug-assets run` filled the store before the sensor was switched on."""
    landing = small_run.store.parent / "landing"
    zone = Place(location=str(landing), must_exist=True)
    result = evaluated(zone, store=small_run.store)
    assert isinstance(result, dg.SensorResult)
    assert not result.run_requests
    assert "3 files, released already" in str(result.skip_reason)
    # What lands from then on starts a run, although its first tick asked for none.
    again = evaluated(zone, result.cursor, small_run.store)
    assert isinstance(again, dg.SkipReason)
    before = Seen.of_cursor(result.cursor)
    assert before.number == 1
    one_less = Seen(before.number, before.files - 1).cursor()
    assert isinstance(evaluated(zone, one_less, small_run.store), dg.SensorResult)


def test_runs_of_sensors_and_schedules_never_allow_a_source_to_be_empty(
    zone: Folder | Bucket,
) -> None:
    zone.land(["drugs.csv"])
    watch = Watch(zone)
    assert watch.tick()
    assert ALLOW_EMPTY.removeprefix("drug_assets/") not in watch.tags
    found = make_definitions(Settings())
    schedules: Any = found.schedules
    for schedule in schedules:
        assert ALLOW_EMPTY not in (schedule.tags or {})
    for job in found.jobs or ():
        assert ALLOW_EMPTY not in (found.resolve_job_def(job.name).tags or {})


def test_a_later_tick_neither_lists_nor_hashes_to_know_what_was_released(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[Workplace] = []

    def is_released(workplace: Workplace) -> bool:
        asked.append(workplace)
        return False

    monkeypatch.setattr(Workplace, "is_released", is_released)
    folder = Folder(tmp_path / "zone")
    folder.land(["drugs.csv"])
    watch = Watch(folder)
    assert watch.tick()
    assert len(asked) == 1
    folder.land(["pubmed.csv"], NOW + timedelta(seconds=1))
    assert watch.tick()
    assert len(asked) == 1


def test_a_zone_that_cannot_be_listed_is_a_skip_that_says_why(
    tmp_path: Path, gcs_emulator: GcsEmulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    clouds.reach(monkeypatch, gcs_emulator.url)
    for location, why in (
        (str(tmp_path / "nowhere"), "there is no folder"),
        ("gs://no-such-bucket/zone", "there is no bucket no-such-bucket"),
    ):
        place = Place(location=location, must_exist=True)
        result = evaluated(place)
        assert isinstance(result, dg.SkipReason)
        assert why in (result.skip_message or "")


def test_a_cursor_of_another_release_is_as_none(zone: Folder | Bucket) -> None:
    zone.land(["drugs.csv"])
    watch = Watch(zone)
    key = watch.tick(kept=False)
    assert key
    for cursor in ("nonsense", "[]", '{"tick": 3, "files": {"drugs.csv": "1"}}'):
        watch.cursor = cursor
        assert watch.tick(kept=False) == key


@pytest.mark.parametrize(
    ("environment", "landing", "running"),
    [
        ("local", "data", False),
        ("local", "gs://bucket/zone", True),
        ("bigquery", "gs://bucket/zone", True),
        ("bigquery", "data", False),
    ],
)
def test_it_runs_by_default_where_a_bucket_is_configured(
    environment: str, landing: str, running: bool
) -> None:
    settings = Settings.of(
        {
            "DRUG_ASSETS_ENV": environment,
            "DRUG_ASSETS_LANDING": landing,
            "DRUG_ASSETS_STORE": "gs://bucket/store",
            "DRUG_ASSETS_BIGQUERY_PROJECT": "project",
            "DRUG_ASSETS_BIGQUERY_DATASET": "dataset",
        }
    )
    assert (choose_sensor_status(settings) is dg.DefaultSensorStatus.RUNNING) == running
    assert "landing_zone" in make_resources(settings)
