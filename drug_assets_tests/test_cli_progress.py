"""Progress of `drug-assets run`: bars on a terminal, nothing in a pipe."""

from __future__ import annotations

import io
import os
import pty
import re
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
from rich.console import Console

from drug_assets.cli.progress import Bars
from drug_assets.progress import Done
from drug_assets_tests.support import runs

if TYPE_CHECKING:
    from pathlib import Path


class Terminal:
    """A terminal, and a clock that is set by hand."""

    def __init__(self, *, is_terminal: bool = True) -> None:
        self.text = io.StringIO()
        self.now = 0.0
        console = Console(file=self.text, force_terminal=is_terminal, width=120, color_system=None)
        self.bars = Bars(console, lambda: self.now)

    def lines(self) -> list[str]:
        """What is drawn now, without the bars themselves."""
        self.text.seek(0)
        self.text.truncate()
        self.bars._progress.refresh()
        drawn = re.sub(r"\x1b\[[0-9?]*[A-Za-z]|\r", "", self.text.getvalue())
        return [" ".join(re.sub("[━╸╺]", " ", line).split()) for line in drawn.splitlines()]


def test_a_run_has_a_bar_and_so_has_the_step_that_works_through_files() -> None:
    terminal = Terminal()
    bars = terminal.bars
    with bars.shown(steps=38):
        assert terminal.lines() == ["starting 0/38 steps, 0 s"]
        bars.begin_step("read_landing_zone")
        with bars.watch("landing_zone") as show:
            assert terminal.lines() == ["read_landing_zone 0/38 steps, 0 s"]
            show(Done(0, 1200, 0, 1000, 0))
            assert terminal.lines()[1] == "landing_zone 0/1,200 files"
            terminal.now = 10
            show(Done(300, 1200, 100, 1000, 50_000))
            told = "landing_zone 300/1,200 files, 5,000 rows/s, 1 min 30 s left"
            assert terminal.lines() == ["read_landing_zone 0/38 steps, 10 s", told]
            terminal.now = 10.1
            show(Done(301, 1200, 200, 1000, 50_000))
            assert terminal.lines()[1].startswith("landing_zone 300/"), "not drawn so soon"
            show(Done(1200, 1200, 1000, 1000, 50_500))
            assert " 1,200/1,200 files, 5,000 rows/s, 0 s left" in terminal.lines()[1]
        bars.end_step()
        bars.begin_step("[clean]")
        assert terminal.lines() == ["[clean] 1/38 steps, 10 s"]
    assert bars.seconds == 10.1


def test_files_without_bytes_have_a_bar_too() -> None:
    terminal = Terminal()
    with terminal.bars.shown(steps=1), terminal.bars.watch("x") as show:
        show(Done(0, 2, 0, 0, 0))
        terminal.now = 1
        show(Done(1, 2, 0, 0, 0))
        assert terminal.lines()[1] == "x 1/2 files, 0 rows/s"


def test_a_bar_is_gone_when_its_step_fails() -> None:
    terminal = Terminal()
    with terminal.bars.shown(steps=1):
        with pytest.raises(ZeroDivisionError), terminal.bars.watch("x") as show:
            show(Done(1, 2, 3, 4, 1 // 0))
        assert terminal.lines() == ["starting 0/1 steps, 0 s"]


def test_where_there_is_no_terminal_nothing_is_drawn() -> None:
    pipe = Terminal(is_terminal=False)
    with pipe.bars.shown(steps=2):
        pipe.bars.begin_step("a")
        with pipe.bars.watch("b") as show:
            pipe.now = 5.0
            show(Done(1, 1, 1, 1, 1))
        pipe.bars.end_step()
    assert pipe.text.getvalue() == ""
    assert pipe.bars.seconds == 5


@pytest.mark.processes
def test_a_run_draws_on_a_terminal_and_is_quiet_in_a_pipe(tmp_path: Path) -> None:
    zone = runs.landing_zone(tmp_path / "landing")
    program = [sys.executable, "-m", "drug_assets.cli", "run", f"--landing={zone}"]
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("DRUG_ASSETS_", "DAGSTER_"))}
    variables = {**kept, "TERM": "xterm", "COLUMNS": "120"}
    piped = subprocess.run(
        [*program, f"--store={tmp_path / 'piped'}"],
        env=variables, capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert piped.stderr == ""
    assert "Done after " in piped.stdout

    ours, theirs = pty.openpty()
    drawn = b""
    try:
        with subprocess.Popen(
            [*program, f"--store={tmp_path / 'drawn'}"],
            env=variables, stdout=subprocess.PIPE, stderr=theirs,
        ) as process:  # fmt: skip
            os.close(theirs)
            try:
                while piece := os.read(ours, 65536):
                    drawn += piece
            except OSError:  # how Linux reports a terminal that no process has open any more
                pass
            told = process.communicate()[0]
        assert process.returncode == 0
    finally:
        os.close(ours)
    assert re.search(r"[0-9]+/[0-9]+ steps", drawn.decode())
    assert b"Done after " in told
    assert b"steps" not in told
    assert runs.outputs(tmp_path / "drawn") == runs.outputs(tmp_path / "piped")
