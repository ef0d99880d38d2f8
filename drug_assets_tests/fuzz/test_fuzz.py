"""A few thousand damaged files: each is read or refused, and nothing behind the readers fails."""

from __future__ import annotations

import itertools
import math
from types import SimpleNamespace
from typing import TYPE_CHECKING

import polars as pl
import pytest

from drug_assets import formats
from drug_assets_tests.fuzz import hunt, targets
from drug_assets_tests.fuzz.hunt import FAILURES, shrink
from drug_assets_tests.fuzz.seeds import MAKERS, TOKENS

if TYPE_CHECKING:
    from pathlib import Path

    from drug_assets_tests.fuzz.seeds import Landed

#: Inputs of `make test`: for each reader, for its memory and work, and zones for the whole path.
READER_INPUTS = 300
MEASURED_INPUTS = 40
ZONES = 6
ZONE_FILES = 30
_KNOWN = [f.name for f in formats.FORMATS if f.name in MAKERS]


def test_every_format_has_seeds_and_tokens() -> None:
    assert {f.name for f in formats.FORMATS} <= set(MAKERS)
    assert set(MAKERS) == set(TOKENS)


@pytest.mark.slow
@pytest.mark.parametrize("format_name", _KNOWN)
def test_any_bytes_are_read_or_refused(format_name: str) -> None:
    read = 0
    for seed in range(READER_INPUTS):
        name, data = targets.make_input(format_name, seed)
        found = targets.check_reader(name, data)
        read += isinstance(found, pl.DataFrame)
    assert READER_INPUTS // 20 < read < READER_INPUTS, "both happen"


@pytest.mark.slow
@pytest.mark.parametrize("format_name", _KNOWN)
def test_memory_and_work_follow_the_size_of_the_file(format_name: str) -> None:
    for seed in range(MEASURED_INPUTS):
        targets.check_memory(*targets.make_input(format_name, seed))
        targets.check_work(*targets.make_input(format_name, seed))


@pytest.mark.slow
@pytest.mark.parametrize("zone", range(ZONES))
def test_nothing_is_lost_on_the_whole_path(zone: int, tmp_path: Path) -> None:
    names = itertools.islice(itertools.cycle(_KNOWN), ZONE_FILES)
    files = [targets.make_input(name, zone * ZONE_FILES + n) for n, name in enumerate(names)]
    assert targets.check_path(files, tmp_path) > 0


@pytest.mark.slow
def test_what_failed_once_fails_no_more(tmp_path: Path) -> None:
    kept = sorted(FAILURES.glob("*-*-*"))
    assert kept
    for path in kept:
        name = path.name.split("-", 2)[2]
        targets.check_reader(name, path.read_bytes())
        targets.check_memory(name, path.read_bytes())
        targets.check_work(name, path.read_bytes())
        folder = tmp_path / path.name
        folder.mkdir()
        targets.check_path([(name, path.read_bytes())], folder)


def test_inputs_are_the_same_for_the_same_seed() -> None:
    for name in MAKERS:
        assert targets.make_input(name, 3) == targets.make_input(name, 3)
        assert targets.make_input(name, 3) != targets.make_input(name, 4)


def test_a_failure_is_made_small() -> None:
    assert shrink(b"abcdefgh" * 9 + b"!" + b"xyz" * 9, lambda data: b"!" in data) == b"!"


def test_making_a_failure_small_ends_in_time(monkeypatch: pytest.MonkeyPatch) -> None:
    seconds = itertools.count()
    monkeypatch.setattr(hunt, "time", SimpleNamespace(monotonic=lambda: next(seconds)))
    tried: list[bytes] = []

    def fails(data: bytes) -> bool:
        tried.append(data)
        return False

    shrink(b"a" * 1000 + b"!", fails, end=5)
    assert len(tried) == 5


def test_failures_are_kept_before_they_are_made_small(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(name: str, data: bytes) -> None:
        assert b"!" not in data, "a mark"
        assert len(kept()) == (data != whole), "all of it is kept before anything smaller is tried"

    def kept() -> list[bytes]:
        return [path.read_bytes() for path in tmp_path.iterdir()]

    whole = b"a" * 20 + b"!"
    monkeypatch.setattr(targets, "check_reader", fail)
    found = hunt.find_in_reader(("pubmed.csv", whole), tmp_path, math.inf)
    assert list(found.values()) == ["AssertionError: a mark assert b'!' not in b'!'"]
    assert kept() == [b"!"]


def test_files_that_fail_together_are_kept_without_the_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(files: list[Landed], folder: Path) -> None:
        assert len([data for _, data in files if data in (b"1", b"3")]) < 2

    monkeypatch.setattr(targets, "check_path", fail)
    files = [("drugs.csv", b"%d" % number) for number in range(5)]
    found = hunt.find_on_path(files, tmp_path, math.inf)
    assert sorted(path.read_bytes() for path in found) == [b"1", b"3"]
    assert sorted(found) == sorted(tmp_path.iterdir())


def test_a_reader_that_hangs_is_stopped(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def hang(name: str, data: bytes) -> None:
        while True:
            pass

    monkeypatch.setattr(hunt, "HANGS_SECONDS", 0.05)
    monkeypatch.setattr(targets, "check_reader", hang)
    (why,) = hunt.find_in_reader(("pubmed.csv", b""), tmp_path, 0).values()
    assert why.startswith("HangError")
