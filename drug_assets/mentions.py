"""Titles and names -> mentions: which title names which drug (SPEC 4).

The names of a drug are chosen in `cleaning.drugs`; mentions are summarized in `graph`. No code here
knows where titles come from or how they were cleaned.

A mention has no letter or digit on either side, so the first word of its name is a whole word of
the title. The search splits titles into words, keeps the few words that begin a name, and compares
the text around these words only. Words are compared by their hashes; the comparison of the text
rules out collisions. The cost hardly depends on the number of names, unlike that of an automaton
of all names.
"""

from __future__ import annotations

from collections import deque
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from functools import cache, cached_property
from typing import TYPE_CHECKING

import polars as pl
import polars.selectors as cs

from drug_assets import contracts, mention_rules
from drug_assets.cleaning.text import LETTER_OR_DIGIT, blank_raised, fold_ascii, fold_text
from drug_assets.terms import MergeRule, SpanOrigin

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence

#: Titles that a thread searches at once: about 100 MB of memory, however many titles there are.
BATCH_ROWS = 100_000

_MENTIONS = contracts.polars_schema(contracts.Mentions)
_NAMED = contracts.polars_schema(contracts.DrugsNamed)
_PUBLICATION_COLUMNS = (
    "publication_id",
    "title",
    "journal",
    "journal_id",
    "date",
    "date_precision",
    # Only sources whose publications can be retracted have it.
    "retracted",
)
_FOUND_COLUMNS = ("drug_id", "spans", "ambiguous")
_RECORD = ("source_file", "source_row")

_ASCII_SIGN = r"[\x{0}-\x{7F}--[0-9A-Za-z]]"
_SIGN_BEYOND_ASCII = r"[^\x{0}-\x{7F}\p{L}\p{N}]"
#: Translates the bytes of titles to lower case, and every ASCII sign to a line break.
_WORD_BYTES = bytes(
    ord(chr(byte).lower() if chr(byte).isalnum() else "\n") if byte < 0x80 else byte
    for byte in range(0x100)
)


def list_searched_names(drugs: pl.LazyFrame) -> pl.LazyFrame:
    """List the names to search titles for: columns drug_id and name, sorted.

    Args:
        drugs: table as `contracts.Drugs`.
    """
    names = drugs.select("drug_id", name="names").explode("name", empty_as_null=False)
    return names.sort("drug_id", "name")


def find_drugs_named(
    records: pl.LazyFrame,
    side_table: Vocabulary,
    titles: Sequence[str] = ("title",),
    rules: Collection[SpanOrigin] = (),
) -> pl.LazyFrame:
    """Find the drugs that the titles of records name (`contracts.DrugsNamed`).

    Where a record has several titles, each drug is reported in the first title that names it. The
    search is not lazy: it runs during the call.

    Args:
        records: columns source_file, source_row and those of the titles.
        side_table: the vocabulary of names to search for.
        titles: the columns that hold a title, in order of precedence.
        rules: the rules that find mentions by something that is no name.

    Returns:
        One row per record and drug. The rows of a file are adjacent.
    """
    found = pl.DataFrame(schema=_NAMED)
    for title in titles:
        named = find_mentions(records.select(*_RECORD, title=title), side_table, rules=rules)
        further = named.join(found, on=[*_RECORD, "drug_id"], how="anti")
        further = further.with_columns(named_in=pl.lit(title)).select(_NAMED.names())
        found = pl.concat([found, further])
    if len(titles) > 1:
        found = found.sort("source_file", maintain_order=True)
    return found.lazy()


def join_mentions(
    publications: Mapping[str, pl.LazyFrame],
    named: Mapping[str, pl.LazyFrame],
    drugs: pl.LazyFrame,
    titles: Mapping[str, Sequence[str]],
    merged: Mapping[str, pl.LazyFrame],
    rules: Collection[SpanOrigin] = (),
) -> pl.LazyFrame:
    """Join drugs named to publications: the mentions of all sources (`contracts.Mentions`).

    Args:
        publications: by source, its table as `contracts.Publications`.
        named: by source, the result of `find_drugs_named` for its records. Rows of records that are
            not a publication of their own are ignored.
        drugs: table as `contracts.Drugs`.
        titles: by source, the columns of its table that hold a title.
        merged: by source, the rows merged into publications (`contracts.MergedRecords`). A title of
            such a publication can be that of another record, so its titles are searched again.
        rules: the rules that find mentions by something that is no name.

    Returns:
        One row per drug and publication, sorted by drug_id, source and publication_id.
    """

    @cache
    def vocabulary() -> Vocabulary:
        return Vocabulary.of(list_searched_names(drugs).collect())

    found = [
        table.join(
            _search_again(table, named[source], merged[source], vocabulary, titles[source], rules),
            on=_RECORD,
        )
        .with_columns(source=pl.lit(source), title=_pick_title(titles[source]))
        .select(cs.by_name(*_PUBLICATION_COLUMNS, *_FOUND_COLUMNS, "source", require_all=False))
        for source, table in publications.items()
    ]
    nothing = pl.LazyFrame(schema=_MENTIONS).drop("drug")
    return (
        pl.concat([nothing, *found], how="diagonal")
        .join(drugs.select("drug_id", "drug"), on="drug_id")
        .select(_MENTIONS.names())
        .sort("drug_id", "source", "publication_id")
    )


def _search_again(
    publications: pl.LazyFrame,
    named: pl.LazyFrame,
    merged: pl.LazyFrame,
    vocabulary: Callable[[], Vocabulary],
    titles: Sequence[str],
    rules: Collection[SpanOrigin],
) -> pl.LazyFrame:
    """The drugs named in the titles of records, and in those of publications that rows changed."""
    same_titles = pl.col("rule").is_in([MergeRule.SAME_CONTENT, MergeRule.PART_OF_RECORD])
    changed = merged.filter(~same_titles).select("merged_into")
    filled = (
        publications.join(changed, left_on="publication_id", right_on="merged_into", how="semi")
        .select(*_RECORD, *titles)
        .collect()
    )
    if filled.is_empty():
        return named
    found = find_drugs_named(filled.lazy(), vocabulary(), titles, rules)
    return pl.concat([named.join(filled.lazy(), on=_RECORD, how="anti"), found])


def _pick_title(titles: Sequence[str]) -> pl.Expr:
    return pl.coalesce(pl.when(pl.col("named_in") == title).then(title) for title in titles)


def find_mentions(
    titles: pl.LazyFrame,
    vocabulary: Vocabulary,
    *,
    rules: Collection[SpanOrigin] = (),
    batch_rows: int = BATCH_ROWS,
    threads: int | None = None,
) -> pl.DataFrame:
    """Find the titles that contain a name of a drug, with all occurrences.

    A name occurs in a title where their folded texts are equal and the characters before and after
    are neither letters nor digits. Raised characters count as plain ones or as signs: a name that
    occurs in either reading occurs. Of overlapping names the leftmost wins, and the longest of
    those with the same start. Names without a letter or a digit are ignored. Rules add spans that
    do not overlap those of names (`mention_rules`).

    Titles are read in batches and only mentions are kept, so the titles may exceed memory. The
    result depends neither on the size of the batches nor on the number of threads.

    Args:
        titles: column title, null where there is none, and any other columns.
        vocabulary: the names to search for.
        rules: the rules that find mentions by something that is no name.
        batch_rows: titles that a thread searches at once.
        threads: batches that are searched at the same time; None for the number of threads of
            Polars.

    Returns:
        One row per title and drug, in the order of titles, then of drug_id: the columns of titles;
        drug_id; spans, a list of start and end (in characters of the title, from 0, the end
        excluded), text and by (`SpanOrigin`), in order; and ambiguous, whether everything found for
        the drug is found for another drug, too.
    """
    batches = (
        batch
        for chunk in titles.collect_batches(chunk_size=batch_rows, lazy=True)
        for batch in chunk.iter_slices(batch_rows)
    )
    found = _search_batches(batches, vocabulary, threads or pl.thread_pool_size(), rules)
    columns = titles.collect_schema()
    nothing = pl.DataFrame(schema={**columns, **{c: _MENTIONS[c] for c in _FOUND_COLUMNS}})
    return pl.concat([nothing, *found])


@dataclass(frozen=True)
class Vocabulary:
    """The names to search for, folded, with indexes of their words. Sizes are bytes of UTF-8."""

    #: The distinct names: columns name_row, name (Binary) and name_hash.
    names: pl.DataFrame
    #: The drugs of each name: columns name_row and drug_row (rows of `names` and of `drugs`),
    #: length of the name in characters, and ambiguous (whether it is a name of several drugs).
    owners: pl.DataFrame
    #: The drugs: column drug_id, sorted.
    drugs: pl.DataFrame
    #: The position of names relative to their first word: columns key (the hash of the word, or
    #: `_key_with_next`), ahead (bytes from the start of the name to the word after its first one:
    #: 13 in "(+)-catechin 2"), and size of the name.
    layouts: pl.DataFrame
    #: The hashes of first words: column word.
    first_words: pl.DataFrame

    @classmethod
    def of(cls, names: pl.DataFrame) -> Vocabulary:
        """Build the vocabulary.

        Args:
            names: columns drug_id and name, one row per spelling.
        """
        spelled = (
            names.sort("drug_id")
            .select("drug_id", name=fold_text(pl.col("name")))
            .filter(pl.col("name").str.contains(LETTER_OR_DIGIT))
            .with_columns(drug_row=pl.col("drug_id").rle_id())
        )
        # Texts are compared only here: from then on, the numbers of rows stand for them.
        distinct = (
            spelled.group_by("name")
            .agg("drug_row")
            .with_row_index("name_row")
            .with_columns(pl.col("drug_row").list.unique())
        )
        blanked = _blank_signs(distinct["name"]).str.replace_all(_ASCII_SIGN, " ")
        words = pl.col("from_first_word").str.strip_chars_end(" ").str.split(" ")
        hashes = words.list.eval(pl.element().hash())
        indexed = (
            distinct.select("name_row", "name", from_first_word=blanked.str.strip_chars_start(" "))
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
        return cls(
            names=distinct.select("name_row", pl.col("name").cast(pl.Binary)).with_columns(
                name_hash=pl.col("name").hash()
            ),
            owners=distinct.select(
                "name_row",
                "drug_row",
                length=pl.col("name").str.len_chars().cast(pl.Int64),
                ambiguous=pl.col("drug_row").list.len() > 1,
            ).explode("drug_row", empty_as_null=False),
            drugs=spelled.filter(pl.col("drug_row").ne_missing(pl.col("drug_row").shift())).select(
                "drug_row", "drug_id"
            ),
            layouts=indexed.select("key", "ahead", "size").unique(),
            first_words=indexed.select("word").unique(),
        )

    @cached_property
    def elements(self) -> pl.DataFrame:
        """The drugs that are elements (`mention_rules.list_elements`); made if a rule needs it."""
        names = self.names.select("name_row", pl.col("name").cast(pl.String)).lazy()
        owned = names.join(self.owners.lazy(), on="name_row").select("name", drug="drug_row")
        return mention_rules.list_elements(owned).collect()


@dataclass(frozen=True)
class _Text:
    """Folded titles, and one text that joins them with a separator of one byte.

    A title with raised characters is read in two ways: with plain ones in their place ("¹⁷⁷Lu"),
    and with signs ("aspirin²", a footnote). The second readings are behind all titles.

    An `offset` counts bytes (UTF-8) in the joined text, across titles.
    """

    #: The readings of titles, folded (Binary). Those of a title have the same bytes in each place.
    readings: pl.Series
    #: The row of the title of each reading. The first readings are those of all titles, in order.
    rows: pl.Series
    #: The offset at which each reading begins.
    starts: pl.Series
    #: The joined text, with a line break for each byte of a character that is no letter or digit.
    lines: bytes

    @classmethod
    def of(cls, titles: pl.Series) -> _Text:
        """Build the text of titles, none of them null."""
        # Most titles are ASCII. Their bytes are translated, ten times as fast as folding.
        others = (titles.str.len_bytes() != titles.str.len_chars()).arg_true()
        folded_others = pl.select(fold_text(pl.lit(titles.gather(others)))).to_series()
        folded = pl.select(fold_ascii(pl.lit(titles))).to_series().scatter(others, folded_others)
        blanked = titles.clone().scatter(others, _blank_signs(folded_others))
        plain = pl.select(fold_text(blank_raised(pl.lit(titles.gather(others))))).to_series()
        is_raised = plain != folded_others
        raised, plain = others.filter(is_raised), plain.filter(is_raised)
        texts = pl.concat([blanked, _blank_signs(plain)])
        joined: bytes = texts.str.join(" ").cast(pl.Binary).item()
        readings = pl.concat([folded, plain])
        sizes = readings.str.len_bytes().cast(pl.Int64)
        return cls(
            readings=readings.cast(pl.Binary),
            rows=pl.concat([pl.arange(len(titles), eager=True).cast(others.dtype), raised]),
            starts=(sizes + 1).cum_sum() - (sizes + 1),
            lines=joined.translate(_WORD_BYTES),
        )

    def words(self) -> pl.LazyFrame:
        """The words of the joined text, in order, with an empty word between two adjacent signs.

        Columns word, next_1 and next_2 (the hashes of a word and of the two words after it, null
        after the last), and next_offset (the offset of the word after it).
        """
        line = pl.col("line")
        # Scanning lines takes two thirds of the time of splitting the text.
        return (
            pl.scan_lines(self.lines)
            .select(word=line.hash(), next_offset=(line.str.len_bytes() + 1).cum_sum())
            .with_columns(next_1=pl.col("word").shift(-1), next_2=pl.col("word").shift(-2))
        )


def _search_batches(
    batches: Iterable[pl.DataFrame],
    vocabulary: Vocabulary,
    threads: int,
    rules: Collection[SpanOrigin] = (),
) -> Iterator[pl.DataFrame]:
    """The mentions in each batch, in order. Threads help, since Polars releases the GIL."""
    with ThreadPoolExecutor(threads) as pool:
        searches: deque[Future[pl.DataFrame]] = deque()
        for batch in batches:
            if len(searches) == threads:
                yield searches.popleft().result()
            searches.append(pool.submit(_search_batch, batch, vocabulary, rules))
        yield from (search.result() for search in searches)


def _search_batch(
    titles: pl.DataFrame, vocabulary: Vocabulary, rules: Collection[SpanOrigin]
) -> pl.DataFrame:
    """The mentions in one batch of titles, with the columns of `find_mentions`."""
    titles = titles.drop_nulls("title")
    found = (
        _keep_leftmost_longest(_find_candidates(_Text.of(titles["title"]), vocabulary))
        .join(vocabulary.owners, on="name_row")
        .select(
            "row",
            "drug_row",
            "start",
            "length",
            "ambiguous",
            by=pl.lit(SpanOrigin.NAME.value),
        )
    )
    if rules:
        found = pl.concat([found, _find_by_rules(titles["title"], found, vocabulary, rules)])
    found = found.sort("row", "drug_row", "start")
    start, end = pl.col("start"), pl.col("start") + pl.col("length")
    spans = (
        found.with_columns(titles.select(pl.col("title").gather(found["row"])))
        .select(
            "row",
            "drug_row",
            "ambiguous",
            span=pl.struct(
                start,
                end.alias("end"),
                pl.col("title").str.slice(start, "length").alias("text"),
                "by",
            ),
        )
        .group_by("row", "drug_row", maintain_order=True)
        .agg(spans="span", ambiguous=pl.col("ambiguous").all())
    )
    mentions = titles.select(pl.all().gather(spans["row"])).with_columns(
        vocabulary.drugs["drug_id"].gather(spans["drug_row"]), spans["spans"], spans["ambiguous"]
    )
    # Strings of Polars are views. Appending "" copies them, so the memory of the batch is freed.
    return mentions.with_columns(pl.col(pl.String) + "")


def _find_by_rules(
    titles: pl.Series, named: pl.DataFrame, vocabulary: Vocabulary, rules: Collection[SpanOrigin]
) -> pl.DataFrame:
    """The spans that rules add to those of names, with the columns of these."""
    found = mention_rules.find_spans(
        rules,
        titles.alias("title").to_frame().with_row_index("row").cast({"row": named.schema["row"]}),
        named.select("row", "start", drug="drug_row", end=pl.col("start") + pl.col("length")),
        vocabulary.elements,
    )
    return found.select(
        "row", "start", "ambiguous", "by", drug_row="drug", length=pl.col("end") - pl.col("start")
    ).select(named.columns)


def _find_candidates(text: _Text, vocabulary: Vocabulary) -> pl.DataFrame:
    """Every occurrence of a name with no letter or digit on either side; they may overlap.

    Columns offset and size, name_row (of the vocabulary), row (of the title) and start (in
    characters of the title).
    """
    # The order of words decides nothing from here on: each has its offset.
    words = text.words().join(vocabulary.first_words.lazy(), on="word", how="semi").collect()
    # A name of several words is looked up by its first two words: many names begin with a word that
    # is frequent in titles ("human", "vitamin", "2"), but few begin with the same two words.
    keys = pl.concat(
        words.select(key=key, next_offset=pl.col("next_offset").cast(pl.Int64))
        for key in (pl.col("word"), _key_with_next())
    )
    laid_out = (
        keys.join(vocabulary.layouts, on="key")
        .select("size", offset=pl.col("next_offset") - pl.col("ahead"))
        .filter(pl.col("offset") >= 0)
    )
    reading = text.starts.search_sorted(laid_out["offset"], side="right").cast(pl.Int64) - 1
    row = text.rows.gather(reading)
    start_byte = laid_out["offset"] - text.starts.gather(reading)
    title, start = pl.col("title"), pl.col("start_byte")
    return (
        laid_out.with_columns(
            row=row.cast(pl.Int64),
            title=text.readings.gather(reading),
            start_byte=start_byte,
            offset=text.starts.gather(row) + start_byte,
        )
        .with_columns(name=title.bin.slice(start, "size"))
        .with_columns(name_hash=pl.col("name").hash())
        .join(vocabulary.names, on="name_hash", suffix="_known")
        # A slice that is cut at the end of the title may be a name, but a shorter one.
        .filter(pl.col("name") == pl.col("name_known"), pl.col("name").bin.size() == pl.col("size"))
        .with_columns(
            before=title.bin.slice(0, start).cast(pl.String),
            after=title.bin.slice(start + pl.col("size")).cast(pl.String),
        )
        .filter(
            ~pl.col("before").str.contains(rf"{LETTER_OR_DIGIT}$"),
            ~pl.col("after").str.contains(rf"^{LETTER_OR_DIGIT}"),
        )
        .select(
            "offset",
            "size",
            "name_row",
            "row",
            start=pl.col("before").str.len_chars().cast(pl.Int64),
        )
        # A name can occur in both readings of a title.
        .unique()
    )


def _keep_leftmost_longest(candidates: pl.DataFrame) -> pl.DataFrame:
    """Choose candidates from left to right, the longest first; each excludes those it overlaps."""
    end = pl.col("offset") + pl.col("size")
    undecided = candidates.sort("offset", "size", descending=[False, True])
    chosen = [undecided.clear()]
    while not undecided.is_empty():
        # A candidate that begins after the end of all candidates before it is chosen and excludes
        # those that it overlaps. The candidates that remain overlap only excluded ones or each
        # other, so the next round decides about them.
        free = (pl.col("offset") >= end.cum_max().shift(1)).fill_null(value=True)
        marked = undecided.with_columns(
            free=free, excluded_to=pl.when(free).then(end).forward_fill()
        )
        chosen.append(marked.filter("free").select(undecided.columns))
        undecided = marked.filter(
            ~pl.col("free"), pl.col("offset") >= pl.col("excluded_to")
        ).select(undecided.columns)
    return pl.concat(chosen)


def _blank_signs(texts: pl.Series) -> pl.Series:
    """Replace signs beyond ASCII (no letter, no digit) by blanks, one blank per byte."""
    signs = texts.str.extract_all(_SIGN_BEYOND_ASCII).explode().drop_nulls().unique()
    return texts.str.replace_many({sign: " " * len(sign.encode()) for sign in signs})


def _key_with_next() -> pl.Expr:
    """A hash of a word and the next word, null if there is none.

    An empty word (such as between the two characters of ", ") is skipped.
    """
    next_1 = pl.col("next_1")
    next_word = pl.when(next_1 == pl.lit("").hash()).then("next_2").otherwise(next_1)
    return 2 * pl.col("word") + next_word


def _size(column: str) -> pl.Expr:
    """The size of a text in bytes, as a signed integer: differences may be negative."""
    return pl.col(column).str.len_bytes().cast(pl.Int64)
