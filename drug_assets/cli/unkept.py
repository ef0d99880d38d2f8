"""An instance of Dagster for one run of this process, of which nothing is kept."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import dagster as dg
from dagster._core.storage.event_log import in_memory as event_log
from dagster._core.storage.runs import in_memory as runs

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


def make_unkept_instance(folder: Path) -> dg.DagsterInstance:
    """An ephemeral instance that does no more than one run needs, as nobody can ask it later.

    Dagster would write each event to a database in memory, and read there which version of its
    inputs an asset is made from: a third of the time of a run of the sample. It would also store
    there what the run consists of.

    Args:
        folder: for temporary files.
    """
    with _without_histories_of_schemas():
        instance = dg.DagsterInstance.ephemeral(tempdir=str(folder))
    log: Any = instance.event_log_storage
    log.store_event = lambda _: None
    log.get_asset_records = lambda *_, **__: []
    log.fetch_observations = lambda *_, **__: dg.EventRecordsResult([], "", has_more=False)
    known: Any = instance.run_storage
    known.has_job_snapshot = lambda _: True
    known.has_execution_plan_snapshot = lambda _: True
    add_run = known.add_run
    # The database holds a run to a snapshot that is stored, unless it has none.
    known.add_run = lambda run, *arguments: add_run(run._replace(job_snapshot_id=None), *arguments)
    return instance


@contextmanager
def _without_histories_of_schemas() -> Iterator[None]:
    """Dagster reads 178 files to note in a new database which version of its schema that has."""
    modules: tuple[Any, ...] = (event_log, runs)
    note = [module.stamp_alembic_rev for module in modules]
    for module in modules:
        module.stamp_alembic_rev = lambda *_: None
    try:
        yield
    finally:
        for module, noted in zip(modules, note, strict=True):
            module.stamp_alembic_rev = noted
