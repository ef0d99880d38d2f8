"""Raw rows: the keys of `extra`, the order of read issues, and what is left blank."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drug_assets.formats import raw_rows
from drug_assets.terms import ReadIssue
from drug_assets_tests.support.frames import fields, issues
from drug_assets_tests.support.registry import PUBMED

SHAPE = PUBMED.record_shape()


@given(st.lists(st.sampled_from([*ReadIssue]), min_size=1))
def test_the_issues_of_a_row_are_sorted_and_each_is_told_once(found: list[ReadIssue]) -> None:
    rows = raw_rows.make_frame(SHAPE, "f", 1, 3, {}, {}, {1: found, 2: found[::-1]})
    expected = sorted({issue.value for issue in found})
    assert issues(rows) == [[], expected, expected]


def test_all_issues_at_once_are_sorted() -> None:
    found = sorted(ReadIssue, reverse=True)
    rows = raw_rows.make_frame(SHAPE, "f", 1, 1, {}, {}, {0: found})
    assert issues(rows) == [found[::-1]]


def test_repair_adds_to_the_issues_of_its_row() -> None:
    texts = ["sound", "a\ud800", None, "b\ud800"]
    other = ["\ud800", None, "sound", None]
    known = {1: [ReadIssue.SHORT_ROW], 2: [ReadIssue.LONG_ROW]}
    rows = raw_rows.make_frame(SHAPE, "f", 5, 4, {"title": texts, "id": other}, {}, known)
    assert fields(rows, "source_file", "source_row", "id", "title") == [
        ("f", 5, "\ufffd", "sound"),
        ("f", 6, None, "a\ufffd"),
        ("f", 7, "sound", None),
        ("f", 8, None, "b\ufffd"),
    ]
    assert issues(rows) == [
        ["invalid_unicode"],
        ["invalid_unicode", "short_row"],
        ["long_row"],
        ["invalid_unicode"],
    ]


def test_repair_reaches_the_values_beyond_the_fields() -> None:
    rows = raw_rows.make_frame(SHAPE, "f", 1, 2, {"title": ["a", "b"]}, {1: '{"x":"\ud800"}'})
    assert fields(rows, "title", "extra") == [("a", None), ("b", '{"x":"\ufffd"}')]
    assert issues(rows) == [[], ["invalid_unicode"]]


@pytest.mark.parametrize(
    ("taken", "name", "key"),
    [
        (set(), "Note", "Note"),
        (set(), " Note ", " Note "),
        (set(), "", "#7"),
        (set(), " \t", "#7"),
        ({"Note"}, "note", "note"),
        ({"Note"}, "Note", "Note#7"),
        ({"Note", "Note#7"}, "Note", "Note#7#"),
        ({"Note", "Note#7", "Note#7#"}, "Note", "Note#7##"),
        ({"#7"}, "", "#7#"),
        ({"#7"}, " ", " #7"),
    ],
)
def test_a_key_beyond_the_fields_is_the_header_or_its_position(
    taken: set[str], name: str, key: str
) -> None:
    assert raw_rows.make_extra_key(taken, name, 7) == key


@given(st.dictionaries(st.text(), st.text()))
def test_members_are_valid_json_sorted_by_key(members: dict[str, str]) -> None:
    written = raw_rows.to_json_object([(key, json.dumps(text)) for key, text in members.items()])
    assert json.loads(written) == members
    assert list(json.loads(written)) == sorted(members)


def test_a_file_without_records_is_refused_by_its_keys_and_the_words_of_its_service() -> None:
    keys = ["error\x1b", "error\x1b", *(f"key {number}" for number in range(30))]
    error = raw_rows.no_record_error(SHAPE, "pubmed/a.json", keys, "API rate limit exceeded")
    message = str(error)
    assert message.startswith("pubmed/a.json: no record has 'title': found 'error\\x1b', 'key 0', ")
    assert "'key 18' and 11 more; expected records of pubmed with id, title, " in message
    assert "an error of the service that it is from: 'API rate limit exceeded'." in message
    assert "found no key;" in str(raw_rows.no_record_error(SHAPE, "a.json", []))
