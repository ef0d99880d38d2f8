"""Terraform's configurations, checked and evaluated without a provider registry.

The checker is a folder with a script `check`, a stub provider and the schema of Google's provider:
DRUG_ASSETS_TERRAFORM_CHECKER names it, else it is looked for beside the checkout. Without it, and
without Terraform, the tests that ask are skipped by name. The same stub provider serves the schema
of Datadog's (`provider_schema`).
"""

from __future__ import annotations

import gzip
import importlib.util
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from drug_assets_tests.support import provider_schema
from drug_assets_tests.support.services import DEPLOY, ROOT, require

if TYPE_CHECKING:
    from collections.abc import Mapping

_PROVIDER = "terraform-provider-google.py"
_SCHEMA = "google-8.7.0-schema.json.gz"
#: A Terraform test that applies the configuration to a provider that creates nothing.
_EVALUATION = "tests/evaluation.tftest.json"
#: What Terraform prints when Go ends it: seen once in some dozens of runs of one configuration.
_GO_CRASH = re.compile(r"^(?:fatal error|panic|runtime): .*", re.MULTILINE)
_TRIES = 3


def make_checker(folder: Path) -> Path:
    """The checker with a schema of only the resources used here: it takes a tenth of the time."""
    given = _find_checker()
    schema = json.loads(gzip.decompress((given / _SCHEMA).read_bytes()))
    declared = all_text(DEPLOY / "terraform")
    used = set(re.findall(r'^resource "(google_\w+)"', declared, re.MULTILINE))
    schema["resources"] = {name: schema["resources"][name] for name in used}
    return _make_checker(given, folder, schema)


def make_datadog_checker(folder: Path) -> Path:
    """The checker with what is kept of the schema of Datadog's provider."""
    schema = json.loads(provider_schema.SCHEMA.read_text("utf-8"))
    checker = _make_checker(_find_checker(), folder, schema)
    text = checker.read_text("utf-8").replace("hashicorp/google", "DataDog/datadog")
    checker.write_text(text.replace('terraform-provider-google"', 'terraform-provider-datadog"'))
    return checker


def _find_checker() -> Path:
    beside = ROOT.parent / "shared" / "tools" / "terraform_offline"
    given = Path(os.environ.get("DRUG_ASSETS_TERRAFORM_CHECKER") or beside)
    if not (given / "check").is_file():
        pytest.skip("the offline Terraform checker is not here (DRUG_ASSETS_TERRAFORM_CHECKER)")
    if importlib.util.find_spec("grpc") is None:
        pytest.skip("grpcio, which the offline Terraform checker needs, is not installed here")
    require("terraform")
    return given


def _make_checker(given: Path, own: Path, schema: dict[str, Any]) -> Path:
    shutil.copy(given / "check", own)
    # Terraform asks a provider to end and waits two seconds for it, about ten times per command.
    provider = (given / _PROVIDER).read_text("utf-8")
    deaf = 'if not details.method.startswith("/tfplugin6.Provider/"):'
    ends = 'if details.method == "/plugin.GRPCController/Shutdown":\n                os._exit(0)'
    (own / _PROVIDER).write_text(provider.replace(deaf, f"{ends}\n            {deaf}"), "utf-8")
    (own / _SCHEMA).write_bytes(gzip.compress(json.dumps(schema).encode()))
    return own / "check"


def copy_configuration(folder: Path) -> Path:
    """A copy to change, with its modules installed, beside what it reads."""
    copy = folder / "deploy" / "terraform"
    shutil.copytree(DEPLOY / "terraform", copy, ignore=shutil.ignore_patterns(".terraform"))
    shutil.copy(DEPLOY / "dagster.yaml", copy.parent)
    statements = Path("drug_assets") / "warehouse_sql"
    shutil.copytree(ROOT / statements, folder / statements)
    for each in (copy, copy / "datadog"):
        install_modules(each)
    return copy


def install_modules(configuration: Path) -> None:
    """Note where the modules lie that the configuration and its tests call."""
    subprocess.run(["terraform", "get"], cwd=configuration, check=True, capture_output=True)


def check(checker: Path, configuration: Path, *verb: str) -> subprocess.CompletedProcess[str]:
    """What Terraform says, in plain text."""
    done = _run(checker, configuration, *verb)
    return subprocess.CompletedProcess(done.args, done.returncode, _plain(done.stdout))


def evaluate(
    checker: Path, configuration: Path, variables: Mapping[str, object]
) -> dict[str, dict[str, Any]]:
    """Address of each resource => its arguments, as a deployment with these variables has them."""
    test = {"mock_provider": {"google": {}}, "variables": variables, "run": {"all": {}}}
    (configuration / _EVALUATION).write_text(json.dumps(test), "utf-8")
    done = _run(checker, configuration, "test", f"-filter={_EVALUATION}", "-json", "-verbose")
    assert done.returncode == 0, done.stdout
    lines = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
    (state,) = (line["test_state"] for line in lines if line["type"] == "test_state")
    return dict(_resources(state["root_module"]))


def _resources(module: Mapping[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    own = [(resource["address"], resource["values"]) for resource in module.get("resources", [])]
    return own + [found for child in module.get("child_modules", []) for found in _resources(child)]


def all_text(folder: Path, pattern: str = "**/*.tf") -> str:
    """The text of all files of a folder."""
    return "\n".join(path.read_text("utf-8") for path in sorted(folder.glob(pattern)))


def _run(checker: Path, configuration: Path, *verb: str) -> subprocess.CompletedProcess[str]:
    environment = os.environ | {"PYTHON": sys.executable}
    environment["TF_CLI_ARGS_test"] = " ".join(verb[1:])
    for _ in range(_TRIES):
        done = subprocess.run(
            [checker, configuration, verb[0]],
            env=environment,
            check=False,
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
        if not _GO_CRASH.search(done.stdout):
            break
    return done


def _plain(text: str) -> str:
    """Without colours, frames and line breaks of Terraform's boxes."""
    return re.sub(r"\s+", " ", re.sub(r"\x1b\[[0-9;]*m|[│╷╵]", "", text))
