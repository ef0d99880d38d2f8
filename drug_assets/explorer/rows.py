"""Mentions -> the rows of facts and texts, in the order of the page, by batches of drugs.

Rows are in the order of drugs; of a drug the latest come first, and those without a date last.
"""

from __future__ import annotations

from datetime import date
from io import BytesIO
from tempfile import TemporaryFile
from typing import TYPE_CHECKING

import msgspec
import polars as pl

from drug_assets import sources
from drug_assets.terms import DatePrecision, MentionChange, SpanOrigin

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import IO

#: Rows of a block of facts, and of one of texts; the first is a multiple of the second.
FACTS = 20_000
TEXTS = 1_000
#: About how many mentions are in memory at once: a drug is never split.
BATCH_MENTIONS = 100_000

#: Flags of a mention.
RETRACTED, RETRACTION_UNKNOWN, AMBIGUOUS, FRESH, FIRST_IN_JOURNAL = 1, 2, 4, 8, 16

_TYPES = {source.name: number for number, source in enumerate(sources.PUBLICATIONS)}
_RETRACTABLE = [source.name for source in sources.PUBLICATIONS if source.can_be_retracted]
_PRECISIONS = {str(precision): number for number, precision in enumerate(DatePrecision)}
_KEY = ("drug_id", "source", "publication_id")
_NEW = ("fresh", "first_in_journal")


def type_of_source(column: str) -> pl.Expr:
    """The number of the type of publications of a source."""
    return pl.col(column).replace_strict(_TYPES, return_dtype=pl.UInt8)


def code_of_date(day: str, precision: str) -> pl.Expr:
    """The number that stands for a date: its day times four, and the precision; null for none."""
    known = pl.col(precision).replace_strict(_PRECISIONS, return_dtype=pl.Int32)
    return pl.col(day).cast(pl.Int32) * len(_PRECISIONS) + known


def number_of_source(source: str) -> int:
    """The number of the type of publications of a source."""
    return _TYPES[source]


def code_of_day(day: date | None, precision: str | None) -> int | None:
    """`code_of_date` of a single date."""
    if day is None or precision is None:
        return None
    return (day - date(1970, 1, 1)).days * len(_PRECISIONS) + _PRECISIONS[precision]


def mark_new(mentions: pl.LazyFrame, new_mentions: pl.LazyFrame) -> pl.LazyFrame:
    """Add the columns fresh and first_in_journal: what the release before does not have.

    Args:
        mentions: rows of `contracts.Mentions`.
        new_mentions: rows of `contracts.NewMentions`.
    """
    added = (
        new_mentions.filter(pl.col("change") == MentionChange.ADDED)
        .select(*_KEY, "first_in_journal", fresh=pl.lit(value=True))
        .collect()
    )
    if added.is_empty():
        return mentions.with_columns(pl.lit(value=False).alias(column) for column in _NEW)
    marked = mentions.join(added.lazy(), on=_KEY, how="left")
    return marked.with_columns(pl.col(_NEW).fill_null(value=False))


def chunks(
    mentions: pl.LazyFrame,
    trial_publications: pl.LazyFrame,
    drugs: pl.DataFrame,
    journals: pl.DataFrame,
) -> Iterator[pl.DataFrame]:
    """The rows of the page, in its order, `FACTS` at a time.

    Args:
        mentions: rows of `contracts.Mentions`, marked by `mark_new`.
        trial_publications: rows of `contracts.TrialPublications`.
        drugs: columns drug_id, number and mentions, in the order of the page.
        journals: columns journal_id and number.

    Returns:
        Frames with the columns code, type, journal, flags, id, title, spans, ties; the last two are
        JSON.
    """
    rest = None
    for batch in _batches(mentions, trial_publications, drugs, journals):
        rows = batch if rest is None else pl.concat([rest, batch])
        whole = rows.height - rows.height % FACTS
        yield from rows.head(whole).iter_slices(FACTS)
        rest = rows.slice(whole)
    if rest is not None and not rest.is_empty():
        yield rest


def encode_facts(rows: pl.DataFrame) -> bytes:
    """A block of facts, of rows as of `chunks`: what counts, charts and filters need."""
    columns = {"d": "code", "t": "type", "j": "journal", "f": "flags"}
    return msgspec.json.encode({key: rows[name].to_list() for key, name in columns.items()})


def encode_texts(rows: pl.DataFrame) -> bytes:
    """A block of texts, of rows as of `chunks`: what is read of a mention."""
    spans, ties = (",".join(rows[name]) for name in ("spans", "ties"))
    return msgspec.json.encode(
        {
            "i": rows["id"].to_list(),
            "t": rows["title"].to_list(),
            "s": msgspec.Raw(f"[{spans}]".encode()),
            "k": msgspec.Raw(f"[{ties}]".encode()),
        }
    )


def _batches(
    mentions: pl.LazyFrame,
    trial_publications: pl.LazyFrame,
    drugs: pl.DataFrame,
    journals: pl.DataFrame,
) -> Iterator[pl.DataFrame]:
    """The rows of the page, in its order, some drugs at a time; arguments as of `chunks`.

    The table is in the order of drug_id, the page in that of names. So its rows are put into
    batches first, in one pass, and each batch is sorted by itself. What waits is in a file without
    a name: nothing is left of a process that is killed.
    """
    in_batches = drugs.select(
        "drug_id",
        of_drug="number",
        batch=(pl.col("mentions").cum_sum() - pl.col("mentions")) // BATCH_MENTIONS,
    )
    ties = _collect_ties(trial_publications)
    numbered = (
        mentions.join(in_batches.lazy(), on="drug_id")
        .join(
            journals.lazy().select("journal_id", of_journal=pl.col("number").cast(pl.Int32)),
            on="journal_id",
            how="left",
        )
        .select(
            "batch",
            "of_drug",
            "title",
            code=code_of_date("date", "date_precision"),
            type=type_of_source("source"),
            journal=pl.col("of_journal").fill_null(-1),
            flags=_flags(),
            id="publication_id",
            spans=_write_spans(),
        )
    )
    numbers = in_batches["batch"].unique(maintain_order=True)
    if numbers.len() <= 1:
        yield _finish(numbered.collect(), ties)
        return
    pieces: dict[int, list[tuple[int, int]]] = {number: [] for number in numbers}
    with TemporaryFile() as file:
        for chunk in numbered.collect_batches(
            chunk_size=BATCH_MENTIONS, maintain_order=False, lazy=True
        ):
            for (number,), rows in chunk.partition_by("batch", as_dict=True).items():
                pieces[number].append((file.tell(), _put(rows, file)))
        for number in numbers:
            of_batch = [_take(file, *piece) for piece in pieces[number]]
            yield _finish(pl.concat(of_batch), ties)


def _put(rows: pl.DataFrame, file: IO[bytes]) -> int:
    """Append rows to a file; return their size."""
    written = BytesIO()
    rows.write_ipc_stream(written, compression="lz4")
    return file.write(written.getbuffer())


def _take(file: IO[bytes], start: int, size: int) -> pl.DataFrame:
    """The rows that were put to a place of a file."""
    file.seek(start)
    return pl.read_ipc_stream(BytesIO(file.read(size)))


def _finish(rows: pl.DataFrame, ties: pl.DataFrame) -> pl.DataFrame:
    """Sort the rows of a batch, and add what belongs to their publications."""
    day = pl.col("code").floordiv(len(_PRECISIONS))
    in_order = rows.with_columns(late=-day).sort("of_drug", "late", "type", "id", nulls_last=True)
    return in_order.join(ties, on=["type", "id"], how="left", maintain_order="left").select(
        "code", "type", "journal", "flags", "id", "title", "spans", pl.col("ties").fill_null("null")
    )


def _flags() -> pl.Expr:
    retracted = pl.col("retracted")
    can_be = pl.col("source").is_in(_RETRACTABLE)
    flags = {
        RETRACTED: retracted.fill_null(value=False),
        RETRACTION_UNKNOWN: can_be & retracted.is_null(),
        AMBIGUOUS: pl.col("ambiguous"),
        FRESH: pl.col("fresh"),
        FIRST_IN_JOURNAL: pl.col("first_in_journal"),
    }
    return pl.sum_horizontal(holds.cast(pl.Int32) * flag for flag, holds in flags.items())


def _write_spans() -> pl.Expr:
    """The spans of a mention as JSON: start and end in characters, and by what, if by no name."""
    start, end, by = (pl.element().struct.field(name) for name in ("start", "end", "by"))
    span = (
        pl.when(by == SpanOrigin.NAME)
        .then(pl.format("[{},{}]", start, end))
        .otherwise(pl.format('[{},{},"{}"]', start, end, by))
    )
    return pl.format("[{}]", pl.col("spans").list.eval(span).list.join(","))


def _collect_ties(trial_publications: pl.LazyFrame) -> pl.DataFrame:
    """Columns type, id and ties: the publications of a trial, the trials of a publication, as JSON.

    A tie is a list: type, id, kind, and of a publication its date and journal.
    """
    pairs = (
        trial_publications.filter(pl.col("trial_in_store") & pl.col("publication_in_store"))
        .with_columns(code=code_of_date("date", "date_precision"))
        .collect()
    )
    nothing = pl.lit("null")
    code = pl.col("code").cast(pl.String).fill_null("null")
    sides = (
        (("trial_source", "trial_id"), ("source", "publication_id"), code, _write_text("journal")),
        (("source", "publication_id"), ("trial_source", "trial_id"), nothing, nothing),
    )
    return pl.concat(
        pairs.select(
            type=type_of_source(of_source),
            id=of_id,
            tied_type=type_of_source(source),
            tied_id=id_,
            tie=pl.format(
                "[{},{},{},{},{}]",
                type_of_source(source),
                _write_text(id_),
                _write_text("kind"),
                day,
                journal,
            ),
        )
        .sort("tied_type", "tied_id")
        .group_by("type", "id", maintain_order=True)
        .agg(ties=pl.format("[{}]", pl.col("tie").str.join(",")))
        for (of_source, of_id), (source, id_), day, journal in sides
    )


def _write_text(column: str) -> pl.Expr:
    """A text as JSON; null as `null`."""
    written = pl.struct(text=pl.col(column)).struct.json_encode()
    return written.str.strip_prefix('{"text":').str.strip_suffix("}")
