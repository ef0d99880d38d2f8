"""Tables kept by file: one part per landed file, made once per content and version of the recipe.

Such a table is a list of parts, in the order in which their files were delivered. The name of a
part is a hash of the input and of the version of the recipe. So a part that exists is up to date,
and a run makes only the parts of new or changed files. Parsing, cleaning and searching all make
parts. `landing` lists the files, `engines` run the recipes.
"""

from __future__ import annotations

import hashlib
import json
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import polars as pl

from drug_assets.sources.tables import TABLES
from drug_assets.storage.contract_gate import conform, require_contract
from drug_assets.storage.kept import FOLDER
from drug_assets.versions import compute_version

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
    from pathlib import Path

    from drug_assets.engines import Engine
    from drug_assets.storage.objects import ObjectStore

#: The prefix of the objects that hold `Recipe.side_table`.
_SIDE_TABLES = f"{FOLDER}side_tables/"
#: One call makes the parts of several small files, up to this size of their input parts: each call
#: has a fixed cost.
_TOGETHER_BYTES = 16 * 1024**2
_KEY_CHARACTERS = 32
#: Entry in the metadata of a part: the number of rows in its input part.
_INPUT_ROWS = "input_rows"


@dataclass(frozen=True)
class Part:
    """The rows that follow from one landed file."""

    source_file: str
    #: Name of its object in the store.
    name: str


@dataclass(frozen=True)
class Parts:
    """A table kept by file."""

    table: str
    #: In the order in which the files were delivered.
    parts: tuple[Part, ...] = ()
    #: Name of the object that holds the recipe's `side_table`, if it has one.
    side_table: str | None = None

    def lines(self) -> list[str]:
        """The lines of the document that lists the parts."""
        listed = [{"source_file": part.source_file, "part": part.name} for part in self.parts]
        document = {"side_table": self.side_table, "parts": listed}
        return [json.dumps(document, indent=0, ensure_ascii=False)]

    @classmethod
    def read(cls, table: str, document: bytes) -> Parts:
        """The parts in a document that `lines` made."""
        listed = json.loads(document)
        parts = tuple(Part(part["source_file"], part["part"]) for part in listed["parts"])
        return cls(table, parts, listed["side_table"])

    def objects(self) -> set[str]:
        """The names of all objects that the table needs."""
        names = {part.name for part in self.parts}
        return names | {self.side_table} if self.side_table else names

    def rows(self, store: ObjectStore) -> pl.LazyFrame:
        """The rows of all parts, in the order of delivery."""
        if not self.parts:
            return TABLES[self.table].contract.create_empty(lazy=True)
        return pl.scan_parquet(self._copies(store), glob=False)

    def size_bytes(self, store: ObjectStore) -> int:
        """The total size of the parts in the store."""
        sizes = {found.name: found.size_bytes for found in store.objects(folder_of(self.table))}
        return sum(sizes.get(part.name, 0) for part in self.parts)

    def _copies(self, store: ObjectStore) -> list[Path]:
        """Local copies of the parts; one listing gives all versions, instead of a request each."""
        versions = {found.name: found.version for found in store.objects(folder_of(self.table))}
        return [store.local_copy(part.name, versions.get(part.name)) for part in self.parts]

    def input_rows(self, store: ObjectStore) -> Mapping[str, int]:
        """How many rows of each landed file the recipe read, by name of the file."""
        return {
            part.source_file: int(pl.read_parquet_metadata(copy)[_INPUT_ROWS])
            for part, copy in zip(self.parts, self._copies(store), strict=True)
        }


@dataclass(frozen=True)
class Recipe:
    """How to make the rows of a table from those of another table, one landed file at a time.

    The result for a file may depend only on the rows of that file and on `side_table`.
    """

    #: The table whose rows are the input.
    of: str
    #: Makes the rows from input rows; takes `side_table` as a keyword argument if there is one.
    #: Called with the rows of several files, it must return the rows that it returns for each file
    #: alone, the rows of a file together.
    make: Callable[..., pl.LazyFrame]
    #: A small table that is needed for every file besides the input rows.
    side_table: pl.LazyFrame | None = None
    #: Converts `side_table` before it is passed to `make`; called once per process.
    prepare: Callable[[pl.DataFrame], Any] | None = None

    def version(self) -> str:
        """The version of the code that makes the rows; `side_table` is not part of it."""
        functions = [self.make] if self.prepare is None else [self.make, self.prepare]
        return compute_version(*functions)


@dataclass(frozen=True)
class _Task:
    """A group of files whose parts one call makes."""

    store: ObjectStore
    table: str
    make: Callable[..., pl.LazyFrame]
    prepare: Callable[[pl.DataFrame], Any] | None
    side_table: str | None
    #: Names of the landed files, of their input parts, and of the parts to make: one each per file.
    files: tuple[str, ...]
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]


def make_key(*made_of: str) -> str:
    """A key for a result: the hash of the names, contents and versions that it was made from."""
    return hashlib.sha256("\0".join(made_of).encode()).hexdigest()[:_KEY_CHARACTERS]


def folder_of(table: str) -> str:
    """The prefix of the objects that hold the parts of a table."""
    return f"{FOLDER}{table}/"


def name_part(table: str, *made_of: str) -> str:
    """The name of a part's object, from the names, contents and versions that it is made from."""
    return f"{folder_of(table)}{make_key(*made_of)}.parquet"


def make_parts(
    table: str, recipe: Recipe, inputs: Parts, store: ObjectStore, engine: Engine
) -> Parts:
    """The parts of a table; missing ones are made.

    Args:
        table: name of the table.
        recipe: makes its rows.
        inputs: the parts of the table `recipe.of`.
        store: the store of the parts.
        engine: runs the recipe.

    Raises:
        ContractBrokenError: the rows that the recipe makes do not keep the contract.
    """
    version = recipe.version()
    side_table = _keep_side_table(recipe.side_table, store)
    outputs = Parts(
        table,
        tuple(
            Part(part.source_file, name_part(table, part.name, version, side_table or ""))
            for part in inputs.parts
        ),
        side_table,
    )
    existing = {found.name for found in store.objects(folder_of(table))}
    sizes = {found.name: found.size_bytes for found in store.objects(folder_of(recipe.of))}
    missing = [
        (part, target.name)
        for part, target in zip(inputs.parts, outputs.parts, strict=True)
        if target.name not in existing
    ]
    tasks = [
        _Task(
            store=store,
            table=table,
            make=recipe.make,
            prepare=recipe.prepare,
            side_table=side_table,
            files=tuple(part.source_file for part, _ in group),
            inputs=tuple(part.name for part, _ in group),
            outputs=tuple(name for _, name in group),
        )
        for group in _group_small_files(missing, sizes)
    ]
    size_bytes = sum(sizes.get(part.name, 0) for part, _ in missing)
    for _ in engine.run(_make, tasks, size_bytes=size_bytes, fills_cores=True):
        pass
    _PREPARED.clear()
    return outputs


def write_part(
    store: ObjectStore, name: str, table: str, rows: pl.DataFrame | pl.LazyFrame, **metadata: str
) -> None:
    """Write a part in one step; rows that break the contract are refused.

    Args:
        store: the store of the part.
        name: name of its object.
        table: name of the table that it belongs to.
        rows: its rows, which follow from one landed file.
        metadata: entries for the metadata of the Parquet file.

    Raises:
        ContractBrokenError: the rows do not keep the contract.
    """
    with _put_when_written(store, name) as scratch:
        # Every run reads the parts, so fast decompression matters more than size.
        conform(table, rows.lazy()).sink_parquet(
            scratch, maintain_order=True, compression="lz4", metadata=metadata
        )
        require_contract(table, pl.scan_parquet(scratch, glob=False))


def discard_unlisted(store: ObjectStore, listed: Collection[str]) -> int:
    """Remove kept parts and side tables that are not listed; return how many.

    Args:
        store: the store.
        listed: names of the objects to keep.
    """
    unlisted = []
    for found in store.objects(FOLDER):
        folder, _, file = found.name.removeprefix(FOLDER).rpartition("/")
        # Hidden files are still being written.
        if folder and not file.startswith(".") and found.name not in listed:
            unlisted.append(found.name)
    for name in unlisted:
        store.delete(name)
    return len(unlisted)


def _keep_side_table(side_table: pl.LazyFrame | None, store: ObjectStore) -> str | None:
    """Keep the side table of a recipe as an object named by its content; return the name."""
    if side_table is None:
        return None
    scratch = store.scratch(f"{_SIDE_TABLES}rows.parquet")
    try:
        side_table.sink_parquet(scratch, maintain_order=True, compression="lz4")
        name = f"{_SIDE_TABLES}{make_key(hashlib.sha256(scratch.read_bytes()).hexdigest())}.parquet"
        if not any(found.name == name for found in store.objects(name)):
            store.put(scratch, name)
    finally:
        scratch.unlink(missing_ok=True)
    return name


def _group_small_files(
    files: Sequence[tuple[Part, str]], sizes: Mapping[str, int]
) -> Iterator[list[tuple[Part, str]]]:
    """Group files, so that the input parts of a group are small enough for one call."""
    group: list[tuple[Part, str]] = []
    bytes_left = _TOGETHER_BYTES
    for part, name in files:
        size = sizes.get(part.name, 0)
        if group and size > bytes_left:
            yield group
            group, bytes_left = [], _TOGETHER_BYTES
        group.append((part, name))
        bytes_left -= size
    if group:
        yield group


def _make(task: _Task) -> None:
    """Make the parts of some files. A worker runs this: it reads and writes the store itself."""
    copies = [task.store.local_copy(name) for name in task.inputs]
    input_rows = pl.scan_parquet(copies, glob=False)
    if task.side_table is None:
        rows = task.make(input_rows)
    else:
        rows = task.make(input_rows, side_table=_prepare_side_table(task, task.side_table))
    if len(task.files) == 1:
        count = {_INPUT_ROWS: str(count_rows(copies[0]))}
        write_part(task.store, task.outputs[0], task.table, rows, **count)
        return
    counts = dict(input_rows.group_by("source_file").len().collect().iter_rows())
    # The streaming engine would start anew for each file.
    made = conform(task.table, rows).collect(engine="in-memory")
    require_contract(task.table, made.lazy())
    rows_by_file = made.partition_by("source_file", maintain_order=True, as_dict=True)
    for file, name in zip(task.files, task.outputs, strict=True):
        count = {_INPUT_ROWS: str(counts.get(file, 0))}
        with _put_when_written(task.store, name) as scratch:
            rows_by_file.get((file,), made.clear()).write_parquet(
                scratch, compression="lz4", metadata=count
            )


def _prepare_side_table(task: _Task, name: str) -> Any:
    """The prepared side table of a recipe; prepared once per process, as that can take a second."""
    uri = task.store.uri(name)
    if uri not in _PREPARED:
        _PREPARED.clear()
        rows = pl.scan_parquet(task.store.local_copy(name), glob=False).collect()
        _PREPARED[uri] = task.prepare(rows) if task.prepare else rows
    return _PREPARED[uri]


#: The last prepared `side_table`, by the location of its rows; at most one.
_PREPARED: dict[str, Any] = {}


@contextmanager
def _put_when_written(store: ObjectStore, name: str) -> Iterator[Path]:
    """A path to write to; on exit without an error, the file is put in the store."""
    scratch = store.scratch(name)
    try:
        yield scratch
        store.put(scratch, name)
    finally:
        scratch.unlink(missing_ok=True)


def count_rows(path: Path) -> int:
    """The number of rows in a Parquet file, read from its footer."""
    rows: int = pl.scan_parquet(path, glob=False).select(pl.len()).collect().item()
    return rows
