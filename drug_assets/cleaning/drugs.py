"""Drug lists to drugs: one row a drug, whatever the number of rows that name it (SPEC section 2).

Several lists may be landed (a formulary, DrugBank's open vocabulary, the WHO's ATC table): rows of
one substance meet by their folded names, and by what other lists know as synonyms.

Searching titles for the names belongs to `mentions`, further spellings to `name_variants`, names
that are not safe to `stop_list`.
"""

from __future__ import annotations

from typing import NamedTuple

import polars as pl

from drug_assets import contracts
from drug_assets.cleaning.delivery import with_position
from drug_assets.cleaning.name_variants import RULES, Rules, variants
from drug_assets.cleaning.stop_list import StopList
from drug_assets.cleaning.text import cleaned, folded
from drug_assets.sources import SEPARATOR

_SEARCHABLE = r"[\p{L}\p{N}]"
#: Codes of ATC levels 1 to 4 are shorter: groups, not substances.
_ATC_SUBSTANCE_CHARS = 7


class CleanedDrugs(NamedTuple):
    """What cleaning the drug lists gives."""

    #: The drugs, as `contracts.Drugs`.
    kept: pl.LazyFrame
    #: Rows that name a drug another row names too, as `contracts.MergedDrugs`.
    merged: pl.LazyFrame


def rejected_drugs() -> pl.Expr:
    """Why a raw drug row cannot be kept: null, `blank_name` or `atc_group`.

    `atc_group`: a row of the WHO's own table that names a group of ATC level 1 to 4. In other lists
    a drug may well be filed under a group's code.
    """
    code = cleaned(pl.col("atccode")).str.to_uppercase()
    group = code.str.contains(contracts.ATC_CODE) & (code.str.len_chars() < _ATC_SUBSTANCE_CHARS)
    return (
        pl.when(_name().is_null())
        .then(pl.lit("blank_name"))
        .when(cleaned(pl.col("drug")).is_null() & group)
        .then(pl.lit("atc_group"))
    )


def _name() -> pl.Expr:
    return pl.coalesce(cleaned(pl.col("drug")), cleaned(pl.col("atc_name")))


def cleaned_drugs(
    raw: pl.LazyFrame, stop_list: StopList | None = None, rules: Rules = RULES
) -> CleanedDrugs:
    """The drugs that raw rows (`contracts.RawDrugs`) name.

    Rows of the same folded name, or of the same identifier, are one drug: all codes, all names, the
    most frequent spelling (ties: alphabetical) for display. A row without identifier is identified
    by its folded name, so it is one with rows whose identifier is that name. A drug without
    identifier, which exactly one drug of other files has as a synonym, is that drug.

    `names` are the spellings of the lists, and the variants that `rules` make of them, without
    those on the stop list.
    """
    stop_list = stop_list or StopList()
    rows = (
        with_position(raw)
        .select(
            "source_file",
            "source_row",
            "position",
            id=cleaned(pl.col("id")),
            drug=_name(),
            reason=rejected_drugs(),
            codes=_split(pl.col("atccode")),
            synonyms=_split(pl.col("synonyms")),
        )
        .filter(pl.col("reason").is_null())
        .with_columns(folded_name=folded(pl.col("drug")))
        .sort("position")
        .collect()
    )
    rows = _with_hosts(rows.with_columns(component=_components(rows)))
    by_drug = rows.group_by("component", maintain_order=True)
    spelling = (
        rows.group_by("component", "drug")
        .len()
        .sort("component", "len", "drug", descending=[False, True, False])
        .unique("component", keep="first", maintain_order=True)
        .select("component", "drug")
    )
    drugs = (
        by_drug.agg(
            drug_id=pl.coalesce(pl.col("id").drop_nulls().min(), pl.col("folded_name").min()),
            codes=pl.col("codes").explode(empty_as_null=False).drop_nulls().unique().sort(),
            source_file=pl.col("source_file").first(),
            source_row=pl.col("source_row").first(),
        )
        .join(spelling, on="component")
        .join(_searched(rows, stop_list, rules), on="component", how="left")
        .with_columns(
            names=pl.col("names").fill_null([]),
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
        pl.when(pl.col("stopped")).then(pl.lit("stopped_name")),
        pl.when(pl.col("unsearchable")).then(pl.lit("unsearchable_name")),
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


def _spellings(rows: pl.DataFrame) -> pl.DataFrame:
    """Every spelling of every row: component, source_file and name."""
    return rows.select("component", "source_file", name=pl.concat_list("drug", "synonyms")).explode(
        "name"
    )


def _searched(rows: pl.DataFrame, stop_list: StopList, rules: Rules) -> pl.DataFrame:
    """What titles are searched for: component, names (sorted), stopped and unsearchable (flags)."""
    name = pl.col("name")
    listed = _spellings(rows).select(drug_id="component", name="name").unique()
    further = variants(listed, rules).filter(~stop_list.stops(name))
    return (
        pl.concat(
            [
                listed.with_columns(stopped=stop_list.stops(name)),
                further.with_columns(stopped=pl.lit(value=False)),
            ]
        )
        .with_columns(unsearchable=~name.str.contains(_SEARCHABLE))
        .group_by(component="drug_id")
        .agg(
            name.filter(~pl.col("stopped"), ~pl.col("unsearchable")).sort().alias("names"),
            pl.col("stopped", "unsearchable").any(),
        )
    )


def _with_hosts(rows: pl.DataFrame) -> pl.DataFrame:
    """Rows with the component of the drug they turn out to be, by a synonym of another list.

    A drug moves if none of its rows has an identifier and exactly one drug has its name among the
    names that files without a row of it give. Names of several drugs tell nothing: it stays.
    """
    anonymous = rows.filter(pl.col("id").is_null().all().over("component"))
    known = _spellings(rows).select(
        host="component", host_file="source_file", folded_name=folded(pl.col("name"))
    )
    own_files = anonymous.select("component", host_file="source_file").unique()
    hosts = (
        anonymous.select("component", "folded_name")
        .unique()
        .join(known.unique(), on="folded_name")
        .filter(pl.col("host") != pl.col("component"))
        .join(own_files, on=["component", "host_file"], how="anti")
        .group_by("component")
        .agg(pl.col("host").unique())
        .filter(pl.col("host").list.len() == 1)
        .select("component", host=pl.col("host").list.first())
    )
    links = pl.concat(
        [
            hosts.select(folded_name="component", id="host"),
            rows.select(folded_name="component", id="component").unique(),
        ]
    )
    joined = links.with_columns(to=_linked(links["folded_name"], links["id"]))
    return (
        rows.join(joined.group_by(component="folded_name").agg(pl.col("to").min()), on="component")
        .with_columns(component="to")
        .drop("to")
        .sort("position")
    )


def _split(field: pl.Expr) -> pl.Expr:
    """The cleaned parts of a field that holds several, separated by bars."""
    parts = field.fill_null("").str.split(SEPARATOR)
    return parts.list.eval(cleaned(pl.element())).list.drop_nulls()


def _components(rows: pl.DataFrame) -> pl.Series:
    """A label a row, equal for rows linked by a chain of equal folded names or equal identities."""
    identity = rows.select(identity=pl.coalesce("id", "folded_name"))["identity"]
    return _linked(rows["folded_name"], identity)


def _linked(left: pl.Series, right: pl.Series) -> pl.Series:
    """A label a row, equal for rows linked by a chain of equal values on the left or on the right.

    Each round lets the smallest label cross one link of each kind; lists are short chains, so a few
    rounds settle it.
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
