"""Fixtures for every test: emulators and whole runs, started once per process when asked for."""

from __future__ import annotations

import gc
import os
import signal
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, settings

from drug_assets_tests.support import loopback, markers

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from drug_assets_tests.support.emulators import BigQueryEmulator, GcsEmulator
    from drug_assets_tests.support.runs import Run
    from drug_assets_tests.support.spark_server import SparkServer


def pytest_configure(config: pytest.Config) -> None:
    """No test reaches any address but loopback; property tests are repeatable."""
    # Almost everything that collecting tests creates stays alive: looking for garbage meanwhile
    # would double the time.
    gc.disable()
    loopback.refuse_other_hosts()
    _heed_interrupts()
    config.pluginmanager.register(markers.ProcessGuard())
    # No deadlines, since a slow example on a busy machine is no regression; and the same examples
    # every time, so that no test fails by chance.
    settings.register_profile(
        "repeatable",
        deadline=None,
        derandomize=True,
        suppress_health_check=[HealthCheck.too_slow],
    )
    settings.load_profile("repeatable")


def _heed_interrupts() -> None:
    """Heed SIGINT as on a terminal: tests send it to themselves and to processes they start.

    A process that a script started in the background ignores it, and so do its children.
    """
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.hookimpl(tryfirst=True)  # before tests are chosen by their markers
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark the tests that use certain fixtures."""
    markers.mark(items)


def pytest_collection_finish() -> None:
    """Look for garbage again, but not among modules and tests, which stay alive."""
    gc.freeze()
    gc.enable()


@pytest.fixture
def no_settings_of_the_machine(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Run the test in an empty folder, without environment variables that are settings."""
    settings_of = ("DRUG_ASSETS_", "DAGSTER_", "NCBI_")
    for variable in [name for name in os.environ if name.startswith(settings_of)]:
        monkeypatch.delenv(variable)
    monkeypatch.chdir(tmp_path)


@pytest.fixture(scope="session")
def gcs_emulator() -> Iterator[GcsEmulator]:
    """An emulator of Google Cloud Storage for this test session."""
    from drug_assets_tests.support import (
        emulators,  # only now: Google's modules take seconds to import
    )

    with emulators.running_gcs() as emulator:
        yield emulator


@pytest.fixture(scope="session")
def bigquery_emulator(gcs_emulator: GcsEmulator) -> Iterator[BigQueryEmulator]:
    """An emulator of BigQuery for this test session, which loads from `gcs_emulator`."""
    from drug_assets_tests.support import emulators

    with emulators.running_bigquery(gcs_emulator.root) as emulator:
        yield emulator


@pytest.fixture(scope="session")
def spark_server(gcs_emulator: GcsEmulator) -> Iterator[SparkServer]:
    """A Spark server for this test session, whose executors use `gcs_emulator`."""
    from drug_assets_tests.support import spark_server

    pytest.importorskip("pyspark", reason="Spark's client is not installed: pip's extra `spark`")
    if missing := spark_server.find_missing():
        pytest.skip(missing)
    variables = {"STORAGE_EMULATOR_HOST": gcs_emulator.url}
    with spark_server.running_spark(variables) as server:
        yield server


@pytest.fixture(scope="session")
def sample_run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """One run of everything on the sample landing zone, into its own store: not to be changed."""
    from drug_assets_tests.support import runs

    return runs.run(runs.SAMPLE, tmp_path_factory.mktemp("sample") / "store")


@pytest.fixture(scope="session")
def small_run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """One run of everything on `runs.SMALL`, into its own store: not to be changed."""
    from drug_assets_tests.support import runs

    folder = tmp_path_factory.mktemp("small")
    return runs.run(runs.landing_zone(folder / "landing"), folder / "store")


@pytest.fixture(scope="session")
def later_run(small_run: Run, tmp_path_factory: pytest.TempPathFactory) -> Run:
    """A run on `runs.LATER` that follows `small_run` in a store of its own: not to be changed."""
    from drug_assets_tests.support import runs

    folder = tmp_path_factory.mktemp("later")
    landing = runs.landing_zone(folder / "landing", runs.LATER)
    return runs.run(landing, runs.copy(small_run.store, folder / "store"))
