"""Read one landed file to the part with its raw rows, and take account of what was odd in it.

A worker runs this. The bytes of the file, its rows and the part pass through memory piece by piece,
so that memory follows a batch, not the file. Which files there are belongs to `landing`, what their
bytes mean to `formats`.
"""

from __future__ import annotations

import hashlib
import json
import traceback
from collections import Counter
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl
from polars.io.plugins import register_io_source

from drug_assets import formats, sources
from drug_assets.contracts import polars_schema
from drug_assets.formats.decoding import read_ahead
from drug_assets.formats.record_shape import normalize_header
from drug_assets.sources.tables import TABLES
from drug_assets.storage import copies
from drug_assets.storage.contract_gate import (
    ContractBrokenError,
    require_contract,
    require_source_files,
)
from drug_assets.storage.kept.by_file import count_rows, write_part
from drug_assets.storage.objects import StorageError

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Mapping

    from drug_assets.formats.record_shape import RecordShape
    from drug_assets.sources import Source
    from drug_assets.storage.objects import ObjectStore

_CHUNK_BYTES = 1024**2
#: Records of a batch whose unread fields are listed, evenly spread: to look at all takes too long.
_SAMPLED_ROWS = 1000
#: Limit on the unread fields that are listed of a file.
_MOST_UNREAD_FIELDS = 50
#: No defects of a reader: a refused file, a place that cannot be read, the end of the process.
_NOT_OF_READERS = (
    *(formats.FormatError, StorageError, OSError),
    *(KeyboardInterrupt, SystemExit, GeneratorExit),
)


@dataclass(frozen=True)
class Task:
    """A file for a worker to read."""

    zone: ObjectStore
    store: ObjectStore
    #: The file below the landing zone, and its version when it was listed.
    name: str
    version: str
    #: None if it belongs to no source.
    source: Source | None
    #: Name of the part to write; None if it belongs to no source.
    part: str | None


@dataclass
class Account:
    """What was odd in a file that was read."""

    #: By read issue, the number of rows.
    issues: Counter[str] = field(default_factory=Counter)
    #: The columns or keys of unknown names, as they are written in the file.
    unread_fields: dict[str, None] = field(default_factory=dict)

    def add(self, batch: pl.DataFrame, shape: RecordShape, ignored: Collection[str] = ()) -> None:
        """Take account of a batch of raw rows.

        Keys in `extra` are unread fields only of rows without an issue: that of a damaged row also
        holds what is no value of a field.

        Args:
            batch: the rows.
            shape: the shape of the records of their source.
            ignored: names of columns that are known, as `normalize_header` returns them.
        """
        issues = batch["read_issues"]
        is_sound = issues.list.len() == 0
        if not is_sound.all():
            self.issues.update(dict(issues.explode().drop_nulls().value_counts().iter_rows()))
        beyond = batch["extra"].filter(is_sound).drop_nulls()
        seen: set[str] = set()
        for extra in beyond.gather_every(beyond.len() // _SAMPLED_ROWS + 1):
            if len(self.unread_fields) >= _MOST_UNREAD_FIELDS:
                break
            new = [name for name in json.loads(extra) if name not in seen]
            seen.update(new)
            unknown = [name for name in new if not shape.knows(name)]
            self.unread_fields.update(
                (n, None) for n in unknown if normalize_header(n) not in ignored
            )

    def to_metadata(self) -> dict[str, str]:
        """The account as entries for the metadata of the part."""
        names = list(self.unread_fields)[:_MOST_UNREAD_FIELDS]
        return {
            "read_issues": json.dumps(dict(sorted(self.issues.items()))),
            "unread_fields": json.dumps(names),
        }

    @classmethod
    def of_metadata(cls, metadata: Mapping[str, str]) -> Account:
        """The account in the metadata of a part."""
        issues: dict[str, int] = json.loads(metadata["read_issues"])
        return cls(Counter(issues), dict.fromkeys(json.loads(metadata["unread_fields"])))


@dataclass(frozen=True)
class ReadResult:
    """The result of reading one file; the raw rows are in its part."""

    #: None if the file cannot be opened at all.
    sha256: str | None
    format: str | None = None
    rows: int = 0
    #: Why the file has no raw rows.
    problem: str | None = None
    #: Whether the problem stops the run: the file belongs to a source, has a supported format, and
    #: is damaged.
    damaged: bool = False
    account: Account = field(default_factory=Account)

    @classmethod
    def of_part(cls, part: Path) -> ReadResult:
        """The result that a part was written with; its metadata are enough (`local_footer`).

        Raises:
            FileNotFoundError: there is no such file.
        """
        metadata = pl.read_parquet_metadata(part)
        return cls(
            metadata["sha256"],
            metadata["format"],
            count_rows(part),
            account=Account.of_metadata(metadata),
        )


class _Bytes:
    """The bytes of a file on disk; to read all of them computes their hash."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self.size = path.stat().st_size
        self._sha256: str | None = None

    def chunks(self) -> Iterator[bytes]:
        """The bytes, in chunks from the first one on."""
        # Each call opens the file, since several can be under way in different threads.
        computed = hashlib.sha256()
        with self._path.open("rb") as file:
            while chunk := file.read(_CHUNK_BYTES):
                computed.update(chunk)
                yield chunk
        self._sha256 = computed.hexdigest()

    def sha256(self) -> str:
        """The hash of all bytes; they are read if no reader read them to the end."""
        if self._sha256 is None:
            for _ in self.chunks():
                pass
        return self._sha256 or ""


def read_file(task: Task) -> ReadResult:
    """Read one file and write its raw rows to its part; problems are returned as text.

    Raises:
        ChangedObjectError: the file was written again since it was listed.
        FileNotFoundError: it is no longer there.
        ContractBrokenError: the raw rows do not keep their contract.
    """
    try:
        return _read_file(task)
    finally:
        # Of the part, which the process of a worker would keep, and not read again.
        copies.drop()


def _read_file(task: Task) -> ReadResult:
    with ExitStack() as borrowed:
        data = _Bytes(borrowed.enter_context(task.zone.borrow(task.name, task.version)))
        if task.source is None or task.part is None:
            prefixes = ", ".join(start for source in sources.ALL for start in source.file_names)
            problem = f"belongs to no source: begin its name, or its folder's, with {prefixes}"
            return ReadResult(data.sha256(), problem=problem)
        unread = task.source.record_shape().unread_file(task.name)
        if unread is not None:
            return ReadResult(data.sha256(), problem=f"it holds {unread}, and no names")
        try:
            file_format = _detect_format(task.source, task.name, data)
            if file_format is None:
                cure = formats.find_cure(task.name)
                problem = f"its format is not read as {task.source.name}"
                problem += f": {cure}" if cure else ""
                return ReadResult(data.sha256(), problem=problem)
            # The name of the part says of which bytes it is: it is not there before these are known
            # to be the ones that were read.
            return _write_rows(task, task.source, task.part, file_format, data, borrowed.close)
        except formats.FormatError as error:
            return ReadResult(None, problem=str(error), damaged=True)


def _detect_format(source: Source, name: str, data: _Bytes) -> str | None:
    try:
        return formats.detect_format(source.record_shape(), name, data.chunks)
    except _NOT_OF_READERS:
        raise
    except BaseException as error:
        raise _explain_defect(error, name, "format") from error


def _write_rows(
    task: Task,
    source: Source,
    part: str,
    file_format: str,
    data: _Bytes,
    give_back: Callable[[], None],
) -> ReadResult:
    table = f"raw_{source.name}"
    shape = source.record_shape()
    account = Account()
    rows = 0

    def read_batches(*_: Any) -> Iterator[pl.DataFrame]:
        nonlocal rows
        read = formats.read(shape, task.name, data.chunks, data.size)
        batches = _guard(read, task.name)
        # In a thread of Python: those of Polars have little room for recursion.
        for batch in read_ahead(batches, ahead=1):
            _require_contract(table, batch, task.name, rows + 1)
            account.add(batch, shape, source.ignored)
            rows += batch.height
            yield batch

    def describe() -> dict[str, str]:
        return {"sha256": data.sha256(), "format": file_format, **account.to_metadata()}

    schema = polars_schema(TABLES[table].contract)
    lazy = register_io_source(read_batches, schema=schema)
    write_part(
        task.store, part, table, lazy, task.name, describe, checked=True, before_put=give_back
    )
    return ReadResult(data.sha256(), file_format, rows, account=account)


def _require_contract(table: str, batch: pl.DataFrame, source_file: str, first_row: int) -> None:
    """Hold a batch to the contract of its table; keys differ in all batches, as rows count on.

    Args:
        table: name of the table.
        batch: raw rows.
        source_file: the landed file.
        first_row: the number of its first row there.

    Raises:
        ContractBrokenError: the batch does not keep it.
    """
    require_contract(table, batch.lazy())
    require_source_files(table, batch, source_file)
    counted = pl.int_range(first_row, first_row + batch.height, dtype=pl.Int64, eager=True)
    if not batch["source_row"].equals(counted):
        raise ContractBrokenError(f"{table} was not written: its rows do not count on from 1")


def _guard(batches: Iterator[pl.DataFrame], name: str) -> Iterator[pl.DataFrame]:
    """The same batches; an error of the reader that is no `FormatError` becomes one."""
    try:
        yield from batches
    except _NOT_OF_READERS:
        raise
    except BaseException as error:
        raise _explain_defect(error, name, "records") from error


def _explain_defect(error: BaseException, name: str, what: str) -> formats.FormatError:
    """The problem of a file whose reader failed; what the error says can be content of the file."""
    last = traceback.extract_tb(error.__traceback__)[-1]
    return formats.FormatError(
        name,
        f"its {what} cannot be read, by a defect in the reader: {type(error).__name__} at "
        f"{Path(last.filename).name}:{last.lineno}. Report it, and take the file out of the "
        "landing zone until it is mended.",
    )
