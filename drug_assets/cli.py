"""What people type: `drug-assets run`, `top-journal`, `related-drugs` (SPEC section 8).

Only click is imported here; each command imports what it needs, so that a question is answered
before Polars or Dagster could load. Exit codes: 0 all well, 1 a step or a blocking check failed,
2 wrong usage or configuration.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

import click

from drug_assets.settings import Settings, SettingsError

if TYPE_CHECKING:
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
def run(landing: str | None, store: str | None) -> None:
    """Materialize everything, with its checks."""
    settings = Settings.of(landing=landing, store=store)
    from drug_assets.run import ConfigurationError, run_everything

    try:
        succeeded = run_everything(settings)
    except ConfigurationError as error:
        _stop(str(error), USAGE)
    sys.exit(0 if succeeded else 1)


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
    except questions.NotAGraph as error:
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
    except questions.UnknownDrug as error:
        _stop(str(error), 1)
    except questions.NotAGraph as error:
        _stop(str(error), 1)
    if as_json:
        _echo_json(_as_json(answer))
        return
    if not answer.related:
        click.echo(f"No drug shares a PubMed journal with {answer.drug}.")
    for related in answer.related:
        click.echo(f"{related.drug} (in {'; '.join(related.journals)})")


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
        from drug_assets.storage.objects import open_store

        folder, _, name = given.rpartition("/")
        return open_store(folder).local_copy(name)
    path = Path(given)
    if not path.is_file():
        _stop(f"there is no graph at {path}: run `drug-assets run`, or name one with --graph", 1)
    return path


if __name__ == "__main__":
    main()
