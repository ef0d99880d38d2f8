"""Rows of drug lists that only add to a substance -> rows of that substance (SPEC 2, "drug parts").

Vocabularies deliver names in tables of their own: a row has the identifier of a substance, or a
product with its brand name, but does not say what the substance is called. Before rows are joined
(`drug_joins`), such a row gets the folded name of the substance that it is about, so that it is
joined as rows of this name are; it has no name of its own.
"""

from __future__ import annotations

import polars as pl

from drug_assets.terms import RejectReason

#: What stands between a product and the place of a substance in it.
_PLACE = "/"


def place_parts(records: pl.LazyFrame) -> pl.LazyFrame:
    """Give the rows that are parts the folded name of the substance that they add to.

    A part belongs to the substance that has one of its identifiers. Without one it belongs to the
    substance of its product, if that has only one. A substance whose place in a product is also
    that of another one, of which this is said to be what acts, is a form of that.

    Args:
        records: rows of any source; those of drug lists are of `contracts.DrugRecords`.

    Returns:
        The rows, in their order; those of drug lists without is_part. Parts have the folded name of
        their substance, or the reason `names_no_drug`; form_of has what places in products say.
    """
    if "moiety_in" not in records.collect_schema():
        return records
    rows = records.collect()
    is_kept = pl.col("reason").is_null()
    whole = rows.filter(is_kept & ~pl.col("is_part"))
    parts = rows.filter(is_kept & pl.col("is_part"))
    if parts.is_empty() and not (whole["moiety_in"].list.len() > 0).any():
        return rows.drop("is_part").lazy()
    by_identifier = _list_owners(whole)
    places = _list_places(whole, parts, by_identifier)
    forms = _list_forms(places, whole)
    by_product = _list_substances(places)
    placed = _place(parts, by_identifier, by_product)
    return (
        rows.join(placed, on=["source_file", "source_row"], how="left", maintain_order="left")
        .with_columns(
            reason=pl.when(is_kept & pl.col("is_part") & pl.col("owner").is_null())
            .then(pl.lit(RejectReason.NAMES_NO_DRUG))
            .otherwise("reason"),
            folded_name=pl.coalesce("owner", "folded_name"),
        )
        .drop("owner", "is_part")
        .pipe(_add_forms, forms)
        .lazy()
    )


def _list_owners(whole: pl.DataFrame) -> pl.DataFrame:
    """By identifier, the substance that has it; of several the first name by alphabet.

    Rows with a common identifier are joined, so any of their names will do.

    Returns:
        Columns key and owner, the folded name.
    """
    return (
        whole.select(key="xrefs", owner="folded_name")
        .explode("key", empty_as_null=False)
        .group_by("key")
        .agg(pl.col("owner").min())
    )


def _list_places(
    whole: pl.DataFrame, parts: pl.DataFrame, by_identifier: pl.DataFrame
) -> pl.DataFrame:
    """The places in products, with the substances that are there.

    Args:
        whole: rows of substances.
        parts: rows that add to them; those with identifiers and products say where a substance is.
        by_identifier: the result of `_list_owners`.

    Returns:
        Columns place; owner; is_known, whether a row names it; and acts, whether it is said to be
        what acts there.
    """
    named = whole.select("products", "moiety_in", owner="folded_name", is_known=pl.lit(value=True))
    told = (
        parts.select("products", key="xrefs")
        .explode("key", empty_as_null=False)
        .join(by_identifier, on="key", how="left")
        # A substance that no list names is one of the product all the same.
        .with_columns(owner=pl.coalesce("owner", "key"), is_known=pl.col("owner").is_not_null())
    )
    columns = ("place", "owner", "is_known", "acts")
    listed = [
        frame.select("owner", "is_known", place=column, acts=pl.lit(acts))
        .explode("place", empty_as_null=False)
        .select(columns)
        for frame, column, acts in (
            (named, "moiety_in", True),
            (named, "products", False),
            (told, "products", False),
        )
    ]
    return pl.concat(listed).unique()


def _list_substances(places: pl.DataFrame) -> pl.DataFrame:
    """The products of one substance that a row names: columns key and owner.

    At a place there is what acts; if nothing is said to, what else is there.
    """
    acting = pl.col("acts").any().over("place")
    return (
        places.filter(pl.col("acts") | ~acting)
        .with_columns(key=pl.col("place").str.split(_PLACE).list.first())
        .filter(pl.col("owner").n_unique().over("key") == 1)
        .filter("is_known")
        .select("key", "owner")
        .unique()
    )


def _list_forms(places: pl.DataFrame, whole: pl.DataFrame) -> pl.DataFrame:
    """By place of one form and one substance that acts: the identifiers of the latter.

    Args:
        places: the result of `_list_places`.
        whole: rows of substances.

    Returns:
        Columns place and acting, a list.
    """
    pairs = places.filter(
        pl.col("owner").filter("acts").n_unique().over("place") == 1,
        pl.col("owner").filter(~pl.col("acts")).n_unique().over("place") == 1,
    )
    return (
        pairs.filter("acts")
        .select("place")
        .unique()
        .join(
            whole.select("xrefs", place="moiety_in").explode("place", empty_as_null=False),
            on="place",
        )
        .group_by("place")
        .agg(acting=pl.col("xrefs").explode(empty_as_null=False).drop_nulls().unique().sort())
    )


def _add_forms(rows: pl.DataFrame, forms: pl.DataFrame) -> pl.DataFrame:
    """Add to form_of what the places of products say."""
    if forms.is_empty():
        return rows
    row = ("source_file", "source_row")
    told = (
        rows.select(*row, place="products")
        .explode("place", empty_as_null=False)
        .join(forms, on="place")
        .group_by(row)
        .agg(acting=pl.col("acting").explode(empty_as_null=False))
    )
    return (
        rows.join(told, on=row, how="left", maintain_order="left")
        .with_columns(
            # `list.sort` takes ten times as long.
            form_of=pl.concat_list("form_of", pl.col("acting").fill_null([]))
            .list.eval(pl.element().unique().sort())
            .list.set_difference("xrefs")
        )
        .drop("acting")
    )


def _place(
    parts: pl.DataFrame, by_identifier: pl.DataFrame, by_product: pl.DataFrame
) -> pl.DataFrame:
    """The parts whose substance is known: columns source_file, source_row and owner."""
    row = ("source_file", "source_row")
    has_identifier = pl.col("xrefs").list.len() > 0
    of_identifier = parts.filter(has_identifier).select(*row, key="xrefs")
    of_product = parts.filter(~has_identifier).select(*row, key="products")
    placed = [
        frame.explode("key", empty_as_null=False).join(owners, on="key").select(*row, "owner")
        for frame, owners in ((of_identifier, by_identifier), (of_product, by_product))
    ]
    return pl.concat(placed).group_by(row).agg(pl.col("owner").min())
