"""The statements of `sql/` run in a BigQuery dataset: tables, functions, views, table functions.

What they compute stands in the files. Loading the pipeline's tables, which they read, belongs to
`bigquery`. Google modules are imported inside the functions only.
"""

from __future__ import annotations

from pathlib import Path
from string import Template
from typing import TYPE_CHECKING

from drug_assets.storage.objects import StorageError

if TYPE_CHECKING:
    from google.cloud import bigquery

#: `sql/` of the checkout this package is in.
FOLDER = Path(__file__).parents[2] / "sql"
#: Its folders, in an order in which each statement finds what it refers to: BigQuery looks for
#: tables and functions when a view or table function is created.
KINDS = ("tables", "functions", "views", "table_functions")
#: The pipeline's tables that the statements read.
READ_TABLES = frozenset({"drugs", "journal_drugs", "mentions"})

_SECONDS = 120.0


def statements(
    project: str, dataset: str, *, sales_dataset: str | None = None, folder: Path = FOLDER
) -> dict[str, str]:
    """Every statement by the path of its file below the folder, placeholders filled, in order.

    Args:
        project: Project of both datasets.
        dataset: Dataset of the pipeline's tables; views and functions are made there.
        sales_dataset: Dataset of `TRANSACTIONS` and `PRODUCT_NOMENCLATURE`, the same if not given.
        folder: Where the files lie.

    Raises:
        StorageError: There are no such files, or one has a placeholder that nothing fills.
    """
    files = [file for kind in KINDS for file in sorted((folder / kind).glob("*.sql"))]
    if not files:
        raise StorageError(
            f"there are no SQL files below {folder}: run this in a checkout, or name its sql folder"
        )
    values = {"project": project, "dataset": dataset, "sales_dataset": sales_dataset or dataset}
    filled = {}
    for file in files:
        name = file.relative_to(folder).as_posix()
        try:
            filled[name] = Template(file.read_text(encoding="utf-8")).substitute(values)
        except (KeyError, ValueError) as error:
            raise StorageError(
                f"{file}: {error} is not a placeholder; there are "
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
    folder: Path = FOLDER,
) -> list[str]:
    """Make the views, functions and sales tables, each replacing the one before; names in order.

    Running it again changes nothing but the views and functions whose file changed; tables that are
    there stay as they are. It stops at the first statement that fails: those before it stand.

    Args:
        client: BigQuery.
        project: See `statements`.
        dataset: See `statements`. It must exist, with the pipeline's tables in it.
        sales_dataset: See `statements`. It must exist.
        location: Where the datasets lie; BigQuery finds out itself if not given.
        folder: See `statements`.

    Raises:
        StorageError: A statement failed, with what a person can do about it.
    """
    from google.api_core.exceptions import Forbidden, GoogleAPIError

    _require_tables(client, project, dataset)
    deployed = []
    for name, statement in statements(
        project, dataset, sales_dataset=sales_dataset, folder=folder
    ).items():
        try:
            client.query(statement, location=location, timeout=_SECONDS).result(timeout=_SECONDS)
        except Forbidden as error:
            raise StorageError(
                f"sql/{name} was refused: {_said(error)}. It takes the roles BigQuery Job User on "
                f"{project} and BigQuery Data Editor on {project}.{dataset}"
            ) from error
        except (GoogleAPIError, TimeoutError) as error:
            raise StorageError(f"sql/{name} failed: {_said(error)}") from error
        deployed.append(name.removesuffix(".sql"))
    return deployed


def _require_tables(client: bigquery.Client, project: str, dataset: str) -> None:
    """Look for what the views and functions read, before any of them is made."""
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
            f"{project}.{dataset} may not be listed: {_said(error)}. It takes the role BigQuery "
            "Data Editor there"
        ) from error
    except (GoogleAPIError, TimeoutError) as error:
        raise StorageError(f"{project}.{dataset} cannot be listed: {_said(error)}") from error
    if missing := sorted(READ_TABLES - found):
        raise StorageError(f"{project}.{dataset} has no tables {', '.join(missing)}: {remedy}")


def _said(error: Exception) -> str:
    """What BigQuery said, without the address of the job, which it adds in further lines."""
    return str(getattr(error, "message", error)).partition("\n")[0]
