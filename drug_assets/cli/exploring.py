"""The command that shows the explorer: explore (SPEC 8)."""

from __future__ import annotations

import os
from pathlib import Path

import click

from drug_assets.cli.common import echo, release_options
from drug_assets.errors import DrugAssetsError
from drug_assets.explorer import FILE, FOLDER
from drug_assets.settings import Settings


class NoExplorerError(DrugAssetsError):
    """A release has no explorer; the message says where it was looked for."""


@click.command()
@release_options
def explore(store: str | None, release: str | None) -> None:
    """Open the explorer in a browser, or say where it lies."""
    from drug_assets.storage.places import open_store, scheme_of
    from drug_assets.storage.pointer import LINK
    from drug_assets.storage.releases import open_release

    location = Settings.of(store=store).store
    place = open_store(location)
    name = open_release(place, release).name(FILE)
    if not any(found.name == name for found in place.objects(name)):
        raise NoExplorerError(
            f"there is no {place.uri(name)}: an earlier version made this release. Run "
            "`drug-assets run`"
        )
    if scheme_of(location) is not None:
        echo(
            f"The explorer is {place.uri(name)}: copy it to a folder, and {FOLDER}/ beside it if "
            "there is one, and open it in a browser."
        )
        return
    path = Path(place.uri(name)).absolute()
    current = Path(place.uri(f"{LINK}/{FILE}")).absolute()
    if release is None and current.exists():
        path = current  # it leads to the newest one after the next run, too
    if _open_in_browser(path):
        echo(f"Opened {path}")
    else:
        echo(f"The explorer is {path}: open it in a browser.")


def _open_in_browser(page: Path) -> bool:
    """Open a page; return whether there is a browser for it.

    One that a terminal shows is none, unless it was chosen: the page needs scripts.
    """
    import webbrowser

    try:
        browser = webbrowser.get()
    except webbrowser.Error:
        return False
    if type(browser) is webbrowser.GenericBrowser and "BROWSER" not in os.environ:
        return False
    return browser.open(page.as_uri())
