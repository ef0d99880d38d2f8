"""Records of any format -> frames of raw rows, as the source's contract declares them (SPEC 3).

How a record is found in a file belongs to the module of its format; what its text means belongs to
`cleaning`: nothing is trimmed, folded or dropped here.
"""

from __future__ import annotations

from json.encoder import encode_basestring
from types import MappingProxyType
from typing import TYPE_CHECKING

import polars as pl

from drug_assets import contracts
from drug_assets.formats.decoding import MAX_RECORD_CHARS, SURROGATE, has_surrogates, well_formed

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping, Sequence

    from drug_assets.sources import Source

#: Records of a batch, and characters after which it is closed earlier: they bound the memory.
BATCH_RECORDS = 50_000
BATCH_CHARS = 2 * MAX_RECORD_CHARS


def extra_key(taken: Collection[str], name: str, position: int) -> str:
    """The key under which a value that has no field of its own stands in `extra`.

    It is the header or key as written; where that is blank or taken, followed by `#` and the
    position (from 1) of the column or member, so that `#7` is what stood in an unnamed 7th column.
    """
    key = name if name.strip() else f"#{position}"
    if key in taken:
        key = f"{name}#{position}"
    while key in taken:
        key += "#"
    return key


def json_object(members: Iterable[tuple[str, str]]) -> str:
    """A compact JSON object, by key, of keys and the JSON texts of their values."""
    inner = [f"{encode_basestring(key)}:{value}" for key, value in sorted(members)]
    return "{" + ",".join(inner) + "}"


def frame(
    source: Source,
    name: str,
    first_row: int,
    height: int,
    fields: Mapping[str, Sequence[str | None]],
    extra: Mapping[int, str] = MappingProxyType({}),
    issues: Mapping[int, Sequence[str]] = MappingProxyType({}),
    repair: Callable[[str], tuple[str, list[str]]] | None = well_formed,
) -> pl.DataFrame:
    """One batch of raw rows.

    Args:
        source: Source whose contract the batch follows.
        name: File below the landing zone: `source_file`.
        first_row: `source_row` of the first record.
        height: Number of records.
        fields: Text of the source's fields, one value a record; absent ones are null.
        extra: JSON of what a record held beyond its fields, by position in the batch.
        issues: Read issues of the records that have any, by position in the batch.
        repair: Makes a text that holds lone surrogates well-formed, and names the issues; None if
            no text of the format can hold any.
    """
    texts = (*fields.values(), extra.values())
    if repair and any(has_surrogates("".join(filter(None, column))) for column in texts):
        fields, extra, issues = _repaired(height, fields, extra, issues, repair)
    values: dict[str, pl.Series | Sequence[object] | None] = {
        "source_file": pl.repeat(name, height, dtype=pl.String, eager=True),
        "source_row": pl.int_range(first_row, first_row + height, dtype=pl.Int64, eager=True),
        "extra": [extra.get(row) for row in range(height)] if extra else None,
        "read_issues": _issue_lists(height, issues),
        **fields,
    }
    schema = contracts.polars_schema(source.contract)
    return pl.DataFrame(
        [
            pl.repeat(None, height, dtype=dtype, eager=True).alias(column)
            if (known := values.get(column)) is None
            else pl.Series(column, known, dtype=dtype)
            for column, dtype in schema.items()
        ]
    )


def _issue_lists(height: int, issues: Mapping[int, Sequence[str]]) -> pl.Series:
    """A list a record. Few differ, so each is made once: Polars builds lists one by one, slowly."""
    places: dict[tuple[str, ...], int] = {(): 0}
    chosen = [0] * height
    for row, of_row in issues.items():
        chosen[row] = places.setdefault(tuple(sorted(set(of_row))), len(places))
    return pl.Series([list(kind) for kind in places], dtype=pl.List(pl.String)).gather(chosen)


def _repaired(
    height: int,
    fields: Mapping[str, Sequence[str | None]],
    extra: Mapping[int, str],
    issues: Mapping[int, Sequence[str]],
    repair: Callable[[str], tuple[str, list[str]]],
) -> tuple[dict[str, list[str | None]], dict[int, str], dict[int, list[str]]]:
    """The batch with every text well-formed, and what that took among the issues of its record."""
    found = {row: list(of_row) for row, of_row in issues.items()}

    def well(row: int, text: str | None) -> str | None:
        if text is None or not SURROGATE.search(text):
            return text
        good, problems = repair(text)
        found.setdefault(row, []).extend(problems)
        return good

    columns = {
        field: [well(row, text) for row, text in zip(range(height), column, strict=True)]
        for field, column in fields.items()
    }
    beyond = {row: well(row, text) or "" for row, text in extra.items()}
    return columns, beyond, found
