"""The rules in force: what decides the outputs besides what landed, the code and the stop list.

What a stop list holds belongs to `cleaning.stop_list`.
"""

from __future__ import annotations

from pathlib import Path

import drug_assets
from drug_assets import CODE_VERSION
from drug_assets.cleaning.stop_list import StopList, StopListError
from drug_assets.formats import PARSER_VERSION
from drug_assets.storage.objects import StorageError
from drug_assets.storage.places import open_store

#: The project's own stop list.
OWN = Path(drug_assets.__file__).with_name("stop_list.csv")


def stop_list_at(location: str | None) -> StopList:
    """The list at a path or `gs://` URI, as it is now; the project's own if none is named.

    Raises:
        StopListError: it is not there or cannot be used; the message says where and why.
    """
    origin = location or str(OWN)
    folder, slash, name = origin.rpartition("/")
    try:
        data = open_store(folder or slash or ".").read(name)
    except (OSError, StorageError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise StopListError(
            origin,
            f"cannot be read ({reason}). Set DRUG_ASSETS_STOP_LIST to a CSV file with the "
            "columns name,reason, or unset it: then the project's own list is used.",
        ) from error
    return StopList.of(data, origin)


def rules_in_force(stop_list: StopList) -> str:
    """An identity of the rules: the same landing zone and rules give the same outputs."""
    return f"{CODE_VERSION}-{PARSER_VERSION}-{stop_list.digest[:16]}"
