"""Checks between tables, and figures that are worth a warning (SPEC 7).

Each function reads tables and returns a `Finding`; `defs.checks` decides whether it stops a run.
The rules within one table belong to its contract.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from itertools import islice
from typing import TYPE_CHECKING, Any, NamedTuple

import dataframely as dy
import polars as pl

from drug_assets import mention_rules
from drug_assets.cleaning.rejected import count_by_reason
from drug_assets.cleaning.text import LETTER_OR_DIGIT, blank_raised, fold_text, map_distinct
from drug_assets.explorer.pack import list_blocks
from drug_assets.explorer.reading import NotAPageError, read_page
from drug_assets.sources.tables import name_mention_counts
from drug_assets.terms import EXPECTED_REASONS, SOUND_ISSUES, Issue, RejectReason, SpanOrigin
from drug_assets.wording import count_of, shorten

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Collection, Mapping
    from pathlib import Path

    from drug_assets.contracts import Contract
    from drug_assets.document.verifying import ReadDocument

#: Shares of rows above which a check warns.
REJECTED_SHARE = 0.05
MISSING_SHARE = 0.25
SHRUNK_SHARE = 0.10
#: A name is looked at from so many titles on. It warns if its share of the titles is more than so
#: many times that of the last release, or if none named it then and more than a share does now.
EXPLODING_TITLES = 100
EXPLODING_TIMES = 5
NEW_NAME_SHARE = 0.005
#: The flags whose share of the records is checked.
MISSING = tuple(
    flag.value for flag in (Issue.MISSING_ID, Issue.MISSING_DATE, Issue.MISSING_JOURNAL)
)
#: Limit on the names that a finding lists.
_MOST_NAMES = 50

_ROW = ("source_file", "source_row")


@dataclass(frozen=True)
class Finding:
    """The result of one check."""

    passed: bool
    summary: str
    figures: Mapping[str, int | float | str] = field(default_factory=dict)
    #: Whether it stops no run, although its check is one that can.
    is_warning: bool = False


#: What is found of rows that keep the contract of their table.
CONTRACT_KEPT = Finding(passed=True, summary="every rule holds")


def _count_rows(tables: Mapping[str, pl.LazyFrame]) -> dict[str, int]:
    """The number of rows of each table; all are counted at the same time."""
    counted = pl.collect_all([table.select(pl.len()) for table in tables.values()])
    return {name: count.item() for name, count in zip(tables, counted, strict=True)}


def contract_kept(contract: Contract, rows: pl.LazyFrame) -> Finding:
    """Check that a table has the columns of its contract, and that every rule holds in every row.

    Args:
        contract: the contract.
        rows: the table.
    """
    try:
        _, failure = contract.filter(rows)
        broken = failure.counts()
    except dy.exc.SchemaError as error:
        return Finding(passed=False, summary=str(error).partition("\n")[0])
    if not broken:
        return CONTRACT_KEPT
    summary = ", ".join(f"{rule}: {count} rows" for rule, count in sorted(broken.items()))
    return Finding(passed=False, summary=summary, figures=broken)


def nothing_lost(
    raw: pl.LazyFrame, kept: pl.LazyFrame, merged: pl.LazyFrame, rejected: pl.LazyFrame
) -> Finding:
    """Check that every raw row is kept, merged or rejected exactly once.

    So the counts satisfy raw = kept + merged + rejected.

    Args:
        raw: columns source_file and source_row.
        kept: one row per kept record; columns source_file and source_row if the table has them.
        merged: columns source_file and source_row.
        rejected: columns source_file and source_row, of the same source.
    """
    accounted = [merged.select(_ROW), rejected.select(_ROW)]
    if "source_row" in kept.collect_schema():
        accounted.append(kept.select(_ROW))
    rows = pl.concat(accounted)
    tables = {"raw": raw, "kept": kept, "merged": merged, "rejected": rejected}
    if _differ_and_are_among(rows, raw):
        counts = {**_count_rows(tables), "accounted_for_twice": 0, "not_a_raw_row": 0}
    else:
        twice = rows.group_by(_ROW).len().filter(pl.col("len") > 1)
        others = rows.join(raw, on=_ROW, how="anti")
        counts = _count_rows(
            {**tables, "accounted_for_twice": twice, "not_a_raw_row": others},
        )
    balanced = counts["raw"] == counts["kept"] + counts["merged"] + counts["rejected"]
    return Finding(
        passed=balanced and not counts["accounted_for_twice"] and not counts["not_a_raw_row"],
        summary="{raw} raw = {kept} kept + {merged} merged + {rejected} rejected".format(**counts),
        figures=counts,
    )


def _differ_and_are_among(rows: pl.LazyFrame, raw: pl.LazyFrame) -> bool:
    """Whether rows differ and are raw rows, as far as figures of each file tell.

    They tell it if the raw rows of each file count on from 1, as they should: of millions of rows,
    numbers are compared then, and no texts.

    Args:
        rows: columns source_file and source_row.
        raw: the same.
    """
    row = pl.col("source_row")
    # A null is no number, so that it makes fewer of them than rows.
    numbers = row.drop_nulls().n_unique()
    figures = [row.min().alias("first"), row.max().alias("last"), numbers.alias("distinct")]
    of_files, of_raw_files = (
        each.group_by("source_file").agg(pl.len(), *figures).collect(engine="streaming")
        for each in (rows, raw)
    )
    distinct, first, last = pl.col("distinct"), pl.col("first"), pl.col("last")
    count_on = of_raw_files.filter(pl.col("len") == distinct, first == 1, last == distinct)
    among = of_files.join(count_on, on="source_file", suffix="_raw").filter(
        pl.col("len") == distinct, first >= 1, last <= pl.col("last_raw")
    )
    return among.height == of_files.height


def spans_spell_their_drug(mentions: pl.LazyFrame, drugs: pl.LazyFrame) -> Finding:
    """Check that each span is in its title and spells a name of its drug, or follows from a rule.

    The characters of the title from `start` to `end` must be the span's text; that text must fold
    to a name of the drug, and no letter or digit may be next to it, unless it is raised. A span
    that a rule found must be one that the rule finds there by the names of the drug alone.

    Args:
        mentions: columns drug_id, title and spans.
        drugs: columns drug_id and names.
    """
    names = (
        drugs.select("drug_id", name="names")
        .explode("name", empty_as_null=False)
        .select("drug_id", name=fold_text(pl.col("name")))
        .unique()
        .with_columns(listed=True)
    )
    spans = (
        mentions.select("drug_id", "title", span="spans")
        .with_row_index("row")
        .explode("span", empty_as_null=False)
        .unnest("span")
    )
    by_rule = pl.col("by").ne_missing(SpanOrigin.NAME)
    alike = _count_alike(spans.with_columns(justified=False))
    if alike.select(by_rule.any()).item():
        justified = _justify(spans, drugs).lazy().with_columns(justified=True)
        of_rules = spans.filter(by_rule).join(
            justified, on=["row", "start", "end", "by"], how="left"
        )
        alike = pl.concat([alike.filter(~by_rule), _count_alike(of_rules)])
    text, around, size = pl.col("text"), pl.col("around"), pl.col("size")
    is_inside = pl.col("side") > 0
    before = pl.when(is_inside).then(around.str.head(1)).otherwise(pl.lit(""))
    here = around.str.slice(is_inside.cast(pl.Int64))
    stands_alone = ~pl.any_horizontal(
        fold_text(blank_raised(beside)).str.contains(LETTER_OR_DIGIT)
        for beside in (before, here.str.slice(size, 1))
    )
    good = (
        (pl.col("side") >= 0)
        & (text.str.len_chars() == size)
        & (here.str.slice(0, size.clip(0)) == text)
        & pl.when(by_rule).then("justified").otherwise("listed").fill_null(value=False)
        & stands_alone
    )
    counts = (
        alike.lazy()
        .with_columns(name=fold_text(text))
        .join(names, on=["drug_id", "name"], how="left")
        .select(
            spans=pl.col("spans").sum(),
            wrong=pl.col("spans").filter(~good.fill_null(value=False)).sum(),
        )
        .collect()
    )
    figures = {name: int(counts[name][0]) for name in ("spans", "wrong")}
    return Finding(
        passed=not figures["wrong"],
        summary=f"{figures['wrong']} of {figures['spans']} spans are wrong",
        figures=figures,
    )


def _count_alike(spans: pl.LazyFrame) -> pl.DataFrame:
    """Count the spans that have all in common that decides whether they are right.

    Of millions of spans, few differ: titles spell a drug in few ways, mostly between blanks.

    Args:
        spans: columns drug_id, title, start, end, text, by and justified: whether a rule finds it.

    Returns:
        Columns drug_id, text, by and justified as given; side: the sign of `start`; size: `end` -
        `start`; around: the title from the character before the span to that behind it; spans: how
        many they are.
    """
    side, size = pl.col("start").sign(), pl.col("end") - pl.col("start")
    length = (size + side + 1).clip(0)
    return (
        spans.select(
            *("drug_id", "text", "by", "justified"),
            side=side,
            size=size,
            around=pl.col("title").str.slice((pl.col("start") - 1).clip(0), length),
        )
        .group_by(pl.all())
        .agg(spans=pl.len())
        .collect(engine="streaming")
    )


def _justify(spans: pl.LazyFrame, drugs: pl.LazyFrame) -> pl.DataFrame:
    """Columns row, start, end and by: the spans that rules find in the rows that have such spans.

    Args:
        spans: columns row, drug_id, title, start, end and by; a row is a drug in a title.
        drugs: columns drug_id and names.
    """
    by_name = pl.col("by") == SpanOrigin.NAME
    of_rules = spans.filter(~by_name).select("row", drug="drug_id").unique().collect()
    span = ("row", "start", "end")
    if of_rules.is_empty():
        return spans.select(*span, "by").clear().collect()
    rows = spans.join(of_rules.lazy(), on="row", how="semi").collect()
    names = drugs.join(of_rules.lazy(), left_on="drug_id", right_on="drug", how="semi").select(
        drug="drug_id", name="names"
    )
    return (
        mention_rules.list_possible(
            frozenset(SpanOrigin),
            rows.select("row", "title").unique(),
            rows.filter(by_name).select(*span, drug="drug_id"),
            mention_rules.list_elements(names.explode("name", empty_as_null=False)).collect(),
        )
        .join(of_rules, on=["row", "drug"], how="semi")
        .select(*span, "by")
        .unique()
    )


def ids_exist(
    mentions: pl.LazyFrame, drugs: pl.LazyFrame, publications: Mapping[str, pl.LazyFrame]
) -> Finding:
    """Check that the drug and the publication of every mention are in their tables.

    Args:
        mentions: columns drug_id, source and publication_id.
        drugs: column drug_id.
        publications: by source, its table: column publication_id.
    """
    of_drugs = mentions.group_by("drug_id").len().join(drugs, on="drug_id", how="anti")
    figures = {"unknown_drugs": of_drugs.select(pl.col("len").sum()).collect().item()}
    for source, rows in publications.items():
        ids = mentions.filter(pl.col("source") == source).select("publication_id")
        unknown_ids = _drop_known(ids, rows, "publication_id")
        figures[f"unknown_{source}"] = unknown_ids.select(pl.len()).collect().item()
    unknown = sum(figures.values())
    summary = f"{unknown} mentions of unknown drugs or publications"
    return Finding(passed=not unknown, summary=summary, figures=figures)


def _drop_known(rows: pl.LazyFrame, known: pl.LazyFrame, id_: str) -> pl.LazyFrame:
    """The rows with an id that no other table has.

    Hashes are joined, which takes half the time of texts; then each id is compared with the one
    that has its hash. Only the ids that differ from it are joined as texts.

    Args:
        rows: the rows.
        known: the other table.
        id_: the column of both that has the id.
    """
    id_hash = pl.col(id_).hash().alias("hash")
    others = known.select(id_hash, same_hash=id_)
    left = (
        rows.with_columns(id_hash)
        .join(others, on="hash", how="left")
        .filter(pl.col(id_).eq(pl.col("same_hash")).fill_null(value=False).not_())
        .drop("hash", "same_hash")
        .collect(engine="streaming")
    )
    return left.lazy() if left.is_empty() else left.lazy().join(known, on=id_, how="anti")


def references_agree(
    trial_publications: pl.LazyFrame, publications: Mapping[str, pl.LazyFrame]
) -> Finding:
    """Check that the trials and publications said to be in the store are there, and no others.

    Args:
        trial_publications: rows of `contracts.TrialPublications`.
        publications: by source, its table: column publication_id.
    """
    sides = {
        "trial_in_store": ("trial_source", "trial_id"),
        "publication_in_store": ("source", "publication_id"),
    }
    wrong = {}
    for told, (source_name, publication_id) in sides.items():
        for source, rows in publications.items():
            ids = rows.select(pl.col("publication_id").alias(publication_id))
            of_source = trial_publications.filter(pl.col(source_name) == source)
            there, not_there = of_source.filter(pl.col(told)), of_source.filter(~pl.col(told))
            wrong[f"{told}.unknown_{source}"] = there.join(ids, on=publication_id, how="anti")
            wrong[f"{told}.overlooked_{source}"] = not_there.join(
                ids, on=publication_id, how="semi"
            )
    figures = _count_rows(wrong)
    count = sum(figures.values())
    return Finding(
        passed=not count,
        summary=f"{count} references lead to something else than they say",
        figures=figures,
    )


def few_references_dangle(trial_publications: pl.LazyFrame) -> Finding:
    """Check the share of references whose other side is not in the store; figures count them.

    Args:
        trial_publications: columns kind, trial_in_store and publication_in_store.
    """
    dangles = ~(pl.col("trial_in_store") & pl.col("publication_in_store"))
    counted = (
        trial_publications.group_by("kind").agg(pl.len(), dangling=dangles.sum()).sort("kind")
    ).collect()
    rows, dangling = int(counted["len"].sum()), int(counted["dangling"].sum())
    found = share(dangling, rows)
    by_kind = {f"dangling.{kind}": count for kind, _, count in counted.rows() if count}
    return Finding(
        passed=found <= MISSING_SHARE,
        summary=f"{dangling:,} of {count_of(rows, 'reference')} lead out of the store",
        figures={"references": rows, "dangling": dangling, "share": found, **by_kind},
    )


class Searched(NamedTuple):
    """The publications of a source, how many records were searched, and the drugs found."""

    #: The table of publications: columns source_file, source_row and publication_id.
    publications: pl.LazyFrame
    #: By landed file, the number of records whose titles were searched.
    records: Mapping[str, int]
    #: The drugs found in these titles: columns source_file, source_row and drug_id.
    named: pl.LazyFrame
    #: The rows merged into publications: column merged_into. A title of such a publication may be
    #: that of another record, and then names other drugs.
    merged: pl.LazyFrame


def every_publication_was_searched(
    searched: Mapping[str, Searched], mentions: pl.LazyFrame
) -> Finding:
    """Check that all titles were searched, and that every drug found is among the mentions.

    Args:
        searched: by source, its publications and the search results.
        mentions: columns drug_id, source and publication_id.
    """
    tables: dict[str, pl.LazyFrame] = {}
    for source, (publications, records, named, merged) in searched.items():
        files = {"source_file": list(records), "searched": list(records.values())}
        of_file = pl.LazyFrame(files, schema={"source_file": pl.String, "searched": pl.Int64})
        rows_searched = pl.col("searched").fill_null(0)
        unsearched = publications.join(of_file, on="source_file", how="left").filter(
            pl.col("source_row") > rows_searched
        )
        found = publications.join(named, on=_ROW).select("drug_id", "publication_id")
        of_source = mentions.filter(pl.col("source") == source)
        missing = found.join(of_source, on=["drug_id", "publication_id"], how="anti").join(
            merged, left_on="publication_id", right_on="merged_into", how="anti"
        )
        tables[f"unsearched_{source}"] = unsearched
        tables[f"unmentioned_{source}"] = missing
    figures = _count_rows(tables)
    wrong = {figure: count for figure, count in figures.items() if count}
    summary = ", ".join(f"{figure.replace('_', ' ', 1)}: {wrong[figure]:,}" for figure in wrong)
    return Finding(
        passed=not wrong,
        summary=summary or "all titles were searched, all that they name is mentioned",
        figures=figures,
    )


def document_is_valid(read: ReadDocument) -> Finding:
    """Check that a document conforms to its declaration."""
    passed = read.problem is None
    return Finding(passed, read.problem or f"{len(read.counts)} drugs are as declared")


def graph_equals_mentions(
    read: ReadDocument,
    names: ReadDocument,
    drugs: pl.LazyFrame,
    mentions: pl.LazyFrame,
    trial_publications: pl.LazyFrame,
) -> Finding:
    """Check that the graph has the mentions and ties of the tables, and each drug has one place.

    A drug without mentions is either in the graph or in the document of names, any other one in the
    graph.

    Args:
        read: the result of reading the graph document.
        names: the result of reading the document of names.
        drugs: column drug_id.
        mentions: columns drug_id, source, publication_id, journal_id and retracted. The figures
            count the journals that have a mention, and the mentions of retracted publications.
        trial_publications: rows of `contracts.TrialPublications`.
    """
    for problem in (read.problem, names.problem):
        if problem is not None:
            return Finding(passed=False, summary=f"it cannot be read: {problem}")
    publication = ("source", "publication_id")
    both = trial_publications.filter(pl.col("trial_in_store") & pl.col("publication_in_store"))
    trials = both.select(source="trial_source", publication_id="trial_id")
    ties = pl.concat([trials, both.select(publication)]).group_by(publication).len("ties")
    expected = (
        drugs.select("drug_id")
        .join(
            mentions.join(ties, on=publication, how="left")
            .group_by("drug_id")
            .agg(
                mentions=pl.len(),
                in_journals=pl.col("journal_id").is_not_null().sum(),
                ties=pl.col("ties").sum(),
            ),
            on="drug_id",
            how="left",
        )
        .with_columns(pl.col("mentions", "in_journals", "ties").fill_null(0).cast(pl.Int64))
        .collect()
    )
    found = pl.DataFrame(read.counts + names.counts, schema=expected.schema, orient="row")
    different = (
        pl.concat([expected.with_columns(tables=1), found.with_columns(tables=-1)])
        .group_by(expected.columns)
        .agg(pl.col("tables").sum())
        .filter(pl.col("tables") != 0)
    )
    counted = mentions.select(
        journals=pl.col("journal_id").drop_nulls().n_unique(),
        retracted_mentions=pl.col("retracted").sum(),
    ).collect()
    figures = {
        "drugs": found.height,
        "drugs_in_names": len(names.counts),
        "mentions": int(found["mentions"].sum()),
        **{name: int(counted[name][0]) for name in counted.columns},
    }
    return Finding(
        passed=different.is_empty(),
        summary=f"{different['drug_id'].n_unique()} drugs differ from the tables",
        figures=figures,
    )


def page_equals_tables(
    page: Path,
    beside: Collection[str],
    drugs: pl.LazyFrame,
    mentions: pl.LazyFrame,
    journal_drugs: pl.LazyFrame,
) -> Finding:
    """Check that the explorer counts what the tables hold, and that none of its blocks is missing.

    Args:
        page: the page.
        beside: names of the files beside it, with their folder.
        drugs: column drug_id.
        mentions: columns drug_id, source and journal_id.
        journal_drugs: table `journal_drugs`.

    Raises:
        OSError: reading the file fails.
    """
    try:
        read = read_page(page)
    except NotAPageError as error:
        return Finding(passed=False, summary=f"it cannot be read: {error}")
    index = read.index
    counts = name_mention_counts()
    journals = pl.col("journal_id").n_unique() - pl.col("journal_id").has_nulls().cast(pl.UInt32)
    of_drugs = mentions.group_by("drug_id").agg(
        *((pl.col("source") == source).sum().alias(column) for source, column in counts.items()),
        journals=journals,
    )
    of_journals = journal_drugs.group_by("journal_id").agg(
        pl.col(*counts.values()).sum(), drugs=pl.len()
    )
    wrong = {
        "drugs": _count_different(of_drugs, index["drugs"], "drug_id", "journals"),
        "journals": _count_different(of_journals, index["journals"], "journal_id", "drugs"),
    }
    listed = drugs.select(pl.len()).collect().item()
    wrong["drugs"] += abs(listed - index["mentioned"] - index["unmentioned"])
    lacking = [
        name
        for name in list_blocks(index)
        if name not in read.blocks or read.blocks[name] not in {None, *beside}
    ]
    figures = {f"different_{name}": count for name, count in wrong.items()}
    told = [f"{count_of(count, name[:-1])} differ from the tables" for name, count in wrong.items()]
    if lacking:
        told.append(f"{count_of(len(lacking), 'block')} missing: {shorten(lacking)}")
    return Finding(
        passed=not any(wrong.values()) and not lacking,
        summary="; ".join(told),
        figures={"mentions": index["total"], "blocks": len(read.blocks), **figures},
    )


def _count_different(
    expected: pl.LazyFrame, columns: Mapping[str, Any], id_: str, further: str
) -> int:
    """How many rows of the index of a page differ from a table.

    Args:
        expected: columns with an id, the mentions by type, and a further count.
        columns: those of the index.
        id_: name of the id in the table.
        further: name of the further count.
    """
    by_type = dict(zip(name_mention_counts().values(), columns["by"], strict=True))
    numbers = {**by_type, further: columns[further]}
    found = pl.LazyFrame(
        {id_: columns["id"], **numbers},
        schema={id_: pl.String, **dict.fromkeys(numbers, pl.Int64)},
    )
    of_table = expected.with_columns(pl.col(*numbers).cast(pl.Int64)).select(id_, *numbers)
    both = [of_table.with_columns(side=1), found.with_columns(side=-1)]
    tallied = pl.concat(both).group_by(id_, *numbers).agg(pl.col("side").sum())
    different = tallied.filter(pl.col("side") != 0).select(pl.col(id_).n_unique())
    count: int = different.collect().item()
    return count


def share(part: int, whole: int) -> float:
    """The share of some rows in all rows, with four decimals; 0 if there are no rows."""
    return round(part / whole, 4) if whole else 0.0


def did_not_shrink(rows: pl.LazyFrame, rows_before: int | None) -> Finding:
    """Check that a table has lost at most a tenth of its rows since the last release.

    Args:
        rows: the table.
        rows_before: its rows in the last release; None if there is none, then the check passes.
    """
    now = _count_rows({"now": rows})["now"]
    if rows_before is None:
        return Finding(passed=True, summary=f"{count_of(now, 'row')}, the first time")
    return Finding(
        passed=now >= rows_before * (1 - SHRUNK_SHARE),
        summary=f"{count_of(now, 'row')}, {rows_before:,} the last time",
        figures={"rows": now, "rows_before": rows_before},
    )


class Named(NamedTuple):
    """The names that were found in a release, or in a run."""

    #: The titles in which each folded name was found: columns name, titles and drugs.
    names: pl.DataFrame
    #: The publications whose titles were searched.
    titles: int

    @classmethod
    def of(cls, mentions: pl.LazyFrame, titles: int) -> Named:
        """Count the names in mentions.

        Args:
            mentions: table as `contracts.Mentions`.
            titles: the publications whose titles were searched.
        """
        return cls(_count_titles(mentions).collect(engine="streaming"), titles)


def no_name_exploded(now: Named, before: Named | None, names: pl.LazyFrame) -> Finding:
    """Check that no name is found in far more titles than in the last release.

    Such a name is mostly one that a list has got newly, or that titles use for something else. Each
    is listed with its titles, its drugs and the lists that give it.

    Args:
        now: the names that this run found.
        before: those of the last release; None if there is none, then the check passes.
        names: table as `contracts.DrugNames`.
    """
    if before is None or not before.titles:
        return Finding(passed=True, summary="nothing to compare with, the first time")
    exploded = (
        now.names.filter(pl.col("titles") >= EXPLODING_TITLES)
        .join(before.names, on="name", how="left", suffix="_before")
        .with_columns(pl.col("titles_before").fill_null(0))
        .filter(
            pl.when(pl.col("titles_before") > 0)
            .then(
                pl.col("titles") * before.titles
                > pl.col("titles_before") * now.titles * EXPLODING_TIMES
            )
            .otherwise(pl.col("titles") > now.titles * NEW_NAME_SHARE)
        )
        .sort(-pl.col("titles"), "name")
    )
    lists = (
        names.filter("searched")
        .with_columns(folded=fold_text(pl.col("name")))
        .filter(pl.col("folded").is_in(exploded["name"].implode()))
        .group_by("folded")
        .agg(pl.col("source_file").unique().sort())
    )
    given: dict[str, list[str]] = dict(lists.collect().rows())
    return Finding(
        passed=exploded.is_empty(),
        summary=f"{count_of(exploded.height, 'name')} found in far more titles than the last time: "
        f"{shorten(exploded['name'].to_list())}"
        if exploded.height
        else "no name is found in far more titles than the last time",
        figures={
            name: f"{titles:,} of {now.titles:,} titles, {titles_before:,} of {before.titles:,} "
            f"the last time; {shorten(drugs)}, in {shorten(given.get(name, [])) or 'no list'}"
            for name, titles, drugs, titles_before in exploded.head(_MOST_NAMES)
            .select("name", "titles", "drugs", "titles_before")
            .rows()
        },
    )


def _count_titles(mentions: pl.LazyFrame) -> pl.LazyFrame:
    """The titles in which each folded name was found, as in `Named`."""

    def fold(texts: pl.Series) -> pl.Series:
        return texts.to_frame("text").select(fold_text(pl.col("text"))).to_series()

    # Mentions are sorted by drug, so few texts of a batch differ. Titles are told apart by a hash:
    # that any two of millions have the same is less likely than one in a million.
    text = pl.col("text")
    return (
        mentions.select(
            "drug",
            title=pl.struct("source", "publication_id").hash(),
            text=pl.col("spans").list.eval(pl.element().struct.field("text")),
        )
        .explode("text", empty_as_null=False)
        .select("drug", "title", name=map_distinct(text, fold, pl.String(), of_null=None))
        .group_by("name")
        .agg(titles=pl.col("title").n_unique().cast(pl.Int64), drugs=pl.col("drug").unique().sort())
    )


def every_file_is_read(landed_files: pl.LazyFrame) -> Finding:
    """Check that every file belongs to a source and has a supported format.

    The figures list all other files, each with its problem.

    Args:
        landed_files: columns source_file and problem.
    """
    unread = landed_files.filter(pl.col("problem").is_not_null()).collect()
    return Finding(
        passed=unread.is_empty(),
        summary=f"{count_of(unread.height, 'file')} not read"
        if unread.height
        else "all files were read",
        figures=dict(zip(unread["source_file"], unread["problem"], strict=True)),
    )


def every_row_is_sound(landed_files: pl.LazyFrame) -> Finding:
    """Check that no raw row was odd in form; the figures count such rows by file and read issue.

    What only says what a row is (`terms.SOUND_ISSUES`) is not odd.

    Args:
        landed_files: columns source_file and read_issues.
    """
    odd = landed_files.filter(pl.col("read_issues").list.len() > 0).sort("source_file").collect()
    by_issue: Counter[str] = Counter()
    figures = {}
    for file, of_file in odd.select("source_file", "read_issues").iter_rows():
        issues = [one for one in of_file if one["issue"] not in SOUND_ISSUES]
        if not issues:
            continue
        by_issue.update({one["issue"]: one["rows"] for one in issues})
        figures[file] = ", ".join(f"{one['rows']:,} {one['issue']}" for one in issues)
    told = ", ".join(f"{rows:,} {issue}" for issue, rows in sorted(by_issue.items()))
    return Finding(
        passed=not figures,
        summary=f"{told}, in {count_of(len(figures), 'file')}" if figures else "no odd row",
        figures=_first(figures),
    )


def every_field_is_read(landed_files: pl.LazyFrame) -> Finding:
    """Check that files have no column or key of an unknown name; the figures list them by file.

    Args:
        landed_files: columns source_file and unread_fields.
    """
    beyond = landed_files.filter(pl.col("unread_fields").list.len() > 0).sort("source_file")
    rows = beyond.select("source_file", "unread_fields").collect().rows()
    figures = {file: shorten(names) for file, names in rows}
    return Finding(
        passed=not figures,
        summary=f"{count_of(len(figures), 'file')} with columns or keys that are not read"
        if figures
        else "every column and key was read",
        figures=_first(figures),
    )


def _first(figures: Mapping[str, str], what: str = "file") -> dict[str, str]:
    """The first figures: a landing zone can have thousands of files."""
    beyond = len(figures) - _MOST_NAMES
    first = dict(islice(figures.items(), _MOST_NAMES))
    return first | ({"…": f"and {count_of(beyond, f'further {what}')}"} if beyond > 0 else {})


def every_source_landed(
    landed_files: pl.LazyFrame, rows_before: Mapping[str, int], allowed: Collection[str] = ()
) -> Finding:
    """Check that every source has raw rows; otherwise all its tables are empty.

    It is a warning if a source never had a row, as long as any source has one.

    Args:
        landed_files: columns source and raw_rows.
        rows_before: by source, its raw rows in the last release; 0 if there is none.
        allowed: sources that may be empty.
    """
    rows = dict(landed_files.group_by("source").agg(pl.col("raw_rows").sum()).collect().iter_rows())
    figures = {f"raw_{source}": rows.get(source) or 0 for source in rows_before}
    missing = [source for source in rows_before if not rows.get(source) and source not in allowed]
    if not missing:
        return Finding(passed=True, summary="rows of every source", figures=figures)
    lost = [source for source in missing if rows_before[source]]
    if not any(rows.get(source) for source in rows_before):
        lost = missing  # nothing at all: the wrong folder, more likely than an empty one
    names = ", ".join(missing)
    if not lost:
        return Finding(passed=False, summary=f"no row of {names}", figures=figures, is_warning=True)
    before = ", ".join(f"{source}: {rows_before[source]:,}" for source in lost)
    return Finding(
        passed=False,
        summary=(
            f"no row of {names} (in the last release {before}). Is it the right landing zone? If "
            f"it is meant to be empty, run `drug-assets run{_allow(lost)}`"
        ),
        figures=figures,
    )


def has_names(drugs: pl.LazyFrame, *, allowed: bool = False) -> Finding:
    """Check that there is a name to search titles for; otherwise nothing is mentioned.

    Args:
        drugs: column names.
        allowed: whether there may be none.
    """
    names: int = drugs.select(pl.col("names").list.len().sum()).collect().item()
    if names or allowed:
        return Finding(passed=True, summary=count_of(names, "name"), figures={"names": names})
    return Finding(
        passed=False,
        summary=(
            "there is no drug to look for: land a list of drugs. If it is meant, run "
            f"`drug-assets run{_allow(['drugs'])}`"
        ),
        figures={"names": names},
    )


def _allow(sources: Collection[str]) -> str:
    return "".join(f" --allow-empty {source}" for source in sources)


def few_are_rejected(rejected: pl.LazyFrame, raw: Mapping[str, pl.LazyFrame]) -> Finding:
    """Check the share of raw rows that were rejected; the figures count them by reason.

    The share leaves out rows that a sound delivery has many of (`terms.EXPECTED_REASONS`). A file
    of nothing else is told: what it adds to has not landed, or it has none of the chosen trees.

    Args:
        rejected: columns source, source_file and reasons, of all sources.
        raw: the raw tables of all sources, by name of the source.
    """
    counts = _count_rows({**raw, "rejected": rejected})
    lost = counts.pop("rejected")
    rows = sum(counts.values())
    by_reason = rejected_by_reason(rejected)
    expected = sum(
        count for reason, count in by_reason.items() if reason.partition(".")[2] in EXPECTED_REASONS
    )
    unexpected = lost - expected
    found = share(unexpected, rows - expected)
    of_them = f", {expected:,} of them as in any sound delivery" if expected else ""
    useless = _list_useless_files(rejected, raw) if expected else []
    named = f"; no row is of use in {shorten(useless)}" if useless else ""
    return Finding(
        passed=found <= REJECTED_SHARE and not useless,
        summary=f"{lost:,} of {count_of(rows, 'raw row')} rejected{of_them}{named}",
        figures={
            "rejected": lost,
            "unexpected": unexpected,
            "raw": rows,
            "share": found,
            **by_reason,
        },
    )


def _list_useless_files(rejected: pl.LazyFrame, raw: Mapping[str, pl.LazyFrame]) -> list[str]:
    """The files all of whose rows were rejected as a sound delivery has them, by name.

    Groups of the ATC table are of use: they name classes.
    """
    reasons = [reason for reason in EXPECTED_REASONS if reason is not RejectReason.ATC_GROUP]
    left_out = pl.any_horizontal(pl.col("reasons").list.contains(reason) for reason in reasons)
    lost = (
        rejected.group_by("source", "source_file")
        .agg(rows=pl.len(), left_out=left_out.all())
        .filter("left_out")
        .collect()
    )
    files = [
        raw[str(source)]
        .join(some.lazy(), on="source_file", how="semi")
        .group_by("source_file")
        .len("rows")
        .collect()
        for (source,), some in lost.group_by("source")
    ]
    whole = lost.join(
        pl.concat([*files, lost.select("source_file", "rows").clear()]),
        on=["source_file", "rows"],
        how="semi",
    )
    return sorted(whole["source_file"])


def rejected_by_reason(rejected: pl.LazyFrame) -> Mapping[str, int]:
    """How many rows were rejected, by `<source>.<reason>`, sorted (`count_by_reason`).

    Args:
        rejected: columns source and reasons.
    """
    tallied = count_by_reason(rejected)
    return {f"{source}.{reason}": count for source, reason, count in tallied.rows()}


def few_are_flagged(publications: pl.LazyFrame) -> Mapping[str, Finding]:
    """Check the share of records that have each flag of `MISSING`; one finding per flag.

    Args:
        publications: column issues.
    """
    tallied = publications.select(
        pl.len().alias("rows"), *(pl.col("issues").list.contains(f).sum().alias(f) for f in MISSING)
    ).collect()
    shares = {flag: share(int(tallied[flag][0] or 0), int(tallied["rows"][0])) for flag in MISSING}
    return {
        flag: Finding(
            passed=found <= MISSING_SHARE,
            summary=f"{found:.1%} of the records",
            figures={"share": found},
        )
        for flag, found in shares.items()
    }


def none_conflict(publications: pl.LazyFrame) -> Finding:
    """Check that no record contradicts a newer one of its id.

    Args:
        publications: column issues.
    """
    flagged = {
        flag.value: publications.filter(pl.col("issues").list.contains(flag))
        for flag in (Issue.CONFLICTING_DUPLICATE, Issue.SHARED_ID)
    }
    figures = _count_rows(flagged)
    told = {
        Issue.CONFLICTING_DUPLICATE: "replaced one with another title, date or journal",
        Issue.SHARED_ID: "shared an id within a file",
    }
    found = [f"{count_of(figures[flag], 'record')} {what}" for flag, what in told.items()]
    wrong = [summary for flag, summary in zip(told, found, strict=True) if figures[flag]]
    return Finding(passed=not wrong, summary=", ".join(wrong or found[:1]), figures=figures)


def no_join_was_refused(drugs: pl.LazyFrame) -> Finding:
    """Check that no two drugs have an identifier in common; the figures list those that do.

    Lists say by it that they are one, and by other identifiers that they are two.

    Args:
        drugs: columns drug_id, drug and xrefs.
    """
    owners = drugs.select("drug_id", "drug", "xrefs").explode("xrefs", empty_as_null=False)
    refused = (
        owners.filter(pl.len().over("xrefs") > 1)
        .group_by("xrefs")
        .agg(told=pl.format("{} ({})", "drug", "drug_id").sort())
        .sort("xrefs")
        .collect()
    )
    figures = {identifier: shorten(told) for identifier, told in refused.rows()}
    return Finding(
        passed=not figures,
        summary=f"{count_of(len(figures), 'identifier')} of several drugs"
        if figures
        else "no two drugs have an identifier in common",
        figures=_first(figures, "identifier"),
    )


def no_future_dates(publications: pl.LazyFrame, today: dt.date) -> Finding:
    """Check that no record has a date after today.

    Args:
        publications: column date.
        today: the current day, in UTC.
    """
    figures = _count_rows({"records": publications.filter(pl.col("date") > today)})
    future = figures["records"]
    return Finding(passed=not future, summary=count_of(future, "record"), figures=figures)


def all_are_mentioned(drugs: pl.LazyFrame, mentions: pl.LazyFrame) -> Finding:
    """Check that each drug has a mention; the figures list the drugs without one.

    Args:
        drugs: columns drug_id and drug.
        mentions: column drug_id.
    """
    missing = drugs.join(mentions, on="drug_id", how="anti").select(pl.col("drug").sort())
    names: list[str] = missing.collect()["drug"].to_list()
    return Finding(
        passed=not names,
        summary=f"{count_of(len(names), 'drug')} never mentioned",
        figures={"drugs": len(names), "names": ", ".join(names[:_MOST_NAMES])},
    )
