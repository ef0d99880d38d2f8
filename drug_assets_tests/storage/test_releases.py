"""Releases: in which order outputs get their names, what waits, and whether another is needed."""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import polars as pl
import pytest

from drug_assets import contracts
from drug_assets.sources.tables import TABLES
from drug_assets.storage.kept.by_file import Part, Parts, write_part
from drug_assets.storage.kept.content_ids import ContentIds
from drug_assets.storage.landed_files import compute_fingerprint
from drug_assets.storage.objects import LocalFolder
from drug_assets.storage.outputs import (
    Outputs,
    discard_abandoned,
    finish_interrupted_releases,
    prepare_store,
)
from drug_assets.storage.releases import (
    is_unchanged_since_release,
    read_last_release,
    release_is_pending,
)
from drug_assets_tests.support import runs
from drug_assets_tests.support.raw import raw_rows
from drug_assets_tests.support.registry import DRUGS

if TYPE_CHECKING:
    from pathlib import Path

NOW = datetime(2026, 1, 1, tzinfo=UTC)


class Watched(LocalFolder):
    """A folder that notes what is moved and removed."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.moved: list[tuple[str, str]] = []
        self.done: list[str] = []

    def move(self, name: str, new_name: str) -> None:
        super().move(name, new_name)
        self.moved.append((name, new_name))
        self.done.append(new_name)

    def delete(self, name: str) -> None:
        super().delete(name)
        self.done.append(f"removed {name}")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "store"


@pytest.fixture
def store(folder: Path) -> Watched:
    return Watched(folder)


def put(store: LocalFolder, name: str, text: str = "x", at: datetime | None = None) -> None:
    scratch = store.scratch(name)
    scratch.write_text(text)
    store.put(scratch, name)
    if at:
        os.utime(store.local_copy(name), (at.timestamp(),) * 2)


def empty(table: str) -> pl.LazyFrame:
    return pl.LazyFrame(schema=contracts.polars_schema(TABLES[table].contract))


def part(store: LocalFolder, name: str, drug: str) -> Part:
    """A part of `raw_drugs`."""
    name = f".kept/raw_drugs/{name}.parquet"
    write_part(store, name, "raw_drugs", raw_rows(DRUGS, {"drug": drug}))
    return Part("drugs.csv", name)


def names(store: LocalFolder) -> list[str]:
    return [found.name for found in store.objects()]


# The order of a release


#: Names that say their order neither by themselves nor in the order in which they are written.
STAGED = ("top_journal.parquet", "graph.json", "drugs.parquet", "landing.json", "mentions.parquet")
IN_ORDER = [
    *("drugs.parquet", "mentions.parquet", "top_journal.parquet"),
    *("a.json", "graph.json", "landing.json", "raw_drugs.parts.json", "zone.json"),
    "release.json",
]


def test_tables_are_released_then_documents_then_what_says_so(store: Watched) -> None:
    """A warehouse can refuse a table; then no document must tell of it."""
    outputs = Outputs(store, "mine")
    for name in ("zone.json", *STAGED, "a.json"):
        put(store, f".staging/mine/{name}")
    outputs.write_parts(Parts("raw_drugs"))
    assert outputs.release({"a": 1}) == IN_ORDER
    assert store.moved == [(f".staging/mine/{name}", name) for name in IN_ORDER]
    assert store.done[-1] == "removed .staging/mine/READY"
    assert names(store) == sorted(IN_ORDER)


def test_a_release_that_was_cut_off_goes_on_in_the_same_order(store: Watched) -> None:
    for name in (*STAGED, "release.json"):
        put(store, f".staging/mine/{name}")
    put(store, ".staging/mine/READY", "release.json\n")
    put(store, ".staging/other/graph.json")
    expected = [name for name in IN_ORDER if name in (*STAGED, "release.json")]
    assert finish_interrupted_releases(store) == expected
    assert [name for _, name in store.moved] == expected
    assert names(store) == sorted([".staging/other/graph.json", *expected])


def test_the_document_of_a_release_is_indented_and_sorted(store: Watched) -> None:
    Outputs(store).release({"rules": "é", "landing": {"b": 1, "a": 2}})
    assert store.read("release.json").decode() == (
        '{\n  "landing": {\n    "a": 2,\n    "b": 1\n  },\n  "rules": "\\u00e9"\n}\n'
    )
    assert read_last_release(store) == {"rules": "é", "landing": {"a": 2, "b": 1}}


def test_a_release_is_summed_up_by_what_landed_its_rules_and_the_rows_of_every_table(
    store: Watched,
) -> None:
    outputs = Outputs(store, "mine")
    for name, table in TABLES.items():
        if table.by_file:
            outputs.write_parts(Parts(name))
        else:
            outputs.write_table(name, empty(name))
    outputs.write_parts(Parts("raw_drugs", (part(store, "a", "x"), part(store, "b", "y"))))
    outputs.write_table(
        "merged_drugs",
        raw_rows(DRUGS, {"drug": "x"}).select(
            "source_file", "source_row", merged_into=pl.lit("x"), rule=pl.lit("same_drug")
        ),
    )
    outputs.write_document("landing.json", ['{"files": 2, "fingerprint": "é"}'])
    summary = outputs.summarize("rules of today")
    assert summary == {
        "landing": {"files": 2, "fingerprint": "é"},
        "rows": {**dict.fromkeys(TABLES, 0), "raw_drugs": 2, "merged_drugs": 1},
        "rules": "rules of today",
    }
    outputs.release(summary)
    assert read_last_release(store) == summary


def test_the_list_of_a_table_kept_by_file_says_its_rows_its_size_and_its_place(
    store: Watched,
) -> None:
    parts = [part(store, f"{number}", f"drug {number}") for number in range(7)]
    written = Outputs(store, "mine").write_parts(Parts("raw_drugs", tuple(parts)))
    assert (written.rows, written.head["drug"].to_list()) == (
        *(7, [f"drug {number}" for number in range(5)]),
    )
    sizes = [store.local_copy(each.name).stat().st_size for each in parts]
    assert written.size_bytes == sum(sizes)
    assert written.uri == store.uri("raw_drugs.parts.json")
    assert ".staging/mine/raw_drugs.parts.json" in names(store)


def test_before_the_first_release_there_is_nothing_to_read(store: Watched) -> None:
    assert read_last_release(store) == {}


# What a release tidies up


def test_parts_that_no_list_names_go_and_those_of_a_run_at_work_stay(store: Watched) -> None:
    old, new, of_another = (part(store, name, name) for name in ("old", "new", "another"))
    Outputs(store).write_parts(Parts("raw_drugs", (old,)))
    Outputs(store, "another").write_parts(Parts("raw_drugs", (of_another,)))
    mine = Outputs(store, "mine")
    mine.write_parts(Parts("raw_drugs", (new,)))
    mine.release("mine")
    assert names(store) == [
        ".kept/raw_drugs/another.parquet",
        ".kept/raw_drugs/new.parquet",
        ".staging/another/raw_drugs.parts.json",
        "raw_drugs.parts.json",
        "release.json",
    ]


@pytest.mark.parametrize(
    ("name", "stays"),
    [
        (".parts/raw_drugs/1.parquet", False),
        (".by_file/raw_drugs/1.parquet", False),
        (".content_ids.json", False),
        ("raw_drugs.parquet", False),
        ("pubmed_records.parquet", False),
        ("clinical_trials_drugs_named.parquet", False),
        (".kept/content_ids.json", True),
        ("mentions.parquet", True),
        ("notes/raw_drugs.parquet", True),
        ("parts.json", True),
    ],
)
def test_a_release_removes_what_earlier_versions_left_and_nothing_else(
    store: Watched, name: str, *, stays: bool
) -> None:
    put(store, name)
    Outputs(store, "mine").release("mine")
    assert (name in names(store)) == stays


# What is prepared before a run


def test_a_run_is_told_what_was_finished_and_what_was_removed_in_order(store: Watched) -> None:
    long_ago = NOW - timedelta(days=8)
    for run in ("c", "a", "a-b", "b"):
        put(store, f".staging/{run}/graph.json", at=long_ago)
    for run in ("y", "x"):
        put(store, f".staging/{run}/graph.json", at=long_ago)
        put(store, f".staging/{run}/landing.json", at=long_ago)
        put(store, f".staging/{run}/READY", "landing.json\n", at=long_ago)
    assert prepare_store(store, NOW) == [
        "finished the interrupted release of graph.json",
        "finished the interrupted release of landing.json",
        "finished the interrupted release of graph.json",
        "finished the interrupted release of landing.json",
        "removed what run a staged and never released",
        "removed what run a-b staged and never released",
        "removed what run b staged and never released",
        "removed what run c staged and never released",
    ]
    assert names(store) == ["graph.json", "landing.json"]
    assert prepare_store(store, NOW) == []


def test_without_a_time_it_is_now(store: Watched) -> None:
    now = datetime.now(tz=UTC)
    put(store, ".staging/kept/graph.json", at=now - timedelta(days=6))
    put(store, ".staging/old/graph.json", at=now - timedelta(days=8))
    assert prepare_store(store) == ["removed what run old staged and never released"]
    assert names(store) == [".staging/kept/graph.json"]


@pytest.mark.parametrize(
    ("ages", "kept"),
    [
        ([timedelta(days=7)], True),
        ([timedelta(days=7, seconds=1)], False),
        ([timedelta(days=30), timedelta(days=1)], True),
        ([timedelta(days=1), timedelta(days=30)], True),
        ([timedelta(days=30), timedelta(days=31)], False),
    ],
    ids=["a week", "more than a week", "written on", "begun later", "all old"],
)
def test_the_last_output_of_a_run_says_how_old_it_is(
    store: Watched, ages: list[timedelta], *, kept: bool
) -> None:
    for number, age in enumerate(ages):
        put(store, f".staging/mine/{number}.json", at=NOW - age)
    assert discard_abandoned(store, NOW) == ([] if kept else ["mine"])
    assert len(names(store)) == (len(ages) if kept else 0)


# Whether another release would differ


class Released:
    """A landing zone, and a store with a release of it."""

    def __init__(self, folder: Path) -> None:
        self.landing = runs.landing_zone(folder / "landing")
        self.zone = LocalFolder(self.landing)
        self.store = LocalFolder(folder / "store")

    def release(self, rules: str = "rules of today") -> None:
        fingerprint = compute_fingerprint(ContentIds(self.zone))
        Outputs(self.store).release({"landing": {"fingerprint": fingerprint}, "rules": rules})

    def unchanged(self, rules: str = "rules of today") -> bool:
        return is_unchanged_since_release(self.zone, self.store, rules)


@pytest.fixture
def released(tmp_path: Path) -> Released:
    released = Released(tmp_path)
    released.release()
    return released


def test_same_files_and_same_rules_need_no_other_release(released: Released) -> None:
    assert released.unchanged() is True
    os.utime(released.landing / "pubmed.csv", (1, 1))
    runs.landing_zone(released.landing, {"README.md": "documentation"})
    assert released.unchanged() is True


def test_before_the_first_release_everything_is_new(tmp_path: Path) -> None:
    assert Released(tmp_path).unchanged() is False


def test_other_rules_need_another_release(released: Released) -> None:
    assert released.unchanged("rules of tomorrow") is False


@pytest.mark.parametrize(
    "files", [{"pubmed_2.csv": ""}, {"pubmed.csv": "id,title\n1,x\n"}, {"odd.bin": b"\0"}]
)
def test_other_files_need_another_release(
    released: Released, files: dict[str, str | bytes]
) -> None:
    runs.landing_zone(released.landing, files)
    assert released.unchanged() is False


def test_a_removed_file_needs_another_release(released: Released) -> None:
    (released.landing / "pubmed.csv").unlink()
    assert released.unchanged() is False


def test_nothing_is_unchanged_while_a_release_waits(released: Released) -> None:
    put(released.store, ".staging/mine/graph.json")
    put(released.store, ".staging/mine/READY.json")
    assert not release_is_pending(released.store)
    assert released.unchanged() is True, "staged alone, it is not audited"
    put(released.store, ".staging/mine/READY", "release.json\n")
    assert release_is_pending(released.store)
    assert released.unchanged() is False
    finish_interrupted_releases(released.store)
    assert not release_is_pending(released.store)
    assert released.unchanged() is True
