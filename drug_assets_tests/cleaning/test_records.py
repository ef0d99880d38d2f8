"""Raw rows -> records: each row by itself, so that a file's records depend on that file alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from drug_assets import sources
from drug_assets_tests.support.raw import (
    Row,
    drug_tables,
    publication_tables,
    pubmed_rows,
    raw_rows,
    trial_rows,
)
from drug_assets_tests.support.registry import CLINICAL_TRIALS, DRUGS, PUBMED

if TYPE_CHECKING:
    from drug_assets.sources import Source

TABLES = st.one_of(
    st.tuples(st.just(DRUGS), drug_tables()),
    *(st.tuples(st.just(s), publication_tables(s)) for s in sources.PUBLICATIONS),
)


def records(source: Source, *rows: Row) -> list[Row]:
    """The records of rows; they keep their contract."""
    found = source.clean_records(raw_rows(source, *rows))
    source.contracts().records.validate(found)
    return found.collect().to_dicts()


@settings(max_examples=12, deadline=None)
@given(TABLES)
def test_no_other_row_makes_a_difference(table: tuple[Source, list[Row]]) -> None:
    source, rows = table
    assert records(source, *rows) == [record for row in rows for record in records(source, row)]


@pytest.mark.parametrize("source", sources.ALL, ids=lambda source: source.name)
def test_no_rows_are_no_records(source: Source) -> None:
    assert records(source) == []


@pytest.mark.parametrize(
    ("written", "version"),
    [(None, 0), ("", 0), ("x", 0), ("1", 1), ("12", 12), ("-1", 0), ("1000", 1000)],
)
def test_the_version_of_a_pubmed_record(written: str | None, version: int) -> None:
    (record,) = PUBMED.clean_records(pubmed_rows({"version": written})).collect().to_dicts()
    assert record["version"] == version


def test_trials_have_no_versions() -> None:
    (record,) = CLINICAL_TRIALS.clean_records(trial_rows({"title": "T"})).collect().to_dicts()
    assert record["version"] == 0


def test_what_a_row_says_of_its_journal_is_kept_as_written() -> None:
    written = {"journal": " Lancet. ", "nlm_id": "7 ", "issn": "1234567x"}
    (record,) = PUBMED.clean_records(pubmed_rows({"title": "T", **written})).collect().to_dicts()
    assert {field: record[f"given_{field}"] for field in written} == written
