"""The release that a new one is compared with, to say what is new (SPEC 10).

A release is compared with the one that is current before it. If that was made from the same landing
zone by the same rules, nothing can be new: then it says of itself what that one says, so that a run
over an unchanged landing zone makes the same bytes. Which differences count belongs to `news`.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import polars as pl

from drug_assets.sources.tables import TABLES
from drug_assets.storage.kept.whole import ignore
from drug_assets.storage.objects import identify
from drug_assets.storage.workspace import Origin

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from drug_assets.storage.kept.whole import Warn
    from drug_assets.storage.objects import StoredObject
    from drug_assets.storage.releases import Release

#: The member of `release.json` that says what a release was compared with.
COMPARED_WITH = "compared_with"
#: The tables that are compared, with the columns that no version may lack.
COMPARED: Mapping[str, tuple[str, ...]] = {
    "mentions": ("drug_id", "source", "publication_id", "drug", "title"),
    "drugs": ("drug_id", "drug"),
}
#: The tables that say what is new.
NEWS = tuple(name for name, table in TABLES.items() if table.tells_news)


@dataclass(frozen=True)
class Comparison:
    """What a release is compared with."""

    #: The landing zone and the rules that the other release was made from, empty where they are not
    #: known; None if there is nothing to compare with.
    origin: Origin | None = None
    #: The release whose tables are compared or, if it was made from the same, taken over.
    release: Release | None = None
    #: Whether what is new is taken over from that release as it is.
    is_taken_over: bool = False

    def to_document(self) -> dict[str, str] | None:
        """What it is compared with, for `release.json`: no id, so that bytes depend on no time."""
        return None if self.origin is None else dict(self.origin._asdict())

    def rules_changed(self, rules: str) -> bool | None:
        """Whether other rules than these made the other release; None if that is not known."""
        if self.origin is None or not self.origin.rules:
            return None
        return self.origin.rules != rules


def compare(base: Release | None, now: Origin, warn: Warn = ignore) -> Comparison:
    """What a release is compared with.

    Args:
        base: the release that is current before it; None for the first.
        now: what it is made from itself.
        warn: is told of tables of the base that are damaged: they count as absent, and there is
            nothing to compare with.
    """
    if base is None:
        return Comparison()
    summary = base.read_summary()
    of_base = Origin(
        str(summary.get("landing", {}).get("fingerprint") or ""), str(summary.get("rules") or "")
    )
    if of_base == now:
        if not _are_whole(base, summary, NEWS, warn):
            return Comparison()
        return Comparison(read_comparison(summary), base, is_taken_over=True)
    if not _are_whole(base, summary, COMPARED, warn):
        return Comparison()
    return Comparison(of_base, base)


def read_comparison(summary: Mapping[str, Any]) -> Origin | None:
    """What a release was compared with, as its `release.json` says; None if with nothing."""
    noted = summary.get(COMPARED_WITH)
    if not isinstance(noted, dict):
        return None
    return Origin(str(noted.get("landing") or ""), str(noted.get("rules") or ""))


def _are_whole(
    base: Release, summary: Mapping[str, Any], tables: Iterable[str], warn: Warn
) -> bool:
    """Whether tables of a release are there, with the bytes that were noted of them."""
    for table in tables:
        name = base.name(f"{table}.parquet")
        found = find_intact(base, summary, f"{table}.parquet")
        if found is None:
            is_there = any(each.name == name for each in base.store.objects(name))
            what = "is damaged" if is_there else "is missing"
            warn(f"{base.store.uri(name)} {what}, and counts as absent: what is new cannot be told")
            return False
        columns = pl.read_parquet_schema(base.store.local_copy(name, found.version))
        if missing := [c for c in COMPARED.get(table, ()) if c not in columns]:
            warn(
                f"{base.store.uri(name)} is of an earlier version, and has no column "
                f"{', '.join(missing)}: what is new cannot be told"
            )
            return False
    return True


def find_intact(base: Release, summary: Mapping[str, Any], file: str) -> StoredObject | None:
    """A file of a release, if it has the bytes that were noted of it.

    Args:
        base: the release.
        summary: its `release.json`.
        file: name of the file.
    """
    name = base.name(file)
    found = next((each for each in base.store.objects(name) if each.name == name), None)
    digest = summary.get("files", {}).get(file, {}).get("sha256")
    return found if found and _has_bytes(base, found, digest) else None


def _has_bytes(base: Release, found: StoredObject, digest: str | None) -> bool:
    """Whether an object of a release has the bytes that `release.json` notes.

    Args:
        base: the release.
        found: the object.
        digest: the noted SHA-256 of its bytes; None, which no object has, if none is noted.
    """
    store = base.store
    if store.has_locks:  # a folder identifies bytes by the same hash, and remembers it
        return identify(store, found) == digest
    with store.local_copy(found.name, found.version).open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest() == digest
