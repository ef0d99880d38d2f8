"""The package as it is installed, in the image too: whole, and in no need of a checkout."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import zipfile
from typing import TYPE_CHECKING

import pytest

from drug_assets_tests.support.copies import PACKAGE, Copy
from drug_assets_tests.support.dataset import Dataset
from drug_assets_tests.support.services import ROOT

if TYPE_CHECKING:
    from pathlib import Path

    from drug_assets_tests.support.emulators import BigQueryEmulator

pytestmark = [pytest.mark.slow, pytest.mark.processes]


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What pip unpacks of a wheel, built from what the image is built from, without an index."""
    needed = re.search(r"setuptools>=(\d+)", (ROOT / "pyproject.toml").read_text("utf-8"))
    assert needed
    pytest.importorskip("setuptools", minversion=needed[1])
    source = Copy.below(tmp_path_factory.mktemp("source")).folder
    for file in ("pyproject.toml", "README.md", "LICENSE", "NOTICE"):
        shutil.copy(ROOT / file, source)
    built = tmp_path_factory.mktemp("wheels")
    alone = ["--no-deps", "--no-build-isolation", "--no-index", "--disable-pip-version-check"]
    done = subprocess.run(
        [sys.executable, "-m", "pip", "wheel", *alone, "--wheel-dir", built, source],
        check=False,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    unpacked = tmp_path_factory.mktemp("installed")
    (wheel,) = built.iterdir()
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(unpacked)
    return unpacked


def test_every_file_of_the_package_is_in_the_wheel(installed: Path) -> None:
    kept = {path for path in files(PACKAGE) if not path.endswith((".md", ".pyc"))}
    assert files(installed / "drug_assets") == kept
    assert {
        "py.typed",
        "cleaning/stop_list.csv",
        "document/graph.schema.json",
        "document/names.schema.json",
        "warehouse_sql/views/mentions_flat.sql",
    } < kept


def test_an_installed_package_deploys_its_sql(
    installed: Path, bigquery_emulator: BigQueryEmulator
) -> None:
    dataset = Dataset.made(bigquery_emulator, "installed")
    statements = {path.relative_to(PACKAGE / "warehouse_sql") for path in PACKAGE.rglob("*.sql")}
    package = Copy(installed)
    imported = "import drug_assets, json; print(json.dumps(drug_assets.__file__))"
    assert package.json(imported) == str(installed / "drug_assets" / "__init__.py")

    done = package.command(
        "deploy-sql",
        BIGQUERY_EMULATOR_HOST=bigquery_emulator.url,
        DRUG_ASSETS_BIGQUERY_PROJECT=dataset.project,
        DRUG_ASSETS_BIGQUERY_DATASET=dataset.name,
    )

    assert done.returncode == 0, done.stderr
    assert set(done.stdout.split()) == {path.with_suffix("").as_posix() for path in statements}
    assert dataset.rows("SELECT * FROM {mentions_flat}") == []


def files(folder: Path) -> set[str]:
    """The files below a folder, by the path from there."""
    found = (path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix() for path in found}
