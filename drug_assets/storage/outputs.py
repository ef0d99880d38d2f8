"""Outputs as one run writes and reads them: tables as Parquet files, text documents.

A run that ends in a release writes to a folder of its own (`staging`); `commit` makes a release of
it when every blocking check has passed. Other work reads the current release.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import polars as pl

from drug_assets.errors import DrugAssetsError
from drug_assets.sources.tables import TABLES, compute_figures
from drug_assets.storage import commit as commits
from drug_assets.storage import staging
from drug_assets.storage.comparison import COMPARED_WITH, Comparison, compare, find_intact
from drug_assets.storage.contract_gate import (
    conform,
    require_contract_in_blocks,
    require_distinct_keys,
)
from drug_assets.storage.former import take_over
from drug_assets.storage.kept.by_file import (
    PAGE_BYTES,
    ROW_GROUP_ROWS,
    DamagedPartsError,
    Parts,
    count_rows,
    discard_unlisted,
)
from drug_assets.storage.kept.whole import compute_checksum, ignore
from drug_assets.storage.parquet import write_parquet
from drug_assets.storage.pieces import PiecesOfFile
from drug_assets.storage.pointer import LINK
from drug_assets.storage.releases import (
    LANDING_DOCUMENT,
    Release,
    complete_pointer,
    current_release,
    list_releases,
)
from drug_assets.storage.temporary import remove_folders_of_dead_processes
from drug_assets.storage.workspace import Origin, Workspace

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from pathlib import Path
    from typing import BinaryIO

    from drug_assets.storage.kept.whole import Warn
    from drug_assets.storage.objects import ObjectStore, StoredObject
    from drug_assets.storage.pieces import Pieces
    from drug_assets.storage.pointer import Pointer

#: Whether the landing zone still has a fingerprint.
IsCurrent = Callable[[str], bool]
#: Makes again, among the outputs of a run, what depends on the release that they are compared with.
MakeAgain = Callable[["Outputs"], None]

#: Rows of a table that people are shown.
_SAMPLE_ROWS = 5
#: Rows, and bytes of their files, that are read at once.
_FEW_ROWS, _FEW_BYTES = 10_000, 1 << 20
#: The tables of few rows that this process keeps in memory, by the state of the objects that hold
#: the rows; the newest are last, and the oldest go.
_FEW: dict[tuple[tuple[str, str], ...], pl.LazyFrame] = {}
_MOST_FEW = 64
#: How the rows of a whole table lie in its file. The lowest level compresses nearly as well as the
#: default, in two thirds of the time.
_LAYOUT: Mapping[str, int] = {
    "compression_level": 1,
    "row_group_size": ROW_GROUP_ROWS,
    "data_page_size": PAGE_BYTES,
}
#: The objects that the last run of this process staged, by URI: they change as it writes them.
_STAGED: dict[str, StoredObject] = {}
#: The rows of each table of the release that this process compared with last, by its URI.
_ROWS_BEFORE: dict[str, Mapping[str, int]] = {}
#: By URI of a whole table that this process wrote, the checksum of the rows that kept its contract.
_SOUND: dict[str, str] = {}
_TABLE = ".parquet"
_PARTS = ".parts.json"


class NotMadeError(DrugAssetsError, FileNotFoundError):
    """An output does not exist in this store; the message says how to make it."""

    def __init__(self, output: str, place: str) -> None:
        name = output.partition(".")[0]
        DrugAssetsError.__init__(
            self, f"{name} was never made in {place}: materialize it, or everything"
        )


def table_file(table: str) -> str:
    """The name of a table's file in a release, which holds its rows or the list of its parts."""
    return f"{table}{_PARTS if TABLES[table].by_file else _TABLE}"


@dataclass(frozen=True)
class Outputs:
    """The objects of a store as one run sees them: its own staged ones first."""

    store: ObjectStore
    #: The prefix that this run writes to and reads first; None for work that only reads.
    prefix: str | None = None
    #: The release that is read where this run has not written an output itself.
    release: Release | None = None
    #: The release that this run's outputs are compared with; None for the first.
    base: Release | None = None
    #: The workspace that `prefix` is, for runs that make only some outputs.
    workspace: Workspace | None = None

    @classmethod
    def current(cls, store: ObjectStore) -> Outputs:
        """The outputs of the current release, for reading."""
        return cls(store, release=current_release(store))

    @classmethod
    def of_run(cls, store: ObjectStore, run: str) -> Outputs:
        """The outputs that a run stages until it releases them."""
        beginning = staging.read_own_beginning(store, run)
        base = Release(store, beginning.base.release) if beginning and beginning.base else None
        return cls(store, staging.folder_of_run(run), base=base)

    @classmethod
    def of_workspace(cls, store: ObjectStore, now: Origin, warn: Warn = ignore) -> Outputs:
        """The outputs of a run that makes only some of them.

        It reads from the workspace what was made from the present landing zone and rules, and the
        rest from the current release.

        Args:
            store: the store.
            now: the landing zone and the rules as they are now.
            warn: is told of outputs in the workspace that are damaged.
        """
        release = current_release(store)
        workspace = Workspace(store, release, now, warn)
        return cls(store, staging.WORKSPACE, release, release, workspace)

    def name_to_write(self, output: str) -> str:
        """The name of the object that this run writes an output to.

        Raises:
            RuntimeError: these outputs are for reading only.
        """
        if self.prefix is None:
            raise RuntimeError(f"{output} cannot be written here: these outputs are only read")
        return f"{self.prefix}{output}"

    def name_to_read(self, output: str) -> str:
        """The name of the object that this run reads an output from.

        Raises:
            NotMadeError: neither this run nor a release made it.
        """
        return self._find(output).name

    def _find(self, output: str) -> StoredObject:
        names = []
        if self.prefix is not None and (self.workspace is None or self.workspace.find(output)):
            names.append(f"{self.prefix}{output}")
        if self.release is not None:
            names.append(self.release.name(output))
        for name in names:
            found = _STAGED.get(self.store.uri(name)) or self._list(name)
            if found is not None:
                return found
        raise NotMadeError(output, self.store.uri())

    def _list(self, name: str) -> StoredObject | None:
        """An object as the store lists it.

        What this run staged is remembered where versions are numbered: to list takes a request
        there, and if another process writes it again, the version that is asked for is gone.
        """
        found = next((one for one in self.store.objects(name) if one.name == name), None)
        is_staged = self.prefix and self.workspace is None and name.startswith(self.prefix)
        if found is not None and found.is_numbered and is_staged:
            folder = self.store.uri(f"{self.prefix}")
            for uri in [uri for uri in _STAGED if not uri.startswith(folder)]:
                del _STAGED[uri]
            _STAGED[self.store.uri(name)] = found
        return found

    def _put(self, finished: Path, name: str) -> None:
        """Put a file of this run in the store."""
        _STAGED.pop(self.store.uri(name), None)
        self.store.put(finished, name)

    def lasting_uri(self, output: str) -> str | None:
        """Where an output will lie after this run; None if that is not known yet.

        What a run stages gets its place when it is released. In a folder, the link `latest` leads
        there.
        """
        if self.workspace is not None:
            return self.store.uri(self.name_to_write(output))
        return self.store.uri(f"{LINK}/{output}") if self.store.has_locks else None

    def write_table(self, table: str, rows: pl.LazyFrame) -> WrittenTable:
        """Write a table to a Parquet file, check its contract there, then put it in the store.

        Args:
            table: name of the table.
            rows: its rows.

        Raises:
            ContractBrokenError: the rows do not keep the contract; the table is not replaced.
        """

        def write(scratch: Path) -> None:
            write_parquet(conform(table, rows), scratch, **_LAYOUT)

        return self._put_table(table, write, require_contract_in_blocks)

    def write_pieces(self, table: str, pieces: Pieces) -> WrittenTable:
        """Write a table in pieces, as `write_table` does; take over those of the release before.

        The row groups of a piece follow from what it is made of. So a piece is copied, and not made
        again, if that release has one that was made of the same.

        Args:
            table: name of the table.
            pieces: its pieces.

        Raises:
            ContractBrokenError: the rows do not keep the contract; the table is not replaced.
        """

        def write(scratch: Path) -> None:
            of = self.parts(pieces.of)
            piece = self.store.scratch(self.name_to_write(table_file(table)))
            try:
                with self._pieces_before(table) as before, scratch.open("wb") as file:
                    pieces.write(file, table, of, self.store, before, piece, _LAYOUT)
            finally:
                piece.unlink(missing_ok=True)

        # The rows of each piece were held to the contract when it was made.
        return self._put_table(table, write, require_distinct_keys)

    @contextmanager
    def _pieces_before(self, table: str) -> Iterator[PiecesOfFile | None]:
        """The pieces of a table in the release before, verified; None if it has none."""
        found = None
        if self.base is not None:
            found = find_intact(self.base, self.base.read_summary(), table_file(table))
        if found is None:
            yield None
            return
        with self.store.local_copy(found.name, found.version).open("rb") as opened:
            yield PiecesOfFile.read(opened)

    def _put_table(
        self,
        table: str,
        write: Callable[[Path], object],
        require: Callable[[str, pl.LazyFrame, int], None],
    ) -> WrittenTable:
        """Put a table in the store.

        Args:
            table: name of the table.
            write: writes its file.
            require: checks the rows of the file: takes the table, the rows and their number.
        """
        name = self.name_to_write(table_file(table))
        scratch = self.store.scratch(name)
        try:
            write(scratch)
            count = count_rows(scratch)
            size_bytes = scratch.stat().st_size
            scanned = pl.scan_parquet(scratch, glob=False)
            found = _read_if_few(scanned, count, size_bytes)
            require(table, found, count)
            written = WrittenTable(
                rows=count,
                size_bytes=size_bytes,
                sample=_sample(found, count),
                figures=compute_figures(table, found),
                uri=self.lasting_uri(table_file(table)),
            )
            checksum = compute_checksum(scratch)
            self._put(scratch, name)
            _SOUND[self.store.uri(name)] = checksum
            if found is not scanned and (written_as := self._list(name)) is not None:
                _keep_few(self.store, [written_as], found)
        finally:
            scratch.unlink(missing_ok=True)
        return written

    def keeps_contract(self, table: str) -> bool:
        """Whether it is known that a table keeps its contract, since its bytes did when written.

        Of a whole table, that is known to the process that wrote it.

        Raises:
            NotMadeError: the table was never made.
        """
        if TABLES[table].by_file:
            return self.parts(table).keep_contract(self.store)
        found = self._find(table_file(table))
        known = _SOUND.get(self.store.uri(found.name))
        if known is None:
            return False
        return known == compute_checksum(self.store.local_copy(found.name, found.version))

    def write_parts(self, parts: Parts) -> WrittenTable:
        """Write the list of a table's parts; the parts themselves are already in the store."""
        self.write_document(table_file(parts.table), parts.lines())
        objects = parts.objects(self.store)
        scanned = parts.rows(self.store, objects)
        count = scanned.select(pl.len()).collect().item()
        size_bytes = sum(found.size_bytes for found in objects)
        rows = _read_if_few(scanned, count, size_bytes)
        if rows is not scanned:
            _keep_few(self.store, objects, rows)
        return WrittenTable(
            rows=count,
            size_bytes=size_bytes,
            sample=_sample(rows, count),
            figures=compute_figures(parts.table, rows),
            uri=self.lasting_uri(table_file(parts.table)),
        )

    def write_document(self, name: str, lines: Iterable[str | bytes]) -> int:
        """Write a text document in one step; return its size in bytes.

        Args:
            name: name of its object.
            lines: its lines, without line ends; long ones are better given in UTF-8.
        """

        def write(file: BinaryIO) -> None:
            for line in lines:
                file.write(line.encode() if isinstance(line, str) else line)
                file.write(b"\n")

        return self.write_file(name, write)

    def write_file(self, name: str, write: Callable[[BinaryIO], object]) -> int:
        """Write a file in one step; return its size in bytes.

        Args:
            name: name of its object.
            write: writes its content to an open file.
        """
        target = self.name_to_write(name)
        scratch = self.store.scratch(target)
        try:
            with scratch.open("wb") as file:
                write(file)
            size = scratch.stat().st_size
            self._put(scratch, target)
        finally:
            scratch.unlink(missing_ok=True)
        return size

    def list_folder(self, folder: str) -> list[StoredObject]:
        """What this run wrote to a folder of its outputs: further files of a document."""
        return self.store.objects(self.name_to_write(f"{folder}/"))

    def list_files(self, folders: Iterable[str]) -> list[str]:
        """The names, as outputs, of what this run wrote to these folders."""
        prefix = self.name_to_write("")
        found = (found for folder in folders for found in self.list_folder(folder))
        return [each.name.removeprefix(prefix) for each in found]

    def list_beside(self, output: str, folder: str) -> list[str]:
        """The names, as outputs, of the files of a folder that belong to an output as it is read.

        Args:
            output: name of the output.
            folder: the folder, which lies beside it.

        Raises:
            NotMadeError: the output was never made.
        """
        prefix = self.name_to_read(output).removesuffix(output)
        found = self.store.objects(f"{prefix}{folder}/")
        return [each.name.removeprefix(prefix) for each in found]

    def discard_folder(self, folder: str) -> None:
        """Remove what lies in a folder of the outputs of this run, before it is written again."""
        for found in self.list_folder(folder):
            self.store.delete(found.name)

    def table(self, table: str) -> pl.LazyFrame:
        """The rows of a table as a lazy frame.

        Raises:
            NotMadeError: the table was never made.
        """
        if TABLES[table].by_file:
            parts = self.parts(table)
            objects = parts.objects(self.store)
            few = _FEW.get(_state_of(self.store, objects)) if objects else None
            return parts.rows(self.store, objects) if few is None else few
        found = self._find(table_file(table))
        few = _FEW.get(_state_of(self.store, [found]))
        if few is not None:
            return few
        return pl.scan_parquet(self.store.local_copy(found.name, found.version), glob=False)

    def parts(self, table: str) -> Parts:
        """The parts of a table that is kept by file.

        Raises:
            NotMadeError: the table was never made.
        """
        return Parts.read(table, self.path(table_file(table)).read_bytes())

    def path(self, name: str) -> Path:
        """A local file with the bytes of an output.

        Raises:
            NotMadeError: the output was never made.
        """
        found = self._find(name)
        return self.store.local_copy(found.name, found.version)

    def rows_before(self, table: str) -> int | None:
        """The rows that a table had in the release before; None if it had no such table."""
        if self.base is None:
            return None
        uri = self.base.store.uri(self.base.name())
        # Asked for each table, and a release never changes, but for outputs without one.
        if uri not in _ROWS_BEFORE or not self.base.id:
            _ROWS_BEFORE.clear()
            _ROWS_BEFORE[uri] = self.base.read_summary().get("rows", {})
        return _ROWS_BEFORE[uri].get(table)

    def table_before(self, table: str) -> pl.LazyFrame | None:
        """The rows of a table in the release before; None if it had no such table."""
        if self.base is None:
            return None
        try:
            return Outputs(self.store, release=self.base).table(table)
        except FileNotFoundError:
            return None

    def compare(self, rules: str, warn: Warn = ignore) -> Comparison:
        """What these outputs are compared with, to say what is new.

        Args:
            rules: the version of everything that determines them besides the landed files.
            warn: is told of tables of the release before that are damaged.

        Raises:
            NotMadeError: the landing zone was never read.
        """
        return compare(self.base, Origin(self.read_landing()["fingerprint"], rules), warn)

    def read_landing(self) -> Mapping[str, Any]:
        """The state of the landing zone that these outputs were made from.

        Raises:
            NotMadeError: it was never read.
        """
        landing: Mapping[str, Any] = json.loads(self.path(LANDING_DOCUMENT).read_bytes())
        return landing

    def count_rows(self, table: str) -> int:
        """The number of rows of a table.

        Raises:
            NotMadeError: the table was never made.
        """
        if TABLES[table].by_file:
            return self.parts(table).count_rows(self.store)
        return count_rows(self.store.local_footer(self._find(table_file(table))))


@dataclass(frozen=True)
class WrittenTable:
    """What is told of a table that was written."""

    rows: int
    size_bytes: int
    #: A few rows, evenly spread from the first to the last.
    sample: pl.DataFrame
    #: See `Table.figures`.
    figures: Mapping[str, int]
    #: See `Outputs.lasting_uri`.
    uri: str | None


def _read_if_few(rows: pl.LazyFrame, count: int, size_bytes: int) -> pl.LazyFrame:
    """Rows of files; few of them are read once: to open files again takes longer than all else.

    Args:
        rows: the rows.
        count: how many there are.
        size_bytes: the size of the files.
    """
    few = count <= _FEW_ROWS and size_bytes <= _FEW_BYTES
    return rows.collect().lazy() if few else rows


def _keep_few(store: ObjectStore, objects: Sequence[StoredObject], rows: pl.LazyFrame) -> None:
    """Keep rows in memory, for those who ask for their table while its objects are the same."""
    _FEW[_state_of(store, objects)] = rows
    for oldest in list(_FEW)[:-_MOST_FEW]:
        _FEW.pop(oldest, None)


def _state_of(store: ObjectStore, objects: Sequence[StoredObject]) -> tuple[tuple[str, str], ...]:
    return tuple((store.uri(found.name), found.state) for found in objects)


def _sample(rows: pl.LazyFrame, count: int) -> pl.DataFrame:
    """A few rows, evenly spread: the first ones are often of one drug, or of one file.

    Args:
        rows: the rows of a table.
        count: how many there are.
    """
    if count <= _SAMPLE_ROWS:
        return rows.collect()
    places = (place * (count - 1) // (_SAMPLE_ROWS - 1) for place in range(_SAMPLE_ROWS))
    # Each slice reads what it needs; to gather rows would read all of them.
    return pl.concat([rows.slice(place, 1) for place in places]).collect()


def release_outputs(
    outputs: Outputs,
    files: Iterable[str],
    rules: str,
    *,
    folders: Iterable[str] = (),
    run: str,
    base: Pointer | None,
    keep: int,
    checks: int,
    is_current: IsCurrent,
    make_again: MakeAgain,
    warehouse: commits.Warehouse | None = None,
) -> commits.Committed:
    """Make a release of what a run wrote.

    Args:
        outputs: the outputs of the run, or of the workspace.
        files: names of the files of the release, besides `release.json`.
        rules: the version of everything that determines the outputs besides the landed files.
        folders: the folders whose files are released besides.
        run: the run.
        base: the pointer of the store when it read the landing zone.
        keep: how many releases to keep.
        checks: how many blocking checks passed on the outputs.
        is_current: whether the landing zone still has a fingerprint.
        make_again: makes what depends on the release before again, for outputs with another base.
        warehouse: where published tables are made current, too.

    Raises:
        NotMadeError: one of the files was never made.
        LostRaceError: another run released meanwhile, and these outputs are not newer.
        StorageError: the store cannot be used.
    """
    files, folders = tuple(files), tuple(folders)

    def collect(outputs: Outputs) -> commits.Staged:
        return _collect(outputs, [*files, *outputs.list_files(folders)], rules, checks)

    def base_on(release: Release | None) -> commits.Staged:
        """What is released if that release is the current one."""
        rebased = replace(outputs, base=release)
        make_again(rebased)
        return collect(rebased)

    landing = outputs.read_landing()
    return commits.commit(
        outputs.store,
        collect(outputs),
        run=run,
        base=base,
        keep=keep,
        is_current=lambda: is_current(landing["fingerprint"]),
        base_on=base_on,
        warehouse=warehouse,
    )


def _collect(outputs: Outputs, files: Iterable[str], rules: str, checks: int) -> commits.Staged:
    """What is released of a run; arguments as of `release_outputs`."""
    prefix = outputs.name_to_write("")
    objects = {found.name: found for found in outputs.store.objects(prefix)}
    written: dict[str, StoredObject] = {}
    for file in files:
        found = objects.get(outputs.name_to_read(file))
        if found is None:
            raise NotMadeError(file, outputs.store.uri(prefix))
        written[file] = found
    summary = {
        "landing": outputs.read_landing(),
        "rows": {table: outputs.count_rows(table) for table in TABLES},
        "rules": rules,
        "checks": checks,
        COMPARED_WITH: outputs.compare(rules).to_document(),
    }
    return commits.Staged(written, summary)


def prepare_store(
    store: ObjectStore, documents: Iterable[str], warehouse: commits.Warehouse | None = None
) -> list[str]:
    """Prepare a store for a run; return one message per thing that was done.

    The outputs of an earlier version become a release. A release that the warehouse holds already
    becomes current. What runs staged that can no longer be resumed is removed, and so is everything
    that processes left half-way when they were killed.

    Args:
        store: the store.
        documents: names of the files of all documents.
        warehouse: the warehouse of the store.
    """
    done = []
    remove_folders_of_dead_processes()
    with store.lock():
        if completed := complete_pointer(store, warehouse):
            done.append(f"made release {completed} current, which was published already")
        if taken := take_over(store, documents):
            done.append(f"the outputs of an earlier version are release {taken} now")
        dead = staging.discard_dead_runs(store)
        commits.remove_unlisted_releases(store, store.pointer())
        if not any(staged.may_live() for staged in staging.list_staged_runs(store)):
            store.discard_scratch()
    return done + [f"removed what run {run} staged and never released" for run in dead]


def evict_unused_parts(store: ObjectStore, warn: Warn = ignore) -> int:
    """Remove the parts that no release lists; return how many.

    Nothing is removed while another run may need parts that it has not listed yet. A run registers
    itself under the same lock before it looks for parts, so none can begin meanwhile.

    Args:
        store: the store.
        warn: is told of damaged lists of parts, which keep nothing.
    """
    lists = {table_file(name): name for name, table in TABLES.items() if table.by_file}
    with store.lock():
        runs = list(staging.list_staged_runs(store))
        if any(staged.may_live() for staged in runs):
            return 0
        names = [found.name for staged in runs for found in staged.objects]
        names += [found.name for found in store.objects(staging.WORKSPACE)]
        seen: set[str] = set()
        for release in list_releases(store):
            notes = release.read_summary().get("files", {})
            for file in lists:
                # The same list in several releases is read once.
                digest = notes.get(file, {}).get("sha256")
                if digest is None or digest not in seen:
                    seen.add(digest)
                    names.append(release.name(file))
        listed: set[str] = set()
        for name in names:
            if table := lists.get(name.rpartition("/")[2]):
                try:
                    listed |= Parts.read(table, store.read(name)).names()
                except FileNotFoundError:
                    continue
                except DamagedPartsError:
                    warn(f"{store.uri(name)} is damaged: the parts that it lists are not kept")
        return discard_unlisted(store, listed)
