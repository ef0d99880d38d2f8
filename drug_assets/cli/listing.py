"""The commands that list what a release holds: mentions, drugs, journals, rows (SPEC 6 and 8)."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING

import click

from drug_assets.cli.common import (
    USAGE,
    csv_option,
    echo,
    is_terminal,
    json_option,
    limit_option,
    read_limit,
    read_period,
    release_option,
    since_option,
    stop,
    store_option,
    tables_of,
    until_option,
)
from drug_assets.settings import Settings
from drug_assets.sources import PUBLICATIONS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from drug_assets.answers.forms import Answer
    from drug_assets.answers.tracing import Trace

#: Lines of JSON that are printed at once.
_LINES = 1000
# Repeated from `answers.overviews`, which would load Polars for every command.
_DRUG_ORDERS = ("mentions", "journals", "first", "latest", "name")
_JOURNAL_ORDERS = ("drugs", "mentions", "first", "latest", "name")


@click.command()
@click.argument("drug", metavar="DRUG")
@since_option
@until_option
@click.option("--journal", metavar="JOURNAL", help="Only in this journal: any name or id of it.")
@click.option(
    "--source",
    type=click.Choice([source.name for source in PUBLICATIONS]),
    help="Only by publications of this source.",
)
@limit_option
@store_option
@release_option
@json_option
@csv_option
def mentions(
    drug: str,
    since: str | None,
    until: str | None,
    journal: str | None,
    source: str | None,
    limit: int | None,
    store: str | None,
    release: str | None,
    *,
    as_json: bool,
    as_csv: bool,
) -> None:
    """The publications whose titles name a drug, the newest first.

    DRUG: any name, code or id of a drug, in any case; or the code of an ATC class.
    """
    shown = _choose_form(as_json=as_json, as_csv=as_csv)
    period = read_period(since, until)
    with tables_of(store, release) as tables:
        from drug_assets.answers.mentions import list_mentions
        from drug_assets.cli import listing_report as report

        answer = list_mentions(
            drug,
            tables,
            period=period,
            journal=journal,
            source=source,
            limit=read_limit(limit, shown),
        )
    _print(shown, answer.as_answer(), lambda width: report.mentions_as_lines(answer, width))


@click.command()
@click.option(
    "--sort",
    "order",
    type=click.Choice(_DRUG_ORDERS),
    default=_DRUG_ORDERS[0],
    help="Most mentions or journals first, first or latest date, or by name. [mentions]",
)
@limit_option
@store_option
@release_option
@json_option
@csv_option
def drugs(
    order: str,
    limit: int | None,
    store: str | None,
    release: str | None,
    *,
    as_json: bool,
    as_csv: bool,
) -> None:
    """The drugs of the list: how often, where and since when titles name each."""
    shown = _choose_form(as_json=as_json, as_csv=as_csv)
    with tables_of(store, release) as tables:
        from drug_assets.answers.overviews import list_drugs
        from drug_assets.cli import listing_report as report

        answer = list_drugs(tables, order, read_limit(limit, shown))
    _print(shown, answer.as_answer(), lambda width: report.drugs_as_lines(answer, width))


@click.command()
@click.option(
    "--sort",
    "order",
    type=click.Choice(_JOURNAL_ORDERS),
    default=_JOURNAL_ORDERS[0],
    help="Most drugs or mentions first, first or latest date, or by name. [drugs]",
)
@limit_option
@store_option
@release_option
@json_option
@csv_option
def journals(
    order: str,
    limit: int | None,
    store: str | None,
    release: str | None,
    *,
    as_json: bool,
    as_csv: bool,
) -> None:
    """The journals: how many drugs each mentions, how often, since when."""
    shown = _choose_form(as_json=as_json, as_csv=as_csv)
    with tables_of(store, release) as tables:
        from drug_assets.answers.overviews import list_journals
        from drug_assets.cli import listing_report as report

        answer = list_journals(tables, order, read_limit(limit, shown))
    _print(shown, answer.as_answer(), lambda width: report.journals_as_lines(answer, width))


@click.command()
@click.option("--file", "file", metavar="FILE", help="Only of this file below the landing zone.")
@limit_option
@store_option
@release_option
@json_option
@csv_option
def rejected(
    file: str | None,
    limit: int | None,
    store: str | None,
    release: str | None,
    *,
    as_json: bool,
    as_csv: bool,
) -> None:
    """The raw rows that were rejected, with the reasons."""
    shown = _choose_form(as_json=as_json, as_csv=as_csv)
    with tables_of(store, release) as tables:
        from drug_assets.answers.rejections import list_rejected
        from drug_assets.cli import listing_report as report

        answer = list_rejected(tables, file, read_limit(limit, shown))
    _print(shown, answer.as_answer(), lambda width: report.rejected_as_lines(answer, width))


@click.command()
@click.argument("drug", metavar="DRUG")
@click.argument("source", type=click.Choice([source.name for source in PUBLICATIONS]))
@click.argument("publication", metavar="ID")
@click.option("--landing", metavar="DIR_OR_URI", help="Landing zone. [DRUG_ASSETS_LANDING; data]")
@store_option
@release_option
@json_option
@csv_option
def trace(
    drug: str,
    source: str,
    publication: str,
    landing: str | None,
    store: str | None,
    release: str | None,
    *,
    as_json: bool,
    as_csv: bool,
) -> None:
    """The landed rows behind the mention of a drug by a publication.

    DRUG: any name, code or id of a drug. ID: the id of a publication of the source. Shown are the
    row that was kept and those merged into it, as they landed; the list that has the name; and
    whether the files still lie in the landing zone as they were read.
    """
    shown = _choose_form(as_json=as_json, as_csv=as_csv)
    with tables_of(store, release) as tables:
        from drug_assets.answers.tracing import trace_mention
        from drug_assets.cli import listing_report as report

        answer = trace_mention(drug, source, publication, tables)
    zone = Settings.of(landing=landing).landing
    states = _look_for_files(answer, zone)
    with_states = report.add_states(answer.as_answer(), states)
    _print(shown, with_states, lambda _: report.trace_as_lines(answer, zone, states))


def _look_for_files(answer: Trace, location: str) -> dict[str, str]:
    """What became of the files of a trace in the landing zone; nothing if it is not there."""
    from drug_assets.storage.landed_files import look_for_landed
    from drug_assets.storage.objects import StorageError
    from drug_assets.storage.places import open_store

    notes = {row.source_file: (row.size_bytes, row.sha256) for row in answer.rows}
    try:
        zone = open_store(location, must_exist=True)
        return {file: look_for_landed(zone, file, *note).value for file, note in notes.items()}
    except StorageError:
        return {}


def _choose_form(*, as_json: bool, as_csv: bool) -> str:
    if as_json and as_csv:
        stop("--json and --csv are two forms of an answer: choose one", USAGE)
    return "json" if as_json else "csv" if as_csv else "text"


def _print(shown: str, answer: Answer, as_lines: Callable[[int | None], Iterator[str]]) -> None:
    """Print an answer.

    Args:
        shown: the form: text, json or csv.
        answer: the answer as JSON and CSV are made from it.
        as_lines: makes the lines of the text; takes the width of the terminal, None if it is none.
    """
    if shown == "json":
        lines = answer.json_lines()
        # Line by line, it takes twice as long.
        while batch := list(islice(lines, _LINES)):
            click.echo("\n".join(batch))
    elif shown == "csv":
        for text in answer.csv_lines():
            # The line ends are those of the format, on every system.
            click.echo(text.encode(), nl=False)
    else:
        import shutil

        width = shutil.get_terminal_size().columns if is_terminal() else None
        for line in as_lines(width):
            echo(line)
