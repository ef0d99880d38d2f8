"""Memory depends on the size of a batch of mentions, not on that of the file."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import polars as pl
import pytest

from drug_assets_tests.exports import made
from drug_assets_tests.support import runs

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = [pytest.mark.processes, pytest.mark.slow]

#: Writes files from tables in a folder, and prints the peak of its own memory in MiB.
WRITING = """
import sys
from pathlib import Path
import polars as pl
from drug_assets.exports import Request, Tables, parts

parts.BATCH_MENTIONS = 20_000
folder = Path(sys.argv[1])
tables = Tables(*(pl.scan_parquet(folder / f"{t}.parquet") for t in ("mentions", "drugs")))
for name in sys.argv[2:]:
    with (folder / name).open("wb") as file:
        Request.parse(name).write(tables, file)
(peak,) = (line for line in open("/proc/self/status") if line.startswith("VmHWM"))
print(int(peak.split()[1]) / 1024)
"""
FILES = ("mentions.graphml.gz", "mentions.csv", "journals.cyjs")


def write_tables(folder: Path, mentions: int) -> Path:
    """Tables with so many mentions, of a thousand drugs."""
    folder.mkdir()
    number = pl.int_range(mentions, dtype=pl.Int64)
    one, drugs = made.tables([made.mention("Alphazine", "1", title="Alphazine in rats " * 9)])
    names = pl.format("drug {}", number * 1000 // mentions)
    rows = one.select(pl.all().repeat_by(mentions).explode()).with_columns(
        drug_id=names,
        drug=names,
        publication_id=number.cast(pl.String),
        journal_id=pl.format("journal {}", number % 5000),
    )
    rows.sink_parquet(folder / "mentions.parquet")
    drugs.sink_parquet(folder / "drugs.parquet")
    return folder


@pytest.mark.skipif(sys.platform != "linux", reason="the kernel tells the peak in /proc")
def test_ten_times_the_mentions_take_no_more_than_some_of_the_memory(tmp_path: Path) -> None:
    peaks = []
    for mentions in (40_000, 400_000):
        folder = write_tables(tmp_path / str(mentions), mentions)
        ran = subprocess.run(
            [sys.executable, "-c", WRITING, str(folder), *FILES],
            capture_output=True,
            text=True,
            cwd=runs.REPOSITORY,
            env={"PATH": "", "POLARS_MAX_THREADS": "2"},
            check=False,
        )
        assert ran.returncode == 0, ran.stderr
        peaks.append(float(ran.stdout))
    written = sum((folder / name).stat().st_size for name in FILES) / 2**20
    assert peaks[1] - peaks[0] < 150 < written
