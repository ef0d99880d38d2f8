"""The rejected rows: which are listed, and why they were rejected."""

from __future__ import annotations

import pytest

from drug_assets.answers.finding import UnknownNameError
from drug_assets.answers.rejections import list_rejected
from drug_assets_tests.support.tables import TablesInMemory, rows_of

ROWS = [
    ("pubmed", "2024/pubmed.csv", 3, ["blank_row", "blank_title"]),
    ("pubmed", "2024/pubmed.csv", 9, ["blank_title"]),
    ("pubmed", "2025/pubmed.csv", 1, ["blank_row"]),
    ("drugs", "drugs.csv", 1, ["of an earlier version"]),
]


def tables() -> TablesInMemory:
    columns = ("source", "source_file", "source_row", "reasons")
    rows = [{**dict(zip(columns, row, strict=True)), "record": "{}"} for row in ROWS]
    files = {row[1] for row in ROWS} | {"clinical_trials.csv"}
    landed = [{"source_file": file, "size_bytes": 1, "raw_rows": 9} for file in files]
    return TablesInMemory(
        rejected_records=rows_of("rejected_records", rows),
        landed_files=rows_of("landed_files", landed),
    )


def test_all_rejected_rows_are_listed_and_counted_by_their_first_reason() -> None:
    answer = list_rejected(tables())
    assert answer.rows.equals(tables().table("rejected_records").collect())
    assert (answer.files, answer.total) == (None, 4)
    assert list(answer.reasons.items()) == [
        ("blank_row", 2),
        ("blank_title", 1),
        ("of an earlier version", 1),
    ]


@pytest.mark.parametrize(
    ("asked", "files", "rows"),
    [
        ("2024/pubmed.csv", ["2024/pubmed.csv"], [3, 9]),
        ("pubmed.csv", ["2024/pubmed.csv", "2025/pubmed.csv"], [3, 9, 1]),
        ("drugs.csv", ["drugs.csv"], [1]),
        ("clinical_trials.csv", ["clinical_trials.csv"], []),
    ],
)
def test_a_file_is_named_by_its_path_or_the_end_of_it(
    asked: str, files: list[str], rows: list[int]
) -> None:
    answer = list_rejected(tables(), asked)
    assert (answer.files, answer.rows["source_row"].to_list()) == (files, rows)
    assert answer.total == sum(answer.reasons.values()) == len(rows)


def test_few_are_listed_and_all_are_counted() -> None:
    answer = list_rejected(tables(), limit=1)
    assert (answer.rows.height, answer.total) == (1, 4)
    assert answer.as_answer().as_object()["reasons"]["blank_row"] == 2


@pytest.mark.parametrize("asked", ["pubmedd.csv", "med.csv"])
def test_of_an_unknown_file_close_spellings_are_told(asked: str) -> None:
    with pytest.raises(UnknownNameError, match=r"close spellings: .*pubmed\.csv"):
        list_rejected(tables(), asked)
