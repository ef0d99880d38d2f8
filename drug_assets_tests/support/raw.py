"""Tables for tests: raw ones from dicts, random ones full of near-duplicates, published ones."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import polars as pl
from hypothesis import strategies as st

from drug_assets import contracts, sources
from drug_assets.formats.pubmed_xml import DELETED
from drug_assets.sources.tables import TABLES
from drug_assets_tests.support.registry import CLINICAL_TRIALS, DRUGS, PUBMED

if TYPE_CHECKING:
    from collections.abc import Mapping

    from drug_assets.contracts import Contract
    from drug_assets.sources import Source

Row = dict[str, Any]


def raw_rows(source: Source, *rows: Mapping[str, Any]) -> pl.LazyFrame:
    """Raw rows of a source; fields not given are null, rows count up within their file.

    A row may name its `source_file` and `source_row`; both have defaults.
    """
    heights: dict[str, int] = {}
    records = []
    for row in rows:
        file = row.get("source_file", f"{source.name}.csv")
        heights[file] = row.get("source_row", heights.get(file, 0) + 1)
        bookkeeping = {"source_file": file, "source_row": heights[file], "read_issues": []}
        records.append({**bookkeeping, **row})
    return table(f"raw_{source.name}", *records)


def table(name: str, *rows: Mapping[str, Any]) -> pl.LazyFrame:
    """Rows of any table of the contracts; fields not given are null."""
    schema = contracts.polars_schema(TABLES[name].contract)
    unknown = {field for row in rows for field in row} - set(schema)
    if unknown:
        raise ValueError(f"{name} has no column {', '.join(sorted(unknown))}")
    return pl.DataFrame(rows, schema=schema).lazy()


def held_to(contract: Contract, rows: pl.LazyFrame | pl.DataFrame) -> pl.DataFrame:
    """The rows of a table; they have the columns of its contract, in order, and keep its rules."""
    # A contract checks a lazy frame only when what it returns is collected.
    collected = rows.lazy().collect()
    assert collected.schema == contracts.polars_schema(contract)
    if not contract.is_valid(collected):
        contract.validate(collected)  # says which rule is broken, and takes longer
    return collected


def drug_rows(*rows: Mapping[str, Any]) -> pl.LazyFrame:
    """Raw rows of a drug list."""
    return raw_rows(DRUGS, *rows)


def pubmed_rows(*rows: Mapping[str, Any]) -> pl.LazyFrame:
    """Raw PubMed rows."""
    return raw_rows(PUBMED, *rows)


def trial_rows(*rows: Mapping[str, Any]) -> pl.LazyFrame:
    """Raw clinical trial rows; `title` stands for `scientific_title`."""
    return raw_rows(
        CLINICAL_TRIALS,
        *({("scientific_title" if k == "title" else k): v for k, v in row.items()} for row in rows),
    )


def make_records(source: Source, raw: pl.LazyFrame) -> pl.LazyFrame:
    """Raw rows, each cleaned by itself; once, however often they are read, as in a store."""
    return source.clean_records(raw).collect().lazy()


def records_of(raw: Mapping[str, pl.LazyFrame]) -> dict[str, pl.LazyFrame]:
    """Raw rows cleaned each by itself, by the name of their source."""
    return {s.name: make_records(s, raw[s.name]) for s in sources.ALL if s.name in raw}


def key(row: Mapping[str, Any]) -> tuple[str, int]:
    """The file of a raw row, and its place in it."""
    return row["source_file"], row["source_row"]


def listed_drug(name: str, **fields: Any) -> Row:
    """A row of `drugs`."""
    return {
        "drug_id": name.casefold(),
        "drug": name,
        "names": [name],
        "codes": [],
        "atc_codes": [],
        "forms": [],
        "xrefs": [],
        "issues": [],
        **fields,
    }


def mention(drug: str, publication_id: str = "1", source: str = "pubmed", **fields: Any) -> Row:
    """A row of `mentions`; its title and spans spell the drug, unless told otherwise."""
    title = fields.get("title", f"On {drug}.")
    spans = [
        {"start": found.start(), "end": found.end(), "text": found.group(), "by": "name"}
        for found in re.finditer(re.escape(drug), title)
    ]
    return {
        "drug_id": drug.casefold(),
        "source": source,
        "publication_id": publication_id,
        "drug": drug,
        "title": title,
        "spans": spans,
        "ambiguous": False,
        **fields,
    }


def trial_publication(trial_id: str, publication_id: str = "1", **fields: Any) -> Row:
    """A row of `trial_publications`: a trial says that an article reports its results."""
    return {
        "trial_id": trial_id,
        "publication_id": publication_id,
        "trial_source": "clinical_trials",
        "source": "pubmed",
        "kind": "result",
        "given_by": "trial",
        "trial_in_store": True,
        "publication_in_store": True,
        "title": "On results.",
        **fields,
    }


#: Natural order is not alphabetical order: 9 is delivered before 10.
_FILES = ("x/{}_10.csv", "x/{}_9.csv", "{}.json")
_BLANKS = (None, "", " \t")


def _one_of(*values: str) -> st.SearchStrategy[str | None]:
    """One of a few values, null or blank."""
    return st.sampled_from([*values, *values, *_BLANKS])


def drug_tables() -> st.SearchStrategy[list[Row]]:
    """Rows of drug lists of few names, identifiers and codes."""
    return _tables(
        DRUGS,
        id=st.sampled_from([None, None, None, "", "1", "2", "3", "beta"]),
        drug=_one_of("Alpha", "ALPHA", "alphá", "Beta", " beta", "Gamma", "(+)"),
        atccode=_one_of("A04AD", "R01A", "6302001", "A04AD|V03AB", "a01"),
        synonyms=_one_of("Beta", "al|ga", "|", "+"),
    )


def publication_tables(source: Source) -> st.SearchStrategy[list[Row]]:
    """Rows of few ids, titles, dates and journals, so that most of them are near-duplicates."""
    titles = st.sampled_from(["On beta", "on  béta", "On gamma", "On gamma"] * 2 + [*_BLANKS])
    own: dict[str, st.SearchStrategy[str | None]]
    if source is CLINICAL_TRIALS:
        brief = st.sampled_from([None, None, "On beta", "On delta"])
        own = {"scientific_title": titles, "brief_title": brief}
    else:
        own = {
            "title": titles,
            "version": st.sampled_from([None, None, None, "1", "2", "x"]),
            "citation_status": st.sampled_from([None] * 9 + [DELETED]),
            "publication_types": st.sampled_from([None, None, "Journal Article|Letter"]),
        }
    return _tables(
        source,
        **own,
        id=_one_of("1", "2", " 1 ", "3"),
        date=st.sampled_from(
            ["2020-01-01", "01/01/2020", "2020", "1 January 2020", "13/13/2020", "soon", None, ""]
        ),
        journal=_one_of("Lancet", "the lancet", "LANCET.", "Nature", "Náture "),
        nlm_id=st.sampled_from([None] * 8 + ["7", "8"]),
        issn=st.sampled_from([None] * 8 + ["1234-5679", "12345679", "2041-172X", "none"]),
    )


@st.composite
def _tables(draw: st.DrawFn, /, source: Source, **fields: st.SearchStrategy[Any]) -> list[Row]:
    """Rows of these fields, spread over a few files."""
    rows = draw(st.lists(st.fixed_dictionaries(fields), max_size=24))
    files = [name.format(source.name) for name in _FILES]
    heights = dict.fromkeys(files, 0)
    for row in rows:
        row["source_file"] = draw(st.sampled_from(files))
        heights[row["source_file"]] += 1
        row["source_row"] = heights[row["source_file"]]
    return rows
