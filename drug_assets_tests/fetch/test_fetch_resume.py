"""An interrupted pull resumes: at any point, any number of times, nothing lost, nothing twice."""

from __future__ import annotations

import datetime as dt
import json
import re
import signal
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from drug_assets.fetch import (
    FetchReport,
    FetchRequest,
    LedgerError,
    ServiceUnavailable,
    fetch,
)
from drug_assets_tests.support.loopback_services import (
    PATIENCE,
    Fault,
    Killed,
    LocalDestination,
    MortalDestination,
    PatientClock,
    PubMed,
    Reply,
    Trials,
    landed,
    landed_ids,
)
from drug_assets_tests.support.registry import CLINICAL_TRIALS_GOV, PUBMED_SERVICE

if TYPE_CHECKING:
    from drug_assets.fetch import Destination

SOURCES: dict[str, type[Trials | PubMed]] = {"clinical_trials": Trials, "pubmed": PubMed}
#: Writes of a pull of 4 pages: request, plan (PubMed), file and record of each page, provenance.
WRITES = {"clinical_trials": 1 + 8 + 1, "pubmed": 2 + 8 + 1}


def pull(
    service: Trials | PubMed, destination: Destination, page_size: int = 2, query: str = "a"
) -> FetchReport:
    asked = CLINICAL_TRIALS_GOV if isinstance(service, Trials) else PUBMED_SERVICE
    service.clock.slept.append(1)  # since the pull before
    return fetch(
        FetchRequest(service=asked, query=query, page_size=page_size),
        destination,
        base_url=service.url,
        patience=PATIENCE,
        clock=service.clock,
    )


def all_ids(service: Trials | PubMed) -> set[str]:
    if isinstance(service, Trials):
        return set(service.studies)
    return {article.pmid for article in service.articles}


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize(
    ("source", "write"), [(source, n + 1) for source, count in WRITES.items() for n in range(count)]
)
def test_a_pull_that_dies_at_any_write_ends_as_if_it_had_not(
    tmp_path: Path, source: str, write: int, after: bool
) -> None:
    with SOURCES[source](7) as service:
        straight = pull(service, LocalDestination(tmp_path / "straight"))
        asked = len(service.asked)
        mortal = MortalDestination(tmp_path / "mortal", write, after=after)
        with pytest.raises(Killed):
            pull(service, mortal)
        resumed = pull(service, LocalDestination(tmp_path / "mortal"))
        assert landed(tmp_path / "mortal") == landed(tmp_path / "straight")
        assert set(landed_ids(tmp_path / "mortal").values()) == {1}
        assert set(landed_ids(tmp_path / "mortal")) == all_ids(service)
        assert resumed.files == straight.files
        assert resumed.records == 7
        assert resumed.pages_fetched + resumed.pages_resumed == 4
        # at most the request whose answer was lost is sent again
        assert len(service.asked) - asked <= asked + 1


@pytest.mark.slow
@settings(max_examples=30, deadline=None)
@given(
    source=st.sampled_from(sorted(SOURCES)),
    count=st.integers(0, 9),
    page_size=st.integers(1, 4),
    deaths=st.lists(st.tuples(st.integers(1, 8), st.booleans()), max_size=4),
    faults=st.dictionaries(
        st.integers(1, 20),
        st.sampled_from([Fault(Reply(500, b"")), Fault(half=True), Fault(hang_up=True)]),
        max_size=3,
    ),
)
def test_any_deaths_and_faults_leave_every_record_once(
    source: str,
    count: int,
    page_size: int,
    deaths: list[tuple[int, bool]],
    faults: dict[int, Fault],
) -> None:
    with tempfile.TemporaryDirectory() as name, SOURCES[source](count) as service:
        folder = Path(name)
        service.faults = faults
        for write, after in deaths:
            try:
                pull(service, MortalDestination(folder, write, after=after), page_size)
            except Killed:
                continue
        report = pull(service, LocalDestination(folder), page_size)
        ids = landed_ids(folder)
        assert set(ids) == all_ids(service)
        assert sum(ids.values()) == count == report.records
        assert sorted(landed(folder)) == sorted(report.files)
        assert len(report.files) == -(-count // page_size)


@pytest.mark.processes
@pytest.mark.parametrize("source", SOURCES)
def test_a_killed_process_resumes(tmp_path: Path, source: str) -> None:
    script = (
        "import datetime, sys; from drug_assets.fetch import *;"
        f"from drug_assets.fetch.{source} import SERVICE;"
        "from drug_assets.storage.destination import landing_destination;"
        "day = datetime.date(2026, 3, 10);"
        "fetch(FetchRequest(service=SERVICE, query='a', page_size=2, as_of=day),"
        " landing_destination(sys.argv[1]), base_url=sys.argv[2])"
    )
    with SOURCES[source](7) as service:
        service.faults[3] = Fault(silent=True)
        command = [sys.executable, "-c", script, str(tmp_path), service.url]
        with subprocess.Popen(command) as process:
            assert service.silent.wait(300)
            process.send_signal(signal.SIGKILL)
        assert process.returncode == -signal.SIGKILL
        before = landed(tmp_path)
        assert before
        report = pull(service, LocalDestination(tmp_path))
        assert report.resumed
        assert landed(tmp_path).items() >= before.items()
        assert set(landed_ids(tmp_path)) == all_ids(service)
        assert set(landed_ids(tmp_path).values()) == {1}


@pytest.mark.parametrize("source", SOURCES)
def test_a_service_down_for_hours_costs_no_landed_page(tmp_path: Path, source: str) -> None:
    with SOURCES[source](7) as service:
        service.faults = {n: Fault(Reply(503, b"")) for n in range(4, 8)}
        with pytest.raises(ServiceUnavailable):
            pull(service, LocalDestination(tmp_path))
        before = landed_ids(tmp_path)
        assert before
        report = pull(service, LocalDestination(tmp_path))
        assert report.pages_resumed == len(before) // 2
        assert set(landed_ids(tmp_path)) == all_ids(service)


@pytest.mark.parametrize("source", SOURCES)
def test_a_finished_pull_asks_nothing_again(tmp_path: Path, source: str) -> None:
    with SOURCES[source](7) as service:
        first = pull(service, LocalDestination(tmp_path))
        asked, files = len(service.asked), landed(tmp_path)
        again = pull(service, LocalDestination(tmp_path))
        assert len(service.asked) == asked
    assert landed(tmp_path) == files
    assert (again.files, again.records) == (first.files, first.records)
    assert (first.pages_fetched, first.pages_resumed, first.resumed) == (4, 0, False)
    assert (again.pages_fetched, again.pages_resumed, again.resumed) == (0, 4, True)
    assert again.requests == 0


@pytest.mark.parametrize("source", SOURCES)
def test_a_page_taken_away_is_fetched_again_alone(tmp_path: Path, source: str) -> None:
    with SOURCES[source](7) as service:
        report = pull(service, LocalDestination(tmp_path))
        files, asked = landed(tmp_path), len(service.asked)
        (tmp_path / report.files[1]).unlink()
        again = pull(service, LocalDestination(tmp_path))
        assert len(service.asked) == asked + 1
    assert landed(tmp_path) == files
    assert (again.pages_fetched, again.pages_resumed) == (1, 3)


@pytest.mark.parametrize("source", SOURCES)
def test_the_same_records_fetched_anew_give_the_same_bytes(tmp_path: Path, source: str) -> None:
    with SOURCES[source](5, PatientClock()) as service:
        pull(service, LocalDestination(tmp_path / "one"))
        service.clock.slept.append(300)  # later the same day
        pull(service, LocalDestination(tmp_path / "two"))
    assert landed(tmp_path / "one") == landed(tmp_path / "two")


@pytest.mark.parametrize("source", SOURCES)
def test_a_pull_interrupted_before_midnight_keeps_its_date(tmp_path: Path, source: str) -> None:
    with SOURCES[source](7, PatientClock("2026-03-10T23:59:50+00:00")) as service:
        with pytest.raises(Killed):
            pull(service, MortalDestination(tmp_path, 5, after=True))
        service.clock.slept.append(3600)
        report = pull(service, LocalDestination(tmp_path))
        assert report.as_of == dt.date(2026, 3, 10)
        names = landed(tmp_path)
        assert len(names) == 4
        assert all("_2026-03-10_" in name for name in names)
        next_day = pull(service, LocalDestination(tmp_path))
        assert next_day.as_of == dt.date(2026, 3, 11)
        assert next_day.pages_fetched == 4


def test_a_pull_given_up_long_ago_is_left_alone(tmp_path: Path) -> None:
    with Trials(7) as service:
        with pytest.raises(Killed):
            pull(service, MortalDestination(tmp_path, 5, after=True))
        service.clock.slept.append(8 * 86400)
        report = pull(service, LocalDestination(tmp_path))
    assert (report.as_of, report.pages_resumed) == (dt.date(2026, 3, 18), 0)


@pytest.mark.parametrize(("days", "resumed"), [(6, 2), (7, 2), (8, 0)])
def test_a_pull_is_resumed_within_a_week(tmp_path: Path, days: int, resumed: int) -> None:
    with Trials(7, PatientClock("2026-03-10T12:00:00+00:00")) as service:
        with pytest.raises(Killed):
            pull(service, MortalDestination(tmp_path, 5, after=True))
        service.clock.slept.append(days * 86400)
        assert pull(service, LocalDestination(tmp_path)).pages_resumed == resumed


def test_a_pull_of_a_day_to_come_is_left_alone(tmp_path: Path) -> None:
    with Trials(7, PatientClock("2026-03-12T12:00:00+00:00")) as later:
        with pytest.raises(Killed):
            pull(later, MortalDestination(tmp_path, 5, after=True))
        later.clock.start -= dt.timedelta(days=1)
        report = pull(later, LocalDestination(tmp_path))
    assert (report.as_of, report.pages_resumed) == (dt.date(2026, 3, 11), 0)


def test_the_latest_of_unfinished_pulls_is_resumed(tmp_path: Path) -> None:
    label = FetchRequest(service=CLINICAL_TRIALS_GOV, query="a", page_size=2).label
    place = LocalDestination(tmp_path)
    for day in ("2026-03-08", "2026-03-09", "2026-03-07"):
        place.write(f".fetch/clinical_trials_api_v2_{day}_{label}/request.json", b"{}")
    with Trials(3) as service:
        assert pull(service, place).as_of == dt.date(2026, 3, 9)


def test_a_resumed_pull_tells_when_it_was_started_first(tmp_path: Path) -> None:
    with Trials(7, PatientClock("2026-03-10T12:00:00+00:00")) as service:
        with pytest.raises(Killed):
            pull(service, MortalDestination(tmp_path, 5, after=True))
        service.clock.slept.append(3600)
        report = pull(service, LocalDestination(tmp_path))
    told = json.loads((tmp_path / report.provenance).read_bytes())
    assert told["started"] == "2026-03-10T12:00:01+00:00"
    assert re.fullmatch(r"2026-03-10T13:00:\d\d\+00:00", told["finished"])
    assert (report.pages_fetched, report.pages_resumed, told["pages"]) == (2, 2, 4)


@pytest.mark.parametrize("name", ["request.json", "plan.json", "provenance.json"])
@pytest.mark.parametrize("text", ["", "[]", "\x00"])
def test_a_damaged_file_of_the_record_is_named(tmp_path: Path, name: str, text: str) -> None:
    with PubMed(3) as service:
        report = pull(service, LocalDestination(tmp_path))
        record = (tmp_path / report.provenance).with_name(name)
        record.with_name("provenance.json").unlink()
        record.write_text(text)
        folder = record.parent.relative_to(tmp_path).as_posix()
        told = (
            rf"^{folder}/{name} is not what a fetch writes \(.*\)\. Remove {folder}/ and the files"
        )
        with pytest.raises(LedgerError, match=told):
            pull(service, LocalDestination(tmp_path))


def test_other_files_beside_the_record_of_pages_are_left_alone(tmp_path: Path) -> None:
    with Trials(3) as service:
        report = pull(service, LocalDestination(tmp_path))
        folder = (tmp_path / report.provenance).parent
        for name in ("page_1.json.bak", "page_x.json", "page_0003.txt"):
            (folder / name).write_text("not ours")
        assert pull(service, LocalDestination(tmp_path)).requests == 0


def test_a_folder_that_no_pull_made_is_left_alone(tmp_path: Path) -> None:
    request = FetchRequest(service=CLINICAL_TRIALS_GOV, query="a", page_size=2)
    place = LocalDestination(tmp_path)
    place.write(f".fetch/clinical_trials_api_v2_someday_{request.label}/request.json", b"{}")
    with Trials(3) as service:
        assert pull(service, place).as_of == dt.date(2026, 3, 10)


def test_another_query_resumes_nothing(tmp_path: Path) -> None:
    with Trials(7) as service:
        with pytest.raises(Killed):
            pull(service, MortalDestination(tmp_path, 5, after=True))
        assert pull(service, LocalDestination(tmp_path), query="b").pages_resumed == 0
        assert pull(service, LocalDestination(tmp_path), page_size=3).pages_resumed == 0
        assert pull(service, LocalDestination(tmp_path)).pages_resumed == 2


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"ids": 3, "missing": []}'])
def test_a_damaged_record_is_told_with_the_way_out(tmp_path: Path, text: str) -> None:
    with Trials(7) as service:
        report = pull(service, LocalDestination(tmp_path))
        record = (tmp_path / report.provenance).with_name("page_0002.json")
        record.write_text(text)
        with pytest.raises(LedgerError, match=r"page_0002\.json .* Remove \.fetch/clinical"):
            pull(service, LocalDestination(tmp_path))
