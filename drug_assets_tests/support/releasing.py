"""Small releases for tests of the store: three files, of which one is the same in every run.

Where tables are published, a release has them besides.
"""

from __future__ import annotations

import hashlib
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from drug_assets.storage import pointer, staging
from drug_assets.storage.commit import Committed, Staged, Warehouse, commit
from drug_assets.storage.kept.by_file import count_rows
from drug_assets.storage.objects import ObjectStore, write_text
from drug_assets.storage.releases import Release, current_release

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    import polars as pl

FILES = ("a.json", "b.json", "c.json")
RULES = "rules"


class Killed(BaseException):
    """The process is gone."""


class Steps:
    """A store that calls a function before everything that it changes."""

    def __init__(self, store: ObjectStore, before: Callable[[str], object]) -> None:
        self._store = store
        self._before = before
        self.locked = 0

    def __getattr__(self, name: str) -> Any:
        if name in {"put", "copy", "delete", "swap_pointer"}:
            self._before(name)
        return getattr(self._store, name)

    @contextmanager
    def lock(self) -> Iterator[None]:
        self._before("lock")
        with self._store.lock():
            self.locked += self._store.has_locks
            try:
                yield
            finally:
                self.locked -= self._store.has_locks


def stage(
    store: ObjectStore, run: str, content: str, tables: Mapping[str, pl.DataFrame] | None = None
) -> None:
    """What a run staged: three files, of which one is the same in every run.

    Args:
        store: the store.
        run: the run.
        content: what the two other files hold.
        tables: the rows of tables, which it staged too.
    """
    staging.begin(store, run, staging.Beginning(store.pointer(), RULES, resumable=False))
    for file in FILES:
        text = content if file != "c.json" else "always"
        write_text(store, f"{staging.folder_of_run(run)}{file}", text)
    for table, rows in (tables or {}).items():
        name = f"{staging.folder_of_run(run)}{table}.parquet"
        scratch = store.scratch(name)
        rows.write_parquet(scratch)
        store.put(scratch, name)


def release(
    store: ObjectStore,
    run: str,
    content: str,
    *,
    keep: int = 10,
    current: bool = True,
    warehouse: Warehouse | None = None,
) -> Committed:
    """Release what a run staged, as the last step of a run does.

    Args:
        store: the store.
        run: the run.
        content: what it staged.
        keep: how many releases to keep.
        current: whether the landing zone is what the run read.
        warehouse: where its tables are published.
    """
    beginning = staging.read_beginning(store, run)
    assert beginning is not None
    prefix = staging.folder_of_run(run)
    objects = {o.name.removeprefix(prefix): o for o in store.objects(prefix)}
    files = {name: found for name, found in objects.items() if not name.startswith(".")}
    assert files.keys() >= set(FILES)
    tables = {
        name.removesuffix(".parquet"): count_rows(store.local_copy(found.name))
        for name, found in files.items()
        if name.endswith(".parquet")
    }
    landing = {"files": 1, "fingerprint": content}
    staged = Staged(files, {"landing": landing, "rows": {"mentions": 7, **tables}, "rules": RULES})
    committed = commit(
        store,
        staged,
        run=run,
        base=beginning.base,
        keep=keep,
        is_current=lambda: current,
        base_on=lambda _: staged,
        warehouse=warehouse,
    )
    staging.discard(store, run)
    return committed


def make(store: ObjectStore, content: str, **options: Any) -> Committed:
    stage(store, content, content)
    return release(store, content, content, **options)


def content_of(found: Release) -> str:
    """What one release holds; fails if it is of two runs or has damaged bytes."""
    summary = found.read_summary()
    contents = {found.store.read(found.name(file)).decode() for file in FILES}
    contents -= {"always"}
    assert len(contents) == 1, contents
    assert contents == {summary["landing"]["fingerprint"]}
    for file, note in summary["files"].items():
        data = found.store.read(found.name(file))
        assert note == {"size_bytes": len(data), "sha256": hashlib.sha256(data).hexdigest()}
    return contents.pop()


def seen(store: ObjectStore) -> str | None:
    """What a reader sees."""
    found = current_release(store)
    return content_of(found) if found else None


def end_process(folder: Path) -> None:
    """Lose what this process holds in a folder, as if it had ended."""
    for path in [Path(held) for held in pointer._HELD]:
        if path.is_relative_to(folder):
            pointer.drop_file(path)
