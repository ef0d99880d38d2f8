"""A release of a store that publishes to BigQuery: the store and the dataset become new together.

Tests stop a release before each of its steps: what it changes in the store, and every request to
BigQuery. Whatever happens there, a query sees tables of one release, the store has this release
whole, and after the next run the pointer and the dataset name the same one.
"""

from __future__ import annotations

import os
import random
import threading
from contextlib import closing
from functools import partial
from typing import TYPE_CHECKING, Any, cast

import polars as pl
import pytest

from drug_assets.sources.tables import TABLES
from drug_assets.storage import staging
from drug_assets.storage.commit import Committed, LostRaceError
from drug_assets.storage.google import bucket as gcs
from drug_assets.storage.google import dataset as datasets
from drug_assets.storage.google import jobs, layout, tables, warehouse
from drug_assets.storage.google.dataset import Dataset
from drug_assets.storage.google.warehouse import DatasetWarehouse
from drug_assets.storage.kept.content_ids import ContentIds
from drug_assets.storage.landed_files import compute_fingerprint
from drug_assets.storage.objects import ConflictError, LocalFolder, StorageError, write_text
from drug_assets.storage.outputs import prepare_store
from drug_assets.storage.pointer import Pointer
from drug_assets.storage.releases import (
    Release,
    RollbackError,
    end_rollback,
    is_unchanged_since_release,
    list_releases,
    publish,
    roll_back,
)
from drug_assets_tests.support import clouds, releasing
from drug_assets_tests.support.faulty_proxy import FaultyProxy, faulty_proxy
from drug_assets_tests.support.published import rows_of
from drug_assets_tests.support.releasing import RULES, Killed, Steps, content_of, seen

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from google.cloud import bigquery

    from drug_assets.storage.objects import ObjectStore
    from drug_assets_tests.support.emulators import BigQueryEmulator, GcsEmulator

pytestmark = pytest.mark.xdist_group("clouds")

NAMES = ("top_journal", "journal_drugs")
#: How many of the steps at which a release can be stopped are tried, drawn by this seed. Those
#: around the transaction and the pointer always are.
SAMPLED, SEED = int(os.environ.get("DRUG_ASSETS_TEST_STEPS", "1")), 11


def tables_of(content: str, **others: str) -> dict[str, pl.DataFrame]:
    """Two tables whose rows name a content; `others` gives single tables another one."""
    return {
        name: rows_of(name, 2).with_columns(journal=pl.lit(others.get(name, content)))
        for name in NAMES
    }


class Place:
    """A store and the dataset that it publishes to, reached directly and through the proxy."""

    def __init__(self, store: ObjectStore, client: bigquery.Client, project: str) -> None:
        self.store = store
        self.client = client
        name = clouds.new_dataset()
        self.direct = DatasetWarehouse(Dataset(client, project, name))
        self.proxied = DatasetWarehouse(Dataset.at(project, name))

    def stage(self, content: str, **others: str) -> None:
        releasing.stage(self.store, content, content, tables_of(content, **others))

    def release(self, content: str, *, keep: int = 3, **options: Any) -> Committed:
        """Release what was staged, directly if no other store or warehouse is given."""
        given = {"store": self.store, "warehouse": self.direct, **options}
        return releasing.release(given.pop("store"), content, content, keep=keep, **given)

    def make(self, content: str, **options: Any) -> Committed:
        """A whole run."""
        prepare_store(self.store, (), options.get("warehouse", self.direct))
        self.stage(content)
        return self.release(content, **options)

    def look(self) -> str:
        """The content that one query sees; fails if it is of two releases, or not in the store."""
        name = self.direct.dataset.name
        query = (
            f"SELECT (SELECT MAX(release_id) FROM `{name('releases')}` WHERE replaced_at IS NULL) "  # noqa: S608
            "AS release"
            + "".join(
                f", (SELECT MIN(journal) FROM `{name(table)}`) AS {table}_first, "  # noqa: S608
                f"(SELECT MAX(journal) FROM `{name(table)}`) AS {table}_last, "
                f"(SELECT COUNT(*) FROM `{name(table)}`) AS {table}_rows"
                for table in NAMES
            )
        )
        (row,) = self.client.query(query).result(timeout=600)
        found = {row[f"{table}_{end}"] for table in NAMES for end in ("first", "last")}
        assert len(found) == 1, f"two releases in one query: {dict(row.items())}"
        assert {row[f"{table}_rows"] for table in NAMES} == {2}
        (content,) = found
        assert content_of(Release(self.store, row["release"])) == content
        return str(content)

    def require_agreement(self) -> str:
        """The content that readers of the store and of the dataset see."""
        pointer = self.store.pointer()
        assert pointer is not None
        assert self.direct.current_release() == pointer.release
        assert self.direct.is_complete()
        found = self.look()
        assert seen(self.store) == found
        return found

    def require_nothing_left(self) -> None:
        """There is no release but those that are listed, and no table but those published."""
        listed = {release.id for release in list_releases(self.store)}
        assert {o.name.split("/")[1] for o in self.store.objects("releases/")} == listed
        dataset = self.direct.dataset.name("x").split(".")[1]
        assert {t.table_id for t in self.client.list_tables(dataset)} == {*NAMES, "releases"}

    def forget_unlisted(self) -> None:
        """As time does, where nobody can tell whether a run still fills a release."""
        listed = {release.id for release in list_releases(self.store)}
        for found in self.store.objects("releases/"):
            if found.name.split("/")[1] not in listed:
                self.store.delete(found.name)


@pytest.fixture(scope="module")
def proxy(bigquery_emulator: BigQueryEmulator) -> Iterator[FaultyProxy]:
    with faulty_proxy(bigquery_emulator.url) as proxy:
        yield proxy


@pytest.fixture(autouse=True)
def reached(monkeypatch: pytest.MonkeyPatch, gcs_emulator: GcsEmulator, proxy: FaultyProxy) -> None:
    clouds.reach(monkeypatch, gcs_emulator.url, proxy.url)
    clouds.wait_for_nothing(monkeypatch)
    # Few tables: eleven would only take longer.
    monkeypatch.setattr(warehouse, "TABLES", {name: TABLES[name] for name in NAMES})
    proxy.count_anew()


@pytest.fixture
def few_tries(monkeypatch: pytest.MonkeyPatch) -> None:
    """An outage at each of many calls is given up after a few tries, not after some twenty."""
    for module in (datasets, jobs, layout, tables):
        monkeypatch.setattr(module, "RETRY", module.RETRY.with_timeout(2.0))


@pytest.fixture(params=["folder", "bucket"])
def new_store(
    request: pytest.FixtureRequest, gcs_emulator: GcsEmulator, tmp_path: Path
) -> Callable[[], ObjectStore]:
    """Makes empty stores of one kind."""
    made: list[ObjectStore] = []

    def make() -> ObjectStore:
        made.append(
            LocalFolder(tmp_path / f"store_{len(made)}")
            if request.param == "folder"
            else gcs.Bucket.at(f"gs://{clouds.new_bucket(gcs_emulator)}/store")
        )
        return made[-1]

    return make


@pytest.fixture
def place(
    new_store: Callable[[], ObjectStore], bigquery_emulator: BigQueryEmulator
) -> Iterator[Place]:
    """A store without a release, and a dataset that does not exist."""
    with closing(bigquery_emulator.client()) as client:
        yield Place(new_store(), client, bigquery_emulator.project)


def sample(steps: list[str]) -> list[int]:
    """Some of the steps at which a release can be stopped, the most telling ones always."""
    every = range(len(steps))
    drawn = random.Random(SEED).sample(every, min(SAMPLED, len(steps)))  # noqa: S311
    pointer = steps.index("swap_pointer")
    filling = [steps.index("copy")] if "copy" in steps else []  # the folder of the release
    return sorted({0, *drawn, *filling, *range(pointer - 3, min(pointer + 2, len(steps)))})


class Stepped:
    """Calls a function before every step of a release: changes of the store, and requests."""

    def __init__(
        self, place: Place, proxy: FaultyProxy, before: Callable[[int, str], str | None]
    ) -> None:
        self.steps: list[str] = []
        self._before = before
        self.store = Steps(place.store, self._note)
        self.warehouse = place.proxied
        proxy.count_anew(lambda n: self._note(proxy.requests[n - 1]))

    def _note(self, name: str) -> str | None:
        self.steps.append(name)
        return self._before(len(self.steps) - 1, name)


def count_steps(place: Place, proxy: FaultyProxy) -> list[str]:
    """The steps of a release over an earlier one."""
    place.make("before it is counted")
    place.stage("counted")
    stepped = Stepped(place, proxy, lambda _n, _name: None)
    place.release("counted", store=stepped.store, warehouse=stepped.warehouse)
    proxy.count_anew()
    assert len(stepped.steps) > 30
    return stepped.steps


def release_by_steps(place: Place, content: str, by_steps: Stepped) -> Committed:
    return place.release(content, current=False, store=by_steps.store, warehouse=by_steps.warehouse)


def roll_back_by_steps(release: str, by_steps: Stepped) -> Pointer:
    return roll_back(cast("ObjectStore", by_steps.store), release, by_steps.warehouse)


# One run


def test_release_is_in_the_store_and_in_the_dataset(place: Place) -> None:
    made = place.make("one")
    assert made.is_new
    assert place.require_agreement() == "one"
    place.make("two")
    assert place.require_agreement() == "two"
    place.require_nothing_left()


def test_only_tables_that_changed_are_loaded(place: Place, proxy: FaultyProxy) -> None:
    place.make("one")

    def uploads() -> int:
        return sum(request.startswith("POST /upload/") for request in proxy.requests)

    place.stage("two", top_journal="one")
    proxy.count_anew()
    assert place.release("two", warehouse=place.proxied).is_new
    assert uploads() == 1, "the rows of top_journal are those of before"
    place.stage("two", top_journal="one")
    proxy.count_anew()
    assert not place.release("two", warehouse=place.proxied).is_new
    assert (uploads(), {request.split()[0] for request in proxy.requests}) == (0, {"GET"})


def test_run_with_the_same_outputs_brings_back_what_the_dataset_lost(place: Place) -> None:
    place.make("one")
    place.client.delete_table(place.direct.dataset.name("top_journal"))
    assert place.make("one").is_new
    assert place.require_agreement() == "one"


# Two runs at once


class Race:
    """Two changes of a store: the first stops before a step until the other has ended, or waits."""

    def __init__(
        self,
        place: Place,
        proxy: FaultyProxy,
        stop: int,
        first: Callable[[Stepped], object],
        other: Callable[[], object],
    ) -> None:
        self.ended: dict[str, Any] = {}
        self._place = place
        self._stop = stop
        self._second = threading.Thread(target=self._run, args=("second", other))
        self._first = Stepped(place, proxy, self._before)
        self._run("first", partial(first, self._first))
        self._second.join()
        proxy.count_anew()

    def _before(self, step: int, _: str) -> None:
        if step < self._stop:
            return
        if step == self._stop:
            self._second.start()
        if not self._first.store.locked:  # else the other waits until this one has ended
            self._second.join()
        self._place.look()

    def _run(self, run: str, release: Callable[[], object]) -> None:
        try:
            self.ended[run] = release()
        except (LostRaceError, RollbackError, ConflictError) as error:
            self.ended[run] = error


@pytest.mark.slow
def test_two_releases_at_once_never_mix_wherever_one_is_stopped(
    place: Place, proxy: FaultyProxy
) -> None:
    """One run stops before a step until the other has ended, or waits for it.

    A query before each later step sees tables of one release, and the store has it.
    """
    outcomes: set[str] = set()
    for stop in sample(count_steps(place, proxy)):
        place.make(f"old {stop}")
        for run in ("first", "second"):
            place.stage(f"{run} {stop}")
        first = partial(release_by_steps, place, f"first {stop}")
        second = partial(place.release, f"second {stop}", current=False)
        race = Race(place, proxy, stop, first, second)
        won = {run for run, end in race.ended.items() if isinstance(end, Committed)}
        lost = {run for run, end in race.ended.items() if isinstance(end, LostRaceError)}
        assert len(won) == len(lost) == 1, f"stopped before step {stop}: {race.ended}"
        assert place.require_agreement() in {f"{run} {stop}" for run in won}, stop
        contents = {content_of(found) for found in list_releases(place.store)}
        assert not {f"{run} {stop}" for run in lost} & contents, "nothing of the loser is visible"
        place.require_nothing_left()
        outcomes |= won
        staging.discard(place.store, f"{lost.pop()} {stop}")
    assert outcomes == {"first", "second"}


@pytest.mark.slow
@pytest.mark.parametrize("stopped", ["release", "rollback"])
def test_rollback_and_release_at_once_leave_the_pointer_and_the_dataset_agreed(
    place: Place, proxy: FaultyProxy, stopped: str
) -> None:
    steps = count_steps(place, proxy)
    if stopped == "rollback":
        to = list_releases(place.store)[-1].id
        by_steps = Stepped(place, proxy, lambda _n, _name: None)
        roll_back_by_steps(to, by_steps)
        steps = by_steps.steps
    ends = set()
    for stop in sample(steps):
        proxy.count_anew()
        older = place.make(f"older {stop}").release
        place.make(f"old {stop}")
        place.stage(f"new {stop}")
        if stopped == "release":
            first: Callable[[Stepped], object] = partial(release_by_steps, place, f"new {stop}")
            second: Callable[[], object] = partial(roll_back, place.store, older, place.direct)
        else:
            first = partial(roll_back_by_steps, older)
            second = partial(place.release, f"new {stop}", current=False)
        race = Race(place, proxy, stop, first, second)
        done = {type(end) for end in race.ended.values() if not isinstance(end, Exception)}
        found = place.require_agreement()
        # If both were done, the rollback came last: a run that it overtakes releases nothing.
        assert found == (f"older {stop}" if Pointer in done else f"new {stop}"), (stop, race.ended)
        place.require_nothing_left()
        ends.add(len(done))
        staging.discard(place.store, f"new {stop}")
        assert place.make(f"next {stop}").is_new
        assert place.require_agreement() == f"next {stop}"
    assert ends == {1, 2}


def test_rollback_between_the_transaction_and_the_pointer_of_a_release_is_followed_by_it(
    place: Place,
) -> None:
    """What is published is released: else the dataset would hold what no pointer can name."""
    older, old = place.make("older"), place.make("old")
    place.stage("new")
    pointer = place.store.pointer()
    assert pointer is not None
    publish(place.direct, Release(place.store, older.release), pointer)
    back = Pointer(older.release, old.release, pointer.releases)

    def roll_back_before(step: str) -> None:
        if step == "swap_pointer" and place.store.pointer() == pointer:
            assert place.store.swap_pointer(pointer, back)

    store: Any = Steps(place.store, roll_back_before)
    assert place.release("new", store=store, current=False).is_new
    assert place.require_agreement() == "new"
    assert [content_of(found) for found in list_releases(place.store)] == ["new", "old", "older"]


# Runs that end in the middle


def dying(stop: int) -> Callable[[int, str], str | None]:
    """Nothing passes after a step; every other one is itself carried out, if it is a request."""
    last = "503" if stop % 2 else "answer lost"

    def before(step: int, name: str) -> str | None:
        if step < stop:
            return None
        if "/" not in name:
            raise Killed
        return last if step == stop else "503"

    return before


@pytest.mark.slow
@pytest.mark.usefixtures("few_tries")
def test_run_that_is_killed_anywhere_leaves_old_or_new_and_the_next_one_agrees(
    place: Place, proxy: FaultyProxy
) -> None:
    completed = set()
    for stop in sample(count_steps(place, proxy)):
        place.make("old")
        place.stage(f"killed {stop}")
        stepped = Stepped(place, proxy, dying(stop))
        with pytest.raises((Killed, StorageError)):
            place.release(f"killed {stop}", store=stepped.store, warehouse=stepped.warehouse)
        proxy.count_anew()
        shown = place.look()
        assert shown in {"old", f"killed {stop}"}, stop
        assert seen(place.store) in {"old", shown}, stop
        told = prepare_store(place.store, (), place.direct)
        assert place.require_agreement() == shown, stop
        ahead = [each for each in told if "which was published already" in each]
        completed.add(len(ahead))
        assert place.make(f"next {stop}").is_new
        assert place.require_agreement() == f"next {stop}"
        place.forget_unlisted()
        staging.discard(place.store, f"killed {stop}")
    assert completed == {0, 1}


def test_commit_itself_completes_the_pointer_of_a_killed_run(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The killed run came after this one began: what it released is not lost."""
    place.make("old")
    place.stage("slow")
    place.stage("killed")

    def kill(_: str) -> None:
        raise Killed

    with monkeypatch.context() as patched:
        patched.setattr(type(place.store), "swap_pointer", lambda *_: kill(""))
        with pytest.raises(Killed):
            place.release("killed")
    assert (seen(place.store), place.look()) == ("old", "killed")
    with pytest.raises(LostRaceError, match="nothing of it was released"):
        place.release("slow", current=False)
    assert place.require_agreement() == "killed"
    assert [content_of(found) for found in list_releases(place.store)] == ["killed", "old"]


@pytest.mark.slow
@pytest.mark.usefixtures("few_tries")
def test_outage_of_bigquery_from_any_request_on_fails_in_words_and_leaves_old_or_new(
    place: Place, proxy: FaultyProxy
) -> None:
    place.make("old")
    proxy.count_anew()
    place.make("counted", warehouse=place.proxied)
    views = set()
    counted = range(len(proxy.requests))
    drawn = random.Random(SEED).sample(counted, min(SAMPLED * 2, len(counted)))  # noqa: S311
    for nth in sorted({*drawn, *counted[-3:]}):
        fault = ("503", "403", "reset")[nth % 3]
        proxy.count_anew()
        held = place.make(f"old {nth}")
        new = f"new {nth}"
        proxy.count_anew(lambda n, nth=nth, fault=fault: fault if n > nth else None)  # type: ignore[misc]
        try:
            # After the pointer is set, only tables aside are removed, which vanish by themselves.
            place.make(new, warehouse=place.proxied)
            told = ""
        except StorageError as error:
            told = str(error)
        failed = bool(told)
        assert not failed or "cannot be reached" in told or "may not be" in told, told
        proxy.count_anew()
        shown = place.look()
        assert shown in {f"old {nth}", new}
        assert seen(place.store) in {f"old {nth}", shown}
        assert failed or seen(place.store) == new
        views.add((failed, shown == new, seen(place.store) == new))
        assert held.release in {found.id for found in list_releases(place.store)}
        prepare_store(place.store, (), place.direct)
        assert place.require_agreement() == shown
        assert place.make(f"next {nth}").is_new
        assert place.require_agreement() == f"next {nth}"
        place.forget_unlisted()
        staging.discard(place.store, new)
    assert (True, False, False) in views
    assert views & {(True, True, False), (False, True, True)}


# Going back


def test_rollback_and_resume_publish_their_release(place: Place) -> None:
    one, two = place.make("one"), place.make("two")
    assert roll_back(place.store, one.release, place.direct).left == two.release
    assert place.require_agreement() == "one"
    assert end_rollback(place.store, place.direct) == Pointer(two.release)
    assert place.require_agreement() == "two"
    roll_back(place.store, one.release, place.direct)
    assert place.make("three").is_new
    assert place.require_agreement() == "three"


@pytest.mark.slow
@pytest.mark.usefixtures("few_tries")
@pytest.mark.parametrize("resumed", [False, True])
def test_rollback_that_is_cut_off_anywhere_is_put_right_by_the_next_run(
    place: Place, proxy: FaultyProxy, *, resumed: bool
) -> None:
    def go_back(stepped: Stepped, release: str) -> None:
        if resumed:
            end_rollback(cast("ObjectStore", stepped.store), stepped.warehouse)
        else:
            roll_back_by_steps(release, stepped)

    one = place.make("one")
    place.make("two")
    if resumed:
        roll_back(place.store, one.release, place.direct)
    stepped = Stepped(place, proxy, lambda _n, _name: None)
    go_back(stepped, one.release)
    ahead = set()
    assert len(stepped.steps) > 15
    for stop in sample(stepped.steps):
        proxy.count_anew()
        older = place.make(f"older {stop}")
        place.make(f"old {stop}")
        if resumed:
            roll_back(place.store, older.release, place.direct)
        held = seen(place.store)
        stepped = Stepped(place, proxy, dying(stop))
        with pytest.raises((Killed, StorageError)):
            go_back(stepped, older.release)
        proxy.count_anew()
        shown = place.look()
        assert {shown, held} <= {f"older {stop}", f"old {stop}"}
        assert seen(place.store) == held, "the pointer is set last"
        ahead.add(shown != held)
        assert place.make(f"next {stop}").is_new
        assert place.require_agreement() == f"next {stop}"
    assert ahead == {False, True}


def test_rollback_after_a_killed_run_goes_back_from_what_it_published(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = place.make("old")
    place.stage("killed")

    def kill(*_: object) -> None:
        raise Killed

    with monkeypatch.context() as patched:
        patched.setattr(type(place.store), "swap_pointer", kill)
        with pytest.raises(Killed):
            place.release("killed")
    pointer = roll_back(place.store, old.release, place.direct)
    assert content_of(Release(place.store, str(pointer.left))) == "killed"
    assert place.require_agreement() == "old"


def test_rollback_that_loses_to_another_one_leaves_the_dataset_as_the_pointer_says(
    place: Place,
) -> None:
    first, second, newest = (place.make(content) for content in ("first", "second", "newest"))
    pointer = place.store.pointer()
    assert pointer is not None
    # The other one published before, and points now.
    publish(place.direct, Release(place.store, second.release), pointer)
    other = Pointer(second.release, newest.release, pointer.releases)

    def point_before(step: str) -> None:
        if step == "swap_pointer" and place.store.pointer() == pointer:
            assert place.store.swap_pointer(pointer, other)

    store: Any = Steps(place.store, point_before)
    with pytest.raises(RollbackError, match="at the same time"):
        roll_back(store, first.release, place.direct)
    assert place.require_agreement() == "second"


def test_release_without_all_tables_is_not_published(place: Place) -> None:
    """An earlier version left one: the dataset would keep that table of another release."""
    releasing.stage(place.store, "one", "one", {"top_journal": tables_of("one")["top_journal"]})
    first = place.release("one", warehouse=None)
    place.make("two")
    with pytest.raises(StorageError, match=r"holds no journal_drugs.*Choose another release"):
        roll_back(place.store, first.release, place.direct)
    assert place.require_agreement() == "two"


# Stores and datasets that do not belong together


def test_store_that_publishes_now_and_then_stays_one_with_its_dataset(place: Place) -> None:
    """DRUG_ASSETS_ENV is `local`, `bigquery`, and back again, twice."""
    for turn in range(2):
        place.make(f"local {turn}", warehouse=None)
        place.make(f"published {turn}")
        assert place.require_agreement() == f"published {turn}"
        place.make(f"unpublished {turn}", warehouse=None)
        assert place.look() == f"published {turn}", "the dataset stays as it is"
    # What is current was not published yet, though nothing else changed.
    assert place.make("unpublished 1").is_new
    assert place.require_agreement() == "unpublished 1"


def test_store_that_forgot_what_it_published_says_what_to_do(place: Place) -> None:
    place.make("published")
    for turn in range(3):
        place.make(f"unpublished {turn}", warehouse=None, keep=3)
    with pytest.raises(ConflictError, match=r"remove its table releases"):
        place.make("next")
    assert seen(place.store) == "unpublished 2"
    place.client.delete_table(place.direct.dataset.name("releases"))
    assert place.make("next").is_new
    assert place.require_agreement() == "next"


def test_two_stores_that_publish_to_one_dataset_are_told(
    place: Place, new_store: Callable[[], ObjectStore]
) -> None:
    place.make("one")
    other = new_store()

    def publish_other(content: str) -> Committed:
        releasing.stage(other, content, content, tables_of(content))
        return releasing.release(other, content, content, warehouse=place.direct)

    for attempt in range(2):
        with pytest.raises(
            ConflictError, match=r"another store publishes there: name another dataset"
        ):
            publish_other(f"other {attempt}")
        assert other.pointer() is None
        assert place.require_agreement() == "one"
    assert other.objects("releases/") == [], "nothing is left of what was refused"
    # Their releases have nothing in common later either.
    releasing.stage(other, "own", "own", tables_of("own"))
    releasing.release(other, "own", "own")
    with pytest.raises(ConflictError, match=r"holds release .* but this run began from"):
        publish_other("other")
    assert seen(other) == "own"
    assert place.require_agreement() == "one"
    assert place.make("two").is_new


# Whether anything changed


def test_dataset_that_is_not_as_published_means_a_run(place: Place, tmp_path: Path) -> None:
    zone = LocalFolder(tmp_path / "zone")
    write_text(zone, "pubmed.csv", "id,title\n")
    fingerprint = compute_fingerprint(ContentIds.of(zone, place.store))
    name = place.direct.dataset.name

    def unchanged() -> bool:
        return is_unchanged_since_release(zone, place.store, RULES, place.direct)

    place.make("earlier")
    assert not unchanged()
    place.make(fingerprint)
    assert unchanged()

    place.client.delete_table(name("top_journal"))
    assert not unchanged(), "a table was dropped"
    place.make(fingerprint)
    assert unchanged()

    delete = f"DELETE FROM `{name('journal_drugs')}` WHERE journal_id = 'text 0'"  # noqa: S608
    place.client.query(f"BEGIN TRANSACTION; {delete}; COMMIT TRANSACTION;").result(timeout=600)
    assert not unchanged(), "a table has fewer rows"
    place.make(fingerprint)
    assert unchanged()

    place.make("unpublished", warehouse=None)
    made = place.make(fingerprint, warehouse=None)
    assert not unchanged(), "the dataset holds an earlier release"
    assert is_unchanged_since_release(zone, place.store, RULES)
    place.make(fingerprint)
    assert unchanged()
    assert place.require_agreement() == fingerprint

    roll_back(place.store, made.release, place.direct)
    assert unchanged(), "a run would make the release again that was left"
