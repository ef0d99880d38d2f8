"""The format of a file is detected by content and name; if they contradict, it is refused."""

from __future__ import annotations

import copy
import gzip
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from drug_assets import formats
from drug_assets.formats import FormatError, detect_format
from drug_assets_tests.support.frames import raw_rows
from drug_assets_tests.support.registry import DRUGS, PUBMED

if TYPE_CHECKING:
    from collections.abc import Callable

SHAPE = PUBMED.record_shape()
CSV = b"id,title\n1,Aspirin\n"
JSON = b'[{"id": 1, "title": "Aspirin"}]'
ZIP = b"PK\x03\x04\x14\x00\x08\x08"
PARQUET = b"PAR1\x15\x04\x15\x20"
XML = b'<?xml version="1.0"?>\n<PubmedArticleSet/>\n'
NAMES = ("pubmed.csv", "pubmed.tsv", "pubmed.txt", "pubmed.json", "pubmed.ndjson", "pubmed.jsonl")


@pytest.mark.parametrize("pack", [bytes, gzip.compress])
@pytest.mark.parametrize(
    ("name", "content", "expected"),
    [
        ("pubmed.csv", CSV, "csv"),
        ("pubmed.TSV", b"id\ttitle\n", "csv"),
        ("pubmed.txt", CSV, "csv"),
        ("pubmed.csv", b"title\nAspirin, again\n", "csv"),
        ("pubmed.csv", b"[id],[title]\n1,Aspirin\n", "csv"),
        ("pubmed.json", JSON, "json"),
        ("pubmed.ndjson", b'{"id": 1}\n', "json"),
        ("pubmed.jsonl", b'damaged\n{"id": 1}\n', "json"),
        ("pubmed", CSV, "csv"),
        ("pubmed.export", JSON, "json"),
        ("pubmed.v2", b'\n {"id": 1}', "json"),
        ("pubmed", b"\xff\xfe" + "id;title\n1;Aspirin\n".encode("utf-16-le"), "csv"),
        ("pubmed.log", b"Nothing of interest.\n", None),
        ("pubmed.xlsx", ZIP, None),
        ("pubmed.parquet", PARQUET, None),
        ("pubmed.pdf", b"%PDF-1.7\n", None),
        ("pubmed.bin", bytes(range(256)), None),
    ],
)
def test_format_by_name_and_content(
    name: str, content: bytes, expected: str | None, pack: Callable[[bytes], bytes]
) -> None:
    name += ".gz" if pack is gzip.compress else ""
    assert detect_format(SHAPE, name, pack(content)) == expected


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("pubmed.csv", JSON),
        ("pubmed.csv", b'{"id": 1}\n{"id": 2}\n'),
        ("pubmed.csv", ZIP),
        ("pubmed.tsv", PARQUET),
        ("pubmed.csv", XML),
        ("pubmed.json", CSV),
        ("pubmed.json", b"<!DOCTYPE html><html></html>"),
        ("pubmed.jsonl", b"12\n13\n"),
        ("pubmed.json", PARQUET),
    ],
)
def test_a_content_other_than_the_name_says_is_refused(name: str, content: bytes) -> None:
    with pytest.raises(FormatError, match=f"{name}: not the format it claims"):
        detect_format(SHAPE, name, content)
    with pytest.raises(FormatError, match=f"{name}: not the format it claims"):
        raw_rows(name, content)


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ("Dear Ann, thanks for it\nBye\n", None),
        ("Bye\nDear Ann, thanks for it\n", None),
        ("Dear Ann; thanks\nBye, Bob\n", None),
        ("id,title\n   \n1,x\n", "csv"),
        ("id,title\n", "csv"),
        ("id,title\n1,x\nno comma\n", "csv"),
        ("a, b;c\n1;2\n", "csv"),
        ("id\ttitle\n1\tx\n", "csv"),
        ("id|title\n1|x\n", "csv"),
        ("id,,title\n1,2,3\n", None),
        ("id, ,title\n1,2,3\n", None),
        ("id,title,\n1,2,3\n", None),
        ("{}", "json"),
        ('{ "id": 1}', "json"),
        ("{id: 1}", None),
        ("{", None),
        ("[]", "json"),
        ("[ [1]]", "json"),
        ("[{}]", "json"),
        ('["a"]', "json"),
        ("[-1]", "json"),
        ("[0.5]", "json"),
        ("[null]", "json"),
        ("[true]", "json"),
        ("[false]", "json"),
        ("[a]", None),
        ("[nil]", None),
        ("text, then\n{}", None),
    ],
)
def test_a_text_of_no_known_name_is_told_by_its_beginning(
    content: str, expected: str | None
) -> None:
    assert detect_format(SHAPE, "pubmed_notes.dat", content.encode()) == expected


@pytest.mark.parametrize(
    "content", ["some text {", "some text {\n} more", "some [text]\nand [more]", "x {}\ny {}\n"]
)
def test_a_brace_inside_a_line_begins_no_json(content: str) -> None:
    with pytest.raises(FormatError, match="holds no record of that format"):
        detect_format(SHAPE, "pubmed.json", content.encode())


@pytest.mark.parametrize("content", ["junk\n \t{", "\n\r\n [", "[junk", "{junk", "junk\n{"])
def test_a_line_that_begins_a_record_is_enough_for_json(content: str) -> None:
    assert detect_format(SHAPE, "pubmed.json", content.encode()) == "json"


@pytest.mark.parametrize(
    "magic",
    [
        *(b"PK\x03\x04", b"PK\x05\x06", b"PAR1", b"%PDF-", b"SQLite format 3", b"\xd0\xcf\x11\xe0"),
        *(b"BZh", b"\xfd7zXZ", b"\x28\xb5\x2f\xfd", b"7z\xbc\xaf", b"Obj\x01", b"ORC", b"ARROW1"),
        *(b"\x89PNG", b"\xff\xd8\xff", b"GIF8", b"Rar!"),
    ],
)
def test_a_known_signature_is_binary_whatever_follows(magic: bytes) -> None:
    assert detect_format(SHAPE, "pubmed", magic + b",title\n1,Aspirin\n") is None
    with pytest.raises(FormatError, match=r"named \.csv, but from byte 0 on its content is binary"):
        detect_format(SHAPE, "pubmed.csv", magic + b",title\n1,Aspirin\n")


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be"])
def test_utf_16_without_its_mark_is_refused_as_what_it_is(encoding: str) -> None:
    data = "id,title\n1,Aspirin in invented hearts\n".encode(encoding)
    with pytest.raises(FormatError, match=r"f\.csv: text in UTF-16 without a byte order mark"):
        raw_rows("f.csv", data)
    with pytest.raises(FormatError, match="is binary"):
        raw_rows("f.csv", bytes(range(1, 9)) * 8 + b"\0\1" * 500)


def test_what_is_packed_twice_is_binary() -> None:
    with pytest.raises(FormatError, match="is binary"):
        detect_format(SHAPE, "pubmed.csv.gz", gzip.compress(gzip.compress(CSV)))


@pytest.mark.parametrize(
    ("odd", "binary"),
    [
        (b"\x00" * 10, False),
        (b"\x00" * 11, True),
        (b"\x1f\x01\x08\x0e" * 3, True),
        (b"\t\n\x0b\x0c\r\x7f" * 9, False),
        (b"\x01" * 2 + b"\xe9 " * 30, False),
        (b"\x01" * 3 + b"\xe9 " * 20, False),
        (b"\x01" * 3 + b"\xe9 " * 21, True),
        (b"\xe9 " * 40, False),
    ],
)
def test_many_control_characters_are_binary_and_fewer_beside_stray_bytes(
    odd: bytes, binary: bool
) -> None:
    content = b"id,title\n" + odd
    content += b"x" * (100 - len(content))
    assert len(content) == 100
    if binary:
        with pytest.raises(FormatError, match="is binary"):
            detect_format(SHAPE, "pubmed.csv", content)
    else:
        assert detect_format(SHAPE, "pubmed.csv", content) == "csv"


@pytest.mark.parametrize(
    ("name", "content", "seen"),
    [
        ("pubmed.csv", JSON, "is json"),
        ("pubmed.csv", XML, "is pubmed_xml"),
        ("pubmed.json", CSV, "is csv"),
        ("pubmed.json", b"<!DOCTYPE html><html></html>", "is markup (XML or HTML)"),
        ("pubmed.csv", b" \n<html></html>", "is markup (XML or HTML)"),
        ("pubmed.csv", b"<!-- x -->", "is markup (XML or HTML)"),
        ("pubmed.jsonl", b"some words\n", "holds no record of that format"),
        ("pubmed.xml", b"some words\n", "holds no record of that format"),
    ],
)
def test_what_a_content_is_instead_is_told(name: str, content: bytes, seen: str) -> None:
    with pytest.raises(FormatError) as refused:
        detect_format(SHAPE, name, content)
    extension = name.removeprefix("pubmed")
    told = f"not the format it claims: named {extension}, but from byte 0 on its content {seen}. "
    assert str(refused.value).startswith(f"{name}: {told}")


@pytest.mark.parametrize(
    "content", [b"title\n<5 mg of aspirin>\n", b"<5 mg,title\n1,a\n", b"< i,title\n", b"<>,title"]
)
def test_a_sign_that_opens_no_tag_is_no_markup(content: bytes) -> None:
    assert detect_format(SHAPE, "pubmed.csv", content) == "csv"


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("pubmed.gz", "csv"),
        ("pubmed.csv.GZ", "csv"),
        ("pubmed.v1.CSV.gz", "csv"),
        ("a.json/pubmed", "csv"),
        ("a.json/pubmed.gz", "csv"),
    ],
)
def test_the_extension_is_that_of_the_name_without_gz(name: str, expected: str) -> None:
    assert detect_format(SHAPE, name, gzip.compress(CSV)) == expected


def test_the_extensions_that_are_read_are_named() -> None:
    known = ".csv, .json, .jsonl, .ndjson, .rrf, .tsv, .txt, .xml"
    with pytest.raises(FormatError) as refused:
        raw_rows("drugs.parquet", PARQUET, DRUGS)
    assert f"Land it as one of {known}, packed with gzip or not." in str(refused.value)


def test_a_format_that_is_not_read_is_refused_by_name() -> None:
    with pytest.raises(FormatError, match=r"pubmed.parquet: a format that is not read.*\.csv"):
        raw_rows("pubmed.parquet", PARQUET)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("content", [b"", b"\xef\xbb\xbf", b"\n\r\n ", b"\xff\xfe"])
def test_an_empty_file_has_no_rows(name: str, content: bytes) -> None:
    assert raw_rows(name, content).height == 0


def test_an_empty_file_of_no_known_name_has_no_format() -> None:
    assert detect_format(SHAPE, "pubmed", b"") is None


def test_a_head_may_end_anywhere() -> None:
    packed = gzip.compress("id,title\n1,é\n".encode() * 40_000)
    assert detect_format(SHAPE, "pubmed", packed[:1000]) == "csv"
    assert detect_format(SHAPE, "pubmed", "id,title\n1,é".encode()[:-1]) == "csv"


@pytest.mark.slow
@settings(max_examples=200)
@given(
    st.sampled_from(NAMES),
    st.sampled_from(
        [b"", b"title\n", b"id;title\n", b'[{"title": "', b"\xff\xfe", b"\xef\xbb\xbf"]
    ),
    st.binary(max_size=200)
    | st.text('"\n\r,;|\t{}[]:\\u0d8e1 ', max_size=80).map(str.encode)
    | st.text(max_size=80).map(lambda text: text.encode("utf-16-le", "surrogatepass")),
)
def test_any_bytes_are_read_or_refused_by_name(name: str, start: bytes, content: bytes) -> None:
    refused = f"{name}: "
    try:
        raw_rows(name, start + content)
    except FormatError as error:
        refused = str(error)
    assert refused.startswith(f"{name}: ")


def test_errors_survive_copying() -> None:
    error = FormatError("pubmed.csv", "cut")
    assert str(copy.copy(error)) == "pubmed.csv: cut"


def test_every_extension_has_one_format_or_kinds_of_xml() -> None:
    extensions = [
        extension for form in formats.FORMATS if not form.markup for extension in form.extensions
    ]
    assert len(extensions) == len(set(extensions))
    of_xml = {frozenset(form.extensions) for form in formats.FORMATS if form.markup}
    assert of_xml == {frozenset({".xml"})}
