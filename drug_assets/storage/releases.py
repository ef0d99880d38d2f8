"""What a store says of its releases, and whether a run would make another one.

Writing and releasing outputs belongs to `outputs`. Neither Polars nor a contract is imported, so
that a run with nothing to do ends at once.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from drug_assets.storage.kept.content_ids import ContentIds
from drug_assets.storage.landed_files import compute_fingerprint

if TYPE_CHECKING:
    from collections.abc import Mapping

    from drug_assets.storage.objects import ObjectStore

#: The prefix of what runs have written and not released.
STAGING = ".staging/"
#: A staged object of this name marks the run as audited: its release has begun.
READY = "READY"
#: The document that a release writes last.
RELEASE_DOCUMENT = "release.json"
#: The document that records which state of the landing zone a run read.
LANDING_DOCUMENT = "landing.json"


def read_last_release(store: ObjectStore) -> Mapping[str, Any]:
    """The content of `release.json`, see `Outputs.summarize`; empty before the first release."""
    try:
        document: Mapping[str, Any] = json.loads(store.read(RELEASE_DOCUMENT))
    except FileNotFoundError:
        return {}
    return document


def release_is_pending(store: ObjectStore) -> bool:
    """Whether a release was interrupted after its audit; the next run finishes it."""
    return any(o.name.rpartition("/")[2] == READY for o in store.objects(STAGING))


def is_unchanged_since_release(zone: ObjectStore, store: ObjectStore, rules: str) -> bool:
    """Whether the last release was made from the same landed files, by the same rules.

    False while an interrupted release is pending.

    Args:
        zone: the landing zone; names and bytes of its files are compared.
        store: the store of the release.
        rules: the version of everything that determines the outputs besides the landed files.

    Raises:
        StorageError: one of the places may not be read.
    """
    if release_is_pending(store):
        return False
    released = read_last_release(store)
    if released.get("rules") != rules:
        return False
    return bool(
        released["landing"]["fingerprint"] == compute_fingerprint(ContentIds.of(zone, store))
    )
