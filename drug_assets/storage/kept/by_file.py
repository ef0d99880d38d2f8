"""Tables kept by file: one part per landed file, made once per content and version of the recipe.

Such a table is a list of parts, in the order in which their files were delivered. The name of a
part is a hash of the input and of the version of the recipe. So a part that exists is up to date,
and a run makes only the parts of new or changed files. Parsing, cleaning and searching all make
parts. `landing` lists the files, `engines` run the recipes, `whole` finds the object of a part.
"""

from __future__ import annotations

import hashlib
import json
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import polars as pl

from drug_assets import progress
from drug_assets.errors import DrugAssetsError
from drug_assets.sources.tables import TABLES
from drug_assets.storage import elsewhere
from drug_assets.storage.contract_gate import (
    conform,
    note_of_file,
    require_contract,
    require_contract_of_file,
    require_source_files,
)
from drug_assets.storage.kept import FOLDER
from drug_assets.storage.kept.whole import (
    find_whole,
    folder_of,
    heal,
    ignore,
    name_object,
    result_of,
)
from drug_assets.storage.parquet import write_parquet
from drug_assets.versions import compute_version

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
    from pathlib import Path

    from drug_assets.engines import Engine
    from drug_assets.storage.kept.whole import Warn
    from drug_assets.storage.objects import ObjectStore, StoredObject

#: The name under which each `Recipe.side_table` is kept, beside the tables.
_SIDE_TABLES = "side_tables"
#: One call makes the parts of several small files, up to this size of their input parts: each call
#: has a fixed cost.
_TOGETHER_BYTES = 16 * 1024**2
_KEY_CHARACTERS = 32
#: Rows of a group of a Parquet file, which its writer holds at once; and bytes of a page, so many
#: that a list fits in one. If they are not given, groups and pages of lists end where batches do;
#: and how a sort divides its rows differs each time, so that the same rows were other bytes.
ROW_GROUP_ROWS = 64 * 1024
PAGE_BYTES = 64 * 1024**2
#: Entry in the metadata of a part: the number of rows in its input part.
_INPUT_ROWS = "input_rows"
_NAMES_SHOWN = 5
#: A run of everything makes each table from the landed files on; other work only reads some.
_CURE = "run `drug-assets run` or materialize everything, and what is missing is made again"


class DamagedPartsError(DrugAssetsError):
    """Parts, or a list of parts, are missing or damaged, and cannot be made again right here."""


@dataclass(frozen=True)
class Part:
    """The rows that follow from one landed file."""

    source_file: str
    #: Says what it was made from; see `whole` for the name of its object in the store.
    name: str


@dataclass(frozen=True)
class Parts:
    """A table kept by file."""

    table: str
    #: In the order in which the files were delivered.
    parts: tuple[Part, ...] = ()
    #: Name of the recipe's kept `side_table`, if it has one.
    side_table: str | None = None

    def lines(self) -> list[str]:
        """The lines of the document that lists the parts."""
        listed = [{"source_file": part.source_file, "part": part.name} for part in self.parts]
        document = {"side_table": self.side_table, "parts": listed}
        return [json.dumps(document, indent=0, ensure_ascii=False)]

    @classmethod
    def read(cls, table: str, document: bytes) -> Parts:
        """The parts in a document that `lines` made.

        Raises:
            DamagedPartsError: the document is damaged.
        """
        try:
            listed = json.loads(document)
            parts = tuple(
                Part(str(part["source_file"]), str(part["part"])) for part in listed["parts"]
            )
            return cls(table, parts, listed["side_table"])
        except (ValueError, TypeError, LookupError) as error:
            raise DamagedPartsError(f"the list of parts of {table} is damaged: {_CURE}") from error

    def names(self) -> set[str]:
        """The names of all kept results that the table needs."""
        names = {part.name for part in self.parts}
        return names | {self.side_table} if self.side_table else names

    def rows(
        self, store: ObjectStore, objects: Sequence[StoredObject] | None = None
    ) -> pl.LazyFrame:
        """The rows of all parts, in the order of delivery.

        Args:
            store: the store.
            objects: what `objects` returned, if it was asked.

        Raises:
            DamagedPartsError: parts are missing or damaged.
        """
        if not self.parts:
            return TABLES[self.table].contract.create_empty(lazy=True)
        held = self.objects(store) if objects is None else objects
        copies = [store.local_copy(found.name, found.version) for found in held]
        return pl.scan_parquet(copies, glob=False)

    @contextmanager
    def borrow_rows(self, store: ObjectStore) -> Iterator[pl.LazyFrame]:
        """The same as `rows`, for as long as the context lasts: no copies of the parts stay.

        Raises:
            DamagedPartsError: parts are missing or damaged.
        """
        with ExitStack() as borrowed:
            copies = [
                borrowed.enter_context(store.borrow(found.name, found.version))
                for found in self.objects(store)
            ]
            if not copies:
                yield TABLES[self.table].contract.create_empty(lazy=True)
                return
            yield pl.scan_parquet(copies, glob=False)

    def size_bytes(self, store: ObjectStore) -> int:
        """The total size of the parts in the store.

        Raises:
            DamagedPartsError: parts are missing or damaged.
        """
        return sum(found.size_bytes for found in self.objects(store))

    def objects(self, store: ObjectStore) -> list[StoredObject]:
        """The objects that hold the parts, verified.

        Raises:
            DamagedPartsError: parts are missing or damaged.
        """
        whole = find_whole(store, self.table, [part.name for part in self.parts]).whole
        lacking = [part.source_file for part in self.parts if part.name not in whole]
        if lacking:
            raise DamagedPartsError(
                f"the kept rows of {self.table} from {', '.join(lacking[:_NAMES_SHOWN])}"
                f"{' and others' if len(lacking) > _NAMES_SHOWN else ''} are missing or damaged in "
                f"{store.uri(folder_of(self.table))}: {_CURE}"
            )
        return [whole[part.name] for part in self.parts]

    def keep_contract(self, store: ObjectStore) -> bool:
        """Whether it is known that all rows keep the contract, since they did when written.

        Raises:
            DamagedPartsError: parts are missing or damaged.
        """
        files = [part.source_file for part in self.parts]
        # The landed file is in the key of each such table, so that no key is in two parts.
        return len(files) == len(set(files)) and all(
            note_of_file(self.table, file).items() <= pl.read_parquet_metadata(footer).items()
            for file, footer in zip(files, self._footers(store), strict=True)
        )

    def copies(self, store: ObjectStore) -> dict[str, Path]:
        """Local copies of the parts, by landed file.

        Raises:
            DamagedPartsError: parts are missing or damaged.
        """
        files = [part.source_file for part in self.parts]
        return dict(zip(files, self._copies(store), strict=True))

    def _copies(self, store: ObjectStore) -> list[Path]:
        """Local copies of the parts."""
        return [store.local_copy(found.name, found.version) for found in self.objects(store)]

    def input_rows(self, store: ObjectStore) -> Mapping[str, int]:
        """How many rows of each landed file the recipe read, by name of the file.

        Raises:
            DamagedPartsError: parts are missing or damaged.
        """
        return {
            part.source_file: int(pl.read_parquet_metadata(footer)[_INPUT_ROWS])
            for part, footer in zip(self.parts, self._footers(store), strict=True)
        }

    def count_rows(self, store: ObjectStore) -> int:
        """The number of rows of all parts.

        Raises:
            DamagedPartsError: parts are missing or damaged.
        """
        footers = self._footers(store)
        return count_rows(*footers) if footers else 0

    def _footers(self, store: ObjectStore) -> list[Path]:
        """Local files with the metadata of the parts."""
        return [store.local_footer(found) for found in self.objects(store)]


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
    side_table: StoredObject | None
    #: Names of the landed files, the objects of their input parts, and the names of the parts to
    #: make: one each per file.
    files: tuple[str, ...]
    inputs: tuple[StoredObject, ...]
    outputs: tuple[str, ...]


def make_key(*made_of: str) -> str:
    """A key for a result: the hash of the names, contents and versions that it was made from."""
    return hashlib.sha256("\0".join(made_of).encode()).hexdigest()[:_KEY_CHARACTERS]


def name_part(table: str, *made_of: str) -> str:
    """The name of a part, from the names, contents and versions that it is made from."""
    return f"{folder_of(table)}{make_key(*made_of)}.parquet"


def make_parts(
    table: str,
    recipe: Recipe,
    inputs: Parts,
    store: ObjectStore,
    engine: Engine,
    warn: Warn = ignore,
    report: progress.Report = progress.ignore,
) -> Parts:
    """The parts of a table; missing and damaged ones are made.

    Args:
        table: name of the table.
        recipe: makes its rows.
        inputs: the parts of the table `recipe.of`.
        store: the store of the parts.
        engine: runs the recipe.
        warn: is told of damaged parts.
        report: is told of how many files the missing parts are made.

    Raises:
        ContractBrokenError: the rows that the recipe makes do not keep the contract.
        DamagedPartsError: input parts are missing or damaged.
    """
    version = recipe.version()
    side_table = _keep_side_table(recipe.side_table, store, warn)
    side_table_name = result_of(side_table.name) if side_table else None
    outputs = Parts(
        table,
        tuple(
            Part(part.source_file, name_part(table, part.name, version, side_table_name or ""))
            for part in inputs.parts
        ),
        side_table_name,
    )
    whole = heal(store, table, [part.name for part in outputs.parts], warn).whole
    missing = [
        (part, target.name)
        for part, target in zip(inputs.parts, outputs.parts, strict=True)
        if target.name not in whole
    ]
    of_missing = Parts(recipe.of, tuple(part for part, _ in missing)).objects(store)
    to_make = [
        (part.source_file, found, name)
        for (part, name), found in zip(missing, of_missing, strict=True)
    ]
    tasks = [
        _Task(
            store=store,
            table=table,
            make=recipe.make,
            prepare=recipe.prepare,
            side_table=side_table,
            files=tuple(file for file, _, _ in group),
            inputs=tuple(found for _, found, _ in group),
            outputs=tuple(name for _, _, name in group),
        )
        for group in _group_small_files(to_make)
    ]
    size_bytes = sum(found.size_bytes for found in of_missing)
    count = progress.Count(report, of_files=len(missing), of_bytes=size_bytes)
    results = elsewhere.run(
        engine, _make, tasks, size_bytes=size_bytes, fills_cores=True, store=store
    )
    for task, rows in zip(tasks, results, strict=True):
        task_bytes = sum(found.size_bytes for found in task.inputs)
        count.add(files=len(task.files), size_bytes=task_bytes, rows=rows)
    if not _HELD:
        _PREPARED.clear()
    return outputs


@contextmanager
def hold_prepared() -> Iterator[None]:
    """Hold what was prepared of a side table, for further recipes with the same one."""
    _HELD.append(True)
    try:
        yield
    finally:
        _HELD.pop()
        _PREPARED.clear()


def write_part(
    store: ObjectStore,
    name: str,
    table: str,
    rows: pl.DataFrame | pl.LazyFrame,
    source_file: str,
    metadata: Callable[[], Mapping[str, str]] = dict,
    *,
    checked: bool = False,
    before_put: Callable[[], None] | None = None,
) -> None:
    """Write a part in one step; rows that break the contract are refused.

    Lazy rows are written as they come, so that memory does not follow their number.

    Args:
        store: the store of the part.
        name: its name, as `name_part` makes it.
        table: name of the table that it belongs to.
        rows: its rows, which follow from one landed file.
        source_file: that file.
        metadata: returns entries for the metadata of the Parquet file; called after the last row
            was made.
        checked: whether the rows were held to the contract, and to be of that file, as they were
            made. Else they are read again for it, and then memory follows their number of keys.
        before_put: called when all rows are written; if it raises, there is no part.

    Raises:
        ContractBrokenError: the rows do not keep the contract.
    """
    with _put_when_written(store, name) as scratch:
        # Every run reads the parts, so fast decompression matters more than size.
        write_parquet(
            conform(table, rows.lazy()),
            scratch,
            compression="lz4",
            row_group_size=ROW_GROUP_ROWS,
            data_page_size=PAGE_BYTES,
            metadata=lambda _: {**metadata(), **note_of_file(table, source_file)},
        )
        if not checked:
            require_contract_of_file(table, scratch)
            require_source_files(table, pl.scan_parquet(scratch, glob=False), source_file)
        if before_put is not None:
            before_put()


def discard_unlisted(store: ObjectStore, listed: Collection[str]) -> int:
    """Remove the objects of kept parts and side tables that are not listed; return how many.

    Args:
        store: the store.
        listed: names of the results to keep; one object stays for each.
    """
    unlisted = []
    kept = set()
    for found in store.objects(FOLDER):
        folder, _, file = found.name.removeprefix(FOLDER).rpartition("/")
        # Hidden files are still being written.
        if not folder or file.startswith("."):
            continue
        result = result_of(found.name)
        # Runs at once can make the same part in different groups, so that its bytes differ.
        if result in listed and result not in kept:
            kept.add(result)
        else:
            unlisted.append(found.name)
    for name in unlisted:
        store.delete(name)
    return len(unlisted)


def _keep_side_table(
    side_table: pl.LazyFrame | None, store: ObjectStore, warn: Warn
) -> StoredObject | None:
    """Keep the side table of a recipe as an object named by its content; return the object."""
    if side_table is None:
        return None
    scratch = store.scratch(f"{folder_of(_SIDE_TABLES)}rows.parquet")
    try:
        write_parquet(
            side_table,
            scratch,
            compression="lz4",
            row_group_size=ROW_GROUP_ROWS,
            data_page_size=PAGE_BYTES,
        )
        result = name_part(_SIDE_TABLES, hashlib.sha256(scratch.read_bytes()).hexdigest())
        whole = heal(store, _SIDE_TABLES, [result], warn).whole
        if result not in whole:
            store.put(scratch, name_object(result, scratch))
            whole = find_whole(store, _SIDE_TABLES, [result]).whole
    finally:
        scratch.unlink(missing_ok=True)
    if result not in whole:
        raise DamagedPartsError(f"{store.uri(result)} was removed at once: {_CURE}")
    return whole[result]


def _group_small_files(
    files: Sequence[tuple[str, StoredObject, str]],
) -> Iterator[list[tuple[str, StoredObject, str]]]:
    """Group files, so that the input parts of a group are small enough for one call.

    Args:
        files: name of each landed file, the object of its input part, and the part to make.
    """
    group: list[tuple[str, StoredObject, str]] = []
    bytes_left = _TOGETHER_BYTES
    for file in files:
        size = file[1].size_bytes
        if group and size > bytes_left:
            yield group
            group, bytes_left = [], _TOGETHER_BYTES
        group.append(file)
        bytes_left -= size
    if group:
        yield group


def _make(task: _Task) -> int:
    """Make the parts of some files; return the number of input rows.

    A worker runs this: it reads and writes the store itself.
    """
    try:
        copies = [task.store.local_copy(found.name, found.version) for found in task.inputs]
    except FileNotFoundError as error:
        raise DamagedPartsError(f"a kept input of {task.table} is gone: {_CURE}") from error
    input_rows = pl.scan_parquet(copies, glob=False)
    if task.side_table is None:
        rows = task.make(input_rows)
    else:
        rows = task.make(input_rows, side_table=_prepare_side_table(task, task.side_table))
    if len(task.files) == 1:
        read = count_rows(copies[0])
        metadata = {_INPUT_ROWS: str(read)}
        name, [file] = task.outputs[0], task.files
        write_part(task.store, name, task.table, rows, file, lambda: metadata)
        return read
    counts = dict(input_rows.group_by("source_file").len().collect().iter_rows())
    # The streaming engine would start anew for each file.
    made = conform(task.table, rows).collect(engine="in-memory")
    require_contract(task.table, made.lazy())
    require_source_files(task.table, made, *task.files)
    rows_by_file = made.partition_by("source_file", maintain_order=True, as_dict=True)
    for file, name in zip(task.files, task.outputs, strict=True):
        metadata = {_INPUT_ROWS: str(counts.get(file, 0)), **note_of_file(task.table, file)}
        with _put_when_written(task.store, name) as scratch:
            rows_by_file.get((file,), made.clear()).write_parquet(
                scratch, compression="lz4", metadata=metadata
            )
    return sum(counts.values())


def _prepare_side_table(task: _Task, side_table: StoredObject) -> Any:
    """The prepared side table of a recipe; prepared once per process, as that can take a second."""
    uri = task.store.uri(side_table.name)
    if uri not in _PREPARED:
        _PREPARED.clear()
        copy = task.store.local_copy(side_table.name, side_table.version)
        rows = pl.scan_parquet(copy, glob=False).collect()
        _PREPARED[uri] = task.prepare(rows) if task.prepare else rows
    return _PREPARED[uri]


#: The last prepared `side_table`, by the location of its rows; at most one.
_PREPARED: dict[str, Any] = {}
#: Not empty within `hold_prepared`.
_HELD: list[bool] = []


@contextmanager
def _put_when_written(store: ObjectStore, name: str) -> Iterator[Path]:
    """A path to write a part to; on exit without an error, the file is put in the store."""
    scratch = store.scratch(name)
    try:
        yield scratch
        store.put(scratch, name_object(name, scratch))
    finally:
        scratch.unlink(missing_ok=True)


def count_rows(*files: Path) -> int:
    """The number of rows in Parquet files of the same columns, read from their footers."""
    counted = pl.scan_parquet([*files], glob=False).select(pl.len())
    # The streaming engine starts threads for it.
    rows: int = counted.collect(engine="in-memory").item()
    return rows
