"""Row groups of Parquet files, copied as bytes into a file of others.

To read rows and write them again costs thirty times as much, and no library copies row groups. The
footer of a file is a struct in Thrift's compact protocol. It is read and written whatever it says,
but for the members of parquet.thrift that are named here: the places of bytes, and counts.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import BinaryIO

_MAGIC = b"PAR1"
#: Bytes at the end of a file: the size of the footer, and the magic number.
_END_BYTES = 8
#: Bytes of a column that are copied at once.
_COPIED_BYTES = 1 << 20

#: Members of FileMetaData.
_SCHEMA, _ROWS, _GROUPS, _METADATA = 2, 3, 4, 5
#: Members of RowGroup.
_COLUMNS, _ROWS_OF_GROUP, _GROUP_OFFSET, _ORDINAL = 1, 3, 5, 7
#: Members of ColumnChunk.
_FILE_OFFSET, _COLUMN = 2, 3
#: Those about what lies elsewhere in the file and is not copied: the indexes of pages. They are of
#: no use where a column has one page in a row group.
_ELSEWHERE = (4, 5, 6, 7)
#: Members of ColumnMetaData: its size, and offsets of its pages in the file.
_SIZE, _PAGE_OFFSETS = 7, (9, 10, 11)

#: The types of Thrift's compact protocol.
_TRUE, _FALSE, _BYTE, _I16, _I32, _I64, _DOUBLE, _BINARY, _LIST, _SET, _MAP, _STRUCT = range(1, 13)

#: A struct: by number of a member, its type and value. A list: the type of its elements, and these.
Struct = dict[int, tuple[int, Any]]


class NoFooterError(ValueError):
    """A file is no whole Parquet file, or not one whose row groups can be copied to another."""


@dataclass(frozen=True)
class Footer:
    """The footer of a Parquet file."""

    _struct: Struct

    @classmethod
    def read(cls, file: BinaryIO) -> Footer:
        """The footer of a file.

        Raises:
            NoFooterError: it has none, or one that is damaged.
        """
        end = file.seek(0, os.SEEK_END)
        file.seek(max(end - _END_BYTES, 0))
        size, magic = int.from_bytes(file.read(4), "little"), file.read(4)
        if magic != _MAGIC or size > end - _END_BYTES - len(_MAGIC):
            raise NoFooterError("the file does not end as a Parquet file does")
        file.seek(end - _END_BYTES - size)
        try:
            return cls(_Reader(file.read(size)).read_struct())
        except (IndexError, ValueError) as error:
            raise NoFooterError("the footer is damaged") from error

    @property
    def groups(self) -> Sequence[Struct]:
        """The row groups."""
        groups: Sequence[Struct] = self._struct[_GROUPS][1][1]
        return groups

    @property
    def metadata(self) -> Mapping[str, str]:
        """The entries of the metadata."""
        entries: Sequence[Struct] = self._struct.get(_METADATA, (_LIST, (_STRUCT, [])))[1][1]
        return {entry[1][1].decode(): entry[2][1].decode() for entry in entries if 2 in entry}

    def is_like(self, other: Footer) -> bool:
        """Whether row groups of both files can be in one."""
        return self._struct[_SCHEMA] == other._struct[_SCHEMA]

    def of_groups(self, groups: Sequence[Struct], metadata: Mapping[str, str]) -> Footer:
        """The footer of a file of other row groups, with further entries in the metadata."""
        entries = [
            {1: (_BINARY, key.encode()), 2: (_BINARY, value.encode())}
            for key, value in sorted({**self.metadata, **metadata}.items())
        ]
        rows = sum(group[_ROWS_OF_GROUP][1] for group in groups)
        return Footer(
            {
                **self._struct,
                _ROWS: (_I64, rows),
                _GROUPS: (_LIST, (_STRUCT, list(groups))),
                _METADATA: (_LIST, (_STRUCT, entries)),
            }
        )

    def encode(self) -> bytes:
        """The end of a file, from the footer on."""
        written = bytearray()
        _write_struct(written, self._struct)
        return bytes(written) + len(written).to_bytes(4, "little") + _MAGIC


class Joining:
    """Makes a file of row groups of others."""

    def __init__(self, file: BinaryIO) -> None:
        """Begin a file.

        Args:
            file: the file, open for writing, empty.
        """
        self._file = file
        self._end = file.write(_MAGIC)
        self._groups: list[Struct] = []
        self._first: Footer | None = None

    def add(self, file: BinaryIO, footer: Footer, groups: slice = slice(None)) -> int:
        """Copy row groups behind those that are there; return how many they are.

        Args:
            file: the file that they are in.
            footer: its footer.
            groups: which of them; all if not given.

        Raises:
            NoFooterError: the file has other columns than those before it, or is cut.
        """
        self._first = self._first or footer
        if not footer.is_like(self._first):
            raise NoFooterError("row groups of other columns cannot be in one file")
        wanted = footer.groups[groups]
        for group in wanted:
            self._groups.append(self._copy(file, group))
        return len(wanted)

    def finish(self, metadata: Mapping[str, str]) -> None:
        """Write the footer.

        Args:
            metadata: entries for the metadata, besides those of the first file.

        Raises:
            ValueError: no file was added.
        """
        if self._first is None:
            raise ValueError("a Parquet file has the columns of some other")
        self._file.write(self._first.of_groups(self._groups, metadata).encode())

    def _copy(self, file: BinaryIO, group: Struct) -> Struct:
        start = self._end
        type_, chunks = group[_COLUMNS][1]
        copied = {**group, _COLUMNS: (_LIST, (type_, [self._copy_column(file, c) for c in chunks]))}
        if _GROUP_OFFSET in group:
            copied[_GROUP_OFFSET] = (_I64, start)
        if _ORDINAL in group:
            copied[_ORDINAL] = (_I16, len(self._groups))
        return copied

    def _copy_column(self, file: BinaryIO, chunk: Struct) -> Struct:
        column: Struct = chunk[_COLUMN][1]
        offsets = {member: column[member][1] for member in _PAGE_OFFSETS if member in column}
        # Polars writes an offset of 0 where there is no page of that kind.
        start = min(filter(None, offsets.values()))
        moved = {m: (_I64, at + self._end - start) for m, at in offsets.items() if at}
        size: int = column[_SIZE][1]
        file.seek(start)
        for left in range(size, 0, -_COPIED_BYTES):
            if self._file.write(file.read(min(left, _COPIED_BYTES))) < min(left, _COPIED_BYTES):
                raise NoFooterError("the file ends before its row groups do")
        self._end += size
        stay = {member: value for member, value in chunk.items() if member not in _ELSEWHERE}
        # 0 says that the metadata of a column are in the footer only.
        return {**stay, _FILE_OFFSET: (_I64, 0), _COLUMN: (_STRUCT, {**column, **moved})}


class _Reader:
    """Reads values of Thrift's compact protocol."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0

    def read_struct(self) -> Struct:
        """A struct."""
        members: Struct = {}
        number = 0
        while head := self._byte():
            step, type_ = head >> 4, head & 15
            number = number + step if step else _unzigzag(self._varint())
            members[number] = type_, self._value(type_)
        return members

    def _value(self, type_: int) -> Any:
        if type_ in (_I16, _I32, _I64):
            return _unzigzag(self._varint())
        if type_ == _BINARY:
            return self._bytes(self._varint())
        if type_ == _STRUCT:
            return self.read_struct()
        if type_ in (_LIST, _SET):
            head = self._byte()
            count, of = head >> 4, head & 15
            if count == 15:
                count = self._varint()
            element = self._byte if of in (_TRUE, _FALSE) else lambda: self._value(of)
            return of, [element() for _ in range(count)]
        if type_ in (_TRUE, _FALSE):
            return None  # the type says it
        if type_ == _BYTE:
            return self._byte()
        if type_ == _DOUBLE:
            return self._bytes(8)
        raise ValueError(f"no footer has a value of the type {type_}")

    def _byte(self) -> int:
        self._at += 1
        return self._data[self._at - 1]

    def _bytes(self, size: int) -> bytes:
        self._at += size
        if self._at > len(self._data):
            raise IndexError(self._at)
        return self._data[self._at - size : self._at]

    def _varint(self) -> int:
        value = shift = 0
        while (byte := self._byte()) & 0x80:
            value |= (byte & 0x7F) << shift
            shift += 7
        return value | byte << shift


def _unzigzag(value: int) -> int:
    return (value >> 1) ^ -(value & 1)


def _write_struct(to: bytearray, members: Struct) -> None:
    last = 0
    for number, (type_, value) in sorted(members.items()):
        # Members of Parquet's structs follow each other closely.
        to.append((number - last) << 4 | type_)
        _write_value(to, type_, value)
        last = number
    to.append(0)


def _write_value(to: bytearray, type_: int, value: Any) -> None:
    if type_ in (_I16, _I32, _I64):
        _write_varint(to, (value << 1) ^ (value >> 63))
    elif type_ == _BINARY:
        _write_varint(to, len(value))
        to += value
    elif type_ == _STRUCT:
        _write_struct(to, value)
    elif type_ in (_LIST, _SET):
        of, elements = value
        if len(elements) < 15:
            to.append(len(elements) << 4 | of)
        else:
            to.append(15 << 4 | of)
            _write_varint(to, len(elements))
        for element in elements:
            if of in (_TRUE, _FALSE):
                to.append(element)
            else:
                _write_value(to, of, element)
    elif type_ == _BYTE:
        to.append(value)
    elif type_ == _DOUBLE:
        to += value


def _write_varint(to: bytearray, value: int) -> None:
    while value > 0x7F:
        to.append(value & 0x7F | 0x80)
        value >>= 7
    to.append(value)
