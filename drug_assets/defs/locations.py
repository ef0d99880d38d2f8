"""Where each asset is stored, as definitions show it before any run: `dagster/uri` and the like.

Only what the settings already tell: a bucket has no fixed name for the files of its current
release.
"""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import dagster as dg

from drug_assets.defs.workplace import FILES
from drug_assets.documents import DOCUMENTS
from drug_assets.settings import Settings
from drug_assets.sources.tables import TABLES
from drug_assets.storage.places import scheme_of
from drug_assets.storage.pointer import LINK
from drug_assets.storage.releases import RELEASE_DOCUMENT

#: Keys of the metadata that is added.
KEYS = frozenset({"dagster/uri", "dagster/storage_kind", "dagster/table_name"})


def add_location(settings: Settings) -> Callable[[dg.AssetSpec], dg.AssetSpec]:
    """A function that adds to an asset where it is stored with these settings."""

    def add(spec: dg.AssetSpec) -> dg.AssetSpec:
        found = locate(spec.key.path[-1], settings)
        return spec.merge_attributes(metadata=found) if found else spec

    return add


def locate(asset: str, settings: Settings) -> Mapping[str, Any]:
    """Where an asset is stored, as metadata; empty if that is not known before a run.

    Args:
        asset: name of the asset.
        settings: the settings.
    """
    file = FILES.get(asset, RELEASE_DOCUMENT if asset == "release" else None)
    if file is None:
        return {}
    in_warehouse = settings.environment == "bigquery" and asset in TABLES
    if in_warehouse and TABLES[asset].published:
        dataset = f"{settings.bigquery_project}.{settings.bigquery_dataset}"
        return {
            "dagster/table_name": f"{dataset}.{asset}",
            "dagster/storage_kind": "bigquery",
        }
    kind = "parquet" if asset in TABLES else DOCUMENTS[asset].kind if asset in DOCUMENTS else "json"
    if scheme_of(settings.store) is not None:
        return {"dagster/storage_kind": kind}
    path = Path(settings.store).resolve() / LINK / file
    return {"dagster/uri": path.as_uri(), "dagster/storage_kind": kind}
