"""Which rows of drug lists are one drug (SPEC 2, "drug").

Rows are joined by what they have in common: a name, an id, an identifier of `xrefs`. A join that
would make one drug of two is refused: what means several drugs, means none of them. So neither the
order of lists nor that of rows makes a difference.

What a drug then is called, and which drugs are forms of which, belongs to `drugs`, `drug_names` and
`drug_forms`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from drug_assets.cleaning.name_forms import find_named_after, list_own_names
from drug_assets.cleaning.name_marks import without_marks
from drug_assets.cleaning.text import fold_text
from drug_assets.terms import IdentifierScheme

if TYPE_CHECKING:
    from collections.abc import Sequence

#: An identifier is one of its list, until lists are joined.
_ID = ("source_file", "id")
#: A list with one row per name has at least as many identifiers with several names.
_IDS_OF_NAMES_IN_ROWS = 10


def join_rows(rows: pl.DataFrame) -> pl.DataFrame:
    """Label the rows of one drug.

    1. Rows with the same folded name are one drug.
    2. Drugs with the same id are one, unless that makes one of two (`_join`). An id that is
       refused, or that different drugs of one file share, identifies none of them.
    3. Drugs with the same identifier of a scheme are one, on the same condition. An earlier scheme
       decides before a later one.
    4. A drug without an id that is a synonym of exactly one drug of other files is that drug, on
       the same condition; but not if the synonym is the name of a form (`drug_forms`).

    Args:
        rows: `contracts.DrugRecords` with `position`, sorted by it.

    Returns:
        The rows, in their order, with scheme (of the id, null if it is of none); component, equal
        for the rows of one drug; shares_id: where it is true, id is null, and id_text holds what it
        was; and given_id: the id also where it was refused.
    """
    rows = _add_scheme(_drop_shared_ids(rows))
    rows = rows.with_columns(
        given_id="id",
        component=label_chains(rows, ["folded_name"], ["folded_name"]),
        identity=pl.coalesce(
            pl.when(_is_of_its_scheme()).then(pl.concat_str("scheme", pl.lit(":"), "id")),
            "id",
            "folded_name",
        ),
    )
    rows = _join(rows, rows.select("component", key="identity").unique())
    rows = _drop_refused_ids(rows).drop("identity")
    for scheme in IdentifierScheme:
        rows = _join(rows, _links_of_scheme(rows, scheme))
    return _join(rows, _links_of_synonyms(rows))


def _drop_refused_ids(rows: pl.DataFrame) -> pl.DataFrame:
    """Take an id from all rows that have it, if they are several drugs in spite of it.

    Args:
        rows: rows with component and identity.
    """
    refused = (pl.col("component").n_unique().over("identity") > 1) & pl.col("id").is_not_null()
    return (
        rows.with_columns(refused=refused)
        .with_columns(
            id=pl.when(~pl.col("refused")).then("id"),
            id_text=pl.when("refused").then("id").otherwise("id_text"),
            shares_id=pl.col("shares_id") | pl.col("refused"),
        )
        .drop("refused")
    )


def _add_scheme(rows: pl.DataFrame) -> pl.DataFrame:
    """Add the scheme of each row's id: that of the row's identifiers with the same text."""
    own = (
        rows.select("position", "id", "xrefs")
        .drop_nulls("id")
        .explode("xrefs")
        .select("position", "id", reference=pl.col("xrefs").str.splitn(":", 2))
        .unnest("reference")
        .filter(pl.col("field_1") == pl.col("id").str.to_uppercase())
        .select("position", scheme="field_0")
        .unique("position")
    )
    return rows.join(own, on="position", how="left", maintain_order="left")


def _is_of_its_scheme() -> pl.Expr:
    """Whether an id is the same as that of another list only within its scheme.

    Numbers are: each list has its own.
    """
    return pl.col("scheme").is_not_null() & pl.col("id").str.contains("^[0-9]+$")


def _links_of_scheme(rows: pl.DataFrame, scheme: IdentifierScheme) -> pl.DataFrame:
    """Drugs and the identifiers of a scheme that they have: columns component and key."""
    return (
        rows.select("component", key="xrefs")
        .explode("key", empty_as_null=False)
        .filter(pl.col("key").str.starts_with(f"{scheme}:"))
        .unique()
    )


def _links_of_synonyms(rows: pl.DataFrame) -> pl.DataFrame:
    """Drugs without an id and the one drug that lists their name: columns component and key.

    A drug is linked if none of its rows has an id, and exactly one other drug has its name among
    its names and synonyms in files that hold no row of the drug itself. It is not if the name is
    that of a form.
    """
    unidentified = rows.filter(pl.col("id").is_null().all().over("component"))
    known = (
        rows.select("component", "source_file", name=pl.concat_list("drug", "synonyms"))
        .explode("name")
        .select(
            other="component",
            file="source_file",
            folded_name=fold_text(without_marks(pl.col("name"))),
        )
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
        .select("component", key=pl.col("other").list.first())
    )
    named = matches.join(rows.select("component", name="folded_name").unique(), on="component")
    own = list_own_names(rows.join(matches, left_on="component", right_on="key", how="semi"))
    matches = matches.join(find_named_after(named, "key", own), on=["component", "key"], how="anti")
    return pl.concat([matches, matches.select(component="key", key="key").unique()])


def _join(rows: pl.DataFrame, links: pl.DataFrame) -> pl.DataFrame:
    """Join drugs that have a key in common, unless that makes one of two.

    Drugs are two if they have different ids in one file, or different identifiers of one scheme; a
    drug that has both makes them one. A key that two such drugs have joins nothing. If keys join
    two over others, none of these keys does.

    Args:
        rows: rows with component.
        links: columns component and key.
    """
    shared = links.filter(pl.col("component").n_unique().over("key") > 1)
    if shared.is_empty():
        return rows
    features = _list_features(rows.filter(pl.col("component").is_in(shared["component"].implode())))
    sound = shared.join(_find_several(shared, "key", features), on="key", how="anti")
    chained = sound.with_columns(joined=label_chains(sound, ["component"], ["key"]))
    several = _find_several(chained.select("joined", "component").unique(), "joined", features)
    joined = (
        chained.join(several, on="joined", how="anti")
        .group_by("joined")
        .agg(pl.col("component").unique())
        .select("component", joined=pl.col("component").list.min())
        .explode("component")
    )
    return rows.with_columns(
        component=pl.col("component").replace(joined["component"], joined["joined"])
    )


def _list_features(rows: pl.DataFrame) -> pl.DataFrame:
    """What tells drugs apart: columns component, of (a file or a scheme) and value."""
    identifiers = (
        rows.select("component", value="xrefs")
        .explode("value", empty_as_null=False)
        .select("component", of=pl.col("value").str.extract("^([a-z]+):"), value="value")
    )
    return pl.concat([list_own_ids(rows), identifiers]).unique()


def list_own_ids(rows: pl.DataFrame) -> pl.DataFrame:
    """The ids that lists give drugs: columns component, of (the file) and value, each once."""
    ids = rows.select("component", of=pl.lit("file ") + pl.col("source_file"), value="given_id")
    return ids.drop_nulls("value").unique()


def choose_ids(rows: pl.DataFrame) -> pl.DataFrame:
    """The id of each drug: the smallest of its first scheme, else its smallest folded name.

    Ids of no known scheme come before all others.

    Args:
        rows: rows with component and scheme.

    Returns:
        Columns component, drug_id, and scheme_of_id: the rank of its scheme, 0 for none, null for a
        folded name.
    """
    ranks = {scheme.value: rank for rank, scheme in enumerate(IdentifierScheme, start=1)}
    rank = pl.col("scheme").replace_strict(ranks, default=None, return_dtype=pl.Int64)
    ids = rows.select(
        "component",
        "folded_name",
        "id",
        scheme_of_id=pl.when(pl.col("id").is_not_null()).then(rank.fill_null(0)),
    )
    first = pl.col("scheme_of_id") == pl.col("scheme_of_id").min()
    return ids.group_by("component").agg(
        drug_id=pl.coalesce(pl.col("id").filter(first).min(), pl.col("folded_name").min()),
        scheme_of_id=pl.col("scheme_of_id").min(),
    )


def _find_several(groups: pl.DataFrame, group: str, features: pl.DataFrame) -> pl.DataFrame:
    """The groups that hold more than one drug: those of which some feature is not connected.

    Args:
        groups: column component, and that of the group.
        group: the name of that column.
        features: the result of `_list_features`.

    Returns:
        The column of the group, each once.
    """
    of_groups = groups.select(group, "component").join(features, on="component")
    part = label_chains(of_groups, [group, "of", "component"], [group, "of", "value"])
    return (
        of_groups.with_columns(part=part)
        .group_by(group, "of")
        .agg(pl.col("part").n_unique())
        .filter(pl.col("part") > 1)
        .select(group)
        .unique()
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
        features.with_columns(part=label_chains(features, ["position"], [*_ID, "feature"]))
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


def label_chains(rows: pl.DataFrame, left: Sequence[str], right: Sequence[str]) -> pl.Series:
    """A label per row: rows with equal values on either side share it, also transitively.

    Each round passes the smallest label on to all rows with the same values, first on the left,
    then on the right, then to all rows that had the same label, and then to those whose label is
    the number of a row that has a smaller one. So a chain takes as many rounds as its logarithm, in
    whichever order its rows are.

    Args:
        rows: the rows.
        left: the columns of one side.
        right: the columns of the other side.
    """
    label = pl.col("label")
    labels = rows.select(*{*left, *right}, label=pl.int_range(pl.len()))
    while True:
        spread = labels.with_columns(label=label.min().over(left), before="label")
        spread = spread.with_columns(label=label.min().over(right))
        spread = spread.with_columns(label=label.min().over("before")).drop("before")
        spread = spread.with_columns(label=label.gather(label))
        if spread["label"].equals(labels["label"]):
            return spread["label"]
        labels = spread
