"""Write tables as the lines of the graph document, and of the document of names (SPEC 5).

Lines are made in batches of drugs, so memory depends on the drug with the most mentions, not on the
size of the document. `schema` declares the content of a line.
"""

from __future__ import annotations

from functools import partial
from io import SEEK_END
from tempfile import TemporaryFile
from typing import TYPE_CHECKING

import polars as pl

from drug_assets import sources
from drug_assets.document import schema
from drug_assets.terms import SpanOrigin
from drug_assets.threads import map_ahead

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping

    import msgspec

#: About how many mentions are in memory while the document is written: a drug is never split.
BATCH_MENTIONS = 100_000
#: Lines of the document of names that are in memory at once.
BATCH_NAMES = 20_000

_COMMA = b","
#: The member of a mention that is there only if it holds something.
_RULES = "rules"

_TYPES = {source.name: source.document_type for source in sources.PUBLICATIONS}


def write_lines(
    drugs: pl.LazyFrame,
    mentions: pl.LazyFrame,
    trial_publications: pl.LazyFrame,
    graph_drugs: int | None = None,
) -> Iterator[bytes]:
    """The lines of `graph.json`: a JSON array with one line per drug, sorted by name.

    Lines are made in the order of `drug_id`; those of later names wait in a temporary file.

    Args:
        drugs: rows of `contracts.Drugs`; a drug without mentions has a line, too.
        mentions: rows of `contracts.Mentions`.
        trial_publications: rows of `contracts.TrialPublications`. A mention has those of its pairs
            whose other side is in the store, too.
        graph_drugs: of a list of more drugs, those without mentions are left to `write_names`; None
            for a list of any length.

    Returns:
        Lines without line ends, in UTF-8.
    """
    listed = (
        drugs.select("drug_id", "drug", "names", "atc_codes")
        .join(_leave_out(drugs, mentions, graph_drugs), on="drug_id", how="anti")
        .sort("drug", "drug_id")
        .with_row_index("line")
        .join(mentions.group_by("drug_id").len("count"), on="drug_id", how="left")
        # The mentions are sorted by drug_id, too: those of a batch of drugs are contiguous.
        .sort("drug_id")
        .with_columns(batch=pl.col("count").fill_null(0).cum_sum() // BATCH_MENTIONS)
        .collect()
    )
    make = partial(
        _make_lines,
        mentions=mentions,
        ties=_collect_ties(trial_publications),
        has_rules=_has_spans_by_rules(mentions),
    )
    batches = listed.partition_by("batch", maintain_order=True)
    lines = (batch["line"] for batch in batches)
    # Polars encodes JSON on one core, and releases the GIL meanwhile.
    made = map_ahead(make, batches, pl.thread_pool_size())
    last = listed.height - 1
    yield b"["
    for number, line in _put_in_order(zip(lines, made, strict=True)):
        yield line if number < last else line.removesuffix(_COMMA)
    yield b"]"


def _put_in_order(batches: Iterable[tuple[pl.Series, pl.Series]]) -> Iterator[tuple[int, bytes]]:
    """Sort lines by their numbers. Those that come before their turn wait in a temporary file.

    Args:
        batches: numbers, from 0, and lines.
    """
    turn = 0
    waiting: dict[int, tuple[int, int]] = {}
    with TemporaryFile() as file:
        for numbers, lines in batches:
            for number, line in zip(numbers, lines.cast(pl.Binary), strict=True):
                if number != turn:
                    waiting[number] = file.seek(0, SEEK_END), file.write(line)
                    continue
                yield number, line
                turn += 1
                while place := waiting.pop(turn, None):
                    file.seek(place[0])
                    yield turn, file.read(place[1])
                    turn += 1


def write_names(
    drugs: pl.LazyFrame, mentions: pl.LazyFrame, graph_drugs: int | None = None
) -> Iterator[bytes]:
    """The lines of `names.json`: a JSON array of the drugs that `write_lines` leaves out.

    Args:
        drugs: rows of `contracts.Drugs`.
        mentions: rows of `contracts.Mentions`.
        graph_drugs: as for `write_lines`.

    Returns:
        Lines without line ends, in UTF-8, one per drug, sorted by name.
    """
    left_out = (
        drugs.join(_leave_out(drugs, mentions, graph_drugs), on="drug_id", how="semi")
        .sort("drug", "drug_id")
        .select(schema.ListedDrug.__struct_fields__)
        .collect()
    )
    yield b"["
    written = 0
    for batch in left_out.iter_slices(BATCH_NAMES):
        objects = batch.select(pl.struct(pl.all()).struct.json_encode().cast(pl.Binary))
        for line in objects.to_series():
            written += 1
            yield line + _COMMA if written < left_out.height else line
    yield b"]"


def _leave_out(
    drugs: pl.LazyFrame, mentions: pl.LazyFrame, graph_drugs: int | None
) -> pl.LazyFrame:
    """Column drug_id: the drugs that stay out of `graph.json`, because the list is too long."""
    listed = drugs.select("drug_id")
    if graph_drugs is None or listed.select(pl.len()).collect().item() <= graph_drugs:
        return listed.clear()
    return listed.join(mentions, on="drug_id", how="anti")


def _collect_ties(trial_publications: pl.LazyFrame) -> dict[str, pl.DataFrame]:
    """By member of `schema.Mention`, the objects that it lists (`_group_ties`)."""
    trial, publication = ("trial_source", "trial_id"), ("source", "publication_id")
    pairs = (
        trial_publications.filter(pl.col("trial_in_store") & pl.col("publication_in_store"))
        .with_columns(pl.col("date").dt.to_string("iso"))
        .collect()
    )
    return {
        "publications": _group_ties(pairs, trial, publication, schema.PublicationOfTrial),
        "trials": _group_ties(pairs, publication, trial, schema.TrialOfPublication),
    }


def _group_ties(
    pairs: pl.DataFrame, of: tuple[str, str], shown: tuple[str, str], declared: type[msgspec.Struct]
) -> pl.DataFrame:
    """Columns type and id of one side of the pairs, and `tied`: objects that show the other side.

    Args:
        pairs: rows of `trial_publications`.
        of: the columns that identify the side: source and id.
        shown: those of the other side.
        declared: the declaration of the objects.
    """
    (of_source, of_id), (source, publication_id) = of, shown
    described = [name for name in declared.__struct_fields__ if name not in {"type", "id"}]
    return (
        pairs.select(
            *described,
            of_type=pl.col(of_source).replace(_TYPES),
            of_id=of_id,
            rank=sources.rank_sources(pl.col(source)),
            type=pl.col(source).replace(_TYPES),
            id=publication_id,
        )
        .sort("rank", "id")
        .group_by("of_type", "of_id", maintain_order=True)
        .agg(tied=_json_object(declared))
        .rename({"of_type": "type", "of_id": "id"})
    )


def _has_spans_by_rules(mentions: pl.LazyFrame) -> bool:
    by = pl.col("spans").explode(empty_as_null=False).struct.field("by")
    return bool(mentions.select((by != SpanOrigin.NAME).any()).collect().item())


def _make_lines(
    drugs: pl.DataFrame,
    *,
    mentions: pl.LazyFrame,
    ties: Mapping[str, pl.DataFrame],
    has_rules: bool,
) -> pl.Series:
    """The JSON objects of these drugs, in their order, each with a comma behind it.

    Rows are sorted and grouped by line number, which is much faster than by a text.

    Args:
        drugs: the drugs, sorted by drug_id; at least one.
        mentions: rows of `contracts.Mentions`, of these drugs and of others.
        ties: the result of `_collect_ties`.
        has_rules: whether rules found any span.
    """
    first, last = (pl.lit(drugs["drug_id"][row]) for row in (0, -1))
    start, end, by = (pl.element().struct.field(name) for name in ("start", "end", "by"))
    by_rule = pl.element().filter(by != SpanOrigin.NAME).struct
    rules = pl.col("spans").list.eval(
        pl.struct(
            by=by_rule.field("by"), span=pl.concat_arr(by_rule.field("start"), by_rule.field("end"))
        )
    )
    numbered = (
        mentions.filter(pl.col("drug_id").is_between(first, last))
        .select(
            "drug_id",
            "journal_id",
            "journal",
            "title",
            "date_precision",
            "retracted",
            date=pl.col("date").dt.to_string("iso"),
            rank=sources.rank_sources(pl.col("source")),
            type=pl.col("source").replace(_TYPES),
            id="publication_id",
            spans=pl.col("spans").list.eval(pl.concat_arr(start, end)),
            **({_RULES: rules} if has_rules else {}),
        )
        .collect()
        .join(drugs.select("drug_id", "line"), on="drug_id", how="left", maintain_order="left")
        .sort("line", "date", "rank", "id", nulls_last=True)
    )
    for member, tied in ties.items():
        numbered = _add_ties(numbered, tied.rename({"tied": member}), member)
    of_drug = numbered.group_by("line", maintain_order=True).agg(
        mentions=_json_object(schema.Mention, without=() if has_rules else (_RULES,))
    )
    follows_another = (
        pl.col(key).ne_missing(pl.col(key).shift()) for key in ("line", "journal_id")
    )
    of_journal = (
        numbered.filter(pl.col("journal_id").is_not_null())
        .select("line", "journal", "journal_id", "date", "type", "id", "retracted")
        .sort("line", "journal", "journal_id", maintain_order=True)
        # The keys are sorted and marked as sorted, so Polars groups adjacent rows without hashing.
        .group_by(
            pl.any_horizontal(follows_another).cum_sum().set_sorted().alias("journal_of_drug"),
            maintain_order=True,
        )
        .agg(
            pl.col("line", "journal", "journal_id").first(),
            mentions=_json_object(schema.MentionByJournal),
        )
        .group_by(pl.col("line").set_sorted(), maintain_order=True)
        .agg(journals=_json_object(schema.Journal))
    )
    objects = (
        drugs.join(of_drug, on="line", how="left", maintain_order="left")
        .join(of_journal, on="line", how="left", maintain_order="left")
        .with_columns(pl.col("mentions", "journals").fill_null([]))
        .select(_json_object(schema.Drug).struct.json_encode() + _COMMA.decode())
        .to_series()
    )
    # Within a text of JSON, the quotes of the key would be escaped.
    return objects.str.replace_all(f',"{_RULES}":[]', "", literal=True) if has_rules else objects


def _add_ties(mentions: pl.DataFrame, tied: pl.DataFrame, member: str) -> pl.DataFrame:
    """Add what `_group_ties` made as a member of the mentions; most have none."""
    key = ("type", "id")
    of_these = tied.join(mentions, on=key, how="semi")
    if of_these.is_empty():
        return mentions.with_columns(pl.lit([], dtype=tied.schema[member]).alias(member))
    return mentions.join(of_these, on=key, how="left", maintain_order="left").with_columns(
        pl.col(member).fill_null([])
    )


def _json_object(declared: type[msgspec.Struct], without: Collection[str] = ()) -> pl.Expr:
    """A struct with the declared members, taken from the columns of the same names."""
    return pl.struct([name for name in declared.__struct_fields__ if name not in without])
