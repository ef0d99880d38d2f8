"""Tables kept by file: each part is made once, and is what making it again would give."""

from __future__ import annotations

import hashlib
import json
import os
import re
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from drug_assets import contracts
from drug_assets.engines.local import LocalMachine
from drug_assets.mentions import Vocabulary
from drug_assets.sources.tables import TABLES
from drug_assets.storage import contract_gate
from drug_assets.storage.contract_gate import ContractBrokenError
from drug_assets.storage.kept import by_file
from drug_assets.storage.kept.by_file import (
    DamagedPartsError,
    Part,
    Parts,
    Recipe,
    discard_unlisted,
    make_parts,
    name_part,
    write_part,
)
from drug_assets.storage.kept.whole import name_object, result_of
from drug_assets.storage.objects import LocalFolder, StoredObject
from drug_assets_tests.support.raw import raw_rows
from drug_assets_tests.support.registry import DRUGS

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from drug_assets.progress import Done

FILES = {"pubmed_2.xml": ["c", "a", "b"], "pubmed_10.xml": ["e", "d", "g"]}
#: The files of each call of `_cleaned`: these tests make all parts in this process.
asked: list[list[str]] = []


def _cleaned(raw: pl.LazyFrame, *, suffix: str = "") -> pl.LazyFrame:
    """Records of drugs that are named as in the raw rows."""
    asked.append(raw.select("source_file").unique().collect()["source_file"].sort().to_list())
    nothing = {
        name: pl.lit([] if isinstance(dtype, pl.List) else None, dtype=dtype)
        for name, dtype in contracts.polars_schema(TABLES["drugs_records"].contract).items()
    }
    row = {name: pl.col(name) for name in ("source_file", "source_row")}
    row["is_part"] = pl.lit(value=False)
    names = {"drug": pl.col("drug") + suffix, "folded_name": pl.col("drug")}
    whole = {"is_part": pl.lit(value=False)}
    return raw.select(**nothing | row | names | whole)


def _odd_rows(raw: pl.LazyFrame) -> pl.LazyFrame:
    return _cleaned(raw).filter(pl.col("source_row") % 2 == 1)


def _twice(raw: pl.LazyFrame) -> pl.LazyFrame:
    return pl.concat([_cleaned(raw), _cleaned(raw)])


def _with_names(raw: pl.LazyFrame, *, side_table: list[str]) -> pl.LazyFrame:
    return _cleaned(raw, suffix=" " + "+".join(side_table))


def _listed(names: pl.DataFrame) -> list[str]:
    found: list[str] = names["name"].to_list()
    return found


class Kept:
    """A store with the raw rows of some landed files, and the records made of them."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.store = LocalFolder(folder)
        #: What the last call of `make` warned of.
        self.warnings: list[str] = []
        #: What it reported.
        self.reports: list[Done] = []

    def raw(self, files: Mapping[str, list[str]], content: str = "0") -> Parts:
        parts = []
        for file, names in files.items():
            name = name_part("raw_drugs", file, content, str(names))
            rows = raw_rows(DRUGS, *({"source_file": file, "drug": drug} for drug in names))
            write_part(self.store, name, "raw_drugs", rows, file)
            parts.append(Part(file, name))
        return Parts("raw_drugs", tuple(parts))

    def make(
        self,
        files: Mapping[str, list[str]],
        make: Callable[..., pl.LazyFrame] = _cleaned,
        *,
        content: str = "0",
        names: list[str] | None = None,
    ) -> Parts:
        """The records of these files; `asked` then holds which of them were made."""
        asked.clear()
        side_table = None if names is None else pl.LazyFrame({"name": names})
        recipe = Recipe("raw_drugs", make, side_table, None if names is None else _listed)
        given = self.raw(files, content)
        warn, report = self.warnings.append, self.reports.append
        self.warnings.clear()
        self.reports.clear()
        engine = LocalMachine()
        return make_parts("drugs_records", recipe, given, self.store, engine, warn, report)

    def names(self, parts: Parts) -> list[str]:
        found: list[str] = parts.rows(self.store).collect()["drug"].to_list()
        return found

    def path(self, result: str) -> Path:
        """The file that holds a result."""
        [name] = [o.name for o in self.store.objects(".kept/") if result_of(o.name) == result]
        return self.folder / name

    def objects(self, table: str = "drugs_records") -> set[str]:
        """The results that are kept of a table, and other objects beside them."""
        names = [found.name for found in self.store.objects(f".kept/{table}/")]
        return {result_of(name) or name for name in names}


@pytest.fixture
def kept(tmp_path: Path) -> Kept:
    return Kept(tmp_path / "store")


def made_of() -> list[str]:
    return [file for files in asked for file in files]


def test_parts_keep_the_contract_that_they_were_held_to(
    kept: Kept, monkeypatch: pytest.MonkeyPatch
) -> None:
    for parts in (kept.raw(FILES), kept.make(FILES), kept.make({"drugs_1.csv": ["a"]})):
        assert parts.keep_contract(kept.store)
    monkeypatch.setattr(contract_gate, "compute_version", lambda *_: "later")
    assert kept.raw({}).keep_contract(kept.store)
    assert not kept.make(FILES).keep_contract(kept.store)


def test_parts_of_one_landed_file_may_have_the_same_keys(kept: Kept) -> None:
    [part] = kept.raw({"drugs_1.csv": ["a"]}).parts
    of_another = Part("drugs_2.csv", part.name)
    for parts in ((part, part), (of_another,), (part, of_another)):
        assert not Parts("raw_drugs", parts).keep_contract(kept.store)


def test_a_part_with_rows_of_another_landed_file_is_not_written(kept: Kept) -> None:
    rows = raw_rows(DRUGS, {"source_file": "drugs_1.csv", "drug": "a"})
    with pytest.raises(ContractBrokenError, match=r"not all of drugs_2\.csv"):
        write_part(kept.store, ".kept/raw_drugs/0.parquet", "raw_drugs", rows, "drugs_2.csv")
    assert kept.objects("raw_drugs") == set()


def test_parts_are_made_once_and_come_in_the_order_of_their_files(kept: Kept) -> None:
    first = kept.make(FILES)
    assert kept.names(first) == ["c", "a", "b", "e", "d", "g"]
    assert sorted(made_of()) == sorted(FILES)
    assert kept.make(FILES) == first
    assert made_of() == []


def test_a_new_file_costs_only_itself(kept: Kept) -> None:
    kept.make(FILES)
    more = {**FILES, "pubmed_11.xml": ["k"]}
    assert kept.names(kept.make(more)) == ["c", "a", "b", "e", "d", "g", "k"]
    assert made_of() == ["pubmed_11.xml"]


def test_small_files_are_made_together_large_ones_alone(
    kept: Kept, monkeypatch: pytest.MonkeyPatch
) -> None:
    together = kept.make(FILES)
    assert len(asked) == 1
    monkeypatch.setattr(by_file, "_TOGETHER_BYTES", 1)
    alone = kept.make(FILES, content="1")
    assert len(asked) == 2
    assert kept.names(alone) == kept.names(together)


@pytest.mark.parametrize("together", [True, False])
def test_what_is_made_is_reported_call_by_call_and_only_what_is_made(
    kept: Kept, monkeypatch: pytest.MonkeyPatch, *, together: bool
) -> None:
    monkeypatch.setattr(by_file, "_TOGETHER_BYTES", 2**20 if together else 1)
    kept.make(FILES)
    told = [(done.files, done.of_files, done.rows) for done in kept.reports]
    assert told == ([(0, 2, 0), (2, 2, 6)] if together else [(0, 2, 0), (1, 2, 3), (2, 2, 6)])
    assert kept.reports[0].size_bytes == 0
    assert kept.reports[-1].size_bytes == kept.reports[-1].of_bytes > 0
    kept.make(FILES)
    assert kept.reports == []
    kept.make({**FILES, "pubmed_11.xml": ["k"]})
    assert [(done.files, done.of_files, done.rows) for done in kept.reports] == [
        (0, 1, 0), (1, 1, 1)
    ]  # fmt: skip


@pytest.mark.parametrize("together", [True, False])
def test_a_file_that_gives_nothing_has_an_empty_part(
    kept: Kept, monkeypatch: pytest.MonkeyPatch, *, together: bool
) -> None:
    monkeypatch.setattr(by_file, "_TOGETHER_BYTES", 2**20 if together else 1)
    files = {"pubmed_1.xml": [], **FILES}
    made = kept.make(files)
    assert [part.source_file for part in made.parts] == list(files)
    assert made.input_rows(kept.store) == {"pubmed_1.xml": 0, **dict.fromkeys(FILES, 3)}
    assert kept.make(files) == made
    assert made_of() == []


def test_parts_know_of_how_many_rows_they_were_made(kept: Kept) -> None:
    made = kept.make(FILES, _odd_rows)
    assert made.rows(kept.store).collect().height == 4
    assert made.input_rows(kept.store) == dict.fromkeys(FILES, 3)


def test_other_content_another_recipe_or_other_arguments_are_made_anew(kept: Kept) -> None:
    before = set(kept.make(FILES).names())
    for change in ({"content": "1"}, {"make": partial(_cleaned, suffix="!")}):
        made = kept.make(FILES, **change)
        assert sorted(made_of()) == sorted(FILES)
        assert not before & made.names()


def test_what_is_beside_the_files_is_prepared_once_and_decides(kept: Kept) -> None:
    made = kept.make(FILES, _with_names, names=["x", "y"])
    assert kept.names(made)[0] == "c x+y"
    assert kept.make(FILES, _with_names, names=["x", "y"]) == made
    assert made_of() == []
    other = kept.make(FILES, _with_names, names=["x"])
    assert kept.names(other)[0] == "c x"


def test_no_files_give_an_empty_table_with_its_columns(kept: Kept) -> None:
    made = kept.make({})
    expected = contracts.polars_schema(TABLES["drugs_records"].contract)
    assert made.rows(kept.store).collect().schema == expected
    assert made_of() == []


def _of_another_file(raw: pl.LazyFrame) -> pl.LazyFrame:
    other = pl.lit("pubmed_3.xml").alias("source_file")
    return _cleaned(raw).with_columns(other, source_row=pl.int_range(1, pl.len() + 1))


@pytest.mark.parametrize("together", [True, False])
def test_rows_of_another_landed_file_are_refused_and_not_dropped(
    kept: Kept, monkeypatch: pytest.MonkeyPatch, *, together: bool
) -> None:
    monkeypatch.setattr(by_file, "_TOGETHER_BYTES", 2**20 if together else 1)
    with pytest.raises(ContractBrokenError, match=r"not all of pubmed_.*\.xml"):
        kept.make(FILES, _of_another_file)
    assert kept.objects() == set()


@pytest.mark.parametrize("together", [True, False])
def test_rows_that_break_the_contract_are_refused_and_leave_nothing(
    kept: Kept, monkeypatch: pytest.MonkeyPatch, *, together: bool
) -> None:
    monkeypatch.setattr(by_file, "_TOGETHER_BYTES", 2**20 if together else 1)
    with pytest.raises(ContractBrokenError, match=r"drugs_records was not written.*primary_key"):
        kept.make(FILES, _twice)
    assert kept.objects() == set()


def test_the_list_of_parts_reads_back_as_it_was_written(kept: Kept) -> None:
    for made in (kept.make({}), kept.make(FILES, _with_names, names=["é\n"])):
        document = "\n".join(made.lines()).encode()
        assert Parts.read("drugs_records", document) == made


def test_what_no_list_names_goes_and_what_is_being_written_stays(kept: Kept) -> None:
    made = kept.make(FILES, _with_names, names=["x"])
    kept.make(FILES, content="1")
    being_written = kept.store.scratch(".kept/drugs_records/x.parquet")
    being_written.touch()
    raw = kept.raw(FILES)
    discarded = discard_unlisted(kept.store, {*made.names(), *raw.names()})
    assert discarded == 2 * len(FILES)
    assert kept.objects() - {f".kept/drugs_records/{being_written.name}"} == {
        part.name for part in made.parts
    }
    assert being_written.exists()
    assert kept.objects("side_tables") == {made.side_table}
    assert discard_unlisted(kept.store, ()) == 2 * len(FILES) + 1


def test_rows_are_as_if_all_files_were_made_at_once(kept: Kept) -> None:
    made = kept.make(FILES)
    at_once = _cleaned(kept.raw(FILES).rows(kept.store))
    assert_frame_equal(made.rows(kept.store).collect(), at_once.collect())


# Damage


def _flip(path: Path) -> None:
    """Flip a bit of the rows, which Parquet does not notice."""
    data = bytearray(path.read_bytes())
    data[len(data) // 3] ^= 1
    path.write_bytes(data)


DAMAGES: dict[str, Callable[[Path], object]] = {
    "truncated": lambda path: os.truncate(path, path.stat().st_size // 2),
    "empty": lambda path: os.truncate(path, 0),
    "flipped": _flip,
    "other bytes": lambda path: path.write_text("x"),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_damaged_part_is_made_again_with_a_warning(kept: Kept, damage: str) -> None:
    made = kept.make(FILES)
    rows = made.rows(kept.store).collect()
    path = kept.path(made.parts[1].name)
    DAMAGES[damage](path)
    assert kept.make(FILES) == made
    assert made_of() == ["pubmed_10.xml"]
    assert kept.warnings == [f"{path} is damaged: it was removed, and is made again"]
    assert_frame_equal(made.rows(kept.store).collect(), rows)
    assert kept.make(FILES) == made
    assert (made_of(), kept.warnings) == ([], [])


def test_removed_part_is_made_again(kept: Kept) -> None:
    made = kept.make(FILES)
    kept.path(made.parts[0].name).unlink()
    assert kept.make(FILES) == made
    assert made_of() == ["pubmed_2.xml"]


def test_part_that_goes_between_listing_and_reading_is_made_again(
    kept: Kept, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = kept.make(FILES)
    listed = LocalFolder.objects
    gone = kept.path(made.parts[0].name)

    def listed_before_it_went(store: LocalFolder, prefix: str = "") -> list[StoredObject]:
        found = listed(store, prefix)
        if prefix == ".kept/drugs_records/":
            gone.unlink(missing_ok=True)
        return found

    monkeypatch.setattr(LocalFolder, "objects", listed_before_it_went)
    assert kept.make(FILES) == made
    assert made_of() == ["pubmed_2.xml"]


@pytest.mark.parametrize("damage", DAMAGES)
def test_damaged_side_table_is_made_again_with_a_warning(kept: Kept, damage: str) -> None:
    made = kept.make(FILES, _with_names, names=["x", "y"])
    assert made.side_table is not None
    path = kept.path(made.side_table)
    whole = path.read_bytes()
    DAMAGES[damage](path)
    more = {**FILES, "pubmed_11.xml": ["k"]}
    assert kept.names(kept.make(more, _with_names, names=["x", "y"]))[-1] == "k x+y"
    assert kept.warnings == [f"{path} is damaged: it was removed, and is made again"]
    assert path.read_bytes() == whole


@pytest.mark.parametrize("damage", DAMAGES)
def test_damaged_input_is_told_with_its_file_and_the_cure(kept: Kept, damage: str) -> None:
    raw = kept.raw(FILES)
    DAMAGES[damage](kept.path(raw.parts[0].name))
    recipe = Recipe("raw_drugs", _cleaned)
    for read in (
        lambda: make_parts("drugs_records", recipe, raw, kept.store, LocalMachine()),
        lambda: raw.rows(kept.store),
        lambda: raw.size_bytes(kept.store),
    ):
        with pytest.raises(
            DamagedPartsError,
            match=r"raw_drugs from pubmed_2\.xml are missing or damaged.*: run `drug-assets run`",
        ):
            read()


@pytest.mark.parametrize("document", ["", "[]", "{", "null", '{"parts": [1]}', '{"parts": {}}'])
def test_damaged_list_of_parts_is_an_error_with_a_cure(document: str) -> None:
    with pytest.raises(DamagedPartsError, match="list of parts of drugs_records is damaged: run"):
        Parts.read("drugs_records", document.encode())


def test_same_part_made_in_two_ways_is_kept_once(kept: Kept) -> None:
    made = kept.make(FILES)
    path = kept.path(made.parts[0].name)
    other = kept.folder / "other.parquet"
    pl.read_parquet(path).write_parquet(other, metadata={"input_rows": "3"})
    name = name_object(made.parts[0].name, other)
    other.rename(kept.folder / name)
    assert kept.names(made) == ["c", "a", "b", "e", "d", "g"]
    raw = kept.raw(FILES)
    assert discard_unlisted(kept.store, {*made.names(), *raw.names()}) == 1
    assert kept.names(made) == ["c", "a", "b", "e", "d", "g"]


def test_the_list_of_parts_names_them_in_order_beside_the_side_table() -> None:
    parts = Parts("drugs_records", (Part("b.csv", "2"), Part("é.csv", "1")), "side")
    (line,) = parts.lines()
    assert "é" in line
    assert json.loads(line) == {
        "side_table": "side",
        "parts": [{"source_file": "b.csv", "part": "2"}, {"source_file": "é.csv", "part": "1"}],
    }
    assert parts.names() == {"1", "2", "side"}
    assert Parts("drugs_records", parts.parts).names() == {"1", "2"}


MIB = 1024**2


@pytest.mark.parametrize(
    ("sizes", "groups"),
    [
        ([], []),
        ([1], [1]),
        ([16 * MIB, 1], [1, 1]),
        ([16 * MIB - 1, 1], [2]),
        ([16 * MIB - 1, 2], [1, 1]),
        ([20 * MIB, 20 * MIB], [1, 1]),
        ([1, 20 * MIB, 1, 1], [1, 1, 2]),
        ([6 * MIB] * 5, [2, 2, 1]),
    ],
)
def test_files_are_made_together_up_to_a_size(sizes: list[int], groups: list[int]) -> None:
    now = datetime.now(tz=UTC)
    files = [
        (f"{n}.csv", StoredObject(str(n), size, "1", now), f"made {n}")
        for n, size in enumerate(sizes)
    ]
    found = list(by_file._group_small_files(files))
    assert [len(group) for group in found] == groups
    assert [file for group in found for file in group] == files


def test_parts_are_named_by_all_that_they_are_made_of() -> None:
    name = name_part("drugs_records", "a", "b")
    assert re.fullmatch(r"\.kept/drugs_records/[0-9a-f]{32}\.parquet", name)
    key = hashlib.sha256(b"a\0b").hexdigest()[:32]
    assert name == f".kept/drugs_records/{key}.parquet", "else every part is made again"
    others = {
        name_part("drugs_records", *made_of)
        for made_of in (("b", "a"), ("ab",), ("a", "b", ""), ("a",), ("", "a", "b"))
    }
    assert len(others) == 5
    assert name not in others | {name_part("raw_drugs", "a", "b")}


def test_a_side_table_is_kept_once_whoever_uses_it(kept: Kept) -> None:
    first = kept.make(FILES, _with_names, names=["x", "y"])
    assert (
        kept.make(FILES, _with_names, content="1", names=["x", "y"]).side_table == first.side_table
    )
    other = kept.make(FILES, _with_names, names=["y", "x"])
    assert kept.objects("side_tables") == {first.side_table, other.side_table}
    assert first.side_table != other.side_table
    assert re.fullmatch(r"\.kept/side_tables/[0-9a-f]{32}\.parquet", first.side_table or "")
    assert kept.make(FILES).side_table is None


def _as_it_is(raw: pl.LazyFrame, *, side_table: pl.DataFrame, more: str = "") -> pl.LazyFrame:
    return _cleaned(raw, suffix=f" of {side_table.height}{more}")


def test_a_side_table_that_nothing_prepares_is_given_as_it_is(kept: Kept) -> None:
    recipe = Recipe("raw_drugs", _as_it_is, pl.LazyFrame({"name": ["x", "y", "z"]}))
    made = make_parts("drugs_records", recipe, kept.raw(FILES), kept.store, LocalMachine())
    assert kept.names(made)[0] == "c of 3"
    assert by_file._PREPARED == {}, "nothing is left in memory"


PREPARED: list[int] = []


def _prepare(rows: pl.DataFrame) -> pl.DataFrame:
    PREPARED.append(rows.height)
    return rows


def test_recipes_with_the_same_side_table_can_share_what_was_prepared(kept: Kept) -> None:
    def make(names: list[str], suffix: str) -> None:
        side_table = pl.LazyFrame({"name": names})
        recipe = Recipe("raw_drugs", partial(_as_it_is, more=suffix), side_table, _prepare)
        make_parts("drugs_records", recipe, kept.raw(FILES), kept.store, LocalMachine())

    PREPARED.clear()
    with by_file.hold_prepared():
        make(["x", "y"], "1")
        make(["x", "y"], "2")
        assert PREPARED == [2]
        make(["x"], "3")
        assert PREPARED == [2, 1]
        assert len(by_file._PREPARED) == 1
    assert by_file._PREPARED == {}
    make(["x"], "4")
    assert (PREPARED, by_file._PREPARED) == ([2, 1, 1], {})


def test_the_size_of_a_table_is_that_of_its_parts_alone(kept: Kept) -> None:
    made = kept.make(FILES)
    kept.make(FILES, content="1")
    expected = sum(kept.path(part.name).stat().st_size for part in made.parts)
    assert made.size_bytes(kept.store) == expected > 0


def test_the_version_of_a_recipe_is_that_of_all_its_code() -> None:
    plain = Recipe("raw_drugs", DRUGS.clean_records)
    prepared = Recipe("raw_drugs", DRUGS.clean_records, prepare=Vocabulary.of)
    assert plain.version() != prepared.version()
    assert plain.version() == Recipe("other", DRUGS.clean_records, pl.LazyFrame()).version()
