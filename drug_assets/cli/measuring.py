"""The command that measures: accuracy (SPEC 8)."""

from __future__ import annotations

import click

from drug_assets.cli.common import USAGE, echo, echo_json, json_option, landing_option, stop
from drug_assets.settings import Settings


@click.command()
@click.argument("file", metavar="FILE")
@click.option(
    "--list",
    "lists",
    multiple=True,
    metavar="PATH_OR_URI",
    help="A drug list, instead of those that landed. Can be repeated.",
)
@landing_option
@click.option(
    "--type",
    "types",
    multiple=True,
    metavar="TYPE",
    help="A type of annotations that counts, in PubTator. Can be repeated. [chemicals and drugs]",
)
@json_option
def accuracy(
    file: str, lists: tuple[str, ...], landing: str | None, types: tuple[str, ...], *, as_json: bool
) -> None:
    """How well the names of drug lists find what people marked in the titles of FILE.

    FILE: JSON lines with title and spans ([start, end), in characters), or PubTator.
    """
    from drug_assets.cli.accuracy_report import as_lines, as_object, measure_accuracy
    from drug_assets.storage.objects import StorageError

    if lists and landing is not None:
        stop("--list names the drug lists: leave out --landing", USAGE)
    settings = Settings.of(landing=landing)
    try:
        measured = measure_accuracy(file, lists, types, settings)
    except (OSError, StorageError) as error:
        stop(str(error), USAGE)
    if as_json:
        echo_json(as_object(measured))
        return
    for line in as_lines(measured):
        echo(line)
