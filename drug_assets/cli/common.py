"""What the commands share: printing, exit codes, options (SPEC 8)."""

from __future__ import annotations

import sys
from contextlib import contextmanager
from itertools import islice
from typing import TYPE_CHECKING, NoReturn, Protocol, TypeVar

import click

from drug_assets.sources import PUBLICATIONS
from drug_assets.wording import printable, printable_json

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from drug_assets.answers.forms import Answer
    from drug_assets.periods import Period
    from drug_assets.settings import Settings
    from drug_assets.storage.commit import Warehouse
    from drug_assets.storage.released import ReleasedTables

_Command = TypeVar("_Command", bound="Callable[..., object]")


class _Declaration(Protocol):
    """What declares an option or an argument of a command, or several."""

    def __call__(self, command: _Command, /) -> _Command: ...


#: Exit code for wrong usage or configuration.
USAGE = 2
#: How many rows a terminal shows if nobody says how many.
ROWS_IN_TERMINAL = 50
#: Lines of JSON that are printed at once.
_LINES = 1000


def stop(message: str, code: int) -> NoReturn:
    """End the command with a message on stderr and an exit code."""
    echo(f"drug-assets: {message}", err=True)
    sys.exit(code)


def echo(text: str, *, err: bool = False) -> None:
    """Print a text that may hold names and titles: a terminal shows them, and obeys nothing."""
    click.echo(printable(text, lines=True), err=err)


def echo_json(answer: object) -> None:
    """Print an answer as JSON."""
    import json

    click.echo(printable_json(json.dumps(answer, ensure_ascii=False, indent=2)))


def open_warehouse_of(settings: Settings) -> Warehouse | None:
    """The warehouse that the settings name, if there is one."""
    if settings.environment != "bigquery":
        return None
    from drug_assets.storage.places import open_warehouse

    return open_warehouse(
        settings.bigquery_project, settings.bigquery_dataset, settings.bigquery_location
    )


@contextmanager
def tables_of(store: str | None, release: str | None) -> Iterator[ReleasedTables]:
    """The tables of a release; a place or a table that is not there is told as wrong usage.

    A table that is damaged, or of an earlier version and without a column, ends the command, too.

    Args:
        store: the store; None for that of the settings.
        release: the release; None for the current one.
    """
    from drug_assets.settings import Settings
    from drug_assets.storage.objects import StorageError
    from drug_assets.storage.places import open_store
    from drug_assets.storage.released import NoTableError, ReleasedTables
    from drug_assets.storage.releases import NoReleaseError, open_release

    try:
        place = open_store(Settings.of(store=store).store)
        opened = open_release(place, release)
    except (StorageError, NoReleaseError) as error:
        stop(str(error), USAGE)
    try:
        with told_if_damaged(opened.id):
            yield ReleasedTables(opened)
    except (StorageError, NoTableError) as error:
        stop(str(error), USAGE)


@contextmanager
def told_if_damaged(release: str) -> Iterator[None]:
    """Tell in one line, with exit code 1, of tables in a release that cannot be read.

    Args:
        release: how it is named to people.
    """
    from polars.exceptions import PolarsError

    try:
        yield
    except PolarsError as error:
        reason = str(error).strip().partition("\n")[0]
        stop(
            f"release {release} cannot be read ({reason}): it is damaged, or of an earlier "
            "version; run `drug-assets run`, or name another release",
            1,
        )


def is_terminal() -> bool:
    """Whether somebody reads what is printed as it comes."""
    return sys.stdout.isatty()


def read_limit(limit: int | None, form: str) -> int | None:
    """How many rows are listed, None for all, as `limit_option` says.

    Args:
        limit: what was given.
        form: text, json or csv.
    """
    if limit is not None:
        return limit or None
    return ROWS_IN_TERMINAL if form == "text" and is_terminal() else None


def choose_form(*, as_json: bool, as_csv: bool) -> str:
    """The form of an answer that `form_options` give: text, json or csv."""
    if as_json and as_csv:
        stop("--json and --csv are two forms of an answer: choose one", USAGE)
    return "json" if as_json else "csv" if as_csv else "text"


def print_answer(
    form: str, answer: Answer, as_lines: Callable[[int | None], Iterator[str]]
) -> None:
    """Print an answer.

    Args:
        form: text, json or csv.
        answer: the answer as JSON and CSV are made from it.
        as_lines: makes the lines of the text; takes the width of the terminal, None if it is none.
    """
    if form == "json":
        lines = answer.json_lines()
        # Line by line, it takes twice as long.
        while batch := list(islice(lines, _LINES)):
            click.echo("\n".join(batch))
    elif form == "csv":
        for text in answer.csv_lines():
            # The line ends are those of the format, on every system.
            click.echo(text.encode(), nl=False)
    else:
        import shutil

        width = shutil.get_terminal_size().columns if is_terminal() else None
        for line in as_lines(width):
            echo(line)


def read_period(since: str | None, until: str | None) -> Period | None:
    """The period that `period_options` give; what is no period is wrong usage."""
    if since is None and until is None:
        return None
    from drug_assets.periods import Period, PeriodError

    try:
        return Period.parse(since, until)
    except PeriodError as error:
        stop(str(error), USAGE)


def _together(*declarations: _Declaration) -> _Declaration:
    """Several declarations as one, in their order."""

    def declare(command: _Command) -> _Command:
        for declaration in reversed(declarations):
            command = declaration(command)
        return command

    return declare


def sort_option(orders: tuple[str, ...], meaning: str) -> _Declaration:
    """The option that says what a list is sorted by.

    Args:
        orders: the words for the orders, that of the default first.
        meaning: what they mean.
    """
    return click.option(
        "--sort",
        "order",
        type=click.Choice(orders),
        default=orders[0],
        help=f"{meaning} [{orders[0]}]",
    )


drug_argument = click.argument("drug", metavar="DRUG")
#: The sources of publications.
SOURCES = click.Choice([source.name for source in PUBLICATIONS])
landing_option = click.option(
    "--landing", metavar="DIR_OR_URI", help="Landing zone. [DRUG_ASSETS_LANDING; data]"
)
store_option = click.option(
    "--store", metavar="DIR_OR_URI", help="The store. [DRUG_ASSETS_STORE; output]"
)
release_options = _together(
    store_option,
    click.option("--release", metavar="ID", help="A release of the store. [the current one]"),
)
json_option = click.option("--json", "as_json", is_flag=True, help="Answer as JSON.")
form_options = _together(
    json_option,
    click.option(
        "--csv",
        "as_csv",
        is_flag=True,
        help="Answer as CSV for spreadsheets, in UTF-8; what one would take for a formula begins "
        "with an apostrophe.",
    ),
)
period_options = _together(
    click.option(
        "--since",
        metavar="DATE",
        help="From this day, month or year on: 2003-05-12, 2003-05, 2003. A mention counts unless "
        "its date, as far as it is known, surely lies outside; one without a date does not.",
    ),
    click.option(
        "--until", metavar="DATE", help="To the end of this day, month or year, in the same way."
    ),
)
limit_option = click.option(
    "--limit",
    metavar="N",
    type=click.IntRange(min=0),
    help="List N at most; 0 lists all. [in a terminal 50, else all]",
)
