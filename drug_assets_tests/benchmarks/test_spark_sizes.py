"""What Spark gains and costs: the arithmetic; nothing is measured here."""

from __future__ import annotations

import json
from dataclasses import asdict, replace
from typing import TYPE_CHECKING

import pytest

from benchmarks import spark_sizes
from benchmarks.spark_sizes import Work, run_seconds, session_dollars

if TYPE_CHECKING:
    from pathlib import Path

WORK = Work(records=1000, whole=100, read=50, clean=24, search=10)


def test_what_no_engine_runs_stays() -> None:
    assert (WORK.moved, WORK.stays) == (84, 16)
    assert replace(WORK, whole=80).stays == 0  # a measurement's noise is no negative work


def test_one_machine_does_all_on_its_cores() -> None:
    assert run_seconds(WORK, 0) == pytest.approx(100 / (2 * 0.6))


def test_executors_share_what_moves_and_take_time_to_start() -> None:
    stays = 90 + 16 / (2 * 0.6)
    assert run_seconds(WORK, 8) == pytest.approx(stays + 84 / (8 * 0.6))
    assert run_seconds(WORK, 10**9) == pytest.approx(stays)


def test_a_session_costs_its_executors_while_they_work_and_the_least_one_else() -> None:
    working, waiting = 84 / (32 * 0.6), 90 + 16 / (2 * 0.6)
    dcu_seconds = working * (32 + 4) + waiting * (8 + 4)
    assert session_dollars(WORK, 32) == pytest.approx(dcu_seconds * 0.089 / 3600)


def test_a_computed_size_lies_on_the_line_through_the_two_largest(tmp_path: Path) -> None:
    for records, whole in ((1000, 100.0), (2000, 190.0)):
        work = replace(WORK, records=records, whole=whole)
        (tmp_path / f"{records}.json").write_text(json.dumps(asdict(work)))
    head, _, *lines = spark_sizes.rows([1000, 2000], [3000], [8], tmp_path)
    assert (
        head == "| records | processor seconds | moved | 2 cores, minutes | 8 cores: minutes, $ |"
    )
    assert [line.split(" | ")[1] for line in lines] == ["100", "190", "280"]
    assert lines[-1].startswith("| 3,000 (computed) | 280 | 30% | 3.9 | ")
