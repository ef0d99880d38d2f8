"""The workspace of a store: outputs of runs that make only some of them, and release nothing.

Each output has a note of its origin there: the state of the landing zone and the rules that it was
made from, and the identity of its bytes. So a later run, or a release, knows which outputs belong
together, and that none is damaged. Checks leave a note of the bytes that they looked at. A run that
makes everything ignores the workspace.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

from drug_assets.errors import DrugAssetsError
from drug_assets.storage.kept.whole import ignore
from drug_assets.storage.objects import identify, write_text
from drug_assets.storage.staging import WORKSPACE
from drug_assets.wording import shorten

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from drug_assets.storage.kept.whole import Warn
    from drug_assets.storage.objects import ObjectStore, StoredObject
    from drug_assets.storage.releases import Release

_NOTES = f"{WORKSPACE}.notes/"
_CHECKS = f"{_NOTES}checks/"
_NAMES_SHOWN = 5


class Origin(NamedTuple):
    """What an output was made from."""

    #: The fingerprint of the landing zone.
    landing: str
    #: The version of everything that determines the outputs besides the landed files.
    rules: str


class NotReleasableError(DrugAssetsError):
    """The outputs of the workspace are not a release; the message says what is missing."""


@dataclass(frozen=True)
class Workspace:
    """The workspace, as a run sees it that wants outputs of one origin."""

    store: ObjectStore
    #: The current release, which has the outputs that the workspace does not have.
    release: Release | None
    #: The landing zone and the rules as they are now.
    now: Origin
    #: Is told of outputs that are damaged.
    warn: Warn = ignore

    def find(self, output: str) -> StoredObject | None:
        """The object of an output in the workspace, if it was made from what is there now.

        An output whose bytes are not those that were noted counts as absent, and so does one that
        lacks a file beside it.
        """
        if self.origin_here(output) != self.now:
            return None
        found = self._find_object(output)
        if found is None:
            return None
        note = self._note_of(output)
        if note.get("content") != identify(self.store, found):
            self.warn(f"{self.store.uri(found.name)} is not what was written there: it is not used")
            return None
        if not all(self.find(name) for name in note.get("beside", ())):
            return None
        return found

    def origin_here(self, output: str) -> Origin | None:
        """The origin of an output in the workspace; None without one, or if its inputs differed."""
        return _read_origin(self._note_of(output).get("origin"))

    def _find_object(self, output: str) -> StoredObject | None:
        name = f"{WORKSPACE}{output}"
        return next((found for found in self.store.objects(name) if found.name == name), None)

    def _note_of(self, output: str) -> Mapping[str, Any]:
        return self._read_note(f"{_NOTES}{output}.json")

    def _read_note(self, name: str) -> Mapping[str, Any]:
        """A note; empty if it is missing or damaged."""
        try:
            note = json.loads(self.store.read(name))
        except FileNotFoundError:
            return {}
        except ValueError:
            note = None
        if isinstance(note, dict):
            return note
        self.warn(f"{self.store.uri(name)} is damaged: it counts as absent")
        return {}

    def origin(self, output: str) -> Origin | None:
        """The origin of an output as this run reads it."""
        if self.find(output):
            return self.now
        if self.release is None:
            return None
        summary = self.release.read_summary()
        return _read_origin([summary.get("landing", {}).get("fingerprint"), summary.get("rules")])

    def note_output(
        self, output: str, origins: Iterable[Origin | None], beside: Sequence[str] = ()
    ) -> None:
        """Note that an output was made from inputs of these origins.

        Args:
            output: name of its file.
            origins: the origin of every input.
            beside: names of further files that belong to it.
        """
        distinct = set(origins)
        origin = distinct.pop() if len(distinct) == 1 else None
        for name, others in (*((name, ()) for name in beside), (output, beside)):
            found = self._find_object(name)
            content = identify(self.store, found) if found else None
            note = {"origin": origin, "content": content, "beside": others}
            write_text(self.store, f"{_NOTES}{name}.json", json.dumps(note))

    def note_check(self, check: str, outputs: Iterable[str], *, passed: bool) -> None:
        """Note the result of a check, and the bytes that it looked at.

        Args:
            check: name of the check, with its asset.
            outputs: names of the files that it looked at.
            passed: whether it passed.
        """
        looked_at = {output: self._identity(output) for output in outputs}
        note = {"passed": passed, "outputs": looked_at}
        write_text(self.store, f"{_CHECKS}{check}.json", json.dumps(note))

    def require_releasable(
        self, outputs: Iterable[str], checks: Mapping[str, Iterable[str]]
    ) -> None:
        """Raise unless the workspace holds everything, of one origin, and checked.

        Args:
            outputs: names of the files of a release.
            checks: by blocking check, the files that it looks at.

        Raises:
            NotReleasableError: something is missing, or was made from something else, or was not
                checked; the message names it.
        """
        here = {output: self._identity(output) for output in outputs}
        absent = [name.partition(".")[0] for name, identity in here.items() if identity is None]
        if absent:
            raise NotReleasableError(
                f"nothing was released: {shorten(absent, most=_NAMES_SHOWN)} "
                f"{'was' if len(absent) == 1 else 'were'} not made from the landing zone and the "
                "rules as they are now. Materialize everything, or run the job drug_mentions"
            )
        unchecked = []
        for check, looked_at in checks.items():
            note = self._read_note(f"{_CHECKS}{check}.json")
            same = note.get("outputs") == {output: here[output] for output in looked_at}
            if not (same and note.get("passed") is True):
                unchecked.append(check)
        if unchecked:
            raise NotReleasableError(
                f"nothing was released: {shorten(unchecked, most=_NAMES_SHOWN)} did not pass on "
                "these very outputs. Run these checks again, or materialize everything"
            )

    def _identity(self, output: str) -> str | None:
        found = self.find(output)
        return identify(self.store, found) if found else None


def _read_origin(values: Any) -> Origin | None:
    try:
        landing, rules = values
    except (TypeError, ValueError):
        return None
    return Origin(landing, rules) if landing and rules else None
