"""The Terraform configurations against the providers' real arguments, without a provider registry.

On GitHub the registry is reached, and `terraform validate` and `terraform test` run as they are.
"""

from __future__ import annotations

import io
import json
import re
import subprocess
import tarfile
import zipfile
from pathlib import Path
from typing import Any

import pytest

from drug_assets import logs
from drug_assets.defs.notifications import collect_figures
from drug_assets.warehouse_sql.deploy import fill_statements
from drug_assets_tests.support import provider_schema
from drug_assets_tests.support.services import DEPLOY, ROOT, require
from drug_assets_tests.support.terraform import (
    all_text,
    check,
    copy_configuration,
    evaluate,
    install_modules,
    make_checker,
    make_datadog_checker,
)

pytestmark = pytest.mark.processes

READERS = "module.readers.google_cloud_run_v2_service.readers"

#: Compares what Terraform would make with `_declared`.
SAME = """
mock_provider "google" {}

run "same" {
  command = apply

  module {
    source = "./modules/bigquery"
  }

  variables {
    project_id            = "prj"
    location              = "EU"
    dataset               = "dst"
    sales_dataset         = "sales"
    sql_directory         = "../../drug_assets/warehouse_sql"
    writers               = {}
    query_service_account = "queries@prj.iam.gserviceaccount.com"
    deletion_protection   = true
  }

  assert {
    condition = jsonencode(jsondecode(file("tests/deploy_sql.json")).views) == jsonencode({
      for name, view in merge(google_bigquery_table.view, google_bigquery_table.function_view) :
      name => { description = view.description, query = view.view[0].query }
    })
    error_message = "A view is another one."
  }

  assert {
    condition = jsonencode(jsondecode(file("tests/deploy_sql.json")).functions) == jsonencode({
      for name, routine in merge(
        google_bigquery_routine.function,
        google_bigquery_routine.table_function
        ) : name => {
        arguments = [
          for argument in routine.arguments :
          join(" ", [argument.name, jsondecode(argument.data_type).typeKind])
        ]
        body = routine.definition_body
        columns = [
          for column in try(jsondecode(routine.return_table_type).columns, []) : join(" ", [
            column.name,
            try("ARRAY<${column.type.arrayElementType.typeKind}>", column.type.typeKind),
          ])
        ]
        description = routine.description
        returns     = try(jsondecode(routine.return_type).typeKind, null)
      }
    })
    error_message = "A function is another one."
  }
}
"""


@pytest.fixture(scope="module")
def checker(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_checker(tmp_path_factory.mktemp("checker"))


@pytest.fixture(scope="module")
def datadog_checker(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_datadog_checker(tmp_path_factory.mktemp("datadog"))


@pytest.fixture
def configuration(tmp_path: Path) -> Path:
    return copy_configuration(tmp_path)


def test_every_argument_is_one_the_provider_knows(checker: Path, configuration: Path) -> None:
    done = check(checker, configuration, "validate")
    assert done.returncode == 0, done.stdout


def test_what_is_declared_is_what_was_meant(checker: Path, configuration: Path) -> None:
    done = check(checker, configuration, "test")
    assert done.returncode == 0, done.stdout
    assert re.search(r"\b[1-9]\d* passed, 0 failed", done.stdout), done.stdout


def test_views_and_functions_are_those_that_deploy_sql_makes(
    checker: Path, configuration: Path
) -> None:
    made = _declared(fill_statements("prj", "dst", sales_dataset="sales"))
    (configuration / "tests" / "deploy_sql.json").write_text(json.dumps(made), "utf-8")
    (configuration / "tests" / "deploy_sql.tftest.hcl").write_text(SAME, "utf-8")
    install_modules(configuration)
    done = check(checker, configuration, "test", "-filter=tests/deploy_sql.tftest.hcl")
    assert done.returncode == 0, done.stdout
    assert "1 passed, 0 failed" in done.stdout


def test_misspelt_and_missing_arguments_are_found(checker: Path, configuration: Path) -> None:
    _replace(configuration, "buckets", "public_access_prevention ", "public_access_preventoin ")
    _replace(configuration, "cloud_run_job", "max_retries     ", "max_retrys      ")
    _replace(configuration, "registry", '  format        = "DOCKER"\n', "")

    done = check(checker, configuration, "validate")

    assert done.returncode != 0
    for fault in (
        'An argument named "public_access_preventoin" is not expected',
        'An argument named "max_retrys" is not expected',
        'The argument "format" is required',
    ):
        assert fault in done.stdout


def test_an_assertion_of_the_terraform_tests_fails_when_it_should(
    checker: Path, configuration: Path
) -> None:
    _replace(configuration, "buckets", '"enforced"', '"inherited"')

    done = check(checker, configuration, "test", "-filter=tests/buckets.tftest.hcl")

    assert done.returncode != 0
    assert "Buckets are private" in done.stdout


def test_every_argument_is_one_that_datadogs_provider_knows(
    datadog_checker: Path, configuration: Path
) -> None:
    done = check(datadog_checker, configuration / "datadog", "validate")
    assert done.returncode == 0, done.stdout


def test_what_is_declared_in_datadog_is_what_was_meant(
    datadog_checker: Path, configuration: Path
) -> None:
    done = check(datadog_checker, configuration / "datadog", "test")
    assert done.returncode == 0, done.stdout
    assert re.search(r"\b[1-9]\d* passed, 0 failed", done.stdout), done.stdout


def test_misspelt_and_missing_arguments_of_datadog_are_found(
    datadog_checker: Path, configuration: Path
) -> None:
    main = configuration / "datadog" / "main.tf"
    text = main.read_text("utf-8")
    text = text.replace("on_missing_data    ", "on_misisng_data    ")
    text = text.replace("    critical = tostring(", "    citical = tostring(")
    text = text.replace("  type                = each.value.type\n", "")
    main.write_text(text, "utf-8")

    done = check(datadog_checker, configuration / "datadog", "validate")

    assert done.returncode != 0
    for fault in (
        'An argument named "on_misisng_data" is not expected',
        'An argument named "citical" is not expected',
        'The argument "type" is required',
    ):
        assert fault in done.stdout


def test_the_kept_schema_is_of_what_is_used_and_of_the_version_that_is_asked_for() -> None:
    kept = json.loads(provider_schema.SCHEMA.read_text("utf-8"))
    resources, _ = provider_schema.used(provider_schema.CONFIGURATION)
    assert {f"datadog_{name}" for name in resources} == set(kept["resources"])
    versions = (provider_schema.CONFIGURATION / "versions.tf").read_text("utf-8")
    (wanted,) = re.findall(r'"~> ([\d.]+)"', versions)
    assert kept["version"].startswith(f"{wanted}.")


def test_a_schema_is_derived_from_the_package(tmp_path: Path) -> None:
    (tmp_path / "main.tf").write_text(
        'resource "datadog_logs_metric" "count" {\n  compute {\n  }\n}\n', "utf-8"
    )
    wheel = _wheel_of_one_resource(tmp_path / "provider.whl")
    assert provider_schema.derive(wheel, tmp_path) == {
        "version": "4.25.0",
        "provider": {"a": {"api_url": {"t": "string", "o": True}}, "b": {}},
        "resources": {
            "datadog_logs_metric": {
                "a": {"name": {"t": "string", "o": False}},
                "b": {
                    "compute": {
                        "b": {"a": {"paths": {"t": ["list", "string"], "o": True}}, "b": {}},
                        "n": "list",
                        "min": 1,
                        "max": 1,
                    }
                },
            }
        },
    }


def _wheel_of_one_resource(path: Path) -> Path:
    """A package with one resource and two of its blocks, one of which nothing uses."""
    package = "@cdktn/provider-datadog"

    def argument(of: str, name: str, kind: dict[str, Any], **more: Any) -> dict[str, Any]:
        where = f"https://example.org/providers/datadog/datadog/4.25.0/docs/{of}#{name}"
        docs = {"remarks": f"Docs: {{@link {where} Of#{name}}}", "summary": "What it is."}
        return {"name": name, "type": kind, "docs": docs | more.pop("docs", {})} | more

    text = {"primitive": "string"}
    block = {"fqn": f"{package}.logsMetric.LogsMetricCompute"}
    texts = {"collection": {"kind": "array", "elementtype": text}}
    types = {
        "provider.DatadogProviderConfig": [argument("index", "api_url", text, optional=True)],
        "logsMetric.LogsMetricConfig": [
            argument("logs_metric", "name", text),
            argument("logs_metric", "compute", block, docs={"summary": "compute block."}),
            argument("logs_metric", "unused", block, docs={"summary": "unused block."}),
            {"name": "count", "type": {"primitive": "number"}, "docs": {"summary": "Ours."}},
        ],
        "logsMetric.LogsMetricCompute": [argument("logs_metric", "paths", texts, optional=True)],
    }
    described = {"types": {f"{package}.{of}": {"properties": of_it} for of, of_it in types.items()}}
    content = json.dumps(described).encode()
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as archive:
        member = tarfile.TarInfo("package/.jsii")
        member.size = len(content)
        archive.addfile(member, io.BytesIO(content))
    with zipfile.ZipFile(path, "w") as files:
        files.writestr(
            "cdktn_provider_datadog/_jsii/provider-datadog@16.jsii.tgz", packed.getvalue()
        )
    return path


def test_what_is_watched_is_what_runs_write() -> None:
    declared = all_text(DEPLOY / "terraform" / "modules" / "signals")

    def names(block: str) -> set[str]:
        found = re.search(rf"^  {block} = \{{(.*?)^  \}}", declared, re.MULTILINE | re.DOTALL)
        assert found is not None
        return set(re.findall(r"^    (\w+) += ", found[1], re.MULTILINE))

    assert names("events") == {logs.RUN_SUCCEEDED, logs.RUN_FAILED, logs.ROLLED_BACK}
    assert names("figures") == set(collect_figures({}, 1.0, 0))


def test_what_moved_is_declared_where_it_moved_to() -> None:
    # Terraform does not check this, and would destroy and remake what an earlier version made.
    moves = 0
    for folder in {path.parent for path in (DEPLOY / "terraform").rglob("*.tf")}:
        declared = all_text(folder, "*.tf")
        names = {
            ".".join(pair)
            for pair in re.findall(r'^resource "(\w+)" "(\w+)"', declared, re.MULTILINE)
        }
        names |= {
            f"module.{name}" for name in re.findall(r'^module "(\w+)"', declared, re.MULTILINE)
        }
        ends = re.findall(
            r"^moved \{\n +from += (\S+)\n +to +=  *(\S+)\n\}", declared, re.MULTILINE
        )
        assert len(ends) == len(re.findall(r"^moved \{", declared, re.MULTILINE))
        for start, end in ends:
            assert re.sub(r"\[.*", "", end) in names
            assert start not in names or start == re.sub(r"\[.*", "", end)
        moves += len(ends)
    assert moves


def test_no_alert_waits_for_a_metric_that_is_not_there_yet() -> None:
    # A condition of any other kind names a metric, and Cloud Monitoring looks for it at once.
    declared = all_text(DEPLOY / "terraform")
    policies = declared.count('resource "google_monitoring_alert_policy"')
    conditions = re.findall(r"^ +(condition_\w+) \{(.*?)^ +\}", declared, re.MULTILINE | re.DOTALL)
    assert policies
    assert [kind for kind, _ in conditions] == ["condition_prometheus_query_language"] * policies
    assert all("disable_metric_validation = true" in body for _, body in conditions)


def test_what_is_given_a_secret_waits_for_its_value_and_for_the_right_to_read_it(
    checker: Path, configuration: Path
) -> None:
    waits_for = _dependencies(checker, configuration)
    cloud_run = {
        name for name in waits_for if re.search(r"\.google_cloud_run_v2_(job|service)\.", name)
    }
    needed = {
        (reader, part)
        for reader in cloud_run
        for secret in _all_before(reader, waits_for)
        if ".google_secret_manager_secret." in secret
        for part in waits_for
        if ".google_secret_manager_secret_" in part and secret in waits_for[part]
    }
    assert {reader for reader, _ in needed} == cloud_run - {READERS}  # which is given none
    assert {part.split(".")[-2] for _, part in needed} == {
        "google_secret_manager_secret_iam_member",
        "google_secret_manager_secret_version",
    }
    missing = [pair for pair in needed if pair[1] not in _all_before(pair[0], waits_for)]
    assert missing == []


def test_what_is_served_waits_for_the_right_to_read_it(checker: Path, configuration: Path) -> None:
    before = _all_before(READERS, _dependencies(checker, configuration))
    assert "module.buckets.google_storage_bucket_iam_member.grant" in before


def test_the_jobs_and_the_service_for_readers_do_not_wait_for_each_other(
    checker: Path, configuration: Path
) -> None:
    waits_for = _dependencies(checker, configuration)
    jobs = [name for name in waits_for if ".google_cloud_run_v2_job.job" in name]
    assert len(jobs) >= 2
    for job in jobs:
        assert not any("module.readers." in before for before in _all_before(job, waits_for))
    assert not _all_before(READERS, waits_for) & set(jobs)


def test_a_pull_is_started_once_and_the_workflow_waits_as_long_as_it_may_take(
    checker: Path, configuration: Path
) -> None:
    variables = {
        "project_id": "drugs-production-1",
        "project_number": "123456789012",
        "image": "europe-west1-docker.pkg.dev/drugs/drug-assets/drug-assets:0.1.0",
        "readers": {"enabled": True},
    }
    resources = evaluate(checker, configuration, variables)
    task = resources["module.fetch_job.google_cloud_run_v2_job.job"]["template"][0]["template"][0]
    assert task["max_retries"] == 0
    workflow = resources["module.api_pulls.google_workflows_workflow.fetch"]
    waits = int(workflow["user_env_vars"]["JOB_SECONDS"])
    assert waits >= int(task["timeout"].removesuffix("s")) + 600
    # The address of the service, as Cloud Run forms it, without the service.
    run = resources["module.run_job.google_cloud_run_v2_job.job"]["template"][0]["template"][0]
    told = {each["name"]: each["value"] for each in run["containers"][0]["env"]}
    service = resources[READERS.replace("readers.", "readers[0].", 1)]
    assert told["DRUG_ASSETS_SERVED_AT"] == (
        f"https://{service['name']}-123456789012.{service['location']}.run.app"
    )


def test_both_ways_of_watching_have_the_same_variables() -> None:
    # A root has to declare what its modules take; so what both roots take is declared twice.
    def declared(folder: str) -> dict[str, str]:
        text = (DEPLOY / "terraform" / folder / "variables.tf").read_text("utf-8")
        return dict(re.findall(r'^variable "(\w+)" \{\n(.*?)^\}', text, re.MULTILINE | re.DOTALL))

    google, datadog = declared("modules/monitoring"), declared("datadog")
    assert set(google) - set(datadog) == {"emails"}
    assert set(datadog) - set(google) == {"site", "notified"}
    for name in (set(google) & set(datadog)) - {"project_id"}:
        assert google[name] == datadog[name], name


def test_what_checkov_notes_is_answered() -> None:
    checkov = require("checkov")
    command = [checkov, "--directory", str(DEPLOY), "--skip-download", "--output", "json"]
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    noted = {
        note["check_id"]
        for scanned in json.loads(done.stdout)
        for note in scanned["results"]["failed_checks"]
    }
    decisions = (ROOT / "docs" / "decisions.md").read_text("utf-8")
    section = decisions.partition("## What scanners of the deployment note")[2].partition("\n## ")[
        0
    ]
    assert noted == set(re.findall(r"\bCKV\w+", section))


def test_the_example_gives_every_variable_that_has_no_default(configuration: Path) -> None:
    declared = all_text(configuration, "variables.tf")
    blocks = re.findall(r'^variable "(\w+)" \{(.*?)^\}', declared, re.MULTILINE | re.DOTALL)
    required = {name for name, body in blocks if not re.search(r"^  default ", body, re.MULTILINE)}
    example = (configuration / "example.tfvars").read_text("utf-8")
    given = set(re.findall(r"^(\w+)\s+=", example, re.MULTILINE))
    assert required
    assert required <= given
    assert given <= {name for name, _ in blocks}
    # Used unchanged, the example gives nobody access: its numbers and names may be somebody's.
    assert "github" not in given
    assert not re.search(r"^[^#]*(group|user):", example, re.MULTILINE)


def _declared(statements: dict[str, str]) -> dict[str, dict[str, Any]]:
    """What statements of `warehouse_sql` make, by name: the parts that Terraform has, too."""
    views: dict[str, Any] = {}
    functions: dict[str, Any] = {}
    for file, statement in statements.items():
        name = Path(file).stem
        if "views/" in file:
            head, _, query = statement.partition("\nAS\n")
            views[name] = {
                "description": head.rpartition("description = '")[2].partition("'")[0],
                "query": query.rstrip().removesuffix(";"),
            }
        elif "functions/" in file:
            head, _, body = statement.partition("\nAS (\n")
            arguments = head.partition("FUNCTION `")[2].partition("(")[2].partition(")")[0]
            returns, _, columns = head.partition("\nRETURNS ")[2].partition("<")
            functions[name] = {
                "arguments": [" ".join(part.split()) for part in arguments.split(",")],
                "body": body.rstrip().removesuffix("\n);"),
                "columns": [
                    " ".join(column.split())
                    for column in columns.rstrip().removesuffix(">").split(",")
                    if column.strip()
                ],
                "description": _first_paragraph(statement).partition(":")[2].strip(),
                "returns": returns if returns and returns != "TABLE" else None,
            }
    return {"views": views, "functions": functions}


def _first_paragraph(statement: str) -> str:
    """The first paragraph of the comment that a statement begins with, as one line."""
    lines = statement.partition("\n--\n")[0].splitlines()
    return " ".join(line.removeprefix("--").strip() for line in lines)


def _dependencies(checker: Path, configuration: Path) -> dict[str, set[str]]:
    """What each resource waits for, as Terraform draws it."""
    versions = configuration / "versions.tf"
    # With a backend, Terraform would ask for the state's bucket before it draws anything.
    versions.write_text(versions.read_text("utf-8").replace('\n  backend "gcs" {}\n', ""), "utf-8")
    drawn = check(checker, configuration, "graph")
    assert drawn.returncode == 0, drawn.stdout
    waits_for: dict[str, set[str]] = {}
    for name, before in re.findall(r'"([^"]+)" -> "([^"]+)";', drawn.stdout):
        waits_for.setdefault(name, set()).add(before)
        waits_for.setdefault(before, set())
    return waits_for


def _all_before(name: str, waits_for: dict[str, set[str]]) -> set[str]:
    """What is made before a resource, directly or not."""
    return waits_for[name].union(*(_all_before(before, waits_for) for before in waits_for[name]))


def _replace(configuration: Path, module: str, right: str, wrong: str) -> None:
    file = configuration / "modules" / module / "main.tf"
    text = file.read_text("utf-8")
    assert right in text
    file.write_text(text.replace(right, wrong), "utf-8")
