"""What tests rely on: BigQuery loads from the bucket, failures end soon, no test goes outside."""

from __future__ import annotations

import io
import socket
from typing import TYPE_CHECKING

import polars as pl
import pytest
from google.cloud import bigquery

from drug_assets_tests.support import emulators, loopback
from drug_assets_tests.support.local_servers import LocalServerError

if TYPE_CHECKING:
    from pathlib import Path


def test_bigquery_loads_what_lies_in_the_bucket(
    gcs_emulator: emulators.GcsEmulator, bigquery_emulator: emulators.BigQueryEmulator
) -> None:
    """Even with a field `end`, which the emulator alone would refuse."""
    spans = [[{"start": 1, "end": 5}], []]
    parquet = io.BytesIO()
    pl.DataFrame({"spans": spans}).write_parquet(parquet)
    bucket = gcs_emulator.client().create_bucket("emulators")
    bucket.blob("a folder/spans.parquet").upload_from_string(parquet.getvalue())
    client = bigquery_emulator.client()
    client.create_dataset("emulators")
    options = bigquery.ParquetOptions()  # type: ignore[no-untyped-call]
    options.enable_list_inference = True
    fields = [bigquery.SchemaField(name, "INT64", "REQUIRED") for name in ("start", "end")]
    client.load_table_from_uri(
        "gs://emulators/a folder/spans.parquet",
        f"{bigquery_emulator.project}.emulators.spans",
        job_config=bigquery.LoadJobConfig(
            source_format=bigquery.SourceFormat.PARQUET,
            schema=[bigquery.SchemaField("spans", "RECORD", "REPEATED", fields=fields)],
            parquet_options=options,
        ),
    ).result(timeout=600)
    rows = client.query(
        "SELECT spans, (SELECT SUM(s.`end`) FROM UNNEST(spans) AS s) AS ends FROM emulators.spans"
    ).result(timeout=600)
    assert [(row["spans"], row["ends"]) for row in rows] == [(spans[0], 5), (spans[1], None)]


def test_a_missing_environment_says_what_makes_it(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv(emulators.BIGQUERY_ENVIRONMENT, str(tmp_path))
    with (
        pytest.raises(LocalServerError, match=r"make bqemulator"),
        emulators.running_bigquery(tmp_path),
    ):
        pass


@pytest.mark.emulator
def test_a_dead_emulator_is_no_fault_to_be_tried_again() -> None:
    with emulators.running_gcs() as emulator:
        client = emulator.client()
        emulator.server.process.kill()
        emulator.server.process.wait()
        with pytest.raises(LocalServerError, match="fake-gcs-server died"):
            client.create_bucket("late")


def test_no_test_reaches_another_machine() -> None:
    with pytest.raises(loopback.OutsideLoopbackError, match=r"192\.0\.2\.1"):
        socket.create_connection(("192.0.2.1", 80), timeout=1)
    with pytest.raises(loopback.OutsideLoopbackError, match=r"metadata\.invalid"):
        socket.getaddrinfo("metadata.invalid", 80)
