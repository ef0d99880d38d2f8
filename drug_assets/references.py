"""References between trials and publications -> which publications belong to which trial (SPEC 3).

Sources declare the columns that refer to another source, and `cleaning.records` brings the ids to
their canonical form. No code here knows the names of sources, or what an id looks like.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl
import polars.selectors as cs

from drug_assets import sources
from drug_assets.contracts import polars_schema
from drug_assets.sources.tables import TABLES
from drug_assets.terms import ReferenceSide, TrialPublicationKind

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from drug_assets.sources import PublicationSource

#: The columns that identify each side of a pair.
_TRIAL = ("trial_source", "trial_id")
_PUBLICATION = ("source", "publication_id")
#: What is shown of a publication. Only sources whose publications can be retracted say so.
DESCRIPTION = ("title", "journal", "journal_id", "date", "date_precision", "retracted")
#: The kinds by rank; the smallest takes precedence.
_KINDS = {rank: kind.value for rank, kind in enumerate(TrialPublicationKind)}


def find_trial_publications(publications: Mapping[str, pl.LazyFrame]) -> pl.LazyFrame:
    """Find the publications that belong to trials, from the references of both sides.

    Args:
        publications: by source, its table as `contracts.Publications`.

    Returns:
        The table `trial_publications`, sorted by key: one row per pair of which one side refers to
        the other. Its kind is the first of those given, in the order of
        `terms.TrialPublicationKind`.
    """
    table = TABLES["trial_publications"].contract
    schema = polars_schema(table)
    pairs = pl.concat(pl.collect_all(list(_list_pairs(publications))))
    if pairs.is_empty():
        return pl.LazyFrame(schema=schema)
    by_trial, by_publication = pl.col("by_trial").any(), (~pl.col("by_trial")).any()
    trials = _look_up(publications, pairs, _TRIAL, sources.TRIALS)
    described = _look_up(publications, pairs, _PUBLICATION, sources.PUBLICATIONS, DESCRIPTION)
    return (
        pairs.lazy()
        .group_by(*_TRIAL, *_PUBLICATION)
        .agg(
            kind=pl.col("rank").min().replace_strict(_KINDS, return_dtype=pl.String),
            given_by=pl.when(by_trial & by_publication)
            .then(pl.lit(ReferenceSide.BOTH))
            .when(by_trial)
            .then(pl.lit(ReferenceSide.TRIAL))
            .otherwise(pl.lit(ReferenceSide.PUBLICATION)),
        )
        .join(trials.with_columns(trial_in_store=True), on=_TRIAL, how="left")
        .join(described.with_columns(publication_in_store=True), on=_PUBLICATION, how="left")
        .with_columns(pl.col("trial_in_store", "publication_in_store").fill_null(value=False))
        .select(schema.names())
        .sort(table.primary_key())
    )


def _list_pairs(publications: Mapping[str, pl.LazyFrame]) -> Iterator[pl.LazyFrame]:
    """Per declared reference: the columns of both sides, rank of its kind, and by_trial."""
    ranks = {kind: rank for rank, kind in _KINDS.items()}
    nothing = dict.fromkeys((*_TRIAL, *_PUBLICATION), pl.String)
    yield pl.LazyFrame(schema={**nothing, "rank": pl.Int64, "by_trial": pl.Boolean})
    for source in sources.PUBLICATIONS:
        for reference in source.references:
            by_trial = source in sources.TRIALS
            own, other = (_TRIAL, _PUBLICATION) if by_trial else (_PUBLICATION, _TRIAL)
            (own_source, own_id), (other_source, other_id) = own, other
            yield (
                publications[source.name]
                .select(pl.col("publication_id").alias(own_id), ids=reference.column)
                .filter(pl.col("ids").list.len() > 0)
                .explode("ids", empty_as_null=False)
                .with_columns(
                    pl.col("ids").alias(other_id),
                    pl.lit(source.name).alias(own_source),
                    pl.lit(reference.to).alias(other_source),
                    rank=pl.lit(ranks[reference.kind], dtype=pl.Int64),
                    by_trial=pl.lit(by_trial),
                )
                .select(*nothing, "rank", "by_trial")
            )


def _look_up(
    publications: Mapping[str, pl.LazyFrame],
    pairs: pl.DataFrame,
    side: Sequence[str],
    among: Sequence[PublicationSource],
    columns: Sequence[str] = (),
) -> pl.LazyFrame:
    """The rows of the publications on one side of the pairs: the columns of `side`, and others."""
    source_name, publication_id = side
    schema = polars_schema(TABLES["trial_publications"].contract)
    found = [pl.LazyFrame(schema={name: schema[name] for name in (*side, *columns)})]
    for source in among:
        ids = (
            pairs.lazy().filter(pl.col(source_name) == source.name).select(publication_id).unique()
        )
        found.append(
            publications[source.name]
            .select("publication_id", cs.by_name(*columns, require_all=False))
            .rename({"publication_id": publication_id})
            .join(ids, on=publication_id, how="semi")
            .with_columns(pl.lit(source.name).alias(source_name))
        )
    return pl.concat(found, how="diagonal")
