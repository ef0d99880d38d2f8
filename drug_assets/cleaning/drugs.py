"""Drug records -> drugs: one row per drug, however many rows name it (SPEC 2).

Several lists may be landed (a formulary, DrugBank's open vocabulary, MeSH, the WHO's ATC table).
`drug_joins` decides which rows are one drug; here is what is known of it then.

Searching titles for the names belongs to `mentions`, further spellings to `name_variants`, names
that are not safe to search for to `stop_list`.
"""

from __future__ import annotations

from typing import NamedTuple

import polars as pl

from drug_assets import contracts
from drug_assets.cleaning.drug_joins import join_rows
from drug_assets.cleaning.drug_parts import place_parts
from drug_assets.cleaning.mesh_trees import MeshTrees, mark_out_of_trees
from drug_assets.cleaning.name_marks import without_marks
from drug_assets.cleaning.name_variants import RULES, Rules, make_variants
from drug_assets.cleaning.stop_list import StopList
from drug_assets.cleaning.text import LETTER, fold_text
from drug_assets.delivery import add_position
from drug_assets.terms import ATC_CODE, SEPARATOR, IdentifierScheme, Issue, MergeRule


class CleanedDrugs(NamedTuple):
    """The results of `clean_drugs`."""

    #: The drugs, as `contracts.Drugs`.
    kept: pl.LazyFrame
    #: The rows that were merged into the first row of the same drug, as `contracts.MergedRecords`.
    merged: pl.LazyFrame


def clean_drugs(
    records: pl.LazyFrame,
    stop_list: StopList | None = None,
    rules: Rules = RULES,
    trees: MeshTrees | None = None,
) -> CleanedDrugs:
    """Join the rows of all drug lists to one row per drug (`drug_joins.join_rows`).

    It gets all their codes, names and identifiers, and shows the most frequent spelling (ties:
    alphabetical). Records of MeSH outside the trees that are read are left out.

    `names` are the spellings in the lists and the variants that `rules` make of them, without those
    on the stop list.

    Args:
        records: rows of all drug lists (`contracts.DrugRecords`).
        stop_list: names that are not searched for; None for no names.
        rules: the rules that make further spellings of a name.
        trees: the trees of MeSH whose records are drugs; the project's own choice if not given.

    Returns:
        `kept` and `merged`, each sorted by key.
    """
    stop_list = stop_list or StopList()
    marked = place_parts(mark_out_of_trees(add_position(records), trees or MeshTrees.of()))
    rows = join_rows(marked.filter(pl.col("reason").is_null()).sort("position").collect())
    kept = (
        _identify(rows)
        .join(_choose_names(rows, stop_list, rules), on="component", how="left")
        .with_columns(names=pl.col("names").fill_null([]), atc_codes=_atc_codes())
        .pipe(_flag_refused_joins)
        .with_columns(issues=_issues())
        .sort("drug_id")
    )
    return CleanedDrugs(
        kept=kept.select(contracts.Drugs.column_names()).lazy(),
        merged=_collect_merged(rows, kept).lazy(),
    )


def _identify(rows: pl.DataFrame) -> pl.DataFrame:
    """One row per component (the rows of one drug).

    Columns component, drug_id, drug, codes, xrefs, id_text, source_file and source_row of the first
    row; shares_id and has_invalid_id.
    """
    return (
        rows.group_by("component", maintain_order=True)
        .agg(
            drug_id=_choose_id(),
            scheme_of_id=_schemes_of_ids().min(),
            id_text=pl.col("id_text").drop_nulls().first(),
            shares_id=pl.col("shares_id").any(),
            has_invalid_id=(pl.col("id_text").is_not_null() & ~pl.col("shares_id")).any(),
            codes=pl.col("codes").explode(empty_as_null=False).drop_nulls().unique().sort(),
            xrefs=pl.col("xrefs").explode(empty_as_null=False).drop_nulls().unique().sort(),
            source_file=pl.col("source_file").first(),
            source_row=pl.col("source_row").first(),
        )
        .join(_choose_spelling(rows), on="component")
        .with_columns(drug_id=_distinct_ids())
    )


def _choose_spelling(rows: pl.DataFrame) -> pl.DataFrame:
    """The most frequent spelling of each drug's name: columns component and drug.

    A row that another file has, too, counts once: the same list may land twice.
    """
    row = ("component", "drug", "id", "codes")
    return (
        rows.select(*row[:3], "source_file", codes=pl.col("codes").list.join(SEPARATOR))
        .with_columns(copy=pl.int_range(pl.len()).over("source_file", *row))
        .unique([*row, "copy"])
        .group_by("component", "drug")
        .len()
        .sort("component", "len", "drug", descending=[False, True, False])
        .unique("component", keep="first", maintain_order=True)
        .select("component", "drug")
    )


def _schemes_of_ids() -> pl.Expr:
    """The rank of the scheme of each id, 0 for an id of a list of its own; null without an id."""
    ranks = {scheme.value: rank for rank, scheme in enumerate(IdentifierScheme, start=1)}
    rank = pl.col("scheme").replace_strict(ranks, default=0, return_dtype=pl.UInt8)
    return pl.when(pl.col("id").is_not_null()).then(rank.fill_null(0))


def _choose_id() -> pl.Expr:
    """The id of a drug: the smallest of its first scheme, else its smallest folded name."""
    first = _schemes_of_ids() == _schemes_of_ids().min()
    return pl.coalesce(pl.col("id").filter(first).min(), pl.col("folded_name").min())


def _distinct_ids() -> pl.Expr:
    """The id of each drug, with its scheme before it where it is the id of another drug, too.

    That can be: the numbers of RxNorm are those of other lists, too, but in other schemes.
    """
    schemes = dict(enumerate(IdentifierScheme, start=1))
    scheme = pl.col("scheme_of_id").replace_strict(schemes, default=None, return_dtype=pl.String)
    qualified = pl.concat_str(scheme, pl.lit(":"), "drug_id")
    is_shared = (pl.len().over("drug_id") > 1) & qualified.is_not_null()
    return pl.when(is_shared).then(qualified).otherwise("drug_id")


def _flag_refused_joins(drugs: pl.DataFrame) -> pl.DataFrame:
    """Add refused: whether one of the identifiers of a drug is also one of another drug."""
    owners = drugs.select("drug_id", "xrefs").explode("xrefs", empty_as_null=False)
    refused = owners.filter(pl.len().over("xrefs") > 1)["drug_id"].unique()
    return drugs.with_columns(refused=pl.col("drug_id").is_in(refused.implode()))


def _atc_codes() -> pl.Expr:
    """The codes that have the shape of an ATC code, in capitals, sorted."""
    capitals = pl.col("codes").list.eval(pl.element().str.to_uppercase())
    shaped = pl.element().str.contains(ATC_CODE)
    return capitals.list.eval(pl.element().filter(shaped)).list.unique().list.sort()


def _issues() -> pl.Expr:
    """The issues of a drug, sorted."""
    shaped = pl.element().str.to_uppercase().str.contains(ATC_CODE)
    issues = {
        Issue.INVALID_ID: pl.col("has_invalid_id"),
        Issue.SHARED_ID: pl.col("shares_id"),
        Issue.INVALID_ATC_CODE: pl.col("codes").list.eval(~shaped).list.any(),
        Issue.MISSING_CODE: pl.col("codes").list.len() == 0,
        Issue.REFUSED_JOIN: pl.col("refused"),
        Issue.STOPPED_NAME: pl.col("stopped"),
        Issue.UNSEARCHABLE_NAME: pl.col("unsearchable"),
    }
    found = (pl.when(holds).then(pl.lit(issue)) for issue, holds in issues.items())
    return pl.concat_list(found).list.drop_nulls().list.sort()


def _collect_merged(rows: pl.DataFrame, kept: pl.DataFrame) -> pl.DataFrame:
    """The rows that are not the first of their drug, as `contracts.MergedRecords`."""
    return (
        rows.join(kept.select("component", "drug_id"), on="component")
        .join(kept, on=["source_file", "source_row"], how="anti")
        .select(
            "source_file",
            "source_row",
            merged_into="drug_id",
            rule=pl.lit(MergeRule.SAME_DRUG),
        )
        .sort("source_file", "source_row")
    )


def _collect_spellings(rows: pl.DataFrame) -> pl.DataFrame:
    """All spellings of all rows, without marks: columns component, source_file and name."""
    return (
        rows.select("component", "source_file", name=pl.concat_list("drug", "synonyms"))
        .explode("name")
        .with_columns(without_marks(pl.col("name")))
    )


def _choose_names(rows: pl.DataFrame, stop_list: StopList, rules: Rules) -> pl.DataFrame:
    """The names to search titles for, per component.

    Columns component, names (sorted); stopped and unsearchable, whether it has a name that is on
    the stop list, or that has no letter.
    """
    name = pl.col("name")
    listed = _collect_spellings(rows).select(drug_id="component", name="name").unique()
    variants = make_variants(listed, rules).filter(~stop_list.stops(name))
    return (
        pl.concat(
            [
                listed.with_columns(stopped=stop_list.stops(name)),
                variants.with_columns(stopped=pl.lit(value=False)),
            ]
        )
        .with_columns(unsearchable=~fold_text(name).str.contains(LETTER))
        .group_by(component="drug_id")
        .agg(
            name.filter(~pl.col("stopped"), ~pl.col("unsearchable")).sort().alias("names"),
            pl.col("stopped", "unsearchable").any(),
        )
    )
