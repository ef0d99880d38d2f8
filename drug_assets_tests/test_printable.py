"""Parts of messages: control characters, which no terminal may obey, and lists of names."""

from __future__ import annotations

import errno
import json
import re
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drug_assets import logs
from drug_assets.storage.objects import LocalFolder
from drug_assets.storage.releases import list_releases
from drug_assets.wording import printable, printable_json, shorten
from drug_assets_tests.support import runs
from drug_assets_tests.support.commands import asked

if TYPE_CHECKING:
    from pathlib import Path

TITLE = "Ünïcode – β-blockers ‘quoted’ 日本 👩‍⚕️"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        (TITLE, TITLE),
        ("\x1b[31mred\x1b[0m", r"\x1b[31mred\x1b[0m"),
        ("a\nb\tc", r"a\x0ab\x09c"),
        ("\x9b2J \x7f", r"\x9b2J \x7f"),
        ("exe\u202efdp.csv", r"exe\u202efdp.csv"),
        ("caf\udce9.csv", r"caf\udce9.csv"),
    ],
)
def test_controls_are_shown_and_not_obeyed(text: str, shown: str) -> None:
    assert printable(text) == shown


def test_lines_stay_where_a_text_may_have_several() -> None:
    assert printable("a\n\tb\r\x1b", lines=True) == "a\n\tb" + r"\x0d\x1b"


@given(st.text())
def test_a_json_document_means_the_same(text: str) -> None:
    document = json.dumps({"text": text}, ensure_ascii=False)
    shown = printable_json(document)
    assert json.loads(shown) == {"text": text}
    assert not any(0x7F <= ord(character) <= 0x9F for character in shown)


HOSTILE = (
    '[\n{"drug_id": "x", "drug": "X", "names": ["X"], "atc_codes": [], "mentions": [{"type": '
    '"pubmed", "id": "1", "title": "X", "journal": "J \\u001b[2J \u009b1m", "journal_id": "j", '
    '"date": null, "date_precision": null, "spans": [[0, 1]]}], "journals": [{"journal": '
    '"J \\u001b[2J \u009b1m", "journal_id": "j", "mentions": [{"date": null, "type": "pubmed", '
    '"id": "1"}]}]}\n]\n'
)


@pytest.mark.parametrize("options", [[], ["--json"]])
def test_answers_of_a_document_of_others_reach_no_terminal_raw(
    options: list[str], tmp_path: Path
) -> None:
    graph = tmp_path / "graph.json"
    graph.write_text(HOSTILE)
    answer = asked("top-journal", "--graph", graph, *options)
    assert answer.exit_code == 0, answer.output
    assert "[2J" in answer.stdout
    assert not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f]", answer.stdout)
    if options:
        assert json.loads(answer.stdout)[0]["journal"] == "J \x1b[2J \x9b1m"


def test_message_with_a_name_in_it_reaches_no_terminal_raw(tmp_path: Path) -> None:
    answer = asked("top-journal", "--graph", tmp_path / "no\x1b[2J.json")
    assert answer.exit_code == 2
    assert r"no\x1b[2J.json" in answer.stderr
    assert "\x1b" not in answer.stderr


@pytest.mark.slow
def test_rollback_is_logged_where_logs_are_collected(
    small_run: runs.Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = runs.copy(small_run.store, tmp_path / "store")
    new = {**runs.SMALL, "pubmed_new.csv": "id,title\n9,Aspirin once more\n"}
    assert runs.run(runs.landing_zone(tmp_path / "landing", new), store).succeeded
    newest, first = (release.id for release in list_releases(LocalFolder(store)))
    said = asked("rollback", first, "--store", store)
    assert f"{newest} was left, and comes back with `drug-assets rollback --resume`" in said.output
    assert logs.ROLLED_BACK not in said.stderr
    monkeypatch.setenv("CLOUD_RUN_JOB", "drug-assets-run")
    said = asked("rollback", "--resume", "--store", store)
    event = json.loads(said.stderr.splitlines()[-1])
    assert (event["event"], event["release"], event["left"]) == (logs.ROLLED_BACK, newest, "")


def test_full_disk_of_another_command_is_one_line(
    small_run: runs.Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device", str(small_run.store / "latest"))

    monkeypatch.setattr("drug_assets.storage.releases.end_rollback", full)
    said = asked("rollback", "--resume", "--store", small_run.store)
    assert said.exit_code == 1
    assert said.stderr == (
        f"drug-assets: no space is left in {small_run.store}: make room and run again\n"
    )


@pytest.mark.parametrize(
    ("names", "shown"),
    [([], ""), (["a"], "a"), (["a", "b"], "a; b"), (["a", "b", "c", "d"], "a; b and 2 more")],
)
def test_a_list_of_names_is_cut(names: list[str], shown: str) -> None:
    assert shorten(names, "; ", most=2) == shown
