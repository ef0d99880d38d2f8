"""Outputs: written whole, by contract, and read where a run or a release has them."""

from __future__ import annotations

import errno
import json
import os
import time
from typing import TYPE_CHECKING, Any

import polars as pl
import pytest

from drug_assets import contracts
from drug_assets.storage import contract_gate, staging
from drug_assets.storage import outputs as outputs_module
from drug_assets.storage.contract_gate import ContractBrokenError
from drug_assets.storage.kept.by_file import Part, Parts, write_part
from drug_assets.storage.kept.whole import result_of
from drug_assets.storage.objects import LocalFolder, StoredObject, write_text
from drug_assets.storage.outputs import (
    NotMadeError,
    Outputs,
    evict_unused_parts,
    prepare_store,
    table_file,
)
from drug_assets.storage.pointer import Pointer
from drug_assets.storage.releases import Release, make_release_id
from drug_assets.storage.workspace import Origin
from drug_assets_tests.support.raw import raw_rows
from drug_assets_tests.support.registry import DRUGS

if TYPE_CHECKING:
    from pathlib import Path


def top_journal(*journals: str) -> pl.LazyFrame:
    return pl.LazyFrame(
        [
            {
                "journal_id": name.lower(),
                "journal": name,
                "drug_count": 1,
                "drugs": ["x"],
                "mentions": 1,
                "retracted_mentions": 0,
                "unknown_mentions": 0,
            }
            for name in journals
        ],
        schema=contracts.polars_schema(contracts.TopJournal),
    )


@pytest.fixture
def store(tmp_path: Path) -> LocalFolder:
    return LocalFolder(tmp_path / "store")


def names(store: LocalFolder) -> list[str]:
    return [found.name for found in store.objects()]


def part(store: LocalFolder, name: str, drug: str) -> Part:
    """A part of `raw_drugs`."""
    name = f".kept/raw_drugs/{name}.parquet"
    write_part(store, name, "raw_drugs", raw_rows(DRUGS, {"drug": drug}), "drugs.csv")
    return Part("drugs.csv", name)


# Writing


def test_table_reads_back_as_written(store: LocalFolder) -> None:
    rows = top_journal("B", "A")
    written = Outputs(store, "").write_table("top_journal", rows)
    assert Outputs(store, "").table("top_journal").collect().equals(rows.collect())
    assert (written.rows, written.sample.height) == (2, 2)
    assert written.size_bytes == store.local_copy("top_journal.parquet").stat().st_size


def test_a_table_that_this_process_wrote_keeps_its_contract_unless_its_bytes_changed(
    store: LocalFolder,
) -> None:
    outputs = Outputs(store, "")
    outputs.write_table("top_journal", top_journal("A"))
    assert outputs.keeps_contract("top_journal")
    path = store.local_copy("top_journal.parquet")
    whole = path.read_bytes()
    path.write_bytes(whole[:-1] + b"?")
    assert not outputs.keeps_contract("top_journal")
    path.write_bytes(whole)
    assert outputs.keeps_contract("top_journal")


def test_of_a_table_that_another_process_wrote_it_is_not_known(store: LocalFolder) -> None:
    scratch = store.scratch("top_journal.parquet")
    top_journal("A").collect().write_parquet(scratch)
    store.put(scratch, "top_journal.parquet")
    assert not Outputs(store, "").keeps_contract("top_journal")


@pytest.mark.slow
def test_a_large_table_is_the_same_bytes_however_its_rows_were_divided(store: LocalFolder) -> None:
    """A sort divides its rows in another way each time; a list may not show where."""
    number = pl.int_range(300_000, eager=True).alias("number")
    key = pl.format("journal {}", pl.col("number").cast(pl.String).str.zfill(6))
    rows = number.to_frame().select(
        journal_id=key,
        journal=key,
        drug_count=pl.lit(1, pl.Int64),
        drugs=pl.concat_list(pl.lit("x")),
        mentions=pl.lit(1, pl.Int64),
        retracted_mentions=pl.lit(0, pl.Int64),
        unknown_mentions=pl.lit(0, pl.Int64),
    )
    written = set()
    for made in (rows.lazy(), *(rows.reverse().lazy().sort("journal_id") for _ in range(4))):
        Outputs(store, "").write_table("top_journal", made)
        written.add(store.read("top_journal.parquet"))
    again = Outputs(store, "").table("top_journal").collect()
    Outputs(store, "").write_table("top_journal", again.lazy())
    written.add(store.read("top_journal.parquet"))
    assert len(written) == 1


def test_what_was_written_shows_five_rows_its_figures_and_its_place(store: LocalFolder) -> None:
    rows = top_journal(*"GFEDCBA")
    written = Outputs(store, "").write_table("top_journal", rows)
    assert written.rows == 7
    assert written.sample.equals(rows.collect()[[0, 1, 3, 4, 6]])
    assert written.figures == {"drugs": rows.collect()["drug_count"].max()}
    assert written.uri == store.uri("latest/top_journal.parquet")


def test_table_is_written_in_the_contracts_order_of_columns(store: LocalFolder) -> None:
    shuffled = top_journal("A").select(sorted(contracts.TopJournal.column_names()))
    Outputs(store, "").write_table("top_journal", shuffled)
    columns = Outputs(store, "").table("top_journal").collect_schema().names()
    assert columns == contracts.TopJournal.column_names()


@pytest.mark.parametrize(
    ("released", "before"),
    [
        (None, None),
        ({"rows": {"top_journal": 7, "drugs": 1}}, 7),
        ({"rows": {"top_journal": 0}}, 0),
        ({"rows": {"drugs": 1}}, None),
        ({}, None),
    ],
)
def test_rows_of_the_last_release_are_known_if_it_says_them(
    store: LocalFolder, released: object, before: int | None
) -> None:
    if released is not None:
        write_text(store, "release.json", json.dumps(released))
    outputs = Outputs(store, "", base=Release(store, ""))
    assert outputs.rows_before("top_journal") == before


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
    outputs = Outputs(store, "")
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
        Outputs(store, "").write_table("top_journal", counts)
    assert str(raised.value) == (
        "top_journal was not written: it breaks drugs_are_as_many_as_counted (3 rows); the first "
        "such row: {'journal_id': 'second', 'journal': 'Second', 'drug_count': 9, 'drugs': ['x'], "
        "'mentions': 1, 'retracted_mentions': 0, 'unknown_mentions': 0}"
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
        Outputs(store, "").write_table("top_journal", broken)


def test_all_columns_that_are_not_the_contracts_are_named_in_its_order(store: LocalFolder) -> None:
    rows = top_journal("A").select(
        more=pl.lit(value=True), drug_count=pl.col("drug_count").cast(pl.Int32), journal="journal"
    )
    with pytest.raises(ContractBrokenError) as raised:
        Outputs(store, "").write_table("top_journal", rows)
    assert str(raised.value) == (
        "top_journal was not written: column journal_id: missing, expected String; "
        "column drug_count: Int32, expected Int64; column drugs: missing, expected List(String); "
        "column mentions: missing, expected Int64; column retracted_mentions: missing, expected "
        "Int64; column unknown_mentions: missing, expected Int64; "
        "column more: Boolean, expected none"
    )


def test_missing_column_is_named(store: LocalFolder) -> None:
    with pytest.raises(ContractBrokenError, match="column drugs: missing, expected List"):
        Outputs(store, "").write_table("top_journal", top_journal("A").drop("drugs"))
    assert names(store) == []


def test_same_key_twice_breaks_the_contract(store: LocalFolder) -> None:
    with pytest.raises(ContractBrokenError, match=r"primary_key \(2 rows\)"):
        Outputs(store, "").write_table("top_journal", top_journal("A", "A"))


def test_same_key_in_two_blocks_breaks_the_contract(
    store: LocalFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(contract_gate, "_BLOCK_ROWS", 2)
    Outputs(store, "").write_table("top_journal", top_journal("A", "B", "C"))
    before = store.read("top_journal.parquet")
    with pytest.raises(ContractBrokenError, match=r"breaks primary_key \(2 rows\); the first such"):
        Outputs(store, "").write_table("top_journal", top_journal("A", "B", "C", "A"))
    assert store.read("top_journal.parquet") == before


def test_broken_rules_of_all_blocks_are_counted(
    store: LocalFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(contract_gate, "_BLOCK_ROWS", 2)
    wrong = pl.col("journal").is_in(["B", "C"])
    counts = top_journal("A", "B", "C").with_columns(
        drug_count=pl.when(wrong).then(9).otherwise("drug_count")
    )
    with pytest.raises(ContractBrokenError, match=r"as_counted \(2 rows\).*'journal_id': 'b'"):
        Outputs(store, "").write_table("top_journal", counts)


def test_rows_that_fail_while_they_are_computed_leave_nothing(store: LocalFolder) -> None:
    failing = top_journal("A").with_columns(drug_count=pl.col("journal").str.to_integer())
    for _ in range(20):
        with pytest.raises(pl.exceptions.ComputeError):
            Outputs(store, "").write_table("top_journal", failing)
    # Polars would make the file of a path on another thread, after the error.
    time.sleep(0.2)
    assert names(store) == []


def test_lines_that_fail_while_they_are_made_leave_the_old_document(store: LocalFolder) -> None:
    outputs = Outputs(store, "")
    outputs.write_document("graph.json", ["old"])
    with pytest.raises(ZeroDivisionError):
        outputs.write_document("graph.json", (str(1 // n) for n in (1, 0)))
    assert [(n, store.read(n)) for n in names(store)] == [("graph.json", b"old\n")]


def test_documents_end_each_line_with_a_newline_alone(store: LocalFolder) -> None:
    size = Outputs(store, "").write_document("graph.json", ["[", "é", "]"])
    assert store.read("graph.json") == "[\né\n]\n".encode()
    assert size == 7


def test_output_never_made_says_how_to_make_it(store: LocalFolder) -> None:
    with pytest.raises(NotMadeError, match=r"top_journal was never made in .*: materialize it, or"):
        Outputs.of_run(store, "run").table("top_journal")
    with pytest.raises(FileNotFoundError):
        Outputs.current(store).table("top_journal")


class Vanishing(LocalFolder):
    """A folder in which another process removes what was just listed."""

    def objects(self, prefix: str = "") -> list[StoredObject]:
        found = super().objects(prefix)
        for one in found:
            self.delete(one.name)
        return found


def test_rows_of_a_table_that_goes_meanwhile_are_not_counted(tmp_path: Path) -> None:
    Outputs(LocalFolder(tmp_path), "").write_table("top_journal", top_journal("A"))
    with pytest.raises(FileNotFoundError, match="no such file"):
        Outputs(Vanishing(tmp_path), "").count_rows("top_journal")


def test_output_of_a_release_is_read_where_this_run_made_none(store: LocalFolder) -> None:
    mine = Outputs(store, "mine/", release=Release(store, ""))
    write_text(store, "graph.json", "old")
    assert mine.path("graph.json").read_text() == "old"
    mine.write_document("graph.json", ["new"])
    assert mine.path("graph.json").read_text() == "new\n"
    assert Outputs(store, "other/").prefix == "other/"
    with pytest.raises(NotMadeError):
        Outputs(store, "other/").path("graph.json")


def test_place_of_a_staged_table_is_that_of_the_release(store: LocalFolder, tmp_path: Path) -> None:
    written = Outputs.of_run(store, "mine").write_table("top_journal", top_journal("A"))
    assert written.uri == str(tmp_path / "store" / "latest" / table_file("top_journal"))


def test_outputs_for_reading_are_never_written(store: LocalFolder) -> None:
    with pytest.raises(RuntimeError, match="only read"):
        Outputs.current(store).write_document("graph.json", [])
    assert names(store) == []


# Left-overs


def raw_part(store: LocalFolder, content: str) -> Parts:
    """The raw rows of a landed file, kept."""
    return Parts("raw_drugs", (part(store, content, content),))


def list_parts(store: LocalFolder, prefix: str, parts: Parts) -> None:
    write_text(store, f"{prefix}{table_file(parts.table)}", "\n".join(parts.lines()))


@pytest.mark.parametrize("damage", [None, "", "[]", '{"parts": 1}'])
def test_damaged_list_of_parts_keeps_nothing_and_stops_nothing(
    store: LocalFolder, damage: str | None
) -> None:
    list_parts(store, staging.WORKSPACE, raw_part(store, "listed"))
    release = Release(store, make_release_id(None))
    list_parts(store, release.name(), raw_part(store, "released"))
    raw_part(store, "of nobody")
    store.swap_pointer(None, Pointer(release.id))
    told: list[str] = []
    name = f"{staging.WORKSPACE}{table_file('raw_drugs')}"
    if damage is not None:
        write_text(store, name, damage)
    assert evict_unused_parts(store, told.append) == (1 if damage is None else 2)
    is_told = damage is not None
    assert told == [f"{store.uri(name)} is damaged: the parts that it lists are not kept"] * is_told
    stay = ["released"] if is_told else ["listed", "released"]
    left = sorted(str(result_of(found.name)) for found in store.objects(".kept/raw_drugs/"))
    assert left == [f".kept/raw_drugs/{content}.parquet" for content in stay]


NOW = Origin("landing", "rules")


def test_damaged_output_of_the_workspace_counts_as_absent(
    store: LocalFolder, tmp_path: Path
) -> None:
    told: list[str] = []
    outputs = Outputs.of_workspace(store, NOW, told.append)
    assert outputs.workspace is not None
    for file in ("graph.json", table_file("raw_drugs")):
        outputs.write_document(file, ["whole"])
        outputs.workspace.note_output(file, [NOW])
        assert outputs.path(file).read_text() == "whole\n"
        path = tmp_path / "store" / staging.WORKSPACE / file
        path.write_text("spoilt")
        with pytest.raises(NotMadeError, match="materialize it, or everything"):
            outputs.path(file)
        assert told.pop() == f"{path} is not what was written there: it is not used"
        assert told == []
        path.write_text("whole\n")
        assert outputs.path(file) == path


def test_output_that_lacks_a_file_beside_it_counts_as_absent(
    store: LocalFolder, tmp_path: Path
) -> None:
    outputs = Outputs.of_workspace(store, NOW)
    assert outputs.workspace is not None
    for name in ("page/1", "page/2", "page.html"):
        outputs.write_document(name, ["whole"])
    beside = outputs.list_files(["page"])
    assert beside == ["page/1", "page/2"]
    outputs.workspace.note_output("page.html", [NOW], beside)
    assert outputs.path("page.html").read_text() == "whole\n"
    path = tmp_path / "store" / staging.WORKSPACE / "page/2"
    for damage in (lambda: path.write_text("spoilt"), path.unlink):
        damage()
        with pytest.raises(NotMadeError):
            outputs.path("page.html")
        assert outputs.path("page/1").read_text() == "whole\n"
    path.write_text("whole\n")
    assert outputs.path("page.html").read_text() == "whole\n"
    outputs.discard_folder("page")
    assert outputs.list_files(["page"]) == []


@pytest.mark.parametrize("damage", ["", "{", "[]", "null"])
def test_damaged_note_of_the_workspace_counts_as_absent(
    store: LocalFolder, tmp_path: Path, damage: str
) -> None:
    told: list[str] = []
    outputs = Outputs.of_workspace(store, NOW, told.append)
    assert outputs.workspace is not None
    outputs.write_document("graph.json", ["whole"])
    outputs.workspace.note_output("graph.json", [NOW])
    [note] = (tmp_path / "store" / staging.WORKSPACE).rglob("graph.json.json")
    note.write_text(damage)
    with pytest.raises(NotMadeError):
        outputs.path("graph.json")
    assert set(told) == {f"{note} is damaged: it counts as absent"}


def test_scratch_of_killed_writers_goes_unless_a_run_lives(store: LocalFolder) -> None:
    for name in (".kept/raw_drugs/a.parquet", ".workspace/graph.json", "latest", "releases/1/x"):
        store.scratch(name).write_text("half")
    staging.begin(store, "living", staging.Beginning(None, "rules", resumable=False))
    at_work = [n for n in names(store) if n.endswith(".tmp") and not n.startswith("releases/")]
    prepare_store(store, [])
    assert [n for n in names(store) if n.endswith(".tmp")] == at_work
    staging.discard(store, "living")
    prepare_store(store, [])
    assert names(store) == [".lock"]


def test_left_overs_of_dead_runs_go_with_the_next_run(store: LocalFolder) -> None:
    write_text(store, f"{staging.folder_of_run('dead')}drugs.parquet", "x")
    store.scratch(f"{staging.folder_of_run('dead')}pubmed.parquet").write_text("half")
    assert prepare_store(store, []) == ["removed what run dead staged and never released"]
    assert names(store) == [".lock"]


def test_writes_that_find_no_room_leave_nothing(
    store: LocalFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(LocalFolder, "put", full)
    for write in (
        lambda: Outputs(store, "").write_table("top_journal", top_journal("A")),
        lambda: Outputs(store, "").write_document("graph.json", ["x"]),
        lambda: raw_part(store, "x"),
        lambda: write_text(store, "x", "x"),
    ):
        with pytest.raises(OSError, match="No space left"):
            write()
    assert names(store) == []


def test_list_of_a_table_kept_by_file_says_its_rows_its_size_and_its_place(
    store: LocalFolder,
) -> None:
    parts = [part(store, f"{number}", f"drug {number}") for number in range(7)]
    written = Outputs.of_run(store, "mine").write_parts(Parts("raw_drugs", tuple(parts)))
    assert written.rows == 7
    assert written.sample["drug"].to_list() == [f"drug {number}" for number in (0, 1, 3, 4, 6)]
    assert written.figures == {}
    sizes = [found.size_bytes for found in store.objects(".kept/raw_drugs/")]
    assert written.size_bytes == sum(sizes)
    assert written.uri == store.uri("latest/raw_drugs.parts.json")
    assert ".staging/mine/raw_drugs.parts.json" in names(store)


def test_a_table_of_the_release_before_is_read_if_there_is_one(tmp_path: Path) -> None:
    store = LocalFolder(tmp_path)
    assert Outputs(store).table_before("top_journal") is None
    before = Release(store, "before")
    # A release of a version that had no such table.
    assert Outputs(store, base=before).table_before("top_journal") is None
    written = Outputs(store, prefix=before.name()).write_table("top_journal", top_journal("A"))
    assert written.rows == 1
    rows = Outputs(store, base=before).table_before("top_journal")
    assert rows is not None
    assert rows.collect()["journal"].to_list() == ["A"]


# Tables of few rows stay in memory


def unread(monkeypatch: pytest.MonkeyPatch) -> None:
    """From here on no Parquet file can be opened for its rows."""

    def refuse(*_: object, **__: object) -> pl.LazyFrame:
        raise AssertionError("a file was read again")

    monkeypatch.setattr(pl, "scan_parquet", refuse)


def test_a_table_of_few_rows_is_not_read_again_by_who_wrote_it(
    store: LocalFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    outputs = Outputs(store, "")
    parts = Parts("raw_drugs", (part(store, "one", "A"), part(store, "two", "B")))
    outputs.write_table("top_journal", top_journal("A"))
    outputs.write_parts(parts)
    unread(monkeypatch)
    assert outputs.table("top_journal").collect().equals(top_journal("A").collect())
    assert outputs.table("raw_drugs").collect()["drug"].to_list() == ["A", "B"]


def test_a_table_that_another_process_wrote_since_is_read(store: LocalFolder) -> None:
    outputs = Outputs(store, "")
    outputs.write_table("top_journal", top_journal("A"))
    scratch = store.scratch("top_journal.parquet")
    top_journal("B").collect().write_parquet(scratch)
    store.put(scratch, "top_journal.parquet")
    assert outputs.table("top_journal").collect().equals(top_journal("B").collect())


@pytest.mark.slow
def test_no_more_tables_stay_in_memory_than_a_run_makes(tmp_path: Path) -> None:
    for number in range(outputs_module._MOST_FEW + 3):
        Outputs(LocalFolder(tmp_path / str(number)), "").write_table(
            "top_journal", top_journal("A")
        )
    assert len(outputs_module._FEW) == outputs_module._MOST_FEW
