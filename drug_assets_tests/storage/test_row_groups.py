"""Row groups are copied as bytes: a joined file has the rows of those that it was made of."""

from __future__ import annotations

import datetime as dt
import io
from typing import TYPE_CHECKING

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from drug_assets.storage.row_groups import Footer, Joining, NoFooterError

if TYPE_CHECKING:
    from collections.abc import Sequence

SCHEMA: dict[str, pl.DataType] = {
    "text": pl.String(),
    "number": pl.Int64(),
    "day": pl.Date(),
    "flag": pl.Boolean(),
    "list": pl.List(pl.String),
    "spans": pl.List(pl.Struct({"start": pl.Int64, "by": pl.String})),
}
ROWS = st.lists(
    st.fixed_dictionaries(
        {
            "text": st.none() | st.text(max_size=9),
            "number": st.none() | st.integers(-(2**63), 2**63 - 1),
            "day": st.none() | st.dates(dt.date(1900, 1, 1), dt.date(2100, 1, 1)),
            "flag": st.none() | st.booleans(),
            "list": st.none() | st.lists(st.text(max_size=3), max_size=3),
            "spans": st.lists(
                st.fixed_dictionaries({"start": st.integers(0, 9), "by": st.text(max_size=3)}),
                max_size=2,
            ),
        }
    ),
    max_size=20,
)


def write(rows: pl.DataFrame, group: int = 3) -> io.BytesIO:
    file = io.BytesIO()
    rows.write_parquet(file, row_group_size=group, metadata={"of": "a test"})
    return file


def join(files: Sequence[io.BytesIO], **metadata: str) -> bytes:
    joined = io.BytesIO()
    joining = Joining(joined)
    for file in files:
        joining.add(file, Footer.read(file))
    joining.finish(metadata)
    return joined.getvalue()


@settings(max_examples=12, deadline=None)
@given(st.lists(ROWS, min_size=1, max_size=4))
def test_a_joined_file_has_the_rows_of_all(files: list[list[dict[str, object]]]) -> None:
    frames = [pl.DataFrame(rows, schema=SCHEMA) for rows in files]
    joined = join([write(frame) for frame in frames], pieces="some")
    expected = pl.concat(frames)
    assert_frame_equal(pl.read_parquet(io.BytesIO(joined)), expected)
    assert_frame_equal(pl.read_parquet(io.BytesIO(joined), use_pyarrow=True), expected)
    metadata = pl.read_parquet_metadata(io.BytesIO(joined))
    assert (metadata["of"], metadata["pieces"]) == ("a test", "some")


@settings(max_examples=12, deadline=None)
@given(ROWS)
def test_a_footer_is_written_as_it_was_read(rows: list[dict[str, object]]) -> None:
    file = write(pl.DataFrame(rows, schema=SCHEMA))
    written = Footer.read(file).encode()
    assert file.getvalue().endswith(written)


def test_bytes_do_not_tell_where_row_groups_were_before() -> None:
    frames = [pl.DataFrame({"a": range(n, n + 50)}) for n in range(4)]
    files = [write(frame, group=20) for frame in frames]
    joined, again = join(files), io.BytesIO()
    joining, opened = Joining(again), io.BytesIO(joined)
    before = Footer.read(opened)
    assert joining.add(opened, before, slice(0, 3)) == 3
    joining.add(files[1], Footer.read(files[1]))
    joining.add(opened, before, slice(6, None))
    joining.finish({})
    assert again.getvalue() == joined


def statistics(file: io.BytesIO) -> list[object]:
    """What the footer says of the first column, for each row group.

    The numbers are those of parquet.thrift: RowGroup.columns, ColumnChunk.meta_data and
    ColumnMetaData.statistics.
    """
    return [group[1][1][1][0][3][1][12] for group in Footer.read(file).groups]


def test_statistics_still_say_which_row_groups_a_reader_may_leave_out() -> None:
    frames = [pl.DataFrame({"a": rows}) for rows in ([1, 2], [7, 8])]
    files = [write(frame) for frame in frames]
    joined = join(files)
    before = [each for file in files for each in statistics(file)]
    assert len(before) == 2
    assert statistics(io.BytesIO(joined)) == before
    rows = pl.scan_parquet(io.BytesIO(joined))
    assert rows.filter(pl.col("a") > 5).collect().equals(frames[1])


@pytest.mark.parametrize("cut", [0, 3, 9, -1, -6, -20])
def test_what_is_no_whole_file_is_refused(cut: int) -> None:
    whole = write(pl.DataFrame({"a": [1, 2]})).getvalue()
    with pytest.raises(NoFooterError):
        Footer.read(io.BytesIO(whole[:cut]))


def test_a_file_that_ends_before_its_row_groups_do_is_refused() -> None:
    file = write(pl.DataFrame({"a": range(9)}))
    footer = Footer.read(file)
    with pytest.raises(NoFooterError, match="ends before"):
        Joining(io.BytesIO()).add(io.BytesIO(file.getvalue()[:9]), footer)


def test_files_of_other_columns_are_not_joined() -> None:
    with pytest.raises(NoFooterError, match="other columns"):
        join([write(pl.DataFrame({"a": [1]})), write(pl.DataFrame({"b": [1]}))])


def test_nothing_is_no_file() -> None:
    with pytest.raises(ValueError, match="some other"):
        join([])
