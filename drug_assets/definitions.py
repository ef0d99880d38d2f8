"""The definitions that Dagster loads: the declarations of `defs`, with the settings' resources."""

import logging
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

import dagster as dg

from drug_assets.documents import DOCUMENTS
from drug_assets.errors import DrugAssetsError
from drug_assets.settings import Settings
from drug_assets.sources.tables import TABLES

if TYPE_CHECKING:
    from drug_assets.defs.progress import Watcher

log = logging.getLogger(__name__)

#: Keys of the IO managers of tables and documents.
IO_MANAGERS = frozenset({"tables", "tables_by_file", "documents"})


class DefinitionsError(DrugAssetsError):
    """Declarations do not match: a table without an asset, or an asset without a table."""


def make_definitions(
    settings: Settings | None = None,
    overrides: Mapping[str, object] | None = None,
    watcher: "Watcher | None" = None,
) -> dg.Definitions:
    """All assets, checks, jobs and sensors, with the resources that the settings name.

    Args:
        settings: the settings; those of the environment variables if not given.
        overrides: resources, by key, that replace those of the settings.
        watcher: shows how far the steps of a run in this process have come.

    Raises:
        DefinitionsError: a contract has no asset, or an asset has no contract.
    """
    from drug_assets.defs import (
        assets,
        checks,
        jobs,
        locations,
        loggers,
        notifications,
        pulls,
        release,
        resources,
        sensors,
    )

    chosen = settings or Settings.of()
    for note in chosen.notes:
        log.warning(note)
    declared = dg.load_assets_from_modules([assets, pulls, release], include_specs=True)
    _require_assets(declared)
    return dg.Definitions(
        assets=dg.map_asset_specs(
            locations.add_location(chosen),
            [d for d in declared if isinstance(d, dg.AssetsDefinition | dg.AssetSpec)],
        ),
        asset_checks=dg.load_asset_checks_from_modules([checks]),
        jobs=[jobs.drug_mentions, jobs.pulls],
        schedules=[jobs.daily, jobs.nightly_pulls],
        sensors=[
            sensors.make_landing_zone_sensor(resources.choose_sensor_status(chosen)),
            notifications.make_failure_sensor(chosen.failure_webhook),
            notifications.run_succeeded,
        ],
        loggers={"console": loggers.make_console_logger(as_json=chosen.log_format == "json")},
        resources={**resources.make_resources(chosen, watcher), **(overrides or {})},
        # With a process per step, every step would import everything again.
        executor=dg.in_process_executor,
    )


def _require_assets(declared: Iterable[object]) -> None:
    """Raise unless every table and document has an asset that makes it, and vice versa."""
    stored = {
        key.path[-1]
        for asset in declared
        if isinstance(asset, dg.AssetsDefinition)
        for key in asset.keys
        if asset.get_io_manager_key_for_asset_key(key) in IO_MANAGERS
    }
    expected = {*TABLES, *DOCUMENTS}
    if missing := sorted(expected - stored):
        raise DefinitionsError(
            f"no asset makes {', '.join(missing)}: add it to drug_assets/defs/assets.py, or take "
            "it out of drug_assets/sources/tables.py or drug_assets/documents.py"
        )
    if undeclared := sorted(stored - expected):
        raise DefinitionsError(
            f"the assets {', '.join(undeclared)} have no contract: declare each as a table in "
            "drug_assets/sources/tables.py, or as a document in drug_assets/documents.py"
        )
    if unawaited := sorted(expected - _collect_upstream("release", declared)):
        raise DefinitionsError(
            f"a release does not wait for {', '.join(unawaited)}: name its asset among those of "
            "`release` in drug_assets/defs/assets.py"
        )


def _collect_upstream(asset: str, declared: Iterable[object]) -> set[str]:
    """The names of all assets upstream of one, directly or through others."""
    parents: dict[dg.AssetKey, set[dg.AssetKey]] = {}
    for definition in declared:
        if isinstance(definition, dg.AssetsDefinition):
            for key in definition.keys:
                parents[key] = set(definition.asset_deps[key])
    found: set[dg.AssetKey] = set()
    new = {dg.AssetKey(asset)}
    while new:
        new = {parent for key in new for parent in parents.get(key, ())} - found
        found |= new
    return {key.path[-1] for key in found}


@dg.definitions
def defs() -> dg.Definitions:
    """The definitions of the code location, by the environment variables."""
    return make_definitions()
