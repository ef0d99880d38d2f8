"""The commands that answer questions: top-journal, related-drugs, names (SPEC 6 and 8)."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import click

from drug_assets.cli.common import (
    USAGE,
    choose_form,
    drug_argument,
    echo,
    echo_json,
    form_options,
    is_terminal,
    json_option,
    limit_option,
    period_options,
    print_answer,
    read_limit,
    read_period,
    release_options,
    sort_option,
    stop,
    tables_of,
)
from drug_assets.document import RELATED_ORDERS
from drug_assets.settings import Settings
from drug_assets.wording import (
    count_of,
    describe_more,
    describe_period,
    describe_retractions,
    shorten,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from drug_assets.document.questions import RelatedDrugs, TopJournal
    from drug_assets.periods import Period
    from drug_assets.storage.objects import ObjectStore

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


@click.command("top-journal")
@click.option("--class", "atc_class", metavar="CODE", help="Count only drugs of an ATC class.")
@_exclude_retracted
@_with_trial_results
@period_options
@release_options
@_graph
@form_options
def top_journal(
    atc_class: str | None,
    since: str | None,
    until: str | None,
    store: str | None,
    release: str | None,
    graph: str | None,
    *,
    exclude_retracted: bool,
    with_trial_results: bool,
    as_json: bool,
    as_csv: bool,
) -> None:
    """The journals that mention the most different drugs."""
    from drug_assets.document import questions

    form = choose_form(as_json=as_json, as_csv=as_csv)
    period = read_period(since, until)
    documents = _documents(store, release, graph)
    answers = questions.top_journals(
        documents.graph,
        names=documents.find_names,
        atc_class=atc_class,
        exclude_retracted=exclude_retracted,
        with_trial_results=with_trial_results,
        period=period,
    )
    if form == "json":
        echo_json([answer.as_object() for answer in answers])
    elif form == "csv":
        _print_csv(
            [{**answer.as_object(), "via": _list_via(answer.via)} for answer in answers],
            *("journal", "drug_count", "drugs", *_EVIDENCE),
            *(("via",) if with_trial_results else ()),
            *(("class",) if atc_class is not None else ()),
            *(_LEFT_OUT if period is not None else ()),
        )
    else:
        of_class = "" if atc_class is None else f" of class {atc_class.strip().upper()}"
        for line in _tell_top_journals(answers, of_class, period, excluded=exclude_retracted):
            echo(line)


def _tell_top_journals(
    answers: Sequence[TopJournal], of_class: str, period: Period | None, *, excluded: bool
) -> Iterator[str]:
    if not answers:
        yield f"No journal mentions any drug{of_class}{_of_period(period)}."
    for answer in answers:
        drugs = "drug" if answer.drug_count == 1 else "drugs"
        if answer.atc_class is not None:
            drugs += f" of class {answer.atc_class}"
        told = describe_retractions(*answer.evidence, excluded=excluded)
        listed = ", ".join(_with_trials(name, answer.via) for name in answer.drugs)
        yield (
            f"{answer.journal}: {answer.drug_count} {drugs}{_of_period(period)} ({listed})"
            + (f"; {told}" if told else "")
            + (f"; of its mentions {describe_period(*answer.left_out)}" if answer.left_out else "")
        )


@click.command("related-drugs")
@click.argument("drug", metavar="DRUG_OR_CLASS")
@click.option(
    "--exclude-trial-journals",
    is_flag=True,
    help="Leave out the journals that mention the given drug in a clinical trial.",
)
@_exclude_retracted
@_with_trial_results
@period_options
@sort_option(
    RELATED_ORDERS,
    "By the number of journals that link them, by name, or by how much more often than by chance "
    "journals mention both.",
)
@limit_option
@release_options
@_graph
@form_options
def related_drugs(
    drug: str,
    since: str | None,
    until: str | None,
    order: str,
    limit: int | None,
    store: str | None,
    release: str | None,
    graph: str | None,
    *,
    exclude_trial_journals: bool,
    exclude_retracted: bool,
    with_trial_results: bool,
    as_json: bool,
    as_csv: bool,
) -> None:
    """Drugs that share a PubMed journal with a drug, or with those of a class.

    DRUG_OR_CLASS: any name of a drug, or the code of an ATC class of any level, in any case. For a
    class, the drugs that share a journal with any drug of the class, without these.
    """
    from drug_assets.document import questions

    form = choose_form(as_json=as_json, as_csv=as_csv)
    period = read_period(since, until)
    documents = _documents(store, release, graph)
    answer = questions.related_drugs(
        documents.graph,
        drug,
        names=documents.find_names,
        exclude_trial_journals=exclude_trial_journals,
        exclude_retracted=exclude_retracted,
        with_trial_results=with_trial_results,
        period=period,
        order=order,
    )
    most = read_limit(limit, form)
    listed = answer if most is None else answer._replace(related=answer.related[:most])
    if form == "json":
        echo_json(listed.as_object())
    elif form == "csv":
        _print_csv(
            [
                {
                    **each.as_object(),
                    "journal_count": len(each.journals),
                    "via": _list_via(each.via),
                }
                for each in listed.related
            ],
            *("drug", "journal_count", "lift", "journals", *_EVIDENCE),
            *(("via",) if with_trial_results else ()),
        )
    else:
        for line in _tell_related_drugs(answer, listed, period, excluded=exclude_retracted):
            echo(line)


def _tell_related_drugs(
    answer: RelatedDrugs, listed: RelatedDrugs, period: Period | None, *, excluded: bool
) -> Iterator[str]:
    """The lines of an answer, of which some drugs are listed."""
    if not answer.related:
        of_class = "" if answer.of_class is None else "any drug of class "
        yield f"No drug shares a PubMed journal with {of_class}{answer.drug}{_of_period(period)}."
    for related in listed.related:
        journals = [_with_trials(name, related.via) for name in related.journals]
        shown = shorten(journals, "; ") if is_terminal() else "; ".join(journals)
        linked = count_of(len(journals), "journal")
        yield f"{related.drug} (in {linked}, {related.lift:.1f} × chance: {shown})"
    if told := describe_more(len(answer.related), len(listed.related), "drug"):
        yield told
    if told := describe_retractions(*answer.evidence, excluded=excluded):
        yield told.capitalize()
    if answer.left_out:
        yield f"Of the mentions by its journals {describe_period(*answer.left_out)}"


#: The columns of both answers that count mentions, and what a period makes of them.
_EVIDENCE = ("mentions", "retracted_mentions", "unknown_mentions")
_LEFT_OUT = ("open_mentions", "outside_mentions", "undated_mentions")
#: The columns of both answers that hold texts, and lists of texts; the others hold numbers.
_TEXTS = ("journal", "drug", "class")
_LISTS = ("drugs", "journals", "via")


def _print_csv(rows: Sequence[Mapping[str, object]], *columns: str) -> None:
    """Print rows as CSV: of their members, those that are columns."""
    import polars as pl

    from drug_assets.answers.forms import Answer

    types: dict[str, pl.DataType] = {
        **dict.fromkeys(_TEXTS, pl.String()),
        **dict.fromkeys(_LISTS, pl.List(pl.String())),
        "lift": pl.Float64(),
    }
    table = pl.DataFrame(
        {column: [row.get(column) for row in rows] for column in columns},
        schema={column: types.get(column, pl.Int64()) for column in columns},
    )
    print_answer("csv", Answer({}, "rows", table), lambda _: iter(()))


def _list_via(via: Mapping[str, list[str]] | None) -> list[str]:
    """The names that count by the results of trials, each with these."""
    return [_with_trials(name, via) for name in via or ()]


@click.command()
@drug_argument
@release_options
@json_option
def names(drug: str, store: str | None, release: str | None, *, as_json: bool) -> None:
    """The names of a drug that titles are searched for, by list, and why others are not.

    DRUG: any name, code or id of a drug, in any case; also a name that is not searched for.
    """
    with tables_of(store, release) as tables:
        from drug_assets.answers.names import find_named_drugs
        from drug_assets.cli.names_report import as_lines

        found = find_named_drugs(drug, tables)
    if as_json:
        echo_json([each.as_object() for each in found])
        return
    for each in found:
        for line in as_lines(each):
            echo(line)


def _of_period(period: Period | None) -> str:
    return "" if period is None else f" {period}"


def _with_trials(name: str, via: Mapping[str, list[str]] | None) -> str:
    """A name, with the trials by whose results it is counted."""
    return f"{name} via {', '.join(via[name])}" if via and name in via else name


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
        stop("--graph names one document: leave out --store and --release", USAGE)
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
        stop(f"there is no graph at {location}: run `drug-assets run`, or name another", USAGE)
    except (StorageError, NoReleaseError) as error:
        stop(str(error), USAGE)
