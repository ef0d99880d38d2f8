"""Pulls of vocabularies: what lands, what is not pulled again, what is replaced, or refused."""

from __future__ import annotations

import dataclasses
import datetime as dt
import gzip
import json
import signal
import subprocess
import sys
import tempfile
import time
import tracemalloc
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from drug_assets import sources
from drug_assets.fetch import (
    VOCABULARIES,
    FetchError,
    LedgerError,
    ServiceRefused,
    ServiceUnavailable,
    VocabularyReport,
    fetch_vocabulary,
    unpacking,
)
from drug_assets.storage.destination import landing_destination
from drug_assets_tests.support import clouds
from drug_assets_tests.support.frames import raw_rows
from drug_assets_tests.support.loopback_services import (
    PATIENCE,
    Fault,
    Killed,
    LocalDestination,
    MortalDestination,
    Reply,
)
from drug_assets_tests.support.registry import DRUGS
from drug_assets_tests.support.vocabulary_owners import (
    OFFERS,
    Owner,
    large_mesh,
    listing,
    offer_bdpm,
    offer_mesh,
    offer_rxnorm,
    offer_unii,
    rxnorm_archive,
    zipped,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from drug_assets.fetch import Destination, Patience
    from drug_assets_tests.support.emulators import GcsEmulator

#: Small enough that the small files of tests come in several parts.
IN_PARTS = dataclasses.replace(PATIENCE, part=400)
MEBIBYTE = 1 << 20
DESC, SUPP = "mesh_2026-02-03_desc2026.xml.gz", "mesh_2026-02-03_supp2026.xml.gz"


@pytest.fixture
def owner() -> Iterator[Owner]:
    with Owner() as owner:
        yield owner


def pull(
    owner: Owner,
    vocabulary: str,
    place: Path | Destination,
    patience: Patience = IN_PARTS,
    path: str | None = None,
) -> VocabularyReport:
    owner.clock.slept.append(3600)  # since the pull before
    return fetch_vocabulary(
        VOCABULARIES[vocabulary],
        LocalDestination(place) if isinstance(place, Path) else place,
        base_url=owner.url + (OFFERS[vocabulary][1] if path is None else path),
        patience=patience,
        clock=owner.clock,
    )


def zone(folder: Path) -> dict[str, bytes]:
    """What the landing zone sees, unpacked."""
    return {
        path.name: gzip.decompress(path.read_bytes())
        for path in (folder / "drugs").glob("*")
        if not path.name.startswith(".")
    }


def kept(folder: Path) -> list[str]:
    """Files that the pulls keep, besides their record."""
    return [
        path.name
        for path in (folder / ".fetch").rglob("*")
        if path.is_file() and path.name != "provenance.json"
    ]


def test_every_vocabulary_of_the_source_is_pulled() -> None:
    assert {*DRUGS.vocabularies} == {*VOCABULARIES} == {*OFFERS}
    assert all(DRUGS.vocabulary(name).name == name for name in DRUGS.vocabularies)


LANDED = {
    "mesh": [DESC, SUPP],
    "unii": [
        "unii_2026-02-03_UNII_Names_26Feb2026.txt.gz",
        "unii_2026-02-03_UNII_Records_26Feb2026.txt.gz",
    ],
    "rxnorm": ["rxnorm_2026-03-02_RXNCONSO.RRF.gz", "rxnorm_2026-03-02_RXNREL.RRF.gz"],
    "bdpm": [
        "bdpm_2026-03-10_CIS_COMPO_bdpm.txt.gz",
        "bdpm_2026-03-10_CIS_MITM.txt.gz",
        "bdpm_2026-03-10_CIS_bdpm.txt.gz",
    ],
}


@pytest.mark.parametrize("vocabulary", LANDED)
def test_what_is_read_of_each_lands_and_can_be_read(
    owner: Owner, tmp_path: Path, vocabulary: str
) -> None:
    OFFERS[vocabulary][0](owner)
    report = pull(owner, vocabulary, tmp_path)
    assert sorted(zone(tmp_path)) == LANDED[vocabulary]
    assert sorted(report.landed) == [f"drugs/{name}" for name in LANDED[vocabulary]]
    assert (report.kept, report.removed, report.warnings) == ((), (), ())
    assert kept(tmp_path) == []
    for name in report.landed:
        assert sources.source_of_file(name) is DRUGS
        assert raw_rows(name, (tmp_path / name).read_bytes(), DRUGS).height > 0


@pytest.mark.slow
@pytest.mark.parametrize("vocabulary", LANDED)
def test_the_same_edition_is_not_pulled_again(
    owner: Owner, tmp_path: Path, vocabulary: str
) -> None:
    OFFERS[vocabulary][0](owner)
    first = pull(owner, vocabulary, tmp_path)
    before = {p: p.stat().st_mtime_ns for p in (tmp_path / "drugs").iterdir()}
    owner.clock.slept.append(48 * 3600)
    again = pull(owner, vocabulary, tmp_path)
    assert (again.landed, again.removed) == ((), ())
    assert sorted(again.kept) == sorted(first.landed)
    assert {p: p.stat().st_mtime_ns for p in (tmp_path / "drugs").iterdir()} == before
    assert again.bytes_resumed == 0
    assert [f.edition for f in again.files] == [f.edition for f in first.files]


@pytest.mark.slow
def test_the_same_edition_is_asked_for_without_being_sent(owner: Owner, tmp_path: Path) -> None:
    offer_mesh(owner, 2026)
    pull(owner, "mesh", tmp_path)
    told = len(owner.asked)
    for versioned in ({"etag"}, {"modified"}, {"etag", "modified"}):
        owner.versioned = frozenset(versioned)
        assert pull(owner, "mesh", tmp_path).landed == ()
    again = [asked for asked in owner.asked[told:] if asked.path in owner.files]
    assert len(again) == 6  # two files, three times
    assert all({"if-none-match", "if-modified-since"} & asked.headers.keys() for asked in again)


@pytest.mark.slow
def test_a_checksum_that_did_not_change_spares_the_request(owner: Owner, tmp_path: Path) -> None:
    offer_rxnorm(owner, "03022026")
    assert [f.is_verified for f in pull(owner, "rxnorm", tmp_path).files] == [True]
    pull(owner, "rxnorm", tmp_path)
    assert len(owner.asked_files) == 1


@pytest.mark.slow
def test_a_newer_edition_replaces_that_of_the_former_pull(owner: Owner, tmp_path: Path) -> None:
    offer_mesh(owner, 2025)
    pull(owner, "mesh", tmp_path)
    offer_mesh(owner, 2026)
    report = pull(owner, "mesh", tmp_path)
    assert sorted(zone(tmp_path)) == [DESC, SUPP]
    former = ["drugs/mesh_2026-02-03_desc2025.xml.gz", "drugs/mesh_2026-02-03_supp2025.xml.gz"]
    assert list(report.removed) == former
    record = json.loads((tmp_path / report.provenance).read_text("utf-8"))
    assert [each["name"] for each in record["removed"]] == former
    assert [each["name"] for each in record["files"]] == ["desc2026.gz", "supp2026.gz"]


@pytest.mark.slow
def test_only_the_file_that_changed_is_pulled(owner: Owner, tmp_path: Path) -> None:
    offer_mesh(owner, 2026)
    pull(owner, "mesh", tmp_path)
    body = gzip.decompress(owner.files["/supp2026.gz"])
    owner.files["/supp2026.gz"] = gzip.compress(body.replace(b"Inventol", b"Fictine"), mtime=0)
    owner.changed["/supp2026.gz"] = dt.datetime(2026, 3, 9, tzinfo=dt.UTC)
    report = pull(owner, "mesh", tmp_path)
    assert list(report.landed) == ["drugs/mesh_2026-03-09_supp2026.xml.gz"]
    assert (list(report.kept), list(report.removed)) == ([f"drugs/{DESC}"], [f"drugs/{SUPP}"])
    assert b"Fictine" in zone(tmp_path)["mesh_2026-03-09_supp2026.xml.gz"]


@pytest.mark.slow
def test_the_newest_edition_of_which_all_files_are_offered_counts(
    owner: Owner, tmp_path: Path
) -> None:
    offer_mesh(owner, 2025, 2026)
    owner.files["/desc2027.gz"] = owner.files["/desc2026.gz"]
    owner.page = {"/": listing(*owner.files)}
    pull(owner, "mesh", tmp_path)
    assert sorted(zone(tmp_path)) == [DESC, SUPP]


def test_the_newest_month_counts_also_across_years(owner: Owner, tmp_path: Path) -> None:
    offer_rxnorm(owner, "12012025", "01052026")
    pull(owner, "rxnorm", tmp_path)
    assert min(zone(tmp_path)) == "rxnorm_2026-01-05_RXNCONSO.RRF.gz"


def test_what_a_person_landed_stays_and_is_named(owner: Owner, tmp_path: Path) -> None:
    offer_mesh(owner, 2026)
    (tmp_path / "drugs").mkdir()
    by_hand = [tmp_path / name for name in ("drugs/desc2025.xml", "lists/supp2025.gz")]
    by_hand[1].parent.mkdir()
    for path in by_hand:
        path.write_bytes(gzip.compress(b"<x/>"))
    report = pull(owner, "mesh", tmp_path)
    assert all(path.exists() for path in by_hand)
    assert [warning.split()[0] for warning in report.warnings] == [
        "drugs/desc2025.xml",
        "lists/supp2025.gz",
    ]


@pytest.mark.slow
def test_what_was_removed_from_the_landing_zone_comes_again(owner: Owner, tmp_path: Path) -> None:
    offer_rxnorm(owner, "03022026")
    (name, _) = pull(owner, "rxnorm", tmp_path).landed
    (tmp_path / name).unlink()
    assert name in pull(owner, "rxnorm", tmp_path).landed
    assert (tmp_path / name).exists()


def test_the_readme_and_tables_that_are_not_read_stay_away(owner: Owner, tmp_path: Path) -> None:
    offer_unii(owner)
    pull(owner, "unii", tmp_path)
    assert sorted(zone(tmp_path)) == LANDED["unii"]


# --- Faults


def test_a_broken_download_goes_on_where_it_broke(owner: Owner, tmp_path: Path) -> None:
    offer_rxnorm(owner, "03022026")
    owner.faults = {2: Fault(cut=True), 3: Fault(cut=True), 4: Fault(hang_up=True)}
    report = pull(owner, "rxnorm", tmp_path)
    (size,) = [len(body) for body in owner.files.values()]
    half, more = size // 2, size // 2 + (size - size // 2) // 2
    ranges = [asked for _, asked in owner.asked_files]
    assert ranges == [None, f"bytes={half}-", f"bytes={more}-", f"bytes={more}-"]
    assert (report.retries, report.requests) == (3, 5)
    assert zone(tmp_path)["rxnorm_2026-03-02_RXNREL.RRF.gz"].endswith(b"|4096|\n")


def test_it_goes_on_by_the_time_of_change_where_there_is_no_tag(
    owner: Owner, tmp_path: Path
) -> None:
    offer_rxnorm(owner, "03022026")
    owner.versioned = frozenset({"modified"})
    owner.faults = {2: Fault(cut=True)}
    pull(owner, "rxnorm", tmp_path)
    assert [asked is None for _, asked in owner.asked_files] == [True, False]
    assert owner.asked[-1].headers["if-range"] == "Tue, 03 Feb 2026 04:05:06 GMT"


@pytest.mark.parametrize("missing", ["range", "version"])
def test_a_server_that_cannot_resume_sends_the_file_anew(
    owner: Owner, tmp_path: Path, missing: str
) -> None:
    offer_rxnorm(owner, "03022026")
    owner.resumes = missing != "range"
    if missing == "version":
        owner.versioned = frozenset()
    owner.faults = {2: Fault(cut=True)}
    report = pull(owner, "rxnorm", tmp_path)
    assert (report.retries, len(report.landed)) == (1, 2)


def test_a_server_that_never_gets_further_is_given_up(owner: Owner, tmp_path: Path) -> None:
    offer_rxnorm(owner, "03022026")
    owner.resumes = False
    owner.faults = {n: Fault(cut=True) for n in range(2, 99)}
    with pytest.raises(ServiceUnavailable, match=r"RxNorm_full_prescribe_.* in 4 tries"):
        pull(owner, "rxnorm", tmp_path)
    assert zone(tmp_path) == {}


def test_tries_that_get_further_are_not_counted(owner: Owner, tmp_path: Path) -> None:
    offer_rxnorm(owner, "03022026")
    owner.faults = {n: Fault(cut=True) for n in range(2, 9)}  # half of what is left, each time
    assert pull(owner, "rxnorm", tmp_path).retries == 7 > IN_PARTS.attempts


@pytest.mark.slow
def test_a_file_that_changes_between_two_parts_comes_anew(
    owner: Owner, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    offer_mesh(owner, 2026)
    owner.faults = {2: Fault(cut=True)}
    body = gzip.decompress(owner.files["/desc2026.gz"]).replace(b"Inventol", b"Fictine")

    def change(_: float) -> None:
        owner.files["/desc2026.gz"] = gzip.compress(body, mtime=0)

    monkeypatch.setattr(owner.clock, "sleep", change)
    pull(owner, "mesh", tmp_path)
    assert owner.asked_files[1][1] is not None
    assert zone(tmp_path)[DESC] == body


@pytest.mark.parametrize(
    ("headers", "told"),
    [
        ({"Content-Range": "bytes 7-9/10"}, "it answered 206"),
        ({}, "it answered 206"),
        ({"Content-Range": "bytes {size}-999/1000", "ETag": '"other"'}, "changed between"),
    ],
)
def test_a_part_that_does_not_fit_is_not_taken(
    owner: Owner,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
    headers: dict[str, str],
    told: str,
) -> None:
    offer_rxnorm(owner, "03022026")
    (body,) = owner.files.values()
    headers = {name: value.format(size=len(body) // 2) for name, value in headers.items()}
    owner.faults = {2: Fault(cut=True), 3: Fault(Reply(206, b"x" * 10, headers))}
    pull(owner, "rxnorm", tmp_path)
    assert told in caplog.text
    assert [asked is None for _, asked in owner.asked_files] == [True, False, True]


WRONG = {
    "wrong length": (Fault(half=True), "does not begin as it should|the file is damaged"),
    "a page": (
        Fault(Reply(200, b"<!DOCTYPE html><html><title>UTS \n Login</title></html>")),
        "a web page came in place of the file: UTS Login",
    ),
    "unavailable": (
        Fault(Reply(503, b"<h1>Busy</h1>", {"Retry-After": "7"})),
        "it answered 503: Busy",
    ),
    "no answer": (Fault(hang_up=True), r"\w+Error: "),
}


@pytest.mark.parametrize("fault", WRONG)
def test_a_fault_that_passes_is_waited_for(owner: Owner, tmp_path: Path, fault: str) -> None:
    offer_rxnorm(owner, "03022026")
    owner.faults = {2: WRONG[fault][0]}
    report = pull(owner, "rxnorm", tmp_path)
    assert (report.retries, len(report.landed)) == (1, 2)
    assert (fault != "unavailable") or 7.0 in owner.clock.slept


@pytest.mark.slow
@pytest.mark.parametrize("vocabulary", OFFERS)
@pytest.mark.parametrize("fault", WRONG)
def test_a_fault_that_does_not_pass_is_told_and_nothing_changes(
    owner: Owner, tmp_path: Path, vocabulary: str, fault: str
) -> None:
    OFFERS[vocabulary][0](owner)
    pull(owner, vocabulary, tmp_path)
    before = zone(tmp_path)
    asked = len(owner.asked)
    owner.files = dict.fromkeys(owner.files, b"x" * 999)  # never sent whole
    owner.page = {path: page.replace(b"MD5", b"...") for path, page in owner.page.items()}
    pages = 0 if vocabulary == "unii" else 1
    wrong, told = WRONG[fault]
    owner.faults = dict.fromkeys(range(asked + 1 + pages, asked + 99), wrong)
    with pytest.raises(
        ServiceUnavailable, match=rf"no whole answer in 4 tries, at last: .*(?:{told})"
    ):
        pull(owner, vocabulary, tmp_path)
    assert zone(tmp_path) == before


def test_retry_after_that_is_too_long_ends_the_pull(owner: Owner, tmp_path: Path) -> None:
    offer_mesh(owner, 2026)
    owner.faults = {2: Fault(Reply(503, b"", {"Retry-After": "3601"}))}
    with pytest.raises(ServiceUnavailable, match="asks to wait 3601 s"):
        pull(owner, "mesh", tmp_path)


def test_a_missing_file_is_refused_at_once(owner: Owner, tmp_path: Path) -> None:
    offer_unii(owner)
    del owner.files["/UNII_Data.zip"]
    with pytest.raises(ServiceRefused, match=r"UNII: UNII_Data\.zip: it answered 404"):
        pull(owner, "unii", tmp_path)
    assert zone(tmp_path) == {}


def test_a_page_that_offers_nothing_is_told(owner: Owner, tmp_path: Path) -> None:
    owner.page = {"/": b"<html>We are under maintenance</html>"}
    with pytest.raises(ServiceUnavailable, match=r"the page offers no desc.*supp.* of one edition"):
        pull(owner, "mesh", tmp_path)


def test_a_checksum_that_differs_is_not_taken(owner: Owner, tmp_path: Path) -> None:
    offer_rxnorm(owner, "03022026", md5="1" * 32)
    with pytest.raises(ServiceUnavailable, match=f"its MD5 is .*, the owner says {'1' * 32}"):
        pull(owner, "rxnorm", tmp_path)
    assert zone(tmp_path) == {}


def test_a_checksum_beside_the_file_is_verified(owner: Owner, tmp_path: Path) -> None:
    offer_mesh(owner, 2026)
    owner.page = {
        "/": listing(*owner.files, "/desc2026.gz.md5"),
        "/desc2026.gz.md5": b"MD5(desc2026.gz)= " + b"2" * 32 + b"\n",
    }
    with pytest.raises(ServiceUnavailable, match=f"the owner says {'2' * 32}"):
        pull(owner, "mesh", tmp_path)


def test_files_and_pages_are_followed_where_they_moved(owner: Owner, tmp_path: Path) -> None:
    offer_rxnorm(owner, "03022026")
    (path,) = owner.files
    owner.files = {"/elsewhere/file": owner.files[path]}
    owner.moved = {path: "/elsewhere/file", "/former.html": "/docs/rxnormfiles.html"}
    owner.faults = {4: Fault(cut=True)}
    report = pull(owner, "rxnorm", tmp_path, path="/former.html")
    assert [asked is None for _, asked in owner.asked_files] == [True, False]
    assert report.files[0].name == "RxNorm_full_prescribe_03022026.zip"


def test_what_moves_for_ever_is_refused(owner: Owner, tmp_path: Path) -> None:
    owner.moved = {"/a": "/b", "/b": "/a"}
    with pytest.raises(ServiceRefused, match="it has moved more than 5 times"):
        pull(owner, "mesh", tmp_path, path="/a")


def test_a_link_to_no_web_address_is_not_followed(owner: Owner, tmp_path: Path) -> None:
    owner.page = {"/": b'<a href="file:///desc2026.gz">a</a><a href="file:///supp2026.gz">b</a>'}
    with pytest.raises(FetchError, match="which is not followed"):
        pull(owner, "mesh", tmp_path)


def test_a_file_that_is_too_large_is_refused(owner: Owner, tmp_path: Path) -> None:
    offer_mesh(owner, 2026)
    patience = dataclasses.replace(IN_PARTS, largest_file=50)
    with pytest.raises(ServiceRefused, match="more than 50 bytes came"):
        pull(owner, "mesh", tmp_path, patience)
    assert zone(tmp_path) == {}
    assert kept(tmp_path) == []


def test_an_archive_that_unpacks_to_too_much_is_refused(
    owner: Owner, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(unpacking, "_ALWAYS_ALLOWED", 0)
    monkeypatch.setattr(unpacking, "_CHUNK", 1 << 12)
    offer_rxnorm(owner, "03022026", md5="off")
    owner.files = dict.fromkeys(owner.files, rxnorm_archive(bytes(1 << 20)))
    with pytest.raises(ServiceUnavailable, match=r"RXNCONSO\.RRF unpacks to more than \d{6} bytes"):
        pull(owner, "rxnorm", tmp_path)
    assert zone(tmp_path) == {}


@pytest.mark.parametrize(
    ("archive", "told"),
    [
        (lambda: zipped({"rrf/RXNREL.RRF": b"|"}), r"the archive holds no RXNCONSO"),
        (
            lambda: zipped({"a/RXNCONSO.RRF": b"", "b/RXNCONSO.RRF": b""}),
            "the archive holds several RXNCONSO",
        ),
        (lambda: rxnorm_archive(b"990003|ENG|"), "RXNCONSO.RRF does not end as it should"),
        (lambda: rxnorm_archive()[:-30], "the file is damaged"),
        (lambda: b"PK\x03\x04" + bytes(100), "the file is damaged"),
        (lambda: b"", "the file is damaged"),
        (lambda: b"no archive", "the file is damaged"),
    ],
)
def test_an_archive_that_is_not_what_is_read_is_refused(
    owner: Owner, tmp_path: Path, archive: Callable[[], bytes], told: str
) -> None:
    offer_rxnorm(owner, "03022026", md5="none")
    owner.files = dict.fromkeys(owner.files, archive())
    patience = dataclasses.replace(PATIENCE, attempts=1)
    with pytest.raises(ServiceUnavailable, match=told):
        pull(owner, "rxnorm", tmp_path, patience)
    assert zone(tmp_path) == {}


def test_a_row_that_is_cut_off_is_seen_without_a_length_or_checksum(
    owner: Owner, tmp_path: Path
) -> None:
    offer_bdpm(owner)
    body = owner.files["/download/file/CIS_COMPO_bdpm.txt"]
    owner.files["/download/file/CIS_COMPO_bdpm.txt"] = body + body[: len(body) // 2]
    with pytest.raises(ServiceUnavailable, match=r"CIS_COMPO_bdpm\.txt does not end as it should"):
        pull(owner, "bdpm", tmp_path)


# --- Interruptions


def test_another_process_goes_on_with_what_came(owner: Owner, tmp_path: Path) -> None:
    offer_rxnorm(owner, "03022026")
    owner.faults = {2: Fault(cut=True), **{n: Fault(hang_up=True) for n in range(3, 7)}}
    with pytest.raises(ServiceUnavailable):
        pull(owner, "rxnorm", tmp_path)
    assert zone(tmp_path) == {}
    (size,) = [len(body) for body in owner.files.values()]
    owner.faults = {}
    report = pull(owner, "rxnorm", tmp_path)
    assert owner.asked_files[-1][1] == f"bytes={size // 2}-"
    assert report.bytes_resumed == size // 2
    assert len(report.landed) == 2
    assert kept(tmp_path) == []


def test_damaged_parts_come_again(owner: Owner, tmp_path: Path) -> None:
    offer_rxnorm(owner, "03022026")
    owner.faults = {2: Fault(cut=True), **{n: Fault(hang_up=True) for n in range(3, 7)}}
    with pytest.raises(ServiceUnavailable):
        pull(owner, "rxnorm", tmp_path)
    owner.faults = {}
    (part,) = (tmp_path / ".fetch").rglob("part_0001")
    part.write_bytes(b"")
    assert len(pull(owner, "rxnorm", tmp_path).landed) == 2


@pytest.mark.parametrize("state", ["", "[]", "{", '{"url": 1}'])
def test_a_state_that_cannot_be_read_counts_as_none(
    owner: Owner, tmp_path: Path, state: str
) -> None:
    offer_rxnorm(owner, "03022026")
    folder = ".fetch/vocabulary_rxnorm/RxNorm_full_prescribe_03022026.zip"
    LocalDestination(tmp_path).write(f"{folder}/state.json", state.encode())
    assert len(pull(owner, "rxnorm", tmp_path).landed) == 2
    assert kept(tmp_path) == []


@pytest.mark.parametrize("record", ["[]", "{", '{"files": [{"name": 1}]}'])
def test_a_record_that_cannot_be_read_is_told(owner: Owner, tmp_path: Path, record: str) -> None:
    offer_mesh(owner, 2026)
    place = LocalDestination(tmp_path)
    place.write(".fetch/vocabulary_mesh/provenance.json", record.encode())
    with pytest.raises(LedgerError, match=r"Remove it and the files drugs/mesh_\*"):
        pull(owner, "mesh", place)


class _Mortal(MortalDestination):
    """Dies at writes of files from this machine, too."""

    def write_file(self, name: str, path: Path) -> None:
        with self._change():
            super().write_file(name, path)


@pytest.mark.slow
@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
def test_a_pull_that_dies_anywhere_leaves_what_the_next_one_finishes(
    owner: Owner, tmp_path: Path, *, after: bool
) -> None:
    offer_mesh(owner, 2026)
    pull(owner, "mesh", tmp_path / "whole")
    newest = zone(tmp_path / "whole")
    for dies_at in range(1, 99):
        folder = tmp_path / f"zone{dies_at}"
        offer_mesh(owner, 2025)
        pull(owner, "mesh", folder)
        former = zone(folder)
        offer_mesh(owner, 2026)
        try:
            pull(owner, "mesh", _Mortal(folder, dies_at, after=after), PATIENCE)
        except Killed:
            # Whole files of either edition, never less than one edition.
            seen = zone(folder)
            assert seen.items() <= {**former, **newest}.items()
            assert former.keys() <= seen.keys() or newest.keys() <= seen.keys()
            pull(owner, "mesh", folder)
        else:
            break
        assert zone(folder) == newest
        assert kept(folder) == []
    assert dies_at > 8


@pytest.mark.slow
def test_an_edition_that_was_half_landed_goes_when_a_newer_one_comes(
    owner: Owner, tmp_path: Path
) -> None:
    offer_mesh(owner, 2025)

    class Dying(LocalDestination):
        def write_file(self, name: str, path: Path) -> None:
            super().write_file(name, path)
            raise Killed

    with pytest.raises(Killed):
        pull(owner, "mesh", Dying(tmp_path))
    assert len(zone(tmp_path)) == 1
    offer_mesh(owner, 2026)
    assert len(pull(owner, "mesh", tmp_path).removed) == 1
    assert sorted(zone(tmp_path)) == [DESC, SUPP]


@pytest.mark.processes
def test_a_killed_process_goes_on_with_the_parts_that_came(tmp_path: Path) -> None:
    script = (
        "import sys; from drug_assets.fetch import *;"
        "from drug_assets.storage.destination import landing_destination;"
        "fetch_vocabulary(VOCABULARIES['mesh'], landing_destination(sys.argv[1]),"
        " base_url=sys.argv[2], patience=Patience(part=1000))"
    )
    with Owner() as owner:
        offer_mesh(owner, 2026)
        owner.files |= large_mesh(9000)
        owner.faults[2] = Fault(stall=True)
        command = [sys.executable, "-c", script, str(tmp_path), owner.url]
        with subprocess.Popen(command) as process:
            assert owner.silent.wait(300)
            while not list((tmp_path / ".fetch").rglob("state.json")):
                assert process.poll() is None
                time.sleep(0.01)
            process.send_signal(signal.SIGKILL)
        assert zone(tmp_path) == {}
        report = pull(owner, "mesh", tmp_path)
        assert report.bytes_resumed >= 1000
        assert owner.asked_files[1][1] == f"bytes={report.bytes_resumed}-"
        assert zone(tmp_path)[DESC] == gzip.decompress(owner.files["/desc2026.gz"])


@pytest.mark.slow
@settings(max_examples=30, deadline=None)
@given(
    resumes=st.booleans(),
    versioned=st.sets(st.sampled_from(["etag", "modified"])),
    part=st.integers(50, 2000),
    faults=st.dictionaries(
        st.integers(1, 9),
        st.sampled_from(
            [
                *(Fault(cut=True), Fault(half=True), Fault(hang_up=True)),
                *(Fault(Reply(503, b"")), Fault(Reply(206, b"x")), Fault(Reply(416, b""))),
                Fault(Reply(200, b"<html>", {"Content-Type": "text/html"})),
            ]
        ),
        max_size=5,
    ),
    gives_up=st.booleans(),
)
def test_any_faults_leave_one_whole_edition(
    *, resumes: bool, versioned: set[str], part: int, faults: dict[int, Fault], gives_up: bool
) -> None:
    with tempfile.TemporaryDirectory() as name, Owner() as owner:
        folder = Path(name)
        offer_mesh(owner, 2025)
        pull(owner, "mesh", folder)
        former = zone(folder)
        offer_mesh(owner, 2026)
        owner.resumes, owner.versioned = resumes, frozenset(versioned)
        asked = len(owner.asked)
        owner.faults = {asked + number: fault for number, fault in faults.items()}
        patience = dataclasses.replace(PATIENCE, part=part, attempts=1 if gives_up else 9)
        for _ in range(9):
            try:
                pull(owner, "mesh", folder, patience)
            except FetchError:
                assert zone(folder) == former
            else:
                break
        assert {*zone(folder).values()} == {gzip.decompress(b) for b in owner.files.values()}
        assert len(zone(folder)) == 2
        assert kept(folder) == []


@pytest.mark.slow
def test_memory_does_not_follow_the_size_of_a_file(owner: Owner, tmp_path: Path) -> None:
    offer_mesh(owner, 2026)
    owner.files |= large_mesh(60 * MEBIBYTE)
    tracemalloc.start()
    try:
        pull(owner, "mesh", tmp_path, dataclasses.replace(PATIENCE, part=MEBIBYTE))
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 16 * MEBIBYTE


@pytest.mark.xdist_group("clouds")
def test_it_lands_in_a_bucket_in_the_same_way(
    owner: Owner, gcs_emulator: GcsEmulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    clouds.reach(monkeypatch, gcs_emulator.url)
    place = landing_destination(f"gs://{clouds.new_bucket(gcs_emulator)}/zone")
    offer_mesh(owner, 2025)
    pull(owner, "mesh", place)
    offer_mesh(owner, 2026)
    owner.faults = {len(owner.asked) + 2: Fault(cut=True)}
    report = pull(owner, "mesh", place)
    assert place.names("") == [report.provenance, f"drugs/{DESC}", f"drugs/{SUPP}"]
    assert gzip.decompress(place.read(f"drugs/{DESC}")) == gzip.decompress(
        owner.files["/desc2026.gz"]
    )
