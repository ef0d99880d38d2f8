"""The stop list that a person names is the one that is used."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from drug_assets.cleaning.stop_list import StopList, StopListError
from drug_assets.defs.resources import make_resources
from drug_assets.defs.stop_list import StopListFile
from drug_assets.settings import Settings
from drug_assets_tests.support import runs

if TYPE_CHECKING:
    from pathlib import Path

    from drug_assets_tests.support.emulators import GcsEmulator

LIST = "name,reason\nethanol,of no interest here\n"


def chosen(stop_list: str | None = None) -> StopListFile:
    variables = {} if stop_list is None else {"DRUG_ASSETS_STOP_LIST": stop_list}
    resource = make_resources(Settings.of(variables))["stop_list"]
    assert isinstance(resource, StopListFile)
    return resource


def test_without_a_choice_it_is_the_projects_own() -> None:
    assert "gold" in chosen().read().names
    assert chosen(" ").read() == chosen().read()


def test_a_file_may_be_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "mine.csv").write_text(LIST)
    assert chosen(str(tmp_path / "mine.csv")).read() == StopList(frozenset({"ethanol"}))
    monkeypatch.chdir(tmp_path)
    assert chosen("mine.csv").read() == StopList(frozenset({"ethanol"}))


def test_a_file_that_is_not_there_is_named_with_the_cure(tmp_path: Path) -> None:
    missing = tmp_path / "none.csv"
    with pytest.raises(StopListError, match=rf"{missing}: cannot be read.*DRUG_ASSETS_STOP_LIST"):
        chosen(str(missing)).read()


@pytest.mark.xdist_group("gcs")
def test_it_may_lie_in_a_bucket(gcs_emulator: GcsEmulator, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STORAGE_EMULATOR_HOST", gcs_emulator.url)
    bucket = gcs_emulator.client().create_bucket("stop-lists")
    bucket.blob("lists/stop.csv").upload_from_string(LIST)
    assert chosen("gs://stop-lists/lists/stop.csv").read() == StopList(frozenset({"ethanol"}))
    with pytest.raises(StopListError, match=r"none\.csv: cannot be read"):
        chosen("gs://stop-lists/lists/none.csv").read()


def run(folder: Path, stop_list: str) -> runs.Run:
    """A run of the small landing zone with a stop list."""
    (folder / "mine.csv").write_text(stop_list)
    landing = runs.landing_zone(folder / "landing")
    return runs.run(landing, folder / "store", DRUG_ASSETS_STOP_LIST=str(folder / "mine.csv"))


@pytest.mark.slow
def test_a_run_leaves_its_names_out(tmp_path: Path) -> None:
    done = run(tmp_path, LIST)
    assert done.succeeded, done.report
    names = dict(done.table("drugs").select("drug_id", "names").rows())
    assert names == {"aspirin": ["ASPIRIN"], "ethanol": [], "paracetamol": ["PARACETAMOL"]}
    assert set(done.table("mentions")["drug_id"]) == {"aspirin", "paracetamol"}


@pytest.mark.slow
def test_a_run_with_a_damaged_list_fails_with_its_line(tmp_path: Path) -> None:
    done = run(tmp_path, f"{LIST}lead\n")
    assert not done.succeeded
    assert "mine.csv: line 3 is 'lead': write a name and the reason" in done.report
