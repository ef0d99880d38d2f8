"""The resources of a run: the places that it reads and writes, and the engine that it uses."""

from collections.abc import Callable

import dagster as dg

from drug_assets.engines import Engine
from drug_assets.engines.local import WORTH_BYTES, LocalMachine
from drug_assets.settings import Settings, SettingsError
from drug_assets.storage.commit import Warehouse
from drug_assets.storage.objects import ObjectStore
from drug_assets.storage.places import open_store, open_warehouse


class Place(dg.ConfigurableResource[ObjectStore]):
    """A folder, or a URI such as `gs://bucket/prefix`."""

    location: str
    must_exist: bool = False

    def open(self) -> ObjectStore:
        """The store of the objects below the location."""
        return open_store(self.location, must_exist=self.must_exist)


class WarehousePlace(dg.ConfigurableResource[Warehouse | None]):
    """A BigQuery dataset that published tables go to; without a dataset, they go nowhere else."""

    project: str | None = None
    dataset: str | None = None
    location: str | None = None

    def open(self) -> Warehouse | None:
        """The warehouse; None without a dataset."""
        return open_warehouse(self.project, self.dataset, self.location)

    def name(self, table: str) -> str | None:
        """The full name of a table there: `project.dataset.table`; None without a dataset."""
        return f"{self.project}.{self.dataset}.{table}" if self.dataset else None


class Workers(dg.ConfigurableResource[Engine]):
    """The engine that makes the parts of tables kept file by file."""

    #: One of `settings.ENGINES`.
    engine: str = "local"
    #: Work on fewer bytes than this runs in the run's own process; that of the engine if not given.
    worth_bytes: int | None = None

    def open(self, tell: Callable[[str], object] = str) -> Engine:
        """The processes of this machine, or a Spark.

        Args:
            tell: is told what leaves this machine.

        Raises:
            SettingsError: no Spark is named.
        """
        if self.engine == "local":
            return LocalMachine(WORTH_BYTES if self.worth_bytes is None else self.worth_bytes)
        from drug_assets.engines import spark

        # Its address is no configuration field, because the UI shows those.
        settings = Settings.of()
        if settings.spark is None:
            raise SettingsError("DRUG_ASSETS_ENGINE is spark: set DRUG_ASSETS_SPARK")
        worth_bytes = spark.WORTH_BYTES if self.worth_bytes is None else self.worth_bytes
        return spark.Spark(settings.spark, settings.spark_image, worth_bytes, tell)

    def teardown_after_execution(self, context: dg.InitResourceContext) -> None:  # noqa: ARG002
        """End the session of Spark, if a run has opened one."""
        if self.engine != "local":
            from drug_assets.engines.sessions import close_session

            close_session()
