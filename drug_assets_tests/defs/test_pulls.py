"""The pulls as assets: what they land, and that nothing is asked for without a query."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import dagster as dg
import pytest

from drug_assets import sources
from drug_assets.definitions import make_definitions
from drug_assets.defs import pulls
from drug_assets.defs.resources import make_resources
from drug_assets.fetch import FetchRequestError, ServiceRefused, ServiceUnavailable
from drug_assets.settings import Settings
from drug_assets.storage.landed_files import list_landed_objects
from drug_assets.storage.objects import LocalFolder, StorageError
from drug_assets_tests.support.loopback_services import Trials
from drug_assets_tests.support.registry import CLINICAL_TRIALS

if TYPE_CHECKING:
    from pathlib import Path


def metadata(result: dg.ExecuteInProcessResult, asset: str) -> dict[str, Any]:
    (made,) = result.asset_materializations_for_node(asset)
    return {name: value.value for name, value in made.metadata.items()}


def pulled(settings: Settings) -> dg.ExecuteInProcessResult:
    return dg.materialize(pulls.pulls, resources={"pulls": make_resources(settings)["pulls"]})


def test_without_a_query_nothing_is_asked_for(tmp_path: Path) -> None:
    result = pulled(Settings(landing=str(tmp_path)))
    assert result.success
    for source in ("pubmed", "clinical_trials"):
        assert (
            f"DRUG_ASSETS_{source.upper()}_QUERY" in metadata(result, f"{source}_pull")["skipped"]
        )
    assert list(tmp_path.iterdir()) == []


def test_the_key_is_in_no_configuration(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NCBI_API_KEY", "a-secret-key")
    settings = Settings.of()
    shown = repr(settings) + repr(make_resources(settings)["pulls"])
    assert "a-secret-key" not in shown


def test_the_main_job_leaves_the_pulls_out_and_a_schedule_runs_them() -> None:
    defs = make_definitions(Settings())
    main = defs.resolve_job_def("drug_mentions").asset_layer.selected_asset_keys
    apart = defs.resolve_job_def("pulls").asset_layer.selected_asset_keys
    assert {key.path[-1] for key in apart} == {"pubmed_pull", "clinical_trials_pull"}
    assert not main & apart
    assert defs.resolve_schedule_def("nightly_pulls").job_name == "pulls"


def test_what_is_pulled_lands_as_files_of_its_source(tmp_path: Path) -> None:
    with Trials(3) as service:
        settings = Settings(
            landing=str(tmp_path),
            queries={"clinical_trials": "aspirin"},
            service_urls={"clinical_trials": service.url},
        )
        result = pulled(settings)
    assert result.success
    files = metadata(result, "clinical_trials_pull")["files"]
    assert files
    assert all(sources.source_of_file(name) is CLINICAL_TRIALS for name in files)
    assert all((tmp_path / name).is_file() for name in files)


@pytest.mark.parametrize(
    ("error", "again"),
    [
        (ServiceUnavailable("HTTP 503"), True),
        (ServiceRefused("it answered 400: a bad query"), False),
        (FetchRequestError("the query is blank"), False),
        (StorageError("there is no bucket"), False),
    ],
)
def test_pull_is_tried_again_only_if_the_service_may_answer_later(
    error: Exception, again: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise error

    monkeypatch.setattr("drug_assets.fetch.fetch", fail)
    settings = Settings(landing=str(tmp_path), queries={"pubmed": "aspirin"})
    (pull,) = [each for each in pulls.pulls if each.key.path == ["pubmed_pull"]]
    with pytest.raises(dg.Failure) as raised:
        pull(dg.build_asset_context(), pulls=make_resources(settings)["pulls"])
    assert raised.value.allow_retries == again
    assert raised.value.description == str(error)


def test_what_changed_within_a_week_is_asked_for(tmp_path: Path) -> None:
    with Trials(3) as service:
        settings = Settings(
            landing=str(tmp_path),
            queries={"clinical_trials": "aspirin or paracetamol"},
            service_urls={"clinical_trials": service.url},
        )
        before = datetime.now(tz=UTC).date()
        result = pulled(settings)
        days = {before, datetime.now(tz=UTC).date()}
    assert {asked.fields["query.term"] for asked in service.asked} == {"aspirin or paracetamol"}
    asked_for = {asked.fields["filter.advanced"] for asked in service.asked}
    assert asked_for & {
        f"AREA[LastUpdatePostDate]RANGE[{day - timedelta(days=7)},MAX]" for day in days
    }
    assert metadata(result, "clinical_trials_pull") == {
        "records": 3,
        "files": [found.name for found in list_landed_objects(LocalFolder(tmp_path))],
        "requests": len(service.asked),
        "warnings": [],
    }
    assert metadata(result, "pubmed_pull") == {
        "skipped": "no query: set DRUG_ASSETS_PUBMED_QUERY to pull from PubMed",
        "records": 0,
    }


def test_a_pull_that_the_service_refuses_fails_with_its_words(tmp_path: Path) -> None:
    with Trials(3) as service:
        settings = Settings(
            landing=str(tmp_path),
            queries={"clinical_trials": "((("},
            service_urls={"clinical_trials": service.url},
        )
        (pull,) = (each for each in pulls.pulls if each.key.path[-1] == "clinical_trials_pull")
        made: Any = make_resources(settings)["pulls"]
        with (
            dg.build_asset_context() as context,
            pytest.raises(dg.Failure, match="unbalanced"),
        ):
            pull(context, made)
    assert list_landed_objects(LocalFolder(tmp_path)) == []
