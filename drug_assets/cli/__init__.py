"""What people type: run, ask, fetch, deploy (SPEC section 8).

Only click is imported here; each command imports what it needs, so that a question is answered
before Polars or Dagster could load. Exit codes: 0 all well, 1 a step or a blocking check failed,
2 wrong usage or configuration.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

import click

from drug_assets.settings import Settings, SettingsError

if TYPE_CHECKING:
    from datetime import datetime

    from drug_assets.questions import RelatedDrugs

USAGE = 2


class _Commands(click.Group):
    """Commands whose mistakes of configuration end in one line and exit code 2."""

    def invoke(self, ctx: click.Context) -> object:
        try:
            return super().invoke(ctx)
        except SettingsError as error:
            _stop(str(error), USAGE)


def _stop(message: str, code: int) -> NoReturn:
    click.echo(f"drug-assets: {message}", err=True)
    sys.exit(code)


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="drug_assets")
def main() -> None:
    """Who writes about our drugs, where, since when."""


@main.command()
@click.option("--landing", metavar="DIR_OR_URI", help="Landing zone. [DRUG_ASSETS_LANDING; data]")
@click.option("--store", metavar="DIR_OR_URI", help="Where outputs go. [DRUG_ASSETS_STORE; output]")
@click.option(
    "--only-if-changed",
    is_flag=True,
    help="Do nothing if the landing zone is what the last successful run saw.",
)
def run(landing: str | None, store: str | None, *, only_if_changed: bool) -> None:
    """Materialize everything, with its checks."""
    try:
        succeeded = _run(Settings.of(landing=landing, store=store), only_if_changed=only_if_changed)
    except SettingsError as error:
        if _logs_are_collected():
            from drug_assets import logs

            # A run that cannot begin is a failed one to whoever watches.
            logs.tell(logs.RUN_FAILED, f"no run was begun: {error}")
        raise
    sys.exit(0 if succeeded else 1)


def _run(settings: Settings, *, only_if_changed: bool) -> bool:
    """Whether all is well; a place that cannot be used is a mistake of configuration."""
    if only_if_changed and _is_unchanged(settings):
        said = f"Nothing changed in {settings.landing} since the last successful run."
        click.echo(said)
        if settings.log_format == "json":
            from drug_assets import logs

            # Whoever watches for successes must see that all is well.
            logs.tell(logs.RUN_SUCCEEDED, said)
        return True
    from drug_assets.cli.in_process import ConfigurationError, run_everything

    try:
        return run_everything(settings)
    except ConfigurationError as error:
        raise SettingsError(str(error)) from error


def _logs_are_collected() -> bool:
    """Whether logs are JSON, asked without settings: they may be what is wrong."""
    chosen = os.environ.get("DRUG_ASSETS_LOG_FORMAT", "").strip()
    on_cloud_run = "CLOUD_RUN_JOB" in os.environ or "K_SERVICE" in os.environ
    return chosen == "json" or (on_cloud_run and chosen != "text")


def _is_unchanged(settings: Settings) -> bool:
    from drug_assets.cleaning.stop_list import StopListError
    from drug_assets.rules import rules_in_force, stop_list_at
    from drug_assets.storage.objects import StorageError
    from drug_assets.storage.outputs import unchanged_since_release
    from drug_assets.storage.places import open_store, read_location

    try:
        zone = open_store(settings.landing, must_exist=True)
        rules = rules_in_force(stop_list_at(settings.stop_list, read_location))
        return unchanged_since_release(zone, open_store(settings.store), rules)
    except (StorageError, StopListError) as error:
        raise SettingsError(str(error)) from error


_graph = click.option(
    "--graph",
    metavar="PATH",
    help="The graph document. [graph.json of the store, DRUG_ASSETS_STORE]",
)
_json = click.option("--json", "as_json", is_flag=True, help="Answer as JSON.")


@main.command("top-journal")
@_graph
@_json
def top_journal(graph: str | None, *, as_json: bool) -> None:
    """The journals that mention the most different drugs."""
    from drug_assets import questions

    try:
        answers = questions.top_journals(_graph_path(graph))
    except (questions.NotAGraph, OSError) as error:
        _stop(str(error), 1)
    if as_json:
        _echo_json([answer._asdict() for answer in answers])
        return
    if not answers:
        click.echo("No journal mentions any drug.")
    for answer in answers:
        drugs = "drug" if answer.drug_count == 1 else "drugs"
        click.echo(f"{answer.journal}: {answer.drug_count} {drugs} ({', '.join(answer.drugs)})")


@main.command("related-drugs")
@click.argument("drug")
@click.option(
    "--exclude-trial-journals",
    is_flag=True,
    help="Leave out the journals that mention DRUG in a clinical trial.",
)
@_graph
@_json
def related_drugs(
    drug: str, graph: str | None, *, exclude_trial_journals: bool, as_json: bool
) -> None:
    """Drugs that share a PubMed journal with DRUG (any of its names, in any case)."""
    from drug_assets import questions

    try:
        answer = questions.related_drugs(
            _graph_path(graph), drug, exclude_trial_journals=exclude_trial_journals
        )
    except (questions.UnknownDrug, questions.NotAGraph, OSError) as error:
        _stop(str(error), 1)
    if as_json:
        _echo_json(_as_json(answer))
        return
    if not answer.related:
        click.echo(f"No drug shares a PubMed journal with {answer.drug}.")
    for related in answer.related:
        click.echo(f"{related.drug} (in {'; '.join(related.journals)})")


@main.group()
def fetch() -> None:
    """Pull records from a public service into the landing zone."""


def _pull(source: str, name: str) -> None:
    """Declares the command that pulls from one service."""

    @fetch.command(name)
    @click.option("--query", required=True, help="What to ask for, in the service's own language.")
    @click.option("--landing", metavar="DIR_OR_URI", help="Landing zone. [DRUG_ASSETS_LANDING]")
    @click.option("--since", type=_DATE, help="Only records from this day on.")
    @click.option("--until", type=_DATE, help="Only records up to this day.")
    @click.option("--page-size", type=int, help="Records a file.")
    @click.option("--date-type", help="PubMed: the date that days go by: edat, pdat or mdat.")
    @_json
    def pull(
        query: str,
        landing: str | None,
        since: datetime | None,
        until: datetime | None,
        page_size: int | None,
        date_type: str | None,
        *,
        as_json: bool,
    ) -> None:
        from drug_assets.fetch import FetchError, FetchRequest, FetchRequestError
        from drug_assets.fetch import fetch as pulled
        from drug_assets.storage.destination import landing_destination

        settings = Settings.of(landing=landing)
        try:
            request = FetchRequest(
                source=source,
                query=query,
                since=since.date() if since else None,
                until=until.date() if until else None,
                page_size=page_size,
                date_type=date_type,
            )
            report = pulled(
                request,
                landing_destination(settings.landing),
                api_key=settings.ncbi_api_key if source == "pubmed" else None,
                email=settings.ncbi_email,
                base_url=settings.service_url(source),
            )
        except FetchRequestError as error:
            _stop(str(error), USAGE)
        except (FetchError, OSError) as error:
            _stop(f"{error} (the same command goes on where this one stopped)", 1)
        if as_json:
            _echo_json(report.as_json())
            return
        for warning in report.warnings:
            click.echo(f"warning: {warning}", err=True)
        click.echo(
            f"{report.records} records in {len(report.files)} files of {settings.landing}"
            + (f", {report.pages_resumed} of them there before" if report.resumed else "")
        )

    pull.__doc__ = f"Pull from {name}; an interrupted pull goes on where it stopped."
    pull.help = pull.__doc__


_DATE = click.DateTime(["%Y-%m-%d"])
_pull("clinical_trials", "clinical-trials")
_pull("pubmed", "pubmed")


@main.command("deploy-sql")
@click.option("--sales-dataset", help="Dataset of the sales tables. [the same]")
def deploy_sql(sales_dataset: str | None) -> None:
    """Make the views and functions of sql/ in BigQuery."""
    settings = Settings.of()
    if settings.bigquery_project is None or settings.bigquery_dataset is None:
        raise SettingsError(
            "set DRUG_ASSETS_BIGQUERY_PROJECT and DRUG_ASSETS_BIGQUERY_DATASET to say where"
        )
    from drug_assets.storage import sql
    from drug_assets.storage.bigquery import client_of
    from drug_assets.storage.objects import StorageError

    try:
        made = sql.deploy(
            client_of(settings.bigquery_project),
            settings.bigquery_project,
            settings.bigquery_dataset,
            sales_dataset=sales_dataset,
            location=settings.bigquery_location,
        )
    except StorageError as error:
        _stop(str(error), 1)
    for name in made:
        click.echo(name)


def _as_json(answer: RelatedDrugs) -> object:
    return {"drug": answer.drug, "related": [related._asdict() for related in answer.related]}


def _echo_json(answer: object) -> None:
    import json

    click.echo(json.dumps(answer, ensure_ascii=False, indent=2))


def _graph_path(given: str | None) -> Path:
    """The graph document to ask: the one given, else the store's."""
    if given is None:
        store = Settings.of().store
        given = f"{store.rstrip('/')}/graph.json"
    if given.startswith("gs://"):
        from drug_assets.storage.objects import StorageError
        from drug_assets.storage.places import open_store

        folder, _, name = given.rpartition("/")
        try:
            return open_store(folder).local_copy(name)
        except FileNotFoundError:
            _no_graph(given)
        except StorageError as error:
            _stop(str(error), USAGE)
    path = Path(given).expanduser()
    if not path.is_file():
        _no_graph(str(path))
    return path


def _no_graph(place: str) -> NoReturn:
    _stop(f"there is no graph at {place}: run `drug-assets run`, or name one with --graph", USAGE)
