"""Mentions -> the nodes and edges of a graph, or the rows of a sheet, in batches (SPEC 5).

The graph of mentions has an edge from a drug to each publication that mentions it, and one from
each of these to its journal. The graph of journals has an edge from a drug to each journal that
mentions it. What a batch looks like in a file belongs to the formats.

Only what an edge leads to is a node. Nodes come before edges, drugs in the order of their names.
"""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, TypeAlias

import polars as pl

from drug_assets import sources
from drug_assets.cleaning.text import fold_text
from drug_assets.exports import Of
from drug_assets.exports.lines import FORBIDDEN_IN_XML
from drug_assets.graph import count_journal_drugs
from drug_assets.periods import code_of_column, read_code_column
from drug_assets.sources.tables import name_mention_counts, name_retraction_counts
from drug_assets.terms import SpanOrigin

if TYPE_CHECKING:
    from collections.abc import Iterator

    from drug_assets.exports import Tables

#: About how many mentions are in memory: those of a drug are never apart.
BATCH_MENTIONS = 200_000

#: Between texts of a list that is one value.
_SEPARATOR = "; "
#: What stands between the two ends in the id of an edge, so no id of a node may have it.
_ARROW = " -> "
#: The beginning of an id that is written in hexadecimal digits.
_HEX = "hex:"
_TYPES = {source.name: source.document_type for source in sources.PUBLICATIONS}

_NODE = ("id", "label")
_EDGE = ("id", "source", "target")


def _counts() -> list[str]:
    """The columns of counts of `journal_drugs`."""
    by_retraction = name_retraction_counts().values()
    return [*name_mention_counts().values(), *(name for names in by_retraction for name in names)]


#: The types of columns, by name.
Columns: TypeAlias = dict[str, type[pl.DataType]]

#: By column of dates in rows, the column with their precision.
PRECISIONS = {
    "date": "date_precision",
    "first_date": "first_precision",
    "last_date": "last_precision",
}


def present(columns: Columns, batch: pl.DataFrame) -> dict[str, str]:
    """The names of those columns that a batch has, each by itself."""
    return {name: name for name in columns if name in batch.columns}


class Graph:
    """The nodes and edges of a graph."""

    def __init__(self, of: Of, tables: Tables) -> None:
        self.of = of
        self._mentions = tables.mentions
        if of is Of.JOURNALS:
            self._mentions = tables.mentions.filter(pl.col("journal_id").is_not_null())
        self._drugs = tables.drugs

    @property
    def node_columns(self) -> Columns:
        """The columns of nodes beyond id and label: `nodes` gives those that a batch has."""
        columns: Columns = {"kind": pl.String, "mentions": pl.Int64}
        if self.of is Of.MENTIONS:
            columns |= {"date": pl.Date, "date_precision": pl.String, "retracted": pl.Boolean}
            columns |= {"publication_id": pl.String, "link": pl.String}
        return columns | {
            "drug_id": pl.String,
            "atc_codes": pl.String,
            "journal_id": pl.String,
            "first_date": pl.Date,
            "first_precision": pl.String,
        }

    @property
    def edge_columns(self) -> Columns:
        """The columns of edges beyond id, source and target."""
        if self.of is Of.MENTIONS:
            return {
                "kind": pl.String,
                "date": pl.Date,
                "date_precision": pl.String,
                "words": pl.String,
                "spans": pl.String,
                "rules": pl.String,
                "ambiguous": pl.Boolean,
                "title": pl.String,
            }
        return {
            "kind": pl.String,
            "weight": pl.Int64,
            **dict.fromkeys(_counts(), pl.Int64),
            "first_date": pl.Date,
            "first_precision": pl.String,
            "last_date": pl.Date,
            "last_precision": pl.String,
        }

    def nodes(self) -> Iterator[pl.DataFrame]:
        """The nodes: columns id, label, and those of `node_columns` that these nodes have.

        `first_date` is that of the first mention of a drug, or by a journal.
        """
        yield self._list_drugs()
        if self.of is Of.MENTIONS:
            for batch in self._publications():
                yield batch.select(*_NODE, *(name for name in self.node_columns if name in batch))
        yield self._list_journals()

    def edges(self) -> Iterator[pl.DataFrame]:
        """The edges: columns id, source, target, and those of `edge_columns` that these have."""
        if self.of is Of.JOURNALS:
            yield from self._drugs_in_journals()
            return
        yield from self._mentioned_in()
        for batch in self._publications():
            published = batch.filter(pl.col("journal_id").is_not_null())
            yield _name_edges(
                published.with_columns(
                    source="id",
                    target=_node_id("journal", "journal_id"),
                    kind=pl.lit("published_in"),
                )
            ).select(*_EDGE, "kind", "date", "date_precision")

    @cached_property
    def _ranked(self) -> pl.DataFrame:
        return rank_drugs(self._mentions)

    def _list_drugs(self) -> pl.DataFrame:
        codes = self._drugs.select("drug_id", pl.col("atc_codes").list.join(_SEPARATOR))
        return (
            self._ranked.lazy()
            .join(codes, on="drug_id", how="left", maintain_order="left")
            .select(
                id=_node_id("drug", "drug_id"),
                label="drug",
                kind=pl.lit("drug"),
                mentions="mentions",
                drug_id="drug_id",
                atc_codes=pl.col("atc_codes").replace("", None),
                **_read_code("first"),
            )
            .collect()
        )

    def _list_journals(self) -> pl.DataFrame:
        return (
            self._mentions.filter(pl.col("journal_id").is_not_null())
            .group_by("journal_id")
            .agg(
                label=pl.col("journal").first(),
                mentions=pl.len().cast(pl.Int64),
                first=_date_code().min(),
            )
            .sort("journal_id")
            .select(
                "label",
                "mentions",
                "journal_id",
                **_read_code("first"),
                id=_node_id("journal", "journal_id"),
                kind=pl.lit("journal"),
            )
            .collect(engine="streaming")
        )

    def _publications(self) -> Iterator[pl.DataFrame]:
        """Each publication once, as a node; a title of several is that of the first drug by id."""
        for batch in self._batch_by_publication():
            yield (
                batch.select(
                    "source",
                    "publication_id",
                    "drug_id",
                    "journal_id",
                    "date",
                    "date_precision",
                    "retracted",
                    label="title",
                )
                .collect()
                .sort(sources.rank_sources(pl.col("source")), "publication_id", "drug_id")
                .unique(["source", "publication_id"], keep="first", maintain_order=True)
                .with_columns(
                    id=_publication_node(), kind=pl.col("source").replace(_TYPES), link=_link()
                )
                .drop("drug_id", "source")
            )

    def _batch_by_publication(self) -> Iterator[pl.LazyFrame]:
        """The mentions in batches, those of a publication in one: by the end of its id."""
        end = pl.col("publication_id").str.tail(2)
        ends = (
            self._mentions.group_by(end=end)
            .agg(pl.len())
            .sort("end")
            .with_columns(batch=pl.col("len").cum_sum() // BATCH_MENTIONS)
            .collect(engine="streaming")
        )
        parts = ends.partition_by("batch", maintain_order=True)
        for part in parts:
            yield (
                self._mentions.filter(end.is_in(part["end"].implode()))
                if len(parts) > 1
                else self._mentions
            )

    @cached_property
    def _titles(self) -> pl.DataFrame:
        """Columns source, publication_id, label: the titles of nodes of which mentions differ.

        Only where publications of a source have several titles, a mention can name another one.
        """
        several = [source.name for source in sources.PUBLICATIONS if len(source.titles) > 1]
        key = ["source", "publication_id"]
        found = [
            batch.filter(pl.col("source").is_in(several))
            .group_by(key)
            .agg(
                label=pl.col("title").sort_by("drug_id").first(),
                differs=pl.col("title").min() != pl.col("title").max(),
            )
            .filter("differs")
            .drop("differs")
            .collect()
            for batch in self._batch_by_publication()
        ]
        none = pl.DataFrame(schema=dict.fromkeys([*key, "label"], pl.String))
        return pl.concat([none, *found])

    def _mentioned_in(self) -> Iterator[pl.DataFrame]:
        for batch in batch_by_drug(self._mentions, self._ranked):
            named = batch.join(
                self._titles, on=["source", "publication_id"], how="left", maintain_order="left"
            ).with_columns(
                title=pl.when(pl.col("title") != pl.col("label")).then("title"),
                source=_node_id("drug", "drug_id"),
                target=_publication_node(),
                kind=pl.lit("mentioned_in"),
                **_describe_spans(),
            )
            yield _name_edges(named).select(*_EDGE, *self.edge_columns)

    def _drugs_in_journals(self) -> Iterator[pl.DataFrame]:
        for batch in batch_by_drug(self._mentions, self._ranked):
            counted = count_in_journals(batch, self._ranked)
            named = counted.with_columns(
                source=_node_id("drug", "drug_id"),
                target=_node_id("journal", "journal_id"),
                kind=pl.lit("mentioned_in"),
                weight="mentions",
            )
            yield _name_edges(named).select(*_EDGE, *self.edge_columns)


class Sheet:
    """The rows of a sheet: a mention each, or a drug and a journal that mentions it."""

    def __init__(self, of: Of, tables: Tables) -> None:
        self.of = of
        self._mentions = tables.mentions
        if of is Of.JOURNALS:
            self._mentions = tables.mentions.filter(pl.col("journal_id").is_not_null())

    @property
    def columns(self) -> Columns:
        """The columns, in their order."""
        text, number, date, truth = pl.String, pl.Int64, pl.Date, pl.Boolean
        if self.of is Of.MENTIONS:
            return {
                "drug": text,
                "type": text,
                "publication_id": text,
                "link": text,
                "title": text,
                "journal": text,
                "date": date,
                "date_precision": text,
                "words": text,
                "ambiguous": truth,
                "retracted": truth,
                "rules": text,
                "drug_id": text,
                "journal_id": text,
                "spans": text,
            }
        return {
            "drug": text,
            "journal": text,
            "mentions": number,
            **dict.fromkeys(_counts(), number),
            "first_date": date,
            "first_precision": text,
            "last_date": date,
            "last_precision": text,
            "drug_id": text,
            "journal_id": text,
        }

    def rows(self) -> Iterator[pl.DataFrame]:
        """The rows in batches: by the name of the drug; then the newest first, or by journal."""
        ranked = rank_drugs(self._mentions)
        for batch in batch_by_drug(self._mentions, ranked):
            if self.of is Of.JOURNALS:
                yield count_in_journals(batch, ranked).select(*self.columns)
            else:
                described = batch.with_columns(
                    type=pl.col("source").replace(_TYPES), link=_link(), **_describe_spans()
                )
                yield described.select(*self.columns)


def rank_drugs(mentions: pl.LazyFrame) -> pl.DataFrame:
    """The drugs of mentions in the order of their names, with the batches that they come in.

    Args:
        mentions: rows of `contracts.Mentions`.

    Returns:
        Columns drug_id, drug, mentions, first (a code of a date), rank, batch.
    """
    return (
        mentions.group_by("drug_id")
        .agg(
            pl.col("drug").first(),
            mentions=pl.len().cast(pl.Int64),
            first=_date_code().min(),
        )
        .sort(fold_text(pl.col("drug")), "drug", "drug_id")
        .with_row_index("rank")
        .with_columns(batch=pl.col("mentions").cum_sum() // BATCH_MENTIONS)
        .collect(engine="streaming")
    )


def batch_by_drug(mentions: pl.LazyFrame, ranked: pl.DataFrame) -> Iterator[pl.DataFrame]:
    """The mentions in batches, those of a drug in one, the newest of each drug first.

    Args:
        mentions: rows of `contracts.Mentions`.
        ranked: what `rank_drugs` made of them.
    """
    parts = ranked.partition_by("batch", maintain_order=True)
    for part in parts:
        of_batch = mentions
        if len(parts) > 1:
            of_batch = mentions.filter(pl.col("drug_id").is_in(part["drug_id"].implode()))
        yield (
            of_batch.collect()
            .join(part.select("drug_id", "rank"), on="drug_id")
            .sort(
                *("rank", "date", sources.rank_sources(pl.col("source")), "publication_id"),
                descending=[False, True, False, False],
                nulls_last=True,
            )
        )


def count_in_journals(mentions: pl.DataFrame, ranked: pl.DataFrame) -> pl.DataFrame:
    """Count the mentions of drugs in journals.

    Args:
        mentions: rows of `contracts.Mentions`: all that a drug has.
        ranked: what `rank_drugs` made of them.

    Returns:
        Columns of `journal_drugs`, and mentions, first_precision, last_precision; by the name of
        the drug, then of the journal.
    """
    key = ["journal_id", "drug_id"]
    precisions = (
        mentions.group_by(key)
        .agg(first=_date_code().min(), last=_date_code().max())
        .select(
            *key,
            first_precision=_read_code("first")["first_precision"],
            last_precision=_read_code("last")["last_precision"],
        )
    )
    return (
        count_journal_drugs(mentions.lazy())
        .collect()
        .join(precisions, on=key)
        .join(ranked.select("drug_id", "rank"), on="drug_id")
        .with_columns(mentions=pl.sum_horizontal(name_mention_counts().values()))
        .sort("rank", fold_text(pl.col("journal")), "journal", "journal_id")
    )


def _date_code() -> pl.Expr:
    return code_of_column(pl.col("date"), pl.col("date_precision"))


def _read_code(name: str) -> dict[str, pl.Expr]:
    """The columns NAME_date and NAME_precision that a column of codes stands for."""
    date, precision = read_code_column(pl.col(name))
    return {f"{name}_date": date, f"{name}_precision": precision}


def _describe_spans() -> dict[str, pl.Expr]:
    """Columns words, spans (JSON) and rules of a mention."""
    start, end = (pl.element().struct.field(name) for name in ("start", "end"))
    origins = pl.col("spans").list.eval(pl.element().struct.field("by"))
    words = pl.col("spans").list.eval(pl.element().struct.field("text"))
    by_rules = origins.list.eval(pl.element().filter(pl.element() != SpanOrigin.NAME)).list.unique()
    pairs = pl.struct(spans=pl.col("spans").list.eval(pl.concat_arr(start, end)))
    return {
        "words": words.list.unique(maintain_order=True).list.join(_SEPARATOR),
        "spans": pairs.struct.json_encode().str.strip_prefix('{"spans":').str.strip_suffix("}"),
        "rules": by_rules.list.sort().list.join(_SEPARATOR).replace("", None),
    }


def _link() -> pl.Expr:
    """Where a publication is shown on the site of its source, if its id is one of that site."""
    publication_id = pl.col("publication_id")
    of_sources = [
        pl.when(
            (pl.col("source") == source.name) & publication_id.str.contains(source.links.form)
        ).then(pl.concat_str(pl.lit(before), publication_id, pl.lit(after)))
        for source in sources.PUBLICATIONS
        if source.links is not None
        for before, _, after in [source.links.address.partition("{id}")]
    ]
    return pl.coalesce(pl.lit(None, pl.String), *of_sources)


def _name_edges(edges: pl.DataFrame) -> pl.DataFrame:
    """Give each edge its id: no two have the same ends."""
    return edges.with_columns(id=pl.concat_str("source", "target", separator=_ARROW))


def _publication_node() -> pl.Expr:
    """The id of the node of a publication."""
    return pl.concat_str(
        pl.col("source").replace(_TYPES), pl.lit(":"), _keep_apart(pl.col("publication_id"))
    )


def _node_id(kind: str, column: str) -> pl.Expr:
    """The id of a node: its kind, and the id in a table."""
    return pl.concat_str(pl.lit(f"{kind}:"), _keep_apart(pl.col(column)))


def _keep_apart(id_: pl.Expr) -> pl.Expr:
    """The id, in hexadecimal digits if it could not be told from others where it is written.

    That is so if characters of it have to be dropped, or if it has what ids of edges are made of.
    """
    is_plain = ~(
        id_.str.contains(FORBIDDEN_IN_XML)
        | id_.str.contains(_ARROW, literal=True)
        | id_.str.starts_with(_HEX)
    )
    hexadecimal = pl.concat_str(pl.lit(_HEX), id_.cast(pl.Binary).bin.encode("hex"))
    return pl.when(is_plain).then(id_).otherwise(hexadecimal)
