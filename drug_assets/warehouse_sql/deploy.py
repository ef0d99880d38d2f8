"""Runs the SQL files of this package in a BigQuery dataset, each after the objects that it uses.

The files themselves describe their queries. Loading the pipeline's tables, which they read, belongs
to `storage.google.dataset`. Google modules are imported inside the functions only.
"""

from __future__ import annotations

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
