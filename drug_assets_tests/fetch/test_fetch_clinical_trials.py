"""ClinicalTrials.gov: what is asked, what is landed, and a registry that changes meanwhile."""

from __future__ import annotations

import datetime as dt
import gzip
import json
import logging
from typing import TYPE_CHECKING, Any

import pytest

from drug_assets.fetch import FetchError, FetchReport, FetchRequest, ServiceRefused, fetch
from drug_assets_tests.support.loopback_services import (
    PATIENCE,
    Fault,
    Killed,
    LocalDestination,
    MortalDestination,
    Reply,
    Trials,
    landed,
    landed_ids,
)
from drug_assets_tests.support.registry import CLINICAL_TRIALS_GOV

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from drug_assets.fetch import Destination


@pytest.fixture
def trials() -> Iterator[Trials]:
    with Trials(7) as service:
        yield service


def pull(trials: Trials, destination: Destination, **options: Any) -> FetchReport:
    options = {"query": "aspirin", "page_size": 2, **options}
    return fetch(
        FetchRequest(service=CLINICAL_TRIALS_GOV, **options),
        destination,
        base_url=trials.url,
        patience=PATIENCE,
        clock=trials.clock,
    )


def test_pages_are_landed_as_they_came(trials: Trials, tmp_path: Path) -> None:
    report = pull(trials, LocalDestination(tmp_path), query="Aspirin & Co.")
    assert [name.rpartition("_")[2] for name in report.files] == [
        f"p000{n}.json.gz" for n in (1, 2, 3, 4)
    ]
    stem = "clinical_trials_api_v2_2026-03-10_aspirin-co-"
    assert all(name.startswith(stem) for name in report.files)
    first = gzip.decompress(landed(tmp_path)[report.files[0]])
    assert first == trials.answer(trials.asked[0]).body
    assert landed_ids(tmp_path) == dict.fromkeys(trials.studies, 1)


def test_what_is_asked_is_the_documented_search(trials: Trials, tmp_path: Path) -> None:
    pull(trials, LocalDestination(tmp_path), query="AREA[Phase]PHASE3 AND (a OR b)", page_size=5)
    first, second = (asked.fields for asked in trials.asked)
    assert first == {
        "format": "json",
        "query.term": "AREA[Phase]PHASE3 AND (a OR b)",
        "pageSize": "5",
        "countTotal": "true",
    }
    token = second.pop("pageToken")
    assert token.endswith(".5")
    assert second == first


@pytest.mark.parametrize(
    ("since", "until", "asked"),
    [
        ("2026-01-01", None, "AREA[LastUpdatePostDate]RANGE[2026-01-01,MAX]"),
        (None, "2026-01-31", "AREA[LastUpdatePostDate]RANGE[MIN,2026-01-31]"),
        ("2026-01-01", "2026-01-31", "AREA[LastUpdatePostDate]RANGE[2026-01-01,2026-01-31]"),
    ],
)
def test_dates_are_those_of_the_last_update(
    trials: Trials, tmp_path: Path, since: str | None, until: str | None, asked: str
) -> None:
    days = {
        key: dt.date.fromisoformat(day) for key, day in [("since", since), ("until", until)] if day
    }
    pull(trials, LocalDestination(tmp_path), **days)
    assert {a.fields["filter.advanced"] for a in trials.asked} == {asked}


def test_nothing_found_lands_no_file(trials: Trials, tmp_path: Path) -> None:
    report = pull(trials, LocalDestination(tmp_path), query="nothing")
    assert (report.files, report.records, report.requests) == ((), 0, 1)
    assert landed(tmp_path) == {}
    assert pull(trials, LocalDestination(tmp_path), query="nothing").requests == 0


def test_a_last_page_exactly_full_is_the_last(tmp_path: Path) -> None:
    with Trials(4) as trials:
        assert pull(trials, LocalDestination(tmp_path)).requests == 2


def test_a_token_refused_on_resuming_starts_over(trials: Trials, tmp_path: Path) -> None:
    with pytest.raises(Killed):
        pull(trials, MortalDestination(tmp_path, 7, after=True))
    trials.state += 1
    trials.studies = trials.studies[3:]
    report = pull(trials, LocalDestination(tmp_path))
    assert landed_ids(tmp_path) == dict.fromkeys(trials.studies, 1)
    assert sorted(landed(tmp_path)) == sorted(report.files)
    assert (report.pages_fetched, report.pages_resumed) == (2, 0)


def test_a_page_landed_without_record_does_not_outlive_a_new_start(
    trials: Trials, tmp_path: Path
) -> None:
    """Its file is written, its record is not, and the registry then has fewer pages."""
    with pytest.raises(Killed):
        pull(trials, MortalDestination(tmp_path, 6, after=True))
    assert len(landed(tmp_path)) == 3
    trials.state += 1
    trials.studies = trials.studies[:3]
    pull(trials, LocalDestination(tmp_path))
    assert landed_ids(tmp_path) == dict.fromkeys(trials.studies, 1)


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("change", range(1, 10))
def test_a_new_start_that_dies_at_any_change_resumes(
    trials: Trials, tmp_path: Path, change: int, after: bool
) -> None:
    """Of three pages, each file and its record are removed; then one page is landed."""
    with pytest.raises(Killed):
        pull(trials, MortalDestination(tmp_path, 7, after=True))
    trials.state += 1
    trials.studies = trials.studies[5:]
    with pytest.raises(Killed):
        pull(trials, MortalDestination(tmp_path, change, after=after))
    report = pull(trials, LocalDestination(tmp_path))
    assert landed_ids(tmp_path) == dict.fromkeys(trials.studies, 1)
    assert sorted(landed(tmp_path)) == sorted(report.files)


def test_fewer_studies_than_counted_are_fetched_anew(trials: Trials, tmp_path: Path) -> None:
    trials.faults[1] = Fault(trials.page(1, total=8))
    report = pull(trials, LocalDestination(tmp_path))
    assert report.requests == 8
    assert landed_ids(tmp_path) == dict.fromkeys(trials.studies, 1)


def test_a_registry_that_never_agrees_with_its_count_is_an_error(
    trials: Trials, tmp_path: Path
) -> None:
    trials.faults[1] = trials.faults[5] = Fault(trials.page(1, total=8))
    with pytest.raises(FetchError, match="7 studies came of the 8 it counted, twice in a row"):
        pull(trials, LocalDestination(tmp_path))
    assert landed(tmp_path) == {}
    assert pull(trials, LocalDestination(tmp_path)).records == 7


def test_a_page_refetched_with_other_studies_starts_over(trials: Trials, tmp_path: Path) -> None:
    report = pull(trials, LocalDestination(tmp_path))
    (tmp_path / report.files[1]).unlink()
    trials.studies.insert(0, "NCT00000001")
    pull(trials, LocalDestination(tmp_path))
    assert landed_ids(tmp_path) == dict.fromkeys(trials.studies, 1)


@pytest.mark.parametrize(
    "body",
    [
        b"{}",
        b"[]",
        b"null",
        b'{"studies": null}',
        b'{"studies": [{}]}',
        b'{"studies": [{"protocolSection": {}}]}',
        b'{"studies": [{"protocolSection": {"identificationModule": {}}}]}',
        b'{"studies": [1]}',
        b'{"studies": [], "totalCount": "many"}',
    ],
)
def test_a_page_that_is_not_whole_is_asked_for_again(
    trials: Trials, tmp_path: Path, body: bytes
) -> None:
    trials.faults[1] = Fault(Reply(200, body))
    report = pull(trials, LocalDestination(tmp_path))
    assert (report.records, report.retries) == (7, 1)


def test_a_registry_that_does_not_count_is_believed(trials: Trials, tmp_path: Path) -> None:
    page = json.loads(trials.page(1).body)
    del page["totalCount"]
    trials.faults[1] = Fault(Reply(200, json.dumps(page).encode()))
    report = pull(trials, LocalDestination(tmp_path))
    assert (report.records, report.requests) == (7, 4)
    told = json.loads((tmp_path / report.provenance).read_bytes())
    assert told["counted_by_service"] is None


def test_more_studies_than_counted_are_no_fault(trials: Trials, tmp_path: Path) -> None:
    trials.faults[1] = Fault(trials.page(1, total=6))
    report = pull(trials, LocalDestination(tmp_path))
    assert (report.records, report.requests, report.warnings) == (7, 4, ())


def test_the_first_page_is_refused_by_itself(trials: Trials, tmp_path: Path) -> None:
    trials.faults[1] = Fault(Reply(400, b"no"))
    with pytest.raises(ServiceRefused, match=r"^ClinicalTrials\.gov: page 1: it answered 400: no$"):
        pull(trials, LocalDestination(tmp_path))
    assert len(trials.asked) == 1


def test_a_page_whose_token_is_refused_twice_is_named(trials: Trials, tmp_path: Path) -> None:
    trials.faults[2] = trials.faults[4] = Fault(Reply(400, b"no"))
    told = r"the token of page 2 is no longer good \(ClinicalTrials.gov: page 2: .*400.* twice in"
    with pytest.raises(FetchError, match=told):
        pull(trials, LocalDestination(tmp_path))


def test_every_page_is_logged_with_its_studies(
    trials: Trials, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "drug_assets")
    pull(trials, LocalDestination(tmp_path), page_size=4)
    assert [record.getMessage() for record in caplog.records] == [
        "ClinicalTrials.gov: page 1: 4 studies",
        "ClinicalTrials.gov: page 2: 3 studies",
    ]


def test_a_new_start_is_logged_with_its_reason(
    trials: Trials, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    trials.faults[1] = Fault(trials.page(1, total=8))
    pull(trials, LocalDestination(tmp_path))
    (warning,) = [r.getMessage() for r in caplog.records if r.levelno == logging.WARNING]
    assert warning == (
        "ClinicalTrials.gov: 7 studies came of the 8 it counted; starting over from the first page"
    )


def test_a_study_on_two_pages_is_told(trials: Trials, tmp_path: Path) -> None:
    trials.faults[2] = Fault(trials.page(2, again=1))
    report = pull(trials, LocalDestination(tmp_path))
    assert report.records == 7
    assert report.warnings == ("1 studies came on two pages: the registry changed meanwhile",)


def test_pages_that_lead_in_a_circle_are_an_error(trials: Trials, tmp_path: Path) -> None:
    trials.faults[3] = Fault(trials.page(2))
    with pytest.raises(FetchError, match="page 3 leads back to an earlier page"):
        pull(trials, LocalDestination(tmp_path))
