"""Temporary folders of processes that were killed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from drug_assets.storage.temporary import remove_folders_of_dead_processes

_HOLD = """
import sys
from drug_assets.storage.temporary import make_process_folder
(make_process_folder() / "copy").write_text("x")
print(make_process_folder(), flush=True)
sys.stdin.read()
"""


@pytest.fixture(autouse=True)
def own_tmpdir(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.setenv("TMPDIR", str(tmp_path))


@pytest.mark.processes
def test_folder_of_a_killed_process_goes_and_that_of_a_living_one_stays(tmp_path: Path) -> None:
    held, folders = [], []
    for _ in range(2):
        process = subprocess.Popen([sys.executable, "-c", _HOLD], stdin=-1, stdout=-1, text=True)
        assert process.stdout is not None
        held.append(process)
        folders.append(Path(process.stdout.readline().strip()))
    killed, living = held
    killed.send_signal(signal.SIGKILL)
    killed.communicate()
    assert remove_folders_of_dead_processes() == [folders[0]]
    assert list(tmp_path.iterdir()) == [folders[1]]
    living.communicate("")
    assert list(tmp_path.iterdir()) == []


def test_folder_that_is_not_of_such_a_process_stays_however_old(tmp_path: Path) -> None:
    """A name is no proof: it may hold somebody's data."""
    for name in ("drug-assets-backup", "drug_assets_b", "tmpc"):
        (tmp_path / name / "below").mkdir(parents=True)
    (tmp_path / "drug-assets-link").symlink_to("tmpc")
    (tmp_path / "drug-assets-file").touch()
    for path in tmp_path.iterdir():
        os.utime(path, (1_000_000_000,) * 2, follow_symlinks=False)
    before = sorted(tmp_path.iterdir())
    assert remove_folders_of_dead_processes() == []
    assert sorted(tmp_path.iterdir()) == before


def test_where_nobody_may_look_nothing_is_removed(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_: str) -> None:
        raise PermissionError

    monkeypatch.setattr(os, "scandir", refuse)
    assert remove_folders_of_dead_processes() == []


def test_folder_of_another_user_stays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "drug-assets-a").mkdir()
    (tmp_path / "drug-assets-a" / ".drug-assets-alive").touch()
    somebody = os.geteuid() + 1
    monkeypatch.setattr("drug_assets.storage.temporary.os.geteuid", lambda: somebody)
    assert remove_folders_of_dead_processes() == []


def test_folder_of_a_process_that_was_killed_as_it_made_it_goes_after_an_hour(
    tmp_path: Path,
) -> None:
    folders = [tmp_path / f"drug-assets-starting-{name}" for name in "abcd"]
    for folder in folders:
        folder.mkdir()
    empty, with_its_lock, with_data, young = folders
    (with_its_lock / ".drug-assets-alive").touch()
    (with_data / "mine.csv").touch()
    for folder in (empty, with_its_lock, with_data):
        os.utime(folder, (1_000_000_000,) * 2)
    assert {*remove_folders_of_dead_processes()} == {empty, with_its_lock}
    assert {*tmp_path.iterdir()} == {with_data, young}
