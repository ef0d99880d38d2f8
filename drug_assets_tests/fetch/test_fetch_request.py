"""What is a request, what its message may look like, and what its files are called."""

from __future__ import annotations

import base64
import datetime as dt
import json
import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drug_assets import sources
from drug_assets.fetch import FetchRequest, FetchRequestError, parse_request

MESSAGE = {"source": "pubmed", "query": "aspirin", "since": "2026-01-31", "page_size": 200}
REQUEST = FetchRequest(source="pubmed", query="aspirin", since=dt.date(2026, 1, 31), page_size=200)


@pytest.mark.parametrize(
    "message",
    [
        MESSAGE,
        json.dumps(MESSAGE),
        json.dumps(MESSAGE).encode(),
        {
            "message": {
                "data": base64.b64encode(json.dumps(MESSAGE).encode()).decode(),
                "messageId": "1",
            },
            "subscription": "projects/p/subscriptions/s",
        },
    ],
    ids=["mapping", "text", "bytes", "push envelope"],
)
def test_a_message_in_any_wrapping_is_the_same_request(message: Any) -> None:
    assert parse_request(message) == REQUEST


def test_a_request_and_its_message_are_one() -> None:
    request = FetchRequest(
        source="pubmed",
        query="a [tiab]",
        since=dt.date(2020, 2, 29),
        until=dt.date(2021, 1, 1),
        date_type="pdat",
        as_of=dt.date(2026, 3, 1),
        page_size=7,
    )
    assert parse_request(json.dumps(request.as_json())) == request


@pytest.mark.parametrize(
    ("message", "told"),
    [
        (b"\xff{", "not JSON in UTF-8"),
        (b"[" * 100_000, "not JSON in UTF-8"),
        ("[1]", "a JSON object like"),
        ({"message": {"data": "%%%"}}, "not base64"),
        ({"message": {"data": "été"}}, "not base64"),
        ({"message": {"data": ""}}, "not JSON in UTF-8"),
        ({"query": "x"}, "source is missing"),
        ({"source": "pubmed"}, "query is missing"),
        ({"source": "pubmd", "query": "x"}, "source is 'pubmd', it must be one of"),
        ({"source": ["pubmed"], "query": "x"}, "source is ['pubmed'], it must be one of"),
        ({"source": "pubmed", "query": " \n"}, "query must be a text that is not blank"),
        ({"source": "pubmed", "query": 3}, "query must be a text that is not blank"),
        ({"source": "pubmed", "query": "a\x00b"}, "control character"),
        ({"source": "pubmed", "query": "x" * 20_001}, "20001 characters, at most 20000"),
        ({"source": "pubmed", "query": "x", "sinc": "2020-01-01"}, "perhaps since"),
        ({"source": "pubmed", "query": "x", "since": "01/02/2020"}, "a date like 2026-01-31"),
        ({"source": "pubmed", "query": "x", "since": "2020-02-30"}, "a date like 2026-01-31"),
        ({"source": "pubmed", "query": "x", "since": 20200101}, "a date like 2026-01-31"),
        (
            {"source": "pubmed", "query": "x", "since": "2020-01-02", "until": "2020-01-01"},
            "since 2020-01-02 is after until 2020-01-01",
        ),
        ({"source": "clinical_trials", "query": "x", "page_size": 1001}, "must be 1 to 1000"),
        ({"source": "pubmed", "query": "x", "page_size": 5001}, "must be 1 to 5000"),
        ({"source": "pubmed", "query": "x", "page_size": 0}, "must be 1 to 5000"),
        ({"source": "pubmed", "query": "x", "page_size": "10"}, "must be 1 to 5000"),
        ({"source": "pubmed", "query": "x", "page_size": True}, "must be 1 to 5000"),
        ({"source": "pubmed", "query": "x", "date_type": "dp"}, "one of edat, pdat, mdat"),
        ({"source": "clinical_trials", "query": "x", "date_type": "edat"}, "PubMed's alone"),
    ],
)
def test_a_wrong_message_is_refused_with_what_would_be_right(message: Any, told: str) -> None:
    with pytest.raises(FetchRequestError, match=re.escape(told)):
        parse_request(message)


def test_all_faults_of_a_message_are_told_at_once() -> None:
    with pytest.raises(FetchRequestError) as told:
        parse_request({"source": "x", "query": "", "page_size": -1})
    assert str(told.value).count(";") == 2


def test_a_key_has_no_place_in_a_message_and_is_not_repeated() -> None:
    with pytest.raises(FetchRequestError, match="unknown field 'api_key'") as told:
        parse_request({**MESSAGE, "api_key": "s3cret"})
    assert "s3cret" not in str(told.value)


def test_line_ends_in_a_query_are_blanks() -> None:
    one = FetchRequest(source="pubmed", query="aspirin\n  OR\tibuprofen ")
    assert one.term == "aspirin OR ibuprofen"
    assert one.label == FetchRequest(source="pubmed", query="aspirin OR ibuprofen").label


@pytest.mark.parametrize(
    "other",
    [
        FetchRequest(source="clinical_trials", query="aspirin"),
        FetchRequest(source="pubmed", query="aspirin OR x"),
        FetchRequest(source="pubmed", query="aspirin", page_size=10),
        FetchRequest(source="pubmed", query="aspirin", since=dt.date(2020, 1, 1)),
        FetchRequest(source="pubmed", query="aspirin", until=dt.date(2020, 1, 1)),
        FetchRequest(source="pubmed", query="aspirin", date_type="pdat"),
    ],
)
def test_requests_that_bring_something_else_have_other_labels(other: FetchRequest) -> None:
    assert other.label != FetchRequest(source="pubmed", query="aspirin").label


def test_a_default_said_aloud_is_still_the_default() -> None:
    said = FetchRequest(source="pubmed", query="aspirin", page_size=500, date_type="edat")
    assert said.label == FetchRequest(source="pubmed", query="aspirin").label


@given(
    st.sampled_from(["pubmed", "clinical_trials"]),
    st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"]), min_size=1).filter(
        str.strip
    ),
    st.dates(),
)
def test_any_query_names_files_that_belong_to_their_source(
    source: str, query: str, day: dt.date
) -> None:
    stem = FetchRequest(source=source, query=query).stem(day)
    assert re.fullmatch(r"[a-z0-9_]+_\d{4}-\d\d-\d\d_[a-z0-9-]+-[0-9a-f]{8}", stem)
    assert len(stem) < 120
    belongs = sources.source_of(f"{stem}_p0001.json.gz")
    assert belongs is not None
    assert belongs.name == source
