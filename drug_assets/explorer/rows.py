"""Mentions -> the rows of facts and texts, in the order of the page, by batches of drugs.

Rows are in the order of drugs; of a drug the latest come first, and those without a date last.
"""

from __future__ import annotations

from collections import defaultdict
from io import SEEK_END, BytesIO
from tempfile import TemporaryFile
from typing import TYPE_CHECKING

import msgspec
import polars as pl

from drug_assets.explorer import numbered
from drug_assets.explorer.numbered import type_of_source
from drug_assets.periods import code_of_column, read_code_column
from drug_assets.terms import SpanOrigin

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import IO

    from drug_assets.explorer.numbered import NumberedMentions

#: Rows of a block of facts, and of one of texts; the first is a multiple of the second.
FACTS = 20_000
TEXTS = 1_000


def chunks(
    mentions: NumberedMentions, trial_publications: pl.LazyFrame, counts: pl.Series
) -> Iterator[pl.DataFrame]:
    """The rows of the page, in its order, `FACTS` at a time.

    Args:
        mentions: the mentions.
        trial_publications: rows of `contracts.TrialPublications`.
        counts: mentions of each drug, in the order of the page.

    Returns:
        Frames with the columns code, type, of_journal, flags, id, title, spans, ties; the last two
        are JSON.
    """
    rest = None
    for batch in _batches(mentions, trial_publications, counts):
        rows = batch if rest is None else pl.concat([rest, batch])
        whole = rows.height - rows.height % FACTS
        yield from rows.head(whole).iter_slices(FACTS)
        rest = rows.slice(whole)
    if rest is not None and not rest.is_empty():
        yield rest


def encode_facts(rows: pl.DataFrame) -> bytes:
    """A block of facts, of rows as of `chunks`: what counts, charts and filters need."""
    columns = {"d": "code", "t": "type", "j": "of_journal", "f": "flags"}
    return msgspec.json.encode({key: rows[name].to_list() for key, name in columns.items()})


def encode_texts(rows: pl.DataFrame) -> bytes:
    """A block of texts, of rows as of `chunks`: what is read of a mention."""
    # Not joined by Polars, whose threads would have to be waited for, a thousand rows at a time.
    spans, ties = (",".join(rows[name].to_list()) for name in ("spans", "ties"))
    return msgspec.json.encode(
        {
            "i": rows["id"].to_list(),
            "t": rows["title"].to_list(),
            "s": msgspec.Raw(f"[{spans}]".encode()),
            "k": msgspec.Raw(f"[{ties}]".encode()),
        }
    )


def _batches(
    mentions: NumberedMentions, trial_publications: pl.LazyFrame, counts: pl.Series
) -> Iterator[pl.DataFrame]:
    """The rows of the page, in its order, some drugs at a time; arguments as of `chunks`.

    The table is in the order of drug_id, the page in that of names. So its rows are put into
    batches, in one pass, and each batch is sorted by itself as soon as it has all of its rows: an
    id that is the folded name leaves few rows that wait. Those that wait for longer than the next
    ones read are in a file without a name: nothing is left of a process that is killed.
    """
    ties = _collect_ties(trial_publications)
    read = mentions.read(
        title=pl.col("title"), id=pl.col("publication_id"), spans=_write_spans("spans")
    )
    batch_of_drug = ((counts.cum_sum() - counts) // numbered.BATCH_MENTIONS).alias("batch")
    lacking = dict(
        pl.DataFrame([batch_of_drug, counts.alias("rows")])
        .group_by("batch", maintain_order=True)
        .agg(pl.col("rows").sum())
        .iter_rows()
    )
    put_away: defaultdict[int, list[tuple[int, int]]] = defaultdict(list)
    waiting: dict[int, pl.DataFrame] = {}
    with TemporaryFile() as file:
        for rows in read:
            placed = rows.with_columns(batch_of_drug.gather(rows["of_drug"]))
            parts = {
                batch: part for (batch,), part in placed.partition_by("batch", as_dict=True).items()
            }
            for batch, part in parts.items():
                lacking[batch] -= part.height
            while lacking and not lacking[batch := next(iter(lacking))]:
                del lacking[batch]
                of_batch = [_take(file, *place) for place in put_away.pop(batch, ())]
                of_batch += [held.pop(batch) for held in (waiting, parts) if batch in held]
                yield _finish(pl.concat(of_batch), ties)
            for batch, part in waiting.items():
                put_away[batch].append(_put(part, file))
            waiting = parts


def _put(rows: pl.DataFrame, file: IO[bytes]) -> tuple[int, int]:
    """Append rows to a file; return their place and size."""
    written = BytesIO()
    rows.write_ipc_stream(written, compression="lz4")
    return file.seek(0, SEEK_END), file.write(written.getbuffer())


def _take(file: IO[bytes], start: int, size: int) -> pl.DataFrame:
    """The rows that were put to a place of a file."""
    file.seek(start)
    return pl.read_ipc_stream(BytesIO(file.read(size)))


def _finish(rows: pl.DataFrame, ties: pl.DataFrame) -> pl.DataFrame:
    """Sort the rows of a batch, and add what belongs to their publications."""
    day, _ = read_code_column(pl.col("code"))
    late = -day.to_physical()
    in_order = rows.with_columns(late=late).sort("of_drug", "late", "type", "id", nulls_last=True)
    return in_order.join(ties, on=["type", "id"], how="left", maintain_order="left").select(
        *("code", "type", "of_journal", "flags", "id", "title", "spans"),
        pl.col("ties").fill_null("null"),
    )


def _write_spans(column: str) -> pl.Expr:
    """The spans of a mention as JSON: start and end in characters, and by what, if by no name."""
    start, end, by = (pl.element().struct.field(name) for name in ("start", "end", "by"))
    span = (
        pl.when(by == SpanOrigin.NAME)
        .then(pl.format("[{},{}]", start, end))
        .otherwise(pl.format('[{},{},"{}"]', start, end, by))
    )
    return pl.format("[{}]", pl.col(column).list.eval(span).list.join(","))


def _collect_ties(trial_publications: pl.LazyFrame) -> pl.DataFrame:
    """Columns type, id and ties: the publications of a trial, the trials of a publication, as JSON.

    A tie is a list: type, id, kind, and of a publication its date and journal.
    """
    pairs = (
        trial_publications.filter(pl.col("trial_in_store") & pl.col("publication_in_store"))
        .with_columns(code=code_of_column(pl.col("date"), pl.col("date_precision")))
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
