"""What a deployment of a size needs: the arithmetic; nothing is measured here."""

from __future__ import annotations

import json
from dataclasses import asdict, fields, replace
from typing import TYPE_CHECKING

import pytest

from benchmarks import cloud_sizes
from benchmarks.cloud_sizes import Figures, Needs

if TYPE_CHECKING:
    from pathlib import Path

GIB = 2**30
SMALL = Figures(**{field.name: 0.0 for field in fields(Figures)} | {"records": 1000.0})


def test_a_small_size_takes_the_least() -> None:
    needs = Needs.of(SMALL)
    assert (needs.vcpu, needs.memory_gib, needs.disk_gib) == (2, 4, 10)
    assert needs.first_dollars == needs.runs_dollars == needs.stored_dollars == 0


@pytest.mark.parametrize(
    ("peak", "vcpu", "memory"), [(3.2, 2, 4), (3.3, 2, 5), (6.5, 4, 9), (13, 8, 17)]
)
def test_memory_is_the_peak_and_a_quarter_in_whole_gib(peak: float, vcpu: int, memory: int) -> None:
    needs = Needs.of(replace(SMALL, more_memory=peak * GIB))
    assert (needs.vcpu, needs.memory_gib, needs.is_too_large) == (vcpu, memory, False)


@pytest.mark.parametrize(("peak", "disk"), [(6.6, 10), (6.7, 11), (10.3, 16)])
def test_the_disk_is_the_peak_and_a_half_and_one_that_cloud_run_has(peak: float, disk: int) -> None:
    assert Needs.of(replace(SMALL, first_scratch=peak * GIB)).disk_gib == disk


def test_what_no_job_can_have_is_said() -> None:
    assert Needs.of(replace(SMALL, first_memory=26 * GIB)).is_too_large


def test_seconds_are_those_of_its_cores_and_of_its_transfers() -> None:
    needs = Needs.of(replace(SMALL, first_cpu=120.0, first_moved=1e9, more_cpu=12.0))
    assert needs.first_minutes == pytest.approx((100 + 10) / 60)
    assert needs.first_dollars == pytest.approx(110 * (2 * 0.000018 + 4 * 0.000002))
    assert needs.runs_dollars == pytest.approx(60 * 10 * (2 * 0.000018 + 4 * 0.000002))


def test_kept_staged_and_pruned_releases_are_stored() -> None:
    needs = Needs.of(replace(SMALL, landed=5.0 * GIB, kept=1.0 * GIB, release=2.0 * GIB))
    assert needs.stored_gib == 5 + 1 + 2 * (10 + 14 + 14)
    assert needs.stored_dollars == pytest.approx(needs.stored_gib * 0.020)


def test_a_computed_size_lies_on_the_line_through_the_two_largest(tmp_path: Path) -> None:
    for records, cpu in ((1000, 99.0), (2000, 20.0), (3000, 30.0)):
        figures = replace(SMALL, records=float(records), first_cpu=cpu)
        (tmp_path / f"{records}.json").write_text(json.dumps(asdict(figures)))
    rows = list(cloud_sizes.rows([3000, 1000, 2000], [10_000], tmp_path))
    assert [row.split(" | ")[0] for row in rows] == [
        *("| 1,000", "| 2,000", "| 3,000", "| 10,000 (computed)"),
    ]
    assert rows[3].split(" | ")[3] == "100, 0"
    assert {len(row.split(" | ")) for row in rows} == {len(cloud_sizes.HEAD)}
