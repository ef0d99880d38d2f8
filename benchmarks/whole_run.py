"""The whole run from the command line: cold, and again with one more file in the landing zone."""

from __future__ import annotations

import os
import shutil
import sys
from typing import TYPE_CHECKING

from benchmarks import synthetic
from benchmarks.measuring import Figures, observed, print_status

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

_QUIET = {"DAGSTER_DISABLE_TELEMETRY": "yes", "DRUG_ASSETS_ENV": "local"}


def command_line(*arguments: str) -> list[str]:
    """A command of `drug-assets` in this environment, independent of PATH."""
    return [sys.executable, "-c", "from drug_assets.cli import main; main()", *arguments]


def whole_run(folder: Path, zone: synthetic.Zone, rounds: int) -> dict[str, list[Figures]]:
    """Measure cold runs, each followed by a run with one more file in the landing zone.

    Args:
        folder: where the landing zone is made, and kept for the next time.
        zone: the contents of the landing zone.
        rounds: number of cold runs; each begins with an empty store.

    Returns:
        The figures of the runs, by `cold` and `one more file`.
    """
    print_status(f"landing zone of {zone.records:,} records in {zone.files} files of {zone.format}")
    landing = synthetic.landing_zone(folder / "zone", zone)
    added = folder / "added"
    added.mkdir(exist_ok=True)
    one_more = added / synthetic.zone_file(zone, zone.files)
    if not one_more.exists():
        synthetic.write_zone_file(added, zone, zone.files)
    landed = landing / one_more.name
    store = folder / "store"
    figures: dict[str, list[Figures]] = {"cold": [], "one more file": []}
    for number in range(rounds):
        landed.unlink(missing_ok=True)
        shutil.rmtree(store, ignore_errors=True)
        print_status(f"cold run ({number + 1} of {rounds})")
        figures["cold"].append(_run(landing, store))
        os.link(one_more, landed)
        print_status(f"run with one more file ({number + 1} of {rounds})")
        figures["one more file"].append(_run(landing, store))
    landed.unlink()
    return figures


def _run(landing: Path, store: Path) -> Figures:
    arguments = ("run", "--landing", str(landing), "--store", str(store))
    seen = observed(command_line(*arguments), environment=without_home())
    if seen.exit_code:
        raise RuntimeError(f"drug-assets run failed:\n{seen.output[-4000:]}{seen.errors[-4000:]}")
    return {
        "seconds": seen.seconds,
        "peak_mib": seen.peak_mib,
        "peak_mib_per_process": seen.peak_mib_per_process,
        "report": seen.output,
    }


def without_home() -> dict[str, str]:
    """Variables by which Dagster keeps runs in memory: a growing history would slow each run."""
    return _QUIET | {"DAGSTER_HOME": ""}


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
