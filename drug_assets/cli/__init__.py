"""The command line (SPEC 8): one module per group of commands, added here.

Only click is imported at the top; each command imports the rest itself, so that a question is
answered without loading Polars or Dagster. Exit codes: 0 success, 1 a step or a blocking check
failed, 2 wrong usage or configuration.
"""

from __future__ import annotations

from typing import Any

import click

from drug_assets.cli.common import USAGE, stop
from drug_assets.cli.comparing import diff
from drug_assets.cli.ending import interrupted_by_sigterm
from drug_assets.cli.exploring import explore
from drug_assets.cli.exporting import export
from drug_assets.cli.fetching import fetch
from drug_assets.cli.listing import drugs, journals, mentions, rejected, trace
from drug_assets.cli.measuring import accuracy
from drug_assets.cli.questions import names, related_drugs, top_journal
from drug_assets.cli.releases import list_releases, rollback
from drug_assets.cli.running import run
from drug_assets.cli.serving import serve
from drug_assets.cli.warehouse import deploy_sql
from drug_assets.errors import DrugAssetsError
from drug_assets.settings import Settings, SettingsError

__all__ = ["USAGE", "main"]


class _Commands(click.Group):
    """Commands that print a `DrugAssetsError` as one line and exit: 2 for settings, 1 otherwise."""

    def main(self, *arguments: Any, **options: Any) -> Any:
        with interrupted_by_sigterm():
            return super().main(*arguments, **options)

    def invoke(self, ctx: click.Context) -> object:
        try:
            return super().invoke(ctx)
        except SettingsError as error:
            stop(str(error), USAGE)
        except DrugAssetsError as error:
            stop(str(error), 1)
        except OSError as error:
            from drug_assets.storage.disk_errors import explain_disk_error

            explained = explain_disk_error(error, Settings.of().store)
            if explained is None:
                raise
            stop(str(explained), 1)


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="drug_assets")
def main() -> None:
    """Who writes about our drugs, where, since when."""


for _command in (
    run,
    top_journal,
    related_drugs,
    mentions,
    drugs,
    journals,
    rejected,
    trace,
    names,
    explore,
    export,
    list_releases,
    diff,
    rollback,
    fetch,
    accuracy,
    serve,
    deploy_sql,
):
    main.add_command(_command)
