"""The check before every write: rows that break the contract of their table are refused.

What passed it is not read again: a part says which contract it was held to (`note_of_file`), and a
process knows the whole tables that it wrote itself (`outputs`).
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import polars as pl

from drug_assets import contracts
from drug_assets.errors import DrugAssetsError
from drug_assets.sources.tables import TABLES
from drug_assets.versions import compute_version
from drug_assets.wording import shorten

if TYPE_CHECKING:
    from pathlib import Path

#: Rows of a file that are checked at once: several row groups, which are read in parallel.
_BLOCK_ROWS = 256 * 1024
#: Entries in the metadata of a file: the version of the contract that its rows were held to, and
#: the landed file that all of them are of.
_CONTRACT, _SOURCE_FILE = "contract", "source_file"
#: The first part of the names of our own modules.
_PACKAGE = __name__.partition(".")[0]


class ContractBrokenError(DrugAssetsError):
    """Rows break the contract of their table; nothing was written."""


def conform(table: str, rows: pl.LazyFrame) -> pl.LazyFrame:
    """The rows with the columns of a table, in the order of its contract; types are not changed.

    Raises:
        ContractBrokenError: a column is missing, unknown, or of another type.
    """
    expected = contracts.polars_schema(TABLES[table].contract)
    found = rows.collect_schema()
    if dict(found) != dict(expected):
        differences = [
            f"column {name}: {found.get(name, 'missing')}, expected {expected.get(name, 'none')}"
            for name in dict.fromkeys([*expected, *found])
            if found.get(name) != expected.get(name)
        ]
        raise ContractBrokenError(f"{table} was not written: " + "; ".join(differences))
    return rows.select(expected.names())


def require_contract(table: str, rows: pl.LazyFrame) -> None:
    """Check that rows keep the contract of their table.

    Args:
        table: name of the table.
        rows: its rows, with the columns that `conform` returns.

    Raises:
        ContractBrokenError: a rule is broken. The message names each broken rule, how many rows
            break it, and the first invalid row.
    """
    contract = TABLES[table].contract
    if contract.is_valid(rows):
        return
    _, failure = contract.filter(rows)
    broken = failure.counts()
    example = failure.invalid().head(1).to_dicts()[0]
    rules = ", ".join(f"{rule} ({count} rows)" for rule, count in sorted(broken.items()))
    raise ContractBrokenError(
        f"{table} was not written: it breaks {rules}; the first such row: {example}"
    )


def require_contract_of_file(table: str, file: Path) -> None:
    """Check that the rows of a Parquet file keep the contract of their table.

    Args:
        table: name of the table.
        file: the file, with the columns that `conform` returns.

    Raises:
        ContractBrokenError: as `require_contract`.
    """
    rows = pl.scan_parquet(file, glob=False)
    require_contract_in_blocks(table, rows, rows.select(pl.len()).collect().item())


def require_contract_in_blocks(table: str, rows: pl.LazyFrame, height: int) -> None:
    """Check that rows keep the contract of their table.

    Memory follows a block of rows, and the keys: that these differ is the only rule about several
    rows.

    Args:
        table: name of the table.
        rows: its rows, with the columns that `conform` returns; they are read more than once.
        height: how many there are.

    Raises:
        ContractBrokenError: as `require_contract`.
    """
    contract = TABLES[table].contract
    starts = range(0, height, _BLOCK_ROWS)
    if not all(contract.is_valid(rows.slice(start, _BLOCK_ROWS)) for start in starts):
        require_contract(table, rows)
    if len(starts) > 1:
        require_distinct_keys(table, rows, height)


def require_distinct_keys(table: str, rows: pl.LazyFrame, height: int) -> None:
    """Check that the keys of rows differ, which keep all other rules of their contract.

    Args:
        table: name of the table.
        rows: its rows, with the columns that `conform` returns; they can be read more than once.
        height: how many there are.

    Raises:
        ContractBrokenError: as `require_contract`.
    """
    # If the hashes of all keys differ, so do the keys; else the whole contract is asked.
    keys = rows.select(pl.struct(TABLES[table].contract.primary_key()).hash().n_unique())
    if keys.collect(engine="streaming").item() != height:
        require_contract(table, rows)


def note_of_file(table: str, source_file: str) -> dict[str, str]:
    """What the metadata of a file say of its rows, once they were held to their contract.

    Args:
        table: name of the table.
        source_file: the landed file that all rows are of.
    """
    return {_CONTRACT: version_of_contract(table), _SOURCE_FILE: source_file}


def version_of_contract(table: str) -> str:
    """The version of the code that declares the contract of a table."""
    declared_in = {each.__module__ for each in TABLES[table].contract.__mro__}
    modules = sorted(name for name in declared_in if name.partition(".")[0] == _PACKAGE)
    return compute_version(*(sys.modules[name] for name in modules))


def require_source_files(table: str, rows: pl.DataFrame | pl.LazyFrame, *source_files: str) -> None:
    """Check that all rows are of some landed files.

    Args:
        table: name of the table.
        rows: column source_file.
        source_files: the landed files.

    Raises:
        ContractBrokenError: a row is of another one.
    """
    of_others = ~pl.col("source_file").is_in(source_files)
    if rows.lazy().select(of_others.any()).collect().item():
        listed = shorten(source_files)
        raise ContractBrokenError(f"{table} was not written: rows are not all of {listed}")
