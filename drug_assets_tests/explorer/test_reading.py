"""A page that is read again, and the check that compares it with the tables."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from drug_assets import audit, graph
from drug_assets.explorer.reading import NotAPageError, read_page
from drug_assets_tests.support.pages import Page, write
from drug_assets_tests.support.raw import Row, listed_drug, mention, table

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

DRUGS = [listed_drug("Alpha"), listed_drug("Beta"), listed_drug("Idle")]
MENTIONS = [
    mention("Alpha", "1", journal="A", journal_id="a"),
    mention("Alpha", "NCT1", "clinical_trials", journal="A", journal_id="a"),
    mention("Beta", "1", journal="A", journal_id="a"),
    mention("Beta", "2", journal="B", journal_id="b"),
    mention("Beta", "3"),
]


def written(folder: Path, made: Page) -> Path:
    path = folder / "explorer.html"
    path.write_text(made.html, encoding="utf-8", newline="")
    return path


def finding(
    folder: Path,
    made: Page,
    beside: list[str] | None = None,
    drugs: list[Row] = DRUGS,
    mentions: list[Row] = MENTIONS,
) -> audit.Finding:
    found = table("mentions", *mentions)
    return audit.page_equals_tables(
        written(folder, made),
        list(made.beside) if beside is None else beside,
        table("drugs", *drugs),
        found,
        graph.count_journal_drugs(found),
    )


@pytest.mark.parametrize("limits", [{}, {"most_bytes": 0, "shard_bytes": 200}])
def test_a_page_is_read_with_the_names_of_its_blocks(
    tmp_path: Path, limits: dict[str, int]
) -> None:
    made = write({"drugs": DRUGS, "mentions": MENTIONS}, None, **limits)
    read = read_page(written(tmp_path, made))
    assert read.index == made.index
    assert sorted(read.blocks) == sorted(made.packed().keys() - {"index"})
    assert {file for file in read.blocks.values() if file} == set(made.beside)
    assert finding(tmp_path, made).passed
    assert (
        finding(tmp_path, made).summary
        == "0 drugs differ from the tables; 0 journals differ from the tables"
    )


def without_a_block(html: str) -> str:
    return "".join(line for line in html.splitlines(keepends=True) if 'id="x0"' not in line)


@pytest.mark.parametrize(
    ("damage", "told"),
    [
        (lambda html: html.replace('id="index">', 'id="index">x'), "its index is damaged"),
        (lambda html: html.replace('id="index">H4sI', 'id="index">H4sJ'), "its index is damaged"),
        (lambda html: html.replace('id="index"', 'id="other"'), "there is no index"),
        (lambda _: "", "there is no index"),
        (lambda html: html[: html.index('id="x0"') + 40], "block x0 has no end"),
    ],
)
def test_a_damaged_page_is_told_with_what_is_wrong(
    tmp_path: Path, damage: Callable[[str], str], told: str
) -> None:
    made = Page(damage(write({"drugs": DRUGS, "mentions": MENTIONS}).html))
    with pytest.raises(NotAPageError, match=told):
        read_page(written(tmp_path, made))
    assert not finding(tmp_path, made).passed
    assert told in finding(tmp_path, made).summary


def test_a_page_that_lacks_a_block_or_a_file_does_not_equal_the_tables(tmp_path: Path) -> None:
    made = write({"drugs": DRUGS, "mentions": MENTIONS})
    found = finding(tmp_path, Page(without_a_block(made.html)))
    assert not found.passed
    assert found.summary.endswith("1 block missing: x0")
    cut = write({"drugs": DRUGS, "mentions": MENTIONS}, None, most_bytes=0, shard_bytes=200)
    assert cut.beside
    for file in cut.beside:
        others = [name for name in cut.beside if name != file]
        assert not finding(tmp_path, cut, others).passed


@pytest.mark.parametrize(
    "change",
    [
        {"mentions": MENTIONS[1:]},
        {"mentions": [*MENTIONS, mention("Beta", "4", journal="B", journal_id="b")]},
        {"mentions": [*MENTIONS[:-1], mention("Idle", "3")]},
        {"mentions": [*MENTIONS[:-1], mention("Beta", "3", journal="B", journal_id="b")]},
        {"mentions": [*MENTIONS[:-1], mention("Beta", "3", "clinical_trials")]},
        {"drugs": DRUGS[:-1]},
    ],
    ids=["gone", "more", "another drug", "another journal", "another type", "a drug less"],
)
def test_a_page_of_other_tables_does_not_equal_them(tmp_path: Path, change: dict[str, Any]) -> None:
    made = write({"drugs": DRUGS, "mentions": MENTIONS})
    assert not finding(tmp_path, made, **change).passed


def test_a_page_of_nothing_equals_no_tables(tmp_path: Path) -> None:
    assert finding(tmp_path, write({}), drugs=[], mentions=[]).passed
