"""Tables in pieces: a run copies those that the release before has, and makes the others."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING

import polars as pl
import pytest

from drug_assets.cleaning.publications import Piece
from drug_assets.storage.contract_gate import ContractBrokenError
from drug_assets.storage.kept.by_file import Part, Parts, name_part, write_part
from drug_assets.storage.kept.whole import find_whole
from drug_assets.storage.objects import LocalFolder, write_text
from drug_assets.storage.outputs import Outputs
from drug_assets.storage.pieces import Pieces
from drug_assets.storage.releases import Release
from drug_assets_tests.support.raw import raw_rows, table
from drug_assets_tests.support.registry import PUBMED

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

RELEASE = "20260101T000000.000000Z-abcdef"
FILE = "pubmed.parquet"
#: The id of the record in each file.
FILES = {"p_1.csv": "one", "p_2.csv": "two", "p_3.csv": "three"}


@pytest.fixture
def store(tmp_path: Path) -> LocalFolder:
    return LocalFolder(tmp_path / "store")


def publications(records: pl.LazyFrame) -> pl.LazyFrame:
    columns = ("source_file", "source_row", "title")
    lists = ("issues", "publication_types", "corrections", "trial_ids")
    rows = records.select(*columns, publication_id="id").collect().to_dicts()
    return table("pubmed", *({**row, **{name: [] for name in lists}} for row in rows))


def write(
    store: LocalFolder,
    files: Mapping[str, str] = FILES,
    *,
    base: Release | None = None,
    decided: Mapping[str, str] | None = None,
    version: str = "1",
) -> list[str]:
    """Write a table with a piece for each file; return the files whose pieces were made.

    Args:
        store: the store.
        files: the id of the record in each file.
        base: the release before.
        decided: what is decided about some files.
        version: the version of the code.
    """
    made: list[str] = []

    def make(records: pl.LazyFrame) -> pl.LazyFrame:
        made.extend(records.collect()["source_file"])
        return publications(records)

    parts = []
    for file, id_ in files.items():
        name = name_part("raw_pubmed", file, id_)
        if not find_whole(store, "raw_pubmed", [name]).whole:
            row = {"source_file": file, "id": id_, "title": f"On {id_}"}
            write_part(store, name, "raw_pubmed", raw_rows(PUBMED, row), file)
        parts.append(Part(file, name))
    outputs = Outputs(store, "", base=base)
    outputs.write_parts(Parts("raw_pubmed", tuple(parts)))
    pieces = [Piece((file,), (decided or {}).get(file, ""), make) for file in files]
    written = outputs.write_pieces("pubmed", Pieces("raw_pubmed", version, pieces))
    assert written.rows == len(files)
    assert outputs.table("pubmed").collect()["publication_id"].to_list() == [*files.values()]
    assert outputs.keeps_contract("pubmed")
    return made


def release(store: LocalFolder) -> Release:
    """Make a release of what was written."""
    released, data = Release(store, RELEASE), store.read(FILE)
    scratch = store.scratch(released.name(FILE))
    scratch.write_bytes(data)
    store.put(scratch, released.name(FILE))
    note = {"sha256": hashlib.sha256(data).hexdigest(), "size_bytes": len(data)}
    write_text(store, released.name("release.json"), json.dumps({"files": {FILE: note}}))
    return released


def test_pieces_are_made_once(store: LocalFolder) -> None:
    assert write(store) == [*FILES]
    written = store.read(FILE)
    assert write(store, base=release(store)) == []
    assert store.read(FILE) == written
    assert not store.discard_scratch()


@pytest.mark.parametrize(
    ("files", "made"),
    [
        ({**FILES, "p_4.csv": "four"}, ["p_4.csv"]),
        ({**FILES, "p_1.csv": "other"}, ["p_1.csv"]),
        ({"p_1.csv": "one", "p_3.csv": "three"}, []),
        ({"p_0.csv": "zero", **FILES}, ["p_0.csv"]),
        ({"p_3.csv": "three", "p_1.csv": "one"}, []),
    ],
)
def test_a_table_with_pieces_of_before_is_the_one_that_is_made_anew(
    store: LocalFolder, files: Mapping[str, str], made: list[str]
) -> None:
    write(store)
    assert write(store, files, base=release(store)) == made
    with_old = store.read(FILE)
    assert write(store, files) == [*files]
    assert store.read(FILE) == with_old


def test_what_is_decided_about_a_piece_and_the_code_make_it_anew(store: LocalFolder) -> None:
    write(store)
    base = release(store)
    assert write(store, base=base, decided={"p_2.csv": "otherwise"}) == ["p_2.csv"]
    assert write(store, base=base, version="2") == [*FILES]


def test_a_release_that_is_damaged_or_lists_no_pieces_gives_none(store: LocalFolder) -> None:
    write(store)
    base = release(store)
    path = store.local_copy(base.name(FILE))
    whole = path.read_bytes()
    path.write_bytes(whole[:40] + bytes([whole[40] ^ 1]) + whole[41:])
    assert write(store, base=base) == [*FILES]
    store.delete(base.name(FILE))
    assert write(store, base=base) == [*FILES]
    pl.read_parquet(store.local_copy(FILE)).write_parquet(store.local_copy(FILE))
    assert write(store, base=release(store)) == [*FILES]


def test_keys_differ_across_pieces(store: LocalFolder) -> None:
    write(store, {"p_1.csv": "one"})
    written = store.read(FILE)
    with pytest.raises(ContractBrokenError, match="primary_key"):
        write(store, {"p_1.csv": "one", "p_2.csv": "one"}, base=release(store))
    assert store.read(FILE) == written
