"""The landing zone: list its files, and read each file to raw rows (SPEC 1).

The raw rows of each file are kept as one part (`kept.by_file`), so a run reads only files that are
new or changed. `reading` reads one file.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

import polars as pl

from drug_assets import contracts, formats, progress, sources
from drug_assets.errors import DrugAssetsError
from drug_assets.storage import elsewhere
from drug_assets.storage.kept.by_file import Part, Parts, name_part
from drug_assets.storage.kept.content_ids import ContentIds
from drug_assets.storage.kept.whole import heal, ignore
from drug_assets.storage.landed_files import digest_contents, identify_landed_files
from drug_assets.storage.reading import ReadResult, Task, read_file
from drug_assets.versions import compute_version
from drug_assets.wording import printable

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from drug_assets.engines import Engine
    from drug_assets.sources import Source
    from drug_assets.storage.kept.whole import Warn
    from drug_assets.storage.objects import ObjectStore, StoredObject


class UnreadableFilesError(DrugAssetsError):
    """Files of the landing zone cannot be read; `problems` describes each."""

    def __init__(self, problems: Iterable[str]) -> None:
        self.problems = list(problems)
        count = len(self.problems)
        super().__init__(
            f"{count} file{'s' if count > 1 else ''} of the landing zone cannot be read:\n"
            + "\n".join(f"- {problem}" for problem in self.problems)
            + "\nRepair or remove them and run again; nothing was published."
        )


@dataclass(frozen=True)
class Landed:
    """The files of the landing zone, with their raw rows."""

    #: `contracts.LandedFiles`, sorted by key.
    files: pl.DataFrame
    #: The raw rows per source: the parts of the table `raw_SOURCE`.
    raw: Mapping[str, Parts]
    #: The digest that `compute_fingerprint` returns for the same landing zone.
    fingerprint: str

    def state(self) -> str:
        """The content of `landing.json`: it records which state of the landing zone was read."""
        return json.dumps({"files": self.files.height, "fingerprint": self.fingerprint})


@dataclass(frozen=True)
class _File:
    """A landed file, its source, and the part that keeps its raw rows."""

    found: StoredObject
    #: None if the file belongs to no source; then it has no part.
    source: Source | None
    #: Name of its part.
    part: str | None
    #: Why it cannot be read, whatever its source and format.
    problem: str | None


@cache
def parser_version(source: Source) -> str:
    """The version of the code that reads the files of a source, and of the shape of its records."""
    shape = source.record_shape()
    shape_values = (
        *(shape.source, dict(shape.schema), shape.fields, shape.required),
        *(sorted(shape.aliases.items()), sorted(shape.listed), shape.formats),
        *(sorted(shape.preferred), sorted(shape.parts.items()), shape.json_shapes),
        sorted(shape.forms.items()),
        sorted(source.ignored),
        shape.known_tables,
        sorted(shape.unread_files.items()),
    )
    return compute_version(formats.read, given=shape_values)


def read_landing_zone(
    zone: ObjectStore,
    store: ObjectStore,
    engine: Engine,
    warn: Warn = ignore,
    report: progress.Report = progress.ignore,
) -> Landed:
    """Read all files of the landing zone to raw rows, and keep these as parts in the store.

    Args:
        zone: the landing zone.
        store: the store of the parts.
        engine: reads the files that have no part yet, or whose part is damaged.
        warn: is told of what is damaged and made again.
        report: is told how many of these files are read.

    Raises:
        UnreadableFilesError: at least one file of a source cannot be read; all others were read.
        StorageError: the landing zone does not exist.
    """
    ids = ContentIds.of(zone, store, warn)
    files, fingerprint = _identify_files(ids)
    ids.remember(store)
    results = _read_kept(files, store, warn)
    problems = []
    new = []
    for file in files:
        if file.problem is not None:
            results[file.found.name] = ReadResult(None, problem=file.problem)
            if file.source is not None:
                problems.append(f"{printable(file.found.name)}: {file.problem}")
        elif file.found.name not in results:
            new.append(file)
    tasks = [
        Task(zone, store, file.found.name, file.found.version, file.source, file.part)
        for file in new
    ]
    size_bytes = sum(file.found.size_bytes for file in new)
    new_results = elsewhere.run(
        engine,
        read_file,
        tasks,
        size_bytes=size_bytes,
        fills_cores=False,
        store=store,
        landed=(zone, new[0].found.name) if new else None,
    )
    count = progress.Count(report, of_files=len(new), of_bytes=size_bytes)
    for file, result in zip(new, new_results, strict=True):
        results[file.found.name] = result
        count.add(files=1, size_bytes=file.found.size_bytes, rows=result.rows)
        if result.problem and result.damaged:
            problems.append(result.problem)
    if problems:
        raise UnreadableFilesError(problems)
    schema = contracts.polars_schema(contracts.LandedFiles)
    rows = [_make_row(file, results[file.found.name]) for file in files]
    return Landed(
        files=pl.DataFrame(rows, schema=schema).sort("source_file"),
        raw={source.name: _list_parts(source, files, results) for source in sources.ALL},
        fingerprint=fingerprint,
    )


def _identify_files(ids: ContentIds) -> tuple[list[_File], str]:
    """The landed files in the order of delivery, each with its source, and their fingerprint."""
    identified = identify_landed_files(ids)
    files = []
    for one in identified:
        name = one.found.name
        source = sources.source_of_file(name)
        part = None
        if source is not None and one.problem is None:
            made_of = (name, one.content, parser_version(source))
            part = name_part(f"raw_{source.name}", *made_of)
        files.append(_File(one.found, source, part, one.problem))
    return files, digest_contents((one.found.name, one.content) for one in identified)


def _read_kept(files: Iterable[_File], store: ObjectStore, warn: Warn) -> dict[str, ReadResult]:
    """The results of files that were read before, by name of the file."""
    results = {}
    for source in sources.ALL:
        parts = {file.part: file for file in files if file.source is source and file.part}
        for part, found in heal(store, f"raw_{source.name}", parts, warn).whole.items():
            try:
                results[parts[part].found.name] = ReadResult.of_part(store.local_footer(found))
            except FileNotFoundError:
                continue  # removed since it was listed
    return results


def _list_parts(source: Source, files: Iterable[_File], results: Mapping[str, ReadResult]) -> Parts:
    parts = (
        Part(file.found.name, file.part)
        for file in files
        if file.source is source and file.part and results[file.found.name].problem is None
    )
    return Parts(f"raw_{source.name}", tuple(parts))


def _make_row(file: _File, result: ReadResult) -> dict[str, object]:
    """The row of `contracts.LandedFiles` for one file."""
    return {
        "source_file": printable(file.found.name),
        "source": file.source.name if file.source else None,
        "format": result.format,
        "size_bytes": file.found.size_bytes,
        "sha256": result.sha256,
        "raw_rows": result.rows,
        "read_issues": [
            {"issue": issue, "rows": rows} for issue, rows in sorted(result.account.issues.items())
        ],
        "unread_fields": list(result.account.unread_fields),
        "problem": result.problem,
    }
