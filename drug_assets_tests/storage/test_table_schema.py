"""BigQuery's declarations are what the contracts say."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import dataframely as dy
import pytest

from drug_assets.sources.tables import TABLES
from drug_assets.storage.google import table_schema

ROOT = Path(__file__).parents[2]


class Everything(dy.Schema):
    key = dy.String(primary_key=True, description="The key.")
    day = dy.Date(nullable=True)
    count = dy.Int64(nullable=True)
    known = dy.Bool()
    share = dy.Float64(nullable=True)
    codes = dy.List(dy.String(nullable=False), nullable=False)
    spans = dy.List(
        dy.Struct({"start": dy.Int64(nullable=False)}, nullable=False),
        nullable=False,
        description="Where.",
    )
    place = dy.Struct({"row": dy.Int64(nullable=True)}, nullable=True)


def test_types_and_modes() -> None:
    assert table_schema.make_schema_fields(Everything) == [
        {"name": "key", "type": "STRING", "mode": "REQUIRED", "description": "The key."},
        {"name": "day", "type": "DATE", "mode": "NULLABLE"},
        {"name": "count", "type": "INT64", "mode": "NULLABLE"},
        {"name": "known", "type": "BOOL", "mode": "REQUIRED"},
        {"name": "share", "type": "FLOAT64", "mode": "NULLABLE"},
        {"name": "codes", "type": "STRING", "mode": "REPEATED"},
        {
            "name": "spans",
            "type": "RECORD",
            "mode": "REPEATED",
            "fields": [{"name": "start", "type": "INT64", "mode": "REQUIRED"}],
            "description": "Where.",
        },
        {
            "name": "place",
            "type": "RECORD",
            "mode": "NULLABLE",
            "fields": [{"name": "row", "type": "INT64", "mode": "NULLABLE"}],
        },
    ]


def test_what_bigquery_cannot_hold_is_refused_by_name() -> None:
    class NullableList(dy.Schema):
        codes = dy.List(dy.String(), nullable=True)

    class ListOfLists(dy.Schema):
        codes = dy.List(dy.List(dy.String(), nullable=False), nullable=False)

    class Duration(dy.Schema):
        length = dy.Duration()

    for contract, said in (
        (NullableList, "codes: a nullable list"),
        (ListOfLists, "codes: BigQuery has no list of lists"),
        (Duration, "length: Duration"),
    ):
        with pytest.raises(TypeError, match=said):
            table_schema.make_schema_fields(contract)


def test_every_contract_has_a_declaration_with_its_columns() -> None:
    for name, table in TABLES.items():
        declared = table_schema.declare_table(name)
        columns = [field["name"] for field in declared["schema"]]
        assert columns == list(table.contract.columns())
        assert 1 <= len(declared["clustering"]) <= 4
        assert set(declared["clustering"]) <= set(columns)
        assert declared["partition_by_year"] == ("date" if "date" in _date_columns(name) else None)
        assert declared["description"]
        assert all(field["description"] for field in declared["schema"])


def test_published_tables_are_all_but_the_pipelines_inside() -> None:
    published = table_schema.declare_published_tables()
    assert set(published) == {name for name, table in TABLES.items() if table.published}
    assert {"mentions", "drugs", "pubmed", "clinical_trials"} <= set(published)
    inside = TABLES.keys() - published.keys()
    assert {"landed_files", "raw_drugs", "pubmed_records", "pubmed_drugs_named"} <= inside


def test_the_dataset_has_a_table_of_releases_besides() -> None:
    declared = table_schema.declare_dataset()
    assert declared.keys() == {*table_schema.declare_published_tables(), table_schema.RELEASES}
    releases = declared[table_schema.RELEASES]
    columns = {field["name"]: field for field in releases["schema"]}
    assert set(releases["clustering"]) <= columns.keys()
    described = [*releases["schema"], *columns["tables"]["fields"]]
    assert all(field["description"].endswith(".") for field in described)
    assert [name for name, field in columns.items() if field["mode"] == "NULLABLE"] == [
        "replaced_at"
    ]


@pytest.mark.processes
def test_no_google_module_is_needed() -> None:
    check = (
        "import sys, drug_assets.storage.google.table_schema;"
        "sys.exit(any(name.split('.')[0] == 'google' for name in sys.modules))"
    )
    assert subprocess.run([sys.executable, "-c", check], check=False, cwd=ROOT).returncode == 0


def _date_columns(name: str) -> set[str]:
    columns = TABLES[name].contract.columns()
    if not TABLES[name].published:
        return set()
    return {column for column, declared in columns.items() if type(declared) is dy.Date}
