"""Titles and names to mentions: which drug is named where (SPEC section 4).

What a drug's names are is decided in `cleaning.drugs`; what a mention is good for (a journal, a
graph) in `graph`. Nothing here depends on where titles come from.

How it works. A name can only stand where its first word stands as a whole word of the title, for
both its neighbours are no letter or digit. So titles are cut into words, and the few words that
begin a name are looked at closer. That takes one pass over the words, whose cost hardly depends on
how many names there are, unlike that of an automaton of all names.
"""

from __future__ import annotations

from collections import deque
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING

import polars as pl

from drug_assets import contracts
from drug_assets.cleaning.text import folded

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

#: Titles searched at once by a thread: some 100 MB of memory, whatever the number of titles.
BATCH_ROWS = 100_000

_MENTIONS = contracts.polars_schema(contracts.Mentions)
_FOUND = pl.Schema({c: _MENTIONS[c] for c in ("drug_id", "publication_id", "spans")})

#: What separates words; each such character by itself, so that words keep their places.
_SEPARATOR = r"[^\p{L}\p{N} ]"


def mentions(publications: Mapping[str, pl.LazyFrame], drugs: pl.LazyFrame) -> pl.LazyFrame:
    """The mentions of all drugs by the publications of all sources, as `contracts.Mentions`.

    The search runs when this is called; what is lazy is giving the mentions found their titles,
    journals and dates.

    Args:
        publications: By source, tables as `contracts.Publications`.
        drugs: Table as `contracts.Drugs`.

    Returns:
        One row a drug and publication, sorted by drug_id, source and publication_id.
    """
    names = drugs.select("drug_id", name="names").explode("name").collect()
    tables = [pl.LazyFrame(schema=_MENTIONS)]
    for source, titled in publications.items():
        found = find_mentions(titled, names).lazy()
        table = (
            found.join(titled.select(*_OF_PUBLICATIONS), on="publication_id", validate="m:1")
            .join(drugs.select("drug_id", "drug"), on="drug_id", validate="m:1")
            .with_columns(source=pl.lit(source))
            .select(_MENTIONS.names())
        )
        tables.append(table)
    return pl.concat(tables).sort("drug_id", "source", "publication_id")


_OF_PUBLICATIONS = ("publication_id", "title", "journal", "journal_id", "date", "date_precision")


def find_mentions(
    titles: pl.LazyFrame,
    names: pl.DataFrame,
    *,
    batch_rows: int = BATCH_ROWS,
    threads: int | None = None,
) -> pl.DataFrame:
    """Every title in which a name of a drug stands, with the places where it stands.

    A name stands in a title where both are equal when folded and neither neighbour is a letter or a
    digit. Of names that overlap, the leftmost is taken, and of those that begin at the same place
    the longest. Names without a letter or a digit are ignored.

    Titles are read in batches and only what is found is kept, so they may exceed memory. The size
    of the batches and the number of threads have no influence on the result.

    Args:
        titles: Columns publication_id and title (null is allowed, and mentions nothing); others are
            ignored. Text as `cleaned` gives it.
        names: Columns drug_id and name, a row for every spelling. Text as `cleaned` gives it.
        batch_rows: Titles searched at once by a thread.
        threads: Batches searched at the same time; as many as Polars has threads if not given.

    Returns:
        One row a drug and publication, sorted by both: drug_id, publication_id, and spans, a list
        of start, end (in characters of the title, from 0, end excluded) and text, in order.
    """
    vocabulary = _Vocabulary.of(names)
    wanted = titles.select("publication_id", "title").filter(pl.col("title").is_not_null())
    batches = (
        batch
        for read in wanted.collect_batches(chunk_size=batch_rows, lazy=True)
        for batch in read.iter_slices(batch_rows)
    )
    found = _found_in_each(batches, vocabulary, threads or pl.thread_pool_size())
    table = pl.concat([_FOUND.to_frame(), *found])
    return table.sort("drug_id", "publication_id")


@dataclass(frozen=True)
class _Vocabulary:
    """The names to search for, cut up the way titles are."""

    #: Words with which a name begins.
    first_words: pl.Series
    #: Where a name may lie around its first word: by first and second word (null where it has but
    #: one), its `length` and how far `ahead` of the first word it begins, as "(+)-catechin" does.
    outlines: pl.DataFrame
    #: drug_id by folded name.
    owners: pl.DataFrame

    @classmethod
    def of(cls, names: pl.DataFrame) -> _Vocabulary:
        """The vocabulary of a frame with columns drug_id and name."""
        owners = (
            names.select("drug_id", name=folded(pl.col("name")))
            .filter(pl.col("name").str.contains(r"[\p{L}\p{N}]"))
            .unique()
        )
        # From the first letter or digit to the last, so that words are words of the title too.
        core = pl.col("name").str.extract(r"([\p{L}\p{N}](?s:.*[\p{L}\p{N}])?)")
        words = _words(core)
        outlines = owners.select(
            word=words.list.get(0),
            next_word=words.list.get(1, null_on_oob=True),
            ahead=pl.col("name").str.extract(r"^([^\p{L}\p{N}]*)").str.len_chars().cast(pl.Int64),
            length=pl.col("name").str.len_chars().cast(pl.Int64),
        ).unique()
        return cls(outlines["word"].unique(), outlines, owners)


def _found_in_each(
    batches: Iterable[pl.DataFrame], vocabulary: _Vocabulary, threads: int
) -> Iterator[pl.DataFrame]:
    """What is found in each batch, in order; Polars lets other threads run while it computes."""
    with ThreadPoolExecutor(threads) as pool:
        searches: deque[Future[pl.DataFrame]] = deque()
        for batch in batches:
            if len(searches) == threads:
                yield searches.popleft().result()
            searches.append(pool.submit(_found_in, batch, vocabulary))
        yield from (search.result() for search in searches)


def _found_in(titles: pl.DataFrame, vocabulary: _Vocabulary) -> pl.DataFrame:
    """The mentions in one batch of titles, in order of titles."""
    titles = titles.with_columns(text=folded(pl.col("title")))
    spans = _leftmost_longest(_spans(_occurrences(titles, vocabulary.first_words), titles, vocabulary)
    ...
