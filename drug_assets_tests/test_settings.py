"""Settings: flags over variables over defaults, and what is refused."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from drug_assets.settings import ENVIRONMENTS, Settings, SettingsError, logs_are_collected

if TYPE_CHECKING:
    from pathlib import Path


def test_defaults() -> None:
    assert Settings.of({}) == Settings(environment="local", landing="data", store="output")


def test_variables_are_read() -> None:
    settings = Settings.of(
        {
            "DRUG_ASSETS_ENV": "bigquery",
            "DRUG_ASSETS_LANDING": "gs://bucket/landing",
            "DRUG_ASSETS_STORE": "gs://bucket/store",
            "DRUG_ASSETS_BIGQUERY_PROJECT": "project",
            "DRUG_ASSETS_BIGQUERY_DATASET": "dataset",
            "DRUG_ASSETS_BIGQUERY_LOCATION": "EU",
        }
    )
    assert settings == Settings(
        "bigquery", "gs://bucket/landing", "gs://bucket/store", "project", "dataset", "EU"
    )


def test_variables_of_the_process_are_read_where_none_are_given(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("DRUG_ASSETS_STORE", "elsewhere")
    assert Settings.of().store == "elsewhere"


def test_every_other_variable_is_read() -> None:
    variables = {
        "DRUG_ASSETS_STOP_LIST": "list.csv",
        "DRUG_ASSETS_MESH_TREES": "D02 -D08",
        "DRUG_ASSETS_MENTION_RULES": "ion, abbreviation ion",
        "DRUG_ASSETS_GRAPH_DRUGS": "7",
        "DRUG_ASSETS_EXPORTS": "mentions.xlsx, journals.gexf mentions.xlsx",
        "NCBI_API_KEY": "key",
        "NCBI_EMAIL": "a@b.org",
        "DRUG_ASSETS_LOG_FORMAT": "json",
        "DRUG_ASSETS_FAILURE_WEBHOOK": "https://x.test",
        "DRUG_ASSETS_SERVED_AT": "https://drugs.test/explorer/",
        "DRUG_ASSETS_ENGINE": "spark",
        "DRUG_ASSETS_SPARK": "sc://spark.test:15002/;token=t",
        "DRUG_ASSETS_SPARK_IMAGE": "registry.test/executor@sha256:0",
    }
    settings = Settings.of({name: f" {value}\n" for name, value in variables.items()})
    assert settings == Settings(
        stop_list="list.csv",
        mesh_trees="D02 -D08",
        mention_rules="abbreviation ion",
        graph_drugs=7,
        exports="journals.gexf mentions.xlsx",
        ncbi_api_key="key",
        ncbi_email="a@b.org",
        log_format="json",
        failure_webhook="https://x.test",
        served_at="https://drugs.test/explorer/",
        engine="spark",
        spark="sc://spark.test:15002/;token=t",
        spark_image="registry.test/executor@sha256:0",
    )


@pytest.mark.parametrize(
    "address", ["javascript:alert(1)", "file:///x", "drugs.test", "http://a b"]
)
def test_what_people_would_click_is_an_address_of_the_web(address: str) -> None:
    with pytest.raises(SettingsError, match=r"^DRUG_ASSETS_SERVED_AT is .* begins with http"):
        Settings.of({"DRUG_ASSETS_SERVED_AT": address})


@pytest.mark.parametrize(
    ("trees", "told"), [("D02,D03", "'D02,D03' is no tree of MeSH"), ("-D02", "chooses no tree")]
)
def test_trees_that_are_none_are_refused(trees: str, told: str) -> None:
    with pytest.raises(SettingsError, match=f"^DRUG_ASSETS_MESH_TREES: .*{told}"):
        Settings.of({"DRUG_ASSETS_MESH_TREES": trees})


@pytest.mark.parametrize("word", ["name", "Ion", "plural"])
def test_rules_that_are_none_are_refused(word: str) -> None:
    told = f"^DRUG_ASSETS_MENTION_RULES: '{word}' is no rule; there are abbreviation, in_brackets,"
    with pytest.raises(SettingsError, match=told):
        Settings.of({"DRUG_ASSETS_MENTION_RULES": f"ion {word}"})


@pytest.mark.parametrize("word", ["default", "none"])
def test_exports_can_be_those_by_default_or_none(word: str) -> None:
    assert Settings.of({"DRUG_ASSETS_EXPORTS": word}).exports == word
    with pytest.raises(SettingsError, match=f"'{word}' names no file; there are mentions.graphml,"):
        Settings.of({"DRUG_ASSETS_EXPORTS": f"{word} mentions.csv"})


@pytest.mark.parametrize("name", ["graphml", "mentions", "mentions.pdf", "mentions.xlsx.gz"])
def test_exports_that_are_none_are_refused(name: str) -> None:
    with pytest.raises(SettingsError, match=r"^DRUG_ASSETS_EXPORTS: .*; or default, or none$"):
        Settings.of({"DRUG_ASSETS_EXPORTS": f"journals.gexf {name}"})


@pytest.mark.parametrize("flag", ["", " \t", None])
def test_a_blank_flag_counts_as_not_given(flag: str | None) -> None:
    assert Settings.of({"DRUG_ASSETS_STORE": "of variables"}, store=flag).store == "of variables"
    assert Settings.of({}, store=" x ", landing=flag) == Settings(store="x")


def test_a_dataset_without_its_environment_needs_no_project() -> None:
    settings = Settings.of({"DRUG_ASSETS_BIGQUERY_DATASET": "dataset"})
    assert (settings.environment, settings.bigquery_dataset) == ("local", "dataset")


def test_flags_win_over_variables() -> None:
    variables = {"DRUG_ASSETS_LANDING": "of variables", "DRUG_ASSETS_STORE": "of variables"}
    settings = Settings.of(variables, landing="of flags", store=None)
    assert (settings.landing, settings.store) == ("of flags", "of variables")


@pytest.mark.parametrize("blank", ["", "  "])
def test_blank_counts_as_not_given(blank: str) -> None:
    assert Settings.of({"DRUG_ASSETS_ENV": blank, "DRUG_ASSETS_STORE": blank}) == Settings()


def test_unknown_environment_is_refused_with_the_list() -> None:
    with pytest.raises(SettingsError, match="DRUG_ASSETS_ENV is 'prod'") as refused:
        Settings.of({"DRUG_ASSETS_ENV": "prod"})
    assert str(refused.value).endswith(f"it can be {', '.join(ENVIRONMENTS)}")


@pytest.mark.parametrize(
    "missing", ["DRUG_ASSETS_BIGQUERY_PROJECT", "DRUG_ASSETS_BIGQUERY_DATASET"]
)
def test_bigquery_needs_project_and_dataset(missing: str) -> None:
    variables = {
        "DRUG_ASSETS_ENV": "bigquery",
        "DRUG_ASSETS_BIGQUERY_PROJECT": "project",
        "DRUG_ASSETS_BIGQUERY_DATASET": "dataset",
    }
    del variables[missing]
    with pytest.raises(SettingsError, match=f"^DRUG_ASSETS_ENV is bigquery: set {missing}$"):
        Settings.of(variables)


def test_the_environment_of_earlier_versions_is_understood_with_a_note() -> None:
    settings = Settings.of({"DRUG_ASSETS_ENV": "gcs"}, store="gs://bucket")
    assert (settings.landing, settings.store) == ("data", "gs://bucket")
    (note,) = settings.notes
    assert "gs://" in note
    assert note.endswith("Unset the variable")


def test_other_environments_need_no_note() -> None:
    assert Settings.of({}).notes == []


def test_queries_and_addresses_of_services_are_given_by_source() -> None:
    settings = Settings.of(
        {
            "DRUG_ASSETS_PUBMED_QUERY": " aspirin ",
            "DRUG_ASSETS_CLINICAL_TRIALS_QUERY": "ibuprofen",
            "DRUG_ASSETS_CLINICAL_TRIALS_URL": "https://mirror.example",
            "DRUG_ASSETS_PUBMED_URL": " ",
            "DRUG_ASSETS_DRUGS_QUERY": "no service has drug lists",
        }
    )
    assert settings.queries == {"pubmed": "aspirin", "clinical_trials": "ibuprofen"}
    assert settings.service_urls == {"clinical_trials": "https://mirror.example"}


def test_secrets_are_never_shown() -> None:
    variables = {"NCBI_API_KEY": "s3cret", "DRUG_ASSETS_FAILURE_WEBHOOK": "https://x/s3cret"}
    settings = Settings.of(variables)
    assert (settings.ncbi_api_key, settings.failure_webhook) == tuple(variables.values())
    assert "s3cret" not in repr(settings)


@pytest.mark.parametrize(
    ("variables", "log_format"),
    [
        ({}, "text"),
        ({"DRUG_ASSETS_LOG_FORMAT": "json"}, "json"),
        ({"DRUG_ASSETS_LOG_FORMAT": "text"}, "text"),
        ({"CLOUD_RUN_JOB": "pipeline"}, "json"),
        ({"K_SERVICE": "web"}, "json"),
        ({"K_SERVICE": "web", "DRUG_ASSETS_LOG_FORMAT": " "}, "json"),
        ({"CLOUD_RUN_JOB": "pipeline", "DRUG_ASSETS_LOG_FORMAT": "text"}, "text"),
    ],
)
def test_logs_are_json_as_chosen_else_where_they_are_collected(
    variables: dict[str, str], log_format: str
) -> None:
    assert Settings.of(variables).log_format == log_format
    assert logs_are_collected(variables) == (log_format == "json")


def test_an_unknown_log_format_is_refused_with_the_list() -> None:
    with pytest.raises(SettingsError, match=r"DRUG_ASSETS_LOG_FORMAT is 'xml'.* text, json"):
        Settings.of({"DRUG_ASSETS_LOG_FORMAT": "xml", "K_SERVICE": "web"})


@pytest.mark.parametrize(
    ("landing", "store"),
    [
        ("data", "data"),
        ("data", "data/output"),
        (".", "output"),
        ("data", "./x/../data/output/"),
        ("gs://bucket", "gs://bucket/output"),
        ("gs://bucket/zone/", "gs://bucket/zone"),
        ("gs://bucket/zone", "gs://bucket/zone/"),
        ("~/zone", "~/zone/output"),
    ],
)
def test_store_in_the_landing_zone_is_refused(landing: str, store: str) -> None:
    told = f"the store {store} lies in the landing zone {landing}, "
    with pytest.raises(SettingsError, match=re.escape(told)):
        Settings.of({}, landing=landing, store=store)


def test_a_tilde_is_the_home_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    for landing, store in (("~/zone", str(tmp_path / "zone" / "x")), (str(tmp_path), "~/x")):
        with pytest.raises(SettingsError, match="lies in the landing zone"):
            Settings.of({}, landing=landing, store=store)


@pytest.mark.parametrize(
    ("landing", "store"),
    [
        ("data", "database"),
        ("output/landing", "output"),
        ("gs://bucket/zone", "gs://bucket/zone2"),
        ("gs://bucket/output", "output"),
        ("data", "gs://bucket"),
    ],
)
def test_store_beside_or_above_the_landing_zone_is_fine(landing: str, store: str) -> None:
    settings = Settings.of({}, landing=landing, store=store)
    assert (settings.landing, settings.store) == (landing, store)


def test_links_do_not_hide_that_the_store_lies_in_the_landing_zone(tmp_path: Path) -> None:
    (tmp_path / "zone" / "inside").mkdir(parents=True)
    (tmp_path / "link").symlink_to(tmp_path / "zone" / "inside")
    with pytest.raises(SettingsError, match="lies in the landing zone"):
        Settings.of({}, landing=str(tmp_path / "zone"), store=str(tmp_path / "link"))


@pytest.mark.parametrize(
    "address",
    [
        "sc://host",
        "sc://host:15002",
        "sc://host:15002/",
        "sc://host:15002/;use_ssl=true;token=t",
        "dataproc://project/region/template",
    ],
)
def test_spark_is_at_the_address_of_a_server_or_of_a_template(address: str) -> None:
    settings = Settings.of({"DRUG_ASSETS_ENGINE": "spark", "DRUG_ASSETS_SPARK": address})
    assert settings.spark == address
    assert address not in repr(settings)


@pytest.mark.parametrize(
    "address",
    ["", "spark://secret:7077", "sc://", "sc:///;token=secret", "dataproc://secret/region"],
)
def test_spark_without_such_an_address_is_refused_and_it_is_not_shown(address: str) -> None:
    with pytest.raises(SettingsError, match=r"DRUG_ASSETS_SPARK must be .* sc://HOST") as refused:
        Settings.of({"DRUG_ASSETS_ENGINE": "spark", "DRUG_ASSETS_SPARK": address})
    assert "secret" not in str(refused.value)
    assert Settings.of({"DRUG_ASSETS_SPARK": address}).engine == "local"


def test_an_engine_is_one_of_two() -> None:
    with pytest.raises(SettingsError, match=r"DRUG_ASSETS_ENGINE is 'dask'; it can be local, sp"):
        Settings.of({"DRUG_ASSETS_ENGINE": "dask"})
