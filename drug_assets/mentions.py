"""Titles and names to mentions: which drug is named where (SPEC section 4).

What the names of a drug are is decided in `cleaning.drugs`; what follows from a mention (journals,
the graph) in `graph`. Nothing here knows where titles come from or how they were cleaned.

A name can only stand where its first word is a whole word of the title, since neither neighbour of
a mention is a letter or a digit. So titles are cut into words, the few words that begin a name are
kept, and only around those is the text compared. The cost hardly depends on how many names there
are, which that of an automaton of all names does.
"""

from __future__ import annotations

from collections import deque
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING

import polars as pl

from drug_assets import contracts
from drug_assets.cleaning.text import folded

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

#: Titles searched at once by one thread: some 100 MB, however many titles there are.
BATCH_ROWS = 100_000

_MENTIONS = contracts.polars_schema(contracts.Mentions)
_OF_PUBLICATION = ("publication_id", "title", "journal", "journal_id", "date", "date_precision")
_FOUND = ("drug_id", "spans", "ambiguous")


def mentions(publications: Mapping[str, pl.LazyFrame], drugs: pl.LazyFrame) -> pl.LazyFrame:
    """The mentions of all drugs by the publications of all sources, as `contracts.Mentions`.

    The search runs at once; what is left to the lazy frame is to sort what it found.

    A trial has two titles. A drug that its title names is mentioned there; one that only its brief
    title names is mentioned too, and then the brief title is the mention's.

    Args:
        publications: By source, tables as `contracts.Publications`; those with a brief_title as
            `contracts.ClinicalTrials`.
        drugs: Table as `contracts.Drugs`.

    Returns:
        One row a drug and publication, sorted by drug_id, source and publication_id.
    """
    names = drugs.select("drug_id", name="names").explode("name").collect()
    found = [
        _found_in_publications(table, names).lazy().with_columns(source=pl.lit(source))
        for source, table in publications.items()
    ]
    nothing = pl.LazyFrame(schema=_MENTIONS).drop("drug")
    return (
        pl.concat([nothing, *found], how="diagonal")
        .join(drugs.select("drug_id", "drug"), on="drug_id")
        .select(_MENTIONS.names())
        .sort("drug_id", "source", "publication_id")
    )


def _found_in_publications(table: pl.LazyFrame, names: pl.DataFrame) -> pl.DataFrame:
    """What `find_mentions` finds in the titles and, of other drugs, in the brief titles."""
    found = find_mentions(table.select(_OF_PUBLICATION), names)
    if "brief_title" not in table.collect_schema():
        return found
    brief = table.with_columns(title="brief_title").select(_OF_PUBLICATION)
    in_brief = find_mentions(brief, names)
    return pl.concat([found, in_brief.join(found, on=["drug_id", "publication_id"], how="anti")])


def find_mentions(
    titles: pl.LazyFrame,
    names: pl.DataFrame,
    *,
    batch_rows: int = BATCH_ROWS,
    threads: int | None = None,
) -> pl.DataFrame:
    """Every title in which a name of a drug stands, with the places where it stands.

    A name stands in a title where the two are equal when folded and neither neighbour is a letter
    or a digit. Of names that overlap the leftmost is taken, and the longest of those that begin at
    one place. Names without a letter or a digit are ignored.

    Titles are read in batches and only what is found is kept, so they may exceed memory. Neither
    the size of the batches nor the number of threads makes a difference to the result.

    Args:
        titles: Column title, in which null names nothing, and whatever else is to be kept.
        names: Columns drug_id and name, one row a spelling.
        batch_rows: Titles searched at once by one thread.
        threads: Batches searched at the same time; as many as Polars has threads if not given.

    Returns:
        One row a title and drug, in order of titles, then of drug_id: the columns of titles,
        drug_id; spans, a list of start and end (in characters of the title, from 0, the end
        excluded) and text, in order; and ambiguous, whether every name found for the drug there is
        a name of other drugs, too.
    """
    vocabulary = _Vocabulary.of(names)
    batches = (
        batch
        for read in titles.collect_batches(chunk_size=batch_rows, lazy=True)
        for batch in read.iter_slices(batch_rows)
    )
    found = _found_in_each(batches, vocabulary, threads or pl.thread_pool_size())
    columns = titles.collect_schema()
    nothing = pl.DataFrame(schema={**columns, **{c: _MENTIONS[c] for c in _FOUND}})
    return pl.concat([nothing, *found])


@dataclass(frozen=True)
class _Vocabulary:
    """The names to search for, and what to look for first."""

    #: Columns drug_id, name (folded) and ambiguous (whether it is a name of other drugs, too).
    owners: pl.DataFrame
    #: How names lie around their first word: columns word, next_word (null if there is none), ahead
    #: (the characters of the name before the word: 4 in "(+)-catechin") and length of the name.
    outlines: pl.DataFrame

    @classmethod
    def of(cls, names: pl.DataFrame) -> _Vocabulary:
        """The vocabulary of a frame with columns drug_id and name."""
        owners = (
            names.select("drug_id", name=folded(pl.col("name")))
            .filter(pl.col("name").str.contains(r"[\p{L}\p{N}]"))
            .unique()
            .with_columns(ambiguous=pl.len().over("name") > 1)
        )
        from_first_word = _blanked(pl.col("name")).str.strip_chars_start(" ")
        words = from_first_word.str.strip_chars_end(" ").str.split(" ")
        outlines = owners.select(
            word=words.list.get(0),
            next_word=_first_not_empty(*(words.list.get(n, null_on_oob=True) for n in (1, 2))),
            ahead=_length("name") - from_first_word.str.len_chars(),
            length=_length("name"),
        ).unique()
        return cls(owners, outlines)


def _found_in_each(
    batches: Iterable[pl.DataFrame], vocabulary: _Vocabulary, threads: int
) -> Iterator[pl.DataFrame]:
    """What each batch holds, in order. Threads are of use here: Polars works without the GIL."""
    with ThreadPoolExecutor(threads) as pool:
        searches: deque[Future[pl.DataFrame]] = deque()
        for batch in batches:
            if len(searches) == threads:
                yield searches.popleft().result()
            searches.append(pool.submit(_found_in, batch, vocabulary))
        yield from (search.result() for search in searches)


def _found_in(titles: pl.DataFrame, vocabulary: _Vocabulary) -> pl.DataFrame:
    """The mentions in one batch of titles, as `find_mentions` gives them.

    A `place` counts characters through all titles of the batch, laid end to end and one apart: it
    orders what stands in different titles, too. `origin` is the place where a title begins.
    """
    titles = titles.drop_nulls("title").with_row_index("_row")
    texts = titles.select(
        "title", row="_row", folded=folded(pl.col("title")), origin=_places("title")
    ).with_columns(blanked=_blanked(pl.col("folded")))
    spans = (
        _leftmost_longest(_candidates(texts, vocabulary))
        .join(vocabulary.owners, on="name")
        .sort("place")
        .with_columns(text=pl.col("title").str.slice("start", "length"))
        .group_by(_row="row", drug_id="drug_id")
        .agg(pl.struct("start", "end", "text").alias("spans"), pl.col("ambiguous").all())
        .sort("_row", "drug_id")
    )
    found = titles.join(spans, on="_row", maintain_order="right").drop("_row")
    # Strings of Polars are views: appending nothing copies them, and lets go of the whole batch.
    return found.with_columns(pl.col(pl.String) + "")


def _candidates(texts: pl.DataFrame, vocabulary: _Vocabulary) -> pl.DataFrame:
    """Every place where a name stands between neighbours that are no letters or digits."""
    outlines = vocabulary.outlines
    words = (
        texts.select("row", word=pl.col("blanked").str.split(" "))
        .explode("word")
        .with_columns(next_1=pl.col("word").shift(-1), next_2=pl.col("word").shift(-2))
        .with_columns(place=_places("word"))
        .filter(pl.col("word").is_in(outlines["word"].unique().implode()))
        .with_columns(next_word=_first_not_empty(pl.col("next_1"), pl.col("next_2")))
    )
    # A name of several words is looked for by two of them: many begin with a word that is frequent
    # in titles ("human", "vitamin", "2"), few with the same two.
    alone = pl.col("next_word").is_null()
    outlined = pl.concat(
        [
            words.join(outlines.filter(alone).drop("next_word"), on="word"),
            words.join(outlines.filter(~alone), on=["word", "next_word"]),
        ],
        how="diagonal",
    )
    start, end = pl.col("start"), pl.col("end")
    before, after = pl.col("blanked").str.slice(start - 1, 1), pl.col("blanked").str.slice(end, 1)
    return (
        outlined.join(texts, on="row")
        .with_columns(place=pl.col("place") - pl.col("ahead"))
        .with_columns(start=pl.col("place") - pl.col("origin"))
        .with_columns(end=start + pl.col("length"))
        .filter(start >= 0, end <= _length("title"))
        .with_columns(name=pl.col("folded").str.slice(start, "length"))
        .join(vocabulary.owners, on="name", how="semi")
        .filter((start == 0) | (before == " "), (end == _length("title")) | (after == " "))
    )


def _leftmost_longest(candidates: pl.DataFrame) -> pl.DataFrame:
    """The candidates that remain, from left to right, once each has ruled out what it overlaps."""
    end = pl.col("place") + pl.col("length")
    undecided = candidates.sort("place", "length", descending=[False, True])
    chosen = [undecided.clear()]
    while not undecided.is_empty():
        # What begins after all before it have ended is chosen; it rules out what it overlaps. What
        # then remains overlapped only what is now ruled out, or each other.
        free = (pl.col("place") >= end.cum_max().shift(1)).fill_null(value=True)
        judged = undecided.with_columns(
            free=free, ruled_out_to=pl.when(free).then(end).forward_fill()
        )
        chosen.append(judged.filter("free").select(undecided.columns))
        undecided = judged.filter(
            ~pl.col("free"), pl.col("place") >= pl.col("ruled_out_to")
        ).select(undecided.columns)
    return pl.concat(chosen)


def _blanked(text: pl.Expr) -> pl.Expr:
    """Text with a blank for each character that is no letter or digit: words keep their places."""
    return text.str.replace_all(r"[^\p{L}\p{N} ]", " ")


def _first_not_empty(first: pl.Expr, second: pl.Expr) -> pl.Expr:
    """The next word, also after ", ", between whose two characters stands an empty word."""
    return pl.when(first == "").then(second).otherwise(first)


def _length(column: str) -> pl.Expr:
    """Characters of a text, in a type that subtraction cannot wrap around."""
    return pl.col(column).str.len_chars().cast(pl.Int64)


def _places(column: str) -> pl.Expr:
    """Where each text of a column begins if they are laid end to end, one character apart."""
    return (_length(column) + 1).cum_sum() - _length(column) - 1
