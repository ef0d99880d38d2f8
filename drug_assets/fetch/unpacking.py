"""An owner's file -> the files that land: unpacked, checked, packed with gzip one by one.

Of an archive (zip) only the members that are read are unpacked. Everything is streamed. A file is a
good one if it begins and ends as its owner's files do; whether each record can be read, the run
says that reads it. No request is sent here, and nothing is landed.
"""

from __future__ import annotations

import gzip
import re
import shutil
import zipfile
import zlib
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Final, Protocol

from drug_assets.fetch.errors import BrokenAnswer

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

_CHUNK = 1 << 20
#: Bytes of the beginning and of the end that are looked at.
_LOOKED_AT = 1 << 16
#: What a packed file may unpack to: as much as a run reads of one (SPEC 1).
_ALWAYS_ALLOWED: Final = 64 * 1024**2
_ALLOWED_PER_BYTE: Final = 250
_MOST_BYTES: Final = 4 * 1024**3
#: Members of an archive. Owners' archives have some dozens.
_MOST_MEMBERS: Final = 10_000
_GZIP_MAGIC: Final = b"\x1f\x8b"
_ENCRYPTED: Final = 1
_WEB_PAGE = re.compile(rb"(?is)\A(?:\xef\xbb\xbf)?\s*<(?:!doctype\s+html|html|head|body)\b")
_PAGE_TITLE = re.compile(rb"(?is)<title[^>]*>(.*?)</title>")


@dataclass(frozen=True)
class Content:
    """A file that is read, as it looks when it is unpacked.

    Attributes:
        name: Its whole name as the owner gives it, without folders.
        begins: What its first bytes look like.
        ends: What its last bytes look like; found anywhere in them, so it says where the end is.
        extension: Added to the name if the owner leaves it out.
    """

    name: re.Pattern[str]
    begins: re.Pattern[bytes]
    ends: re.Pattern[bytes]
    extension: str = ""

    def named(self, name: str) -> str:
        """The name of the landed file: the owner's, packed."""
        bare = name.removesuffix(".gz")
        return f"{bare}{'' if bare.endswith(self.extension) else self.extension}.gz"


@dataclass(frozen=True)
class Unpacked:
    """A file that is ready to land: its name, and where it is on this machine."""

    name: str
    path: Path


class _Readable(Protocol):
    def read(self, size: int, /) -> bytes: ...


def unpack(file: Path, name: str, contents: Sequence[Content], folder: Path) -> list[Unpacked]:
    """Unpack what is read of an owner's file.

    Args:
        file: The file as it came.
        name: Its name, as the owner gives it.
        contents: What is read of it, all of which it must hold.
        folder: An empty folder for the result.

    Raises:
        BrokenAnswer: It is damaged, or something else; the message says what.
    """
    with file.open("rb") as stream:
        start = stream.read(_LOOKED_AT)
    if _WEB_PAGE.match(start):
        title = _PAGE_TITLE.search(start)
        shown = " ".join(title[1].decode("utf-8", "replace").split()) if title else ""
        raise BrokenAnswer(f"a web page came in place of the file{shown and f': {shown}'}")
    try:
        if name.endswith(".zip"):
            return _unpack_members(file, contents, folder)
        (content,) = contents
        path = folder / content.named(name)
        size = file.stat().st_size
        if start.startswith(_GZIP_MAGIC):
            with file.open("rb") as stream, gzip.GzipFile(fileobj=stream) as packed:
                _check(packed, name, content, size)
            shutil.copyfile(file, path)
        else:
            with file.open("rb") as plain, _packed(path) as target:
                _check(plain, name, content, size, target)
    except (EOFError, zlib.error, zipfile.BadZipFile, gzip.BadGzipFile) as exc:
        raise BrokenAnswer(f"the file is damaged ({exc})") from None
    return [Unpacked(path.name, path)]


def _unpack_members(file: Path, contents: Sequence[Content], folder: Path) -> list[Unpacked]:
    unpacked = []
    with zipfile.ZipFile(file) as archive:
        members = archive.infolist()
        if len(members) > _MOST_MEMBERS:
            raise BrokenAnswer(f"the archive has more than {_MOST_MEMBERS} members")
        for content in contents:
            member = _find_member(members, content)
            name = PurePosixPath(member.filename).name
            path = folder / content.named(name)
            try:
                with archive.open(member) as packed, _packed(path) as target:
                    _check(packed, name, content, member.compress_size, target)
            except NotImplementedError as exc:  # a method of packing that Python does not know
                raise BrokenAnswer(f"{name}: {exc}") from None
            unpacked.append(Unpacked(path.name, path))
    return unpacked


def _find_member(members: Sequence[zipfile.ZipInfo], content: Content) -> zipfile.ZipInfo:
    """The member with the name of a content that is nearest to the top of the archive."""
    found = [m for m in members if content.name.fullmatch(PurePosixPath(m.filename).name)]
    if not found:
        raise BrokenAnswer(f"the archive holds no {content.name.pattern}")
    depth = {m.filename: len(PurePosixPath(m.filename).parts) for m in found}
    nearest = [m for m in found if depth[m.filename] == min(depth.values())]
    if len(nearest) > 1:
        raise BrokenAnswer(f"the archive holds several {content.name.pattern}")
    if nearest[0].flag_bits & _ENCRYPTED:
        raise BrokenAnswer(f"{nearest[0].filename} is encrypted")
    return nearest[0]


def _check(
    stream: _Readable,
    name: str,
    content: Content,
    packed_size: int,
    target: gzip.GzipFile | None = None,
) -> None:
    """Read a file to its end, within the limits, and look at its beginning and end.

    Args:
        stream: The unpacked bytes.
        name: Its name, for messages.
        content: What they should look like.
        packed_size: Bytes of the packed file, which decide how many there may be.
        target: Where they are written to, if anywhere.
    """
    allowed = min(_MOST_BYTES, _ALWAYS_ALLOWED + _ALLOWED_PER_BYTE * packed_size)
    size, start, end = 0, b"", b""
    while chunk := stream.read(_CHUNK):
        size += len(chunk)
        if size > allowed:
            raise BrokenAnswer(f"{name} unpacks to more than {allowed} bytes")
        if len(start) < _LOOKED_AT:
            start = (start + chunk)[:_LOOKED_AT]
        end = (end + chunk)[-_LOOKED_AT:]
        if target is not None:
            target.write(chunk)
    if not content.begins.match(start):
        raise BrokenAnswer(f"{name} does not begin as it should")
    if not content.ends.search(end):
        raise BrokenAnswer(f"{name} does not end as it should: it is not whole")


@contextmanager
def _packed(path: Path) -> Iterator[gzip.GzipFile]:
    """A file that is packed without a time or name, so that equal bytes give equal files."""
    with (
        path.open("wb") as file,
        gzip.GzipFile(filename="", mode="wb", compresslevel=6, fileobj=file, mtime=0) as packed,
    ):
        yield packed
