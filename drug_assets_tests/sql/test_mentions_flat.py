"""The view for Looker Studio: every mention once, nothing nested."""

from __future__ import annotations

import datetime as dt
import re
from typing import TYPE_CHECKING

import pytest

from drug_assets_tests.support.publishing import Publishing
from drug_assets_tests.support.runs import REPOSITORY

if TYPE_CHECKING:
    from drug_assets_tests.support.dataset import Dataset

LOOKER_STUDIO = REPOSITORY / "docs" / "looker_studio.md"
#: What Looker Studio calls the types of BigQuery.
TYPES = {"STRING": "Text", "DATE": "Date", "INTEGER": "Number", "BOOLEAN": "Boolean"}


def rows_of_tables() -> list[list[str]]:
    """The cells of the tables in the document of Looker Studio."""
    lines = LOOKER_STUDIO.read_text("utf-8").splitlines()
    return [
        [cell.strip() for cell in line.strip().strip("|").split("|")]
        for line in lines
        if line.lstrip().startswith("|")
    ]


@pytest.fixture(scope="module")
def flat(dataset: Dataset) -> Dataset:
    dataset.deploy()
    publishing = Publishing()
    aspirin = publishing.drug("ASPIRIN", atc=("B01AC06", "N02BA01"))
    plain = publishing.drug("PLAIN")
    publishing.mention(aspirin, "Lancet", date="2021-04-05", times=3, retracted=True)
    publishing.mention(aspirin, "Lancet", date="2021-05-01", precision="month")
    publishing.mention(plain, None, "clinical_trials", date="2021-03-01", precision="season")
    publishing.mention(plain, "Pain", date="1781-01-01", precision="year")
    publishing.mention(plain, "Pain", date=None, precision=None)
    publishing.load(dataset)
    return dataset


def test_a_mention_is_one_row_however_often_the_title_names_the_drug(flat: Dataset) -> None:
    (row,) = flat.rows("SELECT * FROM {mentions_flat} WHERE publication_id = 'p0'")
    assert row == {
        "drug_id": "aspirin",
        "drug": "ASPIRIN",
        "atc_codes": "B01AC06, N02BA01",
        "source": "pubmed",
        "publication_id": "p0",
        "title": "aspirin aspirin aspirin",
        "journal_id": "lancet",
        "journal": "Lancet",
        "date": dt.date(2021, 4, 5),
        "date_precision": "day",
        "year": 2021,
        "month": 4,
        "retracted": True,
        "occurrences": 3,
        "first_spelling": "aspirin",
    }


def test_no_mention_is_dropped_or_doubled(flat: Dataset) -> None:
    rows = flat.rows("SELECT publication_id FROM {mentions_flat} ORDER BY publication_id")
    assert [row["publication_id"] for row in rows] == ["p0", "p1", "p2", "p3", "p4"]


def test_year_and_month_are_given_as_far_as_they_are_known(flat: Dataset) -> None:
    rows = flat.rows("SELECT year, month FROM {mentions_flat} ORDER BY publication_id")
    assert [(row["year"], row["month"]) for row in rows] == [
        (2021, 4),
        (2021, 5),
        (2021, None),
        (1781, None),
        (None, None),
    ]


def test_a_drug_without_atc_code_has_blank_codes(flat: Dataset) -> None:
    rows = flat.rows("SELECT DISTINCT atc_codes FROM {mentions_flat} WHERE drug = 'PLAIN'")
    assert rows == [{"atc_codes": ""}]


def test_no_column_is_nested_or_repeated(flat: Dataset) -> None:
    job = flat.client.query(f"SELECT * FROM `{flat.project}.{flat.name}.mentions_flat`")  # noqa: S608
    columns = job.result(timeout=600).schema
    assert len(columns) > 1
    assert not [c.name for c in columns if c.mode == "REPEATED" or c.field_type == "RECORD"]


def test_the_report_of_looker_studio_knows_each_field_with_its_type(flat: Dataset) -> None:
    job = flat.client.query(f"SELECT * FROM `{flat.project}.{flat.name}.mentions_flat`")  # noqa: S608
    columns = [(column.name, column.field_type) for column in job.result(timeout=600).schema]
    fields = [(row[0].strip("`"), row[1], row[2]) for row in rows_of_tables() if row[1] in TYPES]
    assert fields == [(name, kind, TYPES[kind]) for name, kind in columns]
    formulas = {
        row[0].strip("`"): set(re.findall(r"\b[a-z_]+\b", re.sub(r'"[^"]*"', "", row[1])))
        for row in rows_of_tables()
        if "COUNT" in row[1]
    }
    assert len(formulas) > 1
    assert set().union(*formulas.values()) <= {name for name, _ in columns}
    used = {
        word
        for row in rows_of_tables()
        if len(row) == 6
        for cell in row[1:]
        for word in re.findall(r"`([a-z_]+)`", cell)
    }
    assert used
    assert used <= {name for name, _ in columns} | set(formulas)
