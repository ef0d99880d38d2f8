"""The command that serves the current release over HTTP: serve (SPEC 8)."""

from __future__ import annotations

from contextlib import suppress

import click

from drug_assets.cli.common import USAGE, echo, stop, store_option
from drug_assets.settings import Settings


@click.command()
@store_option
@click.option(
    "--host",
    default="127.0.0.1",
    metavar="ADDRESS",
    help="Who can reach it: 0.0.0.0 is everybody. [127.0.0.1, this machine alone]",
)
@click.option(
    "--port",
    default=8000,
    envvar="PORT",
    type=click.IntRange(0, 65535),
    help="0 is any. [PORT; 8000]",
)
@click.option(
    "--allow-host",
    "hosts",
    multiple=True,
    metavar="NAME",
    help="A name by which it may be asked for; of others, nothing is told. Can be repeated. "
    "[this machine's for itself; any with another --host]",
)
def serve(store: str | None, host: str, port: int, hosts: tuple[str, ...]) -> None:
    """Serve the current release over HTTP, read-only.

    The explorer, the documents, and the questions as JSON (/api/mentions?drug=…; /openapi.json
    describes them). A new release is served as soon as it is current.
    """
    from drug_assets.serving.current import CurrentRelease
    from drug_assets.serving.server import AddressError, Server
    from drug_assets.storage.objects import StorageError
    from drug_assets.storage.places import open_store
    from drug_assets.storage.releases import NoReleaseError

    try:
        place = open_store(Settings.of(store=store).store)
        current = CurrentRelease(place)
        server = Server(current, host, port, hosts)
    except (StorageError, AddressError) as error:
        stop(str(error), USAGE)
    try:
        told = f"release {current.get().release.id}"
    except NoReleaseError:
        told = "the first release, as soon as there is one"
    except StorageError as error:
        # A right to read that was just granted takes minutes to hold.
        echo(f"drug-assets: {error}", err=True)
        told = "the current release, as soon as it can be read,"
    echo(f"Serving {told} of {place.uri()} at {server.url} until Ctrl-C")
    # Ctrl-C ends the server in order, and is then raised once more.
    with suppress(KeyboardInterrupt):
        server.run()
