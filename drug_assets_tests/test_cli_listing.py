"""`drug-assets mentions`, `drugs`, `journals`: what they print, in each form, and how they end."""

from __future__ import annotations

import csv
import gzip
import io
import json
import shutil
from typing import TYPE_CHECKING

import polars as pl
import pytest

from drug_assets.cli import common
from drug_assets.cli.listing_report import as_table
from drug_assets.document import questions
from drug_assets_tests.support import runs
from drug_assets_tests.support.commands import as_object, asked, told

if TYPE_CHECKING:
    from pathlib import Path

    from drug_assets_tests.support.emulators import GcsEmulator

pytestmark = [
    pytest.mark.xdist_group("runs"),
    pytest.mark.usefixtures("no_settings_of_the_machine"),
]


def as_rows(*arguments: str | Path) -> list[dict[str, str]]:
    text = asked(*arguments, "--csv").stdout_bytes.decode("utf-8-sig")
    return list(csv.DictReader(io.StringIO(text, newline="")))


def test_mentions_as_text(sample_run: runs.Run) -> None:
    lines = told("mentions", "Adrenaline", "--store", sample_run.store, "--since", "2010")
    assert lines[0] == ("epinephrine (Adrenaline): 4 mentions since 2010-01-01, in 2 journals")
    # No mention is ambiguous or retracted, so there is nothing to note.
    assert lines[1].split() == ["date", "source", "id", "journal", "title"]
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
    assert len(as_rows(*question, "--limit", "2")) == 2
    assert len(as_object(*question, "--limit", "2")["rows"]) == 2


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
    tops = questions.top_journals(sample_run.graph)
    assert tops
    rows = as_object("journals", "--store", sample_run.store)["rows"]
    for top, row in zip(tops, rows[: len(tops)], strict=True):
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


@pytest.mark.parametrize("command", [("mentions", "aspirin"), ("drugs",), ("journals",)])
def test_a_release_that_cannot_be_read_is_told(
    sample_run: runs.Run, tmp_path: Path, command: tuple[str, ...]
) -> None:
    store = runs.copy(sample_run.store, tmp_path / "store")
    path = runs.current(store) / "mentions.parquet"
    whole, rows = path.read_bytes(), pl.read_parquet(path)
    path.unlink()
    for damaged in (whole[:-100], whole[:4] + b"\0" * (len(whole) - 4), b""):
        path.write_bytes(damaged)
        result = asked(*command, "--store", store)
        assert (result.exit_code, result.stdout) == (1, "")
        assert "cannot be read" in result.stderr
        assert len(result.stderr.splitlines()) == 1
    rows.drop("ambiguous", "journal_id").write_parquet(path)
    result = asked(*command, "--store", store)
    assert (result.exit_code, result.stdout) == (1, "")
    assert "of an earlier version; run `drug-assets run`" in result.stderr


def test_a_terminal_shows_a_screenful_that_fits_it(
    sample_run: runs.Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(common, "ROWS_IN_TERMINAL", 4)
    monkeypatch.setattr(common, "is_terminal", lambda: True)
    monkeypatch.setenv("COLUMNS", "80")
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
    assert list(as_table(["text"], [["a" * 30]], 3, narrow=("text",)))[1] == "a" * 11 + "…"
    # The widest column is cut first; one that holds nothing is not shown.
    both = list(as_table(["b", "none", "a"], [["b" * 50, "", "a" * 20]], 42, narrow=("a", "b")))
    assert both[1] == "b" * 19 + "…" + "  " + "a" * 20


# Rejected rows, and the way back to what landed


def test_rejected_rows_are_those_of_the_table(sample_run: runs.Run) -> None:
    table = sample_run.table("rejected_records")
    document = as_object("rejected", "--store", sample_run.store)
    assert document["rows"] == table.to_dicts()
    assert document["total"] == sum(document["reasons"].values()) == table.height
    rows = as_rows("rejected", "--store", sample_run.store)
    assert [row["source_row"] for row in rows] == [str(row) for row in table["source_row"]]
    for file in table["source_file"].unique():
        of_file = as_object("rejected", "--file", file, "--store", sample_run.store)
        assert of_file["rows"] == table.filter(source_file=file).to_dicts()


def test_rejected_rows_as_text(sample_run: runs.Run) -> None:
    lines = told("rejected", "--file", "pubmed_stream.ndjson", "--store", sample_run.store)
    assert lines[0] == "1 row of pubmed_stream.ndjson rejected: 1 invalid_json"
    assert lines[2].startswith('pubmed_stream.ndjson    4  invalid_json  {"extra": ')
    none = told("rejected", "--file", "pubmed_2.csv", "--store", sample_run.store)
    assert none == ["0 rows of pubmed_2.csv rejected"]
    result = asked("rejected", "--file", "pubmd.csv", "--store", sample_run.store)
    assert (result.exit_code, result.stdout) == (1, "")
    assert "close spellings: pubmed.csv" in result.stderr


@pytest.mark.slow
def test_every_mention_leads_to_rows_that_lie_in_the_landing_zone(sample_run: runs.Run) -> None:
    store = ("--store", sample_run.store, "--landing", runs.SAMPLE)
    merged = {
        source: sample_run.table(f"merged_{source}")["merged_into"]
        for source in ("pubmed", "clinical_trials")
    }
    merged_seen = 0
    for drug_id, source, id_ in (
        sample_run.table("mentions").select("drug_id", "source", "publication_id").iter_rows()
    ):
        document = as_object("trace", drug_id, source, id_, *store)
        assert document["publication_id"] == id_
        assert document["drugs"][0]["names"]
        kept, *others = document["rows"]
        assert kept["became"] == "kept"
        assert len(others) == merged[source].eq(id_).sum()
        merged_seen += len(others)
        for row in document["rows"]:
            assert row["in_landing_zone"] == "unchanged"
            landed = (runs.SAMPLE / row["source_file"]).read_bytes()
            unpacked = gzip.decompress(landed) if landed[:2] == b"\x1f\x8b" else landed
            text = unpacked.decode("utf-8", "replace")
            record = json.loads(row["record"])
            # Its id stands in the file; without one, the first word of its title does.
            title = record.get("title") or record.get("scientific_title") or ""
            sign = record.get("id") or title.split()[0]
            assert sign in text, (row, sign)
            raw = sample_run.table(f"raw_{source}").filter(
                source_file=row["source_file"], source_row=row["source_row"]
            )
            assert (raw["id"].item() or None) == record.get("id")
    assert merged_seen > 10


def test_a_trace_as_text_says_what_became_of_the_files(
    sample_run: runs.Run, tmp_path: Path
) -> None:
    zone = tmp_path / "landing"
    zone.mkdir()
    shutil.copy(runs.SAMPLE / "pubmed.csv", zone)
    question = ("trace", "adrenaline", "pubmed", "90000003", "--store", sample_run.store)
    lines = told(*question, "--landing", zone)
    assert lines[:4] == [
        "epinephrine (adrenaline), in 90000003 of pubmed:",
        "  Adrenaline pens on hiking trails: who reads the leaflet, and when?",
        "  Fictional Archives of Cardiology, 2016-03-12",
        "  names epinephrine as 'Adrenaline', synonym adrenaline of drugs.csv",
    ]
    assert f"pubmed_stream.ndjson, row 6: kept, gone in {zone}" in lines
    assert f"pubmed.csv, row 3: merged into it, same_content, unchanged in {zone}" in lines
    assert "    date: 12 March 2016" in lines
    (zone / "pubmed.csv").write_bytes((zone / "pubmed.csv").read_bytes().replace(b"a", b"b"))
    assert any("same_content, changed in" in line for line in told(*question, "--landing", zone))
    nowhere = tmp_path / "nowhere"
    assert told(*question, "--landing", nowhere)[-1] == f"The landing zone {nowhere} is not there."
    (row, *_) = as_rows(*question, "--landing", nowhere)
    assert (row["source_file"], row["in_landing_zone"]) == ("pubmed_stream.ndjson", "")


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (("aspirin", "pubmed", "90000003"), 1, "does not name 'aspirin'; it names epinephrine"),
        (("aspirin", "pubmed", "0"), 1, "pubmed has no publication '0'"),
        (("asprin", "pubmed", "90000003"), 1, "close spellings: aspirin"),
        (("aspirin", "drugs", "1"), 2, "Invalid value for"),
    ],
)
def test_what_cannot_be_traced_is_told(
    sample_run: runs.Run, arguments: tuple[str, ...], code: int, message: str
) -> None:
    result = asked("trace", *arguments, "--store", sample_run.store)
    assert (result.exit_code, result.stdout) == (code, "")
    assert message in result.stderr


@pytest.mark.slow
def test_rows_are_shown_and_not_obeyed(tmp_path: Path) -> None:
    hostile = "Aspirin \x1b[2J \u202e =1+1"
    landing = runs.landing_zone(
        tmp_path / "landing",
        {
            **runs.SMALL,
            "pubmed_2.json": json.dumps(
                [
                    {"id": "9", "title": hostile, "date": "2020", "journal": "=\u202eX"},
                    {"id": "=\x1bcmd", "title": "", "date": "", "journal": ""},
                ]
            ),
        },
    )
    store = ("--store", runs.run(landing, tmp_path / "store").store)
    for question in (
        ("rejected",),
        ("trace", "aspirin", "pubmed", "9", "--landing", landing),
        ("mentions", "aspirin"),
        ("journals",),
    ):
        for form in ((), ("--json",)):
            text = asked(*question, *form, *store).stdout
            assert text
            assert not set(text) & set("\x1b\u202e")
        cells = [cell for row in as_rows(*question, *store) for cell in row.values()]
        assert cells
        assert not any(cell.startswith("=") for cell in cells)


@pytest.mark.emulator
def test_a_release_in_a_bucket_answers_like_one_on_disk(
    sample_run: runs.Run, gcs_emulator: GcsEmulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    from drug_assets.storage.places import open_store
    from drug_assets.storage.pointer import Pointer
    from drug_assets_tests.support import clouds

    clouds.reach(monkeypatch, gcs_emulator.url)
    bucket = clouds.new_bucket(gcs_emulator)
    for folder in (".kept", "releases"):
        clouds.upload(gcs_emulator, sample_run.store / folder, bucket, f"store/{folder}")
    clouds.upload(gcs_emulator, runs.SAMPLE, bucket, "landing")
    release = runs.current(sample_run.store).name
    store = f"gs://{bucket}/store"
    assert open_store(store).swap_pointer(None, Pointer(release, None, (release,)))
    for question in (
        ("mentions", "adrenaline", "--since", "2010"),
        ("drugs",),
        ("journals",),
        ("rejected", "--file", "pubmed.csv"),
    ):
        here = told(*question, "--store", sample_run.store)
        assert told(*question, "--store", store) == here
    traced = ("trace", "adrenaline", "pubmed", "90000003")
    document = as_object(*traced, "--store", store, "--landing", f"gs://{bucket}/landing")
    on_disk = as_object(*traced, "--store", sample_run.store, "--landing", runs.SAMPLE)
    assert document == on_disk
    assert {row["in_landing_zone"] for row in document["rows"]} == {"unchanged"}


@pytest.mark.emulator
def test_a_trace_in_a_bucket_leaves_no_rows_of_landed_files(
    sample_run: runs.Run, gcs_emulator: GcsEmulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    from drug_assets.answers.tracing import trace_mention
    from drug_assets.storage.kept import whole
    from drug_assets.storage.places import open_store
    from drug_assets.storage.released import ReleasedTables
    from drug_assets.storage.releases import Release
    from drug_assets.storage.temporary import make_process_folder
    from drug_assets_tests.support import clouds

    clouds.reach(monkeypatch, gcs_emulator.url)
    bucket = clouds.new_bucket(gcs_emulator)
    for folder in (".kept/raw_pubmed", "releases"):
        clouds.upload(gcs_emulator, sample_run.store / folder, bucket, f"store/{folder}")
    store = open_store(f"gs://{bucket}/store")
    tables = ReleasedTables(Release(store, runs.current(sample_run.store).name))
    for name in ("drugs", "drug_names", "mentions", "pubmed", "merged_pubmed", "landed_files"):
        tables.table(name)
    before = set(make_process_folder().iterdir())
    # No run verified the rows in this place: that leaves nothing, either.
    monkeypatch.setattr(whole, "_SEEN", {})
    assert trace_mention("adrenaline", "pubmed", "90000003", tables).rows
    assert set(make_process_folder().iterdir()) == before
