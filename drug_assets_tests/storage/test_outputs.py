"""Outputs: written whole, by contract, released together or carried through by the next run."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import polars as pl
import pytest

from drug_assets import contracts
from drug_assets.sources.tables import TABLES
from drug_assets.storage.contract_gate import ContractBrokenError
from drug_assets.storage.objects import LocalFolder
from drug_assets.storage.outputs import (
    Outputs,
    discard_abandoned,
    discard_staged,
    finish_interrupted_releases,
    table_file,
)
from drug_assets_tests.support import runs

if TYPE_CHECKING:
    from pathlib import Path

DOCUMENTS = ("graph.json", "landing.json")
RELEASED = sorted(["top_journal.parquet", "journal_drugs.parquet", *DOCUMENTS, "release.json"])


class Killed(BaseException):
    """The process is gone."""


class Mortal(LocalFolder):
    """A folder whose process is killed after so many renames and removals."""

    def __init__(self, folder: Path, steps: int) -> None:
        super().__init__(folder)
        self._left = steps

    def _step(self) -> None:
        if self._left == 0:
            raise Killed
        self._left -= 1

    def move(self, name: str, new_name: str) -> None:
        self._step()
        super().move(name, new_name)

    def delete(self, name: str) -> None:
        self._step()
        super().delete(name)


def top_journal(*journals: str) -> pl.LazyFrame:
    return pl.LazyFrame(
        [
            {"journal_id": name.lower(), "journal": name, "drug_count": 1, "drugs": ["x"]}
            for name in journals
        ],
        schema=contracts.polars_schema(contracts.TopJournal),
    )


def staged(store: LocalFolder, run: str | None, generation: str) -> Outputs:
    """A run that made two tables and two documents."""
    outputs = Outputs(store, run)
    outputs.write_table("top_journal", top_journal(generation))
    empty = pl.LazyFrame(schema=contracts.polars_schema(TABLES["journal_drugs"].contract))
    outputs.write_table("journal_drugs", empty)
    for name in DOCUMENTS:
        outputs.write_document(name, [generation])
    return outputs


def generation_of(store: LocalFolder) -> set[str]:
    """What run each released object is of."""
    documents = {store.read(name).decode().strip() for name in DOCUMENTS}
    release = json.loads(store.read("release.json"))
    return documents | {Outputs(store).table("top_journal").collect()["journal"][0], release}


@pytest.fixture
def store(tmp_path: Path) -> LocalFolder:
    return LocalFolder(tmp_path / "store")


def names(store: LocalFolder) -> list[str]:
    return [found.name for found in store.objects()]


# Writing


def test_table_reads_back_as_written(store: LocalFolder) -> None:
    rows = top_journal("B", "A")
    written = Outputs(store).write_table("top_journal", rows)
    assert Outputs(store).table("top_journal").collect().equals(rows.collect())
    assert (written.rows, written.head.height) == (2, 2)
    assert written.size_bytes == store.local_copy("top_journal.parquet").stat().st_size


def test_what_was_written_shows_its_first_five_rows_and_its_place(store: LocalFolder) -> None:
    rows = top_journal(*"GFEDCBA")
    written = Outputs(store).write_table("top_journal", rows)
    assert written.rows == 7
    assert written.head.equals(rows.head(5).collect())
    assert written.uri == store.uri("top_journal.parquet")


def test_table_is_written_in_the_contracts_order_of_columns(store: LocalFolder) -> None:
    shuffled = top_journal("A").select("drugs", "journal", "drug_count", "journal_id")
    Outputs(store).write_table("top_journal", shuffled)
    columns = Outputs(store).table("top_journal").collect_schema().names()
    assert columns == contracts.TopJournal.column_names()


BROKEN: dict[str, Any] = {
    "a rule": (
        pl.col("drug_count") + 1,
        r"top_journal was not written: it breaks drugs_are_as_many_as_counted \(1 rows\)",
    ),
    "a null": (pl.lit(None, pl.String).alias("journal"), r"breaks journal\|nullability"),
    "a type": (
        pl.col("drug_count").cast(pl.Int32),
        "column drug_count: Int32, expected Int64",
    ),
    "a column more": (pl.lit(1).alias("more"), "column more: Int32, expected none"),
}


@pytest.mark.parametrize("broken", BROKEN)
def test_table_that_breaks_its_contract_is_not_written(store: LocalFolder, broken: str) -> None:
    outputs = Outputs(store)
    outputs.write_table("top_journal", top_journal("Old"))
    before = store.read("top_journal.parquet")
    expression, message = BROKEN[broken]
    with pytest.raises(ContractBrokenError, match=message):
        outputs.write_table("top_journal", top_journal("New").with_columns(expression))
    assert store.read("top_journal.parquet") == before
    assert names(store) == ["top_journal.parquet"]


def test_the_first_row_of_several_that_break_a_contract_is_shown(store: LocalFolder) -> None:
    journals = top_journal("Good", "Second", "Third", "Fourth", "Good too")
    wrong = pl.col("journal").is_in(["Second", "Third", "Fourth"])
    counts = journals.with_columns(drug_count=pl.when(wrong).then(9).otherwise("drug_count"))
    with pytest.raises(ContractBrokenError) as raised:
        Outputs(store).write_table("top_journal", counts)
    assert str(raised.value) == (
        "top_journal was not written: it breaks drugs_are_as_many_as_counted (3 rows); the first "
        "such row: {'journal_id': 'second', 'journal': 'Second', 'drug_count': 9, 'drugs': ['x']}"
    )


def test_rules_that_are_broken_are_named_in_alphabetical_order(store: LocalFolder) -> None:
    broken = top_journal("B", "A", "A").with_columns(
        drug_count=pl.lit(9, pl.Int64), journal=pl.lit(None, pl.String)
    )
    rules = (
        r"breaks drugs_are_as_many_as_counted \(3 rows\), journal\|nullability \(3 rows\), "
        r"primary_key \(2 rows\); the first such row: \{'journal_id': 'b', "
    )
    with pytest.raises(ContractBrokenError, match=rules):
        Outputs(store).write_table("top_journal", broken)


def test_all_columns_that_are_not_the_contracts_are_named_in_its_order(store: LocalFolder) -> None:
    rows = top_journal("A").select(
        more=pl.lit(value=True), drug_count=pl.col("drug_count").cast(pl.Int32), journal="journal"
    )
    with pytest.raises(ContractBrokenError) as raised:
        Outputs(store).write_table("top_journal", rows)
    assert str(raised.value) == (
        "top_journal was not written: column journal_id: missing, expected String; "
        "column drug_count: Int32, expected Int64; column drugs: missing, expected List(String); "
        "column more: Boolean, expected none"
    )


def test_missing_column_is_named(store: LocalFolder) -> None:
    with pytest.raises(ContractBrokenError, match="column drugs: missing, expected List"):
        Outputs(store).write_table("top_journal", top_journal("A").drop("drugs"))
    assert names(store) == []


def test_same_key_twice_breaks_the_contract(store: LocalFolder) -> None:
    with pytest.raises(ContractBrokenError, match=r"primary_key \(2 rows\)"):
        Outputs(store).write_table("top_journal", top_journal("A", "A"))


def test_rows_that_fail_while_they_are_computed_leave_nothing(store: LocalFolder) -> None:
    failing = top_journal("A").with_columns(drug_count=pl.col("journal").str.to_integer())
    with pytest.raises(pl.exceptions.ComputeError):
        Outputs(store).write_table("top_journal", failing)
    assert names(store) == []


def test_lines_that_fail_while_they_are_made_leave_the_old_document(store: LocalFolder) -> None:
    outputs = Outputs(store)
    outputs.write_document("graph.json", ["old"])
    with pytest.raises(ZeroDivisionError):
        outputs.write_document("graph.json", (str(1 // n) for n in (1, 0)))
    assert runs.outputs(store.local_copy("graph.json").parent) == {"graph.json": b"old\n"}


def test_documents_end_each_line_with_a_newline_alone(store: LocalFolder) -> None:
    size = Outputs(store).write_document("graph.json", ["[", "é", "]"])
    assert store.read("graph.json") == "[\né\n]\n".encode()
    assert size == 7


def test_output_never_made_is_no_file(store: LocalFolder) -> None:
    with pytest.raises(FileNotFoundError):
        Outputs(store, "run").table("top_journal")


# Releasing


def test_staged_outputs_are_read_by_their_run_alone(store: LocalFolder) -> None:
    staged(store, None, "old")
    mine = staged(store, "mine", "new")
    assert mine.path("graph.json").read_text() == "new\n"
    assert Outputs(store, "other").path("graph.json").read_text() == "old\n"
    assert Outputs(store).path("graph.json").read_text() == "old\n"


def test_run_finds_what_it_did_not_make_among_the_released(store: LocalFolder) -> None:
    staged(store, None, "old")
    other = Outputs(store, "other")
    other.write_document("graph.json", ["new"])
    assert other.table("top_journal").collect()["journal"].to_list() == ["old"]


def test_release_gives_everything_its_final_name_and_leaves_nothing(store: LocalFolder) -> None:
    released = staged(store, "mine", "new").release("new")
    assert released[-1] == "release.json"
    assert sorted(released) == RELEASED == names(store)
    assert generation_of(store) == {"new"}


def test_release_without_a_run_writes_its_document(store: LocalFolder) -> None:
    assert staged(store, None, "new").release("new") == ["release.json"]
    assert names(store) == RELEASED


def test_released_table_says_where_it_will_lie(store: LocalFolder, tmp_path: Path) -> None:
    written = Outputs(store, "mine").write_table("top_journal", top_journal("A"))
    assert written.uri == str(tmp_path / "store" / table_file("top_journal"))


def _steps_of_a_release(folder: Path) -> int:
    """How many renames and removals a release takes."""
    steps = 0
    while True:
        place = folder / f"count_{steps}"
        staged(LocalFolder(place), "mine", "new")
        try:
            Outputs(Mortal(place, steps), "mine").release("new")
        except Killed:
            steps += 1
        else:
            return steps


def test_release_cut_off_anywhere_is_carried_through(tmp_path: Path) -> None:
    steps = _steps_of_a_release(tmp_path)
    assert steps >= len(RELEASED)
    for step in range(steps):
        place = tmp_path / f"killed_{step}"
        store = LocalFolder(place)
        staged(store, "first", "old").release("old")
        staged(store, "second", "new")
        with pytest.raises(Killed):
            Outputs(Mortal(place, step), "second").release("new")
        assert generation_of(store) <= {"old", "new"}, "every output is whole"
        # Killed again, later or at once: the next but one carries it through.
        with pytest.raises(Killed):
            finish_interrupted_releases(Mortal(place, 0))
        finish_interrupted_releases(store)
        assert generation_of(store) == {"new"}
        assert names(store) == RELEASED
        assert finish_interrupted_releases(store) == []


def test_document_that_ends_a_release_is_written_last(tmp_path: Path) -> None:
    store = LocalFolder(tmp_path)
    staged(store, "first", "old").release("old")
    staged(store, "second", "new")
    for steps in range(len(RELEASED)):
        with pytest.raises(Killed):
            Outputs(Mortal(tmp_path, steps), "second").release("new")
        if json.loads(store.read("release.json")) == "new":
            assert generation_of(store) == {"new"}
        staged(store, "second", "new")


def test_run_that_was_not_audited_is_never_released(store: LocalFolder) -> None:
    staged(store, "first", "old").release("old")
    staged(store, "second", "new")
    assert finish_interrupted_releases(store) == []
    assert generation_of(store) == {"old"}


def test_what_a_killed_writer_left_half_written_is_not_released(store: LocalFolder) -> None:
    outputs = staged(store, "mine", "new")
    store.scratch(outputs.name_to_write("graph.json")).write_text("half")
    released = outputs.release("new")
    assert sorted(released) == RELEASED == names(store)


# Tidying up


def test_discarded_run_leaves_nothing(store: LocalFolder) -> None:
    outputs = staged(store, "mine", "new")
    store.scratch(outputs.name_to_write("graph.json")).write_text("half")
    staged(store, "other", "new")
    discard_staged(store, "mine")
    assert {name.split("/")[1] for name in names(store)} == {"other"}


def test_release_that_was_cut_off_is_not_discarded(tmp_path: Path) -> None:
    store = LocalFolder(tmp_path)
    staged(store, "mine", "new")
    with pytest.raises(Killed):
        Outputs(Mortal(tmp_path, 1), "mine").release("new")
    discard_staged(store, "mine")
    assert discard_abandoned(store, datetime.now(tz=UTC) + timedelta(days=99)) == []
    finish_interrupted_releases(store)
    assert generation_of(store) == {"new"}


def test_staged_outputs_are_kept_for_a_week(store: LocalFolder) -> None:
    staged(store, "mine", "new")
    now = datetime.now(tz=UTC)
    assert discard_abandoned(store, now + timedelta(days=6)) == []
    assert names(store)
    assert discard_abandoned(store, now + timedelta(days=8)) == ["mine"]
    assert names(store) == []
