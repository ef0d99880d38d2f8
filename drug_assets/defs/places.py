"""The resources of a run: the places that it reads and writes, and the engine that it uses."""

import dagster as dg

from drug_assets.engines import Engine
from drug_assets.engines.local import WORTH_BYTES, LocalMachine
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

    #: Work on fewer bytes than this runs in the run's own process.
    worth_bytes: int = WORTH_BYTES

    def open(self) -> Engine:
        """The processes of this machine, the only engine so far."""
        return LocalMachine(self.worth_bytes)
