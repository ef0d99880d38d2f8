"""Which kept objects still hold the bytes that they were written with.

The name of a kept object ends with the checksum of its bytes, so the two are written in one step:
`KEY-CHECKSUM.parquet` holds the result `KEY.parquet`. An object that differs from its name counts
as absent, and so its result is made again. An object is not read again if its size, times and inode
(in a bucket: its generation) are those that it had when it was verified. This memory is kept, too;
without it all objects are verified again.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from drug_assets.storage.kept import FOLDER
from drug_assets.storage.objects import ChangedObjectError, write_text

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence
    from contextlib import AbstractContextManager
    from pathlib import Path

    from drug_assets.storage.objects import ObjectStore, StoredObject

#: Tells the people who read the log of a run.
Warn = Callable[[str], None]

_CHECKSUM_CHARACTERS = 32
#: Bytes in a folder that are hashed sooner than threads begin to.
_ALONE_BYTES = 1 << 20
_NAMED = re.compile(rf"(?P<stem>.+)-(?P<checksum>[0-9a-f]{{{_CHECKSUM_CHARACTERS}}})\.parquet")
#: By URI, the state in which this process verified an object.
_SEEN: dict[str, str] = {}


def ignore(_: str) -> None:
    """Warn nobody."""


def folder_of(table: str) -> str:
    """The prefix of the objects that hold the kept results of a table."""
    return f"{FOLDER}{table}/"


def name_object(result: str, file: Path) -> str:
    """The name of the object that holds a result.

    Args:
        result: name of the result, `….parquet`.
        file: a file with the bytes of the object.
    """
    return f"{result.removesuffix('.parquet')}-{compute_checksum(file)}.parquet"


def result_of(name: str) -> str | None:
    """The name of the result that an object holds; None if it is no kept object."""
    named = _NAMED.fullmatch(name)
    return f"{named['stem']}.parquet" if named else None


def compute_checksum(path: Path) -> str:
    """The checksum of the bytes of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()[:_CHECKSUM_CHARACTERS]


@dataclass
class Found:
    """What a store holds of some results."""

    #: By name of a result, the object that holds it.
    whole: dict[str, StoredObject] = field(default_factory=dict)
    #: Objects that do not hold what they were written with.
    damaged: list[StoredObject] = field(default_factory=list)


def find_whole(store: ObjectStore, table: str, results: Collection[str]) -> Found:
    """The objects that hold results of a table. Nothing is left of what is read to verify them.

    Args:
        store: the store.
        table: the table; one listing gives all its objects.
        results: names of the results.
    """
    held = _list_held(store, table, results)
    all_seen = all(_is_seen(store, one) for one in held)
    memory = {} if all_seen else _read_memory(store, table) or {}
    return _find(store, held, memory, lambda one: store.borrow(one.name, one.version))


def heal(store: ObjectStore, table: str, results: Collection[str], warn: Warn) -> Found:
    """The same as `find_whole`; damaged objects are removed, and verified ones remembered.

    What is verified is needed afterwards, so local copies stay.

    Args:
        store: the store.
        table: the table.
        results: names of the results.
        warn: is told of every damaged object.
    """
    memory = _read_memory(store, table)
    if memory is None:
        warn(f"{store.uri(_memory_of(table))} is damaged: what it lists is verified again")
    found = _find(
        store,
        _list_held(store, table, results),
        memory or {},
        lambda one: nullcontext(store.local_copy(one.name, one.version)),
    )
    for damaged in found.damaged:
        warn(f"{store.uri(damaged.name)} is damaged: it was removed, and is made again")
        store.delete(damaged.name)
    # Listed again, since much may have happened while large objects were verified.
    states = {
        one.name: one.state
        for one in store.objects(folder_of(table))
        if _is_seen(store, one) or (memory or {}).get(one.name) == one.state
    }
    if states != memory:
        document = json.dumps(dict(sorted(states.items())), indent=0)
        write_text(store, _memory_of(table), document)
    return found


def _memory_of(table: str) -> str:
    return f"{FOLDER}{table}.verified.json"


def _read_memory(store: ObjectStore, table: str) -> dict[str, str] | None:
    """By name of an object, the state in which it was verified; None if that cannot be read."""
    try:
        memory = json.loads(store.read(_memory_of(table)))
    except FileNotFoundError:
        return {}
    except ValueError:
        return None
    return memory if isinstance(memory, dict) else None


def _list_held(store: ObjectStore, table: str, results: Collection[str]) -> list[StoredObject]:
    wanted = set(results)
    return [one for one in store.objects(folder_of(table)) if result_of(one.name) in wanted]


def _is_seen(store: ObjectStore, found: StoredObject) -> bool:
    return _SEEN.get(store.uri(found.name)) == found.state


def _find(
    store: ObjectStore,
    held: Sequence[StoredObject],
    memory: Mapping[str, str],
    take: Callable[[StoredObject], AbstractContextManager[Path]],
) -> Found:
    """Verify objects that were not verified before in their present state.

    Args:
        store: the store.
        held: the objects.
        memory: by name of an object, the state in which it was verified.
        take: gives a local file with the bytes of an object, as long as the context lasts.
    """
    unseen = [o for o in held if not _is_seen(store, o) and memory.get(o.name) != o.state]
    settled = {one for one in held if one.is_settled()}  # asked before they are read
    if store.has_locks and sum(one.size_bytes for one in unseen) <= _ALONE_BYTES:
        intact = {one: _verify(one, take) for one in unseen}
    else:
        with ThreadPoolExecutor(os.cpu_count()) as pool:  # hashing releases the GIL
            verified = pool.map(lambda one: _verify(one, take), unseen)
            intact = dict(zip(unseen, verified, strict=True))
    found = Found()
    for one in held:
        result = result_of(one.name)
        is_whole = intact.get(one, True)
        if is_whole is False:
            found.damaged.append(one)
        elif is_whole and result is not None:
            found.whole.setdefault(result, one)
            if one in settled:
                _SEEN[store.uri(one.name)] = one.state
    return found


def _verify(
    found: StoredObject, take: Callable[[StoredObject], AbstractContextManager[Path]]
) -> bool | None:
    """Whether an object holds what its name says; None if it is no longer there."""
    named = _NAMED.fullmatch(found.name)
    try:
        with take(found) as copy:
            checksum = compute_checksum(copy)
    except (FileNotFoundError, ChangedObjectError):
        return None
    return named is not None and checksum == named["checksum"]
