"""The same landing zone gives the same bytes: again, elsewhere, later, in any order of arrival."""

from __future__ import annotations

import os
import random
import re
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from drug_assets.sources.tables import TABLES
from drug_assets_tests.support import runs

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = [pytest.mark.xdist_group("runs"), pytest.mark.slow]


def assert_same_bytes(found: runs.Run, expected: runs.Run, *, news: bool = True) -> None:
    """Fail unless two runs made the same bytes; without `news`, what is new may differ."""
    assert found.succeeded, found.report
    bytes_found, bytes_expected = runs.outputs(found.store), runs.outputs(expected.store)
    if not news:
        bytes_found, bytes_expected = map(runs.without_news, (bytes_found, bytes_expected))
    assert bytes_found.keys() == bytes_expected.keys()
    different = [name for name, data in bytes_found.items() if data != bytes_expected[name]]
    assert not different


def test_second_run_in_the_same_store_from_parsed_files(
    sample_run: runs.Run, tmp_path: Path
) -> None:
    runs.copy(sample_run.store, tmp_path / "store")
    assert_same_bytes(runs.run(runs.SAMPLE, tmp_path / "store"), sample_run)


def test_other_store_other_times_other_order_of_arrival(
    sample_run: runs.Run, tmp_path: Path
) -> None:
    files = [path for path in sorted(runs.SAMPLE.rglob("*")) if path.is_file()]
    random.Random(7).shuffle(files)  # noqa: S311 - no secret
    landing = tmp_path / "another place" / "ländliche Zone"
    for age, path in enumerate(files):
        copy = landing / path.relative_to(runs.SAMPLE)
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, copy)
        os.utime(copy, (1_000_000_000 - age * 86_400,) * 2)
    assert_same_bytes(runs.run(landing, tmp_path / "store"), sample_run)


def test_after_another_landing_zone_in_the_same_store(
    small_run: runs.Run, sample_run: runs.Run, tmp_path: Path
) -> None:
    stores = [runs.copy(small_run.store, tmp_path / name) for name in ("one", "other")]
    one, other = (runs.run(runs.SAMPLE, store) for store in stores)
    assert_same_bytes(one, sample_run, news=False)
    assert_same_bytes(one, other)
    assert one.table("new_mentions").height > 0, "all of it is new beside the other landing zone"


def test_files_that_come_and_go_leave_no_trace_in_what_is_kept_by_file(
    sample_run: runs.Run, tmp_path: Path
) -> None:
    landing, store = tmp_path / "landing", tmp_path / "store"
    shutil.copytree(runs.SAMPLE, landing)
    late = landing / "pubmed_10.csv"
    late.rename(tmp_path / late.name)
    (landing / "pubmed_99.csv").write_text("id,title\n99,On ethanol\n")
    assert runs.run(landing, store, DRUG_ASSETS_KEEP_RELEASES="1").succeeded
    kept = list((store / ".kept").rglob("*.parquet"))
    by_file = {name for name, table in TABLES.items() if table.by_file}
    assert {path.parent.name for path in kept} == {*by_file, "side_tables"}
    (tmp_path / late.name).rename(late)
    (landing / "pubmed_99.csv").unlink()
    again = runs.run(landing, store, DRUG_ASSETS_KEEP_RELEASES="1")
    assert_same_bytes(again, sample_run, news=False)
    gone = {path.parent.name for path in kept if not path.exists()}
    assert gone == {"raw_pubmed", "pubmed_records", "pubmed_drugs_named"}
    assert len({path for path in kept if path.exists()}) == len(kept) - len(gone)


def test_other_names_are_searched_for_in_titles_searched_before(tmp_path: Path) -> None:
    landing = runs.landing_zone(tmp_path / "landing")
    assert runs.run(landing, tmp_path / "store").succeeded
    drugs = runs.SMALL["drugs.csv"].replace("ETHANOL", "RATS")
    runs.landing_zone(landing, {"drugs.csv": drugs})
    again = runs.run(landing, tmp_path / "store")
    assert_same_bytes(again, runs.run(landing, tmp_path / "another store"), news=False)
    assert "rats" in again.table("mentions")["drug_id"].to_list()


#: Files with rows that are odd in more than one way.
ODD = {
    "drugs_odd.csv": b'atccode,drug,synonyms\nA04AD;R01A,\xe9thanol\n,a"b\xe9,c,d,e\n\xe9\n',
    "pubmed_odd.csv": (
        b'id,title,date,journal\n1,caf\xe9\n2,\xe9,b,c,d\n3,"a"b\xe9,c\n4,"caf\xe9,b\n'
        b'5,"x"y\n6,\xe9\xe9\n7,\xe9,,,,\n8,"z"\xe9\n'
    ),
    "pubmed_odd.json": (
        rb'[{"id": 1, "id": 2, "title": "half \ud800", "x": "'
        b'\xe9"}, {"id": "3", "title": "\xe9", "title": "\\udc00", "b": 1, "a": 2, "z": [3]}]'
    ),
    "clinical_trials_odd.csv": b'id,scientific_title,brief_title\n1,"a"\xe9\n2,b\xe9\n',
}


def stored(store: Path) -> dict[str, bytes]:
    """The bytes of everything in a store, including the parts of tables that are kept by file.

    Without the id of the release, which is a time, and what the store remembers of its own files.
    """
    files = (path for path in sorted(store.rglob("*")) if path.is_file())
    names = {
        re.sub("^releases/[^/]*", "release", p.relative_to(store).as_posix()): p for p in files
    }
    memories = (".verified.json", "content_ids.json")
    return {n: p.read_bytes() for n, p in names.items() if not n.endswith(memories)}


@pytest.mark.processes
def test_processes_whose_sets_have_another_order_make_the_same_bytes(tmp_path: Path) -> None:
    landing = tmp_path / "landing"
    shutil.copytree(runs.SAMPLE, landing)
    runs.landing_zone(landing, ODD)
    for path in landing.rglob("*"):
        os.utime(path, (1_000_000_000,) * 2)
    seeds = ("0", "2", "3")  # with which even sets of two words differ in their order
    for seed, threads in zip(seeds, ("1", "2", "8"), strict=True):
        places = ("--landing", str(landing), "--store", str(tmp_path / seed))
        ended = subprocess.run(
            [sys.executable, "-m", "drug_assets.cli", "run", *places],
            env={**os.environ, "PYTHONHASHSEED": seed, "POLARS_MAX_THREADS": threads},
            capture_output=True,
            text=True,
            check=False,
        )
        assert ended.returncode == 0, ended.stdout + ended.stderr
    first, *others = (stored(tmp_path / seed) for seed in seeds)
    assert sum(name.startswith(".kept/") for name in first) > len(TABLES)
    for other in others:
        assert other.keys() == first.keys()
        assert [name for name, data in other.items() if data != first[name]] == []
    issues = runs.table(tmp_path / seeds[0], "raw_pubmed")["read_issues"]
    assert (issues.list.len() > 1).sum() > len(ODD), "there are rows that are odd in several ways"
    assert issues.equals(issues.list.sort())
