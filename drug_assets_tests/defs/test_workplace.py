"""Where runs work: those that make everything or a part, those that continue a failed one."""

from __future__ import annotations

from typing import TYPE_CHECKING

import dagster as dg
import pytest

from drug_assets.definitions import make_definitions
from drug_assets.defs.jobs import JOB
from drug_assets.settings import Settings
from drug_assets.storage.objects import LocalFolder
from drug_assets.storage.releases import current_release, is_unchanged_since_release
from drug_assets.storage.staging import WORKSPACE
from drug_assets_tests.support import runs

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

NEW = {"pubmed_new.csv": "id,title,date,journal\n9,Ethanol once more,2021,Journal of Tests\n"}
#: The groups of the asset graph, in the order in which a person would click them.
GROUPS = ("raw", "clean", "mentions", "published")


class Place:
    """A landing zone and a store, in which a person materializes what they select."""

    def __init__(self, folder: Path) -> None:
        self.landing = runs.landing_zone(folder / "landing")
        self.store = folder / "store"
        settings = Settings.of({}, landing=str(self.landing), store=str(self.store))
        self.job = make_definitions(settings).resolve_implicit_global_asset_job_def()
        self.groups = {
            group: sorted(
                key
                for key in self.job.asset_layer.executable_asset_keys
                if self.job.asset_layer.get(key).group_name == group
            )
            for group in GROUPS
        }

    def land(self) -> None:
        runs.landing_zone(self.landing, NEW)

    def materialize(self, keys: Iterable[dg.AssetKey], *, checks: bool = True) -> str | None:
        """Materialize a selection; the message of its failure, if it failed."""
        keys = list(keys)
        selected = self.job.get_subset(
            asset_selection=set(keys), asset_check_selection=None if checks else set()
        )
        result = selected.execute_in_process(raise_on_error=False)
        failures = [event for event in result.all_events if event.is_step_failure]
        if not failures:
            assert result.success
            return None
        failure = failures[-1].step_failure_data
        told = failure.user_failure_data
        return str(told.description if told and told.description else failure.error)

    def group(self, name: str, *, without: str = "") -> list[dg.AssetKey]:
        return [key for key in self.groups[name] if key.path[-1] != without]

    def in_workspace(self) -> set[str]:
        names = {o.name for o in LocalFolder(self.store).objects(WORKSPACE)}
        return {name.removeprefix(WORKSPACE) for name in names if "/." not in name}


@pytest.fixture(scope="module")
def released(tmp_path_factory: pytest.TempPathFactory) -> Place:
    """Everything was released once."""
    place = Place(tmp_path_factory.mktemp("released"))
    assert runs.run(place.landing, place.store).succeeded
    return place


@pytest.fixture
def place(released: Place, tmp_path: Path) -> Place:
    runs.copy(released.store, tmp_path / "store")
    return Place(tmp_path)


@pytest.mark.slow
def test_part_of_the_assets_is_made_in_the_workspace_and_released_by_nobody(place: Place) -> None:
    before = runs.outputs(place.store)
    assert place.materialize([dg.AssetKey("journal_drugs"), dg.AssetKey("top_journal")]) is None
    assert place.in_workspace() == {"journal_drugs.parquet", "top_journal.parquet"}
    workspace = place.store / WORKSPACE
    for name in place.in_workspace():
        assert (workspace / name).read_bytes() == before[name], "made from the release"
    assert runs.outputs(place.store) == before
    assert place.materialize([dg.AssetKey("raw_pubmed")]) is None
    assert runs.outputs(place.store) == before


def test_asset_that_was_never_made_says_so_in_one_line(tmp_path: Path) -> None:
    place = Place(tmp_path)
    failure = place.materialize([dg.AssetKey("mentions")])
    assert failure is not None
    assert "was never made in" in failure
    assert "materialize it, or everything" in failure


@pytest.mark.slow
@pytest.mark.parametrize(
    "groups", [("raw",), ("published",), ("raw", "published"), ("raw", "clean")]
)
def test_release_of_outputs_that_do_not_belong_together_is_refused(
    place: Place, groups: tuple[str, ...]
) -> None:
    """Whichever groups are materialized after a landing, unless it is all of them."""
    before = runs.outputs(place.store)
    place.land()
    for group in groups:
        assert place.materialize(place.group(group, without="release")) is None
    failure = place.materialize([dg.AssetKey("release")])
    assert failure is not None
    assert failure.startswith("nothing was released: ")
    assert "not made from the landing zone and the rules as they are now" in failure
    assert runs.outputs(place.store) == before
    zone, store = LocalFolder(place.landing), LocalFolder(place.store)
    release = current_release(store)
    assert release is not None
    assert not is_unchanged_since_release(zone, store, release.read_summary()["rules"])


@pytest.mark.slow
def test_group_by_group_ends_in_the_release_that_one_run_makes(
    place: Place, released: Place, tmp_path: Path
) -> None:
    place.land()
    for group in GROUPS:
        assert place.materialize(place.group(group)) is None
    at_once = runs.run(place.landing, runs.copy(released.store, tmp_path / "at_once"))
    assert runs.outputs(place.store) == runs.outputs(at_once.store)


@pytest.mark.slow
def test_landing_after_a_part_was_made_is_noticed(place: Place) -> None:
    assert place.materialize(place.group("raw")) is None
    place.land()
    for group in GROUPS[1:]:
        failure = place.materialize(place.group(group))
    assert failure is not None
    assert "landing zone and the rules as they are now" in failure


@pytest.mark.slow
def test_release_of_outputs_that_were_not_checked_is_refused(place: Place) -> None:
    before = runs.outputs(place.store)
    place.land()
    everything = [key for group in GROUPS for key in place.group(group)]
    failure = place.materialize(everything, checks=False)
    assert failure is not None
    assert "the run left out the blocking checks" in failure
    assert "clinical_trials: contract" in failure
    for group in GROUPS:
        failure = place.materialize(place.group(group), checks=False)
    assert failure is not None
    assert "did not pass on these very outputs" in failure
    assert runs.outputs(place.store) == before
    checks = place.job.asset_layer.asset_graph.asset_check_keys
    selected = place.job.get_subset(asset_selection=set(), asset_check_selection=set(checks))
    assert selected.execute_in_process().success
    assert place.materialize([dg.AssetKey("release")]) is None
    assert runs.outputs(place.store) != before


@pytest.mark.slow
def test_run_of_everything_ignores_the_workspace(place: Place) -> None:
    before = runs.outputs(place.store)
    assert place.materialize(place.group("raw")) is None
    assert place.in_workspace()
    for name in place.in_workspace():
        (place.store / WORKSPACE / name).write_bytes(b"damaged")
    assert runs.run(place.landing, place.store).succeeded
    assert runs.outputs(place.store) == before


def refuse(*_: object) -> None:
    raise ValueError("not today")


def job_of_variables() -> dg.JobDefinition:
    """The main job as Dagster loads it anew to start a run again."""
    return make_definitions(Settings.of()).resolve_job_def(JOB)


@pytest.mark.slow
def test_run_taken_up_from_its_failure_goes_on_with_what_was_staged(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    landing, store = runs.landing_zone(tmp_path / "landing"), tmp_path / "store"
    monkeypatch.setenv("DRUG_ASSETS_LANDING", str(landing))
    monkeypatch.setenv("DRUG_ASSETS_STORE", str(store))
    monkeypatch.setenv("DRUG_ASSETS_STOP_LIST", str(tmp_path / "stop.csv"))
    stop_list = "name,reason\nrats,a word\n"
    (tmp_path / "stop.csv").write_text(stop_list)
    job = dg.reconstructable(job_of_variables)
    home = tmp_path / "home"
    home.mkdir()
    with dg.DagsterInstance.local_temp(str(home)) as instance:

        def fail() -> str:
            # The last step reads the stop list again.
            from drug_assets.defs import release as release_asset

            with monkeypatch.context() as patch:
                patch.setattr(release_asset, "_require_checked", refuse)
                failed = dg.execute_job(job, instance)
            assert not failed.success
            return failed.run_id

        def take_up(run: str) -> dg.JobExecutionResult:
            options = dg.ReexecutionOptions.from_failure(run, instance)
            return dg.execute_job(job, instance, reexecution_options=options)

        failed = fail()
        staged = store / ".staging" / failed
        assert (staged / "mentions.parquet").is_file()
        assert not (store / "latest").exists()
        again = take_up(failed)
        assert again.success
        steps = {event.step_key for event in again.all_events if event.is_step_success}
        released = runs.outputs(store)
        (landing / "pubmed_9.csv").write_text("id,title,date,journal\n9,Mice,2020,Tests\n")
        failed = fail()
        (tmp_path / "stop.csv").write_text(f"{stop_list}mice,a word\n")
        with_other_rules = take_up(failed)
        (failure,) = (e for e in with_other_rules.all_events if e.is_step_failure)
        error = failure.step_failure_data.error
        assert error is not None
        told = error.to_string()
        assert "the rules (code, libraries or settings) changed since this run began" in told
        assert not (store / ".staging" / failed).exists()
        assert runs.outputs(store) == released
        (landing / "pubmed_9.csv").unlink()
        (tmp_path / "stop.csv").write_text(stop_list)
    assert steps == {"release"}
    assert not staged.exists()
    monkeypatch.delenv("DRUG_ASSETS_STOP_LIST")
    at_once = runs.run(
        landing, tmp_path / "other", DRUG_ASSETS_STOP_LIST=str(tmp_path / "stop.csv")
    )
    assert runs.outputs(store) == runs.outputs(at_once.store)
