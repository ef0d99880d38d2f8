"""Runs that are killed: no output is torn, and the next run makes them right.

Real processes of `drug-assets run`, killed with SIGKILL: at moments of their work that they reach
by themselves, so that every run of these tests kills at the same ones.
"""

from __future__ import annotations

import gzip
import json
import os
import shutil
import signal
import subprocess
import sys
from typing import TYPE_CHECKING

import polars as pl
import pytest

from drug_assets.documents import DOCUMENTS
from drug_assets.sources.tables import TABLES
from drug_assets_tests.support import runs

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = [pytest.mark.xdist_group("killed"), pytest.mark.processes]

#: What a run puts into its store, all landed files being parsed: tables, documents, what landed,
#: what is released, and that it is ready to be.
_PUTS = len(TABLES) + len(DOCUMENTS) + 3
#: Runs the command line and kills it before (or half-way into) the n-th call of a storage method.
_MORTAL = """
import os, signal, sys
from drug_assets.storage.objects import LocalFolder

method, calls, store = sys.argv[1], int(sys.argv[2]), sys.argv[3]
done = getattr(LocalFolder, method)
count = 0

def mortal(self, *arguments):
    global count
    if str(self.uri()) == store:
        count += 1
        if count == calls:
            if method == "scratch":
                done(self, *arguments).write_bytes(b"PAR1 half of")
            os.kill(os.getpid(), signal.SIGKILL)
    return done(self, *arguments)

setattr(LocalFolder, method, mortal)
from drug_assets.cli import main
main(sys.argv[4:])
"""


def killed_run(landing: Path, store: Path, method: str, calls: int) -> None:
    arguments = [method, str(calls), str(store), "run"]
    places = ["--landing", str(landing), "--store", str(store)]
    variables = {k: v for k, v in os.environ.items() if not k.startswith(("DRUG_", "DAGSTER_"))}
    ended = subprocess.run(
        [sys.executable, "-c", _MORTAL, *arguments, *places],
        cwd=runs.REPOSITORY,
        env=variables,
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == -signal.SIGKILL, ended.stdout + ended.stderr


def assert_readable(store: Path) -> None:
    for table in store.glob("*.parquet"):
        pl.read_parquet(table)
    for document in store.glob("*.json"):
        json.loads(document.read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def changed(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, runs.Run]:
    """A landing zone that differs from `runs.SMALL` in every source, and a good run of it."""
    folder = tmp_path_factory.mktemp("changed")
    more = {
        "drugs_2.csv": "atccode,drug\nN06BC01,CAFFEINE\n",
        "pubmed_2.csv": "id,title,date,journal\n4,Caffeine and ethanol,2021,Journal of Tests\n",
        "clinical_trials_2.csv": "id,scientific_title,date,journal\nNCT3,Caffeine,2021,\n,,,\n",
    }
    landing = runs.landing_zone(folder / "landing", {**runs.SMALL, **more})
    return landing, runs.run(landing, folder / "store")


def test_outputs_are_old_or_new_whenever_a_run_is_killed_and_the_next_makes_them_right(
    small_run: runs.Run, changed: tuple[Path, runs.Run], tmp_path: Path
) -> None:
    landing, right = changed
    store = tmp_path / "store"
    shutil.copytree(small_run.store, store)
    old, new = runs.outputs(small_run.store), runs.outputs(right.store)
    assert old.keys() == new.keys()
    assert all(old[name] != new[name] for name in ("graph.json", "drugs.parquet", "release.json"))

    # While a landed file is parsed, while a table is written, before all is said to be ready.
    for method, calls in [("scratch", 3), ("scratch", 12), ("put", _PUTS)]:
        killed_run(landing, store, method, calls)
        assert runs.outputs(store) == old, f"killed at {method} {calls}"

    # While outputs take their final names; then again, while the next run carries that through.
    for calls in (4, 3):
        killed_run(landing, store, "move", calls)
        found = runs.outputs(store)
        assert found.keys() == old.keys()
        assert all(found[name] in (old[name], new[name]) for name in found)
        assert any(found[name] == new[name] != old[name] for name in found)
        assert_readable(store)

    after = runs.run(landing, store)
    assert after.succeeded, after.report
    assert runs.outputs(store) == new


def test_cut_gzip_exits_with_1_names_the_file_and_leaves_all_outputs(
    small_run: runs.Run, tmp_path: Path
) -> None:
    store = tmp_path / "store"
    shutil.copytree(small_run.store, store)
    whole = gzip.compress(runs.SMALL["pubmed.csv"].encode() * 200)
    files: dict[str, str | bytes] = {**runs.SMALL, "pubmed_2.csv.gz": whole[: len(whole) // 2]}
    landing = runs.landing_zone(tmp_path / "landing", files)
    command = ["-m", "drug_assets.cli", "run", "--landing", str(landing), "--store", str(store)]
    ended = subprocess.run(
        [sys.executable, *command], cwd=runs.REPOSITORY, capture_output=True, text=True, check=False
    )
    assert ended.returncode == 1
    assert "pubmed_2.csv.gz: " in ended.stdout
    assert "Traceback" not in ended.stdout + ended.stderr
    assert runs.outputs(store) == runs.outputs(small_run.store)
