"""What is filtered is saved as a spreadsheet or as CSV, however many rows are shown."""

from __future__ import annotations

import csv
import re
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

import openpyxl
import polars as pl
import pytest
from playwright.sync_api import expect

from drug_assets_tests.explorer import expected
from drug_assets_tests.explorer.views import Explorer, address
from drug_assets_tests.support import runs

if TYPE_CHECKING:
    from pathlib import Path

    from drug_assets_tests.explorer.conftest import Open
    from drug_assets_tests.support.runs import Run

DRUG = "acetylsalicylic acid"
#: Texts that a spreadsheet would compute, if they were not text.
FORMULAS = ("=1+1", "+1", "-1", "@SUM(1)", "\t=1", " =1+1", "=HYPERLINK(1)", "%1")
MANY = 130


@pytest.fixture(scope="module")
def dangerous_run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """A run on titles that begin like formulas, more of one drug than a page shows."""
    folder = tmp_path_factory.mktemp("dangerous")
    titles = [f'{FORMULAS[n % len(FORMULAS)]} of aspirin, "{n}"; or not' for n in range(MANY)]
    quoted = [title.replace('"', '""') for title in titles]
    rows = [f'{n},"{title}",{2000 + n % 20}-0{n % 9 + 1}-11,Jé' for n, title in enumerate(quoted)]
    rows += [f'{MANY},"{"long " * 8_000}aspirin",2001,"=1+1; a journal"']
    files = {
        "drugs.csv": "atccode,drug\nA01AD05,aspirin\n",
        "pubmed.csv": "\n".join(["id,title,date,journal", *rows]) + "\n",
    }
    run = runs.run(runs.landing_zone(folder / "landing", files), folder / "store")
    assert run.table("mentions").height == MANY + 1
    return run


def saved(explorer: Explorer, button: str, folder: Path) -> Path:
    """The file that a button saves."""
    with explorer.page.expect_download() as download:
        explorer.page.get_by_role("button", name=button).first.click()
    path = folder / download.value.suggested_filename
    download.value.save_as(path)
    return path


def sheet_of(path: Path) -> tuple[list[str], list[list[Any]]]:
    """Header and rows of the first sheet, as cells."""
    (sheet, *_) = openpyxl.load_workbook(path).worksheets
    header, *rows = sheet.iter_rows()
    return [str(cell.value) for cell in header], [list(row) for row in rows]


def lines_of(path: Path, separator: str = ",") -> list[dict[str, str]]:
    """Rows of a CSV file, which a spreadsheet must recognize as UTF-8."""
    data = path.read_bytes()
    assert data.startswith(b"\xef\xbb\xbf")
    assert data.count(b"\n") == data.count(b"\r\n")
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file, delimiter=separator, strict=True))


def test_a_spreadsheet_holds_what_is_filtered_with_dates_as_dates(
    sample_run: Run, explore: Open, tmp_path: Path
) -> None:
    mentions = expected.mentions_of(sample_run, DRUG)
    articles = mentions.filter(~pl.col("trial"))
    explorer = explore(address(drug=DRUG, type="pubmed"))
    explorer.evidence(articles.height)
    header, rows = sheet_of(saved(explorer, "Save as spreadsheet", tmp_path))
    title, id_, day = header.index("Title"), header.index("Id"), header.index("Date")
    assert [row[title].value for row in rows] == articles["title"].to_list()
    assert [row[id_].value for row in rows] == articles["publication_id"].to_list()
    for row, wanted, known in zip(rows, articles["date"], articles["date_precision"], strict=True):
        value = row[day].value
        if wanted is None:
            assert value is None
            continue
        assert isinstance(value, datetime)
        assert value.date() == wanted
        # No more of the date is shown than is known.
        assert ("d" in row[day].number_format) == (known == "day")
        assert ("m" in row[day].number_format) == (known != "year")


def test_a_csv_holds_the_same_rows(sample_run: Run, explore: Open, tmp_path: Path) -> None:
    mentions = expected.mentions_of(sample_run, DRUG)
    explorer = explore(address(drug=DRUG))
    explorer.evidence(mentions.height)
    lines = lines_of(saved(explorer, "Save as CSV", tmp_path))
    assert [line["Title"] for line in lines] == mentions["title"].to_list()
    assert [line["Id"] for line in lines] == mentions["publication_id"].to_list()
    for line, wanted in zip(lines, mentions["date"], strict=True):
        # As in exports, it is the first day of what is known; a column says what that is.
        assert line["Date"] == str(wanted or "")


def test_dates_are_those_of_the_exports(sample_run: Run, explore: Open, tmp_path: Path) -> None:
    """Both workbooks show as much of a date as is known, in the same way."""
    release = runs.current(sample_run.store)
    heads, exported = sheet_of(release / "exports" / "mentions.xlsx")
    columns = [heads.index(name) for name in ("publication_id", "date", "date_precision")]
    expected_dates = {
        row[columns[0]].value: [(row[n].value, row[n].number_format) for n in columns[1:]]
        for row in exported
        if row[heads.index("drug_id")].value == DRUG
    }
    precisions = {row[columns[2]].value for row in exported}
    assert precisions >= {"day", "month", "season", "year"}
    explorer = explore(address(drug=DRUG))
    explorer.evidence(len(expected_dates))
    header, rows = sheet_of(saved(explorer, "Save as spreadsheet", tmp_path))
    own = [header.index(name) for name in ("Id", "Date", "Date precision")]
    assert {
        row[own[0]].value: [(row[n].value, row[n].number_format.replace("\\", "")) for n in own[1:]]
        for row in rows
    } == expected_dates


def test_a_list_says_how_much_of_each_date_is_known(
    sample_run: Run, explore: Open, tmp_path: Path
) -> None:
    explorer = explore()
    expect(explorer.heading).to_be_visible()
    lines = {line["Drug"]: line for line in lines_of(saved(explorer, "Save as CSV", tmp_path))}
    for drug in expected.drugs(sample_run):
        dated = drug.mentions.drop_nulls("date").sort("date")
        firsts = dated.filter(pl.col("date") == dated["date"].min())["date_precision"].to_list()
        line = lines[drug.name]
        assert line["Since"] == str(dated["date"].min() or "")
        assert line["Since: Date precision"] in (firsts or [""])


def test_a_french_csv_has_semicolons(explore: Open, tmp_path: Path) -> None:
    explorer = explore(address(drug=DRUG, lang="fr"))
    expect(explorer.rows.first).to_be_visible()
    path = saved(explorer, "Enregistrer en CSV", tmp_path)
    lines = lines_of(path, ";")
    assert len(lines) == explorer.rows.count()
    assert all(None not in line for line in lines)
    assert "Titre" in lines[0]


def test_no_cell_of_a_spreadsheet_is_computed_and_all_rows_are_saved(
    dangerous_run: Run, explore: Open, tmp_path: Path
) -> None:
    explorer = explore(address(drug="aspirin"), of=dangerous_run)
    expect(explorer.rows.first).to_be_visible()
    shown = explorer.rows.count()
    assert 0 < shown < MANY
    header, rows = sheet_of(saved(explorer, "Save as spreadsheet", tmp_path))
    assert len(rows) == MANY + 1
    title = header.index("Title")
    told = [row[title].value for row in rows]
    assert {cell.data_type for row in rows for cell in row} <= {"s", "inlineStr", "d", "n"}
    mentions = next(expected.drugs(dangerous_run)).mentions
    assert [t[:30_000] for t in told] == [t[:30_000] for t in mentions["title"]]
    assert max(map(len, told)) == 32_767
    expect(explorer.page.get_by_text("1 text longer than the 32,767 characters")).to_be_visible()


def test_no_cell_of_a_csv_is_computed(dangerous_run: Run, explore: Open, tmp_path: Path) -> None:
    explorer = explore(address(drug="aspirin"), of=dangerous_run)
    expect(explorer.rows.first).to_be_visible()
    lines = lines_of(saved(explorer, "Save as CSV", tmp_path))
    mentions = next(expected.drugs(dangerous_run)).mentions
    assert len(lines) == MANY + 1
    for line, title in zip(lines, mentions["title"], strict=True):
        assert line["Title"].removeprefix("'")[:30_000] == title[:30_000]
        assert not any(re.match(r"\s*[=+\-@|%]", value or "") for value in line.values())


def test_lists_of_other_pages_are_saved_too(sample_run: Run, explore: Open, tmp_path: Path) -> None:
    explorer = explore()
    expect(explorer.heading).to_be_visible()
    _, rows = sheet_of(saved(explorer, "Save as spreadsheet", tmp_path))
    assert len(rows) >= sample_run.table("mentions")["drug_id"].n_unique()
    dates = [cell.value for row in rows for cell in row if isinstance(cell.value, datetime)]
    assert dates
    assert all(date(1990, 1, 1) < value.date() < date(2030, 1, 1) for value in dates)
