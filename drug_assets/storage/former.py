"""Stores that earlier versions wrote: their outputs become the first release.

Those versions gave each output a name of its own at the top of the store, one after the other. A
run takes such a store over before it does anything else.
"""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Any

from drug_assets.storage.commit import fill_release, note_files, remove_unlisted_releases
from drug_assets.storage.kept import FOLDER
from drug_assets.storage.kept.whole import name_object, result_of
from drug_assets.storage.pointer import Pointer
from drug_assets.storage.releases import (
    LANDING_DOCUMENT,
    RELEASE_DOCUMENT,
    Release,
    make_release_id,
)
from drug_assets.storage.staging import STAGING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from drug_assets.storage.objects import ObjectStore, StoredObject

#: The object that showed that a run had passed its checks, and was giving outputs their names.
_READY = "READY"
_MAGIC = b"PAR1"
_TABLE_ENDINGS = (".parquet", ".parts.json")
#: Caches of earlier versions, which `.kept/` replaces.
_CACHES = (".parts/", ".by_file/", ".content_ids.json")


def take_over(store: ObjectStore, documents: Iterable[str]) -> str | None:
    """Make a release of the outputs of an earlier version, and remove their former names.

    Killed anywhere, the next call completes it.

    Args:
        store: the store.
        documents: names of the documents that a run writes.

    Returns:
        The id of the new release; None if there was nothing to take over.
    """
    with store.lock():
        # Listing a store with many parts takes long, and nearly all stores have releases.
        if not any(found.name == RELEASE_DOCUMENT for found in store.objects(RELEASE_DOCUMENT)):
            return None
        if store.pointer() is None:
            # Before listing: a file is another version without the links of a release half made.
            remove_unlisted_releases(store, None)
        former = {found.name: found for found in store.objects() if "/" not in found.name}
        interrupted = _find_interrupted(store)
        former |= interrupted
        summary = json.loads(store.read(former[RELEASE_DOCUMENT].name))
        tables = [f"{table}{end}" for table in summary["rows"] for end in _TABLE_ENDINGS]
        names = [*tables, *documents, LANDING_DOCUMENT]
        outputs = {name: former[name] for name in names if name in former}
        taken = None
        if store.pointer() is None:
            taken = _make_release(store, outputs, summary)
        _name_parts_by_checksum(store)
        caches = [found.name for found in store.objects() if found.name.startswith(_CACHES)]
        staged = [found.name for found in interrupted.values()]
        # `release.json` last: it shows that there is something to take over.
        for name in [*caches, *staged, *outputs, RELEASE_DOCUMENT]:
            store.delete(name)
        return taken


def _make_release(
    store: ObjectStore, outputs: Mapping[str, StoredObject], summary: Mapping[str, Any]
) -> str:
    id_ = make_release_id(None, max(found.written_at for found in outputs.values()))
    notes = note_files(store, outputs)
    fill_release(Release(store, id_), outputs, {**summary, "files": notes})
    store.swap_pointer(None, Pointer(id_, None, (id_,)))
    return id_


def _name_parts_by_checksum(store: ObjectStore) -> None:
    """Give kept parts the names that `kept.whole` looks for."""
    for found in store.objects(FOLDER):
        folder, _, _ = found.name.removeprefix(FOLDER).rpartition("/")
        if folder and found.name.endswith(".parquet") and result_of(found.name) is None:
            copy = store.local_copy(found.name, found.version)
            if _is_parquet(copy):
                name = name_object(found.name, copy)
                if not any(other.name == name for other in store.objects(name)):
                    store.copy(found.name, name)
            store.delete(found.name)


def _is_parquet(path: Path) -> bool:
    """Whether a file is whole, as far as its ends show; earlier versions noted no checksum."""
    with path.open("rb") as file:
        start = file.read(len(_MAGIC))
        file.seek(0, os.SEEK_END)
        if file.tell() < 2 * len(_MAGIC):
            return False
        file.seek(-len(_MAGIC), os.SEEK_END)
        return start == file.read() == _MAGIC


def _find_interrupted(store: ObjectStore) -> dict[str, StoredObject]:
    """What an interrupted release had not given its final name yet, by this name."""
    found: dict[str, StoredObject] = {}
    staged = store.objects(STAGING)
    for ready in staged:
        if ready.name.endswith(f"/{_READY}"):
            prefix = ready.name.removesuffix(_READY)
            of_run = {o.name.removeprefix(prefix): o for o in staged if o.name.startswith(prefix)}
            found |= {name: o for name, o in of_run.items() if not name.startswith(".")}
    return found
