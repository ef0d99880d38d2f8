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
    from drug_assets.defs.resources import resources

    chosen = resources(settings or Settings.of())
    return dg.load_definitions_from_package_module(
        declarations, resources={**chosen, **(overrides or {})}, executor=dg.in_process_executor
    )


@dg.definitions
def defs() -> dg.Definitions:
    """The code location."""
    return definitions()
