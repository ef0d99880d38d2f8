"""Records of any format -> frames of raw rows, as the source's contract declares them (SPEC 3).

Finding records in a file belongs to the module of its format, the meaning of their text to
`cleaning`. Nothing is trimmed, folded or dropped here.
"""

from __future__ import annotations

from json.encoder import encode_basestring
from types import MappingProxyType
from typing import TYPE_CHECKING

import polars as pl

from drug_assets.formats.decoding import (
    MAX_RECORD_CHARS,
    SURROGATE,
    FormatError,
    has_surrogates,
    replace_surrogates,
)
from drug_assets.wording import shorten

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping, Sequence

    from drug_assets.formats.record_shape import RecordShape

#: Limits of a batch: number of records and of characters. They bound the memory.
BATCH_RECORDS = 50_000
BATCH_CHARS = 2 * MAX_RECORD_CHARS

#: Of the name of a column that is given once for all rows, so many characters are kept: each row
#: repeats it in `extra`.
MAX_NAME_CHARS = 100

#: A message shows as many of the keys that were found, and as many characters of each.
MAX_FOUND_KEYS = 20
_SHOWN_KEY_CHARS = 60


def no_record_error(
    shape: RecordShape, name: str, found_keys: Iterable[str], told: str | None = None
) -> FormatError:
    """The error of a file with records, of which none has a required field of its source.

    It shows keys, but no values: a service may repeat the key that it was asked with.

    Args:
        shape: Shape of the records of its source.
        name: File below the landing zone.
        found_keys: The keys, or names of elements, that its records have.
        told: The words of a service's own error in the file, if there are any.
    """
    keys = [repr(key[:_SHOWN_KEY_CHARS]) for key in dict.fromkeys(found_keys)]
    found = shorten(keys, most=MAX_FOUND_KEYS) or "no key"
    required = " or ".join(map(repr, shape.required))
    says = f" It holds an error of the service that it is from: {told!r}." if told else ""
    return FormatError(
        name,
        f"no record has {required}: found {found}; expected "
        f"records of {shape.source} with {', '.join(shape.fields)}.{says} Name them so, "
        "or land the file under the name of its source.",
    )


def make_extra_key(taken: Collection[str], name: str, position: int) -> str:
    """Make the key in `extra` for a value that has no field of its own.

    It is the header or key as written. If that is blank or taken, `#` and the position of the
    column or member follow: `#7` is the value of an unnamed 7th column.

    Args:
        taken: keys that are used already.
        name: the header or key, as written.
        position: the position of the column or member, from 1.
    """
    key = name if name.strip() else f"#{position}"
    if key in taken:
        key = f"{name}#{position}"
    while key in taken:
        key += "#"
    return key


def to_json_object(members: Iterable[tuple[str, str]]) -> str:
    """Build a compact JSON object, sorted by key, from keys and the JSON texts of their values."""
    inner = [f"{encode_basestring(key)}:{value}" for key, value in sorted(members)]
    return "{" + ",".join(inner) + "}"


def make_frame(
    shape: RecordShape,
    name: str,
    first_row: int,
    height: int,
    fields: Mapping[str, Sequence[str | None]],
    extra: Mapping[int, str] = MappingProxyType({}),
    issues: Mapping[int, Sequence[str]] = MappingProxyType({}),
    repair: Callable[[str], tuple[str, list[str]]] | None = replace_surrogates,
) -> pl.DataFrame:
    """Make one batch of raw rows.

    Args:
        shape: Shape of the source's records; its schema is that of the batch.
        name: File below the landing zone: `source_file`.
        first_row: `source_row` of the first record.
        height: Number of records.
        fields: Texts of the source's fields, one value per record; absent fields become null.
        extra: JSON of the unknown fields of a record, by its index in the batch.
        issues: Read issues of the records that have any, by index in the batch.
        repair: Returns a text without its lone surrogates, and the read issues; None if texts of
            the format never contain any.
    """
    texts = (*fields.values(), extra.values())
    if repair and any(has_surrogates("".join(filter(None, column))) for column in texts):
        fields, extra, issues = _repair_texts(height, fields, extra, issues, repair)
    values: dict[str, pl.Series | Sequence[object] | None] = {
        "source_file": pl.repeat(name, height, dtype=pl.String, eager=True),
        "source_row": pl.int_range(first_row, first_row + height, dtype=pl.Int64, eager=True),
        "extra": [extra.get(row) for row in range(height)] if extra else None,
        "read_issues": _make_issue_lists(height, issues),
        **fields,
    }
    return pl.DataFrame(
        [
            pl.repeat(None, height, dtype=dtype, eager=True).alias(column)
            if (known := values.get(column)) is None
            else pl.Series(column, known, dtype=dtype)
            for column, dtype in shape.schema.items()
        ]
    )


def _make_issue_lists(height: int, issues: Mapping[int, Sequence[str]]) -> pl.Series:
    """One list of issues per record, sorted.

    Polars is slow to build lists. Few of them differ, so each distinct list is built once.
    """
    index_of: dict[tuple[str, ...], int] = {(): 0}
    indexes = [0] * height
    for row, of_row in issues.items():
        indexes[row] = index_of.setdefault(tuple(sorted(set(of_row))), len(index_of))
    return pl.Series([list(each) for each in index_of], dtype=pl.List(pl.String)).gather(indexes)


def _repair_texts(
    height: int,
    fields: Mapping[str, Sequence[str | None]],
    extra: Mapping[int, str],
    issues: Mapping[int, Sequence[str]],
    repair: Callable[[str], tuple[str, list[str]]],
) -> tuple[dict[str, list[str | None]], dict[int, str], dict[int, list[str]]]:
    """Repair all texts of a batch, and add the read issues to those of their records."""
    all_issues = {row: list(of_row) for row, of_row in issues.items()}

    def repair_text(row: int, text: str | None) -> str | None:
        if text is None or not SURROGATE.search(text):
            return text
        repaired, added = repair(text)
        all_issues.setdefault(row, []).extend(added)
        return repaired

    columns = {
        field: [repair_text(row, text) for row, text in zip(range(height), column, strict=True)]
        for field, column in fields.items()
    }
    repaired_extra = {row: repair_text(row, text) or "" for row, text in extra.items()}
    return columns, repaired_extra, all_issues
