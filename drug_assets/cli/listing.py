"""The commands that list what a release holds: mentions, drugs, journals, rows (SPEC 6 and 8)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from drug_assets.answers import DRUG_ORDERS, JOURNAL_ORDERS
from drug_assets.cli.common import (
    SOURCES,
    choose_form,
    drug_argument,
    form_options,
    landing_option,
    limit_option,
    period_options,
    print_answer,
    read_limit,
    read_period,
    release_options,
    sort_option,
    tables_of,
)
from drug_assets.settings import Settings

if TYPE_CHECKING:
    from drug_assets.answers.tracing import Trace


@click.command()
@drug_argument
@period_options
@click.option("--journal", metavar="JOURNAL", help="Only in this journal: any name or id of it.")
@click.option("--source", type=SOURCES, help="Only by publications of this source.")
@limit_option
@release_options
@form_options
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
    shown = choose_form(as_json=as_json, as_csv=as_csv)
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
    print_answer(shown, answer.as_answer(), lambda width: report.mentions_as_lines(answer, width))


@click.command()
@sort_option(DRUG_ORDERS, "Most mentions or journals first, first or latest date, or by name.")
@limit_option
@release_options
@form_options
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
    shown = choose_form(as_json=as_json, as_csv=as_csv)
    with tables_of(store, release) as tables:
        from drug_assets.answers.overviews import list_drugs
        from drug_assets.cli import listing_report as report

        answer = list_drugs(tables, order, read_limit(limit, shown))
    print_answer(shown, answer.as_answer(), lambda width: report.drugs_as_lines(answer, width))


@click.command()
@sort_option(JOURNAL_ORDERS, "Most drugs or mentions first, first or latest date, or by name.")
@limit_option
@release_options
@form_options
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
    shown = choose_form(as_json=as_json, as_csv=as_csv)
    with tables_of(store, release) as tables:
        from drug_assets.answers.overviews import list_journals
        from drug_assets.cli import listing_report as report

        answer = list_journals(tables, order, read_limit(limit, shown))
    print_answer(shown, answer.as_answer(), lambda width: report.journals_as_lines(answer, width))


@click.command()
@click.option("--file", "file", metavar="FILE", help="Only of this file below the landing zone.")
@limit_option
@release_options
@form_options
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
    shown = choose_form(as_json=as_json, as_csv=as_csv)
    with tables_of(store, release) as tables:
        from drug_assets.answers.rejections import list_rejected
        from drug_assets.cli import listing_report as report

        answer = list_rejected(tables, file, read_limit(limit, shown))
    print_answer(shown, answer.as_answer(), lambda width: report.rejected_as_lines(answer, width))


@click.command()
@drug_argument
@click.argument("source", type=SOURCES)
@click.argument("publication", metavar="ID")
@landing_option
@release_options
@form_options
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
    shown = choose_form(as_json=as_json, as_csv=as_csv)
    with tables_of(store, release) as tables:
        from drug_assets.answers.tracing import trace_mention
        from drug_assets.cli import listing_report as report

        answer = trace_mention(drug, source, publication, tables)
    zone = Settings.of(landing=landing).landing
    states = _look_for_files(answer, zone)
    with_states = report.add_states(answer.as_answer(), states)
    print_answer(shown, with_states, lambda _: report.trace_as_lines(answer, zone, states))


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
