"""A dataset of BigQuery's emulator, and what tests do with it."""

from __future__ import annotations

import io
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from google.cloud import bigquery

from drug_assets import contracts
from drug_assets.storage import bigquery_schema
from drug_assets.storage.sql import deploy

if TYPE_CHECKING:
    import polars as pl


@dataclass(frozen=True)
class Dataset:
    """A dataset of BigQuery and what tests do with it."""

    client: bigquery.Client
    project: str
    name: str

    def rows(self, query: str, **parameters: Any) -> list[dict[str, Any]]:
        """The rows of a query in which `{name}` stands for a table or function of the dataset.

        Parameters are DATE or STRING, told by their name: `date_*` is a DATE.
        """
        given = [
            bigquery.ScalarQueryParameter(
                name, "DATE" if name.startswith("date") else "STRING", value
            )
            for name, value in parameters.items()
        ]
        statement = re.sub(r"\{(\w+)\}", rf"`{self.project}.{self.name}.\1`", query)
        job = self.client.query(
            statement, job_config=bigquery.QueryJobConfig(query_parameters=given)
        )
        return [dict(row) for row in job.result(timeout=30)]

    def load(self, table: str, frame: pl.DataFrame) -> None:
        """Load rows of a contract as the table of that name."""
        fields = bigquery_schema.schema_fields(contracts.TABLES[table])
        parquet_options = bigquery.ParquetOptions()  # type: ignore[no-untyped-call]
        parquet_options.enable_list_inference = True
        config = bigquery.LoadJobConfig(
            source_format=bigquery.SourceFormat.PARQUET,
            schema=[bigquery.SchemaField.from_api_repr(dict(field)) for field in fields],
            parquet_options=parquet_options,
            write_disposition=bigquery.WriteDisposition.WRITE_TRUNCATE,
        )
        parquet = io.BytesIO()
        contracts.TABLES[table].validate(frame, cast=True).write_parquet(parquet)
        parquet.seek(0)
        self.client.load_table_from_file(
            parquet, f"{self.project}.{self.name}.{table}", job_config=config
        ).result(timeout=30)

    def deploy(self) -> list[str]:
        """What `drug-assets deploy-sql` does."""
        return deploy(self.client, self.project, self.name)
