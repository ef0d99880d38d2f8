"""Find records of the same publication, decide which one is kept, and fill its gaps (SPEC 2).

Records of one id are one publication, except rows of one file with different titles: their id is
none. Records without an id belong to a publication by folded title and date, if their journals are
equal or one is missing. The newest record is kept, with every gap filled from the others.

Most records have no duplicate. A first pass over hashes finds the few candidates. The rules are
applied to candidates only, so the texts of millions of records are never compared.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, NamedTuple

import polars as pl

from drug_assets import contracts
from drug_assets.cleaning import dates
from drug_assets.cleaning.batches import scan_batches
from drug_assets.terms import MergeRule

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

#: The order of the records of an id, the oldest first; a record without a revision is older than
#: any that has one.
CURRENCY = ("version", "revised", "position")
#: Rows with equal values here and different titles share their id.
_SAME_PLACE = ("source_file", "id", "version", "revised")
#: Columns of a record that are about its row, not about its publication.
_OF_THE_ROW = ("source_file", "source_row", *CURRENCY, "delivered", "content")
#: Columns that are no content: those of the row, and the spelling of the journal.
_NOT_CONTENT = (*_OF_THE_ROW, "journal", "folded_journal")
#: Records of the same work have equal values in these columns; `_cluster` adds undated_text.
_SAME_WORK = ("folded_title", "date", "date_precision", "undated_text")
_CLUSTER = (*_SAME_WORK, "cluster_id", "cluster_journal")
#: The hash of an id, null without one; and that of a title and date.
_ID_HASH = pl.when(pl.col("id").is_not_null()).then(pl.col("id").hash()).alias("id_hash")
_WORK_HASH = pl.struct(pl.col("folded_title").hash(), "date").hash().alias("work_hash")


@dataclass(frozen=True)
class Duplicates:
    """The records of a source that may have duplicates, and what becomes of them."""

    #: The positions of these records.
    candidates: pl.Series
    #: The publications that are made of them, in the order of their positions: columns as `keep`.
    kept: pl.DataFrame
    #: The rows merged into them, as `contracts.MergedRecords`, sorted by key.
    merged: pl.DataFrame
    #: How many records the source has, and whether they came in the order of their positions.
    records: int
    in_order: bool
    _add_journals: Callable[[pl.LazyFrame], pl.LazyFrame]
    _surrogate: pl.Expr

    @classmethod
    def find(
        cls,
        records: pl.LazyFrame,
        add_journals: Callable[[pl.LazyFrame], pl.LazyFrame],
        surrogate: pl.Expr,
        *,
        titles: Sequence[str] = ("title",),
        date_fields: Sequence[str] = ("date",),
        following: Mapping[str, pl.Expr] | None = None,
    ) -> Duplicates:
        """Find the records that belong together, and make one publication of each such group.

        Args:
            records: one row per record, with source_file, source_row, position (in the order of
                delivery), version, revised, id (null if missing), id_text, title, folded_title,
                title_issue, date, date_precision, date_text and date_issue. All other columns count
                as content and are kept. Read several times.
            add_journals: adds the columns journal, journal_id and folded_journal to records.
            surrogate: the publication_id of a record without id.
            titles: the columns that hold a title. The first one is never null: another one stands
                in.
            date_fields: the columns that hold a date, those first that `date` is taken from first.
            following: columns that follow from others; they are made anew where gaps were filled.
        """
        candidates, count, in_order = _find_candidates(records)
        compared = add_journals(_read_candidates(records, candidates)).collect()
        shared = _find_shared_ids(compared)
        if not shared.is_empty():
            further = _find_same_works(records, shared, candidates)
            candidates = pl.concat([candidates, further])
            added = add_journals(_read_candidates(records, further)).collect()
            compared = pl.concat([compared, added])
        kept, merged = _resolve_candidates(
            _set_shared_ids_apart(compared, shared), surrogate, titles, date_fields
        )
        kept = kept.with_columns(**following or {})
        found = cls(
            candidates=candidates["position"],
            kept=kept,
            merged=merged,
            records=count,
            in_order=in_order,
            _add_journals=add_journals,
            _surrogate=surrogate,
        )
        columns = found._keep_unique(records).collect_schema().names()
        return replace(found, kept=kept.select(columns).sort("position"))

    def keep(self, records: pl.LazyFrame, *, in_order: bool = False) -> pl.LazyFrame:
        """The publications of a source, or of some of its files.

        Args:
            records: the records that `find` was called with, or those `between` two positions.
            in_order: whether the records come in the order of their positions. Then the
                publications do, too, and no more of them are in memory than those that have
                duplicates.

        Returns:
            The kept records, with the columns of `add_journals` too, and with gaps filled from the
            rows merged into them; `publication_id`; `id_shared`, whether the id is null because
            other records of its file have it; `conflicting_duplicate`, whether a row that
            contradicts it was merged; and `merged_duplicate`, whether another row that differs was.
        """
        unique = self._keep_unique(records)
        if in_order:
            return merge_in_order(unique, self.kept)
        return pl.concat([unique, self.kept.lazy()])

    def between(self, first: int, last: int) -> Duplicates:
        """What becomes of the records from one position to another."""
        there = self.candidates.is_between(first, last)
        kept = self.kept.filter(pl.col("position").is_between(first, last))
        return replace(self, candidates=self.candidates.filter(there), kept=kept)

    def _keep_unique(self, records: pl.LazyFrame) -> pl.LazyFrame:
        """The records without duplicates."""
        is_candidate = pl.col("position").is_in(self.candidates.implode())
        return self._add_journals(records.filter(~is_candidate)).with_columns(
            publication_id=_id_or_surrogate(self._surrogate),
            id_shared=pl.lit(value=False),
            conflicting_duplicate=pl.lit(value=False),
            merged_duplicate=pl.lit(value=False),
        )


def merge_in_order(many: pl.LazyFrame, few: pl.DataFrame) -> pl.LazyFrame:
    """All rows in the order of their positions; `merge_sorted` would hold all of them in memory.

    Args:
        many: rows in that order.
        few: the same.
    """
    if few.is_empty():
        return many

    def merge() -> Iterator[pl.DataFrame]:
        rest = few
        for batch in many.collect_batches(maintain_order=True):
            if batch.is_empty():
                continue
            upto = (rest["position"] < batch["position"][-1]).sum()
            yield pl.concat([batch, rest.head(upto)]).sort("position")
            rest = rest.slice(upto)
        yield rest

    return scan_batches(merge, few.schema)


def _id_or_surrogate(surrogate: pl.Expr) -> pl.Expr:
    return pl.coalesce("id", pl.when(pl.col("id").is_null()).then(surrogate))


class _Found(NamedTuple):
    """What a pass over the hashes of all records finds."""

    #: Position and id_hash of the records that may have a duplicate: same id, or same title and
    #: date. Records of other ids or titles with the same hash are among them, and stay as they are.
    candidates: pl.DataFrame
    #: As those of `Duplicates`.
    records: int
    in_order: bool


def _find_candidates(records: pl.LazyFrame) -> _Found:
    # Numbers in the place of texts: of very many records, these alone are in memory.
    hashes = records.select("position", _ID_HASH, _WORK_HASH).collect(engine="streaming")
    repeated = hashes.filter(
        pl.any_horizontal(
            pl.col(name).is_in(_find_repeated(hashes[name]).implode())
            for name in ("id_hash", "work_hash")
        )
    )
    per_id, per_work = pl.col("records_per_id"), pl.col("records_per_work")
    candidates = (
        repeated.lazy()
        .with_columns(
            records_per_id=pl.len().over("id_hash"), records_per_work=pl.len().over("work_hash")
        )
        # Counting the ids per work is expensive, and most works have one record.
        .filter((per_id > 1) | (per_work > 1))
        .with_columns(ids_per_work=pl.col("id_hash").drop_nulls().n_unique().over("work_hash"))
        .filter(
            (pl.col("id_hash").is_not_null() & (per_id > 1))
            | (per_work > pl.col("ids_per_work")) & (per_work > 1)
        )
        .select("position", "id_hash")
        .collect()
    )
    return _Found(candidates, hashes.height, hashes["position"].is_sorted())


def _find_repeated(values: pl.Series) -> pl.Series:
    """The values that occur more than once, without nulls. It takes the memory of a copy."""
    in_order = values.drop_nulls().sort()
    return in_order.filter(in_order == in_order.shift()).unique()


def _read_candidates(records: pl.LazyFrame, candidates: pl.DataFrame) -> pl.LazyFrame:
    # Polars applies this filter before it reads the other columns, so few rows are read in vain.
    record_id = pl.col("id")
    id_hashes = candidates["id_hash"].drop_nulls().implode()
    prefiltered = records.filter(record_id.is_null() | record_id.hash().is_in(id_hashes))
    return prefiltered.join(candidates.lazy(), on="position", how="semi")


def _compared_title(folded_title: pl.Expr) -> pl.Expr:
    """A folded title without the marks by which sources differ: brackets around it, its last stop.

    PubMed puts a translated title into brackets.
    """
    bare = folded_title.str.strip_chars_start(" [({\"'").str.strip_chars_end(" .,;:!?*])}\"'")
    return pl.when(bare == "").then(folded_title).otherwise(bare)


def _find_shared_ids(candidates: pl.DataFrame) -> pl.DataFrame:
    """The records whose id other rows of their file have for another title: position, title, date.

    Rows of one file are no deliveries of one record, unless they say themselves which is newer.
    """
    titles = _compared_title(pl.col("folded_title")).n_unique().over(*_SAME_PLACE)
    return candidates.filter(pl.col("id").is_not_null(), titles > 1).select(
        "position", "folded_title", "date"
    )


def list_own_ids(records: pl.LazyFrame) -> pl.LazyFrame:
    """The ids that are those of a publication: some record has the id, and does not share it.

    Args:
        records: as those of `Duplicates.find`.

    Returns:
        Column id, each once.
    """
    return (
        records.filter(pl.col("id").is_not_null())
        .group_by(_SAME_PLACE)
        .agg(titles=_compared_title(pl.col("folded_title")).n_unique())
        .filter(pl.col("titles") == 1)
        .select(pl.col("id").unique())
    )


def _find_same_works(
    records: pl.LazyFrame, shared: pl.DataFrame, candidates: pl.DataFrame
) -> pl.DataFrame:
    """Further candidates: records whose only duplicate has a shared id."""
    works = shared.lazy().select(_WORK_HASH)
    return (
        records.select("position", _ID_HASH, _WORK_HASH)
        .join(works, on="work_hash", how="semi")
        .join(candidates.lazy(), on="position", how="anti")
        .select("position", "id_hash")
        .collect()
    )


def _set_shared_ids_apart(records: pl.DataFrame, shared: pl.DataFrame) -> pl.DataFrame:
    """Let a record with a shared id be one without id, and keep the id as a text."""
    is_shared = pl.col("position").is_in(shared["position"].implode())
    return records.with_columns(
        id=pl.when(~is_shared).then("id"),
        id_text=pl.when(is_shared).then("id").otherwise("id_text"),
        id_shared=is_shared,
    )


def _resolve_candidates(
    records: pl.DataFrame, surrogate: pl.Expr, titles: Sequence[str], date_fields: Sequence[str]
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Make one publication of the records that belong together: these and the merged rows."""
    content = pl.struct(pl.exclude(_NOT_CONTENT)).struct.json_encode()
    # A record says itself how new it is, whether it was delivered earlier or later.
    in_order = records.sort(CURRENCY, nulls_last=False).with_row_index("delivered")
    clustered = _cluster(in_order.with_columns(content=content))
    # A record with an id is kept before one without.
    best_first = clustered.sort(pl.col("id").is_null(), "delivered", descending=[False, True])
    rows = best_first.join(
        _identify_clusters(best_first, surrogate),
        on=_CLUSTER,
        how="left",
        nulls_equal=True,
        maintain_order="left",
    ).with_columns(title_stands_in=_title_stands_in(titles))
    columns = rows.drop("undated_text", "cluster_id", "cluster_journal", "publication_id").schema
    kept = rows.group_by("publication_id", maintain_order=True).agg(
        *_fill_gaps(columns, date_fields)
    )
    merged = (
        rows.join(kept, on="publication_id", suffix="_kept")
        .filter(pl.col("position") != pl.col("position_kept"))
        .select(
            "source_file",
            "source_row",
            merged_into="publication_id",
            rule=pl.when(pl.col("content") == pl.col("content_kept"))
            .then(pl.lit(MergeRule.SAME_CONTENT))
            .when(_contradicts(date_fields))
            .then(pl.lit(MergeRule.CONFLICTING_DUPLICATE))
            .otherwise(pl.lit(MergeRule.MERGED_DUPLICATE)),
        )
        .sort("source_file", "source_row")
    )
    flags = {
        rule: pl.col("publication_id").is_in(
            merged.filter(pl.col("rule") == rule)["merged_into"].implode()
        )
        for rule in (MergeRule.CONFLICTING_DUPLICATE, MergeRule.MERGED_DUPLICATE)
    }
    # As in a single record, a further title is the same as the title only if it stands in for it.
    further = {
        title: pl.when(pl.col("title_stands_in") | (pl.col(title) != pl.col("title"))).then(title)
        for title in titles[1:]
    }
    return (
        kept.with_columns((flag.alias(str(rule)) for rule, flag in flags.items()), **further),
        merged.select(contracts.MergedRecords.column_names()),
    )


def _identify_clusters(best_first: pl.DataFrame, surrogate: pl.Expr) -> pl.DataFrame:
    """The publication_id of each cluster: its id, or the surrogate of its first record."""
    journal = pl.col("folded_journal").drop_nulls().first().over(_CLUSTER)
    return (
        best_first.with_columns(id="cluster_id", folded_journal=journal)
        .unique(_CLUSTER, keep="first", maintain_order=True)
        .select(*_CLUSTER, publication_id=_id_or_surrogate(surrogate))
    )


def _title_stands_in(titles: Sequence[str]) -> pl.Expr:
    """Whether the title is another one that stands in for it."""
    return pl.any_horizontal(
        pl.col("title_issue").is_not_null(),
        *(pl.col("title").eq_missing(pl.col(other)) for other in titles[1:]),
    )


def group_columns(columns: Iterable[str]) -> Mapping[str, list[str]]:
    """The columns that belong together, by the one that the others describe.

    The name says it: `date_precision` and `date_text` belong to `date`, `folded_title` to `title`.
    """
    names = list(columns)
    groups: dict[str, list[str]] = {}
    for name in names:
        bare = name.removeprefix("folded_")
        described = [n for n in names if bare == n or bare.startswith(f"{n}_")]
        groups.setdefault(min(described, key=len, default=name), []).append(name)
    return groups


def _fill_gaps(schema: Mapping[str, pl.DataType], date_fields: Sequence[str]) -> list[pl.Expr]:
    """Expressions that aggregate the records of a publication, the best first, to one row.

    Each group of columns comes from the first record that speaks of it. Null, and an empty list,
    say nothing. A title that stands in for another, and a date of a field of lower rank, count
    only where there is no other.
    """
    filled = []
    for owner, members in group_columns(c for c in schema if c not in _OF_THE_ROW).items():
        speaks = [_speaks(owner, schema)]
        if owner == "title":
            speaks = [~pl.col("title_stands_in")]
        elif owner == "date":
            speaks = [pl.col(field).is_not_null() for field in date_fields]
        if f"{owner}_text" in members:
            speaks.append(pl.col(f"{owner}_text").is_not_null())
        rank = pl.lit(len(speaks))
        for place, speaking in reversed(list(enumerate(speaks))):
            rank = pl.when(speaking).then(pl.lit(place)).otherwise(rank)
        filled += [pl.col(member).get(rank.arg_min()) for member in members]
    return [*filled, *(pl.col(name).first() for name in _OF_THE_ROW if name in schema)]


def _speaks(column: str, schema: Mapping[str, pl.DataType]) -> pl.Expr:
    value = pl.col(column)
    return value.list.len() > 0 if isinstance(schema[column], pl.List) else value.is_not_null()


def _contradicts(date_fields: Sequence[str]) -> pl.Expr:
    """Whether a record contradicts the publication (columns NAME_kept) that it belongs to.

    A value that is only coarser, or missing, contradicts nothing; neither do titles that differ in
    case or in the marks around them, nor a title that stands in for another.
    """
    title, kept_title = (_compared_title(pl.col(f"folded_title{of}")) for of in ("", "_kept"))
    both_are_titles = pl.col("title_stands_in") == pl.col("title_stands_in_kept")
    same_day = pl.any_horizontal(
        dates.agree(
            pl.struct(date="date", precision="date_precision"),
            pl.struct(date=f"{field}_kept", precision=f"{field}_precision_kept"),
        ).fill_null(value=False)
        for field in date_fields
    )
    dated = pl.col("date").is_not_null() & pl.col("date_kept").is_not_null()
    return (
        ((title != kept_title) & both_are_titles)
        | (dated & ~same_day)
        | (pl.col("journal_id") != pl.col("journal_id_kept")).fill_null(value=False)
    )


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
