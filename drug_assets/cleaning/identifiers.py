"""Identifiers of substances as lists write them -> references of one form (SPEC 2, "identifiers").

A reference is a scheme, a colon and the identifier (`unii:R16CO5Y76E`), so that identifiers of
several schemes stand in one list. What cannot be an identifier of its scheme identifies nothing.
Which drugs share an identifier belongs to `drugs`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from drug_assets.cleaning.text import map_distinct
from drug_assets.terms import SEPARATOR, IdentifierScheme

if TYPE_CHECKING:
    from collections.abc import Mapping

#: By scheme, what an identifier looks like in capitals; the first group is the identifier, which
#: the name of the scheme may precede.
_FORMS: Mapping[IdentifierScheme, str] = {
    IdentifierScheme.DRUGBANK: r"^(?:DRUGBANK:)?(DB[0-9]{5})$",
    IdentifierScheme.UNII: r"^(?:UNII[:-]?)?([0-9A-Z]{10})$",
    IdentifierScheme.CHEMBL: r"^(?:CHEMBL:)?(CHEMBL[1-9][0-9]*)$",
    IdentifierScheme.MESH: r"^(?:MESH:)?([CD](?:[0-9]{6}|[0-9]{9}))$",
    IdentifierScheme.RXCUI: r"^(?:RXCUI:|RXNORM:)?([1-9][0-9]{0,7})(?:\.0)?$",
    IdentifierScheme.BDPM: r"^(?:BDPM:)?([0-9]{5})$",
    IdentifierScheme.CAS: r"^(?:CAS(?:RN)?:?)?([1-9][0-9]{1,6}-[0-9]{2}-[0-9])$",
    IdentifierScheme.INCHIKEY: r"^(?:INCHIKEY[=:])?([A-Z]{14}-[A-Z]{10}-[A-Z])$",
}
#: Schemes whose identifiers are told from others by their form alone.
_MARKED = (IdentifierScheme.DRUGBANK, IdentifierScheme.CHEMBL)
#: What stands between identifiers: none of them has a blank, a comma or a semicolon.
_BETWEEN = r"[\s,;|]+"
_CAS_DIGITS = 10

if _FORMS.keys() != set(IdentifierScheme):
    raise AssertionError("every scheme needs a form")


def read_references(column: str) -> pl.Expr:
    """The references in a multi-valued field that holds them, in one form, sorted, each once.

    Args:
        column: a String column: references with bars between them.
    """

    def read(texts: pl.Series) -> pl.Series:
        item = pl.element().str.to_uppercase()
        scheme = item.str.extract(r"^([A-Z]+):").str.to_lowercase()
        found = [
            pl.when(scheme == each).then(_reference(each, item.str.replace(r"^[A-Z]+:", "")))
            for each in IdentifierScheme
        ]
        return _read_items(texts, pl.coalesce(found))

    return map_distinct(pl.col(column), read, pl.List(pl.String), of_null=[])


def read_xrefs(fields: Mapping[IdentifierScheme, str], own: str) -> pl.Expr:
    """The references to a substance that a row gives, sorted, each once; a list, never null.

    Args:
        fields: by scheme, the column with its identifiers; several stand with bars, commas,
            semicolons or blanks between them.
        own: the column with the row's own id, which can be one of a scheme of unmistakable form.
    """
    read = [_read_scheme(column, (scheme,)) for scheme, column in fields.items()]
    # `list.sort` takes ten times as long.
    references = pl.concat_list(*read, _read_scheme(own, _MARKED))
    return references.list.eval(pl.element().unique().sort())


def _read_scheme(column: str, schemes: tuple[IdentifierScheme, ...]) -> pl.Expr:
    def read(texts: pl.Series) -> pl.Series:
        item = pl.element().str.to_uppercase()
        return _read_items(texts, pl.coalesce(_reference(each, item) for each in schemes))

    return map_distinct(pl.col(column), read, pl.List(pl.String), of_null=[])


def _read_items(texts: pl.Series, reference: pl.Expr) -> pl.Series:
    items = texts.fill_null("").str.replace_all(_BETWEEN, SEPARATOR).str.split(SEPARATOR)
    return items.list.eval(reference.drop_nulls().unique().sort())


def _reference(scheme: IdentifierScheme, item: pl.Expr) -> pl.Expr:
    """The reference that an item in capitals gives, null if it cannot be of the scheme."""
    identifier = item.str.extract(_FORMS[scheme])
    if scheme is IdentifierScheme.CAS:
        identifier = pl.when(_has_cas_check_digit(identifier)).then(identifier)
    return pl.lit(f"{scheme}:") + identifier


def _has_cas_check_digit(number: pl.Expr) -> pl.Expr:
    """Whether the last digit is the sum of the others, each times its place from the right."""
    digits = number.str.replace_all("-", "").str.pad_start(_CAS_DIGITS, "0")
    weighted = (
        digits.str.slice(place, 1).cast(pl.Int64, strict=False) * (_CAS_DIGITS - 1 - place)
        for place in range(_CAS_DIGITS - 1)
    )
    return pl.sum_horizontal(*weighted) % 10 == digits.str.tail(1).cast(pl.Int64, strict=False)
