"""Drug lists to drugs: one row a drug, whatever the number of rows that name it (SPEC section 2).

Searching titles for the names belongs to `mentions`.
"""

from __future__ import annotations

from typing import NamedTuple

import polars as pl

from drug_assets import contracts
from drug_assets.cleaning.delivery import with_position
from drug_assets.cleaning.text import cleaned, folded

_SEARCHABLE = r"[\p{L}\p{N}]"


class CleanedDrugs(NamedTuple):
    """What cleaning the drug lists gives."""

    #: The drugs, as `contracts.Drugs`.
    kept: pl.LazyFrame
    #: Rows that name a drug another row names too, as `contracts.MergedDrugs`.
    merged: pl.LazyFrame


def rejected_drugs() -> pl.Expr:
    """Why a raw drug row cannot be kept: null, or `blank_name`."""
    return pl.when(cleaned(pl.col("drug")).is_null()).then(pl.lit("blank_name"))


def cleaned_drugs(raw: pl.LazyFrame) -> CleanedDrugs:
    """The drugs that raw rows (`contracts.RawDrugs`) name.

    Rows of the same folded name, or of the same identifier, are one drug: all codes, all names, the
    most frequent spelling (ties: alphabetical) for display. A row without identifier is identified
    by its folded name, so it is one with rows whose identifier is that name.
    """
    rows = (
        with_position(raw)
        .select(
            "source_file",
            "source_row",
            "position",
            id=cleaned(pl.col("id")),
            drug=cleaned(pl.col("drug")),
            codes=_split(pl.col("atccode")),
            synonyms=_split(pl.col("synonyms")),
        )
        .filter(pl.col("drug").is_not_null())
        .with_columns(folded_name=folded(pl.col("drug")))
        .sort("position")
        .collect()
    )
    rows = rows.with_columns(component=_components(rows))
    by_drug = rows.group_by("component", maintain_order=True)
    spelling = (
        rows.group_by("component", "drug")
        .len()
        .sort("component", "len", "drug", descending=[False, True, False])
        .unique("component", keep="first", maintain_order=True)
        .select("component", "drug")
    )
    spellings = pl.concat_list(pl.col("drug"), pl.col("synonyms")).explode(empty_as_null=False)
    drugs = (
        by_drug.agg(
            drug_id=pl.coalesce(pl.col("id").drop_nulls().min(), pl.col("folded_name").min()),
            all_names=spellings.drop_nulls().unique().sort(),
            codes=pl.col("codes").explode(empty_as_null=False).drop_nulls().unique().sort(),
            source_file=pl.col("source_file").first(),
            source_row=pl.col("source_row").first(),
        )
        .join(spelling, on="component")
        .with_columns(
            names=pl.col("all_names").list.eval(
                pl.element().filter(pl.element().str.contains(_SEARCHABLE))
            ),
            atc_codes=pl.col("codes")
            .list.eval(pl.element().str.to_uppercase())
            .list.eval(pl.element().filter(pl.element().str.contains(contracts.ATC_CODE)))
            .list.unique()
            .list.sort(),
        )
    )
    invalid = pl.col("codes").list.eval(
        ~pl.element().str.to_uppercase().str.contains(contracts.ATC_CODE)
    )
    issues = pl.concat_list(
        pl.when(invalid.list.any()).then(pl.lit("invalid_atc_code")),
        pl.when(pl.col("codes").list.len() == 0).then(pl.lit("missing_code")),
        pl.when(pl.col("names").list.len() < pl.col("all_names").list.len()).then(
            pl.lit("unsearchable_name")
        ),
    ).list.drop_nulls()
    kept = drugs.with_columns(issues=issues).sort("drug_id")
    merged = (
        rows.join(kept.select("component", "drug_id"), on="component")
        .join(kept, on=["source_file", "source_row"], how="anti")
        .select(
            "source_file",
            "source_row",
            merged_into="drug_id",
            rule=pl.lit("same_drug"),
        )
        .sort("source_file", "source_row")
    )
    return CleanedDrugs(
        kept=kept.select(contracts.Drugs.column_names()).lazy(),
        merged=merged.select(contracts.MergedDrugs.column_names()).lazy(),
    )


def _split(field: pl.Expr) -> pl.Expr:
    """The cleaned parts of a field that holds several, separated by bars."""
    parts = field.fill_null("").str.split("|")
    return parts.list.eval(cleaned(pl.element())).list.drop_nulls()


def _components(rows: pl.DataFrame) -> pl.Series:
    """A label a row, equal for rows linked by a chain of equal folded names or equal identities.

    Each round lets the smallest label cross one link of each kind; lists are short chains, so a few
    rounds settle it.
    """
    identity = pl.coalesce("id", "folded_name")
    labels = rows.select("folded_name", identity=identity, component=pl.int_range(pl.len()))
    while True:
        spread = labels.with_columns(component=pl.col("component").min().over("folded_name"))
        spread = spread.with_columns(component=pl.col("component").min().over("identity"))
        if spread["component"].equals(labels["component"]):
            return spread["component"]
        labels = spread
