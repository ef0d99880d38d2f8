"""The landing zone: every file accounted for, each parsed once, in an order of its own."""

from __future__ import annotations

import gzip
import hashlib
import json
import os
import re
import shutil
import socket
import tempfile
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from drug_assets import contracts, formats, sources
from drug_assets.engines.local import LocalMachine
from drug_assets.progress import Done
from drug_assets.sources.tables import TABLES
from drug_assets.storage import landing
from drug_assets.storage.kept.content_ids import ContentIds
from drug_assets.storage.landed_files import (
    compute_fingerprint,
    digest_contents,
    list_landed_objects,
)
from drug_assets.storage.landing import UnreadableFilesError, read_landing_zone
from drug_assets.storage.objects import LocalFolder, StorageError
from drug_assets_tests.support import runs
from drug_assets_tests.support.registry import PUBMED

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from drug_assets.formats import RecordShape

_NOBODY = 65534


class Places:
    """A landing zone and a store."""

    def __init__(self, folder: Path) -> None:
        self.landing = runs.landing_zone(folder / "landing")
        self.zone = LocalFolder(self.landing, must_exist=True)
        self.store = LocalFolder(folder / "store")

    def land(self, **files: str | bytes) -> None:
        runs.landing_zone(self.landing, {name.replace("__", "."): c for name, c in files.items()})

    def read(self) -> landing.Landed:
        return read_landing_zone(self.zone, self.store, LocalMachine())

    def rows(self, landed: landing.Landed, source: str) -> pl.DataFrame:
        """The raw rows of a source."""
        return landed.raw[source].rows(self.store).collect()


@pytest.fixture
def places(tmp_path: Path) -> Places:
    return Places(tmp_path)


@pytest.fixture
def parsed(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Names of the files that were parsed, in that order."""
    names: list[str] = []
    read = formats.read

    def noted(shape: RecordShape, name: str, *data: Any) -> Iterator[pl.DataFrame]:
        names.append(name)
        return read(shape, name, *data)

    monkeypatch.setattr(formats, "read", noted)
    return names


def row(landed: landing.Landed, name: str) -> dict[str, object]:
    return landed.files.row(by_predicate=pl.col("source_file") == name, named=True)


def test_every_source_has_its_rows_and_its_contract(places: Places) -> None:
    landed = places.read()
    heights = {source: places.rows(landed, source).height for source in landed.raw}
    assert heights == {"drugs": 3, "pubmed": 3, "clinical_trials": 2}
    for source in landed.raw:
        contract, rows = TABLES[f"raw_{source}"].contract, places.rows(landed, source)
        assert rows.schema == contracts.polars_schema(contract)
        contract.validate(rows)
    contracts.LandedFiles.validate(landed.files)


def test_a_landed_file_is_told_with_its_source_format_size_hash_and_rows(places: Places) -> None:
    places.land(
        pubmed_2__json='[{"id": 1, "title": "x"}]', drugs_2__csv__gz=gzip.compress(b"drug\n")
    )
    landed = places.read()
    for name, source, file_format, rows in (
        ("clinical_trials.csv", "clinical_trials", "csv", 2),
        ("drugs_2.csv.gz", "drugs", "csv", 0),
        ("pubmed_2.json", "pubmed", "json", 1),
    ):
        data = (places.landing / name).read_bytes()
        assert row(landed, name) == {
            "source_file": name,
            "source": source,
            "format": file_format,
            "size_bytes": len(data),
            "sha256": hashlib.sha256(data).hexdigest(),
            "raw_rows": rows,
            "read_issues": [],
            "unread_fields": [],
            "problem": None,
        }
    assert landed.files["source_file"].is_sorted()
    again = places.read()
    assert again.files.equals(landed.files), "also where the parts are kept"


def test_what_landed_is_told_as_the_number_of_files_and_their_fingerprint(places: Places) -> None:
    places.land(vouchers__csv="a,b\n")
    landed = places.read()
    fingerprint = compute_fingerprint(ContentIds(places.zone))
    assert json.loads(landed.state()) == {"files": 4, "fingerprint": fingerprint}


def test_one_file_or_several_that_cannot_be_read_are_told_in_whole_sentences() -> None:
    assert str(UnreadableFilesError(["a: cut"])) == (
        "1 file of the landing zone cannot be read:\n- a: cut\n"
        "Repair or remove them and run again; nothing was published."
    )
    assert str(UnreadableFilesError(iter(["a: cut", "b: odd"]))) == (
        "2 files of the landing zone cannot be read:\n- a: cut\n- b: odd\n"
        "Repair or remove them and run again; nothing was published."
    )


def test_problems_come_in_the_order_of_delivery_those_of_opening_first(places: Places) -> None:
    places.land(pubmed_10__json=b"\x00", pubmed_9__json=b"\x00", drugs_1__json=b"\x00")
    (places.landing / "pubmed_99.csv").symlink_to("nowhere")
    with pytest.raises(UnreadableFilesError) as raised:
        places.read()
    names = [problem.partition(": ")[0] for problem in raised.value.problems]
    assert names == ["pubmed_99.csv", "drugs_1.json", "pubmed_9.json", "pubmed_10.json"]


def test_each_source_has_readers_of_its_own_version(places: Places) -> None:
    versions = [landing.parser_version(source) for source in sources.ALL]
    assert len(set(versions)) == len(sources.ALL)
    assert versions == [landing.parser_version.__wrapped__(source) for source in sources.ALL]


@pytest.mark.parametrize(
    "changed",
    [
        {"aliases": {"pmid": "title"}},
        {"listed": frozenset({"publication_types", "issn"})},
        {"formats": ("csv",)},
        {"required": ("id",)},
        {"name": "other"},
    ],
    ids=["aliases", "lists", "formats", "required", "name"],
)
def test_a_source_that_reads_in_another_way_is_read_again(changed: dict[str, Any]) -> None:
    other = type("Other", (type(PUBMED),), {**changed, "__module__": type(PUBMED).__module__})()
    version = landing.parser_version.__wrapped__
    assert version(other) != version(PUBMED)
    same = type("Same", (type(PUBMED),), {"__module__": type(PUBMED).__module__})()
    assert version(same) == version(PUBMED)


def test_source_without_files_is_an_empty_table(tmp_path: Path) -> None:
    (tmp_path / "landing").mkdir()
    zone, store = LocalFolder(tmp_path / "landing"), LocalFolder(tmp_path / "store")
    landed = read_landing_zone(zone, store, LocalMachine())
    assert landed.files.is_empty()
    for source, parts in landed.raw.items():
        rows = parts.rows(store).collect()
        expected = contracts.polars_schema(TABLES[f"raw_{source}"].contract)
        assert (rows.schema, rows.height) == (expected, 0)


def test_missing_landing_zone_is_an_error(tmp_path: Path) -> None:
    zone = LocalFolder(tmp_path / "no", must_exist=True)
    with pytest.raises(StorageError, match="there is no folder"):
        read_landing_zone(zone, LocalFolder(tmp_path / "store"), LocalMachine())


def test_second_reading_parses_nothing_and_gives_the_same(
    places: Places, parsed: list[str]
) -> None:
    first = places.read()
    assert sorted(parsed) == ["clinical_trials.csv", "drugs.csv", "pubmed.csv"]
    parsed.clear()
    second = places.read()
    assert parsed == []
    assert second.files.equals(first.files)
    assert second.fingerprint == first.fingerprint
    assert second.raw == first.raw


def test_file_that_was_only_touched_is_not_parsed_again(places: Places, parsed: list[str]) -> None:
    places.read()
    os.utime(places.landing / "pubmed.csv", (1, 1))
    parsed.clear()
    places.read()
    assert parsed == []


def test_changed_file_alone_is_parsed_again(places: Places, parsed: list[str]) -> None:
    places.read()
    parsed.clear()
    places.land(pubmed__csv="id,title\n7,On change\n")
    landed = places.read()
    assert parsed == ["pubmed.csv"]
    assert places.rows(landed, "pubmed")["title"].to_list() == ["On change"]


def test_removed_file_leaves_no_rows(places: Places) -> None:
    places.read()
    (places.landing / "pubmed.csv").unlink()
    landed = places.read()
    assert places.rows(landed, "pubmed").is_empty()
    assert landed.files["source_file"].to_list() == ["clinical_trials.csv", "drugs.csv"]
    assert landed.raw["pubmed"].parts == ()


def test_other_readers_read_again(
    places: Places, parsed: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    places.read()
    parsed.clear()
    monkeypatch.setattr(landing, "parser_version", lambda source: f"of tomorrow, {source.name}")
    places.read()
    assert sorted(parsed) == ["clinical_trials.csv", "drugs.csv", "pubmed.csv"]


def test_same_bytes_under_two_names_are_two_files(places: Places) -> None:
    places.land(pubmed_2__csv=runs.SMALL["pubmed.csv"])
    landed = places.read()
    rows = places.rows(landed, "pubmed")
    assert rows.height == 6
    assert rows["source_file"].unique().sort().to_list() == ["pubmed.csv", "pubmed_2.csv"]
    assert row(landed, "pubmed.csv")["sha256"] == row(landed, "pubmed_2.csv")["sha256"]


def test_rows_come_in_natural_order_of_files(places: Places) -> None:
    for number in (10, 9, 1):
        places.land(**{f"pubmed_{number}__csv": f"id,title\n{number},x\n"})
    files = places.rows(places.read(), "pubmed")["source_file"].unique(maintain_order=True)
    assert files.to_list() == ["pubmed.csv", "pubmed_1.csv", "pubmed_9.csv", "pubmed_10.csv"]


class Shuffled:
    """A place that lists its objects in another order."""

    def __init__(self, folder: LocalFolder, order: list[int]) -> None:
        self._folder = folder
        self._order = order

    def __getattr__(self, name: str) -> object:
        return getattr(self._folder, name)

    def objects(self, prefix: str = "") -> list[object]:
        found = self._folder.objects(prefix)
        return [found[i % len(found)] for i in self._order] if found else []


@pytest.mark.slow
@settings(max_examples=8)
@given(order=st.permutations(range(5)))
def test_order_of_listing_changes_nothing(
    order: list[int], tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("order")
    places = Places(folder)
    places.land(pubmed_2__csv="id,title\n8,y\n", pubmed_10__csv="id,title\n9,z\n")
    expected = places.read()
    zone: object = Shuffled(places.zone, order)
    other = LocalFolder(folder / "other")
    found = read_landing_zone(zone, other, LocalMachine())  # type: ignore[arg-type]
    assert found.fingerprint == expected.fingerprint
    assert found.files.equals(expected.files)
    assert found.raw == expected.raw


def test_unreadable_files_are_all_named_after_the_others_were_read(
    places: Places, parsed: list[str]
) -> None:
    whole = gzip.compress(os.urandom(3_000))
    places.land(drugs_0__csv__gz=whole[:-200], a_pubmed__txt="", zz="", pubmed_2__json=b"\x00\x01")
    with pytest.raises(UnreadableFilesError) as raised:
        places.read()
    problems = raised.value.problems
    assert [problem.partition(": ")[0] for problem in problems] == [
        "drugs_0.csv.gz",
        "pubmed_2.json",
    ]
    assert all(f"- {problem}" in str(raised.value) for problem in problems)
    assert "2 files of the landing zone cannot be read" in str(raised.value)
    parsed.clear()
    for name in ("drugs_0.csv.gz", "pubmed_2.json"):
        (places.landing / name).unlink()
    places.read()
    assert parsed == [], "the good files were read, and are kept"


def test_parts_of_good_files_are_kept_while_a_file_cannot_be_read(
    places: Places, parsed: list[str]
) -> None:
    places.read()
    places.land(drugs__csv=b"PK\x03\x04")
    with pytest.raises(UnreadableFilesError, match=r"drugs\.csv"):
        places.read()
    parsed.clear()
    places.land(drugs__csv=runs.SMALL["drugs.csv"])
    places.read()
    assert parsed == []


def _bind_socket(path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as bound:
        bound.bind(str(path))


#: What makes a thing that cannot be opened, and what is told of it.
ODD: dict[str, tuple[Callable[[Path], object], str]] = {
    "link to nothing": (lambda p: p.symlink_to("nowhere"), "cannot be opened: a link to nothing"),
    "link to itself": (lambda p: p.symlink_to(p.name), "cannot be opened: a link to itself"),
    "pipe": (os.mkfifo, r"cannot be opened: a pipe \(FIFO\)"),
    "socket": (_bind_socket, "cannot be opened: a socket"),
    "device": (lambda p: p.symlink_to("/dev/zero"), "cannot be opened: a device"),
}


@pytest.mark.parametrize("kind", ODD)
def test_file_of_a_source_that_cannot_be_opened_is_told_for_what_it_is(
    places: Places, kind: str
) -> None:
    make, told = ODD[kind]
    make(places.landing / "pubmed_2.csv")
    with pytest.raises(UnreadableFilesError, match=rf"pubmed_2\.csv: {told}"):
        places.read()


@pytest.mark.parametrize("kind", ODD)
def test_file_of_no_source_that_cannot_be_opened_is_reported_and_stops_nothing(
    places: Places, kind: str
) -> None:
    make, told = ODD[kind]
    make(places.landing / "odd.csv")
    landed = places.read()
    found = row(landed, "odd.csv")
    assert re.fullmatch(told, str(found["problem"]))
    assert (found["source"], found["sha256"], found["raw_rows"]) == (None, None, 0)
    contracts.LandedFiles.validate(landed.files)
    assert compute_fingerprint(ContentIds(places.zone)) == landed.fingerprint


def test_name_that_is_no_text_is_told_as_far_as_it_goes(places: Places) -> None:
    with open(os.fsencode(places.landing) + b"/odd_\xff.csv", "wb"):  # noqa: PTH123
        pass
    landed = places.read()
    assert row(landed, r"odd_\udcff.csv")["problem"] == "its name is not UTF-8: rename it"
    with open(os.fsencode(places.landing) + b"/pubmed_\xff.csv", "wb"):  # noqa: PTH123
        pass
    with pytest.raises(UnreadableFilesError, match=r"pubmed_\\udcff\.csv: its name is not UTF-8"):
        places.read()
    assert len(compute_fingerprint(ContentIds(places.zone))) == 64


@pytest.fixture
def places_of_somebody(tmp_path: Path) -> Iterator[Places]:
    """Places of a user without privileges, whom this process becomes: root may read all."""
    folder = Path(tempfile.mkdtemp())
    user = os.geteuid()
    if user == 0:
        os.chown(folder, _NOBODY, _NOBODY)
        os.seteuid(_NOBODY)
    try:
        yield Places(folder)
    finally:
        os.seteuid(user)
        if user != 0:
            for path in folder.rglob("*"):
                path.chmod(0o700)
        shutil.rmtree(folder)


def test_what_may_not_be_read_and_is_of_no_source_is_reported(places_of_somebody: Places) -> None:
    places = places_of_somebody
    before = places.read().fingerprint
    for hidden in (".Trash-0", "a/.cache"):
        (places.landing / hidden).mkdir(parents=True, mode=0o755)
        (places.landing / hidden).chmod(0)
    assert places.read().fingerprint == before, "hidden folders are none of its business"
    (places.landing / "lost+found").mkdir(mode=0)
    places.land(odd__csv="x")
    (places.landing / "odd.csv").chmod(0)
    landed = places.read()
    assert {name: row(landed, name)["problem"] for name in ("lost+found", "odd.csv")} == {
        "lost+found": "cannot be opened: a folder that may not be read",
        "odd.csv": "cannot be opened: no permission to read it",
    }
    assert places.rows(landed, "pubmed").height == 3


def test_what_may_not_be_read_and_is_of_a_source_stops_the_run(places_of_somebody: Places) -> None:
    places = places_of_somebody
    places.read()
    (places.landing / "pubmed.csv").chmod(0)
    (places.landing / "clinical_trials").mkdir(mode=0)
    with pytest.raises(UnreadableFilesError) as raised:
        places.read()
    assert raised.value.problems == [
        "clinical_trials: cannot be opened: a folder that may not be read",
        "pubmed.csv: cannot be opened: no permission to read it",
    ]


def test_file_of_no_source_is_told_and_stops_nothing(places: Places) -> None:
    places.land(vouchers__csv="a,b\n1,2\n")
    problem = row(places.read(), "vouchers.csv")["problem"]
    assert problem == (
        "belongs to no source: begin its name, or its folder's, with drugs, pubmed, "
        "clinical_trials, ctg-studies"
    )


def test_file_of_a_format_that_is_not_read_is_told(places: Places) -> None:
    places.land(pubmed__parquet=b"PAR1....PAR1")
    told = row(places.read(), "pubmed.parquet")
    assert (told["source"], told["format"], told["raw_rows"]) == ("pubmed", None, 0)
    assert told["problem"] == "its format is not read as pubmed: write it as NDJSON"


def test_a_spreadsheet_and_a_table_that_names_no_drug_are_passed_over_with_a_word(
    places: Places,
) -> None:
    report = "medicines-output-medicines-report_en.xlsx"
    for name, data in ((report, b"PK\x03\x04"), ("RXNSAT.RRF", b"7|a|\n")):
        (places.landing / name).write_bytes(data)
    zone = places.read()
    assert row(zone, report)["problem"] == (
        "its format is not read as drugs: save the table as CSV"
    )
    assert row(zone, "RXNSAT.RRF")["problem"] == (
        "it holds attributes of RxNorm's concepts, and no names"
    )


def test_documentation_and_hidden_files_are_none_of_its_business(places: Places) -> None:
    before = compute_fingerprint(ContentIds(places.zone))
    runs.landing_zone(
        places.landing,
        {
            "README": "x",
            "Readme.txt": "x",
            "pubmed_notes.md": "x",
            ".pubmed.csv.swp": "x",
            ".git/pubmed.csv": "x",
        },
    )
    assert places.read().files.height == 3
    assert compute_fingerprint(ContentIds(places.zone)) == before


def test_file_belongs_to_the_source_of_its_folder(places: Places) -> None:
    runs.landing_zone(
        places.landing, {"Clinical_Trials 2021/été 1.csv": "id,title\nNCT9,On folders\n"}
    )
    landed = places.read()
    assert row(landed, "Clinical_Trials 2021/été 1.csv")["source"] == "clinical_trials"
    assert "On folders" in places.rows(landed, "clinical_trials")["scientific_title"].to_list()


@pytest.mark.parametrize(
    "change",
    [{"pubmed__csv": "id,title\n1,other\n"}, {"pubmed_2__csv": ""}, {"other__bin": b"\0"}],
)
def test_fingerprint_tells_any_change(places: Places, change: dict[str, str | bytes]) -> None:
    before = compute_fingerprint(ContentIds(places.zone))
    places.land(**change)
    assert compute_fingerprint(ContentIds(places.zone)) != before


def test_fingerprint_tells_a_file_that_was_renamed(places: Places) -> None:
    before = compute_fingerprint(ContentIds(places.zone))
    (places.landing / "pubmed.csv").rename(places.landing / "pubmed_1.csv")
    assert compute_fingerprint(ContentIds(places.zone)) != before


def test_fingerprint_is_of_names_and_contents_in_alphabetical_order() -> None:
    expected = hashlib.sha256("a\0x\nb\\udcff\0y\né\0z\n".encode()).hexdigest()
    contents = [("é", "z"), ("b\udcff", "y"), ("a", "x")]
    assert digest_contents(contents) == digest_contents(iter(contents[::-1])) == expected


def test_files_are_listed_in_the_order_of_delivery_without_documentation(places: Places) -> None:
    names = ("pubmed_10.csv", "pubmed_9.csv", "b/drugs.csv", "notes.md", ".hidden", "b/README")
    runs.landing_zone(places.landing, dict.fromkeys(names, ""))
    assert [found.name for found in list_landed_objects(places.zone)] == [
        *("b/drugs.csv", "clinical_trials.csv", "drugs.csv"),
        *("pubmed.csv", "pubmed_9.csv", "pubmed_10.csv"),
    ]


def test_fingerprint_does_not_depend_on_times(places: Places) -> None:
    before = compute_fingerprint(ContentIds(places.zone))
    for path in places.landing.iterdir():
        os.utime(path, (1, 1))
    assert compute_fingerprint(ContentIds(places.zone)) == before == places.read().fingerprint


def test_reading_is_reported_file_by_file_and_only_of_files_that_are_read(places: Places) -> None:
    reports: list[Done] = []

    def read() -> list[Done]:
        reports.clear()
        read_landing_zone(places.zone, places.store, LocalMachine(), report=reports.append)
        return list(reports)

    sizes = [path.stat().st_size for path in map(places.landing.joinpath, runs.SMALL)]
    told = read()
    assert [done.files for done in told] == [0, 1, 2, 3]
    assert {(done.of_files, done.of_bytes) for done in told} == {(3, sum(sizes))}
    assert sorted(b.size_bytes - a.size_bytes for a, b in pairwise(told)) == sorted(sizes)
    assert told[-1] == Done(3, 3, sum(sizes), sum(sizes), rows=8)
    assert read() == []
    places.land(pubmed_2__csv="id,title\n9,x\n", notes__txt="of no source")
    assert [(done.files, done.of_files, done.rows) for done in read()] == [
        (0, 2, 0), (1, 2, 0), (2, 2, 1)
    ]  # fmt: skip


@pytest.mark.processes
def test_files_are_read_alike_by_one_process_and_by_several(places: Places) -> None:
    places.land(**{f"pubmed_{number}__csv": f"id,title\n{number},x\n" for number in range(9)})
    alone = places.read()
    other = LocalFolder(places.landing.parent / "other")
    told: list[Done] = []
    engine = LocalMachine(worth_bytes=0)
    together = read_landing_zone(places.zone, other, engine, report=told.append)
    assert [done.files for done in told] == list(range(alone.files.height + 1))
    assert told[-1].rows == alone.files["raw_rows"].sum()
    assert together.files.equals(alone.files)
    assert together.raw == alone.raw
    rows = together.raw["pubmed"].rows(other).collect()
    assert rows.equals(places.rows(alone, "pubmed"))


@pytest.mark.processes
def test_a_damaged_file_among_those_that_several_processes_read_is_named(places: Places) -> None:
    places.land(**{f"pubmed_{number}__csv": f"id,title\n{number},x\n" for number in range(9)})
    places.land(pubmed_5__json=b"[{")
    with pytest.raises(UnreadableFilesError, match=r"- pubmed_5\.json: cut"):
        read_landing_zone(places.zone, places.store, LocalMachine(worth_bytes=0))
