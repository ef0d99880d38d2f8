"""Find records of the same publication and decide which one is kept (SPEC 2, "duplicates").

Three rules, in this order: same content; same folded title and date with ids equal or one missing
and journals equal or one missing; same id with different content, where the later delivery wins.

Most records have no duplicate. A first pass over hashes finds the few candidates. The rules are
applied to candidates only, so the texts of millions of records are never compared.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from drug_assets import contracts
from drug_assets.terms import MergeRule

if TYPE_CHECKING:
    from collections.abc import Callable

_JOURNAL = ("journal_id", "journal", "folded_journal")
#: The order of the records of an id, the oldest first; a record without a revision is older than
#: any that has one.
CURRENCY = ("version", "revised", "position")
#: Columns that are no content: file, row and position, version, and the spelling of the journal.
_NOT_CONTENT = (
    *("source_file", "source_row", "position", "version", "revised", "delivered"),
    *("journal", "folded_journal"),
)
#: Records of the same work have equal values in these columns; `_cluster` adds undated_text.
_SAME_WORK = ("folded_title", "date", "date_precision", "undated_text")


def resolve_duplicates(
    records: pl.LazyFrame,
    add_journals: Callable[[pl.LazyFrame], pl.LazyFrame],
    surrogate: pl.Expr,
) -> tuple[pl.LazyFrame, pl.LazyFrame]:
    """Split records into the publications that are kept and the rows that are merged into them.

    Args:
        records: one row per record, with source_file, source_row, position (in the order of
            delivery), version, revised, id (null if missing), title, folded_title, date,
            date_precision and date_text. All other columns count as content and are kept. Read
            three times.
        add_journals: adds the columns journal, journal_id and folded_journal to records.
        surrogate: the publication_id of a record without id.

    Returns:
        The kept records and the merged rows. Kept records have the columns of `add_journals` too,
        with a missing id or journal filled from the rows merged into them; `publication_id`;
        `conflicting_duplicate`, whether a row of the same id with other content was replaced; and
        `merged_duplicate`, whether rows that differ were merged. Merged rows are as
        `contracts.MergedRecords`, sorted by key.
    """
    candidates = _find_candidates(records)
    unique = add_journals(records.join(candidates.lazy(), on="position", how="anti")).with_columns(
        publication_id=_id_or_surrogate(surrogate),
        conflicting_duplicate=pl.lit(value=False),
        merged_duplicate=pl.lit(value=False),
    )
    # Polars applies this filter before it reads the other columns, so few rows are read in vain.
    record_id = pl.col("id")
    candidate_ids = candidates["id"].drop_nulls().implode()
    prefiltered = records.filter(record_id.is_null() | record_id.is_in(candidate_ids))
    compared = add_journals(
        prefiltered.join(candidates.lazy(), on="position", how="semi")
    ).collect()
    kept, merged = _resolve_candidates(compared, surrogate)
    return pl.concat([unique, kept.select(unique.collect_schema().names()).lazy()]), merged.lazy()


def _id_or_surrogate(surrogate: pl.Expr) -> pl.Expr:
    return pl.coalesce("id", pl.when(pl.col("id").is_null()).then(surrogate))


def _find_candidates(records: pl.LazyFrame) -> pl.DataFrame:
    """Position and id of records that may have a duplicate: same id, or same title and date."""
    same_work = ("title_hash", "date")
    keys = records.select("position", "id", "date", title_hash=pl.col("folded_title").hash())
    per_id, per_work = pl.col("records_per_id"), pl.col("records_per_work")
    return (
        keys.with_columns(
            records_per_id=pl.len().over("id"), records_per_work=pl.len().over(*same_work)
        )
        # Counting the ids per work is expensive, and most works have one record.
        .filter((per_id > 1) | (per_work > 1))
        .with_columns(ids_per_work=pl.col("id").drop_nulls().n_unique().over(*same_work))
        .filter(
            (pl.col("id").is_not_null() & (per_id > 1))
            | (per_work > pl.col("ids_per_work")) & (per_work > 1)
        )
        .select("position", "id")
        .collect()
    )


def _resolve_candidates(
    records: pl.DataFrame, surrogate: pl.Expr
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Apply the three rules to the candidates: the kept records and the merged rows."""
    content = pl.struct(pl.exclude(_NOT_CONTENT)).struct.json_encode()
    # A record says itself how new it is, whether it was delivered earlier or later.
    in_order = records.sort(CURRENCY, nulls_last=False).with_row_index("delivered")
    clustered = _cluster(in_order.with_columns(content=content))
    cluster = [*_SAME_WORK, "cluster_id", "cluster_journal"]
    # A record with an id is kept before one without. Among equals the later delivery is kept, since
    # a retraction does not change title and date.
    best_first = clustered.sort(pl.col("id").is_null(), "delivered", descending=[False, True])
    clusters = (
        best_first.with_columns(
            last_delivered=pl.col("delivered").max().over(cluster),
            contents=pl.col("content").n_unique().over(cluster),
            **{
                f"filled_{name}": pl.col(name).drop_nulls().first().over(cluster)
                for name in _JOURNAL
            },
        )
        .unique(cluster, keep="first", maintain_order=True)
        .with_columns(id="cluster_id", **{name: pl.col(f"filled_{name}") for name in _JOURNAL})
        .with_columns(publication_id=_id_or_surrogate(surrogate))
        .sort("publication_id", "last_delivered", descending=[False, True])
    )
    kept = clusters.with_columns(
        conflicting_duplicate=pl.len().over("publication_id") > 1,
        merged_duplicate=pl.col("contents") > 1,
    ).unique("publication_id", keep="first", maintain_order=True)
    winner = pl.col("position_of_cluster").is_in(kept["position"].implode())
    merged = (
        clustered.join(
            clusters.select(
                *cluster,
                "publication_id",
                content_of_cluster="content",
                position_of_cluster="position",
            ),
            on=cluster,
            nulls_equal=True,
        )
        .filter(~pl.col("position").is_in(kept["position"].implode()))
        .select(
            "source_file",
            "source_row",
            merged_into="publication_id",
            rule=pl.when(~winner)
            .then(pl.lit(MergeRule.CONFLICTING_DUPLICATE))
            .when(pl.col("content") == pl.col("content_of_cluster"))
            .then(pl.lit(MergeRule.SAME_CONTENT))
            .otherwise(pl.lit(MergeRule.MERGED_DUPLICATE)),
        )
        .sort("source_file", "source_row")
    )
    return kept, merged.select(contracts.MergedRecords.column_names())


def _cluster(records: pl.DataFrame) -> pl.DataFrame:
    """Assign each record to a cluster, the records of a work that are merged into one.

    `_SAME_WORK`, cluster_id and cluster_journal identify a cluster. "Equal or one missing" is not
    transitive: of three records with ids 1, none and 2, the one without id matches both others.
    Ties go to the smallest id, then to the smallest journal, so the order of rows does not matter.
    """
    records = records.with_columns(
        # Two unreadable dates are equal only if their texts are equal.
        undated_text=pl.when(pl.col("date").is_null()).then("date_text")
    )
    columns = [*records.columns, "cluster_id", "cluster_journal"]
    identified = _cluster_by_id(records)
    clusters = identified.select(*_SAME_WORK, "cluster_id", "cluster_journal").unique()
    matched, unmatched = _match_by_journal(records, clusters)
    unmatched, added = _match_clusters_without_journal(unmatched, clusters)
    identified = (
        identified.join(added, on=[*_SAME_WORK, "cluster_id"], how="left", nulls_equal=True)
        .with_columns(cluster_journal=pl.coalesce("cluster_journal", "added_journal"))
        .drop("added_journal")
    )
    clustered = pl.concat([rows.select(columns) for rows in (identified, matched, unmatched)])
    return pl.concat([clustered, _match_by_title(records, clustered).select(columns)])


def _cluster_by_id(records: pl.DataFrame) -> pl.DataFrame:
    """The records with an id: one cluster per id and journal, missing journals filled."""
    return records.filter(pl.col("id").is_not_null()).with_columns(
        cluster_id="id",
        cluster_journal=pl.coalesce(
            "journal_id", pl.col("journal_id").min().over(*_SAME_WORK, "id")
        ),
    )


def _match_by_journal(
    records: pl.DataFrame, clusters: pl.DataFrame
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Assign records with a journal but no id to the cluster of that journal.

    Of several such clusters, the one with the smallest id is chosen.

    Returns:
        The records that were assigned, and those whose journal has no cluster.
    """
    with_journal = records.filter(pl.col("id").is_null(), pl.col("journal_id").is_not_null())
    smallest = (
        clusters.group_by(*_SAME_WORK, "cluster_journal")
        .agg(pl.col("cluster_id").min())
        .filter(pl.col("cluster_journal").is_not_null())
    )
    with_journal = with_journal.join(
        smallest,
        left_on=[*_SAME_WORK, "journal_id"],
        right_on=[*_SAME_WORK, "cluster_journal"],
        how="left",
        nulls_equal=True,
    ).with_columns(cluster_journal="journal_id")
    matched = pl.col("cluster_id").is_not_null()
    return with_journal.filter(matched), with_journal.filter(~matched).drop("cluster_id")


def _match_clusters_without_journal(
    unmatched: pl.DataFrame, clusters: pl.DataFrame
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Assign journals without a cluster to clusters without a journal, one journal per cluster.

    Within a work, the first journal is assigned to the first cluster, and so on, both sorted.

    Returns:
        The records with cluster_id, null where none was left: they form a cluster of their own; and
        the journal (`added_journal`) of each cluster that got one.
    """
    without_journal = clusters.filter(pl.col("cluster_journal").is_null()).select(
        *_SAME_WORK,
        "cluster_id",
        rank=pl.col("cluster_id").rank("dense").over(*_SAME_WORK),
    )
    assigned = (
        unmatched.with_columns(rank=pl.col("journal_id").rank("dense").over(*_SAME_WORK))
        .join(without_journal, on=[*_SAME_WORK, "rank"], how="left", nulls_equal=True)
        .drop("rank")
    )
    added = (
        assigned.filter(pl.col("cluster_id").is_not_null())
        .select(*_SAME_WORK, "cluster_id", added_journal="journal_id")
        .unique()
    )
    return assigned, added


def _match_by_title(records: pl.DataFrame, clustered: pl.DataFrame) -> pl.DataFrame:
    """Assign records with neither id nor journal to the smallest cluster of their work, if any."""
    smallest = (
        clustered.sort("cluster_id", "cluster_journal", nulls_last=True)
        .unique(_SAME_WORK, keep="first", maintain_order=True)
        .select(*_SAME_WORK, "cluster_id", "cluster_journal")
    )
    without_both = records.filter(pl.col("id").is_null(), pl.col("journal_id").is_null())
    return without_both.join(smallest, on=_SAME_WORK, how="left", nulls_equal=True)
