"""JSON whose records lie below the first level: read whole, or refused by name."""

from __future__ import annotations

import contextlib
import json
from typing import TYPE_CHECKING, Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from drug_assets.formats import FormatError, json_document, json_records, json_values
from drug_assets.formats.json_wrappers import MAX_DEPTH
from drug_assets_tests.support.frames import fields, issues, raw_rows
from drug_assets_tests.support.registry import CLINICAL_TRIALS, DRUGS, PUBMED

if TYPE_CHECKING:
    import re

A = {"id": "1", "title": "Aspirin in an invented test", "journal": "J"}
B = {"id": "2", "title": "Ibuprofen in another", "refs": [{"id": "8", "title": "no record"}]}
STUDY = {"protocolSection": {"identificationModule": {"nctId": "NCT1", "briefTitle": "x"}}}


def read(value: object, name: str = "pubmed.json") -> pl.DataFrame:
    text = value if isinstance(value, str) else json.dumps(value)
    return raw_rows(name, text.encode())


WRAPPED: dict[str, Any] = {
    "a list": [A, B],
    "results": {"count": 2, "results": [A, B]},
    "after": {"results": [A, B], "next": None, "facets": [{"name": "x", "count": 3}]},
    "deep": {"data": {"page": {"version": 3, "items": [A, B]}, "links": {"self": "x"}}},
    "europe pmc": {"version": "6.9", "request": {"q": "x"}, "resultList": {"result": [A, B]}},
    "pages": [{"results": [A]}, {"results": [B]}],
    "pages of pages": {"pages": [{"results": [A]}, {"results": []}, {"data": {"results": [B]}}]},
    "lists in a list": [[A], [B]],
    "by number": {"0": A, "1": B},
    "by id": {"header": {"type": "x"}, "result": {"uids": ["1", "2"], "1": A, "2": B}},
    "one by one": {"data": [{"record": A}, {"record": B}]},
    "table": {"schema": {"fields": [{"name": "id"}], "primaryKey": ["x"]}, "data": [A, B]},
}


@pytest.mark.parametrize("kind", WRAPPED)
@pytest.mark.parametrize("indent", [None, 1])
def test_records_are_found_however_they_are_wrapped(kind: str, indent: int | None) -> None:
    text = json.dumps(WRAPPED[kind], indent=indent)
    for document in (text, text + "\n", f"{text}\n{text}", text + text):
        rows = read(document)
        assert fields(rows, "id", "title")[:2] == [("1", A["title"]), ("2", B["title"])]
        assert rows.height == 2 * (document.count(text))
        assert rows["extra"][1] == '{"refs":[{"id":"8","title":"no record"}]}'
        assert not any(issues(rows))


@pytest.mark.parametrize("kind", WRAPPED)
def test_the_size_of_blocks_and_of_wrappers_makes_no_difference(
    kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = json.dumps(WRAPPED[kind], indent=1).encode()
    expected = read(data.decode())
    shape = PUBMED.record_shape()
    for deciding in (json_document._DECIDING_CHARS, len(data) // 3):
        monkeypatch.setattr(json_document, "_DECIDING_CHARS", deciding)
        for size in (1, 7, 100):
            blocks = [data[start : start + size] for start in range(0, len(data), size)]
            if kind == "table" and deciding < len(data):
                continue  # the list of a schema stands before that of the records
            rows = pl.concat(json_records.read_batches(shape, "pubmed.json", blocks))
            assert rows.equals(expected), (deciding, size)


def test_records_that_come_as_lists_of_values() -> None:
    split = {"columns": ["id", "title"], "index": [0, 1], "data": [["1", "a"], ["2", None]]}
    for value in (split, {"frame": split}, [split]):
        assert fields(read(value), "id", "title") == [("1", "a"), ("2", None)]
    rows = read({**split, "data": [["1", "a"], ["2"], 3]})
    assert rows["id"].to_list() == ["1", None, None]
    assert issues(rows) == [[], ["not_an_object"], ["not_an_object"]]
    with pytest.raises(FormatError, match=r"the rows of 'data' come before the names of their col"):
        read({"data": split["data"], "columns": split["columns"]})


def test_records_of_every_source_may_be_wrapped() -> None:
    rows = raw_rows("drugs.json", json.dumps({"drugs": [{"drug": "a"}]}).encode(), DRUGS)
    assert rows["drug"].to_list() == ["a"]
    for value in ({"data": {"studies": [STUDY]}}, {"NCT1": STUDY}, [{"studies": [STUDY]}]):
        rows = raw_rows("clinical_trials.json", json.dumps(value).encode(), CLINICAL_TRIALS)
        assert rows["id"].to_list() == ["NCT1"]


def test_a_record_is_no_wrapper_of_what_it_holds() -> None:
    rows = read([{"refs": [A, A], "title": "b"}, {"id": "3", "refs": [A]}])
    assert fields(rows, "id", "title") == [(None, "b"), ("3", None)]


@pytest.mark.parametrize("empty", ["", "[]", "\n", '{"results": []}', '{"data": {"items": []}}'])
def test_a_file_without_records_has_no_rows(empty: str) -> None:
    assert read(empty).height == 0


@pytest.mark.parametrize(
    ("value", "found"),
    [
        ({"name": "x", "tags": []}, "'name', 'tags'"),
        ({"count": 1, "idlist": ["1"]}, "'count', 'idlist'"),
        ({"results": [{"name": "x"}]}, "'results'"),
        ([1, "x", None], "no key"),
        ("{}", "no key"),
        ({"id": "x", "results": [A]}, "'id', 'results'"),
        ({"id": {"0": 1}, "title": {"0": "a"}}, "'id', 'title'"),
        ({"id": [1, 2], "title": ["a", "b"]}, "'id', 'title'"),
        ([{"id": n, "key": "secret"} for n in range(3)], "'id', 'key'"),
    ],
)
def test_a_file_in_which_no_record_has_a_title_is_refused(value: object, found: str) -> None:
    with pytest.raises(FormatError) as refused:
        read(value)
    assert f"pubmed.json: no record has 'title': found {found}; expected rec" in str(refused.value)
    assert "secret" not in str(refused.value)


@pytest.mark.parametrize(
    ("value", "why"),
    [
        ({"hits": [A], "others": [B]}, "records in several places, such as 'hits' and 'others'"),
        ({"a": {"list": [A]}, "b": {"list": [B]}}, "such as 'a.list' and 'b.list'"),
    ],
)
def test_what_cannot_be_told_is_refused(value: object, why: str) -> None:
    with pytest.raises(FormatError, match=why):
        read(value)


def test_a_long_object_that_turns_out_to_be_no_wrapper_is_refused(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(json_document, "_DECIDING_CHARS", 200)
    many = [A] * 20
    with pytest.raises(FormatError, match="'title' stands beside a list of records"):
        read({"refs": many, "title": "x"})
    with pytest.raises(FormatError, match="records in several places"):
        read({"refs": many, "results": many})
    with pytest.raises(FormatError, match="records in several places"):
        read({"refs": many, "meta": {"top": many}})
    assert read({"refs": many, "meta": {"top": [{"title": "x"}]}}).height == 20


@pytest.mark.parametrize(
    "page",
    [
        {"search": {"id": "7", "title": "mine"}, "results": [A, B]},
        {"results": [A, B], "search": {"id": "7", "title": "mine"}},
        {"search": {"id": "7", "title": "mine"}, "data": {"results": [A, B]}},
        {"data": {"deep": {"results": [A, B]}}, "more": {"results": [A]}},
    ],
)
def test_no_record_is_passed_over(page: object) -> None:
    with pytest.raises(FormatError, match="records in several places"):
        read(page)


def test_a_record_that_stands_alone_needs_no_id() -> None:
    page = {"status": "ok", "message": {"title": ["x"], "journal": "J", "links": [{"url": "u"}]}}
    assert read(page)["title"].to_list() == ["x"]
    assert read({"query": {"title": "q", "date": "2020"}, "results": []}).height == 0


@pytest.mark.parametrize(
    ("page", "words"),
    [
        ({"status": "error", "message": "Bad key", "results": []}, "Bad key"),
        ({"success": False, "reason": "limit"}, "limit"),
        ({"results": [A], "status": "failed"}, "failed"),
    ],
)
def test_a_page_that_says_that_it_failed_is_refused(page: object, words: str) -> None:
    with pytest.raises(FormatError, match=words):
        read(page)
    assert read({"status": "ok", "message": "Bad luck", "results": []}).height == 0


@pytest.mark.parametrize("wrap", [lambda v: v, lambda v: [A, v], lambda v: {"results": [A], **v}])
@pytest.mark.parametrize(
    ("error", "words"),
    [
        (
            {"error": "API rate limit exceeded", "api-key": "198.51.100.7"},
            "API rate limit exceeded",
        ),
        ({"error": {"code": 403, "message": "Forbidden"}}, "Forbidden"),
        ({"errors": [{"message": "No\nsuch\x1b field"}]}, r"No such\\x1b field"),
        ({"ERROR": "Invalid db", "key": "k12345"}, "Invalid db"),
        (
            {"error": "key k12345678901234 of 10.0.0.1 is not valid", "x": "10.0.0.1"},
            "key *** of ***",
        ),
        ({"faultstring": "x" * 999}, "x" * 200 + "…"),
        ({"error": True}, "true"),
    ],
)
def test_an_error_of_a_service_refuses_the_page(error: Any, words: str, wrap: Any) -> None:
    with pytest.raises(FormatError) as refused:
        read(wrap(error))
    message = str(refused.value)
    assert message.startswith("pubmed.json: line 1, byte ")
    assert words in message
    assert "198." not in message
    assert "12345" not in message


@pytest.mark.parametrize(
    "answer",
    [
        {"message": "Not found", "documentation_url": "https://x.test"},
        {"detail": "Too many"},
        {"type": "about:blank", "title": "Too many", "status": 429, "detail": "Wait"},
        {"status": "503", "title": "Too many", "type": "x"},
    ],
)
def test_an_answer_that_is_only_words_refuses_the_page(answer: object) -> None:
    for value in (answer, [A, answer]):
        with pytest.raises(FormatError, match=r"an error of the service .* in place of records"):
            read(value)


def test_an_error_of_one_record_is_its_row() -> None:
    rows = read(
        {
            "result": {
                "uids": ["1", "9"],
                "1": {"uid": "1", "title": "a"},
                "9": {"uid": "9", "error": "cannot get document summary"},
            }
        }
    )
    assert fields(rows, "id", "title") == [("1", "a"), ("9", None)]


@pytest.mark.parametrize("none", [None, "", [], {}, False, 0, "none"])
def test_an_error_that_is_none_is_no_error(none: object) -> None:
    assert read({"error": none, "status": "ok", "results": [A]}).height == 1
    assert read({"results": [A], "errors": none, "message": "ok"}).height == 1


def test_answers_of_the_former_api_of_the_registry_are_refused_with_the_cure() -> None:
    study = {
        "Study": {"ProtocolSection": {"IdentificationModule": {"NCTId": "NCT1", "BriefTitle": "x"}}}
    }
    for value in (
        {"FullStudiesResponse": {"FullStudies": [study]}},
        {"StudyFieldsResponse": {"N": 1}},
    ):
        with pytest.raises(FormatError, match=r"former API of ClinicalTrials\.gov.* API v2"):
            raw_rows("clinical_trials.json", json.dumps(value).encode(), CLINICAL_TRIALS)


def test_a_damaged_record_costs_no_other_of_its_page() -> None:
    rows = read('{"results": [{"id": "1", "title": "a"}, {"id": oops}, {"id": "2", "title": "b"}]}')
    assert rows["title"].to_list() == ["a", None, "b"]
    assert issues(rows) == [[], ["invalid_json"], []]
    data = b'{"n": 1, "results": [{"title": "\xe9"}, {"title": "a\x01"}, {"title": "b"}]}'
    rows = raw_rows("pubmed.json", data)
    assert rows["title"].to_list() == ["é", "a\x01", "b"]
    assert issues(rows) == [["not_utf8"], [], []]


RECORDS = st.lists(
    st.fixed_dictionaries(
        {"title": st.text(max_size=8)},
        optional={
            "id": st.text(max_size=4),
            "journal": st.none() | st.lists(st.text(max_size=3), max_size=2),
            "other": st.dictionaries(st.text(max_size=2), st.integers(), max_size=2),
        },
    ),
    min_size=1,
    max_size=5,
)


@pytest.mark.slow
@settings(max_examples=100)
@given(RECORDS, st.integers(0, 4))
def test_the_same_records_are_the_same_rows_in_every_layout(
    records: list[dict[str, object]], cut: int
) -> None:
    def dump(value: object) -> str:
        return json.dumps(value, ensure_ascii=False)

    lines = "".join(dump(record) + "\n" for record in records)
    expected = read(lines, "pubmed.ndjson").drop("source_file")
    for text in (
        dump(records),
        json.dumps(records, indent=1),
        dump({"total": len(records), "results": records}),
        dump({"data": {"page": {"hits": records}}, "next": None}),
        dump([{"results": [record]} for record in records]),
        dump(records[:cut]) + dump({"results": records[cut:]}),
        "".join(dump({"results": [record]}) + "\n" for record in records),
    ):
        assert read(text).drop("source_file").equals(expected), text


@pytest.mark.slow
@settings(max_examples=100)
@given(
    st.lists(st.text(st.characters(exclude_characters="\r\n", codec="utf-8"), max_size=12)),
    st.integers(0, 3),
)
def test_a_line_of_rubbish_changes_no_other_line(rubbish: list[str], place: int) -> None:
    sound = [json.dumps({"id": str(n), "title": f"title {n}"}) for n in range(4)]
    # A bracket opens a list, and a blank or closing line belongs to the record before it.
    rubbish = [line for line in rubbish if line.strip(" \t,\ufeff")[:1] not in ("", "[", "]", "}")]
    rubbish = [line for line in rubbish if line[:1] not in (" ", "\t")]
    lines = [*sound[:place], *rubbish, *sound[place:]]
    rows = read("\n".join(lines) + "\n", "pubmed.ndjson").filter(pl.col("title").is_not_null())
    assert fields(rows, "id", "title") == [(str(n), f"title {n}") for n in range(4)]


class _Counting:
    """A regular expression that counts the characters that it goes through."""

    def __init__(self, pattern: re.Pattern[str]) -> None:
        self._pattern = pattern
        self.characters = 0

    def match(self, text: str, start: int) -> re.Match[str] | None:
        match = self._pattern.match(text, start)
        self.characters += match.end() - start if match else 1
        return match


@pytest.mark.parametrize(
    "damaged",
    ['"' + '\\"' * 500, '"' + '\\"' * 500 + '" x', '"a" x ' * 200, '"' * 500, '{"a": "x\n' * 200],
)
def test_damaged_text_is_looked_through_once(damaged: str, monkeypatch: pytest.MonkeyPatch) -> None:
    counting = _Counting(json_values._STRING_ON_ITS_LINE)
    monkeypatch.setattr(json_values, "_STRING_ON_ITS_LINE", counting)
    json_values.find_element_end('{"id": oops ' + damaged + "}", 0, whole=True)
    assert 0 < counting.characters <= 2 * len(damaged) + 20


@pytest.mark.slow
def test_a_file_that_is_read_in_vain_again_and_again_is_refused(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(json_document, "_MAX_VAIN_CHARS", 10_000)
    with pytest.raises(FormatError, match="too many damaged records, none of which"):
        read(json.dumps(A) + "\n" + '{"a":[1,\n' * 20_000)
    assert read(json.dumps(A) + "\n" + '{"a":[1,}\n' * 20_000).height == 20_001


@pytest.mark.slow
def test_wrappers_are_looked_into_down_to_a_limit() -> None:
    deep = '{"a":[' * (MAX_DEPTH // 2 - 1) + json.dumps(A) + "]}" * (MAX_DEPTH // 2 - 1)
    assert read(deep)["id"].to_list() == ["1"]
    for depth in (MAX_DEPTH, 400, 5_000, 50_000):
        for before, after in (('{"a":[', "]}"), ('{"a":', "}"), ("[", "]")):
            with pytest.raises(FormatError, match=r"^pubmed\.json: "):
                read('{"x":' + before * depth + json.dumps(A) + after * depth + "}")


@settings(max_examples=100, deadline=None)
@given(
    st.lists(
        st.sampled_from(
            [
                '{"results":[',
                '{"title":"a"}',
                '{"id":',
                "[",
                "]",
                "}",
                ",",
                '"',
                ":",
                "\\",
                "1",
                "NaN",
                "\n",
                '"error"',
                '"columns":["title"]',
                '"data":',
                "{}",
                "\ud800",
                "\0",
                "\ufeff",
            ]
        ),
        max_size=20,
    ),
    st.integers(1, 30),
)
def test_nothing_but_a_format_error_is_raised(parts: list[str], size: int) -> None:
    data = "".join(parts).encode("utf-8", "surrogatepass")
    blocks = [data[start : start + size] for start in range(0, len(data), size)]
    shape = PUBMED.record_shape()
    with contextlib.suppress(FormatError):
        pl.concat(json_records.read_batches(shape, "pubmed.json", blocks))


def test_of_the_name_of_a_column_the_beginning_is_kept() -> None:
    long = "a" * 100
    data = {"columns": ["title", f"{long}b"], "data": [["1", "2"]]}
    rows = raw_rows("f.json", json.dumps(data).encode())
    assert rows["extra"].to_list() == [f'{{"{long}":"2"}}']
