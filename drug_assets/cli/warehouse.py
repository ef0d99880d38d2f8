"""The command about the warehouse: deploy-sql (SPEC 8)."""

from __future__ import annotations

import click

from drug_assets.cli.common import echo
from drug_assets.settings import Settings, SettingsError


@click.command("deploy-sql")
@click.option("--sales-dataset", help="Dataset of the sales tables. [the same]")
@click.option(
    "--descriptions",
    is_flag=True,
    help="Only describe the columns of the views that Terraform has made.",
)
def deploy_sql(sales_dataset: str | None, *, descriptions: bool) -> None:
    """Make the views and functions of the package in BigQuery."""
    settings = Settings.of()
    if settings.bigquery_project is None or settings.bigquery_dataset is None:
        raise SettingsError(
            "set DRUG_ASSETS_BIGQUERY_PROJECT and DRUG_ASSETS_BIGQUERY_DATASET to say where"
        )
    from drug_assets.storage.google.client import bigquery_client
    from drug_assets.warehouse_sql.deploy import deploy, describe

    client = bigquery_client(settings.bigquery_project)
    if descriptions:
        for name in describe(client, settings.bigquery_project, settings.bigquery_dataset):
            echo(name)
        return
    made = deploy(
        client,
        settings.bigquery_project,
        settings.bigquery_dataset,
        sales_dataset=sales_dataset,
        location=settings.bigquery_location,
    )
    for name in made:
        echo(name)
