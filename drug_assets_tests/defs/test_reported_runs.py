"""What the sensors tell of runs that Dagster started: a job, or assets that a person chose."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import dagster as dg
import pytest

from drug_assets import logs
from drug_assets.definitions import make_definitions
from drug_assets.defs import notifications
from drug_assets.defs.jobs import JOB
from drug_assets.settings import Settings
from drug_assets_tests.support import runs
from drug_assets_tests.support.webhook import Webhook

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.slow

CHOSEN = "__ASSET_JOB"


class Dagster:
    """A place in which the UI starts runs, and the daemon looks at how they ended."""

    def __init__(self, folder: Path, instance: dg.DagsterInstance) -> None:
        self.landing = runs.landing_zone(folder / "landing")
        self.store = folder / "store"
        settings = Settings.of({}, landing=str(self.landing), store=str(self.store))
        self.definitions = make_definitions(settings)
        self.instance = instance
        self.told: list[dict[str, Any]] = []

    def assets(self) -> set[str]:
        """The names of all assets."""
        keys = self.definitions.resolve_job_def(CHOSEN).asset_layer.executable_asset_keys
        return {key.path[-1] for key in keys}

    def run(
        self, *assets: str, job: str = CHOSEN, tags: dict[str, str] | None = None
    ) -> dg.ExecuteInProcessResult:
        """A run of a job, or of chosen assets with their checks."""
        found = self.definitions.resolve_job_def(job)
        chosen = [dg.AssetKey(asset) for asset in assets] or None
        if job == CHOSEN and chosen is None:
            chosen = sorted(found.asset_layer.executable_asset_keys)
        return found.execute_in_process(
            instance=self.instance, asset_selection=chosen, raise_on_error=False, tags=tags
        )

    def report(
        self, result: dg.ExecuteInProcessResult, capsys: pytest.CaptureFixture[str]
    ) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
        """The events and the messages of the webhook that the sensors write of a run."""
        capsys.readouterr()
        run = self.instance.get_run_by_id(result.run_id)
        assert run is not None
        name, kind = (
            ("run_succeeded", "PIPELINE_SUCCESS")
            if result.success
            else ("run_failed", "PIPELINE_FAILURE")
        )
        (event,) = [e for e in result.all_events if e.event_type_value == kind]
        context = dg.build_run_status_sensor_context(name, event, self.instance, run)
        with Webhook() as webhook:
            if result.success:
                succeeded: Any = notifications.run_succeeded
                succeeded(context)
            else:
                notifications.make_failure_sensor(webhook.url)(context.for_run_failure())
        lines = capsys.readouterr().err.splitlines()
        return [json.loads(line) for line in lines if '"event"' in line], webhook.messages


@pytest.fixture
def dagster(tmp_path: Path) -> Iterator[Dagster]:
    with dg.DagsterInstance.ephemeral() as instance:
        yield Dagster(tmp_path, instance)


def test_sensors_watch_every_run_of_the_code_location() -> None:
    sensors: list[Any] = [notifications.make_failure_sensor(None), notifications.run_succeeded]
    assert [sensor._monitored_jobs for sensor in sensors] == [[], []]


@pytest.mark.parametrize("job", [JOB, CHOSEN])
def test_run_that_released_is_told_with_its_figures_whoever_started_it(
    dagster: Dagster, job: str, capsys: pytest.CaptureFixture[str]
) -> None:
    result = dagster.run(job=job)
    assert result.success
    ((event,), messages) = dagster.report(result, capsys)
    name = JOB if job == JOB else f"the materialization of {len(dagster.assets())} chosen assets"
    assert event["event"] == logs.RUN_SUCCEEDED
    assert event["message"] == f"{name} succeeded"
    assert (event["rows_in"], event["rows_rejected"], event["mentions"]) == (8, 1, 4)
    assert messages == []


def test_release_alone_is_told_with_the_figures_of_all_that_it_released(
    dagster: Dagster, capsys: pytest.CaptureFixture[str]
) -> None:
    assert dagster.run(*sorted(dagster.assets() - {"release"})).success
    result = dagster.run("release")
    assert result.success
    ((event,), _) = dagster.report(result, capsys)
    assert event["message"] == "the materialization of 1 chosen asset succeeded"
    assert (event["rows_in"], event["rows_rejected"], event["mentions"]) == (8, 1, 4)


@pytest.mark.parametrize("job", [JOB, CHOSEN])
def test_run_that_failed_is_told_with_the_cause_and_what_was_to_be_made(
    dagster: Dagster, job: str, capsys: pytest.CaptureFixture[str]
) -> None:
    (dagster.landing / "pubmed_2.csv.gz").write_bytes(b"\x1f\x8b\x08\x00cut")
    result = dagster.run(job=job)
    assert not result.success
    ((event,), (message,)) = dagster.report(result, capsys)
    name = JOB if job == JOB else f"the materialization of {len(dagster.assets())} chosen assets"
    assert (event["event"], event["outcome"]) == (logs.RUN_FAILED, logs.FAILED)
    assert event["message"].startswith(
        f"{name} failed: read_landing_zone (landed_files, raw_clinical_trials, raw_drugs, "
        "raw_pubmed): 1 file of the landing zone cannot be read:\n- pubmed_2.csv.gz: "
    )
    assert message["text"] == event["message"]
    assert "Steps failed" not in event["message"]


def test_failed_blocking_check_is_told_by_name(
    dagster: Dagster, capsys: pytest.CaptureFixture[str]
) -> None:
    assert dagster.run(job=JOB).success
    (dagster.landing / "pubmed.csv").unlink()
    result = dagster.run(job=JOB)
    ((event,), _) = dagster.report(result, capsys)
    assert event["message"].startswith(
        f"{JOB} failed: landed_files: every_source_landed: no row of pubmed (in the last release "
    )
    assert event["outcome"] == logs.EMPTY


def test_refused_release_is_told_with_the_cure(
    dagster: Dagster, capsys: pytest.CaptureFixture[str]
) -> None:
    """The row `nothing was released: …` of docs/operations.md."""
    assert dagster.run(job=JOB).success
    runs.landing_zone(dagster.landing, {"pubmed_new.csv": "id,title\n9,Aspirin again\n"})
    assert dagster.run("landed_files", "raw_pubmed").success
    result = dagster.run("release")
    ((event,), (message,)) = dagster.report(result, capsys)
    assert event["message"].startswith(
        "the materialization of 1 chosen asset failed: release: nothing was released: "
    )
    assert event["message"].endswith("Materialize everything, or run the job drug_mentions")
    assert event["outcome"] == logs.REFUSED
    assert message["text"] == event["message"]
    assert not [e for e in result.all_events if e.is_step_up_for_retry]


def test_runs_that_release_nothing_or_tell_of_themselves_are_not_told(
    dagster: Dagster, capsys: pytest.CaptureFixture[str]
) -> None:
    of_itself = dagster.run(job=JOB, tags={notifications.REPORTED: "yes"})
    for result in (of_itself, dagster.run("journals"), dagster.run("clinical_trials_pull")):
        assert result.success
        assert dagster.report(result, capsys) == ([], [])
    (dagster.landing / "pubmed_2.csv.gz").write_bytes(b"\x1f\x8b\x08\x00cut")
    failed = dagster.run("landed_files", "raw_pubmed")
    assert not failed.success
    assert dagster.report(failed, capsys) == ([], [])


def test_run_without_a_failed_step_is_told_with_what_dagster_knows(
    dagster: Dagster, capsys: pytest.CaptureFixture[str]
) -> None:
    """Its worker died, or never started."""
    result = dagster.run(job=JOB)
    run: Any = dagster.instance.get_run_by_id(result.run_id)
    event = dg.DagsterEvent(
        dg.DagsterEventType.RUN_FAILURE.value, JOB, message="the worker died: out of memory"
    )
    context = dg.build_run_status_sensor_context("run_failed", event, dagster.instance, run)
    capsys.readouterr()
    notifications.make_failure_sensor(None)(context.for_run_failure())
    (line,) = [e for e in capsys.readouterr().err.splitlines() if '"event"' in e]
    assert json.loads(line)["message"] == f"{JOB} failed: the worker died: out of memory"


# What a person can choose


@pytest.mark.parametrize(
    "asset", ["drugs", "merged_drugs", "pubmed", "merged_pubmed", "clinical_trials", "raw_pubmed"]
)
def test_each_table_of_an_operation_can_be_made_alone(dagster: Dagster, asset: str) -> None:
    assert dagster.run(job=JOB).success
    before = runs.outputs(dagster.store)
    result = dagster.run(asset)
    assert result.success
    made = [event.asset_key for event in result.get_asset_materialization_events()]
    assert made == [dg.AssetKey(asset)]
    assert runs.outputs(dagster.store) == before


# What the release shows


def test_release_shows_figures_answers_checks_and_what_is_new(dagster: Dagster) -> None:
    def shown() -> dict[str, Any]:
        result = dagster.run(job=JOB)
        assert result.success
        (event,) = [
            e
            for e in result.get_asset_materialization_events()
            if e.asset_key == dg.AssetKey("release")
        ]
        metadata = event.step_materialization_data.materialization.metadata
        return {name: value.value for name, value in metadata.items()}

    first = shown()
    summary = json.loads((dagster.store / "latest" / "release.json").read_text())
    assert first["rows"] == summary["rows"]
    assert (first["mentions"], first["drugs"], first["landed_files"]) == (4, 3, 3)
    assert first["blocking_checks_passed"] == summary["checks"] > 20
    assert first["top_journal"] == "Journal of Tests; Letters of Tests (2 drugs)"
    assert first["related_drugs"] == "ASPIRIN: PARACETAMOL"
    assert first["what_is_new"] == "Nothing to compare with yet."
    runs.landing_zone(
        dagster.landing,
        {"pubmed_new.csv": "id,title,date,journal\n9,Ethanol and aspirin,2021,Journal of Tests\n"},
    )
    second = shown()
    assert (second["new_files"], second["removed_files"], second["new_mentions"]) == (1, 0, 2)
    assert (second["first_mentions_in_a_journal"], second["rules_changed"]) == (1, False)
    assert second["what_is_new"] == (
        "1 file (pubmed_new.csv) landed or changed, 0 files removed. Mentions: 2 added. "
        "First mention of a drug in a journal: ETHANOL in Journal of Tests (2021)."
    )
    third = shown()
    assert third["what_is_new"] == "Nothing: the release holds the same, and stays current."


def test_release_is_to_be_made_every_day() -> None:
    specs = {s.key.path[-1]: s for s in make_definitions(Settings()).resolve_all_asset_specs()}
    policy: Any = specs["release"].freshness_policy
    assert policy.warn_window.to_timedelta().total_seconds() == 24 * 3600
    assert policy.fail_window.to_timedelta().total_seconds() == 48 * 3600
