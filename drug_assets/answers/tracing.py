"""From a mention back to the landed rows that it was made from (SPEC 6).

A publication has the row that was kept and those that were merged into it; the name that its title
has stands in a list. All of them are as they landed.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, NamedTuple

import polars as pl

from drug_assets import sources
from drug_assets.answers.finding import find_drugs, fold_name
from drug_assets.answers.forms import Answer
from drug_assets.cleaning.name_marks import without_marks
from drug_assets.cleaning.text import fold_text
from drug_assets.errors import DrugAssetsError

if TYPE_CHECKING:
    import datetime as dt

    from drug_assets.answers import Tables
    from drug_assets.answers.finding import Found

#: What became of a row that was not merged into another one.
KEPT = "kept"
#: The columns of a publication that a trace shows.
_OF_PUBLICATION = (
    *("publication_id", "title", "journal", "date", "date_precision", "date_text", "issues"),
)


class NoMentionError(DrugAssetsError):
    """There is no such publication, or its title names none of the drugs."""


class TracedName(NamedTuple):
    """A name that a title has, as a list gives it."""

    #: The words of the title.
    text: str
    #: By what they were found: a word of `terms.SpanOrigin`.
    by: str
    #: The name in the list, its kind (`terms.NameKind`) and the file of the list, or of a variant
    #: the name that it is made from; None for what is no name.
    name: str | None = None
    kind: str | None = None
    source_file: str | None = None


class TracedDrug(NamedTuple):
    """A drug that a title names, and the names by which it does."""

    drug_id: str
    drug: str
    names: list[TracedName]


class TracedRow(NamedTuple):
    """A landed row that went into a publication."""

    source_file: str
    source_row: int
    #: `kept`, or the rule by which it was merged into the row that was kept (`terms.MergeRule`).
    became: str
    #: What the file was when it was read: its size and the hash of its bytes.
    size_bytes: int
    sha256: str | None
    #: The row as it landed: its fields that hold something.
    record: dict[str, Any]


class Trace(NamedTuple):
    """The landed rows behind the mention of a drug by a publication."""

    found: Found
    source: str
    publication_id: str
    title: str
    journal: str | None
    date: dt.date | None
    date_precision: str | None
    #: What stood in the date field.
    date_text: str | None
    issues: list[str]
    #: Of the drugs that were understood, those that the title names.
    drugs: list[TracedDrug]
    #: The row that was kept, then those that were merged into it.
    rows: list[TracedRow]

    def as_answer(self) -> Answer:
        """The answer in the form that JSON and CSV are written from; a record is a text of JSON."""
        named = [
            {**drug._asdict(), "names": [name._asdict() for name in drug.names]}
            for drug in self.drugs
        ]
        head = {
            **self.found.as_object(),
            **{member: getattr(self, member) for member in ("source", *_OF_PUBLICATION)},
            "drugs": named,
        }
        records = [json.dumps(row.record, ensure_ascii=False) for row in self.rows]
        columns = ("source_file", "source_row", "became", "size_bytes", "sha256")
        rows = pl.DataFrame(
            [[getattr(row, column) for column in columns] for row in self.rows],
            {
                "source_file": pl.String,
                "source_row": pl.Int64,
                "became": pl.String,
                "size_bytes": pl.Int64,
                "sha256": pl.String,
            },
            orient="row",
        )
        return Answer(head, "rows", rows.with_columns(record=pl.Series(records, dtype=pl.String)))


def trace_mention(asked: str, source: str, publication_id: str, tables: Tables) -> Trace:
    """Trace the mention of a drug by a publication to the rows that landed.

    Args:
        asked: any name, code or id of the drug, or the code of an ATC class.
        source: the name of the source of the publication.
        publication_id: its id, in any form in which the source can give it.
        tables: the tables of a release.

    Raises:
        UnknownNameError: there is no such drug.
        NoMentionError: there is no such publication, or its title names none of the drugs.
    """
    found = find_drugs(asked, tables)
    publication = _find_publication(source, publication_id, tables)
    id_ = publication["publication_id"]
    named = (
        tables.table("mentions")
        .filter(source=source, publication_id=id_)
        .select("drug_id", "drug", "spans")
        .sort("drug", "drug_id")
        .collect()
    )
    meant = named.filter(found.has_drug(pl.col("drug_id")))
    if meant.is_empty():
        drugs = ", ".join(named["drug"]) or "no drug"
        raise NoMentionError(
            f"the title of {id_} of {source} does not name {asked!r}; it names {drugs}"
        )
    return Trace(
        found,
        source,
        **{column: publication[column] for column in _OF_PUBLICATION},
        drugs=[_trace_names(row, tables) for row in meant.iter_rows(named=True)],
        rows=_trace_rows(source, publication, tables),
    )


def _find_publication(source: str, asked: str, tables: Tables) -> dict[str, Any]:
    """The row of a publication in the table of its source.

    Raises:
        NoMentionError: there is none.
    """
    (own,) = (one for one in sources.PUBLICATIONS if one.name == source)
    in_one_form = pl.select(own.canonical_id(pl.lit(asked))).item()
    found = (
        tables.table(source)
        .filter(pl.col("publication_id").is_in({asked, in_one_form or asked}))
        .select(*_OF_PUBLICATION, "source_file", "source_row")
        # As it was given goes before the form that it would have.
        .sort(pl.col("publication_id") != asked)
        .head(1)
        .collect()
    )
    if found.is_empty():
        raise NoMentionError(f"{source} has no publication {asked!r} in the release")
    return found.row(0, named=True)


def _trace_names(mention: dict[str, Any], tables: Tables) -> TracedDrug:
    """The names of a drug that a title has."""
    folded = fold_text(without_marks(pl.col("name")))
    of_drug = (
        tables.table("drug_names")
        .filter(pl.col("drug_id") == mention["drug_id"], pl.col("searched"))
        .select("name", "kind", "source_file", folded=folded)
        .sort("source_file", "kind", "name")
        .collect()
    )
    traced: list[TracedName] = []
    for text, by in dict.fromkeys((span["text"], span["by"]) for span in mention["spans"]):
        rows = of_drug.filter(folded=fold_name(text)).drop("folded").rows()
        traced += [TracedName(text, by, *row) for row in rows] or [TracedName(text, by)]
    return TracedDrug(mention["drug_id"], mention["drug"], traced)


def _trace_rows(source: str, publication: dict[str, Any], tables: Tables) -> list[TracedRow]:
    """The landed rows of a publication: the kept one first, the others by file and row."""
    merged = (
        tables.table(f"merged_{source}")
        .filter(merged_into=publication["publication_id"])
        .select("source_file", "source_row", became="rule")
        .sort("source_file", "source_row")
        .collect()
    )
    kept = (publication["source_file"], publication["source_row"], KEPT)
    places: list[tuple[str, int, str]] = [kept, *merged.rows()]
    files = list(dict.fromkeys(file for file, _, _ in places))
    landed = tables.table("landed_files").filter(pl.col("source_file").is_in(files))
    notes = {
        file: (size, sha256)
        for file, size, sha256 in landed.select("source_file", "size_bytes", "sha256")
        .collect()
        .rows()
    }
    records: dict[tuple[str, int], dict[str, Any]] = {}
    for file in files:
        wanted = [row for other, row, _ in places if other == file]
        with tables.rows_of_file(f"raw_{source}", file) as raw:
            landed_rows = raw.filter(pl.col("source_row").is_in(wanted)).collect()
        for row in landed_rows.iter_rows(named=True):
            key = row.pop("source_file"), row.pop("source_row")
            records[key] = {field: value for field, value in row.items() if value}
    return [
        TracedRow(file, row, became, *notes[file], records[file, row])
        for file, row, became in places
    ]
