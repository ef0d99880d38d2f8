"""What exports cost: `python -m benchmarks.exports`.

Each file is written from Parquet tables in a process of its own, from a million mentions of 20,000
drugs in 5,000 journals; time, memory and size are measured, and one of each size of graph is read
again by the library that most people use for it.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl

from benchmarks import measuring
from benchmarks.measuring import Figures, print_status, timed
from drug_assets.exports import FORMATS, PACKED, Of, Request, Tables

if TYPE_CHECKING:
    from collections.abc import Iterator

_ROOT = Path(__file__).parents[1]
#: What writing a million mentions may cost at most, in MiB: memory must not follow the file.
MOST_MIB = 1_000


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
    tasks = {
        name: {"function": "exports.written", "folder": str(folder), "name": name}
        for name in options.only or _list_files()
    }
    figures = measuring.interleaved(tasks, options.rounds)
    print("| file | rows or edges | seconds | processor seconds | peak MiB | MB |")
    print("| --- | --: | --: | --: | --: | --: |")
    for name, of_file in figures.items():
        print(
            f"| `{name}` | {of_file['rows']:,} | {of_file['seconds']:.1f} | "
            f"{of_file['cpu_seconds']:.1f} | {of_file['peak_mib']:,.0f} | "
            f"{of_file['megabytes']:,.0f} |"
        )
    too_large = [name for name, of_file in figures.items() if of_file["peak_mib"] > MOST_MIB]
    if too_large:
        raise SystemExit(f"more than {MOST_MIB:,} MiB: {', '.join(too_large)}")


def _list_files() -> Iterator[str]:
    """Every format of both graphs; of the largest, a packed file, too."""
    for of in Of:
        for written_format in FORMATS.values():
            yield str(Request(of, written_format))
    yield f"{Request(Of.MENTIONS, FORMATS['graphml'])}{PACKED}"


if __name__ == "__main__":
    main()
