"""Mentions -> tables that summarize them (SPEC 3 and 6). The graph document is in `document`."""

from __future__ import annotations

import polars as pl

from drug_assets.sources.tables import (
    list_columns,
    name_mention_counts,
    name_retraction_counts,
)
from drug_assets.terms import ATC_LEVELS, RejectReason


def count_journal_drugs(mentions: pl.LazyFrame) -> pl.LazyFrame:
    """Count the mentions of each drug in each journal, with first and last date.

    Args:
        mentions: table as `contracts.Mentions`.

    Returns:
        The table `journal_drugs`: one row per journal and drug. Mentions without a journal are not
        counted.
    """
    retracted = pl.col("retracted")
    counted = {
        column: pl.col("source") == source for source, column in name_mention_counts().items()
    }
    for source, (of_retracted, of_unknown) in name_retraction_counts().items():
        from_source = pl.col("source") == source
        counted[of_retracted] = from_source & retracted.fill_null(value=False)
        counted[of_unknown] = from_source & retracted.is_null()
    counts = {column: found.sum().cast(pl.Int64) for column, found in counted.items()}
    in_journals = mentions.filter(pl.col("journal_id").is_not_null())
    shown = {"journal_id": "journal", "drug_id": "drug"}
    names = dict(
        zip(
            shown,
            pl.collect_all(
                [
                    in_journals.group_by(id_).agg(pl.col(name).first()).sort(id_)
                    for id_, name in shown.items()
                ],
                engine="streaming",
            ),
            strict=True,
        )
    )
    # The rank of an id is grouped and sorted in the place of the text.
    ranked = {id_: pl.Enum(of_ids[id_]) for id_, of_ids in names.items()}
    found = (
        in_journals.with_columns(pl.col(id_).cast(rank) for id_, rank in ranked.items())
        .group_by(*shown)
        .agg(**counts, first_date=pl.col("date").min(), last_date=pl.col("date").max())
        .sort(*shown)
    )
    for id_, rank in ranked.items():
        of_ids = names[id_].lazy().with_columns(pl.col(id_).cast(rank))
        found = found.join(of_ids, on=id_, how="left", maintain_order="left")
    return found.with_columns(pl.col(*shown).cast(pl.String)).select(list_columns("journal_drugs"))


def find_top_journals(journal_drugs: pl.LazyFrame) -> pl.LazyFrame:
    """Find the journals that mention the most different drugs, ties included.

    Args:
        journal_drugs: table `journal_drugs`.

    Returns:
        The table `top_journal` (`contracts.TopJournal`), sorted by journal and journal_id.
    """
    by_retraction = name_retraction_counts().values()
    counts = {
        "mentions": list(name_mention_counts().values()),
        "retracted_mentions": [retracted for retracted, _ in by_retraction],
        "unknown_mentions": [unknown for _, unknown in by_retraction],
    }
    return (
        journal_drugs.group_by("journal_id")
        .agg(
            journal=pl.col("journal").first(),
            drug_count=pl.len().cast(pl.Int64),
            drugs=pl.col("drug").sort(),
            **{name: pl.sum_horizontal(columns).sum() for name, columns in counts.items()},
        )
        .filter(pl.col("drug_count") == pl.col("drug_count").max())
        .sort("journal", "journal_id")
        .select(list_columns("top_journal"))
    )


def count_atc_classes(
    drugs: pl.LazyFrame, mentions: pl.LazyFrame, records: pl.LazyFrame
) -> pl.LazyFrame:
    """Count the drugs, mentions and journals of each ATC class.

    Args:
        drugs: columns drug_id and atc_codes.
        mentions: columns drug_id and journal_id; one row per drug and publication.
        records: rows of drug lists, which name classes: columns reason and class_names.

    Returns:
        The table `atc_classes` (`contracts.AtcClasses`): each class that a drug has or a record
        names, with all classes above it, sorted by code.
    """
    named = _name_classes(records)
    codes = drugs.select("drug_id", code="atc_codes").explode("code", empty_as_null=False)
    held = _climb(codes, "drug_id").collect().lazy()
    of_drugs = mentions.group_by("drug_id").agg(mentions=pl.len())
    # There are many of these pairs, and numbers are compared in half the time of texts.
    journal = pl.col("journal_id").cast(pl.Categorical).to_physical()
    naming = mentions.select("drug_id", journal).drop_nulls().unique()
    drugs_of_class = held.group_by("class").agg(drugs=pl.len())
    mentions_of_class = (
        held.join(of_drugs, on="drug_id").group_by("class").agg(pl.col("mentions").sum())
    )
    journals_of_class = (
        held.join(naming, on="drug_id")
        .group_by("class")
        .agg(journals=pl.col("journal_id").n_unique())
    )
    code, counts = pl.col("class"), ("drugs", "mentions", "journals")
    chars = code.str.len_chars()
    above = chars.replace_strict(ATC_LEVELS, (None, *ATC_LEVELS[:-1]), return_dtype=pl.Int64)
    return (
        pl.concat([held.select("class"), _climb(named.select(code="class"))])
        .unique()
        .join(named, on="class", how="left")
        .join(drugs_of_class, on="class", how="left")
        .join(mentions_of_class, on="class", how="left")
        .join(journals_of_class, on="class", how="left")
        .with_columns(
            pl.col(counts).fill_null(0).cast(pl.Int64),
            level=chars.replace_strict(ATC_LEVELS, range(1, 6), return_dtype=pl.Int64),
            parent=code.str.head(above),
        )
        .sort("class")
        .select(list_columns("atc_classes"))
    )


def _name_classes(records: pl.LazyFrame) -> pl.LazyFrame:
    """Columns class and name: the most frequent spelling of each class (ties: alphabetical)."""
    kept = pl.col("reason").is_null() | (pl.col("reason") == RejectReason.ATC_GROUP)
    given = pl.col("class_names").str.splitn(" ", 2).struct.rename_fields(["class", "name"])
    return (
        records.filter(kept)
        .select("class_names")
        .explode("class_names", empty_as_null=False)
        .select(given)
        .unnest("class_names")
        .group_by("class", "name")
        .len()
        .sort("class", "len", "name", descending=[False, True, False])
        .unique("class", keep="first", maintain_order=True)
        .select("class", "name")
    )


def _climb(codes: pl.LazyFrame, *by: str) -> pl.LazyFrame:
    """Column class: the class of each code, and all classes above it; with the columns `by`."""
    code = pl.col("code")
    return pl.concat(
        codes.filter(code.str.len_chars() >= length).select(
            *by, code.str.head(length).alias("class")
        )
        for length in ATC_LEVELS
    ).unique()
