"""One landed file, read to its part: in batches, within limits, with an account of what was odd."""

from __future__ import annotations

import gzip
import hashlib
import os
import weakref
from itertools import count
from typing import TYPE_CHECKING, Any

import polars as pl
import pytest

from drug_assets import formats
from drug_assets.engines.local import LocalMachine
from drug_assets.formats import raw_rows
from drug_assets.storage import landing
from drug_assets.storage.contract_gate import ContractBrokenError
from drug_assets.storage.objects import ChangedObjectError, LocalFolder
from drug_assets_tests.support import runs
from drug_assets_tests.support.registry import PUBMED

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

HEADER = b"id,title,date,journal\n"


class Places:
    """A landing zone and a store."""

    def __init__(self, folder: Path) -> None:
        self.landing = runs.landing_zone(folder / "landing")
        self.store = folder / "store"

    def land(self, name: str, data: bytes) -> None:
        (self.landing / name).write_bytes(data)

    def read(self) -> landing.Landed:
        zone = LocalFolder(self.landing, must_exist=True)
        return landing.read_landing_zone(zone, LocalFolder(self.store), LocalMachine())

    def problems(self) -> list[str]:
        with pytest.raises(landing.UnreadableFilesError) as raised:
            self.read()
        return raised.value.problems

    def told(self, name: str) -> dict[str, Any]:
        """The row of a landed file."""
        return self.read().files.row(by_predicate=pl.col("source_file") == name, named=True)

    def kept(self) -> list[str]:
        """The parts of PubMed, and what is left of any that was begun."""
        folder = self.store / ".kept" / "raw_pubmed"
        return [path.name for path in sorted(folder.iterdir())] if folder.exists() else []


@pytest.fixture
def places(tmp_path: Path) -> Places:
    return Places(tmp_path)


def batch(first_row: int, rows: int = 100) -> pl.DataFrame:
    titles = [f"On compound {n}" for n in range(rows)]
    return raw_rows.make_frame(
        PUBMED.record_shape(), "pubmed.csv", first_row, rows, {"title": titles}
    )


def replace_reader(
    monkeypatch: pytest.MonkeyPatch, batches: Callable[[], Iterator[pl.DataFrame]]
) -> None:
    """Read PubMed's files by another reader."""
    read = formats.read

    def other(shape: Any, name: str, *data: Any) -> Iterator[pl.DataFrame]:
        return batches() if name.startswith("pubmed") else read(shape, name, *data)

    monkeypatch.setattr(formats, "read", other)


@pytest.mark.slow
def test_batches_are_written_as_they_come(places: Places, monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[weakref.ref[pl.DataFrame]] = []
    most = 0

    def batches() -> Iterator[pl.DataFrame]:
        nonlocal most
        for number in range(200):
            frame = batch(1 + 123 * number, 123)
            made.append(weakref.ref(frame))
            most = max(most, sum(one() is not None for one in made))
            yield frame

    replace_reader(monkeypatch, batches)
    landed = places.read()
    rows = landed.raw["pubmed"].rows(LocalFolder(places.store)).collect()
    assert rows["source_row"].to_list() == list(range(1, 123 * 200 + 1))
    assert most < 20


@pytest.mark.slow
def test_the_bytes_of_a_part_are_those_of_its_file(tmp_path: Path) -> None:
    lines = b"".join(b"%d,On compound %d,2020,J\n" % (n, n) for n in range(70_000))
    for place in ("a", "b"):
        places = Places(tmp_path / place)
        places.land("pubmed.csv", HEADER + lines)
        places.read()
    names = [Places(tmp_path / place).kept() for place in ("a", "b")]
    assert len(names[0]) == 1
    assert names[0] == names[1]  # they end with the checksums of the parts


@pytest.mark.parametrize("first_rows", [(1, 1), (1, 102), (2,), (0,)], ids=str)
def test_rows_that_do_not_count_on_are_not_written(
    first_rows: tuple[int, ...], places: Places, monkeypatch: pytest.MonkeyPatch
) -> None:
    replace_reader(monkeypatch, lambda: map(batch, first_rows))
    with pytest.raises(ContractBrokenError, match="raw_pubmed was not written"):
        places.read()
    assert places.kept() == []


def test_a_file_that_ends_badly_leaves_no_part(
    places: Places, monkeypatch: pytest.MonkeyPatch
) -> None:
    def batches() -> Iterator[pl.DataFrame]:
        yield from (batch(1 + 100 * number) for number in range(20))
        raise formats.FormatError("pubmed.csv", "cut")

    replace_reader(monkeypatch, batches)
    assert places.problems() == ["pubmed.csv: cut"]
    assert places.kept() == []


@pytest.mark.parametrize(
    "error",
    [RecursionError("deep"), MemoryError(), KeyError("of content"), pl.exceptions.PanicException()],
    ids=lambda error: type(error).__name__,
)
@pytest.mark.parametrize("after", [0, 3])
def test_a_defect_of_a_reader_names_the_file_and_the_others_are_read(
    error: BaseException, after: int, places: Places, monkeypatch: pytest.MonkeyPatch
) -> None:
    def batches() -> Iterator[pl.DataFrame]:
        yield from (batch(1 + 100 * number) for number in range(after))
        raise error

    replace_reader(monkeypatch, batches)
    places.land("drugs_2.json", b"\x00")
    drugs, pubmed = places.problems()
    assert drugs.startswith("drugs_2.json: ")
    kind = type(error).__name__
    assert pubmed.startswith(
        f"pubmed.csv: its records cannot be read, by a defect in the reader: {kind} at test_reading"
    )
    assert "of content" not in pubmed
    assert places.kept() == []


def test_a_defect_in_telling_the_format_names_the_file(
    places: Places, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: Any) -> str:
        raise RecursionError

    monkeypatch.setattr(formats, "detect_format", fail)
    problems = places.problems()
    assert len(problems) == 3
    assert all("its format cannot be read, by a defect" in problem for problem in problems)


@pytest.mark.parametrize("error", [KeyboardInterrupt(), OSError("broken disk")], ids=repr)
def test_what_is_no_defect_of_a_reader_is_raised(
    error: BaseException, places: Places, monkeypatch: pytest.MonkeyPatch
) -> None:
    def batches() -> Iterator[pl.DataFrame]:
        yield batch(1)
        raise error

    replace_reader(monkeypatch, batches)
    with pytest.raises(type(error), match=str(error) or None):
        places.read()
    assert places.kept() == []


@pytest.mark.parametrize("ends_badly", [False, True])
def test_a_file_that_is_written_while_it_is_read_leaves_no_part(
    places: Places, monkeypatch: pytest.MonkeyPatch, ends_badly: bool
) -> None:
    """A part is found by the bytes that its file had when it was listed, also by later runs."""

    def batches() -> Iterator[pl.DataFrame]:
        yield batch(1)
        (places.landing / "pubmed.csv").write_bytes(HEADER)
        os.utime(places.landing / "pubmed.csv", (1, 1))
        if ends_badly:
            raise formats.FormatError("pubmed.csv", "cut")

    replace_reader(monkeypatch, batches)
    with pytest.raises(ChangedObjectError):
        places.read()
    assert places.kept() == []


@pytest.mark.parametrize(
    ("name", "record", "start", "end"),
    [
        ("pubmed.csv.gz", b"\n", HEADER, b""),
        ("pubmed.json.gz", b"{}\n", b"", b""),
        ("pubmed.json.gz", b"1,", b"[", b"1]"),
        ("pubmed.xml.gz", b"<PubmedArticle/>", b"<PubmedArticleSet>", b"</PubmedArticleSet>"),
    ],
    ids=["csv", "ndjson", "json", "xml"],
)
@pytest.mark.slow
def test_a_packed_file_of_more_rows_than_its_bytes_can_hold_is_refused_at_once(
    name: str, record: bytes, start: bytes, end: bytes, places: Places
) -> None:
    packed = gzip.compress(start + record * 500_000 + end)
    assert len(packed) < 50_000
    places.land(name, packed)
    read: list[int] = []
    batches = formats.read(PUBMED.record_shape(), name, packed, len(packed))
    with pytest.raises(formats.FormatError, match=rf"{name}: holds more than \d+ records in"):
        read.extend(rows.height for rows in batches)
    most = formats.FREE_ROWS + len(packed)
    assert sum(read) <= most
    (problem,) = places.problems()
    assert f"{name}: holds more than {most} records" in problem


def test_no_file_that_is_not_packed_holds_too_many_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(formats, "FREE_ROWS", 1)
    for name, data in (
        ("pubmed.csv", HEADER + b"\n" * 2000),
        ("pubmed.json", b'{"title":1}' * 1000),
        ("pubmed.json", b'[{"title":1},' + b"1," * 1000 + b"1]"),
    ):
        batches = formats.read(PUBMED.record_shape(), name, data, len(data))
        assert sum(rows.height for rows in batches) >= 1000, name


def test_no_honest_packed_file_holds_too_many_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(formats, "FREE_ROWS", 1)
    numbers = count(1)
    dense = b"pmid,title\n" + b"".join(b"%d,a\n" % next(numbers) for _ in range(20_000))
    packed = gzip.compress(dense, 9)
    rows = sum(b.height for b in formats.read(PUBMED.record_shape(), "p.csv", packed, len(packed)))
    assert rows == 20_000


def test_odd_rows_are_counted_by_issue_and_unread_columns_named(places: Places) -> None:
    lines = b"1,On a,2020,J,x,y\n\n2,On b\n3,\xe9,2020,J,x,y\n4,On d,2020,J,,z,more,and more\n"
    places.land("pubmed.csv", b"id,title,date,journal,Shelf,Seen by\n" + lines)
    for _ in range(2):  # also where the part is kept
        told = places.told("pubmed.csv")
        issues = {one["issue"]: one["rows"] for one in told["read_issues"]}
        assert issues["blank_row"] == 1
        assert issues["not_utf8"] == 1
        assert issues["short_row"] == 1
        assert list(issues) == sorted(issues)
        assert told["unread_fields"] == ["Seen by", "Shelf"]


def test_columns_that_known_exports_have_are_no_unread_ones(places: Places) -> None:
    places.land(
        "pubmed.csv", b"PMID,Title,Journal/Book,Publication Year,PMCID,Pages,Shelf\n1,a,b,2020,,,\n"
    )
    assert places.told("pubmed.csv")["unread_fields"] == ["Shelf"]


def test_columns_beside_the_one_of_their_field_are_no_unread_ones(places: Places) -> None:
    places.land("pubmed.csv", b"id,pmid,title,journal,Seen by\nx1,1,a,b,c\n")
    assert places.told("pubmed.csv")["unread_fields"] == ["Seen by"]


def test_members_from_which_fields_are_taken_are_no_unread_ones(places: Places) -> None:
    journal = '{"dateOfPublication": "2022 Nov", "journal": {"title": "J"}, "volume": "3"}'
    known = f'"pmid": "1", "title": "a", "journalInfo": {journal}, "isOpenAccess": "N"'
    record = f'{{{known}, "rating": 5}}'
    places.land("pubmed.json", f'{{"resultList": {{"result": [{record}]}}}}'.encode())
    assert places.told("pubmed.json")["unread_fields"] == ["rating"]


def test_keys_of_json_are_listed_up_to_a_limit(places: Places) -> None:
    keys = [f"key {n}" for n in range(70)]
    records = ",".join(f'{{"title": "a", "{key}": 1}}' for key in keys)
    places.land("pubmed.json", f"[{records}]".encode())
    assert places.told("pubmed.json")["unread_fields"] == keys[:50]


def test_a_file_is_hashed_as_it_is_read(places: Places) -> None:
    data = b'[{"id": 1, "title": "On a"}]' + b" " * 3_000_000
    for name in ("pubmed.json", "vouchers.bin", "pubmed.unknown"):
        places.land(name, b"." * 2_000_000 if name == "pubmed.unknown" else data)
        expected = (places.landing / name).read_bytes()
        assert places.told(name)["sha256"] == hashlib.sha256(expected).hexdigest()
