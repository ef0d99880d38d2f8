"""What was measured, kept section by section below `results/`, and RESULTS.md, which is made of it.

Nothing is measured here but the machine. `make generated` writes RESULTS.md anew, and a test keeps
it equal to what is made here.
"""

from __future__ import annotations

import json
import os
import platform
from dataclasses import asdict, dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks.checkouts import CHANGED
from benchmarks.load import IDLE_SHARE, Load
from benchmarks.report import Claim, table
from benchmarks.sections import SECTIONS

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

HERE = Path(__file__).parent
#: Where figures are kept, beside the document.
FOLDER, DOCUMENT = "results", "RESULTS.md"
_PEERS = ("flashtext", "pyahocorasick", "drug-named-entity-recognition", "pubmed_parser", "pyspark")
_OWN = ("drug_assets", "polars", "lxml", "dagster")
_DIGITS = 4


@dataclass(frozen=True)
class Taken:
    """The figures of a section, and when, where and of what they were taken."""

    section: str
    #: The fields of the plan.
    plan: Mapping[str, Any]
    date: str
    #: What was measured, and what beside it, if anything.
    commit: str
    base: str | None
    #: The processor, its cores, the memory, the system, and versions.
    machine: Mapping[str, Any]
    seconds: float
    #: Cores that were in use before, by anything; with what the host of a virtual machine withheld.
    busy_before: float | None
    #: Average number of cores that other processes used meanwhile.
    others: float | None
    load_average: float
    figures: dict[str, Any]

    @property
    def was_idle(self) -> bool | None:
        """Whether the machine was idle; None if that is unknown."""
        if self.busy_before is None or self.others is None:
            return None
        cores: int = self.machine["cores"]
        return max(self.busy_before, self.others) <= IDLE_SHARE * cores


def busy_cores(load: Load) -> float | None:
    """Cores in use, with those that the host of a virtual machine withheld."""
    return None if load.busy is None or load.stolen is None else load.busy + load.stolen


def keep(taken: Taken, folder: Path) -> None:
    """Keep what was measured, instead of what was there of its section."""
    path = folder / FOLDER / f"{taken.section}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    text = json.dumps(_rounded(asdict(taken)), indent=1, ensure_ascii=False)
    path.write_text(f"{text}\n", encoding="utf-8")


def _rounded(value: Any) -> Any:
    if isinstance(value, float):
        return round(value, _DIGITS)
    if isinstance(value, dict):
        return {name: _rounded(inner) for name, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_rounded(inner) for inner in value]
    return value


def kept(folder: Path) -> list[Taken]:
    """What was measured, in the order of the sections."""
    paths = ((folder / FOLDER / f"{name}.json") for name in SECTIONS)
    return [
        Taken(**json.loads(path.read_text(encoding="utf-8"))) for path in paths if path.exists()
    ]


def write_document(folder: Path = HERE) -> None:
    """Write RESULTS.md of what is kept beside it."""
    (folder / DOCUMENT).write_text(document(folder), encoding="utf-8")


def document(folder: Path = HERE) -> str:
    """RESULTS.md, made of what is kept beside it."""
    listed = kept(folder)
    missing = [name for name in SECTIONS if name not in {taken.section for taken in listed}]
    parts = [_HEAD, *_say_missing(missing)]
    if listed:
        parts += [
            "## Claims",
            _claims(claim for taken in listed for claim in claims(taken)),
            "## When and where",
            _when(listed),
            _machines(listed),
        ]
    for taken in listed:
        section = SECTIONS[taken.section]
        parts += [f"## {section.title}", section.write(taken.figures, taken.plan)]
    return "\n\n".join(parts) + "\n"


_HEAD = """# Results of the benchmarks

Made of the figures below `results/`, which `make bench` keeps; do not edit. README.md says how to \
measure a section again.

- Each measurement runs in its own process. Compared measurements take turns, and the medians \
are given. Seconds are wall-clock time; "per core" compares processor time. Peak memory is the \
resident memory of all processes together, including mapped files and the interpreter.
- Columns "base" are of the commit that "When and where" names, measured in the same run and in \
turns with the others, by the same measurements.
- The data are synthetic, from a seed (`benchmarks/synthetic.py`): words follow Zipf's law, a \
fifth of the titles has a true name, a tenth a near-miss."""


def _say_missing(names: Sequence[str]) -> Iterator[str]:
    if names:
        listed = ", ".join(f"`{name}`" for name in names)
        yield f'Not measured yet: {listed} (`make bench ONLY="{" ".join(names)}"`).'


def claims(taken: Taken) -> Iterator[Claim]:
    """The claims about a section, in the order of its table."""
    return SECTIONS[taken.section].claims(taken.figures, taken.plan)


def _claims(listed: Iterable[Claim]) -> str:
    verdict = {True: "met", False: "**not met**", None: "–"}
    rows = [(c.text, c.measured, verdict[c.holds]) for c in listed]
    return table(("claim", "measured", ""), rows)


def _when(listed: Sequence[Taken]) -> str:
    told = list(dict.fromkeys(_describe_machine(taken) for taken in listed))
    rows = []
    for taken in listed:
        idle = {True: "idle", False: "**busy**", None: "unknown"}[taken.was_idle]
        rows.append(
            (
                f"`{taken.section}`",
                taken.date,
                _short(taken.commit),
                _short(taken.base or ""),
                f"`{taken.plan['name']}`",
                f"{taken.seconds / 60:.1f}",
                f"{taken.load_average:.2f}",
                *("" if c is None else f"{c:.2f}" for c in (taken.busy_before, taken.others)),
                idle,
                str(told.index(_describe_machine(taken)) + 1),
            )
        )
    columns = (
        *("section", "taken on", "commit", "base", "plan", "minutes"),
        *("load average before", "cores busy before", "cores others took", "machine was", "on"),
    )
    return table(columns, rows)


def _short(label: str) -> str:
    """A commit without its subject."""
    changed = label.endswith(CHANGED)
    return label.partition(" ")[0] + (CHANGED if changed else "")


def _machines(listed: Sequence[Taken]) -> str:
    told = dict.fromkeys(_describe_machine(taken) for taken in listed)
    return "\n".join(f"{number}. {text}" for number, text in enumerate(told, 1))


def _describe_machine(taken: Taken) -> str:
    machine = taken.machine
    versions = ", ".join(
        f"{name} {number or '(not installed)'}" for name, number in machine["versions"].items()
    )
    return (
        f"{machine['processor']}, {machine['cores']} cores, {machine['memory_gib']:.0f} GiB, "
        f"{machine['system']}; Python {machine['python']}; {versions}."
    )


def machine() -> dict[str, Any]:
    """The description of this machine and its software, without its name and paths."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return {
        "processor": _processor(),
        "cores": cores,
        "memory_gib": os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30,
        "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
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
