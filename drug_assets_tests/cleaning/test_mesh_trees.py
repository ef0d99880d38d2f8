from __future__ import annotations

import polars as pl
import pytest

from drug_assets.cleaning.mesh_trees import DEFAULT, MeshTrees, MeshTreesError, mark_out_of_trees
from drug_assets_tests.support.raw import Row, drug_rows, pubmed_rows
from drug_assets_tests.support.registry import DRUGS, PUBMED


def reasons(*rows: Row, trees: str = DEFAULT) -> list[str | None]:
    """Why each row cannot be kept."""
    named = [{"drug": f"name {n}"} | row for n, row in enumerate(rows)]
    records = DRUGS.clean_records(drug_rows(*named))
    return mark_out_of_trees(records, MeshTrees.of(trees)).collect()["reason"].to_list()


def descriptor(numbers: str, ui: str = "D900001", **fields: str) -> Row:
    return {"id": ui, "mesh": ui, "tree_numbers": numbers, **fields}


def supplementary(mapped_to: str, ui: str = "C900001", **fields: str) -> Row:
    return {"id": ui, "mesh": ui, "mapped_to": mapped_to, **fields}


@pytest.mark.parametrize(
    ("numbers", "kept"),
    [
        ("D02", True),
        ("D02.355.291", True),
        ("C23.888|D03.633.100", True),
        ("D01.029", False),
        ("D027.100", False),
        ("D02.355|D12.644", False),
        ("D12.644", False),
        ("E05.196", False),
    ],
)
def test_a_descriptor_is_a_drug_by_its_trees(numbers: str, kept: bool) -> None:
    assert reasons(descriptor(numbers)) == [None if kept else "out_of_trees"]


@pytest.mark.parametrize(
    ("mapped_to", "kept"),
    [("D900001", True), ("D900002|D900001", True), ("D900002", False), ("D900009", False)],
)
def test_a_supplementary_record_is_one_by_what_it_is_mapped_to(mapped_to: str, kept: bool) -> None:
    rows = descriptor("D02.1"), descriptor("D12.1", "D900002"), supplementary(mapped_to)
    assert reasons(*rows)[2] == (None if kept else "out_of_trees")
    # It does not matter which comes first.
    assert reasons(*rows[::-1])[0] == (None if kept else "out_of_trees")


def test_a_rejected_descriptor_chooses_nothing() -> None:
    rows = descriptor("D02.1", drug=""), supplementary("D900001")
    assert reasons(*rows) == ["blank_name", "out_of_trees"]


def test_rows_of_other_lists_have_no_trees() -> None:
    assert reasons({"id": "1"}, {"id": "D900001", "mesh": "D900001"}) == [None, None]


def test_records_of_other_sources_stay_as_they_are() -> None:
    records = PUBMED.clean_records(pubmed_rows({"title": "On alpha"}))
    assert mark_out_of_trees(records, MeshTrees.of()) is records


@pytest.mark.parametrize(
    ("trees", "number", "kept"),
    [
        ("D02.355", "D02.355.291", True),
        ("D02.355", "D02.3556", False),
        ("D02.355", "D02.500", False),
        ("d", "D12.644", True),
        ("D -D12.644", "D12.644.1", False),
        ("D -D12.644", "D12.776", True),
        ("D02 -D02", "D02.1", False),
    ],
)
def test_other_trees_can_be_chosen(trees: str, number: str, kept: bool) -> None:
    assert reasons(descriptor(number), trees=trees) == [None if kept else "out_of_trees"]


@pytest.mark.parametrize("text", ["D2", "D02,D03", "D02 - D03", "D02.35", "D02.", "02", "+D02"])
def test_what_is_no_tree_is_refused(text: str) -> None:
    with pytest.raises(MeshTreesError, match="is no tree of MeSH: write trees such as"):
        MeshTrees.of(text)


@pytest.mark.parametrize("text", ["", " ", "-D02"])
def test_a_choice_of_nothing_is_refused(text: str) -> None:
    with pytest.raises(MeshTreesError, match="chooses no tree"):
        MeshTrees.of(text)


def test_choices_of_the_same_trees_have_one_digest() -> None:
    digest = MeshTrees.of("D02 D03 -D08").digest
    assert MeshTrees.of(" -d08 D03  D02 D02").digest == digest
    assert MeshTrees.of("D02 D03 D08").digest != digest
    assert MeshTrees.of().digest == MeshTrees.of(DEFAULT).digest


def test_a_row_without_numbers_is_in_no_tree() -> None:
    numbers = pl.DataFrame({"numbers": [[], ["D02"]]}, schema={"numbers": pl.List(pl.String)})
    chosen = numbers.select(MeshTrees.of().choose(pl.col("numbers")))
    assert chosen.to_series().to_list() == [False, True]
