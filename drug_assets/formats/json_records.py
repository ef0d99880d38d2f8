r"""JSON records in any layout -> raw rows (SPEC 1).

An array of objects, a single object, one object per line (NDJSON) or objects one after another;
also with trailing commas, and also as members of wrappers (`json_wrappers`), such as the pages of a
service. Text is kept as written: `9` is "9", `1.50` is "1.50"; NaN and Infinity are null. Bytes and
encodings belong to `decoding`, the meaning of a field to `cleaning`, the layouts of known services
to the `JsonShape`s of a source.

Read issues: `invalid_json` (all fields null, `extra` holds the text under `raw`), `not_an_object`
(`extra` holds the value under `value`), `duplicate_key` (the first counts, `extra` holds the
others), `not_text` (an object, or a list of several values, where a text is due: the field is null,
`extra` holds the value), `invalid_unicode` (an escape such as `\ud800`, which is no character,
became U+FFFD). From decoding: `not_utf8`.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from drug_assets.formats.decoding import Text
from drug_assets.formats.json_document import Document
from drug_assets.formats.json_rows import Rows
from drug_assets.formats.json_wrappers import Keys

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    import polars as pl

    from drug_assets.formats.record_shape import RecordShape


def is_evident(head: str) -> bool:
    """Whether a text of unknown extension is JSON: it begins like an object or an array."""
    return bool(re.match(r'\s*(?:\{\s*["}]|\[\s*(?:[\[{\]"\-0-9]|null|true|false))', head))


def is_plausible(head: str) -> bool:
    """Whether a text with a matching extension can be JSON: one of its lines begins a record."""
    return bool(re.search(r"\A\s*\[|^[ \t]*+\{", head, re.MULTILINE))


def read_batches(shape: RecordShape, name: str, chunks: Iterable[bytes]) -> Iterator[pl.DataFrame]:
    """Read a JSON file in batches of raw rows; one empty batch if it has no records.

    A record that is not valid JSON becomes a row with its text; reading continues with the next.

    Args:
        shape: Shape of the records of its source.
        name: File below the landing zone.
        chunks: Its unpacked bytes.

    Raises:
        FormatError: The file ends inside an array or a record, a record does not end, no record has
            a required field, an error of a service stands in place of a record, or the records
            cannot be told from other lists beside them.
    """
    keys = Keys(shape)
    document = Document(name, Text(name, chunks), keys)
    rows = Rows(shape, name, keys)
    first = True
    for value in document.read_values():
        rows.add(value, document)
        if rows.full():
            yield rows.take_frame()
            first = False
    rows.check_any_record()
    if first or rows.height:
        yield rows.take_frame()
