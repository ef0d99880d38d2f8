"""Ids as files write them -> ids of one form, or null for what cannot be one (SPEC 2, "id").

One operation for each kind of id, on a column of cleaned text: `read_pubmed_id`, `read_trial_id`
and, for a source without a form of its own, `read_any_id`. What becomes of a record without an id
belongs to `records` and `publications`.

Spreadsheets and data frames damage ids: `90000701.0`, `9.00E+07`. The first still tells the id. The
second has lost it, and is the same text for a thousand others, so it is never an id.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from drug_assets.cleaning.text import fold_text
from drug_assets.terms import SEPARATOR

if TYPE_CHECKING:
    from collections.abc import Callable

#: A number as spreadsheets, R, Java and SAS write a large one; it has lost its last digits.
_SCIENTIFIC = r"^[+-]?[0-9](?:[.,][0-9]+)?[Ee][+-]?[0-9]{1,3}$"
#: A whole number that passed through a column of floating point numbers.
_WHOLE = r"^([0-9]+)\.0+$"

_PMID = "^[1-9][0-9]{0,7}$"
#: What stands before a PubMed id: its name, or an address of PubMed, Europe PMC or a resolver.
_PUBMED_ADDRESS = (
    r"(?:https?://)?(?:[a-z]+\.)*(?:ncbi\.nlm\.nih\.gov|identifiers\.org|europepmc\.org)/"
    r"(?:(?:article|abstract|pubmed|med)[/:])*(?:\?term=)?"
)
_PUBMED_NAME = r"(?:(?:info|urn):)?(?:(?:pubmed|pmid)(?: ?id)?[ :#/=]*)*|med[/:]"
_PUBMED_ID = (
    rf"^(?:{_PUBMED_ADDRESS}|{_PUBMED_NAME})0*([1-9][0-9]{{0,7}})"
    r"(?:\.0+)?[/.]?(?:[?#].*)?$"
)

#: What stands around a trial id, in capitals: an address and its parameters, or the name of a
#: registry.
_TRIAL_PREFIX = (
    r"^(?:HTTPS?://)?(?:[A-Z0-9-]+\.)+[A-Z]+/(?:\S*[/=])?|^[A-Z][A-Z. ]*:\s*([A-Z])"
    r"|^CLINICAL ?TRIALS?\.GOV\s+(?:(?:IDENTIFIER|ID|NUMBER|NO\.?)\s+)?"
)
_PARAMETERS = r"^(\S+/NCT[0-9]{8})[/?#]\S*$"
_SEPARATORS = r"[\s:#./_-]"
_EU_NAMES = "(?:(?:EUDRACT|EUCTR|EUCT|CTIS)(?:NUMBER|NO|NR)?)"
#: The ids of registries of trials, by the form that they have in capitals and without separators.
#: Names of registries that only repeat what the id tells (`JPRN-UMIN…`, `EudraCT …`) fall away.
_REGISTRIES = {
    r"^(NCT|ISRCTN|DRKS|RPCEC)([0-9]{8})$": "${1}${2}",
    r"^(ACTRN[0-9]{14}|PACTR[0-9]{15,16}|KCT[0-9]{7}|TCTR[0-9]{11}|LBCTR[0-9]{10})$": "${1}",
    r"^(ITMCTR[0-9]{8,10}|NTR[0-9]{2,5}|NL[0-9]{3,5})$": "${1}",
    r"^NLOMON([0-9]+)$": "NL-OMON${1}",
    rf"^{_EU_NAMES}?(20[0-9]{{2}})([0-9]{{6}})([0-9]{{2}})$": "${1}-${2}-${3}",
    rf"^{_EU_NAMES}?(20[0-9]{{2}})([0-9]{{6}})([0-9]{{2}})([A-Z]{{2,3}}|[0-9]{{2}})$": (
        "${1}-${2}-${3}-${4}"
    ),
    r"^CHICTR([0-9]{8,10})$": "CHICTR${1}",
    r"^CHICTR([A-Z]{2,5})([0-9]{8,10})$": "CHICTR-${1}-${2}",
    r"^(?:JPRN)?UMIN(?:CTR)?([0-9]{9})$": "UMIN${1}",
    r"^(?:JPRN)?(JRCTS?)([0-9]{9,10})$": "${1}${2}",
    r"^(?:JPRN)?JAPICCTI([0-9]{6})$": "JAPICCTI-${1}",
    r"^(?:JPRN)?JMAIIA([0-9]{5})$": "JMA-IIA${1}",
    r"^CTRI([0-9]{4})([0-9]{2,3})([0-9]{6})$": "CTRI/${1}/${2}/${3}",
    r"^SLCTR([0-9]{4})([0-9]{3})$": "SLCTR/${1}/${2}",
    r"^IRCT([0-9]{6,17}N[0-9]+)$": "IRCT${1}",
    r"^RBR([0-9A-Z]{5,8})$": "RBR-${1}",
    r"^PER([0-9]{3})([0-9]{2})$": "PER-${1}-${2}",
}
_NCT = "^NCT[0-9]{8}$"


def read_pubmed_id(text: pl.Expr) -> pl.Expr:
    """Read PubMed ids: one to eight digits.

    `PMID:`, PubMed's address, leading zeros and a trailing `.0` fall away.

    Args:
        text: A String column, cleaned.

    Returns:
        The digits; null for any other text.
    """
    return _read_other_forms(text, _PMID, _read_pubmed_ids)


def read_trial_id(text: pl.Expr) -> pl.Expr:
    """Read ids of clinical trials, of any registry.

    The id of a registry gets the registry's form, in capitals, whatever became of its hyphens. Any
    other text is an id as `read_any_id` reads it, if it has a digit and no white space: a team may
    number trials in its own way.

    Args:
        text: A String column, cleaned.

    Returns:
        The id; null for zero, for a number in scientific notation, and for any other text.
    """
    return _read_other_forms(text, _NCT, _read_trial_ids)


def _read_trial_ids(text: pl.Series) -> pl.Series:
    """Read ids step by step: one nested expression would take Polars seconds to plan."""
    column = pl.col("text")
    known = pl.col("known")
    rows = text.rename("text").to_frame()
    rows = rows.with_columns(known=fold_text(column))
    rows = rows.with_columns(
        known=known.str.to_uppercase()
        .str.strip_chars_end("/")
        .str.replace(_PARAMETERS, "${1}")
        .str.replace(_TRIAL_PREFIX, "${1}")
        .str.replace_all(_SEPARATORS, "")
    )
    of_registry = pl.coalesce(
        pl.when(known.str.contains(form)).then(known.str.replace(form, written))
        for form, written in _REGISTRIES.items()
    )
    own = pl.when(column.str.contains(r"^\S*[0-9]\S*$")).then(read_any_id(column))
    return rows.select(pl.coalesce(of_registry, own)).to_series()


def _read_pubmed_ids(text: pl.Series) -> pl.Series:
    return pl.select(fold_text(pl.lit(text))).to_series().str.extract(_PUBMED_ID)


def _read_other_forms(text: pl.Expr, form: str, read: Callable[[pl.Series], pl.Series]) -> pl.Expr:
    """Leave ids as they are that have their form already, as nearly all have; read the others."""

    def apply(ids: pl.Series) -> pl.Series:
        others = (~ids.str.contains(form)).arg_true()
        if others.is_empty():
            return ids
        return ids.clone().scatter(others, read(ids.gather(others)))

    return text.map_batches(apply, return_dtype=pl.String, is_elementwise=True)


def find_ids(text: pl.Expr, form: str, sign: str) -> pl.Expr:
    """Find ids in running text.

    Args:
        text: A String column.
        form: Matches an id.
        sign: Matches every text in which there is an id, and few others. The search for it is a
            fraction of that for an id.

    Returns:
        The ids of each text as written, with bars between them; null where there is none.
    """

    def apply(texts: pl.Series) -> pl.Series:
        signed = texts.str.contains(sign).arg_true()
        found = texts.gather(signed).str.extract_all(form).list.join(SEPARATOR).replace("", None)
        nothing = pl.repeat(None, len(texts), dtype=pl.String, eager=True)
        return nothing.scatter(signed, found)

    return text.map_batches(apply, return_dtype=pl.String, is_elementwise=True)


def read_any_id(text: pl.Expr) -> pl.Expr:
    """Read ids of no certain form: any text with a letter or a digit.

    `9` and `9.0` are one id.

    Args:
        text: A String column, cleaned.

    Returns:
        The id; null for zero, for a number in scientific notation, and for signs alone.
    """
    whole = text.str.replace(_WHOLE, "${1}")
    is_id = whole.str.contains(r"[\pL\pN]") & ~whole.str.contains(f"{_SCIENTIFIC}|^[+-]?0+$")
    return pl.when(is_id).then(whole)
