"""What is computed from the processor seconds of a run by each engine."""

from __future__ import annotations

import os

import pytest

from benchmarks.spark_engine import Processors, moved, overhead, write

FIGURES = {
    "local": {"records": 1000, "run": 40.0},
    "spark": {"records": 1000, "run": 10.0, "python": 32.0, "java": 8.0},
}


def test_what_the_run_needs_less_leaves_its_machine() -> None:
    assert moved(FIGURES) == pytest.approx(0.75)
    assert overhead(FIGURES) == pytest.approx(1.25)


def test_tables_show_both_engines_and_the_shares() -> None:
    told = write([FIGURES])
    assert "| 1,000 | spark | 10 s | 32 s | 8 s | 50 s |" in told
    assert "| 1,000 | 75% | +25% |" in told


def test_processes_of_a_session_are_counted_together() -> None:
    before = Processors.of_session(os.getsid(0))
    sum(range(3_000_000))
    used = Processors.of_session(os.getsid(0)).since(before)
    assert used.python > 0
    assert Processors.of_session(-1) == Processors(0, 0)
