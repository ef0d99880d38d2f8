"""Outputs in the store: written aside, audited, then released together (write, audit, publish).

A run that ends in a release keeps what it makes in `.staging/<run>/` until every blocking check
has passed; then all of it takes its final name at once. A reader of the store sees the last good
outputs until then. A release that was cut off is carried through by the next run.
"""

from __future__ import annotations

import json
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import polars as pl

from drug_assets import contracts
from drug_assets.storage.content_ids import ContentIds
from drug_assets.storage.landing import fingerprint

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping
    from datetime import datetime

    from drug_assets.storage.objects import ObjectStore

_STAGING = ".staging/"
_READY = "READY"
_TABLE = ".parquet"
#: Document that a release writes last.
RELEASE_DOCUMENT = "release.json"
#: A failed run can be taken up from where it failed for so long.
_ABANDONED = timedelta(days=7)


class ContractBrokenError(Exception):
    """A table that does not keep its contract; nothing was written."""


def table_file(table: str) -> str:
    """Name of a table's object in the store."""
    return f"{table}{_TABLE}"


@dataclass(frozen=True)
class Outputs:
    """The objects of a store as one run sees them: its own staged ones first.

    `run` is None for work that releases nothing: it writes under the final names at once.
    """

    store: ObjectStore
    run: str | None = None

    def name_to_write(self, name: str) -> str:
        """Where an output of this run goes until it is released."""
        return f"{_STAGING}{self.run}/{name}" if self.run else name

    def name_to_read(self, name: str) -> str:
        """Where this run finds an output: what it staged itself, else what was released."""
        staged = self.name_to_write(name)
        if staged != name and any(o.name == staged for o in self.store.objects(staged)):
            return staged
        return name

    def write_table(self, table: str, rows: pl.LazyFrame) -> WrittenTable:
        """Sink a table to Parquet, check its contract on the finished file, put it whole.

        Raises:
            ContractBrokenError: the rows do not keep the contract; the old table stays.
        """
        contract = contracts.TABLES[table]
        name = self.name_to_write(table_file(table))
        scratch = self.store.scratch(name)
        try:
            # The lowest level packs nearly as tight as the default, in two thirds of the time.
            _typed(table, contract, rows).sink_parquet(
                scratch, maintain_order=True, compression_level=1
            )
            require_contract(table, contract, pl.scan_parquet(scratch, glob=False))
            written = WrittenTable(
                rows=_height(scratch),
                size_bytes=scratch.stat().st_size,
                head=pl.scan_parquet(scratch, glob=False).head(5).collect(),
                uri=self.store.uri(table_file(table)),
            )
            self.store.put(scratch, name)
        finally:
            scratch.unlink(missing_ok=True)
        return written

    def write_document(self, name: str, lines: Iterable[str]) -> int:
        """Write a text document, put it whole; its size in bytes."""
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
        """A table, lazily.

        Raises:
            FileNotFoundError: it was never made.
        """
        return pl.scan_parquet(self.path(table_file(table)), glob=False)

    def path(self, name: str) -> Path:
        """A local file with the bytes of an output.

        Raises:
            FileNotFoundError: it was never made.
        """
        return self.store.local_copy(self.name_to_read(name))

    def summary(self, rules: str) -> dict[str, object]:
        """What a release holds: the landing zone and the rules it was made from, rows of tables."""
        landing = json.loads(self.path("landing.json").read_text(encoding="utf-8"))
        rows = {t: _height(self.path(table_file(t))) for t in contracts.TABLES}
        return {"landing": landing, "rows": rows, "rules": rules}

    def release(self, last: str, document: object) -> list[str]:
        """Give all staged outputs their final names, a JSON document `last`; the names released."""
        self.write_document(last, [json.dumps(document, indent=2, sort_keys=True)])
        if self.run is None:
            return [last]
        self.write_document(_READY, [last])
        return _carry_through(self.store, f"{_STAGING}{self.run}/", last)


@dataclass(frozen=True)
class WrittenTable:
    """What is known of a table once it is written."""

    rows: int
    size_bytes: int
    head: pl.DataFrame
    uri: str


@contextmanager
def set_aside() -> Iterator[Callable[[pl.LazyFrame], pl.LazyFrame]]:
    """What keeps frames in temporary files, so that work may read them more than once.

    They lie where Python's `tempfile` puts them (variable TMPDIR) until the block ends.
    """
    with TemporaryDirectory(prefix="drug_assets_") as folder:
        numbers = count()

        def kept(rows: pl.LazyFrame) -> pl.LazyFrame:
            path = Path(folder) / f"{next(numbers)}.parquet"
            # Soon thrown away: packing it tighter would take longer than it saves.
            rows.sink_parquet(path, maintain_order=True, compression="lz4")
            return pl.scan_parquet(path, glob=False)

        yield kept


def last_release(store: ObjectStore) -> Mapping[str, Any]:
    """What `Outputs.summary` said of the last release; empty before the first."""
    try:
        document: Mapping[str, Any] = json.loads(store.read(RELEASE_DOCUMENT))
    except FileNotFoundError:
        return {}
    return document


def release_is_pending(store: ObjectStore) -> bool:
    """Whether a release was cut off after its audit; the next run carries it through."""
    return any(o.name.rpartition("/")[2] == _READY for o in store.objects(_STAGING))


def unchanged_since_release(zone: ObjectStore, store: ObjectStore, rules: str) -> bool:
    """Whether the last release was made from these names and bytes, by these rules.

    False while a release that was cut off waits to be carried through.

    Raises:
        StorageError: one of the places may not be read.
    """
    if release_is_pending(store):
        return False
    released = last_release(store)
    if released.get("rules") != rules:
        return False
    return bool(released["landing"]["fingerprint"] == fingerprint(ContentIds.of(zone, store)))


def finish_interrupted_releases(store: ObjectStore) -> list[str]:
    """Carry through releases that were cut off after their audit; the names released."""
    names = []
    for ready in store.objects(_STAGING):
        prefix, _, name = ready.name.rpartition("/")
        if name == _READY:
            last = store.read(ready.name).decode().strip()
            names += _carry_through(store, f"{prefix}/", last)
    return names


def discard_staged(store: ObjectStore, run: str) -> None:
    """Remove what a run staged; a release that was cut off is left to be carried through."""
    staged = [o.name for o in store.objects(f"{_STAGING}{run}/")]
    if f"{_STAGING}{run}/{_READY}" in staged:
        return
    for name in staged:
        store.delete(name)


def discard_abandoned(store: ObjectStore, now: datetime) -> list[str]:
    """Remove what runs staged that were never released nor taken up again; those runs."""
    last_written: dict[str, datetime] = {}
    audited = set()
    for staged in store.objects(_STAGING):
        run, _, name = staged.name.removeprefix(_STAGING).partition("/")
        last_written[run] = max(staged.written_at, last_written.get(run, staged.written_at))
        audited |= {run} if name == _READY else set()
    abandoned = sorted(
        run for run, at in last_written.items() if now - at > _ABANDONED and run not in audited
    )
    for run in abandoned:
        discard_staged(store, run)
    return abandoned


def _discard_scratch(store: ObjectStore, prefix: str) -> None:
    """Remove what a killed writer left half written below a prefix."""
    for left in store.objects(prefix):
        if left.name.rpartition("/")[2].startswith("."):
            store.delete(left.name)


def _carry_through(store: ObjectStore, prefix: str, last: str) -> list[str]:
    _discard_scratch(store, prefix)
    names = [o.name.removeprefix(prefix) for o in store.objects(prefix)]
    # Tables before documents, since a load into a warehouse can be refused; `last` says it is done.
    ordered = sorted(
        (n for n in names if n != _READY), key=lambda n: (n == last, not n.endswith(_TABLE), n)
    )
    for name in ordered:
        store.move(prefix + name, name)
    store.delete(prefix + _READY)
    return ordered


def _typed(table: str, contract: contracts.Contract, rows: pl.LazyFrame) -> pl.LazyFrame:
    """The rows with the contract's columns in its order, types unchanged.

    Raises:
        ContractBrokenError: a column is missing, unknown, or of another type.
    """
    expected = contracts.polars_schema(contract)
    found = rows.collect_schema()
    if dict(found) != dict(expected):
        differences = [
            f"column {name}: {found.get(name, 'missing')}, expected {expected.get(name, 'none')}"
            for name in dict.fromkeys([*expected, *found])
            if found.get(name) != expected.get(name)
        ]
        raise ContractBrokenError(f"{table} was not written: " + "; ".join(differences))
    return rows.select(expected.names())


def require_contract(table: str, contract: contracts.Contract, rows: pl.LazyFrame) -> None:
    """Do nothing if the rows keep their contract.

    Raises:
        ContractBrokenError: naming each rule, how many rows break it, and one of them.
    """
    _, failure = contract.filter(rows)
    broken = failure.counts()
    if not broken:
        return
    example = failure.invalid().head(1).to_dicts()[0]
    rules = ", ".join(f"{rule} ({count} rows)" for rule, count in sorted(broken.items()))
    raise ContractBrokenError(
        f"{table} was not written: it breaks {rules}; the first such row: {example}"
    )


def _height(path: Path) -> int:
    height: int = pl.scan_parquet(path, glob=False).select(pl.len()).collect().item()
    return height
