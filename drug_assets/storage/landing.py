"""The landing zone: every landed file to a part of raw rows, each parsed once (SPEC section 1).

A part is kept in the store under the file's name, its content and the parser's version, so that a
new file costs only itself. What the bytes of a file mean belongs to `formats`.
"""

from __future__ import annotations

import hashlib
import json
import multiprocessing
import os
from collections import deque
from concurrent.futures import Future, ProcessPoolExecutor, ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING

import polars as pl

from drug_assets import contracts, formats, sources
from drug_assets.storage.content_ids import ContentIds

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

    from drug_assets.storage.objects import ObjectStore, StoredObject

_PARTS = ".parts/"
#: Below these, starting processes takes longer than they save.
_WORTH_BYTES = 32 * 1024**2
_WORTH_PROCESSES = 2


class UnreadableFilesError(Exception):
    """Files of the landing zone that cannot be read at all, each with what is wrong with it."""

    def __init__(self, problems: Iterable[str]) -> None:
        self.problems = list(problems)
        count = len(self.problems)
        super().__init__(
            f"{count} file{'s' if count > 1 else ''} of the landing zone cannot be read:\n"
            + "\n".join(f"- {problem}" for problem in self.problems)
            + "\nRepair or remove them and run again; nothing was published."
        )


@dataclass
class Landed:
    """What the landing zone holds, read."""

    #: `contracts.LandedFiles`, sorted by key.
    files: pl.DataFrame
    #: Raw rows of each source, in order of delivery, as its contract says.
    raw: Mapping[str, pl.LazyFrame]
    #: What `fingerprint` says of the same zone.
    fingerprint: str

    def state(self) -> str:
        """What `landing.json` holds, to tell later whether the zone has changed."""
        return json.dumps({"files": self.files.height, "fingerprint": self.fingerprint})


@dataclass(frozen=True)
class _File:
    """A landed file on its way to a part."""

    found: StoredObject
    part: str
    source: sources.Source | None


@dataclass(frozen=True)
class _Parsed:
    """What parsing one file gave; its rows lie where it was told to put them."""

    sha256: str
    format: str | None = None
    rows: int = 0
    #: Why there are no rows of it.
    problem: str | None = None
    #: Whether that stops the run: it is of a source, in a format we read, and damaged.
    damaged: bool = False


def shown(name: str) -> str:
    """A file's name as it can be written down, even where its bytes are no text."""
    return name.encode(errors="backslashreplace").decode()


def landed_objects(zone: ObjectStore) -> list[StoredObject]:
    """The files that are the landing zone's business, in order of delivery."""
    found = [o for o in zone.objects() if not sources.is_documentation(o.name)]
    return sorted(found, key=lambda o: sources.natural_key(o.name))


def fingerprint(ids: ContentIds) -> str:
    """One identity of all names and bytes in the landing zone, whenever they were written."""
    return _fingerprint((o.name, ids.content_id(o)) for o in landed_objects(ids.zone))


def _fingerprint(contents: Iterable[tuple[str, str]]) -> str:
    lines = [f"{shown(name)}\0{content}\n" for name, content in sorted(contents)]
    return hashlib.sha256("".join(lines).encode()).hexdigest()


def read_landing_zone(zone: ObjectStore, store: ObjectStore) -> Landed:
    """All files of the landing zone as raw rows; parts are kept in the store.

    Files that were not parsed before are parsed on all cores, where they are large enough for that.

    Raises:
        UnreadableFilesError: at least one file of a source cannot be read; the others were.
        StorageError: the landing zone does not exist.
    """
    ids = ContentIds.of(zone, store)
    files, contents, problems = _identified(ids)
    ids.remember(store)
    kept = {o.name: o.version for o in store.objects(_PARTS)}
    rows: dict[str, dict[str, object]] = {}
    for file in files:
        if file.source is not None and file.part in kept:
            rows[file.part] = _row(file, _of_part(store.local_copy(file.part, kept[file.part])))
    new = [file for file in files if file.part not in rows]
    for file, parsed in _parsed(zone, store, new):
        rows[file.part] = _row(file, parsed)
        if parsed.problem and parsed.damaged:
            problems.append(parsed.problem)
    if problems:
        raise UnreadableFilesError(problems)
    for part in kept.keys() - {file.part for file in files}:
        store.delete(part)
    parts: dict[str, list[Path]] = {}
    for file in files:
        if file.source is not None and rows[file.part]["problem"] is None:
            parts.setdefault(file.source.name, []).append(
                store.local_copy(file.part, kept.get(file.part))
            )
    schema = contracts.polars_schema(contracts.LandedFiles)
    return Landed(
        files=pl.DataFrame(list(rows.values()), schema=schema).sort("source_file"),
        raw={s.name: _raw_rows(s, parts.get(s.name, [])) for s in sources.ALL},
        fingerprint=_fingerprint(contents),
    )


def _identified(ids: ContentIds) -> tuple[list[_File], list[tuple[str, str]], list[str]]:
    """The files in order of delivery, their names and contents, and what cannot be opened."""
    files, contents, problems = [], [], []
    listed = landed_objects(ids.zone)
    # Reading and hashing, where the zone does not list contents, need no GIL.
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        identities = [(found, pool.submit(_content_id, ids, found)) for found in listed]
    for found, identity in identities:
        try:
            content = identity.result()
        except UnicodeEncodeError:
            problems.append(f"{shown(found.name)}: its name is not UTF-8: rename it")
            continue
        except (FileNotFoundError, PermissionError) as error:
            problems.append(f"{found.name}: cannot be opened: {error.strerror}")
            continue
        contents.append((found.name, content))
        part = _part_name(found.name, content)
        files.append(_File(found, part, sources.source_of(found.name)))
    return files, contents, problems


def _content_id(ids: ContentIds, found: StoredObject) -> str:
    found.name.encode()
    return ids.content_id(found)


def _part_name(name: str, content: str) -> str:
    key = hashlib.sha256(f"{name}\0{content}\0{formats.PARSER_VERSION}".encode()).hexdigest()
    return f"{_PARTS}{key[:32]}.parquet"


def _raw_rows(source: sources.Source, parts: list[Path]) -> pl.LazyFrame:
    if not parts:
        return pl.LazyFrame(schema=contracts.polars_schema(source.contract))
    return pl.scan_parquet(parts, glob=False)


def _row(file: _File, parsed: _Parsed) -> dict[str, object]:
    """The row of `contracts.LandedFiles`."""
    return {
        "source_file": file.found.name,
        "source": file.source.name if file.source else None,
        "format": parsed.format,
        "size_bytes": file.found.size_bytes,
        "sha256": parsed.sha256,
        "raw_rows": parsed.rows,
        "problem": parsed.problem,
    }


def _of_part(part: Path) -> _Parsed:
    """What was noted on a part when its file was parsed."""
    noted = pl.read_parquet_metadata(part)
    rows = pl.scan_parquet(part, glob=False).select(pl.len()).collect().item()
    return _Parsed(noted["sha256"], noted["format"], rows)


def _parsed(
    zone: ObjectStore, store: ObjectStore, files: list[_File]
) -> Iterator[tuple[_File, _Parsed]]:
    """Every file parsed and its part put into the store, in order.

    A process a core: the tokenizers of all formats are Python's to call, so threads would wait for
    each other. Few small files are not worth starting processes for.
    """
    workers = min(os.cpu_count() or 1, len(files))
    if workers < _WORTH_PROCESSES or sum(f.found.size_bytes for f in files) < _WORTH_BYTES:
        for file in files:
            scratch = store.scratch(file.part)
            yield file, _stored(store, file, scratch, _parse(*_order(zone, file, scratch)))
        return
    # Started anew, not forked: a fork of a process with threads can wait for ever.
    with ProcessPoolExecutor(workers, multiprocessing.get_context("spawn")) as pool:
        ahead: deque[tuple[_File, Path, Future[_Parsed]]] = deque()
        for file in files:
            if len(ahead) == 2 * workers:  # no more files in memory than these
                yield _next(store, ahead)
            scratch = store.scratch(file.part)
            ahead.append((file, scratch, pool.submit(_parse, *_order(zone, file, scratch))))
        while ahead:
            yield _next(store, ahead)


def _next(
    store: ObjectStore, ahead: deque[tuple[_File, Path, Future[_Parsed]]]
) -> tuple[_File, _Parsed]:
    file, scratch, parsing = ahead.popleft()
    return file, _stored(store, file, scratch, parsing.result())


def _order(zone: ObjectStore, file: _File, scratch: Path) -> tuple[str | None, str, bytes, Path]:
    """What a worker needs: bytes, since only this process may talk to the landing zone."""
    source = file.source.name if file.source else None
    return source, file.found.name, zone.read(file.found.name, file.found.version), scratch


def _stored(store: ObjectStore, file: _File, scratch: Path, parsed: _Parsed) -> _Parsed:
    if parsed.problem is None:
        store.put(scratch, file.part)
    return parsed


def _parse(source_name: str | None, name: str, data: bytes, scratch: Path) -> _Parsed:
    """Parse one file into a Parquet file of raw rows; problems come back as text."""
    sha256 = hashlib.sha256(data).hexdigest()
    if source_name is None:
        known = ", ".join(s.name for s in sources.ALL)
        return _Parsed(
            sha256,
            problem=f"belongs to no source: begin its name, or its folder's, with {known}",
        )
    (source,) = (s for s in sources.ALL if s.name == source_name)
    try:
        landed_as = formats.format_of(name, data)
        if landed_as is None:
            return _Parsed(sha256, problem=f"its format is not read as {source_name}")
        rows = pl.concat(list(formats.read(source, name, data)))
    except formats.FormatError as error:
        return _Parsed(sha256, problem=str(error), damaged=True)
    rows.write_parquet(scratch, metadata={"sha256": sha256, "format": landed_as})
    return _Parsed(sha256, landed_as, rows.height)
