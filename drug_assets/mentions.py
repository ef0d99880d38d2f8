"""Titles and names to mentions: which drug is named where (SPEC section 4).

What the names of a drug are is decided in `cleaning.drugs`; what follows from a mention (journals,
the graph) in `graph`. Nothing here knows where titles come from or how they were cleaned.

A name can only stand where its first word is a whole word of the title, since neither neighbour of
a mention is a letter or a digit. So titles are cut into words, the few words that begin a name are
kept, and only around those is the text compared. Words are told apart by their hashes alone: where
two have the same one, the comparison decides. The cost hardly depends on how many names there are,
which that of an automaton of all names does.
"""

from __future__ import annotations

import hashlib
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
_RECORD = ("source_file", "source_row")

_LETTER_OR_DIGIT = r"[\p{L}\p{N}]"
_ASCII_SIGN = r"[\x{0}-\x{7F}--[0-9A-Za-z]]"
_SIGN_BEYOND_ASCII = r"[^\x{0}-\x{7F}\p{L}\p{N}]"
#: Bytes of titles to those of lines that hold a word each, in lower case.
_WORD_BYTES = bytes(
    ord(chr(byte).lower() if chr(byte).isalnum() else "\n") if byte < 0x80 else byte
    for byte in range(0x100)
)

#: Slots of a `_HashSet`: 1 MB, which a processor keeps at hand. Beyond a million names, sets tell
#: little, which costs time and nothing else.
_SLOTS = 2**20


def drugs_named(records: pl.LazyFrame, drugs: pl.LazyFrame) -> pl.LazyFrame:
    """Which drugs the titles of records name, and where.

    A trial has two titles. A drug that its title names is found there; one that only its brief
    title names is found there. The search runs at once.

    Args:
        records: Columns source_file, source_row and title, and brief_title if they are of trials.
        drugs: Table as `contracts.Drugs`.

    Returns:
        One row a record and drug: source_file, source_row, drug_id, spans, ambiguous, and
        in_brief_title; rows of a file stand together.
    """
    names = drugs.select("drug_id", name="names").explode("name").collect()
    found = find_mentions(records.select(*_RECORD, "title"), names)
    found = found.with_columns(in_brief_title=pl.lit(value=False))
    if "brief_title" in records.collect_schema():
        in_brief = find_mentions(records.select(*_RECORD, title="brief_title"), names)
        further = in_brief.join(found, on=[*_RECORD, "drug_id"], how="anti")
        further = further.with_columns(in_brief_title=pl.lit(value=True))
        found = pl.concat([found, further]).sort("source_file", maintain_order=True)
    return found.drop("title").lazy()


def names_id(drugs: pl.LazyFrame) -> str:
    """An identity of what titles are searched for: drugs with other names have another one."""
    names = drugs.select("drug_id", name="names").explode("name").sort("drug_id", "name")
    line = pl.concat_str("drug_id", "name", separator="\0", ignore_nulls=True)
    text = names.select(line.str.join("\n")).collect().item()
    return hashlib.sha256(text.encode()).hexdigest()


def mentions(
    publications: Mapping[str, pl.LazyFrame],
    named: Mapping[str, pl.LazyFrame],
    drugs: pl.LazyFrame,
) -> pl.LazyFrame:
    """The mentions of all drugs by the publications of all sources, as `contracts.Mentions`.

    Args:
        publications: By source, tables as `contracts.Publications`; those with a brief_title as
            `contracts.ClinicalTrials`.
        named: By source, what `drugs_named` found in its records; what it found in those that are
            no publication of their own counts for nothing.
        drugs: Table as `contracts.Drugs`.

    Returns:
        One row a drug and publication, sorted by drug_id, source and publication_id.
    """
    found = [
        table.join(named[source], on=_RECORD)
        .with_columns(source=pl.lit(source), title=_title_that_names(table))
        .select(*_OF_PUBLICATION, *_FOUND, "source")
        for source, table in publications.items()
    ]
    nothing = pl.LazyFrame(schema=_MENTIONS).drop("drug")
    return (
        pl.concat([nothing, *found], how="diagonal")
        .join(drugs.select("drug_id", "drug"), on="drug_id")
        .select(_MENTIONS.names())
        .sort("drug_id", "source", "publication_id")
    )


def _title_that_names(publications: pl.LazyFrame) -> pl.Expr:
    if "brief_title" not in publications.collect_schema():
        return pl.col("title")
    return pl.when("in_brief_title").then("brief_title").otherwise("title")


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

    #: The different names: columns name_row, name (Binary) and name_hash.
    names: pl.DataFrame
    #: Whose they are: columns name_row, drug_row (of `names` and of `drugs`), length of the name in
    #: characters and ambiguous (whether it is a name of other drugs, too).
    owners: pl.DataFrame
    #: The drugs, in column drug_id, sorted.
    drugs: pl.DataFrame
    #: How names lie around their first word: columns key (`_keys` of that word), ahead (how far
    #: before the next word the name begins: 13 in "(+)-catechin 2") and size of the name.
    outlines: pl.DataFrame
    #: The hashes of first words, and the keys of outlines.
    first_words: _HashSet
    keys: _HashSet

    @classmethod
    def of(cls, names: pl.DataFrame) -> _Vocabulary:
        """The vocabulary of a frame with columns drug_id and name."""
        listed = (
            names.select("drug_id", name=folded(pl.col("name")))
            .filter(pl.col("name").str.contains(_LETTER_OR_DIGIT))
            .unique()
        )
        drugs = listed.select(pl.col("drug_id").unique().sort()).with_row_index("drug_row")
        different = listed.select("name").unique().with_row_index("name_row")
        owners = listed.join(different, on="name").join(drugs, on="drug_id")
        blanked = _blanked(different["name"]).str.replace_all(_ASCII_SIGN, " ")
        words = pl.col("from_first_word").str.strip_chars_end(" ").str.split(" ")
        hashes = words.list.eval(pl.element().hash())
        lying = (
            different.with_columns(from_first_word=blanked.str.strip_chars_start(" "))
            .with_columns(first_word=words.list.first(), words=hashes)
            .with_columns(
                pl.col("words").list.get(n, null_on_oob=True).alias(word)
                for n, word in enumerate(("word", "next_1", "next_2"))
            )
            .with_columns(
                key=pl.coalesce(_key_with_next(), "word"),
                ahead=_size("name") - _size("from_first_word") + _size("first_word") + 1,
                size=_size("name"),
            )
        )
        outlines = lying.select("key", "ahead", "size").unique()
        return cls(
            names=different.select("name_row", pl.col("name").cast(pl.Binary)).with_columns(
                name_hash=pl.col("name").hash()
            ),
            owners=owners.select(
                "name_row",
                "drug_row",
                length=pl.col("name").str.len_chars().cast(pl.Int64),
                ambiguous=pl.len().over("name_row") > 1,
            ),
            drugs=drugs,
            outlines=outlines,
            first_words=_HashSet.of(lying["word"]),
            keys=_HashSet.of(outlines["key"]),
        )


@dataclass(frozen=True)
class _HashSet:
    """Some hashes, to rule out at little cost most of those that are not among them."""

    #: By slot, whether one of the hashes falls there: 1 or 0, which are faster than booleans.
    taken: pl.Series

    @classmethod
    def of(cls, hashes: pl.Series) -> _HashSet:
        """The set of these hashes."""
        slots = pl.zeros(_SLOTS, dtype=pl.UInt8, eager=True)
        return cls(slots.scatter(hashes % _SLOTS, 1))

    def may_hold(self, column: str) -> pl.Expr:
        """Whether a hash can be in the set: true of all that are, false of most that are not."""
        return pl.lit(self.taken).gather(pl.col(column) % _SLOTS) == 1


@dataclass(frozen=True)
class _Text:
    """Titles, folded, and the same laid end to end with a blank between them.

    A `place` counts bytes (UTF-8) through all of it: it orders what stands in different titles.
    """

    #: Each title (Binary).
    titles: pl.Series
    #: The places where the titles begin.
    beginnings: pl.Series
    #: All of it, with a line break for each byte of a character that is no letter or digit.
    lines: bytes

    @classmethod
    def of(cls, titles: pl.Series) -> _Text:
        """The text of some titles, none of them null."""
        # Of ASCII, which most titles are, bytes can be mapped: ten times as fast as text.
        others = (titles.str.len_bytes() != titles.str.len_chars()).arg_true()
        folded_others = pl.select(folded(pl.lit(titles.gather(others)))).to_series()
        each = titles.str.to_lowercase().scatter(others, folded_others)
        blanked = titles.clone().scatter(others, _blanked(folded_others))
        laid_out: bytes = blanked.str.join(" ").cast(pl.Binary).item()
        sizes = each.str.len_bytes().cast(pl.Int64)
        return cls(
            titles=each.cast(pl.Binary),
            beginnings=(sizes + 1).cum_sum() - (sizes + 1),
            lines=laid_out.translate(_WORD_BYTES),
        )

    def words(self) -> pl.LazyFrame:
        """What stands on the lines (the empty text between two signs), in order.

        Columns word, next_1 and next_2 (the hashes of it and of the two words after it, null after
        the last), and next_place (of the word after it).
        """
        line = pl.col("line")
        # Lines are read in two thirds of the time that it takes to split text.
        return (
            pl.scan_lines(self.lines)
            .select(word=line.hash(), next_place=(line.str.len_bytes() + 1).cum_sum())
            .with_columns(next_1=pl.col("word").shift(-1), next_2=pl.col("word").shift(-2))
        )


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
    found = (
        _leftmost_longest(_candidates(_Text.of(titles["title"]), vocabulary))
        .join(vocabulary.owners, on="name_row")
        .sort("row", "drug_row", "place")
    )
    start, end = pl.col("start"), pl.col("start") + pl.col("length")
    spans = (
        found.with_columns(titles.select(pl.col("title").gather(found["row"])))
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

    Columns place and size, name_row (of the vocabulary), row (of the title) and start (in
    characters of the title).
    """
    words = text.words().filter(vocabulary.first_words.may_hold("word")).collect()
    # A name of several words is looked for by two of them: many begin with a word that is frequent
    # in titles ("human", "vitamin", "2"), few with the same two.
    keys = pl.concat(
        words.select(key=key, next_place=pl.col("next_place").cast(pl.Int64))
        for key in (pl.col("word"), _key_with_next())
    )
    outlined = (
        keys.filter(vocabulary.keys.may_hold("key"))
        .join(vocabulary.outlines, on="key")
        .select("size", place=pl.col("next_place") - pl.col("ahead"))
        .filter(pl.col("place") >= 0)
    )
    row = text.beginnings.search_sorted(outlined["place"], side="right").cast(pl.Int64) - 1
    title, offset, end = pl.col("title"), pl.col("offset"), pl.col("offset") + pl.col("size")
    return (
        outlined.with_columns(
            row=row,
            title=text.titles.gather(row),
            offset=pl.col("place") - text.beginnings.gather(row),
        )
        .with_columns(name=title.bin.slice(offset, "size"))
        .with_columns(name_hash=pl.col("name").hash())
        .join(vocabulary.names, on="name_hash", suffix="_there")
        # What is cut where a title ends may still be a name, but not the one that is looked for.
        .filter(pl.col("name") == pl.col("name_there"), pl.col("name").bin.size() == pl.col("size"))
        .with_columns(
            before=title.bin.slice(0, offset).cast(pl.String),
            after=title.bin.slice(end).cast(pl.String),
        )
        .filter(
            ~pl.col("before").str.contains(rf"{_LETTER_OR_DIGIT}$"),
            ~pl.col("after").str.contains(rf"^{_LETTER_OR_DIGIT}"),
        )
        .select(
            "place",
            "size",
            "name_row",
            "row",
            start=pl.col("before").str.len_chars().cast(pl.Int64),
        )
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
    """Texts with blanks for characters beyond ASCII that are no letters or digits, one a byte."""
    signs = texts.str.extract_all(_SIGN_BEYOND_ASCII).explode().drop_nulls().unique()
    return texts.str.replace_many({sign: " " * len(sign.encode()) for sign in signs})


def _key_with_next() -> pl.Expr:
    """A hash of a word and the next, null if there is none.

    The next word is also that after ", ", between whose two characters stands an empty word.
    """
    next_1 = pl.col("next_1")
    next_word = pl.when(next_1 == pl.lit("").hash()).then("next_2").otherwise(next_1)
    return 2 * pl.col("word") + next_word


def _size(column: str) -> pl.Expr:
    """Bytes of a text, in a type that subtraction cannot wrap around."""
    return pl.col(column).str.len_bytes().cast(pl.Int64)
