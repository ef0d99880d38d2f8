"""Which records are the same publication, and which of them is kept (SPEC section 2, "duplicates").

Three rules, in this order: same content; same folded title and date with ids equal or one missing
and journals equal or one missing; same id with different content, where the later delivery wins.

Most records have no double. A narrow pass over hashes finds the few that could, and only these meet
the exact rules, so that a source of millions is never compared as text.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from drug_assets import contracts

if TYPE_CHECKING:
    from collections.abc import Callable

_JOURNAL = ("journal_id", "journal", "folded_journal")
#: Where a record stood and how its journal was spelt are not its content; all else is.
_NOT_CONTENT = ("source_file", "source_row", "position", "journal", "folded_journal")
_SAME_WORK = ("folded_title", "date", "date_precision", "undated_text")


def resolved(
    records: pl.LazyFrame,
    with_journals: Callable[[pl.LazyFrame], pl.LazyFrame],
    surrogate: pl.Expr,
) -> tuple[pl.LazyFrame, pl.LazyFrame]:
    """The publications kept and the rows merged into them.

    Args:
        records: one row a record, with source_file, source_row, position (order of delivery), id
            (null if missing), title, folded_title, date, date_precision and date_text. Other
            columns are content too, and carried along. They are read three times.
        with_journals: gives records their journal, journal_id and folded_journal.
        surrogate: the id a record gets that has none.

    Returns:
        The kept records with `publication_id`, gaps (id and journal) filled, and whether what rows
        of the same id said was lost (`conflicting_duplicate`) or rows that differ went into one
        (`merged_duplicate`); and the merged rows, as `contracts.MergedRecords`, sorted by key.
    """
    suspects = _suspects(records)
    alone = with_journals(records.join(suspects.lazy(), on="position", how="anti")).with_columns(
        publication_id=_with_surrogate(surrogate),
        conflicting_duplicate=pl.lit(value=False),
        merged_duplicate=pl.lit(value=False),
    )
    # An id is looked at before the rest of a row is read; few rows are read for nothing.
    id_of = pl.col("id")
    possible = records.filter(id_of.is_null() | id_of.is_in(suspects["id"].drop_nulls().implode()))
    doubled = with_journals(possible.join(suspects.lazy(), on="position", how="semi")).collect()
    kept, merged = _settled(doubled, surrogate)
    return pl.concat([alone, kept.select(alone.collect_schema().names()).lazy()]), merged.lazy()


def _with_surrogate(surrogate: pl.Expr) -> pl.Expr:
    return pl.coalesce("id", pl.when(pl.col("id").is_null()).then(surrogate))


def _suspects(records: pl.LazyFrame) -> pl.DataFrame:
    """Position and id of all records that may have a double: same id, or same title and date."""
    same_work = ("title_hash", "date")
    keys = records.select("position", "id", "date", title_hash=pl.col("folded_title").hash())
    return (
        keys.with_columns(of_id=pl.len().over("id"), of_work=pl.len().over(*same_work))
        # Counting ids a work is dear, and most works have one record.
        .filter((pl.col("of_id") > 1) | (pl.col("of_work") > 1))
        .with_columns(ids_of_work=pl.col("id").drop_nulls().n_unique().over(*same_work))
        .filter(
            (pl.col("id").is_not_null() & (pl.col("of_id") > 1))
            | (pl.col("of_work") > pl.col("ids_of_work")) & (pl.col("of_work") > 1)
        )
        .select("position", "id")
        .collect()
    )


def _settled(records: pl.DataFrame, surrogate: pl.Expr) -> tuple[pl.DataFrame, pl.DataFrame]:
    """The three rules, applied to records that may have doubles."""
    content = pl.struct(pl.exclude(_NOT_CONTENT)).struct.json_encode()
    clustered = _clustered(records.with_columns(content=content))
    cluster = [*_SAME_WORK, "cluster_id", "cluster_journal"]
    # Kept is the later delivery here too, as a retraction leaves title and date as they were; but
    # one with an id comes before one without.
    best_first = clustered.sort(pl.col("id").is_null(), "position", descending=[False, True])
    clusters = (
        best_first.with_columns(
            last_position=pl.col("position").max().over(cluster),
            contents=pl.col("content").n_unique().over(cluster),
            **{
                f"filled_{name}": pl.col(name).drop_nulls().first().over(cluster)
                for name in _JOURNAL
            },
        )
        .unique(cluster, keep="first", maintain_order=True)
        .with_columns(id="cluster_id", **{name: pl.col(f"filled_{name}") for name in _JOURNAL})
        .with_columns(publication_id=_with_surrogate(surrogate))
        .sort("publication_id", "last_position", descending=[False, True])
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
            .then(pl.lit("conflicting_duplicate"))
            .when(pl.col("content") == pl.col("content_of_cluster"))
            .then(pl.lit("same_content"))
            .otherwise(pl.lit("merged_duplicate")),
        )
        .sort("source_file", "source_row")
    )
    return kept, merged.select(contracts.MergedRecords.column_names())


def _clustered(records: pl.DataFrame) -> pl.DataFrame:
    """The records with the cluster they belong to: `_SAME_WORK`, cluster_id, cluster_journal.

    "Equal or one missing" does not carry over from pair to pair: of three records with ids 1, none
    and 2, the middle one fits both. Ties fall to the smallest id, then the smallest journal, never
    to the order of rows.
    """
    records = records.with_columns(
        # Two unreadable dates are the same only if they say the same.
        undated_text=pl.when(pl.col("date").is_null()).then("date_text")
    )
    identified = records.filter(pl.col("id").is_not_null()).with_columns(
        cluster_id="id",
        cluster_journal=pl.coalesce(
            "journal_id", pl.col("journal_id").min().over(*_SAME_WORK, "id")
        ),
    )
    anonymous = records.filter(pl.col("id").is_null())
    homes = identified.select(*_SAME_WORK, "cluster_id", "cluster_journal").unique()

    # The same journal: the home is the record with that journal and the smallest id.
    named = anonymous.filter(pl.col("journal_id").is_not_null())
    with_journal = homes.group_by(*_SAME_WORK, "cluster_journal").agg(pl.col("cluster_id").min())
    named = named.join(
        with_journal.filter(pl.col("cluster_journal").is_not_null()),
        left_on=[*_SAME_WORK, "journal_id"],
        right_on=[*_SAME_WORK, "cluster_journal"],
        how="left",
        nulls_equal=True,
    ).with_columns(cluster_journal="journal_id")

    # A journal without a home moves in where the journal is missing, one journal a home.
    homeless = named.filter(pl.col("cluster_id").is_null()).drop("cluster_id")
    vacancies = homes.filter(pl.col("cluster_journal").is_null()).select(
        *_SAME_WORK,
        vacant_id="cluster_id",
        rank=pl.col("cluster_id").rank("dense").over(*_SAME_WORK),
    )
    homeless = homeless.with_columns(
        rank=pl.col("journal_id").rank("dense").over(*_SAME_WORK)
    ).join(vacancies, on=[*_SAME_WORK, "rank"], how="left", nulls_equal=True)
    taken = (
        homeless.filter(pl.col("vacant_id").is_not_null())
        .select(*_SAME_WORK, cluster_id="vacant_id", moved_in="journal_id")
        .unique()
    )
    homeless = homeless.drop("rank").rename({"vacant_id": "cluster_id"})
    identified = (
        identified.join(taken, on=[*_SAME_WORK, "cluster_id"], how="left", nulls_equal=True)
        .with_columns(cluster_journal=pl.coalesce("cluster_journal", "moved_in"))
        .drop("moved_in")
    )

    # No id and no journal: the smallest of what there is, identified first.
    columns = [*records.columns, "cluster_id", "cluster_journal"]
    placed = pl.concat(
        [
            identified.select(columns),
            named.filter(pl.col("cluster_id").is_not_null()).select(columns),
            homeless.select(columns),
        ]
    )
    smallest = (
        placed.sort("cluster_id", "cluster_journal", nulls_last=True)
        .unique(_SAME_WORK, keep="first", maintain_order=True)
        .select(*_SAME_WORK, "cluster_id", "cluster_journal")
    )
    bare = anonymous.filter(pl.col("journal_id").is_null()).join(
        smallest, on=_SAME_WORK, how="left", nulls_equal=True
    )
    return pl.concat([placed, bare.select(columns)])
