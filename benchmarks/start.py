"""What commands cost before there is much data: `python -m benchmarks.start`.

The run on `data/` takes turns with the bare imports that it needs: a process that does nothing but
import the libraries which a run has loaded at its end. What the run takes above them is our own
time. Each run begins with an empty store, in a process of its own, with compiled bytecode, and
without a home of Dagster; what the user's cache keeps is there.
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING

from benchmarks.checkouts import HEAD, here
from benchmarks.measuring import Figures, observed, print_status
from benchmarks.report import start_table
from benchmarks.whole_run import without_home

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from benchmarks.checkouts import Checkout

_ROOT = Path(__file__).parents[1]
BARE, RUN, UNCHANGED = "bare imports", "run on data/", "the same, nothing changed"
ABOVE = "above the imports"
_DRUG = "aspirin"
#: Runs a command, and writes the names of the modules that are loaded at its end.
_LIST = """
import json, sys
file = sys.argv.pop(1)
from drug_assets.cli import main
try:
    main()
finally:
    ours = {"drug_assets", "__main__"}
    theirs = [name for name in sys.modules if name.partition(".")[0] not in ours]
    open(file, "w").write(json.dumps(theirs))
"""
_IMPORT = """
import gc, importlib, json, sys
gc.disable()
for name in json.load(open(sys.argv[1])):
    try:
        importlib.import_module(name)
    except ImportError:
        pass
gc.freeze()
"""


def measured_start(
    folder: Path, rounds: int, sides: Mapping[str, Checkout]
) -> dict[str, dict[str, Figures]]:
    """Measure the run on `data/`, the bare imports, and what is asked of its store.

    Args:
        folder: where the stores are made.
        rounds: how often each command runs; they take turns, and the medians are returned.
        sides: the checkouts, by name, which take turns in each command; `data/` is the first one's.

    Returns:
        By side and name of the command, its `seconds` and `cpu_seconds`; and those of the run above
        the bare imports.
    """
    shutil.rmtree(folder, ignore_errors=True)
    landing = next(iter(sides.values())).tree / "data"
    commands = {side: _commands(folder / side, landing, of) for side, of in sides.items()}
    runs: dict[str, dict[str, list[Figures]]] = {side: {} for side in sides}
    for number in range(rounds):
        print_status(f"start ({number + 1} of {rounds})")
        for side in sides:
            shutil.rmtree(folder / side / "store")
        for name in next(iter(commands.values())):
            for side, checkout in sides.items():
                taken = _timed(commands[side][name], checkout, folder / side)
                runs[side].setdefault(name, []).append(taken)
    return {side: _medians(of_side) for side, of_side in runs.items()}


def _commands(folder: Path, landing: Path, checkout: Checkout) -> dict[str, Sequence[str]]:
    """The commands of a checkout, by name, after a run that finds what they import."""
    folder.mkdir(parents=True)
    listed, store = folder / "modules.json", folder / "store"
    places = ("--landing", str(landing), "--store", str(store))
    run = checkout.command("run", *places)
    python = str(checkout.python)
    _timed((python, "-c", _LIST, str(listed), "run", *places), checkout, folder)
    return {
        BARE: (python, "-c", _IMPORT, str(listed)),
        RUN: run,
        UNCHANGED: (*run, "--only-if-changed"),
        "top-journal": checkout.command("top-journal", "--store", str(store)),
        "related-drugs": checkout.command("related-drugs", _DRUG, "--store", str(store)),
    }


def _medians(runs: Mapping[str, list[Figures]]) -> dict[str, Figures]:
    figures = {
        name: {what: median(run[what] for run in of_command) for what in of_command[0]}
        for name, of_command in runs.items()
    }
    above = {
        what: median(
            run[what] - bare[what] for run, bare in zip(runs[RUN], runs[BARE], strict=True)
        )
        for what in figures[RUN]
    }
    order = (BARE, RUN, ABOVE, UNCHANGED, "top-journal", "related-drugs")
    return {name: (figures | {ABOVE: above})[name] for name in order}


def _timed(command: Sequence[str], checkout: Checkout, folder: Path) -> Figures:
    kept = {"XDG_CACHE_HOME": str(folder / "cache")}
    environment = checkout.environment(**without_home(), **kept)
    seen = observed(command, environment=environment, folder=checkout.tree)
    if seen.exit_code:
        raise RuntimeError(f"{command} failed:\n{seen.output[-4000:]}{seen.errors[-4000:]}")
    return {"seconds": seen.seconds, "cpu_seconds": seen.cpu_seconds}


def _main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.start", description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--data", type=Path, default=_ROOT / "build" / "benchmarks" / "start")
    parser.add_argument("--json", action="store_true", help="print the figures as JSON")
    chosen = parser.parse_args()
    figures = measured_start(chosen.data, chosen.rounds, {HEAD: here(_ROOT)})
    print(json.dumps(figures[HEAD]) if chosen.json else start_table(figures[HEAD]))
    return 0


if __name__ == "__main__":
    sys.exit(_main())
