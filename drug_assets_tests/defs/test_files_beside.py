"""Documents with files beside them: staged, released, checked for, and removed with them."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import dagster as dg
import pytest

from drug_assets.defs.workplace import FILES_OF_RELEASE, FOLDERS_OF_RELEASE
from drug_assets.documents import EXPLORER
from drug_assets.explorer import page
from drug_assets.storage.objects import LocalFolder
from drug_assets.storage.releases import (
    current_release,
    describe_releases,
    is_unchanged_since_release,
    roll_back,
)
from drug_assets_tests.defs.test_workplace import GROUPS, Place
from drug_assets_tests.support import clouds, runs

if TYPE_CHECKING:
    from pathlib import Path

    from drug_assets_tests.support.emulators import GcsEmulator

SHARDS = f"{EXPLORER.folder}/"


def limit(monkeypatch: pytest.MonkeyPatch, **limits: int) -> None:
    """Set limits of the explorer's page."""
    defaults = page.write_page.__kwdefaults__
    assert defaults is not None
    for name, value in limits.items():
        assert name in defaults
        monkeypatch.setitem(defaults, name, value)


@pytest.fixture
def in_files(monkeypatch: pytest.MonkeyPatch) -> None:
    """The explorer has all of its data in files beside it, some in each."""
    limit(monkeypatch, most_bytes=0, shard_bytes=150)


def shards(names: object) -> list[str]:
    assert isinstance(names, dict | set | list)
    return sorted(name for name in names if name.startswith(SHARDS))


def test_the_folder_of_the_explorer_is_one_of_a_release() -> None:
    assert EXPLORER.folder in FOLDERS_OF_RELEASE
    assert EXPLORER.file in FILES_OF_RELEASE


@pytest.mark.slow
def test_a_release_has_the_files_beside_a_page_and_misses_each(
    tmp_path: Path, in_files: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    zone = runs.landing_zone(tmp_path / "landing")
    store = LocalFolder(tmp_path / "store")
    assert runs.run(zone, tmp_path / "store").succeeded
    written = runs.outputs(tmp_path / "store")
    assert len(shards(written)) > 1
    release = current_release(store)
    assert release is not None
    summary = release.read_summary()
    notes = summary["files"]
    assert shards(notes) == shards(written)
    for name in shards(notes):
        assert notes[name] == {
            "size_bytes": len(written[name]),
            "sha256": hashlib.sha256(written[name]).hexdigest(),
        }
    assert release.is_complete()
    opened = LocalFolder(zone)
    assert is_unchanged_since_release(opened, store, summary["rules"])
    store.delete(release.name(shards(notes)[0]))
    assert not release.is_complete()
    assert not is_unchanged_since_release(opened, store, summary["rules"])
    # The next run makes a page that fits into one file; the files beside the earlier one go.
    limit(monkeypatch, most_bytes=page.MOST_BYTES)
    assert runs.run(zone, tmp_path / "store").succeeded
    assert shards(runs.outputs(tmp_path / "store")) == []
    assert runs.left_over(tmp_path / "store") == []


@pytest.mark.slow
def test_a_rollback_leads_to_a_page_with_its_files(
    tmp_path: Path, in_files: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    zone = runs.landing_zone(tmp_path / "landing")
    assert runs.run(zone, tmp_path / "store").succeeded
    before = runs.outputs(tmp_path / "store")
    limit(monkeypatch, most_bytes=page.MOST_BYTES)
    assert runs.run(zone, tmp_path / "store").succeeded
    store = LocalFolder(tmp_path / "store")
    newest, first = describe_releases(store)
    assert newest.state == "current"
    roll_back(store, first.release)
    assert runs.outputs(tmp_path / "store") == before


@pytest.mark.slow
def test_files_of_an_earlier_page_leave_the_workspace_with_it(
    tmp_path: Path, in_files: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = Place(tmp_path)
    assert runs.run(place.landing, place.store).succeeded
    place.land()
    for group in GROUPS[:-1]:
        assert place.materialize(place.group(group)) is None
    assert place.materialize(place.group("published", without="release")) is None
    assert len(shards(place.in_workspace())) > 1
    # Without one of them the page is not what was made.
    (tmp_path / "store" / ".workspace" / shards(place.in_workspace())[0]).unlink()
    refused = place.materialize([dg.AssetKey("release")])
    assert refused is not None
    assert refused.startswith("nothing was released: explorer was not made from")
    limit(monkeypatch, most_bytes=page.MOST_BYTES)
    assert place.materialize([dg.AssetKey("explorer")]) is None
    assert shards(place.in_workspace()) == []
    assert place.materialize([dg.AssetKey("release")]) is None
    in_one = runs.outputs(place.store)
    assert shards(in_one) == []
    limit(monkeypatch, most_bytes=0)
    assert place.materialize([dg.AssetKey("explorer")]) is None
    assert place.materialize([dg.AssetKey("release")]) is None
    assert len(shards(runs.outputs(place.store))) > 1


@pytest.mark.emulator
@pytest.mark.usefixtures("in_files")
def test_a_bucket_has_them_too(
    gcs_emulator: GcsEmulator, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    clouds.reach(monkeypatch, gcs=gcs_emulator.url)
    bucket = clouds.new_bucket(gcs_emulator)
    zone = runs.landing_zone(tmp_path / "landing")
    from drug_assets.cli.in_process import run_everything
    from drug_assets.settings import Settings

    settings = Settings.of({}, landing=str(zone), store=f"gs://{bucket}/store")
    assert run_everything(settings, runs.console())
    held = {
        name.partition("/releases/")[2].partition("/")[2]
        for name in clouds.contents(gcs_emulator, bucket)
    }
    assert EXPLORER.file in held
    assert len(shards(held)) > 1
