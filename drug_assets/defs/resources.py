"""The resources behind the assets, chosen by the settings (SPEC 9).

The scheme of a location decides which kind of place it is; `DRUG_ASSETS_ENV` decides whether tables
also go to BigQuery. The modules of a cloud are imported only where that cloud is chosen.
"""

import dagster as dg

from drug_assets.defs.io_managers import Documents, TablesByFile, WholeTables
from drug_assets.defs.mesh_trees import ChosenTrees
from drug_assets.defs.places import Place, WarehousePlace, Workers
from drug_assets.defs.progress import ProgressLog, Watcher
from drug_assets.defs.stop_list import StopListFile
from drug_assets.defs.workplace import Workplace
from drug_assets.settings import Settings, SettingsError
from drug_assets.storage.places import scheme_of

Resources = dict[str, object]


class Pulls(dg.ConfigurableResource):  # type: ignore[type-arg]
    """The queries of the scheduled pulls, and where their files land."""

    landing: str
    #: Query by source; a source without one is not pulled.
    queries: dict[str, str]
    #: Address by source, where it is not the service's own.
    urls: dict[str, str]
    email: str | None = None

    def api_key(self) -> str | None:
        """NCBI's key; not a configuration field, because the UI shows those."""
        return Settings.of().ncbi_api_key


def make_resources(settings: Settings, watcher: Watcher | None = None) -> Resources:
    """The resources that the settings ask for, by resource key.

    Args:
        settings: the settings.
        watcher: shows how far steps have come, beside the log.

    Raises:
        SettingsError: BigQuery is chosen, but no project or dataset is named.
    """
    store = _place(settings.store)
    warehouse = _warehouse(settings)
    landing_zone = _place(settings.landing, must_exist=True)
    stop_list = StopListFile(location=settings.stop_list)
    mesh_trees = ChosenTrees(trees=settings.mesh_trees)
    workplace = Workplace(
        store=store,
        landing_zone=landing_zone,
        stop_list=stop_list,
        mesh_trees=mesh_trees,
        warehouse=warehouse,
        keep_releases=settings.keep_releases,
        choices=settings.choices,
        served_at=settings.served_at,
    )
    engine = Workers(engine=settings.engine)
    progress = ProgressLog(watcher=watcher)
    return {
        "landing_zone": landing_zone,
        "workplace": workplace,
        "engine": engine,
        "progress": progress,
        "tables": WholeTables(workplace=workplace),
        "tables_by_file": TablesByFile(workplace=workplace, engine=engine, progress=progress),
        "documents": Documents(workplace=workplace),
        "stop_list": stop_list,
        "mesh_trees": mesh_trees,
        "pulls": Pulls(
            landing=settings.landing,
            queries=dict(settings.queries),
            urls=dict(settings.service_urls),
            email=settings.ncbi_email,
        ),
    }


def _place(location: str, *, must_exist: bool = False) -> Place:
    """The resource of a location; for `gs://`, one that uses Dagster's own `GCSResource`."""
    if scheme_of(location) != "gs":
        return Place(location=location, must_exist=must_exist)
    from dagster_gcp import GCSResource

    from drug_assets.defs.google_places import BucketPlace

    return BucketPlace(location=location, gcs=GCSResource(), must_exist=must_exist)


def _warehouse(settings: Settings) -> WarehousePlace:
    """The warehouse that published tables go to, if any."""
    if settings.environment != "bigquery":
        return WarehousePlace()
    if settings.bigquery_project is None or settings.bigquery_dataset is None:
        raise SettingsError("DRUG_ASSETS_ENV is bigquery: name a project and a dataset")
    return WarehousePlace(
        project=settings.bigquery_project,
        dataset=settings.bigquery_dataset,
        location=settings.bigquery_location,
    )


def choose_sensor_status(settings: Settings) -> dg.DefaultSensorStatus:
    """The initial status of the landing zone sensor: running unless the zone is a local folder."""
    watched = scheme_of(settings.landing) is not None
    return dg.DefaultSensorStatus.RUNNING if watched else dg.DefaultSensorStatus.STOPPED
