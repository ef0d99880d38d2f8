"""The same landing zone gives the same bytes: again, elsewhere, later, in any order of arrival."""

from __future__ import annotations

import os
import random
import shutil
from typing import TYPE_CHECKING

import pytest

from drug_assets_tests import runs

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.xdist_group("sample")


def assert_same_bytes(found: runs.Run, expected: runs.Run) -> None:
    assert found.succeeded, found.report
    bytes_found, bytes_expected = runs.outputs(found.store), runs.outputs(expected.store)
    assert bytes_found.keys() == bytes_expected.keys()
    different = [name for name, data in bytes_found.items() if data != bytes_expected[name]]
    assert not different


def test_second_run_in_the_same_store_from_parsed_files(
    sample_run: runs.Run, tmp_path: Path
) -> None:
    shutil.copytree(sample_run.store, tmp_path / "store")
    assert_same_bytes(runs.run(runs.SAMPLE, tmp_path / "store"), sample_run)


def test_other_store_other_times_other_order_of_arrival(
    sample_run: runs.Run, tmp_path: Path
) -> None:
    files = [path for path in sorted(runs.SAMPLE.rglob("*")) if path.is_file()]
    random.Random(7).shuffle(files)  # noqa: S311 - no secret
    landing = tmp_path / "another place" / "ländliche Zone"
    for age, path in enumerate(files):
        copy = landing / path.relative_to(runs.SAMPLE)
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, copy)
        os.utime(copy, (1_000_000_000 - age * 86_400,) * 2)
    assert_same_bytes(runs.run(landing, tmp_path / "store"), sample_run)


def test_after_another_landing_zone_in_the_same_store(
    small_run: runs.Run, sample_run: runs.Run, tmp_path: Path
) -> None:
    shutil.copytree(small_run.store, tmp_path / "store")
    assert_same_bytes(runs.run(runs.SAMPLE, tmp_path / "store"), sample_run)
