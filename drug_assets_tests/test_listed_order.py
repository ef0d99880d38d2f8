"""Wherever mentions are listed, those of one day come in the order of the sources."""

from __future__ import annotations

import json
import re
from datetime import date
from typing import TYPE_CHECKING

import polars as pl
import pytest

from drug_assets import news, sources
from drug_assets.answers.mentions import list_mentions
from drug_assets.cli.compared import Compared, Side
from drug_assets.document.writing import write_lines
from drug_assets.exports import Of, Tables
from drug_assets.exports.parts import Sheet
from drug_assets.news_report import TEXT
from drug_assets_tests.support import pages
from drug_assets_tests.support.raw import listed_drug, mention, table
from drug_assets_tests.support.tables import TablesInMemory

if TYPE_CHECKING:
    from collections.abc import Callable

#: The order of the sources is not that of their names: by name, trials would come first.
IN_ORDER = [(s.document_type, f"{s.name} {n}") for s in sources.PUBLICATIONS for n in (1, 2)]
JOURNAL = {"journal": "Acta", "journal_id": "acta"}
MENTIONS = [
    mention("Beta", f"{source.name} {n}", source.name, date=date(2020, 5, 17))
    | {"date_precision": "day", **JOURNAL}
    for n in (2, 1)
    for source in reversed(sources.PUBLICATIONS)
]
DRUGS = [listed_drug("Beta")]
Listed = list[tuple[str, str]]


def in_lists() -> Listed:
    names = [{"drug_id": "beta", "name": "Beta", "source_file": "d.csv", "searched": True}]
    tables = TablesInMemory(
        mentions=table("mentions", *MENTIONS).collect(),
        drugs=table("drugs", *DRUGS).collect(),
        drug_names=table("drug_names", *names).collect(),
    )
    rows = list_mentions("beta", tables).rows.select("source", "publication_id").rows()
    return [(types()[source], id_) for source, id_ in rows]


def in_exports() -> Listed:
    tables = Tables(table("mentions", *MENTIONS), table("drugs", *DRUGS))
    (rows,) = Sheet(Of.MENTIONS, tables).rows()
    return rows.select("type", "publication_id").rows()


def in_the_page() -> Listed:
    page = pages.write({"drugs": DRUGS, "mentions": MENTIONS})
    names = [kind["type"] for kind in page.index["types"]]
    return [(names[row["t"]], row["i"]) for row in page.mentions()]


def in_the_document() -> Listed:
    nothing = table("trial_publications")
    lines = write_lines(table("drugs", *DRUGS), table("mentions", *MENTIONS), nothing)
    (drug,) = json.loads(b"\n".join(lines))
    assert drug["journals"][0]["mentions"] == [
        {key: of[key] for key in ("date", "type", "id", "retracted")} for of in drug["mentions"]
    ]
    return [(of["type"], of["id"]) for of in drug["mentions"]]


def in_what_is_new() -> Listed:
    columns = news.State(table("mentions"), table("drugs")).mentions.collect_schema().names()
    before, now = (
        news.State(table("mentions", *rows).select(columns), table("drugs", *DRUGS))
        for rows in ([], MENTIONS)
    )
    compared = Compared(
        Side("old", before),
        Side("new", now),
        news.find_new_mentions(before, now).collect(),
        news.find_changed_names(before, now).collect(),
    )
    lines = "\n".join(compared.as_lines(TEXT, None))
    added = lines.partition("\n\n")[2]
    return [
        (types()[name], f"{name} {n}") for name, _, n in re.findall(r"(\w+) (\w+) (\d):", added)
    ]


def types() -> dict[str, str]:
    return {source.name: source.document_type for source in sources.PUBLICATIONS}


@pytest.mark.parametrize(
    "listed", [in_lists, in_exports, in_the_page, in_the_document, in_what_is_new]
)
def test_mentions_of_one_day_come_in_the_order_of_sources(listed: Callable[[], Listed]) -> None:
    assert sorted(IN_ORDER) != IN_ORDER
    assert listed() == IN_ORDER


def test_the_first_of_one_day_in_a_journal_is_that_of_the_first_source() -> None:
    before = news.State(table("mentions"), table("drugs", *DRUGS))
    now = news.State(table("mentions", *MENTIONS), table("drugs", *DRUGS))
    found = news.find_new_mentions(before, now).filter("first_in_journal").collect()
    assert found["publication_id"].to_list() == [IN_ORDER[0][1]]


def test_a_source_that_is_no_more_comes_last() -> None:
    names = pl.Series(["former", *(source.name for source in reversed(sources.PUBLICATIONS))])
    ranked = pl.DataFrame({"source": names}).sort(sources.rank_sources(pl.col("source")))
    assert ranked["source"].to_list() == [*(s.name for s in sources.PUBLICATIONS), "former"]
