"""The command that compares two releases: diff (SPEC 8)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from drug_assets.cli.common import USAGE, echo, json_option, stop, store_option
from drug_assets.settings import Settings

if TYPE_CHECKING:
    from drug_assets.cli.compared import Compared

#: How many of each list are shown if nobody says how many.
_LISTED = 20


@click.command()
@click.argument("old", required=False)
@click.argument("new", required=False)
@click.option(
    "--limit",
    metavar="N",
    type=click.IntRange(min=0),
    help=f"List N of each kind at most; 0 lists all. [{_LISTED}; as JSON all]",
)
@click.option("--markdown", "as_markdown", is_flag=True, help="Markdown, for a mail or a chat.")
@store_option
@json_option
def diff(
    old: str | None,
    new: str | None,
    limit: int | None,
    store: str | None,
    *,
    as_markdown: bool,
    as_json: bool,
) -> None:
    """What is new in NEW since OLD: mentions, drugs, names, rules.

    OLD, NEW: a release of the store, or the folder of a release or of a store, or a graph document,
    anywhere. Without NEW, the current release; without OLD, the release before it.
    """
    if as_markdown and as_json:
        stop("--markdown and --json are two forms of an answer: choose one", USAGE)
    from drug_assets.storage.objects import StorageError
    from drug_assets.storage.releases import NoReleaseError

    try:
        from drug_assets.cli import compared

        found = compared.compare(old, new, Settings.of(store=store).store)
    except (StorageError, NoReleaseError, compared.NothingThereError) as error:
        stop(str(error), USAGE)
    if as_json:
        for line in found.as_answer(limit or None).json_lines():
            click.echo(line)
        return
    for line in _as_lines(found, limit, as_markdown=as_markdown):
        echo(line)


def _as_lines(found: Compared, limit: int | None, *, as_markdown: bool) -> list[str]:
    from drug_assets import news_report

    style = news_report.MARKDOWN if as_markdown else news_report.TEXT
    return list(found.as_lines(style, _LISTED if limit is None else limit or None))
