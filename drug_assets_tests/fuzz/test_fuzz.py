"""A few thousand damaged files: no reader, and nothing behind it, fails in a way of its own."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

import polars as pl
import pytest

from drug_assets import formats
from drug_assets_tests.fuzz import targets
from drug_assets_tests.fuzz.hunt import FAILURES, shrink
from drug_assets_tests.fuzz.seeds import MAKERS, TOKENS

if TYPE_CHECKING:
    from pathlib import Path

#: Inputs of `make test`: for each reader, for its memory and work, and zones for the whole path.
READER_INPUTS = 600
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


def test_what_failed_once_fails_no_more(tmp_path: Path) -> None:
    for path in sorted(FAILURES.glob("*-*-*")):
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
