"""Runs the SQL files of this package in a BigQuery dataset, each after the objects that it uses.

Views that Terraform made from these files lack the descriptions of their columns, which `describe`
adds.

The files themselves describe their queries. Loading the pipeline's tables, which they read, belongs
to `storage.google.dataset`. Google modules are imported inside the functions only.
"""

from __future__ import annotations

import re
from importlib import resources
from string import Template
from typing import TYPE_CHECKING

from drug_assets.storage.objects import StorageError

if TYPE_CHECKING:
    from importlib.resources.abc import Traversable

    from google.cloud import bigquery

#: The folder of the files: beside this module, both in a checkout and in an installed package.
FOLDER: Traversable = resources.files("drug_assets.warehouse_sql")
#: Its subfolders, in order of dependency: BigQuery looks up the tables and functions of a view or
#: table function when it is created. `function_views` read table functions or other views.
KINDS = ("tables", "functions", "views", "table_functions", "function_views")
#: The pipeline's tables that the statements read.
READ_TABLES = frozenset({"drugs", "journal_drugs", "mentions", "releases", "trial_publications"})

_SECONDS = 120.0


def fill_statements(
    project: str, dataset: str, *, sales_dataset: str | None = None
) -> dict[str, str]:
    """Fill the placeholders of every statement; in the order of `KINDS`, ready to run.

    Args:
        project: Project of both datasets.
        dataset: Dataset of the pipeline's tables; views and functions are created there.
        sales_dataset: Dataset of `TRANSACTIONS` and `PRODUCT_NOMENCLATURE`, the same if not given.

    Returns:
        Statements by the path of their file, such as `views/mentions_flat.sql`.

    Raises:
        StorageError: A file has an unknown placeholder.
    """
    values = {"project": project, "dataset": dataset, "sales_dataset": sales_dataset or dataset}
    filled = {}
    for kind in KINDS:
        for file in sorted((FOLDER / kind).iterdir(), key=lambda file: file.name):
            name = f"{kind}/{file.name}"
            try:
                filled[name] = Template(file.read_text(encoding="utf-8")).substitute(values)
            except (KeyError, ValueError) as error:
                raise StorageError(
                    f"{name}: {error} is not a placeholder; there are "
                    + ", ".join(f"${{{value}}}" for value in values)
                    + ", and a dollar sign is written $$"
                ) from error
    return filled


def deploy(
    client: bigquery.Client,
    project: str,
    dataset: str,
    *,
    sales_dataset: str | None = None,
    location: str | None = None,
) -> list[str]:
    """Create or replace the views and functions, and create missing sales tables.

    A second call changes only the views and functions whose file changed; existing tables stay as
    they are. It stops at the first statement that fails; the effects of those before it stay.

    Args:
        client: The BigQuery client.
        project: See `fill_statements`.
        dataset: See `fill_statements`. It must exist, with the pipeline's tables in it.
        sales_dataset: See `fill_statements`. It must exist.
        location: Location of the datasets; BigQuery finds it itself if not given.

    Returns:
        The names of the statements, in the order in which they ran.

    Raises:
        StorageError: A statement failed; the message tells a person what to do.
    """
    from google.api_core.exceptions import Forbidden, GoogleAPIError

    _require_tables(client, project, dataset)
    deployed = []
    for name, statement in fill_statements(project, dataset, sales_dataset=sales_dataset).items():
        try:
            client.query(statement, location=location, timeout=_SECONDS).result(timeout=_SECONDS)
        except Forbidden as error:
            raise StorageError(
                f"{name} was refused: {_describe_error(error)}. It takes the roles BigQuery Job "
                f"User on {project} and BigQuery Data Editor on {project}.{dataset}"
            ) from error
        except (GoogleAPIError, TimeoutError) as error:
            raise StorageError(f"{name} failed: {_describe_error(error)}") from error
        deployed.append(name.removesuffix(".sql"))
    return deployed


def describe(client: bigquery.Client, project: str, dataset: str) -> list[str]:
    """Give the columns of the views that are there the descriptions that their files have.

    Queries and types stay as they are. Terraform makes the same views without these descriptions:
    its provider would need the type of each column, which follows from tables of others, and
    BigQuery drops the descriptions whenever the query of a view changes.

    Args:
        client: The BigQuery client.
        project: See `fill_statements`.
        dataset: See `fill_statements`.

    Returns:
        The names of the views whose descriptions changed.

    Raises:
        StorageError: A view cannot be read or changed; the message tells a person what to do.
    """
    from google.api_core.exceptions import Forbidden, GoogleAPIError, NotFound

    described = []
    for name, statement in fill_statements(project, dataset).items():
        if not (texts := _column_descriptions(statement)):
            continue
        view = name.rpartition("/")[2].removesuffix(".sql")
        try:
            if _describe_columns(client, f"{project}.{dataset}.{view}", texts):
                described.append(view)
        except NotFound:
            continue
        except Forbidden as error:
            raise StorageError(
                f"the view {view} may not be described: {_describe_error(error)}. It takes the "
                f"role BigQuery Data Editor on {project}.{dataset}"
            ) from error
        except (GoogleAPIError, TimeoutError) as error:
            raise StorageError(
                f"the view {view} cannot be described: {_describe_error(error)}"
            ) from error
    return described


def _column_descriptions(statement: str) -> dict[str, str]:
    """Column => its description, from the list of columns of a view."""
    columns = statement.partition("\nAS\n")[0].partition("` (\n")[2].partition("\n)\n")[0]
    return dict(
        re.findall(r"^  (\w+) OPTIONS \(\s*description = '([^']*)'\s*\)", columns, re.MULTILINE)
    )


def _describe_columns(client: bigquery.Client, view: str, texts: dict[str, str]) -> bool:
    """Set the descriptions of a view's columns; whether any was another one."""
    from google.cloud.bigquery import SchemaField

    found = client.get_table(view, timeout=_SECONDS)
    columns = [
        SchemaField.from_api_repr(
            {**column.to_api_repr(), "description": texts.get(column.name, column.description)}
        )
        for column in found.schema
    ]
    if columns == list(found.schema):
        return False
    found.schema = columns
    client.update_table(found, ["schema"], timeout=_SECONDS)
    return True


def _require_tables(client: bigquery.Client, project: str, dataset: str) -> None:
    """Raise if a table that the views and functions read is missing, before creating any."""
    from google.api_core.exceptions import Forbidden, GoogleAPIError, NotFound

    remedy = "`drug-assets run` with DRUG_ASSETS_ENV=bigquery makes them; then deploy"
    try:
        found = {
            table.table_id for table in client.list_tables(f"{project}.{dataset}", timeout=_SECONDS)
        }
    except NotFound as error:
        raise StorageError(
            f"BigQuery has no dataset {project}.{dataset} with the pipeline's tables: {remedy}"
        ) from error
    except Forbidden as error:
        raise StorageError(
            f"{project}.{dataset} may not be listed: {_describe_error(error)}. It takes the role "
            "BigQuery Data Editor there"
        ) from error
    except (GoogleAPIError, TimeoutError) as error:
        raise StorageError(
            f"{project}.{dataset} cannot be listed: {_describe_error(error)}"
        ) from error
    if missing := sorted(READ_TABLES - found):
        raise StorageError(f"{project}.{dataset} has no tables {', '.join(missing)}: {remedy}")


def _describe_error(error: Exception) -> str:
    """BigQuery's message without the address of the job, which it adds in further lines."""
    return str(getattr(error, "message", error)).partition("\n")[0]
