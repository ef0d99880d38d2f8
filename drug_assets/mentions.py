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

_LETTERS_AND_DIGITS = r"\p{L}\p{N}"
#: The characters that UTF-8 spells with one, two, three and four bytes.
_CHARACTERS_BY_SIZE = (
    r"\x{0}-\x{7F}",
    r"\x{80}-\x{7FF}",
    r"\x{800}-\x{FFFF}",
    r"\x{10000}-\x{10FFFF}",
)
_ASCII_BLANKED = bytes(
    ord(chr(byte).lower() if chr(byte).isalnum() else " ") if byte < 0x80 else byte
    for byte in range(0x100)
)


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
    """The names to search for, folded, and what to look for first. Sizes are bytes of UTF-8."""

    #: The different names, in column name (Binary).
    names: pl.DataFrame
    #: Whose they are: columns name_row, drug_row (of `names` and of `drugs`), length of the name in
    #: characters and ambiguous (whether it is a name of other drugs, too).
    owners: pl.DataFrame
    #: The drugs, in column drug_id, sorted.
    drugs: pl.DataFrame
    #: How names lie around their first word: columns word, next_word (null if there is none), ahead
    #: (how much of the name stands before the word: 4 in "(+)-catechin") and size of the name.
    outlines: pl.DataFrame
    #: The different first words, as one list.
    first_words: pl.Series

    @classmethod
    def of(cls, names: pl.DataFrame) -> _Vocabulary:
        """The vocabulary of a frame with columns drug_id and name."""
        listed = (
            names.select("drug_id", name=folded(pl.col("name")))
            .filter(pl.col("name").str.contains(rf"[{_LETTERS_AND_DIGITS}]"))
            .unique()
        )
        drugs = listed.select(pl.col("drug_id").unique().sort()).with_row_index("drug_row")
        different = listed.select("name").unique().with_row_index("name_row")
        owners = listed.join(different, on="name").join(drugs, on="drug_id")
        size = _size("name")
        outlines = (
            different.with_columns(_blanked(different["name"]).alias("blanked"))
            .with_columns(from_first_word=pl.col("blanked").str.strip_chars_start(" "))
            .with_columns(words=pl.col("from_first_word").str.strip_chars_end(" ").str.split(" "))
            .with_columns(
                pl.col("words").list.get(n, null_on_oob=True).alias(word)
                for n, word in enumerate(("word", "next_1", "next_2"))
            )
            .select("word", _next_word(), ahead=size - _size("from_first_word"), size=size)
            .unique()
        )
        return cls(
            names=different.select("name_row", pl.col("name").cast(pl.Binary)),
            owners=owners.select(
                "name_row",
                "drug_row",
                length=pl.col("name").str.len_chars().cast(pl.Int64),
                ambiguous=pl.len().over("name_row") > 1,
            ),
            drugs=drugs,
            outlines=outlines,
            first_words=outlines["word"].unique().implode(),
        )


@dataclass(frozen=True)
class _Text:
    """Titles laid end to end, folded, with a blank before, between and after them.

    A `place` counts bytes (UTF-8) through all of it: it orders what stands in different titles, and
    to cut there costs the same however far it is.
    """

    #: All of it, in one value (Binary).
    folded: pl.Series
    #: The same with a blank for each byte of a character that is no letter or digit.
    blanked: pl.Series
    #: The places where the titles begin, and one past their ends.
    beginnings: pl.Series
    ends: pl.Series

    @classmethod
    def of(cls, titles: pl.Series) -> _Text:
        """The text of some titles, none of them null."""
        # Of ASCII, which most titles are, bytes can be mapped: ten times as fast as text.
        others = (titles.str.len_bytes() != titles.str.len_chars()).arg_true()
        folded_others = pl.select(folded(pl.lit(titles.gather(others)))).to_series()
        each = titles.clone().scatter(others, folded_others)
        blanked = titles.clone().scatter(others, _blanked(folded_others))
        sizes = each.str.len_bytes().cast(pl.Int64)
        ends = (sizes + 1).cum_sum()
        return cls(
            folded=pl.Series([_laid_out(each).lower()]),
            blanked=pl.Series([_laid_out(blanked).translate(_ASCII_BLANKED)]),
            beginnings=ends - sizes,
            ends=ends,
        )

    def words(self) -> pl.DataFrame:
        """What stands between blanks: columns word (empty between two blanks) and next_place."""
        return (
            self.blanked.cast(pl.String)
            .str.split(" ")
            .explode()
            .to_frame("word")
            .with_columns(next_place=(pl.col("word").str.len_bytes() + 1).cum_sum())
        )

    def characters(self, origin: pl.Series, place: pl.Series) -> pl.Series:
        """How many characters stand between two places."""
        between = pl.lit(self.folded).bin.slice(origin, place - origin)
        return pl.select(between.cast(pl.String).str.len_chars().cast(pl.Int64)).to_series()


def _laid_out(texts: pl.Series) -> bytes:
    edge = pl.Series([""])
    joined: bytes = pl.concat([edge, texts, edge]).str.join(" ").cast(pl.Binary).item()
    return joined


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
    """The mentions in one batch of titles, as `find_mentions` gives them."""
    titles = titles.drop_nulls("title")
    text = _Text.of(titles["title"])
    found = (
        _leftmost_longest(_candidates(text, vocabulary))
        .join(vocabulary.owners, on="name_row")
        .sort("row", "drug_row", "place")
    )
    start, end = pl.col("start"), pl.col("start") + pl.col("length")
    spans = (
        found.with_columns(start=text.characters(found["origin"], found["place"]))
        .with_columns(titles.select(pl.col("title").gather(found["row"])))
        .select(
            "row",
            "drug_row",
            "ambiguous",
            pl.struct(start, end=end, text=pl.col("title").str.slice(start, "length")).alias(
                "span"
            ),
        )
        .group_by("row", "drug_row", maintain_order=True)
        .agg(spans="span", ambiguous=pl.col("ambiguous").all())
    )
    mentions = titles.select(pl.all().gather(spans["row"])).with_columns(
        vocabulary.drugs["drug_id"].gather(spans["drug_row"]), spans["spans"], spans["ambiguous"]
    )
    # Strings of Polars are views: appending nothing copies them, and lets go of the whole batch.
    return mentions.with_columns(pl.col(pl.String) + "")


def _candidates(text: _Text, vocabulary: _Vocabulary) -> pl.DataFrame:
    """Every place where a name stands between neighbours that are no letters or digits.

    Columns place and size, name_row (of the vocabulary), row (of the title) and origin (the place
    where that title begins).
    """
    words = (
        text.words()
        .with_columns(next_1=pl.col("word").shift(-1), next_2=pl.col("word").shift(-2))
        .filter(pl.col("word").is_in(vocabulary.first_words))
        .select("word", _next_word(), place=pl.col("next_place") - 1 - _size("word"))
    )
    # A name of several words is looked for by two of them: many begin with a word that is frequent
    # in titles ("human", "vitamin", "2"), few with the same two.
    alone = pl.col("next_word").is_null()
    outlined = pl.concat(
        [
            words.join(vocabulary.outlines.filter(alone).drop("next_word"), on="word"),
            words.join(vocabulary.outlines.filter(~alone), on=["word", "next_word"]),
        ],
        how="diagonal",
    )
    place, size = pl.col("place"), pl.col("size")
    found = (
        outlined.select("size", place=place - pl.col("ahead"))
        .filter(place > 0)
        .with_columns(name=pl.lit(text.folded).bin.slice(place, size))
        .join(vocabulary.names, on="name")
        .filter(
            pl.lit(text.blanked).bin.slice(place - 1, 1) == b" ",
            pl.lit(text.blanked).bin.slice(place + size, 1) == b" ",
        )
    )
    row = text.beginnings.search_sorted(found["place"], side="right").cast(pl.Int64) - 1
    return (
        found.select("place", "size", "name_row", row=row)
        .with_columns(origin=text.beginnings.gather(row))
        .filter(place + size <= text.ends.gather(row))
    )


def _leftmost_longest(candidates: pl.DataFrame) -> pl.DataFrame:
    """The candidates that remain, from left to right, once each has ruled out what it overlaps."""
    end = pl.col("place") + pl.col("size")
    undecided = candidates.sort("place", "size", descending=[False, True])
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


def _blanked(texts: pl.Series) -> pl.Series:
    """Texts with blanks for each character that is no letter or digit, as many as it has bytes."""
    for size, characters in enumerate(_CHARACTERS_BY_SIZE, start=1):
        texts = texts.str.replace_all(rf"[{characters}--[{_LETTERS_AND_DIGITS} ]]", " " * size)
    return texts


def _next_word() -> pl.Expr:
    """The next word, also after ", ", between whose two characters stands an empty word."""
    next_1 = pl.col("next_1")
    return pl.when(next_1 == "").then("next_2").otherwise(next_1).alias("next_word")


def _size(column: str) -> pl.Expr:
    """Bytes of a text, in a type that subtraction cannot wrap around."""
    return pl.col(column).str.len_bytes().cast(pl.Int64)
