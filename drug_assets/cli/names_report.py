"""The command `names`: which names titles are searched for, of one drug, and why not for others.

It reads the tables `drugs` and `drug_names` of a release. What is searched for was decided when
these were made (`cleaning.drug_names`); here it is only looked up and shown.
"""

from __future__ import annotations

from difflib import get_close_matches
from typing import TYPE_CHECKING, NamedTuple

import polars as pl

from drug_assets.cleaning.name_marks import string_without_marks
from drug_assets.cleaning.text import clean_string, fold_string, fold_text
from drug_assets.errors import DrugAssetsError
from drug_assets.terms import NameKind
from drug_assets.wording import count_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_CLOSE_SPELLINGS = 5
#: Names that are compared letter by letter with an unknown one: those that share most with it.
_COMPARED = 500
#: Letters in a row that names have in common if they are spelled alike.
_PIECE = 3
_KINDS = pl.Enum([kind.value for kind in NameKind])


class UnknownNameError(DrugAssetsError):
    """No drug of the release has a name, code or id; the message has close spellings.

    Attributes:
        close_spellings: up to five similar names, most similar first.
    """

    def __init__(self, name: str, close_spellings: list[str]) -> None:
        self.close_spellings = close_spellings
        close = ", ".join(close_spellings)
        hint = f"close spellings: {close}" if close else "nor is any spelled like it"
        super().__init__(f"no drug of the release has the name, code or id {name!r}; {hint}")


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


def find_named_drugs(asked: str, drugs_file: Path, names_file: Path) -> list[NamedDrug]:
    """Find the drugs that have a name, code or id, with all their names.

    Args:
        asked: any name, searched for or not; a code; or an id, of any scheme, with the name of the
            scheme before it or not. Case makes no difference.
        drugs_file: Parquet file with the table `contracts.Drugs`.
        names_file: Parquet file with the table `contracts.DrugNames`.

    Returns:
        The drugs, by shown name. Several have the same name, if lists say so.

    Raises:
        UnknownNameError: there is none.
    """
    drugs, names = (pl.scan_parquet(file, glob=False) for file in (drugs_file, names_file))
    wanted = fold_string(string_without_marks(clean_string(asked)))
    folded = names.with_columns(folded=fold_text(pl.col("name"))).collect()
    found = (
        drugs.filter(
            pl.col("drug_id").is_in(folded.filter(folded=wanted)["drug_id"].implode())
            | (fold_text(pl.col("drug_id")) == wanted)
            | _holds("codes", wanted)
            | _holds("xrefs", wanted)
        )
        .select("drug_id", "drug", "codes", "xrefs")
        .sort("drug", "drug_id")
        .collect()
    )
    if found.is_empty():
        raise UnknownNameError(asked, _find_close_spellings(wanted, folded))
    own = folded.join(found, on="drug_id", how="semi")
    others = (
        folded.lazy()
        .filter("searched")
        .join(own.lazy().filter("searched").select("folded").unique(), on="folded", how="semi")
        .join(drugs.select("drug_id", "drug"), on="drug_id")
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


def _holds(column: str, wanted: str) -> pl.Expr:
    """Whether a list has a folded text, or an identifier of any scheme that is this."""
    folded = fold_text(pl.element())
    return (
        pl.col(column).list.eval((folded == wanted) | folded.str.ends_with(f":{wanted}")).list.any()
    )


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


def _find_close_spellings(wanted: str, names: pl.DataFrame) -> list[str]:
    """Names that are spelled like a folded one, the most similar first."""
    pieces = {wanted[at : at + _PIECE] for at in range(max(1, len(wanted) - _PIECE + 1))}
    shared = pl.sum_horizontal(
        pl.col("folded").str.contains(piece, literal=True).cast(pl.Int32)
        for piece in sorted(pieces)
    )
    length = pl.col("folded").str.len_chars()
    alike = (
        names.filter("searched")
        .select("name", "folded", shared=shared)
        .filter(pl.col("shared") > 0)
        .top_k(_COMPARED, by=pl.col("shared") / (length + len(wanted)))
        .sort("name", descending=True)  # of spellings that fold to one text, the first is shown
    )
    spellings = dict(alike.select("folded", "name").rows())
    return [spellings[each] for each in get_close_matches(wanted, spellings, _CLOSE_SPELLINGS)]


def as_object(drug: NamedDrug) -> dict[str, object]:
    """A drug with its names, as an object of JSON."""
    return {**drug._asdict(), "names": [name._asdict() for name in drug.names]}


def as_lines(drug: NamedDrug) -> Iterator[str]:
    """A drug with its names, as text: by list and kind, and below what is not searched for."""
    searched = [name for name in drug.names if name.searched]
    spellings = len({fold_string(name.name) for name in searched})
    ids = ", ".join(
        each
        for each in dict.fromkeys([drug.drug_id, *drug.codes, *drug.xrefs])
        if each != drug.drug
    )
    shown = f"{drug.drug} ({ids})" if ids else drug.drug
    yield f"{shown}: {count_of(spellings, 'name')} searched for"
    for source in dict.fromkeys(name.source_file for name in drug.names):
        yield f"  {source}"
        of_list = [name for name in drug.names if name.source_file == source]
        for kind in NameKind:
            if spelt := [
                _with_others(name) for name in of_list if name.kind == kind and name.searched
            ]:
                yield f"    {kind.value}: {'; '.join(spelt)}"
        for name in of_list:
            if not name.searched:
                yield f"    not searched for: {name.name} ({name.kind}), {name.reason}"


def _with_others(name: ListedName) -> str:
    return f"{name.name} (also {', '.join(name.also)})" if name.also else name.name
