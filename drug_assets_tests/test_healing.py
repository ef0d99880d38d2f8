"""Whole runs over damaged stores: what can be made again is made again, and the log says so."""

from __future__ import annotations

import io
import json
import os
import shutil
import time
from typing import TYPE_CHECKING

import pytest
from rich.console import Console

from drug_assets.cli.in_process import run_everything
from drug_assets.settings import Settings
from drug_assets_tests.support import runs
from drug_assets_tests.support.commands import asked

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("no_settings_of_the_machine")]


@pytest.fixture
def store(small_run: runs.Run, tmp_path: Path) -> Path:
    """A store that a good run left, to be damaged."""
    return runs.copy(small_run.store, tmp_path / "store")


@pytest.fixture
def landing(tmp_path: Path) -> Path:
    return runs.landing_zone(tmp_path / "landing")


def log_of_run(landing: Path, store: Path, capfd: pytest.CaptureFixture[str]) -> str:
    """The log of a run, which succeeds."""
    variables = {"DRUG_ASSETS_LOG_FORMAT": "json"}
    settings = Settings.of(variables, landing=str(landing), store=str(store))
    capfd.readouterr()
    told = io.StringIO()
    assert run_everything(settings, Console(file=told)), told.getvalue()
    return capfd.readouterr().err


def flip(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[len(data) // 3] ^= 1
    path.write_bytes(data)


def truncate(path: Path) -> None:
    os.truncate(path, path.stat().st_size // 2)


def empty(path: Path) -> None:
    os.truncate(path, 0)


@pytest.mark.parametrize("damage", [flip, truncate, empty])
def test_damaged_parts_of_every_table_are_made_again(
    small_run: runs.Run,
    landing: Path,
    store: Path,
    capfd: pytest.CaptureFixture[str],
    damage: Callable[[Path], None],
) -> None:
    parts = {path: path.read_bytes() for path in (store / ".kept").rglob("*.parquet")}
    assert {path.parent.name for path in parts} >= {"raw_pubmed", "pubmed_records", "side_tables"}
    for path in parts:
        damage(path)
    log = log_of_run(landing, store, capfd)
    for path, whole in parts.items():
        assert f"{path} is damaged: it was removed, and is made again" in log
        assert path.read_bytes() == whole
    assert runs.outputs(store) == runs.outputs(small_run.store)


def test_damaged_part_is_made_again_from_a_whole_input(
    landing: Path, store: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    [part] = (store / ".kept" / "pubmed_records").iterdir()
    flip(part)
    assert log_of_run(landing, store, capfd).count("it was removed, and is made again") == 1


def test_damaged_memory_of_what_was_read_is_made_again(
    small_run: runs.Run, landing: Path, store: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    (store / ".kept" / "content_ids.json").write_text("[")
    (store / ".kept" / "raw_pubmed.verified.json").write_text("[")
    log = log_of_run(landing, store, capfd)
    for told in (
        "content_ids.json is damaged: all landed files are hashed again",
        "raw_pubmed.verified.json is damaged: what it lists is verified again",
    ):
        assert log.count(told) == 1
    assert runs.outputs(store) == runs.outputs(small_run.store)
    assert "is damaged" not in log_of_run(landing, store, capfd)


OUTPUTS: dict[str, Callable[[Path], object]] = {
    "graph.json is missing": lambda release: (release / "graph.json").unlink(),
    "names.json is missing": lambda release: (release / "names.json").unlink(),
    "mentions.parquet is truncated": lambda release: truncate(release / "mentions.parquet"),
    "a list of parts is missing": lambda release: (release / "raw_pubmed.parts.json").unlink(),
    "release.json is missing": lambda release: (release / "release.json").unlink(),
    "release.json is a list": lambda release: (release / "release.json").write_text("[]"),
    "the release is missing": shutil.rmtree,
}


@pytest.mark.parametrize("damage", OUTPUTS)
def test_damaged_release_means_a_run_though_nothing_landed(
    small_run: runs.Run, landing: Path, store: Path, damage: str
) -> None:
    command = ("run", "--only-if-changed", "--landing", landing, "--store", store)
    assert "Nothing changed" in asked(*command).output
    OUTPUTS[damage](runs.current(store))
    result = asked(*command)
    assert result.exit_code == 0, result.output
    assert "Nothing changed" not in result.output
    assert runs.outputs(store) == runs.outputs(small_run.store)
    assert "Nothing changed" in asked(*command).output


@pytest.mark.parametrize(
    "document", ['{"rules": "RULES"}', '{"files": {"a": 1}, "rules": "RULES"}']
)
def test_release_that_says_too_little_of_itself_means_a_run(
    landing: Path, store: Path, document: str
) -> None:
    summary = runs.current(store) / "release.json"
    rules = json.loads(summary.read_text("utf-8"))["rules"]
    summary.write_text(document.replace("RULES", rules))
    command = ("run", "--only-if-changed", "--landing", landing, "--store", store)
    result = asked(*command)
    assert result.exit_code == 0, result.output
    assert "Nothing changed" not in result.output


def test_damaged_pointer_is_an_error_with_a_cure(
    small_run: runs.Run, landing: Path, store: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(time, "sleep", lambda _: None)  # between attempts
    command = ("run", "--landing", landing, "--store", store)
    for target, arguments in (
        ("nowhere", [*command, "--only-if-changed"]),
        ("releases/20261127", [*command, "--only-if-changed"]),
        (None, [*command, "--only-if-changed"]),
        (None, command),
    ):
        (store / "latest").unlink()
        if target is None:
            (store / "latest").write_text("not a link")
        else:
            (store / "latest").symlink_to(target)
        result = asked(*arguments)
        assert result.exit_code == 1
        assert f"{store / 'latest'} does not name a release: remove it, and a run" in result.output
        assert "Traceback" not in result.output
    (store / "latest").unlink()
    assert asked("run", "--landing", landing, "--store", store).exit_code == 0
    assert runs.outputs(store) == runs.outputs(small_run.store)
