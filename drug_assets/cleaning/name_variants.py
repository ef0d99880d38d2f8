"""Spellings of a drug that are not in a drug list, but that a title may use.

Each rule makes at most one other name of the same substance from a listed name. `docs/accuracy.md`
reports the effect of each rule, measured on titles with gold spans, and the rules that were tried
and rejected (salts, plurals, stems of families). Plurals are never variants: "tetracyclines" is a
class (SPEC 4).

Names are folded, before and after. Names that are unsafe to search for belong to `stop_list`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TypeAlias

import polars as pl

from drug_assets.cleaning.text import fold_text

#: By name of the rule, a function from a folded name to another folded name, or to null.
Rules: TypeAlias = Mapping[str, Callable[[pl.Expr], pl.Expr]]

#: Longer names get no variants: they are systematic, rare in titles, and then in one spelling.
_MAX_CHARACTERS = 40

_ION = (
    r"^(\pL{4}[\pL ]*?)"
    r"(?:,? ions?|,? \(ion\)|,? (?:cat|an)ions?|\([1-9]?[+-]\)(?: ion)?|\([iv]+\) (?:cat|an)?ion)$"
)
_IC_ACID = r"^(.*\pL{3})ic acid$"
#: INNs have f for ph and e for oe (WHO, "General principles for guidance in devising INNs").
#: British titles, and titles of all countries before the 1990s, often have the older spelling.
_OLDER = {
    r"sulf": "sulph",
    r"\bcef": "ceph",
    r"amfetamin": "amphetamin",
    r"\balfa\b": "alpha",
    r"\bestr": "oestr",
    # Not in mestranol, levonorgestrel, campestris, nor where oestr is there already.
    r"([^gmov])estr(adi|iol|one|ol|en)": "${1}oestr${2}",
}
#: Letters next to a number, with enough of either that a name like "B-1" does not match.
_JOINTS = (
    r"^([^,\[\]{}]*\pL{3})[ -]([0-9][^,\[\]{}]*)$",
    r"^([^,\[\]{}]*\pL)[ -]([0-9]{2}[^,\[\]{}]*)$",
    r"^([^,\[\]{}]*[0-9])[ -](\pL{3}[^,\[\]{}]*)$",
    r"^(\pL{2,5})([0-9]{3,6})$",
)
#: Before a number, such letters are not those of a code, but words of the language: "a 7-year-old",
#: "at 130", "of 900".
_WORD_AND_NUMBER = (
    r"^(?:a|am|an|as|at|be|by|do|go|he|i|if|in|is|it|me|my|no|of|on|or|so|to|up|us|we) [0-9]"
)
_CODE = r"^(\pL{1,5})[ -]([0-9]{2,6})$"


def without_ion(name: pl.Expr) -> pl.Expr:
    """`lithium cation`, `lithium, ion`, `potassium(1+)` -> `lithium`, `potassium`."""
    return name.str.extract(_ION).str.strip_chars_end(" ")


def salt_of_acid(name: pl.Expr) -> pl.Expr:
    """`glutamic acid` -> `glutamate`: one substance in the body, and the usual name in titles."""
    return name.str.extract(_IC_ACID) + "ate"


def older_spelling(name: pl.Expr) -> pl.Expr:
    """`sulfasalazine` -> `sulphasalazine`, `epoetin alfa` -> `epoetin alpha`."""
    older = name
    for modern, old in _OLDER.items():
        older = older.str.replace_all(modern, old)
    return older


def with_blank(name: pl.Expr) -> pl.Expr:
    """`5-fluorouracil`, `fk-506`, `fk506` -> `5 fluorouracil`, `fk 506`; `at-130` stays."""
    blanked = _with_joint(name, " ")
    return pl.when(~blanked.str.contains(_WORD_AND_NUMBER)).then(blanked)


def with_hyphen(name: pl.Expr) -> pl.Expr:
    """`interleukin 3`, `fk 506`, `fk506` -> `interleukin-3`, `fk-506`."""
    return _with_joint(name, "-")


def in_one(name: pl.Expr) -> pl.Expr:
    """`fk-506`, `fk 506` -> `fk506`, for codes of compounds."""
    return name.str.replace(_CODE, "${1}${2}")


def _with_joint(name: pl.Expr, joint: str) -> pl.Expr:
    """Put a blank or a hyphen between letters and a number."""
    joined = name
    for pattern in _JOINTS:
        joined = joined.str.replace(pattern, "${1}" + joint + "${2}")
    return joined


#: By rule, a pattern that is quick to look for, and that all names have that the rule changes.
_CHANGES: Mapping[Callable[[pl.Expr], pl.Expr], str] = {
    without_ion: r"ions?\)?$|[+-]\)$",
    salt_of_acid: "ic acid$",
    older_spelling: "sulf|cef|amfetamin|alfa|estr",
    with_blank: "[0-9]",
    with_hyphen: "[0-9]",
    in_one: "[0-9]",
}

#: All rules in use. A spelling that several rules make belongs to the earliest.
RULES: Rules = {
    rule.__name__: rule
    for rule in (without_ion, salt_of_acid, older_spelling, with_blank, with_hyphen, in_one)
}


#: No variant is what a list has as a name, or as a variant of another drug.
_SPELLING = ["list", "name"]


def make_variants(listed: pl.DataFrame, rules: Rules = RULES) -> pl.DataFrame:
    """Make further spellings of listed names.

    A spelling that is listed already, or that a rule makes from names of several drugs, is left
    out, so no variant is ambiguous.

    Args:
        listed: Columns drug_id and name, one row per spelling, cleaned.
        rules: The rules to apply, in this order.

    Returns:
        Columns drug_id and name (folded), one row per spelling, sorted by rule, drug_id and name.
    """
    made = make_variants_by_list(listed.with_columns(list=None), rules)
    return made.select("drug_id", "name").unique(maintain_order=True)


def make_variants_by_list(listed: pl.DataFrame, rules: Rules = RULES) -> pl.DataFrame:
    """Make further spellings of the names of several lists.

    A spelling that a list has already, or that a rule makes from its names of several drugs, is
    left out. What is so in one list stays a variant of another one: a list more takes no name away.

    Args:
        listed: Columns drug_id, list and name, one row per spelling, cleaned.
        rules: The rules to apply, in this order.

    Returns:
        Columns drug_id, list, name (folded) and made_from: the listed name, folded. One row for
        each that the spelling can be made from, sorted by rule, drug_id, name and the others.
    """
    own = listed.select("drug_id", "list", name=fold_text(pl.col("name"))).unique()
    short = own.filter(pl.col("name").str.len_chars() <= _MAX_CHARACTERS)
    nothing = own.clear().with_columns(made_from="name", rule=pl.lit(0))
    by_rule = [_apply(rule, short, n) for n, rule in enumerate(rules.values())]
    made = pl.concat([nothing, *by_rule])
    taken = own.join(made, on=_SPELLING, how="semi", nulls_equal=True)
    return (
        made.join(taken, on=_SPELLING, how="anti", nulls_equal=True)
        .filter(pl.col("drug_id").n_unique().over("rule", *_SPELLING) == 1)
        .filter(pl.col("rule") == pl.col("rule").min().over(_SPELLING))
        .sort("rule", "drug_id", "name", "list", "made_from")
        .drop("rule")
    )


def _apply(rule: Callable[[pl.Expr], pl.Expr], names: pl.DataFrame, number: int) -> pl.DataFrame:
    """What a rule makes of the names that it changes: their rows, with made_from and rule."""
    return (
        names.filter(pl.col("name").str.contains(_CHANGES.get(rule, "")))
        .with_columns(name=rule(pl.col("name")), made_from="name", rule=pl.lit(number))
        .filter(pl.col("name") != pl.col("made_from"))
    )
