"""`drug-assets diff`: what is compared, what it prints in each form, and how it ends."""

from __future__ import annotations

import json
import shutil
from typing import TYPE_CHECKING, Any

import pytest

from drug_assets.storage.objects import LocalFolder
from drug_assets.storage.releases import list_releases, roll_back
from drug_assets_tests.support import clouds, commands, runs

if TYPE_CHECKING:
    from pathlib import Path

    from click.testing import Result

    from drug_assets_tests.support.emulators import GcsEmulator

pytestmark = [
    pytest.mark.xdist_group("runs"),
    pytest.mark.usefixtures("no_settings_of_the_machine"),
    pytest.mark.slow,
]


def asked(*arguments: str | Path) -> Result:
    return commands.asked("diff", *arguments)


def told(*arguments: str | Path) -> list[str]:
    return commands.told("diff", *arguments)


def as_object(*arguments: str | Path) -> dict[str, Any]:
    document: dict[str, Any] = commands.as_object("diff", *arguments)
    return document


def releases(store: Path) -> list[str]:
    """The ids of the releases, the newest first."""
    return [release.id for release in list_releases(LocalFolder(store))]


#: What every comparison of `runs.LATER` with `runs.SMALL` says below its heading.
NEWS = """\
  Mentions: 2 added (1 of drugs that came on the list), 1 changed, 1 gone, 1 no longer searched.
  First mention of a drug in a journal: CAFFEINE in Journal of Tests (2021-05-03); \
ETHANOL in Journal of Tests (2021-05-03).
  Came on the list: 1 drug (CAFFEINE).
  Left the list: 1 drug (PARACETAMOL).
""".splitlines()
LISTS = """\

Mentions added: 2
  CAFFEINE, 2021-05-03, Journal of Tests, pubmed 4: Caffeine and ethanol (first in this journal)
  ETHANOL, 2021-05-03, Journal of Tests, pubmed 4: Caffeine and ethanol (first in this journal)

Mentions changed: 1
  ASPIRIN, 2020-01-01, Journal of Tests, pubmed 1: Aspirin or paracetamol \
(title was Aspirin or paracetamol?)

Mentions gone: 1
  ETHANOL, 2020-01-02, Letters of Tests, pubmed 2: Ethanol in rats

No longer searched, as the drug left the list: 1
  PARACETAMOL, 2020-01-01, Journal of Tests, pubmed 1: Aspirin or paracetamol?
""".splitlines()
UNKNOWN = "  Whether the rules changed is not known."


def test_the_current_release_is_compared_with_the_one_before(later_run: runs.Run) -> None:
    new, old = releases(later_run.store)
    lines = told("--store", later_run.store)
    assert lines == [f"What is new in {new} since {old}", *NEWS, *LISTS]
    assert told(old, "--store", later_run.store) == lines
    assert told(old, new, "--store", later_run.store) == lines


def test_a_release_is_what_its_tables_said_when_it_was_made(later_run: runs.Run) -> None:
    """The command and the table say the same."""
    rows = as_object("--store", later_run.store)["mentions"]
    table = later_run.table("new_mentions")
    dates = [row["date"] and row["date"].isoformat() for row in table.to_dicts()]
    assert [row["date"] for row in rows] == dates
    columns = ["drug_id", "publication_id", "change", "first_in_journal", "changed"]
    assert [[row[c] for c in columns] for row in rows] == [
        list(row) for row in table.select(columns).rows()
    ]


def test_after_a_rollback_the_release_before_the_current_one_counts(
    later_run: runs.Run, tmp_path: Path
) -> None:
    store = runs.copy(later_run.store, tmp_path / "store")
    new, old = releases(store)
    roll_back(LocalFolder(store), old)
    assert told("--store", store) == [f"There is no release before {old} to compare it with."]
    assert told(old, new, "--store", store)[1:] == [*NEWS, *LISTS]


def test_one_release_has_nothing_to_be_compared_with(small_run: runs.Run) -> None:
    [only] = releases(small_run.store)
    line = f"There is no release before {only} to compare it with."
    assert told("--store", small_run.store) == [line]
    assert told("--store", small_run.store, "--markdown") == [line.replace(only, f"`{only}`")]
    answer = as_object("--store", small_run.store)
    assert (answer["old"], answer["news"], answer["mentions"]) == (None, None, [])


@pytest.mark.parametrize("kind", ["folder", "store", "document", "table", "documents alone"])
def test_releases_and_files_anywhere_are_compared(
    small_run: runs.Run, later_run: runs.Run, tmp_path: Path, kind: str
) -> None:
    given = {
        "folder": runs.current(small_run.store),
        "store": small_run.store,
        "document": small_run.graph,
        "table": runs.current(small_run.store) / "mentions.parquet",
        "documents alone": tmp_path / "sent",
    }[kind]
    if kind == "documents alone":
        given.mkdir()
        for name in ("graph.json", "names.json"):
            shutil.copy(runs.current(small_run.store) / name, given)
    expected = [*NEWS, *([UNKNOWN] if kind in {"document", "documents alone"} else []), *LISTS]
    lines = told(given, "--store", later_run.store)
    assert lines == [f"What is new in {releases(later_run.store)[0]} since {given}", *expected]
    assert told(given, later_run.store) == [
        f"What is new in {later_run.store} since {given}",
        *expected,
    ]
    backwards = as_object(later_run.store, given)["news"]
    assert (backwards["added"], backwards["gone"], backwards["no_longer_searched"]) == (2, 1, 1)


@pytest.mark.parametrize("file", ["", "/graph.json", "/drugs.parquet"])
def test_releases_and_files_in_buckets_are_compared(
    small_run: runs.Run,
    later_run: runs.Run,
    gcs_emulator: GcsEmulator,
    monkeypatch: pytest.MonkeyPatch,
    file: str,
) -> None:
    clouds.reach(monkeypatch, gcs_emulator.url)
    bucket = clouds.new_bucket(gcs_emulator)
    clouds.upload(gcs_emulator, runs.current(small_run.store), bucket, "sent")
    lines = told(f"gs://{bucket}/sent{file}", "--store", later_run.store)
    assert lines[1:5] == NEWS
    assert lines[-len(LISTS) :] == LISTS


def test_documents_of_earlier_versions_are_compared(later_run: runs.Run, tmp_path: Path) -> None:
    """They have neither spans nor journal ids nor precisions; other members are passed over."""
    mention = {"type": "pubmed", "id": "9", "title": "Ethanol", "more": [1]}
    drug = {"drug_id": "ethanol", "drug": "ETHANOL", "names": ["ETHANOL"], "mentions": [mention]}
    old = tmp_path / "old.json"
    old.write_text(f"[\n{json.dumps(drug)}\n]\n")
    news = as_object(old, later_run.store)["news"]
    assert (news["gone"], news["rules_changed"]) == (1, None)
    assert news["drugs_added"] == {"total": 2, "names": ["ASPIRIN", "CAFFEINE"]}


def test_markdown_is_for_a_mail_or_a_chat(later_run: runs.Run) -> None:
    lines = told("--store", later_run.store, "--markdown", "--limit", "1")
    new, old = releases(later_run.store)
    caffeine = "`CAFFEINE` in `Journal of Tests`"
    assert lines[0] == f"**What is new in `{new}` since `{old}`**"
    assert lines[3:9] == [
        f"- First mention of a drug in a journal: {caffeine} (2021-05-03) and 1 more.",
        "- Came on the list: 1 drug (`CAFFEINE`).",
        "- Left the list: 1 drug (`PARACETAMOL`).",
        "",
        "**Mentions added: 2**",
        "",
    ]
    first = "`CAFFEINE`, 2021-05-03, `Journal of Tests`, pubmed `4`: `Caffeine and ethanol`"
    assert lines[9:11] == [f"- {first} (first in this journal)", "- and 1 more"]


def test_json_has_figures_names_and_rows(later_run: runs.Run) -> None:
    answer = as_object("--store", later_run.store)
    new, old = releases(later_run.store)
    assert (answer["old"]["name"], answer["new"]["name"]) == (old, new)
    assert answer["old"]["rules"] == answer["new"]["rules"]
    assert answer["news"] == {
        "added": 2,
        "changed": 1,
        "gone": 1,
        "no_longer_searched": 1,
        "added_of_new_drugs": 1,
        "first_in_journal": 2,
        "drugs_added": {"total": 1, "names": ["CAFFEINE"]},
        "drugs_dropped": {"total": 1, "names": ["PARACETAMOL"]},
        "names_added": {"total": 0, "names": []},
        "names_dropped": {"total": 0, "names": []},
        "rules_changed": False,
    }
    assert [row["publication_id"] for row in answer["mentions"]] == ["1", "4", "2", "4", "1"]
    assert len(as_object("--store", later_run.store, "--limit", "2")["mentions"]) == 2


def test_rules_that_changed_are_told(later_run: runs.Run, tmp_path: Path) -> None:
    store = runs.copy(later_run.store, tmp_path / "store")
    summary = runs.current(store) / "release.json"
    document = json.loads(summary.read_text("utf-8")) | {"rules": "other"}
    summary.write_text(json.dumps(document))
    assert told("--store", store)[5] == "  The rules changed, too: part of this may be no news."
    assert as_object("--store", store)["news"]["rules_changed"] is True


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["nowhere"], "there is no folder nowhere"),
        (["nowhere.json"], "nowhere.json is no release, no store and no graph document"),
        (["."], ". is no release, no store and no graph document"),
        (["20200101T000000.000000Z-abcdef"], "there is no release 20200101T000000.000000Z-abcdef"),
        (["ftp://x/y"], "ftp:// is not known"),
        (["--json", "--markdown"], "--markdown and --json are two forms of an answer: choose one"),
    ],
)
def test_what_cannot_be_compared_is_told(
    later_run: runs.Run, arguments: list[str], message: str
) -> None:
    result = asked(*arguments, "--store", later_run.store)
    assert result.exit_code == 2
    assert message in result.stderr


def test_a_file_that_is_no_graph_is_told_with_its_line(later_run: runs.Run, tmp_path: Path) -> None:
    (tmp_path / "other.json").write_text("{}\n")
    result = asked(tmp_path / "other.json", "--store", later_run.store)
    assert result.exit_code == 1
    assert "line 1: expected [ on a line of its own" in result.stderr
    assert "graph document" in result.stderr


@pytest.mark.parametrize("table", ["mentions", "drugs"])
@pytest.mark.parametrize("side", [0, 1], ids=["new", "old"])
def test_a_release_that_cannot_be_read_is_told(
    later_run: runs.Run, tmp_path: Path, table: str, side: int
) -> None:
    store = runs.copy(later_run.store, tmp_path / "store")
    release = releases(store)[side]
    path = store / "releases" / release / f"{table}.parquet"
    whole = path.read_bytes()
    half = len(whole) // 2
    # The end of a Parquet file describes its columns, so it is read before the rows.
    for damaged in (whole[:-100], whole[:4] + b"\0" * half + whole[half + 4 :]):
        path.unlink()
        path.write_bytes(damaged)
        result = asked("--store", store)
        assert (result.exit_code, result.stdout) == (1, "")
        (line,) = result.stderr.splitlines()
        assert release in line
        assert "cannot be read" in line


def test_a_store_without_releases_says_how_to_make_one(tmp_path: Path) -> None:
    result = asked("--store", tmp_path)
    assert result.exit_code == 2
    assert "there is no release" in result.stderr
