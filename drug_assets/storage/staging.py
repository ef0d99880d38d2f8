"""Runs that have not released yet: what each has staged, what it began from, whether it lives.

A run that ends in a release writes its outputs to `.staging/RUN/`, which readers of the store do
not see. `outputs` writes them, `commit` makes a release of them.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from drug_assets.storage.objects import write_text
from drug_assets.storage.pointer import Pointer

if TYPE_CHECKING:
    from collections.abc import Iterator

    from drug_assets.storage.objects import ObjectStore, StoredObject

#: The prefix of what runs have written and not released.
STAGING = ".staging/"
#: The prefix of what runs have written that make only some outputs and release nothing.
WORKSPACE = ".workspace/"
#: Hidden objects of a run: what it began from, and the one that it holds while it lives.
_BEGINNING = ".run.json"
_ALIVE = ".alive"
#: For how long a failed run can be resumed from the failed step.
_RESUMABLE_FOR = timedelta(days=7)
#: No run takes longer than this: for places that cannot tell whether a run lives.
_LONGEST_RUN = timedelta(days=1)


def folder_of_run(run: str) -> str:
    """The prefix of the objects that a run stages."""
    return f"{STAGING}{run}/"


@dataclass(frozen=True)
class Beginning:
    """What a run began from."""

    #: The pointer of the store when the run read the landing zone.
    base: Pointer | None
    #: The version of everything that determines the outputs besides the landed files.
    rules: str
    #: Whether Dagster keeps the run, so that it can be resumed from the step that failed.
    resumable: bool


#: What the last run of this process began from, by URI of its folder.
_BEGAN: dict[str, Beginning] = {}


@dataclass(frozen=True)
class StagedRun:
    """A run that has staged something."""

    run: str
    #: None if it cannot be read.
    beginning: Beginning | None
    objects: tuple[StoredObject, ...]
    #: Whether a process of it lives; None if the place cannot tell.
    held: bool | None

    def may_live(self, now: datetime | None = None) -> bool:
        """Whether a process of the run may live."""
        if self.held is not None:
            return self.held
        return self._idle(now or datetime.now(tz=UTC)) <= _LONGEST_RUN

    def may_go_on(self, now: datetime) -> bool:
        """Whether the run lives or can be resumed."""
        if self.may_live(now):
            return True
        resumable = self.beginning is not None and self.beginning.resumable
        return resumable and self._idle(now) <= _RESUMABLE_FOR

    def _idle(self, now: datetime) -> timedelta:
        return now - max(found.written_at for found in self.objects)


def begin(store: ObjectStore, run: str, beginning: Beginning) -> None:
    """Register a run, so that others leave alone what it needs.

    Args:
        store: the store.
        run: the run.
        beginning: what it begins from.
    """
    with store.lock():
        _write_beginning(store, run, beginning)
        hold(store, run)


def rebase(store: ObjectStore, run: str, base: Pointer | None) -> None:
    """Base a registered run on another state of the store; do nothing if it is not registered.

    Args:
        store: the store.
        run: the run.
        base: the pointer that it goes on from.
    """
    with store.lock():
        beginning = read_beginning(store, run)
        if beginning is not None:
            _write_beginning(store, run, replace(beginning, base=base))


def _write_beginning(store: ObjectStore, run: str, beginning: Beginning) -> None:
    base = beginning.base
    document = {
        "base": [base.release, base.left] if base else None,
        "rules": beginning.rules,
        "resumable": beginning.resumable,
    }
    write_text(store, f"{folder_of_run(run)}{_BEGINNING}", json.dumps(document))
    _remember(store, run, beginning)


def _remember(store: ObjectStore, run: str, beginning: Beginning) -> None:
    _BEGAN.clear()
    _BEGAN[store.uri(folder_of_run(run))] = beginning


def read_own_beginning(store: ObjectStore, run: str) -> Beginning | None:
    """The same as `read_beginning`, for a process of that run: it is read once per process.

    Only the step that releases changes it, in its own process, and it is the last.
    """
    known = _BEGAN.get(store.uri(folder_of_run(run)))
    if known is None:
        known = read_beginning(store, run)
        if known is not None:
            _remember(store, run, known)
    return known


def hold(store: ObjectStore, run: str) -> None:
    """Show other processes that the run lives, until this process ends or the run is discarded."""
    name = f"{folder_of_run(run)}{_ALIVE}"
    if store.has_locks and not store.is_held(name):
        with store.lock():  # or another process could take a run that begins for a dead one
            store.hold(name)


def read_beginning(store: ObjectStore, run: str) -> Beginning | None:
    """What a run began from; None if that is not known."""
    try:
        document: Any = json.loads(store.read(f"{folder_of_run(run)}{_BEGINNING}"))
        base = Pointer(*document["base"]) if document["base"] else None
        return Beginning(base, document["rules"], document["resumable"])
    except (FileNotFoundError, ValueError, TypeError, KeyError):
        return None


def list_staged_runs(store: ObjectStore) -> Iterator[StagedRun]:
    """Every run that has staged something."""
    staged: dict[str, list[StoredObject]] = {}
    for found in store.objects(STAGING):
        run, _, _ = found.name.removeprefix(STAGING).partition("/")
        staged.setdefault(run, []).append(found)
    for run, objects in staged.items():
        held = store.is_held(f"{folder_of_run(run)}{_ALIVE}")
        yield StagedRun(run, read_beginning(store, run), tuple(objects), held)


def discard(store: ObjectStore, run: str) -> None:
    """Remove everything that a run staged."""
    for found in store.objects(folder_of_run(run)):
        store.delete(found.name)


def discard_dead_runs(store: ObjectStore, now: datetime | None = None) -> list[str]:
    """Remove what runs staged that neither live nor can be resumed; return these runs.

    Args:
        store: the store.
        now: the current time; read from the clock if not given.
    """
    now = now or datetime.now(tz=UTC)
    with store.lock():
        dead = [staged.run for staged in list_staged_runs(store) if not staged.may_go_on(now)]
        for run in dead:
            discard(store, run)
    return dead
