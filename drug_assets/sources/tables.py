"""Every table by name, in the order of the pipeline: per source, and of all sources together.

This module declares the properties of a table that are not in its contract: its layer, whether it
is kept by file, whether a warehouse has it, whether it depends on another release, its clustering.
The tables are derived from the registry of sources, so a new source gets its tables automatically.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from functools import reduce
from operator import add
from types import new_class
from typing import TYPE_CHECKING, TypeAlias

import dataframely as dy
import polars as pl

from drug_assets import contracts, sources
from drug_assets.cleaning.rejected import first_reason
from drug_assets.terms import (
    ListChange,
    MentionChange,
    MergeRule,
    RejectReason,
    TrialPublicationKind,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from drug_assets.contracts import Contract

_Figures: TypeAlias = "dict[str, pl.Expr]"

#: BigQuery's limit.
_MOST_CLUSTERING_COLUMNS = 4


class Layer(StrEnum):
    """The stage of the pipeline that makes a table."""

    RAW = "raw"
    CLEAN = "clean"
    MENTIONS = "mentions"
    PUBLISHED = "published"


@dataclass(frozen=True)
class Table:
    """One table."""

    name: str
    contract: Contract
    layer: Layer
    #: Whether each row depends on one landed file (and the names to search for) only.
    by_file: bool = False
    #: Whether a warehouse has it; other tables are internal to the pipeline.
    published: bool = True
    #: Columns that people filter and join by, the most selective first; by default the primary key.
    clustered_by: tuple[str, ...] = ()
    #: Whether it says what is new since the release before: then it depends on that one, too.
    tells_news: bool = False
    #: The date column by which a warehouse partitions it, if there is one.
    partitioned_by: str | None = None
    #: Numbers that people follow from run to run, besides the rows. The names stay the same; each
    #: expression over the rows gives one number. Tables kept by file have none.
    figures: Mapping[str, pl.Expr] = field(default_factory=dict, compare=False)

    @property
    def clustering(self) -> tuple[str, ...]:
        """The columns that it is clustered by in a warehouse."""
        return (self.clustered_by or tuple(self.contract.primary_key()))[:_MOST_CLUSTERING_COLUMNS]


def _extend(
    name: str, bases: tuple[Contract, ...], description: str, **members: object
) -> Contract:
    """A contract with further columns and rules."""
    namespace = {"__doc__": description, "__module__": __name__, **members}
    return new_class(name, bases, exec_body=lambda body: body.update(namespace))


def _with_known_sources(contract: Contract, names: list[str], column: str = "source") -> Contract:
    """The contract, with the rule that a column of sources has one of these names."""
    description = f"{contract.columns()[column].description} One of {', '.join(names)}."
    key = dy.String(primary_key=True, description=description)

    def source_is_known(cls: Contract) -> pl.Expr:  # noqa: ARG001 - rules are class methods
        """The source is one of the known names."""
        return pl.col(column).is_in(names)

    # All columns are passed again, which keeps their order.
    members = {
        **contract.columns(),
        column: key,
        f"{column}_is_known": dy.rule()(source_is_known),
    }
    return _extend(contract.__name__, (contract,), contract.__doc__ or "", **members)


def name_mention_counts() -> Mapping[str, str]:
    """The columns of `journal_drugs` that count mentions, by name of the source."""
    return {s.name: f"{s.document_type}_mentions" for s in sources.PUBLICATIONS}


def name_retraction_counts() -> Mapping[str, tuple[str, str]]:
    """The columns of `journal_drugs` that count mentions by retraction, by name of the source.

    The first of the two counts mentions of retracted publications, the second those of publications
    of which no record says. Sources whose publications cannot be retracted have none.
    """
    return {
        s.name: (f"retracted_{s.document_type}_mentions", f"unknown_{s.document_type}_mentions")
        for s in sources.PUBLICATIONS
        if s.can_be_retracted
    }


def _make_journal_drugs() -> Contract:
    counts = {
        column: dy.Int64(min=0, description=f"{source.publications} that name the drug.")
        for source, column in zip(sources.PUBLICATIONS, name_mention_counts().values(), strict=True)
    }
    by_retraction = {
        column: dy.Int64(min=0, description=description)
        for retracted, unknown in name_retraction_counts().values()
        for column, description in (
            (retracted, "Of these, those that were retracted."),
            (unknown, "Of these, those of which no record says whether they were retracted."),
        )
    }

    def mentioned_at_least_once(cls: Contract) -> pl.Expr:  # noqa: ARG001 - as above
        """The row counts at least one mention."""
        return reduce(add, map(pl.col, counts)) >= 1

    def retracted_mentions_are_mentions(cls: Contract) -> pl.Expr:  # noqa: ARG001 - as above
        """Retracted and unknown mentions are not more than mentions."""
        mentions = name_mention_counts()
        return pl.all_horizontal(
            pl.col(retracted) + pl.col(unknown) <= pl.col(mentions[source])
            for source, (retracted, unknown) in name_retraction_counts().items()
        )

    counted = _extend(
        "MentionCounts",
        (dy.Schema,),
        "Mentions, per source.",
        **counts,
        **by_retraction,
        retracted_mentions_are_mentions=dy.rule()(retracted_mentions_are_mentions),
    )
    return _extend(
        "JournalDrugs",
        (contracts.JournalAndDrug, counted, contracts.FirstAndLastDate),
        "A drug mentioned by a journal: one row per journal and drug.",
        mentioned_at_least_once=dy.rule()(mentioned_at_least_once),
    )


def _count_words(column: str, words: Iterable[str], of: pl.Expr | None = None) -> _Figures:
    """How many rows have each word, whether any has it or not: a plot needs its zeros, too.

    Args:
        column: the column; figures are named `column.word`.
        words: its words.
        of: the word of a row, if it is not the column itself.
    """
    word = pl.col(column) if of is None else of
    return {f"{column}.{each}": (word == str(each)).sum() for each in words}


def _count_true(*columns: str) -> _Figures:
    """In how many rows each of some columns is true."""
    return {column: pl.col(column).sum() for column in columns}


def _count_distinct(**columns: str) -> _Figures:
    """How many different values columns have, by name of the figure."""
    return {name: pl.col(column).drop_nulls().n_unique() for name, column in columns.items()}


def _count_publications(contract: Contract) -> _Figures:
    """The figures of a table of publications."""
    retracted = "retracted"
    return {
        "dated": pl.col("date").is_not_null().sum(),
        "in_journals": pl.col("journal_id").is_not_null().sum(),
        **_count_distinct(journals="journal_id"),
        **(_count_true(retracted) if retracted in contract.columns() else {}),
    }


def _list_tables() -> Iterator[Table]:
    every_source = [(source.name, source, source.contracts()) for source in sources.ALL]
    publications = [source.name for source in sources.PUBLICATIONS]
    raw, clean, mentions, published = Layer
    names = [name for name, _, _ in every_source]
    yield Table(
        "landed_files",
        contracts.LandedFiles,
        raw,
        published=False,
        figures={
            **_count_words("source", names),
            "unread": pl.col("problem").is_not_null().sum(),
            "landed_bytes": pl.col("size_bytes").sum(),
        },
    )
    for name, _, own in every_source:
        yield Table(f"raw_{name}", own.raw, raw, by_file=True, published=False)
    for name, _, own in every_source:
        yield Table(f"{name}_records", own.records, clean, by_file=True, published=False)
    yield Table(
        sources.DRUGS.name,
        sources.DRUGS.contracts().cleaned,
        clean,
        clustered_by=sources.DRUGS.cluster_by,
        figures={"classified": (pl.col("atc_codes").list.len() > 0).sum()},
    )
    yield Table("drug_names", contracts.DrugNames, clean, figures=_count_true("searched"))
    yield Table("journals", contracts.Journals, clean)
    for name, source, own in every_source:
        if source is not sources.DRUGS:
            yield Table(
                name,
                own.cleaned,
                clean,
                clustered_by=source.cluster_by,
                partitioned_by=source.partition_by,
                figures=_count_publications(own.cleaned),
            )
    yield Table(
        "rejected_records",
        _with_known_sources(contracts.RejectedRecords, names),
        clean,
        figures={
            **_count_words("source", names),
            **_count_words("reasons", RejectReason, of=first_reason()),
        },
    )
    for name in names:
        yield Table(
            f"merged_{name}",
            contracts.MergedRecords,
            clean,
            figures=_count_words("rule", MergeRule),
        )
    trials = [source.name for source in sources.TRIALS]
    others = [name for name in publications if name not in trials]
    belonging = _with_known_sources(contracts.TrialPublications, trials, "trial_source")
    yield Table(
        "trial_publications",
        _with_known_sources(belonging, others),
        clean,
        partitioned_by="date",
        figures={
            **_count_words("kind", TrialPublicationKind),
            **_count_true("trial_in_store", "publication_in_store"),
        },
    )
    for name in publications:
        yield Table(
            f"{name}_drugs_named", contracts.DrugsNamed, mentions, by_file=True, published=False
        )
    yield Table(
        "mentions",
        _with_known_sources(contracts.Mentions, publications),
        mentions,
        clustered_by=("drug_id", "journal_id"),
        partitioned_by="date",
        figures={
            **_count_words("source", publications),
            **_count_distinct(drugs="drug_id", journals="journal_id"),
            **_count_true("retracted", "ambiguous"),
        },
    )
    yield Table(
        "journal_drugs",
        _make_journal_drugs(),
        published,
        figures=_count_distinct(drugs="drug_id", journals="journal_id"),
    )
    yield Table(
        "top_journal",
        contracts.TopJournal,
        published,
        figures={"drugs": pl.col("drug_count").max().fill_null(0)},
    )
    yield Table(
        "atc_classes",
        contracts.AtcClasses,
        published,
        figures={"mentioned": (pl.col("mentions") > 0).sum()},
    )
    yield Table(
        "new_mentions",
        _with_known_sources(contracts.NewMentions, publications),
        published,
        tells_news=True,
        clustered_by=("drug_id", "journal_id"),
        partitioned_by="date",
        figures={**_count_words("change", MentionChange), **_count_true("first_in_journal")},
    )
    yield Table(
        "changed_names",
        contracts.ChangedNames,
        published,
        tells_news=True,
        figures=_count_words("change", ListChange),
    )


TABLES: Mapping[str, Table] = {table.name: table for table in _list_tables()}


def compute_figures(table: str, rows: pl.LazyFrame) -> Mapping[str, int]:
    """The figures of a table, by name.

    Args:
        table: name of the table.
        rows: its rows.
    """
    figures = TABLES[table].figures
    return rows.select(**figures).collect().row(0, named=True) if figures else {}


def list_columns(table: str) -> list[str]:
    """The names of a table's columns, in order."""
    return TABLES[table].contract.column_names()
