"""The command that runs all measurements and writes RESULTS.md.

    python -m benchmarks.run [--plan full|short|tiny] [--data FOLDER] [--results FILE]

The measurements are in the modules beside this one; `report` writes their figures as text.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import shutil
import sys
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks import explorer, measuring, report, start, synthetic
from benchmarks.measuring import Figures, print_status
from benchmarks.whole_run import questions, whole_run

if TYPE_CHECKING:
    from collections.abc import Mapping

_HERE = Path(__file__).parent
_PEERS = ("flashtext", "pyahocorasick", "drug-named-entity-recognition", "pubmed_parser", "pyspark")
_OWN = ("drug_assets", "polars", "lxml", "dagster")


@dataclass(frozen=True)
class Plan:
    """The sizes of the measurements, and how often each is made."""

    name: str
    #: Rounds of the measurements that are compared.
    rounds: int
    #: Numbers of titles and of names; the package and the other libraries run on each combination.
    titles: tuple[int, ...]
    names: tuple[int, ...]
    #: Titles and names of the measurement at scale, of the package alone.
    many_titles: int
    many_titles_names: int
    #: Titles and names of the largest search, from files, batch by batch.
    most_titles: int
    most_names: int
    #: Titles for the slow libraries; their time is extrapolated to the most titles.
    entity_recognition_titles: int
    spark_titles: int
    agreement_titles: int
    #: Size and formats of the landing zone of the whole run, and number of runs.
    records: int
    files: int
    formats: tuple[str, ...]
    runs: int
    #: Size of a landing zone of CSV with very many records, run cold and with one more file; no
    #: records, no such run.
    most_records: int
    most_files: int
    #: Number of its files that are read in a measurement of reading alone, on all cores.
    landing_files: int
    #: How often a file is repeated in one document, to check that memory does not grow.
    repeated: int
    #: Number of mentions in the graph document.
    mentions: int
    #: Drugs and mentions of the explorer's pages.
    pages: tuple[tuple[int, int], ...]

    @property
    def all_names(self) -> int:
        """The number of names that titles are made with."""
        return max(*self.names, self.most_names)


PLANS = {
    plan.name: plan
    for plan in (
        Plan(
            name="full",
            rounds=5,
            titles=(100_000, 1_000_000),
            names=(7, 1_000, 20_000, 100_000),
            many_titles=10_000_000,
            many_titles_names=20_000,
            most_titles=40_000_000,
            most_names=108_000,
            entity_recognition_titles=100_000,
            spark_titles=4_000,
            agreement_titles=1_000_000,
            records=1_000_000,
            files=50,
            formats=("xml", "csv"),
            runs=3,
            most_records=10_000_000,
            most_files=300,
            landing_files=8,
            repeated=20,
            mentions=10_000_000,
            pages=explorer.SIZES,
        ),
        Plan(
            name="short",
            rounds=3,
            titles=(100_000, 1_000_000),
            names=(7, 20_000, 100_000),
            many_titles=10_000_000,
            many_titles_names=20_000,
            most_titles=10_000_000,
            most_names=100_000,
            entity_recognition_titles=20_000,
            spark_titles=1_000,
            agreement_titles=200_000,
            records=1_000_000,
            files=50,
            formats=("xml",),
            runs=2,
            most_records=0,
            most_files=0,
            landing_files=4,
            repeated=5,
            mentions=10_000_000,
            pages=explorer.SIZES[:-1],
        ),
        Plan(
            name="tiny",
            rounds=1,
            titles=(100,),
            names=(7, 50),
            many_titles=300,
            many_titles_names=50,
            most_titles=400,
            most_names=60,
            entity_recognition_titles=20,
            spark_titles=20,
            agreement_titles=100,
            records=100,
            files=5,
            formats=("csv",),
            runs=1,
            most_records=150,
            most_files=5,
            landing_files=2,
            repeated=2,
            mentions=500,
            pages=((7, 21), (50, 400)),
        ),
    )
}


def measured_mentions(plan: Plan, data: Path, names_file: Path) -> dict[str, Any]:
    """Measure finding mentions: beside other libraries, at scale, and the agreement of spans."""
    names = tuple(names_file.read_text(encoding="utf-8").split("\n"))
    print_status(f"{plan.most_titles:,} titles")
    files = synthetic.title_files(data / "titles", names, plan.most_titles)
    title_files = [str(path) for path in files]
    common = {"title_files": title_files, "names_file": str(names_file)}
    most = max(plan.titles)
    side_by_side = []
    for count in plan.names:
        for titles in plan.titles:
            task = common | {"titles": titles, "names": count}
            tasks: dict[str, Mapping[str, Any]] = {
                who: task | {"function": f"mentions.{who}"}
                for who in ("drug_assets", "flashtext", "pyahocorasick")
            }
            figures = measuring.interleaved(tasks, plan.rounds)
            if titles == most:
                who, sample = "drug_named_entity_recognition", plan.entity_recognition_titles
                print_status(f"{who} on a sample")
                figures[who] = {
                    "sample": sample,
                    **measuring.measured(f"mentions.{who}", **task | {"titles": sample}),
                }
            side_by_side.append({"titles": titles, "names": count, "figures": figures})
    print_status("agreement with FlashText")
    agreements = [
        {"names": count}
        | measuring.measured(
            "mentions.agreement", **common, titles=plan.agreement_titles, names=count
        )
        for count in sorted(plan.names)[-2:]
    ]
    by_batch = common | {"function": "mentions.drug_assets_by_batch"}
    many = by_batch | {"names": plan.many_titles_names}
    at_scale = measuring.interleaved(
        {f"{titles}": many | {"titles": titles} for titles in (most, plan.many_titles)},
        min(plan.rounds, 3),
    )
    task = by_batch | {"titles": plan.most_titles, "names": plan.most_names}
    largest = measuring.interleaved({"largest search": task}, min(plan.rounds, 2))
    print_status("PySpark's cross join on a sample")
    spark = measuring.measured(
        "spark_cross_join.cross_join",
        **common,
        titles=plan.spark_titles,
        names=plan.many_titles_names,
    )
    return {
        "side_by_side": side_by_side,
        "agreement": agreements,
        "at_scale": at_scale,
        "largest": largest["largest search"],
        "spark": spark,
    }


def measured_whole_run(plan: Plan, data: Path, names_file: Path) -> dict[str, Any]:
    """Measure the whole run on a landing zone of each format."""
    names = tuple(names_file.read_text(encoding="utf-8").split("\n"))
    listed = names[: plan.many_titles_names]
    return {
        kind: whole_run(
            data / f"{kind}-{plan.records}-{plan.files}",
            synthetic.Zone(plan.records, plan.files, listed, kind),
            plan.runs,
        )
        for kind in plan.formats
    }


def measured_large_run(plan: Plan, data: Path, names_file: Path) -> dict[str, Any]:
    """Measure the whole run on very many records of CSV, once; nothing if the plan has none."""
    if not plan.most_records:
        return {}
    names = tuple(names_file.read_text(encoding="utf-8").split("\n"))
    zone = synthetic.Zone(
        plan.most_records, plan.most_files, names[: plan.many_titles_names], "csv"
    )
    return whole_run(data / f"csv-{plan.most_records}-{plan.most_files}", zone, 1)


def measured_xml(plan: Plan, data: Path, names_file: Path) -> dict[str, Any]:
    """Measure reading XML: beside other libraries, on all cores, and as one long document."""
    names = tuple(names_file.read_text(encoding="utf-8").split("\n"))[: plan.many_titles_names]
    zone = synthetic.Zone(plan.records, plan.files, names, "xml")
    # The folder of the whole run, so that files which it made are used again.
    folder = data / f"xml-{plan.records}-{plan.files}" / "zone"
    folder.mkdir(parents=True, exist_ok=True)
    landing_zone = data / "xml-landing"
    shutil.rmtree(landing_zone, ignore_errors=True)
    landing_zone.mkdir()
    for file in range(plan.landing_files):
        name = synthetic.zone_file(zone, file)
        path = folder / name
        if not path.exists():
            synthetic.write_zone_file(folder, zone, file)
        os.link(path, landing_zone / name)
    packed = str(folder / synthetic.zone_file(zone, 0))
    peers = (
        *("page_cache", "byte_search", "gunzip"),
        *("lxml_iterparse", "lxml_iterparse_articles", "drug_assets"),
    )
    tasks = {who: {"function": f"pubmed_xml.{who}", "packed_file": packed} for who in peers}
    figures = measuring.interleaved(tasks, plan.rounds)
    print_status("pubmed_parser")
    figures["pubmed_parser"] = measuring.measured("pubmed_xml.pubmed_parser", packed_file=packed)
    store = data / "xml-store"
    shutil.rmtree(store, ignore_errors=True)
    print_status("XML on all cores")
    landing = measuring.measured("pubmed_xml.landing", zone=str(landing_zone), store=str(store))
    memory = {
        times: measuring.measured("pubmed_xml.streaming_memory", packed_file=packed, times=times)
        for times in (1, plan.repeated)
    }
    return {"side_by_side": figures, "landing": landing, "memory": memory}


def measured_graph(plan: Plan, data: Path, names_file: Path) -> dict[str, Any]:
    """Measure writing a graph document, and both questions on it."""
    folder = data / "graph"
    print_status(f"graph document of {plan.mentions:,} mentions")
    measuring.measured(
        "graph_document.made_tables",
        folder=str(folder),
        mentions=plan.mentions,
        names_file=str(names_file),
        names=plan.many_titles_names,
    )
    writing = measuring.measured("graph_document.written", folder=str(folder))
    with names_file.open(encoding="utf-8") as file:
        drug = [file.readline().rstrip("\n") for _ in range(2)][-1]
    return {"writing": writing, **questions(folder / "graph.json", drug)}


def measured_explorer(plan: Plan, data: Path, _: Path) -> list[dict[str, Any]]:
    """Measure making and opening the explorer's pages, which stay in the folder of data."""
    measured = []
    for drugs, mentions in plan.pages:
        print_status(f"explorer of {mentions:,} mentions")
        folder = str(data / f"explorer-{drugs}-{mentions}")
        size = {"drugs": drugs, "mentions": mentions}
        measuring.measured("explorer.made_tables", folder=folder, **size)
        making = measuring.measured("explorer.written", folder=folder)
        opening = explorer.measured_opening(folder, plan.rounds)
        measured.append(size | {"making": making, "opening": opening})
    return measured


def measured_start(plan: Plan, data: Path, _: Path) -> dict[str, Figures]:
    """Measure the run on the sample beside the imports that it needs, and questions."""
    return start.measured_start(data / "start", plan.rounds)


def machine() -> dict[str, Any]:
    """The description of this machine and its software, without its name and paths."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return {
        "processor": _processor(),
        "cores": cores,
        "memory_gib": os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30,
        "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
        "date": datetime.now(tz=UTC).date().isoformat(),
        "load_before": os.getloadavg()[0],
        "versions": {name: _version(name) for name in (*_OWN, *_PEERS)},
    }


def _processor() -> str:
    listing = Path("/proc/cpuinfo")
    lines = listing.read_text().splitlines() if listing.exists() else []
    models = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return models[0] if models else platform.processor() or platform.machine()


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def _written_names(plan: Plan, data: Path) -> Path:
    """Write the names, one per line, if missing: unpacking the library that has them is slow."""
    path = data / "names.txt"
    if not path.exists():
        path.write_text("\n".join(synthetic.drug_names(plan.all_names)), encoding="utf-8")
    return path


def run(plan: Plan, data: Path, results: Path) -> Figures:
    """Run all measurements; write the results as Markdown, and figures as JSON beside the data.

    Args:
        plan: the sizes of the measurements.
        data: where generated data are kept.
        results: the file to write.
    """
    figures: Figures = {"plan": asdict(plan), "machine": machine()}
    # Titles contain the names, so other names need a folder of their own.
    origin = "package" if synthetic.names_come_from_package() else "built"
    data = data / f"v{synthetic.VERSION}-{origin}-{plan.all_names}"
    data.mkdir(parents=True, exist_ok=True)
    names_file = _written_names(plan, data)
    figures["names_come_from_package"] = synthetic.names_come_from_package()
    for part, measure in (
        ("start", measured_start),
        ("mentions", measured_mentions),
        ("whole_run", measured_whole_run),
        ("large_run", measured_large_run),
        ("xml", measured_xml),
        ("graph", measured_graph),
        ("explorer", measured_explorer),
    ):
        figures[part] = measure(plan, data, names_file)
        # Written after each part, so that figures are not lost if a later part fails.
        (data / "figures.json").write_text(json.dumps(figures, indent=1), encoding="utf-8")
    results.write_text(report.markdown(figures), encoding="utf-8")
    return figures


def _main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.run", description=__doc__)
    parser.add_argument("--plan", choices=PLANS, default="full")
    parser.add_argument("--data", type=Path, default=_HERE.parent / "build" / "benchmarks")
    parser.add_argument("--results", type=Path, default=_HERE / "RESULTS.md")
    chosen = parser.parse_args()
    run(PLANS[chosen.plan], chosen.data, chosen.results)
    print_status(f"written: {chosen.results}")
    return 0


if __name__ == "__main__":
    sys.exit(_main())
