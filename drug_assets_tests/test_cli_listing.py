"""`drug-assets mentions`, `drugs`, `journals`: what they print, in each form, and how they end."""

from __future__ import annotations

import csv
import io
import json
import os
import shutil
from typing import TYPE_CHECKING, Any

import polars as pl
import pytest
from click.testing import CliRunner

from drug_assets.cli import listing, main
from drug_assets.cli.listing_report import as_table
from drug_assets.document import questions
from drug_assets_tests.support import runs

if TYPE_CHECKING:
    from pathlib import Path

    from click.testing import Result

pytestmark = pytest.mark.xdist_group("sample")


@pytest.fixture(autouse=True)
def no_settings_of_the_machine(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Every test stands in an empty folder, without variables of ours."""
    for variable in [name for name in os.environ if name.startswith("DRUG_ASSETS_")]:
        monkeypatch.delenv(variable)
    monkeypatch.chdir(tmp_path)


def asked(*arguments: str | Path) -> Result:
    """What the command does; an exception that is no exit is the test's failure."""
    result = CliRunner().invoke(main, [*map(str, arguments)])
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result


def told(*arguments: str | Path) -> list[str]:
    result = asked(*arguments)
    assert result.exit_code == 0, result.stderr
    return result.stdout.splitlines()


def as_object(*arguments: str | Path) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(asked(*arguments, "--json").stdout)
    return document


def as_rows(*arguments: str | Path) -> list[dict[str, str]]:
    text = asked(*arguments, "--csv").stdout_bytes.decode("utf-8-sig")
    return list(csv.DictReader(io.StringIO(text, newline="")))


def test_mentions_as_text(sample_run: runs.Run) -> None:
    lines = told("mentions", "Adrenaline", "--store", sample_run.store, "--since", "2010")
    assert lines[0] == ("epinephrine (Adrenaline): 4 mentions since 2010-01-01, in 2 journals")
    assert lines[1].split() == ["date", "source", "id", "journal", "title", "notes"]
    assert lines[2].startswith("2024-02-29  pubmed           90000067")
    assert lines[-1] == (
        "Of these, 0 may lie outside, as far as their date is known; "
        "left out: 2 outside, 0 without a date"
    )
    assert len(lines) == 7


def test_mentions_as_json_and_csv_are_the_same_rows(sample_run: runs.Run) -> None:
    question = ("mentions", "aspirin", "--store", sample_run.store)
    document = as_object(*question)
    assert document["drugs"] == [
        {"drug_id": "acetylsalicylic acid", "drug": "acetylsalicylic acid"}
    ]
    rows = as_rows(*question)
    assert len(rows) == len(document["rows"]) == document["mentions"]
    for row, whole in zip(rows, document["rows"], strict=True):
        assert row["publication_id"] == whole["publication_id"]
        assert row["spans"] == "; ".join(span["text"] for span in whole["spans"])
    assert len(as_rows(*question, "--limit", "2")) == len(
        as_object(*question, "--limit", "2")["rows"]
    )


@pytest.mark.slow
def test_of_every_drug_the_mentions_are_those_of_the_graph(sample_run: runs.Run) -> None:
    graph = {drug["drug_id"]: drug for drug in json.loads(sample_run.graph.read_text("utf-8"))}
    listed = {
        row["drug_id"]: row for row in as_object("drugs", "--store", sample_run.store)["rows"]
    }
    assert set(listed) == set(graph)
    for drug_id, drug in graph.items():
        answer = as_object("mentions", drug["drug"], "--store", sample_run.store)
        expected = {(m["type"], m["id"], m["title"], m["date"]) for m in drug["mentions"]}
        types = {"pubmed": "pubmed", "clinical_trials": "clinical_trial"}
        rows = {
            (types[row["source"]], row["publication_id"], row["title"], row["date"])
            for row in answer["rows"]
        }
        assert rows == expected
        assert answer["mentions"] == listed[drug_id]["mentions"] == len(expected)
        assert answer["journals"] == listed[drug_id]["journals"] == len(drug["journals"])


def test_journals_agree_with_the_top_journals(sample_run: runs.Run) -> None:
    rows = as_object("journals", "--store", sample_run.store)["rows"]
    for top, row in zip(questions.top_journals(sample_run.graph), rows, strict=False):
        assert (row["journal"], row["drugs"], row["mentions"]) == (
            top.journal,
            top.drug_count,
            top.mentions,
        )


def test_drugs_and_journals_as_text(sample_run: runs.Run) -> None:
    drugs = told("drugs", "--store", sample_run.store, "--limit", "3")
    assert drugs[0] == "36 drugs, 34 of them mentioned"
    assert drugs[-1] == "and 33 more drugs (--limit 0 lists all)"
    assert len(drugs) == 6
    journals = told("journals", "--store", sample_run.store, "--sort", "name")
    assert len(journals) == 2 + 14
    assert journals[2].startswith("Acta Exempli Pharmaceutica ")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("mentions", "x", "--since", "yesterday"), "since 'yesterday' is no day (2003-05-12)"),
        (("mentions", "x", "--since", "2004", "--until", "2003"), "ends (2003) before it begins"),
        (("drugs", "--json", "--csv"), "choose one"),
        (("journals", "--sort", "size"), "Invalid value for '--sort'"),
        (("mentions", "x", "--source", "drugs"), "Invalid value for '--source'"),
        (("drugs", "--limit", "-1"), "Invalid value for '--limit'"),
        (("drugs", "--release", "x"), "there is no release x"),
    ],
)
def test_wrong_usage_ends_with_two(
    sample_run: runs.Run, arguments: tuple[str, ...], message: str
) -> None:
    result = asked(*arguments, "--store", sample_run.store)
    assert (result.exit_code, result.stdout) == (2, "")
    assert message in result.stderr


def test_an_unknown_drug_or_journal_ends_with_one(sample_run: runs.Run) -> None:
    for arguments, close in (
        (("adrenalinne",), "close spellings: adrenaline"),
        (("adrenaline", "--journal", "placebo leters"), "close spellings: The Placebo Letters"),
    ):
        result = asked("mentions", *arguments, "--store", sample_run.store)
        assert (result.exit_code, result.stdout) == (1, "")
        assert close in result.stderr


def test_without_a_release_it_says_what_to_do(tmp_path: Path) -> None:
    for command in (["mentions", "x"], ["drugs"], ["journals"]):
        result = asked(*command, "--store", tmp_path)
        assert result.exit_code == 2
        assert "run `drug-assets run`" in result.stderr


def test_a_terminal_shows_a_screenful_that_fits_it(
    sample_run: runs.Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(listing, "_ROWS_IN_TERMINAL", 4)
    monkeypatch.setattr(listing, "_is_terminal", lambda: True)
    monkeypatch.setattr(shutil, "get_terminal_size", lambda: os.terminal_size((80, 24)))
    lines = told("mentions", "aspirin", "--store", sample_run.store)
    assert lines[-1] == "and 3 more mentions (--limit 0 lists all)"
    assert all(len(line) <= 80 for line in lines)
    assert any("…" in line for line in lines)
    assert len(as_rows("mentions", "aspirin", "--store", sample_run.store)) == 7


def test_names_are_shown_and_not_obeyed(sample_run: runs.Run, tmp_path: Path) -> None:
    store = runs.copy(sample_run.store, tmp_path / "store")
    for table, column in (("mentions", "title"), ("drugs", "drug"), ("journals", "journal")):
        path = runs.current(store) / f"{table}.parquet"
        hostile = pl.read_parquet(path).with_columns(pl.lit("=\x1b[2J\u202eX").alias(column))
        path.unlink()
        hostile.write_parquet(path)
    for command in (["mentions", "aspirin"], ["drugs"], ["journals"]):
        text = asked(*command, "--store", store).stdout
        assert not set(text) & set("\x1b\u202e")
        assert "=\\x1b[2J\\u202eX" in text
        assert not set(asked(*command, "--json", "--store", store).stdout) & set("\x1b\u202e")
        cells = [cell for row in as_rows(*command, "--store", store) for cell in row.values()]
        assert "'=\x1b[2J\u202eX" in cells
        assert not any(cell.startswith("=") for cell in cells)


def test_a_table_fits_and_is_aligned() -> None:
    rows = [["1,200", "a" * 30, "漢字"], ["7", "b", "x"]]
    assert list(as_table(["n", "text", "wide"], rows, 34, narrow=("text",))) == [
        "    n  text                   wide",
        f"1,200  {'a' * 20}…  漢字",
        f"    7  b{' ' * 20}  x",
    ]
    assert list(as_table(["n"], [], None)) == []
    # No cell gets so narrow that it says nothing.
    assert "…" in next(iter(list(as_table(["text"], [["a" * 30]], 3, narrow=("text",)))[1:]))
