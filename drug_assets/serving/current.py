"""The release that is served: the current one of a store, and what is kept of it in memory."""

from __future__ import annotations

import logging
import threading
import time
import weakref
from collections import OrderedDict, defaultdict
from typing import TYPE_CHECKING

from drug_assets.document import questions
from drug_assets.document.schema import FILE, NAMES_FILE
from drug_assets.errors import DrugAssetsError
from drug_assets.serving.files import Files, is_served
from drug_assets.storage import copies
from drug_assets.storage.released import ReleasedTables
from drug_assets.storage.releases import RELEASE_DOCUMENT, open_release

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from drug_assets.serving.files import ServedFile
    from drug_assets.storage.objects import ObjectStore
    from drug_assets.storage.releases import Release

#: How long a release is served without looking whether it is still the current one.
_SECONDS = 1.0
#: Limit on the answers that are kept.
_KEPT_BYTES = 32 * 1024**2
_BYTES_OF_ENTRY = 500
#: How long a request waits for a look at the store; then the release before is answered from.
_LOOK_SECONDS = 0.2

_log = logging.getLogger(__name__)


class Answers:
    """Answers that were given, the last ones, up to a number of bytes. Safe for threads."""

    def __init__(self, most_bytes: int = _KEPT_BYTES) -> None:
        self._most = most_bytes
        self._bytes = 0
        self._kept: OrderedDict[object, bytes] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, key: object) -> bytes | None:
        """The answer to a question, if it is kept."""
        with self._lock:
            answer = self._kept.get(key)
            if answer is not None:
                self._kept.move_to_end(key)
            return answer

    def keep(self, key: object, answer: bytes) -> None:
        """Keep an answer, and let go of the oldest ones that no longer have room."""
        with self._lock:
            if dropped := self._kept.pop(key, None):
                self._bytes -= _count_bytes(key, dropped)
            self._kept[key] = answer
            self._bytes += _count_bytes(key, answer)
            while self._bytes > self._most:
                oldest, dropped = self._kept.popitem(last=False)
                self._bytes -= _count_bytes(oldest, dropped)


def _count_bytes(key: object, answer: bytes) -> int:
    """About what an answer takes, with the question and the places of both in a dictionary."""
    return len(answer) + len(repr(key)) + _BYTES_OF_ENTRY


class _Copies:
    """Local files with the bytes of the files of a release. Safe for threads.

    Copies of what lies elsewhere go when this goes: a server may run for months.
    """

    def __init__(self, release: Release) -> None:
        self._release = release
        self._found: dict[str, Path] = {}
        #: One for each name: nobody waits for the copy of another file.
        self._locks: defaultdict[str, threading.Lock] = defaultdict(threading.Lock)
        weakref.finalize(self, _remove_copies, self._found)

    def find(self, name: str) -> Path:
        """The local file of a file of the release; it is looked for once.

        Raises:
            FileNotFoundError: the release has no such file.
        """
        with self._locks[name]:
            if name not in self._found:
                self._found[name] = self._release.store.local_copy(self._release.name(name))
            return self._found[name]


def _remove_copies(found: Mapping[str, Path]) -> None:
    for path in found.values():
        copies.discard(path)


class ServedRelease:
    """A release that is served. It never changes, so what was copied or computed of it holds."""

    def __init__(self, release: Release) -> None:
        self.release = release
        self.answers = Answers()
        #: What was answered to questions about what there is not.
        self.refusals = Answers(_KEPT_BYTES // 8)
        self._names = _list_files(release)
        self._files = Files()
        self._copies = _Copies(release)
        self._indexes: dict[bool, questions.Index] = {}
        self._lock = threading.Lock()
        self.tables = ReleasedTables(release, self._copies.find)

    def find_file(self, name: str, *, compressed: bool) -> ServedFile:
        """A file of the release, as it is sent.

        Args:
            name: its name below the release.
            compressed: whether the client takes it compressed.

        Raises:
            FileNotFoundError: the release has no such file.
        """
        if name not in self._names:
            raise FileNotFoundError(name)
        return self._files.find(name, self._copies.find(name), compressed=compressed)

    def graph(self) -> Path:
        """A local file with the graph document.

        Raises:
            FileNotFoundError: the release has none.
        """
        return self._copies.find(FILE)

    def find_names(self) -> Path | None:
        """A local file with the document of names; None in releases of earlier versions."""
        try:
            return self._copies.find(NAMES_FILE)
        except FileNotFoundError:
            return None

    def index(self, *, with_trial_results: bool) -> questions.Index:
        """The index of the graph document, which is read once.

        Args:
            with_trial_results: as of `document.questions.Index`.
        """
        graph = self.graph()
        with self._lock:
            if with_trial_results not in self._indexes:
                self._indexes[with_trial_results] = questions.Index(
                    graph, self.find_names, with_trial_results=with_trial_results
                )
            return self._indexes[with_trial_results]


def _list_files(release: Release) -> frozenset[str]:
    """The names of the files of a release that are served."""
    listed = {RELEASE_DOCUMENT, *release.read_summary().get("files", {})}
    return frozenset(filter(is_served, listed))


class CurrentRelease:
    """The current release of a store; a new one is noticed within a second. Safe for threads."""

    def __init__(self, store: ObjectStore, now: Callable[[], float] = time.monotonic) -> None:
        """Serve a store.

        Args:
            store: the store.
            now: a clock, in seconds.
        """
        self.store = store
        self._now = now
        self._served: ServedRelease | None = None
        self._looked_at = 0.0
        self._lock = threading.Lock()

    def peek(self) -> ServedRelease | None:
        """The release to answer from, if it need not be looked for; at once, in any thread."""
        served = self._served
        return served if self._now() - self._looked_at < _SECONDS else None

    def get(self) -> ServedRelease:
        """The release to answer from.

        A store that is slow, or cannot be reached for a while, does no harm: meanwhile, what was
        served is served on.

        Raises:
            NoReleaseError: there is no release yet.
            StorageError: the store cannot be read, and no release was served before.
        """
        if self._served is None:
            with self._lock:
                return self._served or self._look()
        if self.peek() is None and self._lock.acquire(blocking=False):
            looking = threading.Thread(target=self._look_again, daemon=True)
            looking.start()
            looking.join(_LOOK_SECONDS)
        return self._served

    def _look_again(self) -> None:
        """Look for another release; called with the lock, which it gives back."""
        try:
            self._look()
        except (DrugAssetsError, OSError) as error:
            _log.warning("what was served is served on: %s", error)
        finally:
            self._looked_at = self._now()
            self._lock.release()

    def _look(self) -> ServedRelease:
        release = open_release(self.store)
        if self._served is None or self._served.release.id != release.id:
            self._served = ServedRelease(release)
        self._looked_at = self._now()
        return self._served
