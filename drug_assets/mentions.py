"""Titles and names -> mentions: which title names which drug (SPEC 4).

The names of a drug are chosen in `cleaning.drugs`; mentions are summarized in `graph`. No code here
knows where titles come from or how they were cleaned.

A mention has no letter or digit on either side, so the first word of its name is a whole word of
the title. The search lays titles end to end, finds the words that begin a name by their keys
(`word_keys`), and compares the text around these words only, which also rules out what merely has
the same key. The cost hardly depends on the number of names, unlike that of an automaton of all
names. Of a few names, which few titles have, an automaton first says which titles may have one.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache, cached_property, partial
from typing import TYPE_CHECKING

import numpy as np
import polars as pl
import polars.selectors as cs

from drug_assets import contracts, mention_rules
from drug_assets.cleaning.batches import scan_batches
from drug_assets.cleaning.text import LETTER_OR_DIGIT, blank_raised, fold_string, fold_text
from drug_assets.terms import MergeRule, SpanOrigin
from drug_assets.threads import map_ahead
from drug_assets.word_keys import ENDING, KeyFilter, Words

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Mapping, Sequence

    from drug_assets.word_keys import Places

#: Titles that a thread searches at once: about 50 MB of memory, however many titles there are.
BATCH_ROWS = 50_000

#: Up to so many names, Polars walks through titles a byte a step and finds all names at once, in a
#: sixth of the time of the search by words. Of more, its automaton takes four times as long.
_FEW_NAMES = 100

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
#: About how many publications and drugs named, together, are joined at once.
_JOINED_ROWS = 2_000_000
#: About how many mentions are sorted at once, so few that a cache of the processor holds them.
_SORTED_ROWS = 64 * 1024

_SIGN_BEYOND_ASCII = r"[^\x{0}-\x{7F}\p{L}\p{N}]"
#: Translates the bytes of ASCII as `fold_text` folds them.
_FOLDED_BYTES = bytes(ord(fold_string(chr(byte))) if byte < 0x80 else byte for byte in range(0x100))
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

    nothing = pl.LazyFrame(schema=_MENTIONS).drop("drug")
    joined = [
        part.with_columns(source=pl.lit(source), title=_pick_title(titles[source])).select(
            cs.by_name(*nothing.collect_schema(), require_all=False)
        )
        for source, table in publications.items()
        for part in _join_named(
            table, named[source], merged[source], vocabulary, titles[source], rules
        )
    ]

    def sort_joined() -> Iterator[pl.DataFrame]:
        listed = drugs.select("drug_id", "drug").sort("drug_id").collect()
        # The values of an Enum are compared as numbers, and their order is that of the texts.
        as_numbers = {
            "drug_id": pl.col("drug_id").cast(pl.Enum(listed["drug_id"]), strict=False),
            "source": pl.col("source").cast(pl.Enum(sorted(publications))),
        }
        parts = [
            pl.concat([nothing, part], how="diagonal")
            .with_columns(**as_numbers)
            .drop_nulls("drug_id")
            .sort("drug_id")
            # Appending "" copies titles, see `_search_batch`: else all titles would stay in memory.
            .with_columns(pl.col("title") + "")
            .collect(engine="streaming")
            for part in joined
        ]
        for rows in _merge_by_drug(parts):
            names = listed["drug"].gather(rows["drug_id"].to_physical())
            yield rows.with_columns(names).cast({"drug_id": pl.String, "source": pl.String})

    return scan_batches(sort_joined, _MENTIONS)


def _join_named(
    publications: pl.LazyFrame,
    named: pl.LazyFrame,
    merged: pl.LazyFrame,
    vocabulary: Callable[[], Vocabulary],
    titles: Sequence[str],
    rules: Collection[SpanOrigin],
) -> Iterator[pl.LazyFrame]:
    """Join publications and the drugs that they name, in parts; see `join_mentions`.

    The titles of publications that rows changed are searched, and what their records name does not
    count.
    """
    same_titles = pl.col("rule").is_in([MergeRule.SAME_CONTENT, MergeRule.PART_OF_RECORD])
    changed = merged.filter(~same_titles).select("merged_into").unique().collect().to_series()
    if changed.is_empty():
        yield from _join_in_parts(publications, named)
        return
    # Polars applies this filter before it reads titles, so few of them are read in vain.
    of_changed = pl.col("publication_id").is_in(changed.implode())
    columns = cs.by_name(*_RECORD, *titles, *_PUBLICATION_COLUMNS, require_all=False)
    filled = publications.filter(of_changed).select(columns).collect().lazy()
    yield filled.join(find_drugs_named(filled, vocabulary(), titles, rules), on=_RECORD)
    for part in _join_in_parts(publications, named):
        yield part.filter(~of_changed)


def _join_in_parts(publications: pl.LazyFrame, named: pl.LazyFrame) -> Iterator[pl.LazyFrame]:
    """Join drugs named to publications, some files at a time: a join holds one side in memory.

    Both are read more than once, and must come in the same order each time. If the rows of a file
    are adjacent, a part reads only those of its files.

    Args:
        publications: columns `_RECORD` and any others.
        named: the same.

    Returns:
        A row for each pair of the same record, in any order.
    """
    files = _find_files(publications).join(_find_files(named), on="source_file", suffix="_named")
    rows = pl.col("rows") + pl.col("rows_named")
    part = (rows.cum_sum() - rows) // _JOINED_ROWS
    parts = (
        files.sort("start")
        .group_by(part, maintain_order=True)
        .agg("source_file", pl.col("start", "start_named").min(), pl.col("end", "end_named").max())
        .collect()
    )
    for of_part in parts.iter_rows(named=True):
        # One number for each record of these files, null for any other.
        file = pl.col("source_file").cast(pl.Enum(of_part["source_file"]), strict=False)
        record = file.to_physical().cast(pl.Int64) * 2**32 + pl.col("source_row")
        left, right = (
            table.slice(of_part[start], of_part[end] - of_part[start])
            .with_columns(record=record)
            .drop(_RECORD)
            for table, start, end in (
                (publications, "start", "end"),
                (named, "start_named", "end_named"),
            )
        )
        yield left.join(right, on="record")


def _find_files(records: pl.LazyFrame) -> pl.LazyFrame:
    """The files of records: columns source_file, rows, and start and end of the place of these."""
    row = pl.col("row").cast(pl.Int64)
    return (
        records.select("source_file")
        .with_row_index("row")
        .group_by("source_file")
        .agg(start=row.min(), end=row.max() + 1, rows=pl.len())
    )


def _merge_by_drug(parts: Sequence[pl.DataFrame]) -> Iterator[pl.DataFrame]:
    """Sort rows by drug, source and publication, those of some drugs at a time.

    Args:
        parts: the rows; each is sorted by drug_id, an Enum.

    Returns:
        Batches of sorted rows.
    """
    if not parts:
        return
    drugs = [part["drug_id"].to_physical() for part in parts]
    counted = pl.concat(drugs).value_counts(name="count").sort("drug_id")
    batch = (pl.col("count").cum_sum() - pl.col("count")) // _SORTED_ROWS
    last = counted.group_by(batch, maintain_order=True).agg(pl.col("drug_id").last())["drug_id"]
    ends = [of_part.search_sorted(last, side="right") for of_part in drugs]
    starts = [end.shift(1, fill_value=0) for end in ends]
    for number in range(last.len()):
        slices = [
            part[start[number] : end[number]]
            for part, start, end in zip(parts, starts, ends, strict=True)
        ]
        yield pl.concat(slices).sort("drug_id", "source", "publication_id")


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
    found = search(titles, vocabulary, rules=rules, batch_rows=batch_rows, threads=threads)
    columns = titles.collect_schema()
    nothing = pl.DataFrame(schema={**columns, **{c: _MENTIONS[c] for c in _FOUND_COLUMNS}})
    return pl.concat([nothing, *found])


def search(
    titles: pl.LazyFrame,
    vocabulary: Vocabulary,
    *,
    rules: Collection[SpanOrigin] = (),
    batch_rows: int = BATCH_ROWS,
    threads: int | None = None,
) -> Iterator[pl.DataFrame]:
    """Find mentions as `find_mentions` does, batch by batch: they may exceed memory, too.

    Args:
        titles: columns as for `find_mentions`.
        vocabulary: the names to search for.
        rules: the rules that find mentions by something that is no name.
        batch_rows: titles that a thread searches at once.
        threads: batches that are searched at the same time; None for the number of threads of
            Polars.

    Returns:
        The mentions of each batch of titles, in order.
    """
    batches = (
        batch
        for chunk in titles.collect_batches(chunk_size=batch_rows, lazy=True)
        for batch in chunk.iter_slices(batch_rows)
    )
    find = partial(_search_batch, vocabulary=vocabulary, rules=rules)
    return map_ahead(find, batches, threads or pl.thread_pool_size())


@dataclass(frozen=True)
class Vocabulary:
    """The names to search for, folded, with keys of their words. Sizes are bytes of UTF-8."""

    #: The distinct names: columns name_row, name (Binary) and name_hash.
    names: pl.DataFrame
    #: The drugs of each name: columns name_row and drug_row (rows of `names` and of `drugs`),
    #: length of the name in characters, and ambiguous (whether it is a name of several drugs).
    owners: pl.DataFrame
    #: The drugs: column drug_id, sorted.
    drugs: pl.DataFrame
    #: The position of names relative to their first word: columns key (of the word, or, if the name
    #: has several, with the next one), ahead (bytes from the start of the name to the word after
    #: its first one: 13 in "(+)-catechin 2"), and size of the name.
    layouts: pl.DataFrame
    #: The heads of first words.
    first_words: KeyFilter
    #: The keys of `layouts`.
    keys: KeyFilter
    #: Of each of a few names, a part that every title in ASCII has which names it, in one list;
    #: None of more names.
    parts: pl.Series | None

    @classmethod
    def of(cls, names: pl.DataFrame) -> Vocabulary:
        """Build the vocabulary. It can be pickled, and searches any number of titles.

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
        starts = _starts(distinct["name"])
        ends = starts[1:] - 1
        words = Words.of(_lay_out(_blank_signs(distinct["name"])).translate(_WORD_BYTES))
        numbers = np.arange(len(words))
        not_empty = numbers[words.sizes(numbers) > 0]
        first = not_empty[np.searchsorted(words.starts(not_empty), starts[:-1])]
        # The next word, which is not empty unless the one behind it is, is a part of the name, too.
        following = first + 1
        following += words.sizes(following) == 0
        has_next = words.starts(following) <= ends
        keys = words.keys(first)
        keys = np.where(has_next, words.add_next(keys, first), keys)
        layouts = pl.DataFrame(
            {
                "key": keys,
                "ahead": words.starts(first + 1) - starts[:-1],
                "size": ends - starts[:-1],
            }
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
            layouts=layouts.unique(),
            first_words=KeyFilter.of(np.unique(words.heads(first))),
            keys=KeyFilter.of(np.unique(keys)),
            parts=_parts(distinct["name"]) if distinct.height <= _FEW_NAMES else None,
        )

    def may_be_in(self, titles: pl.Series) -> pl.Series:
        """Whether each title may have a name: few titles have one of a few names."""
        if self.parts is None:
            return titles.is_not_null()
        beyond_ascii = titles.str.len_bytes() != titles.str.len_chars()
        return beyond_ascii | titles.str.contains_any(self.parts, ascii_case_insensitive=True)

    @cached_property
    def elements(self) -> pl.DataFrame:
        """The drugs that are elements (`mention_rules.list_elements`); made if a rule needs it."""
        names = self.names.select("name_row", pl.col("name").cast(pl.String)).lazy()
        owned = names.join(self.owners.lazy(), on="name_row").select("name", drug="drug_row")
        return mention_rules.list_elements(owned).collect()


@dataclass(frozen=True)
class _Text:
    """Folded titles, laid end to end.

    A title with raised characters is read in two ways: with plain ones in their place ("¹⁷⁷Lu"),
    and with signs ("aspirin²", a footnote). The readings of titles that are ASCII come first, then
    those of the others, then the second ones; those of a title have the same bytes in each place.

    An `offset` counts bytes (UTF-8) in the text, across titles.
    """

    #: The readings, each between two line breaks: one value (Binary).
    folded: pl.Series
    #: The words of the same text, with a line break for each byte of a character that is no letter
    #: or digit.
    words: Words
    #: The offset at which each reading begins, and that at which a further one would.
    starts: Places
    #: The row of the title of each reading.
    rows: Places
    #: The offset at which the first reading of the same title begins.
    first_starts: Places
    #: The number of readings that are ASCII.
    ascii_readings: int

    @classmethod
    def of(cls, titles: pl.Series) -> _Text:
        """Build the text of titles, none of them null."""
        is_ascii = titles.str.len_bytes() == titles.str.len_chars()
        plain_rows, other_rows = is_ascii.arg_true(), (~is_ascii).arg_true()
        # Most titles are ASCII. Their bytes are translated, ten times as fast as folding.
        others = titles.gather(other_rows)
        signs = pl.select(blank_raised(pl.lit(others))).to_series()
        raised = (signs != others).arg_true()
        texts = pl.select(fold_text(pl.lit(pl.concat([others, signs.gather(raised)])))).to_series()
        readings = pl.concat([titles.gather(plain_rows), texts])
        starts = _starts(readings)
        of_ascii = int(starts[len(plain_rows)])
        laid_out = _lay_out(readings)
        blanked = _lay_out(_blank_signs(texts))
        lines = [laid_out[:of_ascii].translate(_WORD_BYTES), blanked[1:].translate(_WORD_BYTES)]
        first = np.concatenate([np.arange(len(titles)), raised.to_numpy() + len(plain_rows)])
        rows = pl.concat([plain_rows, other_rows, other_rows.gather(raised)])
        return cls(
            folded=pl.Series([laid_out.translate(_FOLDED_BYTES)], dtype=pl.Binary),
            words=Words.of(b"".join(lines)),
            starts=starts,
            rows=rows.to_numpy().astype(np.int64),
            first_starts=starts[first],
            ascii_readings=len(plain_rows),
        )

    def cut(self, offsets: Places, sizes: Places) -> pl.Series:
        """The folded bytes at some places; each begins and ends between characters."""
        places = pl.DataFrame({"offset": offsets, "size": sizes})
        # A text of megabytes is no literal for the planner, which would copy it.
        return places.select(pl.lit(self.folded).bin.slice("offset", "size")).to_series()


def _lay_out(texts: pl.Series) -> bytes:
    """Texts end to end, with a line break before and behind each, and what `Words` end with."""
    ends = (pl.Series([end], dtype=pl.String) for end in ("", ENDING[1:]))
    joined: bytes = pl.concat([next(ends), texts, next(ends)]).str.join("\n").cast(pl.Binary).item()
    return joined


def _starts(texts: pl.Series) -> Places:
    """The offsets of texts in `_lay_out`, and that of a further one."""
    sizes = texts.str.len_bytes().to_numpy().astype(np.int64)
    return np.concatenate([[1], (sizes + 1).cumsum() + 1])


def _search_batch(
    titles: pl.DataFrame, vocabulary: Vocabulary, rules: Collection[SpanOrigin]
) -> pl.DataFrame:
    """The mentions in one batch of titles, with the columns of `find_mentions`."""
    titles = titles.drop_nulls("title")
    if not rules:
        titles = titles.filter(vocabulary.may_be_in(titles["title"]))
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
    characters of the title). What occurs in both readings of a title is there twice.
    """
    words = text.words
    first = words.find(vocabulary.first_words)
    # A name of several words is looked up by its first two words: many names begin with a word that
    # is frequent in titles ("human", "vitamin", "2"), but few begin with the same two words.
    of_first = words.keys(first)
    keys = np.concatenate([of_first, words.add_next(of_first, first)])
    may_begin = vocabulary.keys.may_have(keys)
    next_offsets = np.tile(words.starts(first + 1), 2)
    begun = pl.LazyFrame({"key": keys[may_begin], "next_offset": next_offsets[may_begin]})
    laid_out = (
        begun.join(vocabulary.layouts.lazy(), on="key")
        .select("size", offset=pl.col("next_offset") - pl.col("ahead"))
        .filter(pl.col("offset") > 0)
        .collect()
    )
    offsets, sizes = laid_out["offset"].to_numpy(), laid_out["size"].to_numpy()
    apart = words.are_breaks(offsets - 1) & words.are_breaks(offsets + sizes)
    known = (
        pl.LazyFrame({"offset": offsets[apart], "size": sizes[apart]})
        .with_columns(name=text.cut(offsets[apart], sizes[apart]))
        .with_columns(name_hash=pl.col("name").hash())
        .join(vocabulary.names.lazy(), on="name_hash", suffix="_known")
        .filter(pl.col("name") == pl.col("name_known"))
        .select("offset", "size", "name_row")
        .collect()
    )
    offsets = known["offset"].to_numpy()
    reading = np.searchsorted(text.starts, offsets, side="right") - 1
    starts = text.starts[reading]
    bytes_before = offsets - starts
    # Each character of ASCII is one byte.
    counted = np.where(reading < text.ascii_readings, 0, bytes_before)
    before = text.cut(starts, counted).cast(pl.String)
    further_bytes = (before.str.len_bytes() - before.str.len_chars()).cast(pl.Int64)
    in_reading = offsets + known["size"].to_numpy() < text.starts[reading + 1]
    return known.with_columns(
        row=pl.Series(text.rows[reading]),
        offset=pl.Series(text.first_starts[reading] + bytes_before),
        start=pl.Series(bytes_before) - further_bytes,
        # A name may hold line breaks, and must not reach into the next title.
    ).filter(in_reading)


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


def _parts(names: pl.Series) -> pl.Series:
    """The longest part of each folded name without an apostrophe, which a title may write as `."""
    parts = [max(name.split("'"), key=len) for name in names]
    return pl.Series([parts], dtype=pl.List(pl.String))
