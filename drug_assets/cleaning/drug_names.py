"""The names of drugs: which list gives which, of what kind, and whether titles are searched for it.

Which rows are one drug belongs to `drug_joins`, further spellings to `name_variants`, names that
are not safe to search for to `stop_list`, the search itself to `mentions`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from drug_assets.cleaning.everyday_words import list_everyday_words
from drug_assets.cleaning.name_marks import without_marks
from drug_assets.cleaning.name_variants import Rules, make_variants_by_list
from drug_assets.cleaning.text import LETTER, fold_text
from drug_assets.terms import NameKind

if TYPE_CHECKING:
    from collections.abc import Mapping

    from drug_assets.cleaning.stop_list import StopList

#: The columns of rows with names, by kind of the names.
_COLUMNS: Mapping[str, NameKind] = {
    "drug": NameKind.PREFERRED,
    "synonyms": NameKind.SYNONYM,
    "brands": NameKind.BRAND,
    "research_codes": NameKind.CODE,
    "forms": NameKind.FORM,
}
#: The kinds that are names of a form where the row is that of a form.
_OF_THE_ROW = (NameKind.PREFERRED, NameKind.SYNONYM)
#: In the order of precedence.
_KINDS = pl.Enum([kind.value for kind in NameKind])
_NAME = ("component", "source_file", "name")
#: Why a name without a letter is not searched for: it would be a number or a sign.
NO_LETTER = "no letter"
#: Characters of the shortest code that is searched for.
SHORTEST_CODE = 5
SHORT_CODE = f"a code of fewer than {SHORTEST_CODE} characters: it mostly means something else"
EVERYDAY_WORD = "a word of the language: as a brand or code it is seldom meant"


def why_not_searched(name: pl.Expr, kind: pl.Expr, stop_list: StopList) -> pl.Expr:
    """Why titles are not searched for a name; null if they are.

    A stop list decides before the rules for kinds of names: it can allow a name, too.

    Args:
        name: a String column, without marks.
        kind: its kind, one of `terms.NameKind`; of a variant, that of the name it is made from.
        stop_list: names that are not safe to search for.
    """
    folded = fold_text(name)
    is_code, is_brand = kind == NameKind.CODE.value, kind == NameKind.BRAND.value
    reasons = {
        SHORT_CODE: is_code & (folded.str.len_chars() < SHORTEST_CODE),
        EVERYDAY_WORD: _is_everyday_word(pl.when(is_code | is_brand).then(folded)),
    }
    by_kind = pl.coalesce(pl.when(holds).then(pl.lit(why)) for why, holds in reasons.items())
    return pl.coalesce(
        pl.when(~folded.str.contains(LETTER)).then(pl.lit(NO_LETTER)),
        stop_list.reason(name),
        pl.when(~stop_list.allows(name)).then(by_kind),
    )


def _is_everyday_word(folded: pl.Expr) -> pl.Expr:
    """Whether folded names are words of the language; a null is none."""
    return folded.map_batches(_are_everyday_words, return_dtype=pl.Boolean, is_elementwise=True)


def _are_everyday_words(folded: pl.Series) -> pl.Series:
    if folded.null_count() == len(folded):
        # Many lists give neither brands nor codes; to make a set of all words takes long.
        return pl.Series([False]).new_from_index(0, len(folded))
    return folded.is_in(list_everyday_words().implode()).fill_null(value=False)


def list_names(
    rows: pl.DataFrame, names_of_forms: pl.DataFrame, stop_list: StopList, rules: Rules
) -> pl.DataFrame:
    """List the names of drugs, and the variants that rules make of them.

    Args:
        rows: the result of `drug_forms.merge_forms`.
        names_of_forms: the synonyms that are names of forms (`drug_forms.list_names_of_forms`).
        stop_list: names that are not safe to search for.
        rules: the rules that make further spellings.

    Returns:
        Columns component, source_file, name, kind, is_form (whether it is a name of a form, and
        nothing else in any list; of a variant, the name that it is made from) and reason (why it is
        not searched for, null if it is), one row per drug, list and spelling. The list of a variant
        is that of the name it is made from.
    """
    listed = _collect(rows, names_of_forms)
    # Lazy, as only then what the parts of an expression have in common is computed once.
    named = (
        _mark_forms(listed)
        .lazy()
        .with_columns(reason=why_not_searched(pl.col("name"), pl.col("kind"), stop_list))
        .collect()
    )
    made = make_variants_by_list(
        named.select("name", drug_id="component", list="source_file"), rules
    ).rename({"drug_id": "component", "list": "source_file"})
    origins = named.select("component", "is_form", "reason", made_from="folded", of="kind").unique()
    safe = pl.col("reason").is_null()
    variants = (
        made.join(origins, on=["component", "made_from"])
        .group_by(_NAME)
        .agg(
            pl.col("is_form").all(),
            of=pl.coalesce(pl.col("of").filter(safe).min(), pl.col("of").min()),
            # What is made of unsafe names alone is not safe either.
            inherited=pl.when(~safe.any()).then(pl.col("reason").min()),
        )
        .lazy()
        .with_columns(
            kind=pl.lit(NameKind.VARIANT.value, dtype=_KINDS),
            reason=pl.coalesce(
                why_not_searched(pl.col("name"), pl.col("of"), stop_list),
                pl.when(~stop_list.allows(pl.col("name"))).then("inherited"),
            ),
        )
        .collect()
    )
    columns = (*_NAME, "kind", "is_form", "reason")
    return pl.concat([named.select(columns), variants.select(columns)])


def _mark_forms(listed: pl.DataFrame) -> pl.DataFrame:
    """Add folded; and is_form: whether a name is that of a form, and nothing else in any list."""
    named = listed.with_columns(folded=fold_text(pl.col("name")))
    form = pl.col("kind") == NameKind.FORM.value
    spelling = ["component", "folded"]
    # All that stands in lists has a kind before that of forms, or that.
    only_forms = (
        named.filter(form)
        .select(spelling)
        .unique()
        .join(named.filter(~form), on=spelling, how="anti")
        .with_columns(is_form=True)
    )
    return named.join(only_forms, on=spelling, how="left", maintain_order="left").with_columns(
        pl.col("is_form").fill_null(value=False)
    )


def _collect(rows: pl.DataFrame, names_of_forms: pl.DataFrame) -> pl.DataFrame:
    """The names in lists, without marks: columns component, source_file, name and kind."""
    spellings = (
        pl.concat(
            rows.select(
                *("component", "source_file", "is_form"),
                name=pl.concat_list(column),
                kind=pl.lit(kind.value, dtype=_KINDS),
            )
            for column, kind in _COLUMNS.items()
        )
        .explode("name", empty_as_null=False)
        .drop_nulls("name")
        .with_columns(name=without_marks(pl.col("name")))
    )
    form = pl.lit(NameKind.FORM.value, dtype=_KINDS)
    is_of_row = pl.col("kind").is_in([kind.value for kind in _OF_THE_ROW])
    is_synonym = pl.col("kind") == NameKind.SYNONYM.value
    return (
        spellings.with_columns(folded=fold_text(pl.col("name")))
        .join(
            names_of_forms.select(*_NAME[:2], folded="name", named_after=True),
            on=[*_NAME[:2], "folded"],
            how="left",
        )
        .with_columns(
            kind=pl.when(
                (is_of_row & pl.col("is_form"))
                | (is_synonym & pl.col("named_after").fill_null(value=False))
            )
            .then(form)
            .otherwise("kind")
        )
        .group_by(_NAME)
        .agg(pl.col("kind").min())
    )


def choose_names(names: pl.DataFrame) -> pl.DataFrame:
    """The names to search titles for, per drug.

    Args:
        names: the rows of `list_names`.

    Returns:
        Columns component, names (sorted), forms (those of them that are names of forms), stopped
        and unsearchable: whether a list gives a name that is not searched for because it is unsafe,
        or has no letter.
    """
    reason = pl.col("reason")
    is_listed = pl.col("kind") != NameKind.VARIANT.value
    return names.group_by("component").agg(
        names=pl.col("name").filter(reason.is_null()).unique().sort(),
        forms=pl.col("name").filter(reason.is_null(), "is_form").unique().sort(),
        stopped=(is_listed & (reason != NO_LETTER)).any(),
        unsearchable=(reason == NO_LETTER).any(),
    )
