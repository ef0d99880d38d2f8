"""The files of the landing zone: which count, in which order, and one digest of all of them.

Nothing is read here but what decides whether anything changed: `landing` reads the files. Neither
Polars nor a contract is imported, so that a run with nothing to do ends at once.
"""

from __future__ import annotations

import hashlib
import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from drug_assets.delivery import is_documentation, natural_key

if TYPE_CHECKING:
    from collections.abc import Iterable

    from drug_assets.storage.kept.content_ids import ContentIds
    from drug_assets.storage.objects import ObjectStore, StoredObject


def list_landed_objects(zone: ObjectStore) -> list[StoredObject]:
    """The files of the landing zone without documentation, in the order of delivery."""
    found = [o for o in zone.objects() if not is_documentation(o.name)]
    return sorted(found, key=lambda o: natural_key(o.name))


@dataclass(frozen=True)
class Identified:
    """A landed file, and the identity of its bytes."""

    found: StoredObject
    content: str
    #: Why it cannot be read, whatever its source and format; then `content` says that, too.
    problem: str | None = None


def identify_landed_files(ids: ContentIds) -> list[Identified]:
    """The landed files in the order of delivery, each with the identity of its bytes."""
    listed = list_landed_objects(ids.zone)
    # A zone that lists no content identities has its files read and hashed; both release the GIL.
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        return list(pool.map(lambda found: _identify(ids, found), listed))


def _identify(ids: ContentIds, found: StoredObject) -> Identified:
    problem = None
    try:
        found.name.encode()
        return Identified(found, ids.content_id(found))
    except UnicodeEncodeError:
        problem = "its name is not UTF-8: rename it"
    except PermissionError:
        problem = "cannot be opened: no permission to read it"
    except OSError as error:
        problem = f"cannot be opened: {error.strerror or error}"
    return Identified(found, problem, problem)


class LandedState(StrEnum):
    """What became of a file that was read from the landing zone."""

    UNCHANGED = "unchanged"
    CHANGED = "changed"
    GONE = "gone"
    #: Or it may not be read, or is written right now.
    UNREADABLE = "cannot be read"


def look_for_landed(
    zone: ObjectStore, name: str, size_bytes: int, sha256: str | None
) -> LandedState:
    """Whether a landed file still lies in the landing zone with the bytes that were read.

    Args:
        zone: the landing zone.
        name: the file below it.
        size_bytes: the size that it had.
        sha256: the hash of its bytes.

    Raises:
        StorageError: there is no such landing zone.
    """
    found = next((one for one in zone.objects(name) if one.name == name), None)
    if found is None:
        return LandedState.GONE
    if found.size_bytes != size_bytes:
        return LandedState.CHANGED
    try:
        with zone.borrow(name, found.version) as path, path.open("rb") as file:
            is_same = hashlib.file_digest(file, "sha256").hexdigest() == sha256
    except OSError:
        return LandedState.UNREADABLE
    return LandedState.UNCHANGED if is_same else LandedState.CHANGED


def compute_fingerprint(ids: ContentIds) -> str:
    """A digest of all names and contents in the landing zone; when they were written is ignored."""
    return digest_contents((o.found.name, o.content) for o in identify_landed_files(ids))


def digest_contents(contents: Iterable[tuple[str, str]]) -> str:
    """The fingerprint of files with these names and identities of contents, in any order."""
    # A name whose bytes are no valid UTF-8 cannot be encoded otherwise.
    lines = [f"{name}\0{content}\n" for name, content in sorted(contents)]
    return hashlib.sha256("".join(lines).encode(errors="backslashreplace")).hexdigest()
