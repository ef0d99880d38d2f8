"""The commit of a release: from what a run staged to what readers see, in one step.

The staged outputs get a second name in `releases/ID/`; then the store's pointer is replaced if it
still is the one that the run began from. A run that lost a race against another one ends without a
trace, bases itself on the new release, or finds that the same was released already. Nothing but the
pointer decides, so a run that is killed anywhere leaves the old release or the new one.
"""

from __future__ import annotations

import hashlib
import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from drug_assets.errors import DrugAssetsError
from drug_assets.storage import staging
from drug_assets.storage.objects import ConflictError, write_text
from drug_assets.storage.pointer import RELEASES, Pointer
from drug_assets.storage.releases import (
    RELEASE_DOCUMENT,
    Release,
    complete_pointer,
    make_release_id,
    publish,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from pathlib import Path

    from drug_assets.storage.objects import ObjectStore, StoredObject

#: How often a run bases itself on a release that another run made meanwhile.
_ATTEMPTS = 10
#: Outputs that are hashed at the same time. The graph document is more than half of all bytes, so
#: that more threads than two would not end sooner.
_HASHED_AT_ONCE = 2
#: Bytes that are compared at once: they stay in the processor's cache.
_COMPARED_BYTES = 256 * 1024
#: In a place without locks, a release folder that is not listed may belong to a living run.
_UNLISTED_FOR = timedelta(days=1)


class LostRaceError(DrugAssetsError):
    """Another run released meanwhile, from another state of the landing zone."""


class Warehouse(Protocol):
    """A place that holds the published tables of one release, beside the store."""

    def publish(self, release: Release, base: str | None) -> None:
        """Make the tables of a release current, all at once.

        Args:
            release: the release, whose files are in the store.
            base: id of the release that it is based on; None for the first.

        Raises:
            ConflictError: the warehouse holds another release than the base.
            StorageError: nothing was published; the message gives the reason.
        """
        ...

    def current_release(self) -> str | None:
        """The id of the release that it holds; None before the first."""
        ...

    def is_complete(self) -> bool:
        """Whether it still holds every table of this release."""
        ...


class Staged(NamedTuple):
    """What a run wants to release."""

    #: The objects of its outputs, by the name that they have in a release.
    outputs: Mapping[str, StoredObject]
    #: The content of `release.json` besides `files`: `landing`, `rules`, `rows`, `checks`,
    #: `compared_with`.
    summary: Mapping[str, Any]


@dataclass(frozen=True)
class Committed:
    """How a commit ended."""

    release: str
    #: Whether this run made the release; if not, the current one already had the same content.
    is_new: bool
    #: Releases that were removed because more than the kept number exist.
    pruned: tuple[str, ...] = ()


def commit(
    store: ObjectStore,
    staged: Staged,
    *,
    run: str,
    base: Pointer | None,
    keep: int,
    is_current: Callable[[], bool],
    base_on: Callable[[Release | None], Staged],
    warehouse: Warehouse | None = None,
) -> Committed:
    """Make a release of staged outputs.

    Args:
        store: the store.
        staged: the outputs. Their objects stay where they are; the caller removes them.
        run: the run.
        base: the pointer that it began from.
        keep: how many releases to keep.
        is_current: whether the landing zone still is what the outputs were made from.
        base_on: stages the outputs with another release before them, which may say something else
            of what is new.
        warehouse: where published tables are made current, too.

    Raises:
        LostRaceError: another run released meanwhile, and this one's outputs are not newer.
        StorageError: the store or the warehouse cannot be used.
    """
    document = _describe(store, staged)
    conflict: ConflictError | None = None
    for _ in range(_ATTEMPTS):
        with store.lock():
            complete_pointer(store, warehouse)
            pointer = store.pointer()
            # Before the pointer is newer than what a killed run left, and seems to list it.
            remove_unlisted_releases(store, pointer)
            if pointer == base:
                current = Release(store, pointer.release) if pointer else None
                if current and pointer and _is_made(current, pointer, document, warehouse):
                    pruned = _prune(store, pointer, keep, _bases_of_others(store, run))
                    return Committed(current.id, is_new=False, pruned=pruned)
                release = Release(store, make_release_id(pointer.newest if pointer else None))
                fill_release(release, staged.outputs, document, current)
                new, pruned = _add(pointer, release.id, keep, _bases_of_others(store, run))
                conflict = _publish(warehouse, release, pointer)
                if conflict is None and store.swap_pointer(pointer, new):
                    for id_ in pruned:
                        _remove(Release(store, id_))
                    return Committed(release.id, is_new=True, pruned=pruned)
                if _is_published(release, warehouse):
                    complete_pointer(store, warehouse)
                    return Committed(release.id, is_new=True)
                _remove(release)
        # Another run was faster.
        complete_pointer(store, warehouse)
        pointer = store.pointer()
        if pointer == base and conflict is not None:
            raise conflict  # what the warehouse holds is no release of this store
        if pointer is not None:
            if _is_same(Release(store, pointer.release), document):
                return Committed(pointer.release, is_new=False)
            _require_newer(pointer, base, is_current)
        base = pointer
        staging.rebase(store, run, base)  # nobody removes it now
        staged = base_on(Release(store, pointer.release) if pointer else None)
        document = _describe(store, staged)
    raise LostRaceError(
        f"other runs released {_ATTEMPTS} times while this one tried to: run again when they ended"
    )


def _describe(store: ObjectStore, staged: Staged) -> dict[str, Any]:
    """The content of the `release.json` of outputs."""
    return {**staged.summary, "files": note_files(store, staged.outputs)}


def _publish(
    warehouse: Warehouse | None, release: Release, pointer: Pointer | None
) -> ConflictError | None:
    """Make the tables of a release current in a warehouse; return the conflict, if there is one.

    Args:
        warehouse: the warehouse, if there is one.
        release: the release.
        pointer: the pointer of the store, which is replaced afterwards.
    """
    try:
        publish(warehouse, release, pointer)
    except ConflictError as error:
        return error
    return None


def _is_published(release: Release, warehouse: Warehouse | None) -> bool:
    """Whether a release is or was current, although this run did not point to it.

    Its transaction may have committed although the answer said otherwise, or the pointer moved
    between the transaction and this run's swap.
    """
    if warehouse is not None and warehouse.current_release() == release.id:
        return True
    pointer = release.store.pointer()
    return pointer is not None and release.id in pointer.releases


def _is_made(
    current: Release, pointer: Pointer, document: Mapping[str, Any], warehouse: Warehouse | None
) -> bool:
    """Whether nothing has to be released, since the current release is the same to the byte.

    Args:
        current: the current release.
        pointer: the pointer of the store.
        document: the content of the new `release.json`.
        warehouse: the warehouse, which must hold the release, too.
    """
    if pointer.left is not None or not _is_same(current, document, of_files=True):
        return False
    if warehouse is None:
        return True
    return warehouse.current_release() == current.id and warehouse.is_complete()


def _require_newer(pointer: Pointer, base: Pointer | None, is_current: Callable[[], bool]) -> None:
    """Raise unless what a run made is newer than the release that another one made meanwhile."""
    if pointer.left is not None and (base is None or base.left is None):
        raise LostRaceError(
            f"the store was rolled back to {pointer.release} while this run was working: nothing "
            "of it was released. Run again to release over the rollback"
        )
    if not is_current():
        raise LostRaceError(
            f"another run released {pointer.release} meanwhile, and the landing zone is no longer "
            "what this run read: nothing of it was released. Run again"
        )


def _is_same(release: Release, document: Mapping[str, Any], *, of_files: bool = False) -> bool:
    """Whether a complete release was made of the same landing zone by the same rules.

    Args:
        release: the release.
        document: the content of a `release.json`.
        of_files: whether each file must have the same bytes, too.
    """
    summary = release.read_summary()
    names: tuple[str, ...] = ("landing", "rules")
    if of_files:
        names = (*names, "rows", "files", "compared_with")
    same = all(summary.get(name) == document.get(name) for name in names)
    return same and release.is_complete()


def note_files(
    store: ObjectStore, outputs: Mapping[str, StoredObject]
) -> dict[str, dict[str, Any]]:
    """Size and SHA-256 of outputs, by the name that they have in a release."""

    def compute_digest(found: StoredObject) -> str:
        with store.borrow(found.name, found.version) as path, path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()

    largest_first = sorted(outputs, key=lambda name: outputs[name].size_bytes, reverse=True)
    with ThreadPoolExecutor(_HASHED_AT_ONCE) as pool:  # hashing releases the GIL
        digests = pool.map(lambda name: compute_digest(outputs[name]), largest_first)
        return {
            name: {"size_bytes": outputs[name].size_bytes, "sha256": digest}
            for name, digest in zip(largest_first, digests, strict=True)
        }


def fill_release(
    release: Release,
    outputs: Mapping[str, StoredObject],
    document: Mapping[str, Any],
    base: Release | None = None,
) -> None:
    """Put the files of a release in their place, `release.json` last; or none of them.

    Args:
        release: the release, which nothing points to yet.
        outputs: the objects that become its files, by the name that they have in it.
        document: the content of `release.json`, with a note of each file.
        base: the release before it, whose files are not stored twice where they are the same.
    """
    store = release.store
    earlier = {}
    if base is not None and store.has_locks:  # only a folder stores two names in the space of one
        prefix = base.name()
        earlier = {found.name.removeprefix(prefix): found for found in store.objects(prefix)}
    try:
        for name, found in outputs.items():
            source, before = found.name, earlier.get(name)
            # The bytes are compared, not what is noted of them: they could be damaged by now.
            if (
                before is not None
                and before.size_bytes == found.size_bytes
                and _have_same_bytes(*(store.local_copy(one.name) for one in (before, found)))
            ):
                source = before.name
            store.copy(source, release.name(name))
        text = json.dumps(document, indent=2, sort_keys=True)
        write_text(store, release.name(RELEASE_DOCUMENT), f"{text}\n")
    except BaseException:  # most likely there is no room for them
        _remove(release)
        raise


def _have_same_bytes(one: Path, other: Path) -> bool:
    """Whether two files hold the same; they are read up to the first difference."""
    with one.open("rb", buffering=0) as first, other.open("rb", buffering=0) as second:
        while data := first.read(_COMPARED_BYTES):
            if data != second.read(_COMPARED_BYTES):
                return False
        return not second.read(1)


def _add(
    base: Pointer | None, release: str, keep: int, needed: Iterable[str]
) -> tuple[Pointer, tuple[str, ...]]:
    """The pointer to a new release, and the releases that it no longer lists."""
    earlier = base.releases if base else ()
    kept = {*earlier[max(0, len(earlier) - keep + 1) :], *needed}
    pruned = tuple(id_ for id_ in earlier if id_ not in kept)
    listed = (*(id_ for id_ in earlier if id_ in kept), release)
    return Pointer(release, None, listed), pruned


def _prune(
    store: ObjectStore, pointer: Pointer | None, keep: int, needed: Iterable[str]
) -> tuple[str, ...]:
    """Remove the releases beyond the kept number, which a run that was killed did not get to."""
    if pointer is None or len(pointer.releases) <= keep:
        return ()
    kept = {*pointer.releases[-keep:], *needed, pointer.release}
    pruned = tuple(id_ for id_ in pointer.releases if id_ not in kept)
    listed = tuple(id_ for id_ in pointer.releases if id_ in kept)
    if not pruned or not store.swap_pointer(pointer, Pointer(pointer.release, None, listed)):
        return ()
    for id_ in pruned:
        _remove(Release(store, id_))
    return pruned


def _bases_of_others(store: ObjectStore, run: str) -> set[str]:
    """The releases that other runs in progress began from."""
    now = datetime.now(tz=UTC)
    return {
        staged.beginning.base.release
        for staged in staging.list_staged_runs(store)
        if staged.run != run
        and staged.beginning
        and staged.beginning.base
        and staged.may_go_on(now)
    }


def remove_unlisted_releases(store: ObjectStore, pointer: Pointer | None) -> None:
    """Remove what lies below `releases/` and is no release: a run was killed meanwhile.

    That is a folder that the pointer does not list, and, where a pointer lists every folder, one
    that was not filled, or not removed, to the end.

    Args:
        store: the store; where there are locks, the caller holds its lock.
        pointer: its pointer; None before the first release.
    """
    listed = pointer.releases if pointer else ()
    now = datetime.now(tz=UTC)
    by_release: dict[str, list[StoredObject]] = {}
    for found in store.objects(RELEASES):
        id_ = found.name.removeprefix(RELEASES).partition("/")[0]
        by_release.setdefault(id_, []).append(found)
    in_use = {pointer.release, pointer.newest} if pointer else set()
    for id_, objects in by_release.items():
        release = Release(store, id_)
        if store.has_locks:  # nobody else can be filling a folder now
            is_released = id_ in in_use or (
                id_ in listed and any(o.name == release.name(RELEASE_DOCUMENT) for o in objects)
            )
        else:
            is_new = now - max(found.written_at for found in objects) <= _UNLISTED_FOR
            is_released = id_ in listed or is_new
        if not is_released:
            _remove(release)


def _remove(release: Release) -> None:
    """Remove a folder, `release.json` first: without it the others are known to be left over."""
    names = [found.name for found in release.store.objects(release.name())]
    for name in sorted(names, key=lambda name: not name.endswith(f"/{RELEASE_DOCUMENT}")):
        release.store.delete(name)
