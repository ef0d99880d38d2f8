"""The command that makes a release: run (SPEC 8)."""

from __future__ import annotations

import gc
import os
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING

import click

from drug_assets import sources
from drug_assets.cli.common import echo, landing_option, open_warehouse_of
from drug_assets.settings import Settings, SettingsError, logs_are_collected

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence


@click.command()
@landing_option
@click.option("--store", metavar="DIR_OR_URI", help="Where outputs go. [DRUG_ASSETS_STORE; output]")
@click.option(
    "--only-if-changed",
    is_flag=True,
    help="Do nothing if the landing zone is what the last successful run saw.",
)
@click.option(
    "--allow-empty",
    multiple=True,
    type=click.Choice([source.name for source in sources.ALL]),
    help="A source that may have lost all its rows, for this run only. Can be repeated.",
)
def run(
    landing: str | None, store: str | None, *, only_if_changed: bool, allow_empty: tuple[str, ...]
) -> None:
    """Materialize everything, with its checks, and release it."""
    try:
        settings = Settings.of(landing=landing, store=store)
        succeeded = _run(settings, only_if_changed=only_if_changed, allow_empty=allow_empty)
    except SettingsError as error:
        if logs_are_collected(os.environ):
            from drug_assets import logs

            # For alerts, a run that cannot begin is a failed run.
            logs.write_event(logs.RUN_FAILED, f"no run was begun: {error}")
        raise
    # Python would search all objects of Dagster and Polars for garbage before it ends: 0.5 s of the
    # 3.4 s that a run of the sample takes.
    gc.freeze()
    sys.exit(0 if succeeded else 1)


def _run(settings: Settings, *, only_if_changed: bool, allow_empty: Sequence[str]) -> bool:
    """Run, unless nothing changed; return whether the run succeeded.

    Raises:
        SettingsError: a place cannot be used.
    """
    for note in settings.notes:
        echo(f"note: {note}", err=True)
    with _loading():
        if only_if_changed and _is_unchanged(settings):
            message = f"Nothing changed in {settings.landing} since the last successful run."
            echo(message)
            if settings.log_format == "json":
                from drug_assets import logs

                # The alert on missing successes must not fire because nothing landed.
                logs.write_event(logs.RUN_SUCCEEDED, message)
            return True
        from drug_assets.cli.in_process import run_everything

    return run_everything(settings, allow_empty=allow_empty)


@contextmanager
def _loading() -> Iterator[None]:
    """A time in which nearly all that is made stays: to look for garbage in it takes 0.4 s."""
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.enable()


def _is_unchanged(settings: Settings) -> bool:
    from drug_assets.cleaning.mesh_trees import MeshTrees
    from drug_assets.cleaning.stop_list import StopListError, read_stop_list
    from drug_assets.storage.objects import StorageError
    from drug_assets.storage.places import open_store, read_location
    from drug_assets.storage.releases import is_unchanged_since_release
    from drug_assets.versions import compute_rules_version

    try:
        zone = open_store(settings.landing, must_exist=True)
        rules = compute_rules_version(
            read_stop_list(settings.stop_list, read_location).digest,
            MeshTrees.of(settings.mesh_trees).digest,
            **settings.choices,
        )
        store = open_store(settings.store)
        return is_unchanged_since_release(zone, store, rules, open_warehouse_of(settings))
    except (StorageError, StopListError) as error:
        raise SettingsError(str(error)) from error
