"""The files of the landing zone: which count, in which order, and one digest of all of them.

Nothing is read here but what decides whether anything changed: `landing` reads the files. Neither
Polars nor a contract is imported, so that a run with nothing to do ends at once.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from drug_assets.delivery import is_documentation, natural_key

if TYPE_CHECKING:
    from collections.abc import Iterable

    from drug_assets.storage.kept.content_ids import ContentIds
    from drug_assets.storage.objects import ObjectStore, StoredObject


def printable(name: str) -> str:
    """The name of a file as printable text, even if its bytes are not valid UTF-8."""
    return name.encode(errors="backslashreplace").decode()


def list_landed_objects(zone: ObjectStore) -> list[StoredObject]:
    """The files of the landing zone without documentation, in the order of delivery."""
    found = [o for o in zone.objects() if not is_documentation(o.name)]
    return sorted(found, key=lambda o: natural_key(o.name))


def compute_fingerprint(ids: ContentIds) -> str:
    """A digest of all names and contents in the landing zone; when they were written is ignored."""
    return digest_contents((o.name, ids.content_id(o)) for o in list_landed_objects(ids.zone))


def digest_contents(contents: Iterable[tuple[str, str]]) -> str:
    """The fingerprint of files with these names and identities of contents, in any order."""
    lines = [f"{printable(name)}\0{content}\n" for name, content in sorted(contents)]
    return hashlib.sha256("".join(lines).encode()).hexdigest()
