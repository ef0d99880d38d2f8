"""What a Spark costs and takes over: `python -m benchmarks.spark_engine --records 1000000`.

The same landing zone is run by the engine `local` and by `spark`, on a Spark of this machine with
two executors of one core (`make spark`). Processor seconds are counted for the run itself, for the
processes of Python that executors work in, and for Spark's own Java. So they hold on a busy
machine, while seconds do not. What the run itself needs less is what leaves its machine. What
that is worth with more cores, `spark_sizes` computes. Also a section of `make bench`.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import os
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks import synthetic
from benchmarks.measuring import Figures, NotInstalledError, observed, print_status
from benchmarks.report import table
from benchmarks.whole_run import command_line, without_home

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

_ROOT = Path(__file__).parents[1]
_FOLDER = _ROOT / "build" / "benchmarks" / "spark"
_PROC = Path("/proc")
_NAMES = 20_000
#: A file of PubMed has 30,000 at most.
_RECORDS_PER_FILE = 20_000
_TICKS = os.sysconf("SC_CLK_TCK")
#: All work is worth it, also of a small landing zone.
_ALWAYS = "from drug_assets.engines import spark; spark.WORTH_BYTES = 0; "


_ENGINES = ("local", "spark")


@dataclass(frozen=True)
class Processors:
    """Processor seconds of a Spark: of its executors' Python, and of its Java."""

    python: float
    java: float

    @classmethod
    def of_session(cls, session: int) -> Processors:
        """What all processes of a session have used, with their children that have ended."""
        used = {"python": 0.0, "java": 0.0}
        for stat in _PROC.glob("[0-9]*/stat"):
            try:
                name, _, rest = stat.read_text(encoding="utf-8").rpartition(")")
            except (FileNotFoundError, ProcessLookupError):
                continue  # it has just ended
            fields = rest.split()
            if int(fields[3]) == session:
                kind = "java" if name.partition("(")[2] == "java" else "python"
                # Those of children that a process of Java has waited for are Python's daemons.
                of_children = sum(map(int, fields[13:15]))
                used[kind] += sum(map(int, fields[11:13])) / _TICKS
                used["python"] += of_children / _TICKS
        return cls(**used)

    def since(self, before: Processors) -> Processors:
        """What was used since an earlier look."""
        return Processors(self.python - before.python, self.java - before.java)


def measure(folder: Path, records: int) -> dict[str, Figures]:
    """Run a landing zone by each engine; the figures, by engine.

    Args:
        folder: where the landing zone is made, and kept for the next time.
        records: number of its publications, as PubMed packs them.

    Raises:
        NotInstalledError: Spark, its client or a Java is missing.
    """
    from drug_assets_tests.support.spark_server import find_missing, running_spark

    if importlib.util.find_spec("pyspark") is None:
        raise NotInstalledError("pyspark-client")
    if missing := find_missing():
        raise NotInstalledError(missing)
    landing = make_zone(folder, records)
    print_status(f"{records:,} records on this machine")
    figures = {"local": _run(landing, folder / "store", {})}
    with running_spark() as server:
        print_status(f"{records:,} records on Spark")
        before = Processors.of_session(server.process.pid)
        environment = {"DRUG_ASSETS_ENGINE": "spark", "DRUG_ASSETS_SPARK": server.address}
        figures["spark"] = _run(landing, folder / "store", environment)
        used = Processors.of_session(server.process.pid).since(before)
    figures["spark"] |= {"python": used.python, "java": used.java}
    return {engine: found | {"records": records} for engine, found in figures.items()}


def make_zone(folder: Path, records: int) -> Path:
    """The landing zone of so many records; files that are there are kept."""
    files = max(4, records // _RECORDS_PER_FILE)
    zone = synthetic.Zone(records, files, synthetic.drug_names(_NAMES), "xml")
    print_status(f"landing zone of {records:,} records in {files} files")
    return synthetic.landing_zone(folder / f"zone-{records}", zone)


def prepared(folder: str, records: int) -> Figures:
    """`make_zone` as a measurement: the names are those of this interpreter."""
    make_zone(Path(folder), records)
    return {}


def engines(folder: str, records: int) -> Figures:
    """`measure` as a measurement of `measuring.measured`."""
    return measure(Path(folder), records)


def _run(landing: Path, store: Path, environment: Mapping[str, str]) -> Figures:
    shutil.rmtree(store, ignore_errors=True)
    command = command_line("run", "--landing", str(landing), "--store", str(store))
    command[2] = _ALWAYS + command[2]
    seen = observed(command, environment={**without_home(), **environment})
    if seen.exit_code:
        raise RuntimeError(f"drug-assets run failed:\n{seen.output[-4000:]}{seen.errors[-4000:]}")
    return {"seconds": seen.seconds, "run": seen.cpu_seconds, "peak_mib": seen.peak_mib}


def moved(figures: Mapping[str, Figures]) -> float:
    """The share of a run's processor time that leaves its machine."""
    return 1 - float(figures["spark"]["run"]) / float(figures["local"]["run"])


def overhead(figures: Mapping[str, Figures]) -> float:
    """The processor time of all of Spark and the run, as a multiple of that of the run alone."""
    spark = figures["spark"]
    used = float(spark["run"]) + float(spark["python"]) + float(spark["java"])
    return used / float(figures["local"]["run"])


def write(measured: Iterable[Mapping[str, Figures]]) -> str:
    """The figures as tables of Markdown."""
    listed = list(measured)
    columns = ("records", "engine", "the run", "executors' Python", "Spark's Java", "of all")
    rows = []
    for figures in listed:
        for engine, found in figures.items():
            python, java = float(found.get("python", 0)), float(found.get("java", 0))
            times = (float(found["run"]), python, java, float(found["run"]) + python + java)
            rows.append([f"{found['records']:,}", engine, *(f"{each:,.0f} s" for each in times)])
    gains = ("records", "leaves the machine", "overhead")
    shares = [
        [
            f"{figures['local']['records']:,}",
            f"{moved(figures):.0%}",
            f"{overhead(figures) - 1:+.0%}",
        ]
        for figures in listed
    ]
    return f"{table(columns, rows)}\n\n{table(gains, shares)}"


def write_section(figures: Mapping[str, Any], _: Mapping[str, Any]) -> str:
    """The section of RESULTS.md about Spark's engine."""
    if "not_installed" in figures:
        return f"Not measured: {figures['not_installed']}."
    told = (
        "`drug-assets run`, cold, by the engine `local` and by `spark`, on a Spark of this machine "
        "with two executors of one core: processor seconds, which leave out who waits for whom."
    )
    return f"{told}\n\n{write([{engine: figures[engine] for engine in _ENGINES}])}"


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure, and print the tables."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--records", type=int, nargs="+", default=[200_000])
    parser.add_argument("--folder", type=Path, default=_FOLDER)
    parser.add_argument("--json", action="store_true", help="print the figures instead")
    chosen = parser.parse_args(arguments)
    chosen.folder.mkdir(parents=True, exist_ok=True)
    measured = [measure(chosen.folder, records) for records in chosen.records]
    print(json.dumps(measured) if chosen.json else write(measured))


if __name__ == "__main__":
    main()
