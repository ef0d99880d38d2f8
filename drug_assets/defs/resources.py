"""The environments: which resources stand behind the same assets (SPEC section 9).

The only place that knows `DRUG_ASSETS_ENV`. A cloud's modules are imported by its own factory.
"""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

import dagster as dg

from drug_assets.cleaning.stop_list import StopList
from drug_assets.rules import stop_list_at
from drug_assets.settings import Settings, SettingsError
from drug_assets.storage.io_managers import Documents, ParquetTables, Place
from drug_assets.storage.places import read_location

if TYPE_CHECKING:
    from dagster_gcp import GCSResource

#: For steps that touch a place that may be away for a moment.
TRANSIENT = dg.RetryPolicy(
    max_retries=3, delay=1, backoff=dg.Backoff.EXPONENTIAL, jitter=dg.Jitter.PLUS_MINUS
)

Resources = dict[str, object]


class StopListFile(dg.ConfigurableResource[StopList]):
    """The names that titles are not searched for: a file of the user's, or the project's own."""

    location: str | None = None

    def read(self) -> StopList:
        """The list, as it is now; see `stop_list_at`."""
        return stop_list_at(self.location, read_location)


class Pulls(dg.ConfigurableResource):  # type: ignore[type-arg]
    """What the scheduled pulls ask for, and where it lands."""

    landing: str
    #: By source; a source without one is not pulled.
    queries: dict[str, str]
    #: By source, where not the service's own address.
    urls: dict[str, str]
    email: str | None = None

    def api_key(self) -> str | None:
        """NCBI's key, read when it is needed: configuration is shown in the UI."""
        return Settings.of().ncbi_api_key


def local(settings: Settings) -> Resources:
    """Everything as files, in a folder."""
    return _with_stores(_place(settings.landing, must_exist=True), _place(settings.store))


def gcs(settings: Settings) -> Resources:
    """Everything as files; the landing zone, the store or both in buckets."""
    from dagster_gcp import GCSResource

    client = GCSResource()
    landing = _bucket_or_folder(settings.landing, client, must_exist=True)
    return _with_stores(landing, _bucket_or_folder(settings.store, client))


def bigquery(settings: Settings) -> Resources:
    """Cleaned and published tables in BigQuery, all the rest as files, mostly in buckets."""
    from dagster_gcp import GCSResource

    from drug_assets.storage.google_cloud import WarehouseStore

    if settings.bigquery_project is None or settings.bigquery_dataset is None:
        raise SettingsError("DRUG_ASSETS_ENV is bigquery: name a project and a dataset")
    client = GCSResource()
    store = WarehouseStore(
        location=settings.store,
        objects=_bucket_or_folder(settings.store, client),
        project=settings.bigquery_project,
        dataset=settings.bigquery_dataset,
        dataset_location=settings.bigquery_location,
    )
    landing = _bucket_or_folder(settings.landing, client, must_exist=True)
    dataset = f"{settings.bigquery_project}.{settings.bigquery_dataset}"
    return _with_stores(landing, store) | {"tables": ParquetTables(store=store, dataset=dataset)}


def _with_stores(landing: Place, store: Place) -> Resources:
    return {
        "landing_zone": landing,
        "store": store,
        "raw_tables": ParquetTables(store=store),
        "tables": ParquetTables(store=store),
        "documents": Documents(store=store),
    }


def _place(location: str, *, must_exist: bool = False) -> Place:
    return Place(location=location, must_exist=must_exist)


def _bucket_or_folder(location: str, client: "GCSResource", *, must_exist: bool = False) -> Place:
    from drug_assets.storage.google_cloud import BucketPlace

    if location.startswith("gs://"):
        return BucketPlace(location=location, gcs=client, must_exist=must_exist)
    return _place(location, must_exist=must_exist)


FACTORIES: Mapping[str, Callable[[Settings], Resources]] = {
    "local": local,
    "gcs": gcs,
    "bigquery": bigquery,
}


def resources(settings: Settings) -> Resources:
    """The resources of the environment the settings name."""
    return {
        **FACTORIES[settings.environment](settings),
        "pulls": _pulls(settings),
        "stop_list": StopListFile(location=settings.stop_list),
    }


def _pulls(settings: Settings) -> Pulls:
    queries = {"pubmed": settings.pubmed_query, "clinical_trials": settings.clinical_trials_query}
    urls = {source: settings.service_url(source) for source in queries}
    return Pulls(
        landing=settings.landing,
        queries={source: query for source, query in queries.items() if query},
        urls={source: url for source, url in urls.items() if url},
        email=settings.ncbi_email,
    )


def sensor_status(settings: Settings) -> dg.DefaultSensorStatus:
    """Whether the landing zone is watched from the start: where it is a bucket and deployed so."""
    watched = settings.environment != "local" and settings.landing.startswith("gs://")
    return dg.DefaultSensorStatus.RUNNING if watched else dg.DefaultSensorStatus.STOPPED
