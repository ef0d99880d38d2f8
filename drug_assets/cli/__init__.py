"""The command line: run, questions, names, accuracy, fetch, deploy-sql (SPEC 8).

Only click is imported at the top; each command imports the rest itself, so that a question is
answered without loading Polars or Dagster. Exit codes: 0 success, 1 a step or a blocking check
failed, 2 wrong usage or configuration.
"""

from __future__ import annotations

import gc
import os
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING, NamedTuple, NoReturn

import click

from drug_assets import sources
from drug_assets.errors import DrugAssetsError
from drug_assets.settings import Settings, SettingsError, logs_are_collected
from drug_assets.wording import describe_retractions, printable, printable_json

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from datetime import datetime
    from pathlib import Path

    from drug_assets.document.questions import RelatedDrug, RelatedDrugs, TopJournal
    from drug_assets.sources import PublicationSource
    from drug_assets.storage.commit import Warehouse
    from drug_assets.storage.objects import ObjectStore

USAGE = 2


class _Commands(click.Group):
    """Commands that print a `DrugAssetsError` as one line and exit: 2 for settings, 1 otherwise."""

    def invoke(self, ctx: click.Context) -> object:
        try:
            return super().invoke(ctx)
        except SettingsError as error:
            _stop(str(error), USAGE)
        except DrugAssetsError as error:
            _stop(str(error), 1)
        except OSError as error:
            from drug_assets.storage.disk_errors import explain_disk_error

            explained = explain_disk_error(error, Settings.of().store)
            if explained is None:
                raise
            _stop(str(explained), 1)


def _stop(message: str, code: int) -> NoReturn:
    _echo(f"drug-assets: {message}", err=True)
    sys.exit(code)


def _echo(text: str, *, err: bool = False) -> None:
    """Print a text that may hold names and titles: a terminal shows them, and obeys nothing."""
    click.echo(printable(text, lines=True), err=err)


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
@click.option(
    "--allow-empty",
    multiple=True,
    type=click.Choice([source.name for source in sources.ALL]),
    help="A source that may have lost all its rows, for this run only. Can be repeated.",
)
def run(
    landing: str | None, store: str | None, *, only_if_changed: bool, allow_empty: tuple[str, ...]
) -> None:
    """Materialize everything, with its checks, and release it."""
    try:
        settings = Settings.of(landing=landing, store=store)
        succeeded = _run(settings, only_if_changed=only_if_changed, allow_empty=allow_empty)
    except SettingsError as error:
        if logs_are_collected(os.environ):
            from drug_assets import logs

            # For alerts, a run that cannot begin is a failed run.
            logs.write_event(logs.RUN_FAILED, f"no run was begun: {error}")
        raise
    # Python would search all objects of Dagster and Polars for garbage before it ends: 0.5 s of the
    # 3.4 s that a run of the sample takes.
    gc.freeze()
    sys.exit(0 if succeeded else 1)


def _run(settings: Settings, *, only_if_changed: bool, allow_empty: Sequence[str]) -> bool:
    """Run, unless nothing changed; return whether the run succeeded.

    Raises:
        SettingsError: a place cannot be used.
    """
    for note in settings.notes:
        _echo(f"note: {note}", err=True)
    with _loading():
        if only_if_changed and _is_unchanged(settings):
            message = f"Nothing changed in {settings.landing} since the last successful run."
            _echo(message)
            if settings.log_format == "json":
                from drug_assets import logs

                # The alert on missing successes must not fire because nothing landed.
                logs.write_event(logs.RUN_SUCCEEDED, message)
            return True
        from drug_assets.cli.in_process import run_everything

    return run_everything(settings, allow_empty=allow_empty)


@contextmanager
def _loading() -> Iterator[None]:
    """A time in which nearly all that is made stays: to look for garbage in it takes 0.4 s."""
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.enable()


def _is_unchanged(settings: Settings) -> bool:
    from drug_assets.cleaning.mesh_trees import MeshTrees
    from drug_assets.cleaning.stop_list import StopListError, read_stop_list
    from drug_assets.storage.objects import StorageError
    from drug_assets.storage.places import open_store, read_location
    from drug_assets.storage.releases import is_unchanged_since_release
    from drug_assets.versions import compute_rules_version

    try:
        zone = open_store(settings.landing, must_exist=True)
        rules = compute_rules_version(
            read_stop_list(settings.stop_list, read_location).digest,
            MeshTrees.of(settings.mesh_trees).digest,
            **settings.choices,
        )
        store = open_store(settings.store)
        return is_unchanged_since_release(zone, store, rules, _open_warehouse(settings))
    except (StorageError, StopListError) as error:
        raise SettingsError(str(error)) from error


def _open_warehouse(settings: Settings) -> Warehouse | None:
    if settings.environment != "bigquery":
        return None
    from drug_assets.storage.places import open_warehouse

    return open_warehouse(
        settings.bigquery_project, settings.bigquery_dataset, settings.bigquery_location
    )


_store = click.option(
    "--store", metavar="DIR_OR_URI", help="The store. [DRUG_ASSETS_STORE; output]"
)
_release = click.option("--release", metavar="ID", help="A release of the store. [the current one]")
_graph = click.option(
    "--graph", metavar="PATH_OR_URI", help="A graph document anywhere, instead of a store's."
)
_exclude_retracted = click.option(
    "--exclude-retracted",
    is_flag=True,
    help="Leave out retracted publications, and say of how many it is not known.",
)
_with_trial_results = click.option(
    "--with-trial-results",
    is_flag=True,
    help="Count publications that report the results of a trial for the drugs that it names.",
)
_json = click.option("--json", "as_json", is_flag=True, help="Answer as JSON.")


@main.command("top-journal")
@click.option("--class", "atc_class", metavar="CODE", help="Count only drugs of an ATC class.")
@_exclude_retracted
@_with_trial_results
@_store
@_release
@_graph
@_json
def top_journal(
    atc_class: str | None,
    store: str | None,
    release: str | None,
    graph: str | None,
    *,
    exclude_retracted: bool,
    with_trial_results: bool,
    as_json: bool,
) -> None:
    """The journals that mention the most different drugs."""
    from drug_assets.document import questions

    documents = _documents(store, release, graph)
    answers = questions.top_journals(
        documents.graph,
        names=documents.find_names,
        atc_class=atc_class,
        exclude_retracted=exclude_retracted,
        with_trial_results=with_trial_results,
    )
    if as_json:
        _echo_json([_as_object(answer) for answer in answers])
        return
    if not answers:
        of_class = "" if atc_class is None else f" of class {atc_class.strip().upper()}"
        _echo(f"No journal mentions any drug{of_class}.")
    for answer in answers:
        drugs = "drug" if answer.drug_count == 1 else "drugs"
        if answer.atc_class is not None:
            drugs += f" of class {answer.atc_class}"
        told = describe_retractions(*answer.evidence, excluded=exclude_retracted)
        listed = ", ".join(_with_trials(name, answer.via) for name in answer.drugs)
        _echo(
            f"{answer.journal}: {answer.drug_count} {drugs} ({listed})"
            + (f"; {told}" if told else "")
        )


@main.command("related-drugs")
@click.argument("drug", metavar="DRUG_OR_CLASS")
@click.option(
    "--exclude-trial-journals",
    is_flag=True,
    help="Leave out the journals that mention the given drug in a clinical trial.",
)
@_exclude_retracted
@_with_trial_results
@_store
@_release
@_graph
@_json
def related_drugs(
    drug: str,
    store: str | None,
    release: str | None,
    graph: str | None,
    *,
    exclude_trial_journals: bool,
    exclude_retracted: bool,
    with_trial_results: bool,
    as_json: bool,
) -> None:
    """Drugs that share a PubMed journal with a drug, or with those of a class.

    DRUG_OR_CLASS: any name of a drug, or the code of an ATC class of any level, in any case. For a
    class, the drugs that share a journal with any drug of the class, without these.
    """
    from drug_assets.document import questions

    documents = _documents(store, release, graph)
    answer = questions.related_drugs(
        documents.graph,
        drug,
        names=documents.find_names,
        exclude_trial_journals=exclude_trial_journals,
        exclude_retracted=exclude_retracted,
        with_trial_results=with_trial_results,
    )
    if as_json:
        _echo_json(_as_json(answer))
        return
    if not answer.related:
        of_class = "" if answer.of_class is None else "any drug of class "
        _echo(f"No drug shares a PubMed journal with {of_class}{answer.drug}.")
    for related in answer.related:
        journals = "; ".join(_with_trials(name, related.via) for name in related.journals)
        _echo(f"{related.drug} (in {journals})")
    if told := describe_retractions(*answer.evidence, excluded=exclude_retracted):
        _echo(told.capitalize())


@main.command("releases")
@_store
@_json
def list_releases(store: str | None, *, as_json: bool) -> None:
    """The releases that are kept, the newest first."""
    from drug_assets.storage.places import open_store
    from drug_assets.storage.releases import describe_releases

    found = describe_releases(open_store(Settings.of(store=store).store))
    if as_json:
        _echo_json([release._asdict() for release in found])
        return
    if not found:
        _echo("There is no release yet: run `drug-assets run`.")
    for release in found:
        _echo(
            f"{release.release}  {release.state or '':<11}  {release.files} files landed, "
            f"{release.mentions} mentions, {release.checks or 0} blocking checks passed, "
            f"landing zone {release.landing[:12]}, rules {release.rules}"
        )


@main.command()
@click.argument("release", required=False)
@click.option("--resume", is_flag=True, help="End a rollback: the newest release is current again.")
@_store
def rollback(release: str | None, store: str | None, *, resume: bool) -> None:
    """Make an earlier RELEASE the current one.

    Until the landing zone or the rules change, `run --only-if-changed` leaves it current.
    """
    from drug_assets.storage.places import open_store
    from drug_assets.storage.releases import end_rollback, roll_back

    if (release is None) != resume:
        _stop("name a release, or --resume (`drug-assets releases` lists them)", USAGE)
    settings = Settings.of(store=store)
    place, warehouse = open_store(settings.store), _open_warehouse(settings)
    if release is None:
        pointer = end_rollback(place, warehouse)
    else:
        pointer = roll_back(place, release, warehouse)
    message = f"{pointer.release} is the current release of {place.uri()}"
    if pointer.left is not None:
        message += (
            f"; {pointer.left} was left, and comes back with `drug-assets rollback --resume`, or "
            "with a run after the landing zone or the rules changed"
        )
    _echo(message)
    if logs_are_collected(os.environ):
        from drug_assets import logs

        # People who read the outputs should know that they are older than the landing zone.
        logs.write_event(
            logs.ROLLED_BACK, message, release=pointer.release, left=pointer.left or ""
        )


@main.group()
def fetch() -> None:
    """Pull records from a public service into the landing zone."""


def _pull(source: PublicationSource) -> None:
    """Declare the command that pulls from the service of a source."""
    name = source.pulled_from

    @fetch.command(source.name.replace("_", "-"), help=f"Pull from {name}. {_RESUMES}")
    @click.option("--query", required=True, help="What to ask for, in the service's own language.")
    @click.option("--landing", metavar="DIR_OR_URI", help="Landing zone. [DRUG_ASSETS_LANDING]")
    @click.option("--since", type=_DATE, help="Only records from this day on.")
    @click.option("--until", type=_DATE, help="Only records up to this day.")
    @click.option("--page-size", type=int, help="Records per file.")
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
        from drug_assets.fetch import FetchRequest
        from drug_assets.fetch import fetch as fetch_records
        from drug_assets.storage.destination import landing_destination

        settings = Settings.of(landing=landing)
        with _explain_pull_errors():
            request = FetchRequest(
                service=source.service(),
                query=query,
                since=since.date() if since else None,
                until=until.date() if until else None,
                page_size=page_size,
                date_type=date_type,
            )
            report = fetch_records(
                request,
                landing_destination(settings.landing),
                api_key=settings.ncbi_api_key,
                email=settings.ncbi_email,
                base_url=settings.service_urls.get(source.name),
            )
        if as_json:
            _echo_json(report.as_json())
            return
        for warning in report.warnings:
            _echo(f"warning: {warning}", err=True)
        _echo(
            f"{report.records} records in {len(report.files)} files of {settings.landing}"
            + (f", {report.pages_resumed} of them there before" if report.resumed else "")
        )


@contextmanager
def _explain_pull_errors() -> Iterator[None]:
    """End the command for what a pull raises, with what a person can do."""
    from drug_assets.fetch import FetchError, FetchRequestError
    from drug_assets.storage.objects import StorageError

    try:
        yield
    except (FetchRequestError, StorageError) as error:
        _stop(str(error), USAGE)
    except (FetchError, OSError) as error:
        _stop(f"{error} (the same command goes on where this one stopped)", 1)


_DATE = click.DateTime(["%Y-%m-%d"])
_RESUMES = "An interrupted pull goes on where it stopped."
for _source in sources.PUBLICATIONS:
    if _source.pulled_from:
        _pull(_source)


@fetch.command(
    help="Pull a drug vocabulary, in its newest edition, from its owner. What has landed in this"
    f" edition is not pulled again; that of a former pull is replaced. {_RESUMES}\n\n\b\n"
    + "\n".join(f"{name:8}{what}" for name, what in sources.DRUGS.vocabularies.items())
)
@click.argument("name", type=click.Choice([*sources.DRUGS.vocabularies]))
@click.option("--landing", metavar="DIR_OR_URI", help="Landing zone. [DRUG_ASSETS_LANDING]")
@_json
def vocabulary(name: str, landing: str | None, *, as_json: bool) -> None:
    """Pull a drug vocabulary."""
    from drug_assets.fetch import fetch_vocabulary
    from drug_assets.storage.destination import landing_destination

    settings = Settings.of(landing=landing)
    with _explain_pull_errors():
        report = fetch_vocabulary(
            sources.DRUGS.vocabulary(name),
            landing_destination(settings.landing),
            base_url=settings.service_urls.get(name),
        )
    if as_json:
        _echo_json(report.as_json())
        return
    for warning in report.warnings:
        _echo(f"warning: {warning}", err=True)
    did = [f"{len(report.landed)} files landed in {settings.landing}"] if report.landed else []
    did += [f"{len(report.kept)} were there in this edition"] if report.kept else []
    did += [f"{len(report.removed)} of a former one were removed"] if report.removed else []
    _echo(f"{report.title} ({report.editions}): {', '.join(did)}")


@main.command()
@click.argument("drug", metavar="DRUG")
@_store
@_release
@_json
def names(drug: str, store: str | None, release: str | None, *, as_json: bool) -> None:
    """The names of a drug that titles are searched for, by list, and why others are not.

    DRUG: any name, code or id of a drug, in any case; also a name that is not searched for.
    """
    from drug_assets.storage.objects import StorageError
    from drug_assets.storage.places import open_store
    from drug_assets.storage.releases import NoReleaseError, open_release

    try:
        place = open_store(Settings.of(store=store).store)
        opened = open_release(place, release)
        # As files: to load the declarations of all tables takes as long as all the rest.
        tables = [place.local_copy(opened.name(f"{t}.parquet")) for t in ("drugs", "drug_names")]
    except FileNotFoundError:
        _stop(f"release {opened.id} has no table of names: run `drug-assets run`", USAGE)
    except (StorageError, NoReleaseError) as error:
        _stop(str(error), USAGE)
    from drug_assets.cli.names_report import as_lines, as_object, find_named_drugs

    found = find_named_drugs(drug, *tables)
    if as_json:
        _echo_json([as_object(each) for each in found])
        return
    for each in found:
        for line in as_lines(each):
            _echo(line)


@main.command()
@click.argument("file", metavar="FILE")
@click.option(
    "--list",
    "lists",
    multiple=True,
    metavar="PATH_OR_URI",
    help="A drug list, instead of those that landed. Can be repeated.",
)
@click.option("--landing", metavar="DIR_OR_URI", help="Landing zone. [DRUG_ASSETS_LANDING; data]")
@click.option(
    "--type",
    "types",
    multiple=True,
    metavar="TYPE",
    help="A type of annotations that counts, in PubTator. Can be repeated. [chemicals and drugs]",
)
@_json
def accuracy(
    file: str, lists: tuple[str, ...], landing: str | None, types: tuple[str, ...], *, as_json: bool
) -> None:
    """How well the names of drug lists find what people marked in the titles of FILE.

    FILE: JSON lines with title and spans ([start, end), in characters), or PubTator.
    """
    from drug_assets.cli.accuracy_report import as_lines, as_object, measure_accuracy
    from drug_assets.storage.objects import StorageError

    if lists and landing is not None:
        _stop("--list names the drug lists: leave out --landing", USAGE)
    settings = Settings.of(landing=landing)
    try:
        measured = measure_accuracy(file, lists, types, settings)
    except (OSError, StorageError) as error:
        _stop(str(error), USAGE)
    if as_json:
        _echo_json(as_object(measured))
        return
    for line in as_lines(measured):
        _echo(line)


@main.command("deploy-sql")
@click.option("--sales-dataset", help="Dataset of the sales tables. [the same]")
def deploy_sql(sales_dataset: str | None) -> None:
    """Make the views and functions of the package in BigQuery."""
    settings = Settings.of()
    if settings.bigquery_project is None or settings.bigquery_dataset is None:
        raise SettingsError(
            "set DRUG_ASSETS_BIGQUERY_PROJECT and DRUG_ASSETS_BIGQUERY_DATASET to say where"
        )
    from drug_assets.storage.google.client import bigquery_client
    from drug_assets.warehouse_sql.deploy import deploy

    made = deploy(
        bigquery_client(settings.bigquery_project),
        settings.bigquery_project,
        settings.bigquery_dataset,
        sales_dataset=sales_dataset,
        location=settings.bigquery_location,
    )
    for name in made:
        _echo(name)


def _with_trials(name: str, via: Mapping[str, list[str]] | None) -> str:
    """A name, with the trials by whose results it is counted."""
    return f"{name} via {', '.join(via[name])}" if via and name in via else name


#: Members of answers that have another name in JSON: `class` is a word of Python.
_MEMBERS = {"atc_class": "class"}


def _as_object(answer: TopJournal | RelatedDrug) -> dict[str, object]:
    """The members of an answer; those that were not asked for are left out."""
    members = {_MEMBERS.get(name, name): value for name, value in answer._asdict().items()}
    return {name: value for name, value in members.items() if value is not None}


def _as_json(answer: RelatedDrugs) -> object:
    given: dict[str, object] = {"drug": answer.drug}
    if answer.of_class is not None:
        given = {"class": answer.drug, "drugs": answer.of_class}
    return {
        **given,
        "related": [_as_object(related) for related in answer.related],
        **answer.evidence._asdict(),
    }


def _echo_json(answer: object) -> None:
    import json

    click.echo(printable_json(json.dumps(answer, ensure_ascii=False, indent=2)))


class _Documents(NamedTuple):
    """The documents that questions are answered from."""

    #: A local file with the graph document.
    graph: Path
    #: Where the document of names is, and its name there.
    place: ObjectStore
    names: str

    def find_names(self) -> Path | None:
        """A local file with the document of names.

        Releases of earlier versions have none, nor need one lie beside a graph document.
        """
        try:
            return self.place.local_copy(self.names)
        except FileNotFoundError:
            return None


def _documents(store: str | None, release: str | None, graph: str | None) -> _Documents:
    """The documents of a release of a store, or those at a location."""
    from drug_assets.document.schema import FILE, NAMES_FILE
    from drug_assets.storage.objects import StorageError
    from drug_assets.storage.places import open_object, open_store
    from drug_assets.storage.releases import NoReleaseError, open_release

    if graph is not None and (store is not None or release is not None):
        _stop("--graph names one document: leave out --store and --release", USAGE)
    try:
        if graph is not None:
            place, name = open_object(graph)
            names = NAMES_FILE
        else:
            place = open_store(Settings.of(store=store).store)
            opened = open_release(place, release)
            name, names = opened.name(FILE), opened.name(NAMES_FILE)
        return _Documents(place.local_copy(name), place, names)
    except FileNotFoundError:
        location = graph if graph is not None else place.uri(name)
        _stop(f"there is no graph at {location}: run `drug-assets run`, or name another", USAGE)
    except (StorageError, NoReleaseError) as error:
        _stop(str(error), USAGE)
