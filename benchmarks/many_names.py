"""What a quarter of a million names cost: `python -m benchmarks.many_names`.

Three measurements, each in rounds, in which what is compared takes turns:

- `drug-assets run` on `data/`, without and with a further drug list of that many names;
- the search of many titles for few and for that many names;
- questions to the store of the run: a drug that titles name, one that none names, an unknown one.
"""

from __future__ import annotations

import argparse
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path
from statistics import median

import polars as pl

from benchmarks import measuring, synthetic
from benchmarks.measuring import Figures, observed, print_status
from benchmarks.whole_run import command_line

_ROOT = Path(__file__).parents[1]
_QUIET = {"DAGSTER_DISABLE_TELEMETRY": "yes", "DRUG_ASSETS_ENV": "local", "DAGSTER_HOME": ""}
#: What the names may cost at most: seconds of a run, times of a search.
MOST_SECONDS = 3.0
MOST_TIMES = 2.0
#: Spellings of each drug of the list; the first is its name.
_SPELLINGS = 4
#: A drug of `data/` that titles name, and a name that no drug has.
_MENTIONED, _UNKNOWN = "aspirin", "acetylsalicylic acod"


@dataclass(frozen=True)
class Sizes:
    """The sizes of the measurements."""

    names: int = 250_000
    few_names: int = 20_000
    titles: int = 1_000_000
    rounds: int = 3


def write_list(path: Path, names: tuple[str, ...]) -> None:
    """Write a drug list: an id, a name and synonyms, and an identifier for two drugs of three."""
    drugs = pl.DataFrame({"name": names}).select(
        "name", number=pl.int_range(pl.len()) // _SPELLINGS
    )
    (
        drugs.group_by("number", maintain_order=True)
        .agg(drug=pl.col("name").first(), synonyms=pl.col("name").slice(1).str.join("|"))
        .with_columns(
            id=pl.format("X{}", "number"),
            unii=pl.when(pl.col("number") % 3 > 0).then(
                pl.col("number").cast(pl.String).str.pad_start(10, "0")
            ),
        )
        .select("id", "drug", "synonyms", "unii")
        .write_csv(path)
    )


def measured_runs(folder: Path, names: tuple[str, ...], rounds: int) -> dict[str, list[Figures]]:
    """Measure cold runs on `data/` in rounds: `without` the names and `with` them.

    Args:
        folder: where landing zones and stores are; what was there is removed.
        names: the names of the further list.
        rounds: the number of runs of each kind.
    """
    for kind in ("without", "with"):
        shutil.rmtree(folder / kind, ignore_errors=True)
        shutil.copytree(_ROOT / "data", folder / kind / "zone")
    write_list(folder / "with" / "zone" / "drugs_many.csv", names)
    figures: dict[str, list[Figures]] = {"without": [], "with": []}
    for number in range(rounds):
        for kind, of_kind in figures.items():
            print_status(f"run {kind} {len(names):,} names ({number + 1} of {rounds})")
            shutil.rmtree(folder / kind / "store", ignore_errors=True)
            places = ("--landing", folder / kind / "zone", "--store", folder / kind / "store")
            of_kind.append(_observe("run", *map(str, places)))
    return figures


def measured_search(folder: Path, names: tuple[str, ...], sizes: Sizes) -> dict[str, Figures]:
    """Measure the search of titles that name all these names: for `few` of them, and `many`.

    Args:
        folder: where the titles are kept for the next time.
        names: all names.
        sizes: numbers of titles, names and rounds.
    """
    print_status(f"{sizes.titles:,} titles")
    files = synthetic.title_files(folder / f"titles-{len(names)}", names, sizes.titles)
    names_file = folder / "names.txt"
    names_file.write_text("\n".join(names), encoding="utf-8")
    task = {
        "function": "mentions.drug_assets_by_batch",
        "title_files": [str(file) for file in files],
        "titles": sizes.titles,
        "names_file": str(names_file),
    }
    tasks = {
        "few": task | {"names": min(sizes.few_names, len(names))},
        "many": task | {"names": len(names)},
    }
    return measuring.interleaved(tasks, sizes.rounds)


def measured_questions(store: Path, unmentioned: str, rounds: int) -> dict[str, list[Figures]]:
    """Measure `related-drugs` for a drug that titles name, one that none names, an unknown one.

    Args:
        store: the store of a run with the names.
        unmentioned: a drug of their list.
        rounds: how often each is asked.
    """
    asked = {"mentioned": _MENTIONED, "not mentioned": unmentioned, "unknown": _UNKNOWN}
    figures: dict[str, list[Figures]] = {kind: [] for kind in asked}
    for number in range(rounds):
        print_status(f"questions ({number + 1} of {rounds})")
        for kind, drug in asked.items():
            ends_with = 1 if kind == "unknown" else 0
            question = ("related-drugs", drug, "--store", str(store))
            figures[kind].append(_observe(*question, ends_with=ends_with))
    return figures


def _observe(*arguments: str, ends_with: int = 0) -> Figures:
    seen = observed(command_line(*arguments), environment=_QUIET)
    if seen.exit_code != ends_with:
        told = f"{seen.output[-2000:]}{seen.errors[-2000:]}"
        raise RuntimeError(f"drug-assets {arguments[0]} ended with {seen.exit_code}:\n{told}")
    return {
        "seconds": seen.seconds,
        "cpu_seconds": seen.cpu_seconds,
        "peak_mib": seen.peak_mib_per_process,
    }


def describe(
    sizes: Sizes,
    runs: dict[str, list[Figures]],
    search: dict[str, Figures],
    questions: dict[str, list[Figures]],
) -> str:
    """The figures as Markdown.

    Args:
        sizes: the sizes of the measurements.
        runs: the result of `measured_runs`.
        search: the result of `measured_search`.
        questions: the result of `measured_questions`.
    """
    pairs = list(zip(runs["without"], runs["with"], strict=True))
    more = {
        name: median(big[name] - small[name] for small, big in pairs)
        for name in ("seconds", "cpu_seconds")
    }
    times = {
        name: search["many"][name] / search["few"][name] for name in ("seconds", "cpu_seconds")
    }
    cost = (
        f"{sizes.names:,} names cost a run {more['seconds']:.1f} s more "
        f"({more['cpu_seconds']:.1f} s of processor time), at most {MOST_SECONDS:.0f} s: "
        f"{_judge(more['seconds'], MOST_SECONDS)}."
    )
    slowdown = (
        f"The search takes {times['seconds']:.2f} times as long as with {sizes.few_names:,} names "
        f"({times['cpu_seconds']:.2f} times the processor time), at most {MOST_TIMES:.0f} times: "
        f"{_judge(times['seconds'], MOST_TIMES)}."
    )
    lines = [
        "| measurement | seconds | CPU s | peak MiB |",
        "| --- | --: | --: | --: |",
        *(_row(f"run on data/ {kind} the names", figures) for kind, figures in runs.items()),
        *(
            _row(f"search of {sizes.titles:,} titles for {kind} names", [figures])
            for kind, figures in search.items()
        ),
        *(_row(f"related-drugs: {kind}", figures) for kind, figures in questions.items()),
        "",
        cost,
        slowdown,
    ]
    return "\n".join(lines)


def _row(name: str, runs: list[Figures]) -> str:
    seconds, cpu, peak = (
        median(run[figure] for run in runs) for figure in ("seconds", "cpu_seconds", "peak_mib")
    )
    return f"| {name} | {seconds:.2f} | {cpu:.2f} | {peak:,.0f} |"


def _judge(figure: float, most: float) -> str:
    return "met" if figure <= most else "not met"


def measure(folder: Path, sizes: Sizes) -> str:
    """Make all measurements and describe them.

    Args:
        folder: where generated data are kept.
        sizes: the sizes of the measurements.
    """
    folder.mkdir(parents=True, exist_ok=True)
    names = synthetic.drug_names(sizes.names)
    runs = measured_runs(folder, names, sizes.rounds)
    questions = measured_questions(folder / "with" / "store", names[-1], sizes.rounds)
    return describe(sizes, runs, measured_search(folder, names, sizes), questions)


def _main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.many_names", description=__doc__)
    for name, value in vars(Sizes()).items():
        parser.add_argument(f"--{name.replace('_', '-')}", type=int, default=value)
    parser.add_argument("--data", type=Path, default=_ROOT / "build" / "benchmarks" / "many-names")
    chosen = vars(parser.parse_args())
    print(measure(chosen.pop("data"), Sizes(**chosen)))
    return 0


if __name__ == "__main__":
    sys.exit(_main())
