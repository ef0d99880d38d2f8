"""What a deployment of a size needs: `python -m benchmarks.cloud_sizes --records 200000 1000000`.

Synthetic PubMed files (packed XML) lie in a bucket of the GCS emulator that the tests use. Of each
number of records two runs are observed from outside: the first one into an empty store, and one
with one more file. Their memory, temporary files, processor time and bytes
between job and buckets are measured; they hold on a busy machine, while seconds do not. Figures are
kept below `build/benchmarks`, so that a size is measured once. Each figure of a `--computed` size
lies on the line through those of the two largest measured ones. Time and money are computed for all
rows, by the rules in this module.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import tempfile
import threading
from contextlib import suppress
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks import synthetic
from benchmarks.measuring import observed, print_status
from benchmarks.whole_run import command_line

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from drug_assets_tests.support.emulators import GcsEmulator

_ROOT = Path(__file__).parents[1]
_FOLDER = _ROOT / "build" / "benchmarks" / "cloud-sizes"
_NAMES = 20_000
#: As many as PubMed's own files have at most is 30,000.
_RECORDS_PER_FILE = 20_000
_SAMPLE_SECONDS = 0.1
_GIB = 2**30

#: Cloud Run's sizes of a job: vCPU, and the most GiB of memory that they may have.
SIZES = ((2, 8), (4, 16), (8, 32))
#: Memory is asked for with this share more than the measured peak, in whole GiB, four at least.
_MEMORY_MARGIN = 1.25
_LEAST_GIB = 4
#: The disk is asked for with this share more than the measured peak, in whole GiB; Cloud Run has no
#: smaller one than ten.
_DISK_MARGIN = 1.5
_LEAST_DISK_GIB = 10
#: Share of its cores that a run keeps busy: reading and searching use all, joins some.
_BUSY = 0.6
#: Bytes a second between a job and buckets of its region, a cautious figure.
_BYTES_PER_SECOND = 100e6
#: Two a day, each with one more file.
_RUNS_PER_MONTH = 60
#: Releases that are stored at once: the ten that are kept, and for a week what each run staged, and
#: each release that was pruned.
_STORED_RELEASES = 10 + 7 * 2 * 2
#: BigQuery bills values as they are; packed in Parquet, they are this much smaller, about.
_BYTES_PER_PARQUET_BYTE = 4
#: Dollars: list prices of europe-west1 (docs/deployment.md says where they are written).
PER_VCPU_SECOND = 0.000018
PER_GIB_SECOND = 0.000002
PER_GIB_MONTH = 0.020
PER_BIGQUERY_GIB_MONTH = 0.020


@dataclass(frozen=True)
class Figures:
    """What was measured of a number of records, or computed; sizes in bytes.

    Of each run: processor seconds, the peaks of memory and of temporary files, and bytes between
    job and buckets.
    """

    records: float
    landed: float
    kept: float
    release: float
    tables: float
    first_cpu: float
    first_memory: float
    first_scratch: float
    first_moved: float
    more_cpu: float
    more_memory: float
    more_scratch: float
    more_moved: float

    def line_to(self, larger: Figures, records: int) -> Figures:
        """The figures of a number of records on the line through these and larger ones."""
        share = (records - self.records) / (larger.records - self.records)
        values = {
            field.name: getattr(self, field.name)
            + share * (getattr(larger, field.name) - getattr(self, field.name))
            for field in fields(self)
        }
        return Figures(**values)


@dataclass(frozen=True)
class Needs:
    """What a deployment asks for and costs, computed from figures."""

    vcpu: int
    memory_gib: int
    disk_gib: int
    #: Of the first run, and of one with one more file.
    first_minutes: float
    more_minutes: float
    #: Of the first run; of a month of runs with one more file.
    first_dollars: float
    runs_dollars: float
    #: The landing zone, what is kept, and releases.
    stored_gib: float
    stored_dollars: float
    #: Whether memory is more than Cloud Run gives.
    is_too_large: bool

    @classmethod
    def of(cls, figures: Figures) -> Needs:
        """Compute needs by the rules of this module."""
        peak = max(figures.first_memory, figures.more_memory) / _GIB
        memory = max(_LEAST_GIB, -int(-peak * _MEMORY_MARGIN // 1))
        fitting = [size for size in SIZES if size[1] >= memory]
        vcpu = fitting[0][0] if fitting else SIZES[-1][0]
        scratch = max(figures.first_scratch, figures.more_scratch) / _GIB

        def seconds(cpu: float, moved: float) -> float:
            return cpu / (vcpu * _BUSY) + moved / _BYTES_PER_SECOND

        first = seconds(figures.first_cpu, figures.first_moved)
        more = seconds(figures.more_cpu, figures.more_moved)
        per_second = vcpu * PER_VCPU_SECOND + memory * PER_GIB_SECOND
        stored = figures.landed + figures.kept + _STORED_RELEASES * figures.release
        tables = figures.tables * _BYTES_PER_PARQUET_BYTE / _GIB * PER_BIGQUERY_GIB_MONTH
        return cls(
            vcpu=vcpu,
            memory_gib=memory,
            disk_gib=max(_LEAST_DISK_GIB, -int(-scratch * _DISK_MARGIN // 1)),
            first_minutes=first / 60,
            more_minutes=more / 60,
            first_dollars=first * per_second,
            runs_dollars=more * per_second * _RUNS_PER_MONTH,
            stored_gib=stored / _GIB,
            stored_dollars=stored / _GIB * PER_GIB_MONTH + tables,
            is_too_large=not fitting,
        )


class _Scratch(threading.Thread):
    """Samples the size of a folder."""

    def __init__(self, folder: Path) -> None:
        super().__init__(daemon=True)
        self._folder = folder
        self._ended = threading.Event()
        self.peak = 0

    def run(self) -> None:
        while not self._ended.wait(_SAMPLE_SECONDS):
            self.peak = max(self.peak, sum(_sizes(self._folder)))

    def stop(self) -> None:
        self._ended.set()
        self.join()


def _sizes(folder: Path) -> Iterator[int]:
    """Bytes on disk of the files below a folder, which may go meanwhile."""
    for parent, _, names in os.walk(folder):
        for name in names:
            with suppress(FileNotFoundError):
                yield Path(parent, name).stat().st_blocks * 512


def measure(records: int) -> Figures:
    """Measure the two runs of a number of records."""
    from drug_assets_tests.support.emulators import running_gcs

    files = max(2, records // _RECORDS_PER_FILE)
    zone = synthetic.Zone(records, files, synthetic.drug_names(_NAMES), "xml")
    folder = _FOLDER / f"zone-{synthetic.VERSION}-{records}"
    print_status(f"landing zone of {records:,} records in {files} files")
    landing = synthetic.landing_zone(folder, zone)
    more = synthetic.write_zone_file(_made(_FOLDER / f"more-{records}"), zone, files)
    seen: dict[str, float] = {"records": records}
    with running_gcs() as emulator:
        client = emulator.client()
        landed, store = client.create_bucket("landing"), client.create_bucket("store")
        for path in sorted(landing.iterdir()):
            landed.blob(path.name).upload_from_filename(str(path))
        seen["landed"] = sum(blob.size for blob in client.list_blobs(landed))
        for run in ("first", "more"):
            if run == "more":
                landed.blob(more.name).upload_from_filename(str(more))
            print_status(f"{run} run of {records:,} records")
            seen |= {f"{run}_{name}": figure for name, figure in _run(emulator).items()}
            if run == "first":
                objects = {blob.name: blob.size for blob in client.list_blobs(store)}
            print_status(json.dumps(seen))
        kept = sum(size for name, size in objects.items() if name.startswith(".kept/"))
        released = {n: s for n, s in objects.items() if n.startswith("releases/")}
        seen |= {
            "kept": kept,
            "release": sum(released.values()),
            "tables": sum(s for name, s in released.items() if name.endswith(".parquet")),
        }
    return Figures(**seen)


def _run(emulator: GcsEmulator) -> dict[str, float]:
    scratch = Path(tempfile.mkdtemp(prefix="cloud-sizes-", dir=_made(_FOLDER)))
    watch = _Scratch(scratch)
    watch.start()
    moved = _moved(emulator)
    try:
        done = observed(
            command_line("run", "--landing", "gs://landing", "--store", "gs://store"),
            environment={
                "DAGSTER_DISABLE_TELEMETRY": "yes",
                "DAGSTER_HOME": "",
                "DRUG_ASSETS_ENV": "local",
                "STORAGE_EMULATOR_HOST": emulator.url,
                "TMPDIR": str(scratch),
            },
        )
    finally:
        watch.stop()
        shutil.rmtree(scratch, ignore_errors=True)
    if done.exit_code:
        raise RuntimeError(f"the run failed:\n{done.output[-4000:]}{done.errors[-4000:]}")
    return {
        "cpu": done.cpu_seconds,
        "memory": done.peak_mib * 2**20,
        "scratch": watch.peak,
        "moved": _moved(emulator) - moved,
    }


def _moved(emulator: GcsEmulator) -> int:
    """Bytes that the emulator has written so far, to files as to sockets."""
    counts = Path(f"/proc/{emulator.server.process.pid}/io").read_text()
    return int(dict(line.split(": ") for line in counts.splitlines())["wchar"])


def _made(folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def measured(records: int, folder: Path = _FOLDER) -> Figures:
    """The figures of a number of records, measured the first time."""
    file = _made(folder) / f"{records}.json"
    if not file.exists():
        file.write_text(json.dumps(asdict(measure(records)), indent=1))
    known = json.loads(file.read_text())
    return Figures(**{field.name: known[field.name] for field in fields(Figures)})


def rows(sizes: Sequence[int], computed: Sequence[int], folder: Path = _FOLDER) -> Iterator[str]:
    """The rows of the table: measured sizes, then computed ones."""
    known = {size: measured(size, folder) for size in sorted(sizes)}
    for size, figures in known.items():
        yield _row(f"{size:,}", figures)
    if computed:
        smaller, larger = list(known.values())[-2:]
        for size in sorted(computed):
            yield _row(f"{size:,} (computed)", smaller.line_to(larger, size))


#: The columns of the table; of two figures, the first one is of the first run.
HEAD = (
    *("records", "memory, GiB", "temporary files, GiB", "processor seconds", "GiB moved"),
    *("`job.cpu`, `memory`", "`scratch_gib`", "minutes", "first run, $", "runs, $ a month"),
    "stored, GiB: $ a month",
)


def _row(name: str, figures: Figures) -> str:
    needs = Needs.of(figures)
    job = "more than there is" if needs.is_too_large else f"{needs.vcpu}, {needs.memory_gib}Gi"
    cells = (
        name,
        f"{max(figures.first_memory, figures.more_memory) / _GIB:,.1f}",
        f"{max(figures.first_scratch, figures.more_scratch) / _GIB:,.1f}",
        f"{figures.first_cpu:,.0f}, {figures.more_cpu:,.0f}",
        f"{figures.first_moved / _GIB:,.1f}, {figures.more_moved / _GIB:,.1f}",
        job,
        str(needs.disk_gib),
        f"{needs.first_minutes:,.1f}, {needs.more_minutes:,.1f}",
        f"{needs.first_dollars:,.2f}",
        f"{needs.runs_dollars:,.2f}",
        f"{needs.stored_gib:,.0f}: {needs.stored_dollars:,.2f}",
    )
    return f"| {' | '.join(cells)} |"


def main() -> None:
    """Measure and compute, and print the rows of the table of docs/deployment.md."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.cloud_sizes", description=__doc__)
    parser.add_argument("--records", type=int, nargs="+", default=[200_000])
    parser.add_argument("--computed", type=int, nargs="*", default=[])
    options = parser.parse_args()
    if options.computed and len(options.records) < 2:
        parser.error("to compute sizes takes two measured ones")
    print(f"| {' | '.join(HEAD)} |")
    print(f"| {' | '.join(['--:'] * len(HEAD))} |")
    for row in rows(options.records, options.computed):
        print(row, flush=True)


if __name__ == "__main__":
    main()
