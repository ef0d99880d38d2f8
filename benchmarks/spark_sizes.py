"""What Spark moves off a machine, its gain and its price: `python -m benchmarks.spark_sizes`.

Of synthetic PubMed files (packed XML) and 20,000 names, processor seconds are measured: of a whole
run with the local engine, and of the stages that an engine runs file by file. These are what Spark
moves; all else stays. They hold on a busy machine, while seconds do not. Figures are kept below
`build/benchmarks`, so that a size is measured once. Figures of a `--computed` size lie on the line
through those of the two largest measured ones. Time and money are computed, by the rules in this
module: Amdahl's law, with the time that a session takes to start.
"""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks import synthetic
from benchmarks.measuring import observed, print_status, timed
from benchmarks.whole_run import command_line, without_home

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_FOLDER = Path(__file__).parents[1] / "build" / "benchmarks" / "spark-sizes"
_NAMES = 20_000
_RECORDS_PER_FILE = 20_000

#: vCPUs of the job beside executors: of the smallest one, since they do the heavy half.
_JOB_CORES = 2
#: Share of the cores that is busy, of the job as of executors (`cloud_sizes`).
_BUSY = 0.6
#: Until a session answers, Google's own figures and some more.
_START_SECONDS = 90.0
#: Data Compute Units, with 4 GiB for each vCPU: 0.6 + 4 x 0.1.
_DCU_PER_CORE = 1.0
_DRIVER_CORES = 4
#: What a session has at least: the driver, and two executors of 4 cores.
_LEAST_CORES = _DRIVER_CORES + 2 * 4
#: Dollars: a DCU for an hour at the price of sessions, premium (docs/spark.md says where).
PER_DCU_HOUR = 0.089


@dataclass(frozen=True)
class Work:
    """Processor seconds of the first run over a number of records."""

    records: float
    whole: float
    read: float
    clean: float
    search: float

    @property
    def moved(self) -> float:
        """What an engine runs file by file."""
        return self.read + self.clean + self.search

    @property
    def stays(self) -> float:
        """What stays on one machine."""
        return max(0.0, self.whole - self.moved)

    def line_to(self, larger: Work, records: int) -> Work:
        """The work of a number of records on the line through this one and a larger one."""
        share = (records - self.records) / (larger.records - self.records)
        here, there = asdict(self), asdict(larger)
        return Work(**{name: here[name] + share * (there[name] - here[name]) for name in here})


def run_seconds(work: Work, executor_cores: int) -> float:
    """How long a run takes: with executors of so many cores, or on the job's own with 0."""
    stays = work.stays / (_JOB_CORES * _BUSY)
    if executor_cores == 0:
        return stays + work.moved / (_JOB_CORES * _BUSY)
    return _START_SECONDS + stays + work.moved / (executor_cores * _BUSY)


def session_dollars(work: Work, executor_cores: int) -> float:
    """What the session of a run costs: all executors while they work, the least it has else."""
    working = work.moved / (executor_cores * _BUSY)
    waiting = run_seconds(work, executor_cores) - working
    cores = working * (executor_cores + _DRIVER_CORES) + waiting * _LEAST_CORES
    return cores * _DCU_PER_CORE * PER_DCU_HOUR / 3600


def measure(records: int) -> Work:
    """Measure the work of a number of records."""
    files = max(2, records // _RECORDS_PER_FILE)
    zone = synthetic.Zone(records, files, synthetic.drug_names(_NAMES), "xml")
    print_status(f"landing zone of {records:,} records in {files} files")
    landing = synthetic.landing_zone(_FOLDER / f"zone-{synthetic.VERSION}-{records}", zone)
    store = _FOLDER / f"store-{records}"
    print_status(f"whole run of {records:,} records")
    arguments = ("run", "--landing", str(landing), "--store", str(store))
    whole = observed(command_line(*arguments), environment=without_home())
    if whole.exit_code:
        raise RuntimeError(f"the run failed:\n{whole.output[-4000:]}{whole.errors[-4000:]}")
    print_status(f"stages of {records:,} records")
    script = (sys.executable, "-m", "benchmarks.spark_sizes", "--stages", str(landing), str(store))
    stages = observed(script, environment=without_home())
    if stages.exit_code:
        raise RuntimeError(f"the stages failed:\n{stages.errors[-4000:]}")
    return Work(records=records, whole=whole.cpu_seconds, **json.loads(stages.output))


def stages(landing: Path, store: Path) -> dict[str, float]:
    """Processor seconds of the stages, in this process, over what a run has in its store."""
    import shutil
    import tempfile

    import polars as pl

    from drug_assets import mentions, sources
    from drug_assets.engines.local import LocalMachine
    from drug_assets.storage.kept.by_file import Recipe, make_parts
    from drug_assets.storage.landing import read_landing_zone
    from drug_assets.storage.places import open_store

    engine = LocalMachine(worth_bytes=sys.maxsize)
    drugs = pl.scan_parquet(store / "latest" / "drugs.parquet")
    seconds = {"read": 0.0, "clean": 0.0, "search": 0.0}
    folder = tempfile.mkdtemp(dir=_FOLDER)
    try:
        empty = open_store(folder)
        with timed() as watch:
            landed = read_landing_zone(open_store(str(landing)), empty, engine)
        seconds["read"] = watch.cpu_seconds
        for source in sources.PUBLICATIONS:
            recipe = Recipe(f"raw_{source.name}", source.clean_records)
            with timed() as watch:
                records = make_parts(
                    f"{source.name}_records", recipe, landed.raw[source.name], empty, engine
                )
            seconds["clean"] += watch.cpu_seconds
            names = mentions.list_searched_names(drugs)
            recipe = Recipe(
                f"{source.name}_records", mentions.find_drugs_named, names, mentions.Vocabulary.of
            )
            with timed() as watch:
                make_parts(f"{source.name}_drugs_named", recipe, records, empty, engine)
            seconds["search"] += watch.cpu_seconds
    finally:
        shutil.rmtree(folder)
    return seconds


def measured(records: int, folder: Path = _FOLDER) -> Work:
    """The work of a number of records, measured the first time."""
    file = folder / f"{records}.json"
    if not file.exists():
        folder.mkdir(parents=True, exist_ok=True)
        file.write_text(json.dumps(asdict(measure(records)), indent=1))
    return Work(**json.loads(file.read_text()))


def rows(
    sizes: Sequence[int], computed: Sequence[int], cores: Sequence[int], folder: Path = _FOLDER
) -> Iterator[str]:
    """The table: measured sizes, then computed ones."""
    head = ["records", "processor seconds", "moved", "2 cores, minutes"]
    head += [f"{count} cores: minutes, $" for count in cores]
    yield _line(head)
    yield _line(["--:"] * len(head))
    known = {size: measured(size, folder) for size in sorted(sizes)}
    for size, work in known.items():
        yield _line(_cells(f"{size:,}", work, cores))
    if computed:
        smaller, larger = list(known.values())[-2:]
        for size in sorted(computed):
            work = smaller.line_to(larger, size)
            yield _line(_cells(f"{size:,} (computed)", work, cores))


def _cells(name: str, work: Work, cores: Sequence[int]) -> list[str]:
    cells = [name, f"{work.whole:,.0f}", f"{work.moved / work.whole:.0%}"]
    cells.append(f"{run_seconds(work, 0) / 60:,.1f}")
    for count in cores:
        minutes = run_seconds(work, count) / 60
        cells.append(f"{minutes:,.1f}, {session_dollars(work, count):,.2f}")
    return cells


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def main() -> None:
    """Measure and compute, and print the table of docs/spark.md."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.spark_sizes", description=__doc__)
    parser.add_argument("--records", type=int, nargs="+", default=[200_000])
    parser.add_argument("--computed", type=int, nargs="*", default=[])
    parser.add_argument("--cores", type=int, nargs="+", default=[8, 32, 128])
    parser.add_argument("--stages", type=Path, nargs=2, metavar=("LANDING", "STORE"))
    options = parser.parse_args()
    if options.stages:
        print(json.dumps(stages(*options.stages)))
        return
    if options.computed and len(options.records) < 2:
        parser.error("to compute sizes takes two measured ones")
    for row in rows(options.records, options.computed, options.cores):
        print(row, flush=True)


if __name__ == "__main__":
    main()
