"""Faults of a service and of the network: what is tried again, how long, and what is told."""

from __future__ import annotations

import datetime as dt
import re
from typing import TYPE_CHECKING

import httpx
import pytest

from drug_assets.fetch import (
    Caller,
    Clock,
    FetchError,
    FetchReport,
    FetchRequest,
    Patience,
    PublicService,
    ServiceRefused,
    ServiceUnavailable,
    fetch,
)
from drug_assets_tests.support.loopback_services import (
    PATIENCE,
    PATIENCE_WITH_SILENCE,
    Asked,
    Fault,
    LocalDestination,
    PatientClock,
    PubMed,
    Reply,
    Trials,
    landed_ids,
)
from drug_assets_tests.support.registry import CLINICAL_TRIALS_GOV, PUBMED_SERVICE

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

TRIALS = FetchRequest(service=CLINICAL_TRIALS_GOV, query="aspirin", page_size=2)
PAPERS = FetchRequest(service=PUBMED_SERVICE, query="aspirin", page_size=2)


@pytest.fixture
def trials() -> Iterator[Trials]:
    with Trials(5) as service:
        yield service


@pytest.fixture
def pubmed() -> Iterator[PubMed]:
    with PubMed(5) as service:
        yield service


def pull(
    service: Trials | PubMed,
    folder: Path,
    patience: Patience = PATIENCE,
    clock: Clock | None = None,
) -> FetchReport:
    return fetch(
        TRIALS if isinstance(service, Trials) else PAPERS,
        LocalDestination(folder),
        base_url=service.url,
        patience=patience,
        clock=clock or service.clock,
    )


PASSING = {
    "429": Fault(Reply(429, b"slow down")),
    "500": Fault(Reply(500, b"<html><h1>Server Error</h1></html>")),
    "502": Fault(Reply(502, b"")),
    "503": Fault(Reply(503, b"")),
    "cut connection": Fault(cut=True),
    "half a body": Fault(half=True),
    "hang-up": Fault(hang_up=True),
    "a page of something else": Fault(Reply(200, b"<html>Down for maintenance</html>")),
    "JSON of something else": Fault(Reply(200, b'{"message": "hello"}')),
    "nothing": Fault(Reply(200, b"")),
    "not the gzip it claims": Fault(Reply(200, b"plain", {"Content-Encoding": "gzip"})),
}


@pytest.mark.parametrize("fault", PASSING.values(), ids=PASSING)
@pytest.mark.parametrize("request_number", [1, 2, 3])
def test_a_passing_fault_costs_a_retry_and_no_record(
    trials: Trials, pubmed: PubMed, tmp_path: Path, fault: Fault, request_number: int
) -> None:
    for service in (trials, pubmed):
        service.faults[request_number] = fault
        folder = tmp_path / type(service).__name__
        report = pull(service, folder)
        assert report.retries == 1
        assert report.records == 5
        ids = landed_ids(folder)
        assert len(ids) == 5
        assert set(ids.values()) == {1}


@pytest.mark.slow
@pytest.mark.parametrize("request_number", [1, 2, 3])
def test_silence_that_passes_costs_no_record(
    trials: Trials, tmp_path: Path, request_number: int
) -> None:
    trials.faults[request_number] = Fault(silent=True)
    report = pull(trials, tmp_path, PATIENCE_WITH_SILENCE)
    assert report.retries >= 1
    assert report.records == 5
    assert set(landed_ids(tmp_path).values()) == {1}


def test_tries_end_and_the_last_fault_is_told(trials: Trials, tmp_path: Path) -> None:
    trials.faults = {n: Fault(Reply(503, b"<b>Down</b> for\nthe day")) for n in range(2, 99)}
    with pytest.raises(
        ServiceUnavailable,
        match=re.escape(
            "ClinicalTrials.gov: page 2: no whole answer in 4 tries, at last: it answered 503:"
            " Down for the day. What was landed stays; the same request resumes."
        ),
    ):
        pull(trials, tmp_path)
    assert len(trials.asked) == 5
    assert len(landed_ids(tmp_path)) == 2


def test_nobody_at_home_is_told(tmp_path: Path) -> None:
    with Trials() as gone:
        pass
    with pytest.raises(ServiceUnavailable, match=r"page 1: no whole answer in 4 tries.*Connect"):
        pull(gone, tmp_path)


def test_waits_grow_and_hold_some_chance(trials: Trials, tmp_path: Path) -> None:
    trials.faults = {n: Fault(Reply(500, b"")) for n in range(1, 99)}
    patience = Patience(attempts=6, first_wait=4, longest_wait=30)
    with pytest.raises(ServiceUnavailable):
        pull(trials, tmp_path, patience)
    for wait, full in zip(trials.clock.slept, [4, 8, 16, 30, 30], strict=True):
        assert full / 2 <= wait <= full
    assert len(set(trials.clock.slept)) == 5


@pytest.mark.parametrize(
    ("asked", "waited"),
    [
        ("7", 7),
        (" 90 ", 90),
        ("Tue, 10 Mar 2026 23:52:00 GMT", 120),
        ("Tue, 10 Mar 2026 23:53:00 -0000", 180),
    ],
)
@pytest.mark.parametrize("status", [429, 503])
def test_a_wait_the_service_asks_for_is_kept(
    trials: Trials, tmp_path: Path, asked: str, waited: float, status: int
) -> None:
    trials.faults[1] = Fault(Reply(status, b"", {"Retry-After": asked}))
    assert pull(trials, tmp_path).records == 5
    assert trials.clock.slept[0] == pytest.approx(waited)


@pytest.mark.parametrize("asked", ["soon", "-5", "", "²", "Tue, 10 Mar 2020 00:00:00 GMT"])
def test_an_asked_wait_that_says_nothing_is_the_usual_wait(
    trials: Trials, tmp_path: Path, asked: str
) -> None:
    trials.faults[1] = Fault(Reply(429, b"", {"Retry-After": asked.encode().decode("latin-1")}))
    assert pull(trials, tmp_path).records == 5
    assert 0.5 <= trials.clock.slept[0] <= 1


def test_a_wait_beyond_patience_ends_the_pull_at_once(trials: Trials, tmp_path: Path) -> None:
    trials.faults[2] = Fault(Reply(429, b"quota", {"Retry-After": "86400"}))
    with pytest.raises(
        ServiceUnavailable, match="it answered 429: quota, and asks to wait 86400 s"
    ):
        pull(trials, tmp_path)
    assert len(trials.asked) == 2


def test_a_bad_query_is_refused_in_the_services_words_and_once(
    trials: Trials, tmp_path: Path
) -> None:
    request = FetchRequest(service=CLINICAL_TRIALS_GOV, query="aspirin AND (")
    with pytest.raises(ServiceRefused, match="page 1: it answered 400: Too complicated query"):
        fetch(request, LocalDestination(tmp_path), base_url=trials.url, clock=trials.clock)
    assert len(trials.asked) == 1


def test_a_query_that_pubmed_refuses_with_200_is_refused(pubmed: PubMed, tmp_path: Path) -> None:
    request = FetchRequest(service=PUBMED_SERVICE, query="#12")
    with pytest.raises(ServiceRefused, match="search: it answered: Unable to execute query: #12"):
        fetch(request, LocalDestination(tmp_path), base_url=pubmed.url, clock=pubmed.clock)
    assert len(pubmed.asked) == 1


@pytest.mark.parametrize("status", [200, 400])
def test_a_failing_search_backend_is_a_passing_fault(
    pubmed: PubMed, tmp_path: Path, status: int
) -> None:
    told = b'{"esearchresult": {"ERROR": "Search Backend failed: Database is not supported"}}'
    pubmed.faults[1] = Fault(Reply(status, told))
    report = pull(pubmed, tmp_path)
    assert (report.records, report.retries) == (5, 1)


def test_an_efetch_error_document_is_a_passing_fault(pubmed: PubMed, tmp_path: Path) -> None:
    told = b"<eFetchResult><ERROR>Unable to obtain query #1</ERROR></eFetchResult>"
    pubmed.faults = {n: Fault(Reply(200, told)) for n in range(2, 9)}
    with pytest.raises(ServiceUnavailable, match=r"the answer is eFetchResult, .* query #1"):
        pull(pubmed, tmp_path)


@pytest.mark.parametrize(
    ("body", "told"),
    [
        (b"", "it answered 404"),
        (b" \n", "it answered 404"),
        (b"no\n such\tpage", "it answered 404: no such page"),
        (b"<html><h1 class='x'>Not</h1>found</html>", "it answered 404: Not found"),
        (b"a<>b < c", "it answered 404: a b < c"),
        (b"<b>2 > 1</b>, <i", "it answered 404: 2 > 1 , <i"),
        (b"<a <b>c</b>> d", "it answered 404: <a c > d"),
        ("«é»".encode(), "it answered 404: «é»"),
        (b"caf\xe9", "it answered 404: caf\ufffd"),
        (b"x" * 500, "it answered 404: " + "x" * 500),
        (b"x" * 501, "it answered 404: " + "x" * 500 + "…"),
    ],
)
def test_a_refusal_is_told_in_one_short_line_without_markup(
    trials: Trials, tmp_path: Path, body: bytes, told: str
) -> None:
    trials.faults[1] = Fault(Reply(404, body))
    with pytest.raises(ServiceRefused) as refused:
        pull(trials, tmp_path)
    assert str(refused.value) == f"ClinicalTrials.gov: page 1: {told}"


@pytest.mark.parametrize("status", [408, 425, 429, 500, 501, 599])
def test_a_status_of_a_passing_fault_is_tried_again(
    trials: Trials, tmp_path: Path, status: int
) -> None:
    trials.faults[1] = Fault(Reply(status, b""))
    assert pull(trials, tmp_path).retries == 1


@pytest.mark.parametrize("status", [201, 203, 300, 307, 399, 400, 401, 403, 404, 410, 418, 499])
def test_any_other_status_is_a_refusal(trials: Trials, tmp_path: Path, status: int) -> None:
    trials.faults[1] = Fault(Reply(status, b"no"))
    with pytest.raises(ServiceRefused) as refused:
        pull(trials, tmp_path)
    followed = ", to nowhere; not followed" if 300 <= status < 400 else ""
    assert str(refused.value) == f"ClinicalTrials.gov: page 1: it answered {status}: no{followed}"
    assert len(trials.asked) == 1


def test_a_redirect_is_not_followed(trials: Trials, pubmed: PubMed, tmp_path: Path) -> None:
    pubmed.faults[1] = Fault(Reply(301, b"", {"Location": f"{trials.url}/elsewhere"}))
    with pytest.raises(ServiceRefused, match=r"301, to .*/elsewhere; not followed"):
        pull(pubmed, tmp_path)
    assert not trials.asked


def test_an_answer_may_be_as_long_as_the_limit(trials: Trials, tmp_path: Path) -> None:
    longest = max(len(trials.page(number).body) for number in (1, 2, 3))
    assert pull(trials, tmp_path / "a", Patience(largest_answer=longest)).records == 5
    with pytest.raises(FetchError, match=rf"ClinicalTrials.gov answered more than {longest - 1}"):
        pull(trials, tmp_path / "b", Patience(largest_answer=longest - 1))


def test_an_asked_wait_as_long_as_patience_is_kept(trials: Trials, tmp_path: Path) -> None:
    patience = Patience(attempts=2, longest_asked_wait=90)
    trials.faults[1] = Fault(Reply(503, b"", {"Retry-After": "90"}))
    assert pull(trials, tmp_path, patience).records == 5
    trials.faults[len(trials.asked) + 1] = Fault(Reply(503, b"", {"Retry-After": "91"}))
    with pytest.raises(ServiceUnavailable, match=r"it answered 503, and asks to wait 91 s\. Run"):
        pull(trials, tmp_path / "other", patience)


def test_the_last_try_is_not_waited_after(trials: Trials, tmp_path: Path) -> None:
    trials.faults = {n: Fault(Reply(500, b"")) for n in range(1, 9)}
    with pytest.raises(ServiceUnavailable, match="no whole answer in 1 tries"):
        pull(trials, tmp_path, Patience(attempts=1))
    assert trials.clock.slept == []


def test_a_service_is_asked_at_its_address_with_or_without_a_last_slash(
    trials: Trials, tmp_path: Path
) -> None:
    fetch(TRIALS, LocalDestination(tmp_path), base_url=f"{trials.url}//", clock=trials.clock)
    assert {asked.path for asked in trials.asked} == {"/studies"}


def test_an_answer_without_end_is_given_up(trials: Trials, tmp_path: Path) -> None:
    with pytest.raises(FetchError, match=r"more than 100 bytes: ask for smaller pages"):
        pull(trials, tmp_path, Patience(largest_answer=100))


@pytest.mark.slow
def test_a_service_that_says_nothing_is_given_up_before_it_hangs_up(
    trials: Trials, tmp_path: Path
) -> None:
    trials.faults = {n: Fault(silent=True) for n in range(1, 9)}
    patience = Patience(attempts=2, first_wait=0.01, read=0.2)
    with pytest.raises(ServiceUnavailable, match="ReadTimeout"):
        pull(trials, tmp_path, patience, clock=Clock())


def test_an_answer_that_drips_is_given_up(trials: Trials, tmp_path: Path) -> None:
    trials.faults = {n: Fault(drip=True) for n in range(1, 9)}
    whole = len(trials.page(1).body)
    patience = Patience(attempts=1, whole_answer=whole / 2)
    with pytest.raises(ServiceUnavailable, match=rf"not whole after {whole / 2:g} s"):
        pull(trials, tmp_path, patience)


def test_the_patience_that_ships_is_that_of_its_description(tmp_path: Path) -> None:
    with Trials(9) as trials:
        trials.faults = {n: Fault(drip=True) for n in range(1, 99)}
        request = FetchRequest(service=CLINICAL_TRIALS_GOV, query="aspirin", page_size=9)
        with pytest.raises(ServiceUnavailable, match=r"in 8 tries.* not whole after 600 s"):
            fetch(request, LocalDestination(tmp_path), base_url=trials.url, clock=trials.clock)
        assert len(trials.asked) == 8
    with Trials(1) as trials:
        trials.faults = {
            1: Fault(Reply(503, b"", {"Retry-After": "600"})),
            2: Fault(Reply(503, b"", {"Retry-After": "601"})),
        }
        with pytest.raises(ServiceUnavailable, match="asks to wait 601 s"):
            fetch(request, LocalDestination(tmp_path), base_url=trials.url, clock=trials.clock)
        assert trials.clock.slept[0] == 600


@pytest.mark.parametrize(
    ("service", "address", "interval"),
    [
        (CLINICAL_TRIALS_GOV, "https://clinicaltrials.gov/api/v2", 1.0),
        (PUBMED_SERVICE, "https://eutils.ncbi.nlm.nih.gov/entrez/eutils", 0.36),
    ],
)
def test_a_service_is_asked_at_its_own_address_unless_told_otherwise(
    service: PublicService, address: str, interval: float
) -> None:
    for given, used in ((None, address), ("http://127.0.0.1/x/", "http://127.0.0.1/x")):
        with service.open(Caller(), given, PATIENCE, Clock()) as client:
            assert (client.name, client.base_url) == (service.name, used)
    assert service.interval(Caller()) == interval


def test_every_request_names_the_program(trials: Trials, pubmed: PubMed, tmp_path: Path) -> None:
    for service in (trials, pubmed):
        pull(service, tmp_path / type(service).__name__)
        assert {asked.agent for asked in service.asked} == {"drug_assets"}


def test_an_answer_that_drips_is_waited_for_in_time(trials: Trials, tmp_path: Path) -> None:
    trials.faults = {n: Fault(drip=True) for n in range(1, 9)}
    patience = Patience(attempts=1, whole_answer=2 * len(trials.page(1).body))
    assert pull(trials, tmp_path, patience).records == 5


def test_a_base_url_without_scheme_is_refused(tmp_path: Path) -> None:
    with pytest.raises(FetchError, match="must begin with https:// or http://"):
        fetch(TRIALS, LocalDestination(tmp_path), base_url="clinicaltrials.gov/api/v2")


@pytest.mark.parametrize(("key", "limit"), [(None, 3), (PubMed.KEY, 10)])
def test_the_pace_of_pubmed_is_kept(tmp_path: Path, key: str | None, limit: int) -> None:
    with PubMed(30) as pubmed:
        report = fetch(
            FetchRequest(service=PUBMED_SERVICE, query="aspirin", page_size=1),
            LocalDestination(tmp_path),
            api_key=key,
            base_url=pubmed.url,
            clock=pubmed.clock,
        )
    assert (report.requests, report.retries) == (31, 0)
    times = [asked.at for asked in pubmed.asked]
    for start in times:
        assert sum(start <= at < start + 1 for at in times) <= limit
    # and not slower than it needs to be
    assert times[-1] < 31 / limit * 1.2


def test_the_pace_of_clinical_trials_is_a_request_a_second(trials: Trials, tmp_path: Path) -> None:
    pull(trials, tmp_path)
    assert [asked.at for asked in trials.asked] == [0, 1, 2]


def test_time_spent_on_an_answer_counts_as_waited(tmp_path: Path) -> None:
    class SlowTrials(Trials):
        def answer(self, asked: Asked) -> Reply:
            self.clock.slept.append(0.7)
            return super().answer(asked)

    with SlowTrials(5, PatientClock()) as trials:
        pull(trials, tmp_path)
    assert [asked.at for asked in trials.asked] == pytest.approx([0, 1, 2])


def test_the_clock_that_ships_is_the_real_one() -> None:
    clock = Clock()
    begin = clock.monotonic()
    clock.sleep(0.001)
    assert clock.monotonic() - begin >= 0.001
    assert abs(clock.now() - dt.datetime.now(dt.UTC)) < dt.timedelta(minutes=1)


def test_no_try_at_all_is_no_patience() -> None:
    with pytest.raises(ValueError, match="attempts is 0, at least 1"):
        Patience(attempts=0)


@pytest.mark.upstream
def test_httpx_tells_a_cut_answer(trials: Trials) -> None:
    """The pulls rely on it: a body shorter than its Content-Length is an error."""
    trials.faults[1] = Fault(cut=True)
    target = f"{trials.url}/studies?query.term=a&pageSize=5"
    with (
        httpx.Client() as client,
        pytest.raises(httpx.RemoteProtocolError, match="peer closed connection"),
    ):
        client.get(target)
