"""What must hold between tables, and what is worth a warning (SPEC section 7).

Each function looks at tables and says what it found; whether that stops a run is for `defs.checks`
to decide. What must hold within one table is its contract's business.
"""

from __future__ import annotations

import datetime as dt
import gc
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from importlib import resources
from typing import TYPE_CHECKING, Annotated, Literal, NamedTuple

import dataframely as dy
import jsonschema_rs
import msgspec
import polars as pl

from drug_assets.cleaning.text import folded
from drug_assets.contracts import ATC_CODE

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from drug_assets.contracts import Contract

_ROW = ("source_file", "source_row")
_LETTER_OR_DIGIT = r"[\p{L}\p{N}]"


@dataclass(frozen=True)
class Finding:
    """The result of one audit."""

    passed: bool
    summary: str
    figures: Mapping[str, int | float | str] = field(default_factory=dict)


def contract_kept(contract: Contract, rows: pl.LazyFrame) -> Finding:
    """The table has its contract's columns, and every rule of it holds in every row."""
    try:
        _, failure = contract.filter(rows)
        broken = failure.counts()
    except dy.exc.SchemaError as error:
        return Finding(passed=False, summary=str(error).partition("\n")[0])
    if not broken:
        return Finding(passed=True, summary="every rule holds")
    summary = ", ".join(f"{rule}: {count} rows" for rule, count in sorted(broken.items()))
    return Finding(passed=False, summary=summary, figures=broken)


def nothing_lost(
    raw: pl.LazyFrame, kept: pl.LazyFrame, merged: pl.LazyFrame, rejected: pl.LazyFrame
) -> Finding:
    """Every raw row was kept, merged or rejected, exactly once: raw = kept + merged + rejected.

    `kept` has one row a cleaned record; its own `source_file` and `source_row` where it has them.
    """
    counts = {
        name: int(rows.select(pl.len()).collect().item())
        for name, rows in (("raw", raw), ("kept", kept), ("merged", merged), ("rejected", rejected))
    }
    accounted = [merged.select(_ROW), rejected.select(_ROW)]
    if "source_row" in kept.collect_schema():
        accounted.append(kept.select(_ROW))
    twice = pl.concat(accounted).group_by(_ROW).len().filter(pl.col("len") > 1).select(pl.len())
    unknown = pl.concat(accounted).join(raw, on=_ROW, how="anti").select(pl.len())
    counts["accounted_for_twice"] = int(twice.collect().item())
    counts["not_a_raw_row"] = int(unknown.collect().item())
    balanced = counts["raw"] == counts["kept"] + counts["merged"] + counts["rejected"]
    return Finding(
        passed=balanced and not counts["accounted_for_twice"] and not counts["not_a_raw_row"],
        summary="{raw} raw = {kept} kept + {merged} merged + {rejected} rejected".format(**counts),
        figures=counts,
    )


def spans_spell_their_drug(mentions: pl.LazyFrame, drugs: pl.LazyFrame) -> Finding:
    """Each span lies in its title, is its text, folds to a name of its drug, and stands alone."""
    start, length = pl.col("start"), pl.col("end") - pl.col("start")
    title = pl.col("title")
    names = (
        drugs.select("drug_id", name="names")
        .explode("name", empty_as_null=False)
        .select("drug_id", name=folded(pl.col("name")))
        .unique()
        .with_columns(listed=True)
    )
    spans = (
        mentions.select("drug_id", "title", span="spans")
        .explode("span", empty_as_null=False)
        .unnest("span")
    )
    before = pl.when(start > 0).then(title.str.slice(start - 1, 1)).otherwise(pl.lit(""))
    stands_alone = ~(
        before.str.contains(_LETTER_OR_DIGIT)
        | title.str.slice(pl.col("end"), 1).str.contains(_LETTER_OR_DIGIT)
    )
    wrong = (
        spans.with_columns(name=folded(pl.col("text")))
        .join(names, on=["drug_id", "name"], how="left")
        .with_columns(
            good=(title.str.slice(start, length) == pl.col("text"))
            & (start >= 0)
            & (pl.col("end") <= title.str.len_chars())
            & pl.col("listed").fill_null(value=False)
            & stands_alone
        )
        .select(spans=pl.len(), wrong=(~pl.col("good").fill_null(value=False)).sum())
        .collect()
    )
    figures = {name: int(wrong[name][0]) for name in ("spans", "wrong")}
    return Finding(
        passed=not figures["wrong"],
        summary=f"{figures['wrong']} of {figures['spans']} spans are wrong",
        figures=figures,
    )


def ids_exist(
    mentions: pl.LazyFrame, drugs: pl.LazyFrame, publications: Mapping[str, pl.LazyFrame]
) -> Finding:
    """Every mention's drug and publication are in their tables."""
    figures = {
        "unknown_drugs": int(
            mentions.join(drugs, on="drug_id", how="anti").select(pl.len()).collect().item()
        )
    }
    for source, rows in publications.items():
        of_source = mentions.filter(pl.col("source") == source)
        figures[f"unknown_{source}"] = int(
            of_source.join(rows, on="publication_id", how="anti").select(pl.len()).collect().item()
        )
    unknown = sum(figures.values())
    return Finding(passed=not unknown, summary=f"{unknown} mentions point nowhere", figures=figures)


@contextmanager
def _no_garbage_collection() -> Iterator[None]:
    """For what makes very many objects and no cycles: looking for some would double its time."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()


@cache
def _graph_validator() -> jsonschema_rs.Validator:
    text = resources.files("drug_assets").joinpath("graph.schema.json").read_text("utf-8")
    return jsonschema_rs.validator_for(text)


# The types below say what graph.schema.json says, to a decoder that checks while it decodes: that
# takes a third of the time. They are stricter in places (a date has to be one of the calendar),
# nowhere laxer: what they let pass follows the schema; where they do not, the schema has the word.
_Text = Annotated[str, msgspec.Meta(min_length=1)]
_Position = Annotated[int, msgspec.Meta(ge=0)]
#: A `$` of Python would let a line end follow.
_AtcCode = Annotated[str, msgspec.Meta(pattern=ATC_CODE.removesuffix("$") + r"\Z")]
_Date = dt.date | None
_Type = Literal["pubmed", "clinical_trial"]


class _Part(msgspec.Struct, gc=False, forbid_unknown_fields=True):
    """A JSON object that has all of its members and no other."""


class _MentionOfJournal(_Part):
    date: _Date
    type: _Type
    id: _Text


class _Journal(_Part):
    journal: _Text
    mentions: Annotated[list[_MentionOfJournal], msgspec.Meta(min_length=1)]


class _Mention(_Part):
    type: _Type
    id: _Text
    title: _Text
    journal: str | None
    date: _Date
    date_precision: Literal["day", "month", "season", "year"] | None
    spans: Annotated[list[tuple[_Position, _Position]], msgspec.Meta(min_length=1)]


class _Drug(_Part):
    drug_id: _Text
    drug: _Text
    names: list[_Text]
    atc_codes: list[_AtcCode]
    mentions: list[_Mention]
    journals: list[_Journal]


_DRUG = msgspec.json.Decoder(_Drug)
#: Lines are long: read through the default buffer, they would be put together of many pieces.
_BUFFER_BYTES = 2**20


class ReadGraph(NamedTuple):
    """What one reading of a graph document gives."""

    #: The first thing that is wrong with it.
    problem: str | None
    #: The drug_id, the mentions and the journals' mentions of each drug up to there.
    counts: list[tuple[str, int, int]]


def read_graph(document: Path) -> ReadGraph:
    """Read a graph document: a JSON array, one line a drug, that follows its JSON Schema."""
    counts: list[tuple[str, int, int]] = []
    previous = b""
    with document.open("rb", _BUFFER_BYTES) as file, _no_garbage_collection():
        for number, line in enumerate(file, start=1):
            text = line.strip()
            try:
                if number == 1:
                    follows = text == b"["
                elif text == b"]":
                    follows = previous.endswith((b"[", b"}"))
                else:
                    follows = previous == b"[" or previous.endswith(b",")
                    counts.append(_counts(text.removesuffix(b",")))
            except jsonschema_rs.ValidationError as error:
                where = "/".join(map(str, error.instance_path[1:]))
                return ReadGraph(f"line {number}: {error.message} (at {where})", counts)
            except (ValueError, msgspec.DecodeError) as error:  # neither UTF-8 nor JSON
                return ReadGraph(f"line {number}: {error}", counts)
            if not follows:
                return ReadGraph(f"line {number} does not follow on the last", counts)
            previous = text
    return ReadGraph(None if previous == b"]" else "it is not closed", counts)


def _counts(line: bytes) -> tuple[str, int, int]:
    """The drug_id of a drug of the document, its mentions and its journals' mentions.

    Raises:
        jsonschema_rs.ValidationError: it does not follow the schema.
        msgspec.DecodeError: it is not JSON.
        UnicodeDecodeError: it is not UTF-8.
    """
    try:
        drug = _DRUG.decode(line)
    except msgspec.ValidationError:
        drug = msgspec.json.decode(line)
        _graph_validator().validate([drug])
        in_journals = sum(len(journal["mentions"]) for journal in drug["journals"])
        return drug["drug_id"], len(drug["mentions"]), in_journals
    return (
        drug.drug_id,
        len(drug.mentions),
        sum([len(journal.mentions) for journal in drug.journals]),
    )


def graph_is_valid(read: ReadGraph) -> Finding:
    """The graph document follows its schema."""
    passed = read.problem is None
    return Finding(passed, read.problem or f"{len(read.counts)} drugs follow the schema")


def graph_equals_mentions(read: ReadGraph, drugs: pl.LazyFrame, mentions: pl.LazyFrame) -> Finding:
    """The graph has every drug, and as many mentions and journal mentions of each as the table."""
    if read.problem is not None:
        return Finding(passed=False, summary=f"it cannot be read: {read.problem}")
    expected = (
        drugs.select("drug_id")
        .join(
            mentions.group_by("drug_id").agg(
                mentions=pl.len(), in_journals=pl.col("journal_id").is_not_null().sum()
            ),
            on="drug_id",
            how="left",
        )
        .with_columns(pl.col("mentions", "in_journals").fill_null(0).cast(pl.Int64))
        .collect()
    )
    found = pl.DataFrame(read.counts, schema=expected.schema, orient="row")
    different = (
        pl.concat([expected.with_columns(tables=1), found.with_columns(tables=-1)])
        .group_by(expected.columns)
        .agg(pl.col("tables").sum())
        .filter(pl.col("tables") != 0)
    )
    figures = {"drugs": found.height, "mentions": int(found["mentions"].sum())}
    return Finding(
        passed=different.is_empty(),
        summary=f"{different['drug_id'].n_unique()} drugs differ from the mentions table",
        figures=figures,
    )


def share(part: int, whole: int) -> float:
    """A share of rows, 0 where there are none."""
    return round(part / whole, 4) if whole else 0.0


def flagged_shares(publications: pl.LazyFrame, flags: tuple[str, ...]) -> Mapping[str, float]:
    """The share of records that carry each flag."""
    counted = publications.select(
        pl.len().alias("rows"), *(pl.col("issues").list.contains(f).sum().alias(f) for f in flags)
    ).collect()
    rows = int(counted["rows"][0])
    return {flag: share(int(counted[flag][0] or 0), rows) for flag in flags}


def rejected_by_reason(rejected: pl.LazyFrame) -> Mapping[str, int]:
    """How many rows were rejected, under `<source>.<reason>`."""
    counted = (
        rejected.explode("reasons", empty_as_null=False)
        .group_by("source", "reasons")
        .len()
        .sort("source", "reasons")
        .collect()
    )
    return {f"{source}.{reason}": count for source, reason, count in counted.rows()}


def dates_in_the_future(publications: pl.LazyFrame, today: dt.date) -> int:
    """Records dated after today."""
    return int(publications.filter(pl.col("date") > today).select(pl.len()).collect().item())


def never_mentioned(drugs: pl.LazyFrame, mentions: pl.LazyFrame) -> list[str]:
    """Names of the drugs that no title names, sorted."""
    names: list[str] = (
        drugs.join(mentions, on="drug_id", how="anti")
        .select(pl.col("drug").sort())
        .collect()["drug"]
        .to_list()
    )
    return names
