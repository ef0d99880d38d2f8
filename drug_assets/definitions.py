"""What Dagster loads: everything under `defs`, with the resources of the chosen environment."""

from collections.abc import Mapping

import dagster as dg

from drug_assets import defs as declarations
from drug_assets.settings import Settings


def definitions(
    settings: Settings | None = None, overrides: Mapping[str, object] | None = None
) -> dg.Definitions:
    """All assets, checks, jobs and sensors, with the resources that the settings name.

    Args:
        settings: the settings; without, those that the environment variables give.
        overrides: resources to use in place of the environment's.
    """
    from drug_assets.defs import jobs, loggers, notifications, pulls, resources, sensors

    chosen = settings or Settings.of()
    return dg.Definitions(
        assets=dg.load_assets_from_package_module(declarations),
        asset_checks=dg.load_asset_checks_from_package_module(declarations),
        jobs=[jobs.drug_mentions, pulls.pulls_job],
        schedules=[jobs.daily, pulls.nightly_pulls],
        sensors=[
            sensors.landing_zone_sensor(resources.sensor_status(chosen)),
            notifications.on_failure(chosen.failure_webhook),
            notifications.run_succeeded,
        ],
        loggers={"console": loggers.console(as_json=chosen.log_format == "json")},
        resources={**resources.resources(chosen), **(overrides or {})},
        # One process a step would import everything again for each of them.
        executor=dg.in_process_executor,
    )


@dg.definitions
def defs() -> dg.Definitions:
    """The code location."""
    return definitions()
