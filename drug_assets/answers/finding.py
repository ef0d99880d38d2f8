"""Which drugs and journals of a release a person means by a name, a code or an id (SPEC 6)."""

from __future__ import annotations

import re
from difflib import get_close_matches
from typing import TYPE_CHECKING, NamedTuple

import polars as pl

from drug_assets.cleaning.name_marks import string_without_marks, without_marks
from drug_assets.cleaning.text import clean_string, fold_string, fold_text
from drug_assets.errors import DrugAssetsError
from drug_assets.terms import ATC_CODE

if TYPE_CHECKING:
    from drug_assets.answers import Tables

_CLOSE_SPELLINGS = 5
#: Names that are compared letter by letter with an unknown one: those that share most with it.
_COMPARED = 500
#: Letters in a row that names have in common if they are spelled alike.
_PIECE = 3
_WITHOUT_HYPHEN = re.compile(r"^([0-9]{4})([0-9]{3}[0-9X])$")


class UnknownNameError(DrugAssetsError):
    """No drug, or no journal, of the release has a name, code or id.

    Attributes:
        asked: what was given.
        close_spellings: up to five similar names, most similar first.
    """

    def __init__(self, what: str, asked: str, close_spellings: list[str]) -> None:
        self.asked = asked
        self.close_spellings = close_spellings
        close = ", ".join(close_spellings)
        hint = f"close spellings: {close}" if close else "nor is any spelled like it"
        super().__init__(f"no {what} {asked!r}; {hint}")


class FoundDrug(NamedTuple):
    """A drug of a release."""

    drug_id: str
    drug: str


class Found(NamedTuple):
    """The drugs that somebody means."""

    asked: str
    #: By shown name; never empty.
    drugs: list[FoundDrug]
    #: What the given text is of them: `name` (as they are shown), `class` (the code of an ATC
    #: class), or `synonym` (any other name, a code or an id). Several drugs of a name or a synonym
    #: share it: which of them is meant cannot be told.
    by: str

    @property
    def is_ambiguous(self) -> bool:
        """Whether it cannot be told which of several drugs is meant."""
        return self.by != "class" and len(self.drugs) > 1

    def as_object(self) -> dict[str, object]:
        """What was understood, as members of an answer."""
        drugs = [drug._asdict() for drug in self.drugs]
        return {"asked": self.asked, "understood_as": self.by, "drugs": drugs}

    def has_drug(self, drug_id: pl.Expr) -> pl.Expr:
        """Whether a column of ids names one of these drugs."""
        ids = [drug.drug_id for drug in self.drugs]
        # Of a single id, Polars passes over the parts of a file that do not have it.
        return drug_id == ids[0] if len(ids) == 1 else drug_id.is_in(ids)


def find_drugs(asked: str, tables: Tables) -> Found:
    """Find the drugs that somebody means, as in the questions of `document.questions`.

    The drugs that are shown by a name go before those of a class, and these before those that have
    it as a synonym, code or id.

    Args:
        asked: any name, in any case, searched for or not; a code; an id of any scheme, with the
            name of the scheme before it or not; or the code of an ATC class.
        tables: the tables of a release.

    Raises:
        UnknownNameError: there is none.
    """
    wanted = fold_name(asked)
    folded = fold_names(tables)
    is_of_class = pl.lit(value=False)
    if re.fullmatch(ATC_CODE, wanted.upper()):
        codes = pl.col("atc_codes").list.eval(pl.element().str.starts_with(wanted.upper()))
        is_of_class = codes.list.any()
    is_shown = fold_text(without_marks(pl.col("drug"))) == wanted
    matching = (
        tables.table("drugs")
        .select(
            "drug_id",
            "drug",
            step=pl.when(is_shown)
            .then(pl.lit("name"))
            .when(is_of_class)
            .then(pl.lit("class"))
            .when(_is_called(wanted, folded))
            .then(pl.lit("synonym")),
        )
        .drop_nulls("step")
        .sort("drug", "drug_id")
        .collect()
    )
    for step in ("name", "class", "synonym"):
        drugs = [FoundDrug(*row) for row in matching.filter(step=step).drop("step").rows()]
        if drugs:
            return Found(asked, drugs, step)
    raise unknown_drug(asked, folded)


def fold_name(asked: str) -> str:
    """The form in which names of drugs are compared."""
    return fold_string(string_without_marks(clean_string(asked)))


def fold_names(tables: Tables) -> pl.DataFrame:
    """The names of all drugs: drug_id, name, searched, and folded (as names are compared)."""
    names = tables.table("drug_names").select("drug_id", "name", "searched")
    return names.with_columns(folded=fold_text(pl.col("name"))).collect()


def find_called(wanted: str, tables: Tables, folded: pl.DataFrame) -> pl.DataFrame:
    """The drugs that have a name, code or id: drug_id, drug, codes and xrefs, by shown name.

    Args:
        wanted: the name, as `fold_name` returns it.
        tables: the tables of a release.
        folded: the names of all drugs, with the columns of `fold_names`.
    """
    called = tables.table("drugs").filter(_is_called(wanted, folded))
    return called.select("drug_id", "drug", "codes", "xrefs").sort("drug", "drug_id").collect()


def _is_called(wanted: str, folded: pl.DataFrame) -> pl.Expr:
    """Whether a drug has a folded text as one of its names, a code or an id."""
    return (
        pl.col("drug_id").is_in(folded.filter(folded=wanted)["drug_id"].implode())
        | (fold_text(pl.col("drug_id")) == wanted)
        | _holds("codes", wanted)
        | _holds("xrefs", wanted)
    )


def _holds(column: str, wanted: str) -> pl.Expr:
    """Whether a list has a folded text, or an identifier of any scheme that is this."""
    folded = fold_text(pl.element())
    return (
        pl.col(column).list.eval((folded == wanted) | folded.str.ends_with(f":{wanted}")).list.any()
    )


def unknown_drug(asked: str, folded: pl.DataFrame) -> UnknownNameError:
    """The error for a drug that a release does not have.

    Args:
        asked: what was given.
        folded: the names of all drugs, with the columns of `fold_names`.
    """
    close = find_close_spellings(fold_name(asked), folded.filter("searched"))
    return UnknownNameError("drug of the release has the name, code or id", asked, close)


class FoundJournal(NamedTuple):
    """A journal of a release."""

    journal_id: str
    journal: str


def find_journals(asked: str, tables: Tables) -> list[FoundJournal]:
    """The journals of a name, an abbreviation, an ISSN or an NLM id, by shown name.

    Args:
        asked: any of these, in any case, as journals are compared (SPEC 2).
        tables: the tables of a release.

    Raises:
        UnknownNameError: there is none.
    """
    # With it come the declarations of all tables, whose loading takes as long as the answer.
    from drug_assets.cleaning.journals import compare_name

    journals = tables.table("journals").select("journal_id", "journal", "folded_names", "issns")
    folded_name = fold_string(clean_string(asked))
    wanted: str = pl.select(compare_name(pl.lit(folded_name))).item()
    is_meant = (
        pl.col("folded_names").list.contains(wanted)
        | pl.col("issns").list.contains(_WITHOUT_HYPHEN.sub(r"\1-\2", wanted.upper()))
        | (fold_text(pl.col("journal_id")) == wanted)
    )
    found = journals.filter(is_meant).select("journal_id", "journal")
    rows = found.sort("journal", "journal_id").collect().rows()
    if not rows:
        names = journals.select("folded_names", name="journal").explode("folded_names")
        folded = names.select("name", folded="folded_names").drop_nulls().collect()
        close = list(dict.fromkeys(find_close_spellings(wanted, folded)))
        raise UnknownNameError("journal of the release has the name or id", asked, close)
    return [FoundJournal(*row) for row in rows]


def find_close_spellings(wanted: str, names: pl.DataFrame) -> list[str]:
    """Up to five names that are spelled like a folded one, the most similar first.

    Args:
        wanted: the folded name.
        names: columns name (as it is shown) and folded.
    """
    pieces = {wanted[at : at + _PIECE] for at in range(max(1, len(wanted) - _PIECE + 1))}
    shared = pl.sum_horizontal(
        pl.col("folded").str.contains(piece, literal=True).cast(pl.Int32)
        for piece in sorted(pieces)
    )
    length = pl.col("folded").str.len_chars()
    alike = (
        names.select("name", "folded", shared=shared)
        .filter(pl.col("shared") > 0)
        .top_k(_COMPARED, by=pl.col("shared") / (length + len(wanted)))
        .sort("name", descending=True)  # of spellings that fold to one text, the first is shown
    )
    spellings = dict(alike.select("folded", "name").rows())
    return [spellings[each] for each in get_close_matches(wanted, spellings, _CLOSE_SPELLINGS)]
