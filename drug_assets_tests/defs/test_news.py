"""What whole runs say is new: compared with which release, and in the same bytes each time."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from drug_assets.defs import release as release_asset
from drug_assets.storage.objects import LocalFolder
from drug_assets.storage.releases import list_releases, roll_back
from drug_assets_tests.support import runs
from drug_assets_tests.support.news import require_right_news

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = [pytest.mark.xdist_group("runs"), pytest.mark.slow]

#: What is new in `runs.LATER`: drug, publication, change, whether it is the first in its journal.
NEWS = [
    ("aspirin", "1", "changed", False),
    ("caffeine", "4", "added", True),
    ("ethanol", "2", "gone", False),
    ("ethanol", "4", "added", True),
    ("paracetamol", "1", "no_longer_searched", False),
]


def summary(store: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((store / "latest" / "release.json").read_text("utf-8"))
    return found


def news(store: Path) -> list[tuple[str, str, str, bool]]:
    columns = ("drug_id", "publication_id", "change", "first_in_journal")
    return runs.table(store, "new_mentions").select(columns).rows()


def test_first_release_has_nothing_to_be_compared_with(small_run: runs.Run) -> None:
    assert small_run.table("new_mentions").is_empty()
    assert small_run.table("changed_names").is_empty()
    assert summary(small_run.store)["compared_with"] is None


def test_release_says_what_is_new_since_the_one_before(
    small_run: runs.Run, later_run: runs.Run
) -> None:
    assert news(later_run.store) == NEWS
    names = later_run.table("changed_names").select("name", "change").rows()
    assert names == [("CAFFEINE", "added"), ("PARACETAMOL", "dropped")]
    before = summary(small_run.store)
    assert summary(later_run.store)["compared_with"] == {
        "landing": before["landing"]["fingerprint"],
        "rules": before["rules"],
    }
    require_right_news(LocalFolder(later_run.store))


def test_what_is_the_same_stays_current_with_its_own_news(
    later_run: runs.Run, tmp_path: Path
) -> None:
    store = runs.copy(later_run.store, tmp_path / "store")
    again = runs.run(later_run.store.parent / "landing", store)
    assert again.succeeded
    assert len(list_releases(LocalFolder(store))) == 2
    assert news(store) == NEWS


def test_other_rules_are_compared_and_recorded(small_run: runs.Run, tmp_path: Path) -> None:
    store = runs.copy(small_run.store, tmp_path / "store")
    stop_list = tmp_path / "stop.csv"
    stop_list.write_text("name,reason\nethanol,a word\n")
    landing = runs.landing_zone(tmp_path / "landing")
    assert runs.run(landing, store, DRUG_ASSETS_STOP_LIST=str(stop_list)).succeeded
    assert news(store) == [("ethanol", "2", "gone", False)]
    after = summary(store)
    assert after["compared_with"]["landing"] == after["landing"]["fingerprint"]
    assert after["compared_with"]["rules"] != after["rules"]


@pytest.mark.parametrize("table", ["mentions", "drugs"])
@pytest.mark.parametrize("damage", ["missing", "other bytes"])
def test_damaged_base_is_nothing_to_compare_with(
    small_run: runs.Run, later_run: runs.Run, tmp_path: Path, table: str, damage: str
) -> None:
    store = runs.copy(small_run.store, tmp_path / "store")
    file = runs.current(store) / f"{table}.parquet"
    data = bytearray(file.read_bytes())
    file.unlink()
    if damage == "other bytes":
        data[len(data) // 2] ^= 1
        file.write_bytes(data)
    assert runs.run(later_run.store.parent / "landing", store).succeeded
    assert news(store) == []
    assert summary(store)["compared_with"] is None


def test_damaged_news_of_the_same_content_are_made_as_those_of_a_first_release(
    later_run: runs.Run, tmp_path: Path
) -> None:
    store = runs.copy(later_run.store, tmp_path / "store")
    (runs.current(store) / "new_mentions.parquet").write_bytes(b"damaged")
    assert runs.run(later_run.store.parent / "landing", store).succeeded
    assert news(store) == []
    assert summary(store)["compared_with"] is None
    assert len(list_releases(LocalFolder(store))) == 3


def test_run_that_goes_on_from_another_release_tells_what_is_new_since_that_one(
    small_run: runs.Run, later_run: runs.Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another run releases another landing zone just before this one releases."""
    other = runs.landing_zone(
        tmp_path / "other", {**runs.SMALL, "pubmed.csv": runs.LATER["pubmed.csv"]}
    )
    store = runs.copy(small_run.store, tmp_path / "store")
    checked = release_asset._require_checked

    def overtaken(*args: Any) -> None:
        monkeypatch.setattr(release_asset, "_require_checked", checked)
        assert runs.run(other, store).succeeded
        checked(*args)

    monkeypatch.setattr(release_asset, "_require_checked", overtaken)
    assert runs.run(later_run.store.parent / "landing", store).succeeded
    assert len(list_releases(LocalFolder(store))) == 3
    require_right_news(LocalFolder(store))
    in_turn = runs.copy(small_run.store, tmp_path / "in_turn")
    for landing in (other, later_run.store.parent / "landing"):
        assert runs.run(landing, in_turn).succeeded
    assert runs.outputs(store) == runs.outputs(in_turn)


def test_after_a_rollback_the_release_that_it_went_back_to_is_the_one_before(
    small_run: runs.Run, later_run: runs.Run, tmp_path: Path
) -> None:
    """Readers saw that one last, so the same landing zone brings the same news again."""
    store = runs.copy(later_run.store, tmp_path / "store")
    _, earlier = list_releases(LocalFolder(store))
    roll_back(LocalFolder(store), earlier.id)
    assert runs.run(later_run.store.parent / "landing", store).succeeded
    assert news(store) == NEWS
    assert runs.outputs(store) == runs.outputs(later_run.store)
    assert len(list_releases(LocalFolder(store))) == 3
    assert (
        summary(store)["compared_with"]["landing"]
        == summary(small_run.store)["landing"]["fingerprint"]
    )
