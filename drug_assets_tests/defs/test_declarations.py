"""What Dagster shows and does without running anything: words, jobs, schedules, retries, places."""

import logging
import re
from collections.abc import Iterator, Mapping
from typing import Any

import dagster as dg
import pytest

from drug_assets.definitions import make_definitions
from drug_assets.defs import assets, pulls, release, resources
from drug_assets.defs.io_managers import Documents, TablesByFile, WholeTables
from drug_assets.defs.jobs import JOB
from drug_assets.defs.mesh_trees import ChosenTrees
from drug_assets.defs.notifications import make_failure_sensor, run_succeeded
from drug_assets.defs.places import Place, WarehousePlace, Workers
from drug_assets.defs.progress import ProgressLog
from drug_assets.defs.stop_list import StopListFile
from drug_assets.documents import DOCUMENTS
from drug_assets.engines.local import LocalMachine
from drug_assets.settings import Settings, SettingsError
from drug_assets.sources.tables import TABLES
from drug_assets.storage.objects import LocalFolder, StorageError

OURS = make_definitions(Settings())
CLOUD: Mapping[str, str] = {
    "DRUG_ASSETS_ENV": "bigquery",
    "DRUG_ASSETS_LANDING": "gs://bucket/landing",
    "DRUG_ASSETS_STORE": "gs://bucket/store",
    "DRUG_ASSETS_BIGQUERY_PROJECT": "project",
    "DRUG_ASSETS_BIGQUERY_DATASET": "dataset",
    "DRUG_ASSETS_BIGQUERY_LOCATION": "EU",
}


def asset_specs() -> dict[str, dg.AssetSpec]:
    return {spec.key.to_user_string(): spec for spec in OURS.resolve_all_asset_specs()}


# Words


def descriptions() -> Iterator[tuple[str, str | None]]:
    for name, spec in asset_specs().items():
        yield name, spec.description
    for checks in OURS.asset_checks or ():
        for check in checks.check_specs:
            yield check.key.to_user_string(), check.description
    found: Any = [*(OURS.jobs or ()), *(OURS.schedules or ()), *(OURS.sensors or ())]
    for each in found:
        yield each.name, each.description


@pytest.mark.parametrize(("name", "description"), sorted(descriptions()))
def test_everything_is_described_in_whole_sentences(name: str, description: str | None) -> None:
    assert re.fullmatch(r"[A-Z].*[a-z.]\.", description or "", re.DOTALL), name


def test_assets_are_shown_with_their_kinds_and_their_owners() -> None:
    documents = {name: {"polars", document.kind} for name, document in DOCUMENTS.items()}
    expected = {
        **{table: {"polars", "parquet"} for table in TABLES},
        **documents,
        **{f"{source}_pull": {"api"} for source in ("pubmed", "clinical_trials")},
        "landing_zone": {"file"},
        "release": {"json"},
    }
    specs = asset_specs()
    assert {name: spec.kinds for name, spec in specs.items()} == expected
    assert {tuple(spec.owners) for spec in specs.values()} == {("team:drug-assets",)}


def test_services_are_named_in_their_pulls() -> None:
    specs = asset_specs()
    for name, service in (("pubmed", "PubMed"), ("clinical_trials", "ClinicalTrials.gov")):
        assert specs[f"{name}_pull"].description == (
            f"Records that {service} changed in the last 7 days, landed as files."
        )


def test_operations_are_named_for_what_they_make() -> None:
    names = {node.name for node in OURS.resolve_job_def(JOB).graph.nodes}
    assert names >= {
        *("read_landing_zone", "clean_records", "cleaned_drugs", "find_drugs_named"),
        *("cleaned_pubmed", "cleaned_clinical_trials", "journals", "rejected_records"),
        *("mentions", "journal_drugs", "top_journal", "drug_graph", "release"),
        *("check_drug_graph", "check_mentions", "warn_pubmed", "warn_clinical_trials"),
    }


# Jobs and when they run


def test_jobs_and_schedules() -> None:
    schedules: Any = OURS.schedules
    assert {s.name: (s.job_name, s.cron_schedule, s.execution_timezone) for s in schedules} == {
        "daily": ("drug_mentions", "0 5 * * *", "UTC"),
        "nightly_pulls": ("pulls", "0 3 * * *", "UTC"),
    }
    assert {s.default_status for s in schedules} == {dg.DefaultScheduleStatus.STOPPED}
    jobs: Any = OURS.jobs
    assert [job.name for job in jobs] == ["drug_mentions", "pulls"]
    assert OURS.resolve_job_def("drug_mentions").tags == {"drug_assets/writes": "store"}


@pytest.mark.parametrize(
    ("landing", "status"),
    [("data", dg.DefaultSensorStatus.STOPPED), ("gs://b/x", dg.DefaultSensorStatus.RUNNING)],
)
def test_the_sensor_of_the_landing_zone_runs_where_it_is_a_bucket(
    landing: str, status: dg.DefaultSensorStatus
) -> None:
    sensors: Any = make_definitions(Settings(landing=landing)).sensors
    (sensor,) = (each for each in sensors if each.name == "landing_zone_sensor")
    assert sensor.default_status == status
    assert sensor.minimum_interval_seconds == 30
    assert [target.job_name for target in sensor.targets] == ["drug_mentions"]


def test_runs_of_every_job_are_watched_for_their_end() -> None:
    sensors: list[Any] = [make_failure_sensor(None), run_succeeded]
    assert [sensor.name for sensor in sensors] == ["run_failed", "run_succeeded"]
    for sensor in sensors:
        assert sensor.default_status == dg.DefaultSensorStatus.RUNNING
        assert sensor._monitored_jobs == []


def test_everything_runs_in_one_process() -> None:
    assert OURS.executor is dg.in_process_executor


@pytest.mark.parametrize(("text", "level"), [("json", logging.INFO), ("text", logging.INFO)])
def test_runs_log_in_the_format_of_the_settings(text: str, level: int) -> None:
    loggers = make_definitions(Settings(log_format=text)).loggers or {}
    assert list(loggers) == ["console"]
    logger = dg.build_init_logger_context(logger_config={"log_level": "INFO"})
    made = loggers["console"].logger_fn(logger)
    (handler,) = made.handlers
    assert ("Cloud" in type(handler.formatter).__name__) == (text == "json")
    assert (made.level, made.propagate) == (level, False)


# What is tried again


def test_no_step_is_tried_again_whatever_happened() -> None:
    """`failures.explain_failures` decides by the reason; only pulls have a policy."""
    made = [*assets.MADE, release.release]
    assert [each.op.retry_policy for each in made] == [None] * len(made)


def test_pulls_are_tried_again_after_minutes_one_at_a_time_for_each_service() -> None:
    later = dg.RetryPolicy(max_retries=2, delay=60, backoff=dg.Backoff.EXPONENTIAL)
    found = {each.op.name: (each.op.retry_policy, each.op.pool) for each in pulls.pulls}
    assert found == {
        "pubmed_pull": (later, "pubmed_service"),
        "clinical_trials_pull": (later, "clinical_trials_service"),
    }


# Places and what stands behind the assets


def test_a_folder_is_a_place_without_google(tmp_path: Any) -> None:
    settings = Settings.of({}, landing=str(tmp_path / "no"), store=str(tmp_path / "store"))
    made: Any = resources.make_resources(settings)
    workplace = made["workplace"]
    assert workplace.store == Place(location=settings.store)
    assert workplace.store.open().objects() == [], "a store that is not there yet is empty"
    with pytest.raises(StorageError, match="there is no folder"):
        made["landing_zone"].open().objects()
    assert isinstance(workplace.store.open(), LocalFolder)
    assert made["engine"].open() == LocalMachine(32 * 1024**2)
    assert Workers(worth_bytes=1).open() == LocalMachine(1)
    assert made["tables"] == WholeTables(workplace=workplace)
    assert made["progress"] == ProgressLog(watcher=None)
    assert made["progress"].every_seconds == 10
    assert made["tables_by_file"] == TablesByFile(
        workplace=workplace, engine=Workers(), progress=made["progress"]
    )
    assert made["documents"] == Documents(workplace=workplace)
    assert made["stop_list"] == workplace.stop_list == StopListFile()
    assert made["mesh_trees"] == workplace.mesh_trees == ChosenTrees()
    assert workplace.landing_zone == made["landing_zone"]
    assert workplace.keep_releases == 10
    assert workplace.warehouse == WarehousePlace()
    assert workplace.warehouse.open() is None
    assert workplace.warehouse.name("drugs") is None


def test_places_of_google_are_those_of_the_settings() -> None:
    pytest.importorskip("google.cloud.bigquery", reason="Google's clients are not installed")
    made: Any = resources.make_resources(Settings.of(CLOUD))
    assert (made["landing_zone"].location, made["landing_zone"].must_exist) == (
        "gs://bucket/landing",
        True,
    )
    workplace = made["workplace"]
    assert workplace.store.location == "gs://bucket/store"
    assert workplace.warehouse == WarehousePlace(
        project="project", dataset="dataset", location="EU"
    )
    assert workplace.warehouse.name("drugs") == "project.dataset.drugs"
    for name in ("tables", "tables_by_file", "documents"):
        assert made[name].workplace == workplace


def test_warehouse_is_the_dataset_of_its_place(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("google.cloud.bigquery", reason="Google's clients are not installed")
    monkeypatch.setenv("BIGQUERY_EMULATOR_HOST", "http://127.0.0.1:9")
    opened: Any = WarehousePlace(project="project", dataset="dataset", location="EU").open()
    assert opened.dataset.name("drugs") == "project.dataset.drugs"
    assert opened.dataset.__reduce__()[1] == ("project", "dataset", "EU")


def test_without_bigquery_a_dataset_that_is_named_is_not_published_to() -> None:
    variables = {**CLOUD, "DRUG_ASSETS_ENV": "local", "DRUG_ASSETS_STORE": "store"}
    made: Any = resources.make_resources(Settings.of(variables))
    assert made["workplace"].store == Place(location="store")
    assert made["workplace"].warehouse == WarehousePlace()


@pytest.mark.parametrize("missing", ["bigquery_project", "bigquery_dataset"])
def test_bigquery_without_a_project_or_a_dataset_is_refused(missing: str) -> None:
    named = {"bigquery_project": "project", "bigquery_dataset": "dataset"}
    del named[missing]
    settings = Settings("bigquery", "gs://b/landing", "gs://b/store", **named)  # type: ignore[arg-type]
    with pytest.raises(SettingsError, match=r"is bigquery: name a project and a dataset$"):
        resources.make_resources(settings)


def test_pulls_know_what_the_settings_ask_for(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = Settings(
        landing="zone",
        queries={"pubmed": "aspirin"},
        service_urls={"pubmed": "http://127.0.0.1:9"},
        ncbi_email="me@example.org",
    )
    made: Any = resources.make_resources(settings)["pulls"]
    assert (made.landing, made.queries, made.urls, made.email) == (
        *("zone", {"pubmed": "aspirin"}, {"pubmed": "http://127.0.0.1:9"}, "me@example.org"),
    )
    monkeypatch.setenv("NCBI_API_KEY", "a-secret-key")
    assert made.api_key() == "a-secret-key"
    monkeypatch.delenv("NCBI_API_KEY")
    assert made.api_key() is None


# The definitions as a whole


def test_resources_may_be_replaced() -> None:
    instead = Place(location="elsewhere")
    found = make_definitions(Settings(), {"store": instead}).resources or {}
    assert found["store"] is instead
    assert found["landing_zone"] == resources.make_resources(Settings())["landing_zone"]


def test_notes_of_the_settings_are_logged(caplog: pytest.LogCaptureFixture) -> None:
    settings = Settings.of({"DRUG_ASSETS_ENV": "gcs"}, landing="data", store="store")
    assert settings.notes
    make_definitions(settings)
    logged = [record.getMessage() for record in caplog.records if record.levelname == "WARNING"]
    assert logged == list(settings.notes)
