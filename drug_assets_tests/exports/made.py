"""Tables to export, and their export, for the tests of every format."""

from __future__ import annotations

import io
from datetime import date
from typing import TYPE_CHECKING, Any

import polars as pl

from drug_assets import contracts, sources
from drug_assets.exports import Request, Tables
from drug_assets.sources.tables import TABLES

if TYPE_CHECKING:
    from collections.abc import Iterable

ARTICLE, TRIAL = (source.name for source in sources.PUBLICATIONS)
#: Texts that mean something to XML, JSON, CSV or a spreadsheet, and characters that XML forbids.
HOSTILE = (
    "</data><script>\"&'",
    "]]>&amp;",
    "a\x01b\x0bc\ufffe",
    "tab\there\nand\rthere",
    '=HYPERLINK("http://example.org","x")',
    " +1",
    "-308 TNF",
    "@SUM(A1)",
    "|calc",
    'a, b; "c"',
    '","date":null,"x":"',
    "_x0041_ é 𝔘 \u2028",
    "'quoted'",
    "\\",
)


def mention(drug: str, publication: str, **given: Any) -> dict[str, Any]:
    """A mention as a row of `mentions`, of an article unless `source` says otherwise.

    Args:
        drug: id and name of the drug.
        publication: id of the publication.
        given: values of other columns.
    """
    title = given.pop("title", f"{drug} in rats")
    return {
        "drug_id": drug.lower(),
        "source": ARTICLE,
        "publication_id": publication,
        "drug": drug,
        "title": title,
        "journal": "Journal of Tests",
        "journal_id": "journal of tests",
        "date": date(2020, 5, 17),
        "date_precision": "day",
        "retracted": None,
        "spans": [{"start": 0, "end": len(drug), "text": drug, "by": "name"}],
        "ambiguous": False,
        **given,
    }


#: Two drugs in three publications of two journals and one without a journal; dates of every kind.
MENTIONS = (
    mention("Alphazine", "1", retracted=True),
    mention("Betanol", "1", retracted=True, ambiguous=True),
    mention("Alphazine", "2", date=date(2003, 1, 1), date_precision="year", retracted=False),
    mention("Alphazine", "T1", source=TRIAL, journal="Revue d’essais", journal_id="0255562"),
    mention("Betanol", "3", journal=None, journal_id=None, date=None, date_precision=None),
)


def tables(mentions: Iterable[dict[str, Any]] = MENTIONS) -> Tables:
    """The tables with these mentions, and the drugs that they name, each with two codes."""
    contract = TABLES["mentions"].contract
    rows = pl.DataFrame(list(mentions), schema=contracts.polars_schema(contract), orient="row")
    rows = rows.sort("drug_id", "source", "publication_id")
    drugs = (
        rows.select("drug_id", "drug")
        .unique("drug_id")
        .with_columns(atc_codes=pl.lit(["A01AA01", "A02BC01"]))
    )
    return Tables(rows.lazy(), drugs.lazy())


def export(name: str, of: Tables | None = None) -> bytes:
    """The bytes of a file by its name, such as `journals.gexf`."""
    file = io.BytesIO()
    Request.parse(name).write(of or tables(), file)
    return file.getvalue()


def hostile() -> Tables:
    """Tables in which every text is hostile somewhere."""
    rows = []
    for number, text in enumerate(HOSTILE):
        rows.append(
            mention(
                f"D{number}{text}",
                f"{number}{text}",
                title=text,
                journal=f"J{text}",
                journal_id=f"{text} -> {number}",
                spans=[{"start": 0, "end": 1, "text": text, "by": "ion"}],
            )
        )
    return tables(rows)


def strip(text: str) -> str:
    """A text without the characters that XML forbids."""
    return "".join(c for c in text if c in "\t\n\r" or (c >= " " and c not in "\ufffe\uffff"))
