"""What exports cost: `python -m benchmarks.exports`.

Each file is written from Parquet tables in a process of its own, from a million mentions of 20,000
drugs in 5,000 journals; time, memory and size are measured. Also a section of `make bench`.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl

from benchmarks import measuring
from benchmarks.measuring import Figures, print_status, timed
from benchmarks.report import exports_table
from drug_assets.exports import FORMATS, PACKED, Of, Request, Tables

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_ROOT = Path(__file__).parents[1]


def written(folder: str, name: str) -> Figures:
    """Write a file from tables in a folder, and measure it; `rows` are rows or edges."""
    source = Path(folder)
    tables = Tables(*(pl.scan_parquet(source / f"{t}.parquet") for t in ("mentions", "drugs")))
    target = source / "exports" / name
    target.parent.mkdir(exist_ok=True)
    with timed() as watch, target.open("wb") as file:
        counts = Request.parse(name).write(tables, file).counts
    return watch.figures() | {
        "megabytes": target.stat().st_size / 1e6,
        "rows": counts.get("row", counts.get("edge", 0)),
    }


def measured_exports(
    folder: str, rounds: int, files: Sequence[str] | None = None
) -> dict[str, Figures]:
    """Measure each file, from the tables of a folder, by its name.

    Args:
        folder: where the tables are.
        rounds: how often each file is written; they take turns, and the medians are returned.
        files: names of files; every format of both graphs if not given.
    """
    tasks = {
        name: {"function": "exports.written", "folder": folder, "name": name}
        for name in files or _list_files()
    }
    return measuring.interleaved(tasks, rounds)


def main() -> None:
    """Measure each file, and print a table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.exports", description=__doc__)
    parser.add_argument("--drugs", type=int, default=20_000)
    parser.add_argument("--mentions", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--only", nargs="*", default=None, help="names of files")
    options = parser.parse_args()
    folder = _ROOT / "build" / "benchmarks" / f"exports-{options.drugs}-{options.mentions}"
    if not (folder / "drugs.parquet").exists():
        print_status(f"tables of {options.mentions:,} mentions")
        measuring.measured(
            "explorer.made_tables",
            folder=str(folder),
            drugs=options.drugs,
            mentions=options.mentions,
        )
    print(exports_table(measured_exports(str(folder), options.rounds, options.only)))


def _list_files() -> Iterator[str]:
    """Every format of both graphs; of the largest, a packed file, too."""
    for of in Of:
        for written_format in FORMATS.values():
            yield str(Request(of, written_format))
    yield f"{Request(Of.MENTIONS, FORMATS['graphml'])}{PACKED}"


if __name__ == "__main__":
    main()
