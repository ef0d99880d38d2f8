"""How a look at the machine is told; how busy this one is belongs to no test."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks import load

if TYPE_CHECKING:
    import pytest

QUIET = load.Load(
    up_seconds=5400,
    averages=(0.25, 0.5, 1),
    cores=4,
    busy=0.3,
    stolen=0.0,
    processes=(("an editor", 0.21),),
)


def test_a_machine_is_idle_up_to_a_tenth_of_its_cores() -> None:
    assert QUIET.is_idle
    assert replace(QUIET, busy=0.41).is_idle is False
    assert replace(QUIET, stolen=0.11).is_idle is False


def test_a_load_is_told_in_a_line() -> None:
    assert QUIET.describe() == (
        "up 1.5 hours, load average 0.25 0.50 1.00, 4 cores, 0.3 of them busy, "
        "0.0 kept by the host, an editor takes 0.2"
    )


def test_a_look_sees_cores_and_what_others_take(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = load.look(seconds=0.01)
    assert (seen.is_idle is not None) == Path("/proc/stat").exists()
    assert f"{seen.cores} cores" in seen.describe()
    # Far more than this process can have used itself.
    monkeypatch.setattr(load, "_PROC", tmp_path)
    (tmp_path / "stat").write_text("cpu 0 0 0 0 0 0 0 0\n")
    others = load.Others()
    (tmp_path / "stat").write_text("cpu 1000000 0 0 0 0 0 0 0\n")
    taken = others.cores()
    assert taken is not None
    assert taken > 0


def test_without_proc_nothing_is_said_of_idleness(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(load, "_PROC", tmp_path)
    seen = load.look(seconds=0)
    assert (seen.is_idle, seen.processes, load.Others().cores()) == (None, (), None)
    assert seen.describe().endswith(f"{seen.cores} cores")
