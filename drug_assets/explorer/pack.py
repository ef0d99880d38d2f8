"""Tables -> blocks of columns, which the page reads: index, names, pairs, facts, texts.

A block is JSON. The index is read at once, any other block when its rows are looked at. Drugs and
journals are numbers there: their rank by folded name, then by id. A date is a number, too: four
times the days since 1970, and the precision (0 day, 1 month, 2 season, 3 year), so that codes sort
as dates do. How blocks become a page is the matter of `page`.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec
import polars as pl

from drug_assets import sources
from drug_assets.explorer import rows
from drug_assets.explorer.figures import TABLES as RUN_TABLES
from drug_assets.explorer.figures import summarize_run
from drug_assets.explorer.numbered import (
    AMBIGUOUS,
    FRESH,
    NO_JOURNAL,
    RETRACTED,
    NumberedMentions,
    has_flag,
    number_of_source,
    put_in_order,
)
from drug_assets.periods import code_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from drug_assets.news import News

#: The version of the layout of the blocks.
VERSION = 1
#: About how many pairs of a journal and a drug are in a block: a journal is never split.
PAIRS = 60_000
#: What is counted besides mentions by type: by name of the column, the flag.
_COUNTED = {"retracted": RETRACTED, "ambiguous": AMBIGUOUS, "fresh": FRESH}


class Block(NamedTuple):
    """A block of data."""

    #: `names`, or a letter and a number: `p0` pairs, `f0` facts, `x0` texts.
    name: str
    #: Makes its JSON, in any thread.
    encode: Callable[[], bytes]


@dataclass(frozen=True)
class Pack:
    """The data of a page: the index, and the other blocks one after the other."""

    #: The index but for where blocks are, which the container knows.
    index: Mapping[str, Any]
    _tables: Mapping[str, pl.LazyFrame]
    _mentions: NumberedMentions
    _counts: _Counts

    def blocks(self) -> Iterator[Block]:
        """All blocks but the index; facts and texts of a drug do not follow each other."""
        names = _list_names(self._tables["drugs"], self._counts)
        yield Block("names", partial(msgspec.json.encode, names))
        for number, pairs in enumerate(_pair_blocks(self._counts)):
            yield Block(f"p{number}", partial(_encode_pairs, pairs))
        texts = 0
        for number, chunk in enumerate(
            rows.chunks(
                self._mentions, self._tables["trial_publications"], self._counts.drugs["mentions"]
            )
        ):
            yield Block(f"f{number}", partial(rows.encode_facts, chunk))
            for part in chunk.iter_slices(rows.TEXTS):
                yield Block(f"x{texts}", partial(rows.encode_texts, part))
                texts += 1


class _Counts(NamedTuple):
    """What there is, in the order of the page, and what is counted of it."""

    #: Mentioned drugs: drug_id, drug, number, mentions and the other columns of the index.
    drugs: pl.DataFrame
    #: Journals that mention a drug: journal_id, journal, number, block and the other columns.
    journals: pl.DataFrame
    #: Columns journal, drug (numbers), by type the mentions, first: sorted by both.
    pairs: pl.DataFrame


#: The tables that a page is made from.
TABLES = (
    *("drugs", "mentions", "trial_publications", "atc_classes", "new_mentions", "changed_names"),
    *RUN_TABLES,
)


def pack(tables: Mapping[str, pl.LazyFrame], news: News | None = None) -> Pack:
    """Count the tables of a run, and make the index of them.

    Args:
        tables: the rows of `TABLES`, by name.
        news: what is new since the release before; None if there is nothing to compare with.

    Returns:
        The index, and what makes the other blocks.
    """
    mentions = NumberedMentions.of(*(tables[t] for t in ("drugs", "mentions", "new_mentions")))
    counts = _count(mentions)
    drugs, journals = counts.drugs, counts.journals
    listed = tables["drugs"].select(pl.len()).collect().item()
    index = {
        "v": VERSION,
        "types": [_describe_type(source) for source in sources.PUBLICATIONS],
        "total": int(drugs["mentions"].sum()),
        "facts": rows.FACTS,
        "texts": rows.TEXTS,
        "drugs": {
            "id": drugs["drug_id"].to_list(),
            "name": drugs["drug"].to_list(),
            "by": _by_type(drugs),
            **_columns(drugs, "journals", "articles_in", "first", "last", *_COUNTED),
        },
        "mentioned": drugs.height,
        "unmentioned": listed - drugs.height,
        "journals": {
            "id": journals["journal_id"].to_list(),
            "name": journals["journal"].to_list(),
            "by": _by_type(journals),
            **_columns(journals, "drugs", "first", "last", "retracted", "fresh", "block"),
            "has_articles": journals["has_articles"].cast(pl.Int8).to_list(),
        },
        "classes": _columns(
            tables["atc_classes"].rename({"class": "code"}).sort("code").collect(),
            *("code", "level", "name", "drugs", "mentions", "journals"),
        ),
        "quality": summarize_run(tables),
        "news": _describe_news(news, counts) if news else None,
    }
    return Pack(index, tables, mentions, counts)


def list_blocks(index: Mapping[str, Any]) -> list[str]:
    """The names of all blocks that belong to an index, but for the index itself."""
    total = index["total"]
    return [
        "names",
        *(f"p{number}" for number in range(max(index["journals"]["block"], default=-1) + 1)),
        *(f"f{number}" for number in range(-(-total // index["facts"]))),
        *(f"x{number}" for number in range(-(-total // index["texts"]))),
    ]


def _describe_type(source: sources.PublicationSource) -> dict[str, Any]:
    """What the page knows of a type of publications."""
    links = source.links
    return {
        "type": source.document_type,
        "source": source.name,
        "publications": source.publications,
        "trial": source in sources.TRIALS,
        "can_be_retracted": source.can_be_retracted,
        "links": links and links._asdict(),
    }


def _describe_news(news: News, counts: _Counts) -> dict[str, Any]:
    """What the page tells of what is new; no release and no time, which its bytes do not know."""
    drugs = dict(zip(counts.drugs["drug_id"], counts.drugs["number"], strict=True))
    journals = dict(zip(counts.journals["journal_id"], counts.journals["number"], strict=True))
    named = {
        key: getattr(news, key)
        for key in ("drugs_added", "drugs_dropped", "names_added", "names_dropped")
    }
    counted = ("added", "gone", "changed", "no_longer_searched", "added_of_new_drugs")
    return {
        **{key: getattr(news, key) for key in (*counted, "first_in_journal", "rules_changed")},
        **{key: names.names for key, names in named.items()},
        **{f"{key}_count": names.total for key, names in named.items()},
        "firsts": [
            {
                "drug": drugs[first.drug_id],
                "journal": journals[first.journal_id],
                "date": code_of(first.date, first.date_precision),
                "type": number_of_source(first.source),
                "id": first.publication_id,
            }
            for first in news.firsts
        ],
    }


def _columns(frame: pl.DataFrame, *names: str) -> dict[str, list[Any]]:
    return {name: frame[name].to_list() for name in names}


def _type_columns() -> list[str]:
    """The columns that count mentions, by type."""
    return [f"by_{number}" for number in range(len(sources.PUBLICATIONS))]


def _by_type(frame: pl.DataFrame) -> list[list[int]]:
    return [frame[name].to_list() for name in _type_columns()]


def _articles() -> pl.Expr:
    """The mentions in publications that are no trials."""
    counted = zip(sources.PUBLICATIONS, _type_columns(), strict=True)
    return pl.sum_horizontal(
        pl.col(column) for source, column in counted if source not in sources.TRIALS
    )


def _count(mentions: NumberedMentions) -> _Counts:
    """Count mentions once, by drug and journal; all other counts follow from these."""
    pairs = _count_pairs(mentions)
    summed = [pl.col(*_type_columns(), *_COUNTED).sum()]
    first_and_last = [pl.col("first").min(), pl.col("last").max()]
    in_journal = pl.col("journal") != NO_JOURNAL
    of_drugs = pairs.group_by("drug").agg(
        *summed,
        *first_and_last,
        mentions=pl.sum_horizontal(_type_columns()).sum(),
        journals=in_journal.sum(),
        articles_in=(in_journal & (_articles() > 0)).sum(),
    )
    in_journals = pairs.filter(in_journal).with_columns(pl.col("journal").cast(pl.UInt32))
    of_journals = in_journals.group_by("journal").agg(
        *summed,
        *first_and_last,
        drugs=pl.len(),
        has_articles=(_articles() > 0).any(),
    )
    return _Counts(
        _join_numbers(mentions.drugs, of_drugs, "drug"),
        _join_numbers(mentions.journals, of_journals, "journal").with_columns(
            block=((pl.col("drugs").cum_sum() - pl.col("drugs")) // PAIRS).rle_id()
        ),
        in_journals.select("journal", "drug", "first", *_type_columns()).sort("journal", "drug"),
    )


def _join_numbers(named: pl.DataFrame, counted: pl.DataFrame, number: str) -> pl.DataFrame:
    """Names in their order, with what is counted of their numbers."""
    of_names = counted.rename({number: "number"})
    return named.join(of_names, on="number", how="left", maintain_order="left")


def _count_pairs(mentions: NumberedMentions) -> pl.DataFrame:
    """Columns drug, journal (`NO_JOURNAL` for none), by type the mentions, first, last, counts."""
    counted = {
        **{name: pl.col("type") == number for number, name in enumerate(_type_columns())},
        **{name: has_flag(flag) for name, flag in _COUNTED.items()},
    }
    code = pl.col("code")
    return (
        mentions.scan()
        .group_by(drug="of_drug", journal="of_journal")
        .agg(
            first=code.min(),
            last=code.max(),
            **{name: holds.sum().cast(pl.UInt32) for name, holds in counted.items()},
        )
        .collect(engine="streaming")
    )


def _list_names(drugs: pl.LazyFrame, counts: _Counts) -> dict[str, Any]:
    """What search knows beyond the index: other names, codes, identifiers; unmentioned drugs."""
    others = pl.col("names").list.set_difference(pl.concat_list("drug")).list.sort()
    known = drugs.select("drug_id", "drug", "codes", "xrefs", names=others).collect()
    mentioned = counts.drugs.select("drug_id", "number").join(
        known, on="drug_id", how="left", maintain_order="left"
    )
    other = put_in_order(known.join(counts.drugs, on="drug_id", how="anti"), "drug", "drug_id")
    return {
        **_columns(mentioned, "names", "codes", "xrefs"),
        "other": _columns(
            other.rename({"drug_id": "id", "drug": "name"}),
            *("id", "name", "names", "codes", "xrefs"),
        ),
    }


def _pair_blocks(counts: _Counts) -> Iterator[pl.DataFrame]:
    """The pairs of each block."""
    sizes = counts.journals.group_by("block", maintain_order=True).agg(pl.col("drugs").sum())
    start = 0
    for size in sizes["drugs"]:
        yield counts.pairs.slice(start, size)
        start += size


def _encode_pairs(pairs: pl.DataFrame) -> bytes:
    """A block of pairs: by journal the steps of drug numbers, counts by type, first dates."""
    columns = _type_columns()
    of_journals = (
        pairs.with_columns(step=pl.col("drug") - pl.col("drug").shift(fill_value=0).over("journal"))
        .group_by("journal", maintain_order=True)
        .agg("step", "first", *columns)
    )
    by_type = zip(*(of_journals[column].to_list() for column in columns), strict=True)
    steps, firsts = of_journals["step"].to_list(), of_journals["first"].to_list()
    return msgspec.json.encode(list(zip(steps, by_type, firsts, strict=True)))
