"""Tables in pieces: a run copies those that it would make again from the release before.

The rows of a piece follow from some landed files and from what is decided about them. So the name
of a piece is a hash of that, and its rows are row groups of their own in the file of the table. The
metadata of the file list the pieces. A run that makes all of them writes the same bytes.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, BinaryIO

import polars as pl

from drug_assets.storage.contract_gate import (
    conform,
    require_contract_of_file,
    version_of_contract,
)
from drug_assets.storage.kept.by_file import make_key
from drug_assets.storage.parquet import write_parquet
from drug_assets.storage.row_groups import Footer, Joining, NoFooterError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from drug_assets.cleaning.publications import Piece
    from drug_assets.storage.kept.by_file import Parts
    from drug_assets.storage.objects import ObjectStore

#: Entry in the metadata of a file: the names of its pieces, each with its number of row groups.
_PIECES = "pieces"


@dataclass(frozen=True)
class PiecesOfFile:
    """The pieces of a table in a file."""

    file: BinaryIO
    footer: Footer
    #: By name of a piece, its row groups.
    groups: Mapping[str, slice]

    @classmethod
    def read(cls, file: BinaryIO) -> PiecesOfFile | None:
        """The pieces that a file lists; None if it lists none.

        Args:
            file: the file, which stays open as long as pieces are taken over from it.
        """
        try:
            footer = Footer.read(file)
        except NoFooterError:
            return None
        groups, start = {}, 0
        for name, count in json.loads(footer.metadata.get(_PIECES, "[]")):
            groups[name] = slice(start, start + count)
            start += count
        return cls(file, footer, groups)


@dataclass(frozen=True)
class Pieces:
    """How to make the rows of a table from those of a table that is kept by file, in pieces."""

    #: The table whose rows are the input.
    of: str
    #: The version of the code that makes the rows.
    version: str
    #: In the order of their rows; at least one.
    pieces: Sequence[Piece]

    def write(
        self,
        file: BinaryIO,
        table: str,
        parts: Parts,
        store: ObjectStore,
        before: PiecesOfFile | None,
        scratch: Path,
        layout: Mapping[str, int],
    ) -> None:
        """Write the table to a file.

        Args:
            file: the file, open and empty.
            table: name of the table.
            parts: the parts of the table `of`.
            store: the store of the parts.
            before: pieces to take over, as far as they are wanted again.
            scratch: a path for a file with one piece.
            layout: how rows lie in a file: options of `polars.LazyFrame.sink_parquet`.

        Raises:
            ContractBrokenError: the rows of a piece do not keep the contract.
            DamagedPartsError: input parts are missing or damaged.
        """
        made_by = self.version, version_of_contract(table), json.dumps(dict(layout))
        names = {part.source_file: part.name for part in parts.parts}
        copies = parts.copies(store)
        joining = Joining(file)
        listed: list[tuple[str, int]] = []
        for piece in self.pieces:
            inputs = [names[source_file] for source_file in piece.files]
            name = make_key(table, *made_by, *inputs, piece.decided)
            if before is not None and name in before.groups:
                count = joining.add(before.file, before.footer, before.groups[name])
            else:
                records = pl.scan_parquet([copies[each] for each in piece.files], glob=False)
                write_parquet(conform(table, piece.make(records)), scratch, **layout)
                require_contract_of_file(table, scratch)
                with scratch.open("rb") as made:
                    count = joining.add(made, Footer.read(made))
            listed.append((name, count))
        joining.finish({_PIECES: json.dumps(listed)})
