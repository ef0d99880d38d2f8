"""Two states that `drug-assets diff` compares: where each lies, and what is new between them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

import polars as pl

from drug_assets import news
from drug_assets.answers.forms import Answer
from drug_assets.cli.common import told_if_damaged
from drug_assets.document.as_tables import read_graph_as_tables
from drug_assets.document.schema import FILE, NAMES_FILE
from drug_assets.errors import DrugAssetsError
from drug_assets.news_report import MOST, Style, describe, list_mentions
from drug_assets.sources import rank_sources
from drug_assets.storage.places import open_object, open_store
from drug_assets.storage.released import NoTableError, ReleasedTables
from drug_assets.storage.releases import RELEASE_DOCUMENT, Release, current_release, open_release
from drug_assets.terms import MentionChange

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from drug_assets.storage.objects import ObjectStore

_RELEASE_ID = re.compile(r"[0-9]{8}T[0-9]{6}\.[0-9]{6}Z-[0-9a-f]{6}")


class NothingThereError(DrugAssetsError):
    """At a location is nothing that can be compared."""


class Side(NamedTuple):
    """One of two states."""

    #: The release, or where it lies.
    name: str
    state: news.State
    #: The version of the rules that it was made by; None if that is not known.
    rules: str | None = None


class Compared(NamedTuple):
    """What is new between two states."""

    #: None if there is no release before the current one.
    old: Side | None
    new: Side
    #: Rows of `contracts.NewMentions`, and of `contracts.ChangedNames`.
    mentions: pl.DataFrame
    names: pl.DataFrame

    def summarize(self, most: int) -> news.News | None:
        """What is new, in figures; None if there is nothing to compare with.

        Args:
            most: how many names and first mentions it has.
        """
        if self.old is None:
            return None
        known = self.old.rules is not None and self.new.rules is not None
        return news.summarize(
            self.mentions.lazy(),
            self.names.lazy(),
            rules_changed=self.old.rules != self.new.rules if known else None,
            most=most,
        )

    def as_answer(self, limit: int | None) -> Answer:
        """What is new, as JSON is written from it.

        Args:
            limit: how many mentions and names are listed at most; None for all.
        """
        most = self.mentions.height + self.names.height if limit is None else limit
        told = self.summarize(most)
        head = {
            "old": None if self.old is None else _identify(self.old),
            "new": _identify(self.new),
            "news": None if told is None else _as_object(told),
        }
        rows = self.mentions if limit is None else self.mentions.head(limit)
        return Answer(head, "mentions", rows)

    def as_lines(self, style: Style, limit: int | None) -> Iterator[str]:
        """What is new, as text.

        Args:
            style: how it is marked up.
            limit: how many of each list are shown; None for all.
        """
        most = self.mentions.height + self.names.height if limit is None else limit
        if self.old is None:
            yield f"There is no release before {style.data(self.new.name)} to compare it with."
            return
        old, new = style.data(self.old.name), style.data(self.new.name)
        yield style.heading(f"What is new in {new} since {old}")
        told = self.summarize(max(most, MOST))
        for sentence in describe(told, style, most):
            yield f"{style.bullet}{sentence}"
        if told is not None and told.rules_changed is None:
            yield f"{style.bullet}Whether the rules changed is not known."
        newest_first = self.mentions.sort(
            *("date", "drug", "drug_id", rank_sources(pl.col("source")), "publication_id"),
            descending=[True, False, False, False, False],
            nulls_last=True,
        )
        for change in MentionChange:
            of_change = newest_first.filter(pl.col("change") == change.value)
            shown = of_change.head(most).iter_rows(named=True)
            yield from list_mentions(change, shown, of_change.height, style)


def _identify(side: Side) -> dict[str, str | None]:
    return {"name": side.name, "rules": side.rules}


def _as_object(told: news.News) -> dict[str, object]:
    """The figures with their names; lists of first mentions stand among the mentions."""
    members = told._asdict()
    del members["firsts"]
    return {
        name: value._asdict() if isinstance(value, news.Names) else value
        for name, value in members.items()
    }


def compare(old: str | None, new: str | None, store: str) -> Compared:
    """Compare two states.

    Args:
        old: a release of the store, or the location of a release, a store or a graph document; None
            for the release before the current one.
        new: the same; None for the current release.
        store: the location of the store.

    Raises:
        NothingThereError: at a location is nothing that can be compared.
        NoReleaseError: there is no such release.
        StorageError: a place cannot be used.
        NotAGraphError: a file is no graph document.
    """
    place = open_store(store)
    after = _open_release(open_release(place)) if new is None else _open(new, place)
    before: Side | None
    if old is None:
        release = _find_release_before(place)
        before = None if release is None else _open_release(release)
    else:
        before = _open(old, place)
    state = None if before is None else before.state
    # Where their rows are read, it is not known any more which of the two is damaged.
    with told_if_damaged(" or ".join(side.name for side in (before, after) if side)):
        mentions = news.find_new_mentions(state, after.state).collect()
        names = news.find_changed_names(state, after.state).collect()
    return Compared(before, after, mentions, names)


def _find_release_before(store: ObjectStore) -> Release | None:
    """The release before the current one, among those that are kept."""
    pointer = store.pointer()
    earlier = [id_ for id_ in pointer.releases if id_ < pointer.release] if pointer else []
    return Release(store, earlier[-1]) if earlier else None


def _open(location: str, store: ObjectStore) -> Side:
    """A release of the store, or what lies at a location."""
    if _RELEASE_ID.fullmatch(location):
        return _open_release(open_release(store, location))
    try:
        if location.endswith((".json", ".parquet")):
            place, name = open_object(location)
            if name.endswith(".json"):
                return _open_graph(place, name, location)
            return _open_release(Release(place, ""), location)
        place = open_store(location, must_exist=True)
        release = Release(place, "")
        if not any(found.name == RELEASE_DOCUMENT for found in place.objects(RELEASE_DOCUMENT)):
            release = current_release(place) or release
        return _open_release(release, location)
    except FileNotFoundError as error:
        raise NothingThereError(
            f"{location} is no release, no store and no graph document"
        ) from error


def _open_release(release: Release, location: str | None = None) -> Side:
    """A release, from its tables, or, if it has none, from its graph document."""
    tables = ReleasedTables(release)
    rules = release.read_summary().get("rules")
    shown = location or release.id
    with told_if_damaged(shown):
        try:
            state = news.State.of(tables.table("mentions"), tables.table("drugs"))
        except (NoTableError, pl.exceptions.ColumnNotFoundError):
            return _open_graph(
                release.store, release.name(FILE), shown, release.name(NAMES_FILE), rules
            )
    return Side(shown, state, rules)


def _open_graph(
    place: ObjectStore,
    name: str,
    shown: str,
    names: str = NAMES_FILE,
    rules: str | None = None,
) -> Side:
    """A graph document, with the document of names beside it, if there is one.

    Args:
        place: where it lies.
        name: its name there.
        shown: how it is named to people.
        names: the name of the document of names.
        rules: the version of the rules that it was made by, if that is known.
    """
    copy = place.local_copy(name)
    beside: Path | None
    try:
        beside = place.local_copy(names)
    except FileNotFoundError:
        beside = None
    return Side(shown, news.State.of(*read_graph_as_tables(copy, beside)), rules)
