"""The tables of one release, to read: lazy frames of local copies of its files.

What a question needs of a release is opened here, without the declarations of all tables, whose
loading takes as long as most answers (`outputs` has them, for runs).
"""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import polars as pl

from drug_assets.errors import DrugAssetsError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from drug_assets.storage.releases import Release

_TABLE = ".parquet"
_PARTS = ".parts.json"


class NoTableError(DrugAssetsError):
    """A release has no such table: an earlier version made it."""


@dataclass(frozen=True)
class ReleasedTables:
    """The tables of a release; of a bucket, each file is copied once a process."""

    release: Release
    #: Finds a local file with the bytes of a file of the release, for who keeps them.
    find_copy: Callable[[str], Path] | None = None

    def table(self, name: str) -> pl.LazyFrame:
        """The rows of a table, not yet read.

        Raises:
            NoTableError: the release has no such table.
        """
        try:
            copy = self._find_copy(f"{name}{_TABLE}")
        except FileNotFoundError as error:
            raise self._has_no(name) from error
        return pl.scan_parquet(copy, glob=False)

    @contextmanager
    def rows_of_file(self, name: str, source_file: str) -> Iterator[pl.LazyFrame]:
        """The rows of a table kept by file that follow from one landed file, not yet read.

        They can be read as long as the context lasts; no copy of them stays.

        Args:
            name: the name of the table.
            source_file: the file below the landing zone; there are no rows if it did not land.

        Raises:
            NoTableError: the release has no such table.
            DamagedPartsError: the rows are missing or damaged.
        """
        from drug_assets.storage.kept.by_file import Parts

        try:
            document = self.release.store.read(self.release.name(f"{name}{_PARTS}"))
        except FileNotFoundError as error:
            raise self._has_no(name) from error
        parts = Parts.read(name, document)
        of_file = tuple(part for part in parts.parts if part.source_file == source_file)
        with Parts(name, of_file).borrow_rows(self.release.store) as rows:
            yield rows.filter(pl.col("source_file") == source_file)

    def _find_copy(self, file: str) -> Path:
        if self.find_copy is not None:
            return self.find_copy(file)
        return self.release.store.local_copy(self.release.name(file))

    def _has_no(self, name: str) -> NoTableError:
        return NoTableError(
            f"release {self.release.id} has no table {name}: run `drug-assets run`, or name "
            "another release"
        )
