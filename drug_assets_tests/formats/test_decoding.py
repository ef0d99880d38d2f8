"""Bytes -> text: gzip is whole or refused, byte order marks count, bad bytes are flagged."""

from __future__ import annotations

import gzip
import hashlib
import io
import itertools
import zlib
from typing import TYPE_CHECKING
from unittest import mock

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from isal import isal_zlib

from drug_assets import formats
from drug_assets.formats import FormatError, decoding
from drug_assets_tests.support.frames import fields, issues, raw_rows
from drug_assets_tests.support.registry import PUBMED

if TYPE_CHECKING:
    from collections.abc import Iterator

CSV = b"id,title,date,journal\n" + b"".join(
    b"%d,Study of compound %d,2020-01-01,Journal\n" % (i, i * 7919) for i in range(40)
)


def _text(data: bytes) -> str:
    return "".join(decoding.Text("f", decoding.unpack("f", data)))


def test_gzip_is_undone_whatever_the_name() -> None:
    assert raw_rows("pubmed.csv.gz", gzip.compress(CSV)).height == 40
    assert raw_rows("pubmed.csv", gzip.compress(CSV)).height == 40
    assert raw_rows("PUBMED.CSV.GZ", gzip.compress(CSV)).height == 40


def test_gzip_members_one_behind_the_other_are_one_file() -> None:
    packed = gzip.compress(CSV[:500]) + gzip.compress(CSV[500:]) + b"\0" * 512
    assert (
        raw_rows("pubmed.csv.gz", packed)
        .drop("source_file")
        .equals(raw_rows("pubmed.csv", CSV).drop("source_file"))
    )


def test_members_that_pack_well_may_follow_each_other() -> None:
    long = CSV * 300
    for packed in (gzip.compress(long), gzip.compress(long) + gzip.compress(CSV)):
        assert b"".join(decoding.unpack("f", packed * 2)) == gzip.decompress(packed) * 2
    with mock.patch.object(isal_zlib, "decompressobj", zlib.decompressobj):
        assert b"".join(decoding.unpack("f", gzip.compress(long) * 2)) == long * 2


@settings(max_examples=80)
@given(st.data())
def test_gzip_cut_at_any_byte_is_refused(data: st.DataObject) -> None:
    packed = gzip.compress(CSV)
    cut = data.draw(st.integers(0, len(packed) - 1))
    # One byte is not enough to be known as gzip.
    told = f"cut gzip: the file ends at byte {cut}," if cut > 1 else ".* do not begin, at byte 0,"
    with pytest.raises(FormatError, match=rf"^pubmed\.csv\.gz: {told}"):
        raw_rows("pubmed.csv.gz", packed[:cut])


def test_a_damaged_gzip_names_the_byte() -> None:
    packed = bytearray(gzip.compress(CSV))
    packed[-6] ^= 0xFF  # in the checksum
    with pytest.raises(
        FormatError, match=rf"pubmed.csv.gz: damaged gzip at byte {len(packed) - 5}"
    ):
        raw_rows("pubmed.csv.gz", bytes(packed))


@settings(max_examples=80)
@given(st.data())
def test_a_damaged_gzip_is_refused_or_reads_the_same(data: st.DataObject) -> None:
    packed = bytearray(gzip.compress(CSV, mtime=0))
    packed[data.draw(st.integers(0, len(packed) - 1))] ^= data.draw(st.integers(1, 255))
    try:
        unpacked = b"".join(decoding.unpack("f.gz", bytes(packed)))
    except FormatError as error:
        refused = str(error)
    else:
        refused = "f.gz: " if unpacked == CSV else "other bytes, without a word"
    assert refused.startswith("f.gz: ")


@pytest.mark.slow
@given(
    st.sampled_from([0, 1, 300]),
    st.integers(1, 3),
    st.lists(st.tuples(st.floats(0, 1, exclude_max=True), st.integers(1, 255)), max_size=2),
    st.floats(0, 1) | st.just(1.0),
    st.sampled_from([b"", b"\0" * 9, b"x", b"\x1f\x8b"]),
)
@settings(max_examples=100)
def test_zlib_decides_what_is_damaged_and_where(
    times: int, members: int, flips: list[tuple[float, int]], kept: float, rest: bytes
) -> None:
    packed = bytearray(gzip.compress(CSV * times, mtime=0) * members)
    for place, flip in flips:
        packed[int(place * len(packed))] ^= flip
    landed = bytes(packed[: round(kept * len(packed))] + rest)

    def unpack() -> tuple[bytes, str | None]:
        unpacked = b""
        try:
            for chunk in decoding.unpack("f", landed):
                unpacked += chunk
        except FormatError as error:
            return unpacked, str(error)
        return unpacked, None

    found = unpack()
    with mock.patch.object(isal_zlib, "decompressobj", zlib.decompressobj):
        unpacked, refused = unpack()
    assert found[1] == refused
    assert found[0].startswith(unpacked)
    assert refused or found[0] == unpacked


@pytest.mark.parametrize("flag", [0x20, 0x40, 0x80])
@pytest.mark.parametrize("before", [b"", gzip.compress(CSV)])
def test_flags_that_mean_nothing_are_damage(before: bytes, flag: int) -> None:
    packed = bytearray(gzip.compress(CSV))
    packed[3] |= flag
    with pytest.raises(FormatError, match=f"at byte {len(before) + 3} .*flags"):
        raw_rows("pubmed.csv.gz", before + bytes(packed))


def test_what_follows_gzip_is_not_dropped() -> None:
    packed = gzip.compress(CSV)
    with pytest.raises(FormatError, match=f"from byte {len(packed)} on"):
        raw_rows("pubmed.csv.gz", packed + b"more")


#: Bytes that do not pack, so that their gzip is longer than what is unpacked at once.
LONG = b"".join(hashlib.sha256(bytes([n % 251, n // 251])).digest() for n in range(22_000))


def test_a_long_gzip_is_undone_in_chunks_of_bounded_size() -> None:
    packed = gzip.compress(LONG)
    for data, unpacked in ((LONG, LONG), (packed, LONG), (packed * 2, LONG * 2)):
        chunks = list(decoding.unpack("f", data))
        assert max(map(len, chunks)) <= 256 * 1024
        assert b"".join(chunks) == unpacked


def test_a_gzip_whose_header_is_long_is_undone() -> None:
    packed = io.BytesIO()
    with gzip.GzipFile("n" * 300_000, "wb", fileobj=packed) as file:
        file.write(CSV)
    assert b"".join(decoding.unpack("f", packed.getvalue())) == CSV


@pytest.mark.parametrize(
    "before", [b"", gzip.compress(b"a"), gzip.compress(LONG)], ids=["first", "second", "late"]
)
def test_the_place_of_damage_is_told_in_a_long_file(before: bytes) -> None:
    packed = bytearray(before + gzip.compress(LONG))
    size = len(packed)
    with pytest.raises(FormatError, match=f"cut gzip: the file ends at byte {size - 9}, before"):
        list(decoding.unpack("f.gz", bytes(packed[: size - 9])))
    with pytest.raises(FormatError, match=f"what stands from byte {size} on is not gzip"):
        list(decoding.unpack("f.gz", bytes(packed) + b"\0\0x"))
    packed[size - 6] ^= 0xFF
    with pytest.raises(FormatError, match=rf"damaged gzip at byte {size - 5} \("):
        list(decoding.unpack("f.gz", bytes(packed)))


@pytest.mark.parametrize("members", [1, 3])
def test_a_file_may_unpack_to_the_limit(members: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(decoding, "MAX_UNPACKED_BYTES", 3000)
    packed = gzip.compress(b"x" * (3000 // members)) * members
    assert len(b"".join(decoding.unpack("f", packed))) == 3000
    with pytest.raises(FormatError, match=r"more than 3000 bytes \(reached at byte \d+ of"):
        list(decoding.unpack("f", packed + gzip.compress(b"x")))


def test_unpacked_chunks_can_be_asked_for_again() -> None:
    unpacked = decoding.Unpacked("f", gzip.compress(LONG))
    assert b"".join(unpacked) == b"".join(unpacked) == LONG


@pytest.mark.parametrize("size", [1, 7, 300, 100_000])
@pytest.mark.parametrize(
    "packed",
    [CSV, gzip.compress(CSV), gzip.compress(b"") * 3 + gzip.compress(CSV) + b"\0" * 20],
    ids=["plain", "packed", "members"],
)
def test_a_file_may_be_opened_in_chunks_of_any_size(packed: bytes, size: int) -> None:
    opened = 0

    def chunks() -> Iterator[bytes]:
        nonlocal opened
        opened += 1
        yield b""
        yield from (packed[at : at + size] for at in range(0, len(packed), size))

    rows = pl.concat(formats.read(PUBMED.record_shape(), "pubmed.csv", chunks))
    assert rows.equals(raw_rows("pubmed.csv", packed))
    assert formats.detect_format(PUBMED.record_shape(), "pubmed.csv", chunks) == "csv"
    assert opened == 3


def test_members_without_content_may_come_first() -> None:
    packed = gzip.compress(b"") * 4000 + gzip.compress(CSV)
    assert len(packed) > 64 * 1024
    assert raw_rows("pubmed.csv.gz", packed).height == 40
    with pytest.raises(FormatError, match=f"cut gzip: the file ends at byte {len(packed) - 9}"):
        raw_rows("pubmed.csv.gz", packed[:-9])


def test_only_the_beginning_of_a_file_is_unpacked_to_detect_its_format() -> None:
    taken = 0

    def chunks() -> Iterator[bytes]:
        nonlocal taken
        while True:
            taken += 1
            yield CSV

    assert formats.detect_format(PUBMED.record_shape(), "pubmed.csv", chunks) == "csv"
    assert taken < 100


def test_a_name_in_gz_without_gzip_is_refused() -> None:
    with pytest.raises(FormatError, match=r"pubmed.csv.gz: not the format it claims.*byte 0"):
        raw_rows("pubmed.csv.gz", CSV)


@pytest.mark.slow
def test_a_bomb_is_refused_while_it_unpacks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(decoding, "MAX_UNPACKED_BYTES", 10 * 2**20)
    bomb = gzip.compress(b"\0" * (64 * 2**20))
    chunks = decoding.unpack("f.gz", bomb)
    seen = [len(chunk) for chunk in itertools.islice(chunks, 10 * 2**20 // (256 * 1024))]
    assert max(seen) <= 256 * 1024
    with pytest.raises(FormatError, match=r"f\.gz: unpacks to more than 10485760 bytes"):
        next(chunks)


@given(st.lists(st.binary(min_size=1)))
def test_chunks_made_ahead_are_the_same(chunks: list[bytes]) -> None:
    assert list(decoding.read_ahead(iter(chunks))) == chunks


def test_what_goes_wrong_ahead_is_told_when_its_turn_comes() -> None:
    def chunks() -> Iterator[bytes]:
        yield b"one"
        raise FormatError("f", "no second one")

    made = decoding.read_ahead(chunks())
    assert next(made) == b"one"
    with pytest.raises(FormatError, match="f: no second one"):
        next(made)


def test_chunks_nobody_asks_for_are_not_all_made() -> None:
    made: list[int] = []

    def chunks() -> Iterator[bytes]:
        for number in range(100):
            made.append(number)
            yield bytes([number])

    some = decoding.read_ahead(chunks())
    next(some)
    del some
    assert len(made) < 10


@given(st.binary(max_size=300), st.integers(0, 9))
def test_unpacking_undoes_packing(data: bytes, level: int) -> None:
    packer = zlib.compressobj(level, wbits=31)
    packed = packer.compress(data) + packer.flush()
    assert b"".join(decoding.unpack("f", packed)) == data


@pytest.mark.slow
@given(st.text())
def test_text_is_read_as_it_was_written(text: str) -> None:
    assert _text(b"\xef\xbb\xbf" + text.encode()) == text
    assert _text(b"\xff\xfe" + text.encode("utf-16-le")) == text
    assert _text(b"\xfe\xff" + text.encode("utf-16-be")) == text


@given(st.text(), st.integers(1, 7), st.sampled_from(["utf-8", "utf-16"]))
def test_characters_may_lie_across_chunks(text: str, size: int, encoding: str) -> None:
    data = text.encode(encoding)
    chunks = [data[i : i + size] for i in range(0, len(data), size)]
    assert "".join(decoding.Text("f", chunks)) == text.removeprefix("\ufeff")


@given(st.binary())
def test_any_bytes_are_text_of_their_size(data: bytes) -> None:
    text = decoding.Text("f", [data])
    try:
        whole = "".join(text)
    except FormatError:
        assert data[:2] in (b"\xff\xfe", b"\xfe\xff")
        assert len(data) % 2
    else:
        assert text.start + text.size(whole) == len(data)


def test_utf_16_that_ends_inside_a_character_is_refused() -> None:
    with pytest.raises(FormatError, match=r"f\.csv: ends inside a UTF-16 character at byte 14"):
        raw_rows("f.csv", b"\xff\xfe" + "title\n".encode("utf-16-le") + b"a")


@pytest.mark.parametrize("size", [1, 2, 3, 5, 100])
@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be"])
def test_the_byte_at_which_utf_16_ends_is_told_for_any_size_of_chunks(
    size: int, encoding: str
) -> None:
    data = "\ufefftitle\nab".encode(encoding) + b"a"
    chunks = [data[start : start + size] for start in range(0, len(data), size)]
    with pytest.raises(FormatError, match=r"f: ends inside a UTF-16 character at byte 18 of"):
        list(decoding.Text("f", chunks))


@pytest.mark.parametrize(
    ("text", "repaired", "found"),
    [
        ("é", "é", []),
        ("\udce9", "é", ["not_utf8"]),
        ("\udc00", "\ufffd", ["invalid_unicode"]),
        ("\udc7f\udbff", "\ufffd\ufffd", ["invalid_unicode"]),
        ("\ud800\udc80", "\ufffd€", ["not_utf8", "invalid_unicode"]),
        ("\udcff\udfff", "ÿ\ufffd", ["not_utf8", "invalid_unicode"]),
    ],
)
def test_what_is_no_character_is_repaired_by_its_kind(
    text: str, repaired: str, found: list[str]
) -> None:
    assert decoding.repair(text) == (repaired, found)
    assert decoding.has_surrogates(text) == bool(found)


def test_bytes_that_are_not_utf_8_are_windows_1252_and_flag_their_record_only() -> None:
    data = "id,title\n1,Étude\n2,".encode() + b"\x80tude \xe9\x81\n" + "3,\u00e9\u0152\n".encode()
    rows = raw_rows("pubmed.csv", data)
    assert rows["title"].to_list() == ["Étude", "€tude é\x81", "éŒ"]
    assert issues(rows) == [[], ["not_utf8"], []]


@pytest.mark.slow
@given(st.integers(0x80, 0xFF))
def test_every_stray_byte_has_a_character(byte: int) -> None:
    stray = bytes([byte])
    undefined = b"\x81\x8d\x8f\x90\x9d"  # in Windows-1252
    character = chr(byte) if stray in undefined else stray.decode("cp1252")
    (title,) = raw_rows("pubmed.csv", b"title\nabc" + stray + b"\n")["title"]
    assert title == f"abc{character}"


def test_half_a_utf_16_pair_is_replaced_and_flagged() -> None:
    data = b"\xff\xfe" + "id,title\n1,a".encode("utf-16-le") + b"\x00\xd8" + b"\n\0"
    rows = raw_rows("pubmed.csv", data)
    assert fields(rows, "id", "title") == [("1", "a\ufffd")]
    assert issues(rows) == [["invalid_unicode"]]
