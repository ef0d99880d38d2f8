"""JSON: every record becomes a row, in all layouts; a damaged record does not affect others."""

from __future__ import annotations

import json
import re
from itertools import pairwise
from typing import TYPE_CHECKING

import polars as pl
import pytest
from hypothesis import HealthCheck, assume, example, given, settings
from hypothesis import strategies as st

from drug_assets.formats import FormatError, json_document, json_records
from drug_assets.formats import raw_rows as batching
from drug_assets_tests.support.frames import fields, issues, raw_rows
from drug_assets_tests.support.registry import DRUGS, PUBMED

if TYPE_CHECKING:
    from collections.abc import Sequence

    from drug_assets.sources import Source

A, B = {"id": "1", "title": "a"}, {"id": "2", "title": "b"}
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=10),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3)
    ),
    max_leaves=5,
)
RECORDS = st.lists(
    st.dictionaries(st.sampled_from(["id", "title", "date", "other", "{x"]), VALUES), max_size=5
)


def _read(text: str, source: Source = PUBMED, name: str = "f.json") -> pl.DataFrame:
    return raw_rows(name, text.encode(), source)


@pytest.mark.parametrize(
    "text",
    [
        json.dumps([A, B]),
        json.dumps([A, B], indent=2),
        "\ufeff" + json.dumps([A, B]),
        f"{json.dumps(A)}\n{json.dumps(B)}\n",
        f"{json.dumps(A)}\r\n\r\n{json.dumps(B)}",
        f"{json.dumps(A)}{json.dumps(B)}",
        f"{json.dumps(A, indent=2)}\n{json.dumps(B, indent=2)}\n",
        f"  {json.dumps(A)}\n  {json.dumps(B)}\n",
        f"[{json.dumps(A)}]\n[{json.dumps(B)}]\n",
        f"{json.dumps(A)}\n\ufeff{json.dumps(B)}",
        f"[{json.dumps(A)},\n{json.dumps(B)},\n]\n",
        '[{"id": "1", "title": "a",}, {"id": "2", "title": "b" , } , ]',
        '{"id": "1", "title": "a",}\n{"id": "2", "title": "b",}\n',
        '{\n  "id": "1",\n  "title": "a",\n}\n{\n  "id": "2",\n  "title": "b",\n}',
    ],
)
def test_records_in_every_shape(text: str) -> None:
    rows = _read(text)
    assert fields(rows, "id", "title", "extra") == [("1", "a", None), ("2", "b", None)]
    assert issues(rows) == [[], []]


def test_a_single_object_is_a_record() -> None:
    assert fields(_read(json.dumps(A, indent=4)), "id", "title") == [("1", "a")]


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("9", "9"),
        ("1.50", "1.50"),
        ("-0", "-0"),
        ("1E+2", "1E+2"),
        ("9" * 5000, "9" * 5000),
        ("NaN", None),
        ("-Infinity", None),
        ("Infinity", None),
        ("true", "true"),
        ("false", "false"),
        ("null", None),
        ('""', ""),
        ('" \\u00e9\\ud83d\\ude00\\n\\u0000"', " é😀\n\0"),
        ('["x"]', "x"),
        ("[[1.50]]", "1.50"),
        ("[]", None),
    ],
)
def test_values_are_text_as_written(written: str, read: str | None) -> None:
    rows = _read(f'[{{"title": {written}, "other": {written}}}]')
    assert rows["title"].to_list() == [read]
    assert issues(rows) == [[]]


@pytest.mark.parametrize(
    ("written", "kept"),
    [
        ('{"b": [1.50, null, NaN], "a": "\\"é"}', '{"b":[1.50,null,null],"a":"\\"é"}'),
        ('["x", "y"]', '["x","y"]'),
        ('[{"#text": "x"}]', '[{"#text":"x"}]'),
        ("{}", "{}"),
    ],
)
def test_what_is_no_text_is_null_and_kept_beyond_the_fields(written: str, kept: str) -> None:
    rows = _read(f'[{json.dumps(A)}, {{"id": 2, "title": "b", "Journal": {written}}}]')
    assert fields(rows, "id", "title", "journal", "extra") == [
        ("1", "a", None, None),
        ("2", "b", None, f'{{"Journal":{kept}}}'),
    ]
    assert issues(rows) == [[], ["not_text"]]


def test_trailing_commas_inside_strings_and_below_records() -> None:
    rows = _read('[{"id": "1,}", "title": "a,]", "other": [1, 2,],},]')
    assert fields(rows, "id", "title", "extra") == [("1,}", "a,]", '{"other":[1,2]}')]


#: Any text, with what could be taken for the structure of a record more often than by chance.
ODD_TEXTS = st.text(max_size=8) | st.text(',}]{[:"\\\\ \\n/', max_size=8)


@pytest.mark.slow
@settings(max_examples=150)
@given(
    st.lists(st.tuples(ODD_TEXTS, ODD_TEXTS, ODD_TEXTS), min_size=1, max_size=4),
    st.sampled_from([",", " , ", ",\n", ",,"]),
    st.booleans(),
    st.booleans(),
)
@example([("", "x,}", ""), ("\n", "x,]", ",}")], ",", True, False)
@example([('"', ",}", '"}'), ("\\", ",]", "\\")], ",", False, True)
def test_every_text_of_a_record_with_trailing_commas_stays(
    records: list[tuple[str, str, str]], comma: str, in_array: bool, escaped: bool
) -> None:
    def write(value: object) -> str:
        return json.dumps(value, ensure_ascii=escaped)

    objects = [
        f'{{"id":{write(one)},"title":{write(two)},"other":[{write(three)}{comma}]{comma}}}'
        for one, two, three in records
    ]
    text = f"[{comma.join(objects)}{comma}]" if in_array else "\n".join(objects)
    rows = _read(text)
    assert fields(rows, "id", "title") == [(one, two) for one, two, _ in records]
    assert [json.loads(extra) for extra in rows["extra"]] == [
        {"other": [three]} for _, _, three in records
    ]
    assert issues(rows) == [[]] * len(records)


def test_lists_of_synonyms_are_joined_with_bars() -> None:
    text = (
        '[{"drug": "a", "synonyms": ["b", "c"]}, {"drug": "a", "synonyms": [1]}, {"synonyms": []}]'
    )
    assert _read(text, DRUGS)["synonyms"].to_list() == ["b|c", "1", None]


@pytest.mark.parametrize(
    ("given", "text"),
    [
        ([{"UI": "D016428", "name": "Review"}, {"UI": "D9", "name": "A, b"}], "Review|A, b"),
        ([{"#text": "Review", "@UI": "Letter"}, "Letter"], "Review|Letter"),
        ({"type": "Review", "date": "2020-01-02", "main": True}, "Review"),
        ([{"name": "Phase 2"}], "Phase 2"),
        ({"D016428": "Review"}, "Review"),
        # Which text is meant cannot be told.
        ([{"name": "Review"}, {"name": "Letter", "language": "English"}], None),
        ([{"UI": "D016428", "rank": "1"}], None),
        ([{"name": None, "language": "English"}], None),
        ([{"name": " ", "language": "English"}], None),
        ([{"name": {"en": "Review"}}], None),
        ([{"name": "Review"}, ["Letter"]], None),
    ],
)
def test_an_object_in_a_list_stands_for_its_one_text(given: object, text: str | None) -> None:
    rows = _read(json.dumps([{"title": "T", "publication_types": given}]))
    assert rows["publication_types"].to_list() == [text]
    assert issues(rows) == [[] if text else ["not_text"]]
    # Its keys, and its other values, are kept.
    assert json.loads(rows["extra"][0]) == {"publication_types": given}


@pytest.mark.parametrize(
    ("given", "text"),
    [
        ([{"value": "1234-5679", "type": "print"}, {"value": "2049-3630"}], "1234-5679|2049-3630"),
        ([{"value": "1234-5679", "linking": "2049-3630"}], None),
        ([{"value": "none", "type": "print"}], None),
    ],
)
def test_the_text_of_an_object_is_that_of_the_form_of_its_field(
    given: object, text: str | None
) -> None:
    rows = _read(json.dumps([{"title": "T", "issn": given}]))
    assert rows["issn"].to_list() == [text]


@pytest.mark.parametrize("synonym", ["Alpha", "", "n/a", None])
def test_no_language_of_a_name_becomes_a_name(synonym: str | None) -> None:
    synonyms = [{"synonym": synonym, "language": "english"}]
    rows = _read(json.dumps([{"drug": "A", "synonyms": synonyms}]), DRUGS)
    assert rows["synonyms"].to_list() == [None]
    assert issues(rows) == [["not_text"]]


@pytest.mark.parametrize(
    ("listed", "text"),
    [
        ('["b"]', "b"),
        ('["", "b"]', "|b"),
        ('["b", null]', "b"),
        ("[null]", None),
        ("[null, null]", None),
        ("[1, 2.50]", "1|2.50"),
        ('[["b"]]', "b"),
        ('"b;c"', "b;c"),
    ],
)
def test_the_texts_of_a_list_are_joined(listed: str, text: str | None) -> None:
    rows = _read(f'[{{"drug": "a", "synonyms": {listed}}}]', DRUGS)
    assert fields(rows, "synonyms", "extra") == [(text, None)]
    assert issues(rows) == [[]]


@pytest.mark.parametrize(
    "listed", ['[{"a":""},"b"]', '{"a":["b"]}', '[["b"],["c"]]', "[true,false]"]
)
def test_a_list_is_joined_only_if_all_of_it_is_text(listed: str) -> None:
    rows = _read(f'[{{"drug": "a", "synonyms": {listed}}}]', DRUGS)
    assert fields(rows, "synonyms", "extra") == [(None, f'{{"synonyms":{listed}}}')]
    assert issues(rows) == [["not_text"]]


def test_keys_match_as_headers_do_and_unknown_ones_go_to_extra() -> None:
    rows = _read('{"PMID": 1, "Title": "a", "zebra": 1.50, "apple": ["é"], "": null}')
    assert fields(rows, "id", "title") == [("1", "a")]
    assert rows["extra"].to_list() == ['{"#5":null,"apple":["é"],"zebra":1.50}']


def test_the_first_of_duplicate_keys_counts() -> None:
    rows = _read('[{"id": 1, "title": "a", "id": 2, "x": 4, "x": 5}, {"id": 6}]')
    assert rows["id"].to_list() == ["1", "6"]
    assert rows["extra"].to_list() == ['{"id":2,"x":4,"x#5":5}', None]
    assert issues(rows) == [["duplicate_key"], []]


@pytest.mark.parametrize(
    "damaged",
    [
        '{"id": oops}',
        '{"id": "1" "title": "x"}',
        "{'id': '1'}",
        '{"id": 1, "other": {"a": 1}, [}',
        '{"id": "x}',
        '{"id": 1, "title": "He said "no", twice"}',
        '{"id": 1',
        '{"id": 1, "other": [1, 2}',
        '{"id": 1, "other": {"a": 1}',
        '{"id": 1, "title": "\\x41 {"}',
        "junk",
    ],
)
def test_a_damaged_record_costs_no_other(damaged: str) -> None:
    for text in (
        f"[{json.dumps(A)}, {damaged}, {json.dumps(B)}]",
        f"[\n  {json.dumps(A)},\n  {damaged},\n  {json.dumps(B)}\n]",
        f"{json.dumps(A)}\n{damaged}\n{json.dumps(B)}\n",
    ):
        rows = _read(text)
        assert rows["title"].to_list() == ["a", None, "b"]
        assert issues(rows) == [[], ["invalid_json"], []]
        assert json.loads(rows["extra"][1]) == {"raw": damaged}


def test_a_damaged_object_of_several_lines_costs_no_other() -> None:
    damaged = '{\n  "id": oops,\n  "title": "x"\n}'
    rows = _read(f"{json.dumps(A, indent=2)}\n{damaged}\n{json.dumps(B, indent=2)}\n")
    assert rows["title"].to_list() == ["a", None, "b"]
    assert json.loads(rows["extra"][1]) == {"raw": damaged}


@pytest.mark.parametrize("value", ["1", '"a"', "null", "[1,{}]", "1.50"])
def test_an_element_that_is_no_object_is_a_row(value: str) -> None:
    rows = _read(f"[{json.dumps(A)}, {value}, {json.dumps(B)}]")
    assert rows["id"].to_list() == ["1", None, "2"]
    assert rows["extra"].to_list() == [None, f'{{"value":{value}}}', None]
    assert issues(rows) == [[], ["not_an_object"], []]


def test_lone_surrogates_are_replaced_and_flagged() -> None:
    rows = _read('[{"title": "a\\ud800"}, {"other": "\\udc80", "id": ["\\udfff"]}, {"title": "b"}]')
    assert fields(rows, "id", "title", "extra") == [
        (None, "a\ufffd", None),
        ("\ufffd", None, '{"other":"\ufffd"}'),
        (None, "b", None),
    ]
    assert issues(rows) == [["invalid_unicode"], ["invalid_unicode"], []]


def test_bytes_that_are_not_utf_8_flag_their_record_only() -> None:
    data = b'[{"title": "\xe9t\xe9"}, {"title": "\xc3\xa9"}, {"title": "\xe9" oops}]'
    rows = raw_rows("f.json", data)
    assert rows["title"].to_list() == ["été", "é", None]
    assert json.loads(rows["extra"][2]) == {"raw": '{"title": "é" oops}'}
    assert issues(rows) == [["not_utf8"], [], ["invalid_json", "not_utf8"]]


@pytest.mark.parametrize("depth", [400, 900, 2_000, 100_000])
def test_deep_nesting_costs_its_record_only(depth: int) -> None:
    deep = '{"title": ' + "[" * depth + "]" * depth + "}"
    rows = _read(f"[{json.dumps(A)}, {deep}, {json.dumps(B)}]")
    assert rows["id"].to_list() == ["1", None, "2"]
    assert rows["title"].to_list() == ["a", None, "b"]
    assert issues(rows)[1] in ([], ["invalid_json"])


@pytest.mark.parametrize(
    ("text", "where"),
    [
        ('[{"id": 1},\n{"id": 2}', "line 2, byte 21 of its text, inside an array"),
        ('[{"id": 1},\n{"id": 2},\n', "line 3, byte 23 of its text, inside an array"),
        ('[{"id": 1}, {"title": "ab]}', "line 1, byte 27 of its text, inside a string"),
        ('{"id": "é"}\n{"id": 2, "ti', "line 2, byte 26 of its text, inside a record"),
        ('{\n  "id": 1,\n', "line 3, byte 13 of its text, inside a record"),
        ("{\n", "line 2, byte 2 of its text, inside a record"),
        ('{"id": oops, "title": "}"', "line 1, byte 25 of its text, inside a record"),
        ('{"id": oops, "title": "}" ', "line 1, byte 26 of its text, inside a record"),
        ('[1]\n{"id": oops, "a": [1, "]"', "line 2, byte 29 of its text, inside a record"),
        ('\ufeff[{"id": 1}', "line 1, byte 13 of its text, inside an array"),
    ],
)
def test_a_cut_file_is_refused_with_its_end(text: str, where: str) -> None:
    with pytest.raises(FormatError, match=re.escape(f"f.json: cut: ends at {where}")):
        _read(text)


#: Records of every kind, sound and damaged, in an array and one after the other.
ARRAY = (
    b'[{"id": -Infinity, "title": "\\ud83d\\ude00\\ud800"}, NaN, 12, {"id": oops, "a": ["x", {}]},'
    b' {"title": "\xe9\xc3\xa9", "date": 1.5e3,},, "a\\\\", {"id": "x} , '
    b'{"id": 3, "b": [1, 2,]}, true]'
)
STREAM = (
    b'{"id": -Infinity, "title": "\\ud83d\\ude00"}\n{"id": oops, "a": ["x"]}\r\n'
    b'  {"title": "\xe9"}\n'
    b'-Infinity\n123\n{"id": "x}\n\n{"id": 4,\n "b": {}\n}\n{"id": {"x": 1}\n{"id": 5}'
)


@pytest.mark.parametrize("data", [ARRAY, STREAM], ids=["array", "stream"])
def test_a_file_may_be_cut_into_blocks_at_any_place(data: bytes) -> None:
    shape = PUBMED.record_shape()

    def read(*blocks: bytes) -> pl.DataFrame:
        (rows,) = json_records.read_batches(shape, "f.json", blocks)
        return rows

    whole = read(data)
    assert whole.height >= 8
    for cut in range(1, len(data)):
        assert read(data[:cut], data[cut:]).equals(whole), cut
    assert read(*(data[place : place + 1] for place in range(len(data)))).equals(whole)


def test_objects_of_very_many_layouts_are_read() -> None:
    records = [{f"key {n % 1500}": n, "id": n} for n in range(3000)]
    records[0]["title"] = 1
    rows = _read(json.dumps(records))
    assert fields(rows, "id", "extra") == [
        (str(n), f'{{"key {n % 1500}":{n}}}') for n in range(3000)
    ]


def test_a_damaged_last_line_that_ended_is_a_row() -> None:
    rows = _read('{"id": 1, "title": "a"}\n{"id": 2, "ti\n')
    assert issues(rows) == [[], ["invalid_json"]]


@pytest.mark.slow
@settings(max_examples=100)
@given(st.lists(st.dictionaries(st.sampled_from(["id", "x"]), VALUES), min_size=1), st.data())
@example([{"id": "}]\ud800"}], None)
def test_an_array_cut_anywhere_is_refused(
    records: list[dict[str, object]], data: st.DataObject | None
) -> None:
    text = json.dumps(records)
    cuts = [data.draw(st.integers(1, len(text) - 1))] if data else range(1, len(text))
    for cut in cuts:
        with pytest.raises(FormatError, match=r"f\.json: cut"):
            _read(text[:cut])


@pytest.mark.slow
@settings(max_examples=100)
@given(st.dictionaries(st.sampled_from(["id", "x"]), VALUES), st.data(), st.none() | st.just(2))
def test_an_object_cut_anywhere_is_refused(
    record: dict[str, object], data: st.DataObject, indent: int | None
) -> None:
    text = json.dumps(record, indent=indent)
    with pytest.raises(FormatError, match=r"f\.json: cut"):
        _read(text[: data.draw(st.integers(1, len(text) - 1))])


def _bare(value: object) -> object:
    """The one value of a list, or of an object that only names its type as MongoDB does."""
    while isinstance(value, (list, dict)) and len(value) == 1:
        (first,) = value
        if isinstance(value, list):
            value = first
        elif first.startswith("$"):
            value = value[first]
        else:
            break
    return value


def _as_text(value: object) -> str | None:
    value = _bare(value)
    if value is None or isinstance(value, str):
        return value
    return None if isinstance(value, (list, dict)) else json.dumps(value)


@pytest.mark.slow
@settings(max_examples=150)
@given(RECORDS, st.sampled_from(["array", "indented", "lines", "pretty"]), st.integers(1, 60))
def test_what_json_writes_is_read(records: list[dict[str, object]], shape: str, chunk: int) -> None:
    records = [dict(A), *records]
    text = {
        "array": lambda: json.dumps(records),
        "indented": lambda: json.dumps(records, indent=1, ensure_ascii=False),
        "lines": lambda: "\n".join(map(json.dumps, records)),
        "pretty": lambda: "\n".join(json.dumps(r, indent=2) for r in records),
    }[shape]()
    assume("NaN" not in text)
    assume("Infinity" not in text)
    data = text.encode()
    chunks = [data[i : i + chunk] for i in range(0, len(data), chunk)]
    batches = list(json_records.read_batches(PUBMED.record_shape(), "f.json", chunks))
    rows = [row for batch in batches for row in batch.select("id", "title", "date", "extra").rows()]
    assert [row[:3] for row in rows] == [
        tuple(_as_text(record.get(field)) for field in ("id", "title", "date"))
        for record in records
    ]
    assert [json.loads(row[3] or "{}") for row in rows] == [
        {
            key: value
            for key, value in record.items()
            if key in ("other", "{x")
            or (_as_text(value) is None and _bare(value) not in (None, []))
        }
        for record in records
    ]


@pytest.mark.slow
@settings(max_examples=100)
@given(st.lists(st.sampled_from([json.dumps(A), "1", "{oops}", '{"id": "x}']), max_size=8))
def test_every_sound_line_of_a_stream_is_a_row(lines: list[str]) -> None:
    rows = _read("\n".join([json.dumps(B), *lines]) + "\n", name="f.ndjson")
    assert rows["id"].to_list().count("1") == lines.count(json.dumps(A))


def test_batches_are_bounded_and_counted_through(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(batching, "BATCH_RECORDS", 1000)
    records = [{"id": i, "title": f"title number {i}"} for i in range(5_500)]
    assert _read(json.dumps(records))["id"].to_list() == [str(i) for i in range(5_500)]
    assert _heights(json.dumps(records)) == [1000] * 5 + [500]
    assert _heights(json.dumps(records[:2000])) == [1000, 1000]


def _heights(text: str) -> list[int]:
    shape = PUBMED.record_shape()
    return [each.height for each in json_records.read_batches(shape, "f.json", [text.encode()])]


def test_batches_of_long_records_are_bounded_by_their_characters(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(batching, "BATCH_CHARS", 1000)
    records = [{"title": "x" * (250 - len('{"title": ""}'))}] * 9
    assert _heights(json.dumps(records)) == [4, 4, 1]


def test_a_file_of_usual_size_is_one_batch() -> None:
    assert _heights(json.dumps([A] * 3000)) == [3000]
    assert _heights("[]") == [0]


@pytest.mark.slow
def test_a_record_without_end_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(json_document, "MAX_RECORD_CHARS", 100_000)
    with pytest.raises(FormatError, match=r"f.json: the record at line 2, byte 12 is longer than"):
        _read('[{"id": 1},\n{"id": [' + "1," * 400_000 + "]}]")


def test_an_id_of_a_database_does_not_hide_that_of_the_record() -> None:
    rows = _read('[{"_id":{"$oid":"5f1a"},"id":"7","title":"a","date":{"$date":"2020-01-02"}}]')
    assert fields(rows, "id", "title", "date") == [("7", "a", "2020-01-02")]
    assert issues(rows) == [[]]


#: Pieces of JSON, sound and damaged.
_PIECES = (
    *(
        '{"id":1,"title":"b"}',
        '{"id":"2","title":"d\n',
        '{"title":"c",}',
        '{"id":"3","title":"e" x}\n',
    ),
    *(
        '"results":[',
        '"data":{',
        '"a":',
        '"title":"a"',
        '"e":[1,2',
        '{"columns":["title"],"data":[',
    ),
    *('"', "\\", "{", "}", "[", "]", ",", ":", "},{", "}\n{", '": "', "\n  ", "\r", " ", "é"),
    *("null", "-Infinity", "1e", "9", "\\ud800\\udc00", '"x'),
)


@pytest.mark.slow
@pytest.mark.parametrize("deciding", [30, json_document._DECIDING_CHARS])
@settings(max_examples=100, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    start=st.sampled_from(["", "[", '{"results":[', ' {"a":1,"data":{"items":[\n']),
    pieces=st.lists(st.sampled_from(_PIECES), max_size=20),
    last=st.sampled_from(["", "]", "]}", '\n{"id":9,"title":"z"}\n', ',{"id":9,"title":"z"}]']),
    cuts=st.lists(st.integers(1, 200), unique=True, max_size=20).map(sorted),
)
def test_damaged_records_are_the_same_whatever_the_chunks(
    start: str,
    pieces: list[str],
    last: str,
    cuts: list[int],
    deciding: int,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(json_document, "_DECIDING_CHARS", deciding)
    data = "".join([start, *pieces, last]).encode()
    _check_chunks(data, cuts)


@pytest.mark.parametrize(
    "text",
    [
        # A string goes on in the next chunk, and what it holds is no end of its record.
        '[{"id":1,"title":"a" x, "date":"b, c} d"},{"id":2,"title":"b"}]',
        # What stands before a record on its line is forgotten, but not that something did.
        '{"id":1,"title":"a"}   {"id":2,"title":"b" x\n  {"id":3,"title":"c"}\n',
        # The same for the beginning of a line that holds the record alone.
        '\n   {"id":1,"title":"a" x\n  {"id":2,"title":"b"}\n',
        # A number goes on in the next chunk.
        '{"id":1,"title":"a"}1e9\n-1.5E+3 2.5\n12e-3',
        '{"count":1.5e+3,"results":[{"id":1,"title":"a"},1e9]}',
    ],
)
def test_the_end_of_a_damaged_record_is_the_same_whatever_the_chunks(text: str) -> None:
    data = text.encode()
    for cut in range(1, len(data)):
        _check_chunks(data, [cut])
    _check_chunks(data, range(1, len(data)))


def _check_chunks(data: bytes, cuts: Sequence[int]) -> None:
    """Check that the rows, or that there are none, do not depend on where the text is cut."""

    def read(places: Sequence[int]) -> pl.DataFrame | None:
        ends = [0, *(place for place in places if place < len(data)), len(data)]
        chunks = [data[start:end] for start, end in pairwise(ends)]
        try:
            return pl.concat(json_records.read_batches(PUBMED.record_shape(), "f.json", chunks))
        except FormatError:
            return None

    whole, cut = read([]), read(cuts)
    assert (whole is None) == (cut is None)
    assert whole is None or cut is None or whole.equals(cut)
