"""The rules in force: what decides the outputs besides what landed, the code and the stop list.

What a stop list holds belongs to `cleaning.stop_list`, how its bytes are reached to `storage`.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import drug_assets
from drug_assets import CODE_VERSION
from drug_assets.cleaning.stop_list import StopList, StopListError
from drug_assets.formats import PARSER_VERSION

if TYPE_CHECKING:
    from collections.abc import Callable

#: The project's own stop list.
OWN = Path(drug_assets.__file__).with_name("stop_list.csv")


def stop_list_at(location: str | None, read: Callable[[str], bytes]) -> StopList:
    """The list at a path or `gs://` URI, as it is now; the project's own if none is named.

    Args:
        location: where it lies.
        read: gives the bytes at a location, or raises OSError.

    Raises:
        StopListError: it is not there or cannot be used; the message says where and why.
    """
    origin = location or str(OWN)
    try:
        data = read(origin)
    except OSError as error:
        raise StopListError(
            origin,
            f"cannot be read ({error.strerror or error}). Set DRUG_ASSETS_STOP_LIST to a CSV file "
            "with the columns name,reason, or unset it: then the project's own list is used.",
        ) from error
    return StopList.of(data, origin)


def rules_in_force(stop_list: StopList) -> str:
    """An identity of the rules: the same landing zone and rules give the same outputs."""
    return f"{CODE_VERSION}-{PARSER_VERSION}-{stop_list.digest[:16]}"
