"""Drug records -> drugs: one row per drug, however many rows name it (SPEC 2).

Several lists may be landed (a formulary, DrugBank's open vocabulary, the WHO's ATC table). Rows of
the same substance are joined by their folded names, and by the synonyms in other lists.

Searching titles for the names belongs to `mentions`, further spellings to `name_variants`, names
that are not safe to search for to `stop_list`.
"""

from __future__ import annotations

from typing import NamedTuple

import polars as pl

from drug_assets import contracts
from drug_assets.cleaning.name_marks import without_marks
from drug_assets.cleaning.name_variants import RULES, Rules, make_variants
from drug_assets.cleaning.stop_list import StopList
from drug_assets.cleaning.text import LETTER, fold_text
from drug_assets.delivery import add_position
from drug_assets.terms import ATC_CODE, Issue, MergeRule

#: An identifier is one of its list, until lists are joined.
_ID = ("source_file", "id")
#: A list with one row per name has at least as many identifiers with several names.
_IDS_OF_NAMES_IN_ROWS = 10


class CleanedDrugs(NamedTuple):
    """The results of `clean_drugs`."""

    #: The drugs, as `contracts.Drugs`.
    kept: pl.LazyFrame
    #: The rows that were merged into the first row of the same drug, as `contracts.MergedRecords`.
    merged: pl.LazyFrame


def clean_drugs(
    records: pl.LazyFrame, stop_list: StopList | None = None, rules: Rules = RULES
) -> CleanedDrugs:
    """Join the rows of all drug lists to one row per drug.

    Rows with the same folded name, or with the same identifier, are one drug. It gets all their
    codes and names, and shows the most frequent spelling (ties: alphabetical). A row without an
    identifier is identified by its folded name, so it joins rows that have this name as identifier.
    A drug without an identifier that is a synonym of exactly one drug of other files is that drug.
    An identifier that different drugs of one file share identifies none of them.

    `names` are the spellings in the lists and the variants that `rules` make of them, without those
    on the stop list.

    Args:
        records: rows of all drug lists (`contracts.DrugRecords`).
        stop_list: names that are not searched for; None for no names.
        rules: the rules that make further spellings of a name.

    Returns:
        `kept` and `merged`, each sorted by key.
    """
    stop_list = stop_list or StopList()
    rows = add_position(records).filter(pl.col("reason").is_null()).sort("position").collect()
    rows = _drop_shared_ids(rows)
    rows = _join_by_synonyms(rows.with_columns(component=_label_components(rows)))
    kept = (
        _identify(rows)
        .join(_choose_names(rows, stop_list, rules), on="component", how="left")
        .with_columns(names=pl.col("names").fill_null([]), atc_codes=_atc_codes())
        .with_columns(issues=_issues())
        .sort("drug_id")
    )
    return CleanedDrugs(
        kept=kept.select(contracts.Drugs.column_names()).lazy(),
        merged=_collect_merged(rows, kept).lazy(),
    )


def _identify(rows: pl.DataFrame) -> pl.DataFrame:
    """One row per component (the rows of one drug): drug_id, drug, codes, first file and row."""
    spelling = (
        rows.group_by("component", "drug")
        .len()
        .sort("component", "len", "drug", descending=[False, True, False])
        .unique("component", keep="first", maintain_order=True)
        .select("component", "drug")
    )
    return (
        rows.group_by("component", maintain_order=True)
        .agg(
            drug_id=pl.coalesce(pl.col("id").drop_nulls().min(), pl.col("folded_name").min()),
            id_text=pl.col("id_text").drop_nulls().first(),
            shares_id=pl.col("shares_id").any(),
            has_invalid_id=(pl.col("id_text").is_not_null() & ~pl.col("shares_id")).any(),
            codes=pl.col("codes").explode(empty_as_null=False).drop_nulls().unique().sort(),
            source_file=pl.col("source_file").first(),
            source_row=pl.col("source_row").first(),
        )
        .join(spelling, on="component")
    )


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


def _join_by_synonyms(rows: pl.DataFrame) -> pl.DataFrame:
    """Join drugs without identifier to the drug that lists their name as a synonym.

    A drug is joined if none of its rows has an identifier, and exactly one other drug has its name
    among its names and synonyms in files that hold no row of the drug itself. If several drugs have
    the name, it is ambiguous and the drug stays separate.
    """
    unidentified = rows.filter(pl.col("id").is_null().all().over("component"))
    known = _collect_spellings(rows).select(
        other="component", file="source_file", folded_name=fold_text(pl.col("name"))
    )
    own_files = unidentified.select("component", file="source_file").unique()
    matches = (
        unidentified.select("component", "folded_name")
        .unique()
        .join(known.unique(), on="folded_name")
        .filter(pl.col("other") != pl.col("component"))
        .join(own_files, on=["component", "file"], how="anti")
        .group_by("component")
        .agg(pl.col("other").unique())
        .filter(pl.col("other").list.len() == 1)
        .select("component", other=pl.col("other").list.first())
    )
    links = pl.concat([matches, rows.select("component", other="component").unique()])
    joined = links.with_columns(joined=_label_chains(links["component"], links["other"]))
    return (
        rows.join(joined.group_by("component").agg(pl.col("joined").min()), on="component")
        .with_columns(component="joined")
        .drop("joined")
        .sort("position")
    )


def _drop_shared_ids(rows: pl.DataFrame) -> pl.DataFrame:
    """Take an identifier from the rows of one file that share it, but are different drugs.

    Rows are one drug if they share a name, in any spelling, or a code. Where they do not, and two
    give codes, they are different drugs. Where the codes do not tell, they are one drug only in a
    list with one row per name (`_lists_names_in_rows`): elsewhere the identifier is no identifier.

    Args:
        rows: the rows of all lists, with id.

    Returns:
        The rows with shares_id. Where it is true, id is null, and id_text holds what it was.
    """
    shared = rows.filter(pl.col("folded_name").n_unique().over(_ID) > 1, pl.col("id").is_not_null())
    if shared.is_empty():
        return rows.with_columns(shares_id=pl.lit(value=False))
    names = pl.concat_list("drug", "synonyms").list.eval(
        fold_text(without_marks(pl.element())).str.replace_all(r"[^\pL\pN]", "")
    )
    codes = pl.col("codes").list.eval(pl.lit("code ") + pl.element().str.to_uppercase())
    features = shared.select(
        "position",
        *_ID,
        coded=pl.col("codes").list.len() > 0,
        feature=pl.concat_list(names, codes),
    ).explode("feature")
    groups = (
        features.with_columns(
            part=_label_chains(
                features["position"], features.select(pl.struct(*_ID, "feature")).to_series()
            )
        )
        .group_by(_ID)
        .agg(
            parts=pl.col("part").n_unique(),
            coded_parts=pl.col("part").filter("coded").n_unique(),
            rows=pl.col("position").n_unique(),
        )
        .with_columns(uncertain=(pl.col("parts") > 1) & (pl.col("coded_parts") < 2))
    )
    names_in_rows = _lists_names_in_rows(rows, groups)
    apart = groups.filter(
        pl.col("parts") > 1,
        ~(pl.col("uncertain") & pl.col("source_file").is_in(names_in_rows.implode())),
    )
    shares_id = pl.col("shares_id").fill_null(value=False)
    return (
        rows.join(apart.select(*_ID, shares_id=True), on=_ID, how="left", maintain_order="left")
        .with_columns(
            shares_id=shares_id, id_text=pl.when(shares_id).then("id").otherwise("id_text")
        )
        .with_columns(id=pl.when(~pl.col("shares_id")).then("id"))
    )


def _lists_names_in_rows(rows: pl.DataFrame, groups: pl.DataFrame) -> pl.Series:
    """The files that give each name of a drug a row of its own, as far as that can be told.

    In such a list most rows share their identifier with another one. An identifier that stands for
    "unknown" can also be on most rows of a list; but then it is one, or a few.

    Args:
        rows: the rows of all lists, with id.
        groups: by source_file and id, the number of rows, where their names differ.
    """
    of_files = rows.filter(pl.col("id").is_not_null()).group_by("source_file").len("rows_of_file")
    return (
        groups.group_by("source_file")
        .agg(pl.col("rows").sum(), ids=pl.len())
        .join(of_files, on="source_file")
        .filter(pl.col("rows") * 2 > pl.col("rows_of_file"), pl.col("ids") >= _IDS_OF_NAMES_IN_ROWS)
        .get_column("source_file")
    )


def _label_components(rows: pl.DataFrame) -> pl.Series:
    """A label per row: rows with the same folded name or the same identity share a label."""
    identity = rows.select(identity=pl.coalesce("id", "folded_name"))["identity"]
    return _label_chains(rows["folded_name"], identity)


def _label_chains(left: pl.Series, right: pl.Series) -> pl.Series:
    """A label per row: rows with an equal value on either side share a label, also transitively.

    Each round passes the smallest label on to all rows with the same value, first on the left, then
    on the right. Drug lists have short chains, so a few rounds are enough.
    """
    labels = pl.DataFrame({"left": left, "right": right}).with_columns(
        component=pl.int_range(pl.len())
    )
    while True:
        spread = labels.with_columns(component=pl.col("component").min().over("left"))
        spread = spread.with_columns(component=pl.col("component").min().over("right"))
        if spread["component"].equals(labels["component"]):
            return spread["component"]
        labels = spread
