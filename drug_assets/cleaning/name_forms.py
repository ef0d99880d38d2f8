"""Names of salts, esters, hydrates and isomers -> the names of what they are forms of.

`chloroquine diphosphate` is `chloroquine` and a word that names a salt. The words are those of
`name_forms.csv` beside this module, with the kind of form that each names: the radicals and groups
of the WHO's modified INN (INNM) and of the USAN, the hydrates, the signs of stereochemistry, and
the same words in French. A word that ends in a hyphen is a prefix; all others stand before or
behind a name, as in `sodium valproate`.

That two names differ in such words says nothing yet: `sodium lactate` may be a drug of its own.
Which drugs are forms of which belongs to `drug_forms`.
"""

from __future__ import annotations

import csv
import re
from functools import cache
from pathlib import Path

import polars as pl

from drug_assets.cleaning.name_variants import salt_of_acid
from drug_assets.cleaning.text import fold_string

#: Path of the words.
WORDS = Path(__file__).with_suffix(".csv")
#: A ratio of parts, which stands behind a salt: `(1:2)`.
_RATIO = r"\([0-9]+:[0-9]+\)"
#: Within brackets any text can be the description of an isomer: `(5 alpha)-isomer`.
_DESCRIBED_ISOMER = r"\([^()]*(?:\([^()]*\)[^()]*)*\)-isomers?"


def without_form(name: pl.Expr) -> pl.Expr:
    """The names that folded names have without words of forms: a list, empty if there are none.

    Words are taken from behind, from before, and from both sides.

    Args:
        name: a String column, folded.
    """
    before, behind = _patterns()
    cut = [
        name.str.replace(behind, ""),
        name.str.replace(before, ""),
        name.str.replace(behind, "").str.replace(before, ""),
    ]
    found = pl.concat_list(
        pl.when((rest != name) & rest.str.contains(r"\pL{3}")).then(rest) for rest in cut
    )
    return found.list.drop_nulls().list.unique()


def list_own_names(rows: pl.DataFrame) -> pl.DataFrame:
    """The names that forms of drugs are named after: columns component and name, folded.

    They are the names under which lists have the drugs; of an acid also that of its radical, as in
    `sodium valproate`.

    Args:
        rows: rows of drug lists, with component: equal for the rows of one drug.
    """
    names = rows.select("component", name="folded_name").unique()
    radicals = names.with_columns(name=salt_of_acid(pl.col("name"))).drop_nulls("name")
    return pl.concat([names, radicals]).unique()


def find_named_after(names: pl.DataFrame, drug: str, own: pl.DataFrame) -> pl.DataFrame:
    """Find the names that are a name of a drug and words of forms.

    Args:
        names: columns name, folded, that of the drug, and any others.
        drug: the name of that column.
        own: the result of `list_own_names`.

    Returns:
        These rows, in their order.
    """
    # A name that is not within the other one is passed over: the words of forms take long to find.
    within = (
        names.with_row_index("row")
        .select("row", drug, "name")
        .join(own.rename({"name": "base"}), left_on=drug, right_on="component")
        .filter(
            pl.col("name").str.len_bytes() > pl.col("base").str.len_bytes(),
            pl.col("name").str.contains(pl.col("base"), literal=True),
        )
        .select("row", drug, "name")
        .unique()
    )
    if within.is_empty():
        return names.clear()
    bases = (
        within.select("row", drug, base=without_form(pl.col("name")))
        .explode("base", empty_as_null=False)
        .drop_nulls("base")
        .join(own, left_on=[drug, "base"], right_on=["component", "name"], how="semi")
    )
    return names.select(pl.all().gather(bases["row"].unique().sort()))


@cache
def _patterns() -> tuple[str, str]:
    """What matches words of forms before a name, and behind it."""
    with WORDS.open(encoding="utf-8", newline="") as file:
        words = sorted({fold_string(row["word"]) for row in csv.DictReader(file)}, reverse=True)
    prefixes = "|".join(re.escape(word) for word in words if word.endswith("-"))
    others = "|".join(re.escape(word) for word in words if not word.endswith("-"))
    # In French: `chlorhydrate de morphine`, `morphine (chlorhydrate de)`.
    before = rf"^(?:(?:{prefixes})|(?:{others})(?: de | d'|[ ,]+))+"
    behind = (
        rf"(?:[ ,]+(?:(?:{others})|\((?:{others})(?: de| d')?\)|{_DESCRIBED_ISOMER})| ?{_RATIO})+$"
    )
    return before, behind
