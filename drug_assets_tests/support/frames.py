"""What the tests of every format need: a file read to its end, and held to its contract."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from drug_assets import contracts, formats
from drug_assets_tests.support.registry import PUBMED

if TYPE_CHECKING:
    from drug_assets.sources import Source


def raw_rows(name: str, data: bytes, source: Source = PUBMED) -> pl.DataFrame:
    """All raw rows of a file; each batch must keep the contract and go on counting rows."""
    batches = list(formats.read(source.record_shape(), name, data))
    contract = source.contracts().raw
    assert batches
    for batch in batches:
        assert batch.schema == contracts.polars_schema(contract)
    rows = pl.concat(batches)
    contract.validate(rows)
    assert rows["source_row"].to_list() == list(range(1, rows.height + 1))
    assert set(rows["source_file"]) <= {name}
    return rows


def fields(rows: pl.DataFrame, *names: str) -> list[tuple[object, ...]]:
    """The named fields of every row."""
    return rows.select(names).rows()


def issues(rows: pl.DataFrame) -> list[list[str]]:
    """The read issues of every row."""
    return rows["read_issues"].to_list()
