"""What the commands share: printing, exit codes, options (SPEC 8)."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, NoReturn

import click

from drug_assets.wording import printable, printable_json

if TYPE_CHECKING:
    from drug_assets.settings import Settings
    from drug_assets.storage.commit import Warehouse

#: Exit code for wrong usage or configuration.
USAGE = 2


def stop(message: str, code: int) -> NoReturn:
    """End the command with a message on stderr and an exit code."""
    echo(f"drug-assets: {message}", err=True)
    sys.exit(code)


def echo(text: str, *, err: bool = False) -> None:
    """Print a text that may hold names and titles: a terminal shows them, and obeys nothing."""
    click.echo(printable(text, lines=True), err=err)


def echo_json(answer: object) -> None:
    """Print an answer as JSON."""
    import json

    click.echo(printable_json(json.dumps(answer, ensure_ascii=False, indent=2)))


def open_warehouse_of(settings: Settings) -> Warehouse | None:
    """The warehouse that the settings name, if there is one."""
    if settings.environment != "bigquery":
        return None
    from drug_assets.storage.places import open_warehouse

    return open_warehouse(
        settings.bigquery_project, settings.bigquery_dataset, settings.bigquery_location
    )


store_option = click.option(
    "--store", metavar="DIR_OR_URI", help="The store. [DRUG_ASSETS_STORE; output]"
)
release_option = click.option(
    "--release", metavar="ID", help="A release of the store. [the current one]"
)
json_option = click.option("--json", "as_json", is_flag=True, help="Answer as JSON.")
