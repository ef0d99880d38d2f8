"""A dataset of BigQuery's emulator, and what tests do with it."""

from __future__ import annotations

import io
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from google.cloud import bigquery

from drug_assets.sources.tables import TABLES
from drug_assets.storage.google import table_schema
from drug_assets.storage.google.tables import schema_fields
from drug_assets.warehouse_sql.deploy import deploy

if TYPE_CHECKING:
    import polars as pl

    from drug_assets_tests.support.emulators import BigQueryEmulator

#: Types of query parameters, by the first word of their name.
_TYPES = {"atc": "STRING", "date": "DATE", "drug": "STRING", "exclude": "BOOL", "with": "BOOL"}


@dataclass(frozen=True)
class Dataset:
    """A dataset of BigQuery and what tests do with it."""

    client: bigquery.Client
    project: str
    name: str

    @classmethod
    def made(cls, emulator: BigQueryEmulator, name: str) -> Dataset:
        """A dataset with the pipeline's tables, empty."""
        dataset = cls(emulator.client(), emulator.project, name)
        dataset.client.create_dataset(name)
        for table in ("drugs", "mentions", "journal_drugs", "top_journal", "trial_publications"):
            dataset.load(table, TABLES[table].contract.create_empty())
        columns = schema_fields(table_schema.declare_releases())
        releases = f"{emulator.project}.{name}.{table_schema.RELEASES}"
        dataset.client.create_table(bigquery.Table(releases, schema=columns))
        return dataset

    def rows(self, query: str, **parameters: Any) -> list[dict[str, Any]]:
        """The rows of a query in which `{name}` stands for a table or function of the dataset.

        Parameters are DATE, STRING or BOOL, told by the first word of their name.
        """
        given = [
            bigquery.ScalarQueryParameter(name, _TYPES[name.partition("_")[0]], value)
            for name, value in parameters.items()
        ]
        statement = re.sub(r"\{(\w+)\}", rf"`{self.project}.{self.name}.\1`", query)
        job = self.client.query(
            statement, job_config=bigquery.QueryJobConfig(query_parameters=given)
        )
        return [dict(row) for row in job.result(timeout=600)]

    def load(self, table: str, frame: pl.DataFrame) -> None:
        """Load rows of a contract as the table of that name."""
        fields = table_schema.make_schema_fields(TABLES[table].contract)
        parquet_options = bigquery.ParquetOptions()  # type: ignore[no-untyped-call]
        parquet_options.enable_list_inference = True
        config = bigquery.LoadJobConfig(
            source_format=bigquery.SourceFormat.PARQUET,
            schema=[bigquery.SchemaField.from_api_repr(dict(field)) for field in fields],
            parquet_options=parquet_options,
            write_disposition=bigquery.WriteDisposition.WRITE_TRUNCATE,
        )
        parquet = io.BytesIO()
        TABLES[table].contract.validate(frame, cast=True).write_parquet(parquet)
        parquet.seek(0)
        self.client.load_table_from_file(
            parquet, f"{self.project}.{self.name}.{table}", job_config=config
        ).result(timeout=600)

    def deploy(self) -> list[str]:
        """What `drug-assets deploy-sql` does."""
        return deploy(self.client, self.project, self.name)
