"""A release becomes current in BigQuery with all its tables, or not at all."""

from __future__ import annotations

from contextlib import closing
from functools import partial
from itertools import count
from typing import TYPE_CHECKING, NamedTuple

import pytest
from google.api_core import exceptions as api
from google.cloud import bigquery

from drug_assets.sources.tables import TABLES
from drug_assets.storage.google import dataset as datasets
from drug_assets.storage.google import jobs, layout, tables
from drug_assets.storage.google.dataset import Dataset
from drug_assets.storage.google.publication import (
    NotedTable,
    PublishedTable,
    write_publication,
    write_rows,
)
from drug_assets.storage.google.table_schema import declare_table
from drug_assets.storage.objects import ConflictError, StorageError
from drug_assets_tests.storage.test_bigquery import undescribed
from drug_assets_tests.support import clouds
from drug_assets_tests.support.faulty_proxy import PASSING_FAULTS, FaultyProxy, faulty_proxy
from drug_assets_tests.support.published import (
    PUBLISHED,
    parquet,
    publish_table,
    published,
    read_table,
    rows_of,
    top_journal,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from drug_assets_tests.support.emulators import BigQueryEmulator

    Releases = dict[str, dict[str, PublishedTable]]

pytestmark = pytest.mark.xdist_group("clouds")

#: Rows of the two tables, by release: what one query sees must be one of these.
ROWS = {"r1": (1, 1), "r2": (2, 2), "r3": (1, 3)}

OPEN = "(SELECT MAX(release_id) FROM `p.d.releases` WHERE replaced_at IS NULL)"
ADD = "INSERT INTO `p.d.releases` (release_id, released_at, tables)"


class Place(NamedTuple):
    """A dataset that holds release r1, reached directly and through the proxy."""

    direct: Dataset
    proxied: Dataset
    name: str


@pytest.fixture(scope="module")
def proxy(bigquery_emulator: BigQueryEmulator) -> Iterator[FaultyProxy]:
    with faulty_proxy(bigquery_emulator.url) as proxy:
        yield proxy


@pytest.fixture(scope="module")
def client(bigquery_emulator: BigQueryEmulator) -> Iterator[bigquery.Client]:
    """A client of the service, to look at tables with."""
    with closing(bigquery_emulator.client()) as client:
        yield client


@pytest.fixture(autouse=True)
def no_waits(monkeypatch: pytest.MonkeyPatch, proxy: FaultyProxy) -> None:
    clouds.wait_for_nothing(monkeypatch)
    clouds.reach(monkeypatch, bigquery=proxy.url)
    proxy.count_anew()


@pytest.fixture
def few_tries(monkeypatch: pytest.MonkeyPatch) -> None:
    """An outage at each of many calls is given up after a few tries, not after some twenty."""
    for module in (datasets, jobs, layout, tables):
        monkeypatch.setattr(module, "RETRY", module.RETRY.with_timeout(2.0))


@pytest.fixture(scope="module")
def releases(tmp_path_factory: pytest.TempPathFactory) -> Releases:
    """The tables of each release: r2 changes both of r1's, r3 only one of them."""
    return {
        release: {
            "top_journal": published(parquet(tmp_path_factory.mktemp(release), top_journal(first))),
            "journal_drugs": published(
                parquet(tmp_path_factory.mktemp(release), rows_of("journal_drugs", second))
            ),
        }
        for release, (first, second) in ROWS.items()
    }


@pytest.fixture
def make_place(
    bigquery_emulator: BigQueryEmulator,
    client: bigquery.Client,
    proxy: FaultyProxy,
    releases: Releases,
) -> Callable[[], Place]:
    def make() -> Place:
        proxy.count_anew()
        name = clouds.new_dataset()
        direct = Dataset(client, bigquery_emulator.project, name)
        assert direct.publish("r1", None, releases["r1"]) == ["top_journal", "journal_drugs"]
        return Place(direct, Dataset.at(bigquery_emulator.project, name), name)

    return make


def look(client: bigquery.Client, dataset: Dataset) -> tuple[str, int, int]:
    """What one query sees: the release, and the rows of both tables."""
    query = (
        f"SELECT (SELECT MAX(release_id) FROM `{dataset.name('releases')}` "  # noqa: S608
        f"WHERE replaced_at IS NULL) AS r, "
        f"(SELECT COUNT(*) FROM `{dataset.name('top_journal')}`) AS t, "
        f"(SELECT COUNT(*) FROM `{dataset.name('journal_drugs')}`) AS j"
    )
    (row,) = client.query(query).result(timeout=600)
    return row["r"], row["t"], row["j"]


def is_whole(seen: tuple[str, int, int]) -> bool:
    """Whether both tables are of the release that `releases` says."""
    return ROWS[seen[0]] == seen[1:]


def names(client: bigquery.Client, dataset: str) -> set[str]:
    return {table.table_id for table in client.list_tables(dataset)}


def test_a_first_release_makes_all_tables_as_declared(
    bigquery_emulator: BigQueryEmulator, client: bigquery.Client, tmp_path: Path
) -> None:
    dataset = Dataset.at(bigquery_emulator.project, clouds.new_dataset())
    assert dataset.current_release() is None
    assert dataset.altered_tables() == []
    made = {}
    for table in PUBLISHED:
        made[table] = published(parquet(tmp_path, TABLES[table].contract.create_empty()))
    assert dataset.publish("r1", None, made) == PUBLISHED
    assert dataset.current_release() == "r1"
    assert dataset.altered_tables() == []
    dataset_id = dataset.name("x").split(".")[1]
    assert names(client, dataset_id) == {*PUBLISHED, "releases"}, "no table aside is left"
    for table in PUBLISHED:
        found, declared = client.get_table(dataset.name(table)), declare_table(table)
        assert layout.is_laid_out(found, declared)
        assert found.description == declared["description"]
        assert found.labels == tables.LABELS
        assert undescribed(found.schema) == []
    mentions = client.get_table(dataset.name("mentions"))
    assert (mentions.time_partitioning.type_, mentions.time_partitioning.field) == ("YEAR", "date")
    assert undescribed(client.get_table(dataset.name("releases")).schema) == []


def test_only_what_changed_is_replaced_and_history_is_kept(
    client: bigquery.Client,
    make_place: Callable[[], Place],
    releases: Releases,
    proxy: FaultyProxy,
) -> None:
    place = make_place()
    before = client.get_table(place.direct.name("top_journal"))
    assert place.proxied.publish("r3", "r1", releases["r3"]) == ["journal_drugs"]
    assert sum(request.startswith("POST /upload/") for request in proxy.requests) == 1
    after = client.get_table(place.direct.name("top_journal"))
    assert (after.etag, after.modified) == (before.etag, before.modified)
    assert is_whole(look(client, place.direct))
    history = sorted(
        (dict(row.items()) for row in client.list_rows(place.direct.name("releases"))),
        key=lambda row: str(row["release_id"]),
    )
    assert [row["release_id"] for row in history] == ["", "r1", "r3"]
    assert [row["replaced_at"] is None for row in history] == [False, False, True]
    assert history[2]["tables"] == [
        {"name": name, "sha256": releases["r3"][name].sha256, "row_count": rows}
        for name, rows in zip(("top_journal", "journal_drugs"), ROWS["r3"], strict=True)
    ]


def test_publishing_the_current_release_again_does_nothing(
    make_place: Callable[[], Place],
    releases: Releases,
    proxy: FaultyProxy,
) -> None:
    place = make_place()
    assert place.proxied.publish("r1", None, releases["r1"]) == []
    assert {request.split()[0] for request in proxy.requests} == {"GET"}


def test_a_release_that_was_left_can_come_back(
    client: bigquery.Client,
    make_place: Callable[[], Place],
    releases: Releases,
) -> None:
    place = make_place()
    place.direct.publish("r2", "r1", releases["r2"])
    assert place.direct.publish("r1", "r2", releases["r1"]) == ["top_journal", "journal_drugs"]
    assert look(client, place.direct) == ("r1", 1, 1)


def test_another_base_is_a_conflict_with_nothing_visible(
    client: bigquery.Client,
    make_place: Callable[[], Place],
    releases: Releases,
    proxy: FaultyProxy,
) -> None:
    place = make_place()
    for base in (None, "r0"):
        proxy.count_anew()
        with pytest.raises(ConflictError, match=r"holds release r1.*run again.*`?releases"):
            place.proxied.publish("r2", base, releases["r2"])
        assert {request.split()[0] for request in proxy.requests} == {"GET"}
    assert look(client, place.direct) == ("r1", 1, 1)


@pytest.mark.parametrize("base", [None, "a release of the store"])
def test_tables_of_before_there_were_releases_are_taken_over(
    bigquery_emulator: BigQueryEmulator,
    client: bigquery.Client,
    tmp_path: Path,
    releases: Releases,
    base: str | None,
) -> None:
    dataset = Dataset.at(bigquery_emulator.project, clouds.new_dataset())
    dataset.publish("r0", None, {"top_journal": published(parquet(tmp_path, top_journal(7)))})
    client.delete_table(dataset.name("releases"))
    assert dataset.current_release() is None
    assert dataset.publish("r1", base, releases["r1"]) == ["top_journal", "journal_drugs"]
    assert look(client, dataset) == ("r1", 1, 1)


def test_what_was_altered_since_is_told_and_published_again(
    client: bigquery.Client,
    make_place: Callable[[], Place],
    releases: Releases,
) -> None:
    place = make_place()
    client.delete_table(place.direct.name("top_journal"))
    assert place.direct.altered_tables() == ["top_journal"]
    assert place.direct.publish("r2", "r1", {**releases["r1"]}) == ["top_journal"]
    emptied = place.direct.name("journal_drugs")
    client.query(f"BEGIN TRANSACTION; TRUNCATE TABLE `{emptied}`; COMMIT TRANSACTION;").result(
        timeout=600
    )
    assert place.direct.altered_tables() == ["journal_drugs"]
    assert place.direct.publish("r3", "r2", {**releases["r1"]}) == ["journal_drugs"]
    assert place.direct.altered_tables() == []
    assert look(client, place.direct) == ("r3", 1, 1)


@pytest.mark.parametrize("changes", ["r2", "r3"])
def test_two_publishers_that_interleave_at_any_request_lose_no_update(
    client: bigquery.Client,
    make_place: Callable[[], Place],
    releases: Releases,
    proxy: FaultyProxy,
    changes: str,
) -> None:
    """The first is held at a request while the second passes; exactly one of them publishes."""
    won = set()
    for nth in count(1):
        place = make_place()
        second: list[object] = []

        def pass_by(
            number: int, nth: int = nth, place: Place = place, second: list[object] = second
        ) -> None:
            if number == nth:
                second.append(outcome(partial(place.direct.publish, "r2", "r1", releases["r2"])))

        proxy.count_anew(pass_by)
        first = outcome(partial(place.proxied.publish, "first", "r1", releases[changes]))
        if not second:
            break
        lost = [isinstance(one, ConflictError) for one in (first, *second)]
        assert sorted(lost) == [False, True], (nth, first, second)
        expected = ("r2", *ROWS["r2"]) if lost[0] else ("first", *ROWS[changes])
        assert look(client, place.direct) == expected, nth
        assert names(client, place.name) == {"top_journal", "journal_drugs", "releases"}, nth
        won.add(expected[0])
    assert nth > 10
    assert won == {"r2", "first"}


def test_two_first_publishers_that_interleave_at_any_request_lose_no_update(
    bigquery_emulator: BigQueryEmulator,
    client: bigquery.Client,
    releases: Releases,
    proxy: FaultyProxy,
) -> None:
    """There is neither a dataset nor a row that the transactions could close."""
    won = set()
    for nth in count(1):
        proxy.count_anew()
        name = clouds.new_dataset()
        direct = Dataset(client, bigquery_emulator.project, name)
        proxied = Dataset.at(bigquery_emulator.project, name)
        second: list[object] = []

        def pass_by(
            number: int, nth: int = nth, direct: Dataset = direct, second: list[object] = second
        ) -> None:
            if number == nth:
                second.append(outcome(partial(direct.publish, "r2", None, releases["r2"])))

        proxy.count_anew(pass_by)
        first = outcome(partial(proxied.publish, "r1", None, releases["r1"]))
        if not second:
            break
        lost = [isinstance(one, ConflictError) for one in (first, *second)]
        assert sorted(lost) == [False, True], (nth, first, second)
        release = "r2" if lost[0] else "r1"
        assert look(client, direct) == (release, *ROWS[release]), nth
        won.add(release)
    assert nth > 15
    assert won == {"r1", "r2"}


def outcome(publish: Callable[[], list[str]]) -> list[str] | StorageError:
    try:
        return publish()
    except StorageError as error:
        return error


@pytest.mark.parametrize("fault", PASSING_FAULTS)
def test_a_fault_that_passes_at_any_request_is_overcome(
    client: bigquery.Client,
    make_place: Callable[[], Place],
    releases: Releases,
    proxy: FaultyProxy,
    fault: str,
) -> None:
    place = make_place()
    place.proxied.publish("r2/0", "r1", releases["r2"])
    calls = len(proxy.requests)
    assert calls > 12
    for nth in range(1, calls + 1):
        tables_of = "r1" if nth % 2 else "r2"
        release, base = f"{tables_of}/{nth}", f"{'r2' if nth % 2 else 'r1'}/{nth - 1}"
        proxy.count_anew(lambda n, nth=nth: fault if n == nth else None)  # type: ignore[misc]
        assert place.proxied.publish(release, base, releases[tables_of]) == [*releases["r1"]]
        assert look(client, place.direct) == (release, *ROWS[tables_of]), nth


@pytest.mark.usefixtures("few_tries")
@pytest.mark.parametrize("last", ["503", "answer lost"])
def test_what_ends_at_any_request_is_whole_and_the_next_run_publishes(
    client: bigquery.Client,
    make_place: Callable[[], Place],
    releases: Releases,
    proxy: FaultyProxy,
    last: str,
) -> None:
    """As if killed: nothing passes after a request, which itself may have been carried out."""
    place = make_place()
    place.proxied.publish("r2/0", "r1", releases["r2"])
    calls = len(proxy.requests)
    seen, base = set(), "r2/0"
    place.direct.publish("r1/0", base, releases["r1"])
    for nth in range(1, calls + 1):
        base = f"r1/{nth - 1}"
        proxy.count_anew(lambda n, nth=nth: None if n < nth else last if n == nth else "503")  # type: ignore[misc]
        ended = outcome(partial(place.proxied.publish, f"r2/{nth}", base, releases["r2"]))
        proxy.count_anew()
        release, *rows = look(client, place.direct)
        assert tuple(rows) == ROWS[release.partition("/")[0]], nth
        assert release == f"r2/{nth}" or isinstance(ended, StorageError), nth
        seen.add((release == base, isinstance(ended, StorageError)))
        # The next run: the pointer follows `releases`, so its base is what is current.
        again = place.direct.publish(f"r2/{nth}", base, releases["r2"])
        assert (again == []) == (release != base)
        assert look(client, place.direct) == (f"r2/{nth}", 2, 2), nth
        place.direct.publish(f"r1/{nth}", f"r2/{nth}", releases["r1"])
    # Failed before the transaction, after it (left-overs vanish by themselves), not at all.
    assert (True, True) in seen
    assert (False, False) in seen


def test_no_query_sees_two_releases(
    client: bigquery.Client,
    make_place: Callable[[], Place],
    releases: Releases,
    proxy: FaultyProxy,
) -> None:
    place, seen = make_place(), []
    proxy.count_anew(lambda _: seen.append(look(client, place.direct)))
    place.proxied.publish("r2", "r1", releases["r2"])
    assert set(seen) == {("r1", 1, 1), ("r2", 2, 2)}


def test_a_transaction_that_the_service_cancels_is_a_conflict(
    make_place: Callable[[], Place],
    releases: Releases,
    client: bigquery.Client,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The words are BigQuery's own; its emulator never cancels one."""
    place = make_place()

    def cancelled(*_: object) -> None:
        raise api.BadRequest(  # type: ignore[no-untyped-call]
            "Transaction is aborted due to concurrent update against table p:d.releases. "
            "Transaction ID: 61e30eea"
        )

    monkeypatch.setattr(jobs.Jobs, "query", cancelled)
    with pytest.raises(ConflictError, match="run again"):
        place.direct.publish("r2", "r1", releases["r2"])
    assert look(client, place.direct) == ("r1", 1, 1)
    assert names(client, place.name) == {"top_journal", "journal_drugs", "releases"}


def test_each_transaction_mutates_the_row_that_it_read() -> None:
    """BigQuery lets two transactions that only append to a table both commit."""
    written = write_publication(
        "p.d.releases",
        "r2",
        "r1",
        {"p.d.drugs": ("p.d.aside", ["drug_id", "names"])},
        {"drugs": NotedTable("it's", 3)},
    )
    said = "'drug-assets: another release became current'"
    noted = "ARRAY<STRUCT<name STRING, sha256 STRING, row_count INT64>>[('drugs', 'it\\'s', 3)]"
    assert written.split(";\n") == [
        "BEGIN TRANSACTION",
        f"IF IFNULL({OPEN}, '') != 'r1' THEN SELECT ERROR({said}); END IF",
        "UPDATE `p.d.releases` SET replaced_at = CURRENT_TIMESTAMP() WHERE replaced_at IS NULL",
        f"{ADD} VALUES ('r2', CURRENT_TIMESTAMP(), {noted})",
        "TRUNCATE TABLE `p.d.drugs`",
        "INSERT INTO `p.d.drugs` (`drug_id`, `names`) SELECT `drug_id`, `names` FROM `p.d.aside`",
        "COMMIT TRANSACTION",
        "",
    ]


# Layouts of earlier versions


class Old(NamedTuple):
    """A dataset whose mentions have partitions by month, as earlier versions made them."""

    direct: Dataset
    proxied: Dataset
    table: str
    new: dict[str, PublishedTable]


@pytest.fixture
def make_old(
    bigquery_emulator: BigQueryEmulator,
    client: bigquery.Client,
    proxy: FaultyProxy,
    tmp_path: Path,
) -> Callable[..., Old]:
    def make(without: str = "") -> Old:
        proxy.count_anew()
        name = clouds.new_dataset()
        direct = Dataset(client, bigquery_emulator.project, name)
        (tmp_path / name).mkdir()
        publish_table(direct, "mentions", parquet(tmp_path / name, rows_of("mentions", 2)))
        client.delete_table(direct.name("releases"))
        old_name = direct.name("mentions")
        loaded = client.get_table(old_name)
        columns = [field for field in loaded.schema if field.name != without]
        aside = bigquery.Table(direct.name("aside"), schema=columns)
        aside.time_partitioning = bigquery.TimePartitioning(type_="MONTH", field="date")
        aside.clustering_fields = loaded.clustering_fields
        client.create_table(aside)
        filled = write_rows(direct.name("aside"), old_name, [field.name for field in columns])
        client.query(f"BEGIN TRANSACTION; {filled}; COMMIT TRANSACTION;").result(timeout=600)
        client.delete_table(loaded)
        client.copy_table(aside.reference, loaded.reference).result(timeout=600)
        client.delete_table(aside)
        old = client.get_table(loaded.reference)
        old.labels = {"team": "literature"}
        client.update_table(old, ["labels"])
        assert (old.time_partitioning.type_, old.num_rows) == ("MONTH", 2)
        new = {"mentions": published(parquet(tmp_path / name, rows_of("mentions", 3)))}
        proxied = Dataset.at(bigquery_emulator.project, name)
        return Old(direct, proxied, direct.name("mentions"), new)

    return make


def count_rows(client: bigquery.Client, table: str) -> int | None:
    """The rows that a query sees; None where it fails, since there is no table."""
    try:
        (row,) = client.query(f"SELECT COUNT(*) AS n FROM `{table}`").result(timeout=600)  # noqa: S608
    except api.NotFound:
        return None
    return int(row["n"])


def test_a_table_of_another_layout_is_replaced_and_readers_see_its_rows(
    client: bigquery.Client, make_old: Callable[..., Old], proxy: FaultyProxy
) -> None:
    old, seen = make_old(), []
    proxy.count_anew(lambda _: seen.append(count_rows(client, old.table)))
    assert old.proxied.publish("r1", None, old.new) == ["mentions"]
    assert [n for i, n in enumerate(seen) if n != seen[i - 1] or not i] == [2, None, 2, 3]
    found = client.get_table(old.table)
    assert layout.is_laid_out(found, declare_table("mentions"))
    assert found.labels == {**tables.LABELS, "team": "literature"}
    assert found.description == declare_table("mentions")["description"]
    assert names(client, found.dataset_id) == {"mentions", "releases"}


@pytest.mark.parametrize(("without", "seen_meanwhile"), [("journal", {2, 3}), ("title", {2, 0, 3})])
def test_a_table_with_other_columns_keeps_the_rows_if_they_fit(
    client: bigquery.Client,
    make_old: Callable[..., Old],
    proxy: FaultyProxy,
    without: str,
    seen_meanwhile: set[int],
) -> None:
    """A new column that is never null has no value for the rows of before."""
    old, seen = make_old(without), []
    proxy.count_anew(lambda _: seen.append(count_rows(client, old.table)))
    assert old.proxied.publish("r1", None, old.new) == ["mentions"]
    assert set(seen) - {None} == seen_meanwhile
    assert read_table(old.direct, "mentions").height == 3


@pytest.mark.usefixtures("few_tries")
def test_a_swap_that_ends_at_any_request_is_mended_by_the_next_run(
    client: bigquery.Client,
    make_old: Callable[..., Old],
    proxy: FaultyProxy,
) -> None:
    old = make_old()
    old.proxied.publish("r1", None, old.new)
    calls = len(proxy.requests)
    blocked = set()
    for nth in range(1, calls + 1):
        old = make_old()
        proxy.count_anew(lambda n, nth=nth: "503" if n >= nth else None)  # type: ignore[misc]
        ended = outcome(partial(old.proxied.publish, "r1", None, old.new))
        proxy.count_anew()
        seen = count_rows(client, old.table)
        assert seen in ((2, None, 3) if isinstance(ended, StorageError) else (3,)), nth
        again = outcome(partial(old.direct.publish, "r1", None, old.new))
        blocked.add(isinstance(again, ConflictError))
        if isinstance(again, ConflictError):
            assert layout.LOCK in str(again)
            # As the service does within an hour.
            client.delete_table(f"{old.table.rpartition('.')[0]}.{layout.LOCK}")
            old.direct.publish("r1", None, old.new)
        found = client.get_table(old.table)
        assert layout.is_laid_out(found, declare_table("mentions")), nth
        assert (found.num_rows, old.direct.current_release()) == (3, "r1"), nth
    assert blocked == {False, True}


def test_two_publishers_that_both_would_swap_bring_no_old_rows_back(
    client: bigquery.Client, make_old: Callable[..., Old], proxy: FaultyProxy
) -> None:
    for nth in count(1):
        old = make_old()
        second: list[object] = []

        def pass_by(
            number: int, nth: int = nth, old: Old = old, second: list[object] = second
        ) -> None:
            if number == nth:
                second.append(outcome(partial(old.direct.publish, "second", None, old.new)))

        proxy.count_anew(pass_by)
        first = outcome(partial(old.proxied.publish, "first", None, old.new))
        if not second:
            break
        lost = [isinstance(one, StorageError) for one in (first, *second)]
        assert sorted(lost) == [False, True], (nth, first, second)
        assert old.direct.current_release() == ("second" if lost[0] else "first"), nth
        assert count_rows(client, old.table) == 3, nth
        found = client.get_table(old.table)
        assert layout.is_laid_out(found, declare_table("mentions")), nth
    assert nth > 10
