"""A disk that fails at any call of a release: the old release stays, or the new one is whole."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from drug_assets.errors import DrugAssetsError
from drug_assets.storage import staging
from drug_assets.storage.objects import LocalFolder
from drug_assets_tests.support.failing import FAULTS, failing
from drug_assets_tests.support.releasing import end_process, make, seen

if TYPE_CHECKING:
    from pathlib import Path


def count_calls(folder: Path) -> int:
    store = LocalFolder(folder)
    make(store, "old")
    with failing(folder, 0, lambda _: False) as disk:
        make(store, "new")
    return len(disk.calls)


@pytest.mark.slow
@pytest.mark.parametrize("lasts", [False, True], ids=["once", "from then on"])
@pytest.mark.parametrize("fault", FAULTS)
def test_disk_that_fails_at_any_call_leaves_the_old_release_or_the_new(
    tmp_path: Path, fault: str, *, lasts: bool
) -> None:
    total = count_calls(tmp_path / "count")
    assert total > 50
    ended = set()
    for nth in range(1, total + 1):
        folder = tmp_path / f"store_{nth}"
        store = LocalFolder(folder)
        make(store, "old")
        with failing(folder, FAULTS[fault], lambda n, nth=nth: n >= nth if lasts else n == nth):  # type: ignore[misc]
            try:
                make(store, "new")
            except (OSError, DrugAssetsError) as error:
                ended.add(type(error).__name__)
        assert seen(store) in {"old", "new"}, nth
        end_process(folder)
        staging.discard_dead_runs(store)  # as the next run does
        make(store, "next")
        assert seen(store) == "next", nth
        assert {o.name.split("/")[0] for o in store.objects()} <= {".lock", "latest", "releases"}
    assert ended
