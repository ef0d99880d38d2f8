"""A file that is being downloaded: what has come of it is kept, so that another try resumes.

It is kept in parts, in a hidden folder of the destination, so it survives the process on any kind
of place, and is never in memory as a whole. `state.json` says which version of the file it is.
A request goes on behind the last of them (RFC 9110, 14: Range, If-Range), and the server's answer
decides whether it does. What is damaged is cleared, and comes again. No request is sent here.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import re
from dataclasses import asdict, dataclass
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any

from drug_assets.fetch.errors import BrokenAnswer

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from drug_assets.fetch.destination import Destination

_RANGE = re.compile(r"bytes (\d+)-(\d+)/(\d+|\*)")
#: A date of change says which version a file is of if the answer was sent a while after it.
_SETTLED = dt.timedelta(seconds=60)


@dataclass(frozen=True)
class FileVersion:
    """What a server says of the version of a file.

    Attributes:
        etag: Its entity tag.
        modified: When it last changed, as the server writes it.
        settled: Whether the answer was sent long enough after that for the time to be unique.
    """

    etag: str | None = None
    modified: str | None = None
    settled: bool = False

    @classmethod
    def of(cls, headers: Mapping[str, str]) -> FileVersion:
        """Read it from the headers of an answer."""
        modified, sent = headers.get("last-modified"), headers.get("date")
        changed_at, sent_at = read_http_date(modified), read_http_date(sent)
        settled = bool(changed_at and sent_at and sent_at - changed_at >= _SETTLED)
        return cls(headers.get("etag"), modified if changed_at else None, settled)

    @property
    def tag(self) -> str | None:
        """What `If-Range` may name: it needs a tag, or a date, that no two versions share."""
        if self.etag and not self.etag.startswith("W/"):
            return self.etag
        return self.modified if self.settled else None

    def conditions(self) -> dict[str, str]:
        """Headers of a request that asks for the file only if it has another version."""
        if self.etag:
            return {"If-None-Match": self.etag}
        return {"If-Modified-Since": self.modified} if self.modified else {}

    def is_same(self, other: FileVersion) -> bool:
        """Whether both are of one version; no, if that cannot be told."""
        return self._compare(other) is True

    def differs(self, other: FileVersion) -> bool:
        """Whether they are of two versions; no, if that cannot be told."""
        return self._compare(other) is False

    def _compare(self, other: FileVersion) -> bool | None:
        if self.etag and other.etag:
            return self.etag.removeprefix("W/") == other.etag.removeprefix("W/")
        if self.modified and other.modified:
            return self.modified == other.modified
        return None


def read_http_date(text: str | None) -> dt.datetime | None:
    """The time of a header such as `Last-Modified`, in UTC; None if it is missing or none."""
    try:
        time = parsedate_to_datetime(text or "")
        return time.replace(tzinfo=dt.UTC) if time.tzinfo is None else time.astimezone(dt.UTC)
    except (ValueError, OverflowError):
        return None


@dataclass(frozen=True)
class Digests:
    """Size and hashes of a whole file."""

    size: int
    sha256: str
    md5: str


class KeptFile:
    """One file that is being downloaded.

    Attributes:
        resumed: Bytes that were there before this object was made.

    Args:
        destination: The place of its parts.
        folder: Their hidden folder, used by nothing else.
        url: The address of the file; parts of another one are cleared.
        part: Least bytes of a part, but for the last one before an interruption.
        known: The version that need not come again, if there is one.
    """

    def __init__(
        self,
        destination: Destination,
        folder: str,
        url: str,
        *,
        part: int,
        known: FileVersion | None = None,
    ) -> None:
        self._destination = destination
        self._folder = folder
        self._url = url
        self._part = part
        self._known = known
        self.version = FileVersion()
        self.is_whole = False
        self._total: int | None = None
        self._parts: list[int] = []
        self._buffer = bytearray()
        self._restore()
        self.resumed = self.size

    @property
    def size(self) -> int:
        """Bytes that have come."""
        return sum(self._parts) + len(self._buffer)

    def headers(self) -> dict[str, str]:
        """The headers of the next request: for the rest, or for a version that is not known."""
        asked = {"Accept-Encoding": "identity"}
        if self.is_whole:
            return asked | self.version.conditions()
        if self.size and self.version.tag:
            return asked | {"Range": f"bytes={self.size}-", "If-Range": self.version.tag}
        return asked | (self._known.conditions() if self._known else {})

    def takes(self, status: int, headers: Mapping[str, str]) -> bool:
        """Prepare for the body of an answer; return whether it is to be read.

        Args:
            status: 200, 206, 304 or 416.
            headers: The headers of the answer.

        Raises:
            BrokenAnswer: The answer does not fit to the request; the next try begins anew.
        """
        if status == 304:
            return False
        version = FileVersion.of(headers)
        if status == 200:
            had = self.version if self.is_whole else self._known
            if had is not None and had.is_same(version):
                return False
            self.clear()
            length = headers.get("content-length", "")
            self.version = version
            self._total = int(length) if length.isascii() and length.isdigit() else None
            return True
        found = _RANGE.fullmatch(headers.get("content-range", "")) if status == 206 else None
        size = self.size
        if found is None or self.is_whole or int(found[1]) != size:
            self.clear()
            raise BrokenAnswer(f"asked for what follows byte {size}, it answered {status}")
        total = None if found[3] == "*" else int(found[3])
        is_other = None not in {total, self._total} and total != self._total
        if is_other or version.differs(self.version):
            self.clear()
            raise BrokenAnswer("the file changed between two parts")
        self._total = self._total or total
        return True

    def append(self, chunk: bytes) -> bool:
        """Add bytes; return whether they completed a part."""
        self._buffer += chunk
        if len(self._buffer) < self._part:
            return False
        self._write_part()
        return True

    def finish(self) -> None:
        """Note that nothing more comes.

        Raises:
            BrokenAnswer: More or fewer bytes came than were announced.
        """
        if self._total is not None and self.size != self._total:
            came = self.size
            if came > self._total:
                self.clear()
            raise BrokenAnswer(f"{came} bytes came of {self._total}")
        self.is_whole = True
        self._write_part()

    def keep(self) -> None:
        """Write what has come, if another process could go on with it."""
        if self._buffer and self.version.tag:
            self._write_part()

    def clear(self) -> None:
        """Remove everything."""
        if self._parts:
            self._destination.delete(f"{self._folder}/state.json")
            for number in range(len(self._parts)):
                self._destination.delete(self._part_name(number))
        self.version, self.is_whole, self._total = FileVersion(), False, None
        self._parts = []
        self._buffer = bytearray()

    def write_to(self, path: Path) -> Digests:
        """Put the parts together, part by part.

        Raises:
            BrokenAnswer: A part is missing or has another size than it had.
        """
        sha256, md5 = hashlib.sha256(), hashlib.md5(usedforsecurity=False)
        with path.open("wb") as file:
            for number, size in enumerate(self._parts):
                try:
                    data = self._destination.read(self._part_name(number))
                except FileNotFoundError:
                    data = b""
                if len(data) != size:
                    raise BrokenAnswer(f"{self._part_name(number)} is damaged")
                file.write(data)
                sha256.update(data)
                md5.update(data)
        return Digests(self.size, sha256.hexdigest(), md5.hexdigest())

    def _part_name(self, number: int) -> str:
        return f"{self._folder}/part_{number + 1:04d}"

    def _write_part(self) -> None:
        """Write the buffer as a part, then the state that counts it."""
        if self._buffer:
            self._destination.write(self._part_name(len(self._parts)), bytes(self._buffer))
            self._parts.append(len(self._buffer))
            self._buffer = bytearray()
        state = {
            "url": self._url,
            "version": asdict(self.version),
            "total": self._total,
            "parts": self._parts,
            "whole": self.is_whole,
        }
        text = json.dumps(state, ensure_ascii=False, indent=1)
        self._destination.write(f"{self._folder}/state.json", text.encode() + b"\n")

    def _restore(self) -> None:
        """Take up the parts of an earlier process; what is damaged counts as absent."""
        try:
            state: dict[str, Any] = json.loads(self._destination.read(f"{self._folder}/state.json"))
            if state["url"] != self._url:
                return
            version, parts = FileVersion(**state["version"]), [int(n) for n in state["parts"]]
            total, is_whole = state["total"], bool(state["whole"])
        except (FileNotFoundError, ValueError, KeyError, TypeError):
            return
        # What cannot be told from another version is of no use.
        if version.tag or (is_whole and version.conditions()):
            self.version, self._parts, self._total = version, parts, total
            self.is_whole = is_whole
