"""The releases of a store: which is current, what each was made from, going back to one.

A release is a folder `releases/ID/` that never changes; its id sorts by time. It holds every table
and document and, in `release.json`, what they were made from. The store's pointer says which one is
current (`pointer`); `commit` makes releases. Neither Polars nor a contract is imported, so that a
question, or a run with nothing to do, is answered at once.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, NamedTuple

from drug_assets.errors import DrugAssetsError
from drug_assets.storage.pointer import RELEASES, Pointer

if TYPE_CHECKING:
    from collections.abc import Mapping

    from drug_assets.storage.commit import Warehouse
    from drug_assets.storage.objects import ObjectStore

#: The document of a release that says what it was made from.
RELEASE_DOCUMENT = "release.json"
#: The document that records which state of the landing zone a run read.
LANDING_DOCUMENT = "landing.json"
#: How often a pointer that others replace meanwhile is completed.
_ATTEMPTS = 10
_ID_FORMAT = "%Y%m%dT%H%M%S.%fZ"


class NoReleaseError(DrugAssetsError):
    """There is no such release; the message lists those that there are."""


class RollbackError(DrugAssetsError):
    """A store cannot be rolled back; the message explains why."""


@dataclass(frozen=True)
class Release:
    """One release of a store, to read from."""

    store: ObjectStore
    #: Empty for the outputs of a version that had no releases.
    id: str

    def name(self, output: str = "") -> str:
        """The name of an output's object; without an output, the prefix of all of them."""
        return f"{RELEASES}{self.id}/{output}" if self.id else output

    def read_summary(self) -> Mapping[str, Any]:
        """The content of `release.json`, see `commit`; empty if it is missing or damaged."""
        import json  # questions need none of it

        try:
            summary = json.loads(self.store.read(self.name(RELEASE_DOCUMENT)))
        except (FileNotFoundError, ValueError):
            return {}
        return summary if _is_summary(summary) else {}

    def is_complete(self) -> bool:
        """Whether every file is there, with the size that `release.json` gives."""
        notes = self.read_summary().get("files", {})
        prefix = self.name()
        sizes = {
            found.name.removeprefix(prefix): found.size_bytes
            for found in self.store.objects(prefix)
        }
        complete = (sizes.get(name) == note.get("size_bytes") for name, note in notes.items())
        return bool(notes) and all(complete)

    @property
    def released_at(self) -> datetime:
        """When it was released, in UTC."""
        return _time_of(self.id)


def _is_summary(value: Any) -> bool:
    """Whether a document has the shape of `release.json`, as far as it goes."""
    if not isinstance(value, dict):
        return False
    landing, rows, files = (value.get(name, {}) for name in ("landing", "rows", "files"))
    if not all(isinstance(part, dict) for part in (landing, rows, files)):
        return False
    return all(isinstance(note, dict) for note in files.values())


def current_release(store: ObjectStore) -> Release | None:
    """The current release, or the outputs that a version without releases left; None without."""
    pointer = store.pointer()
    if pointer is not None:
        return Release(store, pointer.release)
    former = any(found.name == RELEASE_DOCUMENT for found in store.objects(RELEASE_DOCUMENT))
    return Release(store, "") if former else None


def open_release(store: ObjectStore, release: str | None = None) -> Release:
    """A release to read from.

    Args:
        store: the store.
        release: its id; the current one if not given.

    Raises:
        NoReleaseError: there is none, or none with this id.
    """
    if release is None:
        current = current_release(store)
        if current is None:
            raise NoReleaseError(
                f"there is no release in {store.uri()}: run `drug-assets run`, or name another "
                "place with --store"
            )
        return current
    pointer = store.pointer()
    if pointer is None or release not in pointer.releases:
        raise NoReleaseError(
            f"there is no release {release} in {store.uri()}: `drug-assets releases` lists them"
        )
    return Release(store, release)


class ReleaseLine(NamedTuple):
    """What one release is, for people."""

    release: str
    released_at: str
    #: `current`, `rolled back` (left by a rollback) or None.
    state: str | None
    #: Landed files, and the fingerprint of the landing zone.
    files: int
    landing: str
    rules: str
    mentions: int
    #: How many blocking checks passed.
    checks: int | None


def describe_releases(store: ObjectStore) -> list[ReleaseLine]:
    """What every kept release is, the newest first."""
    pointer = store.pointer()
    lines = []
    for release in list_releases(store):
        summary = release.read_summary()
        landing = summary.get("landing", {})
        state = None
        if pointer is not None and release.id == pointer.release:
            state = "current"
        elif pointer is not None and release.id == pointer.left:
            state = "rolled back"
        lines.append(
            ReleaseLine(
                release=release.id,
                released_at=release.released_at.isoformat(timespec="seconds"),
                state=state,
                files=landing.get("files", 0),
                landing=landing.get("fingerprint", ""),
                rules=summary.get("rules", ""),
                mentions=summary.get("rows", {}).get("mentions", 0),
                checks=summary.get("checks"),
            )
        )
    return lines


def list_releases(store: ObjectStore) -> list[Release]:
    """All releases that are kept, the newest first."""
    pointer = store.pointer()
    kept = pointer.releases if pointer else ()
    return [Release(store, release) for release in reversed(kept)]


def roll_back(store: ObjectStore, release: str, warehouse: Warehouse | None = None) -> Pointer:
    """Make an earlier release the current one, until a run releases something new.

    Args:
        store: the store.
        release: the id of the release; that of the newest one ends a rollback.
        warehouse: where its tables are made current, too.

    Raises:
        NoReleaseError: there is no such release.
        RollbackError: the release is current, its files are incomplete, or a run released at the
            same time.
        StorageError: the store or the warehouse cannot be used.
    """
    with store.lock():
        complete_pointer(store, warehouse)
        target = open_release(store, release)
        pointer = store.pointer()
        if pointer is None:
            raise NoReleaseError(f"there is no release in {store.uri()}")
        if pointer.release == release:
            raise RollbackError(f"{release} is the current release already")
        if not target.is_complete():
            raise RollbackError(
                f"{store.uri(target.name())} is incomplete, and cannot be published again: choose "
                "another release, or run `drug-assets run`"
            )
        left = None if release == pointer.newest else pointer.newest
        new = Pointer(release, left, pointer.releases)
        publish(warehouse, target, pointer)
        if store.swap_pointer(pointer, new):
            return new
        # The pointer decides: what a warehouse holds follows it.
        if found := store.pointer():
            publish(warehouse, Release(store, found.release), found)
    raise RollbackError("a run released at the same time: look at `drug-assets releases` again")


def complete_pointer(store: ObjectStore, warehouse: Warehouse | None) -> str | None:
    """Point to the release that the warehouse holds, if a run was killed just before it did.

    Returns:
        The id of this release; None if there was nothing to complete.
    """
    if warehouse is None:
        return None
    for _ in range(_ATTEMPTS):
        published = warehouse.current_release()
        pointer = store.pointer()
        if published is None or (pointer is not None and published <= pointer.newest):
            return None
        if not Release(store, published).is_complete():
            return None
        listed = (*(pointer.releases if pointer else ()), published)
        if store.swap_pointer(pointer, Pointer(published, None, listed)):
            return published
    return None


def publish(warehouse: Warehouse | None, release: Release, pointer: Pointer | None) -> None:
    """Make the tables of a release current in a warehouse, if there is one.

    Args:
        warehouse: the warehouse.
        release: the release.
        pointer: the pointer of the store, which is replaced afterwards.

    Raises:
        ConflictError: the warehouse holds what is no release of this store.
        StorageError: nothing was published; the message gives the reason.
    """
    if warehouse is None:
        return
    base = pointer.release if pointer else None
    held = warehouse.current_release()
    # It can hold an earlier one, if a rollback was cut off or a release did not go there; but not
    # one that somebody just went back to.
    if pointer is not None and held in pointer.releases and release.store.pointer() == pointer:
        base = held
    warehouse.publish(release, base)


def end_rollback(store: ObjectStore, warehouse: Warehouse | None = None) -> Pointer:
    """Make the newest release current again.

    Raises:
        RollbackError: the store was not rolled back.
    """
    pointer = store.pointer()
    if pointer is None or pointer.left is None:
        raise RollbackError(f"{store.uri()} was not rolled back: there is nothing to resume")
    return roll_back(store, pointer.left, warehouse)


def is_unchanged_since_release(
    zone: ObjectStore, store: ObjectStore, rules: str, warehouse: Warehouse | None = None
) -> bool:
    """Whether a run would only make the newest release again.

    That is so if it was made from the same landed files by the same rules, and every file of the
    current release is there. After a rollback the release that was left counts as the newest: a run
    that would make it again must not undo the rollback.

    Args:
        zone: the landing zone; names and bytes of its files are compared.
        store: the store of the release.
        rules: the version of everything that determines the outputs besides the landed files.
        warehouse: the warehouse of the store, which must hold the current release, too.

    Raises:
        StorageError: one of the places may not be read.
    """
    # Questions need none of it.
    from drug_assets.storage.kept.content_ids import ContentIds
    from drug_assets.storage.landed_files import compute_fingerprint

    pointer = store.pointer()
    if pointer is None:
        return False
    newest = Release(store, pointer.newest).read_summary()
    if newest.get("rules") != rules:
        return False
    if not Release(store, pointer.release).is_complete():
        return False
    if warehouse is not None and not (
        warehouse.current_release() == pointer.release and warehouse.is_complete()
    ):
        return False
    fingerprint = newest.get("landing", {}).get("fingerprint")
    return bool(fingerprint == compute_fingerprint(ContentIds.of(zone, store)))


def make_release_id(after: str | None, now: datetime | None = None) -> str:
    """An id for a new release, which sorts behind the one that it is based on.

    Args:
        after: the id of the newest release; None before the first.
        now: the current time; read from the clock if not given.
    """
    time = now or datetime.now(tz=UTC)
    if after is not None:  # a clock that was set back must not change the order
        time = max(time, _time_of(after) + timedelta(microseconds=1))
    return f"{time.strftime(_ID_FORMAT)}-{os.urandom(3).hex()}"


def _time_of(release: str) -> datetime:
    return datetime.strptime(release.partition("-")[0], _ID_FORMAT).replace(tzinfo=UTC)
