"""The names of drugs: which of them titles are searched for, and why not for others (SPEC 8).

What is searched for was decided when the tables were made (`cleaning.drug_names`); here it is only
looked up.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import polars as pl

from drug_assets.answers.finding import find_called, fold_name, fold_names, unknown_drug
from drug_assets.cleaning.text import fold_text
from drug_assets.terms import NameKind

if TYPE_CHECKING:
    from drug_assets.answers import Tables

_KINDS = pl.Enum([kind.value for kind in NameKind])


class ListedName(NamedTuple):
    """A name of a drug, as one list gives it."""

    name: str
    #: One of `terms.NameKind`.
    kind: str
    #: The list.
    source_file: str
    searched: bool
    #: Why it is not searched for; None if it is.
    reason: str | None
    #: Other drugs that titles are searched for by this name, as they are shown.
    also: list[str]


class NamedDrug(NamedTuple):
    """A drug with all its names, in the order of lists, kinds and names."""

    drug_id: str
    drug: str
    codes: list[str]
    xrefs: list[str]
    names: list[ListedName]

    def as_object(self) -> dict[str, object]:
        """The drug with its names, as an object of JSON."""
        return {**self._asdict(), "names": [name._asdict() for name in self.names]}


def find_named_drugs(asked: str, tables: Tables) -> list[NamedDrug]:
    """Find the drugs that have a name, code or id, with all their names.

    Args:
        asked: any name, searched for or not; a code; or an id, of any scheme, with the name of the
            scheme before it or not. Case makes no difference.
        tables: the tables of a release.

    Returns:
        The drugs, by shown name. Several have the same name, if lists say so.

    Raises:
        UnknownNameError: there is none.
    """
    folded = fold_names(tables)
    found = find_called(fold_name(asked), tables, folded)
    if found.is_empty():
        raise unknown_drug(asked, folded)
    names = tables.table("drug_names").with_columns(folded=fold_text(pl.col("name")))
    own = names.join(found.lazy(), on="drug_id", how="semi").collect()
    others = (
        folded.lazy()
        .filter("searched")
        .join(own.lazy().filter("searched").select("folded").unique(), on="folded", how="semi")
        .join(tables.table("drugs").select("drug_id", "drug"), on="drug_id")
        .select("folded", "drug_id", "drug")
        .unique()
        .collect()
    )
    own = own.with_columns(pl.col("kind").cast(_KINDS)).sort("source_file", "kind", "name")
    return [
        NamedDrug(
            **drug,
            names=_list_names(
                own.filter(drug_id=drug["drug_id"]), others.remove(drug_id=drug["drug_id"])
            ),
        )
        for drug in found.rows(named=True)
    ]


def _list_names(own: pl.DataFrame, others: pl.DataFrame) -> list[ListedName]:
    """The names of a drug; `others` are the other drugs that are searched for by such a name."""
    also: dict[str, list[str]] = {}
    for name, drug in others.select("folded", "drug").sort("drug").rows():
        also.setdefault(name, []).append(drug)
    columns = ("name", "kind", "source_file", "searched", "reason", "folded")
    return [
        ListedName(name, kind, source_file, searched, reason, also.get(folded, []))
        for name, kind, source_file, searched, reason, folded in own.select(columns).rows()
    ]
