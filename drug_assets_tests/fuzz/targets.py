"""What must hold of any bytes at all, for each reader and for the whole path."""

from __future__ import annotations

import contextlib
import json
import sys
import tracemalloc
from random import Random
from typing import TYPE_CHECKING

import polars as pl

from drug_assets import formats, sources
from drug_assets.contracts import polars_schema
from drug_assets.formats import decoding
from drug_assets.sources.tables import TABLES
from drug_assets.storage.reading import Account
from drug_assets_tests.fuzz.mutations import mutate
from drug_assets_tests.fuzz.seeds import MAKERS, TOKENS
from drug_assets_tests.support.pipeline import make_all

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from drug_assets_tests.fuzz.seeds import Landed

#: Memory that reading may take at its peak: so many bytes, and so many for each byte of the
#: file, unpacked. A row takes a list of values and, in a frame, a string view of each; the shortest
#: row is one byte.
FREE_BYTES = 1024**2
BYTES_PER_BYTE = 500
#: Function calls that reading may make, counted in the same way: a clock would also measure how
#: busy the machine is.
FREE_CALLS = 50_000
CALLS_PER_BYTE = 100


def make_input(format_name: str, seed: int) -> Landed:
    """A damaged file of a format; the same for the same seed."""
    random = Random(f"{format_name} {seed}")  # noqa: S311 - the same numbers each time, no secret
    make = MAKERS[format_name]
    name, data = make(random)
    data = mutate(random, data, make(random)[1], TOKENS[format_name])
    return f"{name}.gz" if data[:2] == b"\x1f\x8b" and random.random() < 0.5 else name, data


def read(name: str, data: bytes, chunk_bytes: int = 0) -> pl.DataFrame | str:
    """The raw rows of a file, or the words that refuse it.

    Args:
        name: the name of the file.
        data: its bytes.
        chunk_bytes: size of the chunks that the reader gets them in; 0 for one chunk.

    Raises:
        AssertionError: what must hold of any bytes does not.
    """
    source = sources.source_of_file(name)
    assert source is not None

    def chunks() -> Iterator[bytes]:
        size = chunk_bytes or len(data) or 1
        yield from (data[start : start + size] for start in range(0, len(data), size))

    batches = []
    account = Account()
    refused: formats.FormatError | None = None
    try:
        for batch in formats.read(source.record_shape(), name, chunks, len(data)):
            account.add(batch, source.record_shape())
            batches.append(batch)
    except formats.FormatError as error:
        refused = error
    if refused is not None:
        assert str(refused).startswith(f"{name}: ")
        assert refused.problem
        return str(refused)
    rows = pl.concat(batches)
    contract = TABLES[f"raw_{source.name}"].contract
    assert rows.schema == polars_schema(contract)
    assert rows["source_row"].to_list() == list(range(1, rows.height + 1))
    contract.validate(rows)
    for extra in rows["extra"].drop_nulls():
        assert isinstance(json.loads(extra), dict)
    return rows


def check_reader(name: str, data: bytes) -> pl.DataFrame | str:
    """Check what must hold of a reader: return the rows, or the words that refuse the file.

    Raises:
        AssertionError: it does not.
    """
    found = read(name, data)
    again = read(name, data, chunk_bytes=61)
    if isinstance(found, str) or isinstance(again, str):
        # Of several problems, the first that is met is told.
        assert isinstance(found, str)
        assert isinstance(again, str)
    else:
        assert found.equals(again), "the rows depend on the chunks"
    return found


def check_memory(name: str, data: bytes) -> None:
    """Check that reading takes no more memory at its peak than the size of the file allows.

    Raises:
        AssertionError: it takes more.
    """
    tracemalloc.start()
    try:
        read(name, data)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    size = _count_unpacked(name, data)
    assert peak < FREE_BYTES + BYTES_PER_BYTE * size, f"{peak} bytes for {size}"


def check_work(name: str, data: bytes) -> None:
    """Check that reading takes no more calls of functions than the size of the file allows.

    Raises:
        AssertionError: it takes more.
    """
    calls = 0

    def count(frame: object, event: str, argument: object) -> None:
        nonlocal calls
        calls += event in ("call", "c_call")

    before = sys.getprofile()
    sys.setprofile(count)
    try:
        read(name, data)
    finally:
        sys.setprofile(before)
    size = _count_unpacked(name, data)
    assert calls < FREE_CALLS + CALLS_PER_BYTE * size, f"{calls} calls for {size} bytes"


def _count_unpacked(name: str, data: bytes) -> int:
    """The size of a file, unpacked: how far it may be unpacked has a limit of its own."""
    size = 0
    with contextlib.suppress(formats.FormatError):
        for chunk in decoding.unpack(name, data):
            size += len(chunk)
    return size


def check_path(files: Sequence[Landed], folder: Path) -> int:
    """Check what must hold of everything that is made of a landing zone with these files.

    Files that are refused are left out, so that the others are looked at.

    Args:
        files: the files; they are given names of their own.
        folder: an empty folder.

    Returns:
        The number of raw rows.

    Raises:
        AssertionError: it does not hold.
    """
    landing = folder / "landing"
    landing.mkdir()
    for number, (name, data) in enumerate(files):
        if isinstance(read(name, data), pl.DataFrame):
            stem, _, ending = name.partition(".")
            (landing / f"{stem}_{number}.{ending}").write_bytes(data)
    made = make_all(landing, folder / "store")
    assert not made.refused
    return sum(made.tables[f"raw_{source.name}"].height for source in sources.ALL)
