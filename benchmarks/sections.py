"""The sections of RESULTS.md: what is measured for each, and what writes it as text.

A section can be measured by itself; figures of the others stay. README.md says how to add one.
"""

from __future__ import annotations

import hashlib
import os
import shutil
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks import (
    explorer,
    exports,
    measuring,
    report,
    serving,
    spark_engine,
    start,
    synthetic,
)
from benchmarks.checkouts import BASE, HEAD, Checkout
from benchmarks.measuring import Figures, print_status
from benchmarks.whole_run import (
    COLD,
    ONE_MORE,
    ONE_MORE_XML,
    RunZone,
    one_cold_run,
    questions,
    whole_run,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from benchmarks.plans import Plan

_HERE = Path(__file__).parent
_ROOT = _HERE.parent
#: What decides the contents of made tables.
_MAKES_TABLES = ("explorer.py", "graph_document.py", "synthetic.py", "../drug_assets/contracts.py")
#: Bytes of disk that a record of CSV needs at most, as a smaller run shows: in landing zone, store
#: and temporary files.
DISK_BYTES_PER_RECORD = 1_200


class NoRoomError(Exception):
    """The disk has too little room for a measurement."""


@dataclass(frozen=True)
class Setting:
    """What a section is measured with."""

    plan: Plan
    #: Where data are made, and kept for the next time.
    data: Path
    #: The checkouts, by name: `HEAD`, and before it `BASE` where one is measured beside it.
    sides: Mapping[str, Checkout]

    @property
    def head(self) -> Checkout:
        """The checkout that the results are about."""
        return self.sides[HEAD]

    @property
    def base(self) -> Checkout | None:
        """The checkout that is measured beside it."""
        return self.sides.get(BASE)

    @property
    def names_file(self) -> Path:
        """All names, one a line; made if missing, because to unpack what has them is slow."""
        path = self.data / "names.txt"
        if not path.exists():
            names = "\n".join(synthetic.drug_names(self.plan.all_names))
            path.write_text(names, encoding="utf-8")
        return path

    def names(self, count: int | None = None) -> tuple[str, ...]:
        """The first names."""
        return tuple(self.names_file.read_text(encoding="utf-8").split("\n"))[:count]

    def beside(self, task: Mapping[str, Any], who: str) -> dict[str, Mapping[str, Any]]:
        """A task of `measuring.interleaved` for each side: the head's has the name `who`."""
        named = {HEAD: who, BASE: BASE}
        return {named[side]: {**task, "checkout": of} for side, of in self.sides.items()}


@dataclass(frozen=True)
class Section:
    """A part of RESULTS.md that is measured by itself."""

    name: str
    title: str
    #: Makes what is measured, so that no quiet time is spent on that; keeps what is there.
    prepare: Callable[[Setting], object]
    measure: Callable[[Setting], Figures]
    #: Figures and the fields of the plan as Markdown, without the heading.
    write: Callable[[Figures, Mapping[str, Any]], str]
    claims: Callable[[Figures, Mapping[str, Any]], Iterator[report.Claim]]
    #: Whether a base is measured beside it.
    has_base: bool = False


def _nothing(_: Setting) -> None:
    """What needs no data."""


# Titles


def _title_files(setting: Setting, count: int) -> dict[str, Any]:
    """The arguments of each search: files with this many titles at least, and the names."""
    print_status(f"{count:,} titles")
    files = synthetic.title_files(setting.data / "titles", setting.names(), count)
    return {
        "title_files": [str(path) for path in files],
        "names_file": str(setting.names_file),
    }


def _titles_beside_others(setting: Setting) -> dict[str, Any]:
    plan = setting.plan
    return _title_files(setting, max(*plan.titles, plan.agreement_titles, plan.spark_titles))


def _measure_search(setting: Setting) -> Figures:
    plan, common = setting.plan, _titles_beside_others(setting)
    most = max(plan.titles)
    side_by_side = []
    for count in plan.names:
        for titles in plan.titles:
            task = common | {"titles": titles, "names": count}
            tasks = setting.beside(task | {"function": "mentions.drug_assets"}, "drug_assets")
            for who in ("flashtext", "pyahocorasick"):
                tasks[who] = task | {"function": f"mentions.{who}"}
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
    print_status("PySpark's cross join on a sample")
    spark = measuring.measured(
        "spark_cross_join.cross_join",
        **common,
        titles=plan.spark_titles,
        names=plan.many_titles_names,
    )
    return {
        "names_come_from_package": synthetic.names_come_from_package(),
        "side_by_side": side_by_side,
        "agreement": agreements,
        "spark": spark,
    }


def _many_titles(setting: Setting) -> dict[str, Any]:
    return _title_files(setting, max(setting.plan.many_titles, setting.plan.most_titles))


def _measure_titles(setting: Setting) -> Figures:
    plan = setting.plan
    by_batch = _many_titles(setting) | {"function": "mentions.drug_assets_by_batch"}
    sizes = (
        (max(plan.titles), plan.many_titles_names),
        (plan.many_titles, plan.many_titles_names),
        (plan.most_titles, plan.most_names),
    )
    measured = []
    for titles, names in sizes:
        task = by_batch | {"titles": titles, "names": names}
        rounds = min(plan.rounds, 3 if titles < plan.most_titles else 2)
        sides = measuring.interleaved(setting.beside(task, HEAD), rounds)
        measured.append({"titles": titles, "names": names, "figures": sides})
    return {"sizes": measured}


# XML


def _xml_zone(setting: Setting) -> tuple[Path, str]:
    """A landing zone of the first files of the whole run, and the path of the first of them."""
    plan = setting.plan
    zone = synthetic.Zone(plan.records, plan.files, setting.names(plan.many_titles_names), "xml")
    # The folder of the whole run, so that files which it made are used again.
    folder = _folder_of(setting, zone) / "zone"
    folder.mkdir(parents=True, exist_ok=True)
    landing_zone = setting.data / "xml-landing"
    shutil.rmtree(landing_zone, ignore_errors=True)
    landing_zone.mkdir()
    for file in range(plan.landing_files):
        name = synthetic.zone_file(zone, file)
        path = folder / name
        if not path.exists():
            synthetic.write_zone_file(folder, zone, file)
        os.link(path, landing_zone / name)
    return landing_zone, str(folder / synthetic.zone_file(zone, 0))


def _folder_of(setting: Setting, zone: synthetic.Zone) -> Path:
    return setting.data / f"{zone.format}-{zone.records}-{zone.files}"


def _measure_xml(setting: Setting) -> Figures:
    plan = setting.plan
    landing_zone, packed = _xml_zone(setting)
    ours: dict[str, Any] = {"function": "pubmed_xml.drug_assets", "packed_file": packed}
    peers = (
        *("page_cache", "byte_search", "gunzip"),
        *("lxml_iterparse", "lxml_iterparse_articles"),
    )
    tasks: dict[str, Mapping[str, Any]] = {
        who: ours | {"function": f"pubmed_xml.{who}"} for who in peers
    }
    figures = measuring.interleaved(tasks | setting.beside(ours, "drug_assets"), plan.rounds)
    print_status("pubmed_parser")
    figures["pubmed_parser"] = measuring.measured("pubmed_xml.pubmed_parser", packed_file=packed)
    print_status("XML on all cores")
    store = setting.data / "xml-store"
    task = {"function": "pubmed_xml.landing", "zone": str(landing_zone), "store": str(store)}
    landing = measuring.interleaved(setting.beside(task, HEAD), min(plan.rounds, 3))
    shutil.rmtree(store)
    memory = {
        f"{times}": measuring.measured(
            "pubmed_xml.streaming_memory", packed_file=packed, times=times
        )
        for times in (1, plan.repeated)
    }
    return {"side_by_side": figures, "landing": landing, "memory": memory}


# Whole runs


def _run_zone(
    setting: Setting, records: int, files: int, kind: str, *, has_xml: bool = False
) -> RunZone:
    """A landing zone, if the disk has room for the runs of all sides on it.

    Raises:
        NoRoomError: it has not.
    """
    names = setting.names(setting.plan.many_titles_names)
    zone = synthetic.Zone(records, files, names, kind)
    folder = _folder_of(setting, zone)
    needed = DISK_BYTES_PER_RECORD * records * len(setting.sides)
    # What was made before needs no room any more.
    needed -= sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
    free = shutil.disk_usage(setting.data).free
    if free < needed:
        raise NoRoomError(
            f"runs on {records:,} records need {needed / 1e9:,.1f} GB of disk at most, and "
            f"{free / 1e9:,.1f} GB are free"
        )
    return RunZone(folder, zone, has_xml=has_xml)


def _million(setting: Setting, kind: str) -> RunZone:
    return _run_zone(setting, setting.plan.records, setting.plan.files, kind)


def _measure_million(setting: Setting, kind: str) -> Figures:
    zone, drug = _million(setting, kind), setting.names(1)[0]
    return whole_run(zone, setting.sides, setting.plan.runs, drug=drug)


def _large(setting: Setting) -> RunZone:
    plan = setting.plan
    return _run_zone(setting, plan.large_records, plan.large_files, "csv", has_xml=True)


def _measure_large(setting: Setting) -> Figures:
    zone, drug = _large(setting), setting.names(1)[0]
    return whole_run(zone, setting.sides, 1, later=(ONE_MORE, ONE_MORE_XML), drug=drug)


def _most(setting: Setting) -> RunZone:
    return _run_zone(setting, setting.plan.most_records, setting.plan.most_files, "csv")


def _measure_most(setting: Setting) -> Figures:
    return {COLD: one_cold_run(_most(setting), setting.head, HEAD)}


# Start, documents, pages, exports, server


def _measure_start(setting: Setting) -> Figures:
    return start.measured_start(setting.data / "start", setting.plan.rounds, setting.sides)


def _tables_once(folder: Path, function: str, **arguments: Any) -> str:
    """Make tables unless they are there, and return their folder.

    Args:
        folder: where they are made.
        function: the measurement that makes them.
        **arguments: those of the function, but for the folder.
    """
    made_of = hashlib.sha256()
    for name in _MAKES_TABLES:
        made_of.update((_HERE / name).read_bytes())
    ready = folder / "made_of"
    if not ready.exists() or ready.read_text(encoding="utf-8") != made_of.hexdigest():
        print_status(f"tables of {arguments['mentions']:,} mentions")
        measuring.measured(function, folder=str(folder), **arguments)
        ready.write_text(made_of.hexdigest(), encoding="utf-8")
    return str(folder)


def _graph_tables(setting: Setting) -> str:
    return _tables_once(
        setting.data / "graph",
        "graph_document.made_tables",
        mentions=setting.plan.mentions,
        names_file=str(setting.names_file),
        names=setting.plan.many_titles_names,
    )


def _measure_document(setting: Setting) -> Figures:
    folder = _graph_tables(setting)
    print_status(f"graph document of {setting.plan.mentions:,} mentions")
    writing = measuring.measured("graph_document.written", folder=folder)
    drug = setting.names(2)[-1]
    return {"writing": writing, **questions(Path(folder) / "graph.json", drug)}


def _page_tables(setting: Setting, drugs: int, mentions: int) -> str:
    folder = setting.data / f"explorer-{drugs}-{mentions}"
    return _tables_once(folder, "explorer.made_tables", drugs=drugs, mentions=mentions)


def _all_page_tables(setting: Setting) -> None:
    for drugs, mentions in setting.plan.pages:
        _page_tables(setting, drugs, mentions)


def _measure_explorer(setting: Setting) -> Figures:
    pages = []
    for drugs, mentions in setting.plan.pages:
        folder = _page_tables(setting, drugs, mentions)
        print_status(f"explorer of {mentions:,} mentions")
        making = measuring.measured("explorer.written", folder=folder)
        opening = explorer.measured_opening(folder, setting.plan.rounds)
        pages.append({"drugs": drugs, "mentions": mentions, "making": making, "opening": opening})
    return {"pages": pages}


def _export_tables(setting: Setting) -> str:
    return _page_tables(setting, *setting.plan.exported)


def _measure_exports(setting: Setting) -> Figures:
    return {"files": exports.measured_exports(_export_tables(setting), 1)}


def _measure_serving(setting: Setting) -> Figures:
    plan = setting.plan
    return serving.measured_serving(setting.data / "serving", plan.requests, plan.rounds)


# Spark


def _spark_task(setting: Setting) -> dict[str, Any]:
    """The arguments of a measurement of Spark's engine.

    It runs in the environment of the package: that of the benchmarks has another Spark, which the
    peer is measured with.
    """
    python = _ROOT / ".venv" / "bin" / "python"
    if not python.exists():
        raise RuntimeError(f"{python.relative_to(_ROOT)} is missing: `make install` makes it")
    folder = setting.data / "spark"
    folder.mkdir(exist_ok=True)
    return {
        "checkout": Checkout("the working tree", _ROOT, python),
        "folder": str(folder),
        "records": setting.plan.spark_records,
    }


def _spark_zone(setting: Setting) -> None:
    measuring.measured("spark_engine.prepared", **_spark_task(setting))


def _measure_spark(setting: Setting) -> Figures:
    return measuring.measured("spark_engine.engines", **_spark_task(setting))


SECTIONS: dict[str, Section] = {
    section.name: section
    for section in (
        Section(
            "start",
            "Start",
            _nothing,
            _measure_start,
            report.write_start,
            report.claims_of_start,
            has_base=True,
        ),
        Section(
            "search",
            "Finding mentions beside other libraries",
            _titles_beside_others,
            _measure_search,
            report.write_search,
            report.claims_of_search,
            has_base=True,
        ),
        Section(
            "titles",
            "Finding mentions at scale",
            _many_titles,
            _measure_titles,
            report.write_titles,
            report.claims_of_titles,
            has_base=True,
        ),
        Section(
            "xml",
            "PubMed's XML",
            _xml_zone,
            _measure_xml,
            report.write_xml,
            report.claims_of_xml,
            has_base=True,
        ),
        *(
            Section(
                f"million-{kind}",
                f"The whole run: a million records of {kind.upper()}",
                partial(_million, kind=kind),
                partial(_measure_million, kind=kind),
                partial(report.write_million, kind=kind),
                partial(report.claims_of_million, kind=kind),
                has_base=True,
            )
            for kind in ("xml", "csv")
        ),
        Section(
            "ten-million",
            "The whole run: ten million records of CSV",
            _large,
            _measure_large,
            report.write_large,
            report.claims_of_large,
            has_base=True,
        ),
        Section(
            "forty-million",
            "The whole run: forty million records of CSV, once",
            _most,
            _measure_most,
            report.write_most,
            report.claims_of_most,
        ),
        Section(
            "document",
            "The graph document",
            _graph_tables,
            _measure_document,
            report.write_document,
            report.claims_of_document,
        ),
        Section(
            "explorer",
            "The explorer",
            _all_page_tables,
            _measure_explorer,
            report.write_explorer,
            report.claims_of_explorer,
        ),
        Section(
            "exports",
            "Exports",
            _export_tables,
            _measure_exports,
            report.write_exports,
            report.claims_of_exports,
        ),
        Section(
            "serving",
            "Serving",
            _nothing,
            _measure_serving,
            report.write_serving,
            report.no_claims,
        ),
        Section(
            "spark-engine",
            "Spark's engine",
            _spark_zone,
            _measure_spark,
            spark_engine.write_section,
            report.no_claims,
        ),
    )
}
