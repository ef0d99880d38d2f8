"""Spark as the engine: the same results as of this machine, whatever happens to an executor."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from drug_assets import sources
from drug_assets.engines.local import LocalMachine
from drug_assets.engines.sessions import close_session
from drug_assets.engines.spark import Spark
from drug_assets.storage.kept.by_file import Recipe, make_parts
from drug_assets.storage.landing import read_landing_zone
from drug_assets.storage.objects import LocalFolder
from drug_assets_tests.support import runs, spark_work

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from drug_assets.engines import Engine
    from drug_assets_tests.support.spark_server import SparkServer

#: More than the executors have cores.
TASKS = list(range(7))


@pytest.fixture
def spark(spark_server: SparkServer) -> Iterator[Spark]:
    """An engine to which all work is worth it."""
    yield Spark(spark_server.address, worth_bytes=0)
    close_session()


def parts(store: Path) -> dict[str, bytes]:
    """The kept parts, by name."""
    return {
        path.relative_to(store).as_posix(): path.read_bytes()
        for path in sorted(store.rglob("*.parquet"))
    }


def make(landing: Path, store: Path, engine: Engine) -> dict[str, bytes]:
    """The parts of raw rows and records of a landing zone."""
    kept = LocalFolder(store)
    landed = read_landing_zone(LocalFolder(landing), kept, engine)
    for source in sources.ALL:
        recipe = Recipe(of=f"raw_{source.name}", make=source.clean_records)
        make_parts(f"{source.name}_records", recipe, landed.raw[source.name], kept, engine)
    return parts(store)


def test_results_come_in_the_order_of_the_tasks(spark: Spark) -> None:
    found = spark.run(spark_work.square, TASKS, size_bytes=1, fills_cores=False)
    assert list(found) == [spark_work.square(task) for task in TASKS]


def test_the_sample_gives_the_same_bytes_as_on_this_machine(spark: Spark, tmp_path: Path) -> None:
    here = make(runs.SAMPLE, tmp_path / "here", LocalMachine())
    there = make(runs.SAMPLE, tmp_path / "there", spark)
    assert here
    assert there == here
