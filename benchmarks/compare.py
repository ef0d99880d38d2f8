"""The command that compares the speed of the working tree with that of a commit.

    python -m benchmarks.compare --base COMMIT [--plan full|short|tiny] [--results FILE]

README.md explains how to read the result. Both checkouts are run only through the `drug-assets` of
their own environments, because the inside of the package differs between commits; time and memory
are observed from outside. Base, head and base again take turns in every measurement of every round,
so that other work on the machine affects all of them alike; the second run of the base shows how
far the ratios can be trusted. `checkouts` makes the checkouts, `ratios` computes the ratios.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import sys
import tempfile
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks import checkouts, ratios, synthetic
from benchmarks.checkouts import BASE, HEAD, Checkout, CheckoutError
from benchmarks.load import IDLE_SHARE, Load, Others, look
from benchmarks.measuring import observed, print_status
from benchmarks.report import table
from benchmarks.results import machine

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

_ROOT = Path(__file__).parents[1]
AGAIN = "base again"
_SIDES = (BASE, HEAD, AGAIN)


@dataclass(frozen=True)
class Plan:
    """The size of a comparison."""

    name: str
    rounds: int
    #: Number of records in the landing zone, by format.
    records: Mapping[str, int]
    #: Files of each zone; one more file of the same size is added to it later.
    files: int
    #: Number of names in the drug list.
    names: int


PLANS = {
    plan.name: plan
    for plan in (
        Plan("full", rounds=7, records={"csv": 200_000, "xml": 100_000}, files=10, names=20_000),
        Plan("short", rounds=3, records={"csv": 50_000, "xml": 20_000}, files=5, names=20_000),
        Plan("tiny", rounds=1, records={"csv": 60, "xml": 60}, files=3, names=20),
    )
}


@dataclass(frozen=True)
class Quantity:
    """A figure that is measured of a command."""

    name: str
    #: Formats a value with its unit.
    shown: Callable[[float], str]
    #: Verdicts on a head that is above or below the bound.
    above: str
    below: str


QUANTITIES = {
    "seconds": Quantity("wall", "{:.2f} s".format, "slower", "faster"),
    "cpu_seconds": Quantity("processor", "{:.2f} s".format, "slower", "faster"),
    "peak_mib": Quantity("peak memory", "{:,.0f} MiB".format, "more", "less"),
}


@dataclass(frozen=True)
class Step:
    """One measurement: a command of `drug-assets` that each side runs."""

    name: str
    landing: Path
    #: Name of the store it works on; each side has its own store of that name.
    store: str
    command: tuple[str, ...]
    #: Whether that store is removed first.
    cold: bool = False
    #: Changes the landing zone, before the first side has its turn.
    before: Callable[[], object] | None = None
    #: Whether its output depends only on the landing zone, so that the sides can be compared.
    is_question: bool = False


#: Figures, one per round: by measurement, side and quantity.
Taken = dict[str, dict[str, dict[str, list[float]]]]


@dataclass(frozen=True)
class Comparison:
    """The result of a comparison."""

    plan: Plan
    base: str
    head: str
    taken: Taken
    #: Questions that base and head answer differently.
    differing: tuple[str, ...]
    before: Load
    after: Load
    #: Average number of cores that other processes used meanwhile.
    others: float | None


class LandingZone:
    """A landing zone that changes within a round; its files are links to files made once."""

    def __init__(self, folder: Path, zone: synthetic.Zone, cache: Path) -> None:
        """Make the files, but not yet the landing zone.

        Args:
            folder: the landing zone of the runs.
            zone: its contents.
            cache: where its files are made once and kept; on the same file system.
        """
        self.folder, self._zone = folder, zone
        self._whole = synthetic.landing_zone(cache / "zone", zone)
        added = cache / "added"
        added.mkdir(exist_ok=True)
        self._one_more = added / synthetic.zone_file(zone, zone.files)
        if not self._one_more.exists():
            synthetic.write_zone_file(added, zone, zone.files)

    def reset(self) -> None:
        """Make the landing zone in its initial state."""
        shutil.rmtree(self.folder, ignore_errors=True)
        self.folder.mkdir()
        for number in range(self._zone.files):
            name = synthetic.zone_file(self._zone, number)
            os.link(self._whole / name, self.folder / name)
        shutil.copy2(self._whole / "drugs.csv", self.folder)

    def add_a_file(self) -> None:
        """Add one more file of records."""
        os.link(self._one_more, self.folder / self._one_more.name)

    def add_a_name(self) -> None:
        """Add a name to the drug list, so that every title must be searched again."""
        with (self.folder / "drugs.csv").open("a", encoding="utf-8") as drug_list:
            drug_list.write("A01AD05,a name that no title holds\n")


def steps(sample: Path, zones: Mapping[str, LandingZone], plan: Plan, drug: str) -> Iterator[Step]:
    """The measurements of a round, in order; each continues from the state after the one before.

    Args:
        sample: the sample landing zone.
        zones: the synthetic landing zones, by format.
        plan: their sizes.
        drug: the drug of the question related-drugs.
    """
    yield Step("data/: cold", sample, "sample", ("run",), cold=True)
    yield Step("data/: nothing changed", sample, "sample", ("run", "--only-if-changed"))
    for kind, zone in zones.items():
        what, landing = f"{plan.records[kind]:,} records of {kind.upper()}", zone.folder
        yield Step(f"{what}: cold", landing, kind, ("run",), cold=True, before=zone.reset)
        if kind == "csv":
            for question in (("top-journal", "--json"), ("related-drugs", drug, "--json")):
                yield Step(f"{what}: {question[0]}", landing, kind, question, is_question=True)
        yield Step(f"{what}: one more file", landing, kind, ("run",), before=zone.add_a_file)
        if kind == "csv":
            name = f"{what}: one more name"
            yield Step(name, landing, kind, ("run",), before=zone.add_a_name)


def compare(
    plan: Plan,
    base: str,
    repository: Path,
    *,
    data: Path,
    environments: Path,
    base_python: Path | None = None,
    head_python: Path | None = None,
) -> Comparison:
    """Measure the working tree and a commit in turn.

    Args:
        plan: the size of the comparison.
        base: the commit.
        repository: the working tree; both sides run on its sample.
        data: where landing zones are made and kept.
        environments: folder of the checkouts, and of their environments, which are kept.
        base_python: see `checkouts.both`.
        head_python: see `checkouts.both`.

    Raises:
        CheckoutError: a checkout or its environment cannot be made.
        RuntimeError: a command failed.
    """
    origin = "package" if synthetic.names_come_from_package() else "built"
    data = data.resolve() / f"v{synthetic.VERSION}-{origin}-{plan.names}"
    data.mkdir(parents=True, exist_ok=True)
    with (
        checkouts.both(
            repository, base, environments, base_python=base_python, head_python=head_python
        ) as (of_base, of_head),
        tempfile.TemporaryDirectory(dir=data, prefix="compared-") as work,
    ):
        sides = {BASE: of_base, HEAD: of_head, AGAIN: of_base}
        for checkout in (of_base, of_head):
            _warm(checkout, of_base.tree / "data", Path(work) / "warm")
        names = synthetic.drug_names(plan.names)
        zones = {}
        for kind, records in plan.records.items():
            print_status(f"landing zone of {records:,} records in {plan.files} files of {kind}")
            zones[kind] = LandingZone(
                Path(work) / f"landing-{kind}",
                synthetic.Zone(records, plan.files, names, kind),
                data / f"{kind}-{records}-{plan.files}",
            )
        planned = list(steps(of_base.tree / "data", zones, plan, names[0]))
        before, others = _observe_load(), Others()
        taken, differing = _rounds(planned, sides, Path(work), plan.rounds)
        meanwhile, after = others.cores(), _observe_load()
    return Comparison(
        plan, of_base.label, of_head.label, taken, differing, before, after, meanwhile
    )


def _observe_load() -> Load:
    """Observe the load of the machine, and print it."""
    load = look()
    print_status(load.describe())
    if load.is_idle is False:
        print_status("warning: the machine is not idle")
    return load


def _warm(checkout: Checkout, sample: Path, store: Path) -> None:
    """Run without measuring: to compile code, load files into the page cache, and fail early."""
    print_status(f"warming up {checkout.label}")
    _run_command(checkout, ("run",), sample, store)
    _run_command(checkout, ("top-journal", "--json"), sample, store)
    shutil.rmtree(store)


def _rounds(
    planned: Sequence[Step], sides: Mapping[str, Checkout], work: Path, rounds: int
) -> tuple[Taken, tuple[str, ...]]:
    taken: Taken = {
        step.name: {side: {quantity: [] for quantity in QUANTITIES} for side in sides}
        for step in planned
    }
    differing: dict[str, None] = {}
    for number in range(rounds):
        for step in planned:
            if step.before:
                step.before()
            answers = set()
            for side, checkout in sides.items():
                print_status(f"round {number + 1} of {rounds}: {step.name}: {side}")
                store = work / f"{side.replace(' ', '-')}-{step.store}"
                if step.cold:
                    shutil.rmtree(store, ignore_errors=True)
                figures, answer = _run_command(checkout, step.command, step.landing, store)
                for quantity, figure in figures.items():
                    taken[step.name][side][quantity].append(figure)
                answers.add(answer)
            if step.is_question and len(answers) > 1:
                differing[step.name] = None
    return taken, tuple(differing)


def _run_command(
    checkout: Checkout, command: Sequence[str], landing: Path, store: Path
) -> tuple[dict[str, float], str]:
    """Run a command of a checkout; return its figures by quantity, and its output.

    Raises:
        RuntimeError: the command failed.
    """
    variables = {
        "DRUG_ASSETS_ENV": "local",
        "DRUG_ASSETS_LANDING": str(landing),
        "DRUG_ASSETS_STORE": str(store),
    }
    ended = observed(
        checkout.command(*command),
        environment=checkout.environment(**variables),
        folder=checkout.tree,
    )
    if ended.exit_code:
        raise RuntimeError(
            f"drug-assets {' '.join(command)} of {checkout.label} failed:\n"
            f"{ended.output[-4000:]}{ended.errors[-4000:]}"
        )
    return {quantity: getattr(ended, quantity) for quantity in QUANTITIES}, ended.output


def compared(taken: Taken) -> dict[tuple[str, str], ratios.Compared]:
    """Compare each quantity of each measurement; one that this machine cannot observe is left out.

    Such a quantity has figures of 0.
    """
    found = {}
    for name, sides in taken.items():
        for quantity in QUANTITIES:
            base, head, again = (sides[side][quantity] for side in _SIDES)
            if min(*base, *head, *again) > 0:
                found[name, quantity] = ratios.compared(base, head, again)
    return found


def verdict(quantity: str, found: ratios.Compared) -> str:
    """The verdict on the head: `within`, or the word of the quantity."""
    words = {ratios.ABOVE: QUANTITIES[quantity].above, ratios.BELOW: QUANTITIES[quantity].below}
    return words.get(found.verdict, found.verdict)


def markdown(comparison: Comparison) -> str:
    """The comparison as Markdown, for people."""
    found = compared(comparison.taken)
    rows = []
    for (name, quantity), figures in found.items():
        shown, word = QUANTITIES[quantity].shown, verdict(quantity, figures)
        rows.append(
            (
                name,
                QUANTITIES[quantity].name,
                shown(figures.base),
                shown(figures.head),
                f"{figures.ratio:.2f}",
                f"{figures.noise:.1%}",
                word if word == ratios.WITHIN else f"**{word}**",
            )
        )
    beyond = sum(figures.verdict != ratios.WITHIN for figures in found.values())
    columns = ("measurement", "of it", "base", "head", "ratio", "noise", "verdict")
    return f"""# Two checkouts compared

{_head(comparison)}

{table(columns, rows)}

{beyond} of {len(found)} beyond their bound: {ratios.FLOOR:.0%}, or the noise where that is more.
"""


def _head(comparison: Comparison) -> str:
    plan, host = comparison.plan, machine()
    rounds = "1 round" if plan.rounds == 1 else f"{plan.rounds} rounds"
    answers = (
        f"**Both answer differently**: {'; '.join(comparison.differing)}."
        if comparison.differing
        else "Both answer questions alike."
    )
    lines = [
        f"Base: {comparison.base}.",
        f"Head: {comparison.head}.",
        f"Plan `{plan.name}`: {rounds} of base, head and base again; medians.",
        answers,
        f"Machine: {host['processor']}, {host['memory_gib']:.0f} GiB, {host['system']}.",
        f"Interpreter of environments made here: Python {host['python']}.",
        f"Before: {comparison.before.describe()}.",
        f"After: {comparison.after.describe()}.",
    ]
    if comparison.others is not None:
        lines.append(f"Meanwhile others took {comparison.others:.2f} cores on average.")
    if _was_disturbed(comparison):
        lines.append("**The machine is not idle: do not believe what is close.**")
    return "\n".join(f"- {line}" for line in lines)


def _was_disturbed(comparison: Comparison) -> bool:
    allowed = IDLE_SHARE * comparison.before.cores
    looks = (comparison.before, comparison.after)
    return (comparison.others or 0) > allowed or any(load.is_idle is False for load in looks)


def write(comparison: Comparison, results: Path) -> str:
    """Write the document, and all figures as JSON beside it; return the document."""
    results.parent.mkdir(parents=True, exist_ok=True)
    document = markdown(comparison)
    results.write_text(document, encoding="utf-8")
    figures = json.dumps(asdict(comparison), indent=1)
    results.with_suffix(".json").write_text(figures, encoding="utf-8")
    return document


def _main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.compare", description=__doc__)
    parser.add_argument("--base", required=True, help="a commit")
    parser.add_argument("--plan", choices=PLANS, default="full")
    build = _ROOT / "build" / "benchmarks"
    parser.add_argument("--data", type=Path, default=build)
    parser.add_argument("--results", type=Path, default=build / "comparison.md")
    environments = _ROOT / ".venv-benchmarks" / "compared"
    parser.add_argument("--environments", type=Path, default=environments)
    instead = "an interpreter with drug-assets beside it, instead of an environment of its own"
    parser.add_argument("--base-python", type=Path, help=instead)
    parser.add_argument("--head-python", type=Path, help=instead)
    chosen = parser.parse_args()
    try:
        comparison = compare(
            PLANS[chosen.plan],
            chosen.base,
            _ROOT,
            data=chosen.data,
            environments=chosen.environments,
            base_python=chosen.base_python,
            head_python=chosen.head_python,
        )
    except CheckoutError as error:
        print_status(str(error))
        return 2
    print(write(comparison, chosen.results))
    print_status(f"written: {chosen.results}")
    return 0


if __name__ == "__main__":
    sys.exit(_main())
