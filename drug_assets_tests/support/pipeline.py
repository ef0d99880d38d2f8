"""The whole path from landed files to the graph, in this process and without Dagster.

A run of everything takes seconds (`runs`), this a fraction of one. Raw rows and records pass
through the parts of a store, as in the product; the tables after them are frames. Each table is
held to its contract, and raw = kept + merged + rejected is checked for each source.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl

from drug_assets import audit, graph, mentions, sources
from drug_assets.cleaning.drugs import clean_drugs
from drug_assets.cleaning.publications import clean_publications, collect_journals
from drug_assets.cleaning.rejected import collect_rejected
from drug_assets.cleaning.stop_list import read_stop_list
from drug_assets.engines.local import LocalMachine
from drug_assets.sources.tables import TABLES
from drug_assets.storage.kept.by_file import Recipe, make_parts
from drug_assets.storage.landing import UnreadableFilesError, read_landing_zone
from drug_assets.storage.objects import LocalFolder
from drug_assets_tests.support.raw import held_to

if TYPE_CHECKING:
    from collections.abc import Sequence

Row = dict[str, Any]


@dataclass(frozen=True)
class Made:
    """What was made of a landing zone."""

    #: The problems of the files that stop a run; then there are no tables.
    refused: Sequence[str] = ()
    #: Every table by name.
    tables: dict[str, pl.DataFrame] = field(default_factory=dict)

    def rows(self, table: str) -> list[Row]:
        """The rows of a table; no file may have been refused."""
        assert not self.refused, self.refused
        return self.tables[table].to_dicts()


def make_all(landing: Path, store: Path) -> Made:
    """Make every table of a landing zone.

    Args:
        landing: the landing zone.
        store: a folder for the parts.

    Raises:
        AssertionError: a table breaks its contract, or a row is lost.
    """
    zone, kept_in, engine = LocalFolder(landing), LocalFolder(store), LocalMachine()
    try:
        landed = read_landing_zone(zone, kept_in, engine)
    except UnreadableFilesError as error:
        return Made(refused=error.problems)
    tables = {"landed_files": landed.files}

    def add(name: str, rows: pl.LazyFrame) -> pl.LazyFrame:
        tables[name] = held_to(TABLES[name].contract, rows).rechunk()
        return tables[name].lazy()

    raw, records = {}, {}
    for source in sources.ALL:
        name, of = f"{source.name}_records", f"raw_{source.name}"
        raw[source.name] = add(of, landed.raw[source.name].rows(kept_in))
        recipe = Recipe(of=of, make=source.clean_records)
        parts = make_parts(name, recipe, landed.raw[source.name], kept_in, engine)
        records[source.name] = add(name, parts.rows(kept_in))
    own_stop_list = read_stop_list(None, lambda path: Path(path).read_bytes())
    cleaned_drugs = clean_drugs(records[sources.DRUGS.name], own_stop_list)
    drugs = add("drugs", cleaned_drugs.kept)
    add("drug_names", cleaned_drugs.names)
    add("merged_drugs", cleaned_drugs.merged)
    journals = add("journals", collect_journals([records[s.name] for s in sources.PUBLICATIONS]))
    vocabulary = mentions.Vocabulary.of(mentions.list_searched_names(drugs).collect())
    publications, named, merged = {}, {}, {}
    for publication in sources.PUBLICATIONS:
        name = publication.name
        cleaned = clean_publications(publication, records[name], journals)
        publications[name] = add(name, cleaned.kept)
        merged[name] = add(f"merged_{name}", cleaned.merged)
        found = mentions.find_drugs_named(records[name], vocabulary, publication.titles)
        named[name] = add(f"{name}_drugs_named", found)
    add("rejected_records", collect_rejected(raw, records))
    titles = {source.name: source.titles for source in sources.PUBLICATIONS}
    found = add("mentions", mentions.join_mentions(publications, named, drugs, titles, merged))
    journal_drugs = add("journal_drugs", graph.count_journal_drugs(found))
    add("top_journal", graph.find_top_journals(journal_drugs))
    add("atc_classes", graph.count_atc_classes(drugs, found, records[sources.DRUGS.name]))
    made = Made(tables=tables)
    check_nothing_is_lost(made)
    return made


def check_nothing_is_lost(made: Made) -> None:
    """Hold the tables to the blocking checks of rows and of spans.

    Raises:
        AssertionError: a row is lost or counted twice, or a span is wrong.
    """
    tables = {name: rows.lazy() for name, rows in made.tables.items()}
    for source in sources.ALL:
        name = source.name
        rejected = tables["rejected_records"].filter(pl.col("source") == name)
        of_source = (tables[f"raw_{name}"], tables[name], tables[f"merged_{name}"], rejected)
        found = audit.nothing_lost(*of_source)
        assert found.passed, f"{name}: {found.summary}"
    found = audit.spans_spell_their_drug(tables["mentions"], tables["drugs"])
    assert found.passed, found.summary
