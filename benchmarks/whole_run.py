"""The whole run from the command line: cold, with one more file, and what is asked of its store.

Checkouts take turns in each measurement. What each step of a run takes is told by Dagster itself.
"""

from __future__ import annotations

import json
import os
import shutil
import sys
import threading
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from benchmarks import synthetic
from benchmarks.measuring import Figures, observed, print_status

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from benchmarks.checkouts import Checkout

_QUIET = {"DAGSTER_DISABLE_TELEMETRY": "yes", "DRUG_ASSETS_ENV": "local"}
COLD, ONE_MORE, ONE_MORE_XML = "cold", "one more file", "one more file, of XML"
QUESTIONS = ("top-journal", "related-drugs")
#: What a run makes for people to look at: a store is whole without it.
_TO_SEE = ("explorer", "check_explorer", "exports")
#: Runs a command of `drug-assets`, and writes the seconds of each of its steps.
_WITH_STEPS = """
import json, sys
from dagster import DagsterInstance
file, steps = sys.argv.pop(1), {}
add = DagsterInstance.add_event_listener
def listen(instance, run_id, tell):
    def note(entry):
        event = entry.dagster_event
        if event is not None and event.is_step_success:
            steps[event.step_key] = event.step_success_data.duration_ms / 1000
        tell(entry)
    add(instance, run_id, note)
DagsterInstance.add_event_listener = listen
from drug_assets.cli import main
try:
    main()
finally:
    with open(file, "w") as told:
        json.dump(steps, told)
"""
_SAMPLE_SECONDS = 0.5


def command_line(*arguments: str) -> list[str]:
    """A command of `drug-assets` in this environment, independent of PATH."""
    return [sys.executable, "-c", "from drug_assets.cli import main; main()", *arguments]


def without_home() -> dict[str, str]:
    """Variables by which Dagster keeps runs in memory: a growing history would slow each run."""
    return _QUIET | {"DAGSTER_HOME": ""}


class RunZone:
    """A landing zone of a whole run, and the files that are added to it later."""

    def __init__(self, folder: Path, zone: synthetic.Zone, *, has_xml: bool = False) -> None:
        """Make the files that are missing.

        Args:
            folder: where they are made, and kept for the next time.
            zone: the contents of the landing zone.
            has_xml: whether a file of XML is among them, too, whatever the format of the others. It
                gives journals the ids that files of CSV lack, so the first one changes nearly all
                publications; what a further one costs is measured beside such a file.
        """
        print_status(
            f"landing zone of {zone.records:,} records in {zone.files} files of {zone.format}"
        )
        self.folder, self._zone = folder, zone
        self.landing = synthetic.landing_zone(folder / "zone", zone)
        self._added = folder / "added"
        self._added.mkdir(exist_ok=True)
        of_xml = replace(zone, format="xml")
        first = zone.files
        if has_xml:
            if not (self.landing / synthetic.zone_file(of_xml, first)).exists():
                synthetic.write_zone_file(self.landing, of_xml, first)
            first += 1
        self._later = {ONE_MORE: (zone, first), ONE_MORE_XML: (of_xml, first + 1)}
        for of_file in self._later.values():
            if not (self._added / synthetic.zone_file(*of_file)).exists():
                synthetic.write_zone_file(self._added, *of_file)
        self.reset()

    def reset(self) -> None:
        """Remove what was added to the landing zone."""
        for of_file in self._later.values():
            (self.landing / synthetic.zone_file(*of_file)).unlink(missing_ok=True)

    def add(self, what: str) -> None:
        """Add `ONE_MORE` or `ONE_MORE_XML` to the landing zone."""
        name = synthetic.zone_file(*self._later[what])
        os.link(self._added / name, self.landing / name)

    def store(self, side: str) -> Path:
        """The store of a side."""
        return self.folder / f"store-{side}"


def whole_run(
    zone: RunZone,
    sides: Mapping[str, Checkout],
    rounds: int,
    *,
    later: Sequence[str] = (ONE_MORE,),
    drug: str | None = None,
) -> dict[str, dict[str, list[Figures]]]:
    """Measure cold runs, each followed by runs with more files in the landing zone, and questions.

    Args:
        zone: the landing zone.
        sides: the checkouts that run, by name; they take turns in each measurement.
        rounds: number of cold runs; each begins with an empty store.
        later: which files are added after a cold run, one after the other.
        drug: the drug of the question related-drugs; no question is asked without it.

    Returns:
        By side and measurement, the figures of its runs.
    """
    taken: dict[str, dict[str, list[Figures]]] = {side: {} for side in sides}

    def measure(name: str, number: int, arguments: Sequence[str]) -> None:
        for side, checkout in sides.items():
            print_status(f"{name}: {side} ({number + 1} of {rounds})")
            store = zone.store(side)
            if name == COLD:
                shutil.rmtree(store, ignore_errors=True)
            figures = _observe(checkout, arguments, zone, store)
            taken[side].setdefault(name, []).append(figures)

    for number in range(rounds):
        zone.reset()
        measure(COLD, number, ("run", "--landing", str(zone.landing)))
        for name in later:
            zone.add(name)
            measure(name, number, ("run", "--landing", str(zone.landing)))
        if drug:
            for name, asked in zip(QUESTIONS, ((), (drug,)), strict=True):
                measure(name, number, (name, *asked, "--json"))
    zone.reset()
    for side in sides:
        shutil.rmtree(zone.store(side))
    return taken


def one_cold_run(zone: RunZone, checkout: Checkout, side: str) -> Figures:
    """Measure a cold run and the disk that it needs: landing zone, store, and at most meanwhile.

    The last is by how much the file system of the landing zone had less free space than before; it
    includes temporary files where these are on the same one. All in MB.

    Args:
        zone: the landing zone.
        checkout: what runs.
        side: its name.
    """
    store = zone.store(side)
    shutil.rmtree(store, ignore_errors=True)
    print_status(f"cold run of {zone.landing}")
    watch = _DiskWatch(zone.folder)
    watch.start()
    try:
        figures = _observe(checkout, ("run", "--landing", str(zone.landing)), zone, store)
    finally:
        watch.stop()
    figures |= {
        "landed_megabytes": _megabytes(zone.landing),
        "store_megabytes": _megabytes(store),
        "disk_megabytes": watch.most / 1e6,
    }
    shutil.rmtree(store)
    return figures


def _megabytes(folder: Path) -> float:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file()) / 1e6


class _DiskWatch(threading.Thread):
    """Samples by how much the free space of a file system falls."""

    def __init__(self, folder: Path) -> None:
        super().__init__(daemon=True)
        self._folder, self._ended = folder, threading.Event()
        self._free = shutil.disk_usage(folder).free
        self.most = 0

    def run(self) -> None:
        while not self._ended.wait(_SAMPLE_SECONDS):
            self.most = max(self.most, self._free - shutil.disk_usage(self._folder).free)

    def stop(self) -> None:
        self._ended.set()
        self.join()


def _observe(
    checkout: Checkout, arguments: Sequence[str], zone: RunZone, store: Path
) -> dict[str, Any]:
    """Run a command, and return its figures.

    Raises:
        RuntimeError: the command failed.
    """
    told = zone.folder / "steps.json"
    places = (*arguments, "--store", str(store))
    command = checkout.command(*places)
    if arguments[0] == "run":
        command = [str(checkout.python), "-c", _WITH_STEPS, str(told), *places]
    environment = checkout.environment(**without_home())
    seen = observed(command, environment=environment, folder=checkout.tree)
    if seen.exit_code:
        raise RuntimeError(
            f"drug-assets {arguments[0]} of {checkout.label} failed:\n"
            f"{seen.output[-4000:]}{seen.errors[-4000:]}"
        )
    figures: Figures = {
        "seconds": seen.seconds,
        "cpu_seconds": seen.cpu_seconds,
        "peak_mib": seen.peak_mib,
        "peak_mib_per_process": seen.peak_mib_per_process,
    }
    if arguments[0] == "run":
        steps = json.loads(told.read_text(encoding="utf-8"))
        figures["steps"] = {name: rounded for name in steps if (rounded := round(steps[name], 2))}
    return figures


def seconds_to_see(run: Mapping[str, Any]) -> float:
    """What the steps of a run take that make what people look at, in seconds."""
    return float(sum(run["steps"].get(step, 0) for step in _TO_SEE))


def questions(graph: Path, drug: str) -> dict[str, Figures]:
    """Measure both questions on a graph document, from the command line."""
    commands: dict[str, Sequence[str]] = {
        "top-journal": ("top-journal", "--json"),
        "related-drugs": ("related-drugs", drug, "--json"),
    }
    figures: dict[str, Figures] = {}
    for name, arguments in commands.items():
        print_status(f"{name} of a graph of {graph.stat().st_size / 1e6:,.0f} MB")
        seen = observed(command_line(*arguments, "--graph", str(graph)))
        if seen.exit_code:
            raise RuntimeError(f"drug-assets {name} failed:\n{seen.errors[-4000:]}")
        figures[name] = {"seconds": seen.seconds, "peak_mib": seen.peak_mib}
    return figures
