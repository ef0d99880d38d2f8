"""What is made of each landed file by itself, kept in the store so that it is made only once.

Here belongs where it lies and when it is no longer wanted. What is made belongs to the caller, and
must be of a file's own rows alone: other files may come and go without making a difference to it.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl

from drug_assets.formats import PARSER_VERSION

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from types import ModuleType

    from drug_assets.storage.objects import ObjectStore

_FOLDER = ".by_file/"
#: What is made of a file with fewer rows is not kept: to look for it would take longer.
WORTH_ROWS = 2_000


def code_version(*modules: ModuleType) -> str:
    """An identity of the code of these modules and packages, and of the Polars that they call."""
    code = hashlib.sha256(pl.__version__.encode())
    for module in modules:
        path = Path(str(module.__file__))
        for part in sorted(path.parent.glob("*.py")) if path.stem == "__init__" else [path]:
            code.update(part.read_bytes())
    return code.hexdigest()


@dataclass(frozen=True)
class ByFile:
    """The landed files of one source, and the store that keeps what is made of them."""

    store: ObjectStore
    source: str
    #: Content (SHA-256) and number of rows of each file, by its name.
    files: Mapping[str, tuple[str, int]]

    @classmethod
    def of(cls, store: ObjectStore, source: str, landed_files: pl.LazyFrame) -> ByFile:
        """The files of a source; `landed_files` is `contracts.LandedFiles`."""
        read = landed_files.filter(pl.col("source") == source, pl.col("problem").is_null())
        listed = read.select("source_file", "sha256", "raw_rows").collect()
        return cls(store, source, {name: (content, rows) for name, content, rows in listed.rows()})

    def made(
        self,
        kind: str,
        version: str,
        rows: pl.LazyFrame,
        make: Callable[[pl.LazyFrame], pl.LazyFrame],
        set_aside: Callable[[pl.LazyFrame], pl.LazyFrame] | None = None,
    ) -> pl.LazyFrame:
        """What `make` gives of all rows, made anew only of files of which it was not kept.

        Args:
            kind: what it is, as part of a name.
            version: of all that it depends on beside the file's rows and how they were parsed.
            rows: rows of all the files, with source_file; those of a file stand together.
            make: of the rows of some files, rows with source_file, of which those of a file stand
                together too; of several files it gives what it gives of each.
            set_aside: makes what is made of small files something that can be read several times
                without being made again.

        Returns:
            What was kept, file by file, then what is made of small files.
        """
        folder = f"{_FOLDER}{self.source}_{kind}/"
        names = {
            file: f"{folder}{_key(file, content, version)}.parquet"
            for file, (content, count) in self.files.items()
            if count >= WORTH_ROWS
        }
        kept = {found.name: found.version for found in self.store.objects(folder)}
        file_of = pl.col("source_file")
        new = [file for file, name in names.items() if name not in kept]
        # To make something of nothing takes time, too: names to search for have to be prepared.
        made = _each_file(make(rows.filter(file_of.is_in(new))), new) if new else ()
        for file, of_file in made:
            scratch = self.store.scratch(names[file])
            # Read by every run, so that to unpack it matters more than its size.
            of_file.write_parquet(scratch, compression="lz4")
            self.store.put(scratch, names[file])
        for stale in kept.keys() - set(names.values()):
            self.store.delete(stale)
        parts = [self.store.local_copy(name, kept.get(name)) for name in names.values()]
        found = [pl.scan_parquet(parts, glob=False)] if parts else []
        if len(names) < len(self.files) or not parts:
            small = make(rows.filter(~file_of.is_in(list(names))))
            found.append(set_aside(small) if set_aside else small)
        return pl.concat(found)


def _key(file: str, content: str, version: str) -> str:
    text = f"{file}\0{content}\0{PARSER_VERSION}\0{version}"
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def _each_file(rows: pl.LazyFrame, files: list[str]) -> Iterator[tuple[str, pl.DataFrame]]:
    """The rows of each of these files, no more than one file and a batch in memory."""
    left = set(files)
    current, parts = "", list[pl.DataFrame]()
    for batch in rows.collect_batches(maintain_order=True, lazy=True):
        for part in batch.partition_by("source_file", maintain_order=True):
            file = part["source_file"][0]
            if file != current and parts:
                left.remove(current)
                yield current, pl.concat(parts)
                parts = []
            current = file
            parts.append(part)
    if parts:
        left.remove(current)
        yield current, pl.concat(parts)
    nothing = pl.DataFrame(schema=rows.collect_schema())
    yield from ((file, nothing) for file in files if file in left)
