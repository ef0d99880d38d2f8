"""The commands about releases of a store: releases, rollback (SPEC 8)."""

from __future__ import annotations

import os

import click

from drug_assets.cli.common import (
    USAGE,
    echo,
    echo_json,
    json_option,
    open_warehouse_of,
    stop,
    store_option,
)
from drug_assets.settings import Settings, logs_are_collected


@click.command("releases")
@store_option
@json_option
def list_releases(store: str | None, *, as_json: bool) -> None:
    """The releases that are kept, the newest first."""
    from drug_assets.storage.places import open_store
    from drug_assets.storage.releases import describe_releases

    found = describe_releases(open_store(Settings.of(store=store).store))
    if as_json:
        echo_json([release._asdict() for release in found])
        return
    if not found:
        echo("There is no release yet: run `drug-assets run`.")
    for release in found:
        echo(
            f"{release.release}  {release.state or '':<11}  {release.files} files landed, "
            f"{release.mentions} mentions, {release.checks or 0} blocking checks passed, "
            f"landing zone {release.landing[:12]}, rules {release.rules}"
        )


@click.command()
@click.argument("release", required=False)
@click.option("--resume", is_flag=True, help="End a rollback: the newest release is current again.")
@store_option
def rollback(release: str | None, store: str | None, *, resume: bool) -> None:
    """Make an earlier RELEASE the current one.

    Until the landing zone or the rules change, `run --only-if-changed` leaves it current.
    """
    from drug_assets.storage.places import open_store
    from drug_assets.storage.releases import end_rollback, roll_back

    if (release is None) != resume:
        stop("name a release, or --resume (`drug-assets releases` lists them)", USAGE)
    settings = Settings.of(store=store)
    place, warehouse = open_store(settings.store), open_warehouse_of(settings)
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
    echo(message)
    if logs_are_collected(os.environ):
        from drug_assets import logs

        # People who read the outputs should know that they are older than the landing zone.
        logs.write_event(
            logs.ROLLED_BACK, message, release=pointer.release, left=pointer.left or ""
        )
