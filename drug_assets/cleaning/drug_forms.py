"""Which drugs are salts, esters, hydrates or isomers of others (SPEC 2, "forms of a drug").

A drug is a form of another only where a list says so; it then goes into that one, and its names
become names of forms. Which rows are one drug to begin with belongs to `drug_joins`, the words of
which names of forms are made to `name_forms`.
"""

from __future__ import annotations

import polars as pl

from drug_assets.cleaning.drug_joins import choose_ids, label_chains, list_own_ids
from drug_assets.cleaning.name_forms import find_named_after, list_own_names
from drug_assets.cleaning.name_marks import without_marks
from drug_assets.cleaning.text import fold_text
from drug_assets.terms import ATC_CODE, IdentifierScheme

#: Codes of ATC level 5 are longer than those of groups.
_ATC_SUBSTANCE_CHARS = 7


def list_names_of_forms(rows: pl.DataFrame) -> pl.DataFrame:
    """The synonyms of drugs that are one of their own names and words of forms.

    Args:
        rows: rows with component.

    Returns:
        Columns component, source_file and name (folded), each once.
    """
    synonyms = (
        rows.select("component", "source_file", name="synonyms")
        .explode("name", empty_as_null=False)
        .drop_nulls("name")
        .with_columns(name=fold_text(without_marks(pl.col("name"))))
        .unique()
    )
    return find_named_after(synonyms, "component", list_own_names(rows))


def merge_forms(rows: pl.DataFrame, names_of_forms: pl.DataFrame) -> pl.DataFrame:
    """Put the forms of drugs into these.

    A drug is a form of another, as a list says, if

    1. a row of it gives an identifier of that one as what it is a form of (`form_of`);
    2. a row of that one gives its name as that of a form (`forms`);
    3. a list in which it is not has its name among the synonyms of that one, and it is a name of
       that one and words of forms;
    4. it is a supplementary record of MeSH, mapped to that one alone, and named so.

    What is said to be a form of several is a form of none. A form of a form is one of the drug at
    the end; in a circle the one whose id comes first is that drug. Drugs stay apart if each has an
    ATC code of level 5 that the other has not, or if a list of no known scheme gives both an id.

    Args:
        rows: the result of `drug_joins.join_rows`.
        names_of_forms: the result of `list_names_of_forms`.

    Returns:
        The rows, in their order. The component of a form is that of its drug; is_form tells it.
    """
    said = _list_what_is_said(rows, names_of_forms)
    if said.is_empty():
        return rows.with_columns(is_form=pl.lit(value=False))
    of_them = rows.filter(
        pl.col("component").is_in(pl.concat([said["component"], said["parent"]]).implode())
    )
    ranks = (
        choose_ids(of_them)
        .sort(pl.col("scheme_of_id").fill_null(len(IdentifierScheme) + 1), "drug_id")
        .select("component", rank=pl.int_range(pl.len()))
    )
    codes = (
        of_them.select("component", code=pl.col("codes"))
        .explode("code", empty_as_null=False)
        .with_columns(pl.col("code").str.to_uppercase())
        .filter(
            pl.col("code").str.contains(ATC_CODE),
            pl.col("code").str.len_chars() == _ATC_SUBSTANCE_CHARS,
        )
        .unique()
    )
    own_ids = list_own_ids(of_them.filter(pl.col("scheme").is_null()))
    while True:
        roots = _find_roots(said, ranks)
        apart = pl.concat([_have_codes_of_their_own(roots, codes), _have_own_ids(roots, own_ids)])
        if apart.is_empty():
            break
        said = said.join(apart, on="component", how="anti")
    root = pl.col("component").replace(roots["component"], roots["root"])
    return rows.with_columns(component=root, is_form=root != pl.col("component"))


def _list_what_is_said(rows: pl.DataFrame, names_of_forms: pl.DataFrame) -> pl.DataFrame:
    """Forms, as lists say, and what they are forms of: columns component and parent, each once."""
    owners = (
        rows.select("component", reference="xrefs")
        .explode("reference", empty_as_null=False)
        .unique()
        .filter(pl.len().over("reference") == 1)
        .rename({"component": "parent"})
    )
    named = rows.select("component", name="folded_name").unique()
    return (
        pl.concat(
            [
                _said_by_identifiers(rows, "form_of", owners).select("component", "parent"),
                _said_by_names(named, _list_forms(rows)),
                _said_by_names(named, _list_where_absent(rows, names_of_forms)),
                _said_by_mesh(rows, owners),
            ]
        )
        .filter(pl.col("component") != pl.col("parent"))
        .unique()
    )


def _said_by_identifiers(rows: pl.DataFrame, column: str, owners: pl.DataFrame) -> pl.DataFrame:
    """Rows that give one other drug in a column of references: columns component, name, parent."""
    return (
        rows.select("position", "component", name="folded_name", reference=column)
        .explode("reference", empty_as_null=False)
        .join(owners, on="reference")
        .filter(pl.col("parent") != pl.col("component"))
        .filter(pl.col("parent").n_unique().over("position") == 1)
        .select("component", "name", "parent")
        .unique()
    )


def _list_forms(rows: pl.DataFrame) -> pl.DataFrame:
    """The names that lists give as those of forms: columns parent and name."""
    return (
        rows.select(parent="component", name="forms")
        .explode("name", empty_as_null=False)
        .drop_nulls("name")
        .with_columns(name=fold_text(without_marks(pl.col("name"))))
        .unique()
    )


def _list_where_absent(rows: pl.DataFrame, names_of_forms: pl.DataFrame) -> pl.DataFrame:
    """The names of forms in lists that hold no drug of that name: columns parent and name."""
    held = rows.select("source_file", name="folded_name").unique()
    return (
        names_of_forms.join(held, on=["source_file", "name"], how="anti")
        .select("name", parent="component")
        .unique()
    )


def _said_by_names(named: pl.DataFrame, forms: pl.DataFrame) -> pl.DataFrame:
    """Drugs whose name is that of a form of exactly one other: columns component and parent."""
    return (
        named.join(forms, on="name")
        .filter(pl.col("parent") != pl.col("component"))
        .filter(pl.col("parent").n_unique().over("name") == 1)
        .select("component", "parent")
    )


def _said_by_mesh(rows: pl.DataFrame, owners: pl.DataFrame) -> pl.DataFrame:
    """Supplementary records named after the one descriptor that they are mapped to.

    The mapping alone says less: it leads to the nearest heading, that of another substance or of a
    class.
    """
    mesh = f"{IdentifierScheme.MESH}:"
    mapped = rows.filter(pl.col("mapped_to").list.len() == 1).with_columns(
        mapped_to=pl.col("mapped_to").list.eval(mesh + pl.element())
    )
    said = _said_by_identifiers(mapped, "mapped_to", owners)
    own = list_own_names(rows.join(said, left_on="component", right_on="parent", how="semi"))
    return find_named_after(said, "parent", own).select("component", "parent")


def _find_roots(said: pl.DataFrame, ranks: pl.DataFrame) -> pl.DataFrame:
    """The drug at the end of each chain.

    A drug that is said to be a form of several is one of the drug at the end of all of them, if
    that is one; else of none.

    Args:
        said: columns component and parent.
        ranks: columns component and rank, by which circles are decided.

    Returns:
        Columns component and root, for all drugs whose root is another one.
    """
    is_single = pl.col("parent").n_unique().over("component") == 1
    known = 0
    while True:
        single = said.filter(is_single)
        roots = _follow(single, ranks)
        if single.height in {known, said.height}:
            return roots.filter(pl.col("component") != pl.col("root"))
        known = single.height
        several = (
            said.filter(~is_single)
            .join(roots, left_on="parent", right_on="component", how="left")
            .select("component", parent=pl.coalesce("root", "parent"))
            .filter(pl.col("parent") != pl.col("component"))
            .unique()
        )
        said = pl.concat([single, several])


def _follow(links: pl.DataFrame, ranks: pl.DataFrame) -> pl.DataFrame:
    """Follow links to their end; in a circle the end is the drug of the lowest rank.

    Args:
        links: columns component and parent, one row per component.
        ranks: columns component and rank.

    Returns:
        Columns component and root, for every drug of the links.
    """
    ends = links.select(component="parent").unique().join(links, on="component", how="anti")
    drugs = pl.concat([links, ends.with_columns(parent="component")]).with_row_index("row")
    rows = drugs.select("row", component="component")
    reached = drugs.join(rows, left_on="parent", right_on="component", maintain_order="left")[
        "row_right"
    ]
    # Each round doubles the steps. After as many as there are drugs, each has come to its end, or
    # into its circle; and the drugs of a circle to all of it.
    steps = 1
    while steps < drugs.height:
        reached, steps = reached.gather(reached), 2 * steps
    sides = pl.concat([drugs.select("row", drug=side) for side in ("component", "parent")])
    connected = sides.with_columns(label=label_chains(sides, ["row"], ["drug"]))
    labels = connected.unique("row").select("row", "label")
    return (
        drugs.with_columns(root=drugs["component"].gather(reached))
        .join(labels, on="row")
        .join(ranks, left_on="root", right_on="component")
        .select("component", root=pl.col("root").sort_by("rank").first().over("label"))
    )


def _have_codes_of_their_own(roots: pl.DataFrame, codes: pl.DataFrame) -> pl.DataFrame:
    """The forms of which neither has all ATC codes of level 5 of the other: column component.

    Args:
        roots: the result of `_find_roots`.
        codes: columns component and code.
    """
    of_roots = codes.rename({"component": "root"})
    own = codes.join(roots, on="component").join(of_roots, on=["root", "code"], how="anti")
    of_root = (
        roots.join(of_roots, on="root")
        .join(codes, on=["component", "code"], how="anti")
        .select("component")
    )
    return own.join(of_root, on="component", how="semi").select("component").unique()


def _have_own_ids(roots: pl.DataFrame, own_ids: pl.DataFrame) -> pl.DataFrame:
    """The forms that have an id in a file where another drug of theirs has one, too.

    Args:
        roots: the result of `_find_roots`.
        own_ids: columns component, of (the file) and value.
    """
    ends = roots.select(component="root", root="root").unique()
    held = pl.concat([roots, ends]).join(own_ids, on="component")
    apart = held.filter(pl.col("component").n_unique().over("root", "of") > 1)
    return apart.join(roots, on="component", how="semi").select("component").unique()
