"""The images: clean under hadolint, from declared requirements, built and run without an engine.

Building takes minutes, buildah, debootstrap and root. So it happens where DRUG_ASSETS_BUILD_IMAGE
asks for it: `1` always, `changed` (the gate) if what the image is made of is not what it was when
these tests last passed here. DRUG_ASSETS_BASE_ROOTFS names a Debian tree to build on, else
debootstrap makes one.
"""

from __future__ import annotations

import hashlib
import importlib.metadata
import json
import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from drug_assets_tests.support.services import DEPLOY, ROOT, require

if TYPE_CHECKING:
    from collections.abc import Iterator

DOCKERFILE = DEPLOY / "Dockerfile"
EXECUTOR = "localhost/drug-assets-executor"
DATAPROC = (DEPLOY / "dataproc.txt").read_text("utf-8")

#: What executors do: read landed files, clean their rows, search their titles; without the modules
#: that are named. Prints the number of drugs named.
AS_AN_EXECUTOR = """
import sys
import tempfile
from functools import partial
from importlib.abc import MetaPathFinder

class Missing(MetaPathFinder):
    def find_spec(self, name, path, target=None):
        if any(name == module or name.startswith(f"{module}.") for module in sys.argv[2:]):
            raise ModuleNotFoundError(name)

sys.meta_path.insert(0, Missing())

import polars as pl
from drug_assets import mentions
from drug_assets.engines.local import LocalMachine
from drug_assets.sources import pubmed
from drug_assets.storage.google.bucket import Bucket
from drug_assets.storage.kept.by_file import Recipe, make_parts
from drug_assets.storage.landing import read_landing_zone
from drug_assets.storage.places import open_store

with tempfile.TemporaryDirectory() as folder:
    store, engine = open_store(folder), LocalMachine()
    landed = read_landing_zone(open_store(sys.argv[1]), store, engine)
    recipe = Recipe("raw_pubmed", pubmed.SOURCE.clean_records)
    records = make_parts("pubmed_records", recipe, landed.raw["pubmed"], store, engine)
    names = pl.LazyFrame({"name": ["aspirin", "betamethasone"]}).select(
        drug_id="name", name="name", folded_name="name", is_ambiguous=pl.lit(False)
    )
    recipe = Recipe("pubmed_records", mentions.find_drugs_named, names, mentions.Vocabulary.of)
    named = make_parts("pubmed_drugs_named", recipe, records, store, engine)
    print(named.count_rows(store))
"""


@pytest.mark.processes
def test_hadolint_finds_nothing() -> None:
    hadolint = require("hadolint", str(Path(sys.executable).parent))
    done = subprocess.run([hadolint, DOCKERFILE], check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout


def test_runs_as_a_numeric_user_that_is_not_root() -> None:
    users = re.findall(r"^USER (.*)$", DOCKERFILE.read_text("utf-8"), re.MULTILINE)
    assert users == ["1099:1099", "10001:10001"]  # the first is Google's, of executors


def let_into_the_build() -> set[str]:
    """What `.dockerignore` lets in, from the root of the repository."""
    lines = (ROOT / ".dockerignore").read_text("utf-8").splitlines()
    return {line.removeprefix("!") for line in lines if line.startswith("!")}


def test_whatever_is_copied_is_let_in() -> None:
    copies = re.findall(r"^COPY (?!--from)(.+) \S+$", DOCKERFILE.read_text("utf-8"), re.MULTILINE)
    copied = {path for line in copies for path in line.split()}
    assert copied == let_into_the_build()
    assert all((ROOT / path).exists() for path in copied)


@pytest.mark.processes
def test_requirements_are_those_that_the_project_declares() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    extras = project["optional-dependencies"]
    listed = _requirements("gcp", "production")
    assert listed.returncode == 0
    assert listed.stdout.splitlines() == [
        *project["dependencies"],
        *extras["gcp"],
        *extras["production"],
    ]
    fewer = _requirements("gcp", "--without", "dagster", "dagster-gcp")
    without = {"dagster>=1.13,<2", "dagster-gcp>=0.29"}
    assert fewer.stdout.splitlines() == [
        line for line in (*project["dependencies"], *extras["gcp"]) if line not in without
    ]
    for wrong, told in (
        (["prodcution"], "declares no extra prodcution"),
        (["gcp", "--without", "dagstr"], "nothing needs dagstr"),
    ):
        refused = _requirements(*wrong)
        assert refused.returncode == 1
        assert told in refused.stderr


@pytest.mark.processes
def test_every_requirement_is_pinned() -> None:
    pinned = {
        _normal(line.partition("==")[0])
        for line in (ROOT / "constraints.txt").read_text("utf-8").splitlines()
        if "==" in line
    }
    listed = _requirements("gcp", "production", "spark", "dataproc", "executor")
    assert listed.returncode == 0, listed.stderr
    assert _names(listed.stdout.splitlines()) <= pinned


@pytest.mark.processes
def test_what_googles_client_of_spark_needs_is_declared() -> None:
    # Its own declaration is left aside (deploy/dataproc.txt), and with it what an upgrade adds.
    pytest.importorskip("google.cloud.dataproc_spark_connect", reason="Google's client of Spark")
    needed = _names(importlib.metadata.requires("dataproc-spark-connect") or [])
    declared = _names(_requirements("gcp", "spark", "dataproc").stdout.splitlines())
    assert needed - declared == {"pyspark"}
    (pinned,) = re.findall(r"^dataproc-spark-connect==(\S+)$", DATAPROC, re.MULTILINE)
    assert importlib.metadata.version("dataproc-spark-connect") == pinned


@pytest.mark.processes
def test_executors_need_nothing_that_their_image_is_without() -> None:
    (left_out,) = re.findall(r"--without ([\w -]+)", DOCKERFILE.read_text("utf-8"))
    modules = [name.replace("-", "_") for name in left_out.split()]
    modules = ["google.cloud.bigquery" if "bigquery" in name else name for name in modules]
    done = subprocess.run(
        [sys.executable, "-c", AS_AN_EXECUTOR, ROOT / "data", *modules],
        check=False,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) > 0


def digest_what_is_built() -> str:
    """A digest of what the image is made of, but for the code and the prose of the package.

    These change with every commit, and `test_wheel` builds the package from them.
    """
    made_of = {"deploy/Dockerfile", ".dockerignore", *let_into_the_build()}
    made_of -= {"drug_assets", "LICENSE", "NOTICE", "README.md"}
    digest = hashlib.sha256()
    for name in sorted(made_of):
        digest.update(f"{name}\0".encode() + hashlib.sha256((ROOT / name).read_bytes()).digest())
    return digest.hexdigest()


def note() -> Path:
    """The file with the digest of what was last built here, in the user's cache."""
    cache = os.environ.get("XDG_CACHE_HOME")
    return (Path(cache) if cache else Path.home() / ".cache") / "drug_assets" / "image.sha256"


def is_asked_for() -> bool:
    """Whether DRUG_ASSETS_BUILD_IMAGE asks for the image to be built."""
    asked = os.environ.get("DRUG_ASSETS_BUILD_IMAGE")
    if asked != "changed":
        return asked == "1"
    return not note().is_file() or note().read_text("utf-8") != digest_what_is_built()


def test_the_image_is_built_when_what_it_is_made_of_has_changed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    for asked, before, noted, other in (
        ("", False, False, False),
        ("1", True, True, True),
        ("changed", True, False, True),
    ):
        monkeypatch.setenv("DRUG_ASSETS_BUILD_IMAGE", asked)
        note().unlink(missing_ok=True)
        assert is_asked_for() is before
        note().parent.mkdir(exist_ok=True)
        note().write_text(digest_what_is_built(), "utf-8")
        assert is_asked_for() is noted
        note().write_text("of another Dockerfile", "utf-8")
        assert is_asked_for() is other


def test_what_the_image_is_made_of_is_digested(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = ("constraints.txt", "deploy/Dockerfile", "deploy/dagster.yaml", "pyproject.toml")
    for name in {*names, *let_into_the_build(), ".dockerignore"} - {"drug_assets"}:
        (tmp_path / name).parent.mkdir(exist_ok=True)
        shutil.copy(ROOT / name, tmp_path / name)
    before = digest_what_is_built()
    monkeypatch.setattr(sys.modules[__name__], "ROOT", tmp_path)
    digests = [digest_what_is_built()]
    for name in names:
        (tmp_path / name).write_text("changed", "utf-8")
        digests.append(digest_what_is_built())
    assert digests[0] == before
    assert len(set(digests)) == 1 + len(names)
    (tmp_path / "README.md").write_text("changed", "utf-8")
    assert digest_what_is_built() == digests[-1]


@pytest.fixture(scope="module")
def buildah(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[list[str]]:
    """The image `drug-assets`, built in a store of its own; yields buildah's command for it."""
    if not is_asked_for():
        pytest.skip("the image is built where DRUG_ASSETS_BUILD_IMAGE asks for it")
    if os.geteuid() != 0:
        pytest.skip("the image is built by root alone")
    failed, built = request.session.testsfailed, digest_what_is_built()
    folder = tmp_path_factory.mktemp("image")
    program = [
        *("env", "STORAGE_DRIVER=vfs", require("buildah")),
        *("--root", str(folder / "store"), "--runroot", str(folder / "run")),
    ]
    tree = Path(os.environ.get("DRUG_ASSETS_BASE_ROOTFS") or folder / "rootfs")
    if not tree.exists():
        packages = "--include=python3,python3-venv,ca-certificates"
        _done([require("debootstrap"), "--variant=minbase", packages, "bookworm", str(tree)])
    try:
        base = _done([*program, "from", "scratch"]).strip()
        _done([*program, "add", "--quiet", base, str(tree), "/"])
        _done([*program, "commit", "--quiet", "--rm", base, "localhost/base"])
        # The build reads this machine's configuration of pip as a secret, which stays in no layer.
        certificates = "/etc/ssl/certs/ca-certificates.crt"
        (folder / "pip.conf").write_text(f"[global]\ncert = {certificates}\n{_indexes()}", "utf-8")
        build = [
            *(*program, "bud", "--isolation", "chroot", "--network", "host"),
            *("--format", "docker", "--secret", f"id=pip_conf,src={folder / 'pip.conf'}"),
            *("--volume", f"{certificates}:{certificates}:ro"),
            *("--build-arg", "BASE_IMAGE=localhost/base", "--build-arg", "VERSION=1.2.3"),
            *("--file", str(DOCKERFILE)),
        ]
        executor = ["--build-arg", f"EXECUTOR_IMAGE={EXECUTOR}"]
        _done([*build, *executor, "--tag", "localhost/drug-assets", str(ROOT)])
        _done([*build, "--target", "executor", "--tag", EXECUTOR, str(ROOT)])
        yield program
        if request.session.testsfailed == failed:
            note().parent.mkdir(parents=True, exist_ok=True)
            note().write_text(built, "utf-8")
    finally:
        subprocess.run([*program, "rm", "--all"], check=False, capture_output=True)
        shutil.rmtree(folder, ignore_errors=True)


@pytest.mark.processes
def test_the_image_declares_what_platforms_read(buildah: list[str]) -> None:
    image = json.loads(_done([*buildah, "inspect", "--type", "image", "localhost/drug-assets"]))
    config = image["Docker"]["config"]
    assert config["User"] == "10001:10001"
    assert config["Cmd"] == ["drug-assets", "run"]
    assert not config.get("Entrypoint")
    assert config["Healthcheck"]["Test"] == ["CMD", "python3", "/opt/dagster/healthcheck.py"]
    assert config["Labels"]["org.opencontainers.image.version"] == "1.2.3"
    assert not [name for name in config["Env"] if "PIP" in name or "DAGSTER_HOME" in name]
    assert f"DRUG_ASSETS_SPARK_IMAGE={EXECUTOR}" in config["Env"]


@pytest.mark.processes
def test_the_image_of_executors_is_as_google_asks_for(buildah: list[str]) -> None:
    image = json.loads(_done([*buildah, "inspect", "--type", "image", EXECUTOR]))
    config = image["Docker"]["config"]
    assert config["User"] == "1099:1099"
    assert not config.get("Entrypoint")
    assert config["Labels"]["org.opencontainers.image.version"] == "1.2.3"
    python = "/opt/drug-assets/bin/python3"
    assert f"PYSPARK_PYTHON={python}" in config["Env"]
    assert not [name for name in config["Env"] if "PIP" in name]

    container = _done([*buildah, "from", EXECUTOR]).strip()
    run = [
        *(*buildah, "run", "--isolation", "chroot", "--volume", f"{ROOT / 'data'}:/data:ro"),
        container,
        "--",
    ]
    assert _done([*run, "id", "--user", "--name"]).strip() == "spark"
    _done([*run, "sh", "-c", "command -v ps && test -x /usr/bin/tini"])
    _done([*run, "sh", "-c", "test -w ~ && ! command -v java"])
    found = "from importlib.util import find_spec as find; "
    missing = "print([name for name in ('pyspark', 'dagster', 'py4j') if find(name)])"
    assert _done([*run, python, "-c", found + missing]).strip() == "[]"
    assert int(_done([*run, python, "-c", AS_AN_EXECUTOR, "/data"])) > 0
    _done([*run, python, "-c", "import pandas, pyarrow"])


@pytest.mark.processes
def test_the_image_runs_the_job(buildah: list[str], tmp_path: Path) -> None:
    container = _done([*buildah, "from", "localhost/drug-assets"]).strip()
    run = [
        *(*buildah, "run", "--isolation", "chroot", "--volume", f"{ROOT / 'data'}:/app/data:ro"),
        container,
        "--",
    ]
    assert _done([*run, "id", "--user"]).strip() == "10001"
    _done([*run, "drug-assets", "run"])
    answer = _done([*run, "drug-assets", "top-journal", "--json"])
    assert json.loads(answer)[0]["drugs"]
    for program in ("dagster-webserver", "dagster-daemon", "dagster"):
        assert "version" in _done([*run, program, "--version"])
    imported = "import dagster_contrib_gcp, dagster_gcp, dagster_postgres, psycopg2"
    tunnel = "google.cloud.dataproc_spark_connect, pyspark.sql.connect.session"
    _done([*run, "python3", "-c", f"{imported}, {tunnel}"])
    _done([*run, "sh", "-c", "test ! -e /opt/drug-assets/lib/python3*/site-packages/pyspark/jars"])


def _requirements(*extras: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, DEPLOY / "requirements.py", ROOT / "pyproject.toml", *extras],
        check=False,
        capture_output=True,
        text=True,
    )


def _names(lines: list[str]) -> set[str]:
    return {_normal(re.split(r"[<>=!~\[; ]", line)[0]) for line in lines}


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def _indexes() -> str:
    """This machine's package index, where it is another than the usual one."""
    asked = [sys.executable, "-m", "pip", "config", "get", "global.index-url"]
    done = subprocess.run(asked, check=False, capture_output=True, text=True)
    address = os.environ.get("PIP_INDEX_URL") or done.stdout.strip()
    return f"index-url = {address}\n" if address else ""


def _done(command: list[str]) -> str:
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    assert done.returncode == 0, f"{' '.join(command)}\n{done.stdout[-4000:]}{done.stderr[-4000:]}"
    return done.stdout
