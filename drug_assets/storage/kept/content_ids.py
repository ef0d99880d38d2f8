"""Identities of the bytes of landed files, remembered from run to run.

A bucket lists the identity of each object; a local file must be read and hashed. A local file is
not hashed again if its size, times and inode are unchanged since the last run.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from drug_assets.storage.kept import FOLDER

if TYPE_CHECKING:
    from collections.abc import Mapping

    from drug_assets.storage.objects import ObjectStore, StoredObject

_REMEMBERED = f"{FOLDER}content_ids.json"
#: A file that was read less than this after it was written is not remembered: it could be written
#: again within the same tick of the file system's clock, and its times would not change.
_SETTLED = timedelta(seconds=2)


@dataclass
class ContentIds:
    """The identities of the bytes of files in a landing zone."""

    zone: ObjectStore
    #: By name of a file, its state on the disk and the identity of its bytes, from the last run.
    remembered: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    #: The same, from this run.
    _current: dict[str, tuple[str, str]] = field(default_factory=dict)

    @classmethod
    def of(cls, zone: ObjectStore, store: ObjectStore) -> ContentIds:
        """The identities for a landing zone, with those that its last run kept in the store."""
        try:
            remembered = json.loads(store.read(_REMEMBERED))[zone.uri()]
            return cls(zone, {name: (state, id_) for name, (state, id_) in remembered.items()})
        except (FileNotFoundError, ValueError, TypeError, LookupError, AttributeError):
            return cls(zone)  # missing, of another zone, or damaged: all files are hashed

    def content_id(self, found: StoredObject) -> str:
        """The identity of a file's bytes; see `ObjectStore.content_id`."""
        state = f"{found.size_bytes}-{found.version}"
        remembered, content = self.remembered.get(found.name, ("", ""))
        if state != remembered:
            settled = datetime.now(tz=UTC) - found.written_at > _SETTLED
            content = self.zone.content_id(found)
            state = state if settled else ""
        if found.content is None and state:
            self._current[found.name] = (state, content)
        return content

    def remember(self, store: ObjectStore) -> None:
        """Keep the identities that this run asked for, and no others, for the next run."""
        if self._current == self.remembered:
            return
        scratch = store.scratch(_REMEMBERED)
        document = {self.zone.uri(): dict(sorted(self._current.items()))}
        scratch.write_text(json.dumps(document, indent=0), encoding="utf-8")
        store.put(scratch, _REMEMBERED)
