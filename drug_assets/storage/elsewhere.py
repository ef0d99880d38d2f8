"""Work that an engine may give to other machines: these must see the places that this one sees.

A folder is seen by the machines that mount it, a bucket by all. So each process of a worker first
looks for an object that this machine has just written to the store, and for a landed file: what it
wrote to a folder of its own would be lost.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from typing import TYPE_CHECKING, Generic, TypeVar

from drug_assets.storage import copies
from drug_assets.storage.kept import FOLDER
from drug_assets.storage.objects import StorageError, write_text

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from drug_assets.engines import Engine
    from drug_assets.storage.objects import ObjectStore

_Task = TypeVar("_Task")
_Result = TypeVar("_Result")

#: The objects that this process has found, by location.
_FOUND: set[str] = set()


def run(
    engine: Engine,
    function: Callable[[_Task], _Result],
    tasks: Sequence[_Task],
    *,
    size_bytes: int,
    fills_cores: bool,
    store: ObjectStore,
    landed: tuple[ObjectStore, str] | None = None,
) -> Iterator[_Result]:
    """Run a function once per task, wherever the engine decides; see `Engine.run`.

    Args:
        engine: runs it.
        function: takes a task.
        tasks: the tasks, which read and write the places.
        size_bytes: total size of the data that the tasks read.
        fills_cores: whether one call uses all cores of a machine.
        store: the place that they write to.
        landed: the landing zone and the name of a file there, if they read it.

    Raises:
        StorageError: other machines, to which the work is given, do not see a place.
    """
    if not tasks or not engine.leaves(size_bytes):
        yield from engine.run(function, tasks, size_bytes=size_bytes, fills_cores=fills_cores)
        return
    mark = f"{FOLDER}marks/{secrets.token_hex(16)}"
    write_text(store, mark, "written to see who sees it")
    try:
        call = _Elsewhere(function, ((store, mark), *([landed] if landed else [])))
        yield from engine.run(call, tasks, size_bytes=size_bytes, fills_cores=fills_cores)
    finally:
        store.delete(mark)


@dataclass(frozen=True)
class _Elsewhere(Generic[_Task, _Result]):
    """A function as the worker of another machine calls it."""

    function: Callable[[_Task], _Result]
    #: Objects that it must see.
    marks: tuple[tuple[ObjectStore, str], ...]

    def __call__(self, task: _Task) -> _Result:
        for place, name in self.marks:
            _require_sight(place, name)
        try:
            return self.function(task)
        finally:
            # The next task of this process reads other objects.
            copies.drop()


def _require_sight(place: ObjectStore, name: str) -> None:
    """Raise unless this machine sees an object."""
    uri = place.uri(name)
    if uri in _FOUND:
        return
    try:
        is_there = any(found.name == name for found in place.objects(name))
        why = ""
    except StorageError as error:
        is_there, why = False, f" ({error})"
    if not is_there:
        raise StorageError(
            f"{place.uri()} is not seen by the machines that the work was given to{why}: name a "
            "bucket (gs://…), or a folder that all of them mount at this path, or do the work here "
            "(DRUG_ASSETS_ENGINE=local)"
        )
    _FOUND.add(uri)
