"""What identifies the bytes of landed files, remembered from run to run.

A bucket lists it; of a local file all bytes must be read. A file that lies as it lay when that was
done last, by its size, its times and its place on the disk, is not read again.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from drug_assets.storage.objects import ObjectStore, StoredObject

_REMEMBERED = ".content_ids.json"
#: A file that was written less than this before it was read is not remembered: it may be written
#: again within one tick of its disk's clock, and then its times would not tell.
_SETTLED = timedelta(seconds=2)


@dataclass
class ContentIds:
    """The identities of the bytes of files in a landing zone."""

    zone: ObjectStore
    #: By a file's name, how it lay and the identity of its bytes.
    remembered: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    _read: dict[str, tuple[str, str]] = field(default_factory=dict)

    @classmethod
    def of(cls, zone: ObjectStore, store: ObjectStore) -> ContentIds:
        """With what the store remembers of the zone."""
        try:
            remembered = json.loads(store.read(_REMEMBERED))[zone.uri()]
            return cls(zone, {name: (lay, content) for name, (lay, content) in remembered.items()})
        except (FileNotFoundError, ValueError, TypeError, LookupError, AttributeError):
            return cls(zone)  # of no zone, of another one, or damaged: all files are read

    def content_id(self, found: StoredObject) -> str:
        """The identity of a file's bytes; see `ObjectStore.content_id`."""
        lies = f"{found.size_bytes}-{found.version}"
        lay, content = self.remembered.get(found.name, ("", ""))
        if lies != lay:
            settled = datetime.now(tz=UTC) - found.written_at > _SETTLED
            content = self.zone.content_id(found)
            lies = lies if settled else ""
        if found.content is None and lies:
            self._read[found.name] = (lies, content)
        return content

    def remember(self, store: ObjectStore) -> None:
        """Keep what was asked for, and nothing else, for the next run."""
        if self._read == self.remembered:
            return
        scratch = store.scratch(_REMEMBERED)
        document = {self.zone.uri(): dict(sorted(self._read.items()))}
        scratch.write_text(json.dumps(document, indent=0), encoding="utf-8")
        store.put(scratch, _REMEMBERED)
