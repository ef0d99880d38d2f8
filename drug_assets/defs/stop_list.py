"""The stop list of a run as a resource."""

import dagster as dg

from drug_assets.cleaning.stop_list import StopList, read_stop_list
from drug_assets.storage.places import read_location


class StopListFile(dg.ConfigurableResource[StopList]):
    """The names that titles are not searched for: a file of the user, or the package's own."""

    location: str | None = None

    def read(self) -> StopList:
        """Read the current list; see `read_stop_list`."""
        return read_stop_list(self.location, read_location)
