"""Identities of the bytes of landed files, remembered from run to run.

A bucket lists the identity of each object; a local file must be read and hashed. A local file is
not hashed again if its size, times and inode are unchanged since the last run.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from drug_assets.storage.kept import FOLDER
from drug_assets.storage.kept.whole import ignore
from drug_assets.storage.objects import write_text

if TYPE_CHECKING:
    from collections.abc import Mapping

    from drug_assets.storage.kept.whole import Warn
    from drug_assets.storage.objects import ObjectStore, StoredObject

_REMEMBERED = f"{FOLDER}content_ids.json"


@dataclass
class ContentIds:
    """The identities of the bytes of files in a landing zone."""

    zone: ObjectStore
    #: By name of a file, its state on the disk and the identity of its bytes, from the last run.
    remembered: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    #: Whether what the last run kept cannot be read.
    is_damaged: bool = False
    #: The same as `remembered`, from this run.
    _current: dict[str, tuple[str, str]] = field(default_factory=dict)

    @classmethod
    def of(cls, zone: ObjectStore, store: ObjectStore, warn: Warn = ignore) -> ContentIds:
        """The identities for a landing zone, with those that its last run kept in the store.

        Args:
            zone: the landing zone.
            store: the store.
            warn: is told if what was kept is damaged; then all files are hashed.
        """
        try:
            zones = json.loads(store.read(_REMEMBERED))
            remembered = {
                name: (str(state), str(id_))
                for name, (state, id_) in zones.get(zone.uri(), {}).items()
            }
        except FileNotFoundError:
            return cls(zone)
        except (ValueError, TypeError, AttributeError):
            warn(f"{store.uri(_REMEMBERED)} is damaged: all landed files are hashed again")
            return cls(zone, is_damaged=True)
        return cls(zone, remembered)

    def content_id(self, found: StoredObject) -> str:
        """The identity of a file's bytes; see `ObjectStore.content_id`.

        Raises:
            OSError: the file cannot be read.
        """
        remembered, content = self.remembered.get(found.name, ("", ""))
        is_settled = True
        if found.state != remembered:
            is_settled = found.is_settled()  # asked before it is read
            content = self.zone.content_id(found)
        if found.content is None and is_settled:
            self._current[found.name] = (found.state, content)
        return content

    def remember(self, store: ObjectStore) -> None:
        """Keep the identities that this run asked for, and no others, for the next run."""
        if self._current == self.remembered and not self.is_damaged:
            return
        document = {self.zone.uri(): dict(sorted(self._current.items()))}
        write_text(store, _REMEMBERED, json.dumps(document, indent=0))
