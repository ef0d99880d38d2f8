"""Outputs in the store: staged, audited, then released together (write, audit, publish).

A run that ends in a release writes its outputs to `.staging/<run>/`. When every blocking check has
passed, all of them get their final names. Until then, readers of the store see the outputs of the
last release. If a release is interrupted, the next run finishes it.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import polars as pl

from drug_assets.sources.tables import TABLES
from drug_assets.storage.contract_gate import conform, require_contract
from drug_assets.storage.kept.by_file import Parts, count_rows, discard_unlisted
from drug_assets.storage.releases import LANDING_DOCUMENT, READY, RELEASE_DOCUMENT, STAGING

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from drug_assets.storage.objects import ObjectStore

_HEAD_ROWS = 5
#: Objects of earlier versions: `.kept/` replaces the first ones; tables kept by file are lists now.
_FORMER_NAMES = (
    *(".parts/", ".by_file/", ".content_ids.json"),
    *(f"{name}.parquet" for name, table in TABLES.items() if table.by_file),
)
_TABLE = ".parquet"
_PARTS = ".parts.json"
#: For how long a failed run can be resumed from the failed step.
_ABANDONED = timedelta(days=7)


def table_file(table: str) -> str:
    """The name of a table's object in the store, which holds its rows or the list of its parts."""
    return f"{table}{_PARTS if TABLES[table].by_file else _TABLE}"


@dataclass(frozen=True)
class Outputs:
    """The objects of a store as one run sees them: its own staged ones first.

    `run` is None for work that releases nothing: it writes directly to the final names.
    """

    store: ObjectStore
    run: str | None = None

    def name_to_write(self, name: str) -> str:
        """The name under which this run writes an output: a staged one until the release."""
        return f"{STAGING}{self.run}/{name}" if self.run else name

    def name_to_read(self, name: str) -> str:
        """The name under which this run reads an output: its own staged one, else the final one."""
        staged = self.name_to_write(name)
        if staged != name and any(o.name == staged for o in self.store.objects(staged)):
            return staged
        return name

    def write_table(self, table: str, rows: pl.LazyFrame) -> WrittenTable:
        """Write a table to a Parquet file, check its contract there, then put it in the store.

        Args:
            table: name of the table.
            rows: its rows.

        Raises:
            ContractBrokenError: the rows do not keep the contract; the table is not replaced.
        """
        name = self.name_to_write(table_file(table))
        scratch = self.store.scratch(name)
        try:
            # The lowest level compresses nearly as well as the default, in two thirds of the time.
            conform(table, rows).sink_parquet(scratch, maintain_order=True, compression_level=1)
            require_contract(table, pl.scan_parquet(scratch, glob=False))
            written = WrittenTable(
                rows=count_rows(scratch),
                size_bytes=scratch.stat().st_size,
                head=pl.scan_parquet(scratch, glob=False).head(_HEAD_ROWS).collect(),
                uri=self.store.uri(table_file(table)),
            )
            self.store.put(scratch, name)
        finally:
            scratch.unlink(missing_ok=True)
        return written

    def write_parts(self, parts: Parts) -> WrittenTable:
        """Write the list of a table's parts; the parts themselves are already in the store."""
        self.write_document(table_file(parts.table), parts.lines())
        rows = parts.rows(self.store)
        return WrittenTable(
            rows=rows.select(pl.len()).collect().item(),
            size_bytes=parts.size_bytes(self.store),
            head=rows.head(_HEAD_ROWS).collect(),
            uri=self.store.uri(table_file(parts.table)),
        )

    def write_document(self, name: str, lines: Iterable[str]) -> int:
        """Write a text document in one step; return its size in bytes.

        Args:
            name: name of its object.
            lines: its lines, without line ends.
        """
        target = self.name_to_write(name)
        scratch = self.store.scratch(target)
        try:
            with scratch.open("w", encoding="utf-8", newline="\n") as file:
                file.writelines(f"{line}\n" for line in lines)
            size = scratch.stat().st_size
            self.store.put(scratch, target)
        finally:
            scratch.unlink(missing_ok=True)
        return size

    def table(self, table: str) -> pl.LazyFrame:
        """The rows of a table as a lazy frame.

        Raises:
            FileNotFoundError: the table was never written.
        """
        if TABLES[table].by_file:
            return self.parts(table).rows(self.store)
        return pl.scan_parquet(self.path(table_file(table)), glob=False)

    def parts(self, table: str) -> Parts:
        """The parts of a table that is kept by file.

        Raises:
            FileNotFoundError: the table was never written.
        """
        return Parts.read(table, self.path(table_file(table)).read_bytes())

    def path(self, name: str) -> Path:
        """A local file with the bytes of an output.

        Raises:
            FileNotFoundError: the output was never written.
        """
        return self.store.local_copy(self.name_to_read(name))

    def summarize(self, rules: str) -> dict[str, object]:
        """The content of `release.json`: the landing zone that was read, the rules, row counts.

        Args:
            rules: the version of everything that determines the outputs besides the landed files.
        """
        landing = json.loads(self.path(LANDING_DOCUMENT).read_text(encoding="utf-8"))
        rows = {name: self._count_rows(name) for name in TABLES}
        return {"landing": landing, "rows": rows, "rules": rules}

    def _count_rows(self, table: str) -> int:
        if TABLES[table].by_file:
            rows: int = self.table(table).select(pl.len()).collect().item()
            return rows
        return count_rows(self.path(table_file(table)))

    def release(self, document: object) -> list[str]:
        """Give all staged outputs their final names; return these names.

        Args:
            document: the content of `release.json`, which is written last.
        """
        self.write_document(RELEASE_DOCUMENT, [json.dumps(document, indent=2, sort_keys=True)])
        if self.run is None:
            return [RELEASE_DOCUMENT]
        self.write_document(READY, [RELEASE_DOCUMENT])
        return _finish_release(self.store, f"{STAGING}{self.run}/", RELEASE_DOCUMENT)


@dataclass(frozen=True)
class WrittenTable:
    """The size, the first rows and the location of a table that was written."""

    rows: int
    size_bytes: int
    head: pl.DataFrame
    uri: str


def finish_interrupted_releases(store: ObjectStore) -> list[str]:
    """Finish releases that were interrupted after their audit; return the released names."""
    names = []
    for ready in store.objects(STAGING):
        prefix, _, name = ready.name.rpartition("/")
        if name == READY:
            last = store.read(ready.name).decode().strip()
            names += _finish_release(store, f"{prefix}/", last)
    return names


def prepare_store(store: ObjectStore, now: datetime | None = None) -> list[str]:
    """Prepare a store for a run; return one message per thing that was done.

    A release that was interrupted after its audit is finished. The staged outputs of runs that can
    no longer be resumed are removed.

    Args:
        store: the store.
        now: the current time; read from the clock if not given.
    """
    done = [f"finished the interrupted release of {n}" for n in finish_interrupted_releases(store)]
    abandoned = discard_abandoned(store, now or datetime.now(tz=UTC))
    return done + [f"removed what run {run} staged and never released" for run in abandoned]


def discard_staged(store: ObjectStore, run: str) -> None:
    """Remove the staged outputs of a run, unless its interrupted release can still be finished."""
    staged = [o.name for o in store.objects(f"{STAGING}{run}/")]
    if f"{STAGING}{run}/{READY}" in staged:
        return
    for name in staged:
        store.delete(name)


def discard_abandoned(store: ObjectStore, now: datetime) -> list[str]:
    """Remove the staged outputs of runs that were neither released nor resumed; return the runs."""
    last_written: dict[str, datetime] = {}
    audited = set()
    for staged in store.objects(STAGING):
        run, _, name = staged.name.removeprefix(STAGING).partition("/")
        last_written[run] = max(staged.written_at, last_written.get(run, staged.written_at))
        audited |= {run} if name == READY else set()
    abandoned = sorted(
        run for run, at in last_written.items() if now - at > _ABANDONED and run not in audited
    )
    for run in abandoned:
        discard_staged(store, run)
    return abandoned


def _discard_scratch(store: ObjectStore, prefix: str) -> None:
    """Remove the unfinished files that a killed writer left below a prefix."""
    for left in store.objects(prefix):
        if left.name.rpartition("/")[2].startswith("."):
            store.delete(left.name)


def _tidy_up(store: ObjectStore) -> None:
    """Remove parts that no list contains, and objects of earlier versions of this package."""
    lists = {table_file(name): name for name, table in TABLES.items() if table.by_file}
    listed: set[str] = set()
    for found in store.objects():
        table = lists.get(found.name.rpartition("/")[2])
        if table:
            listed |= Parts.read(table, store.read(found.name)).objects()
        elif found.name.startswith(_FORMER_NAMES):
            store.delete(found.name)
    discard_unlisted(store, listed)


def _finish_release(store: ObjectStore, prefix: str, last: str) -> list[str]:
    _discard_scratch(store, prefix)
    names = [o.name.removeprefix(prefix) for o in store.objects(prefix)]
    # Tables come first, since a warehouse can refuse a load. `last` shows that all is released.
    ordered = sorted(
        (n for n in names if n != READY), key=lambda n: (n == last, not n.endswith(_TABLE), n)
    )
    for name in ordered:
        store.move(prefix + name, name)
    _tidy_up(store)
    store.delete(prefix + READY)
    return ordered
