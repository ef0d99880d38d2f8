"""Dagster on one machine: one home for `make run` and `make dev`, made once, without warnings."""

from __future__ import annotations

import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import dagster as dg
import pytest
import yaml

from drug_assets.cli.in_process import run_everything
from drug_assets.settings import Settings
from drug_assets_tests.support import runs

DEPLOY = runs.REPOSITORY / "deploy"
LOCAL, PRODUCTION = DEPLOY / "dagster-local.yaml", DEPLOY / "dagster.yaml"
MAKEFILE = (runs.REPOSITORY / "Makefile").read_text("utf-8")


def make_home(home: Path) -> None:
    """Make a home as the Makefile does, in a process of its own."""
    command = [sys.executable, str(DEPLOY / "make_dagster_home.py"), str(home), str(LOCAL)]
    subprocess.run(command, check=True, capture_output=True)


@pytest.mark.processes
def test_homes_made_at_once_are_one_whole_home(tmp_path: Path) -> None:
    home = tmp_path / "home"
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(make_home, [home] * 4))
    assert [path.name for path in tmp_path.iterdir()] == ["home"], "nothing is left over"
    with dg.DagsterInstance.from_config(str(home)) as instance:
        assert instance.get_runs() == []
        instance.upgrade()  # raises if there is more than one head


@pytest.mark.processes
def test_home_that_exists_gets_new_settings_and_keeps_its_history(tmp_path: Path) -> None:
    home = tmp_path / "home"
    make_home(home)
    (home / "dagster.yaml").write_text("telemetry: {enabled: true}\n")
    (home / "history" / "note").write_text("kept")
    make_home(home)
    assert (home / "dagster.yaml").read_bytes() == LOCAL.read_bytes()
    assert (home / "history" / "note").read_text() == "kept"


@pytest.mark.slow
@pytest.mark.processes
def test_run_of_the_command_line_is_seen_in_the_ui(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The instance of `make dev` has the run of `make run`, with the assets that it made."""
    home = tmp_path / "home"
    make_home(home)
    monkeypatch.setenv("DAGSTER_HOME", str(home))
    landing = runs.landing_zone(tmp_path / "landing")
    assert run_everything(Settings.of({}, landing=str(landing), store=str(tmp_path / "store")))
    with dg.DagsterInstance.get() as instance:
        (run,) = instance.get_runs()
        assert run.is_success
        for asset in ("landed_files", "mentions", "drug_graph", "release"):
            assert instance.get_latest_materialization_event(dg.AssetKey(asset)) is not None


def test_run_and_dev_have_the_same_home() -> None:
    assert "run definitions dev: export DAGSTER_HOME := $(DAGSTER_HOME)" in MAKEFILE
    for target in ("run", "dev", "definitions"):
        (line,) = [line for line in MAKEFILE.splitlines() if line.startswith(f"{target}: $")]
        assert line.endswith("$(DAGSTER_HOME)/dagster.yaml")


@pytest.mark.slow
@pytest.mark.parametrize("settings", [LOCAL, PRODUCTION], ids=lambda path: path.stem)
def test_pools_have_a_limit(settings: Path, tmp_path: Path) -> None:
    """Each service is asked by one run at a time."""
    concurrency = yaml.safe_load(settings.read_text("utf-8"))["concurrency"]
    (tmp_path / "dagster.yaml").write_text(yaml.safe_dump({"concurrency": concurrency}))
    with dg.DagsterInstance.from_config(str(tmp_path)) as instance:
        config = instance.get_concurrency_config()
        assert config.pool_config.default_pool_limit == 1
        assert str(config.pool_config.pool_granularity).casefold().endswith("run")
        assert config.run_queue_config is not None
        assert config.run_queue_config.max_concurrent_runs == 1


@pytest.mark.processes
def test_first_minutes_come_without_warnings(tmp_path: Path) -> None:
    """What the targets start is what Dagster recommends, in the environment that is active."""
    pytest.importorskip("dagster_dg_cli", reason="the extra ui is not installed here")
    of_dagster = [line.split()[1:] for line in MAKEFILE.splitlines() if "$(BIN)/dg " in line]
    assert "$(BIN)/dagster" not in MAKEFILE, "its commands are superseded by dg"
    assert of_dagster == [["check", "defs"], ["list", "defs"], ["dev", "-w", "workspace.yaml"]]
    assert "definitions dev: export VIRTUAL_ENV := $(abspath $(VENV))" in MAKEFILE
    (tmp_path / "dagster.yaml").write_bytes(LOCAL.read_bytes())
    environment = Path(sys.executable).parents[1]
    checked = subprocess.run(
        [str(Path(sys.executable).with_name("dg")), "check", "defs"],
        cwd=runs.REPOSITORY,
        env=os.environ
        | {
            "VIRTUAL_ENV": str(environment),
            "DAGSTER_HOME": str(tmp_path),
            "DAGSTER_DISABLE_TELEMETRY": "yes",
        },
        capture_output=True,
        text=True,
        check=True,
    )
    said = checked.stdout + checked.stderr
    assert "warning" not in said.casefold()
    if environment == runs.REPOSITORY / ".venv":
        assert "does not match" not in said
