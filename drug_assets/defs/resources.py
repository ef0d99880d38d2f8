"""The environments: which resources stand behind the same assets (SPEC section 9).

The only place that knows `DRUG_ASSETS_ENV`. A cloud's modules are imported by its own factory.
"""

from collections.abc import Callable, Mapping

import dagster as dg

from drug_assets.settings import Settings
from drug_assets.storage.io_managers import Documents, ParquetTables, Place

#: For steps that touch a place that may be away for a moment.
TRANSIENT = dg.RetryPolicy(
    max_retries=3, delay=1, backoff=dg.Backoff.EXPONENTIAL, jitter=dg.Jitter.PLUS_MINUS
)

Resources = dict[str, object]


def files(settings: Settings) -> Resources:
    """Everything as files, in a folder or a bucket."""
    store = Place(location=settings.store)
    return {
        "landing_zone": Place(location=settings.landing, must_exist=True),
        "store": store,
        "raw_tables": ParquetTables(store=store),
        "tables": ParquetTables(store=store),
        "documents": Documents(store=store),
    }


FACTORIES: Mapping[str, Callable[[Settings], Resources]] = {"local": files, "gcs": files}


def resources(settings: Settings) -> Resources:
    """The resources of the environment the settings name."""
    return FACTORIES[settings.environment](settings)
