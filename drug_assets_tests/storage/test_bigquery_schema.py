"""BigQuery's declarations are what the contracts say, and Terraform's file is those."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import dataframely as dy
import pytest

from drug_assets.contracts import TABLES
from drug_assets.storage import bigquery_schema

ROOT = Path(__file__).parents[2]
TABLES_JSON = "deploy/terraform/modules/bigquery/tables.json"
COMMAND = f"python -m drug_assets.storage.bigquery_schema > {TABLES_JSON}"


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
    assert bigquery_schema.schema_fields(Everything) == [
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
            bigquery_schema.schema_fields(contract)


def test_every_contract_has_a_declaration_with_its_columns() -> None:
    for name, contract in TABLES.items():
        declared = bigquery_schema.table_declaration(name)
        columns = [field["name"] for field in declared["schema"]]
        assert columns == list(contract.columns())
        assert 1 <= len(declared["clustering"]) <= 4
        assert set(declared["clustering"]) <= set(columns)
        assert declared["partition_by_month"] == ("date" if "date" in _date_columns(name) else None)
        assert declared["description"]
        assert all(field["description"] for field in declared["schema"])


def test_published_tables_are_all_but_the_pipelines_inside() -> None:
    published = bigquery_schema.published_tables()
    assert set(published) == set(TABLES) - bigquery_schema.UNPUBLISHED
    assert {"mentions", "drugs", "pubmed", "clinical_trials"} <= set(published)
    assert set(bigquery_schema.CLUSTERING) <= set(TABLES)


def test_terraform_creates_the_tables_of_the_contracts() -> None:
    written = subprocess.run(
        [sys.executable, "-m", "drug_assets.storage.bigquery_schema"],
        capture_output=True,
        check=True,
        cwd=ROOT,
    ).stdout
    committed = (ROOT / TABLES_JSON).read_bytes()
    assert json.loads(committed) == json.loads(written), f"contracts changed: {COMMAND}"
    assert committed == written, f"not as the command writes it: {COMMAND}"


def test_no_google_module_is_needed() -> None:
    check = (
        "import sys, drug_assets.storage.bigquery_schema;"
        "sys.exit(any(name.split('.')[0] == 'google' for name in sys.modules))"
    )
    assert subprocess.run([sys.executable, "-c", check], check=False, cwd=ROOT).returncode == 0


def _date_columns(name: str) -> set[str]:
    return {
        column for column, declared in TABLES[name].columns().items() if type(declared) is dy.Date
    }
