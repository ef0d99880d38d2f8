"""The files of a release that are served: the explorer and the documents, each compressed once.

A compressed copy lies in the folder of this process, so that a client that asks for a file of a
hundred megabytes again and again costs no more than reading it.
"""

from __future__ import annotations

import gzip
import shutil
import tempfile
import threading
import weakref
from dataclasses import dataclass
from pathlib import Path

from drug_assets.documents import DOCUMENTS
from drug_assets.storage.releases import RELEASE_DOCUMENT
from drug_assets.storage.temporary import make_process_folder

#: A higher level costs four times the time for a tenth of the size.
_LEVEL = 4
_CHUNK_BYTES = 1024**2

_MEDIA_TYPES = {
    ".csv": "text/csv; charset=utf-8",
    ".graphml": "application/xml",
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".json": "application/json",
    ".xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}
#: Endings of files that are compressed by themselves.
_PACKED = (".xlsx", ".gz")


@dataclass(frozen=True)
class ServedFile:
    """A file of a release, as it is sent."""

    path: Path
    media_type: str
    #: `gzip`, or None for the bytes as they are.
    encoding: str | None


def is_served(name: str) -> bool:
    """Whether a file of a release is served, if there is one: documents and what is beside them."""
    if name in {RELEASE_DOCUMENT, *(document.file for document in DOCUMENTS.values())}:
        return True
    folder, _, file = name.partition("/")
    folders = {document.folder for document in DOCUMENTS.values() if document.folder}
    return folder in folders and bool(file) and "/" not in file


class Files:
    """The files of one release. Safe for threads; its compressed copies go when it goes."""

    def __init__(self) -> None:
        self._packed: dict[str, Path] = {}
        self._lock = threading.Lock()
        self._folder = Path(tempfile.mkdtemp(dir=make_process_folder()))
        weakref.finalize(self, shutil.rmtree, self._folder, ignore_errors=True)

    def find(self, name: str, path: Path, *, compressed: bool) -> ServedFile:
        """A file of the release, as it is sent.

        Args:
            name: its name below the release; `is_served` says which there may be.
            path: a local file with its bytes.
            compressed: whether the client takes it compressed.
        """
        media_type = _MEDIA_TYPES.get(Path(name).suffix, "application/octet-stream")
        if not compressed or name.endswith(_PACKED):
            return ServedFile(path, media_type, None)
        with self._lock:
            if name not in self._packed:
                self._packed[name] = self._pack(path, len(self._packed))
        return ServedFile(self._packed[name], media_type, "gzip")

    def _pack(self, path: Path, number: int) -> Path:
        """A compressed copy of a file."""
        copy = self._folder / f"{number}.gz"
        with path.open("rb") as source, gzip.open(copy, "wb", compresslevel=_LEVEL) as target:
            shutil.copyfileobj(source, target, _CHUNK_BYTES)
        return copy
