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
from drug_assets.cleaning.drug_forms import list_names_of_forms, merge_forms
from drug_assets.cleaning.drug_joins import choose_ids, join_rows
from drug_assets.cleaning.drug_names import choose_names, list_names
from drug_assets.cleaning.drug_parts import place_parts
from drug_assets.cleaning.mesh_trees import MeshTrees, mark_out_of_trees
from drug_assets.cleaning.name_variants import RULES, Rules
from drug_assets.cleaning.stop_list import StopList
from drug_assets.delivery import add_position
from drug_assets.terms import ATC_CODE, SEPARATOR, IdentifierScheme, Issue, MergeRule


class CleanedDrugs(NamedTuple):
    """The results of `clean_drugs`."""

    #: The drugs, as `contracts.Drugs`.
    kept: pl.LazyFrame
    #: The rows that were merged into the first row of the same drug, as `contracts.MergedRecords`.
    merged: pl.LazyFrame
    #: The names of the drugs, as `contracts.DrugNames`.
    names: pl.LazyFrame


def clean_drugs(
    records: pl.LazyFrame,
    stop_list: StopList | None = None,
    rules: Rules = RULES,
    trees: MeshTrees | None = None,
) -> CleanedDrugs:
    """Join the rows of all drug lists to one row per drug.

    Rows of one drug are joined (`drug_joins.join_rows`), those of its forms go into it
    (`drug_forms.merge_forms`). It gets all their codes, names and identifiers. Its id, and the
    spelling that is shown, the most frequent (ties: alphabetical), are not those of a form. Records
    of MeSH outside the trees that are read are left out.

    Args:
        records: rows of all drug lists (`contracts.DrugRecords`).
        stop_list: names that are not searched for; None for no names.
        rules: the rules that make further spellings of a name.
        trees: the trees of MeSH whose records are drugs; the project's own choice if not given.

    Returns:
        `kept`, `merged` and `names`, each sorted by key.
    """
    stop_list = stop_list or StopList()
    marked = place_parts(mark_out_of_trees(add_position(records), trees or MeshTrees.of()))
    rows = join_rows(marked.filter(pl.col("reason").is_null()).sort("position").collect())
    names_of_forms = list_names_of_forms(rows)
    rows = merge_forms(rows, names_of_forms)
    names = list_names(rows, names_of_forms, stop_list, rules)
    kept = (
        _identify(rows)
        .join(choose_names(names), on="component", how="left")
        .with_columns(atc_codes=_atc_codes())
        .pipe(_flag_refused_joins)
        .with_columns(issues=_issues())
        .sort("drug_id")
    )
    return CleanedDrugs(
        kept=kept.select(contracts.Drugs.column_names()).lazy(),
        merged=_collect_merged(rows, kept).lazy(),
        names=_collect_names(names, kept).lazy(),
    )


def _identify(rows: pl.DataFrame) -> pl.DataFrame:
    """One row per component (the rows of one drug and its forms).

    Columns component, drug_id, drug, codes, xrefs, id_text, source_file and source_row of the first
    row that is not of a form; shares_id and has_invalid_id.
    """
    own = rows.filter(~pl.col("is_form"))
    return (
        rows.group_by("component", maintain_order=True)
        .agg(
            id_text=pl.col("id_text").drop_nulls().first(),
            shares_id=pl.col("shares_id").any(),
            has_invalid_id=(pl.col("id_text").is_not_null() & ~pl.col("shares_id")).any(),
            codes=pl.col("codes").explode(empty_as_null=False).drop_nulls().unique().sort(),
            xrefs=pl.col("xrefs").explode(empty_as_null=False).drop_nulls().unique().sort(),
        )
        .join(
            own.select("component", "source_file", "source_row").unique(
                "component", keep="first", maintain_order=True
            ),
            on="component",
        )
        .join(_choose_spelling(own), on="component")
        .join(choose_ids(own), on="component")
        .with_columns(drug_id=_distinct_ids())
    )


def _choose_spelling(rows: pl.DataFrame) -> pl.DataFrame:
    """The most frequent spelling of each drug's name: columns component and drug.

    A row that another file has, too, counts once: the same list may land twice. A spelling all in
    capitals is the custom of its list, so it counts for the other case of the name, if a list has
    one.
    """
    capitals = pl.col("drug").str.to_uppercase() == pl.col("drug")
    row = ("component", "drug", "id", "codes")
    spellings = (
        rows.drop_nulls("drug")  # parts have no name of their own
        .select(*row[:3], "source_file", "folded_name", codes=pl.col("codes").list.join(SEPARATOR))
        .with_columns(copy=pl.int_range(pl.len()).over("source_file", *row))
        .unique([*row, "copy"])
        .group_by("component", "folded_name", "drug")
        .len()
        .sort("component", "len", "drug", descending=[False, True, False])
    )
    name = ["component", "folded_name"]
    others = spellings.filter(~capitals).unique(name, keep="first", maintain_order=True)
    return (
        spellings.join(others.select(*name, other="drug"), on=name, how="left")
        .with_columns(drug=pl.when(capitals).then(pl.coalesce("other", "drug")).otherwise("drug"))
        .group_by("component", "drug")
        .agg(pl.col("len").sum())
        .sort("component", "len", "drug", descending=[False, True, False])
        .unique("component", keep="first", maintain_order=True)
        .select("component", "drug")
    )


def _distinct_ids() -> pl.Expr:
    """The id of each drug, with its scheme before it where it is the id of another drug, too.

    That can be: the numbers of RxNorm are those of other lists, too, but in other schemes; and a
    name can be the id of another drug, if that of its own was refused. The id of a team's list
    stays as it is.
    """
    schemes = {0: None, **dict(enumerate(IdentifierScheme, start=1))}
    rank = pl.col("scheme_of_id")
    scheme = rank.replace_strict(schemes, default="name", return_dtype=pl.String)
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
    return capitals.list.eval(pl.element().filter(shaped).unique().sort())


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
    # In their order: `list.sort` takes ten times as long as all the rest.
    found = (pl.when(holds).then(pl.lit(issue)) for issue, holds in sorted(issues.items()))
    return pl.concat_list(found).list.drop_nulls()


def _collect_merged(rows: pl.DataFrame, kept: pl.DataFrame) -> pl.DataFrame:
    """The rows that are not the first of their drug, as `contracts.MergedRecords`."""
    return (
        rows.join(kept.select("component", "drug_id"), on="component")
        .join(kept, on=["source_file", "source_row"], how="anti")
        .select(
            "source_file",
            "source_row",
            merged_into="drug_id",
            rule=pl.when("is_form")
            .then(pl.lit(MergeRule.FORM_OF_DRUG))
            .otherwise(pl.lit(MergeRule.SAME_DRUG)),
        )
        .sort("source_file", "source_row")
    )


def _collect_names(names: pl.DataFrame, kept: pl.DataFrame) -> pl.DataFrame:
    """The names of the drugs, as `contracts.DrugNames`."""
    return (
        names.join(kept.select("component", "drug_id"), on="component")
        .with_columns(pl.col("kind").cast(pl.String), searched=pl.col("reason").is_null())
        .select(contracts.DrugNames.column_names())
        .sort("drug_id", "name", "source_file")
    )
