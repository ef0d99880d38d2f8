"""Commands that are told to end: SIGTERM ends them, and SIGINT only if their parent heeds it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from typing import TYPE_CHECKING

import pytest

from drug_assets.cli.ending import interrupted_by_sigterm
from drug_assets_tests.support import runs
from drug_assets_tests.support.commands import in_background
from drug_assets_tests.support.local_servers import PATIENCE_SECONDS

if TYPE_CHECKING:
    from pathlib import Path

#: Runs a command up to the call of a function, and prints there when a blocked SIGINT is pending.
_UP_TO = """
import importlib, signal, sys, time
from drug_assets.cli import main

module, _, function = sys.argv.pop(1).rpartition(".")
command = main.commands[sys.argv[1]]
begin = command.callback

def wait(*_, **__):
    print("there", flush=True)
    while signal.SIGINT not in signal.sigpending():
        time.sleep(0.01)
    print("ignored", flush=True)
    while True:
        time.sleep(1)

def begin_then_wait(*arguments, **options):
    # Not before: what is imported starts threads, which a command does after it began.
    setattr(importlib.import_module(module), function, wait)
    return begin(*arguments, **options)

command.callback = begin_then_wait
main()
"""
#: Where a run stops to be told to end => what it then says.
POINTS = {
    "before its steps": ("drug_assets.cli.in_process.make_definitions", "Aborted!"),
    "in a step": ("drug_assets.mentions.join_mentions", "mentions: interrupted"),
    "after its steps": ("drug_assets.cli.in_process._print_report", "Aborted!"),
}


@pytest.mark.slow
@pytest.mark.processes
@pytest.mark.parametrize("where", POINTS)
def test_run_in_the_background_ends_on_sigterm_and_leaves_nothing(
    tmp_path: Path, where: str
) -> None:
    point, told = POINTS[where]
    landing, store = runs.landing_zone(tmp_path / "landing"), tmp_path / "store"
    temporary = tmp_path / "tmp"
    temporary.mkdir()
    run = ("run", "--landing", str(landing), "--store", str(store))
    with subprocess.Popen(
        in_background(sys.executable, "-c", _UP_TO, point, *run),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env={**os.environ, "TMPDIR": str(temporary)},
    ) as process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline() == "there\n"
            process.send_signal(signal.SIGINT)
            assert process.stdout.readline() == "ignored\n"
            process.terminate()
            output, _ = process.communicate(timeout=PATIENCE_SECONDS)
        finally:
            process.kill()
    assert process.returncode == 1, output
    assert told in output
    assert "Traceback" not in output
    assert [*temporary.iterdir()] == []
    assert not store.exists() or runs.left_over(store) == []
    assert runs.run(landing, store).succeeded


def test_signals_are_as_before_when_a_command_is_over() -> None:
    numbers = (signal.SIGINT, signal.SIGTERM)
    before = [signal.getsignal(number) for number in numbers]
    try:
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        with interrupted_by_sigterm():
            assert signal.SIGINT in signal.pthread_sigmask(signal.SIG_BLOCK, ())
            with pytest.raises(KeyboardInterrupt):
                os.kill(os.getpid(), signal.SIGTERM)
        assert signal.getsignal(signal.SIGINT) is signal.SIG_IGN
        assert signal.getsignal(signal.SIGTERM) is before[1]
        assert signal.SIGINT not in signal.pthread_sigmask(signal.SIG_BLOCK, ())
    finally:
        signal.signal(signal.SIGINT, before[0])


def test_command_in_a_thread_leaves_signals_to_the_program() -> None:
    before = signal.getsignal(signal.SIGTERM)
    found = []

    def ask() -> None:
        with interrupted_by_sigterm():
            found.append(signal.getsignal(signal.SIGTERM))

    thread = threading.Thread(target=ask)
    thread.start()
    thread.join()
    assert found == [before]
