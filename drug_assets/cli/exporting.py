"""The command that writes files for other tools: export (SPEC 8, Exports)."""

from __future__ import annotations

import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from drug_assets.cli.common import (
    USAGE,
    echo,
    period_options,
    read_period,
    release_options,
    stop,
    tables_of,
)
from drug_assets.exports import FORMATS, MANY_MENTIONS, PACKED, ExportError, Of, Request, Tables
from drug_assets.settings import Settings, is_within
from drug_assets.storage.pointer import RELEASES
from drug_assets.wording import count_of, shorten

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import BinaryIO

    from drug_assets.answers.finding import Found
    from drug_assets.periods import Period

#: The path that stands for the standard output.
_STANDARD_OUTPUT = "-"
_SEPARATORS = {"comma": ",", "semicolon": ";", "tab": "\t"}


@click.command(epilog="\b\n" + "\n".join(f"{f.name:<10} {f.purpose}" for f in FORMATS.values()))
@click.argument("format_name", type=click.Choice(list(FORMATS)))
@click.option(
    "--to",
    "target",
    metavar="PATH_OR_URI",
    required=True,
    help=f"The file; - is the standard output. One whose name ends with {PACKED} is packed.",
)
@click.option(
    "--drug",
    "asked",
    metavar="DRUG_OR_CLASS",
    multiple=True,
    help="Only mentions of this drug, or of the drugs of an ATC class: any name, code or id. Can "
    "be given several times.",
)
@period_options
@click.option(
    "--of",
    type=click.Choice([of.value for of in Of]),
    default=Of.MENTIONS.value,
    help="Every mention, with its publication; or the drugs and journals alone, with counts and "
    "dates, which stays small. [mentions]",
)
@click.option(
    "--separator",
    type=click.Choice(list(_SEPARATORS)),
    default="comma",
    help="Between the values of a line of CSV. A French or German Excel expects semicolons. "
    "[comma]",
)
@release_options
def export(
    format_name: str,
    target: str,
    asked: tuple[str, ...],
    since: str | None,
    until: str | None,
    of: str,
    separator: str,
    store: str | None,
    release: str | None,
) -> None:
    """Write the mentions of a release as a file for another tool.

    A file of that name is replaced once the new one is complete. The bytes are the same whenever
    the same release is exported.
    """
    try:
        request = Request(
            of=Of(of),
            format=FORMATS[format_name],
            packed=target.endswith(PACKED),
            separator=_SEPARATORS[separator],
        )
    except ExportError as error:
        stop(str(error), USAGE)
    _require_place(target, Settings.of(store=store))
    period = read_period(since, until)
    with tables_of(store, release) as tables:
        from drug_assets.answers.finding import find_drugs
        from drug_assets.storage.temporary import make_process_folder

        found = [find_drugs(name, tables) for name in asked]
        chosen, left_out = _choose(
            Tables(tables.table("mentions"), tables.table("drugs")), request, found, period
        )
        with _open(target) as (file, place):
            written = request.write(chosen, file, make_process_folder())
        notes = [*map(_describe, found), *left_out, *written.notes, *_advise(request, chosen)]
    holds = ", ".join(count_of(number, noun) for noun, number in written.counts.items())
    # The standard output has the file itself.
    echo(f"{place}: {holds}", err=target == _STANDARD_OUTPUT)
    for note in notes:
        echo(note, err=True)


def _require_place(target: str, settings: Settings) -> None:
    """Refuse a place that a file would harm, or that it would be read from."""
    if target == _STANDARD_OUTPUT:
        return
    if is_within(target, settings.landing):
        stop(
            f"{target} lies in the landing zone {settings.landing}, where it would be read as a "
            "landed file: name another place with --to",
            USAGE,
        )
    if is_within(target, f"{settings.store.rstrip('/')}/{RELEASES}"):
        stop(f"{target} lies in a release, which never changes: name another place", USAGE)


def _describe(found: Found) -> str:
    """What was understood of a name."""
    names = shorten([each.drug for each in found.drugs])
    if found.by == "class":
        return f"{found.asked}: the drugs of the class, {names}"
    return f"{found.asked}: {names}" + (" (each has this name)" if found.is_ambiguous else "")


def _choose(
    tables: Tables, request: Request, found: list[Found], period: Period | None
) -> tuple[Tables, list[str]]:
    """The tables with the mentions that are asked for, and what to say of those left out.

    Args:
        tables: the tables of a release.
        request: the file.
        found: the drugs that are asked for; none for all.
        period: the period; None for any date and none.
    """
    import polars as pl

    mentions, notes = tables.mentions, []

    def leave_out(why: str, left_out: pl.Expr) -> None:
        nonlocal mentions
        if number := mentions.filter(left_out).select(pl.len()).collect().item():
            notes.append(f"left out, {why}: {count_of(number, 'mention')}")
        mentions = mentions.filter(~left_out)

    if found:
        is_asked = (each.has_drug(pl.col("drug_id")) for each in found)
        mentions = mentions.filter(pl.any_horizontal(is_asked))
    if request.of is Of.JOURNALS:
        leave_out("without a journal", pl.col("journal_id").is_null())
    if period is not None:
        leave_out("without a date", pl.col("date").is_null())
        counts = period.counts_column(pl.col("date"), pl.col("date_precision"))
        leave_out(f"outside the period {period}", ~counts)
    return tables._replace(mentions=mentions), notes


def _advise(request: Request, tables: Tables) -> list[str]:
    """What to do about a file that is empty or large."""
    import polars as pl

    mentions = tables.mentions.select(pl.len()).collect().item()
    if not mentions:
        return ["there is no such mention: the file is valid, and holds nothing"]
    if mentions <= MANY_MENTIONS or request.packed or not request.format.can_be_packed:
        return []
    advice = f"a name that ends with {PACKED} packs the file to about a tenth"
    if request.of is Of.MENTIONS:
        advice += f", and --of {Of.JOURNALS} writes a smaller one"
    return [f"{count_of(mentions, 'mention')}: {advice}"]


@contextmanager
def _open(target: str) -> Iterator[tuple[BinaryIO, str]]:
    """What a file is written to, and where that is; it is there once all of it is written."""
    from drug_assets.storage.objects import StorageError
    from drug_assets.storage.places import open_object, scheme_of

    if target == _STANDARD_OUTPUT:
        yield sys.stdout.buffer, "standard output"
        sys.stdout.buffer.flush()
        return
    if scheme_of(target) is None:
        path = Path(target).expanduser()
        if path.is_dir() or not path.name:
            raise StorageError(f"{target} is a folder: name a file in it")
        if path.exists() and not path.is_file():  # a pipe or a device is no file to replace
            with path.open("wb") as file:
                yield file, target
            return
        store, name = open_object(str(path.resolve()))  # a link stays, and leads to the new file
    else:
        store, name = open_object(target)
    scratch = store.scratch(name)
    try:
        with scratch.open("wb") as file:
            yield file, target
        store.put(scratch, name)
    finally:
        scratch.unlink(missing_ok=True)
