"""What a pull tells: its report, its provenance, its log; and the key that none of them holds."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import logging
import traceback
from typing import TYPE_CHECKING

import pytest

from drug_assets import sources
from drug_assets.delivery import is_documentation
from drug_assets.fetch import FetchError, FetchRequest, fetch
from drug_assets_tests.support.loopback_services import (
    PATIENCE,
    Fault,
    LocalDestination,
    PubMed,
    Reply,
    Trials,
    landed,
)
from drug_assets_tests.support.registry import CLINICAL_TRIALS_GOV, PUBMED_SERVICE

if TYPE_CHECKING:
    from pathlib import Path

REQUEST = FetchRequest(service=PUBMED_SERVICE, query="aspirin", page_size=2)
WRONG_KEY = "wr0ng+key/with=signs"

FAULTS = {
    "none": Fault(),
    "rate limit, key repeated": Fault(
        Reply(429, json.dumps({"error": "limit", "api-key": PubMed.KEY}).encode())
    ),
    "key repeated beyond the cut": Fault(Reply(500, b"x" * 480 + PubMed.KEY.encode())),
    "refused, key repeated": Fault(Reply(403, PubMed.KEY.encode())),
    "refused with 200": Fault(
        Reply(200, json.dumps({"esearchresult": {"ERROR": f"bad {PubMed.KEY}"}}).encode())
    ),
    "redirect with the key": Fault(
        Reply(302, b"", {"Location": f"http://127.0.0.1:1/?api_key={PubMed.KEY}"})
    ),
    "cut": Fault(cut=True),
    "hang-up": Fault(hang_up=True),
    "an error document with the key": Fault(
        Reply(200, f"<eFetchResult><ERROR>{PubMed.KEY}</ERROR></eFetchResult>".encode())
    ),
}


@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS)
@pytest.mark.parametrize("number", [1, 2])
def test_the_key_is_sent_and_never_told(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, fault: Fault, number: int
) -> None:
    caplog.set_level(logging.DEBUG)
    if fault.reply and "Location" in fault.reply.headers:
        # Headers that a service invents are in the transport's own debugging log, as they came.
        caplog.set_level(logging.INFO, "httpcore")
    with PubMed(5) as pubmed:
        pubmed.faults = dict.fromkeys(range(number, 99), fault)
        try:
            report = fetch(
                REQUEST,
                LocalDestination(tmp_path),
                api_key=PubMed.KEY,
                base_url=pubmed.url,
                patience=PATIENCE,
                clock=pubmed.clock,
            )
            told = repr(report) + json.dumps(report.as_json())
        except FetchError as error:
            told = "".join(traceback.format_exception(error)) + repr(error)
        assert {asked.fields["api_key"] for asked in pubmed.asked} == {PubMed.KEY}
        assert not any(PubMed.KEY in asked.target for asked in pubmed.asked)
    for text in [told, caplog.text]:
        assert PubMed.KEY not in text
        assert PubMed.KEY[:12] not in text
    for path in tmp_path.rglob("*"):
        assert PubMed.KEY not in path.name
        assert path.is_dir() or PubMed.KEY.encode() not in path.read_bytes()


def test_a_wrong_key_is_told_without_the_key(tmp_path: Path) -> None:
    with PubMed(5) as pubmed, pytest.raises(FetchError, match="API key invalid") as told:
        fetch(
            REQUEST,
            LocalDestination(tmp_path),
            api_key=WRONG_KEY,
            base_url=pubmed.url,
            clock=pubmed.clock,
        )
    assert "***" in str(told.value)
    assert WRONG_KEY not in str(told.value)
    assert pubmed.asked[0].fields["api_key"] == WRONG_KEY


def test_a_blank_key_is_no_key(tmp_path: Path) -> None:
    with PubMed(5) as pubmed:
        fetch(
            REQUEST,
            LocalDestination(tmp_path),
            api_key=" \n",
            base_url=pubmed.url,
            clock=pubmed.clock,
        )
    assert pubmed.asked
    assert not any("api_key" in asked.fields for asked in pubmed.asked)


def test_retries_are_logged_with_what_when_and_why(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with Trials(5) as trials:
        trials.faults[2] = Fault(Reply(503, b"busy", {"Retry-After": "9"}))
        fetch(
            FetchRequest(service=CLINICAL_TRIALS_GOV, query="aspirin", page_size=2),
            LocalDestination(tmp_path),
            base_url=trials.url,
            clock=trials.clock,
        )
    warnings = [r.getMessage() for r in caplog.records if r.levelno == logging.WARNING]
    assert warnings == ["ClinicalTrials.gov: page 2: it answered 503: busy; try 2 of 8 in 9.0 s"]


def test_a_report_is_told_as_json(tmp_path: Path) -> None:
    with Trials(3) as trials:
        trials.faults[1] = Fault(hang_up=True)
        report = fetch(
            FetchRequest(service=CLINICAL_TRIALS_GOV, query=" as\npirin ", page_size=2),
            LocalDestination(tmp_path),
            base_url=trials.url,
            patience=PATIENCE,
            clock=trials.clock,
        )
    stem = report.files[0].removesuffix("_p0001.json.gz")
    assert json.loads(json.dumps(report.as_json())) == {
        "source": "clinical_trials",
        "query": "as pirin",
        "as_of": "2026-03-10",
        "files": [f"{stem}_p0001.json.gz", f"{stem}_p0002.json.gz"],
        "records": 3,
        "pages_fetched": 2,
        "pages_resumed": 0,
        "requests": 3,
        "retries": 1,
        "missing": [],
        "warnings": [],
        "provenance": f".fetch/{stem}/provenance.json",
        "resumed": False,
    }


def test_every_page_of_pubmed_is_logged_with_its_records(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "drug_assets")
    with PubMed(3) as pubmed:
        fetch(REQUEST, LocalDestination(tmp_path), base_url=pubmed.url, clock=pubmed.clock)
    assert [record.getMessage() for record in caplog.records] == [
        "PubMed: 3 records found",
        "PubMed: page 1: 2 records",
        "PubMed: page 2: 1 records",
    ]


@pytest.mark.parametrize(
    ("given", "sent"),
    [
        ({}, {"tool": "drug_assets"}),
        ({"email": " a@b.org ", "tool": "ours"}, {"tool": "ours", "email": "a@b.org"}),
        ({"email": " ", "api_key": "\t"}, {"tool": "drug_assets"}),
        ({"api_key": f" {PubMed.KEY}\n"}, {"tool": "drug_assets", "api_key": PubMed.KEY}),
    ],
)
def test_who_asks_is_sent_as_far_as_it_is_known(
    tmp_path: Path, given: dict[str, str], sent: dict[str, str]
) -> None:
    with PubMed(1) as pubmed:
        fetch(
            REQUEST,
            LocalDestination(tmp_path),
            api_key=given.get("api_key"),
            email=given.get("email"),
            tool=given.get("tool", "drug_assets"),
            base_url=pubmed.url,
            clock=pubmed.clock,
        )
    assert len(pubmed.asked) == 2
    for asked in pubmed.asked:
        known = {k: v for k, v in asked.fields.items() if k in ("tool", "email", "api_key")}
        assert known == sent


def test_provenance_tells_where_each_file_is_from(tmp_path: Path) -> None:
    request = FetchRequest(
        service=PUBMED_SERVICE, query="aspirin", page_size=3, since=dt.date(2020, 1, 1)
    )
    with PubMed(5) as pubmed:
        pubmed.withdrawn = {"504"}
        report = fetch(
            request,
            LocalDestination(tmp_path),
            api_key=PubMed.KEY,
            base_url=pubmed.url,
            clock=pubmed.clock,
        )
    told = json.loads((tmp_path / report.provenance).read_bytes())
    files = landed(tmp_path)
    assert told["files"] == [
        {
            "name": name,
            "sha256": hashlib.sha256(files[name]).hexdigest(),
            "bytes": len(files[name]),
            "records": records,
        }
        for name, records in zip(sorted(files), [3, 1], strict=True)
    ]
    assert told["service"] == "PubMed"
    assert told["url"] == pubmed.url
    assert told["request"] == {**request.as_json(), "as_of": "2026-03-10"}
    assert told["started"] == "2026-03-10T23:50:00+00:00"
    assert dt.datetime.fromisoformat(told["finished"]) > dt.datetime.fromisoformat(told["started"])
    assert (told["records"], told["counted_by_service"]) == (4, 5)
    assert (told["missing"], told["warnings"]) == (["504"], list(report.warnings))


@pytest.mark.parametrize("service", [Trials, PubMed])
def test_the_landing_zone_sees_the_pages_and_nothing_else(
    tmp_path: Path, service: type[Trials | PubMed]
) -> None:
    asked = CLINICAL_TRIALS_GOV if service is Trials else PUBMED_SERVICE
    with service(5) as running:
        report = fetch(
            FetchRequest(service=asked, query="aspirin", page_size=2),
            LocalDestination(tmp_path),
            base_url=running.url,
            clock=running.clock,
        )
    every = [p.relative_to(tmp_path).as_posix() for p in tmp_path.rglob("*") if p.is_file()]
    seen = sorted(name for name in every if not is_documentation(name))
    assert seen == list(report.files)
    assert len(every) > len(seen)
    assert {found.name for name in seen if (found := sources.source_of_file(name))} == {
        asked.source
    }
