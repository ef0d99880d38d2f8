"""Spellings of a drug that its list does not give, but a title may use.

Each rule makes of a listed name at most one other name of the same substance. What each was worth,
measured on titles with gold spans, and which rules were tried and left out (salts, plurals, stems
of families), is in `docs/accuracy.md`. Plurals never are: "tetracyclines" is a class (SPEC 4).

Names come and go folded. Which of them are unsafe to search for belongs to `stop_list`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TypeAlias

import polars as pl

from drug_assets.cleaning.text import folded

#: By name, expressions that make of a folded name another one, or null.
Rules: TypeAlias = Mapping[str, Callable[[pl.Expr], pl.Expr]]

#: Characters. Longer names are systematic: titles hardly have them, and then in one spelling.
_LONGEST = 40

_ION = (
    r"^(\pL{4}[\pL ]*?)"
    r"(?:,? ions?|,? \(ion\)|,? (?:cat|an)ions?|\([1-9]?[+−-]\)(?: ion)?|\([iv]+\) (?:cat|an)?ion)$"
)
_IC_ACID = r"^(.*\pL{3})ic acid$"
#: Where INNs write f for ph and e for oe (WHO, "General principles for guidance in devising INNs"),
#: titles of Britain, and of all countries before the 1990s, often do not.
_OLDER = {
    r"sulf": "sulph",
    r"\bcef": "ceph",
    r"amfetamin": "amphetamin",
    r"\balfa\b": "alpha",
    r"\bestr": "oestr",
    # Not in mestranol, levonorgestrel, campestris, and what is spelt oestr already.
    r"([^gmov])estr(adi|iol|one|ol|en)": "${1}oestr${2}",
}
#: Where letters and a number meet, if there are enough of either to tell a name from "B-1".
_JOINTS = (
    r"^([^,\[\]{}]*\pL{3})[ -]([0-9][^,\[\]{}]*)$",
    r"^([^,\[\]{}]*\pL)[ -]([0-9]{2}[^,\[\]{}]*)$",
    r"^([^,\[\]{}]*[0-9])[ -](\pL{3}[^,\[\]{}]*)$",
    r"^(\pL{2,5})([0-9]{3,6})$",
)
_CODE = r"^(\pL{1,5})[ -]([0-9]{2,6})$"


def without_ion(name: pl.Expr) -> pl.Expr:
    """`lithium cation`, `lithium, ion`, `potassium(1+)` -> `lithium`, `potassium`."""
    return name.str.extract(_ION)


def salt_of_acid(name: pl.Expr) -> pl.Expr:
    """`glutamic acid` -> `glutamate`: in the body one substance, in titles the usual name."""
    return name.str.extract(_IC_ACID) + "ate"


def older_spelling(name: pl.Expr) -> pl.Expr:
    """`sulfasalazine` -> `sulphasalazine`, `epoetin alfa` -> `epoetin alpha`."""
    older = name
    for modern, old in _OLDER.items():
        older = older.str.replace_all(modern, old)
    return older


def with_blank(name: pl.Expr) -> pl.Expr:
    """`5-fluorouracil`, `fk-506`, `fk506` -> `5 fluorouracil`, `fk 506`."""
    return _joined(name, " ")


def with_hyphen(name: pl.Expr) -> pl.Expr:
    """`interleukin 3`, `fk 506`, `fk506` -> `interleukin-3`, `fk-506`."""
    return _joined(name, "-")


def in_one(name: pl.Expr) -> pl.Expr:
    """`fk-506`, `fk 506` -> `fk506`: codes of compounds."""
    return name.str.replace(_CODE, "${1}${2}")


def _joined(name: pl.Expr, joint: str) -> pl.Expr:
    """The name with this joint between letters and a number."""
    joined = name
    for ends in _JOINTS:
        joined = joined.str.replace(ends, "${1}" + joint + "${2}")
    return joined


#: Every rule in use: an earlier one has the first claim to a spelling.
RULES: Rules = {
    rule.__name__: rule
    for rule in (without_ion, salt_of_acid, older_spelling, with_blank, with_hyphen, in_one)
}


def variants(listed: pl.DataFrame, rules: Rules = RULES) -> pl.DataFrame:
    """The spellings that rules add to the listed ones.

    A spelling that is listed, or that a rule makes of names of several drugs, is left out: no
    variant is ever ambiguous.

    Args:
        listed: Columns drug_id and name, one row a spelling, cleaned.
        rules: Those to apply, in this order.

    Returns:
        Columns drug_id and name (folded), one row a spelling, sorted by rule, drug_id and name.
    """
    own = listed.select("drug_id", name=folded(pl.col("name"))).unique()
    short = own.filter(pl.col("name").str.len_chars() <= _LONGEST)
    known = own
    for rule in rules.values():
        made = (
            short.with_columns(name=rule(pl.col("name")))
            .drop_nulls("name")
            .join(known, on="name", how="anti")
            .unique()
            .filter(pl.col("drug_id").n_unique().over("name") == 1)
            .sort("drug_id", "name")
        )
        known = pl.concat([known, made])
    return known.slice(own.height)
