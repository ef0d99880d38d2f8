"""What is a request, what is written of it, and what its files are called."""

from __future__ import annotations

import datetime as dt
import json
import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drug_assets import sources
from drug_assets.fetch import FetchRequest, FetchRequestError, PublicService
from drug_assets_tests.support.registry import CLINICAL_TRIALS_GOV, PUBMED_SERVICE

REQUEST = FetchRequest(
    service=PUBMED_SERVICE,
    query="a [tiab]",
    since=dt.date(2020, 2, 29),
    until=dt.date(2021, 1, 1),
    date_type="pdat",
    as_of=dt.date(2026, 3, 1),
    page_size=7,
)


def test_what_is_written_of_a_request_is_what_was_asked_for() -> None:
    assert json.loads(json.dumps(REQUEST.as_json())) == {
        "source": "pubmed",
        "query": "a [tiab]",
        "page_size": 7,
        "since": "2020-02-29",
        "until": "2021-01-01",
        "date_type": "pdat",
        "as_of": "2026-03-01",
    }


def test_what_was_not_said_is_not_written() -> None:
    bare = FetchRequest(service=CLINICAL_TRIALS_GOV, query="x")
    assert bare.as_json() == {"source": "clinical_trials", "query": "x"}


@pytest.mark.parametrize(
    ("service", "asked", "told"),
    [
        (PUBMED_SERVICE, {"query": " \n"}, "query must be a text that is not blank"),
        (PUBMED_SERVICE, {"query": 3}, "query must be a text that is not blank"),
        (PUBMED_SERVICE, {"query": "a\x00b"}, "control character"),
        (PUBMED_SERVICE, {"query": "a\ud800b"}, "half a surrogate pair"),
        (PUBMED_SERVICE, {"query": "x" * 20_001}, "20001 characters, at most 20000"),
        (PUBMED_SERVICE, {"since": "2020-01-02"}, "since is '2020-01-02', it must be a date"),
        (PUBMED_SERVICE, {"until": 20200101}, "until is 20200101, it must be a date"),
        (PUBMED_SERVICE, {"as_of": dt.datetime(2020, 1, 1, tzinfo=dt.UTC)}, "must be a date"),
        (
            PUBMED_SERVICE,
            {"since": dt.date(2020, 1, 2), "until": dt.date(2020, 1, 1)},
            "since 2020-01-02 is after until 2020-01-01",
        ),
        (CLINICAL_TRIALS_GOV, {"page_size": 1001}, "must be 1 to 1000"),
        (PUBMED_SERVICE, {"page_size": 5001}, "must be 1 to 5000"),
        (PUBMED_SERVICE, {"page_size": 0}, "must be 1 to 5000"),
        (PUBMED_SERVICE, {"page_size": "10"}, "must be 1 to 5000"),
        (PUBMED_SERVICE, {"page_size": True}, "must be 1 to 5000"),
        (PUBMED_SERVICE, {"date_type": "dp"}, "one of edat, pdat, mdat"),
        (CLINICAL_TRIALS_GOV, {"date_type": "edat"}, "ClinicalTrials.gov has one kind of date"),
    ],
)
def test_a_wrong_request_is_refused_with_what_would_be_right(
    service: PublicService, asked: dict[str, Any], told: str
) -> None:
    with pytest.raises(FetchRequestError, match=re.escape(told)):
        FetchRequest(service=service, **{"query": "x", **asked})


@pytest.mark.parametrize(
    ("service", "asked"),
    [
        (PUBMED_SERVICE, {"query": "x" * 20_000}),
        (PUBMED_SERVICE, {"page_size": 1}),
        (PUBMED_SERVICE, {"page_size": 5000}),
        (CLINICAL_TRIALS_GOV, {"page_size": 1000}),
        (PUBMED_SERVICE, {"since": dt.date(2020, 1, 1), "until": dt.date(2020, 1, 1)}),
        (PUBMED_SERVICE, {"date_type": "mdat"}),
        (PUBMED_SERVICE, {"query": "a\r\n\tb\x85c"}),
    ],
)
def test_what_is_just_allowed_is_a_request(service: PublicService, asked: dict[str, Any]) -> None:
    request = FetchRequest(service=service, **{"query": "x", **asked})
    assert {name: getattr(request, name) for name in asked} == asked


def test_what_is_not_asked_for_has_the_defaults_of_its_service() -> None:
    papers = FetchRequest(service=PUBMED_SERVICE, query="x")
    trials = FetchRequest(service=CLINICAL_TRIALS_GOV, query="x")
    assert (papers.records_per_page, papers.asked_date_type) == (500, "edat")
    assert (trials.records_per_page, trials.asked_date_type) == (1000, None)
    assert FetchRequest(service=PUBMED_SERVICE, query="x", page_size=7).records_per_page == 7


@pytest.mark.parametrize(
    ("query", "start"),
    [
        ("Éthanol & Co.", "ethanol-co"),
        ("(aspirin)", "aspirin"),
        ("a  b__c", "a-b-c"),
        ("アスピリン", "query"),
        ("x" * 41, "x" * 40),
        ("x" * 39 + " y", "x" * 39),
        ("x" * 38 + " yz", "x" * 38 + "-y"),
    ],
)
def test_a_label_begins_with_what_can_be_read_of_the_query(query: str, start: str) -> None:
    label = FetchRequest(service=PUBMED_SERVICE, query=query).label
    assert label.rpartition("-")[0] == start


def test_a_label_is_the_same_on_any_day_and_machine() -> None:
    assert REQUEST.label == "a-tiab-d590fe71"
    assert REQUEST.stem(dt.date(2026, 3, 1)) == "pubmed_efetch_2026-03-01_a-tiab-d590fe71"


def test_all_faults_of_a_request_are_told_at_once() -> None:
    with pytest.raises(FetchRequestError) as told:
        FetchRequest(service=PUBMED_SERVICE, query="", page_size=-1, date_type="x")
    assert str(told.value).count(";") == 2


def test_line_ends_in_a_query_are_blanks() -> None:
    one = FetchRequest(service=PUBMED_SERVICE, query="aspirin\n  OR\tibuprofen ")
    assert one.term == "aspirin OR ibuprofen"
    assert one.label == FetchRequest(service=PUBMED_SERVICE, query="aspirin OR ibuprofen").label


@pytest.mark.parametrize(
    "other",
    [
        FetchRequest(service=CLINICAL_TRIALS_GOV, query="aspirin"),
        FetchRequest(service=PUBMED_SERVICE, query="aspirin OR x"),
        FetchRequest(service=PUBMED_SERVICE, query="aspirin", page_size=10),
        FetchRequest(service=PUBMED_SERVICE, query="aspirin", since=dt.date(2020, 1, 1)),
        FetchRequest(service=PUBMED_SERVICE, query="aspirin", until=dt.date(2020, 1, 1)),
        FetchRequest(service=PUBMED_SERVICE, query="aspirin", date_type="pdat"),
    ],
)
def test_requests_that_bring_something_else_have_other_labels(other: FetchRequest) -> None:
    assert other.label != FetchRequest(service=PUBMED_SERVICE, query="aspirin").label


def test_a_default_said_aloud_is_still_the_default() -> None:
    said = FetchRequest(service=PUBMED_SERVICE, query="aspirin", page_size=500, date_type="edat")
    assert said.label == FetchRequest(service=PUBMED_SERVICE, query="aspirin").label


@given(
    st.sampled_from([PUBMED_SERVICE, CLINICAL_TRIALS_GOV]),
    st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"]), min_size=1).filter(
        str.strip
    ),
    st.dates(),
)
def test_any_query_names_files_that_belong_to_their_source(
    service: PublicService, query: str, day: dt.date
) -> None:
    stem = FetchRequest(service=service, query=query).stem(day)
    assert re.fullmatch(r"[a-z0-9_]+_\d{4}-\d\d-\d\d_[a-z0-9-]+-[0-9a-f]{8}", stem)
    assert len(stem) < 120
    belongs = sources.source_of_file(f"{stem}_p0001.json.gz")
    assert belongs is not None
    assert belongs.name == service.source
