"""The landing zone: every landed file to a part of raw rows, each parsed once (SPEC section 1).

A part is kept in the store under the file's name, its content and the parser's version, so that a
new file costs only itself. What the bytes of a file mean belongs to `formats`.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import polars as pl

from drug_assets import contracts, formats, sources

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from drug_assets.storage.objects import ObjectStore, StoredObject

_PARTS = ".parts/"


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


@dataclass
class _Reading:
    rows: list[dict[str, object]] = field(default_factory=list)
    parts: dict[str, list[Path]] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)


def landed_objects(zone: ObjectStore) -> list[StoredObject]:
    """The files that are the landing zone's business, in order of delivery."""
    found = [o for o in zone.objects() if not sources.is_documentation(o.name)]
    return sorted(found, key=lambda o: sources.natural_key(o.name))


def fingerprint(zone: ObjectStore) -> str:
    """One identity of all names and bytes in the landing zone, whenever they were written."""
    return _fingerprint((o.name, zone.content_id(o)) for o in landed_objects(zone))


def _fingerprint(contents: Iterable[tuple[str, str]]) -> str:
    lines = [f"{name}\0{content}\n" for name, content in sorted(contents)]
    return hashlib.sha256("".join(lines).encode()).hexdigest()


def read_landing_zone(zone: ObjectStore, store: ObjectStore) -> Landed:
    """All files of the landing zone as raw rows; parts are kept in the store.

    Raises:
        UnreadableFilesError: at least one file of a source cannot be read; the others were.
        StorageError: the landing zone does not exist.
    """
    reading = _Reading()
    known = {o.name for o in store.objects(_PARTS)}
    used = set()
    contents = []
    for found in landed_objects(zone):
        content = zone.content_id(found)
        contents.append((found.name, content))
        part = _part_name(found.name, content)
        used.add(part)
        _read_file(zone, store, found, part, reading, parsed_before=part in known)
    if reading.problems:
        raise UnreadableFilesError(reading.problems)
    for part in known - used:
        store.delete(part)
    schema = contracts.polars_schema(contracts.LandedFiles)
    return Landed(
        files=pl.DataFrame(reading.rows, schema=schema).sort("source_file"),
        raw={s.name: _raw_rows(s, reading.parts.get(s.name, [])) for s in sources.ALL},
        fingerprint=_fingerprint(contents),
    )


def _part_name(name: str, content: str) -> str:
    key = hashlib.sha256(f"{name}\0{content}\0{formats.PARSER_VERSION}".encode()).hexdigest()
    return f"{_PARTS}{key[:32]}.parquet"


def _raw_rows(source: sources.Source, parts: list[Path]) -> pl.LazyFrame:
    if not parts:
        return pl.LazyFrame(schema=contracts.polars_schema(source.contract))
    return pl.scan_parquet(parts)


def _read_file(
    zone: ObjectStore,
    store: ObjectStore,
    found: StoredObject,
    part: str,
    reading: _Reading,
    *,
    parsed_before: bool,
) -> None:
    row: dict[str, object] = {
        "source_file": found.name,
        "size_bytes": found.size_bytes,
        "raw_rows": 0,
    }
    reading.rows.append(row)
    source = sources.source_of(found.name)
    if parsed_before and source is not None:
        path = store.local_copy(part)
        row |= pl.read_parquet_metadata(path) | {"source": source.name}
        row.pop("ARROW:schema", None)
    else:
        data = zone.read(found.name)
        row["sha256"] = hashlib.sha256(data).hexdigest()
        if source is None:
            row["problem"] = (
                "belongs to no source: begin its name, or its folder's, with "
                + ", ".join(s.name for s in sources.ALL)
            )
            return
        row["source"] = source.name
        try:
            landed_as = formats.format_of(found.name, data)
            if landed_as is None:
                row["problem"] = f"its format is not read: {source.name} can land as CSV or JSON"
                return
            row["format"] = landed_as
            rows = pl.concat(list(formats.read(source, found.name, data)))
        except formats.FormatError as error:
            reading.problems.append(str(error))
            row["problem"] = str(error)
            return
        scratch = store.scratch(part)
        rows.write_parquet(scratch, metadata={k: str(row[k]) for k in ("sha256", "format")})
        store.put(scratch, part)
        path = store.local_copy(part)
    row["raw_rows"] = pl.scan_parquet(path).select(pl.len()).collect().item()
    reading.parts.setdefault(source.name, []).append(path)
